"""Run one notebook in a fresh kernel through papermill: with `engine`, the only module that uses it.

The runner starts one process per step, which starts the kernel as another one, both through `warm`.
"""

import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, JsonValue

from ff_helpers.errors import FFError
from ff_helpers.paths import PACKAGE

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from ff_helpers.pipeline.warm import Pipe


WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
ERROR_TAG = "papermill-error-cell-tag"
PAPERMILL_IDS = {"injected-parameters": "injected-parameters", ERROR_TAG: "error"}


class Job(BaseModel):
    """What to run: `parameters` None runs the notebook as it is, without an injected cell."""

    notebook: Path
    output: Path
    parameters: dict[str, JsonValue] | None
    timeout_s: int
    cwd: Path


class Failure(BaseModel):
    """Why a notebook did not finish; `ours` if the text is a sentence written for the user."""

    name: str
    text: str
    cell: int | None = None
    ours: bool = False


class Seconds(BaseModel):
    """Where the time of a step went, in seconds, after its process was there.

    Attributes:
        imports: of what runs notebooks.
        kernel: until the kernel was up, and until it had ended.
        figures, cells: in cells that draw a figure, and in all others (imports of ours included).
        writing: the executed notebook, normalised.
    """

    imports: float
    kernel: float
    figures: float
    cells: float
    writing: float


class Answer(BaseModel):
    """What the runner is told when a notebook has ended."""

    failure: Failure | None
    seconds: Seconds


def run(job: Job) -> Answer:
    """Execute the notebook, write it normalised to `job.output`, and return the failure, if any.

    The output is written in either case; a failed notebook has its error on top.
    """
    begun = time.monotonic()
    import nbformat
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError

    from ff_helpers.pipeline import engine

    failure, imported = None, time.monotonic()
    try:
        execute_notebook(
            job.notebook,
            job.output,
            job.parameters,
            engine_name=engine.NAME,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            cwd=job.cwd,
            execution_timeout=job.timeout_s,
            kernel_manager_class="ff_helpers.pipeline.kernels.PrivateKernelManager",
            shutdown_kernel="immediate",
            record_timing=False,
        )
    except PapermillExecutionError as error:
        text = str(error.evalue).strip()
        failure = Failure(name=error.ename, text=text, cell=error.exec_count, ours=_is_ours(error.ename))
    except Exception as error:  # a kernel that died or timed out: say so in the notebook too
        failure = Failure(name=type(error).__name__, text=str(error).strip().split("\n")[0])
    executed = time.monotonic()
    source = job.output if job.output.exists() else job.notebook
    notebook = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]
    if failure is None:
        failure = _silent_exit(notebook)
    if failure is not None and ERROR_TAG not in notebook.cells[0].metadata.get("tags", []):
        note = f"**This notebook did not finish.** {failure.name}: {failure.text}"
        marker = {"tags": [ERROR_TAG]}
        cell = nbformat.v4.new_markdown_cell(note, metadata=marker)  # type: ignore[no-untyped-call]
        notebook.cells.insert(0, cell)
    figures, cells = _in_cells(notebook)
    nbformat.write(normalise(notebook), job.output)  # type: ignore[no-untyped-call]
    seconds = Seconds(
        imports=imported - begun,
        kernel=executed - imported - figures - cells,
        figures=figures,
        cells=cells,
        writing=time.monotonic() - executed,
    )
    return Answer(failure=failure, seconds=seconds)


def _in_cells(notebook: "NotebookNode") -> tuple[float, float]:
    """Return the seconds in cells that draw figures, and in all others, as papermill noted them."""
    figures = others = 0.0
    for cell in notebook.cells:
        took = cell.metadata.get("papermill", {}).get("duration") or 0.0
        if "figure" in cell.source or "save_confusions" in cell.source:
            figures += took
        else:
            others += took
    return figures, others


def _silent_exit(notebook: "NotebookNode") -> Failure | None:
    """Papermill treats `SystemExit(0)` as success; but the cells below it never ran, so it is a failure."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                text = f"{output.evalue}: the notebook ended itself, the cells below never ran".lstrip(": ")
                return Failure(name=output.ename, text=text, cell=cell.execution_count)
    return None


def _is_ours(name: str) -> bool:
    """Return whether an error class of that name is the suite's own, written for the user."""
    from importlib import import_module

    # Only the modules that define such a class are imported: all of them would take longer than most steps.
    for path in PACKAGE.rglob("*.py"):
        if f"\nclass {name}(" in path.read_text(encoding="utf-8"):
            place = path.relative_to(PACKAGE.parent).with_suffix("")
            if issubclass(getattr(import_module(".".join(place.parts)), name), FFError):
                return True
    return False


def normalise(notebook: "NotebookNode") -> "NotebookNode":
    """Return the same notebook without what changes from run to run; applying it twice changes nothing.

    Kept: sources, outputs (PNG, HTML, text), tags. Dropped: execution times, papermill's and the kernel's
    metadata, widget state (its ids are random), the Python version. Counters are renumbered.
    """
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
    about = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    whole = {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    result: NotebookNode = from_dict(whole)  # type: ignore[no-untyped-call]
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


def work(pipe: "Pipe", job: Job, lock: "Pipe") -> None:
    """Run the job and send its answer, as JSON.

    Args:
        pipe: to the runner; when it closes the other end, for any reason, the kernel and this process end
            too, so an old step cannot write to a ledger during the next run.
        job: what to run.
        lock: the runner's lock, held until this process has ended.
    """
    from ff_helpers.pipeline import kernels
    from ff_helpers.pipeline.warm import when_closed

    kernel = kernels.prepare(pipe, lock)
    # Short, private and temporary: kernels' sockets go here, and the user's configuration is not read.
    with tempfile.TemporaryDirectory(prefix="ff", dir="/tmp" if Path("/tmp").is_dir() else None) as folder:
        os.environ |= {"JUPYTER_RUNTIME_DIR": folder, "IPYTHONDIR": folder, "JUPYTER_CONFIG_DIR": folder}
        when_closed(pipe, lambda: _end(kernel, folder))
        answer = run(job)
    kernels.release()
    pipe.send(answer.model_dump_json())


def _end(kernel: int, folder: str) -> None:
    with suppress(ProcessLookupError):
        os.killpg(kernel, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)
