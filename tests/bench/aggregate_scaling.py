"""Time and memory of an analysis at 10,000, 100,000 and 1,000,000 tags, and of a row-resampling bootstrap.

    python -m tests.bench.aggregate_scaling [TAGS ...]

Five targets, two countries, 90 months, 600 labelled statements. Each size runs in a process of its own, so that
peak memory is that of the size alone; the table of tags itself is part of it.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd

from pipeline.aggregate import TrendOptions, estimate_trends

SIZES = (10_000, 100_000, 1_000_000)
RESAMPLED_UP_TO = 1_000_000
TARGETS, MONTHS = 5, 90
STANCES = np.array(["favor", "neutral", "against", "none"], dtype=object)


def make_inputs(n_tags: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Make random tags, labels of 600 statements and 16 events."""
    rng = np.random.default_rng(seed)
    n = n_tags // TARGETS
    document = np.arange(n) // 3
    month = rng.integers(0, MONTHS, document[-1] + 1)[document]
    country = rng.integers(0, 2, document[-1] + 1)[document]
    days = np.array([f"{2019 + m // 12}-{m % 12 + 1:02d}-15" for m in range(MONTHS)], dtype=object)
    truth = rng.choice(4, (n, TARGETS), p=[0.15, 0.1, 0.08, 0.67])
    predicted = np.where(rng.random(truth.shape) < 0.75, truth, rng.choice(4, truth.shape))
    ids = np.array([f"s{i:08d}" for i in range(n)], dtype=object)
    tags = pd.DataFrame({
        "statement_id": np.repeat(ids, TARGETS),
        "doc_id": np.repeat(np.array([f"d{i:08d}" for i in document], dtype=object), TARGETS),
        "date": np.repeat(days[month], TARGETS),
        "country": np.repeat(np.array(["CHN", "RUS"], dtype=object)[country], TARGETS),
        "target": np.tile([f"t{k}" for k in range(TARGETS)], n), "stance": STANCES[predicted.ravel()],
    })  # fmt: skip
    picked = np.repeat(np.isin(np.arange(n), rng.choice(n, 600, replace=False)), TARGETS)
    labels = tags.loc[picked, ["statement_id", "target"]].assign(
        stance=STANCES[truth.ravel()[picked]], sampling_prob=600 / n
    )
    events = pd.DataFrame({"event_id": [f"e{i}" for i in range(16)], "label": "x"})
    return tags, labels, events.assign(date=[f"{2020 + i // 4}-{i % 4 * 3 + 1:02d}-10" for i in range(16)])


def resample_rows(tags: pd.DataFrame, draws: int, seed: int = 0) -> pd.DataFrame:
    """Bootstrap monthly positions the usual way: draw rows, group, average."""
    rng = np.random.default_rng(seed)
    score = tags["stance"].map({"favor": 1.0, "neutral": 0.0, "against": -1.0})
    frame = tags.assign(score=score, month=tags["date"].str[:7])
    keys = ["country", "target", "month"]
    means = []
    for _ in range(draws):
        drawn = frame.iloc[rng.integers(0, len(frame), len(frame))]
        means.append(drawn.groupby(keys)["score"].mean())
    return pd.concat(means, axis=1).quantile([0.025, 0.975], axis=1)


def measure(n_tags: int) -> str:
    """Run one size and return a line of the table."""
    tags, labels, events = make_inputs(n_tags)
    held = _peak()
    start, busy = time.perf_counter(), time.process_time()
    answer = estimate_trends(tags, labels, events, TrendOptions())
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    line = (
        f"{n_tags:>10,} {seconds:8.2f} s ({busy:.2f} s of processor) {_peak():8.0f} MB (inputs {held:.0f} MB) "
        f"{len(answer.trends):>6} rows"
    )
    if n_tags > RESAMPLED_UP_TO:
        return line
    busy = time.process_time()
    resample_rows(tags, 10)
    return f"{line}   200 row-resampled draws: {(time.process_time() - busy) * 20:.1f} s of processor"


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the table."""
    sizes = [int(size) for size in sys.argv[1:]] or list(SIZES)
    if len(sizes) == 1:
        sys.stdout.write(measure(sizes[0]) + "\n")
        return
    for size in sizes:
        subprocess.run([sys.executable, "-m", "tests.bench.aggregate_scaling", str(size)], check=True)


if __name__ == "__main__":
    main()
