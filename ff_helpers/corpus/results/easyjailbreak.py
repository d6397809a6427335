"""Results of EasyJailbreak (JSONL): one row for each response to an attack's prompt.

`eval_results` holds truth values, their names as text, or scores from 1 to 10, by the evaluator that was
used, which the file does not name. An evaluator of one's own may write one value in place of the list.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from ff_helpers.corpus.jsonl import parse_line
from ff_helpers.corpus.results.reading import (
    EMPTY,
    Foreign,
    answered,
    begins,
    label,
    tags,
    threshold,
    turns,
    ungradeable,
)
from ff_helpers.corpus.results.rows import Judgement, Row, Source

JUDGE: Final = "easyjailbreak"
DIRECTION: Final = "true is the attack's success; of a score (1 to 10), --option threshold=NUMBER or more"
NOTE: Final = (
    "the file does not name its evaluator, and its attack PAIR writes a random score from 1 to 10 where no "
    "evaluator was set: know which one it was before you use these labels"
)
_WORDS: Final = {"true": True, "false": False}

Result = bool | int | float | str | None


class _Instance(Foreign):
    query: str | None = None
    jailbreak_prompt: str | None = None
    target_responses: tuple[str | None, ...] | None = None
    eval_results: tuple[Result, ...] | Result = None

    @property
    def prompt(self) -> str | None:
        """What was sent: the attack's prompt with the query in its place."""
        if self.jailbreak_prompt is None:
            return self.query
        return self.jailbreak_prompt.replace("{query}", self.query or "")

    @property
    def scores(self) -> list[Result]:
        """Its results, a truth value for `"True"`: the file holds both."""
        given = self.eval_results
        said = given if isinstance(given, tuple) else () if given is None else (given,)
        return [_WORDS.get(one.strip().casefold(), one) if isinstance(one, str) else one for one in said]


class Reader:
    """Reads what `JailbreakDataset.save_to_jsonl` writes; attack and target are options."""

    def recognise(self, path: Path, head: bytes) -> Source | None:
        """Return that EasyJailbreak wrote the file."""
        first = head.split(b"\n", 1)[0]
        needed = (b'"jailbreak_prompt"', b'"query"', b'"target_responses"', b'"eval_results"')
        if not begins(head, r"\{") or not all(name in first for name in needed):
            return None
        total = sum(max(1, len(found.target_responses or ())) for _, found in _instances(path))
        return Source("easyjailbreak", None, DIRECTION, total=total, notes=(NOTE,))

    def read(self, path: Path, options: Mapping[str, str]) -> Iterator[Row]:
        """Yield one row for each response; the responses to one prompt are runs of one scenario.

        Raises:
            FFError: there are scores and no threshold.
        """
        numbers = {one for _, found in _instances(path) for one in found.scores if _is_number(one)}
        binary = 0 in numbers and numbers <= {0, 1}
        scale = bool(numbers) and not binary
        at = threshold(options, None, "score of EasyJailbreak", (1, 10)) if scale else 1.0
        runs: dict[str, int] = {}
        for number, found in _instances(path):
            asked = f"{found.query}\0{found.jailbreak_prompt}"
            scenario = hashlib.sha256(asked.encode("utf-8", "replace")).hexdigest()[:16]
            for index, response in enumerate(found.target_responses or (None,)):
                run = runs[scenario] = runs.get(scenario, -1) + 1
                status, reason = answered(response)
                yield Row(
                    record=f"line {number}",
                    trace_id=f"{scenario}:{run}",
                    messages=turns(("user", found.prompt), ("assistant", response)),
                    scenario_id=scenario,
                    run=str(run),
                    model=options.get("model"),
                    status=status,
                    reason=reason,
                    tags=tags(attack=options.get("attack")),
                    judgements=_judgements(found, index, response, binary, at),
                )


def _instances(path: Path) -> Iterator[tuple[int, _Instance]]:
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if raw.strip():
                yield number, parse_line(_Instance, raw, path=path, line=number)


def _is_number(value: Result) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _judgements(
    found: _Instance, index: int, response: str | None, binary: bool, at: float
) -> tuple[Judgement, ...]:
    """Return the result of one response; none if the instance was not evaluated."""
    said = found.scores
    scale = not binary and any(map(_is_number, said))
    judged = Judgement(f"{JUDGE}>={at:g}" if scale else JUDGE, "strict")
    status, reason = answered(response)
    if not said:
        return ()
    if status is not None or not (response or "").strip():
        return (ungradeable(judged, reason or EMPTY),)
    if len(said) != len(found.target_responses or ()):
        reason = f"{len(said)} results for {len(found.target_responses or ())} responses"
        return (ungradeable(judged, reason),)
    value = said[index]
    if isinstance(value, bool):
        return (Judgement(JUDGE, "strict", label=label("strict", value)),)
    if isinstance(value, int | float) and (binary or 1 <= value <= 10):
        return (replace(judged, label=label("strict", value >= at), score=float(value)),)
    return (replace(judged, status="unparsable", reason="no truth value and no score of 1 to 10"),)
