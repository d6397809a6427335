"""Compact files and folders count as the ledgers they were made of; what cannot be trusted is refused."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ff_helpers.corpus.jsonl import BadLineError, write_records
from ff_helpers.errors import FFError
from ff_helpers.measurement.rates.compacted import compact, compacted
from ff_helpers.measurement.rates.count_file import FileCounts, read_counts
from ff_helpers.measurement.rates.counts import count_verdicts
from ff_helpers.measurement.rates.rows import database, verdict_files
from ff_helpers.terms import STATUSES, VERDICTS
from tests.conftest import ROOT

LEDGER = ROOT / "data" / "recorded" / "smollm2-135m.jsonl"
TRACES = [ROOT / "data" / "calibration" / f"{name}.jsonl" for name in ("proxies", "injections")]
PLACES = ("model", "intent", "set")


def write(path: Path, *rows: dict[str, object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def row(n: int, verdict: str = "REFUSAL", **fields: object) -> dict[str, object]:
    return {"trace_id": f"t{n:03}", "model": "m", "grader": "g", "verdict": verdict} | fields


def same(one: FileCounts, other: FileCounts) -> None:
    pd.testing.assert_frame_equal(one.table, other.table)
    assert asdict(one) | {"table": None} == asdict(other) | {"table": None}


def is_trusted(path: Path) -> bool:
    with database() as connection:
        return compacted(connection, verdict_files(path)) is not None


def test_a_compact_ledger_counts_as_the_ledger_does(tmp_path: Path) -> None:
    path, about = compact(LEDGER, tmp_path / "v.parquet")
    assert about.rows == len(LEDGER.read_text().splitlines())
    assert is_trusted(path)
    same(read_counts(path, by=("grader", "method")), read_counts(LEDGER, by=("grader", "method")))
    same(read_counts(path, by=PLACES, traces=TRACES), read_counts(LEDGER, by=PLACES, traces=TRACES))


def test_made_with_traces_it_counts_by_model_and_class_without_them(tmp_path: Path) -> None:
    path, _ = compact(LEDGER, tmp_path / "v.parquet", traces=TRACES)
    told, asked = read_counts(path, by=PLACES), read_counts(LEDGER, by=PLACES, traces=TRACES)
    assert told.elsewhere > 500
    assert told.attacks > 100
    pd.testing.assert_frame_equal(told.table, asked.table)
    assert (told.elsewhere, told.attacks, told.truncated) == (asked.elsewhere, asked.attacks, asked.truncated)


def test_the_same_ledger_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = (compact(LEDGER, tmp_path / name)[0].read_bytes() for name in ("a.parquet", "b.parquet"))
    assert one == other


def test_a_ledger_that_went_on_is_not_counted_by_its_old_compact_file(tmp_path: Path) -> None:
    ledger = write(tmp_path / "v.jsonl", row(1), row(2))
    path, _ = compact(ledger)
    assert path == tmp_path / "v.parquet"
    os.utime(ledger, ns=(2**62, 2**62))  # newer, but the same
    assert read_counts(path, by=("grader",)).rows == 2
    ledger.write_text(ledger.read_text().replace("REFUSAL", "PARTIAL"))
    os.utime(ledger, ns=(2**62, 2**62))
    for _ in range(2):
        with pytest.raises(
            FFError, match=r"v\.parquet: made of an earlier v\.jsonl\. Run `ff ledger compact"
        ):
            read_counts(path, by=("grader",))
        write(ledger, row(1), row(2), row(3))
    ledger.unlink()  # the compact file alone, as on another machine
    assert read_counts(path, by=("grader",)).rows == 2


def test_what_was_superseded_is_left_out_and_still_told(tmp_path: Path) -> None:
    ledger = write(tmp_path / "v.jsonl", row(1, key="a"), row(2, key="b"), row(1, "PARTIAL", key="a"))
    counted = read_counts(compact(ledger)[0], by=("grader",))
    assert (counted.rows, counted.superseded) == (2, 1)
    assert list(counted.table["outcome"]) == ["PARTIAL", "REFUSAL"]


def test_a_trace_twice_or_a_bad_label_leaves_nothing_behind(tmp_path: Path) -> None:
    ledger = write(tmp_path / "v.jsonl", row(1), row(1, "PARTIAL"))
    with pytest.raises(BadLineError, match=r"v\.jsonl:2:trace_id: trace t001 is graded twice"):
        compact(ledger)
    write(ledger, row(1), row(2, "MAYBE"))
    with pytest.raises(BadLineError, match=r"v\.jsonl:2:verdict"):
        compact(ledger)
    assert list(tmp_path.iterdir()) == [ledger]
    with pytest.raises(FFError, match="give one ledger"):
        compact(tmp_path)


parts = st.lists(
    st.tuples(
        st.one_of(
            st.tuples(st.sampled_from(VERDICTS), st.none()), st.tuples(st.none(), st.sampled_from(STATUSES))
        ),
        st.sampled_from(["m", "n"]),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=12,
)


@given(parts)
@settings(max_examples=8)
def test_a_folder_counts_as_all_of_its_rows_in_jsonl_and_in_parquet(tmp_path_factory, drawn: list) -> None:
    folder = tmp_path_factory.mktemp("folder")
    rows = [
        {
            "trace_id": f"t{n}",
            "model": model,
            "grader": "g",
            "verdict": verdict,
            "status": status,
            "repeat": 0,
        }
        for n, ((verdict, status), model, _) in enumerate(drawn)
    ]
    frame = pd.DataFrame(rows).astype({"verdict": "str", "status": "str"})
    expected = count_verdicts(frame, by=("model",))
    for part in range(3):
        own = [one for one, (*_, place) in zip(rows, drawn, strict=True) if place == part]
        if own:
            told = [{k: v for k, v in one.items() if v is not None} for one in own]
            write(folder / "lines" / f"{part}.jsonl", *told)
            (folder / "parquet").mkdir(exist_ok=True)
            table = pd.DataFrame(own).astype({"verdict": "str", "status": "str"})
            duckdb.from_df(table).write_parquet(str(folder / "parquet" / f"{part}.parquet"))
    for kind in ("lines", "parquet"):
        pd.testing.assert_frame_equal(read_counts(folder / kind, by=("model",)).table, expected)


def test_compact_files_are_trusted_together_only_where_no_trace_can_be_in_two(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for name, ids in (("a", (1, 4)), ("b", (5, 9))):
        compact(write(tmp_path / f"{name}.jsonl", *map(row, ids)), tmp_path / "parts" / f"{name}.parquet")
    assert is_trusted(tmp_path / "parts")
    compact(write(tmp_path / "c.jsonl", row(3), row(8)), tmp_path / "parts" / "c.parquet")
    assert not is_trusted(tmp_path / "parts")  # 3 lies between 1 and 4
    assert read_counts(tmp_path / "parts", by=("grader",)).rows == 6
    compact(write(tmp_path / "d.jsonl", row(9, "PARTIAL")), tmp_path / "parts" / "d.parquet")
    with pytest.raises(FFError, match="parts: trace t009 is graded twice"):
        read_counts(tmp_path / "parts", by=("grader",))


def test_a_folder_that_cannot_be_counted_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(FFError, match="a folder without verdicts"):
        read_counts(tmp_path, by=("grader",))
    write(tmp_path / "a.jsonl", row(1))
    write(tmp_path / "b.jsonl", row(2), {"trace_id": "x", "grader": "g", "verdict": "MAYBE"})
    with pytest.raises(BadLineError, match=r"b\.jsonl:2:verdict"):
        read_counts(tmp_path, by=("grader",))
    compact(tmp_path / "a.jsonl", tmp_path / "c.parquet")
    with pytest.raises(FFError, match="holds JSONL and Parquet"):
        read_counts(tmp_path, by=("grader",))
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").unlink()
    duckdb.sql("SELECT 'x' AS grader, 1 AS n").write_parquet(str(tmp_path / "d.parquet"))
    with pytest.raises(FFError, match=r"d\.parquet: this Parquet file has neither a column `verdict`"):
        read_counts(tmp_path, by=("grader",))
    ids = [(f"t{n}", "g", VERDICTS[n % 5]) for n in range(20_000)]
    table = pd.DataFrame(ids, columns=["trace_id", "grader", "verdict"]).astype("str")
    duckdb.from_df(table).write_parquet(str(tmp_path / "d.parquet"))
    raw = bytearray((tmp_path / "d.parquet").read_bytes())
    raw[200:4000] = b"\0" * 3800  # a row group, not the end that describes it
    (tmp_path / "d.parquet").write_bytes(raw)
    with pytest.raises(FFError, match=r"d\.parquet: this Parquet file is broken"):
        read_counts(tmp_path, by=("grader",))


def test_parquet_files_of_other_types_are_cast_or_named(tmp_path: Path) -> None:
    duckdb.sql("SELECT 'a' AS trace_id, 'g' AS grader, 'REFUSAL' AS verdict, 0 AS repeat").write_parquet(
        str(tmp_path / "a.parquet")
    )
    duckdb.sql("SELECT 7 AS trace_id, 'g' AS grader, 'PARTIAL' AS verdict, '1' AS repeat").write_parquet(
        str(tmp_path / "b.parquet")
    )
    counted = read_counts(tmp_path, by=("grader",))
    assert (counted.rows, counted.again, len(counted.table)) == (2, 1, 1)
    duckdb.sql("SELECT 'c' AS trace_id, 'g' AS grader, 'PARTIAL' AS verdict, 'x' AS repeat").write_parquet(
        str(tmp_path / "c.parquet")
    )
    with pytest.raises(FFError, match=r"c\.parquet: `repeat` must be a whole number"):
        read_counts(tmp_path, by=("grader",))


def test_an_empty_ledger_becomes_an_empty_compact_file(tmp_path: Path) -> None:
    ledger = tmp_path / "v.jsonl"
    write_records(ledger, [])
    path, about = compact(ledger)
    assert about.rows == 0
    assert read_counts(path, by=("grader",)).table.empty
