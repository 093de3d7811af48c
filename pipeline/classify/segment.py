"""Split a statement into sentences without any trained pipeline.

spaCy's blank pipelines tokenise; the rules below replace its stock `sentencizer`, which breaks after abbreviations
("Art. 5", "No. 2593", "См. ст. 3") and leaves a Chinese closing quotation mark at the head of the next sentence.
Where each mark stands plainly behind a word, which is so in most statements, the same rules are read off the text
itself: the tokens could not tell more, and spaCy is not even imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline.classify.language import guess_language

if TYPE_CHECKING:
    from spacy.language import Language
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
_SHORTENED = _ABBREVIATIONS | _NUMBERED


def statement_sentences(doc: Doc) -> Doc:
    """Mark sentence starts: after a terminal mark and whatever closes it, or at a blank line."""
    import numpy as np

    ended = False
    starts = np.full(len(doc), -1, dtype=np.int64)
    for token in doc[:-1]:
        following = doc[token.i + 1]
        if _ends_sentence(token, following):
            ended = True
        elif not (ended and (token.text in _CLOSERS or token.is_space)):
            ended = token.is_space and "\n\n" in token.text
        if ended and not (following.text in _CLOSERS or following.is_space or _continues(following.text[0])):
            starts[following.i] = 1
            ended = False
    # All at once: set one by one, each mark makes spaCy look over the whole document.
    marks: Any = starts.astype(np.uint64)
    return doc.from_array(["SENT_START"], marks)


def _continues(character: str) -> bool:
    """Say whether what begins so goes on with what is before it: a small letter, a dash, a comma, one more "!"."""
    return character.islower() or character in "—–-,;:" or character in _TERMINALS


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
    return _stop_ends(stem, following.text[0])


def _stop_ends(stem: str, following: str) -> bool:
    """Say whether a full stop ends a sentence, by the word before it and the first character behind the space."""
    if stem.casefold() in _NUMBERED:
        return not following.isdigit()
    is_initial = len(stem) == 1 and stem.isupper()
    return not (is_initial or stem.casefold() in _ABBREVIATIONS)


@cache
def _pipeline(lang: str) -> Language:
    import spacy
    from spacy.language import Language

    Language.component("statement_sentences", func=statement_sentences)
    nlp = spacy.blank("zh" if lang == "zh" else "xx")
    nlp.add_pipe("statement_sentences")
    return nlp


_PIECE = re.compile(r"\S*[.!?…。！？]\S*")
"""A piece between spaces that holds a mark."""
_PLAIN = re.compile(r"[(«“]?(?:[^\W_]+[-’'])*([^\W_]+)([.!?…])([)»”]?)")
"""A word with one mark behind it, and perhaps one bracket or quotation mark."""
_NUMBER = re.compile(r"\d+(?:\.\d+)+[,;:)]?")
_UNEVEN = re.compile(r"^\s|\s\s|[^\S ]")
"""White space other than single spaces between words."""


def _plain_starts(text: str) -> list[int] | None:
    """Return where sentences start after the first, None when a mark does not stand plainly behind a word."""
    starts = []
    for piece in _PIECE.finditer(text):
        plain = _PLAIN.fullmatch(piece.group())
        if plain is None:
            if _NUMBER.fullmatch(piece.group()) is None:
                return None
            continue
        begin = piece.end() + 1
        if begin >= len(text):
            break
        word, mark, closer = plain.groups()
        following = text[begin]
        # Of a compound, spaCy may see the last part or all of it: where that matters, it is asked.
        compound = plain.start(1) > plain.start() + (piece.group()[0] in "(«“")
        if following in _CLOSERS or (compound and (len(word) == 1 or word.casefold() in _SHORTENED)):
            return None
        ends = mark != "." or closer or _stop_ends(word, following)
        if ends and not _continues(following):
            starts.append(begin)
    return starts


_HAN = re.compile(r"[㐀-鿿]")
_MARK = re.compile(r"[.!?…。！？]")


def _chinese_starts(text: str) -> Iterator[int]:
    """Yield where sentences start after the first; in Chinese every character is a token."""
    for match in _MARK.finditer(text):
        end = match.end()
        spaced = text[end : end + 1] == " "
        begin = end + spaced
        if begin >= len(text):
            return
        if match.group() == "." and text[begin] not in _CLOSERS:
            stem = text[end - 2 : end - 1].strip() if end > 1 else ""
            if not spaced or not _stop_ends(stem, text[begin]):
                continue
        while text[begin : begin + 1] in _CLOSERS or text[begin : begin + 1] == " ":
            begin += 1
        if begin < len(text) and not _continues(text[begin]):
            yield begin


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
    if not lang:  # one rule is for Chinese, the other for all else
        lang = guess_language(text) if _HAN.search(text) else "en"
    starts = None
    if not _UNEVEN.search(text):
        starts = list(_chinese_starts(text)) if lang == "zh" else _plain_starts(text)
    edges = _token_starts(text, lang) if starts is None else [0, *starts]
    return tuple(_trimmed(text, edges))


def _token_starts(text: str, lang: str) -> list[int]:
    return [sentence.start_char for sentence in _pipeline(lang)(text).sents]


def _trimmed(text: str, starts: list[int]) -> Iterator[tuple[int, int]]:
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        raw = text[start:end]
        first, last = start + len(raw) - len(raw.lstrip()), start + len(raw.rstrip())
        if last > first:
            yield first, last
