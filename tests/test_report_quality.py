"""How sure: confusion, calibration and what correction changes, against values worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.report.inputs import STATEMENTS, TAGS, ReportInputs
from pipeline.report.quality import (
    BINS,
    Confusion,
    calibration,
    calibration_chart,
    calibration_error,
    calibration_text,
    confusions,
    corrections,
    judged,
    label_counts,
    wilson,
)
from pipeline.schema import LABEL_COLUMNS
from tests.test_report_world import make_inputs, make_statement, make_tag, row, trend_frame

Said = tuple[str, str, str, str | None, float]
"""Country, target, the model's stance, the coders' (None without a label) and the confidence."""


def judging(*said: Said, **more: Any) -> ReportInputs:
    """Inputs with one statement and one tag for each."""
    statements, tags, labels = [], [], []
    for i, (country, target, stance, gold, confidence) in enumerate(said):
        statement = make_statement(i, country=country)
        statements.append(statement)
        tags.append(make_tag(statement, target, stance, confidence=confidence))
        if gold is not None:
            labels.append((statement["statement_id"], target, gold, 1.0))
    return make_inputs(
        statements=pd.DataFrame(statements, columns=list(STATEMENTS)), tags=pd.DataFrame(tags, columns=list(TAGS)),
        labels=pd.DataFrame(labels, columns=list(LABEL_COLUMNS)), **more,
    )  # fmt: skip


MIXED: tuple[Said, ...] = (
    ("CHN", "india", "favor", "favor", 0.9), ("CHN", "india", "favor", "against", 0.6),
    ("CHN", "india", "none", "favor", 0.5), ("CHN", "india", "none", "none", 0.99),
    ("CHN", "india", "favor", None, 0.8), ("RUS", "india", "against", "against", 0.7),
    ("PAK", "india", "neutral", "neutral", 0.7), ("RUS", "security", "neutral", "none", 0.4),
)  # fmt: skip


def test_only_labelled_tags_are_judged() -> None:
    rows = judged(judging(*MIXED))
    assert len(rows) == 7
    assert list(rows["agree"]) == [True, False, False, True, True, True, False]
    assert list(rows["country"]) == ["CHN"] * 4 + ["RUS", "PAK", "RUS"]


def test_a_label_on_another_target_judges_nothing() -> None:
    inputs = judging(("CHN", "india", "favor", "favor", 0.9))
    moved = inputs.labels.assign(target="security")
    assert judged(make_inputs(statements=inputs.statements, tags=inputs.tags, labels=moved)).empty


def test_a_label_given_twice_counts_once_and_the_first_stands() -> None:
    inputs = judging(("CHN", "india", "favor", "favor", 0.9))
    twice = pd.concat([inputs.labels, inputs.labels.assign(stance="against")], ignore_index=True)
    rows = judged(make_inputs(statements=inputs.statements, tags=inputs.tags, labels=twice))
    assert list(rows["gold"]) == ["favor"]


def test_confusion_is_by_target_and_country_true_by_predicted() -> None:
    china, russia, security = confusions(judging(*MIXED))
    assert (china.target, china.country) == ("india", "CHN")
    assert china.counts == ((1, 0, 0, 1), (0, 0, 0, 0), (1, 0, 0, 0), (0, 0, 0, 1))
    assert (russia.target, russia.country) == ("india", "RUS")
    assert russia.counts == ((0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 1, 0), (0, 0, 0, 0))
    assert (security.target, security.country) == ("security", "RUS")
    assert security.counts == ((0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 1, 0, 0))


def test_shares_of_right_tags_by_hand() -> None:
    china, russia, security = confusions(judging(*MIXED))
    assert (china.n, china.n_addressed) == (4, 3)
    assert china.accuracy == 0.5
    assert china.accuracy_addressed == pytest.approx(1 / 3)
    assert (russia.n, russia.accuracy, russia.accuracy_addressed) == (1, 1.0, 1.0)
    assert (security.n, security.n_addressed, security.accuracy) == (1, 0, 0.0)
    assert math.isnan(security.accuracy_addressed)


def test_shares_are_of_the_true_stance() -> None:
    counts = ((3, 1, 0, 0), (0, 0, 0, 0), (0, 0, 2, 0), (1, 1, 1, 1))
    shares = Confusion(target="india", country="CHN", counts=counts).shares()
    assert shares == ((0.75, 0.25, 0, 0), (0, 0, 0, 0), (0, 0, 1, 0), (0.25, 0.25, 0.25, 0.25))


def test_a_confusion_of_nothing_has_no_accuracy() -> None:
    nothing = Confusion(target="india", country="CHN", counts=((0,) * 4,) * 4)
    assert (nothing.n, nothing.n_addressed) == (0, 0)
    assert math.isnan(nothing.accuracy)
    assert math.isnan(nothing.accuracy_addressed)
    assert nothing.shares() == ((0,) * 4,) * 4


def test_none_does_not_flatter_the_share_among_the_addressed() -> None:
    own = Confusion(target="india", country="CHN", counts=((1, 0, 0, 1), (0,) * 4, (0,) * 4, (0, 0, 0, 98)))
    assert own.accuracy == 0.99
    assert own.accuracy_addressed == 0.5


def test_without_labels_there_is_no_confusion() -> None:
    assert confusions(judging(("CHN", "india", "favor", None, 0.9))) == ()
    assert confusions(make_inputs()) == ()


def test_one_actor_missing_leaves_the_other() -> None:
    found = confusions(judging(("RUS", "india", "favor", "favor", 0.9)))
    assert [one.country for one in found] == ["RUS"]


def test_a_country_outside_the_pair_has_no_confusion() -> None:
    assert confusions(judging(("PAK", "india", "favor", "favor", 0.9))) == ()


def test_the_pair_decides_whose_confusion_is_shown_and_in_which_order() -> None:
    found = confusions(judging(*MIXED, pair=("PAK", "CHN")))
    assert [(one.target, one.country) for one in found] == [("india", "PAK"), ("india", "CHN")]


def stances(*pairs: tuple[float, bool]) -> ReportInputs:
    return judging(*(("CHN", "india", "favor", "favor" if right else "against", sure) for sure, right in pairs))


def test_bins_are_equally_filled_from_unsure_to_sure() -> None:
    rows = calibration(stances((0.9, True), (0.5, False), (0.7, True), (0.3, False)), bins=2)
    assert [row["n"] for row in rows] == [2, 2]
    assert [row["confidence"] for row in rows] == pytest.approx([0.4, 0.8])
    assert [row["accuracy"] for row in rows] == [0.0, 1.0]
    assert (rows[0]["low"], rows[0]["high"]) == wilson(0, 2)
    assert (rows[1]["low"], rows[1]["high"]) == wilson(2, 2)


def test_what_does_not_divide_goes_to_the_first_bins() -> None:
    rows = calibration(stances(*((0.1 * i, True) for i in range(1, 8))), bins=3)
    assert [row["n"] for row in rows] == [3, 2, 2]


def test_bins_that_would_be_empty_are_left_out() -> None:
    assert [row["n"] for row in calibration(stances((0.4, True), (0.6, False)))] == [1, 1]
    assert len(calibration(stances(*((0.05 * i, True) for i in range(1, 17))))) == BINS


def test_tags_of_none_do_not_enter_the_bins() -> None:
    rows = calibration(judging(*MIXED), bins=1)
    assert [row["n"] for row in rows] == [5]
    assert rows[0]["confidence"] == pytest.approx((0.9 + 0.6 + 0.7 + 0.7 + 0.4) / 5)
    assert rows[0]["accuracy"] == pytest.approx(3 / 5)


def test_no_labels_no_bins() -> None:
    assert calibration(make_inputs()) == []
    assert calibration(judging(("CHN", "india", "none", "none", 0.9))) == []


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (1, 1, 0.2065, 1.0), (8, 10, 0.4902, 0.9433)],
)  # fmt: skip
def test_wilson_intervals_of_the_tables(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == pytest.approx((low, high), abs=2e-4)


@pytest.mark.parametrize("n", [1, 3, 50])
def test_wilson_intervals_stay_within_a_share_and_mirror(n: int) -> None:
    for hits in range(n + 1):
        low, high = wilson(hits, n)
        assert 0 <= low <= hits / n + 1e-12
        assert hits / n - 1e-12 <= high <= 1
        assert (1 - high, 1 - low) == pytest.approx(wilson(n - hits, n))


def test_the_calibration_error_weighs_by_size() -> None:
    rows = [{"confidence": 0.5, "accuracy": 0.7, "n": 1}, {"confidence": 0.9, "accuracy": 0.8, "n": 3}]
    assert calibration_error(rows) == pytest.approx((0.2 * 1 + 0.1 * 3) / 4)


def test_an_honest_model_has_no_error_and_nothing_has_none() -> None:
    assert calibration_error([{"confidence": 0.5, "accuracy": 0.5, "n": 9}]) == 0
    assert math.isnan(calibration_error([]))


def test_the_diagram_has_a_text_alternative_in_numbers() -> None:
    text = calibration_text(stances((0.2, False), (0.8, True)))
    assert text == (
        "2 labelled tags in 2 equal groups: where it is 20% sure it is right in 0%, where it is 80% sure it is right "
        "in 100%; mean distance 0.20."
    )


def test_without_labels_the_text_says_so_and_there_is_no_diagram() -> None:
    assert calibration_text(make_inputs()) == (
        "There is no labelled statement to hold the model's confidence against."
    )
    assert calibration_chart(make_inputs()) is None


def test_the_diagram_carries_the_bins_and_a_title_only_alone() -> None:
    inputs = stances((0.2, False), (0.8, True))
    inner, alone = calibration_chart(inputs), calibration_chart(inputs, standalone=True)
    assert inner is not None
    assert alone is not None
    assert "Confidence against accuracy" not in str(inner)
    assert "Confidence against accuracy" in str(alone)
    assert "'confidence': 0.8" in str(inner)


def test_labels_are_counted_by_stance_country_and_others() -> None:
    found = label_counts(judging(*MIXED))
    assert found == [
        {"target": "India's role", "country": "China", "counts": [2, 0, 1, 1], "n": 4},
        {"target": "India's role", "country": "Russia", "counts": [0, 0, 1, 0], "n": 1},
        {"target": "India's role", "country": "others", "counts": [0, 1, 0, 0], "n": 1},
        {"target": "Security of Central Asia", "country": "Russia", "counts": [0, 0, 0, 1], "n": 1},
    ]


def test_no_labels_no_counts() -> None:
    assert label_counts(make_inputs()) == []


def position(period: str, actor: str, naive: float | str, corrected: float, **more: Any) -> dict[str, Any]:
    return row(
        period,
        "position",
        target="india",
        country=actor,
        **({"naive_estimate": naive, "estimate": corrected} | more),
    )


def test_corrections_are_means_over_the_periods_with_data() -> None:
    trends = trend_frame([
        position("2020Q1", "CHN", 0.1, 0.3), position("2020Q2", "CHN", 0.3, 0.5),
        position("2020Q3", "CHN", 0.9, np.nan, status="empty"),
        position("2020Q1", "RUS", -0.2, -0.4), position("2020Q2", "RUS", -0.4, -0.4),
    ])  # fmt: skip
    # China 0.2 counted and 0.4 corrected, Russia -0.3 and -0.4, their gaps 0.5 and 0.8.
    assert corrections(make_inputs(trends=trends)) == [
        {"target": "India's role", "cells": ["+0.20", "+0.40", "−0.30", "−0.40", "+0.50", "+0.80"]}
    ]


def test_numbers_that_are_text_are_read() -> None:
    trends = trend_frame([position("2020Q1", "CHN", "0.1", 0.3), position("2020Q1", "RUS", "0.1", 0.3)])
    assert corrections(make_inputs(trends=trends))[0]["cells"][-2:] == ["0.00", "0.00"]


@pytest.mark.parametrize("naive", ["", np.nan])
def test_a_target_without_a_count_or_an_actor_is_left_out(naive: Any) -> None:
    both = trend_frame([position("2020Q1", "CHN", naive, 0.3), position("2020Q1", "RUS", 0.1, 0.3)])
    alone = trend_frame([position("2020Q1", "CHN", 0.1, 0.3)])
    assert corrections(make_inputs(trends=both)) == []
    assert corrections(make_inputs(trends=alone)) == []
