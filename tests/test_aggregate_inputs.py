"""What a file can hold wrongly, and what is made of it when it is right."""

from __future__ import annotations

import logging
from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.aggregate import TrendOptions
from pipeline.aggregate.inputs import check_events, frame_hash, month_of
from pipeline.errors import DataError, UsageError
from tests.test_aggregate_frames import QUICK, events_of, labels_of, seen_of, tags_of

TAGS = tags_of(
    ("2024-01-15", "CHN", "a", "favor"),
    ("2024-01-20", "RUS", "a", "against"),
    ("2024-03-31", "CHN", "b", "none"),
)


@pytest.mark.parametrize("column", ["statement_id", "date", "country", "target", "stance"])
def test_missing_tag_column_is_named(column: str) -> None:
    with pytest.raises(DataError, match=f"tags: missing column {column}"):
        seen_of(TAGS.drop(columns=column))


@pytest.mark.parametrize("column", ["statement_id", "target", "stance", "sampling_prob"])
def test_missing_label_column_is_named(column: str) -> None:
    with pytest.raises(DataError, match=f"labels: missing column {column}"):
        seen_of(TAGS, labels_of(("s0", "a", "favor", 1.0)).drop(columns=column))


@pytest.mark.parametrize("stance", ["positive", "", None, "Favor"])
def test_unknown_stance_is_shown(stance: str | None) -> None:
    with pytest.raises(DataError, match=r"tags: unknown stance .*accepted are favor, neutral, against, none"):
        seen_of(TAGS.assign(stance=["favor", stance, "none"]))


def test_unknown_label_stance() -> None:
    with pytest.raises(DataError, match="labels: unknown stance 'maybe'"):
        seen_of(TAGS, labels_of(("s0", "a", "maybe", 1.0)))


@pytest.mark.parametrize("share", [0, -0.5, 1.0001, np.nan, "half", np.inf])
def test_sampling_prob_must_be_a_probability(share: object) -> None:
    labels = labels_of(("s0", "a", "favor", 1.0)).astype(object)
    labels.loc[0, "sampling_prob"] = share
    with pytest.raises(DataError, match=r"sampling_prob .* of statement 's0' must be above 0 and at most 1"):
        seen_of(TAGS, labels)


@pytest.mark.parametrize(("statement", "target"), [("s9", "a"), ("s0", "b")])
def test_label_for_unknown_id(statement: str, target: str) -> None:
    with pytest.raises(DataError, match=f"1 labels match no tag, first statement '{statement}' on '{target}'"):
        seen_of(TAGS, labels_of((statement, target, "favor", 1.0), ("s1", "a", "favor", 1.0)))


def test_label_given_twice() -> None:
    with pytest.raises(DataError, match="'s0' is labelled twice on 'a'"):
        seen_of(TAGS, labels_of(("s0", "a", "favor", 1.0), ("s0", "a", "none", 1.0)))


def test_duplicate_tags() -> None:
    with pytest.raises(DataError, match="statement 's0' has two tags for target 'a'"):
        seen_of(TAGS.assign(statement_id=["s0", "s0", "s0"]))


def test_one_statement_may_have_tags_for_several_targets() -> None:
    assert seen_of(TAGS.assign(statement_id=["s0", "s1", "s0"])).country.size == 3


def test_mixed_models() -> None:
    with pytest.raises(DataError, match="models m1, m2 are mixed"):
        seen_of(TAGS.assign(model_id=["m1", "m2", "m1"]))


@pytest.mark.parametrize(("given", "known"), [(["m1"] * 3, "m1"), (["m1", None, "m1"], "m1"), ([None] * 3, "")])
def test_model_is_carried(given: list[str | None], known: str) -> None:
    assert seen_of(TAGS.assign(model_id=given)).model_id == known
    assert not seen_of(TAGS).model_id


@pytest.mark.parametrize("day", ["15.01.2024", "2024-1-5", "2024-02-30", "2024-01-15T10:00", "January"])
def test_dates_must_be_iso(day: str) -> None:
    with pytest.raises(DataError, match=r"tags, row 2: date .* is not ISO; dates are YYYY-MM-DD"):
        seen_of(TAGS.assign(date=["2024-01-15", day, "2024-03-31"]))


