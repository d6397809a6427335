"""From records to what people read: trust for each record, the page, and the disclosure of it all."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd

from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.measurement.results import stated
from ff_helpers.paths import Run
from ff_helpers.publication.atlas.files import POINTER, SCHEMA_NAME, check_ours
from ff_helpers.publication.atlas.frames import signal_terms
from ff_helpers.publication.atlas.metadata import ModelFacts, model_facts
from ff_helpers.publication.atlas.page import MARK, PageRow, write_page
from ff_helpers.publication.atlas.signal import Signal, SignalGrader, named_apart
from ff_helpers.publication.atlas.trust import Trust, TrustRules, read_trust, trust

PAGE: Final = "index.html"
_VERSIONED: Final = '"signal_version"'
"""A key in every JSON file that an export writes, and in no one else's."""


def check_places(folder: Path, compat: Path | None = None) -> None:
    """Refuse, before anything is written, to replace a file that no export wrote.

    Raises:
        NotOurFileError: the folder holds a foreign file named like one of an export, or `compat` is one.
    """
    for name, mark in ((PAGE, MARK), (POINTER, "asr_signal_"), (SCHEMA_NAME, _VERSIONED)):
        check_ours(folder / name, mark, "--dir")
    if compat is not None:
        check_ours(compat, _VERSIONED, "--compat")


def page_rows(signals: Sequence[Signal], facts: dict[str, ModelFacts], rules: TrustRules) -> list[PageRow]:
    """Return each record with the facts of its model and its trust."""
    return [PageRow(s, facts.get(s.label), trust(s, facts.get(s.label), rules)) for s in signals]


def save_page(run: Run, signals: Sequence[Signal], *, beside_veto: str = "") -> str:
    """Write atlas/index.html of a run and return its name in the run's folder.

    Args:
        run: where to write.
        signals: the records.
        beside_veto: a sentence after the count of models that the veto caps.
    """
    name = f"atlas/{PAGE}"
    publish_page(run.write(name), signals, profile=run.profile, as_of=run.as_of, beside_veto=beside_veto)
    return name


def publish_page(
    path: Path,
    signals: Sequence[Signal],
    *,
    profile: str,
    as_of: date,
    facts: Path | None = None,
    beside_veto: str = "",
) -> None:
    """Write the page of some records, with the shipped metadata and rules of trust.

    Args:
        path: where to write.
        signals: the records.
        profile: what the page is called.
        as_of: its date.
        facts: another file of model metadata.
        beside_veto: see `save_page`.
    """
    rules, signals = read_trust(), named_apart(signals)
    rows = page_rows(signals, model_facts(facts), rules)
    write_page(
        path,
        rows,
        profile=profile,
        as_of=as_of,
        disclosure=signals_disclosure(signals, as_of=as_of),
        veto=" ".join(filter(None, (veto_words(rows, rules), beside_veto))),
    )


def trust_table(signals: Sequence[Signal]) -> pd.DataFrame:
    """Return the trust of each model, by the shipped metadata and rules.

    Columns: model, origin, trust_tier (missing where what is not assessed leaves it open), possible (the
    tiers between which it lies), score_low, score_high (in [0, 1]), vetoed (bool), one column per signal
    (its value in [0, 1], missing where not assessed), reason.
    """
    rules = read_trust()
    rows = [
        _trust_row(row.signal, row.trust) for row in page_rows(signals, model_facts(), rules) if row.trust
    ]
    terms = replace(signal_terms(signals, together=True), counts="n of each model in its record")
    return stated(pd.DataFrame(rows), terms)


def veto_words(rows: Sequence[PageRow], rules: TrustRules) -> str:
    """Return how many models the veto caps."""
    vetoed = sum(row.trust is not None and row.trust.vetoed for row in rows)
    band = rules.veto.confidence.replace("_", " ")
    able = sum(row.signal.confidence == rules.veto.confidence for row in rows)
    return (
        f"Veto: an ASR above {percent(rules.veto.asr_above)}% at {band} confidence caps the tier at "
        f"{rules.tiers[-1].name}. It caps {vetoed} of the {able} models with {band} confidence here."
    )


def signals_disclosure(signals: Sequence[Signal], *, as_of: date) -> str:
    """Return in running text who graded, how accurate each was measured to be, and the rates' terms."""
    graders: dict[tuple[str, str | None], SignalGrader] = {}
    for signal in named_apart(signals):
        for grader in signal.graders:
            graders.setdefault((grader.grader, grader.digest), grader)
    told = [_grader_words(graders[key]) for key in sorted(graders, key=str)]
    rates = [rate for s in signals for rate in (s.asr or s.would_have_reported,) if rate]
    of = ", ".join(sorted({rate.denominator for rate in rates})) or "none"
    tiers = ", ".join(sorted({rate.tier for rate in rates})) or "none"
    left = sum(sum((s.no_verdict or {}).values()) for s in signals)
    untold = sum(s.no_verdict is None for s in signals)
    return (
        f"Graders: {'. '.join(told) or 'none named'}. Tier: {tiers}. Denominators: {of}, in each row. "
        f"Counts: k and n of each row, intervals Wilson 95%. Left out: {left} rows without a verdict; of "
        f"{untold} models it is not published how many. Rows of several graders cannot be taken apart. "
        f"As of {as_of}."
    )


def _grader_words(grader: SignalGrader) -> str:
    digest = grader.digest.removeprefix("sha256:")[:12] if grader.digest else "not known"
    if grader.accuracy is None:
        return f"{grader.grader} (digest {digest}): {grader.why}; {grader.gate}"
    rate = f"{percent(grader.accuracy)}% [{percent(grader.ci_low)}, {percent(grader.ci_high)}]"
    on = f"on {grader.n} of {grader.calibration_set}"
    return f"{grader.grader} (digest {digest}): accuracy {rate} {on}; {grader.standing}, {grader.gate}"


def _trust_row(signal: Signal, found: Trust) -> dict[str, object]:
    low, high = found.between
    return {
        "model": signal.label,
        "origin": signal.origin,
        "trust_tier": found.tier,
        "possible": low if low == high else f"{low} to {high}",
        "score_low": found.low,
        "score_high": found.high,
        "vetoed": found.vetoed,
        **{assessed.name: assessed.value for assessed in found.signals},
        "reason": found.reason,
    }
