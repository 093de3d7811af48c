"""One actor's position: hand-computed values on tiny series, and tests that find a trend and only a trend."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.report import shifts
from pipeline.report.inputs import STATEMENTS, TAGS, ReportInputs
from pipeline.report.shifts import LEAST, NOTHING, PERMUTATIONS, POWER, Shift, Strand
from pipeline.schema import LABEL_COLUMNS
from tests.test_report_world import make_inputs, make_statement, make_tag

Z = 1.959963984540054


def quantile(clusters: int) -> float:
    """Student's 97.5% point where that many clusters carry the error."""
    return float(stats.t.ppf(0.975, clusters - 1))


def made(score: Any, month: Any = None, **more: Any) -> Strand:
    """A strand of one statement a month, each its own document, all addressed."""
    values = np.asarray(score, dtype=float)
    months = np.arange(values.size) if month is None else np.asarray(month)
    base: dict[str, Any] = {
        "score": values, "addressed": np.ones(values.size), "month": months.astype(np.int64),
        "document": np.arange(values.size, dtype=np.int64), "labelled": 0,
        "n_months": int(months.max()) + 1 if months.size else 0,
    }  # fmt: skip
    return Strand(**(base | more))


def same(one: Shift, other: Shift) -> bool:
    names = ("estimate", "low", "high", "p_value", "detectable")
    return all(getattr(one, n) == pytest.approx(getattr(other, n), nan_ok=True) for n in names)


def nothing(shift: Shift) -> bool:
    return same(shift, NOTHING)


def noise(seed: int, n: int = 60, scale: float = 0.3) -> Any:
    return np.random.default_rng(seed).normal(0, scale, n)


def evidence(rows: list[tuple[dict[str, Any], str, str | None]], target: str = "india") -> ReportInputs:
    """Inputs of (what the statement is, its predicted stance, its label or None)."""
    statements = [make_statement(i, country="CHN", joint=False) | own for i, (own, _, _) in enumerate(rows)]
    tags = [make_tag(s, target, stance) for s, (_, stance, _) in zip(statements, rows, strict=True)]
    labels = [
        (s["statement_id"], target, gold, own.get("pi", 1.0))
        for s, (own, _, gold) in zip(statements, rows, strict=True) if gold is not None
    ]  # fmt: skip
    return make_inputs(
        statements=pd.DataFrame(statements)[list(STATEMENTS)], tags=pd.DataFrame(tags, columns=list(TAGS)),
        labels=pd.DataFrame(labels, columns=list(LABEL_COLUMNS)),
    )  # fmt: skip


def test_nothing_is_nan_throughout() -> None:
    assert all(math.isnan(getattr(NOTHING, n)) for n in ("estimate", "low", "high", "p_value", "detectable"))


def test_totals_sum_by_month_and_keep_silent_months() -> None:
    one = made([1, -1, 0.5, 1], month=[0, 0, 1, 3], n_months=5, addressed=np.array([1, 1, 0.5, 1.0]))
    score, addressed = one.totals()
    assert score.tolist() == [0.0, 0.5, 0.0, 1.0, 0.0]
    assert addressed.tolist() == [2.0, 0.5, 0.0, 1.0, 0.0]


def test_totals_of_an_empty_strand_are_zeros() -> None:
    score, addressed = made([], n_months=3).totals()
    assert score.tolist() == addressed.tolist() == [0.0, 0.0, 0.0]


def test_a_strand_without_labels_counts_the_predictions() -> None:
    inputs = evidence([({}, "favor", None), ({}, "neutral", None), ({}, "against", None), ({}, "none", None)])
    one = shifts.strand(inputs, "CHN", "india")
    assert one.score.tolist() == [1.0, 0.0, -1.0, 0.0]
    assert one.addressed.tolist() == [1.0, 1.0, 1.0, 0.0]
    assert one.labelled == 0


def test_a_label_replaces_the_prediction() -> None:
    one = shifts.strand(evidence([({}, "favor", "against"), ({}, "none", "favor")]), "CHN", "india")
    assert one.score.tolist() == [-1.0, 1.0]
    assert one.addressed.tolist() == [1.0, 1.0]
    assert one.labelled == 2


def test_a_label_drawn_with_half_a_chance_counts_twice_its_surprise() -> None:
    one = shifts.strand(
        evidence([({"pi": 0.5}, "favor", "against"), ({"pi": 0.5}, "none", "favor")]), "CHN", "india"
    )
    assert one.score.tolist() == [1 + 2 * (-1 - 1), 0 + 2 * (1 - 0)]
    assert one.addressed.tolist() == [1.0, 2.0]


