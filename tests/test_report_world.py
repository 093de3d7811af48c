"""A small world of trends, tests and events that the report tests share, held to the schema's columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from pipeline.config import Target, Targets
from pipeline.report import ReportInputs
from pipeline.report.inputs import STATEMENTS, TAGS
from pipeline.schema import LABEL_COLUMNS, TEST_COLUMNS, TREND_COLUMNS

PAIR = "CHN-RUS"
FIRST, LAST = "2019Q1", "2025Q3"
CORE = {
    "india": "India's role", "recognition": "Recognition of the Taliban", "security": "Security of Central Asia",
}  # fmt: skip
OTHER = {"coordination": "China-Russia coordination", "presence": "US and NATO presence"}


def make_targets() -> Targets:
    """Three core targets in the pool, one declared, one beside them."""
    words = dict.fromkeys(("proposition", "favor", "against", "neutral", "none"), "words")
    return Targets(
        codebook_version="2",
        target=tuple(
            Target(id=name, label=label, core=name in CORE, pooled=name in CORE,
                   declared=name == "coordination", cues={}, **words)
            for name, label in (CORE | OTHER).items()
        ),
    )  # fmt: skip


def row(period: str, measure: str, **more: Any) -> dict[str, Any]:
    """One row of trends with everything the schema asks for."""
    span = pd.Period(period)
    estimate = more.get("estimate", 0.2)
    scope = {"position": "country", "salience": "country", "convergence": "pair"}.get(measure, "pooled")
    base = dict.fromkeys(TREND_COLUMNS, "") | {
        "schema_version": "1", "run_id": "r1", "period_start": span.start_time.date().isoformat(),
        "period_end": span.end_time.date().isoformat(), "freq": "quarter" if span.freqstr[0] == "Q" else "month",
        "scope": scope, "country": PAIR, "target": "ALL", "measure": measure, "unit": "score",
        "estimate": estimate, "conf_low": estimate - 0.2, "conf_high": estimate + 0.2, "conf_level": 0.95,
        "std_error": 0.1, "estimator": "local_level", "naive_estimate": estimate, "n_statements": 20,
        "n_addressed": 6, "n_eff": 5.0, "n_documents": 12, "n_labelled": 5, "status": "ok", "model_id": "m1",
        "labels_id": "l1",
    }  # fmt: skip
    if more.get("status") == "empty":
        more = {"estimate": np.nan, "conf_low": np.nan, "conf_high": np.nan, "n_addressed": 0} | more
    return base | more


def trend_frame(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """A frame of trends with exactly the schema's columns."""
    return pd.DataFrame(list(rows), columns=list(TREND_COLUMNS))


def _walk(rng: np.random.Generator, n: int, start: float) -> np.ndarray[Any, Any]:
    return np.clip(start + np.cumsum(rng.normal(0, 0.09, n)), -0.9, 0.9)


def _bounded(low: float, value: float, half: float, high: float) -> dict[str, float]:
    return {"estimate": value, "conf_low": max(low, value - half), "conf_high": min(high, value + half)}


def _target_rows(
    rng: np.random.Generator, periods: pd.PeriodIndex, target: str, start: float
) -> list[dict[str, Any]]:
    paths = {"CHN": _walk(rng, len(periods), start), "RUS": _walk(rng, len(periods), -start / 2)}
    answer = []
    for i, period in enumerate(map(str, periods)):
        seen = {}
        for actor, path in paths.items():
            seen[actor] = n = int(rng.poisson(4.0 if target != "recognition" or i > 9 else 0.8))
            common = {"target": target, "country": actor, "n_addressed": n}
            values = {} if n == 0 else _bounded(-1, path[i], 0.8 / (n + 1) ** 0.5, 1)
            answer.append(row(period, "position", status=_status(n), **common, **values))
            answer.append(row(period, "salience", **common, **_bounded(0, n / 30, 0.05, 1)))
        status = _status(min(seen.values()))
        value = 1 - abs(paths["CHN"][i] - paths["RUS"][i]) / 2
        bounds = {} if status == "empty" else _bounded(0, value, 0.15, 1)
        common = {"target": target, "n_addressed": sum(seen.values())}
        answer.append(row(period, "convergence", status=status, **common, **bounds))
    return answer


def _status(n: int) -> str:
    return "empty" if n == 0 else "sparse" if n < 3 else "ok"


