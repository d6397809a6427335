"""Results of promptfoo (JSON, version 3): one row for each answer to a test.

`success: true` says that the target passed: the attack failed. promptfoo lets an empty answer pass, and
counts a grader that failed as a failed test; neither is a verdict here.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic import Field

from ff_helpers.corpus.results.documents import Document
from ff_helpers.corpus.results.reading import (
    EMPTY,
    Foreign,
    VersionError,
    answered,
    begins,
    chat,
    label,
    record,
    tags,
    turns,
    ungradeable,
)
from ff_helpers.corpus.results.rows import Judgement, Row, Source
from ff_helpers.corpus.traces import Message
from ff_helpers.errors import FFError
from ff_helpers.terms import RowStatus, Status

JUDGE: Final = "promptfoo"
DIRECTION: Final = "success: true means that the target passed its assertions, so that the attack failed"
_FAILED: Final = re.compile(
    r"No output|API error|Error parsing output|Could not (extract JSON|perform remote grading|parse)|"
    r"Remote grading failed|Grading failed|\S+ produced malformed response",
    re.IGNORECASE,
)
"""How reasons begin that graders of versions without `graderError` leave when they fail."""
_WIDE: Final = re.compile(rb'(?:^|[,\n"])\[(?:PASS|FAIL)\]')


class _About(Foreign):
    grader_error: bool = Field(default=False, alias="graderError")


class _Component(Foreign):
    passed: bool = Field(alias="pass")
    reason: str | None = None
    metadata: _About | None = None

    @property
    def failed(self) -> bool:
        """Whether the grader itself failed, so that nothing was judged."""
        marked = self.metadata is not None and self.metadata.grader_error
        return marked or (not self.passed and _FAILED.match(self.reason or "") is not None)


class _Grading(_Component):
    components: tuple[_Component, ...] | None = Field(None, alias="componentResults")


class _Guard(Foreign):
    flagged: bool = False


class _Response(Foreign):
    output: object = None
    error: object = None
    finish: str | None = Field(None, alias="finishReason")
    guardrails: _Guard | None = None


class _Provider(Foreign):
    id: str | None = None
    label: str | None = None


class _Prompt(Foreign):
    raw: str | None = None


class _Metadata(Foreign):
    plugin: str | None = Field(None, alias="pluginId")
    strategy: str | None = Field(None, alias="strategyId")
    category: str | None = Field(None, alias="harmCategory")
    severity: str | None = None
    sent: str | None = Field(None, alias="redteamFinalPrompt")
    messages: object = None


class _Result(Foreign):
    id: str | None = None
    test: int = Field(0, alias="testIdx")
    success: bool
    failure: int | None = Field(None, alias="failureReason")
    error: object = None
    grading: _Grading | None = Field(None, alias="gradingResult")
    response: _Response | None = None
    provider: _Provider | None = None
    prompt: _Prompt | None = None
    metadata: _Metadata | None = None


class _Tool(Foreign):
    version: str | None = Field(None, alias="promptfooVersion")


def _parts(path: Path) -> Iterator[_Result | _Tool]:
    """Yield each result, one in memory at a time, and what the file says of promptfoo, where it stands.

    Raises:
        FFError: not JSON, cut off, or a field is missing or of the wrong type; no value is shown.
    """
    with path.open("rb") as file:
        document = Document(path, file, streamed="results")
        for key, value in document.fields(whole=True):
            if key == "results":
                for name, _ in document.fields(whole=True):
                    if name == "results":
                        for index, found in enumerate(document.items()):
                            yield record(_Result, found, path, f"results.results.{index}")
            elif key == "metadata" and value is not None:
                yield record(_Tool, value, path, key)


def _results(path: Path) -> Iterator[_Result]:
    return (part for part in _parts(path) if isinstance(part, _Result))


class Reader:
    """Reads what `promptfoo eval -o results.json` or `promptfoo export` writes."""

    def recognise(self, path: Path, head: bytes) -> Source | None:
        """Return which promptfoo wrote the file; its wide CSV is refused, as its cells mix mark and text."""
        if not head.lstrip().startswith((b"{", b"[")) and _WIDE.search(head):
            raise FFError(
                f"{path}: looks like promptfoo's wide CSV, with [PASS] or [FAIL] before each text. "
                "Export the results as JSON: promptfoo export eval EVAL_ID -o results.json."
            )
        opening = r'\{\s*("evalId"\s*:[^,]*,\s*)?"results"\s*:\s*\{'
        found = re.search(rb'"version"\s*:\s*(\d+)', head) if begins(head, opening) else None
        if found is None:
            return None
        if found[1] != b"3":
            raise VersionError(path, "promptfoo JSON", f"version {found[1].decode()}", "version 3")
        version, total, attacks = None, 0, False
        for part in _parts(path):
            if isinstance(part, _Tool):
                version = part.version
            else:
                total += 1
                attacks |= bool(part.metadata and (part.metadata.plugin or part.metadata.strategy))
        note = (
            "no row names a plugin or strategy: if its assertions pass where an attack succeeds, say so with "
            "--option passing=attack"
        )
        return Source("promptfoo", version, DIRECTION, total=total, notes=() if attacks else (note,))

    def read(self, path: Path, options: Mapping[str, str]) -> Iterator[Row]:
        """Yield one row for each result; equal prompts to one target are runs of one scenario.

        Raises:
            FFError: the option `passing` is neither defence nor attack.
        """
        passing = options.get("passing", "defence")
        if passing not in ("defence", "attack"):
            raise FFError("--option passing: must be defence (a passed test is a failed attack) or attack.")
        runs: dict[tuple[str | None, str], int] = {}
        for index, found in enumerate(_results(path)):
            about = found.metadata or _Metadata()
            messages, response = _conversation(found, about), _output(found)
            asked = "\0".join(message.content for message in messages) + f"\0{about.plugin}\0{about.strategy}"
            scenario = hashlib.sha256(asked.encode("utf-8", "replace")).hexdigest()[:16]
            model = (found.provider.id or found.provider.label) if found.provider else None
            runs[model, scenario] = runs.get((model, scenario), -1) + 1
            status, reason = _status(found, response)
            yield Row(
                record=f"results.results.{index}",
                trace_id=found.id or f"{model}:{scenario}:{runs[model, scenario]}",
                scenario_id=scenario,
                run=str(runs[model, scenario]),
                model=model,
                messages=(*messages, *turns(("assistant", response))),
                status=status,
                reason=reason,
                tags=tags(
                    attack=about.strategy,
                    plugin=about.plugin,
                    category=about.category,
                    severity=about.severity,
                ),
                judgements=_judgements(found, response, status, inverted=passing == "attack"),
            )


def _output(found: _Result) -> str | None:
    output = found.response.output if found.response else None
    return output if output is None or isinstance(output, str) else json.dumps(output, ensure_ascii=False)


def _status(found: _Result, response: str | None) -> tuple[RowStatus | None, str | None]:
    said = found.response or _Response()
    if said.error or (found.failure == 2 and not response):
        return "target_error", "the call failed"
    if said.finish == "content_filter" or (said.guardrails and said.guardrails.flagged):
        return "target_blocked", "a filter of the provider"
    if said.finish == "length":
        return "truncated", "finishReason length"
    return answered(response)


def _judgements(
    found: _Result, response: str | None, status: RowStatus | None, *, inverted: bool
) -> tuple[Judgement, ...]:
    """Return the verdict of all assertions together, a status if no assertion was judged, or nothing."""
    grading = found.grading
    if status in ("target_error", "not_submitted"):
        return (ungradeable(Judgement(JUDGE, "strict"), "the target gave no answer"),)
    if not (response or "").strip():
        return (ungradeable(Judgement(JUDGE, "strict"), EMPTY),)
    if found.failure == 2:
        return (_broken(str(found.error or "")),)
    if grading is None:
        return ()
    parts = grading.components or (grading,)
    broken = [part for part in parts if part.failed]
    if broken and (inverted or all(part.passed for part in parts if not part.failed)):
        return (_broken(broken[0].reason or ""),)
    success = label("strict", found.success == inverted)
    return (Judgement(JUDGE, "strict", label=success, rationale=grading.reason),)


def _broken(reason: str) -> Judgement:
    """Return the judgement of a grader that failed; its words may hold a text of the file: they stay out."""
    found = re.search(r"JSON|pars|malformed", reason, re.IGNORECASE)
    status: Status = "unparsable" if found else "server_error"
    return Judgement(JUDGE, "strict", status=status, reason="promptfoo's grader failed")


def _conversation(found: _Result, about: _Metadata) -> tuple[Message, ...]:
    """Return the turns before the answer: of a conversation, or of a prompt that holds one as JSON."""
    raw = about.sent or (found.prompt.raw if found.prompt else None)
    said = chat(about.messages) or chat(raw)
    while said and said[-1].role == "assistant":
        said = said[:-1]
    return said or turns(("user", raw))
