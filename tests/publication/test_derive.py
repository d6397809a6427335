"""The disclosure is derived: change a row, and what is printed changes; a contradiction is refused."""

import json
import re
from pathlib import Path

import altair as alt
import pandas as pd
import pytest

import ff_helpers as ff
from ff_helpers.errors import FFError
from ff_helpers.measurement.calibration.cards import Card, save_card
from ff_helpers.measurement.rates.asr import asr
from ff_helpers.measurement.rates.counts import count_verdicts
from ff_helpers.measurement.results import terms_of
from tests.verdict_rows import card, rows

VERDICTS = [("COMPLIANCE", "COMPLIANCE")] * 12 + [("REFUSAL", "REFUSAL")] * 16 + [("REFUSAL", "timeout")] * 2
ABOUT = {"set": "mine", "truth_space": "five", "method": "flip-final-turn", "model": "m"}
DIGEST = "sha256:" + "ab" * 32


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ff.outputs.Run:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    monkeypatch.delenv("FF_STAGING", raising=False)
    return ff.start("test", as_of="2026-11-22")


def verdicts(pairs: list[tuple[str, str | None]] = VERDICTS, **columns: object) -> pd.DataFrame:
    return rows(pairs, **(ABOUT | columns))


def cards(run: ff.outputs.Run, frame: pd.DataFrame) -> list[Card]:
    """Calibrate each grader of the frame, and leave the cards in the run."""
    made = [card(part).model_copy(update={"calibration_set": "mine"}) for _, part in frame.groupby("grader")]
    for one in made:
        save_card(run, one)
    return made


def table(run: ff.outputs.Run, frame: pd.DataFrame) -> pd.DataFrame:
    found = ff.asr_by(frame, "set", cards(run, frame))
    return found[found["grader"] != "labels"]


def written(run: ff.outputs.Run, frame: pd.DataFrame) -> dict[str, str]:
    """Save a table and a figure and return where each of their files discloses."""
    from pypdf import PdfReader

    ff.save_table(run, frame, "t", title="A title.")
    ff.save_figure(run, alt.Chart(pd.DataFrame({"x": [1]})).mark_point().encode(x="x:Q"), frame, "f")
    header = json.loads(run.read("tables/t.csv-metadata.json").read_text(encoding="utf-8"))
    held = PdfReader(run.read("figures/f.pdf")).metadata
    assert held is not None
    text = {kind: run.read(f"tables/t.{kind}").read_text(encoding="utf-8") for kind in ("tex", "html")}
    return {
        "csv": str(pd.read_csv(run.read("tables/t.csv"))["disclosure"].iloc[0]),
        "header": str(header["dc:description"]),
        "tex": text["tex"].split(r"\footnotesize ")[1].replace("\\", ""),
        "html": re.findall("<figcaption>(.*?)</figcaption>", text["html"])[0],
        "svg": re.findall("<desc>(.*?)</desc>", run.read("figures/f.svg").read_text(encoding="utf-8"))[0],
        "png": run.read("figures/f.png").read_bytes().decode("utf-8", errors="ignore"),
        "pdf": str(held.subject),
    }


