"""Decisions as rows of a table: CSV and JSON lines as bytes, Parquet as Arrow batches, without a record per cell.

Most rows of an archive say `none` of a text that names nothing: what they say behind the columns that the statement
brought along is made once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.classify.tagging import BATCH, Decisions, decide
from pipeline.errors import DataError
from pipeline.schema import CARRIED_COLUMNS, STANCES, TAG_COLUMNS, Statement
from pipeline.tables import csv_cell

if TYPE_CHECKING:
    from pipeline.classify.artifact import Model

FORMATS = ("csv", "jsonl", "parquet")
_OWN = TAG_COLUMNS[len(CARRIED_COLUMNS) :]
_DIGITS = 6
_ROW_GROUP = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Statements that are tagged and written together, as columns: what is carried through, and the texts."""

    carried: tuple[list[str], ...]
    texts: list[str]

    def __len__(self) -> int:
        return len(self.texts)

    def parts(self, size: int) -> Iterator[Unit]:
        """Yield the unit in parts of a size that the processor's caches like."""
        for start in range(0, len(self), size):
            rows = slice(start, start + size)
            yield Unit(carried=tuple(column[rows] for column in self.carried), texts=self.texts[rows])

    @classmethod
    def of(cls, statements: Sequence[Statement]) -> Unit:
        """Return statements as columns."""
        carried = tuple([getattr(row, name) for row in statements] for name in CARRIED_COLUMNS)
        return cls(carried=carried, texts=[row.text for row in statements])


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Rows of a unit as bytes, with how many statements they are of and how many were in a language not read."""

    content: bytes
    statements: int
    unread: int


def write_unit(model: Model, unit: Unit, *, targets: Sequence[str] | None, kind: str) -> Written:
    """Tag a unit and return its rows in a format, without header.

    Parameters
    ----------
    model : Model
    unit : Unit
    targets : sequence of str, optional
        Targets to tag, all of the model's by default.
    kind : {"csv", "jsonl", "parquet"}
        Of Parquet, the rows are an Arrow message, of which `parquet_from` makes the file.
    """
    chosen = [k for k, target in enumerate(model.targets) if targets is None or target in targets]
    encode = {"csv": _csv, "jsonl": _jsonl, "parquet": _arrow}[kind]
    contents, unread = [], 0
    for part in unit.parts(BATCH):
        decided = decide(model, part.texts, part.carried[CARRIED_COLUMNS.index("lang")])
        contents.append(encode(part, decided, chosen))
        unread += len(part) - int(decided.is_read.sum())
    return Written(content=b"".join(contents), statements=len(unit), unread=unread)


def header(kind: str) -> bytes:
    """Return what stands before the first row."""
    if kind == "csv":
        return (",".join(TAG_COLUMNS) + "\n").encode()
    return bytes(arrow_schema().serialize()) if kind == "parquet" else b""


def _own_values(decided: Decisions, row: int, k: int) -> tuple[Any, ...]:
    """Return a row's values behind the carried columns, in the order of `TAG_COLUMNS`."""
    shares = [round(share, _DIGITS) for share in decided.probabilities[row, k].tolist()]
    start, end = decided.spans[row][k] or (None, None)
    evidence = decided.texts[row][start:end] if start is not None else ""
    return (
        decided.model.targets[k], STANCES[int(decided.predicted[row, k])], *shares, max(shares),
        bool(decided.abstained[row, k]), start, end, evidence, decided.model.model_id,
    )  # fmt: skip


def _lines(
    decided: Decisions,
    chosen: Sequence[int],
    heads: Iterable[str],
    tail: Callable[[tuple[Any, ...]], str],
) -> bytes:
    """Join each statement's head with what is said on each target."""
    silent = decided.silent.tolist()
    of_silent = [tail(_own_values(decided, silent.index(True), k)) for k in chosen] if True in silent else []
    lines = []
    for row, (head, quiet) in enumerate(zip(heads, silent, strict=True)):
        tails = of_silent if quiet else [tail(_own_values(decided, row, k)) for k in chosen]
        lines += [head + end for end in tails]
    return "".join(lines).encode("utf-8", errors="backslashreplace")


def _csv(unit: Unit, decided: Decisions, chosen: Sequence[int]) -> bytes:
    cells = [[csv_cell(value) for value in column] for column in unit.carried]
    return _lines(decided, chosen, map(",".join, zip(*cells, strict=True)), _csv_tail)


def _csv_tail(values: tuple[Any, ...]) -> str:
    return "," + ",".join(map(csv_cell, values)) + "\n"


def _jsonl(unit: Unit, decided: Decisions, chosen: Sequence[int]) -> bytes:
    heads = (
        json.dumps(dict(zip(CARRIED_COLUMNS, values, strict=True)), ensure_ascii=False)[:-1]
        for values in zip(*unit.carried, strict=True)
    )
    return _lines(decided, chosen, heads, _jsonl_tail)


def _jsonl_tail(values: tuple[Any, ...]) -> str:
    return ", " + json.dumps(dict(zip(_OWN, values, strict=True)), ensure_ascii=False)[1:] + "\n"


def _arrow(unit: Unit, decided: Decisions, chosen: Sequence[int]) -> bytes:
    import pyarrow as pa

    schema = arrow_schema()
    silent = decided.silent.tolist()
    of_silent = [_own_values(decided, silent.index(True), k) for k in chosen] if True in silent else []
    rows: list[tuple[Any, ...]] = []
    for row, quiet in enumerate(silent):
        rows += of_silent if quiet else [_own_values(decided, row, k) for k in chosen]
    repeated = np.repeat(np.arange(len(unit)), len(chosen))
    carried = [pa.array(_encodable(column), pa.string()).take(pa.array(repeated)) for column in unit.carried]
    own = [
        pa.array(_encodable(column) if schema.field(name).type == pa.string() else column, schema.field(name).type)
        for name, column in zip(_OWN, zip(*rows, strict=True), strict=True)
    ]
    batch = pa.RecordBatch.from_arrays([*carried, *own], schema=schema)
    return bytes(batch.serialize())


def _encodable(column: Sequence[str]) -> Sequence[str]:
    """Spell out half of a pair of code points, which UTF-8 cannot hold."""
    if "".join(column).isascii():
        return column
    return [value.encode("utf-8", errors="backslashreplace").decode() for value in column]


def arrow_schema() -> Any:
    """Return the column types of tags in Parquet."""
    import pyarrow as pa

    kinds = dict.fromkeys(TAG_COLUMNS, pa.string())
    kinds |= dict.fromkeys((*(f"p_{stance}" for stance in STANCES), "confidence"), pa.float64())
    kinds |= {"abstained": pa.bool_(), "evidence_start": pa.int64(), "evidence_end": pa.int64()}
    return pa.schema(list(kinds.items()))


def parquet_from(draft: Path, output: Path) -> None:
    """Make a Parquet file of what was written as Arrow messages: in bounded memory.

    Raises
    ------
    DataError
        When the draft does not read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pa.OSFile(str(draft)) as stream, pq.ParquetWriter(output, arrow_schema()) as writer:
            batches, rows = [], 0
            for batch in pa.ipc.open_stream(stream):
                batches.append(batch)
                rows += batch.num_rows
                if rows >= _ROW_GROUP:
                    writer.write_table(pa.Table.from_batches(batches), row_group_size=rows)
                    batches, rows = [], 0
            if batches:
                writer.write_table(pa.Table.from_batches(batches), row_group_size=rows)
    except pa.ArrowInvalid as error:
        raise DataError(f"{draft} does not read ({error}); run again without --resume.") from None
