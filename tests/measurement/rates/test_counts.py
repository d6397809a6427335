"""The verdict-count table, the same on every engine."""

import subprocess
import sys

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.rates.asr import asr
from ff_helpers.measurement.rates.counts import (
    KEYS,
    NOT_RECORDED,
    TwiceGradedError,
    UnknownVerdictError,
    count_verdicts,
    long_counts,
)
from ff_helpers.terms import STATUSES, VERDICTS
from tests.conftest import FRAMES

outcomes = st.one_of(
    st.tuples(st.sampled_from(VERDICTS), st.none()), st.tuples(st.none(), st.sampled_from(STATUSES))
)
rows = st.lists(
    st.tuples(
        st.sampled_from(["m1", "m2"]), st.sampled_from(["format_lock", None]), outcomes, st.integers(0, 1)
    ),
    min_size=1,
    max_size=30,
)


def frame(drawn: list[tuple[str, str | None, tuple[str | None, str | None], int]]) -> pd.DataFrame:
    table = pd.DataFrame(
        [
            (model, intent, "single", "set", "source", "g", verdict, status, repeat)
            for model, intent, (verdict, status), repeat in drawn
        ],
        columns=[*KEYS, "verdict", "status", "repeat"],
    )
    return table.astype(dict.fromkeys([*KEYS, "verdict", "status"], "str"))


@given(rows)
@FRAMES
def test_duckdb_and_pandas_count_alike_and_nothing_is_dropped(drawn: list) -> None:
    verdicts = frame(drawn)
    counts = count_verdicts(verdicts)
    connection = duckdb.connect()
    connection.register("verdicts", verdicts)
    pd.testing.assert_frame_equal(counts, count_verdicts(connection.table("verdicts")))
    first = verdicts[verdicts["repeat"] == 0]
    assert counts["n"].sum() == len(first)
    assert counts.loc[counts["graded"], "n"].sum() == first["verdict"].notna().sum()


def test_statuses_and_missing_intents_have_their_own_rows() -> None:
    verdicts = frame(
        [
            ("m", None, ("REFUSAL", None), 0),
            ("m", None, (None, "timeout"), 0),
            ("m", None, ("REFUSAL", None), 1),
        ]
    )
    counts = count_verdicts(verdicts, by=("model", "intent"))
    assert counts.to_dict("records") == [
        {"model": "m", "intent": NOT_RECORDED, "outcome": "REFUSAL", "graded": True, "n": 1},
        {"model": "m", "intent": NOT_RECORDED, "outcome": "timeout", "graded": False, "n": 1},
    ]
    assert count_verdicts(verdicts, by=("model",), repeat=1)["n"].tolist() == [1]


@given(rows, st.randoms())
@FRAMES
def test_nothing_depends_on_row_order_and_pooled_counts_are_the_sums(drawn: list, random) -> None:
    verdicts = frame(drawn)
    counts = count_verdicts(verdicts)
    mixed = list(drawn)
    random.shuffle(mixed)
    pd.testing.assert_frame_equal(counts, count_verdicts(frame(mixed)))
    fewer = count_verdicts(verdicts, by=("model",))
    summed = counts.groupby(["model", "outcome", "graded"], as_index=False)["n"].sum()
    pd.testing.assert_frame_equal(fewer, summed)
    pooled, apart = asr(counts), asr(counts, by=["model", "intent"])
    keys = ["tier", "denominator"]
    sums = apart.groupby(keys)[["k", "n", "left_out"]].sum()
    if len(apart):
        pd.testing.assert_frame_equal(pooled.set_index(keys)[["k", "n", "left_out"]].sort_index(), sums)


def test_no_rows_are_an_empty_table_of_the_same_schema() -> None:
    empty, one = count_verdicts(frame([])), count_verdicts(frame([("m", None, ("REFUSAL", None), 0)]))
    assert empty.empty
    assert empty.dtypes.to_dict() == one.dtypes.to_dict()
    rates = asr(empty)
    assert set(rates["n"]) == {0}
    assert rates["asr"].isna().all()
    assert asr(empty, by=["model"]).empty


