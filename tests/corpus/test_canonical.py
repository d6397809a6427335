"""Names of models: one id for one set of weights, a typed reason for everything else."""

import csv
from dataclasses import dataclass, fields, replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ff_helpers import paths
from ff_helpers.corpus.canonical import MEANINGS, REASONS, explain, resolve
from ff_helpers.corpus.rules import table

with (paths.data() / "published" / "model_asr_2026-06-10.csv").open(encoding="utf-8", newline="") as _file:
    EXPORTED = [row["model_name"] for row in csv.DictReader(_file)]


@dataclass(frozen=True)
class Named:
    """What a name says, as its maker would say it; every name of these says size and variant."""

    words: str
    publisher: str
    base: str
    line: str
    version: str
    size: str
    tuning: str
    mode: str
    derivation: str
    quantized: str

    def hub(self) -> str:
        return f"{self.publisher}/" + self._joined(
            self.words, self.line, self.version, self.size, *self._how()
        )

    def bare(self) -> str:
        return self._joined(self.words, self.line, f"v{self.version}", *self._how(), self.size)

    def ollama(self) -> str:
        name = self._joined(f"{self.words}{self.version}", self.line)
        return f"{name}:{self._joined(self.size, *self._how())}"

    def weights(self) -> tuple[str, ...]:
        """What tells one set of weights from another: all but who published it under which spelling."""
        return (self._joined(self.base, self.line), self.version, self.size, *self._how())

    def _how(self) -> tuple[str, ...]:
        return (self.tuning, self.mode, self.derivation, self.quantized)

    @staticmethod
    def _joined(*words: str) -> str:
        return "-".join(word for word in words if word)


OPEN = [row for row in table("families") if row["access"] == "open"]
WORDS = {
    "version": ["2", "3", "3.1", "3.5", "4"],
    "size": ["1.5b", "3b", "8b", "70b", "8x7b", "e4b", "270m"],
    "tuning": [row["spelling"] for row in table("variants") if row["kind"] == "tuning"],
    "mode": ["", *(r["spelling"] for r in table("variants") if r["kind"] in ("mode", "distilled"))],
    "derivation": ["", *(r["spelling"] for r in table("variants") if r["kind"] == "derivation")],
    "quantized": ["", "q4_k_m", "q8_0", "awq", "fp8", "4bit", "bnb-4bit", "gptq-int4", "gptq-int8"],
}


@st.composite
def named(draw: st.DrawFn) -> Named:
    row = draw(st.sampled_from(OPEN))
    return Named(
        words=row["words"],
        publisher=draw(st.sampled_from(row["publishers"].split("|"))),
        base=row["base"],
        line=draw(st.sampled_from(["", *row["lines"].split("|")])),
        **{name: draw(st.sampled_from(words)) for name, words in WORDS.items()},
    )


def synonymous(one: Named, other: Named) -> bool:
    """Whether two names differ only in words that the rules hold for the same."""
    family = next(row["family"] for row in OPEN if row["words"] == one.words)
    same = {row["word"]: row["means"] for row in table("synonyms") if row["family"] in ("", family)}
    return [same.get(w, w) for w in one.weights()] == [same.get(w, w) for w in other.weights()]


names = st.one_of(st.sampled_from(EXPORTED), named().map(Named.hub), named().map(Named.ollama))
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
        ("qwen/qwen3-4b-2507", "ambiguous_variant"),
        ("qwen3-vl:8b", "ambiguous_variant"),
        ("zephyr:7b", "ambiguous_variant"),
        ("deepseek-r1", "ambiguous_variant"),
        ("phi3:7b", "ambiguous_variant"),
        ("mistral-small:24b", "moving_alias"),
        ("vicuna:7b", "moving_alias"),
        ("command-r:35b", "moving_alias"),
        ("gpt-oss", "no_params"),
        ("z-ai/glm-4.6", "no_params"),
        ("bartowski/google_Qwen3-8B-GGUF", "unknown_publisher"),
        ("nvidia/Llama-3.1-8B-Instruct-FP8", "unknown_publisher"),
        ("failspy/Meta-Llama-3-8B-Instruct-abliterated-v3", "unknown_part"),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", "unknown_part"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "unknown_family"),
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


@given(named())
def test_every_spelling_of_a_name_resolves_to_one_id(name):
    ids = {resolve(spelling).canonical_id for spelling in (name.hub(), name.bare(), name.ollama())}
    assert len(ids) == 1
    assert ids != {None}


