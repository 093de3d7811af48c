"""Crawls of a real site on loopback: paging, what is new, what has changed, dates, limits, refusals, resuming."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import StoreError
from pipeline.ingest import Setting, Span, crawl, preview
from pipeline.ingest.lock import locked
from pipeline.ingest.sources import Family, Listing, Source
from pipeline.store import Store, crawls
from tests.site import CHALLENGE, NOW, Site, crawled, redirect, setting, status, told, write_actors
from tests.sites import linked_list, plain_page, speech

LISTING = Listing(kind="html", url="/news/", more="/news/?page={n}", items="a.item")


def island(**changes: object) -> Source:
    given = {
        "id": "island", "name": "The Island", "actor": "RUS", "lang": "en", "timezone": "UTC",
        "base_url": "http://island.example", "hosts": ("island.example",), "article": r"^/news/\d+$",
        "delay": 0.0, "listing": (LISTING,), "family": Family(id="generic", body=("article",), speaker=(LABEL,)),
    }  # fmt: skip
    return Source(**{**given, **changes})


LABEL = r"^(?P<name>[A-Z][a-z]+ [A-Z][a-z]+):\s*"


def article(number: int, *, day: str = "2031-03-01", text: str = "", links: tuple[str, ...] = ()) -> str:
    said = text or f"Vadim Orlin: {speech(number)}"
    return plain_page(title=f"News {number}", day=day, paragraphs=[said], links=links)


def day_of_number(number: int) -> str:
    """Number 30 is of 30 April; each number before it is of the day before."""
    return (dt.date(2031, 4, 30) - dt.timedelta(days=30 - number)).isoformat()


def publish(site: Site, newest: int, *, oldest: int = 1, size: int = 5, dated: bool = True) -> None:
    """Serve articles by number, the newest first on the listing's pages."""
    numbers = list(range(newest, oldest - 1, -1))
    for start in range(0, len(numbers), size):
        part = numbers[start : start + size]
        links = [(f"/news/{n}", f"News {n}") for n in part]
        listed = linked_list(links, css="item")
        if dated:
            for n in part:
                listed = listed.replace(f"News {n}</a>", f"News {n}</a> <span>({day_of_number(n)})</span>")
        site.put("/news/" if start == 0 else f"/news/?page={start // size + 1}", listed)
    for number in numbers:
        site.put(f"/news/{number}", article(number, day=day_of_number(number)))


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


@pytest.fixture
def made(store: Store, tmp_path: Path) -> Setting:
    return setting(store, write_actors(tmp_path / "actors"))


def said_numbers(store: Store) -> list[int]:
    return sorted(int(s.text.split("session number ")[1].split()[0]) for s in told(store))


def test_a_first_crawl_reads_every_page_once_and_knows_who_spoke(site, made, store):
    publish(site, 12)
    summary = crawled(made, island(), site)
    assert (summary.found, summary.new, summary.pages, summary.complete) == (12, 12, 12, True)
    assert said_numbers(store) == list(range(1, 13))
    one = told(store)[0]
    assert (one.speaker, one.country, one.role, one.date) == ("Vadim Orlin", "RUS", "President", day_of_number(1))
    assert (one.source, one.url, one.title) == ("island", "http://island.example/news/1", "News 1")
    assert all(count == 1 for count in site.times().values())


def test_a_second_crawl_of_the_same_asks_conditionally_and_adds_nothing(site, made, store):
    publish(site, 12)
    crawled(made, island(), site)
    before = told(store)
    site.asked.clear()
    summary = crawled(made, island(), site)
    assert site.paths() == ["/news/"]
    assert "if-none-match" in site.asked[-1].headers
    assert (summary.found, summary.new, summary.unchanged) == (5, 0, 5)
    assert told(store) == before


