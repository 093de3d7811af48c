"""Text of PDF documents, by pypdf: columns in reading order, or a clear word on why there is none."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from pipeline.ingest.pages import Status

_MAX_PAGES = 500
_LINE = 3.0
"""Points by which the baselines of one line may differ."""
_INDENT = 6.0
_GUTTER = 4.0
"""Points by which a line of the right column may begin before the others."""
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

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it writes of every flaw, at length
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            return PdfText(status="encrypted", note="the PDF opens only with a password")
        pages = reader.pages[:_MAX_PAGES]
        lines = [line for page in pages for line in (*_page_lines(page), "\f")]
        title = (reader.metadata.title or "") if reader.metadata else ""
    except pypdf.errors.DependencyError as error:
        return PdfText(status="encrypted", note=f"encrypted in a way that cannot be read here ({error})")
    except Exception as error:  # noqa: BLE001 - on damaged files pypdf raises anything, failed assertions too
        _log.debug("damaged PDF", exc_info=True)
        return PdfText(status="unreadable", note=f"the PDF is damaged ({type(error).__name__})")
    if not any(line.strip() for line in lines):
        return PdfText(status="no-text-layer", note="the PDF has no text layer (a scan?); run OCR on it first")
    return PdfText(lines=tuple(lines), title=title)


def _page_lines(page: object) -> list[str]:
    """Return a page's lines: over the full width, or left column before right where there are two."""
    pieces: list[_Piece] = []

    def visit(text: str, _matrix: list[float], position: list[float], _font: object, _size: float) -> None:
        if text.strip():
            x, y = position[4], position[5]
            pieces.append(_Piece(x=x, y=y, text=text))

    plain: str = page.extract_text(visitor_text=visit)  # type: ignore[attr-defined]
    middle = _gutter(pieces, float(page.mediabox.width))  # type: ignore[attr-defined]
    if middle is None:
        return plain.split("\n")
    return _in_columns(pieces, middle)


def _gutter(pieces: Iterable[_Piece], width: float) -> float | None:
    """Return where the right column begins, None when the page has one column.

    Lines of a column share their beginning, so starts of pieces crowd at two places: the left margin, and
    one near the page's middle. Where a file draws word by word, other starts spread and crowd nowhere.
    """
    starts = Counter(round(piece.x) for piece in pieces)
    left = _crowd(starts, 0.0, 0.3 * width)
    right = _crowd(starts, 0.42 * width, 0.62 * width)
    if right[1] < 4 or right[1] < 0.35 * left[1]:
        return None
    return right[0] - _GUTTER


def _crowd(starts: Counter[int], low: float, high: float) -> tuple[int, int]:
    """Return the place between two where most pieces begin, give or take two points, and how many do."""
    inside = [x for x in starts if low <= x < high]
    counts = {x: sum(starts[x + by] for by in range(-2, 3)) for x in inside}
    best = max(counts, key=counts.__getitem__, default=0)
    return best, counts.get(best, 0)


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
