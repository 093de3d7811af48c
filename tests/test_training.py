"""Training: groups stay together, nothing is ever judged by a model that saw it, figures are recomputed."""

import dataclasses

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline

from pipeline.classify.calibration import abstention_threshold, fit_scaling
from pipeline.classify.evaluate import evaluate
from pipeline.classify.training import (
    FOLDS,
    WANTED_ACCURACY,
    WEIGHTS,
    TrainingSet,
    _cross_calibrated,
    _fold_margins,
    _scaling,
    group_by_event,
    new_classifier,
    split_by_event,
    train,
    training_set,
)
from pipeline.config import load_lexicon
from pipeline.schema import STANCES, Label
from tests.conftest import documented_row, record_id, tiny_text, write_jsonl

pytestmark = pytest.mark.usefixtures("tiny_world")

# The training set


def test_the_three_kinds_of_texts_are_assembled_in_order(tiny_data):
    assert tiny_data.targets == ("harbour", "railway")
    assert tiny_data.kinds.tolist() == ["double_coded"] * 32 + ["single_coded"] * 6 + ["authored"] * 10
    numbers = [*range(32), *range(40, 46), *range(60, 70)]
    assert list(tiny_data.texts) == [tiny_text(n)[0] for n in numbers]
    assert tiny_data.y.tolist() == [list(tiny_text(n)[1].values()) for n in numbers]
    assert set(tiny_data.langs) == {"en"}
    assert tiny_data.measured.tolist() == list(range(32))


def test_weights_follow_the_kind_of_coding(tiny_data):
    assert dict(WEIGHTS) == {"double_coded": 1.0, "single_coded": 0.7, "authored": 0.5, "store": 1.0}
    assert tiny_data.weights.tolist() == [1.0] * 32 + [0.7] * 6 + [0.5] * 10


def test_adjudicated_labels_go_before_the_first_coding(corpus_folder):
    labels = {"harbour": "against", "railway": "none"}
    other = {"harbour": "favor", "railway": "favor"}
    rows = [documented_row(0, labels=labels, coding_1=other), documented_row(1, labels=None, coding_1=other)]
    write_jsonl(corpus_folder / "documented" / "statements.jsonl", rows)
    data = training_set(corpus_folder)
    assert data.y[:2].tolist() == [["against", "none"], ["favor", "favor"]]
    assert data.kinds[:2].tolist() == ["double_coded", "single_coded"]


def test_labels_from_the_store_are_gathered_by_statement(tiny_corpus, make_statement):
    def stored(number, target, stance, date):
        statement = make_statement(number, text=f"Stored text {number}.", lang="ru", date=date)
        return statement, Label(statement_id=f"x{number}", target=target, stance=stance)

    data = training_set(
        tiny_corpus,
        store_labels=[
            stored(1, "harbour", "favor", "2030-01-01"),
            stored(2, "railway", "none", ""),
            stored(1, "railway", "against", "2030-01-01"),
        ],
    )
    assert data.texts[48:] == ("Stored text 1.", "Stored text 2.")
    assert data.y[48:].tolist() == [["favor", "against"], ["", "none"]]
    assert data.kinds[48:].tolist() == ["store", "store"]
    assert data.langs[48:] == ("ru", "ru")
    assert data.groups[48] == data.groups[0]  # the same date
    assert (data.groups == data.groups[49]).sum() == 1
    assert data.measured.tolist() == list(range(32))


