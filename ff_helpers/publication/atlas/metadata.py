"""What is known about each model besides verdicts: licence, family, parameters, provider; with its source.

Hand-checked, in `data/models/metadata.csv`. Anything unconfirmed is `unknown` there and stays unknown here.
"""

import csv
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ff_helpers import paths
from ff_helpers.corpus.jsonl import BadLineError, FileMissingError
from ff_helpers.errors import quoted

LicenceKind = Literal["open_source", "own_terms", "non_commercial", "proprietary", "unknown"]


class ModelFacts(BaseModel):
    """One row of the metadata file.

    Attributes:
        model: canonical id, or the name that did not resolve.
        family, provider: their common names; `unknown` where not known.
        parameters_b, active_b: billions of parameters, in all and active at a time; None where not stated.
        weights: whether they can be downloaded.
        licence: SPDX id, or the licence's own name.
        licence_kind: what kind of licence that is.
        report: whether the maker has published a model card or a technical report.
        source: where this is stated.
        checked: the day it was checked.
        note: what is doubtful; may be empty.
        basis: `page`: a page that says so was read; `known`: general knowledge, the page named was not
            read; `none`: nothing was found.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(min_length=1)
    family: str = Field(min_length=1)
    provider: str = Field(min_length=1)
    parameters_b: float | None = Field(default=None, gt=0)
    active_b: float | None = Field(default=None, gt=0)
    weights: Literal["open", "closed", "unknown"]
    licence: str = Field(min_length=1)
    licence_kind: LicenceKind
    report: Literal["yes", "no", "unknown"]
    source: str = Field(min_length=1)
    checked: date
    note: str
    basis: Literal["page", "known", "none"]


def model_facts(path: Path | None = None) -> dict[str, ModelFacts]:
    """Return the known models by name (default: `data/models/metadata.csv`).

    Raises:
        FileMissingError: there is no such file.
        BadLineError: an invalid or duplicate row, named file:line:field.
    """
    path = path or paths.data() / "models" / "metadata.csv"
    if not path.is_file():
        raise FileMissingError(path, "model metadata")
    known: dict[str, ModelFacts] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            given = {key: value for key, value in row.items() if value or not key.endswith("_b")}
            try:
                facts = ModelFacts.model_validate(given)
            except ValidationError as error:
                first = error.errors(include_url=False, include_context=False)[0]
                field = ".".join(map(str, first["loc"]))
                raise BadLineError(path, reader.line_num, field, first["msg"]) from None
            if facts.model in known:
                raise BadLineError(path, reader.line_num, "model", f"{quoted(facts.model)} is listed already")
            known[facts.model] = facts
    return known
