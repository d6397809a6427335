"""Figures, one module a subject, one function a figure; notebooks reach them as `ff.figures.<name>`."""

from importlib import import_module

_FIGURES = {
    "agreement_matrix": "agreement",
    "disagreement": "agreement",
    "calibration_forest": "gate",
    "confusion": "calibration",
    "coverage": "coverage",
    "format_against_content": "calibration",
    "gate_power": "gate",
    "injection_flips": "robustness",
    "save_confusions": "calibration",
    "atlas_asr": "atlas",
    "atlas_before_after": "atlas",
    "confusions": "panels",
    "intents": "panels",
    "reported_asr": "explore",
    "wide": "theme",
    "PAGE_WIDTH": "theme",
    "asr_by_intent": "asr",
    "asr_intervals": "asr",
    "forbidden_beside_permitted": "collected",
    "fresh_beside_recorded": "collected",
    "outcome_stability": "collected",
    "single_beside_multi": "collected",
    "crescendo_correction": "ff_helpers.casestudy.figures",
    "crescendo_transitions": "ff_helpers.casestudy.figures",
    "regrade_rates": "regrade",
    "regrade_shifts": "ff_helpers.casestudy.figures",
    "grader_bracket": "bracket",
    "labelled_beside_reported": "asr",
    "raw_against_adjusted": "adjusted",
}

__all__ = sorted(_FIGURES)  # noqa: PLE0605


def __getattr__(name: str) -> object:
    if name in _FIGURES:
        module = _FIGURES[name]
        figure = getattr(import_module(module if "." in module else f"{__name__}.{module}"), name)
        # Importing a module sets its name here, and one is named as its figure: the figure wins.
        globals()[name] = figure
        return figure
    raise AttributeError(f"no figure {name!r}; there are {', '.join(__all__)}")
