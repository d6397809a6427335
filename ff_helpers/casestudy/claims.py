"""The claims of the published record: params/claims.yaml, and the graders behind its figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from ff_helpers import paths
from ff_helpers.casestudy.graders import MANUAL, published_graders
from ff_helpers.measurement.results import GraderNote
from ff_helpers.paths import Run
from ff_helpers.publication import claims, consistency
from ff_helpers.terms import Unknown

PROFILE: Final = "paper"
"""The profile that checks them."""
_GRADERS: Final = ("qwen3:1.7b", "deepseek-r1:1.5b", MANUAL, "claude-haiku-4.5")


def shipped_claims() -> Path:
    """Return the claims file that ships: params/claims.yaml."""
    return paths.params() / "claims.yaml"


def check_claims(
    run: Run, *, path: Path | None = None, graders: Sequence[GraderNote] | Unknown | None = None
) -> pd.DataFrame:
    """Check every claim of a claims file against the files of this run, and write claims.json.

    Args:
        run: whose files are read.
        path: the claims file of your own paper (default: the claims of the published record).
        graders: who graded behind the published figures (default: those of the published record, and for your
            own file: named in the tables).

    Returns, Raises:
        As `publication.claims.check_claims`.
    """
    if graders is None:
        graders = published_graders(*_GRADERS) if path is None else claims.NAMED_ELSEWHERE
    return claims.check_claims(run, path=path or shipped_claims(), graders=graders)


def claims_possible(path: Path | None = None) -> pd.DataFrame:
    """Return which counts could give each printed percentage, as `publication.consistency.claims_possible`.

    Args:
        path: the claims file (default: the claims of the published record).
    """
    graders = published_graders(*_GRADERS) if path is None else claims.NAMED_ELSEWHERE
    return consistency.claims_possible(path or shipped_claims(), graders=graders)
