"""Weigh what a text says about each target: words, characters and concepts of the sentences that name it.

A statement of three sentences on India and one on the Taliban should not have its words on India speak for
the Taliban. So each target sees the sentences that hold one of its cue terms, and beside them, at a lower weight,
the words and concepts of the whole text as context. Counts are made once per sentence, for all targets together,
and summed per target. A text that names no target costs one scan.

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
WEIGHTS: Mapping[str, float] = {"words": 1.0, "characters": 1.0, "concepts": 1.5}
CONTEXT: Mapping[str, float] = {"words": 0.5, "concepts": 0.7}
NEAR = 4
"""Words between two concepts that stand side by side."""
_CACHED_WORDS = 200_000

Matrix = sparse.csr_matrix
Column = Callable[[str], int | None]


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
    weights, context : dict of str to float, optional
        Weight of each family in `FAMILIES`, in the sentences that name the target and in the whole text; 0 or
        absent leaves it out. `WEIGHTS` and `CONTEXT` by default.

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
        context: Mapping[str, float] | None = None,
    ) -> None:
        self.cues = cues
        self.concepts = concepts
        self.char_ngrams = char_ngrams
        self.han_ngrams = han_ngrams
        self.min_df = min_df
        self.weights = weights
        self.context = context

    def fit(self, X: Sequence[str], y: object = None) -> Self:
        """Learn the vocabularies and document frequencies from texts."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Sequence[str], y: object = None) -> list[Matrix]:  # noqa: ARG002
        """Fit and return the features of the same texts, as `transform` does, reading them once."""
        growing: dict[str, defaultdict[str, int]] = {family: defaultdict() for family in FAMILIES}
        for vocabulary in growing.values():
            vocabulary.default_factory = vocabulary.__len__
        columns = {family: growing[family].__getitem__ for family in FAMILIES}
        counts = self._count(X, _Reader(self, columns), growing)
        self.vocabularies_, self.idf_ = {}, {}
        self._reader: _Reader | None = None
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
        return self._weigh(self._count(X, self._compiled(), self.vocabularies_))

    def _count(self, texts: Sequence[str], reader: _Reader, sizes: Mapping[str, Any]) -> _Counts:
        """Count the sentences of texts that name a target; `sizes` are the vocabularies, for the widths."""
        columns: dict[str, list[int]] = {family: [] for family in FAMILIES}
        ends: dict[str, list[int]] = {family: [0] for family in FAMILIES}
        owner: list[int] = []
        names: list[list[int]] = []
        for row, text in enumerate(texts):
            for tokens, found in reader.sentences(text):
                reader.spell(tokens, columns["words"], columns["characters"])
                columns["concepts"].extend(reader.relate(found))
                for family in FAMILIES:
                    ends[family].append(len(columns[family]))
                owner.append(row)
                names.append(list(found))
        named = np.zeros((len(owner), len(self.cues)), dtype=bool)
        for sentence, concepts in enumerate(names):
            named[sentence, [concept for concept in concepts if concept < len(self.cues)]] = True
        matrices = {family: _matrix(columns[family], ends[family], len(sizes[family])) for family in FAMILIES}
        return _Counts(matrices, np.array(owner, dtype=np.int64), named, len(texts))

    def _compiled(self) -> _Reader:
        # The reader is no state: it is made again after a fit, a load or a copy.
        reader: _Reader | None = getattr(self, "_reader", None)
        if reader is None:
            reader = self._reader = _Reader(self, {name: self.vocabularies_[name].get for name in FAMILIES})
        return reader

    def __getstate__(self) -> dict[str, Any]:
        """Leave the reader out of copies and files."""
        return {key: value for key, value in super().__getstate__().items() if key != "_reader"}

    def _weigh(self, counts: _Counts) -> list[Matrix]:
        everything = np.ones(len(counts.owner), dtype=bool)
        context = self._scaled(counts, everything, CONTEXT if self.context is None else self.context)
        weights = WEIGHTS if self.weights is None else self.weights
        answer = []
        for named in counts.names.T:
            naming = np.zeros(counts.n_texts, dtype=np.float32)
            naming[counts.owner[named]] = 1
            masked = [sparse.diags_array(naming) @ part for part in context]
            answer.append(sparse.hstack([*self._scaled(counts, named, weights), *masked], format="csr"))
        return answer

    def _scaled(
        self, counts: _Counts, sentences: npt.NDArray[np.bool_], weights: Mapping[str, float]
    ) -> list[Matrix]:
        used = [family for family in FAMILIES if weights.get(family)]
        return [_scaled(counts.of(family, sentences), self.idf_[family], weights[family]) for family in used]


