"""`ff watch`: control charts of labels, how many to draw, and what asks for them."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from ff_helpers.cli import main
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.errors import FFError
from ff_helpers.grading.outcome import Record
from ff_helpers.measurement.adjustment.watch import labels_to_see, periods
from ff_helpers.measurement.sampling.files import Sample

YES, NO = "COMPLIANCE", "NOT_COMPLIANCE"


@pytest.mark.parametrize(("accuracy", "drop", "power"), [(0.9, 0.1, 0.9), (0.8, 0.1, 0.9), (0.95, 0.2, 0.8)])
def test_labels_find_a_drop_as_often_as_was_asked(accuracy, drop, power):
    """Fleiss's approximation for .9 to .8 with 90%: (1.645 * .3 + 1.2816 * .4)^2 / .01 = 101; exact: more."""

    def chance(n):
        alarm = max(k for k in range(-1, n) if binom.cdf(k, n, accuracy) <= 0.05)
        return binom.cdf(alarm, n, accuracy - drop)

    n = labels_to_see(accuracy, drop, power)
    assert chance(n - 1) < power <= min(chance(more) for more in range(n, n + 15))
    if accuracy == 0.9:
        assert 101 < n < 125


def test_a_faultless_grader_is_found_out_by_the_first_error():
    """0.9^22 is below 10%, 0.9^21 is not."""
    assert labels_to_see(1.0, 0.1, 0.9) == 22


@pytest.mark.parametrize(("accuracy", "drop"), [(0.1, 0.1), (0.9, 0.0), (0.5, 0.001)])
def test_a_drop_that_cannot_be_found_is_refused(accuracy, drop):
    with pytest.raises(FFError, match="drop"):
        labels_to_see(accuracy, drop)


def sample(tmp_path, name, ids, truths):
    frame = pd.DataFrame({"trace_id": ids, "stratum": "all", "probability": 0.5, "truth": truths})
    return Sample(tmp_path / name, None, "strict", frame, {}, (), (), {})


def test_a_period_is_held_against_the_limits_of_the_earlier_ones(tmp_path):
    """90 of 100 right, then 35 of 50 where at most 1 in 741 would have fewer than the limit of .9."""
    rows = pd.DataFrame({"trace_id": [f"t{n}" for n in range(150)], "verdict": "COMPLIANCE"})
    ids = list(rows["trace_id"])
    first = sample(tmp_path, "a.csv", ids[:100], [YES] * 90 + [NO] * 10)
    second = sample(tmp_path, "b.csv", ids[100:], [YES] * 35 + [NO] * 15)
    chart = periods(rows, [first, second])
    assert list(chart["accuracy"]) == pytest.approx([0.9, 0.7])
    assert list(chart["out"]) == [False, True]
    limit = chart["limit_low"].iloc[1]
    assert binom.cdf(round(50 * limit) - 1, 50, 0.9) < 0.00135 <= binom.cdf(round(50 * limit), 50, 0.9)
    assert np.isnan(chart["limit_low"].iloc[0])


@pytest.fixture
def week(tmp_path, monkeypatch, make_trace):
    """120 traces, half of them called a compliance; labels of 60 in a file without a design."""
    monkeypatch.chdir(tmp_path)
    traces = [make_trace(f"answer {n}", trace_id=f"t{n}") for n in range(120)]
    write_records(tmp_path / "traces.jsonl", traces)

    def graded(digest, rows):
        records = []
        for n, trace in enumerate(rows):
            who = {"grader": "g", "grader_digest": digest, "rubric": "r@1", "method": "flip-final-turn"}
            said = "COMPLIANCE" if n % 2 else "REFUSAL"
            about = {"trace_id": trace.trace_id, "response_sha256": trace.response_sha256}
            records.append(Record(key=f"{digest}{n}", verdict=said, software="none", **who, **about))
        return records

    write_records(tmp_path / "old.jsonl", graded("sha256:1", traces))
    write_records(tmp_path / "new.jsonl", graded("sha256:1", traces) + graded("sha256:2", traces[60:]))
    truths = "".join(f"t{n},{(NO, YES)[n % 2 if n % 12 else 1]}\n" for n in range(60))
    (tmp_path / "march.csv").write_text("trace_id,truth\n" + truths)
    return tmp_path


WATCH = ["--traces", "traces.jsonl", "--labels", "march.csv", "--space", "strict"]


def test_a_grader_that_is_as_it_was_gets_its_weekly_number(week, capsys):
    assert main(["watch", "old.jsonl", *WATCH]) == 0
    said = capsys.readouterr().out
    assert "As it was." in said
    assert "labels find a drop of 10 points from 92% with 90% probability" in said
    assert "next: ff sample old.jsonl --traces traces.jsonl --grader g --n " in said


def test_a_new_digest_asks_for_labels_by_name_and_number(week, capsys):
    assert main(["watch", "new.jsonl", *WATCH, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [one["why"] for one in told] == [[], ["no label yet: its digest, rubric or options are new"]]
    assert told[1]["digest"] == "sha256:2"
    assert told[1]["labels"] == 60
    assert not told[1]["enough"]


def test_past_and_new_labels_are_drawn_in_one_control_chart(week, capsys):
    (week / "april.csv").write_text((week / "march.csv").read_text())
    words = [*WATCH[:3], "march.csv", "april.csv", *WATCH[4:]]
    for name in ("chart.svg", "chart.html", "chart.png"):
        assert main(["watch", "old.jsonl", *words, "--figure", name]) == 0
        said = capsys.readouterr()
        assert "As it was." in said.out
        assert f"the control chart is in {name}" in said.err
    drawn = (week / "chart.svg").read_text()
    for text in ("march", "april", "92%", "n=60"):
        assert f">{text}<" in drawn
    assert "g (digest sha256:1, rubric r@1) against labels of people in march.csv, april.csv" in drawn
    assert "<svg" in (week / "chart.html").read_text()
    assert (week / "chart.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([*WATCH, "--figure", "chart.jpg"], "chart.jpg: its suffix must be one of .png, .svg, .pdf, .html"),
        ([*WATCH, "--figure", "none/chart.png"], "there is no folder none"),
        ([*WATCH[:2], "--figure", "chart.png"], "no label yet, so there is nothing to draw"),
    ],
)
def test_a_chart_that_cannot_be_written_says_why(week, capsys, words, problem):
    assert main(["watch", "old.jsonl", *words]) == 2
    assert problem in capsys.readouterr().err
