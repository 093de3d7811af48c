"""`stance annotate agreement`, `adjudicate`, `suspects`, `log`: what labels are worth, and which count."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli import console
from pipeline.cli.annotate_options import DryRunOption, model_id_of
from pipeline.cli.console import ModelOption, OutputFormat, StoreOption, TargetsOption
from pipeline.errors import DataError, PartialError, UsageError
from pipeline.schema import ADJUDICATED, STANCES

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.annotate.adjudication import Pair
    from pipeline.schema import Stance

FormatOption = Annotated[
    OutputFormat | None,
    typer.Option("--format", help="[default: a table on a terminal, CSV in a pipe]", show_default=False),
]


def agreement(
    targets: TargetsOption = None,
    coder: Annotated[
        list[str] | None, typer.Option("--coder", help="Only these coders; repeatable [default: all].")
    ] = None,
    bundled: Annotated[
        bool, typer.Option("--bundled", help="Measure the two codings that the bundled statements carry.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Also write agreement.csv, coder_confusion.csv and disagreements.csv here."),
    ] = None,
    draws: Annotated[int, typer.Option("--draws", min=100, help="Bootstrap draws of the interval.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the bootstrap.")] = 0,
    output_format: FormatOption = None,
    store: StoreOption = None,
) -> None:
    """Measure how far coders agree: Krippendorff's alpha per target, with a 95% interval.

    1 is perfect, 0 is chance; .667 is his floor for tentative conclusions, .800 for firm ones. The interval is a
    bootstrap over statements. With --out, disagreements.csv lists what coders differ on, with a column `settled` to
    fill in and give to `annotate adjudicate --decisions`. Examples:

      stance annotate agreement --out labelling

      stance annotate agreement --bundled
    """
    from dataclasses import asdict

    from pipeline.annotate.agreement import AGREEMENT_COLUMNS, agreement_by_target
    from pipeline.config import load_targets

    kind = console.chosen_format(output_format, None)
    console.refuse_parquet(kind, None)
    chosen = load_targets().select(targets)
    codings = _of_coders(_codings(store, bundled=bundled), coder)
    found = agreement_by_target(codings, chosen, draws=draws, random_state=seed)
    rows = [_figures(asdict(one)) for one in found]
    console.print_rows(AGREEMENT_COLUMNS, rows, kind)
    if not any(one.n_statements for one in found):
        console.note("no statement was coded by two people yet: a second coder labels the same ones, blind")
    if out is not None:
        _write_agreement(out, rows, codings, chosen)


def _codings(store: Path | None, *, bundled: bool) -> pd.DataFrame:
    """Return codings under the present codebook, with which alone they can be compared."""
    from pipeline.annotate.agreement import bundled_codings
    from pipeline.config import load_targets
    from pipeline.corpus import load_documented

    if bundled:
        return bundled_codings(load_documented())
    with console.open_store(store) as opened:
        frame = opened.codings_frame()
    version = load_targets().codebook_version
    other = int((frame["codebook_version"] != version).sum())
    if other:
        console.note(f"{other} labels made under another codebook than version {version} are left out")
    return frame[frame["codebook_version"] == version]


def _of_coders(codings: pd.DataFrame, names: Sequence[str] | None) -> pd.DataFrame:
    known = sorted({str(name) for name in codings["coder"]} - {ADJUDICATED})
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise UsageError(f"--coder {unknown[0]}: no labels by that name; known: {', '.join(known) or 'nobody'}.")
    return codings[codings["coder"].isin([*names, ADJUDICATED])] if names else codings


def _figures(row: dict[str, Any]) -> dict[str, object]:
    """Round what is measured, and leave empty what cannot be."""
    shown = {name: _rounded(value) for name, value in row.items()}
    return {**shown, "coders": ", ".join(row["coders"])}


def _rounded(value: object) -> object:
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else round(value, 4)


def _write_agreement(
    out: Path, rows: list[dict[str, object]], codings: pd.DataFrame, targets: Sequence[str]
) -> None:
    import pandas as pd

    from pipeline.annotate.agreement import AGREEMENT_COLUMNS, coder_confusion, disagreements
    from pipeline.tables import write_frame

    listed = disagreements(codings, targets)
    write_frame(pd.DataFrame(rows, columns=list(AGREEMENT_COLUMNS)), out / "agreement.csv")
    write_frame(coder_confusion(codings, targets), out / "coder_confusion.csv")
    write_frame(listed, out / "disagreements.csv")
    console.note(f"wrote {out / 'agreement.csv'}, {out / 'coder_confusion.csv'}, {out / 'disagreements.csv'}")
    console.note(f"{len(listed)} disagreements, {int((listed['settled'] == '').sum())} of them open")


class Rule(StrEnum):
    """What is enough to settle a label."""

    unanimous = "unanimous"
    majority = "majority"


def adjudicate(
    rule: Annotated[
        Rule, typer.Option("--rule", help="Settle what all coders agree on, or what more than half say.")
    ] = Rule.unanimous,
    by: Annotated[str, typer.Option("--by", help="A coder whose label decides wherever there is one.")] = "",
    decisions: Annotated[
        Path | None,
        typer.Option("--decisions", metavar="FILE", help="Table with statement_id, target and settled, filled in."),
    ] = None,
    min_coders: Annotated[
        int, typer.Option("--min-coders", min=1, help="Coders a statement needs to be settled by the rule.")
    ] = 2,
    replace: Annotated[bool, typer.Option("--replace", help="Change labels that are settled otherwise.")] = False,
    targets: TargetsOption = None,
    dry_run: DryRunOption = False,
    store: StoreOption = None,
) -> None:
    """Settle labels: the ones that `stance retrain` learns from and `stance trends` corrects by.

    Decisions come first, then the coder named by --by, then the rule. Only labels made under the present codebook
    have a say; one that is settled already stays unless --replace. The status is 3 while coders differ on a label
    that nobody settled. Examples:

      stance annotate adjudicate

      stance annotate adjudicate --decisions labelling/disagreements.csv

      stance annotate adjudicate --by lead --rule majority
    """
    from pipeline.annotate.adjudication import Policy
    from pipeline.annotate.adjudication import adjudicate as settle
    from pipeline.annotate.selection import Selection, coded_pairs, select_statements
    from pipeline.config import load_targets

    codebook = load_targets()
    chosen = codebook.select(targets)
    decided = _decisions(decisions) if decisions else {}
    with console.open_store(store) as opened:
        codings = coded_pairs(opened)
        coders = {name for by_target in codings.values() for given in by_target.values() for name in given}
        if by and by not in coders - {ADJUDICATED}:
            known = ", ".join(sorted(coders - {ADJUDICATED})) or "nobody"
            raise UsageError(f"--by {by}: no labels by that name; known: {known}.")
        held = {statement.statement_id for statement in opened.statements()}
        missing = next((pair[0] for pair in decided if pair[0] not in held), None)
        if missing:
            raise DataError(f"{decisions}: statement {missing} is not in the store {opened.path}.")
        done = settle(
            opened, codings, targets=chosen, codebook_version=codebook.codebook_version, now=console.now(),
            policy=Policy(rule=rule.value, by=by, decisions=decided, min_coders=min_coders, replace=replace),
            sampling_probs=opened.sampling_probs(), dry_run=dry_run,
        )  # fmt: skip
        drawn = len(opened.sampling_probs())
        open_ = len(select_statements(opened, Selection(state="drawn"), chosen))
    typer.echo(
        f"labels {done.settled} settled, {done.changed} changed, {done.unchanged} as they were, {done.differing} "
        f"settled otherwise, {done.disputed} disputed, {done.waiting} waiting for coders"
    )
    if done.outdated:
        console.note(f"{done.outdated} labels of another codebook version had no say")
    if done.differing:
        console.note(f"{done.differing} are settled otherwise and were left so; --replace changes them")
    if open_ and open_ < drawn:
        console.note(
            f"{open_} of {drawn} drawn statements have no settled label yet: the others stand for them "
            "until they have (`stance annotate label --state drawn`)"
        )
    if done.disputed:
        raise PartialError(
            f"{done.disputed} labels are disputed: list them with `stance annotate agreement --out DIR`, or label "
            "them with `stance annotate label --state disputed --show` and settle with --by NAME."
        )


def _decisions(path: Path) -> dict[Pair, Stance]:
    """Read the filled-in rows of a table of decisions; an empty `settled` decides nothing."""
    from pipeline.tables import read_frame

    frame = read_frame(path, ("statement_id", "target", "settled"))
    found: dict[Pair, Stance] = {}
    columns = (frame["statement_id"], frame["target"], frame["settled"])
    for row, (statement_id, target, given) in enumerate(zip(*columns, strict=True), start=2):
        stance = given.strip().lower() if isinstance(given, str) else ""
        if stance and stance not in STANCES:
            raise DataError(f"{path}, row {row}: unknown stance {given!r}; accepted: {', '.join(STANCES)}.")
        if stance and found.setdefault((str(statement_id), str(target)), stance) != stance:
            raise DataError(f"{path}, row {row}: {statement_id} on {target} is decided twice, differently.")
    return found


def suspects(
    coder: Annotated[
        str, typer.Option("--coder", help="Whose labels to doubt [default: the settled ones].", show_default=False)
    ] = ADJUDICATED,
    targets: TargetsOption = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many; 0 for all.")] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file, whole or not at all.")
    ] = None,
    output_format: FormatOption = None,
    model: ModelOption = None,
    store: StoreOption = None,
) -> None:
    """Rank labels by how probably they are wrong, the least probable first.

    A label is suspected when the model, which never learned from it (its predictions are out of fold), is as
    sure of another stance as it usually is of statements labelled so (confident learning: Northcutt et al.
    2021). It is a reading list for a person, not a verdict. Examples:

      stance annotate suspects --limit 20

      stance annotate suspects --output suspects.csv && stance annotate label --coder lead --only suspects.csv
    """
    from pipeline.annotate.suspects import SUSPECT_COLUMNS, suspected_errors
    from pipeline.config import load_targets

    kind = console.chosen_format(output_format, output)
    chosen = load_targets().select(targets)
    with console.open_store(store) as opened:
        tags, codings = opened.tags_frame(model_id_of(model)), opened.codings_frame()
    if tags.empty:
        raise UsageError("no statement is tagged by that model: `stance classify` comes first.")
    if coder not in set(codings["coder"]):
        raise UsageError(f"--coder {coder}: no labels by that name.")
    ranked = suspected_errors(tags, codings, chosen, coder=coder)
    doubted = int(((codings["coder"] == coder) & codings["target"].isin(chosen)).sum())
    ranked = ranked.head(limit) if limit else ranked
    _show_suspects(ranked, SUSPECT_COLUMNS, kind, output)
    console.note(f"{len(ranked)} of {doubted} labels to read again")


def _show_suspects(ranked: pd.DataFrame, columns: Sequence[str], kind: OutputFormat, output: Path | None) -> None:
    from pipeline.tables import open_table_writer

    rows = _records(ranked)
    if output is None:
        console.refuse_parquet(kind, None)
        narrow = ("rank", "target", "label", "suggested", "p_label", "country", "date", "text")
        console.print_rows(narrow if kind is OutputFormat.table else columns, rows, kind)
        return
    if kind is OutputFormat.parquet:
        raise UsageError("suspects are written as CSV or JSONL: name such a file.")
    name = "jsonl" if kind is OutputFormat.jsonl else "csv"
    with open_table_writer(columns, name, output) as write:
        write(rows)


def log(
    statement: Annotated[str, typer.Option("--statement", metavar="ID", help="Only this statement's labels.")] = "",
    coder: Annotated[str, typer.Option("--coder", help="Only this coder's labels.")] = "",
    output_format: FormatOption = None,
    store: StoreOption = None,
) -> None:
    """Show who labelled what, when, how and under which codebook, with what was replaced since.

    Example: stance annotate log --statement s0123456789
    """
    kind = console.chosen_format(output_format, None)
    console.refuse_parquet(kind, None)
    with console.open_store(store) as opened:
        frame = opened.label_log(statement)
    frame = frame[frame["coder"] == coder] if coder else frame
    console.print_rows(list(frame.columns), _records(frame), kind)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
