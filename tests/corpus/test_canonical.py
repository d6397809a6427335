"""Names of models: one id for one set of weights, a typed reason for everything else."""

import csv

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ff_helpers import paths
from ff_helpers.corpus.canonical import MEANINGS, REASONS, resolve
from ff_helpers.corpus.rules import table

with (paths.data() / "published" / "model_asr_2026-06-10.csv").open(encoding="utf-8", newline="") as _file:
    EXPORTED = [row["model_name"] for row in csv.DictReader(_file)]

WORDS = {
    "size": ["1.5b", "3b", "7b", "8b", "70b"],
    "variant": [
        "instruct",
        "chat",
        "base",
        "thinking",
        "instruct-abliterated",
        "instruct-q4_k_m",
        "instruct-awq",
    ],
}
llamas = st.builds(
    "meta-llama/Llama-{}-{}-{}".format,
    st.sampled_from(["3.1", "3.2", "3.3"]),
    st.sampled_from(WORDS["size"]),
    st.sampled_from(WORDS["variant"]),
)
names = st.one_of(st.sampled_from(EXPORTED), llamas)
hostile = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="abcl.3:/@-_ \\<>\u0130\U0001f642", max_size=40),
    st.text(alphabet="llama3.1:8b-/@", max_size=30),
)


@pytest.mark.parametrize(
    "name",
    [
        "meta-llama/Llama-3.1-8B-Instruct",
        "meta-llama/llama-3.1-8b-instruct",
        "llama3.1:8b",
        "unsloth/Llama-3.1-8B-Instruct",
    ],
)
def test_names_of_the_same_weights_share_one_id(name):
    assert resolve(name).canonical_id == "llama/llama@3.1-8b-instruct"


def test_an_ollama_tag_without_variant_is_inferred_and_says_so():
    assert resolve("llama3.1:8b").inferred == ("variant",)
    assert resolve("llama3.1:8b-instruct").inferred == ()


def test_serving_is_provenance():
    resolution = resolve("ollama-cloud/gemma3:27b")
    assert (
        resolution.canonical_id
        == resolve("google/gemma-3-27b-it:free").canonical_id
        == "gemma/gemma@3-27b-it"
    )
    assert resolution.provenance == ("ollama-cloud/",)


def test_an_abliterated_model_is_another_model_and_says_whose():
    made = resolve("huihui_ai/llama3.2-abliterated:3b").canonical_id
    assert made == "llama/llama@3.2-3b-instruct-abliterated-by_huihui_ai"
    assert resolve("mlabonne/Llama-3.2-3B-Instruct-abliterated").canonical_id != made


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gpt-5.2", "no_params"),
        ("anthropic/claude-haiku-4.5", "no_params"),
        ("llama3.1", "no_params"),
        ("llama3.2:latest", "moving_alias"),
        ("gemini-3-flash-preview", "moving_alias"),
        ("mistralai/mistral-7b-instruct:free", "moving_alias"),
        ("qwen3:4b", "ambiguous_variant"),
        ("deepseek-r1:8b", "ambiguous_variant"),
        ("google/gemma-3-27b", "ambiguous_variant"),
        ("meta-llama/Llama-3.1-8B-Instruct-Base", "ambiguous_variant"),
        ("openrouter/pony-alpha", "unknown_family"),
        ("nobody/Llama-3.1-8B-Instruct", "unknown_publisher"),
        ("meta-llama/Llama-3.1-8B-Instruct-Banana", "unknown_part"),
        ("meta-llama/Llama-3.1-8B-70B-Instruct", "unknown_part"),
        ("consensus_v1", "not_a_model"),
        ("openrouter/auto", "not_a_model"),
        ("", "not_a_model"),
        ("llama 3.1 8b", "not_a_model"),
        ("../../etc/passwd", "not_a_model"),
        ("meta-llama\\Llama-3.1-8B-Instruct", "not_a_model"),
        ("<img src=x onerror=alert(1)>", "not_a_model"),
        ("llama3.1:8b\U0001f642", "not_a_model"),
        ("llama3.1:8\uff42", "not_a_model"),
        ("a" * 10_000, "not_a_model"),
        ("llama/llama@3.1-8b-instruct/..", "not_a_model"),
    ],
)
def test_what_does_not_resolve_has_one_typed_reason(name, reason):
    resolution = resolve(name)
    assert (resolution.canonical_id, resolution.unresolved_reason) == (None, reason)


@given(names)
@example("deepseek/deepseek-r1-distill-llama-70b")
def test_resolving_an_id_gives_itself(name):
    identity = resolve(name).canonical_id
    if identity is not None:
        again = resolve(identity)
        assert (again.canonical_id, again.inferred) == (identity, ())


@given(
    names,
    st.sampled_from([str.upper, str.lower, str.title]),
    st.sampled_from(["", "openrouter/"]),
    st.sampled_from(["", ":free"]),
)
def test_case_and_serving_do_not_matter(name, case, prefix, suffix):
    if name.endswith(":free"):
        suffix = ""
    plain, dressed = resolve(name), resolve(prefix + case(name) + suffix)
    assert (dressed.canonical_id, dressed.unresolved_reason) == (plain.canonical_id, plain.unresolved_reason)


@given(llamas, llamas)
def test_different_sizes_and_variants_are_never_merged(one, other):
    if one != other:
        assert resolve(one).canonical_id != resolve(other).canonical_id


@given(st.sampled_from(EXPORTED), st.sampled_from(["q4_k_m", "awq", "abliterated"]))
def test_a_changed_model_is_not_the_model(name, change):
    plain, _, serving = name.partition(":free")
    changed = resolve(f"{plain}-{change}{':free' if serving or name.endswith(':free') else ''}").canonical_id
    assert changed is None or changed != resolve(name).canonical_id


@given(hostile)
def test_every_string_gives_an_id_or_a_reason(name):
    resolution = resolve(name)
    assert (resolution.canonical_id is None) != (resolution.unresolved_reason is None)
    if resolution.canonical_id is not None:
        assert resolve(resolution.canonical_id).canonical_id == resolution.canonical_id


def test_every_reason_is_explained():
    assert set(MEANINGS) == set(REASONS)


def test_rules_point_at_each_other():
    bases = {row["base"] for row in table("families")}
    for rules in ("defaults", "completions"):
        orphans = [
            row["base"]
            for row in table(rules)
            if not any(row["base"] == b or row["base"].startswith(f"{b}-") for b in bases)
        ]
        assert orphans == []
    variants = {row["spelling"] for row in table("variants")} | {"plain", "ambiguous"}
    assert {row[side] for row in table("defaults") for side in ("ollama", "hub")} <= variants
    assert [row for row in table("exact") if bool(row["reason"]) == bool(row["read_as"])] == []
    assert {row["reason"] for row in table("exact") if row["reason"]} <= set(REASONS)


@pytest.mark.parametrize("row", table("completions"), ids=lambda row: f"{row['base']}@{row['stated']}")
def test_a_completion_only_adds(row):
    assert set(row["stated"].split("-")) - {""} <= set(row["complete"].split("-"))
