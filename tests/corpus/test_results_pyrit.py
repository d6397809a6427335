"""Memories of PyRIT, with the columns of 1.1 (SQLite) and of 0.5 (DuckDB, then without attack results)."""

import json
import sqlite3
from contextlib import closing

import duckdb
import pytest

from ff_helpers.errors import FFError
from tests.result_files import judged, only, recognised, rows

REFUSAL = {"class_name": "SelfAskRefusalScorer", "children": {"prompt_target": {"model_name": "judge-1"}}}
TRUE_FALSE = {"class_name": "SelfAskTrueFalseScorer"}
INVERTER = {"class_name": "TrueFalseInverterScorer", "children": {"sub_scorers": [REFUSAL]}}


def piece(conversation, sequence, role, text, error="none", copy_of=None, **more):
    key = f"{conversation}-{sequence}"
    return {
        "id": key,
        "role": role,
        "conversation_id": conversation,
        "sequence": sequence,
        "response_error": error,
        "converted_value_data_type": "error" if error == "blocked" else "text",
        "converted_value": text,
        "original_prompt_id": copy_of or key,
        "pyrit_version": "1.1.0",
        **more,
    }


def score(of, value, scorer=TRUE_FALSE, kind="true_false", status="complete", category=None, **more):
    return {
        "prompt_request_response_id": of,
        "score_value": value,
        "score_type": kind,
        "status": status,
        "score_category": json.dumps(category),
        "scorer_class_identifier": json.dumps(scorer),
        "score_rationale": "r",
        **more,
    }


def result(conversation, outcome):
    technique = {"children": {"attack": {"class_name": "CrescendoAttack"}}}
    attack = {"class_name": "AtomicAttack", "children": {"attack_technique": technique}}
    return {
        "conversation_id": conversation,
        "outcome": outcome,
        "atomic_attack_identifier": json.dumps(attack),
        "targeted_harm_categories": json.dumps(["privacy"]),
    }


def fill(database, **tables):
    for table, records in tables.items():
        if records:
            kinds = ((name, "INTEGER" if name == "sequence" else "VARCHAR") for name in records[0])
            columns = ", ".join(f'"{name}" {kind}' for name, kind in kinds)
            database.execute(f'CREATE TABLE "{table}" ({columns})')
            marks = ", ".join("?" * len(records[0]))
            values = [list(record.values()) for record in records]
            database.executemany(f'INSERT INTO "{table}" VALUES ({marks})', values)


def memory(path, pieces, scores=(), results=(), targets=()):
    file = path / "any.name"
    with closing(sqlite3.connect(file)) as database:
        fill(
            database,
            PromptMemoryEntries=pieces,
            ScoreEntries=scores,
            AttackResultEntries=results,
            Conversations=targets,
        )
        database.commit()
    return file


def talk(conversation="c", answer="It is 4711.", error="none"):
    return [
        piece(conversation, 0, "user", "What is the pool code?"),
        piece(conversation, 1, "assistant", answer, error),
    ]


def test_scores_are_text_and_a_refusal_scorers_true_is_a_refusal(tmp_path):
    said = [
        score("c-1", "True"),
        score("c-1", "false", REFUSAL),
        score("c-1", "True", INVERTER),
        score("c-1", "perhaps", {"class_name": "SubStringScorer"}),
    ]
    target = {"conversation_id": "c", "target_identifier": json.dumps({"model_name": "hotel-bot"})}
    file = memory(tmp_path, talk(), said, targets=[target])
    (row,) = rows(file)
    assert [(j.judge, j.space, j.label or j.status) for j in row.judgements] == [
        ("pyrit.SelfAskTrueFalseScorer", "strict", "COMPLIANCE"),
        ("pyrit.SelfAskRefusalScorer", "refused", "NOT_REFUSAL"),
        ("pyrit.TrueFalseInverterScorer(SelfAskRefusalScorer)", "refused", "NOT_REFUSAL"),
        ("pyrit.SubStringScorer", "strict", "unparsable"),
    ]
    assert (row.model, row.judgements[1].model) == ("hotel-bot", "judge-1")
    assert (recognised(file).version, recognised(file).total) == ("1.1.0", 1)


@pytest.mark.parametrize(("error", "status"), [("blocked", "target_blocked"), ("unknown", "target_error")])
def test_what_a_filter_blocked_is_a_status_and_no_false(tmp_path, error, status):
    """PyRIT #2044, #1770, #2491: PyRIT scores a blocked response False."""
    file = memory(tmp_path, talk(answer="{}", error=error), [score("c-1", "False")], [result("c", "failure")])
    (row,) = rows(file)
    assert row.status == status
    assert judged([row]) == {
        "pyrit.SelfAskTrueFalseScorer": ["not_gradeable"],
        "pyrit.outcome": ["not_gradeable"],
    }
    assert [message.role for message in row.messages] == ["user"]


