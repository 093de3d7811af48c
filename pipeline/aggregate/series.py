"""The table of series: one row per period, actor or pair, target and measure.

The column `estimator` says how a figure was made:

- `smoothed`: read off draws of the smoothed monthly paths (`paths`), corrected by the labelled sample;
- `design-based`: corrected totals of the period alone (`contrasts`), valid under any classifier error;
- `uncorrected`: predicted stances taken at their word, because there are too few labels to correct with;
- `combined`, in the tests only: design-based totals mixed with adjusted counts (`fallback`), where the drift test
  does not reject and the confusion matrices can be inverted.

Status is `empty` (nothing to estimate from: the numbers are blank), `sparse` (fewer than three effective
addressed statements, or a pooled target without any) or `ok`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.aggregate import measures
from pipeline.aggregate.periods import make_periods
from pipeline.schema import SCHEMA_VERSION, TREND_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.aggregate.analysis import Analysis
    from pipeline.aggregate.contrasts import Interval
    from pipeline.aggregate.periods import Periods

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

SPARSE_BELOW = 3.0
"""Effective addressed statements below which a figure is marked sparse."""
UNITS = {
    "position": "score [-1,1]", "salience": "share", "gap": "score difference [-2,2]", "convergence": "index [0,1]",
    "same_side_prob": "probability", "pooled_convergence": "index [0,1]", "declared_coordination": "score [-1,1]",
    "coordination_gap": "z",
}  # fmt: skip
"""Unit of each measure."""
_NUMBERS = ("estimate", "conf_low", "conf_high", "std_error", "naive_estimate")
_COUNTS = ("n_statements", "n_addressed", "n_documents", "n_labelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What stands behind the figures of some series, arrays of one shape (..., P).

    `empty` marks figures with nothing to estimate from, `thin` those of which a part is missing.
    """

    n_statements: Floats
    n_addressed: Floats
    n_documents: Floats
    n_labelled: Floats
    n_eff: Floats
    empty: Bools
    thin: Bools

    def status(self) -> NDArray[np.str_]:
        """Return ok, sparse or empty."""
        sparse = self.thin | (self.n_eff < SPARSE_BELOW)
        return np.where(self.empty, "empty", np.where(sparse, "sparse", "ok"))

    def pick(self, actors: list[int], targets: list[int] | slice = slice(None)) -> Support:
        """Return the support of some actors and targets, from arrays of shape (C, K, P)."""
        return Support(**{name: getattr(self, name)[actors][:, targets] for name in Support.__slots__})

    def merged(self, axes: tuple[int, ...], *, n_eff: Floats, empty: Bools, thin: Bools) -> Support:
        """Add up counts over axes."""
        counts = {name: getattr(self, name).sum(axis=axes) for name in _COUNTS}
        return Support(**counts, n_eff=n_eff, empty=empty, thin=thin)


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """One frequency of an analysis: draws of positions (B, C, K, P), plug-ins (C, K, P) and their support."""

    analysis: Analysis
    periods: Periods
    draws: Floats
    naive: Floats
    naive_salience: Floats
    support: Support

    @property
    def smoothed(self) -> str:
        """Name of the estimator of positions."""
        return "smoothed" if self.analysis.corrected else "uncorrected"

    @property
    def gaps(self) -> Floats:
        """Draws of the pair's signed gaps, (B, K, P)."""
        a, b = self.analysis.pair
        answer: Floats = self.draws[:, a] - self.draws[:, b]
        return answer

    @property
    def naive_gap(self) -> Floats:
        """Plug-in gaps, (K, P)."""
        a, b = self.analysis.pair
        answer: Floats = self.naive[a] - self.naive[b]
        return answer

    def summary(self, draws: Floats) -> Interval:
        """Summarise draws at the level asked for."""
        return measures.summarise(draws, self.analysis.options.conf_level)

    def frame(
        self, scope: str, measure: str, values: Interval, *, support: Support, naive: Floats, estimator: str = ""
    ) -> pd.DataFrame:
        """Flatten one measure of all series of a scope, arrays of shape ([C,] [K,] P), to rows."""
        seen, periods = self.analysis.seen, self.periods
        countries = seen.countries if scope == "country" else ("-".join(self.analysis.options.pair),)
        targets = seen.targets if scope != "pooled" else ("ALL",)
        shape = (len(countries), len(targets), len(periods.starts))
        c, k, p = np.indices(shape).reshape(3, -1)
        return pd.DataFrame({
            "period_start": np.array(periods.starts, dtype=object)[p],
            "period_end": np.array(periods.ends, dtype=object)[p], "freq": periods.freq, "scope": scope,
            "country": np.array(countries, dtype=object)[c], "target": np.array(targets, dtype=object)[k],
            "measure": measure, "unit": UNITS[measure], "estimator": estimator or self.smoothed,
            **_numbers(values, naive, support), **_counts(support), "status": support.status().ravel(),
        })  # fmt: skip


