"""One page of our own for every family of site: title, date, place, and whose each turn is."""

from __future__ import annotations

import pytest

from pipeline.ingest.sources import load_sources
from tests.extraction import by, kremlin, mfa, mhtml, mid, plain, read, text_of, who

TOOLTIP = '<span class="read__tooltip tooltip_person hidden masha-ignore">Devi Udaharan Prime Minister</span>'


class TestKremlin:
    PAGE = kremlin(
        "<b>President of Russia Ivan Primerov: </b>Welcome to Sample Island,\ndear guests.",
        "The lighthouse is older than the two of us.",
        f'<b>Prime Minister of India <a href="/p">Udaharan Devi{TOOLTIP}</a></b> <i>(retranslated)</i><b>:</b> '
        "Thank you for the lamp oil.",
        "<b>Question:</b> Will the lighthouse be painted?",
        "And in which colour?",
        "<b>Ivan Primerov</b>: In white, as agreed.",
        "&lt;…&gt;",
        lead="Ivan Primerov and Udaharan Devi visited the lighthouse.",
    )

    def test_facts(self):
        document = read(self.PAGE, "kremlin-en").document
        assert (document.title, document.date, document.date_method) == (
            "Meeting on the lighthouse",
            "2019-06-06",
            "page",
        )
        assert (document.venue, document.lang) == ("Sample Island", "en")
        assert document.translations == ("http://kremlin.ru/events/president/news/1",)

    def test_a_guest_speaks_for_his_own_country(self):
        assert who(read(self.PAGE, "kremlin-en")) == [
            ("Ivan Primerov", "RUS"),
            ("Udaharan Devi", "IND"),
            ("Ivan Primerov", "RUS"),
        ]

    def test_paragraphs_without_label_stay_with_their_speaker(self):
        (first,) = by(read(self.PAGE, "kremlin-en"), "Ivan Primerov")[:1]
        assert first.text == "Welcome to Sample Island, dear guests. The lighthouse is older than the two of us."
        assert (first.role, first.provenance) == ("President", "verbatim")

    def test_a_question_is_the_context_of_the_answer_and_no_statement(self):
        extracted = read(self.PAGE, "kremlin-en")
        answer = extracted.statements[-1]
        assert answer.context == "Will the lighthouse be painted?\nAnd in which colour?"
        assert answer.text == "In white, as agreed."
        assert "painted" not in text_of(extracted)

    def test_popups_captions_and_furniture_are_no_text(self):
        text = text_of(read(self.PAGE, "kremlin-en"))
        for noise in ("Devi Udaharan Prime", "a caption", "Publication status", "retranslated", "…"):
            assert noise not in text

    def test_a_label_whose_bold_goes_on_behind_the_colon(self):
        page = kremlin("<b>Ivan Primerov:</b> I look.", "<b>Roman Vopros: …</b> and the lamp goes out.")
        assert who(read(page, "kremlin-en")) == [("Ivan Primerov", "RUS"), ("Roman Vopros", "")]

    def test_a_colon_without_bold_is_no_label(self):
        page = kremlin("<b>Ivan Primerov:</b> Yes.", "The Third Lamp: it burns well, and nobody else speaks here.")
        assert who(read(page, "kremlin-en")) == [("Ivan Primerov", "RUS")]

    def test_an_interviewers_questions_are_questions_and_his_remarks_his_own(self):
        page = kremlin(
            "<b>Lionel Sprecher:</b> How many lamps are there?",
            "<b>Ivan Primerov:</b> Three lamps.",
            "<b>Lionel Sprecher:</b> Thank you for the lamps.",
        )
        extracted = read(page, "kremlin-en")
        assert who(extracted) == [("Ivan Primerov", "RUS"), ("Lionel Sprecher", "")]
        assert extracted.statements[0].context == "How many lamps are there?"
        assert extracted.statements[1].attribution == "not listed in actors.toml"

    def test_in_russian(self):
        page = kremlin(
            "<b>И.Примеров:</b> Маяк построен давно.",
            "<b>Вопрос:</b> А лампа?",
            "<b>И.Примеров: </b>И лампа.",
            title="Встреча на маяке",
        )
        extracted = read(page, "kremlin-ru")
        assert who(extracted) == [("Ivan Primerov", "RUS")]
        assert extracted.document.lang == "ru"
        assert extracted.statements[-1].context == "А лампа?"

    def test_an_entry_of_its_feed(self):
        entry = "<div><p><b>Ivan Primerov:</b> The feed has all of it.</p><p>Every word.</p></div>"
        extracted = read(entry, "kremlin-en", title="On feeds", published="2020-08-27T22:30:00+00:00")
        assert who(extracted) == [("Ivan Primerov", "RUS")]
        # Half past ten in the evening in UTC is the next day in Moscow.
        assert (extracted.document.title, extracted.document.date) == ("On feeds", "2020-08-28")
        assert extracted.document.date_method == "listing"


