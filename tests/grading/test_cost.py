"""What the rest of a file will cost, predicted from a random sample that was graded."""

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.cost import cost_of, expected, sample_of
from ff_helpers.grading.ledger import live_records
from ff_helpers.grading.stream import grade_file


def trace(n: int) -> Trace:
    messages = (
        Message(role="user", content="Code?"),
        Message(role="assistant", content="No. " * (1 + n % 7)),
    )
    return Trace(
        trace_id=f"t{n:03}", model="m", source="s", messages=messages, truth="REFUSAL", truth_space="five"
    )


@pytest.fixture
def file(tmp_path):
    write_records(tmp_path / "traces.jsonl", map(trace, range(50)))
    return tmp_path / "traces.jsonl"


def test_the_sum_of_future_values_is_predicted_as_by_hand() -> None:
    # Mean 4, standard deviation 2, t(0.975, 2) = 4.3027: half = 4.3027 * 2 * sqrt(10**2 / 3 + 10)
    found = expected([2.0, 4.0, 6.0], 10)
    assert (found.mean, found.total) == (4.0, 40.0)
    assert found.high - found.total == pytest.approx(4.302653 * 2 * math.sqrt(100 / 3 + 10), rel=1e-6)
    assert found.low == 0.0  # 40 - 56.6 would be less than nothing
    assert expected([3.0, 3.0], 0).total == expected([3.0, 3.0], 0).high == 0.0


def test_intervals_hold_the_sum_as_often_as_they_say() -> None:
    draw = random.Random(7)
    held = 0
    for _ in range(1000):
        rest = [draw.lognormvariate(6, 0.5) for _ in range(200)]
        found = expected([draw.lognormvariate(6, 0.5) for _ in range(20)], 200)
        held += found.low <= sum(rest) <= found.high
    assert 0.91 <= held / 1000 <= 0.97


@given(st.integers(2, 60), st.integers(2, 60))
def test_a_larger_sample_holds_a_smaller_one(tmp_path_factory, one: int, other: int) -> None:
    path = tmp_path_factory.getbasetemp() / "sampled.jsonl"
    if not path.exists():
        write_records(path, map(trace, range(50)))
    small, large = (sample_of(path, n) for n in sorted((one, other)))
    assert small <= large
    assert len(large) == min(50, max(one, other))


def test_the_sample_is_graded_once_kept_and_alone_says_what_the_rest_takes(
    file, tmp_path, port, monkeypatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{port}")
    ledger = tmp_path / "v.jsonl"
    grade_file(file, "ollama:good:1", ledger, limit=5)  # not drawn at random: they count as graded, no more
    done = grade_file(file, "ollama:good:1", ledger, only=sample_of(file))
    cost = cost_of(file, ledger, done.identity, prices=(2.0, 8.0))
    known = {r.trace_id: r for r in live_records(ledger)}
    drawn = [known[one] for one in sample_of(file)]
    assert (cost.rows, cost.sampled, cost.left) == (50, 20, 50 - len(known))
    assert cost.prompt_tokens.mean == pytest.approx(statistics.fmean(r.prompt_tokens for r in drawn))
    assert cost.prompt_tokens.low <= cost.prompt_tokens.total <= cost.prompt_tokens.high
    assert cost.money.mean == pytest.approx(
        (2 * cost.prompt_tokens.mean + 8 * cost.completion_tokens.mean) / 1e6
    )
    again = grade_file(file, "ollama:good:1", ledger, only=sample_of(file))
    assert (again.graded, again.already) == (0, 20)


def test_a_grader_without_tokens_costs_none(file, tmp_path) -> None:
    done = grade_file(file, "heuristic", tmp_path / "v.jsonl", only=sample_of(file, 8))
    cost = cost_of(file, tmp_path / "v.jsonl", done.identity, n=8, prices=(1.0, 1.0))
    assert (cost.sampled, cost.left) == (8, 42)
    assert cost.prompt_tokens is cost.money is None


def test_a_sample_of_one_has_no_spread(file) -> None:
    with pytest.raises(FFError, match="two traces at least"):
        sample_of(file, 1)
