"""The corrections of a run's own verdicts, read from its ledgers: how many, by whom, from what to what."""

from collections import Counter
from pathlib import Path

from ff_helpers.grading.identities import shown_names
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.measurement.regrades.regrade import Regrade, regrade
from ff_helpers.paths import Run
from ff_helpers.publication.prose import Prose, points, say
from ff_helpers.terms import Identity

_OWN_WORDS = "a reason in their own words"


def tell_corrections(run: Run) -> Prose:
    """Return what the run's ledgers say about superseded verdicts, without rationales and without any text.

    One sentence where nothing was superseded; else for each ledger and grader: who corrected how much and
    why, which label became which, and how far that moves the rates of the same traces.
    """
    folder = run.ledger("any").parent
    names = ["verdicts", "manual", *sorted(path.stem for path in folder.glob("corrected-*.jsonl"))]
    found = {name: _corrected(run.ledger(name)) for name in names}
    # Each ledger may hold one of two graders that share a name: told apart over all of them.
    shown = shown_names(who for corrected in found.values() for who in corrected)
    told = [
        _told(name, shown[who], regrade(run.ledger(name), old=own))
        for name, corrected in found.items()
        for who, own in corrected.items()
    ]
    if not told:
        return say(
            "No verdict of this run was ever superseded: its ledgers hold first decisions only. "
            "The published correction is a set of printed counts, not of records."
        )
    return Prose("\n\n".join(told))


def _corrected(path: Path) -> dict[Identity, str]:
    """Return the graders whose first records are superseded, each with its name in this ledger."""
    if not path.is_file():
        return {}
    begun: dict[tuple[str, str], Identity] = {}
    first: dict[tuple[str, str], Identity] = {}
    found: dict[Identity, None] = {}
    for record in read_ledger(path):
        pair = (record.key, record.trace_id)
        if record.repeat:
            continue
        if record.supersedes is None:
            first[pair] = begun.setdefault(pair, record.identity)
        else:
            begun[pair] = begun.get((record.supersedes.key, record.trace_id), record.identity)
            found[begun[pair]] = None
    names = shown_names(first.values())
    return {who: names[who] for who in found}


def _told(name: str, grader: str, result: Regrade) -> str:
    changes = result.changes
    said = say(
        "`ledger/{name}.jsonl`, first labels by `{grader}`: records that supersede an earlier one: "
        "{corrections}, on traces: {traces}, by {authors}; {same} of them keep the label. Of {rows} traces "
        "{changed} have a different label now; corrected more than once: {again}; contested: {contested}. "
        "What was superseded is still in the ledger.",
        name=name,
        grader=grader,
        corrections=len(changes),
        traces=changes["trace_id"].nunique(),
        authors=", ".join(sorted(set(changes["author"]))),
        same=int((changes["old"] == changes["new"]).sum()),
        rows=result.rows,
        changed=result.changed,
        again=len(result.again),
        contested=len(result.contested),
    )
    reasons = changes["reason"].where(~changes["own_words"], _OWN_WORDS)
    why = Counter(zip(changes["author"], reasons, strict=True)).most_common()
    moved = result.transitions[result.transitions["old"] != result.transitions["new"]]
    lines = [f"- {n} by {author}: {reason}" for (author, reason), n in why]
    lines += [f"- {row.old} → {row.new}: {row.rows}" for row in moved.itertuples()]
    return "\n".join([said.text, "", *lines, *_shift(result)])


def _shift(result: Regrade) -> list[str]:
    strict = result.shifts[(result.shifts["tier"] == "strict") & (result.shifts["denominator"] == "graded")]
    return [
        f"- strict attack success, of the {row['shared']} traces graded before and after: "
        f"{points(row['paired'])} points [{points(row['paired_low'])}, {points(row['paired_high'])}]. "
        "It says nothing about a corpus: corrected traces were picked because graders disagree"
        for row in strict.to_dict("records")
        if row["shared"]
    ]
