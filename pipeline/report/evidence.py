"""The statements behind the figures, chosen, cleaned and marked up as plain records for the page.

Text from the web is data. Control and bidirectional-override characters, which could reorder or hide what is
read, are shown as replacement characters, one for one, so that evidence offsets stay true; markup is escaped
by the template; an address becomes a link only when it is http or https.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from pipeline.report.inputs import STATEMENTS, ReportInputs, drawn_rows, frequency, period_text, target_ids

BUDGET = 1800
"""Statements that a page holds at most: with them it stays below 3 MB, and a phone can still filter it."""
STATEMENTS_FILE = "statements.csv"
"""Beside a page that cannot hold all statements: every one of them."""
LONGEST = 700
"""Code points of a statement's text that are shown; a longer one is cut around its evidence."""
LONGEST_FIELD = 160
_LONGEST_ADDRESS = 1000
_SPANS = {"quarter": "Q", "month": "M"}
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c\u200e\u200f")
_HIDDEN = ("Cc", "Cs", "Co", "Cn")
Record = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Where the statements behind a point are: actors and targets by number, and the periods that hold any."""

    countries: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    periods: frozenset[str] = frozenset()

    def anchor(self, period: str, target: str, country: str) -> str:
        """Return `#q-2021Q3~1~0`: period, number of the target and of the actor (empty for all); empty for none."""
        if period not in self.periods:
            return ""
        t = str(self.targets.index(target)) if target in self.targets else ""
        c = str(self.countries.index(country)) if country in self.countries else ""
        return f"#q-{period}~{t}~{c}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the page shows of the statements.

    Parameters
    ----------
    index : Index
    total : int
        Statements that there are.
    shown : int
        Statements on the page.
    each : int
        Statements shown of each actor, target and period at least, where there are that many; 0 when all are
        shown.
    speakers, groups : sequences
        Names for the filter; records by period, newest first.
    """

    index: Index
    total: int
    shown: int
    each: int
    speakers: tuple[str, ...]
    groups: tuple[Record, ...]


def clean(value: object, *, longest: int | None = None) -> str:
    """Return text that cannot reorder or hide what stands around it, of the same length; None is empty text.

    Parameters
    ----------
    longest : int, optional
        Cut to this many code points, with an ellipsis.
    """
    text = value if isinstance(value, str) else "" if value is None or pd.isna(value) else str(value)  # type: ignore[call-overload]
    text = "".join(map(_visible, text[: (longest or len(text)) + 1]))
    return f"{text[:longest]}…" if longest is not None and len(text) > longest else text


def _visible(character: str) -> str:
    if character in "\t\n\r\u2028\u2029\x85":
        return " "
    hidden = character in _BIDI or unicodedata.category(character) in _HIDDEN
    return "\ufffd" if hidden else character


def safe_link(value: object) -> str:
    """Return an address that a page may link to: http or https with a host only; empty for anything else."""
    if not isinstance(value, str) or len(value) > _LONGEST_ADDRESS or not re.fullmatch(r"https?://[^\s\\]+", value):
        return ""
    return value if clean(value) == value and _host(value) else ""


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def host(address: str) -> str:
    """Return the host that an address leads to, in ASCII, so that look-alike letters are seen for what they are."""
    name = _host(address)
    try:
        return name.encode("idna").decode("ascii").removeprefix("www.")
    except UnicodeError:
        return ""


