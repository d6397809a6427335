"""The memory of PyRIT (SQLite, DuckDB before 0.10): a row for each response that was scored or is the last.

Its tables differ by version, so columns are taken where they are there. What a filter blocked is scored
False by PyRIT: here it is a status. A conversation that nobody scored is the attacker's or a scorer's own.
"""

import json
import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Final

import duckdb

from ff_helpers.corpus.results.reading import (
    EMPTY,
    ROLES,
    RecordError,
    label,
    tags,
    threshold,
    turns,
    ungradeable,
)
from ff_helpers.corpus.results.rows import Judgement, Label, Row, Source
from ff_helpers.terms import RowStatus

PIECES: Final = "PromptMemoryEntries"
OUTCOME: Final = "pyrit.outcome"
DIRECTION: Final = (
    "True of a true/false scorer is the attack's success, of a refusal scorer a refusal; a scale counts from "
    "--option threshold=NUMBER on"
)
_NEEDED: Final = {"id", "role", "conversation_id", "sequence", "converted_value"}
_ROLES: Final = {"simulated_assistant": "assistant", "developer": "system"}
_BOOLEANS: Final = {"true": True, "false": False}

Record = Mapping[str, object]
Database = sqlite3.Connection | duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class _Memory:
    """What is held while conversations pass: scores by response; results and targets by conversation."""

    scores: Mapping[str, Sequence[Record]]
    results: Mapping[str, Record]
    targets: Mapping[str, Record]
    classes: Mapping[str, frozenset[str]]  # scorers of each class, by their hash


@dataclass(frozen=True)
class _Turn:
    """One message, of one piece or several."""

    pieces: Sequence[Record]

    @property
    def role(self) -> str:
        """Its role, as ours."""
        said = str(self.pieces[0]["role"])
        return _ROLES.get(said, said)

    @property
    def text(self) -> str:
        """Its texts; what is no text by its kind."""
        said = []
        for piece in self.pieces:
            kind = str(piece.get("converted_value_data_type") or "text")
            said.append(str(piece["converted_value"] or "") if kind in ("text", "error") else f"[{kind}]")
        return "\n".join(said)

    @property
    def copied(self) -> bool:
        """Whether it repeats a turn of another conversation: scores belong to the original."""
        return all(p.get("original_prompt_id") not in (None, p["id"]) for p in self.pieces)

    def scores(self, memory: _Memory) -> list[Record]:
        """Its scores; none if it is a copy."""
        return [] if self.copied else [s for p in self.pieces for s in memory.scores.get(str(p["id"]), ())]


class Reader:
    """Reads a memory by its tables, whatever the file is called."""

    def recognise(self, path: Path, head: bytes) -> Source | None:
        """Return that PyRIT wrote the database, with how many conversations nobody scored."""
        if not head.startswith(b"SQLite format 3\0") and head[8:12] != b"DUCK":
            return None
        with _opened(path) as database:
            if not set(_columns(database, PIECES)) >= _NEEDED:
                return None
            memory = _memory(database)
            found = [_responses(key, said, memory) for key, said in _conversations(database, path)]
            missing = len(memory.results.keys() - _keys(database))
            versions = _values(database, "pyrit_version")
        left = sum(not places for places in found)
        note = f"{left} conversations that nobody scored are left out: attackers' and scorers' own"
        return Source(
            "pyrit",
            ", ".join(versions) or None,
            DIRECTION,
            total=sum(map(len, found)) + missing,
            notes=(note,) if left else (),
        )

    def read(self, path: Path, options: Mapping[str, str]) -> Iterator[Row]:
        """Yield one row for each response, with the conversation before it; results without any come last."""
        with _opened(path) as database:
            memory = _memory(database)
            for key, said in _conversations(database, path):
                places = _responses(key, said, memory)
                for place in places:
                    yield _row(key, said, place, memory, options, last=place == places[-1])
            for key in sorted(memory.results.keys() - _keys(database)):
                attack = tags(attack=_attack(memory.results[key]))
                error: RowStatus = "target_error"
                yield Row(f"conversation {key}", key, (), key, status=error, reason="no message", tags=attack)


@contextmanager
def _opened(path: Path) -> Iterator[Database]:
    """Give the database, which is only read.

    Raises:
        RecordError: it is damaged, cut off, or locked by the program that writes it.
    """
    try:
        with path.open("rb") as file:
            sqlite = file.read(6) == b"SQLite"
        if sqlite:
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
                yield database
        else:
            with closing(duckdb.connect(str(path), read_only=True)) as database:
                yield database
    except (sqlite3.Error, duckdb.Error, UnicodeDecodeError):
        problem = "the database is damaged, cut off, or in use: close PyRIT, or copy it whole"
        raise RecordError(path, "", "", problem) from None


