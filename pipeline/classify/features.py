"""Weigh what a text says about each target: words, characters and concepts of the sentences that name it.

A statement of three sentences on India and one on the Taliban should not have its words on India speak for
the Taliban. So each target sees only the sentences that hold one of its cue terms: counts are made once per
sentence, for all targets together, and summed per target. A text that names no target costs one scan.

Weights are TF-IDF with 1 + log(count), each family of features scaled to length one (Salton and Buckley 1988).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from pipeline.classify.lexicon import TOKEN, ConceptFinder, fold, is_han
from pipeline.classify.segment import sentence_spans

FAMILIES = ("words", "characters", "concepts")
_CACHED_WORDS = 200_000

Matrix = sparse.csr_matrix
Number = Callable[[str], int | None]


@dataclass(frozen=True, slots=True)
class _Counts:
    """Counts per sentence that names a target: one matrix a family, the text it is of, the targets it names."""

    matrices: dict[str, Matrix]
    owner: npt.NDArray[np.int64]
    names: npt.NDArray[np.bool_]
    n_texts: int

    def of(self, family: str, sentences: npt.NDArray[np.bool_]) -> Matrix:
        """Sum a family's counts over the chosen sentences of each text, shape (n_texts, n_features)."""
        chosen = np.flatnonzero(sentences)
        shape = (self.n_texts, len(self.owner))
        ones = np.ones(len(chosen), dtype=np.float32)
        summed: Matrix = (
            sparse.csr_matrix((ones, (self.owner[chosen], chosen)), shape=shape) @ self.matrices[family]
        )
        return summed


class TargetFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Turn texts into one weighted feature matrix per target.

    Parameters
    ----------
    cues : dict of str to list of str
        Cue terms of each target; its keys are the targets, in order.
    concepts : dict of str to list of str
        Terms of each concept of the dictionary, of all languages together.
    char_ngrams, han_ngrams : tuple of int
        Lengths of n-grams within words, and within runs of Chinese characters.
    min_df : int
        Texts that must hold a feature for it to count.
    weights : dict of str to float
        Weight of each family in `FAMILIES`; 0 leaves it out.

    Attributes
    ----------
    vocabularies_ : dict of str to dict of str to int
        Column of each feature, per family.
    idf_ : dict of str to ndarray
        Inverse document frequency of each column, per family.
    """

    def __init__(
        self,
        *,
        cues: Mapping[str, Sequence[str]],
        concepts: Mapping[str, Sequence[str]],
        char_ngrams: tuple[int, int] = (2, 5),
        han_ngrams: tuple[int, int] = (1, 4),
        min_df: int = 3,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        self.cues = cues
        self.concepts = concepts
        self.char_ngrams = char_ngrams
        self.han_ngrams = han_ngrams
        self.min_df = min_df
        self.weights = weights

    def fit(self, X: Sequence[str], y: object = None) -> Self:
        """Learn the vocabularies and document frequencies from texts."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Sequence[str], y: object = None) -> list[Matrix]:  # noqa: ARG002
        """Fit and return the features of the same texts, as `transform` does, reading them once."""
        growing: dict[str, defaultdict[str, int]] = {family: defaultdict() for family in FAMILIES}
        for vocabulary in growing.values():
            vocabulary.default_factory = vocabulary.__len__
        counts = self._count(X, {family: growing[family].__getitem__ for family in FAMILIES}, growing)
        self.vocabularies_, self.idf_ = {}, {}
        kept_matrices = {}
        for family in FAMILIES:
            everywhere = np.ones(len(counts.owner), dtype=bool)
            frequency = np.bincount(counts.of(family, everywhere).indices, minlength=len(growing[family]))
            kept = np.flatnonzero(frequency >= self.min_df)
            terms = list(growing[family])
            self.vocabularies_[family] = {terms[old]: column for column, old in enumerate(kept)}
            idf = np.log((1 + len(X)) / (1 + frequency[kept])) + 1
            self.idf_[family] = idf.astype(np.float32)
            kept_matrices[family] = counts.matrices[family][:, kept]
        return self._weigh(_Counts(kept_matrices, counts.owner, counts.names, counts.n_texts))

    def transform(self, X: Sequence[str]) -> list[Matrix]:
        """Return the features of texts: per target, float32, shape (len(X), n_features).

        A row is empty exactly where no sentence of the text names the target.
        """
        check_is_fitted(self, "vocabularies_")
        known = {family: self.vocabularies_[family].get for family in FAMILIES}
        return self._weigh(self._count(X, known, self.vocabularies_))

    def _count(self, texts: Sequence[str], number: Mapping[str, Number], sizes: Mapping[str, Any]) -> _Counts:
        """Count the sentences that name a target; `number` gives a feature's column, None for an unknown one."""
        reader = self._reader()
        spell = _Spelling(self.char_ngrams, self.han_ngrams, number["words"], number["characters"])
        columns: dict[str, list[int]] = {family: [] for family in FAMILIES}
        ends: dict[str, list[int]] = {family: [0] for family in FAMILIES}
        owner: list[int] = []
        names: list[list[int]] = []
        for row, text in enumerate(texts):
            for tokens, found in reader.sentences(text):
                spell.count(tokens, columns["words"], columns["characters"])
                columns["concepts"].extend(_known(map(number["concepts"], reader.features(found))))
                for family in FAMILIES:
                    ends[family].append(len(columns[family]))
                owner.append(row)
                names.append(found)
        named = np.zeros((len(owner), len(self.cues)), dtype=bool)
        for sentence, found in enumerate(names):
            named[sentence, [concept for concept in found if concept < len(self.cues)]] = True
        matrices = {family: _matrix(columns[family], ends[family], len(sizes[family])) for family in FAMILIES}
        return _Counts(matrices, np.array(owner, dtype=np.int64), named, len(texts))

    def _reader(self) -> _Reader:
        # Compiled terms are not state: they are made again after a load or a copy.
        if getattr(self, "_compiled", None) is None:
            self._compiled = _Reader(self.cues, self.concepts)
        return self._compiled

    def __getstate__(self) -> dict[str, Any]:
        """Leave the compiled terms out of copies and files."""
        return {key: value for key, value in super().__getstate__().items() if key != "_compiled"}

    def _weigh(self, counts: _Counts) -> list[Matrix]:
        weights = dict.fromkeys(FAMILIES, 1.0) | dict(self.weights or {})
        used = [family for family in FAMILIES if weights[family]]
        return [
            sparse.hstack(
                [_scaled(counts.of(family, named), self.idf_[family], weights[family]) for family in used],
                format="csr",
            )
            for named in counts.names.T
        ]


