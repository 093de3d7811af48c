"""Which statements are drawn for labelling, and that the stated probabilities are the true ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.aggregate import TrendOptions
from pipeline.annotate.sampling import FRAME_COLUMNS, _inclusion, allocate, draw_round, systematic
from pipeline.errors import UsageError
from pipeline.store.sampling import accumulate
from tests.test_aggregate_frames import labels_of, make_world, tags_of

NOTHING = pd.DataFrame({"statement_id": [], "prob": [], "drawn": []})
LABEL_COLUMNS = ["statement_id", "target", "stance", "sampling_prob"]


@pytest.fixture(scope="module")
def world() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tags, and the labels that complete coding would give."""
    tags, labels, _ = make_world(5, months=18, share=1.0)
    return tags, labels


def history_of(*rounds: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([one[["statement_id", "prob", "drawn"]] for one in rounds], ignore_index=True)


# ---------------------------------------------------------------- parts


def test_allocation_follows_worth_and_room() -> None:
    assert allocate([np.ones(100), np.full(100, 3.0)], 40) == [10, 30]
    assert allocate([np.full(5, 100.0), np.ones(100)], 40) == [5, 35]
    assert allocate([np.full(50, 1e-9), np.ones(50)], 20) == [2, 18]  # every stratum is heard
    assert allocate([np.ones(1), np.ones(50)], 20) == [1, 19]
    assert allocate([np.ones(30), np.ones(30), np.zeros(0)], 2) == [1, 1, 0]
    assert allocate([np.ones(3), np.ones(4)], 100) == [3, 4]
    assert sum(allocate([np.ones(7), np.ones(11), np.ones(13)], 17)) == 17


def test_inclusion_probabilities_are_proportional_capped_and_add_up() -> None:
    factor, prob = _inclusion(np.array([1.0, 2.0, 3.0, 4.0]), 2)
    np.testing.assert_allclose(prob, [0.2, 0.4, 0.6, 0.8])
    assert factor == pytest.approx(0.2)
    _, prob = _inclusion(np.array([1.0, 1.0, 1.0, 100.0]), 2)
    np.testing.assert_allclose(prob, [1 / 3, 1 / 3, 1 / 3, 1])
    _, prob = _inclusion(np.array([1.0, 2.0]), 2)
    np.testing.assert_allclose(prob, 1)
    _, prob = _inclusion(np.array([1.0, 9.0, 90.0, 900.0, 1.0]), 3)
    assert prob.sum() == pytest.approx(3)
    assert (prob <= 1).all()


def test_a_systematic_sample_has_its_size_and_its_probabilities() -> None:
    prob = np.array([0.1, 0.7, 0.5, 0.2, 0.9, 0.6, 1.0])
    rng = np.random.default_rng(0)
    drawn = np.stack([systematic(prob, rng) for _ in range(6000)])
    assert (drawn.sum(axis=1) == 4).all()
    np.testing.assert_allclose(drawn.mean(axis=0), prob, atol=0.02)
    assert drawn[:, -1].all()


# ---------------------------------------------------------------- a round


def test_a_round_names_every_statement_that_could_be_drawn(world: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    tags, _ = world
    found = draw_round(tags, labels_of(), NOTHING, n=60)
    assert tuple(found.columns) == FRAME_COLUMNS
    assert found["drawn"].sum() == 60
    assert set(found["statement_id"]) == set(tags["statement_id"])
    assert found["statement_id"].is_unique
    assert found["prob"].between(0, 1, inclusive="right").all()
    assert found["prob"].sum() == pytest.approx(60)
    pd.testing.assert_series_equal(found["sampling_prob"], found["prob"], check_names=False)
    assert set(found["stratum"]) == {f"{c}: {x}addressed" for c in ("CHN", "RUS") for x in ("", "not ")}
    per = found.groupby("stratum").agg(drawn=("drawn", "sum"), prob=("prob", "sum"))
    np.testing.assert_allclose(per["drawn"], per["prob"])


def test_strata_are_what_the_model_found(world: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    tags, _ = world
    hit = tags.assign(hit=tags["stance"] != "none").groupby("statement_id")["hit"].any()
    found = draw_round(tags, labels_of(), NOTHING, n=10).set_index("statement_id")
    assert (found["stratum"].str.endswith(": addressed") == hit[found.index]).all()


def test_what_the_model_is_surest_of_is_drawn_least(world: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    tags, labels = world
    found = draw_round(tags, labels_of(), NOTHING, n=60)
    mean = found.groupby("stratum")["prob"].mean()
    assert mean["CHN: addressed"] > 1.2 * mean["CHN: not addressed"]
    assert (found["prob"] > 0.25 * found.groupby("stratum")["prob"].transform("mean")).all()
    # where labels show that one prediction is always right, its statements are worth less
    known = tags.merge(labels, on=["statement_id", "target"], suffixes=("", "_true"))
    half = known[known["statement_id"].str[-1].astype(int) < 5]
    sure = half.assign(stance=half["stance_true"].where(half["stance"] != "against", "against"))[LABEL_COLUMNS]
    after = draw_round(tags, sure, NOTHING, n=60)
    worth = after.merge(tags[tags["target"] == "t0"], on="statement_id")
    worth = worth[worth["stratum"].str.endswith(": addressed")].groupby("stance")["prob"].mean()
    assert worth["against"] < worth["favor"]


def test_equal_seeds_draw_equally_and_others_do_not(world: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    tags, _ = world
    one, same, other = (draw_round(tags, labels_of(), NOTHING, n=50, random_state=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    shuffled = draw_round(tags.sample(frac=1, random_state=0), labels_of(), NOTHING, n=50, random_state=1)
    pd.testing.assert_frame_equal(one, shuffled)
    assert not one["drawn"].equals(other["drawn"])


def test_a_sample_spreads_over_time(world: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    tags, _ = world
    found = draw_round(tags, labels_of(), NOTHING, n=90).merge(
        tags.drop_duplicates("statement_id"), on="statement_id"
    )
    share = found.groupby(found["date"].str[:7])["drawn"].mean()
    assert share.min() > 0.02
    assert share.max() < 3 * share.mean()


@pytest.mark.parametrize("options", [
    TrendOptions(targets=("t1",)), TrendOptions(pair=("RUS", "CHN")),
    TrendOptions(since=pd.Timestamp("2020-06-01").date(), until=pd.Timestamp("2020-12-31").date()),
])  # fmt: skip
def test_options_bound_what_is_drawn(options: TrendOptions, world: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    tags, _ = world
    found = draw_round(tags, labels_of(), NOTHING, n=20, options=options).merge(
        tags.drop_duplicates("statement_id"), on="statement_id"
    )
    assert found["drawn"].sum() == 20
    if options.since is not None:
        assert (found["date"].between("2020-06-01", "2020-12-31")).all()


def test_third_actors_and_undated_statements_are_not_drawn() -> None:
    tags = tags_of(*[("2024-01-05", c, "a", "favor") for c in ("CHN", "RUS", "SCO", "CHN")])
    tags.loc[3, "date"] = ""
    found = draw_round(tags, labels_of(), NOTHING, n=10)
    assert set(found["statement_id"]) == {"s0", "s1"}
    assert found["drawn"].all()


def test_labelled_without_a_draw_is_certain_and_stays_out(world: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    tags, labels = world
    coded = set(tags["statement_id"].unique()[:100])
    found = draw_round(tags, labels[labels["statement_id"].isin(coded)], NOTHING, n=30)
    assert not coded & set(found["statement_id"])


def test_nothing_left_and_nothing_asked(world: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    tags, labels = world
    with pytest.raises(UsageError, match="left to draw: all are labelled or drawn"):
        draw_round(tags, labels, NOTHING, n=10)
    with pytest.raises(UsageError, match="n 0: give at least 1"):
        draw_round(tags, labels_of(), NOTHING, n=0)
    with pytest.raises(UsageError, match="none in this range"):
        draw_round(tags.iloc[:0], labels_of(), NOTHING, n=5)


# ---------------------------------------------------------------- rounds


def test_chances_accumulate_over_rounds(world: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    tags, _ = world
    first = draw_round(tags, labels_of(), NOTHING, n=60)
    second = draw_round(tags, labels_of(), history_of(first), n=60)
    assert not set(first.loc[first["drawn"], "statement_id"]) & set(second.loc[second["drawn"], "statement_id"])
    both = first.merge(second, on="statement_id", suffixes=("_1", "_2"))
    assert len(both) == len(first)
    np.testing.assert_allclose(both["sampling_prob_2"], 1 - (1 - both["prob_1"]) * (1 - both["prob_2"]))
    assert (both["sampling_prob_2"] > both["prob_1"]).all()  # those drawn before too: their weight must fall
    third = draw_round(tags, labels_of(), history_of(first, second), n=10_000)
    assert third["drawn"].sum() == tags["statement_id"].nunique() - 120


def test_inverse_probabilities_estimate_totals_over_two_rounds() -> None:
    """Horvitz-Thompson totals are right on average though the second round learns from the first one's labels."""
    tags, labels, _ = make_world(8, months=4, share=1.0)
    truth = (labels["stance"] == "favor").sum()
    found, sizes = [], []
    for seed in range(120):
        first = draw_round(tags, labels_of(), NOTHING, n=40, random_state=seed)
        drawn = set(first.loc[first["drawn"], "statement_id"])
        known = labels[labels["statement_id"].isin(drawn)]
        given = known.drop(columns="sampling_prob").merge(
            first[["statement_id", "sampling_prob"]], on="statement_id"
        )
        second = draw_round(tags, given[LABEL_COLUMNS], history_of(first), n=40, random_state=seed)
        drawn |= set(second.loc[second["drawn"], "statement_id"])
        weight = 1 / second.set_index("statement_id")["sampling_prob"]
        part = labels[labels["statement_id"].isin(drawn)]
        found.append(weight[part.loc[part["stance"] == "favor", "statement_id"]].sum())
        sizes.append(weight[list(drawn)].sum())
    for values, true in ((found, truth), (sizes, tags["statement_id"].nunique())):
        assert np.mean(values) == pytest.approx(true, abs=4 * np.std(values) / np.sqrt(len(values)))
    assert np.std(found) < truth / 3


# ---------------------------------------------------------------- probabilities of labels in the store


ROUNDS = pd.DataFrame(
    [
        (1, "a", "h", 0.2, 1),
        (1, "b", "h", 0.2, 0),
        (1, "c", "h", 0.2, 1),
        (2, "a", "h", 0.5, 0),
        (2, "b", "h", 0.5, 1),
    ],
    columns=["round", "statement_id", "stratum", "prob", "drawn"],
)


def probs(*labelled: str) -> dict[str, float]:
    labels = labels_of(*[(name, "t", "favor", 0.9) for name in labelled])
    found = accumulate(labels, ROUNDS)
    return dict(zip(found["statement_id"], found["sampling_prob"].round(9), strict=True))


def test_a_label_s_probability_counts_the_rounds_that_are_labelled() -> None:
    assert probs("a", "c") == {"a": 0.2, "c": 0.2}  # round 2 is not labelled yet
    assert probs("a", "b", "c") == {"a": 0.6, "b": 0.6, "c": 0.2}  # c was not there in round 2
    assert probs("a") == {"a": 0.1}  # half of the stratum is done
    assert probs("a", "z") == {"a": 0.1, "z": 0.9}  # never drawn: as it was given


def test_no_rounds_or_no_labels_change_nothing() -> None:
    labels = labels_of(("a", "t", "favor", 1.0))
    pd.testing.assert_frame_equal(accumulate(labels, ROUNDS.iloc[:0]), labels)
    assert accumulate(labels_of(), ROUNDS).empty


def test_labelled_though_the_round_passed_it_by_keeps_its_own_probability() -> None:
    only_second = ROUNDS.assign(drawn=[0, 0, 1, 0, 1])
    found = accumulate(labels_of(("a", "t", "favor", 1.0), ("b", "t", "favor", 0.3)), only_second)
    assert found["sampling_prob"].round(9).tolist() == [1.0, 0.5]
