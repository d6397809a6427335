"""The correction narrative: every number computed, everything else not determinable."""

import re

import pytest

import ff_helpers as ff
from ff_helpers.corpus.published import BadFactError, UnknownFactsError, published
from ff_helpers.measurement.rates.known import LABELS
from ff_helpers.publication.figures.theme import draw
from ff_helpers.publication.narrative import _TEXT
from tests.written import note


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    monkeypatch.delenv("FF_STAGING", raising=False)
    return ff.start("paper", as_of="2026-11-22")


def test_numbers_and_what_is_not_determinable(run):
    text = ff.write_narrative(run, ff.crescendo(), note(run)).text
    assert run.read("narrative/correction.md").read_text(encoding="utf-8") == text
    for figure in (
        "65.0% [43.3, 81.9] (13 of 20)",
        "85.0% [64.0, 94.8] (17 of 20)",
        "+30.0",
        "−5.6",
        "+35.0",
        "−15.0",
        "+30.0 [−2.5, +55.3], n = 20",  # strict, all rows, each row a pair
        "Intervals that leave out zero: 0 of 9.",
        "Of the 13 rows that are adversarial under both, broad ASR moves by 0.0 points",
    ):
        assert figure in " ".join(text.split())
    assert "10 independent scenarios" in text
    assert " ".join(text.split()).count("not determinable") >= 5
    assert "accuracy: never measured" in text


def test_no_number_is_typed_into_the_template():
    without_names = re.sub(r"\{\w+(:\w+)?\}|qwen3:1\.7b|v1|v2|report 70|Report 70", "", _TEXT)
    assert not re.search(r"\d", without_names)


def test_the_figure_of_the_shifts_has_a_line_a_pair_and_none_where_nothing_is_shared():
    shifts = ff.crescendo().shifts
    svg = draw(ff.figures.regrade_shifts(shifts), caption="c")
    assert svg.count(" rows)<") == 9
    assert ">0.0 (13 rows)<" in svg
    assert " rows)<" not in draw(ff.figures.regrade_shifts(shifts.assign(paired=float("nan"))), caption="c")


def test_same_bytes_twice(run):
    first = ff.write_narrative(run, ff.crescendo(), note(run)).text
    assert ff.write_narrative(run, ff.crescendo(), note(run)).text == first


def test_published_graders_say_what_nobody_measured():
    qwen, manual = ff.published_graders("qwen3:1.7b", "manual regrade")
    assert (qwen.gate, qwen.accuracy.k, qwen.accuracy.n) == ("rejected", 3, 20)
    assert manual.gate == "uncalibrated"
    assert "graders unnamed" in manual.identity()
    assert "agreement not published" in manual.measured()
    (gemma,) = ff.published_graders("gemma3:27b")
    assert "18 of 20 relaxed" in gemma.measured()


def test_the_name_of_the_known_labels_is_no_grader():
    assert LABELS not in {note.grader for note in ff.published_graders("qwen3:1.7b")}


def test_facts_are_checked_line_by_line(tmp_path, monkeypatch):
    facts = tmp_path / "data" / "published"
    facts.mkdir(parents=True)
    monkeypatch.setenv("FF_ROOT", str(tmp_path))
    path = facts / "other_counts.csv"
    head = "id,what,k,n,source\n"
    for line, problem in (
        ("a,b,3,2,r\n", ":2:k: 3 is more than n = 2"),
        ("a,b,x,2,r\n", ":2:k: 'x' is no count"),
        ("a,b,1,2,\n", ":2:source: empty"),
        ("a,b,1\n", ":2:n: the line has too few fields"),
        ("a,b,1,2,r\na,b,1,2,r\n", ":3:id: the same id as line 2"),
    ):
        path.write_text(head + line, encoding="utf-8")
        with pytest.raises(BadFactError) as error:
            published("other_counts")
        assert f"{path}{problem}" in str(error.value)
    path.write_text("id,k\n", encoding="utf-8")
    with pytest.raises(BadFactError, match=":1:header: the columns must be id, what, k, n, source"):
        published("other_counts")
    with pytest.raises(UnknownFactsError, match="no published facts 'nothing'"):
        published("nothing")
