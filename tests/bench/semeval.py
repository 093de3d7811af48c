"""The same estimator on a public benchmark: SemEval-2016 Task 6 A (Mohammad et al. 2016), beside published systems.

    nice python -m tests.bench.semeval FOLDER [--cv]

FOLDER holds semeval2016_task6a.csv (`text,target,label,split`). Retargeted without code: every word is a cue of every
target, so that each sees the whole text; no dictionary, no context; stances weigh by their rarity; a hashtag is a word
of its own beside the word it holds. Settings were chosen on the training part alone, by two rounds of five-fold
cross-validation that keeps texts on one matter on one side (`--cv` repeats it): the test part is from later weeks, and
plain folds reward what is learnt by heart.

Prints Favg (the mean of the F1 of favor and of against over all test texts together), seconds of training and of
prediction, and the same for spaCy's text categorizer, one per target, in the same run.
"""

from __future__ import annotations

import csv
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import spacy
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GroupKFold
from spacy.training import Example

from pipeline.classify.model import StanceClassifier

PUBLISHED = {
    "majority per target": 65.2, "SVM unigrams (organisers)": 63.3, "SVM n-grams (organisers)": 69.0,
    "best team 2016 (MITRE)": 67.8, "RoBERTa": 69.3, "BERTweet": 71.2, "TimeLMs": 72.9,
    "few-shot large language model (2024)": 79.8,
}  # fmt: skip
EVERY_WORD = [f"{sign}*" for sign in "abcdefghijklmnopqrstuvwxyz0123456789"]
SETTINGS: dict[str, Any] = {
    "C": 0.1, "char_ngrams": (3, 6), "min_df": 1, "weights": {"words": 0.5, "characters": 1.0}, "context": {}
}  # fmt: skip
EPOCHS = 10


@dataclass(frozen=True, slots=True)
class Tweets:
    """Texts, each about one target."""

    texts: list[str]
    targets: npt.NDArray[Any]
    labels: npt.NDArray[Any]

    def part(self, rows: npt.NDArray[Any]) -> Tweets:
        """Return some of them."""
        return Tweets([self.texts[i] for i in rows], self.targets[rows], self.labels[rows])


