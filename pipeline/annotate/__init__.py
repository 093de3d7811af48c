"""Labelling: choose statements, hand them to coders, take their labels back, measure agreement, settle."""

from pipeline.annotate.adjudication import Policy, Settled, adjudicate
from pipeline.annotate.agreement import Agreement, agreement_by_target, coder_confusion, disagreements
from pipeline.annotate.importing import Imported, import_codings
from pipeline.annotate.selection import Selection, coded_pairs, select_statements
from pipeline.annotate.session import LabelSession
from pipeline.annotate.suspects import suspected_errors
from pipeline.annotate.tasks import Task, make_tasks, model_suggestions

__all__ = [
    "Agreement",
    "Imported",
    "LabelSession",
    "Policy",
    "Selection",
    "Settled",
    "Task",
    "adjudicate",
    "agreement_by_target",
    "coded_pairs",
    "coder_confusion",
    "disagreements",
    "import_codings",
    "make_tasks",
    "model_suggestions",
    "select_statements",
    "suspected_errors",
]
