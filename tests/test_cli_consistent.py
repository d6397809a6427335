"""`ff consistent` as a reader types it who has nothing but a printed figure."""

import json
from typing import get_args

import pytest

from ff_helpers.cli import main
from ff_helpers.measurement.consistency.possible import ROUNDINGS, Method
from tests.test_cli import offered


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["consistent", *words]) == 0
    return capsys.readouterr().out


def test_a_figure_that_no_counts_give(capsys):
    assert "impossible of n = 20: that would be 11.6 rows" in asked(capsys, "58", "--n", "20")
    said = asked(capsys, "62", "38", "81")
    assert "impossible: no whole numbers up to n = 1000" in said
    assert "Wilson 95% interval, digits cut off: 10 of 16" in said


def test_figures_that_some_counts_give(capsys):
    assert "only 13 of 20" in asked(capsys, "65.0%", "43.3%", "81.9%")
    assert "22 pairs, from 78 of 125 to 96 of 154" in asked(capsys, "62", "54", "70")
    many = asked(capsys, "58", "--max-n", "100")
    assert "To narrow this down: the interval" in many


def test_json_has_every_pair(capsys):
    found = json.loads(asked(capsys, "65.0", "43.3", "81.9", "--json"))
    assert found == {
        "percentage": "65.0",
        "interval": ["43.3", "81.9"],
        "method": "wilson",
        "rounding": "rounded",
        "possible": [{"k": 13, "n": 20}],
        "ways": ["half-up", "half-even"],
        "impossible": False,
        "complete": True,
        "n_tried": [1, 1000],
        "otherwise": [],
    }
    none = json.loads(asked(capsys, "62", "38", "81", "--json"))
    assert (none["impossible"], none["possible"]) == (True, [])
    assert none["otherwise"][0] == {
        "method": "wilson",
        "rounding": "cut-off",
        "possible": [{"k": 10, "n": 16}],
    }
    alone = json.loads(asked(capsys, "65", "--n", "40", "--digits", "1", "--json"))
    assert (alone["percentage"], alone["method"], alone["possible"]) == ("65.0", None, [{"k": 26, "n": 40}])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-5"], "a percentage cannot be negative"),
        (["101%"], "cannot exceed 100"),
        (["62", "38"], "an interval has two ends"),
        (["62", "38", "81", "90"], "an interval has two ends"),
        (["62", "81", "38"], "begins at 81"),
        (["62", "65", "70"], "does not hold 62"),
    ],
)
def test_a_bad_figure_is_one_sentence_and_exit_code_2(capsys, words, said):
    assert main(["consistent", *words]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_total_of_nothing_is_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["consistent", "58", "--n", "0"])
    assert ended.value.code == 2
    assert "is not a positive integer" in capsys.readouterr().err


def test_the_command_line_offers_what_there_is():
    assert offered("consistent", "interval") == get_args(Method)
    assert offered("consistent", "rounding") == ROUNDINGS
