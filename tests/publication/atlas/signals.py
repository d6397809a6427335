"""Records to test with."""

from datetime import date

import pandas as pd

from ff_helpers.casestudy.exported import atlas_signal
from ff_helpers.publication.atlas.signal import Signal

DAY = date(2026, 11, 22)


def signals(*cells: tuple[str, int, int, str], as_of: date | None = None) -> list[Signal]:
    """Exported records: name, k, n, classifiers joined by `|`."""
    frame = pd.DataFrame(cells, columns=["model_name", "compliance", "graded", "classifiers"])
    return [signal.model_copy(update={"as_of": as_of}) for signal in atlas_signal(frame)]
