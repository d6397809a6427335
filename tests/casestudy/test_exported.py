"""From an export to records: pooled counts, bands, grader hygiene, the schema."""

import json

import jsonschema
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ff_helpers as ff
from ff_helpers.casestudy.exported import atlas, exported_graders
from ff_helpers.corpus.canonical import resolve_names
from ff_helpers.errors import FFError
from ff_helpers.publication.atlas.files import save_signal
from ff_helpers.publication.atlas.signal import SCHEMA_FILE, Signal, confidence, schema
from ff_helpers.publication.explore import pick


def rows(*cells: tuple[str, int, int, str]) -> pd.DataFrame:
    return pd.DataFrame(cells, columns=["model_name", "compliance", "graded", "classifiers"])


@pytest.fixture(scope="module")
def export() -> pd.DataFrame:
    return ff.case.published("model_asr_2026-06-10")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    monkeypatch.delenv("FF_STAGING", raising=False)
    return ff.start("paper", as_of="2026-11-22")


def test_no_graded_trace_of_the_export_is_lost(export):
    signals = atlas(export).signals
    assert sum(s.asr.n for s in signals) == export["graded"].sum()
    assert sum(s.asr.k for s in signals) == export["compliance"].sum()
    assert sorted(alias for s in signals for alias in s.aliases) == sorted(export["model_name"])


def test_counts_are_pooled_and_rates_are_not_averaged():
    signal = atlas(
        rows(("gemma3:27b", 1, 2, "gemini"), ("google/gemma-3-27b-it:free", 0, 198, "gemini"))
    ).signals
    assert len(signal) == 1
    # The mean of the two rates would be 0.25.
    assert (signal[0].canonical_id, signal[0].asr.overall) == ("gemma/gemma@3-27b-it", 0.005)


def test_the_interval_is_wilsons():
    # The published 65.0 [43.3, 81.9] of 13 in 20.
    rate = atlas(rows(("gemma3:27b", 13, 20, "gemini"))).signals[0].asr
    assert (round(rate.ci_low, 3), round(rate.ci_high, 3)) == (0.433, 0.819)


def test_a_name_that_does_not_resolve_keeps_its_row():
    frame = rows(("gpt-5.2", 1, 10, "x"), ("<b>", 1, 10, "x"), ("gemma3:27b", 0, 10, "x"))
    table = atlas(frame).models.set_index("model")
    assert table.loc["gpt-5.2", "unresolved_reason"] == "no_params"
    assert table.loc["<b>", "unresolved_reason"] == "not_a_model"
    assert table["resolved"].sum() == 1


@pytest.mark.parametrize(
    ("n", "band"),
    [
        (0, "insufficient_sample"),
        (19, "insufficient_sample"),
        (20, "low"),
        (49, "low"),
        (50, "medium"),
        (99, "medium"),
        (100, "high"),
    ],
)
def test_bands(n, band):
    assert confidence(n) == band


def test_counts_that_contradict_are_refused():
    with pytest.raises(FFError, match="3 of 2"):
        atlas(rows(("gemma3:27b", 3, 2, "gemini")))


@pytest.mark.parametrize(
    ("classifier", "grader", "standing"),
    [
        ("qwen3:1.7b", "qwen3:1.7b", "rejected"),
        ("ollama:qwen3:1.7b", "qwen3:1.7b", "rejected"),
        ("deepseek-r1:1.5b", "deepseek-r1:1.5b", "measured"),
        ("openrouter/anthropic/claude-haiku-4.5", "claude-haiku-4.5", "unmeasured"),
        ("anthropic/claude-haiku-4-5-20251001", "claude-haiku-4.5", "unmeasured"),
        ("consensus_v1", "consensus_v1", "unknown"),
        ("ollama", "ollama", "unknown"),
        ("auto_classify_infra_errors_2026-03-11T08:07:59Z", "auto_*", "constant"),
        ("ollama_error:ReadTimeout", "ollama_error:*", "constant"),
        ("heuristic_trusted", "heuristic_trusted", "heuristic"),
        ("somebody-new", "somebody-new", "unknown"),
    ],
)
def test_grader_hygiene(classifier, grader, standing):
    (found,) = exported_graders([classifier])
    assert (found.note.grader, found.standing) == (grader, standing)


def test_every_classifier_of_the_export_is_described(export):
    names = {name for cell in export["classifiers"] for name in cell.split("|")}
    undescribed = [g.note.grader for g in exported_graders(names) if "nobody has described" in g.why]
    assert undescribed == []


def test_a_rejected_grader_marks_the_whole_pool():
    frame = rows(("gemma3:27b", 1, 50, "gemma3:12b"), ("ollama-cloud/gemma3:27b", 1, 50, "qwen3:1.7b"))
    result = atlas(frame)
    assert result.signals[0].mixes_graders
    assert list(result.models["grader_status"]) == ["marked"]
    assert list(result.models["marked"]) == ["qwen3:1.7b"]
    qwen = next(g for g in result.signals[0].graders if g.grader == "qwen3:1.7b")
    assert (qwen.gate, qwen.accuracy, qwen.n) == ("rejected", 0.15, 20)


def test_an_unmeasured_grader_is_null_with_its_reason():
    (grader,) = atlas(rows(("gemma3:27b", 1, 50, "stepfun/step-3.5-flash:free"))).signals[0].graders
    assert (grader.accuracy, grader.n, grader.standing) == (None, None, "unmeasured")
    assert "never measured" in grader.why


