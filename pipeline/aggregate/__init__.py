"""Positions of two actors over time, how far they converge, and how sure that is.

`estimate_trends` is the whole of it; `speaker_influence` says who carries a result and `value_of_labels` what
further labels would be worth. The method and its sources are named in the modules' docstrings.
"""

from pipeline.aggregate.influence import speaker_influence
from pipeline.aggregate.planning import value_of_labels
from pipeline.aggregate.records import TrendOptions, Trends
from pipeline.aggregate.trends import estimate_trends

__all__ = ["TrendOptions", "Trends", "estimate_trends", "speaker_influence", "value_of_labels"]
