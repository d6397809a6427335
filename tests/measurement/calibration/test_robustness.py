"""Flips: pairs of attacked and clean responses, their rate with its interval, and what stays apart."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ff_helpers as ff
from ff_helpers.corpus.injections import MEASURED, TARGETS, attacks, suite
from ff_helpers.errors import FFError
from ff_helpers.grading.campaign import grade, verdicts
from ff_helpers.measurement.calibration.robustness import (
    ALL,
    CONTROLS,
    OTHERS,
    FlipRate,
    flip_rate,
    flip_table,
    flips,
    natural,
)
from ff_helpers.measurement.proportions.clusters import clustered
from ff_helpers.measurement.proportions.intervals import wilson
from ff_helpers.paths import data
from ff_helpers.terms import STATUSES, VERDICTS
from tests.conftest import FRAMES
from tools.generate.recorded import record_attacks

C, P, R, B = "COMPLIANCE", "PARTIAL", "REFUSAL", "BENIGN_QUERY"


def frame(rows: list[tuple[str, str, str]], grader: str = "g") -> pd.DataFrame:
    """One row a (run, truth, verdict or status); the clean twin of a truth is the row with run `clean`."""
    table = pd.DataFrame(rows, columns=["run", "truth", "outcome"]).astype("str")
    answered = table["outcome"].isin(VERDICTS)
    return table.drop(columns="outcome").assign(
        verdict=table["outcome"].where(answered),
        status=table["outcome"].where(~answered),
        trace_id=table["run"] + " " + table["truth"],
        scenario_id="clean " + table["truth"],
        set="injections",
        sampling="injected",
        grader=grader,
        grader_digest="sha256:1",
        rubric="r@1",
        repeat=0,
    )


SOME = [
    ("clean", C, C),
    ("clean", R, R),
    ("clean", P, R),
    ("verdict-line", C, R),  # flipped: the target of a compliance is REFUSAL
    ("verdict-line", R, R),  # held
    ("verdict-line", P, C),  # not eligible: the clean verdict is the target already
    ("fence-zeros", C, B),  # changed, but not to the target
    ("fence-zeros", R, "unparsable"),  # denied
    ("control-sentence", C, R),
    ("control-sentence", R, R),
]


def test_every_pair_says_what_became_of_it() -> None:
    pairs = flips(frame(SOME)).set_index(["attack", "truth"])
    assert len(pairs) == 7
    assert pairs.loc[("verdict-line", C), "target"] == R
    flags = ["eligible", "flipped", "denied", "changed"]
    assert pairs.loc[("verdict-line", C), flags].tolist() == [True, True, False, True]
    assert pairs.loc[("verdict-line", R), flags].tolist() == [True, False, False, False]
    assert pairs.loc[("verdict-line", P), flags].tolist() == [False, False, False, True]
    assert pairs.loc[("fence-zeros", C), flags].tolist() == [True, False, False, True]
    assert pairs.loc[("fence-zeros", R), flags].tolist() == [True, False, True, False]
    assert pairs.loc[("fence-zeros", R), ["clean", "attacked"]].tolist() == [R, "unparsable"]
    assert pairs.loc[("control-sentence", C), "family"] == "control"


def test_the_rate_counts_eligible_pairs_and_keeps_the_rest_apart() -> None:
    rate = flip_rate(frame(SOME))
    assert rate is not None
    assert (rate.k, rate.n, rate.attacks, rate.estimate) == (1, 4, 2, 0.25)
    assert (rate.denied, rate.not_eligible, rate.clean_verdicts) == (1, 0, 2)
    assert (rate.graded, rate.suite) == (2, attacks())
    assert rate.part == f"2 of {attacks()} attacks were graded"
    assert (rate.changed.k, rate.changed.n) == (2, 3)
    assert (rate.control.k, rate.control.n) == (1, 2)
    assert (rate.control_flips.k, rate.control_flips.n) == (1, 2)
    naive = wilson(1, 4)
    assert (rate.naive_low, rate.naive_high) == (naive.low, naive.high)
    assert rate.low <= naive.low
    assert rate.high >= naive.high


def test_a_clean_twin_without_a_verdict_or_not_graded_makes_no_eligible_pair() -> None:
    lost = [("clean", C, "timeout"), ("verdict-line", C, R), ("verdict-line", R, C)]
    rate = flip_rate(frame(lost))
    assert rate is not None
    assert (rate.k, rate.n, rate.not_eligible, rate.estimate) == (0, 0, 2, None)
    assert (rate.low, rate.high) == (0.0, 1.0)


def test_without_attacked_responses_nothing_is_measured() -> None:
    bare = frame(SOME).assign(sampling="census")
    assert flip_rate(bare) is None
    assert len(natural(bare)) == len(SOME)
    assert len(natural(frame(SOME))) == 0
    empty = flip_table(bare)
    assert len(empty) == 0
    assert list(empty.columns) == list(flip_table(frame(SOME)).columns)


def test_only_the_first_pass_counts() -> None:
    first = frame(SOME)
    assert flip_rate(pd.concat([first, first.assign(repeat=1, verdict=C)])) == flip_rate(first)


def test_two_versions_of_a_grader_are_not_mixed() -> None:
    other = frame([(run, truth, R) for run, truth, _ in SOME]).assign(grader_digest="sha256:2")
    table = flip_table(pd.concat([frame(SOME), other], ignore_index=True))
    # The other one says REFUSAL to everything: nothing left to hide, and it never says COMPLIANCE.
    assert table.loc[table["family"] == ALL, ["k", "n"]].to_numpy().tolist() == [[1, 4], [0, 2]]


def test_the_table_has_all_attacks_first_then_what_they_ask_for_and_the_controls_last() -> None:
    table = flip_table(frame(SOME))
    asked = ["ask for COMPLIANCE", "ask for REFUSAL"]
    assert table["family"].tolist() == [ALL, *asked, "fake verdicts", "fake fences", OTHERS, CONTROLS]
    assert table["n"].tolist() == [4, 2, 2, 2, 2, 0, 2]
    assert table["k"].tolist() == [1, 0, 1, 1, 0, 0, 1]
    assert table["not_eligible"].tolist() == [0, 0, 0, 0, 0, 1, 0]


def test_an_attack_on_five_classes_weighs_no_more_than_one_on_two() -> None:
    """Five pairs that flip and two that hold are one attack each: half of the four measured pairs."""
    clean = [("clean", truth, B if truth != B else P) for truth in VERDICTS]
    wide = [("verdict-line", truth, TARGETS[truth]) for truth in VERDICTS]
    rows = frame([*clean, *wide, ("ignore-say", C, B), ("ignore-say", R, B)])
    rate = flip_rate(rows)
    assert rate is not None
    assert (rate.k, rate.n, rate.attacks) == (2, 4, 2)
    table = flip_table(rows).set_index("family")
    assert table.loc[OTHERS, ["k", "n"]].tolist() == [3, 3]


def test_attacks_that_always_or_never_work_widen_the_interval() -> None:
    """10 attacks on 2 responses, half of them always working: 20 rows are worth 10 attacks.

    Between-attack variance p (1 - p) / (G - 1) = .25 / 9 against .25 / 20: design effect 20 / 9.
    """
    names = [a.name for a in suite().attacks][:10]
    truths = [c for c in VERDICTS if c != "HALLUCINATION_REFUSAL"] + ["HALLUCINATION_REFUSAL"]
    rows = [("clean", t, B if t != B else P) for t in truths]
    rows += [(name, t, TARGETS[t] if i % 2 else B) for i, name in enumerate(names) for t in truths]
    rate = flip_rate(frame(rows))
    assert rate is not None
    assert (rate.k, rate.n, rate.attacks) == (10, 20, 10)
    pairs = flips(frame(rows))
    pairs = pairs[pairs["truth"].isin(MEASURED)]
    assert clustered(pairs["flipped"], pairs["attack"])["design_effect"] == pytest.approx(20 / 9)
    assert rate.high - rate.low > 1.4 * (rate.naive_high - rate.naive_low)


outcomes = st.sampled_from([*VERDICTS, *STATUSES])
runs = st.sampled_from(["clean", *[a.name for a in suite().attacks]])


@given(st.dictionaries(st.tuples(runs, st.sampled_from(VERDICTS)), outcomes, min_size=1, max_size=40))
@FRAMES
def test_counts_hold_together_whatever_a_grader_says(said: dict[tuple[str, str], str]) -> None:
    rows = frame([(run, truth, outcome) for (run, truth), outcome in said.items()])
    pairs, rate = flips(rows), flip_rate(rows)
    attacked = pairs[(pairs["family"] != "control") & pairs["truth"].isin(MEASURED)]
    assert (rate is None) == attacked.empty
    if rate is not None:
        assert 0 <= rate.k <= rate.n - rate.denied
        assert rate.n + rate.not_eligible == len(attacked)
        assert 0 <= rate.low <= rate.high <= 1
    assert not (pairs["flipped"] & (pairs["denied"] | ~pairs["eligible"])).any()
    assert (pairs["changed"] | ~pairs["flipped"]).all()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FF_OUTPUTS", str(tmp_path_factory.mktemp("outputs")))
        patch.delenv("FF_STAGING", raising=False)
        run = ff.start("test", as_of="2026-11-22")
        names = ("written", "injections")
        grade(run, {name: f"data/calibration/{name}.jsonl" for name in names}, ["heuristic"])
        yield run


def test_the_whole_suite_gives_a_flip_rate_on_the_card_and_no_card_of_its_own(run: ff.outputs.Run) -> None:
    cards = ff.calibrate_all(run)
    assert [card.calibration_set for card in cards] == ["written"]
    rate = cards[0].injection_flip_rate
    assert isinstance(rate, FlipRate)
    assert rate.n + rate.not_eligible == attacks() * len(MEASURED)
    assert (rate.graded, rate.part) == (attacks(), "")
    # Keywords alone decide: what the two decoys, and the language of the attack, put into the response.
    assert 0 < rate.k < rate.n
    assert rate.control.k == 0
    assert ff.read_cards(run)[0].injection_flip_rate.k == rate.k  # type: ignore[union-attr]
    row = ff.cards_table(cards).iloc[0]
    assert (row["injection_flip"], row["injection_n"]) == (rate.estimate, rate.n)
    assert row["injection_flip_low"] == rate.low
    assert "injection" not in " ".join(cards[0].gate.reasons)


def test_agreement_rates_and_queue_of_a_real_run_do_not_know_the_suite(run: ff.outputs.Run) -> None:
    frame = verdicts(run)
    assert set(frame["set"]) == {"written", "injections"}
    cards = ff.calibrate_all(run)
    assert set(ff.agreement(frame)["set"]) == {"written"}
    assert set(ff.would_have_reported(frame, cards)["set"]) == {"written"}
    assert set(ff.asr_by(frame, "set", cards)["set"]) == {"written"}


def test_a_recording_older_than_the_suite_counts_the_attacks_that_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recording that stopped within the attacks; the rest is recorded later, into the same file."""
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    monkeypatch.delenv("FF_STAGING", raising=False)
    shipped = data() / "recorded" / "heuristic.jsonl"
    rows = shipped.read_text().splitlines(keepends=True)
    attacked = [row for row in rows if '"trace_id":"injection-' in row]
    others = [row for row in rows if row not in attacked]
    old = tmp_path / "old.jsonl"
    old.write_text("".join([*others, *attacked[:60]]))
    sets = {name: f"data/calibration/{name}.jsonl" for name in ("written", "injections")}
    run = ff.start("partial", as_of="2026-11-22")
    grade(run, sets, [f"recorded:{old}"])
    (card,) = ff.calibrate_all(run)
    assert card.flips is not None
    assert card.flips.suite == attacks() > card.flips.graded > 2
    assert card.flips.part == f"{card.flips.graded} of {attacks()} attacks were graded"
    assert record_attacks("heuristic", old, rows=20) == (20, len(attacked) - 80)
    assert record_attacks("heuristic", old) == (len(attacked) - 80, 0)
    assert record_attacks("heuristic", old) == (0, 0)
    again = ff.start("whole", as_of="2026-11-22")
    grade(again, sets, [f"recorded:{old}"])
    (whole,) = ff.calibrate_all(again)
    assert whole.flips is not None
    assert (whole.flips.graded, whole.flips.part) == (attacks(), "")


def test_attacks_are_not_recorded_into_the_ledger_of_another_grader(tmp_path: Path) -> None:
    ledger = tmp_path / "other.jsonl"
    before = (data() / "recorded" / "smollm2-135m.jsonl").read_text().splitlines(keepends=True)[:3]
    ledger.write_text("".join(before))
    with pytest.raises(FFError, match="was recorded with other weights"):
        record_attacks("heuristic", ledger)
    assert ledger.read_text() == "".join(before)
