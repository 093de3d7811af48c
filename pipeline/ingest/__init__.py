"""Bring statements into the store: the bundled corpus, and files a user has."""

from pipeline.ingest.files import Summary, ingest_corpus, ingest_file

__all__ = ["Summary", "ingest_corpus", "ingest_file"]
