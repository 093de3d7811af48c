"""`stance trends` on files: what it writes and says, who is chosen, and everything a file can have wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.aggregate.influence import INFLUENCE_COLUMNS
from pipeline.aggregate.inputs import chosen
from pipeline.aggregate.planning import VALUE_COLUMNS
from pipeline.cli import selection
from pipeline.cli.app import main
from pipeline.config import load_actors
from pipeline.schema import EVENT_COLUMNS, TEST_COLUMNS, TREND_COLUMNS
from tests.test_aggregate_frames import make_world

Captured = pytest.CaptureFixture[str]
Run = Callable[..., int]
FILES = ("trends", "tests", "events", "influence", "labelling")
NUMBERS = ["estimate", "conf_low", "conf_high", "std_error"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of a small world in which A. Vell and Osk Brandt, known to the bundled actors or not, say all."""
    folder = tmp_path_factory.mktemp("world")
    tags, labels, _ = make_world(3, months=12, change_at=6, volume=8.0)
    number = tags["statement_id"].str[-1].astype(int)
    chance = dict.fromkeys(("p_favor", "p_neutral", "p_against", "p_none"), 0.25)
    tags = tags.assign(
        speaker=np.where(number < 6, "Ann " + tags["country"], "Bob " + tags["country"]),
        source=np.where(number % 2, "odd", "even"), provenance=np.where(number < 3, "verbatim", "paraphrase"),
        joint=number == 0, **chance,
    )  # fmt: skip
    tags.to_csv(folder / "tags.csv", index=False)
    labels.to_csv(folder / "labels.csv", index=False)
    (folder / "events.csv").write_text(
        "event_id,date,label,registered_on,note\nbefore,2020-07-01,B,2020-06-01,x\nafter,2020-05-01,A,2031-01-01,y\n"
    )
    return folder


@pytest.fixture
def run(world: Path, tmp_path: Path) -> Run:
    def go(*options: str, **replaced: Path) -> int:
        given = {name: replaced.get(name, world / f"{name}.csv") for name in ("tags", "labels", "events")}
        paths = [part for name, path in given.items() for part in (f"--{name}", str(path))]
        return main(["trends", *paths, "--freq", "quarter", "--out", str(tmp_path / "out"), *options])

    return go


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "out" / f"{name}.csv")


def test_five_tables_and_what_they_say_in_words(run: Run, tmp_path: Path, capfd: Captured) -> None:
    assert run() == 0
    said = capfd.readouterr()
    columns = {
        "trends": TREND_COLUMNS, "tests": TEST_COLUMNS, "events": EVENT_COLUMNS, "influence": INFLUENCE_COLUMNS,
        "labelling": VALUE_COLUMNS,
    }  # fmt: skip
    for name in FILES:
        assert tuple(table(tmp_path, name).columns[: len(columns[name])]) == columns[name]
        assert f"{name}.csv" in said.err
    worth = table(tmp_path, "labelling").set_index("target")["narrower_by"]
    assert f"t0 {worth['t0']:.0%}" in said.err
    assert "100 further labels would narrow the gap's interval by: " in said.err
    carried = table(tmp_path, "influence")
    carried = carried[(carried["measure"] == "convergence") & (carried["target"] == "t1")]
    first = carried.loc[carried["influence"].abs().idxmax()]
    assert any(
        text.split() == ["t1", *f"{first['speaker']} ({first['country']})".split(),
                         f"{first['estimate']:.2f}", f"{first['without']:.2f}"]
        for text in said.out.splitlines()
    )  # fmt: skip
    assert "UNCORRECTED" not in said.err
    assert "t0" in said.out


def test_events_registered_after_the_last_statement_are_exploratory(run: Run, tmp_path: Path) -> None:
    assert run() == 0
    events = table(tmp_path, "events").set_index("event_id")
    assert events["exploratory"].to_dict() == {"after": True, "before": False}
    assert events["note"].to_dict() == {"after": "y", "before": "x"}
    tests = table(tmp_path, "tests")
    assert tests[tests["test"] == "event"].groupby("event_id")["exploratory"].all().to_dict() == {
        "after": True, "before": False,
    }  # fmt: skip
    assert run("--data-seen-on", "2032-01-01") == 0
    assert not table(tmp_path, "events")["exploratory"].any()


def test_equal_seeds_give_equal_bytes(run: Run, tmp_path: Path) -> None:
    seen = []
    for seed in ("4", "4", "5"):
        assert run("--seed", seed) == 0
        seen.append([(tmp_path / "out" / f"{name}.csv").read_bytes() for name in FILES])
    assert seen[0] == seen[1]
    assert seen[0][0] != seen[2][0]


