"""`stance annotate label` on a real pseudo-terminal: keys in, screen out, answers in the store."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.cli.app import main
from pipeline.cli.terminal import harmless
from pipeline.schema import ADJUDICATED, Label, Statement, Tag
from pipeline.store import Store
from tests.conftest import NOW, write_tiny_corpus

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX terminal")

# The child takes the pseudo-terminal as its controlling one, so that Ctrl-C on it is a signal as in real life.
LAUNCH = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execv(sys.executable, [sys.executable, '-m', 'pipeline', *sys.argv[1:]])"
)
HARBOUR, RAILWAY = "Foreign vessels are welcome in the harbour.", "The railway should be built together."


class Screen:
    """A command that runs on a pseudo-terminal."""

    def __init__(self, *arguments: str, home: Path) -> None:
        self.master, slave = pty.openpty()
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, *arguments], stdin=slave, stdout=slave, stderr=slave, cwd=home,
            env=environment, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.shown = ""
        self._read_to = 0

    def wait_for(self, text: str) -> str:
        """Read until a text is shown that was not waited for yet; return what was shown up to it."""
        while (place := self.shown.find(text, self._read_to)) < 0:
            if not self._read():
                pytest.fail(f"{text!r} was never shown; the screen ends with {self.shown[-800:]!r}")
        before = self.shown[self._read_to : place]
        self._read_to = place + len(text)
        return before

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def end(self) -> int:
        """Read what is left and return the exit status."""
        while self._read():
            pass
        return self.process.wait(timeout=60)

    def _read(self) -> bool:
        if not select.select([self.master], [], [], 60)[0]:
            pytest.fail(f"nothing was shown for a minute; the screen ends with {self.shown[-800:]!r}")
        try:
            read = os.read(self.master, 65536)
        except OSError:  # how Linux says that the other side is closed
            return False
        self.shown += read.decode("utf-8", errors="replace").replace("\r\n", "\n")
        return bool(read)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=60)
        os.close(self.master)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_statement: Callable[..., Statement]) -> Path:
    """A working directory with the tiny corpus, three statements in the store, and a model's tags of them."""
    write_tiny_corpus(tmp_path / "corpus")
    monkeypatch.setenv("STANCE_CORPUS", str(tmp_path / "corpus"))
    monkeypatch.setenv("STANCE_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("STANCE_STORE", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ids.txt").write_text("x1\nx2\nx3\n")
    texts = {
        1: "Vessels came. All are welcome.",
        2: "[bold]The[/bold] railway \x1b[31mred\x07\u202e.",
        3: "Nothing.",
    }
    statements = [make_statement(n, text=text) for n, text in texts.items()]
    tag = Tag(
        target="harbour", stance="favor", probabilities=(0.9, 0.04, 0.03, 0.03), abstained=False, model_id="m/1",
        confidence=0.9, evidence_start=14, evidence_end=30,
    )  # fmt: skip
    with Store(tmp_path / "data" / "stance.sqlite") as store:
        store.add_statements(statements)
        store.add_tags([(statements[0], [tag])], command="c", model_id="m/1", codebook_version="t1", now=NOW)
        other = [Label(statement_id="x1", target="harbour", stance="against")]
        store.add_labels(other, coder="zoe", codebook_version="t1", now=NOW, origin="label, blind")
        store.add_labels(other, coder=ADJUDICATED, codebook_version="t1")
    return tmp_path


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., Screen]]:
    """Start a labelling session of anna on the three statements, in order."""
    started: list[Screen] = []

    def run(*arguments: str, coder: str = "anna") -> Screen:
        given = ("annotate", "label", "--coder", coder, "--only", "ids.txt", *arguments)
        started.append(Screen(*given, home=home))
        return started[-1]

    yield run
    for screen in started:
        screen.close()


def labels_of(home: Path, coder: str) -> dict[tuple[str, str], str]:
    with Store(home / "data" / "stance.sqlite") as store:
        rows = store.codings_frame()
    rows = rows[rows["coder"] == coder]
    return dict(zip(zip(rows["statement_id"], rows["target"], strict=True), rows["stance"], strict=True))


