"""Derive everything anew from the archive: documents, statements, locations, duplicates, translations.

It needs no network, and is one transaction: what was derived before stays until all is derived anew.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from pipeline.errors import UsageError
from pipeline.ingest.archive import Record, read_archive
from pipeline.ingest.bodies import BodyError
from pipeline.ingest.crawl import Setting
from pipeline.ingest.listings import ListingError
from pipeline.ingest.loading import Read, content_digest, read_page, write_page
from pipeline.ingest.pages import RawPage
from pipeline.ingest.responses import pages_of
from pipeline.ingest.sources import Source, Sources
from pipeline.ingest.summary import Summary, Tally
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
    tallies: dict[str, Tally] = {}
    digests: dict[str, str] = {}
    with setting.store.transaction() as db:
        forget_derived(db)
        for record in read_archive(setting.archive):
            source = _source_of(record, sources)
            tally = tallies.setdefault(source.id, Tally())
            for page in _readable(record, source):
                digest = content_digest(page.content)
                if digests.get(page.url) == digest:
                    continue
                digests[page.url] = digest
                read = _read(page, source, setting, tally)
                if read is None or read.extracted.status == "challenge":
                    continue
                counts = write_page(db, read, now=read.reading.fetched_at)
                tally.read(counts)
                if setting.report is not None:
                    setting.report(tally.progress(source.id))
    return [tally.summary(source) for source, tally in tallies.items()]


def _read(page: RawPage, source: Source, setting: Setting, tally: Tally) -> Read | None:
    """Read a page as a crawl does: one that breaks the reader is named, and what it had before stays."""
    try:
        return read_page(page, source, extract=setting.extract)
    except Exception as error:  # noqa: BLE001 - a crawl archives such pages, for a better reader
        _LOG.debug("reading %s failed", page.url, exc_info=True)
        tally.problem("failed", f"{page.url}: could not be read ({type(error).__name__}: {error})")
        return None


def _source_of(record: Record, sources: Sources) -> Source:
    if record.source in sources.ids:
        return sources.named(record.source)
    _LOG.info("source %s of %s is no longer configured", record.source, record.url)
    return sources.of_address(record.url)


def _readable(record: Record, source: Source) -> Iterator[RawPage]:
    try:
        yield from pages_of(record, source)
    except (BodyError, ListingError) as error:
        _LOG.warning("%s of the archive is left out: %s", record.url, error)
