"""The main job on the bundled corpus: what the exports must show, and that the README's words are true.

These tests compute: they load the bundled statements into a fresh store, tag them with the current model, estimate
and report, all through the command line.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from pipeline.classify.artifact import current_model_id, load_model
from pipeline.cli.app import main
from pipeline.config import load_targets
from pipeline.corpus import load_documented
from pipeline.schema import TEST_COLUMNS, TREND_COLUMNS

ROOT = Path(__file__).parents[1]
CORE = ("india", "taliban_recognition", "central_asian_security")

pytestmark = pytest.mark.skipif(current_model_id() is None, reason="no trained model: run `stance retrain`")


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of exports of one whole run."""
    home = tmp_path_factory.mktemp("job")
    store = str(home / "s.sqlite")
    assert main(["ingest", "corpus", "--store", store]) == 0
    assert main(["classify", "--store", store]) == 0
    assert main(["trends", "--store", store, "--since", "2019-01-01", "--out", str(home / "exports")]) == 0
    assert main(["report", "--store", store, "--out", str(home / "exports")]) == 0
    return home / "exports"


@pytest.fixture(scope="module")
def trends(exports: Path) -> pd.DataFrame:
    return pd.read_csv(exports / "trends.csv")


def yearly(trends: pd.DataFrame, measure: str, target: str, country: str, year: int) -> float:
    """Return the mean of a year's quarters that have data."""
    rows = trends[
        (trends["freq"] == "quarter") & (trends["measure"] == measure) & (trends["target"] == target)
        & (trends["country"] == country) & (trends["status"] != "empty")
        & trends["period_start"].str.startswith(str(year))
    ]  # fmt: skip
    assert len(rows), f"no data for {measure} {target} {country} {year}"
    return float(rows["estimate"].mean())


def test_russia_moves_toward_recognition_from_2021_to_2025(trends: pd.DataFrame) -> None:
    path = [yearly(trends, "position", "taliban_recognition", "RUS", year) for year in (2021, 2023, 2025)]
    assert path[0] < 0.05
    assert path[2] > path[0] + 0.3
    assert path[1] < path[2]


def test_china_stands_below_russia_on_india_in_2021(trends: pd.DataFrame) -> None:
    china, russia = (yearly(trends, "position", "india", country, 2021) for country in ("CHN", "RUS"))
    assert china < 0 < russia - 0.3


def test_both_stand_against_a_us_presence_and_converge_on_it_most(trends: pd.DataFrame) -> None:
    for year in (2021, 2022, 2023, 2024, 2025):
        for country in ("CHN", "RUS"):
            assert yearly(trends, "position", "us_presence", country, year) < -0.4
    # In 2021 most Chinese statements named the withdrawal without judging the presence; from 2022 on the two agree.
    mean = {
        target: sum(yearly(trends, "convergence", target, "CHN-RUS", year) for year in range(2022, 2026)) / 4
        for target in (*CORE, "us_presence")
    }
    assert max(mean, key=lambda target: mean[target]) == "us_presence"
    assert mean["us_presence"] > 0.9


def test_the_tables_have_exactly_the_contract_s_columns_and_legal_values(
    exports: Path, trends: pd.DataFrame
) -> None:
    assert tuple(trends.columns) == TREND_COLUMNS
    assert set(trends["status"]) <= {"ok", "sparse", "empty"}
    assert set(trends["freq"]) == {"month", "quarter"}
    assert set(trends["scope"]) == {"country", "pair", "pooled"}
    empty = trends["status"] == "empty"
    assert trends.loc[empty, ["estimate", "conf_low", "conf_high"]].isna().all(axis=None)
    assert trends.loc[~empty, "estimate"].notna().all()
    known = trends[~empty & trends["conf_low"].notna()]
    slack = 1e-6
    assert (known["conf_low"] <= known["estimate"] + slack).all()
    assert (known["estimate"] <= known["conf_high"] + slack).all()
    tests = pd.read_csv(exports / "tests.csv")
    assert tuple(tests.columns[: len(TEST_COLUMNS)]) == TEST_COLUMNS
    assert set(tests["test"]) == {"trend", "changepoint", "event", "leadlag", "classifier_drift"}
    assert tests["p_value"].dropna().between(0, 1).all()
    events = pd.read_csv(exports / "events.csv")
    assert tuple(events.columns[:3]) == ("event_id", "date", "label")
    assert events["source_url"].str.startswith("http").all()


