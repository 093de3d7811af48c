"""Open the kinds of file that hold one document: which kind bytes are, and what stands in .docx and .mhtml."""

from __future__ import annotations

import email
import email.policy
import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from lxml import etree

from pipeline.errors import DataError
from pipeline.ingest.extract.blocks import Block, collapse
from pipeline.ingest.pages import RawPage

FileKind: TypeAlias = Literal["html", "pdf", "docx", "mhtml", "text", "unknown"]

# What zipfile and lxml raise on damaged, encrypted or exotic archives.
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, etree.XMLSyntaxError, EOFError, KeyError, NotImplementedError,
    OSError, OverflowError, RuntimeError, ValueError,
)  # fmt: skip
_MAX_PART = 50_000_000
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BINARY = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"BM6", b"RIFF", b"\x00\x00\x00", _OLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeText:
    """Paragraphs and title of a .docx."""

    blocks: tuple[Block, ...]
    title: str = ""


def kind_of(page: RawPage) -> FileKind:
    """Return what a page's bytes are; they are believed before the media type and the name."""
    head = page.content[:2048].lstrip(b"\xef\xbb\xbf \t\r\n")
    suffix = PurePosixPath(page.url.split("?")[0]).suffix.lower()
    if head.startswith(b"%PDF-"):
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return "docx"
    if page.content.startswith(_BINARY):
        return "unknown"
    if suffix in {".mht", ".mhtml"} or page.content_type in {"multipart/related", "message/rfc822"}:
        return "mhtml"
    if head[:200].lower().startswith(b"from: <saved by") or b"\nmime-version:" in head.lower():
        return "mhtml"
    if suffix in {".txt", ".text", ".md"} or page.content_type == "text/plain":
        return "text"
    if "html" in page.content_type or "xml" in page.content_type or suffix in {".html", ".htm", ".shtml", ".xhtml"}:
        return "html"
    return "html" if b"<" in head and b">" in head else "text"


def read_docx(content: bytes) -> OfficeText:
    """Read the paragraphs of a .docx, with bold beginnings.

    Raises
    ------
    DataError
        When it is no .docx, damaged, protected by a password, or unpacks to more than 50 MB.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            document = _part(archive, "word/document.xml")
            core = _part(archive, "docProps/core.xml") if "docProps/core.xml" in archive.namelist() else b""
        root = _xml(document)
        title = _xml(core).findtext(f"{_DC}title") if core else ""
    except _DAMAGED as error:
        raise DataError(f"not a readable .docx ({error})") from None
    return OfficeText(blocks=tuple(b for b in map(_docx_block, root.iter(f"{_W}p")) if b.text), title=title or "")


def _xml(content: bytes) -> etree._Element:
    # No entities and no network: an office file has no need of them, and an attack does.
    return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > _MAX_PART:
        raise DataError(f"{name} in the .docx unpacks to more than {_MAX_PART // 1_000_000} MB")
    with archive.open(name) as stream:
        content = stream.read(_MAX_PART + 1)
    if len(content) > _MAX_PART:
        raise DataError(f"{name} in the .docx unpacks to more than {_MAX_PART // 1_000_000} MB")
    return content


def _docx_block(paragraph: etree._Element) -> Block:
    pieces = [("".join(_run_text(run)), run.find(f"{_W}rPr/{_W}b") is not None) for run in paragraph.iter(f"{_W}r")]
    text = collapse("".join(piece for piece, _ in pieces))
    beginning = []
    for piece, bold in pieces:
        if piece.strip() and not bold:
            break
        beginning.append(piece)
    return Block(text=text, lead=min(len(collapse("".join(beginning))), len(text)))


def _run_text(run: etree._Element) -> list[str]:
    texts = {f"{_W}t": None, f"{_W}tab": "\t", f"{_W}br": " ", f"{_W}noBreakHyphen": "-"}
    return [texts[child.tag] or child.text or "" for child in run if child.tag in texts]


def read_mhtml(content: bytes) -> tuple[bytes, str, str]:
    """Return the page in a browser's .mhtml archive: its HTML bytes, charset and original address.

    Raises
    ------
    DataError
        When the archive holds no HTML.
    """
    message = email.message_from_bytes(content, policy=email.policy.compat32)
    for part in message.walk():
        if part.get_content_type() in {"text/html", "application/xhtml+xml"}:
            body = part.get_payload(decode=True)
            if isinstance(body, bytes) and body.strip():
                address = str(part.get("Content-Location") or message.get("Snapshot-Content-Location") or "")
                return body, (part.get_content_charset() or ""), address.strip()
    raise DataError("the .mhtml archive holds no HTML page")
