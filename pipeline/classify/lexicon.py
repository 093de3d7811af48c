"""Find concepts in a sentence: a trilingual dictionary that reads different wordings as one thing.

A concept (`PREMATURE`: "too early", "рано", "为时过早") is written in corpus/lexicon.toml; the cue terms of
the targets are concepts of their own. What is learnt on a concept in one language holds in the others.
Dictionaries as features of a learnt model: Laver and Garry (2000), Young and Soroka (2012).

Text and terms are folded: lower case, ё as е, marks composed with their letters. English and Russian terms match
whole words, word by word, or word beginnings where a word of the term ends in `*`; a `*` alone stands for any one
word. Chinese terms match anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

TOKEN = re.compile(r"[㐀-鿿]+|[^\W_㐀-鿿]+")
"""A run of Chinese characters, or a word of any other script."""
_COUNTRY = re.compile(r"\bUS\b", re.ASCII)  # beside Chinese characters too
HAN_WIDTH = 0.6
"""Words that a Chinese character stands for when distances are measured."""
_CACHED_WORDS = 200_000
_Phrases = dict[int, list[tuple[tuple[int, ...], int]]]
"""Phrases after their first word: by the second, what follows and the concept."""
_Reading = tuple[tuple[int, ...], tuple[int, ...], tuple[_Phrases, ...]]
"""What a word is: concepts, words of phrases, and the phrases that it begins."""
_NOTHING: _Reading = ((), (), ())
"""Reading of a word that is part of no term."""
_ANY = -1
"""Number of a lone `*` in a phrase."""


def fold(text: str) -> str:
    """Return the text as features see it: composed, lower case, ё as е, the country US apart from the pronoun."""
    if "US" in text:
        text = _COUNTRY.sub("U.S.", text)
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", text).lower().replace("ё", "е")


def is_han(token: str) -> bool:
    """Say whether a token of `TOKEN` is a run of Chinese characters."""
    return "㐀" <= token[0] <= "鿿"


class ConceptFinder:
    """Match all terms of all concepts in one pass over a sentence's tokens.

    Parameters
    ----------
    concepts : mapping of str to sequence of str
        Terms of each concept, of all languages together. A concept's number is its place in the mapping.

    Raises
    ------
    ValueError
        When a concept has no term, a term no word, or a term could never match: Chinese characters beside
        anything else (a run holds neither marks nor other scripts), or a `*` before the first word.
    """

    def __init__(self, concepts: Mapping[str, Sequence[str]]) -> None:
        self._whole: dict[str, set[int]] = {}
        self._prefixes: dict[str, set[int]] = {}
        self._han: dict[str, set[int]] = {}
        # First word, then second, then what follows them and the concept: few phrases survive two words.
        self._phrases: dict[int, _Phrases] = {}
        self._words: dict[str, int] = {}  # number of each word of a phrase, `*` included
        self._seen: dict[str, _Reading] = {}
        for number, (name, terms) in enumerate(concepts.items()):
            if not terms:
                raise ValueError(f"concept {name} needs at least one term")
            for term in terms:
                self._add(fold(term), number)
        self._longest_prefix = max(map(len, self._prefixes), default=0)
        # Few characters begin a Chinese term, and the terms that one begins have few lengths.
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        for term in self._han:
            lengths[term[0]].add(len(term))
        self._han_lengths = {first: sorted(found) for first, found in lengths.items()}
        self._prefix_words = {word[:-1]: n for word, n in self._words.items() if word.endswith("*")}
        self._longest_prefix = max([self._longest_prefix, *map(len, self._prefix_words)])

    def _add(self, term: str, number: int) -> None:
        words = term_words(term)
        if not any(map(str.isalnum, "".join(words))):
            raise ValueError(f"the term {term!r} holds no word")
        if words[0] == "*" or (any(map(is_han, words)) and not TOKEN.fullmatch(term.strip())):
            raise ValueError(f"the term {term!r} could never match")
        if is_han(words[0]):
            self._han.setdefault(words[0], set()).add(number)
        elif len(words) > 1:
            first, second, *rest = (self._number(word) for word in words)
            self._phrases.setdefault(first, {}).setdefault(second, []).append((tuple(rest), number))
        elif words[0].endswith("*"):
            self._prefixes.setdefault(words[0][:-1], set()).add(number)
        else:
            self._whole.setdefault(words[0], set()).add(number)

    def _number(self, word: str) -> int:
        return _ANY if word == "*" else self._words.setdefault(word, len(self._words))

    def find(self, tokens: Sequence[str]) -> list[int]:
        """Return the numbers of the concepts that occur in a folded sentence's tokens, in order of appearance."""
        return list(self.places(tokens))

    def places(self, tokens: Sequence[str]) -> dict[int, list[float]]:
        """Return where each concept occurs, counted in words; a Chinese character counts `HAN_WIDTH` words."""
        found: defaultdict[int, list[float]] = defaultdict(list)
        readings = [self._seen.get(token) or self._read(token) for token in tokens]
        place = 0.0
        for number, reading in enumerate(readings):
            if reading is _NOTHING:
                place += 1
                continue
            if reading is None:
                token = tokens[number]
                for concept, start in self._in_han(token):
                    found[concept].append(place + start * HAN_WIDTH)
                place += len(token) * HAN_WIDTH
                continue
            for concept in reading[0]:
                found[concept].append(place)
            following = readings[number + 1] if reading[2] and number + 1 < len(readings) else None
            if following is not None:
                for concept in self._phrases_at(reading[2], following[1], readings, number + 2):
                    found[concept].append(place)
            place += 1
        return found

    def _phrases_at(
        self, begun: Sequence[_Phrases], second: Sequence[int], readings: Sequence[_Reading | None], place: int
    ) -> list[int]:
        """Return the concepts of the phrases begun by a word, whose second word is known, that go on at a place."""
        concepts = []
        for phrases in begun:
            for word in (_ANY, *second):
                for rest, concept in phrases.get(word, ()):
                    if not rest or self._follows(readings, place, rest):
                        concepts.append(concept)
        return concepts

    def _read(self, token: str) -> _Reading | None:
        """Return what a word is on its own, None for a run of Chinese characters.

        Remembered, as words recur; `_NOTHING` itself where nothing matches.
        """
        if is_han(token):
            return None
        concepts = set(self._whole.get(token, ()))
        words = {self._words[token]} if token in self._words else set()
        for end in range(1, min(len(token), self._longest_prefix) + 1):
            concepts |= self._prefixes.get(token[:end], set())
            if token[:end] in self._prefix_words:
                words.add(self._prefix_words[token[:end]])
        begun = tuple(self._phrases[word] for word in sorted(words) if word in self._phrases)
        reading = (tuple(sorted(concepts)), tuple(sorted(words)), begun) if concepts or words else _NOTHING
        if len(self._seen) < _CACHED_WORDS:
            self._seen[token] = reading
        return reading

    def _in_han(self, token: str) -> Iterator[tuple[int, int]]:
        for start, first in enumerate(token):
            for length in self._han_lengths.get(first, ()):
                for concept in self._han.get(token[start : start + length], ()):
                    yield concept, start

    @staticmethod
    def _follows(readings: Sequence[_Reading | None], place: int, rest: tuple[int, ...]) -> bool:
        if place + len(rest) > len(readings):
            return False
        for word in rest:
            reading = readings[place]
            if reading is None or (word != _ANY and word not in reading[1]):
                return False
            place += 1
        return True


_TERM_WORD = re.compile(rf"(?:{TOKEN.pattern})\*?|(?<!\S)\*(?!\S)")


def term_words(term: str) -> list[str]:
    """Split a folded term into words, each with its `*` if it has one."""
    return _TERM_WORD.findall(term)
