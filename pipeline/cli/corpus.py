"""`stance check-corpus`: whether the bundled corpus keeps its promises."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import console
from pipeline.errors import StanceError


def check_corpus(
    write_cards: Annotated[
        bool, typer.Option("--write-cards", help="First write the figures of the cards anew from the data.")
    ] = False,
    register: Annotated[
        bool,
        typer.Option("--register", help="First enter new and changed statements in documented/ids.csv."),
    ] = False,
    shared: Annotated[
        Path | None,
        typer.Option(
            "--shared",
            help="Folder with public texts that nothing may repeat [default: shared/ beside the checkout].",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Check every statement, passage, event and card of the corpus.

    One line per finding, with file and line; a warning does not fail the check. Where the public texts are not
    at hand the comparison with them is left out. STANCE_CORPUS names another corpus. Examples:

      stance check-corpus

      stance check-corpus --register --write-cards
    """
    from pipeline import guards
    from pipeline.config import corpus_dir

    folder, today = corpus_dir().resolve(), console.now().date()
    if register:
        console.note(f"documented/ids.csv: {guards.register(folder, today=today)} lines added or changed")
    if write_cards:
        for card in guards.write_cards(folder):
            console.note(f"written: {card}")
    public = _public(shared, folder)
    bundle, findings = guards.check(folder, today=today, shared=public)
    for finding in findings:
        typer.echo(str(finding))
    wrong = sum(not finding.warning for finding in findings)
    kept = f"{len(bundle.statements):,} statements and {len(bundle.passages):,} passages"
    if wrong:
        raise StanceError(f"{wrong} findings in {kept} of {folder}: mend the lines named above.")
    typer.echo(f"{kept} checked: nothing wrong, {len(findings)} warnings")


def _public(asked: Path | None, folder: Path) -> Path | None:
    shared = asked or folder.parent.parent / "shared"
    if (shared / "real").is_dir() or (shared / "pages").is_dir():
        return shared
    console.note(f"no public texts in {shared} (real/ or pages/): the comparison with them is left out")
    return None
