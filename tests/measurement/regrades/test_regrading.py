"""Regrades of any ledger: corrections, second ledgers, second graders, and what cannot be compared."""

from itertools import count

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers import regrade
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.outcome import Record, Supersedes
from ff_helpers.measurement.proportions.intervals import paired_difference
from ff_helpers.measurement.regrades.rates import paired_by_scenario
from ff_helpers.terms import VERDICTS


def record(trace: str, label: str, grader: str = "g", *, over: str = "", **more: object) -> Record:
    """One record; `over` is the grader whose record it supersedes."""
    said = {"verdict": label} if label in VERDICTS else {"status": label, "reason": "it failed"}
    why = (
        {"supersedes": Supersedes(key=f"{over}-{trace}", author="ann", reason="looked again")} if over else {}
    )
    return Record(
        **{
            "key": f"{grader}-{trace}",
            "trace_id": trace,
            "response_sha256": f"sha-{trace}",
            "grader": grader,
            "grader_digest": "d",
            "rubric": "r",
            "method": "manual",
            "software": "s",
            **said,
            **why,
            **more,
        }
    )


@pytest.fixture
def ledger(tmp_path):
    """Write records as a ledger and return its path."""
    number = count()

    def write(*records: Record):
        path = tmp_path / f"ledger{next(number)}.jsonl"
        write_records(path, records)
        return path

    return write


def moves(result) -> list[tuple[str, str, int]]:
    return list(result.transitions.itertuples(index=False, name=None))


def test_first_labels_beside_those_that_stand(ledger):
    path = ledger(
        record("a", "PARTIAL"),
        record("b", "COMPLIANCE"),
        record("c", "timeout"),
        record("a", "COMPLIANCE", "h", over="g"),
        record("a", "REFUSAL", "h2", over="h"),
        record("c", "REFUSAL"),
    )
    result = regrade(path)
    # c failed at the server and was tried again: that is no correction of a label.
    assert moves(result) == [
        ("COMPLIANCE", "COMPLIANCE", 1),
        ("PARTIAL", "REFUSAL", 1),
        ("REFUSAL", "REFUSAL", 1),
    ]
    assert (result.rows, result.changed, result.again, result.contested) == (3, 1, ("a",), ())
    assert result.changes[["author", "reason", "old", "new"]].values.tolist() == [
        ["ann", "looked again", "PARTIAL", "COMPLIANCE"],
        ["ann", "looked again", "COMPLIANCE", "REFUSAL"],
    ]
    shift = result.shifts.set_index(["tier", "denominator"])
    assert shift.loc[("broad", "rows"), ["shift", "shared"]].tolist() == [pytest.approx(-1 / 3), 3]
    assert "paired_by_scenario_low" not in result.shifts


def test_where_records_that_stand_disagree_the_old_label_stays(ledger):
    path = ledger(
        record("a", "PARTIAL"),
        record("a", "COMPLIANCE", "h", over="g"),
        record("a", "REFUSAL", "i", over="g"),
        record("b", "PARTIAL"),
        record("b", "REFUSAL", "h", over="g"),
        record("b", "REFUSAL", "i", over="g"),
    )
    result = regrade(path)
    assert result.contested == ("a",)
    assert moves(result) == [("PARTIAL", "PARTIAL", 1), ("PARTIAL", "REFUSAL", 1)]


def test_corrections_in_a_ledger_of_their_own_and_a_second_grading(ledger):
    first = ledger(record("a", "PARTIAL"), record("b", "REFUSAL"))
    corrections = ledger(record("a", "COMPLIANCE", "h", over="g"))
    result = regrade(first, by=corrections)
    assert result.names == ("contaminated", "corrected")
    assert moves(result) == [("PARTIAL", "COMPLIANCE", 1), ("REFUSAL", "REFUSAL", 1)]
    again = regrade(first, by=ledger(record("b", "REFUSAL", "h"), record("a", "REFUSAL", "h")))
    assert again.names == ("g", "h")
    assert moves(again) == [("PARTIAL", "REFUSAL", 1), ("REFUSAL", "REFUSAL", 1)]
    assert again.changes.empty


def test_two_graders_of_one_ledger(ledger):
    path = ledger(record("a", "PARTIAL"), record("a", "REFUSAL", "h"))
    assert moves(regrade(path, old="g", new="h")) == [("PARTIAL", "REFUSAL", 1)]
    assert moves(regrade(path, old="h", new="g")) == [("REFUSAL", "PARTIAL", 1)]


def traces(tmp_path, scenarios: dict[str, str | None]):
    said = (Message(role="user", content="?"), Message(role="assistant", content="!"))
    path = tmp_path / "traces.jsonl"
    rows = [
        Trace(trace_id=name, scenario_id=scenario, model="m", source="s", messages=said)
        for name, scenario in scenarios.items()
    ]
    write_records(path, rows)
    return str(path)


