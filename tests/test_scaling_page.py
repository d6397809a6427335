"""docs/scaling.md, large.md: the script of its array jobs and the commands after it, as they stand there."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from ff_helpers.cli.text import ranges
from ff_helpers.grading.shards import shard_of
from tests.conftest import ROOT, Project
from tests.dask_cluster import Dask, comparable
from tests.object_store import object_store

PAGE = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
LARGE = (ROOT / "docs" / "large.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE + LARGE, re.DOTALL)
GRADER = "gguf:model.gguf"
JOBS = 16


def commands(block: str) -> list[str]:
    return [line.removeprefix("ff ") for line in block.splitlines() if line.startswith("ff ")]


def test_the_jobs_of_an_array_and_the_merge_grade_every_trace(project: Project) -> None:
    traces = (ROOT / "data" / "calibration" / "written.jsonl").read_bytes()
    (project.folder / "traces.jsonl").write_bytes(traces)
    script, after = BLOCKS[:2]
    assert f"#SBATCH --array=1-{JOBS}\n" in script
    (job,) = commands(script)
    assert GRADER in job
    for number in range(1, JOBS + 1):
        words = job.replace("$SLURM_ARRAY_TASK_ID", str(number)).replace(GRADER, "heuristic")
        done = project.ff(*shlex.split(words))
        assert done.returncode == 0, done.stderr
    merge, rates = (shlex.split(line, comments=True) for line in commands(after))
    (pattern,) = [word for word in merge if "*" in word]
    there = sorted(path.name for path in project.folder.glob(pattern))
    assert len(there) == JOBS
    told = project.ff(*merge[: merge.index(pattern)], *there, *merge[merge.index(pattern) + 1 :])
    assert told.returncode == 0, told.stderr
    rows = len(traces.splitlines())
    assert f"verdicts.jsonl: {rows} records from {JOBS} ledgers" in told.stdout
    assert f"all {rows} traces are graded" in told.stdout
    shards = {shard_of(json.loads(line)["trace_id"], JOBS) for line in traces.splitlines()}
    assert f"shards of {JOBS}: {ranges(sorted(shards))}\n" in told.stdout
    assert "not in it" not in told.stdout  # a shard to which no trace belongs is no hole
    assert project.ff(*rates).returncode == 0


def test_the_variable_that_counts_from_0_is_marked(project: Project) -> None:
    refused = project.ff(
        "grade", "--traces", "t", "--grader", "heuristic", "--ledger", "l", "--shard", "0/16"
    )
    assert refused.returncode == 2
    assert "with I from 1 to N" in refused.stderr
    assert "$((JOB_COMPLETION_INDEX + 1))" in PAGE


def test_a_cluster_is_started_and_grades(project: Project, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="no Dask: tools/python.sh tools/install.py cluster")
    traces = (ROOT / "data" / "calibration" / "written.jsonl").read_bytes()
    (project.folder / "traces.jsonl").write_bytes(traces)
    begun = [line.split("#")[0].split() for line in BLOCKS[2].splitlines() if line.startswith("dask ")]
    assert begun == [["dask", "scheduler", "--port", "8786"], ["dask", "worker", "tcp://gpu1:8786"]]
    remote, local = (line.replace("ollama:qwen3:8b", "heuristic") for line in commands(BLOCKS[2]))
    with Dask(tmp_path / "dask") as dask:
        dask.scheduler()
        dask.workers(1)
        done = project.ff(*shlex.split(remote.replace("tcp://gpu1:8786", dask.address)))
    rows = len(traces.splitlines())
    assert f"{rows} verdicts, 0 rows without" in done.stdout, done.stderr
    assert "--cluster local:2" in local
    again = project.ff(*shlex.split(local.replace("verdicts", "again")))
    assert f"{rows} verdicts, 0 rows without" in again.stdout, again.stderr
    assert comparable(project.folder / "verdicts.jsonl") == comparable(project.folder / "again.jsonl")


def test_the_plan_and_the_compact_ledger_are_made_and_counted(project: Project) -> None:
    traces = (ROOT / "data" / "calibration" / "written.jsonl").read_bytes()
    (project.folder / "traces.jsonl").write_bytes(traces)
    (plan,) = commands(BLOCKS[3])
    done = project.ff(*shlex.split(plan.replace("ollama:qwen3:8b", "heuristic")))
    assert "20 traces drawn at random are graded, 14 of 34 are left" in done.stdout, done.stderr
    (project.folder / "folder").mkdir()
    (project.folder / "folder" / "a.jsonl").write_bytes((project.folder / "verdicts.jsonl").read_bytes())
    compact, *counts = commands(BLOCKS[4])
    assert "verdicts.parquet: 20 rows" in project.ff(*shlex.split(compact, comments=True)).stdout
    said = [project.ff(*shlex.split(line, comments=True)).stdout for line in counts]
    assert len(said) == 2
    assert all("20 rows counted" in one for one in said)


def test_a_folder_is_counted_on_a_cluster(project: Project) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed: tools/install.py cluster")
    shutil.copy(ROOT / "data" / "calibration" / "written.jsonl", project.folder / "traces.jsonl")
    for name in ("1/2", "2/2"):
        ledger = f"folder/{name[0]}.jsonl"
        words = ("--traces", "traces.jsonl", "--grader", "heuristic", "--shard", name)
        assert project.ff("grade", *words, "--ledger", ledger).returncode == 0
    (block,) = [one for one in BLOCKS if "--cluster tcp" in one and "ff asr" in one]
    (line,) = commands(block)
    words = shlex.split(line.replace("tcp://HOST:8786", "local:1"))
    told = project.ff(*words)
    assert "34 rows counted" in told.stdout, told.stderr
    assert told.stdout == project.ff(*words[:-2]).stdout


def test_the_commands_on_object_stores_run(project: Project) -> None:
    pytest.importorskip("upath", reason="universal-pathlib is not installed: tools/install.py stores")
    study = project.folder / "buckets" / "bucket" / "study"
    study.mkdir(parents=True)
    shutil.copy(ROOT / "data" / "calibration" / "written.jsonl", study / "traces.jsonl")
    traces = str(study / "traces.jsonl")
    project.ff("grade", "--traces", traces, "--grader", "heuristic", "--ledger", str(study / "v.jsonl"))
    project.ff("ledger", "compact", str(study / "v.jsonl"), "--traces", traces)
    with object_store(project.folder / "buckets") as store:
        project.env |= store.environment
        said = [project.ff(*shlex.split(line)) for line in commands(BLOCKS[-1])]
    assert [one.returncode for one in said] == [0, 0, 0], said[0].stderr
    first, second = (one.stdout.partition("\n")[2] for one in said[:2])
    assert "34 rows counted" in said[0].stdout
    assert first.splitlines()[-5:] == second.splitlines()[-5:]
