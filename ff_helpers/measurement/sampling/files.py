"""The sample file: which traces to label, with which probability they were drawn, and what people decided.

`labels.csv` has one row per trace and no text; its design stands in `labels.csv.json` beside it, and
decisions of `ff label` in `labels.csv.decisions.NAME.jsonl`, one journal per person, in which nothing is
overwritten: two people label at once, or on two machines, and their files are put side by side. A file that
was filled in a spreadsheet works as well, and so does the one that `ff import` writes, with a row per person
and trace (trace_id, annotator, label, space).
"""

import csv
import glob
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Literal, Self

import pandas as pd
from pydantic import Field, ValidationError, model_validator

from ff_helpers.corpus.journal import read_journal
from ff_helpers.corpus.jsonl import Closed, Versioned
from ff_helpers.corpus.results.labels import COLUMNS as BY_PERSON
from ff_helpers.corpus.traces import majority
from ff_helpers.errors import FFError, named
from ff_helpers.formats import refuse_newer
from ff_helpers.terms import SPACES, Space, Tier, classes

COLUMNS: Final = ("trace_id", "stratum", "probability", "truth")
DesignName = Literal["random", "by-verdict", "best"]


class Stratum(Closed):
    """Rows of one stratum: how many there were, how many were drawn; so many scenarios, where these were."""

    stratum: str
    rows: int = Field(ge=0)
    drawn: int = Field(ge=0)
    scenarios: int = Field(default=0, ge=0)
    scenarios_drawn: int = Field(default=0, ge=0)

    @property
    def probability(self) -> float:
        """With which each of its rows was drawn."""
        return self.scenarios_drawn / self.scenarios if self.scenarios else self.drawn / max(self.rows, 1)


class Within(Closed):
    """Shares of true successes that were expected within each verdict when rows were drawn; in [0, 1].

    `labels`: how many labels said so; 0: a guess.
    """

    in_hits: float = Field(ge=0, le=1)
    in_others: float = Field(ge=0, le=1)
    labels: int = Field(default=0, ge=0)


class Design(Closed):
    """How a sample was drawn.

    Attributes:
        design: `random`; `by-verdict`: half from hits, half from the others; `best`: by verdict, with the
            split whose interval is expected to be narrowest.
        seed: of the order in which rows are taken.
        tier: whose hits are the strata of `by-verdict` and `best`.
        space: the label space in which people label.
        by: columns of which each combination is a stratum too.
        by_scenario: scenarios were drawn, each with all of its traces in the stratum.
        soft: each verdict was split by how sure the grader was (`sampling.soft`), and the least sure third
            was drawn most often.
        rows_sha256: hash of the sorted lines `trace_id<TAB>stratum` of all rows that could be drawn.
        strata: what was drawn of what.
        expected: what the split of `best` rests on. Probabilities do not depend on it.
    """

    format: Literal[1] = 1
    design: DesignName
    seed: int
    tier: Tier
    space: Space
    by: tuple[str, ...] = ()
    by_scenario: bool = False
    soft: bool = False
    rows_sha256: str
    strata: tuple[Stratum, ...]
    expected: Within | None = None


class Decision(Versioned):
    """One decision of one person about one trace; a later one of the same person replaces it.

    `label` is a class of the space, or None: cannot say. `withdrawn` takes back what was decided before.
    """

    CALLED: ClassVar = "decisions about a sample of traces"

    trace_id: str = Field(min_length=1)
    annotator: str = Field(min_length=1)
    space: Space
    label: str | None = None
    rationale: str | None = None
    role: Literal["label", "adjudicate"] = "label"
    withdrawn: bool = False
    started: str

    @model_validator(mode="after")
    def _label_is_in_its_space(self) -> Self:
        if self.label is not None and self.label not in classes(self.space):
            raise ValueError(f"label: must be one of {', '.join(classes(self.space))}")
        return self


@dataclass(frozen=True)
class Sample:
    """A sample file, as it stands.

    Attributes:
        path: of `labels.csv`.
        design: how it was drawn; None for a file without one, such as a spreadsheet of one's own.
        space: of the labels.
        frame: one row per trace: trace_id, stratum (str), probability (float in (0, 1]), truth (str, missing
            where there is none yet).
        decided: annotator -> trace_id -> label, of those who labelled; None: cannot say.
        disputed: traces on which people differ (of a file by person: no label has a majority) and nobody has
            adjudicated, or adjudicators differ.
        decisions: those that stand, one per person, trace and role; of one person, the earliest first.
        cells: trace_id -> what stands in the column truth of the file itself, where it is filled.
    """

    path: Path
    design: Design | None
    space: Space
    frame: pd.DataFrame
    decided: dict[str, dict[str, str | None]]
    disputed: tuple[str, ...]
    decisions: tuple[Decision, ...]
    cells: dict[str, str]


