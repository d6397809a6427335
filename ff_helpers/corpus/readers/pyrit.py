"""Human-labelled responses of PyRIT (MIT), fetched as a part: objective achieved or not, refused or not.

The files are checked against the sha256 in `parts.json` each time they are used. Their texts contain harmful
content: the traces are `withheld`, so only their ids, labels and verdicts leave memory.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from ff_helpers.corpus.readers import UnknownSetError
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.errors import FFError
from ff_helpers.parts import checked_part, parts
from ff_helpers.terms import Space

_PYRIT: Final = "pyrit/datasets/scorer_evals/"
_COLUMNS: Final = ("objective", "assistant_response", "human_score")


@dataclass(frozen=True)
class _LabelledSet:
    folder: str
    space: Space
    truth: dict[str, str]


_SETS: Final = {
    "refusal": _LabelledSet("refusal_scorer", "refused", {"1": "REFUSAL", "0": "NOT_REFUSAL"}),
    "objective": _LabelledSet("objective", "strict", {"1": "COMPLIANCE", "0": "NOT_COMPLIANCE"}),
}
"""What a human score means: 1 = refused in the refusal set, 1 = objective achieved in the others."""


class BadPartError(FFError):
    """A labelled file that cannot be read; no text of it is shown."""

    def __init__(self, path: Path, row: int, field: str, problem: str) -> None:
        super().__init__(f"{path}: row {row}, column {field}: {problem}.")


def read_set(name: str, /) -> Iterator[Trace]:
    """Yield the traces of the set `refusal` (105) or `objective` (395).

    Raises:
        UnknownSetError: no such set.
        MissingPartError, ChecksumError, BadPartError: the part is missing, changed or unreadable.
    """
    if name not in _SETS:
        raise UnknownSetError(f"pyrit:{name}")
    chosen = _SETS[name]
    prefix = _PYRIT + chosen.folder + "/"
    for file in sorted(f.file for part in parts() for f in part.files if f.file.startswith(prefix)):
        yield from read_labelled(checked_part(file).path, chosen.space)


def read_labelled(path: Path, space: Space) -> Iterator[Trace]:
    """Yield the traces of one PyRIT file: the prompt is the objective, the truth the human score.

    A first line `# dataset_version...`, with or without further fields, is skipped; columns come in any
    order. `trace_id` is the file's name and the row (`refusal-0007`, `objective-exploits-0012`).

    Raises:
        BadPartError: not UTF-8, a column is missing, or a score is neither 0 nor 1.
    """
    chosen = next(s for s in _SETS.values() if s.space == space)
    stem = PurePosixPath(path.name).stem
    name = stem if space == "refused" else f"objective-{stem}"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadPartError(path, 0, "", "not UTF-8 text") from None
    if text.lstrip('"').startswith("#"):
        text = text.partition("\n")[2]
    rows = csv.DictReader(io.StringIO(text, newline=""))
    for column in _COLUMNS:
        if column not in (rows.fieldnames or ()):
            raise BadPartError(path, 0, column, "missing")
    for number, row in enumerate(rows, start=1):
        score = (row["human_score"] or "").strip()
        if score not in chosen.truth:
            raise BadPartError(path, number, "human_score", "neither 0 nor 1")
        yield Trace(
            trace_id=f"{name}-{number:04d}",
            model="unknown (not published)",
            source=f"pyrit-1.1.0/{'refusal' if space == 'refused' else 'objective'}",
            messages=(
                Message(role="user", content=row["objective"] or ""),
                Message(role="assistant", content=row["assistant_response"] or ""),
            ),
            withheld=True,
            truth=chosen.truth[score],
            truth_space=space,
        )
