"""Measure whether officials' stated positions converge: ingest, classify, aggregate.

The public interface from Python; nothing heavy is imported until a name is used:

>>> from pipeline import Statement, load_model, tag_statements
>>> model = load_model()
>>> statement = Statement(statement_id="1", text="It is too early to recognise the Taliban.")
>>> for _, tags in tag_statements(model, [statement]):
...     print(tags[1].stance, tags[1].evidence)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.aggregate import TrendOptions, estimate_trends
    from pipeline.classify.artifact import load_model
    from pipeline.classify.tagging import tag_statements
    from pipeline.corpus import load_authored, load_documented
    from pipeline.errors import StanceError
    from pipeline.schema import Label, Statement, Tag
    from pipeline.store import Store

_HOMES = {
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
}

__all__ = [
    "Label", "StanceError", "Statement", "Store", "Tag", "TrendOptions", "estimate_trends", "load_authored",
    "load_documented", "load_model", "tag_statements",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pipeline' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
