"""Calibrate one grader on labelled trace files, outside a profile: verdicts, then one card per set and space.

The verdicts go to a ledger next to the cards, so an interrupted calibration resumes where it stopped
and every card can be traced back to the verdicts behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, count
from pathlib import Path

import pandas as pd

from ff_helpers.chat.progress import Progress
from ff_helpers.corpus.readers import load_set
from ff_helpers.corpus.traces import Trace, stratified
from ff_helpers.errors import FFError
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.identities import identity_hash
from ff_helpers.grading.ledger import Ledger, read_ledger, verdict_frame
from ff_helpers.grading.outcome import record_key
from ff_helpers.grading.pool import grade_all
from ff_helpers.measurement.calibration.calibrate import CALIBRATING, calibrate
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.calibration.gate import MAX_AGE_DAYS
from ff_helpers.terms import Identity

_OF_TRACE = ("trace_id", "scenario_id", "run", "model", "intent", "source", "truth", "truth_space")
_TEXT = [*_OF_TRACE, "turns", "sampling", "set"]


class NothingToCalibrateOnError(FFError):
    """A trace set without a row that may enter a card."""

    def __init__(self, spec: str) -> None:
        super().__init__(
            f"{spec}: no trace in it can calibrate a grader. A card needs rows with `truth` and "
            "`truth_space`; controls, rows picked by judgement and attacks on the grader never enter "
            f"(`sampling.kind` must be one of {', '.join(CALIBRATING)}, or absent). Name other traces, or "
            "no traces to use those that ship."
        )


@dataclass(frozen=True)
class Calibration:
    """What a calibration wrote.

    Attributes:
        cards: each card with the file that holds it.
        ledger: the verdicts behind them.
    """

    cards: tuple[tuple[Path, Card], ...]
    ledger: Path


def calibrate_files(
    spec: str,
    trace_sets: Mapping[str, str],
    folder: Path,
    *,
    rubric: str = "flip-reference",
    limit: int = 0,
    repeats: int = 2,
    attacks: str | None = None,
    concurrency: int = 1,
    timeout: float = 300.0,
) -> Calibration:
    """Grade labelled traces with one grader and write its card for each set and label space.

    Verdicts older than a card may be (180 days) are not used again: their ledger is renamed next to the new
    one, and everything is graded again.

    Args:
        spec: the grader, see `graders.open_grader`.
        trace_sets: name -> `pyrit:refusal`, `pyrit:objective` or a JSONL file; rows that may not enter a
            card are left out.
        folder: gets `<grader>_<set>_<space>_<rubric>_<identity>.json`, replacing the card of an earlier
            calibration on a set of that name, and `ledger/<grader>.jsonl`.
        rubric: `flip-reference` or `flip-blind`.
        limit: how many rows of each set, drawn by truth in proportion; 0: all.
        repeats: how often a model grades each row; other graders grade once.
        attacks: an injection suite, graded once for the flip rate on the cards; None: not measured.
        concurrency: requests in flight at one server.
        timeout: seconds that one request may take.

    Raises:
        NothingToCalibrateOnError: a set has no row with a truth that calibrates.
        FFError: a set or the grader is missing, malformed or changed; the ledger cannot be written.
    """
    sets = {name: _labelled(name, where, limit) for name, where in trace_sets.items()}
    suite = [] if attacks is None else load_set(attacks)
    traces = [trace for rows in sets.values() for trace in rows]
    grader = open_grader(spec, rubric=rubric, concurrency=concurrency, timeout=timeout)
    grader.fit([*traces, *suite])
    who = grader.setup.identity
    ledger = folder / "ledger" / f"{_name(who)}.jsonl"
    if not spec.startswith("recorded:"):  # a recording repeats its verdicts
        _set_aside(ledger, date.today())
    passes = range(repeats if grader.is_model else 1)
    wanted = [(t, r) for r in passes for t in traces] + [(t, 0) for t in suite]
    with Ledger(ledger) as open_ledger:
        # Two sets may hold the same trace: it is graded once.
        work = {(record_key(who, t, r), t.trace_id): (t, r) for t, r in wanted}
        todo = [pair for key, pair in work.items() if key not in open_ledger.done]
        grade_all(grader, todo, open_ledger, Progress(f"calibrating {who.name}", len(todo)))
    frame = verdict_frame(ledger)
    attacked = _joined(frame, "attacks", suite, who, range(1)) if suite else None
    written = []
    for name, rows in sets.items():
        for _, group in _joined(frame, name, rows, who, passes).groupby("truth_space", sort=True):
            card = calibrate(
                group,
                space=group["truth_space"].iloc[0],
                calibration_set=name,
                as_of=date.today(),
                software=grader.setup.software,
                attacked=attacked,
            ).as_of(date.today())
            path = _save(folder / f"{card.slug}_{_version(who)}.json", card)
            written.append((path, card))
    return Calibration(tuple(written), ledger)


def _labelled(name: str, spec: str, limit: int) -> list[Trace]:
    """Return the rows of a set that may enter a card; without `sampling`, a file counts as a census."""
    found = [t for t in load_set(spec) if t.truth is not None and t.arm != "permitted"]
    kept = [t for t in found if t.sampling is None or t.sampling.kind in CALIBRATING]
    if not kept:
        raise NothingToCalibrateOnError(spec)
    return stratified(kept, limit, seed=0, name=name)


def _set_aside(ledger: Path, today: date) -> None:
    """Rename a ledger whose first verdict is too old for a card, so a new calibration grades again."""
    first = next(read_ledger(ledger), None) if ledger.exists() else None
    if first is None or first.started is None:
        return
    began = date.fromisoformat(first.started[:10])
    if today - began > timedelta(days=MAX_AGE_DAYS):
        endings = chain([""], (f"_{number}" for number in count(2)))
        places = (ledger.with_name(f"{ledger.stem}_from_{began}{ending}.jsonl") for ending in endings)
        ledger.rename(next(place for place in places if not place.exists()))


def _joined(
    frame: pd.DataFrame, name: str, traces: Sequence[Trace], who: Identity, passes: range
) -> pd.DataFrame:
    """Return the verdicts of one set in these passes, with what `calibrate` asks of its traces."""
    keys = {(record_key(who, t, r), t.trace_id) for t in traces for r in passes}
    graded = frame[[pair in keys for pair in zip(frame["key"], frame["trace_id"], strict=True)]]
    rows = [
        t.model_dump(include=set(_OF_TRACE))
        | {"turns": t.turns, "set": name}
        | {"sampling": t.sampling and t.sampling.kind, "probability": t.sampling and t.sampling.probability}
        for t in traces
    ]
    types = dict.fromkeys(_TEXT, "str") | {"probability": "float64"}
    index = pd.DataFrame(rows, columns=list(types)).astype(types)
    return graded.merge(index, on="trace_id", validate="many_to_one")


def _save(path: Path, card: Card) -> Path:
    """Write a card in one step, so an interrupt leaves the old one or the new one."""
    beside = path.with_suffix(".tmp")
    beside.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return beside.replace(path)


def _version(who: Identity) -> str:
    """Return rubric and a hash of the identity, which tells two models or rubrics of one name apart."""
    return f"{(who.rubric or '').partition('@')[0]}_{identity_hash(who)}"


def _name(who: Identity) -> str:
    plain = "".join(c if c.isalnum() or c in ".-" else "-" for c in who.name.lower())
    return f"{plain}_{_version(who)}"
