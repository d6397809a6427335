"""The development split: a third of all traces, fixed by the hash of their ids, for choosing a rubric.

Whoever compares rubrics looks at these rows alone; the card of the rubric that won comes from the others,
which no choice has seen.
"""

import hashlib
from typing import Final, Literal, get_args

Split = Literal["all", "development", "held-out"]
SPLITS: Final[tuple[Split, ...]] = get_args(Split)


def in_development(trace_id: str) -> bool:
    """Return whether a trace belongs to the development split."""
    return int(hashlib.sha256(trace_id.encode("utf-8", "surrogatepass")).hexdigest(), 16) % 3 == 0


def in_split(trace_id: str, split: Split) -> bool:
    """Return whether a trace belongs to a split; every trace belongs to `all`."""
    return split == "all" or in_development(trace_id) == (split == "development")
