"""Crawl one source: walk its listings from the newest page to the oldest, read what is new, lose nothing.

Each run begins a walk at the top and ends it where earlier walks have been; walks that were cut short, by a
kill, a failure or a limit, then go on where they stopped. An address is noted in the same step in which its
listing page is passed, and settled in the same step in which its statements are stored.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.ingest.addresses import Mirror, document_address
from pipeline.ingest.archive import Archive
from pipeline.ingest.bodies import BodyError
from pipeline.ingest.fetch import Fetched, Fetcher, FetchError, Limits
from pipeline.ingest.listings import Item, ListingError, ListingPage, day_of
from pipeline.ingest.loading import Extractor, Read, content_digest, read_page, write_page
from pipeline.ingest.lock import locked
from pipeline.ingest.pages import RawPage
from pipeline.ingest.responses import entry_page, listing_of, page_of, record_of
from pipeline.ingest.sources import Listing, Source
from pipeline.ingest.summary import Progress, Summary, Tally
from pipeline.store import Store, crawls
from pipeline.store.crawls import Address, Listed, State, Walk
from pipeline.store.derived import Counts, held, is_read, is_unchanged

_LOG = logging.getLogger(__name__)
_RECENT = dt.timedelta(days=14)
_SETTLED = dt.timedelta(hours=6)
_REFUSALS_IN_A_ROW = 3
_UNREADABLE = {"no-text-layer", "encrypted", "unreadable"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What of a source is asked for: dates (ISO, inclusive, empty for no bound), and how many new pages at most."""

    since: str = ""
    until: str = ""
    limit: int | None = None

    def holds(self, published: str) -> bool:
        """Say whether a page is within the dates; one without a date is."""
        day = day_of(published)
        return not day or ((not self.since or day >= self.since) and (not self.until or day <= self.until))


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What an ingest works with: the store, its archive, how pages are read, and the clock."""

    store: Store
    archive: Path
    extract: Extractor
    now: Callable[[], dt.datetime]
    wait: Callable[[float], None] = time.sleep
    limits: Limits = field(default_factory=Limits)
    report: Callable[[Progress], None] | None = None


class _EnoughError(Exception):
    """The limit is reached, or the site wants to be left alone; what is left is done by the next run."""


def archive_folder(store: Path) -> Path:
    """Return where the raw responses of a store are kept: beside it."""
    return store.with_suffix(".archive")


def crawl(setting: Setting, source: Source, *, span: Span | None = None, base_url: str = "") -> Summary:
    """Bring a source's new statements into the store.

    Parameters
    ----------
    setting : Setting
    source : Source
    span : Span, optional
    base_url : str
        A mirror of the site.

    Raises
    ------
    StoreError
        When another process crawls the same source, or the store or archive cannot be written.
    """
    mirror = Mirror(source=source, base_url=base_url)
    with (
        locked(setting.archive, source.id),
        Fetcher(mirror, now=setting.now, limits=setting.limits, wait=setting.wait) as fetcher,
        Archive(setting.archive, name=source.id, now=setting.now()) as archive,
    ):
        run = _Crawl(setting, source, span or Span(), fetcher, archive)
        run.go()
    return run.summary()


def preview(setting: Setting, source: Source, *, span: Span | None = None, base_url: str = "") -> Summary:
    """Look at the first page of each of a source's listings and count the pages there; nothing is stored.

    In the summary `found`, `new` and `unchanged` are pages, not statements.
    """
    span = span or Span()
    found: dict[str, bool] = {}
    tally = Tally()
    mirror = Mirror(source=source, base_url=base_url)
    with Fetcher(mirror, now=setting.now, limits=setting.limits, wait=setting.wait) as fetcher:
        for listing in source.listing:
            url = mirror.resolved(listing.url, page=source.base_url)

            def resolve(link: str, *, page: str = url) -> str:
                return mirror.resolved(link, page=page)

            try:
                record = record_of(fetcher.get(url), source, listing=True)
                shown = listing_of(record, source, listing, resolve=resolve)
            except (FetchError, BodyError, ListingError) as error:
                blocked = isinstance(error, FetchError) and error.state == "blocked"
                tally.problem("blocked" if blocked else "failed", f"listing {url}: {error}")
                continue
            found |= {i.url: is_read(setting.store, i.url) for i in shown.items if span.holds(i.published)}
    tally.read(Counts(new=sum(not held_ for held_ in found.values()), unchanged=sum(found.values())))
    return tally.summary(source.id)


class _Crawl:
    """One run over one source; holds what its steps share and what they have counted."""

    def __init__(self, setting: Setting, source: Source, span: Span, fetcher: Fetcher, archive: Archive) -> None:
        self._setting = setting
        self._store = setting.store
        self._source = source
        self._span = span
        self._fetcher = fetcher
        self._archive = archive
        self._tally = Tally()
        self._refusals = 0

    def go(self) -> None:
        """Do what earlier runs left, look again at what is recent, then walk the listings."""
        crawls.retry_failed(self._store, self._source.id)
        crawls.unskip(self._store, self._source.id, since=self._span.since, until=self._span.until)
        try:
            self._drain()
            self._look_again()
            for listing in self._source.listing:
                self._walk(listing)
        except _EnoughError:
            pass

    def summary(self) -> Summary:
        """Return what was done."""
        return self._tally.summary(self._source.id)

    # ---- listings

    def _walk(self, listing: Listing) -> None:
        first = self._fetcher.mirror.resolved(listing.url, page=self._source.base_url)
        newest = crawls.begin_walk(
            self._store, self._source.id, first, next_url=first, now=self._setting.now().isoformat()
        )
        # The newest is among them, and is the first.
        for walk in crawls.open_walks(self._store, self._source.id, first, since=self._span.since):
            self._follow(walk, listing, conditional=walk == newest)

    def _follow(self, walk: Walk, listing: Listing, *, conditional: bool) -> None:
        """Go through a listing from where a walk stands to its end, or to what is known."""
        page, url = walk.page, walk.next_url
        while url:
            # Deeper pages are needed whole: what moved onto them since is not known.
            fetched = self._get_listing(walk, url, page, conditional=conditional and page == 0)
            if fetched is None:
                return
            record = record_of(fetched, self._source, listing=True)
            resolve = self._resolver(url)
            try:
                shown = listing_of(record, self._source, listing, page=page, resolve=resolve)
            except (BodyError, ListingError) as error:
                self._problem("failed", f"listing {url}: {error}")
                return
            self._archive.append(record)
            url = self._pass(walk, listing, shown, fetched, url)
            page += 1
            self._drain()

    def _resolver(self, url: str) -> Callable[[str], str]:
        def resolve(link: str) -> str:
            return self._fetcher.mirror.resolved(link, page=url)

        return resolve

    def _get_listing(self, walk: Walk, url: str, page: int, *, conditional: bool) -> Fetched | None:
        """Fetch a listing page; None where the walk ends or cannot go on now."""
        validators = crawls.validators_of(self._store, self._source.id, url) if conditional else ("", "")
        try:
            fetched = self._fetcher.get(url, validators=validators)
        except FetchError as error:
            if error.state == "gone" and page > 0:
                crawls.stop_walk(self._store, walk)
            else:
                self._problem("blocked" if error.state == "blocked" else "failed", f"listing {url}: {error}")
                if error.stop or error.state == "blocked":
                    raise _EnoughError from None
            return None
        if fetched.status == 304:
            shown = crawls.held_by_listing(self._store, self._source.id, url)
            self._tally.held(held(self._store, shown))
            crawls.stop_walk(self._store, walk)
            return None
        return fetched

    def _pass(self, walk: Walk, listing: Listing, shown: ListingPage, fetched: Fetched, url: str) -> str:
        """Note a listing page's documents and return where the walk goes on, empty where it ends."""
        known = crawls.known_before(self._store, walk, [item.url for item in shown.items])
        self._count_known(shown)
        listed = [self._list(listing, item, fetched, known=known) for item in shown.items]
        cut = self._is_before_span(shown)
        following = "" if known else (url if cut else shown.next_url)
        crawls.advance(
            self._store, walk, next_url=following, since=self._span.since if cut and not known else "",
            listed_on=url, listed=listed, validators=fetched.validators,
        )  # fmt: skip
        return "" if cut else following

    def _count_known(self, shown: ListingPage) -> None:
        """Count the statements of listed pages that are held already and are not read again."""
        self._tally.held(held(self._store, [i.url for i in shown.items if i.content is None]))

    def _list(self, listing: Listing, item: Item, fetched: Fetched, *, known: bool) -> Listed:
        state: State = "todo" if self._span.holds(item.published) else "skipped"
        if item.content is not None and listing.holds_documents:
            record = record_of(fetched, self._source, listing=True)
            self._load(entry_page(item, record, self._source))
            state = "done"
            if not known:
                self._check_limit()
        return Listed(url=item.url, title=item.title, published=item.published, state=state)

    def _is_before_span(self, shown: ListingPage) -> bool:
        days = [day for item in shown.items if (day := day_of(item.published))]
        return bool(self._span.since and days) and max(days) < self._span.since

    # ---- documents

    def _drain(self) -> None:
        while address := crawls.next_address(self._store, self._source.id):
            self._check_limit()
            self._fetch(address)

    def _check_limit(self) -> None:
        if self._span.limit is not None and self._tally.pages >= self._span.limit:
            raise _EnoughError

    def _look_again(self) -> None:
        """Ask for recent pages again, as officials mend their read-outs, but only if they have changed."""
        now = self._setting.now()
        for address in crawls.recent_addresses(
            self._store, self._source.id, since=(now - _RECENT).date().isoformat(),
            before=(now - _SETTLED).isoformat(timespec="seconds"),
        ):  # fmt: skip
            self._fetch(address)

    def _fetch(self, address: Address) -> None:
        try:
            fetched = self._fetcher.get(address.url, validators=(address.etag, address.last_modified))
        except FetchError as error:
            self._settle(address, error.state, str(error))
            self._problem("blocked" if error.state == "blocked" else "failed", f"{address.url}: {error}")
            self._refusals = self._refusals + 1 if error.state == "blocked" else 0
            if error.stop or self._refusals >= _REFUSALS_IN_A_ROW:
                raise _EnoughError from None
            return
        self._refusals = 0
        if fetched.status == 304:
            self._tally.held(held(self._store, [address.url]))
            self._settle(address, "done", "", (address.etag, address.last_modified))
            return
        record = record_of(fetched, self._source, listing=False, title=address.title, published=address.published)
        page = page_of(record, self._source)
        if self._is_unchanged(page):
            self._settle(address, "done", "", fetched.validators)
            return
        read = self._read(page)
        if read is None:
            self._archive.append(record)
            self._settle(address, "failed", "could not be read")
        elif read.extracted.status == "challenge":
            self._settle(address, "blocked", "an anti-bot challenge")
            self._problem("blocked", f"{address.url}: an anti-bot challenge stands before the page")
        else:
            self._archive.append(record)
            self._write(read, address, fetched.validators)

    def _settle(self, address: Address, state: State, note: str, validators: tuple[str, str] = ("", "")) -> None:
        with self._store.transaction() as db:
            crawls.settle(
                db, self._source.id, address.url, state, note=note, validators=validators,
                now=self._setting.now().isoformat(timespec="seconds"),
            )  # fmt: skip

    def _load(self, page: RawPage) -> None:
        """Read and store a page that came within a listing."""
        if not self._is_unchanged(page) and (read := self._read(page)) is not None:
            self._write(read, None)

    def _is_unchanged(self, page: RawPage) -> bool:
        same = is_unchanged(self._store, page.url, content_digest(page.content))
        if same:
            self._tally.held(held(self._store, [page.url]))
        return same

    def _read(self, page: RawPage) -> Read | None:
        try:
            return read_page(page, self._source, extract=self._setting.extract)
        except Exception as error:  # noqa: BLE001 - one odd page must not end a crawl; it is named and counted
            _LOG.debug("reading %s failed", page.url, exc_info=True)
            self._problem("failed", f"{page.url}: could not be read ({type(error).__name__}: {error})")
            return None

    def _write(self, read: Read, address: Address | None, validators: tuple[str, str] = ("", "")) -> None:
        now = self._setting.now().isoformat(timespec="seconds")
        with self._store.transaction() as db:
            counts = write_page(db, read, now=now)
            if address is not None:
                crawls.settle(
                    db, self._source.id, address.url, "done", now=now, note=read.reading.note,
                    validators=validators, published=read.reading.date,
                )  # fmt: skip
                crawls.attach(db, self._source.id, address, self._attachments(read))
        self._count(read, counts)

    def _attachments(self, read: Read) -> list[Listed]:
        """Return what belongs to a page and is fetched with it, as the PDF of a document."""
        mirror = self._fetcher.mirror
        resolved = (mirror.resolved(link, page=read.page.url) for link in read.extracted.links)
        return [
            Listed(url=document_address(self._source, url), title=read.reading.title, published=read.reading.date)
            for url in resolved
            if url and self._source.is_attachment(url)
        ]

    def _count(self, read: Read, counts: Counts) -> None:
        self._tally.read(counts)
        if read.extracted.status in _UNREADABLE:
            self._problem("failed", f"{read.page.url}: {read.extracted.status} {read.extracted.note}".strip())
        if self._setting.report is not None:
            todo = crawls.states(self._store, self._source.id).get("todo", 0)
            self._setting.report(self._tally.progress(self._source.id, todo=todo))

    def _problem(self, kind: Literal["blocked", "failed"], note: str) -> None:
        self._tally.problem(kind, note)
        _LOG.info("%s: %s", self._source.id, note)
