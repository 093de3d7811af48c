"""Calibration and abstention against values worked out by hand and by brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from pipeline.classify.calibration import (
    NEVER,
    abstention_threshold,
    accuracy_at,
    calibration_noise,
    expected_calibration_error,
    fit_scaling,
)


def drawn(log_odds, seed=0):
    """Return classes drawn with the probabilities that the log-odds say."""
    draws = np.random.default_rng(seed).random(len(log_odds))[:, None]
    return (softmax(log_odds, axis=1).cumsum(axis=1) < draws).sum(axis=1)


@pytest.mark.parametrize("factor", [0.4, 1.0, 3.0])
def test_margins_that_are_too_sure_or_too_shy_become_honest(factor):
    honest = np.random.default_rng(1).normal(scale=2.0, size=(20_000, 4))
    matrix, offsets = fit_scaling(honest * factor, drawn(honest))
    found = softmax(honest * factor @ matrix + offsets, axis=1)
    assert np.abs(found - softmax(honest, axis=1)).mean() < 0.01


def test_a_class_that_the_machine_prefers_to_another_is_set_right():
    honest = np.random.default_rng(2).normal(scale=2.0, size=(20_000, 4))
    leaning = honest + np.array([0.0, 0.0, 0.0, 2.0])
    matrix, offsets = fit_scaling(leaning, drawn(honest))
    found = softmax(leaning @ matrix + offsets, axis=1)
    assert np.abs(found.mean(axis=0) - softmax(honest, axis=1).mean(axis=0)).max() < 0.01


def test_without_a_case_of_a_class_its_log_odds_say_never_and_the_others_do_not_see_it():
    honest = np.random.default_rng(3).normal(scale=2.0, size=(2_000, 4))
    truth = drawn(honest)
    shown = truth != 1
    matrix, offsets = fit_scaling(honest[shown], truth[shown])
    assert matrix[1].tolist() == matrix[:, 1].tolist() == [0.0] * 4
    assert offsets[1] == NEVER
    without = fit_scaling(np.delete(honest[shown], 1, axis=1), truth[shown] - (truth[shown] > 1))
    np.testing.assert_allclose(np.delete(np.delete(matrix, 1, axis=0), 1, axis=1), without[0])
    np.testing.assert_allclose(np.delete(offsets, 1), without[1])


def test_of_two_classes_each_has_its_log_odds():
    margins = np.random.default_rng(4).normal(scale=2.0, size=(5_000, 4))
    truth = np.where(np.random.default_rng(5).random(5_000) < 1 / (1 + np.exp(margins[:, 0] - margins[:, 3])), 3, 0)
    matrix, offsets = fit_scaling(margins, truth)
    found = softmax(margins @ matrix + offsets, axis=1)
    assert found[:, 1:3].max() < 1e-9
    assert found[:, 0].mean() == pytest.approx((truth == 0).mean(), abs=0.005)
    np.testing.assert_allclose(found[:, 0], 1 / (1 + np.exp(margins[:, 3] - margins[:, 0])), atol=0.05)


@pytest.mark.parametrize("truth", [[], [2, 2, 2]])
def test_where_there_is_nothing_to_tell_apart_margins_stay_as_they_are(truth):
    matrix, offsets = fit_scaling(np.ones((len(truth), 4)), np.array(truth, dtype=int))
    assert matrix.tolist() == np.eye(4).tolist()
    assert offsets.tolist() == [0.0] * 4


def test_a_weight_counts_a_case_more_often():
    margins, truth = np.random.default_rng(6).normal(size=(60, 3)), np.arange(60) % 3
    weights = np.where(truth == 0, 3.0, 1.0)
    repeated = np.repeat(np.arange(60), weights.astype(int))
    for found, expected in zip(
        fit_scaling(margins, truth, weights), fit_scaling(margins[repeated], truth[repeated]), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-3)
    assert not np.allclose(fit_scaling(margins, truth, weights)[1], fit_scaling(margins, truth)[1], atol=1e-2)


def test_accuracy_is_of_the_surest_share_and_of_one_case_at_least():
    confidence, correct = np.array([0.6, 0.9, 0.7, 0.8]), np.array([True, True, False, False])
    assert [accuracy_at(confidence, correct, share) for share in (0.01, 0.5, 0.75, 1.0)] == [1, 0.5, 1 / 3, 0.5]


def test_honest_confidences_show_the_error_of_chance_which_shrinks_with_their_number():
    few, many = (calibration_noise(np.full(n, 0.8)) for n in (100, 10_000))
    # A bin of ten misses .8 by sqrt(.8 * .2 / 10) times sqrt(2 / pi) on average, about .1.
    assert few == pytest.approx(0.1, abs=0.01)
    assert many == pytest.approx(few / 10, rel=0.1)
    assert calibration_noise(np.ones(50)) == 0.0
    assert calibration_noise(np.full(100, 0.8), random_state=1) != few == calibration_noise(np.full(100, 0.8))


def test_calibration_error_by_hand_with_equally_filled_bins():
    confidence = np.array([0.9, 0.6, 0.8, 0.5])
    correct = np.array([True, False, False, True])
    # Bins by confidence: (0.5 right, 0.6 wrong): |0.55 - 0.5|; (0.8 wrong, 0.9 right): |0.85 - 0.5|.
    assert expected_calibration_error(confidence, correct, bins=2) == pytest.approx((2 * 0.05 + 2 * 0.35) / 4)
    # One bin: |0.7 - 0.5|. Four: 0.5, 0.6, 0.8, 0.1.
    assert expected_calibration_error(confidence, correct, bins=1) == pytest.approx(0.2)
    assert expected_calibration_error(confidence, correct, bins=4) == pytest.approx(2.0 / 4)


def test_calibration_error_weighs_bins_by_their_cases_and_passes_over_empty_ones():
    confidence = np.array([0.2, 0.4, 0.9])
    correct = np.array([False, True, True])
    # Two bins of two and one: |0.3 - 0.5| * 2 + |0.9 - 1| * 1.
    assert expected_calibration_error(confidence, correct, bins=2) == pytest.approx((0.4 + 0.1) / 3)
    assert expected_calibration_error(confidence, correct) == pytest.approx((0.2 + 0.6 + 0.1) / 3)


def test_there_are_ten_bins_unless_told():
    confidence = np.linspace(0.05, 0.95, 20)
    correct = np.arange(20) % 2 == 0
    assert expected_calibration_error(confidence, correct) == pytest.approx(
        expected_calibration_error(confidence, correct, bins=10)
    )
    assert expected_calibration_error(confidence, correct) != pytest.approx(
        expected_calibration_error(confidence, correct, bins=20)
    )


@pytest.mark.parametrize(
    ("confidence", "correct", "accuracy", "threshold"),
    [
        ([0.9, 0.8, 0.7], [1, 1, 1], 0.9, 0.0),
        ([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 0], 1.0, 0.8),
        ([0.6, 0.8, 0.9, 0.7], [0, 1, 1, 0], 1.0, 0.8),
        ([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], 2 / 3, 0.7),
        ([0.9, 0.8, 0.7, 0.6], [0, 1, 1, 1], 0.75, 0.0),
        ([0.9, 0.8], [0, 0], 0.5, 1.01),
        ([0.9, 0.8, 0.8], [1, 1, 0], 1.0, 0.9),  # equal confidences stand or fall together
        ([0.8, 0.8, 0.7], [0, 1, 0], 1.0, 1.01),
        ([], [], 0.9, 1.01),
    ],
)
def test_the_threshold_by_hand(confidence, correct, accuracy, threshold):
    found = abstention_threshold(np.array(confidence), np.array(correct, dtype=bool), accuracy=accuracy)
    assert found == threshold


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0.3, 0.4, 0.5, 0.6, 0.7, 0.9]), st.booleans()), min_size=1, max_size=12),
    st.sampled_from([0.5, 0.75, 0.9, 1.0]),
)
def test_the_threshold_is_the_lowest_that_reaches_the_accuracy(cases, accuracy):
    confidence = np.array([case[0] for case in cases])
    correct = np.array([case[1] for case in cases])
    reached = [cut for cut in confidence if correct[confidence >= cut].mean() >= accuracy]
    expected = 1.01 if not reached else 0.0 if min(reached) == confidence.min() else min(reached)
    assert abstention_threshold(confidence, correct, accuracy=accuracy) == expected
