"""Save and load trained models: `models/<name>/<version>/` and the index that names the current one.

A model is plain data: skops stores the estimator without pickle, every type in it is checked against the
short list below before anything is built, and no byte is read into it before its hash agrees with the
manifest's. What is saved is loaded back at once, so that a model that cannot be loaded is never indexed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pipeline.classify.scorer import StanceScorer
from pipeline.classify.weights import load_weights, save_weights
from pipeline.config import Targets, models_dir
from pipeline.corpus import text_key
from pipeline.errors import ArtifactError, UsageError
from pipeline.schema import STANCES
from pipeline.tables import atomic_path

if TYPE_CHECKING:
    from pipeline.classify.model import StanceClassifier
    from pipeline.classify.training import Trained, TrainingSet

NAME = "linear"
_WEIGHTS = "weights.npz"
_FILES = ("model.skops", _WEIGHTS, "out_of_fold.npz", "metrics.json")
_TRUSTED = frozenset({"pipeline.classify.model.StanceClassifier"})
_WORDS = ("cues", "concepts")
"""Settings that are word lists: hashed with the rest, too long for a manifest."""
_LIBRARIES = ("numpy", "scikit-learn", "scipy", "skops", "spacy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A loaded model.

    `out_of_fold` maps the key of a training text (`corpus.text_key`) to its probabilities, shape
    (n_targets, 4), by a model that never saw the text: a tag of a training text is taken from here.
    """

    model_id: str
    scorer: StanceScorer
    targets: tuple[str, ...]
    languages: tuple[str, ...]
    thresholds: Mapping[str, float]
    codebook_version: str
    out_of_fold: Mapping[str, npt.NDArray[np.float32]]
    folder: Path

    @property
    def classifier(self) -> StanceClassifier:
        """The estimator itself, as it was trained; tags need only the scorer."""
        return _load_classifier(self.folder / "model.skops")


def version_of(data: TrainingSet, classifier: StanceClassifier) -> str:
    """Return the version that training on this data with these settings gets: equal inputs, equal version."""
    from pipeline.classify.training import WEIGHTS

    content = [importlib.metadata.version("stance-convergence"), classifier.get_params(deep=False), dict(WEIGHTS)]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    # Groups decide the folds, and with them the scaling and out-of-fold probabilities.
    for text, lang, group, kind, row in zip(data.texts, data.langs, data.groups, data.kinds, data.y, strict=True):
        digest.update("|".join([text, lang, str(group), kind, *row]).encode())
    return f"{content[0]}-{digest.hexdigest()[:8]}"


