"""The card says what the run measured, and nothing else."""

import dataclasses
import re

import numpy as np
import pytest

from pipeline.classify.card import model_card
from pipeline.classify.measures import COVERAGES
from pipeline.classify.training import train
from pipeline.schema import STANCES

pytestmark = pytest.mark.usefixtures("tiny_world")


@pytest.fixture(scope="module")
def noisy(tiny_world, tiny_data, tiny_targets):
    """Return data with every third label of the harbour changed, so that no figure is round, and what it gives."""
    y = tiny_data.y.copy()
    y[::3, 0] = np.roll(y[::3, 0], 1)
    y[:30, 1] = np.where(y[:30, 1] == "against", "none", y[:30, 1])
    data = dataclasses.replace(tiny_data, y=y)
    return data, train(data, tiny_targets, n_jobs=1)


@pytest.fixture(scope="module")
def card(noisy, tiny_targets):
    data, trained = noisy
    return model_card(trained, data, tiny_targets, version="1.2-abc", evaluation_hash="feed1234")


def tables(card):
    """Return every table as a list of rows of cells, without the rule under the header."""
    found = re.findall(r"(?:^\|.*\|\n)+", card, flags=re.MULTILINE)
    rows = [
        [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()] for table in found
    ]
    return [[table[0], *table[2:]] for table in rows]


def test_the_card_names_version_codebook_data_and_languages(card):
    assert card.startswith("# Model linear/1.2-abc\n")
    assert "codebook, version t1," in card
    assert "(data `feed1234`)" in card
    assert "on the 32 documented statements coded twice" in card
    assert "Languages seen in training: en. In any other language" in card
    assert "confidence at which 90% of answers" in card


def test_the_card_says_how_the_model_reads(card):
    assert (
        "One linear support vector machine per target over words, character n-grams and the concepts of a "
        "trilingual dictionary, of the sentences that name the target; margins scaled per target. A text that never "
        "names a target is `none` on it.\n"
    ) in card
    assert "cue" not in card


def test_every_heading_is_there_in_order(card):
    assert re.findall(r"^## (.+)$", card, flags=re.MULTILINE) == [
        "Intended use", "Training data", "Quality", "Abstention", "Limits",
    ]  # fmt: skip


def test_training_data_are_counted_with_their_weights(card):
    assert tables(card)[0] == [
        ["kind", "texts", "weight"],
        ["documented statements, coded twice and adjudicated", "32", "1.0"],
        ["documented statements, coded once", "6", "0.7"],
        ["authored passages (written for training, said by nobody), coded twice", "10", "0.5"],
    ]


def test_quality_is_what_was_measured(card, noisy):
    metrics = noisy[1].metrics
    quality = tables(card)[1]
    assert quality[0] == [
        "target", "majority", "TF-IDF + logistic regression", "this model", "accuracy", "calibration error",
    ]  # fmt: skip
    systems = ("majority", "tfidf_logistic_regression", "model")
    for row, name in zip(quality[1:3], ("harbour", "railway"), strict=True):
        result = metrics["model"]["targets"][name]
        figures = [metrics[system]["targets"][name]["macro_f1"] for system in systems]
        assert row == [name, *(f"{figure:.3f}" for figure in (*figures, result["accuracy"], result["ece"]))]
    means = [metrics[system]["mean_macro_f1"] for system in systems]
    assert quality[3] == ["**mean**", *(f"{mean:.3f}" for mean in means), "", f"{metrics['model']['mean_ece']:.3f}"]
    assert len(set(quality[1][1:])) > 3  # the figures differ, so a swapped column would show


def test_f1_and_cases_per_stance_are_what_was_measured(card, noisy):
    table = tables(card)[2]
    assert table[0] == ["target", *STANCES]
    for row in table[1:]:
        result = noisy[1].metrics["model"]["targets"][row[0]]
        for stance, cell in zip(STANCES, row[1:], strict=True):
            cases = result["support"][stance]
            assert cell == (f"{result['f1'][stance]:.2f} ({cases})" if cases else "(0)")
    assert "(0)" in table[2]


def test_confusion_is_true_stance_by_predicted(card, noisy):
    for name, table in zip(("harbour", "railway"), tables(card)[3:5], strict=True):
        confusion = noisy[1].metrics["model"]["targets"][name]["confusion"]
        assert table == [
            ["", *STANCES],
            *([true, *(str(confusion[true][guess]) for guess in STANCES)] for true in STANCES),
        ]
        assert f"{name}\n\n|" in card
        counts = np.array([row[1:] for row in table[1:]], dtype=int)
        assert counts.sum() == 32


