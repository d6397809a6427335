"""`ff asr` where a card was measured on other models or sets: what its errors say of the rates here."""

import argparse
import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from ff_helpers.cli.text import plain, shown
from ff_helpers.grading.identities import identity_of, records
from ff_helpers.measurement.adjustment.rogan_gladen import Adjusted
from ff_helpers.measurement.adjustment.transport import card_errors, carried_over, covers
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.proportions.intervals import triple
from ff_helpers.measurement.rates.asr import WHY
from ff_helpers.measurement.rates.count_file import read_counts
from ff_helpers.measurement.standing import some_of
from ff_helpers.terms import IDENTITY, NOT_RECORDED, Identity, Tier

_PLACE: Final = ("set", "model")
_OFTEN: Final = "graded"
"""The denominator over which errors are measured."""
Pair = tuple[Identity, Tier]


@dataclass(frozen=True)
class Carried:
    """Rates by errors that were measured elsewhere.

    Attributes:
        rates: place of a row of the table of rates -> its rate.
        words: what to say of a grader and tier.
    """

    rates: dict[int, Adjusted] = field(default_factory=dict)
    words: dict[Pair, list[str]] = field(default_factory=dict)

    def beside(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with the columns adjusted, its bounds, method and note, if any row has them."""
        if not self.rates:
            return table
        found = [self.rates.get(place) for place in range(len(table))]
        columns = pd.DataFrame([triple("adjusted", one) for one in found], table.index, dtype="float64")
        table = table.join(columns)
        table["method"] = [one.method if one else "none" for one in found]
        return table.assign(
            note=["; ".join(filter(None, (one.note, one.warning))) if one else "" for one in found]
        )


def carry(
    options: argparse.Namespace,
    table: pd.DataFrame,
    pairs: Sequence[Pair],
    cards: Mapping[Pair, Sequence[Card]],
) -> Carried:
    """Return the rates of the rows whose graders were measured on other models or sets than they are of.

    Args:
        options: of `ff asr`.
        table: of rates, with the columns of `options.by`.
        pairs: grader and tier of each of its rows.
        cards: of each pair, those that count.
    """
    found = Carried()
    of_cards = {
        pair: [errors for card in some for errors in card_errors(card, pair[1])]
        for pair, some in cards.items()
        if pair[0].method != "heuristic"
    }
    of_cards = {pair: errors for pair, errors in of_cards.items() if errors}
    if not of_cards:
        return found
    here = _graded(options)
    by = [name for name in _PLACE if name in options.by]
    for place, (row, pair) in enumerate(zip(table.to_dict("records"), pairs, strict=True)):
        if pair not in of_cards:
            continue
        theirs = here[pair[0]]
        if any(NOT_RECORDED in one for one in theirs):
            hint = (
                "whether its card is of the same models and set is not known here: name the traces (--traces)"
            )
            found.words.setdefault(pair, [hint])
            continue
        own = [one for one in theirs if all(row[name] == one[_PLACE.index(name)] for name in by)]
        if row["denominator"] != _OFTEN or row.get(WHY) or covers(of_cards[pair], own):
            continue
        found.rates[place] = rate = carried_over(row["k"], row["n"], of_cards[pair])
        if pair not in found.words:
            found.words[pair] = [_words(options, cards[pair], theirs, rate)]
        if rate.warning:
            name = " ".join(plain(row[one]) for one in options.by)
            found.words[pair].append(f"{name or 'this rate'}: {rate.warning}")
    return found


def _graded(options: argparse.Namespace) -> dict[Identity, list[tuple[str, str]]]:
    """Return the sets and models of each grader's verdicts."""
    counted = read_counts(options.file, by=[*IDENTITY, "method", *_PLACE], traces=options.traces, needs=())
    found: defaultdict[Identity, list[tuple[str, str]]] = defaultdict(list)
    for row in records(counted.table.drop_duplicates([*IDENTITY, "method", *_PLACE])):
        found[identity_of(row)].append((str(row["set"]), str(row["model"])))
    return found


def _words(
    options: argparse.Namespace, cards: Sequence[Card], here: Sequence[tuple[str, str]], rate: Adjusted
) -> str:
    there = [(card.calibration_set, one.model) for card in cards for one in card.by_model]
    sets = some_of({card.calibration_set for card in cards}) + _models(there)
    command = ["ff", "sample", shown(options.file), "--traces", *map(shown, options.traces)]
    command += ["--n", "100", "--out", "labels.csv"]
    of = some_of({one for one, _ in here}) + _models(here)
    return (
        f"measured on {sets}; these verdicts are of {of}. A grader's errors "
        f"differ from model to model and do not travel by themselves: carried over are {rate.note}. "
        f"Labels of these traces say more: `{shlex.join(command)}`"
    )


def _models(pairs: Sequence[tuple[str, str]]) -> str:
    models = some_of({model for _, model in pairs})
    return f" (models: {models})" if models else ""