def design_path(path: Path) -> Path:
    """Return where the design of a sample file is."""
    return path.with_name(path.name + ".json")


def decisions_path(path: Path, annotator: str) -> Path:
    """Return where the decisions of one person about a sample file are."""
    name = re.sub(r"[^\w-]+", "-", annotator)
    return path.with_name(f"{path.name}.decisions.{name}.jsonl")


def decision_files(path: Path) -> list[Path]:
    """Return every journal of decisions about a sample file, of everybody."""
    return sorted(path.parent.glob(f"{glob.escape(path.name)}.decisions*.jsonl"))


def write_sample(path: Path, frame: pd.DataFrame, design: Design) -> None:
    """Write a sample file and its design, each in one step.

    Args:
        path: of `labels.csv`.
        frame: the columns of `Sample.frame`.
        design: how it was drawn.
    """
    for place, text in (
        (path, frame[list(COLUMNS)].to_csv(index=False, lineterminator="\n")),
        (design_path(path), design.model_dump_json(indent=1) + "\n"),
    ):
        beside = place.with_name(place.name + ".tmp")
        beside.write_text(text, encoding="utf-8", newline="")
        beside.replace(place)


def read_sample(path: Path, *, space: Space | None = None) -> Sample:
    """Return a sample file with the truth that people gave.

    The truth of a trace is its adjudicated label, else the label of all who decided, else what stands in the
    file. Where people differ and nobody adjudicated there is none. Of a file by person it is what more than
    half of its people said, as in the traces of an import.

    Args:
        path: of `labels.csv`.
        space: of the labels; needed where neither the design nor the file tells one.

    Raises:
        FFError: no such file, a column or the space is missing, a row without id or with a probability
            outside (0, 1], one trace with two truths, a truth outside the space, a stratum whose rows do not
            fit the design; each with file, line and field.
    """
    rows = _rows(path)
    by_person = bool(rows) and "truth" not in rows[0]
    said: tuple[Decision, ...] = ()
    if by_person:
        space = _only_space(path, rows, space)
        said = _labels(path, rows, space)
        rows = [{"trace_id": one, "truth": ""} for one in dict.fromkeys(label.trace_id for label in said)]
    design = _design(path)
    known = space or (design.space if design else None)
    if known is None:
        raise FFError(f"{path}: no design stands beside it, so say in which space people labelled: --space.")
    frame = _checked(path, rows, known)
    if design is not None:
        _check_design(path, frame, design)
    standing = _standing(path, set(frame["trace_id"]), known, said)
    decided: defaultdict[str, dict[str, str | None]] = defaultdict(dict)
    last: defaultdict[str, list[str]] = defaultdict(list)
    labels: defaultdict[str, list[str]] = defaultdict(list)
    for one in standing:
        if one.role == "label":
            decided[one.annotator][one.trace_id] = one.label
        if one.label is not None:
            (labels if one.role == "label" else last)[one.trace_id].append(one.label)
    # What adjudicators say comes first, then the labels.
    people = {i: majority(given) if by_person else _unanimous(given) for i, given in labels.items()}
    people |= {i: _unanimous(given) for i, given in last.items()}
    filled = {str(i): str(cell) for i, cell in frame.set_index("trace_id")["truth"].dropna().items()}
    truths = [people.get(i, filled.get(i)) for i in frame["trace_id"]]
    frame["truth"] = pd.Series(truths, frame.index, dtype="object")
    disputed = tuple(i for i in frame["trace_id"] if i in people and people[i] is None)
    return Sample(path, design, known, frame, dict(decided), disputed, standing, filled)


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            missing = [name for name in ("trace_id", "truth") if name not in (table.fieldnames or ())]
            if missing and not set(BY_PERSON) <= set(table.fieldnames or ()):
                raise FFError(
                    f"{path}: no column {' and '.join(missing)}. A sample file has {', '.join(COLUMNS)} "
                    f"(`ff sample` writes one), or a row per person: {', '.join(BY_PERSON)}."
                )
            return [{k: v or "" for k, v in row.items() if isinstance(k, str)} for row in table]
    except FileNotFoundError:
        raise FFError(f"{path}: no such file. `ff sample` draws one.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FFError(f"{path}: it cannot be read as CSV in UTF-8 ({type(error).__name__}).") from None


def _only_space(path: Path, rows: list[dict[str, str]], wanted: Space | None) -> Space:
    """Return the space to read of a file by person: the one that is asked for, or the only one."""
    spaces = [space for space in SPACES if any(row["space"] == space for row in rows)]
    if wanted is None and len(spaces) != 1:
        raise FFError(f"{path}: its labels are in the spaces {', '.join(spaces) or 'of no name'}: --space.")
    if wanted is not None and wanted not in spaces:
        raise FFError(f"{path}: no label is in the space {wanted}. There: {', '.join(spaces) or 'none'}.")
    return wanted or spaces[0]


def _labels(path: Path, rows: list[dict[str, str]], space: Space) -> tuple[Decision, ...]:
    """Return the labels of a file by person in one space."""
    found: dict[tuple[str, str], Decision] = {}
    for line, row in enumerate(rows, start=2):
        if row["space"] != space:
            continue
        trace_id, who, label = row["trace_id"], row["annotator"], row["label"].strip()
        if not trace_id or not who:
            raise FFError(f"{path}:{line}:{'annotator' if trace_id else 'trace_id'}: it is empty.")
        if label and label not in classes(space):
            raise FFError(f"{path}:{line}:label: must be one of {', '.join(classes(space))}, or empty.")
        if (trace_id, who) in found:
            raise FFError(f"{path}:{line}:annotator: a second label of the same person and trace.")
        found[trace_id, who] = Decision(
            trace_id=trace_id, annotator=who, space=space, label=label or None, started=""
        )
    return tuple(found.values())


def _unanimous(labels: list[str]) -> str | None:
    return labels[0] if len(set(labels)) == 1 else None


def _design(path: Path) -> Design | None:
    place = design_path(path)
    if not place.is_file():
        return None
    try:
        return Design.model_validate_json(place.read_bytes())
    except ValidationError as error:
        refuse_newer(place, place.read_bytes(), field="format")
        field = named(".".join(map(str, error.errors()[0]["loc"])))
        raise FFError(
            f"{place}, field {field}: this is not the design that `ff sample` wrote. Restore the file, or "
            "draw again into another one."
        ) from None


def _checked(path: Path, rows: list[dict[str, str]], space: Space) -> pd.DataFrame:
    seen: dict[str, tuple[int, str]] = {}
    kept: list[tuple[str, str, float, str | None]] = []
    for line, row in enumerate(rows, start=2):
        trace_id, truth = row["trace_id"], row["truth"].strip()
        if not trace_id:
            raise FFError(f"{path}:{line}:trace_id: it is empty.")
        if truth and truth not in classes(space):
            raise FFError(f"{path}:{line}:truth: must be one of {', '.join(classes(space))}, or empty.")
        try:
            chance = float(row.get("probability") or 1)
        except ValueError:
            chance = 0.0
        if not 0 < chance <= 1:
            raise FFError(f"{path}:{line}:probability: must be above 0 and at most 1.")
        if trace_id in seen:
            first, before = seen[trace_id]
            what = "with another truth" if truth != before else "again"
            raise FFError(f"{path}:{line}:trace_id: the trace of line {first} {what}. Keep one of the two.")
        seen[trace_id] = line, truth
        kept.append((trace_id, row.get("stratum", ""), chance, truth or None))
    frame = pd.DataFrame(kept, columns=list(COLUMNS))
    return frame.astype({"trace_id": "str", "stratum": "str", "probability": "float64", "truth": "object"})


def _check_design(path: Path, frame: pd.DataFrame, design: Design) -> None:
    """Raise where rows were added, removed or given another probability by hand."""
    chances = {name: list(group) for name, group in frame.groupby("stratum")["probability"]}
    for one in design.strata:
        there = chances.get(one.stratum, [])
        if len(there) != one.drawn or any(abs(p - one.probability) > 1e-6 for p in there):
            raise FFError(
                f"{path}: stratum {named(one.stratum)} has other rows or probabilities than its design "
                f"({one.drawn} of {one.rows} rows). Only the column truth may be filled in by hand."
            )
    if len(frame) != sum(one.drawn for one in design.strata):
        raise FFError(f"{path}: it has {len(frame)} rows, and its design drew another number. Restore it.")


def _standing(path: Path, known: set[str], space: Space, said: tuple[Decision, ...]) -> tuple[Decision, ...]:
    """Return what each person decided last about each trace, and did not take back; `said` comes first."""
    standing = {(one.annotator, one.trace_id, str(one.role)): one for one in said}
    for place in decision_files(path):
        if not place.stat().st_size:
            continue
        for line, one in enumerate(read_journal(place, Decision), start=1):
            if one.trace_id not in known:
                raise FFError(f"{place}:{line}:trace_id: a trace that is not in {path.name}.")
            if one.space != space:
                raise FFError(
                    f"{place}:{line}:space: {one.space}, and the labels of {path.name} are {space}."
                )
            key = one.annotator, one.trace_id, one.role
            standing.pop(key, None)
            if not one.withdrawn:
                standing[key] = one
    return tuple(standing.values())
