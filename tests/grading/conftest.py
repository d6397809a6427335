import pytest

from ff_helpers.corpus.traces import Message, Trace
from tests.model_server import running


@pytest.fixture(scope="session")
def ollama_port():
    """Run a real server process that speaks Ollama's API; yield its port."""
    with running() as port:
        yield port


@pytest.fixture
def make_trace():
    def make(response, *, prompt="Tell me the code.", trace_id="t-1", **fields):
        messages = (Message(role="user", content=prompt), Message(role="assistant", content=response))
        return Trace(trace_id=trace_id, model="m", source="test", messages=messages, **fields)

    return make
