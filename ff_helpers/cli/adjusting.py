"""`ff asr` with labels: each raw rate beside the one with the grader's errors taken out."""

import argparse
from collections.abc import Sequence
from typing import Final, TypedDict

import pandas as pd

from ff_helpers.cli.comparing import (
    adjusted_together,
    against,
    comparisons_json,
    comparisons_text,
    with_comparisons,
)
from ff_helpers.cli.labels import answers, humans_json, judge_json, table_of
from ff_helpers.cli.rates import fields_and_tags, rates_of_file, reaches
from ff_helpers.cli.text import aligned, json_rows, percent, print_json, said
from ff_helpers.errors import FFError, named
from ff_helpers.measurement.adjustment.labelled import drawn_otherwise, labelled_rates, with_labels
from ff_helpers.measurement.adjustment.limit import ALPHA
from ff_helpers.measurement.adjustment.patterns import together
from ff_helpers.measurement.adjustment.sample_card import people_of
from ff_helpers.measurement.adjustment.transport import CARRIED
from ff_helpers.measurement.calibration.humans import Humans
from ff_helpers.measurement.labels.card import LabelCard
from ff_helpers.measurement.labels.file import column_of
from ff_helpers.measurement.labels.graded import graded_table
from ff_helpers.measurement.labels.signs import signs
from ff_helpers.measurement.proportions.anytime import FIRST
from ff_helpers.measurement.proportions.intervals import ENDS
from ff_helpers.measurement.sampling.files import read_sample
from ff_helpers.measurement.sampling.rows import graded_rows
from ff_helpers.measurement.sampling.soft import UNKNOWN

_HEADS: Final = ("tier", "raw [95% Wilson]", "adjusted [95%]", "labels", "of", "how")
_RATES: Final = tuple(f"{name}{end}" for name in ("asr", "adjusted", "difference") for end in ENDS)
_OF_ROWS: Final = ("hit", "true", "chance", "trace_id", "scenario_id", "n", "k", "labels", "method", "note")
_OF_TESTS: Final = ("compared_with", "other", "p", "p_adjusted", "differ", "not_compared")
_OF_GATE: Final = ("shown", "limit_p", "limit_by", "price", "drawn")
_TAKEN: Final = frozenset((*_OF_ROWS, *_OF_TESTS, *_OF_GATE, *_RATES, "tier", "warning"))
"""Columns of the table of rates, or of the rows it is counted from."""
NOTES: Final = 20
"""Notes on single rows that are printed; `--json` has them all."""
_OF_TABLES: Final = ("success", "item", "map", "threshold", "positive", "errors")


def rates(options: argparse.Namespace) -> int:
    """Print the rates of a file: adjusted where labels are given, else as the graders reported them."""
    if options.soft and options.labels is None:
        raise FFError("--soft goes with --labels LABELS.csv: label probabilities are in a ledger's records.")
    if options.cluster is not None and (options.labels or options.truth) is not None:
        raise FFError("--cluster is for raw rates: adjusting needs the rows. Leave it out.")
    if options.truth is not None:
        return _table(options)
    if of_table := [name for name in _OF_TABLES if getattr(options, name) is not None]:
        raise FFError(f"--{of_table[0]} is for tables: add --truth COLUMN and --grader COLUMN.")
    if options.labels is None:
        for name in ("grader", "max_rate", "anytime", "compare", "family"):
            if getattr(options, name):
                option = f"--{name.replace('_', '-')}"
                raise FFError(f"{option} goes with --labels LABELS.csv, or with --truth COLUMN of a table.")
        return rates_of_file(options)
    against(options)  # raises before anything is read
    return _ledger(options)


def _note(method: str, note: str, labels: int) -> str:
    if method != CARRIED:
        return note.partition("; ")[2]
    return f"{labels} labels of its own, so the judge's errors on the others count too: {note}"


