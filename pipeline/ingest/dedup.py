"""When two texts are one: identity by normalised text, likeness by MinHash.

A. Z. Broder, "On the resemblance and containment of documents" (1997): the share of equal minima of random
hashes over two sets of shingles estimates their Jaccard similarity. Bands of minima (Leskovec, Rajaraman and
Ullman, "Mining of Massive Datasets", ch. 3.4) find candidates; the exact similarity of the shingle sets decides.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from pipeline.schema import Statement

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIMILAR = 0.8
"""Jaccard similarity of shingles from which two texts are one statement."""

NEAR_DAYS = 7
"""How many days apart the same statement may be dated at different addresses."""

_BANDS, _ROWS = 16, 4
_WORDS_A_SHINGLE, _CHARACTERS_A_SHINGLE = 3, 4
_MIN_SHINGLES = 12
_LONG = 60
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_NUMBER = re.compile(r"\d+")
_NO_WORD = re.compile(r"[\W_]+")


def normalised(text: str) -> str:
    """Return a text without case, punctuation, spacing and forms of characters, which mirrors change."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = _NO_WORD.sub(" ", folded).strip()
    return words.replace(" ", "") if _CJK.search(words) else words


def is_long(plain: str) -> bool:
    """Say whether a normalised text is long enough to be told by itself; a Chinese character counts as three."""
    return len(plain) + 2 * len(_CJK.findall(plain)) >= _LONG


def numbers(plain: str) -> tuple[str, ...]:
    """Return the numbers of a normalised text in order."""
    return tuple(_NUMBER.findall(plain))


def text_hash(plain: str) -> str:
    """Return the identity of a normalised text."""
    return hashlib.sha256(plain.encode()).hexdigest()[:24]


def identified(statement: Statement, plain: str, *, occurrence: int) -> Statement:
    """Return a statement with the id that its content gives.

    Who said what, when, in which language is one statement wherever it stands. A short text ("Thank you.") is
    one only within its page's title, its question and its place among equal ones of the page.
    """
    parts = [statement.country, statement.speaker, statement.date, statement.lang, plain]
    if not is_long(plain):
        parts += [normalised(statement.title), normalised(statement.context), str(occurrence)]
    digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
    return replace(statement, statement_id=f"s{digest}")


def shingles(plain: str) -> NDArray[np.uint64]:
    """Return the hashed shingles of a normalised text, sorted and unique: of words, in Chinese of characters."""
    import numpy as np

    if _CJK.search(plain):
        units = np.fromiter((ord(c) for c in plain), dtype=np.uint64)
        size = _CHARACTERS_A_SHINGLE
    else:
        units = np.fromiter((zlib.crc32(word.encode()) for word in plain.split()), dtype=np.uint64)
        size = _WORDS_A_SHINGLE
    count = len(units) - size + 1
    if count < 1:
        return np.empty(0, dtype=np.uint64)
    mixed = np.zeros(count, dtype=np.uint64)
    for offset in range(size):
        mixed = _scrambled(mixed * np.uint64(0x9E3779B97F4A7C15) + units[offset : offset + count])
    return np.unique(mixed)


def _scrambled(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits of 64-bit integers (the finaliser of SplitMix64)."""
    import numpy as np

    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@cache
def _seeds() -> NDArray[np.uint64]:
    import numpy as np

    return _scrambled(np.arange(1, _BANDS * _ROWS + 1, dtype=np.uint64))


def bands(hashed: NDArray[np.uint64]) -> tuple[int, ...]:
    """Return the band keys of a set of shingles, as signed 64-bit integers; none for a text too short.

    Two texts that share a key are candidates: at a similarity of 0.8 all but one pair in 5,000 share one.
    """
    import numpy as np

    if len(hashed) < _MIN_SHINGLES:
        return ()
    minima = np.array([_scrambled(hashed ^ seed).min() for seed in _seeds()], dtype=np.uint64)
    keys = np.arange(1, _BANDS + 1, dtype=np.uint64)
    for row in range(_ROWS):
        keys = _scrambled(keys * np.uint64(0x9E3779B97F4A7C15) + minima[row::_ROWS])
    return tuple(int(key) for key in keys.view(np.int64))


def similarity(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> float:
    """Return the Jaccard similarity of two sets of shingles."""
    import numpy as np

    common = len(np.intersect1d(left, right, assume_unique=True))
    union = len(left) + len(right) - common
    return common / union if union else 0.0
