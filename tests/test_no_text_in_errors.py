"""No command prints the text of a cell, a prompt or a response in an error, whatever is wrong with a file."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from ff_helpers.cli import main
from ff_helpers.corpus.traces import Trace, read_traces
from tests.conftest import ROOT
from tests.kinds_of_file import MARKER, kinds

LABELS = ("calibrate", "--labels", "FILE", "--truth", "human", "--grader", "judge")
JOINED = (*LABELS[:5], "--space", "five", "--ledger", "LEDGER")
TRACES = ("grade", "--traces", "FILE", "--grader", "heuristic", "--ledger", "new.jsonl")
ASR = ("asr", "FILE")
PEOPLE = ("labels", "compare", "FILE", "--space", "strict")
ROW = {"trace_id": "t", "grader": "g", "verdict": "REFUSAL"}
TRACE = {"trace_id": "t", "model": "m", "source": "s", "messages": [{"role": "user", "content": MARKER}]}
Q = f'"{MARKER}"'
WRONG = {
    "no header": (LABELS, f"{Q},{Q},1\n{Q},No,0\n".replace("\\\n", "\n")),
    "a prompt as a name": (LABELS, f"human,{Q}\n1,1\n"),
    "a name twice": (LABELS, f"{Q},{Q}\n1,1\n"),
    "rows of another length": (LABELS, f"human,judge\n{Q},1,2\n"),
    "a quote left open": (LABELS, f'human,judge\n1,"{MARKER}\n'),
    "a quote in a cell": (LABELS, f'human,judge\n1,"{MARKER}"x\n'),
    "many truths": (LABELS, "human,judge\n" + "".join(f'"{MARKER} {n}",1\n' for n in range(300))),
    "a prompt as an id": (JOINED, f"trace_id,human\n{Q},1\n{Q},0\n"),
    "no such class": ((*LABELS, "--positive", "x"), f"human,judge\n{Q},1\n"),
    "not in the map": ((*LABELS, "--map", "MAP"), f"human,judge\n{Q},1\n"),
    "no such column to choose by": ((*LABELS, "--where", "x == 1"), f"{Q},judge\n1,1\n"),
    "numbers against text": ((*LABELS, "--where", "human > 1"), f"human,judge\n{Q},1\n"),
    "rows cut off": (LABELS, json.dumps({"human": MARKER}) + '\n{"human": "' + MARKER),
    "a list in JSON lines": (LABELS, json.dumps({"human": MARKER}) + "\n" + json.dumps([MARKER]) + "\n"),
    "a trace with one more key": (TRACES, json.dumps(TRACE | {MARKER: MARKER}) + "\n"),
    "a trace without a model": (TRACES, json.dumps({k: v for k, v in TRACE.items() if k != "model"}) + "\n"),
    "an intent that is none": (TRACES, json.dumps(TRACE | {"intent": MARKER}) + "\n"),
    "a truth that is none": (TRACES, json.dumps(TRACE | {"truth": MARKER, "truth_space": "five"}) + "\n"),
    "messages as text": (TRACES, json.dumps(TRACE | {"messages": MARKER}) + "\n"),
    "a role that is none": (
        TRACES,
        json.dumps(TRACE | {"messages": [{"role": MARKER, "content": "x"}]}) + "\n",
    ),
    "an id twice": (TRACES, (json.dumps(TRACE | {"trace_id": MARKER}) + "\n") * 2),
    "a control": (TRACES, json.dumps(TRACE | {"trace_id": MARKER, "arm": "permitted"}) + "\n"),
    "a trace cut off": (TRACES, json.dumps(TRACE)[:-9]),
    "a verdict that is none": (ASR, json.dumps(ROW | {"verdict": MARKER}) + "\n"),
    "a word as a verdict": (ASR, json.dumps(ROW | {"verdict": "MARKED"}) + "\n"),
    "a verdict that is none later": (
        ASR,
        "\n".join(map(json.dumps, (ROW, ROW | {"verdict": MARKER}))) + "\n",
    ),
    "a row twice": (ASR, (json.dumps(ROW | {"trace_id": MARKER, "grader": MARKER}) + "\n") * 2),
    "a repeat as text": (ASR, json.dumps(ROW) + "\n" + json.dumps(ROW | {"repeat": MARKER}) + "\n"),
    "options as text": (ASR, json.dumps(ROW) + "\n" + json.dumps(ROW | {"options": MARKER}) + "\n"),
    "an object as a key": (ASR, json.dumps(ROW | {"key": {"a": MARKER}, "supersedes": [MARKER]}) + "\n"),
    "no JSON after a row": (ASR, json.dumps(ROW) + "\n" + MARKER + "\n"),
    "a ledger line with one more key": (("ledger", "FILE"), "RECORD" + json.dumps({MARKER: MARKER}) + "\n"),
    "other text after a ledger": (("ledger", "FILE"), "RECORD" + MARKER),
    "a profile that is no YAML": (("run", "FILE"), f"a: {MARKER}: b\n"),
    "a profile with one more key": (("run", "FILE"), f'"{MARKER}": 1\n'),
    "a profile of one text": (("run", "FILE"), f'"{MARKER}"\n'),
    "a sample without its columns": (PEOPLE, f"{Q},{Q}\n1,1\n"),
    "a truth outside its space": (PEOPLE, f"trace_id,truth\nt,{Q}\n"),
    "a probability that is none": (PEOPLE, f"trace_id,probability,truth\nt,{Q},\n"),
    "a trace with two truths": (PEOPLE, f"trace_id,truth\n{Q},COMPLIANCE\n{Q},NOT_COMPLIANCE\n"),
    "a sample that nobody labelled": (PEOPLE, f"trace_id,stratum,truth\n{Q},{Q},\n"),
    "an export without a header": (("atlas", "export", "FILE"), f"{Q},1\n{Q},2\n"),
    "an export with a text as a number": (
        ("atlas", "export", "FILE"),
        f"model_name,compliance,graded,classifiers\nm,{Q},2,a\n",
    ),
}


@pytest.fixture
def said(tmp_path, monkeypatch, capsys):
    """Return a function that runs one command on one content and gives back its code and all it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    record = (ROOT / "data" / "recorded" / "smollm2-135m.jsonl").read_text().splitlines()[0] + "\n"
    (tmp_path / "v.jsonl").write_text(record)
    (tmp_path / "m.yaml").write_text("truth: {a: b}\n")

    def run(words: tuple[str, ...], content: str | bytes) -> tuple[int, str]:
        path = tmp_path / "given"
        raw = content if isinstance(content, bytes) else content.replace("RECORD", record).encode()
        path.write_bytes(raw)
        names = {"FILE": str(path), "LEDGER": "v.jsonl", "MAP": "m.yaml"}
        code = main([names.get(word, word) for word in words])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_without_the_text(said, name):
    words, content = WRONG[name]
    code, text = said(words, content)
    assert (code, "MARKED" in text) == (2, False), text
    assert any(word in text for word in ("given", "column", "trace", "positive value"))  # it still says where


