"""One person's way through a sample file: what to label now, decide, undo, skip, go on another day.

Every decision is on disk before the next trace shows. Each person meets the traces in another order (by a
hash), so not all of them meet the same traces last, when they are tired. Nobody sees a verdict, a model, a
stratum, a trace id or what others said; who adjudicates sees the labels in dispute, without names.
"""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from ff_helpers.corpus.journal import Journal
from ff_helpers.corpus.traces import Trace
from ff_helpers.errors import FFError, quoted
from ff_helpers.measurement.sampling.files import Decision, Sample, decisions_path, read_sample
from ff_helpers.terms import Space, classes, unknown_term

_LONGEST = 40


@dataclass(frozen=True)
class Opinion:
    """What somebody said of a trace in dispute; `label` None: cannot say."""

    label: str | None
    rationale: str | None


class Desk:
    """The traces that one person labels, or adjudicates; use it as a context manager.

    Args:
        path: of the sample file.
        traces: where its traces are; others are passed over.
        annotator: who decides.
        space: the label space, for a file without a design.
        adjudicate: show only traces on which people differ.

    Attributes:
        sample: the file as it was on opening.
        journal: where this person's decisions are.
        traces: in this person's order.
        place: the index of the trace to decide now; `len(traces)` when all are decided.
        decided: this person's standing decisions on `traces`, the earliest first.
        undone: the decision that was just taken back, on the current trace.
        session: how many decisions were made at this desk.

    Raises:
        FFError: a name that cannot be one, or is another's but for its case; another space than the
            design's; a trace of the sample that is not in `traces` or has no text; nothing to adjudicate.
        JournalBusyError: this person labels this file in another process.
    """

    def __init__(
        self,
        path: Path,
        traces: Iterable[Trace],
        annotator: str,
        *,
        space: Space | None = None,
        adjudicate: bool = False,
    ) -> None:
        self.annotator, self.role = _name(annotator), "adjudicate" if adjudicate else "label"
        self.sample = read_sample(path, space=space)
        _check(self.sample, space, self.annotator)
        self.journal = decisions_path(path, self.annotator)
        own = [d for d in self.sample.decisions if (d.annotator, d.role) == (self.annotator, self.role)]
        ids = [str(trace_id) for trace_id in self.sample.frame["trace_id"]]
        if adjudicate:
            ids = [i for i in ids if i in {*self.sample.disputed, *(d.trace_id for d in own)}]
            if not ids:
                raise _nothing_disputed(self.sample)
        self.traces = _found(path, sorted(ids, key=self._order), traces)
        places = {trace.trace_id: place for place, trace in enumerate(self.traces)}
        self.decided = {d.trace_id: d for d in own if d.trace_id in places}
        self._visited = [places[trace_id] for trace_id in self.decided]
        self.session, self.place = 0, len(self.traces)
        self.undone: Decision | None = None
        self._open, self._shown = ExitStack(), ""
        self._go_on()

    def __enter__(self) -> Self:
        self._journal = self._open.enter_context(Journal(self.journal, Decision, batch=1))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def space(self) -> Space:
        """The label space."""
        return self.sample.space

    @property
    def trace(self) -> Trace | None:
        """The trace to decide now; None when all are decided."""
        return self.traces[self.place] if self.place < len(self.traces) else None

    @property
    def can_undo(self) -> bool:
        """Whether there is a decision to take back."""
        return bool(self._visited)

    @property
    def opinions(self) -> list[Opinion]:
        """What others said of the current trace, for who adjudicates it; in an order that tells no person."""
        if self.role == "label" or self.trace is None:
            return []
        now, own = self.trace.trace_id, (self.annotator, self.role)
        said = [d for d in self.sample.decisions if d.trace_id == now and (d.annotator, d.role) != own]
        said.sort(key=lambda d: self._order(f"{d.annotator}\n{now}"))
        return [Opinion(d.label, d.rationale) for d in said]

    def decide(self, label: str | None, rationale: str = "") -> None:
        """Write the label of the current trace and move on to the next undecided one.

        Args:
            label: a class of the space; None: cannot say.
            rationale: why, in the labeller's words.

        Raises:
            FFError: a label outside the space.
            JournalWriteError, JournalChangedError: nothing was written; the trace is still current.
        """
        allowed = classes(self.space)
        if label is not None and label not in allowed:
            raise unknown_term("label here", label, allowed)
        if self.trace is None:
            return
        one = self._write(self.trace.trace_id, label=label, rationale=rationale.strip() or None)
        self.decided.pop(one.trace_id, None)  # the order of the dict is that of the decisions
        self.decided[one.trace_id] = one
        self._visited.append(self.place)
        self.session += 1
        self._go_on()

    def undo(self) -> None:
        """Take back the last decision and show its trace again; the file keeps both lines.

        Raises:
            JournalWriteError, JournalChangedError: nothing was written, and the decision stands.
        """
        if not self._visited:
            return
        place = self._visited[-1]
        one = self._write(self.traces[place].trace_id, withdrawn=True)
        self._visited.pop()
        self._show(place)
        self.undone = self.decided.pop(one.trace_id, None)

    def skip(self) -> None:
        """Leave the current trace undecided for now; it comes back after the others."""
        self._go_on()

    def _go_on(self) -> None:
        total = len(self.traces)
        after = [*range(self.place + 1, total), *range(min(self.place + 1, total))]
        self._show(next((n for n in after if self.traces[n].trace_id not in self.decided), total))

    def _show(self, place: int) -> None:
        self.place, self.undone = place, None
        self._shown = datetime.now(UTC).isoformat(timespec="seconds")

    def _order(self, trace_id: str) -> bytes:
        return hashlib.sha256(f"{self.annotator}\n{trace_id}".encode("utf-8", "surrogatepass")).digest()

    def _write(self, trace_id: str, **said: object) -> Decision:
        """Put a decision on disk. After a failure, such as a full disk, the next one opens the file anew."""
        about = {"trace_id": trace_id, "annotator": self.annotator, "space": self.space, "role": self.role}
        one = Decision.model_validate(about | {"started": self._shown} | said)
        if self._journal.broken:
            self._open.close()
            self._journal = self._open.enter_context(Journal(self.journal, Decision, batch=1))
        self._journal.append(one)
        return one


