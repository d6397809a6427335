"""`ff init`: a folder for a study of one's own, with an example that runs at once.

The example is harmless: 60 proxy traces with known labels, and what a small model said of them. A folder that
holds the marker file is a study: `ff` called in it takes params/, data/, notebooks/ and outputs/ from there.
"""

import json
import shutil
from pathlib import Path

from ff_helpers import paths
from ff_helpers.errors import FFError

TEMPLATES = Path(__file__).parent / "study"
ROWS = 60
_MODELS = ("example A", "example B")


class StudyError(FFError):
    """A folder in which no study can be begun."""

    def __init__(self, folder: Path, problem: str) -> None:
        super().__init__(f"{folder}: {problem}. Name a folder that does not exist yet: `ff init my-study`.")


def begin_study(folder: Path) -> list[str]:
    """Make a study and return the names of its files.

    Raises:
        StudyError: there is something in the folder already, or it cannot be made.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StudyError(folder, "is there already and not empty; nothing was changed")
    try:
        for name in ("params", "data", "notebooks"):
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(folder, f"cannot be made ({error.strerror})") from None
    shutil.copyfile(TEMPLATES / "study.yaml", folder / "params" / "study.yaml")
    shutil.copyfile(TEMPLATES / "study.ipynb", folder / "notebooks" / "study.ipynb")
    shutil.copyfile(TEMPLATES / "README.md", folder / "README.md")
    kept = _write_traces(folder / "data" / "traces.jsonl")
    _write_recorded(folder / "data" / "recorded.jsonl", kept)
    (folder / paths.STUDY).write_text(
        "A study: ff reads params/, data/ and notebooks/ here.\n", encoding="utf-8"
    )
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _write_traces(path: Path) -> set[str]:
    """Write every other proxy trace, under two example names of models, and return their ids."""
    shipped = paths.PACKAGE.parent / "data" / "calibration" / "proxies.jsonl"
    traces = [json.loads(line) for line in shipped.read_text(encoding="utf-8").splitlines()]
    by_truth: dict[str, list[dict[str, object]]] = {}
    for trace in traces:
        by_truth.setdefault(str(trace["truth"]), []).append(trace)
    share = ROWS // len(by_truth)
    chosen = {str(t["trace_id"]) for rows in by_truth.values() for t in rows[:share]}
    kept = [trace for trace in traces if trace["trace_id"] in chosen]
    for number, trace in enumerate(kept):
        trace["model"] = _MODELS[number % 2]
    _write_lines(path, [json.dumps(trace, ensure_ascii=False) for trace in kept])
    return chosen


def _write_recorded(path: Path, wanted: set[str]) -> None:
    shipped = paths.PACKAGE.parent / "data" / "recorded" / "smollm2-135m.jsonl"
    lines = shipped.read_text(encoding="utf-8").splitlines()
    _write_lines(path, [line for line in lines if json.loads(line)["trace_id"] in wanted])


def _write_lines(path: Path, lines: list[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(lines) + "\n")
