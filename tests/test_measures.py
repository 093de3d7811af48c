"""What the card says beside macro-F1, against values worked out by hand."""

import numpy as np
import pytest

from pipeline.classify.measures import COVERAGES, by_coverage, by_language, cost_of_abstention
from pipeline.schema import STANCES

FAVOR, NEUTRAL, AGAINST, NONE = range(4)


def sure(stance, confidence):
    return np.where(np.arange(4) == stance, confidence, (1 - confidence) / 3)


# One target; ten texts: the label, the tag and how sure it is.
CASES = [
    ("favor", FAVOR, 0.9), ("favor", FAVOR, 0.8), ("favor", NEUTRAL, 0.5), ("against", AGAINST, 0.7),
    ("none", NONE, 0.99), ("none", NONE, 0.98), ("none", NONE, 0.97), ("none", FAVOR, 0.4), ("none", NONE, 0.96),
    ("", AGAINST, 1.0),
]  # fmt: skip
Y = np.array([[label] for label, _, _ in CASES], dtype=object)
P = np.array([[sure(stance, confidence)] for _, stance, confidence in CASES])


def test_accuracy_by_coverage_of_all_and_of_those_that_are_spoken_of():
    curves = by_coverage(["x"], Y, P)["x"]
    at = dict(zip(COVERAGES, range(len(COVERAGES)), strict=True))
    assert curves["all"][at[1.0]] == pytest.approx(7 / 9)
    assert curves["all"][at[0.8]] == 1.0  # the seven surest
    assert curves["spoken"][at[1.0]] == pytest.approx(3 / 5)  # a wrong favor on a silent text counts
    assert curves["spoken"][at[0.8]] == pytest.approx(3 / 4)
    assert curves["spoken"][at[0.6]] == 1.0


def test_a_target_without_labels_has_no_curve():
    assert by_coverage(["x"], np.full((2, 1), "", dtype=object), P[:2]) == {"x": {}}


def test_the_cost_of_abstention():
    cost = cost_of_abstention(["x"], Y, P, {"x": 0.75})["x"]
    # Withheld: .5 (wrong), .7 (right), .4 (wrong), of nine; of the four that address it: two.
    assert cost == {"abstained": pytest.approx(3 / 9), "of_spoken": 0.5, "right": pytest.approx(1 / 3)}
    assert cost_of_abstention(["x"], Y, P, {"x": 0.0})["x"] == {"abstained": 0.0, "of_spoken": 0.0, "right": 0.0}


def test_parts_are_measured_by_themselves_and_empty_ones_left_out():
    parts = {"first": np.arange(4), "rest": np.arange(4, 10), "nobody": np.array([], dtype=int)}
    first, rest = by_language(["x"], Y, P, parts)
    assert (first["part"], first["texts"], rest["part"], rest["texts"]) == ("first", 4, "rest", 6)
    assert first["macro_f1"] == {"x": pytest.approx(4 / 5)}  # favor: 2 of 3 found, none wrong; the rest too few
    assert first["mean_macro_f1"] == first["macro_f1"]["x"]
    assert rest["macro_f1"]["x"] == pytest.approx(8 / 9)
    # Bins of one: |.9 - 1|, |.8 - 1|, |.5 - 0|, |.7 - 1|.
    assert first["ece"] == pytest.approx((0.1 + 0.2 + 0.5 + 0.3) / 4)
    assert 0 < rest["ece_noise"] < 0.2
    assert STANCES[NONE] == "none"
