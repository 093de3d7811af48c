"""Narrow a sentence to the clause that shows its stance: the words, not half the text.

A sentence is cut at its commas, semicolons, colons and dashes, and before conjunctions that turn or subordinate.
Each clause is read alone, as the sentence is; the shortest of them, the sentence included, whose margin of the
stance over the next best comes near the highest is the evidence. A clause that does not name the target cannot be
read alone and is never chosen; where only the whole names it, the whole stays.

On 165 passages whose words were marked by hand before the model was asked (tests/marks/evidence.jsonl), the clause
shares words with the mark in 89%, the sentence in 90%; it is two fifths of the text where the sentence is more than
half, and fits the mark better (intersection over union .61 and .58). tests/bench/evidence.py measures it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.classify.lexicon import HAN_WIDTH, TOKEN, is_han
from pipeline.classify.scorer import StanceScorer

Span = tuple[int, int]

_LINKS = (
    "after", "although", "because", "before", "but", "since", "though", "unless", "until", "when", "where",
    "whereas", "which", "while", "who", "yet", "а", "зато", "когда", "которая", "которое", "которые", "который",
    "но", "однако", "поскольку", "пока", "потому", "хотя", "чтобы",
)  # fmt: skip
_CUT = re.compile(rf"[,;:，；：、]\s*|\s[-–—]\s|[–—]+|\s(?=(?:{'|'.join(_LINKS)})\s)", re.IGNORECASE)
_EDGE = " \t\n,;:，；：、–—-"
_SHORTEST = 3.5
"""Words that a clause must have to stand alone: four words, or six Chinese characters."""
_NEAR = 0.1
"""How far below the highest margin a shorter clause may stay."""


def clause_spans(text: str, start: int, end: int) -> list[Span]:
    """Return the clauses of a sentence as (start, end) offsets into the text; short ones with their neighbour."""
    cuts = [start, *(start + cut.end() for cut in _CUT.finditer(text[start:end])), end]
    clauses: list[Span] = []
    for left, right in itertools.pairwise(cuts):
        if clauses and (_size(text[left:right]) < _SHORTEST or _size(text[slice(*clauses[-1])]) < _SHORTEST):
            clauses[-1] = clauses[-1][0], right
        elif right > left:
            clauses.append((left, right))
    return clauses


def _size(clause: str) -> float:
    return sum(len(token) * HAN_WIDTH if is_han(token) else 1 for token in TOKEN.findall(clause))


def narrow_spans(
    classifier: StanceScorer,
    texts: Sequence[str],
    predicted: npt.NDArray[np.int64],
    spans: Sequence[Sequence[Span | None]],
) -> list[list[Span | None]]:
    """Narrow the evidence of texts to clauses, all of them scored together.

    Parameters
    ----------
    classifier : StanceScorer
        Fitted.
    texts : sequence of str, length n
    predicted : ndarray of int, shape (n, n_targets)
        Index into `STANCES` of each target's stance.
    spans : sequence of length n of sequences of (int, int) or None
        The sentence that shows the stance on each target.
    """
    options = {}
    for row, own in enumerate(spans):
        for span in {span for span in own if span is not None}:
            clauses = clause_spans(texts[row], *span)
            targets = [k for k, other in enumerate(own) if other == span]
            if len(clauses) > 1 and (naming := _naming(classifier, texts[row], clauses, targets)):
                options[row, span] = [*naming, span]
    asked = [texts[row][start:end] for (row, _), own in options.items() for start, end in own]
    if not asked:
        return [list(own) for own in spans]
    margins = np.split(
        classifier.margins(classifier.transform(asked)), np.cumsum([len(own) for own in options.values()])[:-1]
    )
    scored = dict(zip(options, margins, strict=True))
    return [
        [
            span
            if span is None or (row, span) not in options
            else _trimmed(texts[row], _choose(options[row, span], scored[row, span][:, k], int(predicted[row, k])))
            for k, span in enumerate(own)
        ]
        for row, own in enumerate(spans)
    ]


def _naming(classifier: StanceScorer, text: str, clauses: Sequence[Span], targets: Sequence[int]) -> list[Span]:
    """Return the clauses that may name one of the targets: the others cannot be read alone, and need not be."""
    return [(start, end) for start, end in clauses if any(classifier.may_name(text[start:end], k) for k in targets)]


def _choose(options: Sequence[Span], margins: npt.NDArray[np.float64], stance: int) -> Span:
    """Return the shortest option near the highest margin; the last, which is the whole, where none can be read."""
    # In plain numbers: numpy takes longer over a handful.
    over = {
        place: own[stance] - max(other for number, other in enumerate(own) if number != stance)
        for place, own in enumerate(margins.tolist())
        if own[stance] == own[stance]  # a clause that names nothing has no margin
    }
    if not over:
        return options[-1]
    near = [place for place, margin in over.items() if margin >= max(over.values()) - _NEAR]
    return options[min(near, key=lambda i: options[i][1] - options[i][0])]


def _trimmed(text: str, span: Span) -> Span:
    """Return a clause without the marks at its edges; a sentence keeps its full stop."""
    start, end = span
    clause = text[start:end]
    return start + len(clause) - len(clause.lstrip(_EDGE)), start + len(clause.rstrip(_EDGE))
