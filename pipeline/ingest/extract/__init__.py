"""Turn a raw page or file into a dated document and the statements of the people who speak in it."""

from pipeline.ingest.extract.page import extract
from pipeline.ingest.extract.people import People, index_people, people_in

__all__ = ["People", "extract", "index_people", "people_in"]
