"""Guards on labels: where two codings agree, the label is theirs, unless reviewed.csv says why not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from pipeline.corpus import AuthoredPassage, DocumentedStatement
from pipeline.guards.findings import Finding
from pipeline.guards.reading import REVIEWED_FILE, Bundle, Line

KINDS = ("distinct", "label")


def record_id(record: DocumentedStatement | AuthoredPassage) -> str:
    """Return the id of a statement or a passage."""
    return record.statement_id if isinstance(record, DocumentedStatement) else record.passage_id


def reviewed(bundle: Bundle, kind: str) -> set[tuple[str, str]]:
    """Return the pairs of one kind that reviewed.csv gives a reason for.

    `label`: statement or passage and target. `distinct`: two statements, in both orders.
    """
    pairs = {
        (row["statement_id"], row["other"])
        for row in bundle.reviewed.values()
        if row["kind"] == kind and row["reason"].strip()
    }
    return pairs | {(b, a) for a, b in pairs} if kind == "distinct" else pairs


def unruled(bundle: Bundle, today: dt.date) -> Iterator[Finding]:
    """Find labels that override two agreeing codings without a reason, and labels of what was coded once."""
    del today
    ruled = reviewed(bundle, "label")
    for row in bundle.lines:
        yield from _overridden(row, ruled)


def _overridden(row: Line, ruled: set[tuple[str, str]]) -> Iterator[Finding]:
    name = record_id(row.record)
    first, second, labels = row.record.coding_1, row.record.coding_2, row.record.labels
    if labels is not None and (first is None or second is None):
        yield row.finding(f"{name}: labels given, but not coded twice (labels must be null until it is)")
    if labels is None or first is None or second is None:
        return
    for target, stance in labels.items():
        if _agreed(first, second, target) and stance != first[target] and (name, target) not in ruled:
            yield row.finding(
                f"{name}: labels.{target} is {stance}, but both codings say {first[target]}; "
                f"mend it, or give the reason in {REVIEWED_FILE}"
            )


def _agreed(first: Mapping[str, str], second: Mapping[str, str], target: str) -> bool:
    return first[target] == second[target]


def reviews(bundle: Bundle, today: dt.date) -> Iterator[Finding]:
    """Find lines of reviewed.csv that rule nothing: unknown kind, id or target, or no reason."""
    del today
    ids = {record_id(row.record) for row in bundle.lines}
    for line, row in bundle.reviewed.items():
        others = ids if row["kind"] == "distinct" else set(bundle.targets.ids)
        problems = []
        if row["kind"] not in KINDS:
            problems.append(f"kind: {row['kind']!r} is not one of {', '.join(KINDS)}")
        if row["statement_id"] not in ids:
            problems.append(f"statement_id: no {row['statement_id']!r} in the corpus")
        if row["other"] not in others:
            problems.append(f"other: no {row['other']!r}; a label names a target, distinct the other statement")
        if not row["reason"].strip():
            problems.append("reason: say why")
        for problem in problems:
            yield Finding(path=bundle.shown(REVIEWED_FILE), line=line, message=problem)
