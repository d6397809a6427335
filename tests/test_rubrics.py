"""The comparison of rubrics that docs/rubrics.md prints is what the shipped verdicts give."""

import re

import pytest

from ff_helpers.errors import FFError
from ff_helpers.grading.ledger import verdict_frame
from ff_helpers.paths import data
from tests.conftest import ROOT
from tools.compare_rubrics import attacks, development, table

LINES = {
    "flip-reference": "the present one",
    "flip-blind": "the response only",
    "examples": "three worked examples",
    "verdict-first": "verdict before instruction",
    "two-steps": "two steps",
}


def test_the_printed_table_is_computed_from_the_ledger_that_ships() -> None:
    try:
        traces = [*development(), *attacks()]
    except FFError as error:
        pytest.skip(f"the human-labelled sets are not here (make parts): {error}")
    found = table(verdict_frame(data() / "recorded" / "rubrics" / "qwen2.5-coder-1.5b.jsonl"), traces)
    printed = (ROOT / "docs" / "rubrics.md").read_text(encoding="utf-8")
    assert len(found) == len(LINES)
    for _, row in found.iterrows():
        name = str(row["rubric"]).split("@")[0]
        (line,) = re.findall(rf"^\|[^|]*{LINES[name]}[^|]*\|.*$", printed, re.MULTILINE)
        for space in ("refusal", "objective"):
            counts = str(row[space]).rsplit(", ", 1)[1]
            assert f"{counts} ({str(row[f'{space} kappa']).removeprefix('0')})" in line
        assert f"{row['right']} of {row['rows']}" in line
        assert f" {row['read']} |" in line
        if name != "flip-reference":
            assert f"{row['right']} of {row['rows']}, {row['first']} | {row['p'].removeprefix('0')} |" in line
    agree = found.set_index(found["rubric"].str.split("@").str[0])["agree"]["flip-blind"]
    right, of = agree.split(" of ")
    assert f"({of} of\n103 rows) they are right on {right}" in printed
