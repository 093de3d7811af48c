"""The charts as Vega-Lite specifications: one per target, and the pooled one."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.report import palette
from pipeline.report.evidence import Index
from pipeline.report.inputs import (
    ALL,
    ReportInputs,
    drawn_rows,
    events_about,
    frequency,
    has_data,
    numbered_events,
    period_grid,
    period_text,
    uncorrected_targets,
)
from pipeline.report.marks import (
    GREY,
    Frame,
    Names,
    Record,
    Spec,
    Style,
    bar_layers,
    depth,
    empty_layer,
    event_numbers,
    event_rules,
    fixed,
    layer,
    records,
    series_layers,
)
from pipeline.report.panels import Line, Panel, panels

WIDE, NARROW = (658, 84, 11), (262, 66, 10)
"""Plotting width, width of the axis labels and font size, in pixels: for a laptop and for a phone."""
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"


def chart(
    inputs: ReportInputs,
    target: str,
    layout: tuple[int, int, int] = WIDE,
    *,
    standalone: bool = False,
    index: Index | None = None,
) -> Spec | None:
    """Return the Vega-Lite specification of a target's chart (`ALL`: the pooled one).

    Parameters
    ----------
    layout : tuple of int
        `WIDE` or `NARROW`.
    standalone : bool
        Add ground, title and the list of events, which the page gives as text.
    index : Index, optional
        Where the statements behind the points are; with it each point is a link to them.

    Returns
    -------
    dict or None
        None when there is no row to draw.
    """
    rows = drawn_rows(inputs.trends)
    if rows.empty:
        return None
    events = chart_events(inputs, target, rows)
    drawn = panels(inputs, rows, target)
    title = chart_title(inputs, target) if standalone else ""
    return draw(inputs, drawn, layout, events=events, title=title, index=index, target=target)


def draw(
    inputs: ReportInputs, drawn: Sequence[Panel], layout: tuple[int, int, int] = WIDE, *, events: pd.DataFrame,
    title: str = "", index: Index | None = None, target: str = ALL,
) -> Spec:  # fmt: skip
    """Return the specification of panels on one time axis.

    Parameters
    ----------
    events : DataFrame
        Numbered events to mark, as `chart_events` returns them.
    title : str
        Makes the drawing stand alone: ground, title and the list of events are added.
    index : Index, optional
        Where the statements behind the points are.
    target : str
        Target of the lines that name none.
    """
    frame = _frame(drawn_rows(inputs.trends), drawn, layout)
    parts = [_key(_key_entries(drawn, frame), frame)]
    for panel in drawn:
        numbered = events if panel is drawn[0] else events.iloc[:0]
        names = [_names(line, line.target or target, index) for line in panel.series] if index is not None else None
        view = _panel(panel, frame, events, names, last=panel is drawn[-1])
        parts += [_header(panel.title, numbered, frame), view]
    if title:
        parts = [_title(inputs, title, target, frame), *parts, *_event_list(events, frame)]
    return whole(parts, frame.font, standalone=bool(title))


def chart_events(inputs: ReportInputs, target: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the events marked on a chart: those about its target (or a pooled one), within its time axis."""
    events, grid = numbered_events(inputs.events), period_grid(rows)
    if rows.empty:
        return events.iloc[:0]
    about = inputs.targets.pooled if target == ALL else (target,)
    numbers = {number for name in about for number in events_about(events, name)["number"]}
    inside = (events["when"] >= grid[0].start_time) & (events["when"] < (grid[-1] + 1).start_time)
    return events[inside & events["number"].isin(numbers)]


def chart_title(inputs: ReportInputs, target: str) -> str:
    """Return the title of a chart: what it shows, of whom, and by which period."""
    subject = "Pooled convergence and declared coordination" if target == ALL else inputs.label(target)
    return f"{subject}: {inputs.pair_text} by {frequency(inputs.trends)}"


def _frame(rows: pd.DataFrame, drawn: Sequence[Panel], layout: tuple[int, int, int]) -> Frame:
    grid, (width, extent, font) = period_grid(rows), layout
    known = [line.data for line in drawn[0].series if has_data(line.data)]
    most = max((data["n_addressed"].max() for data in known), default=1.0)
    return Frame(
        first=grid[0].start_time, last=(grid[-1] + 1).start_time, width=width, extent=extent, font=font,
        most=float(most) if most > 0 else 1.0, largest=min(120.0, max(30.0, (0.78 * width / len(grid)) ** 2)),
    )  # fmt: skip


