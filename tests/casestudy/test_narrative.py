"""The correction narrative: every number computed, everything else not determinable."""

import re
from html import unescape
from math import comb

import pytest

import ff_helpers as ff
from ff_helpers.casestudy.record import published
from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.intervals import wilson
from ff_helpers.measurement.results import LABELS
from ff_helpers.paths import PACKAGE, MissingInputError
from ff_helpers.publication.figures.theme import draw
from ff_helpers.publication.narrative.saved import TEMPLATES


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    monkeypatch.delenv("FF_STAGING", raising=False)
    return ff.start("paper", as_of="2026-11-22")


def test_numbers_and_what_is_not_determinable(run):
    text = ff.case.write_narrative(run, ff.case.crescendo()).text
    assert run.read("narrative/correction.md").read_text(encoding="utf-8") == text
    for figure in (
        "65.0% [43.3, 81.9] (13 of 20)",
        "85.0% [64.0, 94.8] (17 of 20)",
        "+30.0",
        "−5.6",
        "+35.0",
        "−15.0",
        "+30.0 [−2.5, +55.3], n = 20",  # strict, all rows, each row a pair
        "Intervals that exclude zero: 0 of 9.",
        "Of the 13 rows that are adversarial under both, broad ASR moves by 0.0 points",
    ):
        assert figure in " ".join(text.split())
    assert "10 independent scenarios" in text
    assert " ".join(text.split()).count("not determinable") >= 5
    assert "accuracy: never measured" in text


@pytest.mark.parametrize("path", [PACKAGE / "casestudy/crescendo.md", TEMPLATES / "correction.md"])
def test_no_number_is_typed_into_the_template(path):
    text = path.read_text(encoding="utf-8")
    # The two runs are called v1 and v2; nothing else may hold a digit.
    assert not re.search(r"\d", re.sub(r"\{\w+(:[\w.]+)?\}|\bv[12]\b", "", text))


def test_what_the_record_does_not_support_is_said_with_its_numbers(run):
    text = " ".join(ff.case.write_narrative(run, ff.case.crescendo()).text.split())
    chance = sum(comb(20, k) * 0.2**k * 0.8 ** (20 - k) for k in range(4))
    for said in (
        f"p = {chance:.2f}",
        "is not supported",
        "**40 traces are 10 scenarios run 2 times.** 10 times 2 is 20.",
        "compare 40 rows with 20",
        "7 of its 10 final responses were empty",
        "Run v2 alone, which report 70 prefers, gives 70.0% [39.7, 89.2] (7 of 10) strict",
        "The error was found, corrected and published by the people who had made it",
        "19 were PARTIAL (57.6%; report 102)",
        "rejected below 70.0%",
    ):
        assert said in text
    assert f"{chance:.2f}" == "0.41"


def test_every_rate_of_its_tables_is_that_of_the_regrade(run):
    text = " ".join(ff.case.write_narrative(run, ff.case.crescendo()).text.split())
    result = ff.case.crescendo()
    for _, row in result.rates.iterrows():
        assert f"({row['k']} of {row['n']})" in text
        assert ff.say("{rate:counts}", rate=wilson(row["k"], row["n"])).text in text
    for _, row in result.shifts[result.shifts["paired"].notna()].iterrows():
        said = ff.say("{a:points} [{b:points}, {c:points}], n = {n}", a=row["paired"], b=row["paired_low"],
                      c=row["paired_high"], n=int(row["shared"])).text  # fmt: skip
        assert said in text


def test_all_three_forms_carry_the_disclosure_and_the_page_needs_no_network(run):
    told = ff.disclose(run, ff.case.crescendo().rates)
    ff.case.write_narrative(run, ff.case.crescendo())
    forms = {
        suffix: run.read(f"narrative/correction.{suffix}").read_text(encoding="utf-8")
        for suffix in ("md", "tex", "html")
    }
    page = unescape(re.sub(r"<[^>]+>", "", forms["html"]))
    assert told.sentence() in " ".join(page.split())
    assert told.sentence() in forms["md"].replace("\\", "")
    assert "accuracy: never measured" in re.sub(r"\s+", " ", forms["tex"].replace("\\allowbreak{}", ""))
    assert not re.search(r"https?://|//[a-z]|<script|@import|url\(", forms["html"])


def test_a_figure_that_is_not_there_is_no_silent_gap(run):
    with pytest.raises(MissingInputError, match="crescendo_correction"):
        ff.case.write_narrative(run, ff.case.crescendo(), figures={"crescendo_correction": "Rates."})


def test_the_figure_of_the_shifts_has_a_line_per_pair_and_none_where_nothing_is_shared():
    shifts = ff.case.crescendo().shifts
    svg = draw(ff.figures.regrade_shifts(shifts), caption="c")
    assert svg.count(" rows)<") == 9
    assert ">0.0 (13 rows)<" in svg
    assert " rows)<" not in draw(ff.figures.regrade_shifts(shifts.assign(paired=float("nan"))), caption="c")


def test_same_bytes_twice(run):
    first = ff.case.write_narrative(run, ff.case.crescendo()).text
    assert ff.case.write_narrative(run, ff.case.crescendo()).text == first


def test_published_graders_say_what_nobody_measured():
    qwen, manual = ff.case.published_graders("qwen3:1.7b", "manual regrade")
    assert (qwen.gate, qwen.accuracy.k, qwen.accuracy.n) == ("rejected", 3, 20)
    assert manual.gate == "uncalibrated"
    assert "graders unnamed" in manual.identity()
    assert "agreement not published" in manual.measured()
    (gemma,) = ff.case.published_graders("gemma3:27b")
    assert "18 of 20 relaxed" in gemma.measured()


def test_the_name_of_the_known_labels_is_no_grader():
    assert LABELS not in {note.grader for note in ff.case.published_graders("qwen3:1.7b")}


def test_facts_are_checked_line_by_line(tmp_path, monkeypatch):
    facts = tmp_path / "data" / "published"
    facts.mkdir(parents=True)
    monkeypatch.setenv("FF_ROOT", str(tmp_path))
    path = facts / "other_counts.csv"
    head = "id,what,k,n,source\n"
    for line, problem in (
        ("a,b,3,2,r\n", ":2:k: 3 is more than n = 2"),
        ("a,b,x,2,r\n", ":2:k: 'x' is not a count"),
        ("a,b,1,2,\n", ":2:source: empty"),
        ("a,b,1\n", ":2:n: the line has too few fields"),
        ("a,b,1,2,r\na,b,1,2,r\n", ":3:id: the same id as line 2"),
    ):
        path.write_text(head + line, encoding="utf-8")
        with pytest.raises(FFError, match=re.escape(f"{path}{problem}")):
            published("other_counts")
    path.write_text("id,k\n", encoding="utf-8")
    with pytest.raises(FFError, match=":1:header: the columns must be id, what, k, n, source"):
        published("other_counts")
    with pytest.raises(FFError, match="no published facts 'nothing'"):
        published("nothing")
