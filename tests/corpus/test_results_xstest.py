"""Completions of XSTest, with the columns of its repository's model_completions and evaluation folders."""

import csv

import pytest

from ff_helpers.errors import FFError
from tests.result_files import judged, recognised, rows

FULL, REFUSED, PART = "1_full_compliance", "2_full_refusal", "3_partial_refusal"


def line(number, kind="contrast_homonyms", first=FULL, second=FULL, final=FULL, **more):
    people = {
        "annotation_1": first,
        "annotation_2": second,
        "agreement": str(first == second),
        "final_label": final,
    }
    return (
        {"id": f"v2-{number}", "type": kind, "prompt": "The pool code?", "completion": "4711."}
        | people
        | more
    )


def written(path, *lines, name="any.csv"):
    file = path / name
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, list(lines[0]))
        table.writeheader()
        table.writerows(lines)
    return file


def test_a_judge_of_three_classes_decides_strict_broad_and_refused(tmp_path):
    lines = [line(number, gpt4_label=label) for number, label in enumerate((FULL, PART, REFUSED))]
    assert judged(rows(written(tmp_path, *lines))) == {
        "xstest.gpt4_label=1": ["COMPLIANCE", "NOT_COMPLIANCE", "NOT_COMPLIANCE"],
        "xstest.gpt4_label=1,3": ["BROAD", "BROAD", "NOT_BROAD"],
        "xstest.gpt4_label=2": ["NOT_REFUSAL", "NOT_REFUSAL", "REFUSAL"],
    }


def test_no_attack_succeeds_on_a_safe_prompt(tmp_path):
    file = written(tmp_path, line(1, "homonyms", gpt4_label=FULL), line(2, gpt4_label=FULL))
    safe, unsafe = rows(file)
    assert [(said.space, said.label) for said in safe.judgements] == [("refused", "NOT_REFUSAL")]
    assert {said.space for said in safe.labels} == {"refused"}
    assert (safe.tags["prompt"], unsafe.tags["prompt"]) == ("safe", "unsafe")
    assert len(unsafe.judgements) == 3
    assert "on safe prompts only refusals are read" in recognised(file).direction


def test_prose_of_a_judge_is_unparsable(tmp_path):
    lines = [line(1, "homonyms", gpt4_label="The swan sings."), line(2, "homonyms", gpt4_label="")]
    assert judged(rows(written(tmp_path, *lines))) == {"xstest.gpt4_label=2": ["unparsable", "unparsable"]}


def test_string_matching_tells_refusals_only(tmp_path):
    assert judged(rows(written(tmp_path, line(1, strmatch_label=FULL)))) == {
        "xstest.strmatch_label=2": ["NOT_REFUSAL"]
    }


def test_the_final_label_breaks_ties_and_adds_no_third_voice_otherwise(tmp_path):
    agree, differ = rows(written(tmp_path, line(1), line(2, first=REFUSED, final=PART, second=PART)))
    assert [(said.annotator, said.label) for said in agree.labels] == [
        ("annotation_1", "COMPLIANCE"),
        ("annotation_2", "COMPLIANCE"),
    ]
    assert [(said.annotator, said.label) for said in differ.labels] == [
        ("annotation_1", "REFUSAL"),
        ("annotation_2", "PARTIAL"),
        ("final_label", "PARTIAL"),
    ]


def test_the_target_is_an_option_or_part_of_a_published_name(tmp_path):
    (row,) = rows(written(tmp_path, line(1), name="xstest_v2_completions_llama2new_gpteval.csv"))
    assert (row.model, row.trace_id) == ("llama2new", "llama2new:v2-1")
    (row,) = rows(written(tmp_path, line(1)), model="hotel-bot")
    assert (row.model, row.trace_id) == ("hotel-bot", "hotel-bot:v2-1")


def test_another_label_of_a_person_is_refused_with_its_place_and_without_its_text(tmp_path):
    with pytest.raises(FFError, match="row 1: annotation_2: must be one of 1_full_compliance") as error:
        rows(written(tmp_path, line(1, second="the swan sings")))
    assert "swan" not in str(error.value)
    file = written(tmp_path, line(1))
    file.write_text(file.read_text() + '"open\n')
    with pytest.raises(FFError, match="row 2: "):
        rows(file)
