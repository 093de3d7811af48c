"""The page and the files beside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from pipeline.report import cards, charts, drawing, forest, palette, quality, words
from pipeline.report.answer import answer
from pipeline.report.evidence import STATEMENTS_FILE, Evidence, clean, gather, safe_link, statements_table
from pipeline.report.indicators import Indicator, indicators
from pipeline.report.indicators import table as indicator_table
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
from pipeline.report.marks import Spec
from pipeline.report.panels import POOLED_MEASURES, Line, pair_series
from pipeline.schema import STANCES
from pipeline.tables import atomic_path, write_frame

PROVENANCE_NAMES = {
    "paraphrase": "documented paraphrase", "verbatim": "verbatim text", "reported": "as reported by media",
}  # fmt: skip
_NOTHING = "–"
_TEMPLATES = Path(__file__).parent / "templates"
Row = dict[str, Any]


def write_report(inputs: ReportInputs, out: Path) -> list[Path]:
    """Write the page, the charts as SVG and PNG, and `statements.csv` with every statement, if there is any.

    Parameters
    ----------
    inputs : ReportInputs
        What to report.
    out : Path
        Folder; made when missing. Each file appears whole or not at all.

    Returns
    -------
    list of Path
        The page, `statements.csv`, then `charts/<name>.svg` and `.png` of every chart.

    Raises
    ------
    StanceError
        When the folder cannot be written to.
    """
    held, written = gather(inputs), [out / "report.html"]
    for stem, title, text, spec in _files(inputs):
        written += _write_chart(out / "charts", stem, title, text, spec)
    if held.total:
        written.insert(1, out / STATEMENTS_FILE)
        write_frame(statements_table(inputs, held), written[1])
    with atomic_path(written[0]) as draft:
        draft.write_text(page(inputs, held), encoding="utf-8", errors="replace")
    return written


def _files(inputs: ReportInputs) -> list[tuple[str, str, str, Spec | None]]:
    """Return name, title, text alternative and specification of every chart that stands alone."""
    rows = drawn_rows(inputs.trends)
    subjects = (ALL, *target_ids(inputs)) if not rows.empty else ()
    made: list[tuple[str, str, str, Spec | None]] = [
        ("pooled" if target == ALL else file_stem(target), charts.chart_title(inputs, target),
         words.chart_text(inputs, target), charts.chart(inputs, target, standalone=True))
        for target in subjects
    ]  # fmt: skip
    for one in indicators(inputs):
        spec = charts.draw(inputs, one.panels, events=_no_events(inputs), title=one.question)
        made.append((f"indicator-{one.id}", one.question, words.lines_text(inputs, _lines(one)), spec))
    made.append(("events", forest.TITLE, forest.text(inputs), forest.chart(inputs, standalone=True)))
    last = (quality.calibration_text(inputs), quality.calibration_chart(inputs, standalone=True))
    return [*made, ("calibration", quality.TITLE, *last)]


def _no_events(inputs: ReportInputs) -> pd.DataFrame:
    return numbered_events(inputs.events).iloc[:0]


def _write_chart(folder: Path, stem: str, title: str, text: str, spec: Spec | None) -> list[Path]:
    if spec is None:
        return []
    drawn = drawing.svg(spec, ident="chart", title=title, text=text)
    paths = [folder / f"{stem}.svg", folder / f"{stem}.png"]
    for path, content in zip(paths, (drawn.encode(), drawing.png(drawn)), strict=True):
        with atomic_path(path) as draft:
            draft.write_bytes(content)
    return paths


def page(inputs: ReportInputs, held: Evidence | None = None) -> str:
    """Return the page: one file with style, drawings and statements inside, and no request to anywhere.

    Its one script is known to the page's policy by its hash, so that no other can run; without it everything
    can still be read. `held` is what `gather` returns for these inputs.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    rows, script = drawn_rows(inputs.trends), (_TEMPLATES / "script.js").read_text(encoding="utf-8")
    held = gather(inputs) if held is None else held
    return environment.get_template("page.html.j2").render(
        inputs=inputs,
        freq=frequency(inputs.trends),
        alpha=ALPHA,
        style=Markup(_style()),  # noqa: S704 (no data in it)
        script=Markup(script),  # noqa: S704 (no data in it)
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        warning=words.warning(inputs),
        answer=answer(inputs),
        findings=words.findings(inputs),
        together=None if rows.empty else _figure(inputs, rows, ALL, held),
        charts=[] if rows.empty else [_figure(inputs, rows, name, held) for name in target_ids(inputs)],
        indicators=[_indicator(inputs, one, held) for one in indicators(inputs)],
        forest=_forest(inputs),
        years=_years(inputs, rows),
        tests=_tests(inputs),
        events=_events(inputs),
        sources=_sources(inputs),
        statements_file=STATEMENTS_FILE,
        **_evidence(inputs, held),
        **_quality(inputs),
    )


