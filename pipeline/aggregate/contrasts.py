"""Design-based estimates, valid under any classifier error: corrected totals, ratios, windows and their variances.

Design-based supervised learning (Egami, Hinck, Stewart and Wei 2023, NeurIPS), which is prediction-powered
inference (Angelopoulos et al. 2023, Science 382) for a known design: each statement counts
psi = f(predicted) + (labelled / pi) * (true - f(predicted)), with f the labelled mean by predicted class. A
position is the ratio of the totals of psi for the score and for being addressed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from pipeline.aggregate.cells import ADDRESSED, SCORES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.aggregate.cells import Cells
    from pipeline.aggregate.inputs import Observations
    from pipeline.aggregate.labelled import Correction

    Floats = NDArray[np.float64]

HAC_LAGS = 3
"""Months over which a gap's noise may be correlated."""
GAP_DF = 10
"""Degrees of freedom of a window's gap: few months, few labels."""
LEAST_ADDRESSED = 0.5
"""Corrected totals of addressed statements below this give no ratio."""
POWER_FACTOR = float(stats.norm.ppf(0.975) + stats.norm.ppf(0.8))
"""Standard errors in the smallest effect found with 80% power at 5% (Bloom 1995, Evaluation Review 19)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Estimates with intervals and standard errors, arrays of one shape; NaN where there is none."""

    estimate: Floats
    low: Floats
    high: Floats
    std_error: Floats


def corrected_totals(cells: Cells, correction: Correction, trust: float = 1.0) -> tuple[Floats, Floats]:
    """Total psi by cell.

    Parameters
    ----------
    cells : Cells
        Counts of (C, K, T) cells.
    correction : Correction
        Class means, B draws.
    trust : float
        Share of each label's correction that is made. Below 1 changes are understated, and understated with far
        less noise: good for a test of no change, not for an estimate.

    Returns
    -------
    scores, addressed : ndarray, shape (B, C, K, T)
        Corrected totals of the score and of being addressed.
    """
    return (
        _total(cells, correction.score, SCORES, trust),
        _total(cells, correction.addressed, ADDRESSED, trust),
    )


def _total(cells: Cells, means: Floats, values: Floats, trust: float) -> Floats:
    imputed = np.einsum("cktj,bckj->bckt", cells.predicted, means, optimize=True)
    true = np.einsum("cktjy,y->ckt", cells.weighted, values, optimize=True)
    believed = np.einsum("cktj,bckj->bckt", cells.weighted.sum(axis=-1), means, optimize=True)
    answer: Floats = imputed + trust * (true - believed)
    return answer


def borrowed_totals(
    cells: Cells, confusion: Floats, shares: Floats, salience: Floats, trust: float
) -> tuple[Floats, Floats]:
    """Total psi by cell with f the stance expected in that very cell, not in the labelled sample at large.

    What a predicted stance means depends on what is said at the time: by Bayes' rule the chance of true stance y
    behind prediction j is proportional to share[y] M[y, j].

    Parameters
    ----------
    cells : Cells
        Counts of (C, K, T) cells.
    confusion : ndarray, shape (C, K, 4, 4)
        P(predicted | true).
    shares : ndarray, shape (C, K, T, 3)
        Shares of favor, neutral and against among what addresses the target, smoothed.
    salience : ndarray, shape (C, K, T)
        Share of statements that do.
    trust : float
        As of `corrected_totals`.
    """
    prior = np.concatenate([shares * salience[..., None], 1 - salience[..., None]], axis=-1)
    joint = prior[..., None] * confusion[:, :, None]
    truth = joint / np.maximum(joint.sum(axis=-2, keepdims=True), 1e-300)
    totals = []
    for values in (SCORES, ADDRESSED):
        means = np.einsum("cktyj,y->cktj", truth, values)
        labelled = np.einsum("cktjy,y->ckt", cells.weighted, values)
        believed = (cells.weighted.sum(axis=-1) * means).sum(axis=-1)
        totals.append((cells.predicted * means).sum(axis=-1) + trust * (labelled - believed))
    return totals[0], totals[1]


def psi(seen: Observations, correction: Correction) -> Floats:
    """Return psi of the score and of being addressed by observation, shape (R, 2)."""
    columns = []
    for means, values in ((correction.score[0], SCORES), (correction.addressed[0], ADDRESSED)):
        believed = means[seen.country, seen.target, seen.predicted]
        columns.append(believed + seen.weight * (values[seen.gold] - believed))
    return np.stack(columns, axis=-1)


def ratio(top: Floats, bottom: Floats, least: float = LEAST_ADDRESSED) -> Floats:
    """Divide totals, NaN where the denominator is below `least`."""
    enough = bottom >= least
    answer: Floats = np.where(enough, top / np.where(enough, bottom, 1.0), np.nan)
    return answer


