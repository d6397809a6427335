"""Files of other tools into one folder: traces, one ledger per judge, people's labels, and the account.

Rows stream through; what is kept of them are hashes of ids. The truth of a trace is set only where people
labelled every row of its file that can be labelled: then the labelled rows are all rows (a census). Labels
may come in later files (`later`).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ff_helpers import __version__
from ff_helpers.chat.progress import Progress
from ff_helpers.corpus.jsonl import line_of, read_records
from ff_helpers.corpus.results import reader
from ff_helpers.corpus.results.reading import ThresholdError
from ff_helpers.corpus.results.recognise import TABLE, Found, Left, NoRowsError
from ff_helpers.corpus.results.rows import Judgement, Row
from ff_helpers.corpus.traces import Trace
from ff_helpers.errors import FFError, named
from ff_helpers.grading.external import Said, external_record
from ff_helpers.grading.importing.account import Account, Ignored, Input
from ff_helpers.grading.importing.asked import Heard, asked_of, sha256_of, version_of
from ff_helpers.grading.importing.counting import OneJudge, Tally, tally_of
from ff_helpers.grading.importing.folder import LABELS, TRACES, Folder, LastSaid, content, hashed
from ff_helpers.grading.importing.incoming import (
    BadRowError,
    Opinion,
    annotation,
    judge_of,
    opinion,
    records_of,
    storable,
    trace_of,
)
from ff_helpers.grading.importing.later import Later, add_later
from ff_helpers.grading.outcome import Record, Supersedes
from ff_helpers.terms import Identity

_STEP: Final = 256
"""Rows after which progress is told."""


class ChangedFileError(FFError):
    """A file was written to while it was read."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} changed while it was read, so its rows may not belong together. Nothing was written: "
            "run the same command again when whatever writes it has ended."
        )


@dataclass(frozen=True)
class Imported:
    """What one import did.

    Attributes:
        account: of the whole folder.
        new: the files that were read now.
        again: names of files that had been imported before, in the same way: they were not read again.
        left: files of a folder that were not read.
        records, labels: how many of judges and of people were added.
        truths: rows that were there before and got their truth now.
    """

    account: Account
    new: tuple[Input, ...]
    again: tuple[str, ...]
    left: tuple[Left, ...]
    records: int
    labels: int
    truths: int


@dataclass
class _File:
    """One file while it is read, and where it goes."""

    found: Found
    sha256: str
    folder: Folder
    tally: Tally
    later: Later
    counts: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    seen: set[int] = field(default_factory=set)
    unjudged: set[int] = field(default_factory=set)
    judges: set[Identity] = field(default_factory=set)
    is_later: bool = False  # traces were there before it


def import_files(
    found: list[Found],
    out: Path,
    options: Mapping[str, str],
    *,
    left: tuple[Left, ...] = (),
    tell: Callable[[Found], None] | None = None,
) -> Imported:
    """Read files of other tools into a folder; rows that are there already are not added again.

    Args:
        found: the files, recognised.
        out: the folder; made if missing.
        options: what the readers are told, by name.
        left: files that are not read, for the account.
        tell: is told of each file before it is read.

    Raises:
        FFError: a file that cannot be read, a row that cannot be kept, a file that changed meanwhile; or the
            folder holds something else. Nothing was written.
    """
    with Folder(out) as folder:
        before = folder.account
        tally, later = tally_of(before, folder.ledgers), Later()
        inputs = list(before.inputs) if before else []
        new: list[Input] = []
        again: list[str] = []
        for one in found:
            stated = _stat(one.path)
            sha256 = sha256_of(one.path)
            asked = asked_of(options)
            version = version_of(one.source.tool)
            if any((i.sha256, i.reader, i.options) == (sha256, version, asked) for i in inputs):
                again.append(one.path.name)
                continue
            if tell is not None:
                tell(one)
            file = _File(one, sha256, folder, tally, later)
            prefixes = {i.prefix for i in inputs if i.prefix}
            heard = Heard(options)
            _read(file, prefixes, heard)
            if _stat(one.path) != stated:
                raise ChangedFileError(one.path)
            new.append(_input(file, stated[0], version, asked, heard.unheard))
            inputs.append(new[-1])
        truths = add_later(later, folder, tally)
        account = Account(
            software=f"ff-helpers {__version__}",
            inputs=tuple(inputs),
            left=tuple(Ignored(file=one.path.name, why=one.why) for one in left),
            rows=sum(one.added for one in inputs),
            later_truths=truths + (before.later_truths if before else 0),
            **tally.told(),
        )
        if new:
            folder.commit(account)
    return Imported(account, tuple(new), tuple(again), left, tally.records, tally.labels, truths)