def _style() -> str:
    return (
        f":root {{ color-scheme: light dark; {palette.variables(dark=False)} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {palette.variables(dark=True)} }} }}\n"
        f"{palette.swaps()}\n{(_TEMPLATES / 'style.css').read_text(encoding='utf-8')}"
    )


def _drawings(stem: str, make: Callable[[tuple[int, int, int]], Sequence[Spec | None]]) -> Row:
    """Draw a chart for a laptop and for a phone, in as many parts as it is made of."""
    drawn = {
        name: "\n".join(
            drawing.svg(spec or {}, ident=f"{stem}-{name}{i or ''}") for i, spec in enumerate(make(layout))
        )
        for name, layout in (("wide", charts.WIDE), ("narrow", charts.NARROW))
    }
    # Vega escapes the text in its drawings; everything else goes through the template's escaping.
    marked = {name: Markup(text) for name, text in drawn.items()}  # noqa: S704
    return {"id": stem, "linked": "<a " in drawn["wide"], **marked}


def _figure(inputs: ReportInputs, rows: pd.DataFrame, target: str, held: Evidence) -> Row:
    stem = "pooled" if target == ALL else file_stem(target)
    known = {one.id: one.proposition for one in inputs.targets.target}
    return {
        "title": charts.chart_title(inputs, target),
        "intro": f"Proposition: {known[target]}" if known.get(target) else "",
        "text": words.chart_text(inputs, target),
        "events": charts.chart_events(inputs, target, rows).to_dict("records"),
        "table": _table(_columns(inputs, rows, target)),
        **_drawings(stem, lambda layout: [charts.chart(inputs, target, layout, index=held.index)]),
    }


def _lines(one: Indicator) -> list[Line]:
    return [line for panel in one.panels for line in panel.series]


def _indicator(inputs: ReportInputs, one: Indicator, held: Evidence) -> Row:
    lines, index = _lines(one), held.index
    draw = partial(charts.draw, inputs, one.panels, events=_no_events(inputs), index=index, target=one.about[0][1])
    figure = {
        "title": one.question, "intro": one.reading, "text": words.lines_text(inputs, lines), "events": [],
        "table": _table({line.name: (line.data, not line.name.endswith("salience")) for line in lines}),
        **_drawings(f"indicator-{one.id}", lambda layout: [draw(layout)]),
    }  # fmt: skip
    links = [
        {"c": index.countries.index(actor), "t": index.targets.index(target), "name": inputs.name(actor),
         "label": inputs.label(target)}
        for actor, target in one.about if actor in index.countries and target in index.targets
    ]  # fmt: skip
    examples = [found for link in links for found in _examples(held, int(str(link["c"])), int(str(link["t"])))]
    return {
        "figure": figure, "sentences": one.sentences, "table": indicator_table(one.measured), "links": links,
        "examples": examples,
    }  # fmt: skip


def _examples(held: Evidence, country: int, target: int) -> list[Row]:
    """Return the latest statement of each stance by one actor on one target; coders' labels go before tags."""
    found: dict[str, Row] = {}
    items = [item for group in held.groups for item in group["items"] if item["c"] == country and item["date"]]
    for by_hand in (True, False):
        for item in items:
            for tag in item["stances"]:
                if tag["t"] == target and bool(tag["gold"]) is by_hand and tag["final"] != "none":
                    text = "".join(piece for piece, _ in item["pieces"])
                    said = {"said": f"{tag['final']} on {tag['label']}", "text": clean(text, longest=260)}
                    found.setdefault(tag["final"], item | said)
    return [found[stance] for stance in STANCES if stance in found]


