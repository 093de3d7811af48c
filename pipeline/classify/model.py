"""The estimator: stance on every target from one shared text representation, as scikit-learn has it.

Words and character n-grams are weighed once (TF-IDF) and joined by cue counts; a multinomial logistic
regression per target decides; a temperature per target, fitted on out-of-fold scores, makes its
probabilities mean what they say (Guo et al. 2017, "On calibration of modern neural networks").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion
from sklearn.utils.validation import check_is_fitted

from pipeline.classify.cues import CueCounts
from pipeline.schema import STANCES

_VECTORISERS = ("words", "characters")
Scores = npt.NDArray[np.float64]
_UNSEEN = -30.0
"""Score of a stance that training data never showed for a target: a probability of about 1e-13."""


class StanceClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Classify texts into favor, neutral, against or none on each of several targets.

    Parameters
    ----------
    cues : dict of str to list of str
        Cue terms of each target; its keys are the targets, in order.
    C : float
        Inverse strength of the L2 penalty.
    word_ngrams, char_ngrams : tuple of int
        Lengths of the n-grams, smallest and largest; characters are taken within words.
    min_df : int
        Texts that must hold an n-gram for it to count.
    random_state : int
        Seed of the solver.

    Attributes
    ----------
    features_ : FeatureUnion
        Fitted vectorisers.
    regressions_ : list of LogisticRegression
        One per target.
    temperatures_ : ndarray of shape (n_targets,)
        Divisors of the scores; 1 until training sets them by out-of-fold scores.
    """

    def __init__(
        self,
        *,
        cues: Mapping[str, Sequence[str]],
        C: float = 10.0,
        word_ngrams: tuple[int, int] = (1, 2),
        char_ngrams: tuple[int, int] = (2, 5),
        min_df: int = 2,
        random_state: int = 0,
    ) -> None:
        self.cues = cues
        self.C = C
        self.word_ngrams = word_ngrams
        self.char_ngrams = char_ngrams
        self.min_df = min_df
        self.random_state = random_state

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with each vocabulary as one text: a saved dict of 40,000 n-grams is slow to load."""
        state = dict(super().__getstate__())
        if "features_" in state:
            vectorisers = dict(state.pop("features_").transformer_list)
            state["vocabularies"] = {name: _packed(vectorisers[name]) for name in _VECTORISERS}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the vectorisers from their vocabularies and document frequencies."""
        packed = state.pop("vocabularies", None)
        super().__setstate__(state)
        if packed is not None:
            self.features_ = self._vectorisers()
            for name, vectoriser in self.features_.transformer_list:
                if name in packed:
                    _unpack(vectoriser, packed[name])

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets, in order."""
        return tuple(self.cues)

    def fit(self, X: Sequence[str], y: npt.NDArray[Any], sample_weight: npt.NDArray[Any] | None = None) -> Self:
        """Fit from scratch.

        Parameters
        ----------
        X : sequence of str, length n
            Texts.
        y : ndarray of str, shape (n, n_targets)
            Stances; an empty string where a pair is not labelled.
        sample_weight : ndarray of float, shape (n,), optional
            Weight of each text; classes are balanced on top of it.

        Raises
        ------
        ValueError
            When shapes disagree, a stance is unknown, or a target shows fewer than two stances.
        """
        y = self._check(X, y)
        weights = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        self.features_ = self._vectorisers().fit(X)
        matrix = self.features_.transform(X)
        self.regressions_ = [self._fit_target(matrix, column, weights) for column in y.T]
        self.temperatures_ = np.ones(len(self.targets))
        self.classes_ = np.array(STANCES)
        return self

    def _check(self, X: Sequence[str], y: npt.NDArray[Any]) -> npt.NDArray[Any]:
        y = np.asarray(y, dtype=object)
        if y.shape != (len(X), len(self.targets)):
            raise ValueError(f"y has shape {y.shape}; expected {(len(X), len(self.targets))} (texts, targets).")
        unknown = set(y.ravel()) - {*STANCES, ""}
        if unknown:
            raise ValueError(f"unknown stances {sorted(map(str, unknown))}; known: {', '.join(STANCES)}.")
        for target, column in zip(self.targets, y.T, strict=True):
            if len(set(column) - {""}) < 2:
                raise ValueError(f"target {target} needs labels of at least two stances to learn from.")
        return y

    def _vectorisers(self) -> FeatureUnion:
        shared = {"sublinear_tf": True, "min_df": self.min_df, "dtype": np.float32}
        words = TfidfVectorizer(ngram_range=tuple(self.word_ngrams), **shared)
        characters = TfidfVectorizer(analyzer="char_wb", ngram_range=tuple(self.char_ngrams), **shared)
        return FeatureUnion([("words", words), ("characters", characters), ("cues", CueCounts(self.cues))])

    def _fit_target(
        self, matrix: sparse.csr_matrix, column: npt.NDArray[Any], weights: npt.NDArray[np.float64]
    ) -> LogisticRegression:
        known = np.flatnonzero(column != "")
        regression = LogisticRegression(
            C=self.C, class_weight="balanced", max_iter=500, random_state=self.random_state
        )
        regression.fit(matrix[known], column[known].astype(str), sample_weight=weights[known])
        regression.coef_ = regression.coef_.astype(np.float32)
        return regression

    def transform(self, X: Sequence[str]) -> sparse.csr_matrix:
        """Return the features of texts, shape (len(X), n_features): computed once, shared by all targets."""
        check_is_fitted(self, "features_")
        matrix: sparse.csr_matrix = self.features_.transform(list(X))
        return matrix

    def scores(self, matrix: sparse.csr_matrix) -> Scores:
        """Return calibrated log-odds of each stance from `transform`ed texts, shape (n, n_targets, 4)."""
        scores = np.full((matrix.shape[0], len(self.targets), len(STANCES)), _UNSEEN)
        for k, (regression, temperature) in enumerate(zip(self.regressions_, self.temperatures_, strict=True)):
            linear = matrix @ regression.coef_.T + regression.intercept_
            if linear.shape[1] == 1:  # two stances: scikit-learn keeps the second one's odds only
                linear = np.hstack([np.zeros_like(linear), linear])
            for column, stance in enumerate(regression.classes_):
                scores[:, k, STANCES.index(stance)] = linear[:, column] / temperature
        return scores

    def predict_proba(self, X: Sequence[str]) -> Scores:
        """Return calibrated probabilities, shape (len(X), n_targets, 4), stances in the order of `STANCES`."""
        probabilities: Scores = softmax(self.scores(self.transform(X)), axis=2)
        return probabilities

    def predict(self, X: Sequence[str]) -> npt.NDArray[np.str_]:
        """Return the likeliest stance of each text on each target, shape (len(X), n_targets)."""
        predicted: npt.NDArray[np.str_] = np.array(STANCES)[self.predict_proba(X).argmax(axis=2)]
        return predicted


def _packed(vectoriser: TfidfVectorizer) -> dict[str, Any]:
    terms = sorted(vectoriser.vocabulary_, key=vectoriser.vocabulary_.__getitem__)
    return {"terms": "\n".join(terms), "idf": vectoriser.idf_}


def _unpack(vectoriser: TfidfVectorizer, packed: Mapping[str, Any]) -> None:
    # No n-gram holds a line break: words have none, and characters come with white space made single.
    vectoriser.vocabulary_ = {term: column for column, term in enumerate(packed["terms"].split("\n"))}
    vectoriser.idf_ = packed["idf"]
