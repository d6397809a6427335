"""The tables of the published facts: what was printed, its interval, and the state that follows from it."""

from ff_helpers.casestudy.graders import published_agreement, published_calibration


def test_published_pairs_carry_the_flag_of_the_published_rule() -> None:
    table = published_agreement()
    pair = table[(table["grader_a"] == "gemini") & (table["grader_b"] == "claude-haiku-4.5")].iloc[0]
    assert (pair["n"], pair["kappa"], bool(pair["flagged"])) == (100, 0.320, True)
    unknown = table["agreement"].isna()
    assert unknown.any()
    assert table["flagged"].isna().equals(unknown)
    assert set(table.loc[unknown, "reason"]) == {"agreement not published"}


def test_published_accuracies_have_their_published_intervals_and_states() -> None:
    frame = published_calibration().set_index(["grader", "set"])
    qwen = frame.loc["qwen3:1.7b"].iloc[0]
    assert (qwen["k"], qwen["n"], qwen["gate"]) == (3, 20, "rejected")
    nemotron = frame.loc[("nemotron-3-nano:30b", "obvious-20")]
    assert (round(100 * nemotron["accuracy_low"], 1), round(100 * nemotron["accuracy_high"], 1)) == (
        58.4,
        91.9,
    )
    assert "calibrated" not in set(frame["gate"])
    relaxed = frame["accuracy_kind"].str.startswith("relaxed")
    assert frame.loc[relaxed, "p_chance"].isna().all()
    assert frame.loc[~relaxed, "p_chance"].between(0, 1).all()
