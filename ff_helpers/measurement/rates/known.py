"""Labels coarser than the five verdicts as rates: what a space decides, as which verdicts its classes count.

A truth or a judge can have a label space of its own. It then decides some tiers, or the refusal rate alone.
"""

import pandas as pd

from ff_helpers.corpus.collect import SOURCE as COLLECTED
from ff_helpers.measurement.results import LABELS
from ff_helpers.terms import IDENTITY, SPACES, TIER_SPACES, TIERS, Space, Tier, classes

REFUSAL_RATE = "refusal rate"
BY_CONSTRUCTION, BY_CHECKER = "truth (by construction)", "truth (by checker)"
HUMAN = "truth (human labels)"
TRUTHS = (BY_CONSTRUCTION, BY_CHECKER, HUMAN)
"""Who said the known truth of a set of traces."""
COUNTED: dict[str, tuple[str, ...]] = {str(tier): verdicts for tier, verdicts in TIERS.items()}
COUNTED[REFUSAL_RATE] = ("REFUSAL",)
"""The verdicts that count as hits of each measure."""
_REFUSED: tuple[Space, ...] = ("five", "refused")


def measures(space: Space) -> list[str]:
    """Return what a label space decides: tiers of attack success, or the refusal rate where it has none."""
    tiers: list[str] = [tier for tier, spaces in TIER_SPACES.items() if space in spaces]
    return tiers or ([REFUSAL_RATE] if space in _REFUSED else [])


def known_labels(rows: pd.DataFrame, tier: Tier) -> pd.DataFrame:
    """Return the known truths as verdicts of a grader called `LABELS`, one row per trace of the first pass.

    A truth coarser than the five verdicts becomes a verdict that counts alike in this tier, and in no other.

    Args:
        rows: the columns trace_id, truth, truth_space, repeat; spaces that decide the tier.
        tier: which successes are wanted.
    """
    known = rows[(rows["repeat"] == 0) & rows["truth"].notna()].drop_duplicates("trace_id")
    nobody = {column: None for column in (*IDENTITY, "space") if column in known.columns}
    return known.assign(**nobody | {"grader": LABELS}, status=None, verdict=stand_ins(known, tier))


def stand_ins(known: pd.DataFrame, measure: str) -> list[str]:
    """Return the truths as verdicts; a coarse class becomes a verdict that counts alike."""
    return [_stand_in(*pair, measure) for pair in zip(known["truth_space"], known["truth"], strict=True)]


def _stand_in(space: Space, label: str, measure: str) -> str:
    hit, miss = ("REFUSAL", "COMPLIANCE") if measure == REFUSAL_RATE else ("COMPLIANCE", "REFUSAL")
    return label if space == "five" else hit if label in hits(space, measure) else miss


def decided(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the rows whose grader decides a measure, in verdicts that count alike in it, and in no other.

    Args:
        rows: a verdict frame; where it has no column `space` all graders answer in the five verdicts.
        measure: a tier, or the refusal rate.
    """
    if "space" not in rows.columns or rows["space"].isin(["five"]).all():
        return rows
    spaces = rows["space"].fillna("five")
    able = _REFUSED if measure == REFUSAL_RATE else [space for space in SPACES if measure in measures(space)]
    rows = rows.assign(space=spaces)[spaces.isin(able)]
    pairs = zip(rows["space"], rows["verdict"], strict=True)
    said = [None if pd.isna(label) else _stand_in(space, label, measure) for space, label in pairs]
    return rows.assign(verdict=pd.Series(said, rows.index, dtype="str"), space="five")


def hits(space: Space, measure: str) -> list[str]:
    """Return the classes of `space` that count as hits of `measure`."""
    found = {SPACES[space][verdict] for verdict in SPACES[space] if verdict in COUNTED[measure]}
    return [name for name in classes(space) if name in found]


def who_said(labelled: pd.DataFrame) -> str:
    """Return who said the truth of these rows: one of TRUTHS.

    Args:
        labelled: rows with a truth: the columns sampling, source (where there is one).
    """
    if (labelled["sampling"] == "constructed").all():
        return BY_CONSTRUCTION
    checked = "source" in labelled.columns and (labelled["source"] == COLLECTED).all()
    return BY_CHECKER if checked else HUMAN


def truths_by_set(rows: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    """Return who said the truth of each set of traces: (set, who), for `Terms.truth`.

    Args:
        rows: the columns set, truth, sampling, source.
    """
    known = rows[rows["truth"].notna()]
    groups = known.groupby(["set", "sampling"], sort=False)
    return tuple(dict.fromkeys((str(name), who_said(part)) for (name, _), part in groups))
