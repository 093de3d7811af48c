"""Calibration and abstention against values worked out by hand and by brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from pipeline.classify.calibration import (
    Temperatures,
    abstention_threshold,
    accuracy_at,
    calibration_noise,
    expected_calibration_error,
    fit_temperature,
)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_a_known_temperature_is_recovered(temperature):
    rng = np.random.default_rng(0)
    honest = rng.normal(scale=2.0, size=(20_000, 4))
    draws = rng.random(len(honest))[:, None]
    truth = (softmax(honest, axis=1).cumsum(axis=1) < draws).sum(axis=1)
    assert fit_temperature(honest * temperature, truth) == pytest.approx(temperature, rel=0.05)


def test_the_temperature_of_a_single_score_is_worked_out_by_hand():
    # Three right and one wrong at odds of 9 to 1: the likelihood is highest where the odds are 3 to 1.
    scores = np.tile([np.log(9.0), 0.0], (4, 1))
    assert fit_temperature(scores, np.array([0, 0, 0, 1])) == pytest.approx(2.0, rel=1e-3)


def test_a_weight_counts_a_case_more_often():
    scores = np.tile([np.log(9.0), 0.0], (3, 1))
    thrice = fit_temperature(scores, np.array([0, 0, 1]), np.array([1.0, 2.0, 1.0]))
    assert thrice == pytest.approx(2.0, rel=1e-3)


def test_temperatures_are_those_of_the_language_and_else_the_overall_ones():
    given = Temperatures(overall=np.array([1.0, 2.0]), by_language={"ru": np.array([3.0, 4.0])})
    assert given.of(["ru", "zh", "ru"]).tolist() == [[3, 4], [1, 2], [3, 4]]
    assert given.of([]).shape == (0, 2)


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


@pytest.mark.parametrize(("truth", "low", "high"), [([0, 0, 0, 0], 0.049, 0.06), ([1, 1, 1, 1], 15.0, 20.1)])
def test_the_temperature_stays_within_its_bounds(truth, low, high):
    assert low < fit_temperature(np.tile([2.0, 0.0], (4, 1)), np.array(truth)) < high


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
