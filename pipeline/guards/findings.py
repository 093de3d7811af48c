"""One thing that is wrong with the corpus: where, and what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a guard found.

    `path` is relative to the folder that holds the corpus; `line` counts from 1, None when it is the whole file.
    A `warning` is to be looked at and does not fail the check.
    """

    path: str
    message: str
    line: int | None = None
    warning: bool = False

    def __str__(self) -> str:
        """Return one line: `file:line: what is wrong`."""
        where = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{where}: {'warning: ' if self.warning else ''}{' '.join(self.message.split())}"
