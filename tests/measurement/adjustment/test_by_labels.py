"""A run's rates by model, raw beside adjusted by a sample that people labelled."""

import pytest

import ff_helpers as ff
from ff_helpers.corpus.simulate import SimulatedGrader, binary, simulate
from ff_helpers.errors import FFError
from ff_helpers.measurement.sampling.draw import draw
from ff_helpers.measurement.sampling.files import write_sample


@pytest.fixture(scope="module")
def verdicts():
    """400 simulated traces, 30% of them successes, and a grader with sensitivity .9 and specificity .7."""
    frame = simulate(0.3, [SimulatedGrader("g", binary(0.9, 0.7))], scenarios=400, seed=3)
    return frame.assign(model=[f"model {n % 2}" for n in range(len(frame))])


def labelled(tmp_path, verdicts, n, space="strict", **how):
    frame, design = draw(verdicts, n, space=space, **how)
    truths = verdicts.set_index("trace_id")["truth"]
    path = tmp_path / "labels.csv"
    write_sample(path, frame.assign(truth=frame["trace_id"].map(truths)), design)
    return str(path)


def strict(table):
    return table[(table["tier"] == "strict") & (table["grader"] == "g")].reset_index(drop=True)


def test_labels_of_a_part_take_the_errors_out(tmp_path, verdicts):
    labels = labelled(tmp_path, verdicts, 160, design="by-verdict", by=["model"])
    rows = strict(ff.explain.adjusted_by(verdicts, "model", [], labels))
    assert list(rows["labels_used"]) == [80, 80]
    assert set(rows["adjusted_by"]) == {"sample"}
    assert (rows["asr_low"] > rows["known"]).all()
    assert ((rows["adjusted_low"] < rows["known"]) & (rows["known"] < rows["adjusted_high"])).all()


def test_every_row_labelled_is_the_answer(tmp_path, verdicts):
    rows = strict(ff.explain.adjusted_by(verdicts, "model", [], labelled(tmp_path, verdicts, 400)))
    assert list(rows["adjusted"]) == pytest.approx(list(rows["known"]))


def test_what_the_labels_do_not_say_is_unknown_and_says_why(tmp_path, verdicts):
    table = ff.explain.adjusted_by(verdicts, "model", [], labelled(tmp_path, verdicts, 12))
    own = table[table["grader"] == "g"]
    few = own[own["tier"] == "strict"]
    assert set(few["adjusted_by"]) <= {"too few labels", "sample"}
    assert set(own.loc[own["tier"] == "broad", "note"]) <= {"the labels do not decide this tier"}
    none = ff.explain.adjusted_by(verdicts, "model", [], "not-there.csv")
    own = none[none["grader"] == "g"]
    assert own["adjusted"].isna().all()
    assert set(zip(own["adjusted_low"], own["adjusted_high"], strict=True)) == {(0.0, 1.0)}
    assert set(own["adjusted_by"]) == {"no labels"}


def test_labels_of_other_traces_are_refused(tmp_path, verdicts):
    labels = labelled(tmp_path, verdicts, 40)
    with pytest.raises(FFError, match="labelled traces have no verdict here"):
        ff.explain.adjusted_by(verdicts[:20], "model", [], labels)


def test_the_disclosure_says_who_labelled_and_how_rows_were_drawn(tmp_path, verdicts):
    labels = labelled(tmp_path, verdicts, 60)
    table = ff.explain.adjusted_by(verdicts, "model", [], labels)
    said = ff.disclose(ff.start("study", as_of="2026-11-22"), table).sentence()
    assert "Labels: 60 of 60 traces drawn at random (seed 0), labelled in a spreadsheet" in said
    assert "nothing is assumed about the grader" in said
