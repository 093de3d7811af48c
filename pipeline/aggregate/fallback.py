"""Which totals the tests use: design-based alone, or combined with adjusted counts.

Adjusted counts pass predicted counts through the inverse of the confusion matrix (Buck and Gart 1966, American
Journal of Epidemiology 83; Forman 2008, Data Mining and Knowledge Discovery 17). They use every prediction, and
their noise is not that of the labels, so that a mixture with the design-based totals is sharper than either; but
they are right only while the classifier errs alike throughout. So they are not used at all once the drift test
rejects or a confusion matrix can hardly be inverted; they never make up more than a quarter where at least 15% of
the statements are labelled, which bounds the harm of a drift too small to be detected; and below that share of
labels the mixture is the one of smallest variance. Where enough is labelled to do without them, the drift test
need only hint (p below .2) and they are left out.

P-values, which need the null hypothesis only, are computed on sharper totals, in which labels correct by
`LABEL_TRUST` of what they say: most of the noise of design-based totals is that of the labels' weights. They
understate changes, so that no estimate is made of them. Tests on the whole series use the mixture above, made with
them; those at events take what a prediction means from the smoothed paths of its own month (without higher odds of
a jump at the event), which understates less. That does not serve the whole series, where smoothing looks like a
change. Once the drift test rejects, p-values too are design-based.

What it is worth on simulated worlds (accuracy .76, 20% labelled, 360-400 a scenario; a cut of the gap by 70% found,
then false alarms where nothing changes and where only the classifier drifts): see tests/bench/README.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.aggregate.cells import ADDRESSED, SCORES
from pipeline.aggregate.contrasts import window_gap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.aggregate.cells import Cells
    from pipeline.aggregate.labelled import Correction
    from pipeline.aggregate.totals import PairTotals

    Floats = NDArray[np.float64]

FEW_LABELS = 0.15
"""Share of the pair's tags labelled below which adjusted counts may outweigh design-based totals."""
LARGEST_SHARE = 0.25
"""Weight of adjusted counts in the mixture, at most, where more are labelled."""
DRIFT_LEVEL, DRIFT_HINT = 0.05, 0.2
"""P-values of the drift test below which the classifier is not taken as stable: where labels are few, and where
there are enough to do without adjusted counts."""
LABEL_TRUST = 0.65
"""Share of the labels' correction in the totals that p-values are computed on."""
WORST_CONDITION = 20.0
"""Condition number of a confusion matrix from which it is not inverted."""


def adjusted_totals(cells: Cells, correction: Correction) -> tuple[Floats, Floats]:
    """Return adjusted counts, totals of the score and of being addressed, shape (B, C, K, T).

    A predicted stance counts the row of the inverse confusion matrix times the score, whose mean over
    predictions of a true stance is that stance's score.
    """
    inverse = np.linalg.pinv(correction.confusion)
    return (
        np.einsum("cktj,bckj->bckt", cells.predicted, inverse @ SCORES, optimize=True),
        np.einsum("cktj,bckj->bckt", cells.predicted, inverse @ ADDRESSED, optimize=True),
    )


def largest_share(labelled_share: float, drift_p: float | None, confusion: Floats) -> float:
    """Return the largest weight that adjusted counts may have in the mixture, 0 where they may not be used.

    Parameters
    ----------
    labelled_share : float
        Share of the pair's tags that are labelled.
    drift_p : float or None
        P-value of the drift test, None when it could not be made: then stability is not assumed.
    confusion : ndarray, shape (..., 4, 4)
        Confusion matrices of the pair.
    """
    few = labelled_share < FEW_LABELS
    if not is_stable(drift_p, confusion, DRIFT_LEVEL if few else DRIFT_HINT):
        return 0.0
    return 1.0 if few else LARGEST_SHARE


def is_stable(drift_p: float | None, confusion: Floats, level: float = DRIFT_LEVEL) -> bool:
    """Say whether predictions can be read through the confusion matrices: they did not drift, and have inverses."""
    if not confusion.size or drift_p is None or not drift_p >= level:
        return False
    return float(np.linalg.cond(confusion).max()) < WORST_CONDITION


def combine(design: PairTotals, scores: Floats, addressed: Floats, largest: float) -> PairTotals:
    """Mix design-based totals with adjusted counts at the smallest variance of each target's gap.

    Parameters
    ----------
    design : PairTotals
        Design-based totals.
    scores, addressed : ndarray, shape (1 + B, 2, K, T)
        Adjusted counts of the pair: the estimate, then draws.
    largest : float
        Weight of the adjusted counts at most.

    Returns
    -------
    PairTotals
        With estimator `combined`. The weights come from all months alike, so that permuting months leaves them
        as they are.
    """
    share = np.minimum(_weights(design, scores[0], addressed[0]), largest)[:, None]
    return replace(
        design,
        scores=share * scores[0] + (1 - share) * design.scores,
        addressed=share * addressed[0] + (1 - share) * design.addressed,
        score_draws=share * scores[1:] + (1 - share) * design.score_draws,
        addressed_draws=share * addressed[1:] + (1 - share) * design.addressed_draws,
        estimator="combined",
    )


def _weights(design: PairTotals, scores: Floats, addressed: Floats) -> Floats:
    """Return the share of adjusted counts by target, (K,), 0 where either gap is undefined."""
    every = np.ones(scores.shape[-1], bool)
    _, a = window_gap(scores, addressed, every)
    _, d = window_gap(design.scores, design.addressed, every)
    spread = ((a - d) ** 2).sum(axis=-1)
    share = (d * (d - a)).sum(axis=-1) / np.where(spread > 0, spread, np.nan)
    answer: Floats = np.clip(np.nan_to_num(share), 0.0, 1.0)
    return answer
