"""Pages and sites written for the tests in the shape of each family of sites; all names and words are invented."""

from __future__ import annotations

import html
from collections.abc import Sequence

from tests.site import Site

Turn = tuple[str, str]
"""A label, empty for none, and what is said."""


def speech(number: int, *, about: str = "the harbour") -> str:
    """Return what nobody ever said, long enough to be told from others."""
    return (
        f"In its session number {number} the assembly of the islands debated {about} for {number + 2} hours and "
        f"resolved that lamp {number} of the old lighthouse be lit again before the {number} boats come home."
    )


# ---- the president of Rusavia: pages, and a feed that pages back


def kremlin_body(turns: Sequence[Turn]) -> str:
    """Return turns as the site marks them."""
    return "".join(f"<p><b>{who}:</b> {said}</p>" if who else f"<p>{said}</p>" for who, said in turns)


def kremlin_page(number: int, *, day: str, title: str, turns: Sequence[Turn]) -> str:
    """Return an article."""
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
    <link rel="alternate" hreflang="ru" href="http://kremlin.ru/events/president/news/{number}"></head><body>
    <article class="hentry" id="event-{number}"><h1 class="entry-title p-name">{title}</h1>
    <time class="read__published" datetime="{day}">{day}</time><div class="read__time">12:00</div>
    <div class="read__place p-location">The Tower</div>
    <div itemprop="articleBody">{kremlin_body(turns)}</div></article></body></html>"""


def kremlin_feed(base: str, entries: Sequence[tuple[int, str, str, str]], *, following: str = "") -> str:
    """Return a page of the Atom feed; entries are number, day, title, body."""
    more = f'<link href="{following}" rel="next" />' if following else ""
    made = "".join(
        f"<entry><title>{title}</title><id>{base}/events/president/news/{number}</id>"
        f"<updated>{day}T15:00:00+03:00</updated><published>{day}T12:00:00+03:00</published>"
        f'<link href="{base}/events/president/news/{number}" hreflang="en" rel="alternate" type="text/html" />'
        f'<content type="html">{html.escape(body)}</content></entry>'
        for number, day, title, body in entries
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" ?><feed xml:lang="en" xmlns="http://www.w3.org/2005/Atom">'
        f'<title type="text">News</title><id>{base}/feed</id>{more}{made}</feed>'
    )


def kremlin_archive(site: Site, *, pages: int = 3, size: int = 4, base: str = "http://en.kremlin.ru") -> None:
    """Serve an archive of feed pages, the newest first; entry n is of day n counted back from 28 April 2031."""
    path = "/events/president/news/feed"
    for page in range(pages):
        entries = [
            (
                9000 - number, f"2031-{4 - number // 28:02d}-{28 - number % 28:02d}", f"Meeting {number}",
                kremlin_body([("Vadim Orlin", speech(number)), ("Ravi Sen", speech(500 + number, about="rails"))]),
            )
            for number in range(page * size, (page + 1) * size)
        ]  # fmt: skip
        following = f"{base}{path}/page/{page + 2}" if page + 1 < pages else ""
        own = path if page == 0 else f"{path}/page/{page + 1}"
        site.put(own, kremlin_feed(base, entries, following=following), "application/atom+xml; charset=utf-8")


# ---- the ministry of Sinavia


def ministry_page(*, title: str, moment: str, turns: Sequence[Turn], old: bool = False) -> str:
    """Return an article of the new or the old template; a label `?` marks a reporter's question."""
    marked = "".join(
        f"<p><strong>{said}</strong></p>" if who == "?" else f"<p>{who}{'：' if who else ''}{said}</p>"
        for who, said in turns
    )
    if old:
        return f"""<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>
        <div id="News_Body_Title">{title}</div><div id="News_Body_Time">{moment}</div>
        <div class="content" id="News_Body_Txt_A">{marked}</div></body></html>"""
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="ArticleTitle" content="{title}">
    <script src="/_ws_sbu/sbu_hc.js"></script></head><body><div class="news-details"><div class="news-title">
    <h1>{title}</h1><p class="time"><span>{moment}</span></p></div><div class="news-main" id="News_Body_Txt_A">
    <div class="TRS_UEDITOR">{marked}</div></div></div></body></html>"""


def ministry_listing(items: Sequence[tuple[str, str, str]], *, count: int) -> str:
    """Return a listing page without links to others, as the site's script writes them; items: href, title, day."""
    listed = "".join(f'<li><a href="{href}" target="_blank">{title}</a>({day})</li>' for href, title, day in items)
    return f"""<html><head><meta charset="utf-8"></head><body><a href="./../">Up</a>
    <div class="newsList"><div class="newsBd"><ul class="list1">{listed}</ul></div></div>
    <script>var currentPage = 0; var countPage = {count}//pages
    document.write("pages");</script></body></html>"""


