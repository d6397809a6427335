"""Records as tables: one row a model, one a class, one a grader; what a notebook shows and saves."""

from collections.abc import Sequence

import pandas as pd

from ff_helpers.publication.atlas.signal import Rate, Signal, named_apart
from ff_helpers.terms import INTENTS


def signal_table(signals: Sequence[Signal]) -> pd.DataFrame:
    """Return one row a model.

    Columns: model, origin, rests_on (the graders that carry the rate; str), k, n (int; of what would have
    been reported where there is no rate), asr, asr_low, asr_high, by_scenario (the same rate),
    by_scenario_low, by_scenario_high, stability, stability_low, stability_high (float in [0, 1], missing
    where not known), scenarios (Int64), multi_turn (share, float), last_graded, confidence (str).
    """
    return pd.DataFrame([_row(signal) for signal in named_apart(signals)]).astype({"scenarios": "Int64"})


def intent_table(signals: Sequence[Signal]) -> pd.DataFrame:
    """Return one row a model and attack class with counts: model, intent, then those of `signal_table`:
    k, n, asr, asr_low, asr_high, scenarios, by_scenario, by_scenario_low, by_scenario_high."""
    rows = []
    for signal in signals:
        for intent in INTENTS:
            rate = getattr(signal.by_intent, intent, None)
            if rate is not None:
                rows.append({"model": signal.label, "intent": intent} | _rate(rate))
    columns = ["model", "intent", *_rate(None)]
    return pd.DataFrame(rows, columns=columns).astype({"scenarios": "Int64"})


def reported_table(signals: Sequence[Signal]) -> pd.DataFrame:
    """Return one row a model and grader: what each grader alone reported, and how accurate it is.

    Columns: model, grader, carries (bool: the model's rate rests on it), k, n (int), reported,
    reported_low, reported_high, accuracy, accuracy_low, accuracy_high (float in [0, 1]; missing where nobody
    measured it), card_n (Int64), set, gate, standing (str).
    """
    rows = [
        {
            "model": signal.label,
            "grader": grader.grader,
            "carries": grader.headline,
            "k": grader.reported.k,
            "n": grader.reported.n,
            "reported": grader.reported.overall,
            "reported_low": grader.reported.ci_low,
            "reported_high": grader.reported.ci_high,
            "accuracy": grader.accuracy,
            "accuracy_low": grader.ci_low,
            "accuracy_high": grader.ci_high,
            "card_n": grader.n,
            "set": grader.calibration_set or "none",
            "gate": grader.gate,
            "standing": grader.standing,
        }
        for signal in named_apart(signals)
        for grader in signal.graders
        if grader.reported
    ]
    return pd.DataFrame(rows).astype({"card_n": "Int64"})


def _row(signal: Signal) -> dict[str, object]:
    stable = signal.refusal_stability
    return {
        "model": signal.label,
        "origin": signal.origin,
        "rests_on": ", ".join(grader.grader for grader in signal.graders if grader.headline) or "nothing",
        **_rate(signal.asr or signal.would_have_reported, shown=signal.asr is not None),
        "stability": stable.share if stable else None,
        "stability_low": stable.ci_low if stable else None,
        "stability_high": stable.ci_high if stable else None,
        "multi_turn": signal.multi_turn.share if signal.multi_turn else None,
        "last_graded": str(signal.last_graded or signal.last_graded_reason),
        "confidence": signal.confidence,
    }


def _rate(rate: Rate | None, *, shown: bool = True) -> dict[str, object]:
    known = rate if shown else None
    return {
        "k": rate.k if rate else 0,
        "n": rate.n if rate else 0,
        "asr": known.overall if known else None,
        "asr_low": known.ci_low if known else None,
        "asr_high": known.ci_high if known else None,
        "scenarios": known.scenarios if known else None,
        "by_scenario": known.overall if known and known.scenarios else None,
        "by_scenario_low": known.by_scenario_low if known else None,
        "by_scenario_high": known.by_scenario_high if known else None,
    }
