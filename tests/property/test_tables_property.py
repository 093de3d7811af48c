"""Whatever text comes: tables read back as written, and sentences cover it in order."""

import contextlib
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.classify.language import LANGUAGES, guess_language
from pipeline.classify.segment import sentence_spans
from pipeline.schema import Statement
from pipeline.tables import open_table_writer, read_statements, spreadsheet_safe
from pipeline.tables.reading import unguarded

TRICKY = st.text(alphabet="=+-@'\t\r\n\",; ab\ufeff\x00Я港😀", min_size=1, max_size=12)
CELLS = st.one_of(st.text(max_size=30), TRICKY)
TEXTS = CELLS.filter(str.strip)
SENTENCES = st.one_of(
    st.text(max_size=80),
    st.text(alphabet="aA1.!?…。！？”’»\"') \n—-,Яя港😀", max_size=60),
    st.lists(
        st.sampled_from(["No.", "Art.", "5", "См.", "ст.", "J.", "Harbour", "港口", "。”", "U.S.", "\n\n"]),
        max_size=12,
    ).map(" ".join),
)


@contextlib.contextmanager
def temporary(name: str):
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / name


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(TEXTS, CELLS), max_size=6))
@example([("'=1", "''=1"), ("a\rb", "\r")])
@example([("x", "=cmd|' /C calc'!A0")])
def test_statements_written_as_csv_or_jsonl_read_back_as_they_were(rows):
    columns = ("statement_id", "text", "speaker")
    given_rows = [{"statement_id": f"-{n}", "text": text, "speaker": name} for n, (text, name) in enumerate(rows)]
    expected = [Statement(**row) for row in given_rows]
    for kind in ("csv", "jsonl"):
        with temporary(f"out.{kind}") as path:
            with open_table_writer(columns, kind, path) as write:
                write(given_rows)
            assert list(read_statements(path)) == expected


@settings(max_examples=300, deadline=None)
@given(CELLS)
def test_a_guarded_cell_never_starts_a_formula_and_unguards_to_itself(cell):
    safe = spreadsheet_safe(cell)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded(safe) == cell


@settings(max_examples=250, deadline=None)
@given(SENTENCES, st.sampled_from(["", *LANGUAGES, "fr"]))
@example("港口开放。”他说。", "zh")
@example("a.\n\nB", "en")
def test_sentences_are_ordered_disjoint_trimmed_and_cover_all_but_white_space(text, lang):
    spans = sentence_spans(text, lang)
    covered = set()
    last = 0
    for start, end in spans:
        assert last <= start < end <= len(text)
        part = text[start:end]
        assert part == part.strip()
        covered.update(range(start, end))
        last = end
    assert {i for i, character in enumerate(text) if not character.isspace()} <= covered


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_the_language_is_one_of_three_and_does_not_depend_on_order(text):
    assert guess_language(text) in LANGUAGES
    assert guess_language(text) == guess_language(text[::-1])
