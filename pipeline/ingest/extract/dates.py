"""Dates as official pages write them, in English, Russian and Chinese, in the site's own time zone."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from zoneinfo import ZoneInfo

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "янв"), ("feb", "фев"), ("mar", "мар"), ("apr", "апр"), ("may", "ма"), ("jun", "июн"),
            ("jul", "июл"), ("aug", "авг"), ("sep", "сен"), ("oct", "окт"), ("nov", "ноя"), ("dec", "дек"),
        ),
        start=1,
    )
    for name in names
}  # fmt: skip
_ENGLISH = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
_ENGLISH += "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
_RUSSIAN = "января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря"
_NAME = rf"(?P<month>{_ENGLISH}|{_RUSSIAN})"
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)")
# A year may run into the hour behind it ("20 October 202116:30"), so nothing is asked to follow it.
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?P<year>(?:19|20)\d\d)\s*年\s*(?P<day_month>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*[日号]",
        r"(?<!\d)(?P<year>(?:19|20)\d\d)[-/.](?P<day_month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)",
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_NAME}\.?,?\s+(?P<year>(?:19|20)\d\d)",
        rf"\b{_NAME}\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>(?:19|20)\d\d)",
        r"(?<!\d)(?P<day>\d{1,2})\.(?P<day_month>\d{1,2})\.(?P<year>(?:19|20)\d\d)",
        r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<day_month>[01]\d)(?P<day>[0-3]\d)(?!\d)",
    )
)


def parse_date(text: str, zone: dt.tzinfo = dt.UTC) -> dt.date | None:
    """Return the first date in a text, None when there is none.

    A moment with an offset is turned into the day it was in `zone`; a date without one is taken as it is.
    """
    instant = _INSTANT.search(text)
    if instant:
        try:
            return dt.datetime.fromisoformat(instant.group().replace(" ", "T")).astimezone(zone).date()
        except ValueError:
            return None
    found = [match for match in (form.search(text) for form in _FORMS) if match]
    for match in sorted(found, key=re.Match.start):
        date = _date(match)
        if date:
            return date
    return None


def _date(match: re.Match[str]) -> dt.date | None:
    parts = match.groupdict()
    name = (parts.get("month") or "").lower()
    month = next((n for prefix, n in _MONTHS.items() if name.startswith(prefix)), 0) if name else 0
    # "мар" and "ма" share a beginning: the longer stands first in the table.
    try:
        return dt.date(int(parts["year"]), month or int(parts["day_month"]), int(parts["day"]))
    except (ValueError, KeyError):
        return None


def date_by_pattern(pattern: str, text: str) -> dt.date | None:
    """Return the date that a pattern's groups spell: `YYYYMMDD` in one, or three in either order."""
    match = re.search(pattern, text) if pattern else None
    if match is None:
        return None
    digits = [group for group in match.groups() if group]
    if len(digits) == 1:
        return parse_date(digits[0])
    if len(digits) != 3:
        return None
    parts = digits if len(digits[0]) == 4 else digits[::-1]
    try:
        return dt.date(int(parts[0]), int(parts[1]), int(parts[2]))
    except ValueError:
        return None


def choose_date(
    candidates: Iterable[tuple[str, dt.date | None]], *, fetched_at: dt.datetime, zone: ZoneInfo
) -> tuple[str, str, str]:
    """Return the first candidate that is not in the future, as `(ISO date, method, note)`.

    Parameters
    ----------
    candidates : iterable of (method, date or None)
        In order of trust.
    fetched_at : datetime
        When the page was read, with a time zone; nothing can have been said after that day in `zone`.
    zone : ZoneInfo

    Returns
    -------
    (str, str, str)
        Date and method are empty when no candidate will do; the note names a date that was refused.
    """
    latest = fetched_at.astimezone(zone).date()
    note = ""
    for method, date in candidates:
        if date is None:
            continue
        if date > latest:
            note = note or f"date {date} ({method}) lies after the day it was read, {latest}"
            continue
        return date.isoformat(), method, note
    return "", "", note
