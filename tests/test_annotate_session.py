"""Choosing statements to label, and a coder's way through them: nothing is lost, nothing is asked twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from importlib import resources

import pytest

from pipeline.annotate.selection import Selection, select_statements
from pipeline.annotate.session import COMMAND_KEYS, STANCE_KEYS, LabelSession, Question
from pipeline.annotate.tasks import make_tasks
from pipeline.errors import UsageError
from pipeline.schema import ADJUDICATED, STANCES, Label, Statement
from pipeline.store import Store

NOW = dt.datetime(2031, 5, 4, 3, 2, 1, tzinfo=dt.UTC)
TARGETS = ("harbour", "railway")


@pytest.fixture
def filled(store: Store, make_statement: Callable[..., Statement]) -> Store:
    """Twenty statements; odd ones of BOR, in Russian, by Osk Brandt."""
    store.add_statements(
        make_statement(n) if n % 2 == 0 else make_statement(n, country="BOR", lang="ru", speaker="Osk Brandt")
        for n in range(1, 21)
    )
    return store


def give(store: Store, number: int, coder: str, *stances: str) -> None:
    labels = [
        Label(statement_id=f"x{number}", target=t, stance=s) for t, s in zip(TARGETS, stances, strict=False) if s
    ]  # type: ignore[arg-type]
    store.add_labels(labels, coder=coder, codebook_version="t1", now=NOW, origin="label, blind")


def ids(store: Store, **selection: object) -> list[str]:
    return [s.statement_id for s in select_statements(store, Selection(**selection), TARGETS)]  # type: ignore[arg-type]


# Selection


def test_the_order_is_random_repeatable_and_outlasts_what_is_settled(filled: Store) -> None:
    first = ids(filled)
    assert len(first) == 20
    assert first == ids(filled)
    assert first != sorted(first)
    assert first != [s.statement_id for s in filled.statements()]
    assert ids(filled, random_state=1) != first
    assert ids(filled, limit=5) == first[:5]
    give(filled, int(first[2][1:]), ADJUDICATED, "none", "none")
    assert ids(filled) == [i for i in first if i != first[2]]


def test_a_half_in_this_order_is_a_random_half(filled: Store) -> None:
    """Over many seeds each statement stands in the first half as often as not."""
    seen = [sum(f"x{n}" in ids(filled, limit=10, random_state=seed) for seed in range(200)) for n in (1, 10, 20)]
    assert all(70 <= count <= 130 for count in seen)


def test_what_can_be_asked_of_a_statement(filled: Store) -> None:
    assert set(ids(filled, country="BOR")) == {f"x{n}" for n in range(1, 21, 2)}
    assert set(ids(filled, lang="en")) == {f"x{n}" for n in range(2, 21, 2)}
    assert set(ids(filled, speaker="osk brandt")) == set(ids(filled, country="BOR"))
    assert set(ids(filled, since="2030-01-05", until="2030-01-06")) == {"x5", "x6"}
    assert ids(filled, source="elsewhere") == []
    assert ids(filled, ids=("x9", "x2", "gone")) == ["x9", "x2"]


def test_what_is_known_of_its_labels(filled: Store) -> None:
    give(filled, 1, "anna", "favor", "none")
    give(filled, 1, "boris", "none", "none")
    give(filled, 2, "anna", "favor")
    give(filled, 2, "boris", "none")
    give(filled, 2, ADJUDICATED, "favor")
    give(filled, 3, ADJUDICATED, "none", "none")
    give(filled, 4, "anna", "none", "none")
    give(filled, 4, "boris", "none", "none")
    every = {f"x{n}" for n in range(1, 21)}
    assert set(ids(filled, state="unsettled")) == every - {"x3"}
    assert set(ids(filled, state="disputed")) == {"x1"}
    assert set(ids(filled, state="uncoded")) == every - {"x1", "x2", "x3", "x4"}
    assert set(ids(filled, state="any")) == every
    harbour = select_statements(filled, Selection(), ("harbour",))
    assert {s.statement_id for s in harbour} == every - {"x2", "x3"}


def test_what_a_round_of_sampling_drew(filled: Store) -> None:
    assert ids(filled, state="drawn") == []
    _sample(filled, {"x1": (0.5, 1), "x2": (0.5, 0), "x3": (0.25, 1)}, {"x1": (0.5, 0), "x2": (0.2, 1)})
    assert filled.sampling_probs() == pytest.approx({"x1": 0.75, "x2": 0.6, "x3": 0.25})
    assert set(ids(filled, state="drawn")) == {"x1", "x2", "x3"}
    give(filled, 1, ADJUDICATED, "favor", "none")
    assert set(ids(filled, state="drawn")) == {"x2", "x3"}


def _sample(store: Store, *rounds: dict[str, tuple[float, int]]) -> None:
    """Write rounds of sampling as the migration that brings them has them."""
    has = store._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'sampling'").fetchone()
    if not has:
        store._db.execute(
            "CREATE TABLE sampling (round INTEGER, statement_id TEXT, stratum TEXT, prob REAL, drawn INTEGER)"
        )
    for number, rows in enumerate(rounds, start=1):
        if has:
            store._db.execute("INSERT INTO sampling_rounds VALUES (?, '', 0, 1, 'm/1')", (number,))
        for statement_id, (prob, drawn) in rows.items():
            values = (number, statement_id, "all", prob, drawn)
            store._db.execute("INSERT INTO sampling VALUES (?, ?, ?, ?, ?)", values)


# Session


@pytest.fixture
def session(filled: Store) -> LabelSession:
    return new_session(filled)


def new_session(store: Store, numbers: tuple[int, ...] = (1, 2, 3), answered: dict | None = None) -> LabelSession:
    chosen = [s for n in numbers for s in store.statements() if s.statement_id == f"x{n}"]
    tasks = make_tasks(chosen, TARGETS, codebook_version="t1")
    return LabelSession(store, tasks, coder="anna", answered=answered or {}, origin="label, blind")


def on_record(store: Store) -> dict[tuple[str, str], str]:
    rows = store.codings_frame()
    return dict(zip(zip(rows["statement_id"], rows["target"], strict=True), rows["stance"], strict=True))


def test_every_answer_is_on_record_before_the_next_question(filled: Store, session: LabelSession) -> None:
    assert session.question == Question(place=0, target="harbour")
    session.answer("favor", now=NOW)
    assert on_record(filled) == {("x1", "harbour"): "favor"}
    assert session.question == Question(place=0, target="railway")
    session.answer("none", now=NOW)
    assert session.question == Question(place=1, target="harbour")
    row = filled.label_log("x1").iloc[0]
    assert row[["coder", "codebook_version", "labelled_at", "origin"]].tolist() == [
        "anna", "t1", "2031-05-04T03:02:01+00:00", "label, blind",
    ]  # fmt: skip


def test_what_is_answered_is_not_asked_again(filled: Store) -> None:
    answered = {("x1", "harbour"): "favor", ("x2", "harbour"): "none", ("x2", "railway"): "none"}
    session = new_session(filled, answered=answered)
    assert (session.statements, session.statements_left) == (2, 2)
    assert session.question == Question(place=0, target="railway")
    session.answer("none", now=NOW)
    assert session.question == Question(place=2, target="harbour")
    assert (session.position, session.statements_left) == (2, 1)


def test_the_rest_is_none_where_there_is_no_answer_yet(filled: Store, session: LabelSession) -> None:
    session.answer("favor", now=NOW)
    session.answer_rest(now=NOW)
    assert on_record(filled) == {("x1", "harbour"): "favor", ("x1", "railway"): "none"}
    assert session.question == Question(place=1, target="harbour")
    session.answer_rest(now=NOW)
    assert on_record(filled)["x2", "railway"] == "none"
    assert session.statements_left == 1


def test_the_rest_changes_the_present_answer_but_no_later_one(filled: Store, session: LabelSession) -> None:
    session.answer("favor", now=NOW)
    session.answer("against", now=NOW)
    session.back()
    session.back()
    session.answer_rest(now=NOW)
    assert on_record(filled) == {("x1", "harbour"): "none", ("x1", "railway"): "against"}
    assert session.question == Question(place=1, target="harbour")


def test_back_asks_again_and_the_old_answer_stands_until_then(filled: Store, session: LabelSession) -> None:
    session.back()
    assert session.question == Question(place=0, target="harbour")
    session.answer("favor", now=NOW)
    session.answer("none", now=NOW)
    session.back()
    question = session.question
    assert question == Question(place=0, target="railway")
    assert session.answer_of(session.task(question), "railway") == "none"
    session.answer("against", now=NOW + dt.timedelta(seconds=1))
    assert on_record(filled)["x1", "railway"] == "against"
    log = filled.label_log("x1")
    assert sorted(log["stance"]) == ["against", "favor", "none"]
    assert log.loc[log["stance"] == "none", "replaced_at"].item() == "2031-05-04T03:02:02+00:00"


def test_skipping_leaves_the_statement_for_another_day(filled: Store, session: LabelSession) -> None:
    session.answer("favor", now=NOW)
    session.skip()
    assert session.question == Question(place=1, target="harbour")
    session.skip()
    session.skip()
    assert session.question is None
    assert session.statements_left == 3
    assert on_record(filled) == {("x1", "harbour"): "favor"}
    with pytest.raises(UsageError, match="everything has been asked"):
        session.answer("none", now=NOW)
    session.back()
    assert session.question == Question(place=2, target="railway")


def test_a_session_without_statements_is_over(filled: Store) -> None:
    session = new_session(filled, numbers=())
    assert (session.question, session.statements, session.statements_left) == (None, 0, 0)


def test_every_key_means_one_thing() -> None:
    assert set(STANCE_KEYS.values()) == set(STANCES)
    assert not set(STANCE_KEYS) & set(COMMAND_KEYS)
    assert [STANCE_KEYS[key] for key in "1234"] == list(STANCES)
    assert [STANCE_KEYS[key] for key in "fnao"] == list(STANCES)


def test_the_migration_is_there() -> None:
    names = {path.name for path in resources.files("pipeline.store").iterdir()}
    assert "003_labelling.sql" in names
