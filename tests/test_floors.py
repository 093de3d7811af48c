"""Floors: what falls is said, what changed stops the gate, and pinning never lowers unasked."""

import json

import pytest

from pipeline.classify.floors import MARGIN, fallen, floors_path, measured, pin_floors, read_floors
from pipeline.errors import DataError


def metrics(mean=0.7, **targets):
    return {
        "model": {"mean_macro_f1": mean, "targets": {name: {"macro_f1": value} for name, value in targets.items()}}
    }


def floors(**figures):
    return {"evaluation_hash": "h1", "macro_f1": figures}


def test_floors_are_about_the_mean_and_each_target():
    assert measured(metrics(0.7, harbour=0.6, railway=0.8)) == {"mean": 0.7, "harbour": 0.6, "railway": 0.8}


def test_a_target_without_a_figure_has_no_floor(tmp_path):
    unmeasured = metrics(0.7, harbour=None)
    assert measured(unmeasured) == {"mean": 0.7}
    assert fallen(unmeasured, floors(mean=0.7, harbour=0.1), "h1") == [
        "harbour: macro-F1 0.000 is below the floor of 0.100"
    ]
    pin_floors(unmeasured, "h1", path=tmp_path / "f.json")
    assert read_floors(tmp_path / "f.json")["macro_f1"] == {"mean": 0.69}


def test_nothing_falls_without_floors_or_at_them():
    assert fallen(metrics(0.1), None, "h1") == []
    assert fallen(metrics(0.7, harbour=0.6), floors(mean=0.7, harbour=0.6), "h1") == []


def test_every_fallen_floor_is_named_with_both_figures():
    assert fallen(metrics(0.699, harbour=0.6, railway=0.5), floors(mean=0.7, harbour=0.6, railway=0.8), "h1") == [
        "mean: macro-F1 0.699 is below the floor of 0.700",
        "railway: macro-F1 0.500 is below the floor of 0.800",
    ]


def test_a_target_that_is_no_longer_measured_has_fallen():
    assert fallen(metrics(0.7), floors(harbour=0.2), "h1") == [
        "harbour: macro-F1 0.000 is below the floor of 0.200"
    ]


def test_changed_evaluation_data_stop_the_gate_however_good_the_figures():
    assert fallen(metrics(0.99), floors(mean=0.1), "h2") == [
        "the evaluation data changed since the floors were pinned; pin them anew with --pin"
    ]


def test_floors_are_pinned_a_margin_below_with_the_hash(tmp_path):
    path = tmp_path / "gate" / "floors.json"
    assert MARGIN == 0.01
    assert pin_floors(metrics(0.7123, harbour=0.65), "h1", path=path) == []
    assert json.loads(path.read_text()) == {
        "evaluation_hash": "h1",
        "macro_f1": {"mean": 0.702, "harbour": 0.64},
    }
    assert path.read_text().endswith("}\n")


def test_pinning_raises_floors_and_keeps_those_that_would_fall(tmp_path):
    path = tmp_path / "floors.json"
    pin_floors(metrics(0.7, harbour=0.6, railway=0.8), "h1", path=path)
    assert pin_floors(metrics(0.75, harbour=0.6, railway=0.7, canal=0.3), "h2", path=path) == ["railway"]
    assert read_floors(path) == {
        "evaluation_hash": "h2",
        "macro_f1": {"mean": 0.74, "harbour": 0.59, "railway": 0.79, "canal": 0.29},
    }


def test_pinning_lowers_floors_only_when_told(tmp_path):
    path = tmp_path / "floors.json"
    pin_floors(metrics(0.7, harbour=0.6), "h1", path=path)
    assert pin_floors(metrics(0.5, harbour=0.7), "h1", lower=True, path=path) == []
    assert read_floors(path)["macro_f1"] == {"mean": 0.49, "harbour": 0.69}


def test_a_pinned_model_passes_its_own_floors(tmp_path):
    path = tmp_path / "floors.json"
    pin_floors(metrics(0.7, harbour=0.6), "h1", path=path)
    assert fallen(metrics(0.7, harbour=0.6), read_floors(path), "h1") == []
    assert fallen(metrics(0.7 - 2 * MARGIN, harbour=0.6), read_floors(path), "h1") != []


def test_floors_that_are_not_pinned_read_as_none(tmp_path):
    assert read_floors(tmp_path / "floors.json") is None


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        '{"evaluation_hash": "h"}',
        '{"macro_f1": {"mean": 1}}',
        '{"macro_f1": {}, "evaluation_hash": "h"}',
    ],
)
def test_a_damaged_file_of_floors_is_named(tmp_path, content):
    path = tmp_path / "floors.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"floors\.json is not a file of floors; restore it or pin anew"):
        read_floors(path)


def test_the_checkouts_floors_are_beside_the_gate(monkeypatch, tmp_path):
    monkeypatch.setenv("STANCE_CORPUS", str(tmp_path / "corpus"))
    assert floors_path() == tmp_path / "tests" / "gate" / "floors.json"
    assert read_floors() is None
    pin_floors(metrics(0.7), "h1")
    assert read_floors()["macro_f1"] == {"mean": 0.69}


@pytest.mark.parametrize(("mean", "kept"), [(0.699, ["mean"]), (0.7, []), (0.701, [])])
def test_a_floor_is_kept_from_falling_by_a_thousandth(tmp_path, mean, kept):
    path = tmp_path / "floors.json"
    pin_floors(metrics(0.7), "h1", path=path)
    assert pin_floors(metrics(mean), "h1", path=path) == kept
    assert read_floors(path)["macro_f1"]["mean"] == max(0.69, round(mean - 0.01, 3))


def test_a_target_added_since_does_not_lower_the_mean_of_the_others():
    pinned = floors(mean=0.7, harbour=0.6, railway=0.6)
    assert fallen(metrics(0.5, harbour=0.8, railway=0.7, lighthouse=0.1), pinned, "h1") == []
    assert fallen(metrics(0.9, harbour=0.6, railway=0.7, lighthouse=0.9), pinned, "h1") == [
        "mean: macro-F1 0.650 is below the floor of 0.700"
    ]
