"""Time, memory and size of `stance report` on a store of many invented statements.

    python -m tests.bench.report_scaling [STATEMENTS]

Everything runs as a user would run it, in processes of their own; the store is made in a folder that is removed.
"""

from __future__ import annotations

import datetime as dt
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.config import load_targets
from pipeline.schema import STANCES, Label, Statement, Tag
from pipeline.store import Store

MODEL = "bench/1"
NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
FILLER = (
    "The speaker named the harbour, the railway and the weather, and went on at some length about each of them. "
)


def statements(n: int, rng: np.random.Generator) -> Iterator[Statement]:
    """Yield invented statements of five years by forty speakers, two a document, of about 300 characters."""
    for i in range(n):
        day = dt.date(2020, 1, 1) + dt.timedelta(days=int(rng.integers(0, 5 * 365)))
        yield Statement(
            statement_id=f"b{i:07d}", doc_id=f"d{i // 2}", date=day.isoformat(), date_method="day",
            speaker=f"Speaker {i % 40}", role="Minister", country=("CHN", "RUS")[i % 2], venue="A hall", lang="en",
            source="bench", url=f"https://example.org/{i // 2}", title="A paper", provenance="verbatim",
            text=f"Number {i}. {FILLER * 3}",
        )  # fmt: skip


def tags_of(rng: np.random.Generator, targets: tuple[str, ...]) -> list[Tag]:
    """Draw a tag on every target, most of them `none`."""
    answer = []
    for target in targets:
        stance = STANCES[int(rng.choice(4, p=(0.15, 0.15, 0.1, 0.6)))]
        sure = float(rng.uniform(0.4, 0.99))
        rest = (1 - sure) / 3
        ends = (None, None) if stance == "none" else (0, 60)
        answer.append(Tag(
            target=target, stance=stance, abstained=sure < 0.5, model_id=MODEL, confidence=sure,
            probabilities=tuple(sure if s == stance else rest for s in STANCES),  # type: ignore[arg-type]
            evidence_start=ends[0], evidence_end=ends[1],
        ))  # fmt: skip
    return answer


def fill(path: Path, n: int) -> None:
    """Make the store: statements, tags on every target, labels on one in a hundred."""
    rng, targets = np.random.default_rng(5), load_targets().ids
    rows = list(statements(n, rng))
    with Store(path) as store:
        store.add_statements(rows)
        tagged = [(row, tags_of(rng, targets)) for row in rows]
        store.add_tags(tagged, command="bench", model_id=MODEL, codebook_version="3", now=NOW)
        labels = [
            Label(statement_id=row.statement_id, target=tag.target, stance=tag.stance, sampling_prob=0.01)
            for row, tags in tagged[::100] for tag in tags
        ]  # fmt: skip
        store.add_labels(labels, coder="adjudicated", codebook_version="3", now=NOW)


def timed(*words: str) -> tuple[float, float]:
    """Run a command; return its seconds and the largest memory of any child so far, in MB."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pipeline", *words], check=True, capture_output=True, env=dict(os.environ)
    )
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main(n: int) -> None:
    """Print what each command takes and how large the files are."""
    with tempfile.TemporaryDirectory() as folder:
        store, out = Path(folder) / "s.sqlite", Path(folder) / "exports"
        fill(store, n)
        for words in (["trends", "--model", MODEL, "--freq", "quarter"], ["report"]):
            seconds, most = timed(*words, "--store", str(store), "--out", str(out))
            sys.stdout.write(f"{words[0]}: {seconds:.1f} s, at most {most:.0f} MB so far\n")
        for path in sorted(out.glob("*.*")):
            sys.stdout.write(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 100_000)
