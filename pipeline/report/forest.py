"""The event forest: the change of convergence around each event, its interval, and what would have escaped."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.report import palette, words
from pipeline.report.charts import NARROW, WIDE, whole
from pipeline.report.inputs import ALL, ReportInputs, numbered_events
from pipeline.report.marks import Record, Spec, fixed, layer

TITLE = "Change of convergence around each event"
_LABELS = {WIDE: 300, NARROW: 0}
"""Width of the labels left of the axis, in pixels; 0 puts them above their row."""
_ROW = {WIDE: 19, NARROW: 33}
_REACHES = (0.4, 0.6, 0.8, 1.0)
"""Scales to choose from: the smallest that holds every interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The events tested on one target (`ALL`: pooled), by date, as returned by `words.tests_of`."""

    target: str
    title: str
    rows: tuple[dict[str, Any], ...]


def groups(inputs: ReportInputs) -> tuple[Group, ...]:
    """Return, for the pooled index and each target, the event tests that could be made."""
    events = {row["event_id"]: row for row in numbered_events(inputs.events).to_dict("records")}
    answer = []
    for target in (ALL, *inputs.targets.ids):
        rows = [
            row | {"number": events[row["event_id"]]["number"], "label": str(events[row["event_id"]]["label"]),
                   "date": str(events[row["event_id"]]["date"])[:10]}
            for row in words.tests_of(inputs, target)
            if row["test"] == "event" and row["event_id"] in events and not pd.isna(row["effect"])
        ]  # fmt: skip
        if rows:
            title = "Pooled index" if target == ALL else inputs.label(target)
            answer.append(Group(target=target, title=title, rows=tuple(sorted(rows, key=_place))))
    return tuple(answer)


def _place(row: dict[str, Any]) -> int:
    return int(row["number"])


def chart(inputs: ReportInputs, layout: tuple[int, int, int] = WIDE, *, standalone: bool = False) -> Spec | None:
    """Return the specification of the forest, None when no event could be tested."""
    made = groups(inputs)
    if not made:
        return None
    width, extent, font = _sizes(layout)
    stacked = [_text([TITLE], width, extent, 17, 30)] if standalone else []
    stacked.append(_key(width, extent, font))
    for group in made:
        stacked += [
            _text([group.title], width, extent, font + 1, 42),
            _panel(group.rows, layout, width, _reach(made)),
        ]
    return whole(stacked, font, standalone=standalone)


def parts(inputs: ReportInputs, layout: tuple[int, int, int] = WIDE) -> list[Spec]:
    """Return the forest as one specification a target, the first with the key, so that paper can break between."""
    made, (width, extent, font) = groups(inputs), _sizes(layout)
    return [
        whole(
            [
                *([_key(width, extent, font)] if group is made[0] else []),
                _text([group.title], width, extent, font + 1, 42),
                _panel(group.rows, layout, width, _reach(made)),
            ],
            font,
            standalone=False,
        )
        for group in made
    ]


def _sizes(layout: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the width of the plotting area, that of the labels, and the font size."""
    extent = _LABELS[layout]
    return layout[0] + layout[1] - extent - (20 if not extent else 0), extent, layout[2]


def _reach(made: Sequence[Group]) -> float:
    names = ("effect", "conf_low", "conf_high", "min_detectable_effect")
    values = [abs(row[name]) for group in made for row in group.rows for name in names if not pd.isna(row[name])]
    return next((reach for reach in _REACHES if max(values) <= reach), 1.0)


def _text(lines: Sequence[str], width: int, extent: int, size: int, height: int) -> Spec:
    rows = [{"x": -extent, "y": height - 8 + 16 * i, "text": text} for i, text in enumerate(lines)]
    look = {"align": "left", "fontWeight": "bold", "fontSize": size, "color": palette.INK, "baseline": "alphabetic"}
    places = {"x": fixed("x"), "y": fixed("y"), "text": {"field": "text", "type": "nominal"}}
    return {"layer": [layer(rows, "text", look, places)], "width": width, "height": height}


def _key(width: int, extent: int, font: int) -> Spec:
    """Return the key; it stands in two rows where the chart is narrow."""
    entries = (
        ("detected", "point"),
        ("not detected", "hollow"),
        ("95% interval", "rule"),
        ("would escape the test", "band"),
    )
    layers, left, row = [], 0.0, 0
    for text, kind in entries:
        need = 46 + len(text) * font * 0.54
        if left and left + need > width + extent:
            left, row = 0.0, row + 1
        layers += _swatch(kind, left - extent, 9 + 18 * row)
        look = {"align": "left", "baseline": "middle", "fontSize": font, "color": palette.INK}
        place = {"x": left - extent + 30, "y": 9 + 18 * row, "text": text}
        layers.append(layer([place], "text", look, _XY | {"text": {"field": "text", "type": "nominal"}}))
        left += need
    return {"layer": layers, "width": width, "height": 18 * (row + 1)}


_XY: Spec = {"x": fixed("x"), "y": fixed("y")}
_X2: Spec = {"x2": {"field": "x2"}}


