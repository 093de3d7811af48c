"""One analysis from counted cells to draws of positions: what all tables are read off."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.aggregate.cells import ADDRESSED, SCORES, Cells, cluster_moments, count_cells, find_clusters
from pipeline.aggregate.contrasts import borrowed_totals, corrected_totals, psi
from pipeline.aggregate.drift import Drift, drift_test
from pipeline.aggregate.fallback import LABEL_TRUST, adjusted_totals, combine, is_stable, largest_share
from pipeline.aggregate.inputs import frame_hash, month_of
from pipeline.aggregate.labelled import Correction, correct, uncorrected, weighted_table
from pipeline.aggregate.measures import plug_in_draws
from pipeline.aggregate.paths import JUMP, REGISTERED_JUMP, draw_positions, smooth_salience, smooth_shares
from pipeline.aggregate.totals import PairTotals, TestTotals

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.aggregate.inputs import Observations
    from pipeline.aggregate.periods import Periods
    from pipeline.aggregate.records import TrendOptions

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

LEAST_LABELS = 20
"""Labelled tags below which nothing is corrected and labels are only counted."""
_POSITIONS, _LABELS, _DRIFT = 11, 12, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Counts, corrections and draws of one analysis.

    Attributes
    ----------
    correction : Correction
        What predictions mean: the estimate, then B draws of the labelled sample.
    scores, addressed : ndarray, shape (1 + B, C, K, T)
        Design-based totals under each.
    drift : Drift or None
        Result of the drift test.
    moments : ndarray, shape (C, K, T, 3, 3)
        Document moments of (psi score, psi addressed, 1).
    paths : ndarray, shape (B, C, K, T), or None
        Smoothed positions; None without labels.
    pooled, declared : ndarray of bool, shape (K,)
        Targets of the pooled index, and of declared coordination.
    pair : tuple of int
        Indices of the two actors.
    """

    seen: Observations
    cells: Cells
    options: TrendOptions
    correction: Correction
    scores: Floats
    addressed: Floats
    moments: Floats
    paths: Floats | None
    pooled: Bools
    declared: Bools
    pair: tuple[int, int]
    drift: Drift | None
    run_id: str

    @property
    def corrected(self) -> bool:
        """Whether labels correct the classifier's errors."""
        return self.paths is not None

    @property
    def center(self) -> Correction:
        """The point estimate of what predictions mean, without its draws."""
        names = ("confusion", "score", "addressed")
        return Correction(**{name: getattr(self.correction, name)[:1] for name in names})

    def positions(self, periods: Periods) -> Floats:
        """Return draws of positions by period, (B, C, K, P).

        Smoothed paths where there are labels, a quarter being the mean of its months' draws; else draws around
        the plug-in ratio of each period.
        """
        if self.paths is not None:
            return periods.mean(self.paths)
        shape = (*self.seen.shape[:2], len(periods.starts))
        half = np.random.default_rng([self.options.random_state, _POSITIONS]).standard_normal(
            ((self.options.draws + 1) // 2, *shape)
        )
        half = half / np.sqrt((half**2).mean(axis=0))
        normal = np.concatenate([half, -half])
        return plug_in_draws(
            self.scores[0], self.addressed[0], self.moments, documents=self.cells.voiced, periods=periods,
            normal=normal,
        )  # fmt: skip

    def naive(self, periods: Periods) -> tuple[Floats, Floats]:
        """Return plug-in positions and salience by period, (C, K, P), from predicted stances; NaN where none."""
        total = periods.total(np.moveaxis(self.cells.predicted, -1, 0))
        hits = np.tensordot(ADDRESSED, total, 1)
        size = total.sum(axis=0)
        place = np.where(hits > 0, np.tensordot(SCORES, total, 1) / np.maximum(hits, 1), np.nan)
        return place, np.where(size > 0, hits / np.maximum(size, 1), np.nan)


def analyse(seen: Observations, events: pd.DataFrame, options: TrendOptions) -> Analysis:
    """Count, correct and smooth.

    Parameters
    ----------
    seen : Observations
        Coded observations.
    events : DataFrame
        As `inputs.check_events` returns them; the smoothed paths may jump where one was registered beforehand.
    options : TrendOptions
        Pair, targets, draws and seed.
    """
    clusters = find_clusters(seen)
    labelled = count_cells(seen, clusters).labelled
    seen = seen if _enough(seen) else replace(seen, gold=np.full_like(seen.gold, -1), weight=0 * seen.weight)
    cells = replace(count_cells(seen, clusters), labelled=labelled)
    center, draws = _corrections(seen, options)
    both = center if draws is None else _stack(center, draws)
    scores, addressed = corrected_totals(cells, both)
    columns = np.column_stack([psi(seen, center), np.ones(seen.country.size)])
    declared = np.isin(seen.targets, options.declared)
    pair = (seen.countries.index(options.pair[0]), seen.countries.index(options.pair[1]))
    return Analysis(
        seen=seen, cells=cells, options=options, scores=scores, addressed=addressed,
        moments=cluster_moments(seen, clusters, columns),
        paths=None if draws is None else _paths(seen, cells, center, draws, addressed, events, options),
        pooled=_pooled(seen, cells, options, declared, pair), declared=declared, pair=pair,
        correction=both, run_id=_run_id(seen, events, options),
        drift=drift_test(
            seen, (min(pair), max(pair)), permutations=options.permutations,
            rng=np.random.default_rng([options.random_state, _DRIFT]),
        ),
    )  # fmt: skip


def pair_totals(analysis: Analysis) -> TestTotals:
    """Return the monthly totals of the pair, actors in name order, by the estimators that the labels allow."""
    pair = sorted(analysis.pair)
    cells = analysis.cells
    scores, addressed = analysis.scores[:, pair], analysis.addressed[:, pair]
    design = PairTotals(
        scores=scores[0], addressed=addressed[0], score_draws=scores[1:], addressed_draws=addressed[1:],
        volume=np.maximum(cells.predicted[pair] @ ADDRESSED, cells.addressed[pair]),
        present=cells.addressed[pair] > 0, pooled=analysis.pooled,
        estimator="design-based" if analysis.corrected else "uncorrected",
    )  # fmt: skip
    share = float(cells.labelled[pair].sum()) / max(float(cells.predicted[pair].sum()), 1.0)
    drift_p = None if analysis.drift is None else float(analysis.drift.p_value[-1])
    confusion = analysis.correction.confusion[0, pair]
    if not analysis.corrected or not is_stable(drift_p, confusion):
        return TestTotals(estimate=design, series=design, event=design)
    largest = largest_share(share, drift_p, confusion)
    counts, hits = (column[:, pair] for column in adjusted_totals(cells, analysis.correction))
    damped = [column[0] for column in corrected_totals(cells, analysis.center, LABEL_TRUST)]
    series = combine(_blunt(design, damped, pair), counts[:1], hits[:1], largest)
    return TestTotals(
        estimate=combine(design, counts, hits, largest) if largest else design,
        series=series, event=_blunt(design, _borrowed(analysis), pair),
    )  # fmt: skip


def _blunt(design: PairTotals, totals: Sequence[Floats], pair: list[int]) -> PairTotals:
    """Put other totals, shape (C, K, T), in the place of those of a pair."""
    return replace(
        design, scores=totals[0][pair], addressed=totals[1][pair],
        score_draws=design.score_draws[:0], addressed_draws=design.addressed_draws[:0],
    )  # fmt: skip


def _borrowed(analysis: Analysis) -> tuple[Floats, Floats]:
    cells, center = analysis.cells, analysis.center
    salience = smooth_salience(analysis.addressed[:1], cells.predicted.sum(axis=-1))
    shares = smooth_shares(cells, center, salience)
    return borrowed_totals(cells, center.confusion[0], shares, salience[0], LABEL_TRUST)


def _enough(seen: Observations) -> bool:
    return int((seen.gold >= 0).sum()) >= LEAST_LABELS


def _corrections(seen: Observations, options: TrendOptions) -> tuple[Correction, Correction | None]:
    if not _enough(seen):
        return uncorrected(seen.shape[:2]), None
    rng = np.random.default_rng([options.random_state, _LABELS])
    table = weighted_table(seen, options.draws, rng)
    return correct(weighted_table(seen)), correct(table, rng)


def _stack(center: Correction, draws: Correction) -> Correction:
    names = ("confusion", "score", "addressed")
    return Correction(**{name: np.concatenate([getattr(center, name), getattr(draws, name)]) for name in names})


def _paths(
    seen: Observations, cells: Cells, center: Correction, draws: Correction, addressed: Floats,
    events: pd.DataFrame, options: TrendOptions,
) -> Floats:  # fmt: skip
    share = smooth_salience(addressed, cells.predicted.sum(axis=-1))
    rng = np.random.default_rng([options.random_state, _POSITIONS])
    return draw_positions(cells, center, draws, salience=(share[:1], share[1:]), jump=_jumps(seen, events), rng=rng)


def _jumps(seen: Observations, events: pd.DataFrame) -> Floats:
    """Return the chance of a jump by target and month, (K, T): higher at registered events about the target."""
    jump = np.full(seen.shape[1:], JUMP)
    about = events["about"] if "about" in events.columns else [""] * len(events)
    for day, text, exploratory in zip(events["date"], about, events["exploratory"], strict=True):
        month = month_of(day) - seen.first_month
        if not exploratory and 0 <= month < seen.n_months:
            named = [name for name in str(text).split() if name in seen.targets]
            rows = [seen.targets.index(name) for name in named] or list(range(len(seen.targets)))
            jump[rows, month] = REGISTERED_JUMP
    return jump


def _pooled(
    seen: Observations, cells: Cells, options: TrendOptions, declared: Bools, pair: tuple[int, int]
) -> Bools:
    """Choose the targets of the pooled index: those asked for that both actors address at all."""
    asked = ~declared if options.pooled is None else np.isin(seen.targets, options.pooled)
    present: Bools = (cells.effective[list(pair)].sum(axis=-1) > 0).all(axis=0)
    return asked & present


def _run_id(seen: Observations, events: pd.DataFrame, options: TrendOptions) -> str:
    digest = hashlib.sha256(repr((options, seen.countries, seen.targets, seen.first_month)).encode())
    columns = (seen.country, seen.target, seen.month, seen.document, seen.predicted, seen.gold, seen.weight)
    order = np.lexsort(columns)
    rows = np.stack([column[order].astype(float) for column in columns], axis=1)
    first = np.flatnonzero(np.append(True, (rows[1:] != rows[:-1]).any(axis=1))[: len(rows)])
    counts = np.add.reduceat(seen.count[order], first) if first.size else seen.count
    digest.update(np.column_stack([rows[first], counts]).tobytes())
    digest.update(f"{seen.model_id} {seen.labels_id} {frame_hash(events)}".encode())
    return digest.hexdigest()[:12]
