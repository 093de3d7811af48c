"""The marks of one series: ribbon, line, points, the links across empty periods, the hatch over them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import Any, TypeAlias

import pandas as pd

from pipeline.report import palette

Record: TypeAlias = dict[str, Any]
Spec: TypeAlias = dict[str, Any]
"""A Vega-Lite specification or a part of one, as plain data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a series looks: colour, and marker and dash that tell it apart without colour."""

    colour: str
    shape: str = "circle"
    dash: tuple[int, int] = (1, 0)


FIRST = Style(colour=palette.FIRST)
SECOND = Style(colour=palette.SECOND, shape="diamond", dash=(5, 3))
JOINT = Style(colour=palette.JOINT)
TALK = Style(colour=palette.TALK, shape="square")
GREY = Style(colour=palette.MUTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What the panels of a chart share.

    `first` and `last` bound the time axis; `width` is that of the plotting area and `extent` that of the
    axis labels, in pixels; `most` is the largest number of statements behind a point, drawn with the area
    `largest`.
    """

    first: pd.Timestamp
    last: pd.Timestamp
    width: int
    extent: int
    font: int
    most: float
    largest: float

    def place(self, when: pd.Timestamp) -> float:
        """Return the pixel of a moment on the time axis."""
        return float(self.width * ((when - self.first) / (self.last - self.first)))

    def area(self, statements: float) -> float:
        """Return the area of a point; it grows with the root, or one busy period would shrink all others."""
        return 16.0 + (self.largest - 16.0) * math.sqrt(statements / max(self.most, 1.0))

    def time(self, name: str, axis: Spec | None) -> Spec:
        """Return the encoding of a moment on the axis that all panels share."""
        scale = {"type": "utc", "domain": [moment(self.first), moment(self.last)], "nice": False}
        return {"field": name, "type": "temporal", "scale": scale, "axis": axis}

    def characters(self, *, size: float | None = None) -> int:
        """Return how many characters of text fit on a line from the left edge to the right."""
        return int((self.width + self.extent) / ((size or self.font) * 0.54))


def moment(when: pd.Timestamp) -> str:
    """Return a moment as the charts read it: ISO, in UTC, the same on every machine."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def layer(values: Sequence[Record], mark: str, look: Mapping[str, Any], encoding: Spec) -> Spec:
    """Return one layer: rows, a mark with its look, and what the mark's places stand for."""
    return {"data": {"values": list(values)}, "mark": {"type": mark, **look}, "encoding": encoding}


def fixed(field: str) -> Spec:
    """Return the encoding of a column that holds pixels."""
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


Names = Callable[[Any, Mapping[Any, Any]], Record]
"""Gives a period with data, and its row, `href` (where its statements are) and `name` (its text alternative)."""


def records(data: pd.DataFrame, frame: Frame, names: Names | None = None) -> list[Record]:
    """Return the periods of a series as plain records; those without data have no numbers.

    `low` and `high` bound the interval, `inner_low` and `inner_high` the half of it that is likelier, read off
    as though each side were half a normal distribution.
    """
    answer = []
    for period, row in zip(data.index, data.to_dict("records"), strict=True):
        start, stop = period.start_time, (period + 1).start_time
        inset = (stop - start) * 0.17
        record: Record = {
            "start": moment(start), "stop": moment(stop), "middle": moment(start + (stop - start) / 2),
            "from": moment(start + inset), "to": moment(stop - inset), "run": row["run"], "status": row["status"],
        }  # fmt: skip
        if row["status"] != "empty":
            n = 0 if pd.isna(row["n_addressed"]) else row["n_addressed"]
            record |= {"estimate": row["estimate"], "area": frame.area(n)}
            if not pd.isna(row["conf_low"] + row["conf_high"]):
                record |= {"low": row["conf_low"], "high": row["conf_high"], **_inner(row)}
            record |= names(period, row) if names is not None else {}
        answer.append(record)
    return answer


def _inner(row: Mapping[Any, Any]) -> Record:
    given = float(row["conf_level"])
    level = given if 0 < given < 1 else 0.95
    share = NormalDist().inv_cdf(0.75) / NormalDist().inv_cdf((1 + level) / 2)
    middle = row["estimate"]
    ends = {"inner_low": row["conf_low"], "inner_high": row["conf_high"]}
    return {name: middle + (end - middle) * share for name, end in ends.items()}


def series_layers(rows: Sequence[Record], style: Style, frame: Frame, *, y: Spec, axis: Spec) -> list[list[Spec]]:
    """Return the layers of a series, back to front: ribbons, links and lines, points.

    Parameters
    ----------
    rows : sequence of record
        As returned by `records`.
    y : dict
        Encoding of `estimate`, with scale and axis.
    axis : dict
        The time axis.
    """
    filled = [row for row in rows if row["status"] != "empty"]
    x = frame.time("middle", axis)
    look = {"color": style.colour, "strokeWidth": 1.8, "strokeDash": list(style.dash)}
    line = layer(filled, "line", look, {"x": x, "y": y, "detail": {"field": "run", "type": "nominal"}})
    return [_ribbons(filled, style, x, y), [*_links(filled, style, x, y), line], _points(filled, style, x, y)]


