"""A real server process that speaks Ollama's API and OpenAI's, healthy and failing.

    python -m tests.model_server [--latency 0.1] [--port 0] [--digest ab...] [--key KEY] [--embedded]

prints its port. Ollama: /api/{version,tags,ps,show,chat}; OpenAI: /v1/models, /v1/chat/completions;
/asked: how often each chat request was asked. The
model's name says how it behaves (`BEHAVIOURS`). A prompt that was cut is answered COMPLIANCE, a whole one
REFUSAL, so that a test sees which of the two was graded. With --embedded there is one model more,
`smollm2-135m`, and its answers are those of the real weights.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

from aiohttp import web

BEHAVIOURS = {
    "good:1": "answers REFUSAL",
    "think:1": "thinks before it answers; asks to be asked to",
    "inline:1": "puts its thoughts, and a label in them, before the answer",
    "flaky:1": "HTTP 500 twice, then an answer",
    "http500:1": "HTTP 500 always",
    "http400:1": "HTTP 400 always",
    "busy:1": "HTTP 429 with Retry-After in seconds, then an answer",
    "busydate:1": "HTTP 429 with Retry-After as a date, then an answer",
    "limited:1": "HTTP 429 always",
    "loading:1": "HTTP 503 once, then an answer",
    "reset:1": "cuts the connection before the answer",
    "hang:1": "never answers",
    "trickle:1": "sends its body one blank at a time, without end",
    "cutjson:1": "cuts its body in the middle",
    "halfjson:1": "sends half of the JSON as if it were all",
    "html:1": "HTML instead of JSON",
    "shape:1": "JSON of another shape",
    "empty:1": "an empty answer",
    "label:1": "a label that does not exist",
    "refuses:1": "refuses to grade",
    "length:1": "its JSON is cut at the token limit",
    "cutlabel:1": "`Verdict: REFUS`, cut at the token limit",
    "repairs:1": "answers when asked a second time",
    "vanishes:1": "three answers, then HTTP 404: the model is gone",
    "cuts:1": "cuts a long prompt without a word: oldest messages first, then the last one",
    "halves:1": "cuts a long prompt to half of its context without a word",
    "untold:1": "does not tell its context, and cuts a long prompt without a word",
    "drops:1": "forgets the trace in the repair turn",
    "few:1": "reports fewer tokens than the prompt has words",
    "nocount:1": "reports no token counts",
    "echo:1": "HTTP 400 that echoes key and prompt",
    "quotes:1": "answers REFUSAL, with the end of the prompt as the inferred instruction",
    "reads:1": "answers COMPLIANCE where it reads `Here is code`, REFUSAL elsewhere",
    "likely:1": "tells which tokens were likely: REFUSAL at 3 to 1 to PARTIAL",
    "unlikely:1": "HTTP 400 if OpenAI's protocol asks it which tokens were likely",
    "recites:1": "gives no verdict, only the end of the prompt",
}
CONTEXT = {"cuts:1": 4096, "halves:1": 4096, "untold:1": 4096}
LIMIT = 40960
GOOD = '{"inferred_instruction": "Decline to name the code.", "verdict": "REFUSAL"}'
CUT = '{"inferred_instruction": "Name the code.", "verdict": "COMPLIANCE"}'
SAYS = {
    "empty:1": "",
    "label:1": '{"inferred_instruction": "x", "verdict": "PARTIALLY"}',
    "refuses:1": "I'm sorry, but I can't grade this conversation.",
    "length:1": '{"inferred_instruction": "Decline to name',
    "cutlabel:1": "Verdict: REFUS",
    "inline:1": f"<think>{CUT} Verdict: COMPLIANCE</think>{GOOD}",
    "think:1": GOOD,
}
_TOKEN = re.compile(r"[A-Za-z]{1,6}|[^A-Za-z\s]")


def tokens(message: Mapping[str, str]) -> int:
    """Count like a small tokenizer: six letters at most, every other character on its own."""
    return len(_TOKEN.findall(message["content"])) + 4


@dataclass
class Asked:
    """One chat request, whichever protocol it came by."""

    model: str
    messages: list[dict[str, str]]
    num_ctx: int
    ollama: bool
    max_tokens: int = 160
    schema: dict[str, object] | None = None
    likely: int = 0


@dataclass
class Answer:
    """What to send for it."""

    text: str
    prompt_tokens: int
    completion_tokens: int = 30
    cut: bool = False
    reasoning: str | None = None


@dataclass
class Server:
    """The state of one process."""

    latency: float = 0.0
    digest: str = "ab" * 32
    key: str = ""
    embedded: object = None
    calls: Counter[object] = field(default_factory=Counter)
    asked: Counter[object] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.models = {**{name: CONTEXT.get(name, LIMIT) for name in BEHAVIOURS}}
        if self.embedded is not None:
            self.models["smollm2-135m"] = self.embedded.num_ctx

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request."""
        path = request.path
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            sent = request.headers.get("Authorization", "none")
            return said({"error": {"message": f"wrong key: {sent}", "type": "invalid_api_key"}}, 401)
        if path == "/api/version":
            return said({"version": "0.99.0"})
        if path in ("/api/tags", "/api/ps"):
            digest = {"digest": self.digest, "size": 1}
            return said({"models": [{"model": full(m), "name": full(m), **digest} for m in self.models]})
        if path == "/asked":
            return said(list(self.asked.values()))
        if path == "/v1/models":
            return said({"object": "list", "data": [self.told(m) for m in self.models]})
        body = await request.read()
        asked = json.loads(body) if body else {}
        model = str(asked.get("model", "")).removesuffix(":latest")
        if model not in self.models:
            return missing(model)
        if path == "/api/show":
            return said(self.shown(model))
        if path not in ("/api/chat", "/v1/chat/completions"):
            return said({"error": "404 page not found"}, 404)
        if model != "good:1" and (wrong := misasked(path, model, asked, self.models[model])):
            return said({"error": wrong}, 400)
        return await self.chat(request, body, read(path, model, asked, self.models[model]))

    def told(self, model: str) -> dict[str, object]:
        """Describe a model as /v1/models does: vLLM, llama.cpp and OpenRouter each tell in their own way."""
        entry: dict[str, object] = {"id": model, "object": "model", "owned_by": "test"}
        context = self.models[model]
        if model == "good:1":
            entry["digest"] = self.digest
        if model == "think:1":
            return entry | {"meta": {"n_ctx_train": context}}
        if model == "flaky:1":
            return entry | {"context_length": context}
        return entry if model == "untold:1" else entry | {"max_model_len": context}

    def shown(self, model: str) -> dict[str, object]:
        """Describe a model as /api/show does."""
        kinds = ["completion", "thinking"] if model == "think:1" else ["completion"]
        told = {} if model == "untold:1" else {"qwen3.context_length": self.models[model]}
        info = {"general.architecture": "qwen3", **told}
        return {"model_info": info, "capabilities": kinds, "details": {"quantization_level": "Q4_K_M"}}

    async def chat(self, request: web.BaseRequest, body: bytes, asked: Asked) -> web.StreamResponse:
        """Answer a chat request after the latency, or fail as the model's name says."""
        if self.latency:
            await asyncio.sleep(self.latency)
        model = asked.model
        self.asked[model, hashlib.sha256(body).hexdigest()] += 1
        if model == "good:1":
            return sent(asked, Answer(GOOD, sum(map(tokens, asked.messages))))
        self.calls[body] += 1
        self.calls[model, asked.ollama] += 1
        return await self.fail(request, asked, self.calls[body]) or await self.answer(asked)

    async def fail(self, request: web.BaseRequest, asked: Asked, attempt: int) -> web.StreamResponse | None:
        """Return the fault of a model that does not answer, or None."""
        model = asked.model
        if model == "http500:1" or (model == "flaky:1" and attempt % 3):
            return said({"error": "llama runner process has terminated"}, 500)
        if model == "http400:1" or (model == "unlikely:1" and asked.likely and not asked.ollama):
            return said({"error": "bad options"}, 400)
        if model == "limited:1" or (model in ("busy:1", "busydate:1") and attempt % 2):
            after = formatdate(time.time() + 1, usegmt=True) if model == "busydate:1" else "1"
            headers = {} if model == "limited:1" else {"Retry-After": after}
            return said({"error": {"message": "rate limit", "type": "rate_limit_exceeded"}}, 429, headers)
        if model == "loading:1" and attempt % 2:
            return said({"error": {"message": "Loading model", "type": "unavailable_error"}}, 503)
        if model == "vanishes:1" and self.calls[model, asked.ollama] > 3:
            return missing(model)
        if model == "echo:1":
            heard = f"{request.headers.get('Authorization')} {asked.messages}"
            return said({"error": {"message": heard, "type": heard, "code": heard}}, 400)
        if model == "reset:1":
            request.transport.abort()
        if model in ("reset:1", "hang:1"):
            await asyncio.sleep(20)
        if model == "trickle:1":
            stream = web.StreamResponse(headers={"Content-Type": "application/json"})
            await stream.prepare(request)
            with contextlib.suppress(ConnectionError):
                for _ in range(400):
                    await stream.write(b" ")
                    await asyncio.sleep(0.05)
            return stream
        if model == "cutjson:1":
            stream = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "400"})
            await stream.prepare(request)
            await stream.write(b'{"model": "cutjson:1", "message": {"role": "assist')
            request.transport.close()
            return stream
        if model == "html:1":
            return web.Response(
                text="<html><body>Welcome to the hotel Wi-Fi</body></html>", content_type="text/html"
            )
        return said({"message": "no object", "choices": "none"}) if model == "shape:1" else None

    async def answer(self, asked: Asked) -> web.StreamResponse:
        """Send what the model says, its prompt cut first where it is one that cuts."""
        model, messages = asked.model, asked.messages
        if model == "smollm2-135m":
            return sent(asked, await self.generated(asked))
        kept = list(messages)
        if model in CONTEXT:
            while len(kept) > 2 and sum(map(tokens, kept)) > asked.num_ctx:
                del kept[1]  # the system prompt and the last message stay
        count = sum(map(tokens, kept))
        if model in CONTEXT and count > asked.num_ctx:
            count = asked.num_ctx // 2 + 2 if model == "halves:1" else asked.num_ctx
        whole = count == sum(map(tokens, messages))
        answer = Answer(SAYS.get(model, GOOD) if whole else CUT, count)
        first = len(messages) == 2
        if model in ("repairs:1", "drops:1") and first:
            answer.text = "Well, let me think about it."
        elif model == "drops:1":
            answer.text, answer.prompt_tokens = CUT, tokens(messages[0]) + tokens(messages[-1])
        if model == "few:1":
            answer.text, answer.prompt_tokens = CUT, 12
        if model == "reads:1" and "Here is code" in messages[-1]["content"]:
            answer.text = CUT
        if model in ("quotes:1", "recites:1"):
            heard = messages[:2][-1]["content"][-2000:]
            quoted = json.dumps(json.loads(GOOD) | {"inferred_instruction": heard})
            answer.text = quoted if model == "quotes:1" else f"I was asked: {heard}"
        answer.cut = model in ("length:1", "cutlabel:1")
        answer.reasoning = "The instruction names no code." if model == "think:1" else None
        if model == "halfjson:1":
            return web.Response(body=sent(asked, answer).body[:60], content_type="application/json")
        return sent(asked, answer, counts=model != "nocount:1")

    async def generated(self, asked: Asked) -> Answer:
        """Ask the embedded model."""
        from ff_helpers.chat.protocol import Request

        wanted = Request(max_tokens=asked.max_tokens, schema=asked.schema)
        reply = await self.embedded.ask(asked.messages, wanted)
        return Answer(reply.text, reply.prompt_tokens, reply.completion_tokens, not reply.complete)


