"""United Nations records: Security Council verbatim records (S/PV) and General Debate text files.

A turn in a record begins with "Mr. X (Country) (spoke in Y):" at the start of a line. The President's words
are procedure, nobody's position, until he speaks "in my capacity as the representative of" his country.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from pipeline.ingest.extract.blocks import collapse
from pipeline.ingest.extract.dates import parse_date
from pipeline.ingest.extract.turns import Turn

TITLES = r"(?:Mr|Mrs|Ms|Miss|Mme|Dr|Sir|Dame|Lord|Lady|Baroness|Prince|Princess|King|Sheikh|Archbishop|Monsignor)"
# "Mr. Pecsteen de Buytswerve", "Mr. d’Almeida": capitals and particles, so that "Mr. X said:" is no label.
_WORD = r"(?:[A-Z]|[dl][’'][A-Z])[\w’'.\-]*"
_NAME = rf"{TITLES}\.? {_WORD}(?: (?:{_WORD}|de|del|la|da|dos|di|van|von|der|den|bin|ibn|al|el|ul|of|the)){{0,7}}"
TURN = re.compile(
    rf"^(?P<name>(?:{_NAME}|The (?:President|Acting President|Secretary-General|Deputy Secretary-General)))"
    r"(?: ?\((?!spoke|interpretation)(?P<country>[^()]{3,80})\))?"
    r"(?: ?\((?P<language>(?:spoke|interpretation)[^()]{4,60})\))? ?: ?"
)
# A label inside a paragraph, where the layout hid its beginning: missed, it would book a guest's words to
# whoever spoke before.
_INSIDE = re.compile(
    rf"(?<=[.!?…”\"’)])\s+(?=(?:{_NAME}|The (?:Acting )?President)"
    r"(?: ?\([^()]{3,80}\)){0,2} ?: )"
)
_SYMBOL = re.compile(r"\bS/PV\.\s?(?P<number>\d{1,5})(?:\s*\((?P<resumed>Resumption\s*\d*)\))?")
_MEETING = re.compile(r"\b(?P<number>\d{1,2},?\d{3}|\d{1,4})(?:st|nd|rd|th)\s+meeting", re.IGNORECASE)
_PRESIDENT = re.compile(rf"^President:\s*(?P<name>{TITLES}\.? [^.()]{{2,60}}?)[ .]*\((?P<country>[^()]+)\)")
_OWN_CAPACITY = re.compile(
    r"(?:statement|remarks?|speak|few words)[^.]{0,60}in my (?:national )?capacity(?: as (?:the )?(?:permanent )?"
    r"(?:representative|minister[^.]{0,60}) of)?",
    re.IGNORECASE,
)
_RESUME = re.compile(r"\bI (?:now )?resume my (?:functions?|role|duties) as (?:the )?President", re.IGNORECASE)
_FURNITURE = re.compile(
    r"^(?:S/PV\.\s?\d+.*|\d{1,3}/\d{1,3}(?:\s+\d{2}-\d{5,6})?|\d{2}-\d{5,6}(?:\s*\(E\))?.*|\d{2}/\d{2}/\d{4}.*|"
    r"\d{2}-\d{5}\s+\d+/\d+|United Nations|Security Council|Provisional|Please recycle.*|\*\d+\*)$"
)
_AGENDA = re.compile(r"^Agenda$", re.IGNORECASE)
_MEMBERS = re.compile(r"^(?:Members|Chair|President|Presidency):?", re.IGNORECASE)
_SPEECH_BEGINS = re.compile(r"^The meeting (?:was called to order|resumed|was resumed)", re.IGNORECASE)
_STAGE = re.compile(
    r"^(?:The meeting (?:was|rose|resumed)|Adoption of the agenda|The agenda was adopted|A vote was taken|"
    r"In favour:|Against:|Abstaining:|The members? of the Council observed|There were no objections)",
    re.IGNORECASE,
)
_ENDS_SENTENCE = re.compile(r"[.!?:;…”\"')\]]$")
_DEBATE_FILE = re.compile(r"^(?P<actor>[A-Z]{2,3})_(?P<session>\d{1,3})_(?P<year>\d{4})\.txt$")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_NUMBERED = re.compile(r"^\s*\d{1,3}\s*[.)]\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record's facts and turns."""

    title: str
    venue: str
    date: dt.date | None
    date_method: str
    turns: tuple[Turn, ...]


