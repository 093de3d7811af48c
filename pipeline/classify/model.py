"""The estimator: stance on every target, each from the sentences that name it.

A linear support vector machine per target and stance tells that stance from the others (Fan et al. 2008,
LIBLINEAR), over features weighed by how telling naive Bayes finds them (Wang and Manning 2012, "Baselines and
bigrams"). Texts weigh by the root of their stance's rarity, between as they come and fully balanced, which
cross-validation preferred to both. A scaling per target, fitted on out-of-fold margins, turns the margins into
log-odds that mean what they say (`calibration.fit_scaling`). A text that never names a target is `none` on it, with
the probability that training texts without the name had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import LinearSVC

from pipeline.classify.features import FAMILIES, TargetFeatures
from pipeline.classify.scorer import StanceScorer
from pipeline.schema import STANCES

_NONE = STANCES.index("none")
_UNSEEN = -30.0
"""Margin of a stance that training data never showed for a target."""
_AS_THEY_ARE = np.eye(len(STANCES) + 1, len(STANCES))


class StanceClassifier(ClassifierMixin, StanceScorer, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Classify texts into favor, neutral, against or none on each of several targets.

    Parameters
    ----------
    cues : dict of str to list of str
        Cue terms of each target; its keys are the targets, in order.
    concepts : dict of str to list of str, optional
        Terms of each concept of the dictionary.
    C : float
        Inverse strength of the L2 penalty.
    char_ngrams, han_ngrams, min_df, weights, context
        As for `TargetFeatures`.
    telling : float
        Weight of naive Bayes's opinion of each feature, from 0, all features alike, to 1; .3 to .7 differ little.
    random_state : int
        Seed of the solver.

    Attributes
    ----------
    features_, coefficients_, intercepts_, silent_, scaling_
        As for `StanceScorer`; margins stay as they are until training sets the scaling by out-of-fold margins.
    """

    def __init__(
        self,
        *,
        cues: Mapping[str, Sequence[str]],
        concepts: Mapping[str, Sequence[str]] | None = None,
        C: float = 0.3,
        char_ngrams: tuple[int, int] = (2, 5),
        han_ngrams: tuple[int, int] = (1, 4),
        min_df: int = 3,
        weights: Mapping[str, float] | None = None,
        context: Mapping[str, float] | None = None,
        telling: float = 0.4,
        random_state: int = 0,
    ) -> None:
        self.cues = cues
        self.concepts = concepts
        self.C = C
        self.char_ngrams = char_ngrams
        self.han_ngrams = han_ngrams
        self.min_df = min_df
        self.weights = weights
        self.context = context
        self.telling = telling
        self.random_state = random_state

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with each vocabulary as one text: a saved dict of 40,000 n-grams is slow to load."""
        state = dict(super().__getstate__())
        if "features_" in state:
            features = state.pop("features_")
            state["vocabularies"] = {family: "\n".join(features.vocabularies_[family]) for family in FAMILIES}
            state["idf"] = features.idf_
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the vocabularies; no feature holds a line break, as all are made of words and single spaces."""
        packed, idf = state.pop("vocabularies", None), state.pop("idf", None)
        super().__setstate__(state)
        if packed is not None:
            self.features_ = self._new_features()
            self.features_.vocabularies_ = {
                family: {term: column for column, term in enumerate(terms.split("\n") if terms else ())}
                for family, terms in packed.items()
            }
            self.features_.idf_ = idf

    def fit(self, X: Sequence[str], y: npt.NDArray[Any], sample_weight: npt.NDArray[Any] | None = None) -> Self:
        """Fit from scratch.

        Parameters
        ----------
        X : sequence of str, length n
            Texts.
        y : ndarray of str, shape (n, n_targets)
            Stances; an empty string where a pair is not labelled.
        sample_weight : ndarray of float, shape (n,), optional
            Weight of each text; classes are weighted on top of it.

        Raises
        ------
        ValueError
            When shapes disagree, a stance is unknown, or a target shows fewer than two stances.
        """
        y = self._check(X, y)
        weights = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        self.features_ = self._new_features()
        matrices = self.features_.fit_transform(X)
        fitted = [self._fit_target(*part, weights) for part in zip(matrices, y.T, strict=True)]
        self.coefficients_ = [coefficients for coefficients, _ in fitted]
        self.intercepts_ = [intercepts for _, intercepts in fitted]
        self.silent_ = np.array([_silent(*part) for part in zip(matrices, y.T, strict=True)])
        self.scaling_ = np.tile(_AS_THEY_ARE, (len(self.targets), 1, 1))
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

    def _new_features(self) -> TargetFeatures:
        return TargetFeatures(
            cues=self.cues,
            concepts=self.concepts or {},
            char_ngrams=self.char_ngrams,
            han_ngrams=self.han_ngrams,
            min_df=self.min_df,
            weights=self.weights,
            context=self.context,
        )

    def _fit_target(
        self, matrix: sparse.csr_matrix, column: npt.NDArray[Any], weights: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        known = np.flatnonzero(column != "")
        matrix, column = matrix[known], column[known]
        coefficients = np.zeros((matrix.shape[1], len(STANCES)), dtype=np.float32)
        intercepts = np.full(len(STANCES), _UNSEEN, dtype=np.float32)
        for stance in np.unique(column.astype(str)):
            holds = column == stance
            telling = _telling(matrix, holds, self.telling)
            machine = LinearSVC(
                C=self.C,
                class_weight=_class_weights(holds),
                tol=1e-3,
                max_iter=5000,
                random_state=self.random_state,
            ).fit(matrix @ sparse.diags_array(telling), holds, sample_weight=weights[known])
            place = STANCES.index(stance)
            coefficients[:, place], intercepts[place] = machine.coef_[0] * telling, machine.intercept_[0]
        return coefficients, intercepts

    def _new_machine(self, class_weight: dict[bool, float]) -> LinearSVC:
        return LinearSVC(
            C=self.C, class_weight=class_weight, tol=1e-3, max_iter=5000, random_state=self.random_state
        )


def _telling(matrix: sparse.csr_matrix, holds: npt.NDArray[np.bool_], share: float) -> npt.NDArray[np.float32]:
    """Return how much each feature tells a stance from the others, 1 on average, shape (n_features,).

    Between 1 and the log-ratio of its shares among texts that hold the stance and texts that do not, as naive Bayes
    counts them (Wang and Manning 2012): a rare word must not cost the machine as much as a telling one.
    """
    present = (matrix > 0).astype(np.float32)
    inside = 1 + np.asarray(present[holds].sum(axis=0)).ravel()
    outside = 1 + np.asarray(present[~holds].sum(axis=0)).ravel()
    ratio = np.abs(np.log((inside / inside.sum()) / (outside / outside.sum())))
    weights: npt.NDArray[np.float32] = (1 - share + share * ratio / (ratio.mean() or 1.0)).astype(np.float32)
    return weights


def _class_weights(holds: npt.NDArray[np.bool_]) -> dict[bool, float]:
    """Return the root of the rarity of holding a stance and of not holding it."""
    return {held: float(np.sqrt(len(holds) / (holds == held).sum())) for held in (False, True)}


def _silent(matrix: sparse.csr_matrix, column: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return log-probabilities of the stances among labelled texts that do not name the target.

    One text is added per stance and a hundred to `none` (Laplace), which the rule says it should be.
    """
    silent = column[(np.diff(matrix.indptr) == 0) & (column != "")]
    counts = np.array([np.sum(silent == stance) for stance in STANCES]) + np.where(np.arange(4) == _NONE, 100, 1)
    shares: npt.NDArray[np.float64] = np.log(counts / counts.sum())
    return shares
