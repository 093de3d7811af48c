"""United Nations records: two-column verbatim records in PDF, General Debate text files."""

from __future__ import annotations

import textwrap

import pytest

from pipeline.ingest.extract.council import TURN, is_debate_file, read_council, read_debate
from pipeline.ingest.extract.pdf import read_pdf
from tests.extraction import by, pdf, read, text_of, who

LEFT = (
    "The meeting was called to order at 10.05 a.m.",
    "Adoption of the agenda",
    "The agenda was adopted.",
    "The lighthouse on Sample Island",
    "The President (spoke in Chinese): I now give",
    "the floor to the representative of the",
    "Russian Federation.",
    "Mr. Shablonov (Russian Federation) (spoke in",
    "Russian): The lamp is a matter for the is-",
    "landers. Nobody else may light it, and no-",
    "body else may put it out, whatever they may",
)
RIGHT = (
    "say in this Chamber about the matter.",
    "The President (spoke in Chinese): I thank",
    "Mr. Shablonov for his statement.",
    "I shall now make a statement in my capacity",
    "as the representative of China.",
    "The island has our full support.",
    "I now resume my functions as President of",
    "the Council. I give the floor to Ms. Faro.",
    "Ms. Faro: Thank you for the floor.",
    "Mr. Karimov (Tajikistan): We border the sea",
    "only on maps.",
)


def column(lines, x, top=700.0):
    return [(x, top - 14 * n, line) for n, line in enumerate(lines)]


def record() -> bytes:
    front = column(
        (
            "United Nations",
            "S/PV.9999",
            "Security Council",
            "Provisional",
            "9999th meeting",
            "Thursday, 17 September 2020, 10 a.m.",
            "New York",
            "President: Mr. Mo Yangben . . . . . (China)",
            "Agenda",
            "The lighthouse on Sample Island",
            "20-12345 (E)",
        ),
        60.0,
    )
    header = [
        (60.0, 760.0, "S/PV.9999"),
        (250.0, 760.0, "The lighthouse on Sample Island"),
        (500.0, 760.0, "17/09/2020"),
    ]
    footer = [(60.0, 30.0, "2/9"), (500.0, 30.0, "20-12345")]
    # Drawn right column first: the order of the file is not the order of reading.
    return pdf(front, [*header, *column(RIGHT, 316.0), *column(LEFT, 60.0), *footer])


def council():
    return read(
        record(), "un-security-council", content_type="application/pdf", url="https://undocs.org/en/S/PV.9999"
    )


class TestVerbatimRecord:
    def test_facts(self):
        document = council().document
        assert document.title == "S/PV.9999: The lighthouse on Sample Island"
        assert document.venue == "UN Security Council, meeting 9999"
        assert (document.date, document.date_method) == ("2020-09-17", "record")

    def test_turns_by_country_and_surname(self):
        assert who(council()) == [
            ("Oleg Shablonov", "RUS"),
            ("Mo Yangben", "CHN"),
            ("Faro", ""),
            ("Namuna Karimov", "TJK"),
        ]

    def test_columns_are_read_one_after_the_other_and_hyphens_undone(self):
        (statement,) = by(council(), "Oleg Shablonov")
        assert statement.text == (
            "The lamp is a matter for the islanders. Nobody else may light it, and nobody else may put it out, "
            "whatever they may say in this Chamber about the matter."
        )

    def test_the_president_speaks_for_his_country_only_when_he_says_so(self):
        (statement,) = by(council(), "Mo Yangben")
        assert statement.text == "The island has our full support."
        assert statement.role == "Permanent Representative to the United Nations"
        assert "give the floor" not in text_of(council())

    def test_running_heads_are_no_text(self):
        for noise in ("17/09/2020", "20-12345", "2/9", "S/PV"):
            assert noise not in text_of(council())

    @pytest.mark.parametrize(
        ("line", "name", "country", "language"),
        [
            (
                "Mr. Shablonov (Russian Federation) (spoke in Russian): Yes",
                "Mr. Shablonov",
                "Russian Federation",
                "spoke in Russian",
            ),
            ("Ms. Faro: Yes", "Ms. Faro", None, None),
            (
                "Mrs. De la Faro (Plurinational State of Example): Yes",
                "Mrs. De la Faro",
                "Plurinational State of Example",
                None,
            ),
            ("The President (spoke in Arabic): Yes", "The President", None, "spoke in Arabic"),
            ("Sir Lamp (United Kingdom): Yes", "Sir Lamp", "United Kingdom", None),
        ],
    )
    def test_labels(self, line, name, country, language):
        match = TURN.match(line)
        assert match is not None
        assert (match["name"].strip(), match["country"], match["language"]) == (name, country, language)

    @pytest.mark.parametrize("line", ["The lamp: it burns", "He said: Mr. X", "Mr. Shablonov spoke of the lamp."])
    def test_what_is_no_label(self, line):
        assert TURN.match(line) is None

    def test_one_column_is_left_as_it_is(self):
        lines = read_pdf(
            pdf(column(["A single column of text, broad as the page.", "And its second line."], 60.0))
        ).lines
        assert [line for line in lines if line.strip()] == [
            "A single column of text, broad as the page.",
            "And its second line.",
        ]

    def test_a_record_without_turns_says_so(self):
        extracted = read(pdf(column(["S/PV.9998", "Nothing was said."], 60.0)), "un-security-council")
        assert (extracted.status, extracted.statements) == ("empty", ())

    @pytest.mark.parametrize(
        "label",
        ["Mr. Karimov (Tajikistan):", "Ms. De la Faro (Norland) (spoke in Norse):", "Ms. Faro:", "The President:"],
    )
    def test_a_label_that_the_layout_hid_inside_a_paragraph(self, label):
        line = (
            f"Mr. Mo Yangben (China) (spoke in Chinese): We like light. {label} We do not agree with that at all."
        )
        first, second = read_council(["The meeting was called to order at 10 a.m.", line]).turns
        assert (first.paragraphs, first.country) == (("We like light.",), "China")
        assert f"{second.label}:" in label or second.label in label

    def test_a_person_cited_inside_a_paragraph_does_not_begin_a_turn(self):
        line = "Mr. Mo Yangben (China): We like light. Mr. Karimov said: “We too”. I agree with Mr. Faro: it burns."
        assert len(read_council(["The meeting was called to order at 10 a.m.", line]).turns) == 1

    def test_the_chair_is_nobodys_where_the_front_page_is_missing(self):
        lines = [
            "The meeting was called to order at 10 a.m.",
            "The President: I give the floor.",
            "Ms. Faro: Light.",
        ]
        assert [turn.label for turn in read_council(lines).turns if turn.kind == "speech"] == ["Ms. Faro"]

    def test_the_same_record_as_text(self):
        text = [
            "S/PV.7",
            "The meeting was called to order at 10 a.m.",
            "Mr. Mo Yangben (China) (spoke in Chinese): Light.",
        ]
        (turn,) = read_council(text).turns
        assert (turn.label, turn.country, turn.language) == ("Mr. Mo Yangben", "China", "spoke in Chinese")


