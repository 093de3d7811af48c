"""Reading of the frames: periods, series, emptiness, events, file names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.report.inputs import (
    drawn_rows,
    events_about,
    file_stem,
    frequency,
    has_data,
    last_with_data,
    numbered_events,
    period_grid,
    period_text,
    series,
    target_ids,
    uncorrected_targets,
)
from pipeline.schema import TREND_COLUMNS
from tests.test_report_world import make_events, make_inputs, make_targets, make_trends, row, trend_frame


def quarters(*rows: dict[str, object]) -> pd.DataFrame:
    return drawn_rows(trend_frame(rows))


def test_quarters_are_drawn_where_there_are_any() -> None:
    both = pd.concat([make_trends("2020Q1", "2020Q4"), make_trends("2020-01", "2020-12", freq="M")])
    assert frequency(both) == "quarter"
    assert set(drawn_rows(both)["freq"]) == {"quarter"}


def test_months_are_drawn_where_there_is_nothing_else() -> None:
    months = make_trends("2020-01", "2020-05", freq="M")
    assert frequency(months) == "month"
    assert [period_text(p) for p in period_grid(drawn_rows(months))][:2] == ["2020-01", "2020-02"]


def test_no_rows_read_as_no_periods() -> None:
    nothing = drawn_rows(pd.DataFrame(columns=list(TREND_COLUMNS)))
    assert nothing.empty
    assert len(period_grid(nothing)) == 0


def test_a_row_without_an_estimate_is_empty_whatever_its_status_says() -> None:
    rows = quarters(row("2020Q1", "position", estimate=np.nan, conf_low=-1, conf_high=1, status="ok"))
    assert rows["status"].tolist() == ["empty"]
    assert rows[["conf_low", "conf_high"]].isna().all(axis=None)


def test_an_empty_row_shows_no_estimate_even_if_the_file_has_one() -> None:
    rows = quarters(row("2020Q1", "position") | {"status": "empty"})
    assert rows["estimate"].isna().all()


def test_numbers_read_as_text_are_numbers() -> None:
    rows = quarters(row("2020Q1", "position") | {"estimate": "0.25", "n_addressed": "7"})
    assert rows["estimate"].tolist() == [0.25]
    assert rows["n_addressed"].tolist() == [7.0]


def test_a_series_stands_on_every_period_of_the_frame() -> None:
    rows = quarters(
        row("2020Q1", "position", target="a", country="CHN", estimate=0.1),
        row("2020Q2", "position", target="b", country="CHN"),
        row("2020Q4", "position", target="a", country="CHN", estimate=0.4),
        row("2020Q4", "position", target="a", country="RUS", estimate=0.9),
    )
    found = series(rows, measure="position", target="a", actor="CHN")
    assert [period_text(p) for p in found.index] == ["2020 Q1", "2020 Q2", "2020 Q3", "2020 Q4"]
    assert found["status"].tolist() == ["ok", "empty", "empty", "ok"]
    assert found["estimate"].dropna().tolist() == [0.1, 0.4]


def test_runs_part_at_every_empty_period() -> None:
    rows = quarters(*(
        row(f"{year}Q{q}", "position", target="a", country="CHN", status="empty" if q == 3 else "ok")
        for year in (2020, 2021) for q in (1, 2, 3, 4)
    ))  # fmt: skip
    found = series(rows, measure="position", target="a", actor="CHN")
    kept = found[found["status"] != "empty"]
    assert kept["run"].tolist() == [0, 0, 1, 1, 1, 2]


def test_measures_do_not_mix() -> None:
    rows = quarters(row("2020Q1", "gap", target="a"), row("2020Q1", "convergence", target="a", estimate=0.7))
    assert series(rows, measure="convergence", target="a")["estimate"].tolist() == [0.7]


def test_last_with_data_skips_empty_periods() -> None:
    rows = quarters(
        row("2020Q1", "position", target="a", country="CHN", estimate=0.3),
        row("2020Q2", "position", target="a", country="CHN", status="empty"),
    )
    found = series(rows, measure="position", target="a", actor="CHN")
    last = last_with_data(found)
    assert last is not None
    assert (period_text(last.name), last["estimate"]) == ("2020 Q1", 0.3)
    assert has_data(found)


def test_a_series_of_nothing_has_no_last_period() -> None:
    rows = quarters(row("2020Q1", "position", target="a", country="CHN"))
    nothing = series(rows, measure="position", target="a", actor="RUS")
    assert last_with_data(nothing) is None
    assert not has_data(nothing)


def test_targets_come_in_the_codebooks_order_then_unknown_ones_by_name() -> None:
    rows = [row("2020Q1", "convergence", target=name) for name in ("zeta", "security", "ALL", "alpha", "india")]
    assert target_ids(make_inputs(trends=trend_frame(rows))) == ("india", "security", "alpha", "zeta")


def test_an_unknown_target_is_its_own_label() -> None:
    inputs = make_inputs()
    assert inputs.label("mine") == "mine"
    assert inputs.label("india") == "India's role"


def test_core_targets_are_those_the_codebook_marks() -> None:
    assert make_inputs().core == ("india", "recognition", "security")


def test_names_fall_back_to_ids() -> None:
    assert make_inputs(names={}).pair_names == ("CHN", "RUS")
    assert make_inputs().pair_text == "China and Russia"
    assert make_inputs(names={"CHN": ""}).name("CHN") == "CHN"


def test_two_actors_of_one_name_are_told_apart_by_their_ids() -> None:
    assert make_inputs(names={"CHN": "Same", "RUS": "Same"}).pair_names == ("CHN", "RUS")


def test_events_are_numbered_by_date() -> None:
    events = numbered_events(make_events())
    assert events["when"].is_monotonic_increasing
    assert events["number"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert events["event_id"].tolist()[:3] == ["galwan-clash", "tianjin-baradar", "kabul-falls"]


def test_events_are_chosen_by_what_they_are_about() -> None:
    events = numbered_events(make_events())
    assert events_about(events, "india")["event_id"].tolist() == ["galwan-clash", "later"]
    assert events_about(events, "nothing").empty


def test_an_id_within_another_id_is_no_match() -> None:
    events = numbered_events(make_events().assign(about="taliban_recognition"))
    assert events_about(events, "recognition").empty


@pytest.mark.parametrize("about", ["", None])
def test_an_event_that_does_not_say_what_it_is_about_is_about_all(about: str | None) -> None:
    events = numbered_events(make_events().assign(about=about))
    assert len(events_about(events, "india")) == 7


def test_events_without_the_column_are_about_all() -> None:
    events = numbered_events(make_events()[["event_id", "date", "label"]])
    assert len(events_about(events, "india")) == 7


def test_uncorrected_series_are_found_by_their_estimator() -> None:
    trends = make_trends()
    assert uncorrected_targets(trends) == ()
    marked = trends.assign(estimator=trends["estimator"].mask(trends["target"] == "india", "uncorrected"))
    assert uncorrected_targets(marked) == ("india",)


def test_a_missing_estimator_is_no_alarm() -> None:
    assert uncorrected_targets(make_trends().assign(estimator=np.nan)) == ()


def test_plain_ids_are_file_names_as_they_are() -> None:
    assert [file_stem(name) for name in ("india", "us_presence", "a-1")] == ["india", "us_presence", "a-1"]


@pytest.mark.parametrize(
    "hostile", ["../../etc/passwd", "a/b", "..", "<script>", "a b", "x" * 300, "", "a\0b", "con:1"]
)
def test_no_target_leaves_its_folder(hostile: str) -> None:
    stem = file_stem(hostile)
    assert not set(stem) & set("/\\.<>:\0 ")
    assert 8 <= len(stem) <= 70


def test_targets_never_share_a_file() -> None:
    names = ["a/b", "a_b", "a b", "a\\b", "pooled", "pooled "]
    stems = [file_stem(name) for name in names]
    assert len(set(stems)) == len(names)
    assert "pooled" not in stems


def test_targets_of_the_world_are_valid() -> None:
    assert make_targets().pooled == ("india", "recognition", "security")
    assert make_targets().declared == ("coordination",)
