"""People's labels of traces that are in the folder already.

They are added to their traces. A trace gets its truth once every row of its file that can be labelled is
labelled, whichever files brought the labels. A truth that is there is never changed.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ff_helpers.corpus.jsonl import line_of, parse_line
from ff_helpers.corpus.traces import Annotation, Trace, majority
from ff_helpers.errors import named
from ff_helpers.grading.importing.counting import Tally
from ff_helpers.grading.importing.folder import TRACES, Folder, hashed
from ff_helpers.grading.importing.incoming import CENSUS, BadRowError, opinion
from ff_helpers.terms import projected


class _Given(NamedTuple):
    """Labels of one trace, and the last row that gave one."""

    path: Path
    record: str
    labels: tuple[Annotation, ...]


@dataclass
class Later:
    """Labels that came after their traces, by the hash of the trace_id."""

    given: dict[int, _Given] = field(default_factory=dict)

    def add(self, trace_id: str, label: Annotation, path: Path, record: str) -> None:
        """Keep a label until all files of the import are read."""
        before = self.given.get(hashed(trace_id))
        self.given[hashed(trace_id)] = _Given(path, record, (*(before.labels if before else ()), label))

    def of(self, trace: Trace) -> tuple[Annotation, ...]:
        """Return everybody's labels of a trace."""
        added = self.given.get(hashed(trace.trace_id))
        return (*trace.annotations, *added.labels) if added else trace.annotations


def add_later(later: Later, folder: Folder, tally: Tally) -> int:
    """Add labels to the traces of a folder; return how many traces got a truth.

    Raises:
        BadRowError: more than half of the people no longer say what the truth of a trace is.
    """
    if not later.given:
        return 0
    truths = 0
    with folder.rewritten(TRACES) as (there, file):
        partly = _partly(there, later)
        with there.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                trace = parse_line(Trace, line, path=there, line=number)
                labelled = _labelled(trace, later, tally)
                if trace.truth is None and trace.source not in partly:
                    labelled = _with_truth(labelled)
                truths += trace.truth is None and labelled.truth is not None
                file.write(line if labelled is trace else line_of(labelled))
    return truths


def _partly(path: Path, later: Later) -> set[str]:
    """Return the sources with a trace that can be labelled and is not."""
    found = set()
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            trace = parse_line(Trace, line, path=path, line=number)
            if trace.fault is None and opinion(later.of(trace)) is None:
                found.add(trace.source)
    return found


def _labelled(trace: Trace, later: Later, tally: Tally) -> Trace:
    """Return a trace with the labels that came for it, if any did."""
    added = later.given.get(hashed(trace.trace_id))
    if added is None:
        return trace
    everybody = later.of(trace)
    if trace.truth is not None and trace.truth_space is not None:
        space = trace.truth_space
        said = (one.label and projected(one.label, one.space, space) for one in everybody)
        if majority(label for label in said if label) != trace.truth:
            problem = (
                f"{trace.truth} is the truth of trace {named(trace.trace_id)} in {TRACES}, and with this one "
                "at most half of its people say so. Bring everybody's labels in one file (one column per "
                "person, or one row per label: trace_id, annotator, label, space), into another --out"
            )
            raise BadRowError(added.path, added.record, "label", problem)
    tally.opinion(opinion(everybody), before=opinion(trace.annotations))
    return trace.model_copy(update={"annotations": everybody})


def _with_truth(trace: Trace) -> Trace:
    """Return a trace with the label that more than half of its people gave as its truth, if there is one."""
    said = opinion(trace.annotations)
    if said is None or said.truth is None:
        return trace
    return trace.model_copy(update={"truth": said.truth, "truth_space": said.space, "sampling": CENSUS})
