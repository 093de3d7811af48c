"""`stance ingest` of sites, addresses and files, `stance sources`, `stance duplicates`: as a user drives them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.cli.app import main
from pipeline.store import Store
from tests.conftest import write_tiny_corpus
from tests.site import ACTORS, CHALLENGE, Site, status
from tests.sites import kremlin_page, plain_page, speech
from tests.test_ingest_kill import SOURCES, publish, publish_feed

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiny_corpus(tmp_path / "corpus")
    (tmp_path / "corpus" / "actors.toml").write_text(ACTORS, encoding="utf-8")
    (tmp_path / "corpus" / "sources.toml").write_text(SOURCES, encoding="utf-8")
    monkeypatch.setenv("STANCE_CORPUS", str(tmp_path / "corpus"))
    monkeypatch.delenv("STANCE_STORE", raising=False)
    monkeypatch.chdir(tmp_path)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_source_is_crawled_from_its_mirror_and_a_second_run_adds_nothing(site, tmp_path, capfd: Captured):
    publish(site, 4)
    assert main(["ingest", "island", "--base-url", site.url]) == 0
    out = capfd.readouterr()
    assert out.out == "island: 8 found, 7 new, 0 unchanged, 1 duplicate, 0 blocked, 0 failed\n"
    assert out.err == ""
    assert main(["ingest", "island", "--base-url", site.url]) == 0
    assert capfd.readouterr().out == "island: 8 found, 0 new, 8 unchanged, 0 duplicate, 0 blocked, 0 failed\n"
    assert (tmp_path / "data" / "stance.archive").is_dir()
    main(["statements", "--source", "island", "--speaker", "Orlin", "--format", "csv"])
    main(["statements", "--source", "island", "--format", "csv"])
    assert len(rows_of(capfd.readouterr().out.split("\n", 1)[1])) == 7


def test_a_dry_run_of_a_source_fetches_its_listing_only(site, tmp_path, capfd: Captured):
    publish(site, 4)
    assert main(["ingest", "island", "--base-url", site.url, "--dry-run"]) == 0
    assert capfd.readouterr().out.startswith("island: 4 found, 4 new")
    assert site.paths() == ["/news/"]
    with Store(tmp_path / "data" / "stance.sqlite") as store:
        assert store.counts()["statements"] == 0


def test_what_is_blocked_or_failed_ends_with_status_three_and_reasons(site, capfd: Captured):
    publish(site, 4)
    site.fail("/news/3", status(403))
    site.fail("/news/2", status(404))
    assert main(["ingest", "island", "--base-url", site.url]) == 3
    out = capfd.readouterr()
    assert "1 blocked, 1 failed" in out.out
    assert "  http://island.example/news/3: refused with status 403\n" in out.err
    assert out.err.endswith(
        "stance: partly done: 1 blocked and 1 failed in island; the same command tries them again.\n"
    )
    assert main(["ingest", "island", "--base-url", site.url]) == 0


def test_a_blocked_source_says_which_roads_work(site, tmp_path, capfd: Captured):
    path = tmp_path / "corpus" / "sources.toml"
    path.write_text(SOURCES.replace('name = "The Island"', 'name = "The Island"\nnote = "Save its pages."'))
    site.put("/news/", CHALLENGE)
    assert main(["ingest", "island", "--base-url", site.url]) == 3
    assert "  Save its pages.\n" in capfd.readouterr().err


def test_many_reasons_are_shortened(site, capfd: Captured):
    publish(site, 9)
    for number in range(1, 9):
        site.fail(f"/news/{number}", status(404))
    assert main(["ingest", "island", "--base-url", site.url]) == 3
    assert "  ... and 3 more\n" in capfd.readouterr().err


def test_since_until_and_limit_reach_the_crawl(site, capfd: Captured):
    publish_feed(site, 6)
    assert main(["ingest", "tower", "--base-url", site.url, "--limit", "2"]) == 0
    assert "2 found, 2 new" in capfd.readouterr().out
    assert main(["ingest", "tower", "--base-url", site.url, "--since", "2031-03-02"]) == 0
    assert site.paths()[-1] == "/feed"


def test_files_and_addresses_are_ingested_by_what_they_are(site, tmp_path, capfd: Captured):
    pages = tmp_path / "saved" / "tower.example" / "events" / "president" / "news"
    pages.mkdir(parents=True)
    (pages / "5.html").write_text(
        kremlin_page(5, day="2021-04-01", title="Talk", turns=[("Vadim Orlin", speech(1))])
    )
    (tmp_path / "t.csv").write_text(f"Day,Quote,Who\n2021-04-02,{speech(2)},Vadim Orlin\n")
    site.put("/news/7", plain_page(title="News", day="2021-04-03", paragraphs=[f"Vadim Orlin: {speech(3)}"]))
    command = ["ingest", "saved", "t.csv", f"{site.url}/news/7", "--map", "text=Quote,date=Day,speaker=Who"]
    assert main(command) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split(": ")[1].split(", 0")[0] for line in lines] == ["1 found, 1 new"] * 3
    main(["statements", "--format", "csv"])
    rows = rows_of(capfd.readouterr().out)
    assert [(r["date"], r["source"], r["url"]) for r in rows] == [
        ("2021-04-01", "tower", "http://tower.example/events/president/news/5"),
        ("2021-04-02", "t.csv", ""),
        ("2021-04-03", "island", "http://island.example/news/7"),
    ]


def test_saved_pages_are_of_the_source_that_is_named(tmp_path, capfd: Captured):
    (tmp_path / "x.html").write_text(
        plain_page(title="N", day="2021-04-03", paragraphs=[f"Vadim Orlin: {speech(3)}"])
    )
    assert main(["ingest", "x.html", "--source", "island"]) == 0
    capfd.readouterr()
    main(["statements", "--format", "csv"])
    assert [(r["source"], r["country"]) for r in rows_of(capfd.readouterr().out)] == [("island", "RUS")]


def test_all_is_rebuilt_offline_by_one_command(site, tmp_path, capfd: Captured):
    publish(site, 4)
    main(["ingest", "island", "--base-url", site.url])
    main(["statements", "--format", "csv"])
    before = capfd.readouterr().out.split("\n", 1)[1]
    site.asked.clear()
    (tmp_path / "data" / "stance.sqlite").unlink()
    assert main(["ingest", "--rebuild"]) == 0
    assert capfd.readouterr().out == "island: 8 found, 7 new, 0 unchanged, 1 duplicate, 0 blocked, 0 failed\n"
    main(["statements", "--format", "csv"])
    assert capfd.readouterr().out == before
    assert site.asked == []
    assert main(["ingest", "--rebuild", "--store", "other.sqlite", "--archive", "data/stance.archive"]) == 0
    assert "7 new" in capfd.readouterr().out


def test_every_decision_can_be_listed(site, capfd: Captured):
    publish(site, 3)
    main(["ingest", "island", "--base-url", site.url])
    capfd.readouterr()
    assert main(["duplicates", "--format", "csv"]) == 0
    (row,) = rows_of(capfd.readouterr().out)
    assert (row["kind"], row["kept_id"]) == ("address", row["other_id"])
    assert {row["kept_url"], row["other_url"]} == {"http://island.example/news/2", "http://island.example/news/3"}


def test_sources_lists_sites_and_files_with_what_they_gave(site, tmp_path, capfd: Captured):
    publish(site, 2)
    (tmp_path / "in.csv").write_text("text\nThe harbour is open.\n")
    main(["ingest", "island", "--base-url", site.url])
    main(["ingest", "in.csv"])
    capfd.readouterr()
    assert main(["sources", "--format", "csv"]) == 0
    rows = {row["source"]: row for row in rows_of(capfd.readouterr().out)}
    assert list(rows) == ["corpus", "island", "tower", "other", "in.csv"]
    assert (rows["island"]["statements"], rows["island"]["address"]) == ("4", "http://island.example")
    assert rows["in.csv"]["kind"] == "file"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ingest"], "name a source, an address, a file or a folder"),
        (["ingest", "nowhere"], "unknown source: nowhere"),
        (["ingest", "island", "--rebuild"], "--rebuild derives everything anew and takes no source"),
        (["ingest", "--rebuild"], "no archive in"),
        (["ingest", "island", "tower", "--base-url", "http://x"], "--base-url is the mirror of one site"),
        (["ingest", "island", "--since", "yesterday"], "--since yesterday: not a date"),
        (["ingest", "island", "--limit", "0"], "--limit"),
        (["ingest", "other"], "other is read from files only"),
        (["ingest", "corpus", "--source", "nowhere"], "unknown source: nowhere"),
        (["ingest", "in.csv", "--map", "text"], "write OURS=THEIRS"),
        (["ingest", "in.csv", "--map", "text=Quote"], "no column Quote to map; found text"),
    ],
)
def test_wrong_use_is_one_line_and_status_two(arguments, told, tmp_path, capfd: Captured):
    (tmp_path / "in.csv").write_text("text\nThe harbour is open.\n")
    assert main(arguments) == 2
    error = capfd.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_jsonl_and_parquet_columns_are_mapped_too(tmp_path, capfd: Captured):
    import pandas as pd

    pd.DataFrame({"Quote": ["The harbour is open."], "Day": ["2031-01-02"]}).to_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.jsonl").write_text('{"Quote": "The bridge is closed.", "Day": "2031-01-03"}\n')
    assert main(["ingest", "a.parquet", "b.jsonl", "--map", "text=Quote,date=Day", "--since", "2031-01-03"]) == 0
    assert capfd.readouterr().out.splitlines()[0].startswith("a.parquet: 0 found")
    main(["statements", "--format", "csv"])
    assert [(r["date"], r["text"]) for r in rows_of(capfd.readouterr().out)] == [
        ("2031-01-03", "The bridge is closed.")
    ]
