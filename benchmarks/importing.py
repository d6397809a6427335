"""How fast is an import? A table of short rows and one of long rows, against `json.loads` of the same rows.

A row costs about the same whatever its length: it becomes a trace, a record and a label, each checked. So
short rows are slow per byte, and long responses come near the speed of the parser.
"""

import contextlib
import csv
import io
import json
import tempfile
import time
from pathlib import Path

from benchmarks.table import Row
from ff_helpers.corpus.results.recognise import recognised
from ff_helpers.grading.importing.run import import_files

COLUMNS = ("id", "prompt", "response", "model", "judge", "human", "attack")
OPTIONS = {name: name for name in ("id", "prompt", "response", "model", "judge", "human")}
SIZES = {"rows of 0.3 kB": (20_000, 40), "rows of 8 kB": (2_000, 1_400)}
"""How many rows, and how many words a response has."""


def imports() -> list[Row]:
    """Import both tables; seconds are those of the processor, so that a busy machine does not decide."""
    found = []
    for name, (count, words) in SIZES.items():
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            rows = [_row(number, words) for number in range(count)]
            lines = [json.dumps(dict(zip(COLUMNS, row, strict=True))) for row in rows]
            with (folder / "t.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([COLUMNS, *rows])
            size = (folder / "t.csv").stat().st_size / 1e6
            begun = time.process_time()
            for line in lines:
                json.loads(line)
            parsed = time.process_time() - begun
            table = recognised(folder / "t.csv", columns=True)
            options = OPTIONS | {"tag": "attack", "space": "strict"}
            begun = time.process_time()
            with contextlib.redirect_stderr(io.StringIO()):
                import_files([table], folder / "out", options)
            taken = time.process_time() - begun
        found.append(Row(f"json.loads, {name}", f"{size / parsed:,.0f} MB/s"))
        figure = f"{size / taken:,.1f} MB/s, {1e6 * taken / count:,.0f} microseconds per row"
        found.append(Row(f"ff import, {name}", figure, parsed / taken, "json.loads"))
    return found


def _row(number: int, words: int) -> tuple[str, ...]:
    """Return one row whose text differs from every other."""
    labels = ("COMPLIANCE", "NOT_COMPLIANCE")
    prompt = f"Request {number} for the code of the bay door."
    response = f"Answer {number}. " + "word5 " * words
    return f"r{number}", prompt, response, "m", labels[number % 2], labels[number % 3 > 0], f"a{number % 7}"
