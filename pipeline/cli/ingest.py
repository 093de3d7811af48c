"""`stance ingest`, `stance sources`, `stance duplicates`: what goes into the store, and what was merged."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import console
from pipeline.cli.console import OutputFormat, StoreOption, iso_date
from pipeline.errors import PartialError, UsageError

if TYPE_CHECKING:
    from pipeline.ingest import Progress as Step
    from pipeline.ingest import Setting, Source, Sources, Span, Summary
    from pipeline.store import Store

_NOTES_SHOWN = 5
Format = Annotated[
    OutputFormat | None,
    typer.Option("--format", help="[default: a table on a terminal, CSV in a pipe]", show_default=False),
]


def ingest(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...",
            help="A source that `stance sources` lists, `all` of them, `corpus` (the bundled statements), an "
            "address, a file or a folder.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="YYYY-MM-DD", help="First date, inclusive.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="YYYY-MM-DD", help="Last date, inclusive.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most so many new pages of each source.")
    ] = None,
    base_url: Annotated[
        str, typer.Option("--base-url", metavar="URL", help="Fetch from this mirror of the site.")
    ] = "",
    whose: Annotated[
        str, typer.Option("--source", metavar="NAME", help="The source that saved pages are of.")
    ] = "",
    columns: Annotated[
        str, typer.Option("--map", metavar="OURS=THEIRS,...", help="Names of the columns of a table.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check only; store nothing.")] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Derive everything anew from the archive of raw pages, offline.")
    ] = False,
    archive: Annotated[
        Path | None,
        typer.Option("--archive", help="Folder of raw pages [default: beside the store].", show_default=False),
    ] = None,
    store: StoreOption = None,
) -> None:
    """Bring statements into the store: from official sites, and from any file; doing it twice changes nothing.

    Sites are asked slowly and as their robots.txt allows; a run that is stopped goes on where it was. Documents
    are .html .mhtml .pdf .docx .xml (feeds) .warc.gz; tables of statements .csv .jsonl .parquet .txt (a
    statement a line), in which only `text` is required. One summary line is printed per source. Examples:

      stance ingest kremlin-en --since 2021-08-01

      stance ingest saved-pages/ --source mid-ru

      stance ingest statements.csv --map text=Quote,date=Day --dry-run

      stance ingest --rebuild
    """
    from pipeline.ingest import Span, load_sources

    known = load_sources()
    span = Span(since=iso_date(since, "--since"), until=iso_date(until, "--until"), limit=limit)
    named = list(sources or [])
    _check(named, known, rebuild=rebuild, base_url=base_url)
    if "all" in named:
        named = [source.id for source in known.source if source.listing and source.enabled]
    of = known.named(whose) if whose else None
    done: list[Summary] = []
    with console.open_store(store) as opened, _bars() as report:
        setting = _setting(opened, archive, report)
        if rebuild:
            done = _rebuild(setting, known)
        for name in named:
            with contextlib.nullcontext() if name in known.ids else console.working(f"reading {name}"):
                made = _one(
                    name, setting, known, span, of=of, base_url=base_url, columns=_mapping(columns),
                    dry_run=dry_run,
                )  # fmt: skip
            done.append(made)
            _tell(made, known)
    _end(done)


def _check(named: Sequence[str], known: Sources, *, rebuild: bool, base_url: str) -> None:
    if rebuild and named:
        raise UsageError("--rebuild derives everything anew and takes no source; leave them out.")
    if not (rebuild or named):
        raise UsageError("name a source, an address, a file or a folder (see `stance sources`), or --rebuild.")
    if base_url and len(named) > 1:
        raise UsageError("--base-url is the mirror of one site; name one source.")
    for name in named:
        if name not in {"corpus", "all", *known.ids} and "://" not in name and not Path(name).exists():
            raise UsageError(
                f"unknown source: {name}. Give `corpus`, a source that `stance sources` lists, an address, or a "
                "file or folder that exists."
            )


def _setting(store: Store, archive: Path | None, report: Callable[[Step], None] | None) -> Setting:
    from pipeline.ingest import Setting, archive_folder
    from pipeline.ingest.extract import extract

    return Setting(
        store=store, archive=archive or archive_folder(store.path), extract=extract, now=console.now,
        report=report,
    )  # fmt: skip


def _rebuild(setting: Setting, known: Sources) -> list[Summary]:
    from pipeline.ingest import rebuild

    done = rebuild(setting, known)
    for made in done:
        _tell(made, known)
    return done


def _one(
    name: str,
    setting: Setting,
    known: Sources,
    span: Span,
    *,
    of: Source | None,
    base_url: str,
    columns: dict[str, str],
    dry_run: bool,
) -> Summary:
    from pipeline.ingest import crawl, ingest_address, ingest_corpus, ingest_documents, ingest_file, preview
    from pipeline.ingest.documents import document_files, is_document_file

    if name == "corpus":
        return ingest_corpus(setting.store, dry_run=dry_run)
    if name in known.ids:
        source = known.named(name)
        if not source.listing:
            raise UsageError(f"{name} is read from files only. {source.note}")
        return (preview if dry_run else crawl)(setting, source, span=span, base_url=base_url)
    if "://" in name:
        return ingest_address(setting, name, known, span=span, base_url=base_url, dry_run=dry_run)
    path = Path(name)
    if of is not None or (document_files(path) if path.is_dir() else is_document_file(path)):
        return ingest_documents(setting, path, known, source=of, span=span, dry_run=dry_run)
    return ingest_file(setting.store, path, span=span, columns=columns, dry_run=dry_run)


def _mapping(given: str) -> dict[str, str]:
    """Return a mapping of our columns to a table's."""
    pairs = [part.partition("=") for part in given.split(",") if part.strip()]
    if any(not (ours.strip() and theirs.strip()) for ours, _, theirs in pairs):
        raise UsageError(f"--map {given}: write OURS=THEIRS, separated by commas, as text=Quote,date=Day.")
    return {ours.strip(): theirs.strip() for ours, _, theirs in pairs}


