"""The base of every error that the user can fix.

Each room derives small named errors from it whose constructor writes the whole sentence: what was
wrong (file, line, field), what is allowed, and the command that fixes it. The command line
prints that sentence and exits non-zero; any other exception is our bug and keeps its traceback.

No error prints the text of a cell, a prompt or a response. Names of files, fields, columns, graders and
traces are printed where they read like names, and described by their length where they do not: in a
broken file anything can appear where a name should.
"""

import re
from typing import Final

_NAME: Final = re.compile(r"[\w.:@+/#%()=-]+( [\w.:@+/#%()=-]+){0,2}")
_LONGEST: Final = 80


class FFError(Exception):
    """Something the user can fix; `str(error)` is the sentence they read."""


def is_name(text: str) -> bool:
    """Return whether a text reads like a name: 80 characters, three words, no punctuation of prose."""
    return len(text) <= _LONGEST and text.isprintable() and _NAME.fullmatch(text) is not None


def named(text: str) -> str:
    """Return a name as an error may print it, or the length of the text in its place."""
    return text if is_name(text) else f"(a text of {len(text):,} characters)"


def quoted(text: str) -> str:
    """Return a name in quotes, as `named`."""
    return repr(text) if is_name(text) else named(text)


def place_in(error: Exception) -> str:
    """Return where a YAML or a text file is broken; the parser's own message may quote the file."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return f"line {mark.line + 1}, column {mark.column + 1}"
    return f"byte {error.start} is not UTF-8" if isinstance(error, UnicodeDecodeError) else "from its start"
