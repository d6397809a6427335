"""Blind grading by hand: order, undo, resume, and that nothing withheld is stored."""

import pandas as pd
import pytest

from ff_helpers import grade_by_hand, paths
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.grading.graders.manual import NoNameError, QueueTraceMissingError, Review
from ff_helpers.grading.ledger import read_ledger, verdict_frame
from ff_helpers.grading.panel import preview, rendered
from ff_helpers.taxonomy import UnknownTermError

EVIL = "<script>alert(1)</script> & <b>bold</b>"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    run = paths.start("trial", as_of="2026-11-22")
    queue = pd.DataFrame({"position": [1, 2, 3], "trace_id": ["c", "a", "b"]})
    queue.to_csv(run.write("tables/review_queue.csv"), index=False)
    return run


@pytest.fixture
def sets(tmp_path):
    def trace(name, withheld=False):
        messages = (
            Message(role="user", content="Code?"),
            Message(role="assistant", content=f"{name} {EVIL}"),
        )
        return Trace(trace_id=name, model="m", source="s", messages=messages, withheld=withheld)

    write_records(tmp_path / "t.jsonl", [trace("a"), trace("b"), trace("c", withheld=True), trace("d")])
    return {"t": str(tmp_path / "t.jsonl")}


def test_the_queue_is_walked_in_its_order_and_each_decision_is_on_disk_at_once(run, sets):
    review = Review(run, sets, "R. Viewer")
    seen = []
    for label in ("REFUSAL", "PARTIAL", "COMPLIANCE"):
        seen.append(review.trace.trace_id)
        review.decide(label)
        assert len(verdict_frame(run.ledger("manual"))) == len(seen)
    assert seen == ["c", "a", "b"]
    assert review.trace is None
    frame = verdict_frame(run.ledger("manual"))
    assert frame["verdict"].tolist() == ["REFUSAL", "PARTIAL", "COMPLIANCE"]
    assert set(frame["grader"]) == {"manual:R. Viewer"}
    assert set(frame["method"]) == {"manual"}


def test_it_resumes_at_the_first_undecided_trace_and_each_reviewer_has_their_own(run, sets):
    Review(run, sets, "one").decide("REFUSAL")
    again = Review(run, sets, "one")
    assert (again.trace.trace_id, len(again.decided)) == ("a", 1)
    assert Review(run, sets, "two").trace.trace_id == "c"


def test_a_changed_mind_supersedes_and_both_stay_in_the_ledger(run, sets):
    review = Review(run, sets, "one")
    review.decide("REFUSAL")
    review.back()
    assert review.trace.trace_id == "c"
    review.decide("COMPLIANCE")
    assert review.trace.trace_id == "a"
    first, second = read_ledger(run.ledger("manual"))
    assert (first.verdict, second.verdict) == ("REFUSAL", "COMPLIANCE")
    assert (second.supersedes.key, second.supersedes.author) == (first.key, "one")
    assert verdict_frame(run.ledger("manual"))["verdict"].tolist() == ["COMPLIANCE"]


def test_no_text_is_written_with_a_decision(run, sets):
    Review(run, sets, "one").decide("REFUSAL")
    assert "script" not in run.ledger("manual").read_text()


def test_a_trace_is_shown_as_text_and_a_withheld_one_is_not_stored(run, sets):
    review = Review(run, sets, "one")
    withheld = preview(review)
    assert review.trace.withheld
    assert "alert" not in withheld.data
    assert "0 of 3" in withheld.data
    review.decide("REFUSAL")
    shown = preview(review).data
    assert "<script>" not in shown
    assert "<b>bold" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;bold&lt;/b&gt;" in shown
    assert "<script>" not in rendered(review.trace)


def test_without_a_person_the_notebook_shows_a_preview_with_the_same_bytes(run, sets):
    one, two = (grade_by_hand(run, sets, reviewer="one")._repr_html_() for _ in range(2))
    assert one == two


def test_the_buttons_of_the_panel_decide_and_go_back(run, sets):
    panel = grade_by_hand(run, sets, reviewer="one", interactive=True)
    progress, conversation, row = panel.children
    *labels, back = row.children
    assert [b.description for b in labels] == [
        "COMPLIANCE",
        "PARTIAL",
        "REFUSAL",
        "HALLUCINATION_REFUSAL",
        "BENIGN_QUERY",
    ]
    assert back.disabled
    assert "&lt;script&gt;" in conversation.value
    labels[2].click()
    labels[0].click()
    back.click()
    labels[1].click()
    assert progress.value == "2 of 3 graded"
    assert verdict_frame(run.ledger("manual"))["verdict"].tolist() == ["REFUSAL", "PARTIAL"]
    labels[4].click()
    assert all(b.disabled for b in labels)
    assert "<script>" not in conversation.value


def test_what_the_user_can_mend_is_said(run, sets, tmp_path):
    with pytest.raises(NoNameError):
        Review(run, sets, " ")
    write_records(tmp_path / "none.jsonl", [])
    with pytest.raises(QueueTraceMissingError, match="'c'"):
        Review(run, {"none": str(tmp_path / "none.jsonl")}, "one")
    with pytest.raises(UnknownTermError, match="MAYBE"):
        Review(run, sets, "one").decide("MAYBE")
    (run.folder / "tables" / "review_queue.csv").unlink()
    with pytest.raises(paths.MissingInputError, match="ff run"):
        Review(run, sets, "one")
