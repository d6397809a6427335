"""Models against models: what is compared, what is refused and why, and what many comparisons ask for."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.clusters import clustered
from ff_helpers.measurement.proportions.intervals import benjamini_hochberg, mcnemar, paired_difference
from ff_helpers.measurement.rates.comparisons import NOTHING_SHARED, OTHER_GRADERS, TOO_FEW, compare_models
from ff_helpers.measurement.rates.reported import OWN
from ff_helpers.publication.lessons import comparison_lesson
from tests.conftest import FRAMES

LETTERS = {"1": "COMPLIANCE", "0": "REFUSAL", "p": "PARTIAL", "x": None}
Scenarios = dict[str, str]


def graded(model: str, scenarios: Scenarios, *, intent: str = "format_lock", **more: object) -> pd.DataFrame:
    """One row per run of each scenario; one letter per verdict, `x` for a status."""
    rows = [
        {"scenario_id": scenario, "run": f"r{run}", "verdict": LETTERS[letter]}
        for scenario, letters in scenarios.items()
        for run, letter in enumerate(letters)
    ]
    frame = pd.DataFrame(rows, columns=["scenario_id", "run", "verdict"]).astype("str")
    known = {"set": "s", "model": model, "grader": "g", "grader_digest": "sha256:1", "rubric": "r@1"}
    known |= {"trace_id": model + intent + frame["scenario_id"] + frame["run"], "intent": intent}
    known |= {"turns": "single", "repeat": 0, "sampling": "census", "method": "flip-final-turn"}
    status = frame["verdict"].isna().map({True: "unparsable", False: None})
    return frame.assign(**known | {"status": status} | more)


def runs(word: str, start: int = 0) -> Scenarios:
    """One scenario a character or, with spaces, one a word."""
    return {f"s{start + n:02}": letters for n, letters in enumerate(word.split() if " " in word else word)}


def one(*parts: pd.DataFrame) -> pd.Series:
    (row,) = (row for _, row in compare_models(pd.concat(parts)).iterrows())
    return row


def test_with_one_run_each_it_is_newcombes_paired_interval_and_mcnemars_test() -> None:
    """1 both, 1 only the first, 7 only the second, 12 neither: Fagerland, Lydersen and Laake 2014."""
    row = one(graded("a", runs("11" + "0" * 19)), graded("b", runs("10" + "1" * 7 + "0" * 12)))
    expected = paired_difference(1, 1, 7, 12)
    assert (row["difference"], row["difference_low"], row["difference_high"]) == pytest.approx(expected)
    assert (round(row["difference_low"], 3), round(row["difference_high"], 3)) == (-0.507, -0.026)
    assert (row["a_more"], row["b_more"], row["p"]) == (1, 7, pytest.approx(mcnemar(1, 7)))
    assert (row["p_adjusted"], row["differ"]) == (row["p"], False)


def test_runs_of_a_scenario_are_one_unit_and_a_status_is_no_outcome() -> None:
    row = one(
        graded("a", runs("11 11 1x 10 11 10 00 xx")),
        graded("b", runs("00 00 00 10 00 00 10 11")),
    )
    assert (row["scenarios"], row["n_a"], row["n_b"]) == (7, 13, 14)
    assert (row["asr_a"], row["asr_b"]) == pytest.approx((5 / 7, 1 / 7))
    assert (row["a_more"], row["b_more"]) == (5, 1)
    assert row["p"] == pytest.approx(mcnemar(5, 1))


def test_repeats_that_always_agree_tell_no_more_than_one_run_each() -> None:
    once = one(graded("a", runs("1111111000")), graded("b", runs("1000000001")))
    twice = one(
        graded("a", runs("11 11 11 11 11 11 11 00 00 00")), graded("b", runs("11 00 00 00 00 00 00 00 00 11"))
    )
    assert twice["p"] == once["p"]
    assert twice["difference_low"] < once["difference_low"]
    assert twice["difference_high"] > once["difference_high"]


def test_each_rate_has_the_bounds_of_its_clusters() -> None:
    """Against a model that never complies in scenarios of its own making, phi is 0 and one side is known."""
    words = "11 10 00 11 10 11 00 10"
    row = one(graded("a", runs(words)), graded("b", runs("00 " * 8)))
    cells = [(name, letter == "1") for name, word in runs(words).items() for letter in word]
    names, hits = (pd.Series(values) for values in zip(*cells, strict=True))
    mine, other = clustered(hits, names), clustered(hits & False, names)
    low = row["difference"] - ((mine["rate"] - mine["low"]) ** 2 + other["high"] ** 2) ** 0.5
    assert row["difference"] == mine["rate"]
    assert (row["difference_low"], row["difference_high"]) == pytest.approx((low, mine["high"]))


def test_other_graders_other_prompts_and_few_prompts_are_refused_with_the_reason() -> None:
    table = compare_models(
        pd.concat(
            [
                graded("a", runs("1" * 9)),
                graded("few", runs("0" * 5)),
                graded("elsewhere", runs("0" * 9, start=50)),
                graded("otherwise", runs("0" * 9), rubric="r@2"),
                graded("more turns", runs("0" * 9), turns="multi"),
            ]
        )
    ).set_index(["model_a", "model_b"])
    assert table["refused"]["a", "few"] == TOO_FEW
    assert table["refused"]["a", "elsewhere"] == NOTHING_SHARED
    assert table["refused"]["a", "more turns"] == NOTHING_SHARED
    reason = f"{OTHER_GRADERS}: a by g (rubric r@1) (sha256:1, r@1); "
    reason += "otherwise by g (rubric r@2) (sha256:1, r@2)"
    assert table["refused"]["a", "otherwise"] == reason
    assert len(table) == 10
    assert table[["difference", "difference_low", "difference_high", "p", "p_adjusted"]].isna().all(axis=None)
    assert not table["differ"].any()
    assert table.loc[table["grader"].isna(), "gate"].eq("").all()


def test_what_no_rate_counts_is_not_compared() -> None:
    a = graded("a", runs("1" * 9))
    for more in (
        {"method": "heuristic"},
        {"sampling": "injected"},
        {"sampling": "constructed"},
        {"repeat": 1},
    ):
        assert compare_models(pd.concat([a, graded("b", runs("0" * 9), **more)])).empty
    assert compare_models(a).empty
    assert compare_models(a.iloc[:0]).empty
    row = one(a.assign(scenario_id=None), graded("b", runs("0" * 9)))
    assert row["refused"] == NOTHING_SHARED
    with pytest.raises(FFError, match="no column 'colour'"):
        compare_models(a, by="colour")


def test_p_values_are_adjusted_within_a_class() -> None:
    words = {"a": "1" * 12, "b": "0" * 12, "c": "1" * 6 + "0" * 6}
    here = [graded(name, runs(word)) for name, word in words.items()]
    there = [graded(name, runs(words[name]), intent="persona_hijack") for name in "ab"]
    table = compare_models(pd.concat([*here, *there]))
    first = table[table["intent"] == "format_lock"]
    assert first["p_adjusted"].tolist() == pytest.approx(benjamini_hochberg(first["p"]))
    assert first["p"].tolist() == pytest.approx([2**-11, 2**-5, 2**-5])
    assert first["differ"].tolist() == [True, True, True]
    alone = table[table["intent"] == "persona_hijack"]
    assert alone["p_adjusted"].tolist() == alone["p"].tolist()


def test_the_tier_decides_what_a_success_is() -> None:
    rows = pd.concat([graded("a", runs("p" * 8)), graded("b", runs("0" * 8))])
    assert compare_models(rows)["difference"].tolist() == [0]
    assert compare_models(rows, tier="broad")["difference"].tolist() == [1]


outcomes = st.lists(st.text("01x", min_size=1, max_size=3), min_size=1, max_size=12)


@given(outcomes, outcomes, st.randoms(use_true_random=False))
@FRAMES
def test_the_interval_holds_the_difference_turns_with_the_models_and_knows_no_order(
    first: list[str], second: list[str], random: object
) -> None:
    a, b = runs(" ".join([*first, ""])), runs(" ".join([*second, ""]))
    rows = pd.concat([graded("a", a), graded("b", b)])
    row = one(rows)
    shuffled = rows.sample(frac=1, random_state=random.randrange(2**31))  # type: ignore[attr-defined]
    pd.testing.assert_frame_equal(compare_models(rows), compare_models(shuffled))
    turned = one(graded("a", b), graded("b", a))
    assert turned["refused"] == row["refused"]
    if row["refused"]:
        return
    low, difference, high = row["difference_low"], row["difference"], row["difference_high"]
    assert -1 <= low <= difference + 1e-12 <= high + 2e-12 <= 1 + 1e-11
    assert high - low > 0
    mirrored = (turned["difference_high"], turned["difference"], turned["difference_low"])
    assert mirrored == pytest.approx((-low, -difference, -high), abs=1e-12)
    assert (turned["a_more"], turned["p"]) == (row["b_more"], row["p"])


def test_the_known_truth_is_compared_like_a_grader_and_a_grader_of_itself_is_marked() -> None:
    known = {"truth_space": "strict", "source": "ff-helpers/collected"}
    a = graded("a", runs("1" * 12), **known).assign(truth="COMPLIANCE")
    b = graded("G", runs("1" * 12), **known).assign(truth="NOT_COMPLIANCE")
    table = compare_models(pd.concat([a, b]), labels=True).set_index("grader")
    assert (table["asr_a"]["labels"], table["asr_b"]["labels"]) == (0, 1)  # G before a: sorted by name
    assert (table["asr_a"]["g"], table["asr_b"]["g"]) == (1, 1)
    assert table["differ"].to_dict() == {"labels": True, "g": False}
    assert table["conflict"].to_dict() == {"labels": "", "g": OWN}
    assert table["gate"].to_dict() == {"labels": "labels", "g": "uncalibrated"}
    said = comparison_lesson(table.reset_index()).text
    assert "Of 1 comparisons by graders 0 come to the same answer as the truth" in said
    assert "one model" in comparison_lesson(compare_models(a, labels=True)).text
