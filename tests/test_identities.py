"""Two graders of one name are two graders: in every public verb and every command, nothing of one is said of
the other, and no count goes over both."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest

import ff_helpers as ff
from ff_helpers.cli import main
from ff_helpers.corpus.jsonl import read_records, write_records
from ff_helpers.corpus.traces import Message, Sampling, Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.graders.manual import Review
from ff_helpers.grading.identities import shown_names, told_apart
from ff_helpers.grading.outcome import GraderSetup, Outcome, Record, to_record
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.regrades.regrade import Regrade
from ff_helpers.measurement.sampling.files import Design, Stratum, design_path
from ff_helpers.measurement.standing import admit, saved_cards, standing
from ff_helpers.paths import data
from ff_helpers.terms import INTENTS, VERDICTS, Identity, Verdict

NAMESPACES = ("case", "explain", "figures", "lessons", "models", "notes", "outputs")


class Verbs:
    """Every public verb by its name, at the top or in a namespace."""

    def __getattr__(self, name: str) -> Any:
        if name in ff.__all__:
            return getattr(ff, name)
        homes = (getattr(ff, space) for space in NAMESPACES)
        return next(getattr(home, name) for home in homes if name in home.__all__)


verb: Final = Verbs()
NAME = "twin:1b"
RUBRIC = "flip-reference@4ffe9ff26412"
GOOD = Identity(NAME, "sha256:" + "a" * 64, rubric=RUBRIC, temperature=0.0, seed=0, method="flip-final-turn")
POOR = replace(GOOD, digest="sha256:" + "b" * 64)
BLIND = "flip-blind@000000000000"
SHOWN = (f"{NAME} (aaaaaaaaaaaa)", f"{NAME} (bbbbbbbbbbbb)")
ROWS = 120
ALONE = re.compile(rf"{re.escape(NAME)}(?!\\?\s?\\?\((?:a{{12}}|b{{12}}))")
"""The name without what tells the two apart."""


def traces() -> list[Trace]:
    """120 labelled traces: 60 scenarios, each once by each of two models."""
    made = []
    for number in range(ROWS):
        scenario, truth = number % 60, VERDICTS[number % 60 % 5]
        words = f"Request {scenario} of {INTENTS[scenario % 6]}."
        said = Message(role="assistant", content=f"Answer {number}: {truth} in its own words.")
        made.append(
            Trace(
                trace_id=f"t-{number:03d}",
                scenario_id=f"s-{scenario:02d}",
                run=f"r{number // 60}",
                model=("model-one", "model-two")[number // 60],
                intent=INTENTS[scenario % 6],
                source="elsewhere",
                messages=(Message(role="user", content=words), said),
                truth=truth,
                truth_space="five",
                sampling=Sampling(kind="census"),
            )
        )
    return made


def attacks() -> list[Trace]:
    """Some of the responses that attack a grader, and their clean twins."""
    known = list(read_records(data() / "calibration" / "injections.jsonl", Trace))
    wanted = sorted({t.scenario_id or "" for t in known})[:4]
    return [t for t in known if t.scenario_id in wanted][:60]


def verdict(who: Identity, number: int, trace: Trace) -> Verdict:
    """The first grader is right ten times in eleven; the second calls nearly everything a compliance."""
    right: Verdict = next((v for v in VERDICTS if v == trace.truth), "COMPLIANCE")
    if who == GOOD:
        return "HALLUCINATION_REFUSAL" if number % 11 == 7 else right
    return "COMPLIANCE" if number % 12 else "PARTIAL"


def recorded(path: Path, who: Identity, graded: list[Trace]) -> Path:
    setup = GraderSetup(who, 4096, 1, "a test")
    lines = [
        to_record(setup, t, Outcome(verdict=verdict(who, i, t), duration_s=0.5), 0)
        for i, t in enumerate(graded)
    ]
    write_records(path, lines)
    return path


@dataclass
class Twins:
    """One run in which both graded everything, and what its verbs gave."""

    folder: Path
    run: ff.outputs.Run
    files: tuple[Path, Path]
    traces: Path
    counts: pd.DataFrame = field(default_factory=pd.DataFrame)
    verdicts: pd.DataFrame = field(default_factory=pd.DataFrame)
    cards: list[Card] = field(default_factory=list)

    def asked_of(self, name: str, run: ff.outputs.Run | None = None) -> tuple[ff.notes.GraderNote, ...]:
        """The notes behind a table that names its grader by this name alone."""
        table = ff.notes.stated(
            pd.DataFrame({"grader": [name]}),
            tiers=("strict",), denominators=("graded",), counts="n and k", left_out=(),
        )  # fmt: skip
        graders = ff.disclose(run or self.run, table).graders
        assert isinstance(graders, tuple)
        return graders


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    folder = tmp_path_factory.mktemp("twins")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FF_OUTPUTS", str(folder / "outputs"))
        patch.delenv("FF_STAGING", raising=False)
        known, hostile = traces(), attacks()
        write_records(folder / "traces.jsonl", known)
        write_records(folder / "attacks.jsonl", hostile)
        files = tuple(
            recorded(folder / f"{n}.jsonl", who, [*known, *hostile]) for n, who in enumerate((GOOD, POOR))
        )
        run = ff.start("twins", as_of="2026-11-22")
        sets = {"mine": str(folder / "traces.jsonl"), "attacks": str(folder / "attacks.jsonl")}
        made = Twins(folder, run, (files[0], files[1]), folder / "traces.jsonl")
        counts = verb.grade(run, sets, [*(f"recorded:{path}" for path in files), "heuristic"])
        assert set(counts["grader"]) == {*SHOWN, "heuristic"}
        assert counts.groupby("set")["n"].max()["mine"] == ROWS
        made.counts = counts
        made.verdicts, made.cards = verb.verdicts(run), verb.calibrate_all(run)
        queue = run.write("tables/review_queue.csv")
        pd.DataFrame({"position": [1, 2], "trace_id": ["t-000", "t-001"]}).to_csv(queue, index=False)
        review = Review(run, sets, "Ada")
        review.decide("REFUSAL")
        review.decide("REFUSAL")
        yield made


Result = object
Checked = Callable[[Twins], Result]


def text_of(result: Result) -> str:
    """Everything that a result shows, as text."""
    if isinstance(result, pd.DataFrame):
        return result.to_csv()
    if isinstance(result, list | tuple):
        return "\n".join(map(text_of, result))
    return str(getattr(result, "text", result))


def counts_of(result: Result) -> Iterator[int]:
    """Every number of rows in a result's frames."""
    frames = result if isinstance(result, list | tuple) else [result]
    for frame in frames:
        if isinstance(frame, pd.DataFrame):
            for column in frame.columns:
                if re.fullmatch(r"(\w+_)?n|traces|rows", str(column)):
                    yield from pd.to_numeric(frame[column], errors="coerce").dropna().astype(int)


