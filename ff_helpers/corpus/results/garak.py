"""Reports of garak (`*.report.jsonl`): one row for each generation of an attempt.

Every attempt stands twice: with status 1 when the target has answered, with status 2 when the detectors have
scored it; both are one. A score is a hit from the threshold on, and in garak a hit is the attack's success.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import Field

from ff_helpers.corpus.jsonl import parse_line
from ff_helpers.corpus.results.reading import (
    EMPTY,
    ROLES,
    Foreign,
    PartError,
    RecordError,
    VersionError,
    begins,
    label,
    tags,
    threshold,
    turns,
    ungradeable,
)
from ff_helpers.corpus.results.rows import Judgement, Row, Source
from ff_helpers.corpus.traces import Message
from ff_helpers.errors import FFError, named
from ff_helpers.terms import Space

KNOWN: Final = re.compile(r"0\.(9|1[0-7])(\.|$)")
DIRECTION: Final = (
    "a detector's score of the threshold or more (0.5, or the run's own) is a hit: the attack's success"
)
_KIND: Final = re.compile(rb'\s*\{\s*"entry_type"\s*:\s*"([^"]*)"')
_ATTEMPT: Final = re.compile(
    rb'"uuid"\s*:\s*"([^"]*)",\s*"seq"\s*:\s*(-?\d+),\s*"status"\s*:\s*(\d+),\s*"probe_classname"\s*:\s*"([^"]*)"'
)
_HIT: Final = r'\{\s*"goal"\s*:.*"attempt_id"\s*:.*"detector"\s*:'
_RUN: Final = re.compile(rb'"run_id"\s*:\s*"([^"]*)"')
_REFUSAL: Final = ("mitigation.", "judge.Refusal")  # these tell whether the target refused, and no more
_YES_NO: Final = ("judge.Refusal", "judge.Jailbreak")
_ONES: Final = (
    "garak writes 1.0 for replies of this judge that it could not parse, so its hits cannot be told from "
    "them (garak issue 2136); --option judge_ones=hits takes them as they stand"
)
_SHIPPED: Final = (
    "always ansiescape any apikey agent_breaker base continuation dan divergence encoding "
    "exploitation fileformats goodside judge knownbadsignatures leakreplay lmrc malwaregen "
    "misleading mitigation packagehallucination perspective productkey promptinject propile "
    "shields snowball specialwords sysprompt_extraction toxicity unsafe_content "
    "visual_jailbreak web_injection xss "
)
_OWN: Final = frozenset(_SHIPPED.split())
"""The modules of detectors that garak ships: what a hit of theirs means is known."""


class _Said(Foreign):
    text: str | None = None


class _Turn(Foreign):
    role: str
    content: _Said | str | None = None


class _History(Foreign):
    turns: tuple[_Turn, ...]


class _Attempt(Foreign):
    uuid: str
    seq: int = 0
    status: int
    probe_classname: str
    prompt: _History | _Said | str | None = None
    outputs: tuple[_Said | str | None, ...] = ()
    detector_results: dict[str, tuple[float | None, ...]] = Field(default_factory=dict)
    conversations: tuple[_History, ...] = ()
    intent: str | None = None

    @property
    def key(self) -> tuple[str, int, str]:
        """What tells it apart: merged reports repeat uuid and seq."""
        return self.uuid, self.seq, self.probe_classname


class _Setup(Foreign):
    said: str | int | None = Field(None, alias="_config.version")
    target: str | None = Field(None, alias="plugins.target_name")
    before_0_13: str | None = Field(None, alias="plugins.model_name")
    family: str | None = Field(None, alias="plugins.target_type")
    threshold: float | None = Field(None, alias="run.eval_threshold")
    seed: int | None = Field(None, alias="run.seed")

    @property
    def version(self) -> str | None:
        """The version of garak; a number stands where garak did not know its own."""
        return self.said if isinstance(self.said, str) else None


class _Plugins(Foreign):
    probes: dict[str, object] = Field(default_factory=dict)


class _Entry(Foreign):
    garak_version: str | None = None
    run: str | None = None
    probe: str | None = None
    plugin_cache: _Plugins | None = None


@dataclass(frozen=True)
class _Run:
    """What the run's setup says of every attempt after it."""

    setup: _Setup
    options: Mapping[str, str]

    @property
    def at(self) -> float:
        """The threshold from which on a score is a hit."""
        own = self.setup.threshold
        return threshold(self.options, 0.5 if own is None else own, "score of a garak detector")


