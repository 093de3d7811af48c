"""`stance statements`: what the store holds."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.cli.console import OutputFormat, StoreOption, iso_date
from pipeline.errors import UsageError
from pipeline.schema import STATEMENT_COLUMNS

Since = Annotated[str | None, typer.Option("--since", metavar="YYYY-MM-DD", help="First date, inclusive.")]
Until = Annotated[str | None, typer.Option("--until", metavar="YYYY-MM-DD", help="Last date, inclusive.")]


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
