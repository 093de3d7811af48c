"""Who carries a result, and what more labels would be worth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.aggregate import TrendOptions, speaker_influence, value_of_labels
from pipeline.aggregate.influence import INFLUENCE_COLUMNS
from pipeline.aggregate.planning import VALUE_COLUMNS
from tests.test_aggregate_frames import QUICK, events_of, labels_of, make_world, tags_of

EIGHT = tags_of(
    ("2024-01-05", "CHN", "a", "favor"),
    ("2024-01-06", "CHN", "a", "favor"),
    ("2024-01-07", "CHN", "a", "against"),
    ("2024-01-08", "RUS", "a", "against"),
    ("2024-01-09", "RUS", "a", "neutral"),
    ("2024-02-10", "CHN", "a", "neutral"),
    ("2024-02-10", "RUS", "a", "neutral"),
    ("2024-02-11", "CHN", "a", "none"),
    speaker=["w", "w", "x", "y", "z", "x", "", "w"],
)


def row(table: pd.DataFrame, speaker: str, measure: str, target: str) -> pd.Series:
    found = table[(table["speaker"] == speaker) & (table["measure"] == measure) & (table["target"] == target)]
    assert len(found) == 1
    return found.iloc[0]


def test_convergence_without_each_speaker_by_hand() -> None:
    table = speaker_influence(EIGHT, labels_of(), events_of(), QUICK)
    assert tuple(table.columns) == INFLUENCE_COLUMNS
    whole = 1 - abs(1 / 4 + 1 / 3) / 2
    wang = row(table, "w", "convergence", "a")
    assert wang["estimate"] == pytest.approx(whole)
    assert wang["without"] == pytest.approx(1 - abs(-1 / 2 + 1 / 3) / 2)
    assert wang["influence"] == pytest.approx(wang["estimate"] - wang["without"])
    assert (wang["n_statements"], wang["n_addressed"], wang["country"]) == (3, 2, "CHN")
    assert row(table, "y", "convergence", "a")["without"] == pytest.approx(1 - 1 / 8)
    assert row(table, "y", "convergence", "ALL")["without"] == pytest.approx(1 - 1 / 8)
    assert set(table["speaker"]) == {"w", "x", "y", "z"}
    assert table["influence"].abs().is_monotonic_decreasing


def test_a_speaker_who_never_addresses_the_target_has_no_influence() -> None:
    silent = tags_of(("2024-01-05", "CHN", "a", "none"), speaker=["s"]).assign(statement_id="q", doc_id="q")
    found = row(
        speaker_influence(pd.concat([EIGHT, silent]), labels_of(), events_of(), QUICK), "s", "convergence", "a"
    )
    assert (found["n_statements"], found["n_addressed"], found["influence"]) == (1, 0, 0)


def test_change_at_an_event_without_each_speaker() -> None:
    table = speaker_influence(EIGHT, labels_of(), events_of(("e", "2024-02-01")), QUICK)
    found = row(table, "x", "change_of_convergence", "a")
    assert found["event_id"] == "e"
    assert found["estimate"] == pytest.approx((abs(1 / 3 + 1 / 2) - 0) / 2)
    assert np.isnan(found["without"])  # nobody of China is left after the event
    wang = row(table, "w", "change_of_convergence", "a")
    assert wang["without"] == pytest.approx((abs(-1 + 1 / 2) - 0) / 2)


def test_leaving_out_equals_running_without() -> None:
    tags, _, _ = make_world(3)
    one = (tags["statement_id"].str[-1] == "7") & (tags["country"] == "RUS")
    named = tags.assign(speaker=np.where(one, "l", "other"))
    table = speaker_influence(named, labels_of(), events_of(), QUICK)
    rest = speaker_influence(named[~one], labels_of(), events_of(), QUICK)
    for target in ("t0", "t1"):  # not ALL: signs are those of the whole sample
        without = row(table, "l", "convergence", target)["without"]
        again = rest[(rest["target"] == target) & (rest["country"] == "CHN")]["estimate"].iloc[0]
        assert without == pytest.approx(again)


def test_corrected_influence_uses_the_labels() -> None:
    tags, labels, truth = make_world(3)
    named = tags.assign(speaker=tags["country"].map({"CHN": "w", "RUS": "l"}))
    table = speaker_influence(named, labels, events_of(), QUICK)
    gap = truth["position"][0] - truth["position"][1]
    estimate = row(table, "w", "convergence", "t0")["estimate"]
    assert estimate == pytest.approx(1 - abs(gap[0].mean()) / 2, abs=0.1)
    assert table["without"].isna().all()


def test_counts_follow_the_labels_where_there_are_any() -> None:
    tags = tags_of(*[("2024-01-05", c, "a", "none") for c in ("CHN", "RUS")] * 15, speaker=["w", "l"] * 15)
    labels = labels_of(*[(f"s{i}", "a", "favor" if i < 6 else "none", 1.0) for i in range(30)])
    found = row(speaker_influence(tags, labels, events_of(), QUICK), "w", "convergence", "a")
    assert (found["n_statements"], found["n_addressed"]) == (15, 3)
    assert found["estimate"] == pytest.approx(1)


def test_statements_of_third_actors_and_of_nobody_are_no_ones_influence() -> None:
    more = pd.concat([EIGHT, tags_of(("2024-01-05", "SCO", "a", "favor"), speaker=["s"]).assign(statement_id="q")])
    table = speaker_influence(more, labels_of(), events_of(), QUICK)
    assert "s" not in set(table["speaker"])
    plain = speaker_influence(EIGHT, labels_of(), events_of(), QUICK)
    pd.testing.assert_frame_equal(table, plain)


@pytest.mark.parametrize("tags", [EIGHT.iloc[:0], EIGHT.drop(columns="speaker")])
def test_no_speakers_no_rows(tags: pd.DataFrame) -> None:
    table = speaker_influence(tags, labels_of(), events_of(("e", "2024-02-01")), QUICK)
    assert table.empty
    assert tuple(table.columns) == INFLUENCE_COLUMNS


# ---------------------------------------------------------------- value of labels


def test_more_labels_narrow_the_gap_by_no_more_than_all_would() -> None:
    tags, labels, _ = make_world(3)
    tables = [value_of_labels(tags, labels, QUICK, more=n) for n in (0, 100, 400, 100_000)]
    for table in tables:
        assert tuple(table.columns) == VALUE_COLUMNS
        assert table["target"].tolist() == ["t0", "t1"]
    narrowing = np.array([table["narrower_by"] for table in tables])
    np.testing.assert_allclose(narrowing[0], 0, atol=1e-9)
    assert (np.diff(narrowing, axis=0) > 0).all()
    assert (narrowing[-1] < 0.95).all()
    assert (tables[1]["std_error_then"] < tables[1]["std_error"]).all()
    picked = set(labels["statement_id"])
    assert tables[0]["n_labelled"].tolist() == [len(picked)] * 2


def test_promised_standard_errors_come_true() -> None:
    """Labelling twice as many narrows intervals about as much as was said beforehand."""
    said, done = [], []
    for seed in range(6):
        tags, labels, _ = make_world(seed, share=0.2)
        again, twice, _ = make_world(seed, share=0.4)
        assert again.equals(tags)
        promise = value_of_labels(tags, labels, QUICK, more=len(twice) // 2 - len(labels) // 2)
        said.append(promise["narrower_by"].mean())
        now = value_of_labels(again, twice, QUICK, more=0)
        done.append(1 - (now["std_error"] / promise["std_error"]).mean())
    assert np.mean(said) == pytest.approx(np.mean(done), abs=0.1)
    assert np.mean(said) > 0.1


def test_a_corpus_coded_in_full_has_little_to_gain() -> None:
    tags, labels, _ = make_world(3, share=1.0)
    table = value_of_labels(tags, labels, QUICK, more=500)
    assert (table["narrower_by"] < 0.05).all()


@pytest.mark.parametrize("tags", [EIGHT, EIGHT.iloc[:0]])
def test_value_is_blank_without_labels(tags: pd.DataFrame) -> None:
    table = value_of_labels(tags, labels_of(), TrendOptions(draws=20, permutations=19))
    assert table["std_error"].isna().all()
    assert table["narrower_by"].isna().all()
    assert tuple(table.columns) == VALUE_COLUMNS
