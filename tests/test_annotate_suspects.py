"""Suspected label errors: by hand, and by errors put in on purpose."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.annotate.suspects import SUSPECT_COLUMNS, confident_classes, suspected_errors
from pipeline.schema import PROBABILITY_COLUMNS, STANCES


def codings(stances: list[str], target: str = "harbour", coder: str = "adjudicated") -> pd.DataFrame:
    ids = [f"s{n:03d}" for n in range(len(stances))]
    return pd.DataFrame({
        "statement_id": ids, "target": target, "coder": coder, "stance": stances, "date": "2030-01-01",
        "country": "ARD", "speaker": "Anna Vell", "text": ids,
    })  # fmt: skip


def tags(probabilities: np.ndarray, target: str = "harbour") -> pd.DataFrame:
    frame = pd.DataFrame(probabilities, columns=list(PROBABILITY_COLUMNS))
    return frame.assign(statement_id=[f"s{n:03d}" for n in range(len(frame))], target=target)


def test_the_confident_class_by_hand() -> None:
    """Thresholds: class 0 mean(.9, .6, .2) = .567, class 1 mean(.7, .5) = .6."""
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7], [0.5, 0.5]])
    labels = np.array([0, 0, 0, 1, 1])
    assert confident_classes(labels, probabilities).tolist() == [0, 0, 1, 1, -1]


def test_a_class_that_nobody_gave_is_suggested_to_nobody() -> None:
    probabilities = np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2], [0.2, 0.6, 0.2]])
    assert confident_classes(np.array([0, 0, 1]), probabilities).tolist() == [-1, 0, 1]


def test_where_several_classes_are_confident_the_likeliest_is() -> None:
    probabilities = np.array([[0.2, 0.8], [0.8, 0.2], [0.55, 0.45], [0.9, 0.1]])
    # Thresholds: mean(.2, .8) = .5 and mean(.45, .1) = .275; the third passes both, the second only the first.
    assert confident_classes(np.array([0, 0, 1, 1]), probabilities).tolist() == [1, 0, 0, 0]


def test_errors_put_in_on_purpose_come_first() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 4, 400)
    probabilities = rng.dirichlet(np.ones(4), 400) * 0.3 + 0.7 * np.eye(4)[truth]
    flipped = rng.choice(400, 30, replace=False)
    given = truth.copy()
    given[flipped] = (truth[flipped] + 1) % 4
    ranked = suspected_errors(
        tags(probabilities), codings([STANCES[g] for g in given]), ["harbour"], coder="adjudicated"
    )
    assert tuple(ranked.columns) == SUSPECT_COLUMNS
    assert set(ranked["statement_id"]) <= {f"s{n:03d}" for n in flipped}
    assert len(ranked) >= 20
    assert ranked["rank"].tolist() == list(range(1, len(ranked) + 1))
    assert ranked["p_label"].is_monotonic_increasing
    first = ranked.iloc[0]
    place = int(first["statement_id"][1:])
    assert (first["label"], first["suggested"]) == (STANCES[given[place]], STANCES[truth[place]])
    assert first["p_suggested"] == round(probabilities[place].max(), 6)
    assert first["p_label"] == round(probabilities[place, given[place]], 6)


def test_each_target_has_its_own_thresholds_and_other_coders_do_not_matter() -> None:
    sure = np.array([[0.97, 0.01, 0.01, 0.01], [0.96, 0.02, 0.01, 0.01], [0.01, 0.01, 0.97, 0.01]])
    unsure = np.array([[0.4, 0.2, 0.2, 0.2], [0.3, 0.1, 0.4, 0.2], [0.2, 0.2, 0.35, 0.25]])
    both = pd.concat([tags(sure), tags(unsure, "railway")])
    given = pd.concat([
        codings(["favor", "favor", "against"]), codings(["favor", "favor", "against"], "railway"),
        codings(["against", "against", "favor"], coder="anna"),
    ])  # fmt: skip
    found = suspected_errors(both, given, ["harbour", "railway"], coder="adjudicated")
    assert found[["statement_id", "target", "suggested"]].to_numpy().tolist() == [["s001", "railway", "against"]]
    assert suspected_errors(both, given, ["harbour"], coder="adjudicated").empty
    anna = suspected_errors(both, given, ["harbour"], coder="anna")
    assert set(anna["coder"]) == {"anna"}
    assert anna["statement_id"].tolist() == ["s000", "s001", "s002"]  # equally improbable: in order of id


def test_no_labels_give_an_empty_list_with_its_columns() -> None:
    found = suspected_errors(tags(np.zeros((0, 4))), codings([]), ["harbour"], coder="adjudicated")
    assert tuple(found.columns) == SUSPECT_COLUMNS
    assert found.empty