def test_a_whole_session_with_leaving_and_coming_back(home: Path, start: Callable[..., Screen]) -> None:
    screen = start()
    screen.wait_for("1 of 3")
    head = screen.wait_for("Vessels came. All are welcome.")
    assert "Anna Vell, Foreign Minister, ARD" in head
    assert "2030-01-01, Council hall, paraphrase" in head
    screen.wait_for("1/f favor   2/n neutral   3/a against   4/o none")
    screen.wait_for(f"The harbour: {HARBOUR}")
    screen.wait_for("> ")
    screen.press("f")
    screen.wait_for("favor")
    screen.wait_for(f"The railway: {RAILWAY}")
    assert labels_of(home, "anna") == {("x1", "harbour"): "favor"}  # saved while the next question stands
    screen.press("q")
    assert screen.end() == 3
    assert "3 of 3 statements are left; every answer is stored, and the same command goes on." in screen.shown

    again = start()
    shown = again.wait_for(f"The railway: {RAILWAY}")
    assert "1 of 3" in shown
    assert HARBOUR not in shown  # answered before
    again.press("4")
    again.wait_for("2 of 3")
    again.wait_for(HARBOUR)
    again.press("r")
    again.wait_for("3 of 3")
    again.wait_for(HARBOUR)
    again.press("33")
    assert again.end() == 0
    assert "done: 3 statements labelled" in again.shown
    assert labels_of(home, "anna") == {
        ("x1", "harbour"): "favor", ("x1", "railway"): "none", ("x2", "harbour"): "none", ("x2", "railway"): "none",
        ("x3", "harbour"): "against", ("x3", "railway"): "against",
    }  # fmt: skip
    done = start()
    assert done.end() == 0
    assert "nothing to label: you have done all that was asked for" in done.shown
    with Store(home / "data" / "stance.sqlite") as store:
        log = store.label_log()
    assert set(log.loc[log["coder"] == "anna", "origin"]) == {"label, blind"}
    assert set(log.loc[log["coder"] == "anna", "codebook_version"]) == {"t1"}


def test_blind_hides_and_show_shows_the_model_and_other_coders(home: Path, start: Callable[..., Screen]) -> None:
    blind = start("--model", "m/1")
    blind.wait_for(HARBOUR)
    blind.press("q")
    blind.end()
    assert "model" not in blind.shown
    assert "zoe" not in blind.shown
    assert "settled" not in blind.shown
    assert "\x1b[4m" not in blind.shown
    shown = start("--model", "m/1", "--show")
    shown.wait_for("\x1b[4mAll are welcome.")  # the span the model rests on is underlined
    shown.wait_for(HARBOUR)
    shown.wait_for("model: favor (90%) All are welcome.")
    shown.wait_for("settled: against")
    shown.wait_for("zoe: against")
    shown.press("f")
    shown.wait_for(RAILWAY)
    shown.press("q")
    assert shown.end() == 3
    with Store(home / "data" / "stance.sqlite") as store:
        log = store.label_log()
    assert log.loc[log["coder"] == "anna", "origin"].tolist() == ["label, suggestions shown"]


def test_one_s_own_label_is_no_hint(home: Path, start: Callable[..., Screen]) -> None:
    with Store(home / "data" / "stance.sqlite") as store:
        own = [Label(statement_id="x1", target="harbour", stance="neutral")]
        store.add_labels(own, coder="anna", codebook_version="t0", now=NOW, origin="label, blind")
    screen = start("--show")
    screen.wait_for(HARBOUR)
    screen.wait_for("> ")
    screen.press("q")
    screen.end()
    assert "anna: neutral" not in screen.shown
    assert "zoe: against" in screen.shown


