"""The findings in plain words; every number is read off the frames.

Nothing here says what a figure means for politics, and what a test did not detect is never called absent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.report.charts import chart_events
from pipeline.report.inputs import (
    ALL,
    ALPHA,
    ReportInputs,
    drawn_rows,
    frequency,
    has_data,
    last_with_data,
    period_grid,
    period_text,
    series,
    uncorrected_targets,
)
from pipeline.report.panels import POOLED_MEASURES, Line, pair_series

TEST_NAMES = {
    "trend": "trend", "changepoint": "change point", "event": "change around an event",
    "leadlag": "lead of one country over the other", "classifier_drift": "drift of the classifier",
}  # fmt: skip
"""What each test looks for."""
_MEASURE_NAMES = {
    "pooled_convergence": "Pooled convergence", "declared_coordination": "Declared coordination",
    "coordination_gap": "Declared minus revealed coordination",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the data say about one subject in sentences, and what each kind of test found."""

    subject: str
    sentences: tuple[str, ...]
    tested: tuple[str, ...] = ()


def number(value: float, *, signed: bool = False) -> str:
    """Return a number with two decimals and a true minus sign; zero has no sign."""
    text = f"{value:+.2f}" if signed else f"{value:.2f}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", "−")


def probability(value: float) -> str:
    """Return a p-value in words: `p = 0.04`, `p < 0.001`."""
    if value < 0.001:
        return "p < 0.001"
    return f"p = {value:.3f}" if value < 0.1 else f"p = {value:.2f}"


def span(low: float, high: float, *, signed: bool = False) -> str:
    """Return an interval as `0.10 to 0.30`."""
    return f"{number(low, signed=signed)} to {number(high, signed=signed)}"


def estimate(row: pd.Series[Any], *, signed: bool = False) -> str:
    """Return an estimate with its interval and its level, and whether the period is sparse."""
    value, notes = number(row["estimate"], signed=signed), []
    if not pd.isna(row["conf_low"] + row["conf_high"]):
        level = "" if pd.isna(row["conf_level"]) else f"{row['conf_level']:.0%} "
        notes.append(f"{level}interval {span(row['conf_low'], row['conf_high'], signed=signed)}")
    notes += ["no interval"] if not notes else []
    notes += ["sparse"] if row["status"] == "sparse" else []
    return f"{value} ({', '.join(notes)})"


def closeness(row: pd.Series[Any]) -> str:
    """Return a convergence with its interval, lower end first where it is at the end of the scale.

    The best guess of a gap that may be zero is a convergence of 1, which would read as certainty.
    """
    low = row["conf_low"]
    if pd.isna(low) or row["estimate"] < END_OF_SCALE:
        return estimate(row)
    sparse = ", sparse" if row["status"] == "sparse" else ""
    level = "" if pd.isna(row["conf_level"]) else f"{row['conf_level']:.0%} "
    return (
        f"{number(low)} or more ({level}interval {span(low, row['conf_high'])}{sparse}; the best guess, "
        f"{number(row['estimate'])}, is at the end of the scale and no certainty)"
    )


END_OF_SCALE = 0.95
"""Convergence from which a bare estimate would read as agreement."""


def findings(inputs: ReportInputs) -> tuple[Finding, ...]:
    """Return what the data say: about all tests, the pooled index, and each core target."""
    rows = drawn_rows(inputs.trends)
    if rows.empty:
        return (Finding(subject="No data", sentences=(NO_ROWS,)),)
    return (
        Finding(subject="In short", sentences=_in_short(inputs, rows)),
        Finding(subject="Pooled index", sentences=_pooled(inputs, rows), tested=_tested(inputs, ALL)),
        *(
            Finding(subject=inputs.label(name), sentences=_target(inputs, rows, name), tested=_tested(inputs, name))
            for name in inputs.core
        ),
    )


NO_ROWS = "There are no rows of trends, so there is nothing to report: no statement was tagged in this range."
UNCORRECTED = (
    "UNCORRECTED: these figures count the classifier's labels as if they were true, for want of a labelled sample. "
    "Differences between the countries and changes over time can be errors of the classifier alone. "
    "Do not cite them as findings. Concerned: {targets}."
)


def warning(inputs: ReportInputs) -> str:
    """Return the warning that a report of uncorrected figures opens with; empty when all are corrected."""
    concerned = uncorrected_targets(inputs.trends)
    names = ["the pooled series" if name == ALL else inputs.label(name) for name in concerned]
    return UNCORRECTED.format(targets="; ".join(names)) if names else ""