def settled(tags: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Return tags with `gold` (the coders' stance, empty without one) and `final`: theirs, or else the model's."""
    gold = labels[["statement_id", "target", "stance"]].rename(columns={"stance": "gold"})
    joined = tags.merge(gold.drop_duplicates(["statement_id", "target"]), how="left", on=["statement_id", "target"])
    given = joined["gold"].astype(object).where(joined["gold"].notna(), "")
    return joined.assign(gold=given, final=given.where(given != "", joined["stance"]))


def gather(inputs: ReportInputs, *, budget: int = BUDGET) -> Evidence:
    """Choose the statements that the page shows and lay them out by period.

    All of them while they are at most `budget`. Beyond, those that tell most about the figures: in each
    actor, target and period first the ones that coders labelled, then those that the model is surest about,
    the pair's before others', until the budget is spent.
    """
    statements = _placed(inputs)
    tags = settled(inputs.tags, inputs.labels)
    shown, each = statements, 0
    if len(statements) > budget:
        chosen, each = _most_informative(statements, tags, inputs.pair, budget)
        shown = statements[statements["statement_id"].isin(chosen)]
    index = Index(
        countries=tuple(dict.fromkeys([*inputs.pair, *sorted(set(shown["country"]))])),
        targets=target_ids(inputs) if len(inputs.trends) else inputs.targets.ids,
        periods=frozenset(shown["period"]) - {""},
    )
    by_statement = _tags_by_statement(tags[tags["statement_id"].isin(set(shown["statement_id"]))])
    speakers = [clean(name, longest=LONGEST_FIELD) for name in sorted({str(s) for s in shown["speaker"].dropna()})]
    return Evidence(
        index=index, total=len(statements), shown=len(shown), each=each,
        speakers=tuple(name for name in speakers if name), groups=_groups(inputs, index, shown, by_statement),
    )  # fmt: skip


def statements_table(inputs: ReportInputs, held: Evidence) -> pd.DataFrame:
    """Return every statement behind the figures: what it says, its stance on each target, whether the page has it.

    A target's column is named by its id and holds the coders' stance, or else the model's; it is empty where
    neither sees the target addressed.
    """
    tags = settled(inputs.tags, inputs.labels)
    stances = tags[tags["final"] != "none"].pivot_table(
        index="statement_id", columns="target", values="final", aggfunc="first"
    )
    wide = stances.reindex(columns=list(held.index.targets))
    rows = _placed(inputs)[list(STATEMENTS)].join(wide, on="statement_id")
    rows = rows.assign(**{name: rows[name].astype(object).where(rows[name].notna(), "") for name in wide.columns})
    shown = {item["id"] for group in held.groups for item in group["items"]}
    on_page = rows["statement_id"].map(lambda value: clean(value, longest=LONGEST_FIELD) in shown)
    return rows.assign(on_page=on_page).sort_values(["date", "statement_id"], kind="stable")


def _placed(inputs: ReportInputs) -> pd.DataFrame:
    """Return the statements of the range that the trends cover, or without a date, with `period`."""
    rows = inputs.statements
    when = pd.to_datetime(rows["date"], format="%Y-%m-%d", errors="coerce")
    freq = frequency(inputs.trends) if len(inputs.trends) else "quarter"
    period = when.dt.to_period(_SPANS[freq]).astype(str).where(when.notna(), "")
    placed = rows.assign(when=when, period=period)
    drawn = drawn_rows(inputs.trends)
    if drawn.empty:
        return placed
    first, last = drawn["period"].min().start_time, drawn["period"].max().end_time
    return placed[when.isna() | when.between(first, last)]


def _most_informative(
    statements: pd.DataFrame, tags: pd.DataFrame, pair: Sequence[str], budget: int
) -> tuple[set[str], int]:
    known = statements[["statement_id", "country", "period"]]
    spoken = tags.loc[tags["final"] != "none", ["statement_id", "target", "confidence", "gold"]]
    rows = spoken.merge(known, on="statement_id")
    rows = rows.assign(by_hand=rows["gold"] != "", other=~rows["country"].isin(list(pair)))
    rows = rows.sort_values(
        ["by_hand", "confidence", "statement_id"], ascending=[False, False, True], kind="stable"
    )
    rank = rows.groupby(["country", "target", "period"], sort=False).cumcount()
    rows = rows.assign(rank=rank).sort_values(["other", "rank", "statement_id"], kind="stable")
    chosen = rows["statement_id"].drop_duplicates().iloc[:budget]
    left = rows.loc[~rows["statement_id"].isin(chosen) & ~rows["other"], "rank"]
    return set(chosen), int(left.min()) if len(left) else 0


def _tags_by_statement(tags: pd.DataFrame) -> Mapping[str, list[Record]]:
    answer: dict[str, list[Record]] = {}
    for row in tags.to_dict("records"):
        answer.setdefault(str(row["statement_id"]), []).append({str(key): value for key, value in row.items()})
    return answer


def _groups(
    inputs: ReportInputs, index: Index, shown: pd.DataFrame, tags: Mapping[str, list[Record]]
) -> tuple[Record, ...]:
    ordered = shown.sort_values(
        ["when", "statement_id"], ascending=[False, True], na_position="last", kind="stable"
    )
    groups: dict[str, list[Record]] = {}
    for number, row in enumerate(ordered.to_dict("records")):
        named = {str(key): value for key, value in row.items()}
        record = _statement(inputs, index, named, tags.get(str(row["statement_id"]), []))
        groups.setdefault(str(row["period"]), []).append(record | {"number": number})
    return tuple({"id": period, "name": _period_name(period), "items": items} for period, items in groups.items())


def _period_name(period: str) -> str:
    return period_text(pd.Period(period)) if period else "Date unknown"


_PROVENANCE = {"paraphrase": "documented paraphrase", "verbatim": "verbatim", "reported": "as reported by media"}


def _statement(inputs: ReportInputs, index: Index, row: Record, tags: Sequence[Record]) -> Record:
    stances = sorted(
        (one for tag in tags if tag["target"] in index.targets and (one := _stance(inputs, index, tag))),
        key=_target_number,
    )
    address = safe_link(row["url"])
    fields = {name: clean(row[name], longest=LONGEST_FIELD) for name in ("speaker", "role", "venue", "title")}
    provenance = str(row["provenance"])
    return fields | {
        "id": clean(row["statement_id"], longest=LONGEST_FIELD),
        "date": clean(row["date"], longest=LONGEST_FIELD)[: 7 if row["date_method"] == "month" else None],
        "country": clean(inputs.name(str(row["country"])), longest=LONGEST_FIELD),
        "c": index.countries.index(row["country"]),
        "kind": _PROVENANCE.get(provenance, clean(provenance, longest=LONGEST_FIELD)),
        "joint": bool(row["joint"]),
        "link": address,
        "host": host(address) if address else "",
        "pieces": pieces(str(row["text"]), [(tag["t"], *tag["span"]) for tag in stances if tag["span"]]),
        "stances": stances,
        "key": " ".join(f"{tag['t']}:{tag['final']}" for tag in stances),
    }


def _target_number(stance: Record) -> int:
    return int(stance["t"])


def _stance(inputs: ReportInputs, index: Index, tag: Record) -> Record | None:
    """Return what is said on a target, None where neither model nor coders see it addressed."""
    if tag["final"] == "none" and tag["stance"] == "none":
        return None
    ends = [tag.get(name) for name in ("evidence_start", "evidence_end")]
    known = not any(end is None or pd.isna(end) for end in ends)
    return {
        "t": index.targets.index(tag["target"]), "label": clean(inputs.label(tag["target"]), longest=LONGEST_FIELD),
        "final": tag["final"], "gold": tag["gold"], "model": tag["stance"],
        "confidence": f"{float(tag['confidence']):.2f}",
        "abstained": str(tag.get("abstained", "")).lower() in {"true", "1"},
        "span": tuple(int(end) for end in ends if end is not None) if known else (),
    }  # fmt: skip


def pieces(text: str, spans: Sequence[tuple[int, int, int]]) -> list[tuple[str, str]]:
    """Split a text where evidence begins or ends.

    Parameters
    ----------
    spans : sequence of (target, start, end)
        Numbers of targets and code points; what lies outside the text is ignored.

    Returns
    -------
    list of (str, str)
        Pieces in order, each with the numbers of the targets whose evidence covers it, such as `"0 2"`. A text
        above `LONGEST` is cut to a window that begins shortly before the first evidence.
    """
    first = min((start for _, start, _ in spans if 0 <= start < len(text)), default=0)
    low = 0 if len(text) <= LONGEST else min(max(0, first - LONGEST // 4), len(text) - LONGEST)
    high = min(len(text), low + LONGEST)
    cuts = {low, high, *(cut for _, *ends in spans for cut in ends if low < cut < high)}
    ordered = sorted(cuts)
    answer = []
    for start, end in pairwise(ordered):
        covering = sorted({t for t, a, b in spans if a <= start and end <= b})
        answer.append((clean(text[start:end]), " ".join(map(str, covering))))
    return [*([("… ", "")] if low else []), *answer, *([(" …", "")] if high < len(text) else [])]
