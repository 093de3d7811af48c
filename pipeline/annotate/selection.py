"""Choose the statements to label: by what they are, by what is known of them, in a random order that lasts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.schema import ADJUDICATED, Coding, Statement

if TYPE_CHECKING:
    from pipeline.store import Store

STATES = ("unsettled", "disputed", "uncoded", "drawn", "any")
"""What a selection can ask of a statement: no settled label on some target, coders at odds on some target
without a settled label, no label of anybody, drawn for labelling and unsettled, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which statements to label; an empty value asks for nothing.

    Attributes
    ----------
    ids : tuple of str
        Only these statements, in this order.
    since, until : str
        ISO dates, inclusive.
    state : {"unsettled", "disputed", "uncoded", "drawn", "any"}
    limit : int
        Statements at most; 0 for all.
    random_state : int
        Seed of the order. Whoever stops half-way has then coded a random half, which can still be weighted.
    """

    ids: tuple[str, ...] = ()
    source: str = ""
    country: str = ""
    speaker: str = ""
    lang: str = ""
    since: str = ""
    until: str = ""
    state: str = "unsettled"
    limit: int = 0
    random_state: int = 0


def select_statements(store: Store, selection: Selection, targets: tuple[str, ...]) -> list[Statement]:
    """Return the statements that a selection asks for, in its order.

    Parameters
    ----------
    store : Store
    selection : Selection
    targets : tuple of str
        The targets to be labelled; a statement is unsettled while one of them is.
    """
    codings = coded_pairs(store)
    drawn = store.sampling_probs()
    found = [
        statement
        for statement in store.statements(
            speaker=selection.speaker, country=selection.country, source=selection.source,
            since=selection.since, until=selection.until,
        )
        if selection.lang in ("", statement.lang)
        and (selection.state != "drawn" or statement.statement_id in drawn)
        and _is_in(selection.state, codings.get(statement.statement_id, {}), targets)
    ]  # fmt: skip
    ordered = _ordered(found, selection)
    return ordered[: selection.limit] if selection.limit else ordered


def coded_pairs(store: Store) -> dict[str, dict[str, dict[str, Coding]]]:
    """Return the codings on record by statement, target and coder."""
    found: dict[str, dict[str, dict[str, Coding]]] = {}
    for coding in store.codings():
        found.setdefault(coding.statement_id, {}).setdefault(coding.target, {})[coding.coder] = coding
    return found


def _is_in(state: str, codings: Mapping[str, Mapping[str, Coding]], targets: Iterable[str]) -> bool:
    by_target = [codings.get(target, {}) for target in targets]
    if state in ("unsettled", "drawn"):
        return any(ADJUDICATED not in coders for coders in by_target)
    if state == "disputed":
        return any(
            ADJUDICATED not in coders and len({c.stance for c in coders.values()}) > 1 for coders in by_target
        )
    return state == "any" or not any(by_target)


def _ordered(found: list[Statement], selection: Selection) -> list[Statement]:
    if selection.ids:
        place = {statement_id: n for n, statement_id in enumerate(selection.ids)}
        return sorted((s for s in found if s.statement_id in place), key=lambda s: place[s.statement_id])
    # A hash, not a shuffle: a statement keeps its place among the others when some are added or settled.
    return sorted(found, key=lambda s: _rank(s.statement_id, selection.random_state))


def _rank(statement_id: str, random_state: int) -> str:
    return hashlib.sha256(f"{random_state}|{statement_id}".encode()).hexdigest()
