"""Signal files of 22 November 2026, whose records lack what later ones say: read as what they were.

They came from exports alone, and named neither their corpus, nor statuses, nor which graders a rate rests on.
"""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue

from ff_helpers.corpus.jsonl import parse_line, read_records
from ff_helpers.publication.atlas.signal import NO_RATE, VOID, Signal, confidence

_UNSAID: Final = "not recorded by the version that wrote this file"


class _Any(BaseModel):
    model_config = ConfigDict(extra="allow")


def read_old(path: Path, day: date | None) -> Iterator[Signal]:
    """Yield the records of such a file, completed.

    Args:
        path: the file.
        day: of the export, as the file's name tells it.

    Raises:
        BadLineError: a line that is not such a record either.
    """
    for line, record in enumerate(read_records(path, _Any), start=1):
        text = json.dumps(_completed(record.model_dump(mode="json"), day))
        yield parse_line(Signal, text, path=path, line=line)


def _completed(record: dict[str, JsonValue], day: date | None) -> dict[str, JsonValue]:
    given = record.get("graders")
    listed = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    rate = record.get("asr")
    void = bool(listed) and all(one.get("standing") in VOID for one in listed)
    rated = rate is not None and not void  # the counts of an export are of all its graders together
    unsaid: dict[str, JsonValue] = {"digest": None, "reported": None, "headline": rated}
    graders: list[JsonValue] = [unsaid | one for one in listed]
    measured = [one.get("accuracy") is not None for one in listed]
    missing: dict[str, JsonValue] = {
        "inferred_aliases": [],
        "origin": "export",
        "corpus": _UNSAID,
        "asr_reason": None if rated else NO_RATE,
        "would_have_reported": rate if void else None,
        "with_accuracy": round(sum(measured) / len(measured), 6) if measured else None,
        "no_verdict": None,
        "no_verdict_reason": _UNSAID,
        "as_of": None if day is None else day.isoformat(),
    }
    counted: dict[str, JsonValue] = {"graders": graders, "mixes_graders": rated and len(graders) > 1}
    none: dict[str, JsonValue] = {} if rated else {"asr": None, "confidence": confidence(0)}
    return missing | record | counted | none