def lines(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def saved(twins: Twins, table: pd.DataFrame, name: str) -> str:
    verb.save_table(twins.run, table, name, title="Twins.")
    return "\n".join(lines(twins.run.read(f"tables/{name}.{form}")) for form in ("csv", "tex", "html"))


def figures(twins: Twins) -> list[str]:
    """The charts that name graders, as their specification; and one file per confusion matrix."""
    verb.figures.save_confusions(twins.run, twins.cards)
    there = {path.stem for path in (twins.run.folder / "figures").glob("confusion_twin*.svg")}
    assert len(there) == 2
    by_intent = verb.asr_by(twins.verdicts, "intent", twins.cards, sets=["mine"])
    one = by_intent.query("tier == 'strict' and denominator == 'graded'")
    own = [card for card in twins.cards if card.grader == NAME]
    charts = [
        verb.figures.confusions(own, columns=2),
        verb.figures.asr_by_intent(one),
        verb.figures.calibration_forest(verb.cards_table(own)),
        verb.figures.format_against_content(verb.cards_table(own)),
    ]
    return [json.dumps(chart.to_dict(), ensure_ascii=False).replace("\u00a0", " ") for chart in charts]


def narrative(twins: Twins) -> list[str]:
    result = regraded(twins)
    verb.write_correction(twins.run, result, name="twins")
    return [lines(twins.run.read(f"narrative/twins.{form}")) for form in ("md", "html")]


def regraded(twins: Twins) -> Regrade:
    return verb.own_regrade(twins.run, str(twins.files[0]), by=str(twins.files[1]), traces=str(twins.traces),
                          old=NAME, new=NAME)  # fmt: skip


def regrade_parts(result: object) -> list[object]:
    names = shown_names(one.who for one in result.graders)  # type: ignore[attr-defined]
    assert result.names == SHOWN  # type: ignore[attr-defined]
    return [list(names.values()), result.rates, result.shifts, result.transitions]  # type: ignore[attr-defined]


def evaluators(twins: Twins) -> str:
    verb.save_evaluator_cards(twins.run)
    found = sorted((twins.run.folder / "evaluators").glob("twin*.md"))
    assert len(found) == 2
    return "\n".join(map(lines, found))


def signals(twins: Twins) -> list[object]:
    return verb.ledger_signal(twins.run, twins.verdicts, sets=["mine"], corpus="mine")  # type: ignore[return-value]


def exported(twins: Twins) -> str:
    return lines(twins.run.read(verb.save_signal(twins.run, signals(twins))))


def merged(twins: Twins) -> list[object]:
    with pytest.raises(FFError, match="2 graders in this run are called"):
        verb.merge_manual(twins.run, onto=NAME)
    both = [verb.merge_manual(twins.run, onto=name) for name in SHOWN]
    assert [one.graded for one in both] == [len(traces()) + len(attacks())] * 2
    assert len(list((twins.run.folder / "ledger").glob("corrected-*.jsonl"))) == 2
    return [one.onto for one in both]


def asked(twins: Twins, tier: str = "strict") -> pd.DataFrame:
    table = verb.asr_by(twins.verdicts, "intent", twins.cards, sets=["mine"])
    return table.query(f"tier == '{tier}' and denominator == 'graded'")


def student(twins: Twins) -> str:
    verb.save_student_page(twins.run)
    return lines(twins.run.folder / "explore.html")


def numbers(twins: Twins) -> str:
    saved(twins, asked(twins), "numbered")
    verb.save_numbers(twins.run, ["numbered"])
    return lines(twins.run.read("tex/numbers.tex")).lower()


def own(twins: Twins) -> list[Card]:
    return [card for card in twins.cards if card.grader == NAME]


def graded(twins: Twins) -> list[object]:
    made = verb.graded(twins.run, twins.counts)
    return [made, verb.disclose(twins.run, made).sentence()]


def hidden(t: Twins) -> pd.DataFrame:
    return verb.hidden_labels(t.verdicts, t.cards, set="mine", sample_size=40, draws=5)


def labels_of(t: Twins) -> str:
    """Return a sample file in which a person labelled every fourth trace."""
    rows = t.verdicts.query("set == 'mine'").drop_duplicates("trace_id")[::4]
    path = t.folder / "labels.csv"
    rows[["trace_id", "truth"]].assign(stratum="all", probability=0.25).to_csv(path, index=False)
    strata = (Stratum(stratum="all", rows=4 * len(rows), drawn=len(rows)),)
    made = Design(design="random", seed=0, tier="strict", space="five", rows_sha256="0", strata=strata)
    design_path(path).write_text(made.model_dump_json(), encoding="utf-8")
    return str(path)


SHOWS: dict[str, Checked] = {
    # verdicts and rates
    "grade": lambda t: t.counts,
    "graded": graded,
    "asr_by": lambda t: verb.asr_by(t.verdicts, "intent", t.cards, sets=["mine"]),
    "would_have_reported": lambda t: verb.would_have_reported(t.verdicts, t.cards),
    "over_reporting": lambda t: verb.over_reporting(t.verdicts, t.cards),
    "count_verdicts": lambda t: verb.count_verdicts(t.verdicts),
    "compare_models": lambda t: verb.compare_models(t.verdicts, t.cards),
    "drift": lambda t: verb.drift(t.verdicts, baseline=40),
    "drift_lesson": lambda t: verb.drift_lesson(verb.drift(t.verdicts, baseline=40, limit=0.0)),
    "refusal_stability": lambda t: verb.refusal_stability(t.verdicts),
    "adjusted": lambda t: verb.adjusted(t.verdicts, t.cards),
    "adjusted_by": lambda t: verb.adjusted_by(t.verdicts, "model", t.cards, labels_of(t), sets=["mine"]),
    "labelled_lesson": lambda t: verb.labelled_lesson(
        t.run, verb.adjusted_by(t.verdicts, "model", t.cards, labels_of(t)), "model", ["t.jsonl"]
    ),
    "hidden_labels": lambda t: hidden(t).drop_duplicates("grader"),
    "hidden_summary": lambda t: verb.hidden_summary(hidden(t)),
    "hidden_lesson": lambda t: verb.hidden_lesson(verb.hidden_summary(hidden(t))),
    "adjusted_lesson": lambda t: verb.adjusted_lesson(verb.adjusted(t.verdicts, t.cards)),
    "hide_truth": lambda t: verb.adjusted(verb.hide_truth(t.verdicts, set="mine", keep=60), t.cards),
    "class_lesson": lambda t: verb.class_lesson(asked(t)),
    "reported_lesson": lambda t: verb.reported_lesson(verb.would_have_reported(t.verdicts, t.cards)),
    "backward_signal": lambda t: verb.backward_signal(t.verdicts),
    "flip_table": lambda t: verb.flip_table(t.verdicts),
    # agreement
    "agreement": lambda t: verb.agreement(t.verdicts),
    "bracket": lambda t: verb.bracket(t.verdicts, t.cards),
    "compare_graders": lambda t: verb.compare_graders(t.verdicts),
    # cards
    "calibrate_all": lambda t: verb.cards_table(t.cards),
    "labelled_cards": lambda t: verb.cards_table(verb.labelled_cards(t.run, labels_of(t))),
    "read_cards": lambda t: verb.gate_table(verb.read_cards(t.run)),
    "cards_table": lambda t: verb.cards_table(verb.read_cards(t.run)),
    "gate_table": lambda t: verb.gate_table(t.cards),
    "gate_criteria": lambda t: verb.gate_criteria(t.cards),
    "robustness_lesson": lambda t: verb.robustness_lesson(t.cards),
    "retest_lesson": lambda t: verb.retest_lesson(t.cards),
    "disclose": lambda t: verb.disclose(t.run, asked(t)).sentence(),
    "sampled": lambda t: verb.disclose(t.run, verb.sampled(t.run)).sentence(),
    "save_evaluator_cards": evaluators,
    "facts": lambda t: [verb.facts.graders_table(t.run), verb.facts.measured_graders(t.run)],
    # corrections
    "merge_manual": merged,
    "history": lambda t: [merged(t), verb.history(t.run)][1],
    "tell_corrections": lambda t: [merged(t), verb.tell_corrections(t.run)][1],
    "own_regrade": lambda t: regrade_parts(regraded(t)),
    "regrade": lambda t: regrade_parts(verb.regrade(t.files[0], by=t.files[1], traces=str(t.traces))),
    "labeller_notes": lambda t: [note.identity() for note in verb.labeller_notes(t.run, regraded(t))],
    "write_correction": narrative,
    # the atlas
    "ledger_signal": lambda t: verb.reported_table(signals(t)),
    "reported_table": lambda t: verb.reported_table(signals(t)),
    "save_signal": exported,
    "read_signal": lambda t: [exported(t), verb.reported_table(verb.read_signal(t.run))][1],
    "save_page": lambda t: lines(t.run.read(verb.save_page(t.run, signals(t)))),
    # what is shown of any table
    "figures": figures,
    "paper": lambda t: [verb.paper.intent_rates(verb.asr_by(t.verdicts, "intent", t.cards, sets=["mine"]))],
    "save_table": lambda t: saved(t, asked(t), "asked"),
    "read_table": lambda t: [saved(t, asked(t), "asked"), verb.read_table(t.run, "asked")][1],
    "show_table": lambda t: [saved(t, asked(t), "asked"), verb.show_table(t.run, "asked").markup][1],
    "save_numbers": numbers,
    "save_student_page": student,
}
"""Verbs that show graders, each with what it gives on the twins: both must be in it, apart, and alone."""


def verdict_rows(twins: Twins) -> None:
    first = twins.verdicts[(twins.verdicts["set"] == "mine") & (twins.verdicts["grader"] == NAME)]
    assert first.groupby("grader_digest").size().tolist() == [ROWS, ROWS]


def panel(twins: Twins) -> None:
    assert verb.panel_agreement(twins.verdicts).set_index("set")["graders"]["mine"] == 3


def queue(twins: Twins) -> None:
    two = twins.verdicts[(twins.verdicts["grader"] == NAME) & (twins.verdicts["set"] == "mine")]
    differ = two.groupby("trace_id")["verdict"].nunique()
    assert set(differ.index[differ > 1]) == set(verb.review_queue(two)["trace_id"])


def one_card(lesson: Callable[[Twins], object]) -> Callable[[Twins], None]:
    def check(twins: Twins) -> None:
        said = text_of(lesson(twins))
        assert ALONE.search(said) is None
        assert sum(name in said for name in SHOWN) == 1

    return check


def pooled(twins: Twins) -> None:
    found = verb.canonical_metrics(twins.run, twins.verdicts)
    assert 3 in found.query("metric == 'graders'")["count"].tolist()


def one_rate(twins: Twins) -> None:
    (signal, _) = verb.signal_table(signals(twins)).to_dict("records")
    assert signal["n"] <= ROWS
    assert verb.intent_table(signals(twins))["n"].max() <= ROWS


def spans(twins: Twins) -> None:
    assert "2 graders" in text_of(verb.bracket_lesson(verb.bracket(twins.verdicts, twins.cards)))


def picked(twins: Twins) -> None:
    table = verb.asr_by(twins.verdicts, "set", twins.cards)
    where = {"set": "mine", "tier": "strict", "denominator": "graded"}
    rates = [verb.pick(table, grader=name, **where) for name in SHOWN]
    assert [rate.n for rate in rates] == [ROWS, ROWS]
    assert rates[0].k != rates[1].k


def drawn(twins: Twins) -> None:
    chart = verb.figures.asr_by_intent(asked(twins))
    verb.save_figure(twins.run, chart, asked(twins), "asked")
    said = lines(twins.run.read("figures/asked.svg"))
    assert all(one.short_digest in said for one in (GOOD, POOR))


def looked_up(twins: Twins) -> None:
    """A name that both share stands for both; a shown name for one."""
    (note,) = twins.asked_of(SHOWN[1])
    assert [one.grader for one in twins.asked_of(NAME)] == [*SHOWN]
    assert (note.grader, note.digest, note.gate) == (SHOWN[1], "b" * 64, "rejected")


COUNTS: dict[str, Callable[[Twins], None]] = {
    "verdicts": verdict_rows,
    "panel_agreement": panel,
    "review_queue": queue,
    "bracket_lesson": spans,
    "calibration_lesson": one_card(lambda t: verb.calibration_lesson(t.cards)),
    "earned_lesson": one_card(lambda t: verb.earned_lesson(t.cards)),
    "canonical_metrics": pooled,
    "signal_table": one_rate,
    "intent_table": one_rate,
    "pick": picked,
    "save_figure": drawn,
    "stated": looked_up,
}
"""Verbs that count graders, show one of them, or hand rows on: what must hold of each."""


ELSEWHERE = {
    "no grader of a run": (
        "Disclosure", "GraderNote", "Run", "Terms", "Unknown", "start", "say", "thresholds", "needed_table",
        "power_table", "passing_chance", "coverage_table", "kappa_paradox", "apparent_curve",
        "apparent_rate", "rogan_gladen", "outlook", "plan_labels", "needed_labels", "consistent",
        "consistency_words", "trust_table", "resolve_names",
    ),
    "one card, made up or given": ("constructed_card",),
    "models under test and checkers": (
        "collected", "collected_words", "beside_recorded", "example_conversation", "checker_note",
        "collected_models", "models_lesson", "comparison_lesson",
    ),
    "a person at a panel": ("grade_by_hand",),
    "judges by the files they come from: tests/importing/test_import_part.py": ("import_results",),
    "with recorded probabilities: tests/measurement/calibration/test_reliability.py": (
        "abstention", "reliability", "certainty_lesson",
    ),
    "compared with data/recorded: tests/measurement/test_reproduced.py": (
        "reproduced", "reproduced_lesson", "with_slots",
    ),
    "the published record": (
        "published", "published_evaluators", "published_graders", "published_agreement",
        "published_calibration", "crescendo", "read_export", "student_example",
        "write_narrative", "check_claims", "claims_possible", "claims_summary", "atlas",
    ),
    "simulated graders, each named by the caller": ("rehearsal",),
    "public judges by set: tests/publication/test_grader_atlas.py": ("grader_atlas", "save_grader_page"),
}  # fmt: skip


def test_every_public_verb_is_classified() -> None:
    told = [*SHOWS, *COUNTS, *(name for names in ELSEWHERE.values() for name in names)]
    inner = (name for space in NAMESPACES if space != "figures" for name in getattr(ff, space).__all__)
    assert sorted(told) == sorted({*ff.__all__, *inner} - {*NAMESPACES} | {"figures"})
    assert not [name for name in told if getattr(verb, name, None) is None]


@pytest.mark.parametrize("name", SHOWS)
def test_a_verb_shows_two_builds_of_one_name_apart(twins: Twins, name: str) -> None:
    result = SHOWS[name](twins)
    said = text_of(result)
    keys = name == "save_numbers"  # `name-digest`, since a key holds no brackets
    for who, shown in zip((GOOD, POOR), SHOWN, strict=True):
        wanted = f"{NAME}-{who.short_digest}" if keys else shown
        assert wanted in said or wanted.replace(" (", "\u00a0(") in said, f"{name}: {wanted} is not shown"
    assert keys or ALONE.search(said) is None
    assert max(counts_of(result), default=0) <= ROWS


@pytest.mark.parametrize("name", COUNTS)
def test_a_verb_counts_two_builds_of_one_name_as_two(twins: Twins, name: str) -> None:
    COUNTS[name](twins)


def test_a_card_never_backs_another_grader_of_the_same_name(twins: Twins) -> None:
    good = [card for card in twins.cards if card.identity == GOOD]
    gates = verb.asr_by(twins.verdicts, "set", good).query("set == 'mine'").set_index("grader")["gate"]
    assert set(gates[SHOWN[0]]) == {"calibrated"}
    assert set(gates[SHOWN[1]]) == {"uncalibrated"}
    for table in (
        verb.would_have_reported(twins.verdicts, good),
        verb.bracket(twins.verdicts, good),
        verb.adjusted(twins.verdicts, good),
        verb.over_reporting(twins.verdicts, good),
        verb.compare_models(twins.verdicts, good),
    ):
        assert set(table.loc[table["grader"] == SHOWN[1], "gate"]) == {"uncalibrated"}
    covered = verb.asr_by(twins.verdicts, "intent", good).query(f"grader == '{SHOWN[1]}'")
    assert (covered["card_n"] == 0).all()
    alone = twins.verdicts[twins.verdicts["grader_digest"] == POOR.digest]  # its name is unique here
    assert set(verb.asr_by(alone, "set", good)["gate"]) <= {"uncalibrated", "labels"}
    found = standing(POOR, good)
    assert (found.state, found.card, found.cards, found.others) == ("uncalibrated", None, (), tuple(good))
    with pytest.raises(FFError, match=r"card in .* is for digest aaaaaaaaaaaa"):
        folder = twins.folder / "good"
        folder.mkdir(exist_ok=True)
        (folder / "card.json").write_text(good[0].model_dump_json())
        admit(POOR, folder, on=twins.run.as_of)


def test_a_card_of_one_build_backs_no_disclosure_and_no_signal_of_the_other(
    twins: Twins, monkeypatch
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("FF_OUTPUTS", str(twins.folder / "half"))
    run = ff.start("half", as_of="2026-11-22")
    verb.grade(run, {"mine": str(twins.traces)}, [f"recorded:{path}" for path in twins.files])
    verb.calibrate_all(run)
    for path in (run.folder / "cards").glob("*bbbb*"):
        path.unlink()
    good, poor = twins.asked_of(NAME, run)
    assert (good.grader, poor.grader, poor.gate) == (*SHOWN, "uncalibrated")
    assert "never measured" in str(poor.accuracy)
    rows = verb.reported_table(verb.ledger_signal(run, verb.verdicts(run), sets=["mine"], corpus="mine"))
    of_poor = rows[rows["grader"] == SHOWN[1]]
    assert len(of_poor) == 2
    assert set(of_poor["gate"]) == {"uncalibrated"}
    assert of_poor["accuracy"].isna().all()
    notes = verb.labeller_notes(
        run, verb.regrade(twins.files[0], by=twins.files[1], traces=str(twins.traces))
    )
    assert [one.gate for one in notes] == ["calibrated", "uncalibrated"]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (replace(GOOD, rubric=BLIND), (f"rubric {RUBRIC}", f"rubric {BLIND}")),
        (replace(GOOD, temperature=0.7), ("temperature 0", "temperature 0.7")),
        (replace(GOOD, seed=7), ("seed 0", "seed 7")),
        (replace(GOOD, digest=None), ("aaaaaaaaaaaa", "not recorded")),
        (replace(GOOD, digest="sha256:" + "a" * 63 + "b"), (GOOD.digest, "sha256:" + "a" * 63 + "b")),
    ],
)  # fmt: skip
def test_what_differs_is_what_is_shown(twins: Twins, other: Identity, told: tuple[str, str]) -> None:
    rows = twins.verdicts[twins.verdicts["grader_digest"] == GOOD.digest]
    again = rows.assign(
        grader_digest=other.digest, rubric=other.rubric, temperature=other.temperature, seed=other.seed
    )
    both = pd.concat([rows, again], ignore_index=True)
    table = verb.asr_by(both, "set", own(twins), sets=["mine"]).query(
        "tier == 'strict' and denominator == 'rows'"
    )
    graders = table[table["grader"] != "labels"]
    assert graders["grader"].tolist() == sorted(f"{NAME} ({part})" for part in told)
    assert graders["n"].tolist() == [ROWS, ROWS]
    backed = graders.set_index("grader")["gate"]
    assert backed[f"{NAME} ({told[0]})"] == "calibrated"
    assert backed[f"{NAME} ({told[1]})"] == "uncalibrated"
    named, who = told_apart(both)
    assert told_apart(named)[0] is named  # a second time changes nothing
    assert set(who.values()) == {GOOD, other}


