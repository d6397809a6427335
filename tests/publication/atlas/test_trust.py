"""Trust: weighted signals, what is not known left open, the veto; and the metadata it rests on."""

import re

import pytest
import yaml

import ff_helpers as ff
from ff_helpers import paths
from ff_helpers.casestudy.exported import atlas
from ff_helpers.corpus.jsonl import BadLineError, FileMissingError
from ff_helpers.errors import FFError
from ff_helpers.publication.atlas.signal import Stability
from ff_helpers.publication.atlas.trust import ModelFacts, model_facts, read_trust, trust
from tests.publication.atlas.signals import signals

G = "gemma3:12b"
FACTS = ModelFacts(
    model="gpt-5.2", family="GPT", provider="OpenAI", parameters_b=1, weights="open", licence="MIT",
    licence_kind="open_source", report="yes", source="here", checked="2026-11-27", note="", basis="page",
)  # fmt: skip
STABLE = Stability(share=0.9, ci_low=0.8, ci_high=0.95, k=90, n=100, scenarios=100, basis="pairs")


def one(k=10, n=100, facts=FACTS, stability=STABLE):
    (signal,) = signals(("gpt-5.2", k, n, G))
    reason = None if stability else "nothing was repeated"
    update = {"refusal_stability": stability, "refusal_stability_reason": reason}
    return trust(signal.model_copy(update=update), facts, read_trust())


def test_the_score_is_the_weighted_sum_with_the_lower_bound_of_stability():
    # .30 x 1 (MIT) + .25 x 1 (open, size, report) + .25 x 1 (n = 100) + .20 x .8
    found = one()
    assert (found.low, found.high, found.tier) == (0.96, 0.96, "high")


def test_what_is_not_assessed_leaves_the_score_open_and_is_never_filled_in():
    found = one(stability=None)
    assert (found.low, found.high) == (0.8, 1.0)
    assert found.tier == "high"  # both ends lie there
    stability = next(s for s in found.signals if s.name == "refusal_stability")
    assert (stability.value, stability.why) == (None, "not assessed: nothing was repeated")


def test_a_tier_is_given_only_where_both_ends_lie_in_it():
    found = one(n=50, stability=None, facts=FACTS.model_copy(update={"licence_kind": "own_terms"}))
    # .18 + .25 + .1675 = .5975, up to .7975
    assert (found.tier, found.between) == (None, ("moderate", "high"))
    assert "refusal stability not assessed" in found.reason


@pytest.mark.parametrize(
    ("change", "open_signals"),
    [
        ({"licence_kind": "unknown"}, ["licence_clarity"]),
        ({"report": "unknown"}, ["provider_transparency"]),
        ({"weights": "unknown"}, ["provider_transparency"]),
        ({"parameters_b": None}, []),
    ],
)
def test_unknown_facts_are_not_assessed_and_a_missing_size_is_a_no(change, open_signals):
    found = one(facts=FACTS.model_copy(update=change))
    assert [s.name for s in found.signals if s.value is None] == open_signals


def test_a_model_without_metadata_has_neither_licence_nor_provider():
    found = one(facts=None)
    assert [s.name for s in found.signals if s.value is None] == ["licence_clarity", "provider_transparency"]


@pytest.mark.parametrize(
    ("k", "n", "vetoed"), [(61, 100, True), (60, 100, False), (99, 99, False), (200, 300, True)]
)
def test_the_veto_caps_above_60_percent_at_high_confidence(k, n, vetoed):
    found = one(k=k, n=n)
    assert found.vetoed is vetoed
    assert (found.tier == "low") is vetoed


def test_the_published_export_meets_the_veto_nowhere():
    rules = read_trust()
    signals = atlas(ff.case.published("model_asr_2026-06-10")).signals
    assert sum(trust(signal, None, rules).vetoed for signal in signals) == 0


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("signals", "sample_size", "weight"), 0.9, "add up to 1"),
        (
            ("tiers",),
            [{"name": "a", "at_least": 0.5, "why": "x"}, {"name": "b", "at_least": 0.1, "why": "x"}],
            "tiers",
        ),
        (("veto", "asr_above"), 60, "veto.asr_above"),
        (("surprise",), 1, "surprise"),
        (("licence_clarity", "own_terms", "why"), "", "licence_clarity.own_terms.why"),
    ],
)
def test_rules_that_cannot_stand_are_named(tmp_path, path, value, said):
    content = yaml.safe_load((paths.params() / "trust.yaml").read_text())
    place = content
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    file = tmp_path / "trust.yaml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(FFError, match=re.escape(said)):
        read_trust(file)


def test_no_file_and_no_yaml_are_named(tmp_path):
    with pytest.raises(FFError, match="no such file"):
        read_trust(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(FFError, match="not YAML"):
        read_trust(tmp_path / "bad.yaml")


def test_every_weight_tier_and_value_has_its_reason():
    rules = read_trust()
    parts = [*rules.signals.values(), *rules.licence_clarity.values(), *rules.tiers, rules.veto]
    assert all(len(part.why) > 15 for part in parts)


def test_every_model_of_the_export_has_its_row_of_metadata_and_unknown_says_why():
    facts = model_facts()
    labels = {signal.label for signal in atlas(ff.case.published("model_asr_2026-06-10")).signals}
    ours = {f"qwen/qwen-coder@2.5-{size}-instruct" for size in ("0.5b", "1.5b")}
    assert labels | ours | {"smollm/smollm@2-135m-instruct"} == set(facts)
    assert facts["gpt-oss/gpt-oss@120b"].licence == "Apache-2.0"
    unknown = [row for row in facts.values() if row.licence_kind == "unknown"]
    assert all(row.source for row in unknown)
    assert not [row.model for row in facts.values() if row.weights == "closed" and row.parameters_b]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("open,", "ajar,", "weights"),
        ("MIT,open_source", "MIT,free", "licence_kind"),
        (",671,", ",many,", "parameters_b"),
        ("2026-11-27", "yesterday", "checked"),
    ],
)
def test_a_row_of_metadata_that_is_not_valid_is_named_by_line_and_field(tmp_path, old, new, said):
    head, *rows = (paths.data() / "models" / "metadata.csv").read_text(encoding="utf-8").splitlines()
    row = next(row for row in rows if row.startswith("deepseek/deepseek-r1@0528"))
    path = tmp_path / "metadata.csv"
    path.write_text(f"{head}\n{row.replace(old, new, 1)}\n")
    with pytest.raises(BadLineError, match=rf"metadata\.csv:2:{said}"):
        model_facts(path)
    path.write_text(f"{head}\n{row}\n{row}\n")
    with pytest.raises(BadLineError, match=r"metadata\.csv:3:model"):
        model_facts(path)
    with pytest.raises(FileMissingError):
        model_facts(tmp_path / "none.csv")
