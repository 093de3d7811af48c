"""Metrics against scikit-learn and against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score
from sklearn.metrics import confusion_matrix as sklearn_confusion

from pipeline.classify.evaluate import (
    MIN_CASES,
    confusion_matrix,
    evaluate,
    evaluate_target,
    f1_scores,
    macro_f1,
)
from pipeline.schema import STANCES

PAIRS = st.lists(st.tuples(st.sampled_from(STANCES), st.sampled_from(STANCES)), min_size=1, max_size=60)


@settings(max_examples=150, deadline=None)
@given(PAIRS)
def test_confusion_f1_and_accuracy_are_scikit_learns(pairs):
    gold, predicted = [p[0] for p in pairs], [p[1] for p in pairs]
    matrix = confusion_matrix(gold, predicted)
    assert matrix.tolist() == sklearn_confusion(gold, predicted, labels=list(STANCES)).tolist()
    expected = f1_score(gold, predicted, labels=list(STANCES), average=None, zero_division=0)
    np.testing.assert_allclose(f1_scores(matrix), expected)
    counted = [stance for stance in STANCES if gold.count(stance) >= 3]
    result = evaluate_target(gold, predicted)
    assert result.accuracy == pytest.approx(accuracy_score(gold, predicted))
    if counted:
        wanted = f1_score(gold, predicted, labels=counted, average="macro", zero_division=0)
        assert result.macro_f1 == pytest.approx(wanted)
    else:
        assert result.macro_f1 is None


def test_a_stance_with_two_cases_is_left_out_and_one_with_three_counts():
    gold = ["favor"] * 3 + ["none"] * 3 + ["against"] * 2
    predicted = ["favor"] * 3 + ["none"] * 3 + ["neutral"] * 2
    assert MIN_CASES == 3
    assert evaluate_target(gold, predicted).macro_f1 == 1.0
    assert evaluate_target([*gold, "against"], [*predicted, "neutral"]).macro_f1 == pytest.approx(2 / 3)


def test_fewest_cases_can_be_chosen():
    matrix = confusion_matrix(["favor", "none", "none"], ["favor", "none", "favor"])
    # favor: 2 * 1 / (1 + 2); none: 2 * 1 / (2 + 1).
    assert macro_f1(matrix, min_cases=1) == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert macro_f1(matrix, min_cases=2) == pytest.approx(2 / 3)
    assert macro_f1(matrix) is None


def test_a_wrongly_predicted_stance_lowers_f1_by_hand():
    gold = ["favor"] * 4 + ["none"] * 4
    predicted = ["favor", "favor", "favor", "none", "none", "none", "favor", "against"]
    result = evaluate_target(gold, predicted)
    # favor: TP 3, true 4, predicted 4; none: TP 2, true 4, predicted 3.
    assert result.f1 == {"favor": 0.75, "none": round(4 / 7, 4)}
    assert result.macro_f1 == pytest.approx((0.75 + 4 / 7) / 2)
    assert result.accuracy == 5 / 8
    assert result.support == {"favor": 4, "neutral": 0, "against": 0, "none": 4}
    assert result.confusion["favor"] == {"favor": 3, "neutral": 0, "against": 0, "none": 1}
    assert result.confusion["none"] == {"favor": 1, "neutral": 0, "against": 1, "none": 2}
    assert (result.ece, result.accuracy_at_80_coverage) == (None, None)


@pytest.mark.parametrize(("gold", "predicted"), [(["favour"], ["favor"]), (["favor"], [""]), (["favor"], [])])
def test_stances_that_are_none_of_the_four_are_refused(gold, predicted):
    with pytest.raises(ValueError):
        confusion_matrix(gold, predicted)


def test_calibration_and_accuracy_at_coverage_by_hand():
    gold = ["favor"] * 5
    predicted = ["favor", "none", "favor", "none", "favor"]
    confidence = np.array([0.9, 0.5, 0.8, 0.7, 0.6])
    result = evaluate_target(gold, predicted, confidence)
    # The surest four of five: 0.9 right, 0.8 right, 0.7 wrong, 0.6 right.
    assert result.accuracy_at_80_coverage == 0.75
    # Five bins of one case: 0.1, 0.5, 0.2, 0.7, 0.4.
    assert result.ece == pytest.approx(1.9 / 5)


def test_a_single_case_is_covered():
    assert evaluate_target(["favor"], ["favor"], np.array([0.4])).accuracy_at_80_coverage == 1.0


def test_no_cases_measure_nothing():
    result = evaluate_target([], [], np.array([]))
    assert (result.macro_f1, result.accuracy, result.ece, result.f1) == (None, None, None, {})
    assert result.support == dict.fromkeys(STANCES, 0)


def test_unlabelled_pairs_are_left_out_per_target():
    gold = np.array([["favor", ""], ["favor", "none"], ["favor", "none"], ["none", "none"]], dtype=object)
    predicted = np.array([["favor", "favor"], ["favor", "none"], ["none", "none"], ["none", "favor"]], dtype=object)
    confidence = np.array([[0.9, 0.9], [0.9, 0.6], [0.9, 0.7], [0.9, 0.8]])
    result = evaluate(("harbour", "railway"), gold, predicted, confidence)
    assert result["pairs"] == 7
    assert result["targets"]["harbour"]["macro_f1"] == pytest.approx(0.8)
    assert result["targets"]["railway"]["macro_f1"] == pytest.approx(0.8)
    assert result["targets"]["railway"]["support"]["none"] == 3
    assert result["targets"]["railway"]["confusion"]["none"]["favor"] == 1
    assert result["targets"]["railway"]["ece"] == pytest.approx((0.4 + 0.3 + 0.8) / 3)
    assert result["targets"]["harbour"]["ece"] == pytest.approx((0.1 * 3 + 0.9) / 4)
    assert result["mean_ece"] == pytest.approx((0.5 + 0.3) / 2)
    assert result["mean_macro_f1"] == pytest.approx(0.8)


def test_a_target_without_a_figure_does_not_enter_the_mean():
    gold = np.array([["favor", "none"]] * 3 + [["favor", ""]], dtype=object)
    gold[:2, 1] = ""
    predicted = np.array([["favor", "none"]] * 4, dtype=object)
    result = evaluate(("harbour", "railway"), gold, predicted)
    assert result["targets"]["railway"]["macro_f1"] is None
    assert result["mean_macro_f1"] == 1.0
    assert result["mean_ece"] is None


def test_nothing_labelled_gives_no_mean():
    result = evaluate(("harbour",), np.array([[""]], dtype=object), np.array([["none"]], dtype=object))
    assert (result["pairs"], result["mean_macro_f1"]) == (0, None)
