"""Verdicts to numbers: counts, ASR, calibration, agreement, regrading."""
