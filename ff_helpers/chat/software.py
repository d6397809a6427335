"""The software that produced a verdict or a response, in one line."""

import platform
from importlib.metadata import version

from ff_helpers import __version__


def software(*packages: str) -> str:
    """Return this package, the named ones, Python and the platform, with their versions."""
    parts = [f"ff-helpers {__version__}", *(f"{name} {version(name)}" for name in packages)]
    host = f"{platform.system()} {platform.machine()}"
    return ", ".join([*parts, f"Python {platform.python_version()}", host])
