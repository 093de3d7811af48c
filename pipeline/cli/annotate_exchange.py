"""`stance annotate export` and `import`: tasks out, labels in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli import console
from pipeline.cli.annotate_options import (
    CountryOption,
    DryRunOption,
    LangOption,
    LimitOption,
    OnlyOption,
    SeedOption,
    SourceOption,
    SpeakerOption,
    StateOption,
    model_id_of,
    selection,
)
from pipeline.cli.console import ModelOption, StoreOption, TargetsOption
from pipeline.cli.statements import Since, Until
from pipeline.errors import DataError, PartialError, UsageError

if TYPE_CHECKING:
    from pipeline.annotate.importing import Imported
    from pipeline.annotate.rows import Unread
    from pipeline.annotate.tasks import Task

_NAMED_AT_ONCE = 20


class TaskFormat(StrEnum):
    """How tasks are handed out."""

    labelstudio = "labelstudio"
    jsonl = "jsonl"


def export(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write to this file, whole or not at all [default: standard output]."),
    ] = None,
    task_format: Annotated[
        TaskFormat | None,
        typer.Option(
            "--format",
            help="labelstudio or jsonl [default: by the file's name, .json or .jsonl].",
            show_default=False,
        ),
    ] = None,
    blind: Annotated[bool, typer.Option("--blind", help="Leave the model's reading out.")] = False,
    coded: Annotated[
        bool,
        typer.Option("--coded", help="Write the labels on record instead (who, what, when), to import elsewhere."),
    ] = False,
    targets: TargetsOption = None,
    only: OnlyOption = None,
    state: StateOption = None,
    source: SourceOption = "",
    country: CountryOption = "",
    speaker: SpeakerOption = "",
    lang: LangOption = "",
    since: Since = None,
    until: Until = None,
    limit: LimitOption = 0,
    seed: SeedOption = 0,
    model: ModelOption = None,
    store: StoreOption = None,
) -> None:
    """Write statements to be labelled, for Label Studio or as JSON lines.

    Label Studio: a file that its Import takes, with the model's reading as pre-annotations, and beside it
    tasks.config.xml (of tasks.json) for Settings > Labeling Interface. JSON lines: fill in `coder` and, for each
    target in `labels`, favor, neutral, against or none. A coder who sees the model's reading leans toward it: use
    --blind for labels that are to measure the model. Examples:

      stance annotate export --output tasks.json --limit 200

      stance annotate export --blind --country CHN --output tasks.jsonl
    """
    from pipeline.config import load_targets

    codebook = load_targets()
    asked = codebook.select(targets)
    kind = task_format or (TaskFormat.labelstudio if output and output.suffix == ".json" else TaskFormat.jsonl)
    chosen = selection(
        only=only, source=source, country=country, speaker=speaker, lang=lang, since=since, until=until,
        state=state, limit=limit, seed=seed,
    )  # fmt: skip
    if coded and kind is TaskFormat.labelstudio:
        raise UsageError("--coded writes JSON lines: name a .jsonl file, or --format jsonl.")
    with console.open_store(store) as opened:
        from pipeline.annotate.selection import coded_pairs, select_statements
        from pipeline.annotate.tasks import coded_rows, make_tasks, model_suggestions

        if coded:
            rows = list(coded_rows(coded_pairs(opened), asked))
            _write_lines(rows, output)
            console.note(f"{len(rows)} statements coded by somebody")
            return
        model_id = "" if blind else model_id_of(model)
        statements = select_statements(opened, chosen, asked)
        suggested = model_suggestions(opened, model_id) if model_id else {}
    tasks = make_tasks(statements, asked, codebook_version=codebook.codebook_version, suggestions=suggested)
    _write_tasks(tasks, kind, output)
    _say_exported(tasks, output, blind=blind)


def _write_tasks(tasks: Sequence[Task], kind: TaskFormat, output: Path | None) -> None:
    from pipeline.annotate.labelstudio import labelling_config, studio_task
    from pipeline.annotate.tasks import task_row
    from pipeline.config import load_targets
    from pipeline.tables import atomic_path

    if kind is TaskFormat.jsonl:
        _write_lines([task_row(task) for task in tasks], output)
        return
    # One task a line, so that an error can name the line it stands on.
    content = "[\n" + ",\n".join(json.dumps(studio_task(task), ensure_ascii=False) for task in tasks) + "\n]\n"
    if output is None:
        typer.echo(content, nl=False)
        return
    asked = set(tasks[0].targets) if tasks else set()
    config = labelling_config([t for t in load_targets().target if not asked or t.id in asked])
    with atomic_path(output) as draft:
        draft.write_text(content, encoding="utf-8")
    with atomic_path(output.with_name(f"{output.stem}.config.xml")) as draft:
        draft.write_text(config, encoding="utf-8")


def _write_lines(rows: Iterable[Mapping[str, Any]], output: Path | None) -> None:
    from pipeline.tables import atomic_path

    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if output is None:
        typer.echo(content, nl=False)
        return
    with atomic_path(output) as draft:
        draft.write_text(content, encoding="utf-8")


def _say_exported(tasks: Sequence[Task], output: Path | None, *, blind: bool) -> None:
    suggested = sum(bool(task.suggestions) for task in tasks)
    how = "blind" if blind else f"{suggested} with the model's reading"
    if tasks and not suggested and not blind:
        how += " (`stance classify` makes it)"
    console.note(f"{len(tasks)} statements to label, {how}" + (f", in {output}" if output else ""))
    if output and output.suffix == ".json":
        config = output.with_name(f"{output.stem}.config.xml")
        console.note(f"labelling configuration: {config} (Settings > Labeling Interface)")


def import_(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Label Studio exports (.json) or JSON lines (.jsonl).")
    ],
    coder: Annotated[
        list[str] | None,
        typer.Option(
            "--coder",
            help="NAME of who coded rows that name nobody, or GIVEN=NAME for what a file calls a coder (Label "
            "Studio may know users by number: --coder 3=anna); repeatable.",
            show_default=False,
        ),
    ] = None,
    dry_run: DryRunOption = False,
    store: StoreOption = None,
) -> None:
    """Take labels back from Label Studio (its JSON and JSON-MIN exports) or JSON lines.

    Importing twice changes nothing, and an older label never replaces a newer one of the same coder; what is
    replaced stays on record (`annotate log`). Rows that do not hold are named with line and reason, set aside in
    FILE.rejected.jsonl, and the status is 3. Examples:

      stance annotate import project-1-at-2031-05-04.json --coder 1=anna --coder 2=boris

      stance annotate import tasks-anna.jsonl --coder anna
    """
    from pipeline.annotate.importing import import_codings
    from pipeline.config import load_targets

    codebook = load_targets()
    name, names = _names(coder or [])
    rejected = kept = 0
    with console.open_store(store) as opened:
        for path in files:
            done = import_codings(
                opened, path, targets=codebook.ids, codebook_version=codebook.codebook_version, now=console.now(),
                coder=name, names=names, dry_run=dry_run,
            )  # fmt: skip
            typer.echo(_import_line(path, done))
            _name_rejected(path, done.rejected, keep=not dry_run)
            rejected += len(done.rejected)
            kept += done.new + done.changed + done.unchanged + done.older
    if rejected and not kept:
        raise DataError(f"none of {rejected} rows could be kept; mend what is named above and import again.")
    if rejected:
        raise PartialError(f"{rejected} rows were set aside, all others are kept; mend them and import again.")


def _names(given: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return the name for rows without one, and the names by what a file calls its coders."""
    plain = [one.strip() for one in given if "=" not in one]
    if len(plain) > 1:
        raise UsageError(f"--coder {', '.join(plain)}: only one name can be for rows that name nobody.")
    pairs = [one.split("=", 1) for one in given if "=" in one]
    names = {old.strip(): new.strip() for old, new in pairs}
    if not all(names.values()) or not all(names) or "" in plain:
        raise UsageError("--coder: write NAME, or GIVEN=NAME, with neither side empty.")
    return (plain[0] if plain else ""), names


def _import_line(path: Path, done: Imported) -> str:
    fates = ("new", "changed", "unchanged", "older")
    counted = ", ".join(f"{getattr(done, fate)} {fate}" for fate in fates)
    by = ", ".join(f"{name} {count}" for name, count in sorted(done.coders.items())) or "nobody"
    return f"{path}: labels {counted} (by {by}); rows {done.unlabelled} not labelled, {len(done.rejected)} rejected"


def _name_rejected(path: Path, rejected: Sequence[Unread], *, keep: bool) -> None:
    if not rejected:
        return
    for row in rejected[:_NAMED_AT_ONCE]:
        console.note(f"{path}, {row.where}: {row.reason}")
    if len(rejected) > _NAMED_AT_ONCE:
        console.note(f"{path}: ... and {len(rejected) - _NAMED_AT_ONCE} more")
    if keep:
        aside = path.with_name(f"{path.name}.rejected.jsonl")
        _write_lines(
            [{"line": row.line, "where": row.where, "reason": row.reason, "raw": row.raw} for row in rejected],
            aside,
        )
        console.note(f"all of them are in {aside}")
