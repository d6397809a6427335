"""Samples of lm-evaluation-harness (`samples_*.jsonl`): one row for each answer of the model.

A sample stands once for each filter, so one filter is chosen. Repeats stand in `resps`. Which way a metric
is read the user says, as for Inspect: `--success-value METRIC>=NUMBER`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import ConfigDict, ValidationError

from ff_helpers.corpus.jsonl import parse_line
from ff_helpers.corpus.results.inspect.directions import Directions, number_of
from ff_helpers.corpus.results.reading import (
    EMPTY,
    Foreign,
    PartError,
    RecordError,
    answered,
    begins,
    chat,
    tags,
    turns,
    ungradeable,
)
from ff_helpers.corpus.results.rows import Judgement, Row, Source
from ff_helpers.errors import FFError, named
from ff_helpers.terms import SPACES

DIRECTION: Final = "as --success-value METRIC>=NUMBER or METRIC<=NUMBER says; no metric is read unasked"
_KNOWN: Final = {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"}
_WRITTEN: Final = re.compile(r"samples_(.+)_(\d{4}-\d\d-\d\dT.*)\.jsonl")
_TOTALS: Final = re.compile(r"results_(\d{4}-\d\d-\d\dT.*)\.json")
"""How the harness names the two files of a run; both names hold its time."""


class _Sample(Foreign):
    model_config = ConfigDict(extra="allow", frozen=True, arbitrary_types_allowed=True)

    doc_id: int
    doc: object = None
    arguments: object = None
    resps: tuple[object, ...]
    filtered_resps: tuple[object, ...] = ()
    filter: str = "none"
    metrics: tuple[str, ...] | None = None

    @property
    def scores(self) -> Mapping[str, object]:
        """Its metrics; before 0.4.4, which did not list them, its numbers other than hashes."""
        more = self.model_extra or {}
        names = [k for k in more if number_of(more[k]) is not None and not k.endswith("_hash")]
        return {name: more.get(name) for name in (names if self.metrics is None else self.metrics)}

    @property
    def answers(self) -> list[str]:
        """The texts of the answer and its repeats; none where the task asks for probabilities."""
        first = self.resps[0] if len(self.resps) == 1 else None
        repeats = first if isinstance(first, list) else [first]
        return [text for text in repeats if isinstance(text, str)] if all_text(repeats) else []

    @property
    def prompt(self) -> str | None:
        """The first argument of the request."""
        found: object = self.arguments
        for _ in range(2):
            values: Sequence[object] = list(found.values()) if isinstance(found, dict) else ()
            found = values[0] if values else found[0] if isinstance(found, list) and found else found
        return found if isinstance(found, str) else None


class _Filtered(Foreign):
    filter: str = "none"


class _Totals(Foreign):
    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())

    model_name: str | None = None
    lm_eval_version: str | None = None


def all_text(values: Sequence[object]) -> bool:
    """Return whether there are values, all of them texts."""
    return bool(values) and all(isinstance(value, str) for value in values)


class Reader:
    """Reads what `lm_eval --log_samples` writes."""

    def recognise(self, path: Path, head: bytes) -> Source | None:
        """Return that lm-evaluation-harness wrote the file, with its filters.

        Raises:
            PartError: it holds the totals of a run (`results_*.json`).
        """
        if begins(head, r'\{\s*"results"\s*:\s*\{') and (b'"n-shot"' in head or b'"group_subtasks"' in head):
            run = _TOTALS.fullmatch(path.name)
            raise PartError(
                path,
                "the totals of a run of lm-evaluation-harness, without a row",
                "Import samples_*.jsonl of the same run; the harness writes them with --log_samples.",
                run[1] if run else None,
            )
        first = head.split(b"\n", 1)[0]
        if not begins(head, r'\{\s*"doc_id"\s*:') or b'"resps"' not in first:
            return None
        filters = _filters(path)
        note = f"filters {', '.join(map(named, filters))}: choose one with --option filter=NAME"
        total = max(filters.values())
        written = _WRITTEN.fullmatch(path.name)
        notes = [note] if len(filters) > 1 else []
        if _model(path) is None:
            notes.append("nothing beside it names the model: --model NAME does")
        return Source(
            "lm-eval",
            _totals(path).lm_eval_version,
            DIRECTION,
            total=total,
            notes=tuple(notes),
            run=written[2] if written else None,
        )

    def read(self, path: Path, options: Mapping[str, str]) -> Iterator[Row]:
        """Yield one row for each answer; repeats are runs of one scenario.

        Ids hold the task and the model: documents of all tasks are counted from 0.

        Raises:
            FFError: several filters and none chosen, no metric with a direction, or a task without answers.
        """
        chosen = _chosen(path, _filters(path), options)
        written = _WRITTEN.fullmatch(path.name)
        model = options.get("model") or _model(path)
        task = written[1] if written else None
        directions, seen = Directions(options, ""), set[int]()
        for number, sample in _samples(path):
            if sample.filter != chosen:
                continue
            if sample.doc_id in seen:
                problem = "repeats within a filter: files of two tasks or runs were put together"
                raise RecordError(path, f"line {number}", "doc_id", problem)
            seen.add(sample.doc_id)
            if not sample.answers:
                problem = "no text: a task of probabilities (multiple choice) has no answers to judge"
                raise RecordError(path, f"line {number}", "resps", problem)
            if all(directions.of(name) is None for name in sample.scores):
                raise _undirected(path, sample.scores)
            asked = chat(sample.prompt) or turns(("user", sample.prompt))
            category = sample.doc.get("category") if isinstance(sample.doc, dict) else None
            scenario = ":".join(filter(None, (task, str(sample.doc_id))))
            for run, response in enumerate(sample.answers):
                status, reason = answered(response)
                yield Row(
                    record=f"line {number}",
                    trace_id=":".join(filter(None, (model, scenario, str(run)))),
                    messages=(*asked, *turns(("assistant", response))),
                    scenario_id=scenario,
                    run=str(run),
                    model=model,
                    status=status,
                    reason=reason,
                    tags=tags(dataset=task, category=category),
                    judgements=tuple(_judgements(sample, run, response, reason, directions)),
                )


def _totals(path: Path) -> _Totals:
    """Return what `results_TIME.json` beside the samples says of their run; nothing where there is none."""
    written = _WRITTEN.fullmatch(path.name)
    try:
        beside = path.with_name(f"results_{written[2]}.json").read_bytes() if written else b"{}"
        return _Totals.model_validate_json(beside)
    except (OSError, ValidationError):
        return _Totals()


def _model(path: Path) -> str | None:
    """Return the model as its totals name it, or as the harness names its folder, ORG__MODEL."""
    told, folder = _totals(path).model_name, path.resolve().parent.name
    harness = "__" in folder.strip("_") and _WRITTEN.fullmatch(path.name)
    return told or (folder.replace("__", "/") if harness else None)


def _samples(path: Path) -> Iterator[tuple[int, _Sample]]:
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if raw.strip():
                yield number, parse_line(_Sample, raw, path=path, line=number)


def _filters(path: Path) -> Counter[str]:
    """Return how many samples each filter has."""
    with path.open("rb") as file:
        lines = ((number, raw) for number, raw in enumerate(file, start=1) if raw.strip())
        return Counter(parse_line(_Filtered, raw, path=path, line=number).filter for number, raw in lines)


def _chosen(path: Path, filters: Mapping[str, int], options: Mapping[str, str]) -> str:
    given = options.get("filter")
    names = ", ".join(map(named, sorted(filters)))
    if given is not None and given not in filters:
        raise FFError(f"{path}: --option filter: must be one of {names}.")
    if given is None and len(filters) > 1:
        raise FFError(
            f"{path}: every sample stands once for each of the filters {names}. Choose one, so that none "
            f"counts twice: --option filter={named(min(filters))}"
        )
    return next(iter(filters)) if given is None else given


def _undirected(path: Path, scores: Mapping[str, object]) -> FFError:
    names = [named(name) for name in scores]
    first = names[0] if names else "METRIC"
    return FFError(
        f"{path}: which value of a metric means that the attack succeeded? A file of samples does not tell. "
        f"Metrics: {', '.join(names)}. Say it, such as --success-value '{first}>=1' or '{first}<=0'."
    )


def _judgements(
    sample: _Sample, run: int, response: str, missing: str | None, directions: Directions
) -> Iterator[Judgement]:
    """Yield what the metrics say of one answer: of repeats they judge the first, if it is what was kept."""
    kept = list(sample.filtered_resps)
    alone = len(sample.answers) == 1 or (run == 0 and kept == [response])
    for name, value in sample.scores.items():
        for rule in directions.of(name) or ():
            said = Judgement(f"lm-eval.{rule.judge}", rule.space)
            verdict, score = rule.verdict(value), number_of(value)
            if missing is not None or not response.strip():
                yield ungradeable(said, missing or EMPTY)
            elif not alone:
                yield ungradeable(said, "the metric is of the repeats together")
            elif verdict is None:
                yield replace(said, status="unparsable", reason="a value of no direction")
            else:
                yield replace(said, label=SPACES[rule.space][verdict], score=score)
