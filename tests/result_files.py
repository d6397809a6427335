"""Reading a result file of another tool in tests: as `ff import` does, the first reader that knows it."""

import json
from collections.abc import Iterable
from pathlib import Path

from ff_helpers.corpus.results import HEAD, READERS, reader
from ff_helpers.corpus.results.rows import Judgement, Row, Source


def recognised(path: Path) -> Source | None:
    head = path.read_bytes()[:HEAD]
    found = (reader(tool).recognise(path, head) for tool in READERS if tool != "table")
    return next((source for source in found if source is not None), None)


def rows(path: Path, **options: str) -> list[Row]:
    source = recognised(path)
    assert source is not None, f"no reader knows {path.name}"
    read = list(reader(source.tool).read(path, options))
    assert len({row.trace_id for row in read}) == len(read), "trace_id repeats"
    said = {(j.judge, j.space, j.model, j.version) for row in read for j in row.judgements}
    assert len({judge for judge, *_ in said}) == len(said), "one judge has two identities"
    return read


def judged(read: Iterable[Row]) -> dict[str, list[str | None]]:
    """What each judge said of each row in order: its label, or the status in its place."""
    found: dict[str, list[str | None]] = {}
    for row in read:
        for judgement in row.judgements:
            found.setdefault(judgement.judge, []).append(judgement.label or judgement.status)
    return found


def only(row: Row) -> Judgement:
    (judgement,) = row.judgements
    return judgement


def lines(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path
