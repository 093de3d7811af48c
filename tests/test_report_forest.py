"""The event forest: which events stand where, what each mark is at, and what the words say of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.report import forest, palette
from pipeline.report.charts import NARROW, WIDE
from pipeline.report.inputs import ALL, ReportInputs
from pipeline.schema import TEST_COLUMNS
from tests.test_report_world import CORE, make_events, make_inputs, test_row

Spec = dict[str, Any]
NONE = {"effect": np.nan, "conf_low": np.nan, "conf_high": np.nan, "p_adjusted": np.nan}


def event(event_id: str = "kabul-falls", target: str = "recognition", **more: Any) -> dict[str, Any]:
    return test_row("event", target, event_id=event_id, **more)


def of(*rows: dict[str, Any], **more: Any) -> ReportInputs:
    columns = list(dict.fromkeys((*TEST_COLUMNS, *(name for one in rows for name in one))))
    return make_inputs(tests=pd.DataFrame(list(rows), columns=columns), **more)


def spec(inputs: ReportInputs, layout: tuple[int, int, int] = WIDE, **more: Any) -> Spec:
    made = forest.chart(inputs, layout, **more)
    assert made is not None
    return made


def values(view: Spec, mark: str) -> list[dict[str, Any]]:
    return [row for one in view["layer"] if one["mark"]["type"] == mark for row in one["data"]["values"]]


def panel(inputs: ReportInputs, layout: tuple[int, int, int] = WIDE) -> Spec:
    """The panel of the last group."""
    view: Spec = spec(inputs, layout)["vconcat"][-1]
    return view


def points(view: Spec, fill: str) -> list[dict[str, Any]]:
    return [
        row for one in view["layer"] if one["mark"]["type"] == "point" and one["mark"]["fill"] == fill
        for row in one["data"]["values"]
    ]  # fmt: skip


def domain(view: Spec) -> list[float]:
    return next(
        list(one["encoding"]["x"]["scale"]["domain"]) for one in view["layer"] if one["mark"]["type"] == "point"
    )


def test_the_groups_are_the_pool_and_then_the_targets_in_the_codebooks_order() -> None:
    made = forest.groups(make_inputs())
    assert [group.target for group in made] == [ALL, *CORE]
    assert [group.title for group in made] == ["Pooled index", *CORE.values()]


def test_events_stand_by_date_with_their_numbers() -> None:
    made = forest.groups(of(event("ukraine-invasion"), event("galwan-clash"), event("kabul-falls")))
    assert [(row["number"], row["date"]) for row in made[0].rows] == [
        (1, "2020-06-15"), (3, "2021-08-15"), (6, "2022-02-24"),
    ]  # fmt: skip
    assert made[0].rows[0]["label"] == "Deadly clash in the Galwan valley"


def test_other_tests_unknown_events_and_untested_ones_are_left_out() -> None:
    rows = [test_row("trend", "recognition"), event("unheard-of"), event("galwan-clash", **NONE)]
    assert forest.groups(of(*rows)) == ()
    assert [len(group.rows) for group in forest.groups(of(*rows, event()))] == [1]


def test_a_target_outside_the_codebook_has_no_group() -> None:
    assert forest.groups(of(event(target="unheard-of"))) == ()


@pytest.mark.parametrize(
    "inputs", [of(), of(test_row("trend", ALL)), of(event(), events=make_events().iloc[:0])],
    ids=["no tests", "no event tests", "no events"],
)  # fmt: skip
def test_without_a_tested_event_there_is_no_forest(inputs: ReportInputs) -> None:
    assert forest.chart(inputs) is None
    assert forest.text(inputs) == "No event could be tested."
    assert forest.table(inputs) == []


@pytest.mark.parametrize(
    ("more", "reach"),
    [
        ({}, 0.4), ({"min_detectable_effect": 0.4}, 0.4), ({"min_detectable_effect": 0.41}, 0.6),
        ({"conf_low": -0.7}, 0.8), ({"conf_high": 0.95}, 1.0), ({"effect": -0.5}, 0.6),
        ({"min_detectable_effect": 1.7}, 1.0), ({"min_detectable_effect": np.nan}, 0.4),
    ],
)  # fmt: skip
def test_the_scale_is_the_smallest_that_holds_everything(more: dict[str, Any], reach: float) -> None:
    assert domain(panel(of(event(**more)))) == [-reach, reach]


def test_all_groups_share_one_scale() -> None:
    made = spec(of(event(target="india"), event(target="security", conf_high=0.7)))
    panels = [view for view in made["vconcat"] if any(one["encoding"].get("x2") == {"field": "limit"}
                                                      for one in view["layer"])]  # fmt: skip
    assert [domain(view) for view in panels] == [[-0.8, 0.8]] * 2


def test_a_detected_change_is_filled_and_another_hollow() -> None:
    view = panel(of(event(p_adjusted=0.049, effect=0.21), event("dushanbe", p_adjusted=0.05, effect=0.11)))
    assert [row["effect"] for row in points(view, palette.JOINT)] == [0.21]
    assert [row["effect"] for row in points(view, palette.PAPER)] == [0.11]


def test_the_marks_are_at_the_numbers_of_the_frame() -> None:
    view = panel(of(event(effect=0.05, conf_low=-0.2, conf_high=0.3, min_detectable_effect=0.25)))
    assert [(row["low"], row["high"]) for row in values(view, "rule") if "low" in row] == [(-0.2, 0.3)]
    assert [(row["floor"], row["limit"]) for row in values(view, "rect")] == [(-0.25, 0.25)]
    assert {"zero": 0} in values(view, "rule")


def test_the_band_ends_with_the_scale() -> None:
    assert [
        (row["floor"], row["limit"]) for row in values(panel(of(event(min_detectable_effect=1.7))), "rect")
    ] == [(-1.0, 1.0)]


def test_a_change_without_interval_or_limit_is_a_bare_point() -> None:
    view = panel(of(event(conf_low=np.nan, conf_high=np.nan, min_detectable_effect=np.nan)))
    assert values(view, "rect") == []
    assert values(view, "rule") == [{"zero": 0}]
    assert len(values(view, "point")) == 1


@pytest.mark.parametrize(("layout", "step"), [(WIDE, 19), (NARROW, 33)])
def test_a_panel_has_a_row_for_each_event(layout: tuple[int, int, int], step: int) -> None:
    view = panel(of(event("galwan-clash"), event(), event("dushanbe")), layout)
    assert view["height"] == 3 * step
    heights = [row["y"] for row in values(view, "point")]
    assert np.diff(heights).tolist() == [step, step]
    assert 0 < heights[0] < step


def test_labels_are_left_of_the_axis_or_above_their_row_where_it_is_narrow() -> None:
    wide, narrow = (values(panel(of(event()), layout), "text")[0] for layout in (WIDE, NARROW))
    assert (wide["left"], narrow["left"]) == (-300, 0)
    assert wide["line"] == wide["y"] == 9.5
    assert narrow["line"] == 8 < narrow["y"] == 24
    assert wide["text"].split() == ["3", "2021-08", "The", "Taliban", "take", "Kabul"]


@pytest.mark.parametrize("layout", [WIDE, NARROW])
def test_long_labels_are_cut_at_a_word_with_an_ellipsis(layout: tuple[int, int, int]) -> None:
    label = values(panel(of(event("us-withdrawal")), layout), "text")[0]["text"]
    room = 288 if layout == WIDE else layout[0] + layout[1] - 20
    assert label.endswith("…")
    assert len(label) * layout[2] * 0.49 <= room


@pytest.mark.parametrize(("layout", "width"), [(WIDE, 658 + 84 - 300), (NARROW, 262 + 66 - 20)])
def test_every_part_has_the_same_width(layout: tuple[int, int, int], width: int) -> None:
    assert {view["width"] for view in spec(make_inputs(), layout)["vconcat"]} == {width}


def test_the_title_is_on_the_picture_that_stands_alone_only() -> None:
    alone, inside = (spec(make_inputs(), standalone=flag) for flag in (True, False))
    assert values(alone["vconcat"][0], "text")[0]["text"] == forest.TITLE
    assert len(alone["vconcat"]) == len(inside["vconcat"]) + 1
    assert alone["background"] == palette.PAPER
    assert inside["background"] == "transparent"


@pytest.mark.parametrize(("layout", "rows"), [(WIDE, 1), (NARROW, 2)])
def test_the_key_names_each_mark_and_breaks_where_it_is_narrow(layout: tuple[int, int, int], rows: int) -> None:
    key = spec(make_inputs(), layout)["vconcat"][0]
    assert [row["text"] for row in values(key, "text")] == [
        "detected", "not detected", "95% interval", "would escape the test",
    ]  # fmt: skip
    assert key["height"] == 18 * rows
    assert len({row["y"] for row in values(key, "text")}) == rows


def test_the_text_counts_names_and_bounds() -> None:
    rows = [
        event(p_adjusted=0.01, min_detectable_effect=0.2), event("dushanbe", min_detectable_effect=0.4),
        event("galwan-clash", min_detectable_effect=np.nan),
    ]  # fmt: skip
    assert forest.text(of(*rows)) == (
        "Recognition of the Taliban: 3 events tested, 1 detected: The Taliban take Kabul, "
        "smallest detectable change 0.20 to 0.40."
    )


def test_the_text_names_no_event_and_no_limit_where_there_is_none() -> None:
    assert forest.text(of(event(min_detectable_effect=np.nan))) == (
        "Recognition of the Taliban: 1 events tested, 0 detected."
    )


def test_the_text_joins_the_names_of_what_was_detected() -> None:
    text = forest.text(of(event(p_adjusted=0.01), event("galwan-clash", p_adjusted=0.02)))
    assert "2 detected: Deadly clash in the Galwan valley; The Taliban take Kabul," in text


def test_the_table_has_the_numbers_in_words() -> None:
    row = event(effect=-0.123, conf_low=-0.3, conf_high=0.05, min_detectable_effect=0.257)
    assert forest.table(of(row)) == [
        (
            "Recognition of the Taliban", "3. 2021-08-15 The Taliban take Kabul", "−0.12", "−0.30 to +0.05",
            "not detected", "0.26",
        )
    ]  # fmt: skip


def test_the_table_has_dashes_for_what_is_missing() -> None:
    row = event(conf_low=np.nan, conf_high=np.nan, min_detectable_effect=np.nan, p_adjusted=np.nan)
    assert forest.table(of(row))[0][2:] == ("+0.08", "–", "not testable", "–")


def test_the_table_has_every_event_of_every_group() -> None:
    inputs = make_inputs()
    assert len(forest.table(inputs)) == sum(len(group.rows) for group in forest.groups(inputs)) == 8
    assert [line[4] for line in forest.table(inputs)].count("detected") == 1


def key_of(spec: dict[str, Any]) -> bool:
    return "would escape the test" in str(spec)


@pytest.mark.parametrize("layout", [WIDE, NARROW])
def test_the_forest_comes_in_parts_that_paper_can_break_between(layout: tuple[int, int, int]) -> None:
    inputs = make_inputs()
    made, whole = forest.parts(inputs, layout), forest.chart(inputs, layout)
    assert whole is not None
    assert len(made) == len(forest.groups(inputs))
    assert [key_of(spec) for spec in made] == [True, *[False] * (len(made) - 1)]
    views = [view for spec in made for view in spec["vconcat"]]
    assert views == whole["vconcat"]
