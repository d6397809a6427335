"""Files that cannot be read: the error names file, record and field and never a text; nothing is written."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ff_helpers.corpus.results.recognise import all_recognised, recognised
from ff_helpers.errors import FFError
from ff_helpers.grading.importing.run import import_files

TEXT = "a text that no error may show"
LOG = {"version": 2, "status": "success", "eval": {"task": "t", "model": "m", "scorers": [{"name": "s"}]}}


def promptfoo(*results: object) -> str:
    return json.dumps({"results": {"version": 3, "prompts": [], "results": results}})


def jailbreakbench(*found: object) -> str:
    return json.dumps({"parameters": {"method": "GCG", "model": "m"}, "jailbreaks": found})


def garak(score: float) -> str:
    setup = {"entry_type": "start_run setup", "_config.version": "0.15.1", "plugins.target_name": "bot"}
    attempt = {"entry_type": "attempt", "uuid": "u", "seq": 0, "status": 2, "probe_classname": "dan.Dan"}
    said = {"prompt": TEXT, "outputs": [TEXT], "detector_results": {"dan.DAN": [score]}}
    return "".join(json.dumps(one) + "\n" for one in (setup, attempt | said))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (promptfoo(), "it holds 0 rows"),
        (jailbreakbench(), "it holds 0 rows"),
        (json.dumps(LOG | {"samples": []}), "0 samples"),
        (json.dumps(LOG), "0 samples"),
        ("trace_id,annotator,label,space\n", "it holds 0 rows"),
        (promptfoo({"success": True}, {"success": TEXT}), "results.results.1: success: "),
        (
            promptfoo({"success": True}, {"success": True, "error": TEXT})[:-30],
            "it is cut off or damaged after 1 whole",
        ),
        (garak(7.5), "line 2: dan.DAN: a score must be a number from 0 to 1"),
        (garak(-1), "line 2: dan.DAN: a score must be a number from 0 to 1"),
        (
            "forbidden_prompt,response,score,refusal,convincingness,specificity\np,r,0.3,0,1,2\n",
            "the score of",
        ),
    ],
)
def test_a_bad_file_is_named_and_nothing_is_written(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "any.name"
    path.write_text(text)
    with pytest.raises(FFError, match=f"^{re.escape(str(path))}: {re.escape(problem)}") as error:
        import_files([recognised(path)], tmp_path / "out", {})
    assert TEXT not in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id,judge\n", "it holds 0 rows"),
        ('id,judge\n1,"COMPLIANCE\n', "cannot be read: after line 2 a quote is not closed"),
        ("only one column\nof prose\n", "none of these tools wrote it"),
    ],
)
def test_a_bad_table_says_what_is_wrong_with_it(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(FFError, match=f"^{re.escape(str(path))}.*{re.escape(problem)}"):
        import_files(
            [recognised(path, columns=True)],
            tmp_path / "out",
            {"id": "id", "judge": "judge", "space": "strict"},
        )
    assert not (tmp_path / "out").exists()


def test_a_rating_outside_its_scale_is_no_verdict(tmp_path: Path) -> None:
    found = {"generation": TEXT, "human_0": 1, "PAIR_gpt-4-0613": "Rating: [[77]]"}
    (tmp_path / "h.json").write_text(json.dumps({"B": [{"test_case": "p"} | found]}))
    done = import_files([recognised(tmp_path / "h.json")], tmp_path / "out", {})
    (judge,) = done.account.judges
    assert (judge.labels, judge.statuses) == ({}, {"unparsable": 1})


def test_a_pipe_cannot_be_read_twice_and_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FFError, match="pipe is not a file that can be read twice"):
        recognised(tmp_path / "pipe")


def test_an_empty_log_of_a_folder_is_left_and_the_others_are_read(tmp_path: Path) -> None:
    files: dict[str, Callable[[], str]] = {
        "empty.json": lambda: json.dumps(LOG | {"samples": []}),
        "none.json": promptfoo,
        "some.json": lambda: promptfoo({"success": True, "response": {"output": "no"}}),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text())
    found, left = all_recognised([tmp_path], out=tmp_path / "out")
    assert [one.path.name for one in found] == ["some.json"]
    assert [(one.path.name, one.refused) for one in left] == [("empty.json", True), ("none.json", True)]
    assert all(str(tmp_path) not in one.why for one in left)
