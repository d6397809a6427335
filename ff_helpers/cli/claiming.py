"""`ff claims`: every published figure beside the recomputed one."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ff_helpers.cli.options import add_command, shown

if TYPE_CHECKING:
    from ff_helpers.cli.options import Commands


def add_claims(commands: "Commands") -> None:
    """Add the command to the parser."""
    claims = add_command(
        commands,
        "claims",
        _claims,
        line="every published figure beside the recomputed one",
        about="Print every published figure beside the one that the profile paper recomputed, with the "
        "reason where they differ, and the step and file that it comes from. The table is also written as "
        "Markdown.",
        example="ff claims --json > claims.json",
    )
    claims.add_argument("--id", metavar="ID", help="one claim with all its fields (default: all claims)")
    claims.add_argument("--json", action="store_true", help="the claims file as it is (default: a table)")
    claims.add_argument(
        "--strict",
        action="store_true",
        help="exit code 1 if a status is not the one that params/claims.yaml expects, or if that file "
        "changed since, or the run did not finish (default: 0)",
    )
    claims.add_argument(
        "--artifact",
        type=Path,
        metavar="FILE",
        help="put the table between the marks of a Markdown file (default: outputs/claims.md is written)",
    )


def _claims(options: argparse.Namespace) -> int:
    from ff_helpers import paths
    from ff_helpers.casestudy.claims import PROFILE
    from ff_helpers.pipeline import claims_text as text

    claims = text.read(PROFILE)
    if options.json:
        print(text.claims_path(PROFILE).read_text(encoding="utf-8").rstrip())
    elif options.id:
        print(text.one(claims, options.id))
    else:
        print(text.table(claims))
    if options.artifact:
        text.write_between_marks(options.artifact, text.markdown(claims))
    elif not options.json and not options.id:
        # Beside the run's folder, which holds nothing that the run did not write.
        path = paths.outputs() / "claims.md"
        written = f"{text.markdown(claims)}\n\n{text.disclosure(PROFILE)}\n"
        path.write_text(written, encoding="utf-8", newline="\n")
        print(f"written: {path}")
    return _compared(claims, options) if options.strict else 0


def _compared(claims: list[dict[str, str]], options: argparse.Namespace) -> int:
    """Print what is not as expected, of one claim if only one is asked for; stdout is left to JSON."""
    from ff_helpers.casestudy.claims import PROFILE, shipped_claims
    from ff_helpers.pipeline import claims_text as text
    from ff_helpers.publication.claims import claims_sha256, read_claims

    path = shipped_claims()
    expected: dict[str, str | None] = {claim.id: claim.expect for claim in read_claims(path)[1]}
    if options.id:
        expected = {name: status for name, status in expected.items() if name == options.id}
        claims = [claim for claim in claims if claim["id"] == options.id]
    wrong = text.unexpected(claims, expected) + text.outdated(PROFILE, shown(path), claims_sha256(path))
    place = sys.stderr if options.json else sys.stdout
    print("every status is as expected" if not wrong else "not as expected:", file=place)
    for line in wrong:
        print(f"  {line}", file=place)
    return int(bool(wrong))
