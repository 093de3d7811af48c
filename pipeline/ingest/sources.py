"""The official sites, as data: `corpus/sources.toml`, validated on load.

A `[[source]]` says where a site's documents are listed and how politely they are fetched; the `[[family]]`
it names says how a page of that kind of site is read (selectors, labels), so that mirrors share one block.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pipeline.config import corpus_dir, read_toml
from pipeline.errors import DataError, UsageError


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression ({error})") from None
    return pattern


def _is_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("not a time zone such as Asia/Shanghai") from None
    return name


Pattern = Annotated[str, AfterValidator(_compiles)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Family(_Entry):
    """How pages of one kind of site are read; selectors are CSS, tried in order, labels are patterns.

    A label pattern matches at the start of a paragraph and names the speaker in the group `name` (and, in
    United Nations records, `country` and `language`).
    """

    id: str
    title: tuple[str, ...] = ()
    date: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    venue: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    date_in_url: Pattern = ""
    date_in_text: Pattern = ""
    speaker: tuple[Pattern, ...] = ()
    question: tuple[Pattern, ...] = ()
    bold_question: bool = False
    """A paragraph wholly in bold is a reporter's question."""
    bold_label: bool = False
    """A speaker's label is set in bold; nothing else is one."""
    translations: tuple[str, ...] = ()
    host_speaks: bool = False
    """An opening without a label belongs to the host (as Lavrov's on his own ministry's page)."""
    reader: str = "page"
    """The small module that reads it: `page`, `security_council`, `general_debate`, ..."""
    provenance: Literal["verbatim", "reported"] = "verbatim"


class Listing(_Entry):
    """Where a source's documents are listed.

    `url` is the first page. `more`, with `{n}` counted from `first`, is where the following ones are; without
    it the page's own `rel=next` is followed. `count` is a pattern for the number of pages, where the page says
    it; `items` selects the links (CSS). A `feed` with `full_text` holds the documents themselves.
    """

    kind: Literal["html", "feed", "telegram"]
    url: str
    more: str = ""
    first: int = 2
    count: Pattern = ""
    items: str = "a"
    full_text: bool = False

    @property
    def holds_documents(self) -> bool:
        """Whether the listing's pages hold the documents themselves."""
        return self.full_text or self.kind == "telegram"

    @model_validator(mode="after")
    def _is_numbered(self) -> Listing:
        if self.more and "{n}" not in self.more:
            raise ValueError("`more` must hold {n}, the page's number")
        return self


class Source(_Entry):
    """One source: whose it is, where it lists its documents, how it is fetched, and how it is read."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: str
    actor: str = ""
    """Actor whose site this is, empty for a neutral host such as the United Nations."""
    host: str = ""
    """Who speaks where no person is named: an institution of actors.toml, under any spelling."""
    lang: str = ""
    timezone: Annotated[str, AfterValidator(_is_zone)] = "UTC"
    base_url: str = ""
    hosts: tuple[str, ...] = ()
    article: Pattern = ""
    """Pattern of the path (with query) of a document's address; nothing else is fetched as one."""
    attachment: Pattern = ""
    """Pattern of the path of what belongs to a document and is fetched with it, such as its PDF."""
    twins: tuple[tuple[str, str], ...] = ()
    """Parts of an address and what stands in their place in the address of the same page in another language."""
    listing: tuple[Listing, ...] = ()
    delay: float = Field(default=2.0, ge=0)
    max_bytes: int = Field(default=20_000_000, gt=0)
    challenge: tuple[str, ...] = ()
    enabled: bool = True
    note: str = ""
    family: Family

    @property
    def zone(self) -> ZoneInfo:
        """Time zone of the dates on the site."""
        return ZoneInfo(self.timezone)

    def is_attachment(self, url: str) -> bool:
        """Say whether an address belongs to a document of this source and is fetched with it."""
        parts = urlsplit(url)
        return (
            bool(self.attachment)
            and (parts.hostname or "") in self.hosts
            and re.search(self.attachment, parts.path) is not None
        )

    @model_validator(mode="after")
    def _has_an_address(self) -> Source:
        if self.listing and urlsplit(self.base_url).scheme not in {"http", "https"}:
            raise ValueError("a source with listings needs a base_url that begins with http:// or https://")
        return self


class Sources(_Entry):
    """All families and sources of the file; a source's `family` is given by id and held as the record."""

    family: tuple[Family, ...]
    source: tuple[Source, ...]

    @model_validator(mode="before")
    @classmethod
    def _join(cls, content: Any) -> Any:
        if not isinstance(content, Mapping):
            return content
        families = {f.get("id"): f for f in content.get("family", ()) if isinstance(f, Mapping)}
        joined = []
        for entry in content.get("source", ()):
            name = entry.get("family")
            if name not in families:
                raise ValueError(f"source {entry.get('id')!r} is of unknown family {name!r}")
            joined.append({**entry, "family": families[name]})
        return {**content, "source": joined}

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the sources, in the file's order."""
        return tuple(source.id for source in self.source)

    def named(self, name: str) -> Source:
        """Return a source by id.

        Raises
        ------
        UsageError
            When there is none; the message lists those that are.
        """
        for source in self.source:
            if source.id == name:
                return source
        raise UsageError(f"unknown source: {name}. Known: {', '.join(self.ids)} (see `stance sources`).")

    def of_address(self, url: str) -> Source:
        """Return the source that an address belongs to (most specific pattern first), else `other`."""
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        host = (parts.hostname or "").lower()
        at_host = [s for s in self.source if host in s.hosts]
        for source in at_host:
            if source.article and re.search(source.article, path):
                return source
        return at_host[0] if at_host else self.named("other")


_NO_SITES = {
    "family": [{"id": "generic"}],
    "source": [{"id": "other", "name": "Any page or file", "family": "generic"}],
}


def load_sources(folder: Path | None = None) -> Sources:
    """Read sources.toml, once per folder.

    Raises
    ------
    DataError
        When the file is malformed, an id is given twice or a family is not known.
    """
    return _sources_in(folder or corpus_dir())


@cache
def _sources_in(folder: Path) -> Sources:
    path = folder / "sources.toml"
    if not path.is_file():
        # A corpus of one's own need not name sites; files and addresses are read by the general rules.
        return Sources.model_validate(_NO_SITES)
    sources = read_toml(path, Sources)
    if "other" not in sources.ids:
        raise DataError(f"{path}: no source `other`, which reads what is of none of the sites; add it.")
    repeated = sorted({i for i in sources.ids if sources.ids.count(i) > 1})
    if repeated:
        raise DataError(f"{path}: source given twice: {', '.join(repeated)}. Ids must be unique.")
    return sources
