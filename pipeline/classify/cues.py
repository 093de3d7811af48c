"""Find the cue terms of each target in a text, in English, Russian and Chinese.

Terms come from targets.toml. Text and terms are lower-cased and ё is read as е. English and Russian terms
match whole words, or word beginnings where the term ends in `*`; Chinese terms match anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin


def fold(text: str) -> str:
    """Return the text as cues see it: lower case, ё as е."""
    return text.lower().replace("ё", "е")


@cache
def cue_pattern(terms: tuple[str, ...]) -> re.Pattern[str]:
    """Compile one target's terms, longest first, to be searched in a folded text.

    Raises
    ------
    ValueError
        When no term is given: an empty pattern would match everywhere.
    """
    folded = sorted({fold(term) for term in terms}, key=lambda term: (-len(term), term))
    if not folded:
        raise ValueError("a target needs at least one cue term")
    return re.compile("|".join(_term_pattern(term) for term in folded))


def _term_pattern(term: str) -> str:
    if any("㐀" <= character <= "鿿" for character in term):
        return re.escape(term)
    words = r"\s+".join(re.escape(word).replace(r"\*", r"\w*") for word in term.split())
    return rf"\b{words}" if term.endswith("*") else rf"\b{words}\b"


class CueCounts(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Count each target's cue terms: two columns a target, whether any occurs and log(1 + how many).

    The counts do not depend on the language, so what is learnt on them in one language holds in another.

    Parameters
    ----------
    cues : dict of str to list of str
        Terms of each target, of all languages together.
    """

    def __init__(self, cues: Mapping[str, Sequence[str]]) -> None:
        self.cues = cues

    def fit(self, X: Sequence[str], y: object = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Compile the patterns; nothing is learnt from X."""
        self.n_features_out_ = 2 * len(self.cues)
        return self

    def transform(self, X: Sequence[str]) -> sparse.csr_matrix:
        """Return a float32 matrix of shape (len(X), 2 * targets)."""
        patterns = [cue_pattern(tuple(terms)) for terms in self.cues.values()]
        folded = [fold(text) for text in X]
        counts = np.array([[len(p.findall(text)) for p in patterns] for text in folded], dtype=np.float32)
        counts = counts.reshape(len(folded), len(patterns))
        columns: npt.NDArray[np.float32] = np.hstack([np.minimum(counts, 1), np.log1p(counts)])
        return sparse.csr_matrix(columns)
