"""A campaign: trace sets, a sample of each, several graders, one ledger."""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest

import pandas as pd

from ff_helpers import paths
from ff_helpers.chat.progress import Progress
from ff_helpers.columns import dtypes
from ff_helpers.corpus.readers import load_set
from ff_helpers.corpus.traces import Trace, stratified
from ff_helpers.errors import FFError, quoted
from ff_helpers.grading import budget
from ff_helpers.grading.admission import Admit, nobody, refuse_control
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.graders.recorded import Recorded
from ff_helpers.grading.identities import identities, told_apart
from ff_helpers.grading.ledger import Ledger, verdict_frame
from ff_helpers.grading.outcome import Grader, record_key
from ff_helpers.grading.rubric import Rubric, load_rubric
from ff_helpers.grading.stream import grade_all
from ff_helpers.paths import LEFT
from ff_helpers.terms import IDENTITY, IDENTITY_COLUMNS, LABELS, ROW_FAULTS, STATUSES, VERDICTS


def grade(
    run: paths.Run,
    trace_sets: Mapping[str, str],
    graders: Sequence[str],
    *,
    rubric: str = "flip-reference",
    sample: Mapping[str, int] | None = None,
    repeat_rows: int = 0,
    seed: int = 0,
    minutes: float | None = None,
    admit: Admit = nobody,
) -> pd.DataFrame:
    """Grade a sample of each trace set with each grader, as `measurement.standing.grade` says.

    Args:
        run, trace_sets, graders, rubric, sample, repeat_rows, seed, minutes: see there.
        admit: decides which graders may grade traces without truth; by default none.
    """
    budget.check(minutes)
    sets = _sample(run, trace_sets, sample or {}, seed)
    traces = [trace for rows in sets.values() for trace in rows]
    unknown = {
        name: {one.model for one in rows if one.truth is None and one.fault is None}
        for name, rows in sets.items()
    }
    models = {name: some for name, some in unknown.items() if some}
    again = list(islice(_in_turn(sets), repeat_rows))
    ahead = traces if minutes is None else budget.order(sets, seed=seed)
    identities: list[dict[str, object]] = []
    with Ledger(run.ledger("verdicts")) as ledger:
        for spec in graders:
            grader = open_grader(_place(run, spec), rubric=rubric)
            if models:
                told = admit(grader.setup, spec, models)
                if told:
                    Progress(spec, len(traces)).note(f"warning: {told}")
            if minutes is None:
                _grade_sets(grader, sets, again, ledger)
            else:
                ahead = _grade_within(grader, minutes, ahead, repeat_rows, ledger)
            identities.append(_identity_row(spec, grader, load_rubric(rubric)))
    if minutes is not None:
        sets = budget.drawn(sets, ahead)
        _need_rows(sets, minutes)
        _save(run, LEFT, pd.DataFrame(_left(traces, ahead), columns=["reached", "rows"]))
    _save(run, "ledger/traces.csv", _index(sets))
    _save(run, "ledger/graders.csv", pd.DataFrame(identities))
    return verdict_counts(verdicts(run))


def verdicts(run: paths.Run) -> pd.DataFrame:
    """Return the verdicts of the run's campaign, joined with the index of its traces.

    One row per trace, grader and repeat: the columns of `ledger.verdict_frame`, then set, scenario_id,
    run, model, intent, source, turns (single, multi), difficulty, truth, truth_space, sampling (kind),
    probability, withheld. Records of other samples, graders or rubrics in the same ledger are left out.

    Raises:
        MissingInputError: nothing has been graded yet.
    """
    index = pd.read_csv(run.read("ledger/traces.csv"), dtype=dtypes("traces"))
    known = graders(run)
    frame = verdict_frame(run.ledger("verdicts"))
    frame = frame.merge(known[list(IDENTITY)].drop_duplicates(), on=list(IDENTITY), how="inner")
    frame = frame.merge(index, on="trace_id", how="inner", validate="many_to_one")
    order = {trace_id: place for place, trace_id in enumerate(index["trace_id"])}
    places = {who: place for place, who in enumerate(identities(known))}
    named, who = told_apart(frame)
    place = named["grader"].map({name: places[one] for name, one in who.items()})
    frame = frame.assign(_g=place, _t=frame["trace_id"].map(order))
    frame = frame.sort_values(["_g", "repeat", "_t"], kind="stable")
    return frame.drop(columns=["_g", "_t"]).reset_index(drop=True)


