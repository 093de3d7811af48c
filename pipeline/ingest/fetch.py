"""Fetch pages politely and safely: one host at a time, within bounds of size, time, redirects and retries.

Every way in which a site can fail ends in a `FetchError` that says what became of the address: `blocked`
(the site refuses or puts a challenge before its pages), `gone` (it does not exist), `failed` (all else).
"""

from __future__ import annotations

import datetime as dt
import email.utils
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urljoin, urlsplit

import httpx

from pipeline.ingest.addresses import AddressError, Mirror, check_public, is_public
from pipeline.ingest.bodies import BodyError, decoded, is_challenge
from pipeline.ingest.robots import Rules

_REFUSALS = {401, 402, 403, 407, 451}
_BUSY = {429, 503}
_TRANSIENT = {408, 425, 500, 502, 504, *_BUSY}
_REDIRECTS = {301, 302, 303, 307, 308}
_ACCEPT = "text/html,application/xhtml+xml,application/atom+xml,application/rss+xml,application/pdf;q=0.9,*/*;q=0.5"
_MAX_DELAY = 60.0


def user_agent() -> str:
    """Return the name under which sites are asked; `STANCE_CONTACT` adds an address for their operators."""
    contact = os.environ.get("STANCE_CONTACT", "").strip()
    version = metadata.version("stance-convergence")
    return f"stance-convergence/{version} (research on public statements{f'; {contact}' if contact else ''})"


class FetchError(Exception):
    """An address that gave nothing; `state` says what became of it, `stop` that the site wants to be left alone."""

    def __init__(
        self, reason: str, *, state: Literal["blocked", "failed", "gone"] = "failed", stop: bool = False
    ) -> None:
        super().__init__(reason)
        self.state = state
        self.stop = stop


