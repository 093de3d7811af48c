"""How well the evidence fits the words that were marked by hand, by models that never saw the passage.

    nice python -m tests.bench.evidence

Evidence is asked for the labelled stance, so that the figure is about the words and not about the tag.
"""

from __future__ import annotations

import sys

import numpy as np

from pipeline.classify.evidence import evidence_spans
from pipeline.classify.segment import sentence_spans
from pipeline.classify.training import split_by_event, training_set
from pipeline.schema import STANCES
from tests.bench.transcripts import fold_models
from tests.evidence import Marked, Span, fit_of, marked_passages


def main() -> None:
    """Print the figures, all and by language and stance, beside the whole text and its first sentence."""
    data = training_set()
    folds = split_by_event(data)
    models = fold_models(data, folds)
    fold_of = {data.texts[i]: fold for fold, (_, test) in enumerate(folds) for i in test}

    def evidence(passage: Marked) -> Span:
        k = data.targets.index(passage.target)
        predicted = np.full(len(data.targets), STANCES.index("none"))
        predicted[k] = STANCES.index(passage.stance)
        span = evidence_spans(models[fold_of[passage.text]], passage.text, predicted, passage.lang)[k]
        return span or (0, len(passage.text))

    passages = marked_passages()
    show("whole text", fit_of(passages, lambda passage: (0, len(passage.text))))
    show("first sentence", fit_of(passages, lambda passage: sentence_spans(passage.text, passage.lang)[0]))
    show(f"evidence, {len(passages)} passages", fit_of(passages, evidence))
    for field in ("lang", "stance"):
        for value in sorted({getattr(passage, field) for passage in passages}):
            show(f"  {value}", fit_of([p for p in passages if getattr(p, field) == value], evidence))


def show(name: str, figures: dict[str, float]) -> None:
    """Print one line."""
    sys.stdout.write(f"{name:28}" + "  ".join(f"{key} {value:.3f}" for key, value in figures.items()) + "\n")


if __name__ == "__main__":
    main()
