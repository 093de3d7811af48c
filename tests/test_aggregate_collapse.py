"""Counting tags down: the analysis of the counts is the analysis of the tags."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.aggregate import TrendOptions, estimate_trends
from pipeline.aggregate.collapse import COUNT, collapse, collapse_folder
from pipeline.errors import DataError
from tests.bench.aggregate_scaling import make_inputs


@pytest.fixture(scope="module")
def inputs():
    """Return 1,200 statements in documents of twelve (some of none), 150 of them labelled, speakers, two targets."""
    tags, labels, events = make_inputs(6_000, seed=3)
    kept = tags["target"].isin(["t0", "t1"])
    number = tags["statement_id"].str[1:].astype(int)
    tags = tags.assign(
        doc_id=("d" + (number // 12).astype(str)).where(number % 50 != 7, ""),
        speaker=np.array(["Vell", "Brandt", ""], dtype=object)[number % 3],
        date=np.array([f"{2019 + m // 12}-{m % 12 + 1:02d}-1{m % 9}" for m in range(60)], dtype=object)[
            number // 12 % 60
        ],
        country=np.array(["CHN", "RUS"], dtype=object)[number // 12 % 2],
        joint=number % 40 == 0,
        model_id="m/1",
        p_favor=0.25,
    )
    labelled = labels["target"].isin(["t0", "t1"]) & (labels["statement_id"].str[1:].astype(int) % 4 == 0)
    return tags[kept].reset_index(drop=True), labels[labelled].reset_index(drop=True), events.head(2)


@pytest.fixture
def folder(inputs, tmp_path):
    """Write the tags as two files in row groups of 500."""
    tags = inputs[0]
    (tmp_path / "tags").mkdir()
    for number, part in enumerate((tags.iloc[:1_300], tags.iloc[1_300:])):
        table = pa.Table.from_pandas(part, preserve_index=False)
        pq.write_table(table, tmp_path / "tags" / f"part-{number}.parquet", row_group_size=500)
    return tmp_path / "tags"


def test_an_analysis_of_the_counts_is_that_of_the_tags(inputs, folder):
    tags, labels, events = inputs
    options = TrendOptions(draws=20, permutations=49)
    counted = collapse_folder(folder, set(labels["statement_id"]))
    assert len(counted) < 0.8 * len(tags)
    assert counted[COUNT].sum() == len(tags)
    whole = estimate_trends(tags, labels, events, options)
    small = estimate_trends(counted, labels, events, options)
    assert whole.trends["run_id"].iloc[0] == small.trends["run_id"].iloc[0]
    for name in ("trends", "tests", "influence", "labelling"):
        pd.testing.assert_frame_equal(getattr(whole, name), getattr(small, name), rtol=1e-8, atol=1e-10)


def test_without_labels_too_and_for_a_choice_of_speakers(inputs, folder):
    tags, labels, events = inputs
    options = TrendOptions(draws=20, permutations=19, speakers=("Vell",), joint="out")
    whole = estimate_trends(tags, labels.head(0), events, options)
    small = estimate_trends(collapse_folder(folder), labels.head(0), events, options)
    pd.testing.assert_frame_equal(whole.trends, small.trends, rtol=1e-8, atol=1e-10)
    assert whole.trends["n_statements"].sum() > 0


def test_how_tags_are_cut_into_parts_changes_nothing(inputs, folder):
    tags, labels, _ = inputs
    ids = set(labels["statement_id"])
    one = collapse(tags, ids)
    many = collapse_folder(folder, ids)
    pd.testing.assert_frame_equal(
        one.drop(columns="statement_id"), many.drop(columns="statement_id"), check_dtype=False
    )
    assert set(one["statement_id"]) - {""} == {name for name in many["statement_id"] if name[0] != "\x00"}
    assert many["statement_id"].is_unique or not many.duplicated(["statement_id", "target"]).any()


def test_labelled_statements_and_those_of_no_document_keep_their_rows():
    tags = pd.DataFrame({
        "statement_id": list("abcdef"), "doc_id": ["d", "d", "d", "", None, "d"], "date": "2030-01-01",
        "country": "ARD", "target": "harbour", "stance": ["favor"] * 5 + ["none"],
    })  # fmt: skip
    counted = collapse(tags, {"a"})
    assert sorted(zip(counted["statement_id"], counted["stance"], counted[COUNT], strict=True)) == [
        ("", "favor", 2), ("", "none", 1), ("a", "favor", 1), ("d", "favor", 1), ("e", "favor", 1),
    ]  # fmt: skip


def test_a_statement_that_is_tagged_twice_is_named():
    tags = pd.DataFrame({
        "statement_id": ["a", "a"], "doc_id": "d", "date": "", "country": "", "target": "t", "stance": "none",
    })  # fmt: skip
    with pytest.raises(DataError, match="statement 'a' has two tags for target 't'"):
        collapse(tags)
    with pytest.raises(DataError, match="missing column stance"):
        collapse(tags.drop(columns="stance"))


def test_a_labelled_statement_that_is_tagged_in_two_parts_is_named(folder, inputs):
    first = pq.read_table(folder / "part-0.parquet").slice(0, 1)
    pq.write_table(first, folder / "part-2.parquet")
    with pytest.raises(DataError, match="is tagged twice"):
        collapse_folder(folder, {first["statement_id"][0].as_py()})


def test_a_folder_that_is_no_folder_of_tags_is_named(tmp_path):
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r"x\.parquet: missing column statement_id, doc_id"):
        collapse_folder(tmp_path)
