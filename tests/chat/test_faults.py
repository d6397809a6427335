"""Every fault of a server, through the real grader and a real campaign: a retry or a status, never a verdict.

    .venv/bin/python -m tests.chat.test_faults

prints the matrix fault x outcome as measured. Each cell is a campaign of seven traces: five short ones, a
long English and a long Chinese one. The server answers COMPLIANCE to a prompt that was cut.
"""

import socket
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.grading.stream import grade_file
from tests.model_server import BEHAVIOURS, running

KINDS = ("ollama", "openai")
GRADED, CUT = "7 REFUSAL", "5 REFUSAL, 2 context_overflow"
FAILED, LATE, UNREAD = "7 server_error", "7 timeout", "7 unparsable"
EXPECTED: dict[str, str | tuple[str, str]] = {
    "good:1": GRADED,
    "think:1": GRADED,
    "inline:1": GRADED,
    "flaky:1": GRADED,
    "busy:1": GRADED,
    "busydate:1": GRADED,
    "loading:1": GRADED,
    "repairs:1": GRADED,
    "quotes:1": GRADED,
    "reads:1": GRADED,
    "likely:1": GRADED,
    "unlikely:1": GRADED,
    "http500:1": FAILED,
    "http400:1": FAILED,
    "limited:1": FAILED,
    "reset:1": FAILED,
    "cutjson:1": FAILED,
    "halfjson:1": FAILED,
    "html:1": FAILED,
    "shape:1": FAILED,
    "echo:1": FAILED,
    "nocount:1": FAILED,
    "hang:1": LATE,
    "trickle:1": LATE,
    "empty:1": UNREAD,
    "label:1": UNREAD,
    "recites:1": UNREAD,
    "length:1": UNREAD,
    "cutlabel:1": UNREAD,
    "refuses:1": "7 grader_refused",
    "cuts:1": CUT,
    "halves:1": CUT,
    "untold:1": CUT,
    "drops:1": "7 context_overflow",
    "few:1": "7 context_overflow",
    "vanishes:1": "FFError: ollama pull vanishes:1; 3 kept",
    "absent:1": "FFError: ollama pull absent:1; 0 kept",
    "no server": "FFError: ollama serve; 0 kept",
    "the server dies": "FFError: ollama serve; some kept",
}
"""What becomes of a campaign, one outcome or one a kind; `NAME: COMMAND` is an error that names a command."""

MEANT = BEHAVIOURS | {
    "absent:1": "the model was never there",
    "no server": "nothing listens",
    "the server dies": "it is killed in the middle of the campaign",
}


def traces(short: int = 5) -> list[Trace]:
    """Harmless traces; two of them are longer than 4,096 tokens."""
    said = [f"I keep the code of door {number} to myself." for number in range(short)]
    said += ["the code stays with me " * 1000, "门的密码我不能告诉你" * 600]
    return [
        Trace(
            trace_id=f"t{number}", model="m", source="test", truth="REFUSAL", truth_space="refused",
            messages=(Message(role="user", content="The code?"), Message(role="assistant", content=text)),
        )
        for number, text in enumerate(said)
    ]  # fmt: skip


def spec(kind: str, model: str, port: int) -> str:
    """Return the spec of a model of the test server."""
    return f"{kind}:{model}@http://127.0.0.1:{port}" + ("/v1" if kind == "openai" else "")


def outcome(kind: str, fault: str, port: int, folder: Path) -> str:
    """Return what becomes of a campaign against a fault, in one line."""
    name = f"{kind}-{fault.replace(':', '-').replace(' ', '-')}"
    file, ledger = folder / f"{name}.jsonl", folder / f"{name}-ledger.jsonl"
    write_records(file, traces(60 if fault == "the server dies" else 5))
    timeout = 1.0 if fault in ("hang:1", "trickle:1") else 60.0
    model = "good:1" if fault in ("no server", "the server dies") else fault
    try:
        grade_file(file, spec(kind, model, port), ledger, concurrency=4, timeout=timeout)
    except FFError as error:
        kept = len(ledger.read_text().splitlines()) if ledger.exists() else 0
        kept = "some" if fault == "the server dies" and 0 < kept < 62 else kept
        commands = (f"ollama pull {model}", "ollama serve")
        command = next((command for command in commands if f"`{command}`" in str(error)), "no command")
        return f"{type(error).__name__}: {command}; {kept} kept"
    ended = Counter(record.verdict or record.status for record in read_ledger(ledger))
    return ", ".join(f"{count} {what}" for what, count in ended.most_common())


def cell(kind: str, fault: str, port: int, folder: Path) -> tuple[str, float]:
    """Return the outcome of a fault, and the seconds that it took to be known."""
    begun = time.monotonic()
    if fault == "no server":
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
            return outcome(kind, fault, taken.getsockname()[1], folder), time.monotonic() - begun
    return outcome(kind, fault, port, folder), time.monotonic() - begun


def death(kind: str, folder: Path) -> tuple[str, float]:
    """Return the same for a server that is killed in the middle."""
    result: list[str] = []
    with running("--latency", "0.3") as port:
        work = threading.Thread(target=lambda: result.append(outcome(kind, "the server dies", port, folder)))
        work.start()
        ledger = folder / f"{kind}-the-server-dies-ledger.jsonl"
        while work.is_alive() and not (ledger.exists() and ledger.stat().st_size):
            time.sleep(0.05)
    begun = time.monotonic()  # the end of `running` kills the process
    work.join()
    return result[0], time.monotonic() - begun


def measured(folder: Path) -> dict[tuple[str, str], tuple[str, float]]:
    """Run every cell, many at a time; (fault, kind) -> (outcome, seconds)."""
    cells = [(fault, kind) for fault in EXPECTED for kind in KINDS]
    with running() as port, ThreadPoolExecutor(4) as threads:
        futures = {
            (fault, kind): threads.submit(death, kind, folder)
            if fault == "the server dies"
            else threads.submit(cell, kind, fault, port, folder)
            for fault, kind in cells
        }
        return {place: future.result() for place, future in futures.items()}


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    return measured(tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", EXPECTED)
def test_a_fault_is_a_retry_or_a_status_never_a_verdict(matrix, fault, kind):
    expected = EXPECTED[fault]
    wanted = expected if isinstance(expected, str) else expected[KINDS.index(kind)]
    assert matrix[fault, kind][0] == wanted


def test_every_fault_of_the_server_is_in_the_matrix():
    assert set(BEHAVIOURS) <= set(EXPECTED)


@pytest.mark.parametrize("fault", ["no server", "absent:1", "the server dies"])
def test_what_stops_a_campaign_is_said_within_five_seconds(matrix, fault):
    assert max(matrix[fault, kind][1] for kind in KINDS) < 5


def table() -> str:
    """Return the matrix as measured, in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder))
    lines = ["| fault | the server | ollama | openai |", "|---|---|---|---|"]
    for fault in EXPECTED:
        cells = " | ".join(f"{what} ({seconds:.1f} s)" for what, seconds in (found[fault, k] for k in KINDS))
        lines.append(f"| {fault} | {MEANT[fault]} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
