"""What passes between fetching and extraction: a raw page in, a document with its statements out.

Fetching makes a `RawPage` of whatever holds *one document*: a page or PDF as the site sent it, a file of a
user, one entry of a feed, one post of a channel preview (feeds and previews are split before). Extraction
(`pipeline.ingest.extract.extract`) reads it and touches neither network nor store.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pipeline.schema import Statement

Status: TypeAlias = Literal["ok", "listing", "empty", "challenge", "no-text-layer", "encrypted", "unreadable"]
"""How extraction ended: `ok` (a document; it may hold no statement), `listing` (an index of links, no
document), `empty` (no text), `challenge` (an anti-bot page), `no-text-layer` and `encrypted` (PDF),
`unreadable` (damaged, or a kind that is not known)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPage:
    """One document as it came: bytes, and what the transport said about them.

    Attributes
    ----------
    url : str
        Canonical address on the site itself (never the mirror's that `--base-url` names), or `file:` and
        the path of a user's file.
    content : bytes
        Decompressed body, unchanged.
    content_type : str
        Media type in lower case without parameters, such as `text/html`; empty when not known.
    charset : str
        As the transport claimed it, lower case, empty when it did not; it may be wrong.
    fetched_at : datetime
        In UTC; the latest day that a document's date can have.
    source : str
        Id of the source.
    title, published : str
        What a feed or listing says beside the link, empty when it does not; `published` is ISO 8601, with an
        offset where the site gives one.
    """

    url: str
    content: bytes
    content_type: str
    charset: str
    fetched_at: dt.datetime
    source: str
    title: str = ""
    published: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A page's facts; `date` is ISO (`YYYY-MM-DD`) or empty, `date_method` says how it is known."""

    title: str = ""
    date: str = ""
    date_method: str = ""
    lang: str = ""
    venue: str = ""
    joint: bool = False
    translations: tuple[str, ...] = ()
    """Addresses of the same page in other languages (`rel=alternate hreflang`), absolute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """A document, its statements in the order of the page, and the links it holds.

    `statements` have everything but `statement_id` and `doc_id`, which loading derives from their content;
    questions stand in `context` of the answer, never as statements. `note` says in a few words why the
    status is not `ok`.
    """

    document: Document = field(default_factory=Document)
    statements: tuple[Statement, ...] = ()
    links: tuple[str, ...] = ()
    status: Status = "ok"
    note: str = ""
