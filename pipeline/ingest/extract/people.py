"""Who a name on a page is: the speakers of actors.toml, found under any spelling, initial or case ending.

A `People` is built once from the actors. `mentions` finds known names in running text; `named` reads a label.
Russian names are compared by stems, word for word, so that "С.В.Лаврова" and "Сергею Лаврову" are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias, TypeVar

from pipeline.config import Actor, Actors, Speaker, corpus_dir, load_actors

Key: TypeAlias = tuple[str, ...]
_K = TypeVar("_K", str, tuple[str, ...])

_WORD = re.compile(r"[^\W\d_]+(?:[’'\-][^\W\d_]+)*")
_HAN = re.compile(r"[㐀-鿿·]+")
_HAN_WORD = re.compile(r"[㐀-鿿]")
_POSSESSIVE = re.compile(r"[’']s$")
_CASE_ENDING = re.compile(
    r"(?<=[а-яё]{3})(?:ого|его|ому|ему|ыми|ими|ой|ей|ий|ый|ым|им|ом|ем|ою|ею|а|я|у|ю|е|ы|и|й|ь|о)$"
)
_ARTICLE = re.compile(r"^(?:the )?(?:republic of (?!korea))?", re.IGNORECASE)
_TAGGED = re.compile(r"#[A-ZА-ЯЁ][^\W\d_]+")
_LONGEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A known name in a text: where it stands, and the speakers that bear it."""

    start: int
    end: int
    speakers: tuple[Speaker, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Indexes over the speakers and actors of actors.toml.

    Attributes
    ----------
    actors : Actors
    words : mapping of word stems to speakers
        Names in alphabets, in full.
    joined : mapping of the same written without spaces
    surnames : mapping of a surname's stem to speakers
    han : mapping of Chinese names to speakers
    places : mapping of the names of actors (word stems or Chinese) to actors
    """

    actors: Actors
    words: Mapping[Key, tuple[Speaker, ...]]
    joined: Mapping[str, tuple[Speaker, ...]]
    surnames: Mapping[str, tuple[Speaker, ...]]
    han: Mapping[str, tuple[Speaker, ...]]
    places: Mapping[Key, Actor]


def people_in(folder: Path | None = None) -> People:
    """Return the index of the bundled actors, or of another folder's, made once."""
    return _index(folder or corpus_dir())


@cache
def _index(folder: Path) -> People:
    return index_people(load_actors(folder))


def index_people(actors: Actors) -> People:
    """Build the index of a set of actors."""
    words: dict[Key, tuple[Speaker, ...]] = {}
    surnames: dict[str, tuple[Speaker, ...]] = {}
    han: dict[str, tuple[Speaker, ...]] = {}
    for speaker in actors.speaker:
        for spelling in speaker.spellings:
            if _HAN_WORD.search(spelling):
                _add(han, spelling, speaker)
            else:
                _add(words, word_key(spelling), speaker)
        if speaker.kind == "person":
            _add(words, _with_initial(speaker.name.ru), speaker)
            for name in filter(None, (speaker.name.en, speaker.name.ru)):
                _add(surnames, _surname(speaker, name), speaker)
    places = {
        ((name,) if _HAN_WORD.search(name) else word_key(name)): actor
        for actor in actors.actor
        for name in (actor.id, actor.name.en, actor.name.ru, actor.name.zh, *actor.aliases)
        if name
    }
    joined: dict[str, tuple[Speaker, ...]] = {}
    for key, speakers in words.items():
        for speaker in speakers:
            _add(joined, "".join(key), speaker)
    return People(actors=actors, words=words, joined=joined, surnames=surnames, han=han, places=places)


def _add(index: dict[_K, tuple[Speaker, ...]], key: _K, speaker: Speaker) -> None:
    held: tuple[Speaker, ...] = index.get(key, ())
    if key and speaker not in held:
        index[key] = (*held, speaker)


def _with_initial(russian: str) -> Key:
    """Return the key of a name as Russian transcripts shorten it: "Н.Моди" for "Нарендра Моди"."""
    key = word_key(russian)
    return (key[0][0], key[-1]) if len(key) == 2 else ()


def _surname(speaker: Speaker, name: str) -> str:
    key = word_key(name)
    # Chinese names begin with the surname; their transcriptions have it first too.
    chinese = any(role.actor == "CHN" for role in speaker.role)
    return key[0] if chinese else key[-1]


def word_key(text: str) -> Key:
    """Return the words of a name in small letters, without dots and case endings."""
    return tuple(_stem(word.group()) for word in _WORD.finditer(text))


def _stem(word: str) -> str:
    folded = _POSSESSIVE.sub("", word.casefold()).replace("ё", "е")
    return _CASE_ENDING.sub("", folded)


def mentions(text: str, people: People) -> tuple[Mention, ...]:
    """Return the known names in a text, longest first where they overlap, in order of place."""
    found = (*_in_words(text, people), *_in_han(text, people))
    return tuple(sorted(found, key=_place))


def _place(mention: Mention) -> int:
    return mention.start


def _in_words(text: str, people: People) -> Iterator[Mention]:
    tokens = [(word.start(), word.end(), _stem(word.group())) for word in _WORD.finditer(text)]
    at = 0
    while at < len(tokens):
        for length in range(min(_LONGEST, len(tokens) - at), 0, -1):
            key = tuple(stem for _, _, stem in tokens[at : at + length])
            speakers = people.words.get(key) or people.words.get(_without_patronymic(key))
            if speakers:
                yield Mention(start=tokens[at][0], end=tokens[at + length - 1][1], speakers=speakers)
                at += length - 1
                break
        at += 1


def _without_patronymic(key: Key) -> Key:
    """Return "А.Пробова" for "А.В.Пробова", which not every listed name has as an alias."""
    return (key[0], key[2]) if len(key) == 3 and len(key[0]) == len(key[1]) == 1 else ()


def _in_han(text: str, people: People) -> Iterator[Mention]:
    for run in _HAN.finditer(text):
        at = run.start()
        while at < run.end():
            for length in range(min(16, run.end() - at), 1, -1):
                speakers = people.han.get(text[at : at + length])
                if speakers:
                    yield Mention(start=at, end=at + length, speakers=speakers)
                    at += length - 1
                    break
            at += 1


def is_tagged_surname(text: str, people: People) -> bool:
    """Say whether a text is a listed surname with a hashtag, as channels label quotations ("#Lavrov")."""
    return _TAGGED.fullmatch(text) is not None and word_key(text)[0] in people.surnames


def place_named(text: str, people: People) -> Actor | None:
    """Return the actor that a text names as a whole ("Russian Federation", "the People's Republic of China")."""
    key = word_key(_ARTICLE.sub("", text.strip()))
    return people.places.get(key) or people.places.get((text.strip(),))