def graders(run: paths.Run) -> pd.DataFrame:
    """Return the graders of the run's campaign: grader, grader_digest, rubric, temperature, seed, num_ctx,
    spec, method, software, developed (bool: its rubric was chosen on the development split).

    Raises:
        MissingInputError: nothing has been graded yet.
    """
    return pd.read_csv(run.read("ledger/graders.csv"), dtype=dtypes("graders"))


def verdict_counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Count verdicts and statuses of the first pass: set, grader, rubric, n, five labels, the statuses.

    A label of another label space and a status of a row have a column where they occur, after these. A label
    is not told apart by its space there: COMPLIANCE of a yes/no judge is in the column COMPLIANCE.
    """
    frame, _ = told_apart(frame)
    first = frame[frame["repeat"] == 0]
    label = first["verdict"].fillna(first["status"])
    keys = ["set", "grader", "rubric"]
    counts = pd.crosstab([first[key] for key in keys], label)
    more = [name for name in (*LABELS, *ROW_FAULTS) if name in counts.columns and name not in VERDICTS]
    counts = counts.reindex(columns=[*VERDICTS, *STATUSES, *more], fill_value=0)
    counts.columns.name = None
    counts.insert(0, "n", counts.sum(axis=1))
    # crosstab sorts by name; the campaign's own order reads better
    return first[keys].drop_duplicates().merge(counts.reset_index(), on=keys, validate="one_to_one")


def _sample(
    run: paths.Run, trace_sets: Mapping[str, str], sample: Mapping[str, int], seed: int
) -> dict[str, list[Trace]]:
    for name, rows in sample.items():
        if name not in trace_sets or rows < 0:
            raise FFError(
                f"sample: {name!r}: {rows} cannot be drawn. Allowed: 0 (all rows) or more, for the sets "
                f"{', '.join(trace_sets)}. `sample: {{}}` takes all rows of all sets."
            )
    sets: dict[str, list[Trace]] = {}
    owner: dict[str, str] = {}
    for name, spec in trace_sets.items():
        where = str(run.read(spec)) if spec.startswith("ledger/") else spec
        sets[name] = stratified(load_set(where), sample.get(name, 0), seed=seed, name=name)
        for trace in sets[name]:
            refuse_control(trace, name)
            other = owner.setdefault(trace.trace_id, name)
            if other != name:
                who = quoted(trace.trace_id)
                raise FFError(f"trace_id {who} is in set {other!r} and in {name!r}; ids must be unique.")
    return sets


def _place(run: paths.Run, spec: str) -> str:
    """Return a grader with the place of a recording that this run has (`recorded:ledger/...`)."""
    kind, _, name = spec.partition(":")
    is_own = kind == "recorded" and name.startswith("ledger/")
    return f"recorded:{run.read(name)}" if is_own else spec


def _index(sets: Mapping[str, Sequence[Trace]]) -> pd.DataFrame:
    """Return the index of the traces: everything but their text."""
    types = dtypes("traces")
    rows = [
        t.model_dump(include=types.keys() - {"sampling"})
        | {"set": name, "turns": t.turns}
        | {"sampling": t.sampling and t.sampling.kind, "probability": t.sampling and t.sampling.probability}
        for name, traces in sets.items()
        for t in traces
    ]
    frame = pd.DataFrame(rows, columns=list(types)).astype(types)
    return frame.assign(probability=frame["probability"].round(6))


def _save(run: paths.Run, name: str, frame: pd.DataFrame) -> None:
    try:
        frame.to_csv(run.write(name), index=False, lineterminator="\n")
    except OSError as error:
        raise paths.UnwritableError(run.folder / name, error) from None


def _identity_row(spec: str, grader: Grader, rubric: Rubric) -> dict[str, object]:
    setup = grader.setup
    developed = rubric.developed and setup.identity.rubric == rubric.id
    row: dict[str, object] = {c: getattr(setup.identity, part) for part, c in IDENTITY_COLUMNS.items()}
    row = {column: row[column] for column in IDENTITY}
    more = {"num_ctx": setup.num_ctx, "spec": spec, "method": setup.identity.method}
    return row | more | {"software": setup.software, "developed": developed}


def _in_turn(sets: Mapping[str, Sequence[Trace]]) -> Iterator[Trace]:
    """Yield the traces, one of each set in turn, without those that attack the grader: no card uses them."""
    for trace in chain.from_iterable(zip_longest(*sets.values())):
        if trace is not None and not (trace.sampling and trace.sampling.kind == "injected"):
            yield trace


def _grade_sets(
    grader: Grader, sets: Mapping[str, Sequence[Trace]], again: Sequence[Trace], ledger: Ledger
) -> None:
    """Grade all sets, then some rows once more.

    A recording leaves out sets of which it has nothing and attacks newer than itself, and repeats what it
    repeated.
    """
    kept, repeated = [trace for rows in sets.values() for trace in rows], again if grader.is_model else ()
    if isinstance(grader, Recorded):
        known = [trace for rows in sets.values() if grader.knows(rows) for trace in rows]
        kept = grader.replayed(known) or kept
        repeated = [trace for trace in repeated if grader.has(trace, 1)]
    grader.fit(kept)
    _grade_missing(grader, [(trace, 0) for trace in kept] + [(trace, 1) for trace in repeated], ledger)


def _grade_within(
    grader: Grader, minutes: float, ahead: Sequence[Trace], repeat_rows: int, ledger: Ledger
) -> list[Trace]:
    """Grade for so many minutes; return the rows that were reached, all of them without a limit (0)."""
    grader.fit(ahead)
    passes = list(budget.passes(ahead, repeat_rows if grader.is_model else 0))
    _grade_missing(grader, passes, ledger, time.monotonic() + 60 * minutes if minutes else None)
    who = grader.setup.identity
    done = {t.trace_id for t in ahead if (record_key(who, t, 0), t.trace_id) in ledger.done}
    return budget.reached(ahead, done) if minutes else list(ahead)


def _grade_missing(
    grader: Grader, passes: Sequence[tuple[Trace, int]], ledger: Ledger, deadline: float | None = None
) -> None:
    """Grade what the ledger does not have yet, up to a time of the monotonic clock."""
    who = grader.setup.identity
    todo = [
        (t, repeat) for t, repeat in passes if (record_key(who, t, repeat), t.trace_id) not in ledger.done
    ]
    work = iter(todo) if deadline is None else budget.until(iter(todo), deadline)
    local = grader.setup.is_local
    progress = Progress(f"grading with {who.name}", len(todo), until=deadline, local=local)
    grade_all(grader, work, ledger, progress)


def _need_rows(sets: Mapping[str, Sequence[Trace]], minutes: float) -> None:
    empty = [name for name, traces in sets.items() if not traces]
    if empty:
        raise FFError(
            f"minutes = {minutes:g}: over before {', '.join(empty)} had a graded row. Run it again (what was "
            "graded is kept), or give it more minutes."
        )


def _left(traces: Sequence[Trace], reached: Sequence[Trace]) -> list[tuple[int, int]]:
    """Return how far a budget came, as the one row of `ledger/left.csv`; no row if nothing is left."""
    return [(len(reached), len(traces))] if len(reached) < len(traces) else []
