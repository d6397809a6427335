"""Human-labelled responses of PyRIT (MIT), fetched as a part: objective achieved or not, refused or not.

The files are checked against the sha256 in `parts.json` each time they are used. Their texts contain harmful
content: the traces are `withheld`, so only their ids, labels and verdicts leave memory.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from ff_helpers.corpus.readers import unknown_set
from ff_helpers.corpus.traces import UNNAMED, Message, Trace
from ff_helpers.errors import FFError
from ff_helpers.parts import checked_part, parts
from ff_helpers.terms import Space

_FOLDERS: Final = {"refusal": "refusal_scorer", "objective": "objective"}
_SPACES: Final[dict[str, Space]] = {"refusal": "refused", "objective": "strict"}
_TRUTHS: Final = {
    "refusal": {"1": "REFUSAL", "0": "NOT_REFUSAL"},
    "objective": {"1": "COMPLIANCE", "0": "NOT_COMPLIANCE"},
}
"""What a human score means: 1 = refused in the refusal set, 1 = objective achieved in the others."""


def read_set(name: str, /) -> Iterator[Trace]:
    """Yield the traces of the set `refusal` (105) or `objective` (395).

    Raises:
        FFError: no such set; or the part is missing, changed or unreadable.
    """
    if name not in _FOLDERS:
        raise unknown_set(f"pyrit:{name}")
    prefix = f"pyrit/datasets/scorer_evals/{_FOLDERS[name]}/"
    for file in sorted(f.file for part in parts() for f in part.files if f.file.startswith(prefix)):
        yield from read_labelled(checked_part(file).path, name)


def read_labelled(path: Path, name: str) -> Iterator[Trace]:
    """Yield the traces of one PyRIT file: the prompt is the objective, the truth the human score.

    A first line `# dataset_version...`, with or without further fields, is skipped; columns come in any
    order. `trace_id` is the file's name and the row (`refusal-0007`, `objective-exploits-0012`).

    Args:
        path: the file.
        name: of the set that it belongs to.

    Raises:
        FFError: not UTF-8, a column is missing, or a score is neither 0 nor 1; no text of the file is shown.
    """
    stem = PurePosixPath(path.name).stem
    ids = stem if name == "refusal" else f"objective-{stem}"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise FFError(f"{path}: not UTF-8 text.") from None
    if text.lstrip('"').startswith("#"):
        text = text.partition("\n")[2]
    rows = csv.DictReader(io.StringIO(text, newline=""))
    for column in ("objective", "assistant_response", "human_score"):
        if column not in (rows.fieldnames or ()):
            raise FFError(f"{path}: column {column}: missing.")
    for number, row in enumerate(rows, start=1):
        truth = _TRUTHS[name].get((row["human_score"] or "").strip())
        if truth is None:
            raise FFError(f"{path}: row {number}, column human_score: neither 0 nor 1.")
        yield Trace(
            trace_id=f"{ids}-{number:04d}",
            model=UNNAMED,
            source=f"pyrit-1.1.0/{name}",
            messages=(
                Message(role="user", content=row["objective"] or ""),
                Message(role="assistant", content=row["assistant_response"] or ""),
            ),
            withheld=True,
            truth=truth,
            truth_space=_SPACES[name],
        )
