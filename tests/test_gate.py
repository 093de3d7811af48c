"""The gate: it stops every text without a term and none with one."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.classify.features import TargetFeatures
from pipeline.classify.gate import Gate
from pipeline.classify.lexicon import TOKEN, ConceptFinder, fold
from pipeline.config import load_targets

TERMS = [
    "harbour",
    "rail*",
    "open sea",
    "u.s",
    "us air*",
    "a * b",
    "港口",
    "港",
    "гавань",
    "железн* дорог*",
    "ё",
    "open",
]
PIECES = [
    "harbour", "harbours", "rail", "railway", "monorail", "open", "sea", "open sea", "opensea", "US", "U.S.", "us", "u",
    "s", "air", "airs", "a", "b", "ab", "港口", "港", "口", "гавань", "Гавани", "железная", "дорога", "дорогая", "ё", "е",
    "\ud800", " ", " ", " ", "-", "_", ".", ", ", "'", "é", "é", "İ", "9", "\n",
]  # fmt: skip


def passes(text: str, *terms: str) -> bool:
    return Gate(fold(term) for term in terms or TERMS).passes(fold(text))


@pytest.mark.parametrize(
    ("term", "text", "stands"),
    [
        ("harbour", "The Harbour is open.", True),
        ("harbour", "The harbours are open.", False),
        ("harbour", "harbour", True),
        ("harbour", "a9harbour", False),
        ("harbour", "to_harbour_there", True),  # an underscore is no part of a word
        ("harbour", "港harbour口", True),
        ("rail*", "railways", True),
        ("rail*", "a monorail", False),
        ("open sea", "on the open, sea", True),
        ("open sea", "open-sea", True),
        ("open sea", "opensea", False),
        ("open sea", "the open red sea", False),
        ("open sea", "open seas", False),
        ("open sea", "reopen sea", False),
        ("a * b", "a long b", True),
        ("a * b", "a b", False),
        ("u.s", "US forces", True),  # the country, which folding keeps apart from the pronoun
        ("u.s", "us and them", False),
        ("u.s", "u s", True),
        ("u.s", "bu s", False),
        ("u.s", "nothing of the sort", False),
        ("港口", "在港口。", True),
        ("港口", "在港。口", False),
        ("ё", "Ё!", True),
        ("е*", "ель", True),
        ("открыт* мор*", "Открытое море", True),
        ("открыт* мор*", "Открытое наше море", False),
    ],
)
def test_a_text_passes_exactly_when_a_term_stands_in_it(term: str, text: str, stands: bool) -> None:
    assert passes(text, term) is stands
    assert bool(ConceptFinder({"x": [term]}).find(TOKEN.findall(fold(text)))) is stands


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.sets(st.sampled_from(TERMS), min_size=1))
@example("us", {"u.s"})
def test_the_gate_and_the_finder_agree_on_any_text(text: str, terms: set[str]) -> None:
    found = ConceptFinder({term: [term] for term in sorted(terms)}).find(TOKEN.findall(fold(text)))
    assert passes(text, *sorted(terms)) == bool(found)


def test_half_a_pair_of_code_points_is_no_letter() -> None:
    assert passes("\ud800 港口 \udfff", "港口")
    assert passes("\ud800harbour", "harbour")
    assert not passes("\ud800", "harbour")


def test_no_terms_stop_everything() -> None:
    assert not Gate([]).passes("harbour")


def test_a_text_that_is_stopped_is_not_read_any_further(monkeypatch: pytest.MonkeyPatch) -> None:
    features = TargetFeatures(cues={"sea": ["harbour"]}, concepts={}, min_df=1).fit(["The harbour.", "A harbour."])
    monkeypatch.setattr("pipeline.classify.features._spans", None)
    assert features.transform(["The train. The rain."])[0].nnz == 0
    assert not features.names(["The train. The rain."]).any()
    with pytest.raises(TypeError):
        features.transform(["The train. The harbour."])


def labelled_passages() -> dict[str, list[tuple[str, str, str]]]:
    """Return (text, target, stance) of real passages by language: what the cues were not written from."""
    folder = Path(__file__).parents[2] / "shared" / "real"
    if not (folder / "dev_labels.jsonl").is_file():
        pytest.skip("the real passages are not beside this checkout")
    texts = {
        row["id"]: row["text"]
        for row in map(json.loads, (folder / "passages.jsonl").read_text(encoding="utf-8").splitlines())
    }
    found: dict[str, list[tuple[str, str, str]]] = {}
    for row in map(json.loads, (folder / "dev_labels.jsonl").read_text(encoding="utf-8").splitlines()):
        text = texts[row["id"]]
        lang = "zh" if re.search("[㐀-鿿]", text) else "ru" if re.search("[а-я]", text) else "en"
        pairs = [(text, target, stance) for target, stance in row["labels"].items() if stance not in (None, "none")]
        found.setdefault(lang, []).extend(pairs)
    return found


def test_of_real_passages_that_address_a_target_the_gate_stops_next_to_none() -> None:
    gate = Gate(fold(term) for target in load_targets().target for terms in target.cues.values() for term in terms)
    for lang, pairs in labelled_passages().items():
        recall = sum(gate.passes(fold(text)) for text, _, _ in pairs) / len(pairs)
        assert recall >= 0.995, f"{lang}: {recall:.4f} of {len(pairs)}"