def decided(row: Any) -> str:
    """Return the result of a test: detected, not detected, or not testable."""
    if pd.isna(row["p_adjusted"]):
        return "not testable"
    return "detected" if row["p_adjusted"] < ALPHA else "not detected"


def tests_of(inputs: ReportInputs, target: str) -> list[dict[str, Any]]:
    """Return the tests of a target, with numbers as numbers and `result`."""
    numbers = ("effect", "conf_low", "conf_high", "p_value", "p_adjusted", "min_detectable_effect")
    chosen = inputs.tests[inputs.tests["target"] == target]
    typed = chosen.assign(**{name: pd.to_numeric(chosen[name], errors="coerce") for name in numbers})
    texts = {name: typed[name].astype(object).where(typed[name].notna(), "") for name in _TEXTS if name in typed}
    return [
        {str(key): value for key, value in row.items()} | {"result": decided(row)}
        for row in typed.assign(**texts).to_dict("records")
    ]


_TEXTS = ("unit", "event_id", "window_start", "window_end", "changed_at", "exploratory")


def _in_short(inputs: ReportInputs, rows: pd.DataFrame) -> tuple[str, ...]:
    grid, freq = period_grid(rows), frequency(inputs.trends)
    tests = [row for name in (ALL, *inputs.core) for row in tests_of(inputs, name)]
    results = [row["result"] for row in tests]
    testable = len(results) - results.count("not testable")
    counted = (
        f"Of {testable} tests on the pooled index and the core targets, {results.count('detected')} detected "
        f"something after adjustment for their number (adjusted p below {ALPHA})."
    )
    return (
        f"This compares what officials of {inputs.pair_text} say, by {freq}, from {period_text(grid[0])} to "
        f"{period_text(grid[-1])}.",
        counted if testable else "No test could be made on the pooled index and the core targets.",
        "What was not detected is not thereby absent: each test lists the smallest effect that it would find in "
        "four of five cases, and anything smaller is out of its reach." if testable else "",
    )  # fmt: skip


def _pooled(inputs: ReportInputs, rows: pd.DataFrame) -> tuple[str, ...]:
    freq, answer = frequency(inputs.trends), []
    for measure in POOLED_MEASURES:
        name, last = _MEASURE_NAMES[measure], last_with_data(pair_series(rows, measure))
        if last is not None:
            where = f"{period_text(last.name)}, its last {freq} with data"
            value = closeness(last) if measure == "pooled_convergence" else estimate(last, signed=True)
            scale = ", where 1 is the same and 0 opposite" if measure == "pooled_convergence" else ""
            answer.append(f"{name} was {value} in {where}{scale}.")
        elif measure != "coordination_gap":
            answer.append(f"{name} has no {freq} with data.")
    return tuple(answer)


def _target(inputs: ReportInputs, rows: pd.DataFrame, target: str) -> tuple[str, ...]:
    freq, answer = frequency(inputs.trends), []
    for actor, name in zip(inputs.pair, inputs.pair_names, strict=True):
        last = last_with_data(series(rows, measure="position", target=target, actor=actor))
        if last is None:
            answer.append(f"{name} has no {freq} with a position on it.")
        else:
            value = estimate(last, signed=True)
            where = f"{period_text(last.name)}, its last {freq} with data"
            answer.append(f"The position of {name} was {value} in {where}.")
    last = last_with_data(pair_series(rows, "convergence", target))
    if last is None:
        answer.append(f"Convergence cannot be given for any {freq}.")
    else:
        answer.append(f"Convergence was {closeness(last)} in {period_text(last.name)}.")
    return tuple(answer)


def _tested(inputs: ReportInputs, target: str) -> tuple[str, ...]:
    tests = tests_of(inputs, target)
    if not tests:
        return ("No test was made.",)
    labels = dict(zip(inputs.events["event_id"].astype(str), inputs.events["label"].astype(str), strict=True))
    answer = [_detected(row, labels) for row in tests if row["result"] == "detected"]
    answer += _missed([row for row in tests if row["result"] == "not detected"])
    impossible = [row for row in tests if row["result"] == "not testable"]
    counts = [f"{kind} ({len(rows)})" if len(rows) > 1 else kind for kind, rows in _by_kind(impossible)]
    return (*answer, *([f"Not testable with these data: {'; '.join(counts)}."] if counts else []))


