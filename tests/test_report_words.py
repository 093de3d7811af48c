"""The words: every number is the frame's, and nothing is claimed that was not found."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.report import words
from pipeline.report.inputs import ALL, ReportInputs
from pipeline.report.words import (
    Finding,
    chart_text,
    decided,
    estimate,
    findings,
    number,
    probability,
    span,
    warning,
)
from pipeline.schema import TEST_COLUMNS
from tests.test_report_world import CORE, make_inputs, make_tests, make_trends, row, test_row, trend_frame


def finding(inputs: ReportInputs, subject: str) -> Finding:
    return next(one for one in findings(inputs) if one.subject == subject)


def said(inputs: ReportInputs, subject: str) -> str:
    return " ".join(finding(inputs, subject).sentences)


def lines_on(inputs: ReportInputs, subject: str) -> tuple[str, ...]:
    return finding(inputs, subject).tested


def everything(inputs: ReportInputs) -> str:
    return " ".join(" ".join((*one.sentences, *one.tested)) for one in findings(inputs))


def frame_of_tests(*rows: dict[str, Any]) -> pd.DataFrame:
    columns = list(dict.fromkeys((*TEST_COLUMNS, *(name for one in rows for name in one))))
    return pd.DataFrame(list(rows), columns=columns)


def last_row(trends: pd.DataFrame, measure: str, target: str, country: str = "CHN-RUS") -> Any:
    own = trends[(trends["measure"] == measure) & (trends["target"] == target) & (trends["country"] == country)]
    return own.dropna(subset=["estimate"]).sort_values("period_start").iloc[-1]


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [(0.314, False, "0.31"), (0.314, True, "+0.31"), (-0.314, True, "−0.31"), (-0.314, False, "−0.31"),
     (0.0, True, "0.00"), (-0.001, True, "0.00"), (-0.001, False, "0.00"), (1.0, False, "1.00")],
)  # fmt: skip
def test_numbers_have_two_decimals_a_true_minus_and_no_signed_zero(value: float, signed: bool, text: str) -> None:
    assert number(value, signed=signed) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0004, "p < 0.001"), (0.001, "p = 0.001"), (0.012, "p = 0.012"), (0.0996, "p = 0.100"), (0.61, "p = 0.61")],
)
def test_p_values_keep_what_decides(value: float, text: str) -> None:
    assert probability(value) == text


def test_an_interval_is_given_from_low_to_high() -> None:
    assert span(-0.1, 0.3, signed=True) == "−0.10 to +0.30"
    assert span(0.1, 0.3) == "0.10 to 0.30"


def cell(**more: Any) -> pd.Series:  # type: ignore[type-arg]
    base = {"estimate": 0.5, "conf_low": 0.1, "conf_high": 0.9, "conf_level": 0.95, "status": "ok"}
    return pd.Series(base | more)


def test_an_estimate_comes_with_its_interval_level_and_sparseness() -> None:
    assert estimate(cell()) == "0.50 (95% interval 0.10 to 0.90)"
    assert estimate(cell(conf_level=0.9, status="sparse")) == "0.50 (90% interval 0.10 to 0.90, sparse)"
    assert estimate(cell(conf_level=np.nan)) == "0.50 (interval 0.10 to 0.90)"
    assert estimate(cell(conf_low=np.nan)) == "0.50 (no interval)"
    assert estimate(cell(), signed=True) == "+0.50 (95% interval +0.10 to +0.90)"


def test_the_page_speaks_of_the_pool_and_each_core_target() -> None:
    assert [one.subject for one in findings(make_inputs())] == ["In short", "Pooled index", *CORE.values()]


@pytest.mark.parametrize("target", list(CORE))
def test_positions_and_convergence_are_the_last_of_the_frame(target: str) -> None:
    inputs = make_inputs()
    text = said(inputs, CORE[target])
    for actor, name in (("CHN", "China"), ("RUS", "Russia")):
        last = last_row(inputs.trends, "position", target, actor)
        quarter = pd.Period(last["period_start"], freq="Q")
        expected = estimate(last, signed=True)
        where = f"{quarter.year} Q{quarter.quarter}, its last quarter"
        assert f"The position of {name} was {expected} in {where}" in text
    last = last_row(inputs.trends, "convergence", target)
    quarter = pd.Period(last["period_start"], freq="Q")
    assert f"Convergence was {estimate(last)} in {quarter.year} Q{quarter.quarter}." in text


def test_the_pooled_index_is_the_last_of_the_frame() -> None:
    inputs = make_inputs()
    text = said(inputs, "Pooled index")
    for measure, name in (
        ("pooled_convergence", "Pooled convergence"), ("declared_coordination", "Declared coordination"),
        ("coordination_gap", "Declared minus revealed coordination"),
    ):  # fmt: skip
        expected = estimate(last_row(inputs.trends, measure, ALL), signed=measure != "pooled_convergence")
        assert f"{name} was {expected} in 2025 Q3" in text


def test_the_opening_counts_periods_and_tests() -> None:
    text = said(make_inputs(), "In short")
    assert "officials of China and Russia say, by quarter, from 2019 Q1 to 2025 Q3." in text
    assert "Of 21 tests on the pooled index and the core targets, 1 detected" in text
    assert "adjusted p below 0.05" in text
    assert "not thereby absent" in text


def test_every_number_in_the_words_is_in_a_frame() -> None:
    inputs = make_inputs()
    columns = ("estimate", "conf_low", "conf_high", "effect", "p_adjusted", "min_detectable_effect")
    held = [frame[name] for frame in (inputs.trends, inputs.tests) for name in columns if name in frame]
    numbers = {number(abs(value)) for value in pd.concat(held).dropna()}
    found = set(re.findall(r"\d+\.\d{2}(?!\d)", everything(inputs))) - {"0.05"}
    assert found
    assert found <= numbers, found - numbers


def test_months_are_named_where_months_are_drawn() -> None:
    inputs = make_inputs(trends=make_trends("2020-01", "2020-09", freq="M"))
    assert "by month, from 2020-01 to 2020-09" in said(inputs, "In short")
    assert "its last month with data" in said(inputs, "India's role")


def test_a_country_without_data_is_said_to_have_none() -> None:
    inputs = make_inputs(trends=trend_frame([row("2020Q1", "position", target="india", country="CHN")]))
    text = said(inputs, "India's role")
    assert "The position of China was +0.20" in text
    assert "Russia has no quarter with a position on it." in text
    assert "Convergence cannot be given for any quarter." in text
    assert "Pooled convergence has no quarter with data." in said(inputs, "Pooled index")


def test_the_last_quarter_with_data_is_not_the_last_quarter() -> None:
    rows = [row("2020Q1", "position", target="india", country="CHN", estimate=0.4),
            row("2020Q2", "position", target="india", country="CHN", status="empty")]  # fmt: skip
    text = said(make_inputs(trends=trend_frame(rows)), "India's role")
    assert "+0.40 (95% interval +0.20 to +0.60) in 2020 Q1" in text


def test_no_rows_are_said_to_be_none() -> None:
    assert [one.sentences for one in findings(make_inputs(trends=make_trends().iloc[:0]))] == [(words.NO_ROWS,)]


def test_a_detected_effect_is_given_with_interval_event_and_p() -> None:
    assert lines_on(make_inputs(), CORE["recognition"])[0] == (
        "Detected: change around an event (The Taliban take Kabul): effect +0.27 convergence, "
        "interval +0.11 to +0.43; adjusted p = 0.012."
    )


def test_what_was_not_detected_names_the_smallest_detectable_effect() -> None:
    lines = lines_on(make_inputs(), CORE["india"])
    assert lines[0] == "Not detected: trend; adjusted p = 0.61; smallest detectable effect 0.31 convergence."
    assert (
        "Not detected: change around an event (2 tests); smallest adjusted p = 0.61; "
        "smallest detectable effect 0.28 to 0.35 convergence."
    ) in lines
    assert not any(line.startswith("Detected") for line in lines)


def test_of_several_tests_the_smallest_p_is_named() -> None:
    rows = [test_row("event", "india", event_id=name, p_adjusted=p) for name, p in (("a", 0.9), ("b", 0.3))]
    assert "; smallest adjusted p = 0.30; " in lines_on(make_inputs(tests=frame_of_tests(*rows)), CORE["india"])[0]


def test_detected_tests_come_first() -> None:
    starts = [line.split(":")[0] for line in lines_on(make_inputs(), CORE["recognition"])]
    assert starts == sorted(starts)


def test_a_test_that_could_not_be_made_is_not_called_undetected() -> None:
    rows = [test_row("trend", "india", p_value=np.nan, p_adjusted=np.nan),
            *(test_row("event", "india", event_id=e, p_adjusted=np.nan) for e in ("a", "b"))]  # fmt: skip
    inputs = make_inputs(tests=frame_of_tests(*rows))
    assert lines_on(inputs, CORE["india"]) == ("Not testable with these data: trend; change around an event (2).",)
    assert "No test could be made" in said(inputs, "In short")


def test_a_target_without_tests_says_so() -> None:
    inputs = make_inputs(tests=make_tests().iloc[:0])
    assert lines_on(inputs, CORE["india"]) == ("No test was made.",)


def test_an_unknown_smallest_effect_is_called_unknown() -> None:
    inputs = make_inputs(tests=frame_of_tests(test_row("trend", "india", min_detectable_effect=np.nan)))
    assert "smallest detectable effect unknown" in lines_on(inputs, CORE["india"])[0]


@pytest.mark.parametrize(
    ("p", "result"), [(0.0499, "detected"), (0.05, "not detected"), (0.9, "not detected"), (np.nan, "not testable")]
)
def test_five_percent_after_adjustment_decides(p: float, result: str) -> None:
    assert decided({"p_adjusted": p}) == result


def test_the_raw_p_value_decides_nothing() -> None:
    inputs = make_inputs(tests=frame_of_tests(test_row("trend", "india", p_value=0.001, p_adjusted=0.2)))
    assert lines_on(inputs, CORE["india"])[0].startswith("Not detected: trend; adjusted p = 0.20")


def test_numbers_of_tests_read_as_text_are_numbers() -> None:
    inputs = make_inputs(tests=frame_of_tests(test_row("trend", "india", p_adjusted="0.01", effect="0.2")))
    assert "effect +0.20 convergence" in lines_on(inputs, CORE["india"])[0]


def test_a_change_point_names_its_month_and_an_exploratory_event_its_rank() -> None:
    open_ended = {"conf_low": np.nan, "conf_high": np.nan}
    rows = [
        test_row("changepoint", "india", p_adjusted=0.01, changed_at="2024-03-01", **open_ended),
        test_row("event", "india", event_id="gone", p_adjusted=0.02, exploratory=True),
    ]
    first, second = lines_on(make_inputs(tests=frame_of_tests(*rows)), CORE["india"])
    assert first == "Detected: change point, likeliest from 2024-03: effect +0.08 convergence; adjusted p = 0.010."
    assert second.startswith("Detected: change around an event (gone): ")
    assert second.endswith("adjusted p = 0.020; exploratory.")


def test_an_unknown_test_keeps_its_name_and_a_missing_effect_is_left_out() -> None:
    inputs = make_inputs(tests=frame_of_tests(test_row("novel", "india", p_adjusted=0.01, effect=np.nan)))
    assert lines_on(inputs, CORE["india"]) == ("Detected: novel: adjusted p = 0.010.",)


@pytest.mark.parametrize(
    "phrase", ["no change", "unchanged", "stable", "did not change", "ally", "allies", "because"]
)
def test_nothing_undetected_is_called_absent_and_nothing_is_concluded(phrase: str) -> None:
    assert not re.search(rf"\b{phrase}\b", everything(make_inputs()), re.IGNORECASE)


def test_a_corrected_report_carries_no_warning() -> None:
    assert warning(make_inputs()) == ""


def test_an_uncorrected_report_warns_and_names_what_is_concerned() -> None:
    trends = make_trends()
    concerned = trends["target"].isin(["india", ALL])
    text = warning(make_inputs(trends=trends.assign(estimator=trends["estimator"].mask(concerned, "uncorrected"))))
    assert text.startswith("UNCORRECTED")
    assert text.endswith("Concerned: the pooled series; India's role.")


def test_a_charts_text_gives_coverage_ends_and_extremes() -> None:
    rows = [
        row(f"2020Q{q}", "position", target="india", country="CHN", estimate=value, status=status)
        for q, value, status in ((1, 0.3, "ok"), (2, -0.2, "sparse"), (3, 0.6, "ok"))
    ]
    rows.append(row("2020Q4", "position", target="india", country="CHN", status="empty"))
    text = chart_text(make_inputs(trends=trend_frame(rows)), "india")
    assert text == (
        "Chart by quarter from 2020 Q1 to 2020 Q4. Position of China: data in 3 of 4 quarters, 1 of them sparse; "
        "first +0.30 in 2020 Q1, last +0.60 in 2020 Q3, lowest −0.20, highest +0.60. Position of Russia: no data. "
        "Convergence: no data. Salience for China: no data. Salience for Russia: no data. 1 event is marked."
    )


def test_the_pooled_charts_text_names_its_series() -> None:
    text = chart_text(make_inputs(), ALL)
    for name in ("Pooled convergence: data in 27 of 27", "Declared coordination: ", "Declared minus revealed"):
        assert name in text
    assert text.endswith("5 events are marked.")
