"""`stance report`: charts and one page from what `stance trends` wrote and the store holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli import console, selection
from pipeline.cli.console import StoreOption
from pipeline.cli.trends import Out
from pipeline.errors import UsageError
from pipeline.schema import EVENT_COLUMNS, TEST_COLUMNS, TREND_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.schema import Statement

DATA_CARD = Path("documented") / "README.md"
"""Card of the bundled statements, below the corpus folder."""


def report(
    out: Out = Path("exports"),
    store: StoreOption = None,
) -> None:
    """Write charts (PNG, SVG) and one self-contained HTML page from what `stance trends` wrote.

    The page shows the statements that `stance trends` chose, at most 1,800, the most telling; statements.csv beside
    it holds them all.
    """
    from pipeline.config import corpus_dir, load_actors, load_targets, models_dir
    from pipeline.report import ReportInputs, write_report
    from pipeline.tables import read_frame

    if not (out / "trends.csv").is_file():
        raise UsageError(f"no {out / 'trends.csv'}: run `stance trends --out {out}` first.")
    frames = [
        read_frame(out / name, columns)
        for name, columns in (
            ("trends.csv", TREND_COLUMNS),
            ("tests.csv", TEST_COLUMNS),
            ("events.csv", EVENT_COLUMNS),
        )
    ]
    pair, model_id = _pair_in(frames[0]), _first(frames[0], "model_id")
    chosen = selection.recalled(out)
    with console.working("drawing"):
        written = write_report(
            ReportInputs(
                trends=frames[0],
                tests=frames[1],
                events=frames[2],
                targets=load_targets(),
                pair=pair,
                names={actor.id: actor.name.en for actor in load_actors().actor},
                model_id=model_id,
                made_on=console.now().date(),
                data_card=_text(corpus_dir() / DATA_CARD),
                model_card=_text(models_dir() / model_id / "README.md") if model_id else "",
                chosen=selection.in_words(chosen),
                **_held(store, model_id, chosen),
            ),
            out,
        )
    console.note("wrote " + ", ".join(str(path) for path in written))


def _pair_in(frame: pd.DataFrame) -> tuple[str, str]:
    named = frame.loc[frame["scope"] == "pair", "country"]
    first, _, second = (str(named.iloc[0]) if len(named) else "CHN-RUS").partition("-")
    return first, second


def _first(frame: pd.DataFrame, column: str) -> str:
    known = frame[column].dropna()
    return str(known.iloc[0]) if len(known) else ""


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _held(path: Path | None, model_id: str, chosen: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Read from the store what the figures were made from: statements, tags, labels, and counts of them.

    Nothing without a store, or where the figures were made from other files than the store.
    """
    import pandas as pd

    from pipeline.config import store_path
    from pipeline.report.inputs import STATEMENTS, TAGS

    if not (path or store_path()).is_file() or chosen.get("statements") == "files":
        return {"sources": _counted(pd.DataFrame(columns=list(STATEMENTS)), set())}
    everything = bool(chosen.get("include_unverified"))
    with console.open_store(path) as opened:
        tags = _chosen_tags(opened.tags_frame(model_id, include_unverified=everything), chosen)
        labels = opened.labels_frame(include_unverified=everything)
        wanted = set(tags["statement_id"])
        rows = [_row(one) for one in opened.statements() if one.statement_id in wanted]
    statements = pd.DataFrame(rows, columns=list(STATEMENTS))
    labels = labels[labels["statement_id"].isin(wanted)]
    return {
        "statements": statements, "tags": tags[list(TAGS)], "labels": labels,
        "sources": _counted(statements, set(labels["statement_id"])),
    }  # fmt: skip


def _chosen_tags(tags: pd.DataFrame, chosen: Mapping[str, Any]) -> pd.DataFrame:
    """Return the tags that the figures count; all of them where nothing was noted, as by an earlier version."""
    from pipeline.aggregate.inputs import chosen as entering

    return tags[entering(tags, selection.options_of(chosen))] if chosen else tags


def _row(statement: Statement) -> tuple[Any, ...]:
    from pipeline.report.inputs import STATEMENTS

    return tuple(getattr(statement, name) for name in STATEMENTS)


def _counted(statements: pd.DataFrame, labelled: set[str]) -> pd.DataFrame:
    """Count statements and labelled statements by country, source and provenance."""
    known = statements.assign(is_labelled=statements["statement_id"].isin(labelled))
    counted = known.groupby(["country", "source", "provenance"])["is_labelled"].agg(["size", "sum"]).reset_index()
    return counted.set_axis(["country", "source", "provenance", "statements", "labelled"], axis=1)
