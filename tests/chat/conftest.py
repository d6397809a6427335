import pytest

from ff_helpers.corpus.traces import Message, Trace
from tests.model_server import running


@pytest.fixture(scope="session")
def port():
    """Run a real server process that speaks both protocols; yield its port."""
    with running() as port:
        yield port


@pytest.fixture
def address(port):
    """Return a function that makes the spec of a model of that server."""

    def address(kind, model):
        return f"{kind}:{model}@http://127.0.0.1:{port}" + ("/v1" if kind == "openai" else "")

    return address


@pytest.fixture
def make_trace():
    def make(response, *, prompt="Tell me the code.", trace_id="t-1", **fields):
        messages = (Message(role="user", content=prompt), Message(role="assistant", content=response))
        return Trace(trace_id=trace_id, model="m", source="test", messages=messages, **fields)

    return make
