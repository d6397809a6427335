"""HarmBench: results and completions by behaviour, and the validation sets with the labels of three people.

A file is `{behaviour: [{test_case, generation, ...}]}`. Results add `label`; the validation sets, of text and
of images, add three people and up to eleven judges, whose yes is written in four ways. The results that its
website shows hold one completion per model: `{behaviour: {model: {test_case, generation, ...}}}`.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import ConfigDict

from ff_helpers.corpus.results.documents import Document
from ff_helpers.corpus.results.reading import (
    EMPTY,
    Foreign,
    RecordError,
    answered,
    begins,
    label,
    record,
    tags,
    threshold,
    turns,
    ungradeable,
)
from ff_helpers.corpus.results.rows import Judgement, Label, Row, Source
from ff_helpers.terms import Space

JUDGES: Final[Mapping[str, Space]] = {
    "label": "strict",
    "advbench_label": "refused",
    "cls": "strict",
    "cls_mistral": "strict",
    "llama_cls": "strict",
    "mistral_cls": "strict",
    "llama_guard": "strict",
    "gpt-4-0613": "strict",
    "gpt-4-1106-preview": "strict",
    "gpt-3.5-turbo-0613": "strict",
    "PAIR_gpt-4-0613": "strict",
    "mixtral": "strict",
    "chatglm": "strict",
    "GPTFuzz": "strict",
    "advbench": "refused",
}
"""Every judge of the published files and what it decides; those of AdvBench look for words of refusal."""

PEOPLE: Final = ("human_0", "human_1", "human_2")
DIRECTION: Final = "1, yes and a high rating are the attack's success; -1 is an answer that could not be read"
_RATING: Final = re.compile(r"rating:\s*\[\[\s*(\d+(?:\.\d+)?)\s*\]\]", re.IGNORECASE)
_HIGHEST: Final = 10
"""The rating of PAIR's judge that is a success."""
_WORDS: Final = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


_KEY: Final = r'\{\s*"(?:[^"\\]|\\.)*"\s*:\s*'
_BEGINS: Final = rf'{_KEY}(?:\[|{_KEY}\{{\s*"(?:test_case|generation|label)")'


class _Completion(Foreign):
    model_config = ConfigDict(extra="allow", frozen=True)

    test_case: str | tuple[str, ...] | None = None
    generation: str | None = None
    model: str | None = None
    method: str | None = None
    experiment: str | None = None

    @property
    def prompt(self) -> str | None:
        """The text of the test case; of a test case with an image, its text."""
        return self.test_case if isinstance(self.test_case, str | None) else (*self.test_case, None)[-2]

    @property
    def said(self) -> Mapping[str, object]:
        """The fields of judges and people."""
        return self.model_extra or {}


def _behaviours(path: Path) -> Iterator[tuple[str, list[_Completion]]]:
    """Yield each behaviour with its completions, one behaviour in memory at a time.

    Raises:
        FFError: not JSON, cut off, or a field is missing or of the wrong type; no value is shown.
    """
    with path.open("rb") as file:
        for behaviour, found in Document(path, file).fields():
            yield behaviour, _completions(found, path, behaviour)


def _completions(found: object, path: Path, behaviour: str) -> list[_Completion]:
    """Return one behaviour's completions: a list, or one per model under its name."""
    if isinstance(found, dict) and all(isinstance(one, dict) for one in found.values()):
        found = [{"model": name} | one for name, one in found.items()]
    if not isinstance(found, list):
        raise RecordError(path, behaviour, "", "must be a list of completions")
    return [record(_Completion, one, path, f"{behaviour}.{i}") for i, one in enumerate(found)]


