"""The index of a large ledger: with it, without it, and with any other, the same rows are left to grade."""

import os
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.corpus.jsonl import BadLineError, line_of
from ff_helpers.grading.contents import Contents, Rows
from ff_helpers.grading.index import index_of, read_contents
from ff_helpers.grading.inventory import ledger_summary
from ff_helpers.grading.ledger import Ledger
from ff_helpers.grading.outcome import Options, Record, Supersedes
from ff_helpers.measurement.rates.rows import verdict_files

KEYS, TRACES = "abcdefgh", ("t1", "t2")


@st.composite
def records(draw):
    answer = draw(
        st.one_of(
            st.fixed_dictionaries({"verdict": st.sampled_from(["REFUSAL", "COMPLIANCE"])}),
            st.fixed_dictionaries(
                {"status": st.sampled_from(["timeout", "unparsable"]), "reason": st.sampled_from("xy")}
            ),
        )
    )
    gone = draw(st.none() | st.sampled_from(KEYS))
    return Record(
        key=draw(st.sampled_from(KEYS)),
        trace_id=draw(st.sampled_from(TRACES)),
        response_sha256="r",
        grader=draw(st.sampled_from(["g", "h"])),
        grader_digest="d",
        rubric="rub@1",
        method="flip-final-turn",
        software=draw(st.sampled_from(["s", "t"])),
        repeat=draw(st.integers(0, 1)),
        shard=draw(st.none() | st.sampled_from(["1/2", "2/2"])),
        duration_s=draw(st.none() | st.floats(0, 9)),
        options=Options(temperature=0.0, num_ctx=draw(st.sampled_from([1, 2]))),
        supersedes=gone and Supersedes(key=gone, author="me", reason="wrong"),
        **answer,
    )


def told(contents: Contents):
    """Return everything that is asked of the contents of a ledger."""
    pairs = [(key, trace) for key in KEYS for trace in TRACES]
    return (
        [contents.is_done(*pair) for pair in pairs],
        [contents.cell_of(*pair) for pair in pairs],
        dict(contents.counts),
        dict(zip(contents.cells, contents.standing, strict=True)),
        contents.graders,
    )


def plain(path):
    """Return what a ledger comes to without an index, by the rules alone."""
    found = Contents()
    last = found.follow(path)
    if last is not None:
        found.note(last)
    return told(found)


steps = st.lists(
    st.tuples(st.lists(records(), min_size=1, max_size=5), st.integers(0, 400), st.booleans()), max_size=5
)


@given(steps)
def test_with_its_index_a_ledger_that_grows_comes_to_the_same(tmp_path_factory, grown):
    path = tmp_path_factory.mktemp("index") / "v.jsonl"
    whole = b""
    for more, cut, looked_at in grown:
        whole += b"".join(map(line_of, more))
        torn = line_of(more[0])[:cut]  # what another run is writing just now, or all but its newline
        path.write_bytes(whole + torn.removesuffix(b"\n"))
        if looked_at:
            assert told(read_contents(path, large=1)) == plain(path)
            assert index_of(path).is_file()
    if grown:
        assert told(read_contents(path, large=1)) == plain(path)


@given(st.lists(records(), min_size=1, max_size=6), st.lists(records(), min_size=1, max_size=6), st.data())
def test_a_ledger_that_changed_otherwise_is_read_anew(tmp_path_factory, before, after, data):
    path = tmp_path_factory.mktemp("index") / "v.jsonl"
    path.write_bytes(b"".join(map(line_of, before)))
    read_contents(path, large=1)
    other = data.draw(st.permutations(before)) if data.draw(st.booleans()) else after
    path.write_bytes(b"".join(map(line_of, other)))
    os.utime(path, ns=(0, data.draw(st.integers(1, 9))))  # never as it was seen
    assert told(read_contents(path, large=1)) == plain(path)


@given(st.lists(records(), min_size=1, max_size=6), st.data())
def test_a_broken_index_is_written_anew(tmp_path_factory, rows, data):
    path = tmp_path_factory.mktemp("index") / "v.jsonl"
    path.write_bytes(b"".join(map(line_of, rows)))
    read_contents(path, large=1)
    good = index_of(path).read_bytes()
    place = data.draw(st.integers(0, len(good) - 1))
    flipped = good[:place] + bytes([good[place] ^ data.draw(st.integers(1, 255))]) + good[place + 1 :]
    broken = flipped if data.draw(st.booleans()) else good[:place]
    index_of(path).write_bytes(broken)
    assert told(read_contents(path, large=1)) == plain(path)
    assert index_of(path).read_bytes() == good


