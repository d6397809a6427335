"""Write the committed notebooks: executed as they are, in order, with outputs in a temporary folder."""

import json
import os
import tempfile
from pathlib import Path

from ff_helpers import paths
from ff_helpers.pipeline.profile import Profile
from ff_helpers.pipeline.runner import run_profile


def execute_in_place(profile: Profile, *, jobs: int | None = None) -> int:
    """Execute each notebook of the profile with its own default parameters and save it with its outputs.

    Notebooks change only if all of them ran; the user's outputs are not touched.

    Returns:
        0, or 1 if a notebook failed.
    """
    before = os.environ.get("FF_OUTPUTS")
    with tempfile.TemporaryDirectory(prefix="ff-notebooks-") as folder:
        os.environ["FF_OUTPUTS"] = folder
        try:
            ended = run_profile(profile, jobs=jobs, injected=False)
        finally:
            if before is None:
                del os.environ["FF_OUTPUTS"]
            else:
                os.environ["FF_OUTPUTS"] = before
        failed = [end.step for end in ended if end.state != "done"]
        for name in failed:
            _show_error(Path(folder, profile.profile, "notebooks", f"{name}.ipynb"))
        if failed:
            print(f"No notebook was changed: {', '.join(failed)} did not run.")
            return 1
        for end in ended:
            written = Path(folder, profile.profile, "notebooks", f"{end.step}.ipynb").read_bytes()
            notebook = paths.notebooks() / f"{end.step}.ipynb"
            if notebook.read_bytes() != written:
                notebook.write_bytes(written)
                print(f"written  {notebook.name}")
    return 0


def _show_error(notebook: Path) -> None:
    """The folder is temporary, so print the traceback now."""
    if not notebook.exists():
        return
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                print("\n".join(output["traceback"]))
