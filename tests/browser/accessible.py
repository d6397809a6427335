"""axe-core, as the tests of pages run it."""

import importlib.util

import pytest

from tests.conftest import ROOT


def axe() -> str:
    """The source of axe-core, fetched by tools/install.py browser and checked here again."""
    spec = importlib.util.spec_from_file_location("install", ROOT / "tools" / "install.py")
    install = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(install)
    if not install.axe_file().is_file():
        pytest.skip(f"no {install.axe_file()}: tools/python.sh tools/install.py browser (needs npm)")
    assert install._is_part(install.axe_file(), install.AXE_SHA256)
    return install.axe_file().read_text(encoding="utf-8")
