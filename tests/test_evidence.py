"""Evidence: the sentence that speaks most for the stance against none, among those that name the target if any."""

import numpy as np
import pytest

from pipeline.classify.evidence import evidence_spans
from pipeline.classify.model import StanceClassifier
from pipeline.schema import STANCES
from tests.conftest import tiny_text

FAVOR, NEUTRAL, AGAINST, NONE = range(4)
TEXT = "The choir sang. The harbour is open. A harbour is no railway. 😀 Good bye."
SENTENCES = {"choir": (0, 15), "harbour": (16, 36), "railway": (37, 61), "bye": (62, 73)}


SILENT = [[np.nan] * 4] * 2


class Margins:
    """A classifier that gives fixed margins: (sentence, target, stance)."""

    def __init__(self, *margins) -> None:
        self.given = np.array(margins, dtype=float)
        self.asked = None

    def names(self, texts):
        named = ~np.isnan(self.given).any(axis=2) if len(self.given) else np.ones((0, 2), bool)
        return named[: len(texts)]

    def transform(self, texts):
        self.asked = list(texts)
        return texts

    def margins(self, matrix):
        assert matrix == self.asked
        return self.given


def both(favor=0.0, neutral=0.0, against=0.0, none=0.0):
    return [[favor, neutral, against, none]] * 2


def spans(classifier, *predicted, text=TEXT):
    return evidence_spans(classifier, text, np.array(predicted))


def test_stances_keep_the_order_that_these_tests_write_out():
    assert STANCES == ("favor", "neutral", "against", "none")


def test_none_has_no_evidence_and_asks_for_no_margins():
    classifier = Margins()
    assert spans(classifier, NONE, NONE) == [None, None]
    assert classifier.asked is None


def test_a_single_sentence_is_the_evidence_of_every_stance_that_is_not_none():
    classifier = Margins()
    assert spans(classifier, AGAINST, NONE, text="  The harbour. ") == [(2, 14), None]
    assert spans(classifier, NONE, NEUTRAL, text="  The harbour. ") == [None, (2, 14)]
    assert classifier.asked is None


def test_a_text_of_white_space_has_no_evidence():
    assert spans(Margins(), FAVOR, FAVOR, text=" \n ") == [None, None]


def test_every_sentence_is_scored_on_its_own():
    classifier = Margins(*[both()] * 4)
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
        # A sentence that does not name the target is passed over, however little the others score.
        (FAVOR, [SILENT, both(favor=-8, none=8), both(favor=-9, none=9), SILENT], "harbour"),
        (FAVOR, [SILENT, SILENT, both(favor=-9, none=9), SILENT], "railway"),
        (AGAINST, [both(), both(favor=9, against=1), both(favor=-9, against=2), both()], "railway"),
        (NEUTRAL, [SILENT, both(neutral=-1), both(neutral=-2), SILENT], "harbour"),
        (FAVOR, [SILENT, *[both(favor=1)] * 3], "harbour"),  # the first of equals
    ],
)
def test_the_sentence_with_the_best_odds_among_those_that_name_the_target(stance, scores, where):
    assert spans(Margins(*scores), stance, NONE) == [SENTENCES[where], None]


def test_each_target_has_its_own_silence_margins_and_stance():
    scores = [both(), both(), both(), both()]
    scores[1] = [[5, 0, 0, 0], SILENT[0]]  # the railway is not named where the harbour is
    scores[2] = [[4, 0, 0, 0], [0, 0, 1, 0]]
    assert spans(Margins(*scores), FAVOR, AGAINST) == [SENTENCES["harbour"], SENTENCES["railway"]]


def test_without_any_sentence_that_names_the_target_it_is_the_first():
    text = "The choir sang. Nobody came. Bread is dear."
    assert spans(Margins(SILENT, SILENT, SILENT), FAVOR, AGAINST, text=text) == [(0, 15), (0, 15)]


@pytest.fixture(scope="module")
def model():
    texts = [tiny_text(n)[0] for n in range(24)]
    y = np.array([list(tiny_text(n)[1].values()) for n in range(24)], dtype=object)
    return StanceClassifier(cues={"harbour": ["harbour*", "港口"], "railway": ["railway*"]}).fit(texts, y)


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("Foreign vessels are warmly welcome. THE HARBOUR! Nobody came.", ["THE HARBOUR!", None]),
        ("你好。港口开放。再见。", ["港口开放。", None]),
        (
            "The ministry took note. The harbour was named. Vessels are welcome in the harbour, and gladly so.",
            ["Vessels are welcome in the harbour, and gladly so.", None],
        ),
        (
            "Bread. The railway is refused. The harbour is welcome.",
            ["The harbour is welcome.", "The railway is refused."],
        ),
    ],
)
def test_a_real_model_points_to_a_sentence_that_names_the_target(model, text, evidence):
    predicted = [FAVOR, NONE if evidence[1] is None else AGAINST]
    found = spans(model, *predicted, text=text)
    assert [span and text[slice(*span)] for span in found] == evidence


def test_the_language_decides_the_tokeniser(monkeypatch):
    seen = []

    def record(text, lang):
        seen.append(lang)
        return ((0, 3),)

    monkeypatch.setattr("pipeline.classify.evidence.sentence_spans", record)
    evidence_spans(Margins(), TEXT, np.array([FAVOR, NONE]), "ru")
    evidence_spans(Margins(), TEXT, np.array([FAVOR, NONE]))
    assert seen == ["ru", ""]
