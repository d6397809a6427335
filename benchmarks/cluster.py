"""Grading on a cluster whose processes are killed at random moments, many times, and what it lost.

A scheduler, four workers and the command are processes of their own; so is the model server, which counts
what it was asked. One of them is killed (`kill -9`) at a time, and started again.
"""

import random
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.table import Row
from tests.conftest import FF
from tests.dask_cluster import Dask, asked, kill, rows, truths, write_traces
from tests.model_server import running

TRACES = 2000
WORKERS = 4
SEED = 1
KILLED = {"worker": 20, "scheduler": 3, "client": 3}


def cluster() -> list[Row]:
    """Kill workers, schedulers and commands until every trace has its verdict."""
    draw, killed, ended = random.Random(SEED), Counter[str](), 0
    what = [name for name, times in KILLED.items() for _ in range(times)]
    draw.shuffle(what)
    moments = sorted(draw.sample(range(20, TRACES * 7 // 10), len(what)))
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as place,
        running("--latency", "0.2") as port,
        Dask(Path(place) / "dask") as dask,
    ):
        folder = Path(place)
        ledger, traces = folder / "verdicts.jsonl", write_traces(folder / "traces.jsonl", TRACES)
        spec = f"ollama:reads:1@127.0.0.1:{port}"
        command = [
            "grade",
            "--traces",
            traces,
            "--grader",
            spec,
            "--ledger",
            ledger,
            "--cluster",
            dask.address,
        ]

        def begin() -> "subprocess.Popen[bytes]":
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            return subprocess.Popen([*FF, *map(str, command)], start_new_session=True, **quiet)

        scheduler, living, campaign = dask.scheduler(), dask.workers(WORKERS), begin()
        while moments or campaign.poll() is None:
            if campaign.poll() is not None:  # it lost its scheduler, or it is done
                if campaign.returncode == 0:
                    break
                ended += 1
                campaign = begin()
            if not moments or len(rows(ledger)) < moments[0]:
                time.sleep(0.05)
                continue
            moments.pop(0)
            name = what.pop()
            killed[name] += 1
            if name == "worker":
                kill(living.pop(draw.randrange(len(living))))
                living += dask.workers(1)
            elif name == "client":
                kill(campaign)
                campaign = begin()
            else:
                for process in (scheduler, *living):
                    kill(process)
                scheduler, living = dask.scheduler(), dask.workers(WORKERS)
        again = begin()  # what is left, if anything
        again.wait()
        found, times, true = rows(ledger), asked(port), truths(traces)
    seconds = time.monotonic() - begun
    verdicts = Counter(str(row["trace_id"]) for row in found if row["verdict"])
    lost = len(true.keys() - verdicts.keys())
    twice = sum(count > 1 for count in verdicts.values())
    wrong = sum(true[str(row["trace_id"])] != row["verdict"] for row in found)
    told = ", ".join(f"{killed[name]} {name}s" for name in KILLED)
    return [
        Row("killed (kill -9)", told),
        Row("campaigns that ended with an error and were started again", f"{ended}"),
        Row("requests asked again", f"{sum(times) - TRACES} of {TRACES:,}, {sum(killed.values())} kills"),
        Row("verdicts lost", f"{lost}", float(lost), "the verdicts", most=0.0),
        Row("verdicts twice", f"{twice}", float(twice), "the verdicts", most=0.0),
        Row("verdicts other than alone", f"{wrong}", float(wrong), "the verdicts", most=0.0),
        Row("time", f"{seconds:.0f} s"),
    ]