@pytest.mark.parametrize("words", [LABELS, TRACES, PEOPLE, (*LABELS, "--map", "FILE"), ("run", "FILE")])
@pytest.mark.parametrize("name", kinds())
def test_whatever_the_file_is_its_text_is_not_printed(said, name, words):
    code, text = said(words, kinds()[name][0])
    assert (code, "MARKED" in text) == (2, False), text


def test_a_map_that_is_no_map_is_not_quoted(said, tmp_path):
    (tmp_path / "l.csv").write_text("human,judge\n1,1\n")
    words = ("calibrate", "--labels", "l.csv", "--truth", "human", "--grader", "judge", "--map", "FILE")
    for content in (f"a: [{Q}]\n", f"a: {{b: {Q}}}\n", f"- {Q}\n", f"a: {MARKER}: b\n", f"{MARKER}: @x\n"):
        code, text = said(words, content)
        assert (code, "MARKED" in text) == (2, False), text


def test_one_column_is_not_compared_with_itself(said):
    table = "id,human\n1,1\n2,0\n"
    code, text = said((*LABELS[:5], "--grader", "human"), table)
    assert code == 2
    assert "the truth and the grader are both column 'human'" in text
    code, text = said(LABELS, "id,human,judge,judge\n1,1,1,1\n")
    assert code == 2
    assert "columns 3 and 4 are both called 'judge'" in text
    assert said((*LABELS[:5], "--grader", "id"), "id,human,judge,judge\n1,1,1,1\n")[0] == 0


def test_the_command_that_a_replay_names_records_what_it_lacks(said, tmp_path):
    """The error's own command is run; only its two file names are put in."""
    traces = tmp_path / "t.jsonl"
    traces.write_text(json.dumps(TRACE | {"truth": "REFUSAL", "truth_space": "five"}) + "\n")
    shutil.copy(ROOT / "data" / "calibration" / "written.jsonl", tmp_path / "w.jsonl")
    assert main(["grade", "--traces", "w.jsonl", "--grader", "heuristic", "--ledger", "h.jsonl"]) == 0
    words = ("grade", "--traces", "t.jsonl", "--grader", "recorded:h.jsonl", "--ledger", "again.jsonl")
    code, text = said(words, "")
    assert code == 2
    found = re.search(r"`(ff grade [^`]+)`", text)
    assert found, text
    command = found[1].replace("TRACES.jsonl", "t.jsonl").replace("NEW.jsonl", "n.jsonl")
    assert main(shlex.split(command)[1:]) == 0
    code, text = said((*words[:4], "recorded:n.jsonl", *words[5:]), "")
    assert code == 0, text


def test_every_json_line_of_a_study_readme_is_a_trace(tmp_path):
    text = (ROOT / "ff_helpers" / "pipeline" / "study" / "README.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("{")]
    (tmp_path / "t.jsonl").write_text("\n".join(lines) + "\n")
    traces: list[Trace] = list(read_traces(Path(tmp_path / "t.jsonl")))
    assert len(traces) == len(lines) >= 3
    assert {t.sampling.kind for t in traces if t.sampling} == {"census", "random"}
