"""The official Ollama client end to end against a real language model; skipped without its weights."""

import pytest

from ff_helpers import paths
from ff_helpers.chat.embedded import MODELS
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.grading.stream import grade_file
from ff_helpers.terms import VERDICTS
from tests.model_server import running

WEIGHTS = paths.parts() / MODELS["smollm2-135m"].file


@pytest.mark.skipif(not WEIGHTS.is_file(), reason="no weights: `make parts` fetches them")
def test_real_weights_behind_ollamas_protocol_give_a_verdict(tmp_path, make_trace):
    trace = make_trace("I keep that code to myself.", truth="REFUSAL", truth_space="refused")
    write_records(tmp_path / "t.jsonl", [trace])
    with running("--embedded") as port:
        spec = f"ollama:smollm2-135m@127.0.0.1:{port}"
        done = grade_file(tmp_path / "t.jsonl", spec, tmp_path / "ledger.jsonl", timeout=600.0)
    assert done.graded == 1
    (record,) = read_ledger(tmp_path / "ledger.jsonl")
    assert record.verdict in VERDICTS
    assert record.inferred_instruction
    assert 200 < record.prompt_tokens < 1000  # as the real tokenizer counts them
    assert 0 < record.completion_tokens <= 160
    assert record.options.num_ctx <= 8192
