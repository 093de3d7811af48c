"""Read corpus/*.toml and events.csv: targets, actors, speakers and their roles, events.

A new target, actor, speaker, source or event is a row in one of these files, not code. Every file is
validated on load, and an error names the file and the entry.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
import tomllib
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import DataError, UsageError

_PACKAGE = Path(__file__).parent


def corpus_dir() -> Path:
    """Return the folder of the bundled data: `STANCE_CORPUS`, the checkout's corpus/, or the wheel's copy."""
    if configured := os.environ.get("STANCE_CORPUS"):
        return Path(configured)
    checkout = _PACKAGE.parent / "corpus"
    return checkout if checkout.is_dir() else _PACKAGE / "_corpus"


def models_dir() -> Path:
    """Return the folder of trained models: `STANCE_MODELS`, the checkout's models/, or ./models."""
    if configured := os.environ.get("STANCE_MODELS"):
        return Path(configured)
    checkout = _PACKAGE.parent / "models"
    return checkout if checkout.is_dir() else Path("models")


def store_path() -> Path:
    """Return the store's file: `STANCE_STORE`, or data/stance.sqlite below the working directory."""
    return Path(os.environ.get("STANCE_STORE") or Path("data") / "stance.sqlite")


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Target(_Entry):
    """One target of the codebook: a proposition, what each stance on it means, and its cue terms."""

    id: str
    label: str
    proposition: str
    core: bool = False
    pooled: bool = False
    declared: bool = False
    coded: bool = True
    """Whether every bundled text is coded on it; of one that is added, labels come from the store."""
    favor: str
    against: str
    neutral: str
    none: str
    cues: Mapping[str, tuple[str, ...]]