@pytest.mark.parametrize("blank", ["", None, np.nan, "  "])
@pytest.mark.parametrize("column", ["date", "country"])
def test_rows_without_date_or_country_are_left_out_with_a_warning(
    column: str, blank: object, caplog: pytest.LogCaptureFixture
) -> None:
    values = [TAGS[column][0], blank, TAGS[column][2]]
    with caplog.at_level(logging.WARNING):
        seen = seen_of(TAGS.assign(**{column: pd.Series(values, dtype=object)}))
    assert seen.country.size == 2
    assert "1 of 3 tags" in caplog.text


def test_nothing_is_logged_when_all_is_there(caplog: pytest.LogCaptureFixture) -> None:
    seen_of(TAGS)
    assert not caplog.records


def test_dates_may_be_timestamps() -> None:
    stamped = seen_of(TAGS.assign(date=pd.to_datetime(TAGS["date"])))
    np.testing.assert_array_equal(stamped.month, seen_of(TAGS).month)


def test_codes() -> None:
    seen = seen_of(TAGS, labels_of(("s1", "a", "neutral", 0.25)))
    assert seen.countries == ("CHN", "RUS")
    assert set(seen.targets) == {"a", "b"}
    assert seen.shape == (2, 2, 3)
    assert seen.first_month == 2024 * 12
    rows = {
        (seen.countries[c], seen.targets[k], int(m), int(p), int(g), float(w))
        for c, k, m, p, g, w in zip(
            seen.country, seen.target, seen.month, seen.predicted, seen.gold, seen.weight, strict=True
        )
    }
    assert rows == {("CHN", "a", 0, 0, -1, 0.0), ("RUS", "a", 0, 2, 1, 4.0), ("CHN", "b", 2, 3, -1, 0.0)}


def test_range_is_that_of_the_options() -> None:
    options = TrendOptions(since=date(2023, 11, 30), until=date(2024, 1, 15))
    seen = seen_of(TAGS, options=options)
    assert (seen.first_month, seen.n_months, seen.country.size) == (2023 * 12 + 10, 3, 1)


@pytest.mark.parametrize(("since", "until", "kept"), [
    (date(2024, 1, 15), None, 3), (date(2024, 1, 16), None, 2), (None, date(2024, 1, 20), 2),
    (None, date(2024, 1, 19), 1), (date(2030, 1, 1), None, 0), (None, date(2000, 1, 1), 0),
])  # fmt: skip
def test_since_and_until_are_included(since: date | None, until: date | None, kept: int) -> None:
    assert seen_of(TAGS, options=TrendOptions(since=since, until=until)).country.size == kept


def test_labels_outside_the_range_are_no_error() -> None:
    seen = seen_of(TAGS, labels_of(("s0", "a", "favor", 1.0)), TrendOptions(since=date(2024, 2, 1)))
    assert (seen.gold == -1).all()


def test_targets_asked_for() -> None:
    seen = seen_of(TAGS, options=TrendOptions(targets=("b", "c")))
    assert set(seen.targets) == {"b", "c"}
    assert seen.country.size == 1


def test_pair_is_there_even_without_statements() -> None:
    assert seen_of(TAGS, options=TrendOptions(pair=("IND", "PAK"))).countries == ("CHN", "IND", "PAK", "RUS")


@pytest.mark.parametrize("true", [True, "True", "true", 1, "1"])
def test_joint_statements_count_for_declared_targets_only(true: object) -> None:
    joint = TAGS.assign(joint=pd.Series([true, False, true], dtype=object))
    seen = seen_of(joint, options=TrendOptions(declared=("b",)))
    assert [seen.targets[k] for k in seen.target].count("a") == 1
    assert [seen.targets[k] for k in seen.target].count("b") == 1


def test_documents_group_statements_and_blank_ones_stand_alone() -> None:
    grouped = seen_of(TAGS.assign(doc_id=["x", "x", "y"]))
    assert len(set(grouped.document.tolist())) == 2
    alone = seen_of(TAGS.assign(doc_id=[None, "", np.nan]))
    assert len(set(alone.document.tolist())) == 3
    assert len(set(seen_of(TAGS.drop(columns="doc_id")).document.tolist())) == 3


