"""The correction narrative of your own data: any ledger with records that supersede others, or two gradings.

What was wrong and how it was found is in the words of the person who corrects; everything else is computed,
and what the ledgers do not hold is a typed unknown.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from ff_helpers import paths
from ff_helpers.grading.identities import shown_names
from ff_helpers.measurement.calibration.tables import grader_note
from ff_helpers.measurement.grader_note import GraderNote
from ff_helpers.measurement.proportions.intervals import wilson
from ff_helpers.measurement.regrades.regrade import Regrade, regrade, told
from ff_helpers.measurement.standing import run_cards, standing
from ff_helpers.paths import Run
from ff_helpers.publication.derive import disclose
from ff_helpers.publication.disclosure import Disclosure
from ff_helpers.publication.narrative.markdown import escaped, paragraphs
from ff_helpers.publication.narrative.saved import save_narrative, template
from ff_helpers.publication.narrative.shown import move_table, rate_table, shift_table
from ff_helpers.publication.prose import Prose, Value, say
from ff_helpers.terms import NOT_RECORDED, Identity, Unknown

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
        NoRegradeError, FileMissingError, BadLineError: as `regrade`.
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


def labeller_notes(run: Run, result: Regrade) -> tuple[GraderNote, ...]:
    """Return who gave the labels as a reader must know them: by the run's cards, else never measured."""
    cards, notes = run_cards(run), []
    for who, name in shown_names(one.who for one in result.graders).items():
        known = standing(who, cards)
        found = [grader_note(card, name) for card in (*known.cards, *known.expired)]
        notes += found or [_unmeasured(who, name)]
    return tuple(notes)


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
        title, what_was_wrong, how_it_was_found: in words; markup in them is shown as text. An
            empty one reads as not stated.
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
        "what_was_wrong": paragraphs(what_was_wrong) or _unsaid("what was wrong"),
        "how_it_was_found": paragraphs(how_it_was_found) or _unsaid("how it was found"),
        "rows": result.rows,
        "changed": result.changed,
        "labellers": "\n".join(_labellers(result, disclosure)),
        "table": rate_table(result.rates, result.names),
        "records": _records(result),
        "reasons": _reasons(result, quote_reasons),
        "moves": move_table(result.transitions, result.names),
        "shifts": shift_table(result.shifts),
        "apart": int(((pairs["paired_low"] > 0) | (pairs["paired_high"] < 0)).sum()),
        "changes": len(pairs),
        "scenarios": _scenarios(result),
        "unknown": "\n".join(f"- {escaped(_sentence(one))}" for one in _unknown(result)),
    }
    text = say(template("correction"), **values, **_headlines(result)).text
    return save_narrative(run, text, disclosure, name=name, figures=figures or {})


def _place(run: Run, name: str) -> str:
    return str(run.read(name)) if name.startswith("ledger/") else str(paths.root() / name)


def _unmeasured(who: Identity, name: str) -> GraderNote:
    person = who.method == "manual"
    why = "never measured (a person)" if person else "never measured in this run"
    digest = (who.digest or NOT_RECORDED).removeprefix("sha256:")
    return GraderNote(
        grader=name,
        digest=Unknown("digest", "a person") if person else digest,
        rubric=who.rubric or NOT_RECORDED,
        accuracy=Unknown("accuracy", why),
        calibration_set=Unknown("calibration set", "none"),
        space=Unknown("space", "none"),
        gate="uncalibrated",
    )


def _headlines(result: Regrade) -> dict[str, Value]:
    table = result.rates[result.rates["denominator"] == "graded"].set_index(["labels", "tier"])
    found: dict[str, Value] = {}
    for side, name in zip(("old", "new"), result.names, strict=True):
        for tier in ("strict", "broad"):
            k, n = int(table["k"][name, tier]), int(table["n"][name, tier])
            found[f"{side}_{tier}"] = say("{rate:counts}", rate=wilson(k, n)).text if n else None
    return found


def _labellers(result: Regrade, disclosure: Disclosure) -> Iterator[str]:
    notes = disclosure.graders if isinstance(disclosure.graders, tuple) else ()
    names = shown_names(one.who for one in result.graders)
    for one in result.graders:
        known = [note.measured() for note in notes if note.grader == names[one.who]]
        yield say(
            "- {side}: {grader}, labels: {rows}; {known}.",
            side=escaped(one.labels),
            grader=escaped(names[one.who]),
            rows=one.rows,
            known=escaped(", and ".join(known) or "accuracy not disclosed here"),
        ).text


def _records(result: Regrade) -> str:
    changes = result.changes
    if changes.empty:
        return (
            "No record names another: these are two gradings of the same traces, and no reasons were given."
        )
    return say(
        "Records that supersede an earlier one: {n}, on traces: {traces}, by {authors}. Of these {same} keep "
        "the label. Traces corrected more than once: {again}; contested: {contested}. Nothing was "
        "overwritten: what was superseded is still in the ledger.",
        n=len(changes),
        traces=int(changes["trace_id"].nunique()),
        authors=escaped(", ".join(sorted(set(changes["author"])))),
        same=int((changes["old"] == changes["new"]).sum()),
        again=len(result.again),
        contested=len(result.contested),
    ).text


def _reasons(result: Regrade, quote: bool) -> str:
    changes = result.changes
    if changes.empty:
        return ""
    reasons = changes["reason"] if quote else changes["reason"].where(~changes["own_words"], OWN_WORDS)
    counted = Counter(zip(changes["author"], reasons, strict=True)).most_common()
    lines = [f"- {escaped(author)}, records: {n}. {escaped(why)}" for (author, why), n in counted[:_REASONS]]
    rest = sum(n for _, n in counted[_REASONS:])
    if rest:
        lines.append(say("- For other reasons, records: {rest}.", rest=rest).text)
    return "Who corrected, and why:\n\n" + "\n".join(lines)


def _unknown(result: Regrade) -> Iterator[Unknown]:
    yield Unknown(
        "whether the new labels are right",
        "a regrade measures how far labels moved, not whether they are right",
    )
    if not result.changes.empty:
        stayed = result.rows - int(result.changes["trace_id"].nunique())
        why = "not determinable: the ledger records corrections, not what was checked and kept"
        yield Unknown(f"whether the {stayed} uncorrected traces were checked", why)
    if result.scenarios is None:
        yield Unknown("intervals by scenario", "not determinable: no scenario ids; name the traces")
    if result.contested:
        why = "current records disagree; these traces keep their old label, since a vote is not truth"
        yield Unknown(f"the label of {len(result.contested)} contested traces", why)
    left = result.rates.query("denominator == 'graded' and tier == 'strict' and left_out > 0")
    for row in left.to_dict("records"):
        yield Unknown(
            f"what {row['labels']} labels miss", f"rows without a verdict: {row['left_out_labels']}"
        )
    why = "not determinable: which rates elsewhere rest on the first labels is not in a ledger"
    yield Unknown("what else was contaminated", why)


def _unsaid(what: str) -> str:
    return _sentence(Unknown(what, "not stated by the people who corrected"))


def _sentence(one: Unknown) -> str:
    said = str(one)
    return f"{said[0].upper()}{said[1:]}."


def _scenarios(result: Regrade) -> str:
    if result.scenarios is None:
        return "These intervals take the rows as independent."
    return say(
        "The {rows} traces are {scenarios} independent scenarios. The last column takes that into account; "
        "the other intervals take the rows as independent.",
        rows=result.rows,
        scenarios=result.scenarios,
    ).text
