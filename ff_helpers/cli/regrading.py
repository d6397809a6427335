"""`ff regrade`: old labels compared with new ones, as terminal text."""

import argparse
import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ff_helpers.cli.text import json_rows, said
from ff_helpers.grading.identities import shown_names
from ff_helpers.measurement.regrades.regrade import Labeller, Regrade, regrade
from ff_helpers.measurement.standing import saved_cards, standing

_REASONS = 10
"""How many pairs of author and reason are printed; the rest are counted."""


def compare_labels(options: argparse.Namespace) -> int:
    """Print old labels compared with new ones."""
    spec = options.traces
    if spec is not None and not spec.startswith("pyrit:"):
        spec = str(Path(spec).absolute())  # from the current folder, not from the project's
    result = regrade(options.ledger, by=options.by, traces=spec, old=options.old, new=options.new)
    measured = _measured(result.graders, options.cards)
    print(_as_json(result, measured) if options.json else _text(result, measured))
    return 0


def _measured(graders: Sequence[Labeller], folder: Path | None) -> list[list[str]]:
    """Return what is known about the accuracy of each grader; every rate is printed with it."""
    cards, known_of = saved_cards(folder), []
    for one in graders:
        known = standing(one.who, cards)
        found = [f"{card.sentence()}; {card.gate.state}" for card in known.cards]
        found += [f"{card.sentence()}; expired, so uncalibrated today" for card in known.expired]
        if one.who.method == "manual":
            found = ["a person: no accuracy measured; see the agreement of graders"]
        known_of.append(found or ["accuracy: never measured; uncalibrated"])
    return known_of


def _text(result: Regrade, measured: list[list[str]]) -> str:
    old, new = result.names
    counts = result.transitions.pivot_table(
        index="old", columns="new", values="rows", aggfunc="sum", fill_value=0
    )
    counts.index.name, counts.columns.name = f"{old} \\ {new}", None
    left = result.rates[(result.rates["tier"] == "strict") & (result.rates["left_out"] > 0)]
    changes = Counter(zip(result.changes["author"], result.changes["reason"], strict=True))
    return said(
        "regrade",
        result=result,
        counts=counts.reset_index().to_string(index=False).splitlines(),
        shifts=_shown(result).to_string(index=False).splitlines(),
        left=left.to_dict("records"),
        graders=list(zip(result.graders, measured, strict=True)),
        names=shown_names(one.who for one in result.graders),
        changes=changes,
        top=changes.most_common(_REASONS),
    )


def _shown(result: Regrade) -> pd.DataFrame:
    lines = []
    for row in result.shifts.to_dict("records"):
        line = {"tier": row["tier"], "of": row["denominator"]}
        for side in ("old", "new"):
            rate = _percent(*(row[f"{side}_asr{end}"] for end in ("", "_low", "_high")))
            line[side] = f"{rate} ({row[f'{side}_k']}/{row[f'{side}_n']})"
        line["shift"] = f"{100 * row['shift']:+.1f}" if row["old_n"] and row["new_n"] else "unknown"
        pair = _percent(row["paired"], row["paired_low"], row["paired_high"], sign="+")
        line["of rows in both"] = f"{pair} ({row['shared']})"
        if "paired_by_scenario_low" in row:
            bounds = (row["paired_by_scenario_low"], row["paired_by_scenario_high"])
            line["by scenario"] = "[{:+.1f}, {:+.1f}]".format(*(100 * bound for bound in bounds))
        lines.append(line)
    return pd.DataFrame(lines)


def _percent(share: float, low: float, high: float, sign: str = "") -> str:
    """Write a share with its interval in percent; empty without rows."""
    if math.isnan(share):
        return "unknown"
    return f"{100 * share:{sign}.1f} [{100 * low:{sign}.1f}, {100 * high:{sign}.1f}]"


def _as_json(result: Regrade, measured: list[list[str]]) -> str:
    names = shown_names(one.who for one in result.graders)
    content = {
        "names": result.names,
        "rows": result.rows,
        "changed": result.changed,
        "scenarios": result.scenarios,
        "again": result.again,
        "contested": result.contested,
        "graders": [
            {"labels": one.labels, "grader": names[one.who], "digest": one.who.digest}
            | {"rubric": one.who.rubric, "method": one.who.method, "rows": one.rows, "measured": known}
            for one, known in zip(result.graders, measured, strict=True)
        ],
        **{name: json_rows(getattr(result, name)) for name in ("transitions", "rates", "shifts", "changes")},
    }
    return json.dumps(content, ensure_ascii=False)
