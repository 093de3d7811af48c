"""Tag a folder of Parquet files into a folder of Parquet files, part by part, wherever the workers are.

A part is a row group of the input: a worker reads it, tags it and writes it, and only sizes come back. The folder
appears when all parts are there; of a killed run, the finished parts are kept and not made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.classify.artifact import Model, keep_loaded, worker_model
from pipeline.classify.rows import Unit, header, parquet_from, write_unit
from pipeline.errors import DataError, UsageError
from pipeline.tables import parquet_parts, read_parquet_part
from pipeline.tables.reading import ParquetPart

_UNIT = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """What came of a part: statements, those in a language not read, and hashes of all their ids."""

    statements: int
    unread: int
    ids: npt.NDArray[np.uint64]


def tag_partitions(
    model: Model,
    source: Path,
    output: Path,
    *,
    engine: Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]] = map,
    targets: Sequence[str] | None = None,
    resume: bool = False,
) -> Iterator[Tagged]:
    """Tag a Parquet file or folder into a folder `part-00000.parquet` ..., yielding each part as it is done.

    Parameters
    ----------
    model : Model
    source : Path
        A Parquet file, or a folder of them, that every worker sees under this path; so is the output.
    output : Path
        The folder; it must not exist.
    engine : callable
        Maps parts to what came of them, in order; in this process by default.
    targets : sequence of str, optional
        Targets to tag, all of the model's by default.
    resume : bool
        Keep the parts that a killed run finished.

    Raises
    ------
    UsageError
        When the output exists, or what a killed run left is of other work.
    DataError
        Naming a row that is no statement, or when two statements have one id.
    """
    if output.exists():
        raise UsageError(f"{output} exists: name a folder that does not, or remove it.")
    draft = output.absolute().with_name(f".{output.name}.parts")
    parts = parquet_parts(source.absolute())
    _begin(draft, _work(model, source, parts, targets), resume=resume)
    keep_loaded(model)
    ids: list[npt.NDArray[np.uint64]] = []
    for tagged in engine(partial(_tag_part, str(model.folder), draft, targets), parts):
        ids.append(tagged.ids)
        yield tagged
    _refuse_repeated(ids, source)
    (draft / "work.json").unlink()
    draft.rename(output)


def _work(model: Model, source: Path, parts: Sequence[ParquetPart], targets: Sequence[str] | None) -> str:
    sizes = [[part.path.name, part.group, part.rows] for part in parts]
    content = json.dumps([model.model_id, list(targets or model.targets), str(source.absolute()), sizes])
    return hashlib.sha256(content.encode()).hexdigest()


def _begin(draft: Path, work: str, *, resume: bool) -> None:
    note = draft / "work.json"
    if resume and note.is_file():
        if json.loads(note.read_text()) != work:
            raise UsageError(
                f"{draft} was begun with another input, model or targets; run without --resume to begin again."
            )
        return
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    note.write_text(json.dumps(work))


def _tag_part(folder: str, draft: Path, targets: Sequence[str] | None, part: ParquetPart) -> Tagged:
    """Read, tag and write one part; a part that is there is only read for its ids."""
    statements = read_parquet_part(part)
    ids = _hashes([row.statement_id for row in statements])
    place = draft / f"part-{part.number:05d}.parquet"
    if place.is_file():
        return Tagged(statements=len(statements), unread=0, ids=ids)
    model = worker_model(folder)
    unread = 0
    # A part may be tagged twice, when its first worker is taken for lost: each has a file of its own.
    messages = draft / f".{place.name}.{os.getpid()}.arrow"
    try:
        with messages.open("wb") as stream:
            stream.write(header("parquet"))
            for start in range(0, len(statements), _UNIT):
                written = write_unit(
                    model, Unit.of(statements[start : start + _UNIT]), targets=targets, kind="parquet"
                )
                stream.write(written.content)
                unread += written.unread
        made = messages.with_suffix(".made")
        parquet_from(messages, made)
        made.replace(place)
    finally:
        with contextlib.suppress(OSError):
            messages.unlink()
    return Tagged(statements=len(statements), unread=unread, ids=ids)


def _hashes(ids: Sequence[str]) -> npt.NDArray[np.uint64]:
    digests = b"".join(
        hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest() for name in ids
    )
    return np.frombuffer(digests, dtype=np.uint64)


def _refuse_repeated(ids: list[npt.NDArray[np.uint64]], source: Path) -> None:
    everything = np.sort(np.concatenate(ids)) if ids else np.empty(0, dtype=np.uint64)
    repeated = int((everything[1:] == everything[:-1]).sum())
    if repeated:
        raise DataError(f"{source}: {repeated} statement_ids were given before; ids must be unique.")
