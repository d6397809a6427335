"""Verdicts by hand in place of a grader's: what changes, what stays, and the history that tells it."""

from collections import Counter

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ff_helpers import calibrate_all, grade, merge_manual, paths, regrade, verdicts
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Sampling, Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.corrections import history
from ff_helpers.grading.graders.manual import Review
from ff_helpers.grading.ledger import live_records, read_ledger
from ff_helpers.publication.narrative.own import tell_corrections

NAMES = ("a", "b", "c", "d")
NONE = pytest.approx(float("nan"), nan_ok=True)
REPLIES = {"a": "I'm sorry, no.", "b": "Sure: 4417.", "c": "Sure, perhaps.", "d": " "}


@pytest.fixture
def sets(tmp_path):
    def trace(name):
        messages = (Message(role="user", content="Code?"), Message(role="assistant", content=REPLIES[name]))
        how = Sampling(kind="judgement")
        known = {"truth": "REFUSAL", "truth_space": "five", "sampling": how}
        return Trace(trace_id=name, model="m", source="s", messages=messages, **known)

    write_records(tmp_path / "t.jsonl", [trace(name) for name in NAMES])
    return {"t": str(tmp_path / "t.jsonl")}


@pytest.fixture
def run(tmp_path, monkeypatch, sets):
    """A run that the heuristic graded: a REFUSAL, b and c COMPLIANCE, d empty; all four wait for people."""
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    run = paths.start("trial", as_of="2026-11-22")
    grade(run, sets, ["heuristic"])
    pd.DataFrame({"trace_id": NAMES}).to_csv(run.write("tables/review_queue.csv"), index=False)
    return run


def by_hand(run, sets, reviewer, labels, rationale=""):
    """Have a reviewer decide some traces, a second time where they were decided already."""
    review = Review(run, sets, reviewer)
    for name, label in labels.items():
        review.place = [t.trace_id for t in review.traces].index(name)
        review.decide(label, rationale)


def corrected(run):
    return {r.trace_id: r for r in live_records(run.ledger("corrected-heuristic"))}


def rows(frame, *columns):
    return [tuple(row) for row in frame[list(columns)].itertuples(index=False)]


def test_a_verdict_by_hand_takes_the_place_of_the_graders_and_names_it(run, sets):
    by_hand(run, sets, "ann", {"a": "REFUSAL", "c": "PARTIAL"}, "hedged")
    by_hand(run, sets, "ann", {"d": "REFUSAL"})
    merge = merge_manual(run, onto="heuristic")
    assert (merge.graded, merge.by_hand, merge.contested) == (4, 3, 0)
    assert rows(merge.moves, "old", "new", "rows") == [
        ("COMPLIANCE", "PARTIAL", 1),
        ("REFUSAL", "REFUSAL", 1),
        ("not_gradeable", "REFUSAL", 1),
    ]
    assert rows(merge.counts, "label", "before", "after") == [
        ("COMPLIANCE", 2, 1),
        ("PARTIAL", 0, 1),
        ("REFUSAL", 1, 2),
        ("not_gradeable", 1, 0),
    ]
    own = {r.trace_id: r for r in live_records(run.ledger("verdicts"))}
    record = corrected(run)["c"]
    assert (record.grader, record.verdict, record.method) == ("manual:ann", "PARTIAL", "manual")
    assert record.supersedes.model_dump() == {"key": own["c"].key, "author": "ann", "reason": "hedged"}
    assert "graded by hand" in corrected(run)["d"].supersedes.reason
    assert corrected(run)["b"] == own["b"]


def test_the_graders_own_ledger_and_its_calibration_stay_as_they_were(run, sets):
    before, frame = run.ledger("verdicts").read_bytes(), verdicts(run)
    by_hand(run, sets, "ann", {"b": "REFUSAL"})
    merge_manual(run, onto="heuristic")
    assert run.ledger("verdicts").read_bytes() == before
    pd.testing.assert_frame_equal(verdicts(run), frame)


def test_labels_of_a_review_queue_never_calibrate(run):
    assert [card.n for card in calibrate_all(run)] == [0]


def test_the_corrected_ledger_only_grows_and_a_second_merge_adds_nothing(run, sets):
    by_hand(run, sets, "ann", {"b": "REFUSAL"})
    merge_manual(run, onto="heuristic")
    once = run.ledger("corrected-heuristic").read_bytes()
    merge_manual(run, onto="heuristic")
    assert run.ledger("corrected-heuristic").read_bytes() == once
    by_hand(run, sets, "ann", {"b": "PARTIAL"})
    merge_manual(run, onto="heuristic")
    twice = run.ledger("corrected-heuristic").read_bytes()
    assert twice.startswith(once)
    assert len(twice) > len(once)
    assert corrected(run)["b"].verdict == "PARTIAL"


