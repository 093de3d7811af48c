"""Pages that list documents: HTML with links, Atom and RSS feeds, and previews of channels."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from pipeline.ingest.sources import Listing, Source

Resolver: TypeAlias = Callable[[str], str]
"""Makes a link on the page the site's own address; an empty string when it is none."""

_ATOM = "{http://www.w3.org/2005/Atom}"
_RSS_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_DC_DATE = "{http://purl.org/dc/elements/1.1/}date"
_RSS1 = "{http://purl.org/rss/1.0/}"
_ISO_DAY = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
_CONTAINER_LEVELS = 3


class ListingError(Exception):
    """A listing that does not read; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A document as a listing shows it; `content` is its HTML where the listing holds it, else None."""

    url: str
    title: str = ""
    published: str = ""
    content: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingPage:
    """The items of one page in its order, and the address of the next, empty at the end."""

    items: tuple[Item, ...]
    next_url: str = ""


def read_listing(
    source: Source, listing: Listing, *, url: str, page: int, content: bytes, charset: str, resolve: Resolver
) -> ListingPage:
    """Read one page of a listing.

    Parameters
    ----------
    source, listing : Source, Listing
    url : str
        The page's address on the site.
    page : int
        How many pages of the listing come before it.
    content : bytes
    charset : str
        As the transport claimed it; empty when it did not.
    resolve : callable
        Makes a link absolute.

    Raises
    ------
    ListingError
        When it is not what the source's entry says.
    """
    readers = {"html": _read_html, "feed": _read_feed, "telegram": _read_telegram}
    found = readers[listing.kind](source, listing, content, charset, resolve)
    first: dict[str, Item] = {}
    for item in found.items:
        if item.url:
            first.setdefault(item.url, item)
    unique = tuple(first.values())
    more = _numbered(listing, page, content, resolve) if listing.more else found.next_url
    return ListingPage(items=unique, next_url=more if unique and more != url else "")


def _numbered(listing: Listing, page: int, content: bytes, resolve: Resolver) -> str:
    if listing.count:
        count = re.search(listing.count, content.decode("latin-1"))
        if count is not None and page + 1 >= int(count.group(1)):
            return ""
    return resolve(listing.more.replace("{n}", str(listing.first + page)))


def _parse_html(content: bytes, charset: str) -> Any:
    from lxml import etree, html

    try:
        tree = html.document_fromstring(content, parser=_parser(charset))
    except (etree.LxmlError, ValueError) as error:
        raise ListingError(f"not an HTML page ({error})") from None
    return tree


def _parser(charset: str) -> Any:
    """Return a parser for a charset as claimed, or one that finds it out where the claim names none."""
    from lxml import html

    try:
        return html.HTMLParser(encoding=charset or None, no_network=True)
    except LookupError:
        return html.HTMLParser(no_network=True)


def _read_html(source: Source, listing: Listing, content: bytes, charset: str, resolve: Resolver) -> ListingPage:
    from pipeline.ingest.addresses import document_address, is_document

    tree = _parse_html(content, charset)
    items = []
    for link in tree.cssselect(listing.items):
        resolved = resolve(link.get("href") or "")
        url = document_address(source, resolved) if resolved else ""
        if url and is_document(source, url):
            title = " ".join(link.text_content().split())
            items.append(Item(url=url, title=title, published=_published(source, url, link)))
    following = tree.cssselect("link[rel~=next], a[rel~=next]")
    return ListingPage(items=tuple(items), next_url=resolve(following[0].get("href") or "") if following else "")


def _published(source: Source, url: str, link: Any) -> str:
    """Return the date that stands in a link's address or beside it, empty when there is none."""
    if source.family.date_in_url and (found := re.search(source.family.date_in_url, url)):
        day = "".join(found.groups())
        if len(day) == 8 and day.isdigit():
            return f"{day[:4]}-{day[4:6]}-{day[6:]}"
    box = link
    for _ in range(_CONTAINER_LEVELS):
        times = box.cssselect("time[datetime]")
        if times:
            return str(times[0].get("datetime"))
        if days := _ISO_DAY.search(box.text_content()):
            return days.group()
        box = box.getparent()
        if box is None or len(box.cssselect("a[href]")) > 2:
            break
    return ""


def _parse_xml(content: bytes) -> Any:
    from lxml import etree

    # Entities stay unresolved: a feed needs none, and they can be made to read files or to explode.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(content.lstrip(), parser=parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ListingError(f"not a feed ({error})") from None