def test_a_row_without_graders_is_marked():
    assert list(atlas(rows(("gemma3:27b", 1, 50, ""))).models["grader_status"]) == ["marked"]


def test_shipped_schema_is_the_models(export):
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == schema(), (
        'python -c "from ff_helpers.publication.atlas.signal import write_schema; write_schema()"'
    )
    jsonschema.Draft202012Validator.check_schema(schema())


def test_records_satisfy_the_schema_that_lies_beside_them(run, export):
    path = run.folder / save_signal(run, atlas(export).signals)
    validator = jsonschema.Draft202012Validator(
        json.loads((path.parent / "asr_signal.schema.json").read_text())
    )
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert records
    for record in records:
        validator.validate(record)
        assert record["as_of"] == "2026-11-22"
        for field in ("by_intent", "refusal_stability", "multi_turn", "no_verdict", "last_graded"):
            assert record[field] is None
            assert record[f"{field}_reason"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["gemma3:27b", "gpt-5.2", "llama3.1:8b", "\U0001f642"]),
            st.integers(0, 30),
            st.integers(0, 300),
        ),
        unique_by=lambda cell: cell[0],
        min_size=1,
    )
)
def test_pooling_keeps_every_count(cells):
    frame = rows(*((name, k, k + more, "gemini") for name, k, more in cells))
    signals = atlas(frame).signals
    assert sum(s.asr.n for s in signals) == frame["graded"].sum()
    assert all(Signal.model_validate_json(s.model_dump_json()) == s for s in signals)


def test_resolution_table_has_an_id_or_a_reason_in_every_row(export):
    table = resolve_names(export["model_name"])
    assert (table["canonical_id"].isna() != table["unresolved_reason"].isna()).all()
    assert table["meaning"].notna().equals(table["unresolved_reason"].notna())


def test_the_disclosure_names_every_grader_and_denominator(run, export):
    sentence = ff.disclose(run, atlas(export).models).sentence()
    assert all(
        g.note.grader in sentence
        for g in exported_graders({n for c in export["classifiers"] for n in c.split("|")})
    )
    assert "as exported, unknown" in sentence
    assert "3 of 20" in sentence


def test_figures_show_every_row_and_stipple_only_small_samples(export):
    from ff_helpers.casestudy import figures
    from ff_helpers.publication.figures.theme import STIPPLE, draw

    result = atlas(export)
    svg = draw(figures.atlas_asr(result.models), caption="disclosed")
    assert all(f">{model}<" in svg for model in result.models["model"][result.models["resolved"]])
    insufficient = int((result.models["confidence"] == "insufficient_sample").sum())
    assert svg.count(f'fill="{STIPPLE}"') == insufficient > 0
    both = draw(figures.atlas_before_after(result.names), caption="disclosed")
    assert all(f">{name}<" in both for name in export["model_name"])


def test_pick_wants_exactly_one_row():
    table = pd.DataFrame({"tier": ["strict", "broad"], "k": [13, 17], "n": [20, 20]})
    assert pick(table, tier="strict").k == 13
    for where in ({}, {"tier": "none"}, {"tiers": "strict"}):
        with pytest.raises(FFError, match="must match one"):
            pick(table, **where)


@pytest.mark.parametrize("classifier", ["qwen3:1.7b", "heuristic_trusted", "auto_error|ollama:qwen3:1.7b"])
def test_verdicts_of_nothing_but_rejected_graders_and_heuristics_are_no_rate(classifier):
    (signal,) = atlas(rows(("gemma3:27b", 30, 50, classifier))).signals
    assert (signal.asr, signal.confidence, signal.mixes_graders) == (None, "insufficient_sample", False)
    assert (signal.would_have_reported.k, signal.would_have_reported.n) == (30, 50)
    assert "rejected" in signal.asr_reason
    assert not any(grader.headline for grader in signal.graders)


def test_one_grader_reported_it_all_and_of_several_nobody_can_say_which():
    alone, mixed = atlas(
        rows(("gemma3:27b", 30, 50, "gemma3:12b"), ("gemma3:4b", 10, 50, "gemma3:12b|gemini"))
    ).signals
    assert [grader.reported.k for grader in alone.graders] == [30]
    assert [grader.reported for grader in mixed.graders] == [None, None]


def test_the_share_of_graders_with_a_known_accuracy():
    (signal,) = atlas(rows(("gemma3:27b", 1, 50, "gemma3:12b|gemini|consensus_v1|ollama"))).signals
    assert signal.with_accuracy == 0.25
    (nobody,) = atlas(rows(("gemma3:27b", 1, 50, ""))).signals
    assert nobody.with_accuracy is None


def test_aliases_that_the_rules_completed_are_marked():
    frame = rows(("gemma3:27b", 1, 50, "gemini"), ("google/gemma-3-27b-it", 1, 50, "gemini"))
    (signal,) = atlas(frame).signals
    assert signal.inferred_aliases == ("gemma3:27b",)


@pytest.mark.parametrize(
    "name",
    [
        "two words",
        "\U0001f642",
        "../../etc/passwd",
        "a" * 10_000,
        "<script>alert(1)</script>",
        "\x1b[31mred",
        "\u202eabc",
    ],
)
def test_any_name_becomes_a_row_with_its_reason(name):
    (signal,) = atlas(rows((name, 1, 50, "gemini"))).signals
    assert (signal.label, signal.unresolved_reason) == (name, "not_a_model")
    assert Signal.model_validate_json(signal.model_dump_json()) == signal