@pytest.mark.parametrize(("options", "share"), [
    (("--speaker", "ann chn", "--speaker", "Bob RUS"), 0.5),
    (("--source", "odd"), 0.5),
    (("--provenance", "verbatim"), 0.3),
    (("--joint", "out"), 0.9),
    (("--joint", "in"), 1.0),
    (("--joint", "declared"), 0.9),
])  # fmt: skip
def test_choices_reach_the_estimate(options: tuple[str, ...], share: float, run: Run, tmp_path: Path) -> None:
    assert run("--joint", "in") == 0
    everything = salience_rows(tmp_path)["n_statements"].sum()
    assert run("--joint", "in", *options) == 0
    assert salience_rows(tmp_path)["n_statements"].sum() == pytest.approx(share * everything, rel=0.15)


def salience_rows(folder: Path) -> pd.DataFrame:
    rows = table(folder, "trends")
    return rows[rows["measure"] == "salience"]


def test_targets_pair_and_range(run: Run, tmp_path: Path) -> None:
    assert run("--targets", "t1", "--pair", "RUS,CHN", "--since", "2020-04-01", "--until", "2020-09-30") == 0
    rows = table(tmp_path, "trends")
    assert set(rows["target"]) == {"t1", "ALL"}
    assert set(rows.loc[rows["scope"] == "pair", "country"]) == {"RUS-CHN"}
    assert set(rows["period_start"]) == {"2020-04-01", "2020-07-01"}


@pytest.mark.parametrize(("options", "message"), [
    (("--speaker", "Nobody"), "no statement has speaker 'Nobody'; in the tags are"),
    (("--source", "oddd"), "no statement has source 'oddd'; in the tags are odd"),
    (("--provenance", "rumour"), "no statement has provenance 'rumour'"),
    (("--joint", "perhaps"), "joint 'perhaps': choose among declared, in, out"),
    (("--targets", "t9"), "unknown target: t9. In the tags: t0, t1."),
    (("--pair", "CHN"), "--pair CHN: name two different actors"),
    (("--pair", "CHN,CHN"), "name two different actors"),
    (("--freq", "week"), "--freq week: accepted are month and quarter"),
    (("--since", "2020-13-01"), "--since 2020-13-01: not a date"),
    (("--data-seen-on", "soon"), "--data-seen-on soon: not a date"),
    (("--since", "2021-01-01", "--until", "2020-01-01"), "is after --until"),
])  # fmt: skip
def test_wrong_use_is_one_line_and_leaves_no_file(
    options: tuple[str, ...], message: str, run: Run, tmp_path: Path, capfd: Captured
) -> None:
    assert run(*options) == 2
    error = capfd.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- bad input


