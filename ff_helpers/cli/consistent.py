"""`ff consistent`: which whole numbers are consistent with a printed figure."""

import argparse
import json

from ff_helpers.measurement.consistency.possible import Consistency, Fit, bad_figure, consistent
from ff_helpers.publication.consistency import consistency_words


def which_counts(options: argparse.Namespace) -> int:
    """Print every k of n that gives a printed figure, or that it is impossible."""
    if len(options.ends) not in (0, 2):
        raise bad_figure(" ".join([options.percentage, *options.ends]), "an interval has two ends")
    result = consistent(
        options.percentage,
        *options.ends,
        n=options.n,
        max_n=options.max_n,
        digits=options.digits,
        method=options.interval,
        rounding=options.rounding,
    )
    if options.json:
        print(json.dumps(_as_json(result)))
    else:
        print(consistency_words(result).text.replace("**", "").replace("\n\n", "\n"))
    return 0


def _as_json(result: Consistency) -> dict[str, object]:
    printed = result.printed
    ends = None if printed.low is None else [str(printed.low), str(printed.high)]
    return {
        "percentage": str(printed.value),
        "interval": ends,
        **_fit(result.asked, interval=ends is not None),
        "ways": list(result.ways),
        "impossible": result.impossible,
        "complete": result.complete,
        "n_tried": [result.first_n, result.last_n],
        "otherwise": [_fit(fit, interval=ends is not None) for fit in result.otherwise],
    }


def _fit(fit: Fit, *, interval: bool) -> dict[str, object]:
    return {
        "method": fit.method if interval else None,
        "rounding": fit.rounding,
        "possible": [{"k": k, "n": n} for k, n in fit.possible],
    }
