"""What the card says beside macro-F1: quality by language, accuracy at a coverage, and what abstention costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.classify.calibration import accuracy_at, calibration_noise, expected_calibration_error
from pipeline.classify.evaluate import evaluate
from pipeline.schema import STANCES

COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5)
Probabilities = npt.NDArray[np.float64]


def by_language(
    targets: Sequence[str],
    y: npt.NDArray[Any],
    out_of_fold: Probabilities,
    parts: Mapping[str, npt.NDArray[np.int64]],
) -> list[dict[str, Any]]:
    """Measure each part of the texts by itself.

    Parameters
    ----------
    targets : sequence of str
    y : ndarray of str, shape (n, n_targets)
        Stances; an empty string leaves the pair out.
    out_of_fold : ndarray, shape (n, n_targets, 4)
    parts : mapping of str to ndarray of int
        Name and rows of each part; empty ones are left out.

    Returns
    -------
    list of dict
        `part`, `texts`, `mean_macro_f1`, `macro_f1` per target, `ece` over all pairs together, and `ece_noise`,
        which as many perfectly honest answers would show.
    """
    measured = []
    for part, rows in parts.items():
        if not len(rows):
            continue
        predicted, confidence = np.array(STANCES)[out_of_fold[rows].argmax(2)], out_of_fold[rows].max(2)
        found = evaluate(targets, y[rows], predicted)
        known = y[rows] != ""
        measured.append(
            {
                "part": part,
                "texts": len(rows),
                "mean_macro_f1": found["mean_macro_f1"],
                "macro_f1": {target: result["macro_f1"] for target, result in found["targets"].items()},
                "ece": expected_calibration_error(confidence[known], (predicted == y[rows])[known]),
                "ece_noise": calibration_noise(confidence[known]),
            }
        )
    return measured


def by_coverage(
    targets: Sequence[str], y: npt.NDArray[Any], out_of_fold: Probabilities
) -> dict[str, dict[str, list[float]]]:
    """Return, per target, the accuracy when only the surest share of the tags is answered.

    `all` counts every labelled text; `spoken` those with a stance other than `none`, by label or by tag: most texts
    are silent on a target, and easy.
    """
    predicted, confidence = np.array(STANCES)[out_of_fold.argmax(2)], out_of_fold.max(2)
    curves = {}
    for k, target in enumerate(targets):
        known = y[:, k] != ""
        spoken = known & ((y[:, k] != "none") | (predicted[:, k] != "none"))
        curves[target] = {
            name: [
                accuracy_at(confidence[rows, k], (predicted[:, k] == y[:, k])[rows], coverage)
                for coverage in COVERAGES
            ]
            for name, rows in (("all", known), ("spoken", spoken))
            if rows.any()
        }
    return curves


def cost_of_abstention(
    targets: Sequence[str], y: npt.NDArray[Any], out_of_fold: Probabilities, thresholds: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """Return, per target, what is lost to abstention.

    `abstained` is the share of labelled texts, `of_spoken` the same among those that address the target, and
    `right` the share of the tags withheld that were right.
    """
    costs = {}
    for k, target in enumerate(targets):
        known = np.flatnonzero(y[:, k] != "")
        right = np.array(STANCES)[out_of_fold[known, k].argmax(1)] == y[known, k]
        withheld = out_of_fold[known, k].max(1) < thresholds[target]
        spoken = y[known, k] != "none"
        costs[target] = {
            "abstained": _share(withheld),
            "of_spoken": _share(withheld[spoken]),
            "right": _share(right[withheld]),
        }
    return costs


def _share(flags: npt.NDArray[np.bool_]) -> float:
    return float(flags.mean()) if len(flags) else 0.0