def _read(file: _File, prefixes: set[str], options: Mapping[str, str]) -> None:
    """Read one file into the folder's unfinished files."""
    source = file.found.source
    file.is_later = bool(file.folder.known)
    rows = _rows(file, options)
    with (
        file.folder.spool() as (path, spool),
        Progress(f"reading {named(file.found.path.name)}", source.total or 0) as progress,
    ):
        for number, row in enumerate(rows, start=1):
            said = opinion(row.labels)
            trace, is_new = _placed(row, said, file, prefixes)
            if is_new:
                spool.write(line_of(trace))
            _count(said, trace, file, is_new=is_new)
            _judged(row, trace, file, is_new=is_new)
            _labelled(row, trace, file, is_new=is_new)
            if number % _STEP == 0:
                progress.step(*["row"] * _STEP)
        spool.close()
        if not file.counts["rows"]:
            raise NoRowsError(file.found.path)
        _finish(path, file)


def _rows(file: _File, options: Mapping[str, str]) -> Iterator[Row]:
    """Yield the rows of a file; an error about a threshold gets its name."""
    try:
        yield from reader(file.found.source.tool).read(file.found.path, options)
    except ThresholdError as error:
        raise FFError(f"{file.found.path}: {error}") from None


def _placed(row: Row, said: Opinion | None, file: _File, prefixes: set[str]) -> tuple[Trace, bool]:
    """Return the row's trace under the id that it has in the folder, and whether it is new there."""
    path, tool, known = file.found.path, file.found.source.tool, file.folder.known
    own = hashed(row.trace_id)
    if own in file.seen:
        problem = "an earlier row of the file has the same one"
        if tool == TABLE:
            problem += ". If the column names what was repeated, give it as --item in place of --id"
        raise BadRowError(path, row.record, "trace_id", problem)
    file.seen.add(own)
    trace = trace_of(row, said, path=path, tool=tool, trace_id=row.trace_id)
    what = content(trace)
    also = {prefix: known.get(hashed(f"{prefix}-{trace.trace_id}")) for prefix in sorted(prefixes)}
    if row.refers and own in known:
        if tool == TABLE and any(also.values()):
            problem = "several traces of the folder have this id, with and without a prefix: name the text"
            raise BadRowError(path, row.record, "trace_id", problem)
        return trace, False
    if row.refers and (file.is_later or tool != TABLE):
        problem = f"{file.folder.path} holds no trace {named(row.trace_id)}. Import its text first"
        raise BadRowError(path, row.record, "trace_id", problem)
    if own not in known:
        known[own] = what
        return trace, True
    if what.is_of(known[own]):
        return trace, False
    for prefix, there in also.items():
        if there is not None and what.is_of(there):
            return trace.model_copy(update={"trace_id": f"{prefix}-{trace.trace_id}"}), False
    trace_id = f"{file.sha256[:8]}-{trace.trace_id}"
    if hashed(trace_id) in known:
        raise BadRowError(path, row.record, "trace_id", "another row has it, with and without a prefix")
    known[hashed(trace_id)] = what
    file.counts["prefixed"] += 1
    return trace.model_copy(update={"trace_id": trace_id}), True


def _count(said: Opinion | None, trace: Trace, file: _File, *, is_new: bool) -> None:
    file.counts["rows"] += 1
    file.counts["added" if is_new else "already"] += 1
    if trace.row_status:
        file.statuses[trace.row_status] += 1
    file.counts["with people"] += said is not None
    file.counts["unlabelled"] += said is None and trace.fault is None
    if is_new:
        file.tally.opinion(said)
        file.counts["truths"] += trace.truth is not None


def _judged(row: Row, trace: Trace, file: _File, *, is_new: bool) -> None:
    """Write what judges said of a row; of a row that is there already only what they had not said."""
    path, heard = file.found.path, set[Identity]()
    for judgement in row.judgements:
        records = records_of(judgement, trace, path=path, record=row.record)
        who = records[-1].identity
        judge = _judge(who, judgement, file, row.record)
        if who in heard:
            problem = "two judgements of the row are by a judge of this name, model and version"
            raise BadRowError(path, row.record, f"judge {named(who.name)}", problem)
        heard.add(who)
        earlier = None
        if not is_new:
            if judge.before is None:
                judge.before = file.folder.standing(who)
            earlier = judge.before.get(hashed(trace.trace_id))
        if earlier is not None:
            if earlier.label == records[-1].label:
                continue
            records = [_corrected(records[-1], earlier, path)]
        _write(records, judge, file, earlier)
    file.judges |= heard
    if not heard and trace.fault is not None:
        file.unjudged.add(hashed(trace.trace_id))


