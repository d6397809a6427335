"""`ff init`: a folder for your own study, with an example that runs at once.

The example is harmless: 60 proxy traces with known labels, and a small model's verdicts on them. A folder
with the marker file is a study: `ff` called in it takes params/, data/, notebooks/ and outputs/ from there.
"""

import json
import shutil
from collections import Counter
from pathlib import Path

from ff_helpers import paths
from ff_helpers.errors import FFError

TEMPLATES = Path(__file__).parent / "study"
SHIPPED = paths.PACKAGE.parent
PER_LABEL = 12
_MODELS = ("example A", "example B")
_PLACES = {"study.yaml": "params", "study.ipynb": "notebooks", "README.md": "."}


def begin_study(folder: Path) -> list[str]:
    """Make a study and return the names of its files.

    Raises:
        FFError: the folder is not empty, it cannot be created, or its name cannot be printed.
    """
    if not str(folder).isprintable():
        shown = str(folder).encode("unicode_escape", "backslashreplace").decode()
        raise _refusal(shown, "has characters that cannot be printed", "Choose a plain name")
    try:
        taken = folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir())))
    except OSError as error:
        raise _refusal(folder, f"cannot be created ({error.strerror})", "Name another folder") from None
    if taken:
        problem = "exists and is not empty; nothing was changed"
        raise _refusal(folder, problem, "Name a folder that does not exist yet")
    was_there = folder.exists()
    try:
        _fill(folder)
    except OSError as error:
        # The folder is empty or missing again, so that the same command can be run again.
        shutil.rmtree(folder, ignore_errors=True)
        if was_there:
            folder.mkdir(exist_ok=True)
        problem = f"cannot be created ({error.strerror}: {error.filename or folder})"
        raise _refusal(folder, problem, "Name a folder in a place where you may write") from None
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _refusal(folder: Path | str, problem: str, mend: str) -> FFError:
    return FFError(f"{folder}: {problem}. {mend}: `ff init my-study`.")


def _fill(folder: Path) -> None:
    for name, place in _PLACES.items():
        _copy(TEMPLATES / name, folder / place / name)
    # What commands look up in data/ and params/: with its own copies, each command works in a study.
    for name in (TEMPLATES / "copied.txt").read_text(encoding="utf-8").split():
        _copy(SHIPPED / name, folder / name)
    kept = _write_traces(folder / "data" / "traces.jsonl")
    _write_recorded(folder / "data" / "recorded.jsonl", kept)
    # The marker comes last: a folder that was not completed is not a study.
    _write_lines(folder / paths.STUDY, ["A study: ff reads params/, data/ and notebooks/ here."])


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _write_traces(path: Path) -> set[str]:
    """Write the first proxy traces of each label, under two example model names, and return their ids."""
    shipped = SHIPPED / "data" / "calibration" / "proxies.jsonl"
    traces = [json.loads(line) for line in shipped.read_text(encoding="utf-8").splitlines()]
    seen: Counter[str] = Counter()
    kept = []
    for trace in traces:
        seen[trace["truth"]] += 1
        if seen[trace["truth"]] <= PER_LABEL:
            kept.append(trace)
    for number, trace in enumerate(kept):
        trace["model"] = _MODELS[number % 2]
    _write_lines(path, [json.dumps(trace, ensure_ascii=False) for trace in kept])
    return {trace["trace_id"] for trace in kept}


def _write_recorded(path: Path, wanted: set[str]) -> None:
    shipped = SHIPPED / "data" / "recorded" / "smollm2-135m.jsonl"
    lines = shipped.read_text(encoding="utf-8").splitlines()
    _write_lines(path, [line for line in lines if json.loads(line)["trace_id"] in wanted])


def _write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
