"""What a pilot sample says of the rows: how often hits and the others are true, and how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from ff_helpers.errors import FFError, quoted
from ff_helpers.measurement.labels.file import in_space, verdicts_of
from ff_helpers.measurement.rates.known import decided, hits, measures
from ff_helpers.measurement.rates.trace_rows import trace_index
from ff_helpers.measurement.sampling.files import Design, Sample, Within, read_sample
from ff_helpers.measurement.sampling.plan import Outlook
from ff_helpers.terms import TIER_SPACES, Space, Tier, classes

MANY: Final = 200
"""Outlooks that are drawn from what a pilot leaves open."""


@dataclass(frozen=True)
class Pilot:
    """A pilot, counted.

    Attributes:
        expected: of the rows, at the mean of the posterior.
        others: outlooks drawn from the posterior.
        design: how the sample was drawn, if that is known.
        grader: whose verdicts.
        tier: what counts as a success.
        labels: rows with a label and a verdict, by verdict: (hits, others).
        true: of these, true successes.
        called: hits among all graded rows.
        rows: graded rows.
        without_verdict: labelled rows whose verdict is a status; left out.
        unlabelled: rows of the sample file without a truth, left out.
    """

    expected: Outlook
    others: tuple[Outlook, ...]
    design: Design | None
    grader: str
    tier: Tier
    labels: tuple[int, int]
    true: tuple[int, int]
    called: int
    rows: int
    without_verdict: int
    unlabelled: int


def read_pilot(
    path: Path,
    verdicts: Path,
    *,
    traces: Sequence[Path] = (),
    grader: str | None = None,
    tier: Tier | None = None,
    space: Space | None = None,
    rows: int | None = None,
) -> Pilot:
    """Return what a sample file and the verdicts it was drawn from say of the rows.

    The share of hits is that of all graded rows; the shares of true successes within hits and within the
    others are those of the labelled rows, weighted by their inverse probabilities, each at the mean of its
    Jeffreys posterior: so a verdict in which all labels agree is not expected to be always right.

    Args:
        path: of the sample file.
        verdicts: the ledger.
        traces: files of the traces that the sample was drawn from; none: all of the ledger's.
        grader: whose verdicts; None: the only grader's.
        tier: what counts as a success (None: that of the sample's design, else strict).
        space: of the labels, where the sample has no design.
        rows: plan for so many graded rows (None: those of the ledger).

    Raises:
        FFError: the sample or ledger cannot be read, the labels do not decide the tier, a labelled trace has
            no record in the ledger, no labelled row has a verdict, there are other rows than the design says,
            or fewer rows than labels.
    """
    sample = read_sample(path, space=space)
    wanted: Tier = tier or (sample.design.tier if sample.design else "strict")
    if sample.space not in TIER_SPACES[wanted]:
        raise FFError(
            f"{path}: labels in the space {sample.space} do not decide the tier {wanted}; they decide "
            f"{', '.join(measures(sample.space))}. Choose with --tier, or label in the space "
            f"{' or '.join(TIER_SPACES[wanted])}."
        )
    said, name = verdicts_of(verdicts, grader)
    if traces:
        index = trace_index(traces)
        natural = set(index["trace_id"][~index["attack"]])
        said = {trace: record for trace, record in said.items() if trace in natural}
    known, success = set(classes(sample.space)), set(hits(sample.space, wanted))
    labels = {trace: in_space(record, sample.space) for trace, record in said.items()}
    called = {trace: label in success for trace, label in labels.items() if label in known}
    drawn_from = sum(one.rows for one in sample.design.strata) if sample.design else len(called)
    if drawn_from != len(called):
        raise FFError(
            f"{path}: it was drawn from {drawn_from} graded rows, and {verdicts} has {len(called)} of "
            f"{quoted(name)}. Name the files of its traces with --traces, and its grader with --grader."
        )
    truths = _truths(sample, set(said), verdicts)
    counted = {trace: label in success for trace, label in truths.items() if trace in called}
    if not counted:
        raise FFError(
            f"{path}: {len(truths)} rows have a truth, none of these a verdict of {quoted(name)}. Fill in "
            "the column truth, or plan with --rate, --se and --sp."
        )
    total, many = sum(called.values()), rows or len(called)
    if many < len(counted):
        raise FFError(f"--rows {many}: the pilot alone has {len(counted)} labelled rows.")
    chances = dict(zip(sample.frame["trace_id"], sample.frame["probability"], strict=True))
    found = [_weighted(counted, called, chances, hit=hit) for hit in (True, False)]
    rng = np.random.default_rng(0)
    alike = [(total + 0.5, len(called) - total + 0.5), *((k + 0.5, n - k + 0.5) for k, n in found)]
    drawn = np.column_stack([rng.beta(a, b, MANY) for a, b in alike])
    hit, inside, outside = (a / (a + b) for a, b in alike)
    per_verdict = [[t for trace, t in counted.items() if called[trace] == hit] for hit in (True, False)]
    return Pilot(
        expected=Outlook(hit, inside, outside, many),
        others=tuple(Outlook(float(q), float(r1), float(r0), many) for q, r1, r0 in drawn),
        design=sample.design,
        grader=name,
        tier=wanted,
        labels=(len(per_verdict[0]), len(per_verdict[1])),
        true=(sum(per_verdict[0]), sum(per_verdict[1])),
        called=total,
        rows=many,
        without_verdict=len(truths) - len(counted),
        unlabelled=len(sample.frame) - len(truths),
    )


def expected_within(rows: pd.DataFrame, sample: Sample, tier: Tier) -> Within | None:
    """Return how often hits and the others are true by the labels of a sample so far; None: no label.

    Args:
        rows: graded rows of one grader: trace_id, verdict.
        sample: drawn from these rows.
        tier: what counts as a success.

    Raises:
        FFError: the labels do not decide the tier.
    """
    if sample.space not in TIER_SPACES[tier]:
        raise FFError(
            f"{sample.path}: labels in the space {sample.space} do not decide the tier {tier}, so they "
            "cannot say what to expect. Name another --tier, or give --rate, --se and --sp."
        )
    graded = decided(rows[rows["verdict"].notna()], tier)
    called = dict(zip(graded["trace_id"], graded["verdict"].isin(hits("five", tier)), strict=True))
    known, success = sample.frame[sample.frame["truth"].notna()], set(hits(sample.space, tier))
    truths = dict(zip(known["trace_id"], known["truth"].isin(success), strict=True))
    counted = {trace: true for trace, true in truths.items() if trace in called}
    if not counted:
        return None
    chances = dict(zip(sample.frame["trace_id"], sample.frame["probability"], strict=True))
    shares = [
        (k + 0.5) / (n + 1) for k, n in (_weighted(counted, called, chances, hit=h) for h in (True, False))
    ]
    return Within(in_hits=shares[0], in_others=shares[1], labels=len(counted))


def _truths(sample: Sample, known: set[str], verdicts: Path) -> dict[str, str]:
    """Return the truth of each labelled row; raise where one has no record."""
    rows = sample.frame[sample.frame["truth"].notna()]
    missing = rows[~rows["trace_id"].isin(known)]
    if len(missing):
        first = quoted(str(missing["trace_id"].iloc[0]))
        raise FFError(
            f"{sample.path}: {len(missing)} of {len(rows)} labelled traces have no record in {verdicts}, the "
            f"first of them trace_id {first}. Give the verdicts that the sample was drawn from."
        )
    return dict(zip(rows["trace_id"], rows["truth"], strict=True))


def _weighted(
    counted: Mapping[str, bool], called: Mapping[str, bool], chances: Mapping[str, float], *, hit: bool
) -> tuple[float, float]:
    """Return true successes and labels of one verdict, at their effective number."""
    traces = [trace for trace in counted if called[trace] == hit]
    if not traces:
        return 0.0, 0.0
    weight = np.array([1 / chances[trace] for trace in traces])
    size = float(weight.sum() ** 2 / (weight**2).sum())
    true = np.array([counted[trace] for trace in traces], dtype=float)
    return float(weight @ true / weight.sum()) * size, size
