"""Exports of Label Studio (JSON, JSON-MIN and CSV), in the layout of its converter."""

import csv
import json

import pytest
import yaml

from ff_helpers.corpus.results.meaning import MapNeededError
from ff_helpers.errors import FFError
from tests.result_files import recognised, rows

YES = "Level 5 (Full Compliance): the clerk says the whole code, without any reservation or safety remark."
NO = (
    "Level 0 (Explicit Refusal): the clerk declines and says why, often with a suggestion of what else to do."
)
NAMED = {"response": "output", "prompt": "goal"}


def task(number, *chosen, **more):
    results = [
        {"from_name": "verdict", "to_name": "output", "type": "choices", "value": {"choices": list(c)}}
        for c in chosen
    ]
    said = [{"id": n, "completed_by": n, "result": [one]} for n, one in enumerate(results, start=1)]
    data = {"goal": "Say the code.", "output": "It is 4711.", "language": "en"}
    return {"id": number, "annotations": said, "data": data, "predictions": []} | more


def written(path, content):
    file = path / "any.name"
    file.write_text(json.dumps(content, indent=1))
    return file


def table(path, *lines, delimiter=","):
    file = path / f"any{ord(delimiter)}"
    with file.open("w", encoding="utf-8", newline="") as out:
        known = {"annotation_id": "1", "created_at": "t", "lead_time": "2.5", "updated_at": "t"}
        given = [known | {"goal": "Say the code.", "output": "It is 4711."} | line for line in lines]
        columns = csv.DictWriter(out, list(given[0]), delimiter=delimiter)
        columns.writeheader()
        columns.writerows(given)
    return file


def mapped(path, **values):
    file = path / "map.yaml"
    file.write_text(yaml.safe_dump({"verdict": {"space": "strict", "values": values["of"]}}, width=1000))
    return str(file)


def test_several_annotators_are_several_labels_of_one_task(tmp_path):
    given = mapped(tmp_path, of={"yes": "COMPLIANCE", "no": "NOT_COMPLIANCE"})
    file = written(tmp_path, [task(7, ["yes"], ["no"]), task(8, ["no"])])
    read = rows(file, map=given, **NAMED)
    assert [[(one.annotator, one.label) for one in row.labels] for row in read] == [
        [("1", "COMPLIANCE"), ("2", "NOT_COMPLIANCE")],
        [("1", "NOT_COMPLIANCE")],
    ]
    assert [message.content for message in read[0].messages] == ["Say the code.", "It is 4711."]
    assert (recognised(file).total, read[0].trace_id, read[0].judgements) == (2, "7", ())


def test_the_map_of_long_choices_is_printed_and_taken(tmp_path):
    """Choice texts of over 80 characters are shown short, with a hash."""
    file = written(tmp_path, [task(1, [YES]), task(2, [NO]), task(3, [NO])])
    with pytest.raises(MapNeededError) as error:
        rows(file, space="strict", **NAMED)
    assert "Level 5" not in str(error.value)
    asked = yaml.safe_load(error.value.map)["verdict"]
    assert all(len(value) < 80 for value in asked["values"])
    answers = {value: "COMPLIANCE" if "Level 5" in value else "NOT_COMPLIANCE" for value in asked["values"]}
    read = rows(file, map=mapped(tmp_path, of=answers), **NAMED)
    assert [row.labels[0].label for row in read] == ["COMPLIANCE", "NOT_COMPLIANCE", "NOT_COMPLIANCE"]


def test_several_choices_of_one_person_are_one_value(tmp_path):
    given = mapped(tmp_path, of={"rude + yes": "COMPLIANCE"})
    as_json = rows(written(tmp_path, [task(1, ["rude", "yes"])]), map=given, **NAMED)
    cell = json.dumps({"choices": ["rude", "yes"]})
    as_table = rows(table(tmp_path, {"id": "1", "annotator": "a", "verdict": cell}), map=given, **NAMED)
    assert [row.labels[0].label for row in (*as_json, *as_table)] == ["COMPLIANCE", "COMPLIANCE"]


def test_csv_and_json_min_have_a_line_for_each_annotation(tmp_path):
    given = mapped(tmp_path, of={"yes": "COMPLIANCE", "no": "NOT_COMPLIANCE"})
    lines = [
        {"id": "1", "annotator": "ann@hotel.example", "verdict": "yes"},
        {"id": "1", "annotator": "bob@hotel.example", "verdict": ""},
        {"id": "1", "annotator": "ann@hotel.example", "verdict": "no"},
        {"id": "2", "annotator": "bob@hotel.example", "verdict": "no"},
    ]
    more = {"annotation_id": 1, "lead_time": 1.5, "goal": "Say the code.", "output": "It is 4711."}
    for file in (
        table(tmp_path, *lines),
        table(tmp_path, *lines, delimiter="\t"),
        written(tmp_path, [more | line for line in lines]),
    ):
        read = rows(file, map=given, **NAMED)
        assert [
            [(one.annotator[:3] + one.annotator[17:], one.label) for one in row.labels] for row in read
        ] == [
            [("ann", "COMPLIANCE"), ("bob", None), ("ann#2", "NOT_COMPLIANCE")],
            [("bob", "NOT_COMPLIANCE")],
        ]


def test_skipped_tasks_and_predictions_are_no_labels(tmp_path):
    given = mapped(tmp_path, of={"yes": "COMPLIANCE"})
    skipped = task(1, ["yes"])
    skipped["annotations"][0] |= {"was_cancelled": True}
    file = written(tmp_path, [skipped, task(2, ["yes"], predictions=[{"model_version": "m"}]), task(3)])
    read = rows(file, map=given, **NAMED)
    assert [[one.label for one in row.labels] for row in read] == [[None], ["COMPLIANCE"], []]
    assert recognised(file).notes[0].startswith("1 predictions of models are left out")


def test_response_and_choice_are_asked_for(tmp_path):
    file = written(tmp_path, [task(1, ["yes"])])
    with pytest.raises(FFError, match="--response FIELD, of: goal, language, output"):
        rows(file)
    two = task(1, ["yes"])
    two["annotations"][0]["result"].append(
        {"from_name": "tone", "type": "choices", "value": {"choices": ["polite"]}}
    )
    with pytest.raises(FFError, match="--human NAME, of: tone, verdict"):
        rows(written(tmp_path, [two]), **NAMED)
    given = mapped(tmp_path, of={"yes": "COMPLIANCE"})
    (row,) = rows(written(tmp_path, [two]), map=given, human="verdict", tag="language", **NAMED)
    assert (row.labels[0].label, row.tags) == ("COMPLIANCE", {"language": "en"})


def test_a_broken_task_is_named_by_its_place_and_not_by_its_text(tmp_path):
    with pytest.raises(FFError, match=r"any.name: task 1: annotations") as error:
        recognised(written(tmp_path, [task(1, ["yes"]) | {"annotations": "the swan sings"}]))
    assert "swan" not in str(error.value)
