"""The table of tests: trend, changepoint, events, lead-lag and classifier drift, by target and pooled."""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.aggregate import permutation as perm
from pipeline.aggregate.contrasts import (
    GAP_DF,
    POWER_FACTOR,
    change_interval,
    hac_variance,
    orientation,
    window_gap,
)
from pipeline.aggregate.inputs import month_of
from pipeline.aggregate.periods import month_end, month_start
from pipeline.schema import TEST_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from pipeline.aggregate.drift import Drift
    from pipeline.aggregate.records import TrendOptions
    from pipeline.aggregate.totals import PairTotals, TestTotals

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

LEAST_MONTHS = 3
"""Months in which each actor must address a target in each window of an event test."""
LEAST_MONTHS_SERIES = 8
"""The same for tests on the whole series."""
EXTRA_COLUMNS = ("estimator", "exploratory", "changed_at")
"""Columns after those of the schema: how the totals were corrected, whether the event was registered only after
the data were seen, and the first month after the likeliest changepoint."""
CONVERGENCE, PER_YEAR, CORRELATION, ACCURACY = "convergence", "convergence per year", "correlation", "accuracy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all tests share: totals, names of targets, range, options."""

    tested: TestTotals
    targets: tuple[str, ...]
    first_month: int
    options: TrendOptions

    @property
    def totals(self) -> PairTotals:
        """Totals that estimates are made of."""
        return self.tested.estimate

    @property
    def n_months(self) -> int:
        """Length of the range."""
        return int(self.totals.scores.shape[-1])

    def rng(self, *key: int) -> np.random.Generator:
        """Return one test's source of chance, the same whatever other tests are run."""
        return np.random.default_rng([self.options.random_state, *key])

    def series(self) -> tuple[PairTotals, PairTotals]:
        """Return both totals of the targets with enough months for a test of the whole series."""
        enough = self.totals.present.sum(axis=-1).min(axis=0, initial=10**9) >= LEAST_MONTHS_SERIES
        return self.totals.usable(enough), self.tested.series.usable(enough)

    def shuffled(self, totals: PairTotals, rng: np.random.Generator, months: Bools | None = None) -> list[Floats]:
        """Return scores, addressed and volume with months (of a window) permuted in blocks, (P, 2, K, T)."""
        moved = np.flatnonzero(np.ones(self.n_months, bool) if months is None else months)
        order = np.tile(np.arange(self.n_months), (self.options.permutations, 1))
        order[:, moved] = moved[perm.block_permutations(moved.size, len(order), rng)]
        columns = (totals.scores, totals.addressed, totals.volume)
        return [np.moveaxis(column[..., order], -2, 0) for column in columns]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRow:
    """One row of the table; NaN for what could not be computed."""

    test: str
    target: str
    event_id: str = ""
    window_start: str = ""
    window_end: str = ""
    statistic: float = np.nan
    effect: float = np.nan
    unit: str = ""
    conf_low: float = np.nan
    conf_high: float = np.nan
    p_value: float = np.nan
    p_adjusted: float = np.nan
    n_permutations: int = 0
    min_detectable_effect: float = np.nan
    estimator: str = ""
    exploratory: bool = False
    changed_at: str = ""


def run_tests(bench: Bench, drift: Drift | None, events: pd.DataFrame) -> pd.DataFrame:
    """Run every test and adjust its p-values.

    Parameters
    ----------
    bench : Bench
        Totals of the pair and options.
    drift : Drift or None
        Result of the drift test, None where it could not be made.
    events : DataFrame
        As `inputs.check_events` returns them.

    Returns
    -------
    DataFrame
        `schema.TEST_COLUMNS`, then `EXTRA_COLUMNS`. Rows that cannot be computed are there with empty numbers.
        P-values are Holm-adjusted within a family: the targets' rows of one test (all events together, those
        registered beforehand apart from exploratory ones); the rows of target ALL are a family of their own.
        The effect of ALL averages the targets' oriented gaps; its statistic weighs them by
        `permutation.matched_weights`, which finds a common change more often.
    """
    rows = [*_trend(bench), *_changepoint(bench), *_events(bench, events), *_lead_lag(bench)]
    rows += _drift(bench, drift)
    frame = pd.DataFrame([asdict(row) for row in rows], columns=[f.name for f in fields(TestRow)])
    family = [frame["test"], frame["target"] == "ALL", frame["exploratory"]]
    adjusted = frame["p_value"].groupby(family).transform(_holm)
    answer: pd.DataFrame = frame.assign(p_adjusted=adjusted)[[*TEST_COLUMNS, *EXTRA_COLUMNS]]
    return answer


def _holm(p: pd.Series[float]) -> pd.Series[float]:
    return pd.Series(perm.holm([float(value) for value in p]), index=p.index)


