"""Whether the classifier errs differently in the later half of the labelled sample.

Two distances between the halves are looked at, because drifts differ. One sees any change of a confusion matrix,
and pays for it with little power; the other sees only what moves positions: a reading that has become warmer or
colder, given what was really said. Their p-values under permutation are multiplied (Fisher 1925) and the product
compared with those of the permutations themselves, so that the two need not be independent (Pesarin 2001,
Multivariate Permutation Tests, ch. 6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.aggregate.cells import SCORES
from pipeline.aggregate.inputs import NONE
from pipeline.aggregate.permutation import p_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.aggregate.inputs import Observations

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

LEAST_DOCUMENTS = 10
"""Labelled documents an actor needs in each half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Results by target, shape (K + 1,); the last pools the targets.

    `statistic` is -2 log of the product of two p-values: of a chi-squared distance between the halves' confusion
    matrices, and of the change of warmth. `effect` is the change of accuracy from the first half to the second,
    `std_error` its spread under permutation. The two answer different questions, so that `p_value` and an
    interval of `effect` can disagree, on single targets and pooled: errors may change their kind at equal
    accuracy (small p, interval around 0), and accuracy may rise and fall with the mixture of true stances though
    each is read as before (interval off 0, large p). Whether estimates can be trusted depends on `p_value`.
    """

    statistic: Floats
    effect: Floats
    std_error: Floats
    p_value: Floats


def drift_test(
    seen: Observations, actors: tuple[int, int], *, permutations: int, rng: np.random.Generator
) -> Drift | None:
    """Compare how two halves of the labelled documents are read, by permuting documents.

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
    observed = _compare(sides, [side.late for side in sides])
    null = [_compare(sides, [rng.permutation(side.late) for side in sides]) for _ in range(permutations)]
    distance, warmth, accuracy = (np.stack(column) for column in zip(observed, *null, strict=True))
    evidence = -2 * (np.log(_ranks(distance)) + np.log(_ranks(warmth)))
    empty = np.isnan(accuracy[0])
    statistic = np.where(empty, np.nan, evidence[0])
    return Drift(
        statistic=statistic,
        effect=accuracy[0],
        std_error=np.where(empty, np.nan, accuracy[1:].std(axis=0)),
        p_value=p_values(statistic, evidence[1:]),
    )


def _compare(sides: list[_Side], late: list[Bools]) -> tuple[Floats, Floats, Floats]:
    """Return distance, squared change of warmth and change of accuracy, (K + 1,) each, for some halving."""
    tables = np.stack([side.halves(half) for side, half in zip(sides, late, strict=True)])
    distance, accuracy = _distance(tables)
    warmth = np.sum([side.warming(half) ** 2 for side, half in zip(sides, late, strict=True)], axis=0)
    return distance, warmth, accuracy


def _ranks(values: Floats) -> Floats:
    """Return each draw's p-value among all draws (first axis): the share that is at least as large."""
    ordered = np.sort(values, axis=0)
    below = [np.searchsorted(ordered[:, k], values[:, k] - 1e-9) for k in range(values.shape[1])]
    answer: Floats = 1 - np.stack(below, axis=1) / len(values)
    return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One actor's labels: document, table slot (target, true, predicted) and weight; `late` by document.

    `warmth`, (K + 1, documents), sums by document how much more favorable than usual a true stance was read.
    """

    document: Ints
    slot: Ints
    weight: Floats
    late: Bools
    warmth: Floats

    def warming(self, late: Bools) -> Floats:
        """Return the studentised change of warmth from the early half to the late one, shape (K + 1,)."""
        after, before = self.warmth[:, late], self.warmth[:, ~late]
        variance = after.var(axis=1) / late.sum() + before.var(axis=1) / (~late).sum()
        change = after.mean(axis=1) - before.mean(axis=1)
        answer: Floats = np.where(variance > 0, change / np.sqrt(np.where(variance > 0, variance, 1.0)), 0.0)
        return answer

    def halves(self, late: Bools) -> Floats:
        """Tabulate true by predicted stance in the early and the late half, shape (2, K, 4, 4)."""
        n_targets = len(self.warmth) - 1
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
    return _Side(document=document, slot=slot, weight=weight, late=_late(month), warmth=_warmth(
        seen, picked, document, weight))  # fmt: skip


def _warmth(seen: Observations, picked: Bools, document: Ints, weight: Floats) -> Floats:
    """Sum by document the predicted score less its mean for the true stance, (K + 1, documents).

    Only where both label and prediction address the target: what is missed or imagined is not warm or cold.
    """
    target, gold, predicted = seen.target[picked], seen.gold[picked], seen.predicted[picked]
    weight = weight * ((gold != NONE) & (predicted != NONE))
    known, n_targets = np.bincount(gold, weight, minlength=4), seen.shape[1]
    usual = np.bincount(gold, weight * SCORES[predicted], minlength=4) / np.where(known > 0, known, 1.0)
    excess = weight * (SCORES[predicted] - usual[gold])
    size = int(document.max(initial=-1)) + 1
    each = np.bincount(target * size + document, excess, minlength=n_targets * size).reshape(n_targets, size)
    return np.concatenate([each, each.sum(axis=0, keepdims=True)])


def _late(month: Ints) -> Bools:
    """Split documents at the month that makes the halves most equal."""
    cuts = np.unique(month)
    if not cuts.size:
        return np.zeros(0, bool)
    balance = np.abs(np.searchsorted(np.sort(month), cuts) - month.size / 2)
    late: Bools = month >= cuts[int(np.argmin(balance))]
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
