"""Many traces at once: interrupts, faults and full disks keep what was graded."""

import asyncio
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ff_helpers.chat.progress import Progress
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.ledger import Ledger, read_ledger
from ff_helpers.grading.outcome import GraderSetup, Outcome
from ff_helpers.grading.stream import grade_all
from ff_helpers.terms import Identity
from tests.conftest import started

ROOT = Path(__file__).resolve().parents[2]


class Steps:
    """A grader of this test: answers after a while, and at one trace does what it is told to."""

    is_model = True

    def __init__(self, slots=1, seconds=0.0, at=None, then=None):
        self.slots, self.seconds, self.at, self.then = slots, seconds, at, then
        who = Identity("steps", "d", rubric="r@1", method="flip-final-turn")
        self.setup = GraderSetup(who, None, 1, "s")
        self.closed = 0
        self.now = self.most = 0

    def fit(self, traces):
        pass

    async def grade(self, trace, repeat):
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.seconds)
            if trace.trace_id == self.at:
                return self.then()
            return Outcome(verdict="REFUSAL", raw="\ud800 half a character")
        finally:
            self.now -= 1

    async def close(self):
        self.closed += 1


def fail(error):
    def then():
        raise error

    return then


def traces(count, start=0):
    for n in range(start, start + count):
        messages = (Message(role="user", content="Code?"), Message(role="assistant", content=f"No. {n}"))
        yield Trace(trace_id=f"t{n:05d}", model="m", source="s", messages=messages), 0


def graded(path):
    return [record.trace_id for record in read_ledger(path)]


def test_as_many_are_in_flight_as_there_are_slots_and_each_trace_is_graded_once(tmp_path):
    grader, progress = Steps(slots=7, seconds=0.002), Progress("t", 300)
    with Ledger(tmp_path / "v.jsonl") as ledger:
        grade_all(grader, traces(300), ledger, progress)
        assert sorted(graded(ledger.path)) == [f"t{n:05d}" for n in range(300)]
    assert (grader.most, grader.closed) == (7, 1)
    assert (progress.done, dict(progress.counts)) == (300, {"REFUSAL": 300})


def test_traces_are_taken_as_they_are_needed_not_all_at_once(tmp_path):
    taken = []

    def watched():
        for pair in traces(50):
            taken.append(len(graded(tmp_path / "v.jsonl")))
            yield pair

    with Ledger(tmp_path / "v.jsonl") as ledger:
        grade_all(Steps(slots=2, seconds=0.06), watched(), ledger, Progress("t", 50))
    assert max(taken) >= 10  # rows were on disk by time, long before the last trace was taken


def test_a_grader_that_never_waits_lets_the_disk_keep_up(tmp_path):
    class Instant(Steps):
        async def grade(self, trace, repeat):
            return Outcome(verdict="REFUSAL")

    most = 0

    def watched():
        nonlocal most
        for place, pair in enumerate(traces(2000)):
            most = max(most, place - progress.done)
            yield pair

    progress = Progress("t", 2000)
    with Ledger(tmp_path / "v.jsonl") as ledger:
        grade_all(Instant(), watched(), ledger, progress)
    assert progress.done == 2000
    assert most <= 256


def test_a_row_without_a_verdict_is_a_row(tmp_path):
    grader = Steps(at="t00003", then=lambda: Outcome(status="timeout", reason="no answer in time"))
    with Ledger(tmp_path / "v.jsonl") as ledger:
        grade_all(grader, traces(5), ledger, Progress("t", 5))
    assert [r.status for r in read_ledger(tmp_path / "v.jsonl")] == [None, None, None, "timeout", None]


class NoServerError(FFError):
    pass


@pytest.mark.parametrize("error", [NoServerError("no server: `ollama serve`"), ZeroDivisionError()])
def test_where_nothing_can_work_or_a_defect_strikes_what_was_graded_is_committed(tmp_path, error):
    grader = Steps(slots=3, seconds=0.002, at="t00100", then=fail(error))
    begun = time.monotonic()
    with pytest.raises(type(error)), Ledger(tmp_path / "v.jsonl") as ledger:
        grade_all(grader, traces(100_000), ledger, Progress("t", 100_000))
    assert time.monotonic() - begun < 5
    assert grader.closed == 1
    assert set(graded(tmp_path / "v.jsonl")) >= {f"t{n:05d}" for n in range(98)}


