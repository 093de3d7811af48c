"""Monthly positions of every series, smoothed by a local-level model seen through the confusion matrix.

A latent level follows a random walk with rare jumps on a grid; an ordered logit turns it into stances; the
classifier turns stances into predictions. Exact inference by forward filtering and backward sampling on the grid
(Kitagawa 1987, JASA 82; Carter and Kohn 1994, Biometrika 81), all series and draws at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special, stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.aggregate.cells import Cells
    from pipeline.aggregate.labelled import Correction

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

GRID: Floats = np.linspace(-5, 5, 41)
"""Levels the latent position can take."""
CUTS = (0.4, 0.85, 1.4)
"""Cut-points tried: the larger, the more neutral statements at a level of zero."""
STEPS: Floats = np.array([0.1, 0.2, 0.4, 0.7])
"""Standard deviations of a month's step that are averaged over."""
STEP_PRIOR: Floats = np.array([0.1, 0.2, 0.35, 0.35])
"""Their prior: larger steps are favoured, since sparse data must not earn a flat line."""
LEVEL_SD = 1.5
"""Standard deviation of the first level and of the level after a jump."""
JUMP, REGISTERED_JUMP = 0.02, 0.3
"""Chance of a jump in any month, and in the month of an event registered before looking."""
SALIENCE_BANDWIDTH = 4.0
"""Standard deviation, in months, of the kernel that smooths salience inside the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Log-likelihood of each level by series and month, shape (N, T, G), and chances of a jump, (N, T)."""

    log_likelihood: Floats
    jump: Floats


def stance_shares(cut: float) -> Floats:
    """Return P(favor, neutral, against | level), shape (G, 3): ordered logit with cut-points -cut and cut.

    Source: McCullagh 1980, JRSS B 42.
    """
    favor, against = special.expit(GRID - cut), special.expit(-GRID - cut)
    answer: Floats = np.stack([favor, 1 - favor - against, against], axis=-1)
    return answer


def transition(step: float) -> Floats:
    """Return the (G, G) chances of moving between levels in a month, a normal step binned to the grid."""
    half = (GRID[1] - GRID[0]) / 2
    distance = GRID[None, :] - GRID[:, None]
    mass = stats.norm.cdf(distance + half, scale=step) - stats.norm.cdf(distance - half, scale=step)
    answer: Floats = mass / mass.sum(axis=1, keepdims=True)
    return answer


def smooth_salience(addressed: Floats, statements: Floats) -> Floats:
    """Smooth corrected salience over months with a normal kernel.

    Parameters
    ----------
    addressed : ndarray, shape (B, C, K, T)
        Corrected totals of addressed statements.
    statements : ndarray, shape (C, K, T)
        Numbers of statements.

    Returns
    -------
    ndarray, shape (B, C, K, T)
        Shares in [0.02, 0.98].
    """
    time = np.arange(statements.shape[-1])
    kernel = np.exp(-0.5 * ((time[:, None] - time[None, :]) / SALIENCE_BANDWIDTH) ** 2)
    share = (addressed @ kernel) / np.maximum(statements @ kernel, 1e-9)
    answer: Floats = np.clip(share, 0.02, 0.98)
    return answer


def log_likelihood(cells: Cells, correction: Correction, salience: Floats, shares: Floats) -> Floats:
    """Return the log-likelihood of each level.

    A prediction j of an unlabelled statement has probability s * sum_y P(y | level) M[y, j] + (1 - s) * M[none, j];
    a label has P(y | level) and a label `none` says nothing about the level.

    Parameters
    ----------
    cells : Cells
        Counts of (C, K, T) cells, weighted within documents.
    correction : Correction
        B draws of the confusion matrix.
    salience : ndarray, shape (B, C, K, T)
        Share of statements that address the target.
    shares : ndarray, shape (G, 3)
        Stances by level.

    Returns
    -------
    ndarray, shape (B, C, K, T, G)
    """
    seen = np.einsum("gy,bckyj->bckgj", shares, correction.confusion[..., :3, :], optimize=True)
    read = np.einsum("ckty,gy->cktg", cells.coded[..., :3], np.log(shares))
    total = np.broadcast_to(read, (*salience.shape, len(GRID)))
    for j in range(4):
        silent = (1 - salience) * correction.confusion[..., 3, j][..., None]
        chance = salience[..., None] * seen[..., j][..., None, :] + silent[..., None]
        total = total + cells.unread[None, ..., j, None] * np.log(np.maximum(chance, 1e-12))
    return total


