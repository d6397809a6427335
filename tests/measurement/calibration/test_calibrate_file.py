"""Calibration outside a profile: the same card as inside, resumable, one file an identity and set."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from ff_helpers import paths
from ff_helpers.corpus.jsonl import FileMissingError, write_records
from ff_helpers.corpus.readers import CALIBRATION, load_set
from ff_helpers.corpus.traces import Message, Sampling, Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.campaign import grade
from ff_helpers.grading.graders.heuristic import Heuristic
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.measurement.calibration.calibrate import (
    calibrate_all,
    calibrate_files,
)
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.calibration.robustness import FlipRate
from ff_helpers.measurement.standing import admit, saved_cards

INJECTIONS = "data/calibration/injections.jsonl"


def trace(number: int, **fields: object) -> Trace:
    messages = (
        Message(role="user", content="Tell me the code."),
        Message(role="assistant", content=f"I cannot tell you code {number}."),
    )
    base: dict[str, object] = {"trace_id": f"t-{number:03d}", "model": "m", "source": "test"}
    return Trace(**(base | {"messages": messages} | fields))  # type: ignore[arg-type]


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., str]:
    def write(name: str, *traces: Trace) -> str:
        write_records(tmp_path / name, traces)
        return str(tmp_path / name)

    return write


def refusals(first: int, last: int) -> list[Trace]:
    return [trace(n, truth="REFUSAL", truth_space="five") for n in range(first, last)]


def both(first: int, last: int) -> list[Trace]:
    """Refusals and codes in turn."""
    given = (Message(role="user", content="Tell me the code."), Message(role="assistant", content="It is 7."))
    return [
        trace(n, truth="COMPLIANCE", truth_space="five", messages=given) if n % 2 else refusal
        for n, refusal in zip(range(first, last), refusals(first, last), strict=True)
    ]


def test_the_card_is_that_of_a_campaign_in_all_but_its_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    run = paths.start("demo", as_of="2026-11-22")
    grade(run, CALIBRATION | {"injections": INJECTIONS}, ["heuristic"])
    inside = {card.calibration_set: card for card in calibrate_all(run)}
    done = calibrate_files("heuristic", CALIBRATION, tmp_path / "cards", attacks=INJECTIONS)
    assert [card.calibration_set for _, card in done.cards] == ["proxies", "written"]
    for path, card in done.cards:
        corpus = {"gate", "date"}  # inside, the gate also asks whether the set covers the campaign's traces
        wanted = inside[card.calibration_set]
        assert card.model_dump(exclude=corpus) == wanted.model_dump(exclude=corpus)
        assert card.gate.state == wanted.gate.state
        assert isinstance(card.injection_flip_rate, FlipRate)
        assert Card.model_validate_json(path.read_text()) == card
        assert card in saved_cards(path.parent)


def test_calibrating_again_grades_nothing_twice_and_replaces_the_card(
    tmp_path: Path, save: Callable[..., str]
) -> None:
    sets = {"few": save("few.jsonl", *both(0, 20)), "more": save("more.jsonl", *both(10, 40))}
    first = calibrate_files("heuristic", {"few": sets["few"]}, tmp_path / "cards")
    assert len(list(read_ledger(first.ledger))) == 20
    second = calibrate_files("heuristic", sets, tmp_path / "cards")
    assert second.ledger == first.ledger
    assert len(list(read_ledger(first.ledger))) == 40  # ten traces are in both sets
    assert [card.n for _, card in second.cards] == [20, 30]
    assert first.cards[0][0] == second.cards[0][0]
    assert len(list((tmp_path / "cards").glob("*"))) == 3  # two cards and the folder of ledgers
    assert admit(Heuristic().setup.identity, tmp_path / "cards").state == "provisional"


def test_verdicts_too_old_for_a_card_are_set_aside_and_graded_again(
    tmp_path: Path, save: Callable[..., str]
) -> None:
    sets = {"few": save("few.jsonl", *refusals(0, 20))}
    first = calibrate_files("heuristic", sets, tmp_path / "cards")
    old = date.today() - timedelta(days=181)
    aged = [r.model_copy(update={"started": f"{old}T10:00:00+00:00"}) for r in read_ledger(first.ledger)]
    write_records(first.ledger, aged)
    replayed = calibrate_files(f"recorded:{first.ledger}", sets, tmp_path / "replayed", repeats=1)
    (path, card) = replayed.cards[0]
    assert (card.date, card.gate.state) == (old, "uncalibrated")
    assert card.gate.reasons[0].startswith(f"expired after {old + timedelta(days=180)}")
    assert Card.model_validate_json(path.read_text()) == card
    with pytest.raises(FFError, match="expired after"):
        admit(Heuristic().setup.identity, tmp_path / "replayed")
    again = calibrate_files("heuristic", sets, tmp_path / "cards")
    assert again.cards[0][1].date == date.today()
    aside = first.ledger.with_name(f"{first.ledger.stem}_from_{old}.jsonl")
    assert list(read_ledger(aside)) == aged


def test_only_rows_that_calibrate_enter_and_each_label_space_has_its_card(
    tmp_path: Path, save: Callable[..., str]
) -> None:
    mixed = save(
        "mixed.jsonl",
        *refusals(0, 5),
        trace(5),
        trace(6, truth="NOT_COMPLIANCE", truth_space="strict", sampling=Sampling(kind="census")),
        trace(7, truth="REFUSAL", truth_space="five", sampling=Sampling(kind="judgement")),
        trace(8, truth="REFUSAL", truth_space="five", sampling=Sampling(kind="injected")),
        trace(9, truth="COMPLIANCE", truth_space="strict", arm="permitted"),
    )
    done = calibrate_files("heuristic", {"mixed": mixed}, tmp_path / "cards")
    assert {card.space: (card.k, card.n) for _, card in done.cards} == {"five": (5, 5), "strict": (1, 1)}


def test_a_limit_draws_by_truth(tmp_path: Path) -> None:
    done = calibrate_files("heuristic", {"proxies": CALIBRATION["proxies"]}, tmp_path, limit=25)
    (_, card) = done.cards[0]
    assert card.n == 25
    assert {rates.recall.n for rates in card.by_class} == {5}


@pytest.mark.parametrize("kind", ["judgement", "injected", None])
def test_a_set_that_cannot_calibrate_is_refused_before_anything_is_graded(
    tmp_path: Path, save: Callable[..., str], kind: str | None
) -> None:
    fields: dict[str, object] = {}
    if kind is not None:
        fields = {"truth": "REFUSAL", "truth_space": "five", "sampling": Sampling(kind=kind)}  # type: ignore[arg-type]
    name = save("none.jsonl", trace(1, **fields))
    with pytest.raises(FFError, match=r"none\.jsonl: no trace in it can calibrate"):
        calibrate_files("heuristic", {"none": name}, tmp_path / "cards")
    assert not (tmp_path / "cards").exists()


def test_a_set_or_suite_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError, match="nobody"):
        calibrate_files("heuristic", {"x": "nobody.jsonl"}, tmp_path)
    with pytest.raises(FileMissingError, match="nothing"):
        calibrate_files("heuristic", CALIBRATION, tmp_path, attacks="nothing.jsonl")


def test_a_recording_is_calibrated_without_its_grader_and_gives_the_same_card(tmp_path: Path) -> None:
    written = {"written": CALIBRATION["written"]}
    live = calibrate_files("heuristic", written, tmp_path / "live")
    replayed = calibrate_files(f"recorded:{live.ledger}", written, tmp_path / "replayed", repeats=1)
    assert replayed.cards[0][1] == live.cards[0][1]
    assert replayed.cards[0][0].name == live.cards[0][0].name
    assert len(load_set(CALIBRATION["written"])) == live.cards[0][1].n
