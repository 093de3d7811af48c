"""Write tables: CSV, JSONL or Parquet, to a file that appears whole or not at all, or to standard output."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pipeline.errors import OutputClosedError, StanceError, UsageError

if TYPE_CHECKING:
    import pandas as pd

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_STARTS_TO_LOOK_AT = (*_FORMULA_STARTS, "'")
_MUST_QUOTE = re.compile(r'[,"\r\n]')

Row = Mapping[str, Any]
WriteRows = Callable[[Sequence[Row]], None]


def spreadsheet_safe(cell: object) -> object:
    """Put an apostrophe before text that a spreadsheet would run as a formula; numbers pass unchanged.

    Text that only looks guarded gets one more, so that reading (`reading.unguarded`) always gives it back.
    """
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip("'").startswith(_FORMULA_STARTS) else cell


def csv_cell(value: object) -> str:
    """Return a value as a cell of a CSV, as `open_table_writer` writes it: made safe, quoted where it must be."""
    if isinstance(value, str):
        if value[:1] in _STARTS_TO_LOOK_AT:
            value = str(spreadsheet_safe(value))
        return _quoted(value) if _MUST_QUOTE.search(value) else value
    return "" if value is None else str(_plain(value))


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a path to write beside `path`; on success it replaces `path`, on failure it is removed.

    Raises
    ------
    StanceError
        When the folder cannot be made or written to.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        draft.replace(path)
    except OSError as error:
        raise StanceError(f"cannot write {path}: {error.strerror or error}.") from error
    finally:
        with contextlib.suppress(OSError):  # there is none where the folder itself is no folder
            draft.unlink(missing_ok=True)


@contextlib.contextmanager
def open_output() -> Iterator[BinaryIO]:
    """Give standard output for bytes.

    Raises
    ------
    OutputClosedError
        When whoever reads it has seen enough.
    """
    try:
        buffer = getattr(sys.stdout, "buffer", None)
        yield _TextBehind() if buffer is None else buffer  # type: ignore[misc]
        sys.stdout.flush()
    except BrokenPipeError:
        raise OutputClosedError("the reader of the output went away.") from None


class _TextBehind:
    """Bytes onto a standard output that takes only text, as one that was redirected to memory."""

    @staticmethod
    def write(content: bytes) -> int:
        sys.stdout.write(content.decode("utf-8"))
        return len(content)


@contextlib.contextmanager
def open_table_writer(
    columns: Sequence[str], kind: str, output: Path | None, schema: Any = None
) -> Iterator[WriteRows]:
    """Open a writer of rows; the header is written at once, so that no rows still make a valid table.

    Parameters
    ----------
    columns : sequence of str
        Columns in order; a row's missing value is written empty.
    kind : {"csv", "jsonl", "parquet"}
        Format.
    output : Path or None
        File; standard output when None (not for Parquet).
    schema : pyarrow.Schema, optional
        Column types, needed for Parquet.
    """
    if output is None and kind == "parquet":
        raise UsageError("Parquet cannot go to standard output: name a file with --output.")
    if output is None:
        with open_output() as stream:
            yield _writer(columns, kind, stream, schema)
        return
    with atomic_path(output) as draft, draft.open("wb") as stream, contextlib.ExitStack() as stack:
        yield (
            _parquet_writer(stream, schema, stack) if kind == "parquet" else _writer(columns, kind, stream, schema)
        )


def _writer(columns: Sequence[str], kind: str, stream: BinaryIO, _schema: Any) -> WriteRows:
    if kind == "jsonl":
        return _jsonl_writer(columns, stream)
    return _csv_writer(columns, stream)


class _Utf8Lines:
    """The little of a text file that csv.writer needs, over a binary stream.

    Rows end in a line feed; csv.writer itself must end them in CR LF, or it would not quote a bare CR.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        row = text.removesuffix("\r\n") + "\n"
        return self._stream.write(row.encode("utf-8", errors="backslashreplace"))


def _csv_writer(columns: Sequence[str], stream: BinaryIO) -> WriteRows:
    writer = csv.writer(_Utf8Lines(stream), lineterminator="\r\n")
    writer.writerow(columns)

    def write(rows: Sequence[Row]) -> None:
        writer.writerows([spreadsheet_safe(_plain(row.get(column))) for column in columns] for row in rows)

    return write


def _plain(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _jsonl_writer(columns: Sequence[str], stream: BinaryIO) -> WriteRows:
    def write(rows: Sequence[Row]) -> None:
        for row in rows:
            line = json.dumps({column: row.get(column) for column in columns}, ensure_ascii=False)
            stream.write(line.encode("utf-8", errors="backslashreplace") + b"\n")

    return write


def _parquet_writer(stream: BinaryIO, schema: Any, stack: contextlib.ExitStack) -> WriteRows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = stack.enter_context(pq.ParquetWriter(stream, schema))

    def write(rows: Sequence[Row]) -> None:
        writer.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema=schema))

    return write


def write_frame(frame: pd.DataFrame, path: Path, *, columns: Iterable[str] | None = None) -> None:
    """Write a frame as a CSV for people: UTF-8, formula-safe text, six significant digits, whole or not at all."""
    chosen = frame if columns is None else frame[list(columns)]
    text = chosen.select_dtypes(include=["object", "str"]).columns
    safe = chosen.assign(**{column: chosen[column].map(spreadsheet_safe) for column in text})
    with atomic_path(path) as draft:
        safe.to_csv(draft, index=False, lineterminator="\n", float_format="%.6g")
