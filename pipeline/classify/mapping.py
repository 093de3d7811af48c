"""Tags as new columns of a `datasets.Dataset`, whole or streamed.

>>> from datasets import load_dataset
>>> from pipeline import ColumnTagger
>>> speeches = load_dataset("json", data_files="speeches.jsonl", split="train", streaming=True)
>>> tagged = speeches.map(ColumnTagger(), batched=True, batch_size=1024)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.classify.artifact import load_model, worker_model
from pipeline.classify.tagging import decide
from pipeline.schema import STANCES


class ColumnTagger:
    """Turn a batch of rows into columns of tags: for `Dataset.map(..., batched=True)`, with any `num_proc`.

    For each target come `<target>` (the stance), `<target>_p` (probabilities in the order of `STANCES`),
    `<target>_abstained` and `<target>_evidence`. Only the model's place travels to other processes, each of which
    loads it once.

    Parameters
    ----------
    model : str, optional
        Id, name or folder of the model, as for `load_model`; the current one by default.
    targets : sequence of str, optional
        Targets to tag, all of the model's by default.
    text, lang : str
        Columns of the texts and, where there is one, of their languages.

    Raises
    ------
    UsageError
        When there is no such model.
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        targets: Sequence[str] | None = None,
        text: str = "text",
        lang: str = "lang",
    ) -> None:
        self.folder = str(load_model(model).folder)
        self.targets = targets
        self.text = text
        self.lang = lang

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        """Return the columns of tags of a batch of rows."""
        model = worker_model(self.folder)
        texts = [text or "" for text in batch[self.text]]
        langs = [lang or "" for lang in batch[self.lang]] if self.lang in batch else [""] * len(texts)
        decided = decide(model, texts, langs)
        columns: dict[str, list[Any]] = {}
        for k, target in enumerate(model.targets):
            if self.targets is not None and target not in self.targets:
                continue
            spans = [own[k] for own in decided.spans]
            columns[target] = [STANCES[stance] for stance in decided.predicted[:, k].tolist()]
            columns[f"{target}_p"] = decided.probabilities[:, k].tolist()
            columns[f"{target}_abstained"] = decided.abstained[:, k].tolist()
            columns[f"{target}_evidence"] = [
                text[span[0] : span[1]] if span else "" for text, span in zip(texts, spans, strict=True)
            ]
        return columns
