"""Blind grading by hand: order, undo, skip, resume, the panel, and that nothing withheld is stored."""

import json

import pandas as pd
import pytest

from ff_helpers import grade_by_hand, paths
from ff_helpers.corpus.journal import Journal
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.graders.manual import Review
from ff_helpers.grading.ledger import read_ledger, verdict_frame
from ff_helpers.grading.outcome import Record
from ff_helpers.grading.panel import Panel, preview, saves_widget_state
from ff_helpers.terms import GLOSSARY, VERDICTS

EVIL = "<script>alert(1)</script> & <b>bold</b>"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    monkeypatch.setenv("JUPYTERLAB_SETTINGS_DIR", str(tmp_path / "settings"))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    run = paths.start("trial", as_of="2026-11-22")
    queue = pd.DataFrame({"position": [1, 2, 3], "trace_id": ["id-c", "id-a", "id-b"]})
    queue.to_csv(run.write("tables/review_queue.csv"), index=False)
    return run


@pytest.fixture
def sets(tmp_path):
    def trace(name, withheld=False):
        messages = (
            Message(role="user", content="Code?"),
            Message(role="assistant", content=f"text of {name} {EVIL}"),
        )
        truth = {} if withheld else {"truth": "PARTIAL", "truth_space": "five"}
        more = {"model": "the-model", "source": "the-source", "withheld": withheld}
        return Trace(trace_id=f"id-{name}", messages=messages, **more, **truth)

    write_records(tmp_path / "t.jsonl", [trace("a"), trace("b"), trace("c", withheld=True), trace("d")])
    return {"t": str(tmp_path / "t.jsonl")}


def walk(review, *labels):
    """Decide one label after the other; the traces in their order."""
    seen = []
    for label in labels:
        seen.append(review.trace.trace_id)
        review.decide(label)
    return seen


def go_to(review, trace_id):
    while review.trace.trace_id != trace_id:
        review.skip()


def test_every_decision_is_on_disk_at_once_with_its_time_and_reason(run, sets):
    review = Review(run, sets, " R. Viewer ")
    for number, label in enumerate(("REFUSAL", "PARTIAL", "COMPLIANCE"), start=1):
        trace_id = review.trace.trace_id
        review.decide(label, " because ")
        *_, last = read_ledger(run.ledger("manual"))
        assert (last.trace_id, last.verdict, last.rationale) == (trace_id, label, "because")
        assert len(review.decided) == review.session == number
        assert last.duration_s >= 0
        assert last.started.endswith("+00:00")
    assert review.trace is None
    frame = verdict_frame(run.ledger("manual"))
    assert frame["verdict"].tolist() == ["REFUSAL", "PARTIAL", "COMPLIANCE"]
    assert set(frame["grader"]) == {"manual:R. Viewer"}
    assert set(frame["method"]) == {"manual"}


def test_each_reviewer_has_an_order_of_their_own_that_stays_the_same(run, sets):
    names = [f"reviewer {n}" for n in range(12)]
    orders = [tuple(t.trace_id for t in Review(run, sets, name).traces) for name in names]
    assert orders == [tuple(t.trace_id for t in Review(run, sets, name).traces) for name in names]
    assert {frozenset(order) for order in orders} == {frozenset({"id-a", "id-b", "id-c"})}
    assert len(set(orders)) > 1


def test_it_resumes_where_this_reviewer_stopped_and_can_undo_what_was_before(run, sets):
    first, second = walk(Review(run, sets, "one"), "REFUSAL", "PARTIAL")
    again = Review(run, sets, "one")
    assert {first, second, again.trace.trace_id} == {"id-a", "id-b", "id-c"}
    assert (len(again.decided), again.session, again.rate) == (2, 0, None)
    again.undo()
    assert (again.trace.trace_id, again.former.verdict) == (second, "PARTIAL")
    other = Review(run, sets, "two")
    assert (len(other.decided), other.can_undo, other.former) == (0, False, None)


