"""Sentences and languages: what ends a sentence in three scripts and what only looks like an end."""

import pytest

from pipeline.classify.segment import sentence_spans


def sentences(text: str, lang: str = "") -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text, lang)]


@pytest.mark.parametrize(
    "parts",
    [
        ["The harbour is open.", "Vessels may come."],
        ["Is it open?", "It is!", "So be it…", "Good."],
        ["Under Art. 5 the harbour is open.", "It stays so."],
        ["Resolution No. 2593 was read.", "See para. 3."],
        ["Is that so?", "No.", "We refuse."],
        ["Dr. Vell met Mr. Brandt in Sept. 2030 at the U.N. office.", "They agreed."],
        ["J. K. Vell spoke.", "Nobody answered."],
        ["It cost 3.5 million.", "It was paid."],
        ["He said “We are open.”", "She left."],
        ['He said "We are open."', "She left."],
        ["(The harbour is open.)", "She left."],
        ["Open? — asked Vell.", "Nobody answered."],
        ["Wait... and see.", "Then go."],
        ["A heading without a stop\n\n", "The harbour is open."],
        ["См. ст. 3 договора.", "Гавань открыта."],
        ["Это было в 2030 г. в столице.", "Гавань открыта."],
        ["Он сказал: «Гавань открыта.»", "Она ушла."],
        ["А. Б. Велль выступил.", "Гавань закрыта!"],
        ["港口开放。", "船只可以来。"],
        ["他说：“港口开放。”", "她走了。"],
        ["他问：「港口开放吗？」", "她走了！"],
        ["真的吗？！", "是……", "好。"],
        ["Vessels, i.e. ships, may come.", "They do."],
    ],
)
def test_sentences_end_where_a_reader_ends_them(parts):
    joint = "" if "。" in parts[0] or "？" in parts[0] else " "
    assert sentences(joint.join(parts)) == [part.strip() for part in parts]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("We read Art. Nobody spoke.", 2),  # an abbreviation that needs a number after it
        ("We read Art. 7 aloud.", 1),
        ("He went in. then out.", 1),  # a small letter goes on
        ("He came. – She left.", 1),  # so does a dash
        ("version 2.Next", 1),  # nothing ends within a word
        ("one\ntwo", 1),
        ("One\n\ntwo", 1),
        ("One\n\nTwo", 2),
        ("One.\nTwo.", 2),
        ("One.  Two.", 2),
        ("One.\n", 1),
        ("Art.\n5 of Dr.\nVell, No.  7", 1),
        ("By Dr.\n\nThe harbour", 2),
        ("He came.\nthen left.", 1),
        ("Really?! Yes.", 2),
        ("Really?!", 1),
        ("ends with an abbreviation etc.", 1),
    ],
)
def test_the_number_of_sentences(text, count):
    assert len(sentences(text, "en")) == count


def test_offsets_are_code_points_and_trimmed():
    text = "  😀😀 Harbour open.  Гавань открыта.\n"
    assert sentence_spans(text) == ((2, 18), (20, 35))
    assert text[2:18] == "😀😀 Harbour open."
    assert text[20:35] == "Гавань открыта."


@pytest.mark.parametrize(("text", "spans"), [("", ()), (" \n\t", ()), ("a", ((0, 1),)), (" 。", ((1, 2),))])
def test_texts_with_next_to_nothing(text, spans):
    assert sentence_spans(text) == spans


def test_an_unknown_language_is_split_too():
    assert sentences("Le port est ouvert. Les navires viennent.", "fr") == [
        "Le port est ouvert.",
        "Les navires viennent.",
    ]
