"""Which speaker carries a result: every figure again without each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.aggregate.analysis import analyse
from pipeline.aggregate.contrasts import orientation, psi, ratio
from pipeline.aggregate.inputs import NONE, check_events, month_of, observe
from pipeline.aggregate.permutation import pool
from pipeline.aggregate.records import TrendOptions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.aggregate.analysis import Analysis
    from pipeline.aggregate.inputs import Observations

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

INFLUENCE_COLUMNS = (
    "speaker", "country", "measure", "event_id", "target", "n_statements", "n_addressed", "estimate", "without",
    "influence",
)  # fmt: skip
"""Columns of the table of influences."""


def speaker_influence(
    tags: pd.DataFrame, labels: pd.DataFrame, events: pd.DataFrame, options: TrendOptions = TrendOptions()  # noqa: B008
) -> pd.DataFrame:  # fmt: skip
    """Estimate convergence, and its change at events, without each speaker in turn.

    Design-based estimates with the class means of the whole sample: leaving a speaker out subtracts his or her
    totals, so that the cost does not grow with the number of speakers.

    Parameters
    ----------
    tags, labels, events : DataFrame
        As for `estimate_trends`, with a column `speaker`; rows without one are nobody's and stay in.
    options : TrendOptions
        Pair, range, targets and window.

    Returns
    -------
    DataFrame
        `INFLUENCE_COLUMNS`, the largest influences first: `estimate` with everybody, `without` the speaker,
        `influence` their difference. `measure` is `convergence` over the whole range or
        `change_of_convergence` at `event_id`; target ALL pools. Blank where nothing would be left.
    """
    checked = check_events(events, options)
    return influence_table(analyse(observe(tags, labels, options), checked, options), checked)


def influence_table(analysis: Analysis, events: pd.DataFrame) -> pd.DataFrame:
    """Lay out the influences of an analysis, as `speaker_influence` describes; events are checked ones."""
    seen = analysis.seen
    totals = _speaker_totals(analysis)
    every = totals.sum(axis=0)
    orient = orientation(every[..., 0], every[..., 1]) * analysis.pooled
    blocks = [_block(analysis, totals, "convergence", "", [np.ones(seen.n_months, bool)], orient)]
    for name, day in zip(events["event_id"], events["date"], strict=True):
        windows = _windows(seen, month_of(day), analysis.options.window)
        blocks.append(_block(analysis, totals, "change_of_convergence", str(name), windows, orient))
    table = pd.concat(blocks, ignore_index=True)
    size = table["influence"].abs().fillna(-1.0)
    order = pd.DataFrame({"size": -size, **table[["measure", "event_id", "target", "speaker"]]})
    return table.loc[order.sort_values(list(order.columns), kind="stable").index].reset_index(drop=True)


def _windows(seen: Observations, month: int, width: int) -> list[Bools]:
    time = np.arange(seen.n_months) + seen.first_month - month
    return [(time >= -width) & (time < 0), (time >= 0) & (time < width)]


def _speaker_totals(analysis: Analysis) -> Floats:
    """Sum psi of score and being addressed, and the two counts, by speaker: shape (N, 2, K, T, 4)."""
    seen = analysis.seen
    best = np.where(seen.gold >= 0, seen.gold, seen.predicted)
    columns = np.column_stack([psi(seen, analysis.center), np.ones(best.size), best != NONE]) * seen.count[:, None]
    position = np.searchsorted(sorted(analysis.pair), seen.country)
    side = np.where(np.isin(seen.country, analysis.pair), position, 2)
    shape = (len(seen.speakers), 3, *seen.shape[1:])
    cell = np.ravel_multi_index((seen.speaker, side, seen.target, seen.month), shape) if best.size else side
    size = int(np.prod(shape))
    sums = [np.bincount(cell, column, minlength=size).astype(float).reshape(shape) for column in columns.T]
    answer: Floats = np.stack(sums, axis=-1)[:, :2]
    return answer


def _block(
    analysis: Analysis, totals: Floats, measure: str, event_id: str, windows: list[Bools], orient: Floats
) -> pd.DataFrame:
    """Lay out one result: a row per speaker who is heard in its windows, and target."""
    inside = np.logical_or.reduce(windows)
    counts = totals[..., inside, 2:].sum(axis=-2)
    speakers, sides, targets = np.nonzero(counts[..., 0])
    heard = pd.DataFrame({"n": speakers, "c": sides, "k": targets})
    heard = heard.assign(
        n_statements=counts[speakers, sides, targets, 0], n_addressed=counts[speakers, sides, targets, 1]
    )
    everyone = heard.groupby(["n", "c"], as_index=False)[["n_statements", "n_addressed"]].sum()
    heard = pd.concat([heard, everyone.assign(k=len(analysis.seen.targets))])
    heard = heard[heard["n"] > 0]
    whole = _result(totals.sum(axis=0), windows, orient)
    left = np.stack([_result(totals.sum(axis=0) - own, windows, orient) for own in totals])
    estimate, without = whole[heard["k"]], left[heard["n"], heard["k"]]
    names = np.array([*analysis.seen.targets, "ALL"], dtype=object)
    return pd.DataFrame({
        "speaker": np.array(analysis.seen.speakers, dtype=object)[heard["n"]],
        "country": np.array([analysis.seen.countries[c] for c in sorted(analysis.pair)], dtype=object)[heard["c"]],
        "measure": measure, "event_id": event_id, "target": names[heard["k"]],
        "n_statements": heard["n_statements"].to_numpy().astype(np.int64),
        "n_addressed": heard["n_addressed"].to_numpy().astype(np.int64),
        "estimate": estimate, "without": without, "influence": estimate - without,
    })[list(INFLUENCE_COLUMNS)]  # fmt: skip


def _result(totals: Floats, windows: list[Bools], orient: Floats) -> Floats:
    """Return convergence in a window, or its change between two, shape (K + 1,)."""
    sizes = []
    for window in windows:
        sums = totals[..., window, :2].sum(axis=-2)
        place = ratio(sums[..., 0], sums[..., 1])
        gap = place[0] - place[1]
        sizes.append(np.abs(np.append(gap, pool(gap[:, None], orient))))
    answer: Floats = 1 - sizes[0] / 2 if len(sizes) == 1 else (sizes[0] - sizes[1]) / 2
    return answer
