"""The registry of columns: one name, one meaning; every column of every saved table is in it."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

import ff_helpers as ff
from ff_helpers.columns import BOUNDS, UNITS, column, columns
from ff_helpers.measurement.results import terms_from
from tests.conftest import ROOT

KINDS = {"int": "integer", "float": "number", "str": "string", "bool": "boolean"}


def test_every_column_is_declared_once_with_a_unit_a_heading_and_a_meaning() -> None:
    lines = (ROOT / "ff_helpers" / "columns.csv").read_text(encoding="utf-8").splitlines()
    names = [line.split(",")[0] for line in lines[1:]]
    assert len(set(names)) == len(names) == len(columns())
    for known in columns().values():
        assert known.unit in UNITS
        assert known.dtype in KINDS
        assert known.heading.strip()
        assert known.meaning.strip()
        assert not known.name.endswith(tuple(BOUNDS)), "bounds are those of their column, and not declared"
    assert all(known.dtype == "float" for known in columns().values() if known.unit in ("share", "points"))


def test_bounds_and_counts_are_those_of_their_column() -> None:
    low, k = column("asr_low"), column("retest_n")
    assert low is not None
    assert low.unit == "share"
    assert low.meaning.startswith("lower bound of the 95% interval of `asr`")
    assert k is not None
    assert (k.dtype, k.unit) == ("int", "count")
    assert column("nobody_low") is None
    assert column("gate_low") is None  # words have no bounds
    like = {"some grader": "asr"}
    named = column("some grader_high", like)
    assert named is not None
    assert named.unit == "share"
    assert column("some grader_high") is None


def test_every_column_of_every_saved_table_is_declared_with_its_dtype(paper: Path) -> None:
    unknown, wrong = [], []
    tables = sorted((paper / "paper" / "tables").glob("*.csv"))
    for path in tables:
        header = json.loads(path.with_name(f"{path.name}-metadata.json").read_text(encoding="utf-8"))
        like = dict(terms_from(header["notes"][0]["terms"]).like)
        frame = pd.read_csv(path)
        for told in header["tableSchema"]["columns"][:-1]:
            known = column(told["name"], like)
            if known is None:
                unknown.append(f"{path.stem}: {told['name']}")
            elif frame[told["name"]].notna().any() and told["datatype"] not in (
                KINDS[known.dtype],
                "integer" if known.dtype == "float" else KINDS[known.dtype],
            ):
                wrong.append(f"{path.stem}: {told['name']} is {told['datatype']}, declared {known.dtype}")
            if known is not None:
                assert known.meaning in told["dc:description"]
    assert len(tables) > 50
    assert unknown == []
    assert wrong == []


def test_shares_and_points_of_saved_tables_are_in_their_range(paper: Path) -> None:
    for path in sorted((paper / "paper" / "tables").glob("*.csv")):
        frame = pd.read_csv(path)
        for name in map(str, frame.columns):
            known = column(name)
            if known is not None and known.unit in ("share", "points", "p"):
                least = -1 if known.unit == "points" else 0
                values = frame[name].dropna()
                assert ((values >= least) & (values <= 1)).all(), f"{path.stem}: {name}"


VERBS = [
    ff.agreement,
    ff.panel_agreement,
    ff.explain.compare_graders,
    ff.explain.bracket,
    ff.explain.kappa_paradox,
    ff.cards_table,
    ff.gate_table,
    ff.explain.gate_criteria,
    ff.explain.flip_table,
    ff.explain.backward_signal,
    ff.explain.power_table,
    ff.explain.needed_table,
    ff.asr_by,
    ff.would_have_reported,
    ff.adjusted,
    ff.drift,
    ff.compare_models,
    ff.explain.over_reporting,
    ff.count_verdicts,
    ff.explain.refusal_stability,
    ff.review_queue,
    ff.case.published_agreement,
    ff.case.published_calibration,
    ff.case.facts.corpus_asr,
    ff.case.facts.graders_table,
    ff.case.facts.published_counts,
    ff.case.facts.heuristic_agreement,
    ff.check_claims,
    ff.case.claims_possible,
    ff.models.trust_table,
    ff.models.signal_table,
    ff.models.reported_table,
    ff.case.canonical_metrics,
    ff.notes.sampled,
]
"""Verbs whose frames are published: what they return is written in their docstrings."""
PHRASE = re.compile(r"\([^()]*\)|\[[^]]*\]")


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
def test_the_columns_that_a_docstring_names_are_declared(verb: object) -> None:
    """A name in a list of columns: a word with an underscore, or any name between commas."""
    text = " ".join((verb.__doc__ or "").split())
    said = re.split(r"\b(?:Returns|Columns)\b[^:]*:", text, maxsplit=1)[-1].split(" Raises:")[0]
    for _ in range(3):
        said = PHRASE.sub("", said)
    said = re.sub(r"`[^`]*`|_low|_high", "", said)
    words = [word.strip(" .;:") for word in re.split(r"[,;:.]| then | and | with ", said)]
    named = [word for word in words if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", word)]
    assert [name for name in named if column(name) is None] == []
