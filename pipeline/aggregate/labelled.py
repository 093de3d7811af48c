"""The labelled sample: what predictions are worth, and how sure that is.

Two views of the same 1/pi-weighted table of predicted by true stance: the confusion matrix P(predicted | true),
which the smoothed paths look through, and the true stance by predicted class, which the design-based estimates
impute with. Uncertainty is a Bayesian bootstrap over labelled documents (Rubin 1981, Annals of Statistics 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.aggregate.cells import ADDRESSED, SCORES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.aggregate.inputs import Observations

    Floats = NDArray[np.float64]

COUNTRY_PRIOR = 4.0
"""Pseudo-counts a row by which an actor's confusion matrix is drawn to the pooled one."""
TARGET_PRIOR = 30.0
"""Pseudo-counts a row by which a target's matrix is drawn to its actor's: targets differ little."""
_START = 0.7 * np.eye(4) + 0.075
"""What one pseudo-count a row says before any label: right seven times in ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Estimates of what predictions mean, one per draw (B = 1 for the point estimate).

    Attributes
    ----------
    confusion : ndarray, shape (B, C, K, 4, 4)
        P(predicted j | true y), rows y.
    score, addressed : ndarray, shape (B, C, K, 4)
        Mean score (`none` counting 0) and share addressed by predicted stance.
    """

    confusion: Floats
    score: Floats
    addressed: Floats


def weighted_table(seen: Observations, draws: int = 0, rng: np.random.Generator | None = None) -> Floats:
    """Tabulate labelled observations by predicted and true stance, 1/pi-weighted.

    Parameters
    ----------
    seen : Observations
        Coded observations.
    draws : int
        Bayesian-bootstrap draws; 0 for the table itself.
    rng : Generator, optional
        Source of the exponential document weights.

    Returns
    -------
    ndarray, shape (max(draws, 1), C, K, 4, 4)
        Weights by predicted (rows) and true stance, scaled per actor so that they add up to Kish's effective
        number of labels.
    """
    picked = seen.gold >= 0
    n_countries, n_targets, _ = seen.shape
    country, weight = seen.country[picked], seen.weight[picked]
    total, square = (np.bincount(country, weight**p, minlength=n_countries) for p in (1, 2))
    weight = weight * (total / np.maximum(square, 1e-300))[country]
    slot = (country * n_targets + seen.target[picked]) * 16 + seen.predicted[picked] * 4 + seen.gold[picked]
    documents, cluster = np.unique(seen.document[picked], return_inverse=True)
    table = np.empty((max(draws, 1), n_countries * n_targets * 16))
    for b in range(table.shape[0]):
        factor = weight if rng is None or not draws else weight * rng.standard_exponential(documents.size)[cluster]
        table[b] = np.bincount(slot, factor, minlength=table.shape[1])
    return table.reshape(-1, n_countries, n_targets, 4, 4)


def correct(table: Floats, rng: np.random.Generator | None = None) -> Correction:
    """Turn weighted tables into confusion matrices and class means, partially pooled.

    Parameters
    ----------
    table : ndarray, shape (B, C, K, 4, 4)
        Weights by predicted (rows) and true stance.
    rng : Generator, optional
        When given, the pseudo-counts of the confusion matrices are drawn (gamma weights, the Dirichlet prior's
        share of the Bayesian bootstrap), so that a row seen in one document is not taken as certain.
    """
    confusion = _shrunk(np.swapaxes(table, -1, -2), rng)
    truth = truth_shares(table)
    return Correction(confusion=confusion, score=truth @ SCORES, addressed=truth @ ADDRESSED)


def truth_shares(table: Floats) -> Floats:
    """Return P(true | predicted) from weighted tables, partially pooled; rows predicted, shape (B, C, K, 4, 4)."""
    return _shrunk(table, None)


def uncorrected(shape: tuple[int, int]) -> Correction:
    """Return the correction that takes predictions at their word, for (C, K) actors and targets."""
    taken = np.ones((1, *shape, 1))
    return Correction(confusion=taken[..., None] * np.eye(4), score=taken * SCORES, addressed=taken * ADDRESSED)


def _shrunk(rows: Floats, rng: np.random.Generator | None) -> Floats:
    """Normalise (B, C, K, 4, 4) rows, each level drawn towards the one above it."""
    pooled = _share(rows.sum(axis=(1, 2), keepdims=True) + _START)
    country = _share(rows.sum(axis=2, keepdims=True) + _pseudo(COUNTRY_PRIOR * pooled, rows.shape[:2], rng))
    return _share(rows + _pseudo(TARGET_PRIOR * country, rows.shape[:3], rng))


def _pseudo(mass: Floats, lead: tuple[int, ...], rng: np.random.Generator | None) -> Floats:
    mass = np.broadcast_to(mass, (*lead, *([1] * (3 - len(lead))), 4, 4))
    return mass if rng is None else np.maximum(rng.standard_gamma(mass), 1e-9)


def _share(rows: Floats) -> Floats:
    answer: Floats = rows / rows.sum(axis=-1, keepdims=True)
    return answer