@given(st.lists(st.tuples(st.binary(min_size=16, max_size=16), st.integers(0, 2**32 - 1), st.booleans())))
def test_rows_are_a_mapping(puts):
    rows, expected = Rows(), {}
    for name, number, sort in puts:
        for one in (name, name[:8] + bytes(8)):  # equal first halves
            rows.put(one, number)
            expected[one] = number
        if sort:
            rows.columns()
        assert all(rows.get(one) == n for one, n in expected.items())
    assert len(rows) == len(expected)
    high = rows.columns()[0].tolist()
    assert high == sorted(high)
    assert rows.get(b"never put there!") == 0


def some(count, start=0):
    return [
        Record(
            key=f"k{number}",
            trace_id=f"t{number}",
            response_sha256="r",
            grader="g",
            grader_digest="d",
            rubric="rub@1",
            method="flip-final-turn",
            verdict="REFUSAL",
            software="s",
        )
        for number in range(start, start + count)
    ]


def test_a_run_leaves_an_index_of_what_it_wrote(tmp_path):
    path = tmp_path / "v.jsonl"
    for start in (0, 100):
        with Ledger(path, large=1) as ledger:
            assert len(ledger.done) == start
            for each in some(100, start):
                ledger.append(each)
        about = path.stat()
    path.write_bytes(b"x" * about.st_size)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    found = read_contents(path, large=1)  # same size and time: not one line of it is read
    assert found.counts["records"] == 200
    assert found.is_done("k199", "t199")
    assert not found.is_done("k200", "t200")
    os.utime(path, ns=(1, 1))
    with pytest.raises(BadLineError, match="plain text"):
        read_contents(path, large=1)


def test_a_torn_last_line_after_an_indexed_part_is_set_aside(tmp_path):
    path = tmp_path / "v.jsonl"
    with Ledger(path, large=1) as ledger:
        for each in some(20):
            ledger.append(each)
    whole = path.read_bytes()
    path.write_bytes(whole + line_of(some(1, 20)[0])[:50])
    with Ledger(path, large=1) as ledger:
        assert ledger.torn == tmp_path / "v.jsonl.torn"
        assert len(ledger.done) == 20
    assert path.read_bytes() == whole
    path.write_bytes(whole + line_of(some(1, 20)[0]).rstrip())  # all but its newline
    for _ in range(2):
        with Ledger(path, large=1) as ledger:
            assert len(ledger.done) == 21
    path.write_bytes(path.read_bytes() + b"something else\n")
    with pytest.raises(BadLineError, match=r"v\.jsonl:22: "), Ledger(path, large=1):
        pass


def test_small_ledgers_have_none_and_where_it_cannot_be_written_a_ledger_works_without(tmp_path):
    path = tmp_path / "v.jsonl"
    path.write_bytes(b"".join(map(line_of, some(5))))
    assert read_contents(path).counts["records"] == 5
    assert [one.name for one in tmp_path.iterdir()] == ["v.jsonl"]
    index_of(path).mkdir()  # in its place, as a read-only folder would be
    assert read_contents(path, large=1).counts["records"] == 5
    assert Counter(one.name for one in tmp_path.iterdir()) == Counter(["v.jsonl", ".v.jsonl.index"])


def test_nobody_takes_an_index_for_a_ledger(tmp_path):
    path = tmp_path / "v.jsonl"
    path.write_bytes(b"".join(map(line_of, some(5))))
    read_contents(path, large=1)
    assert verdict_files(tmp_path) == [path]


def test_of_one_grader_only_its_rows_count(tmp_path):
    path = tmp_path / "v.jsonl"
    other = [record.model_copy(update={"grader": "h"}) for record in some(3, 10)]
    path.write_bytes(b"".join(map(line_of, [*some(5), *other])))
    held = ledger_summary(path, only=other[0].identity)
    assert [rows.verdicts for rows in held.graders] == [{"REFUSAL": 3}]
    assert [who.name for who in held.everyone] == ["g", "h"]
