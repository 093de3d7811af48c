"""`stance annotate label`: statements on the terminal, one key a target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import console
from pipeline.cli.annotate_options import (
    CountryOption,
    LangOption,
    LimitOption,
    OnlyOption,
    SeedOption,
    SourceOption,
    SpeakerOption,
    StateOption,
    model_id_of,
    selection,
)
from pipeline.cli.console import ModelOption, StoreOption, TargetsOption
from pipeline.cli.statements import Since, Until
from pipeline.cli.terminal import END, harmless, single_keys
from pipeline.errors import PartialError, UsageError
from pipeline.schema import ADJUDICATED, STANCES

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.annotate.selection import Selection
    from pipeline.annotate.session import LabelSession, Question
    from pipeline.annotate.tasks import Task
    from pipeline.config import Targets
    from pipeline.schema import Coding
    from pipeline.store import Store

_KEYS = """1/f favor   2/n neutral   3/a against   4/o none
r rest none   b back   s skip   ? codebook   q leave"""
Others = Mapping[str, Mapping[str, Mapping[str, "Coding"]]]


def label(
    coder: Annotated[
        str, typer.Option("--coder", help="Your name: it is on record with every label.", show_default=False)
    ],
    blind: Annotated[
        bool,
        typer.Option("--blind/--show", help="Hide, or show, what the model and other coders say [default: hide]."),
    ] = True,
    targets: TargetsOption = None,
    only: OnlyOption = None,
    state: StateOption = None,
    source: SourceOption = "",
    country: CountryOption = "",
    speaker: SpeakerOption = "",
    lang: LangOption = "",
    since: Since = None,
    until: Until = None,
    limit: LimitOption = 0,
    seed: SeedOption = 0,
    model: ModelOption = None,
    store: StoreOption = None,
) -> None:
    """Label statements on the terminal: a statement is shown, and one key answers for each target.

    Every answer is stored at once. Leave with q (or Ctrl-C) whenever you like: the same command goes on where you
    stopped, and ends with status 3 while statements are left. Blind, you see neither the model's reading nor other
    coders' labels: so must every second coding be made, or agreement measures nothing. Examples:

      stance annotate label --coder anna --limit 50

      stance annotate label --coder lead --state disputed --show

      stance annotate label --coder anna --only suspects.csv
    """
    from pipeline.config import load_targets

    if not coder.strip() or coder.strip() == ADJUDICATED:
        raise UsageError(f"--coder {coder!r}: give a person's name; {ADJUDICATED!r} names settled labels.")
    codebook = load_targets()
    chosen = selection(
        only=only, source=source, country=country, speaker=speaker, lang=lang, since=since, until=until,
        state=state, limit=limit, seed=seed,
    )  # fmt: skip
    with single_keys() as key, console.open_store(store) as opened:
        asked = codebook.select(targets)
        session, others = _session(opened, chosen, codebook, asked, coder.strip(), blind, model)
        if not session.statements:
            console.note("nothing to label: you have done all that was asked for (see --state, --only, --limit)")
            return
        _ask_all(session, others, codebook, key)
        if session.statements_left:
            raise PartialError(
                f"{session.statements_left} of {session.statements} statements are left; every answer is stored, "
                "and the same command goes on."
            )
    console.note(f"done: {session.statements} statements labelled; `stance annotate agreement` compares coders")


def _session(
    store: Store,
    chosen: Selection,
    codebook: Targets,
    targets: tuple[str, ...],
    coder: str,
    blind: bool,
    model: str | None,
) -> tuple[LabelSession, Others]:
    from pipeline.annotate.selection import coded_pairs, select_statements
    from pipeline.annotate.session import LabelSession
    from pipeline.annotate.tasks import make_tasks, model_suggestions

    codings = coded_pairs(store)
    shown = None if blind else model_suggestions(store, model_id_of(model))
    statements = select_statements(store, chosen, targets)
    tasks = make_tasks(statements, targets, codebook_version=codebook.codebook_version, suggestions=shown)
    answered = {
        (statement_id, target): coders[coder].stance
        for statement_id, by_target in codings.items()
        for target, coders in by_target.items()
        if coder in coders and coders[coder].codebook_version == codebook.codebook_version
    }
    origin = "label, blind" if blind else "label, suggestions shown"
    session = LabelSession(store, tasks, coder=coder, answered=answered, origin=origin)
    return session, {} if blind else _without(codings, coder)


def _without(codings: Others, coder: str) -> Others:
    return {
        s: {t: {name: c for name, c in coders.items() if name != coder} for t, coders in by_target.items()}
        for s, by_target in codings.items()
    }


def _ask_all(session: LabelSession, others: Others, codebook: Targets, key: Callable[[], str]) -> None:
    """Ask until everything is answered or the coder leaves."""
    from rich.console import Console

    screen = Console(highlight=False, markup=False)
    shown = -1
    try:
        while (question := session.question) is not None:
            if question.place != shown:
                _show_statement(screen, session, question)
                shown = question.place
            _show_question(screen, session, question, others, codebook)
            if not _act(screen, session, question, codebook, key):
                return
    except KeyboardInterrupt:
        screen.print()


def _act(
    screen: Console, session: LabelSession, question: Question, codebook: Targets, key: Callable[[], str]
) -> bool:
    """Wait for a key that means something and do it; return whether to go on."""
    from pipeline.annotate.session import COMMAND_KEYS, STANCE_KEYS

    while True:
        pressed = key().lower()
        stance, command = STANCE_KEYS.get(pressed), COMMAND_KEYS.get(pressed)
        if stance is not None:
            screen.print(stance, style=_style(stance))
            session.answer(stance, now=console.now())
        elif command == "rest":
            screen.print("none, and so are the rest", style="dim")
            session.answer_rest(now=console.now())
        elif command in ("back", "skip"):
            screen.print(f"({command})", style="dim")
            session.back() if command == "back" else session.skip()
        elif command == "help":
            screen.print()
            _show_codebook(screen, codebook, question.target)
        elif command == "quit" or pressed == END:
            screen.print("(left)", style="dim")
            return False
        else:
            continue
        return True


def _style(stance: str) -> str:
    return {"favor": "green", "against": "red", "neutral": "yellow"}.get(stance, "dim")


def _show_statement(screen: Console, session: LabelSession, question: Question) -> None:
    task = session.task(question)
    statement = task.statement
    screen.rule(f"{session.position} of {session.statements}", style="dim")
    who = ", ".join(part for part in (statement.speaker, statement.role, statement.country) if part)
    where = ", ".join(part for part in (statement.date, statement.venue, statement.provenance) if part)
    screen.print(harmless(f"{who}\n{where}"), style="dim")
    screen.print()
    screen.print(_marked(task))
    screen.print()
    screen.print(_KEYS, style="dim")


def _marked(task: Task) -> object:
    """Return the text; where suggestions are shown, the spans that they rest on are underlined."""
    from rich.text import Text

    # One character for one: the spans of the text are the spans of what is shown.
    marked = Text("".join(harmless(character) for character in task.statement.text))
    for suggestion in task.suggestions.values():
        if suggestion.start is not None:
            marked.stylize("underline", suggestion.start, suggestion.end)
    return marked


def _show_question(
    screen: Console, session: LabelSession, question: Question, others: Others, codebook: Targets
) -> None:
    task = session.task(question)
    target = next(t for t in codebook.target if t.id == question.target)
    screen.print(f"{target.label}: {target.proposition}", style="bold")
    for line in _hints(task, question.target, others):
        screen.print(harmless(line), style="dim")
    standing = session.answer_of(task, question.target)
    screen.print(f"  ({standing}) > " if standing else "  > ", end="")


def _hints(task: Task, target: str, others: Others) -> list[str]:
    lines = []
    suggestion = task.suggestions.get(target)
    if suggestion is not None:
        words = task.statement.text[suggestion.start : suggestion.end] if suggestion.start is not None else ""
        unsure = ", unsure" if suggestion.abstained else ""
        lines.append(f"  model: {suggestion.stance} ({suggestion.confidence:.0%}{unsure}) {words}")
    given = others.get(task.statement.statement_id, {}).get(target, {})
    lines.extend(f"  {_name(name)}: {coding.stance}" for name, coding in sorted(given.items()))
    return lines


def _name(coder: str) -> str:
    return "settled" if coder == ADJUDICATED else coder


def _show_codebook(screen: Console, codebook: Targets, target_id: str) -> None:
    target = next(t for t in codebook.target if t.id == target_id)
    for stance in STANCES:
        screen.print(f"  {stance}: {getattr(target, stance)}", style=_style(stance))
