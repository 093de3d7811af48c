"""The statements behind the figures: which are kept, and that their text stays data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.report.evidence import (
    LONGEST,
    LONGEST_FIELD,
    Evidence,
    Index,
    clean,
    gather,
    host,
    pieces,
    safe_link,
    settled,
    statements_table,
)
from pipeline.report.inputs import STATEMENTS, TAGS, ReportInputs
from pipeline.schema import LABEL_COLUMNS
from tests.test_report_world import make_inputs, make_statement, make_tag, row, trend_frame


def told(*statements: dict[str, Any], labels: tuple[tuple[str, str, str], ...] = (), **more: Any) -> ReportInputs:
    """Inputs of statements, each with `tags` as (target, stance, confidence); trends of 2020 unless given."""
    plain = [{key: value for key, value in one.items() if key != "tags"} for one in statements]
    tags = [
        make_tag(bare, target, stance, confidence=sure)
        for bare, one in zip(plain, statements, strict=True)
        for target, stance, sure in one["tags"]
    ]
    base = {
        "trends": trend_frame([row(f"2020Q{i}", "position", target="india", country="CHN") for i in (1, 2, 3, 4)]),
        "statements": pd.DataFrame(plain, columns=list(STATEMENTS)), "tags": pd.DataFrame(tags, columns=list(TAGS)),
        "labels": pd.DataFrame([(*label, 1.0) for label in labels], columns=list(LABEL_COLUMNS)),
    }  # fmt: skip
    return make_inputs(**(base | more))


def one(name: str, sure: float = 0.7, stance: str = "favor", target: str = "india", **more: Any) -> dict[str, Any]:
    usual = {"statement_id": name, "country": "CHN", "date": "2020-02-01", "tags": [(target, stance, sure)]}
    return make_statement(0, **(usual | more))


def items(found: Evidence) -> list[dict[str, Any]]:
    return [item for group in found.groups for item in group["items"]]


def ids(found: Evidence) -> list[str]:
    return [item["id"] for item in items(found)]


def test_all_are_shown_while_they_fit() -> None:
    found = gather(told(one("a"), one("b", stance="none")), budget=2)
    assert (found.total, found.shown, found.each) == (2, 2, 0)
    assert ids(found) == ["a", "b"]


def test_beyond_the_budget_the_surest_are_kept() -> None:
    found = gather(told(one("a", 0.6), one("b", 0.9), one("c", 0.8)), budget=2)
    assert (found.total, found.shown, found.each) == (3, 2, 2)
    assert set(ids(found)) == {"b", "c"}


def test_what_coders_labelled_comes_before_what_the_model_is_sure_of() -> None:
    inputs = told(one("a", 0.1), one("b", 0.99), labels=(("a", "india", "against"),))
    assert ids(gather(inputs, budget=1)) == ["a"]


def test_a_statement_that_coders_see_off_the_target_is_not_chosen_for_it() -> None:
    inputs = told(one("a", 0.99), one("b", 0.1), labels=(("a", "india", "none"),))
    assert ids(gather(inputs, budget=1)) == ["b"]


def test_a_statement_that_only_coders_see_on_the_target_is_chosen() -> None:
    inputs = told(one("a", 0.99, stance="none"), one("b", 0.9), labels=(("a", "india", "favor"),))
    assert ids(gather(inputs, budget=1)) == ["a"]


def test_equally_sure_ones_are_kept_by_their_id() -> None:
    assert ids(gather(told(one("c"), one("a"), one("b")), budget=1)) == ["a"]


def test_the_pair_comes_before_others() -> None:
    other = one("a", 0.99, country="PAK")
    assert ids(gather(told(other, one("b", 0.1), one("c", 0.2)), budget=2)) == ["b", "c"]
    assert set(ids(gather(told(other, one("b", 0.1), one("c", stance="none")), budget=2))) == {"a", "b"}


@pytest.mark.parametrize(
    "cell", [{"country": "RUS"}, {"date": "2020-05-01"}, {"tags": [("security", "favor", 0.1)]}]
)
def test_each_actor_target_and_period_has_its_first_before_another_has_its_second(cell: dict[str, Any]) -> None:
    found = gather(told(one("a", 0.99), one("b", 0.98), one("c", 0.1, **cell)), budget=2)
    assert set(ids(found)) == {"a", "c"}
    assert found.each == 1


def test_a_statement_chosen_on_two_targets_is_spent_once() -> None:
    both = one("a", tags=[("india", "favor", 0.9), ("security", "favor", 0.9)])
    assert set(ids(gather(told(both, one("b", 0.5), one("c", 0.4)), budget=2))) == {"a", "b"}


def test_beyond_the_budget_what_addresses_nothing_is_left_out() -> None:
    found = gather(told(one("a", stance="none"), one("b"), one("c", stance="none")), budget=2)
    assert (ids(found), found.total, found.shown) == (["b"], 3, 1)


def test_a_budget_of_none_shows_none() -> None:
    found = gather(told(one("a")), budget=0)
    assert (found.total, found.shown, found.groups) == (1, 0, ())


def test_the_table_beside_a_page_has_every_statement_with_its_stances() -> None:
    inputs = told(
        one("b", 0.9), one("a", 0.6, "against"), one("c", 0.5, date="2020-01-05"), one("out", date="2031-01-01"),
        one("d", stance="none"), labels=(("a", "india", "neutral"), ("b", "india", "none")),
    )  # fmt: skip
    table = statements_table(inputs, gather(inputs, budget=2))
    assert table["statement_id"].tolist() == ["c", "a", "b", "d"]
    assert list(table.columns) == [*STATEMENTS, "india", "on_page"]
    assert table["india"].tolist() == ["favor", "neutral", "", ""]  # the coders', or else the model's
    assert table.set_index("statement_id")["on_page"].to_dict() == {"c": True, "a": True, "b": False, "d": False}
    assert table["text"].tolist()[0] == inputs.statements["text"].iloc[2]


def test_nothing_to_gather() -> None:
    for inputs in (make_inputs(), make_inputs(trends=trend_frame([]))):
        found = gather(inputs)
        assert (found.total, found.shown, found.each, found.speakers, found.groups) == (0, 0, 0, (), ())


def test_one_actor_missing_keeps_the_numbers_of_the_pair() -> None:
    found = gather(told(one("a", country="RUS")))
    assert found.index.countries == ("CHN", "RUS")
    assert items(found)[0]["c"] == 1


def test_statements_outside_the_trends_are_left_out_and_undated_ones_stay() -> None:
    days = {"a": "2019-12-31", "b": "2020-01-01", "c": "2020-12-31", "d": "2021-01-01", "e": None, "f": "no day"}
    found = gather(told(*(one(name, date=day) for name, day in days.items())))
    assert ids(found) == ["c", "b", "e", "f"]
    assert [group["name"] for group in found.groups] == ["2020 Q4", "2020 Q1", "Date unknown"]
    assert found.index.periods == {"2020Q1", "2020Q4"}


def test_the_newest_come_first_and_numbers_run_through() -> None:
    found = gather(told(one("a", date="2020-02-01"), one("b", date="2020-03-01"), one("c", date="2020-09-01")))
    assert ids(found) == ["c", "b", "a"]
    assert [item["number"] for item in items(found)] == [0, 1, 2]


def test_a_day_known_to_the_month_is_shown_to_the_month() -> None:
    found = gather(told(one("a", date_method="month"), one("b")))
    assert [item["date"] for item in items(found)] == ["2020-02", "2020-02-01"]


def test_periods_are_months_where_the_trends_are() -> None:
    trends = trend_frame([row("2020-02", "position", target="india", country="CHN")])
    found = gather(told(one("a"), one("b", date="2020-03-01"), trends=trends))
    assert [(group["id"], group["name"]) for group in found.groups] == [("2020-02", "2020-02")]


def test_the_coders_stance_is_the_final_one() -> None:
    inputs = told(one("a"), one("b"), labels=(("a", "india", "against"),))
    rows = settled(inputs.tags, inputs.labels).set_index("statement_id")
    assert (rows.loc["a", "gold"], rows.loc["a", "final"]) == ("against", "against")
    assert (rows.loc["b", "gold"], rows.loc["b", "final"]) == ("", "favor")
    found = {item["id"]: item["key"] for item in items(gather(inputs))}
    assert found == {"a": "0:against", "b": "0:favor"}


def test_a_target_seen_by_neither_is_not_listed() -> None:
    inputs = told(one("a", stance="none"), one("b", stance="none"), labels=(("b", "india", "favor"),))
    assert [len(item["stances"]) for item in items(gather(inputs))] == [0, 1]


def test_an_anchor_leads_to_what_is_shown_only() -> None:
    index = Index(countries=("CHN", "RUS"), targets=("india", "security"), periods=frozenset({"2020Q1"}))
    assert index.anchor("2020Q1", "security", "CHN") == "#q-2020Q1~1~0"
    assert index.anchor("2020Q1", "ALL", "") == "#q-2020Q1~~"
    assert index.anchor("2020Q2", "security", "CHN") == ""


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\u200f", "\x00", "\x1b", "\ue000", "\ud800"])
def test_what_hides_or_reorders_is_replaced_one_for_one(character: str) -> None:
    assert clean(f"a{character}b") == "a\ufffdb"


@pytest.mark.parametrize("character", ["\t", "\n", "\r", "\u2028", "\u2029", "\x85"])
def test_every_break_is_a_space(character: str) -> None:
    assert clean(f"a{character}b") == "a b"


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (np.nan, ""), (pd.NaT, ""), (7, "7"), ("中文 ё", "中文 ё")]
)
def test_what_is_no_text_is_read_as_text(value: object, text: str) -> None:
    assert clean(value) == text


@pytest.mark.parametrize(("text", "cut"), [("abc", "abc"), ("abcd", "abc…"), ("", "")])
def test_a_long_text_is_cut_with_an_ellipsis(text: str, cut: str) -> None:
    assert clean(text, longest=3) == cut


@pytest.mark.parametrize("address", ["http://example.org/", "https://example.org/a?b=c&d#e"])
def test_addresses_of_the_web_are_links(address: str) -> None:
    assert safe_link(address) == address


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "//example.org", "https://", "https:///x", "https://a b", "ftp://a.org",
     "https://example.org\\x", "https://example.org/\u202e", "https://[", " https://example.org", None, 5,
     "https://example.org/" + "a" * 1000],
)  # fmt: skip
def test_anything_else_is_no_link(address: object) -> None:
    assert safe_link(address) == ""


def test_look_alike_letters_of_a_host_are_seen() -> None:
    assert host("https://www.example.org:8080/x") == "example.org"
    assert host("https://ex\u0430mple.org/").startswith("xn--")
    assert host("https://" + "a" * 64 + ".org/") == ""


def test_hostile_statements_stay_data() -> None:
    bad = "<script>alert(1)</script>\u202e"
    hostile = one("a", text=bad, speaker=bad, title="x" * 500, venue=None, url="javascript:alert(1)")
    found = gather(told(hostile))
    item = items(found)[0]
    assert "".join(text for text, _ in item["pieces"]) == bad.replace("\u202e", "\ufffd")
    assert item["speaker"] == found.speakers[0] == bad.replace("\u202e", "\ufffd")
    assert (item["link"], item["host"], item["venue"]) == ("", "", "")
    assert item["title"] == "x" * LONGEST_FIELD + "…"


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], [("abcdef", "")]), ([(0, 2, 4)], [("ab", ""), ("cd", "0"), ("ef", "")]), ([(3, 0, 6)], [("abcdef", "3")]),
        ([(2, 0, 4), (0, 2, 6)], [("ab", "2"), ("cd", "0 2"), ("ef", "0")]), ([(0, 4, 99)], [("abcd", ""), ("ef", "0")]),
        ([(0, 50, 60)], [("abcdef", "")]),
    ],
)  # fmt: skip
def test_text_is_parted_where_evidence_begins_or_ends(
    spans: list[tuple[int, int, int]], expected: list[tuple[str, str]]
) -> None:
    assert pieces("abcdef", spans) == expected


def test_a_long_text_is_cut_around_its_evidence() -> None:
    text = "a" * 1000 + "EVIDENCE" + "b" * 1000
    found = pieces(text, [(0, 1000, 1008)])
    assert found[0] == ("… ", "")
    assert found[-1] == (" …", "")
    assert ("EVIDENCE", "0") in found
    assert sum(len(part) for part, _ in found[1:-1]) == LONGEST
    assert len(found[1][0]) == LONGEST // 4


def test_a_text_of_the_longest_length_is_whole() -> None:
    assert pieces("a" * LONGEST, []) == [("a" * LONGEST, "")]
    assert pieces("a" * (LONGEST + 1), []) == [("a" * LONGEST, ""), (" …", "")]