def _ribbons(rows: Sequence[Record], style: Style, x: Spec, y: Spec) -> list[Spec]:
    """Draw the interval and in it its likelier half: ribbons over a run, bars where a period stands alone."""
    known = [row for row in rows if "low" in row]
    runs = [row["run"] for row in known]
    joined = [row for row in known if runs.count(row["run"]) > 1]
    alone = [row for row in known if runs.count(row["run"]) == 1]
    detail = {"detail": {"field": "run", "type": "nominal"}}
    answer = []
    for prefix in ("", "inner_"):
        places = {"x": x, "y": y | {"field": f"{prefix}low"}, "y2": {"field": f"{prefix}high"}}
        answer += [
            layer(joined, "area", {"color": style.colour, "opacity": 0.17}, places | detail),
            layer(alone, "rule", {"color": style.colour, "opacity": 0.24, "strokeWidth": 6}, places),
        ]
    return answer


def _links(rows: Sequence[Record], style: Style, x: Spec, y: Spec) -> list[Spec]:
    """Draw a thin dotted link where periods between two runs are empty; it claims no value."""
    breaks = [
        {"middle": a["middle"], "estimate": a["estimate"], "to": b["middle"], "at": b["estimate"]}
        for a, b in pairwise(rows)
        if a["run"] != b["run"]
    ]
    look = {"color": style.colour, "opacity": 0.65, "strokeWidth": 0.9, "strokeDash": [1, 4]}
    return [layer(breaks, "rule", look, {"x": x, "y": y, "x2": {"field": "to"}, "y2": {"field": "at"}})]


def _points(rows: Sequence[Record], style: Style, x: Spec, y: Spec) -> list[Spec]:
    size = {"field": "area", "type": "quantitative", "scale": None}
    look = {"shape": style.shape, "stroke": style.colour, "strokeWidth": 1.4, "opacity": 1}
    places = {"x": x, "y": y, "size": size}
    return [
        layer(
            [row for row in rows if (row["status"] == "sparse") is sparse and ("href" in row) is linked],
            "point", look | {"fill": inside, **({"aria": True} if linked else {})},
            places | (_LINKED if linked else {}),
        )
        for sparse, inside in ((False, style.colour), (True, palette.PAPER)) for linked in (False, True)
    ]  # fmt: skip


_LINKED: Spec = {"href": {"field": "href", "type": "nominal"}, "description": {"field": "name", "type": "nominal"}}
"""Encoding of a point that leads to its statements."""


def bar_layers(rows: Sequence[Record], style: Style, frame: Frame, *, y: Spec, axis: Spec) -> list[Spec]:
    """Return bars from zero with a thin rule for the interval."""
    filled = [row | {"zero": 0} for row in rows if row["status"] != "empty"]
    known = [row for row in filled if "low" in row]
    places = {"x": frame.time("from", axis), "x2": {"field": "to"}, "y": y, "y2": {"field": "zero"}}
    whisker = {"x": frame.time("middle", axis), "y": y | {"field": "low"}, "y2": {"field": "high"}}
    return [
        layer(filled, "rect", {"color": style.colour, "opacity": 0.5}, places),
        layer(known, "rule", {"color": style.colour, "strokeWidth": 1}, whisker),
    ]


def empty_layer(rows: Sequence[Sequence[Record]], frame: Frame, axis: Spec) -> Spec:
    """Return the hatch over the periods for which none of several series has data."""
    spans: list[Record] = []
    for here in zip(*rows, strict=True):
        if any(row["status"] != "empty" for row in here):
            continue
        start, stop = here[0]["start"], here[0]["stop"]
        if spans and spans[-1]["stop"] == start:
            start = spans.pop()["start"]
        spans.append({"start": start, "stop": stop})
    places = {"x": frame.time("start", axis), "x2": {"field": "stop"}}
    return layer(spans, "rect", {"fill": palette.EMPTY, "opacity": 1}, places)


def _rows(events: pd.DataFrame) -> Iterator[Any]:
    return iter(events.itertuples())


_THIN = {"color": palette.RULE, "strokeWidth": 0.8}


def event_rules(events: pd.DataFrame, frame: Frame, axis: Spec) -> Spec:
    """Return a thin rule through a panel for each event."""
    rows = [{"when": moment(row.when)} for row in _rows(events)]
    return layer(rows, "rule", _THIN, {"x": frame.time("when", axis)})


def event_numbers(events: pd.DataFrame, frame: Frame, height: int) -> list[Spec]:
    """Return the events' numbers above a panel, in lanes, each on a stem down to the panel."""
    stems = [
        {"x": frame.place(row.when), "y": height - 3 - 13 * lane, "foot": height, "number": str(row.number)}
        for row, lane in zip(_rows(events), lanes(events, frame), strict=True)
    ]
    look = {"fontSize": frame.font - 1, "fontWeight": "bold", "color": palette.MUTED, "baseline": "bottom"}
    x, y = fixed("x"), fixed("y")
    return [
        layer(stems, "rule", _THIN, {"x": x, "y": y, "y2": {"field": "foot"}}),
        layer(stems, "text", look, {"x": x, "y": y, "text": {"field": "number", "type": "nominal"}}),
    ]


def lanes(events: pd.DataFrame, frame: Frame) -> list[int]:
    """Return the lane of each event's number: the lowest where it stands clear of numbers and stems."""
    placed: list[tuple[float, float, int]] = []
    for row in _rows(events):
        place = frame.place(row.when)
        half = frame.font * 0.3 * len(str(row.number)) + 1.5
        near = {lane for other, reach, lane in placed if place - half < other + reach}
        # A stem passes every lane below its number, so a close neighbour goes above all that it would cross.
        placed.append((place, half, max(near) + 1 if near else 0))
    return [lane for _, _, lane in placed]


def depth(events: pd.DataFrame, frame: Frame) -> int:
    """Return how many lanes the events' numbers take."""
    return max(lanes(events, frame), default=-1) + 1
