"""One address that a user names: a document, a feed, or a page that lists documents of a known site."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pipeline.errors import UsageError
from pipeline.ingest.addresses import AddressError, Mirror, canonical, check_public, document_address, is_document
from pipeline.ingest.archive import Archive, Record
from pipeline.ingest.crawl import Setting, Span
from pipeline.ingest.fetch import Fetcher, FetchError
from pipeline.ingest.intake import Intake
from pipeline.ingest.listings import ListingError
from pipeline.ingest.responses import is_feed, listing_of, page_of, record_of
from pipeline.ingest.sources import Listing, Source, Sources
from pipeline.ingest.summary import Summary


def ingest_address(
    setting: Setting, url: str, sources: Sources, *, span: Span | None = None, base_url: str = "",
    dry_run: bool = False,
) -> Summary:  # fmt: skip
    """Fetch one address and what it lists into the store.

    Parameters
    ----------
    setting : Setting
    url : str
    sources : Sources
        Say whose site it is; an address that is none of theirs is read by the general rules.
    span : Span, optional
    base_url : str
        A mirror of the site. An address on this machine or network is taken for a mirror of the source whose
        addresses look like it.
    dry_run : bool
        Fetch and read only.

    Raises
    ------
    UsageError
        When it is no address.
    """
    if not urlsplit(url).hostname:
        raise UsageError(f"not an address: {url}. Write it whole, as https://host/path.")
    source, mirror, address = _placed(canonical(url), sources, base_url)
    with (
        Fetcher(mirror, now=setting.now, limits=setting.limits, wait=setting.wait) as fetcher,
        Archive(setting.archive, name=source.id, now=setting.now()) as archive,
    ):
        intake = Intake(setting, span or Span(), archive, dry_run=dry_run)
        _take_all(fetcher, intake, source, address, span or Span())
    return intake.tally.summary(url)


def _take_all(fetcher: Fetcher, intake: Intake, source: Source, url: str, span: Span) -> None:
    """Fetch an address and take it in, or the documents that it lists if it is none itself."""
    record = _get(fetcher, intake, source, url)
    if record is None:
        return
    linked = [] if is_document(source, url) else _links(fetcher, record, source, span)
    if not linked:
        intake.take(record, source)
    for address in linked:
        if intake.enough:
            return
        if (found := _get(fetcher, intake, source, address)) is not None:
            intake.take(found, source)


def _get(fetcher: Fetcher, intake: Intake, source: Source, url: str) -> Record | None:
    try:
        return record_of(fetcher.get(url), source, listing=False)
    except FetchError as error:
        intake.tally.problem("blocked" if error.state == "blocked" else "failed", f"{url}: {error}")
        return None


def _links(fetcher: Fetcher, record: Record, source: Source, span: Span) -> list[str]:
    """Return the documents that a page of a known site links, within the dates asked for."""
    if not source.article or is_feed(page_of(record, source)):
        return []

    def resolve(link: str) -> str:
        return fetcher.mirror.resolved(link, page=record.url)

    try:
        shown = listing_of(record, source, Listing(kind="html", url=record.url), resolve=resolve)
    except ListingError:
        return []
    return [item.url for item in shown.items if span.holds(item.published)]


def _placed(url: str, sources: Sources, base_url: str) -> tuple[Source, Mirror, str]:
    """Return the source of an address, where it is fetched from, and the address as the site's own."""
    parts = urlsplit(url)
    source = sources.of_address(url)
    if base_url or source.id != "other":
        known = source if source.id != "other" else source.model_copy(update={"hosts": (parts.hostname,)})
        return known, Mirror(source=known, base_url=base_url), document_address(known, url)
    origin = f"{parts.scheme}://{parts.netloc}"
    try:
        check_public(url, ())
    except AddressError:
        # The user named it, so this one private host is asked.
        alike = _alike(url, sources)
        if alike is not None:
            mirror = Mirror(source=alike, base_url=origin)
            own = mirror.inward(url, like=alike.base_url)
            return alike, mirror, document_address(alike, own)
        known = source.model_copy(update={"hosts": (parts.hostname,)})
        return known, Mirror(source=known, base_url=origin), url
    known = source.model_copy(update={"hosts": (parts.hostname,)})
    return known, Mirror(source=known), url


def _alike(url: str, sources: Sources) -> Source | None:
    path = urlsplit(url).path.removesuffix(".html")
    for source in sources.source:
        if source.article and (re.search(source.article, path) or re.search(source.article, urlsplit(url).path)):
            return source
    return None