class Reader:
    """Reads the report of a run; its hitlog has hits and no denominator: it is left out, or refused alone."""

    def recognise(self, path: Path, head: bytes) -> Source | None:
        """Return what garak wrote the file; scans it once for what has no verdict."""
        if begins(head, _HIT):
            run = _RUN.search(head)
            raise PartError(
                path,
                "a garak hitlog. It holds hits and nothing that passed, so no rate can come from it",
                "Import the .report.jsonl of the same run.",
                run[1].decode("utf-8", "replace") if run else None,
            )
        if not begins(head, r'\{\s*"entry_type"\s*:\s*"start_run setup"'):
            return None
        entry = _Entry()
        with path.open("rb") as file:
            version = parse_line(_Setup, file.readline(), path=path, line=1).version
            if (second := file.readline()).strip():
                entry = parse_line(_Entry, second, path=path, line=2)
        version = version or entry.garak_version
        if version is None or not KNOWN.match(version):
            raise VersionError(path, "garak", version or "without a version", "0.9 to 0.17")
        return Source("garak", version, DIRECTION, notes=_notes(path), run=entry.run)

    def read(self, path: Path, options: Mapping[str, str]) -> Iterator[Row]:
        """Yield one row for each output; those of attempts that were never scored come last."""
        run = _Run(_Setup(), options)
        started: dict[tuple[str, int, str], tuple[int, int]] = {}  # never scored so far: line, offset
        done: set[tuple[str, int, str]] = set()
        offset = 0
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                place, offset = offset, offset + len(raw)
                kind = _KIND.match(raw)
                if kind is None and raw.strip():
                    raise RecordError(path, f"line {number}", "entry_type", "expected a JSON object with one")
                if kind and kind[1] == b"start_run setup":
                    run = _Run(parse_line(_Setup, raw, path=path, line=number), options)
                if not kind or kind[1] != b"attempt":
                    continue
                attempt = parse_line(_Attempt, raw, path=path, line=number)
                if attempt.status < 2 and attempt.key not in done:
                    started.setdefault(attempt.key, (number, place))
                elif attempt.status >= 2:
                    if attempt.key in done:
                        raise RecordError(path, f"line {number}", "uuid", "this attempt was scored before")
                    done.add(attempt.key)
                    started.pop(attempt.key, None)
                    yield from _rows(attempt, run, path, number)
            for number, place in started.values():
                file.seek(place)
                yield from _rows(
                    parse_line(_Attempt, file.readline(), path=path, line=number), run, path, number
                )


def _notes(path: Path) -> tuple[str, ...]:
    """Return what a user should know of the run: probes without attempts, detectors of others, its end."""
    asked: set[str] = set()
    tried: set[str] = set()
    started: set[tuple[bytes, ...]] = set()
    scored, ended, detectors = 0, False, set[str]()
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            kind = _KIND.match(raw)
            if kind and kind[1] == b"attempt" and (found := _ATTEMPT.search(raw[:4096])):
                uuid, seq, status, probe = found.groups()
                tried.add(probe.decode("utf-8", "replace"))
                if status == b"1":
                    started.add((uuid, seq, probe))
                else:
                    scored += 1
                    started.discard((uuid, seq, probe))
            elif kind and kind[1] in (b"eval", b"plugin_cache"):
                entry = parse_line(_Entry, raw, path=path, line=number)
                cached = entry.plugin_cache.probes if entry.plugin_cache else {}
                asked |= {
                    p.removeprefix("probes.") for p in (*cached, *([entry.probe] if entry.probe else ()))
                }
                detectors |= set(re.findall(r'"detector"\s*:\s*"([^"]*)"', raw.decode("utf-8", "replace")))
            ended = ended or bool(kind and kind[1] == b"completion")
    if started and not scored:
        raise FFError(
            f"{path}: all {len(started)} attempts have status 1: the run stopped before a detector scored "
            "any. Run garak to its end and import that report."
        )
    foreign = sorted({named(d) for d in detectors if d.removeprefix("detector.").split(".")[0] not in _OWN})
    return (
        *(f"probe {named(probe)}: n = 0, no attempt was made" for probe in sorted(asked - tried)),
        *([f"{len(started)} attempts were never scored: no verdict"] if started else ()),
        *([] if ended else ["there is no completion record: the run was stopped, or reports were merged"]),
        *(
            [f"not garak's own, check that a hit of them is a success: {', '.join(foreign)}"]
            if foreign
            else ()
        ),
        *([_ONES] if any(d.removeprefix("detector.").startswith(_YES_NO) for d in detectors) else ()),
    )


