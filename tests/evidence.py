"""The hand-marked passages, and how well evidence fits the marks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.corpus import load_authored

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A passage with the words that carry its stance on one target."""

    text: str
    lang: str
    target: str
    stance: str
    spans: tuple[Span, ...]


def marked_passages() -> list[Marked]:
    """Read the marks; those of passages that the corpus no longer holds are left out."""
    texts = {row["passage_id"]: row["text"] for row in load_authored()}
    lines = (Path(__file__).parent / "marks" / "evidence.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        Marked(
            text=texts[row["passage_id"]],
            lang=row["lang"],
            target=row["target"],
            stance=row["stance"],
            spans=tuple((start, end) for start, end in row["marked"]),
        )
        for row in map(json.loads, lines)
        if row["passage_id"] in texts
    ]


def fit_of(passages: list[Marked], find: Callable[[Marked], Span]) -> dict[str, float]:
    """Return shares: evidence that overlaps a mark, best intersection over union, evidence that is marked, of text."""
    overlap, union, precision, length = [], [], [], []
    for passage in passages:
        found = set(range(*find(passage)))
        marks = [set(range(*span)) for span in passage.spans]
        overlap.append(any(found & mark for mark in marks))
        union.append(max(len(found & mark) / len(found | mark) for mark in marks))
        precision.append(len(found & set().union(*marks)) / len(found))
        length.append(len(found) / len(passage.text))
    names = ("overlap", "intersection_over_union", "precision", "share_of_text")
    return {name: float(np.mean(v)) for name, v in zip(names, (overlap, union, precision, length), strict=True)}
