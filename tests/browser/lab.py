"""A real JupyterLab on a throw-away copy of the project, for the tests that grade by hand in it."""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Trace
from tests.conftest import ROOT

CANARY = "Withheld-canary-4417"
QUIET = {"@jupyterlab/apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}'}
SAVING = "@jupyter-widgets/jupyterlab-manager/plugin"


class Lab:
    """A folder with the notebooks and traces of the project, the outputs of `paper`, and Lab's settings.

    Of the review queue a few traces are left, and one withheld trace of ours is added to it.
    """

    def __init__(self, folder: Path, paper: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.outputs = folder / "outputs"
        self.settings = folder / "config" / "lab" / "user-settings"
        for name in ("notebooks", "params", "data"):
            shutil.copytree(ROOT / name, self.project / name)
        shutil.copytree(paper / "paper", self.outputs / "paper")
        self.manual = self.outputs / "paper" / "ledger" / "manual.jsonl"
        messages = (
            Message(role="user", content=f"Please. {CANARY}"),
            Message(role="assistant", content=f"<img src=x onerror=alert(1)> \u202e{CANARY}\u202c {CANARY}"),
        )
        hidden = Trace(trace_id="hidden", model="m", source="s", messages=messages, withheld=True)
        write_records(self.project / "data" / "withheld.jsonl", [hidden])
        queue = self.outputs / "paper" / "tables" / "review_queue.csv"
        kept = queue.read_text(encoding="utf-8").splitlines()[:5]
        first = kept[0].split(",")
        row = ["hidden" if name == "trace_id" else "0" for name in first]
        queue.write_text("\n".join([*kept, ",".join(row)]) + "\n", encoding="utf-8")
        self.total = len(kept)
        for name, text in QUIET.items():
            self.set(name, text)

    def set(self, name: str, text: str) -> None:
        """Write one of Lab's settings, as its menus do."""
        path = self.settings / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def notebook(self, name: str, reviewer: str) -> Path:
        """Copy `grade_by_hand` for a reviewer, who gives a name and the set of the withheld trace."""
        content = json.loads((ROOT / "notebooks" / "grade_by_hand.ipynb").read_text(encoding="utf-8"))
        cell = next(c for c in content["cells"] if "parameters" in c["metadata"].get("tags", []))
        source = "".join(cell["source"]).replace('"anonymous"', repr(reviewer))
        cell["source"] = source.replace("trace_sets = {", 'trace_sets = {"withheld": "data/withheld.jsonl", ')
        path = self.project / "notebooks" / f"{name}.ipynb"
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")
        return path

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Run the server; give its address."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        env = {k: v for k, v in os.environ.items() if not k.startswith(("JPY_", "JUPYTER", "FF_"))}
        env |= {"FF_ROOT": str(self.project), "FF_OUTPUTS": str(self.outputs)}
        env |= {f"JUPYTER_{n.upper()}_DIR": str(self.folder / n) for n in ("config", "data", "runtime")}
        env |= {"IPYTHONDIR": str(self.folder / "ipython")}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
        command += [
            "--ServerApp.port_retries=0",
            "--IdentityProvider.token=",
            f"--notebook-dir={self.project}",
        ]
        address = f"http://127.0.0.1:{port}"
        with (self.folder / "lab.log").open("w") as log:
            server = subprocess.Popen(command, cwd=self.project, env=env, stdout=log, stderr=log)
            try:
                _wait(server, f"{address}/api", self.folder / "lab.log")
                yield address
            finally:
                server.terminate()
                try:
                    server.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    server.kill()


def need_lab() -> None:
    """Skip where JupyterLab is not installed."""
    if importlib.util.find_spec("jupyterlab") is None:
        pytest.skip("no JupyterLab: tools/python.sh tools/install.py lab browser")


def _wait(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    until = time.monotonic() + 180  # a busy machine is slow, and no finding
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")
