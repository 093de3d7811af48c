"""Reading tables: every format, every bad row by its line, and what a later step may rely on."""

import io
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import DataError, UsageError
from pipeline.tables import BadRow, estimated_rows, read_frame, read_statements
from pipeline.tables.reading import check_columns, unguarded


def texts(path, **options):
    return [statement.text for statement in read_statements(path, **options)]


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content.encode("utf-8", errors="surrogateescape"))
    return path


class Console(io.TextIOWrapper):
    """Standard input with given bytes."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="latin-1")


# Formats


def test_a_csv_gives_its_columns_and_leaves_others_out(write_csv):
    path = write_csv(
        "in.csv",
        ["colour", "text", "statement_id", "doc_id", "date", "speaker", "country", "lang"],
        ["blue", "The harbour.", "a1", "d1", "2030-01-01", "Anna Vell", "ARD", "en"],
    )
    (statement,) = read_statements(path)
    assert (statement.statement_id, statement.text, statement.doc_id, statement.date) == (
        "a1", "The harbour.", "d1", "2030-01-01",
    )  # fmt: skip
    assert (statement.speaker, statement.country, statement.lang) == ("Anna Vell", "ARD", "en")


def test_ids_are_made_of_the_line_number_when_absent(write_csv):
    path = write_csv(
        "in.csv", ["text", "statement_id"], ["one", ""], ["two", "own"], ["three\nlines", ""], ["four", ""]
    )
    assert [s.statement_id for s in read_statements(path)] == ["row2", "own", "row4", "row6"]


def test_a_csv_with_only_a_header_is_a_valid_empty_input(write_csv):
    assert texts(write_csv("in.csv", ["statement_id", "text"])) == []


def test_an_empty_csv_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"in\.csv is empty: a CSV needs at least a header with a text column\."):
        texts(write(tmp_path, "in.csv", ""))


def test_blank_lines_are_passed_over_but_counted(tmp_path):
    path = write(tmp_path, "in.csv", "text\none\n\n\ntwo\n")
    assert [(s.statement_id, s.text) for s in read_statements(path)] == [("row2", "one"), ("row5", "two")]


def test_a_byte_order_mark_quotes_and_line_breaks_are_read(tmp_path):
    path = write(tmp_path, "in.csv", '\ufeffstatement_id,text\r\na,"He said ""no"",\r\nthen left."\r\n')
    assert texts(path) == ['He said "no",\r\nthen left.']


def test_an_apostrophe_put_before_a_formula_is_taken_off(tmp_path):
    path = write(tmp_path, "in.csv", "statement_id,text\n'-1,'=1+1\n'x,'tis the harbour\n")
    assert [(s.statement_id, s.text) for s in read_statements(path)] == [("-1", "=1+1"), ("'x", "'tis the harbour")]


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".JSONL"])
def test_json_lines_are_read_with_values_as_text(tmp_path, suffix):
    rows = [{"text": "Гавань 😀", "statement_id": 7, "date": None}, {"text": "two", "extra": [1]}]
    path = write(tmp_path, f"in{suffix}", "\n".join(json.dumps(row) for row in rows) + "\n\n")
    first, second = read_statements(path)
    assert (first.statement_id, first.text, first.date) == ("7", "Гавань 😀", "")
    assert second.statement_id == "row2"


def test_a_text_file_gives_a_statement_a_line(tmp_path):
    path = write(tmp_path, "in.txt", "\ufeff one \n\n  \ntwo, three\n")
    assert [(s.statement_id, s.text) for s in read_statements(path)] == [("row1", "one"), ("row4", "two, three")]


def test_a_folder_gives_a_statement_a_file_in_order_of_name(tmp_path):
    for name, content in (("b.txt", "two\nlines\n"), ("a.txt", " one "), ("c.md", "not read")):
        write(tmp_path, name, content)
    found = [(s.statement_id, s.doc_id, s.text) for s in read_statements(tmp_path)]
    assert found == [("a", "a", "one"), ("b", "b", "two\nlines")]


def test_a_folder_without_text_files_is_wrong_use(tmp_path):
    with pytest.raises(UsageError, match=r"no \.txt files in"):
        texts(tmp_path)


def test_parquet_is_read_whole_across_batches(tmp_path):
    count = 8193
    table = pa.table({"text": [f"text {n}" for n in range(count)], "number": list(range(count))})
    pq.write_table(table, tmp_path / "in.parquet")
    statements = list(read_statements(tmp_path / "in.parquet"))
    assert len(statements) == count
    assert (statements[-1].statement_id, statements[-1].text) == ("row8193", "text 8192")


def test_a_damaged_parquet_file_is_named(tmp_path):
    path = write(tmp_path, "in.parquet", "not parquet at all")
    with pytest.raises(DataError, match=r"in\.parquet is not a readable Parquet file"):
        texts(path)
    with pytest.raises(DataError, match=r"in\.parquet does not read as parquet"):
        read_frame(path, ["text"])


def test_parquet_without_a_text_column_is_refused(tmp_path):
    pq.write_table(pa.table({"body": ["a"]}), tmp_path / "in.parquet")
    with pytest.raises(DataError, match=r"in\.parquet: missing column text; found body\.$"):
        texts(tmp_path / "in.parquet")


# Standard input and format names


def test_standard_input_is_a_statement_a_line_unless_told(monkeypatch):
    monkeypatch.setattr("sys.stdin", Console("\ufeffГавань\ntwo\n".encode()))
    assert texts("-") == ["Гавань", "two"]


@pytest.mark.parametrize(
    ("kind", "content"), [("csv", "text\none\n"), ("jsonl", '{"text": "one"}\n'), ("txt", "one\n")]
)
def test_standard_input_reads_every_text_format(monkeypatch, kind, content):
    monkeypatch.setattr("sys.stdin", Console(content.encode()))
    assert texts("-", input_format=kind) == ["one"]


def test_a_mistake_on_standard_input_names_it(monkeypatch):
    monkeypatch.setattr("sys.stdin", Console(b"text,b\none\n"))
    with pytest.raises(DataError, match=r"^standard input, line 2: 1 fields where the header has 2\."):
        texts("-", input_format="csv")


@pytest.mark.parametrize("kind", ["parquet", "xlsx"])
def test_standard_input_refuses_other_formats(kind):
    with pytest.raises(UsageError, match=rf"unknown input format: {kind}\. Accepted: csv, jsonl, txt \("):
        texts("-", input_format=kind)


@pytest.mark.parametrize(("name", "kind"), [("in.xlsx", r"\.xlsx"), ("in", r"\(no suffix\)")])
def test_an_unknown_suffix_is_refused_and_a_named_format_overrides_it(tmp_path, name, kind):
    path = write(tmp_path, name, '{"text": "one"}\n')
    with pytest.raises(UsageError, match=rf"unknown input format: {kind}\. Accepted: csv, jsonl, parquet, txt"):
        texts(path)
    assert texts(path, input_format="jsonl") == ["one"]


def test_an_absent_file_is_wrong_use(tmp_path):
    with pytest.raises(UsageError, match=r"no such file or folder: .*nowhere\.csv\."):
        texts(tmp_path / "nowhere.csv")
    with pytest.raises(UsageError, match=r"no such file: .*nowhere\.csv\."):
        read_frame(tmp_path / "nowhere.csv", ["text"])


# Rows that do not read


@pytest.mark.parametrize(
    ("name", "content", "line", "reason"),
    [
        ("in.csv", "statement_id,text\na,one\nb\n", 3, "1 fields where the header has 2"),
        ("in.csv", "statement_id,text\na,one,two\n", 2, "3 fields where the header has 2"),
        ("in.csv", 'text\n"one\nlines"\n"two" x\n', 4, "not valid CSV \\("),
        ("in.csv", 'text\none\n"open\nend\n', 3, "not valid CSV \\("),
        ("in.csv", "statement_id,text\na,one\nb,\n", 3, "no text"),
        ("in.csv", "statement_id,text\na,one\nb,  \n", 3, "no text"),
        ("in.csv", "statement_id,text\na,one\na,two\n", 3, "statement_id a was given before; ids must be unique"),
        ("in.csv", "text\none\ntw\udcffo\n", 3, "bytes that are not UTF-8; save the file as UTF-8"),
        ("in.csv", "text,speaker\none,\udcff\n", 2, "bytes that are not UTF-8; save the file as UTF-8"),
        ("in.jsonl", '{"text": "one"}\n\n{"text": \n', 3, "not valid JSON \\("),
        ("in.jsonl", "[" * 100_000 + "\n", 1, "not valid JSON \\("),
        ("in.jsonl", '["text"]\n', 1, "a JSON line must be an object with a text"),
        ("in.jsonl", '{"body": "one"}\n', 1, "no text"),
        ("in.jsonl", '{"text": 5}\n', 1, "no text"),
        ("in.jsonl", '{"text": "one \\ud800"}\n', 1, "bytes that are not UTF-8"),
        ("in.jsonl", '{"text": "a", "statement_id": 1}\n{"text": "b", "statement_id": "1"}\n', 2,
         "statement_id 1 was given before"),
        ("in.txt", "one\n\udcff\n", 2, "bytes that are not UTF-8"),
    ],
)  # fmt: skip
def test_a_bad_row_stops_with_its_line_or_is_handed_over(tmp_path, name, content, line, reason):
    path = write(tmp_path, name, content)
    with pytest.raises(DataError, match=rf"{name}, line {line}: {reason}.*Mend the row, or set such rows aside"):
        texts(path)
    bad: list[BadRow] = []
    texts(path, on_bad=bad.append)
    assert [row.line for row in bad] == [line]


def test_good_rows_around_bad_ones_are_kept_and_the_raw_row_is_handed_over(tmp_path):
    path = write(tmp_path, "in.csv", 'statement_id,text\na,one\nb,two,extra\nc,"tw" o\nd,four\n')
    bad: list[BadRow] = []
    assert texts(path, on_bad=bad.append) == ["one", "four"]
    assert (bad[0].line, bad[0].raw) == (3, "b,two,extra")
    assert [row.line for row in bad] == [3, 4]


def test_raw_json_lines_are_handed_over_without_their_line_end(tmp_path):
    path = write(tmp_path, "in.jsonl", '{"a": \n[1]\n{"text": ""}\n')
    bad: list[BadRow] = []
    assert texts(path, on_bad=bad.append) == []
    assert [row.raw for row in bad] == ['{"a": ', "[1]", '{"text": ""}']
    assert bad[2].reason == "no text"


def test_rows_are_read_one_by_one(tmp_path):
    path = write(tmp_path, "in.csv", "text\none\ntwo,too many\n")
    rows = read_statements(path)
    assert next(rows).text == "one"
    with pytest.raises(DataError, match="line 3"):
        next(rows)


def test_a_header_that_is_not_valid_csv_is_refused(tmp_path):
    path = write(tmp_path, "in.csv", '"statement"_id,text\na,one\n')
    with pytest.raises(DataError, match=r"in\.csv, line 1: the header is not valid CSV \("):
        texts(path)


# Columns


def test_missing_columns_are_named_with_what_was_found_and_the_likely_misspelling(tmp_path):
    path = write(tmp_path, "in.csv", "id, Texts,date\na,one,\n")
    with pytest.raises(DataError) as caught:
        texts(path)
    assert str(caught.value) == f"{path}: missing column text; found id,  Texts, date. Rename ' Texts' to 'text'?"


def test_a_column_unlike_any_other_gets_no_hint():
    with pytest.raises(DataError, match=r"^x: missing column text, date; found body\.$"):
        check_columns(["body"], ("text", "date"), "x")
    with pytest.raises(DataError, match=r"^x: missing column text; found none\.$"):
        check_columns([], ("text",), "x")


def test_nothing_is_raised_when_all_columns_are_there():
    check_columns(iter(["b", "text"]), ("text",), "x")


@pytest.mark.parametrize(
    ("cell", "plain"),
    [
        ("'=1", "=1"),
        ("'+1", "+1"),
        ("'-1", "-1"),
        ("'@a", "@a"),
        ("'\ta", "\ta"),
        ("'\ra", "\ra"),
        ("''=1", "'=1"),
        ("=1", "=1"),
        ("'a", "'a"),
        ("'", "'"),
        ("", ""),
    ],
)
def test_only_a_guard_before_a_formula_is_taken_off(cell, plain):
    assert unguarded(cell) == plain


# Whole frames


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_frame_keeps_ids_and_dates_as_text(tmp_path, suffix):
    path = tmp_path / f"in.{suffix}"
    rows = {"statement_id": ["001", "2"], "date": ["2030-01-01", "2030-01-02"], "p": [0.5, 1.0]}
    frame = pd.DataFrame(rows)
    if suffix == "csv":
        frame.to_csv(path, index=False)
    elif suffix == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)
    read = read_frame(path, ["statement_id", "p"])
    assert read["statement_id"].tolist() == ["001", "2"]
    assert read["date"].tolist() == ["2030-01-01", "2030-01-02"]
    assert read["p"].tolist() == [0.5, 1.0]


def test_a_frame_reads_none_and_na_as_text_and_only_empty_cells_as_missing(tmp_path):
    path = write(tmp_path, "in.csv", "\ufeffstatement_id,stance,country\nNA,none,null\nb,,NaN\n")
    frame = read_frame(path, ["statement_id", "stance"])
    assert frame["statement_id"].tolist() == ["NA", "b"]
    assert frame["country"].tolist() == ["null", "NaN"]
    assert frame["stance"].iloc[0] == "none"
    assert frame["stance"].isna().tolist() == [False, True]
    assert str(frame["stance"].dtype) == "str"


def test_a_frame_takes_guards_off_text_cells(tmp_path):
    path = write(tmp_path, "in.csv", "statement_id,label,p\n'-5,'=a,0.5\nb,,-1\n")
    frame = read_frame(path, ["statement_id"])
    assert frame["statement_id"].tolist() == ["-5", "b"]
    assert frame["label"].iloc[0] == "=a"
    assert frame["p"].tolist() == [0.5, -1.0]


def test_an_empty_frame_has_its_columns(tmp_path):
    frame = read_frame(write(tmp_path, "in.csv", "statement_id,target\n"), ["statement_id", "target"])
    assert list(frame.columns) == ["statement_id", "target"]
    assert len(frame) == 0


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.csv", "", r"in\.csv is empty: a header with a, b is needed\."),
        ("in.csv", "a,b\n1,2,3\n1,2,3,4\n", r"in\.csv does not read as csv \("),
        ("in.csv", "a,b\n1,\udcff\n", r"in\.csv does not read as csv \("),
        ("in.jsonl", "{broken\n", r"in\.jsonl does not read as jsonl \("),
        ("in.csv", "a,c\n1,2\n", r"in\.csv: missing column b; found a, c\."),
    ],
)
def test_a_frame_that_does_not_read_is_named(tmp_path, name, content, message):
    with pytest.raises(DataError, match=message):
        read_frame(write(tmp_path, name, content), ["a", "b"])


@pytest.mark.parametrize("name", ["in.txt", "in"])
def test_a_frame_is_not_read_from_plain_text(tmp_path, name):
    with pytest.raises(UsageError, match=r"unknown input format: .*Accepted: csv, jsonl, parquet \("):
        read_frame(write(tmp_path, name, "a\n"), ["a"])


@pytest.mark.parametrize("recent", [1, 2, 3, 100])
def test_an_id_is_known_again_however_long_ago_it_was_given(tmp_path, monkeypatch, recent):
    monkeypatch.setattr("pipeline.tables.reading._RECENT_IDS", recent)
    given = ["a", "b", "c", "d", "e"]
    for again in given:
        (tmp_path / "in.csv").write_text("statement_id,text\n" + "".join(f"{name},x\n" for name in [*given, again]))
        bad: list[BadRow] = []
        kept = [s.statement_id for s in read_statements(tmp_path / "in.csv", on_bad=bad.append)]
        assert kept == given
        assert [(row.line, row.reason) for row in bad] == [
            (7, f"statement_id {again} was given before; ids must be unique")
        ]


def test_a_folder_of_parquet_is_read_in_the_order_of_names(tmp_path):
    for name in ("b", "a"):
        pd.DataFrame({"text": [f"{name}1", f"{name}2"]}).to_parquet(tmp_path / f"{name}.parquet", row_group_size=1)
    (tmp_path / "a.txt").write_text("not read")
    found = [(statement.statement_id, statement.text) for statement in read_statements(tmp_path)]
    assert found == [("row1", "a1"), ("row2", "a2"), ("row3", "b1"), ("row4", "b2")]


def test_how_many_statements_a_file_holds_is_guessed_by_its_first_lines(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.tables.reading._SAMPLE", 50)
    (tmp_path / "in.csv").write_text("123456789\n" * 70)
    pd.DataFrame({"text": ["a"] * 7}).to_parquet(tmp_path / "in.parquet")
    (tmp_path / "bad.parquet").write_text("x")
    assert estimated_rows(tmp_path / "in.csv") == 70
    assert estimated_rows(tmp_path / "in.parquet") == 7
    assert [estimated_rows(name) for name in ("-", tmp_path, tmp_path / "none.csv", tmp_path / "bad.parquet")] == [
        None
    ] * 4
