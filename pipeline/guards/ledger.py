"""Guards on ids: an id stays with its statement for ever, as documented/ids.csv registers it.

A passage's id follows from its text. A statement's id does not, since a paraphrase may be mended: ids.csv keeps
a fingerprint of date, speaker, text and labels, so that no change slips in unseen, and every id that was taken
out, so that it is never given again.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
from collections.abc import Iterator, Mapping

from pipeline.corpus import DocumentedStatement
from pipeline.guards.findings import Finding
from pipeline.guards.reading import LEDGER_COLUMNS, LEDGER_FILE, Bundle
from pipeline.guards.stances import record_id


def fingerprint(statement: DocumentedStatement) -> str:
    """Return a hash of what a statement says: date, speaker, country, text and labels."""
    labels = dict(statement.labels) if statement.labels is not None else None
    kept = [statement.date.isoformat(), statement.speaker, statement.country, statement.text, labels]
    return hashlib.sha256(json.dumps(kept, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:12]


def passage_id(text: str) -> str:
    """Return the id of an authored passage."""
    return "a" + hashlib.sha256(text.encode()).hexdigest()[:10]


def unregistered(bundle: Bundle, today: dt.date) -> Iterator[Finding]:
    """Find ids given twice, unknown to ids.csv or gone without a reason, and statements changed unseen."""
    del today
    yield from _repeated_lines(bundle)
    entries = {row["statement_id"]: row for row in bundle.ledger.values()}
    seen: dict[str, int] = {}
    for row in bundle.statements:
        name = row.record.statement_id
        if name in seen:
            yield row.finding(f"statement_id: {name} was given on line {seen[name]} too")
        seen.setdefault(name, row.line)
        if (problem := _unlike(entries.get(name), row.record)) is not None:
            yield row.finding(f"{name}: {problem}")
    for line, entry in bundle.ledger.items():
        if entry["statement_id"] not in seen and not entry["removed"].strip():
            message = f"{entry['statement_id']} is gone; put it back, or say why in the column removed"
            yield Finding(path=bundle.shown(LEDGER_FILE), line=line, message=message)


def _repeated_lines(bundle: Bundle) -> Iterator[Finding]:
    seen: set[str] = set()
    for line, entry in bundle.ledger.items():
        if entry["statement_id"] in seen:
            message = f"{entry['statement_id']} stands twice"
            yield Finding(path=bundle.shown(LEDGER_FILE), line=line, message=message)
        seen.add(entry["statement_id"])


def _unlike(entry: Mapping[str, str] | None, statement: DocumentedStatement) -> str | None:
    accept = "`stance check-corpus --register`"
    if entry is None:
        return f"not registered in {LEDGER_FILE}; if it is new, run {accept}"
    if entry["removed"].strip():
        return f"this id was taken out ({entry['removed']}) and is never given again; make another"
    if entry["fingerprint"] != fingerprint(statement):
        return f"date, speaker, country, text or labels changed since it was registered; if meant, run {accept}"
    return None


def passage_ids(bundle: Bundle, today: dt.date) -> Iterator[Finding]:
    """Find passages whose id does not follow from the text, and ids or texts given twice."""
    del today
    seen: dict[str, str] = {}
    for row in bundle.passages:
        expected = passage_id(row.record.text)
        if row.record.passage_id != expected:
            yield row.finding(f"passage_id: {row.record.passage_id} must be {expected}, by the text")
        if expected in seen:
            yield row.finding(f"text: the same as on {seen[expected]}")
        seen.setdefault(expected, f"{row.path}:{row.line}")


def register(bundle: Bundle, *, batch: str) -> int:
    """Enter every valid statement with its fingerprint; ids that are gone keep their line.

    Returns
    -------
    int
        Lines added or changed.
    """
    entries = {row["statement_id"]: dict(row) for row in bundle.ledger.values()}
    before = {name: dict(entry) for name, entry in entries.items()}
    for row in bundle.statements:
        new = {"statement_id": record_id(row.record), "batch": batch, "fingerprint": "", "removed": ""}
        entry = entries.setdefault(row.record.statement_id, new)
        entry["fingerprint"] = fingerprint(row.record)
    changed = sum(before.get(name) != entry for name, entry in entries.items())
    if changed:
        text = io.StringIO()
        writer = csv.DictWriter(text, LEDGER_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(entries[name] for name in sorted(entries))
        (bundle.folder / LEDGER_FILE).write_text(text.getvalue(), encoding="utf-8")
    return changed
