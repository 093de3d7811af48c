"""What cannot be read says so in its status; what claims to be what it is not is read as what it is."""

from __future__ import annotations

import datetime as dt
import io
import random
import zipfile

import pytest

from pipeline.errors import DataError
from pipeline.ingest.extract.charset import decode
from pipeline.ingest.extract.files import kind_of, read_docx
from pipeline.ingest.extract.pdf import read_pdf
from tests.extraction import by, docx, encrypted, kremlin, mfa, mhtml, pdf, plain, raw, read, text_of, who

RUSSIAN = "Маяк на острове Образцовый горит всю ночь, и смотритель доволен его светом."
CHINESE = "样本岛上的灯塔整夜都亮着，守塔人对灯光很满意，他说这是最好的灯塔。"
ANSWER = f"<p>答：{CHINESE}</p>"


class TestCharsets:
    @pytest.mark.parametrize(
        "claimed", ["", "utf-8", "iso-8859-1", "windows-1251", "gb2312", "no-such-charset", "\x00"]
    )
    @pytest.mark.parametrize(
        ("text", "encoding", "found"),
        [
            (CHINESE, "gb18030", "gb18030"),
            (CHINESE, "utf-8", "utf-8"),
            (RUSSIAN, "windows-1251", "windows-1251"),
            (RUSSIAN, "utf-8", "utf-8"),
            ("plain ascii", "ascii", "utf-8"),
        ],
    )
    def test_the_label_is_not_believed(self, text, encoding, found, claimed):
        assert decode(text.encode(encoding), claimed) == (text, found)

    def test_byte_order_marks(self):
        assert decode(b"\xef\xbb\xbf" + RUSSIAN.encode())[0] == RUSSIAN
        assert decode(RUSSIAN.encode("utf-16"))[0].lstrip("\ufeff") == RUSSIAN

    def test_koi8_and_big5_are_tried_too(self):
        assert decode(RUSSIAN.encode("koi8-r"))[0] == RUSSIAN
        traditional = "我們在這裡的時候，他是不會來的，這是我的。"
        assert decode(traditional.encode("big5"), "big5")[0] == traditional

    def test_a_few_broken_bytes_do_not_turn_a_page_into_another_encoding(self):
        content = CHINESE.encode() * 5 + b"\xff\xfe\xe4"
        text, encoding = decode(content, "gb2312")
        assert encoding == "utf-8"
        assert text.startswith(CHINESE)

    def test_latin_text_with_an_odd_byte_follows_its_label(self):
        assert decode("Café on the island".encode("iso-8859-1"), "iso-8859-1")[0] == "Café on the island"

    @pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", ""])
    def test_a_page_labelled_wrongly_twice(self, charset):
        page = mfa(f"答：{CHINESE}", title="外交部发言人甄范例就灯塔答记者问").replace("UTF-8", "ISO-8859-1")
        extracted = read(page.encode("gb18030"), "mfa-cn-zh", charset=charset)
        assert who(extracted) == [("Zhen Fanli", "CHN")]
        assert text_of(extracted) == CHINESE


class TestPages:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"   \n",
            b"<html></html>",
            b"<html><body><img src='a.png'><script>var a = 1;</script></body></html>",
            b"<!-- only a comment -->",
            b"<html><body>\x00</body></html>",
            b"<p></p>",
        ],
    )
    def test_no_text(self, content):
        extracted = read(content, "kremlin-en")
        assert (extracted.status, extracted.statements) == ("empty", ())
        assert extracted.note

    @pytest.mark.parametrize(
        "body",
        [
            '<script src="/TSPD/08a1?type=10"></script><noscript>Please enable JavaScript to view it.</noscript>',
            "<script>window['bobcmn'] = '1011';</script>Please wait while we check that you are no robot.",
            "<p>Please enable JavaScript to continue. Your support ID is 1234567890. Thank you for waiting.</p>",
        ],
    )
    def test_the_challenge_is_never_a_document(self, body):
        extracted = read(f"<html><head><title>Ministry</title></head><body>{body}</body></html>", "mid-en")
        assert (extracted.status, extracted.statements) == ("challenge", ())

    def test_a_page_that_speaks_of_a_challenge_is_a_document(self):
        page = kremlin("<b>Ivan Primerov:</b> Please enable JavaScript to view the lamp.")
        assert read(page, "kremlin-en").status == "ok"

    def test_an_index_of_links(self):
        items = "".join(f'<li><a href="./t{n}.shtml">灯塔新闻第{n}号：灯塔今天也很亮</a></li>' for n in range(30))
        extracted = read(
            f"<html><body><ul class='list1'>{items}</ul></body></html>",
            "mfa-cn-zh",
            url="https://www.mfa.gov.cn/web/a/",
        )
        assert (extracted.status, extracted.statements) == ("listing", ())
        assert extracted.links[0] == "https://www.mfa.gov.cn/web/a/t0.shtml"
        assert len(extracted.links) == 30

    def test_links_are_absolute_once_and_only_web_addresses(self):
        addresses = ("/a", "/a", "#x", "javascript:x()", "http://[bad")
        links = "".join(f'<a href="{address}">a</a>' for address in addresses)
        extracted = read(
            kremlin(f"<b>Ivan Primerov:</b> See {links}."), "kremlin-en", url="http://en.kremlin.ru/news/1"
        )
        assert [link for link in extracted.links if link.endswith("/a")] == ["http://en.kremlin.ru/a"]
        assert not [link for link in extracted.links if "bad" in link or "javascript" in link]

    def test_deep_and_broken_markup_does_not_stop_the_reading(self):
        page = kremlin("<div>" * 3000 + "<b>Ivan Primerov:</b> Deep down a lamp burns.")
        assert read(page, "kremlin-en").status in {"ok", "empty"}

    def test_a_very_long_paragraph_is_read_in_good_time(self):
        page = kremlin(
            "<b>Ivan Primerov:</b> " + "The lamp burns and burns, says Jia Shili " * 5000, lead="A, " * 20000
        )
        assert who(read(page, "kremlin-en")) == [("Ivan Primerov", "RUS")]


