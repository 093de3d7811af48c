"""Text of PDF documents, by pypdf: columns in reading order, or a clear word on why there is none."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from pipeline.ingest.pages import Status

_MAX_PAGES = 500
_LINE = 3.0
"""Points by which the baselines of one line may differ."""
_INDENT = 6.0
_GUTTER_SHARE = 0.06
# What pypdf raises on damaged files, beside its own errors.
_DAMAGED = (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfText:
    """Lines of a PDF in reading order, pages parted by a form feed; `status` and `note` say if it failed."""

    lines: tuple[str, ...] = ()
    title: str = ""
    status: Status = "ok"
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A run of text where it stands on the page, in points from the lower left."""

    x: float
    y: float
    width: float
    text: str


def read_pdf(content: bytes) -> PdfText:
    """Read a PDF's text layer.

    Returns
    -------
    PdfText
        `encrypted` where it opens only with a password, `no-text-layer` for scans, `unreadable` where it is
        damaged.
    """
    import pypdf  # only where a PDF comes in

    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it warns of every harmless flaw
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            return PdfText(status="encrypted", note="the PDF opens only with a password")
        pages = reader.pages[:_MAX_PAGES]
        lines = [line for page in pages for line in (*_page_lines(page), "\f")]
        title = (reader.metadata.title or "") if reader.metadata else ""
    except pypdf.errors.DependencyError as error:
        return PdfText(status="encrypted", note=f"encrypted in a way that cannot be read here ({error})")
    except (pypdf.errors.PyPdfError, *_DAMAGED) as error:
        _log.debug("damaged PDF", exc_info=True)
        return PdfText(status="unreadable", note=f"the PDF is damaged ({type(error).__name__})")
    if not any(line.strip() for line in lines):
        return PdfText(status="no-text-layer", note="the PDF has no text layer (a scan?); run OCR on it first")
    return PdfText(lines=tuple(lines), title=title)


def _page_lines(page: object) -> list[str]:
    """Return a page's lines: over the full width, or left column before right where there are two."""
    pieces: list[_Piece] = []

    def visit(text: str, _matrix: list[float], position: list[float], _font: object, size: float) -> None:
        if text.strip():
            x, y = position[4], position[5]
            pieces.append(_Piece(x=x, y=y, width=0.5 * (size or 10) * len(text.strip()), text=text))

    plain: str = page.extract_text(visitor_text=visit)  # type: ignore[attr-defined]
    middle = _gutter(pieces, float(page.mediabox.width))  # type: ignore[attr-defined]
    if middle is None:
        return plain.split("\n")
    return _in_columns(pieces, middle)


def _gutter(pieces: Iterable[_Piece], width: float) -> float | None:
    """Return where the right column begins, None when the page has one column.

    Two columns are there when many lines begin at the left margin, about as many share one beginning near
    the page's middle, and few begin anywhere else.
    """
    starts = [round(piece.x) for piece in pieces if len(piece.text.strip()) > 2]
    right = [x for x in starts if 0.42 * width < x < 0.62 * width]
    left = [x for x in starts if x < 0.30 * width]
    if len(right) < 4 or len(left) < 4 or len(right) + len(left) < 0.6 * len(starts):
        return None
    column = max(set(right), key=right.count)
    near = [x for x in right if abs(x - column) < _GUTTER_SHARE * width]
    return min(near) - 1 if len(near) >= 0.6 * len(right) else None


def _in_columns(pieces: list[_Piece], middle: float) -> list[str]:
    left = [piece for piece in pieces if piece.x < middle]
    right = [piece for piece in pieces if piece.x >= middle]
    return [*_lines(left), *_lines(right)]


def _lines(pieces: Iterable[_Piece]) -> list[str]:
    down = sorted(pieces, key=attrgetter("y"), reverse=True)
    rows: list[list[_Piece]] = []
    for piece in down:
        if rows and abs(rows[-1][0].y - piece.y) <= _LINE:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    margin = _margin(rows)
    lines = []
    for row in rows:
        if row and min(piece.x for piece in row) > margin + _INDENT:
            lines.append("")  # an indented line begins a paragraph
        lines.append(_row(sorted(row, key=attrgetter("x"))))
    return lines


def _margin(rows: list[list[_Piece]]) -> float:
    """Return where most lines begin."""
    starts = [round(min(piece.x for piece in row)) for row in rows]
    return float(max(set(starts), key=starts.count)) if starts else 0.0


def _row(row: list[_Piece]) -> str:
    text = ""
    for piece in row:
        part = piece.text.replace("\n", " ")
        text += part if not text or text.endswith(" ") or part.startswith(" ") else f" {part}"
    return re.sub(r"\s+", " ", text).strip()