def test_settled_labels_take_the_place_of_a_single_coding_and_leave_the_measured_ones(tiny_corpus, make_statement):
    """Of a bundled statement coded once the settled label counts, where there is one; text and place stay."""
    once, twice = documented_row(41), documented_row(5)
    settled = [
        (make_statement(1, statement_id=row["statement_id"], text=row["text"]), Label(
            statement_id=row["statement_id"], target="harbour", stance="none"))
        for row in (once, twice)
    ]  # fmt: skip
    plain, data = training_set(tiny_corpus), training_set(tiny_corpus, store_labels=settled)
    assert data.texts == plain.texts
    assert data.groups.tolist() == plain.groups.tolist()
    place = plain.texts.index(once["text"])
    assert plain.y[place].tolist() == ["neutral", "against"]
    assert data.y[place].tolist() == ["none", "against"]
    assert (plain.kinds[place], data.kinds[place]) == ("single_coded", "store")
    others = [n for n in range(len(data.texts)) if n != place]
    assert data.y[others].tolist() == plain.y[others].tolist()
    assert data.kinds[others].tolist() == plain.kinds[others].tolist()


@pytest.mark.parametrize(
    ("keys", "groups"),
    [
        ([("d1", "a"), ("d1", "b"), ("d2", "c")], [0, 0, 1]),
        ([("d1", "a"), ("d2", "a"), ("d3", "b")], [0, 0, 1]),
        ([("d1", "a"), ("d2", "b"), ("d1", "b"), ("d3", "c")], [0, 0, 0, 1]),  # a chain
        ([("", ""), ("", ""), ("d1", "")], [0, 1, 2]),  # nothing known links nothing
        ([("x", "a"), ("b", "x")], [0, 1]),  # a date is not an address
        ([], []),
    ],
)
def test_rows_that_share_a_date_or_an_address_are_one_group(keys, groups):
    assert group_by_event(keys).tolist() == groups


def test_statements_of_one_day_are_one_group_and_passages_stand_alone(tiny_data):
    groups = tiny_data.groups
    assert all(groups[n] == groups[n + 1] for n in range(0, 38, 2))
    assert len(set(groups)) == 19 + 10


# Splits


def test_no_group_is_ever_on_both_sides_and_every_row_is_judged_once(tiny_data):
    folds = split_by_event(tiny_data)
    assert len(folds) == FOLDS == 5
    for fit, test in folds:
        assert not set(tiny_data.groups[fit]) & set(tiny_data.groups[test])
        assert sorted([*fit, *test]) == list(range(48))
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(48))


def test_the_seed_decides_the_folds(tiny_data):
    def tests(seed):
        return [test.tolist() for _, test in split_by_event(tiny_data, random_state=seed)]

    assert tests(0) == tests(0) == [test.tolist() for _, test in split_by_event(tiny_data)]
    assert tests(0) != tests(1)


def test_a_new_classifier_knows_the_cues_and_concepts_of_all_languages(tiny_targets, tiny_corpus, corpus_folder):
    lexicon = load_lexicon(tiny_corpus)
    classifier = new_classifier(tiny_targets, random_state=3)
    assert classifier.concepts == lexicon.terms == new_classifier(tiny_targets, lexicon).concepts
    (corpus_folder / "lexicon.toml").write_text('[concept.other]\nru = ["да"]\n', encoding="utf-8")
    assert new_classifier(tiny_targets, load_lexicon(corpus_folder)).concepts == {"other": ["да"]}
    assert classifier.cues == {
        "harbour": ["harbour*", "open sea", "vessel", "гавань", "港口"],
        "railway": ["railway*", "track", "железн*", "铁路"],
    }
    assert classifier.random_state == 3


# Training, recomputed step by step


@pytest.fixture(scope="module")
def noisy(tiny_data):
    """Return the tiny data with some labels exchanged, so that no probability is next to 0 or 1."""
    y = tiny_data.y.copy()
    y[::3, 0] = np.roll(y[::3, 0], 1)
    y[1::4, 1] = np.roll(y[1::4, 1], 2)
    return dataclasses.replace(tiny_data, y=y)


@pytest.fixture(scope="module")
def noisy_trained(tiny_world, noisy, tiny_targets):
    return train(noisy, tiny_targets, n_jobs=1)


