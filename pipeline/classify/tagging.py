"""Tag statements with a trained model: the one path that the command line, the store and Python share."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from pipeline.classify.artifact import Model, keep_loaded, worker_model
from pipeline.classify.evidence import Span, evidence_of_all
from pipeline.classify.language import detect_language
from pipeline.classify.pool import ordered
from pipeline.classify.scorer import softmax
from pipeline.classify.transcripts import combine_sentences, sentences_if_long
from pipeline.corpus import text_key
from pipeline.schema import STANCES, Statement, Tag

BATCH = 1024
"""Statements decided on together: enough to share the cost of numpy, few enough for the caches."""
_CERTAIN_NONE = (0.0, 0.0, 0.0, 1.0)
"""Of a text in a language that the model was never trained on."""
_NONE = STANCES.index("none")


def tag_statements(
    model: Model, statements: Iterable[Statement], *, targets: Sequence[str] | None = None, batch: int = BATCH
) -> Iterator[tuple[Statement, list[Tag]]]:
    """Yield each statement with its tags, one per target, in order and in bounded memory.

    A text that the model was trained on gets its out-of-fold probabilities, never in-sample ones.

    Parameters
    ----------
    model : Model
    statements : iterable of Statement
    targets : sequence of str, optional
        Targets to tag, all of the model's by default.
    batch : int
        Statements classified at a time.
    """
    chosen = [k for k, target in enumerate(model.targets) if targets is None or target in targets]
    for rows in _batches(iter(statements), batch):
        decided = decide(model, [row.text for row in rows], [row.lang for row in rows])
        yield from zip(rows, decided.tags(chosen), strict=True)


def tag_texts(model: Model, texts: Iterable[str], *, targets: Sequence[str] | None = None) -> Iterator[list[Tag]]:
    """Yield the tags of each text, one per target, in order and in bounded memory.

    Parameters
    ----------
    model : Model
        Loaded once; it gets faster with the words that it has met.
    texts : iterable of str
    targets : sequence of str, optional
        Targets to tag, all of the model's by default.
    """
    statements = (Statement(statement_id="", text=text) for text in texts)
    for _, tags in tag_statements(model, statements, targets=targets):
        yield tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What a model says of N texts on its K targets.

    Attributes
    ----------
    probabilities : ndarray, shape (N, K, 4)
        Calibrated, stances in the order of `STANCES`.
    predicted : ndarray of int, shape (N, K)
        The likeliest stance.
    abstained : ndarray of bool, shape (N, K)
        Whether the model is too unsure.
    spans : sequence of sequence of (int, int) or None
        Evidence of each text on each target, in code points.
    is_read : ndarray of bool, shape (N,)
        False for a text in a language that the model was never trained on: `none` and abstained, never guessed.
    """

    model: Model
    texts: Sequence[str]
    probabilities: npt.NDArray[np.float64]
    predicted: npt.NDArray[np.int64]
    abstained: npt.NDArray[np.bool_]
    spans: Sequence[Sequence[Span | None]]
    is_read: npt.NDArray[np.bool_]

    def tags(self, chosen: Sequence[int]) -> list[list[Tag]]:
        """Return the tags of each text on the chosen targets; texts that name no target share theirs."""
        silent = self.silent.tolist()
        of_silent = [self._tag(silent.index(True), k) for k in chosen] if True in silent else []
        return [[*of_silent] if quiet else [self._tag(row, k) for k in chosen] for row, quiet in enumerate(silent)]

    @property
    def silent(self) -> npt.NDArray[np.bool_]:
        """Which texts got exactly the probabilities of one that names no target, and `none` on all, shape (N,)."""
        quiet = softmax(self.model.scorer.silent_)
        same = (self.probabilities == quiet).all(axis=(1, 2))
        silent: npt.NDArray[np.bool_] = same & self.is_read & (self.predicted == _NONE).all(axis=1)
        return silent

    def _tag(self, row: int, k: int) -> Tag:
        shares = self.probabilities[row, k].tolist()
        start, end = self.spans[row][k] or (None, None)
        return Tag(
            target=self.model.targets[k],
            stance=STANCES[int(self.predicted[row, k])],
            probabilities=tuple(shares),
            confidence=max(shares),
            abstained=bool(self.abstained[row, k]),
            evidence_start=start,
            evidence_end=end,
            evidence=self.texts[row][start:end] if start is not None else "",
            model_id=self.model.model_id,
        )


