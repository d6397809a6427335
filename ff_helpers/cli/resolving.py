"""`ff resolve`: which model a name means, and how that is known."""

import argparse
import io
import json
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Final

from ff_helpers.corpus.canonical import ASKED, MEANINGS, Resolution, Step, explain, resolve
from ff_helpers.errors import FFError

WIDTH: Final = 100
"""Columns of the text form."""
_INDENT: Final = "  " + " " * len("set aside  ")


def resolve_names(options: argparse.Namespace) -> int:
    """Print the canonical id of each name, with the steps to it."""
    names = list(_names(options.names))
    if not names:
        raise FFError("no name on standard input: it takes one per line, as in `ff resolve - < names`.")
    if options.json:
        for name in names:
            print(json.dumps(asdict(resolve(name))))
        return 0
    for name in names:
        _print(_explained(name, explain(name)))
    if len(names) > 1:
        _print(_summary([resolve(name) for name in names]))
    return 0


def _names(arguments: Iterable[str]) -> Iterator[str]:
    for argument in arguments:
        if argument != "-":
            yield argument
            continue
        if isinstance(sys.stdin, io.TextIOWrapper):
            # Bytes that are not UTF-8 make a name that does not resolve, not an error.
            sys.stdin.reconfigure(encoding="utf-8-sig", errors="surrogateescape")
        lines = (line.rstrip("\r\n") for line in sys.stdin)
        yield from (line for line in lines if line.strip())


def _explained(name: str, steps: Sequence[Step]) -> list[str]:
    """Return the lines about one name: the name, one line per step, and the result."""
    added = [step for step in steps if step.kind == "added"]
    read = [step for step in steps if step.kind in ("family", "word")]
    said = [("set aside", f"{step.text}  {step.why}") for step in steps if step.kind == "served"]
    said += [("spelling", f"{step.text}  {_why(step)}") for step in added if step.role == "spelling"]
    said += [("publisher", f"{step.text}  {step.why}") for step in steps if step.kind == "publisher"]
    if read:
        said.append(("read as", ", ".join(_word(step) for step in read)))
    said += [("added", f"{step.role} {step.text}  {_why(step)}") for step in added if step.role != "spelling"]
    said += _end(steps[-1])
    head = _shown(name, WIDTH) if name.strip() else repr(name)
    width = len(_INDENT) - 2
    lines = [line for what, text in said for line in _wrapped(text, f"  {what:<{width}}", _INDENT)]
    return [head, *lines, ""]


def _word(step: Step) -> str:
    return f"{step.role or step.kind} {step.text.removeprefix('by_')}"


def _why(step: Step) -> str:
    return f"{step.why} ({step.source})" if step.source else step.why


def _end(step: Step) -> list[tuple[str, str]]:
    if step.kind == "id":
        return [("id", step.text)]
    about = ": ".join(part for part in (_shown(step.text, WIDTH // 2), step.why) if part)
    return [
        ("stops", f"at {ASKED[step.role]}{f': {about}' if about else ''}"),
        ("no id", f"{step.role}: {MEANINGS[step.role]}"),
    ]


def _wrapped(text: str, first: str, later: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False)


def _summary(resolutions: Sequence[Resolution]) -> list[str]:
    """Return how many names resolve, and which of them are the same model."""
    resolved = [found for found in resolutions if found.canonical_id is not None]
    lines = [f"{len(resolved)} of {len(resolutions)} resolve"]
    shared: dict[str, dict[str, None]] = {}
    for found in resolved:
        shared.setdefault(str(found.canonical_id), {})[found.name] = None
    for identity, names in shared.items():
        if len(names) > 1:
            shown = ", ".join(_shown(name, WIDTH) for name in names)
            lines += _wrapped(f"{identity}: counted as one model: {shown}", "  ", "    ")
    return lines


def _shown(text: str, most: int) -> str:
    """Return a text that is safe for a terminal: control sequences are escaped, long texts are cut."""
    plain = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode()
        for c in text[: most + 1]
    )
    length = f"... ({len(text):,} characters)"
    return plain if len(plain) <= most else f"{plain[: most - len(length)]}{length}"


def _print(lines: Iterable[str]) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        print(line.encode(encoding, "backslashreplace").decode(encoding))
