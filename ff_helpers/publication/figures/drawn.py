"""Drawings kept between runs: one that would come out the same is not made again.

An entry is found by everything that determines it: what is drawn (a chart's specification with its data, an
SVG, a PDF), the versions of the libraries that draw, and the fonts of this machine. It is written in one step
and holds a hash of itself: an entry that is damaged, or that is not there, is drawn. The runner says where
entries are (`VARIABLE`); `ff run --force` and everything outside a run draw.
"""

import hashlib
import os
import sys
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

VARIABLE: Final = "FF_DRAWN"
"""Names the folder of the entries."""
DAYS: Final = 30
"""An entry that no run has used for so long is removed."""
FONTS: Final = (
    ("/Library/Fonts", "/System/Library/Fonts", "~/Library/Fonts")
    if sys.platform == "darwin"
    else ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
)
"""Where a machine has fonts."""
_HASH_BYTES: Final = 32


def kept(kind: str, basis: bytes, draw: Callable[[], bytes]) -> bytes:
    """Return what `draw` returns, from an earlier run if that drew it from the same.

    Args:
        kind: what is drawn how, such as `svg`.
        basis: what determines it, apart from libraries and fonts.
        draw: makes it.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        return draw()
    key = hashlib.sha256(b"\0".join([kind.encode(), _tools().encode(), basis])).digest()
    path = Path(folder, f"{key.hex()}.{kind}")
    content = _read(path, key)
    if content is None:
        content = draw()
        _write(path, _seal(key, content) + content)
    return content


def tidy(folder: Path) -> None:
    """Remove the entries that no run has used for DAYS days, and what interrupted ones left."""
    for path in folder.glob("*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > DAYS * 86_400:
                path.unlink()


def _read(path: Path, key: bytes) -> bytes | None:
    try:
        whole = path.read_bytes()
        os.utime(path)
    except OSError:
        return None
    seal, content = whole[:_HASH_BYTES], whole[_HASH_BYTES:]
    return content if seal == _seal(key, content) else None


def _write(path: Path, whole: bytes) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    # The drawing is made: that it cannot be kept, on a full disk, is no reason to fail.
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(whole)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _seal(key: bytes, content: bytes) -> bytes:
    return hashlib.sha256(key + content).digest()


@cache
def _tools() -> str:
    """Return what draws: versions of the libraries, and the fonts, by name, size and time of change."""
    said = [f"{name} {version(name)}" for name in ("vl-convert-python", "pypdfium2")]
    said.append(f"zlib {zlib.ZLIB_RUNTIME_VERSION}")
    for folder in FONTS:
        for path in sorted(Path(folder).expanduser().rglob("*")):
            with suppress(OSError):
                about = path.stat()
                said.append(f"{path} {about.st_size} {about.st_mtime_ns}")
    return "\n".join(said)
