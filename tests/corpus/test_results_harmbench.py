"""Files of HarmBench, in the layout of its results folder and of its text_behaviors_val_set.json."""

import json

import pytest

from ff_helpers.errors import FFError
from tests.result_files import judged, only, recognised, rows


def written(file, behaviours):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(behaviours, indent=4))
    return file


def completion(case="What is the pool code?", generation="It is 4711.", **more):
    return {"test_case": case, "generation": generation, **more}


def test_a_label_of_minus_one_is_unparsable(tmp_path):
    said = [completion(f"case {label}", label=label) for label in (1, 0, -1)]
    read = rows(written(tmp_path / "a", {"pool_code": said}))
    assert judged(read) == {"harmbench.label": ["COMPLIANCE", "NOT_COMPLIANCE", "unparsable"]}
    assert [row.scenario_id for row in read] == ["pool_code:0", "pool_code:1", "pool_code:2"]


def test_equal_test_cases_are_runs_of_one_scenario(tmp_path):
    read = rows(
        written(tmp_path / "a", {"pool_code": [completion(), completion(generation="No."), completion("b")]})
    )
    assert [(row.scenario_id, row.run) for row in read] == [
        ("pool_code:0", "0"),
        ("pool_code:0", "1"),
        ("pool_code:1", "0"),
    ]
    assert all(row.judgements == () for row in read), "completions have no labels yet"


def test_four_encodings_of_yes_in_one_row(tmp_path):
    """The validation set: numbers, words and a rating in one row; three people beside the judges."""
    people = {"human_0": 1, "human_1": 0, "human_2": 1}
    judges = {"cls": 1, "llama_guard": 1.0, "gpt-3.5-turbo-0613": "yes", "PAIR_gpt-4-0613": "Rating: [[10]]"}
    other = {"cls": 0, "llama_guard": -1, "gpt-3.5-turbo-0613": "no", "PAIR_gpt-4-0613": "Rating: [[9]]"}
    about = {"model": "hotel_7b.json", "method": "PAP", "experiment": "hotel_7b", "behavior_id": "pool_code"}
    behaviours = {
        "pool_code": [completion(**about, **judges, **people), completion(**about, **other, **people)]
    }
    file = written(tmp_path / "a", behaviours)
    read = rows(file)
    assert judged(read) == {
        "harmbench.cls": ["COMPLIANCE", "NOT_COMPLIANCE"],
        "harmbench.llama_guard": ["COMPLIANCE", "unparsable"],
        "harmbench.gpt-3.5-turbo-0613": ["COMPLIANCE", "NOT_COMPLIANCE"],
        "harmbench.PAIR_gpt-4-0613>=10": ["COMPLIANCE", "NOT_COMPLIANCE"],
    }
    assert [(said.annotator, said.label) for said in read[0].labels] == [
        ("human_0", "COMPLIANCE"),
        ("human_1", "NOT_COMPLIANCE"),
        ("human_2", "COMPLIANCE"),
    ]
    assert (read[0].model, read[0].tags["attack"]) == ("hotel_7b", "PAP")
    with pytest.raises(FFError, match="above 1 and at most 10"):
        rows(file, threshold="0.5")  # meant for a file of another scale
    rated = judged(rows(file, threshold="9"))
    assert rated["harmbench.PAIR_gpt-4-0613>=9"] == ["COMPLIANCE", "COMPLIANCE"]


def test_the_list_of_words_of_advbench_tells_refusals_only(tmp_path):
    (row,) = rows(written(tmp_path / "a", {"pool_code": [completion(advbench_label=1)]}))
    assert (only(row).space, only(row).label) == ("refused", "NOT_REFUSAL")


def test_an_empty_generation_has_no_verdict_and_a_missing_one_is_not_submitted(tmp_path):
    """openai-cookbook #3010: `[ERROR] ...` as an output is an error of the target."""
    said = [completion(generation=text, label=0) for text in ("", None, "[ERROR] 429")]
    read = rows(written(tmp_path / "a", {"pool_code": said}))
    assert judged(read) == {"harmbench.label": ["not_gradeable"] * 3}
    assert [row.status for row in read] == [None, "not_submitted", "target_error"]


def test_model_and_method_come_from_options_or_from_the_published_layout(tmp_path):
    said = {"pool_code": [completion(label=1)]}
    (row,) = rows(written(tmp_path / "results/PAIR/default/results/hotel_7b.json", said))
    assert (row.model, row.tags["attack"]) == ("hotel_7b", "PAIR")
    (row,) = rows(written(tmp_path / "a", said), model="stage_7b", attack="GCG")
    assert (row.model, row.tags["attack"], row.trace_id) == ("stage_7b", "GCG", "GCG:stage_7b:pool_code:0")
    assert rows(tmp_path / "a")[0].model is None


def test_fields_of_no_known_judge_are_counted_and_no_text_is_shown(tmp_path):
    file = written(tmp_path / "a", {"pool_code": [completion(label=1, somebody=1)]})
    assert recognised(file).notes == ("1 fields of no known judge are left out",)
    assert recognised(file).total == 1
    people = written(tmp_path / "b", {"pool_code": [completion(human_0="the swan sings")]})
    with pytest.raises(
        FFError, match=r"pool_code.0: human_0: a person's label must be 0, 1 or null"
    ) as error:
        rows(people)
    assert "swan" not in str(error.value)


def test_a_file_that_is_cut_off_says_so(tmp_path):
    file = written(tmp_path / "a", {"pool_code": [completion(label=1)], "bay_door": [completion(label=0)]})
    file.write_text(file.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    with pytest.raises(FFError, match="a: it is cut off or damaged"):
        recognised(file)


def test_a_behaviour_that_is_no_list_is_named(tmp_path):
    file = written(tmp_path / "a", {"pool_code": [completion(label=1)], "bay_door": {"generation": "x"}})
    with pytest.raises(FFError, match="bay_door: must be a list of completions"):
        recognised(file)


def test_the_validation_set_of_images_names_its_classifiers_otherwise(tmp_path):
    """multimodal_behaviors_val_set.json: a path and a text as the case, two classifiers, a judge's prose."""
    case = ["results/one.png", "Read the pool code."]
    said = completion(case, llama_cls=1, mistral_cls=0, gpt="1. The swan sings.", image_description="A pool.")
    file = written(tmp_path / "a", {"pool_code": [said | {"human_0": 1, "human_1": 1, "human_2": 0}]})
    (row,) = rows(file)
    assert judged([row]) == {
        "harmbench.llama_cls": ["COMPLIANCE"],
        "harmbench.mistral_cls": ["NOT_COMPLIANCE"],
    }
    assert row.messages[0].content == "Read the pool code."
    assert recognised(file).notes == ("2 fields of no known judge are left out",)


def test_results_by_model_as_the_website_has_them(tmp_path):
    """`{behaviour: {model: {test_case, generation, label, advbench_label}}}`, one file per attack."""
    said = {name: completion(label=label) for name, label in (("hotel_7b", 1), ("stage_7b", 0))}
    file = written(tmp_path / "a", {"pool_code": said, "bay_door": said})
    assert recognised(file).total == 4
    read = rows(file, attack="GCG")
    assert [(row.model, row.scenario_id) for row in read[:2]] == [
        ("hotel_7b", "pool_code:0"),
        ("stage_7b", "pool_code:0"),
    ]
    assert judged(read) == {"harmbench.label": ["COMPLIANCE", "NOT_COMPLIANCE"] * 2}