def _numbers(values: Interval, naive: Floats, support: Support) -> dict[str, Floats]:
    arrays = (values.estimate, values.low, values.high, values.std_error, naive)
    return {
        name: np.where(support.empty, np.nan, array).ravel() + 0.0  # no negative zeros
        for name, array in zip(_NUMBERS, arrays, strict=True)
    }


def _counts(support: Support) -> dict[str, NDArray[np.int64] | Floats]:
    counts = {name: getattr(support, name).ravel().round().astype(np.int64) for name in _COUNTS}
    return {**counts, "n_eff": support.n_eff.ravel().round(3)}


def trend_table(analysis: Analysis) -> pd.DataFrame:
    """Lay out all series, in a fixed order.

    Returns
    -------
    DataFrame
        `schema.TREND_COLUMNS`. Counts of pair rows add up both actors, those of pooled rows the targets too;
        `n_eff` of a pair is that of its smaller side. `same_side_prob` has no interval: it says itself how sure
        it is.
    """
    blocks = [block for freq in analysis.options.freqs for block in _blocks(_view(analysis, freq))]
    table = pd.concat(blocks, ignore_index=True).assign(
        schema_version=SCHEMA_VERSION,
        run_id=analysis.run_id,
        conf_level=analysis.options.conf_level,
        model_id=analysis.seen.model_id,
        labels_id=analysis.seen.labels_id,
    )
    keys = ["freq", "scope", "country", "target", "measure", "period_start"]
    answer: pd.DataFrame = table[list(TREND_COLUMNS)].sort_values(keys, kind="stable", ignore_index=True)
    return answer


def _view(analysis: Analysis, freq: str) -> _View:
    periods = make_periods(freq, analysis.seen.first_month, analysis.seen.n_months)
    naive, naive_salience = analysis.naive(periods)
    return _View(
        analysis=analysis, periods=periods, draws=analysis.positions(periods), naive=naive,
        naive_salience=naive_salience, support=_support(analysis, periods),
    )  # fmt: skip


def _support(analysis: Analysis, periods: Periods) -> Support:
    cells = analysis.cells
    hits = periods.total(cells.addressed)
    return Support(
        n_statements=periods.total(cells.predicted.sum(axis=-1)), n_addressed=hits,
        n_eff=periods.total(cells.effective), n_documents=periods.total(cells.documents),
        n_labelled=periods.total(cells.labelled), empty=hits == 0, thin=np.zeros(hits.shape, bool),
    )  # fmt: skip


def _blocks(view: _View) -> Iterator[pd.DataFrame]:
    positions = measures.bounded(view.summary(view.draws), 1)
    yield view.frame("country", "position", positions, support=view.support, naive=view.naive)
    yield _salience(view)
    pair = view.support.pick(list(view.analysis.pair))
    missing = np.logical_or.reduce(pair.empty, axis=0)
    both = pair.merged((0,), n_eff=pair.n_eff.min(axis=0), empty=missing, thin=np.zeros(missing.shape, bool))
    yield from _pair_blocks(view, both)
    yield from _pooled_blocks(view, both)


