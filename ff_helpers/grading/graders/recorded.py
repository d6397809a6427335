"""A recorded ledger as a grader: a model's answers from another machine, replayed without the model.

Identity, wall times and token counts are those of the recording, so a replay writes the same bytes
everywhere. A set of which nothing was recorded is left out; where some of it was recorded, a trace that was
not is an error that names it, never a silent gap. Attacks on the grader alone may be newer than a recording:
those it lacks are left out, and the card says how many of the suite were graded.
"""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path

from ff_helpers import paths
from ff_helpers.corpus.traces import Trace
from ff_helpers.errors import FFError, named
from ff_helpers.grading.identities import shown_names
from ff_helpers.grading.ledger import live_records
from ff_helpers.grading.outcome import GraderSetup, Outcome, Record, grade_command, record_key, spec_of
from ff_helpers.grading.rubric import Rubric


def open_recorded(name: str, rubric: Rubric, /) -> "Recorded":
    """Return the recording in a ledger, whose path is taken from the project folder.

    Raises:
        As `Recorded`.
    """
    return Recorded(paths.root() / name, rubric)


class Recorded:
    """Replays one ledger."""

    slots = 1

    def __init__(self, path: Path, rubric: Rubric) -> None:
        self._path = path
        records = live_records(path)
        threads = {r.options.threads for r in records}
        told = threads.pop() if len(threads) == 1 else None  # some records are older than this field
        setups = {
            GraderSetup(r.identity, r.options.num_ctx, r.options.concurrency, r.software, r.space, told)
            for r in records
        }
        # Recorded or imported by several versions of this software: still the verdicts of one grader.
        order = sorted(setups, key=lambda s: (s.software, s.num_ctx or 0), reverse=True)
        setups = set({(one.identity, one.space): one for one in order}.values())
        if len(setups) != 1:
            names = shown_names(one.identity for one in setups)
            found = ", ".join(sorted(f"{name} {one.rubric}" for one, name in names.items())) or "none"
            raise FFError(f"{path}: a recorded ledger must have one grader with one rubric; found: {found}.")
        self.setup = setups.pop()
        self.is_model = self.setup.identity.method == "flip-final-turn"
        self._records = {(r.key, r.trace_id): r for r in records}
        # A judge that somebody else ran may say two things of one text; our graders said one thing.
        alike = () if self.setup.identity.method == "external" else records
        self._alike = {r.key: r for r in alike}
        self._ids = {r.trace_id for r in records}
        self._rubric = rubric

    def knows(self, traces: Iterable[Trace]) -> bool:
        """Return whether any of these traces was recorded, by its id: with this text or another."""
        return any(trace.trace_id in self._ids for trace in traces)

    def has(self, trace: Trace, repeat: int) -> bool:
        """Return whether this pass of a trace was recorded."""
        return self._record(trace, repeat) is not None

    def replayed(self, traces: Iterable[Trace]) -> list[Trace]:
        """Return the traces without the attacks on the grader that are newer than the recording."""
        return [t for t in traces if not (t.sampling and t.sampling.kind == "injected") or self.has(t, 0)]

    def fit(self, traces: Iterable[Trace]) -> None:
        """Check that everything was recorded before the first row is written.

        Raises:
            FFError: traces or rubric differ from the recording.
        """
        known = list(traces)
        who = self.setup.identity
        # Of a row that nobody can grade nobody is asked, so nothing need be recorded.
        missing = [t.trace_id for t in known if t.fault is None and not self.has(t, 0)]
        if who.method == "flip-final-turn" and self._rubric.id != who.rubric:
            why = f"it was recorded with rubric {who.rubric}, and the request is for {self._rubric.id}"
            raise self._lacks([t.trace_id for t in known], why)
        if missing:
            raise self._lacks(missing, "their text was not recorded")

    async def grade(self, trace: Trace, repeat: int) -> Outcome:
        """Return the recorded outcome.

        Raises:
            FFError: this repeat of the trace was not recorded.
        """
        record = self._record(trace, repeat)
        if record is None:
            why = f"repeat {repeat} was not recorded"
            raise self._lacks([trace.trace_id], why, repeat)
        told = [field.name for field in fields(Outcome) if field.name != "setup"]  # a record has its options
        return Outcome(**{name: getattr(record, name) for name in told})

    def _record(self, trace: Trace, repeat: int) -> Record | None:
        """Return the record of this row, or of another one with the same text."""
        key = record_key(self.setup.identity, trace, repeat)
        return self._records.get((key, trace.trace_id)) or self._alike.get(key)

    def _lacks(self, missing: Sequence[str], why: str, repeat: int = 0) -> FFError:
        """Return the error for what was not recorded, with the command that records it."""
        shown = ", ".join(map(named, missing[:10]))
        shown += f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        lacks = f"{self._path} has no verdict for {len(missing)} traces ({shown})"
        if self.setup.identity.method == "external":
            return FFError(
                f"{lacks}. {named(self.setup.identity.name)} is a judge that somebody else ran, so no model "
                "here can give its verdicts: name the traces that came with this ledger, or import the file "
                "that holds the others."
            )
        spec = spec_of(self.setup.identity.name, self.setup.software)
        words = grade_command(spec, self._rubric.id, traces="TRACES.jsonl", ledger="NEW.jsonl")
        command = shlex.join(words + (["--repeats", str(repeat + 1)] if repeat else []))
        return FFError(
            f"{lacks}: {why}. Use the traces and the "
            f"rubric that were recorded, or record these into another ledger: `{command}`."
        )

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""