@pytest.fixture(scope="module")
def uncalibrated(tiny_world, noisy, tiny_targets):
    """Return margins of every text by a model fitted, here in the test, on the other groups only."""
    scores = np.full((48, 2, 4), np.nan)
    for fit, test in split_by_event(noisy):
        model = new_classifier(tiny_targets).fit(
            [noisy.texts[i] for i in fit], noisy.y[fit], sample_weight=noisy.weights[fit]
        )
        scores[test] = model.margins(model.transform([noisy.texts[i] for i in test]))
    return scores


def scaled(data, scores, rows, apply_to):
    """Fit the scaling on the rows that name the target, and return the log-odds of other scores."""
    found = np.empty_like(apply_to)
    for k in range(2):
        naming = [row for row in rows if not np.isnan(scores[row, k]).any() and data.y[row, k]]
        truth = np.array([STANCES.index(data.y[row, k]) for row in naming])
        matrix, offsets = fit_scaling(scores[naming, k], truth, data.weights[naming])
        found[:, k] = apply_to[:, k] @ matrix + offsets
    return found


def test_out_of_fold_probabilities_come_from_the_other_groups(noisy, noisy_trained, uncalibrated):
    expected = np.empty_like(uncalibrated)
    for _, test in split_by_event(noisy):
        others = np.setdiff1d(EVERY, test)
        expected[test] = scaled(noisy, uncalibrated, others, uncalibrated[test])
    silent = np.isnan(uncalibrated)
    assert silent.any()
    expected = np.where(silent, noisy_trained.classifier.silent_, expected)
    np.testing.assert_allclose(noisy_trained.out_of_fold, softmax(expected, axis=2), atol=1e-6)
    assert np.quantile(expected[~silent.any(axis=2)].std(axis=1), 0.5) < 5  # far from certain: a slip would show


def test_the_final_model_is_fitted_on_everything_and_scaled_by_all_out_of_fold_margins(
    noisy, tiny_targets, noisy_trained, uncalibrated
):
    whole = new_classifier(tiny_targets).fit(noisy.texts, noisy.y, sample_weight=noisy.weights)
    fresh = ["Vessels are welcome in the harbour.", "Bread."]
    margins = whole.margins(whole.transform(fresh))
    expected = scaled(noisy, uncalibrated, EVERY, margins)
    expected = softmax(np.where(np.isnan(margins), whole.silent_, expected), axis=2)
    np.testing.assert_allclose(noisy_trained.classifier.predict_proba(fresh), expected, rtol=1e-3, atol=1e-9)


EVERY = np.arange(48)


def test_texts_that_do_not_name_a_target_have_no_part_in_its_scaling(noisy, uncalibrated):
    before = _scaling(noisy, uncalibrated, EVERY)
    silent = np.isnan(uncalibrated[:, 0, 0])
    y = noisy.y.copy()
    y[silent, 0] = "favor"
    changed = dataclasses.replace(noisy, y=y)
    np.testing.assert_array_equal(_scaling(changed, uncalibrated, EVERY), before)
    mute = uncalibrated.copy()
    mute[:, 1] = np.nan
    after = _scaling(noisy, mute, EVERY)
    np.testing.assert_array_equal(after[0], before[0])
    assert after[1].tolist() == [*np.eye(4).tolist(), [0.0] * 4]


def test_texts_without_a_label_have_no_part_in_the_scaling_and_weights_count(noisy, uncalibrated):
    before = _scaling(noisy, uncalibrated, EVERY)
    y = noisy.y.copy()
    y[:16, 0] = ""
    fewer = _scaling(dataclasses.replace(noisy, y=y), uncalibrated, EVERY)
    np.testing.assert_array_equal(fewer[0], _scaling(noisy, uncalibrated, EVERY[16:])[0])
    assert not np.allclose(fewer[0], before[0])
    np.testing.assert_array_equal(fewer[1], before[1])
    alike = dataclasses.replace(noisy, kinds=np.array(["double_coded"] * 48, dtype=object))
    assert not np.allclose(_scaling(alike, uncalibrated, EVERY), before)


