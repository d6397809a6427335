"""The kinds of checks a claim can ask for: a closed set of seven, each a small model in the claims file."""

from typing import Literal

from pydantic import Field

from ff_helpers.corpus.jsonl import Closed

ClaimStatus = Literal[
    "reproduced", "consistent", "not_determinable", "contradicted", "impossible", "not_supported"
]


class _Check(Closed):
    why: str = ""


class Cell(Closed):
    """One row of a table of this run: which file, which row, which columns.

    `counts` names the columns with successes and total, where the reader should see them.
    """

    table: str
    where: dict[str, str] = Field(default={})
    columns: list[str] = Field(min_length=1)
    counts: list[str] | None = Field(default=None, min_length=2, max_length=2)


class Figures(_Check):
    """The printed numbers, in order, are the columns of the cells, in order.

    `unit`: `percent` and `plain` say how to write a value; `printed_by` is `source` where the source
    printed the figures itself, `us` where it printed only the counts behind them.
    """

    kind: Literal["figures"]
    cells: list[Cell] = Field(min_length=1)
    unit: Literal["percent", "plain"] = "percent"
    printed_by: Literal["source", "us"] = "source"
    not_of: Cell | None = None


class Possible(_Check):
    """Could any whole numbers have given the printed percentage (and its interval)?

    `times`: the printed percentages must also have this ratio, rounded to a whole number.
    """

    kind: Literal["possible"]
    times: int | None = None


class Chance(_Check):
    """Is the score below chance? `cell` names the columns with successes and total."""

    kind: Literal["chance"]
    cell: Cell
    chance: float = Field(gt=0, lt=1)


class Parts(_Check):
    """Do the parts add up to the printed total, and fit into the errors that `cell` (k, n) leaves?"""

    kind: Literal["parts"]
    parts: list[int] = Field(min_length=1)
    cell: Cell


class Related(Closed):
    """A recomputed value shown next to a figure whose own rows are not published."""

    label: str
    cell: Cell
    unit: Literal["percent", "points", "plain"] = "percent"


class Unpublished(Closed):
    """The rows behind the figure are not published: `needs` says which."""

    kind: Literal["unpublished"]
    needs: str
    related: list[Related] = Field(default=[])


class Order(_Check):
    """Is each printed figure larger than the next? One cell each, in the printed order, largest first.

    `counts` of two neighbours give the 95% interval of their difference: whether the rows decide it.
    """

    kind: Literal["order"]
    cells: list[Cell] = Field(min_length=2)


class Shift(Closed):
    """A difference in one denominator; `interval` names the bounds of the paired difference there."""

    label: str
    cell: Cell
    interval: list[str] | None = Field(default=None, min_length=2, max_length=2)


class Sign(_Check):
    """Does a difference have the printed sign in every denominator that the cells name?"""

    kind: Literal["sign"]
    sign: Literal["+", "-"]
    cells: list[Shift] = Field(min_length=1)


Check = Figures | Possible | Chance | Parts | Order | Sign | Unpublished
