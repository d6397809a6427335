"""Published label sets that are no part of the repository; a test without them skips and says so."""

import os
from pathlib import Path

import pytest

from tests.conftest import ROOT

FOLDER = Path(os.environ.get("FF_SHARED_DATA", ROOT.parent / "shared" / "data"))


def shared(name: str) -> Path:
    """Return the path of a label set."""
    if not (FOLDER / name).is_file():
        pytest.skip(f"{name} is not there: the label set is not part of the repository")
    return FOLDER / name
