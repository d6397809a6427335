"""The atlas page: one HTML file that shows what the signals say about each model, and how uncertain it is.

The records are in the page once, as JSON; templates/atlas/*.js, joined in their order, draw everything
from them and offer them for download. No request leaves the page, and the same input gives the same bytes.
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal

from markupsafe import Markup
from pydantic import JsonValue

from ff_helpers.corpus.canonical import MEANINGS
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.publication.atlas.metadata import ModelFacts
from ff_helpers.publication.atlas.signal import FOOTINGS, Rate, Signal
from ff_helpers.publication.atlas.trust import Trust
from ff_helpers.publication.pages import TEMPLATES, render
from ff_helpers.publication.pages import write_page as write_text
from ff_helpers.terms import GLOSSARY, INTENTS, STATUSES, TIERS

Basis = Literal["labels", "measured", "unmeasured", "marked", "rejected"]
MARK: Final = "ff_helpers atlas"
"""In every page that we write, so it is recognised before it is replaced."""
BASIS_WORDS: Final[dict[Basis, tuple[str, str, str]]] = {
    "labels": ("●", "known truth", "a checker or people decided, no grader"),
    "measured": ("◆", "measured", "every grader's accuracy is known and passes the rule"),
    "unmeasured": ("◇", "unmeasured", "named, but the accuracy of at least one is not known"),
    "marked": ("▲", "partly unknown", "an unnamed grader, a heuristic or a constant is among them"),
    "rejected": ("✕", "rejected", "a grader that failed its calibration is among them: drawn in grey"),
}
"""Each basis with its symbol, its name, and what it means."""
ORIGIN_WORDS: Final = {"export": "published export", "ledger": "graded here"}
CONFIDENCE_WORDS: Final = {
    "insufficient_sample": "insufficient sample (n < 20)",
    "low": "low (20 to 49)",
    "medium": "medium (50 to 99)",
    "high": "high (100 or more)",
}
LONGEST: Final = 120
"""Characters of a name that a table shows; the record keeps all of them."""
_NO_GRADER: Final = frozenset({"unknown", "heuristic", "constant"})


@dataclass(frozen=True)
class PageRow:
    """One model: its record, what else is known about it, and its trust; None where nothing is known."""

    signal: Signal
    facts: ModelFacts | None
    trust: Trust | None


def atlas_page(rows: Sequence[PageRow], *, profile: str, as_of: date, disclosure: str, veto: str = "") -> str:
    """Return the page as HTML text.

    Args:
        rows: one per model; the downloads keep their order.
        profile: the name of the run's profile.
        as_of: the run's date, the only date that is not from a record.
        disclosure: the disclosure of all figures, in one text.
        veto: the sentence that says when a rate caps the trust tier; empty without such a rule.
    """
    script = _script()
    return render(
        "atlas/atlas.html.j2",
        css=Markup((TEMPLATES / "atlas" / "atlas.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        data=Markup(embedded(_data(rows, profile, as_of))),
        profile=profile,
        as_of=as_of.isoformat(),
        disclosure=disclosure,
        veto=veto,
        counts=_counts(rows),
        statuses=BASIS_WORDS,
        origins=ORIGIN_WORDS,
        confidences=CONFIDENCE_WORDS,
        intents=INTENTS,
        families=sorted({_family(row) for row in rows}, key=str.lower),
        plain=[_plain(row) for row in rows],
    )


def write_page(
    path: Path, rows: Sequence[PageRow], *, profile: str, as_of: date, disclosure: str, veto: str = ""
) -> None:
    """Write the page of `atlas_page`, its folder made."""
    text = atlas_page(rows, profile=profile, as_of=as_of, disclosure=disclosure, veto=veto)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)


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


def _data(rows: Sequence[PageRow], profile: str, as_of: date) -> JsonValue:
    return {
        "profile": profile,
        "as_of": as_of.isoformat(),
        "rows": [_row(row) for row in rows],
        "words": {
            "status": {name: list(words) for name, words in BASIS_WORDS.items()},
            "origin": dict(ORIGIN_WORDS),
            "confidence": dict(CONFIDENCE_WORDS),
            "standing": {str(name): words for name, words in FOOTINGS.items()},
            "reason": dict(MEANINGS),
            "tier": {str(tier): " or ".join(verdicts) for tier, verdicts in TIERS.items()},
            "no_verdict": {status: GLOSSARY[status] for status in STATUSES},
            "intents": list(INTENTS),
        },
    }


def _row(row: PageRow) -> JsonValue:
    return {
        "signal": row.signal.model_dump(mode="json"),
        "facts": row.facts.model_dump(mode="json") if row.facts else None,
        "trust": asdict(row.trust) if row.trust else None,
        "status": row_basis(row.signal),
        "family": _family(row),
    }


def _family(row: PageRow) -> str:
    if row.facts and row.facts.family != "unknown":
        return row.facts.family
    # Of an id the part before the slash is the family; nothing is known about a name that did not resolve.
    return (row.signal.canonical_id or "unknown").split("/", maxsplit=1)[0]


def _counts(rows: Sequence[PageRow]) -> dict[str, int]:
    signals = [row.signal for row in rows]
    statuses = Counter(row_basis(signal) for signal in signals)
    return {
        "models": len(rows),
        "traces": sum(signal.n for signal in signals),
        "resolved": sum(signal.canonical_id is not None for signal in signals),
        "unresolved": sum(signal.canonical_id is None for signal in signals),
        "insufficient": sum(signal.confidence == "insufficient_sample" for signal in signals),
        "mixed": sum(signal.mixes_graders for signal in signals),
        "exported": sum(signal.origin == "export" for signal in signals),
        **{name: statuses[name] for name in BASIS_WORDS},
    }


def _plain(row: PageRow) -> dict[str, str]:
    """Return a row of the table that readers without JavaScript get."""
    signal, status = row.signal, row_basis(row.signal)
    name = signal.label if len(signal.label) <= LONGEST else signal.label[: LONGEST - 1] + "…"
    said = "no rate" if signal.asr is None else _rate(signal.asr)
    if signal.would_have_reported is not None:
        who = "a rejected grader" if status == "rejected" else "a heuristic or a constant"
        said += f"; {who} would have reported {_rate(signal.would_have_reported)}"
    words = BASIS_WORDS[status]
    return {"model": name, "asr": said, "n": str(signal.n), "status": f"{words[0]} {words[1]}"}


def _rate(rate: Rate) -> str:
    return f"{percent(rate.overall)} [{percent(rate.ci_low)}, {percent(rate.ci_high)}]"


def _script() -> str:
    """Return the parts of the script as one, in its own scope."""
    parts = sorted((TEMPLATES / "atlas").glob("*.js"))
    joined = "\n".join(part.read_text(encoding="utf-8") for part in parts)
    return f'"use strict";\n(() => {{\n{joined}}})();\n'
