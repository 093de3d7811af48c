"""Adjudication: what settles a label, what leaves it open, and that nothing settled changes silently."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from pipeline.annotate.adjudication import Policy, Settled, adjudicate, verdict
from pipeline.annotate.selection import coded_pairs
from pipeline.errors import UsageError
from pipeline.schema import ADJUDICATED, Coding, Label, Statement
from pipeline.store import Store

NOW = dt.datetime(2031, 5, 4, 3, 2, 1, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=1)
TARGETS = ("harbour", "railway")


@pytest.fixture
def coded(store: Store, make_statement: Callable[..., Statement]) -> Store:
    """A store with nine statements x1 ... x9 and no labels."""
    store.add_statements(make_statement(n) for n in range(1, 10))
    return store


def give(store: Store, number: int, stances: dict[str, str], target: str = "harbour", version: str = "t1") -> None:
    for coder, stance in stances.items():
        labels = [Label(statement_id=f"x{number}", target=target, stance=stance)]  # type: ignore[arg-type]
        store.add_labels(labels, coder=coder, codebook_version=version, now=NOW, origin="label, blind")


def settle(store: Store, now: dt.datetime = LATER, dry_run: bool = False, **policy: object) -> Settled:
    given = {"targets": policy.pop("targets", TARGETS), "sampling_probs": policy.pop("sampling_probs", {})}
    return adjudicate(
        store, coded_pairs(store), policy=Policy(**policy), codebook_version="t1", now=now, dry_run=dry_run, **given
    )  # type: ignore[arg-type]


def settled(store: Store) -> dict[tuple[str, str], str]:
    rows = store.labels_frame()
    return dict(zip(zip(rows["statement_id"], rows["target"], strict=True), rows["stance"], strict=True))


@pytest.mark.parametrize(
    ("people", "policy", "decision", "expected"),
    [
        ({"a": "favor", "b": "favor"}, {}, None, ("favor", "adjudicate: unanimous (a favor, b favor)")),
        ({"a": "favor", "b": "none"}, {}, None, (None, "disputed")),
        ({"a": "favor"}, {}, None, (None, "waiting")),
        ({}, {}, None, (None, "skipped")),
        ({"a": "favor"}, {"min_coders": 1}, None, ("favor", "adjudicate: unanimous (a favor)")),
        ({"a": "favor", "b": "favor"}, {"min_coders": 3}, None, (None, "waiting")),
        ({"a": "none", "b": "favor", "c": "none"}, {}, None, (None, "disputed")),
        (
            {"a": "none", "b": "favor", "c": "none"}, {"rule": "majority"}, None,
            ("none", "adjudicate: majority (a none, b favor, c none)"),
        ),
        ({"a": "none", "b": "favor"}, {"rule": "majority"}, None, (None, "disputed")),
        (
            {"a": "none", "b": "favor", "c": "none", "d": "favor"}, {"rule": "majority"}, None, (None, "disputed"),
        ),
        ({"a": "none", "b": "favor", "c": "against"}, {"rule": "majority"}, None, (None, "disputed")),
        ({"a": "none", "b": "favor"}, {"by": "b"}, None, ("favor", "adjudicate: by b (a none, b favor)")),
        ({"a": "none", "c": "favor"}, {"by": "b"}, None, (None, "disputed")),
        ({"b": "favor"}, {"by": "b"}, None, ("favor", "adjudicate: by b (b favor)")),
        ({"a": "none", "b": "none"}, {"by": "b"}, "favor", ("favor", "adjudicate: decision (a none, b none)")),
        ({}, {}, "against", ("against", "adjudicate: decision")),
    ],
)  # fmt: skip
def test_the_verdict(people: dict, policy: dict, decision: str | None, expected: tuple) -> None:
    assert verdict(people, Policy(**policy), decision) == expected  # type: ignore[arg-type]


def test_what_coders_agree_on_is_settled_and_the_rest_is_counted(coded: Store) -> None:
    give(coded, 1, {"anna": "favor", "boris": "favor"})
    give(coded, 2, {"anna": "favor", "boris": "none"})
    give(coded, 3, {"anna": "favor"})
    give(coded, 1, {"anna": "none", "boris": "none"}, target="railway")
    assert settle(coded) == Settled(settled=2, disputed=1, waiting=1)
    assert settled(coded) == {("x1", "harbour"): "favor", ("x1", "railway"): "none"}
    log = coded.label_log("x1")
    row = log[log["coder"] == ADJUDICATED].iloc[0]
    assert row["labelled_at"] == LATER.isoformat(timespec="seconds")
    assert row["origin"] == "adjudicate: unanimous (anna favor, boris favor)"
    assert row["codebook_version"] == "t1"
    assert settle(coded, now=LATER + dt.timedelta(days=1)) == Settled(unchanged=2, disputed=1, waiting=1)
    assert coded.label_log("x1").equals(log)


def test_a_settled_label_changes_only_when_asked(coded: Store) -> None:
    give(coded, 1, {"anna": "favor", "boris": "favor", ADJUDICATED: "none"})
    assert settle(coded) == Settled(differing=1)
    assert settled(coded) == {("x1", "harbour"): "none"}
    assert settle(coded, replace=True, dry_run=True) == Settled(changed=1)
    assert settled(coded) == {("x1", "harbour"): "none"}
    assert settle(coded, replace=True) == Settled(changed=1)
    assert settled(coded) == {("x1", "harbour"): "favor"}
    log = coded.label_log("x1")
    replaced = log[log["replaced_at"] != ""]
    assert replaced[["coder", "stance", "replaced_at"]].to_numpy().tolist() == [
        [ADJUDICATED, "none", LATER.isoformat(timespec="seconds")]
    ]


def test_decisions_come_first_and_need_no_coder(coded: Store) -> None:
    give(coded, 1, {"anna": "favor", "boris": "favor"})
    decisions = {("x1", "harbour"): "against", ("x5", "railway"): "neutral"}
    assert settle(coded, decisions=decisions) == Settled(settled=2)
    assert settled(coded) == decisions


def test_a_decision_on_an_unknown_target_is_named(coded: Store) -> None:
    with pytest.raises(UsageError, match="decision on x1 names the target 'moon'; accepted: harbour, railway"):
        settle(coded, decisions={("x1", "moon"): "none"})


def test_only_the_targets_asked_for_are_settled(coded: Store) -> None:
    give(coded, 1, {"anna": "favor", "boris": "favor"})
    give(coded, 1, {"anna": "none", "boris": "none"}, target="railway")
    assert settle(coded, targets=("railway",)) == Settled(settled=1)
    assert settled(coded) == {("x1", "railway"): "none"}


def test_labels_of_another_codebook_have_no_say_and_its_settled_ones_are_open_again(coded: Store) -> None:
    give(coded, 1, {"anna": "favor", "boris": "favor"}, version="t0")
    assert settle(coded) == Settled(outdated=2)
    give(coded, 1, {ADJUDICATED: "favor"}, version="t0")
    give(coded, 1, {"anna": "none", "boris": "none"})
    assert settle(coded) == Settled(changed=1)
    assert settled(coded) == {("x1", "harbour"): "none"}
    give(coded, 2, {"anna": "none", "boris": "none"})
    give(coded, 2, {ADJUDICATED: "none"}, version="t0")
    assert settle(coded) == Settled(changed=1, unchanged=1)
    assert set(coded.codings_frame()["codebook_version"]) == {"t1"}


def test_a_drawn_statement_carries_its_probability_and_later_rounds_raise_it(coded: Store) -> None:
    give(coded, 1, {"anna": "favor", "boris": "favor"})
    give(coded, 2, {"anna": "favor", "boris": "favor"})
    assert settle(coded, sampling_probs={"x1": 0.25}).settled == 2
    assert coded.labels_frame()["sampling_prob"].tolist() == [0.25, 1.0]
    again = settle(coded, now=LATER + dt.timedelta(days=1), sampling_probs={"x1": 0.5, "x3": 0.5})
    assert again == Settled(unchanged=2, reweighted=1)
    assert coded.labels_frame()["sampling_prob"].tolist() == [0.5, 1.0]
    assert set(coded.label_log("x1")["replaced_at"]) == {""}  # a weight is no opinion: no history
    assert coded.label_log("x1")["labelled_at"].max() == LATER.isoformat(timespec="seconds")


def test_what_the_corpus_came_with_was_coded_in_full_and_keeps_its_weight(coded: Store) -> None:
    coded.add_labels(
        [Label(statement_id="x1", target="harbour", stance="favor")], coder=ADJUDICATED, codebook_version="t1"
    )
    assert settle(coded, sampling_probs={"x1": 0.5}) == Settled()
    assert coded.labels_frame()["sampling_prob"].tolist() == [1.0]


def test_nobody_s_labels_settle_nothing(coded: Store) -> None:
    assert settle(coded) == Settled()
    coded.add_codings(
        [Coding(statement_id="x1", target="moon", stance="none", coder="anna", codebook_version="t1")]
    )
    assert settle(coded, min_coders=1) == Settled()
