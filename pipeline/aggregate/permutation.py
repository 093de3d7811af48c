"""P-values by permuting blocks of months, and the statistics they are computed on.

A statistic is studentised, so that its permutation distribution is right even where months differ in volume
(Janssen 1997, Statistics and Probability Letters 36; DiCiccio and Romano 2017, JASA 112): growing volume alone
rejects nothing. Whole months move, all actors and targets together, in blocks that keep short memory; since the
permuted series remember as the data do, standard errors here need only the months' own variances.

Targets are pooled with signed weights, 0 for those left out. +1 and -1 average the gaps; `matched_weights` find a
common shrinking of the gaps best.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.aggregate.contrasts import LEAST_ADDRESSED, ratio, window_gap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

BLOCK = 3
"""Consecutive months that move together."""
TRIM = 0.15
"""Share of the information on either side in which no changepoint is looked for."""
LEAD_MONTHS = 3
"""Longest lead or lag compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """Values by draw and target, shape (P, K + 1); the last column pools the targets.

    `effect` is in units of the signed gap, `value` is the effect over its standard error.
    """

    effect: Floats
    std_error: Floats

    @property
    def value(self) -> Floats:
        """The studentised effect; NaN without a standard error."""
        answer: Floats = np.where(
            self.std_error > 0, self.effect / np.where(self.std_error > 0, self.std_error, 1.0), np.nan
        )
        return answer


def block_permutations(n_months: int, draws: int, rng: np.random.Generator, block: int = BLOCK) -> Ints:
    """Return `draws` orders of the months, shape (draws, n_months), that permute blocks of months.

    Blocks start at a random offset, and the incomplete ones at either end move like the others.
    """
    answer = np.empty((draws, n_months), np.int64)
    months = np.arange(n_months)
    for row in answer:
        group = (months + rng.integers(block)) // block
        row[:] = np.lexsort((months, rng.permutation(int(group.max(initial=0)) + 1)[group]))
    return answer


def p_values(observed: Floats, null: Floats) -> Floats:
    """Return two-sided permutation p-values, (1 + #{|null| >= |observed|}) / (1 + P).

    Parameters
    ----------
    observed : ndarray, shape (K,)
        Statistics of the data; NaN gives NaN.
    null : ndarray, shape (P, K)
        Statistics under permutation; those that could not be computed count as large.

    References
    ----------
    Phipson and Smyth 2010, Statistical Applications in Genetics and Molecular Biology 9.
    """
    large = np.nan_to_num(np.abs(null), nan=np.inf) >= np.abs(observed) - 1e-12
    share = (1 + large.sum(axis=0)) / (1 + null.shape[0])
    answer: Floats = np.where(np.isnan(observed), np.nan, share)
    return answer


