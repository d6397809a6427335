"""`ff ledger merge`: one ledger from several, whatever their order, with the same records valid as before."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ff_helpers.corpus.journal import JournalBusyError
from ff_helpers.corpus.jsonl import BadLineError, FileMissingError, line_of, write_records
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.inventory import ledger_summary
from ff_helpers.grading.ledger import Ledger, live_records, read_ledger
from ff_helpers.grading.merge import ConflictingVerdictsError, LostRecordsError, merge_ledgers
from ff_helpers.grading.outcome import Record, Supersedes
from ff_helpers.grading.shards import Shard, shard_of
from ff_helpers.grading.stream import grade_file
from ff_helpers.terms import VERDICTS
from tests.conftest import ROOT, Project
from tests.kinds_of_file import kinds

QUICK = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where an fsync takes no time."""
RECORDED = ROOT / "data" / "recorded"
Make = Callable[..., Path]


def at(second: int) -> str:
    return f"2026-11-01T10:{second // 60:02d}:{second % 60:02d}+00:00"


def record(
    trace: str = "t1", verdict: str = "REFUSAL", *, key: str = "k", second: int = 0, **fields
) -> Record:
    label = {"verdict": verdict} if verdict in VERDICTS else {"status": verdict, "reason": "why"}
    fields = {"grader": "g", "grader_digest": "d", "rubric": "r@1", "started": at(second)} | fields
    return Record(
        key=f"{key}-{trace}", trace_id=trace, response_sha256="r", method="flip-final-turn", software="s",
        **label, **fields,
    )  # fmt: skip


def corrects(old: Record, verdict: str, *, key: str, second: int, by: str = "anna") -> Record:
    why = Supersedes(key=old.key, author=by, reason="read again")
    return record(old.trace_id, verdict, key=key, second=second, supersedes=why)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def write(name: str, *records: Record) -> Path:
        write_records(tmp_path / name, records)
        return tmp_path / name

    return write


def merged(folder: Path, inputs: Sequence[Path], **how: object) -> bytes:
    out = folder / f"out-{len(list(folder.iterdir()))}.jsonl"
    merge_ledgers(out, inputs, **how)
    return out.read_bytes()


# what two machines may have said: retries, second passes, two graders, the same row twice with one verdict
TRACES = [f"t{n}" for n in range(4)]
STATED = {trace: VERDICTS[n] for n, trace in enumerate(TRACES)}
ROWS = st.builds(
    lambda trace, second, failed, repeat, shard: record(
        trace, "timeout" if failed else STATED[trace], key=f"k{repeat}", second=second, repeat=repeat,
        shard=shard,
    ),
    st.sampled_from(TRACES), st.integers(0, 5), st.booleans(), st.integers(0, 1),
    st.sampled_from([None, "1/2"]),
)  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[Record]:
    """The records of a corrected trace, as `merge_manual` writes them: each corrects the one before.

    Two people decide, now and then anew; whose last decision counts changes, also back to the grader's own.
    """
    trace = draw(st.sampled_from(["c1", "c2"]))
    own = record(trace, "COMPLIANCE", second=0)
    said: dict[str, tuple[str, int]] = {}
    steps = [own]
    turns = st.lists(st.tuples(st.sampled_from(["a", "b", "own"]), st.booleans(), VERDICT), max_size=8)
    for second, (name, anew, label) in enumerate(draw(turns)):
        before = steps[-1]
        if anew or name not in said:
            said[name] = (label, 60 + second)
        if name == "own":
            why = Supersedes(key=before.key, author="x", reason="stands again")
            new = own.model_copy(update={"supersedes": why})
        else:
            new = corrects(before, said[name][0], key=name, second=said[name][1], by=name)
        if (new.key, new.label) != (before.key, before.label):
            steps.append(new)
    return steps


VERDICT = st.sampled_from(VERDICTS)
LEDGERS = st.lists(st.lists(ROWS, max_size=8), min_size=1, max_size=4)


@settings(max_examples=40)
@given(LEDGERS, histories(), st.randoms(use_true_random=False), st.sampled_from([2, 100]))
def test_order_repetition_and_grouping_do_not_change_a_byte(ledgers, history, dice, in_memory):
    with TemporaryDirectory(dir=QUICK) as name:
        folder = Path(name)
        ledgers = [*ledgers, history, history[:-1]]
        files = [folder / f"in-{n}.jsonl" for n in range(len(ledgers))]
        for path, records in zip(files, ledgers, strict=True):
            write_records(path, records)
        once = merged(folder, files)
        dice.shuffle(files)
        assert merged(folder, files, in_memory=in_memory) == once  # commutative, however it is sorted
        assert merged(folder, [*files, *files[:2]]) == once
        cut = dice.randint(0, len(files))
        halves = [folder / f"half-{n}.jsonl" for n in (1, 2)]
        for half, part in zip(halves, (files[:cut], files[cut:]), strict=True):
            if part:
                merge_ledgers(half, part)
        there = [half for half in halves if half.exists()]
        assert merged(folder, there) == once  # associative
        assert merged(folder, [*there, files[0]]) == once  # idempotent
        assert sorted(set(once.splitlines(keepends=True))) == sorted(
            {line_of(r) for one in ledgers for r in one}
        )


