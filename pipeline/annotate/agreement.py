"""How far coders agree: Krippendorff's alpha per target, with an interval; who confuses what; on which statements.

Source: Krippendorff, Content Analysis (4th ed. 2018), chapter 12, for nominal data, any number of coders and
missing codings; the interval is a bootstrap over statements (percentiles). He asks for .800 to rely on a
variable and for .667 to draw tentative conclusions.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.schema import ADJUDICATED, STANCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

DRAWS = 1000
AGREEMENT_COLUMNS = ("target", "alpha", "conf_low", "conf_high", "agreement", "n_statements", "n_codings", "coders")
CONFUSION_COLUMNS = ("target", "coder_a", "coder_b", "stance_a", "stance_b", "n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Agreement on one target.

    `alpha` is 1 for perfect agreement and 0 for what chance gives; NaN when nothing varies or nothing was coded
    twice. `agreement` is the share of pairs of codings of one statement that agree. `n_statements` counts those
    coded at least twice.
    """

    target: str
    alpha: float
    conf_low: float
    conf_high: float
    agreement: float
    n_statements: int
    n_codings: int
    coders: tuple[str, ...]


def agreement_by_target(
    codings: pd.DataFrame, targets: Sequence[str], *, draws: int = DRAWS, random_state: int = 0
) -> list[Agreement]:
    """Measure the agreement of coders on each target.

    Parameters
    ----------
    codings : DataFrame
        `statement_id,target,coder,stance`, one row each; settled labels are left out.
    targets : sequence of str
    draws : int
        Bootstrap draws of the 95% interval.
    random_state : int
    """
    return [_agreement(_of(codings, target), target, draws, random_state) for target in targets]


def _of(codings: pd.DataFrame, target: str) -> pd.DataFrame:
    return codings[(codings["target"] == target) & (codings["coder"] != ADJUDICATED)]


def _agreement(codings: pd.DataFrame, target: str, draws: int, random_state: int) -> Agreement:
    counts = stance_counts(codings)
    counts = counts[counts.sum(1) > 1]
    twice = codings.groupby("statement_id")["coder"].transform("size") > 1
    low, high = alpha_interval(counts, draws=draws, random_state=random_state)
    pairs = coincidences(counts)
    return Agreement(
        target=target,
        alpha=krippendorff_alpha(counts),
        conf_low=low,
        conf_high=high,
        agreement=_agreeing_pairs(counts),
        n_statements=len(counts),
        n_codings=int(pairs.sum()),
        coders=tuple(sorted(codings.loc[twice, "coder"].astype(str).unique())),
    )  # fmt: skip


def stance_counts(codings: pd.DataFrame) -> Ints:
    """Count, for each statement, how many coders gave each stance; shape (n, 4), in order of id."""
    if codings.empty:
        return np.zeros((0, len(STANCES)), np.int64)
    table = pd.crosstab(codings["statement_id"], codings["stance"]).reindex(columns=list(STANCES), fill_value=0)
    counts: Ints = table.to_numpy(dtype=np.int64)
    return counts


def coincidences(counts: Ints) -> Floats:
    """Return the coincidence matrices of statements, shape (n, 4, 4): ordered pairs over (coders - 1)."""
    coders = counts.sum(1)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(counts.shape[1], dtype=np.int64)
    matrices: Floats = pairs / np.maximum(coders - 1, 1)[:, None, None]
    return matrices


def krippendorff_alpha(counts: Ints) -> float:
    """Return Krippendorff's alpha for nominal data.

    Parameters
    ----------
    counts : ndarray of int, shape (n, 4)
        Coders that gave each stance to each statement; a statement coded once counts for nothing.

    Returns
    -------
    float
        NaN when no statement was coded twice, or every coding is the same.
    """
    return float(_alphas(coincidences(counts).sum(0)[None])[0])


def _alphas(matrices: Floats) -> Floats:
    """Return the alpha of each summed coincidence matrix, shape (B, 4, 4)."""
    margins = matrices.sum(2)
    total = margins.sum(1)
    observed = total - np.trace(matrices, axis1=1, axis2=2)
    expected = total**2 - (margins**2).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        answer: Floats = np.where(expected > 1e-9, 1 - (total - 1) * observed / expected, np.nan)
    return answer


