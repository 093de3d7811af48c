"""Paragraphs of a document, with how much of their beginning is set in bold.

On official sites a bold beginning is how a speaker or a reporter's question is marked, so it has to outlive
the mark-up. A line break ends a paragraph, as a new one does: old pages use it so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml import etree

_BREAK_NAMES = (
    "address article aside blockquote body br caption center dd div dl dt figcaption figure footer form h1 h2 h3 "
    "h4 h5 h6 head header hr html li main nav ol p pre section table tbody td tfoot th thead tr ul "
    "lb item list quote row cell"  # as trafilatura names them
)
_BREAKS = frozenset(_BREAK_NAMES.split())
_SKIPPED = frozenset(
    ["script", "style", "noscript", "template", "svg", "iframe", "button", "select", "textarea", "title"]
)
_BOLD = frozenset(["b", "strong"])
_SPACE = re.compile(r"[\s\u180e\u200b\u2060\ufeff]+")
_SEPARATOR = re.compile(r"(?:[*＊_=~—–\-•·.…<>‹›()\[\]\s]|&lt;|&gt;)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One paragraph: its text with white space collapsed, and the bold code points at its beginning."""

    text: str
    lead: int = 0

    @property
    def is_bold(self) -> bool:
        """Whether all of it is bold, but for a closing mark."""
        return bool(self.text) and self.lead >= len(self.text.rstrip(" .:：。?？!！…"))

    @property
    def is_separator(self) -> bool:
        """Whether it only parts what stands around it: `* * *`, `<…>`."""
        return _SEPARATOR.fullmatch(self.text) is not None


def collapse(text: str) -> str:
    """Return a text with every run of white space (ideographic and zero-width too) as one space."""
    return _SPACE.sub(" ", text).strip()


def text_blocks(text: str) -> tuple[Block, ...]:
    """Return a plain text's paragraphs.

    Blank lines part paragraphs where most lines are joined by single breaks (hard-wrapped text); otherwise
    every line is one.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")
    wrapped = [collapse(part) for part in re.split(r"\n[ \t　]*\n+", text)]
    lines = [collapse(line) for line in text.split("\n")]
    parts = wrapped if _is_hard_wrapped(text) else lines
    return tuple(Block(text=part) for part in parts if part)


def _is_hard_wrapped(text: str) -> bool:
    """Say whether line breaks fall inside sentences: most lines do not end where a sentence does."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if len(lines) < 4 or "\n\n" not in re.sub(r"\n[ \t]+\n", "\n\n", text):
        return False
    inside = sum(line[-1] not in ".!?:;…。！？：；”»\"')）" for line in lines)
    return inside > 0.5 * len(lines)


def markup_blocks(root: etree._Element, drop: Iterable[etree._Element] = ()) -> tuple[Block, ...]:
    """Return the paragraphs of an element, without the elements to drop, scripts and pop-ups.

    Parameters
    ----------
    root : lxml element
        Body of a document, as lxml.html or trafilatura made it; it is not changed.
    drop : iterable of lxml elements
        Parts of it that are no text of the document.
    """
    return tuple(_paragraphs(root, frozenset(drop)))


def _paragraphs(root: etree._Element, dropped: frozenset[etree._Element]) -> Iterator[Block]:
    pieces: list[tuple[str, bool]] = []
    bold = 0
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        if event == "start":
            if element.tag in _SKIPPED or element in dropped:
                walk.skip_subtree()
                continue
            if element.tag in _BREAKS:
                yield from _flush(pieces)
            bold += _is_bold(element)
            pieces.append((element.text or "", bold > 0))
            continue
        if event == "end" and element.tag not in _SKIPPED and element not in dropped:
            if element.tag in _BREAKS:
                yield from _flush(pieces)
            bold -= _is_bold(element)
        if element is not root:
            pieces.append((element.tail or "", bold > 0))
    yield from _flush(pieces)


def _is_bold(element: etree._Element) -> bool:
    if element.tag in _BOLD or (element.tag == "hi" and element.get("rend") == "#b"):
        return True
    style = (element.get("style") or "").lower().replace(" ", "")
    return "font-weight:bold" in style or "font-weight:700" in style


def _flush(pieces: list[tuple[str, bool]]) -> Iterator[Block]:
    """Yield the paragraph gathered so far, if it has text, and begin another."""
    text = collapse("".join(piece for piece, _ in pieces))
    if text:
        yield Block(text=text, lead=_lead(pieces, text))
    pieces.clear()


def _lead(pieces: list[tuple[str, bool]], text: str) -> int:
    beginning = []
    for piece, bold in pieces:
        if piece.strip() and not bold:
            break
        beginning.append(piece)
    return min(len(collapse("".join(beginning))), len(text))
