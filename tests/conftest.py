"""What several rooms' tests share: a throw-away project, and one built `paper` for the whole session."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import hypothesis
import pytest

from ff_helpers.cli import main
from ff_helpers.corpus.traces import Message, Trace
from tests.model_server import running

# nohup and background jobs start us with SIGINT ignored, and what a test starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine makes examples slow; that is no finding about the code. Examples are the same in every run:
# a failure is of the code, not of luck. `pytest --hypothesis-profile=search` looks for new ones.
_SLOW = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile("ff", deadline=None, suppress_health_check=_SLOW, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None, suppress_health_check=_SLOW, max_examples=2000)
hypothesis.settings.load_profile("ff")
FRAMES = hypothesis.settings(max_examples=25)
"""For properties of frames, where an example costs a hundred times one of numbers."""

ROOT = Path(__file__).resolve().parent.parent
FF = (sys.executable, "-m", "ff_helpers.cli")


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than cores: many tests wait for a server that is slow or silent on purpose."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


@contextlib.contextmanager
def started(command: Sequence[str], **how: object) -> "Iterator[subprocess.Popen[str]]":
    """Start a process with its output in pipes; it is gone and reaped afterwards, however the test ended."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **(pipes | how)) as process:
        try:
            yield process
        finally:
            process.kill()


def said_by_ff(*arguments: str, cwd: Path, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run the command line in this process, with that folder and environment, and return what it said."""
    before, out, err = dict(os.environ), io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            os.environ.clear()
            os.environ.update(env)
            code = main(arguments)
        except SystemExit as ended:  # argparse
            code = ended.code
        finally:
            os.environ.clear()
            os.environ.update(before)
    return subprocess.CompletedProcess([*FF, *arguments], code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The outputs folder of `paper`, built once, also when several workers ask for it.

    Under another hash seed than the one that the reference sums were made with, and without fetched parts.
    FF_TEST_PAPER names an outputs folder that holds it already; only what changed is run again there.
    """
    import fcntl

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    given = os.environ.get("FF_TEST_PAPER")
    outputs = Path(given).resolve() if given else shared / "paper-outputs"
    with (shared / "paper.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = shared / "paper-built"
        if not done.exists():
            outputs.mkdir(exist_ok=True)
            conditions = {"FF_OUTPUTS": str(outputs), "FF_PARTS": str(shared / "none"), "PYTHONHASHSEED": "7"}
            run = subprocess.run(
                [*FF, "run", "params/paper.yaml"],
                cwd=ROOT, env=os.environ | conditions,
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert run.returncode == 0, f"`ff run params/paper.yaml` failed:\n{run.stdout}\n{run.stderr}"
            done.touch()
    return outputs


@pytest.fixture(scope="session")
def port():
    """Run a real server process that speaks Ollama's protocol and OpenAI's; yield its port."""
    with running() as port:
        yield port


@pytest.fixture
def make_trace():
    """Return a function that makes a trace of one exchange."""

    def make(response, *, prompt="Tell me the code.", trace_id="t-1", **fields):
        messages = (Message(role="user", content=prompt), Message(role="assistant", content=response))
        return Trace(trace_id=trace_id, model="m", source="test", messages=messages, **fields)

    return make


class Project:
    """A throw-away project folder with small notebooks, and the command line pointed at it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outputs = folder / "outputs" / "demo"
        for name in ("notebooks", "params", "data"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.env = os.environ | {"FF_ROOT": str(folder), "FF_OUTPUTS": str(folder / "outputs")}

    def notebook(self, name: str, *sources: str, parameters: str = "") -> None:
        """Write a notebook: a parameters cell, then one code cell a source; `run` is ready to be used."""
        start = "import ff_helpers as ff\nrun = ff.start(profile, as_of=as_of)"
        cells = [
            {
                "cell_type": "code", "execution_count": None, "id": f"c{number:02}", "outputs": [],
                "metadata": {"tags": ["parameters"]} if number == 1 else {},
                "source": source,
            }
            for number, source in enumerate(
                [f'profile = "demo"\nas_of = "2026-01-01"\n{parameters}'.strip(), start, *sources], start=1
            )
        ]  # fmt: skip
        content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (self.folder / "notebooks" / f"{name}.ipynb").write_text(json.dumps(content))

    def profile(self, *steps: dict[str, object], **changed: object) -> Path:
        """Write params/demo.yaml (JSON is YAML) and return its path."""
        content = {"profile": "demo", "as_of": "2026-01-01", "steps": list(steps)} | changed
        path = self.folder / "params" / "demo.yaml"
        path.write_text(json.dumps(content, default=str))
        return path

    def ff(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        """Run the command line in the project and return what it said; in this very process, which is quick.

        What is about a process (signals, terminals, imports) starts one: `[*FF, ...]`.
        """
        return said_by_ff(*arguments, cwd=self.folder, env=self.env | env)

    def run(self, *more: str) -> "subprocess.CompletedProcess[str]":
        """`ff run params/demo.yaml`."""
        return self.ff("run", "params/demo.yaml", *more)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty throw-away project."""
    return Project(tmp_path / "project")
