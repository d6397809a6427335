"""The ledger: a journal of verdict records; corrections append, nothing is overwritten."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ff_helpers.columns import declared
from ff_helpers.corpus.journal import Journal, Place, read_journal
from ff_helpers.grading.contents import Contents
from ff_helpers.grading.index import LARGE, opened, save
from ff_helpers.grading.outcome import GraderSetup, Record

if TYPE_CHECKING:
    import pandas as pd


class Done:
    """The (key, trace_id) pairs that are already graded, for `in` and `len`."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    def __contains__(self, pair: tuple[str, str]) -> bool:
        return self._contents.is_done(*pair)

    def __len__(self) -> int:
        return self._contents.counts["done"]


class Ledger(Journal[Record]):
    """An open ledger: a journal of verdict records that knows which rows are graded.

    Args:
        path: the file; created with its folder if missing. A torn last line is set aside (see `Journal`).
        batch: the most records that one fsync covers when `append` commits.
        seconds: the longest time a record waits for its fsync (checked on each append).
        large: bytes from which on it has an index (see `index`).

    Raises:
        JournalBusyError: another process has it open.
        JournalWriteError: read-only folder, no space.
        BadLineError: the file is something else, or a line is not a valid record; nothing was changed.
    """

    def __init__(self, path: Path, *, batch: int = 16, seconds: float = 2.0, large: int = LARGE) -> None:
        super().__init__(path, Record, batch=batch, seconds=seconds)
        self.contents = Contents()
        """What its records come to, those included that were committed."""
        self._large, self._opened = large, self.contents.place
        self._whole = True

    @property
    def done(self) -> Done:
        """The rows that are not graded again."""
        return Done(self.contents)

    @property
    def shards(self) -> set[str]:
        """The shards whose rows it has; none of rows that were not graded in shards."""
        return {shard for notes in self.contents.graders for shard in notes.shards}

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self.contents.follow(self.path)  # a last record that only lacked its newline
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if self._whole and not self.broken and self.contents.place != self._opened:
            save(self.contents, self.path, large=self._large)

    def commit(self) -> list[Record]:
        """Write and fsync everything added; `done` then includes it. As `Journal.commit`."""
        whole, self._whole = self._whole, False  # interrupted from here on, no index is written
        committed = super().commit()
        for record in committed:
            self.contents.note(record)
        self._whole = whole
        return committed

    def _proven(self) -> Place:
        self.contents, _ = opened(self.path, large=self._large)
        self._opened = self.contents.place
        return self._opened

    def _write(self, data: bytes) -> None:
        super()._write(data)
        self.contents.passed(data)

    def changed_conditions(self, setup: GraderSetup) -> str:
        """Return a warning if this grader continues under other conditions, else an empty text.

        Context size, concurrency and threads do not belong to a grader's identity, but may change its
        verdicts. Older records do not say their threads.
        """
        now = setup.options.conditions
        notes = self.contents.of(setup.identity)
        before = {now} if notes is None else set(notes.conditions)
        if not before.isdisjoint({now, now._replace(threads=None)}):
            return ""
        said = " or ".join(sorted(map(str, before)))
        return (
            f"{self.path} has verdicts of {setup.identity.name} made with {said}; this run uses "
            f"{now}. Each record says how it was made, and nothing "
            "is graded again, but verdicts may differ for this reason alone."
        )


def read_ledger(path: Path) -> Iterator[Record]:
    """Yield the records of a ledger in the order in which they were written; a torn last line is left out.

    Raises:
        FileMissingError: there is no such file.
        BadLineError: a complete line is not a valid record.
    """
    return read_journal(path, Record)


def live_records(path: Path) -> list[Record]:
    """Return the valid records: the later of two with one key and trace, no superseded ones."""
    standing: dict[tuple[str, str], Record] = {}
    for record in read_ledger(path):
        if record.supersedes is not None:
            standing.pop((record.supersedes.key, record.trace_id), None)
        standing.pop(_pair(record), None)
        standing[_pair(record)] = record
    return list(standing.values())


def verdict_frame(path: Path) -> "pd.DataFrame":
    """Return a ledger as a frame, one row per valid record, in ledger order.

    Columns: trace_id, grader, grader_digest, rubric, method, space (the label space of the grader), verdict
    (missing if there is a status), status, reason, repeat, prompt_tokens, completion_tokens, started (UTC;
    missing where not recorded), duration_s (seconds), backward_f1 (in [0, 1], under the blind rubric only),
    temperature, seed, quantization, schema (str; missing where not recorded), num_ctx, concurrency, threads
    (of a model in this process; missing where not recorded), key, and for each label the probability that the
    model gave it, `p_COMPLIANCE` to `p_BENIGN_QUERY` (in [0, 1]; missing where not recorded).

    Raises:
        FileMissingError, BadLineError: as `read_ledger`.
    """
    rows = [
        {**r.model_dump(), **r.options.model_dump(), "schema": r.options.answer_schema, "space": r.space}
        | {f"p_{label}": share for label, share in (r.probabilities or {}).items()}
        for r in live_records(path)
    ]
    return declared("verdicts", rows)


def _pair(record: Record) -> tuple[str, str]:
    """Identify a record: identical conversations with two ids share a key but are two rows."""
    return record.key, record.trace_id
