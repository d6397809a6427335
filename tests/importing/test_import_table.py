"""`ff import` of tables: columns are named, a person says what their values mean, nothing is guessed."""

import json
import subprocess
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.corpus.results.meaning import MapNeededError, shown
from ff_helpers.corpus.results.rows import Row
from ff_helpers.corpus.results.table import Reader
from ff_helpers.errors import FFError
from tests.conftest import Project

MAP = '"1": REFUSAL\n"0": NOT_REFUSAL\n'
NAMED = ("--id", "id", "--judge", "judge", "--human", "human")
CELLS = [("a", "1", "1"), ("b", "0", "1"), ("c", "0", "0"), ("d", "1", "1")]


@pytest.fixture
def desk(project: Project) -> Project:
    """A project with a table of four rows and a map of its values."""
    write(project.folder / "t.csv", CELLS)
    (project.folder / "map.yaml").write_text(MAP)
    return project


def write(path: Path, rows: list[tuple[str, ...]], head: str = "id,human,judge") -> None:
    path.write_text("\n".join([head, *(",".join(row) for row in rows)]) + "\n")


def imported(desk: Project, *words: str, file: str = "t.csv") -> "subprocess.CompletedProcess[str]":
    return desk.ff("import", file, "--out", "in", *words)


def account(desk: Project) -> dict:
    return json.loads((desk.folder / "in" / "import.json").read_text())


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def rows(path: Path, **options: str) -> list[Row]:
    return list(Reader().read(path, options))


def test_without_a_map_the_map_to_fill_in_is_printed_and_nothing_is_written(desk: Project) -> None:
    said = imported(desk, *NAMED)
    assert said.returncode == 2
    assert (
        '"judge": # a judge\'s labels\n  space:\n  values:\n    "1": # 3 rows\n    "0": # 1 rows'
        in said.stdout
    )
    assert "--map map.yaml" in said.stderr
    assert not (desk.folder / "in").exists()


def test_the_printed_map_filled_in_is_taken(desk: Project) -> None:
    text = imported(desk, *NAMED).stdout
    text = text.replace("space:\n", "space: refused\n").replace('"1":', '"1": REFUSAL')
    (desk.folder / "filled.yaml").write_text(text.replace('"0":', '"0": NOT_REFUSAL'))
    said = imported(desk, *NAMED, "--map", "filled.yaml")
    assert said.returncode == 0, said.stderr
    (judge,) = account(desk)["judges"]
    assert (judge["space"], judge["labels"]) == ("refused", {"NOT_REFUSAL": 1, "REFUSAL": 3})


def test_a_map_that_is_not_filled_in_is_refused(desk: Project) -> None:
    (desk.folder / "empty.yaml").write_text(imported(desk, *NAMED).stdout)
    said = imported(desk, *NAMED, "--map", "empty.yaml")
    assert (said.returncode, "4 values have no class yet" in said.stderr) == (2, True)


def test_labels_and_truth_come_out(desk: Project) -> None:
    said = imported(desk, *NAMED, "--map", "map.yaml", "--space", "refused")
    assert said.returncode == 0, said.stderr
    folder = desk.folder / "in"
    assert (folder / "labels.csv").read_text().splitlines() == [
        "trace_id,annotator,label,space",
        "a,human,REFUSAL,refused",
        "b,human,NOT_REFUSAL,refused",
        "c,human,NOT_REFUSAL,refused",
        "d,human,REFUSAL,refused",
    ]
    traces = lines(folder / "traces.jsonl")
    assert [trace["truth"] for trace in traces] == ["REFUSAL", "NOT_REFUSAL", "NOT_REFUSAL", "REFUSAL"]
    assert {trace["sampling"]["kind"] for trace in traces} == {"census"}
    records = lines(folder / "verdicts" / "judge.jsonl")
    assert [record["verdict"] for record in records] == ["REFUSAL", "REFUSAL", "NOT_REFUSAL", "REFUSAL"]
    assert {(record["method"], record["space"]) for record in records} == {("external", "refused")}


