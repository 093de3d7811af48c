"""The three indicators on which the project's question rests, each with series, tests and statements.

They come from the article "Prospects for Sino-Russian Coordination in Afghanistan" (War on the Rocks, November
2021): does Russia tolerate China's growing security role in Central Asia; which partnership takes precedence,
India or China; do the two move together on recognition, and who moves first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from pipeline.report import shifts, words
from pipeline.report.inputs import ALPHA, ReportInputs, drawn_rows, has_data, period_text, series
from pipeline.report.marks import SECOND, TALK
from pipeline.report.panels import Line, Panel, country_lines, position_panel, salience_panels, share_panel
from pipeline.report.shifts import Shift, strand

CHINA, RUSSIA = "CHN", "RUS"
SECURITY, INDIA, COORDINATION, RECOGNITION = (
    "central_asian_security",
    "india",
    "coordination",
    "taliban_recognition",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One line of an indicator's table: what was estimated or tested, and what came out."""

    what: str
    shift: Shift
    unit: str
    p_adjusted: float = float("nan")

    @property
    def result(self) -> str:
        """`detected`, `not detected`, or empty for what is only estimated."""
        if math.isnan(self.p_adjusted):
            return "not testable" if math.isnan(self.shift.estimate) else ""
        return "detected" if self.p_adjusted < ALPHA else "not detected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """A question, the answer in words, its series, its tests, and where its statements are.

    `about` holds (actor, target) of the statements behind it.
    """

    id: str
    question: str
    reading: str
    sentences: tuple[str, ...]
    panels: tuple[Panel, ...]
    measured: tuple[Measured, ...]
    about: tuple[tuple[str, str], ...]


def indicators(inputs: ReportInputs) -> tuple[Indicator, ...]:
    """Return the indicators that the targets and the pair allow: none for another pair than China and Russia."""
    if set(inputs.pair) != {CHINA, RUSSIA} or drawn_rows(inputs.trends).empty or inputs.statements.empty:
        return ()
    made = [
        build(inputs)
        for build, needed in (
            (_tolerance, (SECURITY,)), (_precedence, (INDIA, COORDINATION)), (_recognition, (RECOGNITION,)),
        )
        if set(needed) <= set(inputs.targets.ids)
    ]  # fmt: skip
    return _adjusted(made)


def _adjusted(made: Sequence[Indicator]) -> tuple[Indicator, ...]:
    """Adjust the p-values of the indicators' own tests together, and end each with what they say."""
    lines = [line for one in made for line in one.measured]
    own = [line for line in lines if math.isnan(line.p_adjusted)]
    adjusted = dict(zip(map(id, own), shifts.holm([line.shift for line in own]), strict=True))
    answer = []
    for one in made:
        measured = tuple(replace(line, p_adjusted=adjusted.get(id(line), line.p_adjusted)) for line in one.measured)
        told = tuple(text for line in measured if (text := _told(line)))
        answer.append(replace(one, measured=measured, sentences=(*one.sentences, *told)))
    return tuple(answer)


def _told(line: Measured) -> str:
    if line.result not in {"detected", "not detected"}:
        return ""
    size = f"{words.number(line.shift.estimate, signed=True)} {line.unit}"
    if line.result == "detected":
        return f"{line.what} was detected: {size}, adjusted {words.probability(line.p_adjusted)}."
    if math.isnan(line.shift.detectable):
        return f"{line.what} was not detected ({size})."
    limit = f"; an effect below {words.number(line.shift.detectable)} would escape this test"
    return f"{line.what} was not detected ({size}{limit})."


def _tolerance(inputs: ReportInputs) -> Indicator:
    rows, russia = drawn_rows(inputs.trends), inputs.name(RUSSIA)
    said = strand(inputs, RUSSIA, SECURITY)
    level = shifts.mean(said)
    measured = (
        Measured(what=f"{russia}'s mean position", shift=level, unit="score"),
        Measured(what=f"A trend of {russia}'s position", shift=shifts.trend(said), unit="score a year"),
    )
    own = [line for line in country_lines(inputs, rows, "position", SECURITY) if line.actor == RUSSIA]
    return Indicator(
        id="tolerance",
        question=f"Does {russia} tolerate {inputs.name(CHINA)}'s growing security role in Central Asia?",
        reading="Above zero it welcomes arrangements that include China; below, it wants itself or the CSTO alone.",
        sentences=(_leaning(russia, level), *_latest(rows, RUSSIA, SECURITY)),
        panels=(
            position_panel(f"Position of {russia}, score from −1 to +1", own),
            *(panel for panel in salience_panels(inputs, rows, SECURITY) if panel.series[0].actor == RUSSIA),
        ),
        measured=measured, about=((RUSSIA, SECURITY),),
    )  # fmt: skip


def _leaning(name: str, level: Shift) -> str:
    if math.isnan(level.estimate):
        return f"{name} addresses it too seldom for a mean."
    side = (
        "on the side of tolerating it" if level.low > 0 else "against it" if level.high < 0 else "on neither side"
    )
    return (
        f"Over all years the words of {name} come down {side}: mean position "
        f"{words.number(level.estimate, signed=True)} ({words.span(level.low, level.high, signed=True)})."
    )


def _latest(rows: pd.DataFrame, actor: str, target: str) -> tuple[str, ...]:
    data = series(rows, measure="position", target=target, actor=actor)
    if not has_data(data):
        return ()
    last = data[data["status"] != "empty"].iloc[-1]
    return (f"In {period_text(last.name)} it was {words.estimate(last, signed=True)}.",)


