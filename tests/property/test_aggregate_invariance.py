"""What must not matter to the answer, on random data."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.aggregate import TrendOptions, Trends, estimate_trends
from pipeline.aggregate import permutation as perm
from pipeline.aggregate.contrasts import hac_variance, project
from tests.test_aggregate_frames import QUICK, STANCES, events_of, labels_of, make_world, tags_of

EVENTS = events_of(("e1", "2020-07-01"))
FEW = settings(max_examples=5, deadline=None, derandomize=True)
MANY = settings(max_examples=60, deadline=None, derandomize=True)
SEEDS = st.integers(0, 10_000)
KEYS = ["freq", "scope", "country", "target", "measure", "period_start"]
IDS = ["run_id", "labels_id"]
FLOATS = st.floats(-3, 3, allow_nan=False)


def small_world(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    tags, labels, _ = make_world(seed, months=12, change_at=6, volume=4)
    return tags, labels


def run(tags: pd.DataFrame, labels: pd.DataFrame, options: TrendOptions = QUICK) -> Trends:
    return estimate_trends(tags, labels, EVENTS, options)


def csv_bytes(answer: Trends) -> bytes:
    out = io.StringIO()
    for table in (answer.trends, answer.tests, answer.events):
        table.to_csv(out, index=False)
    return out.getvalue().encode()


@FEW
@given(SEEDS, SEEDS)
def test_row_order_is_irrelevant_and_seeds_reproduce_bytes(seed: int, shuffle: int) -> None:
    tags, labels = small_world(seed)
    mixed = tags.sample(frac=1, random_state=shuffle), labels.sample(frac=1, random_state=shuffle)
    assert csv_bytes(run(tags, labels)) == csv_bytes(run(*mixed))


@FEW
@given(SEEDS)
def test_another_seed_gives_other_draws_and_the_same_story(seed: int) -> None:
    tags, labels = small_world(seed)
    one = run(tags, labels, TrendOptions(draws=100, permutations=19))
    other = run(tags, labels, TrendOptions(draws=100, permutations=19, random_state=1))
    assert csv_bytes(one) != csv_bytes(other)
    gap = one.trends["estimate"] - other.trends["estimate"]
    assert gap.abs().max() < 0.5
    pd.testing.assert_series_equal(one.tests["effect"], other.tests["effect"])


@FEW
@given(SEEDS)
def test_swapping_the_pair_flips_the_gap_and_leaves_convergence(seed: int) -> None:
    tags, labels = small_world(seed)
    there = run(tags, labels)
    back = run(tags, labels, TrendOptions(pair=("RUS", "CHN"), draws=QUICK.draws, permutations=QUICK.permutations))
    keys = ["freq", "target", "period_start"]
    for measure in ("gap", "convergence", "same_side_prob", "pooled_convergence"):
        a, b = (x.trends[x.trends["measure"] == measure].sort_values(keys) for x in (there, back))
        sign = -1 if measure == "gap" else 1
        np.testing.assert_allclose(a["estimate"], sign * b["estimate"], atol=1e-9)
        ends = ("conf_low", "conf_high") if sign == 1 else ("conf_high", "conf_low")
        np.testing.assert_allclose(a["conf_low"], sign * b[ends[0]], atol=1e-9)
        np.testing.assert_allclose(a["naive_estimate"], sign * b["naive_estimate"], atol=1e-9)
    country = there.trends["scope"] == "country"
    pd.testing.assert_frame_equal(
        there.trends[country].drop(columns=IDS), back.trends[back.trends["scope"] == "country"].drop(columns=IDS)
    )
    for test in ("trend", "changepoint", "event"):
        a, b = (x.tests[x.tests["test"] == test] for x in (there, back))
        np.testing.assert_allclose(a["p_value"], b["p_value"])
        np.testing.assert_allclose(a["effect"], b["effect"])
    a, b = (x.tests[x.tests["test"] == "leadlag"] for x in (there, back))
    np.testing.assert_allclose(a["effect"], -b["effect"])


@FEW
@given(SEEDS, st.permutations(["t0", "t1"]))
def test_renaming_targets_changes_nothing(seed: int, order: list[str]) -> None:
    tags, labels = small_world(seed)
    new = dict(zip(order, ("alpha", "beta"), strict=True))
    before = run(tags, labels)
    after = run(*(frame.assign(target=frame["target"].map(new)) for frame in (tags, labels)))
    for table, keys in (("trends", KEYS), ("tests", ["test", "event_id", "target"])):
        old = getattr(before, table).replace({"target": new}).sort_values(keys, ignore_index=True)
        renamed = getattr(after, table).sort_values(keys, ignore_index=True)
        both = [frame.drop(columns=[c for c in IDS if c in frame.columns]) for frame in (old, renamed)]
        if table == "tests":  # adjusted p-values and all else, whatever the targets are called
            both = [frame.reset_index(drop=True) for frame in both]
        pd.testing.assert_frame_equal(*both)


@FEW
@given(SEEDS, st.integers(1, 40))
def test_statements_about_nothing_move_salience_only(seed: int, n: int) -> None:
    tags, _ = small_world(seed)
    quiet = pd.DataFrame({
        "statement_id": [f"q{i}" for i in range(n)], "doc_id": [f"q{i}" for i in range(n)], "date": "2020-05-05",
        "country": "CHN", "target": "t0", "stance": "none",
    })  # fmt: skip
    before, after = run(tags, labels_of()).trends, run(pd.concat([tags, quiet]), labels_of()).trends
    silent = ~before["measure"].isin(["salience", "same_side_prob"])
    columns = ["estimate", "naive_estimate", "status", "n_addressed", "n_eff"]
    pd.testing.assert_frame_equal(before.loc[silent, columns], after.loc[silent, columns])
    position = before["measure"] == "position"
    np.testing.assert_allclose(before.loc[position, "std_error"], after.loc[position, "std_error"])
    cell = (
        (before["measure"] == "salience") & (before["period_start"] == "2020-05-01") & (before["country"] == "CHN")
    )
    row = cell & (before["target"] == "t0")
    assert (after.loc[row, "estimate"] < before.loc[row, "estimate"]).all()
    rest = (before["measure"] == "salience") & ~row & (before["freq"] == "month")
    pd.testing.assert_series_equal(before.loc[rest, "estimate"], after.loc[rest, "estimate"])


@FEW
@given(SEEDS)
def test_repeating_a_documents_statements_narrows_nothing_much(seed: int) -> None:
    """Ten copies of each statement within its document are no ten times the evidence."""
    tags, labels = small_world(seed)
    copies = [frame.assign(statement_id=frame["statement_id"] + f"/{i}") for i in range(10) for frame in (tags,)]
    labelled = [
        frame.assign(statement_id=frame["statement_id"] + f"/{i}") for i in range(10) for frame in (labels,)
    ]
    one, ten = run(tags, labels), run(pd.concat(copies), pd.concat(labelled))
    a, b = (x.trends[x.trends["measure"] == "position"] for x in (one, ten))
    width = [(x["conf_high"] - x["conf_low"]).mean() for x in (a, b)]
    assert width[1] > 0.6 * width[0]
    same = [x.trends.loc[x.trends["measure"] == "salience", "std_error"].mean() for x in (one, ten)]
    assert same[1] > 0.8 * same[0]


ROW = st.tuples(
    st.sampled_from(["2024-01-31", "2024-02-01", "2024-05-05", "2024-12-31"]),
    st.sampled_from(["CHN", "RUS", "SCO"]),
    st.sampled_from(["a", "b", "coordination"]),
    st.sampled_from(STANCES),
)
LABEL = st.tuples(st.sampled_from(STANCES), st.sampled_from([0.02, 0.5, 1.0]))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(ROW, max_size=60), st.lists(LABEL, max_size=60), st.integers(1, 9), st.booleans())
def test_a_row_has_all_its_numbers_or_none(
    rows: list[tuple[str, str, str, str]], given_labels: list[tuple[str, float]], per_document: int, joint: bool
) -> None:
    tags = tags_of(*rows).assign(doc_id=[f"d{i // per_document}" for i in range(len(rows))])
    tags = tags.assign(joint=[joint and i % 3 == 0 for i in range(len(rows))])
    labels = labels_of(*[(f"s{i}", rows[i][2], *given_labels[i]) for i in range(min(len(rows), len(given_labels)))])
    answer = run(tags, labels)
    table = answer.trends
    numbers = ["estimate", "conf_low", "conf_high", "std_error"]
    empty = table["status"] == "empty"
    assert table.loc[empty, [*numbers, "naive_estimate"]].isna().all(axis=None)
    side = table["measure"] == "same_side_prob"
    assert table.loc[~empty & ~side, numbers].notna().all(axis=None)
    assert table.loc[~empty & side, "estimate"].between(0, 1).all()
    assert (
        (table.loc[table["measure"] == "position", "n_addressed"] > 0)
        .eq(~empty[table["measure"] == "position"])
        .all()
    )
    assert (table["n_eff"] <= table["n_addressed"]).all()
    assert set(table["status"]) <= {"ok", "sparse", "empty"}
    inside = table.loc[~empty & ~side]
    assert (inside["conf_low"] <= inside["estimate"] + 1e-9).all()
    assert (inside["estimate"] <= inside["conf_high"] + 1e-9).all()
    p = answer.tests["p_value"].dropna()
    assert p.between(0, 1).all()


@MANY
@given(st.lists(FLOATS, min_size=1, max_size=30), st.integers(0, 5))
def test_hac_variance_is_never_negative_and_scales(values: list[float], lags: int) -> None:
    influence = np.array(values)
    assert hac_variance(influence, lags) >= 0
    np.testing.assert_allclose(hac_variance(3 * influence, lags), 9 * hac_variance(influence, lags), atol=1e-9)
    np.testing.assert_allclose(hac_variance(influence[::-1], lags), hac_variance(influence, lags), atol=1e-9)


@MANY
@given(st.floats(-2, 2), st.floats(0, 2), st.floats(0, 2))
def test_projected_interval_holds_every_gap_in_the_interval(gap: float, down: float, up: float) -> None:
    center, low, high = project(np.array(gap), np.array(gap - down), np.array(gap + up))
    assert low <= center + 1e-12
    assert center <= high + 1e-12
    for share in np.linspace(0, 1, 7):
        inside = max(-2.0, min(2.0, gap - down + share * (down + up)))
        assert low - 1e-9 <= 1 - abs(inside) / 2 <= high + 1e-9
    mirrored = project(np.array(-gap), np.array(-gap - up), np.array(-gap + down))
    np.testing.assert_allclose([float(v) for v in mirrored], [float(center), float(low), float(high)], atol=1e-12)


@MANY
@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=12))
def test_holm_never_lowers_and_keeps_the_order(p: list[float]) -> None:
    raw, adjusted = np.array(p), perm.holm(p)
    assert (adjusted >= raw - 1e-12).all()
    assert (adjusted <= np.minimum(raw * len(p), 1) + 1e-12).all()
    order = np.argsort(raw, kind="stable")
    assert (np.diff(adjusted[order]) >= -1e-12).all()


@MANY
@given(st.integers(0, 60), st.integers(1, 5), SEEDS)
def test_permutations_are_permutations(months: int, block: int, seed: int) -> None:
    orders = perm.block_permutations(months, 5, np.random.default_rng(seed), block=block)
    assert (np.sort(orders, axis=1) == np.arange(months)).all()


@MANY
@given(st.lists(FLOATS, min_size=4, max_size=12), st.integers(1, 9))
def test_pool_is_blind_to_the_scale_of_weights(values: list[float], scale: int) -> None:
    column = np.array(values)[:, None]
    weights = np.resize([1.0, -2.0, 0.5], len(values))
    np.testing.assert_allclose(perm.pool(column, weights), perm.pool(column, scale * weights))
