"""The disclosure: complete or refused, and looked up from the run's cards."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

import ff_helpers as ff
from ff_helpers.corpus.readers import CALIBRATION
from ff_helpers.errors import FFError
from ff_helpers.grading.campaign import grade
from ff_helpers.measurement.proportions.intervals import Proportion, percent, rate_text, wilson
from ff_helpers.measurement.results import Terms
from ff_helpers.publication.derive import disclose
from ff_helpers.publication.disclosure import require
from ff_helpers.publication.lessons import calibration_lesson

KNOWN = ff.notes.GraderNote("g", "0123456789abcdef", "r@1", wilson(15, 20), "set", "strict", "provisional")
UNKNOWN = ff.notes.GraderNote(
    "theirs",
    ff.notes.Unknown("digest", "not published"),
    ff.notes.Unknown("rubric", "not published"),
    ff.notes.Unknown("accuracy", "never measured"),
    ff.notes.Unknown("calibration set", "none"),
    ff.notes.Unknown("space", "none"),
    "uncalibrated",
)
WHOLE = ff.notes.Disclosure(
    (KNOWN, UNKNOWN), "strict", "graded", "n = 20, k = 13", "2 rows", date(2026, 11, 22)
)


def test_the_sentence_holds_everything_a_reader_needs() -> None:
    sentence = WHOLE.sentence()
    for part in (
        "g (digest 0123456789ab; rubric r@1): accuracy 75.0% [53.1, 88.8], 15 of 20 on set, space strict; "
        "provisional",
        "theirs (digest: not published; rubric: not published): accuracy: never measured; uncalibrated",
        "Tier: strict.",
        "Denominator: graded.",
        "Counts: n = 20, k = 13.",
        "Left out: 2 rows.",
        "As of 2026-11-22.",
    ):
        assert part in sentence


def test_one_grader_on_two_sets_is_named_once() -> None:
    both = replace(WHOLE, graders=(KNOWN, replace(KNOWN, calibration_set="other")))
    sentence = both.sentence()
    assert sentence.count("digest 0123456789ab") == 1
    assert sentence.startswith("Grader: g ")
    assert "on set, space strict; provisional, and accuracy" in sentence


def test_rows_that_name_their_own_graders_need_the_columns_for_it() -> None:
    rows = replace(WHOLE, graders="each row")
    whole = pd.DataFrame(columns=["grader", "n", "accuracy", "accuracy_low", "accuracy_high", "set", "gate"])
    require(whole, rows)
    assert "named in each row" in rows.sentence()
    with pytest.raises(FFError, match="lacks column gate"):
        require(whole.drop(columns="gate"), rows)


@pytest.mark.parametrize("field", ["tier", "denominator", "counts", "left_out"])
def test_a_blank_field_is_refused_by_name(field: str) -> None:
    with pytest.raises(FFError, match=f"lacks {field}"):
        require(pd.DataFrame(), replace(WHOLE, **{field: ""}))


def test_a_blank_field_of_a_grader_is_refused_by_name() -> None:
    blank = replace(WHOLE, graders=(replace(KNOWN, digest=""),))
    with pytest.raises(FFError, match=r"lacks digest of g\. .*Unknown\(what, why\)"):
        require(pd.DataFrame(), blank)


def test_shares_read_as_percent_and_the_unknown_as_a_dash() -> None:
    assert (percent(0.65), percent(None), percent(float("nan"))) == ("65.0", "–", "–")
    assert rate_text(wilson(13, 20)) == "65.0% [43.3, 81.9]"
    assert rate_text(wilson(0, 0)) == "–% [0.0, 100.0]"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ff.outputs.Run]:
    """A run whose heuristic is calibrated in the space `refused` on one set."""
    folder = tmp_path_factory.mktemp("outputs")
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    traces = [
        {"trace_id": f"t{i}", "model": "m", "source": "s", "messages": turns}
        | {"truth": "NOT_REFUSAL", "truth_space": "refused", "sampling": {"kind": "census"}}
        for i in range(4)
    ]
    (folder / "t.jsonl").write_text("".join(json.dumps(t) + "\n" for t in traces))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FF_OUTPUTS", str(folder))
        patch.delenv("FF_STAGING", raising=False)
        made = ff.start("test", as_of="2026-11-22")
        grade(made, {"easy": str(folder / "t.jsonl"), "written": CALIBRATION["written"]}, ["heuristic"])
        ff.calibrate_all(made)
        yield made


def looked_up(run: ff.outputs.Run, grader: str, *tiers: str) -> tuple[ff.notes.GraderNote, ...]:
    terms = Terms(tiers=tiers, denominators=("d",), counts="c", left_out="l")
    graders = disclose(run, ff.notes.stated(pd.DataFrame({"grader": [grader]}), terms)).graders
    assert isinstance(graders, tuple)
    return graders


def test_without_a_tier_every_card_of_the_grader_is_disclosed(run: ff.outputs.Run) -> None:
    notes = looked_up(run, "heuristic")
    assert {(n.calibration_set, n.space) for n in notes} == {("easy", "refused"), ("written", "five")}
    assert not str(notes[0].digest).startswith("sha256:")


def test_a_tier_is_backed_only_by_a_card_in_a_space_that_decides_it(run: ff.outputs.Run) -> None:
    assert [n.space for n in looked_up(run, "heuristic", "strict")] == ["five"]


def test_a_grader_without_a_deciding_card_is_uncalibrated_and_says_so(run: ff.outputs.Run) -> None:
    for path in run.read("cards").glob("*written*"):
        path.rename(path.with_suffix(".aside"))
    (note,) = looked_up(run, "heuristic", "strict")
    assert note.gate == "uncalibrated"
    assert str(note.accuracy) == "accuracy: never measured in a label space that decides the tier strict"
    assert len(str(note.digest)) == 64  # still known: the ledger has it
    for path in run.read("cards").glob("*.aside"):
        path.rename(path.with_suffix(".json"))


def test_a_grader_that_nobody_ran_has_typed_unknowns(run: ff.outputs.Run) -> None:
    (note,) = looked_up(run, "nobody", "strict")
    assert (str(note.digest), str(note.rubric)) == ("digest: not recorded", "rubric: not recorded")


def test_the_lesson_reads_its_numbers_from_the_card_with_the_widest_gap(run: ff.outputs.Run) -> None:
    cards = ff.read_cards(run)
    widest = min(cards, key=lambda c: c.k / c.n)
    text = repr(calibration_lesson(cards))
    assert f"on `{widest.calibration_set}`" in text
    assert f"({widest.k} of {widest.n})" in text
    assert rate_text(widest.accuracy) in text


@pytest.mark.parametrize(
    ("change", "lacks"),
    [
        ({"tier": "  "}, "tier"),
        ({"graders": ()}, "graders"),
        ({"graders": ff.notes.Unknown("grader", " ")}, "graders"),
        ({"graders": (replace(KNOWN, accuracy=wilson(0, 0)),)}, "accuracy of g"),
        ({"graders": (replace(KNOWN, digest=ff.notes.Unknown("digest", "")),)}, "digest of g"),
        ({"graders": (replace(KNOWN, calibration_set="\t"),)}, "calibration_set of g"),
        ({"graders": (replace(KNOWN, accuracy=Proportion(15, 20, float("nan"), 0.9)),)}, "accuracy of g"),
        ({"graders": (replace(KNOWN, gate="approved"),)}, "a known gate state of g"),
        ({"graders": (replace(KNOWN, grader=" "),)}, "grader of a grader"),
        ({"graders": None}, "graders"),
        ({"graders": "everyone"}, "graders"),
        ({"as_of": None}, "as_of"),
        ({"notes": ("",)}, "the words of a note"),
        ({"denominator": None}, "denominator"),
    ],
)
def test_what_is_blank_in_any_form_is_refused(change: dict[str, object], lacks: str) -> None:
    with pytest.raises(FFError, match=lacks):
        require(pd.DataFrame({"k": [1]}), replace(WHOLE, **change))


def test_a_row_that_names_its_own_grader_may_leave_nothing_blank() -> None:
    row = {"grader": "g", "n": 20, "accuracy": 0.5, "accuracy_low": 0.3, "accuracy_high": 0.7}
    row |= {"set": "s", "gate": "rejected"}
    unmeasured = dict.fromkeys(("n", "accuracy", "accuracy_low", "accuracy_high"))
    note = replace(WHOLE, graders="each row")
    require(pd.DataFrame([row]), note)
    require(
        pd.DataFrame([row | unmeasured | {"set": "accuracy: never measured"}]),
        note,
    )
    for change, lacks in (
        ({"set": ""}, "set"),
        ({"set": " \t"}, "set"),
        ({"grader": None}, "grader"),
        ({"gate": "approved"}, "known gate state"),
        ({"accuracy_low": None}, "interval"),
        ({"accuracy_low": 0.6}, "interval"),
        ({"n": 0}, "interval and n"),
        (unmeasured, "reason for the missing accuracy"),
    ):
        with pytest.raises(FFError, match=f"{lacks}.* in a row"):
            require(pd.DataFrame([row | change]), note)


@pytest.mark.parametrize("column", ["asr", "strict", "broad", "functionally_dangerous"])
def test_a_rate_cannot_be_shown_as_if_there_were_none(column: str) -> None:
    note = replace(WHOLE, graders=(), tier="no attack success rate in this artifact")
    require(pd.DataFrame({"n": [3], "share": [0.5]}), note)
    with pytest.raises(FFError, match=f"a tier for the rate in column {column}"):
        require(pd.DataFrame({column: [0.5]}), note)


def test_a_frame_that_lost_its_graders_on_its_way_is_not_written(run: ff.outputs.Run) -> None:
    row = {"grader": "g", "n": 20, "accuracy": 0.5, "accuracy_low": 0.3, "accuracy_high": 0.7}
    frame = pd.DataFrame([row | {"set": "s", "gate": "rejected"}])
    frame = ff.notes.stated(frame, graders="each row", denominators=("rows",), left_out=())
    ff.save_table(run, frame, "whole", title="A title.")
    with pytest.raises(FFError, match="grader in a row"):
        ff.save_table(run, frame.assign(grader=" "), "lost", title="A title.")
    assert not (run.read("cards").parent / "tables" / "lost.csv").exists()


def test_words_in_place_of_a_digest_are_not_cut() -> None:
    note = ff.notes.GraderNote(
        "g", "not told by the server", "r@1", wilson(15, 20), "set", "strict", "provisional"
    )
    assert note.identity() == "g (digest not told by the server; rubric r@1)"
    assert KNOWN.identity() == "g (digest 0123456789ab; rubric r@1)"