@settings(max_examples=100)
@given(histories())
def test_a_corrected_ledger_has_the_same_valid_records_after_a_merge(history):
    with TemporaryDirectory(dir=QUICK) as name:
        path = Path(name, "in.jsonl")
        write_records(path, history)
        out = Path(name, "out.jsonl")
        merge_ledgers(out, [path])
        assert sorted(map(line_of, read_ledger(out))) == sorted(map(line_of, history))
        assert valid(out) == valid(path)


def valid(path: Path) -> list[tuple[str, str, str]]:
    return sorted((r.trace_id, r.key, r.label) for r in live_records(path))


def test_ledgers_of_two_graders_and_of_an_older_version_merge(tmp_path: Path) -> None:
    """Recordings of different versions: some records name threads or probabilities, older ones do not."""
    inputs = sorted(RECORDED.glob("*.jsonl"))[:3]
    assert len(inputs) == 3
    done = merge_ledgers(tmp_path / "out.jsonl", inputs)
    assert done.records == sum(done.inputs.values())
    assert valid(tmp_path / "out.jsonl") == sorted(row for path in inputs for row in valid(path))


def test_a_field_of_a_later_version_is_named(make: Make, tmp_path: Path) -> None:
    path = make("a.jsonl", record())
    path.write_bytes(path.read_bytes() * 2)
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second.replace(b'"software"', b'"hardware":"x","software"'))
    with pytest.raises(BadLineError, match=r"a\.jsonl:2:hardware"):
        merge_ledgers(tmp_path / "out.jsonl", [path])
    assert not (tmp_path / "out.jsonl").exists()


def test_a_failed_request_of_one_machine_does_not_hide_the_verdict_of_another(
    make: Make, tmp_path: Path
) -> None:
    inputs = [make("a.jsonl", record(second=1)), make("b.jsonl", record(verdict="timeout", second=9))]
    merged(tmp_path, inputs)
    merge_ledgers(tmp_path / "out.jsonl", inputs)
    assert [r.label for r in live_records(tmp_path / "out.jsonl")] == ["REFUSAL"]
    held = ledger_summary(tmp_path / "out.jsonl")
    assert (held.records, held.retried, held.conflicting) == (2, 1, 0)


def test_two_verdicts_with_one_key_are_named_with_both_files_and_nothing_is_written(
    make: Make, tmp_path: Path
) -> None:
    inputs = [
        make("a.jsonl", record("t0"), record("t1", "REFUSAL", second=5)),
        make("b.jsonl", record("t1", "COMPLIANCE", second=3), record("t2")),
    ]
    out = tmp_path / "out.jsonl"
    with pytest.raises(ConflictingVerdictsError) as refused:
        merge_ledgers(out, inputs)
    said = str(refused.value)
    assert f"t1 by g: COMPLIANCE in {inputs[1]} (record 1), REFUSAL in {inputs[0]} (record 2)" in said
    assert [path.name for path in tmp_path.iterdir() if path not in inputs] == []
    for choice, label in (("first", "COMPLIANCE"), ("later", "REFUSAL")):
        done = merge_ledgers(out, inputs, conflicts=choice)
        assert (done.records, done.chosen) == (4, 1)
        assert {r.trace_id: r.label for r in live_records(out)}["t1"] == label
        assert merged(tmp_path, [out, *inputs], conflicts=choice) == out.read_bytes()


def test_without_a_time_there_is_no_first_and_no_later(make: Make, tmp_path: Path) -> None:
    inputs = [make("a.jsonl", record(started=None)), make("b.jsonl", record(verdict="PARTIAL", started=None))]
    with pytest.raises(ConflictingVerdictsError, match=r"where the records tell when"):
        merge_ledgers(tmp_path / "out.jsonl", inputs, conflicts="later")


def test_two_corrections_of_one_record_both_stand_and_are_counted(make: Make, tmp_path: Path) -> None:
    own = record(second=0)
    inputs = [
        make("a.jsonl", own, corrects(own, "PARTIAL", key="anna", second=60)),
        make("b.jsonl", own, corrects(own, "COMPLIANCE", key="ben", second=61, by="ben")),
    ]
    done = merge_ledgers(tmp_path / "out.jsonl", inputs)
    assert done.forked == 1
    assert [r.label for r in live_records(tmp_path / "out.jsonl")] == ["PARTIAL", "COMPLIANCE"]


