"""Tables of counts rebuilt from printed figures of a judge."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.calibration.confusion import Confusion
from ff_helpers.measurement.consistency.tables import rebuilt

CLASSES = ("COMPLIANCE", "NOT_COMPLIANCE")


def test_the_judges_of_jailbreakbench_are_rebuilt_from_two_printed_figures() -> None:
    # arXiv 2404.01318, Table 1: agreement and false negatives on 300 responses, 110 of them jailbroken.
    gpt4 = rebuilt(300, 110, {"accuracy": 0.903, "fnr": 0.091}, digits=3, classes=CLASSES)
    assert gpt4.matrix.table == ((100, 10, 0), (19, 171, 0))
    assert (gpt4.fits, gpt4.furthest) == (1, 0.0)
    rules = rebuilt(300, 110, {"accuracy": 0.560, "fpr": 0.642, "fnr": 0.091}, digits=3, classes=CLASSES)
    assert rules.matrix.table == ((100, 10, 0), (122, 68, 0))


def test_the_scorers_of_pyrit_are_rebuilt_from_accuracy_precision_and_recall() -> None:
    printed = {"accuracy": 0.9809523809523809, "precision": 1.0, "recall": 0.9714285714285714}
    found = rebuilt(105, 70, printed, digits=12, classes=("REFUSAL", "NOT_REFUSAL"))
    assert found.matrix.table == ((68, 2, 0), (0, 35, 0))
    assert found.fits == 1


def test_figures_that_no_table_gives_are_an_error() -> None:
    # As printed for one judge of JailbreakEval on JAILJUDGE's 1,000 answers, 315 of them jailbroken.
    with pytest.raises(FFError, match=r"no table of 1000 rows, 315 of them positive"):
        rebuilt(1000, 315, {"accuracy": 0.68, "precision": 0.56, "recall": 0.03}, digits=2, classes=CLASSES)
    with pytest.raises(FFError, match="need rows of both"):
        rebuilt(20, 20, {"accuracy": 0.5}, digits=1, classes=CLASSES)


@given(st.data())
def test_what_is_printed_of_a_table_gives_it_back_or_one_within_the_rounding(data: st.DataObject) -> None:
    positives, negatives = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40))
    tp, fp = data.draw(st.integers(1, positives)), data.draw(st.integers(0, negatives))
    true = Confusion(CLASSES, ((tp, positives - tp, 0), (fp, negatives - fp, 0)))
    exact = {"accuracy": true.k / true.n, "precision": tp / (tp + fp), "recall": tp / positives}
    assert rebuilt(true.n, positives, exact, digits=12, classes=CLASSES).matrix == true
    rounded = {name: round(value, 2) for name, value in exact.items()}
    found = rebuilt(true.n, positives, rounded, digits=2, classes=CLASSES)
    assert abs(found.matrix.k / found.matrix.n - true.k / true.n) <= found.furthest + 1e-9 <= 0.01 + 2e-9
