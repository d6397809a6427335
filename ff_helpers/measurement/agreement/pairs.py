"""Agreement between graders on the same traces, and with the known truth.

Percent agreement, Cohen's kappa and Gwet's AC1 for pairs; Fleiss' kappa and Krippendorff's alpha for all
graders of a set. Rows on which one of the two has no verdict are left out of their pair and counted.
Disagreeing traces go to a blind review queue. Which of two graders is right more often is McNemar's test
on the traces whose truth is known.
"""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import combinations

import pandas as pd

from ff_helpers.columns import declared
from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.agreement.panels import fleiss, gwet_ac1, krippendorff_alpha
from ff_helpers.measurement.calibration.calibrate import CALIBRATING
from ff_helpers.measurement.calibration.cards import Card, backing
from ff_helpers.measurement.calibration.confusion import Confusion, Kappa, cohen_kappa, confusion
from ff_helpers.measurement.calibration.robustness import natural_first
from ff_helpers.measurement.proportions.clusters import clustered
from ff_helpers.measurement.proportions.intervals import mcnemar, paired_difference
from ff_helpers.measurement.rates.counts import TwiceGradedError
from ff_helpers.measurement.rates.known import truths_by_set, who_said
from ff_helpers.measurement.results import Aside, named, stated, verdict_terms
from ff_helpers.measurement.spaces import into, space_of
from ff_helpers.terms import VERDICTS, Space, classes, shared_space

LIMIT = 0.15
"""Share of shared traces above which a pair is flagged (the published rule)."""
ALONE = "one of the two always says the same, and so agrees as often as chance does: κ is 0"
_THEY = ("the grader and the truth", "the two")


def agreement(
    verdicts: pd.DataFrame, *, limit: float = LIMIT, cards: Sequence[Card] | None = None
) -> pd.DataFrame:
    """Return the agreement of every pair of graders on each set, and of each grader with the truth.

    Args:
        verdicts: the joined verdict frame (`grading.campaign.verdicts`); repeat 0 is compared.
        limit: share in [0, 1] above which a pair is flagged.
        cards: what is measured of the graders; None: the cards of the run that publishes the table.

    Returns:
        One row per set and pair: set, space (the finest that both decide: `five`, or that of the truth or of
        a grader; `none` without one), grader_a, grader_b (str), n
        (both have a verdict), scenarios (of those n), left_out (one of them has none), k (they agree)
        (int), agreement, disagreement (in [0, 1]; by scenario where scenarios repeat), kappa (Cohen's), ac1
        (Gwet's) (float, in [-1, 1]), each with _low and _high; missing with the widest interval where n is
        0; note (str: what is special about the pair, or empty), flagged (bool).

    Raises:
        TwiceGradedError: a trace that is there twice in the first pass of one grader.
        FFError: not one of the five verdicts.
    """
    first = first_pass(verdicts)
    rows = [row for name, group in first.groupby("set", sort=False) for row in _pairs(str(name), group)]
    frame = declared("agreement", rows)
    frame = frame.assign(flagged=frame["disagreement"] > limit)
    by = ["set", "disagreement"]
    frame = frame.sort_values(by, ascending=[True, False], kind="stable", ignore_index=True)
    return stated(
        frame,
        verdict_terms(verdicts),
        denominators=("traces on which both have a verdict",),
        asides=(Aside("left_out", "rows on which one of the two has no verdict"),),
        cards=None if cards is None else backing(cards),
    )


