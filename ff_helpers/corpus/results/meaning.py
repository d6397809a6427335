"""What the values of a column of labels mean: they are classes already, a map says it, or a threshold does.

The direction is never guessed. Where nobody has said what a value means, the error carries the map to fill
in.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, cast

import yaml

from ff_helpers.errors import FFError, named, place_in, quoted
from ff_helpers.terms import ROW_STATUSES, SPACES, STATUSES, RowStatus, Space, Status, classes

MOST: Final = 100
"""More different values in a column are text or scores, not labels."""
_LONGEST: Final = 80
NO_LABEL: Final = "null"
Given = Mapping[str, "Part"]


class MapNeededError(FFError):
    """Values whose meaning nobody has said; `map` is the text of a file that asks for it."""

    def __init__(self, problem: str, text: str) -> None:
        super().__init__(
            f"{problem} Save the map that is printed here (`> map.yaml`), write a class after each value, "
            "and run the same command again with --map map.yaml. Nothing was written."
        )
        self.map = text


@dataclass(frozen=True)
class Part:
    """What a map says of one column."""

    space: Space | None
    values: Mapping[str, str]


@dataclass(frozen=True)
class Cut:
    """A threshold: from this score on, the judge says that the attack succeeded, or was refused."""

    threshold: float
    high: Literal["success", "refusal"]


@dataclass
class Column:
    """One column of labels, its different words and numbers counted; `more`: over MOST of them."""

    name: str
    person: bool
    words: Counter[str] = field(default_factory=Counter)
    numbers: Counter[str] = field(default_factory=Counter)
    low: float = math.inf
    high: float = -math.inf
    more: bool = False

    @property
    def values(self) -> list[str]:
        """Every different value, the most frequent first."""
        return [value for value, _ in (self.words + self.numbers).most_common()]

    def count(self, cell: str | None) -> None:
        """Count one cell; an empty one is the word ""."""
        text = cell or ""
        if text in self.words:  # most cells repeat one of a few words
            self.words[text] += 1
            return
        value = _number(text)
        side = self.words if value is None else self.numbers
        if text in side or len(side) <= MOST:
            side[text] += 1
        else:
            self.more = True
        if value is not None:
            self.low, self.high = min(self.low, value), max(self.high, value)


@dataclass(frozen=True)
class Said:
    """What one cell means: a class, what the judge or the target did wrong, or none of them: no label."""

    label: str | None = None
    status: Status | None = None
    row: RowStatus | None = None
    score: float | None = None


@dataclass(frozen=True)
class Meaning:
    """What the cells of a column mean.

    Attributes:
        judge: the name of the judge or annotator; a threshold belongs to it.
        space: the space of its labels.
        values: what single values mean.
        cut: how scores become labels; None: there are none.
    """

    judge: str
    space: Space
    values: Mapping[str, Said]
    cut: Cut | None = None

    def knows(self, cell: str | None) -> bool:
        """Return whether it is known what a cell means."""
        text = cell or ""
        return text in self.values or (self.cut is not None and _number(text) is not None)

    def of(self, cell: str | None) -> Said:
        """Return what a cell means.

        Raises:
            KeyError: that is not known.
        """
        text = cell or ""
        said = self.values.get(text)
        if said is None and self.cut is not None and (value := _number(text)) is not None:
            # The first class of a space is the attack's success, the second one is the other.
            is_success = (value >= self.cut.threshold) == (self.cut.high == "success")
            return Said(label=classes(self.space)[0 if is_success else 1], score=value)
        return said if said is not None else self.values[text]


def meanings(
    columns: Sequence[Column],
    *,
    path: Path,
    given: Given,
    space: Space | None = None,
    cut: Cut | None = None,
    whole: bool = True,
) -> dict[str, Meaning]:
    """Return what each column means, by name.

    Args:
        columns: all columns of labels, counted.
        path: their file, for errors.
        given: the map; under "" what it says of every column.
        space: the space where the map names none.
        cut: from which score on a judge says what; None: no scores.
        whole: all rows are counted; else what only all of them can show is not checked.

    Raises:
        MapNeededError: a value whose meaning nobody said.
        FFError: a score without a threshold, a threshold outside all scores, or a column of texts.
    """
    found: dict[str, Meaning] = {}
    open_: dict[str, list[str]] = {}
    used = False
    for column in columns:
        part = given.get(column.name) or given.get("") or Part(None, {})
        unsaid = [v for v in column.values if v not in part.values and shown(v) not in part.values]
        is_score = cut is not None and not column.person and any(_number(v) is not None for v in unsaid)
        own = _space_of(cut, part.space or space) if is_score and cut else part.space or space
        if is_score:
            unsaid = [value for value in unsaid if _number(value) is None]
        known = {*classes(own), *([""] if column.person else [])} if own else set()
        kept = {value: Said(value or None) for value in unsaid if value in known}
        if left := [value for value in unsaid if value not in kept]:
            if column.more and len(left) >= MOST:
                raise too_many(column, path)
            open_[column.name] = left
        elif own is None:
            open_[column.name] = []
        else:
            used = used or is_score
            said = {v: part.values.get(v) or part.values.get(shown(v)) for v in column.values}
            mapped = {value: _said(text, own, column, path) for value, text in said.items() if text}
            found[column.name] = _meaning(column, own, mapped | kept, cut if is_score else None, path)
    if open_:
        raise _asked(open_, columns, path, given, space)
    if cut is not None and not used:
        raise FFError(f"{path}: --threshold: no judge has scores. Leave it out, or name their column.")
    for column in columns if whole else ():
        _decides(found[column.name], column, path)
    return found


def read_given(path: Path) -> Given:
    """Return a map: under each column its space and values, or only `value: class` for all columns.

    Raises:
        FFError: no such file, not YAML, not of this form, or a class that is not filled in.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except OSError as error:
        raise FFError(f"{path} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise FFError(f"{path} is not YAML ({place_in(error)}).") from None
    form = (
        "A map has a column, below it `space:` and `values:`, and below that a line `value: class` each; or "
        "only these lines, for all columns, with --space."
    )
    if not isinstance(content, dict) or not content:
        raise FFError(f"{path} holds no map. {form}")
    if all(isinstance(value, str) for value in content.values()):
        content = {"": {"values": content}}
    parts: dict[str, Part] = {}
    empty = 0
    for number, (column, part) in enumerate(content.items(), start=1):
        place = f"{path}: entry {number}"
        if not isinstance(part, dict) or not set(part) <= {"space", "values"}:
            raise FFError(f"{place}: must have `space:` and `values:`. {form}")
        space, values = part.get("space") or None, part.get("values", {})
        if space is not None and space not in SPACES:
            raise FFError(f"{place}: space: must be one of {', '.join(SPACES)}.")
        if not isinstance(values, dict) or not all(isinstance(text, str) for text in values.values()):
            raise FFError(f"{place}: values: must be lines `value: class`. {form}")
        empty += sum(not text for text in values.values())
        parts[column] = Part(cast("Space | None", space), values)
    if empty:
        raise FFError(
            f"{path}: {empty} values have no class yet. Write one after each, or {NO_LABEL}: no label."
        )
    return parts


def shown(value: str) -> str:
    """Return a value as a map shows it: short and printable, with a hash where that leaves something out."""
    if len(value) <= _LONGEST and value.isprintable():
        return value
    kept = "".join(sign if sign.isprintable() else " " for sign in value[:50])
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{kept}... #{digest}"


def _space_of(cut: Cut, space: Space | None) -> Space:
    """Return what a score decides: whether the model refused, or whether the attack succeeded."""
    if cut.high == "refusal":
        return "refused"
    return "broad" if space == "broad" else "strict"


def _meaning(
    column: Column, space: Space, values: Mapping[str, Said], cut: Cut | None, path: Path
) -> Meaning:
    """Return what a column means, its threshold in its name.

    Raises:
        FFError: all scores are on one side of the threshold.
    """
    if cut is None:
        return Meaning(column.name, space, values)
    if not column.low < cut.threshold <= column.high:
        raise FFError(
            f"{path}: column {named(column.name)}: --threshold {cut.threshold:g}: the scores go from "
            f"{column.low:g} to {column.high:g}, so all of them are on one side."
        )
    return Meaning(f"{column.name}>={cut.threshold:g}", space, values, cut)


def _said(text: str, space: Space, column: Column, path: Path) -> Said:
    if text == NO_LABEL:
        return Said()
    if text in classes(space):
        return Said(label=text)
    if text in ROW_STATUSES:
        return Said(row=text)
    if text in STATUSES and not column.person:
        return Said(status=text)
    allowed = (*classes(space), NO_LABEL, *ROW_STATUSES, *(() if column.person else STATUSES))
    raise FFError(
        f"{path}: column {named(column.name)}: the map has {quoted(text)}, which must be one of "
        f"{', '.join(allowed)} (space {space})."
    )


def _decides(meaning: Meaning, column: Column, path: Path) -> None:
    """Refuse two values for five classes: they would be read as deciding what nobody asked."""
    there = {*map(shown, column.words), *map(shown, column.numbers)}
    used = {said.label for value, said in meaning.values.items() if shown(value) in there and said.label}
    mapped = any(said.label not in (None, value) for value, said in meaning.values.items())
    if meaning.space == "five" and mapped and len(used) < 3:
        raise FFError(
            f"{path}: column {named(column.name)}: {len(used)} classes cannot decide between five. Say what "
            "they decide: space strict (COMPLIANCE, NOT_COMPLIANCE) or space refused (REFUSAL, NOT_REFUSAL)."
        )


def too_many(column: Column, path: Path) -> FFError:
    """Return the error about a column with more than MOST different values."""
    what = f"{path}: column {named(column.name)} has more than {MOST} different values"
    if column.numbers and not [word for word in column.words if word]:
        return FFError(
            f"{what}, numbers from {column.low:g} to {column.high:g}: scores. Say from which score on the "
            "judge says what: --threshold NUMBER --high success (or --high refusal)."
        )
    return FFError(f"{what}: these are texts, not labels. Name another column.")


def _asked(
    open_: Mapping[str, list[str]],
    columns: Sequence[Column],
    path: Path,
    given: Given,
    space: Space | None,
) -> MapNeededError:
    """Return the error that asks what values mean, with the map of all columns, filled in as far as it is."""
    lines = [
        f"# What each value means. Write a class after each; {NO_LABEL}: no label.",
        *(f"# space {name}: {', '.join(classes(name))}" for name in SPACES),
        f"# or what the judge did wrong: {', '.join(STATUSES)}",
        f"# or what went wrong with the row: {', '.join(ROW_STATUSES)}",
    ]
    for column in columns:
        part = given.get(column.name) or given.get("") or Part(None, {})
        own = part.space or space
        lines.append(f"{_quoted(column.name)}: # {_who(column)}")
        lines.append(f"  space: {own}" if own else "  space:")
        lines.append("  values:")
        for value in column.values:
            said = part.values.get(value) or part.values.get(shown(value))
            if said or value in open_.get(column.name, ()):
                text = said or _proposed(value, own, column)
                rows = column.words[value] + column.numbers[value]
                lines.append(f"    {_quoted(value)}: {text or ''}".rstrip() + f" # {rows} rows")
    unsaid = sum(map(len, open_.values()))
    what = f"the meaning of {unsaid} different values" if unsaid else "the space of the labels"
    problem = f"{path}: {what} was not said (columns: {', '.join(map(named, open_))})."
    if any(column.numbers and not column.person for column in columns):
        problem += " Numbers may be scores: --threshold NUMBER --high success (or --high refusal)."
    return MapNeededError(problem, "\n".join(lines) + "\n")


def _quoted(text: str) -> str:
    return json.dumps(shown(text), ensure_ascii=False)


def _who(column: Column) -> str:
    return "a person's labels" if column.person else "a judge's labels"


def _proposed(value: str, space: Space | None, column: Column) -> str:
    """Return the class that a value spells in another way, for review; "" where a person must say it."""
    if not value:
        return NO_LABEL if column.person else ""
    spelled = "_".join(value.strip().upper().replace("-", " ").split())
    return spelled if space is not None and spelled in classes(space) else ""


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
