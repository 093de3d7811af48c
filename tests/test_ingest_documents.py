"""Files and single addresses: saved pages under their site's address, feeds, WARC files, dates, rebuilding."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.ingest import Setting, Span, ingest_address, ingest_documents, load_sources, rebuild
from pipeline.ingest.documents import document_files, is_document_file
from pipeline.store import Store
from tests.site import CHALLENGE, Site, crawled, setting, source_of, status, told, write_actors
from tests.sites import (
    kremlin_archive,
    kremlin_body,
    kremlin_feed,
    kremlin_page,
    linked_list,
    mid_page,
    pdf,
    plain_page,
    rss,
    speech,
)

SOURCES = load_sources()
OWN = "http://en.kremlin.ru/events/president/news/9000"
PAGE = kremlin_page(9000, day="2031-04-01", title="Meeting", turns=[("Vadim Orlin", speech(1))])


@pytest.fixture
def made(store: Store, tmp_path: Path) -> Setting:
    return setting(store, write_actors(tmp_path / "actors"))


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as opened:
        yield opened


def put(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def urls(store: Store) -> set[str]:
    return {s.url for s in told(store)}


def test_a_mirror_s_folder_is_the_site_itself(made, store, tmp_path):
    put(tmp_path / "pages/en.kremlin.ru/events/president/news/9000.html", PAGE)
    summary = ingest_documents(made, tmp_path / "pages", SOURCES)
    assert (summary.found, summary.new, summary.pages) == (1, 1, 1)
    (one,) = told(store)
    assert (one.url, one.source, one.speaker, one.country, one.date) == (
        OWN,
        "kremlin-en",
        "Vadim Orlin",
        "RUS",
        "2031-04-01",
    )
    again = ingest_documents(made, tmp_path / "pages", SOURCES)
    assert (again.found, again.new, again.unchanged) == (1, 0, 1)
    assert len(list(made.archive.glob("*.warc.gz"))) == 1


@pytest.mark.parametrize(
    "mark",
    [
        "<!-- saved from url=(0047)https://mid.ru/en/foreign_policy/news/77/ -->",
        '<link href="https://mid.ru/en/foreign_policy/news/77/" rel="canonical">',
    ],
)
def test_a_page_saved_from_a_browser_tells_its_address(made, store, tmp_path, mark):
    page = mid_page(number="867-01-04-2031", title="Talk", turns=[("Vadim Orlin", speech(1))])
    put(tmp_path / "Talk.html", page.replace("<head>", f"<head>{mark}"))
    ingest_documents(made, tmp_path / "Talk.html", SOURCES)
    assert [(s.url, s.source, s.date) for s in told(store)] == [
        ("https://mid.ru/en/foreign_policy/news/77/", "mid-en", "2031-04-01")
    ]


def test_a_page_that_tells_nothing_is_of_the_source_that_is_named(made, store, tmp_path):
    file = put(
        tmp_path / "x.html", mid_page(number="867-01-04-2031", title="Talk", turns=[("Vadim Orlin", speech(1))])
    )
    ingest_documents(made, file, SOURCES, source=SOURCES.named("mid-en"))
    (one,) = told(store)
    assert one.source == "mid-en"
    assert one.url.startswith("file:")
    assert one.url.endswith("/x.html")
    put(tmp_path / "copy" / "x.html", file.read_bytes())
    assert ingest_documents(made, tmp_path / "copy", SOURCES, source=SOURCES.named("mid-en")).unchanged == 1


def test_a_saved_challenge_is_blocked_and_not_kept(made, store, tmp_path):
    put(tmp_path / "in/mid.ru/ru/foreign_policy/news/77/index.html", CHALLENGE)
    summary = ingest_documents(made, tmp_path / "in", SOURCES)
    assert (summary.blocked, summary.found) == (1, 0)
    assert store.counts()["documents"] == 0


def test_a_feed_that_was_saved_gives_its_entries(made, store, tmp_path):
    entries = [(n, f"2031-04-0{n}", "Meeting", kremlin_body([("Vadim Orlin", speech(n))])) for n in (1, 2, 3)]
    put(tmp_path / "in/en.kremlin.ru/feed.atom.xml", kremlin_feed("http://en.kremlin.ru", entries))
    summary = ingest_documents(made, tmp_path / "in", SOURCES, span=Span(since="2031-04-02"))
    assert summary.new == 2
    assert urls(store) == {f"http://en.kremlin.ru/events/president/news/{n}" for n in (2, 3)}
    put(tmp_path / "saved.xml", kremlin_feed("http://kremlin.ru", [(4, "2031-04-04", "M", f"<p>{speech(4)}</p>")]))
    ingest_documents(made, tmp_path / "saved.xml", SOURCES)
    assert ("kremlin-ru",) in store.rows("SELECT source FROM readings")  # the feed says whose it is


def test_dates_and_limits_hold_for_files(made, store, tmp_path):
    for n in range(1, 6):
        page = kremlin_page(n, day=f"2031-04-0{n}", title="M", turns=[("Vadim Orlin", speech(n))])
        put(tmp_path / f"in/en.kremlin.ru/events/president/news/{n}.html", page)
    assert ingest_documents(made, tmp_path / "in", SOURCES, span=Span(until="2031-04-02", limit=1)).new == 1
    assert ingest_documents(made, tmp_path / "in", SOURCES, span=Span(until="2031-04-02")).new == 1
    assert len(told(store)) == 2


def test_a_dry_run_reads_and_keeps_nothing(made, store, tmp_path):
    file = put(tmp_path / "a.html", PAGE)
    assert ingest_documents(made, file, SOURCES, dry_run=True).new == 1
    assert store.counts()["documents"] == 0
    assert not made.archive.exists()


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(made, store, tmp_path):
    put(tmp_path / "in/a.pdf", b"%PDF-1.4 broken")
    put(tmp_path / "in/b.warc.gz", b"no archive")
    put(tmp_path / "in/c.xml", "<feed><entry></feed>")
    put(tmp_path / "in/en.kremlin.ru/events/president/news/9000.html", PAGE)
    summary = ingest_documents(made, tmp_path / "in", SOURCES)
    assert (summary.new, summary.failed) == (1, 3)
    assert all(any(name in note for note in summary.notes) for name in ("a.pdf", "b.warc.gz", "c.xml"))


def test_our_own_archive_can_be_read_into_another_store(made, store, tmp_path, site):
    kremlin_archive(site, pages=2, size=2)
    crawled(made, source_of(SOURCES, "kremlin-en"), site)
    (file,) = made.archive.glob("*.warc.gz")
    with Store(tmp_path / "other" / "s.sqlite") as other:
        ingest_documents(setting(other, tmp_path / "actors"), file, SOURCES)
        assert [s.statement_id for s in told(other)] == [s.statement_id for s in told(store)]


def test_files_come_back_from_the_archive(made, store, tmp_path):
    put(tmp_path / "in/en.kremlin.ru/events/president/news/9000.html", PAGE)
    put(tmp_path / "in/speech.pdf", pdf(["Vadim Orlin: " + speech(3)[:70], speech(3)[70:150], speech(3)[150:]]))
    entries = [(n, "2031-04-05", "Meeting", kremlin_body([("Vadim Orlin", speech(n))])) for n in (5, 6)]
    put(tmp_path / "in/feed.xml", kremlin_feed("http://en.kremlin.ru", entries))
    ingest_documents(made, tmp_path / "in", SOURCES)
    before = told(store)
    assert len(before) == 4
    rebuild(made, SOURCES)
    assert told(store) == before


def test_which_files_are_documents(tmp_path):
    for name in ("a.html", "a.MHTML", "a.pdf", "a.docx", "a.xml", "a.warc.gz", "CHN_76_2021.txt"):
        assert is_document_file(Path(name)), name
    for name in ("a.csv", "a.jsonl", "a.parquet", "a.txt", "a.png"):
        assert not is_document_file(Path(name)), name
    put(tmp_path / "a.txt", "x")
    assert document_files(tmp_path) == []  # a folder of texts is one of statements
    put(tmp_path / "b.html", "x")
    assert [p.name for p in document_files(tmp_path)] == ["a.txt", "b.html"]


def test_a_folder_without_documents_is_wrong_use(made, tmp_path):
    put(tmp_path / "in/a.png", b"x")
    with pytest.raises(UsageError, match="no documents in"):
        ingest_documents(made, tmp_path / "in", SOURCES)


def test_a_speech_of_the_general_debate_is_its_country_s(made, store, tmp_path):
    put(tmp_path / "in/RUS_85_2030.txt", f"{speech(1)}\n\n{speech(2)}\n")
    ingest_documents(made, tmp_path / "in", SOURCES)
    assert {(s.source, s.country) for s in told(store)} == {("un-general-debate", "RUS")}


# ---- single addresses


def test_an_address_of_a_known_site_is_fetched_from_its_mirror(made, store, site):
    site.put("/events/president/news/9000", PAGE)
    summary = ingest_address(made, OWN, SOURCES, base_url=site.url)
    assert (summary.source, summary.new) == (OWN, 1)
    assert [(s.url, s.source) for s in told(store)] == [(OWN, "kremlin-en")]
    assert ingest_address(made, OWN, SOURCES, base_url=site.url).unchanged == 1


def test_an_address_on_this_machine_is_a_mirror_of_the_source_it_looks_like(made, store, site):
    site.put("/events/president/news/9000.html", PAGE)
    site.put("/events/president/news/9000", PAGE)
    ingest_address(made, f"{site.url}/events/president/news/9000.html", SOURCES)
    assert urls(store) == {OWN}


def test_any_other_address_is_read_by_the_general_rules(made, store, site):
    site.put("/blog/1", plain_page(title="A talk", day="2031-04-01", paragraphs=[f"Vadim Orlin: {speech(1)}"]))
    summary = ingest_address(made, f"{site.url}/blog/1", SOURCES)
    assert summary.complete
    assert {s.source for s in told(store)} <= {"other"}
    assert store.rows("SELECT status FROM readings") == [("ok",)]


def test_a_listing_s_address_gives_what_it_links(made, store, site):
    folder = "/events/president/news"
    site.put(f"{folder}/page/2", linked_list([(f"{folder}/9000", "a"), ("/about", "b")], css="x"))
    site.put(f"{folder}/9000", PAGE)
    ingest_address(made, f"http://en.kremlin.ru{folder}/page/2", SOURCES, base_url=site.url)
    assert urls(store) == {OWN}
    assert "/about" not in site.paths()


def test_a_feed_s_address_gives_its_entries(made, store, site):
    items = [
        ("http://paper.example/1", "A talk", "Tue, 01 Apr 2031 23:30:00 +0300", f"<p>Vadim Orlin: {speech(1)}</p>")
    ]
    site.put("/rss", rss(items), "application/rss+xml")
    ingest_address(made, f"{site.url}/rss", SOURCES)
    assert [r[0] for r in store.rows("SELECT url FROM readings")] == ["http://paper.example/1"]
    assert {s.date for s in told(store)} == {"2031-04-01"}


def test_an_address_that_fails_is_counted_with_its_reason(made, site):
    site.fail("/gone", status(404))
    summary = ingest_address(made, f"{site.url}/gone", SOURCES)
    assert (summary.failed, summary.complete) == (1, False)
    assert "not there (status 404)" in summary.notes[0]
    site.fail("/no", status(403))
    assert ingest_address(made, f"{site.url}/no", SOURCES).blocked == 1


def test_what_is_no_address_is_wrong_use(made):
    with pytest.raises(UsageError, match="not an address"):
        ingest_address(made, "http:///nowhere", SOURCES)
