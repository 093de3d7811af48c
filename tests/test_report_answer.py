"""The short answer: each branch of its wording, on frames small enough to work out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.report import words
from pipeline.report.answer import Answer, answer
from pipeline.report.inputs import ReportInputs
from pipeline.schema import TEST_COLUMNS
from tests.test_report_world import make_inputs, make_sources, row, test_row, trend_frame

FOUND = {"p_value": 0.001, "p_adjusted": 0.01}
UNTESTABLE = {"p_value": np.nan, "p_adjusted": np.nan, "effect": np.nan}
YES = "Yes, in words: the positions of China and Russia have moved closer."
NO = "No: the positions of China and Russia have moved apart."
SPLIT = "The words of China and Russia moved, but the tests disagree on the direction."
NOTHING = "No convergence of China and Russia was detected, which is not the same as none."
TOO_FEW = "These data are too few to say whether the positions of China and Russia converge."
NO_DATE = "Since when cannot be said: neither a trend nor a break of the pooled index was detected."


def frame_of(*rows: dict[str, Any]) -> pd.DataFrame:
    columns = list(dict.fromkeys((*TEST_COLUMNS, *(name for one in rows for name in one))))
    return pd.DataFrame(list(rows), columns=columns)


def gap(period: str, target: str, low: float, high: float, **more: Any) -> dict[str, Any]:
    bounds = {"estimate": (low + high) / 2, "conf_low": low, "conf_high": high}
    return row(period, "gap", target=target, scope="pair", **(bounds | more))


def little(*tests: dict[str, Any], gaps: tuple[dict[str, Any], ...] = (), **more: Any) -> ReportInputs:
    rows = gaps or (row("2020Q1", "pooled_convergence"), row("2020Q2", "pooled_convergence"))
    return make_inputs(**({"trends": trend_frame(rows), "tests": frame_of(*tests)} | more))


def led(found: Answer, lead: str) -> str:
    return " ".join(text for own, text in found.sentences if own == lead)


def said(found: Answer) -> str:
    return " ".join(text for _, text in found.sentences)


def pooled(trend: dict[str, Any] | None, change: dict[str, Any] | None) -> list[dict[str, Any]]:
    pairs = (("trend", trend), ("changepoint", change))
    return [test_row(name, "ALL", **more) for name, more in pairs if more is not None]


CLOSER, APART = FOUND | {"effect": 0.2}, FOUND | {"effect": -0.2}


@pytest.mark.parametrize(
    ("trend", "change", "short"),
    [
        (CLOSER, {}, YES), ({}, CLOSER, YES), (CLOSER, CLOSER, YES), (CLOSER, None, YES), (CLOSER, UNTESTABLE, YES),
        (APART, {}, NO), ({}, APART, NO), (APART, APART, NO), (None, APART, NO), (UNTESTABLE, APART, NO),
        (CLOSER, APART, SPLIT), (APART, CLOSER, SPLIT),
        ({}, {}, NOTHING), ({}, None, NOTHING), (None, {}, NOTHING), ({}, UNTESTABLE, NOTHING),
        (None, None, TOO_FEW), (UNTESTABLE, None, TOO_FEW), (UNTESTABLE, UNTESTABLE, TOO_FEW),
    ],
)  # fmt: skip
def test_the_short_answer_follows_the_pooled_tests(
    trend: dict[str, Any] | None, change: dict[str, Any] | None, short: str
) -> None:
    assert answer(little(*pooled(trend, change))).short == short


@pytest.mark.parametrize(("p", "short"), [(0.049, YES), (0.05, NOTHING), (0.2, NOTHING)])
def test_only_an_adjusted_p_below_the_level_counts(p: float, short: str) -> None:
    assert answer(little(test_row("trend", "ALL", effect=0.2, p_value=0.001, p_adjusted=p))).short == short


def test_a_detected_test_without_an_effect_has_no_direction() -> None:
    assert answer(little(test_row("trend", "ALL", **(FOUND | {"effect": np.nan})))).short == NOTHING


def test_a_single_target_does_not_answer_for_the_pool() -> None:
    assert answer(little(test_row("trend", "india", **CLOSER))).short == TOO_FEW


def test_an_event_or_a_lead_is_no_convergence() -> None:
    tests = [test_row(name, "ALL", **CLOSER) for name in ("event", "leadlag", "classifier_drift")]
    assert answer(little(*tests)).short == TOO_FEW


def told_events(*rows: dict[str, Any], **more: Any) -> Answer:
    return answer(
        make_inputs(tests=frame_of(test_row("trend", "ALL"), test_row("changepoint", "ALL"), *rows), **more)
    )


def sentence(found: Answer, lead: str) -> str:
    return next((text for name, text in found.sentences if name == lead), "")


def test_events_around_which_the_pool_moved_are_named_in_their_order() -> None:
    found = told_events(
        test_row("event", "ALL", event_id="ukraine-invasion", effect=-0.2, conf_low=-0.3, conf_high=-0.1, **FOUND),
        test_row("event", "ALL", event_id="kabul-falls", effect=0.27, conf_low=0.11, conf_high=0.43, **FOUND),
        test_row("event", "ALL", event_id="dushanbe"), test_row("event", "india", event_id="galwan-clash", **FOUND),
    )  # fmt: skip
    assert sentence(found, "Around what?") == (
        "The pooled index moved closer after “The Taliban take Kabul” of 2021-08 (+0.27, +0.11 to +0.43) and apart "
        "after “Russia's full-scale invasion of Ukraine” of 2022-02 (−0.20, −0.30 to −0.10)."
    )
    assert found.short == (
        "Only around dated events were the positions of China and Russia seen to move: no trend, no break was found."
    )


@pytest.mark.parametrize(("flags", "said"), [((True, True), True), ((True, False), False), ((False, False), False)])
def test_events_chosen_with_the_data_in_view_confirm_nothing(flags: tuple[bool, bool], said: bool) -> None:
    rows = [
        test_row("event", "ALL", event_id=event, exploratory=flag, **FOUND)
        for event, flag in zip(("kabul-falls", "dushanbe"), flags, strict=True)
    ]
    text = sentence(told_events(*rows), "Around what?")
    assert ("registered with the data in view suggest a cause and confirm none" in text) is said


def test_what_escaped_is_told_of_the_other_tests_where_some_detected() -> None:
    rows = [test_row("event", "ALL", event_id="dushanbe"), test_row("event", "india", event_id="galwan-clash")]
    lead = "What could not be detected?"
    assert sentence(told_events(*rows), lead).startswith("In 2 tests around dated events nothing was detected;")
    found = test_row("event", "ALL", event_id="kabul-falls", **FOUND)
    assert sentence(told_events(*rows, found), lead).startswith("In the other 2 tests around dated events nothing")


def test_no_event_detected_no_sentence_on_events() -> None:
    assert sentence(told_events(test_row("event", "ALL", event_id="dushanbe")), "Around what?") == ""
    unknown = told_events(test_row("event", "ALL", event_id="unheard-of", **FOUND))
    assert sentence(unknown, "Around what?") == ""


def test_an_event_without_an_interval_says_so() -> None:
    row_of = test_row("event", "ALL", event_id="dushanbe", conf_low=np.nan, conf_high=np.nan, **FOUND)
    assert "(+0.08, no interval)" in sentence(told_events(row_of), "Around what?")


def test_ids_stand_in_for_names_that_are_not_known() -> None:
    assert "CHN and RUS" in answer(little(*pooled(CLOSER, None), names={})).short


def test_nothing_to_answer_from() -> None:
    found = answer(little(trends=trend_frame([])))
    assert found.short == "There is nothing to answer from."
    assert found.sentences == (("", words.NO_ROWS),)


def test_a_trend_is_given_by_year_with_its_interval() -> None:
    test = test_row("trend", "ALL", effect=0.123, conf_low=0.05, conf_high=0.196, p_adjusted=0.012)
    assert led(answer(little(test)), "Since when?") == (
        "Pooled over the core targets, convergence changed by +0.12 a year (+0.05 to +0.20, adjusted p = 0.012)."
    )


def test_a_break_is_given_by_its_month() -> None:
    test = test_row("changepoint", "ALL", effect=-0.3, p_adjusted=0.0004, changed_at="2021-07-01")
    assert led(answer(little(test)), "Since when?") == (
        "The likeliest break is 2021-07, with convergence −0.30 after it (adjusted p < 0.001)."
    )


def test_a_break_without_a_date_says_so() -> None:
    assert "break is of unknown date" in led(answer(little(*pooled(None, CLOSER))), "Since when?")


def test_a_trend_and_a_break_are_one_sentence() -> None:
    text = led(answer(little(*pooled(CLOSER, CLOSER))), "Since when?")
    assert text.startswith("Pooled over")
    assert "; the likeliest break" in text
    assert text.count(".") - text.count("0.") == 1


@pytest.mark.parametrize("tests", [(), tuple(pooled({}, {})), tuple(pooled(UNTESTABLE, None))])
def test_without_a_detection_there_is_no_since(tests: tuple[dict[str, Any], ...]) -> None:
    assert led(answer(little(*tests)), "Since when?") == NO_DATE


def test_a_gap_whose_interval_holds_zero_is_no_proof_of_agreement() -> None:
    found = led(answer(little(gaps=(gap("2020Q1", "india", -0.1, 0.3),))), "On what?")
    assert found == (
        "Most lately they cannot be told apart on India's role (gap +0.10, −0.10 to +0.30, in 2020 Q1): that is "
        "no proof of agreement, since gaps as wide as these intervals would look the same."
    )


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(0.2, 0.4, "gap +0.30, +0.20 to +0.40"), (-0.4, -0.2, "gap −0.30, −0.40 to −0.20")],
)
def test_a_gap_away_from_zero_is_a_difference(low: float, high: float, text: str) -> None:
    found = led(answer(little(gaps=(gap("2020Q1", "india", low, high),))), "On what?")
    assert found == f"They differ on India's role ({text}, in 2020 Q1)."


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.4), (-0.4, 0.0)])
def test_an_interval_that_touches_zero_does_not_exclude_it(low: float, high: float) -> None:
    assert "cannot be told apart" in led(answer(little(gaps=(gap("2020Q1", "india", low, high),))), "On what?")


def test_targets_alike_and_apart_are_listed_in_the_codebooks_order() -> None:
    gaps = (
        gap("2020Q1", "security", -0.1, 0.1), gap("2020Q1", "recognition", 0.1, 0.3), gap("2020Q1", "india", -0.2, 0.2)
    )  # fmt: skip
    found = led(answer(little(gaps=gaps)), "On what?")
    assert found.index("India's role") < found.index(" and Security of Central Asia") < found.index("; they differ")
    assert found.endswith("they differ on Recognition of the Taliban (gap +0.20, +0.10 to +0.30, in 2020 Q1).")


def test_the_last_period_with_data_decides() -> None:
    gaps = (
        gap("2020Q1", "india", 0.2, 0.4), gap("2020Q2", "india", -0.1, 0.1),
        gap("2020Q3", "india", np.nan, np.nan, status="empty"),
    )  # fmt: skip
    found = led(answer(little(gaps=gaps)), "On what?")
    assert "in 2020 Q2" in found
    assert "differ" not in found


def test_a_gap_without_an_interval_is_not_spoken_of() -> None:
    gaps = (gap("2020Q1", "india", np.nan, np.nan, estimate=0.6),)
    found = answer(little(gaps=gaps))
    assert led(found, "On what?") == ""
    assert "Their intervals" not in said(found)


def test_a_target_outside_the_core_is_not_spoken_of() -> None:
    found = said(answer(little(gaps=(gap("2020Q1", "presence", 0.2, 0.4),))))
    assert "US and NATO" not in found


def test_without_gaps_nothing_is_said_of_what() -> None:
    assert "On what?" not in [lead for lead, _ in answer(little()).sentences]


def test_periods_apart_are_counted_among_those_with_an_interval() -> None:
    gaps = (
        gap("2020Q1", "india", 0.2, 0.4), gap("2020Q2", "india", -0.4, -0.2), gap("2020Q3", "india", -0.1, 0.1),
        gap("2020Q4", "india", np.nan, np.nan, status="empty"), gap("2021Q1", "india", np.nan, np.nan, estimate=0.9),
        gap("2020Q1", "security", -0.1, 0.1), gap("2020Q2", "security", -0.1, 0.1),
    )  # fmt: skip
    assert (
        "Their intervals showed them apart on India's role in 2 of 3 quarters, last in 2020 Q2 and Security of "
        "Central Asia in none of 2."
    ) in said(answer(little(gaps=gaps)))


def test_months_are_called_months() -> None:
    found = said(answer(little(gaps=(gap("2020-03", "india", 0.2, 0.4),))))
    assert "India's role in 1 of 1 months, last in 2020-03." in found


def test_detections_on_single_targets_are_named_once_per_kind() -> None:
    tests = [
        test_row("event", "india", event_id="a", **CLOSER), test_row("event", "india", event_id="b", **APART),
        test_row("trend", "india", **CLOSER), test_row("changepoint", "security", **CLOSER), test_row("trend", "security"),
    ]  # fmt: skip
    assert (
        "On single targets, tests detected India's role: change around an event, trend and Security of Central "
        "Asia: change point."
    ) in said(answer(little(*tests)))


def test_no_detection_on_a_single_target_is_said_where_tests_were_made() -> None:
    sentence = "On no single core target did a test detect anything."
    assert sentence in said(answer(little(test_row("trend", "india"))))
    assert sentence in said(answer(little(*pooled(CLOSER, CLOSER))))
    assert sentence not in said(answer(little()))


def test_what_could_not_be_detected_is_the_reach_of_the_event_tests() -> None:
    tests = [
        test_row("event", "ALL", min_detectable_effect=0.2), test_row("event", "india", min_detectable_effect=0.45),
        test_row("event", "security", min_detectable_effect=0.9, **FOUND),
        test_row("event", "recognition", **(UNTESTABLE | {"min_detectable_effect": 0.01})),
        test_row("trend", "india", min_detectable_effect=0.02),
        test_row("event", "presence", min_detectable_effect=0.03),
    ]  # fmt: skip
    assert led(answer(little(*tests)), "What could not be detected?") == (
        "In the other 2 tests around dated events nothing was detected; they would have found changes of 0.20 to 0.45 "
        "in convergence in four of five cases, and miss smaller ones."
    )


@pytest.mark.parametrize(
    "tests",
    [(), (test_row("event", "ALL", min_detectable_effect=np.nan),), (test_row("event", "ALL", **FOUND),),
     (test_row("trend", "ALL"),)],
)  # fmt: skip
def test_without_a_known_reach_there_is_nothing_on_what_was_missed(tests: tuple[dict[str, Any], ...]) -> None:
    assert led(answer(little(*tests)), "What could not be detected?") == ""


def test_how_sure_counts_statements_and_labels() -> None:
    # 400 + 50 + 480 + 21 statements, 300 + 5 + 345 labelled: 650 / 951 = 68%.
    assert led(answer(little()), "How sure?") == (
        "All this rests on 951 statements, 68% of them labelled; the labels are by language models and unchecked by "
        "experts."
    )


def test_thousands_are_parted() -> None:
    sources = make_sources().assign(statements=1000, labelled=1000)
    assert "4,000 statements, 100% of" in led(answer(little(sources=sources)), "How sure?")


def test_no_sources_no_sentence() -> None:
    assert led(answer(little(sources=make_sources().iloc[:0])), "How sure?") == ""
    assert led(answer(little(sources=make_sources().assign(statements=0, labelled=0))), "How sure?") == ""


def test_a_drift_of_the_classifier_is_told_only_when_detected() -> None:
    drift = test_row("classifier_drift", "ALL", effect=-0.08, p_value=0.01, p_adjusted=0.03)
    text = "accuracy drifted over time (−0.08, adjusted p = 0.030), which the correction allows for"
    assert text in led(answer(little(drift)), "How sure?")
    assert "drifted" not in led(answer(little(test_row("classifier_drift", "ALL"))), "How sure?")
    alone = led(answer(little(drift, sources=make_sources().iloc[:0])), "How sure?")
    assert alone.startswith("The classifier's accuracy drifted")


def test_empty_sentences_are_left_out_and_leads_keep_their_order() -> None:
    found = answer(make_inputs())
    assert all(text for _, text in found.sentences)
    order = ["Since when?", "On what?", "What could not be detected?", "How sure?"]
    leads = [lead for lead, _ in found.sentences if lead]
    assert leads == [lead for lead in order if lead in leads]


def test_one_actor_missing_leaves_an_answer() -> None:
    trends = trend_frame([row("2020Q1", "position", target="india", country="CHN")])
    found = answer(little(trends=trends))
    assert found.short == TOO_FEW
    assert led(found, "On what?") == ""


def test_a_hostile_name_is_carried_as_it_is_for_the_template_to_escape() -> None:
    found = answer(little(*pooled(CLOSER, None), names={"CHN": "<b>{0}</b>", "RUS": "%s"}))
    assert found.short == "Yes, in words: the positions of <b>{0}</b> and %s have moved closer."
