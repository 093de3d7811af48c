"""`stance ingest`, `stance statements`, `stance sources`: into the store and out again."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest

from pipeline.cli.app import main
from pipeline.schema import STATEMENT_COLUMNS
from pipeline.store import Store
from tests.conftest import documented_row, write_jsonl, write_tiny_corpus

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiny_corpus(tmp_path / "corpus")
    monkeypatch.setenv("STANCE_CORPUS", str(tmp_path / "corpus"))
    monkeypatch.delenv("STANCE_STORE", raising=False)
    monkeypatch.chdir(tmp_path)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_corpus_loads_once_and_a_second_time_changes_nothing(tmp_path: Path, capfd: Captured) -> None:
    assert main(["ingest", "corpus"]) == 0
    line = "corpus: 38 found, {} new, {} unchanged, 0 duplicate, 0 blocked, 0 failed\n"
    assert capfd.readouterr().out == line.format(38, 0)
    with Store(tmp_path / "data" / "stance.sqlite") as store:
        before = store.counts()
    assert before["labels"] == 64  # 32 double-coded statements, two targets; single codings are no labels
    assert main(["ingest", "corpus"]) == 0
    assert capfd.readouterr().out == line.format(0, 38)
    with Store(tmp_path / "data" / "stance.sqlite") as store:
        assert store.counts() == before


def test_a_statement_that_the_corpus_drops_is_left_out_and_comes_back(tmp_path: Path, capfd: Captured) -> None:
    main(["ingest", "corpus"])
    path = tmp_path / "corpus" / "documented" / "double_coded.jsonl"
    whole = path.read_text()
    path.write_text("".join(whole.splitlines(keepends=True)[1:]))
    main(["ingest", "corpus"])
    capfd.readouterr()
    main(["statements", "--format", "csv"])
    assert len(rows_of(capfd.readouterr().out)) == 37
    path.write_text(whole)
    assert main(["ingest", "corpus"]) == 0
    assert "1 new, 37 unchanged" in capfd.readouterr().out


def test_a_dry_run_stores_nothing(tmp_path: Path, capfd: Captured) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n{"text": "a"}\n')
    assert main(["ingest", "corpus", "in.jsonl", "--dry-run"]) == 0
    assert capfd.readouterr().out.splitlines() == [
        "corpus: 38 found, 0 new, 0 unchanged, 0 duplicate, 0 blocked, 0 failed",
        "in.jsonl: 2 found, 0 new, 0 unchanged, 1 duplicate, 0 blocked, 0 failed",
    ]
    with Store(tmp_path / "data" / "stance.sqlite") as store:
        assert store.counts()["statements"] == 0


def test_a_file_s_statements_come_out_as_they_went_in(tmp_path: Path, capfd: Captured) -> None:
    given = {
        "statement_id": "mine-1", "doc_id": "doc", "date": "2031-01-02", "date_method": "header",
        "speaker": "A. Vell", "role": "Minister",
        "country": "ARD", "venue": "Hall", "lang": "en", "source": "mine", "url": "https://e.org/1",
        "title": "T", "text": "The harbour, she said; “open”.", "provenance": "verbatim",
    }  # fmt: skip
    (tmp_path / "in.jsonl").write_text(json.dumps(given) + "\n")
    assert main(["ingest", "in.jsonl"]) == 0
    capfd.readouterr()
    assert main(["statements"]) == 0
    out = capfd.readouterr().out
    assert out.splitlines()[0] == ",".join(STATEMENT_COLUMNS)
    assert rows_of(out) == [given]
    assert main(["statements", "--format", "jsonl"]) == 0
    assert json.loads(capfd.readouterr().out) == given


def test_what_is_missing_is_made_from_the_content(tmp_path: Path, capfd: Captured) -> None:
    (tmp_path / "in.csv").write_text(
        "text,url,date\nГавань открыта.,https://e.org/1,2031-01-02\nTwo.,https://e.org/1,2031-01-02\n"
    )
    (tmp_path / "again.csv").write_text("text,url,date\nTwo.,https://e.org/1,2031-01-02\n")
    assert main(["ingest", "in.csv", "again.csv"]) == 0
    assert "again.csv: 1 found, 0 new, 1 unchanged" in capfd.readouterr().out.splitlines()[1]
    assert main(["statements"]) == 0
    first, second = sorted(rows_of(capfd.readouterr().out), key=lambda row: row["lang"], reverse=True)
    assert first["statement_id"].startswith("f")
    assert (first["lang"], first["date_method"]) == ("ru", "given")
    assert first["doc_id"] == second["doc_id"]
    assert (first["source"], second["source"]) == ("in.csv", "in.csv")  # a document stays with its first source


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "a", "date": "1.2.2031"}, "row 2 (x): date '1.2.2031' is not a date; write YYYY-MM-DD."),
        ({"text": "a", "country": "NOWHERE"}, "row 2 (x): unknown country 'NOWHERE'; known: ARD, BOR, LGE"),
        ({"text": "a", "provenance": "rumour"}, "row 2 (x): unknown provenance 'rumour'"),
    ],
)
def test_a_bad_row_is_named_and_nothing_of_the_file_is_kept(
    row: dict[str, str], message: str, tmp_path: Path, capfd: Captured
) -> None:
    write_jsonl(tmp_path / "in.jsonl", [{"text": "good"}, {"statement_id": "x", **row}])
    assert main(["ingest", "in.jsonl"]) == 2
    assert message in capfd.readouterr().err
    with Store(tmp_path / "data" / "stance.sqlite") as store:
        assert store.counts()["statements"] == 0


def test_a_wrong_corpus_line_is_named(tmp_path: Path, capfd: Captured) -> None:
    rows = [documented_row(1), documented_row(2, country="NOWHERE")]
    write_jsonl(tmp_path / "corpus" / "documented" / "double_coded.jsonl", rows)
    assert main(["ingest", "corpus"]) == 2
    err = capfd.readouterr().err
    assert "double_coded.jsonl, line 2: country" in err
    assert "unknown actor 'NOWHERE'" in err


def test_statements_are_found_under_any_spelling_between_dates_in_order(tmp_path: Path, capfd: Captured) -> None:
    rows = [
        {"text": "late", "speaker": "A. Vell", "date": "2031-03-01", "country": "ARD"},
        {"text": "early", "speaker": "Анна Велль", "date": "2031-02-01", "country": "ARD"},
        {"text": "other", "speaker": "Osk Brandt", "date": "2031-02-15", "country": "BOR"},
        {"text": "before", "speaker": "Anna Vell", "date": "2031-01-31", "country": "ARD"},
    ]
    write_jsonl(tmp_path / "in.jsonl", rows)
    main(["ingest", "in.jsonl"])
    capfd.readouterr()

    def texts(*options: str) -> list[str]:
        assert main(["statements", *options]) == 0
        return [row["text"] for row in rows_of(capfd.readouterr().out)]

    assert texts("--speaker", "anna vell") == ["before", "early", "late"]
    assert texts("--speaker", "anna vell", "--since", "2031-02-01", "--until", "2031-02-28") == ["early"]
    assert texts("--country", "BOR") == ["other"]
    assert texts("--source", "in.jsonl") == ["before", "early", "other", "late"]
    assert texts("--speaker", "Nobody") == []


def test_sources_tell_what_the_store_holds(tmp_path: Path, capfd: Captured) -> None:
    assert main(["sources"]) == 0
    assert [(row["source"], row["kind"], row["statements"]) for row in rows_of(capfd.readouterr().out)] == [
        ("corpus", "bundled documented statements", "0"), ("other", "Any page or file", "0"),
    ]  # fmt: skip
    assert not (tmp_path / "data").exists()  # looking makes no store
    (tmp_path / "in.txt").write_text("a\nb\n")
    main(["ingest", "corpus", "in.txt"])
    capfd.readouterr()
    assert main(["sources"]) == 0
    assert [(row["source"], row["statements"]) for row in rows_of(capfd.readouterr().out)] == [
        ("corpus", "38"), ("other", "0"), ("in.txt", "2"),
    ]  # fmt: skip
    assert main(["sources", "--format", "table"]) == 0
    assert "bundled documented statements" in capfd.readouterr().out


def test_the_store_is_named_by_option_before_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    monkeypatch.setenv("STANCE_STORE", str(tmp_path / "environment.sqlite"))
    (tmp_path / "in.txt").write_text("a\n")
    assert main(["ingest", "in.txt"]) == 0
    assert main(["ingest", "in.txt", "--store", "option.sqlite"]) == 0
    assert (tmp_path / "environment.sqlite").is_file()
    assert (tmp_path / "option.sqlite").is_file()
    assert not (tmp_path / "data").exists()
    assert "1 new" in capfd.readouterr().out.splitlines()[1]


def test_an_unusable_store_is_one_line_and_keeps_its_bytes(tmp_path: Path, capfd: Captured) -> None:
    damaged = tmp_path / "damaged.sqlite"
    damaged.write_bytes(b"this is no database, and longer than a header would be" * 40)
    kept = damaged.read_bytes()
    assert main(["statements", "--store", "damaged.sqlite"]) == 1
    assert "damaged.sqlite is not a usable store" in capfd.readouterr().err
    assert damaged.read_bytes() == kept
    with sqlite3.connect(tmp_path / "newer.sqlite") as newer:
        newer.execute("PRAGMA user_version = 99")
    assert main(["statements", "--store", "newer.sqlite"]) == 1
    assert "has schema 99, newer than" in capfd.readouterr().err


def test_a_locked_store_is_named(tmp_path: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.store._BUSY_SECONDS", 0.1)
    (tmp_path / "in.txt").write_text("a\n")
    assert main(["ingest", "in.txt"]) == 0
    with sqlite3.connect(tmp_path / "data" / "stance.sqlite", isolation_level=None) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        assert main(["ingest", "in.txt"]) == 1
        holder.execute("ROLLBACK")
    assert "is locked by another process" in capfd.readouterr().err