def whole(parts: Sequence[Spec], font: int, *, standalone: bool) -> Spec:
    """Stack views into a specification in the house style; one that stands alone has a ground."""
    axis = {
        "labelColor": palette.MUTED, "gridColor": palette.GRID, "domainColor": palette.RULE,
        "tickColor": palette.RULE, "labelFontSize": font,
    }  # fmt: skip
    config: Spec = {"aria": False, "font": FONT, "view": {"stroke": None}, "axis": axis, "text": {"font": FONT}}
    return {
        "$schema": _SCHEMA, "vconcat": list(parts), "spacing": 0, "bounds": "flush", "config": config,
        "padding": 14 if standalone else {"left": 1, "top": 1, "right": 12, "bottom": 3},
        "background": palette.PAPER if standalone else "transparent",
    }  # fmt: skip


def _names(line: Line, target: str, index: Index) -> Names:
    """Return what gives each period of a series its link and its text alternative."""

    def names(period: Any, row: Mapping[Any, Any]) -> Record:
        link = index.anchor(str(period), target, line.actor)
        return {"href": link, "name": f"{line.name}, {point_text(period, row)}"} if link else {}

    return names


def point_text(period: Any, row: Mapping[Any, Any]) -> str:
    """Return a period's estimate in words: the text alternative of its point."""
    count = 0 if pd.isna(row["n_addressed"]) else int(row["n_addressed"])
    known = not pd.isna(row["conf_low"] + row["conf_high"])
    interval = f" ({row['conf_low']:.2f} to {row['conf_high']:.2f})" if known else ""
    sparse = ", sparse" if row["status"] == "sparse" else ""
    said = f"{period_text(period)}: {row['estimate']:.2f}{interval}".replace("-", "−")
    return f"{said}, {count} statement{'s' * (count != 1)}{sparse}"


def _panel(panel: Panel, frame: Frame, events: pd.DataFrame, names: Sequence[Names] | None, *, last: bool) -> Spec:
    axis, y = _time_axis(frame, labels=last), _value(panel, frame)
    named: Sequence[Names | None] = names or [None] * len(panel.series)
    rows = [records(line.data, frame, name) for line, name in zip(panel.series, named, strict=True)]
    layers = [empty_layer(rows, frame, axis)]
    if panel.rules:
        layers.append(event_rules(events, frame, axis))
    if panel.zero:
        look = {"color": palette.MUTED, "strokeWidth": 1.1}
        layers.append(layer([{"zero": 0}], "rule", look, {"y": y | {"field": "zero"}}))
    if panel.bars:
        layers += bar_layers(rows[0], panel.series[0].style, frame, y=y, axis=axis)
    else:
        styles = [line.style for line in panel.series]
        pairs = zip(rows, styles, strict=True)
        stacks = [series_layers(data, style, frame, y=y, axis=axis) for data, style in pairs]
        layers += [one for level in zip(*stacks, strict=True) for group in level for one in group]
    return {"layer": layers, "width": frame.width, "height": panel.height}


def _value(panel: Panel, frame: Frame) -> Spec:
    axis = {
        "values": list(panel.values), "labelExpr": panel.labels, "title": None, "minExtent": frame.extent,
        "maxExtent": frame.extent, "ticks": False, "domain": False, "labelOverlap": False, "labelPadding": 5,
    }  # fmt: skip
    scale = {"domain": [min(panel.values), max(panel.values)], "nice": False, "clamp": True}
    return {"field": "estimate", "type": "quantitative", "scale": scale, "axis": axis}


def _time_axis(frame: Frame, *, labels: bool) -> Spec:
    years = (frame.last - frame.first).days > 2 * 366
    return {
        "title": None, "format": "%Y" if years else "%b %Y", "labels": labels, "ticks": labels, "domain": labels,
        "tickCount": {"interval": "year", "step": 1} if years else 4, "labelFlush": False, "labelOverlap": True,
    }  # fmt: skip


def _lines(texts: Sequence[str], frame: Frame, height: int, look: Spec, *, top: float, step: float) -> Spec:
    """Return a view of lines of text that starts at the left edge of the axis labels."""
    rows = [{"x": -frame.extent, "y": top + step * i, "text": text} for i, text in enumerate(texts)]
    places = {"x": fixed("x"), "y": fixed("y"), "text": {"field": "text", "type": "nominal"}}
    shown = layer(rows, "text", {"align": "left", "baseline": "alphabetic", "color": palette.INK, **look}, places)
    return {"layer": [shown], "width": frame.width, "height": height}


def _header(title: str, events: pd.DataFrame, frame: Frame) -> Spec:
    """Return the space above a panel: its title, and under it the numbers of the events."""
    size = frame.font + 1
    lines = textwrap.wrap(title, frame.characters(size=size * 1.04), max_lines=3)
    step, lanes = size + 3, depth(events, frame)
    height = round(22 + step * len(lines) + 11 + (13 * lanes if lanes else 0))
    look = {"fontWeight": "bold", "fontSize": size}
    view = _lines(lines, frame, height, look, top=22 + size - 1, step=step)
    return view | {"layer": [*view["layer"], *event_numbers(events, frame, height)]}