def _rows(attempt: _Attempt, run: _Run, path: Path, number: int) -> Iterator[Row]:
    """Yield one row for each output, or one without a response if there is none."""
    scenario = ":".join((attempt.uuid, attempt.probe_classname, str(attempt.seq)))
    for index, output in enumerate(attempt.outputs or (None,)):
        text = _text(output)
        messages = _conversation(attempt, index, text, path, number)
        asked = any(m.role == "user" for m in messages)
        yield Row(
            record=f"line {number}",
            trace_id=f"{scenario}:{index}",
            scenario_id=scenario,
            run=str(index),
            model=run.setup.target or run.setup.before_0_13 or run.setup.family,
            messages=messages,
            status=None if asked and text is not None else "target_error" if asked else "not_submitted",
            reason=None if asked and text is not None else "no output" if asked else "no prompt",
            tags=tags(attack=attempt.probe_classname, intent=attempt.intent),
            judgements=tuple(
                _judgement(name, scores, index, attempt, run)
                for name, scores in _scored(attempt, path, number)
            ),
            seed=run.setup.seed,
        )


def _scored(attempt: _Attempt, path: Path, number: int) -> Iterator[tuple[str, tuple[float | None, ...]]]:
    """Yield the scores of each detector.

    Raises:
        RecordError: one is outside garak's scale.
    """
    for name, scores in attempt.detector_results.items():
        if any(score is not None and (score < 0 or score > 1) for score in scores):
            raise RecordError(path, f"line {number}", name, "a score must be a number from 0 to 1, or null")
        yield name, scores


def _judgement(
    name: str, scores: tuple[float | None, ...], index: int, attempt: _Attempt, run: _Run
) -> Judgement:
    space: Space = "refused" if name.startswith(_REFUSAL) else "strict"
    said = Judgement(f"{name}>={run.at:g}", space, version=run.setup.version)
    if not _text(attempt.outputs[index] if attempt.outputs else None):
        return ungradeable(said, EMPTY)
    if len(scores) != len(attempt.outputs):
        return ungradeable(said, f"{len(scores)} scores for {len(attempt.outputs)} outputs")
    score = scores[index]
    if score is None or math.isnan(score):
        return ungradeable(said, "the detector gave no score")
    if name.startswith(_YES_NO) and run.options.get("judge_ones") != "hits":
        return replace(said, status="unparsable", reason=_ONES, score=score)
    return replace(said, label=label(space, score >= run.at), score=score)


def _text(said: _Said | str | None) -> str | None:
    return said.text if isinstance(said, _Said) else said


def _conversation(
    attempt: _Attempt, index: int, text: str | None, path: Path, number: int
) -> tuple[Message, ...]:
    """Return the turns that led to one output, and the output as the last."""
    prompt = attempt.prompt
    if len(attempt.conversations) == max(len(attempt.outputs), 1):
        said = list(attempt.conversations[index].turns)
        while said and said[-1].role == "assistant":
            said.pop()
    elif isinstance(prompt, _History):
        said = list(prompt.turns)
    else:
        said = [_Turn(role="user", content=prompt)]
    if any(turn.role not in ROLES for turn in said):
        raise RecordError(path, f"line {number}", "role", f"must be one of {', '.join(ROLES)}")
    return turns(*((turn.role, _text(turn.content)) for turn in said), ("assistant", text))
