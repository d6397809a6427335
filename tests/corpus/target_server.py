"""A model under test in a real server process, whose one model fails while a file says so.

    python -m tests.corpus.target_server FOLDER [MODEL]

prints its port. It speaks OpenAI's protocol, answers with the sentence of the system prompt that follows the
first full stop, counts what it was asked in FOLDER/asked, and answers HTTP 400 to a conversation whose text
holds a line of FOLDER/fails. While FOLDER/slow is there it takes 100 ms, so that a test can stop a
collection in the middle.
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])
MODEL = sys.argv[2] if len(sys.argv) > 2 else "toy"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """List the one model."""
        self.say(200, {"object": "list", "data": [{"id": MODEL, "object": "model", "max_model_len": 4096}]})

    def do_POST(self) -> None:
        """Answer a conversation, or fail."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = "\n".join(message["content"] for message in asked["messages"])
        fails = FOLDER / "fails"
        if fails.exists() and any(line in said for line in fails.read_text().splitlines()):
            return self.say(400, {"error": {"message": "no", "type": "invalid_request_error"}})
        with (FOLDER / "asked").open("a") as file:
            file.write(json.dumps([asked["seed"], len(asked["messages"]), asked["max_tokens"]]) + "\n")
        time.sleep(0.1 if (FOLDER / "slow").exists() else 0.0)
        mute = asked["messages"][-1]["content"] == "Silence, please."
        text = "" if mute else asked["messages"][0]["content"].split(". ")[1]
        message = {"role": "assistant", "content": text}
        count = len(said.split()) * 2
        usage = {"prompt_tokens": count, "completion_tokens": 9, "total_tokens": count + 9}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = {"id": "c-1", "object": "chat.completion", "created": 0, "model": MODEL, "choices": [choice]}
        return self.say(200, body | {"usage": usage})

    def say(self, code: int, body: object) -> None:
        """Send JSON."""
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
