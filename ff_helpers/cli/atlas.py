"""`ff atlas`: one record a model, with its doubt; what changed, what is due, and the page people read."""

import argparse
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ff_helpers.cli.options import add_cards, add_command, shown
from ff_helpers.terms import DENOMINATORS, TIERS

if TYPE_CHECKING:
    from ff_helpers.cli.options import Commands
    from ff_helpers.publication.atlas.inputs import Inputs
    from ff_helpers.publication.atlas.signal import Signal


def add_atlas(commands: "Commands") -> None:
    """Add the commands of this module to the parser."""
    parser = commands.add_parser(
        "atlas",
        help="the per-model signal: export, refresh, compare two dates",
        description="What may be said of each model: a dated file of records, validated against its JSON "
        "Schema, a pointer to the current one, and a page that opens from disk.",
    )
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    _add_export(actions)
    _add_refresh(actions)
    _add_diff(actions)


def _add_export(actions: "Commands") -> None:
    parser = add_command(
        actions,
        "export",
        _export,
        line="write the signal of some counts, and its page",
        about="Count, resolve the names, say what stands behind each rate, and write asr_signal_DATE.jsonl, "
        "its schema, the pointer `current` and index.html. Old files stay; a file of the same day is not "
        "overwritten with other content.",
        example="ff atlas export --ledger verdicts.jsonl --traces traces.jsonl",
    )
    _add_inputs(parser)
    _add_folder(parser)
    parser.add_argument("--replace", action="store_true", help="replace a file of the same day")
    parser.add_argument(
        "--compat",
        type=Path,
        metavar="FILE",
        help="also write FILE in the published export's field names (model_name, asr_pct, numerator, "
        "denominator, classifiers_used), with the intervals beside them (default: not)",
    )


def _add_refresh(actions: "Commands") -> None:
    parser = add_command(
        actions,
        "refresh",
        _refresh,
        line="what moved, what is old, what is due; and the next file",
        about="Count again and compare with the current file. A row is due when its rate moved by more than "
        "5 points since its published record, when that record is 7 days old, or when its graders no longer "
        "stand as published. Due rows are taken anew, the others stay as published.",
        example="ff atlas refresh --ledger verdicts.jsonl --traces traces.jsonl --dry-run",
    )
    _add_inputs(parser)
    _add_folder(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say what is due; write nothing")
    parser.add_argument("--replace", action="store_true", help="replace a file of the same day")
    parser.add_argument("--json", action="store_true", help="every row, for programs")


def _add_diff(actions: "Commands") -> None:
    parser = add_command(
        actions,
        "diff",
        _diff,
        line="what changed between two dates, and why",
        about="Compare the signal files of two dates, model by model.",
        example="ff atlas diff 2026-11-20 2026-11-27",
    )
    parser.add_argument("old", type=_day, metavar="DATE", help="the earlier file, YYYY-MM-DD")
    parser.add_argument("new", type=_day, metavar="DATE", help="the later file, YYYY-MM-DD")
    _add_folder(parser, as_of=False)
    parser.add_argument("--json", action="store_true", help="every row, for programs")


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "export",
        nargs="?",
        type=Path,
        metavar="EXPORT",
        help="counts a model name: CSV (model_name, compliance, graded, classifiers), or the published JSON "
        "(default: none)",
    )
    parser.add_argument(
        "--ledger",
        type=Path,
        metavar="VERDICTS",
        help="verdicts: a ledger, JSONL or Parquet. Each grader counts by its own rows; in a ledger with "
        "corrections no grader has them all (default: none)",
    )
    parser.add_argument(
        "--traces",
        nargs="+",
        type=Path,
        default=[],
        metavar="TRACES.jsonl",
        help="files of the traces: models, classes, scenarios, and truth where it is known "
        "(default: none; the rows of VERDICTS must then name their model)",
    )
    parser.add_argument(
        "--name",
        nargs="+",
        type=_named,
        default=[],
        metavar="RECORDED=NAME",
        help="what a recorded model name stands for, such as my-run=meta-llama/Llama-3.1-8B-Instruct "
        "(default: itself)",
    )
    parser.add_argument(
        "--tier",
        choices=tuple(TIERS),
        default="strict",
        help="which verdicts of VERDICTS are successes (default: %(default)s)",
    )
    parser.add_argument(
        "--denominator",
        choices=tuple(DENOMINATORS),
        default="adversarial",
        help="what their rates are over (default: %(default)s)",
    )
    add_cards(parser)


