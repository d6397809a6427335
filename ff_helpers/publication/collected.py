"""Collected traces in words: rates, what incapacity does to them, and one conversation verbatim."""

import html
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ff_helpers.corpus.traces import read_traces
from ff_helpers.measurement.collected import rates
from ff_helpers.measurement.collected.replay import Collected
from ff_helpers.measurement.proportions.intervals import Proportion
from ff_helpers.paths import Run
from ff_helpers.publication.figures.collected import fresh_beside_recorded
from ff_helpers.publication.figures.theme import Picture, save_figure
from ff_helpers.publication.metadata import told
from ff_helpers.publication.prose import Prose, tell, tell_rows, with_rate
from ff_helpers.publication.tables import Fragment, save_table

_READINGS = {
    rates.NOT_ABLE: "not_able",
    rates.HOLDS_BACK: "holds_back",
    rates.IGNORES: "ignores",
    rates.ABLE_AND_DOES: "able_and_does",
    rates.UNDECIDED: "undecided",
}
"""The sentence of each reading of a class."""


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
    told = _with_rates(table, "forbidden", "permitted").assign(
        silent=1 - table["forbidden"],
        unable=1 - table["permitted"],
        effect=np.select(
            [table["difference_high"] < 0, table["difference_low"] > 0],
            ["lowers the rate", "raises the rate"],
            "shows no effect on the rate",
        ),
    )
    classes = told[told["intent"] != rates.ALL]
    lines = [*tell_rows("ban_over_all", told[told["intent"] == rates.ALL]), ""]
    for reading, sentence in _READINGS.items():
        named = tell_rows("ban_in_class", classes[classes["reading"] == reading])
        lines += [tell(sentence, classes=", ".join(named))] if named else []
    lowest = classes.sort_values(["forbidden", "permitted", "intent"], kind="stable").head(1)
    return Prose("\n".join([*lines, "", *tell_rows("safest_by_asr", lowest)]))


def models_lesson(table: pd.DataFrame) -> Prose:
    """Return in words which models are able and which hold back, from a table as `collected_models`."""
    told = _with_rates(table, "forbidden", "permitted")
    lowest = told.sort_values(["forbidden", "permitted", "model"], kind="stable").head(1)
    return Prose("\n".join([*tell_rows("model_under_ban", told), "", *tell_rows("safest_model", lowest)]))


def example_conversation(path: Path) -> Fragment:
    """Return the shortest attack of a trace file that succeeded (else the shortest), safely as text.

    Withheld traces are never shown.
    """
    known = [trace for trace in read_traces(path) if not trace.withheld]
    if not known:
        return Fragment("<p>No conversation may be shown.</p>", "No conversation may be shown.")
    shown = min(
        known,
        key=lambda t: (t.truth != "COMPLIANCE", sum(len(m.content) for m in t.messages), t.trace_id),
    )
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
    said = tell(
        "sample",
        model=sample.model,
        what="Collected by this run" if sample.fresh else "Recorded",
        attacks=len(attacks),
        scenarios=attacks["scenario_id"].nunique(),
        controls=len(controls),
        empty=int(both["empty"].sum()),
        cut=int((~both["complete"]).sum()),
        failed=sample.failed,
    )
    return Prose(said)


def _truth_words(table: pd.DataFrame) -> Prose:
    if table.empty:
        return Prose("There is no attack to count.")
    told = with_rate(table, "asr")
    highest = tell_rows("highest", told.head(1)) if table["k"].iloc[-1] else ["No class has a success."]
    return Prose(" ".join(tell_rows("truth", told.tail(1)) + highest))


def _stability_words(table: pd.DataFrame) -> Prose:
    if table.empty:
        return Prose("No scenario was run twice, so nothing is known about stability.")
    return Prose(*tell_rows("stability", with_rate(table, "stable").tail(1)))


def _turns_words(table: pd.DataFrame) -> Prose:
    if table.empty:
        return Prose("No class has both single-turn and multi-turn attacks here.")
    total = _with_rates(table.tail(1), "multi", "single")
    (said,) = tell_rows("turns", total)
    apart = bool(((total["difference_low"] > 0) | (total["difference_high"] < 0)).all())
    return Prose(f"{said} {tell('turns_apart' if apart else 'turns_together')}")


def _ability_words(table: pd.DataFrame) -> Prose:
    told = _with_rates(table[table["turns"] != rates.ALL], "forbidden", "permitted")
    return Prose("\n".join(tell_rows("ability", told)) or "No scenario is in both arms.")


def _with_rates(table: pd.DataFrame, *arms: str) -> pd.DataFrame:
    """Return a table with `<arm>_rate`, the proportion with the bounds that the table has for it."""
    for arm in arms:
        ends = table[[f"{arm}_k", f"{arm}_n", f"{arm}_low", f"{arm}_high"]].itertuples(index=False)
        held = [Proportion(int(k), int(n), float(low), float(high)) for k, n, low, high in ends]
        table = table.assign(**{f"{arm}_rate": pd.Series(held, index=table.index, dtype="object")})
    return table
