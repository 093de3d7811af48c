"""Compare a new model with the current one: whether it is better beyond chance, and what it says differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.classify.evaluate import MIN_CASES, f1_scores
from pipeline.corpus import text_key
from pipeline.schema import STANCES

DRAWS = 1000
LEVEL = 0.95
Codes = npt.NDArray[np.int64]


def compare(
    targets: Sequence[str],
    texts: Sequence[str],
    y: npt.NDArray[Any],
    groups: npt.NDArray[np.int64],
    new: npt.NDArray[np.float64],
    old: Mapping[str, npt.NDArray[np.float32]],
    *,
    old_id: str,
    old_targets: Sequence[str],
    random_state: int = 0,
) -> dict[str, Any] | None:
    """Compare out-of-fold tags of two models on the statements and targets that both were measured on.

    Parameters
    ----------
    targets : sequence of str
        Of the new model.
    texts : sequence of str, length n
    y : ndarray of str, shape (n, n_targets)
        Labels; an empty string leaves the pair out.
    groups : ndarray of int, shape (n,)
        Events: their statements are drawn together, since they err together.
    new : ndarray, shape (n, n_targets, 4)
        Out-of-fold probabilities.
    old : mapping of str to ndarray of shape (n_old_targets, 4)
        The same of the current model, by the key of the text.
    old_id, old_targets
        Of the current model.
    random_state : int
        Seed of the draws.

    Returns
    -------
    dict or None
        `with`, `statements`, `difference` of mean macro-F1 with `conf_low` and `conf_high` by paired bootstrap over
        events, and per target the `macro_f1` of both, the `changed` share of tags and the `drift`: half the summed
        change of the shares of the four stances. None when they have no text or target in common.

    References
    ----------
    Berg-Kirkpatrick, Burkett and Klein (2012), "An empirical investigation of statistical significance in NLP".
    """
    shared = [target for target in targets if target in old_targets]
    rows = [row for row, text in enumerate(texts) if text_key(text) in old]
    if not shared or not rows:
        return None
    columns, before = [targets.index(t) for t in shared], [list(old_targets).index(t) for t in shared]
    old_codes = np.array([old[text_key(texts[row])][before].argmax(1) for row in rows])
    new_codes = new[rows][:, columns].argmax(2)
    gold = np.array([[STANCES.index(s) if s else -1 for s in line] for line in y[rows][:, columns]])
    low, high = np.quantile(
        _differences(gold, old_codes, new_codes, groups[rows], random_state), [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    )
    ones = np.ones(len(rows))
    by_target = {
        target: {
            "old_macro_f1": _macro_f1(gold[:, k], old_codes[:, k], ones),
            "new_macro_f1": _macro_f1(gold[:, k], new_codes[:, k], ones),
            "changed": float((old_codes[:, k] != new_codes[:, k]).mean()),
            "drift": _drift(old_codes[:, k], new_codes[:, k]),
        }
        for k, target in enumerate(shared)
    }
    return {
        "with": old_id,
        "statements": len(rows),
        "difference": _mean_f1(gold, new_codes, ones) - _mean_f1(gold, old_codes, ones),
        "conf_low": float(low),
        "conf_high": float(high),
        "targets": by_target,
    }


def _differences(gold: Codes, old: Codes, new: Codes, groups: Codes, random_state: int) -> list[float]:
    """Return the difference of mean macro-F1 in samples of as many events, drawn with replacement."""
    random = np.random.default_rng(random_state)
    _, event = np.unique(groups, return_inverse=True)
    n_events = int(event.max()) + 1
    differences = []
    for _ in range(DRAWS):
        weights = np.bincount(random.integers(n_events, size=n_events), minlength=n_events)[event].astype(float)
        differences.append(_mean_f1(gold, new, weights) - _mean_f1(gold, old, weights))
    return differences


def _mean_f1(gold: Codes, predicted: Codes, weights: npt.NDArray[np.float64]) -> float:
    figures = [_macro_f1(gold[:, k], predicted[:, k], weights) for k in range(gold.shape[1])]
    known = [figure for figure in figures if figure is not None]
    return float(np.mean(known)) if known else 0.0


def _macro_f1(gold: Codes, predicted: Codes, weights: npt.NDArray[np.float64]) -> float | None:
    """Return the mean F1 over stances with enough true cases in the whole, whatever the draw holds of them."""
    known = gold >= 0
    size = len(STANCES)
    matrix = np.bincount(
        gold[known] * size + predicted[known], weights=weights[known], minlength=size * size
    ).reshape(size, size)
    counted = np.bincount(gold[known], minlength=size) >= MIN_CASES
    return float(f1_scores(matrix)[counted].mean()) if counted.any() else None


def _drift(old: Codes, new: Codes) -> float:
    shares = [np.bincount(codes, minlength=len(STANCES)) / len(codes) for codes in (old, new)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)
