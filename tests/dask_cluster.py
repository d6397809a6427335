"""A real Dask scheduler and real workers, each a process of its own, that can be killed and started again."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.conftest import ROOT

PATIENCE = 120.0
"""Seconds after which a test gives up on a busy machine."""


def free_port() -> int:
    """Return a port that nobody listens to."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(true: Callable[[], object], what: str) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.02)


class Dask:
    """Processes of one cluster; all of them are gone at its end.

    Args:
        folder: where their logs go.
        inside: words before each command, such as `ip netns exec NAME`.
    """

    def __init__(self, folder: Path, host: str = "127.0.0.1", **env: str) -> None:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.folder, self.host, self.port, self.env = folder, host, free_port(), environment | env
        self.address = f"tcp://{host}:{self.port}"
        self.started: list[subprocess.Popen[bytes]] = []
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.started:
            kill(process)

    def scheduler(self, *more: str, inside: Sequence[str] = ()) -> "subprocess.Popen[bytes]":
        """Start the scheduler and wait until it listens."""
        words = ["scheduler", "--host", self.host, "--port", str(self.port), "--no-dashboard", *more]
        return self._start(words, "Scheduler at", inside=inside)

    def workers(
        self,
        count: int,
        *more: str,
        nanny: bool = False,
        inside: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> "list[subprocess.Popen[bytes]]":
        """Start workers at once and wait until the scheduler knows them."""
        words = ["worker", self.address, "--nthreads", "1", "--no-dashboard"]
        words += [*([] if nanny else ["--no-nanny"]), "--local-directory", str(self.folder), *more]
        begun = [self._begin(words, inside=inside, env=env) for _ in range(count)]
        for process, log in begun:
            self._until(process, log, "Starting established connection")
        return [process for process, _ in begun]

    def _start(
        self, words: Sequence[str], ready: str, *, inside: Sequence[str] = ()
    ) -> "subprocess.Popen[bytes]":
        process, log = self._begin(words, inside=inside)
        self._until(process, log, ready)
        return process

    def _begin(
        self, words: Sequence[str], *, inside: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> "tuple[subprocess.Popen[bytes], Path]":
        log = self.folder / f"{words[0]}-{len(self.started)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*inside, sys.executable, "-m", "dask", *words],
                cwd=self.folder, env=self.env | dict(env or {}), start_new_session=True,
                stdout=out, stderr=out,
            )  # fmt: skip
        self.started.append(process)
        return process, log

    @staticmethod
    def _until(process: "subprocess.Popen[bytes]", log: Path, ready: str) -> None:
        wait_for(lambda: ready in log.read_text() or process.poll() is not None, f"{ready}: {log}")
        assert process.poll() is None, log.read_text()


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process with all that it started, at once."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def asked(port: int) -> list[int]:
    """Return how often the model server was asked each request."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/asked", timeout=PATIENCE) as answer:
        found: list[int] = json.load(answer)
    return found


def write_traces(path: Path, rows: int) -> Path:
    """Write labelled traces: refusals and codes in turn."""
    with path.open("w") as file:
        for number in range(rows):
            gave = number % 2
            text = f"Here is code {number}." if gave else f"I cannot tell you code {number}."
            said = [("user", "Tell me the code."), ("assistant", text)]
            trace = {
                "trace_id": f"t-{number:04d}", "model": "m", "source": "test",
                "truth": "COMPLIANCE" if gave else "REFUSAL", "truth_space": "five",
                "messages": [{"role": role, "content": text} for role, text in said],
            }  # fmt: skip
            file.write(json.dumps(trace) + "\n")
    return path


def rows(ledger: Path) -> list[dict[str, object]]:
    """Return the complete records of a ledger."""
    if not ledger.exists():
        return []
    return [json.loads(line) for line in ledger.read_text().splitlines(keepends=True) if line.endswith("\n")]


def comparable(ledger: Path) -> list[dict[str, object]]:
    """Return the records by trace, without the times."""
    kept = [{k: v for k, v in row.items() if k not in ("started", "duration_s")} for row in rows(ledger)]
    return sorted(kept, key=lambda row: str(row["trace_id"]))


def truths(traces: Path) -> dict[str, str]:
    """Return the truth of each trace."""
    return {row["trace_id"]: row["truth"] for row in map(json.loads, traces.read_text().splitlines())}
