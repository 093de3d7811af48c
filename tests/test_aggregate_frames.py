"""Small tags, labels and events for the tests of aggregation, and a world with a known truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipeline.aggregate import TrendOptions
from pipeline.aggregate.inputs import Observations, observe

STANCES = ("favor", "neutral", "against", "none")
SCORE = np.array([1.0, 0.0, -1.0, 0.0])
QUICK = TrendOptions(draws=20, permutations=19)

ERRORS = np.array(
    [
        [[0.70, 0.15, 0.05, 0.10], [0.20, 0.60, 0.05, 0.15], [0.10, 0.25, 0.55, 0.10], [0.06, 0.10, 0.02, 0.82]],
        [[0.60, 0.20, 0.08, 0.12], [0.08, 0.60, 0.17, 0.15], [0.03, 0.12, 0.75, 0.10], [0.03, 0.08, 0.07, 0.82]],
    ]
)
"""Confusion of an imagined classifier that reads CHN too warmly and RUS too coldly, rows true."""


def tags_of(*rows: tuple[str, str, str, str], **columns: Any) -> pd.DataFrame:
    """Make tags from (date, country, target, stance); each row is its own statement and document."""
    frame = pd.DataFrame(list(rows), columns=["date", "country", "target", "stance"])
    ids = [f"s{i}" for i in range(len(rows))]
    return frame.assign(statement_id=ids, doc_id=[f"d{i}" for i in range(len(rows))]).assign(**columns)


def labels_of(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    """Make labels from (statement, target, stance, sampling_prob)."""
    return pd.DataFrame(list(rows), columns=["statement_id", "target", "stance", "sampling_prob"])


def events_of(*rows: tuple[str, str], **columns: Any) -> pd.DataFrame:
    """Make events from (id, date)."""
    frame = pd.DataFrame(list(rows), columns=["event_id", "date"])
    return frame.assign(label=frame["event_id"]).assign(**columns)


def seen_of(tags: pd.DataFrame, labels: pd.DataFrame | None = None, options: TrendOptions = QUICK) -> Observations:
    """Code tags and labels."""
    return observe(tags, labels_of() if labels is None else labels, options)


def make_world(
    seed: int, *, months: int = 30, change_at: int = 15, after: float = 1.0, volume: float = 12.0,
    share: float = 0.25, gaps: tuple[float, ...] = (0.7, -0.6),
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, np.ndarray]]:  # fmt: skip
    """Simulate two countries whose gap is multiplied by `after` from month `change_at`.

    Documents have one to three statements; statements are labelled at random with probability `share`.
    Returns tags, labels and the truth: position (2, K, T) and salience.
    """
    rng = np.random.default_rng([seed, 77])
    factor = np.where(np.arange(months) < change_at, 1.0, after)
    gap = np.array(gaps)[:, None] * factor
    truth = np.stack([0.1 + gap / 2, 0.1 - gap / 2])
    n_docs = rng.poisson(volume, (2, months))
    country = np.repeat(np.repeat([0, 1], months), n_docs.ravel())
    month = np.repeat(np.tile(np.arange(months), 2), n_docs.ravel())
    size = rng.integers(1, 4, country.size)
    document = np.repeat(np.arange(country.size), size)
    country, month = country[document], month[document]
    frames, golds = [], []
    labelled = rng.random(document.size) < share
    for k in range(len(gaps)):
        p = truth[country, k, month]
        favor, against = 0.3 * (1 - np.abs(p)) + np.maximum(p, 0), 0.3 * (1 - np.abs(p)) + np.maximum(-p, 0)
        draw = rng.random(document.size)
        stance = np.where(draw < favor, 0, np.where(draw < favor + against, 2, 1))
        stance = np.where(rng.random(document.size) < 0.4, stance, 3)
        cumulative = ERRORS[country, stance].cumsum(axis=1)
        predicted = (rng.random(document.size)[:, None] > cumulative).sum(axis=1).clip(0, 3)
        frames.append(_tags(document, country, month, f"t{k}", predicted))
        golds.append(frames[-1].loc[labelled, ["statement_id", "target"]].assign(
            stance=np.array(STANCES, dtype=object)[stance[labelled]], sampling_prob=share))  # fmt: skip
    return pd.concat(frames, ignore_index=True), pd.concat(golds, ignore_index=True), {"position": truth}


def _tags(
    document: np.ndarray, country: np.ndarray, month: np.ndarray, target: str, predicted: np.ndarray
) -> pd.DataFrame:
    days = np.array([f"{2020 + m // 12}-{m % 12 + 1:02d}-11" for m in range(int(month.max()) + 1)], dtype=object)
    return pd.DataFrame({
        "statement_id": [f"s{i:05d}" for i in range(document.size)], "doc_id": [f"d{i:05d}" for i in document],
        "date": days[month], "country": np.array(["CHN", "RUS"], dtype=object)[country], "target": target,
        "stance": np.array(STANCES, dtype=object)[predicted],
    })  # fmt: skip


def test_world_is_reproducible_and_labelled_as_said() -> None:
    tags, labels, truth = make_world(1)
    again, _, _ = make_world(1)
    pd.testing.assert_frame_equal(tags, again)
    assert truth["position"].shape == (2, 2, 30)
    assert 0.2 < len(labels) / len(tags) < 0.3
    assert not tags.duplicated(["statement_id", "target"]).any()
