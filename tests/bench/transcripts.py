"""How a long statement is best read: rules compared on transcripts put together from held-out passages.

    nice python -m tests.bench.transcripts [copies]

For each fold a model is fitted on the others, and transcripts of 2 to 50 held-out passages of one language (70 to
1,800 English words) are put together: on each target the invented speaker takes one side or none, in one to three
passages, beside up to 16 neutral ones; every fourth transcript also holds a passage of the other side; the rest is filled with
passages that the coders gave `none` on all targets, many of which name one. The label of the whole follows the
codebook: the side taken; neutral when none is, or both are and neither twice as often.

Prints, per rule: macro-F1, accuracy, log-loss, calibration error, and the share of sides that were lost to neutral;
macro-F1 by length; and the weights of the regression that `transcripts.COMBINATION` holds (learnt on folds that a
transcript's passages are not from).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from pipeline.classify import transcripts
from pipeline.classify.calibration import expected_calibration_error
from pipeline.classify.evaluate import evaluate
from pipeline.classify.segment import sentence_spans
from pipeline.classify.training import (
    TrainingSet,
    _assemble,
    _fit,
    _scaling,
    new_classifier,
    split_by_event,
    training_set,
)
from pipeline.config import load_targets
from pipeline.schema import STANCES

SIZES = (2, 3, 4, 6, 12, 25, 50)
WINDOWS = {"whole text": 0, "sentences": 1, "windows of 3": 3, "windows of 5": 5}
NEUTRALS = (0, 0, 1, 2, 4, 8, 16)
"""Neutral passages on a target that the speaker has a word on: he may mention it again and again."""
FAVOR, NEUTRAL, AGAINST, NONE = range(4)
SILENT = np.array([0.003, 0.003, 0.003, 0.991])
_ALLOWED = {
    "favor": ("favor", "neutral", "none"),
    "against": ("against", "neutral", "none"),
    "neutral": ("neutral", "none"),
    "none": ("none",),
}
Rows = npt.NDArray[np.int64]
Rule = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A text put together, the fold its passages are from, its label on each target."""

    fold: int
    size: int
    text: str
    gold: npt.NDArray[Any]


def label_of(stances: npt.NDArray[Any]) -> str:
    """Return the stance of a whole by those of its passages."""
    favor, against = (stances == "favor").sum(), (stances == "against").sum()
    if favor and favor >= 2 * against:
        return "favor"
    if against and against >= 2 * favor:
        return "against"
    return "neutral" if (stances != "none").any() else "none"


def put_together(data: TrainingSet, test: Rows, size: int, random: np.random.Generator) -> Iterator[int]:
    """Yield the rows of one transcript: what the speaker says on the targets, and fillers."""
    y = data.y[test]
    sides = random.choice(STANCES, size=len(data.targets), p=[0.3, 0.2, 0.25, 0.25])
    fitting = np.all([np.isin(y[:, k].astype(str), _ALLOWED[side]) for k, side in enumerate(sides)], axis=0)
    chosen: list[int] = []
    for k, side in enumerate(sides):
        if side != "none":
            for stance, most in ((side, random.integers(1, 4)), ("neutral", random.choice(NEUTRALS))):
                there = np.flatnonzero(fitting & (y[:, k] == stance))
                chosen.extend(random.permutation(there)[:most].tolist())
    target = int(random.integers(len(sides)))
    if random.random() < 0.25 and sides[target] in ("favor", "against"):
        others = np.delete(np.arange(len(sides)), target)
        fitting = np.all([np.isin(y[:, k].astype(str), _ALLOWED[sides[k]]) for k in others], axis=0)
        other = {"favor": "against", "against": "favor"}[sides[target]]
        chosen.extend(random.permutation(np.flatnonzero(fitting & (y[:, target] == other)))[:1].tolist())
    chosen = random.permutation(list(dict.fromkeys(chosen)))[:size].tolist()
    fillers = np.setdiff1d(np.flatnonzero((y == "none").all(axis=1)), chosen)
    chosen.extend(random.permutation(fillers)[: size - len(chosen)].tolist())
    yield from test[random.permutation(chosen).astype(int)]


