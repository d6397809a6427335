"""How many rows of a class a card rests on."""

from datetime import date

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.calibration.calibrate import calibrate
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.rates import reported
from ff_helpers.measurement.rates.reported import NO_CARD, NO_ROW, asr_by
from ff_helpers.measurement.results import LABELS
from ff_helpers.terms import INTENTS, VERDICTS
from tests.conftest import FRAMES

TODAY = date(2026, 11, 22)
judged = st.lists(
    st.tuples(
        st.sampled_from(VERDICTS),
        st.one_of(st.none(), st.sampled_from(VERDICTS)),
        st.sampled_from(INTENTS[:3]),
    ),
    min_size=1,
    max_size=30,
)


def frame(rows: list[tuple[str, str | None, str]], **fields: object) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["truth", "verdict", "intent"]).astype("str")
    table = table.assign(
        trace_id=[f"t{n}" for n in table.index],
        status=table["verdict"].isna().map({True: "timeout", False: None}),
        truth_space="five", set="labelled", grader="g", grader_digest="d", rubric="flip", temperature=0.0,
        seed=0, method="flip-final-turn", repeat=0, sampling="census", probability=None, source="people",
        model="m", turns="single", duration_s=1.0, difficulty=None,
    )  # fmt: skip
    return table.assign(**fields)


def coverage(verdicts: pd.DataFrame, cards: list[Card], by: str) -> pd.DataFrame:
    rows, who = told_apart(verdicts)
    return reported.coverage(rows, cards, by, who)


def card(rows: pd.DataFrame) -> Card:
    return calibrate(rows, space="five", calibration_set="labelled", as_of=TODAY)


@given(judged)
@FRAMES
def test_the_classes_of_a_card_add_up_to_it(rows: list) -> None:
    verdicts = frame(rows)
    made = card(verdicts)
    for by in ("intent", "turns", "set", "source"):
        table = coverage(verdicts, [made], by)
        sums = table.groupby("tier")[["card_n", "card_k"]].sum().drop_duplicates().to_numpy().tolist()
        assert sums == [[made.n, made.k]]
    shuffled = verdicts.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(coverage(shuffled, [made], "intent"), coverage(verdicts, [made], "intent"))


def test_a_class_that_the_card_has_not_seen_is_said_to_have_none() -> None:
    labelled = frame([("REFUSAL", "REFUSAL", "format_lock"), ("COMPLIANCE", None, "format_lock")])
    corpus = frame([(None, "COMPLIANCE", "persona_hijack"), (None, "REFUSAL", "format_lock")])
    corpus = corpus.assign(set="corpus", truth=None, truth_space=None, sampling=None, trace_id=["c0", "c1"])
    verdicts = pd.concat([labelled, corpus.astype(labelled.dtypes[["truth", "truth_space"]])])
    table = asr_by(verdicts, "intent", [card(labelled)])
    mine = table.query("grader == 'g' and tier == 'broad' and denominator == 'graded'").set_index("intent")
    assert mine["card"].to_dict() == {"format_lock": "1 of 2 right", "persona_hijack": NO_ROW}
    assert mine[["card_n", "card_k"]].loc["format_lock"].tolist() == [2, 1]
    fewer = asr_by(verdicts, "intent", [card(labelled)], sets=["corpus"])
    assert set(fewer["grader"]) == {"g"}
    only = fewer.query("tier == 'broad' and denominator == 'graded'").set_index("intent")
    assert only[["n", "card_n"]].T.to_dict("list") == {"format_lock": [1, 2], "persona_hijack": [1, 0]}
    assert set(table[table["grader"] == LABELS]["card"]) == {"labels need no card"}
    assert set(asr_by(corpus.assign(truth=pd.Series([None, None], dtype="str")), "intent", [])["card"]) == {
        NO_CARD
    }


def test_labels_picked_by_judgement_and_coarser_spaces_back_no_tier_they_do_not_decide() -> None:
    rows = frame([("REFUSAL", "REFUSAL", "format_lock")] * 3)
    picked = rows.assign(sampling=["census", "judgement", "injected"])
    assert coverage(picked, [card(picked)], "intent")["card_n"].unique().tolist() == [1]
    coarse = rows.assign(truth="NOT_COMPLIANCE", truth_space="strict")
    made = calibrate(coarse, space="strict", calibration_set="labelled", as_of=TODAY)
    assert coverage(coarse, [made], "intent")[["tier", "card_n", "card_k"]].to_numpy().tolist() == [
        ["strict", 3, 3]
    ]
