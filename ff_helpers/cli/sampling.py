"""`ff sample`: draw the traces to label."""

import argparse

from ff_helpers.cli.text import said
from ff_helpers.errors import FFError
from ff_helpers.measurement.sampling.draw import draw
from ff_helpers.measurement.sampling.files import read_sample, write_sample
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
        design=options.design,
        tier=options.tier,
        space=options.space,
        by=options.by,
        seed=int(options.seed),
        before=before,
    )
    write_sample(options.out, frame, design)
    undecided = int(read_sample(options.out).frame["truth"].isna().sum())
    had = 0 if before is None else len(before.frame)
    values = {"design": design, "rows": len(frame), "had": had, "undecided": undecided}
    print(said("sample", out=options.out, file=options.file, traces=options.traces, **values))
    return 0