def make_trends(first: str = FIRST, last: str = LAST, freq: str = "Q", seed: int = 3) -> pd.DataFrame:
    """Paths of all targets and of the pooled series."""
    rng = np.random.default_rng(seed)
    periods = pd.period_range(first, last, freq=freq)
    rows: list[dict[str, Any]] = []
    for target, start in zip(CORE | OTHER, (0.1, -0.3, 0.2, 0.6, -0.7), strict=True):
        rows += _target_rows(rng, periods, target, start)
    pooled, talk = _walk(rng, len(periods), 0.75), _walk(rng, len(periods), 0.6)
    for i, period in enumerate(map(str, periods)):
        rows.append(row(period, "pooled_convergence", n_addressed=14, **_bounded(0, pooled[i], 0.12, 1)))
        rows.append(row(period, "declared_coordination", n_addressed=5, **_bounded(-1, talk[i], 0.2, 1)))
        rows.append(row(period, "coordination_gap", n_addressed=5, **_bounded(-4, talk[i] - pooled[i], 0.9, 4)))
    return trend_frame(rows)


def test_row(test: str, target: str, **more: Any) -> dict[str, Any]:
    """One row of tests."""
    return dict.fromkeys(TEST_COLUMNS, "") | {
        "test": test, "target": target, "window_start": "2019-01-01", "window_end": "2025-09-30", "statistic": 1.2,
        "effect": 0.08, "unit": "convergence", "conf_low": -0.1, "conf_high": 0.26, "p_value": 0.2,
        "p_adjusted": 0.61, "n_permutations": 999, "min_detectable_effect": 0.31,
    } | more  # fmt: skip


test_row.__test__ = False  # type: ignore[attr-defined]


def make_tests() -> pd.DataFrame:
    """Nothing detected, but for one event test on recognition and one trend on security."""
    rows = []
    for target in ("ALL", *CORE):
        rows += [test_row(name, target) for name in ("trend", "changepoint", "leadlag")]
        rows += [
            test_row("event", target, event_id=event, min_detectable_effect=mde)
            for event, mde in (("kabul-falls", 0.28), ("ukraine-invasion", 0.35))
        ]
    rows.append(test_row("classifier_drift", "ALL", unit="accuracy"))
    frame = pd.DataFrame(rows, columns=list(TEST_COLUMNS))
    found = (frame["test"] == "event") & (frame["target"] == "recognition") & (frame["event_id"] == "kabul-falls")
    values = {"effect": 0.27, "conf_low": 0.11, "conf_high": 0.43, "p_value": 0.003, "p_adjusted": 0.012}
    frame.loc[found, list(values)] = list(values.values())
    return frame  # fmt: skip


def make_events() -> pd.DataFrame:
    """Seven events, three of them within ten weeks, so that numbers would collide."""
    return pd.DataFrame(
        [
            ("kabul-falls", "2021-08-15", "The Taliban take Kabul", "recognition security presence"),
            ("galwan-clash", "2020-06-15", "Deadly clash in the Galwan valley", "india"),
            ("tianjin-baradar", "2021-07-28", "Wang Yi receives Abdul Ghani Baradar in Tianjin", "recognition"),
            ("us-withdrawal", "2021-08-30", "Last US troops leave; UN Security Council resolution 2593 with Russia "
             "and China abstaining, after a debate of the permanent members", "coordination presence"),
            ("dushanbe", "2021-09-17", "SCO summit and joint SCO-CSTO meeting in Dushanbe", "recognition security"),
            ("ukraine-invasion", "2022-02-24", "Russia's full-scale invasion of Ukraine", "security coordination"),
            ("later", "2026-03-01", "An event after the last quarter", "india"),
        ],
        columns=["event_id", "date", "label", "about"],
    ).assign(source_url="https://example.org/source")  # fmt: skip


def make_sources() -> pd.DataFrame:
    """Counts of statements by country and provenance."""
    return pd.DataFrame(
        [("CHN", "paraphrase", 400, 300), ("CHN", "verbatim", 50, 5), ("RUS", "paraphrase", 480, 345),
         ("RUS", "reported", 21, 0)],
        columns=["country", "provenance", "statements", "labelled"],
    )  # fmt: skip


