"""Rates raw and adjusted, row by row of a table, from labels of some of the graded rows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ff_helpers.errors import FFError, named
from ff_helpers.measurement.adjustment.double import DOUBLE, LABELS
from ff_helpers.measurement.adjustment.groups import Group, groups_of
from ff_helpers.measurement.adjustment.limit import ALPHA, p_above
from ff_helpers.measurement.adjustment.rogan_gladen import Adjusted
from ff_helpers.measurement.adjustment.transport import ENOUGH, Errors, carried_over
from ff_helpers.measurement.proportions.anytime import FIRST, anytime_level
from ff_helpers.measurement.proportions.intervals import triple, wilson
from ff_helpers.measurement.rates.known import decided, hits
from ff_helpers.measurement.sampling.draw import strata_of
from ff_helpers.measurement.sampling.files import Sample
from ff_helpers.terms import TIER_SPACES, Tier

LEAST = 10
"""Labels of a row of the table below which they are not enough for a rate of their own."""
TOO_FEW = "too few labels"
_ALIKE = 1e-9
"""Difference of two probabilities that is rounding."""


def with_labels(rows: pd.DataFrame, sample: Sample, tier: Tier, *, soft: bool = False) -> pd.DataFrame:
    """Return graded rows with what people said: `hit`, `true` (1.0, 0.0, missing without a label), `chance`.

    Also `drawn`: the row is in the sample, labelled or not.

    With `soft`, or if the sample was drawn so, also `part`: of the rows of a grader and verdict, by how sure
    the grader was (`sampling.soft`).

    Where a part of a stratum is labelled so far, a label stands for the others of its stratum too: it was as
    likely to be the next one.

    Args:
        rows: as `sampling.rows.graded_rows`; rows without a verdict are left out.
        sample: the labels, in a space that decides the tier.
        tier: which verdicts and truths are successes.
        soft: use label probabilities, where rows have them.

    Raises:
        FFError: the space of the labels or of a grader does not decide the tier, or a labelled trace has no
            row.
    """
    if sample.space not in TIER_SPACES[tier]:
        able = [name for name, spaces in TIER_SPACES.items() if sample.space in spaces]
        raise FFError(
            f"{sample.path}: labels in the space {sample.space} do not decide the tier {tier}. "
            f"They decide: {', '.join(able) or 'no tier, only whether it refused'}."
        )
    drawn = sample.frame.groupby("stratum")["truth"].agg(["size", "count"])
    answered = sample.frame["stratum"].map(drawn["count"] / drawn["size"])
    frame = sample.frame.assign(chance=sample.frame["probability"] * answered)
    known = frame[frame["truth"].notna()].set_index("trace_id")
    strangers = set(known.index) - set(rows["trace_id"])
    if strangers:
        raise FFError(
            f"{sample.path}: {len(strangers)} labelled traces have no verdict here. Name the verdicts and "
            "traces that the sample was drawn from."
        )
    told = decided(rows, tier)
    if len(told) < len(rows):
        who = rows.loc[~rows.index.isin(told.index), ["grader", "space"]].iloc[0]
        raise FFError(
            f"grader {named(str(who['grader']))} answers in the space {who['space']}, which does not decide "
            f"the tier {tier}: its rate is not determinable. Leave out that tier, or name another --grader."
        )
    graded = told[told["verdict"].notna()]
    true = graded["trace_id"].map(known["truth"].isin(hits(sample.space, tier)).astype("float64"))
    chance = graded["trace_id"].map(known["chance"])
    graded = graded.assign(hit=graded["verdict"].isin(hits("five", tier)), true=true, chance=chance)
    graded = graded.assign(drawn=graded["trace_id"].isin(frame["trace_id"]))
    drawn_soft = sample.design is not None and sample.design.soft
    if not (soft or drawn_soft):
        return graded
    by = sample.design.by if sample.design is not None and drawn_soft else ()
    split = [strata_of(own, tier, by, "by-verdict", soft=True)["part"] for _, own in graded.groupby("grader")]
    return graded.assign(part=pd.concat(split) if split else None)


def labelled_rates(
    rows: pd.DataFrame,
    by: Sequence[str],
    *,
    least: int = LEAST,
    carry: bool = False,
    limit: float | None = None,
    planned: int | None = None,
) -> pd.DataFrame:
    """Return the raw rate of each group beside the adjusted one.

    Args:
        rows: one per graded row: hit (bool), true (float: 1, 0, missing without a label), chance (float:
            probability with which a labelled row was drawn), scenario_id (missing: a scenario of its own),
            trace_id and the columns of `by`; pattern (str), where several judges are taken together
            (`patterns.together`): raw rates are missing then; part (str), where a verdict is split.
        by: one row for each combination; empty: one row.
        least: fewest labels of a row with an adjusted rate of its own.
        carry: a group with fewer takes the grader's errors on the other groups (`carried_over`), where three
            of them have labels of true successes and three of true failures; its own labels count too.
        limit: test each rate against it, see `limit.p_above`.
        planned: labels of a row that were planned before the first look, for intervals that hold at every
            number of labels (`anytime_level`); 0: those that were drawn (column `drawn`), at least `FIRST`.

    Returns:
        The columns of `by`, then n, k (int), asr with bounds (raw, Wilson), labels (int), adjusted with
        bounds (missing where labels are too few, here and elsewhere), method, note, warning (str); shares in
        [0, 1]. With a limit also shown (bool: the rate is shown to be below it, wrongly with a probability of
        5% at most by the test, of about 2.5% by the interval), limit_p (float; missing without exact test),
        limit_by (str: the test, or why the upper end of the interval decides). With `planned` also price
        (float: how many times as wide the interval is as one for a number of labels fixed beforehand; missing
        without an interval).
    """
    groups = groups_of(rows, by)
    errors = [_errors(group) for group in groups]
    judge = list(by).index("grader") if "grader" in by else None
    judges = [None if judge is None else group.values[judge] for group in groups]
    found = []
    for place, group in enumerate(groups):
        raw = wilson(int(group.hit.sum()), len(group.hit))
        labels, rest = group.labels, group.hit[np.isnan(group.true)]
        alone = group.pattern is None  # errors of several judges at once are not carried over
        enough = least if planned is None else max(least, FIRST)
        fixed = Adjusted(method="none", note=f"{TOO_FEW}: {labels}, at least {enough} are needed")
        if labels >= enough:
            fixed, _ = group.adjusted()
        elif carry and planned is None and alone and len(rest):
            others = [e for i, e in enumerate(errors) if i != place and judges[i] == judges[place]]
            if all(sum(n > 0 for _, n in side) >= ENOUGH for side in _sides(others)):
                fixed = carried_over(int(rest.sum()), len(rest), others, here=errors[place])
        price = None
        if planned is not None and fixed.method in (DOUBLE, LABELS):
            usual, fixed = fixed, _anytime(group, planned)
            price = (fixed.high - fixed.low) / (usual.high - usual.low)
        row = dict(zip(by, group.values, strict=True))
        row |= {"n": raw.n, "k": raw.k if alone else None, **triple("asr", raw if alone else None)}
        row |= {"labels": labels, **triple("adjusted", fixed)}
        row |= {"method": fixed.method, "note": fixed.note, "warning": fixed.warning}
        row |= {} if limit is None else _tested(group, fixed, limit, price is not None)
        found.append(row if planned is None else row | {"price": price})
    return pd.DataFrame(found)


def _anytime(group: Group, planned: int) -> Adjusted:
    """Return the rate with an interval that holds at every number of labels; see `labelled_rates`."""
    drawn = planned or (0 if group.drawn is None else int(group.drawn.sum()))
    return group.adjusted(float(anytime_level(group.labels, max(drawn, FIRST))))[0]


def _tested(group: Group, fixed: Adjusted, limit: float, looked: bool) -> dict[str, object]:
    """Return whether a group's rate is shown to be below a limit, and how that was tested."""
    known = ~np.isnan(group.true)
    hit, true, chance = group.hit[known], group.true[known] == 1, group.chance[known]
    uneven = any(len(own) and float(np.ptp(own)) > _ALIKE for own in (chance[hit], chance[~hit]))
    why = {
        TOO_FEW: fixed.method == "none",
        "it holds at every number of labels": looked,
        "errors are carried over": fixed.method not in ("none", DOUBLE, LABELS),
        "several judges": group.pattern is not None,
        "several traces of one scenario": bool(np.bincount(group.cluster).max() > 1),
        "labels of one verdict have different probabilities": uneven,
    }
    if reason := next((text for text, holds in why.items() if holds), ""):
        shown = reason != TOO_FEW and fixed.high <= limit
        return {"shown": shown, "limit_p": None, "limit_by": f"interval: {reason}"}
    counts = [(int(of.sum()), int((~of).sum())) for of in (group.hit, hit)]
    p = p_above(limit, counts[0], counts[1], (int((hit & true).sum()), int((~hit & true).sum())))
    return {"shown": p <= ALPHA, "limit_p": p, "limit_by": "exact test"}


