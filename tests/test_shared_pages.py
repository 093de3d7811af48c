"""Real saved pages of two official sites, read as files; they lie outside the tree and are only measured on.

`expected.jsonl` holds what a careful reading found, which is no truth. Where the extraction is known to read
better than it, the page stands below with the reason, and only for that reason may it differ.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest

from pipeline.config import load_actors
from pipeline.ingest.extract import extract, people_in
from pipeline.ingest.extract.attribution import name_turns
from pipeline.ingest.extract.page import _open
from pipeline.ingest.extract.turns import split_turns
from pipeline.ingest.pages import Extracted, RawPage
from pipeline.ingest.sources import load_sources

PAGES = Path(__file__).parents[2] / "shared" / "pages"
READ_ON = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
BETTER = {
    "60753.html": "the reading missed the first label, whose name holds a pop-up",
    "56827.html": "the reading missed two labels of more than 100 characters and the answers between them",
    "t20210805_9177417.shtml": "the reading took the answer for part of the question",
    "t20210815_9177427.shtml": "the reading took the answer for part of the question",
}

pytestmark = pytest.mark.skipif(
    not (PAGES / "expected.jsonl").is_file(), reason=f"no real pages at {PAGES}: nothing to measure on"
)


@cache
def expected() -> tuple[dict, ...]:
    with (PAGES / "expected.jsonl").open(encoding="utf-8") as stream:
        return tuple(json.loads(line) for line in stream)


def page(entry: dict) -> RawPage:
    return RawPage(
        url=entry["url"], content=(PAGES / entry["file"]).read_bytes(), content_type="text/html", charset="",
        fetched_at=READ_ON, source="kremlin-en" if "kremlin" in entry["file"] else "mfa-cn-zh",
    )  # fmt: skip


@cache
def readings() -> tuple[tuple[dict, RawPage, Extracted], ...]:
    sources = load_sources()
    pages = ((entry, page(entry)) for entry in expected())
    return tuple((entry, raw, extract(raw, sources.named(raw.source))) for entry, raw in pages)


def share(right: list[bool]) -> float:
    return sum(right) / len(right)


def test_every_page_is_a_document():
    assert len(readings()) >= 100
    assert {extracted.status for _, _, extracted in readings()} == {"ok"}


def test_titles_and_dates():
    assert share([e.document.title == entry["title"] for entry, _, e in readings()]) >= 0.98
    assert share([e.document.date == entry["date"] for entry, _, e in readings()]) >= 0.98
    assert {e.document.lang == entry["lang"] for entry, _, e in readings()} == {True}


def plain(label: str | None) -> str:
    """A label without its aside and spaces; `Q` for questions and remarks, `-` for text without a label."""
    if label is None:
        return "-"
    if re.match(r"question|remark", label, re.IGNORECASE):
        return "Q"
    return re.sub(r"\s*\([^)]*\)|\s", "", label)


def labels_found(entry: dict, raw: RawPage, extracted: Extracted) -> list[str]:
    source, people = load_sources().named(raw.source), people_in()
    opened = _open(raw, source)
    turns = split_turns(opened.blocks, family=source.family, people=people, title=extracted.document.title)
    voices = name_turns(turns, document=extracted.document, source=source, people=people)
    assert len(voices) == len(turns)
    found = []
    for turn in turns:
        is_question = turn.kind == "question" and (entry["lang"] == "zh" or plain(turn.label) in {"Q", ""})
        found.append("Q" if is_question else plain(turn.label or None))
    # The lead above the text is not in the readings.
    return found[1:] if found[0] == "-" and entry["turns"][0]["speaker"] is not None else found


def runs(labels: list[str]) -> list[str]:
    """Labels without repetition: the readings join turns of one speaker that follow each other."""
    return [label for label, _ in groupby(labels)]


def differing() -> list[str]:
    return [
        Path(entry["file"]).name
        for entry, raw, extracted in readings()
        if runs(labels_found(entry, raw, extracted)) != runs([plain(t["speaker"]) for t in entry["turns"]])
    ]


def test_speakers_of_every_turn_in_order():
    names = differing()
    assert share([Path(entry["file"]).name not in names for entry, _, _ in readings()]) >= 0.95
    assert set(names) <= set(BETTER)


def test_every_official_labelled_has_statements_of_his_own():
    missing = []
    for entry, _, extracted in readings():
        spoken = {statement.speaker.replace(" ", "") for statement in extracted.statements}
        labelled = {plain(t["speaker"]) for t in entry["turns"] if t["speaker"]} - {"Q"}
        known = {
            label for label in labelled if any(label.endswith(s) for s in officials()) or officials().get(label)
        }
        for label in known:
            name = officials().get(label) or next(s for s in officials() if label.endswith(s))
            if name.replace(" ", "") not in spoken:
                missing.append((entry["file"], label))
    assert missing == []


@cache
def officials() -> dict[str, str]:
    """Spellings without spaces to English names."""
    return {
        spelling.replace(" ", ""): speaker.name.en
        for speaker in load_actors().speaker
        if speaker.kind == "person"
        for spelling in speaker.spellings
    }


def test_no_words_of_a_guest_are_booked_to_the_hosts_country():
    of_russia = {s.speaker for e in readings() for s in e[2].statements if s.country == "RUS"}
    of_china = {s.speaker for e in readings() if e[1].source == "mfa-cn-zh" for s in e[2].statements}
    assert of_russia == {"Vladimir Putin", "Sergei Shoigu", "Dmitry Peskov"}
    assert of_china == {
        "Hua Chunying", "Zhao Lijian", "Wang Wenbin", "Mao Ning", "Lin Jian",
        "Chinese Foreign Ministry spokesperson",
    }  # fmt: skip


def test_guests_speak_for_their_own_countries():
    on_kremlin = {(s.speaker, s.country) for e in readings() if "kremlin" in e[1].url for s in e[2].statements}
    assert {
        ("Narendra Modi", "IND"), ("Manmohan Singh", "IND"), ("Xi Jinping", "CHN"), ("Sooronbay Jeenbekov", "KGZ"),
        ("Paolo Gentiloni", ""), ("Hassan Rouhani", ""), ("Khaltmaagiin Battulga", ""),
    } <= on_kremlin  # fmt: skip


def test_no_question_is_a_statement():
    for entry, _, extracted in readings():
        if entry["lang"] == "zh":
            assert not [
                s.text for s in extracted.statements if re.match(r"^.{0,30}记者(?:追问)?：|^问：|^答：", s.text)
            ]


def test_listings_are_no_documents():
    for name, source in (
        ("fmprc_zh_listing_2020.html", "mfa-cn-zh"),
        ("kremlin_en_listing_page10_2020.html", "kremlin-en"),
    ):
        raw = RawPage(
            url="https://example.org/list/", content=(PAGES / name).read_bytes(), content_type="text/html",
            charset="", fetched_at=READ_ON, source=source,
        )  # fmt: skip
        extracted = extract(raw, load_sources().named(source))
        assert (extracted.status, extracted.statements) == ("listing", ()), name
        assert len(extracted.links) > 10
