"""`stance report`: the page shows what `stance trends` counted, no more, and says what was chosen."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from pipeline.cli import report as report_module
from pipeline.cli import selection
from pipeline.cli.app import main
from pipeline.config import load_targets
from pipeline.schema import Label, Statement, Tag
from pipeline.store import Store

MODEL = "tests/1"
NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
SPEAKERS = {"CHN": ("Lin Wo", "Bo Ya"), "RUS": ("Oleg Tarn", "Vera Sild")}


def made(number: int) -> Statement:
    """Return one invented statement; every tenth is signed by both sides, every eleventh not borne out."""
    country = ("CHN", "RUS")[number % 2]
    day = dt.date(2022, 1, 5) + dt.timedelta(days=7 * (number // 2))
    return Statement(
        statement_id=f"x{number:03d}", doc_id=f"d{number}", date=day.isoformat(), date_method="day",
        speaker=SPEAKERS[country][number // 2 % 2], role="Minister", country=country, lang="en", source="here",
        url=f"https://example.org/{number}", text=f"They named harbour {number}.", provenance="paraphrase",
        joint=number % 10 == 0, verified=number % 11 != 0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 80 tagged and labelled statements of 2022."""
    path = tmp_path_factory.mktemp("told") / "s.sqlite"
    statements, targets = [made(i) for i in range(80)], load_targets().ids
    stances = ("favor", "neutral", "against", "none")

    def tags(number: int) -> list[Tag]:
        return [
            Tag(target=target, stance=stances[(number // 2 + k) % 4], probabilities=(0.25,) * 4, abstained=False,
                model_id=MODEL, confidence=0.6)
            for k, target in enumerate(targets)
        ]  # fmt: skip

    with Store(path) as opened:
        opened.add_statements(statements)
        opened.add_tags(
            [(one, tags(i)) for i, one in enumerate(statements)], command="x", model_id=MODEL, codebook_version="3",
            now=NOW,
        )  # fmt: skip
        labels = [Label(statement_id=one.statement_id, target=t.target, stance=t.stance)
                  for i, one in enumerate(statements) for t in tags(i)]  # fmt: skip
        opened.add_labels(labels, coder="adjudicated", codebook_version="3", now=NOW)
    return path


def estimate(store: Path, out: Path, *options: str) -> None:
    chosen = ["--model", MODEL, "--freq", "quarter", "--targets", "india,coordination", *options]
    assert main(["trends", "--store", str(store), "--out", str(out), *chosen]) == 0


def draw(store: Path, out: Path) -> str:
    assert main(["report", "--store", str(store), "--out", str(out)]) == 0
    return (out / "report.html").read_text(encoding="utf-8")


def held(store: Path, out: Path) -> dict[str, pd.DataFrame]:
    """Return what a report would be made from."""
    return report_module._held(store, MODEL, selection.recalled(out))


def on_page(text: str) -> set[int]:
    """Return the numbers of the statements that a page holds."""
    return {int(n) for n in re.findall(r"They named harbour (\d+)\.", text)}


def numbers(found: dict[str, pd.DataFrame]) -> set[int]:
    return {int(name[1:]) for name in found["statements"]["statement_id"]}


def test_a_page_of_everything_leaves_out_only_what_no_figure_counts(store: Path, tmp_path: Path) -> None:
    estimate(store, tmp_path)
    text = draw(store, tmp_path)
    assert on_page(text) == numbers(held(store, tmp_path)) == {i for i in range(80) if i % 11}
    assert "<b>Not all statements:</b> targets india, coordination.</p>" in text
    assert "All this rests on 72 statements, 100% of them labelled" in text
    assert "All 72 statements of these years are here." in text
    assert len((tmp_path / "statements.csv").read_text(encoding="utf-8").splitlines()) > 1
    items = re.findall(r'<li class="s".*?(?=<li class="s"|</ol>)', text, re.DOTALL)
    joint = [item for item in items if "· joint text" in item]
    assert len(joint) == 7  # 10, 20, ... 70; 0 is not borne out
    keys = [found[1] for item in joint if (found := re.search(r'data-k="(\d)[^"]*"', item))]
    assert set(keys) == {"1"}  # of the two targets, the declared one


def test_a_page_of_a_choice_shows_the_choice_and_says_so(store: Path, tmp_path: Path) -> None:
    estimate(store, tmp_path, "--speaker", "Lin Wo", "--speaker", "Oleg Tarn", "--joint", "out")
    text = draw(store, tmp_path)
    assert on_page(text) == {i for i in range(80) if i % 11 and i // 2 % 2 == 0 and i % 10}
    assert "speakers Lin Wo, Oleg Tarn; targets india, coordination; texts signed by both are left out." in text
    assert f"All this rests on {len(on_page(text))} statements" in text


def test_unverified_statements_are_shown_where_they_were_counted(store: Path, tmp_path: Path) -> None:
    estimate(store, tmp_path, "--include-unverified")
    found = held(store, tmp_path)
    assert numbers(found) == set(range(80))
    assert set(found["labels"]["statement_id"]) == set(found["statements"]["statement_id"])
    assert found["sources"]["statements"].sum() == 80


def test_labels_of_what_was_not_chosen_are_left_out(store: Path, tmp_path: Path) -> None:
    estimate(store, tmp_path, "--until", "2022-06-30")
    found = held(store, tmp_path)
    assert 0 < len(found["statements"]) < 72
    assert set(found["labels"]["statement_id"]) == set(found["statements"]["statement_id"])
    assert found["statements"]["date"].max() <= "2022-06-30"
    assert found["sources"][["statements", "labelled"]].sum().tolist() == [len(found["statements"])] * 2


def test_figures_of_other_files_are_not_given_the_stores_statements(store: Path, tmp_path: Path) -> None:
    estimate(store, tmp_path)
    path = tmp_path / "datapackage.json"
    noted = json.loads(path.read_text())
    assert noted["selection"]["statements"] == "store"
    noted["selection"]["statements"] = "files"
    path.write_text(json.dumps(noted))
    found = held(store, tmp_path)
    assert set(found) == {"sources"}
    assert found["sources"].empty


def test_tables_of_an_earlier_version_are_reported_with_everything(store: Path, tmp_path: Path) -> None:
    estimate(store, tmp_path)
    (tmp_path / "datapackage.json").unlink()
    assert numbers(held(store, tmp_path)) == {i for i in range(80) if i % 11}
