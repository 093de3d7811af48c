"""`stance retrain` and its gate; `stance evaluate` on any labelled file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.classify.artifact import current_model_id, list_models
from pipeline.cli.app import main
from pipeline.cli.models import read_labels
from pipeline.errors import DataError
from pipeline.schema import Label
from pipeline.store import Store
from tests.conftest import FILLERS, SENTENCES, tiny_text, write_jsonl, write_tiny_corpus

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def tiny_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the tiny corpus, as a checkout has it."""
    write_tiny_corpus(tmp_path / "corpus")
    monkeypatch.setenv("STANCE_CORPUS", str(tmp_path / "corpus"))
    monkeypatch.setenv("STANCE_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("STANCE_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def floors_of(home: Path) -> dict[str, float]:
    return json.loads((home / "tests" / "gate" / "floors.json").read_text())["macro_f1"]


def test_retrain_measures_pins_and_guards(tiny_home: Path, capfd: Captured) -> None:
    assert main(["retrain", "--pin"]) == 0
    first = current_model_id()
    captured = capfd.readouterr()
    assert "TF-IDF + LR" in captured.out
    assert f"{first} is the current model" in captured.err
    metrics = json.loads((tiny_home / "models" / str(first) / "metrics.json").read_text())
    assert floors_of(tiny_home)["mean"] == pytest.approx(metrics["model"]["mean_macro_f1"] - 0.01, abs=6e-4)

    assert main(["retrain"]) == 0  # equal inputs, equal version
    assert list_models() == [first]

    floors = tiny_home / "tests" / "gate" / "floors.json"
    content = json.loads(floors.read_text())
    floors.write_text(json.dumps({**content, "macro_f1": {**content["macro_f1"], "mean": 1.01}}))
    capfd.readouterr()
    assert main(["retrain"]) == 1
    assert "was not made current: mean: macro-F1" in capfd.readouterr().err
    assert main(["retrain", "--force", "the floor was a typing error"]) == 0
    card = (tiny_home / "models" / str(first) / "README.md").read_text()
    assert "Reason given: the floor was a typing error" in card

    capfd.readouterr()
    assert main(["retrain", "--pin"]) == 1  # pinning alone lowers nothing
    assert "the floor of mean is above what was measured and stays" in capfd.readouterr().err
    assert floors_of(tiny_home)["mean"] == 1.01
    assert main(["retrain", "--pin", "--lower"]) == 0
    assert floors_of(tiny_home)["mean"] < 1


def test_changed_evaluation_data_stops_the_gate(tiny_home: Path, capfd: Captured) -> None:
    assert main(["retrain", "--pin"]) == 0
    first = current_model_id()
    path = tiny_home / "corpus" / "documented" / "statements.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))  # one coded twice
    capfd.readouterr()
    assert main(["retrain"]) == 1
    assert "the evaluation data changed since the floors were pinned" in capfd.readouterr().err
    assert current_model_id() == first


def test_labels_in_the_store_are_trained_on(tiny_home: Path) -> None:
    assert main(["retrain"]) == 0
    without = current_model_id()
    write_jsonl(tiny_home / "in.jsonl", [{"statement_id": "mine", "text": tiny_text(99)[0], "date": "2031-01-01"}])
    assert main(["ingest", "in.jsonl"]) == 0
    with Store(tiny_home / "data" / "stance.sqlite") as store:
        labels = [Label(statement_id="mine", target=t, stance="favor") for t in ("harbour", "railway")]
        store.add_labels(labels, coder="adjudicated", codebook_version="t1")
    assert main(["retrain"]) == 0
    assert current_model_id() != without
    manifest = json.loads((tiny_home / "models" / str(current_model_id()) / "manifest.json").read_text())
    assert manifest["training_texts"]["store"] == 1


def test_a_new_model_is_compared_with_the_current_one(tiny_home: Path, capfd: Captured) -> None:
    assert main(["retrain"]) == 0
    first = current_model_id()
    assert "against linear" not in capfd.readouterr().err
    path = tiny_home / "corpus" / "authored" / "passages_en.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-4]))
    assert main(["retrain"]) == 0
    assert f"against {first}: mean macro-F1 " in capfd.readouterr().err
    second = tiny_home / "models" / str(current_model_id())
    card = (second / "README.md").read_text()
    assert f"### Compared with {first}" in card
    assert json.loads((second / "metrics.json").read_text())["comparison"]["statements"] == 32
    assert main(["retrain"]) == 0  # made again, it keeps what it was compared with
    assert (second / "README.md").read_text() == card


def test_a_damaged_current_model_does_not_stop_a_new_one(tiny_home: Path, capfd: Captured) -> None:
    assert main(["retrain"]) == 0
    (tiny_home / "models" / str(current_model_id()) / "model.skops").write_bytes(b"")
    path = tiny_home / "corpus" / "authored" / "passages_en.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-4]))
    capfd.readouterr()
    assert main(["retrain"]) == 0
    assert "not compared with the current model: " in capfd.readouterr().err


@pytest.fixture
def evaluated(tmp_path: Path, tiny_models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data file of twelve texts that the tiny model has not seen, with its models folder set."""
    monkeypatch.setenv("STANCE_MODELS", str(tiny_models_folder))
    monkeypatch.chdir(tmp_path)
    texts = [f"{SENTENCES['harbour'][s]} {FILLERS[n]} Unseen {n}." for n in range(4) for s in SENTENCES["harbour"]]
    write_jsonl(tmp_path / "data.jsonl", [{"statement_id": f"e{n}", "text": text} for n, text in enumerate(texts)])
    return tmp_path


def test_evaluate_scores_long_and_nested_labels_alike(evaluated: Path, capfd: Captured) -> None:
    stances = list(SENTENCES["harbour"]) * 4
    (evaluated / "long.csv").write_text(
        "statement_id,target,stance\n"
        + "".join(f"e{n},harbour,{s}\ne{n},railway,\n" for n, s in enumerate(stances))
        + "unknown,harbour,favor\n"
    )
    nested = [{"id": f"e{n}", "labels": {"harbour": s, "railway": None}} for n, s in enumerate(stances)]
    write_jsonl(evaluated / "nested.jsonl", [*nested, {"id": "unknown", "labels": {"harbour": "favor"}}])
    results = []
    for name in ("long.csv", "nested.jsonl"):
        assert main(["evaluate", "data.jsonl", "--labels", name, "--format", "json"]) == 0
        results.append(json.loads(capfd.readouterr().out))
    assert results[0] == results[1]
    assert results[0]["pairs"] == 12
    assert results[0]["statements"] == 12
    assert results[0]["labels_without_statement"] == 1
    assert results[0]["targets"]["harbour"]["support"] == {"favor": 4, "neutral": 4, "against": 4, "none": 0}
    assert results[0]["targets"]["railway"]["macro_f1"] is None
    assert results[0]["mean_macro_f1"] == results[0]["targets"]["harbour"]["macro_f1"] > 0.9


def test_evaluate_shows_a_table(evaluated: Path, capfd: Captured) -> None:
    (evaluated / "l.csv").write_text(
        "statement_id,target,stance\n" + "".join(f"e{n},harbour,favor\n" for n in range(3))
    )
    assert main(["evaluate", "data.jsonl", "--labels", "l.csv"]) == 0
    captured = capfd.readouterr()
    assert "harbour" in captured.out
    assert captured.err.startswith("3 statements, 3 labelled pairs, model linear/")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.csv", "statement_id,target,stance\ne0,harbour,maybe\n", "e0: unknown stance maybe; accepted: favor"),
        ("l.csv", "statement_id,target\ne0,harbour\n", "labels need statement_id,target,stance"),
        (
            "l.csv",
            "statement_id,target,stance\nzz,harbour,favor\n",
            "no statement of data.jsonl is labelled in l.csv",
        ),
        ("l.txt", "a", "unknown input format: txt"),
    ],
)
def test_bad_labels_are_named(evaluated: Path, name: str, content: str, message: str, capfd: Captured) -> None:
    (evaluated / name).write_text(content)
    assert main(["evaluate", "data.jsonl", "--labels", name]) == 2
    assert message in capfd.readouterr().err


def test_labels_are_read_by_statement(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("statement_id,target,stance\na,x,favor\na,y,\nb,x,none\n")
    assert read_labels(tmp_path / "l.csv") == {"a": {"x": "favor", "y": None}, "b": {"x": "none"}}
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(DataError, match="is empty"):
        read_labels(tmp_path / "empty.csv")
