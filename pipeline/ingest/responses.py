"""From a raw record to the pages it holds: itself, or the entries of a feed or a channel preview.

Crawling and rebuilding go through here alike, so that what is rebuilt is what was loaded.
"""

from __future__ import annotations

import email.message
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from pipeline.ingest.addresses import Mirror, document_address
from pipeline.ingest.archive import Record
from pipeline.ingest.bodies import decoded
from pipeline.ingest.fetch import Fetched
from pipeline.ingest.listings import Item, ListingPage, read_listing
from pipeline.ingest.pages import RawPage
from pipeline.ingest.sources import Listing, Source

_FEED = re.compile(rb"<(feed|rss|rdf:RDF)[\s>]", re.IGNORECASE)


def media_type(header: str) -> tuple[str, str]:
    """Return the media type and the charset of a Content-Type header, in lower case, empty where absent."""
    if not header:
        return "", ""
    message = email.message.Message()
    message["content-type"] = header
    charset = message.get_param("charset", "")
    return header.split(";", maxsplit=1)[0].strip().lower(), str(charset).strip("'\" ").lower()


def record_of(fetched: Fetched, source: Source, *, listing: bool, title: str = "", published: str = "") -> Record:
    """Return what is archived of a response."""
    return Record(
        url=fetched.url, source=source.id, role="listing" if listing else "document",
        fetched_at=fetched.fetched_at, body=fetched.body, status=fetched.status, headers=fetched.headers,
        title=title, published=published,
    )  # fmt: skip


def content_of(record: Record, source: Source) -> bytes:
    """Return a record's content, decompressed within the source's bounds.

    Raises
    ------
    BodyError
        When it cannot be.
    """
    return decoded(record.body, record.header("content-encoding"), max_bytes=source.max_bytes)


def page_of(record: Record, source: Source) -> RawPage:
    """Return a record that is one document as a raw page."""
    kind, charset = media_type(record.header("content-type"))
    return RawPage(
        url=record.url, content=content_of(record, source), content_type=kind, charset=charset,
        fetched_at=record.fetched_at, source=source.id, title=record.title, published=record.published,
    )  # fmt: skip


def listing_of(
    record: Record, source: Source, listing: Listing, *, page: int = 0, resolve: Callable[[str], str] | None = None
) -> ListingPage:
    """Return what a listing's page shows.

    Raises
    ------
    BodyError, ListingError
        When it does not read.
    """
    mirror = Mirror(source=source)

    def own(link: str) -> str:
        return mirror.resolved(link, page=record.url)

    _, charset = media_type(record.header("content-type"))
    return read_listing(
        source, listing, url=record.url, page=page, content=content_of(record, source), charset=charset,
        resolve=resolve or own,
    )  # fmt: skip


def entry_page(item: Item, record: Record, source: Source) -> RawPage:
    """Return an entry of a feed or preview, which holds the document itself, as a raw page."""
    return RawPage(
        url=document_address(source, item.url), content=item.content or b"", content_type="text/html",
        charset="utf-8", fetched_at=record.fetched_at, source=source.id, title=item.title,
        published=item.published,
    )  # fmt: skip


def pages_of(record: Record, source: Source) -> Iterator[RawPage]:
    """Yield the documents of a record: itself, or the entries of a listing or file that holds them.

    Raises
    ------
    BodyError, ListingError
        When it does not read.
    """
    if record.role != "listing":
        yield from _documents(record, source)
        return
    path = urlsplit(record.url).path
    for listing in source.listing:
        if listing.holds_documents and path.startswith(urlsplit(listing.url).path):
            yield from _entries(record, source, listing)
            return


def _documents(record: Record, source: Source) -> Iterator[RawPage]:
    page = page_of(record, source)
    if is_feed(page):
        yield from _entries(record, source, Listing(kind="feed", url=record.url, full_text=True))
    else:
        yield replace(page, url=document_address(source, page.url) if "://" in page.url else page.url)


def is_feed(page: RawPage) -> bool:
    """Say whether a page is an Atom or RSS feed."""
    return "html" not in page.content_type and _FEED.search(page.content[:2000]) is not None


def _entries(record: Record, source: Source, listing: Listing) -> Iterator[RawPage]:
    for item in listing_of(record, source, listing).items:
        if item.content is not None:
            yield entry_page(item, record, source)
