"""A Dask cluster to work on: one that runs already, or one made on this machine for the time of the work.

Dask is an optional part: `pip install 'stance-convergence[dask]'`.
"""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

from pipeline.errors import StanceError, UsageError

Item = TypeVar("Item")
Result = TypeVar("Result")
_AHEAD = 3
"""Tasks a worker thread that are under way or done and not yet taken."""


@contextlib.contextmanager
def open_cluster(*, workers: int = -1, scheduler: str | None = None) -> Iterator[Any]:
    """Give a client of a cluster.

    Parameters
    ----------
    workers : int
        Processes of a cluster on this machine; -1 for all cores.
    scheduler : str, optional
        Address of a running scheduler, as in `tcp://10.0.0.1:8786`; without it a cluster is made and taken down.
        Its workers need this package and must see the models, inputs and outputs under the same paths.

    Raises
    ------
    UsageError
        When Dask is not installed, or nobody answers at the address.
    StanceError
        When workers died again and again over one task.
    """
    try:
        import dask

        dask.config.set({"logging.distributed": "error"})  # its comings and goings are no news to the user
        from distributed import Client, KilledWorker, LocalCluster
    except ImportError:
        raise UsageError("--engine dask needs the extra `dask`: pip install 'stance-convergence[dask]'.") from None
    import joblib

    with contextlib.ExitStack() as stack:
        if scheduler is None:
            size = int(joblib.cpu_count()) if workers == -1 else workers
            scheduler = stack.enter_context(
                LocalCluster(
                    n_workers=size, threads_per_worker=1, dashboard_address=None, silence_logs=logging.ERROR
                )  # type: ignore[no-untyped-call]
            )
        try:
            client = stack.enter_context(Client(scheduler, timeout="10s"))  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise UsageError(f"no Dask scheduler answers at {scheduler} ({error}); check --scheduler.") from None
        try:
            yield client
        except KilledWorker as error:
            raise StanceError(
                f"workers died again and again over one task ({error}); give them more memory."
            ) from None


def ordered(client: Any, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield `work(item)` of each item in order; a few are under way, and those of a lost worker are done again."""
    under_way: deque[Any] = deque()
    for item in items:
        under_way.append(client.submit(work, item, pure=False))
        if len(under_way) >= _AHEAD * max(1, sum(client.nthreads().values())):
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def engine(client: Any) -> Callable[..., Iterator[Any]]:
    """Return `ordered` on a client, as the other engines are called."""
    return partial(ordered, client)
