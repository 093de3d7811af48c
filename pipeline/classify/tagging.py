"""Tag statements with a trained model: the one path that the command line, the store and Python share."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed

from pipeline.classify.artifact import Model, load_model
from pipeline.classify.evidence import evidence_spans
from pipeline.classify.language import detect_language
from pipeline.classify.transcripts import combine_sentences, sentences_if_long
from pipeline.corpus import text_key
from pipeline.schema import STANCES, Statement, Tag

BATCH = 256
_CERTAIN_NONE = (0.0, 0.0, 0.0, 1.0)
_WORTH_WORKERS = 2000
"""Statements below which starting processes costs more than they save."""


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
        probabilities = predict(model, [row.text for row in rows])
        for row, row_probabilities in zip(rows, probabilities, strict=True):
            tags = _tags(model, row, row_probabilities)
            yield row, [tags[k] for k in chosen]


def predict(model: Model, texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return calibrated probabilities, shape (len(texts), n_targets, 4): out of fold for training texts.

    A text of more than five sentences is read sentence by sentence (`transcripts`).
    """
    if not texts:
        return np.empty((0, len(model.targets), len(STANCES)))
    probabilities, naming = model.classifier.predict_naming(texts)
    for i in np.flatnonzero(naming.any(axis=1)).tolist():
        if sentences := sentences_if_long(texts[i]):
            probabilities[i] = combine_sentences(*model.classifier.predict_naming(sentences))
    for i, text in enumerate(texts):
        held_out = model.out_of_fold.get(text_key(text))
        if held_out is not None:
            probabilities[i] = held_out / held_out.sum(axis=1, keepdims=True)
    return probabilities


def _tags(model: Model, statement: Statement, probabilities: npt.NDArray[np.float64]) -> list[Tag]:
    lang = (statement.lang or detect_language(statement.text)).lower().split("-")[0]
    if lang not in model.languages:
        return [_unsupported(target, model.model_id) for target in model.targets]
    predicted = probabilities.argmax(axis=1)
    spans = evidence_spans(model.classifier, statement.text, predicted, lang)
    tags = []
    for k, target in enumerate(model.targets):
        confidence = float(probabilities[k, predicted[k]])
        start, end = spans[k] or (None, None)
        tags.append(
            Tag(
                target=target,
                stance=STANCES[predicted[k]],
                probabilities=tuple(float(p) for p in probabilities[k]),  # type: ignore[arg-type]
                confidence=confidence,
                abstained=confidence < model.thresholds[target],
                evidence_start=start,
                evidence_end=end,
                evidence=statement.text[start:end] if start is not None else "",
                model_id=model.model_id,
            )
        )
    return tags


def _unsupported(target: str, model_id: str) -> Tag:
    """Return the tag of a text in a language that the model was never trained on: it must not guess."""
    return Tag(
        target=target, stance="none", probabilities=_CERTAIN_NONE, confidence=1.0, abstained=True, model_id=model_id
    )


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
    pending = iter(statements)
    first = list(itertools.islice(pending, _WORTH_WORKERS))
    if workers == 1 or len(first) < _WORTH_WORKERS:
        yield from tag_statements(model, itertools.chain(first, pending), targets=targets, batch=batch)
        return
    batches = _batches(itertools.chain(first, pending), batch)
    parallel = Parallel(n_jobs=workers, return_as="generator", pre_dispatch="2*n_jobs")
    for done in parallel(delayed(_tag_batch)(model.folder, rows, targets) for rows in batches):
        yield from done


def _batches(statements: Iterator[Statement], size: int) -> Iterator[list[Statement]]:
    while rows := list(itertools.islice(statements, size)):
        yield rows


def _tag_batch(
    folder: Path, rows: list[Statement], targets: Sequence[str] | None
) -> list[tuple[Statement, list[Tag]]]:
    return list(tag_statements(_worker_model(folder), rows, targets=targets, batch=len(rows)))


@cache
def _worker_model(folder: Path) -> Model:
    return load_model(str(folder))
