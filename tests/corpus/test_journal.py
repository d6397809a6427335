"""The journal: what is committed stays, whatever happens to the process, the disk or the last line."""

import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from ff_helpers.corpus.journal import (
    Journal,
    JournalBusyError,
    JournalChangedError,
    JournalWriteError,
    read_journal,
    torn_tail,
)
from ff_helpers.corpus.jsonl import BadLineError, FileMissingError
from ff_helpers.corpus.torn import is_torn
from ff_helpers.grading.outcome import Options, Record, Supersedes
from ff_helpers.terms import VERDICTS


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    n: int
    text: str = ""
    more: str | None = None


def write(path, *notes):
    with Journal(path, Note) as journal:
        for note in notes:
            journal.append(note)


def numbers(path):
    return [note.n for note in read_journal(path, Note)]


def test_records_come_back_in_order_and_a_second_opening_appends(tmp_path):
    path = tmp_path / "new" / "folder" / "j.jsonl"
    write(path, Note(n=1), Note(n=2, text="line one\nline two é"))
    write(path, Note(n=3))
    with Journal(path, Note) as journal:
        assert [note.n for note in journal.records()] == [1, 2, 3]
    assert path.read_text().splitlines()[0] == '{"n":1,"text":""}'


def test_a_commit_says_what_is_durable_now_and_appends_commit_by_number(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path, Note, batch=3, seconds=3600) as journal:
        assert [journal.add(Note(n=n)) for n in (1, 2)] == [1, 2]
        assert path.read_bytes() == b""
        journal.append(Note(n=3))
        assert numbers(path) == [1, 2, 3]
        assert journal.commit() == []
        journal.add(Note(n=4))
        assert journal.commit() == [Note(n=4)]
        assert numbers(path) == [1, 2, 3, 4]
        journal.add(Note(n=5))
    assert numbers(path) == [1, 2, 3, 4, 5]


def test_appends_commit_by_time(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path, Note, batch=1000, seconds=0.05) as journal:
        journal.append(Note(n=1))
        time.sleep(0.06)
        journal.append(Note(n=2))
        assert numbers(path) == [1, 2]


def test_commits_of_one_thread_lose_nothing_that_another_adds(tmp_path):
    path, done = tmp_path / "j.jsonl", threading.Event()
    with Journal(path, Note) as journal:
        committed = []

        def keep_committing():
            while not done.is_set():
                committed.extend(journal.commit())

        thread = threading.Thread(target=keep_committing)
        thread.start()
        for n in range(3000):
            journal.add(Note(n=n))
        done.set()
        thread.join()
        committed.extend(journal.commit())
    assert [note.n for note in committed] == list(range(3000))
    assert numbers(path) == list(range(3000))


LINES = [Note(n=n, text="ö" * n * 7) for n in range(4)]


