"""Shared fixtures: a tiny invented corpus, a model trained on it, and one trained on a slice of the real corpus.

Countries, speakers and statements of the tiny corpus are invented: two targets (a harbour and a railway) in a
world of two countries and one league, so that every expectation can be worked out by hand.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.classify.artifact import Model, load_model, make_current, save_model
from pipeline.classify.training import Trained, TrainingSet, train, training_set
from pipeline.config import Targets, load_targets
from pipeline.schema import Statement
from pipeline.store import Store

NOW = dt.datetime(2031, 5, 4, 3, 2, 1, tzinfo=dt.UTC)

TARGETS_TOML = """
codebook_version = "t1"

[[target]]
id = "harbour"
label = "The harbour"
proposition = "Foreign vessels are welcome in the harbour."
core = true
pooled = true
favor = "Welcomes vessels."
against = "Rejects vessels."
neutral = "Names the harbour."
none = "No harbour."
[target.cues]
en = ["harbour*", "vessel", "open sea"]
ru = ["гавань"]
zh = ["港口"]

[[target]]
id = "railway"
label = "The railway"
proposition = "The railway should be built together."
declared = true
favor = "Backs the railway."
against = "Refuses the railway."
neutral = "Names the railway."
none = "No railway."
[target.cues]
en = ["railway*", "track"]
ru = ["железн*"]
zh = ["铁路"]
"""

ACTORS_TOML = """
[[actor]]
id = "ARD"
kind = "country"
name = { en = "Ardland", ru = "Ардия" }
aliases = ["Republic of Ardland"]

[[actor]]
id = "BOR"
kind = "country"
name = { en = "Boravia" }

[[actor]]
id = "LGE"
kind = "organisation"
name = { en = "The League" }

[[speaker]]
id = "anna-vell"
kind = "person"
name = { en = "Anna Vell", ru = "Анна Велль" }
aliases = ["A. Vell"]
[[speaker.role]]
title = "Foreign Minister"
actor = "ARD"
from = 2030-01-01
to = 2030-12-31
source = "https://example.org/vell"
[[speaker.role]]
title = "Secretary of the League"
actor = "LGE"
from = 2030-12-31
source = "https://example.org/vell-league"

[[speaker]]
id = "osk-brandt"
kind = "person"
name = { en = "Osk Brandt" }
[[speaker.role]]
title = "Spokesman"
actor = "BOR"
from = 2029-01-01
source = "https://example.org/brandt"

[[speaker]]
id = "osk-brandt-younger"
kind = "person"
name = { en = "Osk Brandt" }
"""

EVENTS_CSV = """event_id,date,label,source_url,registered_on,about
bridge-opens,2030-04-01,The bridge opens,https://example.org/bridge,2030-05-01,railway
storm,2030-06-15,A storm closes the harbour,https://example.org/storm,,harbour
"""

LEXICON_TOML = """
[concept.welcome]
en = ["welcom*", "support*", "gladly", "build * * together"]
ru = ["привет*"]
zh = ["欢迎"]

[concept.refuse]
en = ["reject*", "refus*", "no foreign"]
ru = ["отказ*"]

[concept.note]
en = ["took note", "was mentioned"]
"""

SENTENCES = {
    "harbour": {
        "favor": "Foreign vessels are warmly welcome in the harbour, and the ministry supports their arrival.",
        "neutral": "The ministry took note of the traffic in the harbour, giving no opinion.",
        "against": "No foreign vessel shall ever enter the harbour, which the ministry rejects as a threat.",
    },
    "railway": {
        "favor": "The railway deserves every support, and both sides gladly build the track together.",
        "neutral": "The length of the railway was mentioned, nothing more.",
        "against": "A railway is refused outright, since the track would harm the farmers.",
    },
}
FILLERS = (
    "The council met on a rainy morning.",
    "Bread prices were read out to the council.",
    "The choir of the capital sang before the session.",
    "Wheat and barley did well this summer.",
    "A new school was opened near the market.",
)
_STANCES = ("favor", "neutral", "against", "none")


def record_id(letter: str, number: int) -> str:
    """Return an id as the corpus wants it: a letter and ten hexadecimal digits."""
    return letter + hashlib.sha256(f"{letter}{number}".encode()).hexdigest()[:10]


def tiny_text(number: int) -> tuple[str, dict[str, str]]:
    """Return the text of a number and its stances: the first target changes fastest."""
    stances = {"harbour": _STANCES[number % 4], "railway": _STANCES[number // 4 % 4]}
    parts = [SENTENCES[target][stance] for target, stance in stances.items() if stance != "none"]
    return " ".join([*parts, FILLERS[number % len(FILLERS)], f"Session {number} ended."]), stances


def documented_row(number: int, **changes: Any) -> dict[str, Any]:
    """Return one double-coded row of the tiny corpus; two rows in turn share a date."""
    text, stances = tiny_text(number)
    day = dt.date(2030, 1, 1) + dt.timedelta(days=3 * (number // 2))
    row: dict[str, Any] = {
        "statement_id": record_id("s", number), "date": day.isoformat(), "date_precision": "day",
        "speaker": "Anna Vell", "role": "Foreign Minister", "country": "ARD", "venue": "Council hall",
        "source_url": f"https://example.org/page/{number}", "source_outlet": "Ardland Courier", "text": text,
        "lang": "en", "provenance": "paraphrase", "joint": False, "labels": stances, "coding_1": stances,
        "coding_2": stances,
        "verified": {"on": "2031-01-01", "second_url": "https://example.org/read", "mended": ""},
    }  # fmt: skip
    return {**row, **changes}


def single_coded_row(number: int, **changes: Any) -> dict[str, Any]:
    """Return one row that was coded once."""
    row = documented_row(number, speaker="Osk Brandt", role="Spokesman", country="BOR", **changes)
    return {key: value for key, value in row.items() if key not in ("labels", "coding_2")}


def authored_row(number: int, **changes: Any) -> dict[str, Any]:
    """Return one authored passage."""
    text, stances = tiny_text(number)
    codings = dict.fromkeys(("labels", "coding_1", "coding_2"), stances)
    return {"passage_id": record_id("a", number), "lang": "en", "text": text, **codings, **changes}


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as JSON lines, making the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def write_tiny_corpus(folder: Path) -> Path:
    """Write the tiny corpus: 32 double-coded and 6 single-coded statements, 10 authored passages."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "targets.toml").write_text(TARGETS_TOML, encoding="utf-8")
    (folder / "actors.toml").write_text(ACTORS_TOML, encoding="utf-8")
    (folder / "events.csv").write_text(EVENTS_CSV, encoding="utf-8")
    (folder / "lexicon.toml").write_text(LEXICON_TOML, encoding="utf-8")
    coded, once = map(documented_row, range(32)), map(single_coded_row, range(40, 46))
    write_jsonl(folder / "documented" / "statements.jsonl", [*coded, *once])
    write_jsonl(folder / "authored" / "passages_en.jsonl", [authored_row(n) for n in range(60, 70)])
    return folder


