"""Files a user has: saved pages, PDF and Word documents, feeds, plain texts, and other crawlers' WARC files.

A saved page is known by the address it was saved from, where the file or its path tells it; it is then the
same document as the site's own.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.errors import DataError, UsageError
from pipeline.ingest.addresses import canonical
from pipeline.ingest.archive import Archive, Record, read_warc
from pipeline.ingest.crawl import Setting, Span
from pipeline.ingest.intake import Intake
from pipeline.ingest.responses import media_type
from pipeline.ingest.sources import Source, Sources
from pipeline.ingest.summary import Summary

_TYPES = {
    ".html": "text/html", ".htm": "text/html", ".shtml": "text/html", ".xhtml": "application/xhtml+xml",
    ".mhtml": "multipart/related", ".mht": "multipart/related", ".pdf": "application/pdf", ".txt": "text/plain",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xml": "application/xml", ".atom": "application/atom+xml", ".rss": "application/rss+xml",
}  # fmt: skip
_READ_TYPES = {"", *_TYPES.values()}
_WARC = (".warc", ".warc.gz")
_GENERAL_DEBATE = re.compile(r"^[A-Z]{2,4}_\d{1,2}_\d{4}\.txt$")
_SAVED_FROM = re.compile(rb"<!--\s*saved from url=\(\d+\)(\S+)\s*-->", re.IGNORECASE)
_FEED_ID = re.compile(rb"<(?:feed|rss)\b[^>]*>.*?<(?:id|link)>\s*(https?://[^<\s]+)", re.IGNORECASE | re.DOTALL)
_SNAPSHOT = re.compile(rb"^Snapshot-Content-Location:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_CANONICAL = re.compile(rb"<link\s[^>]*\brel=[\"']canonical[\"'][^>]*>", re.IGNORECASE)
_HREF = re.compile(rb"\bhref=[\"']([^\"']+)[\"']", re.IGNORECASE)
_HEAD = 60_000


def is_document_file(path: Path) -> bool:
    """Say whether a file holds a document or raw pages, and is no table of statements.

    A `.txt` is a statement a line, but for a speech of the General Debate (`CHN_76_2021.txt`).
    """
    name = path.name.lower()
    if name.endswith(_WARC) or _GENERAL_DEBATE.match(path.name):
        return True
    return path.suffix.lower() in _TYPES and path.suffix.lower() != ".txt"


def document_files(folder: Path) -> list[Path]:
    """Return the documents below a folder in order of path; with other documents, plain texts are some too."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    if not any(is_document_file(path) for path in files):
        return []
    return [path for path in files if is_document_file(path) or path.suffix.lower() == ".txt"]


def ingest_documents(
    setting: Setting,
    path: Path,
    sources: Sources,
    *,
    source: Source | None = None,
    span: Span | None = None,
    dry_run: bool = False,
) -> Summary:
    """Read a document, a WARC file, or every one below a folder, into the store.

    Parameters
    ----------
    setting : Setting
    path : Path
    sources : Sources
        Say whose site a saved page is of.
    source : Source, optional
        Whose all of it is, where the files do not tell.
    span : Span, optional
        Only documents within these dates, and at most so many.
    dry_run : bool
        Read only.

    Raises
    ------
    UsageError
        When there is nothing that can be read.
    """
    files = document_files(path) if path.is_dir() else [path]
    if not files:
        raise UsageError(
            f"no documents in {path}. Accepted: {', '.join([*_TYPES, *_WARC])}, or tables of statements."
        )
    with Archive(setting.archive, name="files", now=setting.now()) as archive:
        intake = Intake(setting, span or Span(), archive, dry_run=dry_run)
        for file in files:
            if intake.enough:
                break
            try:
                for record in _records(file, sources, now=setting.now()):
                    intake.take(record, source or _whose(record, sources))
            except (DataError, OSError) as error:
                intake.tally.problem("failed", f"{file}: {error}")
    return intake.tally.summary(str(path))


def _records(file: Path, sources: Sources, *, now: dt.datetime) -> Iterator[Record]:
    if file.name.lower().endswith(_WARC):
        for record in read_warc(file):
            if record.status == 200 and media_type(record.header("content-type"))[0] in _READ_TYPES:
                yield record
        return
    content = file.read_bytes()
    debate = _GENERAL_DEBATE.match(file.name) is not None
    yield Record(
        url=_address(file, content, sources), source="un-general-debate" if debate else "", role="file",
        fetched_at=now, body=content, headers=(("content-type", _TYPES[file.suffix.lower()]),),
    )  # fmt: skip


def _whose(record: Record, sources: Sources) -> Source:
    return sources.named(record.source) if record.source in sources.ids else sources.of_address(record.url)


def _address(file: Path, content: bytes, sources: Sources) -> str:
    """Return the address that a file was saved from, else one made of its content and name."""
    for known in (_in_path(file, sources), _in_content(content)):
        if known:
            return known
    digest = hashlib.sha256(content).hexdigest()[:12]
    return f"file:{digest}/{file.name}"


def _in_path(file: Path, sources: Sources) -> str:
    """Return the address that a mirror's path tells: a folder named as a source's host, and what follows."""
    hosts = {host: source for source in sources.source for host in source.hosts}
    parts = file.absolute().parts
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] in hosts:
            scheme = urlsplit(hosts[parts[index]].base_url).scheme or "https"
            return canonical(f"{scheme}://{'/'.join(parts[index:])}")
    return ""


def _in_content(content: bytes) -> str:
    """Return the address that a browser wrote into a page when it saved it, or that the page names as its own."""
    head = content[:_HEAD]
    found = _FEED_ID.search(head) or _SAVED_FROM.search(head) or _SNAPSHOT.search(head[:4000])
    if found is None and (link := _CANONICAL.search(head)):
        found = _HREF.search(link.group())
    url = found.group(1).decode("utf-8", errors="replace") if found else ""
    return canonical(url) if urlsplit(url).scheme in {"http", "https"} else ""
