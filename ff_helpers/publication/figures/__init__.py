"""Figures, one module a subject, one function a figure; notebooks reach them as `ff.figures.<name>`."""

from importlib import import_module
from typing import Final

_HERE: Final = "ff_helpers.publication.figures"
FIGURES: Final[dict[str, str]] = {
    "agreement_matrix": f"{_HERE}.agreement",
    "disagreement": f"{_HERE}.agreement",
    "calibration_forest": f"{_HERE}.gate",
    "confusion": f"{_HERE}.calibration",
    "coverage": f"{_HERE}.coverage",
    "format_against_content": f"{_HERE}.calibration",
    "gate_power": f"{_HERE}.gate",
    "injection_flips": f"{_HERE}.robustness",
    "save_confusions": f"{_HERE}.calibration",
    "confusions": f"{_HERE}.panels",
    "intents": f"{_HERE}.panels",
    "reported_asr": f"{_HERE}.explore",
    "wide": f"{_HERE}.theme",
    "PAGE_WIDTH": f"{_HERE}.theme",
    "asr_by_intent": f"{_HERE}.asr",
    "asr_intervals": f"{_HERE}.asr",
    "forbidden_beside_permitted": f"{_HERE}.collected",
    "fresh_beside_recorded": f"{_HERE}.collected",
    "outcome_stability": f"{_HERE}.collected",
    "single_beside_multi": f"{_HERE}.collected",
    "regrade_rates": f"{_HERE}.regrade",
    "regrade_shifts": f"{_HERE}.regrade",
    "grader_bracket": f"{_HERE}.bracket",
    "labelled_beside_reported": f"{_HERE}.asr",
    "raw_against_corrected": f"{_HERE}.corrected",
}
"""Every figure by name, and the module that draws it, imported on first use: adding one is a line here."""


def __getattr__(name: str) -> object:
    if name in FIGURES:
        figure = getattr(import_module(FIGURES[name]), name)
        # Importing a module sets its name here, and one is named as its figure: the figure wins.
        globals()[name] = figure
        return figure
    raise AttributeError(f"no figure {name!r}; there are {', '.join(sorted(FIGURES))}")


def __dir__() -> list[str]:
    return sorted(FIGURES)
