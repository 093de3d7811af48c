"""Months and quarters of a range: their dates, and sums and means of months over them."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MONTHS = {"month": 1, "quarter": 3}
"""Months in a period, by frequency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """Consecutive periods of a range.

    `first_of` gives the position in the range of each period's first month, `starts` and `ends` its calendar
    dates, both included; a range may begin or end inside a quarter, whose missing months then have no data.
    """

    freq: str
    first_of: Ints
    starts: tuple[str, ...]
    ends: tuple[str, ...]
    n_months: int

    def total(self, months: Floats) -> Floats:
        """Sum months into periods over the last axis."""
        if not self.n_months:
            return months
        answer: Floats = np.add.reduceat(months, self.first_of, axis=-1)
        return answer

    def mean(self, months: Floats) -> Floats:
        """Average months into periods over the last axis."""
        return self.total(months) / np.diff(np.append(self.first_of, self.n_months))


def make_periods(freq: str, first_month: int, n_months: int) -> Periods:
    """Lay out the periods of a range of months.

    Parameters
    ----------
    freq : str
        `month` or `quarter`.
    first_month : int
        12 * year + month - 1 of the first month.
    n_months : int
        Length of the range.
    """
    length = MONTHS[freq]
    index = np.arange(first_month, first_month + n_months) // length
    numbers, first_of = np.unique(index, return_index=True)
    return Periods(
        freq=freq,
        first_of=first_of.astype(np.int64),
        starts=tuple(month_start(int(number) * length) for number in numbers),
        ends=tuple(month_end(int(number) * length + length - 1) for number in numbers),
        n_months=n_months,
    )


def month_start(month: int) -> str:
    """Return the first day of a month counted as 12 * year + month - 1, as an ISO date."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}-01"


def month_end(month: int) -> str:
    """Return the last day of a month counted as 12 * year + month - 1, as an ISO date."""
    year, number = month // 12, month % 12 + 1
    return f"{year:04d}-{number:02d}-{calendar.monthrange(year, number)[1]:02d}"
