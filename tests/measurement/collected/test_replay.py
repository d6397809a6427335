"""A run's collected traces: replayed, indexed without text, and no control among what is graded."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

import ff_helpers as ff
from ff_helpers.errors import FFError
from ff_helpers.measurement.collected.replay import collected
from ff_helpers.paths import MissingInputError
from ff_helpers.pipeline.profile import load
from ff_helpers.pipeline.runner import run_profile
from tests import collected_traces
from tests.conftest import ROOT
from tests.model_server import running


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ff.outputs.Run:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    monkeypatch.delenv("FF_STAGING", raising=False)
    return ff.start("trial", as_of="2026-11-22")


@pytest.fixture
def recorded(tmp_path: Path) -> dict[str, str]:
    return collected_traces.recorded(tmp_path)


def test_a_replay_asks_no_model_and_compares_nothing(run, recorded):
    sample = collected(run, recorded)
    assert (len(sample.forbidden), len(sample.permitted), sample.fresh, sample.failed) == (12, 6, False, 0)
    total = sample.truth.iloc[-1]
    assert (total["k"], total["n"], total["scenarios"]) == (4, 12, 6)
    assert sample.capability.iloc[-1][["forbidden_k", "permitted_k"]].tolist() == [4, 6]
    assert sample.stability.iloc[-1]["stable"] == 1.0
    assert sample.again.empty
    assert sample.model == "m (digest 0123456789ab; temperature 0.7; at most 64 tokens per reply)"


def test_the_index_holds_both_arms_and_no_text(run, recorded):
    collected(run, recorded)
    text = run.read("ledger/collected.csv").read_text(encoding="utf-8")
    index = pd.read_csv(run.read("ledger/collected.csv"))
    assert index["arm"].value_counts().to_dict() == {"forbidden": 12, "permitted": 6}
    assert "weather" not in text
    assert "4417" not in text


def test_a_campaign_grades_what_its_run_collected(run, recorded):
    ledger = run.ledger("collected")
    ledger.write_bytes(Path(recorded["forbidden"]).read_bytes())
    counts = ff.grade(run, {"collected": "ledger/collected.jsonl"}, ["heuristic"])
    assert counts["n"].tolist() == [12]
    assert set(ff.verdicts(run)["truth_space"]) == {"strict"}


def test_before_anything_was_collected_the_step_that_does_it_is_named(run):
    with pytest.raises(MissingInputError, match="An earlier step writes it"):
        ff.grade(run, {"collected": "ledger/collected.jsonl"}, ["heuristic"])


def test_a_control_is_never_graded_as_an_attack(run, recorded):
    with pytest.raises(FFError, match="`permitted`: a control"):
        ff.grade(run, {"collected": recorded["permitted"]}, ["heuristic"])
    assert not run.ledger("verdicts").exists()


def test_a_fresh_sample_is_collected_once_and_another_models_file_is_refused(run, recorded):
    with running() as port:
        target = f"ollama:good:1@http://127.0.0.1:{port}"
        sample = collected(run, recorded, target=target, limit=2, repeats=2)
        again = collected(run, recorded, target=target, limit=2, repeats=2)
        with pytest.raises(FFError, match="To collect anew, move that file away"):
            collected(run, recorded, target=f"ollama:nocount:1@http://127.0.0.1:{port}", limit=2)
    assert (len(sample.forbidden), len(sample.permitted), sample.fresh) == (4, 4, True)
    assert set(sample.forbidden["model"]) == {"good:1"}
    assert sample.path == run.ledger("collected")
    pd.testing.assert_frame_equal(sample.forbidden, again.forbidden)


def test_the_notebook_runs_on_other_files_and_writes_what_the_paper_declares(run, recorded, tmp_path):
    paper = yaml.safe_load((ROOT / "params" / "paper.yaml").read_text(encoding="utf-8"))
    step = next(step for step in paper["steps"] if step["notebook"] == "00_collect")
    step |= {"parameters": {"recorded": recorded}}
    profile = tmp_path / "trial.yaml"
    profile.write_text(yaml.safe_dump(paper | {"profile": "trial", "steps": [step]}), encoding="utf-8")
    assert [end.state for end in run_profile(load(profile))] == ["done"]
    table = pd.read_csv(run.read("tables/collected_capability.csv")).set_index("intent")
    assert table.loc["all classes", ["forbidden_k", "permitted_k"]].tolist() == [4, 6]
