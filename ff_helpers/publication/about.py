"""A figure's description: one small JSON file next to it, which the report and the gallery read.

The function that draws a chart marks it with its own name and with its docstring's description;
`save_figure` writes that next to the figure, with the step that drew it and the disclosure.
"""

import functools
import inspect
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from pydantic import BaseModel, ConfigDict

from ff_helpers.paths import Run
from ff_helpers.publication.pages import write_page

if TYPE_CHECKING:
    import altair as alt

P = ParamSpec("P")
R = TypeVar("R")


class About(BaseModel):
    """What is known about a saved figure.

    Attributes:
        function: the figure, as in `ff.figures.<function>`; empty for your own chart.
        shows: what it shows and what not: the docstring of the function up to its arguments.
        step: the notebook that drew it, where a run did.
        width: in px; a column of a paper is less than 400.
        disclosure: the sentence that is drawn under it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    function: str = ""
    shows: str = ""
    step: str = ""
    width: float = 0.0
    disclosure: str = ""


def told(figure: Callable[P, R]) -> Callable[P, R]:
    """Return a figure function whose charts record which function drew them."""
    text = re.split(r"\n\s*\n(?=Args:|Returns:|Raises:)", inspect.getdoc(figure) or "")[0]

    @functools.wraps(figure)
    def drawn(*args: P.args, **keywords: P.kwargs) -> R:
        chart = figure(*args, **keywords)
        # A function that takes a chart, such as `wide`, keeps the existing name.
        if hasattr(chart, "usermeta") and not isinstance(chart.usermeta, dict):
            chart.usermeta = {"function": figure.__name__, "shows": " ".join(text.split())}
        return chart

    return drawn


def write_about(run: Run, name: str, chart: "alt.TopLevelMixin", svg: str, disclosure: str) -> None:
    """Write figures/<name>.json next to a figure drawn as `svg`."""
    marks = getattr(chart, "usermeta", None)
    size = re.search(r'width="([\d.]+)"', svg)
    about = About(
        **(marks if isinstance(marks, dict) else {}),
        step=Path(os.environ.get("FF_STAGING", "")).name,
        width=float(size[1]) if size else 0.0,
        disclosure=disclosure,
    )
    write_page(run.write(f"figures/{name}.json"), about.model_dump_json(indent=1) + "\n")


def read_about(figure: Path) -> About:
    """Return what a figure, `figures/<name>.svg` or another of its files, says about itself."""
    path = figure.with_suffix(".json")
    return About.model_validate_json(path.read_text(encoding="utf-8")) if path.is_file() else About()
