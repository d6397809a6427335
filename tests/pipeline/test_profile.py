"""Profiles: everything wrong with one is said before anything runs, as file:field."""

import pytest

from ff_helpers.errors import FFError
from ff_helpers.pipeline.profile import load
from tests.conftest import Project

OK = {"notebook": "a", "outputs": ["tables/a.csv"]}


@pytest.fixture
def two(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    project.notebook("a", parameters="rows = 10\nlimit = 0.5\nmodels = ['x']\nname = None")
    project.notebook("b")
    monkeypatch.setenv("FF_ROOT", str(project.folder))
    return project


def test_edges_follow_from_files(two: Project) -> None:
    profile = load(two.profile(OK, {"notebook": "b", "inputs": ["tables/*"]}))
    assert [profile.needs(step) for step in profile.steps] == [(), ("a",)]
    assert profile.parameters(profile.steps[0]) == {"profile": "demo", "as_of": "2026-01-01"}


@pytest.mark.parametrize("value", [{"rows": 3}, {"limit": 1}, {"models": []}, {"name": "x"}, {"rows": None}])
def test_parameters_that_fit(two: Project, value: dict[str, object]) -> None:
    load(two.profile({**OK, "parameters": value}))


@pytest.mark.parametrize(
    ("step", "field", "problem"),
    [
        ({**OK, "parameters": {"row": 1}}, "steps.0.parameters.row", "It has: profile, as_of, rows"),
        ({**OK, "parameters": {"rows": "many"}}, "steps.0.parameters.rows", "'many' is not of the type int"),
        ({**OK, "parameters": {"rows": True}}, "steps.0.parameters.rows", "True is not of the type int"),
        ({**OK, "output": []}, "steps.0.output", "not permitted"),
        ({**OK, "notebook": "z"}, "steps.0.notebook", "z.ipynb does not exist"),
        ({**OK, "inputs": ["tables/none.csv"]}, "steps.0.inputs", "no step writes 'tables/none.csv'"),
        ({**OK, "outputs": ["../a.csv"]}, "steps.0.outputs", "not in the run's folder"),
    ],
)
def test_a_wrong_step_is_named_with_what_is_allowed(
    two: Project, step: dict[str, object], field: str, problem: str
) -> None:
    path = two.profile(step)
    with pytest.raises(FFError) as error:
        load(path)
    assert str(error.value).startswith(f"{path}:{field}: ")
    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([OK, OK], "listed twice"),
        ([OK, {"notebook": "b", "outputs": ["tables/*"]}], "two steps write"),
        (
            [
                {"notebook": "a", "inputs": ["tables/b"], "outputs": ["tables/a"]},
                {"notebook": "b", "inputs": ["tables/a"], "outputs": ["tables/b"]},
            ],
            "wait for each other: a, b",
        ),
    ],
)
def test_steps_that_cannot_go_together(two: Project, steps: list[dict[str, object]], problem: str) -> None:
    with pytest.raises(FFError, match=problem):
        load(two.profile(*steps))


def test_no_file_no_yaml_no_profile(two: Project) -> None:
    two.profile(OK)
    with pytest.raises(FFError, match=r"no such profile. There are: .*demo"):
        load(two.folder / "params" / "other.yaml")
    broken = two.folder / "params" / "broken.yaml"
    broken.write_text("profile: [")
    with pytest.raises(FFError, match="not YAML"):
        load(broken)
    with pytest.raises(FFError, match="as_of"):
        load(two.profile(OK, as_of="yesterday"))


def test_on_the_command_line_it_is_one_sentence_and_exit_code_2(two: Project) -> None:
    two.profile({**OK, "parameters": {"row": 1}})
    done = two.run()
    assert done.returncode == 2
    assert done.stderr.startswith("ff: params/demo.yaml:steps.0.parameters.row: a has no such parameter")
    assert done.stderr.count("\n") == 1
