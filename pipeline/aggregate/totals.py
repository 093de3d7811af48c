"""Monthly totals of the pair: what every test is computed on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.aggregate.contrasts import orientation
from pipeline.aggregate.permutation import matched_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTotals:
    """What the tests are computed on: monthly totals of the pair.

    Attributes
    ----------
    scores, addressed : ndarray, shape (2, K, T)
        Corrected totals.
    score_draws, addressed_draws : ndarray, shape (B, 2, K, T)
        The same under draws of the labelled sample.
    volume : ndarray, shape (2, K, T)
        Expected numbers of addressed statements, never negative.
    present : ndarray of bool, shape (2, K, T)
        Whether an actor addressed a target in a month.
    pooled : ndarray of bool, shape (K,)
        Targets that enter the pooled tests.
    estimator : str
        How the totals are corrected.
    """

    scores: Floats
    addressed: Floats
    score_draws: Floats
    addressed_draws: Floats
    volume: Floats
    present: Bools
    pooled: Bools
    estimator: str

    @property
    def orient(self) -> Floats:
        """Signs of the targets' overall gaps, shape (K,); 0 outside the pool."""
        return orientation(self.scores, self.addressed) * self.pooled

    @property
    def weights(self) -> Floats:
        """Weights of the targets in pooled statistics, shape (K,); 0 outside the pool."""
        return matched_weights(self.scores, self.addressed) * self.pooled

    def usable(self, targets: Bools) -> PairTotals:
        """Return the totals with all but some targets emptied, so that nothing is computed on those."""
        keep = targets[:, None].astype(float)
        names = ("scores", "addressed", "score_draws", "addressed_draws", "volume")
        return replace(self, **{name: getattr(self, name) * keep for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class TestTotals:
    """The totals that estimates are made of, and those for p-values of tests on the series and at events.

    P-values need the null hypothesis only: the latter two are sharper and understate changes (see `fallback`).
    """

    __test__ = False

    estimate: PairTotals
    series: PairTotals
    event: PairTotals
