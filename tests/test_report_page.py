"""The page and its files: whole, self-contained, escaped, honest about what is missing."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import StanceError
from pipeline.report import forest, palette, words, write_report
from pipeline.report.evidence import BUDGET, safe_link
from pipeline.report.inputs import ALL, ReportInputs
from pipeline.report.page import page
from pipeline.schema import TEST_COLUMNS, TREND_COLUMNS
from tests.test_report_world import (
    CORE,
    OTHER,
    make_events,
    make_evidence,
    make_inputs,
    make_sources,
    make_targets,
    make_tests,
    make_trends,
    row,
    test_row,
    trend_frame,
)

VOID = {"meta", "br", "hr", "img", "input", "link"}
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script></svg></style>{{ 7*7 }}'


class Page(HTMLParser):
    """The elements of a page, with their attributes, their text, and whether they nest."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.cells: list[list[str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag == "tr":
            self.cells.append([])
        if tag in {"td", "th"}:
            self.cells[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"style", "script"} & set(self.open):
            return
        self.text.append(data)
        if {"td", "th"} & set(self.open):
            self.cells[-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))


@cache
def usual() -> str:
    return page(make_inputs())


@cache
def parsed() -> Page:
    return Page(usual())


def small(**more: Any) -> ReportInputs:
    """Inputs with one target and four quarters, quick to draw."""
    kinds = (("position", "CHN"), ("position", "RUS"), ("convergence", "CHN-RUS"))
    rows = [
        row(f"2020Q{q}", measure, target="india", country=actor, estimate=0.1 * q)
        for q in (1, 2, 3, 4) for measure, actor in kinds
    ]  # fmt: skip
    return make_inputs(**({"trends": trend_frame(rows), "tests": make_tests().iloc[:0]} | more))


def bare(**more: Any) -> ReportInputs:
    """Inputs without trends and event tests, for what has nothing to do with drawings."""
    tests = make_tests().query("test != 'event'")
    return make_inputs(**({"trends": pd.DataFrame(columns=list(TREND_COLUMNS)), "tests": tests} | more))


def read(inputs: ReportInputs) -> Page:
    return Page(page(inputs))


def test_what_a_page_cannot_hold_is_in_a_table_beside_it(tmp_path: Path) -> None:
    held = make_evidence(BUDGET + 100)
    held["statements"].loc[3, "text"] = "=cmd('format')"
    inputs = bare(**held)
    paths = write_report(inputs, tmp_path)
    assert paths[1] == tmp_path / "statements.csv"
    beside = pd.read_csv(paths[1])
    assert len(beside) == BUDGET + 100
    assert beside["on_page"].sum() == BUDGET
    assert beside.loc[beside["statement_id"] == "x00003", "text"].tolist() == ["'=cmd('format')"]
    text = paths[0].read_text(encoding="utf-8")
    assert text.count('<li class="s"') == BUDGET
    assert f"This page holds {BUDGET:,} of {BUDGET + 100:,} statements" in text
    assert '<a href="statements.csv" download>statements.csv</a>' in text
    assert len(text.encode()) < 3_000_000


@pytest.mark.parametrize("with_evidence", [False, True])
def test_all_files_are_written_and_named(tmp_path: Path, with_evidence: bool) -> None:
    inputs = make_inputs(**(make_evidence() if with_evidence else {}))
    paths = write_report(inputs, tmp_path / "deep" / "exports")
    stems = ["pooled", *CORE, *OTHER]
    stems += ["indicator-precedence"] if with_evidence else []
    stems += ["events", *(["calibration"] if with_evidence else [])]
    table = ["statements.csv"] if with_evidence else []
    expected = ["report.html", *table, *(f"charts/{stem}.{kind}" for stem in stems for kind in ("svg", "png"))]
    assert [path.relative_to(tmp_path / "deep" / "exports").as_posix() for path in paths] == expected
    assert all(path.stat().st_size > 2000 for path in paths)
    assert sorted(p for p in (tmp_path / "deep").rglob("*") if p.is_file()) == sorted(paths)


def test_the_same_inputs_write_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_report(small(), tmp_path / name) for name in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_second_report_replaces_the_first(tmp_path: Path) -> None:
    write_report(bare(), tmp_path)
    write_report(bare(model_id="another"), tmp_path)
    assert "Classifier another" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StanceError, match="cannot write"):
        write_report(bare(), tmp_path / "file")


def test_hostile_targets_write_inside_the_folder(tmp_path: Path) -> None:
    rows = [row("2020Q1", "position", target=name, country="CHN") for name in ("../../up", "<script>", "pooled")]
    paths = write_report(make_inputs(trends=trend_frame(rows), tests=make_tests().iloc[:0]), tmp_path / "out")
    assert len(set(paths)) == 9
    assert all(path.resolve().is_relative_to(tmp_path / "out") for path in paths)


