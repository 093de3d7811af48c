"""Reported speech in read-outs and news: whose words a sentence gives, when it says so.

"Wang Yi said that ..." gives Wang Yi's words; the sentences behind it in the same paragraph go on with them
until another subject, or the parties together, take over. Nothing is attributed by guess: a paragraph that
names nobody with a verb of saying is left without a speaker.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.config import Speaker
from pipeline.ingest.extract.people import Mention, People, mentions, word_key
from pipeline.ingest.extract.sentences import sentences

_EN_VERBS = (
    "said says stated states noted notes stressed stresses emphasised emphasized emphasises emphasizes underlined "
    "underlines underscored added adds expressed expresses reiterated affirmed reaffirmed urged urges warned warns "
    "declared announced told explained recalled remarked welcomed welcomes confirmed highlighted thanked "
    "congratulated commended praised proposed rejected rejects condemned condemns believes believed observed "
    "argued assured conveyed suggested elaborated wished hoped hopes pledged insisted"
)
_EN = (
    rf"(?:{'|'.join(_EN_VERBS.split())}|point(?:ed|s) out|call(?:ed|s) (?:on|for|it)|spoke (?:highly|of|about)|"
    r"sen(?:t|ds) (?:\w+ ){0,4}?(?:greetings|message|condolences|congratulations|telegram)s?)"
)
_RU = (
    r"(?:сказал|заявил|отметил|подчеркнул|указал|добавил|напомнил|пояснил|выразил|сообщил|призвал|подтвердил|"
    r"поблагодарил|предложил|высказал|констатировал|обратил внимание|акцентировал|приветствовал|поздравил|"
    r"предупредил|рассказал|объявил)[аи]?"
)
_ZH = (
    r"(?:表示|指出|强调|重申|认为|呼吁|敦促|回应|介绍|宣布|提出|阐述|阐明|高度评价|赞赏|祝贺|感谢|希望|欢迎|"
    r"谈到|说|称)"
)
_ADVERB = (
    r"(?:(?:\w+ly|also|further|then|once again|again|in particular|in turn|too|in reply|также|далее|вновь)[, ]+)*"
)
# "Jia Shili (China), stressing the importance of lamps, said": an aside may part a name from its verb.
_ASIDE = r"(?: ?\([^()]{1,60}\))?(?:, [^.;:“”]{1,140},)?"
_AFTER = re.compile(rf"^,?{_ASIDE} *{_ADVERB}(?:{_EN}|{_RU})\b|^[^，。：；“”]{{0,8}}?{_ZH}")
_BEFORE = re.compile(
    rf"(?:\b{_EN}|\b{_RU})(?: (?:by|the|russian|chinese|president|minister|foreign))*[ ,]*$", re.IGNORECASE
)
_CHINESE_UNKNOWN = re.compile(rf"^(?P<name>[㐀-鿿·]{{2,12}}?)(?:则|也|还|并)?{_ZH}[，：,:]")
_NOT_A_NAME = re.compile(
    r"双方|会议|声明|文件|报道|各方|会谈|会见|与会|消息|中方|俄方|双边|两国|有关|同时|并|还|[他她]"
)
_UNKNOWN = re.compile(
    rf"^(?:The |[A-Z][\w’'-]+ (?:[a-z]+ )?)??"
    rf"(?P<name>(?:[A-Z][\w’'.-]+ ){{1,6}}?[A-Z][\w’'-]+){_ASIDE} {_ADVERB}{_EN}\b"
)
_PRONOUN = re.compile(rf"^(?:He|She|Он|Она|他|她)(?:还|也|并|则)? ?{_ADVERB}(?:{_EN}|{_RU}|{_ZH})")
_OFFICE = re.compile(
    rf"(?:^|[,“”] )(?:the )?(?P<office>russian president|chinese president|president of (?:russia|the russian "
    rf"federation)|president|foreign minister|minister|ambassador) {_ADVERB}{_EN}\b",
    re.IGNORECASE,
)
_TOGETHER = re.compile(
    r"^(?:the (?:two |both )?(?:sides|parties|participants|ministers|leaders|presidents|meeting|talks|officials)|"
    r"both sides|during the|they |стороны|министры|участники|в ходе|双方|会谈|会议|会见|与会)",
    re.IGNORECASE,
)  # fmt: skip
_MESSAGE = re.compile(
    r"^(?:the|his|her) (?:message|telegram|letter|greeting)s? (?:also )?(?:reads?|says?|said|notes?)|"
    r"^в (?:послании|телеграмме|приветствии|поздравлении)[^.]{0,60}(?:говорится|сказано|отмечается)",
    re.IGNORECASE,
)
_OFFICES = {"president": "president", "minister": "minister", "ambassador": "ambassador"}
_NEAR = 260
_OPENING_QUOTES, _CLOSING_QUOTES = "“«「『", "”»」』"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """Words reported of someone: a label as `speakers.resolve` takes it, empty when nobody is named."""

    label: str
    text: str


def tells_of(name_mentions: Iterable[Mention], text: str) -> bool:
    """Say whether a text tells what any of the persons mentioned said, so that it is a read-out of it."""
    return any(_says(text, mention) for mention in name_mentions)


def is_readout(paragraphs: Iterable[str], people: People, speakers: Iterable[Speaker]) -> bool:
    """Say whether paragraphs speak of any of the speakers in the third person ("Wang Yi said that ...")."""
    wanted = {speaker.id for speaker in speakers}
    for paragraph in paragraphs:
        about = [m for m in mentions(paragraph, people) if any(s.id in wanted for s in m.speakers)]
        if tells_of(about, paragraph):
            return True
    return False


def reported_speech(
    paragraphs: Iterable[str], *, lang: str, people: People, day: dt.date | None, host: str
) -> Iterator[Reported]:
    """Yield what is reported of whom, paragraph by paragraph, sentences of one speaker together.

    Parameters
    ----------
    paragraphs : iterable of str
    lang : str
    people : People
    day : date, optional
        Decides who "the President" of the host is.
    host : str
        Actor whose site it is.
    """
    surnames: dict[str, str] = {}
    open_quote, current, last = False, "", ""
    pending: list[str] = []
    for paragraph in paragraphs:
        if not open_quote:
            current = ""
        for start, end in sentences(paragraph, lang):
            sentence = paragraph[start:end]
            known = mentions(sentence, people)
            _learn(surnames, known)
            subject = _subject(sentence, known, surnames, people, day, host)
            speaker = _next_speaker(sentence, subject, current, last, open_quote=open_quote)
            if speaker != current and pending:
                yield Reported(label=current, text=_joined(pending, lang))
                pending = []
            current, last = speaker, speaker or last
            pending.append(sentence)
            open_quote = _is_open(sentence, open_quote)
        announces = bool(current) and paragraph.rstrip().endswith((":", "："))
        open_quote = open_quote or announces
        if pending and not announces:
            yield Reported(label=current, text=_joined(pending, lang))
            pending = []
    if pending:
        yield Reported(label=current, text=_joined(pending, lang))


def _joined(sentences: list[str], lang: str) -> str:
    return ("" if lang == "zh" else " ").join(sentences)


def _next_speaker(sentence: str, subject: str | None, current: str, last: str, *, open_quote: bool) -> str:
    if open_quote and current:
        return current
    if _MESSAGE.match(sentence):
        return last
    if subject is not None:
        return subject
    if _PRONOUN.match(sentence):
        return current
    return "" if _TOGETHER.match(sentence) else current


def _subject(
    sentence: str, known: Iterable[Mention], surnames: Mapping[str, str], people: People, day: dt.date | None,
    host: str,
) -> str | None:  # fmt: skip
    """Return the label of whoever the sentence says spoke, None when it does not say."""
    for mention in known:
        if _says(sentence, mention):
            return sentence[mention.start : mention.end]
    by_surname = _by_surname(sentence, surnames)
    if by_surname:
        return by_surname
    office = _OFFICE.search(sentence)
    if office:
        return _office_holder(office.group("office").lower(), people, day, host)
    unknown = _UNKNOWN.match(sentence) or _CHINESE_UNKNOWN.match(sentence)
    if unknown and not _NOT_A_NAME.search(unknown.group("name")) and not _TOGETHER.match(sentence):
        # "The Governor said": somebody, but nobody named.
        return "" if unknown.group("name").startswith("The ") else unknown.group("name")
    return None


def _says(text: str, mention: Mention) -> bool:
    return _has_verb(text, mention.start, mention.end)


def _has_verb(text: str, start: int, end: int) -> bool:
    """Say whether a verb of saying stands right behind or before a name; a few words decide, not the text."""
    return bool(_AFTER.match(text[end : end + _NEAR]) or _BEFORE.search(text[max(0, start - _NEAR) : start]))


def _learn(surnames: dict[str, str], known: Iterable[Mention]) -> None:
    """Remember surnames of persons mentioned in full, for "Lavrov said" further on."""
    for mention in known:
        for speaker in mention.speakers:
            if speaker.kind == "person":
                key = word_key(speaker.name.en)
                surnames[key[-1]] = surnames[key[0]] = speaker.name.en


def _by_surname(sentence: str, surnames: Mapping[str, str]) -> str:
    for word in re.finditer(r"(?<![\w.])(?:(?:Mr|Mrs|Ms)\.? )?(?P<surname>[A-ZА-ЯЁ][\w’'-]+)", sentence):
        key = word_key(word.group("surname"))
        if len(key) == 1 and key[0] in surnames and _has_verb(sentence, *word.span()):
            return surnames[key[0]]
    return ""


def _office_holder(office: str, people: People, day: dt.date | None, host: str) -> str:
    """Return who held an office of the host on that day; empty when that is nobody or not one person."""
    actor = "RUS" if "russia" in office else "CHN" if "chinese" in office else host
    title = next((t for word, t in _OFFICES.items() if word in office), "")
    if day is None or not title or not actor:
        return ""
    wanted = "minister of foreign affairs" if title == "minister" else title
    holders = {
        speaker.name.en
        for speaker in people.actors.speaker
        for role in speaker.roles_on(day, actor)
        if role.title.lower() == wanted
    }
    return holders.pop() if len(holders) == 1 else ""


def _is_open(sentence: str, before: bool) -> bool:
    """Say whether a quotation is still open behind a sentence."""
    is_open = before
    for character in sentence:
        if character in _OPENING_QUOTES:
            is_open = True
        elif character in _CLOSING_QUOTES:
            is_open = False
    return is_open
