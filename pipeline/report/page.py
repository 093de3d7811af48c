"""The page and the files beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from pipeline.report import charts, drawing, palette, words
from pipeline.report.inputs import (
    ALL,
    ALPHA,
    ReportInputs,
    drawn_rows,
    events_about,
    file_stem,
    frequency,
    numbered_events,
    period_grid,
    period_text,
    series,
    target_ids,
)
from pipeline.report.panels import POOLED_MEASURES, pair_series
from pipeline.tables import atomic_path

PROVENANCE_NAMES = {
    "paraphrase": "documented paraphrase", "verbatim": "verbatim text", "reported": "as reported by media",
}  # fmt: skip
_NOTHING = "–"
Row = dict[str, Any]


def write_report(inputs: ReportInputs, out: Path) -> list[Path]:
    """Write `report.html` and the charts as SVG and PNG.

    Parameters
    ----------
    inputs : ReportInputs
        What to report.
    out : Path
        Folder; made when missing. Each file appears whole or not at all.

    Returns
    -------
    list of Path
        The page, then `charts/<target>.svg` and `.png` of every chart.

    Raises
    ------
    StanceError
        When the folder cannot be written to.
    """
    written = [out / "report.html"]
    subjects = (ALL, *target_ids(inputs)) if not drawn_rows(inputs.trends).empty else ()
    for target in subjects:
        written += _write_chart(inputs, target, out / "charts")
    with atomic_path(written[0]) as draft:
        draft.write_text(page(inputs), encoding="utf-8")
    return written


def _write_chart(inputs: ReportInputs, target: str, folder: Path) -> list[Path]:
    spec = charts.chart(inputs, target, standalone=True)
    if spec is None:
        return []
    title, text = charts.chart_title(inputs, target), words.chart_text(inputs, target)
    drawn = drawing.svg(spec, ident="chart", title=title, text=text)
    stem = "pooled" if target == ALL else file_stem(target)
    paths = [folder / f"{stem}.svg", folder / f"{stem}.png"]
    for path, content in zip(paths, (drawn.encode(), drawing.png(drawn)), strict=True):
        with atomic_path(path) as draft:
            draft.write_bytes(content)
    return paths


def page(inputs: ReportInputs) -> str:
    """Return the page: one file with its style and drawings inside, no script, no request to anywhere."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    rows = drawn_rows(inputs.trends)
    return environment.get_template("page.html.j2").render(
        inputs=inputs,
        freq=frequency(inputs.trends),
        alpha=ALPHA,
        style=Markup(_style()),  # noqa: S704 (no data in it)
        warning=words.warning(inputs),
        findings=words.findings(inputs),
        figures=[] if rows.empty else [_figure(inputs, rows, name) for name in (ALL, *target_ids(inputs))],
        years=_years(inputs, rows),
        tests=_tests(inputs),
        events=_events(inputs),
        sources=_sources(inputs),
    )


def _style() -> str:
    return (
        f":root {{ color-scheme: light dark; {palette.variables(dark=False)} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {palette.variables(dark=True)} }} }}\n"
        f"{palette.swaps()}"
    )


def _figure(inputs: ReportInputs, rows: pd.DataFrame, target: str) -> Row:
    stem = "pooled" if target == ALL else file_stem(target)
    drawings = {
        name: drawing.svg(charts.chart(inputs, target, layout) or {}, ident=f"{stem}-{name}")
        for name, layout in (("wide", charts.WIDE), ("narrow", charts.NARROW))
    }
    known = {one.id: one.proposition for one in inputs.targets.target}
    return {
        "id": stem,
        "title": charts.chart_title(inputs, target),
        "proposition": known.get(target, ""),
        "text": words.chart_text(inputs, target),
        "events": charts.chart_events(inputs, target, rows).to_dict("records"),
        "table": _chart_table(inputs, rows, target),
        # Vega escapes the text in its drawings; everything else goes through the template's escaping.
        **{name: Markup(drawn) for name, drawn in drawings.items()},  # noqa: S704
    }


def _columns(inputs: ReportInputs, rows: pd.DataFrame, target: str) -> Mapping[str, tuple[pd.DataFrame, bool]]:
    """Return the series of a chart by column heading, each with whether its numbers carry a sign."""
    if target == ALL:
        names = ("Pooled convergence", "Declared coordination", "Declared minus revealed")
        return {
            name: (pair_series(rows, measure), measure != "pooled_convergence")
            for name, measure in zip(names, POOLED_MEASURES, strict=True)
        }
    answer = {}
    for measure, signed in (("position", True), ("salience", False)):
        for actor, name in zip(inputs.pair, inputs.pair_names, strict=True):
            data = series(rows, measure=measure, target=target, actor=actor)
            answer[f"{name}, {measure}"] = (data, signed)
        if measure == "position":
            answer["Convergence"] = (pair_series(rows, "convergence", target), False)
    return answer


def _cell(row: Any, *, signed: bool) -> str:
    if row["status"] == "empty":
        return _NOTHING
    value = words.number(row["estimate"], signed=signed)
    if not pd.isna(row["conf_low"] + row["conf_high"]):
        value = f"{value} [{words.span(row['conf_low'], row['conf_high'], signed=signed)}]"
    return f"{value} sparse" if row["status"] == "sparse" else value


