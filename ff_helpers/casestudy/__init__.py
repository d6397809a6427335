"""What is about the published record: the crescendo regrade, the exported counts, claims, the sample paper.

Notebooks reach it as `ff.case`; nothing before this room knows a name, a file or a claim of it. Its figures
join the registry of figures here.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from ff_helpers.publication.figures import FIGURES

if TYPE_CHECKING:
    from ff_helpers.casestudy import facts as facts
    from ff_helpers.casestudy import paper as paper
    from ff_helpers.casestudy.claims import check_claims as check_claims
    from ff_helpers.casestudy.claims import claims_possible as claims_possible
    from ff_helpers.casestudy.crescendo_regrade import crescendo as crescendo
    from ff_helpers.casestudy.evaluators import save_evaluator_cards as save_evaluator_cards
    from ff_helpers.casestudy.exported import atlas as atlas
    from ff_helpers.casestudy.exported_graders import disclose_atlas as disclose_atlas
    from ff_helpers.casestudy.exports import read_export as read_export
    from ff_helpers.casestudy.facts import published_agreement as published_agreement
    from ff_helpers.casestudy.facts import published_calibration as published_calibration
    from ff_helpers.casestudy.graders import published_graders as published_graders
    from ff_helpers.casestudy.metrics import canonical_metrics as canonical_metrics
    from ff_helpers.casestudy.narrative import write_narrative as write_narrative
    from ff_helpers.casestudy.pages import save_page as save_page
    from ff_helpers.casestudy.pages import save_student_page as save_student_page
    from ff_helpers.casestudy.record import published as published

FIGURES.update(
    {
        "atlas_asr": "ff_helpers.casestudy.atlas_figures",
        "atlas_before_after": "ff_helpers.casestudy.atlas_figures",
        "crescendo_correction": "ff_helpers.casestudy.figures",
        "crescendo_transitions": "ff_helpers.casestudy.figures",
    }
)
_NAMES: Final = {
    "atlas": "exported",
    "canonical_metrics": "metrics",
    "check_claims": "claims",
    "claims_possible": "claims",
    "crescendo": "crescendo_regrade",
    "disclose_atlas": "exported_graders",
    "published": "record",
    "published_agreement": "facts",
    "published_calibration": "facts",
    "published_graders": "graders",
    "read_export": "exports",
    "save_evaluator_cards": "evaluators",
    "save_page": "pages",
    "save_student_page": "pages",
    "write_narrative": "narrative",
}
_TABLES: Final = ("facts", "paper")

__all__ = sorted([*_NAMES, *_TABLES])  # noqa: PLE0605


def __getattr__(name: str) -> object:
    if name in _TABLES:
        return import_module(f"{__name__}.{name}")
    if name in _NAMES:
        return getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
    raise AttributeError(f"the case study has no {name!r}; there are {', '.join(__all__)}")


def __dir__() -> list[str]:
    return list(__all__)
