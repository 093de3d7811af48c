"""What each chart is made of: its panels, with their series, scales and titles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.report.inputs import ALL, ReportInputs, has_data, series
from pipeline.report.marks import FIRST, JOINT, SECOND, TALK, Style

_POSITION = (
    "datum.value == 1 ? 'favor (+1)' : datum.value == -1 ? 'against (−1)' : datum.value == 0 ? 'zero (0)' : ''"
)
_CONVERGENCE = "datum.value == 1 ? 'same (1)' : datum.value == 0 ? 'opposite (0)' : format(datum.value, '.2~f')"
_SCORE = "datum.value == 0 ? 'zero (0)' : format(datum.value, '+.2~f')"
_SHARE = "format(datum.value, '.0%')"
_SHARE_TOPS = (0.1, 0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel: series over one scale of values, on the chart's time axis.

    `values` are the labelled values, the outer two bound the scale; `labels` is the expression that turns
    them into text. `zero` draws the zero line, `bars` bars in place of ribbons, `rules` the events.
    """

    title: str
    height: int
    values: tuple[float, ...]
    labels: str
    series: tuple[tuple[pd.DataFrame, Style], ...]
    zero: bool = False
    bars: bool = False
    rules: bool = True


def panels(inputs: ReportInputs, rows: pd.DataFrame, target: str) -> tuple[Panel, ...]:
    """Return the panels of a target's chart, or with `ALL` those of the pooled chart."""
    return _pooled(inputs, rows) if target == ALL else _target(inputs, rows, target)


def _target(inputs: ReportInputs, rows: pd.DataFrame, target: str) -> tuple[Panel, ...]:
    styles = tuple(zip(inputs.pair, (FIRST, SECOND), strict=True))
    positions, shares = (
        tuple((series(rows, measure=measure, target=target, actor=actor), style) for actor, style in styles)
        for measure in ("position", "salience")
    )
    return (
        Panel(
            title=f"Position of {inputs.pair_text}, score from −1 to +1", height=200, zero=True,
            values=(-1, -0.5, 0, 0.5, 1), labels=_POSITION, series=positions,
        ),
        Panel(
            title=f"Convergence of {inputs.pair_text}, from 0 to 1", height=96, values=(0, 0.5, 1),
            labels=_CONVERGENCE, series=((pair_series(rows, "convergence", target), JOINT),),
        ),
        *(
            Panel(
                title=f"Salience, {name}: share of all its statements", height=36,
                values=(0, _share_top([data for data, _ in shares])), labels=_SHARE, series=(strip,), bars=True,
                rules=False,
            )
            for name, strip in zip(inputs.pair_names, shares, strict=True)
        ),
    )  # fmt: skip


def _share_top(frames: Sequence[pd.DataFrame]) -> float:
    largest = max(frame[["estimate", "conf_high"]].max().max() for frame in frames)
    return next((top for top in _SHARE_TOPS if not largest > top), 1.0)


def _pooled(inputs: ReportInputs, rows: pd.DataFrame) -> tuple[Panel, ...]:
    joint, talk, gap = (pair_series(rows, name) for name in POOLED_MEASURES)
    answer = (
        Panel(
            title=f"Pooled convergence of {inputs.pair_text}, from 0 to 1", height=170,
            values=(0, 0.25, 0.5, 0.75, 1), labels=_CONVERGENCE, series=((joint, JOINT),),
        ),
        _free_panel(
            f"Declared coordination of {inputs.pair_text}, score from −1 to +1", talk, (-1, 0, 1), _POSITION
        ),
    )  # fmt: skip
    if not has_data(gap):
        return answer
    return (*answer, _free_panel("Declared minus revealed coordination, in standard deviations", gap, (), _SCORE))


POOLED_MEASURES = ("pooled_convergence", "declared_coordination", "coordination_gap")
"""The series of the pooled chart, in order."""


def pair_series(rows: pd.DataFrame, measure: str, target: str | None = None) -> pd.DataFrame:
    """Return a series of the pair as a whole, the pooled one first where there are two."""
    countries = rows["scope"] == "country"
    whole = rows.assign(measure=rows["measure"].mask(countries, ""))
    return series(whole.sort_values("scope", ascending=False, kind="stable"), measure=measure, target=target)


def _free_panel(title: str, data: pd.DataFrame, values: tuple[float, ...], labels: str) -> Panel:
    """Return a panel on the given scale, or on a symmetric one where the data reach further."""
    reach = data[["estimate", "conf_low", "conf_high"]].abs().max().max()
    if not values or reach > max(values):
        top = float(max(1, -(-reach // 1)))
        values, labels = (-top, 0, top), _SCORE
    return Panel(title=title, height=110, values=values, labels=labels, series=((data, TALK),), zero=True)
