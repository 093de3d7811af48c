"""Labels that are probably wrong, ranked: confident learning on out-of-fold probabilities.

Source: Northcutt, Jiang and Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels, Journal of
Artificial Intelligence Research 70 (2021): a label is suspected when the model is as sure of another class as it
is, on average, of the statements labelled so.
"""

from __future__ import annotations

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


def confident_classes(labels: Ints, probabilities: Floats) -> Ints:
    """Return the class that the model is confident of for each label, -1 where there is none.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        Index into the K classes.
    probabilities : ndarray, shape (n, K)
        Out of sample: no label may have taught the model that judges it.

    Returns
    -------
    ndarray of int, shape (n,)
        The likeliest of the classes whose probability reaches that class's mean among the labels that name it.
    """
    named = [labels == k for k in range(probabilities.shape[1])]
    thresholds = np.array([probabilities[m, k].mean() if m.any() else np.inf for k, m in enumerate(named)])
    above = np.where(probabilities >= thresholds, probabilities, -np.inf)
    confident: Ints = np.where(np.isfinite(above).any(1), above.argmax(1), -1)
    return confident


def suspected_errors(
    tags: pd.DataFrame, codings: pd.DataFrame, targets: Sequence[str], *, coder: str
) -> pd.DataFrame:
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
    """
    own = codings[codings["coder"] == coder]
    joined = own.merge(tags[["statement_id", "target", *PROBABILITY_COLUMNS]], on=["statement_id", "target"])
    parts = [_suspects(joined[joined["target"] == target]) for target in targets]
    found = pd.concat(parts)
    # Smallest probability first, ties by id: the order is the same on every machine.
    ranked = found.sort_values(["p_label", "statement_id", "target"]).reset_index(drop=True)
    ranked["rank"] = np.arange(1, len(ranked) + 1)
    return ranked[list(SUSPECT_COLUMNS)]


def _suspects(rows: pd.DataFrame) -> pd.DataFrame:
    labels = pd.Index(STANCES).get_indexer(pd.Index(rows["stance"])).astype(np.int64)
    probabilities = rows[list(PROBABILITY_COLUMNS)].to_numpy(dtype=float)
    confident = confident_classes(labels, probabilities)
    suspected = (confident >= 0) & (confident != labels)
    place = np.arange(len(rows))
    marked = rows.assign(
        label=rows["stance"],
        suggested=np.array(STANCES)[confident],
        p_label=probabilities[place, labels].round(6),
        p_suggested=probabilities[place, confident].round(6),
    )
    found: pd.DataFrame = marked.loc[suspected]
    return found