def _tell(made: Summary, known: Sources) -> None:
    typer.echo(made.line())
    for text in made.notes[:_NOTES_SHOWN]:
        console.note(f"  {text}")
    if len(made.notes) > _NOTES_SHOWN:
        console.note(f"  ... and {len(made.notes) - _NOTES_SHOWN} more")
    if made.blocked and made.source in known.ids and (hint := known.named(made.source).note):
        console.note(f"  {hint}")


def _end(done: Sequence[Summary]) -> None:
    """End with status 3 where something is left to do."""
    open_ones = [made for made in done if not made.complete]
    if open_ones:
        raise PartialError(
            f"partly done: {sum(m.blocked for m in open_ones)} blocked and {sum(m.failed for m in open_ones)} "
            f"failed in {', '.join(m.source for m in open_ones)}; the same command tries them again."
        )


@contextlib.contextmanager
def _bars() -> Iterator[Callable[[Step], None] | None]:
    """Show a bar per source on standard error, if it is a terminal; yield what reports progress."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[what]}"),
        TimeElapsedColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:

        def report(now: Step) -> None:
            if now.source not in tasks:
                tasks[now.source] = shown.add_task(now.source, total=None, what="")
            what = f"{now.pages} pages read, {now.todo} waiting, {now.statements} statements"
            total = now.pages + now.todo if now.todo else None
            shown.update(tasks[now.source], completed=now.pages, total=total, what=what)

        yield report


def sources(output_format: Format = None, store: StoreOption = None) -> None:
    """List the sources of statements, and how many of each the store holds."""
    from pipeline.config import store_path
    from pipeline.ingest import load_sources

    held: Counter[str] = Counter()
    if (store or store_path()).is_file():
        with console.open_store(store) as opened:
            held = Counter(statement.source for statement in opened.statements())
    rows: list[dict[str, object]] = [
        {"source": "corpus", "kind": "bundled documented statements", "statements": held.pop("corpus", 0)},
        *(
            {
                "source": source.id, "kind": source.name, "address": source.base_url,
                "statements": held.pop(source.id, 0), "note": source.note,
            }
            for source in load_sources().source
        ),
        *({"source": name, "kind": "file", "statements": count} for name, count in sorted(held.items())),
    ]  # fmt: skip
    kind = console.chosen_format(output_format, None)
    console.refuse_parquet(kind, None)
    console.print_rows(("source", "kind", "statements", "address", "note"), rows, kind)


def duplicates(output_format: Format = None, store: StoreOption = None) -> None:
    """List which statements were taken for one, and which pages are linked as translations.

    `address`: the statement stands at this address too; `exact`, `near`: another page's statement says the same
    and is left out, the earliest is kept; `translation`: linked, never merged.
    """
    from pipeline.store.derived import decisions

    kind = console.chosen_format(output_format, None)
    console.refuse_parquet(kind, None)
    columns = ("kind", "kept_id", "kept_url", "other_id", "other_url", "similarity", "decided_at")
    with console.open_store(store) as opened:
        console.print_rows(columns, decisions(opened), kind)