def read(path: str, model: str, body: dict[str, object], limit: int) -> Asked:
    """Return a chat request of either protocol."""
    if path == "/api/chat":
        options = body["options"]
        num_ctx = min(options["num_ctx"], limit)
        schema, likely = body.get("format"), body.get("top_logprobs", 0)
        return Asked(model, body["messages"], num_ctx, True, options["num_predict"], schema, likely)
    wanted = body.get("response_format") or {}
    schema = wanted.get("json_schema", {}).get("schema")
    likely = body.get("top_logprobs", 0) * body.get("logprobs", False)
    return Asked(model, body["messages"], limit, False, body["max_tokens"], schema, likely)


def misasked(path: str, model: str, body: dict[str, object], limit: int) -> str | None:
    """Return why a request is not as it should be: what a strict server would refuse."""
    counting = 1 in (body.get("max_tokens"), body.get("options", {}).get("num_predict"))
    if path == "/api/chat":
        if model != "think:1" and body.get("think") is not None:
            return f'"{model}" does not support thinking'
        if model == "think:1" and body.get("think") is not (not counting):
            return "asked not to think"
        if not 0 < body["options"]["num_ctx"] <= limit or body.get("truncate") is not False:
            return "bad options"
        return None if counting or body["format"]["type"] == "object" else "no schema"
    if not counting and body["response_format"]["json_schema"]["schema"]["type"] != "object":
        return "no schema"
    return None if body["temperature"] == 0 and body["seed"] == 0 else "not deterministic"


