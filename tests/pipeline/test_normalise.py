"""Executed notebooks are the same bytes every time."""

import copy

import nbformat
import pytest

from ff_helpers.pipeline.execute import normalise


@pytest.fixture
def executed() -> nbformat.NotebookNode:
    """A notebook as a kernel and papermill leave it: counters, times, ids of widgets, cut streams."""
    stream = {"output_type": "stream", "name": "stdout"}
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "5f3a"}, "text/plain": "x"}
    cells = [
        nbformat.v4.new_markdown_cell("# Title", metadata={"papermill": {"duration": 0.1}}),
        nbformat.v4.new_code_cell("x = 1", execution_count=7, metadata={"tags": ["injected-parameters"]}),
        nbformat.v4.new_code_cell(
            "x",
            execution_count=9,
            metadata={"execution": {"iopub.status.busy": "2026-01-01"}, "collapsed": True},
            outputs=[
                nbformat.from_dict({**stream, "text": "a"}),
                nbformat.from_dict({**stream, "text": "b\n"}),
                nbformat.v4.new_output("display_data", data=widget),
                nbformat.v4.new_output("display_data", data={"image/png": "iVBO", "text/plain": "p"}),
                nbformat.v4.new_output("execute_result", data={"text/plain": "1"}, execution_count=9),
            ],
        ),
        nbformat.v4.new_code_cell("never ran"),
    ]
    return nbformat.v4.new_notebook(
        cells=cells,
        metadata={
            "papermill": {"start_time": "now"},
            "widgets": {},
            "language_info": {"name": "python", "version": "3.11.7"},
        },
    )


def test_what_changes_from_run_to_run_is_gone_and_the_rest_stays(executed: nbformat.NotebookNode) -> None:
    clean = normalise(executed)
    nbformat.validate(clean)
    text = nbformat.writes(clean)
    for gone in ("papermill", "iopub", "3.11.7", "5f3a", "collapsed"):
        assert gone not in text
    assert [cell.get("execution_count") for cell in clean.cells] == [None, 1, 2, None]
    assert [o.output_type for o in clean.cells[2].outputs] == ["stream", "display_data", "execute_result"]
    assert clean.cells[2].outputs[0].text == "ab\n"
    assert clean.cells[2].outputs[1].data["image/png"] == "iVBO"
    assert clean.cells[1].id == "injected-parameters"


def test_twice_changes_nothing(executed: nbformat.NotebookNode) -> None:
    once = normalise(executed)
    assert normalise(copy.deepcopy(once)) == once