CHANGES: dict[str, tuple[pd.DataFrame, str, str]] = {
    "a status": (
        verdicts([*VERDICTS[:-1], ("REFUSAL", "unparsable")]),
        "Left out: timeout 2",
        "Left out: timeout 1, unparsable 1",
    ),
    "a verdict that becomes a status": (
        verdicts([*VERDICTS[:11], ("COMPLIANCE", "timeout"), *VERDICTS[12:]]),
        "Left out: timeout 2",
        "Left out: timeout 3",
    ),
    "a grader": (verdicts(grader="h"), "Grader: g (", "Grader: h ("),
    "a digest": (verdicts(grader_digest=DIGEST), "g (digest 0123456789ab", "g (digest abababababab"),
    "an error of the grader": (
        verdicts([("COMPLIANCE", "REFUSAL"), *VERDICTS[1:]]),
        "28 of 30 on mine",
        "27 of 30 on mine",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_of_the_data_changes_what_every_file_says(run: ff.outputs.Run, what: str) -> None:
    changed, before, after = CHANGES[what]
    one = "tier == 'strict' and denominator == 'graded'"
    first = written(run, table(run, verdicts()).query(one))
    for path in run.read("cards").glob("*.json"):
        path.unlink()
    then = written(run, table(run, changed).query(one))
    for place, text in first.items():
        assert before in text, f"{place} of the first"
        assert after not in text
        assert after in then[place], f"{place} of the second"
        assert before not in then[place]


@pytest.mark.parametrize(
    ("rows_wanted", "says"),
    [
        ("tier == 'strict'", "Tier: strict."),
        ("tier != 'strict'", "Tier: named in each row: broad, functionally dangerous."),
        ("denominator == 'adversarial'", "Denominator: adversarial."),
        ("denominator != 'adversarial'", "Denominator: named in each row: rows, graded."),
        ("denominator == 'rows'", "Left out: none; within rows, as no success: timeout 2."),
        ("denominator == 'graded'", "Left out: timeout 2."),
    ],
)
def test_a_choice_of_rows_narrows_the_disclosure(run: ff.outputs.Run, rows_wanted: str, says: str) -> None:
    frame = table(run, verdicts())
    assert says not in ff.disclose(run, frame).sentence()
    assert says in ff.disclose(run, frame.query(rows_wanted)).sentence()


def test_the_false_disclosure_of_the_issue_cannot_be_published(run: ff.outputs.Run) -> None:
    """Three tiers over `rows`, 90 timeouts among them, once said: strict, adversarial, left out: none."""
    frame = verdicts([*VERDICTS, *[("REFUSAL", "timeout")] * 88])
    cards(run, frame)
    rates = asr(count_verdicts(frame, by=["grader"]), by=["grader"], denominators=["rows"])
    said = ff.disclose(run, rates).sentence()
    assert "Tier: named in each row: strict, broad, functionally dangerous." in said
    assert "Denominator: rows." in said
    assert "Left out: none; within rows, as no success: timeout 90." in said
    for words, what in (
        ({"tiers": ("strict",)}, "tier"),
        ({"denominators": ("adversarial",)}, "denominator"),
        ({"left_out": ()}, "left out"),
        (
            {
                "graders": (
                    ff.notes.GraderNote("other", *["x"] * 2, *[ff.notes.Unknown("a", "b")] * 3, "rejected"),
                )
            },
            "grader",
        ),
    ):
        with pytest.raises(FFError, match=f"{what} is said to be"):
            ff.notes.stated(rates, **words)
        forced = rates.copy()
        forced.attrs["terms"] = ff.notes.Terms(**({"by": ("grader",)} | words))  # type: ignore[arg-type]
        with pytest.raises(FFError, match="contradict its rows"):
            ff.save_table(run, forced, "false", title="False.")
    assert not (run.folder / "tables" / "false.csv").exists()


def test_a_frame_that_does_not_know_its_terms_is_refused_with_the_verbs_that_do(run: ff.outputs.Run) -> None:
    by_hand = pd.DataFrame({"grader": ["g"], "k": [1], "n": [2], "asr": [0.5]})
    with pytest.raises(FFError, match=r"holds rates \(asr\).*ff\.asr_by.*ff\.notes\.stated"):
        ff.save_table(run, by_hand, "t", title="T.")
    with pytest.raises(FFError, match="denominator"):
        ff.save_table(run, ff.notes.stated(by_hand, tiers=("strict",), left_out=()), "t", title="T.")
    frame = table(run, verdicts())
    with pytest.raises(FFError, match="does not say who graded"):
        ff.disclose(run, frame.merge(pd.DataFrame({"set": ["mine"], "more": [1]}), on="set"))
    with pytest.raises(FFError, match="no set"):
        ff.disclose(run, frame.drop(columns="set"))


def test_rates_pooled_over_graders_name_nobody_and_are_refused(run: ff.outputs.Run) -> None:
    pooled = asr(count_verdicts(verdicts(), by=["set"]), by=["set"])
    with pytest.raises(FFError, match="lacks graders"):
        ff.disclose(run, pooled)


def test_terms_stay_through_what_notebooks_do_and_through_a_file(run: ff.outputs.Run) -> None:
    frame = table(run, verdicts())
    for same in (
        frame.head(3), frame.sort_values("k"), frame.assign(x=1), frame.reset_index(drop=True),
        frame.round(6), frame.rename(columns={"reading": "r"}), frame[frame["k"] > 0],
        frame.astype({"k": "float64"}),
    ):  # fmt: skip
        assert terms_of(same) == terms_of(frame)
    said = ff.disclose(run, frame).sentence()
    ff.save_table(run, frame, "t", title="T.")
    assert ff.disclose(run, ff.outputs.read_table(run, "t")).sentence() == said
    narrow = ff.outputs.read_table(run, "t").query("tier == 'broad'")
    assert "Tier: broad." in ff.disclose(run, narrow).sentence()


def test_two_digests_of_one_name_are_two_graders(run: ff.outputs.Run) -> None:
    other = verdicts(grader_digest=DIGEST).assign(trace_id=[f"u{i}" for i in range(30)])
    both = pd.concat([verdicts(), other], ignore_index=True)
    rates = asr(count_verdicts(both, by=["grader", "grader_digest"]), by=["grader", "grader_digest"])
    graders = ff.disclose(run, rates).graders
    assert isinstance(graders, tuple)
    assert [str(note.digest)[:4] for note in graders] == ["0123", "abab"]


def test_statuses_of_one_of_many_groups_are_named(run: ff.outputs.Run) -> None:
    clean = [pair for pair in VERDICTS if pair[1] != "timeout"] + [("REFUSAL", "REFUSAL")] * 2
    both = pd.concat([verdicts(), verdicts(clean, grader="h")], ignore_index=True)
    frame = table(run, both).query("denominator == 'graded'")
    assert "Left out: timeout 2 (mine g)." in ff.disclose(run, frame).sentence()
    assert "Left out: none." in ff.disclose(run, frame.query("grader == 'h'")).sentence()


def test_the_cards_of_the_rows_own_set_are_what_is_known_of_a_grader_there(run: ff.outputs.Run) -> None:
    frame = verdicts()
    (own,) = cards(run, frame)
    save_card(run, own.model_copy(update={"calibration_set": "elsewhere"}))
    found = ff.read_cards(run)
    here = ff.asr_by(frame, "set", found).query("grader == 'g'")
    assert "on mine" in ff.disclose(run, here).sentence()
    assert "elsewhere" not in ff.disclose(run, here).sentence()
    there = ff.asr_by(frame.assign(set="new"), "set", found).query("grader == 'g'")
    assert "on elsewhere" in ff.disclose(run, there).sentence()


def test_an_empty_frame_says_that_nobody_has_a_rate(run: ff.outputs.Run) -> None:
    frame = table(run, verdicts()).head(0)
    said = ff.disclose(run, frame).sentence()
    assert said.startswith("Grader: no grader has a rate in this artifact.")
    assert "Counts: none: no row." in said
