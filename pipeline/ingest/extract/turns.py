"""Split a document's paragraphs into turns: who speaks, what was asked before, what nobody is named for.

Labels are patterns of the site's family (`corpus/sources.toml`). Where labels are not bold, a colon may also
stand in the middle of an answer ("Let me be clear: ..."), so an unmarked label counts only where there is
reason to think it one: the name is known, the title has it, or a question came just before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from pipeline.ingest.extract.blocks import Block
from pipeline.ingest.extract.people import People, is_tagged_surname, mentions, place_named, word_key
from pipeline.ingest.sources import Family

Kind: TypeAlias = Literal["opening", "speech", "question", "narration"]

HOST_LABELS = frozenset(["a", "answer", "ответ", "答", "答复", "spokesperson", "发言人", "外交部发言人"])
_QUESTION = re.compile(
    r"^(?:"
    r"(?:question|remark|reply|replique|q|вопрос|реплика)(?:\s*\([^)]{1,60}\)|\s*№?\s*\d{1,2})?\s*[:：]"
    r"|(?:追问|问|记者|又问)\s*[:：]"
    r"|[^。？！:：]{0,30}(?:记者|通讯社|电视台|广播电台)(?:追问|问)?\s*[:：]"
    r"|(?:会后|另有|有)[^。：:]{0,12}(?:记者|提问)[^。：:]{0,12}(?:问|提问)[^：:]{0,12}[:：]"
    r")",
    re.IGNORECASE,
)
_QUESTION_LABEL = re.compile(
    r"^(?:(?:the )?(?:[A-Z][\w.&’'/\-]*\s?|of |for |and ){1,7})(?:\s*\([^)]{1,40}\))?\s*:\s"
)
_OUTLET = re.compile(
    r"\b(?:AFP|AP|Reuters|Bloomberg|CCTV|CGTN|CNN|BBC|NBC|CBS|ABC|NHK|NPR|DPA|EFE|TASS|RIA|RT|PTI|ANI|TRT|APP|Xinhua|"
    r"Kyodo|Sputnik|Interfax|Yonhap|Anadolu|Al Jazeera|Dragon TV|Phoenix TV|Global Times|"
    r"[\w ]*(?:News|Daily|Times|Agency|Television|TV|Radio|Post|Journal|Press|Review|Herald|Correspondent|Reporter|"
    r"Journalist|Newspaper|Media|Broadcasting))\b"
)
_LATIN_NAME = r"(?:[A-Z][\w’'\-]*\.?,? |of |the |and |for |al-|de |van ){0,14}[A-Z][\w’'\-]+"
_INITIALS = r"(?:[А-ЯЁ]\.\s?){1,2}[А-ЯЁ][А-Яа-яЁё\-]+"
_HOST_LABEL = re.compile(r"^(?P<name>A|Answer|Ответ|答复?)\s*[:：]\s*")
# Where a family has no patterns of its own: "С.В.Лавров:", "Sergey Lavrov (in English):", "毛宁：".
_LABELS = tuple(
    re.compile(rf"^(?P<name>{name})(?:\s*[(（][^()（）]{{1,80}}[)）])?\s*[:：]\s*")
    for name in (
        rf"(?:[А-ЯЁ][^:.!?«»]{{0,80}} )?{_INITIALS}",
        r"(?:[А-ЯЁ][А-Яа-яЁё\-]+ ){1,5}[А-ЯЁ][А-Яа-яЁё\-]+",
        _LATIN_NAME,
        r"[^\s:：，,。.？?！!；;“”\"、（）()A-Za-zА-Яа-я]{2,24}",
    )
)
_CHINESE_OFFICE = re.compile(
    r"(?:国务委员|兼|副?外长|副?部长|副?主席|总理|总统|大使|代表|主任|特使|常驻|外交部长|司长|参赞|公使)+"
)
_ASIDE = re.compile(r"[(（][^()（）]*[)）]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one speaker said without a break, or a question, or text that is nobody's.

    `label` is as written, without its colon, and empty for the opening and for answers without one;
    `country` and `language` are what the record states beside it. `question` is what was asked just before.
    """

    kind: Kind
    label: str = ""
    country: str = ""
    language: str = ""
    paragraphs: tuple[str, ...] = ()
    question: str = ""

    @property
    def text(self) -> str:
        """All its paragraphs."""
        return "\n".join(self.paragraphs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """A paragraph that begins a turn: of which kind and label, and what is left of its text."""

    kind: Kind
    label: str = ""
    country: str = ""
    language: str = ""
    text: str = ""


def split_turns(blocks: Iterable[Block], *, family: Family, people: People, title: str = "") -> tuple[Turn, ...]:
    """Return the turns of a document in order.

    Parameters
    ----------
    blocks : iterable of Block
    family : Family
        Whose label patterns are used; without any, a label is any beginning that ends in a colon.
    people : People
        Decides whether an unmarked label is one.
    title : str
        Names that stand in it are taken as labels too.
    """
    turns: list[Turn] = []
    for block in blocks:
        if block.is_separator:
            continue
        previous = turns[-1] if turns else Turn(kind="opening")
        start = _start(block, previous, family=family, people=people, title=title)
        if start is None:
            paragraph = block.text
            if not turns:
                turns.append(previous)
            turns[-1] = replace(turns[-1], paragraphs=(*turns[-1].paragraphs, paragraph))
        else:
            turns.append(
                Turn(
                    kind=start.kind, label=start.label, country=start.country, language=start.language,
                    paragraphs=(start.text,) if start.text else (),
                )
            )  # fmt: skip
    return tuple(_with_questions(turn for turn in turns if turn.paragraphs or turn.label))


def _start(block: Block, previous: Turn, *, family: Family, people: People, title: str) -> _Start | None:
    """Return the turn that a paragraph begins, None when it goes on with the one before."""
    question = _question(block, family)
    if question is not None:
        continues = previous.kind == "question" and not question.label and block.is_bold and family.bold_question
        return None if continues else question
    speech = _speech(block, previous, family=family, people=people, title=title)
    if speech is not None:
        return speech
    if family.bold_question and previous.kind == "question" and not block.is_bold:
        return _Start(kind="speech", text=block.text)
    return None


def _question(block: Block, family: Family) -> _Start | None:
    for pattern in (*map(re.compile, family.question), _QUESTION):
        match = pattern.match(block.text)
        if match:
            label = match.group().rstrip(" :：")
            return _Start(kind="question", label=label, text=block.text[match.end() :].strip() or block.text)
    match = _QUESTION_LABEL.match(block.text)
    if match and _OUTLET.search(match.group()):
        return _Start(kind="question", label=match.group().rstrip(" :"), text=block.text[match.end() :].strip())
    if family.bold_question and block.is_bold and len(block.text) > 8:
        return _Start(kind="question", text=block.text)
    return None


def _speech(block: Block, previous: Turn, *, family: Family, people: People, title: str) -> _Start | None:
    for pattern in (_HOST_LABEL, *(tuple(map(re.compile, family.speaker)) or _LABELS)):
        match = pattern.match(block.text)
        if match is None:
            continue
        groups = match.groupdict()
        label = (groups.get("name") or match.group()).strip(" :：")
        if not _is_label(label, match.end(), block, previous, family=family, people=people, title=title):
            continue
        return _Start(
            kind="speech", label=label, country=(groups.get("country") or "").strip(),
            language=(groups.get("language") or "").strip(), text=block.text[match.end() :].strip(),
        )  # fmt: skip
    return None


def _is_label(
    label: str, end: int, block: Block, previous: Turn, *, family: Family, people: People, title: str
) -> bool:
    """Say whether a beginning that looks like a label is one."""
    if family.bold_label or 0 < block.lead < len(block.text):
        # Bold up to the colon, which may stand outside of the bold, as "(retranslated)" may.
        unmarked = _ASIDE.sub("", block.text[min(block.lead, end) : end])
        return (0 < block.lead <= end and not unmarked.strip(" :：")) or _leads(block, end)
    if label.casefold() in HOST_LABELS:
        return True
    bare = _ASIDE.sub("", label).strip()
    if any(_ends_label(bare[m.end :]) for m in mentions(bare, people)):
        return len(word_key(bare)) <= 16
    if is_tagged_surname(bare, people):
        return True
    if (len(label) > 1 and label in title) or _is_full_name(label, people):
        return True
    return previous.kind == "question" and _looks_like_name(label)


def _ends_label(rest: str) -> bool:
    """Say whether what stands behind a known name in a label is nothing, or an office."""
    return not rest.strip() or rest.startswith(",") or _CHINESE_OFFICE.fullmatch(rest) is not None


def _leads(block: Block, end: int) -> bool:
    """Say whether the bold goes on behind the colon: over all of a short answer, or a mark or two."""
    return block.lead > end and (block.is_bold or not re.search(r"\w", block.text[end : block.lead]))


def _is_full_name(label: str, people: People) -> bool:
    """Say whether a text is surely a person's name, so that an unlisted guest's words go to nobody else."""
    if re.fullmatch(_INITIALS, label) or re.fullmatch(r"[㐀-鿿]+·[㐀-鿿·]+", label):
        return True
    words = label.split()
    capitals = all(re.fullmatch(r"[A-ZА-ЯЁ][\w’'.\-]+", word) for word in words)
    return 2 <= len(words) <= 4 and capitals and place_named(label, people) is None


def _looks_like_name(label: str) -> bool:
    """Say whether a text could be a person's name: capitalised words, or two to four ideographs."""
    if re.fullmatch(r"[㐀-鿿·]{2,12}", label):
        return len(label) <= 4 or "·" in label or label.endswith(("发言人", "部长", "大使"))
    words = label.split()
    return 1 <= len(words) <= 5 and all(w[0].isupper() or w in {"of", "the", "de", "van", "al"} for w in words)


def _with_questions(turns: Iterable[Turn]) -> Iterator[Turn]:
    """Give every speech the question asked just before it, which also holds for the next speech."""
    asked = ""
    for turn in turns:
        if turn.kind == "question":
            asked = turn.text
        elif turn.kind == "speech":
            yield replace(turn, question=asked)
            continue
        yield turn
