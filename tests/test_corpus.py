"""The bundled data's reader: what it refuses and with which line, and what it turns rows into."""

import json

import pytest

from pipeline.config import load_targets
from pipeline.corpus import (
    documented_labels,
    documented_statements,
    evaluation_hash,
    load_authored,
    load_documented,
    text_key,
    validate_corpus,
)
from pipeline.errors import DataError, UsageError
from pipeline.schema import Label
from tests.conftest import authored_row, documented_row, record_id, single_coded_row, write_jsonl

DOCUMENTED = "documented/statements.jsonl"
AUTHORED = "authored/passages_en.jsonl"


def test_rows_are_counted_per_file(tiny_corpus):
    assert validate_corpus(tiny_corpus) == {DOCUMENTED: 38, AUTHORED: 10}


def test_absent_codings_are_empty(tiny_corpus):
    rows = load_documented(tiny_corpus)
    assert len(rows) == 38
    assert rows[5]["labels"] == {"harbour": "neutral", "railway": "neutral"}
    assert rows[5]["coding_2"] == {"harbour": "neutral", "railway": "neutral"}
    assert rows[32]["speaker"] == "Osk Brandt"
    assert not any((rows[32]["labels"] or {}).values())
    assert rows[32]["coding_1"] == {"harbour": "favor", "railway": "against"}
    assert rows[0]["joint"] is False


def test_authored_rows_are_loaded_from_every_language_file(corpus_folder):
    write_jsonl(
        corpus_folder / "authored" / "passages_zh.jsonl", [authored_row(99, lang="zh", text="港口很好。。")]
    )
    write_jsonl(corpus_folder / "authored" / "notes.jsonl", [{"not": "read"}])
    rows = load_authored(corpus_folder)
    assert [row["lang"] for row in rows] == ["en"] * 10 + ["zh"]
    assert rows[10]["text"] == "港口很好。。"
    assert validate_corpus(corpus_folder)["authored/passages_zh.jsonl"] == 1


def test_a_corpus_without_authored_passages_loads_none(corpus_folder):
    (corpus_folder / AUTHORED).unlink()
    assert len(load_authored(corpus_folder)) == 0
    columns = ["passage_id", "lang", "text", "labels", "coding_1", "coding_2"]
    assert load_authored(corpus_folder).column_names == columns


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"statement_id": "x0123456789"}, "statement_id"),
        ({"statement_id": "s012345678"}, "statement_id"),
        ({"statement_id": "s0123456789a"}, "statement_id"),
        ({"date": "2030-02-30"}, "date"),
        ({"date_precision": "year"}, "date_precision"),
        ({"speaker": ""}, "speaker"),
        ({"country": "XXX"}, "country: Value error, unknown actor 'XXX'; add it to actors.toml"),
        ({"source_url": "ftp://example.org"}, "source_url"),
        ({"source_url": "https://example.org/a b"}, "source_url"),
        ({"text": "Nineteen letters .."}, "text"),
        ({"text": "She said “the harbour is open” to all."}, "text: Value error, a paraphrase holds no quotation"),
        ({"text": 'She said "the harbour is open" to all.'}, "text: Value error, a paraphrase holds no quotation"),
        ({"text": "Она сказала, что «гавань открыта» для всех."}, "text: Value error, a paraphrase holds no quot"),
        ({"text": "部长说「港口已经开放」欢迎所有的船只进入，并支持它们到来。"}, "text: Value error, a paraphrase"),
        ({"lang": "fr"}, "lang"),
        ({"provenance": "verbatim"}, "provenance"),
        ({"labels": {"harbour": "favor"}}, "labels: Value error, stances must be given for exactly the targets"),
        ({"labels": {"harbour": "favor", "railway": "maybe"}}, "labels.railway"),
        (
            {"coding_1": {"harbour": "favor", "railway": "none", "moon": "none"}},
            "coding_1: Value error, .* see moon",
        ),
        ({"verified": {"on": "soon", "second_url": "https://example.org", "mended": ""}}, "verified.on"),
        ({"verified": {"on": "2031-01-01", "second_url": "a page", "mended": ""}}, "verified.second_url"),
        ({"colour": "blue"}, "colour: Extra inputs are not permitted"),
    ],
)
def test_a_row_that_is_wrong_is_named_by_file_line_and_field(corpus_folder, changes, field):
    write_jsonl(corpus_folder / DOCUMENTED, [documented_row(0), documented_row(1), documented_row(2, **changes)])
    with pytest.raises(DataError, match=rf"statements\.jsonl, line 3: {field}.*Mend that line\.$"):
        load_documented(corpus_folder)


