"""Listing pages by themselves: feeds of every kind, odd HTML, hostile XML."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest

from pipeline.ingest.listings import Item, ListingError, ListingPage, day_of, read_listing
from pipeline.ingest.responses import media_type
from pipeline.ingest.sources import Family, Listing, Source
from tests.sites import linked_list, rss

SOURCE = Source(
    id="island", name="x", family=Family(id="f", date_in_url=r"/t(\d{8})_"), base_url="http://i.example",
    hosts=("i.example",), article=r"^/n/",
)  # fmt: skip
FEED = Listing(kind="feed", url="/feed")


def read(content: str | bytes, listing: Listing = FEED, *, page: int = 0, charset: str = "") -> ListingPage:
    url = "http://i.example/list/"
    return read_listing(
        SOURCE, listing, url=url, page=page, charset=charset,
        resolve=lambda link: urljoin(url, link) if link else "",
        content=content.encode() if isinstance(content, str) else content,
    )  # fmt: skip


def test_rss_gives_links_titles_and_dates_with_their_offset():
    shown = read(rss([("http://i.example/n/1", " A \n title ", "Tue, 01 Apr 2031 23:30:00 +0300", "<p>Text</p>")]))
    (item,) = shown.items
    assert (item.url, item.title, item.published) == (
        "http://i.example/n/1",
        "A title",
        "2031-04-01T23:30:00+03:00",
    )
    assert b"<p>Text</p>" in (item.content or b"")
    assert shown.next_url == ""


def test_rss_pages_back_where_it_says_so_and_a_guid_may_be_the_link():
    feed = """<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>
    <atom:link rel="next" href="/feed/2"/><item><guid>http://i.example/n/2</guid></item>
    <item><guid isPermaLink="false">77</guid><title>no address</title></item></channel></rss>"""
    shown = read(feed)
    assert [(i.url, i.content) for i in shown.items] == [("http://i.example/n/2", None)]
    assert shown.next_url == "http://i.example/feed/2"


def test_rss_1_and_dublin_core_dates():
    feed = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"><item><title>T</title><link>http://i.example/n/1</link>
    <dc:date>2031-04-01T10:00:00+08:00</dc:date></item></rdf:RDF>"""
    assert read(feed).items == (Item(url="http://i.example/n/1", title="T", published="2031-04-01T10:00:00+08:00"),)


def test_atom_with_xhtml_content_and_an_id_for_a_link():
    feed = """<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>http://i.example/n/1</id><updated>2031-04-02</updated>
    <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Open</p></div></content></entry></feed>"""
    (item,) = read(feed).items
    assert (item.url, item.published) == ("http://i.example/n/1", "2031-04-02")
    assert b"<p>Open</p>" in (item.content or b"")


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "not xml",
        "<html><body>Page</body></html>",
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry>",
        "<other/>",
    ],
)
def test_what_is_no_feed_is_said_so(bad):
    with pytest.raises(ListingError):
        read(bad)


def test_a_feed_can_neither_read_files_nor_explode():
    bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">' + "".join(
        f'<!ENTITY {chr(99 + i)} "{f"&{chr(98 + i)};" * 8}">' for i in range(10)
    )
    entry = "<rss><channel><item><link>http://i.example/n/1</link><title>&{};</title></item></channel></rss>"
    with pytest.raises(ListingError):
        read(f"{bomb}]>{entry.format('l')}")
    outside = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    assert all("root" not in item.title for item in read(outside + entry.format("f")).items)


def test_links_are_told_once_in_the_order_of_the_page_with_their_dates():
    html = linked_list([("/n/2", "B"), ("/n/1", "A"), ("/n/2", "B again")], css="x").replace(
        "B</a>", "B</a> (2031-04-01)"
    )
    shown = read(html, Listing(kind="html", url="/list/", items="a.x"))
    assert [(i.url, i.title, i.published) for i in shown.items] == [
        ("http://i.example/n/2", "B", "2031-04-01"), ("http://i.example/n/1", "A", ""),
    ]  # fmt: skip


def test_the_date_in_an_address_comes_first_and_a_neighbour_s_is_never_taken():
    html = linked_list([("/n/t20310405_1.html", "A"), ("/n/2", "B")], css="x").replace(
        "B</a>", "B</a> (2031-04-09)"
    )
    shown = read(html, Listing(kind="html", url="/list/", items="a"))
    assert [i.published for i in shown.items] == ["2031-04-05", "2031-04-09"]
    flat = "<p><a href='/n/1'>A</a><a href='/n/2'>B</a><a href='/n/3'>C</a> 2031-04-09</p>"
    assert [i.published for i in read(flat, Listing(kind="html", url="/list/")).items] == ["", "", ""]


@pytest.mark.parametrize(
    ("page", "count", "following"),
    [
        (0, 3, "http://i.example/list/index_1.html"),
        (1, 3, "http://i.example/list/index_2.html"),
        (2, 3, ""),
        (0, 1, ""),
    ],
)
def test_numbered_pages_end_at_their_count(page, count, following):
    listing = Listing(
        kind="html", url="/list/", more="/list/index_{n}.html", first=1, count=r"countPage\s*=\s*(\d+)"
    )
    html = linked_list([("/n/1", "A")], css="x") + f"<script>var countPage = {count}//</script>"
    assert read(html, listing, page=page).next_url == following


def test_an_unknown_charset_label_does_no_harm():
    html = linked_list([("/n/1", "港口")], css="x")
    assert read(html, Listing(kind="html", url="/list/"), charset="martian").items[0].title == "港口"
    assert (
        read(
            html.encode("gb18030").replace(b"utf-8", b"gb18030"),
            Listing(kind="html", url="/list/"),
            charset="gb18030",
        )
        .items[0]
        .title
        == "港口"
    )


def test_posts_without_a_number_or_text_are_passed_over():
    html = """<div class="tgme_widget_message" data-post="c/x"><div class="tgme_widget_message_text">a</div></div>
    <div class="tgme_widget_message" data-post="c/5"></div>
    <div class="tgme_widget_message" data-post="c/1"><div class="tgme_widget_message_text">b</div></div>"""
    shown = read(html, Listing(kind="telegram", url="/s/c"))
    assert [i.url for i in shown.items] == ["http://i.example/c/1"]
    assert shown.next_url == ""  # the first post of all


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("text/html; charset=UTF-8", ("text/html", "utf-8")),
        ('Text/HTML;charset="gb2312"', ("text/html", "gb2312")),
        ("application/pdf", ("application/pdf", "")), ("", ("", "")), ("text/html; charset=", ("text/html", "")),
    ],
)  # fmt: skip
def test_content_types_are_taken_apart(header, expected):
    assert media_type(header) == expected


@pytest.mark.parametrize(
    ("published", "day"),
    [("2031-04-01T23:00:00+03:00", "2031-04-01"), ("2031-04-01", "2031-04-01"), ("", ""), ("soon", "")],
)
def test_the_day_of_a_date(published, day):
    assert day_of(published) == day
