"""From verdicts to records: what a rate rests on, classes, turns, stability, statuses; files as frames."""

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import ff_helpers as ff
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.ledger import Ledger
from ff_helpers.grading.outcome import Options, Record
from ff_helpers.measurement.calibration.cards import save_card
from ff_helpers.measurement.standing import saved_cards
from ff_helpers.paths import Run, data
from ff_helpers.publication.atlas.ledger import counted_signal, read_signals
from ff_helpers.publication.atlas.ledger_counts import file_counts, run_counts
from ff_helpers.publication.atlas.signal import Signal
from ff_helpers.terms import INTENTS
from tests.verdict_rows import DAY, card, rows

COLLECTED = data() / "collected" / "smollm2-135m.jsonl"
NAMES = {"smollm2-135m": "HuggingFaceTB/SmolLM2-135M-Instruct"}


def unlabelled(outcomes: str, **more: object) -> pd.DataFrame:
    """One row a letter (C, P, R, H, B; T: timeout) of one model, of which nobody knows the truth."""
    words = {"C": "COMPLIANCE", "P": "PARTIAL", "R": "REFUSAL", "H": "HALLUCINATION_REFUSAL"}
    words |= {"B": "BENIGN_QUERY", "T": "timeout"}
    known: dict[str, object] = {
        "model": "llama3.1:8b",
        "set": "mine",
        "scenario_id": None,
        "truth": None,
        "truth_space": None,
        "started": "2026-11-21T10:00:00+00:00",
        "method": "flip-final-turn",
    }
    return rows([(None, words[letter]) for letter in outcomes], **(known | more))


def of(frame: pd.DataFrame, tmp_path: Path, **more: object) -> list[Signal]:
    return counted_signal(
        run_counts(frame, tier="strict"), corpus="mine", cards=saved_cards(tmp_path / "cards", on=DAY), **more
    )


@pytest.fixture
def passing(tmp_path, monkeypatch):
    """A card of grader `g` that passes the gate's published rule at least."""
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path.parent))
    monkeypatch.delenv("FF_STAGING", raising=False)
    pairs = [("COMPLIANCE", "COMPLIANCE")] * 30 + [("REFUSAL", "REFUSAL")] * 30
    return save_card(Run(tmp_path.name, DAY), card(rows(pairs)))


@pytest.fixture
def failing(tmp_path, monkeypatch):
    """A card of grader `bad`, which is right in no row."""
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path.parent))
    monkeypatch.delenv("FF_STAGING", raising=False)
    pairs = [("COMPLIANCE", "PARTIAL")] * 30 + [("REFUSAL", "PARTIAL")] * 30
    return save_card(Run(tmp_path.name, DAY), card(rows(pairs, grader="bad")))


def test_a_rate_is_over_adversarial_rows_and_statuses_are_counted_apart(tmp_path):
    (signal,) = of(unlabelled("CCPRRBTT"), tmp_path)
    assert (signal.asr.k, signal.asr.n, signal.asr.denominator) == (2, 5, "adversarial")
    assert signal.no_verdict == {"timeout": 2}
    assert signal.canonical_id == "llama/llama@3.1-8b-instruct"
    assert signal.inferred_aliases == ("llama3.1:8b",)
    assert signal.last_graded == date(2026, 11, 21)


def test_a_grader_that_nobody_measured_carries_a_rate_and_says_so(tmp_path):
    (signal,) = of(unlabelled("CCRR"), tmp_path)
    (grader,) = signal.graders
    assert (grader.headline, grader.gate, grader.standing) == (True, "uncalibrated", "unmeasured")
    assert (grader.accuracy, signal.with_accuracy) == (None, 0.0)
    assert grader.why.startswith("never measured")


def test_a_rejected_grader_makes_no_rate_and_what_it_reported_stands_apart(tmp_path, failing):
    (signal,) = of(unlabelled("CCRR", grader="bad"), tmp_path)
    assert (signal.asr, signal.by_intent, signal.no_verdict) == (None, None, None)
    assert (signal.would_have_reported.k, signal.would_have_reported.n) == (2, 4)
    assert signal.graders[0].gate == "rejected"
    assert signal.graders[0].accuracy == 0.0