class TestChineseMinistryInChinese:
    TITLE = "2021年5月14日外交部发言人甄范例主持例行记者会"
    BODY = (
        "　　样本岛灯塔将于下周开放。",
        "<strong>示例社记者：灯塔的灯是谁点的？</strong>",
        "甄范例：灯是守塔人点的。我们注意到：灯很亮。",
        "守塔人住在岛上已有三十年。",
        "<strong>样报记者：还有别的灯吗？</strong><br/>",
        "甄范例：没有。",
    )

    @pytest.mark.parametrize("old", [False, True])
    def test_both_templates(self, old):
        extracted = read(mfa(*self.BODY, title=self.TITLE, old=old), "mfa-cn-zh")
        assert extracted.document.title == self.TITLE
        assert (extracted.document.date, extracted.document.lang) == ("2021-05-14", "zh")
        assert who(extracted) == [("Zhen Fanli", "CHN")]
        assert "谁点的" not in text_of(extracted)

    def test_the_opening_without_label_is_the_hosts(self):
        first = read(mfa(*self.BODY, title=self.TITLE), "mfa-cn-zh").statements[0]
        assert first.text == "样本岛灯塔将于下周开放。"
        assert (first.speaker, first.attribution, first.context) == ("Zhen Fanli", "named in the title", "")

    def test_each_answer_has_its_question(self):
        statements = read(mfa(*self.BODY, title=self.TITLE), "mfa-cn-zh").statements
        assert [s.context for s in statements[1:]] == ["灯塔的灯是谁点的？", "还有别的灯吗？"]

    def test_without_bold(self):
        body = (
            "示例社记者：灯亮吗？",
            "甄范例：亮。灯塔一直很亮，岛上的人都看得见。",
            "问：塔高吗？",
            "甄范例：很高。",
        )
        extracted = read(mfa(*body, title=self.TITLE), "mfa-cn-zh")
        assert [s.context for s in extracted.statements] == ["灯亮吗？", "塔高吗？"]
        assert who(extracted) == [("Zhen Fanli", "CHN")]

    def test_written_questions_and_answers(self):
        body = ("<strong>问：灯塔何时建成？</strong>", "答：灯塔三年前已经建成。", "这是众所周知的。")
        named = read(mfa(*body, title="外交部发言人甄范例就灯塔答记者问", old=True), "mfa-cn-zh")
        assert who(named) == [("Zhen Fanli", "CHN")]
        nameless = read(mfa(*body, title="外交部发言人就灯塔答记者问", old=True), "mfa-cn-zh")
        assert who(nameless) == [("Chinese Foreign Ministry spokesperson", "CHN")]
        assert nameless.statements[0].context == "灯塔何时建成？"

    def test_a_bare_answer_behind_a_bold_question_is_the_hosts(self):
        body = ("<strong>示例社记者：灯塔还在吗？</strong>", "灯塔还在，没有变化，一切都好。")
        assert who(read(mfa(*body, title=self.TITLE), "mfa-cn-zh")) == [("Zhen Fanli", "CHN")]

    def test_an_appended_question(self):
        body = (
            "<strong>示例社记者：灯亮吗？</strong>",
            "甄范例：亮。",
            "会后，有记者问：塔高吗？",
            "甄范例：很高，比树高。",
        )
        statements = read(mfa(*body, title=self.TITLE), "mfa-cn-zh").statements
        assert statements[-1].context == "塔高吗？"

    def test_news_of_a_minister_is_reported_speech(self):
        body = (
            "2021年5月14日，外交部长贾示例会见普里梅罗夫。",
            "贾示例表示，灯塔应由两国共同维护。灯油由双方分担。",
            "普里梅罗夫说，灯塔属于大海。",
            "双方还讨论了其他问题。",
        )
        extracted = read(mfa(*body, title="贾示例会见普里梅罗夫"), "mfa-cn-zh")
        assert who(extracted) == [("Jia Shili", "CHN"), ("Ivan Primerov", "RUS")]
        assert {s.provenance for s in extracted.statements} == {"reported"}
        assert by(extracted, "Jia Shili")[0].text.endswith("灯油由双方分担。")

    def test_the_date_that_the_title_states_goes_before_a_later_publication(self):
        page = mfa(*self.BODY, title=self.TITLE, shown="2021-05-15 00:20")
        document = read(page, "mfa-cn-zh").document
        assert (document.date, document.date_method) == ("2021-05-14", "title")

    def test_the_date_in_the_address_where_the_page_has_none(self):
        page = mfa("答：灯塔很好，灯塔一直很好。", title="外交部发言人谈灯塔", shown="")
        extracted = read(page, "mfa-cn-zh", url="https://www.mfa.gov.cn/web/x/202205/t20220517_10687165.shtml")
        assert (extracted.document.date, extracted.document.date_method) == ("2022-05-17", "url")


