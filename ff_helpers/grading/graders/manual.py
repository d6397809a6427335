"""Blind grading by a person: the review queue in its order, one decision a trace, undo and resume.

Decisions go to the run's ledger `manual` at once, under the grader `manual:NAME`; a changed mind appends
a record that supersedes the first. Labels of a review queue are `judgement` and never calibrate.
"""

import hashlib
from collections.abc import Mapping
from itertools import chain

import pandas as pd

from ff_helpers import __version__, paths
from ff_helpers.corpus.sources import load_set
from ff_helpers.corpus.traces import Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.ledger import Ledger, live_records
from ff_helpers.grading.outcome import Identity, Outcome, to_record
from ff_helpers.grading.record import Options, Supersedes
from ff_helpers.taxonomy import GLOSSARY, VERDICTS, UnknownTermError, Verdict


class NoNameError(FFError):
    """A reviewer without a name."""

    def __init__(self) -> None:
        super().__init__(
            "reviewer is empty. Give your name or initials: verdicts of nobody are not evidence."
        )


class QueueTraceMissingError(FFError):
    """A trace of the review queue that is in none of the trace sets."""

    def __init__(self, trace_id: str, sets: Mapping[str, str]) -> None:
        super().__init__(
            f"trace {trace_id!r} of tables/review_queue.csv is in none of the trace sets "
            f"({', '.join(sets.values())}). Give the trace_sets of the profile's 01_grade."
        )


class Review:
    """One reviewer's way through the queue.

    Args:
        run: holds `tables/review_queue.csv` and the ledger `manual`.
        trace_sets: the trace sets of the profile's 01_grade.
        reviewer: who decides; the grader is called `manual:NAME`.

    Raises:
        NoNameError: no reviewer is named.
        MissingInputError: 03_agreement has not written the queue yet.
        QueueTraceMissingError: the queue holds a trace of another set.
    """

    def __init__(self, run: paths.Run, trace_sets: Mapping[str, str], reviewer: str) -> None:
        if not reviewer.strip():
            raise NoNameError
        self._path = run.ledger("manual")
        self._reviewer = reviewer.strip()
        words = "\n".join(f"{label}: {GLOSSARY[label]}" for label in VERDICTS)
        self._identity = Identity(
            grader=f"manual:{self._reviewer}",
            digest="a person",
            rubric=f"five-definitions@{hashlib.sha256(words.encode()).hexdigest()[:12]}",
            method="manual",
            options=Options(),
            software=f"ff-helpers {__version__}",
        )
        known = {t.trace_id: t for t in chain.from_iterable(map(load_set, trace_sets.values()))}
        queue = pd.read_csv(run.read("tables/review_queue.csv"), dtype={"trace_id": "str"})
        ids = [str(trace_id) for trace_id in queue["trace_id"]]
        missing = next((i for i in ids if i not in known), None)
        if missing is not None:
            raise QueueTraceMissingError(missing, trace_sets)
        self.traces: list[Trace] = [known[i] for i in ids]
        self.place = next(
            (n for n, t in enumerate(self.traces) if t.trace_id not in self.decided), self.total
        )

    @property
    def total(self) -> int:
        """How many traces the queue holds."""
        return len(self.traces)

    @property
    def trace(self) -> Trace | None:
        """The trace to decide now; None when all are decided."""
        return self.traces[self.place] if self.place < self.total else None

    @property
    def decided(self) -> dict[str, Verdict]:
        """This reviewer's standing verdicts by trace_id."""
        records = live_records(self._path) if self._path.is_file() else []
        mine = [r for r in records if r.grader == self._identity.grader]
        return {r.trace_id: r.verdict for r in mine if r.verdict is not None}

    def decide(self, verdict: str) -> None:
        """Write the verdict on the current trace and go on to the next one that is undecided.

        Raises:
            UnknownTermError: not one of the five labels.
        """
        label = next((v for v in VERDICTS if v == verdict), None)
        if label is None:
            raise UnknownTermError("verdict", verdict, VERDICTS)
        if self.trace is None:
            return
        record = to_record(self._identity, self.trace, Outcome(verdict=label), 0)
        if self.trace.trace_id in self.decided:
            why = Supersedes(key=record.key, author=self._reviewer, reason="the reviewer decided again")
            record = record.model_copy(update={"supersedes": why})
        with Ledger(self._path) as ledger:
            ledger.append(record)
        done = self.decided
        after = range(self.place + 1, self.total)
        self.place = next((n for n in after if self.traces[n].trace_id not in done), self.total)

    def back(self) -> None:
        """Go back one trace, to decide it again; what was written stays until then."""
        self.place = max(0, self.place - 1)
