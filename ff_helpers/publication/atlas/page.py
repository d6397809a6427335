"""The atlas page: one HTML file of what signals say about each model, how uncertain it is, and who graded.

The records are in the page once, as JSON; templates/atlas/*.js, joined in their order, draw everything
from them and offer them for download. No request leaves the page, and the same input gives the same bytes.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Final

from markupsafe import Markup
from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from ff_helpers.corpus.canonical import MEANINGS
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.publication.atlas.frames import graders_of
from ff_helpers.publication.atlas.signal import WORDS, Basis, Signal, SignalGrader, named_apart
from ff_helpers.publication.atlas.trust import ModelFacts, Trust, TrustRules, model_facts, read_trust, trust
from ff_helpers.publication.pages import render, write_page
from ff_helpers.publication.prose import tell
from ff_helpers.terms import GLOSSARY, INTENTS, ROW_FAULTS, STATUSES, TIERS, short

LONGEST: Final = 120
"""Characters of a name that a table shows; the record keeps all of them."""
_NO_GRADER: Final = frozenset({"unknown", "heuristic", "constant"})


@dataclass(frozen=True)
class PageRow:
    """One model: its record, what else is known about it, and its trust; None where nothing is known."""

    signal: Signal
    facts: ModelFacts | None
    trust: Trust | None


def publish_page(
    path: Path, signals: Sequence[Signal], *, profile: str, as_of: date, beside_veto: str = ""
) -> None:
    """Write the page of some records, with the shipped metadata and rules of trust.

    Args:
        path: where to write.
        signals: the records.
        profile: what the page is called.
        as_of: its date.
        beside_veto: a sentence after the count of models that the veto caps.
    """
    rules, known, signals = read_trust(), model_facts(), named_apart(signals)
    rows = [PageRow(s, known.get(s.label), trust(s, known.get(s.label), rules)) for s in signals]
    veto = " ".join(filter(None, (_veto_words(rows, rules), beside_veto)))
    disclosure = _disclosure(signals, as_of)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_page(path, atlas_page(rows, profile=profile, as_of=as_of, disclosure=disclosure, veto=veto))


def atlas_page(rows: Sequence[PageRow], *, profile: str, as_of: date, disclosure: str, veto: str = "") -> str:
    """Return the page as HTML text.

    Args:
        rows: one per model; the downloads keep their order.
        profile: the name of the run's profile.
        as_of: the run's date, the only date that is not from a record.
        disclosure: the disclosure of all figures, in one text.
        veto: the sentence that says when a rate caps the trust tier; empty without such a rule.
    """
    return render(
        "atlas/atlas.html.j2",
        data=Markup(embedded(_data(rows, profile, as_of))),
        profile=profile,
        as_of=as_of.isoformat(),
        disclosure=disclosure,
        veto=veto,
        signals=[row.signal for row in rows],
        rests_on=Counter(row_basis(row.signal) for row in rows),
        statuses=WORDS.status,
        origins=WORDS.origin,
        confidences=WORDS.confidence,
        intents=INTENTS,
        families=sorted(sorted({_family(row) for row in rows}), key=str.lower),
        rests=row_basis,
        longest=LONGEST,
        percent=percent,
    )


def row_basis(signal: Signal) -> Basis:
    """Return what a row's rate rests on: the worst footing among its headline graders.

    A row without a rate because its graders were rejected is `rejected` too; one without a named grader
    is `marked`.
    """
    standings = {grader.standing for grader in signal.graders if grader.headline}
    if not standings and signal.asr is None:
        named = {grader.standing for grader in signal.graders}
        return "rejected" if "rejected" in named else "marked"
    if "rejected" in standings:
        return "rejected"
    if not standings or standings & _NO_GRADER:
        return "marked"
    if "unmeasured" in standings:
        return "unmeasured"
    return "measured" if "measured" in standings else "labels"


def embedded(data: JsonValue) -> str:
    """Return data as JSON for a script element: ASCII, and no character in it that could end the element."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _veto_words(rows: Sequence[PageRow], rules: TrustRules) -> str:
    """Return how many models the veto caps."""
    band, bottom = rules.veto.confidence, rules.tiers[-1].name
    vetoed = sum(row.trust is not None and row.trust.vetoed for row in rows)
    able = sum(row.signal.confidence == band for row in rows)
    return tell("atlas_veto", above=rules.veto.asr_above, band=band, bottom=bottom, vetoed=vetoed, able=able)


def _disclosure(signals: Sequence[Signal], as_of: date) -> str:
    """Return in running text who graded, how accurate each was measured to be, and the rates' terms."""
    told = [_grader_words(grader) for grader in graders_of(signals)]
    rates = [rate for s in signals for rate in (s.asr or s.would_have_reported,) if rate]
    of = ", ".join(sorted({rate.denominator for rate in rates})) or "none"
    tiers = ", ".join(sorted({rate.tier for rate in rates})) or "none"
    left = sum(sum((s.no_verdict or {}).values()) for s in signals)
    untold = sum(s.no_verdict is None for s in signals)
    graders, day = ". ".join(told) or "none named", str(as_of)
    return tell("atlas_disclosure", graders=graders, tiers=tiers, of=of, left=left, untold=untold, as_of=day)


def _grader_words(grader: SignalGrader) -> str:
    digest = short(grader.digest) if grader.digest else "not known"
    if grader.accuracy is None:
        return f"{grader.grader} (digest {digest}): {grader.why}; {grader.gate}"
    rate = f"{percent(grader.accuracy)}% [{percent(grader.ci_low)}, {percent(grader.ci_high)}]"
    on = f"on {grader.n} of {grader.calibration_set}"
    return f"{grader.grader} (digest {digest}): accuracy {rate} {on}; {grader.standing}, {grader.gate}"


def _data(rows: Sequence[PageRow], profile: str, as_of: date) -> JsonValue:
    failed = [fault for fault in ROW_FAULTS if any(fault in (row.signal.no_verdict or {}) for row in rows)]
    return {
        "profile": profile,
        "as_of": as_of.isoformat(),
        "rows": [
            to_jsonable_python(row) | {"status": row_basis(row.signal), "family": _family(row)}
            for row in rows
        ],
        "words": {
            **asdict(WORDS),
            "reason": dict(MEANINGS),
            "tier": {str(tier): " or ".join(verdicts) for tier, verdicts in TIERS.items()},
            "no_verdict": {status: GLOSSARY[status] for status in (*STATUSES, *failed)},
            "intents": list(INTENTS),
        },
    }


def _family(row: PageRow) -> str:
    if row.facts and row.facts.family != "unknown":
        return row.facts.family
    # Of an id the part before the slash is the family; nothing is known about a name that did not resolve.
    return (row.signal.canonical_id or "unknown").split("/", maxsplit=1)[0]
