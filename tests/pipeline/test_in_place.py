"""`ff notebooks`: executed in place with their own parameters, all or none."""

import json

import pytest

from tests.conftest import Project


@pytest.fixture
def two(project: Project) -> Project:
    project.notebook("a", 'run.write("tables/a.csv").write_text(str(x))', parameters="x = 1")
    project.notebook("b", 'run.read("tables/a.csv").read_text()')
    project.profile(
        {"notebook": "a", "outputs": ["tables/a.csv"], "parameters": {"x": 5}},
        {"notebook": "b", "inputs": ["tables/a.csv"]},
    )
    return project


def outputs(project: Project, name: str) -> list[object]:
    cells = json.loads((project.folder / "notebooks" / f"{name}.ipynb").read_text())["cells"]
    return [cell["outputs"] for cell in cells]


def test_notebooks_hold_the_outputs_of_their_own_parameters_and_nothing_else_is_touched(two: Project) -> None:
    done = two.ff("notebooks", "--profile", "params/demo.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert outputs(two, "b")[-1][0]["data"]["text/plain"] == ["'1'"]
    assert len(outputs(two, "a")) == 3  # no injected cell
    assert not (two.folder / "outputs").exists()
    before = (two.folder / "notebooks" / "b.ipynb").read_bytes()
    two.ff("notebooks", "--profile", "params/demo.yaml")
    assert (two.folder / "notebooks" / "b.ipynb").read_bytes() == before


def test_if_one_fails_none_is_changed_and_its_error_is_told(two: Project) -> None:
    two.notebook("b", "1 / 0")
    before = (two.folder / "notebooks" / "a.ipynb").read_bytes()
    failed = two.ff("notebooks", "--profile", "params/demo.yaml")
    assert failed.returncode == 1
    assert "ZeroDivisionError" in failed.stdout
    assert (two.folder / "notebooks" / "a.ipynb").read_bytes() == before
