"""What further labels would be worth: how much they would narrow the gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.aggregate.analysis import analyse
from pipeline.aggregate.cells import ADDRESSED, SCORES
from pipeline.aggregate.contrasts import hac_variance, window_gap
from pipeline.aggregate.inputs import check_events, observe
from pipeline.aggregate.records import TrendOptions
from pipeline.schema import EVENT_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.aggregate.analysis import Analysis

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

VALUE_COLUMNS = ("target", "unit", "n_labelled", "more", "gap", "std_error", "std_error_then", "narrower_by")
"""Columns of the table of the value of labels."""
FURTHER_LABELS = 100
"""Further labelled statements that are valued unless another number is asked for."""


def value_of_labels(
    tags: pd.DataFrame, labels: pd.DataFrame, options: TrendOptions = TrendOptions(), *,  # noqa: B008
    more: int = FURTHER_LABELS,
) -> pd.DataFrame:  # fmt: skip
    """Say how much `more` labelled statements would narrow the interval of each target's overall gap.

    The variance of a gap has a part that the labels bring (their design variance, sum of
    (1 - pi) / pi**2 r**2 over labelled statements with residual r: Sarndal, Swensson and Wretman 1992, sec. 2.8;
    and that of the class means) and a part that only more statements could lower. More labels, drawn in the
    proportions of those there are, raise every inclusion probability by the same factor. Where the labels' 1 / pi
    add up to less than the statements there are (a part coded in full beside a part that never could be), the
    share labelled takes the place of pi.

    Parameters
    ----------
    tags, labels : DataFrame
        As for `estimate_trends`.
    options : TrendOptions
        Pair, range and targets.
    more : int
        Further labelled statements of the pair.

    Returns
    -------
    DataFrame
        `VALUE_COLUMNS`, a row per target; `narrower_by` is a share of the interval's width. Blank without labels
        to judge by.
    """
    events = check_events(pd.DataFrame(columns=list(EVENT_COLUMNS), dtype=object), options)
    return value_table(analyse(observe(tags, labels, options), events, options), more=more)


def value_table(analysis: Analysis, *, more: int = FURTHER_LABELS) -> pd.DataFrame:
    """Lay out what `more` labels would be worth to an analysis, as `value_of_labels` describes."""
    seen = analysis.seen
    pair = list(analysis.pair)
    months = np.ones(seen.n_months, bool)
    gap, influence = window_gap(analysis.scores[0][pair], analysis.addressed[0][pair], months)
    drawn = window_gap(analysis.scores[1:, pair], analysis.addressed[1:, pair], months)[0]
    spread = drawn.var(axis=0) if len(drawn) else np.full(gap.shape, np.nan)
    n = analysis.cells.labelled[pair].sum(axis=(0, 2))
    factor = 1 + more / np.maximum(n, 1)
    now, then = (_design_variance(analysis, gap.size, f) for f in (np.ones(gap.size), factor))
    total = np.maximum(hac_variance(influence), now) + spread
    later = np.maximum(total - now - spread, 0) + then + spread / factor
    error, smaller = np.sqrt(total), np.sqrt(later)
    table = pd.DataFrame({
        "target": seen.targets, "unit": "score difference [-2,2]", "n_labelled": n.astype(np.int64), "more": more,
        "gap": gap, "std_error": error, "std_error_then": smaller,
        "narrower_by": 1 - smaller / np.where(error > 0, error, np.nan),
    })  # fmt: skip
    return table.sort_values("target", ignore_index=True)[list(VALUE_COLUMNS)]


def _design_variance(analysis: Analysis, n_targets: int, factor: Floats) -> Floats:
    """Return the labels' share of each gap's variance at inclusion probabilities times `factor`, shape (K,)."""
    seen = analysis.seen
    picked = (seen.gold >= 0) & np.isin(seen.country, analysis.pair)
    c, k, j, y = (column[picked] for column in (seen.country, seen.target, seen.predicted, seen.gold))
    bottom = analysis.addressed[0].sum(axis=-1)
    place = analysis.scores[0].sum(axis=-1) / np.where(bottom > 0, bottom, np.inf)
    surprise = SCORES[y] - analysis.correction.score[0, c, k, j]
    present = ADDRESSED[y] - analysis.correction.addressed[0, c, k, j]
    residual = (surprise - place[c, k] * present) / np.where(bottom > 0, bottom, np.inf)[c, k]
    share = _shares(analysis, picked) / seen.weight[picked]
    raised = np.minimum(share * factor[k], 1)
    each = residual**2 / share * (1 - raised) / raised
    answer: Floats = np.bincount(k, each, minlength=n_targets).astype(float)
    return answer


def _shares(analysis: Analysis, picked: Bools) -> Floats:
    """Return, for each labelled observation, the share of its actor's statements on its target that 1/pi covers."""
    seen = analysis.seen
    size = seen.shape[0] * seen.shape[1]
    cell = seen.country * seen.shape[1] + seen.target
    covered, there = np.bincount(cell, seen.weight, minlength=size), np.bincount(cell, seen.count, minlength=size)
    answer: Floats = np.minimum(covered / np.maximum(there, 1), 1.0)[cell[picked]]
    return answer