@pytest.fixture
def corpus_folder(tmp_path: Path) -> Path:
    """A tiny corpus folder that a test may change."""
    return write_tiny_corpus(tmp_path / "corpus")


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny corpus folder, to be read only."""
    return write_tiny_corpus(tmp_path_factory.mktemp("tiny") / "corpus")


@pytest.fixture(scope="module")
def tiny_world(tiny_corpus: Path) -> Iterator[None]:
    """Set the tiny corpus, with its dictionary, as the project's for a whole module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STANCE_CORPUS", str(tiny_corpus))
        yield


@pytest.fixture(scope="session")
def tiny_targets(tiny_corpus: Path) -> Targets:
    """The two invented targets."""
    return load_targets(tiny_corpus)


@pytest.fixture(scope="session")
def tiny_data(tiny_corpus: Path) -> TrainingSet:
    """The training set of the tiny corpus: rows 0-31 double-coded, 32-37 single-coded, 38-47 authored."""
    return training_set(tiny_corpus)


@pytest.fixture(scope="session")
def tiny_trained(tiny_corpus: Path, tiny_data: TrainingSet, tiny_targets: Targets) -> Trained:
    """What training on the tiny corpus, with its dictionary, gives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STANCE_CORPUS", str(tiny_corpus))
        return train(tiny_data, tiny_targets, n_jobs=1)


@pytest.fixture(scope="session")
def tiny_models_folder(
    tiny_trained: Trained, tiny_data: TrainingSet, tiny_targets: Targets, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A models folder that holds the tiny model as the current one, to be read only."""
    folder = tmp_path_factory.mktemp("tiny-models")
    model_id = save_model(tiny_trained, tiny_data, tiny_targets, card="A card.\n", now=NOW, folder=folder)
    make_current(model_id, folder=folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_models_folder: Path) -> Model:
    """The tiny model, loaded from its files."""
    return load_model(folder=tiny_models_folder)


def select_rows(data: TrainingSet, rows: Any) -> TrainingSet:
    """Return a training set with some of the rows."""
    return dataclasses.replace(
        data,
        texts=tuple(data.texts[i] for i in rows),
        langs=tuple(data.langs[i] for i in rows),
        y=data.y[rows],
        groups=data.groups[rows],
        kinds=data.kinds[rows],
    )


@pytest.fixture(scope="session")
def bundled_slice() -> TrainingSet:
    """Every fifth double-coded statement and every twelfth authored passage of the bundled corpus."""
    data = training_set()
    rows = [np.flatnonzero(data.kinds == kind)[::step] for kind, step in (("double_coded", 5), ("authored", 12))]
    return select_rows(data, np.concatenate(rows))


@pytest.fixture(scope="session")
def small_models_folder(bundled_slice: TrainingSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with a model of the project's own targets, trained on a slice of the bundled corpus."""
    folder = tmp_path_factory.mktemp("small-models")
    trained = train(bundled_slice, load_targets(), n_jobs=1, baselines=False)
    make_current(save_model(trained, bundled_slice, load_targets(), card="", now=NOW, folder=folder), folder=folder)
    return folder


@pytest.fixture
def small_model(small_models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """The small model of the bundled corpus, current by STANCE_MODELS."""
    monkeypatch.setenv("STANCE_MODELS", str(small_models_folder))
    return load_model()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with Store(tmp_path / "data" / "stance.sqlite") as opened:
        yield opened


@pytest.fixture
def make_statement() -> Callable[..., Statement]:
    """Make a statement by an invented speaker; any field can be given."""

    def make(number: int = 1, **fields: Any) -> Statement:
        given = {
            "statement_id": f"x{number}", "doc_id": f"d{number}", "date": f"2030-01-{number:02d}",
            "date_method": "day", "speaker": "Anna Vell", "role": "Foreign Minister", "country": "ARD",
            "venue": "Council hall", "lang": "en", "source": "courier", "url": f"https://example.org/{number}",
            "title": "Ardland Courier", "text": f"The harbour was named {number} times.",
            "provenance": "paraphrase",
        }  # fmt: skip
        return Statement(**{**given, **fields})

    return make


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Path]:
    """Write rows to a CSV file and return its path."""

    def write(name: str, header: list[str], *rows: list[str]) -> Path:
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([header, *rows])
        return path

    return write
