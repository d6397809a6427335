"""The canonical metrics: every headline count from data, with its date and source."""

import json

import ff_helpers as ff
from ff_helpers.terms import STATUSES, VERDICTS


def test_counts_of_the_run_and_of_the_export_and_what_was_printed(paper, monkeypatch, tmp_path):
    monkeypatch.setenv("FF_OUTPUTS", str(paper))
    monkeypatch.setenv("FF_STAGING", str(tmp_path))
    run = ff.start("paper", as_of="2026-11-22")
    export = ff.case.published("model_asr_2026-06-10")
    table = ff.case.canonical_metrics(run, ff.verdicts(run), export=export, pooled=ff.case.atlas(export))
    value = table.set_index(["group", "metric"])["count"]
    assert value["export", "exported names"] == len(export)
    assert value["export", "graded traces"] == export["graded"].sum()
    assert value["printed", "results"] == 140_794
    run_rows = value["this run"]
    labelled = sum(run_rows[f"verdict {verdict}"] for verdict in VERDICTS)
    without = sum(run_rows[f"status {status}"] for status in STATUSES)
    assert labelled + without == run_rows["results (a trace graded by a grader)"] > 0
    assert run_rows["models"] == 3
    assert (table["source"] != "").all()
    assert (table["as_of"] != "").all()
    content = json.loads((tmp_path / "atlas" / "canonical_metrics.json").read_text())
    assert content["metrics"] == table.rename(columns={"count": "value"}).to_dict("records")
