"""Canonical model ids: one name for one set of weights, `{family}/{base}@{params}{variant}`.

Names from Hugging Face, OpenRouter, Ollama tags and bare API names resolve to the same id, or to one
typed reason, never to a guess. What is known about names lives in readable tables, `rules/*.csv`:

- `serving`: prefixes and suffixes that say who served it (provenance, not identity),
- `exact`: single names that mislead, and words that are no models,
- `families`: which words begin a name, its lines (nano, coder, ...), who may publish under it,
- `tokens`, `variants`: what the parts of a name mean,
- `completions`: releases whose unstated size or date is public, with the source,
- `defaults`: which variant an unmarked Ollama tag or hub name is; `plain` keeps it unmarked.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from ff_helpers.corpus.rules import kind_of, longest, table

Reason = Literal[
    "not_a_model",
    "unknown_family",
    "unknown_publisher",
    "unknown_part",
    "no_params",
    "moving_alias",
    "ambiguous_variant",
]
REASONS: tuple[Reason, ...] = get_args(Reason)
MEANINGS: dict[str, str] = {
    "not_a_model": "not the shape of a model name, or the name of something else",
    "unknown_family": "no rule knows the first word of the name",
    "unknown_publisher": "somebody else's weights under a known name: they may differ",
    "unknown_part": "a part of the name has no rule, or two parts contradict each other",
    "no_params": "the name does not say the size, and no public source settles it",
    "moving_alias": "points to different weights at different times",
    "ambiguous_variant": "base, instruct or another variant: the name does not say which",
}

_NAME = re.compile(r"[a-z0-9][a-z0-9._:/@+-]{0,199}")
_CANONICAL = re.compile(r"([a-z0-9.-]+)/([a-z0-9.-]+)@([a-z0-9._-]+)")
_PARAMS = ("version", "snapshot", "size", "active", "experts")
_VARIANTS = ("tuning", "mode", "edition", "context", "derivation", "by", "quantized")


@dataclass(frozen=True)
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
    """Resolve one model name; every string is accepted, and none raises."""
    inferred: list[str] = []
    provenance: list[str] = []
    try:
        identity = _identify(name, inferred, provenance)
    except _UnresolvedError as stop:
        return Resolution(name, None, stop.reason, (), tuple(provenance))
    return Resolution(name, identity, None, tuple(inferred), tuple(provenance))


class _UnresolvedError(Exception):
    def __init__(self, reason: Reason) -> None:
        self.reason = reason


def _identify(name: str, inferred: list[str], provenance: list[str]) -> str:
    text = name.strip()
    # ASCII first: lower-casing other scripts can turn a foreign letter into an ASCII one.
    if not text.isascii() or not _NAME.fullmatch(text.lower()):
        raise _UnresolvedError("not_a_model")
    text, platform = _unwrap(text.lower(), provenance)
    for row in table("exact"):
        if row["name"] == text and row["reason"]:
            raise _UnresolvedError(_reason(row["reason"]))
        if row["name"] == text:
            text = row["read_as"]
            inferred.append("spelling")
    publisher, tokens, platform, claimed = _split(text, platform)
    family, rest = _family(tokens)
    if publisher:
        provenance.append(f"{publisher}/")
    maker = _check_publisher(family, publisher)
    base, parts = _parts(family, rest + maker)
    if claimed and claimed != f"{family['family']}/{base}":
        raise _UnresolvedError("unknown_family")
    _complete(base, family, parts, inferred)
    _default_variant(base, platform, parts, inferred)
    params = [parts[kind][0] for kind in _PARAMS if parts.get(kind)]
    variants = [word for kind in _VARIANTS for word in sorted(parts.get(kind, []))]
    return f"{family['family']}/{base}@{'-'.join(params + variants)}"


def _unwrap(text: str, provenance: list[str]) -> tuple[str, str]:
    """Take off what only says who served the model, as often as it occurs."""
    platform, before = "", ""
    while text != before:
        before = text
        for row in table("serving"):
            at_end = row["end"] == "suffix"
            hit = text.endswith(row["text"]) if at_end else text.startswith(row["text"])
            if hit and len(text) > len(row["text"]):
                text = text.removesuffix(row["text"]) if at_end else text.removeprefix(row["text"])
                provenance.append(row["text"])
                platform = row["platform"] or platform
    return text, platform


def _split(text: str, platform: str) -> tuple[str, list[str], str, str]:
    """Return publisher, words, platform, and for a canonical id the `family/base` that it claims."""
    canonical = _CANONICAL.fullmatch(text)
    if canonical:
        family, base, rest = canonical.groups()
        return "", f"{base}-{rest}".split("-"), "canonical", f"{family}/{base}"
    publisher, _, model = text.rpartition("/")
    model, colon, tag = model.partition(":")
    if "@" in text or "/" in publisher or ":" in tag or not model or bool(colon) != bool(tag):
        raise _UnresolvedError("not_a_model")
    if not platform:
        platform = "ollama" if tag else "hub" if publisher else "bare"
    return publisher, model.split("-") + (tag.split("-") if tag else []), platform, ""


def _family(tokens: list[str]) -> tuple[dict[str, str], list[str]]:
    """Match the longest known beginning; a version may be glued to it, as in `llama3.1`."""
    for row in sorted(table("families"), key=lambda row: -len(row["words"])):
        words = row["words"].split("-")
        head, last = words[:-1], words[-1]
        if tokens[: len(head)] != head or len(tokens) <= len(head):
            continue
        glued = tokens[len(head)].removeprefix(last)
        if tokens[len(head)] == last:
            return row, tokens[len(words) :]
        if tokens[len(head)].startswith(last) and kind_of(glued, ("version",)):
            return row, [glued, *tokens[len(words) :]]
    raise _UnresolvedError("unknown_family")


def _check_publisher(family: dict[str, str], publisher: str) -> list[str]:
    """Return the part that a publisher adds to the identity: nothing, unless it changes weights."""
    if not publisher or publisher in family["publishers"].split("|"):
        return []
    roles = {row["publisher"]: row["role"] for row in table("publishers")}
    if publisher not in roles:
        raise _UnresolvedError("unknown_publisher")
    return [f"by_{publisher.replace('-', '_')}"] if roles[publisher] == "tuner" else []


def _parts(family: dict[str, str], tokens: list[str]) -> tuple[str, dict[str, list[str]]]:
    """Sort the words after the family into lines of the base, params and variants."""
    spellings = {row["spelling"]: row["kind"] for row in table("variants")}
    lines = [line for line in family["lines"].split("|") if line]
    found_lines: set[str] = set()
    parts: dict[str, list[str]] = {}
    unknown = False
    while tokens:
        line, width = longest(tokens, lines)
        word, long = longest(tokens, list(spellings))
        if width:
            found_lines.add(line)
        elif long:
            width = long
            parts.setdefault(spellings[word], []).append(word)
        else:
            width = 1
            kind = kind_of(tokens[0])
            unknown |= kind is None
            word = tokens[0].removeprefix("v") if kind == "version" else tokens[0]
            parts.setdefault(kind or "unknown", []).append(word)
        tokens = tokens[width:]
    parts = {kind: list(dict.fromkeys(words)) for kind, words in parts.items()}
    if "moving" in parts:
        raise _UnresolvedError("moving_alias")
    if family["access"] == "closed":
        raise _UnresolvedError("no_params")
    if unknown or any(len(parts.get(kind, [])) > 1 for kind in _PARAMS):
        raise _UnresolvedError("unknown_part")
    return "-".join([family["base"], *(line for line in lines if line in found_lines)]), parts


def _complete(base: str, family: dict[str, str], parts: dict[str, list[str]], inferred: list[str]) -> None:
    """Add what a public release settles; then the version and the size must be known."""
    stated = "-".join(parts[kind][0] for kind in _PARAMS if parts.get(kind))
    for row in table("completions"):
        # A distilled model has another size than the model whose name it carries.
        if (row["base"], row["stated"]) == (base, stated) and "mode" not in parts:
            for token in row["complete"].split("-"):
                parts[kind_of(token, _PARAMS) or "unknown"] = [token]
            inferred.append("params")
    if family["versioned"] == "yes" and not (parts.get("version") or parts.get("snapshot")):
        raise _UnresolvedError("moving_alias")
    if not parts.get("size"):
        raise _UnresolvedError("no_params")


def _default_variant(base: str, platform: str, parts: dict[str, list[str]], inferred: list[str]) -> None:
    """Settle which variant an unmarked name is."""
    if len(parts.get("tuning", [])) > 1 or len(parts.get("mode", [])) > 1:
        raise _UnresolvedError("ambiguous_variant")
    if parts.get("tuning") or parts.get("mode"):
        return
    version = parts.get("version", [""])[0]
    size = "-".join(parts[kind][0] for kind in ("size", "active") if parts.get(kind))
    defaults = {(row["base"], row["version"], row["size"]): row for row in table("defaults")}
    keys = [(base, version, size), (base, "", size), (base, version, ""), (base, "", "")]
    row = next(
        (defaults[key] for key in keys if key in defaults), dict.fromkeys(("ollama", "hub"), "ambiguous")
    )
    if platform == "canonical":
        default = "plain" if "plain" in (row["ollama"], row["hub"]) else "ambiguous"
    elif platform == "bare":
        default = row["hub"] if row["hub"] == row["ollama"] else "ambiguous"
    else:
        default = row[platform]
    if default == "ambiguous":
        raise _UnresolvedError("ambiguous_variant")
    if default != "plain":
        kind = next(row["kind"] for row in table("variants") if row["spelling"] == default)
        parts[kind] = [default]
        inferred.append("variant")


def _reason(word: str) -> Reason:
    return next(reason for reason in REASONS if reason == word)
