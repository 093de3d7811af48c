"""Long statements: read sentence by sentence, so that one refusal is not drowned in what merely mentions the target."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.classify.tagging import predict, tag_statements
from pipeline.classify.transcripts import COMBINATION, SHORT, combine_sentences, sentences_if_long
from pipeline.schema import STANCES
from tests.conftest import FILLERS, SENTENCES

FAVOR, NEUTRAL, AGAINST, NONE = range(4)
SURE_FAVOR, SURE_NEUTRAL, SURE_AGAINST, SURE_NONE = (np.where(np.arange(4) == k, 0.94, 0.02) for k in range(4))
NAMING = SENTENCES["harbour"]["neutral"]


def whole(*sentences, naming=True):
    """Combine sentences on a single target."""
    probabilities = np.array(sentences)[:, None, :]
    return combine_sentences(probabilities, np.full((len(sentences), 1), naming))[0]


# Which texts are long


@pytest.mark.parametrize(
    "text",
    [
        "",
        "One sentence without a mark",
        "One. Two. Three. Four. Five.",
        "Wait... and see?! Art. 5, No. 6 and Mr. Vell of the U.N. say so. Good.",  # many marks, two sentences
        "一。二。三。四。五。",
    ],
)
def test_a_text_of_up_to_five_sentences_is_read_whole(text):
    assert sentences_if_long(text) == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two. Three. Four. Five. Six.", ["One.", "Two.", "Three.", "Four.", "Five.", "Six."]),
        ("One. Two.\n\nThree. Four. Five. Six", ["One.", "Two.", "Three.", "Four.", "Five.", "Six"]),
        ("Раз. Два. Три! Четыре? Пять. Шесть…", ["Раз.", "Два.", "Три!", "Четыре?", "Пять.", "Шесть…"]),
        ("一。二。三！四？五。六。", ["一。", "二。", "三！", "四？", "五。", "六。"]),
    ],
)
def test_a_longer_text_is_cut_into_its_sentences(text, parts):
    assert sentences_if_long(text) == parts
    assert len(parts) == SHORT + 1


# The rule


def test_one_sentence_that_names_the_target_speaks_for_all():
    probabilities = np.array([[SURE_NONE], [[0.2, 0.5, 0.1, 0.2]], [SURE_FAVOR]])
    naming = np.array([[False], [True], [False]])
    np.testing.assert_array_equal(combine_sentences(probabilities, naming)[0], [0.2, 0.5, 0.1, 0.2])


def test_a_target_that_no_sentence_names_stays_silent():
    np.testing.assert_array_equal(whole(SURE_NONE, SURE_NONE, naming=False), SURE_NONE)


@pytest.mark.parametrize(("side", "sure"), [(FAVOR, SURE_FAVOR), (AGAINST, SURE_AGAINST)])
@pytest.mark.parametrize("mentions", [3, 10, 30])
def test_one_clear_side_is_not_outvoted_by_mentions(side, sure, mentions):
    one = np.where(np.arange(4) == side, 0.997, 0.001)
    assert whole(one, *[SURE_NEUTRAL] * mentions).argmax() == side
    assert np.mean([one, *[SURE_NEUTRAL] * mentions], axis=0).argmax() == NEUTRAL  # what pooling would say
    assert whole(sure, sure * 0.5 + SURE_NEUTRAL * 0.5, SURE_NEUTRAL)[side] > whole(sure * 0.5 + 0.125)[side]


def test_both_sides_alike_leave_it_undecided():
    found = whole(SURE_FAVOR, SURE_AGAINST, SURE_NEUTRAL)
    assert found[FAVOR] == pytest.approx(found[AGAINST])
    assert found.max() < 0.5


def test_mentions_alone_are_neutral_and_lookalikes_none():
    assert whole(*[SURE_NEUTRAL] * 4).argmax() == NEUTRAL
    assert whole(*[SURE_NONE] * 4).argmax() == NONE


def test_the_more_sentences_name_the_target_for_nothing_the_more_it_takes():
    doubtful = np.array([0.6, 0.25, 0.05, 0.1])
    favor = [whole(doubtful, *[SURE_NONE] * n)[FAVOR] for n in (1, 5, 50)]
    assert favor == sorted(favor, reverse=True)
    assert favor[0] > 2 * favor[2]


def test_sentences_that_address_the_target_take_nothing_however_many_they_are():
    addressed = np.array([0.003, 0.991, 0.003, 0.003])
    few, many = (whole(SURE_FAVOR, *[addressed] * n)[FAVOR] for n in (2, 40))
    assert many == pytest.approx(few, abs=0.06)
    assert many > 0.6


def test_the_rule_worked_out_by_hand():
    def odds(p):
        return np.log(p / (1 - p))

    first, second = [0.5, 0.2, 0.1, 0.2], [0.1, 0.3, 0.2, 0.4]
    strongest = [odds(0.5), odds(0.3), odds(0.2), odds(0.2), np.log(1 + 0.2 + 0.4), 1.0]
    powers = np.exp(COMBINATION @ strongest)
    np.testing.assert_allclose(whole(first, second), powers / powers.sum())
    certain = whole([1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0])  # no sentence is surer than one in a thousand
    np.testing.assert_allclose(certain, whole([0.999, 0.0, 0.001, 0.0], [0.999, 0.0, 0.001, 0.0]), rtol=1e-6)


def test_the_rule_treats_favor_and_against_alike():
    mirrored = COMBINATION[[AGAINST, NEUTRAL, FAVOR, NONE]][:, [AGAINST, NEUTRAL, FAVOR, NONE, 4, 5]]
    np.testing.assert_array_equal(COMBINATION, mirrored)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=1, max_size=12), st.randoms())
def test_any_sentences_in_any_order_give_probabilities_that_sum_to_one(rows, random):
    probabilities = np.array(rows) + 1e-9
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    found = whole(*probabilities)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1.0)
    order = list(range(len(rows)))
    random.shuffle(order)
    np.testing.assert_allclose(whole(*probabilities[order]), found)


def test_each_target_is_decided_by_its_own_sentences():
    probabilities = np.array([[SURE_FAVOR, SURE_NONE], [SURE_NEUTRAL, SURE_AGAINST], [SURE_NONE, SURE_NEUTRAL]])
    naming = np.array([[True, False], [True, True], [False, True]])
    found = combine_sentences(probabilities, naming)
    np.testing.assert_allclose(found[0], whole(SURE_FAVOR, SURE_NEUTRAL))
    np.testing.assert_allclose(found[1], whole(SURE_AGAINST, SURE_NEUTRAL))


# With a model


def test_short_statements_are_read_as_before(tiny_model):
    texts = [f"{NAMING} {' '.join(FILLERS[:n])}" for n in range(5)]
    np.testing.assert_array_equal(predict(tiny_model, texts), tiny_model.classifier.predict_proba(texts))


def test_a_long_statement_is_its_sentences_combined(tiny_model):
    sentences = [NAMING, *FILLERS[:4], SENTENCES["harbour"]["against"], SENTENCES["railway"]["favor"]]
    (found,) = predict(tiny_model, [" ".join(sentences)])
    each = tiny_model.classifier.predict_proba(sentences)
    naming = np.array([["harbour" in s, "railway" in s] for s in sentences])
    np.testing.assert_allclose(found, combine_sentences(each, naming), rtol=1e-5)
    assert STANCES[found[0].argmax()] == "against"
    np.testing.assert_allclose(found[1], each[-1, 1], rtol=1e-5)


def test_a_long_statement_that_names_nothing_is_none(tiny_model):
    (found,) = predict(tiny_model, [" ".join(FILLERS * 3)])
    np.testing.assert_allclose(found, np.exp(tiny_model.classifier.silent_), rtol=1e-6)


def press_conference(said: str, side: str, words: int) -> str:
    """Put what was said in the middle of a long text that names the other side again and again, and takes none."""
    mentions = [
        f"The {side} delegation arrived in the capital on Monday and stayed at a hotel near the airport.",
        f"Our embassy is in contact with the {side} side on the safety of our citizens.",
        f"The question of the drought in the northern provinces was discussed with the {side} side.",
        "Trade in dried fruit grew by a tenth, and the railway carried more grain than a year ago.",
        "We were asked about the ferry timetable, on which the ministry of transport will report.",
    ]
    lines: list[str] = []
    while sum(len(line.split()) for line in lines) < words:
        lines.append(f"{mentions[len(lines) % 5]} That was item {len(lines) + 1}.")
    lines.insert(len(lines) // 2, said)
    return "\n\n".join(lines)


@pytest.mark.parametrize("words", [300, 3000])
@pytest.mark.parametrize(
    ("target", "side", "stance", "said"),
    [
        (
            "taliban_recognition",
            "Taliban",
            "against",
            "It is far too early to recognise the Taliban, and recognition is not on the agenda.",
        ),
        (
            "india",
            "Indian",
            "favor",
            "We warmly welcome India, and fully support the role of India in the region and its membership.",
        ),
    ],
)
def test_a_press_conference_does_not_average_itself_to_neutral(
    small_model, make_statement, words, target, side, stance, said
):
    text = press_conference(said, side, words)
    assert len(text.split()) > words
    ((_, (tag,)),) = tag_statements(small_model, [make_statement(text=text)], targets=[target])
    assert tag.stance == stance
    assert tag.evidence in said
    if target == "taliban_recognition" and words == 3000:  # read as one text, it would be lost
        pooled = small_model.classifier.predict_proba([text])[0, small_model.targets.index(target)]
        assert STANCES[pooled.argmax()] == "neutral"
