"""Make probabilities honest, and know when not to answer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


NEVER = -30.0
"""Log-odds of a class that no case showed: a probability of about 1e-13."""


def fit_scaling(margins: Floats, truth: Ints, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Return (matrix, offsets) such that `margins @ matrix + offsets` are honest log-odds of the classes.

    Matrix scaling: a multinomial logistic regression on the margins, with an L2 penalty. It corrects not only how
    sure a machine is, as a temperature does, but also a class that it systematically prefers to another.

    Parameters
    ----------
    margins : ndarray, shape (n, n_classes)
        Of texts that the machine was not trained on.
    truth : ndarray of int, shape (n,)
        True classes.
    weights : ndarray, shape (n,), optional
        How much each case counts; all the same by default.

    Returns
    -------
    matrix : ndarray, shape (n_classes, n_classes)
    offsets : ndarray, shape (n_classes,)
        A class without a case gets `NEVER`. With fewer than two classes there is nothing to learn from: the
        margins stay as they are.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks", section 4.2.
    """
    width = margins.shape[1]
    shown = np.unique(truth)
    if len(shown) < 2:
        return np.eye(width), np.zeros(width)
    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(margins[:, shown], truth, sample_weight=weights)
    matrix, offsets = np.zeros((width, width)), np.full(width, NEVER)
    coefficients, intercepts = fitted.coef_, fitted.intercept_
    if len(shown) == 2:  # scikit-learn then keeps the second class's only
        coefficients, intercepts = (
            np.vstack([-coefficients, coefficients]) / 2,
            np.append(-intercepts, intercepts) / 2,
        )
    matrix[np.ix_(shown, shown)], offsets[shown] = coefficients.T, intercepts
    return matrix, offsets


def expected_calibration_error(confidence: Floats, correct: npt.NDArray[np.bool_], *, bins: int = 10) -> float:
    """Return the mean gap between confidence and accuracy over bins that hold equally many cases.

    Parameters
    ----------
    confidence : ndarray, shape (n,)
        Probability given to the predicted class.
    correct : ndarray of bool, shape (n,)
        Whether the prediction is right.

    References
    ----------
    Nixon et al. (2019), "Measuring calibration in deep learning" (adaptive bins).
    """
    order = np.argsort(confidence, kind="stable")
    gaps = [
        abs(confidence[part].mean() - correct[part].mean()) * part.size
        for part in np.array_split(order, bins)
        if part.size
    ]
    return float(sum(gaps) / len(confidence))


def abstention_threshold(confidence: Floats, correct: npt.NDArray[np.bool_], *, accuracy: float) -> float:
    """Return the lowest confidence at and above which predictions are right as often as asked.

    Parameters
    ----------
    confidence, correct : ndarrays, shape (n,)
        As for `expected_calibration_error`, on texts that the model was not trained on.
    accuracy : float
        Share of right answers wanted among those given.

    Returns
    -------
    float
        0 when all answers together reach it; above 1 (always abstain) when no cut does.

    References
    ----------
    El-Yaniv and Wiener (2010), "On the foundations of noise-free selective classification".
    """
    order = np.argsort(-confidence, kind="stable")
    running = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    # A threshold keeps or drops equal confidences together: it can only cut after the last of them.
    ends = np.append(np.diff(confidence[order]) != 0, True)
    reached = np.flatnonzero((running >= accuracy) & ends)
    if not reached.size:
        return 1.01
    last = int(reached[-1])
    return 0.0 if last == len(order) - 1 else float(confidence[order[last]])


def accuracy_at(confidence: Floats, correct: npt.NDArray[np.bool_], coverage: float) -> float:
    """Return the share of right answers when only the surest share `coverage` of the cases is answered.

    Parameters
    ----------
    confidence, correct : ndarrays, shape (n,), n at least 1
        As for `expected_calibration_error`.
    coverage : float
        Share of cases that are answered, above 0; at least one case is.
    """
    surest = np.argsort(-confidence, kind="stable")[: max(1, round(coverage * len(correct)))]
    return float(correct[surest].mean())


def calibration_noise(confidence: Floats, *, draws: int = 200, random_state: int = 0) -> float:
    """Return the expected calibration error that perfectly honest confidences of this number would still show.

    With few cases a bin's accuracy misses its confidence by chance, so that the error never falls to 0; a measured
    error means something only as far as it lies above this one.

    Parameters
    ----------
    confidence : ndarray, shape (n,)
        As for `expected_calibration_error`.
    draws : int
        Simulated sets of answers, each right with the probability that its confidence says.
    random_state : int
        Seed of the draws.
    """
    random = np.random.default_rng(random_state)
    honest = (random.random(len(confidence)) < confidence for _ in range(draws))
    return float(np.mean([expected_calibration_error(confidence, correct) for correct in honest]))
