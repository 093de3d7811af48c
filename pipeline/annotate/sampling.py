"""Which statements to label next: those whose labels narrow the intervals most, with known chances.

A label corrects the estimate of a gap by the residual of its statement over its inclusion probability, so that the
design variance of the gap is the sum of r**2 (1 - pi) / pi. For a given number of labels it is smallest when pi is
proportional to the expected |r| (Neyman 1934, JRSS 97, carried from strata to units: Sarndal, Swensson and Wretman
1992, sec. 12.2), which the labels there are tell by predicted stance. Statements are stratified by actor and by
whether the model finds any target addressed; in a stratum, a systematic sample with these probabilities goes
through the statements in the order of time (Madow 1949, Annals of Mathematical Statistics 20), which spreads it
over months and documents.

Rounds accumulate: a statement that had the chances p1, p2, ... has been drawn by now with probability
1 - (1 - p1) (1 - p2) ..., whichever round drew it. Later rounds' chances depend a little on earlier rounds' labels;
for one statement among many this is negligible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.aggregate.cells import ADDRESSED, SCORES
from pipeline.aggregate.inputs import NONE, observe
from pipeline.aggregate.labelled import correct, truth_shares, weighted_table
from pipeline.aggregate.records import TrendOptions
from pipeline.errors import UsageError
from pipeline.schema import STANCES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

FRAME_COLUMNS = ("statement_id", "stratum", "prob", "drawn", "sampling_prob")
"""Columns of a round: one row per statement that could be drawn."""
LEAST_WORTH = 0.3
"""Worth of a statement at least, as a share of its stratum's mean: no label may weigh too much."""
LEAST_DRAWN = 2
"""Statements drawn from a stratum at least, where there are as many."""
_NEEDED = ("statement_id", "target", "country", "date", "stance")


def draw_round(
    tags: pd.DataFrame, labels: pd.DataFrame, history: pd.DataFrame, *, n: int,
    options: TrendOptions = TrendOptions(), random_state: int = 0,  # noqa: B008
) -> pd.DataFrame:  # fmt: skip
    """Draw statements to label.

    Parameters
    ----------
    tags : DataFrame
        One model's tags, as for `estimate_trends`.
    labels : DataFrame
        `statement_id,target,stance,sampling_prob`, the labels there are; may be empty.
    history : DataFrame
        `statement_id,prob,drawn`, one row per statement and earlier round in which it could be drawn.
    n : int
        Statements to draw.
    options : TrendOptions
        Pair, range and targets whose gaps are to be narrowed.
    random_state : int
        Seed; together with the number of statements drawn before it fixes the sample.

    Returns
    -------
    DataFrame
        `FRAME_COLUMNS`, in order of stratum, date and id: `prob` in this round, `sampling_prob` by now. Statements
        drawn before are there, since their chances grow too; they are not drawn again. Statements labelled without
        having been drawn were chosen with certainty and are no part of it.

    Raises
    ------
    UsageError
        When `n` is below 1 or nothing is left to draw.
    """
    if n < 1:
        raise UsageError(f"n {n}: give at least 1 statement to draw.")
    if not len(_rows_of_pair(tags, options)):
        raise UsageError("no statement of the pair is left to draw: none in this range is classified and dated.")
    before = set(history.loc[history["drawn"].astype(bool), "statement_id"])
    frame = _worths(tags, labels, options)
    certain = frame["statement_id"].isin(set(labels["statement_id"]) - before)
    frame = frame[~certain].sort_values(["stratum", "date", "statement_id"], ignore_index=True)
    free = ~frame["statement_id"].isin(before).to_numpy(dtype=bool)
    if not free.any():
        raise UsageError("no statement of the pair is left to draw: all are labelled or drawn already.")
    prob, drawn = _draw(frame, free, n, np.random.default_rng([random_state, len(before)]))
    kept = frame.assign(prob=prob, drawn=drawn)[prob > 0]
    missed = (1 - history["prob"]).groupby(history["statement_id"]).prod()
    past = kept["statement_id"].map(missed).fillna(1.0).to_numpy(dtype=float)
    answer: pd.DataFrame = kept.assign(sampling_prob=1 - past * (1 - kept["prob"]))[list(FRAME_COLUMNS)]
    return answer.reset_index(drop=True)


def _draw(frame: pd.DataFrame, free: Bools, n: int, rng: np.random.Generator) -> tuple[Floats, Bools]:
    """Draw n of the free statements; return the chance of every statement, free or not, and which are drawn."""
    prob, drawn = np.zeros(len(frame)), np.zeros(len(frame), bool)
    strata = [np.flatnonzero(frame["stratum"] == name) for name in sorted(frame["stratum"].unique())]
    worth = frame["worth"].to_numpy()
    sizes = allocate([worth[rows[free[rows]]] for rows in strata], n)
    for rows, size in zip(strata, sizes, strict=True):
        open_rows = rows[free[rows]]
        if size:
            factor, chances = _inclusion(worth[open_rows], size)
            prob[rows] = np.minimum(factor * worth[rows], 1.0)
            prob[open_rows] = chances
            drawn[open_rows] = systematic(chances, rng)
    return prob, drawn