def test_a_full_disk_in_the_middle_stops_at_once_also_while_requests_hang(tmp_path):
    code = """
        import resource, signal, sys, time
        from pathlib import Path
        from ff_helpers.chat.progress import Progress
        from ff_helpers.errors import FFError
        from ff_helpers.grading.ledger import Ledger
        from ff_helpers.grading.stream import grade_all
        from tests.grading.test_pool import Steps, traces
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))

        class Hangs(Steps):
            async def grade(self, trace, repeat):
                self.seconds = 60 if trace.trace_id > "t01000" else 0.0
                return await super().grade(trace, repeat)

        progress, grader = Progress("t", 5000), Hangs(slots=4)
        try:
            with Ledger(Path(sys.argv[1])) as ledger:
                grade_all(grader, traces(5000), ledger, progress)
        except FFError as error:
            print(type(error).__name__, progress.done, grader.closed, error)
    """
    command = [sys.executable, "-X", "dev", "-c", textwrap.dedent(code), str(tmp_path / "v.jsonl")]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=30)
    name, done, closed, *words = run.stdout.split()
    assert (name, closed) == ("JournalWriteError", "1")
    assert "Make room" in " ".join(words)
    assert int(done) == len(graded(tmp_path / "v.jsonl")) > 0
    assert complaints(run.stderr) == ""


INTERRUPTED = """
    import sys
    from pathlib import Path
    from ff_helpers.chat.progress import Progress
    from ff_helpers.grading.ledger import Ledger
    from ff_helpers.grading.stream import grade_all
    from tests.grading.test_pool import Steps, traces
    grader = Steps(slots=5, seconds=0.02)
    try:
        with Ledger(Path(sys.argv[1])) as ledger:
            grade_all(grader, traces(100_000), ledger, Progress("t", 100_000))
    finally:
        print("closed", grader.closed)
"""


def complaints(text):
    """What a child in development mode said, but for how slow this machine is."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("Executing <"))


def wait_for_rows(path, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if path.exists() and path.read_bytes().count(b"\n") > 20:
            return
        time.sleep(0.05)
    raise AssertionError("no rows")


def test_ctrl_c_in_a_terminal_commits_closes_and_complains_of_nothing(tmp_path):
    path = tmp_path / "v.jsonl"
    command = [sys.executable, "-X", "dev", "-c", textwrap.dedent(INTERRUPTED), str(path)]
    with started(command, cwd=ROOT) as child:
        wait_for_rows(path)
        child.send_signal(signal.SIGINT)
        said, complained = child.communicate(timeout=10)
    assert said == "closed 1\n"
    complained = complaints(complained)
    assert complained.strip().endswith("KeyboardInterrupt")
    assert not any(word in complained for word in ("never retrieved", "never awaited", "pending", "Warning"))
    rows = graded(path)
    assert sorted(rows) == [f"t{n:05d}" for n in range(len(rows))]


def reply(client, request):
    """The kernel's answer to one request, whatever else it still had to say."""
    while True:
        message = client.get_shell_msg(timeout=20)
        if message["parent_header"]["msg_id"] == request:
            return message["content"]


def test_interrupting_a_notebook_kernel_commits_and_leaves_the_kernel_usable(tmp_path):
    from jupyter_client.manager import start_new_kernel

    path = tmp_path / "v.jsonl"
    manager, client = start_new_kernel(cwd=str(ROOT), extra_arguments=["--IPKernelApp.log_level=50"])
    try:
        code = f"import sys; sys.argv = ['', {str(path)!r}]\n{textwrap.dedent(INTERRUPTED)}"
        grading = client.execute(code)
        wait_for_rows(path)
        manager.interrupt_kernel()
        assert reply(client, grading)["ename"] == "KeyboardInterrupt"
        status, opened = "aborted", "with Ledger(Path(sys.argv[1])) as again:\n    print(len(again.done))"
        while status == "aborted":  # a busy kernel drops what comes before it is done with the interrupt
            status = reply(client, client.execute(opened))["status"]
        assert status == "ok"
        said = ""
        while not said.endswith(f"{len(graded(path))}\n"):
            message = client.get_iopub_msg(timeout=10)
            said += message["content"].get("text", "") if message["msg_type"] == "stream" else ""
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert said.split() == ["closed", "1", str(len(graded(path)))]
