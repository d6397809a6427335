"""A recorded ledger as a grader: a model's answers from another machine, replayed without the model.

Identity, wall times and token counts are those of the recording, so a replay writes the same bytes
everywhere. A trace that was not recorded is an error that names it, never a silent gap.
"""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from ff_helpers import paths
from ff_helpers.corpus.traces import Trace
from ff_helpers.errors import FFError, named
from ff_helpers.grading.flip import Rubric
from ff_helpers.grading.identities import shown_names
from ff_helpers.grading.ledger import live_records
from ff_helpers.grading.outcome import GraderSetup, Outcome, record_key, spec_of


class MixedRecordingError(FFError):
    """A recorded ledger has several graders, or none."""

    def __init__(self, path: Path, found: Sequence[str]) -> None:
        graders = ", ".join(found) or "none"
        super().__init__(f"{path}: a recorded ledger must have one grader with one rubric; found: {graders}.")


class NotRecordedError(FFError):
    """The traces or the rubric differ from the recording."""

    def __init__(self, path: Path, missing: Sequence[str], why: str, command: str) -> None:
        shown = ", ".join(map(named, missing[:10]))
        shown += f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        super().__init__(
            f"{path} has no verdict for {len(missing)} traces ({shown}): {why}. Use the traces and the "
            f"rubric that were recorded, or record these into another ledger: `{command}`."
        )


def open_recorded(name: str, rubric: Rubric, /) -> "Recorded":
    """Return the recording in a ledger, whose path is taken from the project folder.

    Raises:
        As `Recorded`.
    """
    return Recorded(paths.root() / name, rubric)


class Recorded:
    """Replays one ledger."""

    is_model = True
    slots = 1

    def __init__(self, path: Path, rubric: Rubric) -> None:
        self._path = path
        records = live_records(path)
        setups = {
            GraderSetup(r.identity, r.options.num_ctx, r.options.concurrency, r.software) for r in records
        }
        if len(setups) != 1:
            names = shown_names(one.identity for one in setups)
            raise MixedRecordingError(path, sorted(f"{name} {one.rubric}" for one, name in names.items()))
        self.setup = setups.pop()
        self._records = {r.key: r for r in records}
        self._rubric = rubric

    def fit(self, traces: Iterable[Trace]) -> None:
        """Check that everything was recorded before the first row is written.

        Raises:
            NotRecordedError: traces or rubric differ from the recording.
        """
        known = list(traces)
        who = self.setup.identity
        missing = [t.trace_id for t in known if record_key(who, t, 0) not in self._records]
        if who.method == "flip-final-turn" and self._rubric.id != who.rubric:
            why = f"it was recorded with rubric {who.rubric}, and the request is for {self._rubric.id}"
            raise NotRecordedError(self._path, [t.trace_id for t in known], why, self._command())
        if missing:
            raise NotRecordedError(self._path, missing, "their text was not recorded", self._command())

    async def grade(self, trace: Trace, repeat: int) -> Outcome:
        """Return the recorded outcome.

        Raises:
            NotRecordedError: this repeat of the trace was not recorded.
        """
        record = self._records.get(record_key(self.setup.identity, trace, repeat))
        if record is None:
            why = f"repeat {repeat} was not recorded"
            raise NotRecordedError(self._path, [trace.trace_id], why, self._command(repeat))
        return Outcome(
            verdict=record.verdict,
            status=record.status,
            reason=record.reason,
            inferred=record.inferred_instruction,
            backward_f1=record.backward_f1,
            raw=record.raw,
            prompt_tokens=record.prompt_tokens,
            completion_tokens=record.completion_tokens,
            started=record.started,
            duration_s=record.duration_s,
        )

    def _command(self, repeat: int = 0) -> str:
        """Return the command that records by the requested rubric; the user chooses its two files."""
        spec = spec_of(self.setup.identity.name, self.setup.software)
        words = ["ff", "grade", "--traces", "TRACES.jsonl", "--grader", spec, "--ledger", "NEW.jsonl"]
        name = self._rubric.id.partition("@")[0]
        words += ["--rubric", name] if name != "flip-reference" else []
        return shlex.join(words + (["--repeats", str(repeat + 1)] if repeat else []))

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""
