"""The nouns of the field as records, and the columns of every table, in one place.

A *statement* is what one official said on one date at one venue. A *tag* is a model's stance for one
statement and target; a *label* is a coder's. `none` means that the target is not addressed: it has no
score and is not neutral.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Stance: TypeAlias = Literal["favor", "neutral", "against", "none"]

STANCES: tuple[Stance, ...] = ("favor", "neutral", "against", "none")
"""Fixed order of the classes, of probability columns and of confusion matrices."""

SCORE: Mapping[Stance, float] = {"favor": 1.0, "neutral": 0.0, "against": -1.0}
"""Stance score on the codebook's proposition; `none` has none."""

SCHEMA_VERSION = "1"
"""Version of the exported tables; a column is only ever added."""

PROVENANCES = ("paraphrase", "verbatim", "reported")

STATEMENT_COLUMNS = (
    "statement_id", "doc_id", "date", "date_method", "speaker", "role", "country", "venue", "lang",
    "source", "url", "title", "text", "provenance",
)  # fmt: skip
CARRIED_COLUMNS = ("statement_id", "doc_id", "date", "speaker", "country", "lang")
PROBABILITY_COLUMNS = tuple(f"p_{stance}" for stance in ("favor", "neutral", "against", "none"))
TAG_COLUMNS = (
    *CARRIED_COLUMNS, "target", "stance", *PROBABILITY_COLUMNS, "confidence", "abstained",
    "evidence_start", "evidence_end", "evidence", "model_id",
)  # fmt: skip
ADJUDICATED = "adjudicated"
"""The coder whose labels count in statistics and training; every other coder's are kept for agreement."""

LABEL_COLUMNS = ("statement_id", "target", "stance", "sampling_prob")
EVENT_COLUMNS = ("event_id", "date", "label")
TREND_COLUMNS = (
    "schema_version", "run_id", "period_start", "period_end", "freq", "scope", "country", "target",
    "measure", "unit", "estimate", "conf_low", "conf_high", "conf_level", "std_error", "estimator",
    "naive_estimate", "n_statements", "n_addressed", "n_eff", "n_documents", "n_labelled", "status",
    "model_id", "labels_id",
)  # fmt: skip
TEST_COLUMNS = (
    "test", "target", "event_id", "window_start", "window_end", "statistic", "effect", "unit",
    "conf_low", "conf_high", "p_value", "p_adjusted", "n_permutations", "min_detectable_effect",
)  # fmt: skip
MEASURES = (
    "position", "salience", "gap", "convergence", "same_side_prob", "pooled_convergence",
    "declared_coordination", "coordination_gap",
)  # fmt: skip
FREQUENCIES = ("month", "quarter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one official said on one date at one venue.

    `date` is ISO (`YYYY-MM-DD`) or empty when unknown; `date_method` says how it is known (`day`, `month`
    for a date of which only the month is sure, or the name of the extraction method). `country` is an
    actor's id (ISO alpha-3, or an organisation such as SCO). `verified` is false for a documented statement
    that no second look at its source bears out yet. `context` is the question that was answered;
    `attribution` says how the speaker is known, or why not ("name shared by ...").
    """

    statement_id: str
    text: str
    doc_id: str = ""
    date: str = ""
    date_method: str = ""
    speaker: str = ""
    role: str = ""
    country: str = ""
    venue: str = ""
    lang: str = ""
    source: str = ""
    url: str = ""
    title: str = ""
    provenance: str = ""
    joint: bool = False
    verified: bool = True
    context: str = ""
    attribution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A coder's stance for one statement and target, with the probability that it was drawn for coding."""

    statement_id: str
    target: str
    stance: Stance
    sampling_prob: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """One coder's label on record: who gave it, when (ISO, UTC), under which codebook, and how it came.

    `coder` is `adjudicated` for the settled label. `origin` is empty for what the bundled corpus came with.
    """

    statement_id: str
    target: str
    stance: Stance
    coder: str
    codebook_version: str
    labelled_at: str = ""
    origin: str = ""
    sampling_prob: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A model's stance for one statement and target.

    `probabilities` has one value per stance in the order of `STANCES` and sums to 1. Evidence offsets are
    code points of the statement's text, both None where the stance is `none`.
    """

    target: str
    stance: Stance
    probabilities: tuple[float, float, float, float]
    abstained: bool
    model_id: str
    evidence_start: int | None = None
    evidence_end: int | None = None
    evidence: str = ""
    confidence: float = field(default=0.0)
