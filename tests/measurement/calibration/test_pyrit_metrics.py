"""The published metrics of PyRIT's scorers: 56 rows with an accuracy, its standard error and F1."""

import math

import pandas as pd
import pytest

from ff_helpers.measurement.labels.card import card_of_labels
from ff_helpers.measurement.proportions.intervals import Z, wilson
from tests.shared_labels import shared


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    rows = pd.read_csv(shared("pyrit_published_metrics.csv"))
    return rows[rows["accuracy"].notna()].reset_index(drop=True)


def test_the_standard_error_is_that_of_a_share_of_the_responses(published) -> None:
    """n is num_responses: the trials of a response are one vote, no further observations."""
    p, n = published["accuracy"], published["num_responses"]
    assert len(published) == published["accuracy_standard_error"].notna().sum() == 56
    assert (published["num_scorer_trials"] == 3).all()
    expected = (p * (1 - p) / n) ** 0.5
    assert (expected - published["accuracy_standard_error"]).abs().max() < 1e-12


def test_every_accuracy_is_a_count_and_its_wilson_interval_is_near_the_published_error(published) -> None:
    for p, n, error in published[["accuracy", "num_responses", "accuracy_standard_error"]].to_numpy():
        k = round(p * n)
        assert k / n == pytest.approx(p, abs=1e-9)
        share = wilson(k, int(n))
        # Both widths come from the same variance; Wilson's shrinks it and adds z^2 / 4 n^2.
        half = Z * math.sqrt(error**2 + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
        assert (share.high - share.low) / 2 == pytest.approx(half)


def test_a_table_with_the_published_counts_gives_the_published_precision_recall_and_f1(published) -> None:
    """Precision, recall and accuracy of n rows leave one table of four counts; it is found, and graded."""
    for row in published.itertuples():
        counts = four(row.accuracy, row.precision, row.recall, int(row.num_responses))
        assert counts is not None
        (tp, fp, fn, tn), words = counts, ("true", "false")
        cells = zip((tp, fp, fn, tn), ((0, 0), (1, 0), (0, 1), (1, 1)), strict=True)
        rows = [(words[truth], "10"[graded]) for count, (truth, graded) in cells for _ in range(count)]
        frame = pd.DataFrame(rows, columns=["human", "scorer"])
        found = card_of_labels(frame, truth="human", grader="scorer", positive="1")
        assert found.positive is not None
        assert found.invalid == {}
        assert found.matrix.accuracy.estimate == pytest.approx(row.accuracy)
        assert found.positive.precision.estimate == pytest.approx(row.precision)
        assert found.positive.sensitivity.estimate == pytest.approx(row.recall)
        assert found.positive.f1 == pytest.approx(row.f1_score)


def four(accuracy: float, precision: float, recall: float, n: int) -> tuple[int, int, int, int] | None:
    """The counts TP, FP, FN, TN that give these figures, or None."""
    for positive in range(1, n):
        tp = round(recall * positive)
        fp = round(tp / precision) - tp if precision else 0
        fn = positive - tp
        tn = n - tp - fp - fn
        if tn < 0 or not tp or abs(tp / (tp + fp) - precision) > 1e-9 or abs(tp / positive - recall) > 1e-9:
            continue
        if abs((tp + tn) / n - accuracy) < 1e-9:
            return tp, fp, fn, tn
    return None