def test_a_text_of_twenty_characters_is_long_enough(corpus_folder):
    write_jsonl(corpus_folder / DOCUMENTED, [documented_row(0, text="Just twenty letters.")])
    assert load_documented(corpus_folder)[0]["text"] == "Just twenty letters."


def test_a_missing_first_coding_is_refused(corpus_folder):
    row = single_coded_row(1)
    del row["coding_1"]
    write_jsonl(corpus_folder / DOCUMENTED, [row])
    with pytest.raises(DataError, match=r"statements\.jsonl, line 1: coding_1: Field required"):
        load_documented(corpus_folder)


def test_a_line_that_is_not_json_is_named(corpus_folder):
    with (corpus_folder / DOCUMENTED).open("a") as stream:
        stream.write("{broken\n")
    with pytest.raises(DataError, match=r"statements\.jsonl, line 39: line: Invalid JSON"):
        validate_corpus(corpus_folder)


def test_a_line_that_is_not_utf8_is_named(corpus_folder):
    with (corpus_folder / DOCUMENTED).open("ab") as stream:
        stream.write(b'{"statement_id": "\xff"}\n')
    with pytest.raises(DataError, match=r"statements\.jsonl, line 39: line: .*unicode"):
        load_documented(corpus_folder)


def test_an_id_given_twice_names_both_lines(corpus_folder):
    write_jsonl(corpus_folder / DOCUMENTED, [documented_row(0), documented_row(1), documented_row(0)])
    with pytest.raises(DataError, match=rf"line 3: id {record_id('s', 0)} was given on line 1 too\.$"):
        load_documented(corpus_folder)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"passage_id": "s0123456789"}, "passage_id"),
        ({"text": "Four"}, "text"),
        ({"lang": "de"}, "lang"),
        ({"labels": {"harbour": "favor"}}, "labels"),
        ({"speaker": "Anna Vell"}, "speaker"),
    ],
)
def test_an_authored_passage_that_is_wrong_is_named(corpus_folder, changes, field):
    write_jsonl(corpus_folder / AUTHORED, [authored_row(0), authored_row(1, **changes)])
    with pytest.raises(DataError, match=rf"passages_en\.jsonl, line 2: {field}"):
        load_authored(corpus_folder)
    with pytest.raises(DataError, match=rf"passages_en\.jsonl, line 2: {field}"):
        validate_corpus(corpus_folder)


def test_a_folder_that_is_no_corpus_is_wrong_use(corpus_folder):
    (corpus_folder / DOCUMENTED).unlink()
    with pytest.raises(UsageError, match=r"no bundled corpus in .*STANCE_CORPUS must name"):
        load_documented(corpus_folder)


def test_the_folder_comes_from_the_environment(monkeypatch, tiny_corpus):
    monkeypatch.setenv("STANCE_CORPUS", str(tiny_corpus))
    assert len(load_documented()) == 38
    assert len(load_authored()) == 10
    assert sum(validate_corpus().values()) == 48
    assert evaluation_hash() == evaluation_hash(tiny_corpus)


def test_a_row_becomes_a_statement_with_its_source_and_precision(corpus_folder):
    rows = [documented_row(0, date_precision="month", joint=True)]
    write_jsonl(corpus_folder / DOCUMENTED, rows)
    statement = next(documented_statements(load_documented(corpus_folder)))
    expected = {
        "statement_id": rows[0]["statement_id"],
        "text": rows[0]["text"],
        "date": "2030-01-01",
        "date_method": "month",
        "speaker": "Anna Vell",
        "role": "Foreign Minister",
        "country": "ARD",
        "venue": "Council hall",
        "lang": "en",
        "source": "corpus",
        "url": "https://example.org/page/0",
        "title": "Ardland Courier",
        "provenance": "paraphrase",
        "joint": True,
    }
    assert {key: getattr(statement, key) for key in expected} == expected


