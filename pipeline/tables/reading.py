"""Read statements from CSV, JSONL, Parquet, text files, folders and standard input, in bounded memory.

A row that does not read stops with its line number, or is handed to `on_bad` and left out.
"""

from __future__ import annotations

import csv
import difflib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pipeline.errors import DataError, UsageError
from pipeline.schema import STATEMENT_COLUMNS, Statement

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("csv", "jsonl", "parquet", "txt")
_SUFFIXES = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".txt": "txt"}
_ID_COLUMNS = ("statement_id", "id", "passage_id")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_SAMPLE = 1 << 20
_RECENT_IDS = 1_000_000
csv.field_size_limit(64 * 1024 * 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that does not read: where it stands, why, and its raw content."""

    line: int
    reason: str
    raw: str


_Raw = tuple[int, Mapping[str, Any] | str, str]
"""Line number, the row's fields (or the reason it does not read), and its raw content."""


def read_statements(
    source: Path | str,
    *,
    input_format: str | None = None,
    on_bad: Callable[[BadRow], None] | None = None,
    columns: Mapping[str, str] | None = None,
) -> Iterator[Statement]:
    """Yield the statements of a file, a folder of `.txt` files, or standard input (`-`), in order.

    Parameters
    ----------
    source : Path or str
        `.csv`, `.jsonl`, `.parquet` or `.txt` (a statement a line), a folder of `.parquet` or of `.txt` (a
        statement a file), or `-`.
    input_format : str, optional
        One of `FORMATS`, where the name does not tell; `txt` for standard input by default.
    on_bad : callable, optional
        Receives rows that do not read; without it the first one raises.
    columns : mapping, optional
        Our column names to those of the source, where they differ.

    Raises
    ------
    UsageError
        When the source does not exist or its format is not known.
    DataError
        When a column is missing, or naming the line of a row that does not read.
    """
    ours = {theirs: mine for mine, theirs in (columns or {}).items()}
    yield from _checked(_rows(source, input_format, ours), _name(source), on_bad)


def _checked(rows: Iterator[_Raw], name: str, on_bad: Callable[[BadRow], None] | None) -> Iterator[Statement]:
    seen = _SeenIds()
    for line, fields, raw in rows:
        problem = fields if isinstance(fields, str) else _problem(fields, seen)
        if not problem and not isinstance(fields, str):
            yield _statement(fields, line)
        elif on_bad is None:
            raise DataError(
                f"{name}, line {line}: {problem}. Mend the row, or set such rows aside with --skip-bad."
            )
        else:
            on_bad(BadRow(line=line, reason=problem, raw=raw))


def estimated_rows(source: Path | str, input_format: str | None = None) -> int | None:
    """Return about how many statements a file holds, by its first lines; None where nobody can say."""
    path = Path(source)
    if str(source) == "-" or not path.is_file():
        return None
    if (input_format or _SUFFIXES.get(path.suffix.lower())) == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return int(pq.read_metadata(path).num_rows)
        except (pa.ArrowInvalid, OSError):
            return None
    with path.open("rb") as stream:
        sample = stream.read(_SAMPLE)
    lines = sample.count(b"\n")
    return round(path.stat().st_size * lines / len(sample)) if lines else None


def _name(source: Path | str) -> str:
    return "standard input" if str(source) == "-" else str(source)


def _rows(source: Path | str, input_format: str | None, ours: Mapping[str, str]) -> Iterator[_Raw]:
    if str(source) == "-":
        _check_format(input_format or "txt", ("csv", "jsonl", "txt"))
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="surrogateescape", newline="")  # type: ignore[union-attr]
        yield from _text_rows(sys.stdin, input_format or "txt", "standard input", ours)
        return
    path = Path(source)
    if path.is_dir():
        yield from _parquet_rows(path, ours) if any(path.glob("*.parquet")) else _folder_rows(path)
        return
    if not path.is_file():
        raise UsageError(f"no such file or folder: {path}.")
    kind = input_format or _SUFFIXES.get(path.suffix.lower(), path.suffix or "(no suffix)")
    _check_format(kind, FORMATS)
    if kind == "parquet":
        yield from _parquet_rows(path, ours)
    else:
        # surrogateescape keeps bytes that are not UTF-8, so that the row they stand on can be named.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
            yield from _text_rows(stream, kind, str(path), ours)


def _check_format(kind: str, accepted: Sequence[str]) -> None:
    if kind not in accepted:
        raise UsageError(f"unknown input format: {kind}. Accepted: {', '.join(accepted)} (see --input-format).")


def _text_rows(stream: TextIO, kind: str, name: str, ours: Mapping[str, str]) -> Iterator[_Raw]:
    readers = {"csv": _csv_rows, "jsonl": _jsonl_rows, "txt": _line_rows}
    yield from readers[kind](stream, name, ours)


