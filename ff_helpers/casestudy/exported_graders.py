"""Grader hygiene: who is behind the classifier names of an export.

`exported_graders.csv` says which grader each spelling is, if any; accuracy
comes from the published calibrations. A grader that fails the published rule (n >= 20 and accuracy
>= 70%) on its published calibration is `rejected`; one that passes stays `uncalibrated`, since we
cannot run it.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache

import pandas as pd

from ff_helpers.casestudy.graders import published_graders
from ff_helpers.measurement.calibration.gate import DEFAULT
from ff_helpers.measurement.results import GraderNote, Terms
from ff_helpers.paths import PACKAGE
from ff_helpers.publication.atlas.signal import WORDS, Footing
from ff_helpers.terms import Unknown

DENOMINATOR = "as exported, unknown"
MARKED: frozenset[Footing] = frozenset({"rejected", "unknown", "heuristic", "constant"})
"""Kinds of graders on which no figure can rest."""
_UNNAMED: dict[str, Footing] = {"unknown": "unknown", "heuristic": "heuristic", "constant": "constant"}


@dataclass(frozen=True)
class ExportedGrader:
    """One grader of an export.

    Attributes:
        note: as it is disclosed.
        standing: one of Footing; `WORDS.standing` describes each.
        why: the reason of the standing.
        spellings: how the export writes it.
    """

    note: GraderNote
    standing: Footing
    why: str
    spellings: tuple[str, ...]


def exported_graders(classifiers: Iterable[str]) -> tuple[ExportedGrader, ...]:
    """Return the graders behind classifier names, each once, by name."""
    spellings: dict[str, set[str]] = {}
    rows: dict[str, dict[str, str]] = {}
    for spelling in classifiers:
        row = next(row for row in _rules() if fnmatchcase(spelling, row["pattern"]))
        grader = row["grader"] or spelling
        spellings.setdefault(grader, set()).add(spelling)
        rows[grader] = row
    return tuple(_grader(name, rows[name], tuple(sorted(spellings[name]))) for name in sorted(rows))


def _grader(name: str, row: dict[str, str], spellings: tuple[str, ...]) -> ExportedGrader:
    if row["standing"] != "named":
        note = published_graders(name)[0]
        unknown = Unknown("accuracy", row["why"])
        note = replace(note, digest=Unknown("digest", "none"), accuracy=unknown, calibration_set=unknown)
        return ExportedGrader(note, _UNNAMED[row["standing"]], row["why"], spellings)
    note = _published(name)
    accuracy = note.accuracy
    if isinstance(accuracy, Unknown):
        return ExportedGrader(note, "unmeasured", str(accuracy), spellings)
    measured = f"{accuracy.k} of {accuracy.n} on {note.calibration_set}"
    passes = accuracy.n >= DEFAULT.published_n and accuracy.k >= DEFAULT.published_accuracy * accuracy.n
    if passes:
        return ExportedGrader(note, "measured", measured, spellings)
    return ExportedGrader(replace(note, gate="rejected"), "rejected", measured, spellings)


@cache
def _published(name: str) -> GraderNote:
    return published_graders(name)[0]


@cache
def _rules() -> tuple[dict[str, str], ...]:
    path = PACKAGE / "casestudy" / "exported_graders.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def classifiers(cell: object) -> list[str]:
    """Return the classifier names of one cell of the export, where `|` joins them."""
    return [name for name in str(cell).split("|") if name]


def exported_terms(export: pd.DataFrame) -> Terms:
    """Return the terms of a table of the export: every grader that it names."""
    names = {name for cell in export["classifiers"] for name in classifiers(cell)}
    return Terms(
        graders=_together(exported_graders(names)),
        tiers=("strict",),
        denominators=(DENOMINATOR,),
        left_out=Unknown("left out", "not published: the export has no statuses"),
        assumptions=("Which grader gave which verdict is not published",),
    )


def _together(graders: tuple[ExportedGrader, ...]) -> tuple[GraderNote, ...]:
    """Name graders with the same unknowns together, to keep a caption readable."""
    measured = [g.note for g in graders if not isinstance(g.note.accuracy, Unknown)]
    groups: dict[Footing, list[GraderNote]] = {}
    for grader in graders:
        if isinstance(grader.note.accuracy, Unknown):
            groups.setdefault(grader.standing, []).append(grader.note)
    for standing, notes in groups.items():
        accuracy = Unknown("accuracy", f"never measured ({WORDS.standing[standing]})")
        names = ", ".join(note.grader for note in notes)
        measured.append(replace(notes[0], grader=names, accuracy=accuracy))
    return tuple(measured)
