"""Tagging: whatever the batch or the order, one text gets one answer, and never an in-sample one."""

import dataclasses

import numpy as np
import pytest

from pipeline.classify import pool
from pipeline.classify.tagging import is_unsupported, predict, tag_in_parallel, tag_statements
from pipeline.corpus import documented_statements, load_documented, text_key
from pipeline.schema import STANCES
from tests.conftest import tiny_text

FRESH = [
    "Foreign vessels are welcome in the harbour.",
    "The railway is refused outright. The choir sang.",
    "Bread prices were read out.",
    "😀😀 The choir sang. No foreign vessel shall enter the harbour, which the ministry rejects.",
    "Every support for the railway, and the harbour is welcome to all vessels.",
]


@pytest.fixture
def fresh(make_statement):
    return [make_statement(n, text=text) for n, text in enumerate(FRESH, start=1)]


def tags_of(model, statement, **options):
    ((_, tags),) = tag_statements(model, [statement], **options)
    return tags


def test_every_statement_comes_back_with_a_tag_per_target_in_order(tiny_model, fresh):
    rows = list(tag_statements(tiny_model, fresh))
    assert [statement for statement, _ in rows] == fresh
    assert [[tag.target for tag in tags] for _, tags in rows] == [["harbour", "railway"]] * 5
    stances = [tuple(tag.stance for tag in tags) for _, tags in rows]
    assert stances[:3] == [("favor", "none"), ("none", "against"), ("none", "none")]
    assert stances[3] == ("against", "none")


def test_a_tag_holds_the_models_probabilities_for_its_target(tiny_model, fresh):
    expected = tiny_model.classifier.predict_proba(FRESH)
    for row, (_, tags) in enumerate(tag_statements(tiny_model, fresh)):
        for k, tag in enumerate(tags):
            np.testing.assert_allclose(tag.probabilities, expected[row, k], rtol=1e-5)
            assert tag.stance == STANCES[int(np.argmax(tag.probabilities))]
            assert tag.confidence == max(tag.probabilities)
            assert sum(tag.probabilities) == pytest.approx(1.0)
            assert tag.model_id == tiny_model.model_id
            assert type(tag.probabilities[0]) is float


def test_batches_and_order_do_not_matter(tiny_model, fresh, make_statement):
    trained = [make_statement(n, text=tiny_text(n - 10)[0]) for n in range(10, 14)]
    statements = [*fresh, *trained]
    whole = {s.statement_id: tags for s, tags in tag_statements(tiny_model, statements)}
    for batch in (1, 2, 4):
        again = {s.statement_id: tags for s, tags in tag_statements(tiny_model, statements[::-1], batch=batch)}
        assert again.keys() == whole.keys()
        for key, tags in whole.items():
            for one, other in zip(tags, again[key], strict=True):
                np.testing.assert_allclose(one.probabilities, other.probabilities, rtol=1e-5, atol=1e-12)
                assert (one.stance, one.abstained, one.evidence) == (other.stance, other.abstained, other.evidence)


def test_statements_are_read_a_batch_at_a_time(tiny_model, make_statement):
    taken = []

    def endless():
        number = 0
        while True:
            number += 1
            taken.append(number)
            yield make_statement(1, statement_id=f"x{number}")

    rows = tag_statements(tiny_model, endless(), batch=3)
    next(rows)
    assert taken == [1, 2, 3]


def test_no_statements_give_no_tags(tiny_model):
    assert list(tag_statements(tiny_model, [])) == []
    assert predict(tiny_model, []).shape == (0, 2, 4)


@pytest.mark.parametrize(
    ("asked", "targets"),
    [(None, ["harbour", "railway"]), (("railway",), ["railway"]), (("railway", "harbour"), ["harbour", "railway"])],
)
def test_targets_can_be_chosen_and_keep_the_models_order(tiny_model, fresh, asked, targets):
    tags = tags_of(tiny_model, fresh[1], targets=asked)
    assert [tag.target for tag in tags] == targets
    assert tags[-1].stance == ("against" if targets[-1] == "railway" else "none")


