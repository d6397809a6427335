"""From verdicts to signals: one record per model, its rate resting on known truth or on one grader.

A rate is never pooled over graders and never a vote. It rests on known truth (a checker, people) where the
traces have it, else on the grader whose measured accuracy has the highest lower bound; a rejected grader or
a heuristic never carries it. What each of them alone reported is given next to it.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from ff_helpers.corpus.canonical import Resolution, resolve
from ff_helpers.errors import FFError
from ff_helpers.grading.identities import shown_names
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.rates.signal_counts import run_counts
from ff_helpers.measurement.standing import read_cards
from ff_helpers.paths import Run
from ff_helpers.publication.atlas.ledger_counts import Tables, count_tables
from ff_helpers.publication.atlas.ledger_graders import carries, signal_grader, weight
from ff_helpers.publication.atlas.signal import (
    NO_RATE,
    ByIntent,
    Share,
    Signal,
    SignalGrader,
    Stability,
    confidence,
    share_with_accuracy,
)
from ff_helpers.terms import INTENTS, STATUSES, Denominator, Tier


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
    return counted_signal(counts, corpus=corpus, cards=read_cards(run), names=known)


def counted_signal(
    counts: pd.DataFrame,
    *,
    corpus: str,
    cards: Sequence[Card],
    names: Mapping[str, str] | None = None,
    tier: Tier = "strict",
    denominator: Denominator = "adversarial",
) -> list[Signal]:
    """Return one record per model from the counts of its verdicts, highest rate first.

    Args:
        counts: as `signal_counts.run_counts` or `file_counts` returns them.
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
            there = [f"{model!r:.60}" for model in models[:10]] + (["..."] if len(models) > 10 else [])
            raise FFError(f"no row has the model {name!r:.60}. There are: {', '.join(there) or 'none'}.")
    found: dict[str, list[Resolution]] = {}
    labels: dict[str, str] = {}
    for name in models:
        resolution = resolve((names or {}).get(name, name))
        labels[name] = resolution.canonical_id or name
        found.setdefault(labels[name], []).append(resolution)
    counts = counts.assign(label=counts["model"].map(labels))
    tables = count_tables(counts, tier=tier, denominator=denominator)
    whos = shown_names(who for groups in tables.groups.values() for _, who in groups)
    graders = {who: signal_grader(who, name, cards, tier) for who, name in whos.items()}
    signals = []
    for label, resolutions in found.items():
        aliases = {name for name in models if labels[name] == label} | {r.name for r in resolutions}
        alone = {
            group: graders[who].model_copy(update={"reported": tables.rates[group, ""]})
            for group, who in tables.groups[label]
        }
        signals.append(_signal(resolutions, sorted(aliases), alone, tables, corpus))
    return sorted(signals, key=lambda s: (-((s.asr and s.asr.overall) or 0.0), -s.n, s.label))


def _signal(
    resolutions: Sequence[Resolution],
    aliases: Sequence[str],
    graders: Mapping[int, SignalGrader],
    tables: Tables,
    corpus: str,
) -> Signal:
    order = sorted(graders, key=lambda group: weight(graders[group]), reverse=True)
    head = next((group for group in order if carries(graders[group])), None)
    shown = tuple(graders[group].model_copy(update={"headline": group == head}) for group in order)
    rate = shown[0].reported if head is not None else None
    days = [tables.days[group] for group in graders if group in tables.days]
    by_intent, no_intent = _by_intent(head, tables)
    stability, no_stability = _stability(head, tables)
    multi_turn, no_turns = _multi_turn(head, tables)
    return Signal(
        signal_version="0.1",
        canonical_id=resolutions[0].canonical_id,
        unresolved_reason=resolutions[0].unresolved_reason,
        aliases=tuple(aliases),
        inferred_aliases=tuple(sorted({r.name for r in resolutions if r.inferred})),
        origin="ledger",
        corpus=corpus,
        asr=rate,
        asr_reason=None if rate else NO_RATE,
        would_have_reported=None if rate else shown[0].reported,
        by_intent=by_intent,
        by_intent_reason=no_intent,
        refusal_stability=stability,
        refusal_stability_reason=no_stability,
        confidence=confidence(rate.n if rate else 0),
        multi_turn=multi_turn,
        multi_turn_reason=no_turns,
        graders=shown,
        mixes_graders=False,
        with_accuracy=share_with_accuracy(shown),
        no_verdict=None if head is None else _no_verdict(head, tables),
        no_verdict_reason=NO_RATE if head is None else None,
        last_graded=date.fromisoformat(max(days)) if days else None,
        last_graded_reason=None if days else "no row says when it was graded",
        as_of=None,
    )


def _by_intent(head: int | None, tables: Tables) -> tuple[ByIntent | None, str | None]:
    if head is None:
        return None, NO_RATE
    rates = {intent: tables.by_intent.get((head, intent)) for intent in INTENTS}
    if not any(rates.values()):
        return None, "no row says its attack class"
    return ByIntent.model_validate(rates), None


def _stability(head: int | None, tables: Tables) -> tuple[Stability | None, str | None]:
    if head is None:
        return None, NO_RATE
    found = tables.stability[head]
    return (None, found) if isinstance(found, str) else (found, None)


def _multi_turn(head: int | None, tables: Tables) -> tuple[Share | None, str | None]:
    if head is None:
        return None, NO_RATE
    single, multi = (tables.turns.get((head, turns), 0) for turns in ("single", "multi"))
    if not single + multi:
        return None, "no row says its number of turns"
    return Share(share=round(multi / (single + multi), 6), n=single + multi), None


def _no_verdict(head: int, tables: Tables) -> dict[str, int]:
    counts = {status: tables.statuses.get((head, status), 0) for status in STATUSES}
    return {status: n for status, n in counts.items() if n}
