"""Score texts with learnt weights: all that prediction needs, and nothing that only training does.

`StanceClassifier` adds the learning; both share these lines, so that they cannot answer differently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipeline.classify.features import TargetFeatures, refuse_unfitted
from pipeline.schema import STANCES

if TYPE_CHECKING:
    from scipy import sparse

Scores = npt.NDArray[np.float64]


def softmax(scores: Scores) -> Scores:
    """Return probabilities from log-odds along the last axis."""
    odds = np.exp(scores - scores.max(axis=-1, keepdims=True))
    probabilities: Scores = odds / odds.sum(axis=-1, keepdims=True)
    return probabilities


class StanceScorer:
    """Give each stance on each target its probability, from weights that were learnt.

    Attributes
    ----------
    features_ : TargetFeatures
        Fitted.
    coefficients_ : list of ndarray, each float32 of shape (n_features, 4)
        Per target, stances in the order of `STANCES`; so are the `intercepts_`.
    silent_ : ndarray of shape (n_targets, 4)
        Log-probabilities of the stances where the text does not name the target.
    scaling_ : ndarray of shape (n_targets, 5, 4)
        Per target the matrix that margins are multiplied by and, in its last row, the offsets.
    """

    cues: Mapping[str, Sequence[str]]
    features_: TargetFeatures
    coefficients_: list[npt.NDArray[np.float32]]
    intercepts_: list[npt.NDArray[np.float32]]
    silent_: Scores
    scaling_: npt.NDArray[np.float64]

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets, in order."""
        return tuple(self.cues)

    def transform(self, X: Sequence[str]) -> list[sparse.csr_matrix]:
        """Return the features of texts per target, each of shape (len(X), n_features)."""
        refuse_unfitted(self, "features_")
        return self.features_.transform(list(X))

    def names(self, X: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Say which texts name which target, shape (len(X), n_targets); the others are silent on it."""
        refuse_unfitted(self, "features_")
        return self.features_.names(X)

    def may_name(self, text: str, target: int) -> bool:
        """Return False only for a text that is silent on a target; quicker than `names`."""
        return self.features_.may_name(text, target)

    def margins(self, matrices: Sequence[sparse.csr_matrix]) -> Scores:
        """Return the raw margins of `transform`ed texts, shape (n, n_targets, 4); NaN where a text is silent."""
        margins = np.empty((matrices[0].shape[0], len(self.targets), len(STANCES)))
        for k, matrix in enumerate(matrices):
            margins[:, k] = matrix @ self.coefficients_[k] + self.intercepts_[k]
            margins[np.diff(matrix.indptr) == 0, k] = np.nan
        return margins

    def scores(self, matrices: Sequence[sparse.csr_matrix]) -> Scores:
        """Return calibrated log-odds of each stance from `transform`ed texts, shape (n, n_targets, 4)."""
        return self.calibrated(self.margins(matrices), self.scaling_)

    def calibrated(self, margins: Scores, scaling: npt.NDArray[np.float64]) -> Scores:
        """Return log-odds: margins scaled, and the silent probabilities where a text is silent.

        Parameters
        ----------
        margins : ndarray, shape (n, n_targets, 4)
        scaling : ndarray, shape (n_targets, 5, 4)
            As `scaling_`.
        """
        scaled = np.einsum("nki,kij->nkj", margins, scaling[:, :-1]) + scaling[:, -1]
        return np.where(np.isnan(margins), self.silent_, scaled)

    def predict_proba(self, X: Sequence[str]) -> Scores:
        """Return calibrated probabilities, shape (len(X), n_targets, 4), stances in the order of `STANCES`."""
        return self.predict_naming(X)[0]

    def predict_naming(self, X: Sequence[str]) -> tuple[Scores, npt.NDArray[np.bool_]]:
        """Return calibrated probabilities, and whether each text names each target, shape (len(X), n_targets)."""
        margins = self.margins(self.transform(X))
        return softmax(self.calibrated(margins, self.scaling_)), ~np.isnan(margins[:, :, 0])

    def predict(self, X: Sequence[str]) -> npt.NDArray[np.str_]:
        """Return the likeliest stance of each text on each target, shape (len(X), n_targets)."""
        predicted: npt.NDArray[np.str_] = np.array(STANCES)[self.predict_proba(X).argmax(axis=2)]
        return predicted