def save_model(
    trained: Trained,
    data: TrainingSet,
    targets: Targets,
    *,
    card: str,
    now: dt.datetime,
    folder: Path | None = None,
) -> str:
    """Write a model with metrics, manifest and card, load it back, and return its id `name/version`.

    A model of the same version is replaced whole. It is not made current: see `make_current`.
    """
    root = folder or models_dir()
    version = version_of(data, trained.classifier)
    place, draft = root / NAME / version, root / NAME / f".{version}.part"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        _write_files(draft, trained, data)
        (draft / "manifest.json").write_text(_json(_manifest(draft, trained, data, targets, version, now)))
        (draft / "README.md").write_text(card, encoding="utf-8")
        _load_folder(draft)
        _load_classifier(draft / "model.skops")
        shutil.rmtree(place, ignore_errors=True)
        draft.rename(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return f"{NAME}/{version}"


def _write_files(draft: Path, trained: Trained, data: TrainingSet) -> None:
    import skops.io as sio

    sio.dump(trained.classifier, draft / "model.skops", compression=zipfile.ZIP_DEFLATED)
    save_weights(trained.classifier, draft / _WEIGHTS)
    keys = np.array([text_key(text) for text in data.texts])
    np.savez_compressed(draft / "out_of_fold.npz", keys=keys, probabilities=trained.out_of_fold.astype(np.float32))
    (draft / "metrics.json").write_text(_json(trained.metrics))


def _manifest(
    draft: Path, trained: Trained, data: TrainingSet, targets: Targets, version: str, now: dt.datetime
) -> dict[str, Any]:
    kinds, counts = np.unique(data.kinds.astype(str), return_counts=True)
    return {
        "model_id": f"{NAME}/{version}",
        "trained_at": now.isoformat(timespec="seconds"),
        "codebook_version": targets.codebook_version,
        "targets": list(data.targets),
        "stances": list(STANCES),
        "languages": sorted(set(data.langs)),
        "training_texts": {str(kind): int(count) for kind, count in zip(kinds, counts, strict=True)},
        "settings": {k: v for k, v in trained.classifier.get_params(deep=False).items() if k not in _WORDS},
        "thresholds": trained.thresholds,
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        "sha256": {name: _sha256(draft / name) for name in _FILES},
    }


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_current(model_id: str, *, folder: Path | None = None) -> None:
    """Name a model as the one used when none is asked for."""
    root = folder or models_dir()
    with atomic_path(root / "index.json") as draft:
        draft.write_text(_json({"current": model_id, "models": list_models(root)}))


def list_models(folder: Path | None = None) -> list[str]:
    """Return the ids of the models that are there, sorted."""
    root = folder or models_dir()
    return sorted(path.parent.relative_to(root).as_posix() for path in root.glob("*/[!.]*/manifest.json"))


def current_model_id(folder: Path | None = None) -> str | None:
    """Return the id of the current model, None when there is none.

    Raises
    ------
    ArtifactError
        When the index does not read.
    """
    path = (folder or models_dir()) / "index.json"
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["current"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise ArtifactError(f"{path} is damaged; delete it and run `stance retrain`.") from None


def load_model(which: str | None = None, *, folder: Path | None = None) -> Model:
    """Load a model by id (`name/version`), by name (its only or current version), by path, or the current one.

    Raises
    ------
    UsageError
        When there is no such model, or none at all.
    ArtifactError
        When its files are damaged, changed since they were written, or hold a type that is not trusted.
    """
    root = folder or models_dir()
    return _load_folder(_find(which, root))


_LOADED: dict[str, Model] = {}


def worker_model(folder: str) -> Model:
    """Load a model by its folder, once in a process."""
    if folder not in _LOADED:
        _LOADED[folder] = load_model(folder)
    return _LOADED[folder]


def keep_loaded(model: Model) -> None:
    """Let `worker_model` give this model in this process, which may work through units itself."""
    _LOADED[str(model.folder)] = model


def _find(which: str | None, root: Path) -> Path:
    current = current_model_id(root)
    if which is None and current is None:
        raise UsageError("no trained model yet: run `stance retrain` (under a minute), or `make run`.")
    wanted = which or current or ""
    if (Path(wanted) / "manifest.json").is_file():
        return Path(wanted)
    known = list_models(root)
    versions = [model for model in known if model.split("/")[0] == wanted]
    if current in versions or len(versions) == 1:
        wanted = current if current in versions else versions[0]
    if wanted not in known:
        raise UsageError(f"unknown model: {wanted}. Known: {', '.join(known) or 'none; run `stance retrain`'}.")
    return root / wanted


def _load_folder(place: Path) -> Model:
    manifest = _read_manifest(place)
    for name, expected in manifest["sha256"].items():
        path = place / name
        if not path.is_file() or _sha256(path) != expected:
            raise ArtifactError(
                f"{path} is damaged or was changed since it was written (hash differs); run `stance retrain`."
            )
    stored = np.load(place / "out_of_fold.npz", allow_pickle=False)
    return Model(
        model_id=manifest["model_id"],
        scorer=_load_scorer(place, manifest),
        targets=tuple(manifest["targets"]),
        languages=tuple(manifest["languages"]),
        thresholds=manifest["thresholds"],
        codebook_version=manifest["codebook_version"],
        out_of_fold=dict(zip(stored["keys"].tolist(), stored["probabilities"], strict=True)),
        folder=place.absolute(),
    )


def _load_scorer(place: Path, manifest: Mapping[str, Any]) -> StanceScorer:
    """Read the plain weights; a model that was saved before there were any is read whole."""
    known = _WEIGHTS in manifest["sha256"]
    return load_weights(place / _WEIGHTS) if known else _load_classifier(place / "model.skops")


def _load_classifier(path: Path) -> StanceClassifier:
    import skops.io as sio
    from skops.io.exceptions import UntrustedTypesFoundException

    from pipeline.classify.model import StanceClassifier

    try:
        classifier = sio.load(path, trusted=sorted(_TRUSTED))
    except UntrustedTypesFoundException as error:
        raise ArtifactError(f"{path} holds types that are not trusted ({error}); nothing of it was run.") from None
    if not isinstance(classifier, StanceClassifier):
        raise ArtifactError(f"{path} holds a {type(classifier).__name__}, not a classifier; run `stance retrain`.")
    return classifier


def _read_manifest(place: Path) -> Mapping[str, Any]:
    path = place / "manifest.json"
    needed = {"model_id", "targets", "languages", "thresholds", "codebook_version", "sha256"}
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ArtifactError(f"{path} is missing or damaged; run `stance retrain`.") from None
    if (
        not isinstance(manifest, dict)
        or not needed <= set(manifest)
        or not isinstance(manifest["sha256"], dict)
        or not set(_FILES) - {_WEIGHTS} <= set(manifest["sha256"]) <= set(_FILES)
    ):
        raise ArtifactError(f"{path} is not a model's manifest; run `stance retrain`.")
    return manifest


def read_metrics(place: Path) -> dict[str, Any]:
    """Read the metrics that were measured when the model was trained."""
    content: dict[str, Any] = json.loads((place / "metrics.json").read_text(encoding="utf-8"))
    return content
