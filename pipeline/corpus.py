"""The bundled corpus: documented statements and authored passages, validated and loaded as `datasets`.

*Documented* statements are real: said by a named official on a date, paraphrased, with the source's
address. *Authored* passages were written to teach the classifier: no speaker, no date, never counted in a
trend. Nothing is downloaded: `load_dataset` reads the local files.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo

from pipeline.config import corpus_dir, load_actors, load_targets
from pipeline.errors import DataError, UsageError
from pipeline.schema import Label, Stance, Statement

if TYPE_CHECKING:
    from datasets import Dataset

DOCUMENTED_FILE = "documented/statements.jsonl"
DOCUMENTED_SOURCE = "corpus"

Coding = Mapping[str, Stance]


def _known_actor(actor: str, info: ValidationInfo) -> str:
    known = (info.context or {}).get("actors", ())
    if known and actor not in known:
        raise ValueError(f"unknown actor {actor!r}; add it to actors.toml")
    return actor


def _every_target(coding: Coding | None, info: ValidationInfo) -> Coding | None:
    context = info.context or {}
    known, needed = (set(context.get(name, ())) for name in ("targets", "coded"))
    if coding is not None and known and not needed <= set(coding) <= known:
        wrong = ", ".join(sorted((needed - set(coding)) | (set(coding) - known)))
        raise ValueError(f"stances must be given for exactly the targets of targets.toml; see {wrong}")
    return coding


def _no_quotation(text: str) -> str:
    if any(mark in text for mark in '"“”«»„「」'):
        raise ValueError("a paraphrase holds no quotation marks")
    return text


_Coding = Annotated[Coding | None, AfterValidator(_every_target)]


class Verified(BaseModel):
    """A check of a statement against public pages: when, by which address, and what it mended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: dt.date
    second_url: Annotated[str, Field(pattern=r"^https?://\S+$")]
    mended: str


