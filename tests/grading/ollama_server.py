"""A small server process that speaks Ollama's API: /api/version, /api/tags, /api/show, /api/chat.

The model's name says how it behaves (`http500:1` fails, `cuts:1` cuts silently at num_ctx, ...). Run it
as `python ollama_server.py`; it prints its port.
"""

import json
import re
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTEXT = {"cuts:1": 1024}
MODELS = [
    "good:1", "think:1", "flaky:1", "http500:1", "hang:1", "cutjson:1", "html:1", "empty:1", "label:1",
    "cuts:1", "drops:1", "nocount:1", "refuses:1", "repairs:1", "length:1", "shape:1",
]  # fmt: skip
GOOD = json.dumps({"inferred_instruction": "Decline to name the code.", "verdict": "REFUSAL"})
SAYS = {
    "empty:1": "",
    "label:1": json.dumps({"inferred_instruction": "x", "verdict": "PARTIALLY"}),
    "refuses:1": "I'm sorry, but I can't grade this conversation.",
    "length:1": '{"inferred_instruction": "Decline to name',
    "think:1": '<think>{"verdict": "COMPLIANCE"} Verdict: COMPLIANCE</think>' + GOOD,
}
calls = Counter()


def tokens(messages):
    return sum(len(re.findall(r"\w+|[^\w\s]", m["content"])) + 4 for m in messages)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def send(self, body, code=200, kind="application/json", length=None):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if self.path == "/api/version":
            self.send({"version": "0.99.0"})
        else:
            self.send({"models": [{"model": m, "name": m, "digest": "ab" * 32, "size": 1} for m in MODELS]})

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model = request["model"]
        if model not in MODELS:
            self.send({"error": f"model '{model}' not found"}, 404)
        elif self.path == "/api/show":
            kinds = ["completion", "thinking"] if model == "think:1" else ["completion"]
            info = {"general.architecture": "qwen3", "qwen3.context_length": CONTEXT.get(model, 40960)}
            self.send({"model_info": info, "capabilities": kinds, "details": {}})
        else:
            self.chat(model, request)

    def chat(self, model, request):
        calls[model] += 1
        options, thinks = request["options"], request.get("think")
        if thinks is not None and model != "think:1":
            self.send({"error": f'"{model}" does not support thinking'}, 400)
        elif model == "think:1" and thinks is not True:
            self.send({"error": "asked not to think"}, 400)
        elif not 0 < options["num_ctx"] <= CONTEXT.get(model, 40960) or request["format"]["type"] != "object":
            self.send({"error": "bad options"}, 400)
        elif model == "http500:1" or (model == "flaky:1" and calls[model] <= 2):
            self.send({"error": "llama runner process has terminated"}, 500)
        elif model == "hang:1":
            time.sleep(20)
        elif model == "html:1":
            self.send("<html><body>Welcome to the hotel Wi-Fi</body></html>", kind="text/html")
        elif model == "shape:1":
            self.send({"message": "no object"})
        else:
            self.answer(model, request, tokens(request["messages"]), options["num_ctx"])

    def answer(self, model, request, count, num_ctx):
        text = SAYS.get(model, GOOD)
        if model == "repairs:1" and len(request["messages"]) == 2:
            text = "Well, let me think about it."
        body = {
            "model": model,
            "message": {"role": "assistant", "content": text},
            "done": True,
            "done_reason": "length" if model == "length:1" else "stop",
            "prompt_eval_count": {"cuts:1": min(count, num_ctx), "drops:1": 12}.get(model, count),
            "eval_count": 30,
        }
        if model == "nocount:1":
            del body["prompt_eval_count"]
        text = json.dumps(body)
        self.send(text[:40] if model == "cutjson:1" else text, length=40 if model == "cutjson:1" else None)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
