"""A Python with inspect_ai and the official openai client, which the suite itself does not use.

They need other versions of our libraries, so they live in `.parts/inspect`, installed on first use from
the hashed lock `inspect.txt` (compiled from `inspect.in` with the options of the Makefile's `lock`).
"""

import hashlib
import shutil
import sys
from pathlib import Path

from ff_helpers.errors import FFError

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".parts" / "inspect"
LOCK = ROOT / "benchmarks" / "inspect.txt"


class PeerMissingError(FFError):
    """The peers cannot be installed, or do not finish the work."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"inspect_ai and openai in {HOME}: {problem}")


def installed() -> Path:
    """Install the peers if they are missing or from another lock; return their Python."""
    sys.path.insert(0, str(ROOT / "tools"))
    import install  # type: ignore[import-not-found]

    python, stamp = HOME / "bin" / "python", HOME / "ff-lock.sha256"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    shutil.rmtree(HOME, ignore_errors=True)
    into = ["--python", str(python), "--index-strategy", "unsafe-best-match"]
    try:
        install._uv("venv", "--python", sys.executable, str(HOME))
        install._uv("pip", "install", "--require-hashes", "--compile-bytecode", "-r", str(LOCK), *into)
    except install.InstallError as error:
        raise PeerMissingError(str(error)) from None
    stamp.write_text(wanted, encoding="utf-8")
    return python
