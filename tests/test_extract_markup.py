"""What a page says of itself: titles, dates, links and translations, with and without selectors of its own."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from pipeline.ingest.extract.markup import Markup, read_markup
from pipeline.ingest.sources import Family

MOSCOW = ZoneInfo("Europe/Moscow")
BODY = "<div class='text'><p>The lamp burns.</p></div>"
OWN = Family(
    id="own",
    title=("h2.title", "h3"),
    date=(".when", "time"),
    venue=(".where",),
    body=(".text", "main"),
    drop=(".ad",),
    translations=(".langs a",),
    date_in_url=r"/(\d{8})/",
)


def markup(body: str, head: str = "", *, of: Family = OWN, url: str = "https://example.org/a/b", **given) -> Markup:
    page = f"<html lang='en-GB'><head>{head}</head><body>{body}</body></html>"
    return read_markup(page, url=url, family=of, zone=MOSCOW, **given)


def dates(found: Markup) -> dict[str, dt.date | None]:
    return dict(found.dates)


class TestTitles:
    @pytest.mark.parametrize(
        ("body", "head", "title"),
        [
            ("<h2 class='title'> A\n lamp </h2><h3>B</h3>", "<title>C</title>", "A lamp"),
            ("<h2 class='title'> </h2><h3>B</h3>", "<title>C</title>", "B"),
            ("<h1>D</h1>", "<meta name='ArticleTitle' content='E'><title>C</title>", "E"),
            ("<h1>D</h1>", "<meta property='og:title' content='F'>", "F"),
            ("<h1>D</h1>", "<meta property='og:title' content=' '><title>C</title>", "D"),
            ("", "<title>On lamps • President of Lampland</title>", "On lamps"),
            ("", "<title>灯塔_外交部</title>", "灯塔"),
            ("", "<title>Lamp-lighting</title>", "Lamp-lighting"),
            ("", "", ""),
        ],
    )
    def test_in_order_of_trust(self, body, head, title):
        assert markup(body + BODY, head).title == title


class TestDates:
    def test_by_selector_goes_by_the_attribute_before_the_text(self):
        assert dates(markup(f"<b class='when' datetime='2020-01-02'>3 March 2021</b>{BODY}"))["page"] == dt.date(
            2020, 1, 2
        )
        assert dates(markup(f"<b class='when'>3 March 2021</b>{BODY}"))["page"] == dt.date(2021, 3, 3)

    def test_the_next_selector_stands_in(self):
        found = markup(f"<b class='when'></b><time datetime='2020-06-18T22:00:00Z'></time>{BODY}")
        assert dates(found)["page"] == dt.date(2020, 6, 19)

    @pytest.mark.parametrize(
        "head",
        [
            "<meta name='PubDate' content='2020-01-02'>",
            "<meta property='article:published_time' content='2020-01-02T10:00:00Z'>",
            "<meta itemprop='datePublished' content='2020-01-02'>",
        ],
    )
    def test_of_the_head(self, head):
        assert dates(markup(BODY, head))["meta"] == dt.date(2020, 1, 2)

    def test_of_the_address(self):
        assert dates(markup(BODY, url="https://example.org/20200102/b"))["url"] == dt.date(2020, 1, 2)
        assert dates(markup(BODY, url="https://example.org/b?x=/20200102/"))["url"] is None


class TestBody:
    def test_by_the_first_selector_that_has_text(self):
        assert [b.text for b in markup("<div class='text'> </div><main><p>In main.</p></main>").blocks] == [
            "In main."
        ]

    def test_all_that_a_selector_selects_in_order(self):
        body = "<div class='text'><p>One.</p></div><p>no</p><div class='text'><p>Two.</p></div>"
        assert [b.text for b in markup(body).blocks] == ["One.", "Two."]

    def test_without_what_is_to_be_dropped(self):
        body = "<div class='text'><p>One.<span class='ad'>no</span></p><nav>no</nav><footer>no</footer></div>"
        found = markup(body)
        assert ([b.text for b in found.blocks], found.reader) == (["One."], "selectors")

    def test_a_fragment_is_all_body(self):
        found = read_markup("<p>A.</p><p>B.</p>", url="", family=OWN, zone=MOSCOW, is_fragment=True)
        assert ([b.text for b in found.blocks], found.reader) == (["A.", "B."], "fragment")

    def test_else_as_trafilatura_finds_it_with_bold_beginnings(self):
        long = (
            "The keeper of the lighthouse has lived on the island for thirty years and has seen every storm. " * 3
        )
        page = f"<article><h1>On lamps</h1><p><b>Ann Faro:</b> {long}</p><p>{long}</p></article>"
        found = markup(page, "<meta name='date' content='2020-01-02'>", of=Family(id="none"))
        assert found.reader == "trafilatura"
        block = next(b for b in found.blocks if b.text.startswith("Ann Faro"))
        assert block.text[: block.lead] == "Ann Faro:"

    def test_a_page_of_links_is_a_listing_and_a_text_with_links_is_not(self):
        links = "".join(f"<li><a href='/{n}'>An item of news, number {n}</a></li>" for n in range(20))
        assert markup(links).is_listing
        assert not markup(links + "<p>" + "And a long text beside them. " * 60 + "</p>").is_listing
        assert not markup(links + BODY).is_listing
        assert not markup("<a href='/1'>One</a>").is_listing


class TestAddresses:
    def test_links_are_resolved_against_the_pages(self):
        found = markup(
            "<a href='c'>1</a><a href='../d?x=1'>2</a><a href='//h/e'>3</a><a href='ftp://h/f'>4</a>" + BODY
        )
        assert found.links == ("https://example.org/a/c", "https://example.org/d?x=1", "https://h/e")

    def test_translations_by_link_and_selector_without_the_page_itself(self):
        head = (
            "<link rel='alternate' hreflang='ru' href='/ru'><link rel='alternate' hreflang='en' href='/a/b'>"
            "<link rel='alternate' hreflang='fr' type='application/atom+xml' href='/feed'>"
        )
        found = markup("<div class='langs'><a href='/zh'>Z</a></div>" + BODY, head)
        assert found.translations == ("https://example.org/ru", "https://example.org/zh")

    def test_place_and_language(self):
        found = markup("<i class='where'> Sample\nIsland </i>" + BODY)
        assert (found.venue, found.lang) == ("Sample Island", "en")
