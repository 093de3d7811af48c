"""What each part of the training data and of the features is worth, and whether more authored passages still help.

    nice -n 10 python -m tests.bench.ablation [--real FOLDER] [--json FILE]

Every line is a grouped cross-validation (the folds of training), measured on the documented statements and, by
language, on held-out authored passages; with --real also on that folder's dev_labels.jsonl, by a model fitted on all
of the line's training texts (aggregate figures only). Mean macro-F1 over the targets, stances with 3 or more cases, of
the machines' own decisions, before calibration.

The features are extracted once for all lines: which words and n-grams there are, and how rare, is learnt from all
texts, whose labels a line does not see. The families are scaled one by one, so that leaving one out is dropping its
columns.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from pipeline.classify.evaluate import evaluate
from pipeline.classify.features import CONTEXT, FAMILIES, WEIGHTS
from pipeline.classify.model import StanceClassifier
from pipeline.classify.training import TrainingSet, new_classifier, split_by_event, training_set
from pipeline.config import load_targets
from pipeline.schema import STANCES

SHARES = (0.25, 0.5)
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Extracted:
    """Features of all texts per target, and the columns of each family."""

    matrices: list[sparse.csr_matrix]
    columns: dict[str, Rows]


class Lookup:
    """Features that were extracted before: a text is its number."""

    def __init__(self, matrices: Sequence[sparse.csr_matrix]) -> None:
        self.matrices = matrices

    def fit_transform(self, X: Sequence[str]) -> list[sparse.csr_matrix]:
        rows = [int(text) for text in X]
        return [matrix[rows] for matrix in self.matrices]

    transform = fit_transform


class FromLookup(StanceClassifier):
    """The project's classifier on features that were extracted before."""

    lookup: Lookup

    def _new_features(self) -> Any:
        return self.lookup


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table: the texts that may teach, and the families of features."""

    name: str
    rows: Rows
    families: tuple[str, ...]


def extract(new: StanceClassifier, texts: Sequence[str]) -> Extracted:
    """Extract the features of all texts once."""
    features = new._new_features()
    matrices = features.fit_transform(list(texts))
    blocks = [(f, f) for f in FAMILIES if WEIGHTS.get(f)] + [("context", f) for f in FAMILIES if CONTEXT.get(f)]
    columns: dict[str, list[Rows]] = {}
    start = 0
    for name, family in blocks:
        width = len(features.vocabularies_[family])
        columns.setdefault(name, []).append(np.arange(start, start + width))
        start += width
    return Extracted(matrices, {name: np.concatenate(parts) for name, parts in columns.items()})


def lines(data: TrainingSet, families: tuple[str, ...], random: np.random.Generator) -> Iterator[Line]:
    """Yield what is compared."""
    everything, langs = np.arange(len(data.texts)), np.array(data.langs)
    authored = np.flatnonzero(data.kinds == "authored")
    documented = np.setdiff1d(everything, authored)
    shuffled = random.permutation(authored)
    yield Line(name="all", rows=everything, families=families)
    yield Line(name="documented only", rows=documented, families=families)
    for share in SHARES:
        some = np.concatenate([documented, shuffled[: round(share * len(shuffled))]])
        yield Line(name=f"documented + {share:.0%} of authored", rows=np.sort(some), families=families)
    yield Line(name="authored only", rows=authored, families=families)
    for lang in sorted(set(langs[authored])):
        rows = np.setdiff1d(everything, authored[langs[authored] == lang])
        yield Line(name=f"without authored {lang}", rows=rows, families=families)
    for family in families:
        rest = tuple(f for f in families if f != family)
        yield Line(name=f"without {family}", rows=everything, families=rest)
    for family in families:
        yield Line(name=f"{family} alone", rows=everything, families=(family,))


def decisions(model: FromLookup, rows: Rows) -> npt.NDArray[np.str_]:
    """Return the stances of texts by their numbers, as the machines decide."""
    margins = model.margins(model.transform(rows.astype(str).tolist()))
    return np.array(STANCES)[np.where(np.isnan(margins), model.silent_, margins).argmax(axis=2)]


def measure(
    line: Line, data: TrainingSet, real: Mapping[str, Rows], gold: npt.NDArray[Any], extracted: Extracted
) -> dict[str, float | None]:
    """Cross-validate one line, and fit it once more for the real passages."""
    new = new_classifier(load_targets())
    kept = np.concatenate([extracted.columns[family] for family in line.families])
    lookup = Lookup([matrix[:, kept] for matrix in extracted.matrices])

    def fit(rows: Rows) -> FromLookup:
        model = FromLookup(**new.get_params(deep=False))
        model.lookup = lookup
        return model.fit(rows.astype(str).tolist(), data.y[rows], sample_weight=data.weights[rows])

    predicted = np.empty(data.y.shape, dtype=object)
    for train, test in split_by_event(data):
        predicted[test] = decisions(fit(np.intersect1d(train, line.rows)), test)
    langs, authored = np.array(data.langs), data.kinds == "authored"
    parts = {"documented": data.measured}
    parts |= {f"authored {lang}": np.flatnonzero(authored & (langs == lang)) for lang in sorted(set(langs))}
    found = {
        name: evaluate(data.targets, data.y[rows], predicted[rows])["mean_macro_f1"] for name, rows in parts.items()
    }
    if real:
        model = fit(line.rows)
        for name, rows in real.items():
            result = evaluate(data.targets, gold[rows - len(data.texts)], decisions(model, rows))
            found[f"real {name}"] = result["mean_macro_f1"]
    return found


def read_real(folder: Path | None, targets: Sequence[str]) -> tuple[list[str], list[str], npt.NDArray[Any]]:
    """Return texts, languages and labels of the real passages; none without a folder."""
    if folder is None:
        return [], [], np.empty((0, len(targets)), dtype=object)
    passages = {row["id"]: row for row in _read(folder / "passages.jsonl")}
    labels = _read(folder / "dev_labels.jsonl")
    rows = [passages[row["id"]] for row in labels]
    gold = [[row["labels"].get(target) or "" for target in targets] for row in labels]
    return [row["text"] for row in rows], [row["lang"] for row in rows], np.array(gold, dtype=object)


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Print one line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--real", type=Path, help="folder of real passages with dev_labels.jsonl")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("--only", default="", help="lines whose name holds this")
    asked = parser.parse_args()
    data = training_set()
    texts, real_langs, gold = read_real(asked.real, data.targets)
    extracted = extract(new_classifier(load_targets()), [*data.texts, *texts])
    numbers = len(data.texts) + np.arange(len(texts))
    real = {
        name: numbers[np.isin(real_langs, langs)]
        for name, langs in (("en+ru", ("en", "ru")), ("zh", ("zh",)))
        if texts
    }
    figures = {}
    for line in lines(data, tuple(extracted.columns), np.random.default_rng(0)):
        if asked.only in line.name:
            figures[line.name] = found = measure(line, data, real, gold, extracted)
            if len(figures) == 1:
                sys.stdout.write(f"{'':32}{'texts':>7}" + "".join(f"{name:>13}" for name in found) + "\n")
            cells = "".join(f"{'' if value is None else f'{value:.3f}':>13}" for value in found.values())
            sys.stdout.write(f"{line.name:32}{len(line.rows):7}{cells}\n")
            sys.stdout.flush()
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