def test_without_etags_a_second_crawl_reads_one_listing_page(site, made, store):
    publish(site, 12)
    crawled(made, island(), site)
    site.fail("/news/", status(200, site.pages["/news/"], Content_Type="text/html"))
    site.asked.clear()
    summary = crawled(made, island(), site)
    assert site.paths() == ["/news/"]
    assert (summary.new, summary.unchanged) == (0, 5)


def test_new_pages_are_found_to_where_the_last_crawl_began(site, made, store):
    publish(site, 12)
    crawled(made, island(), site)
    publish(site, 24)
    site.asked.clear()
    summary = crawled(made, island(), site)
    assert summary.new == 12
    assert said_numbers(store) == list(range(1, 25))
    # The third page begins with number 14, the fourth is known whole.
    assert [p for p in site.paths() if "?" in p or p == "/news/"] == [
        "/news/", "/news/?page=2", "/news/?page=3", "/news/?page=4",
    ]  # fmt: skip


def test_the_number_of_pages_in_a_script_ends_the_walk(site, made, store):
    publish(site, 10)
    site.put("/news/?page=2", site.pages["/news/?page=2"] + b"<script>var countPage = 2</script>")
    site.put("/news/?page=3", linked_list([("/news/77", "News 77")], css="item"))
    site.put("/news/77", article(77))
    counted = island(listing=(LISTING.model_copy(update={"count": r"countPage = (\d+)"}),))
    crawled(made, counted, site)
    assert 77 not in said_numbers(store)
    assert "/news/?page=3" not in site.paths()


def test_a_listing_ends_where_the_page_is_missing_or_empty(site, made):
    publish(site, 10)
    assert crawled(made, island(), site).complete  # the third page is a 404
    site.put("/news/?page=3", linked_list([], css="item"))
    publish(site, 20)
    assert crawled(made, island(), site).complete


def test_rel_next_is_followed_where_pages_have_no_numbers(site, made, store):
    for page, number in enumerate((3, 2, 1)):
        after = f'<a rel="next" href="/more/{page + 1}">older</a>' if page < 2 else ""
        path = "/news/" if page == 0 else f"/more/{page}"
        site.put(path, linked_list([(f"/news/{number}", f"News {number}")], css="item", after=after))
        site.put(f"/news/{number}", article(number))
    linked = island(listing=(LISTING.model_copy(update={"more": ""}),))
    crawled(made, linked, site)
    assert said_numbers(store) == [1, 2, 3]


def test_a_next_page_that_is_the_page_itself_ends_the_walk(site, made, store):
    publish(site, 3)
    site.put("/news/", site.pages["/news/"] + b'<a rel="next" href="/news/">again</a>')
    crawled(made, island(listing=(LISTING.model_copy(update={"more": ""}),)), site)
    assert site.times()["/news/"] == 1


def test_only_documents_of_the_source_are_fetched(site, made):
    publish(site, 2)
    links = [("/news/1", "a"), ("/admin/9", "b"), ("http://elsewhere.example/news/5", "c"), ("mailto:x@y", "d"),
             ("javascript:go()", "e"), ("http://[bad/", "f")]  # fmt: skip
    site.put("/news/", linked_list(links, css="item"))
    crawled(made, island(), site)
    assert site.paths() == ["/news/", "/news/1", "/news/?page=2"]


# ---- dates and limits


def test_since_leaves_out_what_is_older_and_stops_the_walk(site, made, store):
    publish(site, 30)
    summary = crawled(made, island(), site, since=day_of_number(22))
    assert said_numbers(store) == list(range(22, 31))
    assert summary.new == 9
    assert "/news/?page=4" not in site.paths()


def test_an_earlier_since_goes_on_where_the_walk_was_cut_short(site, made, store):
    publish(site, 30)
    crawled(made, island(), site, since=day_of_number(22))
    site.asked.clear()
    crawled(made, island(), site, since=day_of_number(22))
    assert said_numbers(store) == list(range(22, 31))
    assert site.paths() == ["/news/"]
    crawled(made, island(), site, since=day_of_number(9))
    assert said_numbers(store) == list(range(9, 31))
    site.asked.clear()
    crawled(made, island(), site)
    assert said_numbers(store) == list(range(1, 31))
    assert "/news/?page=2" not in site.paths()


