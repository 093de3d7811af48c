"""The archive of raw responses: unchanged bytes, cut-off tails, others' files, and rebuilding all from it."""

from __future__ import annotations

import datetime as dt
import io
import logging
import os
from dataclasses import replace
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipeline.errors import DataError, StoreError, UsageError
from pipeline.ingest import archive_folder, load_sources, rebuild
from pipeline.ingest.archive import Archive, Record, read_archive, read_warc
from pipeline.ingest.pages import Extracted, RawPage
from pipeline.ingest.sources import Source
from pipeline.store import Store
from tests.site import NOW, Site, crawled, gzipped, setting, source_of, told, write_actors
from tests.sites import kremlin_archive, kremlin_body, kremlin_feed, mid_page, speech

SOURCES = load_sources()


def record(number: int = 1, **changes: object) -> Record:
    given = {
        "url": f"http://island.example/{number}", "source": "island", "role": "document",
        "fetched_at": NOW + dt.timedelta(seconds=number, microseconds=17), "body": bytes(range(256)) * number,
        "headers": (("content-type", "text/html; charset=gb18030"), ("content-encoding", "gzip")),
        "title": f"Маяк 灯塔 {number}", "published": "2031-01-02T00:00:00+03:00",
    }  # fmt: skip
    return Record(**{**given, **changes})


def write(folder: Path, *records: Record, name: str = "island", now: dt.datetime = NOW) -> Path:
    with Archive(folder, name=name, now=now) as archive:
        for one in records:
            archive.append(one)
    return max(folder.glob("*.warc.gz"))


def test_records_come_back_as_they_went_in(tmp_path):
    kinds = [
        record(1),
        record(2, role="listing", body=b""),
        record(3, role="file", headers=(("content-type", "application/pdf"),)),
    ]
    write(tmp_path, *kinds)
    assert list(read_archive(tmp_path)) == kinds


def test_the_file_is_a_warc_that_others_read_with_digests(tmp_path):
    path = write(tmp_path, record(1), record(2))
    with path.open("rb") as stream:
        for read in ArchiveIterator(stream, check_digests="raise"):
            assert read.rec_type == "response"
            assert read.rec_headers.get_header("WARC-Payload-Digest")
            read.raw_stream.read()


def test_no_file_is_made_for_nothing_and_none_is_written_twice(tmp_path):
    with Archive(tmp_path, name="island", now=NOW):
        pass
    assert list(tmp_path.iterdir()) == []
    first = write(tmp_path, record(1))
    before = first.read_bytes()
    second = write(tmp_path, record(2))
    assert first != second
    assert first.read_bytes() == before
    assert [r.url[-1] for r in read_archive(tmp_path)] == ["1", "2"]


def numbers(folder: Path) -> list[int]:
    return [int(r.url.rsplit("/", 1)[1]) for r in read_archive(folder)]


def test_runs_follow_one_another_whatever_their_process_ids(tmp_path, monkeypatch):
    # Ids grow a digit, and begin again; the clock of this test stands still.
    for number, pid in enumerate((998, 1000, 32767, 301, 9999, 10000), start=1):
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        write(tmp_path, record(number, fetched_at=NOW), name="tower" if number % 2 else "island")
    assert numbers(tmp_path) == [1, 2, 3, 4, 5, 6]


def test_runs_follow_one_another_though_the_clock_is_set_back(tmp_path):
    for number, hours in enumerate((0, -2, -1, 1, -3), start=1):
        moment = NOW + dt.timedelta(hours=hours)
        write(tmp_path, record(number, fetched_at=moment), now=moment)
    assert numbers(tmp_path) == [1, 2, 3, 4, 5]


def test_more_than_a_thousand_runs_of_one_moment_follow_one_another(tmp_path):
    first = write(tmp_path, record(1))
    first.rename(first.with_name(first.name.replace("-000.", "-999.")))
    write(tmp_path, record(2))
    write(tmp_path, record(3))
    assert numbers(tmp_path) == [1, 2, 3]


def test_records_of_runs_at_the_same_time_come_in_the_order_of_time(tmp_path):
    later = NOW + dt.timedelta(seconds=3)
    with (
        Archive(tmp_path, name="tower", now=NOW) as tower,
        Archive(tmp_path, name="island", now=later) as island,
        Archive(tmp_path, name="files", now=later) as files,
    ):
        tower.append(record(1))
        island.append(record(4))
        island.append(record(6))
        tower.append(record(5))
        tower.append(record(7))
        # What a user hands over may be older than the archive: it was still not read before it came.
        files.append(record(0, fetched_at=NOW - dt.timedelta(days=900)))
    assert numbers(tmp_path) == [1, 0, 4, 5, 6, 7]


