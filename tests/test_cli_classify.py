"""`stance classify` over every way in and every way out, and what bad input does."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from pipeline.cli.app import main
from pipeline.schema import TAG_COLUMNS
from pipeline.store import Store
from pipeline.tables.draft import Draft

TARGETS = ["india", "taliban_recognition", "central_asian_security", "coordination", "us_presence"]
TEXT = "India was invited to the talks and its aid was praised. Nothing else was on the table."


@pytest.fixture(autouse=True)
def _model(small_models_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STANCE_MODELS", str(small_models_folder))
    monkeypatch.setenv("STANCE_STORE", str(tmp_path / "s.sqlite"))
    monkeypatch.chdir(tmp_path)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def feed(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))


def test_a_text_gives_one_row_a_target_with_the_columns_of_the_contract(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert main(["classify", "--text", TEXT]) == 0
    out = capfdbinary.readouterr().out.decode()
    rows = rows_of(out)
    assert tuple(rows[0]) == TAG_COLUMNS
    assert [row["target"] for row in rows] == TARGETS
    for row in rows:
        shares = [float(row[f"p_{stance}"]) for stance in ("favor", "neutral", "against", "none")]
        assert sum(shares) == pytest.approx(1, abs=1e-5)
        assert float(row["confidence"]) == max(shares) == float(row[f"p_{row['stance']}"])
        assert row["abstained"] in ("true", "false")
        if row["stance"] == "none":
            assert (row["evidence_start"], row["evidence_end"], row["evidence"]) == ("", "", "")
        else:
            assert TEXT[int(row["evidence_start"]) : int(row["evidence_end"])] == row["evidence"] != ""


def test_a_table_speaks_in_words(capfd: pytest.CaptureFixture[str], small_models_folder: Path) -> None:
    assert main(["classify", "--text", TEXT, "--format", "table"]) == 0
    captured = capfd.readouterr()
    line = next(line for line in captured.out.splitlines() if line.startswith(" India's role"))
    assert "India was invited to the talks and its aid was praised." in line
    assert "%" in line
    assert captured.err.splitlines()[-1].startswith("model linear/")


def test_texts_in_a_language_the_model_does_not_read_are_counted_on_standard_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    french = "Le ministre a parlé de l'Inde et des talibans, et il a salué leur aide à la région."
    german = "Der Minister sprach von Indien und den Taliban und lobte ihre Hilfe für die Region."
    (tmp_path / "in.txt").write_text(f"{french}\n{TEXT}\n{german}\n")
    assert main(["classify", "in.txt"]) == 0
    captured = capfd.readouterr()
    assert "unsupported language: 2 not in en, ru, zh, tagged none and abstained" in captured.err
    assert "unsupported" not in captured.out
    rows = rows_of(captured.out)
    assert len(rows) == 15
    for row in rows[:5] + rows[10:]:
        assert (row["stance"], float(row["p_none"]), row["abstained"], row["evidence"]) == ("none", 1, "true", "")
    assert {row["p_none"] for row in rows[5:10]} != {rows[0]["p_none"]}
    assert main(["classify", "--text", TEXT]) == 0
    assert "unsupported" not in capfd.readouterr().err


def test_only_the_targets_asked_for_in_the_codebook_s_order(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", "--text", TEXT, "--targets", "us_presence, india"]) == 0
    assert [row["target"] for row in rows_of(capfd.readouterr().out)] == ["india", "us_presence"]


def test_a_csv_keeps_order_and_carries_its_columns(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text(
        "statement_id,text,speaker,date,country,extra\n"
        "z9,No rush to recognise the Taliban.,A. Vell,2030-01-02,ARD,x\n"
        "a1,Rain fell.,,,,y\n"
    )
    assert main(["classify", "in.csv", "--output", "out.csv"]) == 0
    rows = rows_of((tmp_path / "out.csv").read_text())
    assert [row["statement_id"] for row in rows] == ["z9"] * 5 + ["a1"] * 5
    assert {key: rows[0][key] for key in ("speaker", "date", "country", "lang")} == {
        "speaker": "A. Vell", "date": "2030-01-02", "country": "ARD", "lang": "",
    }  # fmt: skip
    assert "extra" not in rows[0]


def test_every_way_in_and_out_gives_the_same_rows(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [TEXT, "Войска США не нужны в Центральной Азии.", "塔利班"]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    (tmp_path / "in.txt").write_text("".join(f"{text}\n" for text in texts))
    pd.DataFrame({"text": texts}).to_parquet(tmp_path / "in.parquet")
    kept = ["target", "stance", "p_favor", "abstained", "evidence_start", "evidence"]

    def read(frame: pd.DataFrame) -> list[tuple[object, ...]]:
        return [
            tuple(None if pd.isna(v) or v == "" else v for v in row) for row in frame[kept].itertuples(index=False)
        ]

    assert main(["classify", "in.jsonl", "--output", "out.parquet"]) == 0
    assert main(["classify", "in.parquet", "--output", "out.jsonl"]) == 0
    assert main(["classify", "in.txt", "--format", "jsonl", "--output", "out2.jsonl"]) == 0
    expected = read(pd.read_parquet("out.parquet"))
    assert len(expected) == 15
    assert read(pd.read_json("out.jsonl", lines=True, precise_float=True)) == expected
    assert read(pd.read_json("out2.jsonl", lines=True, precise_float=True)) == expected
    feed(monkeypatch, "".join(f"{text}\n" for text in texts).encode())
    capfd.readouterr()
    assert main(["classify", "-"]) == 0
    assert read(pd.read_csv(io.StringIO(capfd.readouterr().out))) == expected


def test_a_folder_is_a_statement_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("b", "a"):
        (tmp_path / "folder" / f"{name}.txt").write_text(f"{name} spoke of India.\n\nAt length.")
    assert main(["classify", "folder", "--targets", "india"]) == 0
    rows = rows_of(capfd.readouterr().out)
    assert [(row["statement_id"], row["doc_id"]) for row in rows] == [("a", "a"), ("b", "b")]


def test_a_header_without_rows_is_a_valid_empty_input(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.csv").write_text("statement_id,text\n")
    assert main(["classify", "in.csv"]) == 0
    assert capfd.readouterr().out == ",".join(TAG_COLUMNS) + "\n"
    assert main(["classify", "in.csv", "--output", "out.parquet"]) == 0
    assert list(pd.read_parquet("out.parquet").columns) == list(TAG_COLUMNS)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "in.csv",
            b"statement_id,Text\na,b\n",
            "missing column text; found statement_id, Text. Rename 'Text' to 'text'?",
        ),
        ("in.csv", b"", "in.csv is empty"),
        ("in.csv", b"statement_id,text\na,ok\nb,x,y\n", "line 3: 3 fields where the header has 2"),
        ("in.csv", b"statement_id,text\na,ok\n\na,again\n", "line 4: statement_id a was given before"),
        ("in.csv", b"statement_id,text\na,\n", "line 2: no text"),
        ("in.csv", b"statement_id,text\na,b\xff\n", "line 2: bytes that are not UTF-8"),
        ("in.jsonl", b'{"text": "ok"}\n{"text": \n', "line 2: not valid JSON"),
        ("in.jsonl", b"[1]\n", "line 1: a JSON line must be an object"),
        ("in.parquet", b"PAR0", "is not a readable Parquet file"),
        ("in.xlsx", b"x", "unknown input format: .xlsx"),
    ],
)
def test_bad_input_stops_with_its_line_and_leaves_no_output(
    name: str, content: bytes, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "out.csv").write_text("kept as it was")
    assert main(["classify", name, "--output", "out.csv"]) == 2
    err = capfd.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert (tmp_path / "out.csv").read_text() == "kept as it was"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "out.csv"])


def test_bad_rows_are_set_aside_when_asked_with_status_three(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.jsonl").write_bytes(
        b'{"text": "one"}\n{bad\n{"text": ""}\n{"text": "t\xff"}\n{"text": "two"}\n'
    )
    assert main(["classify", "in.jsonl", "--skip-bad", "--output", "out.csv", "--targets", "india"]) == 3
    assert [row["statement_id"] for row in rows_of((tmp_path / "out.csv").read_text())] == ["row1", "row5"]
    aside = [json.loads(line) for line in (tmp_path / "out.csv.bad.jsonl").read_text().splitlines()]
    assert [row["line"] for row in aside] == [2, 3, 4]
    assert aside[0]["raw"] == "{bad"
    assert "3 rows did not read and were set aside in out.csv.bad.jsonl" in capfd.readouterr().err


def test_without_bad_rows_nothing_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("one\n")
    assert main(["classify", "in.txt", "--skip-bad", "--output", "out.csv"]) == 0
    assert not list(tmp_path.glob("*.bad.jsonl"))


def test_cells_that_a_spreadsheet_would_run_are_neutralised_and_read_back(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.jsonl").write_text(
        json.dumps({"statement_id": "=1+1", "text": "@India is welcome", "speaker": "-x"})
    )
    assert main(["classify", "in.jsonl", "--targets", "india", "--output", "out.csv"]) == 0
    row = rows_of((tmp_path / "out.csv").read_text())[0]
    assert (row["statement_id"], row["speaker"]) == ("'=1+1", "'-x")
    assert row["evidence"] in ("", "'@India is welcome")
    assert main(["classify", "in.jsonl", "--targets", "india", "--format", "jsonl"]) == 0
    assert json.loads(capfd.readouterr().out)["statement_id"] == "=1+1"


def test_the_number_of_workers_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.classify.archive.UNIT", 50)
    lines = [f"Statement {n}: {TEXT if n % 3 else 'The harvest was good.'}" for n in range(600)]
    (tmp_path / "in.txt").write_text("\n".join(lines))
    for workers in ("1", "2"):
        assert main(["classify", "in.txt", "--workers", workers, "--output", f"out{workers}.csv"]) == 0
    assert (tmp_path / "out1.csv").read_bytes() == (tmp_path / "out2.csv").read_bytes()
    assert len((tmp_path / "out1.csv").read_text().splitlines()) == 1 + 5 * 600


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["in.txt", "--resume"], "--resume goes on with a file: name it with --output."),
        (["in.txt", "--scheduler", "tcp://x"], "--scheduler goes with --engine dask."),
        (["in.txt", "--workers", "0"], "--workers 0: give a number from 1, or -1 for all cores."),
        (["in.txt", "--output", "tags", "--format", "parquet"], "in.txt is neither a .parquet file nor a folder."),
    ],
)
def test_options_that_do_not_go_together_are_named(
    options: list[str], message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.txt").write_text(TEXT)
    assert main(["classify", *options]) == 2
    err = capfd.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in.txt"]


def test_a_stopped_run_says_how_to_go_on_and_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.classify.archive.UNIT", 10)
    (tmp_path / "in.txt").write_text("".join(f"Statement {n}: {TEXT}\n" for n in range(35)))
    command = ["classify", "in.txt", "--output", "out.csv", "--workers", "1", "--targets", "india"]
    append = Draft.append

    def interrupted(self: Draft, content: bytes, *, rows: int, digest: str) -> None:
        append(self, content, rows=rows, digest=digest)
        if rows == 20:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Draft, "append", interrupted)
        assert main(command) == 3
    said = "stance: stopped after 20 statements; the same command with --resume goes on from there.\n"
    assert capfd.readouterr().err == said
    assert not (tmp_path / "out.csv").exists()
    assert main([*command, "--resume"]) == 0
    found = [row["statement_id"] for row in rows_of((tmp_path / "out.csv").read_text())]
    assert found == [f"row{n}" for n in range(1, 36)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.txt", "out.csv"]


def test_parquet_goes_to_a_folder_of_parts_too(tmp_path: Path) -> None:
    pd.DataFrame({"text": [TEXT, "Rain fell.", TEXT]}).to_parquet(tmp_path / "in.parquet", row_group_size=2)
    assert main(["classify", "in.parquet", "--output", "tags", "--format", "parquet", "--targets", "india"]) == 0
    assert sorted(path.name for path in (tmp_path / "tags").iterdir()) == [
        "part-00000.parquet",
        "part-00001.parquet",
    ]
    assert list(pd.read_parquet(tmp_path / "tags")["statement_id"]) == ["row1", "row2", "row3"]


def test_without_input_the_store_is_tagged_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["classify"]) == 2
    assert "holds no statements: run `stance ingest corpus`" in capfd.readouterr().err
    (tmp_path / "in.jsonl").write_text('{"text": "India is welcome."}\n{"text": "Rain fell."}\n')
    assert main(["ingest", "in.jsonl"]) == 0
    assert main(["classify"]) == 0
    assert "tagged 2 statements" in capfd.readouterr().err
    assert main(["classify"]) == 0
    assert "tagged 0 statements" in capfd.readouterr().err
    with Store(tmp_path / "s.sqlite") as store:
        assert store.counts() == {"documents": 2, "statements": 2, "tags": 10, "labels": 0, "runs": 2}


def test_no_model_and_a_damaged_model_are_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANCE_MODELS", str(tmp_path / "none"))
    assert main(["classify", "--text", "a"]) == 2
    assert "no trained model yet: run `stance retrain`" in capfd.readouterr().err
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "index.json").write_text("{")
    assert main(["classify", "--text", "a"]) == 1
    assert "index.json is damaged" in capfd.readouterr().err
