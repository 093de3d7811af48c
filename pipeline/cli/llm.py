"""`stance classify --model llm:NAME`: tags by a language model at an address of the user's."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli import console
from pipeline.cli.console import OutputFormat
from pipeline.errors import UsageError
from pipeline.schema import CARRIED_COLUMNS, STANCES, TAG_COLUMNS

if TYPE_CHECKING:
    from pipeline.schema import Statement, Tag


def is_llm(model: str | None) -> bool:
    """Say whether a model's name is a language model's."""
    from pipeline.classify.llm.settings import PREFIX

    return model is not None and model.startswith(PREFIX)


def classify_with_llm(
    model: str, rows: Iterable[Statement], kind: OutputFormat, output: Path | None, targets: tuple[str, ...]
) -> None:
    """Write or show the tags, and say what they cost."""
    from pipeline.classify.llm.cache import AnswerCache
    from pipeline.classify.llm.chat import ChatClient
    from pipeline.classify.llm.settings import PREFIX, settings_from_environment
    from pipeline.classify.llm.tagging import tag_with_llm
    from pipeline.config import load_targets

    if kind is OutputFormat.parquet:
        raise UsageError("a language model's tags are written as CSV or JSONL: name such a file, or --format.")
    settings = settings_from_environment(model.removeprefix(PREFIX))
    with AnswerCache(settings.cache) as cache, ChatClient(settings) as client:
        tagged = tag_with_llm(client, cache, rows, targets=load_targets(), chosen=targets)
        try:
            _write(_records(tagged), kind, output)
        finally:
            usage = client.usage
            console.note(
                f"{model}: {usage.calls} calls ({usage.retries} of them repeated), {usage.prompt_tokens} + "
                f"{usage.completion_tokens} tokens, {usage.cached} answers from {settings.cache}"
            )


def _records(tagged: Iterable[tuple[Statement, list[Tag]]]) -> Iterator[dict[str, Any]]:
    for statement, tags in tagged:
        for tag in tags:
            yield {
                **{name: getattr(statement, name) for name in CARRIED_COLUMNS},
                **{name: getattr(tag, name) for name in TAG_COLUMNS if hasattr(tag, name)},
                **{f"p_{s}": round(p, 6) for s, p in zip(STANCES, tag.probabilities, strict=True)},
                "confidence": round(tag.confidence, 6),
            }


def _write(records: Iterator[dict[str, Any]], kind: OutputFormat, output: Path | None) -> None:
    if kind is OutputFormat.table and output is None:
        columns = ("statement_id", "target", "stance", "confidence", "evidence")
        console.print_rows(columns, records, kind)
        return
    from pipeline.tables import open_table_writer

    first = list(itertools.islice(records, 1))  # what cannot be asked at all leaves no header behind
    name = "csv" if kind is OutputFormat.table else kind.value
    with open_table_writer(TAG_COLUMNS, name, output) as write:
        for record in itertools.chain(first, records):
            write([record])
