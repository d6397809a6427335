"""Canonical model ids: one name for one set of weights, `{family}/{base}@{params}{variant}`.

Names from Hugging Face, OpenRouter, Ollama tags and bare API names resolve to the same id, or to one
typed reason, never to a guess. What is known about names lives in readable tables, `rules/*.csv`:

- `serving`: prefixes and suffixes that say who served it (provenance, not identity),
- `exact`: single misleading names, and words that do not name a model,
- `families`: which words begin a name, its lines (nano, coder, ...), who can publish under it,
- `publishers`: who repackages or changes other makers' weights,
- `tokens`, `variants`, `synonyms`: what the parts of a name mean,
- `completions`: releases whose unstated size or date is public, with the source,
- `defaults`: which variant an unmarked Ollama tag or hub name is; `plain` keeps it unmarked,
- `reasons`: why a name has no id, in words.

Each function that reads a name takes one thing off it and adds what it did to the trail, a list of `Step`s.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, cast, get_args

from ff_helpers.corpus.rules import affixes, families, index, kind_of, lines, makers, meanings, table

if TYPE_CHECKING:
    import pandas as pd

Reason = Literal[
    "not_a_model",
    "unknown_family",
    "unknown_publisher",
    "unknown_part",
    "no_params",
    "moving_alias",
    "ambiguous_variant",
]
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
MEANINGS: Final = {row["reason"]: row["meaning"] for row in table("reasons")}
"""Each reason in words."""
ASKED: Final = {row["reason"]: row["asked"] for row in table("reasons")}
"""At which step of the way each reason stops."""
Parts = dict[str, list[str]]
Row = dict[str, str]
PARAMS: Final = ("version", "snapshot", "size", "active", "experts")
VARIANTS: Final = ("tuning", "mode", "distilled", "edition", "context", "derivation", "by", "quantized")

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._:/@+-]{0,199}")
_CANONICAL: Final = re.compile(r"([a-z0-9.-]+)/([a-z0-9.-]+)@([a-z0-9._-]+)")
_UNSETTLED: Final[Row] = {"ollama": "ambiguous", "hub": "ambiguous", "why": ""}


class Step(NamedTuple):
    """One step from a name to its id.

    Attributes:
        kind: `served` and `publisher` (taken off the name), `family` and `word` (read), `added` (inferred),
            and at the end `id` or `stop`.
        text: the part of the name, or what was added, or the id; where it stopped, the part that caused it.
        role: of a word: what it says (`line`, `version`, `size`, `tuning`, ...); of an addition: `spelling`,
            `params` or `variant`; where it stopped: the reason, one of REASONS.
        why: what the rule says about it, or empty.
        source: the rule's source, or empty.
    """

    kind: Literal["served", "publisher", "family", "word", "added", "id", "stop"]
    text: str
    role: str = ""
    why: str = ""
    source: str = ""


class UnresolvedError(Exception):
    """A name has no id: the reason, the part of the name that it is about, and what a rule says about it."""

    def __init__(self, reason: Reason, text: str = "", why: str = "") -> None:
        self.reason, self.text, self.why = reason, text, why


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
    *trail, end = explain(name)
    provenance = tuple([step.text for step in trail if step.kind in ("served", "publisher")])
    if end.kind == "stop":
        return Resolution(name, None, cast(Reason, end.role), (), provenance)
    inferred = dict.fromkeys([step.role for step in trail if step.kind == "added"])
    return Resolution(name, end.text, None, tuple(inferred), provenance)


def resolve_names(names: Iterable[str]) -> "pd.DataFrame":
    """Return what each model name resolves to.

    Columns (str): model_name, canonical_id and unresolved_reason (exactly one is missing), meaning
    (of the reason, in words), inferred, provenance (comma-separated, may be empty).
    """
    import pandas as pd

    rows = [
        (r.name, r.canonical_id, r.unresolved_reason, ", ".join(r.inferred), ", ".join(r.provenance))
        for r in map(resolve, names)
    ]
    columns = ["model_name", "canonical_id", "unresolved_reason", "inferred", "provenance"]
    table = pd.DataFrame(rows, columns=columns, dtype="str")
    table.insert(3, "meaning", table["unresolved_reason"].map(MEANINGS).astype("str"))
    return table


def explain(name: str) -> tuple[Step, ...]:
    """Return the steps by which `resolve` reaches its answer; the last one is the id or where it stops."""
    trail: list[Step] = []
    try:
        end = Step("id", _identify(name, trail))
    except UnresolvedError as stop:
        end = Step("stop", stop.text, stop.reason, stop.why)
    return (*trail, end)


def _identify(name: str, trail: list[Step]) -> str:
    text = name.strip()
    # ASCII first: lower-casing other scripts can turn a foreign letter into an ASCII one.
    if not text.isascii() or not _NAME.fullmatch(text.lower()):
        raise UnresolvedError("not_a_model")
    text, served_by = _unwrap(text.lower(), trail)
    text = _respell(text, trail)
    canonical = _CANONICAL.fullmatch(text)
    if canonical:
        publisher, mark, platform = "", "", "canonical"
        words = f"{canonical[2]}-{canonical[3]}".split("-")
    else:
        publisher, mark, platform, words = _split(text)
        platform = served_by or platform
    family, words = _read_family(words, trail)
    maker = _check_publisher(family, publisher, mark, trail)
    base, parts = _read_words(family, words + maker, trail)
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


def _unwrap(text: str, trail: list[Step]) -> tuple[str, str]:
    """Take off every part that only says who served the model; return the platform too."""
    platform, before = "", ""
    while text != before and (text.startswith(affixes("prefix")) or text.endswith(affixes("suffix"))):
        before = text
        for row in table("serving"):
            affix, at_end = row["text"], row["end"] == "suffix"
            if len(text) > len(affix) and (text.endswith(affix) if at_end else text.startswith(affix)):
                text = text.removesuffix(affix) if at_end else text.removeprefix(affix)
                platform = row["platform"] or platform
                trail.append(Step("served", affix, why=row["why"]))
    return text, platform


def _respell(text: str, trail: list[Step]) -> str:
    """Read a misleading name by its rule, and stop at one that does not name a model."""
    row = index("exact", "name").get((text,))
    if row is None:
        return text
    if row["reason"]:
        raise UnresolvedError(next(r for r in REASONS if r == row["reason"]), text, row["why"])
    trail.append(Step("added", row["read_as"], "spelling", row["why"], row["source"]))
    return row["read_as"]


def _split(text: str) -> tuple[str, str, str, list[str]]:
    """Return who published a name, the mark they put before it, the platform with this spelling, its words.

    Repackagers and tuners use marks: `bartowski/google_gemma-...`, `huihui-ai/Huihui-Qwen3-...`.
    """
    publisher, _, model = text.rpartition("/")
    model, colon, tag = model.partition(":")
    if "@" in text or "/" in publisher or ":" in tag or not model or bool(colon) != bool(tag):
        raise UnresolvedError("not_a_model", text)
    platform = "ollama" if tag else "hub" if publisher else "bare"
    mark, row = "", index("publishers", "publisher").get((publisher,))
    maker, underscore, rest = model.partition("_")
    if row and row["role"] == "packager" and rest and maker in makers():
        mark = f"{maker}{underscore}"
    elif row and row["mark"] and model.startswith(row["mark"]) and model != row["mark"]:
        mark = row["mark"]
    return publisher, mark, platform, model.removeprefix(mark).split("-") + (tag.split("-") if tag else [])


def _read_family(words: list[str], trail: list[Step]) -> tuple[Row, list[str]]:
    """Match the longest known beginning; a version may be attached to it, as in `llama3.1`."""
    for head, last, row in families(words[0][:1]):
        at = len(head)
        if len(words) <= at or not words[at].startswith(last) or words[:at] != head:
            continue
        glued = words[at][len(last) :]
        if not glued or kind_of(glued) == "version":
            trail.append(Step("family", row["family"]))
            if row["base"] != row["family"]:
                trail.append(Step("word", row["base"], "base"))
            return row, [glued, *words[at + 1 :]] if glued else words[at + 1 :]
    raise UnresolvedError("unknown_family", words[0])


def _check_publisher(family: Row, publisher: str, mark: str, trail: list[Step]) -> list[str]:
    """Return the part that a publisher adds to the identity: empty unless it changes weights."""
    if not publisher:
        return []
    known = index("publishers", "publisher").get((publisher,))
    makers_here = family["publishers"].split("|")
    own = publisher in makers_here
    stranger = f"neither publishes {family['family']} nor is known to repackage it"
    why = f"publishes {family['family']} itself" if own else known["why"] if known else stranger
    trail.append(Step("publisher", f"{publisher}/", why=why))
    if mark:
        trail.append(Step("publisher", mark, why="put before the name by the publisher"))
    if own:
        return []
    if known is None or (mark.endswith("_") and mark[:-1] not in makers_here):
        other = publisher if known is None else mark[:-1]
        said = f"{family['family']} is published by {', '.join(makers_here)}"
        raise UnresolvedError("unknown_publisher", other, said)
    return [f"by_{publisher.replace('-', '_')}"] if known["role"] == "tuner" else []


def _read_words(family: Row, words: list[str], trail: list[Step]) -> tuple[str, Parts]:
    """Sort the words after the family into the base with its lines, params and variants."""
    known = meanings(family["family"], family["base"])
    found: set[str] = set()
    parts: Parts = {}
    at = 0
    while at < len(words):
        for meaning in known.get(words[at], ()):
            phrase, role, word, why, synonym = meaning
            if words[at : at + len(phrase)] == phrase:
                at += len(phrase)
                break
        else:
            word, why, synonym = words[at], "", None
            role = kind_of(word) or "unknown"
            if role == "version":
                word = word.removeprefix("v").replace("_", ".").replace("p", ".")
            at += 1
        if synonym:
            trail.append(Step("added", word, "spelling", synonym["why"], synonym["source"]))
        if role == "line":
            found.add(word)
        else:
            said = parts.setdefault(role, [])
            # A version said twice is not one version: Meta-Llama-3-8B-Instruct-abliterated-v3.
            if word in said and role not in PARAMS:
                continue
            said.append(word)
        trail.append(Step("word", word, role, why))
    if not found:
        return family["base"], parts
    return "-".join([family["base"], *(line for line in lines(family["base"]) if line in found)]), parts