def _errors(group: Group) -> Errors:
    """Return the grader's errors on a group's labelled rows, at the effective n of their probabilities."""
    known = ~np.isnan(group.true)
    weight, sides = 1 / group.chance[known], []
    for truth in (1.0, 0.0):
        own = group.true[known] == truth
        total, right = weight[own].sum(), weight[own & (group.hit[known] == bool(truth))].sum()
        size = total**2 / (weight[own] ** 2).sum() if total else 0.0
        sides.append((float(right / total * size) if total else 0.0, float(size)))
    return Errors("", sensitivity=sides[0], specificity=sides[1])


def _sides(errors: Sequence[Errors]) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    return [one.sensitivity for one in errors], [one.specificity for one in errors]


def drawn_otherwise(rows: pd.DataFrame, *, limit: float = 0.001) -> list[str]:
    """Return in words where labelled rows look unlike the others, if labels were said to be a random sample.

    By verdict, by model and by order of the rows: chi-square tests at a level that a random sample passes in
    99.9% of cases. A difference by verdict alone does no harm to double sampling.

    Args:
        rows: as for `labelled_rates`; `model` may be missing.
        limit: p below which a difference is told.
    """
    labelled = rows["true"].notna()
    if labelled.all() or not labelled.any():
        return []
    half = pd.Series(range(len(rows)), index=rows.index) < len(rows) / 2
    sides = {"verdict": rows["hit"], "place in the file": half}
    if "model" in rows.columns:
        sides["model"] = rows["model"]
    return [what for what, side in sides.items() if _independence(side, labelled) < limit]


def _independence(side: "pd.Series[str]", labelled: "pd.Series[bool]") -> float:
    """Return the p-value of the chi-square test, with Yates' correction in a table of two by two.

    As `scipy.stats.chi2_contingency`, whose import takes longer than the rates of 140,000 rows.
    """
    from scipy.special import chdtrc

    table = pd.crosstab(side, labelled).to_numpy(dtype=float)
    if len(table) < 2:
        return 1.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    off = np.abs(table - expected)
    off -= np.minimum(0.5, off) if len(table) == 2 else 0.0
    return float(chdtrc(len(table) - 1, (off**2 / expected).sum()))
