"""The ledger survives crashes, full disks and company."""

import json
import signal
import subprocess
import sys
import textwrap

import pandas as pd
import pytest

from ff_helpers.corpus.journal import JournalBusyError, JournalWriteError
from ff_helpers.corpus.jsonl import BadLineError, FileMissingError
from ff_helpers.grading.ledger import (
    Ledger,
    live_records,
    read_ledger,
    verdict_frame,
)
from ff_helpers.grading.outcome import GraderSetup, Options, Record, Supersedes
from tests.conftest import started


def record(key="k1", trace_id="t1", verdict="REFUSAL", **fields):
    if "status" in fields:
        verdict = None
    return Record(
        key=key,
        trace_id=trace_id,
        response_sha256="r",
        grader="g",
        grader_digest="d",
        rubric="rub@1",
        method="flip-final-turn",
        verdict=verdict,
        software="s",
        **fields,
    )


def write(path, *records):
    with Ledger(path) as ledger:
        for each in records:
            ledger.append(each)


def run_python(code, *args, **kwargs):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        **kwargs,
    )


def test_records_come_back_in_order_and_appending_keeps_what_was_there(tmp_path):
    path = tmp_path / "v.jsonl"
    write(path, record("a"), record("b"))
    before = path.read_bytes()
    write(path, record("c"))
    assert path.read_bytes().startswith(before)
    assert [r.key for r in read_ledger(path)] == ["a", "b", "c"]


def test_a_record_is_done_only_after_its_commit(tmp_path):
    path = tmp_path / "v.jsonl"
    with Ledger(path, batch=3, seconds=3600) as ledger:
        ledger.append(record("a"))
        ledger.append(record("b"))
        assert len(ledger.done) == 0
        assert path.read_bytes() == b""
        ledger.append(record("c"))
        assert all((key, "t1") in ledger.done for key in "abc")
        assert path.read_bytes().count(b"\n") == 3


def test_a_failed_request_is_tried_again_by_the_next_run_and_an_unparsable_one_is_not(tmp_path):
    path = tmp_path / "v.jsonl"
    write(
        path,
        record("a", status="timeout", reason="slow"),
        record("b", status="server_error", reason="500"),
        record("c", status="unparsable", reason="words"),
    )
    with Ledger(path) as ledger:
        assert [(key, "t1") in ledger.done for key in "abc"] == [False, False, True]
        ledger.append(record("a"))
    assert [(r.key, r.verdict) for r in live_records(path)] == [("b", None), ("c", None), ("a", "REFUSAL")]


