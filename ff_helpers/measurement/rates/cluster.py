"""Verdicts counted on a cluster: each file of a folder is one task of Dask, whose counts are summed here.

A worker runs the statement that one machine would run (`count_part`) on one file and hands back counts; what
comes after sees counts only. Sums are right only where no row of one file repeats or replaces a row of
another. Compact files show it by their ranges of trace ids. Of other files the workers compare marks among
themselves (`marks`); where two files share one, the counts are refused, and both files are named.
"""

import concurrent.futures
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import pandas as pd

from ff_helpers.chat import loop
from ff_helpers.errors import FFError
from ff_helpers.grading.clusters import open_cluster
from ff_helpers.grading.on_worker import about
from ff_helpers.measurement.rates.compacted import compacted
from ff_helpers.measurement.rates.count_file import FileCounts, Part, count_part, counts_of_parts
from ff_helpers.measurement.rates.marks import in_two
from ff_helpers.measurement.rates.rows import column_types, database, verdict_files
from ff_helpers.measurement.rates.trace_rows import trace_index

if TYPE_CHECKING:
    from distributed import Client, Future

    from ff_helpers.measurement.rates.marks import Bucket


class _Task(NamedTuple):
    """What a worker counts, beside what the traces say."""

    file: Path
    by: tuple[str, ...]
    tags: tuple[str, ...]
    buckets: int
    types: Mapping[str, str]


def counts_on_cluster(
    path: Path, address: str, *, by: Sequence[str], traces: Sequence[Path] = (), tags: Sequence[str] = ()
) -> FileCounts:
    """Count the verdicts of a file or folder as `read_counts`, each file on a worker of a cluster.

    Args:
        path, by, traces, tags: as `read_counts`. Workers read the files under the same names: they are on a
            file system that all share. Traces are read here; models and classes, no texts, go to workers.
        address: as `open_cluster`: `local`, or `tcp://HOST:PORT` of a Dask scheduler that runs.

    Raises:
        NoClusterError: no cluster answers there.
        FFError: as `read_counts`; a worker has another version of this package or of Python; two files have
            the same trace of one grader, or one has a correction of the other.
    """
    files = verdict_files(path)
    types = column_types(files)
    known = trace_index(traces, tags) if traces else None
    with database() as connection:
        proven = len(files) == 1 or compacted(connection, files) is not None
    cluster = open_cluster(address)
    from distributed import KilledWorker

    try:
        client = cast("Client", cluster.client)
        workers = _checked(client)
        buckets = 0 if proven else workers
        tasks = [_Task(one.absolute(), tuple(by), tuple(tags), buckets, types) for one in files]
        there = None if known is None else client.scatter(known, broadcast=True)
        parts = [client.submit(_count, task, there, pure=False) for task in tasks]
        counted = counts_of_parts(_counts(client, parts), path, by=by, tags=tags)
        if not proven:
            _check_apart(client, parts, files, buckets)
    except (KilledWorker, concurrent.futures.CancelledError, OSError) as error:
        raise FFError(
            f"{address}: the cluster stopped while it counted ({type(error).__name__}). Nothing was written: "
            "see that its workers run and have memory, then run the command again."
        ) from None
    finally:
        loop.run(cluster.close())
    if known is None:
        return counted
    # Each file's count has the failed rows that it does not record: take out what other files record of them.
    faults = int((known["fault"].notna() & ~known["attack"]).sum())
    return dataclasses.replace(counted, failed=counted.failed - (len(files) - 1) * faults)


def _checked(client: "Client") -> int:
    """Return the number of workers, if each runs this code under this Python."""
    told = client.run(about, on_error="return")
    for worker, said in told.items():
        if said != about():
            lack = "does not have this package" if isinstance(said, Exception) else f"has {', '.join(said)}"
            raise FFError(
                f"worker {worker} {lack}; here is {', '.join(about())}. Install the same version on all "
                "workers and start them again."
            )
    if not told:
        raise FFError("the cluster has no worker. Start one with `dask worker ADDRESS`, then run it again.")
    return len(told)


def _count(task: _Task, known: pd.DataFrame | None) -> Part | str:
    """Return the counts of a file, or why it cannot be counted: on a worker."""
    try:
        files = verdict_files(task.file)
        return count_part(
            files, by=task.by, known=known, tags=task.tags, buckets=task.buckets, types=task.types, threads=1
        )
    except FFError as error:  # as text: an exception would be logged with its arguments
        return str(error)


def _counts(client: "Client", parts: "Sequence[Future]") -> Iterator[Part]:
    """Yield the counts of each file in turn, without the marks; they stay where they are."""
    for part in [client.submit(_only_counts, part, pure=False) for part in parts]:
        counts = part.result()
        if isinstance(counts, str):
            raise FFError(counts)
        yield counts


def _only_counts(part: Part | str) -> Part | str:
    return part if isinstance(part, str) else part._replace(marks=())


def _marks(part: Part, place: int) -> "Bucket":
    return part.marks[place]


def _in_two(*parts: "Bucket") -> tuple[int, int] | None:
    return in_two(parts)


def _check_apart(client: "Client", parts: "Sequence[Future]", files: Sequence[Path], buckets: int) -> None:
    found = []
    for place in range(buckets):
        marks = [client.submit(_marks, part, place, pure=False) for part in parts]
        found.append(client.submit(_in_two, *marks, pure=False))
    for both in client.gather(found):
        if both is not None:
            one, other = (files[place] for place in both)
            raise FFError(
                f"{one} and {other}: both have a verdict of one grader on one trace, or a correction of the "
                "other's, so their counts do not add up. Count without --cluster, or put ledgers together "
                "first (`ff ledger merge`)."
            )
