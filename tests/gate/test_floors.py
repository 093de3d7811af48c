"""The gate: the current model keeps the floors that were pinned, on the data they were pinned on."""

import pytest

from pipeline.classify.artifact import current_model_id, read_metrics
from pipeline.classify.floors import MARGIN, fallen, measured, read_floors
from pipeline.config import load_targets, models_dir
from pipeline.corpus import evaluation_hash


@pytest.fixture(scope="module")
def floors():
    pinned = read_floors()
    if pinned is None:
        pytest.skip("no floors are pinned: run `stance retrain --pin`")
    return pinned


@pytest.fixture(scope="module")
def metrics():
    current = current_model_id()
    if current is None:
        pytest.skip("no model is there: run `stance retrain`")
    return read_metrics(models_dir() / current)


def test_floors_are_pinned_for_the_mean_and_every_target_on_the_bundled_data(floors):
    assert set(floors["macro_f1"]) == {"mean", *load_targets().ids}
    assert all(0 < floor < 1 for floor in floors["macro_f1"].values())
    assert floors["evaluation_hash"] == evaluation_hash(), "the evaluation data changed: pin the floors anew"


def test_the_current_model_keeps_every_floor(floors, metrics):
    assert fallen(metrics, floors, evaluation_hash()) == []
    assert measured(metrics).keys() == floors["macro_f1"].keys()


def test_the_current_model_beats_both_baselines_by_more_than_the_margin(metrics):
    mean = metrics["model"]["mean_macro_f1"]
    for baseline in ("majority", "tfidf_logistic_regression"):
        assert mean > metrics[baseline]["mean_macro_f1"] + MARGIN
