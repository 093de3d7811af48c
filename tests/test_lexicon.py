"""Concepts: what terms match in three scripts, word by word, and what is refused."""

import pytest

from pipeline.classify.lexicon import HAN_WIDTH, TOKEN, ConceptFinder, fold, is_han
from pipeline.config import load_lexicon, load_targets


def tokens(text: str) -> list[str]:
    return TOKEN.findall(fold(text))


def finds(term: str, text: str) -> bool:
    return ConceptFinder({"concept": [term]}).find(tokens(text)) == [0]


# Folding


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ЁЖ", "еж"),
        ("ещё", "еще"),
        ("еще\u0308", "еще"),  # ё and й as a letter and a combining mark
        ("войны".replace("й", "и\u0306"), "войны"),
        ("Harbour", "harbour"),
        ("港", "港"),
        ("", ""),
    ],
)
def test_folding_lowers_case_composes_marks_and_reads_yo_as_ye(text, folded):
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("The US left", True),
        ("the U.S. left", True),
        ("US-led", True),
        ("与US合作", True),
        ("us", False),
        ("Us", False),
        ("USA", False),
        ("BUS", False),
        ("it gave us bread", False),
    ],
)
def test_the_country_is_told_from_the_pronoun(text, country):
    assert finds("US", text) is country
    assert finds("u.s.", text) is country


def test_the_pronoun_is_found_where_the_country_is_not():
    assert finds("us", "it gave us bread")
    assert not finds("us", "it gave the US bread")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kabul's de-facto rulers", ["kabul", "s", "de", "facto", "rulers"]),
        ("list_1267", ["list", "1267"]),
        ("在港口AB里", ["在港口", "ab", "里"]),
        ("㐀鿿", ["㐀鿿"]),
        ("日本の港", ["日本", "の", "港"]),
        ("—, 😀 \n", []),
    ],
)
def test_a_token_is_a_word_or_a_run_of_chinese(text, expected):
    assert tokens(text) == expected
    assert [is_han(token) for token in expected] == ["㐀" <= token[0] <= "鿿" for token in expected]


# Matching


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        # whole words
        ("harbour", "The Harbour opens", True),
        ("harbour", "harbours", False),
        ("harbour", "unharbour", False),
        ("1267", "list 1267, not 12678", True),
        ("1267", "not 12678", False),
        # beginnings
        ("harbour*", "HARBOURING", True),
        ("harbour*", "harbour", True),
        ("harbour*", "harbou", False),
        ("harbour*", "unharbour", False),
        ("учёт*", "учета", True),
        ("учет*", "Учёта", True),
        # phrases
        ("open sea", "the open  \n sea", True),
        ("open sea", "open-sea", True),
        ("open sea", "open seal", False),
        ("open sea", "sea open", False),
        ("open sea", "open the sea", False),
        ("open sea", "open", False),
        ("open sea", "the wide open", False),
        ("open sea*", "open seal", True),
        ("open* sea", "opened sea", True),
        ("open* sea", "reopened sea", False),
        ("open* sea*", "opening seas", True),
        ("open open sea", "open open open sea", True),
        ("kabul's rulers", "Kabul’s rulers", True),
        ("non-entry", "a non-entry", True),
        ("u.n.", "uXnX", False),
        # `*` alone is one word, whatever it is
        ("open * sea", "open wide sea", True),
        ("open * sea", "open sea", False),
        ("open * sea", "open very wide sea", False),
        ("open * * sea", "open very wide sea", True),
        ("open * sea", "open 港 sea", False),
        ("open *", "wide open", False),
        ("open *", "open sea", True),
        # Chinese, anywhere in a run
        ("港口", "在港口里", True),
        ("港口", "港口", True),
        ("港口", "港的口", False),
        ("港口", "港，口", False),
        ("㐀", "在㐀里", True),
        ("鿿", "在鿿", True),
        ("гавань", "港口гавань港口", True),
        ("open sea", "open 港 sea", False),
        ("港口", "", False),
    ],
)
def test_terms_match_whole_words_beginnings_phrases_or_anywhere(term, text, found):
    assert finds(term, text) is found