def test_unlabelled_statements_take_the_labelled_mean_of_their_class() -> None:
    labelled = [
        ({"doc_id": f"own{i}"}, "favor", gold)
        for i, gold in enumerate(("favor", "favor", "favor", "against", "none"))
    ]
    one = shifts.strand(evidence([*labelled, ({"doc_id": "new"}, "favor", None)]), "CHN", "india")
    assert one.score[:5] == pytest.approx([1, 1, 1, -1, 0])
    assert one.score[5] == pytest.approx(2 / 5)
    assert one.addressed[5] == pytest.approx(4 / 5)


def test_the_mean_of_a_class_weighs_labels_by_their_chance() -> None:
    rows = [
        ({"pi": 0.25}, "favor", "against"),
        *[({"pi": 1.0}, "favor", "favor")] * 4,
        ({"doc_id": "new"}, "favor", None),
    ]
    one = shifts.strand(evidence(rows), "CHN", "india")
    assert one.score[5] == pytest.approx((4 * -1 + 4 * 1) / 8)


def test_a_statement_is_not_fitted_by_labels_of_its_own_document() -> None:
    rows = [({"doc_id": f"own{i}"}, "favor", "favor") for i in range(5)]
    rows += [
        ({"doc_id": "one"}, "favor", "against"),
        ({"doc_id": "one"}, "favor", None),
        ({"doc_id": ""}, "favor", None),
    ]
    one = shifts.strand(evidence(rows), "CHN", "india")
    assert one.score[6] == pytest.approx(1.0)  # five labels elsewhere, all in favor
    assert one.score[7] == pytest.approx(4 / 6)  # all six labels


def test_a_drawn_label_is_held_against_what_the_others_say() -> None:
    rows = [({"doc_id": f"own{i}", "pi": 0.5}, "favor", gold) for i, gold in enumerate(["against"] + ["favor"] * 6)]
    one = shifts.strand(evidence(rows), "CHN", "india")
    assert one.score[0] == pytest.approx(1 + 2 * (-1 - 1))  # the mean of the six others is 1
    assert one.score[1] == pytest.approx(4 / 6 + 2 * (1 - 4 / 6))  # that of the six others 4/6


def test_four_labels_of_a_class_are_too_few_to_learn_from() -> None:
    rows = [*[({}, "favor", "against")] * 4, ({}, "favor", None)]
    assert shifts.strand(evidence(rows), "CHN", "india").score[4] == 1.0


def test_labels_of_one_class_say_nothing_about_another() -> None:
    rows = [*[({}, "favor", "against")] * 6, ({}, "neutral", None), ({}, "against", None)]
    assert shifts.strand(evidence(rows), "CHN", "india").score[6:].tolist() == [0.0, -1.0]


def test_a_strand_holds_one_actor_but_counts_months_from_the_first_of_all() -> None:
    rows = [
        ({"country": "RUS", "date": "2019-11-30"}, "favor", None), ({"date": "2020-02-01"}, "against", None),
        ({"country": "RUS", "date": "2020-04-01"}, "neutral", None),
    ]  # fmt: skip
    inputs = evidence(rows)
    china, russia = (shifts.strand(inputs, actor, "india") for actor in ("CHN", "RUS"))
    assert china.month.tolist() == [3]
    assert russia.month.tolist() == [0, 5]
    assert china.n_months == russia.n_months == 6


@pytest.mark.parametrize(("actor", "target"), [("PAK", "india"), ("CHN", "security"), ("CHN", "unheard-of")])
def test_a_missing_actor_or_target_gives_an_empty_strand(actor: str, target: str) -> None:
    one = shifts.strand(evidence([({}, "favor", None)] * 3), actor, target)
    assert one.score.size == one.addressed.size == one.document.size == 0
    assert nothing(shifts.mean(one))
    assert nothing(shifts.trend(one))
    assert nothing(shifts.together(one, one))
    assert nothing(shifts.attention(one, one))


def test_statements_without_a_date_are_left_out() -> None:
    one = shifts.strand(evidence([({"date": ""}, "favor", None), ({}, "against", None)]), "CHN", "india")
    assert one.score.tolist() == [-1.0]


def test_statements_of_a_document_share_a_cluster_and_those_without_one_stand_alone() -> None:
    rows = [({"doc_id": d}, "favor", None) for d in ("a", "b", "a", "", "")]
    assert shifts.strand(evidence(rows), "CHN", "india").document.tolist() == [0, 1, 0, 2, 3]


