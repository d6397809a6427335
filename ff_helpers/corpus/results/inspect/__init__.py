"""Logs of Inspect AI, `.eval` and `.json`: every sample is a row, every epoch a run of one scenario.

The layout is that of inspect_ai 0.3.285, read in its source and in logs that it wrote; Inspect itself is not
needed. A scorer's direction is the user's to say (`directions`), except for known scorers of inspect_evals.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from packaging.version import InvalidVersion, Version

from ff_helpers.corpus.results.inspect.directions import Directions, ask
from ff_helpers.corpus.results.inspect.log import (
    Fields,
    InspectLogError,
    count_of,
    fields,
    header_of,
    is_zip,
    samples_of,
    text,
)
from ff_helpers.corpus.results.inspect.samples import row_of
from ff_helpers.corpus.results.inspect.scores import NoDirectionError, scorers_of
from ff_helpers.corpus.results.rows import Row, Source

_HEAD: Final = 1 << 16
_ZIP: Final = (b"_journal/", b"header.json", b"samples/")
_JSON: Final = re.compile(rb'\s*\{\s*"version"\s*:\s*\d+\s*,\s*"status"\s*:\s*"\w+"\s*,')
_UNREAD_GRADES: Final = Version("0.3.245")
"""Since this version a grade that was not found is no longer written as I."""
_GRADED: Final = ("model_graded_qa", "model_graded_fact")


class Reader:
    """The reader of Inspect's logs.

    Options: `success`, the directions of scorers (`SCORER=VALUE`, `SCORER>=NUMBER`), with `;` or a new line
    between them; `space`, what they decide: strict (the default), broad or refused.
    """

    def recognise(self, path: Path, head: bytes) -> Source | None:
        """Return what is known of a log.

        Raises:
            InspectLogError: it is cut off, of an unknown version, or without samples.
        """
        if not (any(name in head for name in _ZIP) if is_zip(head) else _JSON.match(head)):
            return None
        header = header_of(path, head)
        if header is None:
            return None
        spec, results = fields(header.get("eval")), fields(header.get("results"))
        total = count_of(path) if is_zip(head) else results.get("total_samples")
        if total == 0 or "samples" in header:
            raise _no_samples(path)
        tool = text(fields(spec.get("packages")).get("inspect_ai"))
        known = Directions({}, str(spec.get("task"))).known(scorers_of(header))
        return Source(
            tool="inspect",
            version=tool,
            direction=known or "as --success-value says for each scorer",
            total=total if isinstance(total, int) else None,
            notes=tuple(_notes(header, tool)),
        )

    def read(self, path: Path, options: Mapping[str, str]) -> Iterator[Row]:
        """Yield one row per sample; of two samples with one id and epoch the later is marked.

        Raises:
            InspectLogError: a sample is damaged, there are none, or the direction of a scorer is not said.
            BadDirectionError: an option that cannot be read.
        """
        with path.open("rb") as file:
            head = file.read(_HEAD)
        header = header_of(path, head) or {}
        directions = Directions(options, str(fields(header.get("eval")).get("task")))
        scorers, seen = scorers_of(header), Counter[str]()
        for record, sample in samples_of(path, head):
            if not isinstance(sample.get("id"), int | str) or not isinstance(sample.get("epoch"), int):
                raise InspectLogError(
                    path, record, "a sample needs an id (text or number) and an epoch (number)"
                )
            try:
                row = row_of(record, sample, header, scorers, directions)
            except NoDirectionError:
                raise ask(path, directions, samples_of(path, head)) from None
            seen[row.trace_id] += 1
            yield row if seen[row.trace_id] == 1 else _again(row, seen[row.trace_id])
        if not seen:
            raise _no_samples(path)


def _no_samples(path: Path) -> InspectLogError:
    return InspectLogError(path, "", "0 samples. Was it written with log_samples=False, or not run yet?")


def _again(row: Row, time: int) -> Row:
    why = "an earlier sample of the log has this id and epoch"
    return replace(row, trace_id=f"{row.trace_id}~{time}", status="invalidated", reason=why)


def _notes(header: Fields, tool: str | None) -> Iterator[str]:
    """Yield what a user should know before counting."""
    status = header.get("status")
    if status != "success":
        yield f"the log says {status}: not all samples may have run"
    results = fields(header.get("results"))
    done, total = results.get("completed_samples"), results.get("total_samples")
    if isinstance(done, int) and isinstance(total, int) and done < total:
        yield f"the log says {status}, and {total - done} of {total} samples did not complete"
    graded = [name for name in scorers_of(header) if name.rpartition("/")[2] in _GRADED]
    if graded and _before(tool):
        yield (
            f"Inspect {tool} wrote a grade that was not found as I; where the explanation says so, "
            "it is read as unparsable"
        )


def _before(tool: str | None) -> bool:
    try:
        return tool is not None and Version(tool) < _UNREAD_GRADES
    except InvalidVersion:
        return False
