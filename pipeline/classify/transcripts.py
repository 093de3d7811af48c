"""Read a long statement sentence by sentence: a press conference must not average itself to neutral.

The model learns from passages of one to five sentences and pools the words of those that name a target. In a
transcript of 3,000 words the one sentence that takes a side drowns in twenty that only mention the target. So
each sentence of a longer text is read alone, and for each target the strongest sign of each stance, among the
sentences that name it, decides: one clear refusal weighs more than many mentions. The more sentences name the
target without addressing it, the more a sign takes, since some are misread.

The weights of `COMBINATION` are those of a multinomial regression on 2,240 transcripts of 70 to 1,800 words, each
put together from held-out passages of known stance and labelled by the codebook's rule (the side on which the text
comes down; neutral when it takes none), made symmetric in favor and against. tests/bench/transcripts.py makes them
again, and compares other rules.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from pipeline.classify.scorer import softmax
from pipeline.classify.segment import sentence_spans

SHORT = 5
"""Sentences up to which a statement is read as one, as those of the training data."""

COMBINATION = np.array(
    [
        [0.59, 0.02, -0.07, -0.15, -0.42, 0.13],
        [-0.22, 0.16, -0.22, -0.09, -0.37, 0.71],
        [-0.07, 0.02, 0.59, -0.15, -0.42, 0.13],
        [-0.30, -0.19, -0.30, 0.40, 1.22, -0.97],
    ]
)
"""Log-odds of each stance (rows, in the order of `STANCES`) by: the highest log-odds of favor, of neutral and of
against in any sentence, the lowest of none, log(1 + the expected number of sentences that name the target and do
not address it), and 1."""

_SURE = 1e-3
"""Probabilities nearer to 0 or 1 than this count as this near: a sentence is never surer than that."""
_MARK = re.compile(r"[.!?…。！？\n]")

Probabilities = npt.NDArray[np.float64]


def sentences_if_long(text: str) -> list[str]:
    """Return the sentences of a text that has more than `SHORT` of them; none of one that is read whole."""
    if len(_MARK.findall(text)) < SHORT:  # quick for the many that are short: a sentence ends at a mark
        return []
    spans = sentence_spans(text)
    return [text[start:end] for start, end in spans] if len(spans) > SHORT else []


def combine_sentences(probabilities: Probabilities, naming: npt.NDArray[np.bool_]) -> Probabilities:
    """Return a whole text's probabilities on each target from those of its sentences.

    Parameters
    ----------
    probabilities : ndarray, shape (n_sentences, n_targets, 4), n_sentences at least 1
        Of each sentence alone, stances in the order of `STANCES`.
    naming : ndarray of bool, shape (n_sentences, n_targets)
        Whether the sentence names the target.

    Returns
    -------
    ndarray, shape (n_targets, 4)
        Where one sentence names the target, or none does, that sentence's own, or any silent one's.
    """
    combined: Probabilities = probabilities[0].copy()
    for k, named in enumerate(naming.T):
        if named.sum() > 1:
            combined[k] = _decide(probabilities[named, k])
        elif named.any():
            combined[k] = probabilities[named.argmax(), k]
    return combined


def _decide(probabilities: Probabilities) -> Probabilities:
    """Combine the sentences, shape (n, 4), that name one target."""
    bounded = probabilities.clip(_SURE, 1 - _SURE)
    odds = np.log(bounded / (1 - bounded))
    strongest = [*odds[:, :3].max(axis=0), odds[:, 3].min()]
    scores: Probabilities = COMBINATION @ np.array([*strongest, np.log1p(probabilities[:, 3].sum()), 1.0])
    return softmax(scores)
