"""No error of this room prints the text of a cell or of a key."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import yaml

import ff_helpers as ff
from ff_helpers import paths
from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.intervals import with_wilson
from ff_helpers.publication.atlas.ledger import read_signals
from ff_helpers.publication.atlas.trust import model_facts, read_trust
from ff_helpers.publication.glossary import term_link
from ff_helpers.publication.numbers import save_numbers
from ff_helpers.publication.prose import say
from tests.kinds_of_file import MARKER

TERMS = ff.notes.Terms(
    graders=ff.notes.Unknown("grader", "none"),
    tiers=("strict",),
    denominators=("graded",),
    counts="columns k and n",
    left_out=(),
)


def table() -> pd.DataFrame:
    """Two rows that no text column tells apart; its first column is called by the text."""
    frame = with_wilson(pd.DataFrame({MARKER: [MARKER] * 2, "k": [1, 2], "n": 3}), "asr")
    return ff.notes.stated(frame, TERMS)


def numbers(run: ff.outputs.Run, _: Path) -> None:
    ff.save_table(run, table(), "t", title="A title.")
    save_numbers(run, ["t"])


def rules(_: ff.outputs.Run, folder: Path) -> None:
    content = yaml.safe_load((paths.params() / "trust.yaml").read_text(encoding="utf-8"))
    (folder / "trust.yaml").write_text(yaml.safe_dump(content | {MARKER: 1}), encoding="utf-8")
    read_trust(folder / "trust.yaml")


def facts(_: ff.outputs.Run, folder: Path) -> None:
    text = (paths.data() / "models" / "metadata.csv").read_text(encoding="utf-8").splitlines()
    (folder / "facts.csv").write_text(f'{text[0]},"{MARKER}"\n{text[1]},x\n', encoding="utf-8")
    model_facts(folder / "facts.csv")


def models(_: ff.outputs.Run, folder: Path) -> None:
    message = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    trace = {"trace_id": "t", "model": MARKER, "source": "s", "messages": message, "truth": "REFUSAL",
             "truth_space": "five", "sampling": {"kind": "census"}}  # fmt: skip
    (folder / "t.jsonl").write_text(json.dumps(trace) + "\n", encoding="utf-8")
    read_signals(
        traces=[folder / "t.jsonl"], as_of=date(2026, 11, 22), cards=folder, names={MARKER + "!": "m"}
    )


TRIED: dict[str, Callable[[ff.outputs.Run, Path], object]] = {
    "a column that is not there": lambda run, _: ff.save_table(
        run, table(), "t", title="A title.", show=[f"{MARKER}?"]
    ),
    "two rows of one key": numbers,
    "no such row": lambda run, _: ff.outputs.pick(table(), **{MARKER: f"{MARKER}?"}),
    "a text as a percentage": lambda run, _: say("{a:percent}", a=MARKER),
    "no such term": lambda run, _: term_link(MARKER),
    "a key of the rules": rules,
    "a column of the models": facts,
    "no such model": models,
}


@pytest.mark.parametrize("what", TRIED)
def test_what_is_wrong_is_said_without_the_text(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    monkeypatch.delenv("FF_STAGING", raising=False)
    with pytest.raises(FFError, match=r"a text of \d+ characters") as error:
        TRIED[what](ff.start("test", as_of="2026-11-22"), tmp_path)
    assert "MARKED" not in str(error.value)
