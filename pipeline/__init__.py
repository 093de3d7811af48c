"""Measure whether officials' stated positions converge: ingest, classify, aggregate.

The public interface from Python; nothing heavy is imported until a name is used:

>>> from pipeline import load_model, tag_texts
>>> model = load_model()  # once: what it has met, it remembers
>>> for tags in tag_texts(model, ["It is too early to recognise the Taliban."]):
...     print({tag.target: (tag.stance, tag.evidence) for tag in tags})
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.aggregate import TrendOptions, estimate_trends
    from pipeline.classify.artifact import load_model
    from pipeline.classify.mapping import ColumnTagger
    from pipeline.classify.tagging import tag_statements, tag_texts
    from pipeline.corpus import load_authored, load_documented
    from pipeline.errors import StanceError
    from pipeline.schema import Label, Statement, Tag
    from pipeline.store import Store

_HOMES = {
    "ColumnTagger": "pipeline.classify.mapping",
    "Label": "pipeline.schema",
    "StanceError": "pipeline.errors",
    "Statement": "pipeline.schema",
    "Store": "pipeline.store",
    "Tag": "pipeline.schema",
    "TrendOptions": "pipeline.aggregate",
    "estimate_trends": "pipeline.aggregate",
    "load_authored": "pipeline.corpus",
    "load_documented": "pipeline.corpus",
    "load_model": "pipeline.classify.artifact",
    "tag_statements": "pipeline.classify.tagging",
    "tag_texts": "pipeline.classify.tagging",
}

__all__ = [
    "ColumnTagger", "Label", "StanceError", "Statement", "Store", "Tag", "TrendOptions", "estimate_trends",
    "load_authored", "load_documented", "load_model", "tag_statements", "tag_texts",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pipeline' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
