"""Canonical model ids: one name for one set of weights, `{family}/{base}@{params}{variant}`.

Names from Hugging Face, OpenRouter, Ollama tags and bare API names resolve to the same id, or to one
typed reason, never to a guess. What is known about names lives in readable tables, `rules/*.csv`:

- `serving`: prefixes and suffixes that say who served it (provenance, not identity),
- `exact`: single misleading names, and words that do not name a model,
- `families`: which words begin a name, its lines (nano, coder, ...), who can publish under it,
- `publishers`: who repackages or changes other makers' weights,
- `tokens`, `variants`, `synonyms`: what the parts of a name mean,
- `completions`: releases whose unstated size or date is public, with the source,
- `defaults`: which variant an unmarked Ollama tag or hub name is; `plain` keeps it unmarked.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ff_helpers.corpus.naming import (
    PARAMS,
    REASONS,
    VARIANTS,
    Parts,
    Reason,
    Row,
    Step,
    UnresolvedError,
    check_publisher,
    read_family,
    read_words,
    respell,
    split,
    unwrap,
)
from ff_helpers.corpus.rules import index, kind_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MEANINGS", "REASONS", "Reason", "Resolution", "Step", "explain", "resolve", "resolve_names"]

MEANINGS: Final[dict[str, str]] = {
    "not_a_model": "not the shape of a model name, or the name of something else",
    "unknown_family": "no rule knows the first word of the name",
    "unknown_publisher": "somebody else's weights under a known name: they may differ",
    "unknown_part": "a part of the name has no rule, or two parts contradict each other",
    "no_params": "the name does not say the size, and no public source settles it",
    "moving_alias": "points to different weights at different times",
    "ambiguous_variant": "base, instruct or another variant: the name does not say which",
}

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._:/@+-]{0,199}")
_CANONICAL: Final = re.compile(r"([a-z0-9.-]+)/([a-z0-9.-]+)@([a-z0-9._-]+)")
_UNSETTLED: Final[Row] = {"ollama": "ambiguous", "hub": "ambiguous", "why": ""}


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a name resolves to.

    Attributes:
        name: the name as given.
        canonical_id: the id, or None.
        unresolved_reason: one of REASONS where there is no id; MEANINGS says each in words.
        inferred: what the rules added that the name does not state: `spelling`, `params`, `variant`.
        provenance: what was taken off the name because it says who served or published it.
    """

    name: str
    canonical_id: str | None
    unresolved_reason: Reason | None
    inferred: tuple[str, ...]
    provenance: tuple[str, ...]


@lru_cache(maxsize=65_536)
def resolve(name: str) -> Resolution:
    """Resolve one model name; accepts every string and never raises."""
    trail: list[Step] = []
    outcome = _walk(name, trail)
    provenance = tuple([step.text for step in trail if step.kind in ("served", "publisher")])
    if isinstance(outcome, UnresolvedError):
        return Resolution(name, None, outcome.reason, (), provenance)
    inferred = dict.fromkeys([step.role for step in trail if step.kind == "added"])
    return Resolution(name, outcome, None, tuple(inferred), provenance)


def resolve_names(names: Iterable[str]) -> "pd.DataFrame":
    """Return what each model name resolves to.

    Columns (str): model_name, canonical_id and unresolved_reason (exactly one is missing), meaning
    (of the reason, in words), inferred, provenance (comma-separated, may be empty).
    """
    import pandas as pd

    found = [resolve(name) for name in names]
    return pd.DataFrame(
        {
            "model_name": pd.Series([r.name for r in found], dtype="str"),
            "canonical_id": pd.Series([r.canonical_id for r in found], dtype="str"),
            "unresolved_reason": pd.Series([r.unresolved_reason for r in found], dtype="str"),
            "meaning": pd.Series([MEANINGS.get(r.unresolved_reason or "") for r in found], dtype="str"),
            "inferred": pd.Series([", ".join(r.inferred) for r in found], dtype="str"),
            "provenance": pd.Series([", ".join(r.provenance) for r in found], dtype="str"),
        }
    )


def explain(name: str) -> tuple[Step, ...]:
    """Return the steps by which `resolve` reaches its answer; the last one is the id or where it stops."""
    trail: list[Step] = []
    outcome = _walk(name, trail)
    if isinstance(outcome, UnresolvedError):
        return (*trail, Step("stop", outcome.text, outcome.reason, outcome.why))
    return (*trail, Step("id", outcome))


def _walk(name: str, trail: list[Step]) -> str | UnresolvedError:
    try:
        return _identify(name, trail)
    except UnresolvedError as stop:
        return stop


