"""A Python with packages that we compare with and that the suite itself does not use.

They need other versions of our libraries, so they live in `.parts/NAME`, installed on first use from the
hashed lock `NAME.txt` (compiled from `NAME.in` with the options of the Makefile's `lock`): `inspect`
(inspect_ai and the official openai client) and `corrections` (packages that correct a judge's rate).
"""

import hashlib
import shutil
import sys
from pathlib import Path

from ff_helpers.errors import FFError

ROOT = Path(__file__).resolve().parent.parent


class PeerMissingError(FFError):
    """The peers cannot be installed, or do not finish the work."""

    def __init__(self, problem: str, name: str = "inspect") -> None:
        super().__init__(f"{name} in {ROOT / '.parts' / name}: {problem}")


def installed(name: str = "inspect", *, least: str = "") -> Path:
    """Install the peers if they are missing or from another lock; return their Python.

    Args:
        name: of the lock.
        least: oldest Python that all of them run on; where none is found, those that need it are left out.
    """
    sys.path.insert(0, str(ROOT / "tools"))
    import install  # type: ignore[import-not-found]

    home, lock = ROOT / ".parts" / name, ROOT / "benchmarks" / f"{name}.txt"
    python, stamp = home / "bin" / "python", home / "ff-lock.sha256"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    shutil.rmtree(home, ignore_errors=True)
    into = ["--python", str(python), "--index-strategy", "unsafe-best-match"]
    try:
        try:
            install._uv("venv", "--python", f">={least}" if least else sys.executable, str(home))
        except install.InstallError:
            if not least:
                raise
            install._uv("venv", "--python", sys.executable, str(home))
        install._uv("pip", "install", "--require-hashes", "--compile-bytecode", "-r", str(lock), *into)
    except install.InstallError as error:
        raise PeerMissingError(str(error), name) from None
    stamp.write_text(wanted, encoding="utf-8")
    return python
