"""Comparing a new model with the current one: paired, by events, and honest about what changed."""

import numpy as np
import pytest

from pipeline.classify.comparison import compare
from pipeline.classify.evaluate import evaluate
from pipeline.corpus import text_key
from pipeline.schema import STANCES

TARGETS = ("harbour", "railway")
N = 200


def tags(stances, confidence=0.7):
    """Return probabilities, shape (n, n_targets, 4), that tag as given."""
    codes = np.array([[STANCES.index(s) for s in row] for row in stances])
    return np.where(np.arange(4) == codes[..., None], confidence, (1 - confidence) / 3)


@pytest.fixture
def world():
    random = np.random.default_rng(3)
    y = random.choice(STANCES, size=(N, 2)).astype(object)
    texts = [f"Text {n}." for n in range(N)]
    return texts, y, np.arange(N) // 2, random


def wrong(y, rows, by=1):
    changed = y.copy()
    for row in rows:
        for k in range(y.shape[1]):
            changed[row, k] = STANCES[(STANCES.index(y[row, k]) + by) % 4]
    return changed


def compared(world, new, old, *, texts=None, targets=TARGETS, old_targets=TARGETS, y=None, groups=None, **options):
    own, gold, events, _ = world
    known = dict(zip(map(text_key, texts or own), tags(old).astype(np.float32), strict=True))
    return compare(
        targets, own, gold if y is None else y, events if groups is None else groups, tags(new), known,
        old_id="linear/old", old_targets=old_targets, **options,
    )  # fmt: skip


def test_a_clearly_better_model_is_better_beyond_chance_and_the_figures_are_those_of_evaluate(world):
    _, y, _, _ = world
    old, new = wrong(y, range(60)), wrong(y, range(10))
    found = compared(world, new, old)
    expected = [evaluate(TARGETS, y, tagged.astype(str))["mean_macro_f1"] for tagged in (old, new)]
    assert found["difference"] == pytest.approx(expected[1] - expected[0])
    assert found["conf_low"] > 0
    assert found["conf_low"] < found["difference"] < found["conf_high"]
    assert (found["with"], found["statements"]) == ("linear/old", N)
    harbour = found["targets"]["harbour"]
    assert harbour["old_macro_f1"] == evaluate(TARGETS, y, old.astype(str))["targets"]["harbour"]["macro_f1"]
    assert harbour["changed"] == pytest.approx(50 / N)


def test_the_same_model_does_not_differ(world):
    _, y, _, _ = world
    tagged = wrong(y, range(40))
    found = compared(world, tagged, tagged)
    assert (found["difference"], found["conf_low"], found["conf_high"]) == (0, 0, 0)
    assert {(t["changed"], t["drift"]) for t in found["targets"].values()} == {(0.0, 0.0)}


def test_models_that_err_as_much_elsewhere_do_not_differ_beyond_chance(world):
    _, y, _, _ = world
    found = compared(world, wrong(y, range(40)), wrong(y, range(100, 140)))
    assert found["conf_low"] < 0 < found["conf_high"]
    assert found["targets"]["harbour"]["changed"] == pytest.approx(80 / N)


def test_drift_is_the_change_of_the_shares_and_not_of_single_tags(world):
    _, y, _, _ = world
    y = y.copy()
    old = y.copy()
    old[:, 0], old[:, 1] = "favor", np.where(np.arange(N) % 2, "favor", "none")
    new = old.copy()
    new[:50, 0] = "neutral"
    new[:, 1] = np.where(np.arange(N) % 2, "none", "favor")  # every tag changes, no share does
    found = compared(world, new, old, y=y)["targets"]
    assert (found["harbour"]["changed"], found["harbour"]["drift"]) == (0.25, pytest.approx(0.25))
    assert (found["railway"]["changed"], found["railway"]["drift"]) == (1.0, pytest.approx(0.0))


def test_statements_of_one_event_are_drawn_together(world):
    _, y, _, _ = world
    old, new = wrong(y, range(0, N, 4)), wrong(y, range(0, N, 8))
    widths = []
    for groups in (np.arange(N), np.arange(N) % 8):
        found = compared(world, new, old, groups=groups)
        widths.append(found["conf_high"] - found["conf_low"])
    assert widths[1] > 1.5 * widths[0]  # eight events, of which two hold every error


def test_only_what_both_were_measured_on_counts(world):
    texts, y, _, _ = world
    known = [text if n < 120 else f"Other {n}." for n, text in enumerate(texts)]
    y = y.copy()
    y[:20] = ""
    old = wrong(world[1], range(160, N))  # not shared
    found = compared(world, world[1], old, texts=known, y=y)
    assert found["statements"] == 120
    assert found["difference"] == 0
    assert compared(world, world[1], world[1], texts=[f"Other {n}." for n in range(N)]) is None
    assert compared(world, world[1], world[1], old_targets=("bridge", "tunnel")) is None


def test_targets_are_matched_by_name(world):
    _, y, _, _ = world
    found = compared(world, y, y[:, ::-1], old_targets=("railway", "harbour"))
    assert found["difference"] == 0
    found = compared(world, y, y[:, ::-1], old_targets=("railway", "bridge"))
    assert list(found["targets"]) == ["railway"]


def test_the_draws_depend_on_the_seed_alone(world):
    _, y, _, _ = world
    old, new = wrong(y, range(50)), wrong(y, range(30, 60))
    one, same, other = (compared(world, new, old, random_state=seed) for seed in (1, 1, 2))
    assert one == same
    assert one["conf_low"] != other["conf_low"]