def panel_agreement(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return the agreement of all graders of each set at once, in the five verdicts, which are nominal.

    Graders with another label space are left out: their labels are not among the five.

    Returns:
        One row per set with two graders or more: set (str), graders, traces (all), n (traces on which two or
        more have a verdict), left_out (the others), complete (all have one), scenarios (of those n) (int),
        alpha (Krippendorff's nominal one, over n; whole scenarios are resampled), fleiss (over the complete
        traces, as if they were independent) (float, each with _low and _high), note (str).

    Raises:
        TwiceGradedError: as `agreement`.
    """
    rows = []
    for name, group in _five(first_pass(verdicts)).groupby("set", sort=False):
        wide = group.pivot(index="trace_id", columns="grader", values="verdict")
        if wide.shape[1] < 2:
            continue
        scenario = _scenarios(group).loc[wide.index]
        rated, complete = wide.notna().sum(axis=1) > 1, wide.notna().all(axis=1)
        counts = [[(row == v).sum() for v in VERDICTS] for row in wide[complete].to_numpy(dtype=object)]
        alpha, kappa = krippendorff_alpha(wide, clusters=scenario), fleiss(counts)
        notes = {f"alpha: {alpha.note}" * bool(alpha.note), f"Fleiss: {kappa.note}" * bool(kappa.note)}
        many = (rated.sum(), (~rated).sum(), complete.sum(), scenario[rated].nunique())
        numbers = (alpha.value, alpha.low, alpha.high, kappa.value, kappa.low, kappa.high)
        note = "; ".join(sorted(notes - {""}))
        rows.append([str(name), wide.shape[1], len(wide), *map(int, many), *numbers, note])
    return stated(
        declared("panel_agreement", rows),
        verdict_terms(verdicts),
        graders=tuple(one for _, one in named(verdicts)),
        denominators=("traces on which two or more have a verdict; of Fleiss' kappa: on which all have one",),
        asides=(Aside("left_out", "traces with fewer than two verdicts"),),
    )


def compare_graders(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Compare two graders at a time with the truth of the same traces.

    Both are judged in the finest label space that the truth and both graders decide; without one there is no
    row. Only traces on which one of the two is right and the other wrong tell them apart. Equal accuracy is
    not agreement: two graders can be wrong on different traces.

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
    first, table = first_pass(verdicts), []
    for name, rows in first.groupby("set", sort=False):
        given = {str(g): r.set_index("trace_id")["verdict"] for g, r in rows.groupby("grader", sort=False)}
        own = _spaces(rows)
        for of, who, truth in truths(rows):
            for a, b in combinations(given, 2):
                space = _shared(own[a], own[b], of)
                if space is None:
                    continue
                three = pd.concat([given[a], given[b], truth], axis=1, keys=["a", "b", "truth"], join="inner")
                known = three.dropna()
                true = into(known["truth"], of, space)
                right_a = into(known["a"], own[a], space) == true
                right_b = into(known["b"], own[b], space) == true
                cells = [right_a & right_b, right_a & ~right_b, ~right_a & right_b, ~right_a & ~right_b]
                both, only_a, only_b, neither = (int(cell.sum()) for cell in cells)
                counts = (len(known), len(three) - len(known), both, only_a, only_b, neither)
                gap = paired_difference(both, only_a, only_b, neither)
                p = mcnemar(only_a, only_b)
                table.append([str(name), space, who, a, b, *counts, *gap, p])
    frame = declared("compare_graders", table)
    frame = frame.sort_values(["set", "p"], kind="stable", ignore_index=True)
    return stated(
        frame,
        verdict_terms(verdicts),
        truth=truths_by_set(first),
        denominators=("traces with a known truth and a verdict of both",),
        asides=(Aside("left_out", "rows without a verdict of one of the two"),),
    )


def kappa_paradox() -> pd.DataFrame:
    """Return two published tables with the same agreement and different kappas.

    Feinstein and Cicchetti 1990, Journal of Clinical Epidemiology 43:543-549: what differs is how common the
    two answers are.

    Returns:
        table (str), both_yes, only_a, only_b, both_no, n (int), agreement, kappa, ac1 (float, each with _low
        and _high).
    """
    rows = []
    for name, cells in (("even answers", (40, 9, 6, 45)), ("lopsided answers", (80, 10, 5, 5))):
        both, only_a, only_b, none = cells
        matrix = Confusion(("yes", "no"), ((both, only_a, 0), (only_b, none, 0)))
        kappa, ac1, rate = cohen_kappa(matrix), gwet_ac1(matrix), matrix.accuracy
        if kappa and ac1:
            numbers = (rate.estimate, rate.low, rate.high, kappa.value, kappa.low, kappa.high)
            rows.append([name, *cells, matrix.n, *numbers, ac1.value, ac1.low, ac1.high])
    table = declared("kappa_paradox", rows)
    return stated(table, graders=(), denominators=("pairs of answers",), left_out=())


def about_two(note: str) -> str:
    """Return the note of a kappa of a grader and the truth as one of two who label."""
    told = note.replace(*_THEY).replace("truth and grader both", "both")
    return ALONE if "as often as chance" in note else told


def first_pass(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return the first pass without the traces made to attack a grader, each trace once per grader.

    Two graders of one name are told apart in the column `grader`.

    Raises:
        TwiceGradedError: a trace graded twice, with the same verdict or not.
    """
    rows = natural_first(told_apart(verdicts)[0])
    twice = rows[rows.duplicated(["set", "grader", "trace_id"], keep=False)]
    if len(twice):
        trace, grader = min(zip(twice["trace_id"], twice["grader"], strict=True))
        same = twice[(twice["trace_id"] == trace) & (twice["grader"] == grader)]["verdict"]
        one, other = sorted(same.fillna("no verdict"))[:2]
        raise TwiceGradedError(trace, grader, 0, one, other)
    return rows


def review_queue(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return the traces on which two graders disagree, for blind grading by a person.

    The order is that of the hash of the trace id, which says nothing about the verdicts, and no
    verdict is shown. Labels given from this queue are `judgement`: they never calibrate.

    Returns:
        position (int, from 1), trace_id (str).
    """
    first = first_pass(verdicts)
    ids = _differing(first)
    ids.sort(key=lambda i: hashlib.sha256(i.encode()).digest())
    table = pd.DataFrame({"position": range(1, len(ids) + 1), "trace_id": pd.Series(ids, dtype="str")})
    return stated(
        table,
        graders=tuple(one for _, one in named(verdicts)),
        who=named(verdicts),
        denominators=("traces on which two graders disagree",),
        counts="one row per trace",
        left_out=(),
    )


def _pairs(name: str, rows: pd.DataFrame) -> Iterator[list[object]]:
    """Yield the pairs of one set: graders with each other in five labels, then each with the truth.

    A grader with a label space of its own is compared in the finest space that both decide.
    """
    wide = {str(g): r.set_index("trace_id")["verdict"] for g, r in rows.groupby("grader", sort=False)}
    scenarios = _scenarios(rows)
    own = _spaces(rows)
    for a, b in combinations(wide, 2):
        space = shared_space(own[a], own[b])
        if space is None:
            nothing = _compare(wide[a].iloc[:0], wide[b].iloc[:0], classes("five"), scenarios)
            note = f"{own[a]} and {own[b]}: no label space that both decide"
            yield [name, "none", a, b, *nothing[:-1], note]
            continue
        one, other = into(wide[a], own[a], space), into(wide[b], own[b], space)
        yield [name, space, a, b, *_compare(one, other, classes(space), scenarios)]
    for of, label, truth in truths(rows):
        for grader, verdict in wide.items():
            space = shared_space(own[grader], of)
            if space is not None:
                said = into(verdict[verdict.index.isin(truth.index)], own[grader], space)
                true = into(truth, of, space)
                yield [name, space, grader, label, *_compare(said, true, classes(space), scenarios)]


def _spaces(rows: pd.DataFrame) -> dict[str, Space]:
    """Return the label space of each grader's verdicts."""
    return {str(name): space_of(part) for name, part in rows.groupby("grader", sort=False)}


def _five(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["space"].fillna("five") == "five"] if "space" in rows.columns else rows


def _shared(one: Space, other: Space, truth: Space) -> Space | None:
    both = shared_space(one, other)
    return None if both is None else shared_space(both, truth)


def _differing(first: pd.DataFrame) -> list[str]:
    """Return the traces on which two graders say different things, in a label space that both decide."""
    own = _spaces(first)
    if set(own.values()) <= {"five"}:
        differing = first.groupby("trace_id")["verdict"].nunique()
        return [str(i) for i in differing.index[differing > 1]]
    wide = {str(g): r.set_index("trace_id")["verdict"] for g, r in first.groupby("grader", sort=False)}
    found: set[str] = set()
    for a, b in combinations(wide, 2):
        space = shared_space(own[a], own[b])
        if space is not None:
            said = [into(wide[g], own[g], space) for g in (a, b)]
            pair = pd.concat(said, axis=1, keys=["a", "b"], join="inner").dropna()
            found |= set(map(str, pair.index[pair["a"] != pair["b"]]))
    return sorted(found)


def truths(rows: pd.DataFrame) -> "Iterator[tuple[Space, str, pd.Series[str]]]":
    """Yield the known truth of one set's traces: its space, who said it, and the truth by trace."""
    # A truth picked because graders disagree would show their disagreement, not their error.
    known = rows[rows["truth"].notna() & rows["sampling"].isin(CALIBRATING)].drop_duplicates("trace_id")
    for _, labelled in known.groupby("truth_space", sort=False):
        yield labelled["truth_space"].iloc[0], who_said(labelled), labelled.set_index("trace_id")["truth"]


def _scenarios(rows: pd.DataFrame) -> "pd.Series[str]":
    """Return the scenario of each trace; a trace without one is its own scenario."""
    once = rows.drop_duplicates("trace_id").set_index("trace_id", drop=False)
    return once["scenario_id"].astype("str").fillna(once["trace_id"])


def _compare(
    a: "pd.Series[str]", b: "pd.Series[str]", labels: tuple[str, ...], scenarios: "pd.Series[str]"
) -> list[object]:
    """Return counts, rates and the note of one pair."""
    shared = pd.concat([a, b], axis=1, keys=["a", "b"], join="inner")
    both = shared.dropna()
    matrix = confusion(list(both["b"]), list(both["a"]), labels)
    groups = scenarios.loc[both.index]
    found = clustered(both["a"] == both["b"], groups)
    rate, low, high = found["rate"], found["low"], found["high"]
    # Not 1 - rate, whose rounding would flag a pair that lies on the limit.
    other = (matrix.n - matrix.k) / matrix.n if matrix.n else rate
    # Without rows there is nothing to correct: both coefficients are missing, and everything is possible.
    nothing = Kappa(float("nan"), -1.0, 1.0, "no trace has a verdict of both")
    kappa, ac1 = cohen_kappa(matrix) or nothing, gwet_ac1(matrix) or nothing
    notes = [about_two(kappa.note)]
    if groups.nunique() < matrix.n:
        notes.append("scenarios repeat: agreement by scenario, κ and AC1 as if traces were independent")
    return [
        *(matrix.n, groups.nunique(), len(shared) - matrix.n, matrix.k),
        *(rate, low, high, other, 1 - high, 1 - low),
        *(kappa.value, kappa.low, kappa.high, ac1.value, ac1.low, ac1.high),
        "; ".join(note for note in notes if note),
    ]
