"""The table of tests: which rows there are, what they say, and what is left blank."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.aggregate import TrendOptions, estimate_trends
from pipeline.aggregate.hypotheses import EXTRA_COLUMNS, Bench, run_tests
from pipeline.aggregate.inputs import check_events
from pipeline.aggregate.totals import PairTotals, TestTotals
from pipeline.schema import TEST_COLUMNS
from tests.test_aggregate_frames import QUICK, events_of, labels_of, make_world, tags_of

NUMBERS = ["statistic", "effect", "conf_low", "conf_high", "p_value", "p_adjusted", "min_detectable_effect"]
START = 2020 * 12
EVENT = events_of(("e1", "2021-01-01"))
MORE = TrendOptions(draws=20, permutations=199)


def bench_of(
    positions: np.ndarray, *, weight: float = 10.0, options: TrendOptions = MORE, **changes: object
) -> Bench:
    """Make a bench of actors with known monthly positions (2, K, T)."""
    addressed = np.full(positions.shape, weight)
    given: dict[str, object] = {
        "scores": positions * addressed, "addressed": addressed, "score_draws": (positions * addressed)[None],
        "addressed_draws": addressed[None], "volume": addressed, "present": addressed > 0,
        "pooled": np.ones(positions.shape[1], bool), "estimator": "design-based",
    }  # fmt: skip
    totals = PairTotals(**(given | changes))  # type: ignore[arg-type]
    names = tuple(f"t{k}" for k in range(positions.shape[1]))
    tested = TestTotals(estimate=totals, series=totals, event=totals)
    return Bench(tested=tested, targets=names, first_month=START, options=options)


def positions_of(gap: np.ndarray, *, seed: int = 0, sd: float = 0.08) -> np.ndarray:
    """Make noisy positions (2, K, T) with a given gap (K, T)."""
    rng = np.random.default_rng(seed)
    return np.stack([gap / 2, -gap / 2]) + rng.normal(0, sd, (2, *gap.shape))


def table_of(bench: Bench, events: pd.DataFrame = EVENT) -> pd.DataFrame:
    table = run_tests(bench, None, check_events(events, bench.options))
    return table.set_index(["test", "target"]).sort_index()


STEP = np.where(np.arange(24) < 12, 0.8, 0.2) * np.array([1.0, -1.0])[:, None]
FLAT = np.full((2, 24), 0.5)


def test_rows_and_columns() -> None:
    table = run_tests(bench_of(positions_of(FLAT)), None, check_events(EVENT, MORE))
    assert tuple(table.columns) == (*TEST_COLUMNS, *EXTRA_COLUMNS)
    assert table.groupby("test", sort=False)["target"].agg(list).to_dict() == {
        name: ["t0", "t1", "ALL"] for name in ("trend", "changepoint", "event", "leadlag", "classifier_drift")
    }
    assert set(table["event_id"]) == {"", "e1"}
    assert table["window_start"].iloc[0] == "2020-01-01"
    assert table["window_end"].iloc[0] == "2021-12-31"


def test_units() -> None:
    table = run_tests(bench_of(positions_of(FLAT)), None, check_events(EVENT, MORE))
    units = table.groupby("test")["unit"].first().to_dict()
    assert units == {
        "trend": "convergence per year", "changepoint": "convergence", "event": "convergence",
        "leadlag": "correlation", "classifier_drift": "accuracy",
    }  # fmt: skip


def test_event_effect_is_the_rise_of_convergence() -> None:
    row = table_of(bench_of(positions_of(STEP))).loc[("event", "ALL")]
    assert row["effect"] == pytest.approx(0.3, abs=0.04)
    assert row["conf_low"] < row["effect"] < row["conf_high"]
    assert row["conf_low"] > 0.15
    assert row["p_value"] <= 0.02
    assert row["window_start"] == "2019-07-01"
    assert row["window_end"] == "2022-06-30"
    each = table_of(bench_of(positions_of(STEP))).loc["event"]
    np.testing.assert_allclose(each["effect"].astype(float), 0.3, atol=0.08)


def test_a_widening_gap_is_a_negative_effect() -> None:
    row = table_of(bench_of(positions_of(STEP[:, ::-1]))).loc[("event", "ALL")]
    assert row["effect"] == pytest.approx(-0.3, abs=0.04)
    assert row["conf_high"] < 0


def test_nothing_is_found_where_nothing_changes() -> None:
    table = table_of(bench_of(positions_of(FLAT, seed=4)))
    assert (table.loc[(["trend", "changepoint", "event", "leadlag"], slice(None)), "p_adjusted"] > 0.05).all()


def test_interval_of_the_event_holds_no_effect_at_the_stated_level() -> None:
    held = []
    for seed in range(60):
        row = table_of(bench_of(positions_of(FLAT, seed=seed), options=QUICK)).loc[("event", "ALL")]
        held.append(row["conf_low"] <= 0 <= row["conf_high"])
    assert np.mean(held) >= 0.9


def test_trend_effect_is_per_year() -> None:
    gap = np.linspace(0.9, 0.1, 24) * np.array([1.0, -1.0])[:, None]
    table = table_of(bench_of(positions_of(gap)))
    yearly = 0.8 / 23 * 12 / 2
    np.testing.assert_allclose(table.loc["trend", "effect"].astype(float), yearly, rtol=0.15)
    assert table.loc[("trend", "ALL"), "p_value"] <= 0.01
    assert table.loc[("trend", "ALL"), "conf_low"] > 0


def test_changepoint_is_dated() -> None:
    row = table_of(bench_of(positions_of(STEP))).loc[("changepoint", "ALL")]
    assert row["changed_at"] == "2021-01-01"
    assert row["effect"] == pytest.approx(0.3, abs=0.05)
    assert row["p_value"] <= 0.05
    assert np.isnan(row["conf_low"])
    assert row["min_detectable_effect"] > 0
    assert table_of(bench_of(positions_of(STEP))).loc[("trend", "ALL"), "changed_at"] == ""


def test_lead_and_lag() -> None:
    rng = np.random.default_rng(0)
    path = rng.normal(0, 0.3, (2, 42))
    positions = np.stack([path[:, 2:], path[:, :-2]])
    row = table_of(bench_of(positions)).loc[("leadlag", "ALL")]
    assert row["effect"] > 0.5
    assert row["p_value"] <= 0.02
    turned = table_of(bench_of(positions, options=TrendOptions(draws=20, permutations=199, pair=("RUS", "CHN"))))
    assert turned.loc[("leadlag", "ALL"), "effect"] == -row["effect"]
    assert turned.loc[("leadlag", "ALL"), "p_value"] == row["p_value"]
    assert turned.loc[("leadlag", "ALL"), "conf_low"] == pytest.approx(-row["conf_high"])


def test_min_detectable_effect_shrinks_with_the_noise() -> None:
    loud, quiet = (table_of(bench_of(positions_of(FLAT, sd=sd)))["min_detectable_effect"] for sd in (0.3, 0.03))
    for test in ("trend", "changepoint", "event"):
        assert 5 < loud[(test, "ALL")] / quiet[(test, "ALL")] < 20


def test_min_detectable_effect_of_an_event_is_two_point_eight_standard_errors() -> None:
    row = table_of(bench_of(positions_of(STEP))).loc[("event", "ALL")]
    half = (row["conf_high"] - row["conf_low"]) / 2
    assert row["min_detectable_effect"] == pytest.approx(2.8016 * half / 2.228, rel=0.1)


def test_variance_of_an_event_by_hand() -> None:
    rng = np.random.default_rng(8)
    positions = np.zeros((2, 1, 8))
    positions[0, 0] = 0.5 + rng.normal(0, 0.1, 8)
    bench = bench_of(positions)
    row = table_of(bench, events_of(("e", "2020-05-01"))).loc[("event", "t0")]
    variance = 0.0
    for part in (positions[0, 0, :4], positions[0, 0, 4:]):
        x = (part - part.mean()) / 4
        lags = sum(2 * (1 - lag / 4) * (x[lag:] * x[:-lag]).sum() for lag in (1, 2, 3))
        variance += max((x**2).sum() + lags, (x**2).sum() / 2) * 4 / 3
    assert row["min_detectable_effect"] == pytest.approx((1.959964 + 0.841621) * np.sqrt(variance) / 2, rel=1e-5)


def test_one_statement_a_month_is_enough_to_be_present() -> None:
    stances = ["favor", "neutral"] * 4
    rows = [(f"2024-{m:02d}-05", c, "a", stances[m - 1]) for m in range(1, 9) for c in ("CHN", "RUS")]
    table = estimate_trends(tags_of(*rows), labels_of(), events_of(("e", "2024-05-01")), QUICK).tests
    assert table.loc[table["test"] == "event", ["effect", "conf_low", "conf_high"]].notna().all(axis=None)


def test_doubt_about_the_labels_widens_the_interval() -> None:
    positions = positions_of(STEP)
    plain = bench_of(positions)
    rng = np.random.default_rng(0)
    moved = positions[None] + rng.normal(0, 0.2, (50, 2, 2, 1))
    unsure = bench_of(positions, score_draws=moved * 10, addressed_draws=np.full(moved.shape, 10.0))
    widths = [table_of(b).loc["event", "conf_high"] - table_of(b).loc["event", "conf_low"] for b in (plain, unsure)]
    # doubt that moves both windows alike leaves the change as it was, up to the sign of the gap
    assert (widths[1] > widths[0] * 0.9).all()
    late = moved.copy()
    late[..., :12] = positions[..., :12]
    shifted = bench_of(positions, score_draws=late * 10, addressed_draws=np.full(moved.shape, 10.0))
    wider = table_of(shifted).loc["event", "conf_high"] - table_of(shifted).loc["event", "conf_low"]
    assert (wider > widths[0] * 1.3).all()


def test_targets_outside_the_pool_are_tested_but_not_pooled() -> None:
    gap = np.stack([STEP[0], FLAT[0]])
    with_both = table_of(bench_of(positions_of(gap)))
    only_first = table_of(bench_of(positions_of(gap), pooled=np.array([True, False])))
    for test in ("trend", "changepoint", "event", "leadlag"):
        assert only_first.loc[(test, "ALL"), "effect"] == pytest.approx(only_first.loc[(test, "t0"), "effect"])
        assert only_first.loc[(test, "t1"), "effect"] == pytest.approx(with_both.loc[(test, "t1"), "effect"])
    assert with_both.loc[("event", "ALL"), "effect"] < 0.25


@pytest.mark.parametrize("months", [0, 1, 7])
def test_too_few_months_leave_every_number_blank(months: int) -> None:
    table = run_tests(bench_of(np.zeros((2, 2, months))), None, check_events(EVENT, MORE))
    assert len(table) == 15
    assert table[NUMBERS].isna().all(axis=None)
    assert (table["n_permutations"] == 0).all()


@pytest.mark.parametrize("day", ["2018-01-01", "2020-02-15", "2021-11-01", "2030-01-01"])
def test_events_without_three_months_either_side_are_blank(day: str) -> None:
    table = table_of(bench_of(positions_of(FLAT)), events_of(("e", day)))
    assert table.loc["event", NUMBERS].isna().all(axis=None)
    assert not table.loc["trend", NUMBERS].isna().any(axis=None)


@pytest.mark.parametrize("day", ["2020-04-01", "2020-04-30", "2021-10-01"])
def test_events_with_three_months_either_side_are_tested(day: str) -> None:
    table = table_of(bench_of(positions_of(FLAT)), events_of(("e", day)))
    assert not table.loc["event", NUMBERS].isna().any(axis=None)


def test_a_target_that_one_side_hardly_addresses_is_blank_and_not_pooled() -> None:
    positions = positions_of(STEP)
    present = np.ones(positions.shape, bool)
    present[1, 1, 4:] = False
    table = table_of(bench_of(positions, present=present))
    assert table.loc[(slice(None), "t1"), NUMBERS].isna().all(axis=None)
    for test in ("trend", "changepoint", "event"):
        assert table.loc[(test, "ALL"), "effect"] == pytest.approx(table.loc[(test, "t0"), "effect"])


def test_window_bounds_what_is_compared() -> None:
    gap = np.stack([np.where(np.abs(np.arange(24) - 12) <= 3, 0.2, 0.8)] * 2)
    near = bench_of(positions_of(gap, sd=0.02), options=TrendOptions(draws=20, permutations=19, window=3))
    far = bench_of(positions_of(gap, sd=0.02), options=TrendOptions(draws=20, permutations=19, window=12))
    assert table_of(near).loc[("event", "ALL"), "effect"] == pytest.approx(0, abs=0.05)
    assert table_of(far).loc[("event", "ALL"), "effect"] == pytest.approx(0.025, abs=0.05)
    assert table_of(near).loc[("event", "ALL"), "window_start"] == "2020-10-01"


def test_holm_families() -> None:
    events = events_of(("e1", "2021-01-01"), ("e2", "2020-09-01"), registered_on=["2019-01-01", "2025-01-01"])
    options = TrendOptions(draws=20, permutations=199, data_seen_on=date(2024, 1, 1))
    table = run_tests(bench_of(positions_of(STEP), options=options), None, check_events(events, options))
    event = table[table["test"] == "event"].set_index(["event_id", "target"])
    assert event["exploratory"].groupby("event_id").first().to_dict() == {"e1": False, "e2": True}
    single = event.drop("ALL", level="target")
    for _, family in single.groupby("exploratory"):
        smallest = family["p_value"].idxmin()
        assert family.loc[smallest, "p_adjusted"] == pytest.approx(min(1, 2 * family["p_value"].min()))
    assert event.loc[("e1", "ALL"), "p_adjusted"] == event.loc[("e1", "ALL"), "p_value"]


def test_more_events_of_one_kind_cost_power() -> None:
    many = events_of(*[(f"e{i}", f"2020-{i + 4:02d}-01") for i in range(6)])
    table = run_tests(bench_of(positions_of(STEP)), None, check_events(many, MORE))
    pooled = table[(table["test"] == "event") & (table["target"] == "ALL")]
    assert pooled["p_adjusted"].min() == pytest.approx(6 * pooled["p_value"].min())


def test_one_event_does_not_depend_on_the_others() -> None:
    bench = bench_of(positions_of(STEP))
    alone = table_of(bench).loc["event", "p_value"]
    both = run_tests(bench, None, check_events(events_of(("e0", "2020-08-01"), ("e1", "2021-01-01")), MORE))
    again = both[both["event_id"] == "e1"].set_index("target")["p_value"]
    pd.testing.assert_series_equal(alone.sort_index(), again.sort_index(), check_names=False)


def test_drift_rows_come_from_the_labels() -> None:
    tags, labels, _ = make_world(2, share=0.5)
    table = estimate_trends(tags, labels, EVENT, MORE).tests.set_index(["test", "target"])
    drift = table.loc["classifier_drift"]
    assert drift[NUMBERS].notna().all(axis=None)
    assert (drift["estimator"] == "labelled halves").all()
    assert (table.loc["event", "estimator"] == "combined").all()


def test_estimator_of_the_tests_follows_the_labels() -> None:
    tags, labels, _ = make_world(2)
    late = tags["date"] >= "2021-04-01"
    swapped = tags.assign(stance=tags["stance"].mask(late & (tags["stance"] == "against"), "favor"))
    drifted = estimate_trends(swapped, labels, EVENT, MORE).tests
    assert set(drifted.loc[drifted["test"] != "classifier_drift", "estimator"]) == {"design-based"}
    bare = estimate_trends(tags, labels_of(), EVENT, QUICK).tests
    assert set(bare.loc[bare["test"] != "classifier_drift", "estimator"]) == {"uncorrected"}


def test_a_pair_that_says_nothing_has_blank_tests() -> None:
    tags = tags_of(("2024-01-01", "CHN", "a", "favor"), ("2025-01-01", "CHN", "a", "none"))
    table = estimate_trends(tags, labels_of(), EVENT, QUICK).tests
    assert len(table) == 10
    assert table[NUMBERS].isna().all(axis=None)
