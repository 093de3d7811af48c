"""`stance retrain` and `stance evaluate`: train with a gate, and measure on any labelled file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli import console
from pipeline.cli.console import ModelOption, StoreOption
from pipeline.errors import DataError, StanceError, UsageError

if TYPE_CHECKING:
    from pipeline.classify.training import Trained, TrainingSet
    from pipeline.schema import Label, Statement


class Shown(StrEnum):
    """How an evaluation is shown."""

    table = "table"
    json = "json"


def retrain(
    force: Annotated[
        str | None,
        typer.Option("--force", metavar="REASON", help="Make current even if a floor falls; the card says why."),
    ] = None,
    pin: Annotated[bool, typer.Option("--pin", help="Pin the quality floors at what this run measures.")] = False,
    lower: Annotated[bool, typer.Option("--lower", help="With --pin: let floors fall.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the folds and the solver.")] = 0,
    store: StoreOption = None,
) -> None:
    """Train on the bundled corpus and the labels in the store, measure, and make the model current.

    Quality is measured out of fold, grouped by event. The new model becomes current only if no pinned
    floor falls (tests/gate/floors.json).
    """
    from pipeline.classify.artifact import make_current, save_model, version_of
    from pipeline.classify.card import model_card
    from pipeline.classify.floors import fallen, pin_floors, read_floors
    from pipeline.classify.training import train
    from pipeline.config import load_targets
    from pipeline.corpus import evaluation_hash

    if lower and not pin:
        raise UsageError("--lower goes with --pin.")
    targets = load_targets()
    with console.working("training (under a minute)"):
        data = _training_data(store)
        trained = train(data, targets, random_state=seed)
    measured_on = evaluation_hash()
    if pin:
        for name in pin_floors(trained.metrics, measured_on, lower=lower):
            console.note(f"the floor of {name} is above what was measured and stays; --lower lets it fall")
    reasons = fallen(trained.metrics, read_floors(), measured_on)
    version = version_of(data, trained.classifier)
    trained = _compared(trained, data, version, seed)
    why = force if reasons and force else ""
    card = model_card(trained, data, targets, version=version, evaluation_hash=measured_on, forced=why)
    model_id = save_model(trained, data, targets, card=card, now=console.now())
    _show_metrics(trained.metrics)
    _show_comparison(trained.metrics.get("comparison"))
    if reasons and not force:
        raise StanceError(f"{model_id} was not made current: {'; '.join(reasons)}. Mend it, or --force REASON.")
    make_current(model_id)
    console.note(f"{model_id} is the current model")


def _compared(trained: Trained, data: TrainingSet, version: str, seed: int) -> Trained:
    """Add the comparison with the current model to the metrics; a model made again keeps the one it had."""
    from dataclasses import replace

    from pipeline.classify.artifact import current_model_id, load_model, read_metrics
    from pipeline.classify.comparison import compare
    from pipeline.errors import ArtifactError

    current = current_model_id()
    if current is None:
        return trained
    try:
        before = load_model()
        comparison = (
            read_metrics(before.folder).get("comparison")
            if current.endswith(f"/{version}")
            else compare(
                data.targets,
                [data.texts[i] for i in data.measured],
                data.y[data.measured],
                data.groups[data.measured],
                trained.out_of_fold[data.measured],
                before.out_of_fold,
                old_id=current,
                old_targets=before.targets,
                random_state=seed,
            )
        )
    except (ArtifactError, UsageError) as error:
        console.note(f"not compared with the current model: {error}")
        return trained
    return replace(trained, metrics={**trained.metrics, "comparison": comparison}) if comparison else trained


def _show_comparison(comparison: Mapping[str, Any] | None) -> None:
    if comparison is not None:
        console.note(
            f"against {comparison['with']}: mean macro-F1 {comparison['difference']:+.3f} "
            f"(95% interval {comparison['conf_low']:+.3f} to {comparison['conf_high']:+.3f}) "
            f"on {comparison['statements']} statements"
        )


def _training_data(path: Path | None) -> TrainingSet:
    from pipeline.classify.training import training_set
    from pipeline.config import store_path
    from pipeline.corpus import DOCUMENTED_SOURCE

    labels: list[tuple[Statement, Label]] = []
    if (path or store_path()).is_file():
        with console.open_store(path) as opened:
            labels = list(opened.training_labels(but_source=DOCUMENTED_SOURCE))
    return training_set(store_labels=labels)


def _show_metrics(metrics: Mapping[str, Any]) -> None:
    systems = ("majority", "tfidf_logistic_regression", "model")
    shown = console.table("macro-F1, out of fold", "majority#", "TF-IDF + LR#", "this model#", "calibration error#")
    for target, result in metrics["model"]["targets"].items():
        figures = [_figure(metrics[system]["targets"][target]["macro_f1"]) for system in systems]
        shown.add_row(target, *figures, _figure(result["ece"]))
    means = [_figure(metrics[system]["mean_macro_f1"]) for system in systems]
    shown.add_row("mean", *means, _figure(metrics["model"]["mean_ece"]))
    console.show(shown)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def evaluate(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Statements with `statement_id,text` (CSV, JSONL, Parquet).")
    ],
    labels: Annotated[
        Path,
        typer.Option(
            "--labels", help="`statement_id,target,stance`, or JSONL with a `labels` object; null is left out."
        ),
    ],
    model: ModelOption = None,
    output_format: Annotated[Shown, typer.Option("--format")] = Shown.table,
) -> None:
    """Score a model against labels: macro-F1 (stances with 3 or more cases), accuracy, calibration.

    A text that the model was trained on is scored by its out-of-fold prediction.
    """
    import numpy as np

    from pipeline.classify.artifact import load_model
    from pipeline.classify.evaluate import evaluate as measure
    from pipeline.classify.tagging import predict
    from pipeline.schema import STANCES
    from pipeline.tables import read_statements

    gold_by_id = read_labels(labels)
    loaded = load_model(model)
    rows = [row for row in read_statements(data) if row.statement_id in gold_by_id]
    if not rows:
        raise DataError(f"no statement of {data} is labelled in {labels}: do their ids agree?")
    gold = np.array(
        [[gold_by_id[row.statement_id].get(t) or "" for t in loaded.targets] for row in rows], dtype=object
    )
    probabilities = predict(loaded, [row.text for row in rows])
    predicted = np.array(STANCES)[probabilities.argmax(axis=2)]
    result = measure(loaded.targets, gold, predicted, probabilities.max(axis=2))
    result |= {
        "statements": len(rows),
        "labels_without_statement": len(gold_by_id) - len(rows),
        "model_id": loaded.model_id,
    }
    if output_format is Shown.json:
        typer.echo(json.dumps(result, indent=2, ensure_ascii=False))
    else:
        _show_evaluation(result)


def read_labels(path: Path) -> dict[str, dict[str, str | None]]:
    """Read labels, long (`statement_id,target,stance`) or as JSONL with a `labels` object, by statement.

    Raises
    ------
    DataError
        When a stance is not one of the four, or a column is missing.
    """
    from pipeline.schema import STANCES
    from pipeline.tables import read_frame

    frame = read_frame(path, ())
    key = next((name for name in ("statement_id", "id", "passage_id") if name in frame.columns), None)
    if key is None or not ({"target", "stance"} <= set(frame.columns) or "labels" in frame.columns):
        raise DataError(f"{path}: labels need statement_id,target,stance, or statement_id and a labels object.")
    found: dict[str, dict[str, str | None]] = {}
    if "labels" in frame.columns:
        found = {str(i): dict(given) for i, given in zip(frame[key], frame["labels"], strict=True)}
    else:
        for i, target, stance in zip(frame[key], frame["target"], frame["stance"], strict=True):
            found.setdefault(str(i), {})[str(target)] = stance if isinstance(stance, str) else None
    for i, given in found.items():
        wrong = {str(s) for s in given.values() if s is not None} - set(STANCES)
        if wrong:
            raise DataError(
                f"{path}: {i}: unknown stance {', '.join(sorted(wrong))}; accepted: {', '.join(STANCES)}."
            )
    return found


def _show_evaluation(result: Mapping[str, Any]) -> None:
    from pipeline.schema import STANCES

    shown = console.table("target", "macro-F1#", "accuracy#", "calib. error#", *(f"F1 {s} (n)#" for s in STANCES))
    for target, figures in result["targets"].items():
        per_stance = [
            f"{figures['f1'][s]:.2f} ({figures['support'][s]})" if figures["support"][s] else "" for s in STANCES
        ]
        shown.add_row(target, *(_figure(figures[k]) for k in ("macro_f1", "accuracy", "ece")), *per_stance)
    shown.add_row("mean", _figure(result["mean_macro_f1"]), "", _figure(result["mean_ece"]), *[""] * len(STANCES))
    console.show(shown)
    console.note(f"{result['statements']} statements, {result['pairs']} labelled pairs, model {result['model_id']}")
