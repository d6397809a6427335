"""docs/labelling.md: its commands after the labelling, in its order, on traces that people labelled."""

import re
import shlex

import pandas as pd
import pytest

from ff_helpers.cli import main
from tests.conftest import ROOT
from tests.drawn_study import NO, YES, write_study
from tests.labelling import decided

SECTIONS = ("## A gate on the rate", "## Stopping early", "## A card from the labels")


def commands() -> list[list[str]]:
    """Return the commands of these sections, as words; `ff` left out."""
    text = (ROOT / "docs" / "labelling.md").read_text(encoding="utf-8")
    parts = [text.split(f"{name}\n")[1].split("\n## ")[0] for name in SECTIONS]
    blocks = [block for part in parts for block in re.findall(r"```\n(.*?)```", part, re.DOTALL)]
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("design", ["random", "by-verdict"])
def test_its_commands_run_and_print_what_it_says(tmp_path, monkeypatch, make_trace, capsys, design) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    write_study(tmp_path, make_trace, size=400)
    draw = ["sample", "verdicts.jsonl", "--traces", "traces.jsonl", "--n", "120", "--out", "labels.csv"]
    assert main([*draw, "--design", design]) == 0
    one = int(pd.read_csv("labels.csv")["trace_id"].iloc[0][1:])
    decided(
        tmp_path / "labels.csv",
        "strict",
        anna=lambda n: YES if n < 120 else NO,
        ben=lambda n: YES if (n < 120) != (n == one) else NO,
    )
    gate, stop, card = commands()
    capsys.readouterr()
    assert main(gate) == 1
    said = capsys.readouterr().out
    assert "wrongly says yes with a probability of 5% at most" in said
    assert "g a strict: no (p = " in said
    assert main(stop) == 0
    assert "The price: they are 1." in capsys.readouterr().out
    assert main(card) == 0
    said = capsys.readouterr().out
    assert ("weighted from" in said) == (design == "by-verdict")
    assert "person 1 and person 2  agree on" in said
