"""Tag archives of any size: read, tag and write in units, so that memory is bounded and a killed run can go on."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from pipeline.classify.artifact import Model, keep_loaded, worker_model
from pipeline.classify.pool import ordered
from pipeline.classify.rows import Unit, Written, header, parquet_from, write_unit
from pipeline.errors import UsageError
from pipeline.schema import Statement
from pipeline.tables import open_draft

UNIT = 4096
"""Statements sent to a process, and written, at a time; a killed run loses a few units at most."""
Engine = Callable[[Callable[[Unit], Written], Iterable[Unit]], Iterator[Written]]


def tag_archive(
    model: Model,
    statements: Iterable[Statement],
    output: Path,
    *,
    kind: str,
    targets: Sequence[str] | None = None,
    resume: bool = False,
    engine: Engine | None = None,
    unit: int | None = None,
) -> Iterator[Written]:
    """Tag statements into a file, yielding each unit as it is written; the file appears after the last one.

    Parameters
    ----------
    model : Model
    statements : iterable of Statement
        Read once, in order.
    output : Path
        The file.
    kind : {"csv", "jsonl", "parquet"}
        Its format.
    targets : sequence of str, optional
        Targets to tag, all of the model's by default.
    resume : bool
        Go on with what a killed run left of the file. The statements it covers are read again and compared.
    engine : callable, optional
        Maps units to what is written of them, in order; in this process by default.
    unit : int
        Statements tagged at a time, `UNIT` by default.

    Raises
    ------
    UsageError
        When what is left is of other work, or of other statements.
    """
    work = json.dumps([model.model_id, list(targets or model.targets), kind, unit or UNIT])
    finish = parquet_from if kind == "parquet" else None
    with open_draft(output, work, resume=resume, finish=finish) as draft:
        digest = hashlib.blake2b(digest_size=16)
        units = _units(iter(statements), unit or UNIT)
        if draft.progress.rows:
            units = _skip(units, digest, draft.progress.rows, draft.progress.digest)
        rows, digests = draft.progress.rows, []

        def noted() -> Iterator[Unit]:
            for part in units:
                _add(digest, part)
                digests.append(digest.hexdigest())
                yield part

        before = header(kind) if not draft.progress.size else b""
        for written in _mapped(engine, model, noted(), targets, kind):
            rows += written.statements
            draft.append(before + written.content, rows=rows, digest=digests.pop(0))
            before = b""
            yield written
        if before:
            draft.append(before, rows=0, digest="")


def tag_stream(
    model: Model,
    statements: Iterable[Statement],
    *,
    kind: str,
    targets: Sequence[str] | None = None,
    engine: Engine | None = None,
    unit: int | None = None,
) -> Iterator[Written]:
    """Tag statements and yield their rows unit by unit, the header with the first; for a pipe."""
    before = header(kind)
    for written in _mapped(engine, model, _units(iter(statements), unit or UNIT), targets, kind):
        yield Written(content=before + written.content, statements=written.statements, unread=written.unread)
        before = b""
    if before:
        yield Written(content=before, statements=0, unread=0)


def _mapped(
    engine: Engine | None, model: Model, units: Iterable[Unit], targets: Sequence[str] | None, kind: str
) -> Iterator[Written]:
    if engine is None:
        return map(partial(_write_here, model, targets, kind), units)
    keep_loaded(model)
    return engine(partial(write_there, str(model.folder), targets, kind), units)


def _write_here(model: Model, targets: Sequence[str] | None, kind: str, unit: Unit) -> Written:
    return write_unit(model, unit, targets=targets, kind=kind)


def write_there(folder: str, targets: Sequence[str] | None, kind: str, unit: Unit) -> Written:
    """Do as `write_unit` in another process, which loads the model once."""
    return write_unit(worker_model(folder), unit, targets=targets, kind=kind)


def local(workers: int) -> Engine:
    """Return the engine of this machine: so many processes, -1 for all cores."""
    return partial(_local, workers)


def _local(workers: int, work: Callable[[Unit], Written], units: Iterable[Unit]) -> Iterator[Written]:
    with contextlib.closing(ordered(work, units, workers=workers)) as written:
        yield from written


def _units(statements: Iterator[Statement], size: int) -> Iterator[Unit]:
    while rows := list(itertools.islice(statements, size)):
        yield Unit.of(rows)


def _add(digest: hashlib.blake2b, unit: Unit) -> None:
    for column in (*unit.carried, unit.texts):
        digest.update("\x1f".join(column).encode("utf-8", errors="surrogatepass"))


def _skip(units: Iterator[Unit], digest: hashlib.blake2b, rows: int, expected: str) -> Iterator[Unit]:
    """Pass over the units that are written; they must be those that were."""
    passed = 0
    for unit in units:
        _add(digest, unit)
        passed += len(unit)
        if passed >= rows:
            break
    if passed != rows or digest.hexdigest() != expected:
        raise UsageError(
            f"the first {rows} statements of the input are not those that the stopped run had tagged; "
            "run without --resume to begin again."
        )
    return units
