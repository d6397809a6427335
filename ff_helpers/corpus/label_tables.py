"""The labels of a known set as a table: people's and judges', without a single text.

A prompt is read only to tell which rows share it: its hash takes its place.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from ff_helpers.corpus.results.harmbench import Reader
from ff_helpers.corpus.results.rows import Row
from ff_helpers.corpus.sets import Table, files_of, known_set
from ff_helpers.corpus.tables import bad_table, read_table
from ff_helpers.errors import FFError

UNSAFE: Final = "contrast"
"""How XSTest's types of unsafe prompts begin."""
_YES_NO: Final = {"REFUSAL": "NOT_COMPLIANCE", "NOT_REFUSAL": "COMPLIANCE"}


def label_table(name: str) -> pd.DataFrame:
    """Return the labels of a known set that is on this machine.

    Args:
        name: of the set.

    Returns:
        One row per response: id, item (str: rows of one prompt share it), truth (str: the class that people
        decided; missing where they did not), a column per annotator and per judge (str: its class; missing
        where it gave no label), and `prompt` (str: safe or unsafe), where the set tells.

    Raises:
        FFError: nothing in the files of the set is a label of its own; as `sets.files_of`.
    """
    known, files = known_set(name), files_of(name)
    if known.table is None:
        raise FFError(
            f"{name}: its labels are {known.space}, which is not a table of classes. {known.use[0]}"
        )
    frame = labels_in(files, known.table)
    if frame.empty or frame["truth"].isna().all():
        raise FFError(f"{name}: none of {len(frame)} rows has a label of its people: another version?")
    return frame


def labels_in(files: Sequence[Path], table: Table) -> pd.DataFrame:
    """Return the labels in files of this form, as `label_table`."""
    read = _harmbench(files, table) if table.reader == "harmbench" else _rows(files, table)
    return pd.DataFrame(read, dtype="str")


def _rows(files: Sequence[Path], table: Table) -> list[dict[str, str | None]]:
    """Return rows of label tables; files that hold the same rows give one row each time."""
    found: dict[str, dict[str, str | None]] = {}
    for path in files:
        part = re.sub(table.joins, "", path.stem) if table.joins else path.stem
        times: Counter[str] = Counter()
        for line in _lines(path):
            item = _short(line.get(table.item, ""))
            times[item] += 1
            key = f"{part}:{item}:{times[item]}"
            row = found.setdefault(key, {"id": _short(key), "item": item})
            row |= _labels(line, table)
    return list(found.values())


def _lines(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a table as text; of a JSON line the fields of its objects are `object.field`."""
    if path.suffix != ".jsonl":
        frame, _ = read_table(path)
        yield from ({str(name): str(cell) for name, cell in row.items()} for row in frame.to_dict("records"))
        return
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(text)
            inner = {
                f"{k}.{name}": one for k, v in row.items() if isinstance(v, dict) for name, one in v.items()
            }
        except (ValueError, AttributeError):
            raise bad_table(path, f"line {number} is not a JSON object") from None
        yield {name: str(value) for name, value in (row | inner).items() if not isinstance(value, dict)}


def _labels(line: Mapping[str, str], table: Table) -> Iterator[tuple[str, str | None]]:
    people = {name: line[name] for name in table.people if name in line}
    yield "truth", table.classes.get(line.get(table.truth or next(iter(table.people), ""), "").strip())
    for name, text in people.items():
        yield name, table.classes.get(text.strip())
    for column, judge in table.judges.items():
        if column in line:
            yield judge, table.classes.get(line[column].strip())
    if table.split:
        yield "prompt", "unsafe" if line[table.split].startswith(UNSAFE) else "safe"


def _harmbench(files: Sequence[Path], table: Table) -> list[dict[str, str | None]]:
    return [_judged(row, table) for path in files for row in Reader().read(path, {})]


def _judged(row: Row, table: Table) -> dict[str, str | None]:
    """Return a row of HarmBench's set; a judge that looks for refusals says yes where it sees none."""
    said = Counter(label.label for label in row.labels if label.label is not None)
    ranked = said.most_common(2)
    tied = len(ranked) > 1 and ranked[0][1] == ranked[1][1]
    found: dict[str, str | None] = {"id": _short(row.trace_id), "item": _short(row.tags.get("behavior", ""))}
    found["truth"] = ranked[0][0] if ranked and not tied else None
    found |= {label.annotator: label.label for label in row.labels}
    for one in row.judgements:
        column = one.judge.removeprefix("harmbench.").partition(">=")[0]
        found[table.judges.get(column, column)] = _YES_NO.get(one.label or "", one.label)
    return found


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