def sent(asked: Asked, answer: Answer, *, counts: bool = True) -> web.Response:
    """Return an answer in the protocol of the request."""
    reason = "length" if answer.cut else "stop"
    message: dict[str, object] = {"role": "assistant", "content": answer.text}
    places = likely_tokens(answer.text) if asked.model == "likely:1" and asked.likely else None
    if asked.ollama:
        if answer.reasoning:
            message["thinking"] = answer.reasoning
        told = {"prompt_eval_count": answer.prompt_tokens, "eval_count": answer.completion_tokens}
        return said(
            {"model": asked.model, "message": message, "done": True, "done_reason": reason}
            | (told if counts else {})
            | ({"logprobs": places} if places else {})
        )
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    usage = {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }
    choice = {"index": 0, "message": message, "finish_reason": reason}
    if places:
        choice["logprobs"] = {"content": places}
    body = {"id": "c-1", "object": "chat.completion", "created": 0, "model": asked.model, "choices": [choice]}
    return said(body | ({"usage": usage} if counts else {}))


def likely_tokens(text: str) -> list[dict[str, object]]:
    """Return the tokens of an answer, each certain but the first of its label."""
    before, found, after = text.partition("REF")
    label = [(" PART", math.log(0.2)), ("REF", math.log(0.6)), ("PART", math.log(0.2)), ("xyz", -3.0)]
    places = [(before, [(before, 0.0)]), (found, label), (after, [(after, 0.0)])]
    return [
        {"token": token, "logprob": 0.0, "top_logprobs": [{"token": t, "logprob": p} for t, p in likely]}
        | ({"logprob": math.log(0.6)} if token == found else {})
        for token, likely in places
    ]


