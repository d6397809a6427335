"""The account of an import, `import.json`: what went in, what came out, and every status counted.

The sums are checked when it is made and when it is read: an account that does not add up is an error.
"""

import re
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from ff_helpers.corpus.jsonl import Closed
from ff_helpers.errors import FFError
from ff_helpers.formats import update
from ff_helpers.terms import RowStatus, Space

ACCOUNT: Final = "import.json"
Counts = dict[str, int]


class Input(Closed):
    """One file that was read.

    Rows in are rows added and rows that were there already; of all of them, `plain` have no status.

    Attributes:
        file: its name, without its folder.
        reader: the tool, and the hash of the module that read it.
        options: what was asked of the reader; a map file by its hash.
        unused: the names of those that it has no use for.
        prefix: what stands before an id of this file that another file's row has already; None: none needed.
        statuses: rows with a status, by status.
        unlabelled: rows that a person could have labelled and nobody did; None: the file holds no labels.
        truths: rows added with a truth.
        later: labels of rows that were there already.
    """

    file: str
    sha256: str
    bytes: int = Field(ge=0)
    tool: str
    version: str | None = None
    reader: str
    direction: str
    notes: tuple[str, ...] = ()
    options: dict[str, str] = Field(default_factory=dict)
    unused: tuple[str, ...] = ()
    prefix: str | None = None
    rows_in: int = Field(ge=0)
    added: int = Field(ge=0)
    already: int = Field(ge=0)
    prefixed: int = Field(ge=0)
    plain: int = Field(ge=0)
    statuses: dict[RowStatus, int] = Field(default_factory=dict)
    unlabelled: int | None = None
    truths: int = Field(default=0, ge=0)
    later: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.rows_in != self.added + self.already:
            raise ValueError("rows_in: must be added + already")
        if self.rows_in != self.plain + sum(self.statuses.values()):
            raise ValueError("rows_in: must be plain + all statuses")
        return self


class JudgeCounts(Closed):
    """One judge and its ledger; `superseded` records were corrected and stand no longer."""

    judge: str
    file: str
    space: Space
    model: str | None = None
    version: str | None = None
    records: int = Field(ge=0)
    labels: Counts = Field(default_factory=dict)
    statuses: Counts = Field(default_factory=dict)
    superseded: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.records != sum(self.labels.values()) + sum(self.statuses.values()):
            raise ValueError("records: must be all labels + all statuses")
        return self


class AnnotatorCounts(Closed):
    """One person's labels in one space; `no_opinion`: rows in which they gave none."""

    annotator: str
    space: Space
    labels: Counts = Field(default_factory=dict)
    no_opinion: int = Field(default=0, ge=0)


class Agreement(Closed):
    """How far people agree in one space, on the rows that two or more of them labelled.

    `agree` of `rows` have one label from everybody; `no_majority` have no label that more than half gave.
    """

    space: Space
    rows: int = Field(ge=0)
    agree: int = Field(ge=0)
    no_majority: int = Field(ge=0)


class Ignored(Closed):
    """A file of a folder that was not read."""

    file: str
    why: str


class Account(Closed):
    """Everything that was imported into one folder.

    `later_truths`: rows that got their truth after they had been added, from labels of later files.
    """

    format: Literal["ff-import@1"] = "ff-import@1"
    software: str
    inputs: tuple[Input, ...] = ()
    left: tuple[Ignored, ...] = ()
    rows: int = Field(default=0, ge=0)
    judges: tuple[JudgeCounts, ...] = ()
    annotators: tuple[AnnotatorCounts, ...] = ()
    agreement: tuple[Agreement, ...] = ()
    later_truths: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.rows != sum(one.added for one in self.inputs):
            raise ValueError("rows: must be the rows added from all inputs")
        return self

    def text(self) -> str:
        """Return it as `import.json` holds it."""
        return self.model_dump_json(indent=1, exclude_none=True) + "\n"


def read_account(folder: Path) -> Account | None:
    """Return the account of a folder; None where nothing was imported yet.

    Raises:
        FFError: it is not one, or holds traces that no import wrote.
    """
    path = folder / ACCOUNT
    if not path.exists():
        if (folder / "traces.jsonl").exists() or (folder / "labels.csv").exists():
            raise FFError(
                f"{folder} holds traces.jsonl or labels.csv without {ACCOUNT}: no import wrote them. "
                "Nothing was changed: name another folder with --out."
            )
        return None
    try:
        return Account.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        found = re.search(rb'"format"\s*:\s*"ff-import@(\d+)"', path.read_bytes())
        if found and int(found[1]) > 1:
            raise FFError(f"{path}:format: {update(int(found[1]), 1)}") from None
        raise FFError(
            f"{path}:{field}: {first['msg'].removeprefix('Value error, ')}. It must be the account that "
            "`ff import` wrote. Nothing was changed: name another folder with --out."
        ) from None