def _csv_rows(stream: TextIO, name: str, ours: Mapping[str, str]) -> Iterator[_Raw]:
    reader = csv.reader(stream, strict=True)
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise DataError(f"{name}, line 1: the header is not valid CSV ({error}). Mend it.") from None
    if header is None:
        raise DataError(f"{name} is empty: a CSV needs at least a header with a text column.")
    header = _renamed(header, ours, name)
    check_columns(header, ("text",), name)
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"not valid CSV ({error})", ""
            continue
        if len(values) == len(header):
            yield line, {k: unguarded(v) for k, v in zip(header, values, strict=True)}, ",".join(values)
        elif values:
            yield line, f"{len(values)} fields where the header has {len(header)}", ",".join(values)


def _jsonl_rows(stream: TextIO, _name: str, ours: Mapping[str, str]) -> Iterator[_Raw]:
    for line, raw in enumerate(stream, start=1):
        if not raw.strip():
            continue
        try:
            fields = json.loads(raw)
        except (ValueError, RecursionError) as error:
            yield line, f"not valid JSON ({error})", raw.rstrip("\n")
            continue
        if isinstance(fields, dict):
            yield line, {ours.get(key, key): value for key, value in fields.items()}, raw.rstrip("\n")
        else:
            yield line, "a JSON line must be an object with a text", raw.rstrip("\n")


def _line_rows(stream: TextIO, _name: str, _ours: Mapping[str, str]) -> Iterator[_Raw]:
    for line, raw in enumerate(stream, start=1):
        if raw.strip():
            yield line, {"text": raw.strip()}, raw.rstrip("\n")


def _folder_rows(folder: Path) -> Iterator[_Raw]:
    paths = sorted(folder.glob("*.txt"))
    if not paths:
        raise UsageError(f"no .txt files in {folder}.")
    for path in paths:
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape").strip()
        yield 1, {"statement_id": path.stem, "doc_id": path.stem, "text": text}, path.name


def _renamed(found: Sequence[str], ours: Mapping[str, str], name: str) -> list[str]:
    """Return a header under our names; a mapped column must exist."""
    missing = [column for column in ours if column not in found]
    if missing:
        raise DataError(f"{name}: no column {', '.join(missing)} to map; found {', '.join(found) or 'none'}.")
    return [ours.get(column, column) for column in found]


def _parquet_rows(path: Path, ours: Mapping[str, str]) -> Iterator[_Raw]:
    for part in parquet_parts(path):
        yield from _part_rows(part, ours)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetPart:
    """A row group of a Parquet file, with its number and that of its first row, from 1, in the whole input."""

    path: Path
    group: int
    rows: int
    number: int
    first: int


