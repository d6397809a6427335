"""Blind grading by a person: the review queue, one decision per trace, undo and resume.

Decisions go to the run's ledger `manual` at once, under the grader `manual:NAME`; a changed decision appends
a record that supersedes the first. Each reviewer sees the queue in a different order (by a hash), so not
all of them meet the same traces last, when they are tired. Labels of a review queue are `judgement` and
never count for calibration.
"""

import hashlib
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import chain

import pandas as pd

from ff_helpers import __version__, paths
from ff_helpers.corpus.journal import JournalBusyError
from ff_helpers.corpus.readers import load_set
from ff_helpers.corpus.traces import Trace
from ff_helpers.errors import FFError, quoted
from ff_helpers.grading.ledger import Ledger, live_records
from ff_helpers.grading.outcome import GraderSetup, Outcome, Record, Supersedes, record_key, to_record
from ff_helpers.terms import GLOSSARY, VERDICTS, Identity, unknown_term

PREFIX = "manual:"
"""The prefix of the names of human graders."""
_WAIT = 2.0  # seconds to wait for a colleague's write


class Review:
    """One reviewer's way through the queue.

    Args:
        run: has `tables/review_queue.csv` and the ledger `manual`.
        trace_sets: the trace sets of the profile's 01_grade.
        reviewer: who decides; the grader is called `manual:NAME`.

    Attributes:
        traces: the queue in this reviewer's order.
        place: the index of the trace to decide now; `total` when all are decided.
        session: how many decisions were made with this object.

    Raises:
        FFError: no reviewer is named, or the queue has a trace of another set.
        MissingInputError: 03_agreement has not written the queue yet.
    """

    def __init__(self, run: paths.Run, trace_sets: Mapping[str, str], reviewer: str) -> None:
        if not reviewer.strip():
            raise FFError(
                "reviewer is empty. Give your name or initials: anonymous verdicts are not evidence."
            )
        self._path = run.ledger("manual")
        self.reviewer = reviewer.strip()
        self._setup = _setup(self.reviewer)
        where = [str(run.read(s)) if s.startswith("ledger/") else s for s in trace_sets.values()]
        known = {t.trace_id: t for t in chain.from_iterable(map(load_set, where))}
        queue = pd.read_csv(run.read("tables/review_queue.csv"), dtype={"trace_id": "str"})
        ids = sorted((str(trace_id) for trace_id in queue["trace_id"]), key=self._order)
        missing = next((i for i in ids if i not in known), None)
        if missing is not None:
            raise FFError(
                f"trace {quoted(missing)} of tables/review_queue.csv is missing from the trace sets "
                f"({', '.join(trace_sets.values())}). Give the trace_sets of the profile's 01_grade."
            )
        self.traces: list[Trace] = [known[i] for i in ids]
        self.decided = self._decided()
        places = {trace.trace_id: place for place, trace in enumerate(self.traces)}
        self._visited = [places[trace_id] for trace_id in self.decided]
        self.session, self._begun = 0, time.monotonic()
        self.place = self.total
        self._go_on()

    @property
    def total(self) -> int:
        """How many traces are in the queue."""
        return len(self.traces)

    @property
    def trace(self) -> Trace | None:
        """The trace to decide now; None when all are decided."""
        return self.traces[self.place] if self.place < self.total else None

    @property
    def former(self) -> Record | None:
        """This reviewer's own standing decision on the current trace, if there is one."""
        return self.decided.get(self.trace.trace_id) if self.trace else None

    @property
    def rate(self) -> float | None:
        """This session's decisions per minute; None before the first one."""
        minutes = (time.monotonic() - self._begun) / 60
        return self.session / minutes if self.session and minutes else None

    @property
    def can_undo(self) -> bool:
        """Whether there is a decision to go back to."""
        return bool(self._visited)

    def decide(self, verdict: str, rationale: str = "") -> None:
        """Write the verdict on the current trace and move to the next undecided one.

        A decision that changes neither the verdict nor the rationale writes nothing.

        Raises:
            FFError: not one of the five labels.
            JournalBusyError, JournalWriteError: nothing was written, and the trace is still the current one.
        """
        label = next((v for v in VERDICTS if v == verdict), None)
        if label is None:
            raise unknown_term("verdict", verdict, VERDICTS)
        if self.trace is None:
            return
        why = rationale.strip() or None
        former = self.former
        if former is None or (former.verdict, former.rationale) != (label, why):
            outcome = Outcome(
                verdict=label,
                started=self._shown_at.isoformat(timespec="seconds"),
                duration_s=round(time.monotonic() - self._shown, 1),
            )
            record = to_record(self._setup, self.trace, outcome, 0)
            reason = why or "the reviewer decided again"
            again = former and Supersedes(key=former.key, author=self.reviewer, reason=reason)
            self._write(record.model_copy(update={"rationale": why, "supersedes": again}))
            self.decided = self._decided()
            self.session += 1
        self._visited.append(self.place)
        self._go_on()

    def undo(self) -> None:
        """Go back to the last decision, to make it again; until then it remains valid. It is never erased."""
        if self._visited:
            self._show(self._visited.pop())

    def skip(self) -> None:
        """Leave the current trace undecided for now; it comes back after the others."""
        self._go_on()

    def _go_on(self) -> None:
        after = [*range(self.place + 1, self.total), *range(min(self.place + 1, self.total))]
        self._show(next((n for n in after if self.traces[n].trace_id not in self.decided), self.total))

    def _show(self, place: int) -> None:
        self.place, self._shown, self._shown_at = place, time.monotonic(), datetime.now(UTC)

    def _order(self, trace_id: str) -> bytes:
        return hashlib.sha256(f"{self.reviewer}\n{trace_id}".encode()).digest()

    def _decided(self) -> dict[str, Record]:
        """Return this reviewer's valid records on the current queue, in the order in which they were made."""
        records = live_records(self._path) if self._path.is_file() else []
        who = self._setup.identity
        wanted = {(record_key(who, trace, 0), trace.trace_id) for trace in self.traces}
        return {r.trace_id: r for r in records if (r.key, r.trace_id) in wanted}

    def _write(self, record: Record) -> None:
        patience = time.monotonic() + _WAIT
        while True:
            try:
                with Ledger(self._path) as ledger:
                    ledger.append(record)
            except JournalBusyError:
                if time.monotonic() > patience:
                    raise
                time.sleep(0.05)
            else:
                return


def _setup(reviewer: str) -> GraderSetup:
    words = "\n".join(f"{label}: {GLOSSARY[label]}" for label in VERDICTS)
    rubric = f"five-definitions@{hashlib.sha256(words.encode()).hexdigest()[:12]}"
    who = Identity(f"{PREFIX}{reviewer}", "a person", rubric=rubric, method="manual")
    return GraderSetup(who, None, 1, f"ff-helpers {__version__}")