def compose(data: TrainingSet, folds: list[tuple[Rows, Rows]], copies: int, seed: int = 0) -> list[Transcript]:
    """Put transcripts of every fold, language and size together."""
    random, langs = np.random.default_rng(seed), np.array(data.langs)
    made = []
    for fold, (_, test) in enumerate(folds):
        for lang in sorted(set(data.langs)):
            for size in SIZES * (copies * (2 if lang == "en" else 1)):
                rows = list(put_together(data, test[langs[test] == lang], size, random))
                joint = "\n\n" if random.random() < 0.5 else "" if lang == "zh" else " "
                text = joint.join(data.texts[i].strip() for i in rows)
                gold = np.array([label_of(column) for column in data.y[rows].T], dtype=object)
                made.append(Transcript(fold=fold, size=size, text=text, gold=gold))
    return made


def windows(text: str, sentences: int) -> list[str]:
    """Cut a text into windows of so many sentences, none over a line break; 0 leaves it whole."""
    if not sentences:
        return [text]
    found: list[tuple[int, int]] = []
    inside = 0
    for start, end in sentence_spans(text):
        if 0 < inside < sentences and "\n" not in text[found[-1][1] : start]:
            found[-1], inside = (found[-1][0], end), inside + 1
        else:
            found.append((start, end))
            inside = 1
    return [text[start:end] for start, end in found]


def read(models: list[Any], made: list[Transcript], sentences: int) -> list[list[npt.NDArray[np.float64]]]:
    """Return, per transcript and target, the probabilities of the windows that name it, shape (n, 4)."""
    answer = []
    for transcript in made:
        probabilities, naming = models[transcript.fold].predict_naming(windows(transcript.text, sentences))
        answer.append([probabilities[named, k] for k, named in enumerate(naming.T)])
    return answer


