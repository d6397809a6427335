"""Which counts could give a printed figure, in words and in a table of the claims that ask for it."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ff_helpers.columns import declared
from ff_helpers.measurement.consistency.possible import Consistency, Fit, Rounding, consistent
from ff_helpers.measurement.results import GraderNote, stated
from ff_helpers.publication.checks import Possible
from ff_helpers.publication.claims import NAMED_ELSEWHERE, claims_terms, read_claims
from ff_helpers.publication.findings import printed_figures
from ff_helpers.publication.prose import Prose
from ff_helpers.terms import Unknown

_ROUNDED: dict[Rounding, str] = {
    "rounded": "digits rounded, a tie either way",
    "half-up": "digits rounded, a tie up",
    "half-even": "digits rounded, a tie to the even digit",
    "cut-off": "digits cut off",
}


def consistency_words(result: Consistency, *, most: int = 10) -> Prose:
    """Return the answer of `consistent` in a few sentences; of many counts at most `most` are named."""
    asked, pairs = result.asked, result.asked.possible
    said = [f"**{result.printed}** ({_how(result, asked)}; {_searched(result)}): {_answer(result, most)}."]
    if pairs and asked.rounding == "rounded" and not result.ways:
        said.append("Each of them is a tie that went down, as rounding half up or half to even does not.")
    elif pairs and asked.rounding == "rounded" and len(result.ways) == 1:
        said.append(f"Only with {_ROUNDED[result.ways[0]]}.")
    if len(pairs) > most:
        have = result.printed.low is not None
        more = "more digits" if have else "the interval (`62 38 81`), more digits"
        said.append(f"To narrow this down: {more}, or the total, n.")
    for fit in result.otherwise:
        said.append(
            f"What would fit if it was made differently: {_how(result, fit)}: "
            f"{counts_text(fit.possible, most)}."
        )
    return Prose("\n\n".join(said))


def claims_possible(path: Path, *, graders: Sequence[GraderNote] | Unknown = NAMED_ELSEWHERE) -> pd.DataFrame:
    """Return which counts could give each printed percentage, for the claims that ask only for that.

    Args:
        path: the claims file.
        graders: who graded the published figures.

    Returns:
        One row per percentage: id, published (str), counts (int: how many (k, n) give it), smallest_n,
        largest_n (Int64; missing without counts), tried_to (int: the largest n tried), answer, otherwise
        (str).

    Raises:
        FFError: as `read_claims`.
    """
    rows = []
    for claim in read_claims(path)[1]:
        if isinstance(claim.check, Possible):
            for figure in printed_figures(claim.value):
                result = consistent(*(str(part) for part in figure if part is not None))
                ns = [n for _, n in result.asked.possible]
                other = (f"{_how(result, f)}: {counts_text(f.possible, 3)}" for f in result.otherwise)
                size = (len(ns), min(ns, default=None), max(ns, default=None), result.last_n)
                said = (_answer(result, 3), "; ".join(other) or "not needed")
                rows.append((claim.id, str(result.printed), *size, *said))
    return stated(declared("claims_possible", rows), claims_terms(graders))


def counts_text(pairs: Sequence[tuple[int, int]], most: int) -> str:
    """Return the pairs in words: all of them, or how many there are and the smallest and largest."""
    if len(pairs) <= most:
        return ", ".join(f"{k} of {n}" for k, n in pairs)
    (k, n), (last_k, last_n) = pairs[0], pairs[-1]
    return f"{len(pairs)} pairs, from {k} of {n} to {last_k} of {last_n}"


def _answer(result: Consistency, most: int) -> str:
    pairs = result.asked.possible
    if pairs:
        only = "only " if len(pairs) == 1 else ""
        return only + counts_text(pairs, most)
    if not result.complete:
        return f"none up to n = {result.last_n}; larger totals were not tried (name one with n)"
    if result.first_n < result.last_n:
        return f"impossible: no whole numbers up to n = {result.last_n} give it"
    n = result.last_n
    exact = float(result.printed.value) * n / 100
    below, above = int(exact), min(int(exact) + 1, n)
    near = " and ".join(f"{k} of {n} is {100 * k / n:.4g}%" for k in dict.fromkeys((below, above)))
    if result.printed.low is not None:
        return f"impossible of n = {n}: {near}, and no count has both this percentage and this interval"
    return f"impossible of n = {n}: that would be {exact:.4g} rows; {near}"


def _how(result: Consistency, fit: Fit) -> str:
    interval = "" if result.printed.low is None else f"{fit.method.title()} 95% interval, "
    return interval + _ROUNDED[fit.rounding]


def _searched(result: Consistency) -> str:
    first, last = result.first_n, result.last_n
    return f"n = {last}" if first == last else f"n from {first} to {last}"
