"""From one raw page to a document and its statements: open it, date it, split it into turns, attribute them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pipeline.classify.language import detect_language
from pipeline.errors import DataError
from pipeline.ingest.extract import council
from pipeline.ingest.extract.attribution import Said, attribute
from pipeline.ingest.extract.blocks import Block, text_blocks
from pipeline.ingest.extract.charset import decode
from pipeline.ingest.extract.dates import choose_date, date_by_pattern, parse_date
from pipeline.ingest.extract.files import kind_of, read_docx, read_mhtml
from pipeline.ingest.extract.joint import is_joint
from pipeline.ingest.extract.markup import read_markup
from pipeline.ingest.extract.passages import passages
from pipeline.ingest.extract.pdf import read_pdf
from pipeline.ingest.extract.people import People, people_in
from pipeline.ingest.extract.turns import Turn, split_turns
from pipeline.ingest.extract.venue import venue_of
from pipeline.ingest.pages import Document, Extracted, RawPage, Status
from pipeline.ingest.sources import Source
from pipeline.schema import Statement

_CHALLENGES = (
    r"/TSPD/", r"window\[[\"']bobcmn[\"']\]", r"Please enable JavaScript (?:and cookies )?to (?:view|continue)",
    r"<title>Just a moment\.\.\.</title>", r"cf-browser-verification", r"DDoS-Guard", r"_Incapsula_Resource",
)  # fmt: skip
_LEADING_DATE = 3
"""Paragraphs at whose beginning a date may be the document's."""
_DATE_WITHIN = 80
"""Code points of such a paragraph; further on a date is what is spoken of."""
_LANGUAGES = ("en", "ru", "zh")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """What a file of any kind gives: paragraphs or turns, and the facts beside them."""

    title: str = ""
    venue: str = ""
    lang: str = ""
    keywords: str = ""
    dates: tuple[tuple[str, dt.date | None], ...] = ()
    blocks: tuple[Block, ...] = ()
    turns: tuple[Turn, ...] | None = None
    links: tuple[str, ...] = ()
    translations: tuple[str, ...] = ()
    status: Status = "ok"
    note: str = ""


def extract(page: RawPage, source: Source, people: People | None = None) -> Extracted:
    """Read one raw page: its facts, and the statements in it with their speakers.

    Parameters
    ----------
    page : RawPage
    source : Source
        Says whose site it is, in which zone its dates are, and how its family's pages are read.
    people : People, optional
        Known speakers; the bundled ones by default.

    Returns
    -------
    Extracted
        Never raises for what a page holds: a page that cannot be read has a status and a note.
    """
    people = people or people_in()
    opened = _open(page, source)
    if opened.status != "ok":
        return Extracted(
            document=Document(title=opened.title or page.title), links=opened.links, status=opened.status,
            note=opened.note,
        )  # fmt: skip
    title = opened.title or page.title or _first_line(opened.blocks)
    date, method, note = choose_date(
        _date_candidates(page, source, opened, title), fetched_at=page.fetched_at, zone=source.zone
    )
    text = " ".join(block.text for block in opened.blocks[:50]) or " ".join(
        turn.text for turn in (opened.turns or ())[:5]
    )
    document = Document(
        title=title, date=date, date_method=method, lang=_language(source, opened, text),
        venue=opened.venue or venue_of(title),
        joint=is_joint(title), translations=opened.translations,
    )  # fmt: skip
    return Extracted(
        document=document,
        statements=tuple(_statements(page, source, opened, document, people)),
        links=opened.links,
        note=note,
    )


def _first_line(blocks: tuple[Block, ...]) -> str:
    return blocks[0].text[:160] if blocks and len(blocks[0].text) <= 300 else ""


def _language(source: Source, opened: _Opened, text: str) -> str:
    if source.lang:
        return source.lang
    if opened.lang and opened.lang not in _LANGUAGES and opened.lang.isalpha():
        return opened.lang  # none of the three: the script alone could not tell
    return detect_language(text or opened.title)


# ---- opening


def _open(page: RawPage, source: Source) -> _Opened:
    kind = kind_of(page)
    if not page.content.strip():
        return _Opened(status="empty", note="no bytes")
    if kind == "unknown":
        return _Opened(status="unreadable", note="a kind of file that is not known")
    if kind == "pdf":
        return _open_pdf(page, source)
    if kind == "docx":
        try:
            office = read_docx(page.content)
        except DataError as error:
            return _Opened(status="unreadable", note=str(error))
        return _with_text(_Opened(title=office.title, blocks=office.blocks))
    if kind == "text":
        return _open_text(page, source)
    charset, url, content = page.charset, page.url, page.content
    if kind == "mhtml":
        try:
            content, charset, address = read_mhtml(page.content)
        except DataError as error:
            return _Opened(status="unreadable", note=str(error))
        url = address or url
    text, _ = decode(content, charset)
    return _open_markup(text, url, source)


