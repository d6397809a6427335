"""The templates and the words of pages, with the one style sheet: no scripts, fonts or outside addresses."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, TypeVar

import yaml
from markupsafe import Markup
from pydantic import TypeAdapter

if TYPE_CHECKING:
    from jinja2 import Environment

T = TypeVar("T")
TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: object) -> str:
    """Return a page from a template; every value is escaped, a name without a value is an error.

    A template calls `shipped` for the style sheets and scripts that it holds, `hash` for a script's in its
    policy.
    """
    return _environment().get_template(template).render(values)


def filled(template: str, **values: str) -> str:
    """Return a template with its `$names` filled in as they are: for TeX, and for HTML escaped already."""
    return Template((TEMPLATES / template).read_text(encoding="utf-8")).substitute(values)


def read_words(name: str, kind: type[T], folder: Path = TEMPLATES) -> T:
    """Return the content of a folder's <name>.yaml, words that people read, as a type."""
    return TypeAdapter(kind).validate_python(_content(folder / f"{name}.yaml"))


def write_page(path: Path, text: str) -> None:
    """Write a page with the same bytes on every system."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"shipped": _shipped, "hash": _hash}
    return environment


def _shipped(pattern: str) -> Markup:
    """Return the files of the templates' folder with such a name, joined; ours, so nothing is escaped."""
    parts = sorted(TEMPLATES.glob(pattern))
    return Markup("\n").join(Markup(part.read_text(encoding="utf-8")) for part in parts)


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _content(path: Path) -> object:
    content: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content
