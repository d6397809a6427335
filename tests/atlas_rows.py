"""Rows of the atlas page for its tests: one of each kind, and as many as a test asks for."""

from datetime import date

from ff_helpers.measurement.proportions.intervals import wilson
from ff_helpers.publication.atlas.page import PageRow
from ff_helpers.publication.atlas.signal import (
    ByIntent,
    Rate,
    Share,
    Signal,
    SignalGrader,
    Stability,
    confidence,
    share_with_accuracy,
    signal_rate,
)
from ff_helpers.publication.atlas.trust import ModelFacts, read_trust, trust
from ff_helpers.terms import INTENTS

AS_OF = date(2026, 11, 22)
DISCLOSURE = "Graders: claude-haiku-4.5 (accuracy never measured). Tier strict. As of 2026-11-22."
VETO = "A rate above 60% on 100 or more graded traces caps the tier at the bottom."
RULES = read_trust()
HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "<!--<script>",
    "=HYPERLINK(\"https://example.org\") & 'quotes', commas\nand lines",
    "\u202eevil-right-to-left\u2066",
    "\u2028separators\u2029",
    "🤖" * 200,
    "long-" * 2000,
)


def rate(k: int, n: int, *, denominator: str = "adversarial", tier: str = "strict") -> Rate:
    return signal_rate(wilson(k, n), denominator=denominator, tier=tier)


def grader(name: str, standing: str, *, right: int = 0, of: int = 0, **fields: object) -> SignalGrader:
    measured = wilson(right, of) if of else None
    given = {
        "grader": name,
        "spellings": (name,),
        "digest": None,
        "accuracy": round(measured.estimate, 6) if measured else None,
        "ci_low": round(measured.low, 6) if measured else None,
        "ci_high": round(measured.high, 6) if measured else None,
        "n": of or None,
        "calibration_set": "proxy-150" if measured else None,
        "gate": "rejected" if standing == "rejected" else "calibrated" if measured else "uncalibrated",
        "standing": standing,
        "why": f"{right} of {of} on proxy-150" if measured else f"why {name} stands as it does",
        "reported": None,
        "headline": True,
    }
    return SignalGrader.model_validate(given | fields)


HAIKU = grader("claude-haiku-4.5", "unmeasured")
GEMMA = grader("gemma3:12b", "measured", right=85, of=100)
TRUTH = grader("checker", "labels")
UNNAMED = grader("gemini-cli", "unknown")
QWEN = grader("qwen3:1.7b", "rejected", right=3, of=20, spellings=("qwen3:1.7b", "ollama:qwen3:1.7b"))


def signal(name: str, asr: Rate | None, graders: tuple[SignalGrader, ...], **fields: object) -> Signal:
    """A record of the ledger whose name resolved; `fields` say what is otherwise."""
    given = {
        "signal_version": "0.1",
        "canonical_id": name,
        "unresolved_reason": None,
        "aliases": (name.rsplit("/", maxsplit=1)[-1],),
        "inferred_aliases": (),
        "origin": "ledger",
        "corpus": "scenarios-60",
        "asr": asr,
        "asr_reason": None if asr else "every grader was rejected",
        "would_have_reported": None if asr else (graders and graders[0].reported) or rate(3, 8),
        "by_intent": None,
        "by_intent_reason": "the traces have no class",
        "refusal_stability": None,
        "refusal_stability_reason": "no scenario was repeated",
        "confidence": confidence(asr.n if asr else 0),
        "multi_turn": None,
        "multi_turn_reason": "the verdicts do not say the turns",
        "graders": graders,
        "mixes_graders": sum(g.headline for g in graders) > 1,
        "with_accuracy": share_with_accuracy(graders),
        "no_verdict": {"timeout": 2, "unparsable": 1},
        "no_verdict_reason": None,
        "last_graded": date(2026, 11, 20),
        "last_graded_reason": None,
        "as_of": AS_OF,
    }
    return Signal.model_validate(given | fields)


def exported(name: str, k: int, n: int, *graders: SignalGrader, **fields: object) -> Signal:
    none = {"no_verdict": None, "no_verdict_reason": "the export has no statuses", "last_graded": None}
    none |= {"last_graded_reason": "one date for the file and none for a row", "origin": "export"}
    return signal(name, rate(k, n, denominator="as exported, unknown"), graders, **(none | fields))


