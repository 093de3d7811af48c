"""Tags, labels and events, checked and turned into integer arrays; every mistake a file can hold ends here."""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.errors import DataError
from pipeline.schema import EVENT_COLUMNS, LABEL_COLUMNS, STANCES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.aggregate.records import TrendOptions

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

_LOG = logging.getLogger(__name__)
_NEEDED = ("statement_id", "date", "country", "target", "stance")
_ISO = r"\d{4}-\d{2}-\d{2}"
NONE = STANCES.index("none")
"""Code of `none`: the target is not addressed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """One entry per statement and target that enters the analysis, as codes.

    `country`, `target`, `month`, `document` index the actors, the targets, the months since `first_month`
    (counted as 12 * year + month - 1) and the documents; `predicted` and `gold` index `STANCES`, `gold` is
    -1 where there is no label; `weight` is 1 / sampling_prob of a label and 0 without one. `speaker` indexes
    `speakers`, of which the first, the empty name, stands for an unknown one. `count` says for how many equal
    tags an entry stands: 1, unless tags were counted down before (`collapse`); labelled ones are never.
    """

    countries: tuple[str, ...]
    targets: tuple[str, ...]
    speakers: tuple[str, ...]
    first_month: int
    n_months: int
    country: Ints
    target: Ints
    month: Ints
    document: Ints
    speaker: Ints
    predicted: Ints
    gold: Ints
    weight: Floats
    count: Floats
    model_id: str
    labels_id: str

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of actors, targets and months."""
        return len(self.countries), len(self.targets), self.n_months


def observe(tags: pd.DataFrame, labels: pd.DataFrame, options: TrendOptions) -> Observations:
    """Check tags and labels and code them.

    Parameters
    ----------
    tags : DataFrame
        One row per statement and target, or for `n` of them. Rows without a date or an actor are left out with a
        warning, and those that the options do not choose without one; an actor of the pair who is then silent is
        warned of.
    labels : DataFrame
        `statement_id,target,stance,sampling_prob`; may be empty.
    options : TrendOptions
        Range, pair, targets, speakers, sources, provenance.

    Raises
    ------
    DataError
        Naming the first value that is not accepted, or a choice that the tags know nothing of.
    """
    _require(tags, _NEEDED, "tags")
    _require(labels, LABEL_COLUMNS, "labels")
    keys = _pair_codes(tags)
    predicted = _stance_codes(tags["stance"], "tags")
    gold, weight = _match_labels(tags, labels, keys)
    days = _days(tags["date"], "tags")
    model_id = _single_model(tags)
    keep = _kept(tags, days, options)
    months = (days.dt.year * 12 + days.dt.month - 1).to_numpy(dtype=float, na_value=0).astype(np.int64)[keep]
    first, n_months = _span(months, options)
    countries = tuple(sorted({*tags.loc[keep, "country"].astype(str).unique(), *options.pair}))
    names = tuple(tags["target"].astype(str).unique()) if options.targets is None else options.targets
    country, target = _codes(tags.loc[keep, "country"], countries), _codes(tags.loc[keep, "target"], names)
    content = np.stack([country, months, predicted[keep], gold[keep]], axis=1)
    count = _counts(tags)[keep]
    targets, target = _canonical(names, target, content, count)
    speakers, speaker = _speakers(tags)
    order = np.lexsort((speaker[keep], weight[keep], *content.T, target, document := _documents(tags)[keep]))
    return Observations(
        countries=countries, targets=targets, first_month=first, n_months=n_months, country=country[order],
        target=target[order], month=months[order] - first, document=document[order],
        predicted=predicted[keep][order], gold=gold[keep][order], weight=weight[keep][order],
        count=count[order], speakers=speakers, speaker=speaker[keep][order], model_id=model_id,
        labels_id=_labels_id(labels),
    )  # fmt: skip


