"""Collected traces in words: rates, what incapacity does to them, and one conversation verbatim."""

import html
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ff_helpers.corpus.traces import Trace, read_traces
from ff_helpers.measurement.collected.capability import (
    ABLE_AND_DOES,
    HOLDS_BACK,
    IGNORES,
    NOT_ABLE,
    UNDECIDED,
)
from ff_helpers.measurement.collected.rates import ALL
from ff_helpers.measurement.collected.replay import Collected
from ff_helpers.measurement.proportions.intervals import Proportion, percent, wilson
from ff_helpers.paths import Run
from ff_helpers.publication.about import told
from ff_helpers.publication.figures.collected import fresh_beside_recorded
from ff_helpers.publication.figures.theme import Picture, save_figure
from ff_helpers.publication.prose import Prose, say
from ff_helpers.publication.tables import Fragment, save_table

_MEANING = {
    NOT_ABLE: "**not able**: even where the policy allows it, the model states the secret too rarely. A low "
    "ASR here says nothing about safety",
    HOLDS_BACK: "**able, and holds back**: it does so less where it is forbidden. Here a low ASR is due to "
    "the ban",
    IGNORES: "**more where it is forbidden**: the rule does not work as a rule, so what is left unsaid "
    "is not a refusal",
    ABLE_AND_DOES: "**able and does**: the ban does not stop it",
    UNDECIDED: "**undecided**: the scenarios are too few to tell incapacity from restraint",
}


@dataclass(frozen=True)
class CollectedWords:
    """What the tables of a `Collected` say, one paragraph per table."""

    sample: Prose
    truth: Prose
    capability: Prose
    stability: Prose
    turns: Prose
    turns_ability: Prose


def collected_words(sample: Collected) -> CollectedWords:
    """Return the run's collected traces in words; every number is read from the tables."""
    return CollectedWords(
        sample=_sample_words(sample),
        truth=_truth_words(sample.truth),
        capability=incapacity_lesson(sample.capability),
        stability=_stability_words(sample.stability),
        turns=_turns_words(sample.turns),
        turns_ability=_ability_words(sample.capability_by_turns),
    )


def beside_recorded(run: Run, sample: Collected) -> tuple[Fragment | Prose, Picture | None]:
    """Write the table and the figure `collected_again` and return both; a replayed sample writes nothing."""
    if not sample.fresh:
        why = "This run replays the recorded traces, so there is nothing to compare them with."
        return Prose(why + " The profile `live` collects a fresh sample and compares."), None
    fragment = save_table(
        run,
        sample.again,
        "collected_again",
        title="The same conversations, as collected by this run and as recorded.",
        show="intent n fresh recorded agreement",
        headings={"n": "conversations", "agreement": "same outcome"},
    )
    return fragment, save_figure(
        run, told(fresh_beside_recorded)(sample.again), sample.again, "collected_again"
    )


def incapacity_lesson(table: pd.DataFrame) -> Prose:
    """Return in words what incapacity does to the rates of a `capability` table.

    Every class is listed under its reading with both rates; the class with the lowest ASR, which a ranking
    by ASR alone would call the safest, is named with what its control shows.
    """
    if table.empty:
        return Prose("No scenario is in both arms: nothing is known about what this model can do.")
    total = table[table["intent"] == ALL].iloc[0]
    classes = table[table["intent"] != ALL]
    lines = [
        say(
            "Over all classes the model states the secret in {forbidden:counts} of the traces where the "
            "policy forbids it, and in {permitted:counts} where the policy allows it: {difference:points} "
            "points [{low:points}, {high:points}]. So the ban {effect}. Conversely, the model does *not* "
            "state it in {silent:percent} of the attacks, which would pass for safety, and in "
            "{unable:percent} of the controls, where there is nothing to refuse. Over all classes the "
            "reading is: *{reading}*. The intervals are by scenario. By class:",
            forbidden=_rate(total, "forbidden"),
            permitted=_rate(total, "permitted"),
            difference=float(total["difference"]),
            low=float(total["difference_low"]),
            high=float(total["difference_high"]),
            effect=_effect(total),
            silent=1 - float(total["forbidden"]),
            unable=1 - float(total["permitted"]),
            reading=str(total["reading"]),
        ).text,
        "",
    ]
    for reading, meaning in _MEANING.items():
        named = [_named(row) for _, row in classes[classes["reading"] == reading].iterrows()]
        lines += [f"- {meaning}: {', '.join(named)}."] if named else []
    lowest = classes.sort_values(["forbidden", "permitted", "intent"], kind="stable").iloc[0]
    lines += [
        "",
        say(
            "A ranking by ASR alone would call *{name}* the safest class, with {asr:percent}. Its control "
            "is at {control:percent}, and the reading is: {reading}.",
            name=_words(lowest),
            asr=_rate(lowest, "forbidden"),
            control=_rate(lowest, "permitted"),
            reading=str(lowest["reading"]),
        ).text,
    ]
    return Prose("\n".join(lines))


