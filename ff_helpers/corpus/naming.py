"""The words of a model name: who served it, who published it, its family, and what each word says.

Every function reads one thing, takes it off the name and adds what it did to the trail, a list of `Step`s.
"""

from typing import Final, Literal, NamedTuple, get_args

from ff_helpers.corpus.rules import affixes, families, index, kind_of, lines, makers, meanings, table

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
PARAMS: Final = ("version", "snapshot", "size", "active", "experts")
VARIANTS: Final = ("tuning", "mode", "distilled", "edition", "context", "derivation", "by", "quantized")

Parts = dict[str, list[str]]
Row = dict[str, str]


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


def unwrap(text: str, trail: list[Step]) -> tuple[str, str]:
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


def respell(text: str, trail: list[Step]) -> str:
    """Read a misleading name by its rule, and stop at one that does not name a model."""
    row = index("exact", "name").get((text,))
    if row is None:
        return text
    if row["reason"]:
        raise UnresolvedError(next(r for r in REASONS if r == row["reason"]), text, row["why"])
    trail.append(Step("added", row["read_as"], "spelling", row["why"], row["source"]))
    return row["read_as"]


def split(text: str) -> tuple[str, str, str, list[str]]:
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


def read_family(words: list[str], trail: list[Step]) -> tuple[Row, list[str]]:
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


def check_publisher(family: Row, publisher: str, mark: str, trail: list[Step]) -> list[str]:
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


def read_words(family: Row, words: list[str], trail: list[Step]) -> tuple[str, Parts]:
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
