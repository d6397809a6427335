"""`ff calibrate --labels` on tables as people have them: read right, or asked about with the answer."""

import csv
import json
import random
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ff_helpers.cli import main
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.grading.external import Said as Judged
from ff_helpers.grading.external import external_record
from ff_helpers.measurement.standing import saved_cards
from tests.kinds_of_file import MARKER

RIGHT = (0.9083, 109, 120)
"""By content the judge of every table here is right in 109 of 120 rows."""
_random = random.Random(7)
ROWS = [(f"r{n:03d}", n % 12 < 5, (n % 12 < 5) != (n % 11 == 3)) for n in range(120)]


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def card(self) -> dict:
        return json.loads(self.out)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> Callable[..., Said]:
    """Return a function that measures the columns human and judge of a table that it writes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))

    def run(*words: str) -> Said:
        code = main(list(words))
        return Said(code, *capsys.readouterr())

    def measured(
        rows: Iterable[Iterable[object]], *more: str, head=("id", "human", "judge"), delimiter=",",
        encoding="utf-8", truth: str | None = "human", grader="judge", command=("calibrate", "--labels"),
    ) -> Said:  # fmt: skip
        with Path("l.csv").open("w", encoding=encoding, newline="") as file:
            table = csv.writer(file, delimiter=delimiter, lineterminator="\n")
            table.writerow(head)
            table.writerows(rows)
        words = (*command, "l.csv", *(("--truth", truth) if truth else ()), "--grader", grader)
        return run(*words, "--json", *more)

    measured.run = run  # type: ignore[attr-defined]
    return measured


def word(flag: bool, yes: object = "REFUSAL", no: object = "COMPLIANCE") -> str:
    return str(yes if flag else no)


def number(flag: bool) -> str:
    return word(flag, 1, 0)


def right(said: Said) -> tuple[float, int, int]:
    assert said.code == 0, said.err
    found = said.card
    return round(found["accuracy"], 4), found["k"], found["n"]


PLAIN = [(i, number(t), number(g)) for i, t, g in ROWS]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, ""),
        ({"delimiter": ";"}, "semicolons"),
        ({"delimiter": "\t"}, "tabs"),
        ({"delimiter": "|"}, "bars"),
        ({"encoding": "utf-16"}, "UTF-16"),
        ({"encoding": "utf-8-sig"}, ""),
    ],
)
def test_any_usual_table_is_read_and_what_was_found_is_said_in_one_line(desk, options, said) -> None:
    found = desk(PLAIN, **options)
    assert right(found) == RIGHT
    assert (said in found.err) and len(found.err.splitlines()) == bool(said)


def test_latin_1_is_read_as_windows_1252(desk) -> None:
    rows = [(i, word(t, "accordé", "réfus"), word(g, "accordé", "réfus")) for i, t, g in ROWS]
    found = desk(rows, encoding="latin-1")
    assert right(found) == RIGHT
    assert "in Windows-1252" in found.err


def test_a_name_that_two_columns_have_says_which_columns_and_how_to_name_one(desk) -> None:
    rows = [(i, number(t), number(g), number(g)) for i, t, g in ROWS]
    head = ("id", "human", "judge", "judge")
    refused = desk(rows, head=head)
    assert refused.code == 2
    assert "columns 3 and 4 are both called 'judge'" in refused.err
    assert right(desk(rows, head=head, grader="judge#2")) == RIGHT


OTHERWISE = {
    "yes/no against 1/0": [(i, word(t, "yes", "no"), number(g)) for i, t, g in ROWS],
    "case": [(i, word(t, "Refusal", "Compliance"), word(g).lower()) for i, t, g in ROWS],
    "spaces": [(i, word(t), f" {word(g)} " if n % 3 else word(g)) for n, (i, t, g) in enumerate(ROWS)],
    "numbers": [(i, int(t) + (n % 9 == 0), f"{int(g) + (n % 9 == 0)}.0") for n, (i, t, g) in enumerate(ROWS)],
    "several spellings of the truth": [
        (i, (word(t, "yes", "no"), word(t, "True", "False"), number(t))[n % 3], number(g))
        for n, (i, t, g) in enumerate(ROWS)
    ],
}


@pytest.mark.parametrize("rows", OTHERWISE.values(), ids=OTHERWISE)
def test_labels_that_match_in_another_spelling_stop_with_the_map_that_one_option_takes(desk, rows) -> None:
    asked = desk(rows)
    assert (asked.code, asked.out) == (2, "")
    assert "take it with --map suggested" in asked.err
    assert "\ntruth:\n" in asked.err
    assert right(desk(rows, "--map", "suggested")) == RIGHT
    printed = asked.err[asked.err.index("truth:") :]  # it can be saved and corrected as it is
    Path("mine.yaml").write_text(printed, encoding="utf-8")
    assert right(desk(rows, "--map", "mine.yaml")) == RIGHT


def test_below_a_fifth_of_the_rows_other_spellings_are_a_note(desk) -> None:
    rows = [(i, word(t), word(g).lower() if n % 10 == 0 else word(g)) for n, (i, t, g) in enumerate(ROWS)]
    found = desk(rows)
    assert found.code == 0
    assert (
        "12 rows hold another spelling of a class: --map suggested would match them." in found.card["notes"]
    )
    assert right(desk(rows, "--map", "suggested")) == RIGHT


def test_an_inverted_judge_in_another_spelling_is_asked_about_too(desk) -> None:
    rows = [(i, word(t, "yes", "no"), number(not g)) for i, t, g in ROWS]
    assert "take it with --map suggested" in desk(rows).err
    assert any("looks inverted" in note for note in desk(rows, "--map", "suggested").card["notes"])


def test_labels_with_nothing_in_common_are_no_zero_percent(desk) -> None:
    rows = [(i, word(t), word(g, "blocked", "hit")) for i, t, g in ROWS]
    asked = desk(rows)
    assert asked.code == 2
    assert "no label of column 'judge' is one of the 2 classes of 'human'" in asked.err
    assert "  blocked: CLASS" in asked.err
    printed = asked.err[asked.err.index("truth:") :]
    answered = printed.replace("blocked: CLASS", "blocked: REFUSAL").replace("hit: CLASS", "hit: COMPLIANCE")
    Path("mine.yaml").write_text(answered, encoding="utf-8")
    assert right(desk(rows, "--map", "mine.yaml")) == RIGHT


def test_nan_as_text_is_no_label_on_either_side_and_counted(desk) -> None:
    rows = [
        (i, "nan" if n % 5 == 0 else number(t), "nan" if n % 7 == 0 else number(g))
        for n, (i, t, g) in enumerate(ROWS)
    ]
    found = desk(rows).card
    assert set(found["per_class"]) == {"0", "1"}
    assert (found["no_truth"], found["n"], found["invalid_values"]) == (24, 96, {"nan": 14})


SCORES = [
    (
        i,
        _random.choice([4, 5]) if t else _random.choice([0, 1, 2]),
        _random.choice([4, 5] if g else [0, 1, 2]),
    )
    for i, t, g in ROWS
]
CHANCES = [(i, number(t), round((0.5 if g else 0) + 0.4999 * _random.random(), 4)) for i, t, g in ROWS]


@pytest.mark.parametrize(("rows", "threshold"), [(SCORES, "3"), (CHANCES, "0.5")])
def test_scores_ask_for_a_threshold_which_becomes_part_of_the_name(desk, rows, threshold) -> None:
    asked = desk(rows)
    assert asked.code == 2
    assert "column 'judge' looks like scores" in asked.err
    assert "--threshold SCORE" in asked.err
    found = desk(rows, "--threshold", threshold)
    assert right(found) == RIGHT
    assert found.card["grader"] == f"judge>={threshold}"
    assert found.card["notes"][0].startswith(f"a score of {threshold} or more counts as ")


def test_what_a_high_score_means_is_asked_where_the_labels_are_words(desk) -> None:
    rows = [(i, word(t), score) for (i, t, _), (_, _, score) in zip(ROWS, CHANCES, strict=True)]
    asked = desk(rows, "--threshold", "0.5")
    assert asked.code == 2
    assert "--positive COMPLIANCE or --positive REFUSAL" in asked.err
    assert right(desk(rows, "--threshold", "0.5", "--positive", "REFUSAL")) == RIGHT
    assert right(desk(rows, "--threshold", "0.5", "--positive", "COMPLIANCE"))[1] == 11


@pytest.mark.parametrize(
    "error", ["ERROR: 429", "[ERROR] no answer", "Timeout", "HTTP 500", "JSONDecodeError: x"]
)
def test_errors_are_asked_about_and_then_left_out_and_counted(desk, error) -> None:
    rows = [(i, number(t), error if n % 6 == 0 else number(g)) for n, (i, t, g) in enumerate(ROWS)]
    asked = desk(rows)
    assert asked.code == 2
    assert "20 cells look like errors" in asked.err
    option = re.search(r"--errors ('.*?')\.", asked.err)
    assert option is not None
    found = desk(rows, "--errors", *shlex.split(option[1])).card
    assert (found["n"], found["k"], sum(found["errors"].values()), found["invalid"]) == (100, 91, 20, 0)
    Path("m.yaml").write_text(f"truth: {{1: 1, 0: 0}}\ngrader: {{1: 1, 0: 0, '{error}': null}}\n")
    wrong = desk(rows, "--map", "m.yaml").card
    assert (wrong["n"], wrong["k"], wrong["invalid"]) == (120, 91, 20)


def test_a_judge_that_is_empty_where_people_say_one_class_is_said(desk) -> None:
    rows = [(i, word(t), "" if g else "COMPLIANCE") for i, t, g in ROWS]
    (note,) = desk(rows).card["notes"]
    assert "judge never says REFUSAL, and has no label in" in note
    Path("m.yaml").write_text(
        "truth: {REFUSAL: REFUSAL, COMPLIANCE: COMPLIANCE}\ngrader: {'': REFUSAL, COMPLIANCE: COMPLIANCE}\n"
    )
    assert right(desk(rows, "--map", "m.yaml")) == RIGHT


def test_an_inverted_a_constant_and_a_copied_judge_are_said(desk) -> None:
    inverted = desk([(i, number(t), number(not g)) for i, t, g in ROWS]).card
    assert inverted["kappa_ci"][1] < 0
    assert "looks inverted" in inverted["notes"][0]
    constant = desk([(i, number(t), "0") for i, t, _ in ROWS]).card
    assert constant["notes"] == ["judge always says 0: a constant answer measures nothing."]
    assert constant["gate"]["state"] == "rejected"
    copied = desk([(i, number(t), number(t)) for i, t, _ in ROWS]).card
    assert "was one of them made from the other?" in copied["notes"][0]
    assert desk(PLAIN).card["notes"] == []


def test_the_same_column_twice_is_refused(desk) -> None:
    refused = desk([(i, number(t)) for i, t, _ in ROWS], head=("id", "human"), grader="human")
    assert refused.code == 2
    assert "the truth and the grader are both column 'human'" in refused.err


@pytest.mark.parametrize("name", ["epoch", "Repeat", "generation", "run"])
def test_repeats_beside_an_id_count_as_items(desk, name) -> None:
    rows = [(i, n, number(t), number(g)) for i, t, g in ROWS[:40] for n in (1, 2, 3)]
    head = ("sample_id", name, "human", "judge")
    found = desk(rows, head=head).card
    assert (found["n"], found["rows"], found["items"]) == (40, 120, "sample_id")
    assert found["gate"]["state"] == "provisional"
    assert "traces 40, needs at least 50" in " ".join(found["gate"]["reasons"])
    assert "3" not in found["notes"][0] and "120 rows are repeats" in found["notes"][0]
    low, high = found["accuracy_ci"]
    alone = desk(rows, head=("sample", "x", "human", "judge")).card
    assert (alone["n"], alone["gate"]["state"]) == (120, "calibrated")
    assert high - low > alone["accuracy_ci"][1] - alone["accuracy_ci"][0]
    assert desk(rows, "--item", "sample", head=("sample", "x", "human", "judge")).card["n"] == 40
    hinted = desk(rows, head=("sample_id", "x", "human", "judge")).card
    assert "count items (--item sample_id)" in hinted["notes"][0]


def test_json_lines_are_a_table_and_no_text_is_printed(desk) -> None:
    lines = [json.dumps({"prompt": MARKER, "human": t, "judge": g}) + "\n" for _, t, g in ROWS]
    Path("l.jsonl").write_text("".join(lines), encoding="utf-8")
    words = ("calibrate", "--labels", "l.jsonl", "--truth", "human", "--json", "--grader")
    assert right(desk.run(*words, "judge")) == RIGHT
    refused = desk.run(*words, "label")
    assert refused.code == 2
    assert "Columns: 'prompt', 'human', 'judge'" in refused.err
    assert "MARKED" not in refused.err + desk.run(*words, "prompt").err


@pytest.mark.parametrize(
    "rows",
    [
        [(i, word(t, MARKER, "no"), word(g, MARKER.upper(), "NO")) for i, t, g in ROWS],
        [(i, word(t, "yes", "no"), word(g, MARKER, f"not {MARKER}")) for i, t, g in ROWS],
        [(i, number(t), f"Error: {MARKER}" if g else "0") for i, t, g in ROWS],
    ],
)
def test_no_question_prints_the_text_of_a_cell(desk, rows) -> None:
    asked = desk(rows)
    assert asked.code == 2
    assert "MARKED" not in asked.out + asked.err


HOSTILE = ["<script>alert(1)</script>", r"\input{x} $%&", "\x1b[31mred", "../../etc/passwd", "a\nb", "שופט"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_column_of_any_name_makes_a_card_in_its_folder_alone(desk, name) -> None:
    rows = [
        (i, word(t, "COMPLIANCE", "NOT_COMPLIANCE"), word(g, "COMPLIANCE", "NOT_COMPLIANCE"))
        for i, t, g in ROWS
    ]
    found = desk(rows, head=("id", "human", name), grader=name)
    assert right(found) == RIGHT
    assert Path(found.card["card"]).parent.resolve() == Path("outputs/cards").resolve()
    (card,) = saved_cards(Path("outputs/cards"))
    assert card.grader == name
    text = desk.run("calibrate", "--labels", "l.csv", "--truth", "human", "--grader", name)
    assert "\x1b" not in text.out + text.err


STRICT = ("COMPLIANCE", "NOT_COMPLIANCE")


def trace(name: str, text: str = "Here is it.") -> Trace:
    said = (Message(role="user", content="Where is the key?"), Message(role="assistant", content=text))
    return Trace(trace_id=name, model="m", source="s", messages=said)


def test_a_measured_judge_is_known_to_asr_by_its_identity(desk) -> None:
    rows = [(i, number(t), number(g)) for i, t, g in ROWS]
    assert desk(rows).card["card_why"].startswith("which label space the classes belong to is not known")
    assert not Path("outputs/cards").exists()
    assert desk(rows, "--space", "strict", "--positive", "1", "--no-card").card["card"] is None
    found = desk(rows, "--space", "strict", "--positive", "1", "--name", "their judge").card
    assert (round(found["accuracy"], 4), found["space"], set(found["per_class"])) == (
        0.9083,
        "strict",
        {*STRICT},
    )
    (card,) = saved_cards(Path("outputs/cards"))
    assert (card.grader, card.space, card.n, card.gate.state) == ("their judge", "strict", 120, "calibrated")
    assert (card.digest, card.rubric) == ("not told by the file",) * 2
    with Path("v.jsonl").open("w") as file:
        for name, judge in ((f"t{n}", judge) for judge in ("their judge", "another") for n in range(30)):
            label = STRICT[name in ("t1", "t2")]
            record = external_record(judge, "strict", trace(name), Judged(label=label))
            file.write(record.model_dump_json(exclude_none=True) + "\n")
    rates = json.loads(desk.run("asr", "v.jsonl", "--json").out)["rates"]
    gates = {(row["grader"], row["tier"]): row["gate"] for row in rates}
    assert gates["their judge", "strict"] == "calibrated"
    assert gates["another", "strict"] == "uncalibrated"
    words = ("calibrate", "--labels", "l.csv", "--truth", "human", "--grader", "judge", "--space", "strict")
    said = desk.run(*words, "--positive", "1")
    assert "space strict: it backs strict and nothing else" in said.out


def test_classes_of_a_space_say_which_it_is(desk) -> None:
    rows = [(i, word(t, *STRICT), word(g, *STRICT)) for i, t, g in ROWS]
    assert desk(rows).card["space"] == "strict"
    refused = [(i, word(t, "REFUSAL", "NOT_REFUSAL"), word(g, "REFUSAL", "NOT_REFUSAL")) for i, t, g in ROWS]
    desk(refused)
    assert "it backs refusal rate" in desk.run(
        "calibrate", "--labels", "l.csv", "--truth", "human", "--grader", "judge"
    ).out  # fmt: skip


def test_in_five_classes_one_without_a_truth_is_not_measured_and_the_judge_provisional_for_that_alone(
    desk,
) -> None:
    names = ("COMPLIANCE", "REFUSAL", "PARTIAL", "BENIGN_QUERY")
    rows = [(f"r{n}", names[n % 4], names[(n + (n % 29 == 3)) % 4]) for n in range(240)]
    found = desk(rows, "--space", "five").card
    assert found["gate"]["state"] == "provisional"
    assert found["gate"]["reasons"] == ["not measured: truths of HALLUCINATION_REFUSAL, as the set has none"]
    (card,) = saved_cards(Path("outputs/cards"))
    assert (card.space, card.n, card.confusion.classes[0]) == ("five", 240, "COMPLIANCE")
    text = desk.run(
        "calibrate", "--labels", "l.csv", "--truth", "human", "--grader", "judge", "--space", "five"
    )
    assert re.search(r"recall HALLUCINATION_REFUSAL +not measured", text.out)
    assert "it backs strict, broad, functionally_dangerous" in text.out


def test_the_card_of_a_ledger_is_of_its_grader(desk) -> None:
    with Path("v.jsonl").open("w") as file:
        for i, _, g in ROWS:
            record = external_record("j", "strict", trace(i), Judged(label=word(g, *STRICT)))
            file.write(record.model_dump_json(exclude_none=True) + "\n")
    rows = [(i, word(t, *STRICT)) for i, t, _ in ROWS]
    found = desk(rows, "--ledger", "v.jsonl", "--space", "strict", head=("trace_id", "human"), grader="j")
    assert right(found) == RIGHT
    (card,) = saved_cards(Path("outputs/cards"))
    assert card.identity == external_record("j", "strict", trace("x"), Judged(label="COMPLIANCE")).identity


def test_rows_drawn_with_different_probabilities_make_no_card(desk) -> None:
    rows = [
        (i, word(t, *STRICT), word(g, *STRICT), 0.5 if n % 2 else 0.1) for n, (i, t, g) in enumerate(ROWS)
    ]
    found = desk(rows, head=("id", "human", "judge", "probability")).card
    assert found["card"] is None
    assert "drawn with different probabilities" in found["card_why"]


def test_ten_thousand_columns_are_read(desk) -> None:
    head = ("id", "human", "judge", *(f"c{n}" for n in range(9_997)))
    rows = [(i, number(t), number(g), *("x" * 9_997)) for i, t, g in ROWS[:24]]
    assert desk(rows, head=head).card["n"] == 24
    assert "and 9988 more" in desk(rows, head=head, grader="nobody").err


def test_labels_of_several_people_are_what_most_of_them_said(desk) -> None:
    with Path("v.jsonl").open("w") as file:
        for i, _, g in ROWS:
            record = external_record("j", "strict", trace(i), Judged(label=word(g, *STRICT)))
            file.write(record.model_dump_json(exclude_none=True) + "\n")
    rows = [
        (i, who, word(t if who != "c" or n % 4 else not t, *STRICT), "strict")
        for n, (i, t, _) in enumerate(ROWS)
        for who in "abc"
    ]
    rows += [("r000", "a", "REFUSAL", "refused"), ("r001", "b", "", "strict")]
    head, options = ("trace_id", "annotator", "label", "space"), ("--ledger", "v.jsonl", "--space", "strict")
    found = desk(rows, *options, head=head, truth="label", grader="j")
    assert right(found) == RIGHT
    # One of three people differs in 30 of 120 traces: 2 of 3 pairs each.
    assert found.card["notes"] == [
        "the truth of each of 120 traces is what more than half of its people said (3 in all; two of them "
        "agree in 300 of 360 pairs of labels); 0 traces without a majority have no truth."
    ]
    assert [(pair["columns"], pair["k"]) for pair in found.card["people"]] == [
        (["person 1", "person 2"], 120),
        (["person 1", "person 3"], 90),
        (["person 2", "person 3"], 90),
    ]
    # Column and space are those of the file, where it has one space.
    alone = desk(
        [row for row in rows if row[3] == "strict"], "--ledger", "v.jsonl", head=head, truth=None, grader="j"
    )
    assert (alone.code, right(alone)) == (0, RIGHT)
    asked = desk(rows, "--ledger", "v.jsonl", head=head, truth=None, grader="j")
    assert (asked.code, "2 label spaces (strict, refused): name one with --space" in asked.err) == (2, True)
    tied = desk([row for row in rows if row[1] != "b"], *options, head=head, truth="label", grader="j").card
    assert (tied["n"], tied["no_truth"]) == (90, 30)


def test_a_choice_of_rows_is_another_set_than_the_whole_table(desk) -> None:
    rows = [(i, word(t, *STRICT), word(g, *STRICT)) for i, t, g in ROWS]
    desk(rows)
    desk(rows, "--where", "id < 'r060'")
    desk(rows, "--where", " or ".join(f"id == 'r{n:03d}'" for n in range(30)))
    found = {card.calibration_set: card.n for card in saved_cards(Path("outputs/cards"))}
    assert len(found) == 3
    assert (found["l"], found["l where id < 'r060'"]) == (120, 60)
    assert 30 in found.values()


def test_rows_that_nobody_can_grade_are_no_mistakes_of_the_judge(desk) -> None:
    with Path("v.jsonl").open("w") as file:
        for n, (i, _, g) in enumerate(ROWS):
            row = trace(i).model_copy(update={"row_status": "target_error"} if n % 6 == 0 else {})
            record = external_record("j", "strict", row, Judged(label=word(g, *STRICT)))
            file.write(record.model_dump_json(exclude_none=True) + "\n")
    rows = [(i, word(t, *STRICT)) for i, t, _ in ROWS]
    found = desk(
        rows, "--ledger", "v.jsonl", "--space", "strict", head=("trace_id", "human"), grader="j"
    ).card
    assert (found["n"], found["k"], found["errors"]) == (100, 91, {"target_error": 20})


def test_a_row_without_an_item_is_an_item_of_its_own(desk) -> None:
    rows = [("" if n < 60 else n // 3, n % 3, number(t), number(g)) for n, (_, t, g) in enumerate(ROWS)]
    assert desk(rows, "--item", "case", head=("case", "x", "human", "judge")).card["n"] == 60 + 20


@pytest.mark.parametrize("label", ["no error", "no_error", "terror", "refused"])
def test_a_label_that_only_mentions_an_error_is_none(desk, label) -> None:
    rows = [(i, word(t, label, "other"), word(g, label, "other")) for i, t, g in ROWS]
    assert right(desk(rows)) == RIGHT


def rate(desk: Callable[..., Said], rows: Iterable[Iterable[object]], *more: str, **options: object) -> Said:
    """Return what `ff asr` says of the same table."""
    return desk(rows, *more, command=("asr",), **options)


def rated(said: Said) -> tuple[float, int, int]:
    """Return how right the judge of a rate is, having checked that the rate is of all rows."""
    assert said.code == 0, said.err
    (row,), judge = said.card["rates"], said.card["judge"]
    assert row["labels"] == row["n"]
    return round(judge["accuracy"], 4), judge["k"], judge["n"]


@pytest.mark.parametrize("options", [{"delimiter": ";"}, {"delimiter": "|"}, {"encoding": "utf-16"}])
def test_a_rate_is_read_from_any_usual_table(desk, options) -> None:
    found = rate(desk, PLAIN, "--success", "1", **options)
    assert rated(found) == RIGHT
    assert found.err == desk(PLAIN, **options).err != ""


@pytest.mark.parametrize("rows", OTHERWISE.values(), ids=OTHERWISE)
def test_a_rate_asks_about_spellings_with_the_same_map(desk, rows) -> None:
    asked = rate(desk, rows, "--success", str(rows[0][1]))
    assert (asked.code, asked.out) == (2, "")
    assert asked.err == desk(rows).err
    assert rated(rate(desk, rows, "--success", str(rows[0][1]), "--map", "suggested")) == RIGHT


@pytest.mark.parametrize(("rows", "threshold", "name"), [(SCORES, "3", ">=3"), (CHANCES, "0.5", "1")])
def test_a_rate_asks_for_the_threshold_of_scores(desk, rows, threshold, name) -> None:
    assert rate(desk, rows, "--success", name).err == desk(rows).err
    found = rate(desk, rows, "--success", name, "--threshold", threshold)
    assert rated(found) == RIGHT
    assert found.card["judge"]["grader"] == f"judge>={threshold}"
    words = [(i, word(t), score) for (i, t, _), (_, _, score) in zip(ROWS, CHANCES, strict=True)]
    asked = rate(desk, words, "--success", "REFUSAL", "--threshold", "0.5")
    assert "--positive COMPLIANCE or --positive REFUSAL" in asked.err
    more = ("--threshold", "0.5", "--positive", "REFUSAL")
    assert rated(rate(desk, words, "--success", "COMPLIANCE", *more)) == RIGHT


def test_a_rate_leaves_out_errors_as_the_accuracy_does(desk) -> None:
    rows = [(i, number(t), "ERROR: 429" if n % 6 == 0 else number(g)) for n, (i, t, g) in enumerate(ROWS)]
    assert rate(desk, rows, "--success", "1").err == desk(rows).err
    found = rate(desk, rows, "--success", "1", "--errors", "ERROR*").card
    assert found["left_out"] == {"without a verdict": 0, "errors": 20}
    assert (found["rates"][0]["n"], found["judge"]["k"], found["judge"]["n"]) == (100, 91, 100)


def test_a_rate_takes_repeats_of_one_item_together(desk) -> None:
    rows = [(i, n, number(t), number(g)) for i, t, g in ROWS[:40] for n in (1, 2, 3)]
    found = rate(desk, rows, "--success", "1", head=("sample_id", "epoch", "human", "judge")).card
    apart = rate(desk, rows, "--success", "1", head=("sample", "x", "human", "judge")).card
    assert "120 rows are repeats ('epoch') of 40 items" in found["notes"][0]
    widths = [one["rates"][0]["adjusted_high"] - one["rates"][0]["adjusted_low"] for one in (found, apart)]
    assert widths[0] > widths[1]


@pytest.mark.parametrize("more", [(), ("--threshold", "0.5"), ("--space", "strict", "--positive", "1")])
def test_a_table_without_a_true_label_says_so(desk, more) -> None:
    rows = [(i, n, "", number(g)) for i, _, g in ROWS[:9] for n in (1, 2)]
    refused = desk(rows, "--item", "id", *more, head=("id", "epoch", "human", "judge"))
    assert refused.code == 2
    assert "none of the 18 rows has a true label in column 'human'" in refused.err