def test_one_page_on_one_date_is_one_document(corpus_folder):
    page = {"source_url": "https://example.org/same", "date": "2030-01-01"}
    rows = [
        documented_row(0, **page),
        documented_row(1, **page),
        documented_row(2, **{**page, "date": "2030-01-02"}),
        documented_row(3, **{**page, "source_url": "https://example.org/other"}),
    ]
    write_jsonl(corpus_folder / DOCUMENTED, rows)
    ids = [statement.doc_id for statement in documented_statements(load_documented(corpus_folder))]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert all(len(doc_id) == 11 and doc_id[0] == "d" for doc_id in ids)


def test_only_adjudicated_rows_give_labels(tiny_corpus):
    labels = list(documented_labels(load_documented(tiny_corpus)))
    assert len(labels) == 64
    assert labels[:2] == [
        Label(statement_id=record_id("s", 0), target="harbour", stance="favor", sampling_prob=1.0),
        Label(statement_id=record_id("s", 0), target="railway", stance="favor", sampling_prob=1.0),
    ]
    assert {label.statement_id for label in labels} == {record_id("s", n) for n in range(32)}


@pytest.mark.parametrize("same", ["the harbour is open", "The  HARBOUR\n is open ", "\tthe harbour is\u00a0open"])
def test_texts_equal_up_to_case_and_white_space_share_a_key(same):
    assert text_key(same) == text_key("The harbour is open")


@pytest.mark.parametrize("other", ["The harbour is open.", "Theharbour is open", "The harbour is opén", ""])
def test_other_texts_have_other_keys(other):
    assert text_key(other) != text_key("The harbour is open")
    assert len(text_key(other)) == 16


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Another text of sufficient length."},
        {"date": "2030-03-03"},
        {"labels": {"harbour": "none", "railway": "favor"}},
        {"statement_id": record_id("s", 77)},
    ],
)
def test_the_evaluation_hash_changes_with_what_is_measured_on(corpus_folder, change):
    before = evaluation_hash(corpus_folder)
    rows = [documented_row(0, **change), *(documented_row(n) for n in range(1, 32))]
    write_jsonl(corpus_folder / DOCUMENTED, rows)
    assert evaluation_hash(corpus_folder) != before


def test_the_evaluation_hash_ignores_order_and_fields_that_are_not_measured_on(corpus_folder):
    before = evaluation_hash(corpus_folder)
    rows = [documented_row(n, speaker="Osk Brandt", venue="Elsewhere") for n in reversed(range(32))]
    write_jsonl(corpus_folder / DOCUMENTED, rows)
    assert evaluation_hash(corpus_folder) == before
    assert len(before) == 16


def test_non_ascii_text_survives_loading(corpus_folder):
    text = "Гавань открыта 😀 для всех, 港口开放, naïve."
    write_jsonl(corpus_folder / DOCUMENTED, [documented_row(0, text=text, lang="ru")])
    assert load_documented(corpus_folder)[0]["text"] == text
    assert json.loads((corpus_folder / DOCUMENTED).read_text(encoding="utf-8").splitlines()[0])["text"] == text


NEW_TARGET = """
[[target]]
id = "lighthouse"
label = "The lighthouse"
coded = false
proposition = "The lighthouse should be lit."
favor = "Lights it."
against = "Puts it out."
neutral = "Names it."
none = "Not named."

[target.cues]
en = ["lighthouse"]
"""


def test_a_target_that_the_bundle_is_not_coded_on_can_be_added(corpus_folder):
    path = corpus_folder / "targets.toml"
    path.write_text(path.read_text() + NEW_TARGET)
    assert load_targets(corpus_folder).ids == ("harbour", "railway", "lighthouse")
    assert load_targets(corpus_folder).coded == ("harbour", "railway")
    assert sum(validate_corpus(corpus_folder).values()) == 48
    assert load_documented(corpus_folder)[0]["labels"]["lighthouse"] is None
    labels = list(documented_labels(load_documented(corpus_folder)))
    assert {label.target for label in labels} == {"harbour", "railway"}


def test_a_target_that_is_said_to_be_coded_must_be(corpus_folder):
    path = corpus_folder / "targets.toml"
    path.write_text(path.read_text() + NEW_TARGET.replace("coded = false\n", ""))
    with pytest.raises(DataError, match=r"exactly the targets of targets\.toml; see lighthouse"):
        validate_corpus(corpus_folder)
