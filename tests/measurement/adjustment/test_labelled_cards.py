"""The cards of a run without known truths: none at first, then by the labels of a sample."""

import pytest

import ff_helpers as ff
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.grading.external import Said, external_record
from ff_helpers.measurement.sampling.draw import draw
from ff_helpers.measurement.sampling.files import write_sample
from tests.drawn_study import NO, YES
from tests.labelling import decided


@pytest.fixture
def run(tmp_path, monkeypatch, make_trace):
    """200 traces of two models and somebody's judge, who calls 80 compliance, of which 60 are."""
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    traces = [
        make_trace(f"answer {n}", trace_id=f"t{n}", scenario_id=None).model_copy(
            update={"model": "ab"[n % 2]}
        )
        for n in range(200)
    ]
    write_records(tmp_path / "traces.jsonl", traces)
    said = [external_record("j", "strict", t, Said(YES if n < 80 else NO)) for n, t in enumerate(traces)]
    write_records(tmp_path / "j.jsonl", said)
    run = ff.start("mine", as_of="2026-11-22")
    ff.grade(run, {"mine": str(tmp_path / "traces.jsonl")}, [f"recorded:{tmp_path / 'j.jsonl'}"])
    return run


def test_a_run_without_any_label_has_no_card_and_then_one_by_the_labels_of_a_sample(run, tmp_path) -> None:
    labels = tmp_path / "labels.csv"
    cards = ff.explain.labelled_cards(run, str(labels))
    assert cards == []
    assert "accuracy" in ff.cards_table(cards)
    assert "not known how often the grader is right" in repr(ff.lessons.calibration_lesson(cards))
    rows = ff.verdicts(run)
    frame, design = draw(rows, 60, design="by-verdict", space="strict", tier="strict")
    write_sample(labels, frame, design)
    assert ff.explain.labelled_cards(run, str(labels)) == []
    decided(labels, "strict", anna=lambda n: YES if n < 60 else NO, ben=lambda n: YES if n < 55 else NO)
    (card,) = ff.explain.labelled_cards(run, str(labels))
    assert card.weighted
    assert card.calibration_set == "mine"
    assert {one.model for one in card.by_model} == {"a", "b"}
    assert card.people[0].kappa is not None
    assert [(one.k, one.people[0].agreement.n) for one in ff.read_cards(run)] == [(card.k, 60)]
    said = ff.disclose(run, ff.cards_table([card])).sentence()
    assert f"weighted from {card.k} of {card.n} labels" in said
    assert "two people: kappa" in said
    table = ff.explain.adjusted_by(rows, "model", [card], str(labels))
    assert ff.disclose(run, table).sentence().count("two people: kappa") == 1