def decide(model: Model, texts: Sequence[str], langs: Sequence[str]) -> Decisions:
    """Classify texts, each on every target, with evidence; a text's language is detected where `langs` is empty."""
    probabilities = predict(model, texts)
    read = [(lang or detect_language(text)).lower().split("-")[0] for text, lang in zip(texts, langs, strict=True)]
    is_read = np.array([lang in model.languages for lang in read], dtype=bool)
    probabilities[~is_read] = _CERTAIN_NONE
    predicted = probabilities.argmax(axis=2)
    thresholds = np.array([model.thresholds[target] for target in model.targets])
    spoken = np.flatnonzero((predicted != _NONE).any(axis=1))
    spans: list[Sequence[Span | None]] = [(None,) * len(model.targets)] * len(texts)
    found = evidence_of_all(
        model.scorer, [texts[i] for i in spoken.tolist()], predicted[spoken], [read[i] for i in spoken.tolist()]
    )
    for number, own in zip(spoken.tolist(), found, strict=True):
        spans[number] = own
    return Decisions(
        model=model,
        texts=texts,
        probabilities=probabilities,
        predicted=predicted,
        abstained=(probabilities.max(axis=2) < thresholds) | ~is_read[:, None],
        spans=spans,
        is_read=is_read,
    )


def predict(model: Model, texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return calibrated probabilities, shape (len(texts), n_targets, 4): out of fold for training texts.

    A text of more than five sentences is read sentence by sentence (`transcripts`).
    """
    if not texts:
        return np.empty((0, len(model.targets), len(STANCES)))
    probabilities, naming = model.scorer.predict_naming(texts)
    _read_long_texts(model, texts, probabilities, np.flatnonzero(naming.any(axis=1)).tolist())
    for i, text in enumerate(texts):
        held_out = model.out_of_fold.get(text_key(text))
        if held_out is not None:
            probabilities[i] = held_out / held_out.sum(axis=1, keepdims=True)
    return probabilities


def _read_long_texts(
    model: Model, texts: Sequence[str], probabilities: npt.NDArray[np.float64], naming: Sequence[int]
) -> None:
    """Put, for the long ones among texts that name a target, what their sentences say; all are read together."""
    long = {i: sentences for i in naming if (sentences := sentences_if_long(texts[i]))}
    if not long:
        return
    read, named = model.scorer.predict_naming([sentence for sentences in long.values() for sentence in sentences])
    first = 0
    for i, sentences in long.items():
        own = slice(first, first + len(sentences))
        probabilities[i] = combine_sentences(read[own], named[own])
        first += len(sentences)


def is_unsupported(tags: Sequence[Tag]) -> bool:
    """Say whether tags are those of a text in a language that the model does not read."""
    return bool(tags) and all(tag.abstained and tag.probabilities == _CERTAIN_NONE for tag in tags)


def tag_in_parallel(
    model: Model,
    statements: Iterable[Statement],
    *,
    targets: Sequence[str] | None = None,
    workers: int = -1,
    batch: int = BATCH,
) -> Iterator[tuple[Statement, list[Tag]]]:
    """Do as `tag_statements`, over several processes once there is enough to be worth starting them.

    Parameters
    ----------
    workers : int
        Processes; -1 for all cores. The rows and their order do not depend on it.
    """
    keep_loaded(model)
    batches = _batches(iter(statements), batch)
    for done in ordered(partial(_tag_batch, str(model.folder), targets), batches, workers=workers):
        yield from done


def _batches(statements: Iterator[Statement], size: int) -> Iterator[list[Statement]]:
    while rows := list(itertools.islice(statements, size)):
        yield rows


def _tag_batch(
    folder: str, targets: Sequence[str] | None, rows: list[Statement]
) -> list[tuple[Statement, list[Tag]]]:
    return list(tag_statements(worker_model(folder), rows, targets=targets, batch=len(rows)))
