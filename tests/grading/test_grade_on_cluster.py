"""`ff grade --cluster`: scheduler, workers and model server are real processes, and any of them may die."""

import contextlib
import functools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ff_helpers import __version__
from tests.conftest import FF, ROOT, Project, started
from tests.dask_cluster import Dask, asked, comparable, kill, rows, truths, wait_for, write_traces
from tests.model_server import running

pytest.importorskip("distributed", reason="no Dask: tools/python.sh tools/install.py cluster")


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    """A scheduler with two workers."""
    with Dask(tmp_path_factory.mktemp("dask")) as dask:
        dask.scheduler()
        dask.workers(2)
        yield dask


def words(cluster: str, port: int, *more: str, model: str = "reads:1") -> list[str]:
    spec = f"ollama:{model}@127.0.0.1:{port}"
    files = ["--traces", "traces.jsonl", "--grader", spec, "--ledger", "verdicts.jsonl"]
    return ["grade", *files, "--cluster", cluster, *more]


def test_a_cluster_grades_as_one_machine_does_and_resumes(project: Project, dask: Dask, port: int) -> None:
    write_traces(project.folder / "traces.jsonl", 60)
    done = project.ff(*words(dask.address, port, "--limit", "40", "--concurrency", "2"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("40 verdicts, 0 rows without")
    before = asked(port)
    done = project.ff(*words(dask.address, port, "--concurrency", "2"))
    assert "20 verdicts, 0 rows without" in done.stdout
    assert "40 were in the ledger before" in done.stdout
    assert sum(asked(port)) - sum(before) == 20  # a verdict that is there is not asked for
    here = words(dask.address, port, "--concurrency", "2")
    here = [word.replace("verdicts", "here") for word in here if word not in ("--cluster", dask.address)]
    assert project.ff(*here).returncode == 0
    assert comparable(project.folder / "verdicts.jsonl") == comparable(project.folder / "here.jsonl")


def test_a_grader_without_a_card_is_refused_before_a_trace_is_sent(
    project: Project, dask: Dask, port: int
) -> None:
    path = write_traces(project.folder / "traces.jsonl", 4)
    unknown = [json.loads(line) for line in path.read_text().splitlines()]
    for row in unknown:
        del row["truth"], row["truth_space"]
    path.write_text("".join(json.dumps(row) + "\n" for row in unknown))
    before = sum(asked(port))
    refused = project.ff(*words(dask.address, port))
    assert refused.returncode == 2
    assert "reads:1 is uncalibrated" in refused.stderr
    assert sum(asked(port)) == before


def test_what_cannot_be_is_said_at_once(project: Project, dask: Dask, port: int, tmp_path: Path) -> None:
    write_traces(project.folder / "traces.jsonl", 4)
    for address, said in {
        "tcp://nowhere": "is not a cluster. Allowed: tcp://HOST:PORT",
        "local:0": "is not a cluster",
        "tcp://127.0.0.1:1": "no Dask scheduler answers within 5 seconds. Start one with `dask scheduler",
        f"tcp://127.0.0.1:{port}": "what answers is not a Dask scheduler",
    }.items():
        refused = project.ff(*words(address, port))
        assert refused.returncode == 2
        assert said in refused.stderr
    read = [w if "ollama" not in w else "recorded:x.jsonl" for w in words(dask.address, port)]
    recorded = project.ff(*read)
    assert "needs no cluster: leave out --cluster" in recorded.stderr
    gone = project.ff(*words(dask.address, 1))
    assert "worker tcp://127.0.0.1:" in gone.stderr
    assert "no Ollama server answers at http://127.0.0.1:1" in gone.stderr
    with Dask(tmp_path / "empty") as empty:
        empty.scheduler()
        alone = project.ff(*words(empty.address, port))
    assert "the scheduler has no workers. Start some with `dask worker" in alone.stderr
    assert not (project.folder / "verdicts.jsonl").exists()


def test_without_dask_the_error_says_how_to_install_it(project: Project, tmp_path: Path) -> None:
    write_traces(project.folder / "traces.jsonl", 4)
    (tmp_path / "distributed.py").write_text("raise ImportError\n")
    env = project.env | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    command = [*FF, *words("tcp://127.0.0.1:1", 1)]
    refused = subprocess.run(
        command, cwd=project.folder, env=env, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "Install it with `tools/python.sh tools/install.py cluster`" in refused.stderr


def test_an_error_on_a_worker_is_named_and_what_was_graded_is_kept(project: Project, dask: Dask) -> None:
    write_traces(project.folder / "traces.jsonl", 30)
    with running() as port:
        ended = project.ff(*words(dask.address, port, model="vanishes:1"))
    assert ended.returncode == 2
    assert "worker tcp://127.0.0.1:" in ended.stderr
    assert "has no model vanishes:1" in ended.stderr
    assert len(rows(project.folder / "verdicts.jsonl")) == 3
    logs = "".join(path.read_text() for path in dask.folder.glob("*.log"))
    assert "code 0" not in logs  # no text of a trace


def test_a_worker_of_other_code_is_refused_by_name(project: Project, port: int, tmp_path: Path) -> None:
    write_traces(project.folder / "traces.jsonl", 4)
    shutil.copytree(ROOT / "ff_helpers", tmp_path / "other" / "ff_helpers")
    with (tmp_path / "other/ff_helpers/grading/rendering.py").open("a") as file:
        file.write("\n# changed\n")
    with Dask(tmp_path / "dask") as dask:
        dask.scheduler()
        dask.workers(1)
        dask.workers(1, "--name", "old", env={"PYTHONPATH": str(tmp_path / "other")})
        refused = project.ff(*words(dask.address, port))
        log = (dask.folder / "worker-2.log").read_text()
        address = next(w for w in log.split() if w.startswith("tcp://") and dask.address not in w)
    assert refused.returncode == 2
    assert f"worker {address} has ff_helpers {__version__} (code" in refused.stderr
    assert "mend or end that worker" in refused.stderr
    assert not (project.folder / "verdicts.jsonl").exists()


def begin(project: Project, words: Sequence[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*FF, *words], cwd=project.folder, env=project.env,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def has_reached(ledger: Path, moment: int, campaign: "subprocess.Popen[str]") -> bool:
    return len(rows(ledger)) >= moment or campaign.poll() is not None


@pytest.mark.parametrize("seed", [1])
def test_workers_scheduler_and_client_may_die_at_any_moment(
    project: Project, tmp_path: Path, seed: int
) -> None:
    total, draw = 240, random.Random(seed)
    ledger = project.folder / "verdicts.jsonl"
    write_traces(project.folder / "traces.jsonl", total)
    moments = sorted(draw.sample(range(10, total - 40), 4))

    with running("--latency", "0.05") as port, Dask(tmp_path / "dask") as dask:
        asked_for = words(dask.address, port)
        scheduler, living = dask.scheduler(), dask.workers(2)
        campaign, said = begin(project, asked_for), []
        for what, moment in zip(("worker", "scheduler", "client", "worker"), moments, strict=True):
            reached = functools.partial(has_reached, ledger, moment, campaign)
            wait_for(reached, f"{moment} rows")
            assert campaign.poll() is None, campaign.communicate()
            if what == "worker":
                kill(living.pop(draw.randrange(len(living))))
                living += dask.workers(1)
            elif what == "scheduler":
                kill(scheduler)
                said.append(campaign.communicate()[1])
                for worker in living:
                    kill(worker)
                scheduler, living = dask.scheduler(), dask.workers(2)
                campaign = begin(project, asked_for)
            else:
                campaign.send_signal(signal.SIGKILL)
                campaign.communicate()
                campaign = begin(project, asked_for)
        _, err = campaign.communicate()
        assert campaign.returncode == 0, err
        times = asked(port)
    assert f"{dask.address}: the scheduler is gone. Start one with" in said[0]
    assert "Traceback" not in said[0] + err
    here = [word.replace("verdicts", "here") for word in words("", 0)[:-2]]
    with running() as again:
        here[4] = f"ollama:reads:1@127.0.0.1:{again}"
        assert project.ff(*here).returncode == 0
    assert comparable(ledger) == comparable(project.folder / "here.jsonl")
    assert len(rows(ledger)) == total
    # What was asked for again is what was in flight at a death: two chunks of at most two per worker.
    assert len(times) == total
    assert sum(times) - total <= 4 * 2 * 2 * 2


@pytest.fixture
def far(tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    """A network namespace behind a link: its name, the link, the address of this side of it."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and `ip`")
    name = f"ff{os.getpid()}"
    subnet = f"10.{os.getpid() % 200 + 20}.7"
    steps = [
        f"netns add {name}",
        f"link add {name}h type veth peer name {name}n",
        f"link set {name}n netns {name}",
        f"addr add {subnet}.1/24 dev {name}h",
        f"link set {name}h up",
        f"-n {name} addr add {subnet}.2/24 dev {name}n",
        f"-n {name} link set {name}n up",
        f"-n {name} link set lo up",
    ]
    try:
        for step in steps:
            done = subprocess.run(["ip", *step.split()], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                pytest.skip(f"no network namespaces here: ip {step}: {done.stderr.strip()}")
        yield name, f"{name}h", f"{subnet}.1"
    finally:
        subprocess.run(["ip", "link", "del", f"{name}h"], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def test_a_worker_is_cut_off_and_comes_back(
    project: Project, tmp_path: Path, far: tuple[str, str, str]
) -> None:
    name, link, host = far
    total, there = 300, ("ip", "netns", "exec", name)
    ledger = project.folder / "verdicts.jsonl"
    write_traces(project.folder / "traces.jsonl", total)
    quick = {
        "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "3s",
        "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s",
    }
    served = [sys.executable, "-m", "tests.model_server", "--latency", "0.1", "--port"]
    with running("--latency", "0.1") as port, Dask(tmp_path / "dask", host, **quick) as dask:
        # The spec names 127.0.0.1: in the namespace that is another server, as on another machine.
        log = tmp_path / "dask" / "scheduler-0.log"
        with started([*there, *served, str(port)], cwd=ROOT) as server:
            assert int(server.stdout.readline()) == port
            dask.scheduler()
            dask.workers(1)
            (cut,) = dask.workers(1, inside=there)
            campaign = begin(project, words(dask.address, port))
            wait_for(lambda: has_reached(ledger, 30, campaign), "rows")
            subprocess.run(["ip", "link", "set", link, "down"], check=True)
            before = len(rows(ledger))
            wait_for(lambda: "failed to heartbeat" in log.read_text(), "the scheduler to miss a worker")
            wait_for(lambda: has_reached(ledger, before + 20, campaign), "rows of the other one")
            assert campaign.poll() is None
            subprocess.run(["ip", "link", "set", link, "up"], check=True)
            wait_for(lambda: cut.poll() is not None, "the end of the worker that was cut off")
            dask.workers(1, inside=there)
            _, err = campaign.communicate()
    assert campaign.returncode == 0, err
    found = comparable(ledger)
    assert len(found) == len({row["trace_id"] for row in found}) == total
    assert {row["trace_id"]: row["verdict"] for row in found} == truths(project.folder / "traces.jsonl")


SBATCH = """#!/bin/sh
# Runs the script of a job at once, as SLURM would on a node, and says its number.
setsid sh "$1" >"$FF_JOBS/$$.log" 2>&1 &
echo $! >>"$FF_JOBS/running"
echo "Submitted batch job $!"
"""


def test_slurm_is_asked_for_jobs_that_grade(project: Project, tmp_path: Path, port: int) -> None:
    pytest.importorskip("dask_jobqueue", reason="no dask-jobqueue: tools/python.sh tools/install.py cluster")
    write_traces(project.folder / "traces.jsonl", 20)
    tools, jobs = tmp_path / "bin", tmp_path / "jobs"
    for folder in (tools, jobs, tmp_path / "dask"):
        folder.mkdir()
    (tools / "sbatch").write_text(SBATCH)
    (tools / "scancel").write_text('#!/bin/sh\nfor job in "$@"; do kill -- -"$job"; done\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    options = {"cores": 1, "memory": "1GB", "processes": 1, "python": sys.executable}
    (tmp_path / "dask" / "jobqueue.yaml").write_text(json.dumps({"jobqueue": {"slurm": options}}))
    env = {
        "PATH": f"{tools}:{os.environ['PATH']}", "FF_JOBS": str(jobs), "PYTHONPATH": str(ROOT),
        "DASK_CONFIG": str(tmp_path / "dask"),
    }  # fmt: skip
    try:
        done = subprocess.run(
            [*FF, *words("slurm:2", port)],
            cwd=project.folder, env=project.env | env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("20 verdicts, 0 rows without")
        assert len((jobs / "running").read_text().split()) == 2
    finally:
        for job in (jobs / "running").read_text().split() if (jobs / "running").exists() else []:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(job), signal.SIGKILL)
