"""The estimator's contract, and the numbers behind its probabilities."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.svm import LinearSVC

from pipeline.classify.model import StanceClassifier
from pipeline.schema import STANCES
from tests.conftest import tiny_text

CUES = {"harbour": ["harbour*", "vessel"], "railway": ["railway*"]}
CONCEPTS = {"welcome": ["welcom*", "support*", "gladly"], "refuse": ["reject*", "refus*"]}
TEXTS = [tiny_text(n)[0] for n in range(24)]
Y = np.array([list(tiny_text(n)[1].values()) for n in range(24)], dtype=object)
FAVOR, NEUTRAL, AGAINST, NONE = range(4)
SILENT = Y == "none"
"""Where a text does not name a target: in the tiny corpus exactly where its stance is `none`."""


def new(**settings) -> StanceClassifier:
    return StanceClassifier(**{"cues": CUES, "concepts": CONCEPTS, **settings})


def fitted(**settings) -> StanceClassifier:
    return new(**settings).fit(TEXTS, Y)


@pytest.fixture(scope="module")
def model() -> StanceClassifier:
    return fitted()


def machines(classifier: StanceClassifier, k: int, y=Y, texts=TEXTS, sample_weight=None):
    """Fit scikit-learn's machines to a target as the classifier says it does: (stances, coefficients, intercepts)."""
    known = np.flatnonzero(y[:, k] != "")
    dense = classifier.transform(texts)[k][known].toarray()
    weights = (np.ones(len(texts)) if sample_weight is None else sample_weight)[known]
    shown = [stance for stance in STANCES if stance in y[known, k]]
    coefficients, intercepts = [], []
    for stance in shown:
        holds = y[known, k] == stance
        counts = [1 + (dense[holds == side] > 0).sum(axis=0) for side in (True, False)]
        ratio = np.abs(np.log(counts[0] / counts[0].sum()) - np.log(counts[1] / counts[1].sum()))
        telling = 0.6 + 0.4 * ratio / ratio.mean()
        balance = {side: np.sqrt(len(holds) / (holds == side).sum()) for side in (True, False)}
        svm = LinearSVC(
            C=classifier.C, class_weight=balance, tol=1e-3, max_iter=5000, random_state=classifier.random_state
        ).fit(dense * telling, holds, sample_weight=weights)
        coefficients.append(svm.coef_[0] * telling)
        intercepts.append(svm.intercept_[0])
    return shown, np.array(coefficients).T, np.array(intercepts)


# The contract


def test_the_constructor_only_stores_what_it_is_given():
    given = {
        **StanceClassifier(cues=CUES).get_params(),
        "concepts": CONCEPTS, "C": 3, "char_ngrams": (2, 3), "han_ngrams": (1, 1), "min_df": 1,
        "weights": {"words": 1}, "random_state": 7,
    }  # fmt: skip
    classifier = StanceClassifier(**given)
    assert vars(classifier) == given
    assert all(getattr(classifier, name) is value for name, value in given.items())


def test_parameters_are_read_set_and_cloned():
    classifier = new(C=2.0)
    assert clone(classifier).get_params() == classifier.get_params()
    assert classifier.set_params(C=5.0).C == 5.0
    assert classifier.targets == ("harbour", "railway")


def test_a_clone_of_a_fitted_model_is_not_fitted(model):
    with pytest.raises(NotFittedError):
        clone(model).predict(["The harbour."])


def test_fitting_returns_itself_and_what_is_learnt_ends_in_an_underscore():
    classifier = new()
    assert classifier.fit(TEXTS, Y) is classifier
    learnt = set(vars(classifier)) - set(classifier.get_params())
    assert learnt == {"features_", "coefficients_", "intercepts_", "silent_", "scaling_", "classes_"}
    assert classifier.classes_.tolist() == list(STANCES)
    assert classifier.scaling_.tolist() == [[*np.eye(4).tolist(), [0.0] * 4]] * 2
    width = classifier.transform(TEXTS)[0].shape[1]
    assert [(c.shape, c.dtype) for c in classifier.coefficients_] == [((width, 4), np.float32)] * 2