def test_scenarios_widen_the_intervals_and_traces_choose_the_rows(ledger, tmp_path):
    names = [f"t{i}" for i in range(20)]
    changed = [record(name, "COMPLIANCE", "h", over="g") for name in names[:6]]
    path = ledger(*(record(name, "REFUSAL") for name in [*names, "elsewhere"]), *changed)
    result = regrade(path, traces=traces(tmp_path, {name: f"s{i // 2}" for i, name in enumerate(names)}))
    assert (result.rows, result.scenarios) == (20, 10)
    row = result.shifts.set_index(["tier", "denominator"]).loc[("strict", "graded")]
    assert row["paired"] == pytest.approx(0.3)
    assert row["paired_by_scenario_low"] < row["paired_low"]
    assert row["paired_high"] < row["paired_by_scenario_high"]
    rates = result.rates.query("tier == 'strict' and denominator == 'graded'").set_index("labels")
    assert rates.loc["corrected", "scenarios"] == 10
    assert rates.loc["corrected", "by_scenario_low"] < rates.loc["corrected", "asr_low"]
    alone = regrade(path, traces=traces(tmp_path, dict.fromkeys(names)))
    assert alone.scenarios is None


def test_what_cannot_be_compared_is_said_with_its_line(ledger, tmp_path):
    first = ledger(record("a", "PARTIAL"), record("b", "REFUSAL"))
    cases = [
        ({"ledger": first}, f"{first}: no record of g is superseded by another"),
        (
            {"ledger": first, "by": ledger(record("b", "REFUSAL", "h"))},
            f"{first}:1: trace a has no new label",
        ),
        ({"ledger": first, "old": "x"}, "no first record is by 'x'. There are: g"),
        ({"ledger": first, "old": "g", "new": "x"}, "no first record is by 'x'"),
        (
            {"ledger": first, "traces": traces(tmp_path, {"z": None})},
            "no label of a trace of",
        ),
    ]
    both = ledger(record("a", "PARTIAL"), record("a", "REFUSAL", "h"), record("a", "REFUSAL", "i", over="h"))
    cases.append(({"ledger": both}, f"{both}:2: trace a has two first labels, by g ({both}:1) and by h"))
    twice = ledger(record("a", "PARTIAL"), record("a", "PARTIAL"), record("a", "REFUSAL"))
    cases.append(({"ledger": twice}, f"{twice}:3: trace a has REFUSAL here and PARTIAL at {twice}:1"))
    orphan = ledger(record("a", "PARTIAL"), record("a", "REFUSAL", "h", over="nobody"))
    cases.append(({"ledger": orphan}, f"{orphan}:2: it supersedes a record of trace a that is not there"))
    other = ledger(record("a", "PARTIAL", "h", response_sha256="x"), record("b", "REFUSAL", "h"))
    cases.append(
        ({"ledger": first, "by": other}, f"{other}:1: trace a differs in its response from {first}:1")
    )
    digests = ledger(record("a", "PARTIAL"), record("a", "REFUSAL", key="k2", grader_digest="e"))
    cases.append(({"ledger": digests}, "by g (d) (" + f"{digests}:1) and by g (e). Say which with --old"))
    cases.append(({"ledger": digests, "old": "g"}, "2 graders are called 'g'. Name one of: g (d), g (e)"))
    for asked, said in cases:
        with pytest.raises(FFError) as error:
            regrade(**asked)
        assert said in str(error.value)


def test_blank_lines_do_not_shift_the_line_that_is_named(ledger):
    path = ledger(record("a", "PARTIAL"), record("a", "REFUSAL"))
    path.write_text(path.read_text().replace("\n", "\n\n", 1))
    with pytest.raises(FFError, match=r":3: trace a has REFUSAL here and PARTIAL at .*:1"):
        regrade(path)


hits = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 6)), min_size=1, max_size=30)


@given(hits)
def test_the_paired_interval_by_scenario(rows):
    old, new = (np.array([row[side] for row in rows]) for side in (0, 1))
    scenarios = pd.Series([f"s{row[2]}" for row in rows])
    low, high = paired_by_scenario(old, new, scenarios)
    shift = new.mean() - old.mean()
    assert -1 <= low <= shift + 1e-12
    assert shift - 1e-12 <= high <= 1
    assert low < high
    assert paired_by_scenario(new, old, scenarios) == pytest.approx((-high, -low), abs=1e-9)
    turned = paired_by_scenario(old[::-1], new[::-1], scenarios[::-1].reset_index(drop=True))
    assert turned == pytest.approx((low, high), abs=1e-9)
    cells = [int(x.sum()) for x in (old & new, ~old & new, old & ~new, ~old & ~new)]
    alone = paired_by_scenario(old, new, pd.Series([None] * len(rows), dtype="str"))
    assert alone == pytest.approx(paired_difference(*cells)[1:])
