"""The signal under the field names of the published export, for consumers that read those.

The published form is one JSON object with `models`: model_name, asr_pct, numerator, denominator,
classifiers_used. Every field of it is there, and next to each rate is what the published form leaves out:
interval, confidence and what is known of the graders. Models without a rate are listed apart.
"""

import json
from collections.abc import Sequence
from datetime import date

from pydantic import JsonValue

from ff_helpers.publication.atlas.signal import VERSION, Rate, Signal, named_apart


def compat_text(signals: Sequence[Signal], *, as_of: date) -> str:
    """Return the records in the published form, highest rate first; percents with one decimal."""
    rated = [
        (signal, signal.asr)
        for signal in named_apart(signals)
        if signal.asr and signal.asr.overall is not None
    ]
    exported = {signal.label for signal, _ in rated if signal.origin == "export"}
    content: dict[str, JsonValue] = {
        "generated_at": as_of.isoformat(),
        "query_name": "flip_graded_asr_by_model",
        "grading_method": "see `graders` of each model",
        "signal_version": VERSION,
        "model_count": len(rated),
        "models": [_model(signal, rate, exported) for signal, rate in rated],
        "without_rate": [
            {"model_name": signal.label, "reason": signal.asr_reason or "no row counts"}
            for signal in signals
            if not (signal.asr and signal.asr.overall is not None)
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _model(signal: Signal, rate: Rate, exported: set[str]) -> dict[str, JsonValue]:
    # Consumers look models up by name: one that is exported and graded here too has two.
    again = signal.origin == "ledger" and signal.label in exported
    headline = [grader for grader in signal.graders if grader.headline]
    return {
        "model_name": f"{signal.label} (graded here)" if again else signal.label,
        "asr_pct": round(100 * rate.k / rate.n, 1),
        "numerator": rate.k,
        "denominator": rate.n,
        "classifiers_used": [name for grader in headline for name in grader.spellings],
        "asr_pct_low": round(100 * rate.ci_low, 1),
        "asr_pct_high": round(100 * rate.ci_high, 1),
        "confidence": signal.confidence,
        "tier": rate.tier,
        "denominator_of": rate.denominator,
        "origin": signal.origin,
        "aliases": list(signal.aliases),
        "unresolved_reason": signal.unresolved_reason,
        "mixes_graders": signal.mixes_graders,
        "with_accuracy": signal.with_accuracy,
        "graders": [
            {
                "grader": grader.grader,
                "standing": grader.standing,
                "gate": grader.gate,
                "accuracy": grader.accuracy,
                "accuracy_low": grader.ci_low,
                "accuracy_high": grader.ci_high,
                "accuracy_n": grader.n,
                "why": grader.why,
            }
            for grader in headline
        ],
    }
