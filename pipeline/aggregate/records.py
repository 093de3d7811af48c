"""What is asked of an analysis and what it answers: options in, three tables out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.schema import FREQUENCIES

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

JOINT = ("declared", "in", "out")
"""What may be done with joint statements: they count on the declared targets only, everywhere, or nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendOptions:
    """Choices of an analysis; the defaults are those of the published series.

    Parameters
    ----------
    pair : tuple of str
        The two actors compared; a gap is the first one's position minus the second one's.
    freqs : tuple of str
        Periods of the series, `month` and `quarter`.
    since, until : date, optional
        First and last day used (both included); None for the extent of the tags.
    window : int
        Months either side of an event.
    targets : tuple of str, optional
        Targets analysed; None for all that the tags carry.
    pooled : tuple of str, optional
        Targets entering pooled convergence; None for all but `declared`.
    declared : tuple of str
        Targets that measure declared coordination.
    speakers, sources, provenances : tuple of str, optional
        Only statements of these speakers, of these sources, of this provenance; None for all. Case is ignored.
        The labels used are those of the statements that are left: their inclusion probabilities hold for any
        part of the statements, and a part may be read better or worse than the whole.
    joint : str
        One of `JOINT`: statements signed by both sides count on the declared targets only (they converge by
        construction), everywhere, or nowhere.
    conf_level : float
        Level of the intervals, in (0, 1).
    draws : int
        Draws of the Bayesian bootstrap and of the smoothed paths.
    permutations : int
        Random permutations behind each p-value.
    random_state : int
        Seed; the same seed gives the same bytes.
    data_seen_on : date, optional
        Events registered after this day (or on no known day) are marked exploratory.

    Raises
    ------
    UsageError
        When an option is outside what is accepted.
    """

    pair: tuple[str, str] = ("CHN", "RUS")
    freqs: tuple[str, ...] = ("month", "quarter")
    since: date | None = None
    until: date | None = None
    window: int = 18
    targets: tuple[str, ...] | None = None
    pooled: tuple[str, ...] | None = None
    declared: tuple[str, ...] = ("coordination",)
    speakers: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    provenances: tuple[str, ...] | None = None
    joint: str = "declared"
    conf_level: float = 0.95
    draws: int = 200
    permutations: int = 999
    random_state: int = 0
    data_seen_on: date | None = None

    def __post_init__(self) -> None:
        if not self.pair[0] or not self.pair[1] or self.pair[0] == self.pair[1]:
            raise UsageError(f"pair {','.join(self.pair)!r} must name two different actors, such as CHN,RUS.")
        unknown = [freq for freq in self.freqs if freq not in FREQUENCIES]
        if unknown or not self.freqs:
            raise UsageError(f"unknown frequency {', '.join(unknown) or '(none)'}: choose month or quarter.")
        if self.joint not in JOINT:
            raise UsageError(f"joint {self.joint!r}: choose among {', '.join(JOINT)}.")
        for name in ("targets", "speakers", "sources", "provenances"):
            if getattr(self, name) == ():
                raise UsageError(f"{name} is an empty choice, which leaves nothing: name some, or None for all.")
        if self.since is not None and self.until is not None and self.since > self.until:
            raise UsageError(f"since {self.since} is after until {self.until}; swap them or widen the range.")
        if not 0 < self.conf_level < 1:
            raise UsageError(f"conf_level {self.conf_level} must lie between 0 and 1, such as 0.95.")
        for name, least in (("window", 2), ("draws", 20), ("permutations", 19), ("random_state", 0)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} {getattr(self, name)} is too small: give at least {least}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends:
    """The tables of an analysis.

    `trends` has the columns of `schema.TREND_COLUMNS`; `tests` those of `schema.TEST_COLUMNS`, then
    `estimator`, `exploratory` and `changed_at`; `events` passes the input's columns through and adds
    `in_range` and `exploratory`. `influence` says which speaker carries a result (`influence.INFLUENCE_COLUMNS`),
    `labelling` what further labels would be worth (`planning.VALUE_COLUMNS`).
    """

    trends: pd.DataFrame
    tests: pd.DataFrame
    events: pd.DataFrame
    influence: pd.DataFrame
    labelling: pd.DataFrame