def test_files_of_other_names_come_first(tmp_path):
    write(tmp_path, record(2))
    other = write(tmp_path, record(1))
    other.rename(tmp_path / "saved-from-a-crawl.warc.gz")
    write(tmp_path, record(3))
    assert numbers(tmp_path) == [1, 2, 3]


def test_a_file_cut_off_within_its_first_record_is_empty(tmp_path):
    path = write(tmp_path, record(1))
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        # Near its end a record may be whole but for what closes it.
        assert list(read_warc(path)) in ([], [record(1)] if cut > len(whole) - 20 else []), cut


def test_every_cut_off_tail_is_left_out_and_said(tmp_path, caplog):
    path = write(tmp_path, record(1), record(2))
    whole = path.read_bytes()
    first = whole.index(b"\x1f\x8b\x08", 20)
    for cut in (first + 1, *range(first + 10, len(whole) - 9, 7)):
        path.write_bytes(whole[:cut])
        assert [r.url for r in read_warc(path)] == ["http://island.example/1"], cut
    path.write_bytes(whole[:-40])
    with caplog.at_level(logging.WARNING):
        assert len(list(read_warc(path))) == 1
    assert "its last record is cut off" in caplog.text
    path.write_bytes(whole[: first // 2])
    assert list(read_warc(path)) == []


def test_what_is_no_warc_is_named(tmp_path):
    (tmp_path / "a.warc.gz").write_bytes(b"this is no archive at all, is it?\n" * 9)
    with pytest.raises(DataError, match="is not a WARC file"):
        list(read_warc(tmp_path / "a.warc.gz"))


def test_an_archive_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write the archive"):
        write(tmp_path / "file" / "folder", record())


def test_another_crawler_s_chunked_responses_are_read(tmp_path):
    buffer = io.BytesIO()
    headers = StatusAndHeaders(
        "200 OK", [("Content-Type", "text/html"), ("Transfer-Encoding", "chunked")], protocol="HTTP/1.1"
    )
    writer = WARCWriter(buffer, gzip=True)
    body = b"4\r\nopen\r\n5\r\n wide\r\n0\r\n\r\n"
    writer.write_record(
        writer.create_warc_record(
            "http://x.example/", "response", payload=io.BytesIO(body), length=len(body), http_headers=headers
        )
    )
    (tmp_path / "other.warc.gz").write_bytes(buffer.getvalue())
    (read,) = read_warc(tmp_path / "other.warc.gz")
    assert (read.body, read.source, read.role, read.header("transfer-encoding")) == (
        b"open wide",
        "",
        "document",
        "",
    )


# ---- rebuilding


def contents(store: Store) -> list[tuple[object, ...]]:
    return [
        *store.rows("SELECT * FROM statements WHERE retired = 0 ORDER BY statement_id"),
        *store.rows("SELECT * FROM locations ORDER BY url, position"),
        *store.rows("SELECT * FROM readings ORDER BY url"),
        *store.rows("SELECT duplicate_id, kept_id, kind FROM duplicates ORDER BY 1"),
        *store.rows("SELECT * FROM translations ORDER BY 1, 2"),
        *store.rows("SELECT * FROM fingerprints ORDER BY 1"),
        *store.rows("SELECT * FROM bands ORDER BY 1, 2"),
    ]


@pytest.fixture
def crawled_store(tmp_path: Path, store: Store) -> Store:
    """A store with a feed, a site of pages (one compressed, one mended later) and a duplicate among them."""
    made = setting(store, write_actors(tmp_path / "actors"))
    with Site() as site:
        kremlin_archive(site, pages=2, size=3)
        crawled(made, source_of(SOURCES, "kremlin-en"), site)
        again = [(1, "2031-04-29", "Meeting", kremlin_body([("Vadim Orlin", speech(77))]))]
        site.put("/events/president/news/feed", kremlin_feed("http://en.kremlin.ru", again))
        crawled(made, source_of(SOURCES, "kremlin-en"), site)
        news = "/en/foreign_policy/news/"
        site.put(news, '<a class="announce__link" href="/en/foreign_policy/news/5/">Talk</a>')
        turns = [("Vadim Orlin", speech(1)), ("Vadim Orlin", speech(78))]
        page = mid_page(number="12-27-04-2031", title="Talk", turns=turns)
        site.fail(f"{news}5/", gzipped(page.encode()))
        source = source_of(SOURCES, "mid-en")
        crawled(made, source.model_copy(update={"listing": source.listing[:1]}), site)
    assert len(told(store)) == 14
    return store


def test_everything_derived_comes_back_from_the_archive_alone(crawled_store, tmp_path):
    before = contents(crawled_store)
    made = setting(crawled_store, tmp_path / "actors")
    with crawled_store.transaction() as db:
        db.execute("DELETE FROM locations")
        db.execute("DELETE FROM readings")
        db.execute("UPDATE statements SET text = 'spoilt', speaker = ''")
    summaries = rebuild(made, SOURCES)
    assert contents(crawled_store) == before
    assert {s.source for s in summaries} == {"kremlin-en", "mid-en"}
    assert sum(s.pages for s in summaries) == 8


def test_a_lost_store_comes_back_whole(crawled_store, tmp_path):
    with Store(tmp_path / "new" / "s.sqlite") as fresh:
        made = setting(fresh, tmp_path / "actors", archive=archive_folder(crawled_store.path))
        rebuild(made, SOURCES)
        assert [s.statement_id for s in told(fresh)] == [s.statement_id for s in told(crawled_store)]
        assert contents(fresh) == contents(crawled_store)


def test_a_rebuild_that_breaks_leaves_all_as_it_was(crawled_store, tmp_path):
    before = contents(crawled_store)
    calls = []

    def broken(*_: object) -> None:
        calls.append(1)
        if len(calls) > 3:
            raise KeyboardInterrupt
        raise RuntimeError("odd")

    with pytest.raises((RuntimeError, KeyboardInterrupt)):
        rebuild(setting(crawled_store, tmp_path / "actors", extract=broken), SOURCES)
    assert contents(crawled_store) == before


def test_a_page_that_breaks_the_reader_is_named_and_the_others_are_rebuilt(crawled_store, tmp_path):
    made = setting(crawled_store, tmp_path / "actors")
    (odd,) = crawled_store.rows("SELECT url FROM readings WHERE source = 'mid-en'")[0]

    def broken(page: RawPage, source: Source) -> Extracted:
        if page.url == odd:
            raise ValueError("odd")
        return made.extract(page, source)

    summaries = {s.source: s for s in rebuild(replace(made, extract=broken), SOURCES)}
    assert (summaries["mid-en"].failed, summaries["kremlin-en"].failed) == (1, 0)
    assert summaries["mid-en"].notes == (f"{odd}: could not be read (ValueError: odd)",)
    assert {s.source for s in told(crawled_store)} == {"kremlin-en"}


def test_what_is_rebuilt_is_what_was_crawled_though_process_ids_began_again(store, tmp_path, monkeypatch):
    """A statement on two pages is its first page's: the order of the runs decides which that is."""
    made = setting(store, write_actors(tmp_path / "actors"))
    source = source_of(SOURCES, "kremlin-en")
    with Site() as site:
        for number, pid in ((5, 32767), (3, 301), (9, 9999), (1, 10000)):
            monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
            entry = (number, "2031-04-29", "Meeting", kremlin_body([("Vadim Orlin", speech(77))]))
            site.put("/events/president/news/feed", kremlin_feed("http://en.kremlin.ru", [entry]))
            crawled(made, source, site)
    (before,) = told(store)
    assert before.url.endswith("/5")
    rebuild(made, SOURCES)
    assert told(store) == [before]


def test_a_better_reader_changes_what_is_derived_and_labels_stay(crawled_store, tmp_path):
    from pipeline.schema import Label

    one = told(crawled_store)[0]
    label = Label(statement_id=one.statement_id, target="india", stance="none")
    crawled_store.add_labels([label], coder="adjudicated", codebook_version="1")
    rebuild(setting(crawled_store, tmp_path / "actors"), SOURCES)
    assert len(crawled_store.labels_frame()) == 1


def test_what_the_archive_does_not_hold_is_left_out_after_a_rebuild(crawled_store, tmp_path):
    (newest,) = crawled_store.rows("SELECT url FROM readings WHERE source = 'mid-en'")
    for file in archive_folder(crawled_store.path).glob("mid-en-*.warc.gz"):
        file.unlink()
    rebuild(setting(crawled_store, tmp_path / "actors"), SOURCES)
    assert {s.source for s in told(crawled_store)} == {"kremlin-en"}
    assert crawled_store.rows("SELECT 1 FROM readings WHERE url = ?", newest) == []


def test_rebuilding_from_nothing_is_wrong_use(store, tmp_path):
    with pytest.raises(UsageError, match="no archive in"):
        rebuild(setting(store, write_actors(tmp_path / "actors")), SOURCES)
