"""The figures that the cards of the corpus state, computed from the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from pipeline.corpus import AuthoredPassage, DocumentedStatement
from pipeline.guards.reading import Bundle, Row
from pipeline.schema import STANCES

Pair = tuple[str, str]
PAIR = ("CHN", "RUS")
FIRST_YEAR = 2022
FEW = 2
TOP = 20


def alpha(pairs: Iterable[Pair]) -> float:
    """Return Krippendorff's alpha of two codings of nominal data.

    Parameters
    ----------
    pairs : iterable of (str, str)
        The two codings of each unit.

    Returns
    -------
    float
        1 for perfect agreement, 0 for what chance gives, NaN where nothing varies. Source: Krippendorff, Content
        Analysis (4th ed. 2018), chapter 12.
    """
    units = list(pairs)
    margins = Counter(value for pair in units for value in pair)
    n = sum(margins.values())
    expected = n * n - sum(count * count for count in margins.values())
    if not expected:
        return float("nan")
    observed = 2 * sum(a != b for a, b in units)
    return 1 - (n - 1) * observed / expected


def alphas(records: Sequence[DocumentedStatement] | Sequence[AuthoredPassage], targets: Sequence[str]) -> list[str]:
    """Return alpha per target, as a card shows it; a record coded once does not count."""
    both = [(r.coding_1, r.coding_2) for r in records if r.coding_1 is not None and r.coding_2 is not None]
    values = [alpha((first[target], second[target]) for first, second in both) for target in targets]
    return ["-" if value != value else f"{value:.3f}" for value in values]  # noqa: PLR0124 - NaN


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def documented(bundle: Bundle) -> str:
    """Return the figures of the card of documented statements."""
    records = [row.record for row in bundle.statements]
    parts = [
        _totals(records), _by_year(records), _by_country(records), _speakers(records), _stances(bundle, records),
        _batches(bundle, records), _gaps(bundle, records),
    ]  # fmt: skip
    return "\n\n".join(parts)


def _totals(records: Sequence[DocumentedStatement]) -> str:
    unverified = sum(record.verified is None for record in records)
    dates = sorted(record.date for record in records)
    return "\n".join(
        (
            f"**{len(records):,} statements** by {len({record.speaker for record in records})} speakers, "
            f"{dates[0]} to {dates[-1]}:",
            "",
            f"- {len(records) - unverified:,} verified, {unverified} unverified;",
            f"- {sum(record.labels is not None for record in records):,} coded twice and adjudicated;",
            f"- {sum(record.joint for record in records)} joint texts (`joint: true`);",
            f"- {sum(record.date_precision == 'month' for record in records)} of which only the month is known "
            "(`date_precision`).",
        )
    )


def _by_year(records: Sequence[DocumentedStatement]) -> str:
    years = sorted({record.date.year for record in records})
    counts = Counter((record.date.year, record.country) for record in records)
    total = Counter(record.date.year for record in records)
    rows = [
        [year, counts[year, "CHN"], counts[year, "RUS"], total[year] - counts[year, "CHN"] - counts[year, "RUS"],
         total[year], sum(record.verified is None for record in records if record.date.year == year)]
        for year in years
    ]  # fmt: skip
    return table(["year", "China", "Russia", "others", "all", "of these unverified"], rows)


def _by_country(records: Sequence[DocumentedStatement]) -> str:
    counts = Counter(record.country for record in records)
    return "By country or organisation: " + _listed(counts) + "."


def _speakers(records: Sequence[DocumentedStatement]) -> str:
    counts = Counter(record.speaker for record in records)
    top = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:TOP])
    rest = len(records) - sum(top.values())
    return f"Most often: {_listed(Counter(top))}; {len(counts) - len(top)} others together {rest}."


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _stances(bundle: Bundle, records: Sequence[DocumentedStatement]) -> str:
    rows = []
    for target, agreement in zip(bundle.targets.coded, alphas(records, bundle.targets.coded), strict=True):
        counts = Counter(
            (group, record.labels[target])
            for record in records
            if record.labels is not None
            for group in ("all", record.country)
        )
        own = [" / ".join(str(counts[country, stance]) for stance in STANCES[:3]) for country in PAIR]
        rows.append([f"`{target}`", agreement, *(counts["all", stance] for stance in STANCES), *own])
    note = " (favor / neutral / against)"
    return table(["target", "alpha", *STANCES, f"China{note}", f"Russia{note}"], rows)


def _batches(bundle: Bundle, records: Sequence[DocumentedStatement]) -> str:
    entries = {row["statement_id"]: row for row in bundle.ledger.values()}
    by_batch: dict[str, list[DocumentedStatement]] = {row["batch"]: [] for row in entries.values()}
    for record in records:
        by_batch.setdefault(entries.get(record.statement_id, {}).get("batch", "-"), []).append(record)
    rows = []
    for batch, held in sorted(by_batch.items()):
        out = sum(row["batch"] == batch and bool(row["removed"].strip()) for row in entries.values())
        checks = [record.verified for record in held]
        mended = sum(check is not None and bool(check.mended) for check in checks)
        state = [len(held), len(checks) - mended - checks.count(None), mended, checks.count(None), out]
        rows.append([batch, *state, *alphas(held, bundle.targets.coded)])
    named = [f"alpha `{target}`" for target in bundle.targets.coded]
    head = ["batch", "statements", "as they were", "mended", "unverified", "taken out", *named]
    return table(head, rows)


def _gaps(bundle: Bundle, records: Sequence[DocumentedStatement]) -> str:
    counted = [record for record in records if record.verified is not None and not record.joint]
    last = max((record.date for record in records), default=None)
    if last is None or last.year < FIRST_YEAR:
        return f"No statement since {FIRST_YEAR}."
    months = [f"{m // 12}-{m % 12 + 1:02}" for m in range(FIRST_YEAR * 12, last.year * 12 + last.month)]
    years = range(FIRST_YEAR, last.year + 1)
    rows: list[list[object]] = []
    for country in PAIR:
        for target in (target.id for target in bundle.targets.target if target.core):
            held = Counter(f"{r.date:%Y-%m}" for r in counted if r.country == country and _addresses(r, target))
            thin = [month for month in months if held[month] < FEW]
            by_year = [sum(month.startswith(str(year)) for month in thin) for year in years]
            rows.append([country, f"`{target}`", *by_year, f"{len(thin)} of {len(months)}", _longest(months, held)])
    lead = (
        f"Months of {months[0]} to {months[-1]} with fewer than {FEW} verified statements of its own (joint texts "
        "left out) that address the target:"
    )
    return f"{lead}\n\n" + table(["country", "target", *map(str, years), "all", "longest run"], rows)


def _addresses(record: DocumentedStatement, target: str) -> bool:
    return record.labels is not None and record.labels[target] != "none"


def _longest(months: Sequence[str], held: Counter[str]) -> str:
    spans = [list(span) for thin, span in groupby(months, key=lambda month: held[month] < FEW) if thin]
    widest = max(spans, key=len, default=[])
    return f"{widest[0]} to {widest[-1]} ({len(widest)})" if widest else "none"


def authored(bundle: Bundle) -> str:
    """Return the figures of the card of authored passages."""
    rows = [row for row in bundle.passages if row.record.labels is not None]
    targets = bundle.targets.coded
    languages = sorted({row.record.lang for row in rows})
    counts = [
        [f"`{target}`", language, agreement, *(held[stance] for stance in STANCES)]
        for target in targets
        for language, agreement, held in _by_language(rows, languages, targets, target)
    ]
    disputed = sum(row.record.coding_1 != row.record.coding_2 for row in rows)
    listed = ", ".join(f"{language} {sum(row.record.lang == language for row in rows):,}" for language in languages)
    lead = (
        f"**{len(rows):,} passages**: {listed}. The two codings differ on at least one target of {disputed}, "
        "and these labels are adjudicated."
    )
    return f"{lead}\n\n" + table(["target", "language", "alpha", *STANCES], counts)


def _by_language(
    rows: Sequence[Row[AuthoredPassage]], languages: Sequence[str], targets: Sequence[str], target: str
) -> Iterator[tuple[str, str, Counter[str]]]:
    for language in languages:
        records = [row.record for row in rows if row.record.lang == language]
        held = Counter(str(record.labels[target]) for record in records if record.labels is not None)
        yield language, alphas(records, targets)[targets.index(target)], held
