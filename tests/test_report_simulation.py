"""The indicators on worlds whose truth is known: intervals cover, little is found in nothing, and much in much.

Bounds are loose, since the worlds are few and the seeds fixed; `tests/bench/indicators.py` draws hundreds.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.bench.indicators import CHINA, RECOGNITION, RUSSIA, SECURITY, said, summary
from tests.strands import ACTORS, CONFUSION, TARGETS, make_strands

WORLDS = 24


@pytest.fixture(scope="module")
def still() -> pd.DataFrame:
    """What is found where nothing changes, a quarter is labelled and the classifier errs by country."""
    return summary(WORLDS, labelled=0.25)


@pytest.fixture(scope="module")
def moving() -> pd.DataFrame:
    """What is found where one actor's positions rise by .2 a year."""
    return summary(WORLDS, slope=0.2)


@pytest.fixture(scope="module")
def swinging() -> pd.DataFrame:
    """What is found where both actors swing alike, for months on end, and say much."""
    return summary(WORLDS, swing=0.3, memory=0.7, shared=0.9, documents=12.0)


@pytest.mark.parametrize("name", ["mean", "warmth", "attention", "trend", "trend of the difference"])
def test_intervals_hold_the_truth(still: pd.DataFrame, moving: pd.DataFrame, name: str) -> None:
    for found in (still, moving):
        assert found.loc[name, "covered"] >= 0.8
        assert abs(found.loc[name, "error"]) < 3 * found.loc[name, "sd"] / WORLDS**0.5
    assert still.loc[name, "half"] < 0.5  # and not by saying nothing


@pytest.mark.parametrize("name", ["trend", "trend of the difference", "together"])
def test_nothing_is_seldom_found(still: pd.DataFrame, name: str) -> None:
    assert still.loc[name, "found"] <= 0.17


def test_long_swings_are_seldom_taken_for_a_trend(swinging: pd.DataFrame) -> None:
    assert swinging.loc["trend", "found"] <= 0.17


def test_a_trend_is_found_with_its_size(moving: pd.DataFrame) -> None:
    assert moving.loc["trend", "found"] >= 0.9
    assert moving.loc["trend", "estimate"] == pytest.approx(0.2, abs=0.03)
    assert 0.1 < moving.loc["trend", "detectable"] < 0.25


def test_swings_in_common_are_found_though_the_correlation_comes_out_too_small(swinging: pd.DataFrame) -> None:
    assert swinging.loc["together", "found"] >= 0.5
    assert 0.2 < swinging.loc["together", "estimate"] < 0.9


def test_more_labels_narrow_the_intervals() -> None:
    few, many = (summary(4, labelled=share) for share in (0.2, 1.0))
    assert many.loc["mean", "half"] < 0.8 * few.loc["mean", "half"]


def test_counting_tags_as_if_they_were_true_misses_what_the_labels_put_right() -> None:
    errors = []
    for seed in range(8):
        world = make_strands(seed, labelled=0.5)
        one = said(world, RUSSIA, SECURITY)
        naive = pd.DataFrame(world.inputs.tags)
        rows = naive[naive["target"] == TARGETS[SECURITY]].merge(world.inputs.statements, on="statement_id")
        rows = rows[(rows["country"] == ACTORS[RUSSIA]) & (rows["stance"] != "none")]
        counted = rows["stance"].map({"favor": 1, "neutral": 0, "against": -1}).mean()
        errors.append(
            (
                counted - world.mean(RUSSIA, SECURITY),
                one.score.sum() / one.addressed.sum() - world.mean(RUSSIA, SECURITY),
            )
        )
    naive_error, corrected = np.mean(errors, axis=0)
    assert naive_error < -0.03  # this actor is read too cold
    assert abs(corrected) < abs(naive_error)


def test_the_worlds_are_what_they_say() -> None:
    world = make_strands(3, months=24, labelled=0.5, growth=5.0)
    again = make_strands(3, months=24, labelled=0.5, growth=5.0)
    pd.testing.assert_frame_equal(world.inputs.tags, again.inputs.tags)
    labelled = world.inputs.labels["statement_id"].nunique() / len(world.inputs.statements)
    assert 0.35 < labelled < 0.65
    assert world.position.shape == world.addressed.shape == (2, len(TARGETS), 24)
    assert CONFUSION.sum(axis=-1) == pytest.approx(1)
    grown = make_strands(3, growth=5.0)
    own = said(grown, CHINA, RECOGNITION)
    assert own.addressed.sum() == pytest.approx(grown.addressed[CHINA, RECOGNITION].sum(), rel=0.3)
    assert (own.month >= 45).mean() > 0.6
    level = make_strands(3, months=24, level=0.0, swing=0.0)
    assert not level.position.any()
