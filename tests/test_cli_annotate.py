"""`stance annotate`: every command's words, files, statuses and mistakes."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.cli.annotate import annotate
from pipeline.cli.app import main
from pipeline.schema import Label, Statement
from pipeline.store import Store
from tests.conftest import NOW, documented_row, write_tiny_corpus

Captured = pytest.CaptureFixture[str]
COMMANDS = [str(command.name) for command in annotate.registered_commands]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_models_folder: Path) -> Path:
    """A working directory whose store holds the tiny corpus, tagged by the tiny model."""
    write_tiny_corpus(tmp_path / "corpus")
    monkeypatch.setenv("STANCE_CORPUS", str(tmp_path / "corpus"))
    monkeypatch.setenv("STANCE_MODELS", str(tiny_models_folder))
    monkeypatch.delenv("STANCE_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(["ingest", "corpus"]) == 0
    return tmp_path


@pytest.fixture
def tagged(home: Path, capfd: Captured) -> Path:
    assert main(["classify"]) == 0
    capfd.readouterr()
    return home


def open_store(home: Path) -> Store:
    return Store(home / "data" / "stance.sqlite")


def fill_in(path: Path, coder: str, answer: Callable[[str, str], str | None], to: Path | None = None) -> Path:
    """Fill in exported JSON lines as a coder would."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        row |= {"coder": coder, "labels": {t: answer(row["statement_id"], t) for t in row["labels"]}}
    to = to or path.with_name(f"{coder}.jsonl")
    to.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return to


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# Help