def chosen(tags: pd.DataFrame, options: TrendOptions) -> NDArray[np.bool_]:
    """Say which tags enter an analysis: those with a date and an actor that the options choose, shape (n,).

    Raises
    ------
    DataError
        As `observe` does.
    """
    return _kept(tags, _days(tags["date"], "tags"), options)


def check_events(events: pd.DataFrame, options: TrendOptions) -> pd.DataFrame:
    """Return the events in date order, with `exploratory` added; input columns pass through.

    An event is exploratory when it was registered after the data were seen, or on no known day: its test
    suggests, it does not confirm.

    Raises
    ------
    DataError
        When a column is missing, an id is given twice or a date is not ISO.
    """
    _require(events, EVENT_COLUMNS, "events")
    days = _days(events["date"], "events")
    if days.isna().any():
        raise DataError("events: an event has no date; give each a date as YYYY-MM-DD.")
    repeated = events.loc[events["event_id"].duplicated(), "event_id"]
    if len(repeated):
        raise DataError(f"events: event_id {repeated.iloc[0]!r} is given twice; ids must be unique.")
    late = np.zeros(len(events), bool)
    if options.data_seen_on is not None:
        registered = _days(_column(events, "registered_on"), "events")
        late = ~(registered <= pd.Timestamp(options.data_seen_on)).to_numpy(dtype=bool)
    answer = events.assign(date=days.dt.strftime("%Y-%m-%d").to_numpy(), exploratory=late)
    return answer.sort_values(["date", "event_id"], kind="stable", ignore_index=True)


def month_of(day: str) -> int:
    """Return 12 * year + month - 1 of an ISO date."""
    parsed = dt.date.fromisoformat(day)
    return parsed.year * 12 + parsed.month - 1


def _require(frame: pd.DataFrame, columns: tuple[str, ...], what: str) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(f"{what}: missing column {', '.join(missing)}; {what} need {', '.join(columns)}.")