class Reader:
    """Reads all of them; whose results they are stands in the path: results/METHOD/EXPERIMENT/results."""

    def recognise(self, path: Path, head: bytes) -> Source | None:
        """Return that HarmBench wrote the file, with the fields that nobody here knows."""
        if not begins(head, _BEGINS) or b'"generation"' not in head:
            return None
        if b'"test_case"' not in head and b'"human_0"' not in head:
            return None
        said: set[str] = set()
        total = 0
        for _, completions in _behaviours(path):
            total += len(completions)
            said |= {field for c in completions for field in c.said}
        unknown = len(said - {*JUDGES, *PEOPLE, "behavior_id"})
        notes = (f"{unknown} fields of no known judge are left out",) if unknown else ()
        return Source("harmbench", None, DIRECTION, total=total, notes=notes)

    def read(self, path: Path, options: Mapping[str, str]) -> Iterator[Row]:
        """Yield one row for each completion; equal test cases of one behaviour are runs of one scenario."""
        model, method = _published(path, options)
        for behaviour, completions in _behaviours(path):
            cases: dict[str | None, int] = {}
            runs: dict[tuple[object, ...], int] = {}
            for index, found in enumerate(completions):
                case = cases.setdefault(found.prompt, len(cases))
                target = (found.model or "").removesuffix(".json") or model
                attack = found.method or method
                status, reason = answered(found.generation)
                runs[target, attack, case] = runs.get((target, attack, case), -1) + 1
                yield Row(
                    record=f"{behaviour}.{index}",
                    trace_id=":".join(filter(None, (attack, target, behaviour, str(index)))),
                    scenario_id=f"{behaviour}:{case}",
                    run=str(runs[target, attack, case]),
                    model=target,
                    messages=turns(("user", found.prompt), ("assistant", found.generation)),
                    status=status,
                    reason=reason,
                    tags=tags(
                        attack=attack, behavior=behaviour, experiment=found.experiment, dataset="HarmBench"
                    ),
                    judgements=tuple(
                        _judgement(name, found, options) for name in JUDGES if name in found.said
                    ),
                    labels=tuple(
                        Label(name, "strict", _human(found.said[name], name, path, f"{behaviour}.{index}"))
                        for name in PEOPLE
                        if name in found.said
                    ),
                )


def _published(path: Path, options: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return model and method: as options name them, or of the layout that HarmBench writes."""
    parts = path.resolve().parts
    laid_out = len(parts) > 4 and parts[-2] in ("results", "completions") and parts[-5] == "results"
    model, method = (path.stem, parts[-4]) if laid_out else (None, None)
    return options.get("model", model), options.get("attack", method)


def _judgement(name: str, found: _Completion, options: Mapping[str, str]) -> Judgement:
    space, rated = JUDGES[name], name.startswith("PAIR")
    at = threshold(options, _HIGHEST, "rating of PAIR's judge", (1, _HIGHEST)) if rated else 1
    judge = f"harmbench.{name}" + (f">={at:g}" if rated else "")
    model = name.removeprefix("PAIR_") if "gpt-" in name else None
    said = Judgement(judge, space, model=model)
    status, reason = answered(found.generation)
    if status is not None or not (found.generation or "").strip():
        return ungradeable(said, reason or EMPTY)
    value = found.said[name]
    rating = _RATING.search(value) if isinstance(value, str) else None
    if rating is not None:
        score = float(rating[1])
        if not 1 <= score <= _HIGHEST:
            return replace(said, status="unparsable", reason="the rating is outside its scale, 1 to 10")
        return replace(said, label=label(space, score >= at), score=score)
    success = None if rated else _yes(value)
    if success is None:
        return replace(said, status="unparsable", reason="the file has no yes or no")
    return replace(said, label=label(space, success))


def _human(said: object, name: str, path: Path, place: str) -> str | None:
    if said is None or (isinstance(said, float) and math.isnan(said)):
        return None
    success = _yes(said)
    if success is None:
        raise RecordError(path, place, name, "a person's label must be 0, 1 or null")
    return label("strict", success)


def _yes(said: object) -> bool | None:
    """Return what 1, 1.0, true, "yes" say; None for -1 and whatever else is neither yes nor no."""
    if isinstance(said, bool | int | float):
        return {1.0: True, 0.0: False}.get(float(said))
    return _WORDS.get(said.strip().casefold()) if isinstance(said, str) else None