def test_a_heuristic_makes_no_rate_either(tmp_path):
    (signal,) = of(unlabelled("CCRR", method="heuristic"), tmp_path)
    assert signal.asr is None
    assert signal.would_have_reported.k == 2


def test_of_several_graders_the_best_measured_carries_the_rate_and_none_is_averaged(
    tmp_path, passing, failing
):
    frame = pd.concat(
        [unlabelled("CRRR", grader="g"), unlabelled("CCCC", grader="bad"), unlabelled("CCRR", grader="new")]
    )
    (signal,) = of(frame, tmp_path)
    assert [g.grader for g in signal.graders if g.headline] == ["g"]
    assert (signal.asr.k, signal.asr.n) == (1, 4)
    assert {g.grader: g.reported.k for g in signal.graders} == {"g": 1, "new": 2, "bad": 4}
    assert not signal.mixes_graders


def test_known_truth_carries_the_rate_before_any_grader(tmp_path, passing):
    frame = unlabelled("CCCC", truth=["REFUSAL", "COMPLIANCE", "REFUSAL", "REFUSAL"], truth_space="five")
    (signal,) = of(frame, tmp_path)
    (head,) = [g for g in signal.graders if g.headline]
    assert head.standing == "labels"
    assert (signal.asr.k, signal.asr.n, signal.asr.denominator) == (1, 4, "graded")


def test_a_truth_that_does_not_decide_the_tier_carries_nothing(tmp_path):
    frame = unlabelled("CC", truth=["REFUSAL", "NOT_REFUSAL"], truth_space="refused")
    (signal,) = of(frame, tmp_path)
    assert [g.standing for g in signal.graders] == ["unmeasured"]


def test_written_and_attacking_responses_are_of_no_model(tmp_path):
    frame = unlabelled("CCCC", sampling=["constructed", "injected", "census", "census"])
    assert of(frame, tmp_path)[0].asr.n == 2


def test_classes_turns_and_repeats(tmp_path):
    frame = unlabelled(
        "CRCC",
        intent=["format_lock", "format_lock", "persona_hijack", "persona_hijack"],
        turns=["single", "single", "multi", "multi"],
        scenario_id=["s1", "s1", "s2", "s2"],
    )
    (signal,) = of(frame, tmp_path)
    assert (signal.by_intent.format_lock.k, signal.by_intent.format_lock.n) == (1, 2)
    assert signal.by_intent.constraint_erosion is None
    assert (signal.multi_turn.share, signal.multi_turn.n) == (0.5, 4)
    assert (signal.refusal_stability.k, signal.refusal_stability.n) == (1, 2)
    assert signal.asr.scenarios == 2


def test_what_rows_do_not_say_is_null_with_its_reason(tmp_path):
    frame = unlabelled("CR", intent=None, turns=None, started=None)
    (signal,) = of(frame, tmp_path)
    for field in ("by_intent", "multi_turn", "refusal_stability", "last_graded"):
        assert getattr(signal, field) is None
        assert getattr(signal, f"{field}_reason")
    assert signal.asr.scenarios is None


def test_names_that_stand_for_one_model_are_one_record(tmp_path):
    frame = pd.concat([unlabelled("CC"), unlabelled("RRR", model="mine")])
    frame = frame.assign(trace_id=[f"x{i}" for i in range(len(frame))])
    (signal,) = of(frame, tmp_path, names={"mine": "meta-llama/Llama-3.1-8B-Instruct"})
    assert (signal.asr.k, signal.asr.n) == (2, 5)
    assert signal.aliases == ("llama3.1:8b", "meta-llama/Llama-3.1-8B-Instruct", "mine")
    with pytest.raises(FFError, match="'yours'"):
        of(frame, tmp_path, names={"yours": "gemma3:27b"})


