"""`stance classify`: tag a text, a file, a folder, standard input, or what the store holds."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli import console
from pipeline.cli.console import (
    Engine,
    EngineOption,
    ModelOption,
    OutputFormat,
    SchedulerOption,
    StoreOption,
    TargetsOption,
)
from pipeline.cli.llm import classify_with_llm, is_llm
from pipeline.errors import PartialError, UsageError

if TYPE_CHECKING:
    from pipeline.classify.artifact import Model
    from pipeline.schema import Statement, Tag
    from pipeline.tables import BadRow

Tagged = tuple["Statement", list["Tag"]]


def classify(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[INPUT]",
            help="A .csv, .jsonl, .parquet or .txt file, a folder of .txt files, or - for standard input. "
            "Without it, statements in the store that the model has not tagged yet are tagged there.",
            show_default=False,
        ),
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="Classify this one statement.")] = None,
    output_format: Annotated[
        OutputFormat | None,
        typer.Option("--format", help="[default: a table on a terminal, CSV in a pipe]", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write to this file, whole or not at all; Parquet also to a folder of parts."
        ),
    ] = None,
    model: ModelOption = None,
    targets: TargetsOption = None,
    input_format: Annotated[
        str | None, typer.Option("--input-format", help="csv, jsonl, parquet or txt [default: by name; - is txt].")
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Set rows that do not read aside in a file and go on (status 3).")
    ] = False,
    workers: Annotated[int, typer.Option("--workers", help="Processes; -1 for all cores.")] = -1,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with what a stopped run left of the output; nothing is lost or doubled."
        ),
    ] = False,
    engine: EngineOption = Engine.local,
    scheduler: SchedulerOption = None,
    store: StoreOption = None,
) -> None:
    """Tag each statement's stance on each target: favor, against, neutral or none.

    One row a statement and target, with calibrated probabilities, the sentence that shows the stance, and
    whether the model abstains because it is too unsure. Examples:

      stance classify --text "The minister said it was too early to recognise the Taliban."

      stance classify statements.csv --output tags.csv

      cat lines.txt | stance classify - --format jsonl

      stance classify archive.parquet --output tags.parquet --resume
    """
    if text is not None and source is not None:
        raise UsageError("give either --text or INPUT, not both.")
    kind = console.chosen_format(output_format, output)
    console.refuse_parquet(kind, output)
    chosen = _targets(targets)
    if is_llm(model):
        if text is None and source is None:
            raise UsageError("a language model tags a file, a folder or --text: name one.")
        with _rows(source, text, input_format, skip_bad, output) as rows:
            classify_with_llm(str(model), rows, kind, output, chosen)
        return
    if text is None and source is None:
        _classify_store(store, model)
        return
    if workers == 0 or workers < -1:
        raise UsageError(f"--workers {workers}: give a number from 1, or -1 for all cores.")
    if resume and output is None:
        raise UsageError("--resume goes on with a file: name it with --output.")
    if scheduler is not None and engine is not Engine.dask:
        raise UsageError("--scheduler goes with --engine dask.")
    if output is not None and kind is OutputFormat.parquet and not output.suffix:
        _write_folder(Path(source or ""), output, model, chosen, resume, engine, workers, scheduler)
        return
    with _rows(source, text, input_format, skip_bad, output) as rows, _engine(engine, workers, scheduler) as where:
        loaded = _load(model)
        if kind is OutputFormat.table and output is None:
            _show(loaded, rows, chosen, single=text is not None)
        else:
            _write(loaded, rows, kind, output, targets=chosen, resume=resume, engine=where)


@contextlib.contextmanager
def _engine(engine: Engine, workers: int, scheduler: str | None) -> Iterator[Any]:
    if engine is Engine.dask:
        from pipeline import cluster

        with cluster.open_cluster(workers=workers, scheduler=scheduler) as client:
            yield cluster.engine(client)
        return
    from pipeline.classify.archive import local

    yield local(workers)


def _targets(targets: str | None) -> tuple[str, ...]:
    from pipeline.config import load_targets

    return load_targets().select(targets)


def _load(model: str | None) -> Model:
    from pipeline.classify.artifact import load_model

    return load_model(model)


def _noting_unsupported(model: Model, tagged: Iterable[Tagged]) -> Iterator[Tagged]:
    """Pass tags on; at the end say how many texts were in a language that the model does not read."""
    from pipeline.classify.tagging import is_unsupported

    count = 0
    for statement, tags in tagged:
        count += is_unsupported(tags)
        yield statement, tags
    _note_unsupported(model, count)


def _note_unsupported(model: Model, count: int) -> None:
    if count:
        read = ", ".join(model.languages)
        console.note(f"unsupported language: {count} not in {read}, tagged none and abstained, never guessed")


@contextlib.contextmanager
def _rows(
    source: str | None, text: str | None, input_format: str | None, skip_bad: bool, output: Path | None
) -> Iterator[Iterable[Statement]]:
    """Give the statements to classify; rows set aside are reported after the work is done."""
    from pipeline.schema import Statement
    from pipeline.tables import read_statements

    if text is not None:
        if not text.strip():
            raise UsageError("--text is empty: give the statement's words.")
        yield [Statement(statement_id="text", text=text)]
        return
    with _set_aside(source or "-", output) if skip_bad else contextlib.nullcontext() as on_bad:
        statements = read_statements(source or "-", input_format=input_format, on_bad=on_bad)
        from pipeline.tables import estimated_rows

        yield console.progress(statements, what="classifying", total=estimated_rows(source or "-", input_format))


@contextlib.contextmanager
def _set_aside(source: str, output: Path | None) -> Iterator[Callable[[BadRow], None]]:
    """Collect bad rows in a JSONL file beside the output (or the input), and say so at the end."""
    beside = output or (Path("stdin") if source == "-" else Path(source))
    path = beside.with_name(f"{beside.name}.bad.jsonl")
    lines: list[str] = []

    def on_bad(row: BadRow) -> None:
        content = {"line": row.line, "reason": row.reason, "raw": row.raw}
        lines.append(json.dumps(content, ensure_ascii=False))

    yield on_bad
    if lines:
        from pipeline.tables import atomic_path

        with atomic_path(path) as draft:
            draft.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", errors="backslashreplace"))
        raise PartialError(f"{len(lines)} rows did not read and were set aside in {path}; all others are done.")


def _write(
    model: Model,
    rows: Iterable[Statement],
    kind: OutputFormat,
    output: Path | None,
    *,
    targets: Sequence[str],
    resume: bool,
    engine: Any,
) -> None:
    from pipeline.classify.archive import tag_archive, tag_stream
    from pipeline.tables import open_output

    name = "csv" if kind is OutputFormat.table else kind.value
    unread = 0
    if output is not None:
        for written in tag_archive(model, rows, output, kind=name, targets=targets, resume=resume, engine=engine):
            unread += written.unread
    else:
        with open_output() as stream:
            for written in tag_stream(model, rows, kind=name, targets=targets, engine=engine):
                stream.write(written.content)
                unread += written.unread
    _note_unsupported(model, unread)


def _write_folder(
    source: Path,
    output: Path,
    model: str | None,
    targets: Sequence[str],
    resume: bool,
    engine: Engine,
    workers: int,
    scheduler: str | None,
) -> None:
    """Tag Parquet into a folder of Parquet: each worker reads and writes its own parts."""
    from pipeline.classify.partitions import tag_partitions
    from pipeline.tables import estimated_rows

    if source.suffix != ".parquet" and not source.is_dir():
        raise UsageError(
            f"a folder of Parquet is made of Parquet: {source} is neither a .parquet file nor a folder."
        )
    loaded = _load(model)
    unread = 0
    with _engine(engine, workers, scheduler) as where:
        done = tag_partitions(loaded, source, output, engine=where, targets=targets, resume=resume)
        for tagged in console.progress(done, what="classifying parts", total=estimated_rows(source)):
            unread += tagged.unread
    _note_unsupported(loaded, unread)


def _show(model: Model, rows: Iterable[Statement], targets: Sequence[str], *, single: bool) -> None:
    """Print tags for a person: a block of targets a statement, its evidence quoted."""
    from pipeline.classify.tagging import tag_statements
    from pipeline.config import load_targets

    labels = {target.id: target.label for target in load_targets().target}
    first = () if single else ("statement",)
    shown = console.table(*first, "target", "stance", "confidence#", "the words that show it")
    abstained = False
    for statement, tags in _noting_unsupported(model, tag_statements(model, rows, targets=targets)):
        for tag in tags:
            abstained = abstained or tag.abstained
            lead = () if single else (statement.statement_id,)
            sure = f"{tag.confidence:.0%}{' ?' if tag.abstained else ''}"
            shown.add_row(*lead, labels.get(tag.target, tag.target), _styled(tag.stance), sure, tag.evidence)
    console.show(shown)
    if abstained:
        console.note("?  too unsure to count as an answer: the model abstains (its card says why)")
    console.note(f"model {model.model_id}")


def _styled(stance: str) -> str:
    style = {"favor": "green", "against": "red", "neutral": "yellow", "none": "dim"}[stance]
    return f"[{style}]{stance}[/]"


def _classify_store(store: Path | None, which: str | None) -> None:
    from pipeline.classify.tagging import tag_statements

    model = _load(which)
    with console.open_store(store) as opened:
        if not opened.counts()["statements"]:
            raise UsageError(f"the store {opened.path} holds no statements: run `stance ingest corpus` first.")
        untagged = list(opened.untagged(model.model_id))
        rows = console.progress(untagged, what="classifying", total=len(untagged))
        tagged = opened.add_tags(
            _noting_unsupported(model, tag_statements(model, rows)),
            command="classify",
            model_id=model.model_id,
            codebook_version=model.codebook_version,
            now=console.now(),
        )
    console.note(f"tagged {tagged} statements with {model.model_id}")
