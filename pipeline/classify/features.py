"""Weigh what a text says about each target: words, characters and concepts of the sentences that name it.

A statement of three sentences on India and one on the Taliban should not have its words on India speak for
the Taliban. So each target sees the sentences that hold one of its cue terms, and beside them, at a lower weight,
the words and concepts of the whole text as context. Counts are made once per sentence, for all targets together,
and summed per target. A text that names no target costs one scan.

Weights are TF-IDF with 1 + log(count), each family of features scaled to length one (Salton and Buckley 1988).
"""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from pipeline.classify.gate import Gate
from pipeline.classify.lexicon import TOKEN, ConceptFinder, fold, is_han
from pipeline.classify.segment import sentence_spans

FAMILIES = ("words", "characters", "concepts")
WEIGHTS: Mapping[str, float] = {"words": 1.0, "characters": 1.0, "concepts": 1.5}
CONTEXT: Mapping[str, float] = {"words": 0.5, "concepts": 0.7}
NEAR = 4
"""Words between two concepts that stand side by side."""
_SETTINGS = ("cues", "concepts", "char_ngrams", "han_ngrams", "min_df", "weights", "context")
_CACHED_WORDS = 200_000
_NO_PAIR: tuple[int | None, int | None] = (None, None)
_RECENT = 4096
"""Sentences that are remembered: those of a batch are asked for again, one by one, for the evidence."""

