"""The whole loop on the bundled corpus: sample, hand out, label, take back, compare, settle, retrain, report.

A copy of the corpus in which 300 statements are coded only once: they play the unlabelled ones. Most of them are drawn
by `annotate sample`; two scripted coders answer from that coding, one of them with slips; then `retrain` learns from
what they settled, and everything is tagged, estimated and reported anew. Everything goes through the command line. So
that training takes seconds, the copy holds one in 25 of the authored passages.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.classify.artifact import current_model_id
from pipeline.cli.app import main
from pipeline.config import corpus_dir
from pipeline.corpus import load_documented
from pipeline.store import Store

KEYS = ["freq", "period_start", "scope", "country", "target", "measure"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(current_model_id() is None, reason="no trained model: run `stance retrain`"),
]
UNLABELLED, DRAWN = 300, 240
SINCE = ["--since", "2019-01-01", "--freq", "quarter"]


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the loop was gone through, with the exports before, after, and after training anew."""
    home = tmp_path_factory.mktemp("loop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STANCE_STORE", str(home / "s.sqlite"))
        patch.setenv("STANCE_CORPUS", str(_coded_once(home / "corpus")))
        patch.chdir(home)
        for words in (["ingest", "corpus"], ["classify"], ["trends", *SINCE, "--out", "before"]):
            assert main(words) == 0
        assert main(["annotate", "sample", "--n", str(DRAWN), "--out", "drawn.csv"]) == 0
        assert main(["annotate", "export", "--blind", "--only", "drawn.csv", "--output", "tasks.jsonl"]) == 0
        _label(home)
        assert main(["annotate", "import", "anna.jsonl", "boris.jsonl"]) == 0
        assert main(["annotate", "agreement", "--out", "labelling"]) == 0
        assert main(["annotate", "adjudicate"]) == 3
        decided = pd.read_csv(home / "labelling" / "disagreements.csv", keep_default_na=False)
        decided.assign(settled=decided["by anna"]).to_csv(home / "decided.csv", index=False)
        assert main(["annotate", "adjudicate", "--decisions", "decided.csv"]) == 0
        assert main(["trends", *SINCE, "--out", "after"]) == 0
        patch.setenv("STANCE_MODELS", str(home / "models"))
        for words in (["retrain"], ["classify"], ["trends", *SINCE, "--out", "anew"], ["report", "--out", "anew"]):
            assert main(words) == 0
    return home


