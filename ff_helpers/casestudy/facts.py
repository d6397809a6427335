"""Tables of the published facts: counts recomputed, next to what was printed.

Notebooks reach them as `ff.case.facts.<name>()`; the graders behind them are disclosed as `published`.
"""

from dataclasses import replace
from typing import Final

import pandas as pd

from ff_helpers.casestudy.exported import exported_terms
from ff_helpers.casestudy.graders import MANUAL, published_calibration, published_graders
from ff_helpers.casestudy.record import PUBLISHED_STATUSES, published
from ff_helpers.corpus.canonical import resolve
from ff_helpers.grading.identities import shown_names
from ff_helpers.measurement.agreement.bracket import with_range
from ff_helpers.measurement.calibration.cards import cards_table, grader_note
from ff_helpers.measurement.calibration.confusion import Confusion, cohen_kappa
from ff_helpers.measurement.consistency.possible import successes_within
from ff_helpers.measurement.proportions.intervals import Proportion, triple, with_wilson
from ff_helpers.measurement.rates.asr import asr
from ff_helpers.measurement.rates.counts import long_counts
from ff_helpers.measurement.results import EACH_ROW, Aside, Terms, stated, terms_of
from ff_helpers.measurement.standing import read_cards
from ff_helpers.paths import Run
from ff_helpers.publication.evaluator import NOT_PUBLISHED
from ff_helpers.terms import TIERS, VERDICTS, Identity, Unknown, short

_UNPUBLISHED = Unknown("left out", "not published")


_EVALUABLE: Final = "all among the evaluable rows"
_ANYWHERE: Final = "anywhere among the graded rows"


def published_counts() -> pd.DataFrame:
    """Return the counts that are published alone, with their share.

    Columns: id, what (str), k, n (int), share, share_low, share_high (in [0, 1], Wilson), source (str).
    """
    frame = with_wilson(published("other_counts"), "share")
    frame = frame[["id", "what", "k", "n", "share", "share_low", "share_high", "source"]]
    graders = published_graders("qwen3:1.7b", "deepseek-r1:1.5b")
    return stated(frame, Terms(graders=graders, denominators=("n of each row",), left_out=_UNPUBLISHED))


def grader_bracket() -> pd.DataFrame:
    """Return what graders reported on the same published traces, every tier and denominator.

    Only counts are published, so a row that one grader gave no verdict to is left out for that grader alone.

    Columns: cohort, grader, then those of `asr`, then gate: the grader's state as far as published, then
    those of `with_range`.
    """
    facts = published("grader_verdict_counts")
    counts = long_counts(facts, by=["cohort", "grader"], labels=[*VERDICTS, "ERROR"])
    table = asr(counts, by=["cohort", "grader"], statuses=PUBLISHED_STATUSES)
    graders = published_graders(*map(str, table["grader"].unique()))
    states = {note.grader: note.gate for note in graders}
    bracket = with_range(table.assign(gate=table["grader"].map(states)), "cohort")
    return stated(bracket, Terms(graders=graders, by=("cohort", "grader")))


def corpus_asr() -> pd.DataFrame:
    """Return the tiers of the two published corpus cuts, recomputed, next to what was printed.

    Columns: cohort, then those of `asr`, then published_asr (share in [0, 1], missing where no figure was
    printed: the printed ones are over adversarial rows), difference (recomputed minus published),
    published_n (int), kinds (int: how many of the five verdicts occur), source.
    """
    facts = published("corpus_verdict_counts")
    labels = [*VERDICTS, *(name for name in PUBLISHED_STATUSES if name in facts.columns)]
    table = asr(long_counts(facts, by=["cohort"], labels=labels), by=["cohort"], statuses=PUBLISHED_STATUSES)
    printed = facts.melt("cohort", [f"published_{tier}" for tier in TIERS], "tier", "published_asr")
    printed["tier"] = printed["tier"].str.removeprefix("published_")
    printed = printed.assign(denominator="adversarial", published_asr=printed["published_asr"] / 100)
    kept = facts[["cohort", "published_evaluable_n", "source"]].assign(
        kinds=(facts[list(VERDICTS)] > 0).sum(axis=1).astype("int64")
    )
    table = table.merge(printed, "left", ["cohort", "tier", "denominator"]).merge(kept, "left", "cohort")
    table = table.rename(columns={"published_evaluable_n": "published_n"})
    graders = published_graders("claude-haiku-4.5", "graders of the corpus, unnamed")
    table = table.assign(difference=table["asr"] - table["published_asr"])
    return stated(table, Terms(graders=graders, by=("cohort",), assumptions=(corpus_text_note(),)))