def test_a_torn_last_line_is_cut_off_on_open_and_left_out_by_readers(tmp_path):
    path = tmp_path / "v.jsonl"
    write(path, record("a"), record("b"))
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"key":"c","trace_')
    assert [r.key for r in read_ledger(path)] == ["a", "b"]
    with Ledger(path) as ledger:
        assert len(ledger.done) == 2
        assert ledger.torn.read_bytes() == b'{"key":"c","trace_'
    assert path.read_bytes() == whole


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_any_tear_of_the_last_line_leaves_a_ledger_that_can_go_on(tmp_path, cut):
    path = tmp_path / "v.jsonl"
    write(path, record("a"), record("b"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    write(path, record("c"))
    keys = [r.key for r in read_ledger(path)]
    assert keys == (["a", "b", "c"] if cut == 1 else ["a", "c"])  # only the newline was missing: kept


def test_a_bad_line_in_the_middle_is_named_not_repaired(tmp_path):
    path = tmp_path / "v.jsonl"
    write(path, record("a"))
    path.write_bytes(b"not json\n" + path.read_bytes())
    with pytest.raises(BadLineError, match=r"v\.jsonl:1"), Ledger(path):
        pass
    write(tmp_path / "other.jsonl", record("z"))  # the lock was let go


def test_a_missing_ledger_is_named(tmp_path):
    with pytest.raises(FileMissingError, match="none"):
        list(read_ledger(tmp_path / "none.jsonl"))


def test_two_processes_are_refused_clearly(tmp_path):
    path = tmp_path / "v.jsonl"
    code = """
        import sys
        from pathlib import Path
        from ff_helpers.errors import FFError
        from ff_helpers.grading.ledger import Ledger
        try:
            with Ledger(Path(sys.argv[1])):
                print("opened")
        except FFError as error:
            print(type(error).__name__, error)
    """
    with Ledger(path) as ledger:
        ledger.append(record("a"))
        refused = run_python(code, path)
        with pytest.raises(JournalBusyError):
            Ledger(path).__enter__()
    assert "JournalBusyError" in refused.stdout
    assert str(path) in refused.stdout
    assert run_python(code, path).stdout == "opened\n"
    assert [r.key for r in read_ledger(path)] == ["a"]


def test_a_full_disk_is_one_clear_error_and_keeps_the_last_commit(tmp_path):
    """A file-size limit of the kernel stands in for the full disk: the write really fails half-way."""
    path = tmp_path / "v.jsonl"
    write(path, record("a"))
    kept = path.read_bytes()
    code = """
        import resource, signal, sys
        from pathlib import Path
        from ff_helpers.errors import FFError
        from ff_helpers.grading.ledger import Ledger, read_ledger
        path = Path(sys.argv[1])
        old = next(read_ledger(path))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, resource.RLIM_INFINITY))
        try:
            with Ledger(path, batch=2) as ledger:
                for n in range(4):
                    ledger.append(old.model_copy(update={"key": f"n{n}"}))
        except FFError as error:
            print(type(error).__name__, error)
    """
    result = run_python(code, path)
    assert "JournalWriteError" in result.stdout, result.stderr
    assert "Make room" in result.stdout
    assert path.read_bytes() == kept


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalWriteError, match="FF_OUTPUTS"), Ledger(tmp_path / "file" / "v.jsonl"):
        pass


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_leaves_a_ledger_that_the_next_one_continues(tmp_path, stop):
    path = tmp_path / "v.jsonl"
    write(path, record("seed"))
    code = """
        import sys, time
        from pathlib import Path
        from ff_helpers.grading.ledger import Ledger, read_ledger
        path = Path(sys.argv[1])
        old = next(read_ledger(path))
        with Ledger(path, batch=3, seconds=3600) as ledger:
            for n in range(100000):
                ledger.append(old.model_copy(update={"key": f"n{n}"}))
                if n == 10:
                    print("going", flush=True)
                time.sleep(0.001)
    """
    with started([sys.executable, "-c", textwrap.dedent(code), str(path)]) as child:
        assert child.stdout.readline() == "going\n"
        child.send_signal(stop)
        child.communicate(timeout=20)
    keys = [r.key for r in read_ledger(path)]
    assert len(keys) >= 10
    assert keys == ["seed", *(f"n{n}" for n in range(len(keys) - 1))]
    write(path, record("next"))
    assert [r.key for r in read_ledger(path)] == [*keys, "next"]


def test_corrections_append_and_the_frame_shows_what_stands(tmp_path):
    path = tmp_path / "v.jsonl"
    correction = Supersedes(key="a", author="R. Viewer", reason="names the code")
    write(
        path,
        record("a", "t1"),
        record("a", "t2"),
        record("m", "t1", "COMPLIANCE", supersedes=correction),
        record("b", "t3", status="unparsable", reason="words", options=Options(num_ctx=8192)),
    )
    frame = verdict_frame(path)
    assert len(path.read_bytes().splitlines()) == 4
    assert frame["trace_id"].tolist() == ["t2", "t1", "t3"]  # same key, another trace: still stands
    assert frame["verdict"].tolist()[:2] == ["REFUSAL", "COMPLIANCE"]
    assert frame["verdict"].isna().tolist() == [False, False, True]
    assert frame["status"].tolist()[2] == "unparsable"
    assert frame["num_ctx"].tolist()[2] == 8192


def test_an_empty_ledger_has_the_same_columns_and_types(tmp_path):
    (tmp_path / "v.jsonl").write_bytes(b"")
    write(tmp_path / "w.jsonl", record("a"))
    empty, one = verdict_frame(tmp_path / "v.jsonl"), verdict_frame(tmp_path / "w.jsonl")
    pd.testing.assert_series_equal(empty.dtypes, one.dtypes)


@pytest.mark.parametrize(("then", "now", "warned"), [(2, 2, False), (2, 1, True), (None, 2, False)])
def test_another_number_of_threads_is_warned_of_where_it_was_recorded(tmp_path, then, now, warned):
    first = record(options=Options(num_ctx=64, threads=then))
    write(tmp_path / "v.jsonl", first)
    with Ledger(tmp_path / "v.jsonl") as ledger:
        said = ledger.changed_conditions(GraderSetup(first.identity, 64, 1, "s", threads=now))
    assert said.endswith("for this reason alone.") == warned
    assert ("concurrency 1, threads 2; this run uses num_ctx 64, concurrency 1, threads 1" in said) == warned


def test_lines_are_plain_json_without_empty_fields(tmp_path):
    write(tmp_path / "v.jsonl", record("a"))
    line = json.loads((tmp_path / "v.jsonl").read_text())
    assert None not in line.values()
    assert line["verdict"] == "REFUSAL"
