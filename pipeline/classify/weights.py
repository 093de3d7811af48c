"""A fitted scorer as one file of plain arrays, which loads in a fraction of the time that an estimator takes.

Beside it lies the estimator itself (`model.skops`); the two are written together and compared.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.classify.features import FAMILIES, TargetFeatures
from pipeline.classify.scorer import StanceScorer
from pipeline.errors import ArtifactError

_SETTINGS = ("cues", "concepts", "char_ngrams", "han_ngrams", "min_df", "weights", "context")


def save_weights(scorer: StanceScorer, path: Path) -> None:
    """Write a fitted scorer: learnt attributes (their names end in `_`), vocabularies as text, settings as JSON."""
    features = scorer.features_
    arrays: dict[str, npt.NDArray[Any]] = {
        "settings": _as_bytes(json.dumps({name: getattr(features, name) for name in _SETTINGS}))
    }
    for family in FAMILIES:
        # No feature holds a line break, as all are made of words and single spaces.
        arrays[f"vocabulary/{family}"] = _as_bytes("\n".join(features.vocabularies_[family]))
        arrays[f"idf/{family}"] = features.idf_[family]
    for name, value in vars(scorer).items():
        if name.endswith("_") and name not in {"features_", "classes_"}:
            arrays |= _named(name, value)
    with path.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def _named(name: str, value: Any) -> dict[str, npt.NDArray[Any]]:
    """Return an attribute as arrays: of a list, each by its number, of a mapping, each by its key."""
    if isinstance(value, list):
        return {f"list/{name}/{number:04d}": part for number, part in enumerate(value)}
    if isinstance(value, dict):
        return {f"dict/{name}/{key}": part for key, part in value.items()} | {f"dict/{name}/": np.empty(0)}
    return {f"array/{name}": np.asarray(value)}


def load_weights(path: Path) -> StanceScorer:
    """Read a scorer that `save_weights` wrote.

    Raises
    ------
    ArtifactError
        When the file does not hold one.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return _scorer({name: arrays[name] for name in arrays.files})
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path} holds no model ({error}); run `stance retrain`.") from None


def _scorer(arrays: dict[str, npt.NDArray[Any]]) -> StanceScorer:
    settings = json.loads(_as_text(arrays.pop("settings")))
    pairs = {name: tuple(settings[name]) for name in ("char_ngrams", "han_ngrams")}
    features = TargetFeatures(**{**settings, **pairs})
    features.vocabularies_, features.idf_ = {}, {}
    for family in FAMILIES:
        terms = _as_text(arrays.pop(f"vocabulary/{family}"))
        features.vocabularies_[family] = (
            dict(zip(terms.split("\n"), range(len(terms)), strict=False)) if terms else {}
        )
        features.idf_[family] = arrays.pop(f"idf/{family}")
    scorer = StanceScorer()
    scorer.cues, scorer.features_ = features.cues, features
    for name, value in sorted(arrays.items()):
        kind, attribute, *key = name.split("/", 2)
        if kind == "array":
            setattr(scorer, attribute, value)
        elif kind == "list":
            scorer.__dict__.setdefault(attribute, []).append(value)
        else:
            scorer.__dict__.setdefault(attribute, {}).update({key[0]: value} if key[0] else {})
    return scorer


def _as_bytes(text: str) -> npt.NDArray[np.uint8]:
    return np.frombuffer(text.encode("utf-8"), dtype=np.uint8)


def _as_text(content: npt.NDArray[np.uint8]) -> str:
    return content.tobytes().decode("utf-8")
