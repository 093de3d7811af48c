"""Take records that a user hands over, files or single addresses, into the store."""

from __future__ import annotations

from dataclasses import replace

from pipeline.ingest.archive import Archive, Record
from pipeline.ingest.bodies import BodyError
from pipeline.ingest.crawl import Setting, Span
from pipeline.ingest.listings import ListingError
from pipeline.ingest.loading import Read, content_digest, read_page, write_page
from pipeline.ingest.pages import RawPage
from pipeline.ingest.responses import pages_of
from pipeline.ingest.sources import Source
from pipeline.ingest.summary import Tally
from pipeline.store.derived import Counts, held, is_unchanged


class Intake:
    """Takes records in, one after the other; `tally` counts what became of them.

    Parameters
    ----------
    setting : Setting
    span : Span
        Pages dated outside it are left out, and no more pages are read than its limit.
    archive : Archive
        Where a record is kept before anything derived from it is stored.
    dry_run : bool
        Read and count only.
    """

    def __init__(self, setting: Setting, span: Span, archive: Archive, *, dry_run: bool) -> None:
        self.tally = Tally()
        self._setting = setting
        self._span = span
        self._archive = archive
        self._dry_run = dry_run

    @property
    def enough(self) -> bool:
        """Whether the limit is reached."""
        return self._span.limit is not None and self.tally.pages >= self._span.limit

    def take(self, record: Record, source: Source) -> None:
        """Read the documents of a record and store what is new of them."""
        try:
            pages = list(pages_of(record, source))
        except (BodyError, ListingError) as error:
            self.tally.problem("failed", f"{record.url}: {error}")
            return
        url = pages[0].url if len(pages) == 1 else record.url
        kept = replace(record, source=source.id, url=url)
        archived = False
        for page in pages:
            if self.enough:
                return
            read = self._read(page, source)
            if read is None:
                continue
            if self._dry_run:
                self.tally.read(Counts(new=len(read.statements)))
                continue
            if not archived:
                self._archive.append(kept)
                archived = True
            self._write(read, source)

    def _read(self, page: RawPage, source: Source) -> Read | None:
        """Read a page; None when it is held already, a challenge, or outside the dates."""
        if is_unchanged(self._setting.store, page.url, content_digest(page.content)):
            self.tally.held(held(self._setting.store, [page.url]))
            return None
        read = read_page(page, source, extract=self._setting.extract)
        status, note = read.extracted.status, read.extracted.note
        if status == "challenge":
            self.tally.problem("blocked", f"{page.url}: an anti-bot challenge, not a page")
            return None
        if status not in {"ok", "empty", "listing"}:
            self.tally.problem("failed", f"{page.url}: {status} {note}".strip())
        return read if self._span.holds(read.reading.date) else None

    def _write(self, read: Read, source: Source) -> None:
        with self._setting.store.transaction() as db:
            counts = write_page(db, read, now=self._setting.now().isoformat(timespec="seconds"))
        self.tally.read(counts)
        if self._setting.report is not None:
            self._setting.report(self.tally.progress(source.id))
