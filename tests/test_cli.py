"""The command line as a whole: help that teaches, one-line errors, exit statuses, laziness."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.app import app, main

ROOT = Path(__file__).parents[1]
COMMANDS = ("ingest", "classify", "trends", "report", "statements", "duplicates", "sources", "retrain", "evaluate")


def run_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        capture_output=True, text=True, check=False, env={**os.environ, **environment}, timeout=120,
    )  # fmt: skip


def test_the_commands_are_the_ones_of_the_contract() -> None:
    assert tuple(command.callback.__name__ for command in app.registered_commands if command.callback) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_all_its_options(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"Usage: stance {command}" in text
    options = text.split("Options:")[1]
    described = re.findall(r"^ {2}(-[^ ].*?)(?: {2,}(\S.*))?$", options, flags=re.MULTILINE)
    # typer wraps long option names, putting the help on the next line
    following = re.findall(r"^ {2}(--\S+.*)\n {10,}\S", options, flags=re.MULTILINE)
    undocumented = [name for name, text in described if not text and name not in following]
    assert undocumented in ([], ["--format [table|json]"])


def test_help_of_the_whole_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(re.search(rf"^  {command} ", text, flags=re.MULTILINE) for command in COMMANDS)


def test_version_is_the_distribution_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from pipeline.cli.app import main; main(['classify', '--help']);"
        "heavy = {'numpy', 'pandas', 'sklearn', 'spacy', 'datasets', 'scipy', 'pyarrow'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["classify", "--no-such-option"], "No such option: --no-such-option"),
        (["no-such-command"], "No such command 'no-such-command'"),
        (["classify", "a.csv", "--text", "b"], "give either --text or INPUT, not both"),
        (["classify", "--text", "  "], "--text is empty"),
        (["classify", "--text", "a", "--format", "parquet"], "name a file with --output"),
        (["classify", "--text", "a", "--targets", "moon"], "unknown target: moon"),
        (["classify", "missing.csv"], "no such file or folder: missing.csv"),
        (["classify", "--text", "a", "--workers", "0"], "--workers 0"),
        (["ingest", "nowhere.csv"], "unknown source: nowhere.csv"),
        (["statements", "--since", "2021-13-01"], "--since 2021-13-01: not a date"),
        (["statements", "--country", "ATLANTIS"], "unknown country: ATLANTIS"),
        (["trends", "--pair", "CHN"], "--pair CHN"),
        (["trends", "--pair", "CHN,CHN"], "name two different actors"),
        (["trends", "--freq", "week"], "--freq week"),
        (["trends", "--since", "2022-01-01", "--until", "2021-01-01"], "is after --until"),
        (["trends", "--labels", "labels.csv"], "--labels goes with --tags"),
        (["trends", "--tags", "missing.csv"], "no such file: missing.csv"),
        (["report", "--out", "no-such-folder"], "stance trends --out"),
        (["retrain", "--lower"], "--lower goes with --pin"),
        (["evaluate", "missing.csv", "--labels", "missing.csv"], "no such file: missing.csv"),
    ],
)
def test_wrong_use_is_one_line_and_status_two(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, small_models_folder: Path,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STANCE_MODELS", str(small_models_folder))
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.startswith("stance: ")
    assert captured.err.count("\n") == 1


def test_debug_shows_the_traceback_wherever_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", "missing.csv", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_the_module_runs_as_the_command_and_passes_its_status_on() -> None:
    done = run_process("classify", "missing.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "stance: no such file or folder: missing.csv.\n"


def test_a_closed_pipe_is_not_an_error(tmp_path: Path, small_models_folder: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("Nothing of note was said.\n" * 3000)
    command = f"{sys.executable} -m pipeline classify {lines} --workers 1 | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=True, timeout=120,
        env={**os.environ, "STANCE_MODELS": str(small_models_folder)},
    )  # fmt: skip
    assert done.stdout.splitlines()[0].startswith("statement_id,doc_id")
    assert done.stdout.splitlines()[1] == "0"
    assert done.stderr == ""


def test_shell_completion_is_offered() -> None:
    done = run_process("--show-completion", "bash")
    assert done.returncode == 0
    assert "_STANCE_COMPLETE" in done.stdout or "complete" in done.stdout
