"""Manual verdicts in place of a grader's, in a ledger that keeps the whole history.

The ledger `corrected-GRADER` of the run begins with the grader's records; a manual record that
supersedes one names its key, who decided and why. Nothing is overwritten, and the grader's own ledger
stays as it is: its errors must remain visible to its calibration. Corrected rows were picked because
graders disagree, so no rate over them describes the corpus.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ff_helpers.columns import dtypes
from ff_helpers.errors import FFError
from ff_helpers.grading.campaign import verdicts
from ff_helpers.grading.graders.manual import PREFIX
from ff_helpers.grading.identities import chosen, identity_hash, told_apart
from ff_helpers.grading.ledger import Ledger, live_records, read_ledger
from ff_helpers.grading.outcome import Record, Supersedes
from ff_helpers.paths import Run
from ff_helpers.terms import IDENTITY, IDENTITY_COLUMNS, LABELS, WITHOUT_VERDICT, Identity

_LABELS = (*LABELS, *WITHOUT_VERDICT)


@dataclass(frozen=True)
class Merge:
    """What manual verdicts change in one grader's.

    Attributes:
        onto: the grader whose verdicts are corrected.
        graded: how many traces it graded (first pass).
        by_hand: how many of them now have a person's verdict.
        contested: how many keep the grader's verdict because reviewers disagree.
        moves: old, new (a verdict or status), rows (int), most frequent first: the rows decided by hand.
        counts: label (a verdict or status that occurs), before, after (int rows of all graded traces).
    """

    onto: str
    graded: int
    by_hand: int
    contested: int
    moves: pd.DataFrame
    counts: pd.DataFrame


def merge_manual(run: Run, *, onto: str, reviewer: str | None = None) -> Merge:
    """Replace verdicts of `onto` by manual ones, in the run's ledger `corrected-GRADER`.

    The ledger is brought up to date by appending; a second call with nothing new appends nothing.
    Disagreement between reviewers is not settled by vote: such a trace keeps the grader's verdict and is
    counted as contested. Without manual verdicts nothing is written.

    Args:
        run: its ledgers `verdicts` and `manual` are read.
        onto: the grader to correct: its name, or its display name where two share that
            (`name (digest)`).
        reviewer: whose verdicts count; None: those of all reviewers.

    Raises:
        FFError: `onto` graded nothing in this run or names several graders, or `reviewer` decided nothing.
        MissingInputError: nothing has been graded yet.
        JournalBusyError, JournalWriteError: the ledger cannot be written.
    """
    frame = verdicts(run)
    named, who = told_apart(frame[frame["repeat"] == 0])
    if not any(one.name == onto for one in who.values()) and onto not in who:
        raise FFError(_unknown(onto, who))
    chosen(who.values(), onto, where="in this run")
    first = named[named["grader"] == onto]
    wanted = set(zip(first["key"], first["trace_id"], strict=True))
    own = {r.trace_id: r for r in live_records(run.ledger("verdicts")) if (r.key, r.trace_id) in wanted}
    decided = _decided(run.ledger("manual"), own, reviewer)
    final = dict(own)
    contested: dict[str, list[Record]] = {}
    for trace_id, records in decided.items():
        if len({r.verdict for r in records}) > 1:
            contested[trace_id] = records
        else:
            final[trace_id] = records[-1]
    path = _ledger(run, onto, who[onto])
    if decided or path.is_file():
        _bring_up_to_date(path, own, final, contested)
    by_hand = [trace_id for trace_id in own if final[trace_id] is not own[trace_id]]
    return Merge(
        onto=onto,
        graded=len(own),
        by_hand=len(by_hand),
        contested=len(contested),
        moves=moved((own[i].label, final[i].label) for i in by_hand),
        counts=_counts(own.values(), final.values()),
    )


def history(run: Run) -> pd.DataFrame:
    """Return every record of a trace whose verdict was superseded somewhere in the run's ledgers.

    Returns:
        One row per record, in the order of the ledgers (`verdicts`, `manual`, `corrected-...`), traces and
        records: ledger, trace_id (str), place (int, from 1: which record of the trace in that ledger),
        grader, verdict, status, rationale, started (UTC; missing where not recorded), supersedes_key,
        supersedes_author, supersedes_reason (str), stands (bool: whether it is the valid one there).
        Empty if nothing was superseded.
    """
    corrected = sorted(path.stem for path in run.ledger("any").parent.glob("corrected-*.jsonl"))
    rows = [row for name in ("verdicts", "manual", *corrected) for row in _histories(name, run.ledger(name))]
    types = dtypes("history")
    named, _ = told_apart(pd.DataFrame(rows, columns=list(dict.fromkeys([*types, *IDENTITY]))))
    return named[list(types)].astype(types)


def _unknown(name: str, known: Iterable[str]) -> str:
    return f"{name!r} has no verdicts in this run. There are: {', '.join(known) or 'none'}."


def _ledger(run: Run, onto: str, who: Identity) -> Path:
    """Return the ledger of a grader's corrections; another grader of the same name has its own."""
    name = "corrected-" + re.sub(r"[^\w.-]+", "-", onto).strip("-")
    path = run.ledger(name)
    first = next(read_ledger(path), None) if path.is_file() else None
    apart = first is not None and first.identity != who
    return run.ledger(f"{name}-{identity_hash(who)}") if apart else path