class TestChineseMinistryInEnglish:
    def test_press_conference(self):
        body = (
            "The lighthouse will open to visitors next week.",
            "<strong>Sample News Agency: Who lit the lamp?</strong>",
            "Zhen Fanli: The keeper lit it. I want to stress one thing: it is bright.",
            "<strong>AFP: Is there another lamp?</strong>",
            "Zhen Fanli: There is not.",
        )
        title = "Foreign Ministry Spokesperson Zhen Fanli's Regular Press Conference on August 18, 2021"
        extracted = read(mfa(*body, title=title, shown=""), "mfa-cn-en")
        assert who(extracted) == [("Zhen Fanli", "CHN")]
        assert extracted.document.date == "2021-08-18"
        assert [s.context for s in extracted.statements] == ["", "Who lit the lamp?", "Is there another lamp?"]

    def test_without_bold_and_with_initials(self):
        body = ("Q: Is the lamp lit?", "A: It is lit, and has been for thirty years.")
        title = "Foreign Ministry Spokesperson Zhen Fanli's Remarks on the Lighthouse"
        extracted = read(mfa(*body, title=title), "mfa-cn-en")
        assert who(extracted) == [("Zhen Fanli", "CHN")]
        assert extracted.statements[0].context == "Is the lamp lit?"

    def test_a_readout(self):
        body = (
            "On May 14, Foreign Minister Jia Shili met with Ivan Primerov on Sample Island.",
            "Jia Shili said that the lighthouse belongs to both shores. China will pay for the oil.",
            "Primerov noted that the sea is wide.",
        )
        extracted = read(mfa(*body, title="Jia Shili Meets with Ivan Primerov"), "mfa-cn-en")
        assert who(extracted) == [("Jia Shili", "CHN"), ("Ivan Primerov", "RUS")]
        assert {s.provenance for s in extracted.statements} == {"reported"}


class TestRussianMinistry:
    def test_interview_in_russian(self):
        page = mid(
            "Маяк открыт, и мы рады этому.",
            "<b>Вопрос:</b> Кто зажёг лампу?",
            "<b>П.С.Образцов:</b> Лампу зажёг смотритель.",
            "Он живёт там давно.",
            "<b>Вопрос (перевод с английского языка):</b> А масло?",
            "<b>П.С.Образцов:</b> Масло своё.",
            title="Выступление и ответы на вопросы СМИ Министра иностранных дел П.С.Образцова на маяке",
        )
        extracted = read(page, "mid-ru")
        assert who(extracted) == [("Pyotr Obraztsov", "RUS")]
        assert [s.context for s in extracted.statements] == ["", "Кто зажёг лампу?", "А масло?"]
        assert (extracted.document.date, extracted.document.date_method) == ("2023-05-05", "number")
        assert extracted.statements[0].role == "Minister of Foreign Affairs"
        assert "867-05" not in text_of(extracted)

    def test_a_guest_without_bold_is_not_the_minister(self):
        page = mid(
            "We opened the lighthouse together.",
            "Question: Who lit it?",
            "Pyotr Obraztsov: The keeper did.",
            "Udaharan Devi: I brought the oil.",
            "Leyla Mehmon: And I brought the wick.",
            title="Foreign Minister Pyotr Obraztsov’s remarks and answers to questions at a joint news conference",
        )
        assert who(read(page, "mid-en")) == [
            ("Pyotr Obraztsov", "RUS"),
            ("Udaharan Devi", "IND"),
            ("Leyla Mehmon", ""),
        ]

    def test_a_comment_of_the_ministry_itself(self):
        page = mid("The lighthouse keeper has our support in full.", title="Comment on the lighthouse")
        extracted = read(page, "mid-en")
        assert who(extracted) == [("Russian Foreign Ministry", "RUS")]
        assert extracted.statements[0].attribution == "the host, no person named"

    def test_the_spokeswoman(self):
        page = mid(
            "Добрый день. Начнём с маяка.", title="Брифинг официального представителя МИД России А.В.Пробовой"
        )
        assert who(read(page, "mid-ru")) == [("Anna Probova", "RUS")]

    def test_news_of_a_meeting(self):
        page = mid(
            "5 мая П.С.Образцов провёл встречу с Ударан Деви.",
            "П.С.Образцов подчеркнул, что маяк открыт для всех.",
            "Стороны обсудили масло.",
            title="О встрече Министра иностранных дел П.С.Образцова с Ударан Деви",
        )
        extracted = read(page, "mid-ru")
        assert who(extracted) == [("Pyotr Obraztsov", "RUS")]
        assert [s.provenance for s in extracted.statements] == ["reported"]
        assert "обсудили" not in text_of(extracted)


