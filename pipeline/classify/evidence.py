"""Find the words of a statement that show its stance: the sentence, narrowed to a clause."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.classify.clauses import narrow_spans
from pipeline.classify.model import StanceClassifier
from pipeline.classify.segment import sentence_spans
from pipeline.schema import STANCES

_NONE = STANCES.index("none")
Span = tuple[int, int]


def evidence_spans(
    classifier: StanceClassifier, text: str, predicted: npt.NDArray[np.int64], lang: str = ""
) -> list[Span | None]:
    """Return, per target, the (start, end) of the words that speak most for the predicted stance.

    Parameters
    ----------
    classifier : StanceClassifier
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
    sentences = _best_sentences(classifier, text, predicted, lang)
    return narrow_spans(classifier, [text], np.asarray(predicted)[None], [sentences])[0]


def _best_sentences(
    classifier: StanceClassifier, text: str, predicted: npt.NDArray[np.int64], lang: str
) -> list[Span | None]:
    if (predicted == _NONE).all():
        return [None] * len(predicted)
    sentences = sentence_spans(text, lang)
    if not sentences:  # nothing but white space
        return [None] * len(predicted)
    if len(sentences) == 1:
        return [None if stance == _NONE else sentences[0] for stance in predicted]
    parts = [text[start:end] for start, end in sentences]
    margins = classifier.margins(classifier.transform(parts))
    return [
        None if stance == _NONE else sentences[_best(margins[:, k, stance] - margins[:, k, _NONE])]
        for k, stance in enumerate(predicted)
    ]


def _best(odds: npt.NDArray[np.float64]) -> int:
    """Return the sentence with the highest odds of the stance against `none`; one that is silent has none."""
    return int(np.argmax(np.where(np.isnan(odds), -np.inf, odds)))
