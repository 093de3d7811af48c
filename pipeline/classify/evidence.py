"""Find the sentence of a statement that shows its stance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.classify.cues import cue_pattern, fold
from pipeline.classify.model import StanceClassifier
from pipeline.classify.segment import sentence_spans
from pipeline.schema import STANCES

_NONE = STANCES.index("none")
Span = tuple[int, int]


def evidence_spans(
    classifier: StanceClassifier, text: str, predicted: npt.NDArray[np.int64], lang: str = ""
) -> list[Span | None]:
    """Return, per target, the (start, end) of the sentence that speaks most for the predicted stance.

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
    if (predicted == _NONE).all():
        return [None] * len(predicted)
    sentences = sentence_spans(text, lang)
    if not sentences:  # nothing but white space
        return [None] * len(predicted)
    if len(sentences) == 1:
        return [None if stance == _NONE else sentences[0] for stance in predicted]
    parts = [text[start:end] for start, end in sentences]
    scores = classifier.scores(classifier.transform(parts))
    return [
        None if stance == _NONE else sentences[_best(scores[:, k, stance] - scores[:, k, _NONE], parts, terms)]
        for k, (stance, terms) in enumerate(zip(predicted, classifier.cues.values(), strict=True))
    ]


def _best(odds: npt.NDArray[np.float64], sentences: list[str], terms: object) -> int:
    """Return the sentence with the highest odds of the stance against `none`, among those with a cue if any.

    A sentence without a cue can outscore one with it on style alone; it does not show a stance on the target.
    """
    pattern = cue_pattern(tuple(terms))  # type: ignore[arg-type]
    cued = np.array([bool(pattern.search(fold(sentence))) for sentence in sentences])
    return int(np.argmax(np.where(cued, odds, -np.inf) if cued.any() else odds))
