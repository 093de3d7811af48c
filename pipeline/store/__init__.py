"""One SQLite file that holds documents, statements, tags, labels and runs.

Unique keys make every load idempotent; foreign keys hold tags and labels to their statements; numbered
migrations (`NNN_name.sql` beside this file) bring an older file up to date; write-ahead logging lets a
reader work while a writer does. Every tag names the model, codebook version and run that made it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pipeline.errors import StoreError
from pipeline.schema import STANCES, Label, Statement, Tag

if TYPE_CHECKING:
    import pandas as pd

_BUSY_SECONDS = 5.0
_STATEMENT_FIELDS = (
    "statement_id", "doc_id", "date", "date_method", "speaker", "role", "country", "venue", "lang", "text",
    "provenance", "joint", "context", "attribution",
)  # fmt: skip
_READ = (
    "SELECT s.statement_id, s.doc_id, s.date, s.date_method, s.speaker, s.role, s.country, s.venue, s.lang, "
    "d.source, d.url, d.title, s.text, s.provenance, s.joint, s.context, s.attribution "
    "FROM statements s JOIN documents d USING (doc_id) WHERE s.retired = 0"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a load changed: rows new, changed (their tags are dropped, being of another text) and unchanged."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    retired: int = 0


class Store:
    """The project's database; use as a context manager.

    Parameters
    ----------
    path : Path
        The SQLite file; made, with its folder, when absent.

    Raises
    ------
    StoreError
        When the file is locked, is no store, or was written by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            # Transactions are opened explicitly, so that a migration is all or nothing.
            self._db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            with self._explained():
                self._db.execute("PRAGMA foreign_keys = ON")
                self._db.execute("PRAGMA journal_mode = WAL")
                self._migrate()
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                message = f"the store {self.path} is locked by another process; wait until it ends and run again."
            else:
                message = f"cannot use the store {self.path}: {error}. Check the path and its permissions."
            raise StoreError(message) from error
        except sqlite3.IntegrityError as error:
            raise StoreError(
                f"rows that do not fit the store {self.path} ({error}): a tag or label must name a statement it "
                "holds; nothing of this load was kept."
            ) from error
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"{self.path} is not a usable store ({error}); name another with --store, or move it away."
            ) from error
        except OSError as error:
            raise StoreError(f"cannot open the store {self.path}: {error.strerror}.") from error

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._explained():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def transaction(self) -> contextlib.AbstractContextManager[sqlite3.Connection]:
        """Open a write transaction: kept whole at the end, or, on any error, not at all.

        Raises
        ------
        StoreError
            When another process writes and does not end in time, or rows do not fit.
        """
        return self._transaction()

    def rows(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a reading query; for the modules of this package."""
        with self._explained():
            return self._db.execute(query, values).fetchall()

    def _migrate(self) -> None:
        migrations = _migrations()
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(migrations):
            raise StoreError(
                f"the store {self.path} has schema {version}, newer than this version's {len(migrations)}; "
                "update the software, or name another store with --store."
            )
        for number, script in enumerate(migrations[version:], start=version + 1):
            with self._transaction() as db:
                if db.execute("PRAGMA user_version").fetchone()[0] >= number:
                    continue  # another process was faster
                for statement in _sql_statements(script):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {number}")

    def add_statements(self, statements: Iterable[Statement], *, complete_source: str = "") -> Loaded:
        """Add statements with their documents; what is already there unchanged is left alone.

        Parameters
        ----------
        statements : iterable of Statement
        complete_source : str
            Name of a source of which these are all statements: others of it are retired.
        """
        counts = {"new": 0, "changed": 0, "unchanged": 0}
        kept: list[tuple[str]] = []
        with self._transaction() as db:
            for statement in statements:
                counts[_upsert(db, statement)] += 1
                kept.append((statement.statement_id,))
            retired = _retire(db, complete_source, kept) if complete_source else 0
        return Loaded(**counts, retired=retired)

    def add_labels(self, labels: Iterable[Label], *, coder: str, codebook_version: str) -> int:
        """Add or replace one coder's labels; return how many rows are new or different.

        Raises
        ------
        StoreError
            When a label names a statement that the store does not hold.
        """
        before = self._db.total_changes
        rows = (
            (label.statement_id, label.target, coder, label.stance, label.sampling_prob, codebook_version)
            for label in labels
        )
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO labels VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET stance = excluded.stance, "
                "sampling_prob = excluded.sampling_prob, codebook_version = excluded.codebook_version "
                "WHERE stance <> excluded.stance OR sampling_prob <> excluded.sampling_prob "
                "OR codebook_version <> excluded.codebook_version",
                rows,
            )
        return self._db.total_changes - before

    def statements(
        self, *, speaker: str = "", country: str = "", source: str = "", since: str = "", until: str = ""
    ) -> Iterator[Statement]:
        """Yield statements in order of date and id, filtered by exact values and an inclusive ISO date range."""
        filters = {
            "s.speaker = ? COLLATE NOCASE": speaker, "s.country = ?": country, "d.source = ?": source,
            "s.date >= ?": since, "s.date <= ?": until,
        }  # fmt: skip
        used = {condition: value for condition, value in filters.items() if value}
        query = " ".join([_READ, *(f"AND {condition}" for condition in used), "ORDER BY s.date, s.statement_id"])
        yield from self._read(query, tuple(used.values()))

    def untagged(self, model_id: str) -> Iterator[Statement]:
        """Yield the statements that a model has not tagged yet, in order of id."""
        unread = "NOT EXISTS (SELECT 1 FROM tags t WHERE t.statement_id = s.statement_id AND t.model_id = ?)"
        query = " ".join([_READ, "AND", unread, "ORDER BY s.statement_id"])
        yield from self._read(query, (model_id,))

    def _read(self, query: str, values: tuple[str, ...]) -> Iterator[Statement]:
        with self._explained():
            cursor = self._db.execute(query, values)
            names = [column[0] for column in cursor.description]
            for row in cursor:
                fields = dict(zip(names, row, strict=True))
                yield Statement(**{**fields, "joint": bool(fields["joint"])})

    def add_tags(
        self,
        tagged: Iterable[tuple[Statement, Iterable[Tag]]],
        *,
        command: str,
        model_id: str,
        codebook_version: str,
        now: dt.datetime,
    ) -> int:
        """Write the tags of one run of one model; a statement tagged before by it is tagged anew.

        Returns
        -------
        int
            Statements tagged.
        """
        run_id = hashlib.sha256(f"{command}|{model_id}|{now.isoformat()}".encode()).hexdigest()[:12]
        count = 0
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?, ?)",
                (run_id, command, now.isoformat(timespec="seconds"), model_id, codebook_version),
            )
            for statement, tags in tagged:
                db.executemany(
                    f"INSERT OR REPLACE INTO tags VALUES ({', '.join('?' * 14)})",  # noqa: S608 - only marks
                    [_tag_row(statement, tag, codebook_version, run_id) for tag in tags],
                )
                count += 1
        return count

    def tags_frame(self, model_id: str) -> pd.DataFrame:
        """Return a model's tags beside statement metadata, one row a statement and target."""
        return self._frame(
            "SELECT t.statement_id, s.doc_id, s.date, s.speaker, s.country, s.lang, s.provenance, s.joint, "
            "t.target, t.stance, t.p_favor, t.p_neutral, t.p_against, t.p_none, t.confidence, t.abstained, "
            "t.evidence_start, t.evidence_end, t.model_id FROM tags t JOIN statements s USING (statement_id) "
            "WHERE t.model_id = ? AND s.retired = 0 ORDER BY s.date, t.statement_id, t.target",
            (model_id,),
        ).astype({"joint": bool, "abstained": bool})

    def labels_frame(self, coder: str = "adjudicated") -> pd.DataFrame:
        """Return a coder's labels: `statement_id,target,stance,sampling_prob`."""
        return self._frame(
            "SELECT l.statement_id, l.target, l.stance, l.sampling_prob FROM labels l "
            "JOIN statements s USING (statement_id) WHERE l.coder = ? AND s.retired = 0 "
            "ORDER BY l.statement_id, l.target",
            (coder,),
        )

    def training_labels(self, *, but_source: str) -> Iterator[tuple[Statement, Label]]:
        """Yield adjudicated labels with their statements, of every source but one (which is trained on anyway)."""
        labels = self.labels_frame()
        held = {s.statement_id: s for s in self.statements() if s.source != but_source}
        for row in labels.itertuples():
            if row.statement_id in held:
                yield (
                    held[str(row.statement_id)],
                    Label(
                        statement_id=str(row.statement_id),
                        target=str(row.target),
                        stance=row.stance,  # type: ignore[arg-type]
                        sampling_prob=float(row.sampling_prob),  # type: ignore[arg-type]
                    ),
                )

    def _frame(self, query: str, values: tuple[str, ...]) -> pd.DataFrame:
        import pandas as pd  # heavy, and not needed to read statements

        with self._explained():
            return pd.read_sql_query(query, self._db, params=values)

    def counts(self) -> Mapping[str, int]:
        """Return the number of rows of each table."""
        tables = ("documents", "statements", "tags", "labels", "runs")
        with self._explained():
            return {
                table: self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - fixed names
                for table in tables
            }


def _migrations() -> list[str]:
    scripts = sorted(p.name for p in resources.files(__package__).iterdir() if p.name.endswith(".sql"))
    return [(resources.files(__package__) / name).read_text(encoding="utf-8") for name in scripts]


def _sql_statements(script: str) -> Iterator[str]:
    """Split a script where sqlite itself finds a complete statement."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def _values(statement: Statement) -> tuple[Any, ...]:
    return tuple(getattr(statement, name) for name in _STATEMENT_FIELDS)


def _upsert(db: sqlite3.Connection, statement: Statement) -> str:
    """Insert or update one statement; return `new`, `changed` or `unchanged`."""
    document = (statement.doc_id, statement.source, statement.url, statement.title)
    db.execute(
        # A document stays with the source that brought it first.
        "INSERT INTO documents VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET url = excluded.url, "
        "title = excluded.title WHERE source = excluded.source",
        document,
    )
    columns = ", ".join(_STATEMENT_FIELDS)
    old = db.execute(
        f"SELECT {columns}, retired FROM statements WHERE statement_id = ?",  # noqa: S608 - fixed names
        (statement.statement_id,),
    ).fetchone()
    new = _values(statement)
    if old == (*new, 0):
        return "unchanged"
    assignments = ", ".join(f"{name} = excluded.{name}" for name in (*_STATEMENT_FIELDS[1:], "retired"))
    marks = ", ".join("?" * len(new))
    db.execute(
        f"INSERT INTO statements ({columns}) VALUES ({marks}) "  # noqa: S608 - fixed names
        f"ON CONFLICT DO UPDATE SET {assignments}",
        new,
    )
    text = _STATEMENT_FIELDS.index("text")
    if old is not None and old[text] != statement.text:
        db.execute("DELETE FROM tags WHERE statement_id = ?", (statement.statement_id,))
    return "new" if old is None else "changed"


def _retire(db: sqlite3.Connection, source: str, kept: list[tuple[str]]) -> int:
    db.execute("CREATE TEMP TABLE IF NOT EXISTS kept (statement_id TEXT PRIMARY KEY)")
    db.execute("DELETE FROM kept")
    db.executemany("INSERT OR IGNORE INTO kept VALUES (?)", kept)
    return db.execute(
        "UPDATE statements SET retired = 1 WHERE retired = 0 AND doc_id IN "
        "(SELECT doc_id FROM documents WHERE source = ?) AND statement_id NOT IN (SELECT statement_id FROM kept)",
        (source,),
    ).rowcount


def _tag_row(statement: Statement, tag: Tag, codebook_version: str, run_id: str) -> tuple[Any, ...]:
    probabilities = dict(zip(STANCES, tag.probabilities, strict=True))
    return (
        statement.statement_id, tag.target, tag.model_id, codebook_version, run_id, tag.stance,
        *(probabilities[stance] for stance in STANCES), tag.confidence, int(tag.abstained),
        tag.evidence_start, tag.evidence_end,
    )  # fmt: skip
