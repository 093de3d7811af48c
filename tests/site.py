"""A real HTTP server on loopback for the tests: pages by path, faults on demand, and a log of what was asked."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from pipeline.config import load_actors
from pipeline.ingest import Setting, Span, Summary, archive_folder, crawl
from pipeline.ingest.extract import extract, index_people
from pipeline.ingest.fetch import Limits
from pipeline.ingest.pages import Extracted, RawPage
from pipeline.ingest.sources import Source, Sources
from pipeline.schema import Statement
from pipeline.store import Store

NOW = dt.datetime(2031, 5, 4, 3, 2, 1, tzinfo=dt.UTC)
QUICK = Limits(connect=5.0, read=5.0, total=10.0, tries=3, backoff=0.01)

Behaviour = Callable[["Handler"], None]


@dataclass
class Asked:
    """One request that the server saw."""

    path: str
    headers: dict[str, str] = field(repr=False)


class Handler(BaseHTTPRequestHandler):
    """Answers from the site's pages; HTTP/1.1, so that bodies can be chunked and cut off."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        site = self.server.site
        with site.lock:
            site.asked.append(Asked(self.path, {k.lower(): v for k, v in self.headers.items()}))
            behaviours = site.faults.get(self.path)
            behaviour = behaviours.pop(0) if behaviours else None
        if site.watch is not None:
            site.watch(self)
        # A client that gives up, or is killed, closes the connection: no failure of the server's.
        with contextlib.suppress(ConnectionError):
            if behaviour is not None:
                behaviour(self)
            elif self.path in site.pages:
                self._page(site.pages[self.path])
            else:
                self.reply(404, b"nothing here")

    def _page(self, content: bytes) -> None:
        kind = self.server.site.kinds.get(self.path, "text/html; charset=utf-8")
        etag = f'"{hashlib.sha256(content).hexdigest()[:12]}"'
        if self.headers.get("if-none-match") == etag:
            self.reply(304, b"", ETag=etag)
            return
        self.reply(200, content, **{"Content-Type": kind, "ETag": etag})

    def reply(self, status: int, content: bytes, **headers: str) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 304:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if status != 304:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    site: Site

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: clients that give up or are killed are part of the tests."""


class Site:
    """A site on loopback; use as a context manager.

    `pages` maps paths (with query) to bodies, `kinds` to content types; `faults` maps a path to behaviours
    that answer its next requests, one each, before the page itself does. `watch` sees every request first.
    """

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.kinds: dict[str, str] = {}
        self.faults: dict[str, list[Behaviour]] = {}
        self.asked: list[Asked] = []
        self.watch: Behaviour | None = None
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.site = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The site's address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def put(self, path: str, content: str | bytes, kind: str = "") -> None:
        """Serve a page."""
        self.pages[path] = content.encode() if isinstance(content, str) else content
        if kind:
            self.kinds[path] = kind

    def fail(self, path: str, *behaviours: Behaviour) -> None:
        """Answer the next requests for a path by behaviours, one each."""
        self.faults.setdefault(path, []).extend(behaviours)

    def paths(self) -> list[str]:
        """Return the paths asked for, but robots.txt, in order."""
        return [asked.path for asked in self.asked if asked.path != "/robots.txt"]

    def times(self) -> Counter[str]:
        """Return how often each path was asked for."""
        return Counter(asked.path for asked in self.asked)


# ---- behaviours


def status(code: int, content: bytes = b"", **headers: str) -> Behaviour:
    """Answer with a status."""
    return lambda handler: handler.reply(code, content, **headers)


def redirect(location: str, code: int = 302) -> Behaviour:
    """Send elsewhere."""
    return status(code, b"", Location=location)


def silent(released: threading.Event) -> Behaviour:
    """Say nothing until the test is over."""

    def behave(handler: Handler) -> None:
        released.wait(30)
        handler.close_connection = True

    return behave


def truncated(content: bytes, sent: int) -> Behaviour:
    """Promise a whole body and close in the middle of it."""

    def behave(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html; charset=utf-8")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:sent])
        handler.close_connection = True

    return behave


def endless(piece: bytes = b"<p>more</p>" * 1000) -> Behaviour:
    """Send chunks for ever."""

    def behave(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        while True:
            handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")

    return behave


def huge(size: int) -> Behaviour:
    """Promise a body of so many bytes and begin to send it."""

    def behave(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(size))
        handler.end_headers()
        while True:
            handler.wfile.write(b"a" * 65536)

    return behave


def gzipped(content: bytes) -> Behaviour:
    """Answer compressed."""
    return status(200, gzip.compress(content), Content_Encoding="gzip", Content_Type="text/html; charset=utf-8")


CHALLENGE = (
    b'<!DOCTYPE html><html><head><script>window["bobcmn"] = "1011101";</script>'
    b'<script src="/TSPD/08c5f2?type=7"></script></head><body><noscript>Please enable JavaScript to view the '
    b"page content.</noscript></body></html>"
)

# ---- an invented corpus of countries and speakers

ACTORS = """
[[actor]]
id = "CHN"
kind = "country"
name = { en = "Sinavia", ru = "Синавия", zh = "晨国" }

