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

from pipeline.aggregate.permutation import block_permutations
from pipeline.aggregate.permutation import holm as adjusted
from pipeline.report.inputs import ReportInputs
from pipeline.schema import SCORE, STANCES

Floats = npt.NDArray[np.float64]
PERMUTATIONS = 999
POWER = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
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
    """Collect what an actor said on a target; joint texts count on declared targets only."""
    held = inputs.statements[["statement_id", "doc_id", "date", "country", "joint"]]
    when = pd.to_datetime(held["date"], format="%Y-%m-%d", errors="coerce")
    months = when.dt.year * 12 + when.dt.month - 1
    held = held.assign(month=months - months.min())
    n_months = int(held["month"].max()) + 1 if held["month"].notna().any() else 0
    held = held[(held["country"] == actor) & held["month"].notna()]
    if target not in inputs.targets.declared:
        held = held[~held["joint"].astype(bool)]
    rows = held.merge(
        inputs.tags.loc[inputs.tags["target"] == target, ["statement_id", "stance"]], on="statement_id"
    )
    labels = inputs.labels.loc[inputs.labels["target"] == target, ["statement_id", "stance", "sampling_prob"]]
    rows = rows.merge(labels.rename(columns={"stance": "gold"}), how="left", on="statement_id")
    score, addressed = _contributions(rows)
    own = (
        rows["doc_id"].astype(str).where(rows["doc_id"].astype(str) != "", "\0" + rows["statement_id"].astype(str))
    )
    return Strand(
        score=score, addressed=addressed, month=rows["month"].to_numpy(dtype=np.int64), n_months=n_months,
        document=pd.factorize(own)[0].astype(np.int64), labelled=int(rows["gold"].notna().sum()),
    )  # fmt: skip


def _contributions(rows: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return psi = f(pred) + labelled/pi * (gold - f(pred)) of score and addressed, f the labelled mean by class."""  # noqa: E501
    predicted = pd.Index(STANCES).get_indexer(pd.Index(rows["stance"].astype(object)))
    gold = pd.Index(STANCES).get_indexer(pd.Index(rows["gold"].astype(object)))
    weight = np.where(gold >= 0, 1 / rows["sampling_prob"].astype(float).fillna(1.0).to_numpy(), 0.0)
    answer = []
    for values in (_SCORES, _ADDRESSED):
        expected = values.copy()
        for code in range(len(STANCES)):
            chosen = (predicted == code) & (gold >= 0)
            if chosen.sum() >= _LEAST_OF_CLASS:
                expected[code] = np.average(values[gold[chosen]], weights=weight[chosen])
        fitted = expected[predicted]
        answer.append(fitted + weight * (np.where(gold >= 0, values[gold], 0.0) - fitted))
    return answer[0], answer[1]


def mean(one: Strand, minus: Strand | None = None) -> Shift:
    """Estimate a position over all months, or its difference from another's, clustered by document."""
    strands = [one] if minus is None else [one, minus]
    if any(s.addressed.sum() < LEAST for s in strands):
        return NOTHING
    value, variance, bound = 0.0, 0.0, float(len(strands))
    for sign, s in zip((1.0, -1.0), strands, strict=False):
        position = s.score.sum() / s.addressed.sum()
        clusters = np.bincount(s.document, (s.score - position * s.addressed) / s.addressed.sum())
        value += sign * position
        variance += float((clusters**2).sum()) * clusters.size / max(clusters.size - 1, 1)
    return _interval(value, variance**0.5, bound)


def attention(one: Strand, other: Strand) -> Shift:
    """Estimate how much larger a share of an actor's statements addresses one target than another, from -1 to 1."""
    if min(one.addressed.size, other.addressed.size) < LEAST:
        return NOTHING
    value, variance = 0.0, 0.0
    for sign, s in ((1.0, one), (-1.0, other)):
        share = s.addressed.sum() / s.addressed.size
        clusters = np.bincount(s.document, (s.addressed - share) / s.addressed.size)
        value += sign * float(share)
        variance += float((clusters**2).sum())
    return _interval(value, variance**0.5, 1.0)


def _interval(value: float, error: float, bound: float) -> Shift:
    half = NormalDist().inv_cdf(0.975) * error
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

    The p-value permutes blocks of three consecutive months, those of both series alike, and compares slopes
    over their errors, so that mere volume does not trigger it; the spread of the permuted slopes is the standard
    error behind interval and smallest detectable effect.
    """
    strands = [one] if minus is None else [one, minus]
    totals = [s.totals() for s in strands]
    if any(a.sum() < LEAST or (a > 0).sum() < LEAST for _, a in totals):
        return NOTHING
    order = block_permutations(one.n_months, PERMUTATIONS, np.random.default_rng(random_state))
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

    The p-value and the error come from permuting the quarters of one series against the other in blocks of two.
    """
    pair = [[_quarters(values) for values in s.totals()] for s in (one, other)]
    known = np.logical_and(*[addressed > 0.5 for _, addressed in pair])
    if known.sum() < LEAST:
        return NOTHING
    first, second = (score[known] / addressed[known] for score, addressed in pair)
    if first.std() < 1e-9 or second.std() < 1e-9:
        return NOTHING
    order = block_permutations(int(known.sum()), PERMUTATIONS, np.random.default_rng(random_state))
    null = np.array([np.corrcoef(first, second[shuffled])[0, 1] for shuffled in order])
    value, error = float(np.corrcoef(first, second)[0, 1]), float(null.std())
    p_value = (1 + float((np.abs(null) >= abs(value) - 1e-12).sum())) / (1 + null.size)
    made = _interval(value, error, 1.0)
    return Shift(estimate=value, low=made.low, high=made.high, p_value=p_value, detectable=POWER * error)


def _quarters(values: Floats) -> Floats:
    padded = np.concatenate([values, np.zeros(-values.size % 3)])
    answer: Floats = padded.reshape(-1, 3).sum(axis=1)
    return answer


def holm(shifts: Sequence[Shift]) -> list[float]:
    """Return Holm-adjusted p-values of several tests; NaN where nothing was tested."""
    return [float(p) for p in adjusted([shift.p_value for shift in shifts])]
