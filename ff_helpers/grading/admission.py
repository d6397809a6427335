"""Who may grade traces whose truth nobody knows: the question that a campaign asks, and its refusals.

The answer is in the calibration cards, which a later room reads (`measurement.admission`): a campaign is
handed it. Traces that carry truth may always be graded; that is how cards are made.
"""

from collections.abc import Callable

from ff_helpers.errors import FFError, quoted
from ff_helpers.grading.outcome import GraderSetup

Admit = Callable[[GraderSetup, str], object]
"""Called with a grader and the spec that it was asked for by; raises `NotAdmittedError` to refuse it."""


class ControlArmError(FFError):
    """A control among the traces to be graded."""

    def __init__(self, trace_id: str, name: str) -> None:
        super().__init__(
            f"trace_id {quoted(trace_id)} in set {name!r} is of the arm `permitted`: a control, in which the "
            "policy allows the answer. It is no attack and is never graded; name the file of the other arm."
        )


class NotAdmittedError(FFError):
    """The grader may not grade traces without truth."""


def nobody(setup: GraderSetup, spec: str) -> None:
    """Refuse every grader: where no cards were consulted, traces without truth are not graded.

    Raises:
        NotAdmittedError: always.
    """
    raise NotAdmittedError(
        f"grader {setup.identity.name} may not grade traces without truth: nobody looked for its calibration "
        f"card. `ff grade --grader {spec}` and `ff.grade` look for it."
    )