def mean(windows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Average the windows."""
    return windows.mean(axis=0)


def surest(windows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Take the window that is surest of a stance other than none."""
    return windows[windows[:, :NONE].max(axis=1).argmax()]


def most_one_sided(windows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Take the window that takes a side most surely; if none does, the one that is least `none`."""
    sided = windows[:, [FAVOR, AGAINST]].max(axis=1)
    return windows[sided.argmax() if sided.max() >= 0.5 else windows[:, NONE].argmin()]


def noisy_or(windows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Take the windows as independent witnesses, and apply the codebook's rule to what any of them saw."""
    none, no_side = windows[:, NONE].prod(), (windows[:, NEUTRAL] + windows[:, NONE]).prod()
    no_favor, no_against = (1 - windows[:, FAVOR]).prod(), (1 - windows[:, AGAINST]).prod()
    both = max(0.0, 1 - no_favor - no_against + no_side)
    combined = np.array([no_against - no_side, no_side - none + both, no_favor - no_side, none]).clip(1e-6)
    return combined / combined.sum()


def described(windows: npt.NDArray[np.float64]) -> list[float]:
    """Return what the regression sees of the windows."""
    bounded = windows.clip(1e-3, 1 - 1e-3)
    odds = np.log(bounded / (1 - bounded))
    return [*odds[:, :NONE].max(axis=0), odds[:, NONE].min(), np.log1p(windows[:, NONE].sum())]


def regression(made: list[Transcript], found: list[Any], folds: set[int]) -> npt.NDArray[np.float64]:
    """Learn weights, shape (4, 6), on transcripts of some folds; symmetric in favor and against."""
    pairs = [
        (described(part), transcript.gold[k])
        for transcript, parts in zip(made, found, strict=True)
        for k, part in enumerate(parts)
        if transcript.fold in folds and len(part) > 1
    ]
    learnt = LogisticRegression(max_iter=5000).fit(
        np.array([seen for seen, _ in pairs]), [STANCES.index(stance) for _, stance in pairs]
    )
    weights = np.column_stack([learnt.coef_, learnt.intercept_])
    swapped = weights[[AGAINST, NEUTRAL, FAVOR, NONE]][:, [AGAINST, NEUTRAL, FAVOR, NONE, 4, 5]]
    return (weights + swapped) / 2


def weighing(weights: npt.NDArray[np.float64]) -> Rule:
    """Return the rule of a regression."""

    def rule(windows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        if len(windows) == 1:
            return windows[0]
        powers = np.exp(weights @ np.array([*described(windows), 1.0]))
        return powers / powers.sum()

    return rule


def score(made: list[Transcript], answers: list[npt.NDArray[np.float64]], targets: tuple[str, ...]) -> list[float]:
    """Return macro-F1, accuracy, log-loss, calibration error, sides lost to neutral; then macro-F1 by size."""
    gold, p = np.array([t.gold for t in made]), np.array(answers)
    predicted = np.array(STANCES)[p.argmax(axis=2)]
    codes = np.array([[STANCES.index(stance) for stance in row] for row in gold])
    right = predicted == gold
    likelihood = np.take_along_axis(p, codes[:, :, None], axis=2).clip(1e-6)
    sided = np.isin(gold.astype(str), ["favor", "against"])
    sizes = np.array([t.size for t in made])
    by_size = [evaluate(targets, gold[sizes == n], predicted[sizes == n])["mean_macro_f1"] for n in SIZES]
    return [
        evaluate(targets, gold, predicted)["mean_macro_f1"],
        right.mean(),
        -np.log(likelihood).mean(),
        expected_calibration_error(p.max(axis=2).ravel(), right.ravel()),
        (predicted[sided] == "neutral").mean(),
        *by_size,
    ]


def fold_models(data: TrainingSet, folds: list[tuple[Rows, Rows]]) -> list[Any]:
    """Fit a model on each fold's training part, calibrated by out-of-fold margins."""
    new = new_classifier(load_targets())
    models = [_fit(new, data, fit) for fit, _ in folds]
    parts = [
        m.margins(m.transform([data.texts[i] for i in test])) for m, (_, test) in zip(models, folds, strict=True)
    ]
    scaling = _scaling(data, _assemble([test for _, test in folds], parts), np.arange(len(data.texts)))
    for model in models:
        model.scaling_ = scaling
    return models


def main() -> None:
    """Print the comparison."""
    data = training_set()
    folds = split_by_event(data)
    models = fold_models(data, folds)
    made = compose(data, folds, int(sys.argv[1]) if len(sys.argv) > 1 else 8)
    words = {n: np.mean([len(t.text.split()) for t in made if t.size == n and " " in t.text]) for n in SIZES}
    head = [f"{len(made)} transcripts", "F1", "acc.", "loss", "ECE", "lost", *(f"{words[n]:.0f}w" for n in SIZES)]
    sys.stdout.write(f"{head[0]:38}" + "".join(f"{name:>7}" for name in head[1:]) + "\n")
    rules: dict[str, Rule] = {
        "mean": mean, "surest": surest, "most one-sided": most_one_sided, "noisy or": noisy_or
    }  # fmt: skip
    for window, size in WINDOWS.items():
        found = read(models, made, size)
        if not size:
            show(window, made, found, [mean] * len(folds), data.targets)
            continue
        for name, rule in rules.items():
            show(f"{window}, {name}", made, found, [rule] * len(folds), data.targets)
        halves = {0, 1, 2}, {3, 4}
        learnt = [weighing(regression(made, found, halves[fold in halves[0]])) for fold in range(len(folds))]
        show(f"{window}, regression", made, found, learnt, data.targets)
        if size == 1:
            pinned = weighing(transcripts.COMBINATION)
            show("sentences, as `transcripts` has it", made, found, [pinned] * len(folds), data.targets)
            fresh = regression(made, found, {0, 1, 2, 3, 4}).round(2).tolist()
            sys.stdout.write(
                "\n".join(f"    weights {stance}: {row}" for stance, row in zip(STANCES, fresh, strict=True)) + "\n"
            )


def show(name: str, made: list[Transcript], found: list[Any], rules: list[Rule], targets: tuple[str, ...]) -> None:
    """Print one rule's line."""
    answers = [
        np.array([rules[transcript.fold](part) if len(part) else SILENT for part in parts])
        for transcript, parts in zip(made, found, strict=True)
    ]
    sys.stdout.write(f"{name:38}" + "".join(f"{v:7.3f}" for v in score(made, answers, targets)) + "\n")


if __name__ == "__main__":
    main()
