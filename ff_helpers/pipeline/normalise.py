"""Make an executed notebook byte-identical every time: no clock, no machine, no random ids.

Kept: sources, outputs (PNG, HTML, text), tags. Dropped: execution times, papermill's and the
kernel's metadata, widget state (its ids are random), the Python version. Counters are renumbered.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
PAPERMILL_IDS = {
    "injected-parameters": "injected-parameters",
    "papermill-error-cell-tag": "error",
}


def normalise(notebook: "NotebookNode") -> "NotebookNode":
    """Return the same notebook without what changes from run to run; applying it twice changes nothing."""
    from nbformat import NotebookNode, from_dict

    cells, count, used = [], 0, set()
    for number, cell in enumerate(notebook.cells, start=1):
        tags = list(cell.metadata.get("tags", []))
        name = next((PAPERMILL_IDS[t] for t in tags if t in PAPERMILL_IDS), cell.get("id", f"c{number:02}"))
        name = name if name not in used else f"{name}-{number}"
        used.add(name)
        clean = {
            "cell_type": cell.cell_type,
            "id": name,
            "metadata": {"tags": tags} if tags else {},
            "source": cell.source,
        }
        if cell.cell_type == "code":
            ran = cell.get("execution_count") is not None
            count += ran
            clean["execution_count"] = count if ran else None
            clean["outputs"] = _outputs(cell.outputs, count)
        cells.append(clean)
    result: NotebookNode = from_dict(  # type: ignore[no-untyped-call]
        {
            "cells": cells,
            "metadata": {
                "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                "language_info": {"name": "python"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )
    return result


def _outputs(outputs: "list[NotebookNode]", count: int) -> "list[NotebookNode]":
    kept: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            # Timing decides how a kernel splits a stream into messages.
            if kept and kept[-1].output_type == "stream" and kept[-1].name == output.name:
                kept[-1].text += output.text
                continue
        elif output.output_type in ("display_data", "execute_result"):
            if WIDGET_VIEW in output.data:
                continue
            output.metadata = {}
            if output.output_type == "execute_result":
                output.execution_count = count
        kept.append(output)
    return kept
