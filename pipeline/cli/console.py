"""What all commands share: terminal or pipe, progress, the store, exit status."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from pipeline.store import Store

T = TypeVar("T")

StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store", help="SQLite store to use [default: $STANCE_STORE or data/stance.sqlite].", show_default=False
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Model id (name/version), name or folder; llm:NAME asks a language model [default: the current].",
    ),
]
TargetsOption = Annotated[
    str | None, typer.Option("--targets", help="Only these targets, separated by commas [default: all].")
]


class Engine(StrEnum):
    """Where the work is done."""

    local = "local"
    dask = "dask"


EngineOption = Annotated[
    Engine, typer.Option("--engine", help="Where to work: this machine's processes, or a Dask cluster.")
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        "--scheduler", help="Address of a Dask scheduler [default: a cluster on this machine].", show_default=False
    ),
]


class OutputFormat(StrEnum):
    """How rows are written."""

    table = "table"
    csv = "csv"
    jsonl = "jsonl"
    parquet = "parquet"


def now() -> dt.datetime:
    """Return the present moment in UTC; the library is given it, and never asks for it."""
    return dt.datetime.now(tz=dt.UTC)


def chosen_format(asked: OutputFormat | None, output: Path | None) -> OutputFormat:
    """Return the format asked for, else by the file's name, else a table on a terminal and CSV in a pipe."""
    if asked is not None:
        return asked
    if output is not None:
        by_suffix = {".jsonl": OutputFormat.jsonl, ".parquet": OutputFormat.parquet}
        return by_suffix.get(output.suffix.lower(), OutputFormat.csv)
    return OutputFormat.table if sys.stdout.isatty() else OutputFormat.csv


def open_store(path: Path | None) -> Store:
    """Open the store named by the option, the environment, or the default."""
    from pipeline.config import store_path
    from pipeline.store import Store

    return Store(path or store_path())


def note(message: str) -> None:
    """Say something to the person on standard error, never into the output."""
    sys.stderr.write(message + "\n")


def progress(rows: Iterable[T], *, what: str, total: int | None = None) -> Iterable[T]:
    """Show a progress bar on standard error while rows are taken, if it is a terminal."""
    if not sys.stderr.isatty():
        return rows
    return _with_bar(rows, what, total)


def _with_bar(rows: Iterable[T], what: str, total: int | None) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(show_speed=True),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
    )  # fmt: skip
    begun = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, rate="")
        for number, row in enumerate(rows, start=1):
            yield row
            if number % 100 == 0:
                rate = f"{number / max(time.monotonic() - begun, 1e-9):,.0f}/s"
                bar.update(task, completed=number, rate=rate)


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """Show that something without a countable length is under way, if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


def table(*columns: str, title: str | None = None) -> Table:
    """Return an empty table in the house style; numbers go right."""
    from rich import box
    from rich.table import Table

    made = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        numeric = column.endswith("#")
        made.add_column(column.rstrip("#"), justify="right" if numeric else "left", overflow="fold")
    return made


def show(made: Table) -> None:
    """Print a table to standard output; in a pipe it is as wide as it needs to be."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 160, highlight=False).print(made)


def print_rows(columns: Sequence[str], rows: Iterable[dict[str, object]], kind: OutputFormat) -> None:
    """Write rows to standard output as CSV, JSONL or a table."""
    if kind is OutputFormat.table:
        made = table(*columns)
        for row in rows:
            made.add_row(*("" if row.get(c) is None else str(row[c]) for c in columns))
        show(made)
        return
    from pipeline.tables import open_table_writer

    with open_table_writer(columns, kind.value, None) as write:
        write(list(rows))


def refuse_parquet(kind: OutputFormat, output: Path | None) -> None:
    """Stop early when Parquet is asked for without a file."""
    if kind is OutputFormat.parquet and output is None:
        raise UsageError("Parquet cannot go to standard output: name a file with --output.")


def iso_date(value: str | None, option: str) -> str:
    """Return an option's date as given, an empty string when absent.

    Raises
    ------
    UsageError
        When it is no date.
    """
    if value is None:
        return ""
    try:
        return dt.date.fromisoformat(value).isoformat()
    except ValueError:
        raise UsageError(f"{option} {value}: not a date; write YYYY-MM-DD.") from None
