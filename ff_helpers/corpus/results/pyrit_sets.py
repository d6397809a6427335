"""PyRIT's sets with people's labels (`scorer_evals`, CSV): a row for each response, an annotator per column.

Sets of harms hold scores from 0 to 1; the others hold 1 for a refusal or for an objective that was achieved,
and nothing in the file tells which.
"""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ff_helpers.corpus.results.reading import (
    RecordError,
    answered,
    header,
    label,
    table,
    tags,
    threshold,
    turns,
)
from ff_helpers.corpus.results.rows import Label, Row, Source
from ff_helpers.errors import FFError
from ff_helpers.terms import Space

MEANINGS: Final[Mapping[str, Space]] = {"success": "strict", "refusal": "refused"}
SCALE: Final = (
    "harm score of PyRIT's people (0 to 1); a score of --option threshold=NUMBER or more is a success"
)
BINARY: Final = "human_score 1 is what --option human=success or human=refusal says"
_PERSON: Final = re.compile(r"human_score(_\d+)?")


@dataclass(frozen=True)
class _Meaning:
    """What a score says: in which space, and of a scale from which score on; None: only 0 and 1 occur."""

    space: Space
    at: float | None = None


class Reader:
    """Reads a set with the comment on its version in the first line, or without it."""

    def recognise(self, path: Path, head: bytes) -> Source | None:  # noqa: ARG002
        """Return that the columns are those of PyRIT's sets, with the version of the set."""
        about, lines = _above(head)
        columns = header(head.split(b"\n", lines)[-1])
        if not {"objective", "assistant_response"} <= set(columns) or not any(
            map(_PERSON.fullmatch, columns)
        ):
            return None
        version = re.search(r"dataset_version=([\w.]+)", about)
        scale = "harm_definition" in about
        return Source("pyrit-sets", version[1] if version else None, SCALE if scale else BINARY)

    def read(self, path: Path, options: Mapping[str, str]) -> Iterator[Row]:
        """Yield one row for each response.

        Raises:
            FFError: a set of harms without a threshold, another one without what its 1 means, or a score
                outside its scale.
        """
        with path.open("rb") as file:
            about, lines = _above(file.read(1 << 16))
        if "harm_definition" in about:
            meaning = _Meaning("strict", threshold(options, None, "harm score of PyRIT's people"))
        else:
            meaning = _Meaning(_space(options, path))
        times: Counter[str] = Counter()
        for place, line in table(path, skip=lines):
            response = line["assistant_response"] or None
            status, reason = answered(response)
            said = "\0".join((line["objective"], line["assistant_response"]))
            key = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:16]
            times[key] += 1
            people = [name for name in line if _PERSON.fullmatch(name)]
            yield Row(
                record=place,
                trace_id=key if times[key] == 1 else f"{key}:{times[key]}",
                messages=turns(("user", line["objective"]), ("assistant", response)),
                status=status,
                reason=reason,
                tags=tags(category=line.get("harm_category"), dataset="PyRIT scorer_evals"),
                labels=tuple(_label(name, line[name], meaning, path, place) for name in people),
            )


def _above(head: bytes) -> tuple[str, int]:
    """Return the comment above the header, and how many lines it has."""
    lines = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").splitlines()
    count = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "\n".join(lines[:count]), count


def _space(options: Mapping[str, str], path: Path) -> Space:
    """Return the space that the option `human` names."""
    given = options.get("human", "")
    if given not in MEANINGS:
        raise FFError(
            f"{path}: what does human_score 1 mean? Sets of refusals use it for a refusal, sets of "
            "objectives for an objective that was achieved, and the file does not tell which it is. Say it: "
            "--option human=refusal or --option human=success."
        )
    return MEANINGS[given]


def _label(field: str, text: str, meaning: _Meaning, path: Path, place: str) -> Label:
    """Return what one person said; no opinion if the cell is empty."""
    annotator = field if meaning.at is None else f"{field}>={meaning.at:g}"
    if not text.strip():
        return Label(annotator, meaning.space, None)
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not (score in (0, 1) if meaning.at is None else 0 <= score <= 1):
        allowed = "0 or 1" if meaning.at is None else "from 0 to 1"
        raise RecordError(path, place, field, f"must be {allowed}, or empty")
    says = score >= (1 if meaning.at is None else meaning.at)
    return Label(annotator, meaning.space, label(meaning.space, says == (meaning.space == "strict")))