def test_a_texts_own_label_has_no_part_in_its_calibration(noisy, noisy_trained, uncalibrated):
    folds = split_by_event(noisy)
    test = folds[0][1]
    row = next(r for r in test if r < 32 and not np.isnan(uncalibrated[r, 0, 0]))
    y = noisy.y.copy()
    y[row, 0] = next(stance for stance in STANCES if stance != y[row, 0])
    changed = dataclasses.replace(noisy, y=y)
    one, other = (_cross_calibrated(noisy_trained.classifier, d, uncalibrated, folds) for d in (noisy, changed))
    np.testing.assert_array_equal(one[test], other[test])
    assert not np.array_equal(one, other)


def test_training_twice_gives_the_same_and_another_seed_another(noisy, tiny_targets, noisy_trained):
    again = train(noisy, tiny_targets, n_jobs=1)
    np.testing.assert_array_equal(again.out_of_fold, noisy_trained.out_of_fold)
    assert again.metrics == noisy_trained.metrics
    assert again.thresholds == noisy_trained.thresholds
    other = train(noisy, tiny_targets, random_state=1, n_jobs=1)
    assert not np.allclose(other.out_of_fold, noisy_trained.out_of_fold)
    assert other.classifier.random_state == 1


# A text whose only signal is a word of its own group: only a model that saw the group can know its stance


@pytest.fixture(scope="module")
def sentinels(tiny_targets) -> TrainingSet:
    rng = np.random.default_rng(4)
    letters = np.array(list("bcdfghklmnprstvz"))
    words = ["".join(rng.choice(letters, 12)) for _ in range(30)]
    stances = rng.choice(["favor", "against", "none"], size=(30, 2))
    return TrainingSet(
        targets=tiny_targets.ids,
        texts=tuple(f"{word} harbour {word} railway {word}" for word in words for _ in range(3)),
        langs=("en",) * 90,
        y=np.repeat(stances, 3, axis=0).astype(object),
        groups=np.repeat(np.arange(30), 3),
        kinds=np.array(["double_coded"] * 81 + ["authored"] * 9, dtype=object),
    )


@pytest.fixture(scope="module")
def sentinel_trained(tiny_world, sentinels, tiny_targets):
    return train(sentinels, tiny_targets, n_jobs=1)


def test_a_word_of_its_own_group_cannot_be_known_out_of_fold(sentinels, sentinel_trained):
    classifier = sentinel_trained.classifier
    margins = classifier.margins(classifier.transform(sentinels.texts))
    in_sample = (np.array(STANCES)[margins.argmax(2)] == sentinels.y).mean()
    out_of_fold = (np.array(STANCES)[sentinel_trained.out_of_fold.argmax(2)] == sentinels.y).mean()
    assert in_sample == 1.0
    assert out_of_fold < 0.7  # three stances drawn at random, of which nothing is known but their shares
    assert sentinel_trained.metrics["model"]["mean_macro_f1"] < 0.5


def test_a_texts_own_label_has_no_part_in_its_margins(sentinels, tiny_targets, tiny_world):
    fit, test = next((fit, test) for fit, test in split_by_event(sentinels) if 0 in test)
    new = new_classifier(tiny_targets)
    before = _fold_margins(new, sentinels, fit, test)
    own, other = sentinels.y.copy(), sentinels.y.copy()
    own[:3, 0] = other[fit[:3], 0] = "neutral"
    after = _fold_margins(new, dataclasses.replace(sentinels, y=own), fit, test)
    np.testing.assert_array_equal(after, before)
    assert not np.allclose(_fold_margins(new, dataclasses.replace(sentinels, y=other), fit, test), before)


# Metrics


