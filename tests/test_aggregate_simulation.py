"""A small proof on worlds with a known truth: intervals cover, nothing is found in nothing, and naive is worse.

Bounds are loose: a few worlds only, and the seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.aggregate import TrendOptions, Trends, estimate_trends
from tests.test_aggregate_frames import events_of, make_world

EVENT = events_of(("e1", "2021-04-01"))
OPTIONS = TrendOptions(draws=60, permutations=99, window=15)
SEEDS = range(10)
Z = 1.96


def answers(after: float) -> list[tuple[Trends, np.ndarray]]:
    found = []
    for seed in SEEDS:
        tags, labels, truth = make_world(100 + seed, after=after)
        found.append((estimate_trends(tags, labels, EVENT, OPTIONS), truth["position"]))
    return found


@pytest.fixture(scope="module")
def steady() -> list[tuple[Trends, np.ndarray]]:
    return answers(1.0)


@pytest.fixture(scope="module")
def closing() -> list[tuple[Trends, np.ndarray]]:
    return answers(0.2)


def compared(found: list[tuple[Trends, np.ndarray]], measure: str) -> pd.DataFrame:
    """Return quarterly rows of a measure beside the truth."""
    frames = []
    for answer, position in found:
        quarters = position.reshape(2, 2, 10, 3).mean(axis=-1)
        gap = quarters[0] - quarters[1]
        signs = np.sign(gap.mean(axis=-1))
        pooled = (signs[:, None] * gap).mean(axis=0)
        true = {
            "convergence": 1 - np.abs(gap) / 2,
            "gap": gap,
            "pooled_convergence": (1 - np.abs(pooled) / 2)[None],
        }
        rows = answer.trends[(answer.trends["measure"] == measure) & (answer.trends["freq"] == "quarter")]
        rows = rows[rows["status"] != "empty"]
        stamp = pd.to_datetime(rows["period_start"])
        period = ((stamp.dt.year - 2020) * 4 + (stamp.dt.month - 1) // 3).to_numpy()
        target = rows["target"].str[-1].map({"0": 0, "1": 1, "L": 0}).to_numpy()
        frames.append(rows.assign(true=true[measure][target, period]))
    return pd.concat(frames)


def effects(found: list[tuple[Trends, np.ndarray]], test: str = "event") -> pd.DataFrame:
    tables = [answer.tests for answer, _ in found]
    return pd.concat([table[(table["test"] == test) & (table["target"] == "ALL")] for table in tables])


@pytest.mark.parametrize("measure", ["gap", "convergence", "pooled_convergence"])
@pytest.mark.parametrize("world", ["steady", "closing"])
def test_intervals_cover(measure: str, world: str, request: pytest.FixtureRequest) -> None:
    rows = compared(request.getfixturevalue(world), measure)
    covered = (rows["conf_low"] <= rows["true"]) & (rows["true"] <= rows["conf_high"])
    assert covered.mean() > 0.85
    assert (rows["conf_high"] - rows["conf_low"]).mean() < 1.5  # and not by saying nothing


@pytest.mark.parametrize("measure", ["gap", "convergence", "pooled_convergence"])
@pytest.mark.parametrize("world", ["steady", "closing"])
def test_naive_is_worse(measure: str, world: str, request: pytest.FixtureRequest) -> None:
    rows = compared(request.getfixturevalue(world), measure)
    error, naive = rows["estimate"] - rows["true"], rows["naive_estimate"] - rows["true"]
    assert (error**2).mean() < (naive**2).mean()
    if measure == "pooled_convergence" and world == "steady":
        assert naive.mean() > 0.02 + abs(error.mean()) / 2  # errors of the classifier look like agreement


def test_change_of_convergence_is_covered_and_found(closing: list[tuple[Trends, np.ndarray]]) -> None:
    rows = effects(closing)
    true = 0.65 * (1 - 0.2) / 2
    assert ((rows["conf_low"] <= true) & (true <= rows["conf_high"])).mean() >= 0.8
    assert rows["effect"].mean() == pytest.approx(true, abs=0.08)
    assert (rows["p_value"] < 0.05).mean() >= 0.5


@pytest.mark.parametrize("test", ["trend", "changepoint", "event", "leadlag", "classifier_drift"])
def test_nothing_is_found_in_nothing(test: str, steady: list[tuple[Trends, np.ndarray]]) -> None:
    rows = effects(steady, test)
    assert rows["p_value"].notna().all()
    assert (rows["p_value"] < 0.05).sum() <= 2
    assert rows["p_value"].mean() > 0.25


def test_salience_is_right_though_the_classifier_sees_too_much(steady: list[tuple[Trends, np.ndarray]]) -> None:
    tables = pd.concat([answer.trends for answer, _ in steady])
    rows = tables[(tables["measure"] == "salience") & (tables["freq"] == "quarter")]
    assert rows["estimate"].mean() == pytest.approx(0.4, abs=0.03)
    assert ((rows["conf_low"] <= 0.4) & (rows["conf_high"] >= 0.4)).mean() > 0.88
    assert ((rows["estimate"] - 0.4) ** 2).mean() < 0.02