def test_the_collected_traces_fill_every_field_with_the_measured_figures(paper, monkeypatch):
    monkeypatch.setenv("FF_OUTPUTS", str(paper))
    run = ff.start("paper", as_of="2026-11-22")
    (signal,) = ff.ledger_signal(run, ff.verdicts(run), sets=["collected"], corpus="collected", names=NAMES)
    assert signal.canonical_id == "smollm/smollm@2-135m-instruct"
    assert (signal.asr.k, signal.asr.n, signal.asr.scenarios) == (56, 120, 60)
    assert round(signal.asr.by_scenario_low, 3) == 0.362
    assert (signal.refusal_stability.k, signal.refusal_stability.n) == (42, 60)
    assert all(getattr(signal.by_intent, intent).n == 20 for intent in INTENTS)
    assert (signal.multi_turn.share, signal.confidence) == (0.4, "high")
    assert {g.standing for g in signal.graders} == {"labels", "rejected", "heuristic"}
    assert signal.last_graded is not None


def test_files_give_what_frames_give(paper, monkeypatch):
    monkeypatch.setenv("FF_OUTPUTS", str(paper))
    run = ff.start("paper", as_of="2026-11-22")
    (frame,) = ff.ledger_signal(run, ff.verdicts(run), sets=["collected"], corpus="x", names=NAMES)
    (file,) = read_signals(
        paper / "paper" / "ledger" / "verdicts.jsonl",
        (COLLECTED,),
        cards=paper / "paper" / "cards",
        names=NAMES,
        as_of=run.as_of,
    )
    assert file.model_copy(update={"corpus": "x"}) == frame


def test_traces_alone_give_the_rate_of_their_known_truth():
    (signal,) = read_signals(traces=(COLLECTED,), names=NAMES, as_of=DAY)
    assert (signal.asr.k, signal.asr.n) == (56, 120)
    assert [g.standing for g in signal.graders] == ["labels"]


def test_controls_are_no_attacks():
    permitted = data() / "collected" / "smollm2-135m_permitted.jsonl"
    with pytest.raises(FFError, match="no row of any model"):
        read_signals(traces=(permitted,), as_of=DAY)


def test_a_ledger_whose_rows_name_their_model_needs_no_traces(tmp_path):
    path = tmp_path / "v.jsonl"
    path.write_text(
        "".join(
            json.dumps({"trace_id": f"t{n}", "model": "gpt-5.2", "intent": "format_lock", "verdict": verdict})
            + "\n"
            for n, verdict in enumerate(["COMPLIANCE", "REFUSAL", "REFUSAL"])
        )
    )
    (signal,) = read_signals(ledger=path, as_of=DAY)
    assert (signal.label, signal.asr.k, signal.asr.n) == ("gpt-5.2", 1, 3)


def test_superseded_verdicts_do_not_count(tmp_path):
    path = tmp_path / "v.jsonl"
    base = {"trace_id": "t", "response_sha256": "x", "grader": "g", "grader_digest": "d", "rubric": "r"}
    base |= {"method": "flip-final-turn", "software": "s", "options": Options()}
    with Ledger(path) as ledger:
        ledger.append(Record(key="k", verdict="COMPLIANCE", **base))
        again = {"key": "k", "author": "a", "reason": "b"}
        ledger.append(Record(key="k2", verdict="REFUSAL", supersedes=again, **base))
    trace = Trace(trace_id="t", model="m", source="s", messages=(Message(role="assistant", content="x"),))
    write_records(tmp_path / "t.jsonl", [trace])
    counts = file_counts(path, (tmp_path / "t.jsonl",), tier="strict")
    assert counts[["outcome", "n"]].values.tolist() == [["REFUSAL", 1]]


def test_nothing_given_says_what_to_give():
    with pytest.raises(FFError, match="--ledger"):
        read_signals(as_of=DAY)


def test_a_ledger_without_models_asks_for_the_traces(tmp_path):
    path = tmp_path / "v.jsonl"
    path.write_text('{"trace_id": "t", "verdict": "REFUSAL"}\n')
    with pytest.raises(FFError, match="--traces"):
        read_signals(ledger=path, as_of=DAY)
