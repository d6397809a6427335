"""`ff sample` and `ff asr` with labels, as a user types them."""

import csv
import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from ff_helpers.cli import main
from ff_helpers.measurement.calibration.calibrate import calibrate
from tests.drawn_study import NO, YES, fill, write_study
from tests.verdict_rows import rows


@pytest.fixture
def study(tmp_path, monkeypatch, make_trace):
    monkeypatch.chdir(tmp_path)
    return write_study(tmp_path, make_trace)


DRAW = ["sample", "verdicts.jsonl", "--traces", "traces.jsonl", "--out", "labels.csv"]
RATE = ["asr", "verdicts.jsonl", "--traces", "traces.jsonl", "--labels", "labels.csv"]


def test_draw_label_adjust(study, capsys):
    assert main([*DRAW, "--n", "100"]) == 0
    assert "100 traces to label; 100 without a truth" in capsys.readouterr().out
    fill(study / "labels.csv", lambda n: "COMPLIANCE" if n < 30 else "NOT_COMPLIANCE")
    assert main([*RATE, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rates"]
    assert (row["k"], row["n"], row["labels"]) == (40, 100, 100)
    assert row["adjusted"] == pytest.approx(0.3)
    assert main([*RATE, "--by", "model"]) == 0
    said = capsys.readouterr().out
    assert "40.0% [30.9, 49.8]" not in said
    assert "30.0% [19.1, 43.8]" in said  # 15 of 50 of each model, Wilson


def test_the_labels_of_an_import_adjust_by_their_majority(study, capsys):
    """`labels.csv` of `ff import` has a row per person and trace, and tells its space."""
    with (study / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("trace_id", "annotator", "label", "space"))
        for n in range(100):
            said = ["COMPLIANCE" if n < 30 else "NOT_COMPLIANCE"] * 2 + ["NOT_COMPLIANCE"]
            writer.writerows((f"t{n}", who, label, "strict") for who, label in zip("abc", said, strict=True))
    assert main([*RATE, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rates"]
    assert (row["k"], row["labels"], row["adjusted"]) == (40, 100, pytest.approx(0.3))
    assert main([*RATE, "--by", "attack", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rates"]
    assert [(row["attack"], row["n"]) for row in rows] == [("not recorded", 10), ("x", 50), ("y", 40)]
    assert main(["labels", "compare", "labels.csv"]) == 0
    assert "in dispute 0" in " ".join(capsys.readouterr().out.split())
    labels = (study / "labels.csv").read_bytes()
    assert main([*DRAW, "--n", "10"]) == 2
    assert "no design stands beside it" in capsys.readouterr().err
    assert (study / "labels.csv").read_bytes() == labels


def test_verdicts_in_parquet_are_adjusted_alike_and_a_failed_row_has_no_verdict(study, capsys):
    import duckdb

    assert main([*DRAW, "--n", "60"]) == 0
    fill(study / "labels.csv", lambda n: "COMPLIANCE" if n < 30 else "NOT_COMPLIANCE")
    capsys.readouterr()
    assert main([*RATE, "--json"]) == 0
    (first,) = json.loads(capsys.readouterr().out)["rates"]
    duckdb.read_json("verdicts.jsonl").write_parquet("verdicts.parquet")
    assert main([RATE[0], "verdicts.parquet", *RATE[2:], "--json"]) == 0
    (again,) = json.loads(capsys.readouterr().out)["rates"]
    assert again == first
    lines = (study / "traces.jsonl").read_text().splitlines()
    failed = next(n for n, line in enumerate(lines) if json.loads(line)["trace_id"] == "t99")
    lines[failed] = json.dumps(json.loads(lines[failed]) | {"row_status": "target_error"})
    (study / "traces.jsonl").write_text("\n".join(lines) + "\n")
    assert main([*RATE, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["left_out"]["without a verdict"], found["rates"][0]["n"]) == (1, 99)


def test_the_best_split_rests_on_a_guess_and_then_on_the_labels(study, capsys):
    assert main([*DRAW, "--n", "20", "--rate", "0.3", "--se", "0.9", "--sp", "0.85"]) == 0
    assert "in the best split by verdict (tier strict)" in capsys.readouterr().out
    assert json.loads((study / "labels.csv.json").read_text())["expected"]["labels"] == 0
    fill(study / "labels.csv", lambda n: "COMPLIANCE" if n < 30 else "NOT_COMPLIANCE")
    assert main([*DRAW, "--n", "40", "--design", "best"]) == 0
    assert "true, by 20 labels; a bad guess" in capsys.readouterr().out
    assert main([*RATE, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rates"]
    assert row["labels"] == 20
    assert row["adjusted_low"] < 0.3 < row["adjusted_high"]


def sure_of(study, of):
    """Give the records of the first `of` traces the probability of a success, as a server would."""
    records = [json.loads(line) for line in (study / "verdicts.jsonl").read_text().splitlines()]
    for n, record in enumerate(records[:of]):
        hit = record["verdict"] == "COMPLIANCE"
        record["probabilities"] = {"COMPLIANCE": 0.5 + n / 100 if hit else n / 200}
    (study / "verdicts.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


def test_label_probabilities_split_verdicts_where_they_are_recorded(study, capsys):
    sure_of(study, 90)
    assert main([*DRAW, "--n", "80", "--design", "by-verdict", "--soft"]) == 0
    said = capsys.readouterr().out
    assert "more of the rows that the grader was less sure of" in said
    assert "all rows / hit / c" in said
    assert "all rows / other / -" in said
    fill(study / "labels.csv", lambda n: "COMPLIANCE" if n < 30 else "NOT_COMPLIANCE")
    for more in ([], ["--soft"]):
        assert main([*RATE, "--json", *more]) == 0
        told = json.loads(capsys.readouterr().out)
        (row,) = told["rates"]
        assert "strata by verdict and label probability" in row["note"]
        assert row["adjusted_low"] < 0.3 < row["adjusted_high"]
        (note,) = told["notes"]
        assert note.startswith("10 of 100 rows of g have no label probabilities")
    assert main([*DRAW, "--n", "90", "--design", "by-verdict"]) == 2
    assert "it was drawn otherwise (soft" in capsys.readouterr().err
    assert main([*DRAW, "--n", "90", "--design", "by-verdict", "--soft"]) == 0


def test_parts_of_a_verdict_add_to_a_draw_by_verdict(study, capsys):
    sure_of(study, 100)
    assert main([*DRAW, "--n", "30", "--design", "by-verdict"]) == 0
    first = (study / "labels.csv").read_text()
    assert main([*DRAW, "--n", "60", "--design", "by-verdict", "--soft"]) == 0
    less, more = (
        {line.split(",")[0] for line in text.splitlines()}
        for text in (first, (study / "labels.csv").read_text())
    )
    assert less < more


def test_soft_without_probabilities_says_so(study, capsys):
    assert main([*DRAW, "--n", "60"]) == 0
    fill(study / "labels.csv", lambda n: "COMPLIANCE" if n < 30 else "NOT_COMPLIANCE")
    capsys.readouterr()
    assert main([*RATE, "--soft"]) == 0
    assert "note: 100 of 100 rows of g have no label probabilities" in capsys.readouterr().out
    assert main(["asr", "verdicts.jsonl", "--soft"]) == 2
    assert "--soft goes with --labels" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--design", "best"), "labels.csv has no label yet"),
        (("--rate", "0.3"), "give --se, --sp too"),
        (("--rate", "0.3", "--design", "random"), "go with --design best"),
    ],
)
def test_a_best_split_without_a_guess_says_what_to_do(study, capsys, words, said):
    assert main([*DRAW, "--n", "20", *words]) == 2
    assert said in capsys.readouterr().err
    assert not (study / "labels.csv").exists()


def test_scenarios_are_drawn_whole_and_their_labels_adjust(study, capsys):
    assert main([*DRAW, "--n", "40", "--by-scenario", "--design", "by-verdict"]) == 0
    said = capsys.readouterr().out
    assert "scenario by scenario" in said
    assert "20 of 40 scenarios" in said
    fill(study / "labels.csv", lambda n: "COMPLIANCE" if n < 30 else "NOT_COMPLIANCE")
    assert main([*RATE, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rates"]
    assert row["adjusted_low"] < 0.3 < row["adjusted_high"]


def test_a_part_of_the_labels_is_enough_and_more_can_be_drawn(study, capsys):
    assert main([*DRAW, "--n", "30", "--design", "by-verdict", "--by", "model"]) == 0
    fill(study / "labels.csv", lambda n: "COMPLIANCE" if n < 30 else "NOT_COMPLIANCE")
    assert main([*DRAW, "--n", "50", "--design", "by-verdict", "--by", "model"]) == 0
    assert "50 traces to label, 30 of them from before; 20 without a truth" in capsys.readouterr().out
    assert main([*RATE, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rates"]
    assert row["labels"] == 30
    assert row["adjusted_low"] < 0.3 < row["adjusted_high"]
    assert row["method"] == "double sampling"


def test_few_labels_say_so_instead_of_a_number(study, capsys):
    assert main([*DRAW, "--n", "12"]) == 0
    fill(study / "labels.csv", lambda n: "NOT_COMPLIANCE")
    capsys.readouterr()
    assert main([*RATE, "--by", "model"]) == 0
    assert "too few labels: 7, at least 10 are needed" in capsys.readouterr().out


def test_only_a_rate_that_is_shown_to_be_low_enough_passes_the_limit(study, capsys):
    """30 of 100 true: at a rate of 35% so few have a probability of .17, at 40% of .02."""
    main([*DRAW, "--n", "100"])
    fill(study / "labels.csv", lambda n: "COMPLIANCE" if n < 30 else "NOT_COMPLIANCE")
    codes = {limit: main([*RATE, "--max-rate", limit]) for limit in ("0.1", "0.35", "0.4")}
    assert codes == {"0.1": 1, "0.35": 1, "0.4": 0}
    said = capsys.readouterr().out
    assert "g strict: no (p = 0.173, exact test)\nThe gate does not pass." in said
    assert "g strict: yes (p = 0.025, exact test)\nThe gate passes." in said
    assert main([*RATE, "--max-rate", "0.5", "--least", "101"]) == 1  # too few labels show nothing


def test_the_gate_of_a_sample_by_verdict_and_of_scenarios(tmp_path, monkeypatch, make_trace, capsys):
    monkeypatch.chdir(tmp_path)
    for runs, by in ((1, "exact test"), (5, "interval: several traces of one scenario")):
        write_study(tmp_path, make_trace, size=500, runs=runs)
        words = [*DRAW[:-1], f"{runs}.csv", "--n", "60", "--design", "by-verdict"]
        assert main([*words, *(["--by-scenario"] if runs > 1 else [])]) == 0
        fill(tmp_path / f"{runs}.csv", lambda n: "COMPLIANCE" if n < 150 else "NOT_COMPLIANCE")
        for limit, code in (("0.45", 0), ("0.2", 1)):
            capsys.readouterr()
            assert main([*RATE[:-1], f"{runs}.csv", "--max-rate", limit, "--json"]) == code
            found = json.loads(capsys.readouterr().out)
            assert found["gate"] == {"max_rate": float(limit), "alpha": 0.05, "passed": code == 0}
            assert [(row["shown"], row["limit_by"]) for row in found["rates"]] == [(code == 0, by)]


def test_an_interval_that_allows_to_stop_at_any_time_says_its_price(
    tmp_path, monkeypatch, make_trace, capsys
):
    """Half of 80 traces are labelled so far; the price is higher where more were planned."""
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path, make_trace, size=500)
    main([*DRAW, "--n", "80", "--design", "by-verdict"])
    rows = pd.read_csv("labels.csv", dtype="object")
    rows["truth"] = [YES if int(i[1:]) < 150 else NO for i in rows["trace_id"]]
    rows.loc[rows.index % 2 == 1, "truth"] = ""
    rows.to_csv("labels.csv", index=False)
    found = {}
    for words in ((), ("--anytime",), ("--anytime", "--planned", "250")):
        capsys.readouterr()
        assert main([*RATE, *words, "--json"]) == 0
        (found[words],) = json.loads(capsys.readouterr().out)["rates"]
    usual, stopping, late = found.values()
    assert stopping["adjusted"] == usual["adjusted"]
    assert stopping["adjusted_low"] < usual["adjusted_low"]
    assert usual["adjusted_high"] < stopping["adjusted_high"]
    width = stopping["adjusted_high"] - stopping["adjusted_low"]
    assert stopping["price"] == pytest.approx(width / (usual["adjusted_high"] - usual["adjusted_low"]))
    assert 1.4 < stopping["price"] < late["price"] < 2
    assert main([*RATE, "--anytime", "--max-rate", "0.55"]) == 0
    said = capsys.readouterr().out
    assert f"The price: they are {stopping['price']:.1f} times as wide" in said
    assert "yes (interval: it holds at every number of labels)" in said
    rows.loc[rows.index > 50, "truth"] = ""
    rows.to_csv("labels.csv", index=False)
    assert main([*RATE, "--anytime"]) == 0
    assert "too few labels: 26, at least 30 are needed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([*RATE[:2], "--labels", "labels.csv"], "--labels needs --traces"),
        ([*RATE, "--by", "colour"], "no trace has the tag 'colour'. Tags that occur: attack"),
        ([*RATE, "--by", "hit"], "--by hit: a column of the table"),
        ([*RATE, "--tier", "broad"], "do not decide the tier broad. They decide: strict"),
        ([*RATE, "--grader", "nobody"], "no grader nobody"),
        ([*RATE[:4], "--grader", "g"], "--grader goes with --labels"),
        ([*RATE[:4], "--max-rate", "0.1"], "--max-rate goes with --labels"),
        ([*RATE[:4], "--anytime"], "--anytime goes with --labels"),
        ([*RATE, "--planned", "50"], "--planned N goes with --anytime"),
        ([*RATE, "--anytime", "--planned", "20"], "--planned 20: at least 30"),
        ([*RATE, "--max-rate", "10"], "--max-rate 10: must be above 0 and below 1"),
        (["asr", "verdicts.jsonl", "--success", "1"], "--success is for tables"),
    ],
)
def test_what_does_not_go_together_says_what_does(study, capsys, words, problem):
    main([*DRAW, "--n", "20"])
    assert main(words) == 2
    assert problem in capsys.readouterr().err


TABLE = ["asr", "evals.csv", "--truth", "human", "--grader", "judge"]


@pytest.fixture
def table(tmp_path, monkeypatch):
    """1,000 rows, of which every fifth is labelled; the judge calls 300 a success, of which 200 are."""
    monkeypatch.chdir(tmp_path)
    lines = ["judge,human,model"]
    for n in range(1000):
        judge, human = int(n % 10 < 3), int(n % 10 < 2)
        lines.append(f"{judge},{human if (n // 10) % 5 == 0 else ''},{'ab'[n % 2]}")
    (tmp_path / "evals.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_a_table_goes_to_an_adjusted_rate_in_one_line(table, capsys):
    assert main([*TABLE, "--success", "1"]) == 0
    said = capsys.readouterr().out
    assert "30.0% [27.2, 32.9]" in said
    assert "20.0% [" in said
    assert "at random among all rows (assumed: a table does not tell)" in said


def test_a_table_that_allows_to_stop_says_how_many_labels_were_planned(table, capsys):
    assert main([*TABLE, "--success", "1", "--anytime"]) == 2
    assert "how many labels of a row were planned before the first look" in capsys.readouterr().err
    assert main([*TABLE, "--success", "1", "--anytime", "--planned", "200"]) == 0
    assert "labelling may stop at any time" in capsys.readouterr().out


def test_labels_that_were_picked_are_told(table, capsys):
    rows = (table / "evals.csv").read_text().splitlines()
    picked = [row.replace(",1,", ",,").replace(",0,", ",,") for row in rows[201:]]
    (table / "evals.csv").write_text("\n".join([*rows[:201], *picked]) + "\n")
    assert main([*TABLE, "--success", "1"]) == 0
    assert "Labelled rows differ from the others by place in the file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "which value of both is the attack's success"),
        (["--success", "yes"], "--success yes: no true label says so. The classes are: 1, 0"),
        (["--success", "1", "--by", "colour"], "there is no column 'colour'"),
        (["--success", "1", "--grader", "human"], "the same column"),
    ],
)
def test_a_direction_is_asked_never_guessed(table, capsys, words, problem):
    assert main([*TABLE, *words]) == 2
    assert problem in capsys.readouterr().err


def test_other_spellings_are_asked_about_though_only_unlabelled_rows_have_them(table, capsys):
    text = (table / "evals.csv").read_text()
    (table / "evals.csv").write_text(text.replace("\n1,,", "\nyes,,"))
    assert main([*TABLE, "--success", "1"]) == 2
    said = capsys.readouterr().err
    assert "in 240 of 1000 rows the labels differ in spelling" in said
    assert "take it with --map suggested" in said
    assert main([*TABLE, "--success", "1", "--map", "suggested"]) == 0
    assert "30.0% [27.2, 32.9]" in capsys.readouterr().out


def test_one_value_without_a_class_is_asked_about_with_the_map_to_fill_in(table, capsys):
    """In a rate every row counts, so that a word of the judge is never silently no success."""
    text = (table / "evals.csv").read_text()
    (table / "evals.csv").write_text(text.replace("\n0,,", "\nmaybe,,", 1))
    assert main([*TABLE, "--success", "1"]) == 2
    said = capsys.readouterr().err
    assert "in 1 rows judge has values that are not among the classes of human: maybe" in said
    (table / "m.yaml").write_text(said[said.index("truth:") :].replace("maybe: CLASS", "maybe: null"))
    assert main([*TABLE, "--success", "1", "--map", "m.yaml", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["left_out"] == {"without a verdict": 1, "errors": 0}
    assert (found["rates"][0]["k"], found["rates"][0]["n"]) == (300, 999)


def test_the_judge_stands_beside_its_rate(table, capsys):
    """200 labels; the judge is wrong on the 20 of them that it alone calls a success."""
    assert main([*TABLE, "--success", "1"]) == 0
    assert "judge against human: right on 90.0%" in capsys.readouterr().out
    assert main([*TABLE, "--success", "1", "--json"]) == 0
    judge = json.loads(capsys.readouterr().out)["judge"]
    assert (judge["k"], judge["n"], judge["gate"]["state"]) == (180, 200, "calibrated")


def test_a_success_that_no_person_found_is_a_rate_of_zero_and_no_refusal(table, capsys):
    text = (table / "evals.csv").read_text().replace("1,1,", "hit,miss,").replace(",0,", ",miss,")
    text = text.replace("\n1,", "\nhit,").replace("\n0,", "\nmiss,")
    (table / "evals.csv").write_text(text)
    assert main([*TABLE, "--success", "hit", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rates"]
    assert (row["k"], row["n"], row["adjusted"] < 0.03) == (300, 1000, True)


def test_a_column_of_the_rates_cannot_be_counted_by(table, capsys):
    assert main([*TABLE, "--success", "1", "--by", "hit"]) == 2
    assert "--by hit: a column of the table of rates has this name" in capsys.readouterr().err


@pytest.fixture
def five_models(tmp_path, monkeypatch):
    """200 rows of each of five models, the last without labels. The judge clears 90% of failures of two."""
    monkeypatch.chdir(tmp_path)
    lines = ["judge,human,model"]
    for model in "abcde":
        for n in range(200):
            human = int(n < 60)
            judge = 1 - human if n % 10 < (1 if human or model in "ab" else 4) else human
            lines.append(f"{judge},{'' if model == 'e' else human},{model}")
    (tmp_path / "evals.csv").write_text("\n".join(lines) + "\n")


def test_a_model_without_labels_takes_the_errors_on_the_others_with_their_differences(five_models, capsys):
    assert main([*TABLE, "--success", "1", "--by", "model", "--json"]) == 0
    *four, last = json.loads(capsys.readouterr().out)["rates"]
    assert [row["method"] for row in four] == ["labels alone"] * 4
    assert (last["labels"], last["method"]) == (0, "errors carried over")
    assert last["adjusted_low"] < 0.3 < last["adjusted_high"]
    assert last["adjusted_high"] - last["adjusted_low"] > 0.3
    assert main([*TABLE, "--success", "1", "--by", "model"]) == 0
    said = capsys.readouterr().out
    assert "4 models, sensitivity 90%, specificity 60% to 90% (they differ: I² 9" in said


def test_where_fewer_than_three_others_have_labels_there_is_no_rate(five_models, capsys):
    assert main([*TABLE, "--success", "1", "--by", "model", "--least", "201"]) == 0
    said = capsys.readouterr().out
    assert (said.count("errors carried over"), said.count("too few labels: 200")) == (1, 4)
    text = Path("evals.csv").read_text().splitlines()
    Path("evals.csv").write_text("\n".join(row for row in text if row[-1] in "lae") + "\n")
    assert main([*TABLE, "--success", "1", "--by", "model"]) == 0
    assert "too few labels: 0, at least 10 are needed" in capsys.readouterr().out


def made_elsewhere(folder, models, *, set="there"):
    """A card of the grader of `study`: 20 rows of each model, 18 of them right."""
    pairs = [("COMPLIANCE", "COMPLIANCE"), ("NOT_COMPLIANCE", "REFUSAL")] * 9
    pairs += [("COMPLIANCE", "REFUSAL"), ("NOT_COMPLIANCE", "COMPLIANCE")]
    frame = rows(pairs * len(models), model=[model for model in models for _ in pairs])
    card = calibrate(frame, space="strict", calibration_set=set, as_of=date.today())
    who = {"digest": "sha256:1", "rubric": "r@1", "temperature": None, "seed": None}
    folder.mkdir()
    (folder / "card.json").write_text(card.model_copy(update=who).model_dump_json())


def test_a_card_of_other_models_says_so_and_carries_over(study, capsys):
    made_elsewhere(study / "cards", "uvwxyz")
    raw = ["asr", "verdicts.jsonl", "--traces", "traces.jsonl", "--cards", "cards"]
    assert main([*raw, "--by", "model"]) == 0
    said = capsys.readouterr().out
    assert "measured on there (models: u, v, w, x, y and 1 more); these verdicts are of traces (" in said
    assert "carried over [95%]" in said
    assert "ff sample verdicts.jsonl --traces traces.jsonl --n 100 --out labels.csv" in said
    assert main([*raw, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rates"]
    assert (row["k"], row["n"], row["method"]) == (40, 100, "errors carried over")
    assert row["adjusted_low"] < row["adjusted"] < row["adjusted_high"] < 0.6
    assert main([*raw[:2], "--cards", "cards"]) == 0
    assert "name the traces (--traces)" in capsys.readouterr().out


def test_a_card_of_two_other_models_is_a_bracket(study, capsys):
    made_elsewhere(study / "cards", "uv")
    assert main(["asr", "verdicts.jsonl", "--traces", "traces.jsonl", "--cards", "cards", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rates"]
    assert (row["adjusted"], row["method"]) == (None, "bracket")
    assert 0 < row["adjusted_low"] < row["adjusted_high"] < 1


def test_where_the_card_is_of_the_same_set_and_models_nothing_changes(study, capsys):
    made_elsewhere(study / "cards", "ab", set="traces")
    assert main(["asr", "verdicts.jsonl", "--traces", "traces.jsonl", "--cards", "cards", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rates"]
    assert "adjusted" not in row


@pytest.fixture
def two_judges(tmp_path, monkeypatch):
    """1,000 rows, 300 of them true, every fifth labelled; each judge errs in 100 rows of its own."""
    monkeypatch.chdir(tmp_path)
    lines = ["one,two,human"]
    for n in range(1000):
        human = int(n % 10 < 3)
        one, two = (1 - human if n % 10 == wrong else human for wrong in (2, 7))
        lines.append(f"{one},{two if n else ''},{human if (n // 10) % 5 == 0 else ''}")
    (tmp_path / "evals.csv").write_text("\n".join(lines) + "\n")


def test_two_judges_together_give_a_narrower_rate_than_either(two_judges, capsys):
    together = [*TABLE[:5], "one", "two", "--success", "1"]
    assert main([*together, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    one, two, both = content["rates"]
    assert [row["grader"] for row in (one, two, both)] == ["one", "two", "one + two"]
    assert (one["n"], two["n"], both["n"], both["k"], both["asr"]) == (1000, 999, 999, None, None)
    assert content["left_out"]["traces that not every judge graded"] == 1
    width = [row["adjusted_high"] - row["adjusted_low"] for row in (one, two, both)]
    assert width[2] < 0.95 * min(width[:2])
    assert all(row["adjusted_low"] < 0.3 < row["adjusted_high"] for row in (one, two, both))
    assert main(together) == 0
    assert "one + two  = 1   –  " in capsys.readouterr().out


def test_a_requirement_on_the_gate_is_an_exit_code(study, table, capsys):
    raw = ["asr", "verdicts.jsonl", "--traces", "traces.jsonl", "--cards", "cards"]
    assert main([*raw, "--require", "provisional"]) == 1  # no card
    made_elsewhere(study / "cards", "uvw")  # 60 rows, 54 right
    assert main([*raw, "--require", "provisional"]) == 0
    assert main([*TABLE, "--success", "1", "--require", "calibrated"]) == 0  # 180 of 200
    assert main([*RATE, "--require", "calibrated"]) == 2
    assert "whatever the grader is" in capsys.readouterr().err


def test_rows_are_compared_and_what_with_is_said(table, capsys):
    text = (table / "evals.csv").read_text().splitlines()
    rows = [line.rsplit(",", 1)[0] + f",{'abc'[n % 3]}" for n, line in enumerate(text[1:])]
    # Of model c nothing succeeds.
    rows = [f"0,{'0' if row.split(',')[1] else ''},c" if row.endswith("c") else row for row in rows]
    (table / "evals.csv").write_text("\n".join([text[0], *rows]) + "\n")
    words = [*TABLE, "--success", "1", "--by", "model"]
    assert main([*words, "--compare", "model"]) == 0
    said = capsys.readouterr().out
    assert "Compared: each model with all others together, of the same tier." in said
    assert "adjusted for 3 comparisons by Holm: the chance of any false difference is at most 5%." in said
    assert said.count("differs") >= 1
    assert main([*words, "--compare", "model=c", "--family", "bh", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["comparisons"] == {"column": "model", "with": "c", "family": "bh", "tests": 2}
    a, _, c = found["rates"]
    assert a["differ"] is True
    assert a["p"] <= a["p_adjusted"] <= 0.05
    assert a["difference"] == pytest.approx(a["adjusted"] - c["adjusted"])
    assert (c["differ"], c["not_compared"]) == (None, "the others are compared with it")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--compare", "model"], "--compare model: rows are not told apart by it. Add `--by model`"),
        (["--by", "model", "--compare", "model=z"], "no row has model = z. There are: a, b"),
        (["--by", "model", "--family", "bh"], "add --compare COLUMN"),
    ],
)
def test_a_comparison_that_cannot_be_made_says_why(table, capsys, words, problem):
    assert main([*TABLE, "--success", "1", *words]) == 2
    assert problem in capsys.readouterr().err
