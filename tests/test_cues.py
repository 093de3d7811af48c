"""Cue terms: what they match in three scripts, and the counts that the model sees."""

import numpy as np
import pytest
from sklearn.base import clone

from pipeline.classify.cues import CueCounts, cue_pattern, fold


def found(terms: list[str], text: str) -> list[str]:
    return cue_pattern(tuple(terms)).findall(fold(text))


@pytest.mark.parametrize(("text", "folded"), [("ЁЖ", "еж"), ("ещё", "еще"), ("Harbour", "harbour"), ("港", "港")])
def test_folding_lowers_case_and_reads_yo_as_ye(text, folded):
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("terms", "text", "matches"),
    [
        (["harbour"], "The Harbour opens", ["harbour"]),
        (["harbour"], "harbours", []),
        (["harbour"], "unharbour", []),
        (["harbour*"], "HARBOURS, harbouring, harbour", ["harbours", "harbouring", "harbour"]),
        (["harbour*"], "unharbour", []),
        (["open sea"], "the open  \n sea", ["open  \n sea"]),
        (["open sea"], "open seal", []),
        (["open sea*"], "open seal", ["open seal"]),
        (["open* sea"], "opened sea", ["opened sea"]),
        (["open", "open sea"], "open sea", ["open sea"]),  # the longest first
        (["гавань"], "Гавань открыта", ["гавань"]),
        (["гавань"], "гаванью", []),
        (["учёт*"], "учета", ["учета"]),
        (["учет*"], "Учёта", ["учета"]),
        (["港口"], "在港口里", ["港口"]),
        (["u.n."], "uXnX", []),
        (["1267"], "list 1267, not 12678", ["1267"]),
        (["non-entry"], "a non-entry", ["non-entry"]),
        (["㐀"], "在㐀里", ["㐀"]),
        (["鿿"], "在鿿里", ["鿿"]),
    ],
)
def test_terms_match_whole_words_beginnings_or_anywhere(terms, text, matches):
    assert found(terms, text) == matches


def test_a_target_without_terms_is_refused():
    with pytest.raises(ValueError, match="a target needs at least one cue term"):
        cue_pattern(())


CUES = {"harbour": ["harbour*", "港口"], "railway": ["railway"]}


def test_counts_are_presence_and_the_logarithm_of_one_more():
    matrix = CueCounts(CUES).fit([]).transform(["Harbour, HARBOURS and 港口; railway", "nothing"])
    assert matrix.shape == (2, 4)
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix.toarray(), [[1, 1, np.log(4), np.log(2)], [0, 0, 0, 0]], rtol=1e-6)


def test_no_texts_give_no_rows():
    assert CueCounts(CUES).fit([]).transform([]).shape == (0, 4)


def test_the_transformer_only_stores_its_cues_and_clones():
    counts = CueCounts(CUES)
    assert counts.cues is CUES
    assert vars(counts) == {"cues": CUES}
    assert clone(counts).get_params() == {"cues": CUES}
    assert counts.fit([]) is counts
    assert counts.n_features_out_ == 4
