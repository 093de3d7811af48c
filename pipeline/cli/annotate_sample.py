"""`stance annotate sample`: draw the statements to label next."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import console
from pipeline.cli.console import ModelOption, OutputFormat, StoreOption, TargetsOption, iso_date
from pipeline.cli.statements import Since, Until
from pipeline.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.store import Store

SAMPLE_COLUMNS = (
    "statement_id", "doc_id", "date", "speaker", "country", "lang", "text", "round", "stratum", "sampling_prob"
)  # fmt: skip
"""Columns of the drawn statements. The model's tags are not among them: a coder should not see them."""


def sample(
    n: Annotated[int, typer.Option("--n", min=1, help="Statements to draw.")] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the draw.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write, .csv or .jsonl [default: standard output].")
    ] = None,
    pair: Annotated[str, typer.Option("--pair", help="The two actors whose gaps are to be narrowed.")] = "CHN,RUS",
    targets: TargetsOption = None,
    since: Since = None,
    until: Until = None,
    model: ModelOption = None,
    store: StoreOption = None,
) -> None:
    """Draw the statements whose labels would narrow the intervals most.

    Each is drawn with a known probability, which the store keeps, also over further rounds: statements drawn once
    are not drawn again. Statements must be classified first. Examples:

      stance annotate sample --n 200 --out to-label.csv
    """
    from pipeline.aggregate import TrendOptions
    from pipeline.annotate.sampling import draw_round

    actors = [part.strip() for part in pair.split(",")]
    if len(set(actors)) != 2 or not all(actors):
        raise UsageError(f"--pair {pair}: name two different actors, as in CHN,RUS.")
    first, last = (iso_date(value, name) for value, name in ((since, "--since"), (until, "--until")))
    options = TrendOptions(
        pair=(actors[0], actors[1]),
        since=dt.date.fromisoformat(first) if first else None,
        until=dt.date.fromisoformat(last) if last else None,
        targets=tuple(t.strip() for t in targets.split(",") if t.strip()) if targets else None,
    )
    kind = console.chosen_format(None, out)
    with console.open_store(store) as opened:
        model_id, tags = _tags(opened, model)
        history = opened.sampling_frame()
        drawn = draw_round(tags, opened.labels_frame(), history, n=n, options=options, random_state=seed)
        number = 1 if history.empty else int(history["round"].max()) + 1
        rows = _rows(opened, drawn[drawn["drawn"]], number)
        _write(rows, kind, out)  # before it is recorded: a round that reached nobody must not count
        opened.add_sampling_round(drawn, seed=seed, asked=n, model_id=model_id, now=console.now())
    each = drawn.groupby("stratum")["drawn"].agg(["sum", "size"])
    shares = ", ".join(f"{name} {int(row['sum'])} of {int(row['size'])}" for name, row in each.iterrows())
    fewer = f" ({n} were asked for, no more are left)" if len(rows) < n else ""
    console.note(
        f"round {number}: {len(rows)} statements drawn{fewer}; {shares}" + (f"; wrote {out}" if out else "")
    )


def _tags(opened: Store, model: str | None) -> tuple[str, pd.DataFrame]:
    from pipeline.classify.artifact import current_model_id

    model_id = model or current_model_id()
    if model_id is None:
        raise UsageError("no trained model yet: run `stance retrain`, then `stance classify`, or `make run`.")
    tags = opened.tags_frame(model_id)
    if tags.empty:
        raise UsageError(f"no statement in {opened.path} is tagged by {model_id}: `stance classify` comes first.")
    return model_id, tags


def _rows(opened: Store, drawn: pd.DataFrame, number: int) -> list[dict[str, object]]:
    """Return the drawn statements in a random-looking but fixed order, that of their ids."""
    chosen = {str(r.statement_id): (r.stratum, r.sampling_prob) for r in drawn.itertuples()}
    rows: list[dict[str, object]] = []
    for statement in opened.statements():
        if statement.statement_id in chosen:
            stratum, chance = chosen[statement.statement_id]
            rows.append({
                **{name: getattr(statement, name) for name in SAMPLE_COLUMNS[:7]}, "round": number,
                "stratum": stratum, "sampling_prob": chance,
            })  # fmt: skip
    return sorted(rows, key=_by_id)


def _by_id(row: dict[str, object]) -> str:
    return str(row["statement_id"])


def _write(rows: list[dict[str, object]], kind: OutputFormat, out: Path | None) -> None:
    from pipeline.tables import open_table_writer

    if kind is OutputFormat.parquet:
        raise UsageError("a sample is written as .csv or .jsonl: name the file so.")
    if kind is OutputFormat.table:
        console.print_rows(("statement_id", "date", "country", "speaker", "sampling_prob"), rows, kind)
        return
    with open_table_writer(SAMPLE_COLUMNS, kind.value, out) as write:
        write(rows)
