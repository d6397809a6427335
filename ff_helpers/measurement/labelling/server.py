"""The labelling page, served on this machine alone: a page, its state as JSON, one address for what is done.

Who may ask: only a page under the random token of this run, at our own host and origin, so neither another
program's page nor a name that resolves to 127.0.0.1 gets a trace or sets a label. The page may load nothing
from elsewhere and run no script but its own; texts reach it as text and are never parsed as HTML. Nothing is
cached.
"""

import asyncio
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Literal

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import Field, ValidationError

from ff_helpers.chat import loop
from ff_helpers.corpus.jsonl import Closed
from ff_helpers.corpus.traces import Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.choices import choices
from ff_helpers.grading.rendering import runs
from ff_helpers.measurement.labelling.desk import Desk

HOST: Final = "127.0.0.1"
_PAGE: Final = {"": "label.html", "label.css": "label.css", "label.js": "label.js"}
_KINDS: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_LONGEST: Final = 10_000
_STALE: Final = "Not written: this trace was decided in another window. Here is the one to decide now."


class Act(Closed):
    """What the page asks for; `place` is that of the trace on the screen."""

    action: Literal["label", "undo", "skip", "finish"]
    place: int
    label: str | None = None
    rationale: str = Field(default="", max_length=_LONGEST)


def serve(desk: Desk, opened: Callable[[str], None], *, port: int = 0) -> None:
    """Serve the page until the labeller finishes, or the command is interrupted.

    Args:
        desk: an open desk.
        opened: is given the address as soon as the page answers there.
        port: of 127.0.0.1; 0: a free one.

    Raises:
        FFError: the port is in use.
    """
    loop.run(_serve(desk, opened, port))


async def _serve(desk: Desk, opened: Callable[[str], None], port: int) -> None:
    token, finished = secrets.token_urlsafe(32), asyncio.Event()
    runner = web.AppRunner(application(desk, token, finished.set), access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except (OSError, OverflowError):
            raise FFError(
                f"port {port} cannot be used: another program has it, or it is reserved. Leave --port out: "
                "then a free one is taken."
            ) from None
        opened(f"http://{HOST}:{runner.addresses[0][1]}/{token}/")
        await finished.wait()
    finally:
        await runner.cleanup()


def application(desk: Desk, token: str, finish: Callable[[], None]) -> web.Application:
    """Return the page's server; it answers only under `/TOKEN/`."""
    page = Path(__file__).with_name("page")
    app = web.Application(middlewares=[_guard(token)], client_max_size=8 * _LONGEST)

    def file(name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        text, kind = (page / name).read_text(encoding="utf-8"), _KINDS[Path(name).suffix]

        async def send(_: web.Request) -> web.Response:
            return web.Response(text=text, content_type=kind, charset="utf-8")

        return send

    async def state(_: web.Request) -> web.Response:
        return _json(_state(desk))

    async def act(request: web.Request) -> web.Response:
        try:
            asked = Act.model_validate_json(await request.read())
        except ValidationError as error:
            return _refused(400, f"Not written: {_problem(error)}.")
        if asked.action == "finish":
            finish()
            return _json({"finished": True})
        return _done(desk, asked)

    for address, name in _PAGE.items():
        app.router.add_get(f"/{{token}}/{address}", file(name))
    app.router.add_get("/{token}/state", state)
    app.router.add_post("/{token}/act", act)
    return app


def _guard(token: str) -> Middleware:
    """Refuse what does not come from our own page, and put the same headers on every answer."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = _stranger(request, token)
        if response is None:
            try:
                response = await handler(request)
            except web.HTTPException as error:
                response = web.Response(text=error.reason, status=error.status)
        response.headers.update(_HEADERS)
        return response

    return guard


def _stranger(request: web.Request, token: str) -> web.StreamResponse | None:
    """Return the refusal of a request that is not from our page, else None."""
    socket = request.transport.get_extra_info("sockname") if request.transport else (HOST, 0)
    ours = {f"{name}:{socket[1]}" for name in (HOST, "localhost")}
    origin = request.headers.get("Origin")
    known = request.host in ours and origin in (f"http://{request.host}", None)
    if not known or (request.method not in ("GET", "HEAD") and origin is None):
        return _refused(403, "Refused: only the page itself may ask, at the address in the terminal.")
    given = request.path.split("/")[1]
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode()):
        return _refused(403, "Refused: the terminal shows another address. Each run has its own.")
    return None


def _done(desk: Desk, asked: Act) -> web.Response:
    """Do what was asked and return the state afterwards, with what to say."""
    if not 0 <= asked.place <= len(desk.traces):
        return _refused(404, "Not written: there is no such trace.")
    if asked.place != desk.place:
        return _json(_state(desk) | {"error": _STALE}, status=409)
    try:
        if asked.action == "label":
            desk.decide(asked.label, asked.rationale)
            said = f"Written: {asked.label or 'cannot say'}."
        elif asked.action == "undo":
            desk.undo()
            said = "Taken back."
        else:
            desk.skip()
            said = "Skipped: it comes back after the others."
    except FFError as error:
        return _refused(422, f"Not written: {error}")
    return _json(_state(desk) | {"said": said})


def _json(content: object, *, status: int = 200) -> web.Response:
    # As UTF-8: escaped, a text of many spelled out characters would be twice as long.
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return web.Response(text=text, status=status, content_type="application/json", charset="utf-8")


def _refused(status: int, why: str) -> web.Response:
    return _json({"error": why}, status=status)


def _problem(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    field = str(first["loc"][0]) if first["loc"] and first["loc"][0] in Act.model_fields else "request"
    return f"{field}: {first['msg']}"


def _state(desk: Desk) -> dict[str, object]:
    """Return what the page shows: nothing that tells a model, a verdict, an id, a stratum or a name."""
    before = desk.undone
    return {
        "annotator": desk.annotator,
        "role": desk.role,
        "done": len(desk.decided),
        "total": len(desk.traces),
        "place": desk.place,
        "undo": desk.can_undo,
        "choices": [
            {"key": one.key, "letter": one.letter, "label": one.label, "meaning": one.meaning}
            for one in choices(desk.space)
        ],
        "trace": None if desk.trace is None else _shown(desk.trace),
        "before": before and {"label": before.label, "rationale": before.rationale},
        "opinions": [{"label": one.label, "rationale": _text(one.rationale)} for one in desk.opinions],
    }


def _shown(trace: Trace) -> dict[str, object]:
    answered = trace.messages[-1].role == "assistant"
    turns = trace.messages[:-1] if answered else trace.messages
    return {
        "turns": [{"role": one.role, "text": _text(one.content)} for one in turns],
        "response": _text(trace.response),
        "withheld": trace.withheld,
        "truncated": trace.row_status == "truncated",
    }


def _text(text: str | None) -> list[tuple[str, bool]]:
    """Return a text as runs, of which the marked ones spell out invisible characters; [] for a blank one."""
    return runs(text) if text and text.strip() else []
