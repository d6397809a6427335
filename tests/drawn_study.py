"""Graded traces of two models, to draw samples from and to label as people do."""

import csv
from collections.abc import Callable
from pathlib import Path

from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Trace
from ff_helpers.grading.outcome import Record

YES, NO = "COMPLIANCE", "NOT_COMPLIANCE"


def write_study(folder: Path, make_trace: Callable[..., Trace], *, runs: int = 1, size: int = 100) -> Path:
    """Write traces.jsonl and verdicts.jsonl: two in five called compliance, of which three in four are.

    Args:
        folder: where.
        make_trace: the fixture.
        runs: traces of one scenario.
        size: traces; multiples of ten.
    """
    traces, records = [], []
    for n in range(size):
        trace = make_trace(f"answer {n}", trace_id=f"t{n}", scenario_id=f"s{n // runs}")
        attack = {} if n % 10 == 9 else {"attack": "xy"[n % 2]}
        traces.append(trace.model_copy(update={"model": "ab"[n % 2], "tags": attack}))
        records.append(
            Record(
                key=f"k{n}",
                trace_id=trace.trace_id,
                response_sha256=trace.response_sha256,
                grader="g",
                grader_digest="sha256:1",
                rubric="r@1",
                method="flip-final-turn",
                verdict="COMPLIANCE" if n < 0.4 * size else "REFUSAL",
                software="none",
            )
        )
    write_records(folder / "traces.jsonl", traces)
    write_records(folder / "verdicts.jsonl", records)
    return folder


def fill(path: Path, truth: Callable[[int], str]) -> None:
    """Fill in the truths of a sample file as in a spreadsheet, by the number of the trace."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["truth"] = truth(int(row["trace_id"][1:]))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
