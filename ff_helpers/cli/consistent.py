"""`ff consistent`: which whole numbers can stand behind a printed figure."""

import argparse
from typing import TYPE_CHECKING

from ff_helpers.cli.options import add_command, count

if TYPE_CHECKING:
    from ff_helpers.cli.options import Commands
    from ff_helpers.measurement.consistency.possible import Consistency, Fit

METHODS = ("wilson", "clopper-pearson", "wald", "jeffreys", "agresti-coull")
ROUNDINGS = ("rounded", "half-up", "half-even", "cut-off")


def add_consistent(commands: "Commands") -> None:
    """Add the command of this module to the parser."""
    parser = add_command(
        commands,
        "consistent",
        _consistent,
        line="which k of n can stand behind a printed percentage",
        about="Take a percentage as it was printed, alone or with the two ends of its 95% interval, and "
        "list every k of n that gives it, or say that it is impossible. Write the digits as printed: 65.0 "
        "says more than 65. Where nothing fits, other intervals and digits cut off are tried and named. Exit "
        "code 0 also where the answer is `impossible`.",
        example="ff consistent 62 38 81",
    )
    parser.add_argument("percentage", metavar="PERCENT", help="as printed, such as 58, 58%% or 65.0")
    parser.add_argument(
        "ends",
        nargs="*",
        metavar="LOW HIGH",
        help="the two ends of its interval, as printed (default: no interval)",
    )
    total = parser.add_mutually_exclusive_group()
    total.add_argument("--n", type=count, metavar="N", help="the total, if known (default: all are tried)")
    total.add_argument(
        "--max-n",
        type=count,
        metavar="N",
        help="the largest total to try (default: 1000, or as far as the width of the interval allows)",
    )
    parser.add_argument(
        "--digits",
        type=int,
        choices=range(7),
        metavar="D",
        help="digits after the point, where zeros were left away (default: as typed)",
    )
    parser.add_argument(
        "--interval",
        choices=METHODS,
        default=METHODS[0],
        help="how the 95%% interval was made (default: %(default)s)",
    )
    parser.add_argument(
        "--rounding",
        choices=ROUNDINGS,
        default=ROUNDINGS[0],
        help="how digits were dropped; rounded: a tie may have gone either way (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="everything found, for programs")


def _consistent(options: argparse.Namespace) -> int:
    from ff_helpers.measurement.consistency.possible import consistent
    from ff_helpers.measurement.consistency.printed import BadFigureError

    if len(options.ends) not in (0, 2):
        raise BadFigureError(" ".join([options.percentage, *options.ends]), "an interval has two ends")
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
        import json

        print(json.dumps(_as_json(result)))
    else:
        from ff_helpers.publication.consistency import consistency_words

        print(consistency_words(result).text.replace("**", "").replace("\n\n", "\n"))
    return 0


def _as_json(result: "Consistency") -> dict[str, object]:
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


def _fit(fit: "Fit", *, interval: bool) -> dict[str, object]:
    return {
        "method": fit.method if interval else None,
        "rounding": fit.rounding,
        "possible": [{"k": k, "n": n} for k, n in fit.possible],
    }