# Training texts


def test_a_training_text_gets_its_out_of_fold_probabilities(tiny_model, tiny_trained, tiny_data):
    texts = [*tiny_data.texts[:5], FRESH[0]]
    held_out = np.full((2, 4), [0.5, 0.25, 0.2, 0.05], dtype=np.float32)
    marked = dataclasses.replace(
        tiny_model, out_of_fold={**tiny_model.out_of_fold, text_key(texts[2]): held_out * 2}
    )
    found = predict(marked, texts)
    np.testing.assert_allclose(found[2], held_out, rtol=1e-6)  # and normalised
    np.testing.assert_allclose(found[0], tiny_trained.out_of_fold[0], atol=1e-6)
    np.testing.assert_allclose(found[5], tiny_model.classifier.predict_proba([FRESH[0]])[0], rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=2), 1.0)


def test_a_training_text_is_known_again_by_its_words_alone(tiny_model, tiny_data):
    text = tiny_data.texts[3]
    held_out = np.full((2, 4), 0.25, dtype=np.float32)
    marked = dataclasses.replace(tiny_model, out_of_fold={text_key(text): held_out})
    same = "  " + text.upper().replace(" ", "\n ")
    np.testing.assert_array_equal(predict(marked, [same])[0], held_out)
    assert predict(marked, [text + " More."]).max() > 0.9


def test_a_bundled_statement_is_tagged_out_of_fold(small_model, bundled_slice):
    statements = {s.text: s for s in documented_statements(load_documented())}
    text = next(t for t in bundled_slice.texts if t in statements)
    tags = tags_of(small_model, statements[text])
    held_out = small_model.out_of_fold[text_key(text)]
    np.testing.assert_allclose([tag.probabilities for tag in tags], held_out, atol=1e-6)
    in_sample = small_model.classifier.predict_proba([text])[0]
    assert not np.allclose(held_out, in_sample, atol=1e-3)
    assert [tag.target for tag in tags] == list(small_model.targets)


# Evidence


def test_evidence_offsets_are_code_points_of_the_text(tiny_model, fresh):
    harbour, railway = tags_of(tiny_model, fresh[3])
    text = fresh[3].text
    assert (harbour.evidence_start, harbour.evidence_end) == (19, len(text))
    assert harbour.evidence == text[19:] == "No foreign vessel shall enter the harbour, which the ministry rejects."
    assert (railway.stance, railway.evidence_start, railway.evidence_end, railway.evidence) == (
        "none",
        None,
        None,
        "",
    )


def test_evidence_in_chinese_and_russian_is_a_slice_of_the_text(tiny_model, make_statement):
    wanted = np.tile(np.array([0.97, 0.01, 0.01, 0.01], dtype=np.float32), (2, 1))
    for text, lang, start, end in (
        ("😀你好。港口和铁路都开放。再见。", "zh", 4, 13),
        ("Привет. Гавань и железная дорога открыты! Пока.", "", 8, 41),
    ):
        marked = {text_key(text): wanted}
        model = dataclasses.replace(tiny_model, out_of_fold=marked, languages=("en", "ru", "zh"))
        for tag in tags_of(model, make_statement(1, text=text, lang=lang)):
            assert (tag.evidence_start, tag.evidence_end) == (start, end)
            assert tag.evidence == text[start:end]


# Languages the model does not read, and abstention


HARBOUR = "The harbour is open to vessels."


