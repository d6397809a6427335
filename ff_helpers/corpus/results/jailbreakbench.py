"""Artifacts of JailbreakBench: one row for each behaviour of an attack on a model.

Behaviours for which the attack found no prompt stay in: they are `not_submitted`, and the published rate is
over all of them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ff_helpers.corpus.results.documents import Document
from ff_helpers.corpus.results.reading import (
    EMPTY,
    Foreign,
    RecordError,
    begins,
    label,
    record,
    tags,
    turns,
    ungradeable,
)
from ff_helpers.corpus.results.rows import Judgement, Row, Source

JUDGES: Final = ("jailbroken", "jailbroken_llama_guard1")
DIRECTION: Final = "jailbroken: true is the attack's success"


class _Parameters(Foreign):
    method: str
    model: str
    attack_type: str | None = None
    defense: str | None = None
    attack_success_rate: float | None = None
    evaluation_date: str | None = None


class _Jailbreak(Foreign):
    index: int
    behavior: str
    category: str | None = None
    prompt: str | None = None
    response: str | None = None
    jailbroken: bool | None = None
    jailbroken_llama_guard1: bool | None = None


def _jailbreaks(path: Path) -> Iterator[tuple[_Parameters, str, _Jailbreak]]:
    """Yield each behaviour with what the artifact says of all, and its place; one in memory at a time.

    Raises:
        FFError: not JSON, cut off, or a field is missing or of the wrong type; no value is shown.
    """
    about: _Parameters | None = None
    with path.open("rb") as file:
        artifact = Document(path, file, streamed="jailbreaks")
        for key, value in artifact.fields(whole=True):
            if key == "parameters":
                about = record(_Parameters, value, path, key)
            elif key == "jailbreaks":
                if about is None:
                    raise RecordError(path, key, "", "the parameters must come before them")
                for number, found in enumerate(artifact.items()):
                    place = f"jailbreaks.{number}"
                    yield about, place, record(_Jailbreak, found, path, place)


class Reader:
    """Reads an artifact; the file of all models that is sent in (`submission.json`) is not one."""

    def recognise(self, path: Path, head: bytes) -> Source | None:
        """Return what wrote the file, with the rate that it publishes."""
        if not begins(head, r'\{\s*"parameters"\s*:\s*\{[^}]*"method"\s*:') or b'"jailbreaks"' not in head:
            return None
        total = absent = 0
        published = ""
        for about, _, found in _jailbreaks(path):
            total += 1
            absent += not found.prompt or found.response is None
            if (rate := about.attack_success_rate) is not None:
                published = f"; published: {100 * rate:.1f}% of all rows"
        note = f"{absent} behaviours without a prompt or a response{published}"
        return Source("jailbreakbench", None, DIRECTION, total=total, notes=(note,))

    def read(self, path: Path, options: Mapping[str, str]) -> Iterator[Row]:  # noqa: ARG002
        """Yield one row for each behaviour."""
        for about, place, found in _jailbreaks(path):
            absent = not found.prompt or found.response is None
            yield Row(
                record=place,
                trace_id=f"{about.method}:{about.model}:{found.index}",
                scenario_id=f"{about.method}:{found.index}",
                model=about.model,
                messages=turns(("user", found.prompt or None), ("assistant", found.response)),
                status="not_submitted" if absent else None,
                reason="the attack found no prompt" if absent else None,
                tags=tags(
                    attack=about.method,
                    attack_type=about.attack_type,
                    defense=about.defense,
                    behavior=found.behavior,
                    category=found.category,
                    dataset="JailbreakBench",
                ),
                judgements=tuple(j for name in JUDGES if (j := _judgement(name, found, absent)) is not None),
            )


def _judgement(field: str, found: _Jailbreak, absent: bool) -> Judgement | None:
    said: bool | None = getattr(found, field)
    if said is None:
        return None
    judged = Judgement(f"jailbreakbench.{field}", "strict", label=label("strict", said))
    if absent or not found.response:
        return ungradeable(judged, "no prompt was submitted" if absent else EMPTY)
    return judged
