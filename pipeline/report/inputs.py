"""What a report is made from, and the reading of it: periods, series, events, labels."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

import pandas as pd

from pipeline.config import Targets
from pipeline.schema import LABEL_COLUMNS, PROBABILITY_COLUMNS, STATEMENT_COLUMNS

ALPHA = 0.05
"""An adjusted p-value below this is called detected."""
ALL = "ALL"
"""Target of the pooled series and tests."""
STATEMENTS = (*STATEMENT_COLUMNS, "joint")
"""Columns of the statements behind a report."""
TAGS = (
    "statement_id", "target", "stance", *PROBABILITY_COLUMNS, "confidence", "abstained", "evidence_start",
    "evidence_end",
)  # fmt: skip
"""Columns of their tags."""
_NUMBERS = ("estimate", "conf_low", "conf_high", "conf_level", "n_statements", "n_addressed")
_SPANS = {"quarter": "Q", "month": "M"}


def _none(*columns: str) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInputs:
    """Everything a report shows.

    Parameters
    ----------
    trends : DataFrame
        Columns `schema.TREND_COLUMNS`.
    tests : DataFrame
        Columns `schema.TEST_COLUMNS`; `exploratory` is shown when present.
    events : DataFrame
        `event_id,date,label`; `about` (ids of targets, separated by spaces) and `source_url` when present.
    targets : Targets
        The codebook's targets.
    pair : tuple of str
        The two actors compared.
    names : mapping of str to str
        Display name of an actor's id; the id where it has none.
    sources : DataFrame
        `country,provenance,statements,labelled`, counts of statements.
    model_id : str
        The classifier behind the tags.
    made_on : date
        Date printed on the report.
    statements, tags, labels : DataFrame
        The evidence, no more than what the figures count: columns `STATEMENTS`, `TAGS` and
        `schema.LABEL_COLUMNS`; empty without a store.
    chosen : str
        How the statements were chosen, in words; empty when all were taken.
    data_card, model_card : str
        Cards in Markdown; empty where there is none.
    """

    trends: pd.DataFrame
    tests: pd.DataFrame
    events: pd.DataFrame
    targets: Targets
    pair: tuple[str, str] = ("CHN", "RUS")
    names: Mapping[str, str] = field(default_factory=dict)
    sources: pd.DataFrame
    model_id: str
    made_on: date
    statements: pd.DataFrame = field(default_factory=partial(_none, *STATEMENTS))
    tags: pd.DataFrame = field(default_factory=partial(_none, *TAGS))
    labels: pd.DataFrame = field(default_factory=partial(_none, *LABEL_COLUMNS))
    chosen: str = ""
    data_card: str = ""
    model_card: str = ""

    def name(self, actor: str) -> str:
        """Return the display name of an actor."""
        return self.names.get(actor) or actor

    @property
    def pair_names(self) -> tuple[str, str]:
        """Display names of the pair; the ids where both would read the same."""
        first, second = (self.name(actor) for actor in self.pair)
        return self.pair if first == second else (first, second)

    @property
    def pair_text(self) -> str:
        """The pair in words, such as `China and Russia`."""
        return " and ".join(self.pair_names)

    def label(self, target: str) -> str:
        """Return the codebook's label of a target; the id itself when the codebook does not know it."""
        return next((known.label for known in self.targets.target if known.id == target), target)

    @property
    def core(self) -> tuple[str, ...]:
        """Ids of the core targets, in the codebook's order."""
        return tuple(target.id for target in self.targets.target if target.core)


def frequency(trends: pd.DataFrame) -> str:
    """Return the frequency that is drawn: quarters, or months when there are no quarters."""
    quarters, months = ((trends["freq"] == freq).any() for freq in ("quarter", "month"))
    return "month" if months and not quarters else "quarter"