def test_the_model_is_measured_on_double_coded_texts_out_of_fold(sentinels, sentinel_trained):
    rows = np.arange(81)
    probabilities = sentinel_trained.out_of_fold[rows]
    predicted = np.array(STANCES)[probabilities.argmax(2)]
    expected = evaluate(sentinels.targets, sentinels.y[rows], predicted, probabilities.max(2))
    assert sentinel_trained.metrics["model"] == expected
    assert expected["pairs"] == 162


def test_the_majority_baseline_by_hand(tiny_data, tiny_targets):
    y = tiny_data.y.copy()
    y[:, 0] = np.where(np.isin(y[:, 0], ["favor"]), "favor", "none")  # 8 and 24 of the 32 measured
    metrics = train(dataclasses.replace(tiny_data, y=y), tiny_targets, n_jobs=1).metrics
    result = metrics["majority"]["targets"]["harbour"]
    # Always none: F1 of none 2 * 24 / (24 + 32), of favor 0.
    assert result["macro_f1"] == pytest.approx((48 / 56) / 2)
    assert result["accuracy"] == 0.75
    assert result["ece"] is None


def test_the_logistic_baseline_is_scikit_learns_own(sentinels, sentinel_trained):
    folds = split_by_event(sentinels)
    plain = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=500))
    predicted = np.column_stack(
        [cross_val_predict(plain, sentinels.texts, sentinels.y[:, k].astype(str), cv=folds) for k in range(2)]
    )
    expected = evaluate(sentinels.targets, sentinels.y[:81], predicted[:81])
    assert sentinel_trained.metrics["tfidf_logistic_regression"] == expected


def test_without_baselines_all_else_is_the_same(noisy, tiny_targets, noisy_trained):
    bare = train(noisy, tiny_targets, n_jobs=1, baselines=False)
    left_out = {"majority", "tfidf_logistic_regression"}
    assert bare.metrics == {key: value for key, value in noisy_trained.metrics.items() if key not in left_out}
    assert left_out < set(noisy_trained.metrics)
    np.testing.assert_array_equal(bare.out_of_fold, noisy_trained.out_of_fold)
    assert bare.thresholds == noisy_trained.thresholds


def test_pairs_without_labels_are_left_out_of_baselines_and_figures(tiny_data, tiny_targets):
    y = tiny_data.y.copy()
    y[:8, 1] = ""
    metrics = train(dataclasses.replace(tiny_data, y=y), tiny_targets, n_jobs=1).metrics
    for system in ("model", "majority", "tfidf_logistic_regression"):
        assert metrics[system]["pairs"] == 56
        assert sum(metrics[system]["targets"]["railway"]["support"].values()) == 24


def test_thresholds_and_what_they_secure_are_recomputed(sentinels, sentinel_trained):
    assert WANTED_ACCURACY == 0.9
    for k, target in enumerate(sentinels.targets):
        probabilities = sentinel_trained.out_of_fold[:81, k]
        confidence = probabilities.max(1)
        correct = np.array(STANCES)[probabilities.argmax(1)] == sentinels.y[:81, k]
        threshold = abstention_threshold(confidence, correct, accuracy=0.9)
        assert sentinel_trained.thresholds[target] == threshold
        answered = confidence >= threshold
        assert sentinel_trained.metrics["abstention"][target] == {
            "threshold": threshold,
            "coverage": answered.mean(),
            "accuracy": correct[answered].mean() if answered.any() else 0.0,
        }


def test_a_model_that_is_always_right_answers_everything(tiny_trained):
    assert tiny_trained.metrics["model"]["mean_macro_f1"] == 1.0
    assert tiny_trained.thresholds == {"harbour": 0.0, "railway": 0.0}
    assert tiny_trained.metrics["abstention"]["harbour"] == {"threshold": 0.0, "coverage": 1.0, "accuracy": 1.0}


def test_ids_do_not_enter_the_training(tiny_data):
    assert not any(record_id("s", n) in text for n in range(32) for text in tiny_data.texts)
