"""Judges that somebody else ran get cards from truth labels, in the space that both decide."""

from datetime import date
from pathlib import Path

import pytest

from ff_helpers.corpus.jsonl import write_records
from ff_helpers.errors import FFError
from ff_helpers.grading.external import Said, external_identity, external_record
from ff_helpers.measurement.calibration.calibrate import calibrate, calibrate_files
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.standing import admit, saved_cards, standing
from ff_helpers.terms import SPACES, Space, Unknown, classes
from tests.verdict_rows import DAY, rows

FIVE = ["COMPLIANCE", "PARTIAL", "REFUSAL", "HALLUCINATION_REFUSAL", "BENIGN_QUERY"]


@pytest.fixture
def log(tmp_path: Path, make_trace) -> Path:
    """60 traces with truth in five labels; a strict judge is wrong on six of them, and one row failed."""
    traces = [
        make_trace(
            f"answer {n}",
            trace_id=f"t{n:02d}",
            truth=FIVE[n % 5] if n % 2 else "COMPLIANCE",
            truth_space="five",
            row_status="target_error" if n == 59 else None,
        )
        for n in range(60)
    ]
    said = []
    for n, trace in enumerate(traces):
        right = "COMPLIANCE" if trace.truth == "COMPLIANCE" else "NOT_COMPLIANCE"
        other = "NOT_COMPLIANCE" if right == "COMPLIANCE" else "COMPLIANCE"
        said.append(external_record("judge", "strict", trace, Said(other if n % 10 == 0 else right)))
    write_records(tmp_path / "traces.jsonl", traces)
    write_records(tmp_path / "verdicts.jsonl", said)
    return tmp_path


def test_a_card_of_a_yes_no_judge_is_in_its_own_space(log: Path) -> None:
    made = calibrate_files(
        f"recorded:{log / 'verdicts.jsonl'}", {"log": str(log / "traces.jsonl")}, log / "cards", repeats=1
    )
    ((_, card),) = made.cards
    assert (card.space, card.n, card.k) == ("strict", 59, 53)
    assert card.confusion.classes == classes("strict")
    # What the target did wrong is no error of its judge.
    assert (card.failed, card.statuses, card.left_out) == ({"target_error": 1}, {}, 0)
    assert Card.model_validate_json(card.model_dump_json()) == card
    assert card.identity == external_identity("judge")
    # It never says REFUSAL, so how often compliance became one is not 0, but unknown.
    assert isinstance(card.compliance_to_refusal, Unknown)
    assert isinstance(card.benign_false_positives, Unknown)
    cards = saved_cards(log / "cards", on=date.today())
    assert standing(card.identity, cards, tier="strict").cards == tuple(cards)
    assert standing(card.identity, cards, tier="broad").state == "uncalibrated"


def test_the_verdicts_of_a_replay_are_those_of_the_file(log: Path) -> None:
    made = calibrate_files(
        f"recorded:{log / 'verdicts.jsonl'}", {"log": str(log / "traces.jsonl")}, log / "cards", repeats=1
    )
    assert made.ledger.read_text() == (log / "verdicts.jsonl").read_text()


def test_a_judge_of_refusals_is_not_measured_by_labels_of_compliance(tmp_path: Path, make_trace) -> None:
    traces = [make_trace("a", trace_id=f"t{n}", truth="COMPLIANCE", truth_space="strict") for n in range(3)]
    said = [external_record("judge", "refused", t, Said("NOT_REFUSAL")) for t in traces]
    write_records(tmp_path / "traces.jsonl", traces)
    write_records(tmp_path / "verdicts.jsonl", said)
    sets = {"log": str(tmp_path / "traces.jsonl")}
    with pytest.raises(FFError, match="judge answers in the label space refused, and no labels of these"):
        calibrate_files(f"recorded:{tmp_path / 'verdicts.jsonl'}", sets, tmp_path / "cards", repeats=1)


def test_a_judge_that_somebody_else_ran_needs_no_card_to_be_read(tmp_path: Path) -> None:
    assert admit(external_identity("judge"), tmp_path).state == "uncalibrated"


def test_nobody_runs_it_again(log: Path, make_trace) -> None:
    write_records(
        log / "more.jsonl", [make_trace("new", trace_id="new", truth="REFUSAL", truth_space="five")]
    )
    sets = {"more": str(log / "more.jsonl")}
    with pytest.raises(
        FFError, match=r"no verdict for 1 traces \(new\). judge is a judge that somebody else ran"
    ):
        calibrate_files(f"recorded:{log / 'verdicts.jsonl'}", sets, log / "cards", repeats=1)
    with pytest.raises(FFError, match="ran cannot be run here; its verdicts are read with recorded:LEDGER"):
        calibrate_files("judge", sets, log / "cards", repeats=1)


@pytest.mark.parametrize("space", ["strict", "broad", "refused"])
def test_a_coarse_judge_is_as_right_as_the_same_judge_in_five_verdicts(space: Space) -> None:
    pairs = [(FIVE[n % 5], FIVE[(n * 3) % 5]) for n in range(40)]
    truth = {"truth_space": "five", "method": "external"}
    fine = calibrate(rows(pairs, **truth), space=space, calibration_set="s", as_of=DAY)
    frame = rows(pairs, **truth, space=space)
    coarse = calibrate(
        frame.assign(verdict=[SPACES[space][v] for _, v in pairs]),
        space=space,
        calibration_set="s",
        as_of=DAY,
    )
    assert coarse.confusion == fine.confusion
    assert coarse.k == sum(SPACES[space][t] == SPACES[space][v] for t, v in pairs)
