"""Evidence: the sentence that speaks most for the stance against none, among those with a cue if any."""

import numpy as np
import pytest

from pipeline.classify.evidence import evidence_spans
from pipeline.schema import STANCES

FAVOR, NEUTRAL, AGAINST, NONE = range(4)
TEXT = "The choir sang. The harbour is open. A harbour is no railway. 😀 Good bye."
SENTENCES = {"choir": (0, 15), "harbour": (16, 36), "railway": (37, 61), "bye": (62, 73)}


class Scores:
    """A classifier that gives fixed scores: (sentence, target, stance)."""

    def __init__(self, *scores) -> None:
        self.cues = {"harbour": ["harbour"], "railway": ["railway", "tram"]}
        self.given = np.array(scores, dtype=float)
        self.asked = None

    def transform(self, texts):
        self.asked = list(texts)
        return texts

    def scores(self, matrix):
        assert matrix == self.asked
        return self.given


def both(favor=0.0, neutral=0.0, against=0.0, none=0.0):
    return [[favor, neutral, against, none]] * 2


def spans(classifier, *predicted, text=TEXT):
    return evidence_spans(classifier, text, np.array(predicted))


def test_stances_keep_the_order_that_these_tests_write_out():
    assert STANCES == ("favor", "neutral", "against", "none")


def test_none_has_no_evidence_and_asks_for_no_scores():
    classifier = Scores()
    assert spans(classifier, NONE, NONE) == [None, None]
    assert classifier.asked is None


def test_a_single_sentence_is_the_evidence_of_every_stance_that_is_not_none():
    classifier = Scores()
    assert spans(classifier, AGAINST, NONE, text="  The harbour. ") == [(2, 14), None]
    assert spans(classifier, NONE, NEUTRAL, text="  The harbour. ") == [None, (2, 14)]
    assert classifier.asked is None


def test_a_text_of_white_space_has_no_evidence():
    assert spans(Scores(), FAVOR, FAVOR, text=" \n ") == [None, None]


def test_every_sentence_is_scored_on_its_own():
    classifier = Scores(*[both()] * 4)
    spans(classifier, FAVOR, FAVOR)
    assert classifier.asked == [
        "The choir sang.",
        "The harbour is open.",
        "A harbour is no railway.",
        "😀 Good bye.",
    ]


@pytest.mark.parametrize(
    ("stance", "scores", "where"),
    [
        (FAVOR, [both(favor=1), both(favor=1), both(favor=3), both(favor=2)], "railway"),
        (FAVOR, [both(favor=1), both(favor=3), both(favor=2), both(favor=2)], "harbour"),
        # The odds against none decide: 1 - (-3) beats 3 - 2.
        (FAVOR, [both(), both(favor=1, none=-3), both(favor=3, none=2), both()], "harbour"),
        # A sentence without a cue is passed over, however high it scores.
        (FAVOR, [both(favor=9), both(favor=1), both(favor=0), both(favor=9)], "harbour"),
        (AGAINST, [both(), both(favor=9, against=1), both(favor=-9, against=2), both()], "railway"),
        (NEUTRAL, [both(), both(neutral=-1), both(neutral=-2), both()], "harbour"),
        (FAVOR, [both(favor=1)] * 4, "harbour"),  # the first of equals
    ],
)
def test_the_sentence_with_the_best_odds_among_those_with_a_cue(stance, scores, where):
    assert spans(Scores(*scores), stance, NONE) == [SENTENCES[where], None]


def test_each_target_has_its_own_cues_scores_and_stance():
    scores = [both(), both(), both(), both()]
    scores[1] = [[5, 0, 0, 0], [0, 0, 9, 0]]  # the railway's odds are high where it is not named
    scores[2] = [[4, 0, 0, 0], [0, 0, 1, 0]]
    assert spans(Scores(*scores), FAVOR, AGAINST) == [SENTENCES["harbour"], SENTENCES["railway"]]


def test_without_any_cue_the_best_odds_alone_decide():
    text = "The choir sang. Nobody came. Bread is dear."
    scores = [both(favor=1), both(favor=3), both(favor=2)]
    assert spans(Scores(*scores), FAVOR, FAVOR, text=text) == [(16, 28), (16, 28)]


def test_cues_are_looked_for_in_the_folded_text():
    text = "The choir sang. THE HARBOUR! Nobody came."
    scores = [both(favor=9), both(favor=-9), both(favor=9)]
    assert spans(Scores(*scores), FAVOR, NONE, text=text) == [(16, 28), None]


def test_the_language_decides_the_tokeniser(monkeypatch):
    seen = []

    def record(text, lang):
        seen.append(lang)
        return ((0, 3),)

    monkeypatch.setattr("pipeline.classify.evidence.sentence_spans", record)
    evidence_spans(Scores(), TEXT, np.array([FAVOR, NONE]), "ru")
    evidence_spans(Scores(), TEXT, np.array([FAVOR, NONE]))
    assert seen == ["ru", ""]
