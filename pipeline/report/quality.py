"""How sure: where the classifier errs by country, whether its confidence is honest, what correction changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.report import palette, words
from pipeline.report.charts import WIDE, whole
from pipeline.report.evidence import settled
from pipeline.report.inputs import ReportInputs, drawn_rows, series
from pipeline.report.marks import Spec, fixed, layer
from pipeline.schema import STANCES

BINS = 8
TITLE = "Confidence against accuracy, where the classifier gives a stance"
_Z = 1.959964
_NONE = STANCES.index("none")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Labels against tags of one country on one target: counts, shape (4, 4), true stance by predicted."""

    target: str
    country: str
    counts: tuple[tuple[int, ...], ...]

    @property
    def n(self) -> int:
        """Labelled statements."""
        return sum(map(sum, self.counts))

    @property
    def accuracy(self) -> float:
        """Share in which tag and label agree; NaN without labels."""
        return sum(self.counts[i][i] for i in range(len(STANCES))) / self.n if self.n else float("nan")

    @property
    def n_addressed(self) -> int:
        """Labelled statements that address the target."""
        return self.n - sum(self.counts[_NONE])

    @property
    def accuracy_addressed(self) -> float:
        """Share in which the tag agrees among those that address the target, which `none` does not flatter."""
        right = sum(self.counts[i][i] for i in range(len(STANCES)) if i != _NONE)
        return right / self.n_addressed if self.n_addressed else float("nan")

    def shares(self) -> tuple[tuple[float, ...], ...]:
        """Return the counts as shares of their true stance; 0 where it has none."""
        return tuple(tuple(count / max(sum(row), 1) for count in row) for row in self.counts)


def judged(inputs: ReportInputs) -> pd.DataFrame:
    """Return the tags of labelled statements, with `gold`, `country` and whether they `agree`.

    A tag of a statement that the model was trained on is out of fold, so it may be judged.
    """
    rows = settled(inputs.tags, inputs.labels)
    rows = rows[rows["gold"] != ""].merge(inputs.statements[["statement_id", "country"]], on="statement_id")
    return rows.assign(agree=rows["gold"] == rows["stance"])


def confusions(inputs: ReportInputs) -> tuple[Confusion, ...]:
    """Return the confusion of each target in each country of the pair, targets in the codebook's order."""
    rows = judged(inputs)
    answer = []
    for target in inputs.targets.ids:
        for actor in inputs.pair:
            own = rows[(rows["target"] == target) & (rows["country"] == actor)]
            counts = pd.crosstab(own["gold"], own["stance"]).reindex(index=STANCES, columns=STANCES, fill_value=0)
            if len(own):
                matrix = tuple(tuple(int(n) for n in line) for line in counts.to_numpy())
                answer.append(Confusion(target=target, country=actor, counts=matrix))
    return tuple(answer)