def _add_folder(parser: argparse.ArgumentParser, *, as_of: bool = True) -> None:
    parser.add_argument(
        "--dir", type=Path, metavar="DIR", help="where the files are (default: atlas/ in the outputs folder)"
    )
    if as_of:
        parser.add_argument("--as-of", type=_day, metavar="DATE", help="YYYY-MM-DD (default: today)")


def _export(options: argparse.Namespace) -> int:
    from ff_helpers.cli.atlas_text import written_text
    from ff_helpers.publication.atlas.files import write_signal
    from ff_helpers.publication.atlas.inputs import read_signals

    as_of = options.as_of or date.today()
    signals = read_signals(_inputs(options), as_of=as_of, exported=_exported(options))
    path = write_signal(_folder(options), signals, as_of, replace=options.replace)
    _page(path, as_of)
    if options.compat:
        from ff_helpers.casestudy.compat import compat_text

        options.compat.parent.mkdir(parents=True, exist_ok=True)
        options.compat.write_text(compat_text(signals, as_of=as_of), encoding="utf-8", newline="\n")
    print(written_text(signals, path))
    if options.compat:
        print(f"compat    {shown(options.compat)}")
    return 0


def _refresh(options: argparse.Namespace) -> int:
    from ff_helpers.cli.atlas_text import due_json, due_text
    from ff_helpers.publication.atlas.changes import due_rows, refreshed
    from ff_helpers.publication.atlas.files import check_clock, current, read_file, write_signal
    from ff_helpers.publication.atlas.inputs import NothingGivenError, read_signals

    as_of, folder = options.as_of or date.today(), _folder(options)
    published = current(folder)
    if published is None:
        raise NothingGivenError(f"{folder} holds no signal yet: `ff atlas export` writes the first one")
    check_clock(folder, as_of)
    before = read_file(published)
    fresh = read_signals(_inputs(options), as_of=as_of, exported=_exported(options))
    rows = due_rows(before, fresh, as_of=as_of)
    due = [row for row in rows if row.due]
    if options.json:
        print(json.dumps([due_json(row) for row in rows], indent=1, ensure_ascii=False))
    else:
        print(due_text(rows, shown(published)))
    if options.dry_run or not due:
        return 0
    path = write_signal(folder, refreshed(before, fresh, as_of=as_of), as_of, replace=options.replace)
    _page(path, as_of)
    if not options.json:
        print(f"\nwritten   {shown(path)}")
    return 0


def _diff(options: argparse.Namespace) -> int:
    from ff_helpers.cli.atlas_text import change_json, changes_text
    from ff_helpers.publication.atlas.changes import compare_signals
    from ff_helpers.publication.atlas.files import path_of, read_file

    folder = _folder(options)
    changes = compare_signals(*(read_file(path_of(folder, day)) for day in (options.old, options.new)))
    if options.json:
        print(json.dumps([change_json(change) for change in changes], indent=1, ensure_ascii=False))
    else:
        print(f"{options.old} to {options.new}: {changes_text(changes)}")
    return 0


def _inputs(options: argparse.Namespace) -> "Inputs":
    from ff_helpers.publication.atlas.inputs import Inputs

    return Inputs(
        ledger=options.ledger,
        traces=tuple(options.traces),
        cards=options.cards,
        names=dict(options.name),
        tier=options.tier,
        denominator=options.denominator,
    )


def _exported(options: argparse.Namespace) -> list["Signal"]:
    if options.export is None:
        return []
    from ff_helpers.casestudy.exported import atlas_signal
    from ff_helpers.casestudy.exports import read_export

    return atlas_signal(read_export(options.export), corpus=options.export.name)


def _folder(options: argparse.Namespace) -> Path:
    from ff_helpers import paths

    return options.dir or paths.outputs() / "atlas"


def _page(path: Path, as_of: date) -> None:
    from ff_helpers.publication.atlas.files import read_file
    from ff_helpers.publication.atlas.publish import PAGE, publish_page

    publish_page(path.with_name(PAGE), read_file(path), profile=path.parent.name, as_of=as_of)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date: YYYY-MM-DD") from None


def _named(text: str) -> tuple[str, str]:
    recorded, equals, name = text.partition("=")
    if not (recorded and equals and name):
        raise argparse.ArgumentTypeError(f"{text!r} is not RECORDED=NAME")
    return recorded, name
