"""The charts: what is drawn where, what is never drawn, and the drawings as SVG and PNG."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest

from pipeline.aggregate import TrendOptions, estimate_trends
from pipeline.report import drawing, palette
from pipeline.report.charts import NARROW, WIDE, chart, chart_events, chart_title
from pipeline.report.evidence import gather
from pipeline.report.inputs import ALL, ReportInputs, drawn_rows, numbered_events, series
from pipeline.report.marks import Frame, _inner, depth, lanes, moment, records
from pipeline.report.panels import panels
from tests.test_aggregate_frames import events_of, make_world
from tests.test_report_world import make_events, make_evidence, make_inputs, make_trends, row, trend_frame

Spec = dict[str, Any]
SVG = "{http://www.w3.org/2000/svg}"


def spec_of(inputs: ReportInputs, target: str = "a", **more: Any) -> Spec:
    made = chart(inputs, target, **more)
    assert made is not None
    return made


def views(spec: Spec) -> list[Spec]:
    """The panels that have a time axis."""
    return [view for view in spec["vconcat"] if any(x.get("type") == "temporal" for x in encodings(view))]


def encodings(view: Spec) -> Iterator[Spec]:
    for layer in view["layer"]:
        yield from layer["encoding"].values()


def layers(view: Spec, mark: str, **look: Any) -> list[Spec]:
    return [
        layer for layer in view["layer"]
        if layer["mark"]["type"] == mark and all(layer["mark"].get(k) == v for k, v in look.items())
    ]  # fmt: skip


def outer(view: Spec) -> list[Spec]:
    """The ribbons of the whole interval, without their darker half."""
    return [one for one in layers(view, "area", color=palette.FIRST) if one["encoding"]["y"]["field"] == "low"]


def bars(view: Spec) -> list[Spec]:
    """The bars of the whole interval of periods that stand alone."""
    return [one for one in layers(view, "rule", color=palette.FIRST) if one["encoding"]["y"]["field"] == "low"]


def values(found: list[Spec]) -> list[dict[str, Any]]:
    return [row for layer in found for row in layer["data"]["values"]]


def texts(spec: Spec) -> list[str]:
    return [
        str(row.get("text", row.get("number")))
        for view in spec["vconcat"] for row in values(layers(view, "text"))
    ]  # fmt: skip


def positions(*statuses: str, actor: str = "CHN", target: str = "a") -> list[dict[str, Any]]:
    periods = pd.period_range("2020Q1", periods=len(statuses), freq="Q")
    return [
        row(str(period), "position", country=actor, target=target, status=status, estimate=0.1 * i)
        for i, (period, status) in enumerate(zip(periods, statuses, strict=True))
    ]


def little(*rows: dict[str, Any], **more: Any) -> ReportInputs:
    return make_inputs(trends=trend_frame(rows), **more)


@cache
def drawn(target: str = "recognition", *, standalone: bool = True) -> str:
    return drawing.svg(spec_of(make_inputs(), target, standalone=standalone), ident="one", title="T", text="D")


def test_the_specifications_are_valid_vega_lite() -> None:
    inputs = make_inputs(trends=make_trends("2019Q3", "2021Q3"))
    for target in (ALL, "recognition"):
        alt.VConcatChart.from_dict(spec_of(inputs, target, standalone=True))


def test_nothing_to_draw_gives_no_chart() -> None:
    assert chart(make_inputs(trends=make_trends().iloc[:0]), "india") is None


def test_a_target_has_positions_convergence_and_a_strip_per_country() -> None:
    inputs = make_inputs()
    titles = [panel.title for panel in panels(inputs, drawn_rows(inputs.trends), "india")]
    assert titles == [
        "Position of China and Russia, score from −1 to +1", "Convergence of China and Russia, from 0 to 1",
        "Salience, China: share of all its statements", "Salience, Russia: share of all its statements",
    ]  # fmt: skip
    assert len(views(spec_of(inputs, "india"))) == 4


def test_the_pooled_chart_shows_convergence_declared_coordination_and_their_distance() -> None:
    inputs = make_inputs()
    titles = [panel.title for panel in panels(inputs, drawn_rows(inputs.trends), ALL)]
    assert [title.split(" ")[0] for title in titles] == ["Pooled", "Declared", "Declared"]
    assert "standard deviations" in titles[2]


def test_the_distance_is_left_out_where_there_is_none() -> None:
    trends = make_trends()
    inputs = make_inputs(trends=trends[trends["measure"] != "coordination_gap"])
    assert len(views(spec_of(inputs, ALL))) == 2


def test_the_drawn_values_are_those_of_the_frame() -> None:
    inputs = make_inputs()
    own = inputs.trends[(inputs.trends["target"] == "india") & (inputs.trends["measure"] == "position")]
    own = own[own["country"] == "CHN"].dropna(subset=["estimate"])
    top = views(spec_of(inputs, "india"))[0]
    line = layers(top, "line", color=palette.FIRST)
    assert [r["estimate"] for r in values(line)] == own["estimate"].tolist()
    bounds = sorted((r["low"], r["high"]) for r in [*values(outer(top)), *values(bars(top))])
    assert bounds == sorted(zip(own["conf_low"], own["conf_high"], strict=True))


def test_no_line_or_ribbon_crosses_an_empty_period() -> None:
    top = views(spec_of(little(*positions("ok", "ok", "empty", "ok", "ok"))))[0]
    for found in (layers(top, "line", color=palette.FIRST), outer(top)):
        assert {layer["encoding"]["detail"]["field"] for layer in found} == {"run"}
        by_run: dict[int, list[str]] = {}
        for r in values(found):
            by_run.setdefault(r["run"], []).append(r["middle"][:7])
        assert list(by_run.values()) == [["2020-02", "2020-05"], ["2020-11", "2021-02"]]


def test_an_empty_period_is_bridged_by_a_thin_dotted_link_only() -> None:
    top = views(spec_of(little(*positions("ok", "empty", "ok"))))[0]
    links = layers(top, "rule", strokeDash=[1, 4], color=palette.FIRST)
    assert [(r["estimate"], r["at"]) for r in values(links)] == [(0.0, 0.2)]
    assert links[0]["mark"]["strokeWidth"] < 1


def test_no_link_leads_into_leading_or_trailing_emptiness() -> None:
    top = views(spec_of(little(*positions("empty", "ok", "ok", "empty"))))[0]
    assert values(layers(top, "rule", strokeDash=[1, 4], color=palette.FIRST)) == []


def test_a_lone_period_shows_its_interval_as_a_bar() -> None:
    top = views(spec_of(little(*positions("ok", "empty", "ok", "ok"))))[0]
    assert [(round(r["low"], 2), round(r["high"], 2)) for r in values(bars(top))] == [(-0.2, 0.2)]
    assert len(values(outer(top))) == 2


def test_a_period_without_an_interval_has_a_point_and_no_ribbon() -> None:
    bare = [r | {"conf_low": np.nan, "conf_high": np.nan} for r in positions("ok", "ok")]
    top = views(spec_of(little(*bare)))[0]
    assert len(values(layers(top, "point", fill=palette.FIRST))) == 2
    assert not [r for r in values(top["layer"]) if "low" in r]


def test_empty_periods_are_hatched_and_neighbours_share_one_hatch() -> None:
    top = views(spec_of(little(*positions("ok", "empty", "empty", "ok", "empty"))))[0]
    spans = [(r["start"][:7], r["stop"][:7]) for r in values(layers(top, "rect", fill=palette.EMPTY))]
    assert spans == [("2020-04", "2020-10"), ("2021-01", "2021-04")]


def test_a_period_that_one_country_fills_is_not_hatched() -> None:
    rows = [*positions("ok", "empty"), *positions("empty", "ok", actor="RUS")]
    assert values(layers(views(spec_of(little(*rows)))[0], "rect", fill=palette.EMPTY)) == []


def test_sparse_points_are_hollow() -> None:
    top = views(spec_of(little(*positions("ok", "sparse", "ok"))))[0]
    hollow = values(layers(top, "point", fill=palette.PAPER, stroke=palette.FIRST))
    filled = values(layers(top, "point", fill=palette.FIRST, stroke=palette.FIRST))
    assert [r["middle"][:7] for r in hollow] == ["2020-05"]
    assert len(filled) == 2


def test_points_grow_with_their_statements() -> None:
    rows = [r | {"n_addressed": n} for r, n in zip(positions("ok", "ok", "ok"), (1, 4, 16), strict=True)]
    areas = [r["area"] for r in values(layers(views(spec_of(little(*rows)))[0], "point", fill=palette.FIRST))]
    assert areas == sorted(areas)
    assert areas[0] >= 16
    assert areas[2] == pytest.approx(120)
    assert "16 statements" in texts(spec_of(little(*rows)))


def test_the_countries_differ_in_colour_marker_and_dash() -> None:
    top = views(spec_of(make_inputs(), "india"))[0]
    looks = {}
    for colour in (palette.FIRST, palette.SECOND):
        line = layers(top, "line", color=colour)[0]["mark"]
        looks[colour] = (line["strokeDash"], layers(top, "point", stroke=colour)[0]["mark"]["shape"])
    assert looks == {palette.FIRST: ([1, 0], "circle"), palette.SECOND: ([5, 3], "diamond")}


def test_points_lie_above_every_ribbon() -> None:
    marks = [layer["mark"]["type"] for layer in views(spec_of(make_inputs(), "india"))[0]["layer"]]
    assert max(i for i, mark in enumerate(marks) if mark == "area") < marks.index("point")
    assert marks[0] == "rect"


def test_the_axes_are_labelled_in_words() -> None:
    svg = drawn()
    for label in ("favor (+1)", "against (−1)", "zero (0)", "same (1)", "opposite (0)"):
        assert f">{label}<" in svg


def test_the_zero_line_is_drawn() -> None:
    top = views(spec_of(make_inputs(), "india"))[0]
    assert values(layers(top, "rule", color=palette.MUTED)) == [{"zero": 0}]


def test_scales_do_not_move_with_the_data() -> None:
    shown = views(spec_of(make_inputs(), "india"))[:2]
    domains = [layers(view, "point")[0]["encoding"]["y"]["scale"]["domain"] for view in shown]
    assert domains == [[-1, 1], [0, 1]]


@pytest.mark.parametrize(("high", "top"), [(0.05, 0.1), (0.15, 0.2), (0.4, 0.4), (0.7, 0.8), (0.95, 1.0)])
def test_both_strips_share_a_scale_that_holds_the_larger(high: float, top: float) -> None:
    rows = [
        row("2020Q1", "salience", target="a", country=actor, estimate=value, conf_low=0.0, conf_high=value)
        for actor, value in (("CHN", high), ("RUS", 0.01))
    ]
    strips = views(spec_of(little(*rows)))[2:]
    assert [layers(v, "rect")[1]["encoding"]["y"]["scale"]["domain"] for v in strips] == [[0, top], [0, top]]


def test_silence_is_a_bar_of_no_height_and_absence_a_hatch() -> None:
    silent = row("2020Q1", "salience", target="a", country="CHN", estimate=0.0, conf_low=0.0, conf_high=0.1)
    absent = row("2020Q2", "salience", target="a", country="CHN", status="empty")
    strip = views(spec_of(little(silent, absent)))[2]
    assert [r["estimate"] for r in values(layers(strip, "rect", color=palette.FIRST))] == [0.0]
    assert [r["start"][:7] for r in values(layers(strip, "rect", fill=palette.EMPTY))] == ["2020-04"]


def test_all_panels_share_one_time_axis() -> None:
    for target in ("india", ALL):
        spec = spec_of(make_inputs(), target)
        scales = [x["scale"] for v in views(spec) for x in encodings(v) if x.get("type") == "temporal"]
        assert all(scale == scales[0] for scale in scales)
        assert scales[0]["domain"] == ["2019-01-01T00:00:00Z", "2025-10-01T00:00:00Z"]
        assert len({view["width"] for view in spec["vconcat"]}) == 1


def test_only_the_last_panel_has_a_labelled_time_axis() -> None:
    shown = [
        {x["axis"]["labels"] for x in encodings(view) if x.get("type") == "temporal"}
        for view in views(spec_of(make_inputs(), "india"))
    ]
    assert shown == [{False}, {False}, {False}, {True}]


def test_the_chart_marks_the_events_about_its_target() -> None:
    inputs = make_inputs()
    rows = drawn_rows(inputs.trends)
    assert chart_events(inputs, "india", rows)["event_id"].tolist() == ["galwan-clash"]
    assert chart_events(inputs, "recognition", rows)["number"].tolist() == [2, 3, 5]
    top, joint, *strips = views(spec_of(inputs, "recognition"))
    days = ["2021-07-28", "2021-08-15", "2021-09-17"]
    for view in (top, joint):
        assert [r["when"][:10] for r in values(layers(view, "rule", color=palette.RULE))] == days
    assert not any(layers(view, "rule", color=palette.RULE) for view in strips)


def test_the_pooled_chart_marks_events_about_any_pooled_target() -> None:
    inputs = make_inputs()
    assert chart_events(inputs, ALL, drawn_rows(inputs.trends))["number"].tolist() == [1, 2, 3, 5, 6]


@pytest.mark.parametrize(
    ("day", "shown"), [("2018-12-31", 0), ("2019-01-01", 1), ("2025-09-30", 1), ("2025-10-01", 0)]
)
def test_events_outside_the_time_axis_are_not_marked(day: str, shown: int) -> None:
    events = pd.DataFrame({"event_id": ["e"], "date": [day], "label": ["x"]})
    inputs = make_inputs(events=events)
    assert len(chart_events(inputs, "india", drawn_rows(inputs.trends))) == shown


def test_numbers_of_close_events_stand_in_different_lanes() -> None:
    events = numbered_events(make_events())
    inside = events[events["when"] < "2025-10-01"]
    frame = Frame(first=pd.Timestamp("2019-01-01"), last=pd.Timestamp("2025-10-01"), width=262, extent=66, font=10,
                  most=9.0, largest=60.0)  # fmt: skip
    found = dict(zip(inside["event_id"], lanes(inside, frame), strict=True))
    assert found["galwan-clash"] == 0
    assert len({found[name] for name in ("tianjin-baradar", "kabul-falls", "us-withdrawal", "dushanbe")}) == 4
    assert found["ukraine-invasion"] == 0
    assert depth(inside, frame) == 4
    assert depth(inside.iloc[:0], frame) == 0


def test_a_moment_stands_in_proportion_on_the_axis() -> None:
    frame = Frame(first=pd.Timestamp("2020-01-01"), last=pd.Timestamp("2020-01-11"), width=200, extent=60, font=10,
                  most=1.0, largest=60.0)  # fmt: skip
    assert frame.place(pd.Timestamp("2020-01-06")) == pytest.approx(100)
    assert moment(pd.Timestamp("2020-01-06")) == "2020-01-06T00:00:00Z"


def test_a_record_names_its_period_in_utc() -> None:
    rows = drawn_rows(trend_frame(positions("ok", "empty")))
    frame = Frame(first=pd.Timestamp("2020-01-01"), last=pd.Timestamp("2020-07-01"), width=200, extent=60, font=10,
                  most=6.0, largest=60.0)  # fmt: skip
    full, empty = records(series(rows, measure="position", target="a"), frame)
    assert (full["start"], full["stop"]) == ("2020-01-01T00:00:00Z", "2020-04-01T00:00:00Z")
    assert full["start"] < full["from"] < full["middle"] < full["to"] < full["stop"]
    assert "estimate" not in empty


def test_the_file_lists_its_events_and_the_page_version_does_not() -> None:
    shown = texts(spec_of(make_inputs(), "recognition", standalone=True))
    assert "2021-08-15  The Taliban take Kabul" in shown
    assert not any("Kabul" in text for text in texts(spec_of(make_inputs(), "recognition")))


def test_a_long_label_is_wrapped_in_the_list_of_events() -> None:
    events = make_events().assign(label="word " * 60, about="india")
    lines = [t for t in texts(spec_of(make_inputs(events=events), "india", standalone=True)) if "word" in t]
    assert max(map(len, lines)) <= (WIDE[0] + WIDE[1]) / (WIDE[2] * 0.54)
    assert len(lines) == 6 * 3


def test_the_title_names_target_pair_and_period() -> None:
    assert chart_title(make_inputs(), "india") == "India's role: China and Russia by quarter"
    months = make_inputs(trends=make_trends("2020-01", "2020-09", freq="M"))
    assert chart_title(months, ALL) == "Pooled convergence and declared coordination: China and Russia by month"
    assert "India's role: China and Russia by quarter" in texts(spec_of(make_inputs(), "india", standalone=True))


def test_titles_fit_a_phone() -> None:
    for target in ("india", ALL):
        spec = spec_of(make_inputs(), target, layout=NARROW)
        assert max(len(text) for text in texts(spec)) <= 56
        assert spec["vconcat"][0]["width"] == NARROW[0]


def test_the_key_stays_within_the_width() -> None:
    for layout in (WIDE, NARROW):
        key = spec_of(make_inputs(), "india", layout=layout)["vconcat"][0]
        words = [r["text"] for r in values(layers(key, "text"))]
        assert words[:5] == ["China", "Russia", "95% interval, darker 50%", "sparse (below 3)", "no data"]
        ends = [r["x"] + len(r["text"]) * layout[2] * 0.5 for r in values(layers(key, "text"))]
        assert max(ends) <= layout[0] + 12
        assert key["height"] == 18 * len({r["y"] for r in values(layers(key, "text"))})


def test_the_key_names_the_level_of_the_intervals() -> None:
    trends = make_trends().assign(conf_level=0.9)
    assert "90% interval, darker 50%" in texts(spec_of(make_inputs(trends=trends), "india"))


def test_an_uncorrected_series_is_called_so_on_the_file() -> None:
    trends = make_trends()
    inputs = make_inputs(trends=trends.assign(estimator="uncorrected"))
    assert any(text.startswith("UNCORRECTED") for text in texts(spec_of(inputs, "india", standalone=True)))
    assert f'fill="{palette.ALARM}"' in drawing.svg(spec_of(inputs, "india", standalone=True), ident="x")
    corrected = texts(spec_of(make_inputs(trends=trends), "india", standalone=True))
    assert not any(text.startswith("UNCORRECTED") for text in corrected)


def test_the_declared_panel_widens_for_data_beyond_its_scale() -> None:
    wild = [row("2020Q1", "coordination_gap", estimate=2.6, conf_low=-0.4, conf_high=3.2),
            row("2020Q1", "pooled_convergence", estimate=0.5)]  # fmt: skip
    last = views(spec_of(little(*wild), ALL))[-1]
    assert layers(last, "point")[0]["encoding"]["y"]["scale"]["domain"] == [-4, 4]


def test_a_pooled_row_wins_over_one_of_the_pair_and_of_a_country() -> None:
    rows = [row("2020Q1", "declared_coordination", scope=scope, estimate=value)
            for scope, value in (("country", 0.1), ("pair", 0.2), ("pooled", 0.3))]  # fmt: skip
    rows.append(row("2020Q1", "pooled_convergence"))
    panel = views(spec_of(little(*rows), ALL))[1]
    assert [r["estimate"] for r in values(layers(panel, "point"))] == [0.3]


def test_a_country_without_any_data_leaves_the_other_drawn() -> None:
    inputs = little(*positions("ok", "ok"), *positions("empty", "empty", actor="RUS"))
    top, joint, china, russia = views(spec_of(inputs))
    assert len(values(layers(top, "point", stroke=palette.FIRST))) == 2
    assert values(layers(top, "point", stroke=palette.SECOND)) == []
    for view in (joint, china, russia):
        assert len(values(layers(view, "rect", fill=palette.EMPTY))) == 1


def test_a_target_without_any_data_is_drawn_as_a_hatch() -> None:
    inputs = little(*positions("empty", "empty"))
    svg = drawing.svg(spec_of(inputs), ident="void")
    assert "url(#void-hatch)" in svg


@pytest.mark.parametrize(("first", "last", "form"), [("2020-01", "2020-09", "%b %Y"), ("2020-01", "2023-01", "%Y")])
def test_the_time_axis_suits_its_length(first: str, last: str, form: str) -> None:
    spec = spec_of(make_inputs(trends=make_trends(first, last, freq="M")), "india")
    assert {x["axis"]["format"] for v in views(spec) for x in encodings(v) if x.get("type") == "temporal"} == {form}


def test_the_svg_is_well_formed_and_carries_its_text_alternative() -> None:
    root = ET.fromstring(drawn())  # noqa: S314 (our own drawing)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert [child.text for child in list(root)[:2]] == ["T", "D"]


def test_a_drawing_without_alternative_is_hidden_from_assistive_technology() -> None:
    head = drawing.svg(spec_of(make_inputs(), "india"), ident="x").split(">")[0]
    assert 'aria-hidden="true"' in head
    assert "role" not in head


def test_the_svg_loads_nothing_and_runs_nothing() -> None:
    svg = drawn()
    addresses = set(re.findall(r'https?://[^"\s<]+', svg))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"<(script|image|use|foreignObject|style)|\son\w+=|@import", svg)


def test_every_colour_drawn_has_a_counterpart_for_the_dark() -> None:
    for target in ("recognition", ALL):
        svg = drawing.svg(spec_of(make_inputs(), target), ident="x")
        used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) - {"none", "transparent", "url(#x-hatch)"}
        assert used <= set(palette.DARK), used - set(palette.DARK)
        assert {palette.INK, palette.MUTED} <= used


def test_ids_inside_a_drawing_carry_its_prefix() -> None:
    svg = drawn()
    assert all(name.startswith("one-") for name in re.findall(r' id="([^"]+)"', svg))
    assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(re.findall(r' id="([^"]+)"', svg))


def test_hostile_labels_are_text_in_the_drawing() -> None:
    bad = '"><img src=x onerror=alert(1)> <script>alert(2)</script> id="x" url(#y)'
    inputs = make_inputs(
        names={"CHN": bad, "RUS": "</text><script>"}, events=make_events().assign(label=bad, about="india"),
    )  # fmt: skip
    svg = drawing.svg(spec_of(inputs, "india", standalone=True), ident="x", title=bad, text=bad)
    root = ET.fromstring(svg)  # noqa: S314 (our own drawing)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "g", "path", "text", "tspan", "rect", "line", "defs", "pattern", "title", "desc", "clipPath",
    }  # fmt: skip
    assert not any(name.lower().startswith("on") for element in root.iter() for name in element.attrib)
    shown = " ".join("".join(element.itertext()) for element in root.iter(f"{SVG}text"))
    assert "<script>alert(2)</script>" in shown
    assert root[0].text == bad


def test_the_png_is_the_drawing_at_twice_its_size() -> None:
    root = ET.fromstring(drawn())  # noqa: S314 (our own drawing)
    image = drawing.png(drawn())
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", image[16:24])
    assert width == pytest.approx(2 * float(root.get("width", "0")), abs=2)
    assert height == pytest.approx(2 * float(root.get("height", "0")), abs=2)
    assert 1400 <= width <= 1700


def test_the_narrow_drawing_fits_a_phone() -> None:
    root = ET.fromstring(drawing.svg(spec_of(make_inputs(), "recognition", layout=NARROW), ident="x"))  # noqa: S314
    assert float(root.get("width", "0")) <= 358


def test_the_same_inputs_give_the_same_drawing() -> None:
    again = drawing.svg(spec_of(make_inputs(), "recognition", standalone=True), ident="one", title="T", text="D")
    assert again == drawn()


def on_page(target: str = "india") -> str:
    """A drawing as the page has it, with links."""
    inputs = make_inputs(**make_evidence())
    return drawing.svg(spec_of(inputs, target, index=gather(inputs).index), ident="x")


def test_a_drawing_on_the_page_is_lean_and_loses_nothing_that_is_seen() -> None:
    alone, lean = drawing.svg(spec_of(make_inputs(), "india"), ident="x", title="T", text="D"), on_page()
    places = re.findall(r' (?:d|transform|[xy][12])="([^"]*)"', lean)
    decimals = {len(found) for place in places for found in re.findall(r"\d\.(\d+)", place)}
    assert decimals == {1}
    assert 'opacity="0.17"' in lean
    assert not re.search(r'class="(mark-|role-|background|foreground)', lean)
    assert "role-mark" in alone  # the file that stands alone is as it was drawn
    for tag in ("<text", 'fill="url(#x-hatch)"'):
        assert lean.count(tag) == alone.count(tag)


def test_of_a_drawing_with_links_nothing_but_the_links_is_read_out() -> None:
    root = ET.fromstring(on_page())  # noqa: S314 (our own drawing)
    hidden = {id(inner) for g in root.iter(f"{SVG}g") if g.get("aria-hidden") == "true" for inner in g.iter()}
    texts = list(root.iter(f"{SVG}text"))
    assert texts
    assert all(id(text) in hidden for text in texts)
    links = list(root.iter(f"{SVG}a"))
    assert links
    assert not [link for link in links if id(link) in hidden]
    assert all(link.findtext(f"{SVG}title") for link in links)


@pytest.mark.parametrize("measure", ["position", "gap", "convergence"])
def test_the_inner_ribbon_is_near_the_half_that_would_be_computed(measure: str) -> None:
    tags, labels, _ = make_world(5, months=24)
    options = {"freqs": ("quarter",), "permutations": 19, "draws": 400}
    whole, half = (
        drawn_rows(estimate_trends(tags, labels, events_of(), TrendOptions(conf_level=level, **options)).trends)
        for level in (0.95, 0.5)
    )
    shown = whole["measure"].eq(measure) & whole["conf_low"].notna()
    inner = [records_inner(row) for row in whole[shown].to_dict("records")]
    ends = half.loc[shown, ["conf_low", "conf_high"]].to_numpy()
    apart = np.abs(np.array(inner) - ends)
    assert len(apart) > 10
    assert np.median(apart) < 0.03
    assert np.quantile(apart, 0.95) < 0.1


def records_inner(row: dict[str, Any]) -> tuple[float, float]:
    found = _inner(row)
    return found["inner_low"], found["inner_high"]
