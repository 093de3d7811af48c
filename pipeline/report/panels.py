"""What each chart is made of: its panels, with their series, scales and titles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

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


class Line(NamedTuple):
    """One series of a panel: its data, how it looks, what it is called, whose it is and on what.

    `actor` is empty for the pair's, `target` for that of the chart.
    """

    data: pd.DataFrame
    style: Style
    name: str
    actor: str = ""
    target: str = ""


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
    series: tuple[Line, ...]
    zero: bool = False
    bars: bool = False
    rules: bool = True


def panels(inputs: ReportInputs, rows: pd.DataFrame, target: str) -> tuple[Panel, ...]:
    """Return the panels of a target's chart, or with `ALL` those of the pooled chart."""
    return _pooled(inputs, rows) if target == ALL else _target(inputs, rows, target)


def _target(inputs: ReportInputs, rows: pd.DataFrame, target: str) -> tuple[Panel, ...]:
    return (
        position_panel(
            f"Position of {inputs.pair_text}, score from −1 to +1",
            country_lines(inputs, rows, "position", target),
        ),
        *_gap(inputs, rows, target),
        Panel(
            title=f"Convergence of {inputs.pair_text}, from 0 to 1", height=96, values=(0, 0.5, 1),
            labels=_CONVERGENCE,
            series=(Line(pair_series(rows, "convergence", target), JOINT, "convergence"),),
        ),
        *salience_panels(inputs, rows, target),
    )  # fmt: skip


def country_lines(inputs: ReportInputs, rows: pd.DataFrame, measure: str, target: str) -> tuple[Line, ...]:
    """Return a measure of both actors on a target, each in its colour, marker and dash."""
    return tuple(
        Line(series(rows, measure=measure, target=target, actor=actor), style, f"{name}, {measure}", actor)
        for actor, name, style in zip(inputs.pair, inputs.pair_names, (FIRST, SECOND), strict=True)
    )


def _gap(inputs: ReportInputs, rows: pd.DataFrame, target: str) -> tuple[Panel, ...]:
    """Return the signed gap, which unlike convergence has no end of the scale where nothing differs."""
    data = pair_series(rows, "gap", target)
    if not has_data(data):
        return ()
    first, second = inputs.pair_names
    title = f"Gap: {first} minus {second} (above zero: {first} is more in favor)"
    return (_free_panel(title, Line(data, JOINT, "gap"), (-1, 0, 1), _SCORE),)


def salience_panels(inputs: ReportInputs, rows: pd.DataFrame, target: str) -> tuple[Panel, ...]:
    """Return a strip of bars per actor: silence is not neutrality, and has its own place."""
    lines = country_lines(inputs, rows, "salience", target)
    return tuple(
        share_panel(f"Salience, {name}: share of all its statements", line, lines)
        for name, line in zip(inputs.pair_names, lines, strict=True)
    )


def position_panel(title: str, lines: Sequence[Line]) -> Panel:
    """Return a panel of positions, with the zero line that parts favor from against."""
    return Panel(
        title=title, height=200, zero=True, values=(-1, -0.5, 0, 0.5, 1), labels=_POSITION, series=tuple(lines)
    )


def share_panel(title: str, line: Line, beside: Sequence[Line]) -> Panel:
    """Return a strip of bars of a share, on the scale that holds all the strips beside it."""
    return Panel(
        title=title, height=36, values=(0, _share_top([other.data for other in beside])), labels=_SHARE,
        series=(line,), bars=True, rules=False,
    )  # fmt: skip


def _share_top(frames: Sequence[pd.DataFrame]) -> float:
    largest = max(frame[["estimate", "conf_high"]].max().max() for frame in frames)
    return next((top for top in _SHARE_TOPS if not largest > top), 1.0)


def _pooled(inputs: ReportInputs, rows: pd.DataFrame) -> tuple[Panel, ...]:
    joint, talk, gap = (pair_series(rows, name) for name in POOLED_MEASURES)
    answer = (
        Panel(
            title=f"Pooled convergence of {inputs.pair_text}, from 0 to 1", height=170,
            values=(0, 0.25, 0.5, 0.75, 1), labels=_CONVERGENCE, series=(Line(joint, JOINT, "pooled convergence"),),
        ),
        _free_panel(
            f"Declared coordination of {inputs.pair_text}, score from −1 to +1",
            Line(talk, TALK, "declared coordination"), (-1, 0, 1), _POSITION,
        ),
    )  # fmt: skip
    if not has_data(gap):
        return answer
    title = "Declared minus revealed coordination, in standard deviations"
    return (*answer, _free_panel(title, Line(gap, TALK, "declared minus revealed"), (), _SCORE))


POOLED_MEASURES = ("pooled_convergence", "declared_coordination", "coordination_gap")
"""The series of the pooled chart, in order."""


def pair_series(rows: pd.DataFrame, measure: str, target: str | None = None) -> pd.DataFrame:
    """Return a series of the pair as a whole, the pooled one first where there are two."""
    countries = rows["scope"] == "country"
    whole = rows.assign(measure=rows["measure"].mask(countries, ""))
    return series(whole.sort_values("scope", ascending=False, kind="stable"), measure=measure, target=target)


def _free_panel(title: str, line: Line, values: tuple[float, ...], labels: str) -> Panel:
    """Return a panel on the given scale, or on a symmetric one where the data reach further."""
    reach = line.data[["estimate", "conf_low", "conf_high"]].abs().max().max()
    if not values or reach > max(values):
        top = float(max(1, -(-reach // 1)))
        values, labels = (-top, 0, top), _SCORE
    return Panel(title=title, height=110, values=values, labels=labels, series=(line,), zero=True)
