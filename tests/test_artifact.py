"""Saved models: what is saved comes back, and nothing that was changed or is unsafe is ever loaded."""

import dataclasses
import hashlib
import json
import shutil

import numpy as np
import pytest
import skops.io as sio

from pipeline.classify import artifact, training
from pipeline.classify.artifact import (
    current_model_id,
    list_models,
    load_model,
    make_current,
    read_metrics,
    save_model,
    version_of,
)
from pipeline.corpus import text_key
from pipeline.errors import ArtifactError, UsageError
from tests.conftest import NOW, tiny_text

FILES = ("model.skops", "weights.npz", "out_of_fold.npz", "metrics.json")


class Stranger:
    """A type that no model holds, and that must never be built."""

    built = 0

    def __init__(self) -> None:
        self.colour = "blue"

    def __setstate__(self, state) -> None:
        type(self).built += 1


@pytest.fixture
def models(tiny_models_folder, tmp_path):
    """Return a copy of the tiny models folder that a test may damage."""
    return shutil.copytree(tiny_models_folder, tmp_path / "models")


@pytest.fixture
def place(models):
    """Return the folder of the only model in it."""
    return models / list_models(models)[0]


def rehash(place, name):
    manifest = json.loads((place / "manifest.json").read_text())
    manifest["sha256"][name] = hashlib.sha256((place / name).read_bytes()).hexdigest()
    (place / "manifest.json").write_text(json.dumps(manifest))


