"""What a response's bytes are: decompressed within bounds, and whether they are an anti-bot challenge."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

MAX_RATIO = 200
"""How many times its size a compressed body may grow; HTML shrinks some 5 to 20 times."""

_ALWAYS_ALLOWED = 1_000_000
_VISIBLE_BYTES = 900
_CHALLENGES = (
    b"/TSPD/", b'window["bobcmn"]', b"window.bobcmn", b"/cdn-cgi/challenge-platform", b"_Incapsula_Resource",
    b"__ddg", b"/.well-known/ddos-guard", b"sucuri_cloudproxy", b"Please enable JavaScript",
    b"enable JavaScript and cookies", b"Checking your browser",
)  # fmt: skip
_UNSEEN = re.compile(
    rb"<(script|style|template)\b.*?</\1\s*>|<!--.*?-->|<head\b.*?</head\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE
)


class BodyError(Exception):
    """A body that cannot be used; the message says why."""


def decoded(body: bytes, encodings: str, *, max_bytes: int) -> bytes:
    """Undo a content encoding (gzip, deflate or none), in bounded memory.

    Raises
    ------
    BodyError
        When the encoding is not known, the body is damaged or cut off, or it would grow beyond `max_bytes`
        or beyond `MAX_RATIO` times its size.
    """
    names = [name.strip().lower() for name in encodings.split(",") if name.strip().lower() not in {"", "identity"}]
    for name in reversed(names):
        if name not in {"gzip", "x-gzip", "deflate"}:
            raise BodyError(f"content encoding {name!r} is not known")
        body = _inflated(body, name, max_bytes=max_bytes)
    return body


def _inflated(body: bytes, name: str, *, max_bytes: int) -> bytes:
    limit = min(max_bytes, max(_ALWAYS_ALLOWED, MAX_RATIO * len(body)))
    # "deflate" means zlib, but some servers send it raw.
    raw = name == "deflate" and (len(body) < 2 or (body[0] & 0x0F) != 8 or (body[0] * 256 + body[1]) % 31)
    window = zlib.MAX_WBITS | 16 if name != "deflate" else (-zlib.MAX_WBITS if raw else zlib.MAX_WBITS)
    parts: list[bytes] = []
    size = 0
    while body:
        unpacker = zlib.decompressobj(window)
        try:
            part = unpacker.decompress(body, limit - size + 1)
        except zlib.error as error:
            raise BodyError(f"damaged {name} body ({error})") from None
        size += len(part)
        if size > limit:
            raise BodyError(f"unpacks to more than {limit:,} bytes: taken for a compression bomb")
        if not unpacker.eof:
            raise BodyError(f"the {name} body is cut off")
        parts.append(part)
        # A gzip body may have several members; anything else behind the end is padding.
        body = unpacker.unused_data if unpacker.unused_data[:2] == b"\x1f\x8b" else b""
    return b"".join(parts)


def is_challenge(content: bytes, markers: Sequence[str] = ()) -> bool:
    """Say whether a page is an anti-bot challenge: it has a marker of one, and next to no visible text.

    Real pages may carry a protection's script too, so the marker alone decides nothing.

    Parameters
    ----------
    content : bytes
        The decompressed page.
    markers : sequence of str
        Further markers of the source, beside those of the usual protections.
    """
    head = content[:400_000]
    if not any(marker in head for marker in (*_CHALLENGES, *(m.encode() for m in markers))):
        return False
    return len(b" ".join(_UNSEEN.sub(b" ", head).split())) < _VISIBLE_BYTES
