"""Guards on who speaks and when: no date ahead, an office held on the day, a source for every role and event."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator

from pipeline.config import Role, Speaker
from pipeline.corpus import DocumentedStatement
from pipeline.guards.findings import Finding
from pipeline.guards.reading import Bundle, Row

# What actors.toml says in a role's note when the day on which the office began is not known.
UNSURE = re.compile(r"lower bound|uncertain|not (?:checked|given|known)|start of the corpus period|in post")


def possible_days(statement: DocumentedStatement) -> tuple[dt.date, dt.date]:
    """Return the first and last day on which a statement may have been made."""
    if statement.date_precision == "day":
        return statement.date, statement.date
    last = calendar.monthrange(statement.date.year, statement.date.month)[1]
    return statement.date.replace(day=1), statement.date.replace(day=last)


def undated(bundle: Bundle, today: dt.date) -> Iterator[Finding]:
    """Find statements dated in the future, and checks dated in the future or before the words."""
    for row in bundle.statements:
        first, _ = possible_days(row.record)
        if first > today:
            yield row.finding(f"date: {row.record.date} lies in the future (today is {today})")
        checked = row.record.verified
        if checked is not None and checked.on > today:
            yield row.finding(f"verified.on: {checked.on} lies in the future (today is {today})")
        elif checked is not None and checked.on < first:
            yield row.finding(f"verified.on: {checked.on} is before the statement's date {row.record.date}")
        if checked is None and not row.record.check_note.strip():
            yield row.finding("check_note: an unverified statement must say what is missing")


def speakers(bundle: Bundle, today: dt.date) -> Iterator[Finding]:
    """Find speakers that actors.toml does not know, or who held no office of that country on that day."""
    del today
    for row in bundle.statements:
        known = bundle.actors.named(row.record.speaker)
        if not known:
            yield row.finding(f"speaker: {row.record.speaker!r} is not in actors.toml; add the speaker and a role")
        elif (finding := _office(row, known)) is not None:
            yield finding


def _office(row: Row[DocumentedStatement], known: tuple[Speaker, ...]) -> Finding | None:
    first, last = possible_days(row.record)
    said = row.record
    roles = [role for one in known for role in one.role if role.actor == said.country]
    if any(_held(role, first, last) for role in roles):
        return None
    lead = f"speaker: {said.speaker} held no office of {said.country} on {said.date} by actors.toml"
    if any(first < role.start and UNSURE.search(role.note) for role in roles):
        return row.finding(f"{lead}, but a start there is uncertain: look it up", warning=True)
    if not roles:
        actors = sorted({role.actor for one in known for role in one.role})
        return row.finding(f"{lead}: the offices known there are of {', '.join(actors) or 'nobody'}")
    return row.finding(lead)


def _held(role: Role, first: dt.date, last: dt.date) -> bool:
    return role.start <= last and (role.end is None or first <= role.end)


def events(bundle: Bundle, today: dt.date) -> Iterator[Finding]:
    """Find events without a source, a day of registration or a target, and roles without a source."""
    for line, event in enumerate(bundle.events, start=2):
        problems = []
        if not event.source_url.startswith(("https://", "http://")):
            problems.append("source_url: an event needs an address")
        if event.registered_on is None or event.registered_on > today:
            problems.append("registered_on: the day of registration is needed, not in the future")
        if not event.about or set(event.about.split()) - set(bundle.targets.ids):
            problems.append(f"about: {event.about!r} must be targets of targets.toml, separated by spaces")
        for problem in problems:
            yield Finding(path=bundle.shown("events.csv"), line=line, message=f"{event.event_id}: {problem}")
    for speaker in bundle.actors.speaker:
        for role in speaker.role:
            if not role.source.startswith(("https://", "http://")):
                message = f"speaker {speaker.id}: role {role.title!r} has no address as source"
                yield Finding(path=bundle.shown("actors.toml"), line=_line_of(bundle, speaker.id), message=message)


def _line_of(bundle: Bundle, speaker_id: str) -> int | None:
    lines = (bundle.folder / "actors.toml").read_text(encoding="utf-8").splitlines()
    return next((n for n, line in enumerate(lines, start=1) if line.strip() == f'id = "{speaker_id}"'), None)