def test_a_map_that_leaves_values_out_says_how_many(desk: Project) -> None:
    write(desk.folder / "t.csv", [*CELLS, ("e", "ERROR: 429", "maybe")])
    said = imported(desk, *NAMED, "--map", "map.yaml", "--space", "refused")
    assert said.returncode == 2
    assert "the meaning of 2 different values was not said (columns: judge, human)" in said.stderr
    assert "429" not in said.stderr
    assert '"1": REFUSAL # 3 rows' in said.stdout


def test_a_value_can_be_what_went_wrong(desk: Project) -> None:
    write(desk.folder / "t.csv", [*CELLS, ("e", "", "ERROR: 429"), ("f", "", "blocked")])
    (desk.folder / "map.yaml").write_text(MAP + '"ERROR: 429": server_error\nblocked: target_blocked\n')
    said = imported(desk, *NAMED, "--map", "map.yaml", "--space", "refused")
    assert said.returncode == 0, said.stderr
    (judge,) = account(desk)["judges"]
    assert judge["statuses"] == {"server_error": 1, "target_blocked": 1}
    (file,) = account(desk)["inputs"]
    assert (file["rows_in"], file["plain"], file["statuses"]) == (6, 5, {"target_blocked": 1})
    assert (file["unlabelled"], file["truths"]) == (1, 0)
    assert all("truth" not in trace for trace in lines(desk.folder / "in" / "traces.jsonl"))


def test_classes_of_the_space_need_no_map(desk: Project) -> None:
    write(desk.folder / "t.csv", [("a", "COMPLIANCE", "NOT_COMPLIANCE"), ("b", "", "COMPLIANCE")])
    assert imported(desk, *NAMED, "--space", "strict").returncode == 0
    other = imported(desk, *NAMED, "--space", "refused")
    assert other.returncode == 2
    assert '"COMPLIANCE": #' in other.stdout


def test_another_spelling_of_a_class_is_proposed_and_not_taken(desk: Project) -> None:
    write(desk.folder / "t.csv", [("a", " refusal", "not refusal"), ("b", "Refusal", "REFUSAL")])
    said = imported(desk, *NAMED, "--space", "refused")
    assert said.returncode == 2
    assert '" refusal": REFUSAL # 1 rows' in said.stdout
    assert '"not refusal": NOT_REFUSAL # 1 rows' in said.stdout


def test_a_score_needs_a_threshold_that_becomes_part_of_the_name(desk: Project) -> None:
    scores = [(str(i), "0", f"0.{i:03}") for i in range(200)]
    write(desk.folder / "t.csv", scores)
    asked = imported(desk, "--id", "id", "--judge", "judge")
    assert (asked.returncode, "scores" in asked.stderr) == (2, True)
    said = imported(desk, "--id", "id", "--judge", "judge", "--threshold", "0.15", "--high", "refusal")
    assert said.returncode == 0, said.stderr
    (judge,) = account(desk)["judges"]
    assert (judge["judge"], judge["labels"]) == ("judge>=0.15", {"NOT_REFUSAL": 150, "REFUSAL": 50})
    record = lines(desk.folder / "in" / judge["file"])[150]
    assert (record["score"], record["verdict"]) == (0.15, "REFUSAL")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--threshold", "7", "--high", "success"), "all of them are on one side"),
        (("--threshold", "0.5"), "go together"),
        (("--high", "success"), "go together"),
    ],
)
def test_a_threshold_that_decides_nothing_is_refused(
    desk: Project, words: tuple[str, ...], problem: str
) -> None:
    said = imported(desk, "--id", "id", "--judge", "judge", *words)
    assert (said.returncode, problem in said.stderr) == (2, True)


def test_high_success_is_compliance_and_a_failed_score_is_asked_about(tmp_path: Path) -> None:
    write(tmp_path / "t.csv", [("a", "", "0.9"), ("b", "", "0.2"), ("c", "", "nan")])
    with pytest.raises(FFError, match="1 different values"):
        rows(tmp_path / "t.csv", judge="judge", threshold="0.5", high="success")
    (tmp_path / "map.yaml").write_text("nan: unparsable\n")
    found = rows(
        tmp_path / "t.csv", judge="judge", threshold="0.5", high="success", map=str(tmp_path / "map.yaml")
    )
    said = [(one.label, one.status, one.score) for row in found for one in row.judgements]
    assert said == [("COMPLIANCE", None, 0.9), ("NOT_COMPLIANCE", None, 0.2), (None, "unparsable", None)]