def test_fitting_again_forgets_the_first_fit():
    classifier = fitted()
    classifier.scaling_ = divided(9.0, 9.0)
    again = classifier.fit(TEXTS[::-1][:16], Y[::-1][:16])
    fresh = new().fit(TEXTS[::-1][:16], Y[::-1][:16])
    np.testing.assert_array_equal(again.predict_proba(TEXTS), fresh.predict_proba(TEXTS))


def test_fitting_does_not_change_its_input():
    texts, y, weights = list(TEXTS), Y.copy(), np.linspace(0.5, 1, 24)
    new().fit(texts, y, sample_weight=weights)
    assert texts == TEXTS
    assert (y == Y).all()
    assert weights.tolist() == np.linspace(0.5, 1, 24).tolist()


def test_two_fits_with_one_seed_agree_to_the_last_bit(model):
    np.testing.assert_array_equal(model.predict_proba(TEXTS), fitted().predict_proba(TEXTS))


@pytest.mark.parametrize(
    ("texts", "y", "message"),
    [
        (TEXTS[:3], Y[:4], r"y has shape \(4, 2\); expected \(3, 2\) \(texts, targets\)\."),
        (TEXTS[:3], Y[:3, :1], r"y has shape \(3, 1\); expected \(3, 2\)"),
        (
            TEXTS,
            np.where(Y == "favor", "favour", Y),
            r"unknown stances \['favour'\]; known: favor, neutral, against,",
        ),
        (TEXTS[:4], np.array([["favor", "none"]] * 4), r"target harbour needs labels of at least two stances"),
        (
            TEXTS[:2],
            np.array([["favor", "none"], ["none", ""]]),
            r"target railway needs labels of at least two stances",
        ),
    ],
)
def test_labels_that_cannot_be_learnt_from_are_refused(texts, y, message):
    with pytest.raises(ValueError, match=message):
        new().fit(texts, y)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform"])
def test_asking_before_fitting_is_refused(method):
    with pytest.raises(NotFittedError):
        getattr(new(), method)(["The harbour."])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])  # noqa: S301
def test_a_copy_scores_to_the_last_bit_alike(copied):
    original = fitted()
    original.scaling_ = divided(0.7, 1.3)
    other = copied(original)
    texts = [*TEXTS, "Bread.", "Vessels of 港口, гавань railway"]
    np.testing.assert_array_equal(other.predict_proba(texts), original.predict_proba(texts))
    assert other.features_.vocabularies_ == original.features_.vocabularies_
    assert other.get_params() == original.get_params()


def test_a_copy_of_a_model_with_an_empty_vocabulary_and_of_an_unfitted_one():
    bare = new(char_ngrams=(90, 91)).fit(TEXTS, Y)  # no word is that long
    assert bare.features_.vocabularies_["characters"] == {}
    other = copy.deepcopy(bare)
    np.testing.assert_array_equal(other.predict_proba(TEXTS), bare.predict_proba(TEXTS))
    with pytest.raises(NotFittedError):
        copy.deepcopy(new()).predict(TEXTS)


# Numbers


def test_it_learns_what_it_is_taught(model):
    assert (model.predict(TEXTS) == Y).all()


def test_probabilities_are_one_row_a_stance_and_sum_to_one(model):
    probabilities = model.predict_proba(TEXTS)
    assert probabilities.shape == (24, 2, 4)
    np.testing.assert_allclose(probabilities.sum(axis=2), 1.0)
    assert (np.array(STANCES)[probabilities.argmax(axis=2)] == model.predict(TEXTS)).all()


def test_margins_are_those_of_the_machines_in_the_order_of_the_stances(model):
    matrices = model.transform(TEXTS)
    margins = model.margins(matrices)
    for k in range(2):
        shown, coefficients, intercepts = machines(model, k)
        assert shown == list(STANCES)
        expected = matrices[k] @ coefficients + intercepts
        named = ~SILENT[:, k]
        np.testing.assert_allclose(margins[named, k], expected[named], rtol=1e-2, atol=1e-3)


def divided(*divisors):
    """Return the scaling that divides each target's margins."""
    return np.array([np.vstack([np.eye(4) / divisor, np.zeros(4)]) for divisor in divisors])


