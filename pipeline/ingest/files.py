"""Load the bundled corpus and files of statements (CSV, JSONL, Parquet, text) into the store."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pipeline.classify.language import detect_language
from pipeline.config import load_actors, load_targets
from pipeline.corpus import DOCUMENTED_SOURCE, documented_labels, documented_statements, load_documented
from pipeline.errors import DataError
from pipeline.ingest.crawl import Span
from pipeline.ingest.summary import Summary
from pipeline.schema import PROVENANCES, Statement
from pipeline.store import Store
from pipeline.tables import read_statements


def ingest_corpus(store: Store, *, folder: Path | None = None, dry_run: bool = False) -> Summary:
    """Load the bundled documented statements and their adjudicated labels; loading twice changes nothing.

    A statement that the corpus no longer holds is retired: kept, and left out of every reading.
    """
    rows = load_documented(folder)
    if dry_run:
        return Summary(source=DOCUMENTED_SOURCE, found=len(rows))
    loaded = store.add_statements(documented_statements(rows), complete_source=DOCUMENTED_SOURCE)
    version = load_targets(folder).codebook_version
    store.add_labels(documented_labels(rows), coder="adjudicated", codebook_version=version)
    return Summary(
        source=DOCUMENTED_SOURCE, found=len(rows), new=loaded.new + loaded.changed, unchanged=loaded.unchanged
    )


def ingest_file(
    store: Store,
    path: Path,
    *,
    span: Span | None = None,
    columns: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> Summary:
    """Load a file or folder of statements; the columns are those of `stance statements`, `text` required.

    Parameters
    ----------
    store : Store
    path : Path
    span : Span, optional
        Only statements within these dates, and at most so many.
    columns : mapping, optional
        Our column names to those of the file, where they differ.
    dry_run : bool
        Read and check only.

    Raises
    ------
    DataError
        Naming the row whose date, country or provenance is not valid; nothing of the file is kept then.
    """
    unique, found = _unique(path, span or Span(), columns or {})
    if dry_run:
        return Summary(source=str(path), found=found, duplicate=found - len(unique))
    loaded = store.add_statements(unique.values())
    return Summary(
        source=str(path), found=found, new=loaded.new + loaded.changed, unchanged=loaded.unchanged,
        duplicate=found - len(unique),
    )  # fmt: skip


def _unique(
    path: Path, span: Span, columns: Mapping[str, str]
) -> tuple[dict[tuple[str, str, str], Statement], int]:
    """Return a file's statements by speaker, date and text, and how many of its rows are asked for."""
    unique: dict[tuple[str, str, str], Statement] = {}
    found = 0
    for statement in _completed(path, columns):
        if not span.holds(statement.date):
            continue
        if span.limit is not None and len(unique) >= span.limit:
            break
        found += 1
        unique.setdefault((statement.speaker, statement.date, statement.text), statement)
    return unique, found


def _completed(path: Path, columns: Mapping[str, str]) -> Iterator[Statement]:
    """Read statements and fill what can be known: id and document from the content, language, source."""
    known = load_actors().ids
    for row, given in enumerate(read_statements(path, columns=columns), start=1):
        problem = _problem(given, known)
        if problem:
            raise DataError(f"{path}, row {row} ({given.statement_id}): {problem}")
        content = "|".join([given.url, given.date, given.speaker, given.text])
        digest = hashlib.sha256(content.encode()).hexdigest()[:10]
        yield replace(
            given,
            statement_id=f"f{digest}" if given.statement_id.startswith("row") else given.statement_id,
            doc_id=given.doc_id or (f"d{_hash(given.url + given.date)}" if given.url else f"d{digest}"),
            date_method=given.date_method or ("given" if given.date else ""),
            lang=given.lang or detect_language(given.text),
            source=given.source or path.name,
        )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _problem(statement: Statement, actors: tuple[str, ...]) -> str:
    if statement.date:
        try:
            dt.date.fromisoformat(statement.date)
        except ValueError:
            return f"date {statement.date!r} is not a date; write YYYY-MM-DD."
    if statement.country and statement.country not in actors:
        return f"unknown country {statement.country!r}; known: {', '.join(actors)} (add others to actors.toml)."
    if statement.provenance and statement.provenance not in PROVENANCES:
        return f"unknown provenance {statement.provenance!r}; accepted: {', '.join(PROVENANCES)}."
    return ""