def with_gaps(trends: pd.DataFrame) -> pd.DataFrame:
    """Add the signed gap, the first position minus the second, where both are known."""
    own = trends[trends["measure"] == "position"].pivot_table(
        index=["target", "period_start"], columns="country", values="estimate"
    )
    gaps = (own["CHN"] - own["RUS"]).dropna()
    freq = trends["freq"].iloc[0][0].upper()
    rows = [
        row(str(pd.Period(start, freq=freq)), "gap", target=target, estimate=gap, scope="pair", n_addressed=9)
        for (target, start), gap in gaps.items()  # type: ignore[misc]
    ]
    return pd.concat([trends, trend_frame(rows)], ignore_index=True)


SPEAKERS = {"CHN": ("Lin Wo", "Bo Ya"), "RUS": ("Oleg Tarn", "Vera Sild"), "PAK": ("Asif Mur",)}
"""Invented people."""
_STANCES = ("favor", "neutral", "against", "none")


def make_statement(number: int, **more: Any) -> dict[str, Any]:
    """One invented statement; its number decides country, speaker and day."""
    country = ("CHN", "RUS", "CHN", "RUS", "PAK")[number % 5]
    speaker = SPEAKERS[country][number // 5 % len(SPEAKERS[country])]
    day = dt.date(2019, 2, 1) + dt.timedelta(days=24 * (number % 100))
    return {
        "statement_id": f"x{number:05d}", "doc_id": f"d{number // 2}", "date": day.isoformat(), "date_method": "day",
        "speaker": speaker, "role": "Minister", "country": country, "venue": "A hall", "lang": "en",
        "source": "corpus", "url": f"https://example.org/{number}", "title": "A paper",
        "text": f"At the start {speaker} read a list. Then the speaker said something on number {number}.",
        "provenance": ("paraphrase", "verbatim", "reported")[number % 3], "joint": number % 50 == 7,
    } | more  # fmt: skip


def make_tag(statement: dict[str, Any], target: str, stance: str, **more: Any) -> dict[str, Any]:
    """One tag, with the second sentence as its evidence."""
    text, known = statement["text"], stance != "none"
    rest = dict.fromkeys(_STANCES, 0.1) | {stance: 0.7}
    return {
        "statement_id": statement["statement_id"], "target": target, "stance": stance,
        **{f"p_{name}": value for name, value in rest.items()}, "confidence": 0.7, "abstained": False,
        "evidence_start": text.find("Then") if known else None, "evidence_end": len(text) if known else None,
    } | more  # fmt: skip


def make_evidence(n: int = 120, **more: Any) -> dict[str, pd.DataFrame]:
    """Statements with a tag on every target, and labels on every other one that differ now and then."""
    statements = [make_statement(i, **more) for i in range(n)]
    tags, labels = [], []
    for i, statement in enumerate(statements):
        for k, target in enumerate(CORE | OTHER):
            stance = _STANCES[(i * (k + 2) + i // 7) % 4]
            tags.append(make_tag(statement, target, stance, confidence=0.5 + (i * 7 + k) % 50 / 100))
            if i % 2 == 0:
                gold = stance if i % 6 else _STANCES[(i + k) % 4]
                labels.append((statement["statement_id"], target, gold, 1.0))
    return {
        "statements": pd.DataFrame(statements, columns=list(STATEMENTS)),
        "tags": pd.DataFrame(tags, columns=list(TAGS)),
        "labels": pd.DataFrame(labels, columns=list(LABEL_COLUMNS)),
    }


def make_inputs(**more: Any) -> ReportInputs:
    """Inputs of a whole report; any part can be replaced."""
    base: dict[str, Any] = {
        "trends": make_trends(), "tests": make_tests(), "events": make_events(), "targets": make_targets(),
        "names": {"CHN": "China", "RUS": "Russia"}, "sources": make_sources(), "model_id": "linear-1",
        "made_on": dt.date(2025, 11, 3),
    }  # fmt: skip
    return ReportInputs(**(base | more))


def test_the_world_has_the_columns_of_the_schema() -> None:
    inputs = make_inputs()
    assert tuple(inputs.trends.columns) == TREND_COLUMNS
    assert tuple(inputs.tests.columns) == TEST_COLUMNS


def test_the_world_has_every_status_and_no_estimate_where_it_is_empty() -> None:
    trends = make_trends()
    assert set(trends["status"]) == {"ok", "sparse", "empty"}
    assert trends.loc[trends["status"] == "empty", "estimate"].isna().all()
    assert trends.loc[trends["status"] != "empty", "estimate"].notna().all()
