"""Bring statements into the store: the bundled corpus, official sites, and any file a user has."""

from pipeline.ingest.crawl import Setting, Span, archive_folder, crawl, preview
from pipeline.ingest.documents import ingest_documents, is_document_file
from pipeline.ingest.files import ingest_corpus, ingest_file
from pipeline.ingest.rebuild import rebuild
from pipeline.ingest.single import ingest_address
from pipeline.ingest.sources import Source, Sources, load_sources
from pipeline.ingest.summary import Progress, Summary

__all__ = [
    "Progress",
    "Setting",
    "Source",
    "Sources",
    "Span",
    "Summary",
    "archive_folder",
    "crawl",
    "ingest_address",
    "ingest_corpus",
    "ingest_documents",
    "ingest_file",
    "is_document_file",
    "load_sources",
    "preview",
    "rebuild",
]
