"""The smoothed paths: the grid filter against brute force, and what the model makes of known data."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import special, stats

from pipeline.aggregate import paths
from pipeline.aggregate.cells import Cells, count_cells, find_clusters
from pipeline.aggregate.labelled import Correction, uncorrected
from tests.test_aggregate_frames import ERRORS, seen_of, tags_of

LEVELS = len(paths.GRID)


def cells_with(unread: np.ndarray, coded: np.ndarray | None = None) -> Cells:
    """Make cells, (C, K, T, 4), of which only what the paths read is filled."""
    template = count_cells(seen := seen_of(tags_of(("2024-01-01", "CHN", "a", "favor"))), find_clusters(seen))
    nothing = np.zeros(unread.shape[:3])
    return Cells(
        predicted=unread, weighted=template.weighted, unread=unread,
        coded=np.zeros(unread.shape) if coded is None else coded, addressed=nothing, labelled=nothing,
        documents=nothing, voiced=nothing, effective=nothing,
    )  # fmt: skip


def confused(draws: int) -> Correction:
    confusion = np.broadcast_to(ERRORS[None, :, None], (draws, 2, 1, 4, 4)).copy()
    empty = np.zeros((draws, 2, 1, 4))
    return Correction(confusion=confusion, score=empty, addressed=empty)


# ---------------------------------------------------------------- pieces of the model


@pytest.mark.parametrize("cut", paths.CUTS)
def test_stance_shares_are_an_ordered_logit(cut: float) -> None:
    shares = paths.stance_shares(cut)
    assert shares.shape == (LEVELS, 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (shares > 0).all()
    middle = LEVELS // 2
    assert shares[middle, 0] == pytest.approx(1 / (1 + np.exp(cut)))
    np.testing.assert_allclose(shares[:, 0], shares[::-1, 2])  # symmetric
    assert (np.diff(shares[:, 0] - shares[:, 2]) > 0).all()


def test_transition_is_a_binned_normal_step() -> None:
    moves = paths.transition(0.4)
    np.testing.assert_allclose(moves.sum(axis=1), 1)
    row = moves[LEVELS // 2]
    assert row[LEVELS // 2] == pytest.approx(stats.norm.cdf(0.125, scale=0.4) * 2 - 1)
    spread = np.sqrt((row * (paths.GRID - paths.GRID[LEVELS // 2]) ** 2).sum())
    assert spread == pytest.approx(0.4, abs=0.02)


def test_smooth_salience_is_a_kernel_mean_of_shares() -> None:
    addressed, statements = np.zeros((1, 1, 1, 3)), np.zeros((1, 1, 3))
    addressed[0, 0, 0], statements[0, 0] = [1.0, 4.0, 0.0], [2.0, 5.0, 0.0]
    near, far = np.exp(-0.5 / 16), np.exp(-0.5 * 4 / 16)
    smooth = paths.smooth_salience(addressed, statements)[0, 0, 0]
    assert smooth[0] == pytest.approx((1 + 4 * near) / (2 + 5 * near))
    assert smooth[2] == pytest.approx((far + 4 * near) / (2 * far + 5 * near))


def test_smooth_salience_stays_inside() -> None:
    addressed = np.array([[[[-1.0, 9.0]]]])
    assert paths.smooth_salience(addressed, np.ones((1, 1, 2))).max() <= 0.98
    assert paths.smooth_salience(-addressed, np.ones((1, 1, 2))).min() >= 0.02
    assert paths.smooth_salience(np.zeros((1, 1, 1, 2)), np.zeros((1, 1, 2))).tolist() == [[[[0.02, 0.02]]]]


def test_log_likelihood_by_hand() -> None:
    unread, coded = np.zeros((2, 1, 1, 4)), np.zeros((2, 1, 1, 4))
    unread[0, 0, 0] = [2, 0, 0, 1]
    coded[0, 0, 0] = [0, 0, 3, 5]
    shares = paths.stance_shares(0.85)
    salience = np.full((1, 2, 1, 1), 0.3)
    answer = paths.log_likelihood(cells_with(unread, coded), confused(1), salience, shares)
    assert answer.shape == (1, 2, 1, 1, LEVELS)
    level = 25
    favor = 0.3 * shares[level] @ ERRORS[0, :3, 0] + 0.7 * ERRORS[0, 3, 0]
    none = 0.3 * shares[level] @ ERRORS[0, :3, 3] + 0.7 * ERRORS[0, 3, 3]
    expected = 2 * np.log(favor) + np.log(none) + 3 * np.log(shares[level, 2])
    assert answer[0, 0, 0, 0, level] == pytest.approx(expected)
    assert (answer[0, 1] == 0).all()  # nothing said, nothing learnt


def brute_force(likelihood: np.ndarray, jump: np.ndarray, step: float) -> tuple[float, np.ndarray]:
    """Sum over all paths of three months: total likelihood, and P(level in month 1)."""
    moves, fresh = paths.transition(step), stats.norm.pdf(paths.GRID, scale=paths.LEVEL_SD)
    fresh = fresh / fresh.sum()
    kernels = [(1 - j) * moves + j * fresh[None, :] for j in jump]
    joint = (
        (fresh * likelihood[0])[:, None, None]
        * (kernels[1] * likelihood[1])[:, :, None]
        * (kernels[2] * likelihood[2])[None]
    )
    return float(joint.sum()), joint.sum(axis=(0, 2)) / joint.sum()


def test_filter_and_sampler_against_brute_force() -> None:
    rng = np.random.default_rng(0)
    log_likelihood = rng.normal(0, 1.5, (3, LEVELS)) - paths.GRID**2 / 4
    jump = np.array([0.02, 0.3, 0.02])
    total, middle = brute_force(np.exp(log_likelihood), jump, 0.4)
    n = 20_000
    evidence = paths.Evidence(
        log_likelihood=np.broadcast_to(log_likelihood, (n, 3, LEVELS)), jump=np.broadcast_to(jump, (n, 3))
    )
    filtered, log_evidence = paths.filter_forward(evidence, 0.4)
    assert log_evidence[0] == pytest.approx(np.log(total))
    np.testing.assert_allclose(filtered.sum(axis=-1), 1)
    drawn = paths.sample_backward(filtered, evidence.jump, 0.4, rng)
    share = np.bincount(drawn[:, 1], minlength=LEVELS) / n
    assert np.abs(share - middle).max() < 0.015


def test_filter_survives_very_unlikely_data() -> None:
    log_likelihood = np.full((1, 2, LEVELS), -5000.0)
    log_likelihood[..., 3] = -4000.0
    evidence = paths.Evidence(log_likelihood=log_likelihood, jump=np.full((1, 2), 0.02))
    filtered, log_evidence = paths.filter_forward(evidence, 0.1)
    assert filtered[0, 1, 3] == pytest.approx(1)
    assert np.isfinite(log_evidence).all()


# ---------------------------------------------------------------- paths


def draw(
    unread: np.ndarray, coded: np.ndarray | None = None, *, draws: int = 200, jump: float = 0.02
) -> np.ndarray:
    shape = unread.shape[:3]
    salience = np.full((1, *shape), 0.4)
    jumps = np.full(shape[1:], jump)
    cells = cells_with(unread, coded)
    center, drawn = confused(1), confused(draws)
    pair = (salience, np.broadcast_to(salience, (draws, *shape)))
    return paths.draw_positions(cells, center, drawn, salience=pair, jump=jumps, rng=np.random.default_rng(3))


def test_paths_see_through_the_confusion() -> None:
    """Predicted counts that positions of 0.5 and -0.5 would give lead back to them."""
    unread = np.zeros((2, 1, 12, 4))
    level = int(np.abs(paths.stance_shares(0.85) @ [1, 0, -1] - 0.5).argmin())
    for country, index in ((0, level), (1, LEVELS - 1 - level)):
        shares = paths.stance_shares(0.85)[index]
        chance = 0.4 * shares @ ERRORS[country, :3] + 0.6 * ERRORS[country, 3]
        unread[country, 0] = 60 * chance
    position = draw(unread).mean(axis=0)[:, 0]
    np.testing.assert_allclose(position[0], 0.5, atol=0.08)
    np.testing.assert_allclose(position[1], -0.5, atol=0.08)


def test_labels_count_as_they_are() -> None:
    coded = np.zeros((2, 1, 6, 4))
    coded[0, 0, :, 0], coded[1, 0, :, 2] = 30, 30
    position = draw(np.zeros((2, 1, 6, 4)), coded)
    assert position[:, 0].mean() > 0.85
    assert position[:, 1].mean() < -0.85


def test_empty_months_widen_the_band() -> None:
    coded = np.zeros((2, 1, 15, 4))
    coded[:, 0, [0, 1, 13, 14], :3] = [20, 8, 4]
    spread = draw(np.zeros((2, 1, 15, 4)), coded, draws=400).std(axis=0)[:, 0]
    assert (spread[:, 7] > 1.5 * spread[:, 0]).all()
    assert (spread[:, 7] > 1.5 * spread[:, 14]).all()


def test_each_draw_takes_the_step_chosen_for_its_series(monkeypatch: pytest.MonkeyPatch) -> None:
    coded = np.zeros((2, 1, 15, 4))
    coded[:, 0, [0, 1, 13, 14], :3] = [20, 8, 4]
    weights = np.zeros((2, len(paths.STEPS)))
    weights[0, 0] = weights[1, -1] = 1  # the first series moves least, the second most
    monkeypatch.setattr(paths, "choose", lambda *_: (0.85, weights))
    spread = draw(np.zeros((2, 1, 15, 4)), coded, jump=0.0).std(axis=0)[:, 0]
    assert spread[1, 7] > 2 * spread[0, 7]


def test_indices_are_drawn_by_weight() -> None:
    weight = np.array([[0.0, 1.0, 0.0], [0.25, 0.0, 0.75]])
    drawn = paths._pick_many(weight, 4000, np.random.default_rng(0))
    assert drawn.shape == (4000, 2)
    assert (drawn[:, 0] == 1).all()
    assert np.bincount(drawn[:, 1], minlength=3) / 4000 == pytest.approx([0.25, 0, 0.75], abs=0.03)


def test_a_jump_is_followed_faster_where_one_was_registered() -> None:
    coded = np.zeros((2, 1, 16, 4))
    coded[:, 0, :8, 0], coded[:, 0, 8:, 2] = 2, 2
    registered, unforeseen = (
        draw(np.zeros((2, 1, 16, 4)), coded, jump=0.3),
        draw(np.zeros((2, 1, 16, 4)), coded, jump=0),
    )
    drop = [(p[..., 7] - p[..., 8]).mean() for p in (registered, unforeseen)]
    assert drop[0] > drop[1] + 0.1


def test_data_choose_the_cut_and_the_step() -> None:
    neutral, split = np.zeros((2, 1, 20, 4)), np.zeros((2, 1, 20, 4))
    neutral[..., :3] = [2, 12, 2]
    split[..., :3] = [7, 2, 7]
    jumps, salience = np.full((1, 20), 0.02), np.full((1, 2, 1, 20), 0.4)
    nothing = np.zeros((2, 1, 20, 4))
    wide, _ = paths.choose(cells_with(nothing, neutral), confused(1), salience, jumps)
    narrow, steady = paths.choose(cells_with(nothing, split), confused(1), salience, jumps)
    assert (wide, narrow) == (max(paths.CUTS), min(paths.CUTS))
    swings = np.zeros((2, 1, 20, 4))
    swings[..., ::2, 0], swings[..., 1::2, 2] = 16, 16
    _, moving = paths.choose(cells_with(nothing, swings), confused(1), salience, jumps)
    np.testing.assert_allclose(steady.sum(axis=1), 1)
    assert (steady @ paths.STEPS < moving @ paths.STEPS).all()


def test_without_data_the_step_keeps_its_prior() -> None:
    empty = np.zeros((2, 1, 5, 4))
    _, weights = paths.choose(cells_with(empty), confused(1), np.full((1, 2, 1, 5), 0.4), np.full((1, 5), 0.02))
    np.testing.assert_allclose(weights, np.broadcast_to(paths.STEP_PRIOR, weights.shape), atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 0, 5), (2, 1, 0), (0, 1, 5)])
def test_no_series_no_paths(shape: tuple[int, int, int]) -> None:
    cells = cells_with(np.zeros((*shape, 4)))
    many = uncorrected(shape[:2])
    salience = (np.full((1, *shape), 0.4), np.full((1, *shape), 0.4))
    answer = paths.draw_positions(
        cells, many, many, salience=salience, jump=np.full(shape[1:], 0.02), rng=np.random.default_rng(0)
    )
    assert answer.shape == (1, *shape)


def test_step_prior_is_a_prior() -> None:
    assert paths.STEP_PRIOR.sum() == pytest.approx(1)
    assert all(a <= b for a, b in itertools.pairwise(paths.STEP_PRIOR))
    assert special.logsumexp(np.log(paths.STEP_PRIOR)) == pytest.approx(0)


# ---------------------------------------------------------------- marginals


def test_smoothed_marginals_equal_enumeration() -> None:
    rng = np.random.default_rng(3)
    n_months, step, chance = 3, 0.7, np.array([[0.0, 0.1, 0.3]])
    log_likelihood = rng.normal(0, 2, (1, n_months, LEVELS))
    filtered, _ = paths.filter_forward(paths.Evidence(log_likelihood=log_likelihood, jump=chance), step)
    moves, fresh = paths.transition(step), paths._fresh()
    joint = fresh[:, None, None] * np.exp(log_likelihood[0, 0])[:, None, None]
    for t in (1, 2):
        move = (1 - chance[0, t]) * moves + chance[0, t] * fresh[None, :]
        shape = (None, slice(None), slice(None)) if t == 2 else (slice(None), slice(None), None)
        joint = joint * move[shape]
        joint = (
            joint * np.exp(log_likelihood[0, t])[(None, slice(None), None) if t == 1 else (None, None, slice(None))]
        )
    joint = joint / joint.sum()
    found = paths.smooth_backward(filtered, chance, step)[0]
    for t, axes in ((0, (1, 2)), (1, (0, 2)), (2, (0, 1))):
        np.testing.assert_allclose(found[t], joint.sum(axis=axes), atol=1e-12)


def test_smoothed_shares_follow_what_was_said_and_add_up() -> None:
    truth = np.stack([np.tile([30.0, 4, 2, 0], (12, 1)), np.tile([2.0, 4, 30, 0], (12, 1))])[:, None]
    predicted = np.einsum("ckty,cyj->cktj", truth, ERRORS)
    shares = paths.smooth_shares(cells_with(predicted), confused(1), np.full((1, 2, 1, 12), 0.98))
    assert shares.shape == (2, 1, 12, 3)
    np.testing.assert_allclose(shares.sum(axis=-1), 1)
    assert (shares[0, 0, :, 0] > 0.7).all()
    assert (shares[1, 0, :, 2] > 0.7).all()
    drawn = paths.draw_positions(
        cells_with(predicted), confused(1), confused(300), salience=(np.full((1, 2, 1, 12), 0.98),
        np.full((300, 2, 1, 12), 0.98)), jump=np.full((1, 12), paths.JUMP), rng=np.random.default_rng(0),
    ).mean(axis=0)  # fmt: skip
    np.testing.assert_allclose(shares[..., 0] - shares[..., 2], drawn, atol=0.05)
