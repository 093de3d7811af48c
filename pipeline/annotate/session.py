"""A coder's way through the statements, one key a target: what is asked next, and what an answer does.

Nothing here knows of a terminal. Each answer is on record before the next question is asked, so leaving at any
moment loses nothing, and coming back goes on where it stopped.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.schema import STANCES, Coding, Stance

if TYPE_CHECKING:
    from pipeline.annotate.tasks import Task
    from pipeline.store import Store

STANCE_KEYS: Mapping[str, Stance] = {
    **{str(n): stance for n, stance in enumerate(STANCES, start=1)}, "f": "favor", "n": "neutral", "a": "against",
    "o": "none",
}  # fmt: skip
"""Keys of the four stances: digits (on any keyboard layout), or letters; `o` for none, the empty circle."""

COMMAND_KEYS: Mapping[str, str] = {"r": "rest", "b": "back", "s": "skip", "?": "help", "q": "quit"}
"""`rest`: this and every further target of the statement is none; `back`: the previous question again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One target of one statement: task number `place` (from 0) of the session."""

    place: int
    target: str


class LabelSession:
    """One coder's questions in order, with the answers on record.

    Parameters
    ----------
    store : Store
        Written at each answer.
    tasks : sequence of Task
        In the order to be asked.
    coder : str
    answered : mapping of (statement_id, target) to str
        The coder's labels that are on record and count, of this codebook: not asked again.
    origin : str
        How the labels come, on record with each: blind or not.

    Raises
    ------
    UsageError
        When the coder's name cannot be one.
    """

    def __init__(
        self,
        store: Store,
        tasks: Sequence[Task],
        *,
        coder: str,
        answered: Mapping[tuple[str, str], str],
        origin: str = "label",
    ) -> None:
        self._store, self._tasks, self._coder, self._origin = store, tasks, coder, origin
        self._answers = dict(answered)
        self._asked = [
            Question(place=place, target=target)
            for place, task in enumerate(tasks)
            for target in task.targets
            if (task.statement.statement_id, target) not in self._answers
        ]
        self._at = 0

    @property
    def question(self) -> Question | None:
        """What is asked now; None when everything has been asked."""
        return self._asked[self._at] if self._at < len(self._asked) else None

    @property
    def statements(self) -> int:
        """Statements with a question in this session."""
        return len({question.place for question in self._asked})

    @property
    def statements_left(self) -> int:
        """Statements that still have a question without an answer on record."""
        return len({q.place for q in self._asked if self._key(q) not in self._answers})

    @property
    def position(self) -> int:
        """Number of the present statement among those of the session, from 1."""
        return len({question.place for question in self._asked[: self._at + 1]})

    def task(self, question: Question) -> Task:
        """Return the task that a question belongs to."""
        return self._tasks[question.place]

    def answer_of(self, task: Task, target: str) -> str:
        """Return the coder's stance on record, an empty string when there is none."""
        return self._answers.get((task.statement.statement_id, target), "")

    def answer(self, stance: Stance, *, now: dt.datetime) -> None:
        """Put the answer to the present question on record and go on to the next."""
        self._record([self._present()], stance, now)
        self._at += 1

    def answer_rest(self, *, now: dt.datetime) -> None:
        """Answer `none` to this and all further targets of the statement that have no answer yet."""
        place = self._present().place
        rest = [q for q in self._asked[self._at :] if q.place == place]
        self._record([q for q in rest if q == rest[0] or self._key(q) not in self._answers], "none", now)
        self._at += len(rest)

    def skip(self) -> None:
        """Leave the statement as it is and go on to the next; it is asked again in the next session."""
        place = self._present().place
        while (question := self.question) is not None and question.place == place:
            self._at += 1

    def back(self) -> None:
        """Ask the previous question again; its answer stands until another is given."""
        self._at = max(self._at - 1, 0)

    def _present(self) -> Question:
        if self.question is None:
            raise UsageError("everything has been asked.")
        return self.question

    def _key(self, question: Question) -> tuple[str, str]:
        return self._tasks[question.place].statement.statement_id, question.target

    def _record(self, questions: Sequence[Question], stance: Stance, now: dt.datetime) -> None:
        self._store.add_codings(
            Coding(
                statement_id=self._key(question)[0],
                target=question.target,
                stance=stance,
                coder=self._coder,
                codebook_version=self._tasks[question.place].codebook_version,
                labelled_at=now.isoformat(timespec="seconds"),
                origin=self._origin,
            )
            for question in questions
        )
        self._answers |= {self._key(question): stance for question in questions}
