"""The claims of a finished profile, in words: the table, one claim, and what is not as expected."""

import json
from collections import Counter
from pathlib import Path

from ff_helpers import paths
from ff_helpers.errors import FFError
from ff_helpers.paths import MissingInputError

Claim = dict[str, str]
BEGIN, END = "<!-- claims:begin -->", "<!-- claims:end -->"
"""The marks around the generated table of ARTIFACT.md."""


def claims_path(profile: str) -> Path:
    """Return where a profile wrote its claims.

    Raises:
        MissingInputError: it has not run yet.
    """
    path = paths.outputs() / profile / "claims.json"
    if not path.exists():
        raise MissingInputError(path, f"Run `ff run params/{profile}.yaml` first.")
    return path


def read(profile: str) -> list[Claim]:
    """Return the claims that a profile checked, every field as text; raises as `claims_path`."""
    rows = json.loads(claims_path(profile).read_text(encoding="utf-8"))["claims"]
    return [{key: "" if value is None else str(value) for key, value in row.items()} for row in rows]


def disclosure(profile: str) -> str:
    """Return the graders behind the published figures, in one sentence; raises as `claims_path`."""
    return str(json.loads(claims_path(profile).read_text(encoding="utf-8"))["disclosure"])


def outdated(profile: str, claims: str, claims_sha256: str) -> list[str]:
    """Return in words why a profile's written claims do not match the current claims file.

    Args:
        profile: whose claims.json.
        claims: the name of the claims file.
        claims_sha256: its digest.
    """
    said, place = [], claims_path(profile)
    if json.loads(place.read_text(encoding="utf-8")).get("claims_file_sha256") != claims_sha256:
        said.append(f"{claims} is not the file that was checked: run `ff run params/{profile}.yaml`")
    manifest = place.with_name("manifest.json")
    unfinished = json.loads(manifest.read_text(encoding="utf-8"))["unfinished"] if manifest.exists() else []
    if unfinished:
        said.append(f"the run did not finish ({', '.join(unfinished)}): the claims shown may be older")
    return said


def claim_counts(profile: str) -> "Counter[str]":
    """Return how many of a profile's claims have which status; empty if it checks no claims."""
    there = (paths.outputs() / profile / "claims.json").exists()
    return Counter(claim["status"] for claim in (read(profile) if there else ()))


def markdown(claims: list[Claim]) -> str:
    """Return the table as Markdown: claim, expected, observed, status, how to see it."""
    lines = ["| claim | published | observed | status | from | command |", "|---|---|---|---|---|---|"]
    for claim in claims:
        cells = [
            claim["says"], claim["published"], claim["recomputed"], words(claim["status"]),
            f"`{claim['step']}`, `{claim['file']}`", f"`ff claims --id {claim['id']}`",
        ]  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines)


def write_between_marks(path: Path, text: str) -> None:
    """Put a text between the marks of a Markdown file.

    Raises:
        FFError: the file has no marks.
    """
    content = path.read_text(encoding="utf-8")
    if BEGIN not in content or END not in content.split(BEGIN, 1)[1]:
        raise FFError(f"{path}: no line {BEGIN} with {END} after it. Put both where the table should be.")
    before, rest = content.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def unexpected(claims: list[Claim], expected: dict[str, str | None]) -> list[str]:
    """Return in words each claim whose status is not the one that the claims file expects.

    A claim without an expectation only has to exist.
    """
    found = {claim["id"]: claim["status"] for claim in claims}
    said = [
        f"{name}: expected {words(wanted or 'any status')}, found {words(found.get(name, 'no such claim'))}"
        for name, wanted in expected.items()
        if name not in found or wanted not in (None, found[name])
    ]
    return said + [f"{name}: not in the claims file" for name in found if name not in expected]


def words(status: str) -> str:
    """Return a status in words."""
    return status.replace("_", " ")
