"""Agreement: alpha beside published, hand-computed and reference values; confusion; the list of disagreements."""

from __future__ import annotations

import math

import krippendorff
import numpy as np
import pandas as pd
import pytest

from pipeline.annotate.agreement import (
    agreement_by_target,
    alpha_interval,
    bundled_codings,
    coder_confusion,
    disagreements,
    krippendorff_alpha,
    stance_counts,
)
from pipeline.corpus import load_documented
from pipeline.schema import STANCES


def counts_of(*coders: str) -> np.ndarray:
    """Count values by unit from one string a coder, a point for a missing value."""
    values = sorted(set("".join(coders)) - {"."})
    return np.array([[sum(c[u] == v for c in coders) for v in values] for u in range(len(coders[0]))])


def frame(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=["statement_id", "target", "coder", "stance"])
    return found.assign(
        date="2030-01-01", country="ARD", speaker="Anna Vell", text="Text of " + found["statement_id"]
    )


# The two examples of Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), sections A and C.
TWO_CODERS = ("0100000010", "1110010000")
FOUR_CODERS = ("123321412...", "12332241 25.3".replace(" ", ""), ".33323422 51.".replace(" ", ""), "12332441251.")


def test_alpha_is_what_krippendorff_publishes() -> None:
    assert krippendorff_alpha(counts_of(*TWO_CODERS)) == pytest.approx(0.095, abs=5e-4)
    assert krippendorff_alpha(counts_of(*FOUR_CODERS)) == pytest.approx(0.743, abs=5e-4)


def test_alpha_by_hand() -> None:
    """Three statements by two coders: ff, ff, fa. Pairs: f 5, a 1; disagreeing 2 of 6; by chance 10 of 30.

    alpha = 1 - (6 - 1) * 2 / (36 - 26) = 0.
    """
    assert krippendorff_alpha(np.array([[2, 0, 0, 0], [2, 0, 0, 0], [1, 0, 1, 0]])) == pytest.approx(0.0)
    # One disagreement of four, ff ff aa fa: 1 - (8 - 1) * 2 / (64 - 25 - 9) = 1 - 14 / 30.
    counts = np.array([[2, 0, 0, 0], [2, 0, 0, 0], [0, 0, 2, 0], [1, 0, 1, 0]])
    assert krippendorff_alpha(counts) == pytest.approx(1 - 14 / 30)
    # Full disagreement is below chance: fa fa gives 1 - 3 * 4 / (16 - 8).
    assert krippendorff_alpha(np.array([[1, 0, 1, 0], [1, 0, 1, 0]])) == pytest.approx(-0.5)


@pytest.mark.parametrize("seed", range(40))
def test_alpha_is_the_reference_implementation_s(seed: int) -> None:
    rng = np.random.default_rng(seed)
    coders, units = int(rng.integers(2, 6)), int(rng.integers(12, 40))
    truth = rng.integers(0, 4, units)
    values = np.where(rng.random((coders, units)) < 0.7, truth, rng.integers(0, 4, (coders, units)))
    data = np.where(rng.random((coders, units)) < 0.3, np.nan, values)
    expected = krippendorff.alpha(data, level_of_measurement="nominal", value_domain=[0, 1, 2, 3])
    counts = np.stack([(data == v).sum(0) for v in range(4)], axis=1)
    assert krippendorff_alpha(counts) == pytest.approx(expected, abs=1e-12)
    rows = [
        (f"s{u:02d}", "harbour", f"c{c}", STANCES[int(data[c, u])])
        for c in range(coders) for u in range(units) if not np.isnan(data[c, u])
    ]  # fmt: skip
    [found] = agreement_by_target(frame(*rows), ["harbour"], draws=100)
    assert found.alpha == pytest.approx(expected, abs=1e-12)
    assert found.n_statements == int((counts.sum(1) > 1).sum())
    assert found.n_codings == int(counts[counts.sum(1) > 1].sum())


def test_what_does_not_vary_or_was_not_coded_twice_has_no_alpha() -> None:
    assert math.isnan(krippendorff_alpha(np.array([[2, 0, 0, 0], [3, 0, 0, 0]])))
    assert math.isnan(krippendorff_alpha(np.array([[1, 0, 0, 0], [0, 1, 0, 0]])))
    assert math.isnan(krippendorff_alpha(np.zeros((0, 4), int)))
    assert all(math.isnan(bound) for bound in alpha_interval(np.array([[2, 0, 0, 0], [3, 0, 0, 0]])))
    assert all(math.isnan(bound) for bound in alpha_interval(np.array([[2, 0, 0, 0]])))
    [found] = agreement_by_target(frame(), ["harbour"])
    assert math.isnan(found.alpha)
    assert math.isnan(found.agreement)
    assert (found.n_statements, found.n_codings, found.coders) == (0, 0, ())


def test_the_interval_resamples_statements() -> None:
    """Beside a plain bootstrap that draws statements one by one, with the reference alpha."""
    rng = np.random.default_rng(5)
    data = np.where(rng.random((3, 40)) < 0.75, rng.integers(0, 4, 40), rng.integers(0, 4, (3, 40)))
    counts = np.stack([(data == v).sum(0) for v in range(4)], axis=1)
    alphas = [
        krippendorff.alpha(data[:, rng.integers(0, 40, 40)], level_of_measurement="nominal", value_domain=range(4))
        for _ in range(1500)
    ]
    expected = tuple(np.quantile(alphas, (0.025, 0.975)))
    assert alpha_interval(counts, draws=4000, random_state=1) == pytest.approx(expected, abs=0.02)
    assert alpha_interval(counts, random_state=1) == alpha_interval(counts, random_state=1)
    assert alpha_interval(counts, random_state=1) != alpha_interval(counts, random_state=2)