def _by_kind(tests: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    kinds = dict.fromkeys(_kind(row) for row in tests)
    return [(kind, [row for row in tests if _kind(row) == kind]) for kind in kinds]


def _kind(row: dict[str, Any]) -> str:
    return TEST_NAMES.get(str(row["test"]), str(row["test"]))


def _detected(row: dict[str, Any], labels: dict[str, str]) -> str:
    about = f" ({labels.get(row['event_id'], row['event_id'])})" if row["event_id"] else ""
    since = f", likeliest from {str(row['changed_at'])[:7]}" if row.get("changed_at") else ""
    parts = []
    if not pd.isna(row["effect"]):
        limits = () if pd.isna(row["conf_low"]) else (span(row["conf_low"], row["conf_high"], signed=True),)
        effect = f"effect {number(row['effect'], signed=True)} {row['unit']}".rstrip()
        parts.append(", ".join([effect, *(f"interval {text}" for text in limits)]))
    parts.append(f"adjusted {probability(row['p_adjusted'])}")
    parts += ["exploratory"] if exploratory(row) else []
    return f"Detected: {_kind(row)}{about}{since}: {'; '.join(parts)}."


def exploratory(row: dict[str, Any]) -> bool:
    """Say whether a test's event was registered only after the data were seen."""
    return str(row.get("exploratory", "")).lower() == "true"


def _missed(tests: Sequence[dict[str, Any]]) -> list[str]:
    answer = []
    for kind, rows in _by_kind(tests):
        least = min(row["p_adjusted"] for row in rows)
        times, found = (f" ({len(rows)} tests)", "smallest adjusted") if len(rows) > 1 else ("", "adjusted")
        answer.append(f"Not detected: {kind}{times}; {found} {probability(least)}; {_reach(rows)}.")
    return answer


def _reach(rows: Sequence[dict[str, Any]]) -> str:
    """Say what tests could not have found."""
    limits = sorted(row["min_detectable_effect"] for row in rows if not pd.isna(row["min_detectable_effect"]))
    if not limits:
        return "smallest detectable effect unknown"
    size = number(limits[0]) if limits[0] == limits[-1] else span(limits[0], limits[-1])
    units = dict.fromkeys(str(row["unit"]) for row in rows if row["unit"])
    return f"smallest detectable effect {size} {'/'.join(units)}".rstrip()


def chart_text(inputs: ReportInputs, target: str) -> str:
    """Return the text alternative of a chart: its panels, and first, last, lowest and highest values."""
    rows = drawn_rows(inputs.trends)
    grid, freq = period_grid(rows), frequency(inputs.trends)
    parts = [f"Chart by {freq} from {period_text(grid[0])} to {period_text(grid[-1])}."]
    if target == ALL:
        parts += [
            _summary(name, pair_series(rows, measure), signed=measure != "pooled_convergence", freq=freq)
            for measure, name in _MEASURE_NAMES.items()
        ]
    else:
        for actor, name in zip(inputs.pair, inputs.pair_names, strict=True):
            data = series(rows, measure="position", target=target, actor=actor)
            parts.append(_summary(f"Position of {name}", data, signed=True, freq=freq))
        gap = pair_series(rows, "gap", target)
        parts += [_summary("Gap", gap, signed=True, freq=freq)] if has_data(gap) else []
        parts.append(_summary("Convergence", pair_series(rows, "convergence", target), signed=False, freq=freq))
        for actor, name in zip(inputs.pair, inputs.pair_names, strict=True):
            data = series(rows, measure="salience", target=target, actor=actor)
            parts.append(_summary(f"Salience for {name}", data, signed=False, freq=freq))
    events = chart_events(inputs, target, rows)
    parts.append(f"{len(events)} events are marked." if len(events) != 1 else "1 event is marked.")
    return " ".join(parts)


def lines_text(inputs: ReportInputs, lines: Sequence[Line]) -> str:
    """Return the text alternative of a chart of some series."""
    grid, freq = period_grid(drawn_rows(inputs.trends)), frequency(inputs.trends)
    parts = [f"Chart by {freq} from {period_text(grid[0])} to {period_text(grid[-1])}."]
    parts += [
        _summary(line.name[:1].upper() + line.name[1:], line.data, signed="salience" not in line.name, freq=freq)
        for line in lines
    ]
    return " ".join(parts)


def _summary(name: str, data: pd.DataFrame, *, signed: bool, freq: str) -> str:
    if not has_data(data):
        return f"{name}: no data."
    kept = data[data["status"] != "empty"]
    sparse = int((kept["status"] == "sparse").sum())
    low, high = (number(kept["estimate"].agg(how), signed=signed) for how in ("min", "max"))
    ends = [f"{number(kept['estimate'].iloc[i], signed=signed)} in {period_text(kept.index[i])}" for i in (0, -1)]
    return (
        f"{name}: data in {len(kept)} of {len(data)} {freq}s, {sparse} of them sparse; first {ends[0]}, "
        f"last {ends[1]}, lowest {low}, highest {high}."
    )
