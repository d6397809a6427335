"""A real llama.cpp server with the smallest model: `python -m tests.llama_server --context 2048 --slots 4`.

It listens on 127.0.0.1, on the port that it prints, and speaks OpenAI's protocol as `llama-server` does.
"""

import argparse
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

from ff_helpers import paths
from ff_helpers.chat.embedded import MODELS
from tests.model_server import on_one_core

WEIGHTS = paths.parts() / MODELS["smollm2-135m"].file
ALIAS = "smollm2"


def serve(port: int, context: int, slots: int) -> None:
    """Serve until the process is killed."""
    import xllamacpp as llama

    params = llama.CommonParams()
    params.model.path, params.model_alias = str(WEIGHTS), {ALIAS}
    params.port, params.n_ctx, params.n_parallel = port, context * slots, slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.n_gpu_layers, params.cache_ram_mib, params.warmup, params.verbosity = 0, 0, False, -1
    with on_one_core():
        server = llama.Server(params)
    print(urlsplit(server.listening_address).port, flush=True)
    Event().wait()


@contextlib.contextmanager
def running(*, port: int = 0, context: int = 2048, slots: int = 1) -> Iterator["subprocess.Popen[str]"]:
    """Run the server as its own process; yield it, its port in `process.port`."""
    words = ["--port", str(port), "--context", str(context), "--slots", str(slots)]
    command = [sys.executable, "-m", "tests.llama_server", *words]
    root = Path(__file__).resolve().parent.parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            process.port = int(process.stdout.readline())
            yield process
        finally:
            process.kill()


def main(words: list[str]) -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.llama_server")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--context", type=int, default=2048, help="tokens per slot")
    parser.add_argument("--slots", type=int, default=1, help="requests at once")
    given = parser.parse_args(words)
    serve(given.port, given.context, given.slots)


if __name__ == "__main__":
    main(sys.argv[1:])
