"""Tell at one glance that a text names none of the targets: one automaton over the cue terms of all of them.

Most text in an archive concerns no target. The terms of all targets and languages are looked for at once (Aho and
Corasick 1975), in the folded text, before it is split into words or sentences. The gate errs to one side only: it
may let a text pass that names nothing, which the features then find out; a text it stops holds no term.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import ahocorasick_rs

from pipeline.classify.lexicon import is_han, term_words

_LETTER = re.compile(r"[^\W_㐀-鿿]")
"""A character that a word goes on with."""


class Gate:
    """Say whether a folded text may hold one of the terms.

    Parameters
    ----------
    terms : iterable of str
        Folded, in the notation of the dictionary: whole words, `*` for any ending, Chinese anywhere. Of a phrase,
        the longest word is looked for.
    """

    def __init__(self, terms: Iterable[str]) -> None:
        # A literal that several terms share is as open as the most open of them.
        open_ended: dict[str, bool] = {}
        for term in terms:
            word = max(term_words(term), key=_length)
            literal = word.removesuffix("*")
            open_ended[literal] = open_ended.get(literal, False) or is_han(literal) or word != literal
        short = [word for word in open_ended if len(word) == 1 and not is_han(word)]
        # A letter that stands alone is a word; looked for among the others, it would be found in every text.
        self._short = re.compile(rf"(?:{'|'.join(map(re.escape, short))})(?!{_LETTER.pattern})") if short else None
        self._any_ending = [word for word in short if open_ended[word]]
        self._literals = [word for word in open_ended if word not in short]
        self._open = [open_ended[word] for word in self._literals]
        self._han = [is_han(word) for word in self._literals]
        self._automaton = ahocorasick_rs.AhoCorasick(self._literals, store_patterns=False)

    def passes(self, folded: str) -> bool:
        """Return False only for a text that holds none of the terms."""
        for term, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            if self._han[term]:
                return True
            if (start and _LETTER.match(folded, start - 1)) or (
                not self._open[term] and end < len(folded) and _LETTER.match(folded, end)
            ):
                continue
            return True
        return bool(self._any_ending) or self._names_letter(folded)

    def _names_letter(self, folded: str) -> bool:
        if self._short is None:
            return False
        found = self._short.finditer(folded)
        return any(match.start() == 0 or not _LETTER.match(folded, match.start() - 1) for match in found)


def _length(word: str) -> int:
    return len(word.removesuffix("*"))
