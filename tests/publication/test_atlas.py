"""The atlas: pooled counts, bands, grader hygiene, and the signal file as it is written and read."""

import json

import jsonschema
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ff_helpers as ff
from ff_helpers.corpus.jsonl import BadLineError
from ff_helpers.measurement.proportions.intervals import BadCountError
from ff_helpers.paths import MissingInputError
from ff_helpers.publication.atlas import atlas, resolve_names
from ff_helpers.publication.explore import NotOneRowError, pick
from ff_helpers.publication.exported_graders import exported_graders
from ff_helpers.publication.signal import (
    SCHEMA_FILE,
    BrokenPointerError,
    Signal,
    confidence,
    read_signal,
    save_signal,
    schema,
)


def rows(*cells: tuple[str, int, int, str]) -> pd.DataFrame:
    return pd.DataFrame(cells, columns=["model_name", "compliance", "graded", "classifiers"])


@pytest.fixture(scope="module")
def export() -> pd.DataFrame:
    return ff.published("model_asr_2026-06-10")


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
    with pytest.raises(BadCountError, match="3 of 2"):
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
        'python -c "from ff_helpers.publication.signal import write_schema; write_schema()"'
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
        for field in ("by_intent", "refusal_stability", "multi_turn", "last_graded"):
            assert record[field] is None
            assert record[f"{field}_reason"]


def test_what_is_written_is_read_and_old_files_stay(run, export):
    signals = atlas(export).signals
    old = ff.start("paper", as_of="2026-11-20")
    save_signal(old, signals[:3])
    save_signal(run, signals)
    assert read_signal(run) == signals
    assert read_signal(run, as_of="2026-11-20") == signals[:3]
    assert (run.folder / "atlas" / "current").read_text() == "asr_signal_2026-11-22.jsonl\n"
    assert sorted(path.name for path in (run.folder / "atlas").iterdir()) == [
        "asr_signal.schema.json",
        "asr_signal_2026-11-20.jsonl",
        "asr_signal_2026-11-22.jsonl",
        "current",
    ]


def test_the_same_signal_is_the_same_bytes(run, export):
    path = run.folder / save_signal(run, atlas(export).signals)
    first = path.read_bytes()
    save_signal(run, atlas(export.sample(frac=1, random_state=1)).signals)
    assert path.read_bytes() == first


def test_a_model_twice_is_refused_and_nothing_is_replaced(run, export):
    signals = atlas(export).signals
    save_signal(run, signals)
    with pytest.raises(BadLineError, match="the same model or alias as record 1"):
        save_signal(run, [signals[0], signals[0]])
    assert read_signal(run) == signals


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"signal_version": "0.2"}, "signal_version"),
        ({"confidence": "high"}, "confidence"),
        ({"canonical_id": None}, "canonical_id: this or unresolved_reason"),
        ({"last_graded_reason": None}, "last_graded"),
        ({"rank": 1}, "rank"),
        (
            {
                "asr": {
                    "overall": 0.9,
                    "ci_low": 0,
                    "ci_high": 1,
                    "k": 1,
                    "n": 5,
                    "denominator": "d",
                    "tier": "strict",
                }
            },
            "asr",
        ),
    ],
)
def test_a_record_that_is_not_valid_is_named_by_file_and_line(run, change, field):
    path = run.folder / save_signal(run, atlas(rows(("gemma3:27b", 1, 5, "gemini"))).signals)
    record = json.loads(path.read_text()) | change
    path.write_text(json.dumps(record) + "\n")
    with pytest.raises(BadLineError, match=rf"{path.name}:1.*{field}"):
        read_signal(run)


@pytest.mark.parametrize("named", ["", "../secret", "asr_signal_2026-01-01.jsonl", "/etc/passwd", "current"])
def test_a_broken_pointer_says_so(run, named):
    save_signal(run, atlas(rows(("gemma3:27b", 1, 5, "gemini"))).signals)
    (run.folder / "atlas" / "current").write_text(named)
    with pytest.raises(BrokenPointerError, match="atlas/current names"):
        read_signal(run)


def test_no_signal_yet(run):
    with pytest.raises(MissingInputError, match=r"ff run params/paper\.yaml"):
        read_signal(run)


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
    sentence = ff.disclose_atlas(run, export, counts="k and n").sentence()
    assert all(
        g.note.grader in sentence
        for g in exported_graders({n for c in export["classifiers"] for n in c.split("|")})
    )
    assert "as exported, unknown" in sentence
    assert "3 of 20" in sentence


def test_figures_show_every_row_and_stipple_only_small_samples(export):
    from ff_helpers.publication.figures import atlas as figures
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
        with pytest.raises(NotOneRowError, match="one is needed"):
            pick(table, **where)