def test_overlaps_are_counted_by_shard_and_file(make: Make, tmp_path: Path) -> None:
    a = make("a.jsonl", record("t1", shard="1/2"), record("t2", shard="1/2"))
    b = make("b.jsonl", record("t1", shard="1/2"), record("t2", second=4, shard="2/3"))
    done = merge_ledgers(tmp_path / "out.jsonl", [a, b])
    assert done.copied == {(f"shard 1/2 in {a}", f"shard 1/2 in {b}"): 1}
    assert done.twice == {(f"shard 1/2 in {a}", f"shard 2/3 in {b}"): 1}
    assert done.records == 3


def test_a_machine_with_another_build_of_the_model_shows_as_a_hole_of_both(
    make: Make, tmp_path: Path
) -> None:
    inputs = [make(f"v.{n}.jsonl", record(f"t{n}", shard=f"{n}/3")) for n in (1, 2)]
    inputs.append(make("v.3.jsonl", record("t3", shard="3/3", key="other", grader_digest="e")))
    merge_ledgers(tmp_path / "out.jsonl", inputs)
    parts = [rows.parts[0] for rows in ledger_summary(tmp_path / "out.jsonl").graders]
    assert [(part.there, list(part.absent)) for part in parts] == [((1, 2), [3]), ((3,), [1, 2])]


def test_an_existing_result_is_replaced_only_by_one_with_all_of_its_records(
    make: Make, tmp_path: Path
) -> None:
    a, b, out = make("a.jsonl", record("t1")), make("b.jsonl", record("t2")), tmp_path / "out.jsonl"
    merge_ledgers(out, [a])
    out.chmod(0o640)
    merge_ledgers(out, [b, a])
    assert out.stat().st_mode & 0o777 == 0o640
    before = out.read_bytes()
    with pytest.raises(
        LostRecordsError, match=r"1 of its records are not in the inputs \(the first is of trace t2\)"
    ):
        merge_ledgers(out, [a])
    with pytest.raises(FFError, match=r"is the result and among the inputs"):
        merge_ledgers(out, [a, out])
    with Ledger(out), pytest.raises(JournalBusyError):
        merge_ledgers(out, [a, b])
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "b.jsonl", "out.jsonl"]


def test_a_link_to_a_result_stays_a_link(make: Make, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "out.jsonl").symlink_to(tmp_path / "store" / "v.jsonl")
    merge_ledgers(tmp_path / "out.jsonl", [make("a.jsonl", record())])
    assert (tmp_path / "out.jsonl").is_symlink()
    assert len(list(read_ledger(tmp_path / "store" / "v.jsonl"))) == 1


def test_what_is_no_ledger_is_named_and_nothing_is_written(make: Make, tmp_path: Path) -> None:
    good, out = make("a.jsonl", record()), tmp_path / "new" / "out.jsonl"
    for path, error, words in (
        (tmp_path / "none.jsonl", FileMissingError, "no such file"),
        (tmp_path, FFError, "is a folder. Name the ledgers in it"),
    ):
        with pytest.raises(error, match=words):
            merge_ledgers(out, [good, path])
        assert not list(out.parent.iterdir())
    for content, _ in kinds().values():
        other = tmp_path / "other"
        other.write_bytes(content)
        for result, inputs in ((out, [good, other]), (other, [good])):
            with pytest.raises(BadLineError):
                merge_ledgers(result, inputs)
        assert other.read_bytes() == content
        assert not list(out.parent.iterdir())
    with pytest.raises(FFError, match="no ledger to merge"):
        merge_ledgers(out, [])


def test_a_torn_last_line_is_left_out_and_told_and_the_input_keeps_it(make: Make, tmp_path: Path) -> None:
    path = make("a.jsonl", record("t1"), record("t2"))
    path.write_bytes(path.read_bytes()[:-30])
    before = path.read_bytes()
    done = merge_ledgers(tmp_path / "out.jsonl", [path])
    assert (done.records, list(done.torn)) == (1, [path])
    assert path.read_bytes() == before


def test_an_input_that_is_still_written_to_is_told(make: Make, tmp_path: Path) -> None:
    path = make("a.jsonl", record())
    with Ledger(path):
        assert merge_ledgers(tmp_path / "out.jsonl", [path]).busy == (path,)
    assert merge_ledgers(tmp_path / "out.jsonl", [path]).busy == ()


FULL = """
    import resource, signal, sys
    from pathlib import Path
    from ff_helpers.errors import FFError
    from ff_helpers.grading.merge import merge_ledgers
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
    try:
        merge_ledgers(Path(sys.argv[1]), [Path(p) for p in sys.argv[3:]], in_memory=int(sys.argv[2]))
    except FFError as error:
        print(error)
"""


