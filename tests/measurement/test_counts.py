"""The verdict-count table, the same on every engine."""

import duckdb
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.measurement.counts import KEYS, NOT_RECORDED, count_verdicts
from ff_helpers.taxonomy import STATUSES, VERDICTS

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
