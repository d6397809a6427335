"""The published export's field names: existing consumers read them, and the doubt stands beside them."""

import json

import pandas as pd

import ff_helpers as ff
from ff_helpers.casestudy.exported import atlas
from ff_helpers.casestudy.exports import compat_text, read_export
from tests.publication.atlas.signals import DAY, signals

PUBLISHED = {"model_name", "asr_pct", "numerator", "denominator", "classifiers_used"}


def test_every_field_of_the_published_form_is_there_beside_interval_and_graders():
    (signal,) = signals(("gemma3:27b", 13, 20, "gemma3:12b|qwen3:1.7b"))
    (row,) = json.loads(compat_text([signal], as_of=DAY))["models"]
    assert {name: row[name] for name in PUBLISHED} == {
        "model_name": "gemma/gemma@3-27b-it",
        "asr_pct": 65.0,
        "numerator": 13,
        "denominator": 20,
        "classifiers_used": ["gemma3:12b", "qwen3:1.7b"],
    }
    assert (row["asr_pct_low"], row["asr_pct_high"], row["confidence"]) == (43.3, 81.9, "low")
    assert {grader["grader"]: grader["standing"] for grader in row["graders"]} == {
        "gemma3:12b": "measured",
        "qwen3:1.7b": "rejected",
    }


def test_a_model_without_a_rate_has_none_here_either():
    content = json.loads(compat_text(signals(("gemma3:27b", 13, 20, "qwen3:1.7b")), as_of=DAY))
    assert content["models"] == []
    assert [row["model_name"] for row in content["without_rate"]] == ["gemma/gemma@3-27b-it"]


def test_what_is_written_is_an_export_and_pools_to_the_same_counts(tmp_path):
    pooled = atlas(ff.case.published("model_asr_2026-06-10"))
    path = tmp_path / "compat.json"
    path.write_text(compat_text(pooled.signals, as_of=DAY), encoding="utf-8")
    again = atlas(read_export(path)).models
    columns = ["model", "k", "n"]
    pd.testing.assert_frame_equal(
        again[columns].sort_values("model", ignore_index=True),
        pooled.models[columns].sort_values("model", ignore_index=True),
    )


def test_a_model_that_is_exported_and_graded_here_has_two_names():
    (exported,) = signals(("gemma3:27b", 13, 20, "gemma3:12b"))
    here = exported.model_copy(update={"origin": "ledger"})
    names = [row["model_name"] for row in json.loads(compat_text([exported, here], as_of=DAY))["models"]]
    assert names == ["gemma/gemma@3-27b-it", "gemma/gemma@3-27b-it (graded here)"]
