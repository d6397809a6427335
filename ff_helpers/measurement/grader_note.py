"""One grader as a disclosure names it: what it is, and how accurate, or why that is unknown."""

from dataclasses import dataclass

from ff_helpers.measurement.proportions.intervals import Proportion, rate_text
from ff_helpers.terms import GateState, Unknown


@dataclass(frozen=True)
class GraderNote:
    """One grader as a reader must know it.

    Attributes:
        grader: its name.
        digest: what it is: the hash of its weights or rules.
        rubric: rubric and version.
        accuracy: correct of n with interval, or Unknown.
        calibration_set: on which labelled traces.
        space: the label space of that accuracy.
        gate: the state of the gate.
        card: of which day its card is, whether it has expired, and by which thresholds if not the default
            ones; empty without a card.
    """

    grader: str
    digest: str | Unknown
    rubric: str | Unknown
    accuracy: Proportion | Unknown
    calibration_set: str | Unknown
    space: str | Unknown
    gate: GateState
    card: str = ""

    def identity(self) -> str:
        """Return what the grader is: `name (digest ...; rubric ...)`."""
        digest = f"digest {self.digest[:12]}" if isinstance(self.digest, str) else str(self.digest)
        rubric = f"rubric {self.rubric}" if isinstance(self.rubric, str) else str(self.rubric)
        return f"{self.grader} ({digest}; {rubric})"

    def measured(self) -> str:
        """Return how accurate it was measured to be, and the state of the gate."""
        if isinstance(self.accuracy, Unknown):
            return f"{self.accuracy}; {self.gate}"
        rate = f"{rate_text(self.accuracy)}, {self.accuracy.k} of {self.accuracy.n}"
        space = self.space if isinstance(self.space, Unknown) else f"space {self.space}"
        card = f", {self.card}" if self.card else ""
        return f"accuracy {rate} on {self.calibration_set}, {space}; {self.gate}{card}"
