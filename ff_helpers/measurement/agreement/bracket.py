"""The bracket: the lowest and the highest rate that several graders report for the same traces.

Where graders disagree the range is the answer. Their mean has no meaning, and a vote of weak graders is a
further opinion, not the truth.
"""

from collections.abc import Sequence

import pandas as pd

from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.agreement.pairs import first_pass
from ff_helpers.measurement.calibration.cards import Card, backing
from ff_helpers.measurement.rates.asr import asr
from ff_helpers.measurement.rates.counts import count_verdicts
from ff_helpers.measurement.rates.reported import with_gate
from ff_helpers.measurement.results import Aside, stated, verdict_terms
from ff_helpers.terms import TIERS, Denominator

_OVER: tuple[Denominator, ...] = ("graded", "adversarial")


def bracket(verdicts: pd.DataFrame, cards: Sequence[Card]) -> pd.DataFrame:
    """Return what every grader reports on the traces that all graders of a set gave a verdict to.

    Heuristic verdicts are left out: they are compared, never published as a rate. There is no denominator
    `rows`: on these traces it is `graded`.

    Args:
        verdicts: the joined verdict frame (`grading.campaign.verdicts`); the first pass counts.
        cards: the run's calibration cards, for the gate's state.

    Returns:
        One row per set with two graders or more, tier, denominator and grader: set, grader, the columns of
        `asr`, shared, not_shared (int: traces that all, that not all graders gave a verdict to),
        not_shared_why (str, such as `g: timeout 2`, or `none`), gate (see `with_gate`), then those of
        `with_range`.

    Raises:
        TwiceGradedError: a trace that is there twice in the first pass of one grader.
    """
    who = told_apart(verdicts)[1]
    first = first_pass(verdicts)
    first = first[first["method"] != "heuristic"]
    graders = first.groupby("set")["grader"].transform("nunique")
    first = first[graders > 1].assign(_all=graders)
    given = first.groupby(["set", "trace_id"])["verdict"].transform("count") == first["_all"]
    keys = ["set", "grader"]
    counts = count_verdicts(first[given], by=keys)
    table = asr(counts, by=keys, denominators=_OVER)
    traces = first.assign(given=given).drop_duplicates(["set", "trace_id"]).groupby("set")["given"]
    sizes = pd.DataFrame({"shared": traces.sum(), "not_shared": traces.size() - traces.sum()})
    why = {str(name): _why(rows) for name, rows in first[~given].groupby("set")}
    table = table.join(sizes, on="set")
    # Graders of the same traces one below the other, in the order in which tables show tiers.
    names = [*table["set"].unique(), *TIERS, *_OVER]
    order = {name: place for place, name in enumerate(names)}
    by = ["set", "tier", "denominator"]
    table = table.sort_values(by, key=lambda c: c.map(order), kind="stable", ignore_index=True)
    table["not_shared_why"] = pd.Series([why.get(name, "none") for name in table["set"]], dtype="str")
    return stated(
        with_range(with_gate(table, cards, who)),
        verdict_terms(verdicts),
        cards=backing(cards),
        by=("set", "grader"),
        asides=(Aside("not_shared", "traces without a verdict of some grader", ("set",)),),
    )


def with_range(table: pd.DataFrame, by: str = "set") -> pd.DataFrame:
    """Return `table` with the range over its graders, for each tier and denominator of a set of traces.

    Args:
        table: `by`, tier, denominator, grader, asr, asr_low, asr_high; one row per grader.
        by: the column that names the traces.

    Returns:
        The columns of `table`, then graders (int), lowest, highest (the range of the rates), envelope_low,
        envelope_high (the lowest and the highest bound of their intervals) (in [0, 1]; a grader without rows
        has no rate, but widens the envelope to [0, 1]).
    """
    groups = table.groupby([by, "tier", "denominator"], sort=False)
    return table.assign(
        graders=groups["grader"].transform("nunique"),
        lowest=groups["asr"].transform("min"),
        highest=groups["asr"].transform("max"),
        envelope_low=groups["asr_low"].transform("min"),
        envelope_high=groups["asr_high"].transform("max"),
    )


def _why(rows: pd.DataFrame) -> str:
    """Say which grader gave how many of the traces no verdict, and why."""
    without = rows[rows["verdict"].isna()].groupby(["grader", "status"], as_index=False).size()
    told = [f"{grader}: {status} {n}" for grader, status, n in without.itertuples(index=False)]
    rest = rows.groupby("trace_id")["verdict"].apply(lambda v: v.notna().all()).sum()
    told += [f"not graded by all {rest}"] if rest else []
    return ", ".join(told)
