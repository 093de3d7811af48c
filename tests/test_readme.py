"""The README word by word: every command of its five things is run as it stands, in a small copy of the project.

The copy has a sixth of the documented statements and few authored passages, so that it trains in seconds. Three
things only are put in place of what a reader has: the virtual environment is a script that runs this code, the
example's site answers on loopback (`--base-url`), and a person's work is scripted (keys on a terminal, an export of
Label Studio, a column filled in).
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.classify.artifact import current_model_id
from pipeline.cli.app import main
from pipeline.schema import STANCES
from tests.site import Site
from tests.sites import plain_page, rss, speech
from tests.test_cli_annotate_label import Screen

ROOT = Path(__file__).parents[1]
THINGS = (
    "Classify a statement", "Add a source", "Add statements from a file", "Label and retrain",
    "Add a target or an actor",
)  # fmt: skip
PARTLY = 3
"""Status of what was done in part, as `adjudicate` while coders differ."""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell and terminal"),
    pytest.mark.skipif(shutil.which("make") is None, reason="needs make"),
    pytest.mark.skipif(current_model_id() is None, reason="no trained model: run `stance retrain`"),
]


def sections() -> dict[str, list[str]]:
    """Return the shell commands of each of the five things, in order, by its title."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("## Five things you will do")[1].split("\n## ")[0]
    parts = re.split(r"^### \d\. (.+)$", text, flags=re.MULTILINE)
    blocks = [re.findall(r"```sh\n(.*?)```", part, flags=re.DOTALL) for part in parts[2::2]]
    return {
        title: [c for b in found for c in commands(b)] for title, found in zip(parts[1::2], blocks, strict=True)
    }


def commands(block: str) -> Iterator[str]:
    """Yield the commands of a block; one with a here-document goes to its end."""
    held: list[str] = []
    for line in block.splitlines():
        held.append(line)
        if "<<'EOF'" in held[0] and line != "EOF":
            continue
        if "".join(held).strip():
            yield "\n".join(held)
        held = []


@dataclass
class Reader:
    """Somebody who follows the README in a folder, and what each command said."""

    home: Path
    site: Site
    said: list[tuple[str, str]] = field(default_factory=list)
    last: bool = False

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("STANCE_")}
        folders = {"STANCE_CORPUS": str(self.home / "corpus"), "STANCE_MODELS": str(self.home / "models")}
        return {**kept, **folders, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}

    def follow(self, command: str) -> None:
        """Run a command as it stands, after what a person does before it."""
        if " annotate label " in command:
            self.label(command)
            return
        if " annotate import project.json" in command:
            label_studio(self.home)
        if "--decisions" in command:
            settle(self.home / "labelling" / "disagreements.csv")
        shown = f"{command} --base-url {self.site.url}" if "ingest example-ministry" in command else command
        if command == "make run" and not self.last:
            shown = "make classify"  # of what it does, what the next thing needs; the last one does it all
        plain = shown.startswith(".venv/bin/stance ") and not set("|<\n") & set(shown)
        status, said = (self.call if plain else self.shell)(shown)
        assert status in ({0, PARTLY} if "adjudicate" in command else {0}), f"{command}\n{said}"
        self.said.append((command, said))

    def shell(self, command: str) -> tuple[int, str]:
        """Run a command by the shell; return its status and what it said."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.home,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def call(self, command: str) -> tuple[int, str]:
        """Run a plain command of ours in this process, which spares the start of another."""
        said = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(said):
            patch.chdir(self.home)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            return main(shlex.split(command)[1:]), said.getvalue()

    def label(self, command: str) -> None:
        """Answer every question on a terminal: on one target by turns, on all of them `none`."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            screen = Screen(*command.split()[1:], home=self.home)
        one, asked = "--targets" in command, 0
        while True:
            try:
                screen.wait_for("> ")
            except pytest.fail.Exception:
                break  # the session is over
            screen.press("1234"[asked % 4] if one else "4")
            asked += 1
        assert screen.end() == 0, screen.shown[-500:]
        self.said.append((command, screen.shown))

    def answer(self, start: str) -> str:
        """Return what the last command that begins so said."""
        return [said for command, said in self.said if command.startswith(start)][-1]


def label_studio(home: Path) -> None:
    """Write what Label Studio exports when user 1 has labelled all tasks: `none`, but for one on India."""
    tasks = json.loads((home / "tasks.json").read_text(encoding="utf-8"))
    for number, task in enumerate(tasks):
        results = []
        for target in task["data"]["targets"]:
            stance = "favor" if number == 0 and target == "india" else "none"
            results.append({
                "id": f"r{number}{target}", "from_name": target, "to_name": "text", "type": "choices",
                "value": {"choices": [stance]}, "origin": "manual",
            })  # fmt: skip
        task |= {"id": number + 1, "annotations": [{
            "id": number + 1, "completed_by": 1, "result": results, "was_cancelled": False, "ground_truth": False,
            "created_at": "2031-01-01T10:00:00.000000Z", "updated_at": "2031-01-01T10:00:00.000000Z", "lead_time": 4.2,
        }]}  # fmt: skip
    (home / "project.json").write_text(json.dumps(tasks), encoding="utf-8")


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def settle(path: Path) -> None:
    """Fill in the column `settled` as the second coder has it."""
    rows = table(path)
    for row in rows:
        row["settled"] = row["by boris"]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def small_copy(home: Path) -> Path:
    """Copy the project: its corpus cut down, its model, its Makefile, and a virtual environment that is a script."""
    shutil.copytree(ROOT / "corpus", home / "corpus")
    shutil.copytree(ROOT / "models", home / "models")
    shutil.copy(ROOT / "Makefile", home)
    for path, every in [(home / "corpus" / "documented" / "statements.jsonl", 6),
                        *((path, 40) for path in (home / "corpus" / "authored").glob("*.jsonl"))]:  # fmt: skip
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(lines[::every]), encoding="utf-8")
    (home / "pyproject.toml").touch()
    (home / "constraints.txt").touch()
    script = home / ".venv" / "bin" / "stance"
    script.parent.mkdir(parents=True)
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pipeline "$@"\n')
    script.chmod(0o755)
    (home / ".venv" / ".ready").touch()
    return home


