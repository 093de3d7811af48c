"""The answer in one paragraph: do they converge, on what, since when, how sure, what could not be detected.

Every number is computed from the tables; no sentence says more than an interval or an adjusted test allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.report import words
from pipeline.report.inputs import (
    ALL,
    ReportInputs,
    drawn_rows,
    frequency,
    last_with_data,
    numbered_events,
    period_text,
)
from pipeline.report.panels import pair_series


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The short answer, then what qualifies it: pairs of a lead-in and its sentences."""

    short: str
    sentences: tuple[tuple[str, str], ...]


def answer(inputs: ReportInputs) -> Answer:
    """Return the report's first paragraph."""
    rows = drawn_rows(inputs.trends)
    if rows.empty:
        return Answer(short="There is nothing to answer from.", sentences=(("", words.NO_ROWS),))
    parts = (
        ("Since when?", _when(inputs)),
        ("Around what?", _events(inputs)),
        ("On what?", _now(inputs, rows)), ("", _apart(inputs, rows)), ("", _single(inputs)),
        ("What could not be detected?", _blind(inputs)),
        ("How sure?", _sure(inputs)),
    )  # fmt: skip
    return Answer(short=_short(inputs), sentences=tuple((lead, text) for lead, text in parts if text))


def _pooled_test(inputs: ReportInputs, name: str) -> dict[str, Any] | None:
    found = [row for row in words.tests_of(inputs, ALL) if row["test"] == name]
    return found[0] if found and found[0]["result"] != "not testable" else None


def _moved(row: dict[str, Any] | None) -> str:
    """Return `closer`, `apart`, or empty when the test detected nothing."""
    if row is None or row["result"] != "detected" or pd.isna(row["effect"]):
        return ""
    return "closer" if row["effect"] > 0 else "apart"


def _short(inputs: ReportInputs) -> str:
    trend, change = (_moved(_pooled_test(inputs, name)) for name in ("trend", "changepoint"))
    who = inputs.pair_text
    if trend and change and trend != change:
        return f"The words of {who} moved, but the tests disagree on the direction."
    if moved := trend or change:
        verb = "have moved closer" if moved == "closer" else "have moved apart"
        return (
            f"Yes, in words: the positions of {who} {verb}."
            if moved == "closer"
            else f"No: the positions of {who} {verb}."
        )
    if _pooled_test(inputs, "trend") is None and _pooled_test(inputs, "changepoint") is None:
        return f"These data are too few to say whether the positions of {who} converge."
    if _pooled_events(inputs):
        return f"Only around dated events were the positions of {who} seen to move: no trend, no break was found."
    return f"No convergence of {who} was detected, which is not the same as none."


def _when(inputs: ReportInputs) -> str:
    trend, change = _pooled_test(inputs, "trend"), _pooled_test(inputs, "changepoint")
    parts = []
    if trend is not None and _moved(trend):
        parts.append(
            f"pooled over the core targets, convergence changed by {_effect(trend)} a year ({_interval(trend)}, "
            f"adjusted {words.probability(trend['p_adjusted'])})"
        )
    if change is not None and _moved(change):
        since = str(change.get("changed_at") or "")[:7]
        parts.append(
            f"the likeliest break is {since or 'of unknown date'}, with convergence {_effect(change)} after it "
            f"(adjusted {words.probability(change['p_adjusted'])})"
        )
    if not parts:
        return "Since when cannot be said: neither a trend nor a break of the pooled index was detected."
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _effect(row: dict[str, Any]) -> str:
    return words.number(row["effect"], signed=True)


def _pooled_events(inputs: ReportInputs) -> list[dict[str, Any]]:
    """Return the event tests of the pooled index that detected something, in the order of the events."""
    order = [str(event) for event in numbered_events(inputs.events)["event_id"]]
    found = [row for row in words.tests_of(inputs, ALL) if row["test"] == "event" and _moved(row)]
    return sorted(found, key=lambda row: order.index(row["event_id"]) if row["event_id"] in order else len(order))


def _events(inputs: ReportInputs) -> str:
    """Say around which events the pooled index moved, and whether they were chosen with the data in view."""
    found = _pooled_events(inputs)
    if not found:
        return ""
    labels = {str(row["event_id"]): row for row in inputs.events.to_dict("records")}
    parts = [
        f"{'closer' if row['effect'] > 0 else 'apart'} after “{labels[row['event_id']]['label']}” of "
        f"{str(labels[row['event_id']]['date'])[:7]} ({_effect(row)}, {_interval(row)})"
        for row in found
        if row["event_id"] in labels
    ]
    text = f"The pooled index moved {_listed(parts)}" if parts else ""
    if text and all(words.exploratory(row) for row in found):
        text += "; events registered with the data in view suggest a cause and confirm none"
    return f"{text}." if text else ""


