"""A server of objects for tests: S3's GET, HEAD and ListObjectsV2 over a folder, and plain HTTP with ranges.

The first part of a path is a bucket, a folder here. `denied` answers 403, and `moved` redirects to another
bucket; every request is kept, with its headers.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

SECRET = "planted/secret+key"


@dataclass
class Store:
    """Where it answers, how a client finds it, and what it was asked."""

    address: str
    asked: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.address, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": SECRET,
        }  # fmt: skip


@contextmanager
def object_store(folder: Path) -> Iterator[Store]:
    """Serve the folders of a folder as buckets."""
    store = Store("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None: ...

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            store.asked.append(f"{self.command} {self.path} {self.headers.get('Range', '')}".strip())
            bucket, _, key = unquote(url.path).strip("/").partition("/")
            if bucket == "denied":
                self.answer(403, b"<Error><Code>AccessDenied</Code></Error>")
            elif bucket == "moved":
                self.answer(301, b"", Location=f"{store.address}/bucket/{key}")
            elif not (folder / bucket).is_dir():
                self.answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
            elif not key:
                asked = {name: values[0] for name, values in parse_qs(url.query).items()}
                self.answer(200, listing(folder / bucket, **asked))
            elif not (folder / bucket / key).is_file():
                self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            else:
                self.send(folder / bucket / key)

        def send(self, path: Path) -> None:
            content = path.read_bytes()
            asked = self.headers.get("Range")
            if asked is None:
                return self.answer(200, content, ETag='"x"', **{"Accept-Ranges": "bytes"})
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start = int(first) if first else len(content) - int(last)
            end = min(int(last) if first and last else len(content) - 1, len(content) - 1)
            where = {"Content-Range": f"bytes {start}-{end}/{len(content)}"}
            return self.answer(206, content[start : end + 1], ETag='"x"', **where)

        def answer(self, status: int, content: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        store.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield store
        finally:
            server.shutdown()


def listing(bucket: Path, *, prefix: str = "", delimiter: str = "", **_: str) -> bytes:
    """The objects of a bucket that begin with a prefix, as ListObjectsV2 answers."""
    keys = sorted(one.relative_to(bucket).as_posix() for one in bucket.rglob("*") if one.is_file())
    keys = [key for key in keys if key.startswith(prefix)]
    cut = {
        prefix + key[len(prefix) :].partition(delimiter)[0] + delimiter
        for key in keys
        if delimiter and delimiter in key[len(prefix) :]
    }
    parts = "".join(
        f"<Contents><Key>{escape(key)}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>"
        f'<ETag>"x"</ETag><Size>{(bucket / key).stat().st_size}</Size></Contents>'
        for key in keys
        if not any(key.startswith(one) for one in cut)
    )
    parts += "".join(f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in cut)
    whole = f"<Name>{bucket.name}</Name><KeyCount>{len(keys)}</KeyCount><IsTruncated>false</IsTruncated>"
    return f"<ListBucketResult>{whole}{parts}</ListBucketResult>".encode()
