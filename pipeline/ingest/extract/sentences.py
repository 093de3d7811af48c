"""Sentences of a text of any length.

The segmenter marks each token on its document, at a cost that grows with the document's length; a paragraph
of a whole book would take minutes. Longer texts are handed to it in windows that end where a sentence may.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.classify.segment import sentence_spans

_WINDOW = 2000
_MAY_END = re.compile(r"[.!?…]\s|[。！？]")


def sentences(text: str, lang: str) -> Iterator[tuple[int, int]]:
    """Yield the sentences of a text as (start, end) in code points, in order, never overlapping.

    Parameters
    ----------
    text : str
    lang : str
        `en`, `ru` or `zh`; others are read as English.
    """
    known = lang if lang in {"en", "ru", "zh"} else "en"
    begin = 0
    while begin < len(text):
        end = _window_end(text, begin)
        for start, stop in sentence_spans(text[begin:end], known):
            yield begin + start, begin + stop
        begin = end


def _window_end(text: str, begin: int) -> int:
    """Return where the window ends: at the last place in it where a sentence may, else after white space."""
    if len(text) - begin <= 1.5 * _WINDOW:
        return len(text)
    window = text[begin : begin + _WINDOW]
    ends = [match.end() for match in _MAY_END.finditer(window, _WINDOW // 2)]
    if ends:
        return begin + ends[-1]
    blank = window.rfind(" ", _WINDOW // 2)
    return begin + (blank + 1 if blank > 0 else _WINDOW)
