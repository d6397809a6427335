"""`ff sample`: draw the traces to label."""

import argparse

import pandas as pd

from ff_helpers.cli.text import said
from ff_helpers.errors import FFError
from ff_helpers.measurement.sampling.draw import draw
from ff_helpers.measurement.sampling.files import DesignName, Sample, Within, read_sample, write_sample
from ff_helpers.measurement.sampling.pilot import expected_within
from ff_helpers.measurement.sampling.plan import outlook
from ff_helpers.measurement.sampling.rows import graded_rows


def sample(options: argparse.Namespace) -> int:
    """Draw a sample of graded traces, or add to one; write its file and its design."""
    rows = graded_rows(options.file, options.traces, grader=options.grader)
    graders = sorted(set(rows["grader"]))
    if len(graders) > 1:
        raise FFError(f"{options.file}: {len(graders)} graders. Name one: --grader {' or '.join(graders)}.")
    before = read_sample(options.out) if options.out.exists() else None
    frame, design = draw(
        rows,
        options.n,
        design=_design(options),
        tier=options.tier,
        space=options.space,
        by=options.by,
        seed=int(options.seed),
        by_scenario=options.by_scenario,
        soft=options.soft,
        expected=_expected(options, rows, before),
        before=before,
    )
    write_sample(options.out, frame, design)
    undecided = int(read_sample(options.out).frame["truth"].isna().sum())
    had = 0 if before is None else len(before.frame)
    values = {"design": design, "rows": len(frame), "had": had, "undecided": undecided}
    print(said("sample", out=options.out, file=options.file, traces=options.traces, **values))
    return 0


def _design(options: argparse.Namespace) -> DesignName:
    """Return the design that was named; else the best one where somebody says what to expect."""
    given = options.rate is not None or options.se is not None or options.sp is not None
    if given and options.design not in {None, "best"}:
        raise FFError(f"--rate, --se and --sp go with --design best, not with {options.design}.")
    name: DesignName = options.design or ("best" if given else "random")
    return name


def _expected(options: argparse.Namespace, rows: pd.DataFrame, before: Sample | None) -> Within | None:
    """Return how often hits and the others are true, as guessed or as the labels so far say.

    Raises:
        FFError: `best` with a part of a guess, or with neither a guess nor a label.
    """
    if _design(options) != "best":
        return None
    guess = {name: getattr(options, name) for name in ("rate", "se", "sp")}
    missing = [f"--{name}" for name, value in guess.items() if value is None]
    if not missing:
        found = outlook(*guess.values())
        return Within(in_hits=found.in_hits, in_others=found.in_others)
    if len(missing) < len(guess):
        raise FFError(f"--design best: give {', '.join(missing)} too.")
    learned = None if before is None else expected_within(rows, before, options.tier)
    if learned is None:
        raise FFError(
            f"--design best splits the labels by what is expected, and {options.out} has no label yet. "
            "Guess: --rate, --se and --sp (the true rate, the grader's sensitivity and specificity). Or draw "
            "a few with --design by-verdict, label them, and draw again with --design best."
        )
    return learned
