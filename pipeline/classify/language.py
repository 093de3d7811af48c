"""Say which language a text is in, quickly where it is one of the model's, carefully where it may not be.

Script and function words settle most texts; what they leave open is asked of py3langid (Lui and Baldwin 2012),
whose model comes with the package.
"""

from __future__ import annotations

import re

LANGUAGES = ("en", "ru", "zh")

# Runs of letters of one script: Chinese sets no space between a foreign name and its own words.
_WORDS = re.compile(r"[^\W\d_Ͱ-\U0010ffff]+|[Ѐ-ӿ]+|[㐀-鿿]+|[^\W\d_\u0000-\u036fЀ-ӿ㐀-鿿]+")
_SAMPLE = 600
"""Characters that are looked at."""
_FUNCTION_WORDS = {
    "en": frozenset(
        [
            "a",
            "an",
            "and",
            "are",
            "as",
            "at",
            "be",
            "been",
            "but",
            "by",
            "can",
            "for",
            "from",
            "had",
            "has",
            "have",
            "he",
            "her",
            "his",
            "in",
            "is",
            "it",
            "its",
            "no",
            "not",
            "of",
            "on",
            "or",
            "our",
            "said",
            "she",
            "should",
            "so",
            "than",
            "that",
            "the",
            "their",
            "there",
            "they",
            "this",
            "to",
            "us",
            "was",
            "we",
            "were",
            "which",
            "who",
            "will",
            "with",
            "would",
        ]
    ),
    "ru": frozenset(
        [
            "а",
            "без",
            "бы",
            "был",
            "была",
            "были",
            "быть",
            "в",
            "во",
            "все",
            "где",
            "для",
            "до",
            "его",
            "ее",
            "если",
            "есть",
            "же",
            "за",
            "и",
            "из",
            "или",
            "их",
            "к",
            "как",
            "когда",
            "который",
            "ли",
            "мы",
            "на",
            "над",
            "не",
            "него",
            "нет",
            "но",
            "о",
            "об",
            "однако",
            "он",
            "она",
            "они",
            "от",
            "по",
            "под",
            "при",
            "с",
            "сказал",
            "со",
            "так",
            "также",
            "то",
            "того",
            "тоже",
            "у",
            "уже",
            "что",
            "чтобы",
            "это",
            "этого",
            "эти",
        ]
    ),
}
_FOREIGN = {
    # Letters that the language does not write: Ukrainian, Tajik, Kazakh, Serbian ...; kana and hangul.
    "en": re.compile(r"[À-ÖØ-öø-ɏ]"),
    "ru": re.compile(r"[ЂѓєѕіїјљњћќўџґғқҝҡңҥүұҳҷҹһәӣөӯЄІЇЈЉЊЋЌЎЏҐҒҚҢҮҰҲҶҺӘӢӨӮ]"),
    "zh": re.compile(r"[぀-ヿ가-힯]"),
}
_FEW_WORDS = 6
_MANY_FOREIGN = 4
_FOREIGN_SHARE = 0.12
"""Words with foreign letters, and their share, from which on they are a language's own and not names in a text."""
_USUAL_SHARE = 0.08
"""Share of function words above which a text is taken to be in the language of its script; English and Russian
prose has 25 to 45%."""


def guess_language(text: str) -> str:
    """Return `zh`, `ru` or `en` by the script most letters are written in (`en` when there are none).

    Han characters weigh double: one of them carries about as much as two letters.
    """
    if text.isascii():
        return "en"
    return _guess(_WORDS.findall(text))[0]


def _guess(words: list[str]) -> tuple[str, float]:
    """Return the language of the commonest script, and the share of letters in it."""
    sizes = {"en": 0, "ru": 0, "zh": 0, "": 0}
    for word in words:
        first = word[0]
        if first < "Ͱ":
            sizes["en"] += len(word)
        elif "Ѐ" <= first <= "ӿ":
            sizes["ru"] += len(word)
        elif "㐀" <= first <= "鿿":
            sizes["zh"] += 2 * len(word)
        else:
            sizes[""] += len(word)
    guess = max(LANGUAGES, key=sizes.__getitem__)
    return guess, sizes[guess] / max(1, sum(sizes.values()))


def detect_language(text: str) -> str:
    """Return the ISO 639-1 code of a text's language.

    A text of fewer than six words in the script of English, Russian or Chinese counts as that, unless it holds
    letters that the language does not write: there is too little to tell more.
    """
    text = text[:_SAMPLE].lower()
    words = _WORDS.findall(text)
    guess, share = _guess(words)
    foreign = sum(_FOREIGN[guess].search(word) is not None for word in words)
    many = foreign >= max(_MANY_FOREIGN, _FOREIGN_SHARE * len(words))
    if not words or (share >= 0.5 and not many and _is_usual(guess, words, foreign)):
        return guess
    from py3langid import langid  # seldom needed, and its model takes a moment to load

    ranked = [str(code) for code, _ in langid.rank(text)]
    if many:
        ranked.remove(guess)
    return ranked[0]


def _is_usual(guess: str, words: list[str], foreign: int) -> bool:
    if guess == "zh" or len(words) < _FEW_WORDS:
        return not foreign
    known = _FUNCTION_WORDS[guess]
    return sum(word in known for word in words) >= _USUAL_SHARE * len(words)
