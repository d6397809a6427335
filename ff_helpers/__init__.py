"""Attack-success-rate figures that cannot be separated from the measured accuracy of their grader.

Notebooks import this package as `ff` and use the public verbs below; the rooms (`corpus`, `grading`,
`measurement`, `publication`, `pipeline`) hold the code. Verbs load on first use, so that
`import ff_helpers` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ff_helpers.casestudy import facts as facts
    from ff_helpers.casestudy import paper as paper
    from ff_helpers.casestudy.claims import check_claims as check_claims
    from ff_helpers.casestudy.claims import claims_possible as claims_possible
    from ff_helpers.casestudy.crescendo_regrade import crescendo as crescendo
    from ff_helpers.casestudy.evaluators import save_evaluator_cards as save_evaluator_cards
    from ff_helpers.casestudy.exported import atlas as atlas
    from ff_helpers.casestudy.exported_graders import disclose_atlas as disclose_atlas
    from ff_helpers.casestudy.facts import published_agreement as published_agreement
    from ff_helpers.casestudy.facts import published_calibration as published_calibration
    from ff_helpers.casestudy.graders import published_graders as published_graders
    from ff_helpers.casestudy.metrics import canonical_metrics as canonical_metrics
    from ff_helpers.casestudy.narrative import write_narrative as write_narrative
    from ff_helpers.casestudy.pages import save_page as save_page
    from ff_helpers.casestudy.pages import save_student_page as save_student_page
    from ff_helpers.casestudy.record import published as published
    from ff_helpers.corpus.canonical import resolve_names as resolve_names
    from ff_helpers.grading.campaign import grade as grade
    from ff_helpers.grading.campaign import verdicts as verdicts
    from ff_helpers.grading.merge import history as history
    from ff_helpers.grading.merge import merge_manual as merge_manual
    from ff_helpers.grading.panel import grade_by_hand as grade_by_hand
    from ff_helpers.measurement.agreement.against_truth import compare_graders as compare_graders
    from ff_helpers.measurement.agreement.bracket import bracket as bracket
    from ff_helpers.measurement.agreement.pairs import agreement as agreement
    from ff_helpers.measurement.agreement.pairs import kappa_paradox as kappa_paradox
    from ff_helpers.measurement.agreement.pairs import panel_agreement as panel_agreement
    from ff_helpers.measurement.agreement.pairs import review_queue as review_queue
    from ff_helpers.measurement.calibration.backward import backward_signal as backward_signal
    from ff_helpers.measurement.calibration.calibrate import calibrate_all as calibrate_all
    from ff_helpers.measurement.calibration.cards import cards_table as cards_table
    from ff_helpers.measurement.calibration.cards import gate_criteria as gate_criteria
    from ff_helpers.measurement.calibration.cards import gate_table as gate_table
    from ff_helpers.measurement.calibration.cards import read_cards as read_cards
    from ff_helpers.measurement.calibration.constructed import constructed_card as constructed_card
    from ff_helpers.measurement.calibration.gate import thresholds as thresholds
    from ff_helpers.measurement.calibration.power import needed_table as needed_table
    from ff_helpers.measurement.calibration.power import passing_chance as passing_chance
    from ff_helpers.measurement.calibration.power import power_table as power_table
    from ff_helpers.measurement.calibration.robustness import flip_table as flip_table
    from ff_helpers.measurement.collected.replay import collected as collected
    from ff_helpers.measurement.collected.stability import refusal_stability as refusal_stability
    from ff_helpers.measurement.consistency.possible import consistent as consistent
    from ff_helpers.measurement.correction.corrected import corrected as corrected
    from ff_helpers.measurement.correction.corrected import hide_truth as hide_truth
    from ff_helpers.measurement.correction.coverage import coverage_table as coverage_table
    from ff_helpers.measurement.correction.rehearsal import rehearsal as rehearsal
    from ff_helpers.measurement.correction.rogan_gladen import apparent_curve as apparent_curve
    from ff_helpers.measurement.correction.rogan_gladen import apparent_rate as apparent_rate
    from ff_helpers.measurement.correction.rogan_gladen import rogan_gladen as rogan_gladen
    from ff_helpers.measurement.rates.comparisons import compare_models as compare_models
    from ff_helpers.measurement.rates.counts import count_verdicts as count_verdicts
    from ff_helpers.measurement.rates.drift import drift as drift
    from ff_helpers.measurement.rates.heuristic import over_reporting as over_reporting
    from ff_helpers.measurement.rates.reported import asr_by as asr_by
    from ff_helpers.measurement.rates.reported import would_have_reported as would_have_reported
    from ff_helpers.measurement.regrades.regrade import regrade as regrade
    from ff_helpers.paths import Run as Run
    from ff_helpers.paths import start as start
    from ff_helpers.publication import figures as figures
    from ff_helpers.publication.atlas.files import read_signal as read_signal
    from ff_helpers.publication.atlas.files import save_signal as save_signal
    from ff_helpers.publication.atlas.frames import intent_table as intent_table
    from ff_helpers.publication.atlas.frames import reported_table as reported_table
    from ff_helpers.publication.atlas.frames import signal_table as signal_table
    from ff_helpers.publication.atlas.ledger import ledger_signal as ledger_signal
    from ff_helpers.publication.atlas.publish import trust_table as trust_table
    from ff_helpers.publication.bracket import bracket_lesson as bracket_lesson
    from ff_helpers.publication.claims import claims_summary as claims_summary
    from ff_helpers.publication.collected import beside_recorded as beside_recorded
    from ff_helpers.publication.collected import collected_words as collected_words
    from ff_helpers.publication.collected import example_conversation as example_conversation
    from ff_helpers.publication.consistency import consistency_words as consistency_words
    from ff_helpers.publication.corrected import corrected_lesson as corrected_lesson
    from ff_helpers.publication.corrections import tell_corrections as tell_corrections
    from ff_helpers.publication.disclosure import Disclosure as Disclosure
    from ff_helpers.publication.disclosure import GraderNote as GraderNote
    from ff_helpers.publication.disclosure import disclosed as disclosed
    from ff_helpers.publication.explore import pick as pick
    from ff_helpers.publication.explore import read_table as read_table
    from ff_helpers.publication.explore import show_table as show_table
    from ff_helpers.publication.figures.theme import save_figure as save_figure
    from ff_helpers.publication.graded import graded as graded
    from ff_helpers.publication.narrative.lessons import class_lesson as class_lesson
    from ff_helpers.publication.narrative.lessons import reported_lesson as reported_lesson
    from ff_helpers.publication.narrative.own import labeller_notes as labeller_notes
    from ff_helpers.publication.narrative.own import own_regrade as own_regrade
    from ff_helpers.publication.narrative.own import write_correction as write_correction
    from ff_helpers.publication.notes import accuracy_lesson as accuracy_lesson
    from ff_helpers.publication.notes import calibration_lesson as calibration_lesson
    from ff_helpers.publication.notes import checker_note as checker_note
    from ff_helpers.publication.notes import disclose as disclose
    from ff_helpers.publication.notes import drift_lesson as drift_lesson
    from ff_helpers.publication.numbers import save_numbers as save_numbers
    from ff_helpers.publication.prose import say as say
    from ff_helpers.publication.robustness import retest_lesson as retest_lesson
    from ff_helpers.publication.robustness import robustness_lesson as robustness_lesson
    from ff_helpers.publication.tables import save_table as save_table
    from ff_helpers.terms import Unknown as Unknown

_VERBS = {
    # grading
    "grade": "ff_helpers.grading.campaign",
    "verdicts": "ff_helpers.grading.campaign",
    "grade_by_hand": "ff_helpers.grading.panel",
    "history": "ff_helpers.grading.merge",
    "merge_manual": "ff_helpers.grading.merge",
    "graded": "ff_helpers.publication.graded",
    # paths
    "Run": "ff_helpers.paths",
    "start": "ff_helpers.paths",
    # collected traces
    "beside_recorded": "ff_helpers.publication.collected",
    "checker_note": "ff_helpers.publication.notes",
    "collected": "ff_helpers.measurement.collected.replay",
    "collected_words": "ff_helpers.publication.collected",
    "example_conversation": "ff_helpers.publication.collected",
    # the regrade, rates, prose and claims
    "asr_by": "ff_helpers.measurement.rates.reported",
    "check_claims": "ff_helpers.casestudy.claims",
    "claims_possible": "ff_helpers.casestudy.claims",
    "consistency_words": "ff_helpers.publication.consistency",
    "consistent": "ff_helpers.measurement.consistency.possible",
    "class_lesson": "ff_helpers.publication.narrative.lessons",
    "claims_summary": "ff_helpers.publication.claims",
    "corrected": "ff_helpers.measurement.correction.corrected",
    "corrected_lesson": "ff_helpers.publication.corrected",
    "rehearsal": "ff_helpers.measurement.correction.rehearsal",
    "count_verdicts": "ff_helpers.measurement.rates.counts",
    "coverage_table": "ff_helpers.measurement.correction.coverage",
    "crescendo": "ff_helpers.casestudy.crescendo_regrade",
    "facts": "ff_helpers.casestudy.facts",
    "hide_truth": "ff_helpers.measurement.correction.corrected",
    "figures": "ff_helpers.publication.figures",
    "published": "ff_helpers.casestudy.record",
    "published_graders": "ff_helpers.casestudy.graders",
    "regrade": "ff_helpers.measurement.regrades.regrade",
    "reported_lesson": "ff_helpers.publication.narrative.lessons",
    "labeller_notes": "ff_helpers.publication.narrative.own",
    "own_regrade": "ff_helpers.publication.narrative.own",
    "write_correction": "ff_helpers.publication.narrative.own",
    "over_reporting": "ff_helpers.measurement.rates.heuristic",
    "say": "ff_helpers.publication.prose",
    "tell_corrections": "ff_helpers.publication.corrections",
    "would_have_reported": "ff_helpers.measurement.rates.reported",
    "write_narrative": "ff_helpers.casestudy.narrative",
    # calibration and agreement
    "accuracy_lesson": "ff_helpers.publication.notes",
    "agreement": "ff_helpers.measurement.agreement.pairs",
    "bracket": "ff_helpers.measurement.agreement.bracket",
    "bracket_lesson": "ff_helpers.publication.bracket",
    "compare_graders": "ff_helpers.measurement.agreement.against_truth",
    "kappa_paradox": "ff_helpers.measurement.agreement.pairs",
    "panel_agreement": "ff_helpers.measurement.agreement.pairs",
    "backward_signal": "ff_helpers.measurement.calibration.backward",
    "calibrate_all": "ff_helpers.measurement.calibration.calibrate",
    "calibration_lesson": "ff_helpers.publication.notes",
    "cards_table": "ff_helpers.measurement.calibration.cards",
    "constructed_card": "ff_helpers.measurement.calibration.constructed",
    "disclose": "ff_helpers.publication.notes",
    "drift": "ff_helpers.measurement.rates.drift",
    "drift_lesson": "ff_helpers.publication.notes",
    "flip_table": "ff_helpers.measurement.calibration.robustness",
    "gate_criteria": "ff_helpers.measurement.calibration.cards",
    "gate_table": "ff_helpers.measurement.calibration.cards",
    "needed_table": "ff_helpers.measurement.calibration.power",
    "passing_chance": "ff_helpers.measurement.calibration.power",
    "power_table": "ff_helpers.measurement.calibration.power",
    "published_agreement": "ff_helpers.casestudy.facts",
    "published_calibration": "ff_helpers.casestudy.facts",
    "read_cards": "ff_helpers.measurement.calibration.cards",
    "retest_lesson": "ff_helpers.publication.robustness",
    "compare_models": "ff_helpers.measurement.rates.comparisons",
    "refusal_stability": "ff_helpers.measurement.collected.stability",
    "review_queue": "ff_helpers.measurement.agreement.pairs",
    "robustness_lesson": "ff_helpers.publication.robustness",
    "thresholds": "ff_helpers.measurement.calibration.gate",
    # atlas and exploring
    "apparent_curve": "ff_helpers.measurement.correction.rogan_gladen",
    "apparent_rate": "ff_helpers.measurement.correction.rogan_gladen",
    "rogan_gladen": "ff_helpers.measurement.correction.rogan_gladen",
    "canonical_metrics": "ff_helpers.casestudy.metrics",
    "intent_table": "ff_helpers.publication.atlas.frames",
    "reported_table": "ff_helpers.publication.atlas.frames",
    "signal_table": "ff_helpers.publication.atlas.frames",
    "ledger_signal": "ff_helpers.publication.atlas.ledger",
    "save_page": "ff_helpers.casestudy.pages",
    "trust_table": "ff_helpers.publication.atlas.publish",
    "atlas": "ff_helpers.casestudy.exported",
    "disclose_atlas": "ff_helpers.casestudy.exported_graders",
    "pick": "ff_helpers.publication.explore",
    "read_signal": "ff_helpers.publication.atlas.files",
    "read_table": "ff_helpers.publication.explore",
    "resolve_names": "ff_helpers.corpus.canonical",
    "save_signal": "ff_helpers.publication.atlas.files",
    "show_table": "ff_helpers.publication.explore",
    # publication
    "Disclosure": "ff_helpers.publication.disclosure",
    "GraderNote": "ff_helpers.publication.disclosure",
    "Unknown": "ff_helpers.terms",
    "disclosed": "ff_helpers.publication.disclosure",
    "paper": "ff_helpers.casestudy.paper",
    "save_evaluator_cards": "ff_helpers.casestudy.evaluators",
    "save_figure": "ff_helpers.publication.figures.theme",
    "save_numbers": "ff_helpers.publication.numbers",
    "save_student_page": "ff_helpers.casestudy.pages",
    "save_table": "ff_helpers.publication.tables",
}

__all__ = sorted([*_VERBS, "case"])  # noqa: PLE0605
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name in _VERBS:
        module = import_module(_VERBS[name])
        return module if name in ("facts", "figures", "paper") else getattr(module, name)
    raise AttributeError(f"module 'ff_helpers' has no verb {name!r}")


def __dir__() -> list[str]:
    return list(__all__)


# Last, because its figures join the registry of figures whoever is imported first.
from ff_helpers import casestudy as case  # noqa: E402, F401
