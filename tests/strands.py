"""Worlds in which the positions of two actors are known, to hold the report's indicators against.

Documents arrive unevenly; one document has one main subject, says the same thing in several statements, and turns to
another subject now and then, so that the statements of a document go together and subjects crowd each other out. Each
position swings around its path from month to month. A classifier that errs by actor reads all of it, and labels are
drawn with a known chance. Texts are empty: nothing here reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.config import Target, Targets
from pipeline.report import ReportInputs
from pipeline.report.inputs import STATEMENTS, TAGS
from pipeline.schema import LABEL_COLUMNS, STANCES, TREND_COLUMNS
from tests.test_report_world import make_inputs

Floats = np.ndarray[Any, np.dtype[np.float64]]
ACTORS = ("CHN", "RUS")
TARGETS = ("india", "taliban_recognition", "central_asian_security", "coordination")
FIRST = 2019 * 12
CONFUSION = np.array([
    [[.69, .16, .04, .11], [.18, .60, .05, .17], [.10, .22, .56, .12], [.05, .06, .02, .87]],
    [[.62, .17, .09, .12], [.08, .62, .14, .16], [.04, .12, .73, .11], [.02, .05, .05, .88]],
])  # fmt: skip
"""By actor: true stance by predicted. One is read too warm, the other too cold."""


@dataclass(frozen=True, kw_only=True)
class World:
    """What a report sees, and what is true: `position` and `addressed` (expected), shape (2, targets, months)."""

    inputs: ReportInputs
    base: Floats
    position: Floats
    addressed: Floats
    spoken: Floats

    def mean(self, actor: int, target: int) -> float:
        """The position over all months, months weighted by what is expected to be said."""
        return float(np.average(self.position[actor, target], weights=self.addressed[actor, target]))

    def share(self, actor: int, target: int) -> float:
        """The expected share of an actor's statements that address a target."""
        return float(self.addressed[actor, target].sum() / self.spoken[actor].sum())


def codebook() -> Targets:
    """Four targets, one of them declared."""
    words = dict.fromkeys(("proposition", "favor", "against", "neutral", "none"), "words")
    return Targets(
        codebook_version="3",
        target=tuple(
            Target(id=name, label=name, core=name != "coordination", pooled=name != "coordination",
                   declared=name == "coordination", cues={}, **words)
            for name in TARGETS
        ),
    )  # fmt: skip


def make_strands(
    seed: int, *, months: int = 90, documents: float = 4.0, labelled: float = 1.0, slope: float = 0.0,
    swing: float = 0.1, memory: float = 0.5, shared: float = 0.0, growth: float = 1.0, level: float | None = None,
) -> World:  # fmt: skip
    """Draw a world.

    Parameters
    ----------
    documents : float
        Mean documents a month and actor; a document holds two statements on average.
    labelled : float
        Share of the statements that are labelled, drawn by chance.
    slope : float
        Change a year of the second actor's position on every target but the declared one.
    swing, memory : float
        Standard deviation of the months' swings around the path, and their correlation from month to month.
    shared : float
        Share of the swings' variance that both actors have in common.
    growth : float
        How many times more is said at the end than at the beginning.
    level : float, optional
        Every path's height; drawn by chance when not given.
    """
    rng = np.random.default_rng([seed, 4411])
    base = np.repeat(rng.uniform(-0.35, 0.35, (2, len(TARGETS), 1)), months, axis=2)
    base = base if level is None else np.full_like(base, level)
    base[1, :3] += slope * (np.arange(months) - (months - 1) / 2) / 12
    common, own = (_swings(rng, months, swing, memory, n) for n in (1, 2))
    position = np.clip(base + np.sqrt(shared) * common + np.sqrt(1 - shared) * own, -0.97, 0.97)
    volume = (
        documents
        * rng.gamma(4, 0.25, (2, months))
        * np.linspace(2 / (1 + growth), 2 * growth / (1 + growth), months)
    )
    weights = rng.dirichlet(np.full(len(TARGETS) + 1, 6.0), 2)  # the last: about something else
    frame = _statements(rng, position, volume, weights)
    chance = weights[:, :-1] * 0.85 + (1 - weights[:, :-1]) * 0.08
    return World(
        inputs=_inputs(rng, frame, labelled), base=base, position=position, spoken=2 * volume,
        addressed=2 * volume[:, None, :] * chance[:, :, None],
    )  # fmt: skip