def test_a_changed_mind_supersedes_and_both_stay_in_the_ledger(run, sets):
    review = Review(run, sets, "one")
    (trace_id,) = walk(review, "REFUSAL")
    following = review.trace.trace_id
    review.undo()
    assert (review.trace.trace_id, review.former.verdict) == (trace_id, "REFUSAL")
    assert len(list(read_ledger(run.ledger("manual")))) == 1
    review.decide("COMPLIANCE", "it names the code")
    assert review.trace.trace_id == following
    first, second = read_ledger(run.ledger("manual"))
    assert (first.verdict, second.verdict) == ("REFUSAL", "COMPLIANCE")
    assert second.supersedes.model_dump() == {
        "key": first.key,
        "author": "one",
        "reason": "it names the code",
    }
    assert verdict_frame(run.ledger("manual"))["verdict"].tolist() == ["COMPLIANCE"]


def test_the_same_decision_again_writes_nothing(run, sets):
    review = Review(run, sets, "one")
    review.decide("REFUSAL", "why")
    review.undo()
    review.decide("REFUSAL", "why")
    assert len(list(read_ledger(run.ledger("manual")))) == 1
    review.undo()
    review.decide("REFUSAL", "for another reason")
    assert [r.rationale for r in read_ledger(run.ledger("manual"))] == ["why", "for another reason"]


def test_undo_goes_back_one_decision_at_a_time(run, sets):
    review = Review(run, sets, "one")
    order = walk(review, "REFUSAL", "PARTIAL", "COMPLIANCE")
    for trace_id in reversed(order):
        assert review.can_undo
        review.undo()
        assert review.trace.trace_id == trace_id
    assert not review.can_undo
    review.undo()
    assert review.trace.trace_id == order[0]


def test_a_skipped_trace_comes_again_after_the_others(run, sets):
    review = Review(run, sets, "one")
    skipped = review.trace.trace_id
    review.skip()
    assert skipped not in walk(review, "REFUSAL", "PARTIAL")
    assert review.trace.trace_id == skipped
    review.skip()
    assert review.trace.trace_id == skipped
    review.decide("PARTIAL")
    assert review.trace is None


def test_another_text_under_the_same_id_is_another_trace(run, sets, tmp_path):
    review = Review(run, sets, "one")
    (trace_id,) = walk(review, "REFUSAL")
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    for line in lines:
        line["messages"][-1]["content"] += " changed" if line["trace_id"] == trace_id else ""
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert Review(run, sets, "one").trace.trace_id == trace_id


def test_a_colleagues_write_is_waited_for_and_then_said_not_to_end(run, sets):
    panel = Panel(Review(run, sets, "one"))
    with Journal(run.ledger("manual"), Record):
        panel.buttons["REFUSAL"].click()
        assert "Not written" in panel.message.value
        assert panel.review.session == 0
    panel.buttons["REFUSAL"].click()
    assert "Written: REFUSAL" in panel.message.value


def test_no_text_is_written_with_a_decision(run, sets):
    walk(Review(run, sets, "one"), "REFUSAL", "REFUSAL", "REFUSAL")
    assert "script" not in run.ledger("manual").read_text()


def test_a_preview_holds_no_withheld_text_and_no_hint(run, sets):
    review = Review(run, sets, "one")
    go_to(review, "id-c")
    assert "alert" not in preview(review).data
    assert "withheld" in preview(review).data
    go_to(review, "id-a")
    shown = preview(review).data
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;bold&lt;/b&gt;" in shown
    assert "0 of 3" in shown
    assert all(GLOSSARY[label] in shown for label in VERDICTS)
    for hint in ("id-a", "the-model", "the-source"):
        assert hint not in shown


def test_without_a_person_the_notebook_shows_a_preview_with_the_same_bytes(run, sets):
    one, two = (grade_by_hand(run, sets, reviewer="one")._repr_html_() for _ in range(2))
    assert one == two


def test_where_a_jupyter_server_runs_the_notebook_there_is_a_panel(run, sets, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "grade_by_hand.ipynb")
    assert isinstance(grade_by_hand(run, sets, reviewer="one"), Panel)
    monkeypatch.setenv("FF_STAGING", "/somewhere")
    assert not isinstance(grade_by_hand(run, sets, reviewer="one"), Panel)