def _identify(name: str, trail: list[Step]) -> str:
    text = name.strip()
    # ASCII first: lower-casing other scripts can turn a foreign letter into an ASCII one.
    if not text.isascii() or not _NAME.fullmatch(text.lower()):
        raise UnresolvedError("not_a_model")
    text, served_by = unwrap(text.lower(), trail)
    text = respell(text, trail)
    canonical = _CANONICAL.fullmatch(text)
    if canonical:
        publisher, mark, platform = "", "", "canonical"
        words = f"{canonical[2]}-{canonical[3]}".split("-")
    else:
        publisher, mark, platform, words = split(text)
        platform = served_by or platform
    family, words = read_family(words, trail)
    maker = check_publisher(family, publisher, mark, trail)
    base, parts = read_words(family, words + maker, trail)
    if canonical and (canonical[1], canonical[2]) != (family["family"], base):
        raise UnresolvedError("unknown_family", f"{canonical[1]}/{canonical[2]}")
    _check_words(family, parts, trail)
    _complete(base, family, parts, trail)
    _default_variant(base, platform, parts, trail)
    params = [parts[kind][0] for kind in PARAMS if kind in parts]
    variants = [word for kind in VARIANTS for word in sorted(parts.get(kind, []))]
    return f"{family['family']}/{base}@{'-'.join(params + variants)}"


def _check_words(family: Row, parts: Parts, trail: list[Step]) -> None:
    """Stop at words that point elsewhere, at closed families, and at unknown words."""
    if "moving" in parts:
        why = next(step.why for step in trail if step.role == "moving")
        raise UnresolvedError("moving_alias", parts["moving"][0], why)
    if family["access"] == "closed":
        raise UnresolvedError("no_params", family["words"], "its maker publishes no sizes")
    if "unknown" in parts:
        raise UnresolvedError("unknown_part", " ".join(parts["unknown"]), "no rule")
    for kind in PARAMS:
        if len(parts.get(kind, [])) > 1:
            raise UnresolvedError("unknown_part", " ".join(parts[kind]), f"more than one {kind}")


def _complete(base: str, family: Row, parts: Parts, trail: list[Step]) -> None:
    """Add what a public release settles; after that the version and the size must be known."""
    stated = "-".join(parts[kind][0] for kind in PARAMS if kind in parts)
    row = index("completions", "base", "stated").get((base, stated))
    # A distilled model differs in size from the model whose name it carries.
    if row and "distilled" not in parts:
        for word in row["complete"].split("-"):
            parts[kind_of(word) or "unknown"] = [word]
        trail.append(Step("added", row["complete"], "params", row["why"], row["source"]))
    if family["versioned"] == "yes" and not ("version" in parts or "snapshot" in parts):
        raise UnresolvedError("moving_alias", base, "the name says no version")
    if "size" not in parts:
        raise UnresolvedError("no_params", base)


def _default_variant(base: str, platform: str, parts: Parts, trail: list[Step]) -> None:
    """Settle which variant an unmarked name is."""
    for kind in ("tuning", "mode", "distilled"):
        if len(parts.get(kind, [])) > 1:
            raise UnresolvedError("ambiguous_variant", " ".join(parts[kind]), "the name says both")
    if "tuning" in parts or "mode" in parts or "distilled" in parts:
        return
    row = _default(base, parts)
    if platform == "canonical":
        default = "plain" if "plain" in (row["ollama"], row["hub"]) else "ambiguous"
    elif platform == "bare":
        default = row["hub"] if row["hub"] == row["ollama"] else "ambiguous"
    else:
        default = row[platform]
    if default == "ambiguous":
        raise UnresolvedError("ambiguous_variant", base, row["why"])
    if default != "plain":
        parts[index("variants", "spelling")[(default,)]["kind"]] = [default]
        trail.append(Step("added", default, "variant", row["why"]))


def _default(base: str, parts: Parts) -> Row:
    """Return the rule about unmarked names of a release: a rule for this date and size comes first."""
    rows = index("defaults", "base", "version", "size")
    version = parts.get("version", [""])[0]
    dated = "-".join(parts[kind][0] for kind in ("version", "snapshot") if kind in parts)
    size = "-".join(parts[kind][0] for kind in ("size", "active") if kind in parts)
    keys = ((dated, size), (dated, ""), (version, size), ("", size), (version, ""), ("", ""))
    return next((rows[base, *key] for key in keys if (base, *key) in rows), _UNSETTLED)
