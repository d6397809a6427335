"""The committed notebooks: their form, and that a fresh kernel gives the outputs they were committed with.

Each notebook is checked by nbval (strict) against the one that the build of `paper` executed. That a step
reads nothing but what it declares, its kernel sees to (tests/pipeline/test_reads.py).
"""

import ast
import json
from pathlib import Path

import pytest
from nbval.plugin import NbCellError

from ff_helpers.pipeline.execute import normalise
from ff_helpers.pipeline.profile import declared, load
from tests.conftest import ROOT
from tests.notebooks.replay import committed

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAPER = load(ROOT / "params" / "paper.yaml")
STEPS = {step.notebook: step for step in PAPER.steps}
DISPLAY = {"ff_helpers", "altair", "pandas", "IPython"}

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list[dict[str, object]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def source(cell: dict[str, object]) -> str:
    return "".join(cell["source"])


def test_every_notebook_is_a_step_of_the_paper() -> None:
    assert {path.stem for path in NOTEBOOKS} == set(STEPS)


@each
def test_opens_with_its_title_question_inputs_and_outputs(path: Path) -> None:
    first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
    assert first["cell_type"] == "markdown"
    text = source(first)
    assert text.startswith("# ")
    assert all(word in text for word in ("**Question.**", "**In:**", "**Out:**"))


@each
def test_its_parameters_are_commented_literals_and_the_papers_own(path: Path) -> None:
    known = declared(path)  # raises if the cell holds anything but literals
    assert list(known)[:2] == ["profile", "as_of"]
    cell = next(cell for cell in code_cells(path) if "parameters" in cell["metadata"].get("tags", []))
    assert all("#" in line for line in source(cell).splitlines() if line.strip())
    assert {name: known[name] for name in PAPER.parameters(STEPS[path.stem])} == PAPER.parameters(
        STEPS[path.stem]
    )


@each
def test_states_calls_and_shows_but_computes_nothing_of_its_own(path: Path) -> None:
    banned = (
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.ClassDef,
        ast.For,
        ast.While,
        ast.With,
        ast.Try,
        ast.Lambda,
    )
    for cell in code_cells(path):
        text = source(cell)
        assert len(text.splitlines()) <= 10, f"more than ten lines:\n{text}"
        assert not text.lstrip().startswith(("%", "!")), f"magic:\n{text}"
        for node in ast.walk(ast.parse(text)):
            assert not isinstance(node, banned), f"{type(node).__name__}:\n{text}"
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert {name.split(".")[0] for name in names} <= DISPLAY, f"import of {names}"


@each
def test_names_no_path(path: Path) -> None:
    for cell in code_cells(path):
        if "parameters" in cell["metadata"].get("tags", []):
            continue
        for node in ast.walk(ast.parse(source(cell))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert called not in ("open", "Path") and not called.startswith("os."), source(cell)


@each
def test_reads_as_prose_with_code_between(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    lengths = sorted(len(source(cell).splitlines()) for cell in cells if cell["cell_type"] == "code")
    assert lengths[len(lengths) // 2] <= 5
    assert sum(cell["cell_type"] == "markdown" for cell in cells) >= len(lengths) / 3


@each
def test_committed_as_executed_and_normalised(path: Path) -> None:
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    assert [c.execution_count for c in notebook.cells if c.cell_type == "code"] == list(
        range(1, len(code_cells(path)) + 1)
    ), "run `make notebooks`"
    assert nbformat.writes(normalise(notebook)) == nbformat.writes(nbformat.read(path, as_version=4))


@each
def test_the_built_paper_gives_the_committed_outputs(
    path: Path, paper: Path, request: pytest.FixtureRequest
) -> None:
    committed(path, paper / PAPER.profile / "notebooks" / path.name, request.session)


@pytest.mark.parametrize(
    "change", ["text", "figure", "number of outputs", "kind of output", "source", "cells"]
)
def test_a_changed_cell_is_found(
    change: str, paper: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = NOTEBOOKS[0]
    content = json.loads(path.read_text(encoding="utf-8"))
    cell = next(
        c for c in content["cells"] if any("text/html" in o.get("data", {}) for o in c.get("outputs", []))
    )
    shown = next(o for o in cell["outputs"] if "text/html" in o.get("data", {}))
    if change == "text":
        html = "".join(shown["data"]["text/html"])
        shown["data"]["text/html"] = html[:-10] + "x" + html[-10:]
    elif change == "figure":
        outputs = [o for c in content["cells"] for o in c.get("outputs", [])]
        drawn = next(o for o in outputs if "image/png" in o.get("data", {}))["data"]
        name, digest = "".join(drawn["text/plain"]).rsplit(" ", 1)
        drawn["text/plain"] = f"{name} {digest[::-1]}"
    elif change == "number of outputs":
        cell["outputs"].append(shown)
    elif change == "kind of output":
        shown["data"]["text/plain"] = "a table"
    elif change == "source":
        cell["source"] = [*cell["source"], "  # a word"]
    else:
        content["cells"] = [c for c in content["cells"] if c is not cell]
    changed = tmp_path / path.name
    changed.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises((NbCellError, AssertionError)):
        committed(changed, paper / PAPER.profile / "notebooks" / path.name, request.session)
