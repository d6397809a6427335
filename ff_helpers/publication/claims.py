"""Published figures and recomputed ones: every claim of a claims file, checked.

A claim says how to recompute it (`check`), from which files of this run. Its status follows from the
check alone; what the claims file expects, and the counts it repeats, are never read here.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Literal

import pandas as pd
import yaml
from pydantic import BaseModel, Field, ValidationError

from ff_helpers import paths
from ff_helpers.corpus.jsonl import Closed
from ff_helpers.errors import FFError, named, place_in, quoted
from ff_helpers.formats import refuse_newer
from ff_helpers.measurement.results import GraderNote, Terms, stated
from ff_helpers.paths import Run
from ff_helpers.publication.checks import Check, ClaimStatus
from ff_helpers.publication.derive import disclose
from ff_helpers.publication.findings import find
from ff_helpers.publication.pages import write_page
from ff_helpers.publication.prose import Prose, say
from ff_helpers.terms import Unknown

NAMED_ELSEWHERE: Final = Unknown("graders", "named in the tables that each row was read from")


class Claim(Closed):
    """A published figure and how to recompute it.

    `expect`, `counts` and `note` are for people and for the test that compares them; no check reads them.
    """

    id: str = Field(min_length=1)
    says: str
    value: str
    source: str | list[str]
    check: Check = Field(discriminator="kind")
    expect: ClaimStatus | None = None
    counts: str | None = None
    note: str | None = None


class _File(BaseModel):
    format_version: Literal[1] = 1
    sources: dict[str, str]
    claims: list[Claim]


def read_claims(path: Path) -> tuple[dict[str, str], list[Claim]]:
    """Return the sources (key: full name) and the claims of a claims file.

    Raises:
        FFError: no such file, not YAML, or a claim with a missing, unknown or wrong field, a duplicate id, or
            a source that is not listed; names file, claim and field.
    """
    content: dict[str, list[object]] = {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        file = _File.model_validate(content)
    except FileNotFoundError:
        raise _bad(path, "no such file") from None
    except yaml.YAMLError as error:
        raise _bad(path, f"not YAML: {place_in(error)}") from None
    except ValidationError as error:
        refuse_newer(path, content)
        first = error.errors(include_url=False)[0]
        problem = first["msg"]
        if first["type"] == "union_tag_invalid":  # the only message that quotes what it found
            problem = f"the kind must be one of {first['ctx']['expected_tags']}"
        name, field = "", first["loc"]
        if len(field) > 1 and field[0] == "claims":
            raw = content["claims"][int(field[1])]
            name = f"number {int(field[1]) + 1}"
            name, field = str(raw.get("id", name)) if isinstance(raw, dict) else name, field[2:]
        parts = ".".join(named(str(part)) for part in field)
        raise _bad(path, problem, claim=name, field=parts) from None
    for number, claim in enumerate(file.claims):
        if claim.id in [other.id for other in file.claims[:number]]:
            raise _bad(path, "another claim has this id", claim=claim.id, field="id")
        for source in _sources(claim):
            if source not in file.sources:
                problem = f"{quoted(source)} is not listed under `sources`"
                raise _bad(path, problem, claim=claim.id, field="source")
    return file.sources, file.claims


def check_claims(
    run: Run, *, path: Path, graders: Sequence[GraderNote] | Unknown = NAMED_ELSEWHERE
) -> pd.DataFrame:
    """Check every claim against the files of this run, and write claims.json.

    Args:
        run: whose files are read.
        path: the claims file.
        graders: who graded the published figures, as disclosed in claims.json.

    Returns:
        One row per claim, in the order of the file: id, says, published, recomputed, off_by (percentage
        points, or the unit of the figure; recomputed minus published before rounding), finding, reason,
        source, file (the files that were read), step (the notebook that wrote them), all str.

    Raises:
        FFError: a malformed claims file, or a check that does not fit the files.
        MissingInputError: a step has not written its table yet.
    """
    sources, claims = read_claims(path)
    rows, steps = [], steps_of(run.profile)
    for claim in claims:
        found = find(claim.check, value=claim.value, place=claim.id, run=run)
        row = {"id": claim.id, "says": claim.says, "published": claim.value} | asdict(found)
        del row["files"]
        row["source"] = "; ".join(sources[source] for source in _sources(claim))
        row["file"] = ", ".join(found.files) or "none: the printed figure alone"
        read = found.files or ("claims.json",)
        row["step"] = ", ".join(dict.fromkeys(_step(name, steps) for name in read))
        rows.append(row)
    table = pd.DataFrame(rows).rename(columns={"difference": "off_by", "status": "finding"})
    table = stated(table, claims_terms(graders))
    content = {
        "as_of": run.as_of.isoformat(),
        "disclosure": disclose(run, table).sentence(),
        "claims_file_sha256": claims_sha256(path),
        "claims": rows,
    }
    write_page(run.write("claims.json"), json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return table


def claims_sha256(path: Path) -> str:
    """Return the digest of a claims file: which claims were checked."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def claims_terms(graders: Sequence[GraderNote] | Unknown) -> Terms:
    """Return the terms of the claims: the graders behind the published figures."""
    return Terms(
        graders=graders if isinstance(graders, Unknown) else tuple(graders),
        tiers=("as each claim says",),
        denominators=("as each claim says",),
        counts="in the recomputed figure, k of n",
        left_out="in the tables that each claim reads",
    )


def steps_of(profile: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return each step of a profile with the files that it declares to write; nothing without a profile."""
    path = paths.params() / f"{profile}.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return [(str(s["notebook"]), tuple(s.get("outputs", ()))) for s in content.get("steps", ())]


def _step(name: str, steps: list[tuple[str, tuple[str, ...]]]) -> str:
    return next(
        (step for step, made in steps if any(fnmatchcase(name, m) for m in made)), "not in the profile"
    )


def claims_summary(table: pd.DataFrame) -> Prose:
    """Return in words how many claims have which finding, most frequent first."""
    counts = table["finding"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    listed = ", ".join(f"{n} {str(status).replace('_', ' ')}" for status, n in counts.items())
    return say("Of {n} published figures: {listed}.", n=len(table), listed=listed)


def _sources(claim: Claim) -> list[str]:
    return [claim.source] if isinstance(claim.source, str) else claim.source


def _bad(path: Path, problem: str, *, claim: str = "", field: str = "") -> FFError:
    parts = (claim and f"claim {named(claim)}", field and f"field {field}")
    place = ", ".join(part for part in parts if part)
    return FFError(
        f"{path}: {place + ': ' if place else ''}{problem}. "
        f"Correct it there, or `git checkout -- {path}` brings the last version back."
    )
