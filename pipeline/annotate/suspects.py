"""Labels that are probably wrong, ranked: confident learning on out-of-fold probabilities.

Source: Northcutt, Jiang and Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels, Journal of
Artificial Intelligence Research 70 (2021): a label is suspected when the model is as sure of another class as it
is, on average, of the statements labelled so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.schema import PROBABILITY_COLUMNS, STANCES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SUSPECT_COLUMNS = (
    "rank", "statement_id", "target", "coder", "label", "suggested", "p_label", "p_suggested", "date", "country",
    "speaker", "text",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseEstimate:
    """How many labels of a target are estimated to be wrong, of how many, and how many are suspected one by one."""

    target: str
    labels: int
    suspected: int
    estimated_errors: float


def confident_joint(labels: Ints, probabilities: Floats) -> tuple[Ints, Ints]:
    """Count labels by the class that the model is confident of.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        Index into the K classes.
    probabilities : ndarray, shape (n, K)
        Out of sample: no label may have taught the model that judges it.

    Returns
    -------
    joint : ndarray of int, shape (K, K)
        Labels by given (rows) and confident class.
    confident : ndarray of int, shape (n,)
        The confident class of each label, -1 where there is none.
    """
    n_classes = probabilities.shape[1]
    thresholds = np.array([
        probabilities[labels == k, k].mean() if (labels == k).any() else np.inf for k in range(n_classes)
    ])  # fmt: skip
    above = np.where(probabilities >= thresholds, probabilities, -np.inf)
    confident = np.where(np.isfinite(above).any(1), above.argmax(1), -1)
    joint = np.zeros((n_classes, n_classes), np.int64)
    known = confident >= 0
    np.add.at(joint, (labels[known], confident[known]), 1)
    return joint, confident


def estimated_errors(joint: Ints, labels: Ints) -> float:
    """Return how many labels are estimated to be wrong: the joint, scaled by row to the labels' own counts."""
    counts = np.bincount(labels, minlength=len(joint))
    seen = joint.sum(1)
    wrong = seen - np.diag(joint)
    return float((counts * wrong / np.maximum(seen, 1)).sum())


def suspected_errors(
    tags: pd.DataFrame, codings: pd.DataFrame, targets: Sequence[str], *, coder: str
) -> tuple[pd.DataFrame, list[NoiseEstimate]]:
    """Rank one coder's labels by how probably they are wrong.

    Parameters
    ----------
    tags : DataFrame
        `statement_id,target,p_favor ... p_none` of one model; those of training statements are out of fold.
    codings : DataFrame
        As `Store.codings_frame` gives them.
    targets : sequence of str
    coder : str
        Whose labels; `adjudicated` for the settled ones.

    Returns
    -------
    DataFrame
        `SUSPECT_COLUMNS`, the label with the lowest probability first.
    list of NoiseEstimate
        One a target.
    """
    own = codings[codings["coder"] == coder]
    joined = own.merge(tags[["statement_id", "target", *PROBABILITY_COLUMNS]], on=["statement_id", "target"])
    parts = [_suspects(joined[joined["target"] == target], target) for target in targets]
    found = pd.concat([part for part, _ in parts]) if parts else joined.iloc[:0]
    # Smallest probability first, ties by id: the order is the same on every machine.
    ranked = found.sort_values(["p_label", "statement_id", "target"]).reset_index(drop=True)
    ranked["rank"] = np.arange(1, len(ranked) + 1)
    return ranked[list(SUSPECT_COLUMNS)], [estimate for _, estimate in parts]


def _suspects(rows: pd.DataFrame, target: str) -> tuple[pd.DataFrame, NoiseEstimate]:
    labels = pd.Index(STANCES).get_indexer(pd.Index(rows["stance"])).astype(np.int64)
    probabilities = rows[list(PROBABILITY_COLUMNS)].to_numpy(dtype=float)
    joint, confident = confident_joint(labels, probabilities)
    suspected = (confident >= 0) & (confident != labels)
    place = np.arange(len(rows))
    marked = rows.assign(
        label=rows["stance"],
        suggested=np.array(STANCES)[confident],
        p_label=probabilities[place, labels].round(6),
        p_suggested=probabilities[place, confident].round(6),
    )
    estimate = NoiseEstimate(
        target=target, labels=len(rows), suspected=int(suspected.sum()),
        estimated_errors=estimated_errors(joint, labels),
    )  # fmt: skip
    return marked[suspected], estimate
