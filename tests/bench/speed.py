"""One table: speed, memory, start-up and quality of this project and of what one would use instead, in one run.

    python -m tests.bench.speed [--statements 20000] [--sizes 10000 100000] [--json FILE]

Every classifier learns from the same texts (all folds but one, grouped by event) and is asked about the same held-out
statements and the same archive of 35-word statements, half of which name no target. Each runs in a process of its own,
on one core; rates are statements a second of processor time, so that other work on the machine counts against none.
The floor reads the file, splits words and hashes them with Arrow, and does nothing else.

`--sizes` adds what `stance classify` costs from CSV to CSV at each size, and what the slope says of 100 million.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench import archive
from tests.bench.rivals import RIVALS

ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_NUM_THREADS"), "1")
FOLD = 0
STARTS = 3


def split() -> tuple[list[str], Any, list[str], Any]:
    """Return training texts and labels, and held-out documented statements with theirs."""
    from pipeline.classify.training import split_by_event, training_set

    data = training_set()
    fit, test = split_by_event(data)[FOLD]
    test = np.intersect1d(test, data.measured)
    return [data.texts[i] for i in fit], data.y[fit], [data.texts[i] for i in test], data.y[test]


def fit(name: str, folder: Path) -> None:
    """Train one classifier and save it."""
    texts, labels, *_ = split()
    RIVALS[name][1](texts, labels, folder)


def start(name: str, folder: Path) -> None:
    """Load a classifier and answer once: all that a single statement waits for."""
    RIVALS[name][2](folder)(["It is too early to recognise the Taliban."])


def measure(name: str, folder: Path, held_out: Path, rows: Path) -> dict[str, float]:
    """Measure a trained classifier on held-out statements and on an archive."""
    asked = json.loads(held_out.read_text())
    given = json.loads(rows.read_text())
    texts = [row["text"] for row in given]
    predict = RIVALS[name][2](folder)
    predicted = predict(asked["texts"])
    predict(texts[: len(texts) // 4])  # what is remembered is remembered in any long run
    rates = {}
    for kind, chosen in (("mixed", texts), ("naming", [row["text"] for row in given if row["naming"]])):
        begun = time.process_time()
        predict(chosen[len(chosen) // 4 :])
        rates[kind] = (len(chosen) - len(chosen) // 4) / (time.process_time() - begun)
    peak = peak_memory()
    return {**rates, "peak": peak, "f1": macro_f1(np.array(asked["labels"], dtype=object), predicted)}


def macro_f1(gold: Any, predicted: Any) -> float:
    """Return the mean over targets of the macro-F1 over stances with three or more cases."""
    from sklearn.metrics import f1_score

    scores = []
    for truth, answer in zip(gold.T, np.asarray(predicted).T, strict=True):
        known = np.flatnonzero(truth != "")
        names, counts = np.unique(truth[known].astype(str), return_counts=True)
        kept = [str(name) for name, count in zip(names, counts, strict=True) if count >= 3]
        pair = truth[known].astype(str), answer[known].astype(str)
        scores.append(f1_score(*pair, labels=kept, average="macro", zero_division=0))
    return float(np.mean(scores))


def peak_memory() -> float:
    """Return the most memory that this process held, in MB; what getrusage says may be its parent's."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def floor(path: Path) -> dict[str, float]:
    """Read a CSV, split its texts at white space and hash every word."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as pcsv

    pa.set_cpu_count(1)
    begun = time.process_time()
    table = pcsv.read_csv(path, read_options=pcsv.ReadOptions(use_threads=False))
    words = pc.list_flatten(pc.utf8_split_whitespace(table["text"]))
    words.dictionary_encode()
    seconds = time.process_time() - begun
    peak = peak_memory()
    return {"mixed": table.num_rows / seconds, "peak": peak}


def in_process(*arguments: str) -> tuple[Any, float]:
    """Run one step of this module in a fresh process; return what it printed and the seconds it took."""
    begun = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench.speed", *arguments],
        check=True, stdout=subprocess.PIPE, env={**os.environ, **ONE_CORE},
    )  # fmt: skip
    return json.loads(run.stdout or b"null"), time.perf_counter() - begun


def classify(size: int, folder: Path) -> dict[str, float]:
    """Run `stance classify` from CSV to CSV on so many statements with one worker; return its cost."""
    path = folder / f"{size}.csv"
    archive.write(size, path)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["classify", str(path), "--output", str(folder / f"{size}.tags.csv"), "--workers", "1"]
    program = (
        "import sys; from pipeline.cli.app import main; from tests.bench.speed import peak_memory; "
        "main(sys.argv[1:]); print(peak_memory())"
    )
    run = subprocess.run([sys.executable, "-c", program, *command], check=True, stdout=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    for written in folder.glob(f"{size}.*"):
        written.unlink()
    return {"size": size, "seconds": seconds, "peak": float(run.stdout.split()[-1])}


def compare(n: int, folder: Path) -> dict[str, dict[str, float]]:
    """Train and measure every classifier, and the floor."""
    _, _, texts, labels = split()
    (folder / "held_out.json").write_text(json.dumps({"texts": texts, "labels": labels.tolist()}))
    rows = [
        {"text": row["text"], "naming": kind == 0}
        for kind in (0, 1)
        for row in archive.statements(n // 2, silent=kind, seed=kind)
    ]
    order = np.random.default_rng(0).permutation(len(rows))
    (folder / "rows.json").write_text(json.dumps([rows[i] for i in order]))
    archive.write(n, folder / "archive.csv")
    results = {"floor": in_process("--floor", str(folder / "archive.csv"))[0]}
    for name in RIVALS:
        (folder / name).mkdir()
        _, training = in_process("--fit", name, str(folder / name))
        result, _ = in_process("--measure", name, str(folder))
        result["training"] = training
        result["start"] = statistics.median(
            in_process("--start", name, str(folder / name))[1] for _ in range(STARTS)
        )
        results[name] = result
    return results


def table(results: dict[str, dict[str, float]], n: int, held_out: int) -> str:
    """Lay the results out as Markdown."""
    lines = [
        f"{n:,} statements of {archive.WORDS} words; macro-F1 on {held_out} held-out statements; one core.",
        "",
        "| classifier | statements/s, half silent | statements/s, naming | peak MB | start-up s | macro-F1 |",
        "|---|---|---|---|---|---|",
    ]
    for name, label in [
        *((name, rival[0]) for name, rival in RIVALS.items()),
        ("floor", "floor: read, split, hash"),
    ]:
        row = results[name]
        cells = [f"{row['mixed']:,.0f}", f"{row['naming']:,.0f}" if "naming" in row else "", f"{row['peak']:.0f}"]
        cells += [f"{row['start']:.2f}", f"{row['f1']:.3f}"] if "f1" in row else ["", ""]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    ours = results["ours"]["mixed"]
    lines += ["", f"Ours is {ours / results['spacy_bow']['mixed']:.1f} times spaCy's bag of words; the floor is "
              f"{results['floor']['mixed'] / ours:.0f} times ours."]  # fmt: skip
    return "\n".join(lines)


def cost(sizes: list[dict[str, float]]) -> str:
    """Say what each size cost and what the slope between the last two means for 100 million statements."""
    lines = [
        f"{row['size']:>10,} statements: {row['seconds']:7.1f} s of processor, {row['peak']:5.0f} MB"
        for row in sizes
    ]
    if len(sizes) > 1:
        low, high = sizes[-2:]
        slope = (high["seconds"] - low["seconds"]) / (high["size"] - low["size"])
        memory = (high["peak"] - low["peak"]) / (high["size"] - low["size"])
        lines.append(
            f"slope {slope * 1e6:.0f} s and {max(memory, 0) * 1e6:.0f} MB a million: "
            f"{slope * 1e8 / 3600:.1f} hours of processor for 100 million."
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table, or do one step of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--statements", type=int, default=20_000)
    parser.add_argument("--sizes", type=int, nargs="*", default=[])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--fit", nargs=2)
    parser.add_argument("--start", nargs=2)
    parser.add_argument("--measure", nargs=2)
    parser.add_argument("--floor", type=Path)
    asked = parser.parse_args()
    if asked.fit:
        fit(asked.fit[0], Path(asked.fit[1]))
    elif asked.start:
        start(asked.start[0], Path(asked.start[1]))
    elif asked.measure:
        name, folder = asked.measure[0], Path(asked.measure[1])
        sys.stdout.write(json.dumps(measure(name, folder / name, folder / "held_out.json", folder / "rows.json")))
    elif asked.floor:
        sys.stdout.write(json.dumps(floor(asked.floor)))
    else:
        with tempfile.TemporaryDirectory() as folder:
            results = compare(asked.statements, Path(folder))
            held_out = len(json.loads((Path(folder) / "held_out.json").read_text())["texts"])
            sys.stdout.write(table(results, asked.statements, held_out) + "\n")
            sizes = [classify(size, Path(folder)) for size in asked.sizes]
            sys.stdout.write("\n" + cost(sizes) + "\n" if sizes else "")
        if asked.json:
            asked.json.write_text(json.dumps({"classifiers": results, "sizes": sizes}, indent=2) + "\n")


if __name__ == "__main__":
    main()
