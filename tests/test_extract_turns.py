"""Where a turn begins: labels and questions of each family, and what only looks like one."""

from __future__ import annotations

import pytest

from pipeline.ingest.extract.blocks import Block
from pipeline.ingest.extract.turns import Turn, split_turns
from pipeline.ingest.sources import Family, load_sources
from tests.extraction import PEOPLE

PLAIN = Family(id="plain")


def family(name: str) -> Family:
    return next(f for f in load_sources().family if f.id == name)


def split(*paragraphs: str | tuple[str, int], of: Family = PLAIN, title: str = "") -> list[tuple[str, str, str]]:
    """Turns as (kind, label, text); a paragraph may come with the length of its bold beginning."""
    blocks = [Block(text=p) if isinstance(p, str) else Block(text=p[0], lead=p[1]) for p in paragraphs]
    return [(t.kind, t.label, t.text) for t in split_turns(blocks, family=of, people=PEOPLE, title=title)]


def bold(text: str) -> tuple[str, int]:
    return text, len(text)


class TestQuestions:
    @pytest.mark.parametrize(
        "text",
        [
            "Question: x",
            "Question (retranslated): x",
            "QUESTION: x",
            "Remark: x",
            "Reply: x",
            "Q: x",
            "Q 3: x",
            "Вопрос: x",
            "Вопрос (перевод с английского языка): x",
            "Реплика: x",
            "Вопрос №3: x",
            "问：x",
            "追问：x",
            "记者：x",
            "示例社记者：x",
            "《样报》记者：x",
            "样本卫视记者追问：x",
            "会后，有记者问：x",
            "另有记者提问：x",
            "AFP: x",
            "Sample News Agency: x",
            "The Sample Times: x",
            "CCTV: x",
            "Global Times (China): x",
        ],
    )
    def test_are_told_by_their_label(self, text):
        assert split(text)[0][0] == "question"
        assert split(text)[0][2] == "x"

    @pytest.mark.parametrize(
        "text",
        [
            "The question: is it lit?",
            "There is a question: x",
            "我们的问题：x",
            "记者们都在场。",
            "他回答说，没有问题。",
            "Times change: x",
            "The lamp is news: x",
        ],
    )
    def test_other_text_is_not_one(self, text):
        assert split(text)[0][0] == "opening"

    def test_bold_paragraphs_are_questions_where_the_family_says_so(self):
        chinese = family("mfa-cn-zh")
        assert [kind for kind, _, _ in split(bold("灯塔今天是不是亮着？"), of=chinese)] == ["question"]
        assert [kind for kind, _, _ in split(bold("灯塔今天是不是亮着？"))] == ["opening"]
        assert [kind for kind, _, _ in split(bold("灯塔"), of=chinese)] == ["opening"]

    def test_one_question_in_two_bold_paragraphs(self):
        turns = split(
            bold("示例社记者：灯亮吗？"), bold("另外一个问题是塔高吗？"), "甄范例：都好。", of=family("mfa-cn-zh")
        )
        assert [(kind, text) for kind, _, text in turns] == [
            ("question", "灯亮吗？\n另外一个问题是塔高吗？"),
            ("speech", "都好。"),
        ]

    def test_go_on_until_somebody_answers(self):
        turns = split("Question: Is it lit?", "And who lit it?", "Jia Shili: The keeper.")
        assert [(kind, text) for kind, _, text in turns] == [
            ("question", "Is it lit?\nAnd who lit it?"),
            ("speech", "The keeper."),
        ]


class TestLabels:
    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("Jia Shili: x", "Jia Shili"),
            ("Foreign Minister Jia Shili: x", "Foreign Minister Jia Shili"),
            ("Jia Shili (retranslated): x", "Jia Shili"),
            ("П.С.Образцов: x", "П.С.Образцов"),
            ("П. С. Образцов (перевод): x", "П. С. Образцов"),
            ("Иван Примеров: x", "Иван Примеров"),
            ("Министр П.С.Образцов: x", "Министр П.С.Образцов"),
            ("甄范例：x", "甄范例"),
            ("贾示例部长：x", "贾示例部长"),
            ("乌达兰·德维：x", "乌达兰·德维"),
            ("Leyla Mehmon: x", "Leyla Mehmon"),
            ("Н.Незнакомец: x", "Н.Незнакомец"),
            ("A: x", "A"),
            ("Ответ: x", "Ответ"),
            ("答：x", "答"),
            ("Udaharan Devi, Prime Minister: x", "Udaharan Devi, Prime Minister"),
        ],
    )
    def test_unmarked(self, text, label):
        assert split("Opening.", text)[1:] == [("speech", label, "x")]

    @pytest.mark.parametrize(
        "text",
        [
            "Let me be clear: x",
            "Afghanistan: x",
            "Russian Federation: x",
            "例如：x",
            "我想说的是：x",
            "贾示例强调：x",
            "第一：x",
            "Jia Shili’s lamp: x",
            "On the lamp: x",
            "Во-первых: x",
            "10:30 a.m. x",
            "http://x",
            ": x",
            "：x",
            "The lamp that Jia Shili gave us all: x",
        ],
    )
    def test_what_only_looks_like_one(self, text):
        assert [kind for kind, _, _ in split("Opening.", text)] == ["opening"]

    def test_a_name_that_the_title_has(self):
        title = "2021年5月14日外交部发言人新面孔主持例行记者会"
        assert split("开场。", "新面孔：好。", of=family("mfa-cn-zh"), title=title)[1] == (
            "speech",
            "新面孔",
            "好。",
        )
        assert len(split("开场。", "新面孔：好。", of=family("mfa-cn-zh"))) == 1

    def test_a_name_behind_a_question(self):
        assert split("问：灯亮吗？", "新面孔：亮。")[1] == ("speech", "新面孔", "亮。")

    @pytest.mark.parametrize(
        ("text", "lead", "begins"),
        [
            ("Ann Faro: x", 8, True),
            ("Ann Faro: x", 9, True),
            ("Ann Faro: x y", 13, True),
            ("Ann Faro (by phone): x", 8, True),
            ("Ann Faro: … x", 11, True),
            ("Ann Faro: x", 0, False),
            ("Ann Faro: x", 3, False),
            ("Ann Faro: x y z", 12, False),
        ],
    )
    def test_bold_decides_where_labels_are_bold(self, text, lead, begins):
        turns = split("Opening.", (text, lead), of=family("kremlin"))
        assert (len(turns) == 2) is begins

    def test_a_partly_bold_paragraph_elsewhere_must_be_bold_up_to_the_colon(self):
        assert len(split("Opening.", ("Jia Shili: x", 3))) == 1
        assert len(split("Opening.", ("Jia Shili: x", 10))) == 2


class TestTurns:
    def test_separators_are_no_text(self):
        assert split("a", "* * *", "<…>", "b") == [("opening", "", "a\nb")]

    def test_nothing(self):
        assert split() == []
        assert split("***") == []

    def test_a_label_alone_takes_the_next_paragraph(self):
        assert split("Jia Shili:", "The lamp burns.") == [("speech", "Jia Shili", "The lamp burns.")]

    def test_text_is_the_paragraphs(self):
        assert Turn(kind="speech", paragraphs=("a", "b")).text == "a\nb"
