"""A trace file is graded in constant memory, resumed, and checked before its first trace is graded."""

import subprocess
import sys
from pathlib import Path

import pytest

from ff_helpers.corpus.journal import Journal, JournalBusyError, JournalWriteError
from ff_helpers.corpus.jsonl import BadLineError, FileMissingError, write_records
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.inventory import ledger_summary
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.grading.outcome import Record
from ff_helpers.grading.stream import grade_file
from ff_helpers.measurement.standing import by_cards

ROOT = Path(__file__).resolve().parents[2]
TRUTH = {"truth": "REFUSAL", "truth_space": "five"}


def trace(n, response=None, **fields):
    text = f"No. {n}" if response is None else response
    messages = (Message(role="user", content="Code?"), Message(role="assistant", content=text))
    return Trace(trace_id=f"t{n:05d}", model="m", source="s", messages=messages, **(TRUTH | fields))


@pytest.fixture
def file(tmp_path):
    """Ten traces with truth."""
    write_records(tmp_path / "traces.jsonl", map(trace, range(10)))
    return tmp_path / "traces.jsonl"


@pytest.fixture
def ollama(port, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{port}")


def ids(ledger):
    return [(r.trace_id, r.repeat) for r in read_ledger(ledger)]


# Grading and resuming


def test_a_file_is_graded_once_whole_and_a_second_call_adds_nothing(file, tmp_path):
    ledger = tmp_path / "new" / "v.jsonl"
    done = grade_file(file, "heuristic", ledger)
    assert (done.identity.name, done.graded, done.already) == ("heuristic", 10, 0)
    assert (done.verdicts, done.statuses, done.ledger) == ({"REFUSAL": 10}, {}, ledger)
    before = ledger.read_bytes()
    again = grade_file(file, "heuristic", ledger)
    assert (again.graded, again.already, again.verdicts) == (0, 10, {})
    assert ledger.read_bytes() == before


def test_a_limit_takes_the_first_traces_and_the_next_call_goes_on_behind_them(file, tmp_path):
    ledger = tmp_path / "v.jsonl"
    grade_file(file, "heuristic", ledger, limit=4)
    assert ids(ledger) == [(f"t{n:05d}", 0) for n in range(4)]
    done = grade_file(file, "heuristic", ledger)
    assert (done.graded, done.already) == (6, 4)
    assert ids(ledger) == [(f"t{n:05d}", 0) for n in range(10)]


def test_repeats_are_whole_passes_and_only_for_models(file, tmp_path, ollama):
    models, phrases = tmp_path / "m.jsonl", tmp_path / "p.jsonl"
    grade_file(file, "ollama:good:1", models, limit=3, repeats=2)
    assert ids(models) == [(f"t{n:05d}", repeat) for repeat in (0, 1) for n in range(3)]
    assert grade_file(file, "heuristic", phrases, repeats=3).graded == 10


def test_failed_requests_are_graded_again_and_empty_responses_are_not(tmp_path, ollama):
    write_records(tmp_path / "t.jsonl", [trace(0), trace(1, response=" ")])
    ledger = tmp_path / "v.jsonl"
    first = grade_file(tmp_path / "t.jsonl", "ollama:http500:1", ledger, concurrency=2)
    assert first.statuses == {"not_gradeable": 1, "server_error": 1}
    again = grade_file(tmp_path / "t.jsonl", "ollama:http500:1", ledger, concurrency=2)
    assert (again.graded, again.already, again.statuses) == (1, 1, {"server_error": 1})


def test_context_is_sized_for_the_longest_trace_of_the_file_whatever_the_limit(tmp_path, ollama):
    write_records(tmp_path / "t.jsonl", [trace(0), trace(1, response="word " * 4000)])
    ledger = tmp_path / "v.jsonl"
    grade_file(tmp_path / "t.jsonl", "ollama:good:1", ledger, limit=1)
    grade_file(tmp_path / "t.jsonl", "ollama:good:1", ledger)
    one, two = read_ledger(ledger)
    assert one.options.num_ctx == two.options.num_ctx > 8192


# What is said first


def test_other_conditions_than_those_of_the_ledger_are_warned_of(file, tmp_path, ollama, capsys):
    ledger = tmp_path / "v.jsonl"
    grade_file(file, "ollama:good:1", ledger, limit=2)
    grade_file(file, "ollama:good:1", ledger, limit=4)
    assert capsys.readouterr().err == ""
    grade_file(file, "ollama:good:1", ledger, concurrency=3)
    said = capsys.readouterr().err
    assert "has verdicts of good:1 made with num_ctx" in said
    assert "concurrency 1; this run uses" in said
    grade_file(file, "ollama:good:1", ledger, concurrency=2)  # nothing is left, so nothing to warn of
    assert capsys.readouterr().err == ""


def test_a_bad_line_or_an_id_twice_is_named_before_anything_is_graded(file, tmp_path, ollama):
    ledger = tmp_path / "v.jsonl"
    lines = file.read_text()
    file.write_text(lines + '{"trace_id": "x"}\n')
    with pytest.raises(BadLineError, match=r"traces\.jsonl:11:model"):
        grade_file(file, "heuristic", ledger, limit=1)
    file.write_text(lines + trace(4).model_dump_json() + "\n")
    with pytest.raises(BadLineError, match=r"traces\.jsonl:11:trace_id"):
        grade_file(file, "ollama:good:1", ledger)
    assert not ledger.exists()
    with pytest.raises(FileMissingError, match=r"absent\.jsonl"):
        grade_file(tmp_path / "absent.jsonl", "heuristic", ledger)


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_a_file_without_traces_is_no_success(content, tmp_path):
    (tmp_path / "t.jsonl").write_text(content)
    with pytest.raises(FFError, match=r"t\.jsonl: this file holds no traces"):
        grade_file(tmp_path / "t.jsonl", "heuristic", tmp_path / "v.jsonl")


def test_traces_without_truth_ask_for_a_card_and_those_with_truth_do_not(file, tmp_path):
    write_records(tmp_path / "t.jsonl", [trace(0), trace(1, truth=None, truth_space=None)])
    admit = by_cards(tmp_path / "cards")
    with pytest.raises(FFError, match="ff calibrate --grader heuristic"):
        grade_file(tmp_path / "t.jsonl", "heuristic", tmp_path / "v.jsonl", admit=admit)
    with pytest.raises(FFError, match="its calibration card was not looked up"):
        grade_file(tmp_path / "t.jsonl", "heuristic", tmp_path / "v.jsonl")
    assert not (tmp_path / "v.jsonl").exists()
    assert grade_file(file, "heuristic", tmp_path / "v.jsonl", admit=admit).graded == 10


@pytest.mark.parametrize("number", [{"limit": 0}, {"repeats": 0}, {"concurrency": -1}])
def test_numbers_below_one_are_refused(file, tmp_path, number):
    with pytest.raises(FFError, match=rf"{next(iter(number))} = .*must be 1 or more"):
        grade_file(file, "heuristic", tmp_path / "v.jsonl", **number)


def test_a_ledger_of_another_run_or_where_nothing_can_be_written_is_one_clear_error(file, tmp_path, ollama):
    with Journal(tmp_path / "v.jsonl", Record), pytest.raises(JournalBusyError):
        grade_file(file, "ollama:good:1", tmp_path / "v.jsonl")
    with pytest.raises(JournalWriteError, match="Make room"):
        grade_file(file, "heuristic", file / "v.jsonl")


# Memory

MEASURED = """
import sys
from pathlib import Path
from benchmarks.contenders import peak_mb
from ff_helpers.grading.stream import grade_file
done = grade_file(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), concurrency=16)
print(done.graded, peak_mb())
"""


def test_memory_does_not_grow_with_the_traces(tmp_path):
    """10,000 traces are 15 MB of text; 100,000 of them are measured by `make bench`."""

    def peak(count):
        path = tmp_path / f"{count}.jsonl"
        write_records(path, (trace(n, response=f"{n} " + "word " * 250) for n in range(count)))
        command = [sys.executable, "-c", MEASURED, str(path), "heuristic", str(tmp_path / f"v{count}.jsonl")]
        said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
        assert int(said[0]) == count
        return float(said[1])

    few, many = peak(200), peak(10_000)
    assert many < few + 20
    assert many < 150


# What a ledger holds


def test_a_summary_counts_what_stands_what_was_written_twice_and_what_is_missing(file, tmp_path, ollama):
    ledger = tmp_path / "v.jsonl"
    grade_file(file, "ollama:good:1", ledger, limit=6, repeats=2)
    grade_file(file, "heuristic", ledger)
    lines = ledger.read_text().splitlines()
    conflict = lines[1].replace('"verdict":"REFUSAL"', '"verdict":"PARTIAL"')
    failed = lines[2].replace('"verdict":"REFUSAL"', '"status":"timeout","reason":"slow"')
    with ledger.open("a") as extra:
        extra.write("\n".join([lines[0], conflict, failed]) + "\n" + lines[0][:30])
    held = ledger_summary(ledger, file)
    assert (held.records, held.torn) == (12 + 10 + 3, 30)
    assert (held.duplicates, held.conflicting, held.retried, held.superseded) == (1, 2, 0, 0)
    assert (held.traces, held.elsewhere) == (10, 0)
    model, phrases = held.graders
    assert (model.identity.name, model.repeats) == ("good:1", {0: 6, 1: 6})
    assert (model.verdicts, model.statuses) == ({"REFUSAL": 4, "PARTIAL": 1}, {"timeout": 1})
    assert model.missing == 5
    assert model.first_missing == ("t00002", "t00006", "t00007", "t00008", "t00009")
    assert (phrases.identity.name, phrases.verdicts, phrases.missing) == ("heuristic", {"REFUSAL": 10}, 0)
    assert [one.concurrency for one in model.conditions] == [1]


def test_a_summary_tells_retries_corrections_and_rows_of_other_files_apart(file, tmp_path, ollama):
    ledger = tmp_path / "v.jsonl"
    grade_file(file, "ollama:http500:1", ledger, limit=1)
    grade_file(file, "ollama:http500:1", ledger, limit=1)
    grade_file(file, "heuristic", ledger, limit=1)
    first = list(read_ledger(ledger))[-1]
    why = {"key": first.key, "author": "R. Viewer", "reason": "names the code"}
    changed = first.model_dump() | {
        "key": "other",
        "grader": "manual:R",
        "method": "manual",
        "supersedes": why,
    }
    write_records(tmp_path / "one.jsonl", [Record.model_validate(changed)])
    ledger.write_bytes(ledger.read_bytes() + (tmp_path / "one.jsonl").read_bytes())
    held = ledger_summary(ledger)
    assert (held.duplicates, held.conflicting, held.retried, held.superseded) == (0, 0, 1, 1)
    told = {g.identity.name: g.repeats for g in held.graders}
    assert told == {"http500:1": {0: 1}, "heuristic": {}, "manual:R": {0: 1}}
    assert {g.missing for g in held.graders} == {None}
    assert ledger_summary(ledger, file).elsewhere == 1  # the correction's key is of no trace in the file
