"""Drift against the first traces of the same corpus and grader."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ff_helpers as ff
from ff_helpers.errors import FFError
from ff_helpers.measurement.rates.drift import drift
from tests.conftest import FRAMES

R, C = "REFUSAL", "COMPLIANCE"


def graded(outcomes: list[str | None], **columns: object) -> pd.DataFrame:
    """One row a trace, a minute apart; None: no verdict."""
    n = len(outcomes)
    base = {
        "trace_id": [f"t{i:04d}" for i in range(n)],
        "started": [f"2026-11-22T{i // 60:02d}:{i % 60:02d}:00+00:00" for i in range(n)],
        "verdict": pd.Series(outcomes, dtype="str"),
        "grader": "g",
        "grader_digest": "sha256:00",
        "rubric": "r@1",
        "temperature": 0.0,
        "seed": pd.Series([0] * n, dtype="Int64"),
        "repeat": 0,
        "set": "corpus",
        "sampling": "census",
        "intent": ["format_lock", "persona_hijack"] * (n // 2) + ["format_lock"] * (n % 2),
        "turns": "single",
        "model": "m",
    }
    return pd.DataFrame(base | columns)


def mixed(refusals: int, of: int = 100) -> list[str | None]:
    return [R] * refusals + [C] * (of - refusals)


def test_sixteen_points_are_drift_and_fifteen_are_not() -> None:
    table = drift(graded(mixed(40) + mixed(55) + mixed(56)))
    assert table[["first", "last"]].drop_duplicates().values.tolist() == [[101, 200], [201, 300]]
    refusals = table[table["verdict"] == R]
    assert refusals["shift"].tolist() == pytest.approx([0.15, 0.16])
    assert refusals["flagged"].tolist() == [False, True]
    assert refusals["reading"].tolist() == ["within 15 points", "drift: the mix of traces moved less"]
    row = refusals.iloc[1]
    assert (row["baseline_k"], row["baseline_n"], row["k"], row["n"]) == (40, 100, 56, 100)
    # Newcombe 1998 from the Wilson intervals 56/100 [.4623, .6533] and 40/100 [.3094, .4980]
    assert (row["shift_low"], row["shift_high"]) == pytest.approx((0.0216, 0.2900), abs=1e-4)


def test_a_grader_that_starts_to_fail_drifts_too() -> None:
    table = drift(graded(mixed(50) + [R] * 50 + [C] * 30 + [None] * 20)).set_index("verdict")
    assert table.loc["no verdict", "share"] == 0.2
    assert table["flagged"].to_dict() == {"COMPLIANCE": True, "REFUSAL": False, "no verdict": True}


def test_where_the_traces_changed_as_much_the_grader_is_not_blamed() -> None:
    frame = graded(mixed(50) + mixed(80), turns=["single"] * 100 + ["multi"] * 60 + ["single"] * 40)
    table = drift(frame)
    assert table["mix_shift"].tolist() == pytest.approx([0.6, 0.6])
    assert set(table["reading"]) == {"drift, of the grader or of the corpus: the mix of traces moved as much"}


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (graded(mixed(50, of=149)), "149 traces, and 150 are needed"),
        (graded(mixed(50) + mixed(90), sampling="constructed"), "a constructed calibration set"),
    ],
)
def test_what_cannot_be_compared_says_why_and_raises_no_flag(frame: pd.DataFrame, why: str) -> None:
    row = drift(frame).iloc[0]
    assert row["reading"].startswith(f"not assessed: {why}")
    assert not row["flagged"]
    assert pd.isna(row["n"])


def test_a_last_window_of_fifty_counts_and_one_of_49_does_not() -> None:
    assert drift(graded(mixed(50) + mixed(50, of=50)))["n"].unique().tolist() == [50]
    assert drift(graded(mixed(50) + mixed(50) + [R] * 49))["last"].unique().tolist() == [200]


def test_warnings_in_words_name_grader_corpus_class_and_both_shares() -> None:
    said = ff.lessons.drift_lesson(drift(graded(mixed(40) + mixed(56)))).text
    assert said.splitlines()[1] == (
        "- **Drift warning**: g on `corpus` said REFUSAL in 40.0% of its first 100 traces and in 56.0% of "
        "traces 101 to 200: +16.0 points [+2.2, +29.0]. Drift: the mix of traces moved less. Calibrate it "
        "again before its later verdicts count."
    )
    calm = ff.lessons.drift_lesson(drift(graded(mixed(40) + mixed(45)))).text
    assert calm.startswith("No drift warning: 1 window was compared")
    assert ff.lessons.drift_lesson(drift(graded(mixed(50)))).text.startswith("No drift was assessed")


def test_second_passes_and_attacks_on_the_grader_do_not_count() -> None:
    frame = graded(mixed(50) + mixed(50, of=50))
    more = pd.concat(
        [frame, frame.assign(repeat=1, verdict=C), frame.assign(sampling="injected")], ignore_index=True
    )
    pd.testing.assert_frame_equal(drift(more), drift(frame))


def test_an_earlier_run_may_be_the_baseline_if_corpus_and_grader_are_the_same() -> None:
    before, now = graded(mixed(50)), graded(mixed(90, of=100))
    table = drift(now, before=before)
    assert table[["first", "last"]].values.tolist() == [[1, 100]] * 2
    assert table["flagged"].all()
    for changed, why in [
        ({"set": "other"}, "no set corpus, and another corpus cannot be the baseline"),
        ({"grader_digest": "sha256:11"}, "another digest, and another grader cannot be the baseline"),
        ({"temperature": 0.7}, "another temperature"),
        ({"seed": pd.Series([pd.NA] * 100, dtype="Int64")}, "another seed"),
    ]:
        row = drift(now, before=before.assign(**changed)).iloc[0]
        assert why in row["reading"]
        assert not row["flagged"]
    assert "has 99 traces of it" in drift(now, before=before.iloc[1:]).iloc[0]["reading"]


def test_a_phrase_list_has_no_temperature_and_is_compared_all_the_same() -> None:
    none = pd.Series([pd.NA] * 200, dtype="Int64")
    frame = graded(mixed(50) + mixed(90), temperature=float("nan"), seed=none)
    assert drift(frame, before=frame)["flagged"].tolist()[-1]


def test_without_times_the_rows_are_taken_as_they_stand() -> None:
    frame = graded(mixed(40) + mixed(60))
    pd.testing.assert_frame_equal(drift(frame.assign(started=None)), drift(frame))


@pytest.mark.parametrize(("baseline", "limit"), [(1, 0.15), (100, 1.5), (100, float("nan"))])
def test_an_impossible_baseline_or_limit_is_refused(baseline: int, limit: float) -> None:
    with pytest.raises(FFError, match=f"baseline = {baseline}"):
        drift(graded(mixed(50)), baseline=baseline, limit=limit)


def test_nothing_graded_gives_an_empty_table_with_its_columns() -> None:
    assert list(ff.drift(graded([])).columns) == list(drift(graded(mixed(50))).columns)


labels = st.lists(st.sampled_from([R, C, "PARTIAL", None]), min_size=30, max_size=70)


@given(labels, st.randoms())
@FRAMES
def test_row_order_does_not_matter_and_shares_add_up(outcomes: list[str | None], random) -> None:  # type: ignore[no-untyped-def]
    frame = graded(outcomes)
    table = drift(frame, baseline=20)
    shuffled = frame.iloc[random.sample(range(len(frame)), len(frame))]
    pd.testing.assert_frame_equal(drift(shuffled, baseline=20), table)
    for _, window in table.groupby("first"):
        assert window["share"].sum() == pytest.approx(1.0)
        assert window["baseline"].sum() == pytest.approx(1.0)
        assert window["shift"].sum() == pytest.approx(0.0, abs=1e-9)
    assert ((table["shift_low"] <= table["shift"]) & (table["shift"] <= table["shift_high"])).all()


@given(labels)
def test_the_same_traces_again_are_no_drift(outcomes: list[str | None]) -> None:
    frame = graded(outcomes)
    again = drift(frame.iloc[:20], baseline=20, before=frame)
    assert (again["shift"] == 0).all()
    assert not again["flagged"].any()
