"""Crawls that are killed with SIGKILL at random points, and crawls at the same time."""

from __future__ import annotations

import contextlib
import os
import queue
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.ingest import load_sources, rebuild
from pipeline.store import Store
from tests.site import Handler, Site, setting, told, write_actors
from tests.sites import kremlin_body, kremlin_feed, linked_list, plain_page, speech

KILLS = 50
SOURCES = """
[[family]]
id = "generic"
body = ["article"]
speaker = ['^(?P<name>[A-Z][a-z]+ [A-Z][a-z]+):\\s*']

[[family]]
id = "kremlin"
bold_label = true
speaker = ['^(?P<name>[^:]{2,300}?)\\s*:\\s*']

[[source]]
id = "island"
name = "The Island"
family = "generic"
actor = "RUS"
lang = "en"
base_url = "http://island.example"
hosts = ["island.example"]
article = '^/news/\\d+$'
delay = 0
[[source.listing]]
kind = "html"
url = "/news/"
more = "/news/?page={n}"
items = "a.item"

[[source]]
id = "tower"
name = "The Tower"
family = "kremlin"
actor = "RUS"
lang = "en"
base_url = "http://tower.example"
hosts = ["tower.example"]
article = '^/events/president/news/\\d+$'
delay = 0
[[source.listing]]
kind = "feed"
url = "/feed"
full_text = true

[[source]]
id = "other"
name = "Any"
family = "generic"
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = write_actors(tmp_path / "corpus")
    (folder / "sources.toml").write_text(SOURCES, encoding="utf-8")
    return folder


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


class Crawler:
    """The crawling process, and what it has told."""

    def __init__(self, store: Path, corpus: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crawler", str(store), str(corpus)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1,
            cwd=Path(__file__).parent.parent,
        )  # fmt: skip
        self._ends: dict[int, queue.Queue[int]] = {}
        self._started: queue.Queue[int] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            kind, pid, *rest = line.split()
            if kind == "started":
                self._ends[int(pid)] = queue.Queue()
                self._started.put(int(pid))
            else:
                self._ends[int(pid)].put(int(rest[0]))

    def start(self, url: str, source: str) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{url} {source}\n")
        return self._started.get(timeout=30)

    def end(self, pid: int) -> int:
        """Return a run's exit status, negative for a signal."""
        return self._ends[pid].get(timeout=60)

    def close(self) -> str:
        """End the process; return what the runs wrote to standard error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._process.stdin.close()
        errors = self._process.stderr.read()
        self._process.wait(timeout=60)
        self._reader.join()
        self._process.stdout.close()
        self._process.stderr.close()
        return errors


@pytest.fixture
def crawler(tmp_path: Path, corpus: Path) -> Iterator[Crawler]:
    made = Crawler(tmp_path / "s.sqlite", corpus)
    yield made
    made.close()


def publish(site: Site, newest: int, *, size: int = 6) -> None:
    """Serve articles 1 to `newest`; each has one statement of its own and one that its neighbour has too."""
    numbers = list(range(newest, 0, -1))
    pages = {}
    for number in numbers:
        shared = speech(1000 + number // 2, about="the bridge")
        said = [f"Vadim Orlin: {speech(number)}", f"Ravi Sen: {shared}"]
        pages[f"/news/{number}"] = plain_page(title=f"News {number}", day="2031-03-01", paragraphs=said).encode()
    for start in range(0, len(numbers), size):
        links = [(f"/news/{n}", f"News {n}") for n in numbers[start : start + size]]
        path = "/news/" if start == 0 else f"/news/?page={start // size + 1}"
        pages[path] = linked_list(links, css="item").encode()
    site.pages.update(pages)


def publish_feed(site: Site, newest: int, *, size: int = 3) -> None:
    """Serve a feed of entries 1 to `newest` with their full texts."""
    numbers = list(range(newest, 0, -1))
    for start in range(0, len(numbers), size):
        part = numbers[start : start + size]
        entries = [(n, "2031-03-01", f"Entry {n}", kremlin_body([("Vadim Orlin", speech(n))])) for n in part]
        following = f"/feed/{start // size + 2}" if start + size < len(numbers) else ""
        feed = kremlin_feed("http://tower.example", entries, following=following)
        site.put("/feed" if start == 0 else f"/feed/{start // size + 1}", feed, "application/atom+xml")


class Killer:
    """Kills a process with SIGKILL while it waits for, or works on, the answer to its n-th request from now."""

    def __init__(self, site: Site, pid: int, requests: int, jitter: float) -> None:
        self._left = requests
        self._timer = threading.Timer(jitter, self._kill, (pid,))
        self._lock = threading.Lock()
        self.fired = False
        site.watch = self

    def __call__(self, _handler: Handler) -> None:
        with self._lock:
            self._left -= 1
            due = self._left == 0
        if due:
            self.fired = True
            self._timer.start()

    @staticmethod
    def _kill(pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """Kill no more: the id of a process that has ended may soon be another's."""
        with self._lock:
            self._left = 0
        self._timer.cancel()
        if self.fired:
            self._timer.join()