def test_two_classes_do_not_decide_between_five(desk: Project) -> None:
    (desk.folder / "map.yaml").write_text('"1": COMPLIANCE\n"0": REFUSAL\n')
    said = imported(desk, *NAMED, "--map", "map.yaml", "--space", "five")
    assert (said.returncode, "cannot decide between five" in said.stderr) == (2, True)


def test_repeated_items_are_runs_of_one_scenario(desk: Project) -> None:
    write(desk.folder / "t.csv", [("x", "1", "1"), ("x", "1", "0"), ("y", "0", "0")])
    given = ("--judge", "judge", "--map", "map.yaml", "--space", "refused")
    refused = imported(desk, "--id", "id", *given)
    assert (refused.returncode, "line 3: trace_id" in refused.stderr, "--item" in refused.stderr) == (
        2,
        True,
        True,
    )
    assert imported(desk, "--item", "id", *given).returncode == 0
    found = [(t["trace_id"], t["scenario_id"], t["run"]) for t in lines(desk.folder / "in" / "traces.jsonl")]
    assert found == [("x#1", "x", "1"), ("x#2", "x", "2"), ("y#1", "y", "1")]


def test_a_column_cannot_be_its_own_truth(desk: Project) -> None:
    said = imported(desk, "--judge", "human", "--human", "human", "--map", "map.yaml")
    assert (said.returncode, "agree with itself" in said.stderr) == (2, True)


def test_a_long_or_hostile_value_is_shown_short_and_matches(desk: Project) -> None:
    long, bad = "I cannot help with the pool code. " * 5, "<b>\x1b[31mno</b>"
    (desk.folder / "t.jsonl").write_text(
        "".join(json.dumps({"id": str(i), "judge": text}) + "\n" for i, text in enumerate([long, bad, "yes"]))
    )
    said = imported(desk, "--id", "id", "--judge", "judge", file="t.jsonl")
    assert said.returncode == 2
    assert "\x1b" not in said.stdout + said.stderr
    assert "pool code" not in said.stderr
    assert max(map(len, said.stdout.splitlines())) < 130
    text = said.stdout.replace("space:\n", "space: refused\n").replace(": # 1 rows", ": REFUSAL # 1 rows")
    (desk.folder / "m.yaml").write_text(text)
    done = imported(desk, "--id", "id", "--judge", "judge", "--map", "m.yaml", file="t.jsonl")
    assert done.returncode == 0, done.stderr
    assert account(desk)["judges"][0]["labels"] == {"REFUSAL": 3}


@given(st.text(max_size=300))
def test_what_a_map_shows_is_short_printable_and_the_same_twice(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) <= 80
    assert shown(shown(text)) == shown(text)


def test_every_form_of_a_table_gives_the_same_rows(tmp_path: Path) -> None:
    content = [{"id": "a", "r": 'Hi,\n"you"', "j": True}, {"id": "b", "r": None, "j": False}]
    (tmp_path / "lines.txt").write_text("".join(json.dumps(row) + "\n" for row in content))
    (tmp_path / "array.txt").write_text(json.dumps(content, indent=2))
    (tmp_path / "flat.txt").write_text('id,r,j\na,"Hi,\n""you""",true\nb,,false\n')
    (tmp_path / "semi.txt").write_text('id;r;j\na;"Hi,\n""you""";true\nb;;false\n', encoding="utf-16")
    duckdb.sql(
        f"COPY (SELECT * FROM (VALUES ('a', 'Hi,\n\"you\"', true), ('b', NULL, false)) t(id, r, j)) "
        f"TO '{tmp_path / 'parquet.txt'}' (FORMAT parquet)"
    )
    (tmp_path / "map.yaml").write_text("true: COMPLIANCE\nfalse: NOT_COMPLIANCE\n")
    options = {
        "id": "id",
        "response": "r",
        "judge": "j",
        "space": "strict",
        "map": str(tmp_path / "map.yaml"),
    }
    found = []
    for path in sorted(tmp_path.glob("*.txt")):
        assert Reader().recognise(path, path.read_bytes()[:100]) is not None, path.name
        got = rows(path, **options)
        found.append([(r.trace_id, r.messages, r.status, r.judgements) for r in got])
    assert len(found) == 5
    assert all(one == found[0] for one in found)
    assert found[0][0][1][0].content == 'Hi,\n"you"'
    assert [status for _, _, status, _ in found[0]] == [None, "not_submitted"]


