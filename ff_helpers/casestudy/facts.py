"""Tables of the published facts: counts recomputed, with what was printed beside them.

Notebooks reach them as `ff.facts.<name>()`; the graders behind them are disclosed as `published`.
"""

from dataclasses import replace
from typing import Final

import pandas as pd

from ff_helpers.casestudy.graders import MANUAL, published_graders
from ff_helpers.casestudy.record import PUBLISHED_STATUSES, published
from ff_helpers.corpus.canonical import resolve
from ff_helpers.grading.identities import shown_names
from ff_helpers.measurement.agreement.bracket import with_range
from ff_helpers.measurement.agreement.pairs import LIMIT
from ff_helpers.measurement.calibration.cards import cards_table
from ff_helpers.measurement.calibration.confusion import Confusion, binomial_tail, cohen_kappa
from ff_helpers.measurement.calibration.gate import published_state
from ff_helpers.measurement.proportions.intervals import Proportion, with_wilson
from ff_helpers.measurement.rates.asr import asr
from ff_helpers.measurement.rates.counts import long_counts
from ff_helpers.measurement.standing import read_cards
from ff_helpers.paths import Run
from ff_helpers.publication.evaluator import NOT_PUBLISHED
from ff_helpers.publication.notes import grader_note
from ff_helpers.terms import TIERS, VERDICTS, Identity

_EVALUABLE: Final = "all among the evaluable rows"
_ANYWHERE: Final = "anywhere among the graded rows"


def published_calibration() -> pd.DataFrame:
    """Return the published accuracies with interval and the state that the published rule gives.

    Columns: grader, set, accuracy_kind, source (str), n, k (int), accuracy, accuracy_low,
    accuracy_high (float in [0, 1]), p_chance (float: exact binomial against 1/5; missing where the
    accuracy is relaxed, because chance is not 1/5 there), gate (str: `rejected` where the counts fail
    the published rule, otherwise `uncalibrated`: digest and confusion matrix are not published).
    """
    facts = published("grader_calibration").rename(columns={"correct": "k", "calibration_set": "set"})
    exact = facts["accuracy_kind"].str.startswith("exact")
    counts = list(zip(facts["k"].astype(int), facts["n"].astype(int), exact, strict=True))
    frame = with_wilson(facts, "accuracy").assign(
        p_chance=[binomial_tail(k, n, 0.2) if full else float("nan") for k, n, full in counts],
        gate=[published_state(k, n) for k, n, _ in counts],
    )
    keep = ["grader", "set", "accuracy_kind", "n", "k", "accuracy", "accuracy_low"]
    return frame[[*keep, "accuracy_high", "p_chance", "gate", "source"]]


def published_agreement(*, limit: float = LIMIT) -> pd.DataFrame:
    """Return the published agreement of pairs of graders, with the flag of the published rule.

    Columns: grader_a, grader_b, source, flagged (str: yes, no, `agreement not published`), n (int),
    kappa, kappa_low, kappa_high, agreement (float, as printed; missing where not published). No counts
    are published, so agreement has no interval here.
    """
    facts = published("grader_agreement").rename(
        columns={"ci_low": "kappa_low", "ci_high": "kappa_high", "observed_agreement": "agreement"}
    )
    flag = (1 - facts["agreement"] > limit).map({True: "yes", False: "no"})
    facts["flagged"] = flag.where(facts["agreement"].notna(), "agreement not published")
    return facts[
        ["grader_a", "grader_b", "n", "kappa", "kappa_low", "kappa_high", "agreement", "flagged", "source"]
    ]


def published_counts() -> pd.DataFrame:
    """Return the counts that are published alone, with their share.

    Columns: id, what (str), k, n (int), share, share_low, share_high (in [0, 1], Wilson), source (str).
    """
    frame = with_wilson(published("other_counts"), "share")
    return frame[["id", "what", "k", "n", "share", "share_low", "share_high", "source"]]


def grader_bracket() -> pd.DataFrame:
    """Return what graders reported on the same published traces, every tier and denominator.

    Only counts are published, so a row that one grader gave no verdict to is left out for that grader alone.

    Columns: cohort, grader, then those of `asr`, then gate: the grader's state as far as published, then
    those of `with_range`.
    """
    facts = published("grader_verdict_counts")
    counts = long_counts(facts, by=["cohort", "grader"], labels=[*VERDICTS, "ERROR"])
    table = asr(counts, by=["cohort", "grader"], statuses=PUBLISHED_STATUSES)
    states = {note.grader: note.gate for note in published_graders(*table["grader"].unique())}
    return with_range(table.assign(gate=table["grader"].map(states)), "cohort")


def corpus_asr() -> pd.DataFrame:
    """Return the tiers of the two published corpus cuts, recomputed, beside what was printed.

    Columns: cohort, then those of `asr`, then published (share in [0, 1], missing where no figure was
    printed: the printed ones are over adversarial rows), difference (recomputed minus published),
    published_n (int), labels (int: how many of the five verdicts occur), source.
    """
    facts = published("corpus_verdict_counts")
    labels = [*VERDICTS, *(name for name in PUBLISHED_STATUSES if name in facts.columns)]
    table = asr(long_counts(facts, by=["cohort"], labels=labels), by=["cohort"], statuses=PUBLISHED_STATUSES)
    printed = facts.melt("cohort", [f"published_{tier}" for tier in TIERS], "tier", "published")
    printed["tier"] = printed["tier"].str.removeprefix("published_")
    printed = printed.assign(denominator="adversarial", published=printed["published"] / 100)
    kept = facts[["cohort", "published_evaluable_n", "source"]].assign(
        labels=(facts[list(VERDICTS)] > 0).sum(axis=1).astype("int64")
    )
    table = table.merge(printed, "left", ["cohort", "tier", "denominator"]).merge(kept, "left", "cohort")
    table = table.rename(columns={"published_evaluable_n": "published_n"})
    return table.assign(difference=table["asr"] - table["published"])


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
    return pd.DataFrame(rows)


