"""Every family of sites end to end: a site of ours on loopback, by the project's own entry in sources.toml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.config import load_actors
from pipeline.ingest import Setting, load_sources
from pipeline.store import Store
from pipeline.store.derived import decisions
from tests.site import CHALLENGE, Site, crawled, setting, source_of, told, write_actors
from tests.sites import (
    kremlin_archive,
    kremlin_body,
    kremlin_feed,
    linked_list,
    mid_page,
    ministry_listing,
    ministry_page,
    pdf,
    plain_page,
    speech,
    telegram_preview,
)

SOURCES = load_sources()


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


@pytest.fixture
def made(store: Store, tmp_path: Path) -> Setting:
    return setting(store, write_actors(tmp_path / "actors"))


def test_the_kremlin_s_archive_is_walked_by_its_feed_with_full_texts(site, made, store):
    kremlin_archive(site, pages=3, size=4)
    source = source_of(SOURCES, "kremlin-en")
    summary = crawled(made, source, site)
    feed = "/events/president/news/feed"
    assert site.paths() == [feed, f"{feed}/page/2", f"{feed}/page/3"]
    assert (summary.pages, summary.complete) == (12, True)
    by_speaker = {s.speaker: s for s in told(store)}
    assert by_speaker["Vadim Orlin"].country == "RUS"
    assert by_speaker["Ravi Sen"].country == "IND"  # a guest is never booked to the host
    assert {s.date for s in told(store)} == {f"2031-04-{day:02d}" for day in range(17, 29)}
    assert {s.url for s in told(store)} == {
        f"http://en.kremlin.ru/events/president/news/{9000 - n}" for n in range(12)
    }
    site.asked.clear()
    again = crawled(made, source, site)
    assert (again.new, again.unchanged) == (0, 8)
    assert site.paths() == [feed]
    assert "if-none-match" in site.asked[-1].headers


def test_a_mended_entry_of_the_feed_takes_the_place_of_the_old_one(site, made, store):
    entries = [(1, "2031-04-01", "Meeting", kremlin_body([("Vadim Orlin", speech(1))]))]
    site.put("/events/president/news/feed", kremlin_feed("http://en.kremlin.ru", entries))
    source = source_of(SOURCES, "kremlin-en")
    crawled(made, source, site)
    entries = [(1, "2031-04-01", "Meeting", kremlin_body([("Vadim Orlin", speech(2))]))]
    site.put("/events/president/news/feed", kremlin_feed("http://en.kremlin.ru", entries))
    assert crawled(made, source, site).new == 1
    assert [s.text for s in told(store)] == [speech(2)]


def test_the_two_languages_of_a_page_are_linked_and_not_merged(site, made, store):
    entries = [(1, "2031-04-01", "Meeting", kremlin_body([("Vadim Orlin", speech(1))]))]
    site.put("/events/president/news/feed", kremlin_feed("http://en.kremlin.ru", entries))
    crawled(made, source_of(SOURCES, "kremlin-en"), site)
    russian = "Собрание островов решило зажечь лампу старого маяка прежде, чем вернутся лодки рыбаков домой."
    entries = [(1, "2031-04-01", "Встреча", kremlin_body([("В.Орлин", russian)]))]
    site.put("/events/president/news/feed", kremlin_feed("http://kremlin.ru", entries))
    crawled(made, source_of(SOURCES, "kremlin-ru"), site)
    assert {(s.lang, s.speaker) for s in told(store)} == {("en", "Vadim Orlin"), ("ru", "Vadim Orlin")}
    linked = {(d["kept_url"], d["other_url"]) for d in decisions(store) if d["kind"] == "translation"}
    pair = ("http://en.kremlin.ru/events/president/news/1", "http://kremlin.ru/events/president/news/1")
    assert linked == {pair, pair[::-1]}


def test_the_chinese_ministry_is_paged_by_the_number_in_its_script(site, made, store):
    folder = "/web/wjdt_674879/fyrbt_674889/"
    answer = "群岛议会就旧灯塔问题进行了长时间讨论，决定在渔船返航之前重新点亮第{}盏灯，并欢迎各方参与港口建设。"
    for page in range(2):
        numbers = [page * 2 + 1, page * 2 + 2]
        items = [(f"./202104/t2021040{n}_1000{n}.shtml", f"记者会{n}", f"2021-04-0{n}") for n in numbers]
        site.put(folder if page == 0 else f"{folder}index_1.shtml", ministry_listing(items, count=2))
        for n in numbers:
            turns = [("?", "海岛社记者：请问港口怎么样？"), ("凌宝", answer.format(n))]
            site.put(
                f"{folder}202104/t2021040{n}_1000{n}.shtml",
                ministry_page(title=f"记者会{n}", moment=f"2021-04-0{n} 23:30", turns=turns, old=n > 2),
            )
    source = source_of(SOURCES, "mfa-cn-zh")
    source = source.model_copy(update={"listing": source.listing[:1]})
    summary = crawled(made, source, site)
    assert (summary.pages, summary.complete) == (4, True)
    said = told(store)
    assert [s.text for s in said] == [answer.format(n) for n in (1, 2, 3, 4)]
    assert {(s.speaker, s.country, s.lang) for s in said} == {("Ling Bao", "CHN", "zh")}
    assert [s.date for s in said] == [f"2021-04-0{n}" for n in (1, 2, 3, 4)]  # Beijing's day, as the site writes it
    assert {s.context for s in said} == {"请问港口怎么样？"}
    assert f"{folder}index_2.shtml" not in site.paths()


def test_the_english_ministry_and_an_embassy_say_one_statement_at_two_addresses(site, made, store):
    page = ministry_page(
        title="Ling Bao's Regular Press Conference on April 2, 2031", moment="2031-04-02 20:00", old=True,
        turns=[("?", "Island Daily: How is the harbour?"), ("", f"Ling Bao: {speech(4)}")],
    )  # fmt: skip
    for path in ("/eng/xw/fyrbt/", "/eng/fyrth/"):
        end = "html" if "xw" in path else "htm"
        site.put(path, linked_list([(f"./203104/t20310402_77.{end}", "Conference")], css="x"))
        site.put(f"{path}203104/t20310402_77.{end}", page)
    english = source_of(SOURCES, "mfa-cn-en")
    crawled(made, english.model_copy(update={"listing": english.listing[:1]}), site)
    summary = crawled(made, source_of(SOURCES, "china-embassy-qatar"), site)
    assert (summary.new, summary.duplicate) == (0, 1)
    assert [(s.speaker, s.text) for s in told(store)] == [("Ling Bao", speech(4))]
    where = [(d["kind"], d["other_url"]) for d in decisions(store)]
    assert where == [("address", "http://qa.china-embassy.gov.cn/eng/fyrth/203104/t20310402_77.htm")]


def test_the_russian_ministry_behind_its_challenge_is_blocked_and_says_which_roads_work(site, made, store):
    for path in ("/ru/foreign_policy/news/", "/ru/press_service/minister_speeches/"):
        site.put(path, CHALLENGE)
    source = source_of(SOURCES, "mid-ru")
    summary = crawled(made, source, site)
    assert (summary.found, summary.blocked) == (0, 1)
    assert site.paths() == ["/ru/foreign_policy/news/"]
    assert "saved from a browser" in source.note
    assert store.counts()["documents"] == 0


def test_the_russian_ministry_without_its_challenge_is_paged_and_read(site, made, store):
    speeches = "/en/press_service/minister_speeches/"
    news = "/en/foreign_policy/news/"
    site.put(
        speeches,
        linked_list([("/en/foreign_policy/news/1001/", "Talk")], css="announce__link announce__link_fix_en"),
    )
    site.put(
        news,
        linked_list([("/en/foreign_policy/news/1001/", "Talk"), ("/en/about/", "About")], css="announce__link"),
    )
    site.put(f"{news}?PAGEN_1=2", linked_list([("/en/foreign_policy/news/1000/", "Old")], css="announce__link"))
    for number in (1000, 1001):
        turns = [("Question", "How is the harbour?"), ("Vadim Orlin", speech(number))]
        site.put(
            f"{news}{number}/", mid_page(number=f"867-0{number - 999}-04-2031", title="Interview", turns=turns)
        )
    crawled(made, source_of(SOURCES, "mid-en"), site)
    assert [(s.date, s.speaker, s.text) for s in told(store)] == [
        ("2031-04-01", "Vadim Orlin", speech(1000)), ("2031-04-02", "Vadim Orlin", speech(1001)),
    ]  # fmt: skip
    assert site.times()["/en/foreign_policy/news/1001/"] == 1  # listed in two sections


def test_the_channel_s_preview_goes_back_by_its_oldest_post(site, made, store):
    posts = [(n, f"2031-04-{n:02d}T22:30:00+00:00", f"Vadim Orlin: {speech(n)}") for n in range(1, 7)]
    site.put("/s/MFARussia", telegram_preview("MFARussia", posts[3:]))
    site.put("/s/MFARussia?before=4", telegram_preview("MFARussia", posts[:3]))
    summary = crawled(made, source_of(SOURCES, "mid-telegram-en"), site)
    assert (summary.pages, summary.complete) == (6, True)
    assert site.paths() == ["/s/MFARussia", "/s/MFARussia?before=4"]
    assert {s.url for s in told(store)} == {f"https://t.me/MFARussia/{n}" for n in range(1, 7)}
    assert {s.country for s in told(store)} == {"RUS"}
    assert (
        min(s.date for s in told(store)) == "2031-04-02"
    )  # half past ten in the evening in UTC is the next day there


def test_the_mission_in_new_york_is_read(site, made, store):
    links = linked_list([("/en/news/010431", "Statement")], css="title")
    site.put(
        "/en/news", links.replace("<li>", "<article class='news-basic-tile__item'>").replace("</li>", "</article>")
    )
    site.put(
        "/en/news/010431",
        "<html><head><meta charset='utf-8'></head><body><h1>Statement by Vadim Orlin at the assembly</h1>"
        "<time datetime='2031-04-01'>1 April</time>"
        f"<div class='article-content'><p>{speech(1)}</p></div></body></html>",
    )
    crawled(made, source_of(SOURCES, "russia-un"), site)
    assert [(s.date, s.country, s.text) for s in told(store)] == [("2031-04-01", "RUS", speech(1))]


def test_the_league_s_documents_have_their_text_in_a_pdf(site, made, store):
    css = "list-item-document__link"
    site.put(
        "/documents/?offset=0",
        linked_list([("/20310401/1.html", "Declaration")], css=css, before="<a href='/20310402/9.html'>menu</a>"),
    )
    site.put(
        "/20310401/1.html",
        plain_page(title="Declaration", day="2031-04-01", paragraphs=["Type: declaration"], links=["/files/1.pdf"]),
    )
    words = speech(3).split()
    lines = [" ".join(words[i : i + 8]) for i in range(0, len(words), 8)]
    site.put("/files/1.pdf", pdf(lines), "application/pdf")
    crawled(made, source_of(SOURCES, "sco-en"), site)
    assert site.paths() == ["/documents/?offset=0", "/20310401/1.html", "/files/1.pdf", "/documents/?offset=10"]
    found = [s for s in told(store) if s.url.endswith(".pdf")]
    assert found
    assert {s.country for s in found} <= {"SCO", ""}  # the secretariat's words are not those of a country
    assert {s.date for s in found} == {"2031-04-01"}


def test_the_pact_s_statements_are_its_own(site, made, store):
    site.put("/news/news_odkb/", linked_list([("/news/news_odkb/a-b/", "News")], css="x"))
    site.put("/documents/statements/", linked_list([], css="x"))
    site.put("/news/news_odkb/a-b/", plain_page(title="Statement", day="2031-04-01", paragraphs=[speech(1)]))
    crawled(made, source_of(SOURCES, "csto-en"), site)
    assert site.times()["/news/news_odkb/a-b/"] == 1
    assert {s.country for s in told(store)} <= {"CSTO", ""}


def test_the_records_of_the_council_are_fetched_from_their_listing(site, made, store):
    path = "/un_documents_type/security-council-meeting-records/"
    site.put(path, linked_list([("https://undocs.org/en/S/PV.9999", "S/PV.9999")], css="x"))
    lines = ["United Nations S/PV.9999", "Friday, 4 April 2031, 10 a.m.", ""]
    words = f"Mr. Orlin (Russian Federation) (spoke in Russian): {speech(1)}".split()
    lines += [" ".join(words[i : i + 9]) for i in range(0, len(words), 9)]
    site.put("/en/S/PV.9999", pdf(lines), "application/pdf")
    crawled(made, source_of(SOURCES, "un-security-council"), site)
    assert site.paths() == [path, "/en/S/PV.9999", f"{path}page/2/"]
    assert [(r[0], r[1]) for r in store.rows("SELECT url, status FROM readings")] == [
        ("https://undocs.org/en/S/PV.9999", "ok")
    ]


def test_press_releases_are_reported_speech(site, made, store):
    path = "/en/content/security-council/press-release"
    site.put(path, linked_list([("/en/2031/sc15431.doc.htm", "Council")], css="x"))
    told_ = [f"VADIM ORLIN (Russian Federation) said that {speech(1)}", "The Council met at 10 a.m. in the tower."]
    site.put("/en/2031/sc15431.doc.htm", plain_page(title="Council", day="2031-04-04", paragraphs=told_))
    crawled(made, source_of(SOURCES, "un-press"), site)
    assert site.times()["/en/2031/sc15431.doc.htm"] == 1
    assert {s.provenance for s in told(store)} <= {"reported"}


def test_every_source_names_actors_that_are_known():
    actors = load_actors()
    for source in SOURCES.source:
        assert not source.actor or source.actor in actors.ids, source.id
        assert source.delay >= 2 or not source.listing, source.id
