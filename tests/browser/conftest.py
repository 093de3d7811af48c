"""A real headless Chromium, when there is one, and a report with hostile statements among the others.

`make browser` installs Debian's Chromium, its driver and fonts. Nothing is downloaded here: without them the
tests of this folder are skipped.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from pipeline.report import ReportInputs, write_report
from tests.test_report_world import make_evidence, make_inputs, make_statement, make_tag, make_trends, with_gaps

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
MISSING = "no Chromium with its driver is installed: run `make browser`"

SCRIPT = '</p></script><script>window.ran = 1</script><img src="http://127.0.0.1:9/x" onerror="window.ran = 2">'
HOSTILE = {
    "script": {"text": SCRIPT, "speaker": SCRIPT, "venue": SCRIPT, "role": SCRIPT, "title": SCRIPT},
    "address": {"url": "javascript:window.ran=3"},
    "quote": {"speaker": '" onfocus="window.ran=4" x=\'', "url": 'https://a.example/" onclick="window.ran=5'},
    "lines": {"text": "one\u2028two\u2029three\x00four", "venue": "a\u2028b"},
    "bidi": {"text": "right \u202eto left", "speaker": "\u202eevil", "venue": "\u2067isolate"},
    "huge": {"text": "word " * 40_000 + "无" * 40_000, "speaker": "y" * 9_000},
    "template": {"text": "{{ 7 * 7 }} {% raw %} ${window.ran=6} <!-- ]]> --> <svg/onload=window.ran=7>"},
}


def hostile_statements() -> list[dict[str, object]]:
    """One statement for each way in which text could try to run or to break the page."""
    return [
        make_statement(900 + i, date="2020-05-05", country="CHN", statement_id=f"h-{name}") | fields
        for i, (name, fields) in enumerate(HOSTILE.items())
    ]


def hostile_report() -> ReportInputs:
    """A whole report on 2020 and 2021 with hostile statements among 120 others."""
    held, bad = make_evidence(), hostile_statements()
    tags = [make_tag(one, "india", "against", evidence_start=0, evidence_end=3) for one in bad]
    return make_inputs(
        trends=with_gaps(make_trends("2019Q1", "2021Q4")),
        statements=pd.concat([held["statements"], pd.DataFrame(bad)], ignore_index=True),
        tags=pd.concat([held["tags"], pd.DataFrame(tags)], ignore_index=True), labels=held["labels"],
        data_card="# Card\n\n" + SCRIPT + "\n\n[x](javascript:alert(1)) ![i](http://127.0.0.1:9/i.png)\n",
        model_card="| a | b |\n|---|---|\n| 1 | 2 |\n",
    )  # fmt: skip


@dataclass(frozen=True)
class Report:
    """A written page and what it was made from."""

    inputs: ReportInputs
    path: Path


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The hostile report, written."""
    inputs = hostile_report()
    return Report(inputs=inputs, path=write_report(inputs, tmp_path_factory.mktemp("report"))[0])


@pytest.fixture(scope="session")
def chromium() -> Iterator[webdriver.Chrome]:
    """One headless Chromium for all tests; it can reach no host by name."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip(MISSING)
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    flags = ["headless=new", "disable-gpu", "disable-dev-shm-usage", "disable-background-networking",
             "host-resolver-rules=MAP * ~NOTFOUND"]  # fmt: skip
    flags += ["no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox does not start for root
    for flag in flags:
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(chromium: webdriver.Chrome, report: Report) -> webdriver.Chrome:
    """The page, freshly loaded on a light laptop screen, with empty logs."""
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    resize(chromium, 1200)
    chromium.get("about:blank")
    for log in ("browser", "performance"):
        chromium.get_log(log)
    chromium.get(report.path.as_uri())
    return chromium


def resize(driver: webdriver.Chrome, width: int) -> None:
    """Give the page a screen of this width."""
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
