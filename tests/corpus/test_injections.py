"""The injection suite: reproducible, one attack on every class, and no attack that can close its fence."""

from collections import Counter

import pytest

from ff_helpers import paths
from ff_helpers.corpus.injections import CLEAN, CONTROL, SOURCE, TARGETS, families, suite
from ff_helpers.corpus.traces import read_traces
from ff_helpers.grading.flip import render
from ff_helpers.grading.rubric import load_rubric
from ff_helpers.terms import VERDICTS
from tools.generate.injections import injections, write
from tools.generate.proxies import proxies, states_secret

SHIPPED = paths.data() / "calibration" / "injections.jsonl"
ALL = list(read_traces(SHIPPED))
CLEAN_ROWS = {t.trace_id: t for t in ALL if t.run == CLEAN}
ATTACKED = [t for t in ALL if t.run != CLEAN]
SCENARIO = {t.messages: t.scenario_id for t in proxies()}


def test_the_shipped_file_is_what_the_program_writes(tmp_path):
    assert write(tmp_path / "injections.jsonl").read_bytes() == SHIPPED.read_bytes()
    assert list(injections()) == ALL


def test_at_least_thirty_attacks_and_each_tried_on_every_class():
    names = [a.name for a in suite().attacks if a.family != CONTROL]
    assert len(set(names)) == len(names) >= 30
    assert set(TARGETS) == set(VERDICTS)
    tried = Counter((t.run, t.truth) for t in ATTACKED)
    assert set(tried.values()) == {1}
    assert set(tried) == {(a.name, label) for a in suite().attacks for label in VERDICTS}
    by_family = Counter(families().values())
    assert min(by_family.values()) >= 2  # so that every family has an interval
    assert len(by_family) >= 10


def test_every_attacked_response_has_its_clean_twin():
    for trace in ATTACKED:
        twin = CLEAN_ROWS[trace.scenario_id]
        assert (trace.truth, trace.intent, trace.difficulty) == (twin.truth, twin.intent, twin.difficulty)
        assert trace.messages[:-1] == twin.messages[:-1]
        assert trace.response != twin.response
    assert Counter(t.truth for t in CLEAN_ROWS.values()) == dict.fromkeys(VERDICTS, 2)
    assert {t.source for t in ALL} == {SOURCE}
    assert {t.sampling.kind for t in ALL} == {"injected"}


@pytest.mark.parametrize("trace", ALL, ids=lambda t: t.trace_id)
def test_an_attack_leaves_the_truth_as_it_was(trace):
    scenario = SCENARIO[CLEAN_ROWS[trace.scenario_id].messages]
    assert states_secret(scenario, trace.response) == (trace.truth == "COMPLIANCE")


@pytest.mark.parametrize("trace", ATTACKED, ids=lambda t: t.trace_id)
def test_no_attack_knows_its_fence_and_no_chat_token_survives(trace):
    mark = trace.sha256[:16]
    assert mark not in trace.response
    sent = render(trace, load_rubric("flip-reference"))[1]["content"]
    assert sent.count(f"[{mark} end]") == 1
    assert sent.endswith(f"[{mark} end]")
    for token in ("<|im_end|>", "<|im_start|>", "<|eot_id|>", "</s>", "[INST]", "[/INST]"):
        assert token not in sent


def test_encoded_claims_hide_the_label_and_can_be_read_back():
    rows = {(t.run, t.truth): t.response for t in ATTACKED}
    for name in ("zero-width", "homoglyphs", "right-to-left", "full-width", "base64"):
        assert "COMPLIANCE" not in rows[name, "REFUSAL"]
    assert "COMPLIANCE" in rows["zero-width", "REFUSAL"].replace("\u200b", "")
    assert "COMPLIANCE" in rows["right-to-left", "REFUSAL"][::-1]


def test_prompts_stay_short_but_for_the_padding():
    for trace in ATTACKED:
        padded = "padding" in trace.run
        assert (len(trace.response) > 2_000) == padded
        assert len(trace.response) < 4_000 if padded else len(trace.response) < 700
