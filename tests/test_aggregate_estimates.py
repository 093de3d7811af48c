"""Counts, corrections and design-based estimates, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pipeline.aggregate import contrasts, labelled, measures
from pipeline.aggregate.cells import Cells, cluster_moments, count_cells, find_clusters
from pipeline.aggregate.periods import make_periods, month_end, month_start
from tests.test_aggregate_frames import ERRORS, labels_of, make_world, seen_of, tags_of

FOUR = tags_of(
    ("2024-01-01", "CHN", "a", "favor"),
    ("2024-01-02", "CHN", "a", "favor"),
    ("2024-01-03", "CHN", "a", "against"),
    ("2024-01-04", "CHN", "a", "none"),
    ("2024-02-04", "RUS", "a", "neutral"),
)


def cells_of(tags: object, labels: object = None) -> Cells:
    seen = seen_of(tags, labels)  # type: ignore[arg-type]
    return count_cells(seen, find_clusters(seen))


# ---------------------------------------------------------------- counting


def test_predictions_are_counted_by_cell() -> None:
    cells = cells_of(FOUR)
    assert cells.predicted.shape == (2, 1, 2, 4)
    assert cells.predicted[0, 0, 0].tolist() == [2, 0, 1, 1]
    assert cells.predicted[1, 0, 1].tolist() == [0, 1, 0, 0]
    assert cells.predicted.sum() == 5
    assert cells.addressed[:, 0].tolist() == [[3, 0], [0, 1]]
    assert cells.documents[:, 0].tolist() == [[4, 0], [0, 1]]
    assert cells.voiced[:, 0].tolist() == [[3, 0], [0, 1]]
    assert cells.labelled.sum() == 0


def test_labels_are_counted_by_prediction_and_truth_with_their_weight() -> None:
    cells = cells_of(
        FOUR, labels_of(("s0", "a", "against", 0.5), ("s3", "a", "favor", 0.1), ("s1", "a", "none", 1.0))
    )
    table = cells.weighted[0, 0, 0]
    assert table[0, 2] == 2
    assert table[3, 0] == 10
    assert table[0, 3] == 1
    assert table.sum() == 13
    assert cells.labelled[0, 0, 0] == 3
    assert cells.addressed[0, 0, 0] == 3  # s0 and s3 by label, s2 by prediction
    assert cells.coded[0, 0, 0].tolist() == [1, 0, 1, 1]
    assert cells.unread[0, 0, 0].tolist() == [0, 0, 1, 0]


def test_statements_of_a_document_count_less() -> None:
    cells = cells_of(FOUR.assign(doc_id=["x", "x", "x", "x", "y"]))
    # three of the four address the target: each weighs 1 / (1 + 2 * 0.5)
    assert cells.unread[0, 0, 0].tolist() == [1.0, 0.0, 0.5, 0.5]
    assert cells.effective[0, 0, 0] == 1.5
    assert (cells.documents[0, 0, 0], cells.voiced[0, 0, 0]) == (1, 1)
    assert cells_of(FOUR).effective[0, 0, 0] == 3


def test_a_document_counts_in_every_month_it_has_statements_in() -> None:
    split = cells_of(FOUR.assign(doc_id="x"))
    assert split.documents.sum() == 2


def test_cluster_moments_are_products_of_document_totals() -> None:
    seen = seen_of(FOUR.assign(doc_id=["x", "x", "y", "y", "z"]))
    columns = np.stack([np.where(seen.predicted == 0, 1.0, 0.0), np.ones(5)], axis=-1)
    moments = cluster_moments(seen, find_clusters(seen), columns)
    # totals of x: (2, 2), of y: (0, 2)
    assert moments[0, 0, 0].tolist() == [[4.0, 4.0], [4.0, 8.0]]
    assert moments[1, 0, 1].tolist() == [[0.0, 0.0], [0.0, 1.0]]


# ---------------------------------------------------------------- labelled sample


def test_weighted_table_is_scaled_to_the_effective_number_of_labels() -> None:
    seen = seen_of(FOUR, labels_of(("s0", "a", "against", 0.5), ("s2", "a", "against", 0.25)))
    table = labelled.weighted_table(seen)
    kish = (2 + 4) ** 2 / (2**2 + 4**2)
    assert table.shape == (1, 2, 1, 4, 4)
    assert table[0, 0, 0, 0, 2] == pytest.approx(kish * 2 / 6)
    assert table[0, 0, 0, 2, 2] == pytest.approx(kish * 4 / 6)
    assert table.sum() == pytest.approx(kish)


def test_bootstrap_reweights_whole_documents() -> None:
    labels = labels_of(("s0", "a", "favor", 1.0), ("s1", "a", "favor", 1.0), ("s2", "a", "against", 1.0))
    seen = seen_of(FOUR.assign(doc_id=["x", "y", "x", "z", "z"]), labels)
    table = labelled.weighted_table(seen, 4000, np.random.default_rng(1))
    favor, against = table[:, 0, 0, 0, 0], table[:, 0, 0, 2, 2]
    assert favor.mean() == pytest.approx(2, abs=0.1)
    assert favor.var() == pytest.approx(2, abs=0.25)  # two documents, exponential weights
    assert np.corrcoef(favor, against)[0, 1] == pytest.approx(np.sqrt(0.5), abs=0.05)  # s0 and s2 share one


def test_confusion_approaches_shares_and_is_shrunk_by_stated_pseudo_counts() -> None:
    table = np.zeros((1, 1, 1, 4, 4))
    table[0, 0, 0, :, 0] = [60, 20, 10, 10]  # predicted of those truly in favour
    matrix = labelled.correct(table).confusion[0, 0, 0]
    start = np.array([0.775, 0.075, 0.075, 0.075])
    pooled = (np.array([60, 20, 10, 10]) + start) / 101
    country = (np.array([60, 20, 10, 10]) + 4 * pooled) / 104
    expected = (np.array([60, 20, 10, 10]) + 30 * country) / 130
    np.testing.assert_allclose(matrix[0], expected)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
    np.testing.assert_allclose(matrix[2], [0.075, 0.075, 0.775, 0.075])  # nothing known: the starting guess


def test_class_means_are_means_of_truth_by_prediction() -> None:
    table = np.zeros((1, 1, 1, 4, 4))
    table[0, 0, 0, 0] = [6e6, 2e6, 1e6, 1e6]  # so many labels that no shrinkage shows
    correction = labelled.correct(table)
    assert correction.score[0, 0, 0, 0] == pytest.approx(0.5, abs=1e-4)
    assert correction.addressed[0, 0, 0, 0] == pytest.approx(0.9, abs=1e-4)


def test_a_target_without_labels_takes_its_countrys_matrix() -> None:
    table = np.zeros((1, 2, 2, 4, 4))
    table[0, 0, 0] = 1000 * ERRORS[0].T
    table[0, 1, 0] = 1000 * ERRORS[1].T
    confusion = labelled.correct(table).confusion[0]
    np.testing.assert_allclose(confusion[0, 1], ERRORS[0], atol=0.01)
    np.testing.assert_allclose(confusion[1, 1], ERRORS[1], atol=0.01)


def test_drawn_pseudo_counts_leave_no_row_certain() -> None:
    table = np.zeros((300, 1, 1, 4, 4))
    table[..., 0, 0] = 1.0  # one labelled document
    drawn = labelled.correct(table, np.random.default_rng(0)).confusion[:, 0, 0, 0, 0]
    assert drawn.std() > 0.05
    assert labelled.correct(table).confusion[:, 0, 0, 0, 0].std() == pytest.approx(0, abs=1e-12)


def test_uncorrected_takes_predictions_at_their_word() -> None:
    word = labelled.uncorrected((2, 3))
    assert word.confusion.shape == (1, 2, 3, 4, 4)
    np.testing.assert_array_equal(word.confusion[0, 1, 2], np.eye(4))
    assert word.score[0, 0, 0].tolist() == [1, 0, -1, 0]
    assert word.addressed[0, 0, 0].tolist() == [1, 1, 1, 0]


# ---------------------------------------------------------------- design-based totals


def test_totals_without_labels_are_the_plug_in() -> None:
    scores, addressed = contrasts.corrected_totals(cells_of(FOUR), labelled.uncorrected((2, 1)))
    assert scores[0, 0, 0].tolist() == [1, 0]
    assert addressed[0, 0, 0].tolist() == [3, 0]
    assert scores[0, 1, 0].tolist() == [0, 0]
    assert addressed[0, 1, 0].tolist() == [0, 1]


def test_totals_add_the_weighted_surprise_of_each_label() -> None:
    labels = labels_of(("s0", "a", "against", 0.5), ("s3", "a", "favor", 0.25))
    means = labelled.Correction(
        confusion=np.zeros((1, 2, 1, 4, 4)),
        score=np.array([0.8, 0.1, -0.6, 0.05])[None, None, None] * np.ones((1, 2, 1, 1)),
        addressed=np.array([0.9, 0.8, 0.95, 0.1])[None, None, None] * np.ones((1, 2, 1, 1)),
    )
    scores, addressed = contrasts.corrected_totals(cells_of(FOUR, labels), means)
    # imputed 2 * 0.8 - 0.6 + 0.05, plus (-1 - 0.8) / 0.5 and (1 - 0.05) / 0.25
    assert scores[0, 0, 0, 0] == pytest.approx(1.05 - 3.6 + 3.8)
    assert addressed[0, 0, 0, 0] == pytest.approx(2.85 + 0.1 / 0.5 + 0.9 / 0.25)


def test_a_corpus_coded_in_full_gives_the_labels_themselves() -> None:
    stances = ["against", "neutral", "favor", "favor", "none"]
    labels = labels_of(*[(f"s{i}", "a", stance, 1.0) for i, stance in enumerate(stances)])
    seen = seen_of(FOUR, labels)
    correction = labelled.correct(labelled.weighted_table(seen))
    scores, addressed = contrasts.corrected_totals(cells_of(FOUR, labels), correction)
    np.testing.assert_allclose(scores[0, :, 0], [[1, 0], [0, 0]], atol=1e-12)
    np.testing.assert_allclose(addressed[0, :, 0], [[4, 0], [0, 0]], atol=1e-12)


def test_trusting_labels_less_makes_less_of_their_surprise() -> None:
    tags, labels, _ = make_world(3)
    cells = cells_of(tags, labels)
    means = labelled.correct(labelled.weighted_table(seen_of(tags, labels)))
    none, half, full = (contrasts.corrected_totals(cells, means, trust) for trust in (0.0, 0.5, 1.0))
    for a, b, c in zip(none, half, full, strict=True):
        np.testing.assert_allclose(b, (a + c) / 2)
    np.testing.assert_allclose(full, contrasts.corrected_totals(cells, means))
    np.testing.assert_allclose(none[0], np.einsum("cktj,bckj->bckt", cells.predicted, means.score))


def test_borrowed_totals_read_predictions_by_bayes() -> None:
    tags = tags_of(("2024-01-01", "CHN", "a", "favor"), ("2024-01-01", "RUS", "a", "none"))
    labels = labels_of(("s0", "a", "against", 0.5))
    cells = cells_of(tags, labels)
    shares, salience = np.full((2, 1, 1, 3), [0.5, 0.3, 0.2]), np.full((2, 1, 1), 0.4)
    confusion = ERRORS[:, None]
    scores, addressed = contrasts.borrowed_totals(cells, confusion, shares, salience, 0.5)
    prior = np.array([0.2, 0.12, 0.08, 0.6])
    behind_favor, behind_none = prior * ERRORS[0, :, 0], prior * ERRORS[1, :, 3]
    behind_favor, behind_none = behind_favor / behind_favor.sum(), behind_none / behind_none.sum()
    score, voiced = behind_favor @ [1, 0, -1, 0], behind_favor @ [1, 1, 1, 0]
    assert scores[0, 0, 0] == pytest.approx(score + 0.5 * 2 * (-1 - score))
    assert addressed[0, 0, 0] == pytest.approx(voiced + 0.5 * 2 * (1 - voiced))
    assert scores[1, 0, 0] == pytest.approx(behind_none @ [1, 0, -1, 0])
    assert addressed[1, 0, 0] == pytest.approx(1 - behind_none[3])


def test_psi_adds_up_to_the_totals() -> None:
    tags, labels, _ = make_world(3)
    seen = seen_of(tags, labels)
    correction = labelled.correct(labelled.weighted_table(seen))
    cells = count_cells(seen, find_clusters(seen))
    scores, addressed = contrasts.corrected_totals(cells, correction)
    values = contrasts.psi(seen, correction)
    np.testing.assert_allclose(values.sum(axis=0), [scores.sum(), addressed.sum()])
    one = seen.country == 0
    assert values[one, 0].sum() == pytest.approx(scores[0, 0].sum())


def test_design_based_gaps_are_right_under_any_class_means_and_plug_ins_are_not() -> None:
    names = ("shared means", "wrong means", "plug-in")
    errors: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for seed in range(8):
        tags, labels, truth = make_world(seed, gaps=(-0.7, -0.6))
        seen, unlabelled = seen_of(tags, labels), seen_of(tags)
        word, means = labelled.uncorrected((2, 2)), labelled.correct(labelled.weighted_table(seen))
        for name, rows, correction in zip(names, (seen, seen, unlabelled), (means, word, word), strict=True):
            cells = count_cells(rows, find_clusters(rows))
            scores, addressed = contrasts.corrected_totals(cells, correction)
            gap, _ = contrasts.window_gap(scores[0], addressed[0], np.ones(30, bool))
            true = (truth["position"][0] - truth["position"][1]).mean(axis=-1)
            errors[name].append(gap - true[[int(target[1:]) for target in rows.targets]])
    assert np.abs(np.mean(errors["shared means"])) < 0.06
    assert np.abs(np.mean(errors["wrong means"])) < 0.06
    assert np.mean(errors["plug-in"]) > 0.4
    assert np.std(errors["shared means"]) < np.std(errors["wrong means"])


# ---------------------------------------------------------------- ratios and variances


def test_ratio_needs_a_denominator() -> None:
    answer = contrasts.ratio(np.array([1.0, 1.0, 1.0]), np.array([2.0, 0.4, -3.0]))
    assert answer[0] == 0.5
    assert np.isnan(answer[1:]).all()


def test_hac_variance_by_hand() -> None:
    influence = np.array([1.0, 2.0, -1.0, 3.0])
    lag1, lag2, lag3 = 1 * 2 + 2 * -1 + -1 * 3, 1 * -1 + 2 * 3, 1 * 3
    expected = 15 + 2 * (0.75 * lag1 + 0.5 * lag2 + 0.25 * lag3)
    assert contrasts.hac_variance(influence) == pytest.approx(expected)
    assert contrasts.hac_variance(influence, lags=0) == 15
    assert contrasts.hac_variance(influence, lags=1) == pytest.approx(15 + 2 * 0.5 * lag1)


def test_hac_variance_is_not_fooled_by_alternation() -> None:
    alternating = np.array([1.0, -1.0] * 10)
    assert contrasts.hac_variance(alternating) == 10  # half of the uncorrelated 20


def test_hac_variance_of_a_single_month() -> None:
    assert contrasts.hac_variance(np.array([[2.0], [3.0]])).tolist() == [4, 9]


def test_cluster_variance_by_hand() -> None:
    # documents with (top, bottom): (2, 2), (0, 2); ratio 0.5; residuals 1 and -1
    moments = np.array([[[4.0, 4.0], [4.0, 8.0]]])
    value = contrasts.cluster_variance(moments, 0, 1, np.array([0.5]), np.array([2.0]))
    # own 2 over two documents, mean square 1: shrinkage changes nothing
    assert value[0] == pytest.approx(2.0)


def test_cluster_variance_borrows_from_other_periods() -> None:
    moments = np.zeros((2, 2, 2))
    moments[0] = [[4.0, 4.0], [4.0, 8.0]]
    moments[1] = [[1.0, 2.0], [2.0, 4.0]]  # one document, exactly on the ratio
    value = contrasts.cluster_variance(moments, 0, 1, np.array([0.5, 0.5]), np.array([2.0, 1.0]))
    assert value[1] == pytest.approx(1 * (0 + 10 * 2 / 3) / 11)
    assert value[0] == pytest.approx(2 * (2 + 10 * 2 / 3) / 12)


# ---------------------------------------------------------------- windows, gaps, convergence


def test_window_gap_by_hand() -> None:
    scores = np.array([[[1.0, 3.0, 9.0]], [[0.0, -1.0, 9.0]]])
    addressed = np.array([[[2.0, 4.0, 9.0]], [[1.0, 1.0, 9.0]]])
    gap, influence = contrasts.window_gap(scores, addressed, np.array([True, True, False]))
    assert gap[0] == pytest.approx(4 / 6 + 1 / 2)
    first = (np.array([1.0, 3.0]) - 4 / 6 * np.array([2.0, 4.0])) / 6
    second = (np.array([0.0, -1.0]) + 1 / 2 * np.array([1.0, 1.0])) / 2
    np.testing.assert_allclose(influence[0, :2], first - second)
    assert influence[0, 2] == 0
    assert influence.sum() == pytest.approx(0)


def test_window_without_statements_has_no_gap() -> None:
    gap, _ = contrasts.window_gap(np.zeros((2, 1, 3)), np.zeros((2, 1, 3)), np.ones(3, bool))
    assert np.isnan(gap).all()


def test_orientation_turns_every_gap_the_same_way() -> None:
    scores = np.array([[[2.0], [-2.0], [0.0]], [[0.0], [0.0], [0.0]]])
    addressed = np.array([[[4.0], [4.0], [0.0]], [[4.0], [4.0], [0.0]]])
    assert contrasts.orientation(scores, addressed).tolist() == [1, -1, 1]


@pytest.mark.parametrize(("gap", "low", "high", "expected"), [
    (0.4, 0.2, 0.6, (0.8, 0.7, 0.9)),
    (-0.4, -0.6, -0.2, (0.8, 0.7, 0.9)),
    (0.1, -0.2, 0.4, (0.95, 0.8, 1.0)),
    (-0.1, -0.4, 0.2, (0.95, 0.8, 1.0)),
    (1.9, 1.5, 2.3, (0.05, 0.0, 0.25)),
])  # fmt: skip
def test_convergence_is_projected_from_the_signed_gap(
    gap: float, low: float, high: float, expected: tuple[float, float, float]
) -> None:
    answer = contrasts.project(np.array(gap), np.array(low), np.array(high))
    np.testing.assert_allclose([float(value) for value in answer], expected)


def test_change_interval_of_well_known_gaps_is_a_t_interval() -> None:
    covariance = np.diag([0.01, 0.0225])
    low, high, error = contrasts.change_interval(
        1.0, -0.4, covariance, level=0.9, rng=np.random.default_rng(2), size=200_000
    )
    assert error == pytest.approx(np.sqrt(0.0325) / 2)
    half = stats.t.ppf(0.95, 10) * error
    assert (low, high) == (pytest.approx(0.3 - half, abs=0.01), pytest.approx(0.3 + half, abs=0.01))


def test_change_interval_uses_the_covariance() -> None:
    together = np.array([[0.01, 0.01], [0.01, 0.01]])
    low, high, error = contrasts.change_interval(1.0, 0.5, together, level=0.95, rng=np.random.default_rng(0))
    assert error == pytest.approx(0, abs=1e-9)
    assert high - low < 1e-6


def test_power_factor() -> None:
    assert pytest.approx(1.959964 + 0.841621, abs=1e-5) == contrasts.POWER_FACTOR


# ---------------------------------------------------------------- measures


def test_summary_of_draws() -> None:
    draws = np.arange(101.0)[:, None] * np.ones(2)
    summary = measures.summarise(draws, 0.9)
    assert summary.estimate.tolist() == [50, 50]
    np.testing.assert_allclose(summary.low, 5)
    np.testing.assert_allclose(summary.high, 95)
    assert summary.std_error[0] == pytest.approx(np.arange(101).std())


def test_convergence_halves_the_standard_error() -> None:
    gap = measures.summarise(np.array([[0.2], [0.6]]), 0.5)
    near = measures.convergence(gap)
    assert near.estimate[0] == pytest.approx(0.8)
    assert near.std_error[0] == pytest.approx(0.1)
    assert near.low[0] < near.estimate[0] < near.high[0]


def test_same_side_counts_draws_of_one_sign() -> None:
    first, second = np.array([[0.2], [0.1], [-0.1], [0.3]]), np.array([[0.1], [-0.1], [-0.1], [0.0]])
    side = measures.same_side(first, second)
    assert side.estimate[0] == 0.5
    assert np.isnan(side.low[0])
    assert np.isnan(side.std_error[0])
    assert np.isnan(measures.same_side(first * np.nan, second).estimate[0])


def test_gap_signs_and_pooled_gap() -> None:
    draws = np.array([[[0.4, 0.2], [-0.6, -0.2], [np.nan, 0.1]]])
    assert measures.gap_signs(draws).tolist() == [1, -1, 1]
    pooled = measures.pooled_gap(draws, np.array([1.0, -1.0, 0.0]))
    np.testing.assert_allclose(pooled[0], [0.5, 0.2])
    every = measures.pooled_gap(draws, np.array([1.0, -1.0, 1.0]))
    np.testing.assert_allclose(every[0], [0.5, 0.5 / 3])


def test_mean_position_leaves_out_who_was_silent() -> None:
    positions = np.array([[[0.5, np.nan], [0.1, np.nan]], [[-0.3, np.nan], [np.nan, 0.2]]])
    mean = measures.mean_position(positions)
    np.testing.assert_allclose(mean, [0.1, 0.2])
    np.testing.assert_allclose(measures.mean_position(np.stack([positions, -positions]))[1], -mean)


def test_standardise_uses_known_periods_only() -> None:
    draws = np.array([[1.0, 2.0, 3.0, 99.0]])
    scores = measures.standardise(draws, np.array([True, True, True, False]))
    np.testing.assert_allclose(scores[0, :3], np.array([-1, 0, 1]) / np.sqrt(2 / 3))


@pytest.mark.parametrize(("draws", "known"), [
    ([[1.0, 2.0, 3.0]], [True, True, False]), ([[1.0, 1.0, 1.0]], [True] * 3), ([[1.0, np.nan, 2.0]], [True] * 3),
    ([[1.0, 2.0, 3.0]], [False] * 3),
])  # fmt: skip
def test_standardise_without_a_spread_is_unknown(draws: list[list[float]], known: list[bool]) -> None:
    assert np.isnan(measures.standardise(np.array(draws), np.array(known))).all()


def test_wilson_is_the_textbook_interval_for_a_simple_sample() -> None:
    share, size = np.array([0.3]), np.array([50.0])
    interval = measures.wilson(share, np.sqrt(share * 0.7 / size), size, 0.95)
    z = stats.norm.ppf(0.975)
    middle = (0.3 + z**2 / 100) / (1 + z**2 / 50)
    half = z / (1 + z**2 / 50) * np.sqrt(0.21 / 50 + z**2 / 10000)
    assert interval.low[0] == pytest.approx(middle - half)
    assert interval.high[0] == pytest.approx(middle + half)


def test_wilson_keeps_to_shares_and_does_not_vanish() -> None:
    interval = measures.wilson(np.array([0.0, 1.0, np.nan]), np.zeros(3), np.array([10.0, 10.0, 0.0]), 0.95)
    assert interval.low[0] == 0
    assert 0.1 < interval.high[0] < 0.5
    assert interval.high[1] == 1
    assert 0.5 < interval.low[1] < 0.9
    assert np.isnan(interval.estimate[2])
    assert np.isnan(interval.std_error[2])


def test_wilson_widens_with_the_standard_error() -> None:
    size = np.array([100.0, 100.0])
    interval = measures.wilson(np.array([0.4, 0.4]), np.array([0.05, 0.1]), size, 0.95)
    width = interval.high - interval.low
    assert width[1] > 1.5 * width[0]


def test_salience_by_hand() -> None:
    seen = seen_of(FOUR)
    clusters = find_clusters(seen)
    cells = count_cells(seen, clusters)
    columns = np.column_stack([contrasts.psi(seen, labelled.uncorrected((2, 1))), np.ones(5)])
    _, addressed = contrasts.corrected_totals(cells, labelled.uncorrected((2, 1)))
    share = measures.salience(
        np.concatenate([addressed, addressed]),
        cells.predicted.sum(axis=-1),
        cluster_moments(seen, clusters, columns),
        documents=cells.documents, periods=make_periods("month", seen.first_month, 2), level=0.95,
    )  # fmt: skip
    assert share.estimate[0, 0, 0] == 0.75
    assert share.std_error[0, 0, 0] == pytest.approx(np.sqrt(0.75 * 0.25 / 4))
    assert np.isnan(share.estimate[0, 0, 1])


def test_salience_counts_the_doubt_about_the_labels() -> None:
    draws = np.array([3.0, 2.0, 4.0])[:, None, None, None]
    moments = np.zeros((1, 1, 1, 3, 3))
    share = measures.salience(
        draws, np.full((1, 1, 1), 10.0), moments, documents=np.full((1, 1, 1), 5.0),
        periods=make_periods("month", 0, 1), level=0.95,
    )  # fmt: skip
    assert share.estimate[0, 0, 0] == pytest.approx(0.3)
    assert share.std_error[0, 0, 0] == pytest.approx(0.1)


def test_plug_in_draws_center_on_the_ratio() -> None:
    normal = np.array([-1.0, 1.0])[:, None, None, None]
    moments = np.zeros((1, 1, 1, 3, 3))
    moments[..., :2, :2] = [[4.0, 4.0], [4.0, 8.0]]
    draws = measures.plug_in_draws(
        np.full((1, 1, 1), 2.0), np.full((1, 1, 1), 4.0), moments, documents=np.full((1, 1, 1), 2.0),
        periods=make_periods("month", 0, 1), normal=normal,
    )  # fmt: skip
    assert draws.mean() == pytest.approx(0.5)
    assert draws.std() == pytest.approx(np.sqrt(2) / 4)


@pytest.mark.parametrize(("n", "error"), [(1.0, 0.5), (9.0, 0.1)])
def test_plug_in_draws_do_not_take_unanimity_for_certainty(n: float, error: float) -> None:
    moments = np.zeros((1, 1, 1, 3, 3))
    draws = measures.plug_in_draws(
        np.full((1, 1, 1), n), np.full((1, 1, 1), n), moments, documents=np.full((1, 1, 1), n),
        periods=make_periods("month", 0, 1), normal=np.array([-1.0, 1.0])[:, None, None, None],
    )  # fmt: skip
    assert draws.std() == pytest.approx(error)


def test_bounded_intervals_keep_their_estimate() -> None:
    wide = measures.summarise(np.array([[-3.0], [4.0]]), 0.99)
    kept = measures.bounded(wide, 2)
    assert (kept.low[0], kept.high[0], kept.estimate[0]) == (-2, 2, 0.5)


# ---------------------------------------------------------------- periods


def test_months_and_quarters() -> None:
    months = make_periods("month", 2024 * 12 + 1, 5)
    assert months.starts == ("2024-02-01", "2024-03-01", "2024-04-01", "2024-05-01", "2024-06-01")
    assert months.ends[0] == "2024-02-29"
    quarters = make_periods("quarter", 2024 * 12 + 1, 5)
    assert quarters.starts == ("2024-01-01", "2024-04-01")
    assert quarters.ends == ("2024-03-31", "2024-06-30")
    values = np.array([[1.0, 2.0, 3.0, 4.0, 5.0]])
    assert quarters.total(values).tolist() == [[3, 12]]
    assert quarters.mean(values).tolist() == [[1.5, 4]]
    np.testing.assert_array_equal(months.mean(values), values)


def test_no_months_no_periods() -> None:
    empty = make_periods("quarter", 0, 0)
    assert empty.starts == ()
    assert empty.mean(np.zeros((2, 0))).shape == (2, 0)


@pytest.mark.parametrize(("month", "start", "end"), [
    (2023 * 12 + 11, "2023-12-01", "2023-12-31"), (2023 * 12 + 1, "2023-02-01", "2023-02-28"),
    (2024 * 12, "2024-01-01", "2024-01-31"),
])  # fmt: skip
def test_calendar(month: int, start: str, end: str) -> None:
    assert (month_start(month), month_end(month)) == (start, end)
