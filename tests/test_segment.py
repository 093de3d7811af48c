"""Sentences and languages: what ends a sentence in three scripts and what only looks like an end."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.classify.segment import _token_starts, _trimmed, sentence_spans


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


PIECES = [
    "Harbour", "open", "A", "B", "no", "No", "art", "п", "г", "Dr", "U.S", "3", "3.5", "2021", "e.g", "co-op", "x-p",
    "港", "口", "Ж", ".", ".", ".", "!", "?", "…", "...", "。", "？", '"', "”", "»", "(", ")", "】", "«", "“", "’", "'",
    "—", "-", ",", ";", "%", "$", "_", "😀", "\n", "\n\n", " ", " ", " ", " ", " ", " ",
]  # fmt: skip


def by_tokens(text: str, lang: str) -> tuple[tuple[int, int], ...]:
    """Return the sentences that the rules over spaCy's tokens give, however plain the text is."""
    return tuple(_trimmed(text, _token_starts(text, lang)))


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=14).map("".join), st.sampled_from(["en", "ru", "zh"]))
@example("We met at the co-op. It was closed.", "en")
@example("We met Mr. A. B. Vell (of Art. 5). It was late.", "en")
@example("It was 3.5. Then 4.", "en")
@example("港口开放。 船只可以来。”好。", "zh")
@example("他见了J. Brandt先生。No. 5号。好. 了", "zh")
def test_reading_the_text_and_reading_tokens_give_the_same_sentences(text, lang):
    assert sentence_spans(text, lang) == by_tokens(text, lang)


@pytest.mark.parametrize(
    "text",
    [
        "The harbour is open. Vessels may come! May they? (They may.) So be it… Good.",
        "Under Art. 5 of 3.5 pages, Dr. Vell met J. Brandt. It was late.",
        "См. ст. 3 договора. Гавань открыта.",
    ],
)
def test_plain_text_is_split_without_spacy(text, monkeypatch):
    expected = by_tokens(text, "en")
    monkeypatch.setattr("pipeline.classify.segment._pipeline", None)
    assert sentence_spans(text, "en") == expected


def test_chinese_is_split_without_spacy(monkeypatch):
    text = "他说：“港口开放。”她走了。真的吗？！是……好。"
    expected = by_tokens(text, "zh")
    monkeypatch.setattr("pipeline.classify.segment._pipeline", None)
    assert sentence_spans(text) == sentence_spans(text, "zh") == expected


@pytest.mark.parametrize("text", ["Open.Sea. More", "By the co-p. Vell", '"Go." "Come."', "One.  Two."])
def test_what_stands_less_plainly_is_asked_of_spacy(text, monkeypatch):
    monkeypatch.setattr("pipeline.classify.segment._pipeline", None)
    with pytest.raises(TypeError):
        sentence_spans(text, "en")
