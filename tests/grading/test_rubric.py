"""Rubrics: shipped ones, files of one's own, and verdicts that are too unsure to count."""

import pytest

from ff_helpers.chat import loop
from ff_helpers.errors import FFError
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.outcome import grade_command
from ff_helpers.grading.rubric import load_rubric, shipped, spec_of_rubric

WORDS = "You grade a response. Answer with one JSON object."


@pytest.fixture
def rubric(tmp_path):
    """Write a rubric file; return its path."""

    def rubric(text, name="mine.md"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return rubric


def test_the_ids_of_the_published_rubrics_never_change():
    assert load_rubric("flip-reference").id == "flip-reference@4ffe9ff26412"
    assert load_rubric("flip-blind").id == "flip-blind@d105e9f9874b"


def test_a_file_of_ones_own_says_in_its_header_how_it_is_used(rubric):
    own = load_rubric(rubric(f"---\nshows_prompt: true\nverdict_first: true\ndeveloped: true\n---\n{WORDS}"))
    assert (own.text, own.shows_prompt, own.verdict_first, own.developed) == (WORDS, True, True, True)
    assert list(own.schema["properties"]) == ["verdict", "inferred_instruction"]
    plain = load_rubric(rubric(WORDS, "plain.md"))
    assert (plain.text, plain.shows_prompt, plain.verdict_first) == (WORDS, False, False)
    assert not plain.developed


def test_every_part_of_a_rubric_changes_its_id(rubric):
    headers = [f"---\n{line}\n---\n{WORDS}" for line in ("shows_prompt: true", "developed: true")]
    specs = [rubric(text, f"{n}.md") for n, text in enumerate([WORDS, WORDS + "!", *headers])]
    specs += [specs[0] + "?unsure_below=0.6", specs[0] + "?unsure_below=0.7"]
    assert len({load_rubric(spec).id.partition("@")[2] for spec in specs}) == len(specs)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it holds no words"),
        ("---\nshows: true\n---\nwords", "field shows: .* Allowed: shows_prompt"),
        ("---\nshows_prompt: perhaps\n---\nwords", "field shows_prompt"),
        ("---\n{\n---\nwords", "no YAML"),
        ("---\n- a\n---\nwords", "field header"),
    ],
)
def test_a_bad_file_is_named_with_its_field(rubric, text, problem):
    with pytest.raises(FFError, match=problem):
        load_rubric(rubric(text))


def test_an_edited_file_is_another_rubric_at_once(rubric):
    path = rubric(WORDS)
    before = load_rubric(path).id
    rubric(WORDS + " Be strict.")
    assert load_rubric(path).id != before


def test_a_relative_file_is_looked_for_in_the_project_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_rubric("tools/rubrics/examples.md").developed


@pytest.mark.parametrize("ending", ["unsure_below=2", "unsure_below=nan", "unsure_below=", "other=1", "x"])
def test_a_threshold_is_a_probability(ending):
    with pytest.raises(FFError, match="unsure_below=P"):
        load_rubric(f"flip-reference?{ending}")


def test_a_rubric_that_is_not_there_lists_those_that_are():
    with pytest.raises(FFError, match="flip-blind"):
        load_rubric("flip-guess")
    with pytest.raises(FFError, match="cannot be read"):
        load_rubric("nowhere.md")


@pytest.mark.parametrize("spec", [*shipped(), "flip-reference?unsure_below=0.7"])
def test_an_id_gives_back_what_was_asked_for(spec):
    assert spec_of_rubric(load_rubric(spec).id) == spec


def test_the_command_that_grades_again_names_the_rubric(rubric):
    own = load_rubric(rubric(WORDS)).id
    words = grade_command("ollama:g", own, traces="t", ledger="l")
    assert words[-2:] == ["--rubric", "mine.md"]
    assert "--rubric" not in grade_command("heuristic", "refusal-phrases@1", traces="t", ledger="l")


@pytest.mark.parametrize(("least", "outcome"), [(0.7, ("REFUSAL", None)), (0.8, (None, "unsure"))])
def test_a_verdict_below_the_threshold_is_unsure(likely_server, make_trace, least, outcome):
    found = graded(likely_server("likely:1"), make_trace("No."), f"flip-reference?unsure_below={least}")
    assert (found.verdict, found.status) == outcome
    assert found.probabilities["REFUSAL"] == pytest.approx(0.75)
    assert outcome[1] is None or found.reason == "its label had a probability of 0.75, below 0.8"


def test_a_threshold_needs_a_server_that_tells_probabilities(likely_server, make_trace):
    with pytest.raises(FFError, match="does not say how probable"):
        graded(likely_server("repairs:1"), make_trace("No."), "flip-reference?unsure_below=0.7")


@pytest.fixture(scope="module")
def likely_server():
    from tests.model_server import running

    with running() as port:
        yield lambda model: f"openai:{model}@http://127.0.0.1:{port}/v1"


def graded(spec, trace, rubric):
    grader = open_grader(spec, rubric=rubric)

    async def grade():
        try:
            return await grader.grade(trace, 0)
        finally:
            await grader.close()

    return loop.run(grade())