def holm(p: Sequence[float] | Floats) -> Floats:
    """Return p-values adjusted for the number of tests by Holm's step-down rule; NaN are left out.

    References
    ----------
    Holm 1979, Scandinavian Journal of Statistics 6.
    """
    raw = np.asarray(p, dtype=float)
    answer = np.full(raw.shape, np.nan)
    known = np.flatnonzero(~np.isnan(raw))
    order = known[np.argsort(raw[known], kind="stable")]
    steps = raw[order] * (order.size - np.arange(order.size))
    answer[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return answer


def pool(values: Floats, weights: Floats) -> Floats:
    """Average targets by signed weights, (..., K, T) to (..., T), leaving out those that are NaN.

    The sum of w x over the sum of |w|; NaN where no target has a value and a weight.
    """
    known = ~np.isnan(values) & (weights != 0)[:, None]
    size = (known * np.abs(weights)[:, None]).sum(axis=-2)
    total = np.where(known, values * weights[:, None], 0.0).sum(axis=-2)
    answer: Floats = np.where(size > 0, total / np.where(size > 0, size, 1.0), np.nan)
    return answer


def matched_weights(scores: Floats, addressed: Floats) -> Floats:
    """Weigh targets for a pooled test: overall gap over the variance of its estimate, shape (K,).

    If every gap shrinks by the same share, these weights give the largest expected statistic (a matched filter).
    They do not change when months are permuted, so that p-values stay valid. Gaps below a tenth count as a
    tenth, and variances below a quarter of the median as that: a target on which nearly all agree must not
    stand for all. Arrays of shape (2, K, T).
    """
    gap, influence = window_gap(scores, addressed, np.ones(scores.shape[-1], bool))
    variance = (influence**2).sum(axis=-1)
    known = ~np.isnan(gap) & (variance > 0)
    if known.any():
        variance = np.maximum(variance, np.median(variance[known]) / 4)
    signal = np.where(gap < 0, -1.0, 1.0) * np.maximum(np.abs(gap), 0.1)
    answer: Floats = np.where(known, signal / np.where(known, variance, 1.0), 0.0)
    return answer


def _with_pool(effect: Floats, influence: Floats, weights: Floats) -> Statistic:
    known = np.where(np.isnan(effect)[..., None], np.nan, influence)
    pooled = pool(effect[..., None], weights)
    everything = np.concatenate([known, pool(known, weights)[..., None, :]], axis=-2)
    variance = (everything**2).sum(axis=-1)
    return Statistic(effect=np.concatenate([effect, pooled], axis=-1), std_error=np.sqrt(variance))


def event_statistic(
    scores: Floats, addressed: Floats, *, before: Bools, after: Bools, weights: Floats
) -> Statistic:
    """Compare the signed gap of two windows.

    Parameters
    ----------
    scores, addressed : ndarray, shape (P, 2, K, T)
        Corrected totals of the pair.
    before, after : ndarray of bool, shape (T,)
        The windows.
    weights : ndarray, shape (K,)
        Signed weights of the targets in the pool.

    Returns
    -------
    Statistic
        Gap after minus gap before.
    """
    first, shift = window_gap(scores, addressed, before)
    second, change = window_gap(scores, addressed, after)
    influence = _correct_df(change, after) - _correct_df(shift, before)
    return _with_pool(second - first, influence, weights)


def _correct_df(influence: Floats, months: Bools) -> Floats:
    n = max(int(months.sum()), 2)
    answer: Floats = influence * np.sqrt(n / (n - 1))
    return answer


def trend_statistic(scores: Floats, addressed: Floats, *, weights: Floats) -> Statistic:
    """Regress score on time across addressed statements, and compare the pair's slopes.

    Arrays as in `event_statistic`. The effect is the change of the signed gap a month.
    """
    time = np.arange(scores.shape[-1], dtype=float)
    mass = addressed.sum(axis=-1)
    middle = ratio((addressed * time).sum(axis=-1), mass)
    centred = time - middle[..., None]
    place = ratio(scores.sum(axis=-1), mass)
    spread = (addressed * centred**2).sum(axis=-1)
    slope = ratio((centred * scores).sum(axis=-1), spread)
    residual = scores - (place[..., None] + slope[..., None] * centred) * addressed
    influence = centred * residual / np.where(spread > 0, spread, np.nan)[..., None]
    months = np.sqrt(time.size / max(time.size - 2, 1))
    difference = (influence[..., 0, :, :] - influence[..., 1, :, :]) * months
    return _with_pool(slope[..., 0, :] - slope[..., 1, :], difference, weights)


def cusum(scores: Floats, addressed: Floats, volume: Floats, *, weights: Floats) -> Floats:
    """Return the studentised cumulative sum of the gap's departures from its mean, by last month before a change.

    Parameters
    ----------
    scores, addressed : ndarray, shape (P, 2, K, T)
        Corrected totals of the pair.
    volume : ndarray, shape (P, 2, K, T)
        Expected numbers of addressed statements; an actor's share of it up to a month is the information time,
        in which the cumulative sum is a Brownian bridge.
    weights : ndarray, shape (K,)
        Signed weights of the targets in the pool.

    Returns
    -------
    ndarray, shape (P, K + 1, T)
        NaN outside the trimmed range of information; the last target pools.
    """
    mass = addressed.sum(axis=-1)
    place = ratio(scores.sum(axis=-1), mass)
    shift = (scores - place[..., None] * addressed) / np.where(mass > LEAST_ADDRESSED, mass, np.nan)[..., None]
    whole = np.maximum(volume.sum(axis=-1, keepdims=True), 1e-9)
    time = np.where(np.isnan(shift), np.nan, volume.cumsum(axis=-1) / whole)
    shift, time = (np.stack([_append(x[..., c, :, :], o) for c in (0, 1)], axis=-3) for x, o in
                   ((shift, weights), (time, np.abs(weights))))  # fmt: skip
    variance = ((shift**2).sum(axis=-1, keepdims=True) * time * (1 - time)).sum(axis=-3)
    level = (shift[..., 0, :, :] - shift[..., 1, :, :]).cumsum(axis=-1)
    middle = time.mean(axis=-3)
    usable = (middle >= TRIM) & (middle <= 1 - TRIM) & (variance > 0)
    answer: Floats = np.where(usable, level / np.sqrt(np.where(usable, variance, 1.0)), np.nan)
    return answer


def _append(values: Floats, weights: Floats) -> Floats:
    return np.concatenate([values, pool(values, weights)[..., None, :]], axis=-2)


def largest(path: Floats) -> Floats:
    """Return the largest absolute value over the last axis, NaN where all are."""
    size = np.nan_to_num(np.abs(path), nan=-1.0).max(axis=-1, initial=-1.0)
    answer: Floats = np.where(size < 0, np.nan, size)
    return answer


def lead_lag(scores: Floats, addressed: Floats, volume: Floats, order: Ints, *, weights: Floats) -> Floats:
    """Return the asymmetry of the cross-correlation: positive when the first actor moves first.

    Parameters
    ----------
    scores, addressed, volume : ndarray, shape (2, K, T)
        Corrected totals of the pair, expected numbers of addressed statements.
    order : ndarray, shape (P, T)
        Order in which the second actor's months are taken.
    weights : ndarray, shape (K,)
        Signed weights of the targets in the pool, used without their signs.

    Returns
    -------
    ndarray, shape (P, K + 1)
        Sum over leads of 1 to 3 months of corr(first_t, second_t+l) - corr(second_t, first_t+l); the last column
        is the mean over targets.
    """
    place = ratio(scores.sum(axis=-1), addressed.sum(axis=-1))
    noise = (scores - place[..., None] * addressed) / np.sqrt(np.maximum(volume, LEAST_ADDRESSED))
    first, second = noise[0], noise[1][:, order].swapaxes(0, 1)
    size = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    total = np.zeros(second.shape[:2])
    for lag in range(1, min(LEAD_MONTHS, first.shape[-1] - 1) + 1):
        total += (first[..., :-lag] * second[..., lag:]).sum(-1) - (first[..., lag:] * second[..., :-lag]).sum(-1)
    each = np.where(size > 0, total / np.where(size > 0, size, 1.0), np.nan)
    pooled = pool(each[..., None], np.abs(weights))
    return np.concatenate([each, pooled], axis=-1)
