"""The tables that claims read, written from the shipped facts through the public functions."""

import ff_helpers as ff
from ff_helpers.paths import Run


def write_tables(run: Run) -> None:
    """Write every table that params/claims.yaml names."""
    regrade = ff.case.crescendo()
    frames = {
        "crescendo_asr": regrade.rates,
        "crescendo_shifts": regrade.shifts,
        "crescendo_runs": regrade.runs,
        "published_calibration": ff.case.published_calibration(),
        "corpus_asr": ff.case.facts.corpus_asr(),
        "corpus_text": ff.case.facts.corpus_text(),
        "grader_bracket": ff.case.facts.grader_bracket(),
        "published_counts": ff.case.facts.published_counts(),
        "heuristic_agreement": ff.case.facts.heuristic_agreement(),
        "export_summary": ff.case.facts.export_summary(),
    }
    for name, frame in frames.items():
        ff.save_table(run, frame, name, title=name)