class TestOtherSites:
    def test_a_mission_names_the_speaker_in_the_title(self):
        page = """<html><body><h1>Statement by Permanent Representative Oleg Shablonov at a UNSC briefing</h1>
<time datetime="2023-06-23T20:00:00-04:00">23 June</time>
<div class="article-content"><p>Madam President, the lighthouse is dark.</p></div></body></html>"""
        extracted = read(page, "russia-un")
        assert who(extracted) == [("Oleg Shablonov", "RUS")]
        assert extracted.statements[0].role == "Permanent Representative to the United Nations"
        assert extracted.document.date == "2023-06-23"

    def test_a_post_of_the_channel_is_a_condensed_quotation(self):
        post = """<div class="tgme_widget_message"><div class="tgme_widget_message_text">🎙 Foreign Minister
Pyotr #Obraztsov: The lighthouse is a matter for those who live beside it.</div>
<a class="tgme_widget_message_date" href="https://t.me/MFARussia/1">
<time datetime="2023-03-02T22:30:00+00:00"></time></a></div>"""
        extracted = read(post, "mid-telegram-en")
        assert who(extracted) == [("Pyotr Obraztsov", "RUS")]
        assert (extracted.statements[0].provenance, extracted.document.date) == ("reported", "2023-03-03")

    def test_a_post_with_an_aside_in_its_label(self):
        post = '<div class="tgme_widget_message_text">💬 Pyotr Obraztsov (on the island): The lamp burns.</div>'
        assert who(read(post, "mid-telegram-en")) == [("Pyotr Obraztsov", "RUS")]

    @pytest.mark.parametrize(
        ("label", "speaker"),
        [("#Obraztsov", "Pyotr Obraztsov"), ("#Karimov", ""), ("#Lampada", ""), ("Obraztsov’s lamp", "")],
    )
    def test_a_post_labelled_with_a_hashtag(self, label, speaker):
        post = f'<div class="tgme_widget_message_text">💬 {label}: The lamp burns.</div>'
        extracted = read(post, "mid-telegram-en", published="2018-03-01")
        (statement,) = extracted.statements
        assert (statement.speaker if statement.country else "") == speaker

    def test_press_releases_are_reported_speech(self):
        page = plain(
            "The Security Council met today to hear about the lighthouse on Sample Island and its keeper.",
            "Oleg Shablonov (Russian Federation) said that the lamp must be lit by those who own it, and no other.",
            "Mo Yangben (China) stressed that the island had suffered enough from the dark of the last winter.",
            title="Speakers call for light",
        )
        extracted = read(page, "un-press")
        assert who(extracted) == [("Oleg Shablonov", "RUS"), ("Mo Yangben", "CHN")]
        assert {s.provenance for s in extracted.statements} == {"reported"}

    def test_a_press_release_that_gives_nobodys_words_is_still_reported(self):
        long = "The Council met to hear of the lighthouse, and the meeting rose when the sun had gone down. "
        extracted = read(plain(long * 2, long * 3, title="Council meets"), "un-press")
        assert {(s.speaker, s.provenance) for s in extracted.statements} == {("", "reported")}
        assert "Council meets" not in text_of(extracted)

    def test_a_saved_archive_of_a_browser(self):
        inner = mfa("答：灯塔很好，灯塔一直很好。", title="外交部发言人甄范例就灯塔答记者问", shown="")
        address = "https://www.mfa.gov.cn/web/wjdt/202205/t20220517_10687165.shtml"
        saved = mhtml(inner, address, "gb18030")
        extracted = read(saved, "mfa-cn-zh", url="file:/tmp/saved.mhtml", content_type="", charset="")
        assert who(extracted) == [("Zhen Fanli", "CHN")]
        assert extracted.document.date == "2022-05-17"

    def test_an_unknown_site_falls_back_to_its_main_text(self):
        long = "The keeper of the lighthouse has lived on the island for thirty years and has seen every storm. "
        page = plain(
            long * 3, f"Jia Shili said that the lamp would burn for another thirty years. {long}", title="Lamp"
        )
        page = page.replace("<article>", '<nav><a href="/a">Menu of the site</a></nav><article>')
        extracted = read(page)
        assert ("Jia Shili", "CHN") in who(extracted)
        assert "Menu of the site" not in text_of(extracted)

    def test_every_source_has_a_family_that_reads_an_empty_page(self):
        for one in load_sources().source:
            assert read("<html><body></body></html>", one.id).status == "empty", one.id