def calibration(inputs: ReportInputs, bins: int = BINS) -> list[Row]:
    """Return equally filled bins of confidence: mean confidence, accuracy with its Wilson interval, size.

    Only tags that give a stance: that a statement does not address a target is easy, and would flatter.
    """
    rows = judged(inputs)
    rows = rows[rows["stance"] != "none"].sort_values("confidence", kind="stable")
    answer = []
    for part in np.array_split(np.arange(len(rows)), bins):
        own = rows.iloc[part]
        if len(own):
            low, high = wilson(int(own["agree"].sum()), len(own))
            answer.append({
                "confidence": float(own["confidence"].mean()), "accuracy": float(own["agree"].mean()),
                "low": low, "high": high, "n": len(own),
            })  # fmt: skip
    return answer


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95% interval of a share (Wilson 1927)."""
    share, z2 = hits / n, _Z**2
    middle, half = share + z2 / (2 * n), _Z * (share * (1 - share) / n + z2 / (4 * n**2)) ** 0.5
    return max(0.0, (middle - half) / (1 + z2 / n)), min(1.0, (middle + half) / (1 + z2 / n))


def calibration_error(rows: Sequence[Row]) -> float:
    """Return the mean distance of confidence and accuracy over bins, weighted by size."""
    total = sum(row["n"] for row in rows)
    return (
        sum(abs(row["confidence"] - row["accuracy"]) * row["n"] for row in rows) / total if total else float("nan")
    )


def calibration_chart(
    inputs: ReportInputs, layout: tuple[int, int, int] = WIDE, *, standalone: bool = False
) -> Spec | None:
    """Return the reliability diagram, None without labelled statements."""
    rows = calibration(inputs)
    if not rows:
        return None
    size, font = min(layout[0], 380), layout[2]
    scale = {"domain": [0, 1], "nice": False}
    axis = {"values": [0, 0.25, 0.5, 0.75, 1], "format": ".0%", "titleColor": palette.MUTED, "titleFontSize": font}
    x = {
        "field": "confidence",
        "type": "quantitative",
        "scale": scale,
        "axis": axis | {"title": "confidence of the model"},
    }
    y = {
        "field": "accuracy",
        "type": "quantitative",
        "scale": scale,
        "axis": axis | {"title": "agrees with the label"},
    }
    look = {"stroke": palette.JOINT, "fill": palette.JOINT, "size": 60, "opacity": 1, "shape": "circle"}
    ends = [{"confidence": end, "accuracy": end} for end in (0, 1)]
    view: Spec = {
        "layer": [
            layer(ends, "line", {"color": palette.MUTED, "strokeDash": [4, 3]}, {"x": x, "y": y}),
            layer(rows, "rule", {"color": palette.JOINT, "strokeWidth": 2, "opacity": 0.5},
                  {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}}),
            layer(rows, "point", look, {"x": x, "y": y}),
        ],
        "width": size, "height": size * 2 // 3,
    }  # fmt: skip
    title = {"x": 0, "y": 14, "text": TITLE}
    places = {"x": fixed("x"), "y": fixed("y"), "text": {"field": "text", "type": "nominal"}}
    bold = {"align": "left", "fontWeight": "bold", "fontSize": 15, "color": palette.INK}
    head = [{"layer": [layer([title], "text", bold, places)], "width": size, "height": 30}] if standalone else []
    return whole([*head, view], font, standalone=standalone) | {"bounds": "full"}


def calibration_text(inputs: ReportInputs) -> str:
    """Return the text alternative of the reliability diagram."""
    rows = calibration(inputs)
    if not rows:
        return "There is no labelled statement to hold the model's confidence against."
    ends = [
        f"where it is {row['confidence']:.0%} sure it is right in {row['accuracy']:.0%}"
        for row in (rows[0], rows[-1])
    ]
    return (
        f"{sum(row['n'] for row in rows)} labelled tags in {len(rows)} equal groups: {ends[0]}, {ends[1]}; mean "
        f"distance {words.number(calibration_error(rows))}."
    )


def label_counts(inputs: ReportInputs) -> list[Row]:
    """Return per target how many statements are labelled with each stance, by country of the pair and others."""
    rows = judged(inputs)
    answer = []
    for target in inputs.targets.ids:
        own = rows[rows["target"] == target]
        for actor in (*inputs.pair, ""):
            part = own[own["country"] == actor] if actor else own[~own["country"].isin(list(inputs.pair))]
            if len(part):
                counts = [int((part["gold"] == stance).sum()) for stance in STANCES]
                name = inputs.name(actor) if actor else "others"
                answer.append({"target": inputs.label(target), "country": name, "counts": counts, "n": len(part)})
    return answer


def corrections(inputs: ReportInputs) -> list[Row]:
    """Return what correction changes: mean positions over the periods with data, counted naively and corrected."""
    rows = drawn_rows(inputs.trends)
    rows = rows.assign(naive_estimate=pd.to_numeric(rows["naive_estimate"], errors="coerce").astype(float))
    naive = rows.assign(estimate=rows["naive_estimate"])
    answer = []
    for target in inputs.targets.ids:
        means = {}
        for actor in inputs.pair:
            pair = [series(frame, measure="position", target=target, actor=actor) for frame in (naive, rows)]
            known = pair[1]["status"] != "empty"
            means[actor] = [float(frame.loc[known, "estimate"].mean()) for frame in pair]
        if not any(pd.isna(value) for pair_of in means.values() for value in pair_of):
            first, second = (means[actor] for actor in inputs.pair)
            gaps = [first[i] - second[i] for i in (0, 1)]
            figures = [*first, *second, *gaps]
            answer.append(
                {"target": inputs.label(target), "cells": [words.number(f, signed=True) for f in figures]}
            )
    return answer
