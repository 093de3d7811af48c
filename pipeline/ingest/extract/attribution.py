"""Say whose each turn of a document is: labelled turns, the host's unlabelled ones, reported and joint text.

Questions are never statements: they go with the answer as its context. An opening without a label is the
host's only where the page is the host's own speech; told in the third person it is reported speech, and what
names nobody stays without a speaker.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.config import Speaker
from pipeline.ingest.extract.joint import joint_voice
from pipeline.ingest.extract.people import People, mentions
from pipeline.ingest.extract.reported import is_readout, reported_speech
from pipeline.ingest.extract.speakers import UNKNOWN, Attribution, resolve
from pipeline.ingest.extract.turns import HOST_LABELS, Turn
from pipeline.ingest.pages import Document
from pipeline.ingest.sources import Source

_SPEECH_TITLE = re.compile(
    r"\b(?:remarks|statement|speech|address|interview|briefing|intervention|keynote|answers?|press conference|"
    r"article|comment|response|explanation of vote|right of reply)\b|"
    r"выступлени|заявлени|интервью|брифинг|ответ|комментари|стать|реплик|"
    r"讲话|发言|致辞|演讲|答记者问|谈话|表态|采访|主持例行记者会|署名文章",
    re.IGNORECASE,
)
_REMEMBERED = 50
_TRANSLATED = re.compile(
    r"^\s*[(（](?:перевод|translated|retranslated|unofficial translation)[^)）]{0,60}[)）]\s*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one speaker said in one go, and how it came to be on the page."""

    by: Attribution
    paragraphs: tuple[str, ...]
    provenance: str
    joint: bool = False
    question: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A turn with whose it is; `by` is None for questions and text that is nobody's."""

    turn: Turn
    by: Attribution | None


def attribute(
    turns: Iterable[Turn], *, document: Document, source: Source, people: People, keywords: str = ""
) -> tuple[Said, ...]:
    """Return what was said by whom, in the order of the document.

    Parameters
    ----------
    turns : iterable of Turn
    document : Document
        Its date decides the roles; its title may name the speaker.
    source : Source
    people : People
    keywords : str
        The page's own, which on some sites name the spokesperson.
    """
    voices = name_turns(turns, document=document, source=source, people=people, keywords=keywords)
    said = list(_said(voices, document, source, people))
    if any(one.by.speaker for one in said):
        # Narration beside attributed speech says nothing of anybody's position.
        return tuple(one for one in said if one.by.speaker or one.by.country or one.by is not UNKNOWN)
    return tuple(said)


def name_turns(
    turns: Iterable[Turn], *, document: Document, source: Source, people: People, keywords: str = ""
) -> tuple[Voice, ...]:
    """Return every turn with its speaker resolved; an interviewer's question becomes a question."""
    turns = tuple(turns)
    day = dt.date.fromisoformat(document.date) if document.date else None
    labels = frozenset(re.sub(r"\s*[(（].*?[)）]", "", turn.label).strip() for turn in turns if turn.label)
    host = _host(turns, document.title, keywords, source, people, day)
    earlier: list[Attribution] = []
    voices = []
    asked = ""
    for turn in turns:
        by = _by(turn, host=host, people=people, day=day, earlier=earlier, labels=labels, joint=document.joint)
        if turn.kind == "speech" and by is not None and _asks(turn, by):
            turn, by = replace(turn, kind="question"), None  # noqa: PLW2901
        if turn.kind == "question":
            asked = turn.text
        elif turn.kind == "speech":
            turn = replace(turn, question=asked)  # noqa: PLW2901
        if by is not None and by.speaker and by not in earlier[-_REMEMBERED:]:
            earlier.append(by)
        voices.append(Voice(turn=turn, by=by))
    return tuple(voices)


