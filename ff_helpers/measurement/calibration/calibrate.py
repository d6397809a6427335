"""Calibration: a grader's verdicts against known truth, on one set, in the space of that truth.

A row without a verdict is wrong: a grader that cannot answer has not graded. A row that nobody can grade,
because the target failed, never enters, and is counted. Rows picked by judgement (a review queue) and
responses that attack the grader never enter either: they are no sample, and the latter give the flip rate.

Outside a profile (`calibrate_files`) one grader is calibrated on labelled trace files. Its verdicts go to a
ledger next to the cards: an interrupted calibration resumes, and every card can be traced back.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, count
from pathlib import Path

import pandas as pd

from ff_helpers.chat.progress import Progress
from ff_helpers.columns import declared
from ff_helpers.corpus.readers import load_set
from ff_helpers.corpus.split import Split, in_split
from ff_helpers.corpus.traces import Trace, stratified
from ff_helpers.errors import FFError, named
from ff_helpers.grading.campaign import graders, verdicts
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.graders.recorded import Recorded
from ff_helpers.grading.identities import identities, identity_hash, identity_of, records, told_apart
from ff_helpers.grading.ledger import Ledger, read_ledger, verdict_frame
from ff_helpers.grading.outcome import record_key
from ff_helpers.grading.rubric import load_rubric
from ff_helpers.grading.stream import grade_all
from ff_helpers.measurement.calibration.beside import retest, sampling, seconds, turned
from ff_helpers.measurement.calibration.cards import (
    Card,
    ClassRates,
    file_names,
    save_card,
    tables_by_model,
    write_card,
)
from ff_helpers.measurement.calibration.confusion import cohen_kappa, confusion, p_chance
from ff_helpers.measurement.calibration.confusion import p_majority as beats_majority
from ff_helpers.measurement.calibration.gate import DEFAULT, MAX_AGE_DAYS, Thresholds, decide
from ff_helpers.measurement.calibration.robustness import flip_rate, natural
from ff_helpers.measurement.proportions.intervals import wilson
from ff_helpers.measurement.spaces import into, space_of, truth_space_of
from ff_helpers.paths import Run
from ff_helpers.terms import (
    IDENTITY,
    NOT_RECORDED,
    ROW_FAULTS,
    SPACES,
    TIER_SPACES,
    Identity,
    Space,
    Unknown,
    classes,
    shared_space,
)

CALIBRATING = ("census", "random", "constructed")
"""Kinds of sampling whose rows may enter a card."""
OURS = "ff-helpers/"
"""How the source of a proxy trace begins: written, or collected from a model on our scenarios."""


def calibrate_all(run: Run, *, thresholds: Thresholds = DEFAULT) -> list[Card]:
    """Make and save the card of every grader of the run, on each set, in the space of its truth.

    Writes cards/<grader>_<set>_<space>.json and removes cards of an earlier calibration. A card whose
    verdicts are older than its age limit is `uncalibrated`, with that reason.

    Raises:
        FFError: no graded trace has a truth.
    """
    frame = verdicts(run)
    corpus = natural(frame)
    known = corpus[corpus["truth"].notna()]
    if known.empty:
        raise FFError(
            f"profile {run.profile}: no graded trace has a truth label (responses that attack the grader do "
            "not count), so no grader can be calibrated. Add a trace set with truth, truth_space and "
            "sampling to the profile's `trace_sets`."
        )
    forget_cards(run)
    listed = graders(run)
    software = {identity_of(row): str(row["software"]) for row in records(listed)}
    developed = {identity_of(row) for row in records(listed) if row.get("developed")}
    apart, who = told_apart(frame)
    own = {one: frame[apart["grader"] == name] for name, one in who.items()}
    cards: list[Card] = []
    for _, rows in known.groupby([*IDENTITY, "set", "truth_space"], dropna=False, sort=False):
        (grader,), first = identities(rows), rows.iloc[0]
        space = shared_space(space_of(rows), first["truth_space"])
        if space is None:  # a judge of refusals is not measured by labels of compliance
            continue
        card = calibrate(
            rows,
            space=space,
            calibration_set=first["set"],
            as_of=run.as_of,
            software=software.get(grader, NOT_RECORDED),
            corpus=_answers_for(corpus, first["set"], space),
            attacked=own[grader],
            split="held-out" if grader in developed else "all",
            developed=grader in developed,
            thresholds=thresholds,
        ).as_of(run.as_of)
        cards.append(card)
    for card, name in zip(cards, file_names(cards), strict=True):
        save_card(run, card, name=name)
    return cards


def forget_cards(run: Run) -> None:
    """Remove the cards of an earlier calibration of this run."""
    for old in run.write("cards/x.json").parent.glob("*.json"):
        old.unlink()


def _answers_for(corpus: pd.DataFrame, name: str, space: Space) -> pd.DataFrame:
    """Return the rows that a card answers for: of its own set, and those whose labels decide fewer tiers.

    A rate on a set with labels of its own is backed by the card of that set; every other rate needs this one.
    """
    asked = [spaces for spaces in TIER_SPACES.values() if space in spaces]
    enough = [other for other in SPACES if all(other in spaces for spaces in asked)]
    labelled = corpus["truth"].notna() & corpus["truth_space"].isin(enough)
    return corpus[(corpus["set"] == name) | ~labelled]


def calibrate(
    rows: pd.DataFrame,
    *,
    space: Space,
    calibration_set: str,
    as_of: date,
    software: str = NOT_RECORDED,
    corpus: pd.DataFrame | None = None,
    attacked: pd.DataFrame | None = None,
    split: Split = "all",
    developed: bool = False,
    thresholds: Thresholds = DEFAULT,
) -> Card:
    """Return the card of one grader identity on one set.

    Args:
        rows: its joined verdict frame on that set (see `grading.campaign.verdicts`; the column `started` may
            be absent); repeat 0 makes the card, all repeats the test-retest figure.
        space: the label space of the card: that of the truth, or that of the judge where it is coarser
            (`terms.shared_space`). Truths and verdicts are projected onto it.
        calibration_set: the set's name.
        as_of: the run's date.
        software: what the grader ran on.
        corpus: the traces that the grader is to grade (intent, turns); the gate asks whether the set
            covers their intent classes and turn modes.
        attacked: the same grader's rows on the injection suite; None: the flip rate is not measured.
        split: which rows enter (`corpus.split`).
        developed: its rubric was chosen on the development split: with rows of it, provisional at best.
        thresholds: the gate's.
    """
    rows = rows[[in_split(trace_id, split) for trace_id in rows["trace_id"]]]
    failed = rows["status"].isin(ROW_FAULTS) & rows["truth"].notna()
    lost = rows.loc[failed & (rows["repeat"] == 0), "status"].value_counts().sort_index()
    rows = rows[~failed]
    entered = rows[rows["sampling"].isin(CALIBRATING) & rows["truth"].notna()]
    first = entered[entered["repeat"] == 0].sort_values("trace_id", kind="stable")
    own = space_of(rows)
    lines = "\n".join(f"{i}\t{t}" for i, t in zip(first["trace_id"], first["truth"], strict=True))
    first = first.assign(truth=into(first["truth"], truth_space_of(first, space), space))
    said = into(first["verdict"], own, space)
    matrix = confusion(list(first["truth"]), list(said), classes(space))
    kappa = cohen_kappa(matrix)
    given = first["verdict"].dropna().value_counts().sort_index().sort_values(ascending=False, kind="stable")
    flips = None if attacked is None else flip_rate(attacked)
    who = identities(rows)[0]
    return Card(
        grader=who.name,
        digest=who.digest or NOT_RECORDED,
        rubric=who.rubric or NOT_RECORDED,
        temperature=who.temperature,
        seed=who.seed,
        software=software,
        calibration_set=calibration_set,
        calibration_sha256=hashlib.sha256(lines.encode()).hexdigest(),
        space=space,
        n=matrix.n,
        k=matrix.k,
        accuracy=matrix.accuracy,
        confusion=matrix,
        by_class=tuple(
            ClassRates(name=name, recall=matrix.recall(i), precision=matrix.precision(i))
            for i, name in enumerate(matrix.classes)
        ),
        by_model=tables_by_model(first, list(said), classes(space)),
        kappa=kappa or Unknown("value", "not defined: no rows"),
        majority_class=matrix.classes[matrix.majority],
        majority=matrix.baseline,
        chance=1 / len(matrix.classes),
        p_chance=p_chance(matrix),
        p_majority=beats_majority(matrix),
        benign_false_positives=turned(first, own, space, "BENIGN_QUERY", ("COMPLIANCE", "PARTIAL")),
        refusal_to_compliance=turned(first, own, space, "REFUSAL", ("COMPLIANCE",)),
        compliance_to_refusal=turned(first, own, space, "COMPLIANCE", ("REFUSAL",)),
        modal_verdict=str(given.index[0]) if len(given) else Unknown("value", "no verdict at all"),
        modal_share=wilson(int(given.iloc[0]) if len(given) else 0, int(given.sum())),
        valid=wilson(int(first["verdict"].notna().sum()), len(first)),
        statuses={str(s): int(c) for s, c in first["status"].value_counts().sort_index().items()},
        test_retest=retest(entered),
        passes=int(entered["repeat"].nunique()),
        injection_flip_rate=flips or Unknown("value", "no responses that attack the grader were graded"),
        seconds_a_trace=seconds(first["duration_s"].mean()),
        median_seconds=seconds(first["duration_s"].median()),
        sampling=sampling(first),
        left_out=int(((rows["repeat"] == 0) & rows["truth"].notna()).sum()) - len(first),
        failed={str(status): int(n) for status, n in lost.items()},
        split=split,
        date=_measured(entered, as_of, thresholds.max_age_days),
        gate=decide(
            matrix,
            proxy=len(first) > 0
            and bool(((first["sampling"] == "constructed") | first["source"].str.startswith(OURS)).all()),
            missing=_missing(first, corpus),
            chose=split == "development" or (developed and split == "all"),
            thresholds=thresholds,
            flips=flips,
        ),
    )


def _measured(rows: pd.DataFrame, as_of: date, limit: int) -> date:
    """Return the date of the card, see `Card`; within the limit the run's own, to be reproducible."""
    if "started" not in rows:
        return as_of
    oldest = pd.to_datetime(rows["started"], format="ISO8601", utc=True, errors="coerce").min()
    return oldest.date() if not pd.isna(oldest) and (as_of - oldest.date()).days > limit else as_of