def read(folder: Path) -> tuple[Tweets, Tweets]:
    """Return the training part (with validation) and the official test part."""
    with (folder / "semeval2016_task6a.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    parts = [[row for row in rows if (row["split"] == "test") is test] for test in (False, True)]
    train, test = (
        Tweets(
            [re.sub(r"#(\w+)", r"hash\1 \1", row["text"]) for row in part],
            np.array([row["target"] for row in part]),
            np.array([row["label"].lower() for row in part]),
        )
        for part in parts
    )
    return train, test


def favg(gold: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> float:
    """Return the official measure, in percent."""
    f1 = []
    for stance in ("favor", "against"):
        hits = ((gold == stance) & (predicted == stance)).sum()
        f1.append(2 * hits / ((gold == stance).sum() + (predicted == stance).sum()))
    return 100 * float(np.mean(f1))


def fit(train: Tweets, targets: Sequence[str]) -> StanceClassifier:
    """Fit the project's estimator on the benchmark's targets."""
    cells, sizes = Counter(zip(train.targets, train.labels, strict=True)), Counter(train.targets)
    rarity = [(sizes[t] / cells[t, s]) ** 0.5 for t, s in zip(train.targets, train.labels, strict=True)]
    weights = np.array(rarity) / np.mean(rarity)
    own = np.array([[about == t for t in targets] for about in train.targets])
    y = np.where(own, train.labels[:, None], "").astype(object)
    classifier = StanceClassifier(cues=dict.fromkeys(targets, EVERY_WORD), **SETTINGS)
    return classifier.fit(train.texts, y, sample_weight=weights)


def predict(classifier: StanceClassifier, tweets: Tweets) -> npt.NDArray[Any]:
    """Return the stance of each text on its own target."""
    predicted = classifier.predict(tweets.texts)
    return predicted[np.arange(len(tweets.texts)), [classifier.targets.index(t) for t in tweets.targets]]


def matters(train: Tweets, seed: int) -> npt.NDArray[np.int64]:
    """Return a group for each text: one of 40 clusters of its target."""
    groups = np.zeros(len(train.texts), dtype=np.int64)
    for k, target in enumerate(sorted(set(train.targets))):
        rows = np.flatnonzero(train.targets == target)
        words = TfidfVectorizer(min_df=2, sublinear_tf=True, stop_words="english")
        clusters = KMeans(40, random_state=seed, n_init=1)
        groups[rows] = 40 * k + clusters.fit_predict(words.fit_transform([train.texts[i] for i in rows]))
    return groups


def cross_validated(train: Tweets, targets: Sequence[str]) -> float:
    """Return Favg on the training part, by two rounds of five folds; a cluster is never on both sides."""
    scores = []
    for seed in (0, 1):
        predicted = np.empty(len(train.texts), dtype=object)
        folds = GroupKFold(5, shuffle=True, random_state=seed)
        for rows, held in folds.split(train.texts, groups=matters(train, seed)):
            predicted[held] = predict(fit(train.part(rows), targets), train.part(held))
        scores.append(favg(train.labels, predicted))
    return float(np.mean(scores))


def textcat(train: Tweets) -> spacy.language.Language:
    """Train spaCy's bag-of-words text categorizer on one target."""
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe(
        "textcat",
        config={
            "model": {
                "@architectures": "spacy.TextCatBOW.v3",
                "exclusive_classes": True,
                "ngram_size": 2,
                "no_output_layer": False,
            }
        },
    )
    names = sorted(set(train.labels))
    for name in names:
        pipe.add_label(name)
    examples = [
        Example.from_dict(nlp.make_doc(text), {"cats": {name: float(name == label) for name in names}})
        for text, label in zip(train.texts, train.labels, strict=True)
    ]
    shuffle = random.Random(0)
    nlp.initialize(lambda: examples)
    for _ in range(EPOCHS):
        shuffle.shuffle(examples)
        for start in range(0, len(examples), 32):
            nlp.update(examples[start : start + 32])
    return nlp


def main() -> None:
    """Print the comparison."""
    if len(sys.argv) < 2:
        sys.exit("give the folder that holds semeval2016_task6a.csv")
    train, test = read(Path(sys.argv[1]))
    targets = sorted(set(train.targets))
    if "--cv" in sys.argv:
        sys.stdout.write(f"cross-validated on the training part: Favg {cross_validated(train, targets):.2f}\n")
    lines = [f"  {name:42}{value:6.1f}" for name, value in PUBLISHED.items()]

    started = time.perf_counter()
    classifier = fit(train, targets)
    fitted = time.perf_counter()
    predicted = predict(classifier, test)
    done = time.perf_counter()
    lines.append(timed("this estimator", favg(test.labels, predicted), fitted - started, done - fitted))

    spacy.util.fix_random_seed(0)
    started = time.perf_counter()
    taggers = {target: textcat(train.part(np.flatnonzero(train.targets == target))) for target in targets}
    fitted = time.perf_counter()
    for target, nlp in taggers.items():
        rows = np.flatnonzero(test.targets == target)
        docs = nlp.pipe([test.texts[i] for i in rows])
        predicted[rows] = [max(doc.cats, key=doc.cats.__getitem__) for doc in docs]
    done = time.perf_counter()
    lines.append(
        timed("spaCy textcat, bag of words", favg(test.labels, predicted), fitted - started, done - fitted)
    )
    sys.stdout.write("\n".join(["  Favg on the official test", *lines, ""]))


def timed(name: str, figure: float, training: float, prediction: float) -> str:
    """Return a line with seconds."""
    return f"  {name:42}{figure:6.1f}   training {training:.1f} s, prediction {prediction:.2f} s"


if __name__ == "__main__":
    main()