@given(st.data())
def test_a_tear_at_any_byte_costs_at_most_the_line_that_it_tore(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("torn") / "j.jsonl"
    write(path, *LINES)
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    lines = whole[:cut].splitlines(keepends=True)
    only_newline_missing = cut < len(whole) and whole[cut : cut + 1] == b"\n"
    complete = whole[:cut].count(b"\n") + only_newline_missing
    torn = lines[-1] if cut and not only_newline_missing and whole[cut - 1 : cut] != b"\n" else b""
    assert torn_tail(path, Note) == len(torn)
    if torn and not complete:  # nothing whole proves that the file is ours: it stays as it is
        with pytest.raises(BadLineError, match="if a crash left it, delete it"):
            write(path, Note(n=99))
        assert path.read_bytes() == whole[:cut]
        return
    assert numbers(path) == list(range(complete))
    with Journal(path, Note) as journal:
        journal.append(Note(n=99))
    assert numbers(path) == [*range(complete), 99]
    assert path.read_bytes().startswith(whole[: cut - len(torn)])
    assert (journal.torn.read_bytes() if journal.torn else b"") == torn


def test_a_torn_line_longer_than_any_buffer_is_cut_off_and_the_lines_before_it_stay(tmp_path):
    path = tmp_path / "j.jsonl"
    write(path, *LINES)
    whole = path.read_bytes()
    torn = b'{"n":5,"text":"' + b"x" * 300_000
    path.write_bytes(whole + torn)
    assert torn_tail(path, Note) == 300_015
    write(path)
    assert path.read_bytes() == whole
    assert path.with_name("j.jsonl.torn").read_bytes() == torn


def test_a_bad_line_in_the_middle_is_named_and_never_repaired(tmp_path):
    path = tmp_path / "j.jsonl"
    write(path, Note(n=1))
    path.write_bytes(b'{"n": "many"}\n' + path.read_bytes())
    with pytest.raises(BadLineError, match=r"j\.jsonl:1:n"), Journal(path, Note) as journal:
        list(journal.records())
    with pytest.raises(FileMissingError, match="note records"):
        list(read_journal(tmp_path / "none.jsonl", Note))


def test_the_second_writer_is_told_so_and_the_first_goes_on(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path, Note) as journal:
        journal.append(Note(n=1))
        with pytest.raises(JournalBusyError, match="another run"):
            Journal(path, Note).__enter__()
        journal.append(Note(n=2))
    assert numbers(path) == [1, 2]


def test_a_folder_that_cannot_be_made_or_a_folder_in_its_place_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "j.jsonl").mkdir()
    for path in (tmp_path / "file" / "j.jsonl", tmp_path / "j.jsonl"):
        with pytest.raises(JournalWriteError, match=r"cannot be written.*Make room"), Journal(path, Note):
            pass


@pytest.mark.skipif(not os.path.ismount("/sys"), reason="no such file system to try")
def test_a_file_system_that_takes_no_files_is_one_clear_error():
    from pathlib import Path

    with pytest.raises(JournalWriteError, match="cannot be written"), Journal(Path("/sys/j.jsonl"), Note):
        pass


