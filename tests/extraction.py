"""Pages and files for the tests of extraction, spoken by fictional officials (fictional/actors.toml)."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from pipeline.config import load_actors
from pipeline.ingest.extract import People, extract, index_people
from pipeline.ingest.pages import Extracted, RawPage
from pipeline.ingest.sources import Source, load_sources
from pipeline.schema import Statement

FICTIONAL = Path(__file__).parent / "fictional"
READ_ON = dt.datetime(2024, 6, 1, 12, 0, tzinfo=dt.UTC)
PEOPLE: People = index_people(load_actors(FICTIONAL))


def source(name: str) -> Source:
    return load_sources().named(name)


def raw(content: bytes | str, name: str, **given: Any) -> RawPage:
    data = content.encode() if isinstance(content, str) else content
    facts: dict[str, Any] = {
        "url": "https://example.org/page", "content_type": "text/html", "charset": "utf-8", "fetched_at": READ_ON
    }  # fmt: skip
    return RawPage(content=data, source=name, **{**facts, **given})


def read(content: bytes | str, name: str = "other", **given: Any) -> Extracted:
    return extract(raw(content, name, **given), source(name), PEOPLE)


def who(extracted: Extracted) -> list[tuple[str, str]]:
    """Speakers and countries in order, one entry a run of statements."""
    runs: list[tuple[str, str]] = []
    for statement in extracted.statements:
        if not runs or runs[-1] != (statement.speaker, statement.country):
            runs.append((statement.speaker, statement.country))
    return runs


def by(extracted: Extracted, speaker: str) -> list[Statement]:
    return [statement for statement in extracted.statements if statement.speaker == speaker]


def text_of(extracted: Extracted) -> str:
    return "\n".join(statement.text for statement in extracted.statements)


def kremlin(
    *paragraphs: str, title: str = "Meeting on the lighthouse", day: str = "2019-06-06", lead: str = "",
    place: str = "Sample Island",
) -> str:  # fmt: skip
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"/><title>{title} • President</title>
<link rel="alternate" type="text/html" hreflang="ru" href="http://kremlin.ru/events/president/news/1"/></head><body>
<nav><a href="/">Home</a></nav>
<article class="hentry h-entry" id="event-1"><h1 class="entry-title p-name">{title}</h1>
<div class="read__lead">{lead}</div>
<div class="read__meta"><time class="read__published" datetime="{day}">a day</time>
<div class="read__time">18:00</div><div class="read__place p-location"><i></i>{place}</div></div>
<div class="entry-content e-content" itemprop="articleBody">
<div class="slider masha-ignore">Photo: a caption</div>{body}
<div class="read__bottommeta">Publication status</div></div></article></body></html>"""


def mfa(
    *paragraphs: str, title: str, shown: str = "2021-05-14 17:41", old: bool = False, keywords: str = ""
) -> str:
    body = "".join(f'<p style="text-indent: 2em">{paragraph}</p>' for paragraph in paragraphs)
    if old:
        heart = f"""<div class="vibox"><div class="title" id="News_Body_Title">{title}</div>
<div class="time"><span id="News_Body_Time">{shown}</span></div>
<div id="News_Body_Txt_A" class="content">{body}</div></div>"""
    else:
        heart = f"""<div class="news-details"><div class="news-title"><h1>{title}</h1>
<p class="time"><span>{shown}</span></p>
<div class="lan_btn"><a href="https://www.mfa.gov.cn/eng/t1.html"><img src=""></a></div></div>
<div class="news-main" id="News_Body_Txt_A"><div class="trs_editor_view TRS_UEDITOR">{body}</div></div></div>"""
    return f"""<!DOCTYPE html><html><head>
<meta http-equiv="Content-Type" content="text/html; charset=UTF-8">
<meta name="Keywords" content="{keywords}"><meta name="Url" content="http://test.example/x">
<title>{title}_外交部</title></head>
<body><script>document.cookie="HOY_TR=1"</script>
<div class="naver"><a href="/web/">首页</a></div>{heart}</body></html>"""


def mid(*paragraphs: str, title: str, number: str = "867-05-05-2023") -> str:
    body = "".join(f"<p>{paragraph}</p>" for paragraph in (number, *paragraphs) if paragraph)
    return f"""<html><head><meta charset="utf-8"><title>{title}</title></head><body><div class="page-body">
<h1 class="photo-content__title">{title}</h1><div class="text article-content">{body}</div></div></body></html>"""


def plain(*paragraphs: str, title: str, head: str = "") -> str:
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return f"""<html><head><meta charset="utf-8"><title>{title}</title>{head}</head>
<body><article><h1>{title}</h1>{body}</article></body></html>"""


def docx(*paragraphs: str | Sequence[tuple[str, bool]], title: str = "") -> bytes:
    """A .docx; a paragraph is a text, or runs of (text, bold)."""
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    body = ""
    for paragraph in paragraphs:
        runs = [(paragraph, False)] if isinstance(paragraph, str) else paragraph
        body += "<w:p>" + "".join(
            f"<w:r>{'<w:rPr><w:b/></w:rPr>' if bold else ''}<w:t>{escape(text)}</w:t></w:r>" for text, bold in runs
        ) + "</w:p>"  # fmt: skip
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", f"<w:document {w}><w:body>{body}</w:body></w:document>")
        if title:
            core = '<p xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>' + escape(title) + "</dc:title></p>"
            archive.writestr("docProps/core.xml", core)
    return stream.getvalue()


Line = tuple[float, float, str]


def pdf(*pages: Sequence[Line], title: str = "") -> bytes:
    """A PDF of pages of lines at (x, y), in ten-point type; Latin letters only."""
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    font = 3
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    kids = []
    for lines in pages:
        drawn = "".join(f"BT /F1 10 Tf 1 0 0 1 {x} {y} Tm ({_pdf_text(text)}) Tj ET\n" for x, y, text in lines)
        stream = drawn.encode("cp1252")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 %d 0 R >> >> >>" % (len(objects), font)
        )
        kids.append(len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (
        len(kids), b" ".join(b"%d 0 R" % kid for kid in kids)
    )  # fmt: skip
    info = b""
    if title:
        objects.append(b"<< /Title (%s) >>" % _pdf_text(title).encode("cp1252"))
        info = b" /Info %d 0 R" % len(objects)
    out = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, info, len(out))
    return out + table + trailer


def _pdf_text(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def encrypted(content: bytes, password: str) -> bytes:
    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(content))
    writer.encrypt(user_password=password, owner_password="owner", algorithm="RC4-128")  # noqa: S106 - a test's
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def mhtml(page: str, address: str, charset: str = "utf-8") -> bytes:
    import base64

    body = base64.encodebytes(page.encode(charset)).decode()
    text = f"""From: <Saved by Blink>\r
Snapshot-Content-Location: {address}\r
Subject: A saved page\r
MIME-Version: 1.0\r
Content-Type: multipart/related; type="text/html"; boundary="----B"\r
\r
------B\r
Content-Type: text/html; charset={charset}\r
Content-Transfer-Encoding: base64\r
Content-Location: {address}\r
\r
{body}\r
------B--\r
"""
    return text.encode()
