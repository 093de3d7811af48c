"""Assemble the training data and train: grouped cross-validation, calibration, abstention, final fit.

Statements are grouped so that one event never sits on both sides of a split: two that share a date or a
source page are in one group. Out-of-fold scores serve four ends: the quality figures, the scaling of margins,
the abstention thresholds, and the tags of the very statements the model was trained on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.special import softmax
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline

from pipeline.classify.calibration import abstention_threshold, fit_scaling
from pipeline.classify.evaluate import evaluate
from pipeline.classify.measures import by_coverage, by_language, cost_of_abstention
from pipeline.classify.model import StanceClassifier
from pipeline.config import Lexicon, Targets, load_lexicon, load_targets
from pipeline.corpus import load_authored, load_documented
from pipeline.errors import DataError
from pipeline.schema import STANCES, Label, Statement

_LOG = logging.getLogger(__name__)

WEIGHTS: Mapping[str, float] = {"double_coded": 1.0, "single_coded": 0.7, "authored": 0.5, "store": 1.0}
"""Weight of a text in training, by how its labels came about: a single coding errs more often, and authored
passages must teach without drowning what officials said."""

FOLDS = 5
WANTED_ACCURACY = 0.9
"""Share of right answers that the abstention threshold secures, out of fold, on each target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """Texts with labels. `y` has shape (n, n_targets), empty where a pair is not labelled."""

    targets: tuple[str, ...]
    texts: tuple[str, ...]
    langs: tuple[str, ...]
    y: npt.NDArray[Any]
    groups: npt.NDArray[np.int64]
    kinds: npt.NDArray[Any]

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """Weight of each text, shape (n,)."""
        return np.array([WEIGHTS[kind] for kind in self.kinds])

    @property
    def measured(self) -> npt.NDArray[np.int64]:
        """Rows that quality is measured on: real statements coded twice and adjudicated."""
        return np.flatnonzero(self.kinds == "double_coded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A fitted, calibrated classifier with what its training showed.

    `out_of_fold` holds the calibrated probabilities of every training text by a model that never saw its
    group, shape (n, n_targets, 4); `thresholds` the confidence below which the model abstains.
    """

    classifier: StanceClassifier
    thresholds: dict[str, float]
    out_of_fold: npt.NDArray[np.float64]
    metrics: dict[str, Any]


def training_set(
    folder: Path | None = None, *, store_labels: Iterable[tuple[Statement, Label]] = ()
) -> TrainingSet:
    """Assemble the bundled documented statements and authored passages, and labels from the store.

    Parameters
    ----------
    folder : Path, optional
        The corpus folder.
    store_labels : iterable of (Statement, Label)
        Labels settled by the user. A bundled statement that was coded once takes them in place of that
        coding; one coded twice keeps the corpus's, since quality is measured on it.
    """
    targets = load_targets(folder).ids
    documented, stored = _documented(folder), _stored(store_labels)
    rows = [*(_settled(row, stored) for row in documented), *_authored(folder), *stored.values()]
    return TrainingSet(
        targets=targets,
        texts=tuple(row["text"] for row in rows),
        langs=tuple(row["lang"] for row in rows),
        y=np.array([[row["labels"].get(t) or "" for t in targets] for row in rows], dtype=object),
        groups=group_by_event([(row["date"], row["url"]) for row in rows]),
        kinds=np.array([row["kind"] for row in rows], dtype=object),
    )


def _documented(folder: Path | None) -> list[dict[str, Any]]:
    return [
        {
            **{key: row[key] for key in ("statement_id", "text", "lang")},
            "date": row["date"].isoformat(),
            "url": row["source_url"],
            "labels": row["labels"] if _is_coded(row["labels"]) else row["coding_1"],
            "kind": "double_coded" if _is_coded(row["labels"]) else "single_coded",
        }
        for row in load_documented(folder)
    ]


def _is_coded(labels: Mapping[str, str | None] | None) -> bool:
    return bool(labels) and any(labels.values())  # type: ignore[union-attr]


def _authored(folder: Path | None) -> list[dict[str, Any]]:
    return [
        {**{key: row[key] for key in ("text", "lang", "labels")}, "date": "", "url": "", "kind": "authored"}
        for row in load_authored(folder)
    ]


def _settled(row: dict[str, Any], stored: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Take a bundled statement out of the stored ones, with its settled labels where the bundle has none."""
    settled = stored.pop(row["statement_id"], None)
    if settled is None:
        return row
    if row["kind"] == "double_coded":
        bundled = {target: stance for target, stance in row["labels"].items() if stance}
        return {**row, "labels": settled["labels"] | bundled}
    return {**row, "labels": {**row["labels"], **settled["labels"]}, "kind": "store"}


def _stored(labels: Iterable[tuple[Statement, Label]]) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for statement, label in labels:
        known = {key: getattr(statement, key) for key in ("text", "lang", "date", "url")}
        row = rows.setdefault(label.statement_id, {**known, "labels": {}, "kind": "store"})
        row["labels"][label.target] = label.stance
    return rows


def group_by_event(keys: Sequence[tuple[str, str]]) -> npt.NDArray[np.int64]:
    """Return a group number for each row; rows that share a date or a source address, in chains, share it.

    Parameters
    ----------
    keys : sequence of (date, url), length n
        An empty date or address links nothing.
    """
    first: dict[tuple[int, str], int] = {}
    links = [
        (row, first.setdefault((kind, value), row))
        for row, pair in enumerate(keys)
        for kind, value in enumerate(pair)
        if value
    ]
    ends = np.array(links, dtype=np.int64).reshape(-1, 2).T
    graph = coo_matrix((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(len(keys), len(keys)))
    groups: npt.NDArray[np.int64] = connected_components(graph, directed=False)[1].astype(np.int64)
    return groups


def new_classifier(targets: Targets, lexicon: Lexicon | None = None, *, random_state: int = 0) -> StanceClassifier:
    """Return the project's unfitted classifier for the given targets and dictionary (the bundled one)."""
    cues = {t.id: sorted(term for terms in t.cues.values() for term in terms) for t in targets.target}
    concepts = (lexicon or load_lexicon()).terms
    return StanceClassifier(cues=cues, concepts=concepts, random_state=random_state)


def split_by_event(data: TrainingSet, *, random_state: int = 0) -> list[tuple[Any, Any]]:
    """Return (train, test) row numbers of the folds; a group is never on both sides."""
    folds = GroupKFold(FOLDS, shuffle=True, random_state=random_state)
    return list(folds.split(data.texts, groups=data.groups))


def train(
    data: TrainingSet, targets: Targets, *, random_state: int = 0, n_jobs: int = -1, baselines: bool = True
) -> Trained:
    """Cross-validate, calibrate, choose abstention thresholds and fit on everything.

    Parameters
    ----------
    data : TrainingSet
    targets : Targets
    random_state : int
        Seed of the folds and the solver.
    n_jobs : int
        Processes for the folds; -1 for all cores.
    baselines : bool
        Whether the metrics hold, beside the model's, those of the baselines; they take about as long as the model.
    """
    new = new_classifier(targets, random_state=random_state)
    folds = split_by_event(data, random_state=random_state)
    _require_stances(data, folds)
    _LOG.info("training on %d texts, %d folds", len(data.texts), len(folds))
    classifier, *parts = Parallel(n_jobs=n_jobs)(
        [delayed(_fit)(new, data, np.arange(len(data.texts)))]
        + [delayed(_fold_margins)(new, data, fit, test) for fit, test in folds]
        + [delayed(_fold_baselines)(data, fit, test) for fit, test in folds if baselines]
    )
    tests = [test for _, test in folds]
    margins = _assemble(tests, parts[: len(folds)])
    classifier.scaling_ = _scaling(data, margins, np.arange(len(data.texts)))
    out_of_fold = _cross_calibrated(classifier, data, margins, folds)
    metrics = {"model": _model_metrics(data, out_of_fold)}
    if baselines:
        metrics |= _baseline_metrics(data, _assemble(tests, parts[len(folds) :]))
    thresholds = _thresholds(data, out_of_fold)
    metrics["abstention"] = _abstention(data, out_of_fold, thresholds)
    metrics |= _further_metrics(data, out_of_fold, thresholds)
    return Trained(classifier=classifier, thresholds=thresholds, out_of_fold=out_of_fold, metrics=metrics)


def _require_stances(data: TrainingSet, folds: Sequence[tuple[Any, npt.NDArray[np.int64]]]) -> None:
    """Stop before a long training that must fail: a target is learned from two stances at least, in every fold."""
    for k, target in enumerate(data.targets):
        if any(len(set(data.y[fit, k]) - {""}) < 2 for fit, _ in folds):
            labels = int((data.y[:, k] != "").sum())
            raise DataError(
                f"target {target} has {labels} labels: to learn from, it needs two stances on several days. Label "
                f"statements with `stance annotate label --targets {target}`, settle them with `stance annotate "
                "adjudicate`, and retrain."
            )


def _fit(new: StanceClassifier, data: TrainingSet, rows: npt.NDArray[np.int64]) -> StanceClassifier:
    fresh = StanceClassifier(**new.get_params(deep=False))
    return fresh.fit([data.texts[i] for i in rows], data.y[rows], sample_weight=data.weights[rows])


def _fold_margins(
    new: StanceClassifier, data: TrainingSet, fit: npt.NDArray[np.int64], test: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    model = _fit(new, data, fit)
    return model.margins(model.transform([data.texts[i] for i in test]))


def _fold_baselines(data: TrainingSet, fit: npt.NDArray[np.int64], test: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Predict with the majority class and with scikit-learn's TF-IDF + logistic regression as it comes.

    Both learn from the same texts as the model. Returns shape (len(test), n_targets, 2).
    """
    texts, asked = [data.texts[i] for i in fit], [data.texts[i] for i in test]
    predictions = np.empty((len(test), len(data.targets), 2), dtype=object)
    for k in range(len(data.targets)):
        known = [j for j, i in enumerate(fit) if data.y[i, k]]
        X, y = [texts[j] for j in known], data.y[fit[known], k].astype(str)
        predictions[:, k, 0] = DummyClassifier(strategy="most_frequent").fit(X, y).predict(asked)
        plain = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=500))
        predictions[:, k, 1] = plain.fit(X, y).predict(asked)
    return predictions


def _assemble(tests: Sequence[npt.NDArray[np.int64]], parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return np.concatenate(parts)[np.argsort(np.concatenate(tests))]


def _known(data: TrainingSet, k: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    known: npt.NDArray[np.int64] = rows[data.y[rows, k] != ""]
    return known


def _codes(data: TrainingSet, k: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.array([STANCES.index(stance) for stance in data.y[rows, k]], dtype=np.int64)


def _scaling(
    data: TrainingSet, margins: npt.NDArray[np.float64], rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Fit each target's scaling on the rows that name it, each at its weight in training.

    Authored passages calibrate too: Chinese and Russian are learnt from them alone.
    """
    scaling = []
    for k in range(len(data.targets)):
        known = _known(data, k, rows)
        known = known[~np.isnan(margins[known, k, 0])]
        scaling.append(np.vstack(fit_scaling(margins[known, k], _codes(data, k, known), data.weights[known])))
    return np.array(scaling)


def _cross_calibrated(
    classifier: StanceClassifier,
    data: TrainingSet,
    margins: npt.NDArray[np.float64],
    folds: Sequence[tuple[Any, npt.NDArray[np.int64]]],
) -> npt.NDArray[np.float64]:
    """Calibrate the margins of each fold by the other folds' labels, so that no text calibrates itself."""
    calibrated = np.empty_like(margins)
    for fit, test in folds:
        calibrated[test] = classifier.calibrated(margins[test], _scaling(data, margins, fit))
    probabilities: npt.NDArray[np.float64] = softmax(calibrated, axis=2)
    return probabilities


def _model_metrics(data: TrainingSet, out_of_fold: npt.NDArray[np.float64]) -> dict[str, Any]:
    rows = data.measured
    predicted = np.array(STANCES)[out_of_fold[rows].argmax(2)]
    return evaluate(data.targets, data.y[rows], predicted, out_of_fold[rows].max(2))


def _further_metrics(
    data: TrainingSet, out_of_fold: npt.NDArray[np.float64], thresholds: Mapping[str, float]
) -> dict[str, Any]:
    """Measure by language, the authored passages apart; accuracy by coverage and the cost of abstention."""
    langs, authored, rows = np.array(data.langs), data.kinds == "authored", data.measured
    parts = {"documented": rows}
    parts |= {f"authored, {lang}": np.flatnonzero(authored & (langs == lang)) for lang in sorted(set(data.langs))}
    return {
        "languages": by_language(data.targets, data.y, out_of_fold, parts),
        "coverage": by_coverage(data.targets, data.y[rows], out_of_fold[rows]),
        "cost_of_abstention": cost_of_abstention(data.targets, data.y[rows], out_of_fold[rows], thresholds),
    }


def _baseline_metrics(data: TrainingSet, predicted: npt.NDArray[Any]) -> dict[str, Any]:
    rows = data.measured
    names = ("majority", "tfidf_logistic_regression")
    return {name: evaluate(data.targets, data.y[rows], predicted[rows, :, i]) for i, name in enumerate(names)}


def _correct(data: TrainingSet, out_of_fold: npt.NDArray[np.float64], k: int) -> tuple[Any, Any]:
    rows = _known(data, k, data.measured)
    return out_of_fold[rows, k].max(1), out_of_fold[rows, k].argmax(1) == _codes(data, k, rows)


def _thresholds(data: TrainingSet, out_of_fold: npt.NDArray[np.float64]) -> dict[str, float]:
    return {
        target: abstention_threshold(*_correct(data, out_of_fold, k), accuracy=WANTED_ACCURACY)
        for k, target in enumerate(data.targets)
    }


def _abstention(
    data: TrainingSet, out_of_fold: npt.NDArray[np.float64], thresholds: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """Say per target which share is answered, and how often answers are right, with the thresholds."""
    shown = {}
    for k, (target, threshold) in enumerate(thresholds.items()):
        confidence, correct = _correct(data, out_of_fold, k)
        answered = confidence >= threshold
        right = float(correct[answered].mean()) if answered.any() else 0.0
        shown[target] = {"threshold": threshold, "coverage": float(answered.mean()), "accuracy": right}
    return shown