def test_after_a_full_disk_nothing_half_written_stays_and_closing_is_quiet(tmp_path):
    """A file-size limit of the kernel stands in for the full disk: the write really fails half-way."""
    path = tmp_path / "j.jsonl"
    code = """
        import resource, signal, sys
        from pathlib import Path
        from ff_helpers.corpus.journal import Journal, JournalWriteError
        from tests.corpus.test_journal import Note
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
        with Journal(Path(sys.argv[1]), Note) as journal:
            journal.add(Note(n=1))
            print(len(journal.commit()), journal.broken)
            for n in range(2, 20):
                journal.add(Note(n=n))
            try:
                journal.commit()
            except JournalWriteError as error:
                print(journal.broken, error)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("1 False\nTrue ")
    assert "File too large. Make room" in done.stdout
    assert path.read_bytes() == b'{"n":1,"text":""}\n'


@pytest.mark.parametrize("content", ["a text\nof two lines", "one line", '{"title": "no note"}\n{"torn'])
def test_a_file_of_something_else_keeps_every_byte(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_text(content)
    with pytest.raises(BadLineError, match=r"notes\.txt:1"), Journal(path, Note):
        pass
    assert path.read_text() == content


def test_an_opening_that_comes_to_nothing_leaves_no_empty_file(tmp_path):
    with pytest.raises(RuntimeError), Journal(tmp_path / "j.jsonl", Note):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


RECORDS = st.builds(
    Record,
    key=st.text(max_size=9),
    trace_id=st.text(),
    response_sha256=st.just("r"),
    grader=st.text(max_size=5),
    grader_digest=st.just("d"),
    rubric=st.just("r@1"),
    method=st.just("heuristic"),
    verdict=st.sampled_from(VERDICTS),
    backward_f1=st.none() | st.floats(0, 1),
    raw=st.none() | st.text(),
    options=st.builds(Options, temperature=st.none() | st.floats(0, 2), seed=st.none() | st.integers()),
    software=st.just("s"),
    supersedes=st.none() | st.just(Supersedes(key="k", author="a", reason="r")),
)


@given(RECORDS, st.data())
def test_every_beginning_of_a_record_is_known_as_ours(record: Record, data: st.DataObject) -> None:
    line = record.model_dump_json(exclude_none=True).encode()
    cut = data.draw(st.integers(1, len(line) - 1))
    assert is_torn(line[:cut], Record)
    assert not is_torn(line, Record)


@pytest.mark.parametrize(
    "tail",
    [
        b"a note of mine",
        b"{",
        b'{"key": "with a space after the colon',
        b'{"trace_id":"t","key":"in another order',
        b'{"key":"k","grader":"without the trace',
        b'{"key":"k","trace_id":"t","mine":"a field of somebody else',
        b'{"key":"k","trace_id":7,"response_sha256":"a number before it',
        b'{"key":"k"}{"key":"k',
        b'{"key":"k"} more',
        b'{"key":"\xff',
        b'["key","k"',
        b"\0\0\0\0",
    ],
)
def test_a_last_line_that_is_not_certainly_ours_is_never_cut(tmp_path, tail):
    path = tmp_path / "v.jsonl"
    ours = Record(
        key="k", trace_id="t", response_sha256="r", grader="g", grader_digest="d", rubric="r@1",
        method="manual", verdict="REFUSAL", software="s",
    )  # fmt: skip
    with Journal(path, Record) as journal:
        journal.append(ours)
    content = path.read_bytes() + tail
    path.write_bytes(content)
    before = path.stat().st_mtime_ns
    if tail == b"{":  # the first byte of every record, and nothing of anybody's is lost
        Journal(path, Record).__enter__()
        assert path.with_name("v.jsonl.torn").read_bytes() == tail
        return
    for use in (lambda: Journal(path, Record).__enter__(), lambda: list(read_journal(path, Record))):
        with pytest.raises(BadLineError, match=r"v\.jsonl:2: the last \d+ bytes"):
            use()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, before)
    assert list(tmp_path.iterdir()) == [path]


def test_a_torn_line_after_a_line_of_somebody_else_is_not_cut(tmp_path):
    path = tmp_path / "j.jsonl"
    write(path, Note(n=1))
    content = path.read_bytes() + b'{"mine": true}\n{"n":2,"te'
    path.write_bytes(content)
    with pytest.raises(BadLineError, match=r"j\.jsonl:2:"), Journal(path, Note):
        pass
    assert path.read_bytes() == content


def test_torn_lines_are_kept_beside_the_file_and_never_over_another(tmp_path):
    path = tmp_path / "j.jsonl"
    write(path, Note(n=1))
    for torn in (b'{"n":2', b'{"n":3,"text":"a'):
        path.write_bytes(path.read_bytes() + torn)
        write(path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {
        "j.jsonl": b'{"n":1,"text":""}\n',
        "j.jsonl.torn": b'{"n":2',
        "j.jsonl.torn-2": b'{"n":3,"text":"a',
    }


def test_what_another_program_writes_meanwhile_is_not_cut_off(tmp_path):
    path = tmp_path / "j.jsonl"
    with (
        pytest.raises(JournalChangedError, match="changed by another program"),
        Journal(path, Note) as journal,
    ):
        journal.append(Note(n=1))
        journal.commit()
        with path.open("ab") as file:
            file.write(b"a line of mine\n")
        journal.append(Note(n=2))
        journal.commit()
    assert path.read_bytes() == b'{"n":1,"text":""}\na line of mine\n'


def test_a_link_to_a_file_that_does_not_exist_yet_stays_a_link(tmp_path):
    link = tmp_path / "j.jsonl"
    link.symlink_to(tmp_path / "elsewhere.jsonl")
    with pytest.raises(RuntimeError), Journal(link, Note):
        raise RuntimeError
    assert link.is_symlink()
