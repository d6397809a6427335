"""Shards: every trace in exactly one, whatever the order of the file; one grader, a ledger for each."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.grading.shards import BadShardError, Shard, read_shard, shard_of
from ff_helpers.grading.stream import grade_file
from tests.conftest import Project

SHARDS = 4


def trace(number: int) -> Trace:
    said = (Message(role="user", content="Code?"), Message(role="assistant", content=f"I cannot. {number}"))
    return Trace(
        trace_id=f"t{number:03d}", model="m", source="s", messages=said, truth="REFUSAL", truth_space="five"
    )


@given(st.text(min_size=1), st.integers(1, 10**9 - 1))
def test_a_trace_is_in_exactly_one_shard(trace_id: str, shards: int) -> None:
    number = shard_of(trace_id, shards)
    assert 1 <= number <= shards
    assert Shard(number, shards).holds(trace_id)
    assert not Shard(number % shards + 1, shards).holds(trace_id) or shards == 1


def test_the_shard_of_a_trace_never_changes() -> None:
    """Ledgers that were graded with an earlier version must fit together with those of this one."""
    assert [shard_of(f"t{number}", 16) for number in range(8)] == [12, 10, 11, 7, 14, 10, 12, 6]


def test_shards_are_of_about_the_same_size() -> None:
    sizes = [sum(shard_of(f"t{n}", 8) == shard for n in range(8000)) for shard in range(1, 9)]
    assert min(sizes) > 900
    assert max(sizes) < 1100


@pytest.mark.parametrize(
    "text", ["0/16", "17/16", "3", "3/0", "-1/4", "3/16/2", "a/b", "", "１/2", "1/9999999999"]
)
def test_a_shard_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(BadShardError, match=r"write I/N, such as 3/16"):
        read_shard(text)


def test_a_number_with_zeros_before_it_is_the_same_shard() -> None:
    assert str(read_shard("03/016")) == "3/16"


def test_shards_grade_every_trace_once_by_one_grader_whatever_the_order(tmp_path: Path) -> None:
    traces, backwards = tmp_path / "t.jsonl", tmp_path / "b.jsonl"
    write_records(traces, map(trace, range(60)))
    write_records(backwards, map(trace, reversed(range(60))))
    graded: list[str] = []
    graders = set()
    for number in range(1, SHARDS + 1):
        shard, ledger = Shard(number, SHARDS), tmp_path / f"v{number}.jsonl"
        done = grade_file(traces, "heuristic", ledger, shard=shard)
        graders.add(done.identity)
        assert grade_file(backwards, "heuristic", ledger, shard=shard).graded == 0
        records = list(read_ledger(ledger))
        assert len(records) == done.graded > 0
        assert {record.shard for record in records} == {f"{number}/{SHARDS}"}
        graded += [record.trace_id for record in records]
    assert sorted(graded) == [f"t{n:03d}" for n in range(60)]
    assert len(graders) == 1


def test_a_limit_is_of_the_file_so_that_the_shards_of_it_fit_together(tmp_path: Path) -> None:
    traces = tmp_path / "t.jsonl"
    write_records(traces, map(trace, range(60)))
    parts = [
        grade_file(traces, "heuristic", tmp_path / f"v{n}.jsonl", shard=Shard(n, 2), limit=20).graded
        for n in (1, 2)
    ]
    assert sum(parts) == 20


def test_a_shard_without_traces_leaves_an_empty_ledger(tmp_path: Path) -> None:
    traces, ledger = tmp_path / "t.jsonl", tmp_path / "v.jsonl"
    write_records(traces, [trace(0)])
    other = Shard(shard_of("t000", 2) % 2 + 1, 2)
    assert grade_file(traces, "heuristic", ledger, shard=other).graded == 0
    assert ledger.read_bytes() == b""


def test_two_shards_in_one_ledger_are_refused(tmp_path: Path) -> None:
    traces, ledger = tmp_path / "t.jsonl", tmp_path / "v.jsonl"
    write_records(traces, map(trace, range(20)))
    grade_file(traces, "heuristic", ledger, shard=Shard(1, 2))
    before = ledger.read_bytes()
    with pytest.raises(
        FFError, match=r"has rows of shard 1/2, and this is shard 2/2\. Give each shard a ledger"
    ):
        grade_file(traces, "heuristic", ledger, shard=Shard(2, 2))
    assert ledger.read_bytes() == before
    assert grade_file(traces, "heuristic", ledger).graded > 0  # without a shard: all that is missing


def test_the_command_says_its_shard_and_what_is_left_of_it(project: Project) -> None:
    write_records(project.folder / "t.jsonl", map(trace, range(60)))
    mine = sum(shard_of(f"t{n:03d}", SHARDS) == 3 for n in range(60))
    words = ("grade", "--traces", "t.jsonl", "--grader", "heuristic", "--ledger", "v3.jsonl")
    done = project.ff(*words, "--shard", "3/4")
    assert done.returncode == 0, done.stderr
    assert "grading shard 3/4 of t.jsonl with heuristic into v3.jsonl" in done.stderr
    assert f"all {mine} traces of shard 3/4 are graded" in done.stdout
    refused = project.ff(*words, "--shard", "5/4")
    assert refused.returncode == 2
    assert re.search(r"argument --shard: '5/4' is not a shard: write I/N", refused.stderr)
