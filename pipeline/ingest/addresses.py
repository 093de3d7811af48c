"""Addresses: one form for each, the way to a mirror and back, and which a crawl may go to at all."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from pipeline.ingest.sources import Source

_PORTS = {"http": 80, "https": 443}


class AddressError(Exception):
    """An address that must not be fetched; the message says why."""


def canonical(url: str) -> str:
    """Return an address in one form: lower-case host, no default port, no fragment, encoded path."""
    parts = urlsplit(url.strip())
    host = (parts.hostname or "").lower().rstrip(".")
    if ":" in host:
        host = f"[{host}]"
    port = parts.port
    netloc = host if port is None or port == _PORTS.get(parts.scheme.lower()) else f"{host}:{port}"
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return urlunsplit((parts.scheme.lower(), netloc, path, query, ""))


def document_address(source: Source, url: str) -> str:
    """Return the one address of a document: canonical, and without what a saved copy added to it.

    A saved mirror names its files `58732.html` where the site's own address ends in `58732`.
    """
    made = canonical(url)
    if source.article and made.endswith(".html") and not re.search(source.article, _path(urlsplit(made))):
        bare = made.removesuffix(".html")
        if re.search(source.article, _path(urlsplit(bare))):
            return bare
    return made


def is_document(source: Source, url: str) -> bool:
    """Say whether an address is one of the source's documents, by host and pattern."""
    parts = urlsplit(url)
    return (
        bool(source.article)
        and (parts.hostname or "") in source.hosts
        and re.search(source.article, _path(parts)) is not None
    )


def _path(parts: SplitResult) -> str:
    return parts.path + (f"?{parts.query}" if parts.query else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """Where a source is fetched from: itself, or the mirror that `--base-url` names.

    Addresses are stored as the site's own; only requests go to the mirror.
    """

    source: Source
    base_url: str = ""

    def outward(self, url: str) -> str:
        """Return where an address of the site is fetched from."""
        if not self.base_url:
            return url
        parts, base = urlsplit(url), urlsplit(self.base_url)
        if parts.scheme not in _PORTS or (parts.hostname or "") not in self.source.hosts:
            return url
        return urlunsplit((base.scheme, base.netloc, base.path.rstrip("/") + parts.path, parts.query, ""))

    def inward(self, url: str, *, like: str) -> str:
        """Return the site's own address for one that may be the mirror's; `like` is the page it stood on."""
        made = canonical(url)
        if not self.base_url:
            return made
        parts, base = urlsplit(made), urlsplit(canonical(self.base_url))
        if parts.netloc != base.netloc:
            return made
        site = urlsplit(like)
        path = parts.path.removeprefix(base.path.rstrip("/"))
        return canonical(urlunsplit((site.scheme, site.netloc, path, parts.query, "")))

    def resolved(self, link: str, *, page: str) -> str:
        """Return a link on a page of the site as the site's own address, an empty string when it is none."""
        try:
            joined = urljoin(page, link.strip())
            if urlsplit(joined).scheme not in {"http", "https"}:
                return ""
            return self.inward(joined, like=page)
        except ValueError:
            return ""

    def allows(self, url: str) -> bool:
        """Say whether a request or redirect may go to an address' host."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"}:
            return False
        if self.base_url:
            return parts.netloc == urlsplit(self.base_url).netloc
        return (parts.hostname or "").lower() in self.source.hosts

    @property
    def private_hosts(self) -> frozenset[str]:
        """Return the hosts that may be private: only the one that the user named as a mirror."""
        host = urlsplit(self.base_url).hostname if self.base_url else None
        return frozenset({host}) if host else frozenset()


def check_public(url: str, private_hosts: Collection[str]) -> None:
    """Refuse a host that resolves to an address within a private network.

    Raises
    ------
    AddressError
        When it does, or does not resolve.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in private_hosts:
        return
    try:
        found = socket.getaddrinfo(host, parts.port or _PORTS[parts.scheme], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressError(f"the host {host} is not known ({error})") from None
    for *_, address in found:
        if not is_public(str(address[0])):
            raise AddressError(f"{host} is the private address {address[0]}")


def is_public(address: str) -> bool:
    """Say whether an IP address is a public one (an IPv4 address within IPv6 counts as itself)."""
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_global
