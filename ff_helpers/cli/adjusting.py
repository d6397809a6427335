"""`ff asr` with labels: each raw rate beside the one with the grader's errors taken out."""

import argparse
from collections.abc import Sequence
from typing import Final

import pandas as pd

from ff_helpers.cli.labels import answers, judge_json, table_of
from ff_helpers.cli.rates import rates_of_file
from ff_helpers.cli.text import aligned, json_rows, percent, print_json, said
from ff_helpers.errors import FFError, named
from ff_helpers.measurement.adjustment.labelled import drawn_otherwise, labelled_rates, with_labels
from ff_helpers.measurement.labels.card import LabelCard
from ff_helpers.measurement.labels.file import column_of
from ff_helpers.measurement.labels.graded import graded_table
from ff_helpers.measurement.labels.signs import signs
from ff_helpers.measurement.sampling.files import read_sample
from ff_helpers.measurement.sampling.rows import FIELDS, graded_rows

_HEADS: Final = ("tier", "raw [95% Wilson]", "adjusted [95%]", "labels", "of", "how")
_RATES: Final = tuple(f"{name}{end}" for name in ("asr", "adjusted") for end in ("", "_low", "_high"))
_TAKEN: Final = frozenset(
    ("hit", "true", "chance", "trace_id", "scenario_id", "n", "k", "labels", "method", "note", "warning")
) | {*_RATES, "tier"}
"""Columns of the table of rates, or of the rows it is counted from."""
_OF_TABLES: Final = ("success", "item", "map", "threshold", "positive", "errors")


def rates(options: argparse.Namespace) -> int:
    """Print the rates of a file: adjusted where labels are given, else as the graders reported them."""
    if options.truth is not None:
        return _table(options)
    if of_table := [name for name in _OF_TABLES if getattr(options, name) is not None]:
        raise FFError(f"--{of_table[0]} is for tables: add --truth COLUMN and --grader COLUMN.")
    if options.labels is None:
        if options.grader is not None:
            raise FFError("--grader goes with --labels LABELS.csv, or with --truth COLUMN of a table.")
        return rates_of_file(options)
    return _ledger(options)


def _ledger(options: argparse.Namespace) -> int:
    if not options.traces:
        raise FFError("--labels needs --traces TRACES.jsonl: models, scenarios and what can be counted by.")
    unknown = sorted(set(options.by) - set(FIELDS))
    if unknown:
        raise FFError(f"--by {named(unknown[0])}: with --labels rows go by {', '.join(FIELDS)}.")
    sample = read_sample(options.labels, space=options.space)
    rows = graded_rows(options.file, options.traces, grader=options.grader)
    by = ["grader", *dict.fromkeys(options.by)]
    tables = []
    for tier in options.tier:
        counted = with_labels(rows, sample, tier)
        tables.append(labelled_rates(counted, by, least=options.least).assign(tier=tier))
    table = pd.concat(tables, ignore_index=True)
    design = sample.design
    drawn = "at random (assumed: no design stands beside the file)"
    if design is not None:
        drawn = "at random" if design.design == "random" else "by verdict, each with its known probability"
    otherwise = drawn_otherwise(counted) if design is None else []
    left = {"without a verdict": int(rows["verdict"].isna().sum()), "disputed": len(sample.disputed)}
    return _print(options, table, by, drawn=drawn, otherwise=otherwise, left=left)


def _table(options: argparse.Namespace) -> int:
    if options.grader is None or options.success is None:
        raise FFError(
            "a table needs --truth COLUMN (people), --grader COLUMN (the judge) and --success VALUE: which "
            "value of both is the attack's success. It is asked, never guessed: 1 can be the success of the "
            "attack or of the defence."
        )
    if options.truth == options.grader:
        raise FFError(
            f"--truth and --grader are the same column ({named(options.truth)}): nothing is measured."
        )
    if taken := sorted(set(options.by) & _TAKEN):
        raise FFError(
            f"--by {taken[0]}: a column of the table of rates has this name. Rename it in the header of the "
            "file."
        )
    frame = table_of(options.file)
    found = graded_table(
        frame,
        truth=options.truth,
        grader=options.grader,
        success=options.success,
        answers=answers(options),
        item=options.item,
    )
    rows = found.rows.assign(**{name: column_of(frame, name) for name in options.by})
    table = labelled_rates(rows, options.by, least=options.least).assign(tier=f"= {found.success}")
    return _print(
        options,
        table,
        options.by,
        drawn="at random among all rows (assumed: a table does not tell)",
        otherwise=drawn_otherwise(rows),
        left=found.left_out,
        judge=found.card,
        said_of=(*found.notes, *signs(found.card)),
    )


def _print(
    options: argparse.Namespace,
    table: pd.DataFrame,
    by: Sequence[str],
    *,
    drawn: str,
    otherwise: Sequence[str],
    left: dict[str, int],
    judge: LabelCard | None = None,
    said_of: Sequence[str] = (),
) -> int:
    if options.json:
        content: dict[str, object] = {
            "file": str(options.file),
            "labels_drawn": drawn,
            "differ_by": list(otherwise),
            "left_out": left,
        }
        if judge is not None:
            content |= {"judge": judge_json(judge), "notes": list(said_of)}
        print_json(content | {"rates": json_rows(table)})
    elif options.csv:
        print(table.to_csv(index=False, lineterminator="\n"), end="")
    else:
        lines = [(*by, *_HEADS)]
        for row in table.to_dict("records"):
            fixed = (
                "–"
                if pd.isna(row["adjusted"])
                else percent(*(row[f"adjusted{e}"] for e in ("", "_low", "_high")))
            )
            raw = percent(row["asr"], row["asr_low"], row["asr_high"]) if row["n"] else "unknown: no row"
            cells = [str(row[name]) for name in (*by, "tier")]
            how = row["method"] if row["method"] != "none" else row["note"]
            lines.append((*cells, raw, fixed, str(row["labels"]), str(row["n"]), how))
        notes = [
            (" ".join(str(row[name]) for name in by), text)
            for row in table.to_dict("records")
            for text in (row["warning"], row["note"].partition("; ")[2])
            if text
        ]
        values = {"lines": aligned(lines), "notes": notes, "drawn": drawn, "otherwise": otherwise}
        values |= {"judge": judge, "said_of": said_of}
        print(said("adjusted", file=options.file, left={k: n for k, n in left.items() if n}, **values))
    # A rate that is not known to be low enough does not pass: too few labels, or an interval that reaches P.
    return int(options.max_rate is not None and bool((table["adjusted_high"] > options.max_rate).any()))
