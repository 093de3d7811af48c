"""Everything counted once: per document and cell, then per actor, target and month.

A cell is one actor on one target in one month. All estimates are sums over cells, so their cost does not grow
with the number of draws or permutations times the number of statements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.aggregate.inputs import NONE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.aggregate.inputs import Observations

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

SCORES: Floats = np.array([1.0, 0.0, -1.0, 0.0])
"""Score by stance; `none` has none and leaves the mean through its denominator."""
ADDRESSED: Floats = np.array([1.0, 1.0, 1.0, 0.0])
"""Whether a stance addresses the target."""
CLUSTER_CORRELATION = 0.5
"""Correlation of the scores of one document's statements (method: about .5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Counts by actor (C), target (K) and month (T).

    Attributes
    ----------
    predicted : ndarray, shape (C, K, T, 4)
        Statements by predicted stance.
    weighted : ndarray, shape (C, K, T, 4, 4)
        Labelled statements by predicted and true stance, each counted 1 / sampling_prob.
    unread, coded : ndarray, shape (C, K, T, 4)
        Unlabelled statements by prediction and labelled ones by label, each weighted down for the others
        of its document that address the target: 1 / (1 + (m - 1) * rho).
    addressed, labelled : ndarray, shape (C, K, T)
        Statements that address the target (by label, else by prediction), and labelled ones.
    documents, voiced : ndarray, shape (C, K, T)
        Documents, and those of which a statement addresses the target.
    effective : ndarray, shape (C, K, T)
        Addressed statements net of repetition within a document.
    """

    predicted: Floats
    weighted: Floats
    unread: Floats
    coded: Floats
    addressed: Floats
    labelled: Floats
    documents: Floats
    voiced: Floats
    effective: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """The (document, actor, target, month) groups of an analysis.

    `of` gives each observation's group, `cell` each group's flat cell index.
    """

    of: Ints
    cell: Ints


def find_clusters(seen: Observations) -> Clusters:
    """Group observations by document within their cell."""
    key = seen.document * max(1, int(np.prod(seen.shape))) + cell_index(seen)
    unique, of = np.unique(key, return_inverse=True)
    return Clusters(of=of.astype(np.int64), cell=unique % max(1, int(np.prod(seen.shape))))


def cell_index(seen: Observations) -> Ints:
    """Return each observation's flat index into (C, K, T)."""
    _, n_targets, n_months = seen.shape
    return (seen.country * n_targets + seen.target) * n_months + seen.month


def count_cells(seen: Observations, clusters: Clusters) -> Cells:
    """Count the observations of every cell.

    Parameters
    ----------
    seen : Observations
        R coded observations.
    clusters : Clusters
        Their documents within cells.
    """
    cell, labelled = cell_index(seen), seen.gold >= 0
    best = np.where(labelled, seen.gold, seen.predicted)
    hit = (best != NONE).astype(float)
    hits = np.bincount(clusters.of, hit * seen.count, minlength=clusters.cell.size)
    share = 1 / (1 + (np.maximum(hits, 1) - 1) * CLUSTER_CORRELATION)[clusters.of]
    joint = seen.predicted * 4 + np.where(labelled, seen.gold, 0)
    return Cells(
        predicted=_tally(seen, cell, 4, seen.predicted, seen.count),
        weighted=_tally(seen, cell, 16, joint, seen.weight).reshape(*seen.shape, 4, 4),
        unread=_tally(seen, cell, 4, seen.predicted, share * ~labelled * seen.count),
        coded=_tally(seen, cell, 4, best, share * labelled),
        addressed=_sum(seen, cell, hit * seen.count),
        labelled=_sum(seen, cell, labelled.astype(float)),
        documents=_sum(seen, clusters.cell, np.ones(clusters.cell.size)),
        voiced=_sum(seen, clusters.cell, hits > 0),
        effective=_sum(seen, cell, share * hit * seen.count),
    )


def cluster_moments(seen: Observations, clusters: Clusters, columns: Floats) -> Floats:
    """Sum products of document totals by cell, for cluster-robust variances.

    Parameters
    ----------
    seen : Observations
        R coded observations.
    clusters : Clusters
        Their documents within cells.
    columns : ndarray, shape (R, F)
        Per-observation values.

    Returns
    -------
    ndarray, shape (C, K, T, F, F)
        Sum over a cell's documents of x x', with x the document's column totals. The variance of a ratio of
        totals a'x / b'x is then a quadratic form (Cochran, Sampling Techniques, sec. 9A).
    """
    size = clusters.cell.size
    totals = np.stack(
        [np.bincount(clusters.of, column, minlength=size) for column in (columns * seen.count[:, None]).T], axis=-1
    )
    n_cols = columns.shape[1]
    products = np.empty((*seen.shape, n_cols, n_cols))
    for a in range(n_cols):
        for b in range(a, n_cols):
            products[..., a, b] = _sum(seen, clusters.cell, totals[:, a] * totals[:, b])
            products[..., b, a] = products[..., a, b]
    return products


def _sum(seen: Observations, cell: Ints, values: NDArray[Any]) -> Floats:
    return _tally(seen, cell, 1, np.zeros_like(cell), values)[..., 0]


def _tally(seen: Observations, cell: Ints, width: int, column: Ints, values: NDArray[Any]) -> Floats:
    size = int(np.prod(seen.shape)) * width
    counts: Floats = np.bincount(cell * width + column, values, minlength=size).astype(float)
    return counts.reshape(*seen.shape, width)
