"""What the full method says about the bundled corpus, naive beside corrected, from what `stance trends` wrote.

    python -m tests.bench.corpus_findings [exports]

Prints, for the core targets by year: both positions and the convergence with its interval beside the plug-in's; the
change of convergence at every event; who carries each result; what further labels would be worth.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from pipeline.config import load_targets


def by_year(trends: pd.DataFrame, pair: tuple[str, str]) -> pd.DataFrame:
    """Average quarters with data by year: positions and convergence, corrected and naive."""
    rows = trends[(trends["freq"] == "quarter") & (trends["status"] != "empty")]
    rows = rows.assign(year=rows["period_start"].str[:4])
    columns = {}
    for name, measure, country in (
        (pair[0], "position", pair[0]),
        (pair[1], "position", pair[1]),
        ("convergence", "convergence", "-".join(pair)),
    ):  # fmt: skip
        part = rows[(rows["measure"] == measure) & (rows["country"] == country)].groupby(["target", "year"])
        columns |= {name: part["estimate"].mean(), f"{name} naive": part["naive_estimate"].mean()}
    part = rows[rows["measure"] == "convergence"].groupby(["target", "year"])
    columns |= {"low": part["conf_low"].mean(), "high": part["conf_high"].mean(), "n": part["n_addressed"].sum()}
    return pd.DataFrame(columns)


def at_events(tests: pd.DataFrame, targets: tuple[str, ...]) -> pd.DataFrame:
    """Return the change of convergence at every event, with what could have been detected."""
    rows = tests[(tests["test"] == "event") & tests["target"].isin([*targets, "ALL"]) & tests["effect"].notna()]
    names = ["effect", "conf_low", "conf_high", "p_value", "p_adjusted", "min_detectable_effect", "exploratory"]
    return rows.set_index(["event_id", "target"])[names]


def carried(influence: pd.DataFrame, targets: tuple[str, ...]) -> pd.DataFrame:
    """Return, for each result on each target, the speaker without whom it changes most."""
    rows = influence[influence["target"].isin([*targets, "ALL"]) & influence["influence"].notna()]
    rows = rows.assign(event_id=rows["event_id"].fillna(""), size=rows["influence"].abs())
    largest = rows.groupby(["measure", "event_id", "target"])["size"].idxmax()
    names = ["speaker", "country", "n_addressed", "estimate", "without"]
    return rows.loc[largest].set_index(["measure", "event_id", "target"])[names]


def main() -> None:
    """Print the tables."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "exports")
    names = ("trends", "tests", "influence", "labelling")
    trends, tests, influence, labelling = (pd.read_csv(folder / f"{name}.csv") for name in names)
    first, second = str(trends.loc[trends["scope"] == "pair", "country"].iloc[0]).split("-")
    core = load_targets().pooled
    years = by_year(trends, (first, second))
    years = years[years.index.get_level_values("target").isin(core)]
    parts = {
        "By year, mean of quarters": years,
        "Tests on the whole range": tests[~tests["test"].isin(["event"])].set_index(["test", "target"])[
            ["effect", "conf_low", "conf_high", "p_value", "p_adjusted", "min_detectable_effect", "changed_at"]
        ],
        "Change of convergence at events": at_events(tests, core),
        "Carried most by": carried(influence, core),
        "Worth of further labels": labelling.set_index("target"),
    }
    with pd.option_context("display.max_rows", 500, "display.width", 160, "display.float_format", "{:.2f}".format):
        for title, table in parts.items():
            sys.stdout.write(f"\n{title}\n{table.to_string(na_rep='')}\n")


if __name__ == "__main__":
    main()
