"""What every notebook needs, imported: the fork server of a run imports this module and nothing else."""

from importlib import import_module
from typing import Final

import pandas as pd

import ff_helpers

_LIBRARIES: Final = (
    "papermill",
    "nbformat.v4",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "scipy.stats",
    "scipy.optimize",
    "statsmodels.stats.inter_rater",
    "statsmodels.stats.proportion",
    "pypdfium2",
    "vl_convert",
)
"""Libraries that the package imports where it uses them, and those that run notebooks."""

for _name in _LIBRARIES:
    import_module(_name)
for _room in (ff_helpers, ff_helpers.case, ff_helpers.explain, ff_helpers.figures, ff_helpers.lessons):
    for _verb in _room.__all__:
        getattr(_room, _verb)

# When pandas is imported outside a kernel it takes itself to be in a terminal, as wide as that is.
pd.set_option("display.max_columns", 20)