# ---- the ministry of Rusavia


def mid_page(*, number: str, title: str, turns: Sequence[Turn]) -> str:
    """Return an article; `number` is the document's number with its date."""
    marked = "".join(f"<p>{who}{': ' if who else ''}{said}</p>" for who, said in turns)
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}</title></head><body>
    <div class="page-body"><h1 class="photo-content__title">{title}</h1>
    <p class="article-line__note article-line__note_small">{number}</p>
    <div class="text article-content"><p>{number}</p>{marked}</div></div></body></html>"""


def linked_list(links: Sequence[tuple[str, str]], *, css: str, before: str = "", after: str = "") -> str:
    """Return a listing of links of a class."""
    made = "".join(f'<li>{before}<a class="{css}" href="{href}">{title}</a>{after}</li>' for href, title in links)
    head = "<!DOCTYPE html><html><head><meta charset='utf-8'></head><body><nav><a href='/about/'>About</a></nav>"
    return f"{head}<ul>{made}</ul></body></html>"


def telegram_preview(channel: str, posts: Sequence[tuple[int, str, str]]) -> str:
    """Return a channel's preview, the oldest post first; posts are number, moment, text."""
    made = "".join(
        f'<div class="tgme_widget_message_wrap"><div class="tgme_widget_message" data-post="{channel}/{number}">'
        f'<div class="tgme_widget_message_text">{text}</div><a class="tgme_widget_message_date" '
        f'href="https://t.me/{channel}/{number}"><time datetime="{moment}">00:00</time></a></div></div>'
        for number, moment, text in posts
    )
    return f"<!DOCTYPE html><html><head><meta charset='utf-8'></head><body>{made}</body></html>"


def plain_page(*, title: str, day: str, paragraphs: Sequence[str], links: Sequence[str] = ()) -> str:
    """Return a page of no known template."""
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    more = "".join(f'<a href="{href}">document</a>' for href in links)
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}</title>
    <meta property="article:published_time" content="{day}"></head><body><article><h1>{title}</h1>
    <time datetime="{day}">{day}</time>{body}{more}</article></body></html>"""


def rss(items: Sequence[tuple[str, str, str, str]]) -> str:
    """Return an RSS feed; items are link, title, RFC 822 date, description."""
    made = "".join(
        f"<item><title>{title}</title><link>{link}</link><guid>{link}</guid><pubDate>{day}</pubDate>"
        f"<description>{html.escape(text)}</description></item>"
        for link, title, day, text in items
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>{made}</channel></rss>'


def pdf(lines: Sequence[str]) -> bytes:
    """Return a PDF of one page with lines of text, one below the other."""
    shown = "".join(f"({_escaped(line)}) Tj T* " for line in lines)
    stream = f"BT /F1 11 Tf 14 TL 60 780 Td {shown}ET".encode("latin-1")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n" % len(stream) + stream + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    made = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(made))
        made += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (
        made + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table
        + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(made))
    )  # fmt: skip


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
