"""`ff import`: result files of other tools become traces, ledgers of verdicts, and labels."""

import argparse
import shlex

from ff_helpers.cli.text import announce, plain, said, shown
from ff_helpers.corpus.results import READERS
from ff_helpers.corpus.results.meaning import MapNeededError
from ff_helpers.corpus.results.recognise import Found, all_recognised
from ff_helpers.errors import FFError
from ff_helpers.grading.importing.account import ACCOUNT
from ff_helpers.grading.importing.folder import LABELS, TRACES
from ff_helpers.grading.importing.run import Imported, import_files

_TABLE = ("response", "prompt", "id", "model", "item", "space", "map", "threshold", "high")
_SEVERAL = ("judge", "human", "tag", "success")


def import_results(options: argparse.Namespace) -> int:
    """Import files, and say what was recognised, what was written, and what to do next."""
    if options.list:
        print(said("readers", readers=READERS))
        return 0
    if not options.files or options.out is None:
        raise FFError(
            "name files and a folder: `ff import FILE... --out DIR`; `ff import --list` lists the tools."
        )
    asked = _asked(options)
    columns = any(getattr(options, name) for name in ("response", "judge", "human"))
    found, left = all_recognised(options.files, out=options.out, tool=options.tool, columns=columns)
    for one in left:
        announce(plain(f"not read: {one.path}: {one.why}"))
    try:
        done = import_files(found, options.out, asked, left=tuple(left), tell=_recognised)
    except MapNeededError as error:
        print(error.map, end="")
        raise
    options.interrupted = "Everything was imported before."
    _tell(done, options)
    return int(any(one.refused for one in left))


def _asked(options: argparse.Namespace) -> dict[str, str]:
    """Return what the readers are told; several columns stand in one line each."""
    given = {name: getattr(options, name) for name in _TABLE}
    asked = {
        name: f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in given.items()
        if value is not None
    }
    asked |= {name: "\n".join(getattr(options, name)) for name in _SEVERAL if getattr(options, name)}
    return asked | dict(options.option)


def _recognised(one: Found) -> None:
    """Say before a file is read what it was recognised as, and in which direction it is read."""
    what = f"{one.source.tool} {one.source.version or '(version not told)'}"
    if one.source.tool == "table":
        what = "table"
    announce(plain(f"{shown(one.path)}: {what}. Read so: {one.source.direction}."))
    for note in one.source.notes:
        announce(plain(f"  note: {note}"))


def _tell(done: Imported, options: argparse.Namespace) -> None:
    """Print what went in and what came out."""
    out = options.out
    traces = shlex.quote(shown(out / TRACES))
    ledgers = [(judge, shown(out / judge.file)) for judge in done.account.judges]
    labels = sum(sum(one.labels.values()) for one in done.account.annotators)
    files = {"traces": shown(out / TRACES), "labels": shown(out / LABELS), "account": shown(out / ACCOUNT)}
    most = sorted(ledgers, key=lambda ledger: (-ledger[0].records, ledger[0].space == "refused"))[:1]
    steps = [f"ff asr {shlex.quote(place)} --traces {traces}" for _, place in most]
    draw = ""
    if steps and (done.account.later_truths or any(file.truths for file in done.account.inputs)):
        spec = shlex.quote(f"recorded:{most[0][1]}")
        steps.insert(0, f"ff calibrate --grader {spec} --traces {traces}")
    elif steps:
        people = shlex.quote(shown(out / "people.csv"))
        space = f" --space {most[0][0].space}" if most[0][0].space != "strict" else ""
        draw = f"ff sample {shlex.quote(most[0][1])} --traces {traces} --n 100{space} --out {people}"
    print(said("imported", done=done, files=files, ledgers=ledgers, labels=labels, steps=steps, draw=draw))
