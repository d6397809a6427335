"""How fast is an import? A table of short rows and one of long rows, against `json.loads` of the same rows.

A row costs about the same whatever its length: it becomes a trace, a record and a label, each checked. So
short rows are slow per byte, and long responses come near the speed of the parser.
"""

import contextlib
import csv
import io
import json
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.table import Row, per_round
from ff_helpers.corpus.results.recognise import recognised
from ff_helpers.grading.importing.run import import_files

COLUMNS = ("id", "prompt", "response", "model", "judge", "human", "attack")
OPTIONS = {name: name for name in ("id", "prompt", "response", "model", "judge", "human")}
SIZES = {"rows of 0.3 kB": (20_000, 40), "rows of 8 kB": (4_000, 1_400)}
"""How many rows, and how many words a response has."""
ROUNDS = 3


def imports() -> list[Row]:
    """Import both tables; seconds are those of the processor, so that a busy machine does not decide."""
    _imported([_row(0, 1)])  # what Python loads at the first import is not counted
    found = []
    for name, (count, words) in SIZES.items():
        rows = [_row(number, words) for number in range(count)]
        lines = [json.dumps(dict(zip(COLUMNS, row, strict=True))) for row in rows]
        bare, ours = [], []
        for _ in range(ROUNDS):
            bare.append(_parsed(lines))
            size, seconds = _imported(rows)
            ours.append(seconds)
        taken = statistics.median(ours)
        found.append(Row(f"json.loads, {name}", f"{size / statistics.median(bare):,.0f} MB/s"))
        figure = f"{size / taken:,.1f} MB/s, {1e6 * taken / count:,.0f} microseconds per row"
        ratio, spread = per_round(bare, ours)
        found.append(Row(f"ff import, {name}", figure, ratio, "json.loads", spread=spread))
    return found


def _parsed(lines: list[str]) -> float:
    """Parse these lines; return the seconds that it took."""
    begun = time.process_time()
    for line in lines:
        json.loads(line)
    return time.process_time() - begun


def _imported(rows: list[tuple[str, ...]]) -> tuple[float, float]:
    """Import a table of these rows; return its size in MB and the seconds that it took."""
    with tempfile.TemporaryDirectory() as place, contextlib.redirect_stderr(io.StringIO()):
        path = Path(place) / "t.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *rows])
        options = OPTIONS | {"tag": "attack", "space": "strict"}
        begun = time.process_time()
        import_files([recognised(path, columns=True)], Path(place) / "out", options)
        return path.stat().st_size / 1e6, time.process_time() - begun


def _row(number: int, words: int) -> tuple[str, ...]:
    """Return one row whose text differs from every other."""
    labels = ("COMPLIANCE", "NOT_COMPLIANCE")
    prompt = f"Request {number} for the code of the bay door."
    response = f"Answer {number}. " + "word5 " * words
    return f"r{number}", prompt, response, "m", labels[number % 2], labels[number % 3 > 0], f"a{number % 7}"
