"""Whose words: roles by date, namesakes, unknown speakers, joint and reported speech."""

from __future__ import annotations

import datetime as dt

import pytest

from pipeline.ingest.extract.joint import is_joint, joint_voice
from pipeline.ingest.extract.people import mentions, place_named, word_key
from pipeline.ingest.extract.reported import reported_speech
from pipeline.ingest.extract.speakers import Attribution, resolve, split_label
from tests.extraction import PEOPLE, kremlin, mid, plain, read, text_of, who

DAY = dt.date(2018, 3, 1)


def attributed(label, day=DAY, **given):
    found = resolve(label, people=PEOPLE, day=day, **given)
    return found.speaker, found.role, found.country


class TestNames:
    @pytest.mark.parametrize(
        "text",
        [
            "П.С.Образцов",
            "П. С. Образцова",
            "Петру Образцову",
            "с Петром Образцовым",
            "Pyotr Obraztsov’s words",
            "PYOTR OBRAZTSOV",
            "слова Петра Образцова о маяке",
            "部长奥布拉兹佐夫",
        ],
    )
    def test_any_spelling_and_case_is_found(self, text):
        assert [m.speakers[0].id for m in mentions(text, PEOPLE)] == ["pyotr-obraztsov"]

    @pytest.mark.parametrize(
        "text", ["Obraztsov", "Pyotr", "Образцовый маяк", "образец", "", "甄", "Primerovsk Ivan"]
    )
    def test_parts_of_names_and_other_words_are_not(self, text):
        assert mentions(text, PEOPLE) == ()

    def test_the_longest_name_wins_and_places_are_exact(self):
        text = "外交部发言人甄范例"
        assert [text[m.start : m.end] for m in mentions(text, PEOPLE)] == ["外交部发言人", "甄范例"]

    def test_stems_leave_short_words_alone(self):
        assert word_key("Цзя Шили") == ("цзя", "шил")
        assert word_key("Ван И") == ("ван", "и")

    @pytest.mark.parametrize(
        ("text", "actor"),
        [
            ("Russian Federation", "RUS"),
            ("the Russian Federation", "RUS"),
            ("Republic of India", "IND"),
            ("России", "RUS"),
            ("中国", "CHN"),
            ("SCO", "SCO"),
            ("Mongolia", None),
            ("", None),
            ("India Today", None),
        ],
    )
    def test_places(self, text, actor):
        found = place_named(text, PEOPLE)
        assert (found.id if found else None) == actor


class TestRoles:
    def test_the_role_is_that_of_the_day(self):
        assert attributed("Pyotr Obraztsov", dt.date(2015, 12, 31))[1] == "Deputy Minister of Foreign Affairs"
        assert attributed("Pyotr Obraztsov", dt.date(2016, 1, 1))[1] == "Minister of Foreign Affairs"

    def test_without_an_office_on_that_day_nobody_is_spoken_for(self):
        found = resolve("Pyotr Obraztsov", people=PEOPLE, day=dt.date(2009, 12, 31))
        assert (found.speaker, found.country) == ("Pyotr Obraztsov", "")
        assert found.how == "no office of Pyotr Obraztsov is known for that date"

    def test_without_a_date_the_country_is_known_and_the_role_is_not(self):
        assert attributed("Pyotr Obraztsov", None) == ("Pyotr Obraztsov", "", "RUS")

    @pytest.mark.parametrize(
        "label",
        [
            "President of Russia Ivan Primerov",
            "IvanPrimerov",
            "Ivan Primerov (retranslated)",
            "И.Примеров",
            "Президент России Иван Примеров",
            "Ivan Primerov, President of Russia",
            "Mr. Ivan Primerov",
        ],
    )
    def test_labels_of_a_listed_speaker(self, label):
        assert attributed(label) == ("Ivan Primerov", "President", "RUS")

    def test_a_label_about_somebody_else_is_not_him(self):
        assert attributed("Ivan Primerov’s interpreter")[2] == ""

    @pytest.mark.parametrize(
        "label", ["У.Деви (как переведено)", "У. Деви", "У.Р.Деви", "Премьер-министр Индии У.Деви"]
    )
    def test_initials_of_a_guest_in_a_russian_transcript(self, label):
        assert attributed(label) == ("Udaharan Devi", "Prime Minister", "IND")

    def test_other_initials_are_another_person(self):
        assert attributed("К.Деви")[2] == ""


