"""Read a corpus folder as far as it can be read: valid lines as records, every invalid one as a finding."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.config import Actors, Event, Targets, load_actors, load_events, load_targets
from pipeline.corpus import DOCUMENTED_FILE, AuthoredPassage, DocumentedStatement
from pipeline.errors import UsageError
from pipeline.guards.findings import Finding

R = TypeVar("R", bound=BaseModel)

LEDGER_FILE = "documented/ids.csv"
REVIEWED_FILE = "documented/reviewed.csv"
LEDGER_COLUMNS = ("statement_id", "batch", "fingerprint", "removed")
REVIEWED_COLUMNS = ("kind", "statement_id", "other", "reason")


@dataclass(frozen=True, slots=True)
class Row(Generic[R]):
    """One valid line: its file relative to the corpus's parent, its number from 1, its record."""

    path: str
    line: int
    record: R

    def finding(self, message: str, *, warning: bool = False) -> Finding:
        """Return a finding about this line."""
        return Finding(path=self.path, line=self.line, message=message, warning=warning)


Line: TypeAlias = Row[DocumentedStatement] | Row[AuthoredPassage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A corpus folder, read.

    `ledger` and `reviewed` hold the lines of documented/ids.csv and documented/reviewed.csv, by line number.
    """

    folder: Path
    statements: tuple[Row[DocumentedStatement], ...]
    passages: tuple[Row[AuthoredPassage], ...]
    events: tuple[Event, ...]
    actors: Actors
    targets: Targets
    ledger: Mapping[int, Mapping[str, str]]
    reviewed: Mapping[int, Mapping[str, str]]

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every statement and every passage."""
        return (*self.statements, *self.passages)

    def shown(self, name: str) -> str:
        """Return a file's path as findings show it."""
        return f"{self.folder.name}/{name}"


def read(folder: Path) -> tuple[Bundle, list[Finding]]:
    """Read every file of a corpus folder; what is invalid becomes findings."""
    if not (folder / DOCUMENTED_FILE).is_file():
        raise UsageError(f"no corpus in {folder}: there is no {DOCUMENTED_FILE}. Name a folder like corpus/.")
    targets = load_targets(folder)
    context = {"actors": load_actors(folder).ids, "targets": targets.ids, "coded": targets.coded}
    found: list[Finding] = []
    statements = _rows(folder, DOCUMENTED_FILE, DocumentedStatement, context, found)
    names = sorted(f"authored/{path.name}" for path in (folder / "authored").glob("passages_*.jsonl"))
    passages = [row for name in names for row in _rows(folder, name, AuthoredPassage, context, found)]
    bundle = Bundle(
        folder=folder,
        statements=tuple(statements),
        passages=tuple(passages),
        events=load_events(folder / "events.csv"),
        actors=load_actors(folder),
        targets=targets,
        ledger=_table(folder, LEDGER_FILE, LEDGER_COLUMNS, found),
        reviewed=_table(folder, REVIEWED_FILE, REVIEWED_COLUMNS, found),
    )
    return bundle, found


def _rows(
    folder: Path, name: str, model: type[R], context: Mapping[str, Any], found: list[Finding]
) -> list[Row[R]]:
    rows: list[Row[R]] = []
    shown = f"{folder.name}/{name}"
    # surrogateescape keeps bytes that are not UTF-8, so that the line they stand on can be named.
    with (folder / name).open(encoding="utf-8", errors="surrogateescape") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                rows.append(Row(shown, number, model.model_validate_json(line, context=dict(context))))
            except ValidationError as error:
                for one in error.errors():
                    where = ".".join(str(part) for part in one["loc"]) or "line"
                    found.append(Finding(path=shown, line=number, message=f"{where}: {one['msg']}"))
    return rows


def _numbered(reader: csv.DictReader[str]) -> Iterator[tuple[int, dict[str, str]]]:
    for row in reader:
        yield reader.line_num, row


def _table(folder: Path, name: str, columns: tuple[str, ...], found: list[Finding]) -> dict[int, Mapping[str, str]]:
    shown = f"{folder.name}/{name}"
    path = folder / name
    if not path.is_file():
        found.append(Finding(path=shown, message=f"the file is missing; its columns are {','.join(columns)}"))
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != columns:
            found.append(Finding(path=shown, line=1, message=f"the columns must be {','.join(columns)}"))
            return {}
        lines = dict(_numbered(reader))
    broken = [number for number, row in lines.items() if None in row or None in row.values()]
    found.extend(Finding(path=shown, line=n, message=f"not {len(columns)} fields") for n in broken)
    return {number: row for number, row in lines.items() if number not in broken}