def test_all_concepts_are_found_at_once_each_once_in_order_of_appearance():
    finder = ConceptFinder(
        {
            "sea": ["sea", "open sea", "море", "海"],
            "harbour": ["harbour*", "гаван*", "港口"],
            "open": ["open*", "открыт*"],
            "never": ["never"],
        }
    )
    assert finder.find(tokens("An open sea, open harbours, the sea.")) == [2, 0, 1]
    assert finder.find(tokens("Гавань открыта в море")) == [1, 2, 0]
    assert finder.find(tokens("海港口")) == [0, 1]
    assert finder.find([]) == []


def test_one_word_may_carry_several_concepts_and_begin_several_terms():
    finder = ConceptFinder({"short": ["open*"], "long": ["openin*"], "whole": ["opening"], "two": ["op* day"]})
    assert sorted(finder.find(["opening", "day"])) == [0, 1, 2, 3]
    assert finder.find(["opens", "day"]) == [0, 3]


def test_a_finder_gives_the_same_twice_and_after_other_sentences():
    finder = ConceptFinder({"open": ["open*"], "sea": ["open sea"]})
    first = finder.find(["open", "sea"])
    assert finder.find(["opened", "sea"]) == [0]
    assert finder.find(["open", "sea"]) == first == [0, 1]


def test_a_memory_that_is_full_changes_nothing(monkeypatch):
    monkeypatch.setattr("pipeline.classify.lexicon._CACHED_WORDS", 0)
    finder = ConceptFinder({"open": ["open*"], "sea": ["open* sea"]})
    assert [finder.find(["opened", "sea"]) for _ in range(2)] == [[0, 1]] * 2
    assert finder._seen == {}


def test_no_concepts_find_nothing():
    assert ConceptFinder({}).find(["open", "港口"]) == []


# Places


PLACED = {"sea": ["sea", "open sea", "海"], "harbour": ["harbour*", "港口"], "far": ["far * * sea"]}


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("The sea, a harbour", {0: [1], 1: [3]}),
        ("Sea! Sea — harbours: sea", {0: [0, 1, 3], 1: [2]}),
        ("in the open sea", {0: [2, 3]}),  # a phrase stands where it begins, and its last word is a term too
        ("far over the sea", {2: [0], 0: [3]}),
        ("港口", {1: [0]}),
        ("在港口里", {1: [HAN_WIDTH]}),
        ("在海边的港口", {0: [HAN_WIDTH], 1: [4 * HAN_WIDTH]}),
        ("the 海 sea 在港口", {0: [1, 1 + HAN_WIDTH], 1: [2 + 2 * HAN_WIDTH]}),
        ("海，海", {0: [0, HAN_WIDTH]}),  # a mark takes no room
        ("bread", {}),
        ("", {}),
    ],
)
def test_places_count_words_and_chinese_characters_for_less(text, places):
    found = ConceptFinder(PLACED).places(tokens(text))
    assert {concept: pytest.approx(at) for concept, at in found.items()} == places


def test_places_and_find_agree_on_what_is_there():
    finder = ConceptFinder(PLACED)
    for text in ("The sea, a harbour", "在海边的港口", "far over the open sea"):
        assert finder.find(tokens(text)) == list(finder.places(tokens(text)))
        assert all(at == sorted(at) for at in finder.places(tokens(text)).values())


# What is refused


def test_a_concept_without_terms_is_refused_by_name():
    with pytest.raises(ValueError, match="concept empty needs at least one term"):
        ConceptFinder({"full": ["a"], "empty": []})


@pytest.mark.parametrize("term", ["", "  ", "*", "* *", "—", "_"])
def test_a_term_without_a_word_is_refused(term):
    with pytest.raises(ValueError, match="holds no word"):
        ConceptFinder({"a": ["b", term]})


@pytest.mark.parametrize(
    "term", ["20年", "中国、俄罗斯", "说，", "“基地”", "港口 海", "g7峰会", "港口*", "港*口", "open 港", "* sea"]
)
def test_a_term_that_could_never_match_is_refused(term):
    with pytest.raises(ValueError, match="could never match"):
        ConceptFinder({"a": ["b", term]})


# The bundled words


def test_every_bundled_term_finds_its_own_concept():
    targets = {
        target.id: [term for terms in target.cues.values() for term in terms] for target in load_targets().target
    }
    named = targets | load_lexicon().terms
    finder = ConceptFinder(named)
    missed = [
        (name, term)
        for number, (name, terms) in enumerate(named.items())
        for term in terms
        if number not in finder.find(tokens(term.replace(" * ", " anything ").replace("*", "")))
    ]
    assert missed == []
    assert len(named) > 150