def _swatch(kind: str, x: float, y: float) -> list[Spec]:
    place: Record = {"x": x, "x2": x + 24, "y": y, "y2": y + 6, "top": y - 6}
    if kind == "band":
        return [layer([place], "rect", _BAND, {"x": fixed("x"), "y": fixed("top"), **_X2, "y2": {"field": "y2"}})]
    if kind == "rule":
        return [layer([place], "rule", _RULE, _XY | _X2)]
    return [layer([place | {"x": x + 12}], "point", _point(filled=kind == "point"), _XY)]


_BAND = {"fill": palette.EMPTY, "opacity": 1}
_RULE = {"color": palette.JOINT, "strokeWidth": 2, "opacity": 0.6}


def _point(*, filled: bool) -> Spec:
    inside = palette.JOINT if filled else palette.PAPER
    return {
        "shape": "circle",
        "size": 60,
        "stroke": palette.JOINT,
        "strokeWidth": 1.5,
        "fill": inside,
        "opacity": 1,
    }


_AXIS = (
    "datum.index == 0.5 ? 'no change' : (datum.index == 1 ? 'closer ' : datum.index == 0 ? 'apart ' : '')"
    " + format(datum.value, '+.1f')"
)
"""Text of the axis: its middle and its ends say what they mean."""


def _panel(rows: Sequence[dict[str, Any]], layout: tuple[int, int, int], width: int, reach: float) -> Spec:
    step, extent, font = _ROW[layout], _LABELS[layout], layout[2]
    shown = [_record(row, i, step, extent, font, width) for i, row in enumerate(rows)]
    axis = {
        "title": None, "values": [-reach, -reach / 2, 0, reach / 2, reach], "labelExpr": _AXIS,
        "ticks": False, "domain": False, "labelFlush": False,
    }  # fmt: skip
    scale = {"domain": [-reach, reach], "nice": False, "clamp": True}
    x: Spec = {"field": "effect", "type": "quantitative", "scale": scale, "axis": axis}
    bounded = [row for row in shown if "low" in row]
    limited = [row for row in shown if "limit" in row]
    text = {"align": "left", "baseline": "middle", "fontSize": font, "color": palette.INK}
    return {
        "layer": [
            layer(limited, "rect", _BAND, {"x": x | {"field": "floor"}, "x2": {"field": "limit"},
                                           "y": fixed("top"), "y2": {"field": "bottom"}}),
            layer([{"zero": 0}], "rule", {"color": palette.MUTED}, {"x": x | {"field": "zero"}}),
            layer(bounded, "rule", _RULE, {"x": x | {"field": "low"}, "x2": {"field": "high"}, "y": fixed("y")}),
            *(layer([row for row in shown if row["detected"] is filled], "point", _point(filled=filled),
                    {"x": x, "y": fixed("y")}) for filled in (True, False)),
            layer(shown, "text", text, {"x": fixed("left"), "y": fixed("line"),
                                        "text": {"field": "text", "type": "nominal"}}),
        ],
        "width": width, "height": step * len(rows),
    }  # fmt: skip


def _record(row: dict[str, Any], place: int, step: int, extent: int, font: int, width: int) -> Record:
    above = not extent
    middle = step * place + (step - 9 if above else step / 2)
    label = f"{row['number']}  {row['date'][:7]}  {row['label']}"
    fits = int((width if above else extent - 12) / (font * 0.49))
    record: Record = {
        "y": middle, "top": middle - 6, "bottom": middle + 6, "effect": row["effect"],
        "detected": row["result"] == "detected", "left": 0 if above else -extent,
        "line": step * place + 8 if above else middle, "text": textwrap.shorten(label, fits, placeholder="…"),
    }  # fmt: skip
    if not pd.isna(row["conf_low"]):
        record |= {"low": row["conf_low"], "high": row["conf_high"]}
    if not pd.isna(row["min_detectable_effect"]):
        limit = min(1.0, row["min_detectable_effect"])
        record |= {"floor": -limit, "limit": limit}
    return record


def text(inputs: ReportInputs) -> str:
    """Return the text alternative of the forest."""
    made = groups(inputs)
    if not made:
        return "No event could be tested."
    parts = []
    for group in made:
        found = [row for row in group.rows if row["result"] == "detected"]
        limits = sorted(r["min_detectable_effect"] for r in group.rows if not pd.isna(r["min_detectable_effect"]))
        reach = f", smallest detectable change {words.span(limits[0], limits[-1])}" if limits else ""
        named = ": " + "; ".join(row["label"] for row in found) if found else ""
        parts.append(f"{group.title}: {len(group.rows)} events tested, {len(found)} detected{named}{reach}.")
    return " ".join(parts)


def table(inputs: ReportInputs) -> list[tuple[str, ...]]:
    """Return the numbers of the forest: target, event, change, interval, result, smallest detectable change."""
    return [
        (
            group.title, f"{row['number']}. {row['date']} {row['label']}",
            words.number(row["effect"], signed=True),
            "–" if pd.isna(row["conf_low"]) else words.span(row["conf_low"], row["conf_high"], signed=True),
            row["result"] + (" (exploratory)" if words.exploratory(row) else ""),
            "–" if pd.isna(row["min_detectable_effect"]) else words.number(row["min_detectable_effect"]),
        )
        for group in groups(inputs) for row in group.rows
    ]  # fmt: skip
