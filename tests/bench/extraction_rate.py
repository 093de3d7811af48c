"""Pages a second from disk, beside trafilatura's own `extract` on the same pages, and peak memory on many.

Run by hand: `python tests/bench/extraction_rate.py PAGES [--memory 5000]`, PAGES being a folder of saved pages.
Both read the same files in one process, in turns, and the best of the rounds counts, so that a busy machine
tells against neither. With `--memory` the pages are read again and again as one crawl would, and only peak
memory is measured.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import time
from collections.abc import Callable
from pathlib import Path

import trafilatura

from pipeline.ingest.extract import extract, people_in
from pipeline.ingest.pages import RawPage
from pipeline.ingest.sources import load_sources

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def ours(path: Path) -> int:
    host = next((p for p in path.parts if "." in p and not p.startswith(".")), "")
    url = f"https://{host}/{'/'.join(path.parts[path.parts.index(host) + 1 :])}" if host else path.as_uri()
    source = load_sources().of_address(url.removesuffix(".html") if "kremlin" in url else url)
    page = RawPage(
        url=url, content=path.read_bytes(), content_type="text/html", charset="", fetched_at=NOW, source=source.id
    )
    return len(extract(page, source).statements)


def theirs(path: Path) -> int:
    return len(trafilatura.extract(path.read_bytes()) or "")


def seconds(read: Callable[[Path], int], pages: list[Path]) -> float:
    begin = time.perf_counter()
    for path in pages:
        read(path)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, default=0, metavar="PAGES", help="read so many pages, measure memory")
    asked = parser.parse_args()
    pages = sorted(p for p in asked.pages.rglob("*") if p.suffix in {".html", ".shtml"} and p.parent != asked.pages)
    people_in()
    if asked.memory:
        before = peak()
        statements = sum(ours(pages[n % len(pages)]) for n in range(asked.memory))
        print(f"{asked.memory} pages, {statements} statements: peak {peak():.0f} MB (start {before:.0f} MB)")  # noqa: T201
        return
    ours(pages[0]), theirs(pages[0])
    best = {"this extraction": 1e9, "trafilatura.extract": 1e9}
    for _ in range(asked.rounds):
        for name, read in (("this extraction", ours), ("trafilatura.extract", theirs)):
            best[name] = min(best[name], seconds(read, pages))
    for name, took in best.items():
        print(f"{name}: {len(pages) / took:.0f} pages/s")  # noqa: T201


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