class DocumentedStatement(BaseModel):
    """One line of corpus/documented/statements.jsonl.

    `labels` is the adjudicated stance per target, if any. `verified` is null where no page was found that bears
    the statement out; `check_note` then says what is missing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    statement_id: Annotated[str, Field(pattern=r"^s[0-9a-f]{10}$")]
    date: dt.date
    date_precision: Literal["day", "month"]
    speaker: Annotated[str, Field(min_length=1)]
    role: str
    country: Annotated[str, AfterValidator(_known_actor)]
    venue: str
    source_url: Annotated[str, Field(pattern=r"^https?://\S+$")]
    source_outlet: str
    text: Annotated[str, Field(min_length=20), AfterValidator(_no_quotation)]
    lang: Literal["en", "ru", "zh"]
    provenance: Literal["paraphrase"]
    joint: bool
    labels: _Coding = None
    coding_1: _Coding
    coding_2: _Coding = None
    verified: Verified | None = None
    check_note: str = ""


class AuthoredPassage(BaseModel):
    """One line of corpus/authored/*.jsonl: written for training, said by nobody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passage_id: Annotated[str, Field(pattern=r"^a[0-9a-f]{10}$")]
    lang: Literal["en", "ru", "zh"]
    text: Annotated[str, Field(min_length=5)]
    labels: _Coding
    coding_1: _Coding
    coding_2: _Coding


def _validated_lines(path: Path, model: type[BaseModel], folder: Path) -> Iterator[BaseModel]:
    """Check every line of a JSONL file; the first that is wrong stops with its number and reason."""
    targets = load_targets(folder)
    context = {"actors": load_actors(folder).ids, "targets": targets.ids, "coded": targets.coded}
    seen: dict[str, int] = {}
    # surrogateescape keeps bytes that are not UTF-8, so that the line they stand on can be named.
    with path.open(encoding="utf-8", errors="surrogateescape") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                record = model.model_validate_json(line, context=context)
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"]) or "line"
                raise DataError(f"{path}, line {number}: {where}: {first['msg']}. Mend that line.") from None
            key = str(next(iter(record.model_dump().values())))
            if key in seen:
                raise DataError(f"{path}, line {number}: id {key} was given on line {seen[key]} too.")
            seen[key] = number
            yield record


def validate_corpus(folder: Path | None = None) -> dict[str, int]:
    """Validate every bundled file against its schema, the actors and the targets.

    Returns
    -------
    dict of str to int
        Rows per file, by path relative to the corpus folder.

    Raises
    ------
    DataError
        Naming file, line and field of the first row that is wrong.
    """
    folder = folder or corpus_dir()
    documented = _validated_lines(folder / DOCUMENTED_FILE, DocumentedStatement, folder)
    rows = {DOCUMENTED_FILE: sum(1 for _ in documented)}
    for path in _authored_files(folder):
        rows[f"authored/{path.name}"] = sum(1 for _ in _validated_lines(path, AuthoredPassage, folder))
    return rows


def _authored_files(folder: Path) -> list[Path]:
    return sorted((folder / "authored").glob("passages_*.jsonl"))


def _features(folder: Path, *, documented: bool) -> Any:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read by datasets at import: local files only
    from datasets import Features, Value

    coding = Features({target: Value("string") for target in load_targets(folder).ids})
    codings = dict.fromkeys(("labels", "coding_1", "coding_2"), coding)
    if not documented:
        return Features({**_strings("passage_id", "lang", "text"), **codings})
    names = [name for name in DocumentedStatement.model_fields if name not in codings]
    verified = Features({**_strings(*Verified.model_fields), "on": Value("date32")})
    columns = {**_strings(*names), "date": Value("date32"), "joint": Value("bool"), "verified": verified}
    return Features({**columns, **codings})


def _strings(*names: str) -> dict[str, Any]:
    from datasets import Value

    return {name: Value("string") for name in names}


def _load(paths: list[Path], features: Any) -> Dataset:
    from datasets import Dataset, disable_progress_bars, load_dataset

    if not paths:
        return Dataset.from_dict({name: [] for name in features}, features=features)
    disable_progress_bars()
    # The cache is a throw-away folder: the files are small and must never be read stale.
    with tempfile.TemporaryDirectory() as cache:
        return load_dataset(
            "json", data_files=[str(path) for path in paths], features=features, split="train",
            cache_dir=cache, keep_in_memory=True,
        )  # fmt: skip


def load_documented(folder: Path | None = None) -> Dataset:
    """Load the documented statements, validated, as one `datasets.Dataset`.

    Returns
    -------
    datasets.Dataset
        One row a statement; `labels`, `coding_1` and `coding_2` are structs with one stance per target,
        null where that coding does not exist.

    Raises
    ------
    DataError
        Naming file, line and field of the first row that is wrong.
    """
    folder = folder or corpus_dir()
    path = folder / DOCUMENTED_FILE
    if not path.is_file():
        raise UsageError(f"no bundled corpus in {folder}: STANCE_CORPUS must name a folder like corpus/.")
    for _ in _validated_lines(path, DocumentedStatement, folder):
        pass
    return _load([path], _features(folder, documented=True))


def load_authored(folder: Path | None = None) -> Dataset:
    """Load the authored training passages, validated; same errors as `load_documented`."""
    folder = folder or corpus_dir()
    paths = _authored_files(folder)
    for path in paths:
        for _ in _validated_lines(path, AuthoredPassage, folder):
            pass
    return _load(paths, _features(folder, documented=False))


def documented_statements(rows: Dataset) -> Iterator[Statement]:
    """Turn documented rows into statements; one source page on one date is one document."""
    for row in rows:
        yield Statement(
            statement_id=row["statement_id"],
            doc_id=_document_id(row["source_url"], row["date"].isoformat()),
            date=row["date"].isoformat(),
            date_method=row["date_precision"],
            speaker=row["speaker"],
            role=row["role"],
            country=row["country"],
            venue=row["venue"],
            lang=row["lang"],
            source=DOCUMENTED_SOURCE,
            url=row["source_url"],
            title=row["source_outlet"],
            text=row["text"],
            provenance=row["provenance"],
            joint=row["joint"],
            verified=row["verified"] is not None,
        )


def documented_labels(rows: Dataset) -> Iterator[Label]:
    """Yield the adjudicated labels. The corpus is coded in full, so each has probability 1.

    A statement coded only once has none: it does not count as labelled.
    """
    for row in rows:
        for target, stance in (row["labels"] or {}).items():
            if stance is not None:
                yield Label(statement_id=row["statement_id"], target=target, stance=stance)


def _document_id(url: str, date: str) -> str:
    return "d" + hashlib.sha256(f"{url}|{date}".encode()).hexdigest()[:10]


def text_key(text: str) -> str:
    """Return a key that is equal for texts equal up to case and white space (to find a training text again)."""
    return hashlib.sha256(" ".join(text.casefold().split()).encode(errors="surrogatepass")).hexdigest()[:16]


def evaluation_hash(folder: Path | None = None) -> str:
    """Return a hash of what quality is measured on: text, date and labels of the double-coded statements."""
    digest = hashlib.sha256()
    with ((folder or corpus_dir()) / DOCUMENTED_FILE).open(encoding="utf-8") as stream:
        rows = [row for row in map(json.loads, stream) if row.get("labels")]
        for row in sorted(rows, key=lambda row: row["statement_id"]):
            kept = {key: row[key] for key in ("statement_id", "date", "text", "labels")}
            digest.update(json.dumps(kept, sort_keys=True, ensure_ascii=False).encode())
    return digest.hexdigest()[:16]
