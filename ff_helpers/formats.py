"""Format versions of the files that outlive a run, and how a file of a newer version is refused.

A file without a version is of version 1. A change that an earlier reader would misread or refuse raises the
version; this package reads every earlier one (docs/versions.md lists the files and what changed).
"""

import json
from typing import Final

from ff_helpers import __version__
from ff_helpers.errors import FFError

FIELD: Final = "format_version"
"""Which field of a record, a card or a profile holds its version; absent while that is 1."""


def newer(content: object, known: int = 1, *, field: str = FIELD) -> int | None:
    """Return the version that content names if it is above the known one; otherwise None.

    Args:
        content: a parsed JSON or YAML document, or the text of a JSON document.
        known: the highest version that is read here.
        field: where the version stands.
    """
    if isinstance(content, str | bytes):
        try:
            content = json.loads(content)
        except ValueError:
            return None
    found = content.get(field) if isinstance(content, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and found > known else None


def refuse_newer(place: object, content: object, known: int = 1, *, field: str = FIELD) -> None:
    """Raise if content names a version above the known one; arguments as `newer`, `place` for the message.

    Raises:
        FFError: it does.
    """
    found = newer(content, known, field=field)
    if found is not None:
        raise FFError(f"{place}:{field}: {update(found, known)}")


def update(found: object, known: object) -> str:
    """Return what is wrong with a file of a newer version, and what to do."""
    return (
        f"format version {found}: written by a newer version of ff-helpers. This one ({__version__}) reads "
        f"format versions up to {known}. Nothing was changed: update (`git pull`, `make install`) and run "
        "the same command again."
    )