def graded(*labels: tuple[str | None, str | None], **more: object) -> pd.DataFrame:
    table = pd.DataFrame(labels, columns=["verdict", "status"], dtype="str")
    table = table.assign(trace_id=[f"t{n}" for n in table.index], grader="g", repeat=0)
    return table.assign(**more)


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        (("COMPLIANSE", None), "a label of 10 characters is not a verdict"),
        (("timeout", None), "'timeout' is not a verdict"),
        ((None, "ERROR"), "a label of 5 characters is not a status"),
        (("REFUSAL", "timeout"), "it has the verdict 'REFUSAL' and the status 'timeout'"),
        ((None, None), "it has neither a verdict nor a status"),
    ],
)
@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_a_row_that_is_no_verdict_is_named(label, problem: str, engine: str) -> None:
    verdicts = graded(("REFUSAL", None), label)
    counted = duckdb.from_df(verdicts) if engine == "duckdb" else verdicts
    with pytest.raises(UnknownVerdictError, match=f"^trace t1, grader g: {problem}. A row has one verdict"):
        count_verdicts(counted, by=("grader",))


def test_in_another_pass_nothing_is_looked_at() -> None:
    verdicts = pd.concat([graded(("REFUSAL", None)), graded(("NO_LABEL", None), repeat=1)])
    assert count_verdicts(verdicts, by=("grader",))["n"].tolist() == [1]
    unsaid = graded(("REFUSAL", None), ("REFUSAL", None), repeat=[None, 0])
    assert count_verdicts(unsaid, by=("grader",))["n"].tolist() == [2]


@pytest.mark.parametrize("engine", ["pandas", "duckdb", "categories"])
def test_a_trace_twice_in_one_pass_of_one_grader_is_an_error(engine: str) -> None:
    verdicts = graded(("REFUSAL", None), ("COMPLIANCE", None), trace_id="t7", grader="g2")
    more = pd.concat([graded(("REFUSAL", None)), verdicts], ignore_index=True)
    counted = duckdb.from_df(more) if engine == "duckdb" else more
    if engine == "categories":
        counted = more.astype(dict.fromkeys(("verdict", "status"), "category"))
    words = "^trace t7 is graded twice in pass 0 of grader g2: COMPLIANCE and REFUSAL."
    with pytest.raises(TwiceGradedError, match=words):
        count_verdicts(counted, by=("grader",))


@pytest.mark.parametrize(
    "apart",
    [
        {"grader": ["g", "h"]},
        {"repeat": [0, 1]},
        {"grader_digest": ["a", "b"]},
        {"temperature": [0.0, None]},
        {"model": ["m", "n"]},
    ],
)
def test_what_another_grader_pass_or_model_said_is_no_second_verdict(apart: dict) -> None:
    verdicts = graded(("REFUSAL", None), ("COMPLIANCE", None), trace_id="t", **apart)
    assert count_verdicts(verdicts, by=())["n"].sum() == (1 if "repeat" in apart else 2)


def test_what_is_not_there_cannot_be_counted_by() -> None:
    with pytest.raises(FFError, match="no column 'intent' to count by"):
        count_verdicts(graded(("REFUSAL", None)), by=("intent",))


def test_published_counts_have_the_same_columns() -> None:
    wide = pd.DataFrame({"cohort": ["c"], "COMPLIANCE": [3], "ERROR": [2]})
    assert long_counts(wide, by=["cohort"], labels=["COMPLIANCE", "ERROR"]).to_dict("records") == [
        {"cohort": "c", "outcome": "COMPLIANCE", "graded": True, "n": 3},
        {"cohort": "c", "outcome": "ERROR", "graded": False, "n": 2},
    ]


def test_counting_loads_no_statistics_library() -> None:
    code = "import sys\nfrom ff_helpers.measurement.rates import asr, count_file, counts\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"scipy", "statsmodels", "altair"} & set(loaded.stdout.split())
