"""How often the report's three indicators say what is not so, and how often they find what is.

Draws worlds whose truth is known (`tests/strands.py`) and prints a table for `tests/bench/README.md`:

    python -m tests.bench.indicators [WORLDS] [SCENARIO ...]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from pipeline.aggregate import TrendOptions, estimate_trends
from pipeline.report import shifts
from pipeline.report.inputs import drawn_rows, series
from pipeline.report.shifts import Shift, Strand, strand
from pipeline.schema import EVENT_COLUMNS
from tests.strands import ACTORS, TARGETS, World, make_strands

INDIA, RECOGNITION, SECURITY, COORDINATION = range(4)
CHINA, RUSSIA = range(2)
SCENARIOS: dict[str, dict[str, float]] = {
    "steady": {},
    "a quarter labelled": {"labelled": 0.25},
    "five times more said, a quarter labelled": {"labelled": 0.25, "growth": 5.0},
    "long swings": {"swing": 0.3, "memory": 0.7},
    "longest swings": {"swing": 0.3, "memory": 0.85},
    "slope .05 a year": {"slope": 0.05},
    "slope .1 a year": {"slope": 0.1},
    "slope .1 a year, a quarter labelled": {"slope": 0.1, "labelled": 0.25},
    "slope .2 a year": {"slope": 0.2},
    "four fifths of long swings shared": {"swing": 0.3, "memory": 0.7, "shared": 0.8},
    "the same, three times the statements": {"swing": 0.3, "memory": 0.7, "shared": 0.8, "documents": 12.0},
}


def answers(seed: int, **world: Any) -> dict[str, tuple[Shift, float]]:
    """Return what each indicator estimates in a world, beside the truth (NaN where a correlation has none)."""
    drawn = make_strands(seed, **world)
    slope, nan = world.get("slope", 0.0), float("nan")
    india, talk, security, own = (said(drawn, RUSSIA, t) for t in (INDIA, COORDINATION, SECURITY, RECOGNITION))
    return {
        "mean": (shifts.mean(security), drawn.mean(RUSSIA, SECURITY)),
        "warmth": (shifts.mean(india, talk), drawn.mean(RUSSIA, INDIA) - drawn.mean(RUSSIA, COORDINATION)),
        "attention": (
            shifts.attention(india, talk),
            drawn.share(RUSSIA, INDIA) - drawn.share(RUSSIA, COORDINATION),
        ),
        "trend": (shifts.trend(security), slope),
        "trend of the difference": (shifts.trend(india, talk), slope),
        "together": (shifts.together(said(drawn, CHINA, RECOGNITION), own), nan),
    }


def said(drawn: World, actor: int, target: int) -> Strand:
    """Return what an actor said on a target of a world."""
    return strand(drawn.inputs, ACTORS[actor], TARGETS[target])


def summary(worlds: int, **world: Any) -> pd.DataFrame:
    """Return coverage, error, half width and share found of each indicator over worlds, by name."""
    rows = []
    for seed in range(worlds):
        for name, (shift, true) in answers(seed, **world).items():
            rows.append({
                "name": name, "covered": float("nan") if np.isnan(true) else float(shift.low <= true <= shift.high),
                "error": shift.estimate - true, "half": (shift.high - shift.low) / 2,
                "found": float("nan") if np.isnan(shift.p_value) else float(shift.p_value < 0.05),
                "detectable": shift.detectable, "estimate": shift.estimate,
            })  # fmt: skip
    frame = pd.DataFrame(rows).groupby("name", sort=False)
    spread = frame["error"].std().rename("sd")
    return pd.concat([frame.mean(), spread], axis=1)


def crossings(worlds: int) -> tuple[float, float]:
    """Return in what share of worlds, where both positions are zero throughout, an interval ever lies above zero.

    Of all of an actor's quarters, and of one quarter taken by itself.
    """
    ever, each = [], []
    for seed in range(worlds):
        inputs = make_strands(seed, level=0.0).inputs
        tags = inputs.tags.merge(
            inputs.statements[["statement_id", "doc_id", "date", "country"]], on="statement_id"
        )
        options = TrendOptions(freqs=("quarter",), permutations=19)
        found = estimate_trends(tags, inputs.labels, pd.DataFrame(columns=list(EVENT_COLUMNS)), options)
        rows = drawn_rows(found.trends)
        for actor in ACTORS:
            data = series(rows, measure="position", target=TARGETS[RECOGNITION], actor=actor)
            above = data.loc[data["status"] != "empty", "conf_low"] > 0
            ever.append(bool(above.any()))
            each.append(float(above.mean()))
    return float(np.mean(ever)), float(np.mean(each))


def main(words: list[str], write: Callable[[str], Any] = sys.stdout.write) -> None:
    """Print the tables."""
    worlds, chosen = int(words[0]) if words else 300, words[1:] or list(SCENARIOS)
    write(
        f"{worlds} worlds each\n| world | indicator | covered | error: mean, sd | half width | found | detectable |\n"
    )
    write("|---|---|---|---|---|---|---|\n")
    for name in chosen:
        for row in summary(worlds, **SCENARIOS[name]).itertuples():
            error = f"{row.error:+.3f}, {row.sd:.3f}"
            write(f"| {name} | {row.Index} | {row.covered:.3f} | {error} | {row.half:.3f} | {row.found:.3f} "
                  f"| {row.detectable:.3f} |\n")  # fmt: skip
    if not words[1:]:
        ever, each = crossings(max(20, worlds // 5))
        write(f"an interval above zero where all is zero: ever {ever:.3f}, a quarter {each:.3f}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
