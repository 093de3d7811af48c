"""One actor's position on one target: its mean, its trend, and how two such series go together.

The tables of `stance trends` compare the pair; the three indicators ask about one actor at a time. Figures are
design-based: a labelled statement counts by its label, and the others by what their predicted stance turned out
to mean where labels exist, so that they hold under any error of the classifier.

References
----------
Egami, Hinck, Stewart and Wei (2023), "Using imperfect surrogates for downstream inference: design-based
supervised learning"; Angelopoulos et al. (2023), "Prediction-powered inference".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from pipeline.aggregate.permutation import BLOCK, block_permutations
from pipeline.aggregate.permutation import holm as adjusted
from pipeline.report.inputs import ReportInputs
from pipeline.schema import SCORE, STANCES

Floats = npt.NDArray[np.float64]
PERMUTATIONS = 999
_NORMAL = NormalDist().inv_cdf(0.975)
POWER = _NORMAL + NormalDist().inv_cdf(0.8)
"""Standard errors that an effect must have to be found in four of five cases at 5%."""
LEAST = 8
"""Statements that address a target, or months with any, below which nothing is tested."""
_SCORES = np.array([SCORE.get(stance, 0.0) for stance in STANCES])
_ADDRESSED = np.array([stance != "none" for stance in STANCES], dtype=float)
_LEAST_OF_CLASS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Strand:
    """What one actor said on one target, one entry a statement.

    `score` and `addressed` are the corrected contributions, `month` counts from the first month of all
    strands made together, `document` numbers the clusters; arrays of shape (n,).
    """

    score: Floats
    addressed: Floats
    month: npt.NDArray[np.int64]
    document: npt.NDArray[np.int64]
    n_months: int
    labelled: int

    def totals(self) -> tuple[Floats, Floats]:
        """Return the sums of score and addressed by month, each of shape (n_months,)."""
        score, addressed = (
            np.bincount(self.month, values, self.n_months).astype(np.float64)
            for values in (self.score, self.addressed)
        )
        return score, addressed


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """An estimate with its 95% interval; `p_value` is NaN where nothing was tested."""

    estimate: float
    low: float
    high: float
    p_value: float = float("nan")
    detectable: float = float("nan")


NOTHING = Shift(estimate=float("nan"), low=float("nan"), high=float("nan"))
"""What cannot be estimated."""


def strand(inputs: ReportInputs, actor: str, target: str) -> Strand:
    """Collect what an actor said on a target, of the statements that are tagged on it."""
    held = inputs.statements[["statement_id", "doc_id", "date", "country"]]
    when = pd.to_datetime(held["date"], format="%Y-%m-%d", errors="coerce")
    months = when.dt.year * 12 + when.dt.month - 1
    held = held.assign(month=months - months.min(), document=_documents(held))
    n_months = int(held["month"].max()) + 1 if held["month"].notna().any() else 0
    held = held[(held["country"] == actor) & held["month"].notna()]
    rows = held.merge(
        inputs.tags.loc[inputs.tags["target"] == target, ["statement_id", "stance"]], on="statement_id"
    )
    labels = inputs.labels.loc[inputs.labels["target"] == target, ["statement_id", "stance", "sampling_prob"]]
    rows = rows.merge(labels.rename(columns={"stance": "gold"}), how="left", on="statement_id")
    score, addressed = _contributions(rows)
    return Strand(
        score=score, addressed=addressed, month=rows["month"].to_numpy(dtype=np.int64), n_months=n_months,
        document=rows["document"].to_numpy(dtype=np.int64), labelled=int(rows["gold"].notna().sum()),
    )  # fmt: skip


def _documents(statements: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Give documents numbers, those of all actors together; a statement of no known document is its own."""
    named = statements["doc_id"].astype(str)
    own = named.where(named != "", "\0" + statements["statement_id"].astype(str))
    return pd.factorize(own)[0].astype(np.int64)


