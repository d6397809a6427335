"""How much the heuristic over-reports, compared with graders that read the text, on the same traces.

Heuristic verdicts are computed to be compared and never published as a rate of their own. Single-turn
and multi-turn traces are kept apart: a list of phrases sees the last response only. Two verdicts of one
trace are a pair, which verdict counts do not record, so these rates are computed from the rows.
"""

import math
from collections.abc import Sequence

import pandas as pd

from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.calibration.tables import backing
from ff_helpers.measurement.proportions.differences import paired_difference
from ff_helpers.measurement.rates.reported import with_gate
from ff_helpers.measurement.results import Aside, Terms, assumed, stated, values
from ff_helpers.terms import TIERS

_TURNS = ("single", "multi")
_COLUMNS = {"turns": "str", "tier": "str", "grader": "str"}
_COLUMNS |= dict.fromkeys(("n", "left_out", "heuristic_k", "grader_k"), "int64")
_COLUMNS |= dict.fromkeys(
    ("heuristic", "reported", "difference", "difference_low", "difference_high"), "float64"
)


def over_reporting(verdicts: pd.DataFrame, cards: Sequence[Card] = ()) -> pd.DataFrame:
    """Return how much attack success the heuristic reports beyond each FLIP grader, by turns and tier.

    Both rates of a row are over the same traces; traces made to attack a grader are left out. The
    interval takes traces as independent: repeated runs of one scenario are not, and for those it is
    too narrow.

    Args:
        verdicts: the joined verdict frame (`ff.verdicts`); only the first pass counts.
        cards: the run's calibration cards.

    Returns:
        One row per turn mode (`single`, `multi`), tier and grader: turns, tier, grader (str), n (traces on
        which both have a verdict), left_out (traces on which one of the two has none), heuristic_k,
        grader_k (int), heuristic, reported (rates in [0, 1]; NaN where n is 0), difference (heuristic
        minus reported, in [-1, 1]; with _low and _high: see `paired_difference`), gate (see `with_gate`;
        a rejected grader cannot measure the heuristic's error). Empty without the heuristic.
    """
    verdicts, who = told_apart(verdicts)
    first = verdicts[(verdicts["repeat"] == 0) & (verdicts["sampling"] != "injected")]
    phrases = first[first["method"] == "heuristic"].set_index("trace_id")["verdict"]
    read = first[(first["method"] == "flip-final-turn") & first["trace_id"].isin(phrases.index)]
    rows: list[dict[str, object]] = []
    for turns in _TURNS:
        for tier, hits in TIERS.items():
            for grader, group in read[read["turns"] == turns].groupby("grader", sort=False):
                pairs = pd.DataFrame({"a": group["trace_id"].map(phrases), "b": group["verdict"]})
                known = pairs.dropna()
                row = {"turns": turns, "tier": tier, "grader": grader, "left_out": len(pairs) - len(known)}
                rows.append(row | _compared(known["a"].isin(hits), known["b"].isin(hits)))
    table = with_gate(pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS), cards, who)
    return stated(
        table,
        Terms(
            who=tuple(who.items()),
            beside=tuple(who[str(name)] for name in first[first["method"] == "heuristic"]["grader"].unique()),
            cards=backing(cards),
            sets=tuple(values(read, "set")),
            denominators=("traces on which both have a verdict",),
            asides=(Aside("left_out", "traces without a verdict of one of the two", ("turns", "grader")),),
            assumptions=assumed(verdicts),
        ),
    )


def _compared(heuristic: "pd.Series[bool]", grader: "pd.Series[bool]") -> dict[str, object]:
    n = len(heuristic)
    both, neither = int((heuristic & grader).sum()), int((~heuristic & ~grader).sum())
    k, m = int(heuristic.sum()), int(grader.sum())
    difference, low, high = paired_difference(both, k - both, m - both, neither)
    row: dict[str, object] = {"n": n, "heuristic_k": k, "grader_k": m}
    row |= {"heuristic": k / n if n else math.nan, "reported": m / n if n else math.nan}
    return row | {"difference": difference, "difference_low": low, "difference_high": high}
