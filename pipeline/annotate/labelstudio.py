"""Label Studio both ways: our labelling configuration, tasks with pre-annotations, and its two JSON exports.

Formats: Label Studio's documentation, "Task format", "Import pre-annotated data" and "Export annotations".
Its offsets in plain text are code points, as ours are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from pipeline.annotate.rows import Given, Unread
from pipeline.annotate.tasks import CONTEXT_COLUMNS, Suggestion, Task
from pipeline.config import Target
from pipeline.schema import STANCES

TEXT, EVIDENCE = "text", "evidence"
_COLOURS = (
    "#4477aa",
    "#ee6677",
    "#228833",
    "#ccbb44",
    "#66ccee",
    "#aa3377",
)  # Tol's bright scheme, colour-blind safe


def labelling_config(targets: Sequence[Target]) -> str:
    """Return the XML for Settings > Labeling Interface: the statement, and one required choice a target.

    Each choice carries its rule of the codebook as a hint, and a key: 1-4 for the first target, then q-r, and
    so on along the keyboard's rows.
    """
    view = ET.Element("View")
    # Without it spaces and line ends are trimmed, and the offsets of evidence would be of another text.
    ET.SubElement(view, "Style").text = ".htx-text { white-space: pre-wrap; }"
    ET.SubElement(view, "Header", value="$heading", size="5")
    labels = ET.SubElement(view, "Labels", name=EVIDENCE, toName=TEXT)
    for n, target in enumerate(targets):
        ET.SubElement(labels, "Label", value=target.id, background=_COLOURS[n % len(_COLOURS)])
    ET.SubElement(view, "Text", name=TEXT, value="$text", granularity="word")
    for n, target in enumerate(targets):
        ET.SubElement(view, "Header", value=f"{target.label}: {target.proposition}", size="6")
        choices = ET.SubElement(
            view, "Choices", name=target.id, toName=TEXT, choice="single-radio", showInline="true", required="true",
            requiredMessage=f"Give a stance on {target.id}; none when the text does not address it.",
        )  # fmt: skip
        for stance, key in zip(STANCES, _keys(n), strict=True):
            choice = {"value": stance, "hint": str(getattr(target, stance)), **({"hotkey": key} if key else {})}
            ET.SubElement(choices, "Choice", choice)
    ET.indent(view)
    return ET.tostring(view, encoding="unicode") + "\n"


def _keys(row: int) -> Sequence[str]:
    rows = ("1234", "qwer", "asdf", "zxcv", "7890", "uiop")
    return rows[row] if row < len(rows) else ("",) * len(STANCES)


def studio_task(task: Task) -> dict[str, Any]:
    """Return a task as Label Studio imports it; the model's reading is a prediction, with evidence spans."""
    statement = task.statement
    heading = (statement.speaker, statement.role, statement.country, statement.date, statement.venue)
    data = {
        "statement_id": statement.statement_id,
        TEXT: statement.text,
        "heading": ", ".join(part for part in heading if part),
        **{name: getattr(statement, name) for name in CONTEXT_COLUMNS},
        "targets": list(task.targets),
        "codebook_version": task.codebook_version,
    }
    return {"data": data, "predictions": [_prediction(task)] if task.suggestions else []}


def _prediction(task: Task) -> dict[str, Any]:
    results: list[dict[str, Any]] = []
    for target, suggestion in task.suggestions.items():
        results.append(_region(target, target, "choices", {"choices": [suggestion.stance]}))
        if suggestion.start is not None:
            results.append(_region(f"{EVIDENCE}-{target}", EVIDENCE, "labels", _span(task, target, suggestion)))
    return {
        "model_version": next(iter(task.suggestions.values())).model_id,
        # The tasks that the model is least sure of sort first in Label Studio's data manager.
        "score": round(min(suggestion.confidence for suggestion in task.suggestions.values()), 4),
        "result": results,
    }


def _region(name: str, control: str, kind: str, value: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": name, "from_name": control, "to_name": TEXT, "type": kind, "value": dict(value)}


def _span(task: Task, target: str, suggestion: Suggestion) -> dict[str, Any]:
    words = task.statement.text[suggestion.start : suggestion.end]
    return {"start": suggestion.start, "end": suggestion.end, "text": words, "labels": [target]}


def read_studio_task(content: object, where: str, line: int) -> Iterator[Given | Unread]:
    """Yield what one element of a Label Studio export says: a coding for each annotation, or why not.

    Both of its formats are read: JSON (tasks with annotations) and JSON-MIN (one object an annotation). A
    skipped annotation says nothing and yields nothing.
    """
    if not isinstance(content, dict):
        yield Unread(where=where, line=line, reason="not an object: this is no task of a Label Studio export")
    elif isinstance(content.get("data"), dict):
        yield from _full(content, where, line)
    else:
        yield _minimal(content, where, line)


def _full(content: Mapping[str, Any], where: str, line: int) -> Iterator[Given | Unread]:
    data, annotations = content["data"], content.get("annotations") or []
    if not isinstance(annotations, list) or not all(isinstance(one, dict) for one in annotations):
        yield Unread(where=where, line=line, reason="annotations must be a list of objects")
        return
    for number, annotation in enumerate(annotations, start=1):
        at = f"{where}, annotation {number}" if len(annotations) > 1 else where
        if annotation.get("was_cancelled"):
            continue
        labels = _choices(annotation.get("result"), _asked(data))
        if isinstance(labels, str):
            yield Unread(where=at, line=line, reason=labels, raw=data)
            continue
        yield Given(
            where=at,
            line=line,
            statement_id=data.get("statement_id"),
            text=data.get(TEXT),
            coder=_coder(annotation.get("completed_by")),
            labels=labels,
            labelled_at=annotation.get("updated_at") or annotation.get("created_at"),
            codebook_version=data.get("codebook_version"),
        )


def _asked(data: Mapping[str, Any]) -> Sequence[str] | None:
    """Return the targets a task asked for; a project may have controls of its own beside them."""
    targets = data.get("targets")
    return [str(target) for target in targets] if isinstance(targets, list) else None


def _choices(results: object, asked: Sequence[str] | None) -> dict[str, Any] | str:
    """Return the stances by target of an annotation's results, or why they do not read."""
    if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
        return "an annotation's result must be a list of objects"
    labels: dict[str, Any] = {}
    for one in results:
        target, value = str(one.get("from_name")), one.get("value")
        if one.get("type") != "choices" or (asked is not None and target not in asked):
            continue
        chosen = value.get("choices") if isinstance(value, dict) else None
        if not isinstance(chosen, list) or len(chosen) != 1 or target in labels:
            return f"{target}: one choice was expected, found {chosen!r}"
        labels[target] = chosen[0]
    return labels


def _minimal(content: Mapping[str, Any], where: str, line: int) -> Given | Unread:
    asked = _asked(content)
    if asked is None:
        reason = "neither data nor targets: this is no task that `stance annotate export` wrote"
        return Unread(where=where, line=line, reason=reason, raw=content)
    return Given(
        where=where,
        line=line,
        statement_id=content.get("statement_id"),
        text=content.get(TEXT),
        coder=_coder(content.get("annotator")),
        labels={target: content.get(target) for target in asked},
        labelled_at=content.get("updated_at") or content.get("created_at"),
        codebook_version=content.get("codebook_version"),
    )


def _coder(completed_by: object) -> object:
    """Return who annotated: an address where the export has it, else the user's number."""
    if isinstance(completed_by, dict):
        return completed_by.get("email") or completed_by.get("username") or completed_by.get("id")
    return completed_by