def _precedence(inputs: ReportInputs) -> Indicator:
    rows, russia = drawn_rows(inputs.trends), inputs.name(RUSSIA)
    names = {INDIA: inputs.name("IND") if "IND" in inputs.names else "India", COORDINATION: inputs.name(CHINA)}
    one, other = strand(inputs, RUSSIA, INDIA), strand(inputs, RUSSIA, COORDINATION)
    warmth, room = shifts.mean(one, other), shifts.attention(one, other)
    lines = {
        measure: [
            Line(series(rows, measure=measure, target=target, actor=RUSSIA), style,
                 f"{russia} on {names[target]}, {measure}", RUSSIA, target)
            for target, style in ((INDIA, SECOND), (COORDINATION, TALK))
        ]
        for measure in ("position", "salience")
    }  # fmt: skip
    return Indicator(
        id="precedence",
        question=f"Which partnership takes precedence for {russia}: {names[INDIA]} or {names[COORDINATION]}?",
        reading=f"{russia}'s words on a role for {names[INDIA]} beside its words on acting with "
        f"{names[COORDINATION]}. Warm words for both are possible; attention is what must be divided.",
        sentences=(_preferred(russia, names, warmth, room),),
        panels=(
            position_panel(f"Positions of {russia}, score from −1 to +1", lines["position"]),
            *(share_panel(f"{line.name}: share of all its statements", line, lines["salience"])
              for line in lines["salience"]),
        ),
        measured=(
            Measured(what=f"Position on {names[INDIA]} minus that on {names[COORDINATION]}", shift=warmth,
                     unit="score"),
            Measured(what=f"Attention to {names[INDIA]} minus to {names[COORDINATION]}", shift=room,
                     unit="share of statements"),
            Measured(what="A trend of the difference of positions", shift=shifts.trend(one, other),
                     unit="score a year"),
        ),
        about=((RUSSIA, INDIA), (RUSSIA, COORDINATION)),
    )  # fmt: skip


def _preferred(name: str, partners: dict[str, str], warmth: Shift, room: Shift) -> str:
    if math.isnan(warmth.estimate) or math.isnan(room.estimate):
        return f"{name} says too little on one of the two to compare them."
    return (
        f"{name}'s words are {_more('warmer', partners, warmth)} (difference "
        f"{words.number(warmth.estimate, signed=True)}, {words.span(warmth.low, warmth.high, signed=True)}), "
        f"and its attention goes {_more('more often', partners, room)} (difference of shares "
        f"{words.number(room.estimate, signed=True)}, {words.span(room.low, room.high, signed=True)})."
    )


def _more(how: str, partners: dict[str, str], shift: Shift) -> str:
    toward = "toward" if how == "warmer" else "to"
    if shift.low > 0:
        return f"{how} {toward} {partners[INDIA]}"
    if shift.high < 0:
        return f"{how} {toward} {partners[COORDINATION]}"
    return f"no {how} {toward} one than {toward} the other that these data could show"


def _recognition(inputs: ReportInputs) -> Indicator:
    rows = drawn_rows(inputs.trends)
    one, other = (strand(inputs, actor, RECOGNITION) for actor in inputs.pair)
    measured = [
        Measured(
            what="Moving together (correlation of quarters)", shift=shifts.together(one, other), unit="correlation"
        )
    ]
    leads = [row for row in words.tests_of(inputs, RECOGNITION) if row["test"] == "leadlag"]
    first, second = inputs.pair_names
    measured += [
        Measured(
            what=f"A lead of one over the other (above zero: {first} first)", unit="correlation",
            p_adjusted=row["p_adjusted"],
            shift=Shift(estimate=row["effect"], low=row["conf_low"], high=row["conf_high"], p_value=row["p_value"],
                        detectable=row["min_detectable_effect"]),
        )
        for row in leads
    ]  # fmt: skip
    return Indicator(
        id="recognition",
        question=f"Do {first} and {second} move together on recognising the Taliban, and who moves first?",
        reading="Who first spoke for acceptance for sure is read off the intervals; a lead is tested on the "
        "months. Few statements a quarter weaken a correlation, so one near zero says little.",
        sentences=tuple(
            _crossing(name, series(rows, measure="position", target=RECOGNITION, actor=actor))
            for actor, name in zip(inputs.pair, inputs.pair_names, strict=True)
        ),
        panels=(
            position_panel(
                f"Positions of {inputs.pair_text}, score from −1 to +1",
                country_lines(inputs, rows, "position", RECOGNITION),
            ),
        ),
        measured=tuple(measured), about=tuple((actor, RECOGNITION) for actor in inputs.pair),
    )  # fmt: skip


def _crossing(name: str, data: pd.DataFrame) -> str:
    """Say since when an actor's interval lies above zero for good, or that it does not."""
    known = data[data["status"] != "empty"]
    above = known["conf_low"] > 0
    if known.empty or not above.any():
        return f"In no period does the interval of {name} lie wholly above zero."
    start = known.index[int(above.to_numpy().argmax())]
    times = f"{int(above.sum())} of {len(known)} periods"
    return f"The interval of {name} lay wholly above zero first in {period_text(start)}, and in {times} altogether."


def table(measured: Sequence[Measured]) -> list[dict[str, Any]]:
    """Return the lines of an indicator's table as texts."""
    return [
        {
            "what": line.what, "unit": line.unit, "result": line.result or "estimate",
            "estimate": _text(line.shift.estimate, signed=True),
            "interval": _span(line.shift),
            "p": "–" if math.isnan(line.p_adjusted) else words.probability(line.p_adjusted)[2:].removeprefix("= "),
            "limit": _text(line.shift.detectable),
            "detected": line.result == "detected",
        }
        for line in measured
    ]  # fmt: skip


def _span(shift: Shift) -> str:
    return "–" if math.isnan(shift.low) else words.span(shift.low, shift.high, signed=True)


def _text(value: float, *, signed: bool = False) -> str:
    return "–" if math.isnan(value) else words.number(value, signed=signed)