@given(named(), st.sampled_from([field.name for field in fields(Named)]), st.data())
def test_names_that_say_different_things_are_never_merged(name, part, data):
    if part in WORDS:
        other = replace(name, **{part: data.draw(st.sampled_from(WORDS[part]))})
    else:
        other = replace(data.draw(named()), **{word: getattr(name, word) for word in WORDS})
    assume(not synonymous(name, other))
    assert resolve(name.hub()).canonical_id != resolve(other.hub()).canonical_id


@given(
    st.one_of(
        st.tuples(named().map(Named.hub), st.lists(st.sampled_from(table("serving")), max_size=3)),
        # These may leave the variant away, and then the platform says something.
        st.tuples(
            st.sampled_from(EXPORTED),
            st.lists(st.sampled_from([r for r in table("serving") if not r["platform"]]), max_size=3),
        ),
    ),
    st.sampled_from([str.upper, str.lower, str.title, str.swapcase]),
)
def test_case_and_serving_do_not_matter(served, case):
    name, rows = served
    dressed = case(name)
    for row in rows:
        dressed = dressed + row["text"] if row["end"] == "suffix" else row["text"] + dressed
    plain, found = resolve(name), resolve(dressed)
    assert (found.canonical_id, found.unresolved_reason) == (plain.canonical_id, plain.unresolved_reason)
    assert found.inferred == plain.inferred


@pytest.mark.parametrize("row", table("serving"), ids=lambda row: row["text"])
def test_every_way_of_serving_is_set_aside_and_said(row):
    name = "meta-llama/Llama-3.1-8B-Instruct"
    served = resolve(name + row["text"] if row["end"] == "suffix" else row["text"] + name)
    assert served.canonical_id == "llama/llama@3.1-8b-instruct"
    assert served.provenance == (row["text"], "meta-llama/")


@given(st.sampled_from(EXPORTED), st.sampled_from(["q4_k_m", "awq", "abliterated"]))
def test_a_changed_model_is_not_the_model(name, change):
    plain, _, serving = name.partition(":free")
    changed = resolve(f"{plain}-{change}{':free' if serving or name.endswith(':free') else ''}").canonical_id
    assert changed is None or changed != resolve(name).canonical_id