def test_the_mean_and_its_interval_by_hand() -> None:
    # position 0.5; eight clusters of deviation 0.5/8; times 8/7
    shift = shifts.mean(made([1, 1, 1, 1, 0, 0, 0, 0]))
    error = math.sqrt(8 * (0.5 / 8) ** 2 * 8 / 7)
    half = quantile(8) * error
    assert same(shift, Shift(estimate=0.5, low=0.5 - half, high=0.5 + half))


def test_the_mean_is_over_what_addresses_the_target() -> None:
    one = made([1, 1, 1, 1, 1, 1, 0, 0, 0, 0], addressed=np.array([1.0] * 8 + [0, 0]))
    assert shifts.mean(one).estimate == pytest.approx(6 / 8)


def test_statements_of_one_document_count_as_one_cluster() -> None:
    scores = [1, 1, 1, 1, 0, 0, 0, 0]
    apart, held = made(scores), made(scores, document=np.array([0, 0, 1, 1, 2, 2, 3, 3]))
    error = math.sqrt(4 * (1.0 / 8) ** 2 * 4 / 3)
    assert shifts.mean(held).estimate == shifts.mean(apart).estimate == 0.5
    assert shifts.mean(held).high == pytest.approx(min(1, 0.5 + quantile(4) * error))
    assert shifts.mean(held).low < shifts.mean(apart).low


def test_a_difference_of_means_of_two_actors_adds_the_variances() -> None:
    one, other = made([1, 1, 1, 1, 0, 0, 0, 0]), made([0, 0, 0, 0, -1, -1, -1, -1], document=np.arange(8, 16))
    half = quantile(16) * math.sqrt(16 * (0.5 / 8) ** 2 * 16 / 15)
    assert same(shifts.mean(one, other), Shift(estimate=1.0, low=1 - half, high=1 + half))
    assert shifts.mean(other, one).estimate == -1.0


def test_what_a_document_says_on_both_targets_is_taken_together() -> None:
    one, other = made([1, 1, 1, 1, 0, 0, 0, 0]), made([0, 0, 0, 0, -1, -1, -1, -1])
    assert same(shifts.mean(one, other), Shift(estimate=1.0, low=1.0, high=1.0))  # each document: one apart
    against = made([-1, -1, -1, -1, 0, 0, 0, 0])
    half = quantile(8) * math.sqrt(8 * (1.0 / 8) ** 2 * 8 / 7)
    assert shifts.mean(one, against).low == pytest.approx(1.0 - half)


def test_few_documents_that_carry_the_error_widen_the_interval() -> None:
    scores = np.array([1.0] * 20 + [-1.0] * 20)
    even = shifts.mean(made(scores))
    uneven = shifts.mean(made(scores, document=np.r_[np.zeros(10), np.arange(1, 31)].astype(int)))
    errors = np.r_[10 / 40, np.full(30, 1 / 40)] ** 2
    carrying = errors.sum() ** 2 / (errors**2).sum()
    assert carrying < 2.5
    assert (even.high - even.low) / 2 == pytest.approx(quantile(40) * math.sqrt(40 / 39 / 40))
    half = stats.t.ppf(0.975, carrying - 1) * math.sqrt(errors.sum() * 31 / 30)
    assert uneven.low == pytest.approx(max(-1, -half))


@pytest.mark.parametrize("value", [1.0, -1.0, 0.0])
def test_a_unanimous_mean_has_no_width(value: float) -> None:
    assert same(shifts.mean(made([value] * 9)), Shift(estimate=value, low=value, high=value))


def test_intervals_stay_on_the_scale() -> None:
    one = made([1, 1, 1, 1, 1, 1, 1, -1])
    assert shifts.mean(one).high == 1.0
    assert shifts.mean(one, made([-1, -1, -1, -1, -1, -1, -1, 1])).high == 2.0


def test_seven_statements_are_too_few_for_a_mean_and_eight_are_not() -> None:
    assert nothing(shifts.mean(made([1.0] * (LEAST - 1))))
    assert not nothing(shifts.mean(made([1.0] * LEAST)))
    assert nothing(shifts.mean(made([1.0] * LEAST), made([1.0] * (LEAST - 1))))