def _rows(bench: Bench, base: TestRow, columns: dict[str, Floats]) -> Iterator[TestRow]:
    """Make one row a target (in name order) and one for ALL from columns of shape (K + 1,)."""
    if not base.window_start and bench.n_months:
        last = bench.first_month + bench.n_months - 1
        base = replace(base, window_start=month_start(bench.first_month), window_end=month_end(last))
    names = (*bench.targets, "ALL")
    order = sorted(range(len(names)), key=lambda k: (k == len(bench.targets), names[k]))
    for k in order:
        values: dict[str, Any] = {name: float(column[k]) for name, column in columns.items()}
        known = not np.isnan(values.get("p_value", np.nan))
        yield replace(base, target=names[k], n_permutations=bench.options.permutations * known, **values)


def _trend(bench: Bench) -> Iterable[TestRow]:
    base = TestRow(test="trend", target="", unit=PER_YEAR, estimator=bench.totals.estimator)
    (totals, sharp), weights = bench.series(), bench.tested.series.weights
    if not _any(totals):
        return _rows(bench, base, {})
    statistic = perm.trend_statistic(sharp.scores[None], sharp.addressed[None], weights=weights).value[0]
    scores, addressed, _ = bench.shuffled(sharp, bench.rng(1))
    null = perm.trend_statistic(scores, addressed, weights=weights).value
    slope = perm.trend_statistic(totals.scores[None], totals.addressed[None], weights=bench.totals.orient)
    sign = np.append(orientation(totals.scores, totals.addressed), 1.0)
    return _rows(bench, base, {
        "statistic": statistic, "p_value": perm.p_values(statistic, null),
        **_symmetric(-6 * sign * slope.effect[0], 6 * slope.std_error[0], bench.options.conf_level),
    })  # fmt: skip


def _symmetric(effect: Floats, error: Floats, level: float) -> dict[str, Floats]:
    half = float(stats.t.ppf((1 + level) / 2, GAP_DF)) * error
    return {
        "effect": effect, "conf_low": effect - half, "conf_high": effect + half,
        "min_detectable_effect": np.where(np.isnan(effect), np.nan, POWER_FACTOR * error),
    }  # fmt: skip


def _any(totals: PairTotals) -> bool:
    return bool((totals.addressed != 0).any())


def _changepoint(bench: Bench) -> Iterable[TestRow]:
    base = TestRow(test="changepoint", target="", unit=CONVERGENCE, estimator=bench.totals.estimator)
    (totals, sharp), weights = bench.series(), bench.tested.series.weights
    if not _any(totals):
        return _rows(bench, base, {})
    path = perm.cusum(sharp.scores[None], sharp.addressed[None], sharp.volume[None], weights=weights)
    null = perm.largest(perm.cusum(*bench.shuffled(sharp, bench.rng(2)), weights=weights))
    statistic = perm.largest(path)[0]
    at = np.nan_to_num(np.abs(path[0]), nan=-1.0).argmax(axis=-1) + 1
    effect, error = _split_effects(totals, at, bench.totals.orient)
    critical = np.quantile(np.nan_to_num(null, nan=np.inf), 0.95, axis=0, method="higher")
    critical = np.where(np.isfinite(critical), critical, np.nan)
    columns = {
        "statistic": statistic, "effect": np.where(np.isnan(statistic), np.nan, effect),
        "p_value": perm.p_values(statistic, null),
        "min_detectable_effect": (critical + stats.norm.ppf(0.8)) * error,
    }  # fmt: skip
    order = dict(zip((*bench.targets, "ALL"), at, strict=True))
    return [
        row if np.isnan(row.statistic) else
        replace(row, changed_at=month_start(bench.first_month + int(order[row.target])))
        for row in _rows(bench, base, columns)
    ]  # fmt: skip


def _split_effects(totals: PairTotals, at: NDArray[np.int64], orient: Floats) -> tuple[Floats, Floats]:
    """Return changes of convergence at given months (K + 1), with standard errors for a change half-way."""
    n_months = totals.scores.shape[-1]
    effects, errors = np.full(at.size, np.nan), np.full(at.size, np.nan)
    for k, split in enumerate(at):
        after = np.arange(n_months) >= split
        (before_gap, after_gap), _ = _gaps(totals, ~after, after, orient)
        effects[k] = (abs(before_gap[k]) - abs(after_gap[k])) / 2
        late = np.arange(n_months) >= n_months // 2
        errors[k] = np.sqrt(np.trace(_gaps(totals, ~late, late, orient)[1][k])) / 2
    return effects, errors


def _gaps(totals: PairTotals, before: Bools, after: Bools, orient: Floats) -> tuple[Floats, Floats]:
    """Estimate the gaps of two windows, (2, K + 1), and their covariances, (K + 1, 2, 2).

    Month-clustered HAC variance plus the variance over draws of the labelled sample.
    """
    gaps, variances, drawn = [], [], []
    for window in (before, after):
        gap, influence = window_gap(totals.scores, totals.addressed, window)
        n = max(int(window.sum()), 2)
        both = np.concatenate([influence, perm.pool(_known(influence, gap), orient)[None]])
        gaps.append(np.append(gap, perm.pool(gap[:, None], orient)))
        variances.append(hac_variance(both) * n / (n - 1))
        redrawn = np.clip(window_gap(totals.score_draws, totals.addressed_draws, window)[0], -2, 2)
        drawn.append(np.concatenate([redrawn, perm.pool(redrawn[..., None], orient)], axis=-1))
    spread = _draw_covariance(np.stack(drawn))
    spread[:, [0, 1], [0, 1]] += np.stack(variances, axis=-1)
    return np.stack(gaps), spread


