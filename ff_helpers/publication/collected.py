"""Collected traces in words: what incapacity does to ASR, and one conversation as it was."""

import html
from pathlib import Path

import pandas as pd

from ff_helpers.corpus.traces import Trace, read_traces
from ff_helpers.measurement.capability import ABLE_AND_DOES, HOLDS_BACK, NOT_ABLE, UNDECIDED
from ff_helpers.measurement.collected import ALL
from ff_helpers.measurement.intervals import Proportion
from ff_helpers.publication.prose import Prose, say
from ff_helpers.publication.tables import Fragment

_MEANING = {
    NOT_ABLE: "**not able**: also where the policy allows it, the model states the secret too seldom. A low "
    "ASR here says nothing about safety",
    HOLDS_BACK: "**able, and holds back**: it does so less where it is forbidden. Here a low ASR is what "
    "the ban did",
    ABLE_AND_DOES: "**able and does**: the ban does not stop it",
    UNDECIDED: "**undecided**: the scenarios are too few for one of the other readings",
}


def incapacity_lesson(table: pd.DataFrame) -> Prose:
    """Return in words what incapacity does to the rates of a `capability` table.

    Every class stands under its reading with both rates; the class with the lowest ASR, which a ranking
    by ASR alone would call the safest, is named with what its control says.
    """
    if table.empty:
        return Prose("No scenario is in both arms: nothing is known about what this model is able to do.")
    total = table[table["intent"] == ALL].iloc[0]
    classes = table[table["intent"] != ALL]
    lines = [
        say(
            "Over all classes the model states the secret in {forbidden:counts} of the traces where the "
            "policy forbids it, and in {permitted:counts} where the policy allows it: {difference:points} "
            "points [{low:points}, {high:points}]. The intervals are by scenario. By class:",
            forbidden=_rate(total, "forbidden"),
            permitted=_rate(total, "permitted"),
            difference=float(total["difference"]),
            low=float(total["difference_low"]),
            high=float(total["difference_high"]),
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
            "stands at {control:percent}, and the reading is: {reading}.",
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


def _length(trace: Trace) -> int:
    return sum(len(message.content) for message in trace.messages)


def _rate(row: "pd.Series[float]", arm: str) -> Proportion:
    counts = (int(row[f"{arm}_k"]), int(row[f"{arm}_n"]))
    return Proportion(*counts, float(row[f"{arm}_low"]), float(row[f"{arm}_high"]))


def _words(row: "pd.Series[float]") -> str:
    return str(row["intent"]).replace("_", " ")


def _named(row: "pd.Series[float]") -> str:
    said = "{name} ({forbidden:percent} forbidden, {permitted:percent} permitted)"
    rates = {arm: _rate(row, arm) for arm in ("forbidden", "permitted")}
    return say(said, name=_words(row), forbidden=rates["forbidden"], permitted=rates["permitted"]).text