def test_probabilities_are_exponentials_of_scaled_margins():
    classifier = fitted()
    rng = np.random.default_rng(0)
    classifier.scaling_ = rng.normal(size=(2, 5, 4))
    margins = classifier.margins(classifier.transform(TEXTS))
    for k in range(2):
        powers = np.exp(margins[:, k] @ classifier.scaling_[k, :4] + classifier.scaling_[k, 4])
        expected = powers / powers.sum(axis=1, keepdims=True)
        named = ~SILENT[:, k]
        np.testing.assert_allclose(classifier.predict_proba(TEXTS)[named, k], expected[named])


@pytest.mark.parametrize("pair", [("favor", "none"), ("against", "none"), ("against", "neutral")])
def test_a_target_with_two_stances_gives_each_its_own_column(pair):
    y = Y.copy()
    y[:, 1] = np.where(np.isin(Y[:, 1], ["favor", "none"]), *pair)
    classifier = new().fit(TEXTS, y)
    matrices = classifier.transform(TEXTS)
    named = ~SILENT[:, 1]
    margins = classifier.margins(matrices)[named, 1]
    shown, coefficients, intercepts = machines(classifier, 1, y)
    assert set(shown) == set(pair)
    places = [STANCES.index(stance) for stance in shown]
    decision = (matrices[1] @ coefficients + intercepts)[named]
    np.testing.assert_allclose(margins[:, places], decision, rtol=1e-2, atol=1e-3)
    absent = [column for column in range(4) if column not in places]
    assert (margins[:, absent] == -30).all()
    assert (classifier.predict(TEXTS)[named, 1] == y[named, 1]).all()


def test_a_stance_that_was_never_shown_is_all_but_impossible_where_the_target_is_named():
    classifier = new().fit(TEXTS, np.where(Y == "neutral", "none", Y))
    probabilities = classifier.predict_proba(TEXTS)
    assert probabilities[..., NEUTRAL][~SILENT].max() < 1e-9
    assert (classifier.margins(classifier.transform(TEXTS))[..., NEUTRAL][~SILENT] == -30).all()


def test_a_scaling_is_of_the_margins_of_its_target_only():
    classifier = fitted()
    matrices = classifier.transform(TEXTS)
    before = classifier.scores(matrices)
    classifier.scaling_ = divided(2.0, 1.0)
    after = classifier.scores(matrices)
    silent = SILENT[:, 0]
    np.testing.assert_allclose(after[~silent, 0], before[~silent, 0] / 2)
    np.testing.assert_array_equal(after[silent, 0], before[silent, 0])
    np.testing.assert_array_equal(after[:, 1], before[:, 1])
    assert (classifier.predict(TEXTS) == Y).all()


# Texts that do not name a target


def test_a_margin_is_nan_exactly_where_a_text_does_not_name_the_target(model):
    margins = model.margins(model.transform(TEXTS))
    assert (np.isnan(margins) == SILENT[..., None]).all()
    assert not np.isnan(model.scores(model.transform(TEXTS))).any()


def test_a_silent_text_has_the_shares_of_silent_training_texts_and_a_hundred_to_none():
    y = Y.copy()
    silent = np.flatnonzero(SILENT[:, 0])
    y[silent[:2], 0] = "favor"
    y[silent[2], 0] = "against"
    y[silent[3], 0] = ""
    classifier = new().fit(TEXTS, y)
    classifier.scaling_ = divided(9.0, 9.0)  # it has no part in this
    counts = np.array([1 + 2, 1, 1 + 1, 100 + len(silent) - 4])
    for text in ("Bread and butter.", "", TEXTS[silent[0]], "Railways are welcome."):
        np.testing.assert_allclose(classifier.predict_proba([text])[0, 0], counts / counts.sum())
    silent = SILENT[:, 1].sum()
    np.testing.assert_allclose(np.exp(classifier.silent_[1]), np.array([1, 1, 1, 100 + silent]) / (103 + silent))


def test_without_silent_training_texts_silence_is_none_all_the_same():
    named = ~SILENT.any(axis=1)
    texts = [text for text, kept in zip(TEXTS, named, strict=True) if kept]
    classifier = new().fit(texts, Y[named])
    np.testing.assert_allclose(classifier.predict_proba(["Bread."])[0], [np.array([1, 1, 1, 100]) / 103] * 2)
    assert classifier.predict(["Bread."]).tolist() == [["none", "none"]]