Matrix = sparse.csr_matrix
Column = Callable[[str], int | None]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Counts:
    """Counts per sentence of the texts that name a target: one matrix a family, the text, the targets it names."""

    matrices: dict[str, Matrix]
    owner: Ints
    names: npt.NDArray[np.bool_]
    n_texts: int

    def of(self, family: str, rows: Ints, sentences: Ints, n_rows: int) -> Matrix:
        """Sum a family's counts: sentence `sentences[i]` into row `rows[i]`; shape (n_rows, n_features)."""
        ones = np.ones(len(rows), dtype=np.float32)
        chosen = sparse.csr_matrix((ones, (rows, sentences)), shape=(n_rows, len(self.owner)))
        summed: Matrix = chosen @ self.matrices[family]
        return summed

    def of_texts(self, family: str) -> Matrix:
        """Sum a family's counts over all sentences of each text, shape (n_texts, n_features)."""
        return self.of(family, self.owner, np.arange(len(self.owner)), self.n_texts)

    def passages(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Tell which sentences each target sees of each text.

        Returns
        -------
        place : ndarray, shape (n_texts, n_targets)
            The passage: the text's own number where every sentence names the target, -1 where none does, and
            otherwise n_texts plus the number of a part.
        text : ndarray, shape (n_parts,)
            The text that each part is of.
        parts, sentences : ndarray, each of shape (n_pairs,)
            The parts' sentences, as pairs.
        """
        n_targets = self.names.shape[1]
        sizes = np.bincount(self.owner, minlength=self.n_texts)
        sentences, targets = np.nonzero(self.names)
        pairs = self.owner[sentences] * n_targets + targets
        named = np.bincount(pairs, minlength=self.n_texts * n_targets).reshape(self.n_texts, n_targets)
        place = np.where(named == 0, -1, np.arange(self.n_texts)[:, None])
        is_part = (named > 0) & (named < sizes[:, None])
        place[is_part] = self.n_texts + np.arange(is_part.sum())
        parts = place.reshape(-1)[pairs] - self.n_texts
        return place, np.nonzero(is_part)[0], parts[parts >= 0], sentences[parts >= 0]


def refuse_unfitted(estimator: object, attribute: str) -> None:
    """Raise scikit-learn's NotFittedError when an estimator lacks what fitting gives it."""
    if not hasattr(estimator, attribute):
        from sklearn.exceptions import NotFittedError

        raise NotFittedError(f"this {type(estimator).__name__} is not fitted yet: call fit first.")


class TargetFeatures:
    """Turn texts into one weighted feature matrix per target.

    It keeps scikit-learn's contract without its base class, which a prediction would wait for.

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

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return the settings."""
        return {name: getattr(self, name) for name in _SETTINGS}

    def set_params(self, **settings: Any) -> Self:
        """Change settings."""
        for name, value in settings.items():
            if name not in _SETTINGS:
                raise ValueError(f"unknown setting {name}; known: {', '.join(_SETTINGS)}.")
            setattr(self, name, value)
        return self

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
            frequency = np.bincount(counts.of_texts(family).indices, minlength=len(growing[family]))
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
        refuse_unfitted(self, "vocabularies_")
        return self._weigh(self._count(X, self._compiled(), self.vocabularies_))

    def names(self, X: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Say which texts name which target in one of their sentences, shape (len(X), n_targets)."""
        reader = self._compiled()
        named = np.zeros((len(X), len(self.cues)), dtype=bool)
        for row, text in enumerate(X):
            for sentence in reader.sentences(text):
                named[row, sentence.targets] = True
        return named

    def may_name(self, text: str, target: int) -> bool:
        """Return False only for a text that does not name a target; quicker than to read it."""
        return self._compiled().gate_of(target).passes(fold(text))

    def _count(self, texts: Sequence[str], reader: _Reader, sizes: Mapping[str, Any]) -> _Counts:
        """Count the sentences of texts that name a target; `sizes` are the vocabularies, for the widths."""
        columns = {family: array("i") for family in FAMILIES}
        ends: dict[str, list[int]] = {family: [0] for family in FAMILIES}
        owner: list[int] = []
        names: list[tuple[int, int]] = []
        for row, text in enumerate(texts):
            for sentence in reader.sentences(text):
                names.extend((len(owner), target) for target in sentence.targets)
                owner.append(row)
                for family, found in zip(FAMILIES, sentence.columns, strict=True):
                    columns[family].extend(found)
                    ends[family].append(len(columns[family]))
        named = np.zeros((len(owner), len(self.cues)), dtype=bool)
        named[tuple(np.array(names, dtype=np.int64).reshape(-1, 2).T)] = True
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
        return {key: value for key, value in vars(self).items() if key != "_reader"}

    def _weigh(self, counts: _Counts) -> list[Matrix]:
        """Weigh each passage once: of most texts, all targets that are named see the same sentences."""
        place, text, parts, sentences = counts.passages()
        whole = {f: _scaled(counts.of_texts(f), self.idf_[f]) for f in FAMILIES}
        part = {f: _scaled(counts.of(f, parts, sentences, len(text)), self.idf_[f]) for f in FAMILIES}
        weights = WEIGHTS if self.weights is None else self.weights
        context = CONTEXT if self.context is None else self.context
        blocks = [
            *(sparse.vstack([whole[f], part[f]], format="csr") * np.float32(weights[f])
              for f in FAMILIES if weights.get(f)),
            *(sparse.vstack([whole[f], whole[f][text]], format="csr") * np.float32(context[f])
              for f in FAMILIES if context.get(f)),
        ]  # fmt: skip
        passages = sparse.hstack(blocks, format="csr")
        silence = sparse.csr_matrix(np.zeros((1, passages.shape[1]), dtype=np.float32))
        passages = sparse.vstack([passages, silence], format="csr")
        return [passages[column] for column in place.T]


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence read: the targets that it names, and the columns of what it holds, per family."""

    targets: list[int]
    columns: tuple[array[int], array[int], array[int]]


class _Reader:
    """Read texts into columns: find the terms, spell out the words, and remember both, as words recur.

    `columns` gives the column of a feature of a family, None for one that is not in the vocabulary.
    """

    def __init__(self, settings: TargetFeatures, columns: Mapping[str, Column]) -> None:
        named = {f"target:{target}": terms for target, terms in settings.cues.items()} | dict(settings.concepts)
        self._names = list(named)
        self._n_targets = len(settings.cues)
        self._finder = ConceptFinder(named)
        self._cues = list(settings.cues.values())
        self._gate = Gate(fold(term) for terms in self._cues for term in terms)
        self._gates: dict[int, Gate] = {}
        self._chars, self._han = settings.char_ngrams, settings.han_ngrams
        self._word, self._gram, self._concept = (columns[family] for family in FAMILIES)
        self._recent: dict[str, _Sentence] = {}
        self._spelled: dict[str, tuple[int | None, array[int]]] = {}
        self._pairs: list[dict[int, tuple[int | None, int | None]]] = [{} for _ in named]

    def gate_of(self, target: int) -> Gate:
        """Return the gate of one target's cue terms, made when it is first asked for."""
        gate = self._gates.get(target)
        if gate is None:
            gate = self._gates[target] = Gate(map(fold, self._cues[target]))
        return gate

    def sentences(self, text: str) -> list[_Sentence]:
        """Return the sentences of a text, all of them if one names a target, else none."""
        folded = fold(text)
        if not self._gate.passes(folded):
            return []
        parts = [text[start:end] for start, end in _spans(text)]
        known = [self._recent[part] for part in parts if part in self._recent]
        return known if len(known) == len(parts) else self._read(parts)

    def _read(self, parts: Sequence[str]) -> list[_Sentence]:
        tokens = [TOKEN.findall(fold(part)) for part in parts]
        found = [self._finder.places(words) for words in tokens]
        targets = [[concept for concept in concepts if concept < self._n_targets] for concepts in found]
        if not any(targets):
            return []
        read = [
            _Sentence(named, (*self.spell(words), self.relate(concepts)))
            for named, words, concepts in zip(targets, tokens, found, strict=True)
        ]
        if len(self._recent) > _RECENT:
            self._recent.clear()
        self._recent.update(zip(parts, read, strict=True))
        return read

    def relate(self, found: Mapping[int, Sequence[float]]) -> array[int]:
        """Return the columns of a sentence's concepts, of every pair of them, and of pairs side by side."""
        concepts = sorted(found)
        columns = [self._concept(self._names[concept]) for concept in concepts]
        for i, first in enumerate(concepts):
            pairs, where = self._pairs[first], found[first]
            for second in concepts[i + 1 :]:
                known = pairs.get(second)
                if known is None:
                    known = pairs[second] = self._pair(first, second)
                if known is _NO_PAIR:
                    continue
                together, beside = known
                columns.append(together)
                if beside is not None and _near(where, found[second]):
                    columns.append(beside)
        return _known(columns)

    def _pair(self, first: int, second: int) -> tuple[int | None, int | None]:
        """Return the columns of two concepts together, and side by side; `_NO_PAIR` itself where there is none."""
        a, b = self._names[first], self._names[second]
        columns = self._concept(f"{a} & {b}"), self._concept(f"{a} ~ {b}")
        return _NO_PAIR if columns == _NO_PAIR else columns

    def spell(self, tokens: Sequence[str]) -> tuple[array[int], array[int]]:
        """Return the columns of a sentence's words and pairs of words, and of its n-grams."""
        words: list[int | None] = []
        characters = array("i")
        before = ""
        for token in tokens:
            known = self._spelled.get(token)
            if known is None and is_han(token):
                characters.extend(_known(map(self._gram, _ngrams(token, self._han))))
                before = ""
                continue
            word, grams = known or self._spell(token)
            words.append(word)
            if before:
                words.append(self._word(f"{before} {token}"))
            before = token
            characters.extend(grams)
        return _known(words), characters

    def _spell(self, token: str) -> tuple[int | None, array[int]]:
        spelled = self._word(token), _known(map(self._gram, _ngrams(f" {token} ", self._chars)))
        if len(self._spelled) < _CACHED_WORDS:
            self._spelled[token] = spelled
        return spelled


_BREAK = re.compile(r"[.!?…。！？\n]")


def _spans(text: str) -> Sequence[tuple[int, int]]:
    """Return the sentences; a text without a mark before its end is one, and needs no tokeniser."""
    return sentence_spans(text) if _BREAK.search(text.rstrip()[:-1]) else [(0, len(text))]


def _near(first: Sequence[float], second: Sequence[float]) -> bool:
    for a in first:
        for b in second:
            if -NEAR <= a - b <= NEAR:
                return True
    return False


def _ngrams(token: str, lengths: tuple[int, int]) -> list[str]:
    low, high = lengths
    return [token[i : i + n] for n in range(low, high + 1) for i in range(len(token) - n + 1)]


def _known(columns: Iterable[int | None]) -> array[int]:
    return array("i", [column for column in columns if column is not None])


def _matrix(columns: array[int], ends: list[int], width: int) -> Matrix:
    ones = np.ones(len(columns), dtype=np.float32)
    indices = np.frombuffer(columns, dtype=np.int32) if columns else np.empty(0, dtype=np.int32)
    return sparse.csr_matrix((ones, indices, ends), shape=(len(ends) - 1, width))


_LOGS = (1 + np.log(np.arange(1, 256, dtype=np.float32))).astype(np.float32)


def _scaled(counts: Matrix, idf: npt.NDArray[np.float32]) -> Matrix:
    """Return 1 + log(count), times the inverse document frequency, each row of length one or empty."""
    times = counts.data.astype(np.int64)
    counts.data = np.where(times < 256, _LOGS[np.minimum(times, 255) - 1], 1 + np.log(counts.data))
    counts.data *= idf[counts.indices]
    lengths = np.sqrt(np.add.reduceat(np.append(counts.data**2, 0), counts.indptr[:-1])) if counts.nnz else 0
    sizes = np.diff(counts.indptr)
    factor = np.where(sizes == 0, 0, 1 / np.where(sizes == 0, 1, lengths))
    counts.data *= np.repeat(factor, sizes).astype(np.float32)
    return counts
