"""Cards become parts of the page, and nothing in them becomes markup, a request or a link."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from pipeline.report.cards import card_html


def test_an_empty_card_is_empty() -> None:
    assert card_html("") == ""


def test_a_card_is_ready_for_the_template() -> None:
    assert isinstance(card_html("words"), Markup)
    assert card_html("words") == "<p>words</p>\n"


@pytest.mark.parametrize(("level", "sunk"), [(1, 4), (2, 5), (3, 6), (4, 6), (5, 6), (6, 6)])
def test_headings_sink_three_levels_and_stop_at_the_sixth(level: int, sunk: int) -> None:
    assert card_html(f"{'#' * level} Data") == f"<h{sunk}>Data</h{sunk}>\n"


def test_an_underlined_heading_sinks_too() -> None:
    assert card_html("Data\n====") == "<h4>Data</h4>\n"


def test_words_that_look_like_a_heading_tag_stay_words() -> None:
    assert card_html("a <h1> in words") == "<p>a &lt;h1&gt; in words</p>\n"


def test_a_table_is_a_small_table() -> None:
    html = card_html("| a | b |\n|---|---|\n| 1 | 2 |\n")
    assert html.startswith('<table class="small">')
    assert html.count("<th>") == 2
    assert "<td>1</td>" in html
    assert "<td>2</td>" in html


def test_lists_emphasis_and_code_are_kept() -> None:
    html = card_html("- one\n- **two** and `three`\n")
    assert html.count("<li>") == 2
    assert "<strong>two</strong>" in html
    assert "<code>three</code>" in html


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "words <img src=x onerror=alert(1)> words",
        "<iframe src='https://example.org'></iframe>",
        "<style>body { display: none }</style>",
        "<!-- hidden -->",
        "<svg/onload=alert(1)>",
    ],
)
def test_markup_is_shown_as_text(hostile: str) -> None:
    html = card_html(hostile)
    for tag in ("<script", "<img", "<iframe", "<style", "<!--", "<svg"):
        assert tag not in html
    assert "&lt;" in html


@pytest.mark.parametrize(
    "link",
    [
        "[words](https://example.org/)",
        "[words](javascript:alert(1))",
        "![words](https://example.org/a.png)",
        "<https://example.org/words>",
        "https://example.org/words",
        "[words][one]\n\n[one]: https://example.org/",
    ],
)
def test_no_link_and_no_image_is_made_and_its_words_stay(link: str) -> None:
    html = card_html(link)
    assert "<a" not in html
    assert "<img" not in html
    assert "href" not in html
    assert "src=" not in html
    assert "words" in html


def test_code_in_a_fence_is_escaped() -> None:
    html = card_html("```\n<b>&</b>\n```\n")
    assert "<b>" not in html
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in html
