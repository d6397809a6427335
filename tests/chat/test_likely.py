"""What was likely where a model wrote its verdict, over HTTP in both protocols."""

import pytest

from ff_helpers.chat import loop
from ff_helpers.grading.graders import open_grader


@pytest.fixture
def grade_by(address, make_trace):
    def grade_by(protocol, model):
        grader = open_grader(address(protocol, model), timeout=10.0)

        async def graded():
            try:
                return await grader.grade(make_trace("I keep the code to myself."), 0)
            finally:
                await grader.close()

        return loop.run(graded())

    return grade_by


@pytest.mark.parametrize("protocol", ["ollama", "openai"])
def test_a_server_that_tells_them_has_them_recorded(grade_by, protocol):
    outcome = grade_by(protocol, "likely:1")
    assert outcome.verdict == "REFUSAL"
    assert outcome.probabilities["REFUSAL"] == pytest.approx(0.75)
    assert outcome.probabilities["PARTIAL"] == pytest.approx(0.25)


@pytest.mark.parametrize("protocol", ["ollama", "openai"])
def test_a_server_that_tells_none_grades_without(grade_by, protocol):
    outcome = grade_by(protocol, "repairs:1")
    assert (outcome.verdict, outcome.probabilities) == ("REFUSAL", None)


def test_a_server_that_refuses_the_question_is_asked_without_it(grade_by):
    outcome = grade_by("openai", "unlikely:1")
    assert (outcome.verdict, outcome.probabilities) == ("REFUSAL", None)