def alpha_interval(counts: Ints, *, draws: int = DRAWS, random_state: int = 0) -> tuple[float, float]:
    """Return the 95% interval of alpha by resampling statements; NaN for fewer than two, or nothing varying.

    A draw in which every coding is the same has no alpha and is left out.
    """
    if len(counts) < 2:
        return float("nan"), float("nan")
    rng = np.random.default_rng(random_state)
    weights = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=draws)
    alphas = _alphas(np.tensordot(weights, coincidences(counts), axes=1))
    known = alphas[~np.isnan(alphas)]
    if not known.size:
        return float("nan"), float("nan")
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)


def _agreeing_pairs(counts: Ints) -> float:
    coders = counts.sum(1)
    pairs = (coders * (coders - 1)).sum()
    return float((counts * (counts - 1)).sum() / pairs) if pairs else float("nan")


def coder_confusion(codings: pd.DataFrame, targets: Sequence[str]) -> pd.DataFrame:
    """Count what each pair of coders gave to the statements that both coded, as `CONFUSION_COLUMNS`.

    A pair stands once, in order of name; only cells with a case are listed.
    """
    found: list[tuple[object, ...]] = []
    for target in targets:
        wide = _wide(_of(codings, target))
        for a, b in itertools.combinations(wide.columns, 2):
            both = wide[[a, b]].dropna()
            pairs = Counter(zip(both[a].astype(str), both[b].astype(str), strict=True))
            found.extend((target, a, b, *pair, n) for pair, n in sorted(pairs.items()))
    return pd.DataFrame(found, columns=list(CONFUSION_COLUMNS))


def _wide(codings: pd.DataFrame) -> pd.DataFrame:
    return codings.set_index(["statement_id", "coder"])["stance"].unstack()  # noqa: PD010 - nothing is aggregated


def disagreements(codings: pd.DataFrame, targets: Sequence[str]) -> pd.DataFrame:
    """List what coders disagree on, one row a statement and target.

    Returns
    -------
    DataFrame
        `statement_id,target,date,country,speaker`, a column `by NAME` for each coder, `settled` (the label in
        force, empty where there is none: fill it in and `adjudicate --decisions` reads it) and `text`; those not
        settled come first.
    """
    people = sorted({str(name) for name in codings["coder"]} - {ADJUDICATED})
    by = [f"by {name}" for name in people]
    found = []
    for (statement_id, target), rows in codings.groupby(["statement_id", "target"], sort=False):
        given = dict(zip(rows["coder"], rows["stance"], strict=True))
        settled = given.pop(ADJUDICATED, "")
        if target not in targets or len(set(given.values())) < 2:
            continue
        one = rows.iloc[0]
        lead = (statement_id, target, one["date"], one["country"], one["speaker"])
        found.append((*lead, *(given.get(name, "") for name in people), settled, one["text"]))
    columns = ["statement_id", "target", "date", "country", "speaker", *by, "settled", "text"]
    frame = pd.DataFrame(found, columns=columns)
    order = frame.assign(_done=frame["settled"] != "").sort_values(["_done", "target", "statement_id"])
    return order.drop(columns="_done").reset_index(drop=True)


def bundled_codings(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the codings that documented statements carry, in the columns of `Store.codings_frame` used here.

    Parameters
    ----------
    rows : iterable of mapping
        As `corpus.load_documented` gives them.
    """
    found = [
        (row["statement_id"], target, coder, stance, str(row["date"]), row["country"], row["speaker"], row["text"])
        for row in rows
        for name, coder in (("coding_1", "coding_1"), ("coding_2", "coding_2"), ("labels", ADJUDICATED))
        for target, stance in (row[name] or {}).items()
        if stance is not None
    ]
    columns = ["statement_id", "target", "coder", "stance", "date", "country", "speaker", "text"]
    return pd.DataFrame(found, columns=columns)
