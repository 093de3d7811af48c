"""The small parts: paragraphs with bold beginnings, dates in three languages, passages."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from pipeline.ingest.extract.blocks import Block, collapse, markup_blocks, text_blocks
from pipeline.ingest.extract.dates import choose_date, date_by_pattern, parse_date
from pipeline.ingest.extract.passages import passages
from pipeline.ingest.extract.sentences import sentences
from pipeline.ingest.extract.venue import venue_of

MOSCOW = ZoneInfo("Europe/Moscow")


def blocks(markup: str) -> list[tuple[str, str]]:
    return [(b.text, b.text[: b.lead]) for b in markup_blocks(html.fromstring(f"<div>{markup}</div>"))]


class TestParagraphs:
    @pytest.mark.parametrize(
        ("markup", "expected"),
        [
            ("<p><b>A:</b> b</p>", [("A: b", "A:")]),
            ("<p><b>A</b><b>:</b> b</p>", [("A: b", "A:")]),
            ("<p><b>A</b> <i>(x)</i>: b</p>", [("A (x): b", "A")]),
            ("<p><strong><span>A</span>b</strong></p>", [("Ab", "Ab")]),
            ('<p><span style="font-weight: bold">A:</span> b</p>', [("A: b", "A:")]),
            ("<p>a <b>b</b></p>", [("a b", "")]),
            ("<p> <b>A</b></p>", [("A", "A")]),
            ("a<br>b<br/>c", [("a", ""), ("b", ""), ("c", "")]),
            ("<p>a<!-- no -->b</p>", [("ab", "")]),
            ("<p>a</p>tail<p>b</p>", [("a", ""), ("tail", ""), ("b", "")]),
            ("<p>a<script>var x</script>b<style>y</style></p>", [("ab", "")]),
            ("<p>　　a\xa0 b\n c\u200b</p><p> </p>", [("a b c", "")]),
            ("<table><tr><td>a</td><td>b</td></tr></table>", [("a", ""), ("b", "")]),
        ],
    )
    def test_of_markup(self, markup, expected):
        assert blocks(markup) == expected

    def test_dropped_elements_leave_what_stands_behind_them(self):
        root = html.fromstring("<div><p>a <span class='x'>no</span>b</p><div class='x'><p>no</p></div>c</div>")
        assert [b.text for b in markup_blocks(root, root.find_class("x"))] == ["a b", "c"]

    def test_what_stands_behind_the_element_is_not_of_it(self):
        root = html.fromstring("<div><p>in</p>out<p>there</p></div>")
        assert [b.text for b in markup_blocks(root[0])] == ["in"]

    def test_of_plain_text(self):
        assert [b.text for b in text_blocks("a\nb\r\n\r\nc")] == ["a", "b", "c"]

    def test_of_hard_wrapped_text(self):
        text = "The lamp burns on the\nisland, and the keeper\nis glad of it.\n\nThe sea is wide and\nit small."
        assert [b.text for b in text_blocks(text)] == [
            "The lamp burns on the island, and the keeper is glad of it.",
            "The sea is wide and it small.",
        ]

    @pytest.mark.parametrize(("text", "is_one"), [("* * *", True), ("<…>", True), ("***", True), ("* a *", False)])
    def test_separators(self, text, is_one):
        assert Block(text=text).is_separator is is_one

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.tuples(st.text(alphabet="ab :：\n", max_size=6), st.booleans()), max_size=6))
    def test_the_bold_beginning_is_a_beginning(self, runs):
        markup = "".join(f"<b>{text}</b>" if bold else text for text, bold in runs)
        (block, *others) = markup_blocks(html.fromstring(f"<div>{markup}</div>")) or [Block(text="")]
        assert not others
        assert block.text == collapse("".join(text for text, _ in runs))
        assert 0 <= block.lead <= len(block.text)


class TestDates:
    @pytest.mark.parametrize(
        "text",
        [
            "2021-08-18",
            "2021-08-18 17:41",
            "2021/8/18",
            "18 August 2021",
            "18th of August, 2021",
            "August 18, 2021",
            "Aug. 18, 2021",
            "18 августа 2021 года",
            "2021年8月18日外交部",
            "18.08.2021",
            "t20210818_",
            "18 August 202116:30",
            "Wednesday, 18 August 2021, 10 a.m.",
            "on August 18th 2021",
        ],
    )
    def test_forms(self, text):
        assert parse_date(text) == dt.date(2021, 8, 18)

    @pytest.mark.parametrize("month", range(1, 13))
    def test_every_month_in_both_languages(self, month):
        day = dt.date(2020, month, 5)
        names = "января февраля марта апреля мая июня июля августа сентября октября ноября декабря"
        russian = names.split()
        assert parse_date(f"5 {russian[month - 1]} 2020") == day
        assert parse_date(day.strftime("%B 5, 2020")) == day

    @pytest.mark.parametrize(
        "text", ["", "no date", "2021-13-45", "31 February 2021", "phone 12345678", "1821-01-01", "99.99.2020"]
    )
    def test_none(self, text):
        assert parse_date(text) is None

    def test_the_first_that_is_one(self):
        assert parse_date("Not 31 February 2021 but 2021-03-01 or 2 March 2021") == dt.date(2021, 3, 1)

    @pytest.mark.parametrize(
        ("text", "day"),
        [
            ("2020-06-18T21:30:00Z", 19),
            ("2020-06-18T20:30:00Z", 18),
            ("2020-06-18T23:30:00+03:00", 18),
            ("2020-06-19T00:30:00+0400", 18),
            ("2020-06-18 21:30:00+00:00", 19),
        ],
    )
    def test_moments_are_days_of_the_sites_zone(self, text, day):
        assert parse_date(text, MOSCOW) == dt.date(2020, 6, day)

    @pytest.mark.parametrize(
        ("pattern", "text", "expected"),
        [
            (r"/t(\d{8})_", "/a/t20220517_1.shtml", dt.date(2022, 5, 17)),
            (r"^\d+-(\d{2})-(\d{2})-(\d{4})", "867-05-06-2023", dt.date(2023, 6, 5)),
            (r"(\d{4})-(\d\d)-(\d\d)", "2023-06-05", dt.date(2023, 6, 5)),
            (r"/t(\d{8})_", "/a/t20221399_1.shtml", None),
            ("", "20220517", None),
            (r"(\d{4})", "2023", None),
            (r"(\d\d)-(\d\d)-(\d{4})", "45-45-2023", None),
        ],
    )
    def test_by_pattern(self, pattern, text, expected):
        assert date_by_pattern(pattern, text) == expected

    def test_the_choice_passes_over_what_is_missing_or_to_come(self):
        read_on = dt.datetime(2020, 1, 1, 22, 0, tzinfo=dt.UTC)
        candidates = [
            ("a", None),
            ("b", dt.date(2020, 1, 3)),
            ("c", dt.date(2020, 1, 2)),
            ("d", dt.date(2019, 1, 1)),
        ]
        assert choose_date(candidates, fetched_at=read_on, zone=MOSCOW)[:2] == ("2020-01-02", "c")
        assert choose_date([], fetched_at=read_on, zone=MOSCOW) == ("", "", "")


class TestVenues:
    @pytest.mark.parametrize(
        ("title", "venue"),
        [
            ("2021年5月14日外交部发言人甄范例主持例行记者会", "例行记者会"),
            ("Spokesperson Zhen Fanli’s Regular Press Conference on August 18, 2021", "Regular Press Conference"),
            ("Foreign Minister’s interview with the Lamp Agency, Sample Island", "interview with the Lamp Agency"),
            ("Брифинг официального представителя МИД", "Брифинг"),
            ("Meeting with the keeper", ""),
            ("Брифинг и интервью агентству", "Брифинг"),
        ],
    )
    def test_named_in_a_title(self, title, venue):
        assert venue_of(title) == venue


class TestSentences:
    def test_of_a_short_text(self):
        assert list(sentences("The lamp burns. It has oil.", "en")) == [(0, 15), (16, 27)]

    @pytest.mark.parametrize(
        ("unit", "lang"), [("The lamp burns. ", "en"), ("灯亮着。", "zh"), ("lamp ", "xx"), ("灯" * 20, "zh")]
    )
    def test_of_a_very_long_one_they_hold_all_of_it(self, unit, lang):
        text = unit * 3000
        spans = list(sentences(text, lang))
        assert "".join(text[a:b] for a, b in spans).replace(" ", "") == text.replace(" ", "")
        assert all(a < b for a, b in spans)
        assert all(first[1] <= second[0] for first, second in pairwise(spans))

    def test_windows_do_not_cut_sentences(self):
        text = "The lamp on the island burns for all. " * 500
        assert {text[a:b] for a, b in sentences(text, "en")} == {"The lamp on the island burns for all."}


class TestPassages:
    def test_short_paragraphs_join_the_next(self):
        body = "The lamp burns on the island all night, and whoever sails by can see it from afar. " * 2
        body = body.strip()
        assert list(passages(["Good day.", body, body], "en")) == [f"Good day. {body}", body]

    def test_what_is_left_over_joins_the_last(self):
        body = "The lamp burns. " * 10
        assert list(passages([body.strip(), "Thank you."], "en")) == [f"{body.strip()} Thank you."]
        assert list(passages(["Thank you."], "en")) == ["Thank you."]
        assert list(passages([], "en")) == []

    def test_long_ones_are_cut_at_sentence_ends(self):
        sentence = "The lamp on the island burns for everyone who sails by in the night. "
        parts = list(passages([sentence * 30], "en"))
        assert len(parts) >= 3
        assert all(part.endswith(".") and len(part) <= 1000 for part in parts)
        assert " ".join(parts) == (sentence * 30).strip()

    def test_chinese_is_denser(self):
        parts = list(passages(["岛上的灯塔整夜都亮着。" * 60], "zh"))
        assert len(parts) > 1
        assert all(part.endswith("。") for part in parts)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.text(alphabet="ab. \n。", min_size=1, max_size=1500).map(collapse).filter(bool), max_size=6))
    def test_no_text_is_lost_or_added(self, paragraphs):
        joined = "".join(passages(paragraphs, "en"))
        assert joined.replace(" ", "") == "".join(paragraphs).replace(" ", "")