class TestDates:
    def test_in_the_future_is_refused_and_said(self):
        extracted = read(kremlin("<b>Ivan Primerov:</b> Soon.", day="2031-01-01"), "kremlin-en")
        assert (extracted.document.date, extracted.document.date_method) == ("", "")
        assert extracted.note == "date 2031-01-01 (page) lies after the day it was read, 2024-06-01"
        assert extracted.statements[0].date == ""

    def test_the_next_candidate_stands_in(self):
        extracted = read(
            kremlin("<b>Ivan Primerov:</b> Soon.", day="2031-01-01"), "kremlin-en", published="2024-05-31"
        )
        assert (extracted.document.date, extracted.document.date_method) == ("2024-05-31", "listing")

    def test_today_in_the_sites_zone_is_not_the_future(self):
        late = dt.datetime(2024, 5, 31, 22, 30, tzinfo=dt.UTC)  # already June in Moscow
        page = kremlin("<b>Ivan Primerov:</b> Now.", day="2024-06-01")
        assert read(page, "kremlin-en", fetched_at=late).document.date == "2024-06-01"

    def test_a_date_in_the_title_that_is_not_the_pages(self):
        page = kremlin("<b>Ivan Primerov:</b> Now.", title="On the fire of 3 March 2014", day="2019-06-06")
        assert read(page, "kremlin-en").document.date == "2019-06-06"

    def test_none_at_all(self):
        extracted = read(
            "<html><body><p>A lamp that burns without a date in a place that nobody knows.</p></body></html>"
        )
        assert extracted.document.date == ""


class TestPdf:
    LINES = ((60.0, 700.0, "Jia Shili: The lamp burns on the island."), (60.0, 680.0, "It burns all night."))

    def test_with_a_text_layer(self):
        extracted = read(pdf(self.LINES, title="Words on lamps"), url="https://example.org/a.pdf")
        assert extracted.document.title == "Words on lamps"
        assert who(extracted) == [("Jia Shili", "CHN")]

    def test_without_a_text_layer(self):
        extracted = read(pdf(()), "sco-en", content_type="application/pdf")
        assert extracted.status == "no-text-layer"
        assert "OCR" in extracted.note

    def test_encrypted(self):
        extracted = read(encrypted(pdf(self.LINES), "secret"))
        assert (extracted.status, extracted.statements) == ("encrypted", ())
        assert "password" in extracted.note

    def test_encrypted_without_a_password_to_open(self):
        assert "The lamp burns" in text_of(read(encrypted(pdf(self.LINES), "")))

    @pytest.mark.parametrize("cut", [8, 60, 300, 600])
    def test_damaged(self, cut):
        assert read(pdf(self.LINES)[:cut]).status in {"unreadable", "no-text-layer"}

    def test_any_damage_is_a_status_and_no_error(self):
        whole = bytearray(pdf(self.LINES))
        for at in range(9, len(whole), 37):
            content = bytes(whole[:at]) + b"\xff\x00>>" + bytes(whole[at + 4 :])
            assert read_pdf(content).status in {"ok", "unreadable", "no-text-layer", "encrypted"}


