import pytest


@pytest.fixture
def address(port):
    """Return a function that makes the spec of a model of that server."""

    def address(kind, model):
        return f"{kind}:{model}@http://127.0.0.1:{port}" + ("/v1" if kind == "openai" else "")

    return address