@given(st.lists(st.dictionaries(st.just("x"), st.text(), min_size=1), min_size=1), st.integers(0, 3))
def test_an_array_is_read_as_json_reads_it(
    tmp_path_factory, content: list[dict[str, str]], indent: int
) -> None:
    path = tmp_path_factory.mktemp("array") / "a.json"
    path.write_text(json.dumps(content, indent=indent or None))
    got = rows(path, response="x")
    assert ["".join(m.content for m in row.messages) for row in got] == [row["x"] for row in content]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"x": "a"}, {"x": ', "row 2: not JSON, or the file is cut off"),
        ('[{"x": "a"}, 3]', "row 2: must be an object"),
        ('[{"x": "a"}, {"x": ["secret"]}]', "row 2: x: must be a text"),
        ('[{"x": "a"}, {"y": "b"}]', None),
        ('{"x": "a"}\n{"x": secret}\n', "line 2: not JSON"),
        ("x,y\na,b\nsecret\n", "line 3 has 1 cells"),
        ("z,y\na,b\n", "there is no column 'x'"),
    ],
)
def test_a_broken_table_names_the_record_and_never_a_text(
    tmp_path: Path, text: str, problem: str | None
) -> None:
    (tmp_path / "t").write_text(text)
    if problem is None:
        assert [row.status for row in rows(tmp_path / "t", response="x")] == [None, "not_submitted"]
        return
    with pytest.raises(FFError) as error:
        rows(tmp_path / "t", response="x")
    assert problem in str(error.value)
    assert "secret" not in str(error.value)


def test_an_empty_response_is_no_pass(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"r": " ", "j": "COMPLIANCE"}\n')
    (row,) = rows(tmp_path / "t.jsonl", response="r", judge="j", space="strict")
    assert (row.status, row.judgements[0].label, row.judgements[0].status) == (None, None, "not_gradeable")


def test_ten_thousand_columns(desk: Project) -> None:
    many = [f"c{i}" for i in range(10_000)]
    write(desk.folder / "t.csv", [tuple(many)], head=",".join(many))
    said = imported(desk, "--judge", "nothing", "--space", "strict")
    assert said.returncode == 2
    assert "9988 more" in said.stderr
    assert len(said.stderr) < 2000


def test_a_table_is_read_once_unless_scores_or_unknown_values_ask_for_more(tmp_path: Path) -> None:
    """A value that comes late is read as one that comes early, and what only all rows show is checked."""
    many = [(str(n), "COMPLIANCE", "COMPLIANCE") for n in range(300)]
    write(tmp_path / "t.csv", [*many, ("x", "", "NOT_COMPLIANCE"), ("y", "late", "COMPLIANCE")])
    options = {"id": "id", "judge": "judge", "human": "human", "space": "strict"}
    with pytest.raises(MapNeededError) as error:
        rows(tmp_path / "t.csv", **options)
    assert '"COMPLIANCE"' not in error.value.map and '"late": # 1 rows' in error.value.map
    (tmp_path / "map.yaml").write_text("late: NOT_COMPLIANCE\n")
    found = rows(tmp_path / "t.csv", **options, map=str(tmp_path / "map.yaml"))
    assert [row.labels[0].label if row.labels else None for row in found[-2:]] == [None, "NOT_COMPLIANCE"]
    assert found[-2].judgements[0].label == "NOT_COMPLIANCE"


def test_a_map_of_more_values_than_labels_have_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "t.csv", [(str(n), "", f"text {n}") for n in range(150)])
    (tmp_path / "map.yaml").write_text("".join(f"text {n}: COMPLIANCE\n" for n in range(150)))
    with pytest.raises(FFError, match="judge has more than 100 different values: these are texts"):
        rows(tmp_path / "t.csv", id="id", judge="judge", space="strict", map=str(tmp_path / "map.yaml"))
