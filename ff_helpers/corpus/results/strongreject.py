"""Evaluations of StrongREJECT (CSV or JSON lines): one row for each answer, its score read with a threshold.

Several evaluators repeat all answers one below the other: each is a judge of one answer. A judge whose reply
could not be parsed leaves an empty score. `refusal` is a judgement of its own, of evaluators that give one:
the lines of the others have the column too, empty.
"""

import ast
import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import ConfigDict

from ff_helpers.corpus.jsonl import parse_line
from ff_helpers.corpus.results.reading import (
    EMPTY,
    ROLES,
    Foreign,
    RecordError,
    answered,
    begins,
    header,
    label,
    table,
    tags,
    threshold,
    turns,
    ungradeable,
)
from ff_helpers.corpus.results.rows import Judgement, Row, Source
from ff_helpers.corpus.traces import Message
from ff_helpers.terms import Space

DIRECTION: Final = (
    "a score (0 to 1) of --option threshold=NUMBER or more is the attack's success; refusal 1 is a refusal"
)
_NO: Final = ("", "nan", "none", "null")
_NEEDED: Final = ("forbidden_prompt", "response", "score")


class _Line(Foreign):
    model_config = ConfigDict(extra="allow", frozen=True)

    forbidden_prompt: str
    response: str | None
    score: float | None


class _Judge(NamedTuple):
    """What the lines of one evaluator say of it together."""

    model: str
    refuses: bool


class Reader:
    """Reads what `evaluate_dataset(...)` writes with `to_csv` or `to_json`, of any of its evaluators."""

    def recognise(self, path: Path, head: bytes) -> Source | None:
        """Return that StrongREJECT wrote the table: a forbidden prompt, a response and a score."""
        first = head.split(b"\n", 1)[0]
        json_lines = begins(head, r"\{") and all(b'"%s":' % name.encode() in first for name in _NEEDED)
        if not json_lines and not set(_NEEDED) <= set(header(head)):
            return None
        lines = Counter(row.get("evaluator", "") for _, row in _lines(path))
        note = (
            f"{lines.total()} lines of {len(lines)} evaluators: equal answers are one row with several judges"
        )
        return Source("strongreject", None, DIRECTION, notes=(note,) if len(lines) > 1 else ())

    def read(self, path: Path, options: Mapping[str, str]) -> Iterator[Row]:
        """Yield one row for each answer; equal prompts to one model are runs of one scenario.

        Raises:
            FFError: no threshold is given, or a score is outside its scale.
        """
        at = threshold(options, None, "score of StrongREJECT")
        found: dict[tuple[str, ...], Row] = {}
        times: Counter[tuple[str, ...]] = Counter()
        runs: Counter[tuple[str, str]] = Counter()
        judges = _judges(path)
        for place, line in _lines(path):
            model = line.get("model") or options.get("model") or ""
            prompt = line.get("jailbroken_prompt") or line["forbidden_prompt"]
            parts = line["forbidden_prompt"], line.get("jailbreak", ""), prompt
            scenario = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
            again = (scenario, model, line["response"], line.get("evaluator", ""))
            key = (*again[:3], str(times[again]))
            times[again] += 1
            row = found.get(key)
            if row is None:
                run = runs[scenario, model]
                runs[scenario, model] += 1
                row = _row(line, place, scenario, str(run), model)
            judge = judges[line.get("evaluator", "")]
            if _said(line["score"]) and not 0 <= _number(line["score"]) <= 1:
                raise RecordError(path, place, "score", "must be a number from 0 to 1, or empty")
            judged = tuple(_judgements(line, judge, row, at))
            found[key] = replace(row, judgements=row.judgements + judged)
        yield from found.values()


def _lines(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the lines of either form with their place, each cell as a text; null is an empty one."""
    with path.open("rb") as file:
        if not file.read(1 << 10).lstrip(b"\xef\xbb\xbf \n").startswith(b"{"):
            yield from table(path)
            return
        file.seek(0)
        for number, raw in enumerate(file, start=1):
            if raw.strip():
                line = parse_line(_Line, raw, path=path, line=number).model_dump()
                yield f"line {number}", {k: "" if v is None else str(v) for k, v in line.items()}


def _judges(path: Path) -> dict[str, _Judge]:
    """Return what stands behind each evaluator: its models (it asks the next where a reply fails)."""
    models: defaultdict[str, set[str]] = defaultdict(set)
    refusing: set[str] = set()
    for _, line in _lines(path):
        evaluator = line.get("evaluator", "")
        models[evaluator] |= {model for model in (line.get("judge_model", ""),) if _said(model)}
        refusing |= {evaluator} if _said(line.get("refusal", "")) else set()
    return {name: _Judge(", ".join(sorted(found)), name in refusing) for name, found in models.items()}


def _said(text: str) -> bool:
    return text.strip().casefold() not in _NO


def _row(line: Mapping[str, str], place: str, scenario: str, run: str, model: str) -> Row:
    response = line["response"] or None
    status, reason = answered(response)
    return Row(
        record=place,
        trace_id=":".join(filter(None, (scenario, model, run))),
        messages=(*_asked(line), *turns(("assistant", response))),
        scenario_id=scenario,
        run=run,
        model=model or None,
        status=status,
        reason=reason,
        tags=tags(
            attack=line.get("jailbreak"),
            category=line.get("category"),
            source=line.get("source"),
            dataset="StrongREJECT",
        ),
    )


def _judgements(line: Mapping[str, str], judge: _Judge, row: Row, at: float) -> Iterator[Judgement]:
    """Yield what one evaluator said: its score, and whether it saw a refusal."""
    evaluator = ".".join(filter(None, ("strongreject", line.get("evaluator", ""))))
    model = judge.model or None
    space: Space = "refused" if evaluator.endswith("string_matching") else "strict"
    for said in (
        _score(line["score"], Judgement(f"{evaluator}>={at:g}", space, model=model), at),
        _refusal(
            line["refusal"] if judge.refuses else None,
            Judgement(f"{evaluator}.refusal", "refused", model=model),
        ),
    ):
        if said is not None:
            yield said if row.status is None else ungradeable(said, row.reason or EMPTY)


def _score(text: str, said: Judgement, at: float) -> Judgement:
    if not _said(text):
        return replace(said, status="unparsable", reason="the score is empty or NaN")
    score = _number(text)
    return replace(said, label=label(said.space, score >= at), score=score)


def _refusal(text: str | None, said: Judgement) -> Judgement | None:
    if text is None:
        return None
    refused = {1.0: True, 0.0: False}.get(_number(text))
    if refused is None:
        return replace(said, status="unparsable", reason="neither 0 nor 1")
    return replace(said, label=label("refused", not refused))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _asked(line: Mapping[str, str]) -> tuple[Message, ...]:
    """Return the turns of the prompt, which may be a list of them as Python writes it."""
    prompt = line.get("jailbroken_prompt") or line["forbidden_prompt"]
    try:
        said = ast.literal_eval(prompt) if prompt.startswith("[{") else None
        pairs = [(turn["role"], turn["content"]) for turn in said or ()]
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        pairs = []
    if pairs and all(role in ROLES and isinstance(text, str) for role, text in pairs):
        return turns(*pairs)
    return turns(("user", prompt))
