"""What an ingest did, for people to read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from pipeline.store.derived import Counts

_COUNTED = ("found", "new", "unchanged", "duplicate", "blocked", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What one source gave: statements found and what became of them; pages that were blocked or failed.

    `pages` counts the pages read, `notes` says in words what a person should know.
    """

    source: str
    found: int = 0
    new: int = 0
    unchanged: int = 0
    duplicate: int = 0
    blocked: int = 0
    failed: int = 0
    pages: int = 0
    notes: tuple[str, ...] = ()

    def line(self) -> str:
        """Return the counts as one line."""
        return f"{self.source}: " + ", ".join(f"{getattr(self, name)} {name}" for name in _COUNTED)

    @property
    def complete(self) -> bool:
        """Whether nothing was blocked and nothing failed."""
        return not (self.blocked or self.failed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an ingest has come: pages read and still to do as far as is known, and statements found."""

    source: str
    pages: int
    todo: int
    statements: int


class Tally:
    """Counts what a run does, while it does it."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._notes: dict[str, None] = {}

    @property
    def pages(self) -> int:
        """How many pages were read."""
        return self._counts["pages"]

    @property
    def found(self) -> int:
        """How many statements were found."""
        return self._counts["new"] + self._counts["unchanged"] + self._counts["duplicate"]

    def read(self, counts: Counts) -> None:
        """Count a page that was read, with its statements."""
        self._counts.update(pages=1, new=counts.new, unchanged=counts.unchanged, duplicate=counts.duplicate)

    def held(self, statements: int) -> None:
        """Count statements of pages that did not have to be read again."""
        self._counts["unchanged"] += statements

    def problem(self, kind: Literal["blocked", "failed"], note: str) -> None:
        """Count what was blocked or failed, and keep the reason."""
        self._counts[kind] += 1
        self._notes[note] = None

    def summary(self, name: str) -> Summary:
        """Return the counts under a source's name."""
        return Summary(
            source=name, found=self.found, new=self._counts["new"], unchanged=self._counts["unchanged"],
            duplicate=self._counts["duplicate"], blocked=self._counts["blocked"], failed=self._counts["failed"],
            pages=self.pages, notes=tuple(self._notes),
        )  # fmt: skip

    def progress(self, name: str, *, todo: int = 0) -> Progress:
        """Return how far the run has come."""
        return Progress(source=name, pages=self.pages, todo=todo, statements=self.found)