def add_version(models, name="linear", version="9.9"):
    other = shutil.copytree(models / list_models(models)[0], models / name / version)
    manifest = json.loads((other / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps({**manifest, "model_id": f"{name}/{version}"}))
    return f"{name}/{version}"


# Round trip


def test_what_is_saved_comes_back(tiny_trained, tiny_data, tiny_model, tiny_models_folder):
    texts = [tiny_text(n)[0] for n in range(3)] + ["Гавань 港口 railway"]
    np.testing.assert_array_equal(
        tiny_model.classifier.predict_proba(texts), tiny_trained.classifier.predict_proba(texts)
    )
    assert tiny_model.classifier.get_params() == tiny_trained.classifier.get_params()
    assert set(tiny_model.classifier.concepts) == {"welcome", "refuse", "note"}
    assert list(tiny_model.classifier.cues) == ["harbour", "railway"]
    assert tiny_model.targets == ("harbour", "railway")
    assert tiny_model.languages == ("en",)
    assert tiny_model.thresholds == tiny_trained.thresholds
    assert tiny_model.codebook_version == "t1"
    assert tiny_model.model_id == f"linear/{version_of(tiny_data, tiny_trained.classifier)}"
    assert tiny_model.folder == tiny_models_folder / tiny_model.model_id


def test_scores_and_vocabularies_come_back_to_the_last_bit(tiny_trained, tiny_data, tiny_model):
    saved, loaded = tiny_trained.classifier, tiny_model.classifier
    texts = [*tiny_data.texts, "", "Bread.", "在港口欢迎。", "Гавань, ещё US railway"]
    for one, other in zip(saved.transform(texts), loaded.transform(texts), strict=True):
        np.testing.assert_array_equal(one.toarray(), other.toarray())
    np.testing.assert_array_equal(saved.scores(saved.transform(texts)), loaded.scores(loaded.transform(texts)))
    for family, vocabulary in saved.features_.vocabularies_.items():
        assert list(loaded.features_.vocabularies_[family].items()) == list(vocabulary.items())
        assert vocabulary
    np.testing.assert_array_equal(saved.silent_, loaded.silent_)
    assert loaded.scaling_.tolist() == saved.scaling_.tolist()
    assert not np.array_equal(saved.scaling_[0, :4], np.eye(4))


def test_out_of_fold_probabilities_are_found_by_text(tiny_trained, tiny_data, tiny_model):
    assert len(tiny_model.out_of_fold) == 48
    for row, text in enumerate(tiny_data.texts):
        np.testing.assert_allclose(tiny_model.out_of_fold[text_key(text)], tiny_trained.out_of_fold[row], atol=1e-6)


def test_the_folder_holds_card_metrics_and_manifest(tiny_trained, tiny_model):
    place = tiny_model.folder
    assert {path.name for path in place.iterdir()} == {"README.md", "manifest.json", *FILES}
    assert (place / "README.md").read_text() == "A card.\n"
    assert read_metrics(place) == tiny_trained.metrics
    manifest = json.loads((place / "manifest.json").read_text())
    assert manifest["trained_at"] == "2031-05-04T03:02:01+00:00"
    assert manifest["stances"] == ["favor", "neutral", "against", "none"]
    assert manifest["training_texts"] == {"authored": 10, "double_coded": 32, "single_coded": 6}
    settings = tiny_trained.classifier.get_params()
    assert {"cues", "concepts"} <= settings.keys()
    short = {name: value for name, value in settings.items() if name not in ("cues", "concepts")}
    assert manifest["settings"] == json.loads(json.dumps(short))  # the word lists would fill it
    assert set(manifest["libraries"]) == {"numpy", "scikit-learn", "scipy", "skops", "spacy"}
    assert {name: hashlib.sha256((place / name).read_bytes()).hexdigest() for name in FILES} == manifest["sha256"]


def test_saving_again_replaces_the_version_whole(tiny_trained, tiny_data, tiny_targets, tmp_path):
    def save(card):
        return save_model(tiny_trained, tiny_data, tiny_targets, card=card, now=NOW, folder=tmp_path)

    first = save("First.")
    (tmp_path / first / "stray").write_text("")
    assert save("Second: гавань.") == first
    assert (tmp_path / first / "README.md").read_text(encoding="utf-8") == "Second: гавань."
    assert not (tmp_path / first / "stray").exists()
    assert [path.name for path in (tmp_path / "linear").iterdir()] == [first.split("/")[1]]
    assert current_model_id(tmp_path) is None  # saving does not make it current


def test_a_model_that_does_not_load_back_replaces_nothing(
    tiny_trained, tiny_data, tiny_targets, models, monkeypatch
):
    before = {path: path.read_bytes() for path in models.rglob("*") if path.is_file()}

    def refuse(place):
        raise ArtifactError("does not load")

    monkeypatch.setattr(artifact, "_load_folder", refuse)
    with pytest.raises(ArtifactError, match="does not load"):
        save_model(tiny_trained, tiny_data, tiny_targets, card="", now=NOW, folder=models)
    assert {path: path.read_bytes() for path in models.rglob("*") if path.is_file()} == before


def test_the_models_folder_comes_from_the_environment(tiny_models_folder, tiny_model, monkeypatch):
    monkeypatch.setenv("STANCE_MODELS", str(tiny_models_folder))
    assert load_model().model_id == current_model_id() == list_models()[0] == tiny_model.model_id


# Versions


def test_equal_inputs_have_an_equal_version(tiny_data, tiny_trained):
    version = version_of(tiny_data, tiny_trained.classifier)
    copied = dataclasses.replace(tiny_data, y=tiny_data.y.copy(), texts=tuple(tiny_data.texts))
    assert version_of(copied, tiny_trained.classifier) == version
    assert version.split("-")[0] == artifact.importlib.metadata.version("stance-convergence")
    assert len(version.split("-")[1]) == 8


@pytest.mark.parametrize("pair", [(0, 0), (0, 1), (31, 0), (47, 1)])
def test_any_changed_label_changes_the_version(tiny_data, tiny_trained, pair):
    y = tiny_data.y.copy()
    y[pair] = "against" if y[pair] != "against" else "favor"
    changed = dataclasses.replace(tiny_data, y=y)
    assert version_of(changed, tiny_trained.classifier) != version_of(tiny_data, tiny_trained.classifier)


@pytest.mark.parametrize("field", ["texts", "langs", "groups", "kinds"])
def test_any_other_changed_input_changes_the_version(tiny_data, tiny_trained, field):
    values = list(getattr(tiny_data, field))
    values[5] = {"texts": "Other.", "langs": "ru", "groups": 99, "kinds": "store"}[field]
    kept = tuple(values) if field in ("texts", "langs") else np.array(values, dtype=getattr(tiny_data, field).dtype)
    changed = dataclasses.replace(tiny_data, **{field: kept})
    assert version_of(changed, tiny_trained.classifier) != version_of(tiny_data, tiny_trained.classifier)


@pytest.mark.parametrize(
    "change",
    [
        {"C": 1.0},
        {"random_state": 1},
        {"min_df": 4},
        {"weights": {"words": 1.0}},
        {"cues": {"harbour": ["x"], "railway": ["y"]}},
        {"concepts": {"welcome": ["x"]}},
    ],
)
def test_changed_settings_change_the_version(tiny_data, tiny_trained, change):
    classifier = tiny_trained.classifier
    changed = type(classifier)(**{**classifier.get_params(), **change})
    assert version_of(tiny_data, changed) != version_of(tiny_data, classifier)


def test_changed_weights_change_the_version(tiny_data, tiny_trained, monkeypatch):
    before = version_of(tiny_data, tiny_trained.classifier)
    monkeypatch.setattr(training, "WEIGHTS", {**training.WEIGHTS, "authored": 0.4})
    assert version_of(tiny_data, tiny_trained.classifier) != before


# Damage


@pytest.mark.parametrize("name", FILES)
def test_one_flipped_bit_is_found_before_anything_is_built(place, name, models, monkeypatch):
    content = bytearray((place / name).read_bytes())
    content[len(content) // 2] ^= 1
    (place / name).write_bytes(content)
    monkeypatch.setattr(artifact, "load_weights", None)
    with pytest.raises(
        ArtifactError, match=rf"{name} is damaged or was changed .*\(hash differs\); run `stance retr"
    ):
        load_model(folder=models)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(place, models, name):
    (place / name).unlink()
    with pytest.raises(ArtifactError, match=rf"{name} is damaged or was changed"):
        load_model(folder=models)


@pytest.mark.parametrize("key", ["model_id", "targets", "languages", "thresholds", "codebook_version", "sha256"])
def test_a_manifest_without_an_entry_is_refused(place, models, key):
    manifest = json.loads((place / "manifest.json").read_text())
    del manifest[key]
    (place / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match=r"manifest\.json is not a model's manifest; run `stance retrain`\."):
        load_model(folder=models)


@pytest.mark.parametrize(
    "hashes", [None, {}, [*FILES], {"model.skops": "0"}, {**dict.fromkeys(FILES, "0"), "../x": "0"}]
)
def test_a_manifest_that_vouches_for_other_files_is_refused(place, models, hashes):
    manifest = json.loads((place / "manifest.json").read_text())
    (place / "manifest.json").write_text(json.dumps({**manifest, "sha256": hashes}))
    with pytest.raises(ArtifactError, match="is not a model's manifest"):
        load_model(folder=models)


def test_a_manifest_with_another_hash_is_refused(place, models):
    manifest = json.loads((place / "manifest.json").read_text())
    manifest["sha256"]["model.skops"] = "0" * 64
    (place / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match=r"model\.skops is damaged"):
        load_model(folder=models)


@pytest.mark.parametrize("content", [b"{broken", b"\xff\xfe", b""])
def test_a_manifest_that_does_not_read_is_refused(place, models, content):
    (place / "manifest.json").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"manifest\.json is missing or damaged"):
        load_model(folder=models)


@pytest.mark.parametrize("content", [b"[]", b"null", b'"model_id"'])
def test_a_manifest_that_is_no_object_is_refused(place, models, content):
    (place / "manifest.json").write_bytes(content)
    with pytest.raises(ArtifactError, match="is not a model's manifest"):
        load_model(folder=models)


def test_a_type_that_is_not_trusted_is_named_and_never_built(place, models):
    sio.dump(Stranger(), place / "model.skops")
    rehash(place, "model.skops")
    with pytest.raises(ArtifactError, match=r"model\.skops holds types that are not trusted \(.*Stranger"):
        load_model(folder=models).classifier  # noqa: B018
    assert Stranger.built == 0


def test_a_pickle_among_the_probabilities_is_never_run(place, models):
    stored = dict(np.load(place / "out_of_fold.npz"))
    trap = np.array([Stranger()], dtype=object)
    np.savez_compressed(place / "out_of_fold.npz", **{**stored, "probabilities": trap})
    rehash(place, "out_of_fold.npz")
    with pytest.raises((ValueError, ArtifactError)):
        load_model(folder=models)
    assert Stranger.built == 0


def test_a_trusted_type_that_is_no_classifier_is_refused(place, models):
    sio.dump({"a": [1, 2]}, place / "model.skops")
    rehash(place, "model.skops")
    with pytest.raises(
        ArtifactError, match=r"model\.skops holds a dict, not a classifier; run `stance retrain`\.$"
    ):
        load_model(folder=models).classifier  # noqa: B018


def test_weights_that_hold_no_model_are_refused(place, models):
    for content in (b"", b"no archive", (place / "out_of_fold.npz").read_bytes()):
        (place / "weights.npz").write_bytes(content)
        rehash(place, "weights.npz")
        with pytest.raises(ArtifactError, match=r"weights\.npz holds no model \(.*run `stance retrain`\.$"):
            load_model(folder=models)


def test_the_plain_weights_answer_as_the_estimator_to_the_last_bit(tiny_model, tiny_trained):
    texts = [tiny_text(n)[0] for n in range(9)] + [
        "",
        "Гавань 港口 railway",
        "The harbour. The railway! US vessel?",
    ]
    expected = tiny_trained.classifier.predict_proba(texts)
    assert type(tiny_model.scorer) is not type(tiny_model.classifier)
    np.testing.assert_array_equal(tiny_model.scorer.predict_proba(texts), expected)
    np.testing.assert_array_equal(tiny_model.scorer.names(texts), tiny_trained.classifier.names(texts))
    assert tiny_model.scorer.targets == ("harbour", "railway")


def test_a_model_saved_before_there_were_plain_weights_loads_and_answers_alike(tiny_model, place, models):
    (place / "weights.npz").unlink()
    manifest = json.loads((place / "manifest.json").read_text())
    del manifest["sha256"]["weights.npz"]
    (place / "manifest.json").write_text(json.dumps(manifest))
    texts = [tiny_text(n)[0] for n in range(3)]
    older = load_model(folder=models)
    np.testing.assert_array_equal(older.scorer.predict_proba(texts), tiny_model.scorer.predict_proba(texts))


# Which model


def test_a_model_is_found_by_id_name_path_and_as_the_current_one(models, place):
    model_id = list_models(models)[0]
    for which in (None, model_id, "linear", str(place)):
        assert load_model(which, folder=models).model_id == model_id


def test_of_several_versions_a_name_means_the_current_one(models):
    first, second = list_models(models)[0], add_version(models)
    assert load_model("linear", folder=models).model_id == first
    make_current(second, folder=models)
    assert load_model("linear", folder=models).model_id == load_model(folder=models).model_id == second
    assert load_model(first, folder=models).model_id == first


def test_of_several_versions_without_a_current_one_a_name_is_not_enough(models):
    first, second = list_models(models)[0], add_version(models)
    (models / "index.json").unlink()
    with pytest.raises(UsageError, match=rf"^unknown model: linear\. Known: {first}, {second}\.$"):
        load_model("linear", folder=models)


def test_a_name_with_one_version_needs_no_current_one(models):
    other = add_version(models, name="other")
    assert load_model("other", folder=models).model_id == other


def test_an_unknown_model_is_named_beside_the_known(models):
    with pytest.raises(UsageError, match=rf"^unknown model: linear/0\. Known: {list_models(models)[0]}\.$"):
        load_model("linear/0", folder=models)


def test_without_any_model_the_next_step_is_said(tmp_path):
    assert list_models(tmp_path) == []
    assert current_model_id(tmp_path) is None
    with pytest.raises(UsageError, match=r"^no trained model yet: run `stance retrain`"):
        load_model(folder=tmp_path)
    with pytest.raises(UsageError, match=r"^unknown model: linear\. Known: none; run `stance retrain`\.$"):
        load_model("linear", folder=tmp_path)


def test_a_current_model_that_is_gone_is_named(models, place):
    shutil.rmtree(place)
    with pytest.raises(UsageError, match=r"^unknown model: linear/"):
        load_model(folder=models)


def test_drafts_are_not_listed(models, place):
    shutil.copytree(place, place.with_name(f".{place.name}.part"))
    assert list_models(models) == [place.relative_to(models).as_posix()]


def test_the_index_names_the_current_and_lists_all_sorted(models):
    first, second = list_models(models)[0], add_version(models)
    make_current(second, folder=models)
    assert json.loads((models / "index.json").read_text()) == {"current": second, "models": sorted([first, second])}


@pytest.mark.parametrize("content", [b"{", b"{}", b"[]", b"\xff"])
def test_a_damaged_index_is_named(models, content):
    (models / "index.json").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"index\.json is damaged; delete it and run `stance retrain`\."):
        load_model(folder=models)