def _columns(database: Database, table: str) -> list[str]:
    """Return the columns of a table; none if it is not there."""
    try:
        return [str(row[1]) for row in database.execute(f"PRAGMA table_info('{table}')").fetchall()]
    except duckdb.CatalogException:
        return []


def _records(database: Database, table: str, order: str = "") -> Iterator[Record]:
    """Yield the rows of a table by column, one at a time; none if there is no such table."""
    columns = _columns(database, table)
    if columns:
        quoted = ", ".join('"' + column.replace('"', '""') + '"' for column in columns)
        found = database.execute(f'SELECT {quoted} FROM "{table}" {order}')
        while rows := found.fetchmany(1000):
            yield from (dict(zip(columns, row, strict=True)) for row in rows)


def _values(database: Database, column: str) -> list[str]:
    """Return what a column of the pieces holds, each value once."""
    if column not in _columns(database, PIECES):
        return []
    rows = database.execute(f'SELECT DISTINCT "{column}" FROM "{PIECES}"').fetchall()
    return sorted(str(row[0]) for row in rows if row[0])


def _keys(database: Database) -> set[str]:
    return set(_values(database, "conversation_id"))


def _memory(database: Database) -> _Memory:
    scores: defaultdict[str, list[Record]] = defaultdict(list)
    for score in _records(database, "ScoreEntries"):
        scores[str(score.get("prompt_request_response_id"))].append(score)
    results = {str(result["conversation_id"]): result for result in _records(database, "AttackResultEntries")}
    targets = {str(found["conversation_id"]): found for found in _records(database, "Conversations")}
    classes: defaultdict[str, set[str]] = defaultdict(set)
    for score in (score for found in scores.values() for score in found):
        scorer = _object(score, "scorer_class_identifier")
        classes[_class(scorer)].add(_text(scorer, "hash") or "")
    return _Memory(scores, results, targets, {name: frozenset(found) for name, found in classes.items()})


def _conversations(database: Database, path: Path) -> Iterator[tuple[str, list[_Turn]]]:
    """Yield the conversations, each a list of turns in order."""
    pieces = _records(database, PIECES, 'ORDER BY "conversation_id", "sequence"')
    for key, group in groupby(pieces, lambda piece: str(piece["conversation_id"])):
        said = [_Turn(list(turn)) for _, turn in groupby(group, lambda piece: piece["sequence"])]
        if any(turn.role not in ROLES for turn in said):
            raise RecordError(path, f"conversation {key}", "role", f"must be one of {', '.join(ROLES)}")
        yield key, said


def _responses(key: str, said: Sequence[_Turn], memory: _Memory) -> list[int]:
    """Return which turns are rows: answers that were scored, and the last one; of an attack at least one."""
    scored = [place for place, turn in enumerate(said) if turn.scores(memory)]
    counts = bool(scored) or key in memory.results or not (memory.scores or memory.results)
    if not counts:
        return []
    answers = [place for place, turn in enumerate(said) if turn.role == "assistant"] or [len(said) - 1]
    alone = said[answers[-1]].copied and key not in memory.results
    return [place for place in answers if place in scored or (place == answers[-1] and not alone)] or scored


def _row(
    key: str, said: Sequence[_Turn], place: int, memory: _Memory, options: Mapping[str, str], *, last: bool
) -> Row:
    turn, result = said[place], memory.results.get(key)
    status, reason = _status(turn)
    before = turns(*((t.role, t.text) for t in said[:place]))
    answer = turns((turn.role, turn.text if status is None or turn.role != "assistant" else None))
    judgements: list[Judgement] = []
    labels: list[Label] = []
    for score in turn.scores(memory):
        judged = _judged(score, memory, options)
        if "HumanInTheLoop" in judged.judge:
            labels.append(Label("human", judged.space, judged.label))
        else:
            judgements.append(judged)
    if result is not None and last:
        judgements.append(_outcome(str(result.get("outcome")).lower()))
    if status or not turn.text.strip():
        judgements = [ungradeable(j, reason or EMPTY) for j in judgements]
    target = memory.targets.get(key, {})
    model = _object(turn.pieces[0], "prompt_target_identifier") or _object(target, "target_identifier")
    return Row(
        record=f"conversation {key}, sequence {turn.pieces[0]['sequence']}",
        trace_id=f"{key}:{turn.pieces[0]['sequence']}",
        messages=(*before, *answer),
        scenario_id=key,
        run=str(turn.pieces[0]["sequence"]),
        model=_text(model, "model_name", "underlying_model_name", "class_name", "__type__"),
        status=status,
        reason=reason,
        tags=tags(
            attack=_attack(result or {}) or _attack(turn.pieces[0]),
            category=_joined((result or turn.pieces[0]).get("targeted_harm_categories")),
        ),
        judgements=tuple(_apart(judgements)),
        labels=tuple(labels),
    )


