"""Measure what a person waits for: `stance --help` and one statement, as medians over fresh processes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 9
COMMANDS = {
    "stance --help": ["--help"],
    "stance classify --text": [
        "classify",
        "--text",
        "It is too early to recognise the Taliban.",
        "--format",
        "csv",
    ],
}


def median_seconds(arguments: list[str]) -> float:
    """Return the median wall time of a fresh process; the first run, which fills the disk cache, is left out."""
    times = []
    for _ in range(RUNS + 1):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "pipeline", *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def main() -> None:
    """Print one line a command."""
    for name, arguments in COMMANDS.items():
        sys.stdout.write(f"{name}: {median_seconds(arguments):.2f} s (median of {RUNS})\n")


if __name__ == "__main__":
    main()