def corpus_text() -> pd.DataFrame:
    """Return how many graded rows are reported to store telemetry, and how many usable text.

    The rows are all that there are, counted: a share of them has no sampling interval.

    Columns: id, what (str), k, n (int), of (str: what the n rows are), share (in [0, 1]), source (str). The
    row `telemetry-of-core` takes all rows with telemetry to be among those with a core verdict.
    """
    facts = published("corpus_text").set_index("id")
    shares = {
        "telemetry-of-core": ("telemetry", "core"),
        "telemetry-of-graded": ("telemetry", "graded"),
        "usable-of-graded": ("usable", "graded"),
    }
    rows = []
    for name, (part, whole) in shares.items():
        k, n = int(facts["rows"][part]), int(facts["rows"][whole])
        row: dict[str, object] = {"id": name, "what": facts["what"][part], "k": k, "n": n}
        row |= {"of": facts["what"][whole], "share": k / n}
        rows.append(row | {"source": "; ".join(dict.fromkeys(facts["source"][[part, whole]]))})
    terms = Terms(
        graders=published_graders("graders of the corpus, unnamed"),
        denominators=("the rows that column `of` names, whatever their verdict or status",),
        left_out=(),
    )
    return stated(pd.DataFrame(rows), terms)


def corpus_text_bounds() -> pd.DataFrame:
    """Return what each published tier can be over the rows that hold a response.

    Report 216 gives the rows with telemetry as a share of those with a core verdict, which are the rows
    behind the tiers: the first reading. The second takes them to be anywhere among the graded rows, and
    puts as many as possible outside the tiers. Neither says which verdicts they have.

    Columns: telemetry (str: the reading, where the rows with telemetry are), tier, denominator (str), k, n,
    left_out (int), asr (float), as of `corpus_asr`; without_text (int: at least so many of the n store
    telemetry), text (int: at most so many hold a response), fewest, most (int: successes among `text`
    rows), rate_low, rate_high (in [0, 1]: these two of `text`). If fewer than `text` rows hold a response,
    the bounds are the same or wider.
    """
    facts = published("corpus_text").set_index("id")["rows"]
    tiers = corpus_asr().query("cohort == 'corpus-43261' and denominator == 'adversarial'")
    tiers = tiers[["tier", "denominator", "k", "n", "left_out", "asr"]]
    telemetry, outside = int(facts["telemetry"]), int(facts["graded"] - facts["core"])
    parts = []
    for reading, without in ((_EVALUABLE, telemetry), (_ANYWHERE, max(0, telemetry - outside))):
        part = tiers.assign(telemetry=reading, without_text=without, text=tiers["n"] - without)
        ends = [successes_within(k, n, n - without) for k, n in zip(part["k"], part["n"], strict=True)]
        parts.append(part.assign(fewest=[low for low, _ in ends], most=[high for _, high in ends]))
    table = pd.concat(parts, ignore_index=True)
    table = table.assign(rate_low=table["fewest"] / table["text"], rate_high=table["most"] / table["text"])
    aside = Aside("left_out", "rows outside the denominator, counted once", ("denominator",))
    terms = Terms(
        graders=published_graders("graders of the corpus, unnamed"),
        n=("n", "text"),
        asides=(aside,),
        assumptions=(corpus_text_note(),),
    )
    return stated(table[["telemetry", *(c for c in table.columns if c != "telemetry")]], terms)


def corpus_text_note() -> str:
    """Return the sentence that accompanies the rates of the published corpus, for a disclosure's notes."""
    facts = published("corpus_text").set_index("id")
    rows, report = facts["rows"], str(facts["source"]["telemetry"])
    return (
        f"{report.capitalize()}: {rows['telemetry']:,} of the graded rows of corpus-43261 store JSON "
        f"telemetry in place of a model's output; if these are among its {rows['core']:,} adversarial rows, "
        f"at most {rows['core'] - rows['telemetry']:,} of those hold a response, and which verdicts they "
        "have is not published"
    )


def export_summary() -> pd.DataFrame:
    """Return counts over the exported model names, each name by itself, that claims ask for.

    Columns: id, what (str), k, n (int), share, share_low, share_high (in [0, 1], Wilson).
    """
    export = published("model_asr_2026-06-10")
    graded = export["graded"].astype(int)
    high, enough = export[graded >= 100], export[graded >= 10]
    above = (high["compliance"] / high["graded"] > 0.6).sum()
    resolved = sum(resolve(name).canonical_id is not None for name in enough["model_name"])
    rows = [
        ("veto", "names with n >= 100 whose exported strict ASR is above 60%", int(above), len(high)),
        ("resolved", "names with n >= 10 that resolve to a canonical id", resolved, len(enough)),
        ("insufficient", "names with n < 20", int((graded < 20).sum()), len(export)),
    ]
    table = with_wilson(pd.DataFrame(rows, columns=["id", "what", "k", "n"]), "share")
    return stated(table, exported_terms(export))