def filter_forward(evidence: Evidence, step: float) -> tuple[Floats, Floats]:
    """Filter N series.

    Parameters
    ----------
    evidence : Evidence
        Of N series over T months.
    step : float
        Standard deviation of a month's step.

    Returns
    -------
    filtered : ndarray, shape (N, T, G)
        P(level in month t | data to t).
    log_evidence : ndarray, shape (N,)
        Log-likelihood of each series.
    """
    n, n_months, n_levels = evidence.log_likelihood.shape
    moves, fresh = transition(step), _fresh()
    peak = evidence.log_likelihood.max(axis=-1, keepdims=True)
    likelihood = np.exp(evidence.log_likelihood - peak)
    filtered, log_evidence = np.empty((n, n_months, n_levels)), peak.sum(axis=(1, 2))
    level = np.broadcast_to(fresh, (n, n_levels))
    for t in range(n_months):
        if t:
            jump = evidence.jump[:, t, None]
            level = (1 - jump) * (level @ moves) + jump * fresh
        level = level * likelihood[:, t]
        mass = level.sum(axis=-1, keepdims=True)
        level = level / mass
        log_evidence = log_evidence + np.log(mass[:, 0])
        filtered[:, t] = level
    return filtered, log_evidence


def sample_backward(filtered: Floats, jump: Floats, step: float, rng: np.random.Generator) -> Ints:
    """Draw one path of grid indices a series from its smoothed distribution, shape (N, T).

    Parameters
    ----------
    filtered : ndarray, shape (N, T, G)
        As `filter_forward` returns it.
    jump : ndarray, shape (N, T)
        Chances of a jump into each month.
    step : float
        Standard deviation of a month's step.
    rng : Generator
        Source of chance.
    """
    n, n_months, _ = filtered.shape
    moves, fresh = transition(step), _fresh()
    path = np.empty((n, n_months), np.int64)
    weight = filtered[:, -1]
    for t in range(n_months - 1, -1, -1):
        if t < n_months - 1:
            chance, following = jump[:, t + 1, None], path[:, t + 1]
            weight = filtered[:, t] * ((1 - chance) * moves.T[following] + chance * fresh[following][:, None])
        path[:, t] = _pick(weight, rng)
    return path


def _pick(weight: Floats, rng: np.random.Generator) -> Ints:
    """Draw an index a row with chances proportional to `weight`."""
    total = weight.cumsum(axis=-1)
    mark = rng.random(len(weight)) * total[:, -1]
    answer: Ints = np.minimum((total <= mark[:, None]).sum(axis=-1), weight.shape[-1] - 1)
    return answer


def _pick_many(weight: Floats, draws: int, rng: np.random.Generator) -> Ints:
    """Draw `draws` indices by row, shape (draws, rows)."""
    rows = np.repeat(weight, draws, axis=0)
    return _pick(rows, rng).reshape(len(weight), draws).T


def _fresh() -> Floats:
    mass = stats.norm.pdf(GRID, scale=LEVEL_SD)
    answer: Floats = mass / mass.sum()
    return answer


