"""The ledger: a journal of verdict records; corrections append, nothing is overwritten."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ff_helpers.columns import declared
from ff_helpers.corpus.journal import Journal, read_journal
from ff_helpers.grading.outcome import Conditions, GraderSetup, Record
from ff_helpers.terms import Identity

if TYPE_CHECKING:
    import pandas as pd

RETRIED = ("timeout", "server_error")
"""Statuses that say nothing about the trace: the next run retries those rows."""


class Done:
    """The (key, trace_id) pairs that are already graded, in about 100 bytes each."""

    def __init__(self) -> None:
        self._hashes: set[bytes] = set()

    def add(self, key: str, trace_id: str) -> None:
        """Note a pair: identical conversations with two ids share a key but are two rows."""
        self._hashes.add(short(key, trace_id))

    def __contains__(self, pair: tuple[str, str]) -> bool:
        return short(*pair) in self._hashes

    def __len__(self) -> int:
        return len(self._hashes)


class Ledger(Journal[Record]):
    """An open ledger: a journal of verdict records that knows which rows are graded.

    Args:
        path: the file; created with its folder if missing. A torn last line is set aside (see `Journal`).
        batch: the most records that one fsync covers when `append` commits.
        seconds: the longest time a record waits for its fsync (checked on each append).

    Raises:
        JournalBusyError: another process has it open.
        JournalWriteError: read-only folder, no space.
        BadLineError: the file is something else, or a line is not a valid record; nothing was changed.
    """

    def __init__(self, path: Path, *, batch: int = 16, seconds: float = 2.0) -> None:
        super().__init__(path, Record, batch=batch, seconds=seconds)
        self.done = Done()
        self.shards: set[str] = set()
        """The shards whose rows it has; none of rows that were not graded in shards."""
        self._conditions: dict[Identity, set[Conditions]] = {}

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            for record in self.records():
                self._note(record)
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def commit(self) -> list[Record]:
        """Write and fsync everything added; `done` then includes it. As `Journal.commit`."""
        committed = super().commit()
        for record in committed:
            self._note(record)
        return committed

    def changed_conditions(self, setup: GraderSetup) -> str:
        """Return a warning if this grader continues under other conditions, else an empty text.

        Context size, concurrency and threads do not belong to a grader's identity, but may change its
        verdicts. Older records do not say their threads.
        """
        now = setup.options.conditions
        before = self._conditions.get(setup.identity, {now})
        if not before.isdisjoint({now, now._replace(threads=None)}):
            return ""
        said = " or ".join(sorted(map(str, before)))
        return (
            f"{self.path} has verdicts of {setup.identity.name} made with {said}; this run uses "
            f"{now}. Each record says how it was made, and nothing "
            "is graded again, but verdicts may differ for this reason alone."
        )

    def _note(self, record: Record) -> None:
        conditions = self._conditions.setdefault(record.identity, set())
        conditions.add(record.options.conditions)
        if record.shard is not None:
            self.shards.add(record.shard)
        if record.status not in RETRIED:
            self.done.add(record.key, record.trace_id)


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


def short(key: str, trace_id: str) -> bytes:
    """Return 16 bytes that identify a record."""
    return hashlib.blake2b(f"{key}\n{trace_id}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
