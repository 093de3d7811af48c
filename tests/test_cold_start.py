"""Cold start: what a single statement waits for is numpy and the weights, not the tools of training."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "sklearn",
    "scipy.stats",
    "spacy",
    "skops",
    "pandas",
    "datasets",
    "pyarrow",
    "dask",
    "joblib",
    "rich",
    "py3langid",
)
TEXT = "It is too early to open the harbour. Foreign vessels are not welcome! The railway may come."


def imported(arguments: list[str], models: Path, corpus: Path) -> set[str]:
    """Run a command in a fresh process and return the modules that it had imported in the end."""
    program = (
        "import io, json, sys\n"
        "from pipeline.cli.app import main\n"
        f"status = main({arguments!r})\n"
        "sys.stderr.write(json.dumps([status, sorted(sys.modules)]))"
    )
    environment = {**os.environ, "STANCE_MODELS": str(models), "STANCE_CORPUS": str(corpus)}
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    status, modules = json.loads(run.stderr.splitlines()[-1])
    assert status == 0
    assert run.stdout
    return set(modules)


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--help"], ()),
        (["classify", "--help"], ()),
        (["classify", "--text", TEXT, "--format", "csv"], ()),
        (["classify", "--text", TEXT, "--format", "jsonl"], ()),
        (["classify", "--text", TEXT, "--format", "table"], ("rich",)),
    ],
)
def test_nothing_heavy_is_imported(arguments, allowed, tiny_models_folder, tiny_corpus):
    found = imported(arguments, tiny_models_folder, tiny_corpus)
    assert "pipeline.cli.classify" in found
    assert not found & (set(HEAVY) - set(allowed))
    assert ("numpy" in found) is ("--text" in arguments)