def test_the_commands_of_the_round_trip_are_there() -> None:
    assert {"export", "import", "label", "agreement", "adjudicate", "suspects", "log"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_all_its_options(command: str, capsys: Captured) -> None:
    assert main(["annotate", command, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"Usage: stance annotate {command}" in text
    assert re.search(r"Examples?:", text)
    described = re.findall(r"^ {2}(-[^ ].*?)(?: {2,}(\S.*))?$", text.split("Options:")[1], flags=re.MULTILINE)
    following = re.findall(r"^ {2}(-\S+.*)\n {10,}\S", text, flags=re.MULTILINE)
    assert [name for name, words in described if not words and name not in following] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_of_the_help_are_real(command: str, capsys: Captured) -> None:
    main(["annotate", command, "--help"])
    text = capsys.readouterr().out
    examples = [e for line in re.findall(r"stance annotate .*", text) for e in line.split(" && ")]
    examples = [
        shlex.split(e) for e in examples if "Usage" not in e and not e.startswith(f"stance annotate {command} [")
    ]
    assert examples
    for words in examples:
        other = words[2]
        assert main(["annotate", other, "--help"]) == 0
        shown = capsys.readouterr().out
        assert all(option in shown for option in words[3:] if option.startswith("--")), words


def test_the_group_s_help_lists_every_command_and_the_way_through(capsys: Captured) -> None:
    assert main(["annotate", "--help"]) == 0
    text = capsys.readouterr().out
    assert all(re.search(rf"^  {command} ", text, flags=re.MULTILINE) for command in COMMANDS)
    assert "stance retrain" in text


# Export


def test_export_writes_tasks_and_configuration(tagged: Path, capfd: Captured) -> None:
    assert main(["annotate", "export", "--output", "tasks.json"]) == 0
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "6 statements to label, 6 with the model's reading, in tasks.json" in captured.err
    assert "labelling configuration: tasks.config.xml" in captured.err
    tasks = json.loads((tagged / "tasks.json").read_text())
    assert len(tasks) == 6
    assert len((tagged / "tasks.json").read_text().splitlines()) == 8  # a task a line
    assert {p["model_version"].split("/")[0] for t in tasks for p in t["predictions"]} == {"linear"}
    assert (tagged / "tasks.config.xml").read_text().startswith("<View>")
    assert {path.name for path in tagged.iterdir()} == {"corpus", "data", "tasks.json", "tasks.config.xml"}


def test_export_narrows_by_target_filter_and_number(tagged: Path, capfd: Captured) -> None:
    arguments = ["--targets", "railway", "--country", "ARD", "--state", "any", "--limit", "2", "--blind"]
    assert main(["annotate", "export", *arguments]) == 0
    captured = capfd.readouterr()
    rows = [json.loads(line) for line in captured.out.splitlines()]
    assert [list(row["labels"]) for row in rows] == [["railway"], ["railway"]]
    assert {row["country"] for row in rows} == {"ARD"}
    assert "2 statements to label, blind" in captured.err
    assert main(["annotate", "export", *arguments, "--output", "t.json"]) == 0
    config = (tagged / "t.config.xml").read_text()
    assert 'name="railway"' in config
    assert 'name="harbour"' not in config


def test_export_without_tags_says_what_is_missing(home: Path, capfd: Captured) -> None:
    assert main(["annotate", "export", "--format", "labelstudio"]) == 0
    captured = capfd.readouterr()
    assert "0 with the model's reading (`stance classify` makes it)" in captured.err
    assert [task["predictions"] for task in json.loads(captured.out)] == [[]] * 6


def test_export_of_nothing_is_a_valid_file(tagged: Path, capfd: Captured) -> None:
    assert main(["annotate", "export", "--speaker", "Nobody", "--output", "t.json"]) == 0
    assert json.loads((tagged / "t.json").read_text()) == []
    assert 'name="railway"' in (tagged / "t.config.xml").read_text()
    assert main(["annotate", "export", "--speaker", "Nobody"]) == 0
    assert capfd.readouterr().out == ""


def test_export_only_what_a_file_names(tagged: Path, capfd: Captured) -> None:
    wanted = documented_row(3)["statement_id"]
    (tagged / "a.csv").write_text(f"rank,statement_id\n1,{wanted}\n2,{wanted}\n")
    (tagged / "b.txt").write_text(f"{wanted}\n\n")
    for name in ("a.csv", "b.txt"):
        capfd.readouterr()
        assert main(["annotate", "export", "--only", name]) == 0
        assert [json.loads(line)["statement_id"] for line in capfd.readouterr().out.splitlines()] == [wanted]


# The way through


def test_the_round_trip_on_the_command_line(tagged: Path, capfd: Captured) -> None:
    """Two coders label six statements, differ once, and the difference is decided in the table."""
    assert main(["annotate", "export", "--blind", "--output", "tasks.jsonl"]) == 0
    first = json.loads((tagged / "tasks.jsonl").read_text().splitlines()[0])["statement_id"]
    fill_in(tagged / "tasks.jsonl", "anna", lambda s, t: "favor" if t == "harbour" else "none")
    fill_in(
        tagged / "tasks.jsonl", "boris",
        lambda s, t: "against" if (s, t) == (first, "harbour") else "favor" if t == "harbour" else "none",
    )  # fmt: skip
    capfd.readouterr()
    assert main(["annotate", "import", "anna.jsonl", "boris.jsonl"]) == 0
    line = (
        "{0}.jsonl: labels {1} new, 0 changed, {2} unchanged, 0 older (by {0} 12); rows 0 not labelled, 0 rejected"
    )
    assert capfd.readouterr().out.splitlines() == [line.format("anna", 12, 0), line.format("boris", 12, 0)]
    assert main(["annotate", "import", "anna.jsonl"]) == 0
    assert capfd.readouterr().out.splitlines() == [line.format("anna", 0, 12)]

    assert main(["annotate", "agreement", "--out", "labelling"]) == 0
    captured = capfd.readouterr()
    harbour, railway = rows_of(captured.out)
    # One disagreement of six: 1 - (12 - 1) * 2 / (144 - 121 - 1).
    assert float(harbour["alpha"]) == pytest.approx(0.0, abs=1e-9)
    assert (harbour["agreement"], harbour["n_statements"], harbour["coders"]) == ("0.8333", "6", "anna, boris")
    assert (railway["alpha"], railway["conf_low"], railway["agreement"]) == ("", "", "1.0")
    assert "1 disagreements, 1 of them open" in captured.err
    confusion = pd.read_csv(tagged / "labelling" / "coder_confusion.csv", keep_default_na=False)
    assert confusion.to_numpy().tolist() == [
        ["harbour", "anna", "boris", "favor", "against", 1], ["harbour", "anna", "boris", "favor", "favor", 5],
        ["railway", "anna", "boris", "none", "none", 6],
    ]  # fmt: skip
    table = pd.read_csv(tagged / "labelling" / "disagreements.csv", keep_default_na=False)
    assert table[["statement_id", "target", "by anna", "by boris", "settled"]].to_numpy().tolist() == [
        [first, "harbour", "favor", "against", ""]
    ]
    written = pd.read_csv(tagged / "labelling" / "agreement.csv")
    assert written["target"].tolist() == ["harbour", "railway"]

    assert main(["annotate", "adjudicate"]) == 3
    captured = capfd.readouterr()
    assert captured.out.startswith("labels 11 settled, 0 changed, 0 as they were, 0 settled otherwise, 1 disputed")
    assert "1 labels are disputed: list them with `stance annotate agreement --out DIR`" in captured.err
    assert main(["annotate", "export", "--state", "disputed"]) == 0
    assert json.loads(capfd.readouterr().out)["statement_id"] == first

    table.assign(settled="neutral").to_csv(tagged / "decided.csv", index=False)
    assert main(["annotate", "adjudicate", "--decisions", "decided.csv"]) == 0
    assert capfd.readouterr().out.startswith("labels 1 settled, 0 changed, 11 as they were")
    with open_store(tagged) as store:
        settled = store.labels_frame()
        assert len(settled) == 64 + 12
        assert settled.set_index(["statement_id", "target"]).loc[(first, "harbour"), "stance"] == "neutral"
    assert main(["annotate", "log", "--statement", first]) == 0
    log = rows_of(capfd.readouterr().out)
    assert sorted((row["coder"], row["target"], row["stance"]) for row in log) == [
        ("adjudicated", "harbour", "neutral"), ("adjudicated", "railway", "none"), ("anna", "harbour", "favor"),
        ("anna", "railway", "none"), ("boris", "harbour", "against"), ("boris", "railway", "none"),
    ]  # fmt: skip
    decided = next(row for row in log if row["coder"] == "adjudicated" and row["target"] == "harbour")
    assert decided["origin"] == "adjudicate: decision (anna favor, boris against)"
    assert decided["codebook_version"] == "t1"


def test_settled_labels_of_bundled_statements_reach_retraining_and_outlive_a_load(
    tagged: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANCE_MODELS", str(tagged / "models"))
    assert main(["annotate", "export", "--output", "tasks.jsonl"]) == 0
    fill_in(tagged / "tasks.jsonl", "anna", lambda s, t: "against")
    assert main(["annotate", "import", "anna.jsonl"]) == 0
    assert main(["annotate", "adjudicate", "--min-coders", "1"]) == 0
    twice = documented_row(0)["statement_id"]
    (tagged / "d.csv").write_text(f"statement_id,target,settled\n{twice},harbour,none\n")
    assert main(["annotate", "adjudicate", "--decisions", "d.csv"]) == 0
    assert "1 are settled otherwise and were left so; --replace changes them" in capfd.readouterr().err
    assert main(["annotate", "adjudicate", "--decisions", "d.csv", "--replace"]) == 0
    assert main(["ingest", "corpus"]) == 0
    with open_store(tagged) as store:
        settled = store.labels_frame().set_index(["statement_id", "target"])["stance"]
        assert settled[twice, "harbour"] == "none"
    assert main(["retrain"]) == 0
    manifests = list((tagged / "models" / "linear").glob("*/manifest.json"))
    counts = json.loads(manifests[0].read_text())["training_texts"]
    assert counts == {"authored": 10, "double_coded": 32, "store": 6}  # the six coded once are settled now


# Import


def test_rejected_rows_are_named_set_aside_and_status_three(tagged: Path, capfd: Captured) -> None:
    wanted = documented_row(3)["statement_id"]
    good: dict[str, Any] = {"statement_id": wanted, "coder": "anna", "labels": {"harbour": "favor"}}
    rows = [good, {**good, "labels": {"harbour": "maybe"}}, *[{**good, "statement_id": f"n{n}"} for n in range(25)]]
    (tagged / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["annotate", "import", "in.jsonl"]) == 3
    captured = capfd.readouterr()
    assert (
        "labels 1 new, 0 changed, 0 unchanged, 0 older (by anna 1); rows 0 not labelled, 26 rejected"
        in captured.out
    )
    told = captured.err.splitlines()
    assert told[0].startswith("in.jsonl, line 2: harbour: unknown stance 'maybe'")
    assert told[1].startswith("in.jsonl, line 3: statement n0 is not in the store")
    assert "in.jsonl: ... and 6 more" in told
    assert told[-1] == "stance: 26 rows were set aside, all others are kept; mend them and import again."
    aside = [json.loads(line) for line in (tagged / "in.jsonl.rejected.jsonl").read_text().splitlines()]
    assert len(aside) == 26
    assert aside[0]["line"] == 2
    assert aside[0]["raw"]["labels"] == {"harbour": "maybe"}
    assert main(["annotate", "import", "in.jsonl"]) == 3  # resumable: what was kept stays, the rest is named again


def test_when_no_row_holds_the_file_is_at_fault(tagged: Path, capfd: Captured) -> None:
    (tagged / "in.jsonl").write_text("{}\n")
    assert main(["annotate", "import", "in.jsonl", "--dry-run"]) == 2
    assert "none of 1 rows could be kept" in capfd.readouterr().err
    assert not (tagged / "in.jsonl.rejected.jsonl").exists()


def test_a_dry_run_stores_nothing(tagged: Path, capfd: Captured) -> None:
    assert main(["annotate", "export", "--output", "tasks.jsonl"]) == 0
    fill_in(tagged / "tasks.jsonl", "anna", lambda s, t: "none")
    assert main(["annotate", "import", "anna.jsonl", "--dry-run"]) == 0
    assert "12 new" in capfd.readouterr().out
    assert main(["annotate", "adjudicate", "--min-coders", "1"]) == 0
    assert "labels 0 settled" in capfd.readouterr().out


def test_coders_get_their_names(tagged: Path, capfd: Captured) -> None:
    assert main(["annotate", "export", "--output", "tasks.json", "--limit", "2"]) == 0
    tasks = json.loads((tagged / "tasks.json").read_text())
    for number, task in enumerate(tasks, start=1):
        results = [r for r in task["predictions"][0]["result"] if r["type"] == "choices"]
        task["annotations"] = [{"completed_by": number, "result": results, "created_at": "2031-01-01T00:00:00Z"}]
    (tagged / "done.json").write_text(json.dumps(tasks))
    assert main(["annotate", "import", "done.json", "--coder", "1=anna", "--coder", "2 = boris"]) == 0
    assert "(by anna 2, boris 2)" in capfd.readouterr().out
    assert main(["annotate", "import", "done.json", "--coder", "1=anna"]) == 3
    assert "done.json, line 1, task 2: Label Studio's user 2 needs a name: --coder 2=NAME" in capfd.readouterr().err


def test_labels_on_record_go_to_another_store(tagged: Path, capfd: Captured) -> None:
    assert main(["annotate", "export", "--output", "tasks.jsonl"]) == 0
    fill_in(tagged / "tasks.jsonl", "anna", lambda s, t: "none")
    assert main(["annotate", "import", "anna.jsonl"]) == 0
    capfd.readouterr()
    assert main(["annotate", "export", "--coded", "--output", "coded.jsonl"]) == 0
    assert "6 statements coded by somebody" in capfd.readouterr().err
    assert main(["ingest", "corpus", "--store", "other.sqlite"]) == 0
    assert main(["annotate", "import", "coded.jsonl", "--store", "other.sqlite"]) == 0
    assert "12 new" in capfd.readouterr().out


# Agreement, adjudication


def test_agreement_of_the_bundled_codings_and_of_some_coders(tagged: Path, capfd: Captured) -> None:
    assert main(["annotate", "agreement", "--bundled", "--format", "jsonl"]) == 0
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [(r["target"], r["alpha"], r["n_statements"]) for r in rows] == [
        ("harbour", 1.0, 32), ("railway", 1.0, 32),
    ]  # fmt: skip
    with open_store(tagged) as store:
        held = [s.statement_id for s in store.statements()][:3]
        for coder, stance in (("anna", "favor"), ("boris", "favor"), ("carl", "none")):
            labels = [Label(statement_id=s, target="harbour", stance=stance) for s in held]  # type: ignore[arg-type]
            version = "t0" if coder == "boris" else "t1"
            store.add_labels(labels, coder=coder, codebook_version=version, now=NOW, origin="label, blind")
    assert main(["annotate", "agreement", "--targets", "harbour"]) == 0
    captured = capfd.readouterr()
    assert "3 labels made under another codebook than version t1 are left out" in captured.err
    assert rows_of(captured.out)[0]["coders"] == "anna, carl"
    assert main(["annotate", "agreement", "--coder", "anna"]) == 0
    assert "no statement was coded by two people yet" in capfd.readouterr().err
    assert main(["annotate", "agreement", "--coder", "dora"]) == 2
    assert "--coder dora: no labels by that name; known: anna, carl." in capfd.readouterr().err


def test_agreement_shows_a_table(tagged: Path, capfd: Captured) -> None:
    assert main(["annotate", "agreement", "--bundled", "--format", "table"]) == 0
    assert "harbour" in capfd.readouterr().out


def test_by_and_majority(tagged: Path, capfd: Captured) -> None:
    assert main(["annotate", "export", "--targets", "harbour", "--output", "tasks.jsonl"]) == 0
    for coder, stance in (("anna", "favor"), ("boris", "favor"), ("carl", "none")):
        fill_in(tagged / "tasks.jsonl", coder, lambda s, t, stance=stance: stance)  # type: ignore[misc]
        assert main(["annotate", "import", f"{coder}.jsonl"]) == 0
    capfd.readouterr()
    assert main(["annotate", "adjudicate", "--rule", "majority", "--dry-run"]) == 0
    assert "labels 6 settled" in capfd.readouterr().out
    assert main(["annotate", "adjudicate", "--by", "carl"]) == 0
    with open_store(tagged) as store:
        origins = {row.stance for row in store.codings() if row.origin.startswith("adjudicate: by carl")}
    assert origins == {"none"}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("statement_id,target\nx,harbour\n", "missing column settled"),
        ("statement_id,target,settled\nx,harbour,maybe\n", "row 2: unknown stance 'maybe'; accepted: favor"),
        (
            "statement_id,target,settled\nx,harbour,\nx,harbour,none\nx,harbour,favor\n",
            "row 4: x on harbour is decided twice",
        ),
        ("statement_id,target,settled\nx,harbour,NONE \n", "statement x is not in the store"),
    ],
)
def test_a_table_of_decisions_that_does_not_hold_is_explained(
    tagged: Path, table: str, message: str, capfd: Captured
) -> None:
    (tagged / "d.csv").write_text(table)
    assert main(["annotate", "adjudicate", "--decisions", "d.csv"]) == 2
    captured = capfd.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    with open_store(tagged) as store:
        assert store.counts()["labels"] == 64


def test_a_sample_that_is_not_labelled_to_its_end_is_named(
    tagged: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = [documented_row(n)["statement_id"] for n in (0, 1)]
    once = "s" + "0" * 10
    monkeypatch.setattr(Store, "sampling_probs", lambda _: {drawn[0]: 0.5, once: 0.5})
    with open_store(tagged) as store:
        extra = next(store.statements())
        store.add_statements([Statement(**{**_fields(extra), "statement_id": once, "text": "Another."})])
    assert main(["annotate", "adjudicate"]) == 0
    assert "1 of 2 drawn statements have no settled label yet" in capfd.readouterr().err


def _fields(statement: Statement) -> dict[str, Any]:
    import dataclasses

    return dataclasses.asdict(statement)


# Suspects


def test_suspects_name_the_labels_that_were_turned_round(tagged: Path, capfd: Captured) -> None:
    wrong = documented_row(4)["statement_id"]  # its harbour label is favor
    (tagged / "d.csv").write_text(f"statement_id,target,settled\n{wrong},harbour,against\n")
    assert main(["annotate", "adjudicate", "--decisions", "d.csv", "--replace"]) == 0
    capfd.readouterr()
    assert main(["annotate", "suspects", "--targets", "harbour"]) == 0
    captured = capfd.readouterr()
    first = rows_of(captured.out)[0]
    assert (first["rank"], first["statement_id"], first["label"], first["suggested"]) == (
        "1",
        wrong,
        "against",
        "favor",
    )
    assert re.search(r"\d+ of 32 labels to read again", captured.err)
    assert main(["annotate", "suspects", "--limit", "1", "--output", "s.csv"]) == 0
    assert pd.read_csv(tagged / "s.csv")["statement_id"].tolist() == [wrong]
    assert main(["annotate", "suspects", "--limit", "1", "--output", "s.jsonl"]) == 0
    assert json.loads((tagged / "s.jsonl").read_text())["statement_id"] == wrong
    assert main(["annotate", "export", "--only", "s.csv"]) == 0
    capfd.readouterr()
    assert main(["annotate", "suspects", "--format", "table"]) == 0
    assert "against" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "--country", "ATLANTIS"], "unknown country: ATLANTIS"),
        (["export", "--targets", "moon"], "unknown target: moon"),
        (["export", "--since", "soon"], "--since soon: not a date"),
        (["export", "--only", "none.csv"], "no such file: none.csv"),
        (["export", "--only", "empty.csv"], "--only empty.csv: the file names no statement"),
        (["export", "--coded", "--output", "a.json"], "--coded writes JSON lines"),
        (["export", "--state", "lost"], "'lost' is not one of"),
        (["import", "none.json"], "no such file: none.json"),
        (["import", "empty.csv"], "codings come as .json"),
        (["import"], "Missing argument 'FILE...'"),
        (["import", "a.jsonl", "--coder", "a", "--coder", "b"], "only one name can be for rows that name nobody"),
        (["import", "a.jsonl", "--coder", "1="], "write NAME, or GIVEN=NAME, with neither side empty"),
        (["import", "a.jsonl", "--coder", " "], "write NAME, or GIVEN=NAME, with neither side empty"),
        (["label"], "Missing option '--coder'"),
        (["agreement", "--format", "parquet"], "Parquet cannot go to standard output"),
        (["agreement", "--draws", "1"], "Invalid value for '--draws'"),
        (["adjudicate", "--by", "zoe"], "--by zoe: no labels by that name; known: nobody."),
        (["adjudicate", "--rule", "dice"], "'dice' is not one of"),
        (["suspects", "--coder", "zoe"], "--coder zoe: no labels by that name"),
        (["suspects", "--model", "no/such"], "no statement is tagged by that model"),
        (["suspects", "--output", "a.parquet"], "suspects are written as CSV or JSONL"),
        (["log", "--format", "parquet"], "Parquet cannot go to standard output"),
    ],
)
def test_wrong_use_is_one_line_and_status_two(
    tagged: Path, arguments: list[str], message: str, capfd: Captured
) -> None:
    (tagged / "empty.csv").write_text("statement_id\n")
    assert main(["annotate", *arguments]) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_help_loads_nothing_heavy() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from pipeline.cli.app import main; main(['annotate', 'label', '--help']);"
        "heavy = {'numpy', 'pandas', 'sklearn', 'spacy', 'datasets', 'scipy', 'pyarrow'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
