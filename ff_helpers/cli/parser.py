"""The parser of `ff`, built from `commands.yaml`: a new command is an entry there and a function here."""

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Final

import yaml

from ff_helpers import __version__
from ff_helpers.corpus import stores
from ff_helpers.errors import FFError
from ff_helpers.grading.clusters import check_address
from ff_helpers.grading.shards import BadShardError, Shard, read_shard

_SAID: Final = ("run", "interrupted", "elsewhere")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; the options of each name its function as `run`."""
    text = Path(__file__).with_name("commands.yaml").read_text(encoding="utf-8")
    content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    top = argparse.ArgumentParser(prog="ff", description=content["about"], epilog=content["epilog"])
    top.add_argument("--version", action="version", version=f"ff {__version__}")
    top.set_defaults(
        lasting=False, commands=tuple(content["commands"]), **{key: content[key] for key in _SAID[1:]}
    )
    todo = [(top, content["commands"], "command")]
    for above, commands, word in todo:
        places = above.add_subparsers(title=f"{word}s", required=True, metavar=word.upper())
        for name, said in commands.items():
            epilog = f"example: {said['example']}" if "example" in said else None
            one = places.add_parser(name, help=said["line"], description=said["about"], epilog=epilog)
            own = {key: said[key] for key in _SAID if key in said}
            one.set_defaults(**own, **({"lasting": True} if "interrupted" in said else {}))
            if "actions" in said:
                todo.append((one, said["actions"], "action"))
            groups = {key: one.add_argument_group(*words) for key, words in said.get("groups", {}).items()}
            defaults: dict[str | None, dict[str, object]] = {None: {}} | {key: {} for key in groups}
            for flag, described in said.get("options", {}).items():
                keywords = dict(described or content["shared"][flag])
                group = keywords.pop("group", None)
                if group == "exclusive" and group not in groups:
                    groups[group] = one.add_mutually_exclusive_group()
                if "type" in keywords:
                    keywords["type"] = TYPES[keywords["type"]]
                if keywords.get("nargs") == "+" and flag.startswith("-") and not keywords.get("default"):
                    keywords["action"] = "extend"  # an option that is given twice keeps what it said first
                added = groups.get(group, one).add_argument(flag, **keywords)
                defaults.setdefault(group, {})[added.dest] = added.default
            one.set_defaults(defaults=defaults)
    return top


def read(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of a command line; a command such as `ledger merge` has two words."""
    top, words = parser(), list(sys.argv[1:] if arguments is None else arguments)
    if " ".join(words[:2]) in top.get_default("commands"):
        words[:2] = [" ".join(words[:2])]
    return top.parse_args(words)


def run(options: argparse.Namespace) -> int:
    """Run the command that was chosen; its module is loaded only now."""
    module, _, name = options.run.partition(":")
    return int(getattr(import_module(f"ff_helpers.cli.{module}"), name)(options))


def count(text: str) -> int:
    """Read a positive integer."""
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
    return int(text)


def seconds(text: str) -> float:
    """Read a positive number of seconds."""
    value = number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of seconds")
    return value


def number(text: str) -> float:
    """Read a number of 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 0 or more")
    return value


def share(text: str) -> float:
    """Read a share from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share from 0 to 1: write 0.05 for 5%")
    return value


def grader(text: str) -> str:
    """Read a grader: the ledger of `recorded:LEDGER` is looked up in the current folder first."""
    kind, _, name = text.partition(":")
    is_here = kind == "recorded" and name and Path(name).exists()
    return f"recorded:{Path(name).absolute()}" if is_here else text


def shard(text: str) -> Shard:
    """Read one of several shards, 3/16."""
    try:
        return read_shard(text)
    except BadShardError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def path(text: str) -> Path:
    """Read a path on this machine; an address in an object store is refused."""
    try:
        stores.check_local(text)
    except FFError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return Path(text)


def source(text: str) -> Path:
    """Read where something is read from: a path, or an address in an object store."""
    try:
        return stores.input_path(text)
    except FFError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def cluster(text: str) -> str:
    """Read the address of a cluster."""
    try:
        return check_address(text)
    except FFError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def day(text: str) -> date:
    """Read a date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date: write YYYY-MM-DD") from None


def named(text: str) -> tuple[str, str]:
    """Read what a recorded name stands for."""
    recorded, equals, name = text.partition("=")
    if not (recorded and equals and name):
        raise argparse.ArgumentTypeError(f"{text!r} is not RECORDED=NAME")
    return recorded, name


_READ: Final = (path, source, count, seconds, number, share, grader, shard, cluster, day, named, int, float)
TYPES: Final[dict[str, Callable[[str], object]]] = {one.__name__: one for one in _READ}
"""Functions that read the text of an option, by their names in `commands.yaml`."""
