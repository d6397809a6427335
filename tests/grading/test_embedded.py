"""The embedded grader: real weights, real verdicts; skipped where the weights were not fetched."""

import os
import shutil
import sys
import time
from contextlib import ExitStack

import pytest

from ff_helpers import paths
from ff_helpers.chat import loop
from ff_helpers.chat.embedded import MODELS
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.errors import FFError
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.terms import VERDICTS
from tests.conftest import FF, started
from tests.model_server import on_one_core

WEIGHTS = paths.parts() / MODELS["smollm2-135m"].file
fetched = pytest.mark.skipif(not WEIGHTS.is_file(), reason="no weights: `make parts` fetches them")


@pytest.fixture(scope="module")
def grader():
    with on_one_core():
        grader = open_grader("embedded:smollm2-135m")
        yield grader
        loop.run(grader.close())


@fetched
def test_real_weights_give_a_valid_verdict_within_their_context_and_the_same_one_again(grader, make_trace):
    trace = make_trace("It is 4417, and it has been so since spring.")
    outcome = loop.run(grader.grade(trace, 0))
    assert outcome.verdict in VERDICTS
    assert outcome.inferred_instruction
    assert 200 < outcome.prompt_tokens < 1000
    assert 0 < outcome.completion_tokens <= 160
    assert outcome.duration_s > 0
    assert outcome.started.endswith("+00:00")
    again = loop.run(grader.grade(trace, 1))
    assert (again.verdict, again.inferred_instruction) == (outcome.verdict, outcome.inferred_instruction)


@fetched
def test_a_trace_longer_than_the_context_is_an_overflow_never_cut(grader, make_trace):
    outcome = loop.run(grader.grade(make_trace("a word and another " * 4000), 0))
    assert (outcome.verdict, outcome.status) == (None, "context_overflow")
    assert "8192" in outcome.reason


@fetched
def test_identity_is_the_digest_of_the_weights(grader):
    assert grader.setup.identity.digest.startswith("sha256:b179c952")
    assert grader.setup.num_ctx == 8192
    assert grader.setup.options.threads == 1  # of the core that the fixture leaves it
    assert "xllamacpp" in grader.setup.software


@fetched
@pytest.mark.skipif((os.cpu_count() or 1) > 4, reason="it would start a busy process per core")
def test_beside_busy_processes_one_thread_is_left():
    with ExitStack() as busy:
        for _ in range(os.cpu_count()):
            busy.enter_context(started([sys.executable, "-c", "while True: pass"]))
        time.sleep(0.5)
        grader = open_grader("embedded:smollm2-135m")
    assert grader.setup.options.threads == 1
    loop.run(grader.close())


@fetched
def test_swapped_weights_are_refused_before_they_are_loaded(tmp_path, monkeypatch):
    swapped = tmp_path / MODELS["smollm2-135m"].file
    swapped.parent.mkdir()
    shutil.copyfile(WEIGHTS, swapped)
    with swapped.open("r+b") as file:
        file.seek(50_000_000)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))
    monkeypatch.setenv("FF_PARTS", str(tmp_path))
    with pytest.raises(FFError, match=r"expected sha256 b179c95.*found .*make parts"):
        open_grader("embedded:smollm2-135m")


def test_missing_weights_name_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("FF_PARTS", str(tmp_path))
    with pytest.raises(FFError, match=r"is missing\. `make parts`"):
        open_grader("embedded:smollm2-135m")
    with pytest.raises(FFError, match="smollm2-135m"):
        open_grader("embedded:gpt")


@fetched
def test_two_processes_load_the_weights_at_once(tmp_path, make_trace):
    write_records(tmp_path / "t.jsonl", [make_trace("No.", truth="REFUSAL", truth_space="five")])
    ledgers = [tmp_path / f"{n}.jsonl" for n in range(2)]
    words = [*FF, "grade", "--traces", str(tmp_path / "t.jsonl"), "--grader", "embedded:smollm2-135m"]
    with ExitStack() as running:
        both = [running.enter_context(started([*words, "--ledger", str(path)])) for path in ledgers]
        assert [process.wait(timeout=300) for process in both] == [0, 0]
    one, other = ([(r.trace_id, r.verdict) for r in read_ledger(path)] for path in ledgers)
    assert one == other


@fetched
def test_a_model_that_is_refused_ends_at_once_without_loading_its_weights(tmp_path, make_trace):
    write_records(tmp_path / "t.jsonl", [make_trace("No.")])
    words = [*FF, "grade", "--traces", "t.jsonl", "--grader", "embedded:smollm2-135m", "--ledger", "l.jsonl"]
    with started(words, cwd=tmp_path, env=os.environ | {"FF_OUTPUTS": str(tmp_path)}) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "smollm2-135m is uncalibrated" in said