def test_a_walk_cut_short_on_its_first_page_goes_on_though_that_page_has_not_changed(site, made, store):
    publish(site, 12)
    crawled(made, island(), site, since=day_of_number(20))  # later than all there is
    assert told(store) == []
    crawled(made, island(), site)
    assert said_numbers(store) == list(range(1, 13))


def test_until_leaves_out_what_is_newer_and_a_later_run_fetches_it(site, made, store):
    publish(site, 12)
    crawled(made, island(), site, until=day_of_number(8))
    assert said_numbers(store) == list(range(1, 9))
    crawled(made, island(), site)
    assert said_numbers(store) == list(range(1, 13))


def test_a_limit_stops_early_and_later_runs_go_on_newest_first(site, made, store):
    publish(site, 12)
    summary = crawled(made, island(), site, limit=4)
    assert (summary.new, summary.complete) == (4, True)
    assert said_numbers(store) == [9, 10, 11, 12]
    crawled(made, island(), site, limit=4)
    assert said_numbers(store) == list(range(5, 13))
    crawled(made, island(), site)
    assert said_numbers(store) == list(range(1, 13))
    assert all(site.times()[f"/news/{n}"] == 1 for n in range(1, 13))


# ---- pages that change


def test_a_recent_page_that_was_mended_is_read_again_and_old_words_are_left_out(site, made, store):
    publish(site, 3)
    site.put("/news/3", article(3, day="2031-05-01"))
    site.put("/news/", site.pages["/news/"].replace(day_of_number(3).encode(), b"2031-05-01"))
    crawled(made, island(), site)
    site.put("/news/3", article(300, day="2031-05-01"))
    later = replace(made, now=lambda: NOW + dt.timedelta(days=1))
    site.asked.clear()
    summary = crawled(later, island(), site)
    assert site.paths() == ["/news/3", "/news/"]  # the others are older than two weeks
    assert (summary.new, summary.failed) == (1, 0)
    assert said_numbers(store) == [1, 2, 300]
    summary = crawled(replace(made, now=lambda: NOW + dt.timedelta(days=2)), island(), site)
    assert summary.new == 0
    assert said_numbers(store) == [1, 2, 300]


def test_a_recent_page_is_not_asked_for_again_within_hours(site, made):
    site.put("/news/", linked_list([("/news/1", "News 1")], css="item"))
    site.put("/news/1", article(1, day="2031-05-03"))
    crawled(made, island(), site)
    site.asked.clear()
    crawled(replace(made, now=lambda: NOW + dt.timedelta(hours=2)), island(), site)
    assert site.paths() == ["/news/"]


# ---- failures


def test_a_page_that_fails_is_named_and_tried_again_by_the_next_run(site, made, store):
    publish(site, 4)
    site.fail("/news/2", *[status(500)] * 3)
    site.fail("/news/3", status(404))
    summary = crawled(made, island(), site)
    assert (summary.new, summary.failed, summary.complete) == (2, 2, False)
    assert any("/news/2: status 500" in note for note in summary.notes)
    site.asked.clear()
    summary = crawled(made, island(), site)
    assert (summary.new, summary.complete) == (1, True)
    assert "/news/3" not in site.paths()  # it was not there
    assert said_numbers(store) == [1, 2, 4]


def test_three_refusals_in_a_row_end_the_run_and_the_next_one_goes_on(site, made, store):
    publish(site, 10)
    for number in (9, 8, 7):
        site.fail(f"/news/{number}", status(403))
    summary = crawled(made, island(), site)
    assert (summary.new, summary.blocked) == (1, 3)
    assert "/news/6" not in site.paths()
    assert crawled(made, island(), site).complete
    assert said_numbers(store) == list(range(1, 11))


