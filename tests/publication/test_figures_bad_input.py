"""Figures of hostile input: nothing, one, 300, long, special and right-to-left names, unmeasured graders."""

import re
from collections.abc import Callable
from xml.etree import ElementTree

import altair as alt
import pandas as pd
import pytest

import ff_helpers as ff
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.collected.rates import NOT_ABLE
from ff_helpers.measurement.proportions.intervals import with_wilson
from ff_helpers.measurement.results import LABELS
from ff_helpers.publication.figures.theme import COLUMN_WIDTH, PAGE_WIDTH, draw

Names = list[str]
Chart = alt.TopLevelMixin

PAGE_HEIGHT = 860
"""Height in px of the text of a paper's page (9 in), without the caption's lines."""
SPECIAL = r"a_b & <b>%$#{}~^\ 'q' \"d\" x|y (z)"
CASES: dict[str, Names] = {
    "nothing": [],
    "one": ["only"],
    "300": [f"model {i:03d}" for i in range(300)],
    "180 characters, specials, right to left": ["n" * 180, SPECIAL, "מודל עברי", "نموذج عربي"],
}


def rates(names: Names, column: str, rate: str = "asr", *, n: int = 40) -> pd.DataFrame:
    """A row a name, with k of n and Wilson interval under the name of the rate."""
    frame = pd.DataFrame({column: pd.Series(names, dtype="str"), "k": range(len(names)), "n": n})
    return with_wilson(frame.astype({"k": "int64", "n": "int64"}).assign(k=lambda t: t["k"] % n), rate)


def both(names: Names, *columns: str) -> pd.DataFrame:
    """Two sides of one table, as `collected` and `would_have_reported` have them."""
    frame = rates(names, "intent", columns[0])
    for side in columns:
        part = rates(names, "intent", side)
        part = part.rename(columns={"k": f"{side}_k", "n": f"{side}_n"}).drop(columns="intent")
        frame = frame.drop(columns=[c for c in part if c in frame]).join(part)
    return frame


def pairs(names: Names) -> pd.DataFrame:
    names = names[:12]  # pairs grow with the square
    found = [(a, b) for i, a in enumerate(names) for b in (*names[i + 1 :], "truth (by people)")]
    frame = rates([a for a, _ in found], "grader_a", "agreement").assign(
        grader_b=pd.Series([b for _, b in found], dtype="str"), set="s", kappa=0.1, flagged=True
    )
    return frame.assign(
        disagreement=1 - frame["agreement"],
        disagreement_low=1 - frame["agreement_high"],
        disagreement_high=1 - frame["agreement_low"],
    )


def accuracies(names: Names) -> pd.DataFrame:
    return rates(names, "grader", "accuracy").assign(
        set="s", gate="uncalibrated", majority=0.5, accuracy_kind="exact"
    )


def bracket(names: Names) -> pd.DataFrame:
    frame = rates(names, "grader").assign(cohort="c", tier="strict", denominator="rows", gate="uncalibrated")
    return frame.assign(lowest=frame["asr"].min(), highest=frame["asr"].max())


def corrections(names: Names) -> pd.DataFrame:
    frame = rates(names, "grader", "asr").assign(set="s", adjusted_by="none", known=0.5)
    return frame.assign(adjusted=float("nan"), adjusted_low=0.0, adjusted_high=1.0)


def drawn(names: Names) -> pd.DataFrame:
    frame = rates(names, "grader", "asr").assign(known=0.5, labels_used=10, draw=0)
    sides = {
        f"{to}{end}": frame[f"asr{end}"] for to in ("drawn", "adjusted") for end in ("", "_low", "_high")
    }
    return frame.assign(**sides)


def classes(names: Names) -> pd.DataFrame:
    labels = rates(names, "intent").assign(grader=LABELS)
    return pd.concat([labels, labels.assign(grader="g")], ignore_index=True)


def reported(names: Names) -> pd.DataFrame:
    return (
        both(names, "labelled", "reported")
        .rename(columns={"intent": "grader"})
        .assign(set="s", measure="strict")
    )


def models(names: Names) -> pd.DataFrame:
    return rates(names, "model").assign(
        resolved=True, unresolved_reason="", names=1, confidence="low", grader_status="unmeasured"
    )


def exported(names: Names) -> pd.DataFrame:
    frame = models(names).assign(model_name=lambda t: t["model"], exported=lambda t: t["asr"])
    return frame.assign(pooled_k=frame["k"], pooled_n=frame["n"], label=frame["model"])