class _Reader:
    """Read texts into columns: find the terms, spell out the words, and remember both, as words recur.

    `columns` gives the column of a feature of a family, None for one that is not in the vocabulary.
    """

    def __init__(self, settings: TargetFeatures, columns: Mapping[str, Column]) -> None:
        named = {f"target:{target}": terms for target, terms in settings.cues.items()} | dict(settings.concepts)
        self._names = list(named)
        self._finder = ConceptFinder(named)
        self._cues = ConceptFinder(settings.cues)
        self._chars, self._han = settings.char_ngrams, settings.han_ngrams
        self._word, self._gram, self._concept = (columns[family] for family in FAMILIES)
        self._spelled: dict[str, list[int]] = {}
        self._pairs: dict[tuple[int, int], tuple[int | None, int | None]] = {}

    def sentences(self, text: str) -> Iterator[tuple[list[str], dict[int, list[float]]]]:
        """Yield (tokens, places of concepts) of each sentence of a text that names a target."""
        if not self._cues.find(TOKEN.findall(fold(text))):
            return
        for start, end in _spans(text):
            tokens = TOKEN.findall(fold(text[start:end]))
            yield tokens, self._finder.places(tokens)

    def relate(self, found: Mapping[int, Sequence[float]]) -> list[int]:
        """Return the columns of a sentence's concepts, of every pair of them, and of pairs side by side."""
        concepts = sorted(found)
        columns = [self._concept(self._names[concept]) for concept in concepts]
        for i, first in enumerate(concepts):
            for second in concepts[i + 1 :]:
                together, beside = self._pair(first, second)
                columns.append(together)
                if beside is not None and _near(found[first], found[second]):
                    columns.append(beside)
        return _known(columns)

    def _pair(self, first: int, second: int) -> tuple[int | None, int | None]:
        columns = self._pairs.get((first, second))
        if columns is None:
            a, b = self._names[first], self._names[second]
            columns = self._concept(f"{a} & {b}"), self._concept(f"{a} ~ {b}")
            self._pairs[first, second] = columns
        return columns

    def spell(self, tokens: Sequence[str], words: list[int], characters: list[int]) -> None:
        """Append the columns of a sentence's words, pairs of words and n-grams to the two lists."""
        before = ""
        for token in tokens:
            if is_han(token):
                characters.extend(_known(map(self._gram, _ngrams(token, self._han))))
                before = ""
                continue
            words.extend(_known((self._word(token), self._word(f"{before} {token}") if before else None)))
            before = token
            grams = self._spelled.get(token)
            if grams is None:
                grams = _known(map(self._gram, _ngrams(f" {token} ", self._chars)))
                if len(self._spelled) < _CACHED_WORDS:
                    self._spelled[token] = grams
            characters.extend(grams)


_BREAK = re.compile(r"[.!?…。！？\n]")


def _spans(text: str) -> Sequence[tuple[int, int]]:
    """Return the sentences; a text without a mark before its end is one, and needs no tokeniser."""
    return sentence_spans(text) if _BREAK.search(text.rstrip()[:-1]) else [(0, len(text))]


def _near(first: Sequence[float], second: Sequence[float]) -> bool:
    return any(abs(a - b) <= NEAR for a in first for b in second)


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
