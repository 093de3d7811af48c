"""From a raw record to the pages it holds: itself, or the entries of a feed or a channel preview.

Crawling and rebuilding go through here alike, so that what is rebuilt is what was loaded.
"""

from __future__ import annotations

import email.message
from collections.abc import Callable

from pipeline.ingest.addresses import Mirror, document_address
from pipeline.ingest.archive import Record
from pipeline.ingest.bodies import decoded
from pipeline.ingest.fetch import Fetched
from pipeline.ingest.listings import Item, ListingPage, read_listing
from pipeline.ingest.pages import RawPage
from pipeline.ingest.sources import Listing, Source


def media_type(header: str) -> tuple[str, str]:
    """Return the media type and the charset of a Content-Type header, in lower case, empty where absent."""
    if not header:
        return "", ""
    message = email.message.Message()
    message["content-type"] = header
    charset = message.get_param("charset", "")
    return header.split(";")[0].strip().lower(), str(charset).strip("'\" ").lower()


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
