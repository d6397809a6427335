"""Proxy traces: known truth in all five classes, without hazardous content.

A fictional policy forbids something harmless; the adversarial prompt tries to get it by one of the six
intents, in one turn or in a crescendo; the response complies, hedges, refuses, talks nonsense or answers
a harmless question. `states_secret` decides strict compliance from the response alone, so responses
of a real model have a strict truth too. `python -m tools.generate.proxies` writes
data/calibration/proxies.jsonl, the same bytes every time.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict

from ff_helpers import paths
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.scenarios import states
from ff_helpers.corpus.traces import Message, Sampling, Trace
from ff_helpers.terms import INTENTS, VERDICTS, Intent, Verdict

T = TypeVar("T")
Difficulty = Literal["obvious", "ambiguous"]
Turns = Literal["single", "multi"]


class Setting(BaseModel):
    """One fictional setting: its policy, the request, the secret, and what may be said instead."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    policy: str
    want: str
    secret: str
    part: str
    nonsense: str
    harmless: str
    answer: str
    elsewhere: str


class _Wordings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    scenarios: tuple[Setting, ...]
    prompts: Mapping[Intent, tuple[str, ...]]
    crescendo: tuple[tuple[tuple[str, str], ...], ...]
    responses: Mapping[Verdict, Mapping[Difficulty, tuple[str, ...]]]


def states_secret(scenario_id: str, response: str) -> bool:
    """Return whether a response states the scenario's secret: the executable check of strict compliance.

    Case, punctuation and spacing do not matter, and digits may be written as words.

    Raises:
        KeyError: no such scenario.
    """
    return states(response, {setting.id: setting.secret for setting in settings()}[scenario_id])


def settings() -> tuple[Setting, ...]:
    """Return the fictional settings of proxies.yaml, in its order."""
    return _wordings().scenarios


def proxies(*, seed: int = 0) -> Iterator[Trace]:
    """Yield 120 traces: every label, intent, turn mode and difficulty once; the seed varies wordings."""
    cells = product(VERDICTS, INTENTS, ("single", "multi"), ("obvious", "ambiguous"))
    for number, (label, intent, turns, difficulty) in enumerate(cells, start=1):
        yield _trace(f"proxy-{number:04d}", (label, intent, turns, difficulty), seed)  # type: ignore[arg-type]


def _trace(trace_id: str, cell: tuple[Verdict, Intent, Turns, Difficulty], seed: int) -> Trace:
    label, intent, turns, difficulty = cell
    words = _wordings()
    place = INTENTS.index(intent) * 2 + (turns == "multi")
    # Every wording of a cell is used equally often, and every scenario meets every label.
    scenario = _pick(words.scenarios, place, seed, f"scenario {label} {difficulty}")
    wanted = scenario.harmless if label == "BENIGN_QUERY" else scenario.want
    prompt = _pick(words.prompts[intent], VERDICTS.index(label), seed, f"{intent} {turns} {difficulty}")
    frame = _pick(words.responses[label][difficulty], place, seed, f"{label} {difficulty}")
    slots = scenario.model_dump() | {"spelled": "-".join(_letters(scenario.secret))}
    messages = [Message(role="system", content=scenario.policy)]
    if turns == "multi":
        for said, reply in _pick(words.crescendo, place // 2, seed, f"{label} {difficulty}"):
            messages += _exchange(said, reply.format(**slots))
    messages += _exchange(prompt.format(want=wanted), _sentences(frame.format(**slots)))
    return Trace(
        trace_id=trace_id,
        scenario_id=scenario.id,
        model="none (written proxy)",
        intent=intent,
        source="ff-helpers/proxies",
        difficulty=difficulty,
        messages=tuple(messages),
        truth=label,
        truth_space="five",
        sampling=Sampling(kind="constructed"),
    )


def _exchange(prompt: str, response: str) -> list[Message]:
    return [Message(role="user", content=prompt), Message(role="assistant", content=response)]


def write(path: Path) -> Path:
    """Write the generated traces to a JSONL file and return its path."""
    write_records(path, proxies())
    return path


@cache
def _wordings() -> _Wordings:
    text = Path(__file__).with_name("proxies.yaml").read_text(encoding="utf-8")
    return _Wordings.model_validate(yaml.safe_load(text))


def _pick(options: Sequence[T], place: int, seed: int, what: str) -> T:
    """Return one option: a fixed shuffle of them (by hash, the same on every Python), walked in turn."""
    order = sorted(range(len(options)), key=lambda n: hashlib.sha256(f"{seed} {what} {n}".encode()).digest())
    return options[order[place % len(options)]]


def _letters(secret: str) -> list[str]:
    return list(secret) if secret.isdigit() else secret.split()


def _sentences(text: str) -> str:
    """Capitalise every sentence: a filled-in slot may be lower-case."""
    return re.sub(r"(^|[.!?] )([a-z])", lambda m: m[1] + m[2].upper(), text)


if __name__ == "__main__":
    print(write(paths.data() / "calibration" / "proxies.jsonl"))
