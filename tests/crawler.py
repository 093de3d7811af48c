"""A process that crawls on demand, in children that can be killed: `python -m tests.crawler STORE CORPUS`.

Each line `URL SOURCE` on standard input starts a crawl in a forked child and is answered by `started PID`;
its end is told by `ended PID STATUS`. Forking spares each run the time that imports take.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from pipeline.errors import StanceError
from pipeline.ingest import crawl, load_sources
from pipeline.ingest.fetch import Limits
from pipeline.store import Store
from tests.site import setting

_PATIENT = Limits(connect=30.0, read=30.0, total=60.0, tries=3, backoff=0.01)
"""A busy machine is not a site that fails."""


def _crawl(store: Path, corpus: Path, url: str, source: str) -> int:
    try:
        with Store(store) as opened:
            summary = crawl(
                setting(opened, corpus, limits=_PATIENT), load_sources(corpus).named(source), base_url=url
            )
    except StanceError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    return 0 if summary.complete else 3


def main(store: Path, corpus: Path) -> None:
    """Serve until standard input ends."""
    waiting: list[threading.Thread] = []
    for line in sys.stdin:
        url, source = line.split()
        pid = os.fork()
        if pid == 0:
            status = 70
            try:
                status = _crawl(store, corpus, url, source)
            finally:
                sys.stderr.flush()
                os._exit(status)
        print(f"started {pid}", flush=True)  # noqa: T201
        waiting.append(threading.Thread(target=_tell_end, args=(pid,)))
        waiting[-1].start()


def _tell_end(pid: int) -> None:
    _, status = os.waitpid(pid, 0)
    print(f"ended {pid} {os.waitstatus_to_exitcode(status)}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