def test_refusals_apart_do_not_end_the_run(site, made):
    publish(site, 5)
    for number in (5, 4, 2, 1):
        site.fail(f"/news/{number}", status(403))
    assert crawled(made, island(), site).blocked == 4


def test_a_site_that_asks_to_wait_long_is_left_alone_and_resumed(site, made, store):
    publish(site, 10)
    site.fail("/news/9", status(429, Retry_After="99999"))
    summary = crawled(made, island(), site)
    assert (summary.new, summary.failed) == (1, 1)
    assert site.paths() == ["/news/", "/news/10", "/news/9"]
    crawled(made, island(), site)
    assert said_numbers(store) == list(range(1, 11))


def test_a_challenge_before_the_listing_is_blocked_and_nothing_of_it_is_kept(site, made, store):
    publish(site, 3)
    site.put("/news/", CHALLENGE)
    summary = crawled(made, island(), site)
    assert (summary.found, summary.blocked, summary.failed) == (0, 1, 0)
    assert "an anti-bot challenge" in summary.notes[0]
    assert store.counts()["documents"] == 0
    assert store.rows("SELECT * FROM readings") == []
    assert list(made.archive.glob("*.warc.gz")) == []


def test_a_challenge_before_a_page_is_never_stored_as_a_document(site, made, store):
    publish(site, 4)
    page = site.pages["/news/3"]
    site.put("/news/3", CHALLENGE)
    summary = crawled(made, island(), site)
    assert (summary.new, summary.blocked) == (3, 1)
    assert all("/news/3" not in url for (url,) in store.rows("SELECT url FROM readings"))
    site.put("/news/3", page)
    crawled(made, island(), site)
    assert said_numbers(store) == [1, 2, 3, 4]


def test_a_listing_that_fails_midway_is_resumed_there(site, made, store):
    publish(site, 15)
    site.fail("/news/?page=2", *[status(500)] * 3)
    summary = crawled(made, island(), site)
    assert (summary.new, summary.failed) == (5, 1)
    assert "listing http://island.example/news/?page=2: status 500" in summary.notes[0]
    assert crawled(made, island(), site).complete
    assert said_numbers(store) == list(range(1, 16))
    assert site.times()["/news/?page=2"] == 3 + 1


def test_what_was_published_during_a_break_is_not_lost(site, made, store):
    publish(site, 15)
    site.fail("/news/?page=2", *[status(500)] * 3)
    crawled(made, island(), site)
    publish(site, 27)  # what was on page 2 is on page 4 and 5 now
    crawled(made, island(), site)
    assert said_numbers(store) == list(range(1, 28))


def test_a_page_that_redirects_elsewhere_fails_alone(site, made, store):
    publish(site, 3)
    site.fail("/news/2", redirect("http://10.1.2.3/"))
    assert crawled(made, island(), site).failed == 1
    assert said_numbers(store) == [1, 3]


def test_a_page_that_breaks_the_reader_is_named_and_kept_for_rebuilding(site, made, store):
    publish(site, 3)
    read = made.extract

    def odd(page, source):
        if page.url.endswith("/2"):
            raise ValueError("odd")
        return read(page, source)

    summary = crawled(replace(made, extract=odd), island(), site)
    assert (summary.new, summary.failed) == (2, 1)
    assert "could not be read (ValueError: odd)" in summary.notes[0]
    assert crawled(made, island(), site).new == 1
    assert said_numbers(store) == [1, 2, 3]


