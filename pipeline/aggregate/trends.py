"""From tags, labels and events to all tables: the whole of an analysis in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.aggregate.analysis import analyse, pair_totals
from pipeline.aggregate.hypotheses import Bench, run_tests
from pipeline.aggregate.influence import influence_table
from pipeline.aggregate.inputs import check_events, month_of, observe
from pipeline.aggregate.planning import value_table
from pipeline.aggregate.records import TrendOptions, Trends
from pipeline.aggregate.series import trend_table

if TYPE_CHECKING:
    import pandas as pd


def estimate_trends(
    tags: pd.DataFrame, labels: pd.DataFrame, events: pd.DataFrame, options: TrendOptions = TrendOptions()  # noqa: B008
) -> Trends:  # fmt: skip
    """Estimate positions, their convergence, and tests of its change.

    Parameters
    ----------
    tags : DataFrame
        One row per statement and target: `statement_id,date,country,target,stance`, and `doc_id`, `model_id`,
        `joint`, `speaker`, `source`, `provenance` where known. Rows without a date or country are left out with
        a warning.
    labels : DataFrame
        `statement_id,target,stance,sampling_prob`; without any, nothing is corrected and `estimator` says so.
    events : DataFrame
        `event_id,date,label`; `registered_on` and `about` (targets, space-separated) are used where present.
        The month of an event belongs to the time after it.
    options : TrendOptions
        Pair, range, targets, draws and seed.

    Returns
    -------
    Trends
        The series, the tests, the events used, speakers' influences and what further labels would be worth.

    Raises
    ------
    DataError
        When a table holds a value that is not accepted; the message names it.
    """
    checked = check_events(events, options)
    seen = observe(tags, labels, options)
    analysis = analyse(seen, checked, options)
    bench = Bench(tested=pair_totals(analysis), targets=seen.targets, first_month=seen.first_month, options=options)
    months = np.array([month_of(day) - seen.first_month for day in checked["date"]], dtype=np.int64)
    return Trends(
        trends=trend_table(analysis),
        tests=run_tests(bench, analysis.drift, checked),
        events=checked.assign(in_range=(months >= 0) & (months < seen.n_months)),
        influence=influence_table(analysis, checked),
        labelling=value_table(analysis),
    )