def _forest(inputs: ReportInputs) -> Row | None:
    if not forest.groups(inputs):
        return None
    head = ["Event", "Change of convergence", "95% interval", "Result", "Smallest detectable"]
    return {
        "title": forest.TITLE, "text": forest.text(inputs), "events": [],
        "intro": "To the right they came closer, to the left they moved apart. A change within the grey bar would "
        "in most cases have escaped the test, so a hollow point says “not detected”, not “no change”.",
        "table": {"head": head, "body": forest.table(inputs)},
        **_drawings("event-forest", partial(forest.parts, inputs)),
    }  # fmt: skip


def _evidence(inputs: ReportInputs, held: Evidence) -> Row:
    return {
        "evidence": held,
        "countries": [clean(inputs.name(actor), longest=160) for actor in held.index.countries],
        "targets": [inputs.label(target) for target in held.index.targets],
        "periods": [group for group in reversed(held.groups) if group["id"]],
    }  # fmt: skip


def _quality(inputs: ReportInputs) -> Row:
    found = quality.confusions(inputs)
    grouped = {one.target: [other for other in found if other.target == one.target] for one in found}
    rows = quality.calibration(inputs)
    body = [
        (f"{i + 1}", str(row["n"]), words.number(row["confidence"]),
         f"{words.number(row['accuracy'])} [{words.span(row['low'], row['high'])}]")
        for i, row in enumerate(rows)
    ]  # fmt: skip
    figure = {
        "title": quality.TITLE, "text": quality.calibration_text(inputs), "events": [],
        "intro": "On the dotted line, confidence is what it says. Bars are 95% intervals.",
        "table": {"head": ["Tags", "Mean confidence", "Agrees with the label"], "body": body},
        **(_drawings("calibration", lambda layout: [quality.calibration_chart(inputs, layout)]) if rows else {}),
    }  # fmt: skip
    return {
        "stances": STANCES, "counts": quality.label_counts(inputs), "calibration": figure,
        "confusions": [{"target": inputs.label(target), "countries": [_heat(inputs, one) for one in ones]}
                       for target, ones in grouped.items()],
        "corrections": [] if inputs.trends.empty else quality.corrections(inputs),
        "cards": [
            (title, cards.card_html(text))
            for title, text in (("Data card", inputs.data_card), ("Model card", inputs.model_card))
        ],
    }  # fmt: skip


def _heat(inputs: ReportInputs, one: quality.Confusion) -> Row:
    shades = [[0 if share < 0.05 else 1 if share < 0.2 else 2 if share < 0.5 else 3 for share in row]
              for row in one.shares()]  # fmt: skip
    lines = [(stance, list(zip(counts, shade, strict=True)))
             for stance, counts, shade in zip(STANCES, one.counts, shades, strict=True)]  # fmt: skip
    name, rights = (
        inputs.name(one.country),
        [
            f"{share:.0%} of {n}" if n else "none"
            for share, n in ((one.accuracy_addressed, one.n_addressed), (one.accuracy, one.n))
        ],
    )
    return {"country": name, "addressed": rights[0], "all": rights[1], "lines": lines}


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
            answer["Gap"] = (pair_series(rows, "gap", target), True)
            answer["Convergence"] = (pair_series(rows, "convergence", target), False)
    return answer


def _cell(row: Any, *, signed: bool) -> str:
    if row["status"] == "empty":
        return _NOTHING
    value = words.number(row["estimate"], signed=signed)
    if not pd.isna(row["conf_low"] + row["conf_high"]):
        value = f"{value} [{words.span(row['conf_low'], row['conf_high'], signed=signed)}]"
    return f"{value} sparse" if row["status"] == "sparse" else value


def _table(columns: Mapping[str, tuple[pd.DataFrame, bool]]) -> Row:
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
        named = _columns(inputs, rows, target)
        columns = [named[name] for name in named if name.endswith("position") or name == "Convergence"]
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
        marked = any(row["result"].endswith("†") for row in made)
        answer.append({"target": name, "made": made, "left": ", ".join(left), "exploratory": marked})
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
        "result": row["result"] + (" †" if words.exploratory(row) else ""),
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


def _sources(inputs: ReportInputs) -> list[Row]:
    return [
        {
            "country": inputs.name(str(row["country"])),
            "source": clean(row.get("source"), longest=80),
            "provenance": PROVENANCE_NAMES.get(str(row["provenance"]), str(row["provenance"])),
            "statements": int(row["statements"]),
            "labelled": int(row["labelled"]),
            "share": f"{row['labelled'] / row['statements']:.0%}" if row["statements"] else _NOTHING,
        }
        for row in inputs.sources.to_dict("records")
    ]
