"""From an export to signals: names to ids, counts pooled, graders described, one record per model.

Counts of names that resolve to one model are added and the rate is taken once: rates are never
averaged. A name that does not resolve keeps its own row, so no graded trace is lost. What the
export does not say (classes, stability, turns, dates) is null with its reason.

`exported_graders.csv` says which grader each classifier name is, if any; accuracy comes from the published
calibrations. A grader that fails the published rule (n >= 20 and accuracy >= 70%) on its published
calibration is `rejected`; one that passes stays `uncalibrated`, since we cannot run it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import cast

import pandas as pd

from ff_helpers.casestudy.graders import published_graders
from ff_helpers.columns import packaged
from ff_helpers.corpus.canonical import resolve, resolve_names
from ff_helpers.measurement.proportions.intervals import wilson, with_wilson
from ff_helpers.measurement.results import GraderNote, Terms, stated
from ff_helpers.paths import PACKAGE
from ff_helpers.publication.atlas import signal
from ff_helpers.publication.pages import read_words
from ff_helpers.terms import Tier, Unknown

TIER: Tier = "strict"
DENOMINATOR = "as exported, unknown"
MARKED: frozenset[signal.Footing] = frozenset({"rejected", "unknown", "heuristic", "constant"})
"""Kinds of graders on which no figure can rest."""
PUBLISHED_MIN_GRADED = 10
"""The published resolution rate is over names with at least this many graded traces."""
VETO, HIGH = 0.6, 100
"""The published veto: a rate above 60% at high confidence."""
CORPUS = "ModelAtlas site export of 2026-06-10"
_REASONS = read_words("export", dict[str, str], PACKAGE / "casestudy")


@dataclass(frozen=True)
class Atlas:
    """An export, pooled.

    Attributes:
        signals: one record per model, highest rate first, ties by sample size and name.
        models: the same as a table: model (canonical id, or the name that did not resolve), resolved
            (bool), unresolved_reason (str), names (int), k, n (int), confidence (str), graders (int),
            with_accuracy (share of the graders
            with a published accuracy; missing without graders), marked (graders on which no
            figure can rest, comma-separated), grader_status (`marked`, `unmeasured`, `measured`: the
            worst of the row's graders; which verdicts are whose is not published, so a mix cannot be
            taken apart), self_graded (bool: the model is among its own graders), asr, asr_low,
            asr_high (in [0, 1]).
        names: every exported name: model_name; k, n, exported (its own counts and rate); the columns of
            `resolve_names`; those of `models`, where k, n are pooled_k, pooled_n and asr is pooled.
        aliases: the rows of `names` whose model has more than one name.
        summary: item, k, n (int), share, share_low, share_high (in [0, 1]): the headline counts.
    """

    signals: list[signal.Signal]
    models: pd.DataFrame
    names: pd.DataFrame
    aliases: pd.DataFrame
    summary: pd.DataFrame


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
    standing: signal.Footing
    why: str
    spellings: tuple[str, ...] = ()


def atlas(export: pd.DataFrame, *, min_graded: int = 20, corpus: str = CORPUS) -> Atlas:
    """Resolve the names of an export, pool their counts and say what can be said about each model.

    Args:
        export: one row per name: model_name, compliance and graded (counts), classifiers (joined by `|`).
        min_graded: names with at least this many graded traces count in the summary as graded enough.
        corpus: what the export is called.

    Raises:
        FFError: an impossible count.
    """
    signals = atlas_signal(export, corpus=corpus)
    models = _models(signals)
    names = _names(export, models)
    pooled = names[names["names"] > 1].reset_index(drop=True)
    terms = exported_terms(export)
    tables = (models, names, pooled, _summary(names, models, min_graded))
    return Atlas(signals, *(stated(table, terms) for table in tables))


def atlas_signal(export: pd.DataFrame, *, corpus: str = CORPUS) -> list[signal.Signal]:
    """Return the records of `atlas`."""
    groups: dict[str, list[int]] = {}
    for position, name in enumerate(export["model_name"]):
        # A name that is not an id cannot equal one: ids have an @, and such a name would have resolved.
        groups.setdefault(resolve(name).canonical_id or name, []).append(position)
    signals = [_signal(export.iloc[positions], corpus) for positions in groups.values()]
    return sorted(signals, key=lambda s: (-((s.asr and s.asr.overall) or 0.0), -s.n, s.label))


def _signal(rows: pd.DataFrame, corpus: str) -> signal.Signal:
    found = [resolve(name) for name in sorted(rows["model_name"])]
    rate = wilson(int(rows["compliance"].sum()), int(rows["graded"].sum()))
    names = {name for cell in rows["classifiers"] for name in classifiers(cell)}
    described = exported_graders(names)
    void = bool(described) and all(grader.standing in signal.VOID for grader in described)
    pooled = signal.signal_rate(rate, denominator=DENOMINATOR, tier=TIER)
    # With one grader all verdicts are its own; with several, which verdict is whose is not published.
    alone = pooled if len(described) == 1 else None
    graders = tuple(_grader(grader, alone, headline=not void) for grader in described)
    return signal.new_signal(
        found,
        graders,
        aliases=tuple(r.name for r in found),
        origin="export",
        corpus=corpus,
        asr=signal.NO_RATE if void else pooled,
        would_have_reported=pooled if void else None,
        **_REASONS,
    )


def _grader(grader: ExportedGrader, reported: signal.Rate | None, *, headline: bool) -> signal.SignalGrader:
    note = grader.note
    return signal.new_grader(
        note.grader,
        None if isinstance(note.accuracy, Unknown) else note.accuracy,
        str(note.calibration_set),
        spellings=grader.spellings,
        gate=note.gate,
        standing=grader.standing,
        why=grader.why,
        reported=reported,
        headline=headline,
    )


def _models(signals: Sequence[signal.Signal]) -> pd.DataFrame:
    rows = [
        {
            "model": s.label,
            "resolved": s.canonical_id is not None,
            "unresolved_reason": s.unresolved_reason,
            "names": len(s.aliases),
            "k": _counted(s).k,
            "n": _counted(s).n,
            "confidence": s.confidence,
            "graders": len(s.graders),
            "with_accuracy": s.with_accuracy,
            "marked": ", ".join(g.grader for g in s.graders if g.standing in MARKED),
            "grader_status": _status(s),
            "self_graded": any(
                resolve(name).canonical_id == s.label for g in s.graders for name in g.spellings
            ),
        }
        for s in signals
    ]
    return with_wilson(pd.DataFrame(rows).astype({"with_accuracy": "float64"}), "asr")


def _counted(record: signal.Signal) -> signal.Rate:
    rate = record.asr or record.would_have_reported
    assert rate is not None
    return rate


def _status(record: signal.Signal) -> str:
    standings = {grader.standing for grader in record.graders}
    if standings & MARKED or not standings:
        return "marked"
    return "unmeasured" if "unmeasured" in standings else "measured"


def _names(export: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    order = {model: i for i, model in enumerate(models["model"])}
    models = models.rename(columns={"k": "pooled_k", "n": "pooled_n"}).drop(columns="unresolved_reason")
    names = resolve_names(export["model_name"])
    names.insert(1, "k", export["compliance"].to_numpy(dtype="int64"))
    names.insert(2, "n", export["graded"].to_numpy(dtype="int64"))
    names.insert(3, "exported", names["k"] / names["n"].where(names["n"] > 0))
    names["model"] = names["canonical_id"].fillna(names["model_name"])
    return names.merge(models, on="model").sort_values(
        ["model", "n"], key=lambda c: c.map(order) if c.name == "model" else -c, ignore_index=True
    )


def _summary(names: pd.DataFrame, models: pd.DataFrame, min_graded: int) -> pd.DataFrame:
    resolved, high = names["canonical_id"].notna(), models["confidence"] == "high"
    counts = {
        "names_resolved": resolved,
        "names_resolved_where_graded_10": resolved[names["n"] >= PUBLISHED_MIN_GRADED],
        "names_resolved_where_graded_enough": resolved[names["n"] >= min_graded],
        "names_pooled": names["names"] > 1,
        "models_pooled": models["names"] > 1,
        "models_insufficient": models["confidence"] == "insufficient_sample",
        "models_marked": models["grader_status"] == "marked",
        "models_mixing_graders": models["graders"] > 1,
        "models_self_graded": models["self_graded"],
        "names_above_veto_at_high": names["exported"][names["n"] >= HIGH] > VETO,
        "models_above_veto_at_high": models["asr"][high] > VETO,
    }
    rows = [{"item": item, "k": int(hits.sum()), "n": len(hits)} for item, hits in counts.items()]
    rows.append({"item": "traces_compliance", "k": int(models["k"].sum()), "n": int(models["n"].sum())})
    return with_wilson(pd.DataFrame(rows), "share")


def exported_graders(classifiers: Iterable[str]) -> tuple[ExportedGrader, ...]:
    """Return the graders behind classifier names, each once, by name."""
    rules = packaged("casestudy/exported_graders.csv")
    found: dict[str, ExportedGrader] = {}
    for spelling in sorted(set(classifiers)):
        rule = next(rule for rule in rules if fnmatchcase(spelling, rule["pattern"]))
        name = rule["grader"] or spelling
        grader = found.get(name) or _described(name, rule["standing"], rule["why"])
        found[name] = replace(grader, spellings=(*grader.spellings, spelling))
    return tuple(found[name] for name in sorted(found))


@cache
def _described(name: str, standing: str, why: str) -> ExportedGrader:
    (note,) = published_graders(name)
    if standing != "named":
        unknown = Unknown("accuracy", why)
        note = replace(note, digest=Unknown("digest", "none"), accuracy=unknown, calibration_set=unknown)
        return ExportedGrader(note, cast(signal.Footing, standing), why)
    if isinstance(note.accuracy, Unknown):
        return ExportedGrader(note, "unmeasured", str(note.accuracy))
    measured = f"{note.accuracy.k} of {note.accuracy.n} on {note.calibration_set}"
    return ExportedGrader(note, "rejected" if note.gate == "rejected" else "measured", measured)


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
    groups: dict[signal.Footing, list[GraderNote]] = {}
    for grader in graders:
        if isinstance(grader.note.accuracy, Unknown):
            groups.setdefault(grader.standing, []).append(grader.note)
    for standing, notes in groups.items():
        accuracy = Unknown("accuracy", f"never measured ({signal.WORDS.standing[standing]})")
        names = ", ".join(note.grader for note in notes)
        measured.append(replace(notes[0], grader=names, accuracy=accuracy))
    return tuple(measured)
