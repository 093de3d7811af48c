"""What every column of every table means, in one place, and the machine-readable form of it.

The data dictionary beside the tables (`datapackage.json`) and the README's table of columns are both made
from `COLUMNS`, so that they cannot disagree.

References
----------
Frictionless Data, "Tabular Data Package" (specs.frictionlessdata.io), version 1.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.schema import FREQUENCIES, MEASURES, PROVENANCES, SCHEMA_VERSION, STANCES
from pipeline.tables.writing import atomic_path

FILE_NAME = "datapackage.json"
PASSED_THROUGH = "Passed through unchanged from the table that was read."
"""Description of a column that the dictionary does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Meaning of a column: its Frictionless type, a sentence, and the values accepted."""

    name: str
    kind: str
    text: str
    accepted: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    def field(self) -> dict[str, Any]:
        """Return the column as a field of a Frictionless table schema."""
        limits = {"enum": list(self.accepted), "minimum": self.low, "maximum": self.high}
        constraints = {name: value for name, value in limits.items() if value not in ([], None)}
        described = {"name": self.name, "type": self.kind, "description": self.text}
        return described | ({"constraints": constraints} if constraints else {})


def _share(name: str, text: str) -> Column:
    return Column(name=name, kind="number", text=text, low=0, high=1)


def _count(name: str, text: str) -> Column:
    return Column(name=name, kind="integer", text=text, low=0)


def _plain(kind: str, **texts: str) -> tuple[Column, ...]:
    return tuple(Column(name=name, kind=kind, text=text) for name, text in texts.items())


_STATEMENT = (
    *_plain(
        "string",
        statement_id="Id of the statement: what one official said on one date at one venue.",
        doc_id="Id of the document that the statement is from; statements of one document are one cluster.",
    ),
    Column(name="date", kind="date", text="Day of the statement or event, ISO; empty when unknown."),
    *_plain(
        "string",
        date_method="How the date is known: `day`, `month` (only the month is sure), or the method that found it.",
        speaker="Who spoke; empty when unknown.",
        role="Office that the speaker held on that day.",
        country="Actor: ISO 3166-1 alpha-3 of a country, acronym of an organisation; a pair as `CHN-RUS`.",
        venue="Occasion of the statement.",
        lang="Language of the text, ISO 639-1.",
        source="Where the statement was loaded from: a configured source, `corpus`, or a file.",
        url="Address of the source.",
        title="Title of the document, or the outlet.",
        text="The statement.",
    ),
    Column(
        name="provenance", kind="string", accepted=PROVENANCES,
        text="`paraphrase` (documented, in our words), `verbatim` (official wording) or `reported` (through "
        "media).",
    ),
)  # fmt: skip
_TAG = (
    *_plain("string", target="Id of the target in corpus/targets.toml; `ALL` for the pooled index."),
    Column(
        name="stance", kind="string", accepted=STANCES,
        text="Stance on the target's proposition; `none`: not addressed, which is not `neutral`.",
    ),
    *(_share(f"p_{stance}", f"Calibrated probability of `{stance}`.") for stance in STANCES),
    _share("confidence", "Probability of the stance given."),
    Column(name="abstained", kind="boolean", text="Whether the model is too unsure to be relied on for this tag."),
    _count("evidence_start", "First code point of the evidence in `text`; empty for `none`."),
    _count("evidence_end", "Code point after the evidence; empty for `none`."),
    *_plain(
        "string",
        evidence="The words that show the stance; empty for `none`.",
        model_id="Model that tagged, `name/version`.",
    ),
    Column(
        name="sampling_prob", kind="number", low=0, high=1,
        text="Probability with which the statement was drawn for labelling; 1 for a corpus coded in full.",
    ),
)  # fmt: skip
_EVENT = (
    *_plain("string", event_id="Id of the event; empty where a test is about none.", label="What happened."),
    Column(name="registered_on", kind="date", text="Day on which the event was registered as one to test."),
    *_plain("string", source_url="Address that documents the event.", about="Ids of the targets it is about."),
    Column(name="in_range", kind="boolean", text="Whether the event lies within the analysed months."),
    Column(
        name="exploratory", kind="boolean", text="Registered only after the data were seen: suggests, not confirms."
    ),
)
_TREND = (
    *_plain(
        "string",
        schema_version="Version of the tables; columns are only ever added.",
        run_id="Hash of everything that entered the analysis: equal inputs, equal id.",
    ),
    *_plain("date", period_start="First day of the period.", period_end="Last day of the period."),
    Column(name="freq", kind="string", accepted=FREQUENCIES, text="Length of the period."),
    Column(
        name="scope", kind="string", accepted=("country", "pair", "pooled"),
        text="Whose figure: one actor's, the pair's on one target, or the pair's over the pooled targets.",
    ),
    Column(
        name="measure", kind="string", accepted=MEASURES,
        text="`position` (-1 to 1), `salience` (share of statements that address the target), `gap` (first minus "
        "second position), `convergence` (1 - |gap|/2), `same_side_prob`, `pooled_convergence`, "
        "`declared_coordination`, `coordination_gap` (declared minus revealed, z-scores).",
    ),
    *_plain("string", unit="Unit of estimate and interval."),
    *_plain(
        "number",
        estimate="The figure, corrected for classifier error; empty where there is nothing to estimate from.",
        conf_low="Lower end of the interval.",
        conf_high="Upper end of the interval.",
    ),
    _share("conf_level", "Level of the interval, such as 0.95."),
    Column(name="std_error", kind="number", low=0, text="Standard error."),
    *_plain("string", estimator="How it was made: `smoothed`, `design-based`, `combined`, `uncorrected`."),
    *_plain("number", naive_estimate="What counting the model's tags as if they were true would give."),
    _count("n_statements", "Statements of the actor (or both) in the period."),
    _count("n_addressed", "Of them, those that address the target."),
    Column(name="n_eff", kind="number", low=0, text="Effective number of them, counting clusters less."),
    _count("n_documents", "Documents that they are from."),
    _count("n_labelled", "Of the statements, those labelled by coders."),
    Column(
        name="status", kind="string", accepted=("ok", "sparse", "empty"),
        text="`empty`: nothing to estimate from; `sparse`: fewer than three effective statements, or a part "
        "missing.",
    ),
    *_plain("string", labels_id="Hash of the labels that corrected the figure; empty without any."),
)  # fmt: skip
_TEST = (
    Column(
        name="test", kind="string", accepted=("trend", "changepoint", "event", "leadlag", "classifier_drift"),
        text="What was looked for.",
    ),
    *_plain("date", window_start="First day that the test uses.", window_end="Last day that the test uses."),
    *_plain(
        "number",
        statistic="Test statistic.",
        effect="Size of the effect, in `unit`; a rise of convergence is positive.",
    ),
    _share("p_value", "P-value by permuting blocks of months."),
    _share("p_adjusted", "The same, Holm-adjusted within its family; below 0.05 is called detected."),
    _count("n_permutations", "Permutations behind the p-value."),
    Column(
        name="min_detectable_effect", kind="number", low=0,
        text="Smallest effect found in four of five cases (80% power at 5%): below it, nothing can be said.",
    ),
    Column(name="changed_at", kind="date", text="First month after the likeliest change point."),
)  # fmt: skip

COLUMNS: Mapping[str, Column] = {
    column.name: column for column in (*_STATEMENT, *_TAG, *_EVENT, *_TREND, *_TEST)
}  # fmt: skip
"""Every column by name; a name means the same in every table."""


def described(name: str) -> Column:
    """Return the meaning of a column; one that is not ours is text that was passed through."""
    return COLUMNS.get(name) or Column(name=name, kind="string", text=PASSED_THROUGH)


def package(tables: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    """Describe tables as a Frictionless data package.

    Parameters
    ----------
    tables : mapping of str to iterable of str
        Columns, in order, by file name.
    """
    return {
        "profile": "tabular-data-package",
        "name": "stance-convergence",
        "version": SCHEMA_VERSION,
        "resources": [_resource(path, columns) for path, columns in tables.items()],
    }


def _resource(path: str, columns: Iterable[str]) -> dict[str, Any]:
    schema = {"fields": [described(name).field() for name in columns], "missingValues": [""]}
    form = {"profile": "tabular-data-resource", "format": "csv", "encoding": "utf-8"}
    return {"name": Path(path).stem, "path": path, **form, "schema": schema}


def write_dictionary(
    tables: Mapping[str, Iterable[str]], folder: Path, *, selection: Mapping[str, Any] | None = None
) -> Path:
    """Write `datapackage.json`, which describes the tables beside it, and return its path.

    Parameters
    ----------
    tables : mapping of str to iterable of str
        Columns, in order, by file name.
    folder : Path
        Where the tables are.
    selection : mapping, optional
        What the tables were made from; noted as `selection`.

    Raises
    ------
    StanceError
        When the folder cannot be written to.
    """
    path = folder / FILE_NAME
    content = package(tables) | ({"selection": dict(selection)} if selection is not None else {})
    with atomic_path(path) as draft:
        draft.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def markdown_table(names: Sequence[str]) -> str:
    """Return columns with type, values and meaning as a Markdown table, as the README shows them."""
    lines = ["| column | type | meaning |", "|---|---|---|"]
    for column in map(described, names):
        text = column.text.replace("|", "\\|")
        lines.append(f"| `{column.name}` | {column.kind} | {text} |")
    return "\n".join(lines) + "\n"