class _Reader:
    """Split a text and find cues and concepts: the cues' numbers are those of the targets."""

    def __init__(self, cues: Mapping[str, Sequence[str]], concepts: Mapping[str, Sequence[str]]) -> None:
        named = {f"target:{target}": terms for target, terms in cues.items()} | dict(concepts)
        self._names = list(named)
        self._targets = len(cues)
        self._finder = ConceptFinder(named)
        self._cues = ConceptFinder({target: cues[target] for target in cues})

    def sentences(self, text: str) -> Iterator[tuple[list[str], list[int]]]:
        """Yield (tokens, concepts found) of each sentence that names a target."""
        if not self._cues.find(TOKEN.findall(fold(text))):
            return
        for start, end in _spans(text):
            tokens = TOKEN.findall(fold(text[start:end]))
            found = self._finder.find(tokens)
            if any(concept < self._targets for concept in found):
                yield tokens, found

    def features(self, found: Sequence[int]) -> list[str]:
        """Return the concepts found in a sentence, and every pair of them."""
        names = [self._names[concept] for concept in sorted(found)]
        return names + [f"{a} & {b}" for i, a in enumerate(names) for b in names[i + 1 :]]


_BREAK = re.compile(r"[.!?…。！？\n]")


def _spans(text: str) -> Sequence[tuple[int, int]]:
    """Return the sentences; a text without a mark before its end is one, and needs no tokeniser."""
    return sentence_spans(text) if _BREAK.search(text.rstrip()[:-1]) else [(0, len(text))]


class _Spelling:
    """Turn tokens into columns of words, pairs of words and n-grams; words recur, so remember them."""

    def __init__(self, chars: tuple[int, int], han: tuple[int, int], word: Number, gram: Number) -> None:
        self._chars, self._han = chars, han
        self._word, self._gram = word, gram
        self._seen: dict[str, list[int]] = {}

    def count(self, tokens: Sequence[str], words: list[int], characters: list[int]) -> None:
        """Append the columns of a sentence's tokens to the two lists."""
        before = ""
        for token in tokens:
            if is_han(token):
                characters.extend(_known(map(self._gram, _ngrams(token, self._han))))
                before = ""
                continue
            words.extend(_known((self._word(token), self._word(f"{before} {token}") if before else None)))
            before = token
            grams = self._seen.get(token)
            if grams is None:
                grams = _known(map(self._gram, _ngrams(f" {token} ", self._chars)))
                if len(self._seen) < _CACHED_WORDS:
                    self._seen[token] = grams
            characters.extend(grams)


def _ngrams(token: str, lengths: tuple[int, int]) -> list[str]:
    low, high = lengths
    return [token[i : i + n] for n in range(low, high + 1) for i in range(len(token) - n + 1)]


def _known(columns: Any) -> list[int]:
    return [column for column in columns if column is not None]


def _matrix(columns: list[int], ends: list[int], width: int) -> Matrix:
    ones = np.ones(len(columns), dtype=np.float32)
    matrix = sparse.csr_matrix((ones, columns, ends), shape=(len(ends) - 1, width))
    matrix.sum_duplicates()
    return matrix


def _scaled(counts: Matrix, idf: npt.NDArray[np.float32], weight: float) -> Matrix:
    """Return 1 + log(count), times the inverse document frequency, each row of length `weight` or empty."""
    counts.data = (1 + np.log(counts.data)) * idf[counts.indices]
    lengths = np.sqrt(np.add.reduceat(np.append(counts.data**2, 0), counts.indptr[:-1])) if counts.nnz else 0
    empty = np.diff(counts.indptr) == 0
    factor = np.where(empty, 0, weight / np.where(empty, 1, lengths))
    counts.data *= np.repeat(factor, np.diff(counts.indptr)).astype(np.float32)
    return counts
