"""What is derived from raw pages: readings, statements with their locations, duplicates, translations.

Functions that take a connection work within the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipeline.schema import Statement
from pipeline.store import Store

_FIELDS = (
    "statement_id", "doc_id", "date", "date_method", "speaker", "role", "country", "venue", "lang", "text",
    "provenance", "joint", "context", "attribution",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one page was read; `digest` is of its raw content."""

    url: str
    source: str
    doc_id: str
    title: str
    date: str
    date_method: str
    lang: str
    status: str
    note: str
    digest: str
    fetched_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What finds a statement's duplicates: the hash of its normalised text and its MinHash bands."""

    text_hash: str
    bands: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A statement that another may be a duplicate of."""

    statement_id: str
    doc_id: str
    source: str
    date: str
    speaker: str
    country: str
    provenance: str
    text: str
    text_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """That one statement says what another says."""

    duplicate_id: str
    kept_id: str
    kind: Literal["exact", "near"]
    similarity: float


Decider: TypeAlias = Callable[[Statement, list[Candidate]], tuple[Decision, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What one page gave, in statements."""

    new: int = 0
    unchanged: int = 0
    duplicate: int = 0

    @property
    def found(self) -> int:
        """All of them."""
        return self.new + self.unchanged + self.duplicate


def is_unchanged(store: Store, url: str, digest: str) -> bool:
    """Say whether a page was read before from the same bytes."""
    return bool(store.rows("SELECT 1 FROM readings WHERE url = ? AND digest = ?", (url, digest)))


def is_read(store: Store, url: str) -> bool:
    """Say whether a page was read before."""
    return bool(store.rows("SELECT 1 FROM readings WHERE url = ?", (url,)))


def held(store: Store, urls: Iterable[str]) -> int:
    """Return how many statements stand at these addresses."""
    return sum(store.rows("SELECT count(*) FROM locations WHERE url = ?", (url,))[0][0] for url in urls)


