"""What `stance trends` says on the terminal: the latest figures, who carries them, what labels would be worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.cli import console

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.aggregate import Trends


def show(result: Trends, pair: tuple[str, str]) -> None:
    """Print the latest quarter or month with data of each target, and a line on each further table."""
    rows = result.trends[result.trends["status"] != "empty"]
    if rows.empty:
        console.note("no period has data: the tables hold empty rows only")
        return
    _latest(rows, pair)
    if (rows["estimator"] == "uncorrected").any():
        console.note(
            "UNCORRECTED: there are too few labels to correct the classifier's errors with, so every figure takes "
            "its word; errors alone can look like agreement. `stance annotate sample` says what to label."
        )
    _show_carried(carried(result.influence))
    if line := worth(result.labelling):
        console.note(line)


def carried(influence: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return who moves the convergence on each target most by being left out; nothing when nobody is known.

    Returns
    -------
    list of (target, speaker, convergence with, without)
        By target.
    """
    rows = influence[(influence["measure"] == "convergence") & influence["without"].notna()]
    if rows.empty:
        return []
    first = rows.loc[rows["influence"].abs().groupby(rows["target"]).idxmax()].sort_values("target")
    return [
        (str(r.target), f"{r.speaker} ({r.country})", f"{r.estimate:.2f}", f"{r.without:.2f}")
        for r in first.itertuples()
    ]


def _show_carried(rows: list[tuple[str, ...]]) -> None:
    """Print a table of who carries the convergence over all months."""
    if not rows:
        return
    shown = console.table("convergence, all months", "rests most on", "with#", "without#")
    for row in rows:
        shown.add_row(*row)
    console.show(shown)


def worth(labelling: pd.DataFrame) -> str:
    """Return by how much further labels would narrow the gaps' intervals; empty without labels to judge by."""
    rows = labelling[labelling["narrower_by"].notna()].sort_values("narrower_by", kind="stable")
    if rows.empty:
        return ""
    if not rows["narrower_by"].astype(float).gt(0).any():
        return "every statement that counts is labelled: only new statements can narrow the intervals now"
    parts = [f"{r.target} {float(r.narrower_by):.0%}" for r in rows.itertuples()]  # type: ignore[arg-type]
    return f"{int(rows['more'].iloc[0])} further labels would narrow the gap's interval by: " + ", ".join(parts)


def _latest(rows: pd.DataFrame, pair: tuple[str, str]) -> None:
    """Print both positions and the convergence of each target in its latest period with data."""
    rows = rows[rows["freq"] == rows["freq"].iloc[-1]]
    shown = console.table(
        "latest with data", "period", f"{pair[0]}#", f"{pair[1]}#", "convergence#", "95% interval"
    )
    for target in dict.fromkeys(rows.loc[rows["measure"] == "convergence", "target"]):
        of = rows[rows["target"] == target]
        last = of[of["measure"] == "convergence"].iloc[-1]
        now = of[of["period_start"] == last["period_start"]]
        positions = {r.country: r.estimate for r in now[now["measure"] == "position"].itertuples()}
        shown.add_row(
            str(target), str(last["period_start"]), *(_signed(positions, actor) for actor in pair),
            f"{last['estimate']:.2f}", f"{last['conf_low']:.2f} to {last['conf_high']:.2f}",
        )  # fmt: skip
    console.show(shown)


def _signed(positions: Mapping[object, object], actor: str) -> str:
    value = positions.get(actor)
    return f"{value:+.2f}" if isinstance(value, float) else ""