def _coded_once(folder: Path) -> Path:
    """Copy the bundled corpus without the labels and the second coding of 300 statements of both countries."""
    shutil.copytree(corpus_dir(), folder)
    path = folder / "documented" / "statements.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    eligible = [row for row in rows if row["verified"] and row["country"] in ("CHN", "RUS")]
    for row in eligible[:: len(eligible) // UNLABELLED][:UNLABELLED]:
        del row["labels"], row["coding_2"]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    for passages in (folder / "authored").glob("*.jsonl"):
        lines = passages.read_text(encoding="utf-8").splitlines(keepends=True)
        passages.write_text("".join(lines[::25]), encoding="utf-8")
    return folder


def _label(home: Path) -> None:
    """Answer as two coders do: anna as the corpus has it, boris with a slip on one statement in twenty."""
    known = {row["statement_id"]: row["coding_1"] for row in load_documented()}
    tasks = [json.loads(line) for line in (home / "tasks.jsonl").read_text().splitlines()]
    drawn = pd.read_csv(home / "drawn.csv")
    assert {task["statement_id"] for task in tasks} == set(
        drawn["statement_id"]
    )  # no less and no more than was drawn
    rng = np.random.default_rng(7)
    for coder, slips in (("anna", 0.0), ("boris", 0.05)):
        rows = []
        for task in tasks:
            labels = dict(known[task["statement_id"]])
            if rng.random() < slips:
                labels["india"] = "neutral" if labels["india"] == "none" else "none"
            rows.append({**task, "coder": coder, "labels": labels})
        (home / f"{coder}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def cells(loop: Path, later: str) -> pd.DataFrame:
    """Return the cells that got labels, with the width of their interval before and later."""
    before, after = (pd.read_csv(loop / name / "trends.csv") for name in ("before", later))
    both = before.merge(after, on=KEYS, suffixes=("_before", "_after"))
    both = both.assign(**{w: both[f"conf_high_{w}"] - both[f"conf_low_{w}"] for w in ("before", "after")})
    got = both["n_labelled_after"] > both["n_labelled_before"]
    return both[got & both["before"].notna() & both["after"].notna()]


@pytest.mark.parametrize("later", ["after", "anew"])
@pytest.mark.parametrize("measure", ["position", "gap", "convergence"])
def test_the_intervals_of_the_labelled_cells_are_narrower(loop: Path, measure: str, later: str) -> None:
    found = cells(loop, later)
    found = found[found["measure"] == measure]
    assert len(found) > 30
    assert found["after"].mean() < found["before"].mean()
    assert (found["after"] < found["before"]).mean() > 0.5


def test_the_labels_are_counted_and_weigh_what_they_were_drawn_with(loop: Path) -> None:
    drawn = pd.read_csv(loop / "drawn.csv").set_index("statement_id")["sampling_prob"]
    with Store(loop / "s.sqlite") as store:
        settled = store.labels_frame()
        codings = store.codings_frame()
        trained = {s.statement_id for s, _ in store.training_labels(but_source="corpus")}
    rows = load_documented()
    own = settled["statement_id"].isin(drawn.index)
    assert own.sum() == DRAWN * 5
    assert settled.loc[own, "sampling_prob"].tolist() == pytest.approx(
        settled.loc[own, "statement_id"].map(drawn).tolist()
    )
    assert set(settled.loc[~own, "sampling_prob"]) == {1.0}
    given = codings.groupby("coder").size().to_dict()
    assert given["anna"] == given["boris"] == DRAWN * 5
    assert given["adjudicated"] == (len(rows) - UNLABELLED + DRAWN) * 5 - 5 * _never_coded(rows)
    assert trained == set(drawn.index)  # what `stance retrain` learns from beside the corpus


def _never_coded(rows: Any) -> int:
    return sum(row["labels"] is None for row in rows)


def test_the_slips_lower_agreement_on_their_target_only(loop: Path) -> None:
    found = pd.read_csv(loop / "labelling" / "agreement.csv").set_index("target")
    assert (found.drop(index="india")["alpha"] == 1).all()
    assert 0.8 < found.loc["india", "conf_low"] < found.loc["india", "alpha"] < 1
    listed = pd.read_csv(loop / "labelling" / "disagreements.csv", keep_default_na=False)
    assert 4 <= len(listed) <= 26
    assert set(listed["target"]) == {"india"}


def test_the_tables_say_which_labels_and_which_model_made_them(loop: Path) -> None:
    tables = [pd.read_csv(loop / name / "trends.csv") for name in ("before", "after", "anew")]
    labels = [set(table["labels_id"].dropna()) for table in tables]
    models = [set(table["model_id"].dropna()) for table in tables]
    assert len(labels[0]) == len(labels[1]) == 1
    assert labels[0] != labels[1] == labels[2]
    assert models[0] == models[1] != models[2]


def test_the_new_model_has_learned_from_the_coders(loop: Path) -> None:
    current = loop / "models" / json.loads((loop / "models" / "index.json").read_text())["current"]
    manifest = json.loads((current / "manifest.json").read_text())
    assert manifest["training_texts"]["store"] == DRAWN


def test_the_report_is_of_the_new_model_and_counts_the_new_labels(loop: Path) -> None:
    page = (loop / "anew" / "report.html").read_text(encoding="utf-8")
    table = pd.read_csv(loop / "anew" / "trends.csv")
    assert f"Classifier {table['model_id'].dropna().iloc[0]}" in page
    with Store(loop / "s.sqlite") as store:
        dated = {s.statement_id for s in store.statements() if s.date >= "2019-01-01" and s.verified and s.country}
        labelled = set(store.labels_frame()["statement_id"]) & dated
    assert f"All this rests on {len(dated):,} statements, {len(labelled) / len(dated):.0%} of them labelled" in page
    assert len(page.encode()) < 3_000_000
