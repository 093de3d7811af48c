"""Quality is a gate: floors for macro-F1, pinned beside a hash of the data they were measured on.

A retrained model becomes current only if no floor falls. When the evaluation data changed, figures are
not comparable and the gate stops until the floors are pinned anew; pinning never lowers one without a
second, explicit word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.config import corpus_dir
from pipeline.errors import DataError
from pipeline.tables import atomic_path

MARGIN = 0.01
"""Floors are pinned this far below the measured figure: a library's patch release may move it a little."""


def floors_path() -> Path:
    """Return the checkout's file of floors; it does not exist in an installed wheel."""
    return corpus_dir().parent / "tests" / "gate" / "floors.json"


def read_floors(path: Path | None = None) -> dict[str, Any] | None:
    """Read the pinned floors: `evaluation_hash` and `macro_f1` per target and `mean`; None when not pinned."""
    path = path or floors_path()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["macro_f1"]["mean"], content["evaluation_hash"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise DataError(
            f"{path} is not a file of floors; restore it or pin anew with `stance retrain --pin`."
        ) from None
    return dict(content)


def measured(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures that floors are about: mean macro-F1 and each target's, where there is one."""
    model = metrics["model"]
    per_target = {target: result["macro_f1"] for target, result in model["targets"].items()}
    figures = {"mean": model["mean_macro_f1"], **per_target}
    return {name: figure for name, figure in figures.items() if figure is not None}


def fallen(metrics: Mapping[str, Any], floors: Mapping[str, Any] | None, evaluation_hash: str) -> list[str]:
    """Return why a model may not become current: one line per fallen floor, none when it may.

    Parameters
    ----------
    metrics : mapping
        As `training.train` measures them.
    floors : mapping or None
        As `read_floors` returns them; None lets everything pass.
    evaluation_hash : str
        Of the data the metrics were measured on (`corpus.evaluation_hash`).
    """
    if floors is None:
        return []
    if floors["evaluation_hash"] != evaluation_hash:
        return ["the evaluation data changed since the floors were pinned; pin them anew with --pin"]
    figures = _as_pinned(measured(metrics), floors["macro_f1"])
    return [
        f"{name}: macro-F1 {figures.get(name, 0.0):.3f} is below the floor of {floor:.3f}"
        for name, floor in floors["macro_f1"].items()
        if figures.get(name, 0.0) < floor
    ]


def _as_pinned(figures: dict[str, float], floors: Mapping[str, float]) -> dict[str, float]:
    """Take the mean over the targets that have a floor: one that was added since must not lower it."""
    pinned = [figures[name] for name in floors if name != "mean" and name in figures]
    added = set(figures) - set(floors) - {"mean"}
    return figures | {"mean": sum(pinned) / len(pinned)} if pinned and added else figures


def pin_floors(
    metrics: Mapping[str, Any], evaluation_hash: str, *, lower: bool = False, path: Path | None = None
) -> list[str]:
    """Pin floors a margin below the measured figures; a floor that would fall is kept unless `lower`.

    Returns
    -------
    list of str
        The names of the floors that stayed above what was measured.
    """
    path = path or floors_path()
    old = (read_floors(path) or {"macro_f1": {}})["macro_f1"]
    new = {name: round(figure - MARGIN, 3) for name, figure in measured(metrics).items()}
    kept = [] if lower else [name for name, floor in new.items() if floor < old.get(name, 0.0)]
    floors = {name: old[name] if name in kept else floor for name, floor in new.items()}
    with atomic_path(path) as draft:
        draft.write_text(json.dumps({"evaluation_hash": evaluation_hash, "macro_f1": floors}, indent=2) + "\n")
    return kept