def read_council(lines: Iterable[str], zone: dt.tzinfo = dt.UTC) -> Record:
    """Read a Security Council verbatim record.

    Parameters
    ----------
    lines : iterable of str
        In reading order, as `pdf.read_pdf` gives them, or of the text of a record.
    """
    lines = [collapse(line) for line in lines]
    head = [line for line in lines[:120] if line]
    president = next((m for m in map(_PRESIDENT.match, head) if m), None)
    chair = Turn(
        kind="speech", label=president.group("name").strip() if president else "",
        country=president.group("country").strip() if president else "",
    )  # fmt: skip
    symbol = next((m for m in map(_SYMBOL.search, head) if m), None)
    meeting = next((m for m in map(_MEETING.search, head) if m), None)
    number = (symbol or meeting).group("number").replace(",", "") if symbol or meeting else ""  # type: ignore[union-attr]
    date = next((d for d in (parse_date(line, zone) for line in head) if d), None)
    agenda = _agenda(lines)
    name = f"S/PV.{number}" if number else "Security Council record"
    if symbol and symbol.group("resumed"):
        name = f"{name} ({symbol.group('resumed')})"
    return Record(
        title=f"{name}: {agenda}" if agenda else name,
        venue=f"UN Security Council, meeting {number}" if number else "UN Security Council",
        date=date,
        date_method="record" if date else "",
        turns=tuple(_own_capacity(_turns(_paragraphs(_spoken(lines))), chair)),
    )


def _agenda(lines: list[str]) -> str:
    """Return the first item of the agenda on the front page."""
    begin = next((i for i, line in enumerate(lines) if _AGENDA.match(line)), None)
    if begin is None:
        return ""
    following = [line for line in lines[begin + 1 : begin + 6] if line and not _FURNITURE.match(line)]
    return following[0] if following else ""


def _spoken(lines: list[str]) -> list[str]:
    """Return the lines from where the meeting begins, without headers and footers of pages."""
    begin = next((i for i, line in enumerate(lines) if _SPEECH_BEGINS.match(line)), None)
    if begin is None:
        begin = next((i for i, line in enumerate(lines) if TURN.match(line)), 0)
    kept = [line for line in lines[begin:] if not _FURNITURE.match(line)]
    agenda = _agenda(lines)
    # The running head repeats date and agenda on every page.
    return [line for line in kept if not (agenda and line == agenda)]


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    """Join lines into paragraphs, undoing hyphens at line ends.

    A paragraph ends where a turn begins, at an empty line, or at a line much shorter than its neighbours
    that ends a sentence; it never ends inside a sentence, so that page breaks do not cut it.
    """
    lines = list(lines)
    lengths = sorted(len(line) for line in lines if line)
    usual = lengths[int(0.7 * len(lengths))] if lengths else 0
    text = ""
    for line in lines:
        if not line.strip():
            if text and _ENDS_SENTENCE.search(text):
                yield text
                text = ""
            continue
        if text and (TURN.match(line) or _STAGE.match(line)):
            yield text
            text = ""
        text = _join(text, line)
        if _ENDS_SENTENCE.search(line) and len(line) < 0.75 * usual:
            yield text
            text = ""
    if text:
        yield text


def _join(text: str, line: str) -> str:
    if not text:
        return line
    if re.search(r"\w[-‐\xad]$", text) and line[:1].islower():
        return text[:-1] + line
    return f"{text} {line}"


