"""From a raw page to statements in the store: read it, give ids, find duplicates, write all in one step."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from pipeline.ingest import dedup
from pipeline.ingest.pages import Extracted, RawPage
from pipeline.ingest.sources import Source
from pipeline.schema import Statement
from pipeline.store.derived import (
    Candidate,
    Counts,
    Decision,
    Fingerprint,
    Reading,
    replace_statements,
    write_reading,
)

Extractor: TypeAlias = Callable[[RawPage, Source], Extracted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A page that was read, ready to be written: its reading, statements and links."""

    page: RawPage
    extracted: Extracted
    reading: Reading
    statements: tuple[tuple[Statement, Fingerprint], ...]
    translations: tuple[str, ...]


def read_page(page: RawPage, source: Source, *, extract: Extractor) -> Read:
    """Extract a page and give its statements their ids and fingerprints; nothing is stored yet."""
    extracted = extract(page, source)
    document = extracted.document
    doc_id = document_id(page.url)
    reading = Reading(
        url=page.url, source=page.source, doc_id=doc_id, title=document.title or page.title, date=document.date,
        date_method=document.date_method, lang=document.lang, status=extracted.status, note=extracted.note,
        digest=content_digest(page.content), fetched_at=page.fetched_at.isoformat(timespec="seconds"),
    )  # fmt: skip
    return Read(
        page=page,
        extracted=extracted,
        reading=reading,
        statements=tuple(_identified(extracted.statements, page, reading)),
        translations=(*document.translations, *_twins(source, page.url)),
    )


def document_id(url: str) -> str:
    """Return the id of the document at an address."""
    return f"p{hashlib.sha256(url.encode()).hexdigest()[:14]}"


def content_digest(content: bytes) -> str:
    """Return what tells one version of a page from another."""
    return hashlib.sha256(content).hexdigest()[:24]


def _identified(
    statements: Iterable[Statement], page: RawPage, reading: Reading
) -> Iterable[tuple[Statement, Fingerprint]]:
    seen: Counter[tuple[str, str]] = Counter()
    for given in statements:
        plain = dedup.normalised(given.text)
        placed = replace(
            given, doc_id=reading.doc_id, source=page.source, url=page.url, title=given.title or reading.title
        )
        statement = dedup.identified(placed, plain, occurrence=seen[given.speaker, plain])
        seen[given.speaker, plain] += 1
        yield statement, _fingerprint(statement, plain)


def _fingerprint(statement: Statement, plain: str) -> Fingerprint:
    if not dedup.is_long(plain):
        # A short text is told from others by its id alone, never by its words.
        return Fingerprint(text_hash=statement.statement_id, bands=())
    return Fingerprint(text_hash=dedup.text_hash(plain), bands=dedup.bands(dedup.shingles(plain)))


def _twins(source: Source, url: str) -> list[str]:
    return [url.replace(part, other, 1) for part, other in source.twins if part in url]


def write_page(db: sqlite3.Connection, read: Read, *, now: str) -> Counts:
    """Write a page that was read, in place of what it had before, within the caller's transaction."""
    write_reading(db, read.reading, read.translations)
    return replace_statements(db, read.page.url, read.statements, decide, near_days=dedup.NEAR_DAYS, now=now)


def decide(statement: Statement, candidates: list[Candidate]) -> tuple[Decision, ...]:
    """Say which candidates say the same as a statement, and which of them all is kept: the earliest.

    Of two of one date the one whose country is known is kept, then the verbatim one, then the one held already.
    """
    plain = dedup.normalised(statement.text)
    if not dedup.is_long(plain):
        return ()
    hashed = dedup.shingles(plain)
    alike: list[tuple[Candidate, float]] = []
    for candidate in candidates:
        if not _one_occasion(statement, candidate):
            continue
        likeness = 1.0
        if candidate.text_hash != dedup.text_hash(plain):
            other = dedup.normalised(candidate.text)
            if dedup.numbers(other) != dedup.numbers(plain):
                continue  # "article 4" and "article 5" are two statements, however alike
            likeness = dedup.similarity(hashed, dedup.shingles(other))
        if likeness >= dedup.SIMILAR:
            alike.append((candidate, likeness))
    if not alike:
        return ()
    first, likeness = min(alike, key=_rank_of_pair)
    if _rank(first) <= _rank(statement):
        return (_decision(statement.statement_id, first.statement_id, first, likeness, plain),)
    return tuple(
        _decision(other.statement_id, statement.statement_id, other, likeness, plain) for other, likeness in alike
    )


def _one_occasion(statement: Statement, candidate: Candidate) -> bool:
    """Say whether two statements may be one that was made once.

    They may not where their countries differ, nor where one site dates them to two days: there the same words
    were said twice. Mirrors date what they take over by a day or more later.
    """
    if statement.country and candidate.country and statement.country != candidate.country:
        return False
    dated = bool(statement.date and candidate.date)
    return not (dated and statement.source == candidate.source and statement.date != candidate.date)


def _rank(one: Statement | Candidate) -> tuple[str, bool, bool]:
    return (one.date or "9999", not one.country, one.provenance != "verbatim")


def _rank_of_pair(pair: tuple[Candidate, float]) -> tuple[tuple[str, bool, bool], str]:
    return (_rank(pair[0]), pair[0].statement_id)


def _decision(duplicate: str, kept: str, other: Candidate, likeness: float, plain: str) -> Decision:
    same = other.text_hash == dedup.text_hash(plain)
    return Decision(
        duplicate_id=duplicate, kept_id=kept, kind="exact" if same else "near", similarity=round(likeness, 4)
    )