def _now(inputs: ReportInputs, rows: pd.DataFrame) -> str:
    """Say for each core target whether the last gap differs from zero."""
    same: list[str] = []
    apart: list[str] = []
    for target in inputs.core:
        last = last_with_data(pair_series(rows, "gap", target))
        if last is None or pd.isna(last["conf_low"] + last["conf_high"]):
            continue
        gap = f"gap {words.number(last['estimate'], signed=True)}, {_interval(last)}, in {period_text(last.name)}"
        known = last["conf_low"] > 0 or last["conf_high"] < 0
        (apart if known else same).append(f"{inputs.label(target)} ({gap})")
    parts = []
    if same:
        parts.append(
            f"Most lately they cannot be told apart on {_listed(same)}: that is no proof of agreement, since gaps "
            "as wide as these intervals would look the same"
        )
    if apart:
        parts.append(f"{'They' if not same else 'they'} differ on {_listed(apart)}")
    return "; ".join(parts) + "." if parts else ""


def _interval(row: pd.Series[Any] | dict[str, Any]) -> str:
    if pd.isna(row["conf_low"]):
        return "no interval"
    return words.span(row["conf_low"], row["conf_high"], signed=True)


def _apart(inputs: ReportInputs, rows: pd.DataFrame) -> str:
    """Say in how many periods each core target's gap excluded zero, and when last."""
    parts, each = [], frequency(inputs.trends)
    for target in inputs.core:
        data = pair_series(rows, "gap", target)
        known = data[(data["status"] != "empty") & data["conf_low"].notna()]
        differ = known[(known["conf_low"] > 0) | (known["conf_high"] < 0)]
        if len(differ):
            last = period_text(differ.index[-1])
            parts.append(f"{inputs.label(target)} in {len(differ)} of {len(known)} {each}s, last in {last}")
        elif len(known):
            parts.append(f"{inputs.label(target)} in none of {len(known)}")
    return f"Their intervals showed them apart on {_listed(parts)}." if parts else ""


def _single(inputs: ReportInputs) -> str:
    found = []
    for target in inputs.core:
        detected = [row for row in words.tests_of(inputs, target) if row["result"] == "detected"]
        kinds = dict.fromkeys(words.TEST_NAMES.get(row["test"], row["test"]) for row in detected)
        found += [f"{inputs.label(target)}: {', '.join(kinds)}"] if kinds else []
    if found:
        return f"On single targets, tests detected {_listed(found)}."
    return "On no single core target did a test detect anything." if len(inputs.tests) else ""


def _blind(inputs: ReportInputs) -> str:
    """Say what could not be detected."""
    limits, count, found = [], 0, 0
    for target in (ALL, *inputs.core):
        for row in words.tests_of(inputs, target):
            found += row["test"] == "event" and row["result"] == "detected"
            if row["test"] == "event" and row["result"] == "not detected":
                count += 1
                limits += [] if pd.isna(row["min_detectable_effect"]) else [float(row["min_detectable_effect"])]
    if not limits:
        return ""
    others = f"In {'the other ' if found else ''}{count} tests around dated events nothing was detected"
    return (
        f"{others}; they would have found changes of "
        f"{words.span(min(limits), max(limits))} in convergence in four of five cases, and miss smaller ones."
    )


def _sure(inputs: ReportInputs) -> str:
    parts = []
    total, labelled = (
        int(inputs.sources[name].sum()) if len(inputs.sources) else 0 for name in ("statements", "labelled")
    )
    if total:
        parts.append(
            f"All this rests on {total:,} statements, {labelled / total:.0%} of them labelled; the labels are by "
            "language models and unchecked by experts"
        )
    drift = _pooled_test(inputs, "classifier_drift")
    if drift is not None and drift["result"] == "detected":
        parts.append(
            f"the classifier's accuracy drifted over time ({words.number(drift['effect'], signed=True)}, adjusted "
            f"{words.probability(drift['p_adjusted'])}), which the correction allows for but a reader should know"
        )
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else "".join(parts)
