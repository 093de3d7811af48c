"""Inclusion probabilities of labels over rounds of sampling."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def accumulate(labels: pd.DataFrame, rounds: pd.DataFrame) -> pd.DataFrame:
    """Set `sampling_prob` of labels of drawn statements to the chance of having been drawn and labelled by now.

    A round gave a statement the chance `prob` of being drawn. While only some of those drawn are labelled, a
    stratum's chance is multiplied by its labelled share, as if chance had decided who is labelled first. The chance
    over rounds is 1 - (1 - p1) (1 - p2) ...

    Parameters
    ----------
    labels : DataFrame
        `statement_id,target,stance,sampling_prob`; statements that were never drawn keep what they have.
    rounds : DataFrame
        `round,statement_id,stratum,prob,drawn`, every round's statements that could be drawn.
    """
    if labels.empty or rounds.empty:
        return labels
    drawn = rounds["drawn"].astype(bool)
    done = (drawn & rounds["statement_id"].isin(labels["statement_id"])).astype(float)
    group = [rounds["round"], rounds["stratum"]]
    share = done.groupby(group).transform("sum") / drawn.astype(float).groupby(group).transform("sum")
    missed = (1 - rounds["prob"] * share.fillna(0.0)).groupby(rounds["statement_id"]).prod()
    known = labels["statement_id"].isin(set(rounds.loc[drawn, "statement_id"]))
    chance = 1 - labels["statement_id"].map(missed)
    return labels.assign(sampling_prob=chance.where(known & (chance > 0), labels["sampling_prob"]))