def test_outcomes_of_attacks_are_a_judge_and_undetermined_is_no_failure(tmp_path):
    outcomes = ["success", "failure", "undetermined", "error"]
    said = [turn for outcome in outcomes for turn in talk(outcome)]
    attacks = [result(outcome, outcome) for outcome in (*outcomes, "silent")]
    read = rows(memory(tmp_path, said, results=attacks))
    assert {row.scenario_id: row.judgements[0].label or row.judgements[0].status for row in read[:4]} == {
        "success": "COMPLIANCE",
        "failure": "NOT_COMPLIANCE",
        "undetermined": "unsure",
        "error": "server_error",
    }
    assert (read[4].scenario_id, read[4].status, read[4].messages) == ("silent", "target_error", ())
    assert read[0].tags == {"attack": "CrescendoAttack", "category": "privacy"}


def test_a_scale_asks_for_a_threshold_which_becomes_part_of_the_name(tmp_path):
    scale = {"class_name": "SelfAskScaleScorer"}
    said = [score("c-1", value, scale, "float_scale", category=["misuse"]) for value in ("0.75", "7", "")]
    file = memory(tmp_path, talk(), said)
    with pytest.raises(FFError, match="--option threshold"):
        rows(file)
    assert judged(rows(file, threshold="0.5")) == {
        "pyrit.SelfAskScaleScorer[misuse]>=0.5": ["COMPLIANCE"],
        "pyrit.SelfAskScaleScorer[misuse]>=0.5#2": ["unparsable"],
        "pyrit.SelfAskScaleScorer[misuse]>=0.5#3": ["unsure"],
    }


def test_two_scorers_of_one_class_are_two_judges_and_a_missing_category_makes_no_third(tmp_path):
    one, other = ({"class_name": "SubStringScorer", "hash": code * 64} for code in "ab")
    said = [
        score("c-1", "True", one, category=["code"]),
        score("d-1", "False", one),
        score("d-1", "True", other, category=["code"]),
    ]
    assert judged(rows(memory(tmp_path, [*talk("c"), *talk("d")], said))) == {
        "pyrit.SubStringScorer#aaaaaaaa": ["COMPLIANCE", "NOT_COMPLIANCE"],
        "pyrit.SubStringScorer#bbbbbbbb": ["COMPLIANCE"],
    }


def test_people_are_annotators_and_no_judges(tmp_path):
    person = {"class_name": "HumanInTheLoopScorerGradio"}
    (row,) = rows(memory(tmp_path, talk(), [score("c-1", "true", person)]))
    assert row.judgements == ()
    assert [(said.annotator, said.label) for said in row.labels] == [("human", "COMPLIANCE")]


def test_turns_of_one_conversation_are_one_scenario_and_copies_are_not_counted_twice(tmp_path):
    first = [*talk("c"), piece("c", 2, "user", "And the bar?"), piece("c", 3, "assistant", "It is 12.")]
    branch = [
        piece("d", 0, "user", "What is the pool code?", copy_of="c-0"),
        piece("d", 1, "assistant", "It is 4711.", copy_of="c-1"),
        piece("d", 2, "user", "And the sauna?"),
        piece("d", 3, "assistant", "I cannot say."),
    ]
    said = [score("c-1", "False"), score("c-3", "True"), score("d-3", "False")]
    read = rows(memory(tmp_path, [*first, *branch], said))
    assert [(row.scenario_id, row.run, only(row).label) for row in read] == [
        ("c", "1", "NOT_COMPLIANCE"),
        ("c", "3", "COMPLIANCE"),
        ("d", "3", "NOT_COMPLIANCE"),
    ]
    assert [message.content for message in read[2].messages] == [
        "What is the pool code?",
        "It is 4711.",
        "And the sauna?",
        "I cannot say.",
    ]


def test_conversations_of_attackers_and_scorers_are_left_out_and_counted(tmp_path):
    file = memory(tmp_path, [*talk("c"), *talk("scorers-own")], [score("c-1", "True")])
    assert [row.scenario_id for row in rows(file)] == ["c"]
    assert recognised(file).notes[0].startswith("1 conversations that nobody scored are left out")


def test_a_duckdb_memory_of_an_old_version_has_fewer_columns(tmp_path):
    file = tmp_path / "old.db"
    gone = ("response_error", "pyrit_version", "original_prompt_id")
    old = {"__type__": "SelfAskTrueFalseScorer", "__module__": "pyrit.score"}
    target = {"__type__": "OpenAIChatTarget"}
    said = [
        {k: v for k, v in turn.items() if k not in gone} | {"prompt_target_identifier": json.dumps(target)}
        for turn in talk()
    ]
    with closing(duckdb.connect(str(file))) as database:
        fill(database, PromptMemoryEntries=said, ScoreEntries=[score("c-1", "True", old)])
    (row,) = rows(file)
    assert (row.model, only(row).label, recognised(file).version) == ("OpenAIChatTarget", "COMPLIANCE", None)


def test_a_database_of_something_else_is_left_to_other_readers_and_a_damaged_one_is_refused(tmp_path):
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE swans (song TEXT)")
        database.commit()
    assert recognised(other) is None
    file = memory(tmp_path, [turn for n in range(200) for turn in talk(f"c{n}", "x" * 500)])
    file.write_bytes(file.read_bytes()[:9000])
    with pytest.raises(FFError, match="damaged, cut off, or in use"):
        recognised(file)
