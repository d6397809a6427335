import subprocess
import sys
from pathlib import Path

import pytest

from ff_helpers.corpus.traces import Message, Trace


@pytest.fixture(scope="session")
def ollama_port():
    """Run a real server process that speaks Ollama's API; yield its port."""
    script = Path(__file__).with_name("ollama_server.py")
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    yield int(process.stdout.readline())
    process.terminate()
    process.wait(timeout=10)
    process.stdout.close()


@pytest.fixture
def make_trace():
    def make(response, *, prompt="Tell me the code.", trace_id="t-1", **fields):
        messages = (Message(role="user", content=prompt), Message(role="assistant", content=response))
        return Trace(trace_id=trace_id, model="m", source="test", messages=messages, **fields)

    return make
