"""Which statements `stance trends` looks at: options that choose among them, and what they mean for the tags."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.console import iso_date

if TYPE_CHECKING:
    import pandas as pd

SpeakerOption = Annotated[
    list[str] | None,
    typer.Option("--speaker", help="Only this speaker, under any known spelling; repeatable [default: all]."),
]
SourceOption = Annotated[
    list[str] | None,
    typer.Option("--source", help="Only this source, as `stance sources` names it; repeatable [default: all]."),
]
ProvenanceOption = Annotated[
    list[str] | None,
    typer.Option("--provenance", help="Only verbatim, paraphrase or reported ones; repeatable [default: all]."),
]
JointOption = Annotated[
    str,
    typer.Option(
        "--joint",
        help="Statements signed by both sides count on the declared targets only (declared), everywhere (in), or "
        "nowhere (out).",
    ),
]
SeenOption = Annotated[
    str | None,
    typer.Option(
        "--data-seen-on",
        metavar="YYYY-MM-DD",
        help="Events registered after this day are exploratory [default: the day of the latest statement].",
    ),
]
UnverifiedOption = Annotated[
    bool,
    typer.Option(
        "--include-unverified", help="Use documented statements too that were not found again at their address."
    ),
]


def tuple_of(values: list[str] | None) -> tuple[str, ...] | None:
    """Return a repeatable option's values, None when it was not given."""
    return tuple(values) if values else None


def spellings(asked: list[str] | None, tags: pd.DataFrame) -> tuple[str, ...] | None:
    """Return the names under which the tags know the speakers asked for; a name not found stays as it is."""
    if not asked:
        return None
    from pipeline.config import load_actors

    actors = load_actors()
    present = set(tags["speaker"].dropna().astype(str)) if "speaker" in tags.columns else set()
    found: list[str] = []
    for name in asked:
        known = {name.strip().casefold()}
        known |= {s.casefold() for speaker in actors.named(name) for s in speaker.spellings}
        found += sorted(spelling for spelling in present if spelling.strip().casefold() in known) or [name]
    return tuple(dict.fromkeys(found))


def seen_on(asked: str | None, tags: pd.DataFrame) -> dt.date | None:
    """Return the day on which the data were seen: the one given, else that of the latest statement.

    Who registers an event after the last statement was made can have read them all.
    """
    if asked is not None:
        return dt.date.fromisoformat(iso_date(asked, "--data-seen-on"))
    days = tags["date"].dropna().astype(str).str.strip()
    latest = days[days.str.fullmatch(r"\d{4}-\d{2}-\d{2}")].max() if len(days) else None
    try:
        return dt.date.fromisoformat(str(latest))
    except ValueError:
        return None  # no date at all, or one that the analysis will name