def flips(names: Names) -> pd.DataFrame:
    return rates(names, "grader", "flip").assign(family="all attacks")


def transitions(names: Names) -> pd.DataFrame:
    frame = pd.DataFrame({"old": names, "new": names[::-1]}, dtype="str")
    return frame.assign(rows=pd.Series([3] * len(names), dtype="int64"))


def shifts(names: Names) -> pd.DataFrame:
    frame = pd.DataFrame({"denominator": pd.Series(names, dtype="str")}).assign(tier="strict", shared=10)
    numbers = {"paired": 0.1, "paired_low": -0.1, "paired_high": 0.3, "shift": 0.1, "old_n": 10, "new_n": 9}
    return frame.assign(**numbers)


def stable(names: Names) -> pd.DataFrame:
    return rates(names, "intent", "stable").assign(always=1, never=1, mixed=1)


def readings(names: Names) -> pd.DataFrame:
    return both(names, "forbidden", "permitted").assign(reading=NOT_ABLE)


FIGURES: dict[str, Callable[[Names], Chart]] = {
    "agreement_matrix": lambda names: ff.figures.agreement_matrix(pairs(names)),
    "asr_by_intent": lambda names: ff.figures.asr_by_intent(classes(names)),
    "asr_by_intent, graders": lambda names: ff.figures.asr_by_intent(
        rates(names, "grader").assign(intent="i")
    ),
    "asr_intervals": lambda names: ff.figures.asr_intervals(classes(names), "intent"),
    "asr_intervals, graders": lambda names: ff.figures.asr_intervals(
        rates(names, "grader").assign(set="s"), "set"
    ),
    "atlas_asr": lambda names: ff.figures.atlas_asr(models(names)),
    "atlas_before_after": lambda names: ff.figures.atlas_before_after(exported(names)),
    "calibration_forest": lambda names: ff.figures.calibration_forest(accuracies(names)),
    "caterpillar": lambda names: ff.figures.caterpillar(drawn(names)),
    "crescendo_transitions": lambda names: ff.figures.crescendo_transitions(transitions(names)),
    "disagreement": lambda names: ff.figures.disagreement(pairs(names)),
    "forbidden_beside_permitted": lambda names: ff.figures.forbidden_beside_permitted(readings(names)),
    "grader_bracket": lambda names: ff.figures.grader_bracket(bracket(names)),
    "injection_flips": lambda names: ff.figures.injection_flips(flips(names)),
    "intents": lambda names: ff.figures.intents(classes(names)),
    "intents, graders": lambda names: ff.figures.intents(rates(names, "grader").assign(intent="i")),
    "labelled_beside_reported": lambda names: ff.figures.labelled_beside_reported(reported(names)),
    "outcome_stability": lambda names: ff.figures.outcome_stability(stable(names)),
    "raw_against_adjusted": lambda names: ff.figures.raw_against_adjusted(corrections(names)),
    "regrade_shifts": lambda names: ff.figures.regrade_shifts(shifts(names)),
    "single_beside_multi": lambda names: ff.figures.single_beside_multi(both(names, "single", "multi")),
}
WIDE = {"atlas_asr", "atlas_before_after"}
LONG = {"atlas_before_after": 1060}
"""It shows each exported name, and none goes into a paper's page."""


@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize("figure", list(FIGURES))
def test_the_figure_is_right_whatever_the_names(figure: str, case: str) -> None:
    svg = draw(FIGURES[figure](CASES[case]), caption="c")
    ElementTree.fromstring(svg)  # escaped, and well formed
    width, height = (float(x) for x in re.findall(r'(?:width|height)="([\d.]+)"', svg)[:2])
    assert width <= (PAGE_WIDTH if figure in WIDE else COLUMN_WIDTH) + 1
    assert height <= LONG.get(figure, PAGE_HEIGHT)
    if case == "nothing":
        assert "nothing to show" in svg
    if case.startswith("180"):
        assert "n" * 180 not in re.sub(r'aria-label="[^"]*"', "", svg)
        assert "…" in svg
    if case == "300" and figure not in ("agreement_matrix", "disagreement"):
        assert re.search(r"and \d+ more", svg)


def test_300_graders_of_a_row_leave_room_and_say_how_many_are_not_drawn() -> None:
    svg = draw(FIGURES["asr_intervals, graders"](CASES["300"]), caption="c")
    assert "and 288 more: see the table" in svg
    assert svg.count('aria-roledescription="rule mark"') == 12


