"""`ff grade`, `ff ledger`, `ff ledger merge`: verdicts into a ledger, what is in it, one from several."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import Final

from ff_helpers.cli.text import announce, said, shown
from ff_helpers.errors import FFError
from ff_helpers.grading.contents import RETRIED
from ff_helpers.grading.identities import shown_names
from ff_helpers.grading.inventory import LedgerSummary, ledger_summary
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.grading.merge import ConflictingVerdictsError, merge_ledgers
from ff_helpers.grading.outcome import grade_command, spec_of
from ff_helpers.grading.shards import Shard
from ff_helpers.grading.stream import grade_file
from ff_helpers.keys import without_secrets
from ff_helpers.measurement.standing import by_cards, saved_cards, standing
from ff_helpers.terms import Identity

_REASONS: Final = 3
"""How many reasons of one status, or of one gate, are printed; the rest are counted."""

_OVERLAPS: Final = 20
"""How many pairs of ledgers that overlap are printed; the rest are counted."""

_NOT_ASKED: Final = ("manual", "external")
"""Methods of people and of judges that nobody here can ask for the rest."""


def grade_traces(options: argparse.Namespace) -> int:
    """Grade a trace file into a ledger and print what the ledger has from that grader."""
    _no_other_file(options.ledger, options.traces)
    part = "" if options.shard is None else f"shard {options.shard} of "
    announce(f"grading {part}{options.traces} with {without_secrets(options.grader)} into {options.ledger}")
    done = grade_file(
        options.traces,
        options.grader,
        options.ledger,
        rubric=options.rubric,
        limit=options.limit,
        repeats=options.repeats,
        concurrency=options.concurrency,
        timeout=options.timeout,
        shard=options.shard,
        admit=by_cards(options.cards),
        cluster=options.cluster,
    )
    rate = f" ({done.graded / done.seconds:.1f} per second)" if done.seconds >= 1 else ""
    before = f"; {done.already} were in the ledger before" if done.already else ""
    without = sum(done.statuses.values())
    verdicts = f"{done.graded - without} verdicts, {without} rows without"
    print(f"{verdicts} in {done.seconds:.1f} s{rate}{before}\n")
    _tell(options, only=done.identity, shard=options.shard)
    failed = sum(done.statuses.get(status, 0) for status in RETRIED)
    if failed:
        print(f"\n{failed} rows failed at the server: run the same command again to grade them.")
    return int(failed > 0)


def tell_ledger(options: argparse.Namespace) -> int:
    """Print what is in a ledger, and what is missing from it of a trace file."""
    _tell(options)
    return 0


def merge(options: argparse.Namespace) -> int:
    """Merge ledgers; print what the result has, and which shards and traces it lacks."""
    announce(f"merging {len(options.inputs)} ledgers into {options.ledger}")
    try:
        done = merge_ledgers(options.ledger, options.inputs, conflicts=options.conflicts)
    except ConflictingVerdictsError as error:
        print(f"ff: {error}", file=sys.stderr)
        return 1
    print(said("merged", done=done, choice=options.conflicts, most=_OVERLAPS) + "\n")
    held = _tell(options)
    return int(any(rows.missing for rows in held.graders if rows.identity.method not in _NOT_ASKED))


def _tell(
    options: argparse.Namespace, *, only: Identity | None = None, shard: Shard | None = None
) -> LedgerSummary:
    """Print what is in the ledger, from one grader or from all, and return it."""
    held = ledger_summary(options.ledger, options.traces, shard=shard, only=only)
    names, cards = shown_names(held.everyone), saved_cards(options.cards)
    told = []
    for rows in held.graders:
        mend = only is None and rows.missing and rows.identity.method != "external"
        command = _command(rows.identity, rows.software, options) if mend else None
        told.append((rows, standing(rows.identity, cards), command))
    part = "" if shard is None else f" of shard {shard}"
    print(said("ledger", held=held, names=names, graders=told, most=_REASONS, part=part))
    return held


def _no_other_file(ledger: Path, traces: Path) -> None:
    """Refuse a file other than a ledger before a grader is opened; the ledger itself checks every line."""
    if ledger.exists() and traces.exists() and ledger.samefile(traces):
        raise FFError(f"{ledger} is both --traces and --ledger. Name another file with --ledger.")
    if ledger.exists():
        next(read_ledger(ledger), None)


def _command(who: Identity, software: str, options: argparse.Namespace) -> str:
    """Return the command that grades what is missing; the spec follows from the software recorded."""
    traces, ledger = shown(options.traces), shown(options.ledger)
    return shlex.join(grade_command(spec_of(who.name, software), who.rubric, traces=traces, ledger=ledger))
