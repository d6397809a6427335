"""What a server says of itself and of a failure is not repeated where it may hold a prompt or a response."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ff_helpers.chat.embedded import _fault
from ff_helpers.chat.specs import open_chat
from ff_helpers.errors import FFError
from tests.kinds_of_file import MARKER

DIGEST = f"sha256:{MARKER}"
ANSWERS = {
    "/api/version": {"version": "0.99.0"},
    "/api/tags": {"models": [{"model": MARKER, "digest": DIGEST}, {"model": "m:latest", "digest": DIGEST}]},
    "/api/show": {"details": {}, "model_info": {"x.context_length": 4096}, "capabilities": []},
    "/v1/models": {"data": [{"id": MARKER}, {"id": "m", "digest": DIGEST, "max_model_len": 4096}]},
}


class _Recites(BaseHTTPRequestHandler):
    """A server whose names and digests are texts."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps(ANSWERS[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing on standard error."""


@pytest.fixture(scope="module")
def recites() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Recites) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize("kind", ["ollama", "openai"])
def test_the_models_of_a_server_are_listed_without_texts(recites: int, kind: str) -> None:
    end = "/v1" if kind == "openai" else ""
    with pytest.raises(FFError, match=r"none.*a text of \d+ characters.*\bm\b") as error:
        open_chat(f"{kind}:none@http://127.0.0.1:{recites}{end}")
    assert "MARKED" not in str(error.value)


@pytest.mark.parametrize("kind", ["ollama", "openai"])
def test_digests_that_differ_are_compared_without_texts(recites: int, port: int, kind: str) -> None:
    ANSWERS["/api/tags"]["models"].append({"model": "good:1", "digest": DIGEST})
    ANSWERS["/v1/models"]["data"].append({"id": "good:1", "digest": DIGEST, "max_model_len": 4096})
    hosts = ",".join(f"http://127.0.0.1:{p}{'/v1' if kind == 'openai' else ''}" for p in (recites, port))
    with pytest.raises(FFError, match=r"not the same model.*a text of") as error:
        open_chat(f"{kind}:good:1@{hosts}")
    assert "MARKED" not in str(error.value)


def test_the_type_of_an_embedded_failure_is_named_and_a_text_is_not() -> None:
    assert _fault({"error": {"type": "server_error"}}, 4096).reason == "llama.cpp: server_error"
    said = _fault({"error": {"type": MARKER, "message": MARKER}}, 4096)
    assert (said.status, "MARKED" in said.reason) == ("server_error", False)
