"""The three tables as a whole: rows, columns, statuses, estimators; and the empty object at every verb."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.aggregate import TrendOptions, Trends, estimate_trends
from pipeline.aggregate.series import UNITS
from pipeline.errors import DataError
from pipeline.schema import MEASURES, SCHEMA_VERSION, TEST_COLUMNS, TREND_COLUMNS
from tests.test_aggregate_frames import QUICK, events_of, labels_of, make_world, tags_of

NUMBERS = ["estimate", "conf_low", "conf_high", "std_error", "naive_estimate"]
EVENT = events_of(("e1", "2021-04-01"), about=["t0"])

SIX = tags_of(
    ("2024-01-05", "CHN", "a", "favor"),
    ("2024-01-06", "CHN", "a", "favor"),
    ("2024-01-07", "CHN", "a", "against"),
    ("2024-01-08", "CHN", "a", "none"),
    ("2024-01-09", "RUS", "a", "against"),
    ("2024-03-09", "RUS", "a", "neutral"),
)


def plain(tags: pd.DataFrame, options: TrendOptions = QUICK) -> pd.DataFrame:
    """Estimate without labels and index the series."""
    table = estimate_trends(tags, labels_of(), events_of(), options).trends
    return table.set_index(["freq", "measure", "country", "target", "period_start"]).sort_index()


@pytest.fixture(scope="module")
def world() -> Trends:
    tags, labels, _ = make_world(1)
    return estimate_trends(tags.assign(model_id="m7"), labels, EVENT, TrendOptions(draws=60, permutations=19))


def test_columns_and_constants(world: Trends) -> None:
    assert tuple(world.trends.columns) == TREND_COLUMNS
    assert tuple(world.tests.columns[: len(TEST_COLUMNS)]) == TEST_COLUMNS
    assert (world.trends["schema_version"] == SCHEMA_VERSION).all()
    assert (world.trends["model_id"] == "m7").all()
    assert (world.trends["conf_level"] == 0.95).all()
    assert len(set(world.trends["run_id"])) == 1
    assert world.trends["labels_id"].str.fullmatch("[0-9a-f]{12}").all()
    assert world.trends["run_id"].str.fullmatch("[0-9a-f]{12}").all()


def test_every_series_has_every_period(world: Trends) -> None:
    counts = world.trends.groupby(["freq", "scope", "country", "target", "measure"]).size()
    assert (counts.loc["month"] == 30).all()
    assert (counts.loc["quarter"] == 10).all()
    assert len(counts.loc["month"]) == len(counts.loc["quarter"]) == 2 * 2 * 2 + 3 * 2 + 1
    assert set(world.trends["scope"]) == {"country", "pair", "pooled"}
    pooled = world.trends[world.trends["scope"] == "pooled"]
    assert set(pooled["target"]) == {"ALL"}
    assert set(pooled["country"]) == {"CHN-RUS"}


def test_periods_are_dated_inclusively(world: Trends) -> None:
    quarter = world.trends[world.trends["freq"] == "quarter"]
    assert quarter["period_start"].min() == "2020-01-01"
    assert quarter.loc[quarter["period_start"] == "2020-01-01", "period_end"].unique().tolist() == ["2020-03-31"]


def test_units_and_estimators(world: Trends) -> None:
    for measure, unit in world.trends.groupby("measure")["unit"].first().items():
        assert unit == UNITS[str(measure)]
    assert set(UNITS) == set(MEASURES)
    estimators = world.trends.groupby("measure")["estimator"].unique().map(list).to_dict()
    assert estimators.pop("salience") == ["design-based"]
    assert all(value == ["smoothed"] for value in estimators.values())


def test_intervals_hold_their_estimates(world: Trends) -> None:
    rows = world.trends[(world.trends["status"] != "empty") & (world.trends["measure"] != "same_side_prob")]
    assert rows[NUMBERS[:4]].notna().all(axis=None)
    assert (rows["conf_low"] <= rows["estimate"] + 1e-12).all()
    assert (rows["estimate"] <= rows["conf_high"] + 1e-12).all()
    for measure, low, high in (
        ("position", -1, 1), ("salience", 0, 1), ("convergence", 0, 1), ("pooled_convergence", 0, 1), ("gap", -2, 2)
    ):  # fmt: skip
        part = rows[rows["measure"] == measure]
        values = part[["estimate", "conf_low", "conf_high"]]
        assert ((values >= low) & (values <= high)).all(axis=None)


def test_convergence_follows_from_the_gap(world: Trends) -> None:
    rows = world.trends[world.trends["scope"] == "pair"]
    table = rows.pivot_table("estimate", index=["freq", "period_start", "target"], columns="measure")
    known = table.dropna(subset=["gap", "convergence"])
    assert len(known) > 60
    np.testing.assert_allclose(known["convergence"], 1 - known["gap"].abs() / 2)


def test_gap_is_the_difference_of_positions(world: Trends) -> None:
    rows = world.trends.set_index(["measure", "country", "freq", "period_start", "target"])["estimate"]
    gap = rows.loc["gap"].loc["CHN-RUS"].dropna()
    difference = rows.loc["position"].loc["CHN"] - rows.loc["position"].loc["RUS"]
    np.testing.assert_allclose(gap, difference.loc[gap.index], atol=1e-9)


def test_quarter_is_the_mean_of_its_months_draws(world: Trends) -> None:
    rows = world.trends[(world.trends["measure"] == "position") & (world.trends["status"] != "empty")]
    rows = rows[(rows["country"] == "CHN") & (rows["target"] == "t0")].set_index(["freq", "period_start"])[
        "estimate"
    ]
    months = [rows.loc[("month", f"2020-0{m}-01")] for m in (4, 5, 6)]
    assert rows.loc[("quarter", "2020-04-01")] == pytest.approx(np.mean(months))


def test_smoothed_paths_find_the_truth() -> None:
    tags, labels, truth = make_world(5, after=0.2)
    table = estimate_trends(tags, labels, EVENT, TrendOptions(draws=60, permutations=19)).trends
    rows = table[(table["measure"] == "position") & (table["freq"] == "month") & (table["status"] != "empty")]
    month = pd.to_datetime(rows["period_start"])
    index = ((month.dt.year - 2020) * 12 + month.dt.month - 1).to_numpy()
    country = (rows["country"] == "RUS").astype(int).to_numpy()
    true = truth["position"][country, rows["target"].str[1:].astype(int).to_numpy(), index]
    error = rows["estimate"] - true
    naive = (rows["naive_estimate"] - true).dropna()
    assert np.sqrt((error**2).mean()) < 0.2
    assert np.sqrt((error**2).mean()) < 0.6 * np.sqrt((naive**2).mean())
    assert ((rows["conf_low"] <= true) & (true <= rows["conf_high"])).mean() > 0.9


# ---------------------------------------------------------------- without labels


def test_uncorrected_positions_are_plug_ins() -> None:
    table = plain(SIX)
    january = table.loc[("month", "position", "CHN", "a", "2024-01-01")]
    assert january["estimate"] == pytest.approx(1 / 3)
    assert january["naive_estimate"] == pytest.approx(1 / 3)
    assert january["estimator"] == "uncorrected"
    assert january["status"] == "ok"
    assert january[["n_statements", "n_addressed", "n_eff", "n_documents", "n_labelled"]].tolist() == [
        4,
        3,
        3,
        4,
        0,
    ]
    assert table.loc[("quarter", "position", "RUS", "a", "2024-01-01"), "estimate"] == pytest.approx(-0.5)
    assert not table["labels_id"].any()


def test_no_negative_zeros() -> None:
    table = plain(tags_of(("2024-01-01", "CHN", "a", "neutral"), ("2024-01-01", "RUS", "a", "neutral")))
    numbers = table[NUMBERS].to_numpy()
    assert not np.signbit(numbers[numbers == 0]).any()


def test_uncorrected_salience_is_a_share() -> None:
    table = plain(SIX)
    row = table.loc[("month", "salience", "CHN", "a", "2024-01-01")]
    assert row["estimate"] == row["naive_estimate"] == 0.75
    assert row["unit"] == "share"
    assert 0.2 < row["conf_low"] < 0.75 < row["conf_high"] < 1


def test_uncorrected_gap_and_convergence() -> None:
    table = plain(SIX)
    key = ("CHN-RUS", "a", "2024-01-01")
    gap = table.loc[("month", "gap", *key)]
    assert gap["estimate"] == pytest.approx(1 / 3 + 1)
    assert gap["naive_estimate"] == pytest.approx(4 / 3)
    assert gap["status"] == "sparse"
    assert gap[["n_statements", "n_addressed", "n_eff", "n_documents"]].tolist() == [5, 4, 1, 5]
    near = table.loc[("month", "convergence", *key)]
    assert (near["estimate"], near["naive_estimate"]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert table.loc[("month", "same_side_prob", *key), "naive_estimate"] == 0
    assert table.loc[("month", "pooled_convergence", "CHN-RUS", "ALL", "2024-01-01"), "estimate"] == pytest.approx(
        1 / 3
    )


def test_few_labels_are_counted_but_do_not_count() -> None:
    labels = labels_of(("s0", "a", "none", 0.01), ("s3", "a", "favor", 0.5), ("s5", "a", "none", 1.0))
    some = estimate_trends(SIX, labels, events_of(), QUICK).trends
    none = estimate_trends(SIX, labels_of(), events_of(), QUICK).trends
    apart = ["run_id", "labels_id", "n_labelled"]
    pd.testing.assert_frame_equal(some.drop(columns=apart), none.drop(columns=apart))
    assert some["n_labelled"].sum() > 0


@pytest.mark.parametrize(("n", "estimator"), [(19, "uncorrected"), (20, "smoothed")])
def test_twenty_labels_correct(n: int, estimator: str) -> None:
    tags = tags_of(*[("2024-01-05", "CHN", "a", "favor")] * 30)
    labels = labels_of(*[(f"s{i}", "a", "favor", 0.5) for i in range(n)])
    table = estimate_trends(tags, labels, events_of(), QUICK).trends
    assert set(table.loc[table["measure"] == "position", "estimator"]) == {estimator}


def test_few_labels_do_not_correct() -> None:
    labels = labels_of(("s0", "a", "favor", 1.0), ("s1", "a", "none", 1.0))
    table = estimate_trends(SIX, labels, events_of(), QUICK).trends
    assert set(table["estimator"]) == {"uncorrected"}
    assert table["labels_id"].iloc[0]
    labelled = table[(table["measure"] == "position") & (table["country"] == "CHN") & (table["freq"] == "month")]
    assert labelled["n_labelled"].tolist() == [2, 0, 0]


# ---------------------------------------------------------------- statuses


def test_statuses() -> None:
    table = plain(SIX)
    position = table.loc[("month", "position")]["status"]
    assert position.loc["CHN", "a"].tolist() == ["ok", "empty", "empty"]
    assert position.loc["RUS", "a"].tolist() == ["sparse", "empty", "sparse"]
    assert table.loc[("month", "gap")]["status"].tolist() == ["sparse", "empty", "empty"]


def test_empty_rows_hold_no_numbers() -> None:
    table = plain(SIX)
    empty = table[table["status"] == "empty"]
    assert len(empty) > 5
    assert empty[NUMBERS].isna().all(axis=None)
    full = table[(table["status"] != "empty") & (table.index.get_level_values("measure") != "same_side_prob")]
    assert full[NUMBERS[:4]].notna().all(axis=None)


def test_three_statements_of_one_document_are_sparse() -> None:
    one = plain(SIX.assign(doc_id="x"))
    row = one.loc[("month", "position", "CHN", "a", "2024-01-01")]
    assert row["n_eff"] == 1.5
    assert row["n_documents"] == 1
    assert row["status"] == "sparse"


def test_silence_has_a_salience_but_no_position() -> None:
    table = plain(tags_of(*[("2024-01-05", country, "a", "none") for country in ("CHN", "RUS", "RUS")]))
    assert table.loc[("month", "salience", "CHN", "a", "2024-01-01"), "estimate"] == 0
    assert table.loc[("month", "salience", "CHN", "a", "2024-01-01"), "status"] == "sparse"
    assert (table.loc[("month", "position")]["status"] == "empty").all()
    pair = table.xs("CHN-RUS", level="country")
    assert len(pair) == 8
    assert pair[NUMBERS].isna().all(axis=None)


def test_missing_actor_is_an_empty_row_not_an_error() -> None:
    table = plain(SIX[SIX["country"] == "CHN"])
    russia = table.xs("RUS", level="country")
    assert len(russia) > 0
    assert (russia["status"] == "empty").all()
    assert (table.xs("CHN-RUS", level="country")["status"] == "empty").all()
    assert table.loc[("month", "position", "CHN", "a", "2024-01-01"), "status"] == "ok"


def test_other_actors_have_rows_of_their_own() -> None:
    more = pd.concat([SIX, tags_of(("2024-02-01", "SCO", "a", "favor")).assign(statement_id="x", doc_id="x")])
    table = plain(more)
    assert table.loc[("month", "position", "SCO", "a", "2024-02-01"), "estimate"] == pytest.approx(1)
    assert set(table.loc[("month", "gap")].index.get_level_values("country")) == {"CHN-RUS"}
    measures = ["gap", "convergence", "pooled_convergence"]
    for measure in measures:
        np.testing.assert_allclose(
            table.xs(measure, level="measure").xs("CHN-RUS", level="country")["estimate"],
            plain(SIX).xs(measure, level="measure").xs("CHN-RUS", level="country")["estimate"],
        )


def test_pooled_is_sparse_where_a_target_is_missing_and_empty_where_all_are() -> None:
    rows = [(f"2024-01-{d:02d}", c, "a", "favor") for d in range(1, 5) for c in ("CHN", "RUS")]
    rows += [(f"2024-02-{d:02d}", c, k, "favor") for d in range(1, 5) for c in ("CHN", "RUS") for k in ("a", "b")]
    rows += [("2024-03-01", "CHN", "a", "favor")]
    table = plain(tags_of(*rows))
    status = table.loc[("month", "pooled_convergence", "CHN-RUS", "ALL")]["status"]
    assert status.tolist() == ["sparse", "ok", "empty"]


def test_pooled_rule_turns_gaps_the_same_way() -> None:
    rows = []
    for day in range(1, 6):
        rows += [(f"2024-01-{day:02d}", "CHN", "a", "favor"), (f"2024-01-{day:02d}", "RUS", "a", "neutral")]
        rows += [(f"2024-01-{day:02d}", "CHN", "b", "neutral"), (f"2024-01-{day:02d}", "RUS", "b", "favor")]
    table = plain(tags_of(*rows))
    pooled = table.loc[("month", "pooled_convergence", "CHN-RUS", "ALL", "2024-01-01")]
    assert pooled["estimate"] == pytest.approx(0.5)  # not 1: the gaps of +1 and -1 do not cancel
    assert pooled["naive_estimate"] == pytest.approx(0.5)
    assert pooled[["n_statements", "n_addressed", "n_eff"]].tolist() == [20, 20, 10]


# ---------------------------------------------------------------- declared against revealed


def declared_world(joint: bool = False) -> pd.DataFrame:
    rows = []
    for month, stance in enumerate(["against", "neutral", "favor", "favor"], start=1):
        for day in range(1, 7):
            rows += [(f"2024-{month:02d}-{day:02d}", c, "coordination", stance) for c in ("CHN", "RUS")]
            rows += [(f"2024-{month:02d}-{day:02d}", "CHN", "a", "favor")]
            rows += [(f"2024-{month:02d}-{day:02d}", "RUS", "a", "favor" if month < 3 else "against")]
    return tags_of(*rows).assign(joint=joint)


def test_declared_coordination_is_the_mean_position_of_both() -> None:
    table = plain(declared_world())
    declared = table.loc[("month", "declared_coordination", "CHN-RUS", "ALL")]
    np.testing.assert_allclose(declared["estimate"], [-1, 0, 1, 1], atol=1e-6)
    assert (declared["conf_low"].min(), declared["conf_high"].max()) == (-1, 1)
    assert (declared["status"] == "ok").all()
    assert declared["n_statements"].tolist() == [12] * 4


def test_declared_targets_stay_out_of_the_pool_unless_asked_for() -> None:
    table = plain(declared_world())
    pooled = table.loc[("month", "pooled_convergence", "CHN-RUS", "ALL")]["estimate"]
    np.testing.assert_allclose(pooled, [1, 1, 0, 0], atol=1e-4)
    asked = plain(declared_world(), TrendOptions(draws=20, permutations=19, pooled=("a", "coordination")))
    both = asked.loc[("month", "pooled_convergence", "CHN-RUS", "ALL")]["estimate"]
    np.testing.assert_allclose(both, [1, 1, 0.5, 0.5], atol=1e-4)


def test_coordination_gap_is_a_difference_of_z_scores() -> None:
    table = plain(declared_world())
    gap = table.loc[("month", "coordination_gap", "CHN-RUS", "ALL")]
    said, done = np.array([-1.0, 0, 1, 1]), np.array([1.0, 1, 0, 0])
    expected = (said - said.mean()) / said.std() - (done - done.mean()) / done.std()
    np.testing.assert_allclose(gap["estimate"], expected, atol=0.02)
    np.testing.assert_allclose(gap["naive_estimate"], expected)
    assert set(gap["unit"]) == {"z"}


def test_coordination_gap_is_sparse_where_either_side_of_it_is() -> None:
    world = declared_world()
    one_left = world[~((world["target"] == "coordination") & (world["date"] > "2024-04-01"))]
    few = plain(one_left).loc[("month", "coordination_gap", "CHN-RUS", "ALL")]["status"]
    assert few.tolist() == ["ok", "ok", "ok", "sparse"]
    assert plain(world).loc[("month", "coordination_gap", "CHN-RUS", "ALL")]["status"].tolist() == ["ok"] * 4
    silent = world[~((world["target"] == "coordination") & (world["date"] >= "2024-04-01"))]
    none = plain(silent).loc[("month", ["declared_coordination", "coordination_gap"], "CHN-RUS", "ALL"), "status"]
    assert none.tolist() == ["ok", "ok", "ok", "empty"] * 2
    alone = world[
        ~((world["target"] == "coordination") & (world["country"] == "RUS") & (world["date"] > "2024-04"))
    ]
    half = plain(alone).loc[("month", ["declared_coordination", "coordination_gap"], "CHN-RUS", "ALL"), "status"]
    assert half.tolist() == ["ok", "ok", "ok", "sparse"] * 2


def test_joint_statements_count_as_declared_only() -> None:
    table = plain(declared_world(joint=True))
    assert (table.loc[("month", "pooled_convergence")]["status"] == "empty").all()
    assert (table.loc[("month", "declared_coordination")]["status"] == "ok").all()
    assert (table.loc[("month", "coordination_gap")]["status"] == "empty").all()
    assert (table.loc[("month", "position", "CHN", "a")]["n_statements"] == 0).all()


def test_without_a_declared_target_nothing_is_declared() -> None:
    assert not {"declared_coordination", "coordination_gap"} & set(plain(SIX).index.get_level_values("measure"))


# ---------------------------------------------------------------- ranges, events, identity


def test_range_lays_out_empty_periods() -> None:
    options = TrendOptions(
        draws=20, permutations=19, since=date(2023, 11, 15), until=date(2024, 4, 2), freqs=("month",)
    )
    table = plain(SIX, options)
    starts = table.loc[("month", "position", "CHN", "a")].index.tolist()
    assert starts == ["2023-11-01", "2023-12-01", "2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"]
    assert set(table.index.get_level_values("freq")) == {"month"}


def test_events_used() -> None:
    events = events_of(("out", "2030-01-01"), ("in", "2024-02-10"), source_url=["u", "v"])
    used = estimate_trends(SIX, labels_of(), events, QUICK).events
    assert used["event_id"].tolist() == ["in", "out"]
    assert used["in_range"].tolist() == [True, False]
    assert used["source_url"].tolist() == ["v", "u"]
    assert used.columns[:3].tolist() == ["event_id", "date", "label"]


def test_registered_events_let_the_paths_jump() -> None:
    tags, labels, _ = make_world(6, after=-0.8, volume=5)
    day = events_of(("e1", "2021-04-01"))
    runs = {}
    for name, events in (("with", day), ("without", day.iloc[:0]), ("elsewhere", day.assign(about="t9"))):
        table = estimate_trends(tags, labels, events, TrendOptions(draws=100, permutations=19)).trends
        gap = table[(table["measure"] == "gap") & (table["freq"] == "month")].set_index(["target", "period_start"])
        runs[name] = gap["estimate"].loc["t0"].to_numpy()
    change = {name: values[14] - values[15] for name, values in runs.items()}
    assert change["with"] > change["without"]
    np.testing.assert_array_equal(runs["with"], runs["elsewhere"])  # a name that is no target means all


def test_exploratory_events_do_not_let_the_paths_jump() -> None:
    tags, labels, _ = make_world(6, volume=5)
    day, options = (
        events_of(("e1", "2021-04-01")),
        TrendOptions(draws=20, permutations=19, data_seen_on=date(2020, 1, 1)),
    )
    explored = estimate_trends(tags, labels, day, options).trends["estimate"]
    without = estimate_trends(tags, labels, day.iloc[:0], options).trends["estimate"]
    pd.testing.assert_series_equal(explored, without)


def test_run_id_names_inputs_and_options() -> None:
    def run(tags: pd.DataFrame = SIX, labels: pd.DataFrame | None = None, events: pd.DataFrame | None = None,
            options: TrendOptions = QUICK) -> str:  # fmt: skip
        given = labels_of() if labels is None else labels, events_of() if events is None else events
        return str(estimate_trends(tags, *given, options).trends["run_id"].iloc[0])

    base = run()
    assert base == run()
    assert base == run(SIX.iloc[::-1])
    others = [
        run(SIX.assign(stance="favor")), run(labels=labels_of(("s0", "a", "favor", 1.0))),
        run(events=events_of(("e", "2024-02-01"))), run(options=TrendOptions(draws=21, permutations=19)),
        run(SIX.assign(doc_id="x")), run(SIX.assign(model_id="m")),
    ]  # fmt: skip
    assert len({base, *others}) == 7


def test_labels_id_names_the_labels() -> None:
    one, two = labels_of(("s0", "a", "favor", 1.0)), labels_of(("s0", "a", "favor", 0.5))
    ids = [
        estimate_trends(SIX, labels, events_of(), QUICK).trends["labels_id"].iloc[0] for labels in (one, one, two)
    ]
    assert ids[0] == ids[1] != ids[2]


def test_level_of_the_intervals() -> None:
    tags, labels, _ = make_world(1)
    wide, narrow = (
        estimate_trends(tags, labels, EVENT, TrendOptions(draws=60, permutations=19, conf_level=level))
        for level in (0.95, 0.5)
    )
    for table in ("trends", "tests"):
        a, b = getattr(wide, table), getattr(narrow, table)
        known = a["conf_high"].notna()
        assert ((a["conf_high"] - a["conf_low"]) >= (b["conf_high"] - b["conf_low"]) - 1e-12)[known].all()
        assert (a["conf_high"] - a["conf_low"])[known].mean() > 1.5 * (b["conf_high"] - b["conf_low"])[known].mean()
    assert (narrow.trends["conf_level"] == 0.5).all()


# ---------------------------------------------------------------- the empty object at every verb


@pytest.mark.parametrize("labels", [labels_of(), labels_of().astype(object)])
def test_no_tags_at_all(labels: pd.DataFrame) -> None:
    answer = estimate_trends(SIX.iloc[:0], labels, EVENT, QUICK)
    assert tuple(answer.trends.columns) == TREND_COLUMNS
    assert answer.trends.empty
    assert answer.tests["p_value"].isna().all()
    assert set(answer.tests["target"]) == {"ALL"}
    assert answer.events["in_range"].tolist() == [False]


def test_no_tags_but_a_range_and_targets() -> None:
    options = TrendOptions(
        draws=20, permutations=19, since=date(2024, 1, 1), until=date(2024, 3, 1), targets=("a", "coordination")
    )
    table = estimate_trends(SIX.iloc[:0], labels_of(), events_of(), options).trends
    assert (table["status"] == "empty").all()
    assert table[NUMBERS].isna().all(axis=None)
    assert set(table["measure"]) == set(MEASURES)


def test_no_events() -> None:
    answer = estimate_trends(SIX, labels_of(), events_of(), QUICK)
    assert answer.events.empty
    assert "event" not in set(answer.tests["test"])


def test_one_statement() -> None:
    table = plain(SIX.iloc[:1])
    row = table.loc[("month", "position", "CHN", "a", "2024-01-01")]
    assert row["estimate"] == pytest.approx(1)
    assert row["std_error"] == pytest.approx(0.5, abs=0.2)
    assert row["conf_low"] < 0.5
    assert row["conf_high"] == 1
    assert row["status"] == "sparse"


def test_everything_dated_outside_the_range() -> None:
    options = TrendOptions(draws=20, permutations=19, since=date(2030, 1, 1))
    table = estimate_trends(SIX, labels_of(), events_of(), options).trends
    assert (table["status"] == "empty").all()


def test_no_target_in_common_with_those_asked_for() -> None:
    options = TrendOptions(
        draws=20, permutations=19, targets=("z",), since=date(2024, 1, 1), until=date(2024, 2, 1)
    )
    table = estimate_trends(SIX, labels_of(), events_of(), options).trends
    assert set(table["target"]) == {"z", "ALL"}
    assert (table["status"] == "empty").all()


def test_errors_come_through() -> None:
    with pytest.raises(DataError, match="labels match no tag"):
        estimate_trends(SIX, labels_of(("s99", "a", "favor", 1.0)), events_of(), QUICK)
    with pytest.raises(DataError, match="is not ISO"):
        estimate_trends(SIX, labels_of(), events_of(("e", "spring")), QUICK)


def test_inputs_are_left_as_they_were() -> None:
    tags, labels, _ = make_world(1)
    before = [frame.copy(deep=True) for frame in (tags, labels, EVENT)]
    estimate_trends(tags, labels, EVENT, QUICK)
    for frame, copy in zip((tags, labels, EVENT), before, strict=True):
        pd.testing.assert_frame_equal(frame, copy)
