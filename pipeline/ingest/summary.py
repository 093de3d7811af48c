"""What an ingest did, for people to read."""

from __future__ import annotations

from dataclasses import dataclass

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