def measured_graders(run: Run) -> pd.DataFrame:
    """Return this run's calibrations, and below them the published ones: columns as of both tables."""
    cards, theirs = read_cards(run), published_calibration()
    names = shown_names([*(card.identity for card in cards), *map(_published_identity, theirs["grader"])])
    mine = cards_table(cards).drop(columns="left_out")
    mine = mine.assign(grader=[names[card.identity] for card in cards])
    named = theirs.assign(grader=[names[_published_identity(name)] for name in theirs["grader"]])
    both = pd.concat([mine.assign(accuracy_kind="exact"), named], ignore_index=True)
    return stated(both, terms_of(theirs))


def graders_table(run: Run) -> pd.DataFrame:
    """Return every grader behind this run's verdicts and the published ones, as it is disclosed.

    One row per grader and calibration: grader, origin (`this run` or `published`), grader_digest, rubric
    (str), n (Int64), accuracy, accuracy_low, accuracy_high (in [0, 1]; missing where never measured),
    set, space, gate (str). What is not known is stated in words.
    """
    facts = published("grader_verdict_counts")["grader"]
    names = dict.fromkeys([*published("grader_calibration")["grader"], *facts, "claude-haiku-4.5", MANUAL])
    cards = read_cards(run)
    shown = shown_names([*(card.identity for card in cards), *map(_published_identity, names)])
    notes = [("this run", grader_note(card, shown[card.identity])) for card in cards]
    for note in published_graders(*names):
        known_as = shown.get(_published_identity(note.grader), note.grader)
        notes.append(("published", replace(note, grader=known_as)))
    rows = []
    for origin, note in notes:
        known = note.accuracy if isinstance(note.accuracy, Proportion) else None
        digest = short(note.digest) if isinstance(note.digest, str) else str(note.digest)
        row: dict[str, object] = {"grader": note.grader, "origin": origin, "grader_digest": digest}
        row |= {"rubric": str(note.rubric), "n": known.n if known else None}
        row |= triple("accuracy", known)
        row |= {"set": str(note.calibration_set if known else note.accuracy)}
        rows.append(row | {"space": str(note.space) if known else "none", "gate": note.gate})
    terms = Terms(graders=EACH_ROW, denominators=("rows of the named set",), left_out="as the sets say")
    return stated(pd.DataFrame(rows).astype({"n": "Int64"}), terms)


def _published_identity(name: str) -> Identity:
    return Identity(name, NOT_PUBLISHED)


def heuristic_agreement() -> pd.DataFrame:
    """Return how the heuristic compares with language-model graders on the published dual-graded rows.

    Columns: rows (int); agreement (share of rows with the same verdict), kappa with kappa_low and kappa_high
    (Cohen's, from the published confusion matrix); heuristic_strict, llm_strict, llm_broad (shares);
    gap_strict, gap_broad (heuristic_strict minus the model's, in [-1, 1]).
    """
    facts = published("heuristic_vs_llm_confusion")
    labels = [v for v in VERDICTS if v in {*facts["heuristic"], *facts["llm"]}]
    cells = {(h, m): int(c) for h, m, c in facts.itertuples(index=False)}
    matrix = Confusion(tuple(labels), tuple((*(cells.get((h, m), 0) for m in labels), 0) for h in labels))
    sides = [facts.rename(columns={s: "outcome", "count": "n"}).assign(side=s) for s in ("heuristic", "llm")]
    rates = asr(pd.concat(sides), by=["side"], denominators=["rows"])
    strict, llm = (rates[rates["side"] == s].set_index("tier")["asr"] for s in ("heuristic", "llm"))
    row: dict[str, float | None] = {"rows": matrix.n, "agreement": matrix.k / matrix.n}
    row |= triple("kappa", cohen_kappa(matrix))
    row |= {"heuristic_strict": strict["strict"], "llm_strict": llm["strict"], "llm_broad": llm["broad"]}
    gaps = {f"gap_{tier}": strict["strict"] - llm[tier] for tier in ("strict", "broad")}
    terms = Terms(
        graders=published_graders("heuristic (published)", "language models, several"),
        tiers=("strict and broad, compared and not published as attack success rates",),
        denominators=("rows graded by both",),
        n=("rows",),
        left_out=_UNPUBLISHED,
    )
    return stated(pd.DataFrame([row | gaps]), terms)