def serve(site: Site) -> None:
    """Answer as the example's site: a feed of two pages."""
    items = [
        (f"https://www.example.org/news/{n}", f"Talks {n}", f"0{n} Sep 2025 10:00:00 +0000", "") for n in (1, 2)
    ]
    site.put("/robots.txt", "User-agent: *\nAllow: /\n", "text/plain")
    site.put("/feed.xml", rss([(link, title, f"Tue, {day}", text) for link, title, day, text in items]), "text/xml")
    for n in (1, 2):
        site.put(f"/news/{n}", plain_page(title=f"Talks {n}", day=f"2025-09-0{n}", paragraphs=[speech(n)] * 2))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """One who has followed all five things in order, after `make run`."""
    with Site() as site:
        serve(site)
        one = Reader(small_copy(tmp_path_factory.mktemp("reader") / "project"), site)
        one.follow("make classify")
        steps = [command for title in THINGS for command in sections()[title]]
        for place, command in enumerate(steps):
            one.last = "make run" not in steps[place + 1 :]
            one.follow(command)
        yield one


def stored(reader: Reader, query: str) -> list[Any]:
    import sqlite3

    with sqlite3.connect(reader.home / "data" / "stance.sqlite") as db:
        return db.execute(query).fetchall()


def test_the_readme_has_the_five_things_in_order() -> None:
    assert tuple(sections()) == THINGS
    assert all(len(found) >= 2 for found in sections().values())


def test_every_command_was_run_as_it_stands(reader: Reader) -> None:
    assert [command for command, _ in reader.said][1:] == [c for found in sections().values() for c in found]
    assert not [said for _, said in reader.said if "Traceback" in said]


def test_a_statement_is_classified(reader: Reader) -> None:
    rows = list(csv.DictReader(reader.answer(".venv/bin/stance classify --text").splitlines()))
    found = {row["target"]: row["stance"] for row in rows}
    assert found["taliban_recognition"] == "against"
    lines = [json.loads(line) for line in reader.answer("echo").splitlines()]
    assert {line["target"]: line["stance"] for line in lines}["india"] == "favor"


def test_a_source_is_listed_and_read(reader: Reader) -> None:
    assert "example-ministry" in reader.answer(".venv/bin/stance sources")
    assert "example-ministry: 2 found, 2 new" in reader.answer(".venv/bin/stance ingest example-ministry")
    assert "/news/1" in {asked.path for asked in reader.site.asked}


def test_statements_of_a_file_reach_the_page(reader: Reader) -> None:
    assert "2 new" in reader.answer(".venv/bin/stance ingest my-statements.csv")
    told = reader.answer(".venv/bin/stance statements")
    assert told.count("Example Speaker") == 2
    page = (reader.home / "exports" / "report.html").read_text(encoding="utf-8")
    assert page.count("https://www.example.org/1") == 1


def test_labels_are_settled_and_learned_from(reader: Reader) -> None:
    drawn = {row["statement_id"] for row in table(reader.home / "to-label.csv")}
    own = {
        name for (name,) in stored(reader, "SELECT statement_id FROM statements WHERE speaker = 'Example Speaker'")
    }
    assert own <= drawn
    settled = dict(stored(
        reader, "SELECT statement_id, count(*) FROM labels WHERE coder = 'adjudicated' AND target <> 'afghan_aid' "
        "AND origin <> '' GROUP BY 1",
    ))  # fmt: skip
    assert drawn == {name for name, n in settled.items() if n == 5}
    assert stored(reader, "SELECT DISTINCT coder FROM labels ORDER BY 1") == [
        ("adjudicated",),
        ("anna",),
        ("boris",),
    ]


def test_a_target_is_learned_and_drawn(reader: Reader) -> None:
    exports = reader.home / "exports"
    assert "afghan_aid" in {row["target"] for row in table(exports / "trends.csv")}
    assert (exports / "charts" / "afghan_aid.svg").is_file()
    counts = dict(
        stored(
            reader, "SELECT stance, count(*) FROM labels WHERE target = 'afghan_aid' AND coder = 'anna' GROUP BY 1"
        )
    )
    assert counts == dict.fromkeys(STANCES, 15)
    current = json.loads((reader.home / "models" / "index.json").read_text())["current"]
    assert current != current_model_id()


def test_a_speaker_is_known_by_another_spelling(reader: Reader) -> None:
    noted = json.loads((reader.home / "exports" / "two-speakers" / "datapackage.json").read_text())["selection"]
    assert noted["speakers"] == ["Example Speaker", "Wang Yi"]