def cluster_variance(moments: Floats, top: int, bottom: int, value: Floats, clusters: Floats) -> Floats:
    """Return the cluster-robust variance of ratios of totals.

    Parameters
    ----------
    moments : ndarray, shape (..., P, F, F)
        Sums of products of document totals, P periods.
    top, bottom : int
        Columns of the numerator and of the denominator.
    value : ndarray, shape (..., P)
        The ratios.
    clusters : ndarray, shape (..., P)
        Documents behind each.

    Returns
    -------
    ndarray, shape (..., P)
        Variance of the numerator total minus value times the denominator total (divide by the squared
        denominator). The mean square a document is shrunk to that of all periods by ten documents, since a
        handful of documents do not show their own spread.
    """
    own = moments[..., top, top] - 2 * value * moments[..., top, bottom] + value**2 * moments[..., bottom, bottom]
    own = np.maximum(np.nan_to_num(own), 0.0)  # a sum of squares: rounding can leave it just below 0
    mean = own.sum(axis=-1, keepdims=True) / np.maximum(clusters.sum(axis=-1, keepdims=True), 1)
    answer: Floats = clusters * (own + 10 * mean) / (clusters + 10)
    return answer


def hac_variance(influence: Floats, lags: int = HAC_LAGS) -> Floats:
    """Return the Newey-West variance of a sum over the last axis.

    Source: Newey and West 1987, Econometrica 55: Bartlett weights 1 - l / (lags + 1). Never below half the
    uncorrelated variance, so that chance negative correlation is not read as precision.
    """
    total = (influence**2).sum(axis=-1)
    plain = total.copy()
    for lag in range(1, min(lags, influence.shape[-1] - 1) + 1):
        weight = 2 * (1 - lag / (lags + 1))
        total = total + weight * (influence[..., lag:] * influence[..., :-lag]).sum(axis=-1)
    answer: Floats = np.maximum(total, plain / 2)
    return answer


def window_gap(scores: Floats, addressed: Floats, months: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Estimate the signed gap in a window of months, with each month's influence on it.

    Parameters
    ----------
    scores, addressed : ndarray, shape (..., 2, K, T)
        Corrected totals of the pair.
    months : ndarray of bool, shape (T,)
        The window.

    Returns
    -------
    gap : ndarray, shape (..., K)
        Position of the first actor minus that of the second.
    influence : ndarray, shape (..., K, T)
        Linearised contribution of each month; zero outside the window.
    """
    inside = months.astype(float)
    bottom = (addressed * inside).sum(axis=-1)
    place = ratio((scores * inside).sum(axis=-1), bottom)
    share = (scores - place[..., None] * addressed) * inside / np.where(bottom > 0, bottom, 1.0)[..., None]
    return place[..., 0, :] - place[..., 1, :], share[..., 0, :, :] - share[..., 1, :, :]


def orientation(scores: Floats, addressed: Floats) -> Floats:
    """Return the sign of each target's overall gap, shape (K,), +1 where there is none.

    Targets whose gaps point in opposite directions are turned the same way before they are averaged, so that
    they do not cancel by accident of coding.
    """
    gap, _ = window_gap(scores, addressed, np.ones(scores.shape[-1], bool))
    return np.where(gap < 0, -1.0, 1.0)


def project(center: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats, Floats]:
    """Map a signed gap and its interval to convergence 1 - |gap| / 2 and its interval.

    An interval for the gap that contains zero contains full convergence. Arrays of any one shape.
    """
    far = np.maximum(np.abs(low), np.abs(high))
    near = np.where((low <= 0) & (high >= 0), 0.0, np.minimum(np.abs(low), np.abs(high)))
    return 1 - np.abs(center) / 2, np.maximum(1 - far / 2, 0.0), 1 - near / 2


def change_interval(
    before: float, after: float, covariance: Floats, *, level: float, rng: np.random.Generator, size: int = 4000
) -> tuple[float, float, float]:
    """Simulate an interval for the change of convergence between two windows.

    Parameters
    ----------
    before, after : float
        Signed gaps of the windows.
    covariance : ndarray, shape (2, 2)
        Of the two gaps.
    level : float
        Of the interval.
    rng : Generator
        Source of the simulated gaps.
    size : int
        Number of simulated pairs of gaps.

    Returns
    -------
    low, high, std_error : float
        For (|before| - |after|) / 2, the gaps simulated from a t with `GAP_DF` degrees of freedom.
    """
    root = _root(covariance)
    noise = rng.standard_normal((size, 2)) @ root.T
    noise *= np.sqrt(GAP_DF / rng.chisquare(GAP_DF, size))[:, None]
    change = (np.abs(before + noise[:, 0]) - np.abs(after + noise[:, 1])) / 2
    low, high = np.quantile(change, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high), float(np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])) / 2


def _root(covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    answer: Floats = vectors * np.sqrt(np.maximum(values, 0))
    return answer
