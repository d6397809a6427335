"""How papermill executes a notebook of ours: with its own engine, which here saves once, at the end.

By default it checks and saves the whole notebook before and after each cell, which costs more than most
cells. It saves at the end however that comes: after an error, a timeout, a kernel that died.
"""

from typing import Final

from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

NAME: Final = "ff"


class SavesOnce(NBClientEngine):  # type: ignore[misc]  # it has no types
    """The default engine without its saves between cells."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: NotebookExecutionManager, kernel_name: str, **keywords: object
    ) -> None:
        """Execute the cells; the caller saves the notebook afterwards, in any case."""
        path, nb_man.output_path = nb_man.output_path, None
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **keywords)
        finally:
            nb_man.output_path = path


papermill_engines.register(NAME, SavesOnce)
