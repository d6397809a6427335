"""`ff plan grade` and `ff ledger compact` as a user types them."""

import json
import re
from pathlib import Path

import pytest

from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Trace
from tests.conftest import ROOT, said_by_ff


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """Forty labelled traces of two models."""
    write_records(
        tmp_path / "traces.jsonl",
        (
            Trace(
                trace_id=f"t{n}",
                model="one" if n % 2 else "two",
                source="s",
                messages=(Message(role="user", content="Code?"), Message(role="assistant", content="No.")),
                truth="REFUSAL",
                truth_space="five",
            )
            for n in range(40)
        ),
    )
    return tmp_path / "traces.jsonl"


def test_the_rest_is_planned_then_graded_then_compacted_and_counted(traces, tmp_path, port) -> None:
    env = {"OLLAMA_HOST": f"127.0.0.1:{port}", "FF_ROOT": str(ROOT), "FF_OUTPUTS": str(tmp_path / "out")}

    def ff(*words: str) -> str:
        done = said_by_ff(*words, cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    asked = ["--traces", "traces.jsonl", "--grader", "ollama:good:1", "--ledger", "v.jsonl"]
    said = ff("plan", "grade", *asked, "--n", "10", "--price", "2", "8")
    assert "10 traces drawn at random are graded, 30 of 40 are left" in said
    assert re.search(r"prompt tokens +[\d,]+ +[\d,]+ \[[\d,]+, [\d,]+\]", said)
    assert re.search(r"money +0\.\d{6} +\d+\.\d\d \[\d+\.\d\d, \d+\.\d\d\] at these prices", said)
    assert said.splitlines()[-1] == f"grade the rest: ff grade {' '.join(asked)}"
    known = json.loads(ff("plan", "grade", *asked, "--n", "10", "--json"))
    assert (known["sampled"], known["left"], known["money"]) == (10, 30, None)
    assert known["prompt_tokens"]["total"] == pytest.approx(30 * known["prompt_tokens"]["mean"])
    spent = re.search(r"spent: ([\d,]+) prompt tokens, [\d,]+ answer tokens, ", ff("ledger", "v.jsonl"))
    assert int(spent[1].replace(",", "")) == pytest.approx(10 * known["prompt_tokens"]["mean"])
    ff("grade", *asked)
    assert "nothing is left to grade" in ff("plan", "grade", *asked)
    said = ff("ledger", "compact", "v.jsonl", "--traces", "traces.jsonl")
    assert said.startswith("v.parquet: 40 rows; ")
    assert "count it: ff asr v.parquet --by model intent" in said
    assert ff("asr", "v.parquet", "--by", "model", "--csv") == ff(
        "asr", "v.jsonl", "--traces", "traces.jsonl", "--by", "model", "--csv"
    )
