"""Bring codings back: read a file, check every row against the store and the codebook, keep what holds.

A row that does not hold is set aside with its line and reason, and all others are kept. The same file twice
changes nothing; an older label never replaces a newer one of the same coder.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.annotate.labelstudio import read_studio_task
from pipeline.annotate.rows import Given, Unread, array_elements, read_line
from pipeline.corpus import text_key
from pipeline.errors import UsageError
from pipeline.schema import ADJUDICATED, STANCES, Coding

if TYPE_CHECKING:
    from pipeline.store import Store

_Placed = tuple[Given, Coding]
"""A coding with the row it was read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did: labels by fate, rows that no coder has filled in yet, and rows set aside."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    older: int = 0
    unlabelled: int = 0
    coders: Mapping[str, int] = field(default_factory=dict)
    rejected: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What rows are checked against."""

    texts: Mapping[str, str]
    targets: tuple[str, ...]
    codebook_version: str
    coder: str
    names: Mapping[str, str]
    now: str
    origin: str


def import_codings(
    store: Store,
    path: Path,
    *,
    targets: tuple[str, ...],
    codebook_version: str,
    now: dt.datetime,
    coder: str = "",
    names: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> Imported:
    """Import the codings of a Label Studio export (`.json`) or of JSON lines (`.jsonl`).

    Parameters
    ----------
    store : Store
    path : Path
    targets : tuple of str
        The codebook's targets.
    codebook_version : str
        Taken for rows that do not name the version they were coded under.
    now : datetime
        Taken for rows that do not say when.
    coder : str
        Taken for rows that name nobody.
    names : mapping of str to str, optional
        Names for what the file calls its coders (Label Studio may know them by number only).
    dry_run : bool
        Check only.

    Raises
    ------
    UsageError
        When there is no such file, or its name tells no known format.
    """
    known = _Known(
        texts={s.statement_id: s.text for s in store.statements()},
        targets=targets,
        codebook_version=codebook_version,
        coder=coder,
        names=names or {},
        now=_iso(now),
        origin=f"import {path.name}",
    )
    kept: list[_Placed] = []
    rejected: list[Unread] = []
    unlabelled = 0
    for row in read_codings(path):
        problem = row if isinstance(row, Unread) else _problem(row, known)
        if isinstance(row, Given) and not any(row.labels.values()):
            unlabelled += 1
        elif problem is not None:
            rejected.append(problem)
        elif isinstance(row, Given):
            kept.extend((row, coding) for coding in _codings(row, known))
    agreed, contradictions = _without_contradictions(kept)
    return _store(store, agreed, unlabelled, [*rejected, *contradictions], dry_run=dry_run)


def read_codings(path: Path) -> Iterator[Given | Unread]:
    """Yield the rows of a Label Studio export or of JSON lines, in order.

    Raises
    ------
    UsageError
        When there is no such file, or its name tells no known format.
    """
    if not path.is_file():
        raise UsageError(f"no such file: {path}.")
    readers: dict[str, Callable[[Path], Iterator[Given | Unread]]] = {
        ".json": _studio_rows, ".jsonl": _line_rows, ".ndjson": _line_rows,
    }  # fmt: skip
    if path.suffix.lower() not in readers:
        raise UsageError(f"{path}: codings come as .json (a Label Studio export) or .jsonl; rename or convert it.")
    yield from readers[path.suffix.lower()](path)


def _line_rows(path: Path) -> Iterator[Given | Unread]:
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        for number, raw in enumerate(stream, start=1):
            row = read_line(raw, number)
            if row is not None:
                yield row


def _studio_rows(path: Path) -> Iterator[Given | Unread]:
    elements = array_elements(path.read_text(encoding="utf-8-sig", errors="replace"))
    number = 0
    while True:
        number += 1
        try:
            line, element = next(elements)
        except StopIteration:
            return
        except (ValueError, RecursionError) as error:
            reason = f"not valid JSON ({error}); from here on nothing was read"
            yield Unread(where=f"task {number}", line=0, reason=reason)
            return
        yield from read_studio_task(element, f"line {line}, task {number}", line)


def _problem(row: Given, known: _Known) -> Unread | None:
    """Return why a row cannot be kept, None when it can."""
    reason = (
        _statement_problem(row, known)
        or _label_problem(row.labels, known.targets)
        or _coder_problem(_coder(row, known))
        or _time_problem(row.labelled_at)
    )
    return Unread(where=row.where, line=row.line, reason=reason, raw=_raw(row)) if reason else None


def _statement_problem(row: Given, known: _Known) -> str:
    if not isinstance(row.statement_id, str) or not row.statement_id:
        return "no statement_id"
    text = known.texts.get(row.statement_id)
    if text is None:
        return f"statement {row.statement_id} is not in the store (or was retired); ingest it first"
    if isinstance(row.text, str) and text_key(row.text) != text_key(text):
        return f"the text of {row.statement_id} is not the store's: these labels are of other words"
    return ""


def _label_problem(labels: Mapping[str, Any], targets: tuple[str, ...]) -> str:
    for target, stance in labels.items():
        if target not in targets:
            return f"unknown target {target!r}; accepted: {', '.join(targets)}"
        if stance is not None and stance != "" and stance not in STANCES:
            return f"{target}: unknown stance {stance!r}; accepted: {', '.join(STANCES)}"
    return ""


def _coder(row: Given, known: _Known) -> str:
    named = "" if row.coder is None else str(row.coder).strip()
    return known.names.get(named, named) or known.coder


def _coder_problem(coder: str) -> str:
    if not coder:
        return "nobody is named as coder; fill in coder, or name one with --coder NAME"
    if coder == ADJUDICATED:
        return f"{ADJUDICATED!r} names settled labels, not a coder; settle them with `stance annotate adjudicate`"
    if coder.isdigit():
        return f"Label Studio's user {coder} needs a name: --coder {coder}=NAME"
    return ""


def _time_problem(moment: object) -> str:
    if moment in (None, ""):
        return ""
    try:
        dt.datetime.fromisoformat(str(moment))
    except ValueError:
        return f"labelled_at {moment!r} is no ISO date and time"
    return ""


def _codings(row: Given, known: _Known) -> Iterator[Coding]:
    moment = _iso(dt.datetime.fromisoformat(str(row.labelled_at))) if row.labelled_at else known.now
    for target, stance in row.labels.items():
        if stance:
            yield Coding(
                statement_id=row.statement_id,
                target=target,
                stance=stance,
                coder=_coder(row, known),
                codebook_version=str(row.codebook_version or known.codebook_version),
                labelled_at=moment,
                origin=known.origin,
            )


def _iso(moment: dt.datetime) -> str:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return aware.astimezone(dt.UTC).isoformat(timespec="seconds")


def _raw(row: Given) -> dict[str, Any]:
    return {"statement_id": row.statement_id, "coder": row.coder, "labels": dict(row.labels)}


def _key(coding: Coding) -> tuple[str, str, str]:
    return coding.statement_id, coding.target, coding.coder


def _without_contradictions(placed: list[_Placed]) -> tuple[list[Coding], list[Unread]]:
    """Leave out what one coder answers in two ways at one time: neither answer can be believed."""
    answers: dict[tuple[str, ...], list[_Placed]] = {}
    for row, coding in placed:
        answers.setdefault((*_key(coding), coding.labelled_at), []).append((row, coding))
    agreed: list[Coding] = []
    found: list[Unread] = []
    for (first, coding), *more in answers.values():
        differing = next(((row, other) for row, other in more if other.stance != coding.stance), None)
        if differing is None:
            agreed.append(coding)
            continue
        row, other = differing
        reason = (
            f"{other.coder} gives {other.target} of {other.statement_id} as {other.stance} here and as "
            f"{coding.stance} on {first.where}; neither was kept"
        )
        found.append(Unread(where=row.where, line=row.line, reason=reason, raw=_raw(row)))
    return agreed, found


def _store(
    store: Store, codings: list[Coding], unlabelled: int, rejected: list[Unread], *, dry_run: bool
) -> Imported:
    latest: dict[tuple[str, str, str], Coding] = {}
    for coding in sorted(codings, key=lambda c: c.labelled_at):
        latest[_key(coding)] = coding
    fates = _fates(store, latest)
    if not dry_run:
        store.add_codings(latest[key] for key, fate in fates.items() if fate in ("new", "changed"))
    return Imported(
        **Counter(fates.values()),
        unlabelled=unlabelled,
        coders=Counter(coding.coder for coding in latest.values()),
        rejected=tuple(rejected),
    )


def _fates(store: Store, latest: Mapping[tuple[str, str, str], Coding]) -> dict[tuple[str, str, str], str]:
    """Say of each coding what becomes of it beside what the store holds."""
    held = {_key(coding): coding for coding in store.codings()}
    fates = {}
    for key, coding in latest.items():
        if key not in held:
            fates[key] = "new"
        elif (held[key].stance, held[key].codebook_version) == (coding.stance, coding.codebook_version):
            fates[key] = "unchanged"
        else:
            fates[key] = "older" if coding.labelled_at < held[key].labelled_at else "changed"
    return fates
