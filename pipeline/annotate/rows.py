"""Files of codings, read row by row: what each says and where it stands, before anything is believed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One coder's stances on one statement as a file gives them; nothing of it is checked yet.

    `where` says where it stands in words, `line` where it begins. A null stance is not labelled yet.
    """

    where: str
    line: int
    statement_id: Any
    coder: Any
    labels: Mapping[str, Any]
    text: Any = None
    labelled_at: Any = None
    codebook_version: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A row that says nothing that can be understood, and why."""

    where: str
    line: int
    reason: str
    raw: Any = ""


def read_line(raw: str, line: int) -> Given | Unread | None:
    """Read one JSON line: a task that was filled in, or one target a line; None when it is blank."""
    where = f"line {line}"
    if not raw.strip():
        return None
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        return Unread(where=where, line=line, reason=f"not valid JSON ({error})", raw=raw.rstrip("\n"))
    labels = _labels(content)
    if labels is None:
        reason = "a line needs statement_id and coder, and labels (an object) or target and stance"
        return Unread(where=where, line=line, reason=reason, raw=content)
    return Given(
        where=where,
        line=line,
        statement_id=content.get("statement_id"),
        coder=content.get("coder"),
        labels=labels,
        text=content.get("text"),
        labelled_at=content.get("labelled_at"),
        codebook_version=content.get("codebook_version"),
    )


def _labels(content: object) -> Mapping[str, Any] | None:
    if not isinstance(content, dict):
        return None
    if isinstance(content.get("labels"), dict):
        return {str(target): stance for target, stance in content["labels"].items()}
    return {str(content["target"]): content["stance"]} if {"target", "stance"} <= set(content) else None


def array_elements(text: str) -> Iterator[tuple[int, object]]:
    """Yield the elements of a JSON array with the line each begins on.

    Raises
    ------
    ValueError
        Where the text stops being a JSON array; what came before it was yielded.
    """
    decoder, place, line = json.JSONDecoder(), _skip(text, 0), 1
    if text[place : place + 1] != "[":
        raise ValueError("not a JSON array")
    done = 0
    place = _skip(text, place + 1)
    while text[place : place + 1] not in ("]", ""):
        element, end = decoder.raw_decode(text, place)
        line += text.count("\n", done, place)
        done = place
        yield line, element
        place = _skip(text, end)
        if text[place : place + 1] == ",":
            place = _skip(text, place + 1)
        elif text[place : place + 1] != "]":
            break
    if text[place : place + 1] != "]":
        raise ValueError(f"the array breaks off on line {1 + text.count(chr(10), 0, place)}")


def _skip(text: str, place: int) -> int:
    while text[place : place + 1] and text[place] in " \t\r\n":
        place += 1
    return place