def month_row(trends: pd.DataFrame, country: str, month: str) -> pd.Series:
    rows = trends[
        (trends["freq"] == "month") & (trends["measure"] == "position") & (trends["country"] == country)
        & (trends["target"] == "taliban_recognition") & (trends["period_start"] == f"{month}-01")
    ]  # fmt: skip
    assert len(rows) == 1
    return rows.iloc[0]


def test_recognition_and_accreditation_appear_as_what_they_are(exports: Path, trends: pd.DataFrame) -> None:
    """Russia recognised the Taliban in July 2025; China took their ambassador's credentials in January 2024."""
    russia, china = month_row(trends, "RUS", "2025-07"), month_row(trends, "CHN", "2024-01")
    for row in (russia, china):
        assert row["status"] != "empty"
        assert row["n_labelled"] >= 1
        assert row["naive_estimate"] > 0
    assert russia["conf_low"] > 0  # recognition is beyond doubt
    assert russia["estimate"] > yearly(trends, "position", "taliban_recognition", "RUS", 2021) + 0.3
    assert 0.05 < china["estimate"] < russia["estimate"]  # accreditation is a step, not recognition
    assert china["estimate"] > yearly(trends, "position", "taliban_recognition", "CHN", 2021)
    tests = pd.read_csv(exports / "tests.csv")
    for event in ("russia-recognition", "karimi-credentials"):
        row = tests[(tests["event_id"] == event) & (tests["target"] == "taliban_recognition")].iloc[0]
        assert row["conf_low"] <= row["effect"] <= row["conf_high"]
        assert 0.05 < row["min_detectable_effect"] < 0.6  # small changes would not have been seen
        assert row["exploratory"]  # the events were registered after the last statement


def test_correction_changes_what_is_counted(trends: pd.DataFrame) -> None:
    rows = trends[(trends["freq"] == "quarter") & (trends["status"] != "empty") & trends["target"].isin(CORE)]
    rows = rows[rows["measure"].isin(["position", "convergence"])]
    assert set(rows["estimator"]) == {"smoothed"}
    assert (rows["estimate"] - rows["naive_estimate"]).abs().mean() > 0.03


def test_influence_names_who_carries_each_result(exports: Path) -> None:
    table = pd.read_csv(exports / "influence.csv")
    whole = table[(table["measure"] == "convergence") & table["influence"].notna()]
    assert set(CORE) <= set(whole["target"])
    assert set(whole["country"]) == {"CHN", "RUS"}
    first = whole.loc[whole["influence"].abs().groupby(whole["target"]).idxmax()].set_index("target")
    assert (first["n_statements"] >= 5).all()  # nobody carries a result with a word or two
    assert ((first["estimate"] - first["without"]).abs() < 0.25).all()  # and none rests on one voice alone
    at = table.loc[table["measure"] == "change_of_convergence", "event_id"]
    assert {"russia-recognition", "karimi-credentials", "kabul-falls"} <= set(at)
    worth = pd.read_csv(exports / "labelling.csv").set_index("target")["narrower_by"]
    assert worth.between(0, 0.5).all()
    assert set(CORE) <= set(worth.index)


def test_pooled_convergence_is_of_the_core_targets_and_hand_labels_count(trends: pd.DataFrame) -> None:
    assert load_targets().pooled == CORE
    labelled = sum(row["labels"] is not None for row in load_documented())
    months = trends[(trends["freq"] == "month") & (trends["measure"] == "salience") & (trends["target"] == "india")]
    assert 0 < months["n_labelled"].sum() <= labelled
    pooled = trends[(trends["measure"] == "pooled_convergence") & (trends["status"] != "empty")]
    assert pooled["target"].eq("ALL").all()
    assert pooled["estimate"].between(0, 1).all()


def test_charts_and_page_are_there_and_reach_out_to_nothing(exports: Path) -> None:
    for target in load_targets().ids:
        assert (exports / "charts" / f"{target}.png").read_bytes()[:4] == b"\x89PNG"
        assert "<svg" in (exports / "charts" / f"{target}.svg").read_text()
    page = (exports / "report.html").read_text()
    assert page.count("<script") == 1
    assert "default-src 'none'; script-src 'sha256-" in page
    assert not re.findall(r"""src\s*=\s*["']""", page)
    assert {link.split(":")[0] for link in re.findall(r'<a [^>]*href="([^#"]*)', page)} <= {"", "http", "https"}
    assert 1_000_000 < len(page.encode()) < 3_000_000
    assert not re.findall(r"url\(\s*['\"]?https?:", page)


