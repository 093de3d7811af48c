"""Guards on the cards: the figures between two markers equal those computed from the data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from pipeline.errors import DataError
from pipeline.guards import figures
from pipeline.guards.findings import Finding
from pipeline.guards.reading import Bundle

BEGIN = "<!-- figures: made by `stance check-corpus --write-cards` -->"
END = "<!-- end of figures -->"
CARDS = {"documented/README.md": figures.documented, "authored/README.md": figures.authored}


def stale(bundle: Bundle, today: dt.date) -> Iterator[Finding]:
    """Find cards whose figures are not those of the data."""
    del today
    if not bundle.statements:
        return
    for name, compute in CARDS.items():
        path = bundle.folder / name
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if BEGIN not in text or END not in text:
            message = f"the card is missing, or its figures' markers are: {BEGIN} and {END}"
            yield Finding(path=bundle.shown(name), message=message)
            continue
        line, stated = _first_difference(text, compute(bundle))
        if line:
            message = f"figures differ from the data ({stated!r}); run `stance check-corpus --write-cards`"
            yield Finding(path=bundle.shown(name), line=line, message=message)


def _first_difference(text: str, computed: str) -> tuple[int, str]:
    """Return line number and words of the first stated line that is not the computed one, 0 if none."""
    start = text[: text.index(BEGIN)].count("\n") + 2
    stated = _between(text).split("\n")
    expected = computed.split("\n")
    for offset, (said, due) in enumerate(zip_longest(stated, expected)):
        if said != due:
            return start + offset, said or ""
    return 0, ""


def _between(text: str) -> str:
    return text.split(BEGIN, 1)[1].split(END, 1)[0].strip("\n")


def write(bundle: Bundle) -> list[Path]:
    """Put the computed figures between the markers of each card; return the cards that changed.

    Raises
    ------
    DataError
        When a card, or one of its markers, is missing.
    """
    changed = []
    for name, compute in CARDS.items():
        path = bundle.folder / name
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if BEGIN not in text or END not in text:
            raise DataError(f"{path}: the card, or a marker, is missing; put in the lines {BEGIN} and {END}.")
        before, rest = text.split(BEGIN, 1)
        new = f"{before}{BEGIN}\n{compute(bundle)}\n{END}{rest.split(END, 1)[1]}"
        if new != text:
            path.write_text(new, encoding="utf-8")
            changed.append(path)
    return changed
