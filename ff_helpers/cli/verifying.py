"""`ff verify`: is a run's folder still what its crate says, and the same as another build?"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ff_helpers.cli.options import add_command

if TYPE_CHECKING:
    from ff_helpers.cli.options import Commands
    from ff_helpers.pipeline.verify import Difference, Verified


def add_verifying(commands: "Commands") -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "verify",
        _verify,
        line="compare a run's folder with its crate, another build or reference sums",
        about="Compare every file of a run with the hashes in its ro-crate-metadata.json, and its inputs "
        "with this project's. Each difference is listed with its reason; exit code 1 if there is one.",
        example="ff verify outputs/paper --sums outputs/reference/sums.txt",
    )
    parser.add_argument("folder", type=Path, metavar="OUTPUT_DIR", help="the folder of a finished run")
    parser.add_argument(
        "--against", type=Path, metavar="DIR", help="also compare with another build (default: none)"
    )
    parser.add_argument(
        "--sums", type=Path, metavar="FILE", help="also compare with a file of sums (default: none)"
    )
    parser.add_argument(
        "--write-sums", type=Path, metavar="FILE", help="write the run's sums there (default: do not)"
    )
    parser.add_argument("--json", action="store_true", help="for programs (default: for people)")


def _verify(options: argparse.Namespace) -> int:
    from ff_helpers.pipeline.compare import compare_folders, compare_sums, made_with, write_sums
    from ff_helpers.pipeline.verify import verify

    result = verify(options.folder)
    parts: dict[str, list[Difference]] = {f"its crate: {_counted(result)}": list(result.differences)}
    if options.against:
        parts[f"{options.against}"] = compare_folders(options.folder, options.against)
    if options.sums:
        made, found = compare_sums(options.folder, options.sums)
        here = "" if made == made_with() else f"; this is {made_with()}, where bytes can differ"
        parts[f"{options.sums}, made with {made}{here}"] = found
    if options.write_sums and not result.differences:
        write_sums(options.folder, options.write_sums)
    if options.json:
        print(json.dumps({name: [asdict(d) for d in found] for name, found in parts.items()}, indent=1))
    else:
        for name, found in parts.items():
            print(f"{options.folder} against {name}: {len(found)} differences")
            for difference in found:
                print(f"  {difference.name}: {difference.what}: {difference.reason}")
    if options.write_sums and result.differences:
        print(f"ff: {options.write_sums} was not written: the run is not as its crate says.", file=sys.stderr)
    return int(any(parts.values()))


def _counted(result: "Verified") -> str:
    return f"{result.bound} files by hash, {result.pictures} PDFs by name, {result.inputs} inputs"