def test_back_skip_and_the_codebook(home: Path, start: Callable[..., Screen]) -> None:
    screen = start()
    screen.wait_for(HARBOUR)
    screen.press("a")
    screen.wait_for(RAILWAY)
    screen.press("b")
    screen.wait_for("(back)")
    screen.wait_for("(against) > ")
    screen.press("n")
    screen.wait_for(RAILWAY)
    screen.press("?")
    screen.wait_for("favor: Backs the railway.")
    screen.wait_for("against: Refuses the railway.")
    screen.wait_for(RAILWAY)
    screen.press("s")
    screen.wait_for("(skip)")
    screen.wait_for("2 of 3")
    screen.wait_for(HARBOUR)
    screen.press("\x04")
    assert screen.end() == 3
    assert "3 of 3 statements are left" in screen.shown
    assert labels_of(home, "anna") == {("x1", "harbour"): "neutral"}


def test_an_arrow_and_unknown_keys_answer_nothing(home: Path, start: Callable[..., Screen]) -> None:
    """An up arrow ends in the letter A, as `against` begins."""
    screen = start()
    screen.wait_for(HARBOUR)
    screen.press("\x1b[A\x1b[1;5DxЖ\x1bOA \n")
    screen.press("F")
    screen.wait_for("favor")
    screen.wait_for(RAILWAY)
    screen.press("q")
    screen.end()
    assert labels_of(home, "anna") == {("x1", "harbour"): "favor"}


def test_ctrl_c_leaves_as_q_does(home: Path, start: Callable[..., Screen]) -> None:
    screen = start()
    screen.wait_for(HARBOUR)
    screen.press("f")
    screen.wait_for(RAILWAY)
    screen.wait_for("> ")
    screen.press("\x03")
    assert screen.end() == 3
    assert "Traceback" not in screen.shown
    assert labels_of(home, "anna") == {("x1", "harbour"): "favor"}


def test_being_killed_loses_nothing_that_was_answered(home: Path, start: Callable[..., Screen]) -> None:
    screen = start()
    screen.wait_for(HARBOUR)
    screen.press("f")
    screen.wait_for(RAILWAY)
    screen.process.send_signal(signal.SIGKILL)
    screen.process.wait(timeout=60)
    assert labels_of(home, "anna") == {("x1", "harbour"): "favor"}


def test_text_from_outside_cannot_command_the_terminal(home: Path, start: Callable[..., Screen]) -> None:
    screen = start()
    screen.wait_for(HARBOUR)
    screen.press("r")
    screen.wait_for("2 of 3")
    shown = screen.wait_for(HARBOUR)
    screen.press("q")
    screen.end()
    assert "[bold]The[/bold] railway \ufffd[31mred\ufffd\ufffd." in shown
    assert "\x1b[31m" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown


def test_only_some_targets(home: Path, start: Callable[..., Screen]) -> None:
    screen = start("--targets", "railway")
    shown = screen.wait_for(RAILWAY)
    assert HARBOUR not in shown
    screen.press("111")
    assert screen.end() == 0
    assert labels_of(home, "anna") == {(f"x{n}", "railway"): "favor" for n in (1, 2, 3)}


def test_the_terminal_is_given_back_as_it_was(start: Callable[..., Screen]) -> None:
    import termios

    screen = start()
    before = termios.tcgetattr(screen.master)
    screen.wait_for(HARBOUR)
    during = termios.tcgetattr(screen.master)
    screen.press("q")
    screen.end()
    assert before[3] & termios.ECHO
    assert not during[3] & termios.ECHO
    assert termios.tcgetattr(screen.master)[3] == before[3]


def test_without_a_terminal_it_says_what_to_do_instead(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["annotate", "label", "--coder", "anna"]) == 2
    assert "needs a terminal; elsewhere use `annotate export` and `import`" in capsys.readouterr().err


@pytest.mark.parametrize("coder", [" ", ADJUDICATED])
def test_a_coder_must_be_a_person(home: Path, coder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["annotate", "label", "--coder", coder]) == 2
    assert f"--coder {coder!r}: give a person's name" in capsys.readouterr().err


def test_harmless_text_keeps_its_lines_and_letters() -> None:
    assert harmless("a\tb\nc\r\nГавань 港口 😀") == "a\tb\nc\nГавань 港口 😀"
    assert harmless("\x1b\x00\x9b\u2066\r") == "\ufffd" * 5