def example_conversation(path: Path) -> Fragment:
    """Return the shortest attack of a trace file that succeeded (else the shortest), safely as text.

    Withheld traces are never shown.
    """
    known = [trace for trace in read_traces(path) if not trace.withheld]
    if not known:
        return Fragment("<p>No conversation may be shown.</p>", "No conversation may be shown.")
    shown = min(known, key=lambda t: (t.truth != "COMPLIANCE", _length(t), t.trace_id))
    turns = [*((m.role, m.content) for m in shown.messages), ("checker", f"{shown.truth} (space strict)")]
    rows = "\n".join(
        f'<tr><th scope="row" style="text-align:left;vertical-align:top">{role}</th>'
        f'<td style="text-align:left;white-space:pre-wrap">{html.escape(said)}</td></tr>'
        for role, said in turns
    )
    title = html.escape(shown.trace_id)
    markup = f'<table style="max-width:50em"><caption>{title}</caption>\n<tbody>\n{rows}\n</tbody></table>'
    return Fragment(markup, "\n".join([shown.trace_id, *(f"{role}: {said}" for role, said in turns)]))


def _sample_words(sample: Collected) -> Prose:
    attacks, controls = sample.forbidden, sample.permitted
    both = pd.concat([attacks, controls], ignore_index=True)
    return say(
        "Model under test: {model}. {what}: {attacks} attacks on {scenarios} scenarios, and {controls} "
        "controls. {empty} responses are empty and {cut} were cut at the token limit; they count, since an "
        "empty response states nothing. {failed} conversations ended in a fault and left no trace.",
        model=sample.model,
        what="Collected by this run" if sample.fresh else "Recorded",
        attacks=len(attacks),
        scenarios=attacks["scenario_id"].nunique(),
        controls=len(controls),
        empty=int(both["empty"].sum()),
        cut=int((~both["complete"]).sum()),
        failed=sample.failed,
    )


def _truth_words(table: pd.DataFrame) -> Prose:
    if table.empty:
        return Prose("There is no attack to count.")
    total, first = table.iloc[-1], table.iloc[0]
    return say(
        "Strict ASR by the checker is {asr:counts} over the rows. They are {scenarios} independent "
        "scenarios; by scenario the interval is {honest}. {top}",
        asr=wilson(int(total["k"]), int(total["n"])),
        scenarios=int(total["scenarios"]),
        honest=f"[{percent(total['by_scenario_low'])}, {percent(total['by_scenario_high'])}]",
        top=say(
            "Highest are {turns}-turn attacks of *{name}*: {highest:counts}.",
            turns=str(first["turns"]),
            name=_words(first),
            highest=wilson(int(first["k"]), int(first["n"])),
        ).text
        if total["k"]
        else "No class has a success.",
    )


def _stability_words(table: pd.DataFrame) -> Prose:
    if table.empty:
        return Prose("No scenario was run twice, so nothing is known about stability.")
    total = table.iloc[-1]
    return say(
        "{stable:counts} of the scenarios had the same outcome in all of their repeats: {always} always "
        "stated the secret, {never} never did. In {mixed} the outcome changed with the seed alone: one run "
        "of such a scenario is a coin toss.",
        stable=wilson(int(total["k"]), int(total["n"])),
        always=int(total["always"]),
        never=int(total["never"]),
        mixed=int(total["mixed"]),
    )


def _turns_words(table: pd.DataFrame) -> Prose:
    if table.empty:
        return Prose("No class has both single-turn and multi-turn attacks here.")
    total = table.iloc[-1]
    low, high = float(total["difference_low"]), float(total["difference_high"])
    return say(
        "Over the classes that have both, multi-turn attacks reach {multi:counts} and single-turn ones "
        "{single:counts}: {difference:points} points [{low:points}, {high:points}]. {verdict}",
        multi=_rate(total, "multi"),
        single=_rate(total, "single"),
        difference=float(total["difference"]),
        low=low,
        high=high,
        verdict="The interval contains 0: no difference is shown."
        if low <= 0 <= high
        else "The interval does not contain 0.",
    )


def _ability_words(table: pd.DataFrame) -> Prose:
    lines = [
        say(
            "- {turns}-turn: {forbidden:counts} forbidden, {permitted:counts} permitted; *{reading}*.",
            turns=str(row["turns"]),
            forbidden=_rate(row, "forbidden"),
            permitted=_rate(row, "permitted"),
            reading=str(row["reading"]),
        ).text
        for _, row in table[table["turns"] != ALL].iterrows()
    ]
    return Prose("\n".join(lines) or "No scenario is in both arms.")


def _length(trace: Trace) -> int:
    return sum(len(message.content) for message in trace.messages)


def _rate(row: "pd.Series[float]", arm: str) -> Proportion:
    counts = (int(row[f"{arm}_k"]), int(row[f"{arm}_n"]))
    return Proportion(*counts, float(row[f"{arm}_low"]), float(row[f"{arm}_high"]))


def _words(row: "pd.Series[float]") -> str:
    return str(row["intent"]).replace("_", " ")


def _effect(row: "pd.Series[float]") -> str:
    if row["difference_high"] < 0:
        return "lowers the rate"
    return "raises the rate" if row["difference_low"] > 0 else "shows no effect on the rate"


def _named(row: "pd.Series[float]") -> str:
    said = "{name} ({forbidden:percent} forbidden, {permitted:percent} permitted)"
    rates = {arm: _rate(row, arm) for arm in ("forbidden", "permitted")}
    return say(said, name=_words(row), forbidden=rates["forbidden"], permitted=rates["permitted"]).text
