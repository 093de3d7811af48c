"""Which statements `stance trends` looks at: options that choose among them, and what they mean for the tags."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.console import iso_date

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from pipeline.aggregate import TrendOptions

_LISTS = ("targets", "speakers", "sources", "provenances")

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


def noted(options: TrendOptions, *, stored: bool, include_unverified: bool) -> dict[str, Any]:
    """Return what an analysis chose, as it stands in `datapackage.json` for `stance report` to follow."""
    days = {name: getattr(options, name) for name in ("since", "until")}
    return {
        "statements": "store" if stored else "files",
        "pair": list(options.pair),
        **{name: day.isoformat() if day else None for name, day in days.items()},
        **{name: list(value) if (value := getattr(options, name)) is not None else None for name in _LISTS},
        "joint": options.joint,
        "declared": list(options.declared),
        "include_unverified": include_unverified,
    }


def recalled(folder: Path) -> Mapping[str, Any]:
    """Return what `stance trends` noted beside its tables; empty where it noted nothing that can be read."""
    try:
        held = json.loads((folder / "datapackage.json").read_text(encoding="utf-8")).get("selection")
    except (OSError, ValueError, AttributeError):
        return {}
    return held if isinstance(held, dict) else {}


def options_of(chosen: Mapping[str, Any]) -> TrendOptions:
    """Return the options that choose what was noted."""
    from pipeline.aggregate import TrendOptions

    given: dict[str, Any] = {
        name: tuple(chosen[name]) for name in (*_LISTS, "pair", "declared") if chosen.get(name)
    }
    for name in ("since", "until"):
        if chosen.get(name):
            given[name] = dt.date.fromisoformat(chosen[name])
    return TrendOptions(joint=chosen.get("joint") or "declared", **given)


def in_words(chosen: Mapping[str, Any]) -> str:
    """Return in words how a choice differs from taking everything since its first day; empty when it does not."""
    names = (
        ("speakers", "speakers"),
        ("sources", "sources"),
        ("provenances", "provenance"),
        ("targets", "targets"),
    )
    parts = [f"{what} {', '.join(map(str, chosen[key]))}" for key, what in names if chosen.get(key)]
    parts += [f"until {chosen['until']}"] if chosen.get("until") else []
    joint = {"in": "texts signed by both count everywhere", "out": "texts signed by both are left out"}
    parts += [joint[chosen["joint"]]] if chosen.get("joint") in joint else []
    parts += ["statements that no page bears out included"] if chosen.get("include_unverified") else []
    return "; ".join(parts)
