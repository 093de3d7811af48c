"""The three indicators: which are made, what they say of what was found, and what they never claim."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.config import Target, Targets
from pipeline.report import indicators as module
from pipeline.report.indicators import Indicator, Measured, indicators, table
from pipeline.report.inputs import STATEMENTS, TAGS, ReportInputs, drawn_rows, series
from pipeline.report.shifts import NOTHING, Shift
from pipeline.schema import LABEL_COLUMNS, TEST_COLUMNS
from tests.test_report_world import make_inputs, make_statement, make_tag, row, test_row, trend_frame

IDS = ("central_asian_security", "india", "coordination", "taliban_recognition")
Choice = Callable[[str, str, int], str]


def targets(*ids: str) -> Targets:
    words = dict.fromkeys(("proposition", "favor", "against", "neutral", "none"), "words")
    return Targets(
        codebook_version="2",
        target=tuple(
            Target(id=name, label=name.upper(), core=True, pooled=name != "coordination",
                   declared=name == "coordination", cues={}, **words)
            for name in ids
        ),
    )  # fmt: skip


def trends(ids: tuple[str, ...] = IDS) -> pd.DataFrame:
    rows = []
    for i, period in enumerate(map(str, pd.period_range("2019Q1", "2020Q4", freq="Q"))):
        for target in ids:
            for actor, value in (("CHN", 0.1 + i / 20), ("RUS", -0.3 + i / 10)):
                rows.append(row(period, "position", target=target, country=actor, estimate=value))
                rows.append(row(period, "salience", target=target, country=actor, estimate=0.1))
    return trend_frame(rows)


def mixed(actor: str, target: str, i: int) -> str:
    """Neither for nor against, without a trend."""
    return ("favor", "against")[i % 2]


def world(choice: Choice = mixed, *, ids: tuple[str, ...] = IDS, actors: tuple[str, ...] = ("CHN", "RUS"),
          n: int = 48, **more: Any) -> ReportInputs:  # fmt: skip
    """One statement a month and actor, tagged on every target by `choice`."""
    statements, tags = [], []
    for actor in actors:
        for i in range(n):
            day = dt.date(2019 + i // 12, i % 12 + 1, 5).isoformat()
            name = f"{actor}{i}"
            one = make_statement(i, statement_id=name, doc_id=name, country=actor, date=day, joint=False)
            statements.append(one)
            tags += [make_tag(one, target, choice(actor, target, i)) for target in ids]
    base: dict[str, Any] = {
        "trends": trends(ids), "targets": targets(*ids), "tests": pd.DataFrame(columns=list(TEST_COLUMNS)),
        "statements": pd.DataFrame(statements, columns=list(STATEMENTS)),
        "tags": pd.DataFrame(tags, columns=list(TAGS)), "labels": pd.DataFrame(columns=list(LABEL_COLUMNS)),
    }  # fmt: skip
    return make_inputs(**(base | more))


@cache
def plain() -> tuple[Indicator, ...]:
    return indicators(world())


def one(made: tuple[Indicator, ...], ident: str) -> Indicator:
    return next(each for each in made if each.id == ident)


def measured(ident: str = "tolerance", made: tuple[Indicator, ...] | None = None) -> tuple[Measured, ...]:
    return one(plain() if made is None else made, ident).measured


def shift(estimate: float = 0.2, low: float = 0.1, high: float = 0.3, **more: float) -> Shift:
    return Shift(estimate=estimate, low=low, high=high, **more)


def line(p_adjusted: float = float("nan"), what: str = "A trend", **more: Any) -> Measured:
    made = more.pop("shift") if "shift" in more else shift(**more)
    return Measured(what=what, unit="score a year", shift=made, p_adjusted=p_adjusted)


def test_the_three_stand_in_order() -> None:
    assert [each.id for each in plain()] == ["tolerance", "precedence", "recognition"]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (("central_asian_security",), ["tolerance"]), (("india",), []), (("coordination",), []),
        (("india", "coordination"), ["precedence"]), (("taliban_recognition",), ["recognition"]),
    ],
)  # fmt: skip
def test_an_indicator_needs_its_targets(ids: tuple[str, ...], expected: list[str]) -> None:
    assert [each.id for each in indicators(world(ids=ids, n=12))] == expected


def test_another_pair_has_none_and_the_order_of_the_pair_is_free() -> None:
    assert indicators(world(n=12, pair=("CHN", "PAK"))) == ()
    assert len(indicators(world(n=12, pair=("RUS", "CHN")))) == 3


@pytest.mark.parametrize(
    "more", [{"trends": trend_frame([])}, {"statements": pd.DataFrame(columns=list(STATEMENTS))}],
    ids=["no trends", "no statements"],
)  # fmt: skip
def test_without_rows_or_statements_there_are_none(more: dict[str, Any]) -> None:
    assert indicators(world(n=12, **more)) == ()


def test_each_says_where_its_statements_are() -> None:
    assert one(plain(), "tolerance").about == (("RUS", "central_asian_security"),)
    assert one(plain(), "precedence").about == (("RUS", "india"), ("RUS", "coordination"))
    assert one(plain(), "recognition").about == (("CHN", "taliban_recognition"), ("RUS", "taliban_recognition"))


def test_the_questions_use_the_display_names() -> None:
    made = indicators(world(n=12, names={"CHN": "Sina", "RUS": "Rutenia", "IND": "Bharat"}))
    assert one(made, "tolerance").question == "Does Rutenia tolerate Sina's growing security role in Central Asia?"
    assert one(made, "precedence").question == "Which partnership takes precedence for Rutenia: Bharat or Sina?"
    assert one(made, "recognition").question.startswith("Do Sina and Rutenia move together")


def test_the_panels_are_those_of_russia_or_of_both() -> None:
    actors = {each.id: [{s.actor for s in panel.series} for panel in each.panels] for each in plain()}
    assert actors == {
        "tolerance": [{"RUS"}, {"RUS"}], "precedence": [{"RUS"}] * 3, "recognition": [{"CHN", "RUS"}],
    }  # fmt: skip


def test_what_is_measured() -> None:
    assert [each.what for each in measured()] == ["Russia's mean position", "A trend of Russia's position"]
    assert len(measured("precedence")) == 3
    assert [each.unit for each in measured("recognition")] == ["correlation"]


@pytest.mark.parametrize(
    ("stance", "side"), [("favor", "on the side of tolerating it"), ("against", "against it")],
)  # fmt: skip
def test_a_leaning_is_told_with_its_side(stance: str, side: str) -> None:
    said = one(indicators(world(lambda *_: stance)), "tolerance").sentences[0]
    assert f"come down {side}: mean position {'+' if stance == 'favor' else '−'}1.00" in said


def test_a_mean_whose_interval_holds_zero_is_on_neither_side() -> None:
    assert "come down on neither side: mean position 0.00 (" in one(plain(), "tolerance").sentences[0]


def test_a_silent_actor_has_no_mean_and_no_test() -> None:
    made = indicators(world(actors=("CHN",)))
    assert one(made, "tolerance").sentences[0] == "Russia addresses it too seldom for a mean."
    assert one(made, "precedence").sentences[0] == "Russia says too little on one of the two to compare them."
    assert {each.result for indicator in made for each in indicator.measured} == {"not testable"}


def test_the_latest_position_is_the_last_of_the_frame() -> None:
    said = one(plain(), "tolerance").sentences[1]
    assert said == "In 2020 Q4 it was +0.40 (95% interval +0.20 to +0.60)."


def test_warmer_words_are_told_with_the_partner() -> None:
    to_india: Choice = lambda actor, target, i: "favor" if target == "india" else "against"  # noqa: E731
    to_china: Choice = lambda actor, target, i: "against" if target == "india" else "favor"  # noqa: E731
    said = [one(indicators(world(each)), "precedence").sentences[0] for each in (to_india, to_china)]
    assert "warmer toward India (difference +2.00" in said[0]
    assert "warmer toward China (difference −2.00" in said[1]
    assert all("no more often to one than to the other that these data could show" in text for text in said)


def test_attention_goes_where_the_statements_are() -> None:
    choice: Choice = lambda actor, target, i: "none" if target == "coordination" and i % 4 else "favor"  # noqa: E731
    said = one(indicators(world(choice)), "precedence").sentences[0]
    assert "its attention goes more often to India (difference of shares +0.75" in said
    assert "no warmer toward one than toward the other" in said


def test_a_planted_turn_is_detected_and_told() -> None:
    turn: Choice = lambda actor, target, i: "against" if i < 24 else "favor"  # noqa: E731
    made = indicators(world(turn))
    trend = measured(made=made)[1]
    assert trend.result == "detected"
    assert trend.shift.estimate > 0.4
    assert one(made, "tolerance").sentences[-1].startswith("A trend of Russia's position was detected: +0.")


def test_no_trend_is_not_detected_with_what_would_escape() -> None:
    said = one(plain(), "tolerance").sentences[-1]
    assert said.startswith("A trend of Russia's position was not detected (")
    assert "an effect below" in said
    assert said.endswith("would escape this test).")


def test_estimates_alone_are_not_called_detected() -> None:
    assert measured()[0].result == ""
    assert np.isnan(measured()[0].p_adjusted)


@pytest.mark.parametrize(
    ("p", "result"), [(0.049, "detected"), (0.05, "not detected"), (1.0, "not detected")],
)  # fmt: skip
def test_five_percent_decides(p: float, result: str) -> None:
    assert line(p).result == result


def test_without_a_p_value_there_is_an_estimate_or_nothing() -> None:
    assert line().result == ""
    assert line(shift=NOTHING).result == "not testable"


def test_what_is_told_of_a_line() -> None:
    assert module._told(line(0.012)) == "A trend was detected: +0.20 score a year, adjusted p = 0.012."
    assert module._told(line(0.5)) == "A trend was not detected (+0.20 score a year)."
    assert module._told(line(0.5, detectable=0.31)) == (
        "A trend was not detected (+0.20 score a year; an effect below 0.31 would escape this test)."
    )
    assert module._told(line()) == module._told(line(shift=NOTHING)) == ""


def indicator(*lines: Measured) -> Indicator:
    return Indicator(id="x", question="?", reading="", sentences=("First.",), panels=(), measured=lines, about=())


def test_the_adjustment_runs_over_all_indicators_and_leaves_given_ones() -> None:
    made = module._adjusted(
        [indicator(line(p_value=0.01), line()), indicator(line(p_value=0.02), line(0.7, p_value=0.001)),
         indicator(line(p_value=0.03))]
    )  # fmt: skip
    found = [each.p_adjusted for part in made for each in part.measured]
    assert found == pytest.approx([0.03, np.nan, 0.04, 0.7, 0.04], nan_ok=True)
    assert [len(part.sentences) for part in made] == [2, 3, 2]
    assert all(part.sentences[0] == "First." for part in made)


def test_nothing_to_adjust() -> None:
    assert module._adjusted([]) == ()
    assert module._adjusted([indicator()])[0].sentences == ("First.",)


def test_a_lead_comes_from_the_tests_with_its_own_adjustment() -> None:
    rows = [test_row("leadlag", "taliban_recognition", effect=0.4, p_value=0.001, p_adjusted=0.02),
            test_row("leadlag", "india"), test_row("trend", "taliban_recognition")]  # fmt: skip
    made = indicators(world(tests=pd.DataFrame(rows, columns=list(TEST_COLUMNS))))
    lines = measured("recognition", made)
    assert len(lines) == 2
    assert lines[1].what == "A lead of one over the other (above zero: China first)"
    assert (lines[1].p_adjusted, lines[1].shift.estimate, lines[1].shift.detectable) == (0.02, 0.4, 0.31)
    assert lines[1].result == "detected"


def crossing(*lows: float) -> str:
    periods = map(str, pd.period_range("2020Q1", periods=len(lows), freq="Q"))
    rows = trend_frame(
        row(
            period,
            "position",
            country="RUS",
            target="a",
            conf_low=low,
            **({"status": "empty"} if np.isnan(low) else {}),
        )
        for period, low in zip(periods, lows, strict=True)
    )
    return module._crossing("Russia", series(drawn_rows(rows), measure="position", target="a", actor="RUS"))


NEVER = "In no period does the interval of Russia lie wholly above zero."


@pytest.mark.parametrize("lows", [(-0.1, -0.2), (0.0, 0.0), (float("nan"), -0.1)])
def test_an_interval_that_touches_zero_is_not_above_it(lows: tuple[float, ...]) -> None:
    assert crossing(*lows) == NEVER


def test_the_first_period_above_zero_is_named_and_all_are_counted() -> None:
    said = "The interval of Russia lay wholly above zero first in {}, and in {} altogether."
    assert crossing(-0.1, 0.1, -0.1, 0.2) == said.format("2020 Q2", "2 of 4 periods")
    assert crossing(float("nan"), 0.1, -0.1) == said.format("2020 Q2", "1 of 2 periods")


def test_the_recognition_of_each_actor_is_told_in_the_pairs_order() -> None:
    told = one(plain(), "recognition").sentences
    assert told[0].endswith("of China lay wholly above zero first in 2019 Q4, and in 5 of 8 periods altogether.")
    assert told[1].endswith("of Russia lay wholly above zero first in 2020 Q3, and in 2 of 8 periods altogether.")


def test_the_table_writes_numbers_as_words() -> None:
    assert table([line(0.012, detectable=0.31)]) == [
        {"what": "A trend", "unit": "score a year", "result": "detected", "estimate": "+0.20",
         "interval": "+0.10 to +0.30", "p": "0.012", "limit": "0.31", "detected": True}
    ]  # fmt: skip


def test_the_table_has_dashes_for_what_was_not_made() -> None:
    bare, none = table([line(), line(shift=NOTHING)])
    assert (bare["result"], bare["p"], bare["limit"], bare["detected"]) == ("estimate", "–", "–", False)
    assert (none["result"], none["estimate"], none["interval"]) == ("not testable", "–", "–")


def test_a_tiny_p_value_and_an_empty_table() -> None:
    assert table([line(0.0001)])[0]["p"] == "< 0.001"
    assert table([]) == []


@pytest.mark.parametrize(("low", "high", "side"), [
    (0.0, 0.2, "on neither side"), (-0.2, 0.0, "on neither side"), (0.01, 0.2, "on the side of tolerating it"),
    (-0.2, -0.01, "against it"),
])  # fmt: skip
def test_an_interval_that_touches_zero_takes_no_side(low: float, high: float, side: str) -> None:
    level = Shift(estimate=(low + high) / 2, low=low, high=high)
    assert f"come down {side}:" in module._leaning("Russia", level)