def write_reading(db: sqlite3.Connection, reading: Reading, translations: Iterable[str]) -> None:
    """Note how a page was read, and the addresses of its translations, in place of what was noted before."""
    values = (
        reading.url, reading.source, reading.doc_id, reading.title, reading.date, reading.date_method,
        reading.lang, reading.status, reading.note, reading.digest, reading.fetched_at,
    )  # fmt: skip
    db.execute(f"INSERT OR REPLACE INTO readings VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608
    db.execute("DELETE FROM translations WHERE url = ?", (reading.url,))
    db.executemany(
        "INSERT OR IGNORE INTO translations VALUES (?, ?)",
        [(reading.url, other) for other in translations if other != reading.url],
    )


def replace_statements(
    db: sqlite3.Connection,
    url: str,
    statements: Sequence[tuple[Statement, Fingerprint]],
    decide: Decider,
    *,
    near_days: int,
    now: str,
) -> Counts:
    """Put a page's statements in place of those that it had.

    Parameters
    ----------
    db : sqlite3.Connection
        Within a transaction.
    url : str
        The page's address.
    statements : sequence of (Statement, Fingerprint)
        In the order of the page.
    decide : callable
        Says of a new statement and its candidates which duplicates which; nothing when it is one of its own.
    near_days : int
        How many days apart candidates may be dated.
    now : str
        ISO 8601.
    """
    before = {i for (i,) in db.execute("SELECT statement_id FROM locations WHERE url = ?", (url,))}
    db.execute("DELETE FROM locations WHERE url = ?", (url,))
    kinds = {"new": 0, "unchanged": 0, "duplicate": 0}
    for position, (statement, fingerprint) in enumerate(statements):
        kind = _place(db, statement, fingerprint, decide, near_days=near_days, now=now)
        db.execute("INSERT INTO locations VALUES (?, ?, ?)", (url, position, statement.statement_id))
        kinds["unchanged" if statement.statement_id in before else kind] += 1
    for gone in sorted(before - {statement.statement_id for statement, _ in statements}):
        if not db.execute("SELECT 1 FROM locations WHERE statement_id = ?", (gone,)).fetchone():
            _withdraw(db, gone)
    return Counts(**kinds)


def _place(
    db: sqlite3.Connection,
    statement: Statement,
    fingerprint: Fingerprint,
    decide: Decider,
    *,
    near_days: int,
    now: str,
) -> Literal["new", "duplicate"]:
    stored = db.execute(
        "SELECT s.doc_id, s.retired, d.duplicate_id IS NOT NULL FROM statements s "
        "LEFT JOIN duplicates d ON d.duplicate_id = s.statement_id WHERE s.statement_id = ?",
        (statement.statement_id,),
    ).fetchone()
    if stored is not None:
        doc_id, retired, is_duplicate = stored
        elsewhere = db.execute(
            "SELECT 1 FROM locations WHERE statement_id = ?", (statement.statement_id,)
        ).fetchone()
        if doc_id == statement.doc_id or not elsewhere:
            _write(db, statement, retired=bool(is_duplicate))
        if not retired or is_duplicate:
            return "duplicate" if elsewhere or is_duplicate else "new"
    else:
        _write(db, statement, retired=False)
    _write_fingerprint(db, statement.statement_id, fingerprint)
    made = decide(statement, _candidates(db, statement, fingerprint, near_days))
    for decision in made:
        _merge(db, decision, now)
    return "duplicate" if made else "new"


def _write(db: sqlite3.Connection, statement: Statement, *, retired: bool) -> None:
    db.execute(
        "INSERT INTO documents (doc_id, source, url, title) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET url = excluded.url, title = excluded.title",
        (statement.doc_id, statement.source, statement.url, statement.title),
    )
    columns = ", ".join(_FIELDS)
    marks = ", ".join("?" * (len(_FIELDS) + 1))
    updates = ", ".join(f"{name} = excluded.{name}" for name in (*_FIELDS[1:], "retired"))
    values = [getattr(statement, name) for name in _FIELDS]
    # Tags hold offsets into the text, which may change in spelling while it stays the same statement.
    db.execute(
        "DELETE FROM tags WHERE statement_id = ? AND EXISTS "
        "(SELECT 1 FROM statements WHERE statement_id = ? AND text <> ?)",
        (statement.statement_id, statement.statement_id, statement.text),
    )
    db.execute(
        f"INSERT INTO statements ({columns}, retired) VALUES ({marks}) "  # noqa: S608 - fixed names
        f"ON CONFLICT DO UPDATE SET {updates}",
        (*values, int(retired)),
    )


def _write_fingerprint(db: sqlite3.Connection, statement_id: str, fingerprint: Fingerprint) -> None:
    db.execute("INSERT OR REPLACE INTO fingerprints VALUES (?, ?)", (statement_id, fingerprint.text_hash))
    db.executemany(
        "INSERT OR IGNORE INTO bands VALUES (?, ?)", [(band, statement_id) for band in fingerprint.bands]
    )


def _candidates(
    db: sqlite3.Connection, statement: Statement, fingerprint: Fingerprint, near_days: int
) -> list[Candidate]:
    """Return the kept statements of other pages that may say the same: same language, date and country near."""
    marks = ", ".join("?" * len(fingerprint.bands))
    found = db.execute(
        "SELECT s.statement_id, s.doc_id, d.source, s.date, s.speaker, s.country, s.provenance, s.text, "  # noqa: S608
        "f.text_hash FROM statements s JOIN fingerprints f USING (statement_id) "
        "JOIN documents d ON d.doc_id = s.doc_id WHERE s.retired = 0 AND s.statement_id IN "
        "(SELECT statement_id FROM fingerprints WHERE text_hash = ? "
        f"UNION SELECT statement_id FROM bands WHERE band IN ({marks})) "
        "AND s.lang = ? AND s.statement_id <> ? AND s.doc_id <> ? "
        "AND (s.country = ? OR s.country = '' OR ? = '') ORDER BY s.date, s.statement_id",
        (
            fingerprint.text_hash, *fingerprint.bands, statement.lang, statement.statement_id, statement.doc_id,
            statement.country, statement.country,
        ),
    )  # fmt: skip
    names = tuple(Candidate.__dataclass_fields__)
    rows = [Candidate(**dict(zip(names, row, strict=True))) for row in found]
    return [row for row in rows if _near(row.date, statement.date, near_days)]


def _near(left: str, right: str, days: int) -> bool:
    if not left or not right:
        return True
    return abs((dt.date.fromisoformat(left) - dt.date.fromisoformat(right)).days) <= days


def _merge(db: sqlite3.Connection, decision: Decision, now: str) -> None:
    """Retire the duplicate; what was a duplicate of it is now one of what is kept."""
    duplicate, kept = decision.duplicate_id, decision.kept_id
    db.execute("UPDATE statements SET retired = 1 WHERE statement_id = ?", (duplicate,))
    db.execute("UPDATE duplicates SET kept_id = ? WHERE kept_id = ?", (kept, duplicate))
    db.execute(
        "INSERT OR REPLACE INTO duplicates VALUES (?, ?, ?, ?, ?)",
        (duplicate, kept, decision.kind, decision.similarity, now),
    )


def _withdraw(db: sqlite3.Connection, statement_id: str) -> None:
    """Retire a statement that stands nowhere any more; the earliest of its duplicates takes its place."""
    db.execute("UPDATE statements SET retired = 1 WHERE statement_id = ?", (statement_id,))
    db.execute("DELETE FROM duplicates WHERE duplicate_id = ?", (statement_id,))
    heir = db.execute(
        "SELECT d.duplicate_id FROM duplicates d JOIN statements s ON s.statement_id = d.duplicate_id "
        "WHERE d.kept_id = ? ORDER BY s.date, s.statement_id LIMIT 1",
        (statement_id,),
    ).fetchone()
    if heir is None:
        return
    db.execute("DELETE FROM duplicates WHERE duplicate_id = ?", heir)
    db.execute("UPDATE duplicates SET kept_id = ? WHERE kept_id = ?", (heir[0], statement_id))
    db.execute("UPDATE statements SET retired = 0 WHERE statement_id = ?", heir)


def forget_derived(db: sqlite3.Connection) -> None:
    """Forget all that is derived from raw pages, before it is derived anew; tags and labels stay."""
    db.execute("UPDATE statements SET retired = 1 WHERE statement_id IN (SELECT statement_id FROM fingerprints)")
    for table in ("locations", "duplicates", "readings", "translations", "fingerprints", "bands"):
        db.execute(f"DELETE FROM {table}")  # noqa: S608 - fixed names


def decisions(store: Store) -> Iterator[dict[str, object]]:
    """Yield every decision about sameness, in order of the statement or page that is kept.

    `kind` is `address` (the same statement stands at another address too), `exact` or `near` (another page's
    statement says the same and is left out), or `translation` (linked only).
    """
    columns = ("kind", "kept_id", "kept_url", "other_id", "other_url", "similarity", "decided_at")
    for query in (_SAME, _MERGED, _TRANSLATED):
        for row in store.rows(query):
            yield dict(zip(columns, row, strict=True))


_SAME = """
SELECT 'address', l.statement_id, d.url, l.statement_id, l.url, 1.0, r.fetched_at FROM locations l
JOIN statements s USING (statement_id) JOIN documents d ON d.doc_id = s.doc_id
LEFT JOIN readings r ON r.url = l.url WHERE l.url <> d.url ORDER BY l.statement_id, l.url
"""
_MERGED = """
SELECT p.kind, p.kept_id, k.url, p.duplicate_id, o.url, p.similarity, p.decided_at FROM duplicates p
JOIN statements ks ON ks.statement_id = p.kept_id JOIN documents k ON k.doc_id = ks.doc_id
JOIN statements os ON os.statement_id = p.duplicate_id JOIN documents o ON o.doc_id = os.doc_id
ORDER BY p.kept_id, p.duplicate_id
"""
_TRANSLATED = """
SELECT 'translation', r.doc_id, t.url, o.doc_id, t.other_url, NULL, r.fetched_at FROM translations t
JOIN readings r ON r.url = t.url JOIN readings o ON o.url = t.other_url
ORDER BY t.url, t.other_url
"""