def drawn_rows(trends: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are drawn, with a `period` column, numbers as numbers, and one view of emptiness.

    A row without an estimate is `empty` whatever it says, and an `empty` row has no estimate.
    """
    freq = frequency(trends)
    rows = trends[trends["freq"] == freq]
    numbers = {name: pd.to_numeric(rows[name], errors="coerce").astype(float) for name in _NUMBERS}
    missing = numbers["estimate"].isna() | (rows["status"] == "empty")
    for name in ("estimate", "conf_low", "conf_high"):
        numbers[name] = numbers[name].mask(missing)
    status = rows["status"].astype(object).mask(missing, "empty")
    period = pd.to_datetime(rows["period_start"]).dt.to_period(_SPANS[freq])
    return rows.assign(**numbers, status=status, period=period)


def period_grid(rows: pd.DataFrame) -> pd.PeriodIndex:
    """Return every period from the first to the last row, whether or not rows exist for it."""
    if rows.empty:
        return pd.PeriodIndex([], freq="Q")
    return pd.period_range(rows["period"].min(), rows["period"].max())


def series(
    rows: pd.DataFrame, *, measure: str, target: str | None = None, actor: str | None = None
) -> pd.DataFrame:
    """Return one series on the full grid of periods.

    Parameters
    ----------
    rows : DataFrame
        As returned by `drawn_rows`.
    measure : str
        One of `schema.MEASURES`.
    target, actor : str, optional
        Select the `target` and the `country` column; None takes any.

    Returns
    -------
    DataFrame
        Indexed by period, `status` ok, sparse or empty; `run` numbers the stretches without an empty
        period, so that a line drawn per run never crosses one.
    """
    chosen = rows[rows["measure"] == measure]
    if target is not None:
        chosen = chosen[chosen["target"] == target]
    if actor is not None:
        chosen = chosen[chosen["country"] == actor]
    columns = [*_NUMBERS, "status", "estimator", "unit"]
    found = chosen.drop_duplicates("period").set_index("period")[columns].reindex(period_grid(rows))
    found = found.assign(status=found["status"].fillna("empty"))
    return found.assign(run=(found["status"] == "empty").cumsum())


def has_data(frame: pd.DataFrame) -> bool:
    """Say whether any period of a series has an estimate."""
    return bool((frame["status"] != "empty").any())


def last_with_data(frame: pd.DataFrame) -> pd.Series[Any] | None:
    """Return the last row of a series that has an estimate (its `name` is the period), or None."""
    kept = frame[frame["status"] != "empty"]
    return None if kept.empty else kept.iloc[-1]


def period_text(period: Any) -> str:
    """Return a period (a pandas Period, which an index calls Hashable) as `2024 Q3` or `2024-07`."""
    return f"{period.year} Q{period.quarter}" if period.freqstr.startswith("Q") else str(period)


def target_ids(inputs: ReportInputs) -> tuple[str, ...]:
    """Return the targets that have rows: the codebook's in its order, then the others by name."""
    present = {str(name) for name in inputs.trends["target"].dropna()} - {ALL}
    known = [name for name in inputs.targets.ids if name in present]
    return (*known, *sorted(present - set(known)))


def numbered_events(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events by date, with `number` from 1 and `when`, the date as a timestamp."""
    when = pd.to_datetime(events["date"])
    ordered = events.assign(when=when).sort_values(["when", "event_id"], kind="stable", ignore_index=True)
    return ordered.assign(number=range(1, len(ordered) + 1))


def events_about(events: pd.DataFrame, target: str) -> pd.DataFrame:
    """Return the numbered events about a target; an event that does not say what it is about is about all."""
    if "about" not in events.columns:
        return events
    about = _words(events["about"]).str.split()
    keep = [not ids or target in ids for ids in about]
    return events[pd.Series(keep, index=events.index, dtype=bool)]


def _words(column: pd.Series[Any]) -> pd.Series[str]:
    """Return a column as text, with empty text where a value is missing."""
    return column.astype(object).where(column.notna(), "").astype(str)


def uncorrected_targets(trends: pd.DataFrame) -> tuple[str, ...]:
    """Return the targets of which a series is not corrected for classifier error."""
    named = _words(trends["estimator"]).str.contains("uncorrected|naive", case=False)
    return tuple(sorted(set(trends.loc[named, "target"].astype(str))))


def file_stem(target: str) -> str:
    """Return a file name for a target that stays inside its folder and that no other target shares."""
    plain = re.sub(r"[^\w-]+", "_", target)[:60]
    if plain and plain == target and target != "pooled":
        return plain
    return f"{plain}-{hashlib.sha256(target.encode()).hexdigest()[:8]}"
