"""Joined verdicts and cards without a campaign."""

from datetime import date

import pandas as pd

from ff_helpers.measurement.calibration.calibrate import calibrate
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.terms import STATUSES, VERDICTS, Space

DAY = date(2026, 11, 22)
MIXED = [
    ("REFUSAL", "REFUSAL"),
    ("REFUSAL", "COMPLIANCE"),
    ("COMPLIANCE", "COMPLIANCE"),
    ("COMPLIANCE", "REFUSAL"),
    ("COMPLIANCE", "unparsable"),
    ("BENIGN_QUERY", "PARTIAL"),
    ("BENIGN_QUERY", "BENIGN_QUERY"),
    ("PARTIAL", "COMPLIANCE"),
]


def rows(pairs: list[tuple[str, str | None]], **columns: object) -> pd.DataFrame:
    """One row a (truth, verdict or status)."""
    base = {
        "trace_id": [f"t{i:03d}" for i in range(len(pairs))],
        "grader": "g",
        "grader_digest": "sha256:0123456789abcdef",
        "rubric": "r@1",
        "temperature": 0.0,
        "seed": pd.Series([0] * len(pairs), dtype="Int64"),
        "verdict": pd.Series([o if o in VERDICTS else None for _, o in pairs], dtype="str"),
        "status": pd.Series([o if o in STATUSES else None for _, o in pairs], dtype="str"),
        "repeat": 0,
        "duration_s": 2.0,
        "truth": [t for t, _ in pairs],
        "sampling": "census",
        "source": "elsewhere",
        "probability": 1.0,
        "intent": "format_lock",
        "turns": "single",
    }
    return pd.DataFrame(base | columns)


def card(frame: pd.DataFrame, space: Space = "five", **more: object) -> Card:
    return calibrate(frame, space=space, calibration_set="set", as_of=DAY, **more)  # type: ignore[arg-type]