def changed(world: Path, tmp_path: Path, name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
    path = tmp_path / f"{name}-changed.csv"
    change(pd.read_csv(world / f"{name}.csv", dtype=object)).to_csv(path, index=False)
    return path


def with_first(column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(**{column: [value, *frame[column].iloc[1:]]})

    return change


def probability(value: str | None, message: str) -> tuple[str, Callable[[pd.DataFrame], pd.DataFrame], str]:
    return "labels", with_first("sampling_prob", value), message


BAD = {
    "labels for unknown ids": ("labels", with_first("statement_id", "ghost"), "no tag, first statement 'ghost'"),
    "probability 0": probability("0", r"sampling_prob '0\.0' of statement 's\d+' must be above 0 and at most 1"),
    "negative": probability("-0.5", r"sampling_prob '-0\.5' .* must be above 0"),
    "above 1": probability("1.01", r"sampling_prob '1\.01' .* must be above 0"),
    "no number": probability("often", "sampling_prob 'often' .* must be above 0"),
    "missing": probability(None, "sampling_prob 'nan' .* must be above 0"),
    "labelled twice": ("labels", lambda f: pd.concat([f, f.head(1)]), "is labelled twice on"),
    "stance of a label": ("labels", with_first("stance", "for"), "labels: unknown stance 'for'"),
    "stance of a tag": ("tags", with_first("stance", "for"), "tags: unknown stance 'for'"),
    "duplicate tags": ("tags", lambda f: pd.concat([f, f.head(1)]), "has two tags for target 't0'"),
    "two models": ("tags", lambda f: f.assign(model_id=["m1", *["m2"] * (len(f) - 1)]), "models m1, m2 are mixed"),
    "no such day": ("tags", with_first("date", "2020-02-31"), "tags, row 1: date '2020-02-31' is not ISO"),
    "another order": ("tags", with_first("date", "1.2.2020"), r"tags, row 1: date '1\.2\.2020' is not ISO"),
    "column": ("tags", lambda f: f.drop(columns="country"), "country"),
    "event's date": ("events", with_first("date", "2020-7-1"), "date"),
    "event twice": ("events", lambda f: pd.concat([f, f.head(1)]), "event given twice: before"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_named_in_one_line(what: str, world: Path, run: Run, tmp_path: Path, capfd: Captured) -> None:
    name, change, message = BAD[what]
    assert run(**{name: changed(world, tmp_path, name, change)}) == 2
    error = capfd.readouterr().err
    assert len(error.strip().splitlines()) == 1
    assert re.search(message, error), error
    assert not (tmp_path / "out").exists()


def numbers_only_where_said(folder: Path) -> pd.DataFrame:
    """Check that no empty row carries a number and no other lacks one; return the rows."""
    rows = table(folder, "trends")
    empty = rows["status"] == "empty"
    assert rows.loc[empty, NUMBERS].isna().all(axis=None)
    assert rows.loc[~empty, "estimate"].notna().all()
    assert not rows.loc[~empty, NUMBERS[:3]].isin([np.inf, -np.inf]).any(axis=None)
    return rows


POOR: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "no statements for a country": lambda f: f[f["country"] == "CHN"],
    "one statement": lambda f: f.head(1),
    "all none": lambda f: f.assign(stance="none"),
    "no tags": lambda f: f.head(0),
    "no dates": lambda f: f.assign(date=None),
    "one month": lambda f: f[f["date"].str[:7] == "2020-03"],
}


@pytest.mark.parametrize("what", POOR)
def test_poor_input_gives_clear_rows(
    what: str, world: Path, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    poor = changed(world, tmp_path, "tags", POOR[what])
    none = changed(world, tmp_path, "labels", lambda f: f.head(0))
    assert run(tags=poor, labels=none) == 0
    rows = numbers_only_where_said(tmp_path)
    pair = rows[rows["scope"] == "pair"]
    if what != "one month":
        assert (pair["status"] == "empty").all()
        assert table(tmp_path, "tests")["p_value"].isna().all()
    if len(rows):
        assert set(rows["estimator"]) == {"uncorrected"}
    if what in {"no statements for a country", "one statement"}:
        assert re.search("no statement of (CHN and )?RUS is among those chosen", caplog.text)
    if what == "no dates":
        assert "tags have no date or no country and are left out" in caplog.text


def test_no_labels_is_said_loudly(world: Path, run: Run, tmp_path: Path, capfd: Captured) -> None:
    none = changed(world, tmp_path, "labels", lambda f: f.head(0))
    assert run(labels=none) == 0
    assert "UNCORRECTED: there are too few labels" in capfd.readouterr().err
    rows = numbers_only_where_said(tmp_path)
    assert set(rows["estimator"]) == {"uncorrected"}
    known = rows[(rows["status"] != "empty") & (rows["measure"] == "position")]
    np.testing.assert_allclose(known["estimate"], known["naive_estimate"], atol=0.02)
    assert set(table(tmp_path, "tests")["estimator"]) <= {"uncorrected", "labelled halves"}
    assert table(tmp_path, "labelling")["narrower_by"].isna().all()


def test_dates_out_of_range_are_left_out(run: Run, tmp_path: Path) -> None:
    assert run("--since", "2040-01-01", "--until", "2040-06-30") == 0
    rows = numbers_only_where_said(tmp_path)
    assert (rows["status"] == "empty").all()
    assert rows["period_start"].min() == "2040-01-01"


def test_an_absent_actor_gives_empty_rows_and_a_warning(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert run("--pair", "CHN,UZB") == 0
    rows = numbers_only_where_said(tmp_path)
    assert (rows.loc[rows["scope"] != "country", "status"] == "empty").all()
    assert table(tmp_path, "tests")[["effect", "p_value"]].isna().all(axis=None)
    assert "no statement of UZB is among those chosen" in caplog.text


# ---------------------------------------------------------------- choosing


def test_speakers_are_found_under_any_spelling_that_the_tags_use() -> None:
    known = load_actors().named("Wang Yi")[0]
    other = next(s for s in known.spellings if s != "Wang Yi")
    tags = pd.DataFrame({"speaker": [other, "Somebody", None], "date": ["2024-01-01"] * 3})
    assert selection.spellings(["wang yi", "Somebody"], tags) == (other, "Somebody")
    assert selection.spellings(["Wang Yi"], tags.assign(speaker=["Wang Yi", other, other])) == tuple(
        sorted({"Wang Yi", other})
    )
    assert selection.spellings(["Nobody", "Nobody"], tags) == ("Nobody",)  # the analysis will name it
    assert selection.spellings(None, tags) is None
    assert selection.spellings(["Somebody"], tags.drop(columns="speaker")) == ("Somebody",)


@pytest.mark.parametrize(("dates", "asked", "day"), [
    (["2024-01-01", "2024-03-05", None, ""], None, "2024-03-05"),
    (["2024-01-01", "tomorrow"], None, "2024-01-01"),
    ([None, None], None, None), ([], None, None), (["2024-13-41"], None, None),
    (["2024-01-01"], "2020-02-02", "2020-02-02"),
])  # fmt: skip
def test_the_data_were_seen_when_the_last_statement_was_made(
    dates: list[str | None], asked: str | None, day: str | None
) -> None:
    found = selection.seen_on(asked, pd.DataFrame({"date": pd.Series(dates, dtype=object)}))
    assert (found.isoformat() if found else None) == day


def test_a_folder_of_tags_gives_the_trends_of_one_file(run: Run, world: Path, tmp_path: Path) -> None:
    tags = pd.read_csv(world / "tags.csv", keep_default_na=False, dtype={"statement_id": str, "doc_id": str})
    (tmp_path / "folder").mkdir()
    for number in range(3):
        tags.iloc[number::3].to_parquet(tmp_path / "folder" / f"part-{number}.parquet")
    tables = []
    for given in (world / "tags.csv", tmp_path / "folder"):
        assert run("--speaker", "Ann CHN", "--speaker", "Bob RUS", "--source", "odd", tags=given) == 0
        tables.append({name: table(tmp_path, name) for name in FILES})
    for name in FILES:
        pd.testing.assert_frame_equal(tables[0][name], tables[1][name], rtol=1e-5)
    assert tables[0]["trends"]["n_statements"].sum() > 0


def noted(folder: Path) -> dict[str, Any]:
    held: dict[str, Any] = json.loads((folder / "out" / "datapackage.json").read_text())["selection"]
    return held


def test_the_choice_is_noted_beside_the_tables(run: Run, tmp_path: Path) -> None:
    assert run("--speaker", "ann chn", "--joint", "out", "--since", "2020-02-01") == 0
    assert noted(tmp_path) == {
        "statements": "files", "pair": ["CHN", "RUS"], "since": "2020-02-01", "until": None, "targets": None,
        "speakers": ["Ann CHN"], "sources": None, "provenances": None, "joint": "out", "declared": ["coordination"],
        "include_unverified": False,
    }  # fmt: skip


@pytest.mark.parametrize(("options", "text"), [
    ((), ""),
    (("--since", "2020-02-01"), ""),
    (("--speaker", "ann chn", "--speaker", "bob rus"), "speakers Ann CHN, Bob RUS"),
    (("--source", "odd", "--until", "2020-09-30"), "sources odd; until 2020-09-30"),
    (("--provenance", "verbatim", "--joint", "out"), "provenance verbatim; texts signed by both are left out"),
    (("--targets", "t1", "--joint", "in"), "targets t1; texts signed by both count everywhere"),
])  # fmt: skip
def test_a_choice_in_words(options: tuple[str, ...], text: str, run: Run, tmp_path: Path) -> None:
    assert run(*options) == 0
    assert selection.in_words(selection.recalled(tmp_path / "out")) == text
    assert selection.in_words({"include_unverified": True}) == "statements that no page bears out included"


def test_a_noted_choice_chooses_the_same_again(run: Run, world: Path, tmp_path: Path) -> None:
    tags = pd.read_csv(world / "tags.csv")
    assert run("--source", "odd", "--provenance", "verbatim", "--since", "2020-03-01", "--targets", "t0") == 0
    keep = chosen(tags, selection.options_of(selection.recalled(tmp_path / "out")))
    wanted = (
        (tags["source"] == "odd") & (tags["provenance"] == "verbatim") & (tags["date"] >= "2020-03-01")
        & (tags["target"] == "t0") & ~tags["joint"]
    )  # fmt: skip
    assert keep.tolist() == wanted.tolist()
    assert 0 < keep.sum() < len(keep)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"selection": 3}', "{}"])
def test_what_was_not_noted_is_no_choice(content: str, tmp_path: Path) -> None:
    (tmp_path / "datapackage.json").write_text(content)
    assert selection.recalled(tmp_path) == {}
    assert selection.recalled(tmp_path / "nowhere") == {}
