"""Verdicts counted in files: the same as in memory, less what was superseded, torn or elsewhere."""

import json
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.corpus.jsonl import BadLineError, FileMissingError, ForeignFileError, write_records
from ff_helpers.corpus.traces import Sampling
from ff_helpers.errors import FFError
from ff_helpers.grading.ledger import verdict_frame
from ff_helpers.grading.outcome import Record, Supersedes
from ff_helpers.measurement.rates.count_file import count_file, read_counts
from ff_helpers.measurement.rates.counts import KEYS, count_verdicts
from ff_helpers.terms import STATUSES, VERDICTS
from tests.conftest import FRAMES, ROOT

LEDGER = ROOT / "data" / "recorded" / "smollm2-135m.jsonl"
texts = st.one_of(st.none(), st.sampled_from(["7", "it's", '"q"', "é\n", "x"]))
outcomes = st.one_of(
    st.tuples(st.sampled_from(VERDICTS), st.none()), st.tuples(st.none(), st.sampled_from(STATUSES))
)
some_rows = st.lists(st.tuples(texts, texts, outcomes, st.integers(0, 1)), max_size=20)


def lines(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@given(some_rows)
@FRAMES
def test_jsonl_and_parquet_through_duckdb_equal_pandas(tmp_path_factory, drawn: list) -> None:
    columns = [*KEYS, "trace_id", "verdict", "status", "repeat"]
    rows = [
        (model, intent, "single", "s", "x", "g", f"t{n}", *outcome, repeat)
        for n, (model, intent, outcome, repeat) in enumerate(drawn)
    ]
    table = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[:-1], "str"))
    expected = count_verdicts(table)
    folder = tmp_path_factory.mktemp("counted")
    told = [{k: v for k, v in zip(columns, row, strict=True) if v is not None} for row in rows]
    pd.testing.assert_frame_equal(count_file(lines(folder / "v.jsonl", *told)), expected)
    if rows:
        duckdb.from_df(table).write_parquet(str(folder / "v.parquet"))
        pd.testing.assert_frame_equal(count_file(folder / "v.parquet"), expected)


@pytest.mark.parametrize("name", ["a[1]", "b*", "c?"])
def test_a_name_that_looks_like_a_pattern_is_one_file(tmp_path: Path, name: str) -> None:
    row = {"trace_id": "t", "model": "m", "grader": "g", "verdict": "REFUSAL"}
    lines(tmp_path / "a1.jsonl", row)
    lines(tmp_path / "bb.jsonl", row)
    lines(tmp_path / "cc.jsonl", row)
    assert count_file(lines(tmp_path / f"{name}.jsonl", row))["n"].sum() == 1
    verdicts = duckdb.read_json(str(tmp_path / "a1.jsonl"))
    verdicts.write_parquet(str(tmp_path / "a1.parquet"))
    verdicts.write_parquet(str(tmp_path / f"{name}.parquet"))
    assert count_file(tmp_path / f"{name}.parquet")["n"].sum() == 1


def record(key: str, verdict: str, *, trace_id: str = "t1", **fields: object) -> Record:
    return Record(
        key=key, trace_id=trace_id, response_sha256="r", grader="g", grader_digest="d", rubric="flip",
        method="flip-final-turn", verdict=verdict, software="test", **fields,
    )  # fmt: skip


records = st.lists(
    st.builds(
        record,
        st.sampled_from("abcd"),
        st.sampled_from(VERDICTS),
        trace_id=st.sampled_from(["t1", "t2"]),
        supersedes=st.one_of(
            st.none(),
            st.builds(Supersedes, key=st.sampled_from("abcd"), author=st.just("p"), reason=st.just("r")),
        ),
    ),
    max_size=12,
)


@given(records)
@FRAMES
def test_what_stands_is_what_the_ledger_says_stands(tmp_path_factory, written: list[Record]) -> None:
    path = tmp_path_factory.mktemp("ledger") / "v.jsonl"
    # Each key is a grader of its own here, so that a trace may have several rows.
    written = [r.model_copy(update={"grader": f"g{r.key}"}) for r in written]
    write_records(path, written)
    standing = verdict_frame(path)
    counted = read_counts(path, by=("grader",))
    pd.testing.assert_frame_equal(counted.table, count_verdicts(standing, by=("grader",)))
    assert (counted.rows, counted.superseded) == (len(standing), len(written) - len(standing))


def test_a_recorded_ledger_counts_as_its_frame_does() -> None:
    counted = read_counts(LEDGER, by=("grader", "rubric"))
    frame = verdict_frame(LEDGER)
    pd.testing.assert_frame_equal(counted.table, count_verdicts(frame, by=("grader", "rubric")))
    assert counted.again == (frame["repeat"] > 0).sum() > 0