class TestGeneralDebate:
    SPEECH = (
        "The lighthouse is the common heritage of those who sail. We have said so before, and we say so again.",
        "No one should put out the lamp of another. The sea is wide enough for all the lamps there are.",
    )

    def read(self, text, name="CHN_76_2021.txt"):
        return read(text, "un-general-debate", url=f"file:/debate/{name}", content_type="text/plain")

    def test_only_the_country_and_the_month_are_known(self):
        extracted = self.read("\ufeff" + "\n".join(self.SPEECH))
        assert who(extracted) == [("", "CHN")]
        assert (extracted.document.date, extracted.document.date_method) == ("2021-09-15", "month")
        assert extracted.document.venue == "UN General Assembly, General Debate, session 76"

    def test_numbered_paragraphs(self):
        extracted = self.read("\n".join(f"{n}.\t{p}" for n, p in enumerate(self.SPEECH, start=12)))
        assert text_of(extracted).startswith("The lighthouse is")
        assert "13." not in text_of(extracted)

    def test_hard_line_breaks_and_stray_marks(self):
        wrapped = "\n\n".join("\n".join(textwrap.wrap(f"**{p}**", 40)) for p in self.SPEECH)
        assert text_of(self.read(wrapped)).replace("\n", " ") == " ".join(self.SPEECH)

    def test_the_speaker_is_named_in_some_files(self):
        text = f"Mr. Jia Shili (China) (spoke in Chinese): {self.SPEECH[0]}\n{self.SPEECH[1]}"
        extracted = self.read(text)
        assert who(extracted) == [("Jia Shili", "CHN")]
        assert extracted.statements[0].role == "Minister of Foreign Affairs"

    def test_the_chair_is_left_out(self):
        text = f"The President: We shall now hear an address.\n{'Mr. Jia Shili (China): ' + self.SPEECH[0]}"
        assert who(self.read(text)) == [("Jia Shili", "CHN")]

    def test_a_country_that_is_not_listed_is_nobodys(self):
        assert who(self.read("\n".join(self.SPEECH), "FRA_76_2021.txt")) == [("", "")]

    @pytest.mark.parametrize(
        ("name", "known"), [("CHN_76_2021.txt", True), ("notes.txt", False), ("CHN_2021.txt", False)]
    )
    def test_names_of_files(self, name, known):
        assert is_debate_file(f"file:/x/{name}") is known

    def test_an_empty_file(self):
        assert read_debate("", "file:/x/CHN_76_2021.txt").turns == ()
        assert self.read(" \n").status == "empty"
