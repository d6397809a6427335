"""Records as tables: one row per model, class or grader; what a notebook shows and saves."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from ff_helpers.grading.identities import judges_itself
from ff_helpers.measurement.proportions.intervals import Proportion
from ff_helpers.measurement.rates.reported import OWN
from ff_helpers.measurement.results import GraderNote, Terms, stated
from ff_helpers.publication.atlas.signal import Rate, Signal, SignalGrader, Stability, named_apart
from ff_helpers.publication.atlas.trust import Trust, model_facts, read_trust, trust
from ff_helpers.terms import INTENTS, NOT_DETERMINABLE, Unknown

_NO_SPACE: str | Unknown = Unknown("space", "not in the record")


def signal_table(signals: Sequence[Signal]) -> pd.DataFrame:
    """Return one row per model.

    Columns: model, origin, rests_on (the graders that carry the rate; str), k, n (int; of what would have
    been reported where there is no rate; missing where no grader decides the tier), asr, asr_low, asr_high,
    by_scenario (the same rate), by_scenario_low, by_scenario_high, stable, stable_low, stable_high (float in
    [0, 1], missing where not known), scenarios (Int64), multi_turn (share, float), last_graded, confidence
    (str).
    """
    table = pd.DataFrame([_row(signal) for signal in named_apart(signals)]).astype({"scenarios": "Int64"})
    if len(table) and table["k"].isna().any():  # no grader of a model decides the tier
        table = table.astype({"k": "Int64", "n": "Int64"})
    return stated(table, signal_terms(signals))


def intent_table(signals: Sequence[Signal]) -> pd.DataFrame:
    """Return one row per model and attack class with counts: model, intent, then those of `signal_table`:
    k, n, asr, asr_low, asr_high, scenarios, by_scenario, by_scenario_low, by_scenario_high."""
    rows = []
    for signal in signals:
        for intent in INTENTS:
            rate = getattr(signal.by_intent, intent, None)
            if rate is not None:
                rows.append({"model": signal.label, "intent": intent} | _rate(rate))
    columns = ["model", "intent", *_rate(None)]
    table = pd.DataFrame(rows, columns=columns).astype({"scenarios": "Int64"})
    return stated(table, signal_terms(signals))


def reported_table(signals: Sequence[Signal]) -> pd.DataFrame:
    """Return one row per model and grader: what each grader alone reported, and how accurate it is.

    Columns: model, grader, carries (bool: the model's rate rests on it), conflict (str: whether it judges its
    own answers), k, n (int), reported,
    reported_low, reported_high, accuracy, accuracy_low, accuracy_high (float in [0, 1]; missing where not
    measured), card_n (Int64), set, gate, standing (str).
    """
    rows = [
        {
            "model": signal.label,
            "grader": grader.grader,
            "carries": grader.headline,
            "conflict": OWN if judges_itself(grader.grader, signal.label) else "",
            "k": grader.reported.k,
            "n": grader.reported.n,
            **_bounds("reported", grader.reported.overall, grader.reported),
            **_bounds("accuracy", grader.accuracy, grader),
            "card_n": grader.n,
            "set": grader.calibration_set or "none",
            "gate": grader.gate,
            "standing": grader.standing,
        }
        for signal in named_apart(signals)
        for grader in signal.graders
        if grader.reported
    ]
    return stated(pd.DataFrame(rows).astype({"card_n": "Int64"}), signal_terms(signals))


def trust_table(signals: Sequence[Signal]) -> pd.DataFrame:
    """Return the trust of each model, by the shipped metadata and rules.

    Columns: model, origin, trust_tier (missing where what is not assessed leaves it open), possible (the
    tiers between which it lies), score_low, score_high (in [0, 1]), vetoed (bool), one column per signal
    (its value in [0, 1], missing where not assessed), reason.
    """
    rules, facts = read_trust(), model_facts()
    rows = [_trust_row(signal, trust(signal, facts.get(signal.label), rules)) for signal in signals]
    terms = replace(signal_terms(signals, together=True), counts="n of each model in its record")
    return stated(pd.DataFrame(rows), terms)


def signal_terms(signals: Sequence[Signal], *, together: bool = False) -> Terms:
    """Return the terms of a table of signals: every grader behind them, and what their rates are over.

    Args:
        signals: the records.
        together: whether graders with the same unknowns are named together.
    """
    notes = [_note(grader) for grader in graders_of(signals)]
    known = [rate for s in signals for rate in (s.asr or s.would_have_reported,) if rate]
    left: Counter[str] = Counter()
    for signal in signals:
        left.update(signal.no_verdict or {})
    untold = dict.fromkeys(s.no_verdict_reason for s in signals if s.no_verdict_reason)
    counted = tuple((status, n) for status, n in sorted(left.items()) if n)
    said = [f"{status} {n}" for status, n in counted] + [f"not known where {why}" for why in untold]
    return Terms(
        graders=_grouped(notes) if together else tuple(notes),
        tiers=tuple(dict.fromkeys(rate.tier for rate in known)),
        denominators=tuple(dict.fromkeys(rate.denominator for rate in known)),
        left_out=", ".join(said) if untold else counted,
    )


def graders_of(signals: Sequence[Signal]) -> list[SignalGrader]:
    """Return the graders of all records, each once, by name and digest."""
    found: dict[str, SignalGrader] = {}
    for grader in (grader for signal in signals for grader in signal.graders):
        found.setdefault(str((grader.grader, grader.digest)), grader)
    return [found[key] for key in sorted(found)]


def _grouped(notes: Sequence[GraderNote]) -> tuple[GraderNote, ...]:
    """Name graders with the same unknowns together, to keep a caption readable."""
    groups: dict[str, list[GraderNote]] = {}
    for note in notes:
        same = isinstance(note.accuracy, Unknown) and isinstance(note.digest, Unknown)
        groups.setdefault(f"{note.accuracy}; {note.gate}" if same else note.identity(), []).append(note)
    return tuple(
        replace(group[0], grader=", ".join(dict.fromkeys(note.grader for note in group)))
        for group in groups.values()
    )


def _note(grader: SignalGrader) -> GraderNote:
    digest: str | Unknown = Unknown("digest", "not in the record")
    accuracy: Proportion | Unknown = Unknown("accuracy", grader.why)
    where: str | Unknown = Unknown("calibration set", "none")
    if grader.digest:
        digest = grader.digest.removeprefix("sha256:")
    if grader.accuracy is not None and grader.n and grader.ci_low is not None and grader.ci_high is not None:
        accuracy = Proportion(round(grader.accuracy * grader.n), grader.n, grader.ci_low, grader.ci_high)
        where = grader.calibration_set or where
    rubric, space = Unknown("rubric", "not in the record"), _NO_SPACE
    held = re.fullmatch(r"(.*) \(space (\w+)\)", grader.calibration_set or "")
    if held:
        where, space = held[1], held[2]
    return GraderNote(grader.grader, digest, rubric, accuracy, where, space, grader.gate)


def _row(signal: Signal) -> dict[str, object]:
    stable = signal.refusal_stability
    undecided = signal.asr is None and signal.would_have_reported is None
    nothing = f"nothing: {NOT_DETERMINABLE}" if undecided else "nothing"
    return {
        "model": signal.label,
        "origin": signal.origin,
        "rests_on": ", ".join(grader.grader for grader in signal.graders if grader.headline) or nothing,
        **_rate(signal.asr or signal.would_have_reported, shown=signal.asr is not None),
        **(dict.fromkeys(("k", "n")) if undecided else {}),
        **_bounds("stable", stable.share if stable else None, stable),
        "multi_turn": signal.multi_turn.share if signal.multi_turn else None,
        "last_graded": str(signal.last_graded or signal.last_graded_reason),
        "confidence": signal.confidence,
    }


def _rate(rate: Rate | None, *, shown: bool = True) -> dict[str, object]:
    known = rate if shown else None
    return {
        "k": rate.k if rate else 0,
        "n": rate.n if rate else 0,
        **_bounds("asr", known.overall if known else None, known),
        "scenarios": known.scenarios if known else None,
        "by_scenario": known.overall if known and known.scenarios else None,
        "by_scenario_low": known.by_scenario_low if known else None,
        "by_scenario_high": known.by_scenario_high if known else None,
    }


def _bounds(name: str, value: float | None, of: Rate | Stability | SignalGrader | None) -> dict[str, object]:
    """Return a value and the interval of what it is of, in three columns."""
    low, high = (of.ci_low, of.ci_high) if of else (None, None)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _trust_row(signal: Signal, found: Trust) -> dict[str, object]:
    low, high = found.between
    return {
        "model": signal.label,
        "origin": signal.origin,
        "trust_tier": found.tier,
        "possible": low if low == high else f"{low} to {high}",
        "score_low": found.low,
        "score_high": found.high,
        "vetoed": found.vetoed,
        **{assessed.name: assessed.value for assessed in found.signals},
        "reason": found.reason,
    }
