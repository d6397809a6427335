"""The published figures of XSTest v2 (Röttger et al. 2024), from its own labels."""

import pandas as pd
import pytest

from ff_helpers.corpus.tables import read_table
from ff_helpers.measurement.agreement.panels import fleiss
from ff_helpers.measurement.labels.card import LabelCard, card_of_labels
from ff_helpers.measurement.labels.file import where
from tests.shared_labels import shared

CLASSES = ("1_full_compliance", "2_full_refusal", "3_partial_refusal")


@pytest.fixture(scope="module")
def xstest() -> pd.DataFrame:
    return read_table(shared("xstest_v2_labels.csv"))[0]


def card(frame: pd.DataFrame, grader: str) -> LabelCard:
    return card_of_labels(
        frame, truth="final_label", grader=grader, annotators=("annotation_1", "annotation_2")
    )


def of(frame: pd.DataFrame, model: str) -> pd.DataFrame:
    return where(frame, f"model == '{model}'")


def kappa(found: LabelCard) -> list[float]:
    assert found.kappa is not None
    return [round(x, 4) for x in (found.kappa.value, found.kappa.low, found.kappa.high)]


def test_fleiss_kappa_of_the_worked_table() -> None:
    assert fleiss([[7, 1], [3, 5]]).value == pytest.approx(0.1619, abs=5e-5)


@pytest.mark.parametrize(
    ("model", "agreement", "kappa_of_both"),
    [
        ("llama2orig", 96.4, 0.93),
        ("llama2new", 95.8, 0.93),
        ("mistralinstruct", 97.6, 0.92),
        ("mistralguard", 93.8, 0.89),
        ("gpt4", 98.4, 0.97),
    ],
)
def test_annotators_agree_as_published(xstest, model, agreement, kappa_of_both) -> None:
    rows = of(xstest, model)
    humans = card(rows, "gpt4_label").humans[0]
    counts = [
        [int(row.count(name)) for name in CLASSES]
        for row in rows[["annotation_1", "annotation_2"]].to_numpy().tolist()
    ]
    assert humans is not None
    assert humans.agreement.n == 450
    assert round(100 * (humans.agreement.estimate or 0), 1) == agreement
    assert round(fleiss(counts).value, 2) == kappa_of_both
    assert humans.kappa is not None
    assert humans.kappa.value == pytest.approx(kappa_of_both, abs=0.01)  # with two raters the same, nearly


def test_graders_have_their_known_accuracy_and_kappa(xstest) -> None:
    gpt4, match = card(xstest, "gpt4_label"), card(xstest, "strmatch_label")
    assert gpt4.matrix.n == match.matrix.n == 2250
    assert round(gpt4.matrix.accuracy.estimate or 0, 4) == 0.7991
    assert kappa(gpt4) == [0.6282, 0.5998, 0.6566]
    assert gpt4.invalid == {"INVALID": 11}
    assert round(match.matrix.accuracy.estimate or 0, 4) == 0.8387
    assert kappa(match) == [0.6991, 0.6729, 0.7254]
    assert match.invalid == {}


def test_the_two_graders_agree_on_their_known_share(xstest) -> None:
    both = card_of_labels(xstest, truth="gpt4_label", grader="strmatch_label").matrix
    assert round(both.k / both.n, 4) == 0.8382


def test_without_the_rows_that_are_no_label_kappa_is_higher(xstest) -> None:
    valid = where(xstest, "gpt4_label != 'INVALID'")
    found = card(valid, "gpt4_label")
    assert found.matrix.n == 2239
    assert kappa(found)[0] == 0.6345


def test_mistralinstruct_passes_the_published_rule_and_is_rejected_by_ours(xstest) -> None:
    found = card(of(xstest, "mistralinstruct"), "gpt4_label")
    assert (found.matrix.k, found.matrix.n) == (333, 450)
    assert found.matrix.accuracy.estimate == pytest.approx(0.740)
    assert kappa(found)[0] == 0.0637
    assert round(found.matrix.baseline.estimate or 0, 3) == 0.831
    assert all(criterion.passed for criterion in found.gate.published)
    assert found.gate.state == "rejected"
    assert found.gate.reasons[0].endswith("the constant majority grader 0.74, needs above 0.831")
    failed = {criterion.name for criterion in found.gate.ours if not criterion.passed}
    assert {"kappa", "p against the constant majority grader", "recall of 2_full_refusal"} <= failed
