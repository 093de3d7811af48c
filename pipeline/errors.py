"""The one family of exceptions that a user can cause, and the exit status each ends with.

A message says what happened, with which value, what is accepted and what to do next, in one line. The
command line prints it without a traceback (`--debug` shows it).
"""

from __future__ import annotations


class StanceError(Exception):
    """The work failed (exit status 1)."""

    exit_status = 1


class UsageError(StanceError):
    """Wrong use or configuration: a bad option, column, target, model or source (exit status 2)."""

    exit_status = 2


class DataError(UsageError):
    """An input file that does not read as what it claims to be; the message names file and line."""


class StoreError(StanceError):
    """The store cannot be used: locked, damaged, or written by a newer version."""


class ArtifactError(StanceError):
    """A model that is damaged, changed since it was written, or unsafe to load."""


class PartialError(StanceError):
    """Partly done: what could be done was written, and what was set aside is named (exit status 3)."""

    exit_status = 3


class OutputClosedError(StanceError):
    """Whoever reads the output has seen enough, as `head` does: no failure (exit status 0)."""

    exit_status = 0
