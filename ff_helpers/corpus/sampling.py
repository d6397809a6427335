"""Samples of trace sets in which every row carries its inclusion probability."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from ff_helpers.corpus.injections import CLEAN
from ff_helpers.corpus.traces import Sampling, Trace


def stratified(traces: Sequence[Trace], rows: int, *, seed: int, name: str) -> list[Trace]:
    """Return `rows` traces in random order, in proportion from each truth (largest remainder, at least one).

    Each trace carries its inclusion probability: rows over size of its stratum. All rows: a census. A trace
    that was constructed, picked by judgement, or made to attack the grader stays so. Of responses that
    attack the grader the clean twins come first: an attacked response is useless without its twin.
    """

    def place(trace: Trace) -> tuple[bool, bytes]:
        attacks = trace.sampling is not None and trace.sampling.kind == "injected" and trace.run != CLEAN
        return attacks, hashlib.sha256(f"{seed}:{name}:{trace.trace_id}".encode()).digest()

    ordered = sorted(traces, key=place)
    if rows == 0 or rows >= len(traces):
        return [_sampled(t, Sampling(kind="census")) for t in (traces if rows == 0 else ordered)]
    strata: defaultdict[str, list[Trace]] = defaultdict(list)
    for trace in ordered:
        strata[trace.truth or ""].append(trace)
    quota = {truth: rows * len(members) / len(traces) for truth, members in sorted(strata.items())}
    taken = {truth: max(1, int(share)) for truth, share in quota.items()}
    for truth in sorted(quota, key=lambda t: (int(quota[t]) - quota[t], t)):
        if sum(taken.values()) < rows and taken[truth] < len(strata[truth]):
            taken[truth] += 1
    chosen = {
        t.trace_id: Sampling(kind="random", probability=taken[truth] / len(members))
        for truth, members in strata.items()
        for t in members[: taken[truth]]
    }
    return [_sampled(t, chosen[t.trace_id]) for t in ordered if t.trace_id in chosen]


def _sampled(trace: Trace, drawn: Sampling) -> Trace:
    """Return the trace with its sampling here, combined with that of its set."""
    before = trace.sampling
    if before is not None and before.kind in ("constructed", "judgement", "injected"):
        return trace
    if before is not None and before.probability is not None:
        drawn = Sampling(kind="random", probability=before.probability * (drawn.probability or 1.0))
    return trace.model_copy(update={"sampling": drawn})
