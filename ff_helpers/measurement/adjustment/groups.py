"""The rows of a table of rates as arrays: what a group's graded rows say, and what people said of some."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ff_helpers.measurement.adjustment.double import LEVEL, Codes, Posterior, from_codes, in_parts
from ff_helpers.measurement.adjustment.patterns import merged, merged_parts
from ff_helpers.measurement.adjustment.rogan_gladen import Adjusted
from ff_helpers.measurement.proportions.intervals import Numbers


@dataclass(frozen=True)
class Group:
    """Graded rows, one element of each array per row.

    Attributes:
        values: of the columns that make the groups.
        hit: what the grader called the row.
        true: what people said: 1, 0, missing without a label.
        chance: probability with which a labelled row was drawn.
        cluster: number of its scenario.
        pattern: what several judges said together (`patterns.together`); None of one judge.
        part: of the rows of its verdict (`sampling.soft`); None where verdicts are not split.
        drawn: which rows are in the sample, labelled or not; None: it is not known.
    """

    values: tuple[Hashable, ...]
    hit: NDArray[np.bool_]
    true: Numbers
    chance: Numbers
    cluster: Codes
    pattern: NDArray[np.str_] | None = None
    part: NDArray[np.str_] | None = None
    drawn: NDArray[np.bool_] | None = None

    @property
    def labels(self) -> int:
        """How many rows have a label."""
        return int((~np.isnan(self.true)).sum())

    def adjusted(self, level: float = LEVEL) -> tuple[Adjusted, Posterior | None]:
        """Return the rate by double sampling, and the counts behind it (`double.from_codes`).

        A stratum is what the judge said, or a part of the rows of which it said so; of several judges their
        pattern. Patterns and parts are merged where labels are few.
        """
        labelled, prior = pd.Series(self.true).notna(), None
        if self.pattern is not None:
            strata = merged(pd.Series(self.pattern), labelled)
            cell = np.asarray(pd.factorize(strata, sort=True)[0])
        else:
            # Codes begin at 0 where only hits are there, as those of words do.
            cell = self.hit.astype(np.intp) if not self.hit.all() else np.zeros(len(self.hit), dtype=np.intp)
            if self.part is not None:
                parts = merged_parts(pd.Series(self.part), pd.Series(self.hit), labelled)
                cell, prior = in_parts(cell, list(parts))
        return from_codes(cell, self.true, self.chance, self.cluster, prior=prior, level=level)


def groups_of(rows: pd.DataFrame, by: Sequence[str]) -> list[Group]:
    """Return the groups of `labelled_rates`, sorted by their values; without `by` all rows are one.

    Args:
        rows, by: as for `labelled_rates`.
    """
    scenario = rows["scenario_id"].fillna("trace " + rows["trace_id"])
    hit, true = rows["hit"].to_numpy(dtype=bool), rows["true"].to_numpy(dtype=float)
    chance, cluster = rows["chance"].to_numpy(dtype=float), np.asarray(pd.factorize(scenario)[0])
    words = {name: rows[name].to_numpy(dtype=str) for name in ("pattern", "part") if name in rows.columns}
    if "pattern" in words:
        words.pop("part", None)
    more = {} if "drawn" not in rows.columns else {"drawn": rows["drawn"].to_numpy(dtype=bool)}
    places: list[tuple[tuple[Hashable, ...], NDArray[np.intp]]] = [((), np.arange(len(rows)))]
    if by:
        keys = rows[list(by)].reset_index(drop=True)
        found = keys.groupby(list(by), dropna=False, sort=True)
        number = found.ngroup().to_numpy()
        order = np.argsort(number, kind="stable")
        heads = keys.iloc[order].drop_duplicates(list(by))
        starts = np.flatnonzero(np.diff(number[order], prepend=-1))
        places = list(zip(heads.itertuples(index=False, name=None), np.split(order, starts[1:]), strict=True))
    return [
        Group(
            values,
            hit[at],
            true[at],
            chance[at],
            cluster[at],
            **{name: of[at] for name, of in (words | more).items()},
        )
        for values, at in places
    ]


def pooled(groups: Sequence[Group]) -> Group:
    """Return several groups of one grader as one."""
    words = {name: [getattr(one, name) for one in groups] for name in ("pattern", "part")}
    return Group(
        (),
        np.concatenate([one.hit for one in groups]),
        np.concatenate([one.true for one in groups]),
        np.concatenate([one.chance for one in groups]),
        np.concatenate([one.cluster for one in groups]),
        **{name: np.concatenate(of) for name, of in words.items() if of[0] is not None},
    )
