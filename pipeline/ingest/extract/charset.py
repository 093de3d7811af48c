"""Decode bytes whose charset label may be wrong or missing: UTF-8, GB18030, windows-1251 and their kin.

Text that is valid UTF-8 with non-ASCII characters is UTF-8, whatever its label says: the odds of another
encoding passing are negligible. Otherwise each candidate is tried and judged by how many of the letters it
gives are the frequent ones of Chinese or Russian.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_META = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_:.-]{2,40})""", re.IGNORECASE)
_ALIASES = {"gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "cp1251": "windows-1251", "utf8": "utf-8"}
_CANDIDATES = ("gb18030", "windows-1251", "big5", "koi8-r", "cp866")
# Frequent characters: the first tell real Chinese from other bytes read as such, the second Russian.
_HAN = frozenset("的一是不了在人有我他这为之来以个中上大国和地到说们发出会年生对成可要时下过作面方关部交记者问答")
_CYRILLIC = frozenset("оеаинтсрвл")
_ENOUGH = 0.25
_BROKEN = 0.05
"""Share of the non-ASCII characters that may be broken in text that is UTF-8 all the same."""
_SAMPLE = 40_000


def decode(content: bytes, claimed: str = "") -> tuple[str, str]:
    """Return the text and the name of the encoding it was read in; never fails.

    Parameters
    ----------
    content : bytes
    claimed : str
        Charset as the transport named it; believed only where the bytes bear it out.

    Returns
    -------
    (str, str)
        Bytes that fit no encoding become U+FFFD.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace"), encoding
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text = content.decode("utf-8", errors="replace")
    if text.count("�") <= _BROKEN * sum(not character.isascii() for character in text):
        return text, "utf-8"
    encoding = _most_plausible(content, [*_claims(content, claimed), *_CANDIDATES])
    return content.decode(encoding, errors="replace"), encoding


def _claims(content: bytes, claimed: str) -> Iterator[str]:
    found = _META.search(content[:4096])
    for name in (claimed, found.group(1).decode("ascii") if found else ""):
        known = _known(name)
        if known:
            yield known


def _known(name: str) -> str:
    name = name.strip().lower()
    try:
        codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    return _ALIASES.get(name, name)


def _most_plausible(content: bytes, candidates: list[str]) -> str:
    sample = content[:_SAMPLE]
    readings = {name: sample.decode(name, errors="replace") for name in dict.fromkeys(["utf-8", *candidates])}
    best = max(readings, key=lambda name: _plausibility(readings[name]))
    # Latin text with a few odd bytes: the label decides, then the commonest of the web.
    return best if _plausibility(readings[best]) >= _ENOUGH else next(iter(candidates[:-5]), "windows-1252")


def _plausibility(text: str) -> float:
    """Return the share of the non-ASCII characters that are frequent letters, less what did not decode."""
    foreign = [character for character in text if not character.isascii() and not character.isspace()]
    if not foreign:
        return 0.0
    frequent = max(
        sum(character in _HAN for character in foreign), sum(character in _CYRILLIC for character in foreign)
    )
    return (frequent - 5 * text.count("�")) / len(foreign)
