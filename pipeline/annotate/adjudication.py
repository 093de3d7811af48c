"""Settle labels: what coders agree on, what a majority says, what a named person or a file of decisions decides.

A settled label is the one that `retrain` learns from and `trends` corrects by. It is never changed silently: a
label that is settled already stays, unless replacing is asked for.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.schema import ADJUDICATED, STANCES, Coding, Stance

if TYPE_CHECKING:
    from pipeline.store import Store

RULES = ("unanimous", "majority")
Pair = tuple[str, str]
"""A statement's id and a target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How labels are settled.

    Attributes
    ----------
    rule : {"unanimous", "majority"}
        What is enough: that all coders of a statement agree, or that more than half do.
    by : str
        A coder whose word decides wherever given; empty for nobody's.
    decisions : mapping of (statement_id, target) to stance
        Decisions taken one by one; they come before everything else.
    min_coders : int
        Coders that a statement must have on a target to be settled by the rule.
    replace : bool
        Whether labels that are settled already may change.
    """

    rule: str = "unanimous"
    by: str = ""
    decisions: Mapping[Pair, Stance] = field(default_factory=dict)
    min_coders: int = 2
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What adjudication did: labels by fate.

    `disputed` are still open; `waiting` have too few coders; `differing` are settled otherwise already and were
    left as they are; `outdated` counts codings made under another codebook version, which have no say;
    `reweighted` settled labels whose inclusion probability a later round of sampling raised.
    """

    settled: int = 0
    changed: int = 0
    unchanged: int = 0
    differing: int = 0
    waiting: int = 0
    disputed: int = 0
    outdated: int = 0
    reweighted: int = 0


def adjudicate(
    store: Store,
    codings: Mapping[str, Mapping[str, Mapping[str, Coding]]],
    *,
    targets: Sequence[str],
    policy: Policy,
    codebook_version: str,
    sampling_probs: Mapping[str, float],
    now: dt.datetime,
    dry_run: bool = False,
) -> Settled:
    """Settle what the policy can settle, and write it to the store as the labels of `adjudicated`.

    Parameters
    ----------
    store : Store
    codings : mapping
        By statement, target and coder, as `selection.coded_pairs` returns them.
    targets : sequence of str
        Targets to settle.
    policy : Policy
    codebook_version : str
        Only codings made under it have a say.
    sampling_probs : mapping of str to float
        Inclusion probability of the statements that were drawn; one that was not drawn stands for itself only
        (probability 1).
    now : datetime
    dry_run : bool

    Raises
    ------
    UsageError
        When a decision names a statement or target that is not there.
    """
    unknown = next((pair for pair in policy.decisions if pair[1] not in targets), None)
    if unknown:
        raise UsageError(
            f"a decision on {unknown[0]} names the target {unknown[1]!r}; accepted: {', '.join(targets)}."
        )
    fates: Counter[str] = Counter()
    written: list[Coding] = []
    for statement_id, target, coders in _pairs(codings, policy.decisions, targets):
        valid = {name: c for name, c in coders.items() if c.codebook_version == codebook_version}
        held = coders.get(ADJUDICATED)
        people = {name: c.stance for name, c in sorted(valid.items()) if name != ADJUDICATED}
        fates["outdated"] += sum(name != ADJUDICATED for name in coders) - len(people)
        stance, why = verdict(people, policy, policy.decisions.get((statement_id, target)))
        # A label settled under another codebook is open again.
        standing = held if held is not None and held.codebook_version == codebook_version else None
        fate = why if stance is None else _fate(stance, held, standing, replace=policy.replace)
        fates[fate] += 1
        if stance is not None and fate in ("settled", "changed"):
            written.append(
                Coding(
                    statement_id=statement_id, target=target, stance=stance, coder=ADJUDICATED,
                    codebook_version=codebook_version, labelled_at=now.isoformat(timespec="seconds"), origin=why,
                    sampling_prob=sampling_probs.get(statement_id, 1.0),
                )
            )  # fmt: skip
    again = _reweighted(codings, sampling_probs, {(c.statement_id, c.target) for c in written})
    fates["reweighted"] = len(again)
    if not dry_run:
        store.add_codings([*written, *again])
    return Settled(**{field.name: fates[field.name] for field in dataclasses.fields(Settled)})


def _reweighted(
    codings: Mapping[str, Mapping[str, Mapping[str, Coding]]],
    sampling_probs: Mapping[str, float],
    written: set[Pair],
) -> list[Coding]:
    """Return settled labels, not written anew, with the inclusion probability that they have by now."""
    held = [given[ADJUDICATED] for by in codings.values() for given in by.values() if ADJUDICATED in given]
    return [
        dataclasses.replace(coding, sampling_prob=prob)
        for coding in held
        if coding.origin  # what the corpus came with was coded in full, not drawn
        and (coding.statement_id, coding.target) not in written
        and (prob := sampling_probs.get(coding.statement_id, coding.sampling_prob)) != coding.sampling_prob
    ]


def _pairs(
    codings: Mapping[str, Mapping[str, Mapping[str, Coding]]],
    decisions: Mapping[Pair, Stance],
    targets: Sequence[str],
) -> list[tuple[str, str, Mapping[str, Coding]]]:
    pairs = {(s, t) for s, by in codings.items() for t, given in by.items() if set(given) - {ADJUDICATED}}
    asked = sorted(pair for pair in pairs | set(decisions) if pair[1] in targets)
    return [(s, t, codings.get(s, {}).get(t, {})) for s, t in asked]


def verdict(people: Mapping[str, Stance], policy: Policy, decision: Stance | None) -> tuple[Stance | None, str]:
    """Return the settled stance and how it was settled; or None, and `waiting`, `disputed` or `skipped`.

    Parameters
    ----------
    people : mapping of str to str
        Stance by coder.
    policy : Policy
    decision : str or None
        What was decided about this very pair, if anything.
    """
    if decision is not None:
        return decision, f"adjudicate: decision{_among(people)}"
    if policy.by in people:
        return people[policy.by], f"adjudicate: by {policy.by}{_among(people)}"
    if len(people) < policy.min_coders:
        return None, "waiting" if people else "skipped"
    votes = Counter(people.values())
    stance, most = max(votes.items(), key=lambda vote: (vote[1], -STANCES.index(vote[0])))
    if len(votes) == 1:
        return stance, f"adjudicate: unanimous{_among(people)}"
    if policy.rule == "majority" and 2 * most > len(people):
        return stance, f"adjudicate: majority{_among(people)}"
    return None, "disputed"


def _among(people: Mapping[str, Stance]) -> str:
    return f" ({', '.join(f'{name} {stance}' for name, stance in people.items())})" if people else ""


def _fate(stance: Stance, held: Coding | None, standing: Coding | None, *, replace: bool) -> str:
    if held is None:
        return "settled"
    if standing is not None and standing.stance == stance:
        return "unchanged"
    return "changed" if replace or standing is None else "differing"
