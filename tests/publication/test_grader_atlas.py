"""The grader atlas: counts of judges against people's labels, and what is said of them."""

import csv
from pathlib import Path

import pandas as pd
import pytest

import ff_helpers as ff
from ff_helpers import paths
from ff_helpers.columns import dtypes
from ff_helpers.corpus.sets import known_sets, state_of
from ff_helpers.measurement.calibration.confusion import Confusion
from ff_helpers.publication.grader_atlas import BASES, COUNTED, grader_atlas
from tests.cards import QWEN, make_card
from tools.generate.grader_atlas import rows_of_labels, rows_of_prints

JUDGES = paths.data() / "judges" / "judges.csv"


@pytest.fixture(scope="module")
def atlas() -> pd.DataFrame:
    return grader_atlas()


def shipped() -> list[dict[str, str]]:
    with JUDGES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def one(frame: pd.DataFrame, name: str, grader: str, question: str = "") -> "pd.Series[float]":
    rows = frame[(frame["set"] == name) & (frame["grader"] == grader)]
    (row,) = [row for _, row in rows.iterrows() if row["question"].startswith(question)]
    return row


def test_every_row_has_its_set_its_origin_and_a_gate(atlas: pd.DataFrame) -> None:
    assert list(atlas) == list(dtypes("grader_atlas"))
    assert {row["set"] for row in shipped()} <= set(known_sets())
    assert set(atlas["basis"]) <= set(BASES)
    assert atlas["source"].str.len().gt(5).all()
    assert atlas.loc[atlas["basis"] == "counts", "kappa"].isna().all()
    assert atlas.loc[atlas["basis"] != "counts", "kappa"].notna().all()
    assert ff.disclose(ff.start("paper", as_of="2026-11-22"), atlas).graders == "each row"


def test_the_published_figures_come_out(atlas: pd.DataFrame) -> None:
    # XSTest: computed on all 2,250 by its own authors' labels; JailbreakBench: arXiv 2404.01318, Table 1.
    gpt4 = one(atlas, "xstest", "GPT-4", "full")
    assert (round(gpt4["accuracy"], 4), round(gpt4["kappa"], 4)) == (0.7991, 0.6282)
    assert round(one(atlas, "xstest", "string matching", "full")["accuracy"], 4) == 0.8387
    printed = {"Llama-3-70B": 90.7, "GPT-4": 90.3, "HarmBench classifier": 78.3, "Llama Guard": 72.0}
    for name, accuracy in printed.items():
        assert round(100 * one(atlas, "jailbreakbench", name)["accuracy"], 1) == accuracy
    guard = one(atlas, "jailbreakbench", "Llama Guard")
    assert guard["recalls"] == "COMPLIANCE 39.1%, NOT_COMPLIANCE 91.1%"
    assert round(100 * guard["bias"], 1) == -16.7  # it misses 67 jailbreaks and invents 17, of 300


def test_a_judge_below_a_constant_answer_is_rejected(atlas: pd.DataFrame) -> None:
    known = atlas[atlas["majority"].notna()]
    below = known[known["accuracy"] <= known["majority"]]
    assert len(below) > 3
    assert set(below["gate"]) == {"rejected"}
    unsafe = one(atlas, "xstest", "GPT-4", "attack")
    assert unsafe["accuracy"] < unsafe["majority"]


def test_rows_of_one_prompt_widen_the_interval(atlas: pd.DataFrame) -> None:
    rows = atlas[(atlas["set"] == "xstest")]
    assert set(rows["prompts"]) == {200, 450}
    assert (
        (rows["accuracy_by_prompt_high"] - rows["accuracy_by_prompt_low"])
        .gt(rows["accuracy_high"] - rows["accuracy_low"])
        .all()
    )


def test_what_is_rebuilt_from_print_is_what_ships() -> None:
    fresh = [
        {name: row.get(name, "") for name in COUNTED}
        for row in rows_of_prints(JUDGES.with_name("printed.csv"))
    ]
    assert len(fresh) > 40
    kept = [row for row in shipped() if row["basis"] not in ("computed",)]
    assert sorted(map(str, fresh)) == sorted(map(str, kept))


@pytest.mark.parametrize("name", ["xstest", "jailbreakbench"])
def test_the_counts_that_ship_are_those_of_the_labels(name: str) -> None:
    if state_of(name) != "here":
        pytest.skip(f"{name} is not in {paths.parts()}: `ff sets get {name}` says how to have it")
    fresh = [{one: row.get(one, "") for one in COUNTED} for row in rows_of_labels(name)]
    assert fresh
    kept = [row for row in shipped() if row["set"] == name and row["basis"] == "computed"]
    assert sorted(map(str, fresh)) == sorted(map(str, kept))


def test_cards_of_a_run_are_rows_of_the_sets_that_they_are_on() -> None:
    cards = [make_card(QWEN, "provisional", name="mine", right=40, of=50), make_card(name="proxies")]
    frame = grader_atlas(cards, sets={"mine": "pyrit:refusal"})
    measured = frame[frame["basis"] == "measured"]
    assert measured["set"].tolist() == ["pyrit:refusal"]
    assert measured["gate"].tolist() == ["provisional"]
    assert (measured["k"].iloc[0], measured["n"].iloc[0]) == (40, 50)


def test_the_bias_of_a_card_of_refusals_is_of_refusals() -> None:
    table = ((40, 1, 0), (10, 49, 0))  # truth down: not refused, refused; 59 refusals, of which 49 are found
    matrix = Confusion(("NOT_REFUSAL", "REFUSAL"), table)
    card = make_card(name="mine").model_copy(update={"confusion": matrix, "space": "refused"})
    row = grader_atlas([card], sets={"mine": "pyrit:refusal"}).query("basis == 'measured'").iloc[0]
    assert round(row["bias"], 2) == -0.09
    assert row["question"] == "refused or not"


def test_the_page_holds_every_judge_and_its_disclosure_and_loads_nothing(
    atlas: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    run = ff.start("paper", as_of="2026-11-22")
    rows = atlas.copy()
    rows.attrs = atlas.attrs
    rows.loc[0, "grader"] = "<b>bold</b> & \u202egood"
    name = ff.outputs.save_grader_page(run, rows)
    text = run.read(name).read_text(encoding="utf-8")
    assert "&lt;b&gt;bold&lt;/b&gt; &amp;" in text
    assert "<script" not in text
    assert "http" not in text.replace('href="http', "").replace("https://", "", 0).split("<main>")[0]
    assert text.count('class="iv"') >= len(rows)
    assert all(known_sets()[one].title in text for one in set(atlas["set"]))
    assert "Graders: named in each row" in text
    again = run.read(ff.outputs.save_grader_page(run, rows)).read_text(encoding="utf-8")
    assert again == text