[[actor]]
id = "RUS"
kind = "country"
name = { en = "Rusavia", ru = "Русавия", zh = "罗国" }

[[actor]]
id = "IND"
kind = "country"
name = { en = "Indavia", ru = "Индавия", zh = "印国" }

[[actor]]
id = "SCO"
kind = "organisation"
name = { en = "The League" }

[[actor]]
id = "CSTO"
kind = "organisation"
name = { en = "The Pact" }

[[speaker]]
id = "vadim-orlin"
kind = "person"
name = { en = "Vadim Orlin", ru = "Вадим Орлин", zh = "奥林" }
aliases = ["В.Орлин", "В.А.Орлин"]
[[speaker.role]]
title = "President"
actor = "RUS"
from = 2020-01-01
source = "https://example.org/orlin"

[[speaker]]
id = "ling-bao"
kind = "person"
name = { en = "Ling Bao", zh = "凌宝" }
[[speaker.role]]
title = "Spokesperson"
actor = "CHN"
from = 2020-01-01
source = "https://example.org/ling"

[[speaker]]
id = "ravi-sen"
kind = "person"
name = { en = "Ravi Sen", ru = "Рави Сен" }
[[speaker.role]]
title = "Prime Minister"
actor = "IND"
from = 2020-01-01
source = "https://example.org/sen"
"""


def write_actors(folder: Path) -> Path:
    """Write the invented actors as a corpus folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "actors.toml").write_text(ACTORS, encoding="utf-8")
    return folder


def setting(store: Store, corpus: Path, **changes: object) -> Setting:
    """Return what an ingest works with: invented actors, a still clock, no waiting."""
    people = index_people(load_actors(corpus))

    def read(page: RawPage, source: Source) -> Extracted:
        return extract(page, source, people)

    given = {
        "store": store, "archive": archive_folder(store.path), "extract": read, "now": lambda: NOW,
        "wait": lambda _seconds: None, "limits": QUICK,
    }  # fmt: skip
    return Setting(**{**given, **changes})  # type: ignore[arg-type]


def crawled(made: Setting, source: Source, site: Site, **span: object) -> Summary:
    """Crawl a source from a site on loopback."""
    return crawl(made, source, span=Span(**span), base_url=site.url)  # type: ignore[arg-type]


def told(store: Store) -> list[Statement]:
    """Return all statements of a store in order."""
    return list(store.statements())


def source_of(sources: Sources, name: str) -> Source:
    """Return a source of the real configuration, hurried."""
    return sources.named(name).model_copy(update={"delay": 0.0})


def each_path(folder: Path) -> Iterator[str]:
    """Yield the files below a folder, relative."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder))
