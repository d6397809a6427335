"""From ledgers, traces and verdicts to signals: one record per model, resting on known truth or one grader.

A rate is never pooled over graders and never a vote. It rests on known truth (a checker, people) where the
traces have it, else on the grader whose measured accuracy has the highest lower bound; a rejected grader or
a heuristic never carries it. What each of them alone reported is given next to it.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd

from ff_helpers.corpus.canonical import Resolution, resolve
from ff_helpers.errors import FFError, quoted
from ff_helpers.grading.identities import shown_names
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.results import LABELS
from ff_helpers.measurement.standing import Standing, read_cards, saved_cards, standing
from ff_helpers.paths import Run
from ff_helpers.publication.atlas.ledger_counts import Tables, count_tables, file_counts, run_counts
from ff_helpers.publication.atlas.signal import NO_RATE, WORDS, Signal, SignalGrader, new_grader, new_signal
from ff_helpers.terms import (
    GATE_STATES,
    INTENTS,
    NOT_DETERMINABLE,
    WITHOUT_VERDICT,
    Denominator,
    Identity,
    Tier,
)

_PEOPLE: Final = "graded by people: their agreement is measured, not their accuracy"
UNDECIDED: Final = "not determinable: no grader of these rows answers in a space that decides this tier"
_FINER: Final = ("by_intent", "refusal_stability", "multi_turn", "no_verdict")


def ledger_signal(
    run: Run,
    verdicts: pd.DataFrame,
    *,
    sets: Sequence[str],
    corpus: str,
    names: Mapping[str, str] | None = None,
) -> list[Signal]:
    """Return the strict signals of a run's verdicts, under the run's calibration cards as of its date.

    Args:
        run: whose cards count.
        verdicts: the joined verdict frame (`ff.verdicts`).
        sets: from which sets.
        corpus: what these traces are called.
        names: what a recorded model name stands for, such as its name on the hub; names that no row has
            are skipped, so one list serves runs of several models.
    """
    counts = run_counts(verdicts, tier="strict", sets=sets)
    known = {name: stands for name, stands in (names or {}).items() if name in set(counts["model"])}
    return counted_signal(counts, corpus, read_cards(run), names=known)


def read_signals(
    ledger: Path | None = None,
    traces: Sequence[Path] = (),
    *,
    as_of: date,
    exported: Sequence[Signal] = (),
    cards: Path | None = None,
    names: Mapping[str, str] | None = None,
    tier: Tier = "strict",
    denominator: Denominator = "adversarial",
) -> list[Signal]:
    """Return the records of some files, after those of an export.

    Args:
        ledger: verdicts.
        traces: files of the traces; known truth in them is counted too.
        as_of: the day to which the age of cards is counted.
        exported: records of an export, already read.
        cards: folder of calibration cards; None: `cards/` in the outputs folder.
        names: what a recorded model name stands for.
        tier, denominator: of rates that are counted from verdicts.

    Raises:
        FFError: no file, or no row of any model in them; or a file is missing or malformed, by file, line
            and field.
    """
    signals, files = [*exported], [*([ledger] if ledger else []), *traces]
    if files:
        counts = file_counts(ledger, traces, tier=tier)
        known, corpus = saved_cards(cards, on=as_of), files[0].name
        signals += counted_signal(counts, corpus, known, names=names, tier=tier, denominator=denominator)
    if not signals:
        raise nothing_given("no row of any model in these files" if files else "nothing to count from")
    return signals


def nothing_given(problem: str) -> FFError:
    """Return the error of no file to count from, or of files without a row of any model."""
    return FFError(
        f"{problem}. Name an export (EXPORT.csv or .json), a ledger (--ledger VERDICTS.jsonl) with the "
        "traces it graded (--traces TRACES.jsonl), or traces of known truth."
    )


def counted_signal(
    counts: pd.DataFrame,
    corpus: str,
    cards: Sequence[Card],
    *,
    names: Mapping[str, str] | None = None,
    tier: Tier = "strict",
    denominator: Denominator = "adversarial",
) -> list[Signal]:
    """Return one record per model from the counts of its verdicts, highest rate first.

    Args:
        counts: as `run_counts` or `file_counts` returns them.
        corpus: what these traces are called.
        cards: calibration cards, as they count on the day of the signal.
        names: what a recorded model name stands for.
        tier: which verdicts are successes.
        denominator: what graders' rates are over; known truth is over all of its rows, because a truth
            coarser than the five verdicts does not say which rows are benign.

    Raises:
        FFError: `names` names a model that no row has.
    """
    models = sorted(set(counts["model"]))
    for name in names or {}:
        if name not in models:
            there = [quoted(model) for model in models[:10]] + (["..."] if len(models) > 10 else [])
            raise FFError(f"no row has the model {quoted(name)}. There are: {', '.join(there) or 'none'}.")
    found = {name: resolve((names or {}).get(name, name)) for name in models}
    labels = {name: resolution.canonical_id or name for name, resolution in found.items()}
    counts = counts.assign(label=counts["model"].map(labels))
    tables = count_tables(counts, tier=tier, denominator=denominator)
    whos = shown_names(who for groups in tables.groups.values() for _, who in groups)
    graders = {who: _signal_grader(who, name, cards, tier) for who, name in whos.items()}
    signals = []
    for label in dict.fromkeys(labels.values()):
        own = [name for name in models if labels[name] == label]
        resolutions = [found[name] for name in own]
        aliases = sorted({*own, *(resolution.name for resolution in resolutions)})
        alone = {
            group: graders[who].model_copy(update=_reported(group, tables, tier))
            for group, who in tables.groups[label]
        }
        signals.append(_signal(resolutions, aliases, alone, tables, corpus))
    return sorted(signals, key=lambda s: (-((s.asr and s.asr.overall) or 0.0), -s.n, s.label))


def _signal(
    resolutions: Sequence[Resolution],
    aliases: Sequence[str],
    graders: Mapping[int, SignalGrader],
    tables: Tables,
    corpus: str,
) -> Signal:
    order = sorted(graders, key=lambda group: _weight(graders[group]), reverse=True)
    able = [group for group in order if group not in tables.undecided]
    head = next((group for group in able if graders[group].carries), None)
    order = able + [group for group in order if group in tables.undecided]
    none = NO_RATE if able else UNDECIDED
    shown = tuple(graders[group].model_copy(update={"headline": group == head}) for group in order)
    rate = shown[0].reported if head is not None else None
    days = [tables.days[group] for group in graders if group in tables.days]
    finer = dict.fromkeys(_FINER, none) if head is None else _finer(head, tables)
    return new_signal(
        resolutions,
        shown,
        aliases=tuple(aliases),
        origin="ledger",
        corpus=corpus,
        asr=rate or none,
        would_have_reported=None if rate else shown[0].reported,
        last_graded=date.fromisoformat(max(days)) if days else "no row says when it was graded",
        **finer,
    )


def _reported(group: int, tables: Tables, tier: Tier) -> dict[str, object]:
    """Return what a grader alone reported, or that its labels do not decide the tier."""
    if group not in tables.undecided:
        return {"reported": tables.rates[group, ""]}
    space = tables.undecided[group]
    return {"why": f"{NOT_DETERMINABLE}: it answers in the space {space}, which does not decide {tier}"}


def _finer(head: int, tables: Tables) -> dict[str, object]:
    """Return what is known about the rows of the grader that carries the rate, or why it is not."""
    by_intent = {intent: tables.by_intent.get((head, intent)) for intent in INTENTS}
    single, multi = (tables.turns.get((head, turns), 0) for turns in ("single", "multi"))
    n = single + multi
    statuses = {status: tables.statuses.get((head, status), 0) for status in WITHOUT_VERDICT}
    return {
        "by_intent": by_intent if any(by_intent.values()) else "no row says its attack class",
        "refusal_stability": tables.stability[head],
        "multi_turn": {"share": round(multi / n, 6), "n": n} if n else "no row says its number of turns",
        "no_verdict": {status: rows for status, rows in statuses.items() if rows},
    }


def _signal_grader(who: Identity, name: str, cards: Sequence[Card], tier: Tier) -> SignalGrader:
    """Return a grader of a ledger under the cards that decide the tier; of several, the one that decides.

    Args:
        who: the grader; `results.LABELS` as its method: known truth.
        name: what to call it.
        cards: calibration cards of any grader, as they count on the day of the signal.
        tier: which cards count: those in a space that decides it.
    """
    if who.method == LABELS:
        why = WORDS.standing["labels"]
        return new_grader("known truth", None, None, gate="uncalibrated", standing="labels", why=why)
    # Of people agreement is measured, and no card counts.
    found = standing(who, () if who.method == "manual" else cards, tier=tier)
    kind = "rejected" if found.state == "rejected" else "measured" if found.card else "unmeasured"
    return new_grader(
        name,
        found.card.accuracy if found.card else None,
        f"{found.card.calibration_set} (space {found.card.space})" if found.card else None,
        digest=who.digest,
        gate=found.state,
        standing="heuristic" if who.method == "heuristic" else kind,
        why=_PEOPLE if who.method == "manual" else _why(found),
    )


def _weight(grader: SignalGrader) -> tuple[object, ...]:
    """Return the sort key of graders: may carry a rate, known truth, has verdicts, gate, accuracy, rows."""
    n = grader.reported.n if grader.reported else 0
    return (
        grader.carries,
        grader.standing == "labels",
        n > 0 and grader.standing != "heuristic",
        GATE_STATES.index(grader.gate),
        grader.ci_low if grader.ci_low is not None else -1.0,
        n,
        grader.grader,
    )


def _why(found: Standing) -> str:
    if found.card is None:
        return (
            "its card has expired"
            if found.expired
            else "never measured: it has no card that decides this tier"
        )
    cards = len(found.cards)
    more = f"; {cards - 1} more cards of it decide this tier" if cards > 1 else ""
    return f"{found.card.sentence()}; {found.card.gate.reasons[0]}{more}"
