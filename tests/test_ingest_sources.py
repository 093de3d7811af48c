"""The sites as data: what is configured, what a wrong entry is told, which source an address belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import DataError, UsageError
from pipeline.ingest.addresses import Mirror, canonical, document_address, is_document, is_public
from pipeline.ingest.sources import load_sources

GOOD = """
[[family]]
id = "generic"

[[source]]
id = "island"
name = "The Island"
family = "generic"
base_url = "http://island.example"
hosts = ["island.example"]
[[source.listing]]
kind = "feed"
url = "/feed"

[[source]]
id = "other"
name = "Any"
family = "generic"
"""


def load(folder: Path, text: str):
    folder.mkdir(exist_ok=True)
    (folder / "sources.toml").write_text(text, encoding="utf-8")
    return load_sources(folder)


def test_every_site_of_the_field_is_configured():
    assert set(load_sources().ids) >= {
        "mfa-cn-zh", "mfa-cn-en", "china-embassy-qatar", "china-un", "kremlin-en", "kremlin-ru", "mid-ru", "mid-en",
        "mid-india-en", "mid-telegram-en", "mid-telegram-ru", "russia-un", "sco-en", "csto-en",
        "un-security-council", "un-general-debate", "un-press", "other",
    }  # fmt: skip


def test_a_corpus_without_sites_reads_files_only(tmp_path):
    assert load_sources(tmp_path).ids == ("other",)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('family = "generic"\nbase', 'family = "nowhere"\nbase', "unknown family 'nowhere'"),
        ('id = "island"', 'id = "The Island"', "String should match pattern"),
        ('id = "island"', 'id = "other"', "source given twice: other"),
        ('url = "/feed"', 'url = "/feed"\nmore = "/feed/2"', "must hold {n}"),
        ('kind = "feed"', 'kind = "telepathy"', "Input should be 'html', 'feed' or 'telegram'"),
        ('name = "The Island"', 'name = "The Island"\nartcle = "x"', "Extra inputs are not permitted"),
        ('name = "The Island"', 'name = "The Island"\narticle = "("', "not a regular expression"),
        ('name = "The Island"', 'name = "The Island"\ntimezone = "Mars/Base"', "not a time zone"),
        ('base_url = "http://island.example"', "", "needs a base_url"),
        ('id = "other"', 'id = "rest"', "no source `other`"),
        ("[[family]]", "[[family", "is not valid TOML"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, old, new, told):
    assert load(tmp_path / "good", GOOD).ids == ("island", "other")
    with pytest.raises(DataError) as caught:
        load(tmp_path / "bad", GOOD.replace(old, new, 1))
    assert told in str(caught.value)
    assert "sources.toml" in str(caught.value)


def test_an_unknown_name_lists_what_is_known():
    with pytest.raises(UsageError, match=r"unknown source: nowhere\. Known: mfa-cn-zh, "):
        load_sources().named("nowhere")


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("http://en.kremlin.ru/events/president/news/58732", "kremlin-en"),
        ("http://kremlin.ru/events/president/transcripts/speeches/1", "kremlin-ru"),
        ("https://www.mfa.gov.cn/web/wjdt_674879/fyrbt_674889/202401/t20240103_11216411.shtml", "mfa-cn-zh"),
        ("https://www.fmprc.gov.cn/mfa_eng/xwfw_665399/s2510_665401/2511_665403/t1899946.shtml", "mfa-cn-en"),
        ("https://www.mfa.gov.cn/eng/wjbzhd/202504/t20250429_11609213.html", "mfa-cn-en"),
        ("https://mid.ru/ru/foreign_policy/news/1821243/", "mid-ru"),
        ("https://mid.ru/en/press_service/spokesman/briefings/1821243/", "mid-en"),
        ("https://eng.sectsco.org/20260421/2267733.html", "sco-en"),
        ("https://undocs.org/en/S/PV.8742", "un-security-council"),
        ("https://press.un.org/en/2023/sc15431.doc.htm", "un-press"),
        ("https://t.me/MID_Russia/5", "mid-telegram-ru"),
        ("https://elsewhere.example/news", "other"),
    ],
)
def test_an_address_belongs_to_its_source(url, source):
    assert load_sources().of_address(url).id == source
    if source != "other":
        assert is_document(load_sources().named(source), url)


def test_pages_that_are_no_documents_are_told():
    kremlin = load_sources().named("kremlin-en")
    for path in ("/events/president/news", "/events/president/news/58732/photos", "/search?query=1", "/catalog/1"):
        assert not is_document(kremlin, f"http://en.kremlin.ru{path}")
    assert not is_document(kremlin, "http://evil.example/events/president/news/58732")


@pytest.mark.parametrize(
    ("given", "one"),
    [
        ("HTTP://En.Kremlin.RU:80/a#part", "http://en.kremlin.ru/a"), ("https://x.example:443", "https://x.example/"),
        ("https://x.example:8443/a?b=ц", "https://x.example:8443/a?b=%D1%86"), ("http://x.example/a b", "http://x.example/a%20b"),
        ("http://x.example/%D1%86", "http://x.example/%D1%86"), ("http://user:pw@x.example/", "http://x.example/"),
        ("http://[::1]:81/", "http://[::1]:81/"),
    ],
)  # fmt: skip
def test_an_address_has_one_form(given, one):
    assert canonical(given) == one
    assert canonical(one) == one


def test_a_saved_mirror_s_file_is_the_site_s_document():
    kremlin = load_sources().named("kremlin-en")
    own = "http://en.kremlin.ru/events/president/news/58732"
    assert document_address(kremlin, own + ".html") == own
    assert document_address(kremlin, own) == own
    assert document_address(kremlin, "http://en.kremlin.ru/about.html") == "http://en.kremlin.ru/about.html"


def test_a_mirror_is_asked_and_the_site_is_remembered():
    kremlin = load_sources().named("kremlin-en")
    mirror = Mirror(source=kremlin, base_url="http://127.0.0.1:8000/copy/")
    own = "http://en.kremlin.ru/events/president/news/1?x=2"
    there = "http://127.0.0.1:8000/copy/events/president/news/1?x=2"
    assert mirror.outward(own) == there
    assert mirror.inward(there, like=own) == own
    assert mirror.resolved("../news/2", page=own) == "http://en.kremlin.ru/events/president/news/2"
    assert mirror.resolved("javascript:x", page=own) == ""
    assert mirror.allows(there)
    assert not mirror.allows("http://127.0.0.1:9000/copy/")
    assert not mirror.allows(own)
    assert mirror.private_hosts == {"127.0.0.1"}
    assert Mirror(source=kremlin).private_hosts == frozenset()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("10.0.0.1", False), ("127.0.0.1", False), ("169.254.169.254", False), ("::1", False),
        ("::ffff:10.0.0.1", False), ("::ffff:8.8.8.8", True), ("fe80::1%eth0", False),
        ("2001:4860:4860::8888", True),
        ("0.0.0.0", False),  # noqa: S104 - refused
        ("100.64.0.1", False), ("fd00::1", False),
    ],
)  # fmt: skip
def test_private_addresses_are_told(address, public):
    assert is_public(address) is public
