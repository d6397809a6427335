"""Several servers in one spec: real processes that differ, die and come back."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from itertools import chain

import pytest

from benchmarks.stub import stub
from ff_helpers.chat import loop
from ff_helpers.chat.protocol import Request
from ff_helpers.chat.specs import open_chat
from ff_helpers.errors import FFError
from tests.conftest import ROOT
from tests.model_server import running

TURNS = [{"role": "user", "content": "Hello?"}]
REQUEST = Request(max_tokens=160, schema={"type": "object"})
KINDS = ("ollama", "openai")


def spec(kind, *ports, model="good:1"):
    if kind == "ollama":
        return f"ollama:{model}@" + ",".join(f"127.0.0.1:{port}" for port in ports)
    return f"openai:{model}@" + ",".join(f"http://127.0.0.1:{port}/v1" for port in ports)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


async def ask_many(chat, count, in_flight):
    """Ask so many times; return the answers."""
    left = iter(range(count))

    async def worker():
        return [await chat.ask(TURNS, REQUEST) for _ in left]

    try:
        return list(chain.from_iterable(await asyncio.gather(*(worker() for _ in range(in_flight)))))
    finally:
        await chat.close()


@pytest.mark.parametrize("kind", KINDS)
def test_two_hosts_answer_in_half_the_time_of_one(kind):
    with running("--latency", "0.2") as one, running("--latency", "0.2") as two:
        chat = open_chat(spec(kind, one, two), concurrency=2)
        assert (chat.concurrency, chat.slots) == (2, 4)
        begun = time.monotonic()
        replies = loop.run(ask_many(chat, 40, chat.slots))
        taken = time.monotonic() - begun
    assert len(replies) == 40
    assert taken < 40 / 2 * 0.2  # what one host with two requests in flight needs at least
    assert "2 hosts" in chat.software


@pytest.mark.parametrize("kind", KINDS)
def test_a_host_that_dies_costs_no_answer(kind):
    with running("--latency", "0.05") as lives, ExitStack() as stack:
        dies = stack.enter_context(running("--latency", "0.05"))
        chat = open_chat(spec(kind, dies, lives), concurrency=2)
        killer = threading.Timer(0.7, stack.close)
        killer.start()
        assert len(loop.run(ask_many(chat, 100, chat.slots))) == 100
        killer.join()


@pytest.mark.parametrize("kind", KINDS)
def test_a_host_that_is_down_at_first_is_used_when_it_comes(kind):
    port = free_port()
    with ExitStack() as first, ExitStack() as later:
        there = first.enter_context(running("--latency", "0.05"))
        chat = open_chat(spec(kind, there, port))

        async def through_a_change():
            before = await chat.ask(TURNS, REQUEST)
            await asyncio.to_thread(later.enter_context, running("--port", str(port)))
            await asyncio.to_thread(first.close)
            after = await chat.ask(TURNS, REQUEST)
            await chat.close()
            return before, after

        before, after = loop.run(through_a_change())
        assert before.text == after.text


@pytest.mark.parametrize("kind", KINDS)
def test_hosts_with_different_models_are_refused_by_name(kind):
    with running() as one, running("--digest", "cd" * 32) as two:
        with pytest.raises(FFError, match="not the same model on all servers") as error:
            open_chat(spec(kind, one, two))
        assert all(part in str(error.value) for part in (f":{one}", f":{two}", "ab" * 32, "cd" * 32))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("digest", ["ab" * 32, "cd" * 32])
def test_a_server_that_was_started_anew_must_have_the_same_model(kind, digest):
    with ExitStack() as stack:
        first = stack.enter_context(ExitStack())
        port = first.enter_context(running("--latency", "0.5"))
        chat = open_chat(spec(kind, port))

        async def through_a_change():
            await chat.ask(TURNS, REQUEST)
            again = running("--port", str(port), "--digest", digest)
            await asyncio.to_thread(stack.enter_context, again)
            asked = asyncio.create_task(chat.ask(TURNS, REQUEST))
            await asyncio.sleep(0.1)
            await asyncio.to_thread(first.close)
            try:
                return await asked
            finally:
                await chat.close()

        if digest == "ab" * 32:
            assert loop.run(through_a_change()).text
        else:
            with pytest.raises(FFError, match="so far"):
                loop.run(through_a_change())


def test_hosts_that_tell_no_digest_are_said_to_be_uncompared():
    with running() as one, running("--digest", "cd" * 32) as two:
        chat = open_chat(spec("openai", one, two, model="inline:1"))
        assert "could not be compared" in chat.software
        assert chat.digest == "not told by the server"


@pytest.mark.parametrize("kind", KINDS)
def test_all_hosts_gone_is_said_within_five_seconds_with_their_names(kind):
    with ExitStack() as stack:
        ports = [stack.enter_context(running()) for _ in range(2)]
        chat = open_chat(spec(kind, *ports), concurrency=4)
        stack.close()
        begun = time.monotonic()
        with pytest.raises(FFError, match=r"server answers at .*`ollama serve`") as gone:
            loop.run(ask_many(chat, 20, chat.slots))
        assert time.monotonic() - begun < 5
        assert all(str(port) in str(gone.value) for port in ports)


def test_hosts_are_named_in_every_form(monkeypatch):
    with running() as port:
        for host in (f"127.0.0.1:{port}", f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}/"):
            chat = open_chat(f"ollama:good:1@{host}")
            assert (chat.model, chat.slots) == ("good:1", 1)
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{port}")
        assert open_chat("ollama:good:1").digest == "sha256:" + "ab" * 32


def test_many_hosts_are_named_by_the_first_three():
    with stub(6, 0.0) as addresses:
        ports = [address.rpartition(":")[2] for address in addresses]
        chat = open_chat(spec("openai", *ports))
        loop.run(chat.close())
    assert "6 hosts" in chat.software
    assert sum(port in chat.software for port in ports) == 3
    assert "3 more" in chat.software
    with pytest.raises(FFError, match=r"no server answers at .*, 3 more"):
        open_chat(spec("openai", *ports))


LIMITED = """
import resource, sys
from ff_helpers.chat import loop
from ff_helpers.chat.specs import open_chat
from ff_helpers.errors import FFError
from tests.chat.test_hosts import ask_many
resource.setrlimit(resource.RLIMIT_NOFILE, (64, int(sys.argv[2])))
try:
    print(len(loop.run(ask_many(open_chat(sys.argv[1], concurrency=100), 200, 200))))
except FFError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("most", "said"), [(1024, "200"), (256, "202 connections at once need 330 open files")]
)
def test_more_requests_in_flight_than_open_files(most, said):
    with stub(2, 0.1) as addresses:
        ports = [address.rpartition(":")[2] for address in addresses]
        command = [sys.executable, "-c", LIMITED, spec("openai", *ports), str(most)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout.startswith(said), done.stderr
