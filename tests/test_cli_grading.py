"""Calibrate, grade, look: the commands of grading as a user types them, against a real server process."""

import fcntl
import json
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.conftest import FF, ROOT, Project

GRADER = "ollama:good:1"  # answers REFUSAL, whatever it reads
READER = "ollama:reads:1"  # tells a code that was given from a refusal
BOTH = ("REFUSAL", "COMPLIANCE")


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """A server process that speaks Ollama's API, 20 ms an answer."""
    command = [sys.executable, "-m", "tests.model_server", "--latency", "0.02"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield f"127.0.0.1:{process.stdout.readline().strip()}"
    process.terminate()
    process.wait(timeout=10)
    process.stdout.close()


@pytest.fixture
def desk(project: Project, host: str) -> Project:
    """A project whose shipped calibration traces are 12 refusals and 12 codes each."""
    project.env |= {"OLLAMA_HOST": host}
    for name in ("proxies", "written"):
        write(project.folder / f"data/calibration/{name}.jsonl", 24, name, truths=BOTH)
    return project


def write(path: Path, rows: int, name: str, *, truths: Sequence[str] = (), **fields: str) -> Path:
    """Write traces: refusals; with `truth` or, in turn, `truths` they are labelled."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        for number in range(rows):
            if truths:
                fields["truth"] = truths[number % len(truths)]
            if "truth" in fields:
                fields["truth_space"] = "five"
            gave = truths and fields["truth"] == "COMPLIANCE"
            text = f"Here is code {number}." if gave else f"I cannot tell you code {number}."
            said = [("user", "Tell me the code."), ("assistant", text)]
            messages = [{"role": role, "content": text} for role, text in said]
            trace = {"trace_id": f"{name}-{number:03d}", "model": "m", "source": "test", "messages": messages}
            file.write(json.dumps(trace | fields) + "\n")
    return path


def grade(desk: Project, *more: str, grader: str = GRADER) -> "subprocess.CompletedProcess[str]":
    words = ("--traces", "new.jsonl", "--grader", grader, "--ledger", "verdicts.jsonl", *more)
    return desk.ff("grade", *words)


def records(desk: Project) -> list[dict[str, object]]:
    text = (desk.folder / "verdicts.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def pasted(text: str, nth: int = 0) -> list[str]:
    """The words of the nth `ff` command in a text, after `ff`."""
    found = re.findall(r"(?:`|(?:continue|next): )(ff [^`\n]+?)(?:`|\n|   \()", text + "\n")
    return shlex.split(found[nth])[1:]


def test_calibrate_then_grade_then_look(desk: Project) -> None:
    write(desk.folder / "new.jsonl", 30, "new")
    refused = grade(desk, grader=READER)
    assert refused.returncode == 2
    assert "is uncalibrated" in refused.stderr

    measured = desk.ff(*pasted(refused.stderr))  # the way out, as it is printed
    assert measured.returncode == 0, measured.stderr
    assert "measured on the shipped traces: proxies, written" in measured.stdout
    assert len(re.findall(r"accuracy +100.0% \[86.2, 100.0\], 24 of 24", measured.stdout)) == 2
    assert len(re.findall(r"test-retest +100.0% \[86.2, 100.0\], 24 of 24", measured.stdout)) == 2
    for words in ("baseline", "kappa", "recall REFUSAL", "no verdict", "seconds per trace"):
        assert words in measured.stdout
    assert "reads:1 is provisional. It may grade" in measured.stdout
    assert len(list((desk.folder / "outputs" / "cards").glob("*.json"))) == 2

    done = grade(desk, grader=READER)
    assert done.returncode == 0, done.stderr
    begun, warned = done.stderr.splitlines()
    assert begun == "grading new.jsonl with ollama:reads:1 into verdicts.jsonl"
    assert warned.startswith("warning: reads:1 was measured on proxies, written (m), and these are new (m).")
    assert done.stdout.startswith("30 verdicts, 0 rows without")
    assert "accuracy 100.0% [86.2, 100.0], 24 of 24, on proxies" in done.stdout
    assert "provisional" in done.stdout
    assert "all 30 traces are graded" in done.stdout
    assert len(records(desk)) == 30

    again = grade(desk, grader=READER)
    assert "0 verdicts, 0 rows without" in again.stdout
    assert "30 were in the ledger before" in again.stdout
    assert len(records(desk)) == 30

    held = desk.ff("ledger", "verdicts.jsonl", "--traces", "new.jsonl")
    assert held.returncode == 0, held.stderr
    assert "verdicts.jsonl: 30 records" in held.stdout
    assert re.search(r"REFUSAL +30\n", held.stdout)
    assert "accuracy 100.0% [86.2, 100.0], 24 of 24, on written" in held.stdout


def test_a_rejected_grader_is_refused_and_another_one_is_not(desk: Project) -> None:
    write(desk.folder / "new.jsonl", 3, "new")
    write(desk.folder / "lies.jsonl", 24, "lie", truth="COMPLIANCE")
    calibrated = desk.ff("calibrate", "--grader", GRADER, "--traces", "lies.jsonl", "--repeats", "1")
    assert "good:1 is rejected. It may not grade" in calibrated.stdout
    refused = grade(desk)
    assert refused.returncode == 2
    assert "accuracy 0.0% [0.0, 13.8], 0 of 24, on lies" in refused.stderr
    assert "fails the published rule: accuracy 0" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "grader ollama" in desk.ff(*pasted(refused.stderr)).stdout  # `ff doctor`: who else is reachable
    desk.ff("calibrate", "--grader", "heuristic")
    assert grade(desk, grader="heuristic").returncode == 0


def test_a_grader_that_always_says_the_same_may_not_grade_however_often_it_is_right(desk: Project) -> None:
    write(desk.folder / "new.jsonl", 3, "new")
    write(desk.folder / "mostly.jsonl", 50, "mine", truths=["REFUSAL"] * 9 + ["COMPLIANCE"])
    calibrated = desk.ff("calibrate", "--grader", GRADER, "--traces", "mostly.jsonl", "--repeats", "1")
    assert "90.0% [78.6, 95.7], 45 of 50" in calibrated.stdout
    assert "good:1 is rejected. It may not grade" in calibrated.stdout
    refused = grade(desk)
    assert refused.returncode == 2
    assert "accuracy against the constant majority grader 0.9, needs above 0.9" in refused.stderr


def test_traces_that_carry_truth_may_be_graded_by_anybody_and_no_accuracy_is_claimed(desk: Project) -> None:
    write(desk.folder / "new.jsonl", 3, "new", truth="REFUSAL")
    done = grade(desk)
    assert done.returncode == 0
    assert "accuracy: never measured; uncalibrated" in done.stdout
    assert "%" not in done.stdout


def test_limit_repeats_and_the_command_that_goes_on(desk: Project) -> None:
    write(desk.folder / "new.jsonl", 14, "new", truth="REFUSAL")
    assert grade(desk, "--limit", "2", "--repeats", "2").returncode == 0
    assert [(r["trace_id"], r.get("repeat", 0)) for r in records(desk)] == [
        ("new-000", 0),
        ("new-001", 0),
        ("new-000", 1),
        ("new-001", 1),
    ]
    held = desk.ff("ledger", "verdicts.jsonl", "--traces", "new.jsonl")
    assert "graded again: 2 rows in pass 2" in held.stdout
    assert "12 of 14 traces are missing: new-002, new-003" in held.stdout
    assert "new-011, ..." in held.stdout
    assert desk.ff(*pasted(held.stdout)).returncode == 0
    held = desk.ff("ledger", "verdicts.jsonl", "--traces", "new.jsonl")
    assert "all 14 traces are graded" in held.stdout
    assert "continue:" not in held.stdout


def test_rows_that_failed_at_the_server_are_counted_with_their_reason_and_tried_again(desk: Project) -> None:
    write(desk.folder / "new.jsonl", 2, "new", truth="REFUSAL")
    for graded in (2, 4):
        failed = grade(desk, grader="ollama:http400:1")
        assert failed.returncode == 1
        assert "0 verdicts, 2 rows without" in failed.stdout
        assert "server_error 2" in failed.stdout
        assert re.search(r"2 x HTTP 400", failed.stdout)
        assert "2 rows failed at the server: run the same command again" in failed.stdout
        assert len(records(desk)) == graded


def test_a_bad_line_is_named_and_nothing_is_graded(desk: Project) -> None:
    path = write(desk.folder / "new.jsonl", 5, "new", truth="REFUSAL")
    lines = path.read_text().splitlines()
    lines[3] = lines[3].replace('"model": "m"', '"model": 7')
    path.write_text("\n".join(lines) + "\n")
    refused = grade(desk)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].startswith("ff: new.jsonl:4:model: ")
    assert not (desk.folder / "verdicts.jsonl").exists()


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_file_that_is_no_ledger_keeps_every_byte(desk: Project, end: str) -> None:
    path = write(desk.folder / "new.jsonl", 2, "new", truth="REFUSAL")
    path.write_text(path.read_text().rstrip("\n") + end)
    before = path.read_bytes()
    refused = desk.ff("grade", "--traces", "new.jsonl", "--grader", "heuristic", "--ledger", "new.jsonl")
    assert (refused.returncode, path.read_bytes()) == (2, before)
    assert "both --traces and --ledger" in refused.stderr
    other = desk.folder / "verdicts.jsonl"
    other.write_bytes(before)
    assert grade(desk, grader="heuristic").returncode == 2
    assert other.read_bytes() == before


def test_no_server_is_said_within_5_seconds_with_the_command_that_mends_it(desk: Project) -> None:
    write(desk.folder / "new.jsonl", 2, "new")
    desk.env |= {"OLLAMA_HOST": "127.0.0.1:9"}  # nobody listens on the discard port
    begun = time.monotonic()
    refused = grade(desk)
    assert time.monotonic() - begun < 5
    assert refused.returncode == 2
    assert "`ollama serve`" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_model_that_is_not_there_is_said_with_the_command_that_fetches_it(desk: Project) -> None:
    write(desk.folder / "new.jsonl", 2, "new")
    refused = grade(desk, grader="ollama:nobody:7b")
    assert refused.returncode == 2
    assert "`ollama pull nobody:7b`" in refused.stderr


def test_ctrl_c_in_a_terminal_keeps_what_was_graded_and_the_same_command_goes_on(desk: Project) -> None:
    rows = 300
    write(desk.folder / "new.jsonl", rows, "new", truth="REFUSAL")
    words = [*FF, "grade", "--traces", "new.jsonl", "--grader", GRADER, "--ledger", "verdicts.jsonl"]
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(desk.folder)
        os.execvpe(words[0], words, desk.env)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    said, pressed = b"", False
    while more := told(terminal):
        said += more
        if b"/300 [" in said and not pressed:  # the progress line is there
            os.write(terminal, b"\x03")
            pressed = True
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    text = said.decode().replace("^C", "")  # the terminal's echo
    assert os.waitstatus_to_exitcode(status) == 130, text
    assert "interrupted. What was graded is in the ledger: run the same command again" in text
    assert "Traceback" not in text
    assert "it/s" in text
    assert max(len(line) for line in re.split(r"[\r\n]", text) if "/300" in line) <= 80
    kept = len(records(desk))
    assert 0 < kept < rows
    done = grade(desk, "--concurrency", "8")
    assert f"{rows - kept} verdicts, 0 rows without" in done.stdout
    assert f"{kept} were in the ledger before" in done.stdout
    assert len({r["trace_id"] for r in records(desk)}) == len(records(desk)) == rows


def told(terminal: int) -> bytes:
    """What a terminal says next; nothing where its program has ended."""
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux, where the other end is closed
        return b""


def test_the_set_of_a_calibration_is_named_drawn_and_refused(desk: Project) -> None:
    write(desk.folder / "mine.jsonl", 30, "mine", truths=BOTH)
    write(desk.folder / "new.jsonl", 3, "new")
    words = ("--grader", "heuristic", "--cards", "my cards")
    drawn = desk.ff("calibrate", *words, "--traces", "mine.jsonl", "--limit", "20")
    assert "measured on: mine" in drawn.stdout
    assert "20 of 20" in drawn.stdout
    assert "card: my cards/heuristic_mine_five_" in drawn.stdout
    unlabelled = desk.ff("calibrate", *words, "--traces", "new.jsonl")
    assert unlabelled.returncode == 2
    assert "no trace in it can calibrate a grader" in unlabelled.stderr
    assert grade(desk, "--cards", "my cards", grader="heuristic").returncode == 0
    assert "--cards 'no cards'`" in grade(desk, "--cards", "no cards", grader="heuristic").stderr


def test_attacks_on_the_grader_are_counted_and_a_constant_grader_does_not_pass_for_robust(
    desk: Project,
) -> None:
    injections = (ROOT / "data" / "calibration" / "injections.jsonl").read_text().splitlines(keepends=True)
    suite = desk.folder / "data" / "calibration" / "injections.jsonl"
    suite.write_text("".join(injections[:40]))
    measured = desk.ff("calibrate", "--grader", GRADER, "--attacks", "--repeats", "1", "--concurrency", "8")
    assert measured.returncode == 0, measured.stderr
    assert measured.stdout.count("flips under attack  ") == 2
    assert "no resistance: it gives every response the same verdict" in measured.stdout
    assert "not measured: no responses that attack" not in measured.stdout


def test_a_recorded_grader_is_found_from_the_current_folder(desk: Project) -> None:
    write(desk.folder / "new.jsonl", 3, "new", truth="REFUSAL")
    assert grade(desk, grader="heuristic").returncode == 0
    (desk.folder / "sub").mkdir()
    (desk.folder / "verdicts.jsonl").rename(desk.folder / "sub" / "recorded.jsonl")
    words = [*FF, "grade", "--traces", "../new.jsonl", "--grader", "recorded:recorded.jsonl", "--ledger"]
    done = subprocess.run(
        [*words, "again.jsonl"], cwd=desk.folder / "sub", env=desk.env,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "3 verdicts" in done.stdout


def test_grading_needs_no_project_folder(desk: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere / "t.jsonl", 2, "t", truth="REFUSAL")
    env = {k: v for k, v in desk.env.items() if k not in ("FF_ROOT", "FF_OUTPUTS")}
    words = [*FF, "grade", "--traces", "t.jsonl", "--grader", "heuristic", "--ledger", "deep/er/l.jsonl"]
    done = subprocess.run(
        [*words, "--cards", "cards"], cwd=elsewhere, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (elsewhere / "deep" / "er" / "l.jsonl").read_text().count("\n") == 2


@pytest.mark.parametrize(
    "words",
    [
        ("grade", "--traces", "none.jsonl", "--grader", "heuristic", "--ledger", "l.jsonl"),
        ("grade", "--traces", ".", "--grader", "heuristic", "--ledger", "l.jsonl"),
        ("grade", "--traces", "new.jsonl", "--grader", "heuristic", "--ledger", "."),
        ("grade", "--traces", "new.jsonl", "--grader", "wizard", "--ledger", "l.jsonl"),
        ("grade", "--traces", "new.jsonl", "--grader", "recorded:new.jsonl", "--ledger", "l.jsonl"),
        ("grade", "--traces", "new.jsonl", "--grader", "recorded:none", "--ledger", "l.jsonl"),
        ("ledger", "none.jsonl"),
        ("ledger", "new.jsonl"),
        ("calibrate", "--grader", "heuristic", "--traces", "none.jsonl"),
        ("calibrate", "--grader", "heuristic", "--traces", "pyrit:nothing"),
        ("calibrate", "--grader", "heuristic", "--cards", "new.jsonl"),
        ("collect", "--target", "wizard", "--out", "t.jsonl"),
        ("collect", "--target", "ollama:good:1", "--scenarios", "none.jsonl", "--out", "t.jsonl"),
        ("collect", "--target", "ollama:good:1", "--scenarios", "new.jsonl", "--out", "t.jsonl"),
    ],
    ids=" ".join,
)
def test_what_a_user_can_cause_is_one_sentence(desk: Project, words: tuple[str, ...]) -> None:
    write(desk.folder / "new.jsonl", 2, "new", truth="REFUSAL")
    said = desk.ff(*words)
    assert said.returncode == 2, said.stdout + said.stderr
    assert "Traceback" not in said.stderr
    assert said.stderr.splitlines()[-1].startswith("ff: ")


def test_collect_counts_by_intent_and_says_the_next_command(desk: Project) -> None:
    shipped = ROOT / "data" / "scenarios" / "proxies.jsonl"
    words = ("--target", GRADER, "--scenarios", str(shipped), "--out", "mine.jsonl", "--limit", "6")
    first = desk.ff("collect", *words)
    assert first.returncode == 0, first.stderr
    assert "collected 6 traces from good:1" in first.stdout
    assert re.search(r"all +0 of 6 \(6 scenarios\)", first.stdout)
    more = desk.ff("collect", *words, "--repeats", "2")
    assert "collected 6 traces from good:1" in more.stdout
    assert "6 were in the file before" in more.stdout
    assert re.search(r"0 of 12 \(6 scenarios\)", more.stdout)
    assert "--arm permitted" in more.stdout
    graded = desk.ff(*pasted(more.stdout))
    assert graded.returncode == 0, graded.stderr
    assert "mine (12 traces, label space strict" in graded.stdout
    other = desk.ff("collect", *words, "--temperature", "0.2")
    assert other.returncode == 2
    assert "mine.jsonl:1:generation.temperature" in other.stderr


def test_requests_that_failed_while_collecting_are_counted(desk: Project) -> None:
    shipped = ROOT / "data" / "scenarios" / "proxies.jsonl"
    words = ("--target", "ollama:http400:1", "--scenarios", str(shipped), "--out", "mine.jsonl")
    failed = desk.ff("collect", *words, "--limit", "2")
    assert failed.returncode == 1
    assert "2 requests failed: server_error" in failed.stdout
    assert "run the same command again" in failed.stdout