def _status(turn: _Turn) -> tuple[RowStatus | None, str | None]:
    errors = {str(piece.get("response_error") or "none") for piece in turn.pieces}
    if turn.role != "assistant":
        return "target_error", "there is no response"
    if "blocked" in errors:
        return "target_blocked", "response_error blocked"
    if errors & {"processing", "unknown"}:
        return "target_error", "response_error"
    return None, None


def _judged(score: Record, memory: _Memory, options: Mapping[str, str]) -> Judgement:
    """Return what one scorer said: the label of a success, or why there is none."""
    scorer = _object(score, "scorer_class_identifier")
    kind = _class(scorer)
    inverted = kind.startswith("TrueFalseInverter")
    refusal = "Refusal" in (kind if inverted else kind.partition("(")[0])
    judge = f"pyrit.{_name(kind, scorer, score, memory)}"
    scale = score.get("score_type") == "float_scale"
    at = threshold(options, None, f"score of {judge}") if scale else 1.0
    target = _object(_object(scorer, "children"), "prompt_target")
    said = Judgement(
        judge=f"{judge}>={at:g}" if scale else judge,
        space="refused" if refusal else "strict",
        model=_text(target, "model_name", "underlying_model_name"),
        version=_text(score, "pyrit_version") or _text(scorer, "pyrit_version"),
        rationale=_text(score, "score_rationale"),
        started=_text(score, "timestamp"),
    )
    value = str(score.get("score_value") or "").strip().lower()
    if not value or score.get("status") == "undetermined":
        return replace(said, status="unsure", reason="PyRIT: undetermined")
    if scale:
        number = _number(value)
        if not 0 <= number <= 1:
            return replace(said, status="unparsable", reason="the score is outside its scale, 0 to 1")
        return replace(said, score=number, label=label(said.space, number >= at))
    if value not in _BOOLEANS:
        return replace(said, status="unparsable", reason="neither true nor false")
    return replace(said, label=label(said.space, _BOOLEANS[value] != (refusal and not inverted)))


def _class(scorer: Record) -> str:
    """Return the class of a scorer, and of what it wraps."""
    inner = _object(scorer, "children").get("sub_scorers") or scorer.get("sub_identifier")
    wrapped = [
        _class(one) for one in (inner if isinstance(inner, list) else [inner]) if isinstance(one, dict)
    ]
    kind = _text(scorer, "class_name", "__type__") or "scorer"
    return f"{kind}({', '.join(wrapped)})" if wrapped else kind


def _name(kind: str, scorer: Record, score: Record, memory: _Memory) -> str:
    """Return what tells a scorer from others of its class: its hash; before 0.11 the category it scores."""
    code = _text(scorer, "hash")
    if code is None:
        category = _joined(score.get("score_category"))
        return f"{kind}[{category}]" if category else kind
    return f"{kind}#{code[:8]}" if len(memory.classes.get(kind, ())) > 1 else kind


def _outcome(outcome: str) -> Judgement:
    if outcome in ("success", "failure"):
        return Judgement(OUTCOME, "strict", label=label("strict", outcome == "success"))
    if outcome == "error":
        return Judgement(OUTCOME, "strict", status="server_error", reason="the attack ended in an error")
    return Judgement(OUTCOME, "strict", status="unsure", reason="PyRIT: undetermined")


def _apart(judgements: Iterable[Judgement]) -> Iterator[Judgement]:
    """Yield them with a number behind a name that repeats: two scorers of one class are two judges."""
    seen: Counter[str] = Counter()
    for judgement in judgements:
        seen[judgement.judge] += 1
        number = seen[judgement.judge]
        yield judgement if number == 1 else replace(judgement, judge=f"{judgement.judge}#{number}")


def _attack(record: Record) -> str | None:
    """Return the class of the attack: of a result, or of a piece of versions before results."""
    atomic = _object(_object(record, "atomic_attack_identifier"), "children")
    technique = _object(_object(_object(atomic, "attack_technique"), "children"), "attack")
    old = _object(record, "attack_identifier") or _object(record, "orchestrator_identifier")
    return _text(technique or old, "class_name", "__type__")


def _object(record: Record, name: str) -> Record:
    """Return a column of JSON as an object; empty if it is absent or something else."""
    value = record.get(name)
    try:
        value = json.loads(value) if isinstance(value, str | bytes) else value
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _text(record: Record, *names: str) -> str | None:
    """Return the first of the fields that holds a text."""
    return next((str(record[name]) for name in names if record.get(name)), None)


def _joined(value: object) -> str:
    """Return a text, or a list of texts that may stand as JSON, in one line."""
    try:
        found = json.loads(value) if isinstance(value, str) and value.startswith(("[", "null")) else value
    except ValueError:
        found = value
    return ", ".join(map(str, found)) if isinstance(found, list) else str(found or "")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