def test_two_graders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    row = {"trace_id": "t", "grader": "g", "verdict": "REFUSAL"}
    path = lines(tmp_path / "v.jsonl", row | {"options": {"seed": 1}}, row | {"options": {"seed": 2}})
    assert count_file(path, by=("grader",))[["grader", "n"]].to_numpy().tolist() == [
        ["g (seed 1)", 1],
        ["g (seed 2)", 1],
    ]
    assert list(count_file(path, by=("grader", "seed"))["seed"]) == ["1", "2"]
    lines(path, row, row | {"repeat": 1}, row | {"verdict": "PARTIAL"}, row | {"repeat": 2})
    words = f"^{path}:3:trace_id: trace t is graded twice in pass 0 of grader g: PARTIAL and REFUSAL"
    with pytest.raises(BadLineError, match=words):
        count_file(path, by=("grader",))
    duckdb.sql(f"FROM '{path}'").write_parquet(str(tmp_path / "v.parquet"))
    with pytest.raises(FFError, match=r"v\.parquet: trace t is graded twice in pass 0 of grader g"):
        count_file(tmp_path / "v.parquet", by=("grader",))


def test_the_traces_say_what_the_ledger_does_not(tmp_path: Path, make_trace) -> None:
    attack = make_trace("no", trace_id="a", sampling=Sampling(kind="injected"))
    write_records(tmp_path / "set.jsonl", [make_trace("no", trace_id="t1", intent="format_lock"), attack])
    rows = [
        record("a", "REFUSAL"),
        record("b", "REFUSAL", trace_id="a"),
        record("c", "PARTIAL", trace_id="z"),
    ]
    write_records(tmp_path / "v.jsonl", rows)
    keys = ("model", "intent", "turns", "set")
    counted = read_counts(tmp_path / "v.jsonl", by=keys, traces=[tmp_path / "set.jsonl"])
    assert counted.table.drop(columns="graded").to_numpy().tolist() == [
        ["m", "format_lock", "single", "set", "REFUSAL", 1]
    ]
    assert (counted.elsewhere, counted.attacks) == (1, 1)
    with pytest.raises(FFError, match=r"v\.jsonl: no row has 'model'.*--traces"):
        read_counts(tmp_path / "v.jsonl", by=("model",))
    with pytest.raises(FFError, match="ids must be unique"):
        read_counts(tmp_path / "v.jsonl", traces=[tmp_path / "set.jsonl"] * 2)


def test_a_torn_last_line_is_left_out_and_said(tmp_path: Path) -> None:
    path = lines(tmp_path / "v.jsonl", {"grader": "g", "verdict": "REFUSAL"})
    with path.open("a") as file:
        file.write('{"grader": "g", "verd')
    counted = read_counts(path, by=("grader",))
    assert (counted.table["n"].tolist(), counted.torn) == ([1], 21)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('{"grader": "g", "verdict": "COMPLIANSE"}', "2:verdict: Input should be 'COMPLIANCE'"),
        ('{"grader": "g", "status": "ERROR"}', "2:status: Input should be 'not_gradeable'"),
        (
            '{"grader": "g", "verdict": "REFUSAL", "status": "timeout"}',
            "2:verdict: a row must have either a verdict or",
        ),
        ('{"grader": "g"}', "2:verdict: a row must have either a verdict or a status"),
        ('{"grader": "g", "verdict": "REFUSAL", "repeat": "x"}', "2:repeat: "),
        ("no json", "2: Invalid JSON"),
        ("[1]", "2: "),
    ],
)
def test_a_bad_line_is_named_by_file_line_and_field(tmp_path: Path, line: str, place: str) -> None:
    path = tmp_path / "v.jsonl"
    good = '{"grader": "g", "verdict": "REFUSAL"}'
    path.write_text(f"{good}\n{line}\n{good}\n")
    with pytest.raises(BadLineError, match=f"^{path}:{place}"):
        count_file(path, by=("grader",))


def test_files_that_hold_something_else(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        count_file(tmp_path / "none.jsonl")
    (tmp_path / "v.parquet").write_text("no parquet")
    with pytest.raises(ForeignFileError, match=r"v\.parquet:1: this file is plain text. Expected verdicts"):
        count_file(tmp_path / "v.parquet")
    (tmp_path / "v.parquet").write_bytes(b"PAR1 and no more of it")
    with pytest.raises(FFError, match=r"v\.parquet: this Parquet file is broken.*Expected verdicts"):
        count_file(tmp_path / "v.parquet")
    duckdb.sql("SELECT 't' AS trace_id, 'g' AS grader, 'YES' AS verdict, NULL AS status").write_parquet(
        str(tmp_path / "v.parquet")
    )
    with pytest.raises(FFError, match="trace t, grader g: a label of 3 characters is not a verdict"):
        count_file(tmp_path / "v.parquet")
    (tmp_path / "empty.jsonl").touch()
    assert count_file(tmp_path / "empty.jsonl", by=("model",)).empty