class TestUnlisted:
    def test_the_label_states_the_country(self):
        assert attributed("Prime Minister of India Puratan Nadir") == (
            "Puratan Nadir",
            "Prime Minister of India",
            "IND",
        )

    @pytest.mark.parametrize(
        "label",
        [
            "President of Mongolia Jishee Bat",
            "Chairman of India Tea Board Cha Wala",
            "Governor Ann Smith of Russia Hill",
            "Rector of Russia House University Ann Smith",
            "Jishee Bat",
        ],
    )
    def test_no_country_is_guessed(self, label):
        assert attributed(label)[2] == ""

    def test_the_short_label_further_on_is_the_same_person(self):
        full = resolve("Prime Minister of India Puratan Nadir", people=PEOPLE, day=DAY)
        assert resolve("Puratan Nadir", people=PEOPLE, day=DAY, earlier=[full]) == full

    def test_the_name_in_a_long_label_is_what_is_used_alone_elsewhere(self):
        found = resolve(
            "Head of the Lamp Guild Maria Luz Faro", people=PEOPLE, day=DAY, labels=frozenset({"Maria Luz Faro"})
        )
        assert (found.speaker, found.role) == ("Maria Luz Faro", "Head of the Lamp Guild")

    def test_name_and_office_around_a_comma(self):
        assert split_label("Vera Faro, Secretary of the Guild", PEOPLE) == ("Vera Faro", "Secretary of the Guild")


class TestNamesakes:
    def test_are_told_apart_by_country(self):
        assert attributed("Minister of Defence of Uzbekistan Namuna Karimov")[2] == "UZB"
        assert attributed("Namuna Karimov", country="Tajikistan")[1:] == ("Minister of Foreign Affairs", "TJK")

    def test_by_office(self):
        assert attributed("Defence Minister Namuna Karimov")[2] == "UZB"

    def test_by_the_date_when_only_one_is_in_office(self):
        assert attributed("Namuna Karimov", dt.date(2021, 1, 1))[2] == "TJK"

    def test_or_left_unknown_with_the_reason(self):
        found = resolve("Namuna Karimov", people=PEOPLE, day=DAY)
        assert (found.speaker, found.country) == ("Namuna Karimov", "")
        assert found.how == "name shared by Namuna Karimov (TJK); Namuna Karimov (UZB)"

    def test_on_a_page_the_full_label_settles_the_short_ones(self):
        page = kremlin(
            "<b>Foreign Minister of Tajikistan Namuna Karimov:</b> A lamp.",
            "<b>Ivan Primerov:</b> Two lamps.",
            "<b>Namuna Karimov:</b> Three lamps.",
            day="2018-03-01",
        )
        assert who(read(page, "kremlin-en")) == [
            ("Namuna Karimov", "TJK"),
            ("Ivan Primerov", "RUS"),
            ("Namuna Karimov", "TJK"),
        ]

    def test_on_a_page_without_it_the_words_stay_unknown(self):
        page = kremlin("<b>Namuna Karimov:</b> Is it a lamp? It is a lamp.", day="2018-03-01")
        (statement,) = read(page, "kremlin-en").statements
        assert (statement.speaker, statement.country) == ("Namuna Karimov", "")
        assert statement.attribution.startswith("name shared by")

    def test_of_a_country_for_which_he_does_not_speak(self):
        found = resolve("President of India Ivan Primerov", people=PEOPLE, day=DAY)
        assert found == Attribution(
            speaker="Ivan Primerov",
            role="President of India",
            country="IND",
            how="the label says India; no listed Ivan Primerov speaks for it",
        )


