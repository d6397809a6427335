"""The cards of a run: by the known labels of its traces, and by what people said of a sample of them."""

import datetime

import pandas as pd

from ff_helpers import paths
from ff_helpers.grading.campaign import verdicts
from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.adjustment.sample_card import SampleCard, card_of_rows
from ff_helpers.measurement.calibration.calibrate import calibrate_all, forget_cards
from ff_helpers.measurement.calibration.cards import Card, file_names, save_card
from ff_helpers.measurement.calibration.robustness import natural, natural_first
from ff_helpers.measurement.labels.measured import measured_card
from ff_helpers.measurement.sampling.files import Sample, read_sample
from ff_helpers.measurement.spaces import space_of
from ff_helpers.paths import Run
from ff_helpers.terms import shared_space


def labelled_cards(run: Run, labels: str = "") -> list[Card]:
    """Make and save the cards of a run; none where no label is known yet.

    Traces whose truth is known measure every grader (`calibrate_all`). Where the sampled traces have no known
    truth, the labels that people gave measure the graders on them, weighted by design (`sample_card`). Writes
    cards/*.json, or cards/none.txt.

    Args:
        run: whose graders.
        labels: the sample file that `ff sample` drew and people labelled, from the project folder; empty, or
            not there: nobody has labelled yet.

    Raises:
        FFError: the sample file cannot be read, or a labelled trace has no verdict here.
    """
    frame = verdicts(run)
    if natural(frame)["truth"].notna().any():
        cards = calibrate_all(run)
    else:
        forget_cards(run)
        cards = []
    path = paths.root() / labels
    if labels and path.is_file():
        found = _by_sample(run, read_sample(path), frame)
        for card, name in zip(found, file_names([*cards, *found])[len(cards) :], strict=True):
            save_card(run, card, name=name)
        cards += found
    none = run.write("cards/none.txt")
    none.write_text("No label is known yet, so no grader was measured.\n", encoding="utf-8")
    if cards:
        none.unlink()
    return cards


def _by_sample(run: Run, sample: Sample, frame: pd.DataFrame) -> list[Card]:
    """Return a card of each grader on the sets that were sampled; none where their truth is known anyway."""
    named, _ = told_apart(frame)
    rows = natural_first(named)
    told = rows["trace_id"].isin(sample.frame["trace_id"])
    if sample.frame["truth"].isna().all() or rows.loc[told, "truth"].notna().any():
        return []
    drawn_from = rows[rows["set"].isin(rows.loc[told, "set"])]
    return [
        dated_card(card_of_rows(sample, own.reset_index(drop=True)), run.as_of)
        for _, own in drawn_from.groupby("grader", sort=True)
        if shared_space(space_of(own), sample.space) is not None and (own["method"] != "manual").all()
    ]


def dated_card(made: SampleCard, day: datetime.date) -> Card:
    """Return the calibration card of a grader by the labels of a sample, measured on that day."""
    return measured_card(
        made.label,
        frame=made.frame,
        mapped=None,
        identity=made.identity,
        space=made.space,
        calibration_set=made.set,
        day=day,
        drawn=made.drawn,
        design=made.design,
    )