def _contributions(rows: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return psi = f(pred) + labelled/pi * (gold - f(pred)) of score and addressed.

    f is the labelled mean by predicted class, without the statement's own document: a mean that has seen the label
    would lie too close to it, and intervals from few labels would be too narrow.
    """
    predicted = pd.Index(STANCES).get_indexer(pd.Index(rows["stance"].astype(object)))
    gold = pd.Index(STANCES).get_indexer(pd.Index(rows["gold"].astype(object)))
    labelled = gold >= 0
    weight = np.where(labelled, 1 / rows["sampling_prob"].astype(float).fillna(1.0).to_numpy(), 0.0)
    cell = pd.factorize(rows["document"] * len(STANCES) + predicted)[0]
    known = _elsewhere(labelled.astype(float), predicted, cell) >= _LEAST_OF_CLASS
    total = np.maximum(_elsewhere(weight, predicted, cell), 1e-12)
    answer = []
    for values in (_SCORES, _ADDRESSED):
        seen = np.where(labelled, values[gold], 0.0)
        fitted = np.where(known, _elsewhere(weight * seen, predicted, cell) / total, values[predicted])
        answer.append(fitted + weight * (seen - fitted))
    return answer[0], answer[1]


def _elsewhere(values: Floats, predicted: npt.NDArray[np.int64], cell: npt.NDArray[np.int64]) -> Floats:
    """Sum values over the statements of the same predicted class (`cell`: class and document) elsewhere."""
    same, own = np.bincount(predicted, values), np.bincount(cell, values)
    answer: Floats = (same[predicted] - own[cell]).astype(np.float64)
    return answer


def mean(one: Strand, minus: Strand | None = None) -> Shift:
    """Estimate a position over all months, or its difference from another's, clustered by document."""
    strands = [one] if minus is None else [one, minus]
    if any(s.addressed.sum() < LEAST for s in strands):
        return NOTHING
    parts = [(s.score.sum() / s.addressed.sum(), s.document, s) for s in strands]
    return _difference(
        [
            (position, document, (s.score - position * s.addressed) / s.addressed.sum())
            for position, document, s in parts
        ],
        bound=float(len(strands)),
    )


def attention(one: Strand, other: Strand) -> Shift:
    """Estimate how much larger a share of an actor's statements addresses one target than another, from -1 to 1."""
    if min(one.addressed.size, other.addressed.size) < LEAST:
        return NOTHING
    shares = [(s, s.addressed.sum() / s.addressed.size) for s in (one, other)]
    return _difference(
        [(share, s.document, (s.addressed - share) / s.addressed.size) for s, share in shares], bound=1.0
    )


def _difference(parts: Sequence[tuple[float, npt.NDArray[np.int64], Floats]], *, bound: float) -> Shift:
    """Return the first value, less the second where there is one, with documents as clusters.

    A part is a value, the statements' documents, and what each statement adds to the value's error. One document
    adds to both: what an actor says on one subject it does not say on another.
    """
    size = max(int(document.max()) for _, document, _ in parts) + 1
    value, errors, heard = 0.0, np.zeros(size), np.zeros(size, dtype=bool)
    for sign, (part, document, each) in zip((1.0, -1.0), parts, strict=False):
        value += sign * part
        errors += sign * np.bincount(document, each, size)
        heard[document] = True
    n, squares = int(heard.sum()), errors**2
    error = float(squares.sum() * n / max(n - 1, 1)) ** 0.5
    # Few documents may carry most of the error; Satterthwaite (1946) counts them.
    carrying = float(squares.sum() ** 2 / max((squares**2).sum(), 1e-300))
    return _interval(value, error, bound, quantile=float(stdtrit(max(carrying - 1, 1), 0.975)))


def _interval(value: float, error: float, bound: float, quantile: float = _NORMAL) -> Shift:
    half = quantile * error
    return Shift(estimate=float(value), low=max(-bound, value - half), high=min(bound, value + half))


def _influence(score: Floats, addressed: Floats) -> Floats:
    """Return what each month adds to the slope per year of a position by month, arrays (..., T).

    Their sum is the slope of least squares weighted by statements; their root sum of squares its error.
    """
    time = np.arange(score.shape[-1]) / 12
    total = addressed.sum(axis=-1, keepdims=True)
    centred = time - (addressed * time).sum(axis=-1, keepdims=True) / total
    residual = score - score.sum(axis=-1, keepdims=True) / total * addressed
    answer: Floats = centred * residual / (addressed * centred**2).sum(axis=-1, keepdims=True)
    return answer


def trend(one: Strand, minus: Strand | None = None, *, random_state: int = 0) -> Shift:
    """Estimate the change of a position (or of a difference of two) per year.

    The p-value permutes blocks of consecutive months, those of both series alike, and compares slopes over their
    errors, so that mere volume does not trigger it; the spread of the permuted slopes is the standard error behind
    interval and smallest detectable effect. A block is a tenth of the months and three at least: positions swing
    for months on end, and shorter blocks would take a long swing for a trend.
    """
    strands = [one] if minus is None else [one, minus]
    totals = [s.totals() for s in strands]
    if any(a.sum() < LEAST or (a > 0).sum() < LEAST for _, a in totals):
        return NOTHING
    block = max(BLOCK, round(one.n_months / 10))
    order = block_permutations(one.n_months, PERMUTATIONS, np.random.default_rng(random_state), block)
    seen, null = np.zeros(one.n_months), np.zeros(order.shape)
    for sign, (score, addressed) in zip((1.0, -1.0), totals, strict=False):
        seen = seen + sign * _influence(score, addressed)
        null = null + sign * _influence(score[order], addressed[order])
    return _tested(seen, null)


def _tested(seen: Floats, null: Floats) -> Shift:
    value, values = float(seen.sum()), null.sum(axis=-1)
    errors = np.sqrt((np.concatenate([seen[None], null]) ** 2).sum(axis=-1))
    studentised = np.abs(np.append(value, values)) / np.maximum(errors, 1e-12)
    p_value = float((studentised >= studentised[0] - 1e-12).sum()) / studentised.size
    made = _interval(value, float(values.std()), max(1.0, abs(value)))
    return Shift(
        estimate=value, low=made.low, high=made.high, p_value=p_value, detectable=POWER * float(values.std())
    )  # fmt: skip


def together(one: Strand, other: Strand, *, random_state: int = 0) -> Shift:
    """Estimate the correlation of two positions over the quarters in which both address the target.

    A quarter weighs as a difference of its two positions would, so that one of few statements says little. The
    p-value and the error come from permuting the quarters of one series against the other in blocks of two. The
    noise of what happened to be said weakens the correlation: it is that of the words, not of what is behind them.
    """
    pair = [[_quarters(values) for values in s.totals()] for s in (one, other)]
    known = np.logical_and(*[addressed > 0.5 for _, addressed in pair])
    if known.sum() < LEAST:
        return NOTHING
    (first, n), (second, m) = ((score[known] / addressed[known], addressed[known]) for score, addressed in pair)
    if first.std() < 1e-9 or second.std() < 1e-9:
        return NOTHING
    order = block_permutations(int(known.sum()), PERMUTATIONS, np.random.default_rng(random_state), block=2)
    value = float(_correlation(first, second, n * m / (n + m)))
    null = _correlation(first, second[order], n * m[order] / (n + m[order]))
    error = float(null.std())
    p_value = (1 + float((np.abs(null) >= abs(value) - 1e-12).sum())) / (1 + null.size)
    made = _interval(value, error, 1.0)
    return Shift(estimate=value, low=made.low, high=made.high, p_value=p_value, detectable=POWER * error)


def _correlation(first: Floats, second: Floats, weight: Floats) -> Floats:
    """Return the weighted correlation along the last axis; 0 where one of the two does not vary."""
    share = weight / weight.sum(axis=-1, keepdims=True)
    x, y = (values - (share * values).sum(axis=-1, keepdims=True) for values in (first, second))
    spread = np.sqrt((share * x**2).sum(axis=-1) * (share * y**2).sum(axis=-1))
    answer: Floats = np.where(spread > 1e-12, (share * x * y).sum(axis=-1) / np.maximum(spread, 1e-12), 0.0)
    return answer


def _quarters(values: Floats) -> Floats:
    padded = np.concatenate([values, np.zeros(-values.size % 3)])
    answer: Floats = padded.reshape(-1, 3).sum(axis=1)
    return answer


def holm(shifts: Sequence[Shift]) -> list[float]:
    """Return Holm-adjusted p-values of several tests; NaN where nothing was tested."""
    return [float(p) for p in adjusted([shift.p_value for shift in shifts])]
