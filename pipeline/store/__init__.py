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
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pipeline.errors import StoreError
from pipeline.schema import STANCES, Coding, Label, Statement, Tag

if TYPE_CHECKING:
    import pandas as pd

_BUSY_SECONDS = 5.0
_PAUSE_SECONDS = 0.01
_STATEMENT_FIELDS = (
    "statement_id", "doc_id", "date", "date_method", "speaker", "role", "country", "venue", "lang", "text",
    "provenance", "joint", "verified", "context", "attribution",
)  # fmt: skip
_CODING_FIELDS = (
    "statement_id", "target", "coder", "stance", "sampling_prob", "codebook_version", "labelled_at", "origin",
)  # fmt: skip
_READ = (
    "SELECT s.statement_id, s.doc_id, s.date, s.date_method, s.speaker, s.role, s.country, s.venue, s.lang, "
    "d.source, d.url, d.title, s.text, s.provenance, s.joint, s.verified, s.context, s.attribution "
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
                self._write_ahead()
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

    def _write_ahead(self) -> None:
        """Turn write-ahead logging on; of processes that open a new file at once, all but one wait here.

        SQLite answers "locked" without its time-out where two connections ask for this at the same moment.
        """
        until = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(_PAUSE_SECONDS)

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

    def add_labels(
        self,
        labels: Iterable[Label],
        *,
        coder: str,
        codebook_version: str,
        now: dt.datetime | None = None,
        origin: str = "",
    ) -> int:
        """Add or replace one coder's labels; return how many rows are new or different.

        Parameters
        ----------
        labels : iterable of Label
        coder : str
            Who labelled; `adjudicated` for settled labels.
        codebook_version : str
        now : datetime, optional
            When; unknown for the bundled codings.
        origin : str
            How the labels came; see `add_codings`.

        Raises
        ------
        StoreError
            When a label names a statement that the store does not hold.
        """
        moment = now.isoformat(timespec="seconds") if now else ""
        return self.add_codings(
            Coding(
                statement_id=label.statement_id, target=label.target, stance=label.stance, coder=coder,
                sampling_prob=label.sampling_prob, codebook_version=codebook_version, labelled_at=moment,
                origin=origin,
            )
            for label in labels
        )  # fmt: skip

    def add_codings(self, codings: Iterable[Coding]) -> int:
        """Add or replace codings; return how many rows are new or different.

        What is replaced stays in `label_history`. A coding without an origin, as the bundled ones are, never
        replaces one that has it: loading the corpus again does not undo what a person settled.

        Raises
        ------
        StoreError
            When a coding names a statement that the store does not hold.
        """
        columns = ", ".join(_CODING_FIELDS)
        marks = ", ".join("?" * len(_CODING_FIELDS))
        updates = ", ".join(f"{name} = excluded.{name}" for name in _CODING_FIELDS[3:])
        rows = (tuple(getattr(coding, name) for name in _CODING_FIELDS) for coding in codings)
        with self._transaction() as db:
            # rowcount leaves out what the history trigger writes; total_changes would not.
            return db.executemany(
                f"INSERT INTO labels ({columns}) VALUES ({marks}) "  # noqa: S608 - fixed names
                f"ON CONFLICT DO UPDATE SET {updates} WHERE (labels.origin = '' OR excluded.origin <> '') "
                "AND (stance <> excluded.stance OR sampling_prob <> excluded.sampling_prob "
                "OR codebook_version <> excluded.codebook_version)",
                rows,
            ).rowcount

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

    def _read(self, query: str, values: tuple[str | int, ...]) -> Iterator[Statement]:
        with self._explained():
            cursor = self._db.execute(query, values)
            names = [column[0] for column in cursor.description]
            for row in cursor:
                fields = dict(zip(names, row, strict=True))
                yield Statement(**{**fields, "joint": bool(fields["joint"]), "verified": bool(fields["verified"])})

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

    def tags_frame(self, model_id: str, *, include_unverified: bool = False) -> pd.DataFrame:
        """Return a model's tags beside statement metadata, one row a statement and target.

        Documented statements that no page was found to bear out are left out unless asked for.
        """
        return self._frame(
            "SELECT t.statement_id, s.doc_id, s.date, s.speaker, s.country, s.lang, d.source, s.provenance, "
            "s.joint, t.target, t.stance, t.p_favor, t.p_neutral, t.p_against, t.p_none, t.confidence, "
            "t.abstained, t.evidence_start, t.evidence_end, t.model_id FROM tags t "
            "JOIN statements s USING (statement_id) JOIN documents d USING (doc_id) "
            "WHERE t.model_id = ? AND s.retired = 0 AND s.verified >= ? ORDER BY s.date, t.statement_id, t.target",
            (model_id, int(not include_unverified)),
        ).astype({"joint": bool, "abstained": bool})

    def labels_frame(self, coder: str = "adjudicated", *, include_unverified: bool = False) -> pd.DataFrame:
        """Return a coder's labels: `statement_id,target,stance,sampling_prob`.

        `sampling_prob` of a statement that was drawn counts every round by now (`sampling.accumulate`), so that
        labels of an early round keep the right weight once a later one is labelled.
        """
        from pipeline.store.sampling import accumulate

        labels = self._frame(
            "SELECT l.statement_id, l.target, l.stance, l.sampling_prob FROM labels l "
            "JOIN statements s USING (statement_id) WHERE l.coder = ? AND s.retired = 0 AND s.verified >= ? "
            "ORDER BY l.statement_id, l.target",
            (coder, int(not include_unverified)),
        )
        return accumulate(labels, self.sampling_frame())

    def add_sampling_round(
        self, frame: pd.DataFrame, *, seed: int, asked: int, model_id: str, now: dt.datetime
    ) -> int:
        """Record a round of sampling and return its number.

        Parameters
        ----------
        frame : DataFrame
            `statement_id,stratum,prob,drawn`, every statement that could be drawn.
        seed, asked : int
            Seed and size asked for.
        model_id : str
            Model whose tags the strata come from.
        now : datetime
            When.
        """
        columns = (frame["statement_id"], frame["stratum"], frame["prob"], frame["drawn"])
        with self._transaction() as db:
            number = int(db.execute("SELECT coalesce(max(round), 0) + 1 FROM sampling_rounds").fetchone()[0])
            db.execute(
                "INSERT INTO sampling_rounds VALUES (?, ?, ?, ?, ?)",
                (number, now.isoformat(timespec="seconds"), seed, asked, model_id),
            )
            db.executemany(
                "INSERT INTO sampling VALUES (?, ?, ?, ?, ?)",
                [(number, str(s), str(h), float(p), int(d)) for s, h, p, d in zip(*columns, strict=True)],
            )
        return number

    def sampling_frame(self) -> pd.DataFrame:
        """Return `round,statement_id,stratum,prob,drawn`, every round's statements that could be drawn."""
        return self._frame(
            "SELECT round, statement_id, stratum, prob, drawn FROM sampling ORDER BY round, statement_id", ()
        )

    def codings(self) -> Iterator[Coding]:
        """Yield every coder's labels of statements that are not retired, in order of statement and target."""
        columns = ", ".join(f"l.{name}" for name in _CODING_FIELDS)
        query = (
            f"SELECT {columns} FROM labels l JOIN statements s USING (statement_id) "  # noqa: S608 - fixed names
            "WHERE s.retired = 0 ORDER BY l.statement_id, l.target, l.coder"
        )
        with self._explained():
            for row in self._db.execute(query):
                yield Coding(**dict(zip(_CODING_FIELDS, row, strict=True)))

    def codings_frame(self) -> pd.DataFrame:
        """Return every coder's labels, one row a statement, target and coder, beside statement metadata."""
        return self._frame(
            "SELECT l.statement_id, l.target, l.coder, l.stance, l.sampling_prob, l.codebook_version, "
            "l.labelled_at, l.origin, s.doc_id, s.date, s.speaker, s.country, d.source, s.text FROM labels l "
            "JOIN statements s USING (statement_id) JOIN documents d USING (doc_id) WHERE s.retired = 0 "
            "ORDER BY l.statement_id, l.target, l.coder",
            (),
        )

    def label_log(self, statement_id: str = "") -> pd.DataFrame:
        """Return who labelled what, when, how and by which codebook; `replaced_at` is empty while it holds.

        Parameters
        ----------
        statement_id : str
            Only this statement's; every statement's when empty.
        """
        columns = ", ".join(_CODING_FIELDS)
        return self._frame(
            f"SELECT * FROM (SELECT {columns}, '' AS replaced_at FROM labels "  # noqa: S608 - fixed names
            f"UNION ALL SELECT {columns}, replaced_at FROM label_history) WHERE ? IN ('', statement_id) "
            "ORDER BY labelled_at, statement_id, target, coder, replaced_at",
            (statement_id,),
        )

    def sampling_probs(self) -> Mapping[str, float]:
        """Return, for each statement drawn for labelling, the probability that some round drew it.

        Source: 1 - (1 - p1) (1 - p2) ... over the rounds in which it could be drawn.
        """
        with self._explained():
            if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'sampling'").fetchone():
                return {}  # a store without rounds of sampling
            missed: dict[str, float] = {}
            drawn: set[str] = set()
            for statement_id, prob, was_drawn in self._db.execute("SELECT statement_id, prob, drawn FROM sampling"):
                missed[statement_id] = missed.get(statement_id, 1.0) * (1 - prob)
                drawn |= {statement_id} if was_drawn else set()
        return {statement_id: 1 - missed[statement_id] for statement_id in sorted(drawn)}

    def training_labels(self, *, but_source: str) -> Iterator[tuple[Statement, Label]]:
        """Yield adjudicated labels with their statements, but for those that a source came with.

        Parameters
        ----------
        but_source : str
            The bundled source, which is trained on anyway: of its statements only labels with an origin,
            which were settled here, are given.
        """
        labels = self._frame(
            "SELECT l.statement_id, l.target, l.stance, l.sampling_prob FROM labels l "
            "JOIN statements s USING (statement_id) JOIN documents d USING (doc_id) "
            "WHERE l.coder = 'adjudicated' AND s.retired = 0 AND (d.source <> ? OR l.origin <> '') "
            "ORDER BY l.statement_id, l.target",
            (but_source,),
        )
        named = set(labels["statement_id"])
        held = {s.statement_id: s for s in self.statements() if s.statement_id in named}
        for row in labels.itertuples():
            yield (
                held[str(row.statement_id)],
                Label(
                    statement_id=str(row.statement_id),
                    target=str(row.target),
                    stance=row.stance,  # type: ignore[arg-type]
                    sampling_prob=float(row.sampling_prob),  # type: ignore[arg-type]
                ),
            )

    def _frame(self, query: str, values: tuple[str | int, ...]) -> pd.DataFrame:
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