def _salience(view: _View) -> pd.DataFrame:
    analysis, cells = view.analysis, view.analysis.cells
    share = measures.salience(
        analysis.addressed, cells.predicted.sum(axis=-1), analysis.moments, documents=cells.documents,
        periods=view.periods, level=analysis.options.conf_level,
    )  # fmt: skip
    heard = replace(view.support, empty=view.support.n_statements == 0)
    estimator = "design-based" if analysis.corrected else "uncorrected"
    return view.frame("country", "salience", share, support=heard, naive=view.naive_salience, estimator=estimator)


def _pair_blocks(view: _View, both: Support) -> Iterator[pd.DataFrame]:
    a, b = view.analysis.pair
    gap, difference = measures.bounded(view.summary(view.gaps), 2), view.naive_gap
    agreed = np.where(np.isnan(difference), np.nan, view.naive[a] * view.naive[b] > 0)
    side = measures.same_side(view.draws[:, a], view.draws[:, b])
    yield view.frame("pair", "gap", gap, support=both, naive=difference)
    near = measures.convergence(gap)
    yield view.frame("pair", "convergence", near, support=both, naive=1 - np.abs(difference) / 2)
    yield view.frame("pair", "same_side_prob", side, support=both, naive=agreed)


def _pooled_blocks(view: _View, both: Support) -> Iterator[pd.DataFrame]:
    pooled, declared = view.analysis.pooled, view.analysis.declared
    orient = measures.gap_signs(view.gaps) * pooled
    gaps, plain = measures.pooled_gap(view.gaps, orient), measures.pooled_gap(view.naive_gap[None], orient)[0]
    part = Support(**{name: getattr(both, name)[pooled] for name in Support.__slots__})
    held = _gathered(part, (0,))
    index = measures.convergence(view.summary(gaps))
    yield view.frame("pooled", "pooled_convergence", index, support=held, naive=1 - np.abs(plain) / 2)
    if declared.any():
        yield from _declared_blocks(view, held, 1 - np.abs(gaps) / 2, 1 - np.abs(plain) / 2)


def _gathered(part: Support, axes: tuple[int, ...]) -> Support:
    """Merge series of which some may be missing: empty when all are, sparse when any is."""
    empty, missing = np.logical_and.reduce(part.empty, axis=axes), np.logical_or.reduce(part.empty, axis=axes)
    return part.merged(axes, n_eff=part.n_eff.sum(axis=axes), empty=empty, thin=missing)


def _declared_blocks(view: _View, held: Support, revealed: Floats, plain: Floats) -> Iterator[pd.DataFrame]:
    """Lay out declared coordination, and z(declared) - z(revealed) where both are known."""
    actors, chosen = list(view.analysis.pair), [int(k) for k in np.flatnonzero(view.analysis.declared)]
    said = measures.mean_position(view.draws[:, actors][:, :, chosen])
    plain_said = measures.mean_position(view.naive[actors][:, chosen])
    spoken = _gathered(view.support.pick(actors, chosen), (0, 1))
    level = measures.bounded(view.summary(said), 1)
    yield view.frame("pooled", "declared_coordination", level, support=spoken, naive=plain_said)
    known = ~(spoken.empty | held.empty)
    difference = measures.standardise(said, known) - measures.standardise(revealed, known)
    counted = known & ~np.isnan(plain_said) & ~np.isnan(plain)
    naive = measures.standardise(plain_said[None], counted) - measures.standardise(plain[None], counted)
    counts = {name: getattr(spoken, name) + getattr(held, name) for name in _COUNTS}
    empty = ~known | np.isnan(difference).any(axis=0)
    both = Support(
        **counts, n_eff=np.minimum(spoken.n_eff, held.n_eff), empty=empty, thin=spoken.thin | held.thin
    )  # fmt: skip
    yield view.frame("pooled", "coordination_gap", view.summary(difference), support=both, naive=naive[0])
