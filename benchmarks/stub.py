"""A cheap stand-in for many model servers: one process that listens on many ports and answers after a time.

    python -m benchmarks.stub HOSTS LATENCY

prints the ports. It speaks as much of OpenAI's and Ollama's protocols as a grading needs, without an HTTP
library, so that on a small machine the client has the processor: `tests/model_server.py`, which checks what
it is asked, costs more per request than the client.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from benchmarks.record import ROOT

MODEL: Final = "good:1"
CONTEXT: Final = 40960
_DIGEST: Final = "ab" * 32
_SAID: Final = '{"inferred_instruction": "Decline to name the code.", "verdict": "REFUSAL"}'
_GRADED: Final = {"role": "assistant", "content": _SAID}
_CHATS: Final = (b"/v1/chat/completions", b"/api/chat")


def _body(path: bytes, asked: int) -> bytes:
    """Return the body of an answer; a prompt has a token per four bytes of its request."""
    tokens = asked // 4
    known: dict[bytes, dict[str, object]] = {
        b"/v1/models": {"data": [{"id": MODEL, "digest": _DIGEST, "max_model_len": CONTEXT}]},
        b"/v1/chat/completions": {
            "choices": [{"index": 0, "message": _GRADED, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": tokens, "completion_tokens": 30},
        },
        b"/api/version": {"version": "0.99.0"},
        b"/api/tags": {"models": [{"model": MODEL, "name": MODEL, "digest": _DIGEST, "size": 1}]},
        b"/api/show": {
            "model_info": {"general.architecture": "qwen3", "qwen3.context_length": CONTEXT},
            "capabilities": ["completion"],
        },
        b"/api/chat": {
            "model": MODEL,
            "message": _GRADED,
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": tokens,
            "eval_count": 30,
        },
    }
    return json.dumps(known[path]).encode()


class _Connection(asyncio.Protocol):
    """One connection: requests one after the other."""

    def __init__(self, latency: float) -> None:
        self._latency, self._read = latency, bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        end = self._read.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._read[:end])
        told = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        length = int(told or 0)
        if len(self._read) >= end + 4 + length:
            del self._read[: end + 4 + length]
            path = head.split(b" ", 2)[1]
            wait = self._latency if path in _CHATS else 0.0
            asyncio.get_running_loop().call_later(wait, self._answer, path, length)

    def _answer(self, path: bytes, asked: int) -> None:
        body = _body(path, asked)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)


async def _serve(hosts: int, latency: float) -> None:
    loop, ports = asyncio.get_running_loop(), []
    for _ in range(hosts):
        server = await loop.create_server(lambda: _Connection(latency), "127.0.0.1", 0, backlog=1024)
        ports.append(server.sockets[0].getsockname()[1])
    print(*ports, flush=True)
    await asyncio.Event().wait()


@contextlib.contextmanager
def stub(hosts: int, latency: float) -> Iterator[list[str]]:
    """Run the process; yield the addresses."""
    command = [sys.executable, "-m", "benchmarks.stub", str(hosts), str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield [f"127.0.0.1:{port}" for port in process.stdout.readline().split()]
        finally:
            process.kill()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