def _missing(rows: pd.DataFrame, corpus: pd.DataFrame | None) -> tuple[str, ...] | None:
    if corpus is None:
        return None
    wanted = [set(corpus[column].dropna()) - set(rows[column].dropna()) for column in ("intent", "turns")]
    return tuple(str(value) for lacking in wanted for value in sorted(lacking))


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
    split: Split | None = None,
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
        split: which rows are graded and make the card; None: those held out, if the rubric was chosen on the
            development split, else all.
        concurrency: requests in flight at one server.
        timeout: seconds that one request may take.

    Raises:
        FFError: a set has no row with a truth that calibrates; a set or the grader is missing, malformed or
            changed; the ledger cannot be written.
    """
    developed = load_rubric(rubric).developed
    split = split or ("held-out" if developed else "all")
    sets = {name: _labelled(name, where, limit, split) for name, where in trace_sets.items()}
    traces = [trace for rows in sets.values() for trace in rows]
    grader = open_grader(spec, rubric=rubric, concurrency=concurrency, timeout=timeout)
    suite = [] if attacks is None else load_set(attacks)
    suite = grader.replayed(suite) if isinstance(grader, Recorded) else suite
    grader.fit([*traces, *suite])
    who = grader.setup.identity
    ledger = folder / "ledger" / f"{_name(who)}.jsonl"
    if not spec.startswith("recorded:"):  # a recording repeats its verdicts
        _set_aside(ledger, date.today())
    passes = range(repeats if grader.is_model else 1)
    wanted = [(t, r) for r in passes for t in traces] + [(t, 0) for t in suite]
    if isinstance(grader, Recorded):
        again = [(t, 1) for t in traces if grader.has(t, 1)]
        wanted, passes = wanted + again, range(max(len(passes), 1 + bool(again)))
    with Ledger(ledger) as open_ledger:
        # Two sets may hold the same trace: it is graded once.
        work = {(record_key(who, t, r), t.trace_id): (t, r) for t, r in wanted}
        todo = [pair for key, pair in work.items() if key not in open_ledger.done]
        grade_all(
            grader,
            todo,
            open_ledger,
            Progress(f"calibrating {who.name}", len(todo), local=grader.setup.is_local),
        )
    frame = verdict_frame(ledger)
    attacked = _joined(frame, "attacks", suite, who, range(1)) if suite else None
    written = []
    for name, rows in sets.items():
        for _, group in _joined(frame, name, rows, who, passes).groupby("truth_space", sort=True):
            space = shared_space(space_of(group), group["truth_space"].iloc[0])
            if space is None:
                continue
            card = calibrate(
                group,
                space=space,
                calibration_set=name,
                as_of=date.today(),
                software=grader.setup.software,
                attacked=attacked,
                split=split,
                developed=developed,
            ).as_of(date.today())
            path = write_card(folder / f"{card.slug}_{_version(who)}.json", card)
            written.append((path, card))
    if not written:
        raise FFError(
            f"grader {named(who.name)} answers in the label space {space_of(frame)}, and no labels of these "
            "traces are in a space that measures it. Name traces with labels in its space, or in `five`."
        )
    return Calibration(tuple(written), ledger)


def _labelled(name: str, spec: str, limit: int, split: Split) -> list[Trace]:
    """Return the rows of a set that may enter a card; without `sampling`, a file counts as a census."""
    found = [t for t in load_set(spec) if t.truth is not None and t.arm != "permitted"]
    found = [t for t in found if in_split(t.trace_id, split)]
    kept = [t for t in found if t.sampling is None or t.sampling.kind in CALIBRATING]
    if not kept:
        raise FFError(
            f"{spec}: no trace in it can calibrate a grader. A card needs rows with `truth` and "
            "`truth_space`; controls, rows picked by judgement and attacks on the grader never enter "
            f"(`sampling.kind` must be one of {', '.join(CALIBRATING)}, or absent). Name other traces, or "
            "no traces to use those that ship."
        )
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
    index = declared("traces", [trace.about(name) for trace in traces])
    return graded.merge(index, on="trace_id", validate="many_to_one")


def _version(who: Identity) -> str:
    """Return rubric and a hash of the identity, which tells two models or rubrics of one name apart."""
    return f"{_plain((who.rubric or '').partition('@')[0])}_{identity_hash(who)}"


def _name(who: Identity) -> str:
    return f"{_plain(who.name.lower())}_{_version(who)}"


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in ".-" else "-" for c in name)
