"""The development split: fixed by the id alone, about a third."""

from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.corpus.split import in_development, in_split


@given(st.text())
def test_every_trace_is_in_all_and_in_one_of_the_two(trace_id):
    assert in_split(trace_id, "all")
    assert in_split(trace_id, "development") != in_split(trace_id, "held-out")


def test_about_a_third_is_for_development_and_the_choice_is_fixed():
    chosen = [f"refusal-{n:04d}" for n in range(1, 301) if in_development(f"refusal-{n:04d}")]
    assert 80 < len(chosen) < 120
    assert chosen[:3] == ["refusal-0001", "refusal-0004", "refusal-0006"]