def allocate(worths: list[Floats], n: int) -> list[int]:
    """Share n among strata in proportion to their total worth, as whole numbers.

    Each gets `LEAST_DRAWN` where it and n allow, none more than it has; what does not fit goes to the others.
    """
    room = np.array([worth.size for worth in worths])
    n = min(n, int(room.sum()))
    least = np.minimum(room, LEAST_DRAWN if n >= LEAST_DRAWN * (room > 0).sum() else 0)
    total = np.array([worth.sum() for worth in worths])
    sizes = least.copy()
    while sizes.sum() < n:  # one by one to where most is missing: at most a few thousand steps
        lack = np.where(sizes < room, total / total.sum() * n - sizes, -np.inf)
        sizes[int(lack.argmax())] += 1
    return [int(size) for size in sizes]


def systematic(prob: Floats, rng: np.random.Generator) -> Bools:
    """Draw a systematic sample with given inclusion probabilities, shape (N,), whose sum is a whole number.

    Source: Madow 1949. The sample has exactly that many units.
    """
    marks = np.floor(np.round(prob.cumsum(), 9) + 1 - rng.random())
    answer: Bools = np.diff(marks, prepend=0.0) > 0
    return answer


def _inclusion(worth: Floats, size: int) -> tuple[float, Floats]:
    """Return probabilities min(1, factor * worth) that add up to `size`, with the factor."""
    sure = np.zeros(worth.size, bool)
    factor = 1.0
    while sure.sum() < size:
        factor = (size - sure.sum()) / worth[~sure].sum()
        more = ~sure & (factor * worth >= 1)
        if not more.any():
            break
        sure |= more
    return factor, np.where(sure, 1.0, np.minimum(factor * worth, 1.0))


def _worths(tags: pd.DataFrame, labels: pd.DataFrame, options: TrendOptions) -> pd.DataFrame:
    """Return `statement_id,date,stratum,worth` of the pair's statements.

    The worth is the root of the expected squared residuals, each over the squared total of what addresses its
    target: what a statement adds to the variance of the pair's gaps.
    """
    seen = observe(tags, labels, options)
    table = weighted_table(seen)
    variance = _residual_variance(tags, table, seen.countries, seen.targets, options)
    rows = _rows_of_pair(tags, options)
    c, k, j = _codes(rows, seen.countries, seen.targets)
    rows = rows.assign(square=variance[c, k, j], addressed=j != NONE)
    found = rows.groupby("statement_id", sort=True).agg(
        country=("country", "first"), date=("date", "first"), square=("square", "sum"), hit=("addressed", "any")
    )
    stratum: pd.Series[str] = found["country"].astype(str) + np.where(
        found["hit"], ": addressed", ": not addressed"
    )
    worth = np.sqrt(found["square"])
    floor = LEAST_WORTH * worth.groupby(stratum).transform("mean")
    return pd.DataFrame({
        "statement_id": found.index.astype(str), "date": found["date"].astype(str).to_numpy(),
        "stratum": stratum.to_numpy(), "worth": np.maximum(np.maximum(worth, floor), 1e-12).to_numpy(),
    })  # fmt: skip


def _rows_of_pair(tags: pd.DataFrame, options: TrendOptions) -> pd.DataFrame:
    """Return the tags that `observe` would keep, of the pair and with what the worth needs."""
    rows = tags[tags["country"].isin(options.pair) & (tags["date"].fillna("").astype(str) != "")]
    if options.targets is not None:
        rows = rows[rows["target"].isin(options.targets)]
    for bound, keep in ((options.since, "ge"), (options.until, "le")):
        if bound is not None:
            rows = rows[getattr(rows["date"].astype(str), keep)(bound.isoformat())]
    return rows[list(_NEEDED)]


def _codes(
    rows: pd.DataFrame, countries: tuple[str, ...], targets: tuple[str, ...]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return the actors, targets and stances of tags as codes."""
    c, k, j = (
        pd.Index(list(names), dtype=object).get_indexer(pd.Index(rows[column].astype(str).to_numpy(dtype=object)))
        for column, names in (("country", countries), ("target", targets), ("stance", STANCES))
    )
    return c, k, j


def _residual_variance(
    tags: pd.DataFrame, table: Floats, countries: tuple[str, ...], targets: tuple[str, ...], options: TrendOptions
) -> Floats:
    """Return the variance that one unlabelled statement brings to a gap, by predicted stance, (C, K, 4)."""
    rows = _rows_of_pair(tags, options)
    counts = np.zeros((len(countries), len(targets), 4))
    np.add.at(counts, _codes(rows, countries, targets), 1.0)
    means = correct(table)
    total = np.maximum((counts * means.addressed[0]).sum(axis=-1), 1.0)
    place = (counts * means.score[0]).sum(axis=-1) / total
    value = SCORES - place[..., None] * ADDRESSED
    shares = truth_shares(table)[0]
    mean = (shares * value[..., None, :]).sum(axis=-1)
    square = (shares * value[..., None, :] ** 2).sum(axis=-1)
    answer: Floats = np.maximum(square - mean**2, 0.0) / total[..., None] ** 2
    return answer
