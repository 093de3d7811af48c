"""The data dictionary: it covers every column, fits what is written, and is what the README says."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline import schema
from pipeline.aggregate import TrendOptions, estimate_trends
from pipeline.errors import StanceError
from pipeline.tables import dictionary, write_frame
from pipeline.tables.dictionary import COLUMNS, PASSED_THROUGH, described, markdown_table, package, write_dictionary

TABLES = {
    "statements.csv": schema.STATEMENT_COLUMNS, "tags.csv": schema.TAG_COLUMNS, "labels.csv": schema.LABEL_COLUMNS,
    "events.csv": schema.EVENT_COLUMNS, "trends.csv": schema.TREND_COLUMNS, "tests.csv": schema.TEST_COLUMNS,
}  # fmt: skip
README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- columns: begin -->", "<!-- columns: end -->"


def fields_of(content: dict[str, Any], path: str) -> dict[str, dict[str, Any]]:
    resource = next(one for one in content["resources"] if one["path"] == path)
    return {field["name"]: field for field in resource["schema"]["fields"]}


def fits(value: str, field: dict[str, Any]) -> bool:
    """Check one cell against its field, as a reader of the package would."""
    if value == "":
        return True
    kinds = {
        "string": str, "number": float, "integer": int, "date": dt.date.fromisoformat,
        "boolean": lambda text: {"True": True, "False": False, "true": True, "false": False}[text],
    }  # fmt: skip
    try:
        parsed = kinds[field["type"]](value)
    except (ValueError, KeyError):
        return False
    limits = field.get("constraints", {})
    return (
        ("enum" not in limits or value in limits["enum"])
        and ("minimum" not in limits or parsed >= limits["minimum"])
        and ("maximum" not in limits or parsed <= limits["maximum"])
    )


@pytest.mark.parametrize("path", list(TABLES))
def test_every_column_of_the_schema_is_described(path: str) -> None:
    missing = [name for name in TABLES[path] if name not in COLUMNS]
    assert missing == []


def test_no_column_is_described_twice_in_the_dictionary() -> None:
    listed = [*dictionary._STATEMENT, *dictionary._TAG, *dictionary._EVENT, *dictionary._TREND, *dictionary._TEST]
    names = [column.name for column in listed]
    assert sorted(names) == sorted(set(names))


def test_texts_are_sentences_and_kinds_those_of_frictionless() -> None:
    for column in COLUMNS.values():
        assert column.text.endswith("."), column.name
        assert column.kind in {"string", "number", "integer", "date", "boolean"}


def test_accepted_values_are_the_schemas_own() -> None:
    fields = fields_of(package(TABLES), "trends.csv")
    assert fields["measure"]["constraints"] == {"enum": list(schema.MEASURES)}
    assert fields["freq"]["constraints"] == {"enum": list(schema.FREQUENCIES)}
    assert fields_of(package(TABLES), "tags.csv")["stance"]["constraints"] == {"enum": list(schema.STANCES)}
    assert fields["estimate"] == {
        "name": "estimate", "type": "number", "description": COLUMNS["estimate"].text,
    }  # fmt: skip
    assert fields["n_labelled"]["constraints"] == {"minimum": 0}


def test_measures_are_all_explained() -> None:
    assert all(f"`{measure}`" in COLUMNS["measure"].text for measure in schema.MEASURES)


def test_a_column_of_the_users_own_is_passed_through() -> None:
    assert described("my_note").field() == {"name": "my_note", "type": "string", "description": PASSED_THROUGH}


def test_the_file_is_a_data_package_and_names_its_tables(tmp_path: Path) -> None:
    path = write_dictionary({"b.csv": ["status"], "a.csv": ["text", "mine"]}, tmp_path / "deep")
    assert path == tmp_path / "deep" / "datapackage.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["profile"] == "tabular-data-package"
    assert [one["path"] for one in content["resources"]] == ["b.csv", "a.csv"]
    assert all(one["schema"]["missingValues"] == [""] for one in content["resources"])
    assert list(fields_of(content, "a.csv")) == ["text", "mine"]


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StanceError, match="file"):
        write_dictionary({}, tmp_path / "file" / "below")


def world() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Forty statements by two countries over ten months, half of them labelled."""
    stances = ("favor", "neutral", "against", "none")
    tags = pd.DataFrame(
        {
            "statement_id": f"s{i}", "doc_id": f"d{i}", "date": f"2021-{1 + i // 4:02d}-0{1 + i % 4}",
            "country": ("CHN", "RUS")[i % 2], "target": "india", "stance": stances[i * 7 % 4], "model_id": "m",
        }
        for i in range(40)
    )  # fmt: skip
    labels = tags[["statement_id", "target", "stance"]].iloc[::2].assign(sampling_prob=0.5)
    events = pd.DataFrame(
        {"event_id": ["e"], "date": ["2021-06-01"], "label": ["x"], "registered_on": ["2020-01-01"]}
    )
    return tags, labels, events


def test_what_is_written_fits_the_dictionary(tmp_path: Path) -> None:
    made = estimate_trends(*world(), TrendOptions(draws=20, permutations=19, window=3))
    tables = {"trends.csv": made.trends, "tests.csv": made.tests, "events.csv": made.events}
    for name, frame in tables.items():
        write_frame(frame, tmp_path / name)
    content = json.loads(write_dictionary(tables, tmp_path).read_text(encoding="utf-8"))
    checked = 0
    for name in tables:
        fields = fields_of(content, name)
        with (tmp_path / name).open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                assert list(row) == list(fields)
                wrong = {key: value for key, value in row.items() if not fits(value, fields[key])}
                assert wrong == {}, name
                checked += 1
    assert checked > 100


@pytest.mark.parametrize(
    ("name", "value"),
    [("status", "fine"), ("n_labelled", "-1"), ("p_value", "1.2"), ("period_start", "May"), ("estimate", "high")],
)
def test_the_check_above_can_fail(name: str, value: str) -> None:
    assert not fits(value, described(name).field())


def test_the_markdown_table_has_a_line_a_column() -> None:
    lines = markdown_table(schema.TREND_COLUMNS).splitlines()
    assert len(lines) == len(schema.TREND_COLUMNS) + 2
    assert all(len(line.replace("\\|", "").split("|")) == 5 for line in lines)
    assert "| `n_eff` | number | " in "\n".join(lines)


def test_the_readme_shows_the_dictionary() -> None:
    text = README.read_text(encoding="utf-8")
    shown = text.split(BEGIN)[1].split(END)[0].strip()
    assert shown == markdown_table(schema.TREND_COLUMNS).strip(), "paste markdown_table(TREND_COLUMNS) there"
