"""Registries: a name, the function behind it, and how it is written; imported on first use."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True)
class Entry:
    """One registered kind of thing.

    Attributes:
        place: `module:function` that makes it.
        form: how people write it, as errors list it, such as `ollama:TAG`; a form with a colon requires
            a name after it.
    """

    place: str
    form: str

    def load(self) -> object:
        """Return the function, its module imported."""
        module, _, name = self.place.partition(":")
        return getattr(import_module(module), name)


def chosen(spec: str, registry: Mapping[str, Entry]) -> tuple[Entry, str] | None:
    """Return the entry that a spec (`KIND` or `KIND:NAME`) names, and its NAME; None if nothing matches."""
    kind, _, name = spec.partition(":")
    entry = registry.get(kind)
    if entry is None or bool(name) != (":" in entry.form) or (":" in spec and not name):
        return None
    return entry, name


def forms(*registries: Mapping[str, Entry]) -> str:
    """Return what can be written, for an error."""
    return ", ".join(entry.form for registry in registries for entry in registry.values())
