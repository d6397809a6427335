"""Which graders may grade traces with unknown truth: the check that a campaign makes, and its refusals.

The answer is in the calibration cards, which a later room reads (`measurement.standing`) and passes to
the campaign. Traces with known truth may always be graded; that is how cards are made.
"""

from collections.abc import Callable, Collection, Mapping

from ff_helpers.corpus.traces import Trace
from ff_helpers.errors import FFError, quoted
from ff_helpers.grading.outcome import GraderSetup

Models = Mapping[str, Collection[str]]
"""Which models under test the traces without truth are of, by their set."""
Admit = Callable[[GraderSetup, str, Models], str]
"""Called with a grader, its spec as given and what it is to grade; raises `FFError` to refuse it. Returns a
warning, empty where there is none."""


def nobody(setup: GraderSetup, spec: str, _: Models) -> str:
    """Refuse every grader: without a look at the cards, traces without truth are not graded.

    Raises:
        FFError: always.
    """
    raise FFError(
        f"grader {setup.identity.name} may not grade traces without truth: its calibration card was "
        f"not looked up. `ff grade --grader {spec}` and `ff.grade` do that."
    )


def refuse_control(trace: Trace, name: str) -> None:
    """Refuse a control among the traces to be graded; `name` is the set or file that it is in.

    Raises:
        FFError: it is of the arm `permitted`.
    """
    if trace.arm == "permitted":
        raise FFError(
            f"trace_id {quoted(trace.trace_id)} in set {name!r} is of the arm `permitted`: a control. "
            "Controls are not attacks and are never graded; name the file of the other arm."
        )
