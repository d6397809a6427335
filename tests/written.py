"""The tables that claims read, written from the shipped facts through the public functions."""

import ff_helpers as ff
from ff_helpers.paths import Run

GRADERS = ("qwen3:1.7b", "deepseek-r1:1.5b", "manual regrade")


def note(run: Run) -> ff.Disclosure:
    """A disclosure of the crescendo graders."""
    return ff.disclose(
        run,
        graders=ff.published_graders(*GRADERS),
        tier="strict",
        denominator="as named",
        counts="in each row",
        left_out="as listed",
    )


def write_tables(run: Run) -> None:
    """Write every table that params/claims.yaml names."""
    regrade = ff.crescendo()
    frames = {
        "crescendo_asr": regrade.rates,
        "crescendo_shifts": regrade.shifts,
        "crescendo_runs": regrade.runs,
        "published_calibration": ff.published_calibration(),
        "corpus_asr": ff.facts.corpus_asr(),
        "corpus_text": ff.facts.corpus_text(),
        "grader_bracket": ff.facts.grader_bracket(),
        "published_counts": ff.facts.published_counts(),
        "heuristic_agreement": ff.facts.heuristic_agreement(),
        "export_summary": ff.facts.export_summary(),
    }
    for name, frame in frames.items():
        ff.save_table(run, ff.disclosed(frame, note(run)), name, title=name)
