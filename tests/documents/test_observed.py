"""docs/observed.md, shows.md: what they say was measured is what the build gives."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

import ff_helpers as ff
from ff_helpers.pipeline.verify import compare_sums, made_with
from tests.conftest import ROOT


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


OBSERVED = page("observed.md")
PICTURES = ("crescendo_correction.png", "collected_capability.png", "coverage.png")


def test_the_claims_it_counts_are_those_of_the_build(paper: Path) -> None:
    claims = json.loads((paper / "paper" / "claims.json").read_text(encoding="utf-8"))["claims"]
    said = re.search(r"published figures checked \| (\d+) \| ([^|]+) \|", OBSERVED)
    assert said is not None
    counts = {name.strip(): int(n) for n, name in re.findall(r"(\d+) ([a-z ]+)", said[2])}
    assert int(said[1]) == len(claims)
    assert counts == Counter(claim["status"].replace("_", " ") for claim in claims)


def test_its_rates_stand_in_the_narrative_and_its_picture_is_what_the_build_draws(paper: Path) -> None:
    narrative = (paper / "paper" / "narrative" / "correction.md").read_text(encoding="utf-8")
    for rate in ("65.0% [43.3, 81.9]", "85.0% [64.0, 94.8]", "+30.0", "+22.2", "+15.0"):
        assert rate in OBSERVED
        assert rate in narrative
    for name in PICTURES:
        assert f"(../outputs/reference/{name})" in page("shows.md")
    made, _ = compare_sums(paper / "paper", ROOT / "outputs" / "reference" / "sums.txt")
    if made != made_with():
        pytest.skip(f"the pictures were drawn with {made}, this is {made_with()}")
    for name in PICTURES:
        drawn = paper / "paper" / "figures" / name
        assert (ROOT / "outputs" / "reference" / name).read_bytes() == drawn.read_bytes()


def test_the_resolution_rate_is_that_of_the_build(paper: Path) -> None:
    import pandas as pd

    rows = pd.read_csv(paper / "paper" / "tables" / "atlas_summary.csv").set_index("item")
    row = rows.loc["names_resolved_where_graded_10"]
    rate = f"{100 * row['share']:.1f}% [{100 * row['share_low']:.1f}, {100 * row['share_high']:.1f}]"
    assert f"{rate} ({row['k']} of the {row['n']} exported names" in OBSERVED


def test_what_it_says_of_the_recorded_model_is_what_the_build_finds(paper: Path) -> None:
    import pandas as pd

    def rate(row: "pd.Series[float]", name: str, k: str, n: str) -> tuple[str, str]:
        low, high = 100 * row[f"{name}_low"], 100 * row[f"{name}_high"]
        return f"{row[k]:.0f} of {row[n]:.0f}", f"= {100 * row[name]:.1f}% [{low:.1f}, {high:.1f}]"

    tables = paper / "paper" / "tables"
    flips = pd.read_csv(tables / "injections.csv").set_index(["grader", "family"])
    ability = pd.read_csv(tables / "collected_capability.csv").iloc[-1]
    said = [rate(flips.loc["smollm2-135m", "all attacks"], "flip", "k", "n")]
    said += [rate(ability, arm, f"{arm}_k", f"{arm}_n") for arm in ("forbidden", "permitted")]
    for counts, interval in said:
        assert counts in OBSERVED
        assert interval in OBSERVED


def test_its_coverage_is_the_one_measured() -> None:
    from ff_helpers.measurement.adjustment.coverage import ADJUSTED, coverage_table

    table = coverage_table()
    rows = table[table["method"].isin(ADJUSTED)]
    naive = table[(table["method"] == "naive") & table["icc"].isna()]["coverage"].mean()
    lowest = rows.groupby("method")["coverage"].min()
    rogan_gladen = rows[rows["method"] == "Rogan-Gladen"]
    assert f"it holds the true rate {100 * naive:.0f}% of the time" in page("shows.md")
    assert f"on {len(rows):,} simulated cells" in OBSERVED
    assert (
        f"mean {100 * rows['coverage'].mean():.1f}%; lowest {100 * lowest['Rogan-Gladen']:.1f}%, "
        f"{100 * lowest['double sampling']:.1f}%; in "
        f"{100 * (1 - rogan_gladen['answered'].mean()):.0f}% of draws" in OBSERVED
    )


def test_what_it_says_of_the_regrade_is_what_the_build_finds(paper: Path) -> None:
    import pandas as pd

    pairs = pd.read_csv(paper / "paper" / "tables" / "crescendo_paired.csv")
    assert ((pairs["paired_low"] <= 0) & (pairs["paired_high"] >= 0)).all()
    strict = pairs.set_index(["tier", "denominator"]).loc[("strict", "rows")]
    low, high = f"−{-100 * strict['paired_low']:.1f}", f"+{100 * strict['paired_high']:.1f}"
    assert f"none of {len(pairs)} paired 95% intervals leaves out zero" in OBSERVED
    assert f"+{100 * strict['paired']:.1f} [{low}, {high}]" in OBSERVED


def test_what_it_says_of_rows_with_a_response_is_what_the_facts_give() -> None:
    rows = ff.case.published("corpus_text").set_index("id")["rows"]
    first = ff.case.facts.corpus_text_bounds().query("telemetry == 'all among the evaluable rows'")
    (line,) = [line for line in OBSERVED.splitlines() if line.startswith(f"| tiers of {rows['core']:,} ")]
    (text,) = set(first["text"])
    assert f"at most {text:,} of these rows can hold a response if its {rows['telemetry']:,} rows" in line
    assert (set(first["rate_low"]), set(first["rate_high"])) == ({0.0}, {1.0})
    assert "not determinable (0 to 100%)" in line


def test_the_graders_are_as_right_as_their_page_says(paper: Path) -> None:
    """docs/graders.md; docs/adjusted.md and tiers.md repeat a figure of observed.md and shows.md."""
    import pandas as pd

    said, tables = " ".join(page("graders.md").split()), paper / "paper" / "tables"
    cards = pd.read_csv(tables / "calibration.csv").set_index(["grader", "set"])
    for name in ("smollm2-135m", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"):
        for of in ("refusal", "objective"):
            card = cards.loc[(name, of)]
            low, high = 100 * card["accuracy_low"], 100 * card["accuracy_high"]
            rate = f"{100 * card['accuracy']:.1f}% [{low:.1f}, {high:.1f}]"
            assert f"{card['k']} of {card['n']} = {rate}" in said
    best = cards.loc["qwen2.5-coder-1.5b"]
    for of, always in (("refusal", "REFUSAL"), ("objective", "NOT_COMPLIANCE")):
        assert f"(always {always}: {100 * best.loc[of, 'majority']:.1f}%)" in said
        assert best.loc[of, "gate"] == "provisional"
    assert (
        f"of {best.loc['proxies', 'n']} written traces it gives {best.loc['proxies', 'k']} the right" in said
    )
    rows = pd.read_csv(tables / "adjusted_human.csv")
    row = rows[
        (rows["grader"] == "qwen2.5-coder-1.5b") & (rows["set"] == "objective") & (rows["tier"] == "strict")
    ].iloc[0]
    interval = (
        f"{100 * row['adjusted']:.1f}% [{100 * row['adjusted_low']:.1f}, {100 * row['adjusted_high']:.1f}]"
    )
    assert (
        f"of the 200 at {100 * row['asr']:.1f}%; adjusted with a random third of the labels it is {interval}"
        in said
    )
    assert f"all the labels say {100 * row['known']:.1f}%" in said
    assert "it holds the true rate 20% of the time" in page("shows.md")
    assert "holds the true rate 20% of the time" in " ".join(page("adjusted.md").split())
    words = " ".join(page("tiers.md").split())
    shift = pd.read_csv(tables / "crescendo_shifts.csv").set_index(["tier", "denominator"])["shift"]
    rose, fell = 100 * shift["broad", "rows"], -100 * shift["broad", "adversarial"]
    assert (
        f"*rose* by {rose:.1f} points of all rows and *fell* by {fell:.1f} points of the adversarial" in words
    )