def _by(
    turn: Turn, *, host: Attribution | None, people: People, day: dt.date | None, earlier: Sequence[Attribution],
    labels: frozenset[str], joint: bool,
) -> Attribution | None:  # fmt: skip
    if turn.kind in {"question", "narration"} or (joint and not turn.label):
        return None
    if turn.label and turn.label.casefold() not in HOST_LABELS:
        return resolve(
            turn.label, people=people, day=day, country=turn.country, earlier=earlier,
            labels=labels - {turn.label},
        )  # fmt: skip
    if turn.country:  # a record that names the country alone
        return resolve("", people=people, day=day, country=turn.country)
    if host is None:
        return None if turn.kind == "opening" else UNKNOWN
    return host


def _asks(turn: Turn, by: Attribution) -> bool:
    """Say whether a turn is an interviewer's question: nobody's official, without office, and asking."""
    return not by.country and not by.role and bool(re.search(r"[?？]", turn.text)) and "shared by" not in by.how


def _host(
    turns: Sequence[Turn], title: str, keywords: str, source: Source, people: People, day: dt.date | None
) -> Attribution | None:
    """Return whose the unlabelled opening and bare answers are, None when it is told of in the third person."""
    anyone = _named_in(title, people, source.actor) or _named_in(keywords, people, source.actor)
    anyone = anyone or _named_in(title, people, "")
    asks = any(turn.label.casefold() in HOST_LABELS for turn in turns if turn.label)
    is_speech = bool(_SPEECH_TITLE.search(title))
    if not asks and not is_speech and (anyone or not source.family.host_speaks):
        return None  # "Wang Yi Meets with ...": news of him, not his words
    if is_speech and not anyone and not source.family.host_speaks:
        return None
    opening = [p for turn in turns if turn.kind == "opening" for p in turn.paragraphs]
    # Where nobody is named, news that gives anybody's words is a read-out; an institution's own comment is not.
    told_of = anyone or (() if is_speech else people.actors.speaker)
    if is_readout(opening, people, told_of) and not asks:
        return None
    spelling = anyone[0].name.en if anyone else source.host
    if not spelling:
        return UNKNOWN
    found = resolve(spelling, people=people, day=day)
    if anyone:
        return replace(found, how="named in the title") if found.country else found
    # An institution speaks on its own site, listed or not.
    return replace(found, country=found.country or source.actor, how="the host, no person named")


def _named_in(text: str, people: People, actor: str) -> tuple[Speaker, ...]:
    """Return the first person named in a text (of an actor, if one is given), else the first institution."""
    found = [
        speaker
        for mention in mentions(text, people)
        for speaker in mention.speakers
        if not actor or any(role.actor == actor for role in speaker.role)
    ]
    persons = [speaker for speaker in found if speaker.kind == "person"]
    return tuple((persons or found)[:1])


def _said(voices: Iterable[Voice], document: Document, source: Source, people: People) -> Iterator[Said]:
    verbatim = source.family.provenance
    for voice in voices:
        turn = voice.turn
        if turn.kind == "question" or not turn.paragraphs:
            continue
        paragraphs = tuple(_TRANSLATED.sub("", p) for p in turn.paragraphs)
        if document.joint and not turn.label:
            by = joint_voice(document.title, people, source.actor)
            yield Said(by=by, paragraphs=paragraphs, provenance="verbatim", joint=True)
        elif voice.by is not None:
            yield Said(by=voice.by, paragraphs=paragraphs, provenance=verbatim, question=turn.question)
        elif turn.kind == "opening":
            yield from _reported(paragraphs, document, source, people)


def _reported(paragraphs: tuple[str, ...], document: Document, source: Source, people: People) -> Iterator[Said]:
    day = dt.date.fromisoformat(document.date) if document.date else None
    earlier: list[Attribution] = []
    found = reported_speech(paragraphs, lang=document.lang, people=people, day=day, host=source.actor)
    for one in found:
        by = resolve(one.label, people=people, day=day, earlier=earlier) if one.label else UNKNOWN
        if by.speaker and by not in earlier[-_REMEMBERED:]:
            earlier.append(by)
        # Nobody is reported in a text of no known family: it may well be somebody's own words.
        told = bool(one.label or source.actor) or source.family.provenance == "reported"
        yield Said(by=by, paragraphs=(one.text,), provenance="reported" if told else "verbatim")