class TestReportedSpeech:
    @staticmethod
    def reported(*paragraphs, lang="en", host="RUS"):
        found = reported_speech(paragraphs, lang=lang, people=PEOPLE, day=DAY, host=host)
        return [(one.label, one.text) for one in found]

    def test_before_and_behind_the_verb(self):
        assert self.reported("Jia Shili said the lamp burns.") == [("Jia Shili", "Jia Shili said the lamp burns.")]
        assert self.reported("“The lamp burns,” said Jia Shili.")[0][0] == "Jia Shili"
        assert self.reported("Jia Shili also once again stressed that the lamp burns.")[0][0] == "Jia Shili"

    def test_a_person_who_only_acts_says_nothing(self):
        assert self.reported("Jia Shili visited the lighthouse with Ivan Primerov.")[0][0] == ""

    def test_goes_on_in_the_paragraph_until_the_parties_or_another_take_over(self):
        text = "Jia Shili said the lamp burns. It burns well. Ivan Primerov noted the smoke. The sides shook hands."
        assert self.reported(text) == [
            ("Jia Shili", "Jia Shili said the lamp burns. It burns well."),
            ("Ivan Primerov", "Ivan Primerov noted the smoke."),
            ("", "The sides shook hands."),
        ]

    def test_does_not_go_on_in_the_next_paragraph(self):
        found = self.reported("Jia Shili said the lamp burns.", "The island has a harbour.")
        assert [label for label, _ in found] == ["Jia Shili", ""]

    def test_unless_a_quotation_is_open(self):
        found = self.reported("Jia Shili said: “The lamp burns.", "It always has.”", "It was dark.")
        assert [label for label, _ in found] == ["Jia Shili", "Jia Shili", ""] or found[0][1].startswith(
            "Jia Shili said:"
        )
        assert found[-1] == ("", "It was dark.")

    def test_a_message_announced_with_a_colon(self):
        found = self.reported(
            "Ivan Primerov sent a message of greetings.", "The message reads, in part:", "“Dear keepers!”"
        )
        assert [label for label, _ in found] == ["Ivan Primerov", "Ivan Primerov"]
        assert found[1][1] == "The message reads, in part: “Dear keepers!”"

    def test_the_surname_alone_once_the_name_is_known(self):
        found = self.reported(
            "Jia Shili met Pyotr Obraztsov.", "Obraztsov said the lamp burns. Mr Jia thanked him."
        )
        assert found[1:] == [
            ("Pyotr Obraztsov", "Obraztsov said the lamp burns."),
            ("Jia Shili", "Mr Jia thanked him."),
        ]

    def test_the_president_is_the_hosts_of_that_day(self):
        assert self.reported("The President stressed that the lamp burns.")[0][0] == "Ivan Primerov"
        assert self.reported("The President stressed that the lamp burns.", host="IND")[0][0] == ""

    def test_an_unlisted_person_is_named(self):
        assert self.reported("Governor Alma Faro added that oil is dear.")[0][0].endswith("Alma Faro")
        assert self.reported("The Governor added that oil is dear.")[0][0] == ""

    @pytest.mark.parametrize(
        "text",
        [
            "PYOTR OBRAZTSOV, Minister for Foreign Affairs of the Russian Federation, said the lamp burns.",
            "Pyotr Obraztsov (Russian Federation), stressing the importance of lamps, urged restraint.",
            "PYOTR OBRAZTSOV (Russian Federation) said the lamp burns.",
        ],
    )
    def test_an_aside_between_name_and_verb(self, text):
        assert [label.casefold() for label, _ in self.reported(text)] == ["pyotr obraztsov"]

    def test_an_unlisted_delegate_takes_over(self):
        found = self.reported("Jia Shili said the lamp burns. ALMA FARO (Norland) said that it does not.")
        assert [label for label, _ in found] == ["Jia Shili", "ALMA FARO"]

    def test_in_russian_and_chinese(self):
        assert self.reported("П.С.Образцов подчеркнул, что маяк горит.", lang="ru")[0][0] == "П.С.Образцов"
        found = self.reported("贾示例表示，灯塔很亮。灯油充足。双方合影。", lang="zh", host="CHN")
        assert found == [("贾示例", "贾示例表示，灯塔很亮。灯油充足。"), ("", "双方合影。")]

    def test_narration_beside_attributed_speech_is_no_statement(self):
        page = kremlin("<b>Ivan Primerov:</b> It burns.", lead="Ivan Primerov met the keeper. It rained all day.")
        assert text_of(read(page, "kremlin-en")) == "It burns."

    def test_narration_alone_stays_without_a_speaker(self):
        page = kremlin("The keeper painted the lighthouse.", "It took all summer to paint the lighthouse.")
        (statement,) = read(page, "kremlin-en").statements[:1]
        assert (statement.speaker, statement.country, statement.provenance) == ("", "", "reported")