def _known(influence: Floats, gap: Floats) -> Floats:
    answer: Floats = np.where(np.isnan(gap)[:, None], np.nan, influence)
    return answer


def _draw_covariance(drawn: Floats) -> Floats:
    """Return covariances over draws, (2, B, K) to (K, 2, 2); draws without a gap are left out."""
    known = ~np.isnan(drawn).any(axis=0)
    count = np.maximum(known.sum(axis=0), 1)
    values = np.where(known, drawn, 0.0)
    centred = np.where(known, values - values.sum(axis=1, keepdims=True) / count, 0.0)
    answer: Floats = np.einsum("abk,cbk->kac", centred, centred) / count[:, None, None]
    return answer


def _events(bench: Bench, events: pd.DataFrame) -> Iterator[TestRow]:
    for event in events.itertuples(index=False):
        base = TestRow(
            test="event", target="", event_id=str(event.event_id), unit=CONVERGENCE,
            estimator=bench.totals.estimator, exploratory=bool(event.exploratory),
        )  # fmt: skip
        yield from _event(bench, base, month_of(str(event.date)) - bench.first_month)


def _event(bench: Bench, base: TestRow, month: int) -> Iterable[TestRow]:
    time, width = np.arange(bench.n_months), bench.options.window
    before, after = (time >= month - width) & (time < month), (time >= month) & (time < month + width)
    base = replace(base, window_start=month_start(bench.first_month + month - width),
                   window_end=month_end(bench.first_month + month + width - 1))  # fmt: skip
    enough = [bench.totals.present[..., w].sum(axis=-1).min(axis=0, initial=10**9) for w in (before, after)]
    usable, weights = np.minimum(*enough) >= LEAST_MONTHS, bench.tested.event.weights
    totals, sharp = bench.totals.usable(usable), bench.tested.event.usable(usable)
    if not _any(totals):
        return _rows(bench, base, {})
    statistic = partial(perm.event_statistic, before=before, after=after, weights=weights)
    observed = statistic(sharp.scores[None], sharp.addressed[None]).value[0]
    rng = bench.rng(5, zlib.crc32(base.event_id.encode()))
    null = statistic(*bench.shuffled(sharp, rng, before | after)[:2]).value
    columns = {"statistic": observed, "p_value": perm.p_values(observed, null)}
    return _rows(bench, base, columns | _change(bench, totals, before, after, bench.totals.orient))


def _change(bench: Bench, totals: PairTotals, before: Bools, after: Bools, orient: Floats) -> dict[str, Floats]:
    """Estimate the change of convergence between windows, columns of shape (K + 1,)."""
    gaps, covariance = _gaps(totals, before, after, orient)
    effect = (np.abs(gaps[0]) - np.abs(gaps[1])) / 2
    answer = np.full((3, effect.size), np.nan)
    for k in np.flatnonzero(~np.isnan(effect)):
        answer[:, k] = change_interval(
            gaps[0, k], gaps[1, k], covariance[k], level=bench.options.conf_level, rng=bench.rng(6)
        )
    return {
        "effect": effect, "conf_low": np.fmin(answer[0], effect), "conf_high": np.fmax(answer[1], effect),
        "min_detectable_effect": POWER_FACTOR * answer[2],
    }  # fmt: skip


def _lead_lag(bench: Bench) -> Iterable[TestRow]:
    base = TestRow(test="leadlag", target="", unit=CORRELATION, estimator=bench.totals.estimator)
    (_, sharp), weights = bench.series(), bench.totals.pooled.astype(float)
    if not _any(sharp):
        return _rows(bench, base, {})
    order = perm.block_permutations(bench.n_months, bench.options.permutations, bench.rng(3))
    arrays = (sharp.scores, sharp.addressed, sharp.volume)
    turn = 1.0 if bench.options.pair == tuple(sorted(bench.options.pair)) else -1.0
    seen = turn * perm.lead_lag(*arrays, np.arange(bench.n_months)[None], weights=weights)[0]
    null = perm.lead_lag(*arrays, order, weights=weights)
    error = np.where(np.isnan(seen), np.nan, np.nan_to_num(null).std(axis=0))
    return _rows(bench, base, {
        "statistic": seen / np.where(error > 0, error, np.nan), "p_value": perm.p_values(seen, null),
        **_symmetric(seen, error, bench.options.conf_level),
    })  # fmt: skip


def _drift(bench: Bench, found: Drift | None) -> Iterable[TestRow]:
    base = TestRow(test="classifier_drift", target="", unit=ACCURACY, estimator="labelled halves")
    if found is None:
        return _rows(bench, base, {})
    return _rows(bench, base, {
        "statistic": found.statistic, "p_value": found.p_value,
        **_symmetric(found.effect, found.std_error, bench.options.conf_level),
    })  # fmt: skip
