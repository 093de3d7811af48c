"""Cut a speaker's turn into statements of one to a few sentences, along its paragraphs.

The codebook's unit is one to four sentences. A paragraph is kept whole where it is about that long; shorter
ones join the next, longer ones are cut at sentence ends into parts of even length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from pipeline.ingest.extract.sentences import sentences

_SHORT = {"zh": 40}
_LONG = {"zh": 320}
_SHORT_ELSE, _LONG_ELSE = 120, 800


def passages(paragraphs: Iterable[str], lang: str) -> Iterator[str]:
    """Yield the statements of one turn, in order; together they hold all of its text.

    Parameters
    ----------
    paragraphs : iterable of str
    lang : str
        `zh` measures by about a third of the length of the other languages: its script is denser.
    """
    short, long = _SHORT.get(lang, _SHORT_ELSE), _LONG.get(lang, _LONG_ELSE)
    joint = "" if lang == "zh" else " "
    pending = ""
    last: str | None = None
    for paragraph in paragraphs:
        text = f"{pending}{joint if pending else ''}{paragraph}"
        if len(text) < short:
            pending = text
            continue
        if last is not None:
            yield from _cut(last, lang, long)
        last, pending = text, ""
    if last is None:
        yield from [pending] if pending else []
        return
    # What is left too short to stand alone goes with what came before it.
    yield from _cut(f"{last}{joint}{pending}" if pending else last, lang, long)


def _cut(text: str, lang: str, long: int) -> Iterator[str]:
    if len(text) <= long:
        yield text
        return
    spans = tuple(sentences(text, lang))
    size = len(text) / -(-len(text) // long)
    cuts, begun = [0], 0
    for _, (start, _) in pairwise(spans):
        if start - begun >= 0.8 * size and len(text) - start >= 0.3 * size:
            cuts.append(start)
            begun = start
    yield from (text[start:end].strip() for start, end in pairwise([*cuts, len(text)]))