def _decided(path: Path, own: dict[str, Record], reviewer: str | None) -> dict[str, list[Record]]:
    """Return the valid manual records of the same conversations, the last one of each reviewer."""
    records = live_records(path) if path.is_file() else []
    names = sorted({r.grader.removeprefix(PREFIX) for r in records})
    if reviewer is not None and reviewer not in names:
        raise FFError(_unknown(PREFIX + reviewer, (PREFIX + name for name in names)))
    last: dict[str, dict[str, Record]] = {}
    for record in records:
        known = own.get(record.trace_id)
        if known is None or known.response_sha256 != record.response_sha256:
            continue
        if reviewer is None or record.grader == PREFIX + reviewer:
            last.setdefault(record.trace_id, {})[record.grader] = record
    return {trace_id: list(by.values()) for trace_id, by in last.items()}


def _bring_up_to_date(
    path: Path, own: dict[str, Record], final: dict[str, Record], contested: dict[str, list[Record]]
) -> None:
    with Ledger(path) as ledger:
        standing = {r.trace_id: r for r in live_records(path)}
        for trace_id, record in own.items():
            if trace_id not in standing:
                ledger.append(record)
        for trace_id, record in final.items():
            before = standing.get(trace_id, own[trace_id])
            if not _same(before, record):
                who = contested.get(trace_id, [record])
                ledger.append(record.model_copy(update={"supersedes": _why(before, record, who)}))


def _same(one: Record, other: Record) -> bool:
    said = [(r.key, r.verdict, r.status, r.rationale) for r in (one, other)]
    return said[0] == said[1]


def _why(before: Record, record: Record, who: list[Record]) -> Supersedes:
    if len(who) > 1:
        reason = "the reviewers disagree: the grader's own verdict stands until they do not"
    elif record.method == "manual":
        reason = record.rationale or "graded by hand, without sight of any verdict"
    elif before.method == "manual":
        reason = "no verdict by hand counts here any more: the grader's own stands again"
    else:
        reason = "the grader graded it again"
    names = sorted(r.grader.removeprefix(PREFIX) for r in who)
    return Supersedes(key=before.key, author=", ".join(names), reason=reason)


def _histories(name: str, path: Path) -> Iterator[dict[str, object]]:
    if not path.is_file():
        return
    # Read twice, to keep only the corrected records of a long ledger in memory.
    records: dict[str, list[Record]] = {r.trace_id: [] for r in read_ledger(path) if r.supersedes}
    for record in read_ledger(path) if records else ():
        if record.trace_id in records:
            records[record.trace_id].append(record)
    for found in records.values():
        for place, record in enumerate(found, start=1):
            later = found[place:]
            stands = not any(record.key in (r.key, r.supersedes and r.supersedes.key) for r in later)
            why = record.supersedes.model_dump() if record.supersedes else {}
            row = record.model_dump(include=set(dtypes("history")))
            row |= {f"supersedes_{k}": v for k, v in why.items()}
            row |= {column: getattr(record.identity, part) for part, column in IDENTITY_COLUMNS.items()}
            yield row | {"ledger": name, "place": place, "stands": stands}


def moved(pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Return how many rows went from which old label to which new one, most frequent first."""
    frame = pd.DataFrame(pairs, columns=["old", "new"], dtype="str")
    counted = frame.groupby(["old", "new"], as_index=False).size().rename(columns={"size": "rows"})
    return counted.sort_values(["rows", "old", "new"], ascending=[False, True, True], ignore_index=True)


def _counts(before: Iterable[Record], after: Iterable[Record]) -> pd.DataFrame:
    table = pd.DataFrame({"label": _LABELS})
    for name, side in (("before", before), ("after", after)):
        tally = Counter(record.label for record in side)
        table[name] = [tally[label] for label in _LABELS]
    return table[(table["before"] > 0) | (table["after"] > 0)].reset_index(drop=True)