def test_attention_by_hand() -> None:
    one = made([0.0] * 8, addressed=np.array([1, 1, 1, 1, 1, 1, 0, 0.0]))
    other = made([0.0] * 8, addressed=np.array([1, 1, 0, 0, 0, 0, 0, 0.0]))
    errors = np.array([0, 0, 1, 1, 1, 1, 0, 0]) / 8 - 0.5 / 8  # of the difference, by document
    shift = shifts.attention(one, other)
    assert shift.estimate == pytest.approx(0.5)
    assert shift.low == pytest.approx(0.5 - quantile(8) * math.sqrt((errors**2).sum() * 8 / 7))
    assert shift.high == pytest.approx(min(1, 1 - shift.low))
    assert shifts.attention(other, one).estimate == pytest.approx(-0.5)


def test_two_targets_that_crowd_each_other_out_have_a_wider_difference() -> None:
    first, second = np.array([1.0] * 4 + [0.0] * 12), np.array([0.0] * 4 + [1.0] * 4 + [0.0] * 8)
    crowded = shifts.attention(made([0.0] * 16, addressed=first), made([0.0] * 16, addressed=second))
    alike = shifts.attention(made([0.0] * 16, addressed=first), made([0.0] * 16, addressed=first))
    assert crowded.high - crowded.low > 0.5
    assert alike.high - alike.low == pytest.approx(0.0)


def test_attention_needs_statements_on_both_sides_but_none_addressed() -> None:
    silent = made([0.0] * 8, addressed=np.zeros(8))
    assert shifts.attention(made([0.0] * 8), silent).estimate == 1.0
    assert nothing(shifts.attention(silent, made([0.0] * 7)))


def test_the_slope_is_that_of_least_squares() -> None:
    values = noise(1, 30)
    expected = np.polyfit(np.arange(30) / 12, values, 1)[0]
    assert shifts.trend(made(values)).estimate == pytest.approx(expected)


def test_the_slope_weighs_months_by_their_statements() -> None:
    values, months = noise(2, 40), np.repeat(np.arange(16), [1, 4] * 8)
    expected = np.polyfit(months / 12, values, 1)[0]
    assert shifts.trend(made(values, month=months)).estimate == pytest.approx(expected)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_planted_trend_is_found_with_its_sign(sign: int) -> None:
    shift = shifts.trend(made(sign * np.arange(60) / 12 * 0.3 + noise(3, scale=0.1)))
    assert shift.estimate == pytest.approx(sign * 0.3, abs=0.05)
    assert shift.p_value <= 0.01
    assert shift.low < shift.estimate < shift.high


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_the_p_value_is_of_the_permutations_alone(seed: int) -> None:
    shift = shifts.trend(made(noise(4)), random_state=seed)
    assert 1 / (PERMUTATIONS + 1) <= shift.p_value <= 1
    assert shift.p_value * (PERMUTATIONS + 1) == pytest.approx(round(shift.p_value * (PERMUTATIONS + 1)))


def test_white_noise_is_seldom_found() -> None:
    found = [shifts.trend(made(noise(seed))).p_value < 0.05 for seed in range(40)]
    assert sum(found) <= 7


def test_the_same_seed_gives_the_same_test() -> None:
    one = made(noise(5))
    assert same(shifts.trend(one, random_state=4), shifts.trend(one, random_state=4))


def test_a_constant_series_ties_with_every_permutation() -> None:
    shift = shifts.trend(made([0.5] * 30))
    assert shift.estimate == pytest.approx(0.0, abs=1e-12)
    assert shift.detectable == pytest.approx(0.0, abs=1e-9)


def test_the_detectable_effect_is_the_power_times_the_error_of_the_interval() -> None:
    shift = shifts.trend(made(noise(6)))
    assert shift.detectable == pytest.approx(POWER * (shift.high - shift.estimate) / Z)
    assert pytest.approx(2.8016, abs=1e-4) == POWER


def test_a_trend_needs_eight_months() -> None:
    crowded = np.repeat(np.arange(LEAST - 1), 4)
    assert nothing(shifts.trend(made(np.ones(crowded.size), month=crowded)))
    assert not nothing(shifts.trend(made(noise(7, LEAST))))


def test_a_trend_of_a_difference_is_the_difference_of_the_slopes() -> None:
    one, other = made(noise(8)), made(noise(9))
    both = shifts.trend(one, other).estimate
    assert both == pytest.approx(shifts.trend(one).estimate - shifts.trend(other).estimate)
    assert nothing(shifts.trend(one, made([1.0] * 5, n_months=60)))


