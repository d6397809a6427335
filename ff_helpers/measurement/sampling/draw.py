"""Draw the traces to label: at random, or more of the rarer verdicts; a second draw adds to the first.

Within a stratum rows come in the order of a seeded hash of their ids, and the first ones are taken. So a
larger draw with the same seed contains the smaller one, and the probability of a row is always the rows drawn
over the rows of its stratum. The order is that of all rows: a random sample is, within each verdict, a random
sample too, and a draw by verdict can add to it.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ff_helpers.errors import FFError
from ff_helpers.measurement.rates.known import decided, hits
from ff_helpers.measurement.sampling.files import COLUMNS, Design, DesignName, Sample, Stratum, Within
from ff_helpers.measurement.sampling.plan import BEST, Outlook, from_hits
from ff_helpers.measurement.sampling.soft import UNKNOWN, shared_out, success_probability, thirds
from ff_helpers.terms import Space, Tier

EVERY = "all rows"


def draw(
    rows: pd.DataFrame,
    n: int,
    *,
    design: DesignName = "random",
    tier: Tier = "strict",
    space: Space = "strict",
    by: Sequence[str] = (),
    seed: int = 0,
    expected: Within | None = None,
    by_scenario: bool = False,
    soft: bool = False,
    before: Sample | None = None,
) -> tuple[pd.DataFrame, Design]:
    """Return the sample file's rows, and how they were drawn.

    `random`: in each combination of `by` in proportion. `by-verdict`: in each of these, half of the labels
    from hits of the tier and half from the others, as far as there are so many: at low rates the few hits are
    where a label says most. `best`: in each of these, the split with the least expected variance
    (`plan.from_hits`; Neyman's allocation where there are many labels). Every stratum gets at least one.

    Args:
        rows: graded rows of one grader: trace_id, verdict, the columns of `by`; rows without a verdict are
            left out.
        n: labels in all, those of an earlier draw included; scenarios where these are drawn.
        design, tier, space, by, seed: see `Design`.
        expected: what `best` splits by; a bad guess makes the interval wider, never wrong.
        by_scenario: draw scenarios: all graded traces of one (by verdict: those with the same kind of
            verdict) count as one draw and are labelled together; a trace without scenario is one of its own.
        soft: within each verdict, draw more of the rows that the grader was less sure of.
        before: the sample to add to; its labels are kept.

    Raises:
        FFError: more labels than rows, fewer than strata or than were drawn before, `best` without
            `expected`, `soft` at random or without label probabilities, or the earlier sample is of other
            rows or of a design that cannot be added to.
    """
    if design == "best" and expected is None:
        raise FFError(
            "--design best: what do you expect? Give --rate, --se and --sp, or label some rows first."
        )
    if soft and design == "random":
        raise FFError("--soft splits verdicts, and a random draw has none. Add --design by-verdict or best.")
    told = rows[rows["verdict"].notna()]
    graded = told if design == "random" else decided(told, tier)
    if len(graded) < len(told):
        raise FFError(
            f"--design {design}: the grader's label space does not decide the tier {tier}, so its verdicts "
            "are neither hits nor others. Name another --tier, or draw at random."
        )
    frame = strata_of(graded, tier, by, design, by_scenario=by_scenario, soft=soft)
    if soft and bool((frame["part"] == UNKNOWN).all()):
        raise FFError("--soft: no row has label probabilities, so nothing tells rows apart. Leave it out.")
    same: dict[str, object] = {
        "design": design,
        "seed": seed,
        "tier": tier,
        "space": space,
        "by_scenario": by_scenario,
        "soft": soft,
        "rows_sha256": _hash(frame),
    }
    if before is not None:
        _check_before(before, same, graded, by)
    earlier = [] if before is None else list(before.frame["trace_id"])
    once = ["stratum", "unit"]
    had = Counter(frame[frame["trace_id"].isin(earlier)].drop_duplicates(once)["stratum"])
    units = frame.drop_duplicates(once)
    sizes = units.groupby("stratum").size()
    what = "scenarios" if by_scenario else "labels"
    taken = allocated(units, n, had, expected if design == "best" else None, what)
    units = units.assign(place=places(units["unit"], seed)).sort_values("place", kind="stable")
    units = units[units.groupby("stratum").cumcount() < units["stratum"].map(taken)]
    drawn = units[once].merge(frame, on=once, how="left")
    drawn = drawn.assign(probability=drawn["stratum"].map(taken) / drawn["stratum"].map(sizes))
    # Only what was filled in by hand: what people decided stays in their own files, and may be undone there.
    known = {} if before is None else before.cells
    drawn = drawn.assign(truth=drawn["trace_id"].map(known).astype("object"))
    rows_of, rows_drawn = Counter(frame["stratum"]), Counter(drawn["stratum"])
    strata = tuple(
        Stratum(
            stratum=s,
            rows=rows_of[s],
            drawn=rows_drawn[s],
            scenarios=int(sizes[s]) if by_scenario else 0,
            scenarios_drawn=taken[s] if by_scenario else 0,
        )
        for s in sorted(taken)
    )
    more = {"by": tuple(by), "strata": strata, "expected": expected if design == "best" else None}
    return drawn[list(COLUMNS)].reset_index(drop=True), Design.model_validate(same | more)


def strata_of(
    graded: pd.DataFrame,
    tier: Tier,
    by: Sequence[str],
    design: DesignName,
    *,
    by_scenario: bool = False,
    soft: bool = False,
) -> pd.DataFrame:
    """Return trace_id, unit (what is drawn), group (of `by`), side (group and verdict), part, stratum, hit.

    For the arguments see `draw`. Without `soft` each side is one part, of rows that are drawn alike.
    """
    hit = graded["verdict"].isin(hits("five", tier))
    group = _joined(graded, by)
    side = group if design == "random" else group + hit.map({True: " / hit", False: " / other"})
    part = pd.Series(UNKNOWN, index=graded.index, dtype="str")
    stratum = side
    if soft:
        part = thirds(success_probability(graded, tier), side, hit)
        stratum = side + " / " + part
    unit = graded["trace_id"]
    if by_scenario:
        unit = graded["scenario_id"].astype("str").fillna("trace " + unit)
    columns = {"trace_id": graded["trace_id"], "unit": unit, "group": group, "side": side, "part": part}
    return pd.DataFrame(columns | {"stratum": stratum, "hit": hit})


def places(units: "pd.Series[str]", seed: int) -> "pd.Series[str]":
    """Return what traces or scenarios are sorted by before the first ones of each stratum are taken."""
    return units.map(lambda i: hashlib.sha256(f"{seed}:{i}".encode()).hexdigest())


def _hash(frame: pd.DataFrame) -> str:
    listed = "\n".join(sorted(frame["trace_id"] + "\t" + frame["stratum"]))
    return hashlib.sha256(listed.encode("utf-8", "surrogatepass")).hexdigest()


def _joined(rows: pd.DataFrame, by: Sequence[str]) -> "pd.Series[str]":
    if not by:
        return pd.Series(EVERY, index=rows.index, dtype="str")
    parts = [rows[column].fillna("not recorded").astype("str") for column in by]
    return pd.Series([" / ".join(cells) for cells in zip(*parts, strict=True)], index=rows.index, dtype="str")


def _check_before(before: Sample, same: dict[str, object], graded: pd.DataFrame, by: Sequence[str]) -> None:
    """Raise where the earlier sample cannot be added to."""
    old = before.design
    if old is None:
        raise FFError(
            f"{before.path}: no design stands beside it, so nothing can be added. Name another file."
        )
    frame = strata_of(graded, old.tier, old.by, old.design, soft=old.soft)
    wanted = same | {"by": tuple(by), "rows_sha256": _hash(frame)}
    if same["design"] != "random":  # a draw by verdict adds to any other
        wanted["design"] = old.design
        wanted["soft"] = same["soft"] and old.soft  # parts of a verdict add to a verdict, not the reverse
    if old.design == "random":  # it was drawn without regard to a tier
        wanted["tier"] = old.tier
    changed = [name for name, value in wanted.items() if getattr(old, name) != value]
    if changed:
        what = "the rows that can be drawn" if changed == ["rows_sha256"] else ", ".join(changed)
        raise FFError(
            f"{before.path}: it was drawn otherwise ({what} differ), so probabilities would not fit "
            "together. Use the same options and verdicts, or name another file."
        )


def allocated(
    frame: pd.DataFrame, n: int, had: Mapping[str, int], expected: Within | None, what: str = "labels"
) -> dict[str, int]:
    """Return how many rows to take of each stratum: in each group in proportion, its strata alike or best.

    Args:
        frame: as `strata_of`, one row for each that can be drawn.
        n: in all.
        had: drawn before, of each stratum.
        expected: what the best split rests on; None: strata of a group alike.
        what: is drawn, in words.
    """
    sizes = {str(name): len(part) for name, part in frame.groupby("stratum")}
    least = sum(max(1, had.get(stratum, 0)) for stratum in sizes)
    if not least <= n <= len(frame):
        before = f", {sum(had.values())} drawn before" if had else ""
        raise FFError(
            f"--n {n}: between {least} and {len(frame)} {what} can be drawn here "
            f"({len(frame)} graded {'rows' if what == 'labels' else what} in {len(sizes)} strata{before})."
        )
    wanted: dict[str, float] = {}
    for _, group in frame.groupby("group"):
        share = n * len(group) / len(frame)
        sides = group.groupby("side")
        for _, rows in sides:
            here = share / len(sides)
            if expected is not None:
                inside = _from_hits(group["hit"], share, expected)
                here = inside if bool(rows["hit"].iloc[0]) else share - inside
            wanted |= shared_out(rows["part"], rows["stratum"], here)
    taken = {s: min(sizes[s], max(1, had.get(s, 0), int(wanted[s]))) for s in sizes}
    while (missing := n - sum(taken.values())) != 0:
        step = 1 if missing > 0 else -1
        free = [s for s in taken if (taken[s] < sizes[s] if step > 0 else taken[s] > max(1, had.get(s, 0)))]
        if not free:  # what was drawn before cannot be taken back
            break
        # The stratum that is furthest from its share of the labels.
        best = max(free, key=lambda s: (step * (wanted[s] - taken[s]), s))
        taken[best] += step
    return taken


def _from_hits(hit: "pd.Series[bool]", n: float, expected: Within) -> float:
    known = Outlook(float(hit.mean()), expected.in_hits, expected.in_others, len(hit))
    return float(np.clip(from_hits(known, n, BEST), 0.0, n))