@pytest.mark.parametrize(
    ("text", "lang", "is_read"),
    [
        (HARBOUR, "en", True),
        (HARBOUR, "EN-gb", True),
        (HARBOUR, "", True),
        (HARBOUR, "fr", False),  # what the statement says of itself counts
        ("Гавань открыта для судов.", "", False),
        ("Гавань открыта для судов.", "en", True),
        ("港口对船只开放。", "", False),
        ("港口对船只开放。", "zh", False),
        ("Le harbour est ouvert et les navires arrivent chaque matin avec des vivres pour la ville.", "", False),
    ],
)
def test_a_text_in_a_language_the_model_was_not_trained_on_is_never_guessed_at(
    tiny_model, make_statement, text, lang, is_read
):
    assert tiny_model.languages == ("en",)
    tags = tags_of(tiny_model, make_statement(1, text=text, lang=lang))
    assert is_unsupported(tags) is not is_read
    assert [tag.target for tag in tags] == ["harbour", "railway"]
    assert {tag.model_id for tag in tags} == {tiny_model.model_id}
    if is_read:
        assert all(0 < max(tag.probabilities) < 1 for tag in tags)
        return
    for tag in tags:
        assert (tag.stance, tag.probabilities, tag.confidence, tag.abstained) == ("none", (0, 0, 0, 1), 1, True)
        assert (tag.evidence_start, tag.evidence_end, tag.evidence) == (None, None, "")


def test_an_unread_training_text_is_not_answered_from_memory_and_its_neighbours_are_not_touched(
    tiny_model, tiny_data, make_statement
):
    statements = [make_statement(n, text=tiny_data.texts[n]) for n in (1, 2, 3)]
    statements[1] = dataclasses.replace(statements[1], lang="fr")
    found = [tags for _, tags in tag_statements(tiny_model, statements)]
    assert [is_unsupported(tags) for tags in found] == [False, True, False]
    assert found[0] == tags_of(tiny_model, statements[0])
    assert found[2] == tags_of(tiny_model, statements[2])


def test_of_an_unread_text_too_only_the_targets_asked_for_are_tagged(tiny_model, make_statement):
    (tag,) = tags_of(tiny_model, make_statement(1, text=HARBOUR, lang="fr"), targets=("railway",))
    assert tag.target == "railway"
    assert is_unsupported([tag])
    assert not is_unsupported([])


def test_below_its_targets_threshold_a_tag_abstains_and_at_it_not(tiny_model, fresh):
    harbour, railway = tags_of(tiny_model, fresh[0])
    at = {"harbour": harbour.confidence, "railway": 1.01}
    again = tags_of(dataclasses.replace(tiny_model, thresholds=at), fresh[0])
    assert [tag.abstained for tag in again] == [False, True]
    above = {"harbour": np.nextafter(harbour.confidence, 2), "railway": railway.confidence}
    again = tags_of(dataclasses.replace(tiny_model, thresholds=above), fresh[0])
    assert [tag.abstained for tag in again] == [True, False]
    assert again[0].stance == harbour.stance  # the answer is still given


# Several processes


def test_a_single_batch_is_tagged_without_starting_processes(tiny_model, fresh, monkeypatch):
    monkeypatch.setattr(pool, "_spread", None)
    assert list(tag_in_parallel(tiny_model, fresh)) == list(tag_statements(tiny_model, fresh))
    alone = list(tag_in_parallel(tiny_model, fresh, workers=1, batch=2))
    assert [statement for statement, _ in alone] == fresh
    with pytest.raises(TypeError):  # this is what the two lines above did without
        list(tag_in_parallel(tiny_model, fresh, workers=2, batch=2))


def test_several_workers_give_the_same_rows_in_order(tiny_model, fresh):
    rows = list(tag_in_parallel(tiny_model, iter(fresh), targets=("railway",), workers=2, batch=2))
    assert rows == list(tag_statements(tiny_model, fresh, targets=("railway",), batch=2))
    assert [[tag.target for tag in tags] for _, tags in rows] == [["railway"]] * 5


def test_texts_that_name_nothing_share_their_tags_and_no_one_s_list(tiny_model, make_statement):
    quiet = [make_statement(n, text=f"Bread prices were read out, number {n}.") for n in range(3)]
    (_, one), (_, two), _ = tag_statements(tiny_model, quiet)
    assert one[0] is two[0]
    assert one is not two
    assert [tag.stance for tag in one] == ["none", "none"]
    expected = tiny_model.scorer.predict_proba([quiet[1].text])[0]
    np.testing.assert_array_equal([tag.probabilities for tag in two], expected)
