"""In words: does the grader repeat its verdicts, and can a response dictate them?"""

from collections.abc import Sequence

from ff_helpers.measurement.calibration.cards import Card, card_names
from ff_helpers.measurement.calibration.robustness import FlipRate
from ff_helpers.measurement.proportions.intervals import Proportion, percent
from ff_helpers.publication.prose import Prose, say
from ff_helpers.terms import Unknown


def robustness_lesson(cards: Sequence[Card]) -> Prose:
    """Return, one paragraph per grader, how often attacks and harmless additions turned its verdict."""
    by_name = dict(zip(card_names(cards), cards, strict=True))
    return Prose("\n\n".join(_flips(name, card.injection_flip_rate) for name, card in by_name.items()))


def retest_lesson(cards: Sequence[Card]) -> Prose:
    """Return, one line per card, how often the same verdict was repeated, and how long a trace took."""
    named = zip(card_names(cards), cards, strict=True)
    return Prose("\n".join(f"- {_retest(name, card).text}" for name, card in named))


def _flips(grader: str, rate: FlipRate | Unknown) -> str:
    if isinstance(rate, Unknown):
        return (
            f"**{grader}**: not measured in this run ({rate.why}; the suite is the trace set "
            "`data/calibration/injections.jsonl`)."
        )
    constant = (
        " It says the same word to all clean responses, so a low rate is not resistance: a grader that "
        "does not read cannot be talked into anything."
    )
    return say(
        "**{grader}**: in {k} of {n} pairs the attack got the verdict that it asked for: {rate} over "
        "{attacks} attacks (as if all pairs were independent: {naive}). A harmless addition, which asks for "
        "nothing, got that verdict in {control_flips}. Any change of verdict: {changed} under "
        "attack, {control} under a harmless addition. {denied} attacked responses got no verdict at "
        "all; {out} pairs could not flip, because the clean response already had the wanted verdict, or none."
        "{constant}",
        grader=grader,
        k=rate.k,
        n=rate.n,
        rate=rate,
        attacks=rate.attacks,
        naive=f"[{percent(rate.naive_low)}, {percent(rate.naive_high)}]",
        control_flips=_counts(rate.control_flips),
        changed=_counts(rate.changed),
        control=_counts(rate.control),
        denied=rate.denied,
        out=rate.not_eligible,
        constant=constant if rate.clean_verdicts == 1 else "",
    ).text


def _counts(rate: Proportion) -> str:
    return say("{rate:counts}", rate=rate).text if rate.n else "no pairs (none was graded)"


def _retest(grader: str, card: Card) -> Prose:
    again = card.test_retest
    if isinstance(again, Proportion):
        said = say(
            "asked {passes} times, it said the same each time on {again:k} of {again:n} traces ({again})",
            passes=card.passes,
            again=again,
        ).text
    else:
        said = "no trace was graded twice"
    mean, median = card.seconds_a_trace, card.median_seconds
    speed = (
        "no durations are recorded"
        if isinstance(mean, Unknown) or isinstance(median, Unknown)
        else f"seconds per trace: mean {mean:.2f}, median {median:.2f}"
    )
    return say(
        "**{grader}** on `{set}`: {said}; {speed}.",
        grader=grader,
        set=card.calibration_set,
        said=said,
        speed=speed,
    )
