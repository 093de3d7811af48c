"""`stance ingest`, `stance sources`, `stance statements`: what goes into the store, and what it holds."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.console import OutputFormat, StoreOption
from pipeline.errors import UsageError
from pipeline.schema import STATEMENT_COLUMNS

Since = Annotated[str | None, typer.Option("--since", metavar="YYYY-MM-DD", help="First date, inclusive.")]
Until = Annotated[str | None, typer.Option("--until", metavar="YYYY-MM-DD", help="Last date, inclusive.")]


def ingest(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help="`corpus` (the bundled statements), a file or a folder."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check only; store nothing.")] = False,
    store: StoreOption = None,
) -> None:
    """Load statements into the store; loading twice changes nothing.

    A file is .csv, .jsonl, .parquet or .txt, or a folder of .txt; of the columns that `stance statements`
    writes only `text` is required. One summary line is printed per source. Examples:

      stance ingest corpus

      stance ingest statements.csv --dry-run
    """
    from pipeline.ingest import ingest_corpus, ingest_file

    for source in sources:
        if source != "corpus" and not Path(source).exists():
            raise UsageError(f"unknown source: {source}. Give `corpus`, or a file or folder that exists.")
    with console.open_store(store) as opened:
        for source in sources:
            with console.working(f"reading {source}"):
                if source == "corpus":
                    summary = ingest_corpus(opened, dry_run=dry_run)
                else:
                    summary = ingest_file(opened, Path(source), dry_run=dry_run)
            typer.echo(summary.line())


def sources(
    output_format: Annotated[
        OutputFormat | None,
        typer.Option("--format", help="[default: a table on a terminal, CSV in a pipe]", show_default=False),
    ] = None,
    store: StoreOption = None,
) -> None:
    """List the sources of statements, and how many of each the store holds."""
    from pipeline.config import store_path

    held: Counter[str] = Counter()
    if (store or store_path()).is_file():
        with console.open_store(store) as opened:
            held = Counter(statement.source for statement in opened.statements())
    rows: list[dict[str, object]] = [
        {"source": "corpus", "kind": "bundled documented statements", "statements": held.pop("corpus", 0)},
        *({"source": name, "kind": "file", "statements": count} for name, count in sorted(held.items())),
    ]
    kind = console.chosen_format(output_format, None)
    console.refuse_parquet(kind, None)
    console.print_rows(("source", "kind", "statements"), rows, kind)


def statements(
    speaker: Annotated[str, typer.Option("--speaker", help="Speaker, under any known spelling.")] = "",
    country: Annotated[str, typer.Option("--country", help="Country or organisation (CHN, RUS, SCO ...).")] = "",
    source: Annotated[str, typer.Option("--source", help="Source, as `stance sources` names it.")] = "",
    since: Since = None,
    until: Until = None,
    output_format: Annotated[
        OutputFormat | None,
        typer.Option("--format", help="[default: a table on a terminal, CSV in a pipe]", show_default=False),
    ] = None,
    store: StoreOption = None,
) -> None:
    """Write the statements that the store holds, in order of date.

    Example: stance statements --speaker "Wang Yi" --since 2021-08-15 --format csv > wang-yi.csv
    """
    from pipeline.config import load_actors

    kind = console.chosen_format(output_format, None)
    console.refuse_parquet(kind, None)
    actors = load_actors()
    if country and country not in actors.ids:
        raise UsageError(f"unknown country: {country}. Known: {', '.join(actors.ids)}.")
    spellings = {s for known in actors.named(speaker) for s in known.spellings} or {speaker}
    with console.open_store(store) as opened:
        found = [
            {name: getattr(row, name) for name in STATEMENT_COLUMNS}
            for spelling in sorted(spellings)
            for row in opened.statements(
                speaker=spelling, country=country, source=source, since=iso_date(since, "--since"),
                until=iso_date(until, "--until"),
            )
        ]  # fmt: skip
    found.sort(key=lambda row: (row["date"], row["statement_id"]))
    shown = ("date", "country", "speaker", "text") if kind is OutputFormat.table else STATEMENT_COLUMNS
    console.print_rows(shown, found, kind)


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
