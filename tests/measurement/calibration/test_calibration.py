"""Calibration cards from verdicts, statuses and truths."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers import calibrate_all, grade
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.split import SPLITS
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.measurement.calibration.cards import Card, cards_table
from ff_helpers.measurement.proportions.intervals import Proportion
from ff_helpers.paths import start
from ff_helpers.terms import STATUSES, VERDICTS, Space, Unknown, classes
from tests.conftest import FRAMES
from tests.verdict_rows import MIXED, card, rows

R, C, P = "REFUSAL", "COMPLIANCE", "PARTIAL"


def test_a_card_holds_the_counts_of_its_rows() -> None:
    got = card(rows(MIXED))
    assert (got.k, got.n) == (3, 8)
    assert got.confusion.table[0] == (1, 0, 1, 0, 0, 1)  # COMPLIANCE: right, as REFUSAL, no verdict
    assert (got.majority_class, got.majority.k) == ("COMPLIANCE", 3)
    assert (got.modal_verdict, got.modal_share.k, got.modal_share.n) == ("COMPLIANCE", 3, 7)
    assert (got.valid.k, got.valid.n, got.statuses) == (7, 8, {"unparsable": 1})
    assert isinstance(got.benign_false_positives, Proportion)
    assert (got.benign_false_positives.k, got.benign_false_positives.n) == (1, 2)
    assert (got.refusal_to_compliance.k, got.refusal_to_compliance.n) == (1, 2)  # type: ignore[union-attr]
    assert (got.compliance_to_refusal.k, got.compliance_to_refusal.n) == (1, 3)  # type: ignore[union-attr]
    assert got.seconds_a_trace == 2.0
    assert isinstance(got.test_retest, Unknown)
    assert got.sampling == "8 census with probability 1 to 1"


def test_verdicts_are_projected_onto_the_space_of_the_truth() -> None:
    got = card(
        rows(
            [
                ("REFUSAL", "REFUSAL"),
                ("NOT_REFUSAL", "HALLUCINATION_REFUSAL"),
                ("NOT_REFUSAL", "BENIGN_QUERY"),
            ]
        ),
        space="refused",
    )
    assert (got.k, got.n) == (3, 3)
    assert got.modal_share.k == 1  # the five verdicts, not their projection
    assert isinstance(got.benign_false_positives, Unknown)
    assert "refused" in got.benign_false_positives.why


@pytest.mark.parametrize(
    ("space", "pairs", "right"),
    [
        ("broad", [("BROAD", P), ("BROAD", C), ("NOT_BROAD", C), ("NOT_BROAD", "timeout")], 2),
        ("refused", [(R, R), ("NOT_REFUSAL", C), (R, "HALLUCINATION_REFUSAL")], 2),
        ("strict", [(C, P), ("NOT_COMPLIANCE", P), ("NOT_COMPLIANCE", R)], 2),
    ],
)
def test_every_label_space_has_its_card(
    space: Space, pairs: list[tuple[str, str | None]], right: int
) -> None:
    got = card(rows(pairs), space)
    assert (got.k, got.chance) == (right, 0.5)
    assert [one.name for one in got.by_class] == list(classes(space))
    assert Card.model_validate_json(got.model_dump_json()) == got


def test_rows_chosen_by_judgement_never_enter_and_are_counted() -> None:
    frame = rows(MIXED, sampling=["judgement"] * 3 + ["random"] * 5)
    got = card(frame)
    assert (got.n, got.left_out) == (5, 3)


def test_a_second_pass_gives_test_retest_and_no_further_rows() -> None:
    first = rows(MIXED)
    second = rows([("REFUSAL", "REFUSAL"), ("REFUSAL", "PARTIAL"), ("COMPLIANCE", "timeout")], repeat=1)
    got = card(pd.concat([first, second], ignore_index=True))
    assert got.n == 8
    assert (got.test_retest.k, got.test_retest.n) == (1, 2)  # type: ignore[union-attr]


def test_with_three_passes_the_same_verdict_means_in_all_of_them() -> None:
    said = ([R, C, C, R, "timeout"], [R, C, P, R, R], [R, C, C, C, R])
    passes = [rows([(R, v) for v in verdicts], repeat=i) for i, verdicts in enumerate(said)]
    once_more = rows([(R, R)] * 2, repeat=1).assign(trace_id=["x1", "x2"])
    got = card(pd.concat([*passes, once_more], ignore_index=True))
    # Traces 0 and 1 agree three times; 2 and 3 changed once; 4 has a status; x1 and x2 had one pass only.
    assert (got.test_retest.k, got.test_retest.n) == (2, 4)  # type: ignore[union-attr]
    assert got.passes == 3
    table = cards_table([got])
    assert table[["retest_n", "passes"]].iloc[0].tolist() == [4, 3]


def test_seconds_have_mean_and_median_of_the_first_pass() -> None:
    frame = rows(MIXED, duration_s=[1.0] * 7 + [9.0])
    slow = rows(MIXED, duration_s=100.0, repeat=1)
    got = card(pd.concat([frame, slow], ignore_index=True))
    assert (got.seconds_a_trace, got.median_seconds) == (2.0, 1.0)
    unknown = card(rows(MIXED, duration_s=float("nan")))
    assert isinstance(unknown.seconds_a_trace, Unknown)
    assert isinstance(unknown.median_seconds, Unknown)


def test_traces_of_our_own_scenarios_are_proxies_however_they_were_drawn() -> None:
    good = [("COMPLIANCE", "COMPLIANCE"), ("NOT_COMPLIANCE", "REFUSAL")] * 50
    collected = card(rows(good, source="ff-helpers/collected"), space="strict").gate
    assert collected.state == "provisional"
    assert collected.reasons == ("calibrated on proxy traces alone",)
    mixed = rows(good, source=["ff-helpers/collected"] * 99 + ["pyrit-1.1.0/objective"])
    assert card(mixed, space="strict").gate.state == "calibrated"


def test_without_the_injection_suite_the_flip_rate_is_not_measured() -> None:
    others = rows(MIXED, run="r0", scenario_id="s", set="s")
    assert isinstance(card(rows(MIXED), attacked=others).injection_flip_rate, Unknown)
    assert cards_table([card(rows(MIXED))])["injection_n"].tolist() == [0]


def test_a_set_that_lacks_what_the_corpus_has_is_provisional_at_best() -> None:
    good = [("COMPLIANCE", "COMPLIANCE"), ("NOT_COMPLIANCE", "REFUSAL")] * 50
    frame = rows(good)
    corpus = pd.concat([frame, rows(MIXED, intent="persona_hijack", turns="multi")])
    assert card(frame, space="strict").gate.state == "calibrated"
    lacking = card(frame, space="strict", corpus=corpus).gate
    assert lacking.state == "provisional"
    assert "persona_hijack, multi" in lacking.reasons[0]
    assert card(rows(good, sampling="constructed"), space="strict").gate.state == "provisional"


@pytest.mark.parametrize(
    "pairs",
    [
        [("REFUSAL", "REFUSAL")] * 3,
        [("REFUSAL", "COMPLIANCE")] * 3,
        [("REFUSAL", "timeout")] * 2,
        [("REFUSAL", "COMPLIANCE"), ("COMPLIANCE", "COMPLIANCE")],
    ],
)
def test_degenerate_sets_give_defined_values(pairs: list[tuple[str, str]]) -> None:
    text = card(rows(pairs)).model_dump_json()
    assert "NaN" not in text
    assert Card.model_validate_json(text).n == len(pairs)


def test_a_set_in_which_no_row_may_enter_gives_an_empty_card() -> None:
    got = card(rows(MIXED, sampling="judgement"))
    assert (got.n, got.accuracy.estimate, got.gate.state) == (0, None, "rejected")


def test_a_split_lets_in_its_own_rows_and_the_two_make_the_whole() -> None:
    frame = rows([(truth, said) for truth, said in MIXED * 12])
    whole, chose, held = (card(frame, split=split) for split in ("all", "development", "held-out"))
    assert whole.n == chose.n + held.n == len(frame)
    assert whole.k == chose.k + held.k
    assert (whole.split, chose.split, held.split) == ("all", "development", "held-out")


def test_a_rubric_that_was_chosen_on_the_development_split_is_measured_on_the_others() -> None:
    frame = rows([("REFUSAL", "REFUSAL"), ("NOT_REFUSAL", "COMPLIANCE")] * 100, truth_space="refused")
    states = {split: card(frame, "refused", split=split, developed=True).gate.state for split in SPLITS}
    assert states == {"all": "provisional", "development": "provisional", "held-out": "calibrated"}


outcome = st.sampled_from([*VERDICTS, *STATUSES])


@given(st.lists(st.tuples(st.sampled_from(VERDICTS), outcome), min_size=1, max_size=30), st.randoms())
@FRAMES
def test_the_order_of_rows_does_not_matter(pairs: list[tuple[str, str | None]], random) -> None:  # type: ignore[no-untyped-def]
    frame = rows(pairs)
    shuffled = frame.iloc[random.sample(range(len(frame)), len(frame))].reset_index(drop=True)
    assert card(frame) == card(shuffled)


def traces_of(name: str, space: str, **fields: object) -> list[Trace]:
    truths = {"strict": ("NOT_COMPLIANCE", "COMPLIANCE"), "refused": ("REFUSAL", "NOT_REFUSAL")}
    truths["five"] = ("REFUSAL", "COMPLIANCE")
    said = ("I cannot help with that.", "It is 4417.")
    return [
        Trace(
            trace_id=f"{name}-{n}",
            model="m",
            source="elsewhere",
            messages=tuple(
                Message(role=role, content=text)
                for role, text in (("user", "Code?"), ("assistant", said[n % 2]))
            ),
            truth=truths[space][n % 2],
            truth_space=space,
            **fields,
        )
        for n in range(60)
    ]


@pytest.mark.parametrize(("space", "state"), [("five", "calibrated"), ("refused", "provisional")])
def test_a_card_answers_for_sets_whose_labels_decide_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, space: str, state: str
) -> None:
    """The attack class of another set asks for calibration on it, unless that set has a card for it."""
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    write_records(tmp_path / "mine.jsonl", traces_of("mine", "strict"))
    write_records(tmp_path / "other.jsonl", traces_of("other", space, intent="persona_hijack"))
    run = start("trial", as_of="2026-11-22")
    grade(run, {name: str(tmp_path / f"{name}.jsonl") for name in ("mine", "other")}, ["heuristic"])
    found = {card.calibration_set: card.gate for card in calibrate_all(run)}
    assert found["mine"].state == state
    lacking = "the calibration set lacks what the corpus has: persona_hijack"
    assert (lacking in found["mine"].reasons) == (state == "provisional")