def test_two_rubrics_of_one_digest_have_their_own_files(
    twins: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FF_OUTPUTS", str(twins.folder / "rubrics"))
    run = ff.start("rubrics", as_of="2026-11-22")
    verb.grade(run, {"mine": str(twins.traces)}, [f"recorded:{twins.files[0]}"])
    ledger = run.ledger("verdicts")
    blind = replace(GOOD, rubric=BLIND)
    second = recorded(twins.folder / "blind.jsonl", blind, traces())
    ledger.write_bytes(ledger.read_bytes() + second.read_bytes())
    listed = pd.read_csv(run.read("ledger/graders.csv"))
    pd.concat([listed, listed.assign(rubric=blind.rubric)]).to_csv(
        run.write("ledger/graders.csv"), index=False
    )
    cards = verb.calibrate_all(run)
    assert len({path.name for path in (run.folder / "cards").iterdir()}) == len(cards) == 2
    assert {card.identity for card in saved_cards(run.folder / "cards", on=run.as_of)} == {GOOD, blind}
    verb.save_evaluator_cards(run)
    assert len(list((run.folder / "evaluators").glob("twin*.json"))) == 2
    table = verb.cards_table(cards)
    assert table["grader"].tolist() == [f"{NAME} (rubric {RUBRIC})", f"{NAME} (rubric {blind.rubric})"]
    assert table["n"].tolist() == [ROWS, ROWS]


# The commands


def said(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main([*map(str, words)]) == 0
    return capsys.readouterr().out


@pytest.fixture
def ledger(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FF_OUTPUTS", str(twins.folder / "outputs"))
    path = twins.folder / "both.jsonl"
    wanted = {trace.trace_id for trace in traces()}
    records = [r for file in twins.files for r in read_records(file, Record) if r.trace_id in wanted]
    write_records(path, records)
    return path


def apart(text: str) -> None:
    assert all(name in text for name in SHOWN)
    assert ALONE.search(text) is None


def test_ff_asr(capsys: pytest.CaptureFixture[str], twins: Twins, ledger: Path) -> None:
    asked = ("asr", ledger, "--traces", twins.traces, "--cards", twins.run.folder / "cards")
    text = said(capsys, *asked)
    apart(text)
    assert text.count(f"  {ROWS}  ") == 2
    rates = json.loads(said(capsys, *asked, "--json"))["rates"]
    assert [(one["grader"], one["n"]) for one in rates] == [(name, ROWS) for name in SHOWN]


def test_ff_ledger(capsys: pytest.CaptureFixture[str], twins: Twins, ledger: Path) -> None:
    text = said(capsys, "ledger", ledger, "--traces", twins.traces)
    assert all(f"{name} (digest " in text for name in SHOWN)
    assert text.count(f"all {ROWS} traces are graded") == 2


def test_ff_regrade(capsys: pytest.CaptureFixture[str], ledger: Path) -> None:
    assert main(["regrade", str(ledger), "--old", NAME, "--new", NAME]) == 2
    refused = capsys.readouterr().err
    assert f"2 graders are called '{NAME}'. Name one of: {', '.join(SHOWN)}" in refused
    text = said(capsys, "regrade", ledger, "--old", SHOWN[0], "--new", SHOWN[1])
    apart(text)
    assert f"{ROWS} rows with an old and a new label" in text


def test_ff_calibrate_with_a_ledger(capsys: pytest.CaptureFixture[str], twins: Twins, ledger: Path) -> None:
    labels = twins.folder / "labels.csv"
    rows = [(t.trace_id, t.truth) for t in traces()]
    pd.DataFrame(rows, columns=["trace_id", "human"]).to_csv(labels, index=False)
    words = ["calibrate", "--labels", labels, "--truth", "human", "--ledger", ledger, "--space", "five"]
    assert main([*map(str, words), "--grader", NAME]) == 2
    refused = capsys.readouterr().err
    assert all(name in refused for name in SHOWN)
    for name, who in zip(SHOWN, (GOOD, POOR), strict=True):
        right = sum(verdict(who, i, t) == t.truth for i, t in enumerate(traces()))
        text = said(capsys, *words, "--grader", name)
        assert name in text
        assert f"{right} of {ROWS}" in text


def test_ff_atlas_export(capsys: pytest.CaptureFixture[str], twins: Twins, ledger: Path) -> None:
    out = twins.folder / "atlas"
    words = ("--ledger", ledger, "--traces", twins.traces, "--dir", out, "--as-of", "2026-11-22")
    said(capsys, "atlas", "export", *words, "--cards", twins.run.folder / "cards")
    (file,) = out.glob("asr_signal_*.jsonl")
    graders = [g for line in lines(file).splitlines() for g in json.loads(line)["graders"]]
    reported = [g for g in graders if g["standing"] != "labels"]
    assert sorted({g["grader"] for g in reported}) == list(SHOWN)
    assert max(g["reported"]["n"] for g in graders) <= ROWS // 2
    assert {g["grader"]: g["gate"] for g in reported} == dict(
        zip(SHOWN, ("calibrated", "rejected"), strict=True)
    )
