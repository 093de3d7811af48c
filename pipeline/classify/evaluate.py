"""Measure a classifier against labels: macro-F1, confusion, calibration, accuracy at a coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.classify.calibration import accuracy_at, expected_calibration_error
from pipeline.schema import STANCES

MIN_CASES = 3
"""Stances with fewer true cases do not enter a macro-F1: one case would decide a quarter of the figure."""
COVERAGE = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetMetrics:
    """Quality on one target; `f1` and `support` are per stance, `confusion` is true stance by predicted."""

    macro_f1: float | None
    accuracy: float | None
    f1: Mapping[str, float]
    support: Mapping[str, int]
    confusion: Mapping[str, Mapping[str, int]]
    ece: float | None = None
    accuracy_at_80_coverage: float | None = None


def confusion_matrix(gold: Sequence[str], predicted: Sequence[str]) -> npt.NDArray[np.int64]:
    """Count pairs, shape (4, 4): true stance by predicted stance, in the order of `STANCES`."""
    matrix = np.zeros((len(STANCES), len(STANCES)), dtype=np.int64)
    for true, guess in zip(gold, predicted, strict=True):
        matrix[STANCES.index(true), STANCES.index(guess)] += 1
    return matrix


def f1_scores(matrix: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the F1 of each stance, 2 TP / (true + predicted), from a confusion matrix; 0 where undefined."""
    totals = matrix.sum(0) + matrix.sum(1)
    f1: npt.NDArray[np.float64] = np.divide(
        2.0 * np.diag(matrix), totals, out=np.zeros(len(matrix)), where=totals > 0
    )
    return f1


def macro_f1(matrix: npt.NDArray[np.int64], *, min_cases: int = MIN_CASES) -> float | None:
    """Return the mean F1 over stances with at least `min_cases` true cases; None when there are none."""
    counted = matrix.sum(1) >= min_cases
    return float(f1_scores(matrix)[counted].mean()) if counted.any() else None


def evaluate_target(
    gold: Sequence[str], predicted: Sequence[str], confidence: npt.NDArray[np.float64] | None = None
) -> TargetMetrics:
    """Compare predictions with labels on one target.

    Parameters
    ----------
    gold, predicted : sequences of str, length n
        Stances; unlabelled pairs left out beforehand.
    confidence : ndarray, shape (n,), optional
        Probability given to each prediction; without it calibration is not measured.
    """
    matrix = confusion_matrix(gold, predicted)
    by_stance = f1_scores(matrix)
    support = matrix.sum(1)
    return TargetMetrics(
        macro_f1=macro_f1(matrix),
        accuracy=float(np.trace(matrix) / matrix.sum()) if matrix.sum() else None,
        f1={s: round(float(v), 4) for s, v, n in zip(STANCES, by_stance, support, strict=True) if n},
        support={s: int(n) for s, n in zip(STANCES, support, strict=True)},
        confusion={
            true: {guess: int(matrix[i, j]) for j, guess in enumerate(STANCES)} for i, true in enumerate(STANCES)
        },
        **_calibration(np.array(gold), np.array(predicted), confidence),
    )


def _calibration(
    gold: npt.NDArray[np.str_], predicted: npt.NDArray[np.str_], confidence: npt.NDArray[np.float64] | None
) -> dict[str, float]:
    if confidence is None or not len(gold):
        return {}
    correct = gold == predicted
    return {
        "ece": expected_calibration_error(confidence, correct),
        "accuracy_at_80_coverage": accuracy_at(confidence, correct, COVERAGE),
    }


def evaluate(
    targets: Sequence[str],
    gold: npt.NDArray[Any],
    predicted: npt.NDArray[Any],
    confidence: npt.NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """Compare predictions with labels on all targets.

    Parameters
    ----------
    targets : sequence of str
        Names of the columns.
    gold, predicted : ndarrays of str, shape (n, n_targets)
        Stances; an empty string in `gold` leaves the pair out.
    confidence : ndarray, shape (n, n_targets), optional

    Returns
    -------
    dict
        `mean_macro_f1`, `mean_ece`, `pairs`, and `targets` with a `TargetMetrics` as a dict for each.
    """
    results = {}
    for k, target in enumerate(targets):
        known = np.flatnonzero(gold[:, k] != "")
        sure = None if confidence is None else confidence[known, k]
        results[target] = evaluate_target(list(gold[known, k]), list(predicted[known, k]), sure)
    return {
        "mean_macro_f1": _mean([r.macro_f1 for r in results.values()]),
        "mean_ece": _mean([r.ece for r in results.values()]),
        "pairs": int((gold != "").sum()),
        "targets": {target: asdict(result) for target, result in results.items()},
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