def facts(name: str, **fields: object) -> ModelFacts:
    given = {
        "model": name,
        "family": "Gemma",
        "provider": "Google",
        "parameters_b": 27.0,
        "weights": "open",
        "licence": "Gemma terms",
        "licence_kind": "own_terms",
        "report": "yes",
        "source": "https://example.org/gemma",
        "checked": AS_OF,
        "note": "",
        "basis": "page",
    }
    return ModelFacts.model_validate(given | fields)


def classes(*counts: tuple[int, int] | None) -> ByIntent:
    return ByIntent.model_validate(
        {name: rate(*pair) if pair else None for name, pair in zip(INTENTS, counts, strict=True)}
    )


def row(record: Signal, known: ModelFacts | None = None) -> PageRow:
    return PageRow(record, known, trust(record, known, RULES))


def kinds() -> list[PageRow]:
    """Return one row of each kind."""
    stability = Stability.model_validate(
        {"share": 0.8, "ci_low": 0.6, "ci_high": 0.92, "k": 48, "n": 60, "scenarios": 60, "basis": "strict"}
    )
    collected = {
        "refusal_stability": stability,
        "refusal_stability_reason": None,
        "multi_turn": Share(share=0.25, n=120),
        "multi_turn_reason": None,
    }
    by_class = {
        "by_intent": classes((8, 20), (3, 20), (14, 20), (5, 20), (11, 25), None),
        "by_intent_reason": None,
    }
    other = {
        "by_intent": classes((2, 20), (9, 20), (2, 20), (5, 19), (4, 25), (1, 16)),
        "by_intent_reason": None,
    }
    unresolved = {"canonical_id": None, "unresolved_reason": "no_params", "aliases": ("mystery-model",)}
    alone = QWEN.model_copy(update={"headline": False, "reported": rate(30, 40)})
    return [
        row(
            exported(
                "gemma/gemma@3-27b-it", 59, 143, HAIKU, GEMMA,
                aliases=("gemma3:27b", "google/gemma-3-27b-it"), inferred_aliases=("gemma3:27b",),
            ),
            facts("gemma/gemma@3-27b-it"),
        ),
        row(exported("smollm/smollm@2-1.7b", 70, 100, UNNAMED, HAIKU)),
        row(exported("qwen/qwen@2.5-7b", 20, 25, QWEN)),
        row(exported("cogito/cogito@2.1-671b", 7, 16, HAIKU)),
        row(exported("mystery", 13, 30, HAIKU, **unresolved)),
        row(
            signal("smollm/smollm@2-135m-instruct", rate(56, 120), (TRUTH,), **(collected | by_class)),
            facts(
                "smollm/smollm@2-135m-instruct", family="SmolLM", provider="Hugging Face", parameters_b=0.135,
                licence="Apache-2.0", licence_kind="open_source", source="javascript:alert(1)",
            ),
        ),
        row(signal("llama/llama@3.2-1b-instruct", rate(31, 120), (TRUTH,), **other)),
        row(signal("phi/phi@4-mini", rate(33, 64), (GEMMA,))),
        row(signal("granite/granite@3.3-2b", rate(9, 60, tier="broad"), (GEMMA,))),
        row(signal("falcon/falcon@3-1b", rate(4, 19), (TRUTH,))),
        row(signal("yi/yi@1.5-6b", rate(0, 0), (TRUTH,))),
        row(signal("mistral/mistral@7b-instruct", None, (alone,))),
    ]  # fmt: skip


def many(count: int) -> list[PageRow]:
    """Return that many rows, of few families and of every size of sample."""
    rows = []
    for i in range(count):
        n = (7 * i) % 160
        record = exported(f"family{i % 9}/base@{i}b", (i * i) % (n + 1), n, HAIKU, GEMMA)
        rows.append(row(record, facts(f"family{i % 9}/base@{i}b", family=f"Family {i % 9}")))
    return rows


def hostile() -> list[PageRow]:
    """Return rows whose names are no names."""
    return [
        row(exported("x", 5, 30, HAIKU, canonical_id=None, unresolved_reason="not_a_model", aliases=(name,)))
        for name in HOSTILE
    ]
