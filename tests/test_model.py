"""The estimator's contract, and the numbers behind its probabilities."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from pipeline.classify.model import StanceClassifier
from pipeline.schema import STANCES
from tests.conftest import tiny_text

CUES = {"harbour": ["harbour*", "vessel"], "railway": ["railway*"]}
TEXTS = [tiny_text(n)[0] for n in range(24)]
Y = np.array([list(tiny_text(n)[1].values()) for n in range(24)], dtype=object)


def fitted(**settings) -> StanceClassifier:
    return StanceClassifier(cues=CUES, **settings).fit(TEXTS, Y)


@pytest.fixture(scope="module")
def model() -> StanceClassifier:
    return fitted()


# The contract


def test_the_constructor_only_stores_what_it_is_given():
    given = {
        "cues": CUES, "C": 3, "word_ngrams": (1, 1), "char_ngrams": (2, 3), "min_df": 1, "random_state": 7,
    }  # fmt: skip
    classifier = StanceClassifier(**given)
    assert vars(classifier) == given
    assert all(getattr(classifier, name) is value for name, value in given.items())


def test_the_defaults_are_those_that_were_chosen():
    assert StanceClassifier(cues=CUES).get_params() == {
        "cues": CUES, "C": 10.0, "word_ngrams": (1, 2), "char_ngrams": (2, 5), "min_df": 2, "random_state": 0,
    }  # fmt: skip


def test_parameters_are_read_set_and_cloned():
    classifier = StanceClassifier(cues=CUES, C=2.0)
    assert clone(classifier).get_params() == classifier.get_params()
    assert classifier.set_params(C=5.0).C == 5.0
    assert classifier.targets == ("harbour", "railway")


def test_a_clone_of_a_fitted_model_is_not_fitted(model):
    with pytest.raises(NotFittedError):
        clone(model).predict(["The harbour."])


def test_fitting_returns_itself_and_what_is_learnt_ends_in_an_underscore():
    classifier = StanceClassifier(cues=CUES)
    assert classifier.fit(TEXTS, Y) is classifier
    learnt = set(vars(classifier)) - set(classifier.get_params())
    assert learnt == {"features_", "regressions_", "temperatures_", "classes_"}
    assert classifier.classes_.tolist() == list(STANCES)
    assert classifier.temperatures_.tolist() == [1.0, 1.0]
    assert len(classifier.regressions_) == 2


def test_fitting_again_forgets_the_first_fit():
    classifier = fitted()
    classifier.temperatures_ = np.array([9.0, 9.0])
    again = classifier.fit(TEXTS[::-1][:16], Y[::-1][:16])
    fresh = StanceClassifier(cues=CUES).fit(TEXTS[::-1][:16], Y[::-1][:16])
    np.testing.assert_array_equal(again.predict_proba(TEXTS), fresh.predict_proba(TEXTS))


def test_fitting_does_not_change_its_input():
    texts, y, weights = list(TEXTS), Y.copy(), np.linspace(0.5, 1, 24)
    StanceClassifier(cues=CUES).fit(texts, y, sample_weight=weights)
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
        StanceClassifier(cues=CUES).fit(texts, y)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform"])
def test_asking_before_fitting_is_refused(method):
    with pytest.raises(NotFittedError):
        getattr(StanceClassifier(cues=CUES), method)(["The harbour."])


# Numbers


def test_it_learns_what_it_is_taught(model):
    assert (model.predict(TEXTS) == Y).all()


def test_probabilities_are_one_row_a_stance_and_sum_to_one(model):
    probabilities = model.predict_proba(TEXTS)
    assert probabilities.shape == (24, 2, 4)
    np.testing.assert_allclose(probabilities.sum(axis=2), 1.0)
    assert (np.array(STANCES)[probabilities.argmax(axis=2)] == model.predict(TEXTS)).all()


def test_probabilities_are_those_of_the_regressions_in_the_order_of_the_stances(model):
    matrix = model.transform(TEXTS)
    assert matrix.shape[0] == 24
    for k, regression in enumerate(model.regressions_):
        order = [list(regression.classes_).index(stance) for stance in STANCES]
        expected = regression.predict_proba(matrix)[:, order]
        np.testing.assert_allclose(model.predict_proba(TEXTS)[:, k], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("pair", [("favor", "none"), ("against", "none"), ("against", "neutral")])
def test_a_target_with_two_stances_gives_each_its_own_column(pair):
    y = Y.copy()
    y[:, 1] = np.where(np.char.find(np.array(TEXTS), "railway") >= 0, pair[0], pair[1])
    classifier = StanceClassifier(cues=CUES).fit(TEXTS, y)
    probabilities = classifier.predict_proba(TEXTS)[:, 1]
    regression = classifier.regressions_[1]
    columns = [STANCES.index(stance) for stance in regression.classes_]
    expected = regression.predict_proba(classifier.transform(TEXTS))
    np.testing.assert_allclose(probabilities[:, columns], expected, rtol=1e-4, atol=1e-6)
    assert (classifier.predict(TEXTS)[:, 1] == y[:, 1]).all()


def test_a_stance_that_was_never_shown_is_all_but_impossible():
    y = np.where(Y == "neutral", "none", Y)
    probabilities = StanceClassifier(cues=CUES).fit(TEXTS, y).predict_proba(TEXTS)
    assert probabilities[:, :, STANCES.index("neutral")].max() < 1e-9


def test_a_temperature_divides_the_scores_of_its_target_only():
    classifier = fitted()
    matrix = classifier.transform(TEXTS)
    before = classifier.scores(matrix)
    classifier.temperatures_ = np.array([2.0, 1.0])
    after = classifier.scores(matrix)
    np.testing.assert_allclose(after[:, 0], before[:, 0] / 2)
    np.testing.assert_array_equal(after[:, 1], before[:, 1])
    assert (classifier.predict(TEXTS) == Y).all()


def test_pairs_without_a_label_are_left_out_of_their_target_only():
    y = Y.copy()
    y[::2, 1] = ""
    classifier = StanceClassifier(cues=CUES).fit(TEXTS, y)
    whole = fitted()
    assert classifier.regressions_[1].classes_.tolist() == sorted(STANCES)
    np.testing.assert_array_equal(classifier.regressions_[0].coef_, whole.regressions_[0].coef_)
    half = StanceClassifier(cues=CUES).fit(TEXTS, np.column_stack([Y[:, 0], np.where(y[:, 1] == "", "", Y[:, 1])]))
    np.testing.assert_array_equal(classifier.regressions_[1].coef_, half.regressions_[1].coef_)
    assert not np.array_equal(classifier.regressions_[1].coef_, whole.regressions_[1].coef_)


def test_an_unlabelled_texts_stance_cannot_matter():
    texts = [*TEXTS, "zebra zebra", "zebra zebra"]
    y = np.vstack([Y, [["favor", ""], ["favor", ""]]])
    classifier = StanceClassifier(cues=CUES).fit(texts, y)
    names = classifier.features_.get_feature_names_out
    assert callable(names)
    zebra = list(classifier.features_.transformer_list[0][1].get_feature_names_out()).index("zebra")
    assert np.abs(classifier.regressions_[0].coef_[:, zebra]).max() > 0
    assert np.abs(classifier.regressions_[1].coef_[:, zebra]).max() == pytest.approx(0, abs=1e-6)


def test_a_heavier_text_pulls_harder():
    texts = ["alpha beta", "alpha beta", *["gamma delta"] * 4, *["omega sigma"] * 4]
    y = np.array([[s, s] for s in ["favor", "against"] + ["favor"] * 4 + ["against"] * 4])

    def favor(weights):
        classifier = StanceClassifier(cues=CUES).fit(texts, y, sample_weight=np.array(weights + [1.0] * 8))
        return classifier.predict_proba(["alpha beta"])[0, 0, 0]

    assert favor([1.0, 1.0]) == pytest.approx(0.5, abs=1e-3)
    assert favor([5.0, 0.2]) > 0.8
    assert favor([0.2, 5.0]) < 0.2


def test_a_rare_stance_is_balanced():
    texts = ["alpha beta", *["alpha beta"] * 9, "gamma gamma", "gamma gamma"]
    y = np.array([[s, s] for s in ["favor"] + ["against"] * 9 + ["favor"] + ["against"]])
    probabilities = StanceClassifier(cues=CUES).fit(texts, y).predict_proba(["alpha beta"])
    assert probabilities[0, 0, STANCES.index("favor")] > 0.3  # 1 in 10 without balance


# Features


def test_features_are_words_characters_and_cues():
    classifier = StanceClassifier(cues=CUES, word_ngrams=(1, 1), char_ngrams=(3, 3), min_df=2)
    classifier.fit(
        ["abcd efgh", "abcd zzzz", "abcd", "harbour"], np.array([["favor", "none"]] * 2 + [["none", "favor"]] * 2)
    )
    words, characters, cues = (transformer for _, transformer in classifier.features_.transformer_list)
    assert words.get_feature_names_out().tolist() == ["abcd"]
    assert characters.get_feature_names_out().tolist() == [" ab", "abc", "bcd", "cd "]
    assert cues.cues == CUES
    row = classifier.transform(["abcd abcd abcd harbour"]).toarray()[0]
    assert row.tolist() == pytest.approx([1.0, *[0.5] * 4, 1, 0, np.log(2), 0], rel=1e-5)


def test_term_frequencies_are_dampened():
    classifier = StanceClassifier(cues=CUES, word_ngrams=(1, 1), char_ngrams=(9, 9), min_df=1)
    classifier.fit(["aaaaaaaaa bbb", "aaaaaaaaa bbb"], np.array([["favor", "none"], ["none", "favor"]]))
    row = classifier.transform(["bbb bbb bbb aaaaaaaaa"]).toarray()[0]
    assert row[1] / row[0] == pytest.approx(1 + np.log(3), rel=1e-5)


def test_settings_reach_the_solver():
    classifier = fitted(C=0.25, random_state=5)
    assert [(r.C, r.random_state, r.class_weight) for r in classifier.regressions_] == [(0.25, 5, "balanced")] * 2
    assert classifier.regressions_[0].coef_.dtype == np.float32
    assert np.abs(classifier.regressions_[0].coef_).sum() < np.abs(fitted().regressions_[0].coef_).sum()
