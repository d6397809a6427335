"""nbval on a notebook that was executed already: what it asks of a kernel is answered from the executed one."""

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbval.plugin import IPyNbFile

INJECTED = "injected-parameters"
"""The cell that papermill adds; the defaults of the committed notebook are the same values (tested)."""


class Replay:
    """In place of nbval's kernel: runs nothing, gives each cell the outputs that it had."""

    def __init__(self, executed: Path) -> None:
        cells = nbformat.read(executed, as_version=4).cells
        self._cells = [
            c for c in cells if c.cell_type == "code" and INJECTED not in c.metadata.get("tags", [])
        ]
        self._messages: Iterator[dict[str, object]] = iter(())

    def is_alive(self) -> bool:
        return True

    def execute_cell_input(self, source: str, allow_stdin: bool) -> str:
        assert self._cells, f"the executed notebook has no cell for:\n{source}"
        cell = self._cells.pop(0)
        assert cell.source == source, f"another cell was executed:\n{cell.source}\nand not\n{source}"
        parent = {"msg_id": str(cell.execution_count)}
        said = [(output.output_type, output) for output in cell.outputs]
        ended = ("status", {"execution_state": "idle"})
        self._messages = iter(
            {"msg_type": kind, "content": content, "parent_header": parent}
            for kind, content in [*said, ended]
        )
        return parent["msg_id"]

    def await_reply(self, message: str, timeout: float) -> None:
        """The answer is there."""

    def get_message(self, stream: str, timeout: float) -> dict[str, object]:
        return next(self._messages)

    def ended(self) -> None:
        assert not self._cells, f"the committed notebook has no cell for:\n{self._cells[0].source}"


def committed(notebook: Path, executed: Path, session: pytest.Session) -> None:
    """Compare the outputs committed in a notebook with those of its execution, as `pytest --nbval` does.

    Raises:
        NbCellError: the outputs of a cell differ.
        AssertionError: the cells differ.
    """
    file = IPyNbFile.from_parent(session, path=notebook)
    file.kernel = Replay(executed)
    for cell in file.collect():
        cell.runtest()
    file.kernel.ended()