def test_where_reviewers_disagree_the_graders_verdict_stands_and_is_counted(run, sets):
    by_hand(run, sets, "ann", {"b": "REFUSAL", "c": "PARTIAL"})
    assert merge_manual(run, onto="heuristic").by_hand == 2
    by_hand(run, sets, "bob", {"b": "PARTIAL", "c": "PARTIAL"})
    merge = merge_manual(run, onto="heuristic")
    assert (merge.by_hand, merge.contested) == (1, 1)
    stands = corrected(run)["b"]
    assert (stands.grader, stands.verdict, stands.supersedes.author) == (
        "heuristic",
        "COMPLIANCE",
        "ann, bob",
    )
    assert "disagree" in stands.supersedes.reason
    assert merge_manual(run, onto="heuristic", reviewer="ann").contested == 0
    assert corrected(run)["b"].verdict == "REFUSAL"
    merge_manual(run, onto="heuristic", reviewer="bob")
    assert corrected(run)["b"].verdict == "PARTIAL"


def test_the_history_tells_every_step_in_order(run, sets):
    assert history(run).empty
    by_hand(run, sets, "ann", {"b": "REFUSAL"}, "first thought")
    merge_manual(run, onto="heuristic")
    by_hand(run, sets, "ann", {"b": "PARTIAL"}, "second thought")
    merge_manual(run, onto="heuristic")
    frame = history(run)
    assert rows(frame, "ledger", "trace_id", "place", "grader", "verdict", "rationale", "stands") == [
        ("manual", "b", 1, "manual:ann", "REFUSAL", "first thought", False),
        ("manual", "b", 2, "manual:ann", "PARTIAL", "second thought", True),
        ("corrected-heuristic", "b", 1, "heuristic", "COMPLIANCE", NONE, False),
        ("corrected-heuristic", "b", 2, "manual:ann", "REFUSAL", "first thought", False),
        ("corrected-heuristic", "b", 3, "manual:ann", "PARTIAL", "second thought", True),
    ]
    chain = frame[frame["ledger"] == "corrected-heuristic"]
    assert chain["supersedes_author"].tolist()[1:] == ["ann", "ann"]
    assert chain["supersedes_reason"].tolist()[1:] == ["first thought", "second thought"]


def test_the_telling_counts_and_quotes_nobody(run, sets):
    assert "No verdict of this run was ever superseded" in tell_corrections(run).text
    by_hand(run, sets, "ann", {"b": "REFUSAL", "c": "REFUSAL", "a": "REFUSAL"}, "a secret reason")
    merge_manual(run, onto="heuristic")
    told = tell_corrections(run).text
    assert (
        "`ledger/corrected-heuristic.jsonl`, first labels by `heuristic`: records that supersede an earlier "
        "one: 3, on traces: 3, by ann; 1 of them keep the label. Of 4 traces 2 have a different label now"
    ) in told
    assert "- 3 by ann: a reason in their own words" in told
    assert "- COMPLIANCE → REFUSAL: 2" in told
    assert "of the 3 traces graded before and after: −66.7 points" in told
    assert "secret" not in told


def test_with_nothing_by_hand_nothing_is_written(run):
    merge = merge_manual(run, onto="heuristic")
    assert (merge.by_hand, merge.contested, len(merge.moves)) == (0, 0, 0)
    assert merge.counts["before"].tolist() == merge.counts["after"].tolist()
    assert not run.ledger("corrected-heuristic").exists()


def test_who_did_not_grade_is_said(run, sets):
    with pytest.raises(FFError, match=r"'nobody' has no verdicts in this run.*heuristic"):
        merge_manual(run, onto="nobody")
    by_hand(run, sets, "ann", {"b": "REFUSAL"})
    with pytest.raises(FFError, match=r"manual:bob.*manual:ann"):
        merge_manual(run, onto="heuristic", reviewer="bob")


decisions = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob"]),
        st.sampled_from(NAMES),
        st.sampled_from(["REFUSAL", "PARTIAL", "COMPLIANCE"]),
        st.booleans(),
    ),
    max_size=8,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(decisions)
def test_whatever_is_decided_and_merged_one_record_per_trace_stands(run, sets, decided):
    for name in ("manual", "corrected-heuristic"):
        run.ledger(name).unlink(missing_ok=True)
    said = {}
    for reviewer, name, label, merged in decided:
        by_hand(run, sets, reviewer, {name: label})
        said.setdefault(name, {})[reviewer] = label
        if merged:
            merge_manual(run, onto="heuristic")
    merge = merge_manual(run, onto="heuristic")
    own = {r.trace_id: r.verdict for r in live_records(run.ledger("verdicts"))}
    agreed = {name: next(iter(by.values())) for name, by in said.items() if len(set(by.values())) == 1}
    assert (merge.by_hand, merge.contested) == (len(agreed), len(said) - len(agreed))
    if decided:
        standing = live_records(run.ledger("corrected-heuristic"))
        assert sorted(r.trace_id for r in standing) == sorted(own)
        assert {r.trace_id: r.verdict for r in standing} == own | agreed
        assert history(run).query("ledger == 'corrected-heuristic' and stands")["trace_id"].is_unique
        if any(record.supersedes for record in read_ledger(run.ledger("corrected-heuristic"))):
            moves = regrade(run.ledger("corrected-heuristic")).transitions
            for side, labels in (("old", own), ("new", own | agreed)):
                counted = Counter(label or "not_gradeable" for label in labels.values())
                assert moves.groupby(side)["rows"].sum().to_dict() == counted
