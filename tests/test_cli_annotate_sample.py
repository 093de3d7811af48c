"""`stance annotate sample`: from the store's tags to a file of statements, and back into the weights of labels."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path

import pytest

from pipeline.cli.annotate_sample import SAMPLE_COLUMNS
from pipeline.cli.app import main
from pipeline.schema import STANCES, Label, Statement, Tag
from pipeline.store import Store
from tests.conftest import write_tiny_corpus

Captured = pytest.CaptureFixture[str]
NOW = dt.datetime(2031, 5, 4, 3, 2, 1, tzinfo=dt.UTC)
PAIR = ["--pair", "ARD,BOR"]


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of 60 statements of two invented countries, tagged by a model m/1."""
    monkeypatch.setenv("STANCE_CORPUS", str(write_tiny_corpus(tmp_path / "corpus")))
    monkeypatch.setenv("STANCE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("STANCE_STORE", str(tmp_path / "s.sqlite"))
    statements = [
        Statement(
            statement_id=f"x{n:02d}", doc_id=f"d{n // 2}", date=f"2030-{n // 10 + 1:02d}-03", speaker="Anna Vell",
            country=("ARD", "BOR")[n % 2], lang="en", source="courier", text=f"The harbour, {n} times.",
        )
        for n in range(60)
    ]  # fmt: skip
    tags = [
        Tag(
            target="harbour", stance=STANCES[n % 4 if n < 40 else 3], probabilities=(0.25,) * 4, abstained=False,
            model_id="m/1",
        )
        for n in range(60)
    ]  # fmt: skip
    with Store(tmp_path / "s.sqlite") as store:
        store.add_statements(statements)
        store.add_tags(
            ((s, [t]) for s, t in zip(statements, tags, strict=True)), command="classify", model_id="m/1",
            codebook_version="t1", now=NOW,
        )  # fmt: skip


def sample(*options: str) -> int:
    return main(["annotate", "sample", "--model", "m/1", *PAIR, *options])


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_sample_is_written_and_recorded(tmp_path: Path, capfd: Captured) -> None:
    assert sample("--n", "20", "--out", str(tmp_path / "a.csv")) == 0
    said = capfd.readouterr().err
    assert said.startswith("round 1: 20 statements drawn; ARD: addressed ")
    assert "a.csv" in said
    rows = rows_of(tmp_path / "a.csv")
    assert tuple(rows[0]) == SAMPLE_COLUMNS
    assert len({row["statement_id"] for row in rows}) == 20
    assert {row["round"] for row in rows} == {"1"}
    assert not {"stance", "p_favor"} & set(rows[0])  # a coder does not see what the model thinks
    assert all(row["text"].startswith("The harbour") for row in rows)
    with Store(tmp_path / "s.sqlite") as store:
        frame = store.sampling_frame()
    assert len(frame) == 60
    stored = frame[frame["drawn"] == 1].set_index("statement_id")["prob"]
    for row in rows:
        assert float(row["sampling_prob"]) == pytest.approx(stored[row["statement_id"]], abs=1e-6)


def test_rounds_do_not_repeat_and_chances_grow(tmp_path: Path, capfd: Captured) -> None:
    drawn: list[set[str]] = []
    for number in (1, 2, 3):
        path = tmp_path / f"{number}.csv"
        assert sample("--n", "25", "--out", str(path)) == 0
        rows = rows_of(path)
        assert {row["round"] for row in rows} == {str(number)}
        drawn.append({row["statement_id"] for row in rows})
    assert [len(one) for one in drawn] == [25, 25, 10]
    assert len(set.union(*drawn)) == 60
    assert "(25 were asked for, no more are left)" in capfd.readouterr().err
    assert all(float(row["sampling_prob"]) == pytest.approx(1) for row in rows)
    assert sample("--n", "1") == 2
    assert "no statement of the pair is left to draw" in capfd.readouterr().err


def test_labels_of_every_round_get_the_weight_of_all(tmp_path: Path) -> None:
    """A label of round 1 counts less once round 2 is labelled: more statements stand beside it."""
    seen = []
    with Store(tmp_path / "s.sqlite") as store:
        for number in (1, 2):
            path = tmp_path / f"{number}.csv"
            assert sample("--n", "20", "--seed", "3", "--out", str(path)) == 0
            store.add_labels(
                [
                    Label(
                        statement_id=row["statement_id"], target="harbour", stance="favor",
                        sampling_prob=float(row["sampling_prob"]),
                    )
                    for row in rows_of(path)
                ],
                coder="adjudicated", codebook_version="t1",
            )  # fmt: skip
            seen.append(store.labels_frame().set_index("statement_id")["sampling_prob"])
    first, both = seen
    assert (both[first.index] > first).all()
    assert len(both) == 40
    assert (1 / both).sum() == pytest.approx(60, rel=0.2)


def test_equal_seeds_draw_equally(tmp_path: Path) -> None:
    content = []
    for folder in ("one", "two"):
        path = tmp_path / folder
        path.mkdir()
        (path / "s.sqlite").write_bytes((tmp_path / "s.sqlite").read_bytes())
        assert (
            sample("--n", "9", "--seed", "5", "--out", str(path / "a.csv"), "--store", str(path / "s.sqlite")) == 0
        )
        content.append((path / "a.csv").read_bytes())
    assert content[0] == content[1]


def test_json_lines_and_standard_output(tmp_path: Path, capfd: Captured) -> None:
    assert sample("--n", "3", "--out", str(tmp_path / "a.jsonl")) == 0
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [set(line) for line in lines] == [set(SAMPLE_COLUMNS)] * 3
    capfd.readouterr()
    assert sample("--n", "3") == 0
    assert capfd.readouterr().out.splitlines()[0] == ",".join(SAMPLE_COLUMNS)


def test_a_sample_that_cannot_be_written_is_not_recorded(tmp_path: Path, capfd: Captured) -> None:
    (tmp_path / "file").write_text("")
    assert sample("--out", str(tmp_path / "file" / "a.csv")) == 1
    assert "cannot write" in capfd.readouterr().err
    assert sample("--out", str(tmp_path / "a.parquet")) == 2
    with Store(tmp_path / "s.sqlite") as store:
        assert store.sampling_frame().empty


@pytest.mark.parametrize(("options", "message"), [
    (["--pair", "ARD"], "--pair ARD: name two different actors"),
    (["--pair", "CHN,RUS"], "none in this range is classified and dated"),
    (["--since", "2040-01-01"], "none in this range is classified and dated"),
    (["--since", "x"], "--since x: not a date"),
    (["--n", "0"], "--n"),
    (["--model", "m/2"], "is tagged by m/2: `stance classify` comes first"),
])  # fmt: skip
def test_wrong_use_is_one_line(options: list[str], message: str, capfd: Captured) -> None:
    assert main(["annotate", "sample", "--model", "m/1", *PAIR, *options]) == 2
    error = capfd.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1


def test_no_model_no_sample(capfd: Captured) -> None:
    assert main(["annotate", "sample"]) == 2
    assert "no trained model yet" in capfd.readouterr().err
