"""What is asked of a reader and which reader it is: by these a file is known to have been imported before."""

import hashlib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

from ff_helpers.corpus.results import READERS


class Heard(Mapping[str, str]):
    """Options that remember which of them a reader asked for."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given, self.asked = given, set[str]()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._given[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)

    @property
    def unheard(self) -> tuple[str, ...]:
        """The names of those that it did not ask for."""
        return tuple(sorted(self._given.keys() - self.asked))


def sha256_of(path: Path) -> str:
    """Return the hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def asked_of(options: Mapping[str, str]) -> dict[str, str]:
    """Return the options as the account keeps them: a map by the hash of its file."""
    kept = dict(options)
    if "map" in kept and Path(kept["map"]).is_file():
        kept["map"] = f"{Path(kept['map']).name} sha256:{sha256_of(Path(kept['map']))}"
    return kept


def version_of(tool: str) -> str:
    """Return which reader reads a tool's files: its name and the hash of its module."""
    module = import_module(READERS[tool].place.partition(":")[0])
    return f"{tool}@{sha256_of(Path(str(module.__file__)))[:12]}"
