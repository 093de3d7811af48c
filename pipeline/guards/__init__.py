"""The guards of the bundled corpus: what must hold of every statement, passage, event and card.

`check` reads a corpus folder and says everything that is wrong with it, each with file and line; nothing is
mended, nothing is downloaded. `today` is given, never asked for.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from pipeline.guards import cards, ledger, offices, reading, stances, wording
from pipeline.guards.findings import Finding
from pipeline.guards.reading import Bundle

GUARDS = (
    offices.undated, offices.speakers, offices.events, stances.unruled, stances.reviews, ledger.unregistered,
    ledger.passage_ids, wording.quoted, wording.near_duplicates, wording.repeated_runs, cards.stale,
)  # fmt: skip


def check(folder: Path, *, today: dt.date, shared: Path | None = None) -> tuple[Bundle, list[Finding]]:
    """Check a corpus folder against every guard.

    Parameters
    ----------
    folder : Path
        Laid out like the project's corpus/.
    today : date
        No statement may be dated after it.
    shared : Path, optional
        Folder with public texts (real/passages.jsonl, pages/) that nothing in the corpus may repeat; absent, that
        comparison is left out.

    Returns
    -------
    Bundle
        What could be read.
    list of Finding
        In order of file and line; empty when all is well.

    Raises
    ------
    DataError
        When targets.toml, actors.toml or events.csv cannot be read at all: nothing can then be judged.
    """
    bundle, found = reading.read(folder)
    for guard in GUARDS:
        found.extend(guard(bundle, today))
    if shared is not None:
        found.extend(wording.public_runs(bundle, shared))
    return bundle, sorted(found, key=lambda finding: (finding.path, finding.line or 0, finding.message))


def register(folder: Path, *, today: dt.date) -> int:
    """Enter new and changed statements in documented/ids.csv, and return how many lines changed."""
    bundle, _ = reading.read(folder)
    return ledger.register(bundle, batch=today.isoformat())


def write_cards(folder: Path) -> list[Path]:
    """Write the figures of both cards anew from the data, and return the cards that changed."""
    bundle, _ = reading.read(folder)
    return cards.write(bundle)