class TestJointDocuments:
    TITLE = "Joint Statement of the Russian Federation and the People's Republic of China on Lighthouses"

    @pytest.mark.parametrize(
        "title",
        [TITLE, "Joint Communique of the Meeting", "Совместное заявление о маяках", "中俄关于灯塔的联合声明"],
    )
    def test_titles(self, title):
        assert is_joint(title)

    @pytest.mark.parametrize(
        "title",
        ["Joint news conference with the keeper", "Joint statements to the press", "Statement on joint lamps"],
    )
    def test_titles_of_other_things(self, title):
        assert not is_joint(title)

    def test_the_voice_is_that_of_the_parties(self):
        voice = joint_voice(self.TITLE, PEOPLE, "RUS")
        assert (voice.speaker, voice.country) == ("China and Russia (joint statement)", "RUS")
        assert joint_voice("Joint Statement of India and Tajikistan", PEOPLE, "").speaker == (
            "India, Tajikistan (joint statement)"
        )

    def test_is_marked_and_nobodys_own(self):
        page = mid("The Parties support lighthouses.", "The Parties oppose the dark.", title=self.TITLE)
        extracted = read(page, "mid-en")
        assert extracted.document.joint
        assert {(s.joint, s.speaker) for s in extracted.statements} == {
            (True, "China and Russia (joint statement)")
        }


class TestWhoseTheOpeningIs:
    def test_a_speech_of_the_person_in_the_title_even_where_others_are_cited(self):
        page = mid(
            "Как подчеркнул Иван Примеров, маяк горит для всех.",
            "Мы это поддерживаем.",
            title="Выступление Министра иностранных дел П.С.Образцова о словах Ивана Примерова",
        )
        extracted = read(page, "mid-ru")
        assert {(s.speaker, s.provenance) for s in extracted.statements} == {("Pyotr Obraztsov", "verbatim")}

    def test_news_of_a_speech_is_reported(self):
        page = mid("П.С.Образцов подчеркнул, что маяк горит.", title="Заявление Министра П.С.Образцова на маяке")
        assert [s.provenance for s in read(page, "mid-ru").statements] == ["reported"]

    def test_a_comment_of_the_ministry_that_cites_somebody_stays_its_own(self):
        page = mid("As Ivan Primerov said, the lamp burns.", "We are glad of it.", title="Comment on the lamp")
        assert who(read(page, "mid-en")) == [("Russian Foreign Ministry", "RUS")]

    def test_news_that_names_nobody_in_the_title_but_gives_somebodys_words(self):
        page = mid("The lamp was lit.", "Ivan Primerov said that the lamp burns.", title="Lamp lit on the island")
        assert who(read(page, "mid-en")) == [("Ivan Primerov", "RUS")]

    def test_an_organisation_speaks_for_itself_on_its_own_site(self):
        page = plain(
            "The Member States support lighthouses, old and new, on all of their shores. " * 4, title="Statement"
        )
        assert {(s.speaker, s.country) for s in read(page, "sco-en").statements} == {
            ("Shanghai Cooperation Organisation", "SCO")
        }

    def test_an_official_who_asks_is_still_an_official(self):
        page = kremlin("<b>Head of the Lamp Guild Maria Faro:</b> Who lights the lamp? We light the lamp.")
        (statement,) = read(page, "kremlin-en").statements
        assert (statement.speaker, statement.role) == ("Maria Faro", "Head of the Lamp Guild")


class TestPagesOfNoKnownFamily:
    def test_a_speech_named_in_its_title(self):
        page = plain(
            "The lamp has burned for a hundred years and more, and we keep it so. " * 4, title="Speech by Jia Shili"
        )
        assert who(read(page)) == [("Jia Shili", "CHN")]

    def test_words_of_nobody_named_stay_as_of_nobody(self):
        extracted = read("Just a line.\nAnother line of text.", content_type="text/plain", url="file:/x/notes.txt")
        assert who(extracted) == [("", "")]
        assert extracted.statements[0].attribution == "no speaker is named"

    def test_a_transcript_in_plain_text(self):
        text = "Question: Who lit the lamp?\n\nJia Shili: The keeper lit the lamp.\n\nUdaharan Devi: I saw it."
        extracted = read(text, content_type="text/plain", url="file:/x/talk.txt")
        assert who(extracted) == [("Jia Shili", "CHN"), ("Udaharan Devi", "IND")]
        assert extracted.statements[0].context == "Who lit the lamp?"
