"""What a signal is counted from: a ledger, trace files, records of an export; any of them together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ff_helpers.errors import FFError
from ff_helpers.measurement.rates.signal_counts import file_counts
from ff_helpers.measurement.standing import saved_cards
from ff_helpers.publication.atlas.ledger import counted_signal
from ff_helpers.publication.atlas.signal import Signal
from ff_helpers.terms import Denominator, Tier


class NothingGivenError(FFError):
    """No file to count from, or files without a row of any model."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"{problem}. Name an export (EXPORT.csv or .json), a ledger (--ledger VERDICTS.jsonl) with the "
            "traces it graded (--traces TRACES.jsonl), or traces of known truth."
        )


@dataclass(frozen=True)
class Inputs:
    """Files and how to read them.

    Attributes:
        ledger: verdicts.
        traces: files of the traces; known truth in them is counted too.
        cards: folder of calibration cards; None: `cards/` in the outputs folder.
        names: what a recorded model name stands for.
        tier, denominator: of rates that are counted from verdicts.
    """

    ledger: Path | None = None
    traces: tuple[Path, ...] = ()
    cards: Path | None = None
    names: Mapping[str, str] | None = None
    tier: Tier = "strict"
    denominator: Denominator = "adversarial"


def read_signals(inputs: Inputs, *, as_of: date, exported: Sequence[Signal] = ()) -> list[Signal]:
    """Return the records of some files, after those of an export.

    Args:
        inputs: the files.
        as_of: the day to which the age of cards is counted.
        exported: records of an export, already read.

    Raises:
        NothingGivenError: no file, or no row of any model in them.
        FFError: a file is missing or malformed, by file, line and field.
    """
    signals = [*exported]
    if inputs.ledger is not None or inputs.traces:
        counts = file_counts(inputs.ledger, inputs.traces, tier=inputs.tier)
        named = inputs.ledger or inputs.traces[0]
        signals += counted_signal(
            counts,
            corpus=named.name,
            cards=saved_cards(inputs.cards, on=as_of),
            names=inputs.names,
            tier=inputs.tier,
            denominator=inputs.denominator,
        )
    if not signals:
        given = inputs.ledger or inputs.traces
        raise NothingGivenError("no row of any model in these files" if given else "nothing to count from")
    return signals
