"""Guards on wording: no quotation, no near-duplicate, no run of words shared with a statement or a public page.

A run is compared by letters and digits alone, in lower case: eight words (seven for a documented statement
against a public page), or twelve Han characters, whatever stands between them.
"""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

from pipeline.corpus import DocumentedStatement
from pipeline.guards.findings import Finding
from pipeline.guards.offices import possible_days
from pipeline.guards.reading import REVIEWED_FILE, Bundle, Line, Row
from pipeline.guards.stances import record_id, reviewed

WORDS = 8
SOURCE_WORDS = 7
HAN = 12
DAYS = 2
SHARED_CONTENT = 0.44
"""Of the content words of the shorter of two statements: at or above it the pair is to be read side by side."""
SHARED_PASSAGE = 0.5
"""Jaccard likeness of two authored passages in one language."""

# Single quotation marks: one that opens a word (an apostrophe stands within or after one).
_QUOTED = re.compile(r"(?:^|[\s(])['‘‚‹『]\S")
_HAN = re.compile("[\u3400-\u9fff]+")
_WORD = re.compile(r"[^\W_]+")
_COMMON = frozenset({
    "also", "been", "from", "have", "into", "more", "said", "says", "should", "than", "that", "their", "them",
    "they", "this", "were", "what", "when", "which", "will", "with", "would",
})  # fmt: skip


def runs(text: str, words: int = WORDS) -> set[str]:
    """Return every run of so many words, and of twelve Han characters."""
    # Folding the Russian yo keeps two spellings of one word together.
    tokens = _WORD.findall(_HAN.sub(" ", text.casefold().replace("ё", "е")))
    han = "".join(_HAN.findall(text))
    spoken = {" ".join(tokens[i : i + words]) for i in range(len(tokens) - words + 1)}
    return spoken | {han[i : i + HAN] for i in range(len(han) - HAN + 1)}


def content(text: str, *, without: str = "") -> frozenset[str]:
    """Return the stems (six letters) of a text's longer words, and its pairs of Han characters."""
    han = "".join(_HAN.findall(text))
    return _stems(text) - _stems(without) | {a + b for a, b in pairwise(han)}


def _stems(text: str) -> frozenset[str]:
    words = _WORD.findall(_HAN.sub(" ", text.casefold()))
    return frozenset(word[:6] for word in words if len(word) > 3 and word not in _COMMON)


def quoted(bundle: Bundle, today: dt.date) -> Iterator[Finding]:
    """Find single quotation marks in a paraphrase; the reader of the file refuses the double ones."""
    del today
    for row in bundle.statements:
        if match := _QUOTED.search(row.record.text):
            yield row.finding(f"text: a paraphrase holds no quotation marks (at {match[0].strip()!r})")


def near_duplicates(bundle: Bundle, today: dt.date) -> Iterator[Finding]:
    """Find statements of one speaker within two days, and passages, that say nearly the same in the same words."""
    del today
    yield from _near_statements(bundle)
    yield from _near_passages(bundle)


def _near_statements(bundle: Bundle) -> Iterator[Finding]:
    distinct = reviewed(bundle, "distinct")
    by_speaker: dict[str, list[tuple[Row[DocumentedStatement], frozenset[str]]]] = defaultdict(list)
    for row in bundle.statements:
        said = row.record
        # A speaker under two spellings is still one; an unknown one stands for himself.
        name = min((one.id for one in bundle.actors.named(said.speaker)), default=said.speaker)
        words = content(said.text, without=said.speaker)
        for other, theirs in by_speaker[name]:
            if not _close(said, other.record) or (said.statement_id, other.record.statement_id) in distinct:
                continue
            likeness = len(words & theirs) / max(1, min(len(words), len(theirs)))
            if likeness >= SHARED_CONTENT:
                yield row.finding(
                    f"{said.statement_id}: near-duplicate of {other.record.statement_id} (line {other.line}; "
                    f"{likeness:.0%} of the shorter's content words): keep the fuller, or say in {REVIEWED_FILE} "
                    "how they differ"
                )
        by_speaker[name].append((row, words))


def _close(one: DocumentedStatement, other: DocumentedStatement) -> bool:
    (first, last), (begin, end) = possible_days(one), possible_days(other)
    return (begin - last).days <= DAYS and (first - end).days <= DAYS


def _near_passages(bundle: Bundle) -> Iterator[Finding]:
    holding: dict[tuple[str, str], list[int]] = defaultdict(list)
    contents = [content(row.record.text) for row in bundle.passages]
    for index, row in enumerate(bundle.passages):
        shared: dict[int, int] = defaultdict(int)
        for word in contents[index]:
            for other in holding[row.record.lang, word]:
                shared[other] += 1
            holding[row.record.lang, word].append(index)
        for other, count in sorted(shared.items()):
            likeness = count / (len(contents[index]) + len(contents[other]) - count)
            if likeness >= SHARED_PASSAGE:
                twin = bundle.passages[other]
                yield row.finding(
                    f"{row.record.passage_id}: near-duplicate of {twin.record.passage_id} "
                    f"({twin.path}:{twin.line}; likeness {likeness:.2f}): keep one"
                )


def repeated_runs(bundle: Bundle, today: dt.date) -> Iterator[Finding]:
    """Find passages that repeat a run of a documented statement, and texts that stand twice."""
    del today
    said = {run: row.record.statement_id for row in bundle.statements for run in runs(row.record.text)}
    for row in bundle.passages:
        if common := sorted(runs(row.record.text) & said.keys()):
            yield row.finding(f"{row.record.passage_id}: shares {common[0]!r} with statement {said[common[0]]}")
    seen: dict[str, Row[DocumentedStatement]] = {}
    for statement in bundle.statements:
        key = " ".join(_WORD.findall(statement.record.text.casefold()))
        if key in seen:
            yield statement.finding(f"{statement.record.statement_id}: the same text as on line {seen[key].line}")
        seen.setdefault(key, statement)


def public_runs(bundle: Bundle, shared: Path) -> Iterator[Finding]:
    """Find passages and statements that repeat a run of a public text below `shared`."""
    owners: dict[str, list[Line]] = defaultdict(list)
    for passage in bundle.passages:
        for run in runs(passage.record.text):
            owners[run].append(passage)
    for statement in bundle.statements:
        for run in runs(statement.record.text, SOURCE_WORDS):
            owners[run].append(statement)
    reported: set[str] = set()
    for name, text in public_texts(shared):
        for run in sorted((runs(text) | runs(text, SOURCE_WORDS)) & owners.keys()):
            for row in owners[run]:
                key = record_id(row.record)
                if key not in reported:
                    reported.add(key)
                    yield row.finding(f"{key}: shares {run!r} with the public text {name}; say it in other words")


def public_texts(shared: Path) -> Iterator[tuple[str, str]]:
    """Yield name and text of every public passage and page below a folder."""
    passages = shared / "real" / "passages.jsonl"
    if passages.is_file():
        with passages.open(encoding="utf-8") as stream:
            for line in stream:
                row = json.loads(line)
                yield str(row["id"]), str(row["text"])
    for path in sorted((shared / "pages").rglob("*")):
        if path.suffix in {".html", ".shtml", ".xml"}:
            markup = path.read_text(encoding="utf-8", errors="replace")
            # A feed carries its pages as escaped markup.
            yield path.name, visible_text(html.unescape(markup) if path.suffix == ".xml" else markup)


class _Visible(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._hidden += tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"script", "style"} and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def visible_text(markup: str) -> str:
    """Return what a reader of a page sees."""
    parser = _Visible()
    parser.feed(markup)
    return " ".join(parser.parts)
