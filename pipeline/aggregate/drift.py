"""Whether the classifier errs differently in the later half of the labelled sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.aggregate.permutation import p_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.aggregate.inputs import Observations

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LEAST_DOCUMENTS = 10
"""Labelled documents an actor needs in each half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Results by target, shape (K + 1,); the last pools the targets.

    `statistic` is a chi-squared distance between the halves' confusion matrices, `effect` the change of accuracy
    from the first half to the second, `std_error` its spread under permutation.
    """

    statistic: Floats
    effect: Floats
    std_error: Floats
    p_value: Floats


def drift_test(
    seen: Observations, actors: tuple[int, int], *, permutations: int, rng: np.random.Generator
) -> Drift | None:
    """Compare the confusion matrices of two halves of the labelled documents, by permuting documents.

    Parameters
    ----------
    seen : Observations
        Coded observations.
    actors : tuple of int
        Indices of the pair; each actor's documents are halved at their own median month and permuted among
        themselves.
    permutations : int
        Random assignments.
    rng : Generator
        Their source.

    Returns
    -------
    Drift or None
        None when an actor has too few labelled documents in a half.
    """
    sides = [_side(seen, actor) for actor in actors]
    if any(min(side.late.sum(), (~side.late).sum()) < LEAST_DOCUMENTS for side in sides):
        return None
    n_targets = seen.shape[1]
    observed = _distance(np.stack([side.halves(side.late, n_targets) for side in sides]))
    null = [
        _distance(np.stack([side.halves(rng.permutation(side.late), n_targets) for side in sides]))
        for _ in range(permutations)
    ]
    spread = np.array([accuracy for _, accuracy in null]).std(axis=0)
    empty = np.isnan(observed[1])
    statistic = np.where(empty, np.nan, observed[0])
    return Drift(
        statistic=statistic,
        effect=observed[1],
        std_error=np.where(empty, np.nan, spread),
        p_value=p_values(statistic, np.array([distance for distance, _ in null])),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One actor's labels: document, table slot (target, true, predicted) and weight; `late` by document."""

    document: Ints
    slot: Ints
    weight: Floats
    late: NDArray[np.bool_]

    def halves(self, late: NDArray[np.bool_], n_targets: int) -> Floats:
        """Tabulate true by predicted stance in the early and the late half, shape (2, K, 4, 4)."""
        slot = self.slot + late[self.document] * (n_targets * 16)
        counts: Floats = np.bincount(slot, self.weight, minlength=n_targets * 32).astype(float)
        return counts.reshape(2, n_targets, 4, 4)


def _side(seen: Observations, actor: int) -> _Side:
    picked = (seen.gold >= 0) & (seen.country == actor)
    names, document = np.unique(seen.document[picked], return_inverse=True)
    month = np.zeros(names.size, np.int64)
    month[document] = seen.month[picked]
    weight = seen.weight[picked]
    weight = weight * weight.sum() / max(float((weight**2).sum()), 1e-300)
    slot = seen.target[picked] * 16 + seen.gold[picked] * 4 + seen.predicted[picked]
    return _Side(document=document, slot=slot, weight=weight, late=_late(month))


def _late(month: Ints) -> NDArray[np.bool_]:
    """Split documents at the month that makes the halves most equal."""
    cuts = np.unique(month)
    if not cuts.size:
        return np.zeros(0, bool)
    balance = np.abs(np.searchsorted(np.sort(month), cuts) - month.size / 2)
    late: NDArray[np.bool_] = month >= cuts[int(np.argmin(balance))]
    return late


def _distance(halves: Floats) -> tuple[Floats, Floats]:
    """Return chi-squared distance and change of accuracy by target and pooled, from (2, 2, K, 4, 4) tables."""
    tables = np.concatenate([halves, halves.sum(axis=2, keepdims=True)], axis=2)
    rows = tables.sum(axis=-1, keepdims=True)
    expected = rows * tables.sum(axis=1, keepdims=True) / np.maximum(rows.sum(axis=1, keepdims=True), 1e-12)
    square = np.where(expected > 0, (tables - expected) ** 2 / np.where(expected > 0, expected, 1.0), 0.0)
    right = np.trace(tables, axis1=-2, axis2=-1).sum(axis=0)
    total = tables.sum(axis=(0, -1, -2))
    share = np.where(total > 0, right / np.where(total > 0, total, 1.0), np.nan)
    return square.sum(axis=(0, 1, -1, -2)), share[1] - share[0]
