"""Tell at one glance that a text names none of the targets: one automaton over the cue terms of all of them.

Most text in an archive concerns no target. The terms of all targets and languages are looked for at once (Aho and
Corasick 1975) in the folded text, before it is split into sentences and words. A text that the gate stops holds no
term, so that the model has nothing to read in it: its answer is `none`, with the probability that training texts
without the name had.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import ahocorasick_rs

from pipeline.classify.lexicon import is_han, term_words

_LETTER = r"[^\W_㐀-鿿]"


class Gate:
    """Say whether a folded text may hold one of the terms.

    The automaton looks for the longest word of each term; where it stands, the term itself is tried.

    Parameters
    ----------
    terms : iterable of str
        Folded, in the notation of the dictionary: words, `*` for any ending and alone for any word, Chinese
        anywhere.
    """

    def __init__(self, terms: Iterable[str]) -> None:
        by_literal: defaultdict[str, list[str]] = defaultdict(list)
        for term in dict.fromkeys(terms):
            by_literal[max((word.rstrip("*") for word in term_words(term)), key=len)].append(term)
        # A single letter would be found in every text: such terms are tried on all texts, at once.
        lone = [literal for literal in by_literal if len(literal) == 1 and not is_han(literal)]
        self._lone = _compiled([term for literal in lone for term in by_literal.pop(literal)]) if lone else None
        self._terms = list(by_literal.values())
        self._anywhere = [is_han(literal) for literal in by_literal]
        self._whole = [literal in terms for literal, terms in by_literal.items()]
        self._begun = [f"{literal}*" in terms for literal, terms in by_literal.items()]
        self._phrases: dict[int, re.Pattern[str]] = {}
        self._automaton = ahocorasick_rs.AhoCorasick(list(by_literal), store_patterns=False)

    def passes(self, folded: str) -> bool:
        """Return False only for a text that holds none of the terms."""
        if not folded.isascii():  # half a pair of code points is no character, and part of no term
            folded = folded.encode("utf-8", errors="replace").decode()
        for literal, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            if self._anywhere[literal]:
                return True
            if start and _is_letter(folded[start - 1]):
                continue
            if self._begun[literal] or (self._whole[literal] and not _is_letter(folded[end : end + 1])):
                return True
            if self._holds_phrase(literal, folded):
                return True
        return self._lone is not None and self._lone.search(folded) is not None

    def _holds_phrase(self, literal: int, folded: str) -> bool:
        # Patterns are compiled when first met: of two thousand terms, texts meet few.
        pattern = self._phrases.get(literal)
        if pattern is None:
            pattern = self._phrases[literal] = _compiled(self._terms[literal])
        return pattern.search(folded) is not None


def _is_letter(character: str) -> bool:
    """Say whether a word goes on with a character; `TOKEN` is made of such."""
    return character.isalnum() and not is_han(character)


def _compiled(terms: Sequence[str]) -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(map(_pattern, terms))})(?!{_LETTER})")


def _pattern(term: str) -> str:
    """Return a folded term as a regular expression over folded text; a search wants it to begin with a letter."""
    first, *rest = term_words(term)
    begin = re.escape(first.removesuffix("*"))
    border = f"(?<!{_LETTER}{begin})" + (f"{_LETTER}*" if first.endswith("*") else "")
    return r"[\W_]+".join([begin + border, *map(_any_ending, rest)])


def _any_ending(word: str) -> str:
    if word == "*":
        return f"{_LETTER}+"
    return re.escape(word.removesuffix("*")) + (f"{_LETTER}*" if word.endswith("*") else "")
