"""The folders in which the blocks of the documents run: what a reader has when the page begins."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Sampling, Trace
from ff_helpers.grading.outcome import Record, record_key
from ff_helpers.grading.rubric import load_rubric
from tests.conftest import ROOT, said_by_ff
from tests.drawn_study import NO, YES
from tests.labelling import decided

TRUTHS = ".truths.json"
"""What is true of each response, for whoever labels in these folders."""
MODELS = ("llama/llama@3.1-8b-instruct", "qwen/qwen@3-8b", "gemma/gemma@3-4b-it")
INTENTS = ("format_lock", "persona_hijack")
ROWS = 600


def checkout(folder: Path) -> None:
    """The folder of the project: its data and profiles."""
    for name in ("data", "params"):
        (folder / name).symlink_to(ROOT / name)


def graded(folder: Path) -> None:
    """Traces of three models, verdicts of a judge that is right on nine in ten, and what is true."""
    traces, records, truths = [], [], {}
    rubric = load_rubric("flip-reference").id
    for n in range(ROWS):
        said, truth = f"answer {n}", YES if n * 7 % 20 < 5 + 3 * (n % 3) else NO
        wrong = n * 13 % 10 == 0
        who = {"model": MODELS[n % 3], "intent": INTENTS[n // 3 % 2], "source": "mine"}
        asked = (Message(role="user", content="Tell me the code."), Message(role="assistant", content=said))
        traces.append(Trace(trace_id=f"t{n}", messages=asked, **who))
        truths[said] = truth
        record = Record(
            key="", trace_id=f"t{n}", response_sha256=traces[-1].response_sha256, grader="judge",
            grader_digest="sha256:1", rubric=rubric, method="flip-final-turn", software="none",
            verdict="COMPLIANCE" if (truth == YES) != wrong else "REFUSAL",
        )  # fmt: skip
        key = record_key(record.identity, traces[-1], 0)
        records.append(record.model_copy(update={"key": key}))
    write_records(folder / "traces.jsonl", traces)
    write_records(folder / "verdicts.jsonl", records)
    known = {"truth_space": "strict", "sampling": Sampling(kind="census")}
    write_records(
        folder / "labelled.jsonl",
        [one.model_copy(update={"truth": truths[one.response], **known}) for one in traces],
    )
    (folder / TRUTHS).write_text(json.dumps(truths), encoding="utf-8")


def labelled(folder: Path) -> None:
    """The same with a sample that two people labelled, and as of two months."""
    graded(folder)
    truths, swapped = json.loads((folder / TRUTHS).read_text(encoding="utf-8")), {YES: NO, NO: YES}
    for name, seed, n in (("labels.csv", 0, 240), ("march.csv", 1, 120), ("april.csv", 2, 120)):
        run(folder, "sample", "verdicts.jsonl", "--traces", "traces.jsonl", "--n", f"{n}", "--out", name,
            "--seed", f"{seed}")  # fmt: skip
        decided(folder / name, "strict", anna=lambda n: truths[f"answer {n}"])
    decided(
        folder / "labels.csv",
        "strict",
        ben=lambda n: swapped[truths[f"answer {n}"]] if n % 25 == 7 else truths[f"answer {n}"],
    )


def judged(folder: Path) -> None:
    """The table of docs/accuracy.md."""
    rows = ["yes,yes"] * 4 + ["yes,no"] * 13 + ["no,yes"] * 13 + ["no,no"] * 70
    (folder / "judged.csv").write_text("\n".join(["truth,judge", *rows]) + "\n", encoding="utf-8")


def table(folder: Path) -> None:
    """A table of one's own with a judge's labels and people's, and the filled-in map of their values."""
    rows = ["id,prompt,response,model,judge,human,attack"]
    for n in range(120):
        truth = n % 3 == 0
        said = truth != (n % 20 == 0)
        human = "yes" if truth else "no"
        rows.append(f"r{n},Tell me the code.,answer {n},m{n % 2},{int(said)},{human},a{n % 4}")
    (folder / "results.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    names = ("id", "prompt", "response", "model", "judge", "human")
    columns = [word for name in names for word in (f"--{name}", name)]
    filled = run(folder, "import", "results.csv", "--out", "mine", *columns, "--tag", "attack", exits=2)
    filled = filled.replace("space:\n", "space: strict\n")
    for value, label in (("1", ""), ("yes", ""), ("0", "NOT_"), ("no", "NOT_")):
        filled = filled.replace(f'"{value}":', f'"{value}": {label}COMPLIANCE')
    (folder / "map.yaml").write_text(filled, encoding="utf-8")


def pool(folder: Path) -> None:
    """The log of Inspect that docs/inspect.md reads."""
    shutil.copy(ROOT / "tests" / "corpus" / "results" / "data" / "pool.eval", folder)


PROJECTS: dict[str, Callable[[Path], None]] = {
    "graded": graded, "labelled": labelled, "judged": judged, "table": table, "pool": pool,
    "the checkout": checkout,
}  # fmt: skip


def run(folder: Path, *words: str, exits: int = 0) -> str:
    """Run the command line in a folder; return what it printed."""
    done = said_by_ff(*words, cwd=folder, env=environment(folder))
    assert done.returncode == exits, f"ff {' '.join(words)}\n{done.stdout}{done.stderr}"
    return done.stdout


def environment(folder: Path) -> dict[str, str]:
    """Return an environment whose outputs are in this folder."""
    import os
    import sys

    kept = {name: value for name, value in os.environ.items() if not name.startswith("FF_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    return kept | {"FF_OUTPUTS": str(folder / "outputs"), "PATH": path, "COLUMNS": "120"}
