"""Any pair, any subset of speakers, sources, provenance; joint statements in or out."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.aggregate import TrendOptions, Trends, estimate_trends
from pipeline.aggregate.inputs import Observations, observe
from pipeline.errors import DataError, UsageError
from tests.test_aggregate_frames import QUICK, events_of, labels_of, make_world, tags_of

TAGS = tags_of(
    ("2024-01-05", "CHN", "a", "favor"),
    ("2024-01-06", "CHN", "a", "against"),
    ("2024-01-07", "RUS", "a", "neutral"),
    ("2024-02-08", "RUS", "b", "favor"),
    ("2024-02-09", "IND", "a", "against"),
    speaker=["W. Ang", "X. Ia", "L. Avr", " l. avr ", None],
    source=["one", "two", "one", "two", "one"],
    provenance=["verbatim", "paraphrase", "verbatim", "verbatim", "reported"],
    joint=[False, False, False, True, False],
)


def seen_with(tags: pd.DataFrame = TAGS, **choice: object) -> Observations:
    return observe(tags, labels_of(), replace(QUICK, declared=("b",), **choice))  # type: ignore[arg-type]


def kept(**choice: object) -> int:
    return int(seen_with(**choice).country.size)


@pytest.mark.parametrize(("choice", "count"), [
    ({}, 5),
    ({"speakers": ("W. Ang", "L. Avr")}, 3),
    ({"speakers": ("w. ang ",)}, 1),
    ({"sources": ("one",)}, 3),
    ({"provenances": ("verbatim",)}, 3),
    ({"provenances": ("verbatim", "REPORTED")}, 4),
    ({"provenances": ("verbatim",), "sources": ("two",)}, 1),
    ({"speakers": ("L. Avr",), "targets": ("a",)}, 1),
    ({"joint": "out"}, 4),
    ({"joint": "in"}, 5),
    ({"joint": "out", "speakers": ("L. Avr",)}, 1),
])  # fmt: skip
def test_choices_combine(choice: dict[str, object], count: int) -> None:
    assert kept(**choice) == count


def test_joint_statements_reach_revealed_targets_only_when_asked_in() -> None:
    joint = TAGS.assign(joint=True)
    assert seen_with(joint).country.size == 1  # the declared target
    assert seen_with(joint, joint="in").country.size == 5
    assert seen_with(joint, joint="out").country.size == 0


def test_an_unknown_choice_is_an_error_that_names_what_there_is() -> None:
    with pytest.raises(DataError, match=r"no statement has speaker 'L\. Avro'; in the tags are L\. Avr"):
        seen_with(speakers=("W. Ang", "L. Avro"))
    with pytest.raises(DataError, match=r"no statement has source 'three'; in the tags are one, two"):
        seen_with(sources=("three",))
    with pytest.raises(DataError, match="no column provenance"):
        seen_with(TAGS.drop(columns="provenance"), provenances=("verbatim",))
    with pytest.raises(DataError, match="no statement has speaker 'x'"):
        seen_with(TAGS.iloc[:0], speakers=("x",))


def test_a_long_list_of_names_is_cut_short() -> None:
    tags = tags_of(*[("2024-01-01", "CHN", "a", "favor")] * 30, speaker=[f"Q{i:02d}" for i in range(30)])
    with pytest.raises(DataError, match=r"Q07, \.\.\.\.$"):
        seen_with(tags, speakers=("Zzz",))


@pytest.mark.parametrize(("options", "message"), [
    ({"joint": "maybe"}, "joint 'maybe': choose among declared, in, out"),
    ({"speakers": ()}, "speakers is an empty choice"),
    ({"sources": ()}, "sources is an empty choice"),
    ({"provenances": ()}, "provenances is an empty choice"),
    ({"targets": ()}, "targets is an empty choice"),
])  # fmt: skip
def test_bad_choices(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TrendOptions(**options)  # type: ignore[arg-type]


def test_an_actor_of_the_pair_who_is_silent_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        seen_with(pair=("CHN", "UZB"))
    assert "no statement of UZB is among those chosen" in caplog.text
    assert "CHN, IND, RUS" in caplog.text
    caplog.clear()
    seen_with(pair=("CHN", "IND"))
    assert not caplog.records


def estimated(tags: pd.DataFrame, labels: pd.DataFrame, **choice: object) -> Trends:
    return estimate_trends(tags, labels, events_of(("e", "2021-04-01")), replace(QUICK, **choice))  # type: ignore[arg-type]


def test_choosing_equals_giving_only_the_chosen() -> None:
    tags, labels, _ = make_world(3)
    number = tags["statement_id"].str[-1].astype(int)
    tags = tags.assign(
        speaker=np.where(number < 7, "A", "B"), source=np.where(number % 2 == 0, "x", "y"), provenance="verbatim"
    )
    chosen = (number < 7) & (number % 2 == 0)
    part = tags[chosen]
    some = labels[labels["statement_id"].isin(part["statement_id"])]
    by_option = estimated(tags, labels, speakers=("a",), sources=("x",), provenances=("verbatim",))
    by_hand = estimated(part, some)
    ids = ["run_id", "labels_id"]
    pd.testing.assert_frame_equal(by_option.trends.drop(columns=ids), by_hand.trends.drop(columns=ids))
    pd.testing.assert_frame_equal(by_option.tests, by_hand.tests)
    pd.testing.assert_frame_equal(by_option.influence, by_hand.influence)
    pd.testing.assert_frame_equal(by_option.labelling, by_hand.labelling)
    assert by_option.trends["run_id"].iloc[0] != by_hand.trends["run_id"].iloc[0]


def test_any_pair_and_its_mirror() -> None:
    one, other = (
        estimated(TAGS, labels_of(), pair=("IND", "RUS")),
        estimated(TAGS, labels_of(), pair=("RUS", "IND")),
    )
    gaps = [t.trends[t.trends["measure"] == "gap"] for t in (one, other)]
    assert set(gaps[0]["country"]) == {"IND-RUS"}
    np.testing.assert_array_equal(gaps[0]["estimate"], -gaps[1]["estimate"])


def test_a_missing_actor_gives_empty_rows_and_no_number() -> None:
    result = estimated(TAGS, labels_of(), pair=("CHN", "UZB"))
    rows = result.trends[result.trends["scope"] != "country"]
    assert len(rows)
    assert (rows["status"] == "empty").all()
    assert rows[["estimate", "conf_low", "conf_high", "std_error", "naive_estimate"]].isna().all(axis=None)
    assert result.tests[["statistic", "effect", "p_value", "min_detectable_effect"]].isna().all(axis=None)
    assert result.influence["without"].isna().all()


def test_influence_and_worth_travel_with_the_trends() -> None:
    tags, labels, _ = make_world(3)
    result = estimated(tags.assign(speaker=tags["country"] + tags["statement_id"].str[-1]), labels)
    assert set(result.influence["measure"]) == {"convergence", "change_of_convergence"}
    assert set(result.influence["event_id"]) == {"", "e"}
    assert result.labelling["target"].tolist() == ["t0", "t1"]
    assert (result.labelling["more"] == 100).all()
    assert result.labelling["narrower_by"].between(0, 1).all()


def test_worth_where_part_is_coded_in_full_and_the_rest_never_was() -> None:
    """Labels with probability 1 that leave half of the statements unread still leave something to gain."""
    tags, labels, _ = make_world(3, share=0.5)
    full = labels.assign(sampling_prob=1.0)
    known, certain = (estimated(tags, some).labelling["narrower_by"] for some in (labels, full))
    assert (certain > known / 2).all()
    assert (certain < 0.2).all()
    tags, labels, _ = make_world(3, share=1.0)
    done = estimated(tags, labels).labelling  # everything is read: nothing is left to gain but in the class means
    assert (done["narrower_by"] < 0.01).all()
