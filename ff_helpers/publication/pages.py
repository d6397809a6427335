"""The templates and the words of pages, with the one style sheet: no scripts, fonts or outside addresses."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import yaml
from markupsafe import Markup
from pydantic import TypeAdapter

if TYPE_CHECKING:
    from jinja2 import Environment

T = TypeVar("T")
TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: object) -> str:
    """Return a page from a template; every value is escaped, a name without a value is an error."""
    # Our own style sheet, not foreign text: `>` in its selectors must stay.
    css = Markup((TEMPLATES / "report.css").read_text(encoding="utf-8"))
    return _environment().get_template(template).render({"css": css} | values)


def read_words(name: str, kind: type[T], folder: Path = TEMPLATES) -> T:
    """Return the content of a folder's <name>.yaml, words that people read, as a type."""
    return TypeAdapter(kind).validate_python(_content(folder / f"{name}.yaml"))


def write_page(path: Path, text: str) -> None:
    """Write a page with the same bytes on every system."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _content(path: Path) -> object:
    content: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content