def numbers_of(store: Store) -> list[int]:
    return sorted(int(s.text.split("session number ")[1].split()[0]) for s in told(store))


def contents(store: Store) -> list[tuple[object, ...]]:
    """Return all that is derived, but for the time when it was."""
    return [
        *store.rows(
            "SELECT statement_id, doc_id, date, speaker, country, text, retired FROM statements ORDER BY 1"
        ),
        *store.rows("SELECT url, position, statement_id FROM locations ORDER BY url, position"),
        *store.rows("SELECT duplicate_id, kept_id, kind FROM duplicates ORDER BY duplicate_id"),
        *store.rows("SELECT url, doc_id, digest, status FROM readings ORDER BY url"),
    ]


@pytest.mark.parametrize(("source", "publisher", "kills"), [("island", publish, KILLS), ("tower", publish_feed, 6)])
def test_a_crawl_killed_at_random_points_loses_nothing_and_doubles_nothing(
    source, publisher, kills, site, crawler, corpus, tmp_path
):
    random_ = random.Random(20310504)
    newest = 60
    publisher(site, newest)
    killed = finished = 0
    while killed < kills:
        pid = crawler.start(site.url, source)
        killer = Killer(site, pid, random_.randint(1, 7), random_.uniform(0, 0.03))
        status = crawler.end(pid)
        site.watch = None
        killer.stop()
        assert status in {0, -signal.SIGKILL}, f"run {killed} ended with {status}"
        killed += status == -signal.SIGKILL
        finished += status == 0
        if not killer.fired or random_.random() < 0.1:
            newest += 5  # news come in while the crawl is broken off
            publisher(site, newest)
    assert crawler.end(crawler.start(site.url, source)) == 0
    with Store(tmp_path / "s.sqlite") as store, Store(tmp_path / "calm" / "s.sqlite") as calm:
        assert store.rows("PRAGMA integrity_check") == [("ok",)]
        own = list(range(1, newest + 1))
        shared = sorted({1000 + n // 2 for n in own}) if source == "island" else []
        assert numbers_of(store) == own + shared
        from pipeline.ingest import crawl

        crawl(setting(calm, corpus), load_sources(corpus).named(source), base_url=site.url)
        assert sorted(s.statement_id for s in told(calm)) == sorted(s.statement_id for s in told(store))
        assert calm.rows("SELECT url, position, statement_id FROM locations ORDER BY 1, 2") == store.rows(
            "SELECT url, position, statement_id FROM locations ORDER BY 1, 2"
        )
        before = contents(store)
        rebuild(setting(store, corpus), load_sources(corpus))
        assert contents(store) == before


def test_two_crawls_of_two_sources_at_once_both_finish(site, crawler, tmp_path):
    publish(site, 30)
    publish_feed(site, 30)
    here = {"/news/": threading.Event(), "/feed": threading.Event()}

    def meet(handler: Handler) -> None:
        """Let neither crawl pass its first page before the other is there, if it comes before time is out."""
        if handler.path in here:
            here[handler.path].set()
            for other in here.values():
                other.wait(10)

    site.watch = meet
    both = [crawler.start(site.url, name) for name in ("island", "tower")]
    assert [crawler.end(pid) for pid in both] == [0, 0]
    news, events = "http://island.example/news/", "http://tower.example/events/president/news/"
    with Store(tmp_path / "s.sqlite") as store:
        # What both say is one statement, of the one that was first, and stands with both.
        assert numbers_of(store) == sorted([*range(1, 31), *{1000 + n // 2 for n in range(1, 31)}])
        assert {s.source for s in told(store)} <= {"island", "tower"}
        stands = store.rows("SELECT url, position FROM locations ORDER BY url, position")
        assert stands == sorted(
            [(f"{news}{n}", place) for n in range(1, 31) for place in (0, 1)]
            + [(f"{events}{n}", 0) for n in range(1, 31)]
        )
        both_say = (
            "SELECT count(*) FROM locations a JOIN locations b USING (statement_id) WHERE a.url = ? AND b.url = ?"
        )
        assert [store.rows(both_say, (f"{news}{n}", f"{events}{n}")) for n in range(1, 31)] == [[(1,)]] * 30


def test_two_crawls_of_one_source_at_once_one_says_that_the_store_is_busy(site, tmp_path, corpus):
    crawler = Crawler(tmp_path / "s.sqlite", corpus)
    publish(site, 10)
    reached, released = threading.Event(), threading.Event()

    def hold(handler: Handler) -> None:
        reached.set()
        released.wait(60)
        handler.reply(200, site.pages["/news/7"], Content_Type="text/html")

    site.fail("/news/7", hold)
    first = crawler.start(site.url, "island")
    assert reached.wait(60)
    second = crawler.start(site.url, "island")
    assert crawler.end(second) == 1
    released.set()
    assert crawler.end(first) == 0
    errors = crawler.close()
    assert "the store is busy: another process is ingesting island; wait until it ends" in errors
    with Store(tmp_path / "s.sqlite") as store:
        assert numbers_of(store)[:10] == list(range(1, 11))
