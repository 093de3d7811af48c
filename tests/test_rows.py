"""Tags as rows of bytes: the same as a table writer makes of the same tags, in every format."""

import json

import pandas as pd
import pyarrow as pa
import pytest

from pipeline.classify import rows as rows_module
from pipeline.classify.rows import Unit, arrow_schema, header, parquet_from, write_unit
from pipeline.classify.tagging import tag_statements
from pipeline.schema import CARRIED_COLUMNS, STANCES, TAG_COLUMNS, Statement
from pipeline.tables import open_table_writer

TEXTS = [
    "Foreign vessels are welcome in the harbour, gladly.",
    "Bread prices were read out.",
    '=SUM(A1), said "the harbour",\nwhich is refused. A railway is welcome.\r',
    "Le harbour est ouvert et les navires arrivent chaque matin avec des vivres pour la ville.",
    "Bread prices were read out again.",
    "The railway \ud800 is refused.",
]


@pytest.fixture
def statements():
    ids = ["a", "", '"b', "c,d", "-1", "'x"]
    return [
        Statement(
            statement_id=ids[n] or "e", text=text, doc_id="d\n1", speaker="@Vell", date="2030-01-02", lang="en"
        )
        if n != 3
        else Statement(statement_id=ids[n], text=text)
        for n, text in enumerate(TEXTS)
    ]


def records(model, statements, targets=None):
    """Return the rows as they are meant, from tags one by one."""
    for statement, tags in tag_statements(model, statements, targets=targets):
        for tag in tags:
            yield {
                **{name: getattr(statement, name) for name in CARRIED_COLUMNS},
                "target": tag.target,
                "stance": tag.stance,
                **{f"p_{s}": round(p, 6) for s, p in zip(STANCES, tag.probabilities, strict=True)},
                "confidence": round(tag.confidence, 6),
                "abstained": tag.abstained,
                "evidence_start": tag.evidence_start,
                "evidence_end": tag.evidence_end,
                "evidence": tag.evidence,
                "model_id": tag.model_id,
            }


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize("targets", [None, ("railway",)])
@pytest.mark.parametrize("batch", [1, 2, 100])
def test_text_rows_are_those_of_a_table_writer(tiny_model, statements, tmp_path, kind, targets, batch, monkeypatch):
    with open_table_writer(TAG_COLUMNS, kind, tmp_path / "expected") as write:
        write(list(records(tiny_model, statements, targets)))
    monkeypatch.setattr(rows_module, "BATCH", batch)
    written = write_unit(tiny_model, Unit.of(statements), targets=targets, kind=kind)
    assert header(kind) + written.content == (tmp_path / "expected").read_bytes()
    assert (written.statements, written.unread) == (6, 1)


def test_parquet_rows_are_those_of_the_tags(tiny_model, statements, tmp_path):
    written = write_unit(tiny_model, Unit.of(statements), targets=None, kind="parquet")
    (tmp_path / "draft").write_bytes(header("parquet") + written.content)
    parquet_from(tmp_path / "draft", tmp_path / "tags.parquet")
    found = pd.read_parquet(tmp_path / "tags.parquet")
    expected = list(records(tiny_model, statements))
    assert list(found.columns) == list(TAG_COLUMNS)
    assert len(found) == 12
    for row, wanted in zip(found.to_dict("records"), expected, strict=True):
        for name in TAG_COLUMNS:
            value = wanted[name]
            if isinstance(value, str):
                value = value.encode(errors="backslashreplace").decode()
            assert (pd.isna(row[name]) and value is None) or row[name] == value, name


def test_without_rows_parquet_still_has_its_columns(tmp_path):
    (tmp_path / "draft").write_bytes(header("parquet"))
    parquet_from(tmp_path / "draft", tmp_path / "tags.parquet")
    found = pd.read_parquet(tmp_path / "tags.parquet")
    assert list(found.columns) == list(TAG_COLUMNS)
    assert len(found) == 0


def test_row_groups_depend_on_the_rows_alone(tiny_model, statements, tmp_path, monkeypatch):
    monkeypatch.setattr(rows_module, "_ROW_GROUP", 4)
    made = []
    for size in (2, 6):
        monkeypatch.setattr(rows_module, "BATCH", 2)
        units = [Unit.of(statements[start : start + size]) for start in range(0, 6, size)]
        contents = [write_unit(tiny_model, unit, targets=None, kind="parquet").content for unit in units]
        (tmp_path / "draft").write_bytes(header("parquet") + b"".join(contents))
        parquet_from(tmp_path / "draft", tmp_path / "tags.parquet")
        made.append((tmp_path / "tags.parquet").read_bytes())
    assert made[0] == made[1]
    assert pa.parquet.ParquetFile(tmp_path / "tags.parquet").num_row_groups == 3


def test_probabilities_are_numbers_and_silence_is_the_models_stated_one(tiny_model, statements):
    written = write_unit(tiny_model, Unit.of(statements[1:2]), targets=None, kind="jsonl")
    rows = [json.loads(line) for line in written.content.splitlines()]
    expected = tiny_model.scorer.predict_proba([TEXTS[1]])[0]
    for row, probabilities in zip(rows, expected, strict=True):
        assert row["stance"] == "none"
        assert row["evidence"] == ""
        assert [row[f"p_{stance}"] for stance in STANCES] == [round(float(p), 6) for p in probabilities]
        assert 0 < row["p_none"] < 1


def test_the_schema_types_every_column():
    kinds = {field.name: str(field.type) for field in arrow_schema()}
    assert list(kinds) == list(TAG_COLUMNS)
    assert {kinds[f"p_{stance}"] for stance in STANCES} == {"double"}
    assert (kinds["abstained"], kinds["evidence_start"], kinds["evidence"]) == ("bool", "int64", "string")