def _column(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    return frame[name] if name in frame.columns else pd.Series(np.nan, index=frame.index, dtype=object)


def _blank(column: pd.Series[Any]) -> NDArray[np.bool_]:
    return (column.isna() | (column.astype(str).str.strip() == "")).to_numpy(dtype=bool)


def _pair_codes(tags: pd.DataFrame) -> pd.Index[Any]:
    keys = _keys(tags)
    if keys.has_duplicates:
        statement, target = keys[keys.duplicated()][0]
        raise DataError(
            f"tags: statement {statement!r} has two tags for target {target!r}; keep one per statement and target."
        )
    return keys


def _keys(frame: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([frame["statement_id"].astype(str), frame["target"].astype(str)])


def _stance_codes(column: pd.Series[Any], what: str) -> Ints:
    codes = pd.Index(STANCES).get_indexer(pd.Index(column.to_numpy(dtype=object))).astype(np.int64)
    if (codes < 0).any():
        value = column.iloc[int(np.argmax(codes < 0))]
        raise DataError(f"{what}: unknown stance {value!r}; accepted are {', '.join(STANCES)}.")
    return codes


def _match_labels(tags: pd.DataFrame, labels: pd.DataFrame, keys: pd.Index[Any]) -> tuple[Ints, Floats]:
    gold, weight = np.full(len(tags), -1, np.int64), np.zeros(len(tags))
    share = _sampling(labels)
    stance = _stance_codes(labels["stance"], "labels")
    if not len(labels):
        return gold, weight
    wanted = _keys(labels)
    if wanted.has_duplicates:
        statement, target = wanted[wanted.duplicated()][0]
        raise DataError(f"labels: statement {statement!r} is labelled twice on {target!r}; keep one label.")
    place = keys.get_indexer(wanted)
    if (place < 0).any():
        statement, target = wanted[int(np.argmax(place < 0))]
        raise DataError(
            f"labels: {int((place < 0).sum())} labels match no tag, first statement {statement!r} on {target!r}; "
            "classify those statements or leave the labels out."
        )
    gold[place], weight[place] = stance, 1 / share
    return gold, weight


def _sampling(labels: pd.DataFrame) -> Floats:
    share = pd.to_numeric(labels["sampling_prob"], errors="coerce").to_numpy(dtype=float)
    wrong = ~((share > 0) & (share <= 1))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"labels: sampling_prob {str(labels['sampling_prob'].iloc[row])!r} of statement "
            f"{str(labels['statement_id'].iloc[row])!r} must be above 0 and at most 1 (1: coded in full)."
        )
    return share


def _days(column: pd.Series[Any], what: str) -> pd.Series[Any]:
    if pd.api.types.is_datetime64_any_dtype(column):
        return pd.Series(column.to_numpy(dtype="datetime64[ns]"))
    blank = _blank(column)
    codes, unique = pd.factorize(column.astype(str).str.strip().where(~blank))
    values = pd.Series(np.asarray(unique, dtype=object), dtype=object)
    values = values.where(values.astype(str).str.fullmatch(_ISO))
    parsed = pd.to_datetime(values, format="%Y-%m-%d", errors="coerce")
    if parsed.isna().any():
        row = int(np.argmax(codes == int(np.argmax(parsed.isna()))))
        raise DataError(f"{what}, row {row + 1}: date {column.iloc[row]!r} is not ISO; dates are YYYY-MM-DD.")
    stamps = np.append(parsed.to_numpy(dtype="datetime64[ns]"), np.datetime64("NaT", "ns"))
    return pd.Series(stamps[codes])


def _single_model(tags: pd.DataFrame) -> str:
    if "model_id" not in tags.columns:
        return ""
    models = sorted(tags["model_id"].dropna().astype(str).unique())
    if len(models) > 1:
        raise DataError(f"tags: models {', '.join(models)} are mixed; classify everything with one model.")
    return models[0] if models else ""


def _kept(tags: pd.DataFrame, days: pd.Series[Any], options: TrendOptions) -> NDArray[np.bool_]:
    blank = days.isna().to_numpy() | _blank(tags["country"])
    if blank.any():
        _LOG.warning("%d of %d tags have no date or no country and are left out", blank.sum(), len(tags))
    keep = ~blank
    if options.since is not None:
        keep &= (days >= pd.Timestamp(options.since)).to_numpy()
    if options.until is not None:
        keep &= (days < pd.Timestamp(options.until) + pd.Timedelta(days=1)).to_numpy()
    if options.targets is not None:
        keep &= tags["target"].isin(options.targets).to_numpy()
    for column, wanted in (
        ("speaker", options.speakers), ("source", options.sources), ("provenance", options.provenances)
    ):  # fmt: skip
        if wanted is not None:
            keep &= _chosen(tags, column, wanted)
    if "joint" in tags.columns and options.joint != "in":
        declared = tags["target"].isin(options.declared if options.joint == "declared" else ()).to_numpy()
        keep &= ~_truth(tags["joint"]) | declared
    _warn_of_silence(tags.loc[keep, "country"], options)
    return keep


def _chosen(tags: pd.DataFrame, column: str, wanted: tuple[str, ...]) -> NDArray[np.bool_]:
    """Say which rows have one of the wanted values, ignoring case.

    Raises
    ------
    DataError
        When the tags lack the column, or nowhere hold a wanted value: a slip of the pen must not give an empty
        answer that looks like silence.
    """
    if column not in tags.columns:
        raise DataError(f"tags: no column {column}, so they cannot be chosen by it; add the column.")
    known = tags[column].where(~_blank(tags[column]), "").astype(str).str.strip()
    folded = known.str.casefold()
    present = set(folded.unique())
    unknown = [name for name in wanted if name.strip().casefold() not in present]
    if unknown:
        raise DataError(f"no statement has {column} {unknown[0]!r}; {_nearest(unknown[0], set(known.unique()))}")
    return folded.isin([name.strip().casefold() for name in wanted]).to_numpy(dtype=bool)


def _nearest(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=5) or sorted(known - {""})[:8]
    return f"in the tags are {', '.join(close)}{', ...' if len(known) > len(close) else ''}."


def _warn_of_silence(countries: pd.Series[Any], options: TrendOptions) -> None:
    heard = set(countries.astype(str).unique())
    silent = [actor for actor in options.pair if actor not in heard]
    if silent:
        _LOG.warning(
            "no statement of %s is among those chosen: its figures stay empty (actors there: %s)",
            " and ".join(silent), ", ".join(sorted(heard)) or "none",
        )  # fmt: skip


def _truth(column: pd.Series[Any]) -> NDArray[np.bool_]:
    text = column.astype(str).str.strip().str.lower()
    return text.isin(["true", "1", "1.0", "yes"]).to_numpy(dtype=bool)


def _span(months: Ints, options: TrendOptions) -> tuple[int, int]:
    ends = [month_of(day.isoformat()) if day is not None else None for day in (options.since, options.until)]
    first = ends[0] if ends[0] is not None else int(months.min()) if months.size else ends[1]
    last = ends[1] if ends[1] is not None else int(months.max()) if months.size else ends[0]
    return (0, 0) if first is None or last is None else (first, last - first + 1)


def _counts(tags: pd.DataFrame) -> Floats:
    return tags["n"].to_numpy(dtype=float) if "n" in tags.columns else np.ones(len(tags))


def _canonical(names: tuple[str, ...], target: Ints, content: Ints, count: Floats) -> tuple[tuple[str, ...], Ints]:
    """Order targets by what was said on them, so that their names have no part in any random draw."""
    prints = [_digest(content[target == k], count[target == k]) for k in range(len(names))]
    order = sorted(range(len(names)), key=prints.__getitem__)
    place = np.argsort(np.asarray(order, dtype=np.int64))
    return tuple(names[k] for k in order), place[target] if len(names) else target


def _digest(content: Ints, count: Floats) -> bytes:
    values, place = np.unique(content @ np.array([1 << 40, 1 << 20, 16, 1]), return_inverse=True)
    counts = np.bincount(place, count, minlength=values.size).astype(np.int64)
    return hashlib.sha256(values.tobytes() + counts.tobytes()).digest()


def _codes(column: pd.Series[Any], names: tuple[str, ...]) -> Ints:
    values = pd.Index(column.astype(str).to_numpy(dtype=object))
    return pd.Index(names, dtype=object).get_indexer(values).astype(np.int64)


def _documents(tags: pd.DataFrame) -> Ints:
    """Code the clusters; a statement of no known document is its own."""
    own = "\x00" + tags["statement_id"].astype(str)
    if "doc_id" not in tags.columns:
        return pd.factorize(own, sort=True)[0].astype(np.int64)
    blank = _blank(tags["doc_id"])
    return pd.factorize(tags["doc_id"].astype(str).where(~blank, own), sort=True)[0].astype(np.int64)


def _speakers(tags: pd.DataFrame) -> tuple[tuple[str, ...], Ints]:
    column = _column(tags, "speaker")
    names = column.astype(str).str.strip().where(~_blank(column), "")
    known = ("", *sorted(set(names.unique()) - {""}))
    return known, _codes(names, known)


def _labels_id(labels: pd.DataFrame) -> str:
    return frame_hash(labels[list(LABEL_COLUMNS)])[:12] if len(labels) else ""


def frame_hash(frame: pd.DataFrame) -> str:
    """Return a hexadecimal digest of a table's content that ignores the order of its rows."""
    if not len(frame):
        return hashlib.sha256(",".join(frame.columns).encode()).hexdigest()
    text = frame.astype(str).astype(object)
    rows = np.sort(pd.util.hash_pandas_object(text, index=False).to_numpy())
    return hashlib.sha256(rows.tobytes()).hexdigest()
