"""Draw the traces to label: at random, or more of the rarer verdicts; a second draw adds to the first.

Within a stratum rows come in the order of a seeded hash of their ids, and the first ones are taken. So a
larger draw with the same seed contains the smaller one, and the probability of a row is always the rows drawn
over the rows of its stratum.
"""

import hashlib
from collections.abc import Sequence

import pandas as pd

from ff_helpers.errors import FFError
from ff_helpers.measurement.rates.known import decided, hits
from ff_helpers.measurement.sampling.files import COLUMNS, Design, DesignName, Sample, Stratum
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
    before: Sample | None = None,
) -> tuple[pd.DataFrame, Design]:
    """Return the sample file's rows, and how they were drawn.

    `random`: in each combination of `by` in proportion. `by-verdict`: in each of these, half of the labels
    from hits of the tier and half from the others, as far as there are so many: at low rates the few hits are
    where a label says most. Every stratum gets at least one.

    Args:
        rows: graded rows of one grader: trace_id, verdict, the columns of `by`; rows without a verdict are
            left out.
        n: labels in all, those of an earlier draw included.
        design, tier, space, by, seed: see `Design`.
        before: the sample to add to; its labels are kept.

    Raises:
        FFError: more labels than rows, fewer than strata or than were drawn before, or the earlier sample is
            of other rows or another design.
    """
    told = rows[rows["verdict"].notna()]
    graded = decided(told, tier) if design == "by-verdict" else told
    if len(graded) < len(told):
        raise FFError(
            f"--design by-verdict: the grader's label space does not decide the tier {tier}, so its verdicts "
            "are "
            "neither hits nor others. Name another --tier, or draw at random."
        )
    hit = graded["verdict"].isin(hits("five", tier))
    group = _joined(graded, by)
    stratum = group + hit.map({True: " / hit", False: " / other"}) if design == "by-verdict" else group
    frame = pd.DataFrame({"trace_id": graded["trace_id"], "group": group, "stratum": stratum})
    listed = "\n".join(sorted(frame["trace_id"] + "\t" + frame["stratum"]))
    rows_sha256 = hashlib.sha256(listed.encode("utf-8", "surrogatepass")).hexdigest()
    same: dict[str, object] = {
        "design": design,
        "seed": seed,
        "tier": tier,
        "space": space,
        "rows_sha256": rows_sha256,
    }
    had = _had(before, same)
    sizes = frame.groupby("stratum").size()
    taken = _allocated(frame, n, had)
    place = frame["trace_id"].map(lambda i: hashlib.sha256(f"{seed}:{i}".encode()).hexdigest())
    frame = frame.assign(place=place).sort_values("place", kind="stable")
    drawn = frame[frame.groupby("stratum").cumcount() < frame["stratum"].map(taken)]
    drawn = drawn.assign(probability=drawn["stratum"].map(taken) / drawn["stratum"].map(sizes))
    # Only what was filled in by hand: what people decided stays in their own files, and may be undone there.
    known = {} if before is None else before.cells
    drawn = drawn.assign(truth=drawn["trace_id"].map(known).astype("object"))
    strata = tuple(Stratum(stratum=s, rows=int(sizes[s]), drawn=taken[s]) for s in sorted(taken))
    made = Design.model_validate(same | {"by": tuple(by), "strata": strata})
    return drawn[list(COLUMNS)].reset_index(drop=True), made


def _joined(rows: pd.DataFrame, by: Sequence[str]) -> "pd.Series[str]":
    if not by:
        return pd.Series(EVERY, index=rows.index, dtype="str")
    parts = [rows[column].fillna("not recorded").astype("str") for column in by]
    return pd.Series([" / ".join(cells) for cells in zip(*parts, strict=True)], index=rows.index, dtype="str")


def _had(before: Sample | None, same: dict[str, object]) -> dict[str, int]:
    """Return how many were drawn of each stratum; raise where the earlier sample cannot be added to."""
    if before is None:
        return {}
    if before.design is None:
        raise FFError(
            f"{before.path}: no design stands beside it, so nothing can be added. Name another file."
        )
    changed = [name for name, value in same.items() if getattr(before.design, name) != value]
    if changed:
        what = "the rows that can be drawn" if changed == ["rows_sha256"] else ", ".join(changed)
        raise FFError(
            f"{before.path}: it was drawn otherwise ({what} differ), so probabilities would not fit "
            "together. Use the same options and verdicts, or name another file."
        )
    return {one.stratum: one.drawn for one in before.design.strata}


def _allocated(frame: pd.DataFrame, n: int, had: dict[str, int]) -> dict[str, int]:
    """Return how many rows to take of each stratum: in each group in proportion, its strata alike."""
    sizes = {str(name): len(part) for name, part in frame.groupby("stratum")}
    drawn = sum(had.values())
    if not max(len(sizes), drawn) <= n <= len(frame):
        before = f", {drawn} drawn before" if had else ""
        raise FFError(
            f"--n {n}: between {max(len(sizes), drawn)} and {len(frame)} labels can be drawn here "
            f"({len(frame)} graded rows in {len(sizes)} strata{before})."
        )
    wanted: dict[str, float] = {}
    for _, group in frame.groupby("group"):
        strata = list(dict.fromkeys(group["stratum"]))
        wanted |= dict.fromkeys(strata, n * len(group) / len(frame) / len(strata))
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
