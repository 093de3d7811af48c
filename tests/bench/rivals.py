"""Classifiers to measure side by side: each learns from the same texts, answers the same questions, and is saved.

A rival is three functions: `fit(texts, labels, folder)` trains and saves, `load(folder)` gives `predict(texts)`, which
returns a stance per text and target. Labels have shape (n, 5), empty where a pair is not labelled.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Predict = Callable[[Sequence[str]], Any]
STANCES = ("favor", "neutral", "against", "none")
EPOCHS = {"spacy_bow": 8, "spacy_ensemble": 4}


def fit_ours(texts: list[str], labels: Any, folder: Path) -> None:
    from pipeline.classify.training import new_classifier
    from pipeline.classify.weights import save_weights
    from pipeline.config import load_targets

    save_weights(new_classifier(load_targets()).fit(texts, labels), folder / "weights.npz")


def load_ours(folder: Path) -> Predict:
    """Everything that `stance classify` does: language, stances, evidence, rows of CSV."""
    from pipeline.classify.artifact import Model
    from pipeline.classify.rows import Unit, _csv
    from pipeline.classify.tagging import BATCH, decide
    from pipeline.classify.weights import load_weights

    scorer = load_weights(folder / "weights.npz")
    model = Model(
        model_id="bench/1", scorer=scorer, targets=scorer.targets, languages=("en", "ru", "zh"),
        thresholds=dict.fromkeys(scorer.targets, 0.0), codebook_version="", out_of_fold={}, folder=folder,
    )  # fmt: skip

    def predict(texts: Sequence[str]) -> Any:
        answers = []
        for start in range(0, len(texts), BATCH):
            part = list(texts[start : start + BATCH])
            decided = decide(model, part, [""] * len(part))
            blank = [""] * len(part)
            _csv(Unit(carried=(blank,) * 6, texts=part), decided, range(len(model.targets)))
            answers.append(np.array(STANCES)[decided.predicted])
        return np.concatenate(answers)

    return predict


def fit_sklearn(texts: list[str], labels: Any, folder: Path) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer()
    matrix = vectorizer.fit_transform(texts)
    machines = []
    for column in labels.T:
        known = np.flatnonzero(column != "")
        machines.append(LogisticRegression(max_iter=500).fit(matrix[known], column[known].astype(str)))
    (folder / "model.pickle").write_bytes(pickle.dumps((vectorizer, machines)))


def load_sklearn(folder: Path) -> Predict:
    vectorizer, machines = pickle.loads((folder / "model.pickle").read_bytes())  # noqa: S301  # written just above

    def predict(texts: Sequence[str]) -> Any:
        matrix = vectorizer.transform(texts)
        return np.stack([machine.predict(matrix) for machine in machines], axis=1)

    return predict


def _fit_spacy(texts: list[str], labels: Any, folder: Path, architecture: dict[str, Any], epochs: int) -> None:
    """Train one multi-label categorizer on target x stance, which shares its encoder among the targets."""
    import spacy
    from spacy.training import Example
    from spacy.util import minibatch

    nlp = spacy.blank("xx")
    component = nlp.add_pipe("textcat_multilabel", config={"model": architecture})
    names = [f"{k}:{stance}" for k in range(labels.shape[1]) for stance in STANCES]
    for name in names:
        component.add_label(name)
    examples = [
        Example.from_dict(
            nlp.make_doc(text),
            {"cats": {f"{k}:{s}": float(s == row[k]) for k in range(len(row)) if row[k] for s in STANCES}},
        )
        for text, row in zip(texts, labels, strict=True)
    ]
    optimizer = nlp.initialize(lambda: examples)
    shuffled, rng = list(examples), random.Random(0)
    for _ in range(epochs):
        rng.shuffle(shuffled)
        for batch in minibatch(shuffled, size=64):
            nlp.update(batch, sgd=optimizer, drop=0.2)
    nlp.to_disk(folder / "spacy")


_BOW = {
    "@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": False, "length": 262144, "ngram_size": 1,
    "no_output_layer": False,
}  # fmt: skip
_ENSEMBLE = {
    "@architectures": "spacy.TextCatEnsemble.v2",
    "tok2vec": {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2", "width": 64, "rows": [2000, 2000, 500, 1000, 500],
            "attrs": ["NORM", "LOWER", "PREFIX", "SUFFIX", "SHAPE"], "include_static_vectors": False,
        },
        "encode": {
            "@architectures": "spacy.MaxoutWindowEncoder.v2", "width": 64, "window_size": 1, "maxout_pieces": 3,
            "depth": 2,
        },
    },
    "linear_model": _BOW,
}  # fmt: skip


def fit_bow(texts: list[str], labels: Any, folder: Path) -> None:
    _fit_spacy(texts, labels, folder, _BOW, EPOCHS["spacy_bow"])


def fit_ensemble(texts: list[str], labels: Any, folder: Path) -> None:
    _fit_spacy(texts, labels, folder, _ENSEMBLE, EPOCHS["spacy_ensemble"])


def load_spacy(folder: Path) -> Predict:
    import spacy

    nlp = spacy.load(folder / "spacy")

    def predict(texts: Sequence[str]) -> Any:
        answers = []
        for doc in nlp.pipe(texts, batch_size=256):
            cats = doc.cats
            answers.append([max(STANCES, key=lambda stance: cats[f"{k}:{stance}"]) for k in range(5)])
        return np.array(answers)

    return predict


RIVALS: dict[str, tuple[str, Callable[..., None], Callable[[Path], Predict]]] = {
    "ours": ("stance classify (with evidence and rows)", fit_ours, load_ours),
    "sklearn": ("scikit-learn TF-IDF + logistic regression", fit_sklearn, load_sklearn),
    "spacy_bow": ("spaCy textcat, bag of words", fit_bow, load_spacy),
    "spacy_ensemble": ("spaCy textcat, ensemble", fit_ensemble, load_spacy),
}
