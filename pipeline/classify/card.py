"""Generate a model's card (README.md) from the run that trained it; nothing in it is written by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.classify.measures import COVERAGES
from pipeline.classify.training import WANTED_ACCURACY, WEIGHTS, Trained, TrainingSet
from pipeline.config import Targets
from pipeline.schema import STANCES

_KINDS = {
    "double_coded": "documented statements, coded twice and adjudicated",
    "single_coded": "documented statements, coded once",
    "authored": "authored passages (written for training, said by nobody), coded twice",
    "store": "labels from the store",
}


def model_card(
    trained: Trained,
    data: TrainingSet,
    targets: Targets,
    *,
    version: str,
    evaluation_hash: str,
    forced: str = "",
) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    version : str
        Of the model.
    evaluation_hash : str
        Of the data the figures were measured on.
    forced : str
        Why the model became current although a floor fell; empty when none did.
    """
    metrics = trained.metrics
    sections = [
        f"# Model linear/{version}\n",
        "Tags a statement's stance (favor, neutral, against, none) on each target of the codebook, version "
        f"{targets.codebook_version}, with calibrated probabilities. One linear support vector machine per target "
        "over words, character n-grams and the concepts of a trilingual dictionary, of the sentences that name the "
        "target; margins scaled per target. A text that never names a target is `none` on it.\n",
        *([f"**Made current although a floor fell.** Reason given: {forced}\n"] if forced else []),
        "## Intended use\n",
        "Statements of 1-5 sentences by officials on Afghanistan and its region. A tag is a reading of the words, "
        "not of the policy behind them. Single tags err; the trends correct for that, a list of tags does not.\n",
        "## Training data\n",
        _training_table(data),
        "Labels were coded by language models by the codebook; no subject-matter expert has checked them. "
        f"Languages seen in training: {', '.join(sorted(set(data.langs)))}. In any other language the model knows "
        "next to no words and always abstains.\n",
        "## Quality\n",
        f"Out of fold, on the {len(data.measured)} documented statements coded twice (data `{evaluation_hash}`); "
        "statements that share a date or a source page are never on both sides. Macro-F1 over stances with 3 or "
        "more cases; the baselines saw the same folds.\n",
        _quality_table(metrics),
        "### Per stance (F1, cases)\n",
        _stance_table(metrics["model"]["targets"]),
        "### Confusion (rows: true, columns: predicted)\n",
        *(_confusion(name, result) for name, result in metrics["model"]["targets"].items()),
        "### By language\n",
        "Out of fold. Authored passages are harder than most statements and more clear-cut than real officials; "
        "only on them can Russian and Chinese be measured here. Calibration error over all pairs together; honest "
        "confidences of as many cases would show the one in brackets.\n",
        _language_table(metrics["languages"]),
        *_comparison(metrics.get("comparison")),
        "## Abstention\n",
        f"A tag is marked `abstained` below the confidence at which {WANTED_ACCURACY:.0%} of answers were right "
        "out of fold.\n",
        _abstention_table(metrics["abstention"], metrics["cost_of_abstention"]),
        "### Accuracy when only the surest are answered\n",
        "Of all labelled statements; in brackets of those that address the target, by label or by tag.\n",
        _coverage_table(metrics["coverage"]),
        "## Limits\n",
        "2021 and Russian officials are over-represented in the documented statements, all of which are English "
        "paraphrases; verbatim text reads differently, and quality on it is lower. Stances with few cases (see the "
        "table) are hardly measured. The classifier's errors differ by country: never compare raw tag counts.\n",
    ]
    return "\n".join(sections)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _number(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _training_table(data: TrainingSet) -> str:
    counts = Counter(data.kinds.tolist())
    rows = [[_KINDS[kind], str(counts[kind]), str(WEIGHTS[kind])] for kind in _KINDS if counts[kind]]
    return _table(["kind", "texts", "weight"], rows)


def _quality_table(metrics: Mapping[str, Any]) -> str:
    systems = ("majority", "tfidf_logistic_regression", "model")
    header = [
        "target",
        "majority",
        "TF-IDF + logistic regression",
        "this model",
        "accuracy",
        "calibration error",
    ]
    rows = []
    for name, result in metrics["model"]["targets"].items():
        figures = [_number(metrics[system]["targets"][name]["macro_f1"]) for system in systems]
        rows.append([name, *figures, _number(result["accuracy"]), _number(result["ece"])])
    means = [_number(metrics[system]["mean_macro_f1"]) for system in systems]
    rows.append(["**mean**", *means, "", _number(metrics["model"]["mean_ece"])])
    return _table(header, rows)


def _stance_table(results: Mapping[str, Any]) -> str:
    rows = [
        [
            name,
            *(f"{r['f1'].get(s, 0):.2f} ({r['support'][s]})" if r["support"][s] else "(0)" for s in STANCES),
        ]
        for name, r in results.items()
    ]
    return _table(["target", *STANCES], rows)


def _confusion(name: str, result: Mapping[str, Any]) -> str:
    rows = [[true, *(str(result["confusion"][true][guess]) for guess in STANCES)] for true in STANCES]
    return f"{name}\n\n{_table(['', *STANCES], rows)}"


def _abstention_table(
    abstention: Mapping[str, Mapping[str, float]], costs: Mapping[str, Mapping[str, float]]
) -> str:
    rows = [
        [
            name,
            _number(row["threshold"], 2),
            f"{row['coverage']:.0%}",
            f"{row['accuracy']:.0%}",
            f"{costs[name]['right']:.0%}" if costs[name]["abstained"] else "",
            f"{costs[name]['of_spoken']:.0%}",
        ]
        for name, row in abstention.items()
    ]
    header = ["target", "threshold", "answered", "right among answered", "right among abstained"]
    return _table([*header, "abstained of those that address it"], rows)


def _language_table(languages: Sequence[Mapping[str, Any]]) -> str:
    if not languages:
        return ""
    targets = list(languages[0]["macro_f1"])
    rows = [
        [
            row["part"],
            str(row["texts"]),
            *(_number(row["macro_f1"][target]) for target in targets),
            _number(row["mean_macro_f1"]),
            f"{row['ece']:.3f} ({row['ece_noise']:.3f})",
        ]
        for row in languages
    ]
    return _table(["texts of", "number", *targets, "**mean macro-F1**", "calibration error"], rows)


def _coverage_table(coverage: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    rows = [
        [
            name,
            *(
                f"{every:.0%} ({spoken:.0%})"
                for every, spoken in zip(curves["all"], curves.get("spoken", curves["all"]), strict=True)
            ),
        ]
        for name, curves in coverage.items()
        if curves
    ]
    return _table(["target", *(f"surest {share:.0%}" for share in COVERAGES)], rows)


def _comparison(comparison: Mapping[str, Any] | None) -> list[str]:
    """Return the section on the model before, none when there was none."""
    if comparison is None:
        return []
    rows = [
        [
            name,
            _number(row["old_macro_f1"]),
            _number(row["new_macro_f1"]),
            f"{row['changed']:.1%}",
            f"{row['drift']:.1%}",
        ]
        for name, row in comparison["targets"].items()
    ]
    return [
        f"### Compared with {comparison['with']}\n",
        f"On {comparison['statements']} statements that both were measured on, mean macro-F1 changed by "
        f"{comparison['difference']:+.3f} (95% interval {comparison['conf_low']:+.3f} to "
        f"{comparison['conf_high']:+.3f}; paired bootstrap over events). Drift is the part of the tags by which "
        "the shares of the four stances changed: trends correct for it, counts of tags do not.\n",
        _table(["target", "macro-F1 before", "now", "tags that changed", "drift"], rows),
    ]
