"""Evaluations of StrongREJECT (CSV): one row for each answer, its score from 0 to 1 read with a threshold.

Several evaluators repeat all answers one below the other: each is a judge of one answer. A judge whose reply
could not be parsed leaves an empty score. `refusal` is a judgement of its own.
"""

import ast
import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from ff_helpers.corpus.results.reading import (
    EMPTY,
    ROLES,
    RecordError,
    answered,
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


class Reader:
    """Reads what `evaluate_dataset(...).to_csv()` writes, of any of its evaluators."""

    def recognise(self, path: Path, head: bytes) -> Source | None:
        """Return that StrongREJECT wrote the table: a forbidden prompt, a response and a score."""
        if not {"forbidden_prompt", "response", "score"} <= set(header(head)):
            return None
        lines = Counter(row.get("evaluator", "") for _, row in table(path))
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
        for place, line in table(path):
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
            judged = tuple(
                _judgements(line | judges.get(line.get("evaluator", ""), {}), row, at, path, place)
            )
            found[key] = replace(row, judgements=row.judgements + judged)
        yield from found.values()


def _judges(path: Path) -> dict[str, dict[str, str]]:
    """Return the models behind each evaluator as its field: it asks the next one where a reply fails."""
    models: defaultdict[str, set[str]] = defaultdict(set)
    for _, line in table(path):
        if (model := line.get("judge_model", "")).casefold() not in _NO:
            models[line.get("evaluator", "")].add(model)
    return {evaluator: {"judge_model": ", ".join(sorted(names))} for evaluator, names in models.items()}


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


def _judgements(line: Mapping[str, str], row: Row, at: float, path: Path, place: str) -> Iterator[Judgement]:
    """Yield what one evaluator said: its score, and whether it saw a refusal."""
    evaluator = ".".join(filter(None, ("strongreject", line.get("evaluator", ""))))
    model = line.get("judge_model") or None
    space: Space = "refused" if evaluator.endswith("string_matching") else "strict"
    for said in (
        _score(line["score"], Judgement(f"{evaluator}>={at:g}", space, model=model), at, path, place),
        _refusal(line.get("refusal"), Judgement(f"{evaluator}.refusal", "refused", model=model)),
    ):
        if said is not None:
            yield said if row.status is None else ungradeable(said, row.reason or EMPTY)


def _score(text: str, said: Judgement, at: float, path: Path, place: str) -> Judgement:
    if text.strip().casefold() in _NO:
        return replace(said, status="unparsable", reason="the score is empty or NaN")
    score = _number(text)
    if not 0 <= score <= 1:
        raise RecordError(path, place, "score", "must be a number from 0 to 1, or empty")
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
