"""Read an HTML page: the site's own selectors first, trafilatura where they find no body."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import urljoin, urlsplit

from lxml import etree, html
from lxml.cssselect import CSSSelector

from pipeline.ingest.extract.blocks import Block, collapse, markup_blocks
from pipeline.ingest.extract.dates import date_by_pattern, parse_date
from pipeline.ingest.sources import Family

_TITLE_METAS = ("ArticleTitle", "og:title", "dc.title", "twitter:title")
_DATE_METAS = ("PubDate", "article:published_time", "datePublished", "dc.date", "date", "pubdate")
_TITLE_TAIL = re.compile(r"\s*(?:\s[•|—–]\s|_)[^•|—–_]*$")
_MANY_LINKS, _MOSTLY_LINKS = 12, 0.6
_DROPPED_ALWAYS = ("nav", "footer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """What a page says about itself, and its paragraphs.

    Attributes
    ----------
    dates : tuple of (method, date or None)
        Candidates in order of trust.
    reader : str
        `selectors`, `fragment` (all of a feed's entry), `trafilatura`, or empty when no body was found.
    is_listing : bool
        Most of its text is links, and no selector found an article.
    """

    title: str
    venue: str
    lang: str
    keywords: str
    dates: tuple[tuple[str, dt.date | None], ...]
    blocks: tuple[Block, ...]
    links: tuple[str, ...]
    translations: tuple[str, ...]
    reader: str
    is_listing: bool


def read_markup(text: str, *, url: str, family: Family, zone: dt.tzinfo, is_fragment: bool = False) -> Markup:
    """Read a page's title, dates, place, paragraphs and links.

    Parameters
    ----------
    text : str
        Decoded HTML.
    url : str
        Address that links are relative to.
    family : Family
    zone : tzinfo
        Zone that moments are turned into.
    is_fragment : bool
        Whether all of it is the document's body, as a feed's entry is.
    """
    root = _parse(text)
    body = _first(root, family.body)
    method = "selectors"
    if not body and is_fragment:
        body, method = [root], "fragment"
    dropped = [element for part in body for element in _select(part, (*family.drop, *_DROPPED_ALWAYS))]
    blocks = tuple(block for part in body for block in markup_blocks(part, dropped))
    title, venue = _text(_first(root, family.title)), _text(_first(root, family.venue))
    dates = list(_page_dates(root, family, url, zone))
    listing = not blocks and _is_listing(root)
    if not blocks and not listing:
        method = "trafilatura"
        blocks, title_found, date_found = _fallback(text, url)
        title = title or title_found
        dates.append(("htmldate", parse_date(date_found)))
    return Markup(
        title=title or _meta(root, _TITLE_METAS) or _text(root.xpath("//h1")[:1]) or _head_title(root),
        venue=venue,
        lang=(root.get("lang") or "")[:2].lower(),
        keywords=_meta(root, ("Keywords", "keywords")),
        dates=tuple(dates),
        blocks=blocks,
        links=tuple(_links(root, url)),
        translations=tuple(_translations(root, url, family)),
        reader=method if blocks else "",
        is_listing=listing,
    )


def _parse(text: str) -> html.HtmlElement:
    # Bytes, because lxml refuses text that declares an encoding of its own.
    content = text.replace("\x00", "").encode("utf-8", "replace")
    try:
        return html.document_fromstring(content, parser=html.HTMLParser(encoding="utf-8", remove_pis=True))
    except etree.ParserError:  # nothing but comments, or nothing at all
        return html.document_fromstring("<html><body></body></html>")


@cache
def _selector(css: str) -> CSSSelector:
    return CSSSelector(css, translator="html")


def _select(root: html.HtmlElement, selectors: Iterable[str]) -> list[html.HtmlElement]:
    return [element for css in selectors for element in _selector(css)(root)]


def _first(root: html.HtmlElement, selectors: Sequence[str]) -> list[html.HtmlElement]:
    """Return what the first selector that matches anything with text selects."""
    for css in selectors:
        found = [e for e in _selector(css)(root) if e.get("datetime") or "".join(e.itertext()).strip()]
        if found:
            return found
    return []


def _text(elements: Sequence[html.HtmlElement]) -> str:
    return collapse("".join(elements[0].itertext())) if elements else ""


def _meta(root: html.HtmlElement, names: Iterable[str]) -> str:
    for name in names:
        found = root.xpath("//meta[@name=$n or @property=$n or @itemprop=$n]/@content", n=name)
        content = next((collapse(value) for value in found if value.strip()), "")
        if content:
            return content
    return ""


def _head_title(root: html.HtmlElement) -> str:
    return _TITLE_TAIL.sub("", _text(root.xpath("//title")[:1]))


def _page_dates(
    root: html.HtmlElement, family: Family, url: str, zone: dt.tzinfo
) -> Iterator[tuple[str, dt.date | None]]:
    for element in _first(root, family.date)[:1]:
        yield "page", parse_date(element.get("datetime") or "", zone) or parse_date(_text([element]), zone)
    yield "meta", parse_date(_meta(root, _DATE_METAS), zone)
    yield "url", date_by_pattern(family.date_in_url, urlsplit(url).path)


def _is_listing(root: html.HtmlElement) -> bool:
    body = root.find("body")
    if body is None:
        return False
    anchors = [collapse("".join(a.itertext())) for a in body.iter("a")]
    text = sum(len(block.text) for block in markup_blocks(body))
    return len(anchors) >= _MANY_LINKS and sum(map(len, anchors)) > _MOSTLY_LINKS * text


def _links(root: html.HtmlElement, url: str) -> Iterator[str]:
    seen = set()
    for anchor in root.iter("a"):
        address = _absolute(url, anchor.get("href") or "")
        if address and address not in seen:
            seen.add(address)
            yield address


def _absolute(url: str, href: str) -> str:
    href = href.strip()
    if not href or href.startswith(("#", "javascript:", "mailto:", "tel:", "data:")):
        return ""
    try:
        urlsplit(href)
        address = href if href.startswith(("http://", "https://")) else urljoin(url, href)
    except ValueError:  # such as an unclosed bracket in the host
        return ""
    return address if address.startswith(("http://", "https://")) else ""


def _translations(root: html.HtmlElement, url: str, family: Family) -> Iterator[str]:
    alternates = root.xpath("//link[contains(@rel, 'alternate')][@hreflang][not(contains(@type, 'xml'))]/@href")
    chosen = [element.get("href") or "" for element in _select(root, family.translations)]
    addresses = (_absolute(url, href) for href in (*alternates, *chosen))
    yield from dict.fromkeys(address for address in addresses if address and address != url)


def _fallback(text: str, url: str) -> tuple[tuple[Block, ...], str, str]:
    """Return paragraphs, title and date as trafilatura finds them."""
    import trafilatura  # only where a page needs it: its import takes half a second

    found = trafilatura.bare_extraction(
        text, url=url if url.startswith("http") else None, include_formatting=True, include_comments=False,
        with_metadata=True, favor_recall=True, date_extraction_params={"extensive_search": False},
    )  # fmt: skip
    if found is None or isinstance(found, dict):
        return (), "", ""
    blocks = markup_blocks(found.body) if found.body is not None else ()
    return blocks, found.title or "", found.date or ""