ALIASES = {
    "llama/llama@3.1-8b-instruct": [
        "meta-llama/Meta-Llama-3.1-8B-Instruct",
        "meta/llama-3.1-8b-instruct",
        "groq/llama-3.1-8b-instant",
        "accounts/fireworks/models/llama-v3p1-8b-instruct",
        "meta-llama/Llama-3.1-8B-Instruct:cerebras",
    ],
    "llama/llama@3.1-8b-base": ["meta-llama/Llama-3.1-8B", "llama3.1:8b-text"],
    "llama/llama@2-7b-chat": ["meta-llama/Llama-2-7b-chat-hf", "llama2:7b"],
    "llama/llama@3.3-70b-instruct": ["llama3.3", "llama3.3:70b", "llama-3.3-70b-versatile"],
    "llama/llama-scout@4-17b-16e-instruct": [
        "meta-llama/Llama-4-Scout-17B-16E-Instruct",
        "meta-llama/llama-4-scout:free",
        "llama4:16x17b",
    ],
    "llama/llama-guard@3-8b": ["meta-llama/Llama-Guard-3-8B", "llama-guard3:8b"],
    "llama/codellama@7b-instruct": ["codellama/CodeLlama-7b-Instruct-hf", "codellama:7b"],
    "llama/llama-vision@3.2-11b-instruct": [
        "meta-llama/Llama-3.2-11B-Vision-Instruct",
        "llama3.2-vision:11b",
    ],
    "qwen/qwen@3-2507-4b-instruct": ["Qwen/Qwen3-4B-Instruct-2507", "qwen3:4b-instruct"],
    "qwen/qwen@3-2507-30b-a3b-thinking": ["Qwen/Qwen3-30B-A3B-Thinking-2507", "qwen3:30b-thinking"],
    "qwen/qwen@3-2507-235b-a22b-instruct": [
        "Qwen/Qwen3-235B-A22B-Instruct-2507",
        "qwen/qwen3-235b-a22b-2507",
    ],
    "qwen/qwen-coder@3-30b-a3b-instruct": ["Qwen/Qwen3-Coder-30B-A3B-Instruct", "qwen3-coder:30b"],
    "qwen/qwen-vl@2.5-7b-instruct": ["Qwen/Qwen2.5-VL-7B-Instruct", "qwen2.5vl:7b"],
    "qwen/qwen@2.5-72b-instruct": ["qwen-2.5-72b-instruct", "accounts/fireworks/models/qwen2p5-72b-instruct"],
    "qwen/qwen@3-8b-gguf": ["bartowski/Qwen_Qwen3-8B-GGUF", "unsloth/Qwen3-8B-GGUF"],
    "qwen/qwen@3-8b-abliterated-by_huihui_ai": [
        "huihui-ai/Huihui-Qwen3-8B-abliterated",
        "huihui_ai/qwen3-abliterated:8b",
    ],
    "gemma/gemma@2-9b-it-q4_0": ["gemma2:9b-instruct-q4_0", "google/gemma-2-9b-it-q4_0"],
    "gemma/codegemma@7b-it": ["google/codegemma-7b-it", "codegemma:7b-instruct"],
    "gemma/gemma@4-26b-a4b-it": ["google/gemma-4-26b-a4b-it:free", "gemma4:26b"],
    "phi/phi@4-14b": ["microsoft/phi-4", "phi4:14b", "phi4"],
    "phi/phi@4-14b-reasoning-plus": ["microsoft/Phi-4-reasoning-plus", "phi4-reasoning:plus"],
    "phi/phi-mini@3.5-3.8b-instruct": ["microsoft/Phi-3.5-mini-instruct", "phi3.5:3.8b"],
    "mistral/mixtral@0.1-8x7b-instruct": [
        "mistralai/Mixtral-8x7B-Instruct-v0.1",
        "mistralai/mixtral-8x7b-instruct",
        "mixtral:8x7b",
    ],
    "mistral/mistral-small@3.2-2506-24b-instruct": [
        "mistralai/Mistral-Small-3.2-24B-Instruct-2506",
        "mistral-small3.2:24b",
    ],
    "mistral/ministral@3-2512-8b-instruct": ["mistralai/ministral-8b-2512", "ministral-3:8b"],
    "mistral/codestral@0.1-22b": ["mistralai/Codestral-22B-v0.1", "codestral:22b"],
    "nemotron/llama-3.1-nemotron@70b-instruct": ["nvidia/Llama-3.1-Nemotron-70B-Instruct-HF", "nemotron:70b"],
    "nemotron/llama-3.3-nemotron-super@1.5-49b": [
        "nvidia/Llama-3_3-Nemotron-Super-49B-v1_5",
        "nvidia/llama-3.3-nemotron-super-49b-v1.5",
    ],
    "nemotron/nemotron-nano@3-30b-a3b": ["nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "nemotron-3-nano:30b"],
    "deepseek/deepseek@3-0324-671b": ["deepseek-ai/DeepSeek-V3-0324", "deepseek/deepseek-chat-v3-0324:free"],
    "deepseek/deepseek@3.1-671b": ["deepseek-ai/DeepSeek-V3.1", "deepseek-v3.1:671b-cloud"],
    "deepseek/deepseek-r1@32b-distill-qwen": ["deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", "deepseek-r1:32b"],
    "deepseek/deepseek-r1@32b-distill-qwen-q4_k_m": [
        "deepseek-r1:32b-qwen-distill-q4_K_M",
        "unsloth/DeepSeek-R1-Distill-Qwen-32B-Q4_K_M",
    ],
    "deepseek/deepseek-r1@0528-8b-qwen3-gguf": [
        "bartowski/deepseek-ai_DeepSeek-R1-0528-Qwen3-8B-GGUF",
        "unsloth/DeepSeek-R1-0528-Qwen3-8B-GGUF",
    ],
    "deepseek/deepseek-coder-lite@2-16b-instruct": [
        "deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct",
        "deepseek-coder-v2:16b",
    ],
    "gpt-oss/gpt-oss@20b": ["openai/gpt-oss-20b", "gpt-oss:20b-cloud"],
    "glm/glm@4-9b-chat": ["THUDM/glm-4-9b-chat", "glm4:9b"],
    "glm/glm@4-0414-9b": ["THUDM/GLM-4-9B-0414"],
    "hermes/hermes-llama-3.1@3-8b": ["NousResearch/Hermes-3-Llama-3.1-8B", "hermes3:8b"],
    "olmo/olmo@2-1124-7b-instruct": ["allenai/OLMo-2-1124-7B-Instruct", "olmo2:7b"],
    "smollm/smollm@2-135m-instruct": ["HuggingFaceTB/SmolLM2-135M-Instruct", "smollm2:135m"],
    "tinyllama/tinyllama@1.0-1.1b-chat": ["TinyLlama/TinyLlama-1.1B-Chat-v1.0", "tinyllama:1.1b"],
    "kimi/kimi-k@2-0905-1t-a32b-instruct": ["moonshotai/Kimi-K2-Instruct-0905", "moonshotai/kimi-k2-0905"],
    "command/command-r@08-2024-32b": ["cohere/command-r-08-2024", "CohereForAI/c4ai-command-r-08-2024"],
}


@pytest.mark.parametrize(("identity", "name"), [(i, name) for i, same in ALIASES.items() for name in same])
def test_real_names_of_one_model_share_its_id(identity, name):
    assert resolve(name).canonical_id == identity


@pytest.mark.parametrize(
    "row", [row for row in table("exact") if row["read_as"]], ids=lambda row: row["name"]
)
def test_a_misleading_name_is_the_model_that_the_rules_name(row):
    found = resolve(row["name"])
    assert found.canonical_id is not None
    assert found.canonical_id == resolve(row["read_as"]).canonical_id
    assert "spelling" in found.inferred


@pytest.mark.parametrize("row", table("synonyms"), ids=lambda row: row["word"])
def test_a_synonym_is_the_word_that_it_means(row):
    base = row["family"] or "deepseek-r1"
    said, meant = (resolve(f"{base}-3-7b-{word}") for word in (row["word"], row["means"]))
    assert said.canonical_id is not None
    assert said.canonical_id == meant.canonical_id
    assert (said.inferred, meant.inferred) == (("spelling",), ())


@pytest.mark.parametrize("row", table("completions"), ids=lambda row: f"{row['base']}@{row['stated']}")
def test_a_completed_name_is_the_complete_one_and_says_so(row):
    stated, complete = (
        resolve("-".join(word for word in (row["base"], row[side], "instruct") if word))
        for side in ("stated", "complete")
    )
    assert complete.canonical_id is not None
    assert stated.canonical_id == complete.canonical_id
    assert ("params" in stated.inferred, "params" in complete.inferred) == (True, False)


@given(st.one_of(names, st.text(alphabet="llama3.1:8b-/@", max_size=30)))
def test_the_explanation_ends_where_the_name_resolves(name):
    resolution, steps = resolve(name), explain(name)
    assert [step.kind for step in steps if step.kind in ("id", "stop")] == [steps[-1].kind]
    if resolution.canonical_id is not None:
        assert steps[-1][:2] == ("id", resolution.canonical_id)
        assert {step.role for step in steps if step.kind == "added"} == set(resolution.inferred)
    else:
        assert (steps[-1].kind, steps[-1].role) == ("stop", resolution.unresolved_reason)
    assert tuple(s.text for s in steps if s.kind in ("served", "publisher")) == resolution.provenance
    assert all(step.why for step in steps if step.kind in ("served", "publisher", "added"))
    assert all(step.source for step in steps if step.role in ("params", "spelling"))


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


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("serving", ["end", "text"]),
        ("exact", ["name"]),
        ("families", ["words"]),
        ("publishers", ["publisher"]),
        ("synonyms", ["family", "word"]),
        ("variants", ["spelling"]),
        ("completions", ["base", "stated"]),
        ("defaults", ["base", "version", "size"]),
    ],
)
def test_no_two_rules_are_about_the_same_and_each_says_why(name, columns):
    keys = [tuple(row[column] for column in columns) for row in table(name)]
    assert [key for key in keys if keys.count(key) > 1] == []
    assert [key for key in keys if "".join(key) != "".join(key).lower()] == []
    said = [row.get("source") or row.get("why") or row.get("meaning") for row in table(name)]
    assert name == "families" or all(said)


@pytest.mark.parametrize("row", table("completions"), ids=lambda row: f"{row['base']}@{row['stated']}")
def test_a_completion_only_adds(row):
    assert set(row["stated"].split("-")) - {""} <= set(row["complete"].split("-"))
