"""How commands print: paths as people type them, columns that line up, frames and dataclasses as JSON."""

import json
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def shown(path: Path) -> str:
    """Return a path as the user would type it: relative if it is below the current folder."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve would follow links
    here = Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)


def aligned(rows: Sequence[Sequence[str]], *, right: Collection[int] = (), indent: str = "  ") -> list[str]:
    """Return one line per row, columns two blanks apart; those in `right` end together."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return [(indent + line).rstrip() for line in lines]


def json_rows(frame: "pd.DataFrame") -> list[dict[object, object]]:
    """Return the rows of a frame for JSON: missing values are null."""
    rows: list[dict[object, object]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return rows


def print_json(content: object, *, indent: int | None = 1) -> None:
    """Print a value for programs; text stays as it is."""
    print(json.dumps(content, indent=indent, ensure_ascii=False))
