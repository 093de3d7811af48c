"""Permutations, p-values and the statistics of the tests, by hand where a hand can."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from pipeline.aggregate import drift as drift_module
from pipeline.aggregate import permutation as perm
from pipeline.aggregate.cells import count_cells, find_clusters
from pipeline.aggregate.drift import drift_test
from pipeline.aggregate.fallback import adjusted_totals, combine, largest_share
from pipeline.aggregate.labelled import Correction, uncorrected
from pipeline.aggregate.totals import PairTotals
from tests.test_aggregate_frames import ERRORS, labels_of, make_world, seen_of, tags_of


def totals(positions: np.ndarray, weight: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """Make scores and addressed, (2, K, T), of actors with given positions (2, K, T)."""
    addressed = np.full(positions.shape, weight)
    return positions * addressed, addressed


def pair_totals(scores: np.ndarray, addressed: np.ndarray) -> PairTotals:
    return PairTotals(
        scores=scores, addressed=addressed, score_draws=scores[None], addressed_draws=addressed[None],
        volume=addressed, present=addressed > 0, pooled=np.ones(scores.shape[1], bool), estimator="design-based",
    )  # fmt: skip


def noisy(seed: int, gap: float, *, months: int = 24, targets: int = 2, sd: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    positions = rng.normal(0, sd, (2, targets, months))
    positions[0] += gap
    return positions


# ---------------------------------------------------------------- permutations and p-values


def test_block_permutations_move_blocks_of_three() -> None:
    orders = perm.block_permutations(12, 200, np.random.default_rng(0))
    assert orders.shape == (200, 12)
    for order in orders:
        assert sorted(order) == list(range(12))
        kept = sum(b - a == 1 for a, b in itertools.pairwise(order))
        assert kept >= 12 - 5  # at most five blocks: four of three, or two partial ones at the ends


def test_block_permutations_reach_everywhere() -> None:
    orders = perm.block_permutations(12, 600, np.random.default_rng(1))
    assert set(orders[:, 0]) >= set(range(11))
    assert len({tuple(order) for order in orders}) > 100


def test_blocks_of_one_month_and_empty_ranges() -> None:
    assert perm.block_permutations(0, 3, np.random.default_rng(0)).shape == (3, 0)
    single = perm.block_permutations(4, 300, np.random.default_rng(0), block=1)
    assert len({tuple(order) for order in single}) == 24


def test_p_values_count_the_data_among_the_permutations() -> None:
    null = np.array([[1.0, -3.0], [-2.0, 0.5], [0.5, 0.1], [3.0, 0.2]])
    answer = perm.p_values(np.array([-2.0, 4.0]), null)
    assert answer.tolist() == [(1 + 2) / 5, 1 / 5]


def test_unknown_statistics_give_unknown_p_values_and_failed_permutations_count_as_large() -> None:
    answer = perm.p_values(np.array([np.nan, 5.0]), np.array([[1.0, np.nan], [1.0, 1.0]]))
    assert np.isnan(answer[0])
    assert answer[1] == pytest.approx(2 / 3)


def test_holm_by_hand() -> None:
    answer = perm.holm([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(answer, [0.03, 0.06, 0.06, 0.02])


def test_holm_caps_at_one_and_leaves_unknown_out() -> None:
    answer = perm.holm([0.6, np.nan, 0.7])
    np.testing.assert_allclose(answer, [1.0, np.nan, 1.0])
    assert perm.holm([np.nan]).tolist() == pytest.approx([np.nan], nan_ok=True)
    assert perm.holm([]).size == 0
    assert perm.holm([0.2, np.nan])[0] == 0.2


# ---------------------------------------------------------------- pooling


def test_pool_averages_by_signed_weight() -> None:
    values = np.array([[1.0, 2.0], [-3.0, np.nan], [5.0, 5.0]])
    np.testing.assert_allclose(perm.pool(values, np.array([1.0, -1.0, 0.0])), [2.0, 2.0])
    np.testing.assert_allclose(perm.pool(values, np.array([3.0, -1.0, 0.0])), [1.5, 2.0])


def test_pool_of_nothing_is_unknown() -> None:
    assert np.isnan(perm.pool(np.array([[np.nan], [1.0]]), np.array([1.0, 0.0]))).all()
    assert np.isnan(perm.pool(np.zeros((0, 3)), np.zeros(0))).all()


def test_matched_weights_are_gap_over_variance() -> None:
    positions = np.array([[[0.6, 0.4], [-0.2, -0.4], [0.01, -0.01]], [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]])
    scores, addressed = totals(positions)
    weights = perm.matched_weights(scores, addressed)
    # influences are the departures from the mean over the number of months
    assert weights[0] == pytest.approx(0.5 / (2 * 0.05**2))
    assert weights[1] == pytest.approx(-0.3 / (2 * 0.05**2))
    assert weights[2] == pytest.approx(0.1 / (2 * 0.05**2 / 4))  # neither as small a gap nor as small a variance


def test_matched_weights_leave_out_what_has_no_gap() -> None:
    assert perm.matched_weights(np.zeros((2, 1, 4)), np.zeros((2, 1, 4))).tolist() == [0]


# ---------------------------------------------------------------- event statistic


def test_event_statistic_by_hand() -> None:
    positions = np.zeros((2, 1, 4))
    positions[0, 0] = [0.5, 0.7, 0.2, 0.0]
    scores, addressed = totals(positions)
    before, after = np.arange(4) < 2, np.arange(4) >= 2
    found = perm.event_statistic(scores[None], addressed[None], before=before, after=after, weights=np.ones(1))
    assert found.effect[0].tolist() == pytest.approx([-0.5, -0.5])
    # departures of 0.1 a month over two months, with the correction 2 / (2 - 1)
    error = np.sqrt(4 * (0.1 / 2) ** 2 * 2)
    assert found.std_error[0, 0] == pytest.approx(error)
    assert found.value[0, 0] == pytest.approx(-0.5 / error)


def test_event_statistic_weighs_months_by_what_was_said_in_them() -> None:
    scores = np.array([[[8.0, 0.0, 1.0, 1.0]], [[0.0] * 4]])
    addressed = np.array([[[8.0, 2.0, 2.0, 2.0]], [[1.0] * 4]])
    before, after = np.arange(4) < 2, np.arange(4) >= 2
    found = perm.event_statistic(scores[None], addressed[None], before=before, after=after, weights=np.ones(1))
    assert found.effect[0, 0] == pytest.approx(0.5 - 0.8)


def test_event_statistic_pools_gaps_that_shrink_from_either_side() -> None:
    positions = np.zeros((2, 2, 8))
    positions[0, 0, :4], positions[0, 1, :4] = 0.6, -0.6
    scores, addressed = totals(positions + noisy(0, 0.0, months=8, sd=0.01))
    before, after = np.arange(8) < 4, np.arange(8) >= 4
    run = {"before": before, "after": after}
    turned = perm.event_statistic(scores[None], addressed[None], weights=np.array([1.0, -1.0]), **run)
    straight = perm.event_statistic(scores[None], addressed[None], weights=np.array([1.0, 1.0]), **run)
    assert turned.effect[0, 2] == pytest.approx(-0.6, abs=0.03)
    assert straight.effect[0, 2] == pytest.approx(0.0, abs=0.03)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_event_standard_error_is_corrected_for_the_windows_means(n: int) -> None:
    positions = np.zeros((2, 1, 2 * n))
    positions[0, 0] = np.random.default_rng(n).normal(0, 1, 2 * n)
    scores, addressed = totals(positions)
    before, after = np.arange(2 * n) < n, np.arange(2 * n) >= n
    found = perm.event_statistic(scores[None], addressed[None], before=before, after=after, weights=np.ones(1))
    early, late = positions[0, 0, :n], positions[0, 0, n:]
    assert found.std_error[0, 0] == pytest.approx(np.sqrt(early.var(ddof=1) / n + late.var(ddof=1) / n))


def test_statistic_without_spread_is_unknown() -> None:
    scores, addressed = totals(np.zeros((2, 1, 6)))
    found = perm.event_statistic(
        scores[None], addressed[None], before=np.arange(6) < 3, after=np.arange(6) >= 3, weights=np.ones(1)
    )
    assert np.isnan(found.value).all()


def test_growing_volume_alone_does_not_reject() -> None:
    """Permutation p-values of a steady gap whose volume grows tenfold are uniform enough."""
    p = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        addressed = np.broadcast_to(np.linspace(2, 20, 24), (2, 1, 24)).copy()
        scores = addressed * np.array([0.4, -0.2])[:, None, None] + rng.normal(0, 1, (2, 1, 24)) * np.sqrt(
            addressed
        )
        order = perm.block_permutations(24, 99, rng)
        run = {"before": np.arange(24) < 12, "after": np.arange(24) >= 12, "weights": np.ones(1)}
        seen = perm.event_statistic(scores[None], addressed[None], **run).value[0]
        null = perm.event_statistic(
            np.moveaxis(scores[..., order], -2, 0), np.moveaxis(addressed[..., order], -2, 0), **run
        ).value
        p.append(perm.p_values(seen, null)[0])
    assert np.mean(np.array(p) < 0.1) < 0.25
    assert 0.35 < np.mean(p) < 0.65


# ---------------------------------------------------------------- trend


def test_trend_statistic_recovers_a_line() -> None:
    months = np.arange(20.0)
    positions = np.zeros((2, 1, 20))
    positions[0, 0] = 0.5 - 0.02 * months
    positions[1, 0] = 0.1 + 0.005 * months
    scores, addressed = totals(positions)
    found = perm.trend_statistic(scores[None], addressed[None], weights=np.ones(1))
    assert found.effect[0, 0] == pytest.approx(-0.025)
    assert found.std_error[0, 0] == pytest.approx(0, abs=1e-12)


def test_trend_standard_error_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(5)
    positions = np.zeros((2, 1, 40))
    positions[0, 0] = rng.normal(0, 0.2, 40)
    scores, addressed = totals(positions)
    found = perm.trend_statistic(scores[None], addressed[None], weights=np.ones(1))
    time = np.arange(40) - 19.5
    slope = (time * positions[0, 0]).sum() / (time**2).sum()
    residual = positions[0, 0] - positions[0, 0].mean() - slope * time
    robust = np.sqrt(((time * residual) ** 2).sum() * 40 / 38) / (time**2).sum()
    assert found.effect[0, 0] == pytest.approx(slope)
    assert found.std_error[0, 0] == pytest.approx(robust)


# ---------------------------------------------------------------- changepoint


def test_cusum_peaks_at_the_change() -> None:
    positions = noisy(3, 0.5, sd=0.05)
    positions[0, :, 14:] -= 0.5
    scores, addressed = totals(positions)
    path = perm.cusum(scores[None], addressed[None], addressed[None], weights=np.ones(2))[0]
    assert path.shape == (3, 24)
    assert (np.nanargmax(np.abs(path), axis=-1) == 13).all()


def test_cusum_by_hand_and_trimmed() -> None:
    positions = np.zeros((2, 1, 10))
    positions[0, 0] = [1, 0] * 5
    scores, addressed = totals(positions, 1.0)
    path = perm.cusum(scores[None], addressed[None], addressed[None], weights=np.ones(1))[0, 0]
    assert np.isnan(path[[0, 8, 9]]).all()  # a tenth of the information is trimmed, so is nine tenths
    assert not np.isnan(path[1:8]).any()
    # departures of 0.05 a month; after the third month 0.05; variance 10 * 0.05**2 * 0.3 * 0.7
    assert path[2] == pytest.approx(0.05 / np.sqrt(10 * 0.05**2 * 0.3 * 0.7))


def test_cusum_of_an_absent_target_is_unknown_and_out_of_the_pool() -> None:
    scores, addressed = totals(noisy(1, 0.3))
    scores[:, 1], addressed[:, 1] = 0, 0
    path = perm.cusum(scores[None], addressed[None], addressed[None], weights=np.ones(2))[0]
    assert np.isnan(path[1]).all()
    np.testing.assert_allclose(path[2], path[0])


def test_largest_ignores_what_is_unknown() -> None:
    answer = perm.largest(np.array([[np.nan, -3.0, 2.0], [np.nan] * 3]))
    assert answer[0] == 3
    assert np.isnan(answer[1])


# ---------------------------------------------------------------- lead-lag


@pytest.mark.parametrize(("leader", "sign"), [(0, 1), (1, -1)])
def test_lead_lag_says_who_moves_first(leader: int, sign: int) -> None:
    rng = np.random.default_rng(2)
    path = rng.normal(0, 0.3, 42)
    positions = np.zeros((2, 1, 40))
    positions[leader, 0], positions[1 - leader, 0] = path[2:], path[:-2]
    scores, addressed = totals(positions)
    value = perm.lead_lag(scores, addressed, addressed, np.arange(40)[None], weights=np.ones(1))
    assert value.shape == (1, 2)
    assert sign * value[0, 0] > 0.6
    assert value[0, 1] == value[0, 0]


def test_lead_lag_by_hand() -> None:
    first, second = np.array([1.0, -1.0, 0.0, 0.0]), np.array([0.0, 1.0, -1.0, 0.0])
    scores, addressed = totals(np.stack([first, second])[:, None], 1.0)
    value = perm.lead_lag(scores, addressed, addressed, np.arange(4)[None], weights=np.ones(1))[0, 0]
    # lag 1: 1 * 1 + -1 * -1 = 2 against 0 * -1 + 1 * 0 + -1 * 0 = 0; lag 2: 1 * -1 against 0; size 2
    assert value == pytest.approx((2 - 1) / 2)


@pytest.mark.parametrize(("lag", "value"), [(0, 0), (1, 1), (2, 1), (3, 1), (4, 0), (-1, -1), (-3, -1), (-4, 0)])
def test_leads_and_lags_of_up_to_three_months_count(lag: int, value: int) -> None:
    scores = np.zeros((2, 1, 16))
    scores[0, 0, 6:8], scores[1, 0, 6 + lag : 8 + lag] = [1, -1], [1, -1]
    found = perm.lead_lag(scores, np.ones((2, 1, 16)), np.ones((2, 1, 16)), np.arange(16)[None], weights=np.ones(1))
    neighbours = {0: 0, 1: 1 - 0.5, 2: 1 - 0.5 - 0.5, 3: 1 - 0.5, 4: -0.5}
    assert found[0, 0] == pytest.approx(np.sign(lag) * neighbours[abs(lag)])
    assert abs(value) == (abs(lag) in {1, 2, 3})


def test_lead_lag_of_a_series_shorter_than_the_longest_lag() -> None:
    scores = np.array([[[1.0, -1.0]], [[-1.0, 1.0]]])
    found = perm.lead_lag(scores, np.ones((2, 1, 2)), np.ones((2, 1, 2)), np.arange(2)[None], weights=np.ones(1))
    assert found[0, 0] == pytest.approx((1 * 1 - -1 * -1) / 2)


def test_lead_lag_scales_months_by_their_volume() -> None:
    volume = np.array([[[4.0, 0.1, 1.0, 1.0]], [[1.0, 1.0, 1.0, 1.0]]])
    scores = np.array([[[2.0, -2.0, 0.0, 0.0]], [[0.0, 1.0, -1.0, 0.0]]])
    found = perm.lead_lag(scores, volume, volume, np.arange(4)[None], weights=np.ones(1))[0, 0]
    first, second = np.array([1.0, -2 / np.sqrt(0.5), 0, 0]), np.array([0, 1.0, -1.0, 0])
    lags = (first[:-1] @ second[1:] - first[1:] @ second[:-1]) + (first[:-2] @ second[2:] - first[2:] @ second[:-2])
    assert found == pytest.approx(lags / np.sqrt((first @ first) * (second @ second)))


# ---------------------------------------------------------------- classifier drift


def drifting(seed: int, after: float) -> tuple[float, float]:
    """Test labels of documents whose predictions are right 80% of the time, then `after`."""
    rng = np.random.default_rng(seed)
    rows, labels = [], []
    for i in range(240):
        right = rng.random() < (0.8 if i % 24 < 12 else after)
        rows.append((f"{2020 + i % 24 // 12}-{i % 12 + 1:02d}-03", ("CHN", "RUS")[i // 24 % 2], "a", "favor"))
        labels.append((f"s{i}", "a", "favor" if right else "against", 1.0))
    found = drift_test(
        seen_of(tags_of(*rows), labels_of(*labels)), (0, 1), permutations=99, rng=np.random.default_rng(1)
    )
    assert found is not None
    return float(found.p_value[-1]), float(found.effect[-1])


def test_drift_is_found_and_its_absence_too() -> None:
    # errors show only where truth varies: predictions are all `favor`, so rows of truth hold one column each
    accuracy_change = drifting(0, 0.3)[1]
    assert accuracy_change == pytest.approx(-0.5, abs=0.12)
    assert drifting(1, 0.8)[1] == pytest.approx(0.0, abs=0.12)


def test_drift_p_value_sees_a_changed_confusion() -> None:
    tags, labels, _ = make_world(4, months=24, share=0.5)
    late = tags["date"] >= "2021-01-01"
    swapped = tags.assign(stance=tags["stance"].mask(late & (tags["stance"] == "against"), "neutral"))
    run = {"permutations": 99, "rng": np.random.default_rng(0)}
    changed, same = (
        drift_test(seen_of(swapped, labels), (0, 1), **run),
        drift_test(seen_of(tags, labels), (0, 1), **run),
    )
    assert changed is not None
    assert same is not None
    assert changed.p_value[-1] == 0.01
    assert same.p_value[-1] > 0.05
    assert changed.effect[-1] < -0.05
    assert changed.statistic[-1] > same.statistic[-1]
    assert (changed.std_error > 0).all()


def test_drift_multiplies_the_evidence_of_distance_and_warmth() -> None:
    rows, labels = [], []
    pattern = {"2024-01-05": ["favor"] * 8 + ["none"] * 3, "2024-06-05": ["favor"] * 4 + ["against"] * 7}
    for country in ("CHN", "RUS"):
        for day, predictions in pattern.items():
            for stance in predictions:
                labels.append((f"s{len(rows)}", "a", "favor", 0.5))
                rows.append((day, country, "a", stance))
    seen = seen_of(tags_of(*rows), labels_of(*labels))
    found = drift_test(seen, (0, 1), permutations=19, rng=np.random.default_rng(0))
    assert found is not None
    table = np.array([[8.0, 3, 0], [4, 0, 7]])
    expected = stats.chi2_contingency(table, correction=False).statistic
    sides = [drift_module._side(seen, actor) for actor in (0, 1)]
    distance, warmth, _ = drift_module._compare(sides, [side.late for side in sides])
    np.testing.assert_allclose(distance, 2 * expected)
    # scores +1 (12 times) and -1 (7): warmer by their weighted mean 5/19 than usual, early 8 times, later 4 and -7
    early, late = np.r_[np.full(8, 14 / 19), np.zeros(3)], np.r_[np.full(4, 14 / 19), np.full(7, -24 / 19)]
    change = (late.mean() - early.mean()) / np.sqrt(late.var() / 11 + early.var() / 11)
    np.testing.assert_allclose(warmth, 2 * change**2)
    assert found.p_value[-1] == 0.05
    np.testing.assert_allclose(found.statistic, -4 * np.log(0.05))  # both p-values are the smallest of 20
    np.testing.assert_allclose(found.effect, 4 / 11 - 8 / 11)


def test_warmth_finds_a_small_chill_that_the_matrices_hide() -> None:
    """Each reading one step colder in a tenth of the cases: found by warmth, lost among twelve cells."""
    found = {}
    for chill in (0.0, 0.18):
        rng = np.random.default_rng(6)
        rows, labels = [], []
        for i in range(700):
            true = int(rng.integers(3))
            read = true if rng.random() < 0.7 else int(rng.integers(3))
            late = i % 2
            read = min(read + int(late and rng.random() < chill), 2)
            names = ("favor", "neutral", "against")
            rows.append((f"{2020 + late}-{i % 12 + 1:02d}-03", ("CHN", "RUS")[i // 2 % 2], "a", names[read]))
            labels.append((f"s{i}", "a", names[true], 1.0))
        run = drift_test(
            seen_of(tags_of(*rows), labels_of(*labels)), (0, 1), permutations=199, rng=np.random.default_rng(1)
        )
        assert run is not None
        found[chill] = run.p_value[-1]
    assert found[0.0] > 0.05
    assert found[0.18] < 0.02  # distance alone: 0.085


def test_missed_and_imagined_mentions_are_not_warm_or_cold() -> None:
    rows = [
        (f"2024-{1 + i % 12:02d}-05", c, "a", "none" if i % 2 else "favor")
        for i in range(48)
        for c in ("CHN", "RUS")
    ]
    labels = [(f"s{i}", "a", "favor" if i // 2 % 2 else "none", 1.0) for i in range(96)]
    seen = seen_of(tags_of(*rows), labels_of(*labels))
    assert not drift_module._side(seen, 0).warmth.any()


def test_ranks_are_shares_at_least_as_large() -> None:
    ranks = drift_module._ranks(np.array([[3.0, 1.0], [1.0, 1.0], [2.0, 1.0], [2.0, 0.0]]))
    np.testing.assert_allclose(ranks, [[0.25, 0.75], [1, 0.75], [0.75, 0.75], [0.75, 1]])


def test_drift_splits_at_the_month_that_balances_the_halves() -> None:
    rows = [(f"2024-{m:02d}-05", c, "a", "favor") for c in ("CHN", "RUS") for m in [1] * 14 + [2] * 6 + [3] * 14]
    labels = [(f"s{i}", "a", "against" if day[5:7] == "03" else "favor", 1.0) for i, (day, *_) in enumerate(rows)]
    found = drift_test(
        seen_of(tags_of(*rows), labels_of(*labels)), (0, 1), permutations=19, rng=np.random.default_rng(0)
    )
    assert found is not None
    assert found.effect[-1] == pytest.approx(6 / 20 - 1)


def test_drift_needs_labels_in_both_halves_of_both() -> None:
    tags, labels, _ = make_world(4, months=12)
    chinese = set(tags.loc[tags["country"] == "CHN", "statement_id"])
    rng = np.random.default_rng(0)
    assert drift_test(seen_of(tags), (0, 1), permutations=19, rng=rng) is None
    one = labels[labels["statement_id"].isin(chinese)]
    assert drift_test(seen_of(tags, one), (0, 1), permutations=19, rng=rng) is None


# ---------------------------------------------------------------- choice of totals


@pytest.mark.parametrize(("share", "p", "largest"), [
    (0.1, 0.5, 1.0), (0.149, 0.05, 1.0), (0.15, 0.5, 0.25), (0.9, 0.2, 0.25), (0.1, 0.049, 0.0), (0.2, 0.01, 0.0),
    (0.15, 0.199, 0.0),  # where enough is labelled to do without, a hint of drift decides
    (0.1, None, 0.0), (0.1, np.nan, 0.0),
])  # fmt: skip
def test_adjusted_counts_need_a_stable_classifier(share: float, p: float | None, largest: float) -> None:
    assert largest_share(share, p, ERRORS) == largest


def test_adjusted_counts_need_a_matrix_that_can_be_inverted() -> None:
    flat = np.full((4, 4), 0.24) + 0.01 * 4 * np.eye(4)
    assert np.linalg.cond(flat) > 20
    assert largest_share(0.1, 0.5, np.stack([ERRORS[0], flat])) == 0
    assert largest_share(0.1, 0.5, np.zeros((0, 4, 4))) == 0


def test_adjusted_totals_undo_the_confusion() -> None:
    truth = np.array([40.0, 20.0, 10.0, 30.0])
    tags = tags_of(("2024-01-01", "CHN", "a", "favor"), ("2024-01-01", "RUS", "a", "favor"))
    seen = seen_of(tags)
    cells = count_cells(seen, find_clusters(seen))
    cells.predicted[:] = np.stack([truth @ ERRORS[0], truth @ ERRORS[1]])[:, None, None]
    confusion = ERRORS[None, :, None]
    empty = np.zeros((1, 2, 1, 4))
    scores, addressed = adjusted_totals(cells, Correction(confusion=confusion, score=empty, addressed=empty))
    np.testing.assert_allclose(scores[0, :, 0, 0], 30)
    np.testing.assert_allclose(addressed[0, :, 0, 0], 70)
    plain, _ = adjusted_totals(cells, uncorrected((2, 1)))
    np.testing.assert_allclose(plain[0, 0, 0, 0], (truth @ ERRORS[0]) @ [1, 0, -1, 0])


def test_combine_prefers_the_sharper_totals_up_to_the_largest_share() -> None:
    sharp, dull = totals(noisy(1, 0.4, sd=0.02)), totals(noisy(2, 0.4, sd=0.4))
    adjusted = np.stack([sharp[0], sharp[0]]), np.stack([sharp[1], sharp[1]])
    mixed = combine(pair_totals(*dull), *adjusted, 1.0)
    assert mixed.estimator == "combined"
    np.testing.assert_allclose(mixed.scores, sharp[0], atol=0.2)
    np.testing.assert_allclose(mixed.score_draws[0], mixed.scores)
    capped = combine(pair_totals(*dull), *adjusted, 0.25)
    np.testing.assert_allclose(capped.scores, 0.25 * sharp[0] + 0.75 * dull[0])
    np.testing.assert_allclose(capped.addressed_draws[0], capped.addressed)
    other = combine(pair_totals(*sharp), np.stack([dull[0]] * 2), np.stack([dull[1]] * 2), 1.0)
    np.testing.assert_allclose(other.scores, sharp[0], atol=0.2)


def test_combine_halves_the_variance_of_independent_equals() -> None:
    one, two = noisy(1, 0.4, months=400, sd=0.2), noisy(2, 0.4, months=400, sd=0.2)
    mixed = combine(pair_totals(*totals(one)), np.stack([totals(two)[0]]), np.stack([totals(two)[1]]), 1.0)
    np.testing.assert_allclose(mixed.scores, 5 * (one + two), atol=0.8)


def test_combine_keeps_targets_that_cannot_be_adjusted() -> None:
    scores, addressed = totals(noisy(1, 0.4))
    mixed = combine(pair_totals(scores, addressed), np.zeros((1, *scores.shape)), np.zeros((1, *scores.shape)), 1.0)
    np.testing.assert_array_equal(mixed.scores, scores)
