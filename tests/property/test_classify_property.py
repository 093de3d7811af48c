"""Whatever text comes, in whatever company: probabilities are finite, sum to one and are the text's own."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.classify.evidence import evidence_spans
from pipeline.classify.lexicon import TOKEN, fold
from pipeline.classify.model import StanceClassifier
from tests.conftest import tiny_text

PIECES = [
    "harbour", "Harbours", "railway", "港口", "在港口欢迎", "гавань", "welcome", "refused", "No", "US", "us", "ещё",
    "it", "and", ".", "! ", "?", "。", "\n", "\n\n", "…", " ", ", ", "”", "’", "-", "5", "Art. ", "😀", "\x00",
    "\u200b", "\u0301", "İ", "ß",
]  # fmt: skip
WORDS = st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join)
GLUED = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
TEXTS = st.one_of(st.text(max_size=60), WORDS, GLUED, st.builds("{} harbour {}".format, st.text(), st.text()))


@pytest.fixture(scope="module")
def model() -> StanceClassifier:
    cues = {"harbour": ["harbour*", "港口", "гавань"], "railway": ["railway"]}
    concepts = {"welcome": ["welcom*", "欢迎"], "refuse": ["refus*", "no * harbour"]}
    texts = [tiny_text(n)[0] for n in range(24)]
    y = np.array([list(tiny_text(n)[1].values()) for n in range(24)], dtype=object)
    classifier = StanceClassifier(cues=cues, concepts=concepts).fit(texts, y)
    classifier.scaling_[:, :4] /= np.array([0.4, 1.5])[:, None, None]
    return classifier


@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
@example(text="")
@example(text="\x00harbour\x00")
@example(text="harbour.\n\nharbour")
def test_any_text_has_finite_probabilities_that_sum_to_one(model, text):
    probabilities = model.predict_proba([text])
    assert probabilities.shape == (1, 2, 4)
    assert np.isfinite(probabilities).all()
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=2), 1.0)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=8), seed=st.integers(0, 99))
def test_a_batch_in_any_order_equals_one_by_one(model, texts, seed):
    whole = model.predict_proba(texts)
    order = np.random.default_rng(seed).permutation(len(texts))
    shuffled = model.predict_proba([texts[i] for i in order])
    np.testing.assert_allclose(shuffled, whole[order], rtol=1e-5, atol=1e-9)
    for text, row in zip(texts, whole, strict=True):
        np.testing.assert_allclose(model.predict_proba([text])[0], row, rtol=1e-5, atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(text=TEXTS)
def test_a_margin_is_nan_for_all_stances_or_for_none_and_a_stated_target_is_named(model, text):
    silent = np.isnan(model.margins(model.transform([text]))[0])
    assert (silent.all(axis=1) | ~silent.any(axis=1)).all()
    if "railway" not in TOKEN.findall(fold(text)):
        assert silent[1].all()


@settings(max_examples=100, deadline=None)
@given(text=TEXTS)
def test_evidence_of_any_text_is_a_sentence_of_it_or_nothing(model, text):
    spans = evidence_spans(model, text, np.array([0, 3]))
    assert spans[1] is None
    if spans[0] is None:
        assert not text.strip()
    else:
        start, end = spans[0]
        assert 0 <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_folding_again_changes_no_token(text):
    assert TOKEN.findall(fold(fold(text))) == TOKEN.findall(fold(text))
