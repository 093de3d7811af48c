"""Evidence is a clause: where sentences are cut, which clause is chosen, and how well it fits marks made by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.classify.clauses import clause_spans, narrow_spans
from pipeline.classify.evidence import evidence_spans
from pipeline.schema import STANCES
from tests.conftest import SENTENCES
from tests.evidence import fit_of, marked_passages

FAVOR, NEUTRAL, AGAINST, NONE = range(4)


def clauses(text):
    return [text[start:end].strip() for start, end in clause_spans(text, 0, len(text))]


# Where a sentence is cut


@pytest.mark.parametrize(
    "parts",
    [
        ["The harbour is open to all,", "but no vessel may stay the night."],
        ["We took note of the harbour;", "the railway was not discussed."],
        ["The harbour will be closed", "because the storm is coming near."],
        ["Гавань открыта для всех судов,", "однако железную дорогу строить рано."],
        ["港口向各国船只开放，", "但是修建铁路现在为时过早。"],
        ["He was quite clear about it:", "the harbour stays closed for now."],
        ["The harbour is open for all –", "the railway is quite another matter."],
    ],
)
def test_clauses_end_at_marks_and_before_conjunctions(parts):
    joint = "" if "，" in parts[0] else " "
    assert clauses(joint.join(parts)) == parts


@pytest.mark.parametrize(
    "text",
    [
        "The harbour is open.",
        "Yes, the harbour is open.",  # too short a part goes to its neighbour
        "The harbour stays open, naturally.",
        "好的，港口向各国开放。",
        "Wheat, barley, rye and oats.",
        "The well-known harbour is open to all.",  # a hyphen is no dash
        "",
    ],
)
def test_a_clause_that_cannot_stand_alone_stays_with_its_neighbour(text):
    assert clauses(text) == ([text] if text else [])


def test_offsets_are_into_the_whole_text():
    text = "😀 First. The harbour is open to all, but no vessel may stay the night."
    assert clause_spans(text, 9, len(text)) == [(9, 37), (37, len(text))]


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab ,;:–-，港口но а"), max_size=60))
def test_clauses_hold_every_character_once_and_in_order(text):
    spans = clause_spans(text, 0, len(text))
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(start < end for start, end in spans)


# Which clause is chosen


class Margins:
    """A classifier of one target that gives each asked text the margins it has for it."""

    def __init__(self, given):
        self.given, self.asked = given, []

    def may_name(self, text, target):
        return target == 0 and text.strip() in self.given

    def transform(self, texts):
        self.asked.append(list(texts))
        return texts

    def margins(self, texts):
        return np.array([[self.given.get(text.strip(), [np.nan] * 4)] for text in texts], dtype=float)


FIRST, SECOND = "The harbour is open to all,", "but the harbour is a threat to us."
TEXT = f"{FIRST} {SECOND}"


def chosen(given, stance=AGAINST, text=TEXT):
    classifier = Margins(given)
    ((span,),) = narrow_spans(classifier, [text], np.array([[stance]]), [[(0, len(text))]])
    return text[slice(*span)], classifier


def test_the_clause_with_the_highest_margin_is_chosen_without_its_edges():
    given = {FIRST: [1, 0, 0, 0], SECOND: [0, 0, 2, 0], TEXT: [0.5, 0, 1, 0]}
    assert chosen(given)[0] == SECOND
    assert chosen(given, FAVOR)[0] == FIRST.rstrip(",")


def test_the_margin_is_over_the_next_best_stance_and_not_over_none():
    given = {FIRST: [0, 0, 1.5, -1], SECOND: [0, 2, 2.1, -9], TEXT: [0, 0, 1, -3]}
    assert chosen(given)[0] == FIRST.rstrip(",")


def test_a_shorter_part_nearly_as_telling_wins_and_the_whole_where_it_says_clearly_more():
    given = {FIRST: [0, 0, 0.95, 0], SECOND: [0, 0, -1, 0]}
    assert chosen({**given, TEXT: [0, 0, 1.0, 0]})[0] == FIRST.rstrip(",")
    assert chosen({**given, TEXT: [0, 0, 1.2, 0]})[0] == TEXT


def test_a_part_that_does_not_name_the_target_is_never_chosen():
    assert chosen({TEXT: [0, 0, -2, 0]})[0] == TEXT
    assert chosen({})[0] == TEXT
    assert chosen({FIRST: [0, 0, -5, 0]})[0] == FIRST.rstrip(",")


def test_a_sentence_of_one_clause_is_not_asked_about_and_none_has_no_evidence():
    text = "The harbour is open."
    assert chosen({}, text=text)[0] == text
    assert chosen({}, text=text)[1].asked == []
    assert narrow_spans(Margins({}), [TEXT], np.array([[NONE]]), [[None]]) == [[None]]


def test_all_texts_are_scored_together_and_keep_their_places():
    other = f"{SECOND.capitalize().rstrip('.')}, {FIRST.lower().rstrip(',')}."
    classifier = Margins({FIRST: [9, 0, 0, 0], SECOND: [0, 0, 9, 0]})
    texts = [TEXT, "No clause.", other]
    spans = [[(0, len(text))] for text in texts]
    found = narrow_spans(classifier, texts, np.array([[FAVOR], [FAVOR], [AGAINST]]), spans)
    assert len(classifier.asked) == 1
    assert [texts[i][slice(*own[0])] for i, own in enumerate(found)] == [FIRST.rstrip(","), "No clause.", other]


# With a model


def test_the_clause_of_a_real_model_is_within_the_sentence(tiny_model):
    text = f"{SENTENCES['railway']['favor']} Nobody in the council objects, but no foreign vessel shall ever enter the harbour."
    predicted = np.array([AGAINST, FAVOR])
    harbour, railway = evidence_spans(tiny_model.classifier, text, predicted)
    assert text[slice(*harbour)] == "but no foreign vessel shall ever enter the harbour."
    assert text[slice(*railway)] in SENTENCES["railway"]["favor"]


def test_the_marks_are_many_and_stand_where_they_should():
    passages = marked_passages()
    assert len(passages) >= 150
    assert len({(p.target, p.stance, p.lang) for p in passages}) == 5 * 3 * 3
    for passage in passages:
        assert passage.spans
        for start, end in passage.spans:
            assert 0 <= start < end <= len(passage.text)
            assert passage.text[start:end].strip() == passage.text[start:end]


def test_evidence_fits_the_words_that_were_marked_by_hand(small_model):
    """A floor: the model of the tests learns from a twelfth of the passages, and fits a little less well."""

    def evidence(passage):
        k = small_model.targets.index(passage.target)
        predicted = np.full(len(small_model.targets), NONE)
        predicted[k] = STANCES.index(passage.stance)
        return evidence_spans(small_model.classifier, passage.text, predicted, passage.lang)[k]

    found = fit_of(marked_passages(), evidence)
    assert found["overlap"] > 0.8
    assert found["intersection_over_union"] > 0.52
    assert found["share_of_text"] < 0.5