def test_a_second_run_writes_the_same_bytes(exports: Path, tmp_path: Path) -> None:
    store = str(exports.parent / "s.sqlite")
    assert main(["trends", "--store", store, "--since", "2019-01-01", "--out", str(tmp_path)]) == 0
    for name in ("trends.csv", "tests.csv", "events.csv"):
        assert (tmp_path / name).read_bytes() == (exports / name).read_bytes()


def test_tags_of_training_texts_in_the_store_are_out_of_fold(exports: Path) -> None:
    """Accuracy on the labelled statements must be the cross-validated one, far from the in-sample one."""
    from pipeline.store import Store

    model = load_model()
    with Store(exports.parent / "s.sqlite") as store:
        tags = store.tags_frame(model.model_id).merge(
            store.labels_frame(), on=["statement_id", "target"], suffixes=("", "_gold")
        )
    tagged = float((tags["stance"] == tags["stance_gold"]).mean())
    coded = [row for row in load_documented() if row["labels"] is not None]
    gold = [[row["labels"][target] for target in model.targets] for row in coded]
    in_sample = float((model.classifier.predict([row["text"] for row in coded]) == gold).mean())
    assert in_sample > 0.97
    assert tagged < in_sample - 0.04


def test_the_readme_s_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert code is not None
    exec(compile(code[1], "README.md", "exec"), {})  # noqa: S102 - our own README
    assert "taliban_recognition" in capsys.readouterr().out


def test_the_readme_s_commands_are_real() -> None:
    """Every make target and every stance command and option that the README shows exists."""
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", readme, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
    shown = re.findall(
        r"stance (annotate \w+|[\w-]+)((?: [^\n|]*)?)",
        "\n".join(re.findall(r"^```\w*\n(.*?)^```", readme, flags=re.DOTALL | re.MULTILINE)),
    )
    assert {name for name, _ in shown} >= {
        "classify",
        "trends",
        "statements",
        "ingest",
        "sources",
        "annotate label",
    }
    for name, rest in shown:
        assert main([*name.split(), "--help"]) == 0
        for option in re.findall(r"(--[a-z-]+)", rest):
            assert option in _help_of(name), f"stance {name} has no {option}"


def _help_of(command: str) -> str:
    import contextlib
    import io

    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        main([*command.split(), "--help"])
    return text.getvalue()


def test_the_readme_s_figures_are_the_current_model_s() -> None:
    """The quality table of the README is what the gate's floors were pinned at, within the gate's margin."""
    import json

    table = re.findall(
        r"^\| (?:\*\*)?(\w+)(?:\*\*)? \|(?: [^|]+\|){2} (?:\*\*)?(\.\d\d)",
        (ROOT / "README.md").read_text(),
        flags=re.MULTILINE,
    )
    assert len(table) == 6
    floors = json.loads((ROOT / "tests" / "gate" / "floors.json").read_text())["macro_f1"]
    for name, figure in table:
        assert float(figure) == pytest.approx(floors[name] + 0.01, abs=0.0151), name


def test_versions_in_the_tree_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"version: {project['version']}" in (ROOT / "CITATION.cff").read_text()
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text()
    constraints = (ROOT / "constraints.txt").read_text()
    assert "://" not in constraints
    pinned = {line.split("==")[0].lower() for line in constraints.splitlines() if "==" in line}
    for requirement in project["dependencies"]:
        assert re.match(r"[A-Za-z0-9_-]+", requirement)[0].lower() in pinned  # type: ignore[index]


def test_contributing_names_every_part_of_the_house() -> None:
    house = (ROOT / "CONTRIBUTING.md").read_text().split("```")[1]
    parts = {p.name for p in (ROOT / "pipeline").iterdir() if not p.name.startswith(("_", "."))}
    assert {p for p in re.findall(r"^  ([\w./ ]+?) {2,}\S", house, flags=re.MULTILINE) for p in p.split()} == {
        f"{part}/" if (ROOT / "pipeline" / part).is_dir() else part for part in parts
    }