def parquet_parts(source: Path) -> list[ParquetPart]:
    """Return the row groups of a Parquet file, or of a folder of them in the order of their names.

    Raises
    ------
    UsageError
        When a folder holds none.
    DataError
        When a file does not read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts: list[ParquetPart] = []
    line = 1
    for path in _parquet_files(source):
        try:
            metadata = pq.read_metadata(path)
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{path} is not a readable Parquet file ({error}).") from None
        for group in range(metadata.num_row_groups):
            rows = metadata.row_group(group).num_rows
            parts.append(ParquetPart(path=path, group=group, rows=rows, number=len(parts), first=line))
            line += rows
        if not metadata.num_row_groups:  # no part, but its columns must be there all the same
            parts.append(ParquetPart(path=path, group=-1, rows=0, number=len(parts), first=line))
    return parts


def _parquet_files(source: Path) -> list[Path]:
    if not source.is_dir():
        return [source]
    paths = sorted(source.glob("*.parquet"))
    if not paths:
        raise UsageError(f"no .parquet files in {source}.")
    return paths


def _part_rows(part: ParquetPart, ours: Mapping[str, str]) -> Iterator[_Raw]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(part.path) as table:
        found = table.schema_arrow.names
        names = _renamed(found, ours, str(part.path))
        check_columns(names, ("text",), str(part.path))
        theirs = dict(zip(found, names, strict=True))
        columns = [name for name in theirs if theirs[name] in (*STATEMENT_COLUMNS, *_ID_COLUMNS)]
        groups = [part.group] if part.group >= 0 else []
        line = part.first
        for batch in table.iter_batches(batch_size=8192, columns=columns, row_groups=groups):
            for fields in batch.to_pylist():
                yield line, {theirs[name]: value for name, value in fields.items()}, ""
                line += 1


def read_parquet_part(part: ParquetPart) -> list[Statement]:
    """Read the statements of one part; a row has the id it would have in the whole input.

    Raises
    ------
    DataError
        Naming the row that is no statement.
    """
    return list(_checked(_part_rows(part, {}), str(part.path), None))


def check_columns(found: Iterable[str], required: Iterable[str], name: str) -> None:
    """Raise a DataError that names the missing columns, what was found, and the likely misspelling."""
    found = list(found)
    missing = [column for column in required if column not in found]
    if not missing:
        return
    folded = {column.strip().casefold(): column for column in found}
    near = difflib.get_close_matches(missing[0], folded, n=1)
    hint = f" Rename {folded[near[0]]!r} to {missing[0]!r}?" if near else ""
    raise DataError(f"{name}: missing column {', '.join(missing)}; found {', '.join(found) or 'none'}.{hint}")


def unguarded(cell: str) -> str:
    """Undo `spreadsheet_safe`, so that a table written for people reads back as it was."""
    return cell[1:] if cell[:1] == "'" and cell.lstrip("'").startswith(_FORMULA_STARTS) else cell


class _SeenIds:
    """Ids that were given, as 64-bit hashes, older ones packed: 8 bytes each, where a set would take 70.

    A false alarm has odds of 1 in 10^7 at 10^6 ids.
    """

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._older: Any = None

    def add(self, given: str) -> bool:
        """Note an id, and say whether it is new."""
        key = hash(given)
        if key in self._recent or (self._older is not None and self._is_older(key)):
            return False
        self._recent.add(key)
        if len(self._recent) >= _RECENT_IDS:
            self._pack()
        return True

    def _is_older(self, key: int) -> bool:
        place = int(self._older.searchsorted(key))
        return place < len(self._older) and int(self._older[place]) == key

    def _pack(self) -> None:
        import numpy as np

        recent = np.fromiter(self._recent, dtype=np.int64, count=len(self._recent))
        kept = [recent] if self._older is None else [self._older, recent]
        self._older = np.sort(np.concatenate(kept))
        self._recent.clear()


def _problem(fields: Mapping[str, Any], seen: _SeenIds) -> str:
    """Say why a row cannot be a statement; an empty string when it can."""
    text = fields.get("text")
    if not isinstance(text, str) or not text.strip():
        return "no text"
    if any(isinstance(value, str) and not _is_unicode(value) for value in fields.values()):
        return "bytes that are not UTF-8; save the file as UTF-8"
    given = _given_id(fields)
    if given and not seen.add(given):
        return f"statement_id {given} was given before; ids must be unique"
    return ""


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _statement(fields: Mapping[str, Any], line: int) -> Statement:
    kept = {name: _cell(fields.get(name)) for name in STATEMENT_COLUMNS}
    kept["statement_id"] = _given_id(fields) or f"row{line}"
    return Statement(**kept)  # type: ignore[arg-type]  # all are text


def _given_id(fields: Mapping[str, Any]) -> str:
    """Return a row's id under any of its usual names, an empty string when it has none."""
    return next((_cell(fields[name]) for name in _ID_COLUMNS if _cell(fields.get(name))), "")


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def read_frame(path: Path, required: Sequence[str]) -> pd.DataFrame:
    """Read a CSV, JSONL or Parquet table whole, with text columns as text and the required columns present.

    Raises
    ------
    UsageError
        When there is no such file or its format is not known.
    DataError
        When it does not read as its format says, or a column is missing.
    """
    import pandas as pd

    if not path.is_file():
        raise UsageError(f"no such file: {path}.")
    kind = _SUFFIXES.get(path.suffix.lower(), path.suffix or "(no suffix)")
    _check_format(kind, ("csv", "jsonl", "parquet"))
    identifiers = dict.fromkeys(
        ("statement_id", "doc_id", "date", "country", "speaker", "target", "event_id"), "str"
    )
    try:
        if kind == "csv":
            frame = pd.read_csv(
                path, dtype=identifiers, encoding="utf-8-sig", keep_default_na=False, na_values=[""]
            )
            text = frame.select_dtypes(include=["object", "str"]).columns
            frame = frame.assign(**{c: frame[c].map(unguarded, na_action="ignore") for c in text})
        elif kind == "jsonl":
            frame = pd.read_json(path, lines=True, dtype=False)  # no guessing of types: dates stay text
            frame = frame.astype({name: "str" for name in identifiers if name in frame})
        else:
            frame = pd.read_parquet(path)
    except pd.errors.EmptyDataError:
        raise DataError(f"{path} is empty: a header with {', '.join(required)} is needed.") from None
    except (ValueError, OSError) as error:
        raise DataError(f"{path} does not read as {kind} ({error}).") from None
    check_columns(frame.columns, required, str(path))
    return frame
