"""Measures of the series by period: positions, salience, gaps, convergence, declared against revealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from pipeline.aggregate.contrasts import Interval, cluster_variance, project, ratio
from pipeline.aggregate.permutation import pool

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.aggregate.periods import Periods

    Floats = NDArray[np.float64]


def summarise(draws: Floats, level: float) -> Interval:
    """Summarise draws over the first axis: mean, equal-tailed interval, standard deviation."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    mean = draws.mean(axis=0)
    return Interval(estimate=mean, low=np.fmin(low, mean), high=np.fmax(high, mean), std_error=draws.std(axis=0))


def bounded(values: Interval, size: float) -> Interval:
    """Keep an interval within [-size, size], where the truth is."""
    low, high = np.clip(values.low, -size, size), np.clip(values.high, -size, size)
    return Interval(estimate=values.estimate, low=low, high=high, std_error=values.std_error)


def convergence(gap: Interval) -> Interval:
    """Return 1 - |gap| / 2 with the interval projected from that of the signed gap."""
    estimate, low, high = project(gap.estimate, gap.low, gap.high)
    return Interval(estimate=estimate, low=low, high=high, std_error=gap.std_error / 2)


def same_side(first: Floats, second: Floats) -> Interval:
    """Return the share of draws (first axis) in which two positions have the same sign.

    A probability already says how sure it is: the interval and the standard error are left empty.
    """
    share = np.where(np.isnan(first + second), np.nan, first * second > 0).mean(axis=0)
    blank = np.full(share.shape, np.nan)
    return Interval(estimate=share, low=blank, high=blank, std_error=blank)


def gap_signs(draws: Floats) -> Floats:
    """Return the sign of each target's overall mean gap, (K,), from draws (B, K, P); +1 for none."""
    known = ~np.isnan(draws)
    mean = np.where(known, draws, 0.0).sum(axis=(0, 2))
    return np.where(mean < 0, -1.0, 1.0)


def pooled_gap(draws: Floats, orient: Floats) -> Floats:
    """Average oriented gaps over targets, draws (B, K, P) to (B, P); orientation 0 leaves a target out."""
    return pool(draws, orient)


def mean_position(positions: Floats) -> Floats:
    """Average positions over actors and targets, (..., C, K, P) to (..., P), leaving out those that are NaN."""
    flat = positions.reshape(*positions.shape[:-3], -1, positions.shape[-1])
    return pool(flat, np.ones(flat.shape[-2]))


def standardise(draws: Floats, known: NDArray[np.bool_]) -> Floats:
    """Turn draws (B, P) to z-scores of the series of their means over the known periods.

    NaN throughout with fewer than three known periods or no spread.
    """
    mean = draws[:, known].mean(axis=0) if known.any() else np.zeros(0)
    if mean.size < 3 or np.isnan(mean).any() or mean.std() < 1e-9:
        return np.full(draws.shape, np.nan)
    answer: Floats = (draws - mean.mean()) / mean.std()
    return answer


def salience(
    addressed: Floats, statements: Floats, moments: Floats, *, documents: Floats, periods: Periods, level: float
) -> Interval:
    """Estimate salience, the share of statements that address the target.

    Parameters
    ----------
    addressed : ndarray, shape (1 + B, C, K, T)
        Corrected totals: the estimate, then draws of the labelled sample.
    statements, documents : ndarray, shape (C, K, T)
        Numbers of statements and of documents.
    moments : ndarray, shape (C, K, T, 3, 3)
        Document moments of (psi score, psi addressed, 1).
    periods : Periods
        Periods of the series.
    level : float
        Of the interval.

    Returns
    -------
    Interval
        Cluster-robust, plus the variance over draws; a Wilson interval at the effective sample size, so that it
        stays inside [0, 1] and does not vanish where nothing was seen.
    """
    size = periods.total(statements)
    share = ratio(periods.total(addressed), size)
    sums = np.moveaxis(periods.total(np.moveaxis(moments, 2, -1)), -1, 2)
    spread = cluster_variance(sums, 1, 2, share[0], periods.total(documents))
    doubt = share[1:].var(axis=0) if len(share) > 1 else 0.0
    error = np.sqrt(spread / np.maximum(size, 1) ** 2 + doubt)
    return wilson(np.clip(share[0], 0, 1), error, size, level)


def wilson(share: Floats, error: Floats, size: Floats, level: float) -> Interval:
    """Return Wilson's interval at the sample size that gives a share its standard error.

    Source: Wilson 1927, JASA 22; Dean and Pavur 2022, Journal of Survey Statistics and Methodology, for designs.
    Shares of 0 or 1 count as half a statement away from it.
    """
    z = float(stats.norm.ppf((1 + level) / 2))
    inner = np.clip(share, 0.5 / np.maximum(size, 1), 1 - 0.5 / np.maximum(size, 1))
    n = inner * (1 - inner) / np.maximum(error, 1e-9) ** 2
    n = np.minimum(n, np.maximum(size, 1))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = np.fmin(np.maximum(middle - half, 0), share), np.fmax(np.minimum(middle + half, 1), share)
    return Interval(estimate=share, low=low, high=high, std_error=np.where(np.isnan(share), np.nan, error))


def plug_in_draws(
    scores: Floats, addressed: Floats, moments: Floats, *, documents: Floats, periods: Periods, normal: Floats
) -> Floats:
    """Draw positions around plug-in ratios, for data without labels.

    Parameters
    ----------
    scores, addressed, documents : ndarray, shape (C, K, T)
        Totals by predicted stance; documents that address the target.
    moments : ndarray, shape (C, K, T, 3, 3)
        Document moments of (psi score, psi addressed, 1).
    periods : Periods
        Periods of the series.
    normal : ndarray, shape (B, C, K, P)
        Standard normal numbers that average zero.

    Returns
    -------
    ndarray, shape (B, C, K, P)
        Not bent back into [-1, 1]; NaN where nothing was addressed. The standard error is at least 1 / (n + 1)
        for n addressed statements: unanimity among a few is not certainty.
    """
    bottom = periods.total(addressed)
    place = ratio(periods.total(scores), bottom)
    sums = np.moveaxis(periods.total(np.moveaxis(moments, 2, -1)), -1, 2)
    variance = cluster_variance(sums, 0, 1, place, periods.total(documents)) / np.maximum(bottom, 1) ** 2
    answer: Floats = place + normal * np.sqrt(np.maximum(variance, 1 / (bottom + 1) ** 2))
    return answer
