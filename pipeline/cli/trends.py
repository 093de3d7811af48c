"""`stance trends`: from tags and labels to tables."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli import console, selection, summary
from pipeline.cli.console import (
    Engine,
    EngineOption,
    ModelOption,
    SchedulerOption,
    StoreOption,
    TargetsOption,
    iso_date,
)
from pipeline.cli.statements import Since, Until
from pipeline.errors import UsageError
from pipeline.schema import (
    EVENT_COLUMNS,
    FREQUENCIES,
    LABEL_COLUMNS,
    PROBABILITY_COLUMNS,
    TEST_COLUMNS,
    TREND_COLUMNS,
)

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.aggregate import TrendOptions, Trends

_TAGS_NEEDED = ("statement_id", "doc_id", "date", "country", "target", "stance", *PROBABILITY_COLUMNS)
_TABLES = ("trends", "tests", "events", "influence", "labelling")
Out = Annotated[Path, typer.Option("--out", help="Folder to write to.")]


def trends(
    tags: Annotated[
        Path | None,
        typer.Option(
            "--tags",
            help="Tags, as `stance classify` writes them, a file or a folder of Parquet [default: the store's].",
        ),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="Labels: statement_id,target,stance,sampling_prob.")
    ] = None,
    events: Annotated[
        Path | None, typer.Option("--events", help="Events: event_id,date,label [default: the bundled ones].")
    ] = None,
    pair: Annotated[str, typer.Option("--pair", help="The two actors to compare.")] = "CHN,RUS",
    freq: Annotated[
        list[str] | None, typer.Option("--freq", help="month or quarter; repeatable [default: both].")
    ] = None,
    since: Since = None,
    until: Until = None,
    window: Annotated[int, typer.Option("--window", min=2, help="Months either side of an event.")] = 18,
    targets: TargetsOption = None,
    speaker: selection.SpeakerOption = None,
    source: selection.SourceOption = None,
    provenance: selection.ProvenanceOption = None,
    joint: selection.JointOption = "declared",
    data_seen_on: selection.SeenOption = None,
    include_unverified: selection.UnverifiedOption = False,
    seed: Annotated[int, typer.Option("--seed", help="Seed; equal seeds give equal bytes.")] = 0,
    out: Out = Path("exports"),
    model: ModelOption = None,
    store: StoreOption = None,
    engine: EngineOption = Engine.local,
    scheduler: SchedulerOption = None,
) -> None:
    """Estimate positions, gap and convergence over time, corrected for classifier error.

    Writes trends.csv, tests.csv, events.csv, influence.csv (each result again without each speaker),
    labelling.csv (what 100 further labels would be worth), and datapackage.json (what each column means). For
    example:

      stance trends

      stance trends --speaker "Wang Yi" --speaker "Sergei Lavrov" --joint out

      stance trends --tags tags.csv --labels labels.csv --freq quarter --out exports
    """
    from pipeline.aggregate import estimate_trends

    options = _options(pair, freq, since, until, window, targets, seed)
    options = replace(options, provenances=selection.tuple_of(provenance), joint=joint)
    if tags is not None:
        tag_frame, label_frame = _from_files(tags, labels, engine, scheduler)
    elif labels is not None:
        raise UsageError("--labels goes with --tags; without them the store's tags and labels are read.")
    else:
        tag_frame, label_frame = _from_store(store, model, include_unverified=include_unverified)
    event_frame = _events(events)
    options = replace(
        _with_pooled(options, tag_frame),
        speakers=selection.spellings(speaker, tag_frame),
        sources=selection.tuple_of(source),
        data_seen_on=selection.seen_on(data_seen_on, tag_frame),
    )
    with console.working("estimating"):
        result = estimate_trends(tag_frame, label_frame, event_frame, options)
    _write(result, out, selection.noted(options, stored=tags is None, include_unverified=include_unverified))
    summary.show(result, options.pair)
    console.note("wrote " + ", ".join(str(out / f"{name}.csv") for name in _TABLES))


def _options(
    pair: str,
    freq: list[str] | None,
    since: str | None,
    until: str | None,
    window: int,
    targets: str | None,
    seed: int,
) -> TrendOptions:
    from pipeline.aggregate import TrendOptions

    actors = tuple(part.strip() for part in pair.split(","))
    if len(set(actors)) != 2 or not all(actors):
        raise UsageError(f"--pair {pair}: name two different actors, as in CHN,RUS.")
    wrong = [f for f in freq or () if f not in FREQUENCIES]
    if wrong:
        raise UsageError(f"--freq {wrong[0]}: accepted are {' and '.join(FREQUENCIES)}.")
    first, last = (iso_date(value, name) for value, name in ((since, "--since"), (until, "--until")))
    if first and last and first > last:
        raise UsageError(f"--since {first} is after --until {last}.")
    return TrendOptions(
        pair=(actors[0], actors[1]),
        freqs=tuple(f for f in FREQUENCIES if f in (freq or FREQUENCIES)),
        since=dt.date.fromisoformat(first) if first else None,
        until=dt.date.fromisoformat(last) if last else None,
        window=window,
        targets=tuple(t.strip() for t in targets.split(",") if t.strip()) if targets else None,
        random_state=seed,
        data_seen_on=None,
    )


def _with_pooled(options: TrendOptions, tags: pd.DataFrame) -> TrendOptions:
    """Take from targets.toml which of the targets at hand are pooled; all but the declared when none is known."""
    from pipeline.config import load_targets

    known = load_targets()
    present = set(tags["target"].unique())
    unknown = [t for t in options.targets or () if t not in present]
    if unknown:
        raise UsageError(
            f"unknown target: {', '.join(unknown)}. In the tags: {', '.join(sorted(present)) or 'none'}."
        )
    used = present & set(options.targets or present)
    pooled = tuple(t for t in known.pooled if t in used)
    return replace(options, pooled=pooled or None, declared=known.declared)


def _from_files(
    tags: Path, labels: Path | None, engine: Engine, scheduler: str | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    import pandas as pd

    from pipeline.tables import read_frame

    label_frame = read_frame(labels, LABEL_COLUMNS) if labels else pd.DataFrame(columns=list(LABEL_COLUMNS))
    if tags.is_dir():
        return _counted(tags, label_frame, engine, scheduler), label_frame
    return read_frame(tags, _TAGS_NEEDED), label_frame


def _counted(folder: Path, labels: pd.DataFrame, engine: Engine, scheduler: str | None) -> pd.DataFrame:
    """Count a folder of tags down, where it lies, to what an analysis needs."""
    from pipeline import cluster
    from pipeline.aggregate.collapse import collapse_folder

    labelled = set(labels["statement_id"].astype(str))
    if engine is Engine.local:
        return collapse_folder(folder, labelled)
    with cluster.open_cluster(scheduler=scheduler) as client:
        return collapse_folder(folder, labelled, engine=cluster.engine(client))


def _from_store(
    store: Path | None, model: str | None, *, include_unverified: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    from pipeline.classify.artifact import current_model_id

    model_id = model or current_model_id()
    if model_id is None:
        raise UsageError("no trained model yet: run `stance retrain`, then `stance classify`, or `make run`.")
    with console.open_store(store) as opened:
        frame = opened.tags_frame(model_id, include_unverified=include_unverified)
        waiting = sum(1 for _ in opened.untagged(model_id))
        if waiting or frame.empty:
            raise UsageError(
                f"{waiting or 'all'} statements in {opened.path} are not tagged by {model_id}: `stance classify` "
                "comes first (and `stance ingest corpus` when the store is empty)."
            )
        return frame, opened.labels_frame(include_unverified=include_unverified)


def _events(path: Path | None) -> pd.DataFrame:
    import pandas as pd

    from pipeline.config import corpus_dir, load_events
    from pipeline.tables import read_frame

    load_events(path)  # names the line of what is wrong
    frame = read_frame(path or corpus_dir() / "events.csv", EVENT_COLUMNS)
    return frame if len(frame) else pd.DataFrame(columns=list(EVENT_COLUMNS))


def _write(result: Trends, out: Path, chosen: dict[str, Any]) -> None:
    from pipeline.tables import write_dictionary, write_frame

    further = [c for c in result.tests.columns if c not in TEST_COLUMNS]
    tables = {
        "trends.csv": result.trends[list(TREND_COLUMNS)],
        "tests.csv": result.tests[[*TEST_COLUMNS, *further]],
        **{f"{name}.csv": getattr(result, name) for name in _TABLES[2:]},
    }
    for name, frame in tables.items():
        write_frame(frame, out / name)
    write_dictionary({name: list(frame.columns) for name, frame in tables.items()}, out, selection=chosen)