def _title(inputs: ReportInputs, title: str, target: str, frame: Frame) -> Spec:
    lines = textwrap.wrap(title, frame.characters(size=17), max_lines=3)
    height = 22 * len(lines) + 8
    view = _lines(lines, frame, height, {"fontSize": 17, "fontWeight": "bold"}, top=15, step=22)
    if not set(uncorrected_targets(inputs.trends)) & {target, ALL}:
        return view
    look = {"fontSize": 12, "fontWeight": "bold", "color": palette.ALARM}
    warning = _lines([UNCORRECTED], frame, 0, look, top=height + 4, step=0)
    return view | {"layer": [*view["layer"], *warning["layer"]], "height": height + 18}


UNCORRECTED = "UNCORRECTED for classifier error: differences and changes can be errors of the classifier."
"""The warning on a chart that holds an uncorrected series."""


def _event_list(events: pd.DataFrame, frame: Frame) -> list[Spec]:
    numbers, texts = [], []
    for row in events.itertuples():
        when = pd.Timestamp(row.when).date()  # type: ignore[arg-type]
        wrapped = textwrap.wrap(f"{when}  {row.label}", frame.characters() - 6, max_lines=3)
        numbers += [str(row.number), *[""] * (len(wrapped) - 1)]
        texts += wrapped
    if not texts:
        return []
    height, look = 40 + 16 * len(texts), {"fontSize": frame.font}
    label = _lines(numbers, frame, height, look | {"fontWeight": "bold", "color": palette.MUTED}, top=50, step=16)
    lines = _lines(texts, frame, height, look | {"dx": 22}, top=50, step=16)
    return [label | {"layer": [*label["layer"], *lines["layer"]]}]


Entry = tuple[str, Style | None, str, float]
"""Text of a key's entry, its style, its kind (series, band, sparse, point, empty) and the area of its point."""


def _key_entries(drawn: Sequence[Panel], frame: Frame) -> list[Entry]:
    top = drawn[0].series
    names = [line.name.rsplit(", ", 1)[0] for line in top] if len(top) > 1 else ["Estimate"]
    found = {level for panel in drawn for line in panel.series for level in line.data["conf_level"].dropna()}
    levels = ", ".join(f"{level:.0%}" for level in sorted(found)) or "95%"
    return [
        *((name[:30], line.style, "series", 60.0) for name, line in zip(names, top, strict=True)),
        (f"{levels} interval, darker 50%", GREY if len(top) > 1 else top[0].style, "band", 0.0),
        ("sparse (below 3)", GREY, "sparse", 60.0),
        ("no data", None, "empty", 0.0),
        ("1", GREY, "point", frame.area(1)),
        (f"{frame.most:.0f} statements", GREY, "point", frame.area(frame.most)),
    ]


def _key(entries: Sequence[Entry], frame: Frame) -> Spec:
    """Return the key: the entries in as many rows as the width asks for."""
    layers: list[Spec] = []
    left, row = 0.0, 0
    for text, style, kind, size in entries:
        swatch = 16 if kind in {"sparse", "point"} else 30
        need = swatch + 20 + len(text) * frame.font * 0.52
        if left and left + need > frame.width + frame.extent + 12:
            left, row = 0.0, row + 1
        place = {"x": left - frame.extent, "y": 9 + 18 * row}
        layers += _swatch(place, swatch, style, kind, size)
        label = place | {"x": place["x"] + swatch + 5, "text": text}
        look = {"align": "left", "baseline": "middle", "color": palette.INK, "fontSize": frame.font}
        layers.append(layer([label], "text", look, _PLACE | {"text": {"field": "text", "type": "nominal"}}))
        left += need
    return {"layer": layers, "width": frame.width, "height": 18 * (row + 1)}


_PLACE: Spec = {"x": fixed("x"), "y": fixed("y")}
_SPAN: Spec = {"x2": {"field": "x2"}}


def _swatch(place: dict[str, Any], width: int, style: Style | None, kind: str, size: float) -> list[Spec]:
    x, y = place["x"], place["y"]
    if style is None or kind == "band":
        look = {"fill": palette.EMPTY, "opacity": 1} if style is None else {"fill": style.colour, "opacity": 0.17}
        halves = (6,) if style is None else (6, 2.5)
        areas = [{"x": x, "x2": x + width, "y": y - half, "y2": y + half} for half in halves]
        return [layer(areas, "rect", look, _PLACE | _SPAN | {"y2": {"field": "y2"}})]
    look = {"shape": style.shape, "stroke": style.colour, "strokeWidth": 1.4, "opacity": 1, "size": size}
    inside = palette.PAPER if kind == "sparse" else style.colour
    point = layer([{"x": x + width / 2, "y": y}], "point", look | {"fill": inside}, _PLACE)
    if kind != "series":
        return [point]
    look = {"color": style.colour, "strokeWidth": 1.8, "strokeDash": list(style.dash)}
    return [layer([{"x": x, "x2": x + width, "y": y}], "rule", look, _PLACE | _SPAN), point]