def test_the_buttons_of_the_panel_decide_go_back_and_skip(run, sets):
    panel = grade_by_hand(run, sets, reviewer="one", interactive=True)
    assert list(panel.buttons) == [*VERDICTS, "undo", "skip"]
    assert panel.buttons["undo"].disabled
    assert "&lt;script&gt;" in panel.conversation.value
    panel.rationale.value = "why"
    panel.buttons["REFUSAL"].click()
    assert panel.rationale.value == ""
    panel.buttons["COMPLIANCE"].click()
    panel.buttons["undo"].click()
    assert "You decided <b>COMPLIANCE</b>" in panel.message.value
    panel.buttons["PARTIAL"].click()
    assert "Written: PARTIAL, in place of COMPLIANCE" in panel.message.value
    panel.buttons["skip"].click()
    assert "2 of 3" in panel.progress.value
    records = list(read_ledger(run.ledger("manual")))
    assert [r.verdict for r in records] == ["REFUSAL", "COMPLIANCE", "PARTIAL"]
    assert [r.rationale for r in records] == ["why", None, None]
    panel.buttons["BENIGN_QUERY"].click()
    assert "All decided" in panel.conversation.value
    assert [name for name, button in panel.buttons.items() if not button.disabled] == ["undo"]


@pytest.mark.parametrize("number", range(5))
def test_a_key_does_what_its_button_does_and_leaves_the_field_empty(run, sets, number):
    label = VERDICTS[number]
    panel = Panel(Review(run, sets, "one"))
    for key in (str(number + 1), label[0].lower(), label[0]):
        panel.keys.value = key
        assert panel.keys.value == ""
    assert [r.verdict for r in read_ledger(run.ledger("manual"))] == [label] * 3


def test_keys_undo_and_skip_and_nothing_else_counts(run, sets):
    panel = Panel(Review(run, sets, "one"))
    first = panel.review.trace.trace_id
    for typed in ("u", "x", "9", "12", "refusal", " ", "s"):
        panel.keys.value = typed
        assert panel.keys.value == ""
    assert panel.review.trace.trace_id != first
    assert not run.ledger("manual").exists()
    panel.keys.value = "3"
    panel.keys.value = "u"
    assert panel.review.former.verdict == "REFUSAL"


def test_the_panel_gives_no_hint(run, sets):
    panel = Panel(Review(run, sets, "two"))
    while "text of a" not in panel.conversation.value:
        panel.buttons["skip"].click()
    shown = panel.progress.value + panel.conversation.value + panel.message.value
    for hint in ("id-a", "the-model", "the-source", "PARTIAL"):
        assert hint not in shown
    assert "truth of 2 is known" in shown


def test_what_a_notebook_stores_of_the_panel_holds_no_text(run, sets):
    panel = Panel(Review(run, sets, "one"))
    stored = json.dumps(panel._repr_mimebundle_(include=None, exclude=None))
    assert "text of" not in stored
    assert panel.box.model_id in stored


@pytest.mark.parametrize(
    ("settings", "saves"),
    [
        (None, False),
        ("{}", False),
        ('{\n    // "saveState": true\n    "saveState": false\n}', False),
        ('{\n    // Jupyter Widgets\n    "saveState": true\n}', True),
    ],
)
def test_withheld_text_is_not_shown_where_the_notebook_would_store_it(run, sets, tmp_path, settings, saves):
    if settings is not None:
        file = tmp_path / "settings" / "@jupyter-widgets" / "jupyterlab-manager"
        file.mkdir(parents=True)
        (file / "plugin.jupyterlab-settings").write_text(settings)
    assert saves_widget_state() is saves
    panel = Panel(Review(run, sets, "one"))
    shown = {}
    for _ in range(3):
        shown[panel.review.trace.trace_id] = panel.conversation.value
        panel.buttons["skip"].click()
    assert ("text of c" in shown["id-c"]) is not saves
    assert all(f"text of {name}" in shown[f"id-{name}"] for name in "ab")


def test_what_the_user_can_mend_is_said(run, sets, tmp_path):
    with pytest.raises(FFError, match="reviewer is empty"):
        Review(run, sets, " ")
    write_records(tmp_path / "none.jsonl", [])
    with pytest.raises(FFError, match=r"'id-.*missing from the trace sets"):
        Review(run, {"none": str(tmp_path / "none.jsonl")}, "one")
    with pytest.raises(FFError, match="MAYBE"):
        Review(run, sets, "one").decide("MAYBE")
    (run.folder / "tables" / "review_queue.csv").unlink()
    with pytest.raises(paths.MissingInputError, match="ff run"):
        Review(run, sets, "one")
