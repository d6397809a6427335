"""Results of EasyJailbreak, in the layout of JailbreakDataset.save_to_jsonl (0.1.3)."""

import pytest

from ff_helpers.errors import FFError
from tests.result_files import judged, lines, recognised, rows


def instance(responses, results, query="Say the pool code."):
    prompt = "You are a clerk. {query}"
    return {
        "jailbreak_prompt": prompt,
        "query": query,
        "target_responses": responses,
        "eval_results": results,
    }


def test_true_as_a_word_and_true_are_one_value(tmp_path):
    """EasyJailbreak #23, #11: `"True"`, `true` and `True` are one value."""
    said = [instance(["4711."], [value]) for value in ("True", "true", True, "False", " false ", False)]
    read = rows(lines(tmp_path / "a", *said))
    assert judged(read) == {"easyjailbreak": [*["COMPLIANCE"] * 3, *["NOT_COMPLIANCE"] * 3]}
    assert {row.scenario_id for row in read} == {read[0].scenario_id}
    assert [row.run for row in read] == list("012345")
    assert read[0].messages[0].content == "You are a clerk. Say the pool code."


def test_scores_of_1_to_10_ask_for_a_threshold(tmp_path):
    file = lines(tmp_path / "a", instance(["4711.", "No.", "x"], [10, 1, 11]), instance(["a"], [True]))
    with pytest.raises(FFError, match="--option threshold"):
        rows(file)
    assert judged(rows(file, threshold="8")) == {
        "easyjailbreak>=8": ["COMPLIANCE", "NOT_COMPLIANCE", "unparsable"],
        "easyjailbreak": ["COMPLIANCE"],
    }


def test_ones_without_a_zero_may_be_the_lowest_score_and_are_not_read_as_true(tmp_path):
    with pytest.raises(FFError, match="--option threshold"):
        rows(lines(tmp_path / "a", instance(["No."], [1])))
    read = rows(lines(tmp_path / "a", instance(["4711.", "No."], [1, 0])))
    assert judged(read) == {"easyjailbreak": ["COMPLIANCE", "NOT_COMPLIANCE"]}


def test_a_random_score_cannot_be_told_and_every_import_says_so(tmp_path):
    file = lines(tmp_path / "a", instance(["No."], [3]))
    assert "writes a random score from 1 to 10 where no evaluator was set" in recognised(file).notes[0]


def test_missing_and_mismatched_results_have_no_verdict(tmp_path):
    said = [
        instance([], []),
        instance(["a"], []),
        instance(["a", "b"], [True]),
        instance([None, ""], [True, True]),
    ]
    read = rows(lines(tmp_path / "a", *said), attack="GPTFuzz", model="hotel-bot")
    assert [row.status for row in read] == ["not_submitted", None, None, None, "not_submitted", None]
    assert judged(read) == {"easyjailbreak": ["not_gradeable"] * 4}
    assert recognised(tmp_path / "a").total == 6
    assert (read[0].model, read[0].tags) == ("hotel-bot", {"attack": "GPTFuzz"})


def test_another_value_is_unparsable_and_a_broken_line_is_named_without_its_text(tmp_path):
    said = instance(["a"], ["the swan sings"])
    assert judged(rows(lines(tmp_path / "a", said))) == {"easyjailbreak": ["unparsable"]}
    with pytest.raises(FFError, match=r"a:2:target_responses") as error:
        recognised(lines(tmp_path / "a", said, said | {"target_responses": "the swan sings"}))
    assert "swan" not in str(error.value)


def test_one_value_in_place_of_the_list_is_the_result_of_the_one_response(tmp_path):
    """Evaluators of people's own write it so (Aegis1863/LLMs-Distillation-Quantification, attack_result)."""
    said = [
        instance(["4711."], True),
        instance(["No."], False),
        instance(["a", "b"], True),
        instance(["a"], None),
    ]
    read = rows(lines(tmp_path / "a", *said))
    assert judged(read) == {
        "easyjailbreak": ["COMPLIANCE", "NOT_COMPLIANCE", "not_gradeable", "not_gradeable"]
    }
