"""Writing tables: formula-safe, whole or not at all, and readable by the reader."""

import contextlib
import io
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import StanceError, UsageError
from pipeline.tables import atomic_path, open_table_writer, read_statements, spreadsheet_safe, write_frame


def write_table(path, kind, rows, columns=("statement_id", "text"), **options):
    with open_table_writer(columns, kind, path, **options) as write:
        write(rows)
    return path


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("'=1", "''=1"),
        ("'tis", "'tis"),
        ("a=1", "a=1"),
        (" =1", " =1"),
        ("", ""),
        (-1, -1),
        (-0.5, -0.5),
        (None, None),
    ],
)
def test_only_text_that_a_spreadsheet_would_run_is_guarded(cell, safe):
    assert spreadsheet_safe(cell) == safe


def test_a_csv_has_its_columns_in_order_and_plain_values(tmp_path):
    rows = [
        {"text": "a,b", "statement_id": "1", "p": 0.1, "abstained": True, "n": None, "extra": "no"},
        {"statement_id": "-2", "p": -1, "abstained": False},
    ]
    columns = ("statement_id", "text", "p", "abstained", "n")
    path = write_table(tmp_path / "out.csv", "csv", rows, columns)
    assert path.read_bytes() == b'statement_id,text,p,abstained,n\n1,"a,b",0.1,true,\n\'-2,,-1,false,\n'


@pytest.mark.parametrize(("kind", "content"), [("csv", b"statement_id,text\n"), ("jsonl", b""), ("parquet", None)])
def test_no_rows_make_a_valid_table(tmp_path, kind, content):
    path = tmp_path / f"out.{kind}"
    schema = pa.schema([("statement_id", pa.string()), ("text", pa.string())])
    with open_table_writer(("statement_id", "text"), kind, path, schema):
        pass
    assert (content is None and pq.read_table(path).schema.equals(schema)) or path.read_bytes() == content


def test_jsonl_keeps_every_column_value_and_script(tmp_path):
    rows = [{"text": "Гавань 港口 😀 =1", "statement_id": "1", "p": 0.5}, {"statement_id": "2"}]
    path = write_table(tmp_path / "out.jsonl", "jsonl", rows)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == '{"statement_id": "1", "text": "Гавань 港口 😀 =1"}'
    assert json.loads(lines[1]) == {"statement_id": "2", "text": None}


def test_parquet_keeps_types_over_several_writes(tmp_path):
    schema = pa.schema([("statement_id", pa.string()), ("p", pa.float64()), ("start", pa.int32())])
    path = tmp_path / "out.parquet"
    with open_table_writer(("statement_id", "p", "start"), "parquet", path, schema) as write:
        write([{"statement_id": "1", "p": 0.25, "start": 3}])
        write([{"statement_id": "2", "p": 0.5, "start": None}])
    table = pq.read_table(path)
    assert table.schema.equals(schema)
    assert table.to_pylist()[1] == {"statement_id": "2", "p": 0.5, "start": None}


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_half_a_surrogate_pair_does_not_stop_the_run(tmp_path, kind):
    path = write_table(tmp_path / f"out.{kind}", kind, [{"statement_id": "1", "text": "a\ud800b"}])
    assert b"a\\ud800b" in path.read_bytes()


@pytest.mark.parametrize(
    "text", ["a\rb", "\r", "a\r\nb", "a\nb", 'say "x"', "'=1", "=1", "''", "a,b", "\u2028", "\x00x"]
)
def test_a_written_csv_reads_back_as_it_was(tmp_path, text):
    rows = [{"statement_id": "1", "text": f"{text}."}, {"statement_id": "2", "text": f".{text}"}]
    path = write_table(tmp_path / "out.csv", "csv", rows)
    assert [statement.text for statement in read_statements(path)] == [f"{text}.", f".{text}"]


# Standard output


class Console:
    """Standard output that keeps its bytes."""

    def __init__(self) -> None:
        self.buffer = io.BytesIO()
        self.flushed = False

    def flush(self) -> None:
        self.flushed = True


def test_standard_output_gets_utf8_whatever_the_locale(monkeypatch):
    console = Console()
    monkeypatch.setattr("sys.stdout", console)
    write_table(None, "csv", [{"statement_id": "1", "text": "Гавань"}])
    assert console.buffer.getvalue() == "statement_id,text\n1,Гавань\n".encode()
    assert console.flushed


def test_jsonl_goes_to_standard_output_too(monkeypatch):
    console = Console()
    monkeypatch.setattr("sys.stdout", console)
    write_table(None, "jsonl", [{"statement_id": "1", "text": "a"}])
    assert console.buffer.getvalue() == b'{"statement_id": "1", "text": "a"}\n'


def test_parquet_needs_a_file():
    with pytest.raises(UsageError, match=r"Parquet cannot go to standard output: name a file with --output\."):
        write_table(None, "parquet", [])


# Whole or not at all


def test_a_file_appears_only_when_complete_and_replaces_the_old(tmp_path):
    path = tmp_path / "new" / "folder" / "out.csv"
    with atomic_path(path) as draft:
        draft.write_text("first")
        assert draft.parent == path.parent
        assert not path.exists()
    with path.open() as reader:
        with atomic_path(path) as draft:
            draft.write_text("second")
            assert path.read_text() == "first"
        assert reader.read() == "first"  # replaced, not written over: who reads the old file reads it whole
    assert path.read_text() == "second"
    assert [p.name for p in path.parent.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_failure_leaves_the_old_file_and_no_draft(tmp_path, kind):
    path = tmp_path / f"out.{kind}"
    path.write_text("old")
    schema = pa.schema([("statement_id", pa.string()), ("text", pa.string())])

    def fail_midway():
        with open_table_writer(("statement_id", "text"), kind, path, schema) as write:
            write([{"statement_id": "1", "text": "a"}])
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        fail_midway()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interruption_leaves_no_draft_either(tmp_path):
    def interrupted():
        with atomic_path(tmp_path / "out.csv") as draft:
            draft.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StanceError, match=r"^cannot write .*file/out\.csv: File exists\.$") as caught:
        write_table(tmp_path / "file" / "out.csv", "csv", [])
    assert caught.value.exit_status == 1


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path):
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(StanceError, match=r"^cannot write .*out\.csv: Is a directory\.$"):
        write_table(tmp_path / "out.csv", "csv", [])
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


# Frames for people


def test_a_frame_is_written_with_safe_text_and_six_digits(tmp_path):
    frame = pd.DataFrame(
        {"b": ["=x", None], "a": [0.123456789, -2.0], "n": [-1, 2], "d": [pd.NA, "港口"], "left": [1, 2]}
    )
    path = tmp_path / "sub" / "out.csv"
    write_frame(frame, path, columns=["a", "b", "n", "d"])
    assert path.read_text(encoding="utf-8") == "a,b,n,d\n0.123457,'=x,-1,\n-2,,2,港口\n"
    assert frame["b"].iloc[0] == "=x"


def test_a_frame_is_written_whole_without_a_choice_of_columns(tmp_path):
    write_frame(pd.DataFrame({"b": ["@x"], "a": [1]}), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == b"b,a\n'@x,1\n"


def test_a_standard_output_that_takes_only_text_gets_text():
    said = io.StringIO()
    with contextlib.redirect_stdout(said), open_table_writer(("a", "b"), "csv", None) as write:
        write([{"a": "гавань", "b": 1}])
    assert said.getvalue() == "a,b\nгавань,1\n"