def test_words_of_sentences_that_do_not_name_a_target_cannot_turn_it(model):
    plain = model.margins(model.transform(["The harbour was named."]))[0, 0]
    beside = model.margins(model.transform(["A railway is refused outright. The harbour was named. Gladly!"]))[0, 0]
    assert np.abs(plain).max() > 0
    np.testing.assert_allclose(beside, plain, atol=0.5)
    assert beside.argmax() == plain.argmax()


# Which labels teach


def test_pairs_without_a_label_are_left_out_of_their_target_only(model):
    y = Y.copy()
    y[::2, 1] = ""
    classifier = new().fit(TEXTS, y)
    np.testing.assert_array_equal(classifier.coefficients_[0], model.coefficients_[0])
    assert not np.array_equal(classifier.coefficients_[1], model.coefficients_[1])
    shown, coefficients, _ = machines(classifier, 1, y)
    places = [STANCES.index(stance) for stance in shown]
    np.testing.assert_allclose(classifier.coefficients_[1][:, places], coefficients, rtol=1e-2, atol=1e-3)


def test_an_unlabelled_texts_words_cannot_matter():
    texts = [*TEXTS, *["zebra harbour zebra railway"] * 3]
    y = np.vstack([Y, [["favor", ""]] * 3])
    classifier = new().fit(texts, y)
    zebra = classifier.features_.vocabularies_["words"]["zebra"]  # the words come first
    assert np.abs(classifier.coefficients_[0][zebra]).max() > 0
    assert np.abs(classifier.coefficients_[1][zebra]).max() == pytest.approx(0, abs=1e-6)


def test_a_heavier_text_pulls_harder():
    texts = ["alpha harbour"] * 2 + ["gamma harbour"] * 4 + ["omega harbour"] * 4
    y = np.array([[s, "favor" if i % 2 else "none"] for i, s in enumerate(
        ["favor", "against"] + ["favor"] * 4 + ["against"] * 4
    )])  # fmt: skip

    def favor(weights):
        classifier = new(min_df=1).fit(texts, y, sample_weight=np.array(weights + [1.0] * 8))
        return classifier.predict_proba(["alpha harbour"])[0, 0, FAVOR]

    assert favor([1.0, 1.0]) == pytest.approx(0.5, abs=1e-2)
    assert favor([5.0, 0.2]) > 0.6
    assert favor([0.2, 5.0]) < 0.4


def test_sample_weights_reach_the_machines():
    weights = np.linspace(0.1, 2, 24)
    classifier = new().fit(TEXTS, Y, sample_weight=weights)
    _, coefficients, intercepts = machines(classifier, 0, sample_weight=weights)
    np.testing.assert_allclose(classifier.coefficients_[0], coefficients, rtol=1e-2, atol=1e-3)
    np.testing.assert_allclose(classifier.intercepts_[0], intercepts, rtol=1e-2, atol=1e-3)
    assert not np.allclose(classifier.coefficients_[0], fitted().coefficients_[0], rtol=1e-2, atol=1e-3)


def test_where_no_feature_tells_a_stance_all_weigh_alike():
    texts, y = ["alpha harbour"] * 4, np.array([["favor", "none"], ["against", "favor"]] * 2, dtype=object)
    classifier = new(min_df=1).fit(texts, y)
    assert np.isfinite(classifier.coefficients_[0]).all()


# Settings


def test_settings_reach_the_features_and_the_machines(model):
    weights = {"words": 1.0, "characters": 0.0, "concepts": 2.0}
    classifier = fitted(C=0.05, random_state=5, char_ngrams=(2, 3), han_ngrams=(1, 1), min_df=2, weights=weights)
    features = classifier.features_
    assert (features.cues, features.concepts) == (CUES, CONCEPTS)
    assert (features.char_ngrams, features.han_ngrams, features.min_df) == ((2, 3), (1, 1), 2)
    assert features.weights == weights
    assert copy.deepcopy(classifier).features_.get_params() == features.get_params()
    weaker = fitted(C=0.01)
    assert np.abs(weaker.coefficients_[0]).sum() < np.abs(model.coefficients_[0]).sum()


def test_without_a_dictionary_the_targets_are_the_only_concepts():
    classifier = fitted(concepts=None)
    assert all("welcome" not in name for name in classifier.features_.vocabularies_["concepts"])
    assert "target:harbour" in classifier.features_.vocabularies_["concepts"]
    assert (classifier.predict(TEXTS) == Y).all()