@pytest.mark.slow
def test_the_interval_covers_the_truth() -> None:
    """Two coders who are right four times in five, over three stances: the interval holds the known alpha."""
    rng = np.random.default_rng(0)

    def drawn(units: int) -> np.ndarray:
        truth = rng.integers(0, 3, units)
        given = np.where(rng.random((2, units)) < 0.8, truth, (truth + rng.integers(1, 3, (2, units))) % 3)
        return np.stack([(given == v).sum(0) for v in range(4)], axis=1)

    truth = krippendorff_alpha(drawn(200_000))
    covered = 0
    for n in range(200):
        low, high = alpha_interval(drawn(100), draws=400, random_state=n)
        covered += low <= truth <= high
    assert 0.90 <= covered / 200 <= 0.99


def test_more_statements_narrow_the_interval() -> None:
    small = np.array([[2, 0, 0, 0], [0, 0, 2, 0], [1, 0, 1, 0], [0, 2, 0, 0], [0, 0, 0, 2]])
    narrow, wide = alpha_interval(np.tile(small, (20, 1))), alpha_interval(small)
    assert narrow[1] - narrow[0] < (wide[1] - wide[0]) / 2


def test_settled_labels_are_no_coder_and_other_targets_do_not_matter() -> None:
    rows = [("s1", "harbour", "a", "favor"), ("s1", "harbour", "b", "against"), ("s2", "harbour", "a", "none")]
    more = [("s1", "harbour", "adjudicated", "favor"), ("s2", "harbour", "adjudicated", "none")]
    other = [("s1", "railway", "c", "favor"), ("s1", "railway", "d", "favor")]
    harbour, railway = agreement_by_target(frame(*rows, *more, *other), ["harbour", "railway"], draws=100)
    assert (harbour.n_statements, harbour.n_codings, harbour.coders) == (1, 2, ("a", "b"))
    assert harbour.agreement == 0.0
    assert (railway.coders, railway.agreement) == (("c", "d"), 1.0)


def test_agreement_is_of_pairs_of_coders() -> None:
    rows = [("s1", "harbour", c, s) for c, s in zip("abc", ("favor", "favor", "none"), strict=True)]
    [found] = agreement_by_target(frame(*rows), ["harbour"], draws=100)
    assert found.agreement == pytest.approx(1 / 3)


def test_counts_have_every_stance_in_order() -> None:
    rows = frame(("s2", "h", "a", "none"), ("s1", "h", "a", "against"), ("s1", "h", "b", "against"))
    assert stance_counts(rows).tolist() == [[0, 0, 2, 0], [0, 0, 0, 1]]


def test_confusion_counts_each_pair_of_coders_once_on_what_both_coded() -> None:
    rows = [
        ("s1", "harbour", "b", "favor"), ("s1", "harbour", "a", "favor"), ("s2", "harbour", "a", "neutral"),
        ("s2", "harbour", "b", "none"), ("s3", "harbour", "a", "neutral"), ("s3", "harbour", "b", "none"),
        ("s3", "harbour", "c", "none"), ("s4", "harbour", "c", "none"), ("s1", "harbour", "adjudicated", "favor"),
    ]  # fmt: skip
    found = coder_confusion(frame(*rows), ["harbour", "railway"])
    assert found.to_numpy().tolist() == [
        ["harbour", "a", "b", "favor", "favor", 1],
        ["harbour", "a", "b", "neutral", "none", 2],
        ["harbour", "a", "c", "neutral", "none", 1],
        ["harbour", "b", "c", "none", "none", 1],
    ]


def test_disagreements_name_who_said_what_and_put_the_open_ones_first() -> None:
    rows = [
        ("s1", "harbour", "a", "favor"), ("s1", "harbour", "b", "against"),
        ("s1", "harbour", "adjudicated", "favor"),
        ("s2", "railway", "a", "favor"), ("s2", "railway", "b", "none"),
        ("s3", "railway", "a", "none"), ("s3", "railway", "b", "none"),
        ("s4", "railway", "a", "none"), ("s4", "railway", "adjudicated", "favor"),
    ]  # fmt: skip
    found = disagreements(frame(*rows), ["harbour", "railway"])
    columns = ["statement_id", "target", "date", "country", "speaker", "by a", "by b", "settled", "text"]
    assert found.columns.tolist() == columns
    assert found[["statement_id", "target", "by a", "by b", "settled"]].to_numpy().tolist() == [
        ["s2", "railway", "favor", "none", ""],
        ["s1", "harbour", "favor", "against", "favor"],
    ]
    assert found["text"].tolist() == ["Text of s2", "Text of s1"]
    assert disagreements(frame(*rows), ["harbour"])["statement_id"].tolist() == ["s1"]
    assert disagreements(frame(), ["harbour"]).empty


def test_the_bundled_codings_agree_as_the_reference_says() -> None:
    rows = load_documented()
    codings = bundled_codings(rows)
    coded = [row for row in rows if row["labels"] is not None]
    for found in agreement_by_target(codings, ["india", "us_presence"], draws=200):
        data = [[STANCES.index(row[c][found.target]) for row in coded] for c in ("coding_1", "coding_2")]
        assert found.alpha == pytest.approx(krippendorff.alpha(data, level_of_measurement="nominal"), abs=1e-9)
        assert found.n_statements == len(coded)
        assert 0.8 < found.conf_low < found.alpha < found.conf_high < 1
