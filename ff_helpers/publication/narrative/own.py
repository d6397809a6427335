"""The correction of your own data, told: any ledger with records that supersede others, or two gradings.

What was wrong and how it was found is in the words of the person who corrects; everything else is computed,
and what the ledgers do not hold is named with the reason why it is unknown.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from ff_helpers import paths
from ff_helpers.grading.identities import shown_names
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.measurement.proportions.intervals import rate_counts, wilson
from ff_helpers.measurement.regrades.regrade import Regrade, regrade, told
from ff_helpers.paths import Run
from ff_helpers.publication.derive import disclose
from ff_helpers.publication.disclosure import Disclosure
from ff_helpers.publication.graders import labeller_notes
from ff_helpers.publication.narrative.markdown import escaped, move_table, paragraphs, rate_table, shift_table
from ff_helpers.publication.narrative.saved import save_narrative, template
from ff_helpers.publication.prose import Prose, Value, say, tell, tell_rows
from ff_helpers.terms import Identity

OWN_WORDS = "a reason in their own words"
"""Shown instead of what a person wrote while grading: such a rationale may quote the trace."""
_REASONS = 20
"""How many pairs of author and reason are listed; the rest are counted."""


def own_regrade(
    run: Run,
    ledger: str,
    *,
    by: str | None = None,
    traces: str | None = None,
    old: str | None = None,
    new: str | None = None,
) -> Regrade:
    """Return `regrade` of ledgers named as in a profile.

    Args:
        run: whose files begin with `ledger/`; any other relative path is taken from the project folder.
        ledger, by, traces, old, new: as `regrade`.

    Raises:
        FFError, FileMissingError, BadLineError: as `regrade`.
        MissingInputError: no step of this run has written such a file under `ledger/`.
    """
    result = regrade(
        _place(run, ledger),
        by=None if by is None else _place(run, by),
        traces=_place(run, traces) if traces is not None and traces.startswith("ledger/") else traces,
        old=old,
        new=new,
    )
    return told(result, labeller_notes(run, result))


def write_correction(
    run: Run,
    result: Regrade,
    *,
    name: str,
    title: str = "",
    what_was_wrong: str = "",
    how_it_was_found: str = "",
    quote_reasons: bool = False,
    figures: Mapping[str, str] | None = None,
) -> Prose:
    """Write narrative/<name>.md, .tex and .html: the correction of a ledger, every number computed.

    Args:
        run: where to write.
        result: `own_regrade()` or `regrade()`; its rates say who gave the labels.
        name: file name without suffix.
        title: in words; markup in it is shown as text, here and in the next two.
        what_was_wrong: in words; an empty text reads as not stated.
        how_it_was_found: likewise.
        quote_reasons: whether reasons that people wrote while they graded are quoted. They may hold text of
            the trace; without it they are counted.
        figures: figures of this run that the page shows: name, to what it says.

    Raises:
        MissingInputError: a figure is not there.
    """
    disclosure = disclose(run, result.rates)
    pairs = result.shifts[result.shifts["paired"].notna()]
    values: dict[str, Value] = {
        "title": escaped(title) or "Correction",
        "what_was_wrong": paragraphs(what_was_wrong) or tell("unsaid", what="What was wrong"),
        "how_it_was_found": paragraphs(how_it_was_found) or tell("unsaid", what="How it was found"),
        "rows": result.rows,
        "changed": result.changed,
        "labellers": "\n".join(_labellers(result, disclosure)),
        "table": rate_table(result.rates, result.names),
        "records": tell("two_gradings")
        if result.changes.empty
        else tell("superseded", **_superseded(result)),
        "reasons": _reasons(result, quote_reasons),
        "moves": move_table(result.transitions, result.names),
        "shifts": shift_table(result.shifts),
        "apart": int(((pairs["paired_low"] > 0) | (pairs["paired_high"] < 0)).sum()),
        "changes": len(pairs),
        "scenarios": tell("rows_alone")
        if result.scenarios is None
        else tell("rows_of_scenarios", rows=result.rows, scenarios=result.scenarios),
        "unknown": "\n".join(f"- {escaped(one)}" for one in _unknown(result)),
    }
    text = say(template("correction"), **values, **_headlines(result)).text
    return save_narrative(run, text, disclosure, name=name, figures=figures or {})


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
    said = [
        _told(name, shown[who], regrade(run.ledger(name), old=own))
        for name, corrected in found.items()
        for who, own in corrected.items()
    ]
    return Prose("\n\n".join(said) or tell("nothing_superseded"))


def _place(run: Run, name: str) -> str:
    return str(run.read(name)) if name.startswith("ledger/") else str(paths.root() / name)


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
    moved = result.transitions[result.transitions["old"] != result.transitions["new"]]
    changed = {"rows": result.rows, "changed": result.changed}
    lines = [f"- {n} by {author}: {reason}" for author, reason, n in _counted_reasons(result)]
    lines += [f"- {row.old} → {row.new}: {row.rows}" for row in moved.itertuples()]
    said = tell("superseded_by_grader", ledger=name, grader=grader, **changed, **_superseded(result))
    of = result.shifts.query("tier == 'strict' and denominator == 'graded' and shared > 0")
    return "\n".join([said, "", *lines, *tell_rows("superseded_shift", of)])


def _headlines(result: Regrade) -> dict[str, Value]:
    table = result.rates[result.rates["denominator"] == "graded"].set_index(["labels", "tier"])
    found: dict[str, Value] = {}
    for side, name in zip(("old", "new"), result.names, strict=True):
        for tier in ("strict", "broad"):
            k, n = int(table["k"][name, tier]), int(table["n"][name, tier])
            found[f"{side}_{tier}"] = rate_counts(wilson(k, n)) if n else None
    return found


def _labellers(result: Regrade, disclosure: Disclosure) -> Iterator[str]:
    notes = disclosure.graders if isinstance(disclosure.graders, tuple) else ()
    names = shown_names(one.who for one in result.graders)
    for one in result.graders:
        known = [note.measured() for note in notes if note.grader == names[one.who]]
        said = escaped(", and ".join(known) or "accuracy not disclosed here")
        yield f"- {escaped(one.labels)}: {escaped(names[one.who])}, labels: {one.rows}; {said}."


def _superseded(result: Regrade) -> dict[str, Value]:
    changes = result.changes
    return {
        "n": len(changes),
        "traces": int(changes["trace_id"].nunique()),
        "authors": escaped(", ".join(sorted(set(changes["author"])))),
        "same": int((changes["old"] == changes["new"]).sum()),
        "again": len(result.again),
        "contested": len(result.contested),
    }


def _counted_reasons(result: Regrade, *, quote: bool = False) -> list[tuple[str, str, int]]:
    """Return author, reason and how many records have them, most frequent first."""
    changes = result.changes
    reasons = changes["reason"] if quote else changes["reason"].where(~changes["own_words"], OWN_WORDS)
    counted = Counter(zip(changes["author"], reasons, strict=True)).most_common()
    return [(author, reason, n) for (author, reason), n in counted]


def _reasons(result: Regrade, quote: bool) -> str:
    if result.changes.empty:
        return ""
    counted = _counted_reasons(result, quote=quote)
    lines = [f"- {escaped(author)}, records: {n}. {escaped(why)}" for author, why, n in counted[:_REASONS]]
    rest = sum(n for _, _, n in counted[_REASONS:])
    if rest:
        lines.append(f"- For other reasons, records: {rest}.")
    return "Who corrected, and why:\n\n" + "\n".join(lines)


def _unknown(result: Regrade) -> Iterator[str]:
    yield tell("unknown_right")
    if not result.changes.empty:
        yield tell("unknown_unchecked", n=result.rows - int(result.changes["trace_id"].nunique()))
    if result.scenarios is None:
        yield tell("unknown_scenarios")
    if result.contested:
        yield tell("unknown_contested", n=len(result.contested))
    left = result.rates.query("denominator == 'graded' and tier == 'strict' and left_out > 0")
    yield from tell_rows("unknown_left_out", left)
    yield tell("unknown_contaminated")
