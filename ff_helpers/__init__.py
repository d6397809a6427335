"""Attack-success-rate figures that cannot be separated from the measured accuracy of their grader.

Notebooks import this package as `ff` and use the public verbs below; the rooms (`corpus`, `grading`,
`measurement`, `publication`, `pipeline`) hold the code. Verbs load on first use, so that
`import ff_helpers` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ff_helpers.grading.campaign import grade as grade
    from ff_helpers.grading.campaign import verdicts as verdicts
    from ff_helpers.paths import Run as Run
    from ff_helpers.paths import start as start
    from ff_helpers.publication.disclosure import Disclosure as Disclosure
    from ff_helpers.publication.disclosure import GraderNote as GraderNote
    from ff_helpers.publication.disclosure import Unknown as Unknown
    from ff_helpers.publication.disclosure import disclosed as disclosed
    from ff_helpers.publication.figures.theme import save_figure as save_figure
    from ff_helpers.publication.tables import save_table as save_table

_VERBS = {
    # grading
    "grade": "ff_helpers.grading.campaign",
    "verdicts": "ff_helpers.grading.campaign",
    # paths
    "Run": "ff_helpers.paths",
    "start": "ff_helpers.paths",
    # publication
    "Disclosure": "ff_helpers.publication.disclosure",
    "GraderNote": "ff_helpers.publication.disclosure",
    "Unknown": "ff_helpers.publication.disclosure",
    "disclosed": "ff_helpers.publication.disclosure",
    "save_figure": "ff_helpers.publication.figures.theme",
    "save_table": "ff_helpers.publication.tables",
}

__all__ = sorted(_VERBS)  # noqa: PLE0605
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name in _VERBS:
        return getattr(import_module(_VERBS[name]), name)
    raise AttributeError(f"module 'ff_helpers' has no verb {name!r}")


def __dir__() -> list[str]:
    return sorted(_VERBS)
