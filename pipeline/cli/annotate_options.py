"""The options by which `annotate export` and `annotate label` choose statements."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.console import iso_date
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.annotate.selection import Selection


class State(StrEnum):
    """What is known of a statement's labels."""

    unsettled = "unsettled"
    disputed = "disputed"
    uncoded = "uncoded"
    drawn = "drawn"
    any = "any"


DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check and count only; store nothing.")]
SourceOption = Annotated[str, typer.Option("--source", help="Only this source, as `stance sources` names it.")]
CountryOption = Annotated[str, typer.Option("--country", help="Only this country or organisation (CHN, RUS ...).")]
SpeakerOption = Annotated[str, typer.Option("--speaker", help="Only this speaker, as the store spells the name.")]
LangOption = Annotated[str, typer.Option("--lang", help="Only this language (en, ru, zh).")]
StateOption = Annotated[
    State | None,
    typer.Option(
        "--state",
        help="Only statements without a settled label (unsettled), on which coders differ (disputed), that nobody "
        "coded (uncoded), drawn by `annotate sample` and unsettled (drawn), or any [default: unsettled; any with "
        "--only].",
        show_default=False,
    ),
]
OnlyOption = Annotated[
    Path | None,
    typer.Option(
        "--only",
        metavar="FILE",
        help="Only the statements a file names: its column statement_id, or a .txt of ids.",
    ),
]
LimitOption = Annotated[int, typer.Option("--limit", min=0, help="At most so many statements; 0 for all.")]
SeedOption = Annotated[
    int, typer.Option("--seed", help="Seed of the random order in which statements are given to coders.")
]


def selection(
    *,
    only: Path | None,
    source: str,
    country: str,
    speaker: str,
    lang: str,
    since: str | None,
    until: str | None,
    state: State | None,
    limit: int,
    seed: int,
) -> Selection:
    """Return the selection that the options ask for.

    Raises
    ------
    UsageError
        When a country is not known, a date is no date, or the file of ids is not there or names nothing.
    """
    from pipeline.annotate.selection import Selection
    from pipeline.config import load_actors

    known = load_actors().ids
    if country and country not in known:
        raise UsageError(f"unknown country: {country}. Known: {', '.join(known)}.")
    return Selection(
        ids=_ids(only) if only else (),
        source=source,
        country=country,
        speaker=speaker,
        lang=lang,
        since=iso_date(since, "--since"),
        until=iso_date(until, "--until"),
        state=state or ("any" if only else "unsettled"),
        limit=limit,
        random_state=seed,
    )


def _ids(path: Path) -> tuple[str, ...]:
    from pipeline.tables import read_frame

    if path.suffix.lower() == ".txt" and path.is_file():
        ids = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    else:
        ids = [str(value) for value in read_frame(path, ("statement_id",))["statement_id"]]
    named = tuple(dict.fromkeys(name for name in ids if name))
    if not named:
        raise UsageError(f"--only {path}: the file names no statement.")
    return named


def model_id_of(model: str | None) -> str:
    """Return the id of the model asked for, the current one's, or an empty string when there is none."""
    if model:
        return model
    from pipeline.classify.artifact import current_model_id

    return current_model_id() or ""
