"""How right a grader is by the labels of a sample that `ff sample` drew: weighted by design where it must be.

Labels that were drawn with one probability count alike: rows, or scenarios where traces have these. Labels
drawn with different ones (by verdict, in the best split, unevenly by model) are weighted by
`calibration.by_design`. Unweighted they would tell of the sample: half of it hits, where few rows are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from ff_helpers.errors import FFError, named
from ff_helpers.grading.identities import identities
from ff_helpers.measurement.agreement.people import Pair, compare_people
from ff_helpers.measurement.calibration.by_design import (
    Drawn,
    Posterior,
    accuracy,
    chance_of_none,
    drawn_from,
    effective_table,
    evidence_by_design,
)
from ff_helpers.measurement.calibration.cards import OfModel
from ff_helpers.measurement.calibration.confusion import Confusion, confusion
from ff_helpers.measurement.calibration.gate import decide
from ff_helpers.measurement.calibration.humans import Humans
from ff_helpers.measurement.calibration.items import Evidence, by_item, by_row
from ff_helpers.measurement.labels.card import LabelCard, Positive
from ff_helpers.measurement.labels.measured import ByDesign
from ff_helpers.measurement.proportions.clusters import cluster_places
from ff_helpers.measurement.proportions.intervals import Proportion
from ff_helpers.measurement.sampling.files import Sample
from ff_helpers.measurement.sampling.rows import graded_rows
from ff_helpers.measurement.spaces import into, space_of
from ff_helpers.terms import Identity, Space, classes, shared_space

_ALIKE: Final = 1e-9
"""Difference of two probabilities that is rounding."""
_HOW: Final = {
    "random": "at random",
    "by-verdict": "by verdict (half from hits, half from the others",
    "best": "by verdict (in the best split",
}


@dataclass(frozen=True)
class SampleCard:
    """What the labels of a sample say of a grader.

    Attributes:
        label: the measures, in a label space that both sides decide.
        frame: trace_id and truth (str) of the labelled rows.
        space: that label space.
        set: the set of the traces that the sample was drawn from; several are joined.
        identity: of the grader.
        drawn: how the rows were drawn, and whether they are weighted, in words.
        design: what weighted rows are worth besides; None where all count alike.
    """

    label: LabelCard
    frame: pd.DataFrame
    space: Space
    set: str
    identity: Identity
    drawn: str
    design: ByDesign | None


def card_of_sample(
    sample: Sample, ledger: Path, traces: Sequence[Path], *, grader: str | None = None
) -> SampleCard:
    """Return how right a grader of a ledger is by the labels of a sample of its rows.

    A row without a verdict is wrong where such rows could be drawn; `ff sample` draws rows with a verdict.

    Args:
        sample: labels drawn from these rows, by this grader's verdicts or another's.
        ledger: verdicts on all rows.
        traces: files of the graded traces: scenarios and models.
        grader: whose verdicts; None: the only one.

    Raises:
        FFError: several graders, a labelled trace without a row, no label, or a grader whose label space does
            not go with that of the labels.
    """
    rows = graded_rows(ledger, traces, grader=grader)
    if len(names := sorted(set(rows["grader"]))) > 1:
        raise FFError(f"{ledger}: {len(names)} graders. Name one: --grader {' or '.join(map(named, names))}.")
    return card_of_rows(sample, rows)


def card_of_rows(sample: Sample, rows: pd.DataFrame) -> SampleCard:
    """Return how right one grader is by the labels of a sample of its rows; as `card_of_sample`.

    Args:
        sample: the labels.
        rows: the first pass of one grader, as `sampling.rows.graded_rows`.
    """
    space = shared_space(space_of(rows), sample.space)
    if space is None:
        raise FFError(
            f"{sample.path}: labels in the space {sample.space} do not measure a grader that answers in the "
            f"space {space_of(rows)}."
        )
    known = _known(sample, rows)
    rows = rows.assign(**{name: rows["trace_id"].map(known[name]) for name in ("truth", "chance")})
    without = rows["verdict"].isna()
    if not (without & rows["truth"].notna()).any():
        rows = rows[~without]
    rows = rows.reset_index(drop=True)
    rows["truth"] = into(rows["truth"], sample.space, space)
    rows["said"] = into(rows["verdict"], space_of(rows), space)
    return _card(sample, rows, space)


def _known(sample: Sample, rows: pd.DataFrame) -> pd.DataFrame:
    """Return truth and probability of the labelled traces: of a stratum labelled in part, of that part."""
    told = sample.frame.groupby("stratum")["truth"].agg(["size", "count"])
    answered = sample.frame["stratum"].map(told["count"] / told["size"])
    known = sample.frame.assign(chance=sample.frame["probability"] * answered)
    known = known[known["truth"].notna()].set_index("trace_id")
    if known.empty:
        raise FFError(
            f"{sample.path}: no trace has a truth yet. Label some: "
            f"`ff label {sample.path.name} --traces TRACES --as NAME`."
        )
    if strangers := set(known.index) - set(rows["trace_id"]):
        raise FFError(
            f"{sample.path}: {len(strangers)} labelled traces have no row here. Name the verdicts and traces "
            "that the sample was drawn from."
        )
    return known


def _card(sample: Sample, rows: pd.DataFrame, space: Space) -> SampleCard:
    names = classes(space)
    labelled = rows[rows["truth"].notna()]
    alone = rows["scenario_id"].isna() | ~rows["scenario_id"].duplicated(keep=False)
    scenario = None if alone.all() else cluster_places(rows["scenario_id"])
    drawn = drawn_from(names, list(rows["said"]), list(rows["truth"]), list(rows["chance"]), scenario)
    weighted = bool(np.ptp(labelled["chance"].to_numpy(dtype=float)) > _ALIKE)
    matrix = drawn.matrix
    evidence, design = _alike(drawn, matrix), None
    if weighted:
        posterior = Posterior(drawn)
        evidence = evidence_by_design(posterior)
        design = ByDesign(
            table=effective_table(posterior),
            by_model=_by_model(drawn, rows["model"]),
            p_chance=chance_of_none(posterior, lambda table: accuracy(table) - 1 / len(names)),
            said=tuple(int(n) for n in posterior.called),
        )
    by_model = () if weighted else _tables(labelled, names)
    label = LabelCard(
        truth="truth",
        grader=str(rows["grader"].iloc[0]),
        matrix=matrix,
        evidence=evidence,
        items=None if scenario is None else "scenario_id",
        invalid={"no verdict": n} if (n := sum(row[-1] for row in matrix.table)) else {},
        no_truth=int(sample.frame["truth"].isna().sum()),
        errors={},
        positive=_positive(names, evidence),
        humans=people_of(sample),
        gate=decide(matrix, proxy=None, evidence=evidence),
        by_model=by_model,
    )
    words = _words(sample, evidence.n if scenario is not None else None, len(labelled), len(rows), weighted)
    (who,) = identities(rows)
    sets = ", ".join(sorted(rows["set"].unique()))
    return SampleCard(label, labelled[["trace_id", "truth"]], space, sets, who, words, design)


def _alike(drawn: Drawn, matrix: Confusion) -> Evidence:
    """Return what rows are worth that were drawn with one probability."""
    if drawn.scenario is None:
        return by_row(matrix)
    some = drawn.truth >= 0
    return by_item(matrix, drawn.truth[some], drawn.graded[some], drawn.scenario[some])


def _by_model(drawn: Drawn, models: "pd.Series[str]") -> tuple[OfModel, ...]:
    """Return the effective table of each model with a label; empty where a labelled row names no model."""
    if models[drawn.truth >= 0].isna().any():
        return ()
    names = sorted(models[drawn.truth >= 0].unique())
    places = {name: np.flatnonzero(models == name) for name in names}
    return tuple(
        OfModel(model=str(name), table=effective_table(Posterior(drawn.of(places[name])))) for name in names
    )


def _tables(labelled: pd.DataFrame, names: tuple[str, ...]) -> tuple[tuple[str, Confusion], ...]:
    if labelled["model"].isna().any():
        return ()
    groups = labelled.groupby("model", sort=True)
    return tuple((str(m), confusion(list(own["truth"]), list(own["said"]), names)) for m, own in groups)


def _positive(names: tuple[str, ...], evidence: Evidence) -> Positive | None:
    """Return the first of two classes against the other."""
    if len(names) != 2:
        return None
    precision, recall = evidence.precisions[0], evidence.recalls[0]
    of, found = (one.estimate or 0.0 for one in (precision, recall))
    f1 = 2 * of * found / (of + found) if of + found else None
    return Positive(names[0], precision, recall, evidence.recalls[1], f1)


def people_of(sample: Sample) -> tuple[Humans, ...]:
    """Return how far the people who labelled a sample agree, two by two, weighted as its rows are."""
    if len(sample.decided) < 2:
        return ()
    found = compare_people(sample)
    place = {one.name: f"person {n}" for n, one in enumerate(found.people, start=1)}
    return tuple(_humans(pair, place, len(sample.frame)) for pair in found.pairs)


def _humans(pair: Pair, place: dict[str, str], rows: int) -> Humans:
    counted, kappa = pair.matrix.accuracy, pair.kappa
    if pair.weighted is not None:
        one = pair.weighted
        counted = Proportion(counted.k, counted.n, one.low, one.high, weighted=one.agreement)
        kappa = one.kappa
    return Humans((place[pair.a], place[pair.b]), counted, kappa, rows - counted.n)


def _words(sample: Sample, items: int | None, n: int, rows: int, weighted: bool) -> str:
    design = sample.design
    how = "by a design that is not known, with the probabilities of the file"
    if design is not None:
        more = f", tier {design.tier})" if design.design != "random" else ""
        how = f"{_HOW[design.design]}{more}"
        how += f", in proportion by {', '.join(design.by)}" if design.by else ""
        how += ", scenario by scenario" if design.by_scenario else ""
        how += ", least sure verdicts more often" if design.soft else ""
        how += f", seed {design.seed}"
    of = "" if items is None else f" of {items} scenarios"
    by = "weighted by inclusion probability (double sampling)" if weighted else "drawn with one probability"
    return f"{n} labelled{of} of {rows} graded rows, drawn {how}; {by}"