def _ledger(options: argparse.Namespace) -> int:
    if options.require is not None:
        raise FFError("--require is for raw rates and tables: labels adjust a rate whatever the grader is.")
    if not options.traces:
        raise FFError("--labels needs --traces TRACES.jsonl: models, scenarios and what can be counted by.")
    _, tags = fields_and_tags(options.by, options.traces)
    if taken := sorted({*tags} & _TAKEN):
        raise FFError(f"--by {taken[0]}: a column of the table of rates has this name. Rename the tag.")
    sample = read_sample(options.labels, space=options.space)
    asked = list(dict.fromkeys(options.grader or ()))
    rows = graded_rows(options.file, options.traces, grader=asked, tags=tags)
    by = ["grader", *dict.fromkeys(options.by)]
    tables: list[pd.DataFrame] = []
    notes: list[str] = []
    for tier in options.tier:
        counted = with_labels(rows, sample, tier, soft=options.soft)
        tables.append(_rows(counted, by, options, carry=True).assign(tier=tier))
        notes += [note for note in _unknown(counted) if note not in notes]
        if len(asked) > 1:
            both, alone = together(counted)
            tables.append(_rows(both, by, options).assign(tier=tier))
    table = adjusted_together(pd.concat(tables, ignore_index=True), options)
    design = sample.design
    drawn = "at random (assumed: no design stands beside the file)"
    if design is not None:
        drawn = "at random" if design.design == "random" else "by verdict, each with its known probability"
    otherwise = drawn_otherwise(counted) if design is None else []
    left = {"without a verdict": int(rows["verdict"].isna().sum()), "disputed": len(sample.disputed)}
    left |= {"traces that not every judge graded": alone} if len(asked) > 1 else {}
    people = people_of(sample)
    return _print(
        options, table, by, drawn=drawn, otherwise=otherwise, left=left, people=people, said_of=notes
    )


def _unknown(rows: pd.DataFrame) -> list[str]:
    """Return in words how many rows of each grader have no label probabilities, if these are asked for."""
    if "part" not in rows.columns:
        return []
    lacking = [(name, own["part"] == UNKNOWN) for name, own in rows.groupby("grader")]
    return [
        f"{missing.sum()} of {len(missing)} rows of {name} have no label probabilities: "
        "of these the verdict alone counts"
        for name, missing in lacking
        if missing.any()
    ]


class _Asked(TypedDict):
    least: int
    limit: float | None
    planned: int | None


def _asked_for(options: argparse.Namespace) -> _Asked:
    if options.max_rate is not None and not 0 < options.max_rate < 1:
        raise FFError(f"--max-rate {options.max_rate:g}: must be above 0 and below 1, such as 0.1 for 10%.")
    if options.planned is not None and not options.anytime:
        raise FFError("--planned N goes with --anytime.")
    planned = options.planned
    if options.anytime and planned is None:
        if options.truth is not None:
            raise FFError(
                "--anytime of a table: say how many labels of a row were planned before the first look, "
                "--planned N. The interval is narrowest there, and wrong if N is chosen afterwards."
            )
        planned = 0
    if planned and planned < FIRST:
        raise FFError(f"--planned {planned}: at least {FIRST}. An interval for every number starts there.")
    return {"least": options.least, "limit": options.max_rate, "planned": planned}


def _table(options: argparse.Namespace) -> int:
    if options.grader is None or options.success is None:
        raise FFError(
            "a table needs --truth COLUMN (people), --grader COLUMN (the judge) and --success VALUE: which "
            "value of both is the attack's success. It is asked, never guessed: 1 can be the success of the "
            "attack or of the defence."
        )
    judges = list(dict.fromkeys(options.grader))
    if options.truth in judges:
        raise FFError(
            f"--truth and --grader are the same column ({named(options.truth)}): nothing is measured."
        )
    if taken := sorted(set(options.by) & (_TAKEN | ({"grader"} if len(judges) > 1 else set()))):
        raise FFError(
            f"--by {taken[0]}: a column of the table of rates has this name. Rename it in the header of the "
            "file."
        )
    against(options)
    frame = table_of(options.file)
    several = len(judges) > 1
    by = list(dict.fromkeys([*(["grader"] if several else []), *options.by]))
    left: dict[str, int] = {}
    parts, cards, notes = [], [], []
    for name in judges:
        found = graded_table(
            frame,
            truth=options.truth,
            grader=name,
            success=options.success,
            answers=answers(options),
            item=options.item,
        )
        rows = found.rows.assign(**{column: column_of(frame, column) for column in options.by})
        parts.append(rows.assign(grader=name) if several else rows)
        cards.append(found.card)
        notes += [note for note in (*found.notes, *signs(found.card)) if note not in notes]
        left |= {f"{what} of {name}" if several else what: n for what, n in found.left_out.items()}
    rows = pd.concat(parts)
    tables = [_rows(rows, by, options, carry=True)]
    if several:
        both, alone = together(rows)
        both["chance"] = float(both["true"].notna().mean())
        tables.append(_rows(both, by, options))
        left["traces that not every judge graded"] = alone
    return _print(
        options,
        adjusted_together(pd.concat(tables, ignore_index=True), options).assign(tier=f"= {found.success}"),
        by,
        drawn="at random among all rows (assumed: a table does not tell)",
        otherwise=drawn_otherwise(parts[0]),
        left=left,
        judges=cards,
        said_of=notes,
    )