def _chart_table(inputs: ReportInputs, rows: pd.DataFrame, target: str) -> Row:
    columns = _columns(inputs, rows, target)
    cells = [[_cell(row, signed=signed) for row in data.to_dict("records")] for data, signed in columns.values()]
    periods = [period_text(period) for period in next(iter(columns.values()))[0].index]
    return {"head": list(columns), "body": list(zip(periods, *cells, strict=True))}


def _years(inputs: ReportInputs, rows: pd.DataFrame) -> list[Row]:
    """Return per core target and year the last period with convergence, or else with any position."""
    if rows.empty:
        return []
    years = sorted({period.year for period in period_grid(rows)})
    answer = []
    for target in inputs.core:
        columns = list(_columns(inputs, rows, target).values())[:3]
        answer.append({"target": inputs.label(target), "lines": [_year(year, columns) for year in years]})
    return answer


def _year(year: int, columns: list[tuple[pd.DataFrame, bool]]) -> Row:
    years = [data[data.index.year == year] for data, _ in columns]  # type: ignore[attr-defined]
    first, second, joint = (data.index[data["status"] != "empty"] for data in years)
    periods = joint if len(joint) else first.union(second)
    if not len(periods):
        return {"period": year, "cells": [_NOTHING] * len(columns)}
    cells = [_cell(data.loc[periods[-1]], signed=signed) for data, (_, signed) in zip(years, columns, strict=True)]
    return {"period": period_text(periods[-1]), "cells": cells}


def _tests(inputs: ReportInputs) -> list[Row]:
    """Return per target the tests that could be made, and the names of those that could not."""
    present = {str(name) for name in inputs.tests["target"].dropna()}
    order = [name for name in (ALL, *inputs.targets.ids) if name in present]
    order += sorted(present - set(order))
    numbers = {row["event_id"]: row["number"] for row in numbered_events(inputs.events).to_dict("records")}
    answer = []
    for target in order:
        tests = words.tests_of(inputs, target)
        made = [_test(row, numbers) for row in tests if row["result"] != "not testable"]
        left = [_test_name(row, numbers) for row in tests if row["result"] == "not testable"]
        name = "Pooled index" if target == ALL else inputs.label(target)
        answer.append({"target": name, "made": made, "left": ", ".join(left)})
    return answer


_SHORT = {"changepoint": "change point", "leadlag": "lead-lag", "classifier_drift": "classifier drift"}


def _test_name(row: Row, numbers: Mapping[Any, int]) -> str:
    event = f" {numbers.get(row['event_id'], row['event_id'])}" if row["event_id"] else ""
    return _SHORT.get(row["test"], str(row["test"])) + event


def _test(row: Row, numbers: Mapping[Any, int]) -> Row:
    known = {name: not pd.isna(row[name]) for name in ("effect", "conf_low", "min_detectable_effect")}
    effect = words.number(row["effect"], signed=True) if known["effect"] else _NOTHING
    interval = f" [{words.span(row['conf_low'], row['conf_high'], signed=True)}]" if known["conf_low"] else ""
    return {
        "test": _test_name(row, numbers),
        "window": f"{str(row['window_start'])[:7]} to {str(row['window_end'])[:7]}",
        "effect": effect + interval,
        "unit": row["unit"],
        "p": words.probability(row["p_adjusted"])[2:].removeprefix("= "),
        "limit": words.number(row["min_detectable_effect"]) if known["min_detectable_effect"] else _NOTHING,
        "result": row["result"] + (" (exploratory)" if words.exploratory(row) else ""),
        "detected": row["result"] == "detected",
    }


def _events(inputs: ReportInputs) -> list[Row]:
    known = [*inputs.targets.ids, *(name for name in target_ids(inputs) if name not in inputs.targets.ids)]
    events = numbered_events(inputs.events)
    about: dict[int, list[str]] = {number: [] for number in events["number"]}
    for target in known:
        for number in events_about(events, target)["number"]:
            about[number].append(inputs.label(target))
    return [
        {
            "number": row["number"],
            "date": row["when"].date().isoformat(),
            "label": row["label"],
            "about": "all" if len(about[row["number"]]) == len(known) else ", ".join(about[row["number"]]),
            "link": safe_link(row.get("source_url")),
        }
        for row in events.to_dict("records")
    ]


def safe_link(value: object) -> str:
    """Return an address that a page may link to: http or https only; empty for anything else."""
    return value if isinstance(value, str) and re.match(r"https?://[^\s]+$", value) else ""


def _sources(inputs: ReportInputs) -> list[Row]:
    return [
        {
            "country": inputs.name(str(row["country"])),
            "provenance": PROVENANCE_NAMES.get(str(row["provenance"]), str(row["provenance"])),
            "statements": int(row["statements"]),
            "labelled": int(row["labelled"]),
            "share": f"{row['labelled'] / row['statements']:.0%}" if row["statements"] else _NOTHING,
        }
        for row in inputs.sources.to_dict("records")
    ]