def said(body: object, code: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a JSON response."""
    data = json.dumps(body).encode()
    return web.Response(body=data, status=code, content_type="application/json", headers=headers)


def missing(model: str) -> web.Response:
    """Return the 404 of a model that is not there."""
    return said({"error": f"model '{model}' not found"}, 404)


def full(model: str) -> str:
    """Return an Ollama tag with its version."""
    return model if ":" in model else f"{model}:latest"


async def serve(server: Server, port: int) -> None:
    """Listen until the process ends."""
    runner = web.ServerRunner(web.Server(server.handle))
    await runner.setup()
    # One that is started on the port of another takes over where that one ends, without a gap.
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024, reuse_port=True)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


@contextlib.contextmanager
def on_one_core() -> Iterator[None]:
    """Give this process one core: beside other tests, the threads of a model wait for each other for long."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def running(*words: str) -> Iterator[int]:
    """Run a server process with these words of the command line; yield its port."""
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-m", "tests.model_server", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def main(words: list[str]) -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.model_server")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--digest", default="ab" * 32, help="of every model")
    parser.add_argument("--key", default="", help="the key that is asked for; empty: none")
    parser.add_argument("--embedded", action="store_true", help="serve the embedded model too")
    given = parser.parse_args(words)
    embedded = None
    if given.embedded:
        from ff_helpers.chat.embedded import open_embedded

        with on_one_core():
            embedded = open_embedded("smollm2-135m")
    server = Server(given.latency, given.digest, given.key, embedded)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(server, given.port))


if __name__ == "__main__":
    main(sys.argv[1:])
