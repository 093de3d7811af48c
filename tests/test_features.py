"""Features: only the sentences that name a target speak for it, and every weight can be worked out by hand."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from pipeline.classify import features as features_module
from pipeline.classify.features import CONTEXT, FAMILIES, NEAR, WEIGHTS, TargetFeatures
from tests.conftest import tiny_text

CUES = {"harbour": ["harbour*", "港口"], "railway": ["railway", "открыт* путь"]}
CONCEPTS = {"welcome": ["welcom*", "欢迎"], "refuse": ["refus*"]}
TEXTS = [tiny_text(n)[0] for n in range(16)]
EVEN = dict.fromkeys(FAMILIES, 1.0)


def new(**settings) -> TargetFeatures:
    """Return features without context, unless it is asked for."""
    given = {"cues": CUES, "concepts": CONCEPTS, "min_df": 1, "weights": EVEN, "context": {}}
    return TargetFeatures(**{**given, **settings})


def only(family: str) -> dict[str, float]:
    return {**dict.fromkeys(FAMILIES, 0.0), family: 1.0}


def rows(fitted: TargetFeatures, text: str) -> list[dict[str, float]]:
    """Return, per target, the features of a text by name; those of the context are `context words:...`."""
    names = [
        f"{part}{family}:{term}"
        for part, weights in (("", fitted.weights), ("context ", fitted.context))
        for family in FAMILIES
        if weights.get(family)
        for term in fitted.vocabularies_[family]
    ]
    found = []
    for matrix in fitted.transform([text]):
        assert matrix.shape == (1, len(names))
        assert matrix.dtype == np.float32
        row = matrix.toarray()[0]
        found.append({names[column]: float(row[column]) for column in np.flatnonzero(row)})
    return found


def terms(row: dict[str, float], family: str) -> set[str]:
    return {name.split(":", 1)[1] for name in row if name.startswith(f"{family}:")}


# Which sentences speak


def test_a_target_sees_only_the_sentences_that_name_it():
    text = "Bread is dear. The harbour shines. A railway rusts! Harbours meet the railway here."
    harbour, railway = rows(new().fit([text]), text)
    alone = {"the", "harbour", "shines", "the harbour", "harbour shines"}
    together = {
        "harbours", "meet", "the", "railway", "here", "harbours meet", "meet the", "the railway", "railway here",
    }  # fmt: skip
    assert terms(harbour, "words") == alone | together
    assert terms(railway, "words") == {"a", "rusts", "a railway", "railway rusts"} | together


def test_words_of_texts_that_name_no_target_are_not_even_learnt():
    fitted = new().fit(["Bread is dear. The harbour shines.", "Bread and butter."])
    assert "bread" in fitted.vocabularies_["words"]  # a neighbour of the harbour: context may ask for it
    assert "butter" not in fitted.vocabularies_["words"]
    assert " bu" not in fitted.vocabularies_["characters"]


def test_silent_sentences_count_for_rarity_as_the_context_needs_them():
    fitted = new().fit(["Bread. Bread. A harbour", "Bread, a harbour", "Bread"])
    rarity = dict(zip(fitted.vocabularies_["words"], fitted.idf_["words"], strict=True))
    assert rarity["bread"] == pytest.approx(np.log(4 / 3) + 1)


def test_a_text_that_names_no_target_has_empty_rows():
    fitted = new().fit(TEXTS)
    for matrix in fitted.transform(["Bread is dear and welcome.", "", " \n ", "😀", "harbou rail"]):
        assert matrix.nnz == 0
        assert matrix.shape[0] == 5


def test_the_rows_of_silent_texts_stand_between_the_others():
    texts = ["Bread.", "The harbour.", "", "Butter.", "The harbour.", "The railway.", "Salt."]
    harbour, railway = new().fit(texts).transform(texts)
    assert (np.diff(harbour.indptr) > 0).tolist() == [False, True, False, False, True, False, False]
    assert (np.diff(railway.indptr) > 0).tolist() == [False, False, False, False, False, True, False]
    lengths = np.sqrt(harbour.multiply(harbour).sum(axis=1))
    np.testing.assert_allclose(np.asarray(lengths).ravel(), np.sqrt(3) * np.array([0, 1, 0, 0, 1, 0, 0]), rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("The harbour opens", [True, False]),
        ("Harbour and railway.", [True, True]),
        ("В ОТКРЫТЫЙ путь", [False, True]),
        ("Открытый. Путь.", [False, False]),  # a phrase does not reach over the end of a sentence
        ("在港口里。", [True, False]),
        ("Bread? Butter! Salt; the harbour", [True, False]),
        ("Bread.\n\nThe harbour\n\nSalt", [True, False]),
        ("你好。港口开放。再见。", [True, False]),
    ],
)
def test_a_row_is_empty_exactly_where_no_sentence_names_the_target(text, named):
    texts = [text, "Bread harbour railway."]
    found = new().fit(texts).transform(texts)
    assert [matrix.indptr[1] > 0 for matrix in found] == named


@pytest.mark.parametrize(
    "text", [*TEXTS, "The railway.", "Открытый путь", "港口", "Harbours. Railways.", "", "Bread"]
)
def test_what_may_name_a_target_is_what_has_a_row_on_it(text):
    fitted = new().fit(TEXTS)
    (named,) = fitted.names([text])
    assert [fitted.may_name(text, k) for k in range(2)] == named.tolist()


def test_a_sentence_in_chinese_is_kept_apart_from_its_neighbours():
    text = "面包很贵。港口欢迎船只。盐也贵。"
    (harbour, _) = rows(new(han_ngrams=(2, 2)).fit([text]), text)
    assert terms(harbour, "characters") == {"港口", "口欢", "欢迎", "迎船", "船只"}


# What is counted


def test_words_and_pairs_of_neighbours_within_a_sentence():
    text = "The harbour 港 gate. Harbour mill"
    fitted = new(weights=only("words")).fit([text])
    assert set(fitted.vocabularies_["words"]) == {"the", "harbour", "gate", "mill", "the harbour", "harbour mill"}


def test_characters_are_ngrams_within_a_word_and_within_a_chinese_run():
    fitted = new(char_ngrams=(3, 4), han_ngrams=(1, 2), cues={"a": ["abc"], "b": ["b"]}).fit(["Abc 港口海"])
    grams = {" ab", "abc", "bc ", " abc", "abc ", "港", "口", "海", "港口", "口海"}
    assert set(fitted.vocabularies_["characters"]) == grams


def test_concepts_are_the_targets_the_dictionary_and_every_pair_of_them():
    text = "Harbours are welcome, refusals are not, say railway men. Welcome to nobody."
    harbour, railway = rows(new().fit([text]), text)
    alone = ["target:harbour", "target:railway", "welcome", "refuse"]
    pairs = {f"{a} & {b}" for i, a in enumerate(alone) for b in alone[i + 1 :]}
    for row in (harbour, railway):
        found = terms(row, "concepts")
        assert {name for name in found if " ~ " not in name} == {*alone, *pairs}


def test_pairs_are_made_within_a_sentence_and_named_alike_in_any_order():
    fitted = new().fit(["The harbour is welcome.", "Welcome to the harbour.", "A harbour. The railway is welcome."])
    assert set(fitted.vocabularies_["concepts"]) == {
        "target:harbour", "welcome", "target:railway",
        "target:harbour & welcome", "target:harbour ~ welcome",
        "target:railway & welcome", "target:railway ~ welcome",
    }  # fmt: skip


def side_by_side(text: str, fitted: TargetFeatures | None = None) -> set[str]:
    fitted = fitted or new(weights=only("concepts")).fit([text])
    return {name for row in rows(fitted, text) for name in terms(row, "concepts") if " ~ " in name}


@pytest.mark.parametrize("between", range(NEAR + 3))
@pytest.mark.parametrize("turned", [False, True])
def test_concepts_stand_side_by_side_up_to_a_few_words_apart(between, turned):
    ends = ("Harbour", "welcome")[:: -1 if turned else 1]
    text = " ".join([ends[0], *["bread"] * between, ends[1]])
    assert side_by_side(text) == ({"target:harbour ~ welcome"} if between < NEAR else set())


@pytest.mark.parametrize(("characters", "near"), [(0, True), (3, True), (4, True), (5, False), (9, False)])
def test_a_chinese_character_counts_less_than_a_word_of_distance(characters, near):
    # 港口 itself is two characters: with four more, 欢迎 begins 6 x 0.6 = 3.6 words after it; with five, 4.2.
    text = "港口" + "里" * characters + "欢迎"
    assert side_by_side(text) == ({"target:harbour ~ welcome"} if near else set())


def test_the_nearest_occurrences_decide_and_a_pair_counts_once():
    far = " bread" * (NEAR + 1)
    assert side_by_side(f"Harbour{far} welcome harbour") == {"target:harbour ~ welcome"}
    assert side_by_side(f"Harbour{far} welcome{far} harbour") == set()
    fitted = new(weights=only("concepts")).fit(["Harbour welcome welcome harbour"])
    found = rows(fitted, "Harbour welcome welcome harbour")[0]
    assert len(set(np.round(list(found.values()), 5))) == 1  # each concept, and each pair, once in the sentence


def test_concepts_do_not_stand_side_by_side_over_the_end_of_a_sentence():
    assert side_by_side("A harbour. Welcome!") == set()


def test_side_by_side_is_another_feature_than_together():
    far = "Harbour bread bread bread bread bread welcome"
    fitted = new(weights=only("concepts")).fit(["Harbour welcome", far])
    assert "concepts:target:harbour & welcome" in rows(fitted, far)[0]
    assert side_by_side(far, fitted) == set()
    assert side_by_side("Welcome, harbour", fitted) == {"target:harbour ~ welcome"}


def test_a_concept_is_the_same_feature_in_every_language():
    fitted = new(weights=only("concepts")).fit(["The harbour is welcome.", "A railway."])
    english, chinese = fitted.transform(["Welcome, harbour!", "欢迎来港口"])[0].toarray()
    assert english.any()
    np.testing.assert_array_equal(english, chinese)


# Context: the rest of the text, at a lower weight

WHOLE = {"words": 0.5, "concepts": 0.7}
MIXED = "Bread is dear. The harbour shines. A railway rusts!"


def test_the_context_of_a_target_is_the_whole_text_that_names_it():
    harbour, railway = rows(new(context=WHOLE).fit([MIXED]), MIXED)
    everything = {
        "bread", "is", "dear", "bread is", "is dear", "the", "harbour", "shines", "the harbour", "harbour shines",
        "a", "railway", "rusts", "a railway", "railway rusts",
    }  # fmt: skip
    assert terms(harbour, "context words") == terms(railway, "context words") == everything
    assert terms(harbour, "context concepts") == {"target:harbour", "target:railway"}
    assert terms(harbour, "context characters") == set()
    assert terms(harbour, "words") == {"the", "harbour", "shines", "the harbour", "harbour shines"}


def test_the_context_is_the_same_for_every_target_the_text_names():
    harbour, railway = rows(new(context=WHOLE).fit([MIXED]), MIXED)
    of = [{name: x for name, x in row.items() if name.startswith("context ")} for row in (harbour, railway)]
    assert of[0] == of[1]


def test_a_target_the_text_does_not_name_gets_no_context():
    texts = [MIXED, "Bread is dear. The harbour shines.", "Bread is dear."]
    harbour, railway = new(context=WHOLE).fit(texts).transform(texts)
    assert (np.diff(harbour.indptr) > 0).tolist() == [True, True, False]
    assert (np.diff(railway.indptr) > 0).tolist() == [True, False, False]


def test_context_changes_nothing_of_the_sentences_that_name_the_target():
    plain, whole = new().fit(TEXTS), new(context=WHOLE).fit(TEXTS)
    width = plain.transform([""])[0].shape[1]
    for one, two in zip(plain.transform(TEXTS), whole.transform(TEXTS), strict=True):
        assert two.shape[1] > width
        np.testing.assert_array_equal(one.toarray(), two[:, :width].toarray())


@pytest.mark.parametrize("context", [WHOLE, {"characters": 0.25}, {"words": 0.0, "concepts": 2.0}])
def test_each_family_of_the_context_has_the_length_of_its_weight(context):
    fitted = new(context=context).fit(TEXTS)
    for text in TEXTS[:8]:
        for row in rows(fitted, text):
            for family in FAMILIES if row else ():
                values = [value for name, value in row.items() if name.startswith(f"context {family}:")]
                assert np.linalg.norm(values) == pytest.approx(context.get(family, 0.0), rel=1e-5)


def test_context_by_hand():
    fitted = new(weights=only("words"), context={"words": 0.5}).fit(["harbour", "gate", "railway"])
    (harbour, railway) = rows(fitted, "Harbour, harbour. Railway.")
    rare = np.log(4 / 2) + 1
    length = np.hypot((1 + np.log(2)) * rare, rare)
    assert harbour == pytest.approx(
        {
            "words:harbour": 1.0,
            "context words:harbour": 0.5 * (1 + np.log(2)) * rare / length,
            "context words:railway": 0.5 * rare / length,
        },
        rel=1e-5,
    )
    assert railway["words:railway"] == pytest.approx(1.0)


def test_weights_and_context_have_defaults_that_favour_the_naming_sentences():
    given = {"cues": CUES, "concepts": CONCEPTS, "min_df": 1}
    default = TargetFeatures(**given).fit(TEXTS)
    spelled = TargetFeatures(**given, weights=WEIGHTS, context=CONTEXT).fit(TEXTS)
    for one, two in zip(default.transform(TEXTS), spelled.transform(TEXTS), strict=True):
        np.testing.assert_array_equal(one.toarray(), two.toarray())
    assert set(WEIGHTS) == set(FAMILIES)
    assert all(0 < CONTEXT[family] < WEIGHTS[family] for family in CONTEXT)


# Weights by hand


def test_weights_are_dampened_counts_by_rarity_in_rows_of_length_one():
    fitted = new(weights=only("words")).fit(["harbour gate", "harbour shut", "railway gate"])
    (harbour, railway) = rows(fitted, "harbour harbour harbour gate. harbour unknown")
    common = np.log(4 / 3) + 1  # in two of the three texts
    rare = np.log(4 / 2) + 1  # in one
    expected = {"harbour": (1 + np.log(4)) * common, "gate": common, "harbour gate": rare}
    length = np.sqrt(sum(value**2 for value in expected.values()))
    assert harbour == pytest.approx({f"words:{term}": value / length for term, value in expected.items()}, rel=1e-5)
    assert railway == {}


@pytest.mark.parametrize("weights", [EVEN, {**EVEN, "concepts": 2.0}, {**EVEN, "words": 0.5, "characters": 0}])
def test_each_family_of_a_row_has_the_length_of_its_weight(weights):
    fitted = new(weights=weights).fit(TEXTS)
    for text in TEXTS[:8]:
        for row in rows(fitted, text):
            for family in FAMILIES if row else ():
                values = [value for name, value in row.items() if name.startswith(f"{family}:")]
                assert np.linalg.norm(values) == pytest.approx(weights[family], rel=1e-5)


@pytest.mark.parametrize("left_out", FAMILIES)
def test_a_weight_of_zero_leaves_a_family_out(left_out):
    whole = new().fit(TEXTS)
    fitted = new(weights={**EVEN, left_out: 0}).fit(TEXTS)
    width = sum(len(whole.vocabularies_[family]) for family in FAMILIES if family != left_out)
    assert [matrix.shape for matrix in fitted.transform(TEXTS)] == [(16, width)] * 2
    start = sum(len(whole.vocabularies_[family]) for family in FAMILIES[: FAMILIES.index(left_out)])
    kept = np.delete(np.arange(whole.transform([""])[0].shape[1]), slice(start, start + len(whole.idf_[left_out])))
    for part, full in zip(fitted.transform(TEXTS), whole.transform(TEXTS), strict=True):
        np.testing.assert_array_equal(part.toarray(), full[:, kept].toarray())


def test_a_feature_counts_from_min_df_texts_on_however_often_in_one():
    texts = ["Harbour gate. Harbour gate. Harbour gate", "harbour mill", "harbour mill"]
    fitted = new(min_df=2).fit(texts)
    assert set(fitted.vocabularies_["words"]) == {"harbour", "mill", "harbour mill"}
    assert set(fitted.vocabularies_["concepts"]) == {"target:harbour"}
    assert "gate" not in fitted.vocabularies_["characters"]
    np.testing.assert_allclose(fitted.idf_["words"], [np.log(4 / 4) + 1, np.log(4 / 3) + 1, np.log(4 / 3) + 1])
    assert list(fitted.vocabularies_["words"].values()) == [0, 1, 2]
    for family in FAMILIES:
        assert len(fitted.idf_[family]) == len(fitted.vocabularies_[family])


def test_a_pair_is_pruned_though_its_parts_are_frequent():
    texts = ["Welcome to the harbour.", "The harbour.", "Welcome to the railway.", "The railway."]
    fitted = new(min_df=2).fit(texts)
    assert set(fitted.vocabularies_["concepts"]) == {"target:harbour", "target:railway", "welcome"}


def test_rarity_counts_texts_and_the_texts_that_name_nothing_too():
    fitted = new().fit(["harbour", "bread", "bread", "bread"])
    np.testing.assert_allclose(fitted.idf_["words"], [np.log(5 / 2) + 1])


# Fitting and transforming


@pytest.mark.parametrize("min_df", [1, 2, 3])
def test_transforming_the_fitted_texts_gives_what_fitting_gave(min_df):
    fitted = new(min_df=min_df)
    texts = [*TEXTS, "Bread.", "在港口欢迎。", "В открытый путь!"]
    for first, again in zip(fitted.fit_transform(texts), fitted.transform(texts), strict=True):
        assert first.shape == again.shape
        np.testing.assert_array_equal(first.toarray(), again.toarray())


def test_unknown_words_change_no_vocabulary():
    fitted = new().fit(TEXTS)
    before = copy.deepcopy(fitted.vocabularies_)
    fitted.transform(["The harbour of zebras welcomes xylophones."])
    assert fitted.vocabularies_ == before


def test_fitting_again_forgets():
    fitted = new().fit(["A zebra in the harbour."])
    fitted.transform(["A zebra in the harbour."])
    fitted.fit(["The railway."])
    assert set(fitted.vocabularies_["words"]) == {"the", "railway", "the railway"}
    for one, two in zip(fitted.transform(TEXTS), new().fit(["The railway."]).transform(TEXTS), strict=True):
        np.testing.assert_array_equal(one.toarray(), two.toarray())


def test_no_texts_give_no_rows():
    fitted = new().fit(TEXTS)
    assert [matrix.shape[0] for matrix in fitted.transform([])] == [0, 0]


def test_asking_before_fitting_is_refused():
    with pytest.raises(NotFittedError):
        new().transform(["The harbour."])


def test_the_transformer_only_stores_what_it_is_given_and_clones():
    given = {
        "cues": CUES, "concepts": CONCEPTS, "char_ngrams": (1, 2), "han_ngrams": (1, 1), "min_df": 4,
        "weights": {"words": 2.0}, "context": {},
    }  # fmt: skip
    transformer = TargetFeatures(**given)
    assert vars(transformer) == given
    assert clone(transformer).get_params() == given
    assert transformer.fit(TEXTS) is transformer


def test_a_copy_leaves_the_reader_behind_and_transforms_alike():
    fitted = new().fit(TEXTS)
    small = len(pickle.dumps(fitted))
    fitted.transform(TEXTS)
    assert len(pickle.dumps(fitted)) == small  # nothing remembered travels
    for other in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):  # noqa: S301
        for one, two in zip(fitted.transform(TEXTS), other.transform(TEXTS), strict=True):
            np.testing.assert_array_equal(one.toarray(), two.toarray())


def test_a_memory_that_is_full_changes_nothing(monkeypatch):
    expected = new().fit_transform(TEXTS)
    monkeypatch.setattr(features_module, "_CACHED_WORDS", 1)
    for one, two in zip(expected, new().fit_transform(TEXTS), strict=True):
        np.testing.assert_array_equal(one.toarray(), two.toarray())


@pytest.mark.parametrize(
    "text", ["The harbour.", "The harbour", " The harbour! ", "The harbour.\n", "The harbour…", "港口。"]
)
def test_a_text_of_one_sentence_needs_no_tokeniser(text, monkeypatch):
    fitted = new().fit([text])
    expected = rows(fitted, text)
    monkeypatch.setattr(features_module, "sentence_spans", None)
    assert rows(fitted, text) == expected
    with pytest.raises(TypeError):
        fitted.transform(["Bread. The harbour."])