@pytest.mark.parametrize("in_memory", [3, 1000])  # full while sorting, full while writing
def test_a_full_disk_keeps_the_older_result(make: Make, tmp_path: Path, in_memory: int) -> None:
    a, b = make("a.jsonl", record("t0")), make("b.jsonl", *(record(f"t{n}") for n in range(40)))
    out = tmp_path / "out.jsonl"
    merge_ledgers(out, [a])
    before = out.read_bytes()
    words = [sys.executable, "-c", textwrap.dedent(FULL), str(out), str(in_memory), str(a), str(b)]
    full = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "out.jsonl cannot be written: File too large. Make room" in full.stdout, full.stderr
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "b.jsonl", "out.jsonl"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads and writes everywhere")
def test_a_folder_that_cannot_be_read_or_written_is_named(make: Make, tmp_path: Path) -> None:
    good, closed = make("a.jsonl", record()), tmp_path / "closed"
    closed.mkdir(mode=0o000)
    with pytest.raises(FFError, match=r"b\.jsonl cannot be read: Permission denied"):
        merge_ledgers(tmp_path / "out.jsonl", [good, closed / "b.jsonl"])
    closed.chmod(0o500)
    with pytest.raises(FFError, match=r"out\.jsonl cannot be written: Permission denied"):
        merge_ledgers(closed / "out.jsonl", [good])


def trace(number: int) -> Trace:
    said = (Message(role="user", content="Code?"), Message(role="assistant", content=f"I cannot. {number}"))
    return Trace(
        trace_id=f"t{number:03d}", model="m", source="s", messages=said, truth="REFUSAL", truth_space="five"
    )


def test_the_command_names_the_shard_that_is_missing_and_the_one_that_is_not_complete(
    project: Project,
) -> None:
    write_records(project.folder / "t.jsonl", map(trace, range(80)))
    for number in (1, 2, 4):
        path = project.folder / f"v.{number}.jsonl"
        grade_file(project.folder / "t.jsonl", "heuristic", path, shard=Shard(number, 4))
    short = project.folder / "v.2.jsonl"
    short.write_bytes(b"".join(short.read_bytes().splitlines(keepends=True)[:-3]))
    third = sum(shard_of(f"t{n:03d}", 4) == 3 for n in range(80))

    words = ("ledger", "merge", "v.jsonl", "v.1.jsonl", "v.2.jsonl", "v.4.jsonl")
    alone = project.ff(*words)
    assert alone.returncode == 0, alone.stderr
    assert "merging 3 ledgers into v.jsonl" in alone.stderr
    assert f"v.jsonl: {80 - third - 3} records from 3 ledgers" in alone.stdout
    assert "shards of 4: 1-2, 4\n    not in it: 3\n" in alone.stdout
    known = project.ff(*words, "--traces", "t.jsonl")
    assert known.returncode == 1
    assert "not complete: 2 (3 traces)" in known.stdout
    assert f"not in it: 3 ({third} traces)" in known.stdout
    assert "continue: ff grade --traces t.jsonl --grader heuristic --ledger v.jsonl" in known.stdout

    for number in (2, 3):
        path = project.folder / f"v.{number}.jsonl"
        grade_file(project.folder / "t.jsonl", "heuristic", path, shard=Shard(number, 4))
    whole = project.ff(*words, "v.3.jsonl", "--traces", "t.jsonl")
    assert whole.returncode == 0, whole.stderr
    assert "all 80 traces are graded" in whole.stdout
    assert "shards of 4: 1-4" in whole.stdout
    assert "shards of 4: 1-4" in project.ff("ledger", "v.jsonl").stdout
    assert "shards of 4: 3\n    not in it: 1-2, 4\n" in project.ff("ledger", "v.3.jsonl").stdout


def test_the_command_ends_with_1_where_verdicts_contradict_each_other(project: Project) -> None:
    write_records(project.folder / "a.jsonl", [record(second=1)])
    write_records(project.folder / "b.jsonl", [record(verdict="PARTIAL", second=2)])
    refused = project.ff("ledger", "merge", "out.jsonl", "a.jsonl", "b.jsonl")
    assert refused.returncode == 1
    assert "t1 by g: REFUSAL in a.jsonl (record 1), PARTIAL in b.jsonl (record 1)" in refused.stderr
    assert not (project.folder / "out.jsonl").exists()
    chosen = project.ff("ledger", "merge", "out.jsonl", "a.jsonl", "b.jsonl", "--conflicts", "first")
    assert chosen.returncode == 0
    assert "rows with different verdicts: 1; the one given first counts" in chosen.stdout
    assert project.ff("ledger", "merge", "out.jsonl").returncode == 2