def draw_positions(
    cells: Cells, center: Correction, draws: Correction, *, salience: tuple[Floats, Floats], jump: Floats,
    rng: np.random.Generator,
) -> Floats:  # fmt: skip
    """Draw smoothed positions, one path per draw of the confusion matrices.

    The cut-point is the one of largest evidence over all series. Each series draws its step by evidence
    under the point estimate of its confusion matrix.

    Parameters
    ----------
    cells : Cells
        Counts of (C, K, T) cells.
    center, draws : Correction
        The point estimate and B draws.
    salience : tuple of ndarray, shapes (1, C, K, T) and (B, C, K, T)
        Salience under either.
    jump : ndarray, shape (K, T)
        Chance of a jump by target and month.
    rng : Generator
        Source of chance.

    Returns
    -------
    ndarray, shape (B, C, K, T)
        Positions in [-1, 1].
    """
    cut, weight = choose(cells, center, salience[0], jump)
    shares = stance_shares(cut)
    shape = salience[1].shape
    n_draws, n_series = shape[0], shape[1] * shape[2]
    levels = log_likelihood(cells, draws, salience[1], shares).reshape(n_draws, n_series, shape[3], len(GRID))
    jumps = np.broadcast_to(jump, shape[1:]).reshape(n_series, shape[3])
    chosen = _pick_many(weight, n_draws, rng)
    paths = np.zeros((n_draws, n_series, shape[3]), np.int64)
    for i, step in enumerate(STEPS):
        draw, series = np.nonzero(chosen == i)
        if draw.size and shape[3]:
            filtered, _ = filter_forward(Evidence(log_likelihood=levels[draw, series], jump=jumps[series]), step)
            paths[draw, series] = sample_backward(filtered, jumps[series], step, rng)
    answer: Floats = (shares[:, 0] - shares[:, 2])[paths].reshape(shape)
    return answer


def smooth_shares(cells: Cells, center: Correction, salience: Floats, jump: float = JUMP) -> Floats:
    """Return the expected shares of favor, neutral and against by cell, shape (C, K, T, 3).

    Marginals of the smoothed paths under the point estimate of the confusion matrices, averaged over steps by
    evidence (fixed-interval smoothing on the grid: Kitagawa 1987). No month is more likely to jump than another:
    what is tested for a change at an event must not expect one there.

    Parameters
    ----------
    cells : Cells
        Counts of (C, K, T) cells.
    center : Correction
        The point estimate.
    salience : ndarray, shape (1, C, K, T)
        Share of statements that address the target.
    jump : float
        Chance of a jump in any month.
    """
    shape = salience.shape[1:]
    everywhere = np.full(shape[1:], jump)
    cut, weight = choose(cells, center, salience, everywhere)
    shares, n_series = stance_shares(cut), shape[0] * shape[1]
    levels = log_likelihood(cells, center, salience, shares).reshape(n_series, shape[2], len(GRID))
    evidence = Evidence(log_likelihood=levels, jump=np.full((n_series, shape[2]), jump))
    total = np.zeros(levels.shape)
    for i, step in enumerate(STEPS):
        filtered, _ = filter_forward(evidence, step)
        total += weight[:, i, None, None] * smooth_backward(filtered, evidence.jump, step)
    answer: Floats = (total @ shares).reshape(*shape, 3)
    return answer


def smooth_backward(filtered: Floats, jump: Floats, step: float) -> Floats:
    """Return P(level in month t | all data), shape (N, T, G); parameters as of `sample_backward`."""
    moves, fresh = transition(step), _fresh()
    answer = filtered.copy()
    for t in range(filtered.shape[1] - 2, -1, -1):
        chance = jump[:, t + 1, None]
        forecast = (1 - chance) * (filtered[:, t] @ moves) + chance * fresh
        ratio = answer[:, t + 1] / np.maximum(forecast, 1e-300)
        back = (1 - chance) * (ratio @ moves.T) + chance * (ratio @ fresh)[:, None]
        answer[:, t] = filtered[:, t] * back
    return answer


def choose(cells: Cells, center: Correction, salience: Floats, jump: Floats) -> tuple[float, Floats]:
    """Choose the cut-point and weigh the steps by evidence.

    Returns
    -------
    cut : float
        Of largest total evidence over series.
    weights : ndarray, shape (C * K, number of steps)
        Posterior weights of the steps by series.
    """
    shape = salience.shape[1:]
    jumps = np.broadcast_to(jump, shape).reshape(shape[0] * shape[1], shape[2])
    evidence = np.empty((len(CUTS), STEPS.size, jumps.shape[0]))
    for i, cut in enumerate(CUTS):
        levels = log_likelihood(cells, center, salience, stance_shares(cut)).reshape(*jumps.shape, len(GRID))
        for j, step in enumerate(STEPS):
            evidence[i, j] = filter_forward(Evidence(log_likelihood=levels, jump=jumps), step)[1]
    evidence = evidence + np.log(STEP_PRIOR)[:, None]
    best = int(special.logsumexp(evidence, axis=1).sum(axis=-1).argmax())
    weights: Floats = special.softmax(evidence[best], axis=0).T
    return CUTS[best], weights