def _swings(rng: np.random.Generator, months: int, size: float, memory: float, actors: int) -> Floats:
    drawn = rng.normal(0, size, (actors, len(TARGETS), months))
    for month in range(1, months):
        drawn[..., month] = memory * drawn[..., month - 1] + np.sqrt(1 - memory**2) * drawn[..., month]
    return drawn


def _statements(rng: np.random.Generator, position: Floats, volume: Floats, weights: Floats) -> dict[str, Any]:
    """Draw who speaks when in which document, and the true and the predicted stance on every target."""
    counts = rng.poisson(volume)
    actor = np.repeat([0, 1], counts.sum(axis=1))
    month = np.concatenate([np.repeat(np.arange(volume.shape[1]), row) for row in counts])
    topic = (rng.random(actor.size)[:, None] > weights[actor].cumsum(axis=1)).sum(axis=1)
    lead = rng.random((actor.size, len(TARGETS)))
    size = 1 + rng.poisson(1.0, actor.size)
    document = np.repeat(np.arange(actor.size), size)
    actor, month, topic, lead = actor[document], month[document], topic[document], lead[document]
    shape = (document.size, len(TARGETS))
    mean = position[actor, :, month]
    neutral = 0.4 * (1 - np.abs(mean))
    draw = np.where(rng.random(shape) < 0.7, lead, rng.random(shape))
    against = (1 - neutral - mean) / 2
    stance = np.where(draw < against, 2, np.where(draw < against + neutral, 1, 0))
    speaks = rng.random(shape) < np.where(topic[:, None] == np.arange(len(TARGETS)), 0.85, 0.08)
    true = np.where(speaks, stance, 3)
    cumulative = CONFUSION[actor[:, None], true].cumsum(axis=-1)
    predicted = (rng.random(shape)[..., None] > cumulative).sum(axis=-1).clip(0, 3)
    return {"actor": actor, "month": month, "document": document, "true": true, "predicted": predicted}


def _inputs(rng: np.random.Generator, drawn: dict[str, Any], labelled: float) -> ReportInputs:
    n, names = drawn["actor"].size, np.array(STANCES, dtype=object)
    ids = np.array([f"s{i:05d}" for i in range(n)], dtype=object)
    days = [
        f"{(FIRST + m) // 12}-{(FIRST + m) % 12 + 1:02d}-11" for m in range(int(drawn["month"].max(initial=0)) + 1)
    ]
    statements = pd.DataFrame(dict.fromkeys(STATEMENTS, ""), index=range(n)).assign(
        statement_id=ids, doc_id=[f"d{i}" for i in drawn["document"]], joint=False,
        date=np.array(days, dtype=object)[drawn["month"]], country=np.array(ACTORS, dtype=object)[drawn["actor"]],
    )  # fmt: skip
    tags = pd.DataFrame(dict.fromkeys(TAGS, 0.0), index=range(n * len(TARGETS))).assign(
        statement_id=np.repeat(ids, len(TARGETS)), target=np.tile(np.array(TARGETS, dtype=object), n),
        stance=names[drawn["predicted"].ravel()],
    )  # fmt: skip
    chosen = np.repeat(rng.random(n) < labelled, len(TARGETS))
    labels = tags.loc[chosen, ["statement_id", "target"]].assign(
        stance=names[drawn["true"].ravel()[chosen]], sampling_prob=labelled
    )
    return make_inputs(
        trends=pd.DataFrame(columns=list(TREND_COLUMNS)), targets=codebook(), statements=statements, tags=tags,
        labels=labels[list(LABEL_COLUMNS)],
    )  # fmt: skip
