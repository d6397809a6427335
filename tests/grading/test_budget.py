"""Grading by the clock: the order of rows, what a budget reaches, and that the next call goes on."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers import grade, paths, verdicts
from ff_helpers.corpus.injections import CLEAN
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.readers import load_set
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.errors import FFError
from ff_helpers.grading import budget
from ff_helpers.grading.ledger import read_ledger
from tests.model_server import running


def trace(name, n):
    said = (Message(role="user", content="Code?"), Message(role="assistant", content=f"No. {n}"))
    known = {"truth": "REFUSAL", "truth_space": "refused"}
    return Trace(trace_id=f"{name}-{n}", model="m", source="s", messages=said, **known)


def set_of(name, size):
    return [trace(name, n) for n in range(size)]


# The order


@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(0, 99))
def test_every_beginning_holds_as_many_of_each_set(sizes, seed):
    sets = {f"s{number}": set_of(f"s{number}", size) for number, size in enumerate(sizes)}
    order = budget.order(sets, seed=seed)
    assert sorted(t.trace_id for t in order) == sorted(t.trace_id for rows in sets.values() for t in rows)
    for length in range(len(order) + 1):
        taken = budget.drawn(sets, order[:length])
        most = max(map(len, taken.values()))
        for name, rows in taken.items():
            assert len(rows) >= min(most - 1, len(sets[name]))  # fewer only where the set is exhausted
            for row in rows:
                part = len(rows) / len(sets[name])
                assert (row.sampling is None) == (part == 1)
                assert row.sampling is None or row.sampling.probability == pytest.approx(part)


def test_the_order_is_random_and_the_same_again():
    sets = {"a": set_of("a", 50)}
    first, again, other = (budget.order(sets, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert first != sets["a"]


def test_an_attack_comes_after_its_clean_twin():
    suite = load_set("data/calibration/injections.jsonl")
    order = budget.order({"injections": suite}, seed=0)
    assert len(order) == len(suite)
    seen = set()
    for row in order:
        if row.run == CLEAN:
            seen.add(row.scenario_id)
        assert row.scenario_id in seen
    assert order[0].run == CLEAN
    assert order[1].run != CLEAN


@given(st.integers(0, 60), st.integers(0, 30))
def test_every_row_is_graded_and_the_first_ones_twice_not_at_once(size, repeats):
    rows = set_of("a", size)
    work = list(budget.passes(rows, repeats))
    assert [t for t, again in work if again == 0] == rows
    assert [t for t, again in work if again == 1] == rows[:repeats]
    for row in rows[: min(repeats, size // 5)]:
        assert work.index((row, 1)) - work.index((row, 0)) >= 4


@pytest.mark.parametrize("minutes", [-1, float("nan"), float("inf")])
def test_a_budget_is_a_time(minutes):
    with pytest.raises(FFError, match=r"minutes = .*must be 0 \(no limit\) or more"):
        budget.check(minutes)


# A campaign


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    return paths.start("trial", as_of="2026-11-22")


@pytest.fixture
def sets(tmp_path):
    found = {name: tmp_path / f"{name}.jsonl" for name in ("many", "few")}
    write_records(found["many"], set_of("many", 150))
    write_records(found["few"], set_of("few", 50))
    return {name: str(path) for name, path in found.items()}


def left(run):
    with (run.folder / paths.LEFT).open() as file:
        return list(csv.DictReader(file))


def test_what_is_reached_is_the_sample_and_the_next_call_goes_on(run, sets):
    with running("--latency", "0.05") as port:
        specs = [f"openai:good:1@http://127.0.0.1:{port}/v1", "heuristic"]
        counts = grade(run, sets, specs, minutes=2 / 60, repeat_rows=5)
        (row,) = left(run)
        reached = int(row["reached"])
        assert row["rows"] == "200"
        assert 4 <= reached < 200
        assert counts.groupby("grader")["n"].sum().to_dict() == {"good:1": reached, "heuristic": reached}
        frame = verdicts(run).query("repeat == 0")
        assert set(frame["sampling"]) == {"random"}
        rows = frame.drop_duplicates("trace_id").groupby("set")
        for name, size in {"many": 150, "few": 50}.items():
            here = rows.get_group(name)
            assert here["probability"].tolist() == pytest.approx([len(here) / size] * len(here), abs=1e-6)
        before = len(list(read_ledger(run.ledger("verdicts"))))
        grade(run, sets, specs, minutes=0, repeat_rows=5)
    assert left(run) == []
    records = list(read_ledger(run.ledger("verdicts")))
    assert len(records) == 2 * 200 + 5 > before
    assert len({(r.key, r.trace_id) for r in records}) == len(records)
    assert set(verdicts(run)["sampling"]) == {"census"}


def test_a_budget_that_reaches_nothing_says_so_and_keeps_what_was_graded(run, sets):
    with running("--latency", "0.2") as port, pytest.raises(FFError, match=r"minutes = 0\.0001: over before"):
        grade(run, sets, [f"openai:good:1@http://127.0.0.1:{port}/v1"], minutes=0.0001)


def test_without_a_budget_nothing_says_what_is_left(run, sets):
    grade(run, sets, ["heuristic"])
    assert not (run.folder / paths.LEFT).exists()
