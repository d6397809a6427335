"""How far two people agree on the same rows: what a grader's own agreement with a person is held against."""

from dataclasses import dataclass

from ff_helpers.measurement.calibration.confusion import Kappa
from ff_helpers.measurement.proportions.intervals import Proportion, rate_text


@dataclass(frozen=True)
class Humans:
    """Two people on the rows that both labelled.

    Attributes:
        columns: who they are: their columns, or `person 1` and `person 2`.
        agreement: percent agreement with its interval.
        kappa: Cohen's; None without a common row.
        left_out: rows that only one of them, or nobody, labelled.
    """

    columns: tuple[str, str]
    agreement: Proportion
    kappa: Kappa | None
    left_out: int

    def sentence(self) -> str:
        """Return `kappa 0.81 [0.62, 1.00], agree on 91.0% [78.8, 96.4], 40 of 44`."""
        if self.kappa is None:
            return "no row in common"
        note = f" ({self.kappa.note})" if self.kappa.note else ""
        kappa = f"kappa {self.kappa.value:.2f} [{self.kappa.low:.2f}, {self.kappa.high:.2f}]{note}"
        return f"{kappa}, agree on {rate_text(self.agreement)}, {self.agreement.counts}"
