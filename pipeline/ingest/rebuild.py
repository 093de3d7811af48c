"""Derive everything anew from the archive: documents, statements, locations, duplicates, translations.

It needs no network, and is one transaction: what was derived before stays until all is derived anew.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator

from pipeline.errors import UsageError
from pipeline.ingest.archive import Record, read_archive
from pipeline.ingest.bodies import BodyError
from pipeline.ingest.crawl import Setting
from pipeline.ingest.listings import ListingError
from pipeline.ingest.loading import content_digest, read_page, write_page
from pipeline.ingest.pages import RawPage
from pipeline.ingest.responses import entry_page, listing_of, page_of
from pipeline.ingest.sources import Source, Sources
from pipeline.ingest.summary import Progress, Summary
from pipeline.store.derived import forget_derived

_LOG = logging.getLogger(__name__)


def rebuild(setting: Setting, sources: Sources) -> list[Summary]:
    """Derive everything that came from raw pages anew; return a summary of each source.

    Raises
    ------
    UsageError
        When there is no archive.
    """
    if not any(setting.archive.glob("*.warc.gz")):
        raise UsageError(f"no archive in {setting.archive}: nothing was fetched or read into this store yet.")
    tallies: dict[str, Counter[str]] = {}
    digests: dict[str, str] = {}
    with setting.store.transaction() as db:
        forget_derived(db)
        for record in read_archive(setting.archive):
            source = _source_of(record, sources)
            tally = tallies.setdefault(source.id, Counter())
            for page in pages_of(record, source):
                digest = content_digest(page.content)
                if digests.get(page.url) == digest:
                    continue
                digests[page.url] = digest
                read = read_page(page, source, extract=setting.extract)
                if read.extracted.status == "challenge":
                    continue
                now = page.fetched_at.isoformat(timespec="seconds")
                counts = write_page(db, read, now=now)
                tally.update(
                    pages=1, new=counts.new, unchanged=counts.unchanged, duplicate=counts.duplicate
                )
                _report(setting, source, tally)
    return [_summary(source, tally) for source, tally in tallies.items()]


def _source_of(record: Record, sources: Sources) -> Source:
    if record.source in sources.ids:
        return sources.named(record.source)
    _LOG.info("source %s of %s is no longer configured", record.source, record.url)
    return sources.of_address(record.url)


def pages_of(record: Record, source: Source) -> Iterator[RawPage]:
    """Yield the documents of a record: itself, or the entries of a listing that holds them."""
    if record.role != "listing":
        try:
            yield page_of(record, source)
        except BodyError as error:
            _LOG.warning("%s of the archive is left out: %s", record.url, error)
        return
    for listing in source.listing:
        if listing.full_text or listing.kind == "telegram":
            try:
                shown = listing_of(record, source, listing)
            except (BodyError, ListingError):
                continue  # a page of another of the source's listings
            for item in shown.items:
                if item.content is not None:
                    yield entry_page(item, record, source)
            return


def _report(setting: Setting, source: Source, tally: Counter[str]) -> None:
    if setting.report is not None:
        found = tally["new"] + tally["unchanged"] + tally["duplicate"]
        setting.report(Progress(source=source.id, pages=tally["pages"], todo=0, statements=found))


def _summary(source: Source, tally: Counter[str]) -> Summary:
    return Summary(
        source=source.id, found=tally["new"] + tally["unchanged"] + tally["duplicate"], new=tally["new"],
        unchanged=tally["unchanged"], duplicate=tally["duplicate"], pages=tally["pages"],
    )  # fmt: skip
