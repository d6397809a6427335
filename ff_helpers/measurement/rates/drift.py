"""Drift: does a grader still give the verdicts it gave at first, on the same corpus?

The first 100 traces of a corpus that a grader graded are its baseline; each later window of 100 is compared
with them, class by class. The baseline is never the calibration set: that one is stratified, and its mix is
not that of any corpus. A share that moves may move because the traces did, so their mix is compared too.
"""

from collections.abc import Iterator

import pandas as pd

from ff_helpers.columns import declared
from ff_helpers.errors import FFError
from ff_helpers.grading.identities import identities, shown_names
from ff_helpers.measurement.calibration.confusion import NO_VERDICT
from ff_helpers.measurement.calibration.robustness import natural_first
from ff_helpers.measurement.proportions.intervals import independent_difference
from ff_helpers.measurement.results import stated, verdict_terms
from ff_helpers.terms import IDENTITY, LABELS

_MIX = ("intent", "turns", "model")


def drift(
    verdicts: pd.DataFrame, *, baseline: int = 100, limit: float = 0.15, before: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return how the share of each verdict moved since a grader's first traces of the same corpus.

    Args:
        verdicts: the joined verdict frame (`ff.verdicts`); the first pass counts, in the order of `started`
            (where times are equal or missing, in row order). Responses that attack the grader are left
            out.
        baseline: how many traces make the baseline, and a window; the last window may be half as long.
        limit: a share in [0, 1]; a class that moved by more is flagged.
        before: the verdict frame of an earlier run; its first traces of the same set by the same grader
            identity are the baseline then, and every trace of `verdicts` is in a window.

    Returns:
        One row per set, grader, window and class that occurs: set, grader, rubric (str), first, last (Int64:
        the window's traces in order, from 1), verdict (str: of its label space, or `no verdict`, since
        a grader that starts to fail drifts too), baseline_k, baseline_n, k, n (Int64), baseline, share (float
        in [0, 1]), shift (share minus baseline) with shift_low, shift_high (Newcombe's interval, in [-1, 1]),
        mix_shift (float in [0, 1]: the largest total variation distance of intent, turns or model; so much
        a share can move at most if that column's mix alone moved), flagged (bool), reading (str). What
        cannot be compared has one row, not flagged, whose reading begins with `not assessed`.

    Raises:
        FFError: a baseline under 2, or a limit outside [0, 1].
    """
    if baseline < 2 or not 0 <= limit <= 1:
        raise FFError(
            f"drift(): baseline = {baseline}, limit = {limit}. Allowed: a baseline of 2 traces or more (100 "
            "is the rule) and a limit from 0 to 1 (0.15 is the rule)."
        )
    rows: list[dict[str, object]] = []
    names = shown_names(identities(verdicts))
    for _, group in _in_order(verdicts).groupby([*IDENTITY, "set"], dropna=False, sort=False):
        who = group[[*IDENTITY, "set"]].iloc[0]
        about = {"set": who["set"], "grader": names[identities(group)[0]], "rubric": who["rubric"]}
        earlier = None if before is None else _in_order(before)
        base, why = _baseline(group, who, baseline, earlier)
        if base is None:
            rows.append(about | {"flagged": False, "reading": f"not assessed: {why}"})
            continue
        start = baseline if before is None else 0
        for first in range(start, len(group) - baseline // 2 + 1, baseline):
            place = {"first": first + 1, "last": min(first + baseline, len(group))}
            window = group.iloc[first : first + baseline]
            rows += [about | place | row for row in _compared(base, window, limit)]
    return stated(
        declared("drift", rows),
        verdict_terms(verdicts),
        denominators=("traces of a window, statuses included",),
        n=("baseline_n", "n"),
        left_out=(),
    )


def _in_order(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return the first pass in the order in which it was graded, with the outcome of each row."""
    rows = natural_first(verdicts).sort_values("started", kind="stable")
    return rows.assign(outcome=rows["verdict"].fillna(NO_VERDICT))


def _baseline(
    group: pd.DataFrame, who: "pd.Series[str]", size: int, before: pd.DataFrame | None
) -> tuple[pd.DataFrame | None, str]:
    """Return the rows to compare with, or why they are missing."""
    if (group["sampling"] == "constructed").all():
        return None, "a constructed calibration set, whose mix of verdicts is not that of any corpus"
    wanted = size // 2 if before is not None else size + size // 2
    if len(group) < wanted:
        return None, f"{len(group)} traces, and {wanted} are needed"
    return (group.iloc[:size], "") if before is None else _earlier(before, who, size)


def _earlier(before: pd.DataFrame, who: "pd.Series[str]", size: int) -> tuple[pd.DataFrame | None, str]:
    """Return the first rows of this corpus and grader in an earlier run, or why they are not a baseline."""
    kept = before[before["set"] == who["set"]]
    if kept.empty:
        return None, f"the earlier run has no set {who['set']}, and another corpus cannot be the baseline"
    for column in IDENTITY:
        same = kept[column].isna() if pd.isna(who[column]) else kept[column] == who[column]
        if not same.any():
            what = column.removeprefix("grader_")
            return None, f"the earlier run has another {what}, and another grader cannot be the baseline"
        kept = kept[same]
    if len(kept) < size:
        return None, f"the earlier run has {len(kept)} traces of it, and {size} are needed"
    return kept.iloc[:size], ""


def _compared(base: pd.DataFrame, window: pd.DataFrame, limit: float) -> Iterator[dict[str, object]]:
    """Yield one row per class that occurs in either."""
    mix = max(_distance(base[column], window[column]) for column in _MIX)
    for verdict in (*LABELS, NO_VERDICT):
        before, now = int((base["outcome"] == verdict).sum()), int((window["outcome"] == verdict).sum())
        if not before and not now:
            continue
        shift, low, high = independent_difference(now, len(window), before, len(base))
        # Counts decide: 15 of 100 are not more than 15 points, however a fraction is rounded.
        flagged = abs(shift) > limit + 1e-9
        yield (
            {"verdict": verdict, "baseline_k": before, "baseline_n": len(base), "k": now, "n": len(window)}
            | {"baseline": before / len(base), "share": now / len(window)}
            | {"shift": shift, "shift_low": low, "shift_high": high, "mix_shift": mix}
            | {"flagged": flagged, "reading": _reading(flagged, abs(shift), mix, limit)}
        )


def _reading(flagged: bool, shift: float, mix: float, limit: float) -> str:
    if not flagged:
        return f"within {100 * limit:g} points"
    if mix >= shift - 1e-9:
        return "drift, of the grader or of the corpus: the mix of traces moved as much"
    return "drift: the mix of traces moved less"


def _distance(one: "pd.Series[str]", other: "pd.Series[str]") -> float:
    """Return the total variation distance of two mixes: half the sum of the differences of shares."""
    p, q = (c.value_counts(normalize=True, dropna=False) for c in (one, other))
    return float(p.sub(q, fill_value=0).abs().sum() / 2)