def test_the_page_is_small() -> None:
    assert len(usual().encode()) < 1_500_000


def test_the_page_is_well_formed_and_has_one_script_of_its_own() -> None:
    assert parsed().open == []
    tags = {tag for tag, _ in parsed().elements}
    assert parsed().all("script") == [{}]
    assert not tags & {"img", "link", "iframe", "object", "embed", "image", "use", "base", "form"}
    assert not [name for _, attributes in parsed().elements for name in attributes if name.startswith("on")]


def test_the_page_asks_for_nothing() -> None:
    given = {name for _, attributes in parsed().elements for name in attributes}
    assert not given & {"src", "srcset", "xlink:href", "data", "action", "background", "poster"}
    assert not re.search(r"@import|url\((?!#)", usual())
    assert {a["href"] for a in parsed().all("a") if not a["href"].startswith("#")} == {"https://example.org/source"}
    policy = next(m["content"] for m in parsed().all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy.split("; ") == [
        "default-src 'none'", f"script-src 'sha256-{digest(usual())}'", "style-src 'unsafe-inline'", "base-uri 'none'",
        "form-action 'none'",
    ]  # fmt: skip


def script_of(text: str) -> str:
    """The text of the page's script, as a browser reads it: up to the first closing tag."""
    return text.split("<script>", 1)[1].split("</script", 1)[0]


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(script_of(text).encode()).digest()).decode()


def test_the_script_holds_no_data_and_asks_for_nothing() -> None:
    assert script_of(usual()) == script_of(page(bare()))
    for name in (
        "fetch",
        "XMLHttpRequest",
        "import(",
        "innerHTML",
        "eval",
        "document.write",
        "localStorage",
        "http",
    ):
        assert name not in script_of(usual())


def test_links_within_the_page_lead_somewhere() -> None:
    ids = Counter(a["id"] for _, a in parsed().elements if "id" in a)
    assert [name for name, count in ids.items() if count > 1] == []
    assert {a["href"][1:] for a in parsed().all("a") if a["href"].startswith("#")} <= set(ids)
    labels = {a["aria-labelledby"] for _, a in parsed().elements if "aria-labelledby" in a}
    assert labels <= set(ids)


def test_the_page_is_made_for_phone_print_and_dark() -> None:
    style = usual()[usual().index("<style>") : usual().index("</style>")]
    assert "@media screen and (prefers-color-scheme: dark)" in style
    assert "@media print" in style
    assert "@media (max-width: 46rem)" in style
    assert any(m.get("name") == "viewport" for m in parsed().all("meta"))
    for light, name in palette.NAMES.items():
        assert f"--{name}: {light};" in style
        assert f"--{name}: {palette.DARK[light]};" in style
        assert f'.chart svg [fill="{light}"] {{ fill: var(--{name}); }}' in style
        assert f'.chart svg [stroke="{light}"] {{ stroke: var(--{name}); }}' in style


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.1."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_text_and_series_stand_out_from_the_ground(dark: bool) -> None:
    shade = dict(palette.DARK) if dark else {light: light for light in palette.DARK}
    ground = shade[palette.PAPER]
    for colour in (palette.INK, palette.MUTED, palette.ALARM, palette.SECOND):
        assert contrast(shade[colour], ground) >= 4.5
    for colour in (palette.FIRST, palette.JOINT, palette.TALK):
        assert contrast(shade[colour], ground) >= 3


def test_every_chart_has_a_computed_text_alternative() -> None:
    images = [a for a in parsed().all("div") if a.get("role") == "img"]
    texts = [words.chart_text(make_inputs(), target) for target in (ALL, *CORE, *OTHER)]
    for image, text in zip(images, [*texts, forest.text(make_inputs())], strict=True):
        assert text in image["aria-label"]
    drawings = parsed().all("svg")
    assert len(drawings) == 2 * (6 + len(forest.groups(make_inputs())))
    assert all(drawing["aria-hidden"] == "true" for drawing in drawings)


def test_every_chart_has_its_summary_for_all_to_read() -> None:
    for target in (ALL, *CORE, *OTHER):
        assert parsed().words.count(words.chart_text(make_inputs(), target)) == 1


