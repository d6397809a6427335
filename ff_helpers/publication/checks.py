"""The kinds of checks a claim can ask for: a closed set of seven, each a small model in the claims file."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ClaimStatus = Literal[
    "reproduced", "consistent", "not_determinable", "contradicted", "impossible", "not_supported"
]
_STRICT = ConfigDict(extra="forbid", frozen=True)


class Cell(BaseModel):
    """One row of a table of this run: which file, which row, which columns.

    `counts` names the columns with successes and total, where the reader should see them.
    """

    model_config = _STRICT

    table: str
    where: dict[str, str] = {}
    columns: list[str] = Field(min_length=1)
    counts: list[str] | None = Field(default=None, min_length=2, max_length=2)


class Figures(BaseModel):
    """The printed numbers, in order, are the columns of the cells, in order.

    `unit`: `percent` and `plain` say how to write a value; `printed_by` is `source` where the source
    printed the figures itself, `us` where it printed only the counts behind them.
    """

    model_config = _STRICT

    kind: Literal["figures"]
    cells: list[Cell] = Field(min_length=1)
    unit: Literal["percent", "plain"] = "percent"
    printed_by: Literal["source", "us"] = "source"
    not_of: Cell | None = None
    why: str = ""


class Possible(BaseModel):
    """Could any whole numbers have given the printed percentage (and its interval)?

    `times`: the printed percentages must also have this ratio, rounded to a whole number.
    """

    model_config = _STRICT

    kind: Literal["possible"]
    times: int | None = None
    why: str = ""


class Chance(BaseModel):
    """Is the score below chance? `cell` names the columns with successes and total."""

    model_config = _STRICT

    kind: Literal["chance"]
    cell: Cell
    chance: float = Field(gt=0, lt=1)
    why: str = ""


class Parts(BaseModel):
    """Do the parts add up to the printed total, and fit into the errors that `cell` (k, n) leaves?"""

    model_config = _STRICT

    kind: Literal["parts"]
    parts: list[int] = Field(min_length=1)
    cell: Cell
    why: str = ""


class Related(BaseModel):
    """A recomputed value shown next to a figure whose own rows are not published."""

    model_config = _STRICT

    label: str
    cell: Cell
    unit: Literal["percent", "points", "plain"] = "percent"


class Unpublished(BaseModel):
    """The rows behind the figure are not published: `needs` says which."""

    model_config = _STRICT

    kind: Literal["unpublished"]
    needs: str
    related: list[Related] = []


class Order(BaseModel):
    """Is each printed figure larger than the next? One cell each, in the printed order, largest first.

    `counts` of two neighbours give the 95% interval of their difference: whether the rows decide it.
    """

    model_config = _STRICT

    kind: Literal["order"]
    cells: list[Cell] = Field(min_length=2)
    why: str = ""


class Shift(BaseModel):
    """A difference in one denominator; `interval` names the bounds of the paired difference there."""

    model_config = _STRICT

    label: str
    cell: Cell
    interval: list[str] | None = Field(default=None, min_length=2, max_length=2)


class Sign(BaseModel):
    """Does a difference have the printed sign in every denominator that the cells name?"""

    model_config = _STRICT

    kind: Literal["sign"]
    sign: Literal["+", "-"]
    cells: list[Shift] = Field(min_length=1)
    why: str = ""


Check = Figures | Possible | Chance | Parts | Order | Sign | Unpublished