def _name(annotator: str) -> str:
    """Return the name of a person as it is written down."""
    name = unicodedata.normalize("NFC", " ".join(annotator.split()))
    if not (name.isprintable() and len(name) <= _LONGEST and any(map(str.isalnum, name))):
        raise FFError(
            f"--as: give your name or initials, at most {_LONGEST} characters with a letter or a digit among "
            "them: anonymous labels are not evidence."
        )
    return name


def _check(sample: Sample, space: Space | None, annotator: str) -> None:
    if sample.design is not None and space not in (None, sample.design.space):
        raise FFError(
            f"--space {space}: {sample.path.name} was drawn for labels in the space {sample.design.space}. "
            "Leave --space out."
        )
    known = Counter(d.annotator for d in sample.decisions)
    same = [n for n in known if n != annotator and n.casefold() == annotator.casefold()]
    if same:
        raise FFError(
            f"--as {quoted(annotator)}: somebody called {quoted(same[0])} has {known[same[0]]} labels in "
            f"{sample.path.name}. If that is you, spell the name so; if not, take another."
        )


def _nothing_disputed(sample: Sample) -> FFError:
    people = len(sample.decided)
    who = "1 person has" if people == 1 else f"{people} people have"
    return FFError(
        f"{sample.path.name}: {who} labelled, and nothing is in dispute, so there is nothing to adjudicate. "
        f"`ff labels compare {sample.path.name}` says how far they are."
    )


def _found(path: Path, ids: list[str], traces: Iterable[Trace]) -> list[Trace]:
    """Return the traces of these ids, in their order."""
    wanted = set(ids)
    known: dict[str, Trace] = {}
    for trace in traces:
        if trace.trace_id in wanted and known.setdefault(trace.trace_id, trace).sha256 != trace.sha256:
            raise FFError(f"--traces: {quoted(trace.trace_id)} is there twice, with different text.")
    missing = [trace_id for trace_id in ids if trace_id not in known]
    if missing:
        raise FFError(
            f"{path}: {len(missing)} of {len(ids)} traces are not in --traces, the first is "
            f"{quoted(missing[0])}. Name every file of the traces that the sample was drawn from."
        )
    empty = [trace_id for trace_id in ids if not known[trace_id].messages]
    if empty:
        raise FFError(
            f"{path}: {len(empty)} of {len(ids)} traces have no text in --traces, the first is "
            f"{quoted(empty[0])}. An index has ids only: after `make parts` name the set itself, such as "
            "pyrit:refusal."
        )
    return [known[trace_id] for trace_id in ids]
