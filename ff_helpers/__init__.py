"""Attack-success-rate figures that cannot be separated from the measured accuracy of their grader.

Notebooks import this package as `ff` and use its public verbs, declared once, in `__init__.pyi`; the code
is in the rooms (`corpus`, `grading`, `measurement`, `publication`, `pipeline`). Verbs load on first use, so
`import ff_helpers` costs nothing. Whatever is not a step of grading, measuring or publishing has a namespace:
`ff.figures`, `ff.lessons`, `ff.explain`, `ff.models`, `ff.case`, `ff.notes`, `ff.outputs`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.2.0"