def test_a_common_trend_is_none_of_the_difference() -> None:
    rise = np.arange(60) / 12 * 0.3
    shift = shifts.trend(made(rise + noise(10, scale=0.1)), made(rise + noise(11, scale=0.1)))
    assert abs(shift.estimate) < 0.06


def test_series_that_move_as_one_correlate_fully() -> None:
    shift = shifts.together(made(noise(12)), made(noise(12)))
    assert shift.estimate == pytest.approx(1.0)
    assert shift.p_value < 0.01
    assert shift.high == 1.0


def test_series_that_move_apart_correlate_below_zero() -> None:
    shift = shifts.together(made(noise(12)), made(-noise(12)))
    assert shift.estimate == pytest.approx(-1.0)
    assert shift.low == -1.0


def test_the_correlation_is_of_quarters() -> None:
    one, other = noise(13, 36), noise(14, 36)
    expected = np.corrcoef(one.reshape(-1, 3).mean(1), other.reshape(-1, 3).mean(1))[0, 1]
    assert shifts.together(made(one), made(other)).estimate == pytest.approx(expected)


def test_quarters_of_few_statements_weigh_little() -> None:
    quarters = np.repeat(np.arange(12) * 3, [9, 1] * 6)
    path = np.repeat(np.resize([0.6, -0.6, 0.2, 0.9], 12), [9, 1] * 6)
    crossed = np.where(np.repeat(np.arange(12) % 2 == 1, [9, 1] * 6), -path, path)  # only the thin quarters differ
    one, other = made(path, month=quarters, n_months=36), made(crossed, month=quarters, n_months=36)
    x, y = (np.array([s.score[s.month == m].mean() for m in sorted(set(quarters))]) for s in (one, other))
    weight = np.resize([4.5, 0.5], 12)
    by_hand = np.cov(x, y, aweights=weight)
    expected = by_hand[0, 1] / math.sqrt(by_hand[0, 0] * by_hand[1, 1])
    assert shifts.together(one, other).estimate == pytest.approx(expected)
    assert expected > np.corrcoef(x, y)[0, 1] + 0.2


def test_independent_series_are_seldom_found_together() -> None:
    found = [shifts.together(made(noise(s)), made(noise(s + 500))).p_value < 0.05 for s in range(30)]
    assert sum(found) <= 6


def test_too_few_quarters_or_a_flat_series_are_not_tested() -> None:
    assert nothing(shifts.together(made(noise(1, 21)), made(noise(2, 21))))
    assert not nothing(shifts.together(made(noise(1, 24)), made(noise(2, 24))))
    assert nothing(shifts.together(made(noise(1)), made([0.5] * 60)))


def test_quarters_pad_an_unfinished_one() -> None:
    assert shifts._quarters(np.array([1.0, 2, 3, 4])).tolist() == [6.0, 4.0]
    assert shifts._quarters(np.array([1.0, 2, 3])).tolist() == [6.0]


def holm_of(*p_values: float) -> list[float]:
    return shifts.holm([Shift(estimate=0, low=0, high=0, p_value=p) for p in p_values])


@pytest.mark.parametrize(
    ("given", "adjusted"),
    [
        ([0.04], [0.04]), ([0.01, 0.04], [0.02, 0.04]), ([0.04, 0.01], [0.04, 0.02]),
        ([0.01, 0.02, 0.03], [0.03, 0.04, 0.04]), ([0.5, 0.6], [1.0, 1.0]), ([0.02, 0.02], [0.04, 0.04]), ([], []),
    ],
)  # fmt: skip
def test_holm_by_hand(given: list[float], adjusted: list[float]) -> None:
    assert holm_of(*given) == pytest.approx(adjusted)


def test_holm_does_not_count_what_was_not_tested() -> None:
    assert holm_of(0.01, float("nan"), 0.03) == pytest.approx([0.02, float("nan"), 0.03], nan_ok=True)


def test_permuted_slopes_that_tie_count_against_the_one_seen() -> None:
    seen = np.array([0.1, 0.3])
    assert shifts._tested(seen, np.tile(seen, (9, 1))).p_value == 1.0
    assert shifts._tested(seen, np.tile(-seen, (9, 1))).p_value == 1.0


def test_the_p_value_counts_the_slope_seen_among_the_permuted() -> None:
    # over their errors: 1.26 seen; 1.26 (tie), 0, 1 and 0.45 permuted
    null = np.array([[0.3, 0.1], [0.2, -0.2], [0.5, 0.0], [0.3, -0.1]])
    assert shifts._tested(np.array([0.1, 0.3]), null).p_value == pytest.approx(2 / 5)