def _rows(
    rows: pd.DataFrame, by: Sequence[str], options: argparse.Namespace, *, carry: bool = False
) -> pd.DataFrame:
    table = labelled_rates(rows, by, carry=carry, **_asked_for(options))
    return with_comparisons(table, rows, by, options)


def _print(
    options: argparse.Namespace,
    table: pd.DataFrame,
    by: Sequence[str],
    *,
    drawn: str,
    otherwise: Sequence[str],
    left: dict[str, int],
    judges: Sequence[LabelCard] = (),
    said_of: Sequence[str] = (),
    people: Sequence[Humans] = (),
) -> int:
    if options.json:
        content: dict[str, object] = {
            "file": str(options.file),
            "labels_drawn": drawn,
            "differ_by": list(otherwise),
            "left_out": left,
        }
        if len(judges) == 1:
            content |= {"judge": judge_json(judges[0]), "notes": list(said_of)}
        elif judges:
            content |= {"judges": [judge_json(one) for one in judges], "notes": list(said_of)}
        elif said_of:
            content["notes"] = list(said_of)
        if options.max_rate is not None:
            content["gate"] = {
                "max_rate": options.max_rate,
                "alpha": ALPHA,
                "passed": bool(table["shown"].all()),
            }
        content |= {"people": [humans_json(pair) for pair in people]} if people else {}
        print_json(content | comparisons_json(table, options) | {"rates": json_rows(table)})
    elif options.csv:
        print(table.to_csv(index=False, lineterminator="\n"), end="")
    else:
        notes = _notes(table, by)
        values = {"lines": _lines(table, by), "notes": notes[:NOTES], "more": len(notes[NOTES:])}
        values |= {"judges": judges, "said_of": said_of, "people": people, "drawn": drawn}
        values |= {"otherwise": otherwise, "compared": comparisons_text(table, by, options)}
        values |= {"gate": _gate(table, by), "limit": options.max_rate, "alpha": ALPHA, "first": FIRST}
        values["prices"] = list(table["price"].dropna()) if "price" in table.columns else None
        print(said("adjusted", file=options.file, left={k: n for k, n in left.items() if n}, **values))
    # A rate that is not shown to be low enough does not pass, and neither do too few labels.
    if any(not reaches(one.gate.state, options.require) for one in judges):
        return 1
    return int(options.max_rate is not None and not table["shown"].all())


def _gate(table: pd.DataFrame, by: Sequence[str]) -> list[tuple[str, bool, str]]:
    """Return each rate with whether it is shown to be below the limit, and how that was tested."""
    if "shown" not in table.columns:
        return []
    return [
        (
            " ".join(str(row[name]) for name in (*by, "tier")),
            bool(row["shown"]),
            row["limit_by"] if pd.isna(row["limit_p"]) else f"p = {row['limit_p']:.3f}, {row['limit_by']}",
        )
        for row in table.to_dict("records")
    ]


def _lines(table: pd.DataFrame, by: Sequence[str]) -> list[str]:
    lines = [(*by, *_HEADS)]
    for row in table.to_dict("records"):
        fixed = "–" if pd.isna(row["adjusted"]) else percent(*(row[f"adjusted{end}"] for end in ENDS))
        raw = "unknown: no row" if not row["n"] else "–"
        if row["n"] and not pd.isna(row["asr"]):
            raw = percent(*(row[f"asr{end}"] for end in ENDS))
        cells = [str(row[name]) for name in (*by, "tier")]
        how = row["method"] if row["method"] != "none" else row["note"]
        lines.append((*cells, raw, fixed, str(row["labels"]), str(row["n"]), how))
    return aligned(lines)


def _notes(table: pd.DataFrame, by: Sequence[str]) -> list[tuple[str, str]]:
    """Return what is to be said of single rows: which row, and the note."""
    return [
        (" ".join(str(row[name]) for name in by), text)
        for row in table.to_dict("records")
        for text in (row["warning"], _note(row["method"], row["note"], row["labels"]))
        if text
    ]
