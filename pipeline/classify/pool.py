"""Work through units in several processes, in order and in bounded memory."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, TypeVar

from pipeline.errors import StanceError

Item = TypeVar("Item")
Result = TypeVar("Result")
_AHEAD = 2
"""Units a process that are in work or done and not yet taken."""


def ordered(work: Callable[[Item], Result], items: Iterable[Item], *, workers: int) -> Generator[Result]:
    """Yield `work(item)` of each item, in order; never more than a few items are under way.

    Parameters
    ----------
    work : callable
        Any function that can be sent to a process; with one worker it is called here.
    items : iterable
    workers : int
        Processes; -1 for all cores. They are only started for a second item.

    Raises
    ------
    StanceError
        When a process dies.
    """
    pending = iter(items)
    first = list(itertools.islice(pending, 2))
    if workers == 1 or len(first) < 2:
        yield from map(work, itertools.chain(first, pending))
        return
    yield from _spread(work, itertools.chain(first, pending), _cores() if workers == -1 else workers)


def _spread(work: Callable[[Item], Result], items: Iterator[Item], workers: int) -> Iterator[Result]:
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    executor = get_reusable_executor(max_workers=workers, initializer=_start)
    under_way: deque[Any] = deque()
    try:
        for item in items:
            under_way.append(executor.submit(work, item))
            if len(under_way) >= _AHEAD * workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    except TerminatedWorkerError:
        raise StanceError(
            "a worker process was killed, perhaps for lack of memory; run again with --resume, or fewer --workers."
        ) from None
    finally:
        for future in under_way:
            future.cancel()
        executor.shutdown(wait=False)  # or joblib takes it for its own in a training that follows


def _start() -> None:
    """Set a process up: it makes many records and no cycles, which are not worth looking for often."""
    import gc

    gc.set_threshold(100_000, 20, 20)


def _cores() -> int:
    import joblib

    return int(joblib.cpu_count())