class TestFiles:
    def test_docx(self):
        content = docx(
            [("Jia Shili: ", True), ("The lamp burns.", False)],
            [("Question: Why?", True)],
            "Jia Shili: It has oil.",
            title="On lamps",
        )
        extracted = read(content, url="file:/x/on-lamps.docx", content_type="")
        assert extracted.document.title == "On lamps"
        assert [s.context for s in by(extracted, "Jia Shili")] == ["", "Why?"]

    @pytest.mark.parametrize("name", ["word/document.xml", "docProps/core.xml"])
    def test_a_docx_that_unpacks_to_too_much(self, name):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("word/document.xml", "<a/>") if name != "word/document.xml" else None
            archive.writestr(name, b" " * 60_000_000)
        extracted = read(stream.getvalue(), url="file:/x/bomb.docx")
        assert extracted.status == "unreadable"
        assert "50 MB" in extracted.note

    def test_other_archives_and_damaged_ones(self):
        assert read(b"PK\x03\x04 and no more", url="file:/x/a.docx").status == "unreadable"
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("a.txt", "hello")
        with pytest.raises(DataError, match=r"not a readable \.docx"):
            read_docx(stream.getvalue())

    def test_entities_of_a_docx_are_not_resolved(self):
        stream = io.BytesIO()
        attack = (
            '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
            '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
            "<w:body><w:p><w:r><w:t>A &x; lamp</w:t></w:r></w:p></w:body></w:document>"
        )
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("word/document.xml", attack)
        extracted = read(stream.getvalue(), url="file:/x/a.docx")
        assert text_of(extracted) in {"A lamp", "A", ""}

    def test_mhtml_without_a_page(self):
        content = b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nhello"
        assert read(content, url="file:/x/a.mhtml", content_type="").status == "unreadable"

    def test_text_in_any_encoding(self):
        for encoding in ("utf-8", "utf-8-sig", "windows-1251"):
            extracted = read(RUSSIAN.encode(encoding), url="file:/x/a.txt", content_type="text/plain", charset="")
            assert text_of(extracted) == RUSSIAN
            assert extracted.document.lang == "ru"

    @pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n123", b"\xff\xd8\xff\xe0abc", b"GIF89a.."])
    def test_pictures(self, content):
        assert read(content, content_type="", url="file:/x/a").status == "unreadable"

    @pytest.mark.parametrize(
        ("content", "given", "kind"),
        [
            (b"%PDF-1.4", {"content_type": "text/html"}, "pdf"),
            (b"PK\x03\x04", {"content_type": "text/html"}, "docx"),
            (b"<p>x</p>", {"content_type": ""}, "html"),
            (b"a < b", {"content_type": "", "url": "file:/x/a.txt"}, "text"),
            (b"no marks", {"content_type": ""}, "text"),
            (mhtml("<p>x</p>", "http://a/"), {"content_type": ""}, "mhtml"),
        ],
    )
    def test_bytes_are_believed_before_names(self, content, given, kind):
        assert kind_of(raw(content, "other", **given)) == kind

    def test_an_empty_page_of_any_kind_never_raises(self):
        for kind in ("text/html", "application/pdf", "text/plain", "message/rfc822", "application/zip", ""):
            assert read(b"", content_type=kind).status == "empty"
            assert read(plain(title="x"), content_type=kind).status in {"ok", "empty", "unreadable"}


SEEDS = {
    "page": (
        kremlin("<b>Ivan Primerov:</b> A lamp.", "<b>Question:</b> Why?", "<b>Ivan Primerov:</b> Oil.").encode(),
        {},
    ),
    "chinese": (mfa(f"答：{CHINESE}", title="外交部发言人甄范例就灯塔答记者问").encode("gb18030"), {}),
    "pdf": (pdf(TestPdf.LINES), {"content_type": "application/pdf"}),
    "docx": (docx("Jia Shili: The lamp burns.", title="Lamps"), {"url": "file:/x/a.docx", "content_type": ""}),
    "mhtml": (mhtml("<p>Jia Shili: The lamp.</p>", "http://a/"), {"url": "file:/x/a.mhtml", "content_type": ""}),
    "debate": (
        b"12.\tThe lamp burns.\n" * 4,
        {"url": "file:/x/CHN_76_2021.txt", "content_type": "text/plain"},
    ),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["kremlin-en", "mfa-cn-zh", "un-security-council", "other"])
def test_no_damage_makes_it_raise(seed, name):
    whole, given = SEEDS[seed]
    rnd = random.Random(f"{seed} {name}")
    for _ in range(25):
        content = bytearray(whole)
        for _ in range(rnd.randint(1, 10)):
            at = rnd.randrange(len(content) + 1)
            splice = rnd.choice(
                [b"", b"\xff\xfe", b"<b>", b"</p>", b"\xef\xbc\x9a", b"(((", bytes([rnd.randrange(256)])]
            )
            content[at : at + rnd.randint(0, 40)] = splice * rnd.randint(1, 20)
        extracted = read(bytes(content), name, **given)
        assert all(statement.text.strip() for statement in extracted.statements)
        assert extracted.status == "ok" or not extracted.statements