def test_names_that_begin_alike_stay_two_rows() -> None:
    alike = ["long name of a grader, " + end for end in ("first", "second")]
    table = rates(alike, "grader").assign(intent="i")
    assert len({*re.findall(r"who: ([^;\"]+); ", draw(ff.figures.intents(table), caption="c"))}) == 2
    forest = draw(
        ff.figures.calibration_forest(accuracies([f"{'n' * 60}{i}" for i in range(2)])), caption="c"
    )
    assert forest.count(f">{'n' * 20}") == 2


def test_a_sign_at_which_labels_are_split_cuts_no_name() -> None:
    svg = draw(ff.figures.grader_bracket(bracket(["a|b", "c"])), caption="c")
    assert ">a¦b<" in svg


@pytest.mark.parametrize("name", [n for n in ff.figures.__all__ if n not in ("PAGE_WIDTH", "wide")])
def test_every_figure_says_what_it_does_not_show(name: str) -> None:
    said = (getattr(ff.figures, name).__doc__ or "").split("Args:")[0]
    assert name == "save_confusions" or re.search(r"\bnot\b", said), said


def luminance(color: str) -> float:
    """As grey paper shows it, in [0, 1] (Rec. 709 weights on the sRGB values)."""
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


LEAST = 0.15
"""How far the greys of two marks of one legend lie apart, where their shape is the same."""


@pytest.mark.parametrize("figure", list(FIGURES))
def test_grey_paper_tells_the_marks_of_a_legend_apart(figure: str) -> None:
    symbols = legend(draw(FIGURES[figure](["one", "two", "three", "four"]), caption="c"))
    for i, (shape, color) in enumerate(symbols):
        for other, its in symbols[i + 1 :]:
            assert shape != other or abs(luminance(color) - luminance(its)) >= LEAST, (figure, color, its)


def test_the_lines_of_coverage_differ_by_more_than_colour() -> None:
    table = pd.DataFrame(
        [
            (0.9, 0.9, asr, method, 1000, 0 if method == "naive" else 100, float("nan"), "sample", 0.9, 1.0)
            for method in ("naive", "Rogan-Gladen", "double sampling")
            for asr in (0.1, 0.5)
        ],
        columns=[
            "sensitivity", "specificity", "true_asr", "method", "corpus_n", "calibration_n", "icc", "labels",
            "coverage", "answered",
        ],
    )  # fmt: skip
    assert len({shape for shape, _ in legend(draw(ff.figures.coverage(table), caption="c"))}) == 3
    assert "nothing to show" in draw(ff.figures.coverage(table.iloc[:0]), caption="c")


def legend(svg: str) -> list[tuple[str, str]]:
    """Outline and colour of each mark of the legends."""
    marks = re.findall(r'role-legend-symbol"[^>]*>(.*?)</g>', svg, re.DOTALL)
    found = [re.search(r' d="([^"]+)"', mark) for mark in marks]
    colors = [re.search(r'(?:fill|stroke)="(#[0-9A-Fa-f]{6})"', mark) for mark in marks]
    return [(d[1], c[1]) for d, c in zip(found, colors, strict=True) if d and c]


def constructed() -> Card:
    run = ff.start("paper", as_of="2026-11-22")
    return ff.explain.constructed_card(run, found=10, missed=10, invented=5, refused=15)


@pytest.mark.parametrize("name", [SPECIAL, "n" * 180, "מודל עברי"])
def test_a_card_of_any_name_is_drawn_within_its_column(name: str) -> None:
    card = constructed().model_copy(update={"grader": name, "calibration_set": name})
    table = ff.cards_table([card])
    for chart in (
        ff.figures.confusion(card),
        ff.figures.confusions([card]),
        ff.figures.format_against_content(table),
    ):
        svg = draw(chart, caption="c")
        ElementTree.fromstring(svg)
        assert float(re.findall(r'width="([\d.]+)"', svg)[0]) <= COLUMN_WIDTH + 1
        assert len(name) < 100 or "n…" in svg


def test_many_cards_and_none_are_drawn_on_one_page() -> None:
    card = constructed()
    many = [card.model_copy(update={"grader": f"g{i}"}) for i in range(300)]
    for chart in (ff.figures.confusions(many), ff.figures.format_against_content(ff.cards_table(many))):
        svg = draw(chart, caption="c")
        assert re.search(r"and 29\d more: see the table", svg)
        assert float(re.findall(r'height="([\d.]+)"', svg)[0]) <= PAGE_HEIGHT
    none = ff.cards_table([card]).iloc[:0]
    for chart in (ff.figures.confusions([]), ff.figures.format_against_content(none)):
        assert "nothing to show" in draw(chart, caption="c")