class Targets(_Entry):
    """All targets, with the version of the codebook that defines them."""

    codebook_version: str
    target: tuple[Target, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the targets, in the file's order."""
        return tuple(target.id for target in self.target)

    @property
    def coded(self) -> tuple[str, ...]:
        """Ids of the targets that every bundled text is coded on."""
        return tuple(target.id for target in self.target if target.coded)

    @property
    def pooled(self) -> tuple[str, ...]:
        """Ids of the targets that enter the pooled index."""
        return tuple(target.id for target in self.target if target.pooled)

    @property
    def declared(self) -> tuple[str, ...]:
        """Ids of the targets that measure declared coordination."""
        return tuple(target.id for target in self.target if target.declared)

    def select(self, ids: str | None) -> tuple[str, ...]:
        """Return the targets named in a comma-separated list, all when it is None.

        Raises
        ------
        UsageError
            When a name is not a target's.
        """
        if ids is None:
            return self.ids
        wanted = tuple(part.strip() for part in ids.split(",") if part.strip())
        unknown = [name for name in wanted if name not in self.ids]
        if unknown or not wanted:
            named = ", ".join(unknown) or "(none given)"
            raise UsageError(f"unknown target: {named}. Choose among: {', '.join(self.ids)}.")
        return wanted


class Concept(_Entry):
    """One notion of the dictionary and the terms that carry it, by language."""

    en: tuple[str, ...] = ()
    ru: tuple[str, ...] = ()
    zh: tuple[str, ...] = ()


class Lexicon(_Entry):
    """The trilingual dictionary of concepts."""

    concept: Mapping[str, Concept]

    @property
    def terms(self) -> dict[str, list[str]]:
        """Terms of each concept, of all languages together."""
        return {name: [*concept.en, *concept.ru, *concept.zh] for name, concept in self.concept.items()}


class Names(_Entry):
    """A name in up to three languages."""

    en: str
    ru: str = ""
    zh: str = ""


class Actor(_Entry):
    """A country or an organisation."""

    id: str
    kind: str
    name: Names
    aliases: tuple[str, ...] = ()


class Role(_Entry):
    """An office held for an actor between two dates (`end` None: still held, or end unknown)."""

    title: str
    actor: str
    start: dt.date = Field(alias="from")
    end: dt.date | None = Field(default=None, alias="to")
    source: str
    note: str = ""

    def covers(self, day: dt.date) -> bool:
        """Say whether the office was held on `day`."""
        return self.start <= day and (self.end is None or day <= self.end)


class Speaker(_Entry):
    """A person or institution that makes statements, with every known spelling and dated roles."""

    id: str
    kind: str
    name: Names
    aliases: tuple[str, ...] = ()
    role: tuple[Role, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every spelling of the name."""
        return tuple(s for s in (self.name.en, self.name.ru, self.name.zh, *self.aliases) if s)

    def roles_on(self, day: dt.date, actor: str | None = None) -> tuple[Role, ...]:
        """Return the roles held on `day`, of one actor if named."""
        return tuple(r for r in self.role if r.covers(day) and (actor is None or r.actor == actor))


class Actors(_Entry):
    """All actors and speakers."""

    actor: tuple[Actor, ...]
    speaker: tuple[Speaker, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the actors, in the file's order."""
        return tuple(actor.id for actor in self.actor)

    def named(self, spelling: str) -> tuple[Speaker, ...]:
        """Return the speakers known by a spelling (several when namesakes exist), ignoring case."""
        return self._by_spelling.get(spelling.casefold().strip(), ())

    @cached_property
    def _by_spelling(self) -> Mapping[str, tuple[Speaker, ...]]:
        index: dict[str, tuple[Speaker, ...]] = {}
        for speaker in self.speaker:
            for spelling in dict.fromkeys(s.casefold() for s in speaker.spellings):
                index[spelling] = (*index.get(spelling, ()), speaker)
        return index


class Event(_Entry):
    """A dated event for charts and event tests; `registered_on` decides whether a test is exploratory."""

    event_id: str
    date: dt.date
    label: str
    source_url: str = ""
    registered_on: dt.date | None = None
    about: str = ""


_Model = TypeVar("_Model", bound=BaseModel)


def _explain(path: Path, error: ValidationError) -> DataError:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return DataError(f"{path}: {where}: {first['msg']} (value: {first.get('input')!r}). Mend the entry.")


def read_toml(path: Path, model: type[_Model]) -> _Model:
    """Read a TOML file of the corpus as a validated record; an error names the file and the entry."""
    try:
        with path.open("rb") as stream:
            content: dict[str, Any] = tomllib.load(stream)
        return model.model_validate(content)
    except FileNotFoundError:
        raise UsageError(f"no file {path}: STANCE_CORPUS must name a folder like the project's corpus/.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not valid TOML: {error}.") from None
    except ValidationError as error:
        raise _explain(path, error) from None


def _unique(path: Path, what: str, ids: list[str]) -> None:
    repeated = sorted({i for i in ids if ids.count(i) > 1})
    if repeated:
        raise DataError(f"{path}: {what} given twice: {', '.join(repeated)}. Ids must be unique.")


def load_targets(folder: Path | None = None) -> Targets:
    """Read targets.toml, once per folder.

    Raises
    ------
    DataError
        When the file is malformed or an id is given twice.
    """
    return _targets_in(folder or corpus_dir())


@cache
def _targets_in(folder: Path) -> Targets:
    path = folder / "targets.toml"
    targets = read_toml(path, Targets)
    _unique(path, "target", list(targets.ids))
    return targets


def load_lexicon(folder: Path | None = None) -> Lexicon:
    """Read lexicon.toml; a corpus folder without one has no concepts.

    Raises
    ------
    DataError
        When the file is malformed, or a concept has no term.
    """
    path = (folder or corpus_dir()) / "lexicon.toml"
    if not path.is_file():
        return Lexicon(concept={})
    lexicon = read_toml(path, Lexicon)
    empty = [name for name, terms in lexicon.terms.items() if not terms]
    if empty:
        raise DataError(f"{path}: concepts without a term: {', '.join(empty)}.")
    return lexicon


def load_actors(folder: Path | None = None) -> Actors:
    """Read actors.toml, once per folder; every role's actor must exist, and no role end before it begins.

    Raises
    ------
    DataError
        When the file is malformed, an id is given twice, or a role names an unknown actor.
    """
    return _actors_in(folder or corpus_dir())


@cache
def _actors_in(folder: Path) -> Actors:
    path = folder / "actors.toml"
    actors = read_toml(path, Actors)
    _unique(path, "actor", list(actors.ids))
    _unique(path, "speaker", [speaker.id for speaker in actors.speaker])
    for speaker in actors.speaker:
        for role in speaker.role:
            if role.actor not in actors.ids:
                raise DataError(f"{path}: speaker {speaker.id}: role of unknown actor {role.actor!r}.")
            if role.end is not None and role.end < role.start:
                raise DataError(f"{path}: speaker {speaker.id}: role {role.title!r} ends before it begins.")
    return actors


def load_events(path: Path | None = None) -> tuple[Event, ...]:
    """Read an events file: `event_id,date,label`; further columns may follow.

    Raises
    ------
    DataError
        Naming the line, when a column is missing, a date is not ISO or an id is given twice.
    """
    path = path or corpus_dir() / "events.csv"
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            missing = [c for c in ("event_id", "date", "label") if c not in (reader.fieldnames or [])]
            if missing:
                raise DataError(
                    f"{path}: missing column {', '.join(missing)}; an events file has event_id,date,label."
                )
            events = tuple(_event(path, reader.line_num, row) for row in reader)
    except FileNotFoundError:
        raise UsageError(f"no events file {path}.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8.") from None
    _unique(path, "event", [event.event_id for event in events])
    return events


def _event(path: Path, line: int, row: Mapping[str, str]) -> Event:
    known = {key: value or None for key, value in row.items() if key in Event.model_fields}
    try:
        return Event.model_validate({key: value for key, value in known.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(f"{path}, line {line}: {first['loc'][0]}: {first['msg']}; dates are YYYY-MM-DD.") from None
