"""Split a statement into sentences without any trained pipeline.

spaCy's blank pipelines tokenise; the sentence component below replaces the stock `sentencizer`, which
breaks after abbreviations ("Art. 5", "No. 2593", "См. ст. 3") and leaves a Chinese closing quotation mark
at the head of the next sentence.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import spacy
from spacy.language import Language

from pipeline.classify.language import guess_language

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

_TERMINALS = frozenset(".!?…。！？")
_CLOSERS = frozenset("\"'»”’)]）】」』》")
# Written with a full stop that does not end a sentence.
_ABBREVIATIONS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "gen",
        "col",
        "lt",
        "sen",
        "rep",
        "amb",
        "st",
        "eds",
        "cf",
        "vs",
        "viz",
        "e.g",
        "i.e",
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "oct",
        "nov",
        "dec",
        "a.m",
        "p.m",
        "u.s",
        "u.k",
        "u.n",
        "см",
        "п",
        "пп",
        "г",
        "гг",
        "т.е",
        "т.д",
        "т.п",
        "т.н",
        "им",
        "др",
        "проф",
        "ген",
        "тов",
        "руб",
        "тыс",
        "млн",
        "млрд",
        "напр",
        "ср",
        "н.э",
    ]
)
# The same, but only before a number: "No. 2593", "ст. 3".
_NUMBERED = frozenset(
    [
        "no",
        "nos",
        "art",
        "arts",
        "para",
        "paras",
        "sec",
        "vol",
        "ch",
        "fig",
        "pp",
        "p",
        "ст",
        "стр",
        "гл",
        "рис",
    ]
)


@Language.component("statement_sentences")
def statement_sentences(doc: Doc) -> Doc:
    """Mark sentence starts: after a terminal mark and whatever closes it, or at a blank line."""
    ended = False
    starts = np.full(len(doc), -1, dtype=np.int64)
    for token in doc[:-1]:
        following = doc[token.i + 1]
        if _ends_sentence(token, following):
            ended = True
        elif not (ended and (token.text in _CLOSERS or token.is_space)):
            ended = token.is_space and "\n\n" in token.text
        if ended and not (following.text in _CLOSERS or following.is_space or _continues(following)):
            starts[following.i] = 1
            ended = False
    # All at once: set one by one, each mark makes spaCy look over the whole document.
    marks: Any = starts.astype(np.uint64)
    return doc.from_array(["SENT_START"], marks)


def _continues(token: Token) -> bool:
    """Say whether a token goes on with what is before it: a small letter, a dash, a comma, one more "!"."""
    return token.text[0].islower() or token.text[0] in "—–-,;:" or token.text[0] in _TERMINALS


def _ends_sentence(token: Token, following: Token) -> bool:
    """Say whether a token is a terminal mark and not the full stop of an abbreviation or a number."""
    if token.text[-1] not in _TERMINALS:
        return False
    if not token.text.endswith(".") or following.text in _CLOSERS:
        return True
    if following.is_space:  # two spaces, or a line break: what counts stands behind it
        if following.i + 1 == len(following.doc):
            return True
        following = following.nbor()
    elif not token.whitespace_:
        return False
    stem = token.text[:-1] or (token.nbor(-1).text if token.i and not token.nbor(-1).whitespace_ else "")
    if stem.casefold() in _NUMBERED:
        return not following.text[0].isdigit()
    is_initial = len(stem) == 1 and stem.isupper()
    return not (is_initial or stem.casefold() in _ABBREVIATIONS)


@cache
def _pipeline(lang: str) -> Language:
    nlp = spacy.blank("zh" if lang == "zh" else "xx")
    nlp.add_pipe("statement_sentences")
    return nlp


def sentence_spans(text: str, lang: str = "") -> tuple[tuple[int, int], ...]:
    """Return the sentences of a text as (start, end) offsets in code points, white space trimmed.

    Parameters
    ----------
    text : str
        A statement of any length.
    lang : str
        `en`, `ru` or `zh`; guessed from the script when empty.

    Returns
    -------
    tuple of (int, int)
        In order, never overlapping, none empty; together they hold every character but white space.
    """
    doc = _pipeline(lang or guess_language(text))(text)
    spans = []
    for sentence in doc.sents:
        raw = sentence.text_with_ws
        start = sentence.start_char + len(raw) - len(raw.lstrip())
        end = sentence.start_char + len(raw.rstrip())
        if end > start:
            spans.append((start, end))
    return tuple(spans)