def test_a_wide_and_a_narrow_drawing_are_exchanged_by_the_style() -> None:
    widths = [float(drawing["width"]) for drawing in parsed().all("svg")]
    assert all(wide > 700 and narrow < 370 for wide, narrow in zip(widths[:12:2], widths[1:12:2], strict=True))
    parts = widths[12:]  # the forest, a drawing a target, first all wide ones
    assert len(parts) == 2 * len(forest.groups(make_inputs()))
    assert min(parts[: len(parts) // 2]) > 700
    assert max(parts[len(parts) // 2 :]) < 370
    assert ".narrow { display: none; }" in usual()
    assert ".wide { display: none; }" in usual()


def test_the_findings_come_first() -> None:
    found = words.findings(make_inputs())
    text = parsed().words
    for finding in found:
        for sentence in (*finding.sentences, *finding.tested):
            assert sentence in text
    assert text.index(found[0].sentences[0]) < text.index("This chart in words and numbers")


def test_the_order_of_sections() -> None:
    ids = [a["id"] for a in parsed().all("section")]
    assert ids == [
        "answer", "declared", "charts", "indicators", "events", "evidence", "years", "tests", "sure", "reading", "data",
    ]  # fmt: skip


def test_the_heading_tells_date_model_and_codebook() -> None:
    assert "Made on 2025-11-03 . Classifier linear-1, codebook version 2." in parsed().words


def test_the_year_table_shows_the_last_quarter_with_convergence() -> None:
    rows = [
        row("2020Q2", "convergence", target="india", estimate=0.5),
        row("2020Q2", "position", target="india", country="CHN", estimate=-0.1),
        row("2020Q4", "position", target="india", country="CHN", estimate=0.9),
        row("2021Q3", "position", target="india", country="RUS", estimate=0.3, status="sparse"),
        row("2022Q1", "position", target="india", country="RUS", status="empty"),
    ]
    cells = read(make_inputs(trends=trend_frame(rows))).cells
    start = cells.index(["Quarter", "China, position", "Russia, position", "Convergence"])
    assert cells[start + 1 : start + 5] == [
        ["India's role"],
        ["2020 Q2", "−0.10 [−0.30 to +0.10]", "–", "0.50 [0.30 to 0.70]"],
        ["2021 Q3", "–", "+0.30 [+0.10 to +0.50] sparse", "–"],
        ["2022", "–", "–", "–"],
    ]


def test_the_numbers_behind_a_chart_are_the_frames() -> None:
    cells = read(small()).cells
    head = [
        "Quarter", "China, position", "Russia, position", "Gap", "Convergence", "China, salience", "Russia, salience",
    ]  # fmt: skip
    start = cells.index(head)
    signed = "+0.10 [−0.10 to +0.30]"
    assert cells[start + 1] == ["2020 Q1", signed, signed, "–", "0.10 [−0.10 to 0.30]", "–", "–"]
    assert cells[start + 4][0] == "2020 Q4"


def test_the_tests_table_gives_effect_adjusted_p_and_smallest_effect() -> None:
    cells = parsed().cells
    line = ["event 3", "2019-01 to 2025-09", "+0.27 [+0.11 to +0.43]", "convergence", "0.012", "detected", "0.28"]
    assert cells.count(line) == 1
    line = ["trend", "2019-01 to 2025-09", "+0.08 [−0.10 to +0.26]", "convergence", "0.61", "not detected", "0.31"]
    assert cells.count(line) == 4
    assert len([attributes for attributes in parsed().all("tr") if attributes.get("class") == "detected"]) == 1


def test_tests_are_grouped_by_target_the_pool_first() -> None:
    groups = [name for (name,) in (line for line in parsed().cells if len(line) == 1)]
    assert groups == [*CORE.values(), "Pooled index", *CORE.values()]


def test_tests_that_could_not_be_made_are_listed_apart() -> None:
    rows = [test_row("event", "mine", event_id=name, p_adjusted=np.nan, effect=np.nan, conf_low=np.nan)
            for name in ("kabul-falls", "unknown")]  # fmt: skip
    rows.append(test_row("trend", "mine", min_detectable_effect=np.nan, exploratory=True))
    found = read(bare(tests=pd.DataFrame(rows)))
    assert "Not testable with these data: event 3, event unknown." in found.words
    assert ["trend", "2019-01 to 2025-09", "+0.08 [−0.10 to +0.26]", "convergence", "0.61",
            "not detected †", "–"] in found.cells  # fmt: skip


def test_the_events_table_numbers_dates_and_links() -> None:
    line = next(line for line in parsed().cells if line[:2] == ["3", "2021-08-15"])
    about = f"{CORE['recognition']}, {CORE['security']}, {OTHER['presence']}"
    assert line[2:] == ["The Taliban take Kabul source", about]
    links = [a for a in parsed().all("a") if a["href"].startswith("https")]
    assert len(links) == 7
    assert all(link["aria-label"] for link in links)


def test_an_event_about_nothing_in_particular_is_about_all() -> None:
    found = read(bare(events=make_events()[["event_id", "date", "label"]]))
    assert ["3", "2021-08-15", "The Taliban take Kabul", "all"] in found.cells


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", " https://x", "data:text/html,x", "//x.org", "", None, np.nan, "https://x y", "x", 3],
)
def test_only_web_addresses_are_linked(address: object) -> None:
    assert safe_link(address) == ""


def test_a_web_address_is_linked() -> None:
    assert safe_link("http://example.org/a?b=1") == "http://example.org/a?b=1"


def test_statements_are_counted_by_country_and_provenance() -> None:
    cells = parsed().cells
    assert ["China", "documented paraphrase", "400", "300", "75%"] in cells
    assert ["China", "verbatim text", "50", "5", "10%"] in cells
    assert ["Russia", "as reported by media", "21", "0", "0%"] in cells


def test_no_statements_make_no_share() -> None:
    sources = make_sources().assign(statements=0, labelled=0, provenance="novel")
    assert ["China", "novel", "0", "0", "–"] in read(bare(sources=sources)).cells
    assert "No statement was counted." in read(bare(sources=sources.iloc[:0])).words


def test_the_page_says_who_labelled_and_what_it_cannot_show() -> None:
    text = parsed().words
    assert "The labels were coded by language models that followed the codebook." in text
    assert "No area expert has checked them." in text
    assert "Silence is not neutrality" in text
    assert "Words are not deeds" in text


def test_an_uncorrected_report_opens_with_a_warning() -> None:
    inputs = small()
    loud = page(small(trends=inputs.trends.assign(estimator="uncorrected")))
    assert loud.index('class="warning"') < loud.index('id="answer"')
    assert words.UNCORRECTED.split("{", maxsplit=1)[0] in Page(loud).words
    assert 'class="warning"' not in page(inputs)


def test_no_rows_at_all_still_make_a_page(tmp_path: Path) -> None:
    inputs = make_inputs(
        trends=pd.DataFrame(columns=list(TREND_COLUMNS)), tests=pd.DataFrame(columns=list(TEST_COLUMNS)),
        events=make_events().iloc[:0], sources=make_sources().iloc[:0],
    )  # fmt: skip
    assert write_report(inputs, tmp_path) == [tmp_path / "report.html"]
    found = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    for sentence in (words.NO_ROWS, "There is nothing to draw.", "No year has data", "No test was made.",
                     "No event was given.", "No statement was counted."):  # fmt: skip
        assert sentence in found.words
    assert found.all("svg") == []


def test_a_target_that_the_codebook_does_not_know_is_shown_by_its_id() -> None:
    rows = [row("2020Q1", "position", target="my_own", country="CHN")]
    found = read(make_inputs(trends=trend_frame(rows)))
    assert "my_own: China and Russia by quarter" in found.words
    assert {"id": "my_own"}.items() <= found.all("figure")[1].items()


def test_the_proposition_of_a_target_is_printed() -> None:
    first, *rest = make_targets().target
    spelled = first.model_copy(update={"proposition": "India is welcome."})
    targets = make_targets().model_copy(update={"target": (spelled, *rest)})
    assert "Proposition: India is welcome." in read(small(targets=targets)).words


def test_months_are_called_months_on_the_page() -> None:
    inputs = make_inputs(trends=make_trends("2020-01", "2020-03", freq="M").query("target == 'india'"))
    found = read(inputs)
    assert ["Month", "China, position", "Russia, position", "Convergence"] in found.cells
    assert "Hatched months" in re.sub(r"\s+", " ", found.words)


def hostile_inputs() -> ReportInputs:
    rows = [row(f"2020Q{q}", "position", target=HOSTILE, country="CHN") for q in (1, 2)]
    rows.append(row("2020Q1", "convergence", target=HOSTILE))
    tests = make_tests().assign(target=HOSTILE, event_id=HOSTILE, unit=HOSTILE, test=HOSTILE)
    events = make_events().assign(
        label=HOSTILE, event_id=HOSTILE, date="2020-02-01", source_url=f"https://{HOSTILE}"
    )
    return make_inputs(
        trends=trend_frame(rows).assign(estimator="uncorrected"), tests=tests, events=events,
        names={"CHN": HOSTILE, "RUS": HOSTILE + "2"}, model_id=HOSTILE,
        sources=make_sources().assign(provenance=HOSTILE),
    )  # fmt: skip


def test_hostile_text_stays_text_everywhere() -> None:
    text = page(hostile_inputs())
    found = Page(text)
    assert found.open == []
    assert found.all("script") == [{}]
    assert not found.all("img")
    assert not [name for _, attributes in found.elements for name in attributes if name.startswith("on")]
    assert {a["href"][:1] for a in found.all("a")} == {"#"}
    assert text.count("<script") == 1
    assert script_of(text) == script_of(page(bare()))
    assert "<img" not in text
    assert HOSTILE in found.words
    assert "49" not in found.words.replace("2049", "")


def test_the_page_is_dated_by_its_inputs_alone() -> None:
    assert "1999-12-31" in read(bare(made_on=dt.date(1999, 12, 31))).words
