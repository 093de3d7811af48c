"""One crawl of a source at a time: a lock on a file, which the system lets go of when the process ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import StoreError


@contextlib.contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """Hold a source's lock within a folder.

    Raises
    ------
    StoreError
        When another process holds it.
    """
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("wb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                f"the store is busy: another process is ingesting {name}; wait until it ends and run again."
            ) from None
        yield
