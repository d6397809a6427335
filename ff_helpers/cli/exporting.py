"""`ff export`: verdicts back to the tool that the traces came from."""

import argparse
import shlex

from ff_helpers.cli.text import said, shown
from ff_helpers.measurement.standing import saved_cards
from ff_helpers.publication.inspect_scores import export_to_inspect


def export(options: argparse.Namespace) -> int:
    """Write the scores and the scorer, and print the command that takes them into a log."""
    done = export_to_inspect(
        options.verdicts,
        options.traces,
        options.out,
        grader=options.grader,
        cards=saved_cards(options.cards),
    )
    scorer = f"{shown(done.scorer)}@{done.name}"
    words = ["inspect", "score", "LOG.eval", "--scorer", scorer, "--action", "append"]
    print(said("exported", done=done, command=shlex.join([*words, "--output-file", "scored.eval"])))
    return 0