def _open_markup(text: str, url: str, source: Source) -> _Opened:
    # A feed's entry or a channel's post comes without the rest of a page.
    is_fragment = not re.search(r"<(?:html|body|head)\b", text[:5000], re.IGNORECASE)
    markup = read_markup(text, url=url, family=source.family, zone=source.zone, is_fragment=is_fragment)
    status: Status = "ok"
    note = ""
    if markup.reader != "selectors" and is_challenge(text, source):
        status, note = "challenge", "an anti-bot page, not a document"
    elif markup.is_listing:
        status, note = "listing", "mostly links"
    elif not markup.blocks:
        status, note = "empty", "no text"
    return _Opened(
        title=markup.title, venue=markup.venue, lang=markup.lang, keywords=markup.keywords, dates=markup.dates,
        blocks=markup.blocks, links=markup.links, translations=markup.translations, status=status, note=note,
    )  # fmt: skip


def is_challenge(text: str, source: Source) -> bool:
    """Say whether a page is an anti-bot challenge, by the source's marks or the usual ones."""
    return any(re.search(mark, text[:200_000]) for mark in (*source.challenge, *_CHALLENGES))


def _open_pdf(page: RawPage, source: Source) -> _Opened:
    pdf = read_pdf(page.content)
    if pdf.status != "ok":
        return _Opened(status=pdf.status, note=pdf.note)
    if source.family.reader == "security_council":
        return _of_record(council.read_council(pdf.lines, source.zone))
    blocks = text_blocks("\n".join(pdf.lines))
    return _with_text(_Opened(title=pdf.title, blocks=blocks))


def _open_text(page: RawPage, source: Source) -> _Opened:
    text, _ = decode(page.content, page.charset)
    if council.is_debate_file(page.url):
        return _of_record(council.read_debate(text, page.url))
    if source.family.reader == "security_council":
        return _of_record(council.read_council(text.split("\n"), source.zone))
    return _with_text(_Opened(blocks=text_blocks(text)))


def _of_record(record: council.Record) -> _Opened:
    if not any(turn.kind == "speech" for turn in record.turns):
        return _Opened(title=record.title, status="empty", note="no speaker's turn was found in the record")
    return _Opened(
        title=record.title, venue=record.venue, dates=((record.date_method, record.date),), turns=record.turns
    )


def _with_text(opened: _Opened) -> _Opened:
    return opened if opened.blocks else replace(opened, status="empty", note="no text")


# ---- dating


def _date_candidates(
    page: RawPage, source: Source, opened: _Opened, title: str
) -> Iterator[tuple[str, dt.date | None]]:
    """Yield (method, date) in order of trust."""
    zone = source.zone
    found = dict(opened.dates)
    shown = found.pop("page", None)
    named = parse_date(title, zone)
    # "Regular Press Conference on August 18": said that day, if published soon after.
    if named and (shown is None or dt.timedelta(0) <= shown - named <= dt.timedelta(days=7)):
        yield "title", named
    yield "page", shown
    beginning = [block.text[:_DATE_WITHIN] for block in opened.blocks[:_LEADING_DATE]]
    for text in beginning:
        yield "number", date_by_pattern(source.family.date_in_text, text)
    guessed = found.pop("htmldate", None)
    yield from found.items()
    yield "listing", parse_date(page.published, zone)
    yield "title", named
    for text in beginning:
        yield "text", parse_date(text, zone)
    yield "htmldate", guessed


# ---- statements


def _statements(
    page: RawPage, source: Source, opened: _Opened, document: Document, people: People
) -> Iterator[Statement]:
    turns = opened.turns
    if turns is None:
        # A title made of the first line is text, and stays.
        blocks = _spoken(opened.blocks, source, opened.title or page.title)
        turns = split_turns(blocks, family=source.family, people=people, title=document.title)
    said = attribute(turns, document=document, source=source, people=people, keywords=opened.keywords)
    yield from _as_statements(said, page, document)


def _spoken(blocks: tuple[Block, ...], source: Source, title: str) -> tuple[Block, ...]:
    """Return paragraphs without the title repeated, and without a line that only numbers and dates the document."""
    pattern = source.family.date_in_text
    return tuple(
        block
        for at, block in enumerate(blocks)
        if not (at < _LEADING_DATE and (block.text == title or _is_number(block.text, pattern)))
    )


def _is_number(text: str, pattern: str) -> bool:
    return bool(pattern) and len(text) < 60 and re.search(pattern, text) is not None


def _as_statements(said: Iterable[Said], page: RawPage, document: Document) -> Iterator[Statement]:
    for one in said:
        for text in passages(one.paragraphs, document.lang):
            yield Statement(
                statement_id="", text=text, date=document.date, date_method=document.date_method,
                speaker=one.by.speaker, role=one.by.role, country=one.by.country, venue=document.venue,
                lang=document.lang, source=page.source, url=page.url, title=document.title,
                provenance=one.provenance, joint=one.joint, context=one.question, attribution=one.by.how,
            )  # fmt: skip
