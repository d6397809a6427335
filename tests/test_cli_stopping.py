"""Stopping a command: SIGTERM as Ctrl-C, and what is said where Ctrl-C is ignored."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.grading.ledger import read_ledger
from tests.conftest import FF, Project, started
from tests.model_server import running

ROWS = 400
IGNORING = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
"""As a shell without job control starts a background job."""


@pytest.fixture
def campaign(project: Project) -> list[str]:
    """A grading of some ten seconds by a real server process."""
    said = (Message(role="user", content="Code?"), Message(role="assistant", content="No."))
    rows = [
        Trace(trace_id=f"t{n:03d}", model="m", source="s", messages=said, truth="REFUSAL", truth_space="five")
        for n in range(ROWS)
    ]
    write_records(project.folder / "t.jsonl", rows)
    return [*FF, "grade", "--traces", "t.jsonl", "--grader", "ollama:good:1", "--ledger", "v.jsonl"]


def wait_for_rows(ledger: Path) -> int:
    until = time.monotonic() + 60
    while not (ledger.exists() and ledger.read_bytes().count(b"\n") >= 5):
        assert time.monotonic() < until, "nothing was graded"
        time.sleep(0.02)
    return ledger.read_bytes().count(b"\n")


@pytest.mark.parametrize("ignored", [True, False])
def test_sigterm_stops_a_grading_cleanly_also_where_ctrl_c_is_ignored(
    project: Project, campaign: list[str], ignored: bool
) -> None:
    ledger = project.folder / "v.jsonl"
    with running("--latency", "0.02") as port:
        env = project.env | {"OLLAMA_HOST": f"127.0.0.1:{port}"}
        command = [*IGNORING, *campaign] if ignored else campaign
        with started(command, cwd=project.folder, env=env) as process:
            before = wait_for_rows(ledger)
            if ignored:
                process.send_signal(signal.SIGINT)
                while ledger.read_bytes().count(b"\n") < before + 20:
                    assert process.poll() is None, "stopped by the Ctrl-C that it was to ignore"
                    time.sleep(0.02)
            process.terminate()
            said = process.communicate(timeout=20)[1]
    assert process.returncode == 130, said
    assert said.count("ff: Ctrl-C is ignored here, set by what started this command") == ignored
    assert (f"`kill {process.pid}` stops it just as cleanly" in said) == ignored
    assert "ff: interrupted. What was graded is in the ledger: run the same command again" in said
    assert not any(word in said for word in ("Traceback", "never retrieved", "pending", "Warning"))
    assert 5 <= len({record.trace_id for record in read_ledger(ledger)}) < ROWS


def test_a_run_says_so_too_and_a_short_command_does_not(project: Project) -> None:
    project.notebook("a")
    project.profile({"notebook": "a"})

    def said(*words: str) -> str:
        done = subprocess.run(
            [*IGNORING, *FF, *words], cwd=project.folder, env=project.env,
            capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
        return done.stderr

    assert "ff: Ctrl-C is ignored here" in said("run", "params/demo.yaml")
    assert said("run", "params/demo.yaml").count("\n") == 1
    assert "Ctrl-C" not in said("ledger", *ledger_of_one_row(project))


def ledger_of_one_row(project: Project) -> list[str]:
    shipped = Path(__file__).resolve().parent.parent / "data" / "recorded" / "smollm2-135m.jsonl"
    (project.folder / "v.jsonl").write_text(shipped.read_text().splitlines()[0] + "\n")
    return ["v.jsonl"]