def _turns(paragraphs: Iterable[str]) -> Iterator[Turn]:
    current = Turn(kind="narration")
    for paragraph in (part for whole in paragraphs for part in _INSIDE.split(whole)):
        match = TURN.match(paragraph)
        if match is None and _STAGE.match(paragraph):
            continue
        if match is None:
            current = replace(current, paragraphs=(*current.paragraphs, paragraph))
            continue
        if current.paragraphs:
            yield current
        rest = paragraph[match.end() :].strip()
        current = Turn(
            kind="speech", label=match.group("name"), country=match.group("country") or "",
            language=match.group("language") or "", paragraphs=(rest,) if rest else (),
        )  # fmt: skip
    if current.paragraphs:
        yield current


def _own_capacity(turns: Iterable[Turn], chair: Turn) -> Iterator[Turn]:
    """Part the President's words: procedure is narration, a statement for his country is his."""
    for turn in turns:
        if not turn.label.startswith("The President") or not chair.label:
            yield replace(turn, kind="narration") if turn.label.startswith("The President") else turn
            continue
        procedure, own = _parted(turn.paragraphs)
        if procedure:
            yield replace(turn, kind="narration", paragraphs=procedure)
        if own:
            yield replace(chair, paragraphs=own, language=turn.language)


def _parted(paragraphs: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return procedure and what is said for the country, between the sentences that open and close it."""
    procedure: list[str] = []
    own: list[str] = []
    speaks = False
    for paragraph in paragraphs:
        parts: dict[bool, list[str]] = {True: [], False: []}
        for sentence in _SENTENCE_END.split(paragraph):
            speaks = speaks and not _RESUME.search(sentence)
            parts[speaks].append(sentence)
            speaks = speaks or bool(_OWN_CAPACITY.search(sentence))
        procedure += [" ".join(parts[False])] if parts[False] else []
        own += [" ".join(parts[True])] if parts[True] else []
    return tuple(procedure), tuple(own)


def is_debate_file(url: str) -> bool:
    """Say whether an address is named as the General Debate's text files are (`CHN_76_2021.txt`)."""
    return _DEBATE_FILE.match(PurePosixPath(url).name) is not None


def read_debate(text: str, url: str) -> Record:
    """Read a General Debate text file: one country's statement, hard-wrapped or numbered.

    Only the month is sure: the debate is held in the second half of September. The speaker is named in some
    files ("Mr. Wang Yi (China) (spoke in Chinese):"); otherwise only the country is known.
    """
    name = _DEBATE_FILE.match(PurePosixPath(url).name)
    year, session = (int(name.group("year")), int(name.group("session"))) if name else (0, 0)
    paragraphs = [_NUMBERED.sub("", p.replace("**", "")).strip() for p in _debate_paragraphs(text)]
    turns = tuple(turn for turn in _turns(p for p in paragraphs if p) if not _is_chair(turn))
    actor = name.group("actor") if name else ""
    return Record(
        title=f"General Debate, session {session}: {actor}" if name else "General Debate",
        venue=f"UN General Assembly, General Debate, session {session}" if name else "UN General Assembly",
        date=dt.date(year, 9, 15) if year else None,
        date_method="month" if year else "",
        turns=tuple(
            turn if turn.label else replace(turn, kind="speech", country=actor) for turn in turns
        ),
    )  # fmt: skip


def _is_chair(turn: Turn) -> bool:
    return turn.label.startswith(("The President", "The Acting President"))


def _debate_paragraphs(text: str) -> Iterator[str]:
    lines = [collapse(line) for line in text.replace("\ufeff", "").replace("\r\n", "\n").split("\n")]
    ended = sum(bool(_ENDS_SENTENCE.search(line)) for line in lines if line)
    if ended >= 0.7 * sum(bool(line) for line in lines):  # a line is a paragraph
        yield from (line for line in lines if line)
        return
    split = [piece for line in lines for piece in (("", line) if _NUMBERED.match(line) else (line,))]
    yield from _paragraphs(split)
