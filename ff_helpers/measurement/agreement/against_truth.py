"""Which of two graders is right more often: McNemar on the traces whose truth is known."""

from itertools import combinations

import pandas as pd

from ff_helpers.measurement.agreement.pairs import first_pass, truths
from ff_helpers.measurement.proportions.differences import mcnemar, paired_difference
from ff_helpers.measurement.rates.known import truths_by_set
from ff_helpers.measurement.results import Aside, Terms, assumed, named, stated
from ff_helpers.terms import SPACES

_COLUMNS = [
    *("set", "space", "truth", "grader_a", "grader_b", "n", "left_out", "both_right", "only_a", "only_b"),
    *("neither", "difference", "difference_low", "difference_high", "p"),
]


def compare_graders(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Compare two graders at a time with the truth of the same traces.

    Only traces on which one of the two is right and the other wrong tell them apart. Equal accuracy is not
    agreement: two graders can be wrong on different traces.

    Args:
        verdicts: the joined verdict frame (`grading.campaign.verdicts`); the first pass counts.

    Returns:
        One row per set, space of the truth and pair, smallest p first in each set: set, space, truth (who
        said it), grader_a, grader_b (str), n (traces with a truth and a verdict of both), left_out (with a
        truth, without a verdict of one of them), both_right, only_a, only_b, neither (int), difference
        (accuracy of a minus that of b, in [-1, 1], Newcombe's paired interval; missing, -1, 1 where n is 0),
        p (McNemar's, exact, two-sided, not adjusted for the number of pairs; takes traces as independent).

    Raises:
        TwiceGradedError: a trace that is there twice in the first pass of one grader.
    """
    table = []
    for name, rows in first_pass(verdicts).groupby("set", sort=False):
        given = {str(g): r.set_index("trace_id")["verdict"] for g, r in rows.groupby("grader", sort=False)}
        for space, who, truth in truths(rows):
            for a, b in combinations(given, 2):
                three = pd.concat([given[a], given[b], truth], axis=1, keys=["a", "b", "truth"], join="inner")
                known = three.dropna()
                right_a, right_b = (known[g].map(SPACES[space]) == known["truth"] for g in ("a", "b"))
                cells = [right_a & right_b, right_a & ~right_b, ~right_a & right_b, ~right_a & ~right_b]
                both, only_a, only_b, neither = (int(cell.sum()) for cell in cells)
                counts = (len(known), len(three) - len(known), both, only_a, only_b, neither)
                gap = paired_difference(both, only_a, only_b, neither)
                p = mcnemar(only_a, only_b).p_exact
                table.append([str(name), space, who, a, b, *counts, *gap, p])
    frame = pd.DataFrame(table, columns=_COLUMNS)
    frame = frame.sort_values(["set", "p"], kind="stable", ignore_index=True)
    terms = Terms(
        truth=truths_by_set(first_pass(verdicts)),
        denominators=("traces with a known truth and a verdict of both",),
        asides=(Aside("left_out", "rows without a verdict of one of the two"),),
        who=named(verdicts),
        assumptions=assumed(verdicts),
    )
    return stated(frame, terms)
