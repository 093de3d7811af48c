"""A long file written in stretches: it appears whole or not at all, and a run that was killed can be gone on with.

Beside `tags.csv` lie, while it is written, `.tags.csv.part` with what there is and `.tags.csv.progress`, which says
up to which byte and row it counts. What stands behind that byte was not finished: the run that goes on cuts it off.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import PartialError, StanceError, UsageError
from pipeline.tables.writing import atomic_path

Finish = Callable[[Path, Path], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a file is: rows of the input that it covers, bytes that count, a digest of those rows.

    `work` says what is written (settings, columns, model): only equal work can be gone on with.
    """

    work: str
    rows: int = 0
    size: int = 0
    digest: str = ""


class Draft:
    """A file being written; `progress` is what a later run could go on from."""

    def __init__(self, stream: BinaryIO, journal: Path, progress: Progress) -> None:
        self._stream = stream
        self._journal = journal
        self.progress = progress

    def append(self, content: bytes, *, rows: int, digest: str) -> None:
        """Write a stretch, which covers the input up to so many rows, and then note it."""
        self._stream.write(content)
        self._stream.flush()
        os.fsync(self._stream.fileno())
        size = self.progress.size + len(content)
        self.progress = Progress(work=self.progress.work, rows=rows, size=size, digest=digest)
        with atomic_path(self._journal) as note:
            note.write_text(json.dumps(asdict(self.progress)))


@contextlib.contextmanager
def open_draft(output: Path, work: str, *, resume: bool = False, finish: Finish | None = None) -> Iterator[Draft]:
    """Open a draft of a file; at the end it takes the file's place, on failure it is removed.

    Parameters
    ----------
    output : Path
        The file.
    work : str
        What is written: settings, columns, model.
    resume : bool
        Go on with what a killed run left; without anything left, begin.
    finish : callable, optional
        Makes the file from the draft, as `finish(draft, file)`; the draft itself becomes it by default.

    Raises
    ------
    UsageError
        When another run is writing the file, or what is left is of other work.
    PartialError
        When it was interrupted from the keyboard after the first stretch; the draft stays.
    StanceError
        When the folder cannot be made or written to.
    """
    part, journal = output.with_name(f".{output.name}.part"), output.with_name(f".{output.name}.progress")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as stream, _lock(stream, output):
            left = _left(part, journal, work) if resume else Progress(work=work)
            if not left.rows:
                journal.unlink(missing_ok=True)
            stream.truncate(left.size)
            draft = Draft(stream, journal, left)
            with _removed(part, journal, draft):
                yield draft
                if finish is None:
                    part.replace(output)
                else:
                    with atomic_path(output) as made:
                        finish(part, made)
    except OSError as error:
        raise StanceError(f"cannot write {output}: {error.strerror or error}.") from error


@contextlib.contextmanager
def _removed(part: Path, journal: Path, draft: Draft) -> Iterator[None]:
    """Remove what is left at the end, unless the work failed by no fault of its input and can be gone on with."""
    keep = False
    try:
        yield
    except KeyboardInterrupt:
        keep = draft.progress.rows > 0
        if not keep:
            raise
        raise PartialError(
            f"stopped after {draft.progress.rows} statements; the same command with --resume goes on from there."
        ) from None
    except StanceError as error:
        keep = draft.progress.rows > 0 and not isinstance(error, UsageError)
        raise
    finally:
        if not keep:
            for path in (part, journal):
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)


@contextlib.contextmanager
def _lock(stream: BinaryIO, output: Path) -> Iterator[None]:
    import fcntl

    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(f"another run is writing {output}; wait until it ends, or name another file.") from None
    yield


def _left(part: Path, journal: Path, work: str) -> Progress:
    """Return how far a killed run came, which is nowhere when it left no note or less than it noted."""
    try:
        left = Progress(**json.loads(journal.read_text()))
    except FileNotFoundError:
        return Progress(work=work)
    except (ValueError, TypeError):
        raise UsageError(f"{journal} does not read; run again without --resume.") from None
    if left.work != work:
        raise UsageError(
            f"{part} was begun with another model, other targets or another format; "
            "go on with those, or run without --resume to begin again."
        )
    return left if part.stat().st_size >= left.size else Progress(work=work)
