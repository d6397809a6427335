"""pandas, DuckDB, sums over files, and workers of Dask count the same; what does not add up is refused."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.rates.cluster import counts_on_cluster
from ff_helpers.measurement.rates.compacted import compact
from ff_helpers.measurement.rates.count_file import FileCounts, count_part, counts_of_parts, read_counts
from ff_helpers.measurement.rates.counts import count_verdicts
from ff_helpers.measurement.rates.marks import in_two
from ff_helpers.measurement.rates.rows import column_types, verdict_files
from ff_helpers.terms import IDENTITY, STATUSES, VERDICTS
from tests.conftest import ROOT
from tests.measurement.rates.test_compacted import row, same, write

BY = ("model", "grader")
WIDE = (*IDENTITY, "method", "model")
LEDGERS = sorted((ROOT / "data" / "recorded").glob("*.jsonl"))
TRACES = [ROOT / "data" / "calibration" / f"{name}.jsonl" for name in ("proxies", "injections")]


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler and two workers, each a process of its own, as on other machines."""
    pytest.importorskip("distributed", reason="Dask is not installed: tools/install.py cluster")
    folder = tmp_path_factory.mktemp("dask")
    env = os.environ | {"DASK_DISTRIBUTED__DASHBOARD__LINK": "", "PYTHONPATH": str(ROOT)}
    # Run as modules: a worker is started by whoever owns the machine, not by our client.
    told = folder / "scheduler.json"
    base = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard", "--no-show"]
    started = [
        subprocess.Popen(
            [*base, "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(told)],
            env=env, cwd=folder, stderr=subprocess.DEVNULL,
        )
    ]  # fmt: skip
    work = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-dashboard", "--nthreads", "1"]
    work += ["--no-nanny", "--scheduler-file", str(told), "--local-directory", str(folder)]
    started += [subprocess.Popen(work, env=env, cwd=folder, stderr=subprocess.DEVNULL) for _ in range(2)]
    try:
        from distributed import Client

        with Client(scheduler_file=str(told), timeout=120, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=120)
            address = client.scheduler.address
        yield address
    finally:
        for one in reversed(started):
            one.kill()
            one.wait()


def summed(path: Path, by: tuple[str, ...]) -> FileCounts:
    """What a cluster does, without one."""
    files = verdict_files(path)
    types = column_types(files)
    parts = [count_part([one], by=by, buckets=2, types=types) for one in files]
    for place in range(2):
        assert in_two(tuple(part.marks[place] for part in parts)) is None
    return counts_of_parts(parts, path, by=by, needs=())


drawn_rows = st.lists(
    st.tuples(
        st.one_of(
            st.tuples(st.sampled_from(VERDICTS), st.none()), st.tuples(st.none(), st.sampled_from(STATUSES))
        ),
        st.sampled_from(["m", "n", None]),
        st.sampled_from([("g", "sha256:a", 0), ("g", "sha256:b", 0.5), ("h", None, None)]),
        st.integers(0, 1),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=14,
)


def written(folder: Path, drawn: list) -> tuple[pd.DataFrame, list[Path]]:
    """Rows as a frame, as JSONL files, and as Parquet files whose columns differ in type."""
    rows = [
        {"trace_id": f"t{n}", "model": model, "grader": name, "grader_digest": digest, "rubric": "r",
         "temperature": warm, "verdict": verdict, "status": status, "repeat": repeat}
        for n, ((verdict, status), model, (name, digest, warm), repeat, _) in enumerate(drawn)
    ]  # fmt: skip
    for part in range(3):
        own = [one for one, (*_, place) in zip(rows, drawn, strict=True) if place == part]
        if not own:
            continue
        told = [
            {k: v for k, v in one.items() if v is not None and k != "temperature"}
            | ({} if one["temperature"] is None else {"options": {"temperature": one["temperature"]}})
            for one in own
        ]
        write(folder / "lines" / f"{part}.jsonl", *told)
        (folder / "parquet").mkdir(exist_ok=True)
        table = pd.DataFrame(own).astype({"verdict": "str", "status": "str", "model": "str"})
        whole = all(one["temperature"] in (0, None) for one in own)
        table["temperature"] = table["temperature"].astype("Int64" if whole else "Float64")
        duckdb.from_df(table).write_parquet(str(folder / "parquet" / f"{part}.parquet"))
    frame = pd.DataFrame(rows).astype({"verdict": "str", "status": "str", "model": "str"})
    return frame, [folder / "lines", folder / "parquet"]


def by_pandas(frame: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The counts as a plain group-by of pandas gives them, for graders that one name tells apart."""
    first = frame[frame["repeat"] == 0]
    first = first.assign(outcome=first["verdict"].fillna(first["status"]), graded=first["verdict"].notna())
    first = first.assign(**{name: first[name].astype("str").fillna("not recorded") for name in by})
    heads = [*by, "outcome", "graded"]
    return first.groupby(heads).size().rename("n").reset_index()


@given(drawn_rows)
@settings(max_examples=5)
def test_pandas_duckdb_and_sums_over_files_are_equal(tmp_path_factory, drawn: list) -> None:
    folder = tmp_path_factory.mktemp("counts")
    frame, places = written(folder, drawn)
    plain = count_verdicts(frame, by=("model",))
    grouped = by_pandas(frame, ["model"])
    pd.testing.assert_frame_equal(plain.reset_index(drop=True), grouped.astype(plain.dtypes.to_dict()))
    for place in places:
        for by in (BY, WIDE):
            whole, parts = read_counts(place, by=by, needs=()), summed(place, by)
            same(whole, parts)
            if by != WIDE:
                pd.testing.assert_frame_equal(whole.table, count_verdicts(frame, by=by))


def test_dask_with_its_workers_in_this_process_counts_the_same(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: tools/install.py cluster")
    drawn = [
        (
            (VERDICTS[n % 5], None) if n % 7 else (None, STATUSES[0]),
            "mn"[n % 2],
            ("g", None, 0),
            n % 11 == 0,
            n % 3,
        )
        for n in range(60)
    ]
    frame, places = written(tmp_path, drawn)
    expected = count_verdicts(frame, by=BY)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0", protocol="tcp"
    ) as cluster:
        for place in places:
            counted = counts_on_cluster(place, cluster.scheduler_address, by=BY)
            pd.testing.assert_frame_equal(counted.table, expected)
            same(counted, read_counts(place, by=BY))


def test_workers_of_their_own_count_the_same(scheduler: str, tmp_path: Path) -> None:
    ledgers, compacts = tmp_path / "ledgers", tmp_path / "compact"
    ledgers.mkdir()
    compacts.mkdir()
    for one in LEDGERS:
        (ledgers / one.name).write_bytes(one.read_bytes())
    whole = read_counts(ledgers, by=WIDE[:-1])
    assert whole.rows > 1000
    same(counts_on_cluster(ledgers, scheduler, by=WIDE[:-1]), whole)
    for traces in (TRACES, TRACES[:1]):
        known = read_counts(ledgers, by=BY, traces=traces)
        assert known.elsewhere
        same(counts_on_cluster(ledgers, scheduler, by=BY, traces=traces), known)
    for name, ids in (("a", range(20)), ("b", range(20, 50))):
        compact(write(tmp_path / f"{name}.jsonl", *map(row, ids)), compacts / f"{name}.parquet")
    same(counts_on_cluster(compacts, scheduler, by=("grader",)), read_counts(compacts, by=("grader",)))


def test_what_does_not_add_up_is_refused(scheduler: str, tmp_path: Path) -> None:
    one = write(
        tmp_path / "f" / "a.jsonl", row(1, key="k1"), row(2), row(9, key="k9"), row(9, "PARTIAL", key="k9")
    )
    same(counts_on_cluster(one.parent, scheduler, by=BY), read_counts(one.parent, by=BY))
    other = write(tmp_path / "f" / "b.jsonl", row(3), row(2, "PARTIAL", repeat=1))
    same(counts_on_cluster(one.parent, scheduler, by=BY), read_counts(one.parent, by=BY))
    both = r"a\.jsonl and .*b\.jsonl: both have a verdict of one grader on one trace"
    for more in (
        row(2),
        row(1, "PARTIAL", grader="h", supersedes={"key": "k1", "author": "a", "reason": "r"}),
    ):
        write(other, row(3), more)
        with pytest.raises(FFError, match=both):
            counts_on_cluster(one.parent, scheduler, by=BY)
    write(other, row(3), {"trace_id": "x", "grader": "g", "verdict": "MAYBE"})
    with pytest.raises(FFError, match=r"b\.jsonl:2:verdict"):
        counts_on_cluster(one.parent, scheduler, by=BY)


def test_failed_rows_without_a_record_are_counted_once(scheduler: str, tmp_path: Path) -> None:
    traces = tmp_path / "traces.jsonl"
    lines = [
        {"trace_id": f"t{n:03}", "model": "m", "provider": "p", "source": "s",
         "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
        | ({"row_status": "target_error"} if n > 2 else {})
        for n in range(6)
    ]  # fmt: skip
    write(traces, *lines)
    for name, ids in (("a", (0, 3)), ("b", (1, 2))):
        write(tmp_path / "f" / f"{name}.jsonl", *map(row, ids))
    whole = read_counts(tmp_path / "f", by=BY, traces=[traces])
    assert whole.failed == 2
    counted = counts_on_cluster(tmp_path / "f", scheduler, by=BY, traces=[traces])
    assert asdict(counted) | {"table": None} == asdict(whole) | {"table": None}


def test_a_cluster_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed: tools/install.py cluster")
    write(tmp_path / "a.jsonl", row(1))
    with pytest.raises(FFError, match=r"tcp://127\.0\.0\.1:1: no Dask scheduler answers"):
        counts_on_cluster(tmp_path, "tcp://127.0.0.1:1", by=BY)
    with pytest.raises(FFError, match="is not a cluster"):
        counts_on_cluster(tmp_path, "somewhere", by=BY)


def test_a_cluster_without_workers_is_named(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: tools/install.py cluster")
    for name, ids in (("a", range(3)), ("b", range(3, 6))):
        write(tmp_path / f"{name}.jsonl", *map(row, ids))
    with (
        distributed.LocalCluster(
            n_workers=0, processes=False, dashboard_address="127.0.0.1:0", protocol="tcp"
        ) as cluster,
        pytest.raises(FFError, match="the cluster has no worker"),
    ):
        counts_on_cluster(tmp_path, cluster.scheduler_address, by=BY)
