"""The page in a real browser: it draws, filters, answers clicks and keys, runs nothing foreign, asks for nothing."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from pipeline.report import forest
from pipeline.report.evidence import gather, settled
from tests.browser.conftest import Report, resize

Chrome = webdriver.Chrome
SHOTS = os.environ.get("STANCE_SCREENSHOTS", "")
"""Folder for screenshots to look at; none are kept without it."""


def all_of(page: Chrome, selector: str) -> list[WebElement]:
    return page.find_elements(By.CSS_SELECTOR, selector)


def one(page: Chrome, selector: str) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, selector)


def status(page: Chrome) -> str:
    return one(page, "#f-status").text


def visible(page: Chrome) -> list[str]:
    """Ids of the statements that the filter lets through."""
    found: list[str] = page.execute_script(
        "return [...document.querySelectorAll('.s:not([hidden])')].map((el) => el.id)"
    )
    return found


def choose(page: Chrome, name: str, text: str) -> None:
    """Set a field as a user would: by typing, or by choosing an option."""
    field = one(page, f"#f-{name}")
    if field.tag_name == "input":
        field.clear()
        field.send_keys(text)
        return
    next(option for option in field.find_elements(By.TAG_NAME, "option") if option.text == text).click()


def click(page: Chrome, element: WebElement) -> None:
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def shot(page: Chrome, name: str) -> bytes:
    taken = page.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": False})
    image = base64.b64decode(taken["data"])
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        (Path(SHOTS) / f"{name}.png").write_bytes(image)
    return image


def expected(report: Report, **want: str) -> set[str]:
    """Ids of statements (as on the page) that fit, worked out from the tables."""
    held = gather(report.inputs)
    tags = settled(report.inputs.tags, report.inputs.labels)
    stances = {(str(r.statement_id), str(r.target)): r.final for r in tags.itertuples()}
    rows = report.inputs.statements.set_index("statement_id")
    answer = set()
    for group in held.groups:
        for item in group["items"]:
            given = {t: stances.get((item["id"], t), "none") for t in held.index.targets}
            spoken = [s for t, s in given.items() if s != "none" and t == want.get("target", t)]
            fits = (
                (not want.get("target") or spoken)
                and (not want.get("stance") or want["stance"] in spoken)
                and (not want.get("country") or rows.loc[item["id"], "country"] == want["country"])
                and (not want.get("speaker") or want["speaker"] in str(rows.loc[item["id"], "speaker"]))
                and (not want.get("period") or group["id"] == want["period"])
            )
            answer |= {f"s{item['number']}"} if fits else set()
    return answer


def points(page: Chrome, figure: str) -> list[WebElement]:
    return all_of(page, f"#{figure} .wide a.point")


def test_nothing_is_asked_for_and_nothing_goes_wrong(page: Chrome, report: Report) -> None:
    click(page, points(page, "india")[0])
    assert [entry["message"] for entry in page.get_log("browser")] == []
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}
    assert {url.split("#")[0] for url in asked} == {report.path.as_uri()}


def test_every_chart_is_drawn(page: Chrome, report: Report) -> None:
    drawings = [drawing for drawing in all_of(page, ".wide svg") if drawing.is_displayed()]
    parts = len(forest.groups(report.inputs))
    assert len(drawings) == 6 + 1 + parts + 1  # targets and pool, an indicator, the forest, calibration
    for drawing in drawings:
        assert drawing.size["width"] > 300
        assert drawing.size["height"] > 80
        assert len(drawing.find_elements(By.CSS_SELECTOR, "path, line, rect")) > 10
    assert not any(drawing.is_displayed() for drawing in all_of(page, ".narrow svg"))
    for figure in ("pooled", "india", "recognition", "security", "coordination", "presence"):
        assert len(points(page, figure)) > 10


def test_a_click_on_a_point_shows_its_statements_and_leads_back(page: Chrome, report: Report) -> None:
    point = next(
        p for p in points(page, "india")
        if p.get_attribute("data-c") == "0" and p.get_dom_attribute("href").endswith("#q-2020Q2")
    )  # fmt: skip
    name = point.accessible_name
    click(page, point)
    found = expected(report, target="india", country="CHN", period="2020Q2")
    assert set(visible(page)) == found
    assert len(found) >= 7
    assert status(page).startswith(f"{len(found)} of ")
    assert "China, India's role, 2020 Q2" in status(page)
    assert page.switch_to.active_element.get_attribute("id") == "evidence-title"
    shown = [el for el in all_of(page, ".s") if el.is_displayed()]
    assert {el.get_attribute("id") for el in shown} == found
    assert all("China" in el.text and "India's role: " in el.text for el in shown)
    shot(page, "evidence")
    click(page, one(page, "#f-back"))
    assert page.switch_to.active_element.accessible_name == name


def test_a_pairs_point_shows_both_countries(page: Chrome, report: Report) -> None:
    point = next(p for p in points(page, "india") if p.get_attribute("data-c") is None)
    period = point.get_dom_attribute("href").split("#q-")[1]
    click(page, point)
    assert set(visible(page)) == expected(report, target="india", period=period)


def test_the_words_that_show_the_stance_are_marked_for_the_target_asked_for(page: Chrome) -> None:
    click(page, points(page, "india")[3])
    marked = [mark for mark in all_of(page, ".s:not([hidden]) mark") if mark.is_displayed()]
    assert marked
    clear = "rgba(0, 0, 0, 0)"
    for mark in marked:
        about = mark.get_attribute("data-t").split()
        assert (mark.value_of_css_property("background-color") == clear) is ("0" not in about)


@pytest.mark.parametrize(
    ("fields", "want"),
    [
        ({"country": "Russia"}, {"country": "RUS"}),
        ({"speaker": "vera"}, {"speaker": "Vera Sild"}),
        ({"target": "India's role", "stance": "against"}, {"target": "india", "stance": "against"}),
        ({"stance": "favor"}, {"stance": "favor"}),
        ({"from": "2020 Q1", "to": "2020 Q1"}, {"period": "2020Q1"}),
        ({"country": "China", "target": "Security of Central Asia", "stance": "neutral"},
         {"country": "CHN", "target": "security", "stance": "neutral"}),
    ],
)  # fmt: skip
def test_the_filters_agree_with_the_tables(
    page: Chrome, report: Report, fields: dict[str, str], want: dict[str, str]
) -> None:
    for name, text in fields.items():
        choose(page, name, text)
    found = expected(report, **want)
    assert 0 < len(found) < len(expected(report))
    assert set(visible(page)) == found
    assert status(page).startswith(f"{len(found)} of {len(expected(report))} statements: ")


def test_words_are_searched_for_in_any_order_and_case(page: Chrome) -> None:
    choose(page, "text", "NUMBER 30. lin")
    assert status(page).startswith("1 of ")
    assert "something on number 30" in one(page, ".s:not([hidden])").text
    choose(page, "text", "no such words")
    assert status(page).startswith("0 of ")
    assert not [el for el in all_of(page, "details.period") if el.is_displayed()]
    one(page, "#f-clear").click()
    assert status(page) == f"{len(all_of(page, '.s'))} of {len(all_of(page, '.s'))} statements."


def test_a_range_of_periods_counts_both_ends(page: Chrome, report: Report) -> None:
    choose(page, "from", "2020 Q2")
    choose(page, "to", "2020 Q4")
    found = set.union(*(expected(report, period=f"2020Q{q}") for q in (2, 3, 4)))
    assert set(visible(page)) == found


def test_the_keyboard_reaches_points_and_opens_them(page: Chrome) -> None:
    first = points(page, "india")[0]
    name = first.accessible_name
    page.execute_script("arguments[0].focus()", first)
    keys = page.switch_to.active_element
    keys.send_keys(Keys.ARROW_RIGHT)
    second = page.switch_to.active_element
    assert second.accessible_name != name
    assert second.accessible_name.split(", ")[:2] == name.split(", ")[:2]
    second.send_keys(Keys.END)
    page.switch_to.active_element.send_keys(Keys.HOME)
    assert page.switch_to.active_element.accessible_name == name
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.switch_to.active_element.get_attribute("id") == "evidence-title"
    assert "China, India's role" in status(page)


def test_a_series_is_one_stop_of_the_tabulator_key(page: Chrome) -> None:
    stops = [p for p in points(page, "india") if p.get_attribute("tabindex") == "0"]
    assert len(stops) == 4  # two positions, the gap, convergence
    assert len(points(page, "india")) > 30


def test_a_reader_hears_links_with_names_and_no_marks(page: Chrome) -> None:
    tree = page.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    heard = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in tree if not n.get("ignored")]
    links = [name for role, name in heard if role == "link"]
    assert any(name.startswith("China, position, 2020 Q2: ") and name.endswith("statements") for name in links)
    assert all(links)
    groups = [name for role, name in heard if role == "group"]
    assert any(name.startswith("India's role: China and Russia by quarter. Chart by quarter") for name in groups)
    assert not [name for role, name in heard if role == "StaticText" and name == "favor (+1)"]
    assert ("searchbox", "Search") in heard
    assert ("status", "") in heard or any(role == "status" for role, _ in heard)


def test_every_chart_has_its_numbers_in_a_table(page: Chrome) -> None:
    for figure in all_of(page, "figure"):
        assert len(figure.find_elements(By.CSS_SELECTOR, "details table tbody tr")) > 0, figure.get_attribute("id")


def test_hostile_text_runs_nothing_and_stays_text(page: Chrome) -> None:
    choose(page, "text", "window.ran")
    for summary in all_of(page, "details:not([open]) > summary"):
        page.execute_script("arguments[0].click()", summary)
    assert page.execute_script("return window.ran") is None
    assert page.execute_script("return document.scripts.length") == 1
    assert page.execute_script("return document.images.length") == 0
    assert page.execute_script(
        "return [...document.querySelectorAll('*')].filter((el) => [...el.attributes].some((a) => /^on/i.test(a.name)))"
    ) == []  # fmt: skip
    links = page.execute_script(
        "return [...document.querySelectorAll('a')].map((a) => a.getAttribute('href') || a.href.baseVal)"
    )
    assert {link.split(":")[0] for link in links if not link.startswith("#")} == {"https"}
    assert "</p></script><script>window.ran = 1</script>" in one(page, "#evidence").text
    assert "{{ 7 * 7 }}" in one(page, "#evidence").text


def test_the_policy_stops_what_the_escaping_might_miss(page: Chrome) -> None:
    page.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.ran = 8'; document.body.append(s);"
        "const i = new Image(); i.src = 'http://127.0.0.1:9/i.png'; document.body.append(i);"
        "document.body.insertAdjacentHTML('beforeend', '<button id=bad onclick=\"window.ran = 9\">x</button>');"
        "document.getElementById('bad').click();"
    )
    assert page.execute_script("return window.ran") is None
    refused = " ".join(entry["message"] for entry in page.get_log("browser"))
    assert "script-src" in refused or "Content Security Policy" in refused


def test_reordering_and_hidden_characters_are_shown_as_such(page: Chrome) -> None:
    held: str = page.execute_script("return document.getElementById('evidence').textContent")
    assert not set(held) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\x00")
    assert "right \ufffdto left" in held
    assert "one two three\ufffdfour" in held


def test_huge_text_is_cut_and_the_page_keeps_its_width(page: Chrome) -> None:
    choose(page, "text", "word word word")
    for width in (1200, 400):
        resize(page, width)
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
    assert len(one(page, ".s:not([hidden]) .text").text) < 800


def test_dark_and_light_differ_and_both_are_drawn(page: Chrome) -> None:
    light = one(page, "body").value_of_css_property("background-color")
    page.execute_script("document.getElementById('india').scrollIntoView()")
    first = shot(page, "light")
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    dark = one(page, "body").value_of_css_property("background-color")
    assert (light, dark) == ("rgba(253, 253, 252, 1)", "rgba(20, 24, 28, 1)")
    assert one(page, "#india .wide text").value_of_css_property("fill") in {
        "rgb(232, 234, 236)",
        "rgb(169, 179, 188)",
    }
    second = shot(page, "dark")
    assert first != second
    assert min(len(first), len(second)) > 20_000


def test_a_phone_gets_the_narrow_drawings_and_no_sideways_scrolling(page: Chrome) -> None:
    resize(page, 400)
    assert page.execute_script("return document.documentElement.scrollWidth") <= 400
    assert all(drawing.is_displayed() for drawing in all_of(page, ".narrow svg"))
    assert not any(drawing.is_displayed() for drawing in all_of(page, ".wide svg"))
    page.execute_script("document.getElementById('india').scrollIntoView()")
    assert len(shot(page, "narrow")) > 10_000
    click(page, all_of(page, "#india .narrow a.point")[2])
    assert "India's role" in status(page)


def test_on_a_phone_a_caption_stays_in_sight_while_its_table_scrolls(page: Chrome) -> None:
    resize(page, 400)
    caption = one(page, "#tests caption")
    page.execute_script("arguments[0].scrollIntoView()", caption)
    before = caption.rect
    page.execute_script("arguments[0].closest('.scroll').scrollLeft = 150", caption)
    assert page.execute_script("return arguments[0].closest('.scroll').scrollLeft", caption) == 150
    assert caption.rect["x"] == before["x"]
    assert before["x"] >= 0
    assert before["x"] + before["width"] <= 400


def test_no_table_is_cut_off_on_a_laptop(page: Chrome) -> None:
    for box in all_of(page, "#tests .scroll, #events .scroll, #years .scroll, #data .scroll, #sure .scroll"):
        if box.is_displayed():
            wide, seen = page.execute_script("return [arguments[0].scrollWidth, arguments[0].clientWidth]", box)
            assert wide <= seen + 1, box.get_attribute("aria-label")


def test_print_leaves_out_what_cannot_be_used_on_paper(page: Chrome) -> None:
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not one(page, "nav").is_displayed()
    assert not one(page, "#evidence").is_displayed()
    assert one(page, "#india .wide svg").is_displayed()
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    printed = base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert printed[:5] == b"%PDF-"
    assert len(printed) > 50_000


def test_what_was_searched_for_is_printed(page: Chrome) -> None:
    choose(page, "text", "number 17.")
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert [el.get_attribute("id") for el in all_of(page, ".s") if el.is_displayed()] == visible(page)


def test_without_scripts_everything_is_there_and_a_point_leads_to_its_period(page: Chrome, report: Report) -> None:
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    page.get(report.path.as_uri())
    assert not one(page, "#filters").is_displayed()
    assert len(all_of(page, ".s")) == len(expected(report))
    point = points(page, "india")[3]
    period = point.get_dom_attribute("href").split("#")[1]
    page.get(f"{report.path.as_uri()}#{period}")
    assert one(page, f"[id='{period}'] .s").is_displayed()
    assert page.execute_script("return window.ran") is None


def test_an_example_of_an_indicator_leads_to_its_statement(page: Chrome) -> None:
    examples = all_of(page, "#indicators a.one")
    click(page, examples[0])
    assert one(page, examples[0].get_dom_attribute("href")).is_displayed()


def test_an_indicator_leads_to_all_its_statements(page: Chrome, report: Report) -> None:
    click(page, one(page, "#indicators a.behind"))
    assert set(visible(page)) == expected(report, target="india", country="RUS")