def test_abstention_is_what_was_measured(card, noisy):
    table = tables(card)[6]
    assert table[0][:4] == ["target", "threshold", "answered", "right among answered"]
    assert table[0][4:] == ["right among abstained", "abstained of those that address it"]
    for row in table[1:]:
        figures, cost = (noisy[1].metrics[name][row[0]] for name in ("abstention", "cost_of_abstention"))
        assert row[1:] == [
            f"{figures['threshold']:.2f}",
            f"{figures['coverage']:.0%}",
            f"{figures['accuracy']:.0%}",
            f"{cost['right']:.0%}" if cost["abstained"] else "",
            f"{cost['of_spoken']:.0%}",
        ]
    assert 0 < noisy[1].metrics["cost_of_abstention"]["harbour"]["of_spoken"] <= 1


def test_quality_by_language_is_what_was_measured(card, noisy):
    table = tables(card)[5]
    assert table[0][-2:] == ["**mean macro-F1**", "calibration error"]
    measured = noisy[1].metrics["languages"]
    assert [row[0] for row in table[1:]] == ["documented", "authored, en"] == [m["part"] for m in measured]
    for row, found in zip(table[1:], measured, strict=True):
        assert row[1:] == [
            str(found["texts"]),
            *("" if figure is None else f"{figure:.3f}" for figure in found["macro_f1"].values()),
            f"{found['mean_macro_f1']:.3f}",
            f"{found['ece']:.3f} ({found['ece_noise']:.3f})",
        ]
    assert (measured[0]["texts"], measured[1]["texts"]) == (32, 10)
    assert measured[0]["mean_macro_f1"] == pytest.approx(noisy[1].metrics["model"]["mean_macro_f1"])


def test_accuracy_by_coverage_is_what_was_measured(card, noisy):
    table = tables(card)[7]
    assert table[0] == ["target", *(f"surest {share:.0%}" for share in COVERAGES)]
    for row in table[1:]:
        curves = noisy[1].metrics["coverage"][row[0]]
        assert row[1:] == [f"{a:.0%} ({s:.0%})" for a, s in zip(curves["all"], curves["spoken"], strict=True)]
        assert curves["all"][0] == pytest.approx(noisy[1].metrics["model"]["targets"][row[0]]["accuracy"])
        assert curves["all"][3] == noisy[1].metrics["model"]["targets"][row[0]]["accuracy_at_80_coverage"]


def test_the_model_before_is_compared_with_where_there_was_one(card, noisy, tiny_targets):
    data, trained = noisy
    comparison = {
        "with": "linear/0.9-old", "statements": 32, "difference": 0.0123, "conf_low": -0.01, "conf_high": 0.03,
        "targets": {"harbour": {"old_macro_f1": 0.5, "new_macro_f1": 0.6, "changed": 0.125, "drift": 0.0625}},
    }  # fmt: skip
    compared = dataclasses.replace(trained, metrics={**trained.metrics, "comparison": comparison})
    after = model_card(compared, data, tiny_targets, version="1", evaluation_hash="h")
    assert "### Compared with linear/0.9-old" in after
    assert "changed by +0.012 (95% interval -0.010 to +0.030;" in after
    assert tables(after)[6][1] == ["harbour", "0.500", "0.600", "12.5%", "6.2%"]
    assert "Compared with" not in card


def test_a_figure_that_could_not_be_measured_is_left_empty(noisy, tiny_targets):
    data, trained = noisy
    metrics = {**trained.metrics, "majority": {**trained.metrics["majority"], "mean_macro_f1": None}}
    card = model_card(
        dataclasses.replace(trained, metrics=metrics), data, tiny_targets, version="1", evaluation_hash="h"
    )
    assert tables(card)[1][3][1] == ""


def test_a_forced_model_says_why_and_another_says_nothing(card, noisy, tiny_targets):
    data, trained = noisy
    forced = model_card(
        trained, data, tiny_targets, version="1", evaluation_hash="h", forced="the codebook was changed"
    )
    assert "**Made current although a floor fell.** Reason given: the codebook was changed\n" in forced
    assert "although a floor fell" not in card


def test_kinds_that_are_not_there_are_not_listed_and_languages_are_sorted(noisy, tiny_targets):
    data, trained = noisy
    kinds = np.array(["store"] + ["double_coded"] * 47, dtype=object)
    langs = ("zh", "ru", *["en"] * 46)
    card = model_card(
        trained,
        dataclasses.replace(data, kinds=kinds, langs=langs),
        tiny_targets,
        version="1",
        evaluation_hash="h",
    )
    assert tables(card)[0][1:] == [
        ["documented statements, coded twice and adjudicated", "47", "1.0"],
        ["labels from the store", "1", "1.0"],
    ]
    assert "Languages seen in training: en, ru, zh." in card
