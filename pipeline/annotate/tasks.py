"""What a coder is asked: a statement, the targets, and (unless blind) what the model reads in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.schema import ADJUDICATED, Coding, Statement

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.store import Store

CONTEXT_COLUMNS = ("date", "speaker", "role", "country", "venue", "lang", "source", "url", "provenance")
"""What a coder is shown beside the text: who said it where; never what another coder thinks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A model's reading of one target: its stance, how sure it is, and the span that shows it (code points)."""

    stance: str
    confidence: float
    abstained: bool
    model_id: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One statement to label on the given targets; `suggestions` by target, empty in a blind task."""

    statement: Statement
    targets: tuple[str, ...]
    codebook_version: str
    suggestions: Mapping[str, Suggestion]


def make_tasks(
    statements: Sequence[Statement],
    targets: tuple[str, ...],
    *,
    codebook_version: str,
    suggestions: Mapping[str, Mapping[str, Suggestion]] | None = None,
) -> list[Task]:
    """Return a task for each statement, in order; without `suggestions` they are blind."""
    known = suggestions or {}
    return [
        Task(
            statement=statement,
            targets=targets,
            codebook_version=codebook_version,
            suggestions={t: s for t, s in known.get(statement.statement_id, {}).items() if t in targets},
        )
        for statement in statements
    ]


def model_suggestions(store: Store, model_id: str) -> dict[str, dict[str, Suggestion]]:
    """Return what a model's tags in the store suggest, by statement and target; empty when there are none."""
    found: dict[str, dict[str, Suggestion]] = {}
    for row in _records(store.tags_frame(model_id)):
        found.setdefault(row["statement_id"], {})[row["target"]] = Suggestion(
            stance=row["stance"],
            confidence=float(row["confidence"]),
            abstained=bool(row["abstained"]),
            model_id=model_id,
            start=_offset(row["evidence_start"]),
            end=_offset(row["evidence_end"]),
        )
    return found


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    kept = ["statement_id", "target", "stance", "confidence", "abstained", "evidence_start", "evidence_end"]
    return [dict(zip(kept, values, strict=True)) for values in frame[kept].itertuples(index=False, name=None)]


def _offset(value: float | None) -> int | None:
    return None if value is None or math.isnan(value) else int(value)


def task_row(task: Task) -> dict[str, Any]:
    """Return a task as one JSON line: the coder fills in `coder` and, in `labels`, a stance for each null."""
    statement = task.statement
    row: dict[str, Any] = {
        "statement_id": statement.statement_id,
        "coder": "",
        "labels": dict.fromkeys(task.targets),
        "text": statement.text,
        **{name: getattr(statement, name) for name in CONTEXT_COLUMNS},
        "codebook_version": task.codebook_version,
    }
    if task.suggestions:
        row["suggestions"] = {target: suggestion_row(s, statement.text) for target, s in task.suggestions.items()}
    return row


def suggestion_row(suggestion: Suggestion, text: str) -> dict[str, Any]:
    """Return a suggestion as plain data, with the words of its span."""
    return {
        "stance": suggestion.stance,
        "confidence": round(suggestion.confidence, 4),
        "abstained": suggestion.abstained,
        "evidence_start": suggestion.start,
        "evidence_end": suggestion.end,
        "evidence": text[suggestion.start : suggestion.end] if suggestion.start is not None else "",
        "model_id": suggestion.model_id,
    }


def coded_rows(
    codings: Mapping[str, Mapping[str, Mapping[str, Coding]]], targets: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Yield people's labels on record as rows that import again: one a statement, coder, time and codebook."""
    for statement_id, by_target in sorted(codings.items()):
        rows: dict[tuple[str, str, str], dict[str, str]] = {}
        for target in targets:
            for coder, coding in by_target.get(target, {}).items():
                if coder != ADJUDICATED:
                    key = (coder, coding.labelled_at, coding.codebook_version)
                    rows.setdefault(key, {})[target] = coding.stance
        for (coder, moment, version), labels in sorted(rows.items()):
            yield {
                "statement_id": statement_id, "coder": coder, "labels": labels, "labelled_at": moment,
                "codebook_version": version,
            }  # fmt: skip