def corpus_text_bounds() -> pd.DataFrame:
    """Return what each published tier can be over the rows that hold a response.

    Report 216 gives the rows with telemetry as a share of those with a core verdict, which are the rows
    behind the tiers: the first reading. The second takes them to be anywhere among the graded rows, and
    puts as many as possible outside the tiers. Which verdicts they have neither says.

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
    return table[["telemetry", *(c for c in table.columns if c != "telemetry")]]


def corpus_text_note() -> str:
    """Return the sentence that stands beside the rates of the published corpus, for a disclosure's notes."""
    facts = published("corpus_text").set_index("id")
    rows, report = facts["rows"], str(facts["source"]["telemetry"])
    return (
        f"{report.capitalize()}: {rows['telemetry']:,} of the graded rows of corpus-43261 store JSON "
        f"telemetry in place of a model's output; if these are among its {rows['core']:,} adversarial rows, "
        f"at most {rows['core'] - rows['telemetry']:,} of those hold a response, and which verdicts they "
        "have is not published"
    )


def successes_within(k: int, n: int, part: int) -> tuple[int, int]:
    """Return the fewest and the most successes among `part` of n rows, where k of the n are successes.

    The other n - part rows hold at most n - part successes, so at least k - (n - part) are left for the
    part; and it holds at most k, and at most as many as it has rows. Every whole number between the two
    occurs in some arrangement of the rows: where they are 0 and `part`, the counts leave every rate open.

    Source: Horowitz and Manski 1995, doi:10.2307/2951627 (bounds where it is not known which data are bad).

    Raises:
        ValueError: k is not from 0 to n, or part not from 1 to n.
    """
    if not (0 <= k <= n and 0 < part <= n):
        raise ValueError(f"k = {k}, n = {n}, part = {part}: k must be from 0 to n, part from 1 to n")
    return max(0, k - (n - part)), min(k, part)


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
    return with_wilson(pd.DataFrame(rows, columns=["id", "what", "k", "n"]), "share")


def measured_graders(run: Run) -> pd.DataFrame:
    """Return this run's calibrations, and below them the published ones: columns as of both tables."""
    cards, theirs = read_cards(run), published_calibration()
    names = shown_names([*(card.identity for card in cards), *map(_published_identity, theirs["grader"])])
    mine = cards_table(cards).assign(grader=[names[card.identity] for card in cards])
    theirs = theirs.assign(grader=[names[_published_identity(name)] for name in theirs["grader"]])
    return pd.concat([mine.assign(accuracy_kind="exact"), theirs], ignore_index=True)


def graders_table(run: Run) -> pd.DataFrame:
    """Return every grader behind this run's verdicts and the published ones, as it is disclosed.

    One row a grader and calibration: grader, origin (`this run` or `published`), digest, rubric (str),
    n (Int64), accuracy, accuracy_low, accuracy_high (in [0, 1]; missing where never measured),
    set, space, gate (str). What is not known is said in words.
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
        row: dict[str, object] = {"grader": note.grader, "origin": origin}
        row |= {"digest": str(note.digest)[:12] if isinstance(note.digest, str) else str(note.digest)}
        row |= {"rubric": str(note.rubric), "n": known.n if known else None}
        row |= {"accuracy": known.estimate if known else None}
        row |= {"accuracy_low": known.low if known else None, "accuracy_high": known.high if known else None}
        row |= {"set": str(note.calibration_set) if known else str(note.accuracy)}
        rows.append(row | {"space": str(note.space) if known else "none", "gate": note.gate})
    return pd.DataFrame(rows).astype({"n": "Int64"})


def _published_identity(name: str) -> Identity:
    return Identity(name, NOT_PUBLISHED)


def heuristic_agreement() -> pd.DataFrame:
    """Return how the heuristic compares with language-model graders on the published dual-graded rows.

    Columns: rows (int); observed (share of rows with the same verdict), kappa with ci_low and ci_high
    (Cohen's, from the published confusion matrix); heuristic_strict, llm_strict, llm_broad (shares);
    gap_strict, gap_broad (heuristic_strict minus the model's, in [-1, 1]).
    """
    facts = published("heuristic_vs_llm_confusion")
    labels = [v for v in VERDICTS if v in {*facts["heuristic"], *facts["llm"]}]
    cells = {(h, m): int(c) for h, m, c in facts.itertuples(index=False)}
    matrix = Confusion(tuple(labels), tuple((*(cells.get((h, m), 0) for m in labels), 0) for h in labels))
    kappa = cohen_kappa(matrix)
    sides = [facts.rename(columns={s: "outcome", "count": "n"}).assign(side=s) for s in ("heuristic", "llm")]
    rates = asr(pd.concat(sides), by=["side"], denominators=["rows"])
    strict, llm = (rates[rates["side"] == s].set_index("tier")["asr"] for s in ("heuristic", "llm"))
    row: dict[str, float | None] = {"rows": matrix.n, "observed": matrix.k / matrix.n}
    for name, part in (("kappa", "value"), ("ci_low", "low"), ("ci_high", "high")):
        row[name] = getattr(kappa, part, None)
    row |= {"heuristic_strict": strict["strict"], "llm_strict": llm["strict"], "llm_broad": llm["broad"]}
    gaps = {f"gap_{tier}": strict["strict"] - llm[tier] for tier in ("strict", "broad")}
    return pd.DataFrame([row | gaps])
