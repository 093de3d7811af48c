"""Which totals estimates and p-values are computed on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.aggregate.analysis import Analysis, analyse, pair_totals
from pipeline.aggregate.fallback import is_stable
from pipeline.aggregate.inputs import check_events, observe
from tests.test_aggregate_frames import ERRORS, QUICK, events_of, labels_of, make_world


def analysed(tags: pd.DataFrame, labels: pd.DataFrame) -> Analysis:
    return analyse(observe(tags, labels, QUICK), check_events(events_of(), QUICK), QUICK)


@pytest.fixture(scope="module")
def stable() -> Analysis:
    found = analysed(*make_world(2, share=0.5)[:2])
    assert found.drift is not None
    return replace(found, drift=replace(found.drift, p_value=np.full(3, 0.9)))


def with_drift(found: Analysis, p: float) -> Analysis:
    assert found.drift is not None
    return replace(found, drift=replace(found.drift, p_value=np.full(3, p)))


def test_a_stable_classifier_lends_its_predictions(stable: Analysis) -> None:
    totals = pair_totals(stable)
    assert totals.estimate.estimator == totals.series.estimator == "combined"
    for one in (totals.series, totals.event):
        assert one.scores.shape == totals.estimate.scores.shape
        assert not np.allclose(one.scores, totals.estimate.scores)
        np.testing.assert_array_equal(one.volume, totals.estimate.volume)
    assert not np.allclose(totals.series.scores, totals.event.scores)


def test_totals_for_p_values_carry_less_noise(stable: Analysis) -> None:
    totals = pair_totals(stable)
    raw = pair_totals(with_drift(stable, 0.01)).estimate
    spread = [np.diff(t.scores, axis=-1).std() for t in (totals.event, totals.series, raw)]
    assert spread[0] < spread[2]
    assert spread[1] < spread[2]


def test_a_hint_of_drift_leaves_estimates_alone_and_drift_everything(stable: Analysis) -> None:
    hinted, drifted = pair_totals(with_drift(stable, 0.1)), pair_totals(with_drift(stable, 0.04))
    assert hinted.estimate.estimator == "design-based"
    np.testing.assert_array_equal(hinted.estimate.scores, drifted.estimate.scores)
    assert not np.allclose(hinted.event.scores, hinted.estimate.scores)
    for one in (drifted.series, drifted.event):
        np.testing.assert_array_equal(one.scores, drifted.estimate.scores)


def test_without_labels_or_a_drift_test_all_is_one() -> None:
    tags, labels, _ = make_world(2)
    few = labels.groupby("target").head(12)  # enough to correct, too few to test for drift
    for given, name in ((labels_of(), "uncorrected"), (few, "design-based")):
        totals = pair_totals(analysed(tags, given))
        assert totals.estimate is totals.series is totals.event
        assert totals.estimate.estimator == name


@pytest.mark.parametrize(("p", "stable_then"), [(0.05, True), (0.049, False), (None, False), (np.nan, False)])
def test_stability(p: float | None, stable_then: bool) -> None:
    assert is_stable(p, ERRORS) is stable_then


def test_matrices_without_an_inverse_are_not_read_through() -> None:
    assert not is_stable(0.9, np.full((1, 4, 4), 0.25))
    assert not is_stable(0.9, np.zeros((0, 4, 4)))
    assert not is_stable(0.1, ERRORS, level=0.2)
