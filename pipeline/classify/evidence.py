"""Find the words of a statement that show its stance: the sentence, narrowed to a clause."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.classify.clauses import narrow_spans
from pipeline.classify.scorer import StanceScorer
from pipeline.classify.segment import sentence_spans
from pipeline.schema import STANCES

_NONE = STANCES.index("none")
Span = tuple[int, int]


def evidence_spans(
    classifier: StanceScorer, text: str, predicted: npt.NDArray[np.int64], lang: str = ""
) -> list[Span | None]:
    """Return, per target, the (start, end) of the words that speak most for the predicted stance.

    Parameters
    ----------
    classifier : StanceScorer
        Fitted.
    text : str
        The statement.
    predicted : ndarray of int, shape (n_targets,)
        Index into `STANCES` of each target's stance.
    lang : str
        Language of the text; guessed when empty.

    Returns
    -------
    list of (int, int) or None
        Offsets in code points; None where the stance is `none`.
    """
    return evidence_of_all(classifier, [text], np.asarray(predicted)[None], [lang])[0]


def evidence_of_all(
    classifier: StanceScorer, texts: Sequence[str], predicted: npt.NDArray[np.int64], langs: Sequence[str]
) -> list[list[Span | None]]:
    """Do as `evidence_spans` for many texts, of which all sentences are scored together.

    Parameters
    ----------
    texts, langs : sequences of str, length n
    predicted : ndarray of int, shape (n, n_targets)
    """
    spoken = predicted != _NONE
    sentences = [
        sentence_spans(text, lang) if speaks else ()
        for text, lang, speaks in zip(texts, langs, spoken.any(axis=1).tolist(), strict=True)
    ]
    parts = _Parts(classifier, texts, sentences)
    asked = [row for row, spans in enumerate(sentences) if len(spans) > 1 and parts.is_open(row, spoken[row])]
    parts.score(asked)
    best = [
        [_span(parts, row, k, stance) for k, stance in enumerate(stances)]
        for row, stances in enumerate(predicted.tolist())
    ]
    return narrow_spans(classifier, texts, predicted, best)


class _Parts:
    """The sentences of texts that have several, which targets each names and, of those asked for, the margins."""

    def __init__(self, classifier: StanceScorer, texts: Sequence[str], sentences: Sequence[Sequence[Span]]) -> None:
        self._classifier = classifier
        self.sentences = sentences
        sizes = [len(spans) if len(spans) > 1 else 0 for spans in sentences]
        self._first = np.cumsum([0, *sizes])
        self._texts = [
            text[start:end]
            for text, spans, size in zip(texts, sentences, sizes, strict=True)
            if size
            for start, end in spans
        ]
        self._names = classifier.names(self._texts)
        self._margins = np.full((*self._names.shape, len(STANCES)), np.nan)

    def _rows(self, row: int) -> slice:
        return slice(self._first[row], self._first[row + 1])

    def is_open(self, row: int, spoken: npt.NDArray[np.bool_]) -> bool:
        """Say whether several sentences of a text name a target that it takes a stance on."""
        return bool((self._names[self._rows(row)].sum(axis=0) > 1)[spoken].any())

    def score(self, rows: Sequence[int]) -> None:
        """Score the sentences of the given texts, all together."""
        places = [place for row in rows for place in range(self._first[row], self._first[row + 1])]
        if places:
            matrices = self._classifier.transform([self._texts[place] for place in places])
            self._margins[places] = self._classifier.margins(matrices)

    def best(self, row: int, k: int, stance: int) -> Span:
        """Return the sentence that names the target with the highest odds of the stance against `none`.

        Where only one names it, it is that one; where none does, the first.
        """
        rows = self._rows(row)
        names = self._names[rows, k]
        odds = self._margins[rows, k, stance] - self._margins[rows, k, _NONE]
        return self.sentences[row][int(np.argmax(np.where(np.isnan(odds), np.where(names, -1e30, -np.inf), odds)))]


def _span(parts: _Parts, row: int, k: int, stance: int) -> Span | None:
    spans = parts.sentences[row]
    if stance == _NONE or not spans:  # no sentence: nothing but white space
        return None
    return spans[0] if len(spans) == 1 else parts.best(row, k, stance)
