"""Agreement between graders on the same traces, and with the known truth.

Percent agreement and Cohen's kappa for pairs, Fleiss' kappa for panels. Rows on which one of the two
has no verdict are left out of their pair and counted. Disagreeing traces go to a blind review queue.
"""

import hashlib
from collections.abc import Iterator
from itertools import combinations

import pandas as pd

from ff_helpers.corpus.conversation import SOURCE as COLLECTED
from ff_helpers.corpus.published import published
from ff_helpers.measurement.calibration import CALIBRATING
from ff_helpers.measurement.confusion import cohen_kappa, confusion
from ff_helpers.measurement.intervals import with_wilson
from ff_helpers.measurement.robustness import natural
from ff_helpers.taxonomy import SPACES, Space, classes

LIMIT = 0.15
"""Share of shared traces above which a pair is flagged (the published rule)."""
BY_CONSTRUCTION, BY_CHECKER = "truth (by construction)", "truth (by checker)"
HUMAN = "truth (human labels)"
_COLUMNS = ["set", "space", "grader_a", "grader_b", "n", "left_out", "k", "kappa", "kappa_low", "kappa_high"]


def agreement(verdicts: pd.DataFrame, *, limit: float = LIMIT) -> pd.DataFrame:
    """Return the agreement of every pair of graders on each set, and of each grader with the truth.

    Args:
        verdicts: the joined verdict frame (`grading.campaign.verdicts`); repeat 0 is compared.
        limit: share in [0, 1] above which a pair is flagged.

    Returns:
        One row a set and pair: set, space (`five`, or that of the truth), grader_a, grader_b (str), n
        (both have a verdict), left_out (one of them has none), k (they agree) (int), agreement,
        disagreement, kappa (float, each with _low and _high; kappa missing where it is not defined),
        flagged (bool).
    """
    verdicts = natural(verdicts)
    first = verdicts[verdicts["repeat"] == 0]
    rows = [row for name, group in first.groupby("set", sort=False) for row in _pairs(str(name), group)]
    frame = with_wilson(pd.DataFrame(rows, columns=_COLUMNS), "agreement")
    frame = with_wilson(frame.assign(_other=frame["n"] - frame["k"]), "disagreement", k="_other")
    frame = frame.drop(columns="_other").assign(flagged=frame["disagreement"] > limit)
    return frame.sort_values(
        ["set", "disagreement"], ascending=[True, False], kind="stable", ignore_index=True
    )


def review_queue(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return the traces on which two graders disagree, for blind grading by a person.

    The order is that of the hash of the trace id, so that it says nothing about the verdicts, and no
    verdict is shown. Labels given from this queue are `judgement`: they never calibrate.

    Returns:
        position (int, from 1), trace_id (str).
    """
    verdicts = natural(verdicts)
    first = verdicts[(verdicts["repeat"] == 0) & verdicts["verdict"].notna()]
    differing = first.groupby("trace_id")["verdict"].nunique()
    ids = [str(i) for i in differing.index[differing > 1]]
    ids.sort(key=lambda i: hashlib.sha256(i.encode()).digest())
    return pd.DataFrame({"position": range(1, len(ids) + 1), "trace_id": pd.Series(ids, dtype="str")})


def published_agreement(*, limit: float = LIMIT) -> pd.DataFrame:
    """Return the published agreement of pairs of graders, with the flag of the published rule.

    Columns: grader_a, grader_b, source, flagged (str: yes, no, `agreement not published`), n (int),
    kappa, kappa_low, kappa_high, agreement (float, as printed; missing where not published). No counts
    are published, so agreement has no interval here.
    """
    facts = published("grader_agreement").rename(
        columns={"ci_low": "kappa_low", "ci_high": "kappa_high", "observed_agreement": "agreement"}
    )
    flag = (1 - facts["agreement"] > limit).map({True: "yes", False: "no"})
    facts["flagged"] = flag.where(facts["agreement"].notna(), "agreement not published")
    return facts[
        ["grader_a", "grader_b", "n", "kappa", "kappa_low", "kappa_high", "agreement", "flagged", "source"]
    ]


def _pairs(name: str, rows: pd.DataFrame) -> Iterator[list[object]]:
    """Yield the pairs of one set: graders with each other in five labels, then each with the truth."""
    wide = {str(g): r.set_index("trace_id")["verdict"] for g, r in rows.groupby("grader", sort=False)}
    for a, b in combinations(wide, 2):
        yield [name, "five", a, b, *_compare(wide[a], wide[b], classes("five"))]
    # A truth picked because graders disagree would show their disagreement, not their error.
    known = rows[rows["truth"].notna() & rows["sampling"].isin(CALIBRATING)].drop_duplicates("trace_id")
    for _, labelled in known.groupby("truth_space", sort=False):
        space: Space = labelled["truth_space"].iloc[0]
        truth = labelled.set_index("trace_id")["truth"]
        label = _truth_name(labelled)
        for grader, verdict in wide.items():
            projected = verdict[verdict.index.isin(truth.index)].map(SPACES[space])
            yield [name, space, grader, label, *_compare(projected, truth, classes(space))]


def _truth_name(labelled: pd.DataFrame) -> str:
    if (labelled["sampling"] == "constructed").all():
        return BY_CONSTRUCTION
    return BY_CHECKER if (labelled["source"] == COLLECTED).all() else HUMAN


def _compare(a: "pd.Series[str]", b: "pd.Series[str]", labels: tuple[str, ...]) -> list[object]:
    shared = pd.concat([a, b], axis=1, keys=["a", "b"], join="inner")
    both = shared.dropna()
    matrix = confusion(list(both["b"]), list(both["a"]), labels)
    kappa = cohen_kappa(matrix)
    triple = [kappa.value, kappa.low, kappa.high] if kappa else [None, None, None]
    return [matrix.n, len(shared) - matrix.n, matrix.k, *triple]
