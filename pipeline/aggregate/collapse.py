"""Tags too many for one table, counted down to one row per document and cell before they are analysed.

Everything that an analysis sums over is additive over the statements of one document that share actor, target,
day, speaker and stance. Parts are counted where they lie, and counts are merged; only labelled statements, and
those of no known document, keep rows of their own. The analysis of the counts is that of the tags.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial, reduce
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import DataError
from pipeline.tables import check_columns, parquet_parts
from pipeline.tables.reading import ParquetPart

COUNT = "n"
"""Column that says how many statements a row stands for."""
_NEEDED = ("statement_id", "doc_id", "date", "country", "target", "stance")
_KEPT = ("speaker", "source", "provenance", "joint", "model_id")
_MERGED_AT_ONCE = 8
Engine = Callable[[Callable[[ParquetPart], pd.DataFrame], Iterable[ParquetPart]], Iterator[pd.DataFrame]]


def collapse(tags: pd.DataFrame, labelled: Collection[str] = ()) -> pd.DataFrame:
    """Count tags that an analysis cannot tell apart.

    Parameters
    ----------
    tags : DataFrame
        As `stance classify` writes them.
    labelled : collection of str
        Ids of statements with labels: they keep their rows.

    Returns
    -------
    DataFrame
        The columns that an analysis reads, and `n`; `statement_id` is blank where a row stands for several.

    Raises
    ------
    DataError
        When a column is missing, or a statement has two tags for one target.
    """
    check_columns(tags.columns, _NEEDED, "tags")
    repeated = tags.duplicated(["statement_id", "target"])
    if repeated.any():
        row = tags[repeated].iloc[0]
        raise DataError(
            f"tags: statement {row['statement_id']!r} has two tags for target {row['target']!r}; "
            "keep one per statement and target."
        )
    names = [*_NEEDED, *(name for name in _KEPT if name in tags.columns)]
    own = tags["statement_id"].isin(list(labelled)) | tags["doc_id"].isna() | (tags["doc_id"] == "")
    return merged([tags.loc[:, names].assign(**{COUNT: 1}, statement_id=tags["statement_id"].where(own, ""))])


def merged(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Add counts up."""
    together = pd.concat(parts, ignore_index=True)
    keys = [name for name in together.columns if name != COUNT]
    return together.groupby(keys, dropna=False, sort=True)[COUNT].sum().reset_index()


def collapse_folder(folder: Path, labelled: Collection[str] = (), engine: Engine = map) -> pd.DataFrame:
    """Count the tags of a folder of Parquet files, part by part, and give each row an id.

    Parameters
    ----------
    folder : Path
        As `stance classify --output FOLDER` writes it.
    labelled : collection of str
        Ids of statements with labels.
    engine : callable
        Maps parts to their counts; in this process by default, on a cluster with `cluster.engine`.

    Raises
    ------
    DataError
        As for `collapse`; a repeated statement is found within its part only.
    """
    counted = engine(partial(_count_part, frozenset(labelled)), parquet_parts(folder.absolute()))
    total = reduce(_add, _in_groups(counted))
    own = total["statement_id"] != ""
    repeated = total[own & ((total[COUNT] > 1) | total.duplicated(["statement_id", "target"]))]
    if len(repeated):
        raise DataError(f"tags: statement {repeated['statement_id'].iloc[0]!r} is tagged twice; keep one tag.")
    numbered = pd.Series([f"\x00{n}" for n in range(len(total))], index=total.index, dtype=object)
    return total.assign(statement_id=total["statement_id"].astype(object).where(own, numbered))


def _in_groups(parts: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    group: list[pd.DataFrame] = []
    for part in parts:
        group.append(part)
        if len(group) == _MERGED_AT_ONCE:
            yield merged(group)
            group = []
    if group:
        yield merged(group)


def _add(total: pd.DataFrame, part: pd.DataFrame) -> pd.DataFrame:
    return merged([total, part])


def _count_part(labelled: frozenset[str], part: ParquetPart) -> pd.DataFrame:
    import pyarrow.parquet as pq

    with pq.ParquetFile(part.path) as table:
        found: list[str] = table.schema_arrow.names
        check_columns(found, _NEEDED, str(part.path))
        columns = [name for name in found if name in (*_NEEDED, *_KEPT)]
        groups: list[Any] = [part.group] if part.group >= 0 else []
        return collapse(table.read_row_groups(groups, columns=columns).to_pandas(), labelled)