def _read_feed(_source: Source, _listing: Listing, content: bytes, _charset: str, resolve: Resolver) -> ListingPage:
    root = _parse_xml(content)
    if root.tag == f"{_ATOM}feed":
        return ListingPage(items=tuple(_atom_items(root, resolve)), next_url=_linked(root, "next", resolve))
    channel = root.find("channel") if root.tag == "rss" else root
    if root.tag != "rss" and not root.tag.endswith("}RDF"):
        raise ListingError(f"neither Atom nor RSS, but <{root.tag}>")
    items = tuple(_rss_items(root, resolve))
    return ListingPage(items=items, next_url=_linked(channel, "next", resolve) if channel is not None else "")


def _linked(element: Any, relation: str, resolve: Resolver) -> str:
    for link in element.findall(f"{_ATOM}link"):
        if (link.get("rel") or "alternate") == relation:
            return resolve(link.get("href") or "")
    return ""


def _atom_items(root: Any, resolve: Resolver) -> Iterator[Item]:
    for entry in root.iter(f"{_ATOM}entry"):
        body = entry.find(f"{_ATOM}content")
        markup = _markup(body) if body is not None else ""
        yield Item(
            url=_linked(entry, "alternate", resolve) or resolve(entry.findtext(f"{_ATOM}id") or ""),
            title=_text(entry, f"{_ATOM}title"),
            published=_text(entry, f"{_ATOM}published") or _text(entry, f"{_ATOM}updated"),
            content=_page(markup) if markup else None,
        )


def _markup(body: Any) -> str:
    from lxml import etree

    if body.get("type") == "xhtml":
        return "".join(etree.tostring(child, encoding="unicode") for child in body)
    return body.text or ""


def _rss_items(root: Any, resolve: Resolver) -> Iterator[Item]:
    for entry in (*root.iter("item"), *root.iter(f"{_RSS1}item")):
        space = _RSS1 if entry.tag.startswith("{") else ""
        markup = entry.findtext(_RSS_CONTENT) or entry.findtext(f"{space}description") or ""
        guid = entry.find("guid")
        permanent = guid is not None and guid.get("isPermaLink", "true") == "true"
        address = _text(entry, f"{space}link") or (_text(entry, "guid") if permanent else "")
        yield Item(
            url=resolve(address) if address else "",
            title=_text(entry, f"{space}title"),
            published=_iso(_text(entry, "pubDate")) or _text(entry, _DC_DATE),
            content=_page(markup) if markup else None,
        )


def _text(entry: Any, tag: str) -> str:
    return " ".join((entry.findtext(tag) or "").split())


def _iso(value: str) -> str:
    """Return an RFC 822 date as ISO 8601 with its offset, empty when it is none."""
    try:
        return email.utils.parsedate_to_datetime(value).isoformat()
    except ValueError:
        return ""


def _page(markup: str) -> bytes:
    return f'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>{markup}</body></html>'.encode()


def _read_telegram(
    _source: Source, listing: Listing, content: bytes, charset: str, resolve: Resolver
) -> ListingPage:
    """Read a channel's public preview; it goes back by `?before=` the oldest message on the page."""
    from lxml import html

    numbers: list[int] = []
    items: list[Item] = []
    for message in _parse_html(content, charset).cssselect(".tgme_widget_message[data-post]"):
        post = message.get("data-post")
        number = post.rsplit("/", 1)[-1]
        if not number.isdigit():
            continue
        numbers.append(int(number))
        times = message.cssselect("time[datetime]")
        texts = message.cssselect(".tgme_widget_message_text")
        if texts:
            markup = "".join(html.tostring(text, encoding="unicode", with_tail=False) for text in texts)
            items.append(
                Item(
                    url=resolve(f"/{post}"),
                    published=times[-1].get("datetime") if times else "",
                    content=_page(markup),
                )
            )
    oldest = min(numbers, default=0)
    more = resolve(f"{listing.url}?before={oldest}") if oldest > 1 else ""
    return ListingPage(items=tuple(reversed(items)), next_url=more)


def day_of(published: str) -> str:
    """Return the day of an ISO 8601 date or time as `YYYY-MM-DD`, empty when it is none."""
    try:
        return dt.date.fromisoformat(published[:10]).isoformat()
    except ValueError:
        return ""