def test_wrong_charset_labels_do_not_spoil_the_text(site, made, store):
    russian = "Собрание островов решило зажечь лампу старого маяка прежде, чем вернутся лодки рыбаков домой."
    page = article(1, text=f"Vadim Orlin: {russian}")
    site.put("/news/", linked_list([("/news/1", "1"), ("/news/2", "2")], css="item"))
    site.put("/news/1", page.encode(), "text/html; charset=windows-1251")
    mislabelled = page.replace("зажечь", "потушить").replace("<meta charset='utf-8'>", "")
    site.put(
        "/news/2", mislabelled.replace('<meta charset="utf-8">', "").encode("cp1251"), "text/html; charset=utf-8"
    )
    crawled(made, island(lang="ru"), site)
    assert {s.text for s in told(store)} == {russian, russian.replace("зажечь", "потушить")}


def test_a_page_without_text_is_read_and_holds_nothing(site, made, store):
    site.put("/news/", linked_list([("/news/1", "1")], css="item"))
    site.put("/news/1", "<html><body><img src='x.png'></body></html>")
    summary = crawled(made, island(), site)
    assert (summary.found, summary.complete) == (0, True)
    crawled(made, island(), site)
    assert site.times()["/news/1"] == 1


# ---- what belongs to a page


def test_the_pdf_of_a_page_is_fetched_with_it(site, made, store):
    from tests.sites import pdf

    site.put("/news/", linked_list([("/news/1", "1")], css="item"))
    site.put("/news/1", article(1, links=("/files/text.pdf", "/files/photo.jpg", "http://evil.example/a.pdf")))
    site.put("/files/text.pdf", pdf(["Vadim Orlin: " + speech(8)[:80], speech(8)[80:]]), "application/pdf")
    crawled(made, island(attachment=r"\.pdf$"), site)
    assert site.paths() == ["/news/", "/news/1", "/files/text.pdf", "/news/?page=2"]
    assert ("http://island.example/files/text.pdf",) in store.rows("SELECT url FROM readings")


# ---- looking first


def test_a_preview_counts_pages_and_stores_nothing(site, made, store):
    publish(site, 7)
    summary = preview(made, island(), base_url=site.url)
    assert (summary.found, summary.new) == (5, 5)
    assert site.paths() == ["/news/"]
    crawled(made, island(), site, limit=2)
    assert preview(made, island(), base_url=site.url).unchanged == 2
    site.put("/news/", CHALLENGE)
    assert preview(made, island(), base_url=site.url).blocked == 1
    assert store.counts()["statements"] == 2


# ---- several at once


def test_a_source_is_crawled_by_one_process_at_a_time(site, made):
    publish(site, 2)
    with locked(made.archive, "island"), pytest.raises(StoreError, match="the store is busy: another process"):
        crawled(made, island(), site)
    assert crawled(made, island(), site).new == 2


def test_walks_do_not_pile_up(site, made, store):
    publish(site, 12)
    site.fail("/news/", *[status(500)] * 3 * 5)
    for _ in range(5):
        crawled(made, island(), site)
    crawled(made, island(), site)
    assert said_numbers(store) == list(range(1, 13))
    assert crawls.open_walks(store, "island", "http://island.example/news/", since="") == []
    assert site.times()["/news/?page=2"] == 1


def test_progress_is_reported_page_by_page(site, made):
    publish(site, 3)
    seen = []
    crawl(replace(made, report=seen.append), island(), base_url=site.url)
    assert [(p.source, p.pages, p.todo, p.statements) for p in seen] == [
        ("island", 1, 2, 1), ("island", 2, 1, 2), ("island", 3, 0, 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("span", "published", "held"),
    [
        (Span(), "", True), (Span(since="2031-01-02"), "", True), (Span(since="2031-01-02"), "2031-01-01", False),
        (Span(since="2031-01-02"), "2031-01-02T23:00:00+03:00", True),
        (Span(until="2031-01-02"), "2031-01-03", False), (Span(until="2031-01-02"), "soon", True),
        (Span(since="2031-01-02", until="2031-01-02"), "2031-01-02", True),
    ],
)  # fmt: skip
def test_a_span_holds_its_days_and_what_has_none(span, published, held):
    assert span.holds(published) is held