def test_row_order_does_not_reach_the_codes() -> None:
    labels = labels_of(("s0", "a", "none", 0.5), ("s1", "a", "favor", 0.2))
    one, other = seen_of(TAGS, labels), seen_of(TAGS.iloc[::-1], labels.iloc[::-1])
    for name in ("country", "target", "month", "document", "predicted", "gold", "weight"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.labels_id == other.labels_id


def test_targets_are_ordered_by_content_not_by_name() -> None:
    renamed = TAGS.assign(target=TAGS["target"].map({"a": "z", "b": "y"}))
    new = {"a": "z", "b": "y"}
    assert seen_of(renamed).targets == tuple(new[name] for name in seen_of(TAGS).targets)


def test_empty_tags() -> None:
    seen = seen_of(TAGS.iloc[:0])
    assert seen.shape == (2, 0, 0)
    assert not seen.labels_id


def test_events_are_sorted_and_keep_their_columns() -> None:
    events = check_events(events_of(("late", "2024-02-01"), ("early", "2023-01-01"), note=["x", "y"]), QUICK)
    assert list(events["event_id"]) == ["early", "late"]
    assert list(events["note"]) == ["y", "x"]
    assert not events["exploratory"].any()


@pytest.mark.parametrize(("registered", "exploratory"), [
    ("2024-06-01", False), ("2024-06-02", True), ("", True), (None, True), ("2020-01-01", False),
])  # fmt: skip
def test_events_registered_after_the_data_were_seen_are_exploratory(
    registered: str | None, exploratory: bool
) -> None:
    events = events_of(("e", "2024-02-01"), registered_on=pd.Series([registered], dtype=object))
    options = TrendOptions(data_seen_on=date(2024, 6, 1))
    assert check_events(events, options)["exploratory"].tolist() == [exploratory]
    assert check_events(events, QUICK)["exploratory"].tolist() == [False]


def test_events_without_registration_are_exploratory_once_data_were_seen() -> None:
    options = TrendOptions(data_seen_on=date(2024, 6, 1))
    assert check_events(events_of(("e", "2024-02-01")), options)["exploratory"].all()


@pytest.mark.parametrize(("events", "message"), [
    (events_of(("e", "2024-13-01")), "events, row 1: date '2024-13-01' is not ISO"),
    (events_of(("e", "")), "an event has no date"),
    (events_of(("e", "2024-01-01"), ("e", "2024-01-02")), "event_id 'e' is given twice"),
    (events_of(("e", "2024-01-01")).drop(columns="label"), "events: missing column label"),
])  # fmt: skip
def test_bad_events(events: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_events(events, QUICK)


@pytest.mark.parametrize(("options", "message"), [
    ({"pair": ("CHN", "CHN")}, "two different actors"),
    ({"pair": ("CHN", "")}, "two different actors"),
    ({"freqs": ("week",)}, "unknown frequency week"),
    ({"freqs": ()}, "unknown frequency"),
    ({"since": date(2024, 2, 1), "until": date(2024, 1, 1)}, "since 2024-02-01 is after until 2024-01-01"),
    ({"conf_level": 1.0}, "conf_level 1.0"),
    ({"conf_level": 0.0}, "conf_level 0.0"),
    ({"window": 1}, "window 1 is too small"),
    ({"draws": 19}, "draws 19 is too small: give at least 20"),
    ({"permutations": 18}, "permutations 18"),
    ({"random_state": -1}, "random_state -1"),
])  # fmt: skip
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TrendOptions(**options)  # type: ignore[arg-type]


def test_smallest_options_are_accepted() -> None:
    day = date(2024, 1, 1)
    assert TrendOptions(window=2, draws=20, permutations=19, random_state=0, since=day, until=day).window == 2


@pytest.mark.parametrize(("day", "month"), [("2024-01-01", 24288), ("2024-12-31", 24299), ("0001-01-01", 12)])
def test_month_of(day: str, month: int) -> None:
    assert month_of(day) == month


def test_frame_hash_sees_content_not_order() -> None:
    assert frame_hash(TAGS) == frame_hash(TAGS.iloc[[2, 0, 1]])
    assert frame_hash(TAGS) != frame_hash(TAGS.assign(stance="none"))
    assert frame_hash(TAGS.iloc[:0]) != frame_hash(TAGS)
