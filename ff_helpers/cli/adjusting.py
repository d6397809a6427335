"""`ff asr` with labels: each raw rate beside the one with the grader's errors taken out."""

import argparse
from collections.abc import Sequence
from typing import Final

import pandas as pd

from ff_helpers.cli.rates import rates_of_file
from ff_helpers.cli.text import aligned, json_rows, percent, print_json, said
from ff_helpers.corpus.tables import read_table
from ff_helpers.errors import FFError, named
from ff_helpers.measurement.adjustment.labelled import drawn_otherwise, labelled_rates, with_labels
from ff_helpers.measurement.labels.file import column_of
from ff_helpers.measurement.sampling.files import read_sample
from ff_helpers.measurement.sampling.rows import FIELDS, graded_rows

SHOWN: Final = 12
"""How many unknown values of a judge are listed."""
_NOTHING: Final = frozenset({"", "nan", "NaN", "None", "null", "NA", "N/A", "<NA>"})
_HEADS: Final = ("tier", "raw [95% Wilson]", "adjusted [95%]", "labels", "of", "how")


def rates(options: argparse.Namespace) -> int:
    """Print the rates of a file: adjusted where labels are given, else as the graders reported them."""
    if options.truth is not None:
        return _table(options)
    if options.success is not None or options.item is not None:
        raise FFError("--success and --item are for tables: add --truth COLUMN and --grader COLUMN.")
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
    frame, _ = read_table(options.file)
    judge, people = (column_of(frame, name).str.strip() for name in (options.grader, options.truth))
    labelled, graded = ~people.isin(_NOTHING), ~judge.isin(_NOTHING)
    _check_values(judge[graded], people[labelled], options)
    rows = pd.DataFrame({"hit": judge == options.success, "trace_id": frame.index.astype("str")})
    rows["true"] = (people == options.success).astype("float64").where(labelled)
    rows["scenario_id"] = column_of(frame, options.item) if options.item else None
    for name in options.by:
        rows[name] = column_of(frame, name)
    rows = rows[graded]
    if not rows["true"].notna().any():
        raise FFError(
            f"{options.file}: no row has a label in {named(options.truth)}, so nothing is adjusted."
        )
    rows["chance"] = float(rows["true"].notna().mean())
    table = labelled_rates(rows, options.by, least=options.least).assign(tier=f"= {options.success}")
    drawn = "at random among all rows (assumed: a table does not tell)"
    left = {"without a verdict": int((~graded).sum())}
    return _print(options, table, options.by, drawn=drawn, otherwise=drawn_otherwise(rows), left=left)


def _check_values(judge: "pd.Series[str]", people: "pd.Series[str]", options: argparse.Namespace) -> None:
    """Raise where a column never has the value of success, or the judge uses words that no person does."""
    for who, column, values in ((options.truth, "--truth", people), (options.grader, "--grader", judge)):
        if len(values) and options.success not in set(values):
            there = ", ".join(map(named, list(values.value_counts().index)[:SHOWN]))
            raise FFError(
                f"{options.file}: {column} {named(who)} never has the value {named(options.success)}. "
                f"It has: {there}. Say which one is the success, or measure it with a map: "
                "`ff calibrate --labels`."
            )
    foreign = sorted(set(judge) - set(people))
    if len(set(people)) > 1 and foreign:
        n = int(judge.isin(foreign).sum())
        raise FFError(
            f"{options.file}: in {n} rows {named(options.grader)} has values that {named(options.truth)} "
            f"never has: {', '.join(map(named, foreign[:SHOWN]))}. If they are errors, empty those cells; if "
            "they are other spellings, map them: `ff calibrate --labels` prints a map."
        )


def _print(
    options: argparse.Namespace,
    table: pd.DataFrame,
    by: Sequence[str],
    *,
    drawn: str,
    otherwise: Sequence[str],
    left: dict[str, int],
) -> int:
    if options.json:
        content = {
            "file": str(options.file),
            "labels_drawn": drawn,
            "differ_by": list(otherwise),
            "left_out": left,
        }
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
        print(said("adjusted", file=options.file, left={k: n for k, n in left.items() if n}, **values))
    # A rate that is not known to be low enough does not pass: too few labels, or an interval that reaches P.
    return int(options.max_rate is not None and bool((table["adjusted_high"] > options.max_rate).any()))