class _TransientError(Exception):
    """What may work when it is tried again, after so many seconds if the site said so."""

    def __init__(self, reason: str, *, after: float | None = None, busy: bool = False) -> None:
        super().__init__(reason)
        self.after = after
        self.busy = busy


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of every request.

    `connect` and `read` are seconds without an answer, `total` seconds for a whole response, `longest_wait`
    the longest Retry-After that is waited for, `tries` how often an address is tried in all.
    """

    connect: float = 15.0
    read: float = 30.0
    total: float = 120.0
    tries: int = 4
    redirects: int = 5
    backoff: float = 2.0
    longest_wait: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A response. `url` is the site's own address; `body` is as sent, `content` decompressed.

    A status of 304 means that nothing has changed; the body is empty then.
    """

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    content: bytes = field(repr=False)
    fetched_at: dt.datetime

    def header(self, name: str) -> str:
        """Return a header's first value, an empty string when absent."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def validators(self) -> tuple[str, str]:
        """Return ETag and Last-Modified, empty where absent."""
        return self.header("etag"), self.header("last-modified")


class Fetcher:
    """Fetches from one source; use as a context manager.

    Parameters
    ----------
    mirror : Mirror
        The source, or where it is mirrored.
    now : callable
        Gives the present moment in UTC.
    limits : Limits
    wait : callable
        Waits for so many seconds.
    """

    def __init__(
        self,
        mirror: Mirror,
        *,
        now: Callable[[], dt.datetime],
        limits: Limits | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.mirror = mirror
        self.limits = limits or Limits()
        self._now = now
        self._wait = wait
        # A mirror on this machine or network is not a site to be spared.
        self._delay = mirror.source.delay if not _is_private(mirror) else 0.0
        self._ready_at = 0.0
        self._rules: dict[str, Rules] = {}
        self._agent = user_agent()
        self._client = httpx.Client(
            follow_redirects=False,
            timeout=httpx.Timeout(self.limits.read, connect=self.limits.connect),
            headers={"User-Agent": self._agent, "Accept": _ACCEPT, "Accept-Encoding": "gzip, deflate"},
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, url: str, *, validators: tuple[str, str] = ("", "")) -> Fetched:
        """Fetch one of the site's own addresses, following redirects and trying again where that can help.

        Parameters
        ----------
        url : str
        validators : (str, str)
            ETag and Last-Modified of what is held, for a conditional request.

        Raises
        ------
        FetchError
            When it gives no usable page.
        """
        self._check_robots(url)
        conditional = {
            name: value
            for name, value in zip(("If-None-Match", "If-Modified-Since"), validators, strict=True)
            if value
        }
        fetched = self._persistently(url, conditional)
        if is_challenge(fetched.content, self.mirror.source.challenge):
            raise FetchError("an anti-bot challenge stands before the page", state="blocked")
        _refuse(fetched.status, url)
        return fetched

    def _persistently(self, url: str, conditional: dict[str, str]) -> Fetched:
        for attempt in range(1, self.limits.tries + 1):
            try:
                return self._following(url, conditional)
            except _TransientError as error:
                if error.busy:
                    self._delay = min(_MAX_DELAY, max(1.0, 2 * self._delay))
                pause = self.limits.backoff * 2 ** (attempt - 1) if error.after is None else error.after
                if attempt == self.limits.tries or pause > self.limits.longest_wait:
                    raise FetchError(f"{error} (tried {attempt} times)", stop=error.busy) from None
                self._wait(pause)
        raise AssertionError("unreachable: the last try returns or raises")

    def _following(self, url: str, conditional: dict[str, str]) -> Fetched:
        """Follow redirects to allowed hosts; the result keeps the address that was asked for."""
        target = self.mirror.outward(url)
        visited: list[str] = []
        while True:
            if target in visited:
                raise FetchError(f"a loop of redirects at {target}")
            if len(visited) > self.limits.redirects:
                raise FetchError(f"more than {self.limits.redirects} redirects")
            visited.append(target)
            self._check_target(target)
            status, headers, body = self._request(target, conditional)
            location = next((value for key, value in headers if key == "location"), "")
            if status not in _REDIRECTS or not location:
                return self._made(url, status, headers, body)
            target = self.mirror.outward(self.mirror.inward(urljoin(target, location), like=url))

    def _check_target(self, target: str) -> None:
        if not self.mirror.allows(target):
            raise FetchError(f"leads to {urlsplit(target).netloc or target!r}, which is no host of this source")
        try:
            check_public(target, self.mirror.private_hosts)
        except AddressError as error:
            raise FetchError(f"refused: {error}") from None

    def _request(self, target: str, conditional: dict[str, str]) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        self._be_polite()
        begun = time.monotonic()
        try:
            with self._client.stream("GET", target, headers=conditional) as response:
                self._check_peer(response, target)
                body = b"".join(self._bounded(response, begun))
                headers = tuple((k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in response.headers.raw)
        except httpx.TimeoutException:
            raise _TransientError("no answer in time") from None
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise _TransientError(f"the connection broke: {error}") from None
        finally:
            self._ready_at = time.monotonic() + self._delay
        if response.status_code in _TRANSIENT:
            self._refuse_challenge(headers, body)
            after = _retry_after(response.headers.get("retry-after", ""), self._now())
            raise _TransientError(f"status {response.status_code}", after=after, busy=response.status_code in _BUSY)
        return response.status_code, tuple(h for h in headers if h[0] != "transfer-encoding"), body

    def _refuse_challenge(self, headers: tuple[tuple[str, str], ...], body: bytes) -> None:
        """Tell a protection that answers with 503 from a server that is busy: trying again does not help."""
        made = self._made("", 0, headers, body)
        if is_challenge(made.content, self.mirror.source.challenge):
            raise FetchError("an anti-bot challenge stands before the page", state="blocked")

    def _be_polite(self) -> None:
        pause = self._ready_at - time.monotonic()
        if pause > 0:
            self._wait(pause)

    def _check_peer(self, response: httpx.Response, target: str) -> None:
        """Refuse an answer from a private address, where the name resolved to another than it did before."""
        host = urlsplit(target).hostname or ""
        peer = response.extensions["network_stream"].get_extra_info("server_addr")
        if host not in self.mirror.private_hosts and peer and not is_public(str(peer[0])):
            raise FetchError(f"refused: {host} answered from the private address {peer[0]}")

    def _bounded(self, response: httpx.Response, begun: float) -> Iterator[bytes]:
        size = 0
        limit = self.mirror.source.max_bytes
        if int(response.headers.get("content-length", "0") or 0) > limit:
            raise FetchError(f"larger than {limit:,} bytes")
        for part in response.iter_raw():
            size += len(part)
            if size > limit:
                raise FetchError(f"larger than {limit:,} bytes")
            if time.monotonic() - begun > self.limits.total:
                raise FetchError(f"not at its end after {self.limits.total:g} seconds")
            yield part

    def _made(self, url: str, status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> Fetched:
        encodings = next((value for key, value in headers if key == "content-encoding"), "")
        try:
            content = decoded(body, encodings, max_bytes=self.mirror.source.max_bytes)
        except BodyError as error:
            raise FetchError(str(error)) from None
        return Fetched(url=url, status=status, headers=headers, body=body, content=content, fetched_at=self._now())

    def _check_robots(self, url: str) -> None:
        host = urlsplit(url).netloc
        if host not in self._rules:
            self._rules[host] = self._read_rules(url)
            self._delay = max(self._delay, self._rules[host].delay)
        if not self._rules[host].reachable:
            raise FetchError("robots.txt cannot be reached, which forbids fetching for now", state="blocked")
        if not self._rules[host].allow(url):
            raise FetchError("robots.txt does not allow it", state="blocked")

    def _read_rules(self, url: str) -> Rules:
        try:
            fetched = self._persistently(urljoin(url, "/robots.txt"), {})
        except FetchError:
            return Rules(None, user_agent=self._agent)
        # A challenge or an error page in place of the file says nothing about what is allowed.
        usable = fetched.status == 200 and not is_challenge(fetched.content, self.mirror.source.challenge)
        return Rules(fetched.content if usable else b"", user_agent=self._agent)


def _is_private(mirror: Mirror) -> bool:
    if not mirror.base_url:
        return False
    try:
        check_public(mirror.base_url, ())
    except AddressError:
        return True
    return False


def _refuse(status: int, url: str) -> None:
    if status in _REFUSALS:
        raise FetchError(f"refused with status {status}", state="blocked")
    if status in {404, 410}:
        raise FetchError(f"not there (status {status})", state="gone")
    if status not in {200, 304}:
        raise FetchError(f"status {status} for {url}")


def _retry_after(value: str, now: dt.datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for; None when it asks for nothing readable."""
    if value.strip().isdigit():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - now).total_seconds())