def _judge(who: Identity, said: Judgement, file: _File, record: str) -> OneJudge:
    """Return what is known of a judge, noted at its first judgement."""
    judge = file.tally.judges.get(who)
    if judge is None:
        judge = file.tally.judges[who] = OneJudge(file.folder.ledger(who), said.space, judge_of(said))
    if judge.space != said.space:
        problem = f"its labels are in the space {said.space} here and in {judge.space} before"
        raise BadRowError(file.found.path, record, f"judge {named(who.name)}", problem)
    return judge


def _corrected(record: Record, earlier: LastSaid, path: Path) -> Record:
    """Return a record as the correction of what the same judge said of the same row in another file."""
    why = Supersedes(key=earlier.key, author="ff import", reason=f"{named(path.name)} says otherwise")
    return record.model_copy(update={"supersedes": why})


def _write(records: list[Record], judge: OneJudge, file: _File, earlier: LastSaid | None = None) -> None:
    """Write the records of one judgement, of which the last one stands."""
    ledger = file.folder.appended(judge.file)
    for record in records:
        ledger.write(line_of(record))
    judge.count(records, earlier)
    file.tally.records += 1


def _labelled(row: Row, trace: Trace, file: _File, *, is_new: bool) -> None:
    """Write what people said of a row; of a row that is there already only what they had not said."""
    given = [annotation(one) for one in row.labels]
    if len({(one.annotator, one.space) for one in given}) < len(given):
        problem = "one annotator gives two labels in one space"
        raise BadRowError(file.found.path, row.record, "annotator", problem)
    for one in given:
        if not is_new:
            said = file.folder.labels().get(hashed(trace.trace_id, one.annotator, one.space))
            if said is not None:
                if said != (one.label or ""):
                    where = f"{file.folder.path / LABELS} for trace {named(trace.trace_id)}"
                    problem = f"{named(one.annotator)} gave another one in {where}: take another --out"
                    raise BadRowError(file.found.path, row.record, "label", problem)
                continue
            file.later.add(trace.trace_id, one, file.found.path, row.record)
            file.counts["later"] += 1
        file.folder.add_label(trace.trace_id, one.annotator, one.label, one.space)
        file.tally.label(one.annotator, one.space, one.label)


def _finish(spool: Path, file: _File) -> None:
    """Put a file's new traces after those of the folder, once it is known what all of them are.

    The truth goes where some rows have no label. A row that nobody can grade and that no judge mentions gets
    its status from every judge of the file: errored rows stay in their denominator.
    """
    partly = bool(file.counts["unlabelled"] and file.counts["truths"])
    if partly:
        file.counts["truths"] = 0
    if not partly and not (file.unjudged and file.judges):
        file.folder.append(spool, TRACES)
        return
    traces = file.folder.appended(TRACES)
    for trace in read_records(spool, Trace) if spool.stat().st_size else ():
        kept = trace
        if partly and trace.truth is not None:
            kept = trace.model_copy(update={"truth": None, "truth_space": None, "sampling": None})
        traces.write(line_of(kept))
        if hashed(trace.trace_id) in file.unjudged:
            for who in sorted(file.judges, key=lambda who: who.name):
                judge = file.tally.judges[who]
                said = Said(status=trace.fault, reason=trace.why_fault)
                record = external_record(who.name, judge.space, trace, said, judge=judge.judge)
                _write([record], judge, file)


def _input(file: _File, size: int, version: str, options: dict[str, str], unused: tuple[str, ...]) -> Input:
    """Return the account of one file."""
    source, counts = file.found.source, file.counts
    return Input(
        file=storable(file.found.path.name),
        sha256=file.sha256,
        bytes=size,
        tool=source.tool,
        version=source.version,
        reader=version,
        direction=source.direction,
        notes=source.notes,
        options=options,
        unused=unused,
        prefix=file.sha256[:8] if counts["prefixed"] else None,
        rows_in=counts["rows"],
        added=counts["added"],
        already=counts["already"],
        prefixed=counts["prefixed"],
        plain=counts["rows"] - file.statuses.total(),
        statuses=dict(sorted(file.statuses.items())),
        unlabelled=counts["unlabelled"] if counts["with people"] else None,
        truths=counts["truths"],
        later=counts["later"],
    )


def _stat(path: Path) -> tuple[int, int]:
    """Return size and time of the last change, by which a file that changes is noticed."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns
